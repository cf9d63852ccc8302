"""Rasters that a map is made of: what contradicts the network or each other is refused."""

import os

import numpy as np
import pytest
import rasterio
from map_inputs import BANDS, SHAPE, read_pixels, write_geotiff, write_rasters
from rasterio.enums import ColorInterp
from rasterio.transform import Affine, from_origin
from rasters import write_separate

from multisenge_lib.dataset import S1_BANDS, S2_BANDS
from multisenge_lib.errors import PatchError
from multisenge_lib.maps import stack
from multisenge_lib.maps.stack import open_stack

MONTHS = (7, 8, 9, 11)


def read_all(rasters):
    """Open a stack and read all of it."""
    opened = open_stack(rasters, BANDS, MONTHS)
    return opened.read(0, opened.shape[0])


def test_a_stack_gives_what_the_rasters_hold(rasters):
    series, valid = read_all(rasters)
    for sensor, paths in rasters.items():
        for date, path in enumerate(paths):
            np.testing.assert_array_equal(
                series[sensor][date], np.moveaxis(read_pixels(path), 0, -1)
            )
    assert not valid[:20, :30].any()
    assert (~valid).sum() == 600


def test_days_come_from_names_or_are_the_middle_of_the_month(rasters):
    opened = open_stack(rasters, BANDS, MONTHS)
    # 21 July, 5 August, 12 September and 18 November of a leap year.
    assert opened.days["s2"].tolist() == [203, 218, 256, 323]
    undated = rasters["s2"][1].rename(rasters["s2"][1].with_name("august.tif"))
    rasters["s2"][1] = undated
    opened = open_stack(rasters, BANDS, MONTHS)
    assert opened.days["s2"].tolist() == [203, 227, 256, 323]  # 15 August


def test_a_network_may_take_several_radar_rasters_a_month(rasters):
    doubled = []
    for path in rasters["s1"]:
        doubled += [path, path]
    opened = open_stack({"s1": doubled}, {"s1": S1_BANDS}, MONTHS, s1_per_month=2)
    series, _ = opened.read(0, 8)
    assert series["s1"].shape[0] == 8
    message = r"the network takes 8, of the months 7, 7, 8, 8, .*: give one for each of these, in"
    with pytest.raises(PatchError, match=message):
        open_stack({"s1": rasters["s1"]}, {"s1": S1_BANDS}, MONTHS, s1_per_month=2)


# Each of these changes one raster; the second of Sentinel-1 or Sentinel-2.


def missing(s1, s2):
    s2.unlink()


def cut_off(s1, s2):
    s2.write_bytes(s2.read_bytes()[:3000])


def text(s1, s2):
    s2.write_text("hello")


def pipe(s1, s2):
    s2.unlink()
    os.mkfifo(s2)


def other_grid(s1, s2):
    write_geotiff(s2, read_pixels(s2), S2_BANDS, transform=from_origin(5e5 + 5, 5.5e6, 10, 10))


def four_metres_off(s1, s2):
    write_geotiff(s2, read_pixels(s2), S2_BANDS, transform=from_origin(5e5, 5.5e6 - 4, 10, 10))


def other_size(s1, s2):
    write_geotiff(s1, read_pixels(s1)[:, :-1], S1_BANDS)


def other_pixels(s1, s2):
    write_geotiff(s1, read_pixels(s1), S1_BANDS, transform=from_origin(5e5, 5.5e6, 20, 20))


def feet(s1, s2):
    write_geotiff(s1, read_pixels(s1), S1_BANDS, crs="EPSG:2225")


def degrees(s1, s2):
    place = from_origin(0, 80, 10, 10)
    write_geotiff(s1, read_pixels(s1)[:, :9, :9], S1_BANDS, crs="EPSG:4326", transform=place)


def south_up(s1, s2):
    turned = Affine(10, 0, 5e5, 0, 10, 5.5e6 - 1500)
    write_geotiff(s2, read_pixels(s2)[:, ::-1], S2_BANDS, transform=turned)


def rotated(s1, s2):
    turned = from_origin(5e5, 5.5e6, 10, 10) * Affine.rotation(90)
    write_geotiff(s2, read_pixels(s2), S2_BANDS, transform=turned)


def other_projection(s1, s2):
    write_geotiff(s1, read_pixels(s1), S1_BANDS, crs="EPSG:32632")


def no_projection(s1, s2):
    write_geotiff(s1, read_pixels(s1), S1_BANDS, crs=None)


def decibel(s1, s2):
    write_geotiff(s1, 10 * np.log10(read_pixels(s1)), S1_BANDS)


def digital_numbers(s1, s2):
    write_geotiff(s1, (read_pixels(s1) * 20_000 + 100).astype(np.uint16), S1_BANDS)


def digital_numbers_as_floats(s1, s2):
    write_geotiff(s1, read_pixels(s1) * 20_000 + 100, S1_BANDS)


def whole_numbers(s1, s2):
    write_geotiff(s1, np.rint(read_pixels(s1) * 100).astype(np.uint16), S1_BANDS)


def complex_numbers(s1, s2):
    write_geotiff(s1, read_pixels(s1).astype(np.complex64), S1_BANDS)


def zero_to_one(s1, s2):
    write_geotiff(s2, read_pixels(s2).astype(np.float32) / 1e4, S2_BANDS)


def untagged_fill(s1, s2):
    pixels = read_pixels(s1)
    pixels[:, :10] = -9999
    write_geotiff(s1, pixels, S1_BANDS)


def saturated(s1, s2):
    pixels = read_pixels(s2)
    pixels[3, 100:, 60:] = 65_535
    write_geotiff(s2, pixels, S2_BANDS)


def eight_bits(s1, s2):
    write_geotiff(s2, (read_pixels(s2) // 20).astype(np.uint8), S2_BANDS)


def nine_bands(s1, s2):
    write_geotiff(s2, read_pixels(s2)[:9], S2_BANDS[:9])


def landsat(s1, s2):
    words = ("blue", "green", "red", "nir", "swir_1", "swir_2")
    write_geotiff(s2, read_pixels(s2)[:6], [f"nbart_{word}" for word in words])


def unknown_names(s1, s2):
    write_geotiff(s2, read_pixels(s2), [f"couche {letter}" for letter in "abcdefghij"])


def nine_unnamed_bands(s1, s2):
    write_geotiff(s2, read_pixels(s2)[:9])


@pytest.mark.fault("predict: rasters that contradict the network -> one line with the file's name")
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (missing, r"_s2\.tif is missing"),
        (cut_off, r"_s2\.tif cannot be read, truncated or damaged"),
        (text, r"_s2\.tif is not a GeoTIFF"),
        (pipe, r"_s2\.tif is not a file"),
        (other_grid, r"_s2\.tif is on another grid .*\(5 m further east and 0 m"),
        (four_metres_off, r"_s2\.tif is on another grid .*\(0 m further east and -4 m"),
        (other_size, r"_s1\.tif is on another grid than the first raster \(height 149 instead"),
        (other_pixels, r"_s1\.tif has pixels of 20 x 20 metre in EPSG:32631"),
        (feet, r"_s1\.tif has pixels of 10 x 10 US survey foot in EPSG:2225"),
        (degrees, r"_s1\.tif has pixels of 10 x 10 degree in EPSG:4326"),
        (rotated, r"_s2\.tif is rotated, .*gdalwarp, which writes north up"),
        (south_up, r"_s2\.tif is south up, .*gdalwarp"),
        (other_projection, r"_s1\.tif is on another grid .*EPSG:32632 instead of EPSG:32631"),
        (no_projection, r"_s1\.tif names no projection: give it one"),
        (decibel, r"_s1\.tif holds .*decibel"),
        (digital_numbers, r"_s1\.tif holds values around .*digital numbers"),
        (digital_numbers_as_floats, r"_s1\.tif holds values around .*digital numbers"),
        (whole_numbers, r"_s1\.tif is uint16, Sentinel-1 is linear intensity, .* times a scale"),
        (complex_numbers, r"_s1\.tif is complex64"),
        (
            zero_to_one,
            r"_s2\.tif holds nothing above 0\.\d+, Sentinel-2 .* from 0 to 1 by 10,000",
        ),
        (untagged_fill, r"_s1\.tif holds -9999, .*if that is no data, give the raster that tag"),
        (saturated, r"_s2\.tif holds 65535, which is no reflectance"),
        (eight_bits, r"_s2\.tif is uint8, an 8-bit picture"),
        (nine_bands, r"_s2\.tif has the bands B2.*B11, s2 must have .*B12"),
        (landsat, r"_s2\.tif holds nbart_swir_1, a band of Landsat"),
        (unknown_names, r"_s2\.tif has the bands couche a, .*name them so"),
        (nine_unnamed_bands, r"_s2\.tif has the bands 9 without names"),
    ],
)
@pytest.mark.filterwarnings("ignore:.*amplitude instead of intensity")
def test_rasters_that_contradict_the_network(rasters, change, message):
    change(rasters["s1"][1], rasters["s2"][1])
    with pytest.raises(PatchError, match=message) as error:
        read_all(rasters)
    assert "\n" not in str(error.value)


@pytest.mark.fault("predict: level 1C or another sensor by its name -> refused, as by import")
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("S2A_MSIL1C_20200805T105031_N0209_R051_T31UEQ.tif", "is of level 1C"),
        ("L1C_T31UEQ_A018765_20200805T105431/IMG_DATA/T31UEQ_20200805.tif", "is of level 1C"),
        ("LC08_L2SP_199026_20200805_20200806_02_T1.tif", "is of Landsat: give images of Sentinel"),
    ],
)
def test_products_that_are_none_by_their_name(rasters, name, message):
    path = rasters["s2"][1]
    target = path.parent / name
    target.parent.mkdir(parents=True, exist_ok=True)
    rasters["s2"][1] = path.rename(target)
    with pytest.raises(PatchError, match=message) as error:
        open_stack(rasters, BANDS, MONTHS)
    assert "\n" not in str(error.value)


@pytest.mark.fault("predict: one 65535 where nobody looks -> refused when its rows are read")
def test_a_single_saturated_pixel(rasters, monkeypatch):
    monkeypatch.setattr(stack, "THUMBNAIL_PIXELS", 8)
    path = rasters["s2"][1]
    pixels = read_pixels(path)
    pixels[3, 77, 55] = 65_535
    write_geotiff(path, pixels, S2_BANDS)
    with pytest.raises(PatchError, match=r"_s2\.tif holds 65535"):
        read_all(rasters)


def test_corners_that_differ_by_rounding_are_one_grid(rasters):
    path = rasters["s2"][1]
    place = from_origin(5e5 + 1e-6, 5.5e6 - 1e-6, 10, 10)
    write_geotiff(path, read_pixels(path), S2_BANDS, transform=place)
    series, _ = read_all(rasters)
    assert series["s2"].shape == (4, *SHAPE, 10)


@pytest.mark.fault("predict: a raster of another month at a place -> refused, or allowed")
def test_another_month(rasters):
    path = rasters["s2"][1]
    rasters["s2"][1] = path.rename(path.with_name("2020-06-05_s2.tif"))
    message = r"2020-06-05_s2\.tif is of month 6, at its place the network takes month 8"
    with pytest.raises(PatchError, match=message):
        open_stack(rasters, BANDS, MONTHS)
    open_stack(rasters, BANDS, MONTHS, any_month=True)


@pytest.mark.parametrize(("sensor", "count"), [("s1", 0), ("s2", 3), ("s2", 5)])
def test_another_number_of_rasters(rasters, sensor, count):
    rasters[sensor] = (rasters[sensor] * 2)[:count]
    message = f"{count} rasters of {sensor} given, .* takes 4, of the months 7, 8, 9, 11"
    with pytest.raises(PatchError, match=message):
        open_stack(rasters, BANDS, MONTHS)


def test_a_path_in_the_place_of_a_list(rasters):
    with pytest.raises(PatchError, match=r"s2: a path given in place of a list of paths"):
        open_stack({**rasters, "s2": rasters["s2"][0]}, BANDS, MONTHS)


def test_rasters_of_a_sensor_that_the_network_does_not_take(rasters):
    with pytest.raises(PatchError, match="4 rasters of s1 given, the network takes none"):
        open_stack(rasters, {"s2": S2_BANDS}, MONTHS)


def rename_to_baseline(rasters, added, baseline="N0400"):
    """Call a raster of Sentinel-2 a product of one of ESA's baselines, and add to its values.

    One corner of it is no data.
    """
    path = rasters["s2"][1]
    pixels = (read_pixels(path) + added).astype(np.uint16)
    pixels[:, :20, :30] = 0
    path.unlink()
    name = f"S2A_MSIL2A_20200805T105041_{baseline}_R051_T31UEQ_20200806T105041.tif"
    rasters["s2"][1] = path.with_name(name)
    write_geotiff(rasters["s2"][1], pixels, S2_BANDS)


@pytest.mark.fault("predict: the name says N0400, and 1000 is in the values -> refused")
@pytest.mark.filterwarnings("ignore:.*almost no pixel is darker")
@pytest.mark.parametrize("added", [1000, 910])
def test_reflectance_with_the_offset_of_new_products(rasters, added):
    rename_to_baseline(rasters, added)
    with pytest.raises(PatchError, match=r"N0400 .*still have an offset of 1000: add -1000"):
        open_stack(rasters, BANDS, MONTHS)


@pytest.mark.fault("predict: the name says N0400, and the values look as without -> a warning")
@pytest.mark.parametrize("added", [0, 850])
def test_reflectance_whose_offset_was_removed(rasters, added):
    rename_to_baseline(rasters, added)
    with pytest.warns(UserWarning, match=r"N0400 .*make sure that -1000 was added"):
        open_stack(rasters, BANDS, MONTHS)


@pytest.mark.filterwarnings("error")
def test_older_products_have_no_offset(rasters):
    rename_to_baseline(rasters, added=850, baseline="N0301")
    open_stack(rasters, BANDS, MONTHS)


def test_a_date_without_any_data_is_no_wrong_unit(rasters):
    path = rasters["s2"][1]
    write_geotiff(path, 0 * read_pixels(path), S2_BANDS)
    series, valid = read_all(rasters)
    assert not series["s2"][1].any()
    assert not valid.any()


def test_an_alpha_band_before_the_others_is_left_out(rasters):
    path = rasters["s2"][1]
    pixels = read_pixels(path)
    hidden = np.full((1, *SHAPE), 65_535, np.uint16)
    hidden[:, :7] = 0
    options = {"photometric": "MINISBLACK", "alpha": "yes"}
    write_geotiff(path, np.concatenate([hidden, pixels]), ["", *S2_BANDS], **options)
    with rasterio.open(path, "r+") as raster:
        raster.colorinterp = [ColorInterp.alpha, *[ColorInterp.undefined] * 10]
    series, _ = read_all(rasters)
    expected = np.moveaxis(pixels, 0, -1).copy()
    expected[:7] = 0
    np.testing.assert_array_equal(series["s2"][1], expected)


def put_band_before(path, pixels, band, tags):
    """A raster of these pixels behind another band, which the network does not take."""
    sensor_bands = BANDS["s1" if len(pixels) == 2 else "s2"]
    bands = [("quality", band, tags)]
    bands += [(name, values, {}) for name, values in zip(sensor_bands, pixels, strict=True)]
    place = from_origin(5e5, 5.5e6, 10, 10)
    return write_separate(path.with_suffix(".vrt"), bands, "EPSG:32631", place)


@pytest.mark.fault("predict: bands of several types in one raster -> read, each by its own type")
def test_bands_of_several_types_are_read(rasters):
    path = rasters["s2"][1]
    pixels = read_pixels(path)
    bands = list(zip(S2_BANDS, pixels, [{}] * 10, strict=True))
    bands[3] = ("B5", pixels[3].astype(np.float32), {})
    place = from_origin(5e5, 5.5e6, 10, 10)
    rasters["s2"][1] = write_separate(path.with_suffix(".vrt"), bands, "EPSG:32631", place)
    series, _ = read_all(rasters)
    np.testing.assert_array_equal(series["s2"][1], np.moveaxis(pixels, 0, -1))


def test_types_of_bands_that_the_network_does_not_take_do_not_count(rasters):
    path = rasters["s2"][1]
    pixels = read_pixels(path)
    rasters["s2"][1] = put_band_before(path, pixels, np.full(SHAPE, 200, np.uint8), {})
    series, _ = read_all(rasters)
    np.testing.assert_array_equal(series["s2"][1], np.moveaxis(pixels, 0, -1))


@pytest.mark.filterwarnings("ignore:.*amplitude instead of intensity")
def test_a_scale_of_a_band_that_the_network_does_not_take_says_nothing(rasters):
    path = rasters["s1"][1]
    numbers = np.full((2, *SHAPE), 3, np.uint16)
    other = np.ones(SHAPE, np.uint16)
    rasters["s1"][1] = put_band_before(path, numbers, other, {"Scale": 0.01})
    with pytest.raises(PatchError, match="uint16"):
        open_stack(rasters, BANDS, MONTHS)


@pytest.mark.filterwarnings("ignore:.*almost no pixel is darker")
def test_an_offset_of_a_band_that_the_network_does_not_take_says_nothing(rasters):
    rename_to_baseline(rasters, added=1000)
    path = rasters["s2"][1]
    other = np.ones(SHAPE, np.uint16)
    rasters["s2"][1] = put_band_before(path, read_pixels(path), other, {"Offset": -1000})
    with pytest.raises(PatchError, match=r"N0400 .*still have an offset of 1000: add -1000"):
        open_stack(rasters, BANDS, MONTHS)


@pytest.mark.fault("predict: reflectance that may hold an offset -> a warning")
def test_reflectance_that_may_hold_an_offset(rasters):
    path = rasters["s2"][1]
    write_geotiff(path, read_pixels(path) + np.uint16(1000), S2_BANDS)
    with pytest.warns(UserWarning, match=r"almost no pixel is darker than 1000 .*subtract 1000"):
        open_stack(rasters, BANDS, MONTHS)


def test_reflectance_in_decimal_numbers_is_taken(rasters):
    path = rasters["s2"][1]
    pixels = read_pixels(path).astype(np.float32)
    pixels[:, 3, 4] = np.nan
    pixels[:, 3, 5] = -9999
    write_geotiff(path, pixels, S2_BANDS)
    series, valid = read_all(rasters)
    expected = np.moveaxis(pixels, 0, -1)
    expected[3, 4:6] = 0
    np.testing.assert_array_equal(series["s2"][1], expected)
    assert not valid[3, 4:6].any()


@pytest.mark.fault("predict: a name with control characters -> quoted in the message")
def test_a_name_that_would_break_the_line(tmp_path):
    rasters = write_rasters(tmp_path)
    path = rasters["s2"][1]
    rasters["s2"][1] = path.rename(path.with_name("20200805\n\x1b[31m.tif"))
    write_geotiff(rasters["s2"][1], read_pixels(rasters["s2"][1])[:9], S2_BANDS[:9])
    with pytest.raises(PatchError) as error:
        open_stack(rasters, BANDS, MONTHS)
    assert str(error.value).isprintable()
    assert r"\n\x1b[31m" in str(error.value)


def test_a_stack_changes_with_its_rasters(rasters):
    opened = open_stack(rasters, BANDS, MONTHS)
    before = opened.stamps
    path = rasters["s1"][3]
    status = path.stat()
    with rasterio.open(path, "r+") as target:
        target.update_tags(edited="yes")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert opened.stamps != before  # by its size alone


@pytest.mark.fault("predict: untagged 9999 in a corner that the thinned image misses -> refused")
@pytest.mark.parametrize(("sensor", "number"), [("s2", 9999), ("s2", 32_767), ("s1", 9999)])
def test_untagged_fill_values(rasters, monkeypatch, sensor, number):
    monkeypatch.setattr(stack, "THUMBNAIL_PIXELS", 8)
    path = rasters[sensor][1]
    pixels = read_pixels(path)
    pixels[:, 141:144, 101:104] = number
    write_geotiff(path, pixels, BANDS[sensor])
    with pytest.raises(PatchError, match=rf"_{sensor}\.tif holds {number} in all bands"):
        read_all(rasters)


@pytest.mark.fault("predict: VV and VH swapped, percent, an offset that is not there -> refused")
def test_images_that_no_land_shows(rasters):
    def refused(sensor, pixels, **tags):
        path = rasters[sensor][1]
        before = path.read_bytes()
        write_geotiff(path, pixels, BANDS[sensor])
        with rasterio.open(path, "r+") as raster:
            for name, value in tags.items():
                setattr(raster, name, [value] * len(pixels))
        with pytest.raises(PatchError) as caught:
            read_all(rasters)
        path.write_bytes(before)
        return str(caught.value)

    s1 = read_pixels(rasters["s1"][1]) * np.array([0.2, 1], np.float32)[:, None, None]
    assert "the bands are swapped" in refused("s1", s1)
    percent = np.full((10, *SHAPE), 30, np.uint16)
    percent[:, :5, :5] = 112
    assert "and percent by 100" in refused("s2", percent)
    dark = np.full((10, *SHAPE), 800, np.uint16)
    dark[6] = 3000
    assert "the offset was removed already" in refused("s2", dark, scales=1e-4, offsets=-0.1)


def write_tagged(path, pixels, bands, scale, offset=0.0):
    """Write digital numbers whose tags say how they become values."""
    write_geotiff(path, pixels, bands)
    with rasterio.open(path, "r+") as raster:
        raster.scales = [scale] * len(pixels)
        raster.offsets = [offset] * len(pixels)


def test_whole_numbers_with_a_scale_tag_are_intensity(rasters):
    path = rasters["s1"][1]
    intensity = read_pixels(path)
    numbers = np.round(intensity * 10_000).astype(np.uint16)
    write_tagged(path, numbers, S1_BANDS, scale=1e-4)
    series, _ = read_all(rasters)
    np.testing.assert_allclose(series["s1"][1], np.moveaxis(numbers, 0, -1) * 1e-4, rtol=1e-5)


def test_an_offset_tag_removes_the_offset_of_new_products(rasters, recwarn):
    path = rasters["s2"][1]
    reflectance = read_pixels(path)
    rename_to_baseline(rasters, added=0)
    path = rasters["s2"][1]
    shifted = np.where(reflectance > 0, reflectance + 1000, 0).astype(np.uint16)
    write_tagged(path, shifted, S2_BANDS, scale=1e-4, offset=-0.1)
    series, _ = read_all(rasters)
    expected = np.moveaxis(reflectance, 0, -1)
    known = (expected > 0).all(axis=-1)
    np.testing.assert_allclose(series["s2"][1][known], expected[known], atol=0.5)
    assert not [warning for warning in recwarn if "-1000" in str(warning.message)]


@pytest.mark.fault("predict: amplitude instead of intensity -> a warning, since towns come near")
def test_amplitude_is_warned_of(rasters):
    path = rasters["s1"][1]
    write_geotiff(path, np.sqrt(read_pixels(path)), S1_BANDS)
    with pytest.warns(UserWarning, match=r"_s1\.tif is around .* amplitude"):
        open_stack(rasters, BANDS, MONTHS)


@pytest.mark.fault("predict: ENVI's pixels cut short -> refused, not mapped as zeros")
def test_pixels_without_a_length_are_counted(rasters):
    pixels = read_pixels(rasters["s2"][0])
    path = rasters["s2"][0].with_suffix(".dat")
    rasters["s2"][0] = write_geotiff(path, pixels, S2_BANDS, driver="ENVI")
    open_stack(rasters, BANDS, MONTHS)
    path.write_bytes(path.read_bytes()[:-2])
    with pytest.raises(PatchError, match=r"\.dat is cut short"):
        open_stack(rasters, BANDS, MONTHS)
