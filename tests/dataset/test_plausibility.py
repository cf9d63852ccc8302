"""Images in other units, and references of other numbers, are refused; real ones are taken."""

from contextlib import nullcontext

import numpy as np
import pytest
from rasters import LEAF_BANDS, leaves

from multisenge_lib.dataset import S1_BANDS, S2_BANDS, image_checks, plausibility, whole_images
from multisenge_lib.errors import PatchError


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
    "9999": (np.where(np.arange(8) < 1, 9999, leaves()), "s2", "holds 9999 in all bands"),
    "nothing": (filled(0), "s1", "no data in every pixel"),
    "nothing in any band": (leaves(scale=0), "s2", "no data in every pixel"),
}


@pytest.mark.fault("an image in other units, to predict, to import or to train on -> one line")
@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_reflectance_or_backscatter_is_refused(name):
    pixels, sensor, words = REFUSED[name]
    bands = LEAF_BANDS if sensor == "s2" else ("VV", "VH")
    with pytest.raises(PatchError) as caught:
        image_checks.check_values(pixels, sensor, "image.tif", bands)
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
    image_checks.check_values(
        pixels, sensor, "image.tif", LEAF_BANDS if sensor == "s2" else ("VV", "VH")
    )


def test_sixteen_bit_leaves_are_told_from_clouds_of_the_same_brightness():
    picture = leaves(scale=6.5535)
    assert plausibility.unlikely_values(picture, "s2", LEAF_BANDS)
    picture[2] = picture[3]  # as bright in the red
    assert not plausibility.unlikely_values(picture, "s2", LEAF_BANDS)


def test_not_a_number_becomes_no_data_and_negative_reflectance_too():
    s2 = leaves(np.float32)
    s2[:, 0, 0] = [np.nan, -3, np.inf, -np.inf]
    np.testing.assert_array_equal(image_checks.zero_invalid(s2, "s2", "x")[:, 0, 0], 0)
    s1 = filled(0.1, np.float64)
    s1[:, 0, 0] = np.nan
    cleaned = image_checks.zero_invalid(s1, "s1", "x")
    assert cleaned.dtype == np.float32 and not cleaned[:, 0, 0].any()


@pytest.mark.parametrize("name", ["8-bit picture", "65535", "complex", "decibel", "infinite"])
def test_rows_of_an_image_are_refused_for_impossible_values(name):
    pixels, sensor, words = REFUSED[name]
    with pytest.raises(PatchError, match=words):
        image_checks.zero_invalid(pixels[:, :1], sensor, "image.tif")


@pytest.mark.parametrize(
    "value,words", [(15, "to 15"), (-1, "from -1"), (3.7, "3.7"), (np.nan, "")]
)
def test_a_reference_holds_class_ids_alone(value, words):
    ids = np.array([[[0, 14, 6, value]]], np.float32)
    assert words in plausibility.reference_problems(ids, 14)[0]


def test_the_lowest_and_the_highest_class_id_are_taken():
    for dtype in (np.uint8, np.float32):
        assert plausibility.reference_problems(np.array([[[0, 1, 14]]], dtype), 14) == []


def test_one_band_of_a_wrong_type_is_enough():
    assert "complex" in plausibility.type_problem(["float32", "complex64"], "s1")
    assert "8-bit" in plausibility.type_problem(["uint8", "uint16"], "s2")
    assert plausibility.type_problem(["float32", "uint16"], "s1") is None


@pytest.mark.parametrize(
    ("dtypes", "sensor", "is_refused"),
    [
        (["float32", "int16"], "s1", True),
        (["uint16"], "s1", True),
        (["float32"], "s1", False),
        (["uint16"], "s2", False),
    ],
)
def test_whole_numbers_are_no_intensity(dtypes, sensor, is_refused):
    assert (plausibility.whole_number_problem(dtypes, sensor) is not None) == is_refused


def test_dark_leaves_in_an_image_with_bright_clouds_are_taken():
    image = leaves()
    image[:, :4] = 12_000
    assert plausibility.unlikely_values(image, "s2", LEAF_BANDS) == []
    assert plausibility.unlikely_values(leaves(scale=6.5535), "s2", ("B2", "B3", "B4", "B7")) == []


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


@pytest.mark.filterwarnings("ignore:.*almost no pixel is darker")  # snow and clouds
@pytest.mark.parametrize("name", REAL_REFLECTANCE)
def test_real_reflectance_is_plausible(name):
    rng = np.random.default_rng(0)
    means = np.array(REAL_REFLECTANCE[name])[:, None, None]
    image = np.minimum(means * rng.uniform(0.5, 1.5, (1, 40, 40)), 10_000).astype(np.uint16)
    image_checks.check_image(image, "s2", "image.tif", S2_BANDS)
    assert not whole_images.looks_cut_off(image, S2_BANDS)
    if "lake" not in name and "water" not in name and means.max() < 5000:
        with pytest.raises(PatchError, match="multiply reflectance"):
            image_checks.check_image(image // 10, "s2", "image.tif", S2_BANDS)


#: Medians of VV and VH in decibel over real images (facts); calm water is noise in both.
REAL_BACKSCATTER = [(-8.1, -13.3), (-9.2, -15.6), (-7.5, -13.7), (-17.2, -22.1), (-23, -23)]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("levels", REAL_BACKSCATTER)
def test_real_backscatter_is_plausible(levels):
    rng = np.random.default_rng(0)
    means = 10 ** (np.array(levels)[:, None, None] / 10)
    image = (means * rng.gamma(4.4, 1 / 4.4, (2, 40, 40))).astype(np.float32)
    image_checks.check_image(image, "s1", "image.tif", S1_BANDS)
    with pytest.warns(UserWarning, match="amplitude") if levels[0] > -12 else nullcontext():
        image_checks.check_image(np.sqrt(image), "s1", "image.tif", S1_BANDS)


def test_a_half_dark_image_is_judged_by_its_land():
    rng = np.random.default_rng(0)
    land = np.array(REAL_REFLECTANCE["July"])[:, None, None] * rng.uniform(0.5, 1.5, (1, 40, 40))
    image = land.astype(np.uint16)
    image[:, :, 2:] = 30
    image[0, :, 2:] = 60
    image_checks.check_image(image, "s2", "image.tif", S2_BANDS)
    percent = (land / 100).astype(np.uint16)
    with pytest.raises(PatchError, match="holds nothing above"):
        image_checks.check_image(percent, "s2", "image.tif", S2_BANDS)
    percent[:, :3, :3] = 150  # a cloud
    with pytest.raises(PatchError, match="percent by 100"):
        image_checks.check_image(percent, "s2", "image.tif", S2_BANDS)


@pytest.mark.parametrize("bands", [1, 3, 10])
def test_bright_pixels_that_are_alike_by_chance_are_no_fill_value(bands):
    rng = np.random.default_rng(0)
    snow = np.repeat(rng.integers(9950, 10_050, (1, 50, 50)), bands, axis=0)
    snow[:, :10] = 10_000  # cut off
    assert (snow == 9999).sum() > 4 * bands
    assert plausibility.fill_value(snow, "s2") is None
    snow[:, 40:] = 9999
    snow[:, 10:40] += 600
    assert plausibility.fill_value(snow, "s2") == 9999


def test_a_town_of_one_polarisation_holds_no_fill_value():
    rng = np.random.default_rng(0)
    roofs = rng.uniform(11, 60, (1, 50, 50)).astype(np.float32)
    assert plausibility.fill_value(roofs, "s1") is None
    roofs[:, :2, :2] = 9999
    assert plausibility.fill_value(roofs, "s1") == 9999


@pytest.mark.parametrize(
    ("values", "words"),
    [
        # No polarisation measures less than -90 dB.
        ([-91, 0.1], "if that is no data"),
        ([-89, 0.1], "convert from decibel"),
        # Corner reflectors stay below 60 dB.
        ([0.1, 1.1e6], "if that is no data"),
        ([0.1, 0.9e6], None),
    ],
)
def test_the_limits_of_backscatter(values, words):
    problems = plausibility.impossible_values(np.float32(values), "s1")
    assert [words in problem for problem in problems] == ([] if words is None else [True])


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (60_000, None),
        (60_001, "signed type"),
        (65_535, "if it is no data"),
        (65_536, "divide by the scale"),
    ],
)
def test_the_limit_of_reflectance(value, words):
    problems = plausibility.impossible_values(np.float32([300, value]), "s2")
    assert [words in problem for problem in problems] == ([] if words is None else [True])


def snow_of(counts):
    """Ten bands that are alike, with each number as often as `counts` says."""
    row = np.repeat(list(counts), list(counts.values()))
    return np.tile(row.astype(np.uint16), (10, 1))


@pytest.mark.parametrize(
    ("counts", "number"),
    [
        # More than half of what lies near must be this number.
        ({9999: 10, 9996: 4, 9001: 50}, 9999),
        ({9999: 10, 9996: 10}, None),
        # Near is within one percent.
        ({9999: 10, 9950: 20}, None),
        ({9999: 10, 9800: 20}, 9999),
        # Others that are cut off at 1 say nothing of it.
        ({9999: 10, 10_000: 30}, 9999),
        # The same fill value after 1000 was subtracted, and a cloud with no such number.
        ({8999: 10, 9700: 4}, 8999),
        ({8900: 10, 9700: 4}, None),
    ],
)
def test_a_fill_value_stands_out_from_the_numbers_near_it(counts, number):
    assert plausibility.fill_value(snow_of(counts), "s2") == number


@pytest.mark.parametrize(("stored", "number"), [(-89, None), (-91, -91), (-9999, -9999)])
def test_a_fill_value_among_decibels(stored, number):
    """Even land of one polarisation, in whole decibels: many pixels are alike."""
    decibels = np.full((1, 20, 20), -12, np.float32)
    decibels[:, :3, :3] = stored
    assert plausibility.fill_value(decibels, "s1") == number


def backscatter(vv, vh, shape=(20, 20)):
    """Even land with these decibels in VV and VH."""
    levels = 10 ** (np.array([vv, vh]) / 10)
    return np.broadcast_to(levels[:, None, None], (2, *shape)).astype(np.float32)


def test_no_data_does_not_count_where_most_is_asked_for():
    image = np.full((2, 20, 20), 400, np.float32)
    image[:, 8:] = 0
    assert "digital numbers" in plausibility.unlikely_values(image, "s1")[0]


def test_the_darkest_backscatter():
    assert plausibility.unlikely_values(filled(2e-5), "s1") == []
    assert "-50 dB" in plausibility.unlikely_values(filled(0.9e-5), "s1")[0]


@pytest.mark.parametrize(("share", "is_refused"), [(0.03, True), (0.01, False)])
def test_a_few_leaves_are_enough_to_judge_a_picture(share, is_refused):
    image = np.full((4, 20, 20), 500, np.uint16)
    image[3].flat[: int(400 * share)] = 14_000
    assert bool(plausibility.unlikely_values(image, "s2", LEAF_BANDS)) == is_refused


def test_leaves_without_red_are_not_judged():
    """Without a value in the red there is nothing to compare the infrared with."""
    image = np.full((4, 20, 20), 500, np.uint16)
    image[3, :5] = 14_000
    image[2, :5] = 0
    assert plausibility.unlikely_values(image, "s2", LEAF_BANDS) == []


def dark(brightest, share=0.0, bright=0, infrared=None):
    """All bands alike, with a share of brighter pixels."""
    image = np.full((10, 400), brightest, np.uint16)
    image[:, : int(400 * share)] = bright
    if infrared is not None:
        image[S2_BANDS.index("B8A")] = infrared
    return image


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (dark(12, share=0.03, bright=300), None),
        (dark(8, share=0.03, bright=300), "percent by 100"),
        (dark(50, share=0.01, bright=300), "percent by 100"),
        (dark(50, share=0.03, bright=300), None),
        # Land by its colour: brighter in the infrared than in the visible, and not of noise alone.
        (dark(80, infrared=130), "x 1,000 by 10"),
        (dark(400, infrared=590), "x 1,000 by 10"),
        (dark(400, infrared=610), None),
        (dark(80, infrared=99, share=0.05, bright=300), None),
        (dark(400, infrared=np.repeat([500, 100], [100, 300])), "x 1,000 by 10"),
        (dark(400, infrared=np.repeat([500, 100], [60, 340])), None),
    ],
)
def test_the_limits_of_dark_images(image, words):
    problems = whole_images.implausible_image(image, "s2", S2_BANDS)
    assert [words in problem for problem in problems] == ([] if words is None else [True])


@pytest.mark.parametrize(
    ("band", "value", "infrared", "is_found"),
    [
        ("B11", 20, 2500, True),
        ("B11", 21, 2500, False),
        ("B8", 100, 2500, True),
        ("B8", 101, 2500, False),
        ("B2", 2, 2500, True),
        ("B2", 1, 2500, False),  # cut off, as 0
        ("B11", 1, 2500, False),
        ("B3", 8, 2500, True),
        ("B3", 9, 2500, False),
        ("B11", 18, 700, False),  # darker than land in the sun, as snow and water are
    ],
)
def test_the_limits_of_a_band_in_another_unit(band, value, infrared, is_found):
    image = dark(800, infrared=infrared)
    image[S2_BANDS.index(band)] = value
    found = whole_images.band_in_other_unit(image, S2_BANDS)
    assert found == (band if is_found else None)
    problems = whole_images.uneven_bands(image, S2_BANDS)
    assert [f"holds next to nothing in {band}" in problem for problem in problems] == [True] * (
        is_found
    )


def test_decimals_below_1_are_not_cut_off():
    image = dark(800, infrared=2500).astype(np.float32)
    image[S2_BANDS.index("B11")] = 0.18
    assert whole_images.band_in_other_unit(image, S2_BANDS) == "B11"
    assert "or leave this image out" in whole_images.uneven_bands(image, S2_BANDS)[0]


def test_bright_ground_is_no_picture_of_16_bit():
    numbers = np.arange(3000, 7000, dtype=np.uint16).reshape(2, 2000)
    assert whole_images.implausible_image(numbers, "s2", ("B2", "B3")) == []
    picture = np.round(numbers * 6.5535)
    assert "16-bit picture" in whole_images.implausible_image(picture, "s2", ("B2", "B3"))[0]


@pytest.mark.parametrize(("pixels", "is_judged"), [(99, False), (100, True)])
def test_a_few_pixels_say_nothing_of_an_image(pixels, is_judged):
    image = np.zeros((10, 400), np.uint16)
    image[:, :pixels] = 8
    assert bool(whole_images.implausible_image(image, "s2", S2_BANDS)) == is_judged


@pytest.mark.parametrize(("vh", "is_swapped"), [(-9, True), (-11, False)])
def test_swapped_polarisations_differ_by_two_decibels(vh, is_swapped):
    image = backscatter(-12, vh)
    assert bool(whole_images.implausible_image(image, "s1", S1_BANDS)) == is_swapped
    # Where only one of the two is observed, nothing is compared.
    image[0, :12] = 0
    assert bool(whole_images.implausible_image(image, "s1", S1_BANDS)) == is_swapped


@pytest.mark.parametrize(
    ("vv", "vh", "is_amplitude"),
    [(-7, -11, False), (-5.5, -11, True), (-7, -9.5, True)],
)
def test_either_polarisation_tells_amplitude(vv, vh, is_amplitude):
    problem = whole_images.amplitude_problem(backscatter(vv, vh), S1_BANDS)
    assert (problem is not None) == is_amplitude
    # Without names nobody knows which of the two is VV.
    assert whole_images.amplitude_problem(backscatter(vv, vh), ()) is None


@pytest.mark.parametrize(("share", "is_cut_off"), [(0.6, True), (0.4, False)])
def test_more_than_half_of_the_visible_is_cut_off(share, is_cut_off):
    image = dark(400, share=share, bright=1)
    image[6] = 2000  # the infrared is bright enough
    assert whole_images.looks_cut_off(image, S2_BANDS) == is_cut_off
    assert not whole_images.looks_cut_off(0 * image, S2_BANDS)  # nothing is observed


@pytest.mark.parametrize(("share", "is_brightened"), [(0.0, True), (0.005, True), (0.03, False)])
def test_hardly_a_pixel_is_dark_where_the_offset_is_in_it(share, is_brightened):
    image = dark(1200, share=share, bright=300)
    assert whole_images.looks_brightened(image, S2_BANDS) == is_brightened


@pytest.mark.parametrize("band", S2_BANDS)
def test_one_visible_band_tells_that_no_offset_is_left(band):
    image = dark(1200)
    image[S2_BANDS.index(band)] = 300
    is_visible = band in ("B2", "B3", "B4")
    assert whole_images.looks_brightened(image, S2_BANDS) != is_visible
    # One band alone that is cut off speaks for no offset: it may be a dark one.
    image[S2_BANDS.index(band)] = 1
    assert not whole_images.looks_cut_off(image, S2_BANDS)


def test_no_data_is_no_dark_pixel():
    image = dark(1200, share=0.4, bright=0)
    assert whole_images.looks_brightened(image, S2_BANDS)


def test_a_few_observed_pixels_in_a_large_image_hold_no_offset():
    image = np.zeros((10, 50, 50), np.uint16)
    image[:, 0, :99] = 3000
    assert not whole_images.looks_brightened(image, S2_BANDS)
    image[:, :2] = 3000
    assert whole_images.looks_brightened(image, S2_BANDS)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("pixels", [99, 100])
def test_an_offset_is_not_suspected_in_a_few_pixels(pixels):
    image = dark(1200)[:, :pixels]
    warned = pytest.warns(UserWarning, match="almost no pixel is darker")
    with nullcontext() if pixels < 100 else warned:
        image_checks.check_image(image, "s2", "image.tif", S2_BANDS)
