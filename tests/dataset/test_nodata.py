"""What "no data" means: by sensor, by tag, by mask; and that a dark band is not a missing pixel."""

import numpy as np
import pytest
import rasterio
from rasterio.enums import ColorInterp
from rasterio.errors import RasterioError
from rasters import write_raster

from multisenge_lib.dataset import nodata

PATCH_FILE = "31UEQ_20200707_S2_0_0.tif"


def s2_image():
    """One row of four pixels with three bands: whole, one dark band, all 0, not a number."""
    image = np.full((1, 4, 3), 500, np.float32)
    image[0, 1, 2] = 0
    image[0, 2] = 0
    image[0, 3] = np.nan
    return image


def test_one_dark_band_of_sentinel2_is_data():
    missing = nodata.missing_pixels(s2_image(), "s2")
    np.testing.assert_array_equal(missing, [[False, False, True, True]])


def test_one_missing_polarisation_of_sentinel1_is_no_data():
    image = np.array([[[0.1, 0.02], [0.1, 0.0], [0.0, 0.02], [0.0, 0.0]]], np.float32)
    missing = nodata.missing_pixels(image, "s1")
    np.testing.assert_array_equal(missing, [[False, True, True, True]])


def test_a_pixel_is_valid_where_every_date_of_every_sensor_has_data():
    s1 = np.full((2, 1, 3, 2), 0.1, np.float32)
    s2 = np.full((2, 1, 3, 3), 500, np.uint16)
    s1[1, 0, 0, 1] = 0  # VH of the second date
    s2[0, 0, 1] = 0  # all bands of the first date
    s2[1, 0, 2, 0] = 0  # one dark band
    np.testing.assert_array_equal(nodata.valid_mask({"s1": s1, "s2": s2}), [[False, False, True]])


@pytest.mark.parametrize("tag", [-10_000, 7, np.nan])
def test_a_tag_in_one_band_marks_the_whole_pixel(tag):
    pixels = np.full((2, 1, 3), 500, np.float32)
    pixels[1, 0, 2] = tag
    missing = nodata.marked_pixels(pixels, [tag, tag])
    np.testing.assert_array_equal(missing, [[False, False, True]])
    nodata.set_missing(pixels, missing)
    np.testing.assert_array_equal(pixels[:, 0], [[500, 500, 0], [500, 500, 0]])


def test_a_tag_of_zero_or_none_marks_nothing():
    pixels = np.zeros((2, 1, 3), np.uint16)
    assert nodata.marked_pixels(pixels, [0, None]) is None
    nodata.set_missing(pixels, None)


def test_each_band_has_its_own_tag():
    pixels = np.array([[[1, 2]], [[2, 1]]], np.uint16)
    np.testing.assert_array_equal(nodata.marked_pixels(pixels, [1, None]), [[True, False]])


def write_mask(path, hidden_pixel):
    """Add an internal mask that hides one pixel."""
    visible = np.full((4, 4), 255, np.uint8)
    visible[hidden_pixel] = 0
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(path, "r+") as target:
        target.write_mask(visible)


def test_an_internal_mask_hides_pixels(tmp_path):
    path = write_raster(tmp_path / PATCH_FILE, np.full((2, 4, 4), 500, np.uint16))
    write_mask(path, (0, 1))
    with rasterio.open(path) as source:
        hidden = nodata.masked_pixels(source)
        assert nodata.alpha_bands(source) == []
    assert hidden[0, 1] and np.count_nonzero(hidden) == 1


def write_with_alpha(path, names=()):
    pixels = np.full((3, 4, 4), 500, np.uint16)
    pixels[2] = 65535
    pixels[2, 1, 2] = 0
    write_raster(path, pixels, names)
    with rasterio.open(path, "r+") as target:
        target.colorinterp = [ColorInterp.gray, ColorInterp.undefined, ColorInterp.alpha]
    return path


def test_an_alpha_band_hides_pixels(tmp_path):
    path = write_with_alpha(tmp_path / PATCH_FILE)
    with rasterio.open(path) as source:
        assert nodata.alpha_bands(source) == [3]
        hidden = nodata.masked_pixels(source)
    assert hidden[1, 2] and np.count_nonzero(hidden) == 1


def test_a_band_with_a_name_is_not_taken_for_alpha(tmp_path):
    path = write_with_alpha(tmp_path / PATCH_FILE, ["B2", "B3", "B4"])
    with rasterio.open(path) as source:
        assert nodata.alpha_bands(source) == []
        assert nodata.masked_pixels(source) is None


def test_a_raster_without_mask_hides_nothing(tmp_path):
    path = write_raster(tmp_path / PATCH_FILE, np.full((2, 4, 4), 500, np.uint16), nodata=7)
    with rasterio.open(path) as source:
        assert nodata.masked_pixels(source) is None


def test_an_alpha_band_and_an_internal_mask_hide_together(tmp_path):
    path = write_with_alpha(tmp_path / PATCH_FILE)
    write_mask(path, (3, 3))
    with rasterio.open(path) as source:
        hidden = nodata.masked_pixels(source)
    assert hidden[1, 2] and hidden[3, 3] and np.count_nonzero(hidden) == 2


@pytest.mark.fault("a raster whose GeoTIFF keys are damaged -> one line, as of other damage")
def test_an_error_of_gdal_itself_is_one_of_rasterio():
    class Damaged:
        @property
        def colorinterp(self):
            raise type("CPLE_AppDefinedError", (Exception,), {})("Key 0 of unknown type.")

    with pytest.raises(RasterioError, match="Key 0"):
        nodata.alpha_bands(Damaged())
