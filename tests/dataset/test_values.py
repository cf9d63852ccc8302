"""Units of reflectance and backscatter: what a raster stores is converted by its tags."""

import numpy as np
import rasterio
from rasterio.enums import ColorInterp
from rasterio.transform import Affine
from rasterio.windows import Window
from rasters import LEAF_BANDS, LEAVES, leaves, write_raster, write_separate

from multisenge_lib.dataset import pixel_problems, values

S2_FILE = "31UEQ_20200707_S2_0_0.tif"
S1_FILE = "31UEQ_20200707_S1_0_0.tif"


def write(path, pixels, scales=None, offsets=None, **options):
    """Write a raster, with scale and offset tags where they are given."""
    write_raster(path, pixels, **options)
    if scales is not None:
        with rasterio.open(path, "r+") as target:
            target.scales = [scales] * len(pixels)
            target.offsets = [offsets] * len(pixels)
    return path


def read(path, kind, **options):
    with rasterio.open(path) as source:
        return values.read_values(source, kind, **options)


def test_value_times_scale_plus_offset_is_reflectance(tmp_path):
    # ESA since January 2022: reflectance = (stored - 1000) / 10,000.
    stored = leaves() + 1000
    path = write(tmp_path / S2_FILE, stored, 0.0001, -0.1)
    pixels = read(path, "s2")
    assert pixels.dtype == np.uint16
    np.testing.assert_array_equal(pixels[:, 0, 0], LEAVES)


def test_scale_comes_before_offset():
    """(2 + 10) x 3 would be 36."""
    pixels = np.full((1, 1, 1), 2, np.uint16)
    np.testing.assert_array_equal(values.apply_tags(pixels, "s1", [3], [10]), [[[16]]])


def test_a_scale_alone_leaves_whole_numbers_whole(tmp_path):
    every = np.arange(1, 16385, dtype=np.uint16).reshape(1, 128, 128)
    np.testing.assert_array_equal(read(write(tmp_path / S2_FILE, every, 0.0001, 0.0), "s2"), every)


def test_an_offset_alone_is_in_the_units_of_the_values(tmp_path):
    path = write(tmp_path / S2_FILE, leaves() + 1000, 1.0, -1000.0)
    np.testing.assert_array_equal(read(path, "s2")[:, 0, 0], LEAVES)


def test_decibels_with_a_scale_tag_are_recognised(tmp_path):
    stored = np.full((2, 8, 8), -1150, np.int16)  # -11.5 dB x 100
    pixels = read(write(tmp_path / S1_FILE, stored, 0.01, 0.0), "s1")
    np.testing.assert_allclose(pixels, -11.5, rtol=1e-6)
    (problem,) = pixel_problems(pixels, "s1")
    assert "decibel" in problem


def test_no_data_stays_no_data_through_scale_and_offset(tmp_path):
    stored = leaves() + 1000
    stored[:, 0, 0] = 0
    stored[:, 0, 1] = 9
    stored[0, 0, 2] = 9  # one band only
    pixels = read(write(tmp_path / S2_FILE, stored, 0.0001, -0.1, nodata=9), "s2")
    assert not pixels[:, 0, :3].any()
    np.testing.assert_array_equal(pixels[:, 0, 3], LEAVES)


def test_a_dark_pixel_is_not_made_missing_by_an_offset(tmp_path):
    stored = leaves() + 1000
    stored[:, 0, 0] = 900
    pixels = read(write(tmp_path / S2_FILE, stored, 0.0001, -0.1), "s2")
    np.testing.assert_array_equal(pixels[:, 0, 0], 1)


def test_one_band_of_0_is_not_missing_where_tags_convert_it(tmp_path):
    stored = leaves() + 1000
    stored[2, 0, 0] = 0
    pixels = read(write(tmp_path / S2_FILE, stored, 0.0001, -0.1), "s2")
    np.testing.assert_array_equal(pixels[:, 0, 0], [660, 936, 1, 3226])


def test_65535_is_refused_whatever_the_tags(tmp_path):
    stored = leaves() + 1000
    stored[:, 0, 0] = 65535
    pixels = read(write(tmp_path / S2_FILE, stored, 0.0001, -0.1), "s2")
    assert "holds 65535" in pixel_problems(pixels, "s2", bands=LEAF_BANDS)[0]


def test_a_picture_whose_tags_give_its_scale_is_taken(tmp_path):
    stored = leaves(scale=6.5535)
    stored[:, 0, 0] = 65535  # full reflection
    pixels = read(write(tmp_path / S2_FILE, stored, 1 / 65535, 0.0), "s2")
    np.testing.assert_allclose(pixels[:, 1, 1], LEAVES, atol=1)
    np.testing.assert_array_equal(pixels[:, 0, 0], 10_000)
    assert pixel_problems(pixels, "s2", bands=LEAF_BANDS) == []


def test_one_dark_band_is_kept(tmp_path):
    stored = leaves()
    stored[2, 0, 0] = 0
    pixels = read(write(tmp_path / S2_FILE, stored, nodata=0), "s2")
    np.testing.assert_array_equal(pixels[:, 0, 0], stored[:, 0, 0])


def test_theia_no_data_without_a_tag(tmp_path):
    stored = leaves(np.int16)
    stored[3, 0, 0] = -10_000
    stored[2, 0, 1] = -30  # noise over something dark
    pixels = read(write(tmp_path / S2_FILE, stored), "s2")
    assert not pixels[:, 0, 0].any()
    np.testing.assert_array_equal(pixels[:, 0, 1], [660, 936, 0, 3226])


def test_a_tag_of_the_reference_is_no_class(tmp_path):
    ids = np.full((1, 8, 8), 6, np.uint8)
    ids[0, 0, 0] = 14
    ids[0, 0, 1] = 255
    path = write(tmp_path / "31UEQ_GR_0_0.tif", ids, nodata=14)
    pixels = read(path, "reference")
    np.testing.assert_array_equal(pixels[0, 0, :3], [0, 255, 6])
    assert "from 0 to 255" in pixel_problems(pixels, "reference")[0]


def test_an_alpha_band_is_no_band_and_hides(tmp_path):
    stored = leaves()
    stored[3] = 65535
    stored[3, 0, 0] = 0
    path = write(tmp_path / S2_FILE, stored)
    with rasterio.open(path, "r+") as target:
        target.colorinterp = [ColorInterp.gray, *[ColorInterp.undefined] * 2, ColorInterp.alpha]
    pixels = read(path, "s2")
    assert len(pixels) == 3
    assert not pixels[:, 0, 0].any() and pixels[:, 0, 1:].all()


def test_bands_windows_and_thinned_images(tmp_path):
    stored = np.arange(3 * 8 * 8, dtype=np.uint16).reshape(3, 8, 8) + 100
    path = write(tmp_path / S2_FILE, stored)
    part = read(path, "s2", bands=[3, 1], window=Window(2, 1, 5, 4))
    np.testing.assert_array_equal(part, stored[[2, 0], 1:5, 2:7])
    assert read(path, "s2", out_shape=(4, 4)).shape == (3, 4, 4)


def test_one_band_with_a_tag_is_enough():
    assert values.is_tagged([1, 0.0001], [0, 0]) and values.is_tagged([1, 1], [0, -1000])
    assert not values.is_tagged([1, 1], [0, 0])


def test_each_band_is_converted_by_its_own_tags():
    pixels = np.full((2, 1, 1), 2000, np.uint16)
    converted = values.apply_tags(pixels, "s2", [0.0001, 1], [-0.1, 0])
    np.testing.assert_allclose(converted[:, 0, 0], [1000, 2000])


def test_not_a_number_of_sentinel2_is_no_data_without_a_tag(tmp_path):
    stored = leaves(np.float32)
    stored[1, 0, 0] = np.nan  # one band is enough: a network sees all bands of a pixel or none
    pixels = read(write(tmp_path / S2_FILE, stored), "s2")
    assert not pixels[:, 0, 0].any() and np.isfinite(pixels).all()


def test_each_band_has_a_type_and_tags_of_its_own(tmp_path):
    """The last pixel is the only one that no tag marks."""
    bands = [
        ("B2", np.array([[300, 7, 300]], np.uint16), {"NoDataValue": 7, "Scale": 0.0001}),
        (
            "B3",
            np.array([[-1, 1500, 1500]], np.int16),
            {"NoDataValue": -1, "Scale": 0.0001, "Offset": -0.1},
        ),
        ("B4", np.array([[0.2, 0.2, 0.2]], np.float32), {"Scale": 0.2, "Offset": 0.01}),
    ]
    place = Affine(10, 0, 500_000, 0, -10, 5_400_000)
    path = write_separate(tmp_path / "S2.vrt", bands, "EPSG:32631", place)
    assert read(path, "s2")[:, 0].T.tolist() == [[0, 0, 0], [0, 0, 0], [300, 500, 500]]
    assert read(path, "s2", bands=[3, 1])[:, 0].T.tolist() == [[500, 300], [0, 0], [500, 300]]
