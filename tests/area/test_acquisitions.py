"""Files of one band and date: put together where they are neighbours, else refused.

Every test cuts one image in two, so the truth is the whole image.
"""

import numpy as np
import pytest
import rasterio
from own_images import NORTH, WEST, radar, refused, scene, write
from rasterio.enums import Resampling
from rasterio.transform import Affine
from rasterio.warp import calculate_default_transform, reproject

from multisenge_lib.area import InputUnits, import_area
from multisenge_lib.dataset import S1_BANDS, S2_BANDS

#: Two patches of 64 pixels beside each other.
IMAGE = scene(height=64, width=128)


def write_part(folder, columns, pixels=IMAGE, name="20230105", names=S2_BANDS, **options):
    """Write some columns of an image to a file of their own, at their place."""
    first, last = columns
    path = folder / f"S2_{name}-{first:010d}.tif"
    west = WEST + 10 * first
    return write(path, pixels[:, :, first:last], names, west=west, **options)


def whole_image(root, layer="s2"):
    """The pixels of the two patches side by side."""
    paths = sorted((root / layer).glob("*.tif"), key=lambda path: int(path.stem.split("_")[-2]))
    parts = []
    for path in paths:
        with rasterio.open(path) as raster:
            parts.append(raster.read())
    return np.concatenate(parts, axis=2)


@pytest.mark.fault("exports in parts, neighbouring tiles of one date -> put together by value")
@pytest.mark.parametrize("overlap", [0, 30])
def test_parts_of_one_date_are_put_together(tmp_path, overlap):
    # The seam lies in the middle of the second patch.
    write_part(tmp_path / "in", (0, 90 + overlap))
    write_part(tmp_path / "in", (90, 128))
    imported = import_area(tmp_path / "root", [tmp_path / "in"], size=64)
    np.testing.assert_array_equal(whole_image(imported.root), IMAGE)
    notice = (
        "1 date is put together from files that lie beside each other, such as s2 of 2023-01-05"
    )
    assert any(sentence.startswith(notice) for sentence in imported.notices)


def test_one_fills_what_the_other_does_not_hold(tmp_path):
    """Neighbouring tiles of ESA overlap, and each is 0 where its swath ends."""
    left = IMAGE.copy()
    left[:, :, 80:] = 0
    right = IMAGE.copy()
    right[:, :, :70] = 0
    write_part(tmp_path / "in", (0, 110), left)
    write_part(tmp_path / "in", (20, 128), right)
    imported = import_area(tmp_path / "root", [tmp_path / "in"], size=64)
    np.testing.assert_array_equal(whole_image(imported.root), IMAGE)


def test_tagged_no_data_is_filled(tmp_path):
    left = IMAGE.astype(np.int16)
    left[:, :, 80:] = -9999
    write_part(tmp_path / "in", (0, 110), left, nodata=-9999)
    write_part(tmp_path / "in", (64, 128), IMAGE.astype(np.int16), nodata=-9999)
    imported = import_area(tmp_path / "root", [tmp_path / "in"], size=64)
    np.testing.assert_array_equal(whole_image(imported.root), IMAGE)


#: So wide that the second patch still lies inside where edges are turned.
WIDE_IMAGE = scene(height=64, width=140)


def write_in_other_zone(folder, columns, factor=1.0):
    """Write a part without its outer rows in the neighbouring UTM zone, with pixels of 10 m there.

    Its edges are turned. Without the outer rows the rectangle around it does not rise above the
    part in the first zone, whose grid then is that of the area.
    """
    part = WIDE_IMAGE[:, 10:54, columns[0] : columns[1]]
    path = folder / "S2_20230105-other.tif"
    write(path, part, S2_BANDS, west=WEST + 10 * columns[0], north=NORTH - 100)
    with rasterio.open(path) as raster:
        pixels = raster.read()
        old = {"src_crs": raster.crs, "src_transform": raster.transform}
        place, width, height = calculate_default_transform(
            raster.crs, "EPSG:32718", raster.width, raster.height, *raster.bounds, resolution=10
        )
    warped = np.zeros((len(pixels), height, width), np.uint16)
    new = {"dst_crs": "EPSG:32718", "dst_transform": place}
    reproject(pixels, warped, **old, **new, src_nodata=0, resampling=Resampling.bilinear)
    warped = (warped * factor).astype(np.uint16)
    write(path, warped, S2_BANDS, place.c, place.f, crs="EPSG:32718")


@pytest.mark.fault("neighbouring tiles in two UTM zones -> put together, the second resampled")
def test_neighbours_in_two_zones_are_put_together(tmp_path):
    """The zone of the first file by path is that of the area."""
    write_part(tmp_path / "in", (0, 90), WIDE_IMAGE)
    write_in_other_zone(tmp_path / "in", (50, 140))
    imported = import_area(tmp_path / "root", [tmp_path / "in"], size=64)
    whole = whole_image(imported.root)
    np.testing.assert_array_equal(whole[:, :, :90], WIDE_IMAGE[:, :, :90])
    beyond = WIDE_IMAGE[:, 14:50, 92:118].astype(float)
    resampled = whole[:, 14:50, 92:118]
    assert (resampled > 0).all()
    # Twice resampled, so pixels differ; a shift by a pixel would leave no correlation at all.
    for band in range(len(S2_BANDS)):
        assert np.corrcoef(beyond[band].ravel(), resampled[band].ravel())[0, 1] > 0.7
    notice = "1 date is put together from files that lie beside each other"
    assert any(sentence.startswith(notice) for sentence in imported.notices)


@pytest.mark.fault("neighbouring tiles in two UTM zones, one brighter -> refused")
def test_neighbours_in_two_zones_must_agree(tmp_path):
    write_part(tmp_path / "in", (0, 90), WIDE_IMAGE)
    write_in_other_zone(tmp_path / "in", (50, 140), factor=1.1)
    message = refused(tmp_path, [tmp_path / "in"], size=64)
    assert "where they overlap: give one of them" in message


@pytest.mark.fault("a part of an image again in another UTM zone -> refused")
def test_the_same_ground_in_two_zones_is_refused(tmp_path):
    write_part(tmp_path / "in", (0, 128), WIDE_IMAGE)
    write_in_other_zone(tmp_path / "in", (30, 90))
    message = refused(tmp_path, [tmp_path / "in"], size=64)
    assert "on the same ground" in message


def test_radar_in_decibels(tmp_path):
    image = radar(height=64, width=128)
    decibels = (10 * np.log10(image)).astype(np.float32)
    for columns in ((0, 100), (60, 128)):
        write_part(tmp_path / "in", columns, decibels, names=S1_BANDS)
    imported = import_area(tmp_path / "root", [tmp_path / "in"], size=64, units=InputUnits("db"))
    np.testing.assert_allclose(whole_image(imported.root, "s1"), image, rtol=1e-5)


def test_the_first_by_name_counts_whatever_the_order_given(tmp_path):
    """Two tiles are corrected for their own atmosphere; here the second is 2 % brighter."""
    brighter = (IMAGE * 1.02).astype(np.uint16)
    first = write_part(tmp_path / "in", (0, 100))
    second = write_part(tmp_path / "in", (60, 128), brighter)
    one_order = import_area(tmp_path / "a", [first, second], size=64)
    other_order = import_area(tmp_path / "b", [second, first], size=64)
    truth = np.concatenate([IMAGE[:, :, :100], brighter[:, :, 100:]], axis=2)
    np.testing.assert_array_equal(whole_image(one_order.root), truth)
    np.testing.assert_array_equal(whole_image(other_order.root), truth)


def test_a_part_in_rows_from_south_to_north(tmp_path):
    write_part(tmp_path / "in", (0, 80))
    other = write_part(tmp_path / "in", (70, 128), IMAGE[:, ::-1])
    with rasterio.open(other, "r+") as raster:
        raster.transform = Affine(10, 0, WEST + 700, 0, 10, NORTH - 640)
    imported = import_area(tmp_path / "root", [tmp_path / "in"], size=64)
    np.testing.assert_array_equal(whole_image(imported.root), IMAGE)


def test_parts_on_a_coarser_grid(tmp_path):
    """A value for all pixels: the seam of two resampled parts leaves no gap and no edge."""
    even = np.broadcast_to(IMAGE[:, :1, :1], (10, 32, 64))
    write(tmp_path / "in" / "S2_20230105-a.tif", even[:, :, :40], S2_BANDS, res=20)
    write(tmp_path / "in" / "S2_20230105-b.tif", even[:, :, 40:], S2_BANDS, WEST + 800, res=20)
    imported = import_area(tmp_path / "root", [tmp_path / "in"], size=64)
    truth = np.broadcast_to(IMAGE[:, :1, :1], (10, 64, 128))
    np.testing.assert_array_equal(whole_image(imported.root), truth)


def test_a_dark_pixel_is_kept_where_the_neighbour_holds_nothing(tmp_path):
    """0 in one band is dark where another value means no data."""
    left = IMAGE[:, :, :80].copy()
    left[6, :, :40] = 0
    write(tmp_path / "in" / "S2_20230105-a.tif", left, S2_BANDS, nodata=65535)
    write_part(tmp_path / "in", (70, 128), nodata=65535)
    imported = import_area(tmp_path / "root", [tmp_path / "in"], size=64)
    truth = IMAGE.copy()
    truth[6, :, :40] = 1  # the smallest reflectance, since 0 means no data in the layout
    np.testing.assert_array_equal(whole_image(imported.root), truth)


@pytest.mark.fault("one of two neighbouring files lacks a band -> refused, not dark")
def test_a_part_that_lacks_a_band(tmp_path):
    write_part(tmp_path / "in", (0, 80))
    write_part(tmp_path / "in", (70, 128), IMAGE[:9], names=S2_BANDS[:9])
    message = refused(tmp_path, [tmp_path / "in"], size=64)
    assert f"{S2_BANDS[9]} does not cover the same files or tiles as {S2_BANDS[0]}" in message
    assert "is missing beside" in message and "-0000000070.tif" in message


@pytest.mark.parametrize("added", [0, 1000])
def test_agreement_does_not_depend_on_how_values_are_stored(tmp_path, added):
    """15 of 200, in dark water, is a large share and a small difference."""
    dark = np.full((10, 64, 128), 200, np.uint16)
    dark[6:] = 1500
    other = dark + np.uint16(15)
    write_part(tmp_path / "in", (0, 80), dark + np.uint16(added))
    write_part(tmp_path / "in", (60, 128), other + np.uint16(added))
    units = InputUnits(s2_offset=-added) if added else InputUnits()
    imported = import_area(tmp_path / "root", [tmp_path / "in"], size=64, units=units)
    truth = np.concatenate([dark[:, :, :80], other[:, :, 80:]], axis=2)
    np.testing.assert_array_equal(whole_image(imported.root), truth)


@pytest.mark.fault("three files of one date, of which one differs -> it is named")
def test_the_file_that_differs_is_named(tmp_path):
    write_part(tmp_path / "in", (0, 60))
    write_part(tmp_path / "in", (20, 100))
    odd = write_part(tmp_path / "in", (96, 128), (IMAGE * 1.2).astype(np.uint16))
    assert odd.name in refused(tmp_path, [tmp_path / "in"], size=64)


@pytest.mark.parametrize("unit", ["db", "linear"])
def test_radar_that_differs_is_refused_in_any_unit(tmp_path, unit):
    image = radar(height=64, width=128)
    for columns, factor in (((0, 100), 1), ((60, 128), 10**0.05)):  # half a decibel
        values = image * np.float32(factor)
        if unit == "db":
            values = (10 * np.log10(values)).astype(np.float32)
        write_part(tmp_path / "in", columns, values, names=S1_BANDS)
    message = refused(tmp_path, [tmp_path / "in"], size=64, units=InputUnits(unit))
    assert "and differ by 12% where they overlap" in message


@pytest.mark.fault("neighbouring files of one date, each stored otherwise -> each by its own tags")
@pytest.mark.parametrize("stored", ["int16", "other no data", "scale", "offset", "product"])
def test_parts_may_be_stored_differently(tmp_path, stored):
    folder = tmp_path / "in"
    write_part(folder, (0, 80))
    right = IMAGE.copy()
    options = {}
    if stored == "int16":
        right = right.astype(np.int16)
    elif stored == "other no data":
        options = {"nodata": 65535}
        right[:, :, 60:80] = 65535  # the first file shows these columns
    elif stored == "scale":
        right *= 2
    else:
        right += np.uint16(1000)
    if stored == "product":
        folder = folder / "S2A_MSIL2A_20230105T105431_N0400_R051"
    other = write_part(folder, (60, 128), right, **options)
    with rasterio.open(other, "r+") as raster:
        if stored == "scale":
            raster.scales = [0.00005] * len(S2_BANDS)
        elif stored == "offset":
            raster.offsets = [-1000] * len(S2_BANDS)
    imported = import_area(tmp_path / "root", [tmp_path / "in"], size=64)
    np.testing.assert_allclose(whole_image(imported.root), IMAGE, atol=1)


@pytest.mark.fault("one of two neighbouring files is in other units -> this file is named")
def test_the_part_in_other_units_is_named(tmp_path):
    write_part(tmp_path / "in", (0, 64))
    odd = write_part(tmp_path / "in", (64, 128), (IMAGE / np.float32(10_000)).astype(np.float32))
    message = refused(tmp_path, [tmp_path / "in"], size=64)
    assert odd.name in message and "--s2-scale" in message


@pytest.mark.fault("a neighbouring file shows nothing but a dark lake -> judged with the others")
def test_a_part_that_is_all_lake(tmp_path):
    image = IMAGE.copy()
    image[:, :, 100:] = 30
    write_part(tmp_path / "in", (0, 100), image)
    write_part(tmp_path / "in", (100, 128), image)
    imported = import_area(tmp_path / "root", [tmp_path / "in"], size=64)
    np.testing.assert_array_equal(whole_image(imported.root), image)


@pytest.mark.fault("decibels of a neighbouring file that is all town -> judged with the others")
def test_a_part_in_decibels_without_a_negative_value(tmp_path):
    image = radar(height=64, width=128)
    image[:, :, 120:] = 1.5
    decibels = (10 * np.log10(image)).astype(np.float32)
    for columns in ((0, 120), (120, 128)):
        write_part(tmp_path / "in", columns, decibels, names=S1_BANDS)
    imported = import_area(tmp_path / "root", [tmp_path / "in"], size=64, units=InputUnits("db"))
    np.testing.assert_allclose(whole_image(imported.root, "s1"), image, rtol=1e-5)


@pytest.mark.fault("a band of one of two neighbouring files is all 0 -> refused, not dark")
def test_a_part_whose_band_is_empty(tmp_path):
    right = IMAGE.copy()
    right[3] = 0
    write_part(tmp_path / "in", (0, 80))
    odd = write_part(tmp_path / "in", (80, 128), right)
    message = refused(tmp_path, [tmp_path / "in"], size=64)
    assert message.startswith(f"{odd} holds nothing in {S2_BANDS[3]}")


@pytest.mark.parametrize("split", [90, 110])
def test_parts_on_either_side_of_the_antimeridian(tmp_path, split):
    """In degrees, from 179.99 to 180.0028 east; column 100 begins at 180."""
    degrees = {"crs": "EPSG:4326", "res": 1e-4, "north": 1.0}
    for first, last in ((0, split), (split, 128)):
        path = tmp_path / "in" / f"S2_20230105-{first:03d}.tif"
        write(path, IMAGE[:, :, first:last], S2_BANDS, 179.99 + 1e-4 * first, **degrees)
    whole = write(tmp_path / "S2_20230105.tif", IMAGE, S2_BANDS, 179.99, **degrees)
    in_parts = import_area(tmp_path / "a", [tmp_path / "in"], size=64)
    in_one = import_area(tmp_path / "b", [whole], size=64)
    assert in_parts.patches == in_one.patches
    differs = whole_image(in_parts.root) != whole_image(in_one.root)
    assert differs.mean() < 0.05  # along the seam, where one file resamples over it


@pytest.mark.fault("the offset of one of two neighbouring files is wrong -> this file is named")
@pytest.mark.parametrize("wrong", ["tag", "baseline"])
def test_the_part_with_a_wrong_offset_is_named(tmp_path, wrong):
    folder = tmp_path / "in"
    write_part(folder, (0, 80))
    if wrong == "baseline":
        folder = folder / "S2A_MSIL2A_20230105T105431_N0400_R051"
    odd = write_part(folder, (60, 128))
    if wrong == "tag":
        with rasterio.open(odd, "r+") as raster:
            raster.offsets = [-1000] * len(S2_BANDS)
    message = refused(tmp_path, [tmp_path / "in"], size=64)
    assert message.startswith(f"{odd}: an offset of -1000 is added")


@pytest.mark.parametrize("band", [0, 6])
def test_a_pixel_is_taken_from_one_file_with_all_its_bands(tmp_path, band):
    """A pixel that is dark in a band of one tile: the other tile gives all bands, not this one."""
    left = IMAGE.copy()
    left[band, :, 70:] = 0
    brighter = (IMAGE * 1.02).astype(np.uint16)
    write_part(tmp_path / "in", (0, 80), left)
    write_part(tmp_path / "in", (60, 128), brighter)
    imported = import_area(tmp_path / "root", [tmp_path / "in"], size=64)
    truth = np.concatenate([IMAGE[:, :, :70], brighter[:, :, 70:]], axis=2)
    np.testing.assert_array_equal(whole_image(imported.root), truth)


@pytest.mark.fault("neighbouring files in degrees, one lacks a band -> refused, not dark")
def test_parts_in_degrees_are_matched_by_their_place(tmp_path):
    """60 m of tolerance would be the whole earth in degrees."""
    options = {"crs": "EPSG:4326", "res": 1e-4, "north": 48.6}
    for west in (7.7, 7.71):
        names = S2_BANDS if west == 7.7 else S2_BANDS[:9]
        path = tmp_path / "in" / f"S2_20230105-{west}.tif"
        write(path, IMAGE[: len(names), :, :100], names, west, **options)
    path = tmp_path / "in" / "S2_20230105-B12.tif"
    write(path, IMAGE[9:, :, :100], S2_BANDS[9:], 7.75, **options)
    message = refused(tmp_path, [tmp_path / "in"], size=64)
    assert f"{S2_BANDS[9]} does not cover the same files" in message


@pytest.mark.fault("files of one date that are no neighbours -> refused, and why")
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("brighter", "and differ by 10% where they overlap"),
        ("offset", "where they overlap"),
        ("same ground", "on the same ground"),
        ("a part of it", "on the same ground"),
        ("projection", "in different projections"),
        ("resolution", "at different resolutions and on different ground"),
    ],
)
def test_what_is_in_doubt_is_refused(tmp_path, change, words):
    columns = {"same ground": (0, 80), "a part of it": (20, 60)}.get(change, (60, 128))
    pixels = IMAGE
    options = {}
    if change == "brighter":
        pixels = (IMAGE * 1.1).astype(np.uint16)
    elif change == "offset":
        pixels = IMAGE + np.uint16(1000)
    elif change == "projection":
        options = {"crs": "EPSG:3857"}
    elif change == "resolution":
        options = {"res": 20}
    folder = tmp_path / "in"
    write_part(folder, (0, 80))
    write_part(folder, columns, pixels, name="20230105_v2", **options)
    message = refused(tmp_path, [tmp_path / "in"], size=64)
    assert words in message
    assert message.endswith("give one of them, or merge them before")


def test_the_coarser_copy_of_the_same_ground_is_left_out(tmp_path):
    """ESA's 60 m rasters may end half a pixel before the others."""
    write_part(tmp_path / "in", (0, 128))
    coarse = np.full((10, 11, 21), 9, np.uint16)
    write(tmp_path / "in" / "S2_20230105_60m.tif", coarse, S2_BANDS, res=60)
    imported = import_area(tmp_path / "root", [tmp_path / "in"], size=64)
    np.testing.assert_array_equal(whole_image(imported.root), IMAGE)


@pytest.mark.fault("parts stored alike, one with ESA's offset -> said; taken off all -> refused")
def test_one_part_alone_may_hold_an_offset(tmp_path):
    write_part(tmp_path / "in", (0, 64))
    brighter = IMAGE + np.uint16(1000)
    write_part(tmp_path / "in", (64, 128), brighter)
    imported = import_area(tmp_path / "root", [tmp_path / "in"], size=64)
    assert any("offset" in sentence for sentence in imported.notices), imported.notices
    units = InputUnits(s2_offset=-1000)
    message = refused(tmp_path / "again", [tmp_path / "in"], size=64, units=units)
    assert "an offset of -1000 is added, and most of the visible is below 0" in message
    assert "-0000000000.tif" in message


def test_a_part_of_a_few_pixels_is_not_judged_alone(tmp_path):
    """The edge of a neighbouring tile, on dark water: with ESA's offset taken off it is below 0."""
    image = IMAGE + np.uint16(1000)
    image[:, :, 126:] = np.arange(900, 1000, 10)[:, None, None]
    write_part(tmp_path / "in", (0, 126), image)
    write_part(tmp_path / "in", (126, 128), image)
    units = InputUnits(s2_offset=-1000)
    imported = import_area(tmp_path / "root", [tmp_path / "in"], size=64, units=units)
    np.testing.assert_array_equal(whole_image(imported.root)[:, :, :126], IMAGE[:, :, :126])


@pytest.mark.fault("a neighbouring file lies beyond all patches -> the others are imported")
def test_a_part_beyond_all_patches(tmp_path):
    tall = scene(height=168, width=128)
    write(tmp_path / "in" / "S2_20230105-a.tif", tall[:, :140], S2_BANDS)
    write(tmp_path / "in" / "S2_20230105-b.tif", tall[:, 140:], S2_BANDS, north=NORTH - 1400)
    imported = import_area(tmp_path / "root", [tmp_path / "in"], size=64)
    assert imported.patches == 4


@pytest.mark.fault("ESA products of neighbouring tiles, one all lake -> judged as one image")
def test_products_of_one_baseline_are_stored_alike(tmp_path):
    image = IMAGE + np.uint16(1000)
    image[:, :, 100:] = 1030
    for columns, tile in (((0, 100), "T31UEQ"), ((100, 128), "T31UFQ")):
        folder = tmp_path / "in" / f"S2A_MSIL2A_20230105T105431_N0400_R051_{tile}_20230105T150000"
        write_part(folder, columns, image)
    imported = import_area(tmp_path / "root", [tmp_path / "in"], size=64)
    np.testing.assert_array_equal(whole_image(imported.root), image - 1000)


def test_the_few_pixels_of_a_part_stored_otherwise_are_not_judged(tmp_path):
    image = IMAGE.copy()
    image[:, :, 127:] = 65  # 64 pixels
    write_part(tmp_path / "in", (0, 127), image)
    write_part(tmp_path / "in", (127, 128), image.astype(np.int16))
    imported = import_area(tmp_path / "root", [tmp_path / "in"], size=64)
    np.testing.assert_array_equal(whole_image(imported.root), image)


@pytest.mark.fault("a narrow part in other units -> refused, however large the patches are")
def test_pixels_are_counted_and_not_the_thinned_ones(tmp_path):
    wide = scene(height=256, width=512)
    write_part(tmp_path / "in", (0, 490), wide)
    reflectance = (wide / 10_000).astype(np.float32)
    write_part(tmp_path / "in", (490, 512), reflectance)
    assert "-0000000490.tif" in refused(tmp_path, [tmp_path / "in"], size=256)


@pytest.mark.fault("decibels in whole numbers with scale and offset tags -> converted")
@pytest.mark.parametrize(("scale", "offset"), [(0.01, -100), (-0.01, 0)])
def test_decibels_with_tags(tmp_path, scale, offset):
    image = radar(height=64, width=64)
    stored = np.rint((10 * np.log10(image) - offset) / scale)
    source = write(tmp_path / "S1_20230105.tif", stored.astype(np.uint16), S1_BANDS)
    with rasterio.open(source, "r+") as raster:
        raster.scales = [scale] * 2
        raster.offsets = [offset] * 2
    imported = import_area(tmp_path / "root", [source], size=64, units=InputUnits("db"))
    np.testing.assert_allclose(whole_image(imported.root, "s1"), image, rtol=2e-3)


@pytest.mark.fault("a date without a band, one file per band -> leave out all its files, not one")
def test_a_date_that_lacks_a_band_is_left_out_as_a_whole(tmp_path):
    for day in ("20230105", "20230202"):
        for band, pixels in zip(S2_BANDS, IMAGE, strict=True):
            if (day, band) != ("20230202", "B5"):
                write(tmp_path / "in" / f"S2_{day}_{band}.tif", pixels[None])
    message = refused(tmp_path, [tmp_path / "in"], size=64)
    assert "s2 of 2023-02-02 has no B5" in message
    # The nearest band by wavelength: 741 nm, not the red one at 665 nm.
    assert message.endswith("--fill B5=B6, or leave out all files of this date")


@pytest.mark.fault("bands of one image that cover different ground -> missing, and not dark")
@pytest.mark.parametrize("res", [10.0, 20.0])
def test_what_one_band_does_not_cover_is_missing(tmp_path, res):
    """Clipped by one outline, the 20 m bands end before those of 10 m."""
    step = int(res / 10)
    fine = write(tmp_path / "in" / "S2_20230105_10m.tif", IMAGE[:4], S2_BANDS[:4])
    coarse = IMAGE[4:, ::step, :120:step]
    write(tmp_path / "in" / "S2_20230105_20m.tif", coarse, S2_BANDS[4:], res=res)
    imported = import_area(tmp_path / "root", [fine.parent], size=64)
    image = whole_image(imported.root)
    assert not image[:, :, 120:].any()
    np.testing.assert_array_equal(image[:4, :, :120], IMAGE[:4, :, :120])
    assert image[4:, :, :120].min() > 1


@pytest.mark.fault("bands of one image without common ground -> both files named")
def test_bands_of_different_places(tmp_path):
    write(tmp_path / "in" / "S2_20230105_a.tif", IMAGE[:9], S2_BANDS[:9])
    write(tmp_path / "in" / "S2_20230105_b.tif", IMAGE[9:], S2_BANDS[9:], west=WEST + 2000)
    message = refused(tmp_path, [tmp_path / "in"])
    assert "S2_20230105_a.tif" in message and "S2_20230105_b.tif" in message
    assert "no ground in common" in message


@pytest.mark.fault("two scenes of a day whose grids lie up to a pixel apart -> refused")
@pytest.mark.parametrize("distance", [4, 6, 10])
def test_two_scenes_nearly_on_one_grid(tmp_path, distance):
    west = IMAGE.copy()
    west[:, :, 64:] = 0
    write(tmp_path / "in" / "S2A_20230105.tif", west, S2_BANDS)
    write(tmp_path / "in" / "S2B_20230105.tif", IMAGE, S2_BANDS, west=WEST + distance)
    message = refused(tmp_path, [tmp_path / "in"])
    assert "S2A_20230105.tif" in message and "S2B_20230105.tif" in message
    assert "on the same ground" in message


@pytest.mark.fault("coarse bands that would fit two scenes of a day -> refused")
def test_coarse_bands_of_two_scenes_nearby(tmp_path):
    """Two scenes 20 m apart, whose bands of 40 m would fit either."""
    parts = []
    for number, columns in enumerate([(0, 96), (2, 98)]):
        place = {"west": WEST + 10 * columns[0], "north": NORTH}
        name = f"S2_20230105_{number}"
        fine = write(tmp_path / f"{name}.tif", IMAGE[:9, :, slice(*columns)], S2_BANDS[:9], **place)
        coarse = IMAGE[9:, ::4, slice(*columns, 4)]
        coarse = write(tmp_path / f"{name}_B12.tif", coarse, S2_BANDS[9:], res=40.0, **place)
        parts.append((fine, coarse))
    # The 40 m bands lie less than a pixel apart, so which of them is meant is in doubt.
    assert "B12 of 2023-01-05, on the same ground" in refused(tmp_path, sum(parts, ()))


@pytest.mark.fault("VV of an ascending and VH of a descending orbit of one day -> refused")
@pytest.mark.parametrize("names", [("ASC", "DES"), ("ASCENDING", "DESCENDING")])
def test_polarisations_of_two_orbits(tmp_path, names):
    pixels = radar(height=64, width=64)
    for name, band, values in zip(names, ("VV", "VH"), (pixels[:1], pixels[1:]), strict=True):
        write(tmp_path / "in" / f"s1a_19GBP_{band}_{name}_037_20230105.tif", values, [band])
    message = refused(tmp_path, [tmp_path / "in"])
    assert "different orbits" in message and "ASC" in message and "DES" in message


@pytest.mark.parametrize("folder", ["ile_des_pins/asc", "Ban_des_Vosges", "in"])
def test_des_is_a_french_word_too(tmp_path, folder):
    path = write(
        tmp_path / folder / "S1A_ASC_DES_20230105.tif", radar(height=64, width=64), S1_BANDS
    )
    assert import_area(tmp_path / "root", [path], size=64).patches == 1
