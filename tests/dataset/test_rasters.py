"""Patches written here in the published layout, whole and then damaged one by one."""

import os
from dataclasses import replace
from types import SimpleNamespace

import labels
import numpy as np
import pandas as pd
import pytest
import rasterio
from affine import Affine
from rasters import write_raster as write

from multisenge_lib.dataset.bands import band_of, guess_band_order
from multisenge_lib.dataset.layout import BAND_ORDERS, MULTISENGE, S2_BANDS, raster_path
from multisenge_lib.dataset.raster_checks import origin_of_patch
from multisenge_lib.dataset.rasters import inspect_raster, read_patch, read_raster
from multisenge_lib.errors import BandOrderError, PatchError

PATCH = "31UEQ_7453_4112"
SIZE = 16
DAYS = np.array(["2020-07-07", "2020-08-06"], dtype="datetime64[D]")
ROW = SimpleNamespace(patch=PATCH, s1_dates=DAYS, s2_dates=DAYS)
#: Vegetation in the spectral order (facts: mean reflectances of cropland in July).
VEGETATION = np.array([660, 936, 916, 1437, 2620, 3090, 3226, 3300, 2423, 1650])


def spectra(order="spectral"):
    values = dict(zip(S2_BANDS, VEGETATION, strict=True))
    column = np.array([values[band] for band in BAND_ORDERS[order]], dtype=np.uint16)
    return np.broadcast_to(column[:, None, None], (10, SIZE, SIZE)).copy()


@pytest.fixture
def root(tmp_path):
    labels.write(tmp_path / "labels", PATCH)
    write(raster_path(tmp_path, "reference", PATCH), np.full((1, SIZE, SIZE), 6, np.uint8))
    for i, day in enumerate(DAYS):
        s1 = np.stack([np.full((SIZE, SIZE), 0.1 + i), np.full((SIZE, SIZE), 0.02)])
        write(raster_path(tmp_path, "s1", PATCH, day), s1.astype(np.float32))
        write(raster_path(tmp_path, "s2", PATCH, day), spectra() + i, S2_BANDS)
    return tmp_path


def refused(root, row=ROW, **options):
    with pytest.raises(PatchError) as caught:
        read_patch(root, row, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_shapes_units_and_order_of_dates(root):
    patch = read_patch(root, ROW)
    assert patch.s1.shape == (2, SIZE, SIZE, 2) and patch.s1.dtype == np.float32
    assert patch.s2.shape == (2, SIZE, SIZE, 10) and patch.s2.dtype == np.uint16
    assert patch.reference.shape == (SIZE, SIZE) and patch.reference.dtype == np.uint8
    np.testing.assert_array_equal(patch.s2[1, 0, 0], VEGETATION + 1)
    np.testing.assert_allclose(patch.s1[:, 0, 0, 0], [0.1, 1.1], rtol=1e-6)


def test_reads_only_the_sensors_asked_for(root):
    for path in (root / "s1").iterdir():
        path.unlink()
    patch = read_patch(root, ROW, sensors=("s2",))
    assert patch.s1 is None and patch.s2 is not None


@pytest.mark.parametrize("order", list(BAND_ORDERS))
@pytest.mark.parametrize("style", ["B{}", "B0{}"])
def test_band_names_win_over_the_assumption(root, order, style):
    names = [style.format(b[1:]) if len(b) == 2 else b for b in BAND_ORDERS[order]]
    for day in DAYS:
        write(raster_path(root, "s2", PATCH, day), spectra(order), names)
    np.testing.assert_array_equal(read_patch(root, ROW).s2[0, 0, 0], VEGETATION)


def test_an_unnamed_order_is_read_as_told_and_checked_on_vegetation(root):
    for day in DAYS:
        write(raster_path(root, "s2", PATCH, day), spectra("resolution"))
    assert "give band_order='resolution'" in refused(root)
    patch = read_patch(root, ROW, band_order="resolution")
    np.testing.assert_array_equal(patch.s2[0, 0, 0], VEGETATION)
    assert "band order 'wavelength'" in refused(root, band_order="wavelength")


def test_band_order_is_not_guessed_without_vegetation():
    water = np.full((SIZE, SIZE, 10), 1000, np.uint16)
    assert guess_band_order(water) is None
    for order in BAND_ORDERS:
        assert guess_band_order(np.moveaxis(spectra(order), 0, -1)) == order


def test_negative_sentinel2_values_are_no_data(root):
    signed = spectra().astype(np.int16)
    signed[:, 0, 0] = -10000
    write(raster_path(root, "s2", PATCH, DAYS[0]), signed, S2_BANDS)
    s2 = read_patch(root, ROW).s2
    assert (s2[0, 0, 0] == 0).all()
    np.testing.assert_array_equal(s2[0, 1, 1], VEGETATION)


def test_band_names_are_read_in_many_spellings():
    assert [band_of(n, "s2") for n in ("B02", "S2-L2A-B8A", "nir", "b11 (1610 nm)", "SRE_B12")] == [
        "B2",
        "B8A",
        "B8",
        "B11",
        "B12",
    ]
    assert [band_of(n, "s1") for n in ("VH", "S1-SIGMA0-VV", "gamma0_vv")] == ["VH", "VV", "VV"]
    assert [band_of(n, "s2") for n in (None, "", "Band 1", "class")] == [None] * 4
    # Ratios are neither of their bands.
    assert [band_of(n, "s1") for n in ("Sigma0_VH_div_VV", "VH/VV", "VV-VV")] == [None, None, "VV"]
    assert band_of("B8_B4_ratio", "s2") is None


def test_sentinel1_bands_are_read_by_name(root):
    swapped = np.stack([np.full((SIZE, SIZE), 0.02), np.full((SIZE, SIZE), 0.1)])
    write(raster_path(root, "s1", PATCH, DAYS[0]), swapped.astype(np.float32), ["VH", "VV"])
    np.testing.assert_allclose(read_patch(root, ROW).s1[0, 0, 0], [0.1, 0.02], rtol=1e-6)


def test_what_the_tag_calls_no_data_becomes_zero(root):
    s2 = spectra()
    s1 = np.full((2, SIZE, SIZE), 0.1, np.float32)
    reference = np.full((1, SIZE, SIZE), 6, np.uint8)
    s2[:, 0, 0] = 65535
    s1[:, 0, 0] = np.nan
    reference[:, 0, 0] = 255
    write(raster_path(root, "s2", PATCH, DAYS[0]), s2, S2_BANDS, nodata=65535)
    write(raster_path(root, "s1", PATCH, DAYS[0]), s1, nodata=np.nan)
    write(raster_path(root, "reference", PATCH), reference, nodata=255)
    patch = read_patch(root, ROW)
    assert not patch.s2[0, 0, 0].any() and not patch.s1[0, 0, 0].any() and not patch.reference[0, 0]
    np.testing.assert_array_equal(patch.s2[0, 1, 1], VEGETATION)


def test_without_the_reference(root):
    raster_path(root, "reference", PATCH).unlink()
    assert read_patch(root, ROW, reference=False).reference is None


def s1(value, shape=(2, SIZE, SIZE), dtype=np.float32):
    return np.full(shape, value, dtype)


def class_ids(value, dtype=np.uint8):
    return np.full((1, SIZE, SIZE), value, dtype)


def holed(data, value):
    data[-1, 3, 4] = value
    return data


def moved(east=0.0, south=0.0, across=10.0, down=-10.0, turn=0.0):
    """The place of the patch's rasters, moved, scaled or turned."""
    return {"transform": lambda at: Affine(across, turn, at.c + east, turn, down, at.f - south)}


#: What is done, to which raster; what it then holds, its bands' names and place; what is said.
BAD = [
    ("a missing band", "s2", spectra()[:4], (), {}, "has 4 bands"),
    ("reflectance from 0 to 1", "s2", spectra().astype(np.float32) / 1e4, (), {}, "is float32"),
    ("a complex reference", "reference", class_ids(6, np.complex64), (), {}, "is complex64"),
    ("NaN", "s1", holed(s1(0.1), np.nan), (), {}, "NaN"),
    ("float64 beyond float32", "s1", holed(s1(0.1, dtype=float), 1e300), (), {}, "infinite"),
    ("decibel", "s1", s1(-11), (), {}, "10 ** (value / 10)"),
    ("decibel + 83", "s1", s1(72), (), {}, "decibel with an offset"),
    ("digital numbers", "s1", s1(4000), (), {}, "digital numbers"),
    ("no data everywhere", "s1", s1(0), (), {}, "no data in every pixel"),
    ("no data everywhere", "s2", 0 * spectra(), (), {}, "no data in every pixel"),
    ("tagged no data everywhere", "s2", spectra() * 0 + 9, (), {"nodata": 9}, "no data in every"),
    ("65535 without a tag", "s2", holed(spectra(), 65535), S2_BANDS, {}, "holds 65535"),
    ("an unknown class", "reference", class_ids(99), (), {}, "from 99 to 99"),
    ("a negative class", "reference", class_ids(-1, np.int16), (), {}, "from -1 to -1"),
    ("a class of 3.7", "reference", class_ids(3.7, np.float32), (), {}, "holds 3.7"),
    ("not square", "s1", s1(0.1, (2, SIZE, SIZE // 2)), (), {}, "16x8 pixels"),
    ("another size", "s1", s1(0.1, (2, 8, 8)), (), {}, "8x8 pixels"),
    ("another zone", "s2", spectra(), (), {"crs": "EPSG:32632"}, "lies in EPSG:32632"),
    ("degrees", "s1", s1(0.1), (), {"crs": "EPSG:4326"}, "lies in EPSG:4326"),
    ("no projection", "s1", s1(0.1), (), {"crs": None}, "names no projection"),
    ("200 km away", "reference", class_ids(6), (), moved(east=2e5), "its name says"),
    ("one pixel off the others", "s1", s1(0.1), (), moved(east=10), "10 m east and 0 m south"),
    ("half a pixel off", "s2", spectra(), S2_BANDS, moved(south=5), "0 m east and 5 m south"),
    ("pixels of 20 m", "s1", s1(0.1), (), moved(across=20, down=-20), "pixels of 20x20 m"),
    ("south up", "s1", s1(0.1), (), moved(down=10), "not north-up"),
    ("mirrored", "s1", s1(0.1), (), moved(across=-10), "not north-up"),
    ("turned", "s1", s1(0.1), (), moved(turn=1), "not north-up"),
]


def place_of(path):
    import rasterio

    with rasterio.open(path) as source:
        return source.transform


@pytest.mark.fault("a raster of a patch is not of the layout -> refused by name, in one line")
@pytest.mark.parametrize(
    "kind,data,names,place,words", [b[1:] for b in BAD], ids=[b[0] for b in BAD]
)
def test_a_wrong_raster_is_refused_by_name(root, kind, data, names, place, words):
    path = raster_path(root, kind, PATCH, None if kind == "reference" else DAYS[0])
    if callable(move := place.get("transform")):
        place = {"transform": move(place_of(path))}
    write(path, data, names, **place)
    message = refused(root)
    assert str(path) in message and words in message
    # What to do about this raster, and then about any.
    assert ": " in message.partition("; or fetch it again")[0]


@pytest.mark.fault("bands with names that contradict the layout -> a doubt about the dataset")
@pytest.mark.parametrize(
    "kind,names",
    [
        ("s1", ["HH", "HV"]),
        ("s1", ["VV", "VV"]),
        ("s1", ["VH", ""]),
        ("s2", [f"B{i}" for i in range(1, 11)]),
        ("s2", ["", "", "", "B8", *[""] * 6]),
        ("s2", [*S2_BANDS[:9], "B10"]),
        ("s2", ["red", "green", "blue", *[""] * 7]),
    ],
)
def test_names_that_contradict_the_layout_are_a_doubt(root, kind, names):
    write(raster_path(root, kind, PATCH, DAYS[0]), s1(0.1) if kind == "s1" else spectra(), names)
    with pytest.raises(BandOrderError, match="has the bands"):
        read_patch(root, ROW)


def missing(path):
    path.unlink()


def folder(path):
    path.unlink()
    path.mkdir()


def pipe(path):
    path.unlink()
    os.mkfifo(path)


def dangling(path):
    path.unlink()
    path.symlink_to(path.with_name("gone"))


def loop(path):
    path.unlink()
    path.symlink_to(path)


def empty(path):
    path.write_bytes(b"")


def text(path):
    path.write_text("<VRTDataset rasterXSize='16' rasterYSize='16'></VRTDataset>")


def truncated(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def header_alone(path):
    path.write_bytes(path.read_bytes()[:8])


@pytest.mark.fault("a raster that cannot be opened -> called what it is, in one line")
@pytest.mark.parametrize(
    "damage,words",
    [
        (missing, "is missing"),
        (folder, "is not a file"),
        (pipe, "is not a file"),
        (dangling, "is missing"),
        (loop, "cannot be reached (Too many levels of symbolic links)"),
        (empty, "is empty"),
        (text, "is not a GeoTIFF"),
        (truncated, "truncated or damaged"),
        (header_alone, "truncated or damaged"),
    ],
)
def test_a_file_that_cannot_be_opened_is_called_what_it_is(root, damage, words):
    path = raster_path(root, "s2", PATCH, DAYS[0])
    damage(path)
    message = refused(root)
    assert str(path) in message and words in message


@pytest.mark.fault("a raster of the sample is damaged or gone -> its folder, and no download")
@pytest.mark.parametrize(
    "change", [lambda path: path.write_bytes(b"II*"), lambda path: path.unlink()]
)
def test_the_sample_is_not_fetched(root, change):
    change(raster_path(root, "s2", PATCH, DAYS[0]))
    message = refused(root, dataset=replace(MULTISENGE, name="sample"))
    assert "delete the folder of the sample" in message and "fetch it" not in message


@pytest.mark.fault("a raster without permission -> said so, not called truncated")
def test_a_file_that_may_not_be_read_is_called_so(root, monkeypatch):
    from multisenge_lib.dataset import rasters

    def forbidden(*_, **__):
        raise PermissionError(13, "Permission denied")

    path = raster_path(root, "s2", PATCH, DAYS[0])
    path.write_bytes(b"")  # GDAL, run by root, would read it
    monkeypatch.setattr(rasters, "file_problem", lambda path: None)
    monkeypatch.setattr(type(path), "open", forbidden)
    assert "cannot be read (Permission denied)" in refused(root)


@pytest.mark.fault("one bit of a raster flipped -> read, or refused in one line; 300 trials")
def test_flipped_bits_never_end_in_a_traceback(root):
    path = raster_path(root, "s2", PATCH, DAYS[0])
    whole = path.read_bytes()
    rng = np.random.Generator(np.random.PCG64(1))
    for at in rng.integers(0, min(len(whole), 1500), 300):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << rng.integers(8)]) + whole[at + 1 :])
        try:
            read_raster(path, "s2", origin_of_patch(PATCH))
        except PatchError as error:
            assert "\n" not in str(error)


def test_a_selection_without_dates_of_a_sensor_is_refused(root):
    row = SimpleNamespace(patch=PATCH, s1_dates=DAYS[:0], s2_dates=DAYS)
    assert "no s1 date" in refused(root, row)
    assert read_patch(root, row, sensors=("s2",)).s1 is None


def test_a_name_or_a_sensor_as_text_is_refused_in_one_line(root):
    assert "is no row of a selection" in refused(root, PATCH)
    assert "give a list of names" in refused(root, sensors="s2")
    assert "sensor 's3'" in refused(root, sensors=["s3"])


def test_scale_and_offset_tags_are_applied(root):
    path = raster_path(root, "s2", PATCH, DAYS[0])
    write(path, spectra() + 1000, S2_BANDS)
    with rasterio.open(path, "r+") as target:
        target.scales = [0.0001] * 10
        target.offsets = [-0.1] * 10
    np.testing.assert_array_equal(read_patch(root, ROW).s2[0, 0, 0], VEGETATION)


def test_names_are_part_of_what_is_inspected(root):
    """Reading raises a doubt about the dataset; `check` must see the same in its list."""
    origin = origin_of_patch(PATCH)
    path = raster_path(root, "s1", PATCH, DAYS[0])
    write(path, s1(0.1), ["VV", "VV"])
    problems, _ = inspect_raster(path, "s1", origin)
    assert [problem[:24] for problem in problems] == ["has the bands VV, VV, s1"]

    path = raster_path(root, "s2", PATCH, DAYS[0])
    described = replace(MULTISENGE, bands={"s2": ("B2", "B3", "B8")})
    write(path, spectra()[:3], ["B2", "B3", "B4"])
    problems, _ = inspect_raster(path, "s2", origin, dataset=described)
    assert ["B2, B3, B4" in problem for problem in problems] == [True]
    right = replace(MULTISENGE, bands={"s2": ("B2", "B3", "B4")})
    assert inspect_raster(path, "s2", origin, dataset=right)[0] == []


def test_a_table_is_no_row():
    table = pd.DataFrame({"patch": ["31UEQ_0_0"], "s1_dates": [()], "s2_dates": [()]})
    with pytest.raises(PatchError, match="is no row of a selection"):
        read_patch("root", table)
