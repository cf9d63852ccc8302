"""Units, no data and patches, on values worked by hand."""

import numpy as np
import pytest
import rasterio
from own_images import GREEN, NORTH, WEST, pixel_of, radar, refused, scene, write

from multisenge_lib.area import InputUnits, import_area
from multisenge_lib.dataset import S2_BANDS


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
