"""Units of reflectance and backscatter: converted by the tags, or refused in one line."""

from contextlib import nullcontext

import numpy as np
import pytest
import rasterio
from rasterio.enums import ColorInterp
from rasterio.windows import Window
from rasters import write_raster

from multisenge_lib.dataset import S1_BANDS, S2_BANDS, values
from multisenge_lib.errors import PatchError

S2_FILE = "31UEQ_20200707_S2_0_0.tif"
S1_FILE = "31UEQ_20200707_S1_0_0.tif"
BANDS = ("B2", "B3", "B4", "B8")
#: Cropland in July (facts): blue, green, red, near infrared, reflectance x 10,000.
LEAVES = np.array([660, 936, 916, 3226])


def leaves(dtype=np.uint16, scale=1.0, size=8):
    column = (LEAVES * scale).astype(dtype)
    return np.broadcast_to(column[:, None, None], (4, size, size)).copy()


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
    (problem,) = values.pixel_problems(pixels, "s1")
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
    assert "holds 65535" in values.pixel_problems(pixels, "s2", bands=BANDS)[0]


def test_a_picture_whose_tags_give_its_scale_is_taken(tmp_path):
    stored = leaves(scale=6.5535)
    stored[:, 0, 0] = 65535  # full reflection
    pixels = read(write(tmp_path / S2_FILE, stored, 1 / 65535, 0.0), "s2")
    np.testing.assert_allclose(pixels[:, 1, 1], LEAVES, atol=1)
    np.testing.assert_array_equal(pixels[:, 0, 0], 10_000)
    assert values.pixel_problems(pixels, "s2", bands=BANDS) == []


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
    assert "from 0 to 255" in values.pixel_problems(pixels, "reference")[0]


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


def filled(value, dtype=np.float32, bands=2):
    return np.full((bands, 8, 8), value, dtype)


#: The image; its sensor; words of the message.
REFUSED = {
    "8-bit picture": (leaves(np.uint8, 0.05), "s2", "8-bit picture"),
    "8-bit backscatter": (filled(90, np.uint8), "s1", "8-bit picture"),
    "16-bit picture": (leaves(scale=6.5535), "s2", "16-bit picture"),
    "reflectance from 0 to 1": (leaves(np.float32, 0.0001), "s2", "by 10,000"),
    "another scale": (leaves(np.float32, 100), "s2", "divide by the scale"),
    "another 16-bit scale": (leaves(scale=18)[[3]], "s2", "values around"),
    "65535": (np.where(leaves() > 3000, 65535, leaves()), "s2", "holds 65535"),
    "infinite reflectance": (leaves(np.float32) * np.inf, "s2", "infinite"),
    "complex": (filled(0.1, np.complex64), "s1", "complex"),
    "digital numbers": (filled(400), "s1", "digital numbers"),
    "16-bit digital numbers": (filled(400, np.uint16), "s1", "digital numbers"),
    "decibel": (filled(-11), "s1", "decibel"),
    "infinite": (filled(np.inf), "s1", "infinite"),
    "below noise": (filled(1e-7), "s1", "-50 dB"),
    "nothing": (filled(0), "s1", "no data in every pixel"),
    "nothing in any band": (leaves(scale=0), "s2", "no data in every pixel"),
}


@pytest.mark.fault("an image in other units, to predict, to import or to train on -> one line")
@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_reflectance_or_backscatter_is_refused(name):
    pixels, sensor, words = REFUSED[name]
    bands = BANDS if sensor == "s2" else ("VV", "VH")
    with pytest.raises(PatchError) as caught:
        values.check_values(pixels, sensor, "image.tif", bands)
    message = str(caught.value)
    assert message.startswith("image.tif ") and words in message and "\n" not in message


def clouds():
    return np.broadcast_to(np.array([9800, 9900, 10100, 11500])[:, None, None], (4, 8, 8))


#: Unusual, and right: bright towns and ships, calm water, clouds brighter than a white sheet.
TAKEN = {
    "land": (leaves(), "s2"),
    "clouds": (clouds().astype(np.uint16), "s2"),
    "clear water": (np.where(leaves() == 660, 130, 10).astype(np.uint16), "s2"),
    "backscatter": (filled(0.1), "s1"),
    "one ship": (np.where(np.arange(64).reshape(1, 8, 8) == 9, 500, filled(0.01)), "s1"),
    "calm water": (filled(2e-4), "s1"),
}


@pytest.mark.parametrize("name", TAKEN)
def test_unusual_images_are_taken(name):
    pixels, sensor = TAKEN[name]
    values.check_values(pixels, sensor, "image.tif", BANDS if sensor == "s2" else ("VV", "VH"))


def test_sixteen_bit_leaves_are_told_from_clouds_of_the_same_brightness():
    picture = leaves(scale=6.5535)
    assert values.unlikely_values(picture, "s2", BANDS)
    picture[2] = picture[3]  # as bright in the red
    assert not values.unlikely_values(picture, "s2", BANDS)


def test_not_a_number_becomes_no_data_and_negative_reflectance_too():
    s2 = leaves(np.float32)
    s2[:, 0, 0] = [np.nan, -3, np.inf, -np.inf]
    np.testing.assert_array_equal(values.zero_invalid(s2, "s2", "x")[:, 0, 0], 0)
    s1 = filled(0.1, np.float64)
    s1[:, 0, 0] = np.nan
    cleaned = values.zero_invalid(s1, "s1", "x")
    assert cleaned.dtype == np.float32 and not cleaned[:, 0, 0].any()


@pytest.mark.parametrize("name", ["8-bit picture", "65535", "complex", "decibel", "infinite"])
def test_rows_of_an_image_are_refused_for_impossible_values(name):
    pixels, sensor, words = REFUSED[name]
    with pytest.raises(PatchError, match=words):
        values.zero_invalid(pixels[:, :1], sensor, "image.tif")


@pytest.mark.parametrize(
    "value,words", [(15, "to 15"), (-1, "from -1"), (3.7, "3.7"), (np.nan, "")]
)
def test_a_reference_holds_class_ids_alone(value, words):
    ids = np.array([[[0, 14, 6, value]]], np.float32)
    assert words in values.reference_problems(ids, 14)[0]


def test_the_lowest_and_the_highest_class_id_are_taken():
    for dtype in (np.uint8, np.float32):
        assert values.reference_problems(np.array([[[0, 1, 14]]], dtype), 14) == []


def test_one_band_with_a_tag_or_of_a_wrong_type_is_enough():
    assert values.is_tagged([1, 0.0001], [0, 0]) and values.is_tagged([1, 1], [0, -1000])
    assert not values.is_tagged([1, 1], [0, 0])
    assert "complex" in values.type_problem(["float32", "complex64"], "s1")
    assert "8-bit" in values.type_problem(["uint8", "uint16"], "s2")
    assert values.type_problem(["float32", "uint16"], "s1") is None


def test_each_band_is_converted_by_its_own_tags():
    pixels = np.full((2, 1, 1), 2000, np.uint16)
    converted = values.apply_tags(pixels, "s2", [0.0001, 1], [-0.1, 0])
    np.testing.assert_allclose(converted[:, 0, 0], [1000, 2000])


def test_not_a_number_of_sentinel2_is_no_data_without_a_tag(tmp_path):
    stored = leaves(np.float32)
    stored[1, 0, 0] = np.nan  # one band is enough: a network sees all bands of a pixel or none
    pixels = read(write(tmp_path / S2_FILE, stored), "s2")
    assert not pixels[:, 0, 0].any() and np.isfinite(pixels).all()


def test_dark_leaves_in_an_image_with_bright_clouds_are_taken():
    image = leaves()
    image[:, :4] = 12_000
    assert values.unlikely_values(image, "s2", BANDS) == []
    assert values.unlikely_values(leaves(scale=6.5535), "s2", ("B2", "B3", "B4", "B7")) == []


#: Means over real images (facts): near infrared and short waves in the dark, in towns, under haze.
REAL_REFLECTANCE = {
    "July": (660, 936, 916, 1437, 2620, 3090, 3226, 3300, 2423, 1650),
    "November": (400, 631, 605, 1072, 1989, 2257, 2410, 2450, 1780, 1214),
    "trees in spring": (60, 261, 274, 624, 1191, 1431, 1637, 1743, 1278, 756),
    "hazy water": (928, 1000, 1050, 1100, 1120, 1130, 1135, 1135, 1000, 950),
    "bare soil": (800, 1000, 1300, 1500, 1700, 1800, 1900, 2000, 2600, 2300),
    "a clear lake": (260, 190, 90, 70, 40, 35, 30, 28, 10, 8),
    "conifers in winter": (90, 130, 90, 200, 480, 620, 700, 760, 330, 160),
    "snow": (9500, 9400, 9300, 9200, 9000, 8900, 8800, 8600, 900, 800),
    "clouds cut off at 1": (10_000,) * 10,
}


@pytest.mark.parametrize("name", REAL_REFLECTANCE)
def test_real_reflectance_is_plausible(name):
    rng = np.random.default_rng(0)
    means = np.array(REAL_REFLECTANCE[name])[:, None, None]
    image = np.minimum(means * rng.uniform(0.5, 1.5, (1, 40, 40)), 10_000).astype(np.uint16)
    values.check_image(image, "s2", "image.tif", S2_BANDS)
    assert not values.looks_cut_off(image, S2_BANDS)
    if "lake" not in name and "water" not in name and means.max() < 5000:
        with pytest.raises(PatchError, match="multiply reflectance"):
            values.check_image(image // 10, "s2", "image.tif", S2_BANDS)


#: Medians of VV and VH in decibel over real images (facts); calm water is noise in both.
REAL_BACKSCATTER = [(-8.1, -13.3), (-9.2, -15.6), (-7.5, -13.7), (-17.2, -22.1), (-23, -23)]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("levels", REAL_BACKSCATTER)
def test_real_backscatter_is_plausible(levels):
    rng = np.random.default_rng(0)
    means = 10 ** (np.array(levels)[:, None, None] / 10)
    image = (means * rng.gamma(4.4, 1 / 4.4, (2, 40, 40))).astype(np.float32)
    values.check_image(image, "s1", "image.tif", S1_BANDS)
    with pytest.warns(UserWarning, match="amplitude") if levels[0] > -12 else nullcontext():
        values.check_image(np.sqrt(image), "s1", "image.tif", S1_BANDS)


def test_a_half_dark_image_is_judged_by_its_land():
    rng = np.random.default_rng(0)
    land = np.array(REAL_REFLECTANCE["July"])[:, None, None] * rng.uniform(0.5, 1.5, (1, 40, 40))
    image = land.astype(np.uint16)
    image[:, :, 2:] = 30
    image[0, :, 2:] = 60
    values.check_image(image, "s2", "image.tif", S2_BANDS)
    percent = (land / 100).astype(np.uint16)
    with pytest.raises(PatchError, match="holds nothing above"):
        values.check_image(percent, "s2", "image.tif", S2_BANDS)
    percent[:, :3, :3] = 150  # a cloud
    with pytest.raises(PatchError, match="percent by 100"):
        values.check_image(percent, "s2", "image.tif", S2_BANDS)


@pytest.mark.parametrize("bands", [1, 3, 10])
def test_bright_pixels_that_are_alike_by_chance_are_no_fill_value(bands):
    rng = np.random.default_rng(0)
    snow = np.repeat(rng.integers(9950, 10_050, (1, 50, 50)), bands, axis=0)
    snow[:, :10] = 10_000  # cut off
    assert (snow == 9999).sum() > 4 * bands
    assert values.fill_value(snow, "s2") is None
    snow[:, 40:] = 9999
    snow[:, 10:40] += 600
    assert values.fill_value(snow, "s2") == 9999


def test_a_town_of_one_polarisation_holds_no_fill_value():
    rng = np.random.default_rng(0)
    roofs = rng.uniform(11, 60, (1, 50, 50)).astype(np.float32)
    assert values.fill_value(roofs, "s1") is None
    roofs[:, :2, :2] = 9999
    assert values.fill_value(roofs, "s1") == 9999
