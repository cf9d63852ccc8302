"""Units, no data and patches, on values worked by hand."""

import json

import numpy as np
import pytest
import rasterio
from own_images import GREEN, NORTH, WEST, pixel_of, radar, refused, scene, write

from multisenge_lib.area import InputUnits, import_area
from multisenge_lib.area.cutting import AcquisitionSummary, PatchWriter, days_by_sensor
from multisenge_lib.area.sources import find_images
from multisenge_lib.area.target_grid import find_target_grid
from multisenge_lib.dataset import REFERENCE, S1_BANDS, S2_BANDS


def flat(add=0, dtype=np.uint16, height=64, width=64):
    pixels = np.broadcast_to(GREEN[:, None, None], (len(GREEN), height, width))
    return (pixels + add).astype(dtype)


def test_the_offset_is_added_before_the_scale(tmp_path):
    stored = (flat() / 10_000 + 0.1).astype(np.float32)
    path = write(tmp_path / "S2_20230105.tif", stored, S2_BANDS)
    units = InputUnits(s2_scale=10_000, s2_offset=-0.1)
    imported = import_area(tmp_path / "root", [path], size=64, units=units)
    assert pixel_of(imported.root, "s2", "20230105").tolist() == GREEN.tolist()


def test_one_dark_band_is_no_missing_pixel(tmp_path):
    pixels = flat()
    pixels[2] = 0
    path = write(tmp_path / "S2_20230105.tif", pixels, S2_BANDS)
    imported = import_area(tmp_path / "root", [path], size=64)
    expected = GREEN.copy()
    expected[2] = 1  # 0 would say that there is no data
    assert pixel_of(imported.root, "s2", "20230105").tolist() == expected.tolist()


def test_one_polarisation_without_data_is_a_missing_pixel(tmp_path):
    pixels = radar(0, 64, 64)
    pixels[1, :, 20:] = 0
    path = write(tmp_path / "S1_20230105.tif", pixels, ["VV", "VH"])
    imported = import_area(tmp_path / "root", [path], size=32)
    assert not pixel_of(imported.root, "s1", "20230105", column=20).any()
    assert pixel_of(imported.root, "s1", "20230105", column=19).all()


@pytest.mark.parametrize(("shift", "resampled"), [(0, False), (0.005, False), (4, True)])
def test_what_counts_as_lying_on_the_grid(tmp_path, shift, resampled):
    path = write(tmp_path / "S2_20230105.tif", scene(), S2_BANDS, west=WEST + shift)
    imported = import_area(tmp_path / "root", [path], size=32)
    assert any("another grid" in notice for notice in imported.notices) == resampled
    unchanged = pixel_of(imported.root, "s2", "20230105").tolist() == scene()[:, 0, 0].tolist()
    assert unchanged != resampled


def test_fill_replaces_no_band_that_is_there(tmp_path):
    path = write(tmp_path / "S2_20230105.tif", flat(), S2_BANDS)
    imported = import_area(tmp_path / "root", [path], size=64, fill={"B8A": "B8"})
    assert pixel_of(imported.root, "s2", "20230105").tolist() == GREEN.tolist()
    assert not any("is filled" in notice for notice in imported.notices)


def test_finer_pixels_are_averaged(tmp_path):
    fine = np.repeat(np.repeat(flat(height=32, width=32), 2, axis=1), 2, axis=2)
    fine[:, ::2, ::2] += 40  # one of the four 5 m pixels of each 10 m pixel
    path = write(tmp_path / "S2_20230105.tif", fine, S2_BANDS, res=5.0)
    imported = import_area(tmp_path / "root", [path], size=32)
    assert pixel_of(imported.root, "s2", "20230105").tolist() == (GREEN + 10).tolist()


def test_exactly_half_of_a_patch_is_enough(tmp_path):
    for is_half, day in ((True, "20230105"), (False, "20230202")):
        pixels = scene(0, 32, 64)
        pixels[:, :, 16:32] = 0
        if not is_half:
            pixels[:, 0, 0] = 0
        write(tmp_path / "in" / f"S2_{day}.tif", pixels, S2_BANDS)
    imported = import_area(tmp_path / "root", [tmp_path / "in"], size=32)
    days = sorted(path.name.split("_")[1] for path in (imported.root / "s2").iterdir())
    assert days == ["20230105", "20230105", "20230202"]


def test_patches_lie_where_their_names_say(tmp_path):
    path = write(tmp_path / "S2_20230105.tif", scene(), S2_BANDS)
    imported = import_area(tmp_path / "root", [path], size=32)
    for file in (imported.root / "s2").iterdir():
        with rasterio.open(file) as raster:
            column = round((raster.transform.c - WEST) / 10)
            row = round((NORTH - raster.transform.f) / 10)
            part = scene()[:, row : row + 32, column : column + 32]
            np.testing.assert_array_equal(raster.read(), part)


def test_decibels_are_told_by_the_whole_image(tmp_path):
    """The rows of the second patch hold one bright pixel alone, and nothing below 0 dB."""
    decibels = 10 * np.log10(radar(0, 64, 32))
    decibels[:, 32:] = np.nan
    decibels[:, 40, 3] = 1
    path = write(tmp_path / "S1_20230105.tif", decibels, ["VV", "VH"])
    imported = import_area(tmp_path / "root", [path], size=32, units=InputUnits(s1="db"))
    assert imported.patches == 1
    truth = radar(0, 64, 32)[:, 0, 0]
    np.testing.assert_allclose(pixel_of(imported.root, "s1", "20230105"), truth, rtol=1e-5)


@pytest.mark.fault("digital numbers of Sentinel-1 as they are delivered -> the unit is asked for")
def test_digital_numbers_are_asked_for(tmp_path):
    numbers = np.rint(10 ** ((10 * np.log10(radar()) + 83) / 20)).astype(np.uint16)
    path = write(tmp_path / "S1_20230105.tif", numbers, ["VV", "VH"])
    assert "--s1-unit db, linear, or dn" in refused(tmp_path, [path])


@pytest.mark.fault("radar whose first row of patches holds no data -> the others are cut")
def test_a_row_of_patches_without_data(tmp_path):
    pixels = radar(0, 64, 32)
    pixels[:, :32] = 0
    path = write(tmp_path / "S1_20230105.tif", pixels, ["VV", "VH"])
    imported = import_area(tmp_path / "root", [path], size=32)
    assert imported.patches == 1
    np.testing.assert_array_equal(pixel_of(imported.root, "s1", "20230105"), pixels[:, 32, 0])


@pytest.mark.fault("no-data value that the type cannot hold -> 0 is mixed into no neighbour")
def test_no_data_outside_the_type(tmp_path):
    pixels = flat(height=32, width=32)
    pixels[:, :, 20:] = 0
    path = write(tmp_path / "S2_20230105.tif", pixels, S2_BANDS, res=20)
    units = InputUnits(no_data=-9999)
    imported = import_area(tmp_path / "root", [path], size=64, units=units)
    with rasterio.open(next((imported.root / "s2").iterdir())) as raster:
        written = raster.read()
    observed = written[:, written.any(axis=0)]
    assert np.unique(observed, axis=1).T.tolist() == [GREEN.tolist()]


def cut(folder, *paths, bands=S2_BANDS, units=None):
    """Cut files of one date into patches of 32 pixels; the writer, and what cutting showed."""
    acquisitions = find_images(paths, {}).acquisitions
    grid, _ = find_target_grid(acquisitions)
    folder.mkdir()
    writer = PatchWriter(folder, grid, 32, units or InputUnits())
    return writer, writer.write_acquisition(acquisitions[0], bands)


@pytest.mark.parametrize(
    ("missing", "empty_bands", "all_empty", "notices"),
    [
        (0, [], False, []),
        (0.004, [], False, []),
        (0.006, [], False, ["s2: 1% of the pixels are no data"]),
        (0.3, ["B2"], False, ["s2: 30% of the pixels are no data"]),
        (1, [], False, ["s2 is no data everywhere and is left out"]),
        (1, ["B2", "B3"], False, ["s2 is left out: B2, B3 holds no data anywhere"]),
        (1, ["B2", "B3"], True, ["s2 is no data everywhere and is left out"]),
    ],
)
def test_what_is_said_of_missing_pixels(missing, empty_bands, all_empty, notices):
    assert AcquisitionSummary(missing, empty_bands, all_empty).notices("s2") == notices


def test_the_missing_share_is_that_of_the_pixels_in_patches(tmp_path):
    """Two patches beside each other in two rows; six columns and five rows fill none."""
    pixels = scene(0, 69, 70)
    pixels[:, :32, :16] = 0
    pixels[:, :, 64:] = 0
    pixels[:, 64:] = 0
    _, summary = cut(tmp_path / "root", write(tmp_path / "S2_20230105.tif", pixels, S2_BANDS))
    assert summary.missing == 0.125
    assert summary.empty_bands == [] and not summary.all_empty


def test_a_band_that_is_empty_in_all_rows_is_named(tmp_path):
    pixels = scene(0, 64, 32)
    pixels[4] = 65_535
    pixels[3, :32] = 65_535  # of this one only the first row of patches
    pixels[5, 32:] = 65_535
    path = write(tmp_path / "S2_20230105.tif", pixels, S2_BANDS, nodata=65_535)
    _, summary = cut(tmp_path / "root", path)
    assert (summary.missing, summary.empty_bands, summary.all_empty) == (1, [S2_BANDS[4]], False)


@pytest.mark.parametrize(("scale", "is_overruled"), [(None, False), (1, True)])
def test_every_file_with_tags_is_named(tmp_path, scale, is_overruled):
    """Two files beside each other, of which the second alone has tags."""
    paths = []
    for number, offset in enumerate([0.0, -0.001]):
        path = tmp_path / f"S2_20230105-{number}.tif"
        paths.append(write(path, scene(0, 32, 32), S2_BANDS, west=WEST + 320 * number))
        with rasterio.open(path, "r+") as raster:
            raster.scales = [1e-4 if number else 1.0] * 10
            raster.offsets = [offset] * 10
    _, summary = cut(tmp_path / "root", *paths, units=InputUnits(s2_scale=scale))
    named = [str(paths[1])] * 10
    assert (summary.tagged, summary.overruled) == (([], named) if is_overruled else (named, []))


def test_what_the_user_says_of_reflectance_overrules_no_tags_of_radar(tmp_path):
    decibels = np.rint(1000 * np.log10(radar(0, 32, 32))).astype(np.int16)  # dB x 100
    path = write(tmp_path / "S1_20230105.tif", decibels, S1_BANDS)
    with rasterio.open(path, "r+") as raster:
        raster.scales = [0.01] * 2
    units = InputUnits(s1="db", s2_scale=10_000)
    _, summary = cut(tmp_path / "root", path, bands=S1_BANDS, units=units)
    assert (summary.tagged, summary.overruled) == ([str(path)] * 2, [])


def test_patches_of_which_less_than_half_is_seen_are_counted(tmp_path):
    """Of four patches one is whole, one shows a third of its pixels, one a single one, one none."""
    pixels = scene(0, 64, 64)
    pixels[:, :32, 42:] = 0
    pixels[:, 32:] = 0
    pixels[:, 40, 3] = GREEN
    writer, _ = cut(tmp_path / "root", write(tmp_path / "S2_20230105.tif", pixels, S2_BANDS))
    assert len(writer.dates) == 1 and writer.too_little_data == 2


def test_the_reference_of_patches_with_an_image(tmp_path):
    """The second of two patches has no image; a third of the first has no class."""
    pixels = scene(0, 32, 64)
    pixels[:, :, 32:] = 0
    pixels[:, 0, 63] = GREEN  # so that the grid has both
    path = write(tmp_path / "S2_20230105.tif", pixels, S2_BANDS)
    ids = np.full((1, 32, 64), 3, np.uint8)
    ids[:, :, :10] = 0
    ids[:, 4, 20] = 1
    reference = write(tmp_path / "reference.tif", ids)
    imported = import_area(tmp_path / "root", [path], reference=reference, size=32)
    (file,) = (imported.root / REFERENCE).iterdir()
    with rasterio.open(file) as raster:
        assert raster.nodata == 0
        np.testing.assert_array_equal(raster.read(), ids[:, :, :32])
    (label,) = (imported.root / "labels").iterdir()
    assert json.loads(label.read_text())["labels"] == "1;3"


def test_dates_are_listed_by_sensor(tmp_path):
    for day in ("20230105", "20230202"):
        write(tmp_path / f"S2_{day}.tif", flat(), S2_BANDS)
    acquisitions = find_images([tmp_path], {}).acquisitions
    days = [np.datetime64("2023-01-05"), np.datetime64("2023-02-02")]
    assert days_by_sensor(acquisitions, ["s2"]) == {"s2": days}
