"""Images of other places, years and sizes, made here, and the real village."""

import subprocess
import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
import rasterio
from own_images import DAYS, GREEN, HEIGHT, NORTH, WEST, WIDTH, radar, refused, scene, write

from multisenge_lib import paths
from multisenge_lib.area import InputUnits, check_root, cutting, import_area
from multisenge_lib.area.sources import find_images
from multisenge_lib.dataset import (
    S1_BANDS,
    S2_BANDS,
    Blocks,
    amplitude_problem,
    dataset_of_root,
    implausible_image,
    load_selection,
    pack,
    read_patch,
    write_dataset_toml,
)
from multisenge_lib.errors import ImportAreaError
from multisenge_lib.files import locked
from multisenge_lib.maps import patches_to_map

VILLAGE = paths.PROJECT / "book" / "data" / "village" / "worldcereal-village.nc"


@pytest.fixture
def images(tmp_path):
    """A folder of one sensor's rasters, a date each, and a reference of three classes."""
    for i, day in enumerate(DAYS):
        write(tmp_path / "in" / f"S2_{day}.tif", scene(i), S2_BANDS)
    classes = (np.arange(WIDTH) // 50 + 1).astype(np.uint8)
    write(tmp_path / "reference.tif", np.broadcast_to(classes, (1, HEIGHT, WIDTH)).copy())
    return tmp_path / "in"


def test_another_hemisphere_year_and_size_with_one_sensor(images, tmp_path):
    result = import_area(
        tmp_path / "root",
        [images],
        reference=tmp_path / "reference.tif",
        classes=["Town", "Field", "Water"],
        size=32,
    )
    assert result.patches == 3 * 4
    assert "22 columns in the east and 21 rows in the south fill no patch" in result.notices
    dataset = dataset_of_root(result.root)
    assert dataset == result.dataset and dataset.sensors == ("s2",)
    assert dataset.years == (2022, 2023) and dataset.months == (12, 1, 2, 3)
    assert [len(t) for t in dataset.typologies.values()] == [3]
    assert not check_root(result.root).problems and not check_root(result.root).notes
    selection = load_selection(result.root)
    assert selection["split"].nunique() == 3
    store = pack(result.root, selection)
    assert set(store.arrays) == {"s2", "reference"}
    patch = read_patch(result.root, selection.iloc[0])
    assert patch.s2.shape == (4, 32, 32, 10)


def test_pixels_are_taken_over_as_they_are(images, tmp_path):
    result = import_area(tmp_path / "root", [images], size=96)
    (row,) = load_selection(result.root, months=[12]).itertuples()
    patch = read_patch(result.root, row, reference=False)
    np.testing.assert_array_equal(patch.s2[0], np.moveaxis(scene(0)[:, :96, :96], 0, -1))
    assert row.split == "test" and row.patch.startswith("19")
    assert (result.root / "labels" / f"{row.patch}.json").is_file()


def test_a_map_has_the_patches_that_training_leaves_out(images, tmp_path):
    result = import_area(tmp_path / "root", [images], size=32, reference=tmp_path / "reference.tif")
    apart = replace(result.dataset, blocks=Blocks(320, 10, (0.8, 0.1, 0.1), seed=2))
    write_dataset_toml(result.root, apart)
    with pytest.warns(UserWarning, match="left out"):
        chosen = load_selection(result.root)
    mapped = patches_to_map(result.root, result.dataset.months, ["s2"])
    assert 0 < len(chosen) < len(mapped) == result.patches


def test_a_file_for_each_band_and_two_resolutions(tmp_path):
    whole = scene(0, 120, 120)
    for i, band in enumerate(S2_BANDS):
        name = f"T19GBP_20230105T104031_{band.replace('B', 'B0') if len(band) == 2 else band}"
        coarse = band not in ("B2", "B3", "B4", "B8")
        data = whole[[i], ::2, ::2] if coarse else whole[[i]]
        write(tmp_path / "in" / f"{name}.tif", data, res=20 if coarse else 10)
    result = import_area(tmp_path / "root", [tmp_path / "in"], size=96)
    assert any("6 rasters lie on another grid" in line for line in result.notices)
    assert not check_root(result.root).problems


def test_a_product_folder_as_esa_delivers_it(tmp_path):
    """Bands at several resolutions, beside a mask, a scene classification and a picture."""
    product = tmp_path / "S2A_MSIL2A_20230105T104031.SAFE"
    whole = scene(0, 120, 120)
    for i, band in enumerate(S2_BANDS):
        for step in (1, 2) if band in ("B2", "B3", "B4", "B8") else (2,):
            name = f"T19GBP_20230105T104031_{'B0' + band[1:] if len(band) == 2 else band}"
            path = product / f"R{10 * step}m" / f"{name}_{10 * step}m.tif"
            write(path, whole[[i], ::step, ::step], res=10.0 * step)
    for name, data in (("SCL_20m", whole[:1]), ("TCI_10m", whole[:3].astype(np.uint8))):
        write(product / "R20m" / f"T19GBP_20230105T104031_{name}.tif", data)
    for mask in ("MSK_CLDPRB_20m", "MSK_DETFOO_B02"):  # the second since baseline 04.00
        write(product / "QI_DATA" / f"{mask}.tif", whole[:1].astype(np.uint8))
    result = import_area(tmp_path / "root", [product], size=96)
    assert any(line.startswith("2 files left out as masks") for line in result.notices)
    assert any(
        line.startswith("2 files left out as rasters that name no band") for line in result.notices
    )
    patch = read_patch(result.root, load_selection(result.root).iloc[0], reference=False)
    fine = [S2_BANDS.index(band) for band in ("B2", "B3", "B4", "B8")]
    np.testing.assert_array_equal(patch.s2[0][..., fine], np.moveaxis(whole[fine, :96, :96], 0, -1))
    exclusive = product / "R20m" / "T19GBP_20230105T104031_SCL_20m.tif"
    assert "does not name its 1 band" in refused(tmp_path / "other", [exclusive])


@pytest.mark.parametrize("crs,west,north,res", [("EPSG:4326", -71.6, -41.1, 1e-4)])
def test_another_projection_is_resampled_and_said(tmp_path, crs, west, north, res):
    source = write(tmp_path / "S2_20230105.tif", scene(), S2_BANDS, west, north, res, crs)
    result = import_area(tmp_path / "root", [source], size=32)
    assert "resampled" in result.notices[0] and "EPSG:32719" in result.notices[0]
    assert not check_root(result.root).problems


def test_no_data_and_lost_dates_are_kept_and_told(images, tmp_path):
    write(images / "S2_20230420.tif", scene() * 0 + 65535, S2_BANDS, nodata=65535)
    clouded = scene(5)
    clouded[:, :, :40] = 65535
    write(images / "S2_20230515.tif", clouded, S2_BANDS)
    signed = scene(6).astype(np.int16)
    signed[:, :, :40] = -10000
    write(images / "S2_20230620.tif", signed, S2_BANDS)
    result = import_area(tmp_path / "root", [images], size=32)
    assert "s2 of 2023-04-20 is no data everywhere and is left out" in result.notices
    assert any(line.startswith("s2 of 2023-05-15: 31% of the pixels") for line in result.notices)
    for day in ("20230515", "20230620"):  # three patches of 12 are covered
        assert len(list((result.root / "s2").glob(f"*_{day}_*"))) == 9
    assert not check_root(result.root).problems


@pytest.mark.fault("no data beside pixels that are resampled -> mixed into none of them")
@pytest.mark.parametrize(
    "name,bands,full,empty,options",
    [
        ("S2_20230105", S2_BANDS, GREEN.astype(np.uint16), 0, {}),
        ("S2_20230105", S2_BANDS, GREEN.astype(np.uint16), 65535, {}),
        ("S2_20230105", S2_BANDS, GREEN.astype(np.uint16), 65535, {"nodata": 65535}),
        ("S1_20230105", ("VV", "VH"), np.float32([0.1, 0.02]), -9999, {}),
    ],
)
def test_no_data_is_not_mixed_into_neighbours(tmp_path, name, bands, full, empty, options):
    stored = np.tile(full[:, None, None], (1, 60, 75))
    stored[:, :, 40:] = empty
    source = write(tmp_path / f"{name}.tif", stored, bands, res=20, **options)
    result = import_area(tmp_path / "root", [source], size=64, units=InputUnits(no_data=-9999))
    for path in (result.root / name[:2].lower()).iterdir():
        with rasterio.open(path) as raster:
            pixels = raster.read()
        observed = pixels[:, pixels.any(axis=0)]
        np.testing.assert_allclose(
            observed, np.broadcast_to(full[:, None], observed.shape), rtol=1e-3
        )


def test_a_date_of_less_than_half_a_patch_is_left_out(images, tmp_path):
    first = scene(0)
    first[:, :, 1:] = 0
    write(images / "S2_20221201.tif", first, S2_BANDS)
    result = import_area(tmp_path / "root", [images], size=32)
    assert any(line.startswith("3 dates of patches") for line in result.notices)
    assert load_selection(result.root)["s2_dates"].iloc[0][0] == np.datetime64("2022-12-03")


@pytest.mark.parametrize(
    "stored,unit",
    [
        (lambda v: v, None),
        (lambda v: v, "linear"),
        (lambda v: 10 * np.log10(v), "db"),
        (lambda v: np.rint(10 ** ((10 * np.log10(v) + 83) / 20)), "dn"),
    ],
)
def test_backscatter_becomes_linear_as_said(tmp_path, stored, unit):
    write(tmp_path / "S1_20230105.tif", stored(radar()).astype(np.float32), ["VV", "VH"])
    result = import_area(
        tmp_path / "root", [tmp_path / "S1_20230105.tif"], size=96, units=InputUnits(s1=unit)
    )
    (file,) = (result.root / "s1").iterdir()
    with rasterio.open(file) as source:
        np.testing.assert_allclose(source.read(), radar()[:, :96, :96], rtol=2e-3)


@pytest.mark.parametrize(
    ("name", "data", "names", "units", "option"),
    [
        ("S1_20230105", radar(), ["VV", "VH"], InputUnits(s1="db"), "--s1-unit"),
        ("S1_20230105", radar(), ["VV", "VH"], InputUnits(s1="dn"), "--s1-unit"),
        ("S2_20230105", scene(), S2_BANDS, InputUnits(s2_scale=1e4), "--s2-scale"),
        ("S2_20230105", scene() / 1e4, S2_BANDS, InputUnits(s2_scale=2), "--s2-scale"),
    ],
)
def test_a_unit_that_some_files_contradict_is_not_asked_for_again(
    tmp_path, name, data, names, units, option
):
    source = write(tmp_path / f"{name}.tif", data.astype(np.float32), names)
    message = refused(tmp_path, [source], units=units)
    assert f"{option} holds for all files: where only some differ, convert those first" in message


@pytest.mark.fault("images whose unit, bands, date or grid are in doubt -> asked, nothing written")
@pytest.mark.parametrize(
    "name,data,names,options,message",
    [
        ("S1_20230105", -11 * radar() / radar(), ["VV", "VH"], {}, "--s1-unit db"),
        ("S1_20230105", 4000 * radar() / radar(), ["VV", "VH"], {}, "--s1-unit db, linear, or dn"),
        (
            "S1_20230105",
            radar(),
            ["VV", "VH"],
            {"units": InputUnits(s1="db")},
            "no value is negative",
        ),
        (
            "S1_20230105",
            radar(),
            ["VV", "VH"],
            {"units": InputUnits(s1="dn")},
            "nothing above -50 dB",
        ),
        ("S2_20230105", scene() / 1e4, S2_BANDS, {}, "--s2-scale 10000"),
        (
            "S2_20230105",
            scene(),
            S2_BANDS,
            {"units": InputUnits(s2_scale=1e4)},
            "give as --s2-scale what to multiply with",
        ),
        (
            "S1_20230105",
            radar() - 0.05 * (radar() < 0.005),
            ["VV", "VH"],
            {},
            "cubic resampling goes below 0",
        ),
        ("S2_20230105", scene(), S2_BANDS, {"reference": "none.tif"}, "reference none.tif"),
        ("S2_20230105", scene(), (), {}, "--s2-bands"),
        ("S2_20230105", scene(), (), {"s2_bands": ["B2", "B3"]}, "does not name its 10 bands"),
        ("S2_january", scene(), S2_BANDS, {}, "no date"),
        ("S2_20231305", scene(), S2_BANDS, {}, "no date"),
        ("S2_20230105", scene(0, 20, 20), S2_BANDS, {}, "the smallest patch has 32x32"),
        ("S2_20230105", scene(), S2_BANDS, {"size": 33}, "multiple of 32"),
        ("S2_20230105", scene(), ["blue"] * 10, {}, "holds B2 10 times"),
        ("dem_20230105", scene(), ["elevation"] * 10, {}, "does not name"),
        ("S2_20230105", 0 * scene(), S2_BANDS, {}, "at least half of any patch"),
        ("S2_20230105", scene(), S2_BANDS, {"units": InputUnits(s1="watt")}, "unit 'watt'"),
        ("S2_20230105", scene(), S2_BANDS, {"units": InputUnits(s2_scale=np.nan)}, "scale nan"),
        ("S2_20230105", scene(), S2_BANDS, {"fill": {"B8A": "VV"}}, "two bands of Sentinel-2"),
        (
            "S2_20230105",
            scene(),
            S2_BANDS,
            {"fill": {"VH": "VV"}},
            "VV is several decibels above VH",
        ),
        ("S2_20230105", scene(), (), {"s2_bands": ["B2"] * 10}, "each once"),
        ("S2_20230105", scene(), (), {"s2_bands": ["B2", "SCL"]}, "'SCL' names none"),
        ("S2_20230105", scene(), (), {"s2_bands": ["B2", "B99"]}, "'B99' names none"),
    ],
)
def test_what_is_in_doubt_is_asked(tmp_path, name, data, names, options, message):
    data = data.astype(np.float32) if data.dtype.kind == "f" else data
    source = write(tmp_path / f"{name}.tif", data, names)
    assert message in refused(tmp_path, [source], **options)


@pytest.mark.fault("images far apart or in no place -> one line")
@pytest.mark.parametrize(
    "place,message",
    [
        ({"west": 600_000, "north": 5_900_000}, "far apart"),
        ({"crs": "EPSG:32631", "west": 600_000}, "far apart"),
        ({"crs": "EPSG:4326", "west": 0, "north": 0, "res": 1e9}, "far apart"),
    ],
)
def test_odd_places_are_refused(images, tmp_path, place, message):
    source = write(tmp_path / "S2_20230202.tif", scene(), S2_BANDS, **place)
    assert message in refused(tmp_path, [images / f"S2_{DAYS[0]}.tif", source])


def test_bands_in_another_order_than_said_are_found(tmp_path):
    source = write(tmp_path / "S2_20230105.tif", scene()[[0, 1, 2, 6, 3, 4, 5, 7, 8, 9]])
    assert "no red edge" in refused(tmp_path, [source], s2_bands=S2_BANDS)


def test_a_missing_band_is_filled_only_when_asked(tmp_path):
    without = [band for band in S2_BANDS if band != "B8A"]
    data = scene()[[S2_BANDS.index(band) for band in without]]
    source = write(tmp_path / "S2_20230105.tif", data, without)
    result = import_area(tmp_path / "nine", [source], size=32)
    assert result.dataset.bands["s2"] == tuple(without)
    assert any("s2 has no B8A" in line for line in result.notices)
    result = import_area(tmp_path / "ten", [source], size=32, fill={"B8A": "B8"})
    assert result.dataset.bands["s2"] == S2_BANDS and "B8A is filled from B8" in result.notices
    other = write(tmp_path / "S2_20230202.tif", scene(), S2_BANDS)
    assert "has no B8A, which other dates have" in refused(tmp_path, [source, other])


def test_bands_told_are_read_in_many_spellings(tmp_path):
    source = write(tmp_path / "S2_20230105.tif", scene()[[0, 1, 2, 6, 6]])
    result = import_area(
        tmp_path / "root", [source], size=32, s2_bands=["B02", "green", "B04", "-", "B08"]
    )
    assert result.dataset.bands == {"s2": ("B2", "B3", "B4", "B8")}


@pytest.mark.fault(
    "import: a reference of other ids or another place, bad classes -> refused first"
)
def test_a_reference_that_does_not_fit_is_refused_before_any_image_is_cut(
    images, tmp_path, monkeypatch
):
    monkeypatch.delattr(cutting.PatchWriter, "write_acquisition")
    reference = write(tmp_path / "ids.tif", np.full((1, HEIGHT, WIDTH), 40, np.uint8))
    assert "--classes" in refused(tmp_path, [images], reference=reference)
    ones = np.ones((1, HEIGHT, WIDTH), np.uint8)
    elsewhere = write(tmp_path / "far.tif", ones, west=WEST + 90_000)
    assert "does not overlap the patches" in refused(tmp_path, [images], reference=elsewhere)
    strip = np.zeros((1, HEIGHT, WIDTH), np.uint8)
    strip[..., WIDTH // 32 * 32 :] = 1  # east of the last patch
    beside = write(tmp_path / "beside.tif", strip)
    assert "does not overlap the patches" in refused(tmp_path, [images], reference=beside)
    one = {"reference": tmp_path / "reference.tif", "classes": ["One", ""]}
    assert "classes" in refused(tmp_path, [images], **one | {"reference": None})


def test_the_labelled_share_is_told(images, tmp_path):
    half = np.ones((1, HEIGHT, 64), np.uint8)  # of four patches of 32 pixels, side by side
    reference = write(tmp_path / "half.tif", half)
    result = import_area(tmp_path / "root", [images], reference=reference, size=32)
    assert "the reference labels 50% of the pixels" in result.notices


def test_an_offset_is_told_by_the_name_of_a_product(tmp_path):
    def notices_of(product, **units):
        name = f"S2A_MSIL2A_20230105T104031_{product}_R008"
        pixels = scene() + 1000 if product == "N0400" else scene()
        source = write(tmp_path / product / name / "S2_20230105.tif", pixels, S2_BANDS)
        root = tmp_path / f"{product}{len(units)}"
        return " ".join(import_area(root, [source], size=32, units=InputUnits(**units)).notices)

    assert "an offset of -1000 is applied" in notices_of("N0400")
    assert "offset" not in notices_of("N0301")
    assert "your scale and offset of -100 count instead" in notices_of("N0510", s2_offset=-100)


def test_decibels_that_are_resampled_are_told(tmp_path):
    stored = (10 * np.log10(radar())).astype(np.float32)
    source = write(tmp_path / "S1_20230105.tif", stored, ["VV", "VH"], res=20)
    result = import_area(tmp_path / "root", [source], size=32, units=InputUnits(s1="db"))
    assert any("of them holds db and is resampled as stored" in line for line in result.notices)


@pytest.mark.fault("import into a folder that holds something -> refused, nothing touched")
def test_nothing_is_overwritten(images, tmp_path):
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "mine").write_text("")
    with pytest.raises(ImportAreaError, match="is not empty"):
        import_area(tmp_path / "root", [images], size=32)
    assert [p.name for p in (tmp_path / "root").iterdir()] == ["mine"]


@pytest.mark.fault("a full disk while importing -> one line, no half root")
def test_a_full_disk_leaves_no_half_root(images, tmp_path, monkeypatch):
    write_bytes = Path.write_bytes
    calls = []

    def full(path, content):
        calls.append(path)
        if len(calls) > 20:
            raise OSError(28, "No space left on device")
        return write_bytes(path, content)

    monkeypatch.setattr(Path, "write_bytes", full)
    assert "cannot be written (No space left on device): nothing was imported" in refused(
        tmp_path, [images]
    )


@pytest.mark.fault("two imports into one root at once -> the second is refused")
def test_two_imports_at_once(images, tmp_path):
    busy = ImportAreaError("held")
    other = pytest.raises(ImportAreaError, match="another import")
    with locked(tmp_path / ".root.lock", busy), other:
        import_area(tmp_path / "root", [images], size=32)
    assert import_area(tmp_path / "root", [images], size=32).patches == 12


@pytest.mark.slow
@pytest.mark.fault("kill -9 while importing -> no half root, the next import starts anew")
def test_a_killed_import_leaves_no_root(images, tmp_path):
    code = (
        "import os, pathlib, sys; from multisenge_lib.area import import_area\n"
        "whole, calls = pathlib.Path.write_bytes, []\n"
        "def write(path, content):\n"
        "    calls.append(1)\n"
        "    return os.kill(os.getpid(), 9) if len(calls) > 20 else whole(path, content)\n"
        "pathlib.Path.write_bytes = write\n"
        "import_area(sys.argv[1], [sys.argv[2]], size=32)"
    )
    ended = subprocess.run([sys.executable, "-c", code, str(tmp_path / "root"), str(images)])
    assert ended.returncode == -9 and not (tmp_path / "root").exists()
    result = import_area(tmp_path / "root", [images], size=32)
    assert result.patches == 12 and not list(tmp_path.glob(".root*"))


@pytest.mark.fault("sources that are missing, empty or no images -> one line")
def test_hostile_sources_are_one_line(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "S2_20230105.tif").write_text("no raster")
    (tmp_path / "cube.nc").write_bytes(b"no cube")
    assert "does not exist" in refused(tmp_path, [tmp_path / "none.tif"])
    assert "holds no raster" in refused(tmp_path, [tmp_path / "empty"])
    assert "cannot be read as a raster" in refused(tmp_path, [tmp_path / "S2_20230105.tif"])
    source = write(tmp_path / "S2_20230106.tif", scene(), S2_BANDS, crs=None)
    assert "names no projection" in refused(tmp_path, [source])


def cube():
    """An xarray Dataset of two dates, bands along a dimension."""
    times = np.array(["2022-12-03", "2023-01-05"], "datetime64[ns]")
    return pytest.importorskip("xarray").Dataset(
        {"reflectance": (("time", "band", "y", "x"), np.stack([scene(0), scene(1)]))},
        {
            "time": times,
            "band": list(S2_BANDS),
            "y": NORTH - 5 - 10.0 * np.arange(HEIGHT),
            "x": WEST + 5 + 10.0 * np.arange(WIDTH),
        },
    )


@pytest.mark.fault("a cube that is none, or without coordinates -> one line")
def test_hostile_cubes_are_one_line(tmp_path):
    pytest.importorskip("xarray")
    (tmp_path / "cube.nc").write_bytes(b"no cube")
    assert "cannot be read as a cube" in refused(tmp_path, [tmp_path / "cube.nc"])
    (tmp_path / "cube.nc").write_bytes(b"CDF" + bytes(100))
    assert "names no band" in refused(tmp_path, [tmp_path / "cube.nc"])
    uneven = cube().isel(x=[*range(40), *range(60, WIDTH)])
    assert "x has no even steps" in refused(tmp_path, [uneven], crs="EPSG:32719")
    orbits = cube().expand_dims(orbit=[1, 2])
    assert "they lie along orbit (2) too" in refused(tmp_path, [orbits], crs="EPSG:32719")


def test_cubes_of_xarray_with_bands_along_a_dimension(tmp_path):
    with pytest.raises(ImportAreaError, match="--crs"):
        find_images([cube()], {})
    result = import_area(tmp_path / "a", [cube()], size=96, crs="EPSG:32719")
    south_up = cube().isel(y=slice(None, None, -1))
    again = import_area(tmp_path / "b", [south_up], size=96, crs="EPSG:32719")
    for file in sorted((result.root / "s2").iterdir()):
        assert (again.root / "s2" / file.name).read_bytes() == file.read_bytes()


def test_a_zarr_is_read_like_the_cube_in_memory(tmp_path):
    pytest.importorskip("zarr")
    cube().to_zarr(tmp_path / "cube.zarr", zarr_format=2)
    stored = import_area(tmp_path / "a", [tmp_path / "cube.zarr"], size=32, crs="EPSG:32719")
    result = import_area(tmp_path / "b", [cube()], size=32, crs="EPSG:32719")
    assert stored.patches == result.patches == 12
    for file in sorted((result.root / "s2").iterdir()):
        assert (stored.root / "s2" / file.name).read_bytes() == file.read_bytes()


@pytest.mark.parametrize(("height", "width", "touch"), [(200, 260, True), (384, 512, False)])
def test_blocks_that_touch_are_told(tmp_path, height, width, touch):
    images = [write(tmp_path / f"S2_{DAYS[0]}.tif", scene(0, height, width), S2_BANDS)]
    classes = np.ones((1, height, width), np.uint8)
    reference = write(tmp_path / "reference.tif", classes)
    result = import_area(tmp_path / "root", images, reference=reference, size=32)
    assert (result.dataset.blocks.distance == 0) == touch
    assert any("keep no distance" in line for line in result.notices) == touch


def test_two_cubes_are_taken_each_with_its_ground(tmp_path):
    both = [cube().isel(time=[i], x=slice(20 * i, None)) for i in range(2)]
    result = import_area(tmp_path / "root", both, size=96, crs="EPSG:32719")
    assert "s2 of 2023-01-05: 21% of the pixels are no data" in result.notices
    (row,) = load_selection(result.root, months=[12]).itertuples()
    patch = read_patch(result.root, row, reference=False)
    np.testing.assert_array_equal(patch.s2[0], np.moveaxis(scene(0)[:, :96, :96], 0, -1))


# odc-geo calls what shapely 2.1 deprecates.
@pytest.mark.filterwarnings("ignore:The 'shapely.ops.transform:DeprecationWarning")
def test_what_odc_stac_loads_is_a_cube(tmp_path):
    pystac = pytest.importorskip("pystac")
    stac = pytest.importorskip("odc.stac")
    item = pystac.Item("a", None, None, datetime(2022, 12, 3), {})
    item.ext.add("proj")
    place = [10, 0, WEST, 0, -10, NORTH]
    item.ext.proj.apply(code="EPSG:32719", shape=[HEIGHT, WIDTH], transform=place)
    for i, name in enumerate(S2_BANDS):
        path = write(tmp_path / "in" / f"{name}.tif", scene(0)[[i]])
        item.add_asset(name, pystac.Asset(str(path), media_type=pystac.MediaType.COG))
    result = import_area(tmp_path / "root", [stac.load([item])], size=96)
    (row,) = load_selection(result.root, months=[12]).itertuples()
    patch = read_patch(result.root, row, reference=False)
    np.testing.assert_array_equal(patch.s2[0], np.moveaxis(scene(0)[:, :96, :96], 0, -1))


def test_the_real_village(tmp_path):
    pytest.importorskip("xarray")
    assert "--s1-unit" in refused(tmp_path, [VILLAGE])
    result = import_area(tmp_path / "root", [VILLAGE], size=32, units=InputUnits(s1="dn"))
    assert result.patches == 9 and result.dataset.tiles == ("31UFS",)
    assert result.dataset.months == (11, 2, 3, 4, 5, 6, 7, 8, 9, 10)
    assert "s2 of 2020-12-01 is no data everywhere and is left out" in result.notices
    report = check_root(result.root)
    assert not report.problems and not report.notes
    assert "89 speak for the spectral order" in report.evidence["Band order"]


@pytest.mark.slow
def test_an_area_of_nine_bands_and_its_own_months_trains_and_is_mapped(tmp_path, monkeypatch):
    from networks import no_unet

    from multisenge_lib.maps import predict_root
    from multisenge_lib.training import settings_for, train

    no_unet(monkeypatch)
    monkeypatch.setenv("MULTISENGE_CACHE", str(tmp_path / "cache"))
    nine = [S2_BANDS.index(band) for band in S2_BANDS if band != "B8A"]
    for i, day in enumerate(DAYS):
        names = [S2_BANDS[band] for band in nine]
        write(tmp_path / "in" / f"S2_{day}.tif", scene(i, 200, 260)[nine], names)
        write(tmp_path / "in" / f"S1_{day}.tif", radar(i, 200, 260), ["VV", "VH"])
    rng = np.random.Generator(np.random.PCG64(0))
    classes = rng.integers(1, 15, (1, 200, 260), dtype=np.uint8)
    reference = write(tmp_path / "reference.tif", classes)
    result = import_area(tmp_path / "root", [tmp_path / "in"], reference=reference, size=32)
    settings = settings_for(result.root, epochs=1, batch_size=4)
    run = train("inception_10c", settings, result.root, progress=False)
    assert [value.shape[-1] for value in run.model.inputs] == [2, 9]
    assert run.record.metadata.dataset == "root"
    (drawn,) = predict_root(run.folder / "model.keras", result.root, tmp_path / "maps")
    with rasterio.open(drawn) as source:
        ids = source.read(1)
    assert (ids > 0).sum() == 32 * 32 * len(load_selection(result.root)) and ids.max() <= 10


def test_real_backscatter_is_told_from_amplitude_and_from_swapped_bands():
    xarray = pytest.importorskip("xarray")
    village = xarray.open_dataset(VILLAGE)
    stored = np.stack([village[f"S1-SIGMA0-{band}"].values for band in S1_BANDS])
    linear = stored.astype(np.float64) ** 2 * 10**-8.3
    for month in range(linear.shape[1]):
        image = linear[:, month]
        assert amplitude_problem(image, S1_BANDS) is None
        assert implausible_image(image, "s1", S1_BANDS) == []
        assert amplitude_problem(np.sqrt(image), S1_BANDS) is not None
        assert "swapped" in implausible_image(image[::-1], "s1", S1_BANDS)[0]


def dated(folder, sensor, *days):
    for day in days:
        if sensor == "s2":
            write(folder / f"S2_{day}.tif", scene(1, 64, 64), S2_BANDS)
        else:
            write(folder / f"S1_{day}.tif", radar(1, 64, 64), S1_BANDS)
    return folder


def imported(tmp_path):
    """The import of the images in a folder `in`, in patches of 32 pixels."""
    return import_area(tmp_path / "root", tmp_path / "in", size=32, units=InputUnits(s1="linear"))


def test_images_a_few_days_apart_get_no_days_gap(tmp_path):
    dated(tmp_path / "in", "s2", "20220720", "20220802")
    result = imported(tmp_path)
    assert result.dataset.days_gap == 0
    assert "images of one month and the next are less than 17 days apart" in result.notices[-1]
    assert len(load_selection(result.root)) == 4


def test_a_month_without_images_of_one_sensor_is_left_out(tmp_path):
    dated(tmp_path / "in", "s2", "20220720", "20220820", "20220915")
    dated(tmp_path / "in", "s1", "20220721", "20220919", "20221005")
    result = imported(tmp_path)
    assert result.dataset.months == (7, 9)
    of_s1, of_s2 = result.notices[-2:]
    assert of_s1.startswith("s1 has images of month 10, which dataset.toml leaves out: ")
    assert of_s2.startswith("s2 has images of month 8, which dataset.toml leaves out: ")
    assert len(load_selection(result.root)) == 4


@pytest.mark.fault("import: the sensors' images are of different years -> said at once")
def test_sensors_of_different_years(tmp_path):
    dated(tmp_path / "in", "s2", "20220720", "20220820")
    dated(tmp_path / "in", "s1", "20210720", "20210820")
    result = imported(tmp_path)
    assert result.dataset.months == (7, 8)
    assert result.notices[-1].startswith("no patch is selected; no patch has")
    (problem,) = check_root(result.root).problems
    assert "no patch has Sentinel-1 images of the same months and years" in problem.problem
