"""Images as providers deliver them: taken with the right values, or refused in one line.

The truth is reflectance x 10,000 of `GREEN`, 400 in B4, or what a test writes itself.
"""

import json
import os

import numpy as np
import pytest
import rasterio
from own_images import (
    GREEN,
    HEIGHT,
    NORTH,
    WEST,
    WIDTH,
    pixel_of,
    radar,
    refused,
    scene,
    write,
    write_bands,
)
from rasterio.enums import ColorInterp
from rasterio.transform import Affine, from_gcps
from rasters import FORCE_BANDS

from multisenge_lib.area import InputUnits, import_area
from multisenge_lib.dataset import S2_BANDS, load_selection

B2 = S2_BANDS.index("B2")
B4 = S2_BANDS.index("B4")


def flat(add=0, dtype=np.uint16, height=64, width=64):
    """Every pixel as `GREEN`, plus an offset."""
    pixels = np.broadcast_to(GREEN[:, None, None], (len(GREEN), height, width))
    return (pixels + add).astype(dtype)


def notices_of(imported):
    return " | ".join(imported.notices)


# ------------------------------------------------------------------ offsets, scales, units


@pytest.mark.fault("products before and after January 2022 in one series -> each has its offset")
def test_a_series_across_january_2022(tmp_path):
    before = "S2A_MSIL2A_20211205T105431_N0301_R051_T19GBP_20211205T130000.SAFE"
    after = "S2A_MSIL2A_20220204T105201_N0400_R051_T19GBP_20220204T130000.SAFE"
    write_bands(tmp_path / "in" / before / "R10m", "T19GBP_20211205T105431_{}_10m.tif", flat())
    write_bands(tmp_path / "in" / after / "R10m", "T19GBP_20220204T105201_{}_10m.tif", flat(1000))
    imported = import_area(tmp_path / "root", [tmp_path / "in"], size=64)
    for day in ("20211205", "20220204"):
        assert pixel_of(imported.root, "s2", day).tolist() == GREEN.tolist()
    assert "10 rasters are of ESA's processing baseline 04.00 or later" in notices_of(imported)

    message = refused(tmp_path / "given", [tmp_path / "in"], units=InputUnits(s2_offset=-1000))
    assert "N0301" in message and "leave out --s2-offset -1000" in message
    kept = import_area(tmp_path / "kept", [tmp_path / "in"], size=64, units=InputUnits(s2_offset=0))
    assert pixel_of(kept.root, "s2", "20220204")[B4] == 1400
    assert "your scale and offset of 0 count instead" in notices_of(kept)


def product_with_metadata(folder, name, baseline, offset=None):
    """Write an ESA product of stored reflectance 1000 above `flat`, and its metadata file."""
    product = folder / f"S2A_MSIL2A_20220204T105201_{name}_R051.SAFE"
    bands = product / "GRANULE" / "L2A" / "IMG_DATA" / "R10m"
    write_bands(bands, "T19_20220204_{}.tif", flat(1000))
    element = "" if offset is None else f'<BOA_ADD_OFFSET band_id="1">{offset}</BOA_ADD_OFFSET>'
    xml = f"<x><PROCESSING_BASELINE>{baseline}</PROCESSING_BASELINE>{element}</x>"
    (product / "MTD_MSIL2A.xml").write_text(xml)
    return folder


@pytest.mark.parametrize(
    ("name", "baseline", "offset", "truth"),
    [
        ("N0400", "04.00", "-1000", 400),
        ("N9999", "99.99", "-1000", 400),
        ("N9999", "99.99", None, 1400),
        ("renamed", "03.01", None, 1400),
    ],
)
def test_the_metadata_of_a_product_give_its_offset(tmp_path, name, baseline, offset, truth):
    folder = product_with_metadata(tmp_path / "in", name, baseline, offset)
    imported = import_area(tmp_path / "root", [folder], size=64)
    assert pixel_of(imported.root, "s2", "20220204")[B4] == truth


@pytest.mark.fault("a product called N0400 whose metadata say 02.14 -> refused, or the user's word")
def test_a_name_that_contradicts_the_metadata(tmp_path):
    folder = product_with_metadata(tmp_path / "in", "N0400", "02.14")
    message = refused(tmp_path, [folder])
    assert "MTD_MSIL2A.xml says processing baseline N0214" in message
    assert "says another baseline: correct the wrong one, or" in message
    assert "N0400" in message and "--s2-offset" in message
    units = InputUnits(s2_offset=-1000)
    imported = import_area(tmp_path / "given", [folder], size=64, units=units)
    assert pixel_of(imported.root, "s2", "20220204")[B4] == 400


@pytest.mark.fault("an offset that no name tells of, or that was subtracted before -> said")
def test_values_are_held_against_the_offset(tmp_path):
    unnamed = write(tmp_path / "T19GBP_20230105T104031.tif", flat(1000), S2_BANDS)
    imported = import_area(tmp_path / "a", [unnamed], size=64)
    assert "give --s2-offset -1000" in notices_of(imported)
    with_offset = import_area(tmp_path / "b", [unnamed], size=64, units=InputUnits(s2_offset=-1000))
    assert pixel_of(with_offset.root, "s2", "20230105").tolist() == GREEN.tolist()
    assert "--s2-offset" not in notices_of(with_offset)
    plain = write(tmp_path / "plain" / "S2_20230105.tif", flat(), S2_BANDS)
    assert "--s2-offset" not in notices_of(import_area(tmp_path / "c", [plain], size=64))

    harmonised = tmp_path / "S2A_MSIL2A_20230105T104031_N0400_R008.tif"
    write(harmonised, flat(), S2_BANDS)
    assert "this was done before: give --s2-offset 0" in refused(tmp_path, [harmonised])
    kept = import_area(tmp_path / "d", [harmonised], size=64, units=InputUnits(s2_offset=0))
    assert pixel_of(kept.root, "s2", "20230105").tolist() == GREEN.tolist()


@pytest.mark.fault("scale and offset tags -> applied and said; what the user says counts more")
def test_scale_and_offset_tags_are_applied(tmp_path):
    path = write(tmp_path / "S2_20230105.tif", flat(1000), S2_BANDS)
    with rasterio.open(path, "r+") as raster:
        raster.scales = [1e-4] * 10
        raster.offsets = [-0.1] * 10
    imported = import_area(tmp_path / "root", [path], size=64)
    assert pixel_of(imported.root, "s2", "20230105").tolist() == GREEN.tolist()
    assert "10 bands have scale or offset tags, which are applied" in notices_of(imported)
    with_offset = import_area(tmp_path / "given", [path], size=64, units=InputUnits(s2_offset=0))
    assert pixel_of(with_offset.root, "s2", "20230105")[B4] == 1400
    assert "what you say counts instead" in notices_of(with_offset)


def test_tagged_decibels_are_scaled(tmp_path):
    decibels = np.rint(1000 * np.log10(radar())).astype(np.int16)  # dB x 100
    path = write(tmp_path / "S1_20230105.tif", decibels, ["VV", "VH"])
    with rasterio.open(path, "r+") as raster:
        raster.scales = [0.01] * 2
    imported = import_area(tmp_path / "root", [path], size=96, units=InputUnits(s1="db"))
    np.testing.assert_allclose(
        pixel_of(imported.root, "s1", "20230105"), radar()[:, 0, 0], rtol=2e-3
    )


@pytest.mark.fault("pictures of 8 or 16 bit, complex numbers -> refused")
@pytest.mark.parametrize(
    ("name", "pixels", "bands", "words"),
    [
        ("S2", np.clip(flat() / 14, 1, 255).astype(np.uint8), S2_BANDS, "8-bit picture"),
        ("S2", (flat() / 10_000 * 65_535).astype(np.uint16), S2_BANDS, "16-bit picture"),
        ("S1", radar().astype(np.complex64), ("VV", "VH"), "complex"),
    ],
)
def test_pictures_and_complex_numbers_are_refused(tmp_path, name, pixels, bands, words):
    path = write(tmp_path / f"{name}_20230105.tif", pixels, bands)
    assert words in refused(tmp_path, [path])


@pytest.mark.fault("-10000 without a tag beside pixels of 20 m -> no data, mixed into none")
def test_untagged_no_data_of_maja_is_not_mixed(tmp_path):
    stored = flat(dtype=np.int16, height=32, width=32)
    stored[:, :, 20:] = -10000
    path = write(tmp_path / "S2_20230105.tif", stored, S2_BANDS, res=20.0)
    imported = import_area(tmp_path / "root", [path], size=64)
    for column in (0, 38, 39):
        assert pixel_of(imported.root, "s2", "20230105", column=column).tolist() == GREEN.tolist()
    for column in (40, 41, 63):
        assert not pixel_of(imported.root, "s2", "20230105", column=column).any()


@pytest.mark.parametrize("kind", ["alpha", "mask"])
@pytest.mark.fault("alpha band or internal mask -> what it hides is no data")
def test_what_a_mask_hides_is_no_data(tmp_path, kind):
    hidden = np.full((1, 64, 64), 65535, np.uint16)
    hidden[:, :, 20:] = 0
    pixels = flat()
    path = tmp_path / "S2_20230105.tif"
    if kind == "alpha":
        write(path, np.concatenate([pixels, hidden]), [*S2_BANDS, ""], photometric="MINISBLACK")
        with rasterio.open(path, "r+") as raster:
            raster.colorinterp = (
                [ColorInterp.gray] + [ColorInterp.undefined] * 9 + [ColorInterp.alpha]
            )
    else:
        with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True):
            write(path, pixels, S2_BANDS)
            with rasterio.open(path, "r+") as raster:
                raster.write_mask((hidden[0] > 0).astype(np.uint8) * 255)
    imported = import_area(tmp_path / "root", [path], size=32)
    assert pixel_of(imported.root, "s2", "20230105", column=19).tolist() == GREEN.tolist()
    assert not pixel_of(imported.root, "s2", "20230105", column=20).any()


@pytest.mark.fault("an offset that the values do not hold, or above 0 -> one line")
def test_an_offset_that_is_not_in_the_values(tmp_path):
    def refused_offset(pixels, **units):
        path = write(tmp_path / "S2_20230105.tif", pixels, S2_BANDS)
        return refused(tmp_path, [path], units=InputUnits(**units))

    for pixels, units in (
        (flat(), {"s2_offset": -1000}),
        (flat(dtype=np.float32), {"s2_offset": -1000}),
        (flat() / 10_000, {"s2_offset": -0.1, "s2_scale": 10_000}),
    ):
        assert "hold no such offset" in refused_offset(pixels, **units)
    assert "offset 1000 of Sentinel-2: it is added" in refused_offset(flat(1000), s2_offset=1000)

    tagged = write(tmp_path / "S2_20230105.tif", flat(), S2_BANDS)
    with rasterio.open(tagged, "r+") as raster:
        raster.scales = [1e-4] * 10
        raster.offsets = [-0.1] * 10
    assert "hold no such offset" in refused(tmp_path, [tagged])


def filled(pixels, number, size=20):
    """The same pixels with a number in a corner of all bands."""
    pixels = pixels.copy()
    pixels[:, -size:, -size:] = number
    return pixels


#: What is stored without a tag where there is no data; type of the raster; scale of the user.
FILLS = [
    (9999, np.int16, None),
    (32_767, np.int16, None),
    (55_537, np.uint16, None),  # -9999 as unsigned
    (55_536, np.uint16, None),  # -10000
    (9999, np.float32, 10_000),
    (32_767, np.float32, 10_000),
    (255, np.float32, 10_000),
    (1e20, np.float32, 10_000),
]


@pytest.mark.fault("a fill value without a tag, such as 9999 or 1e20 -> named, and --no-data helps")
@pytest.mark.parametrize(("number", "dtype", "scale"), FILLS)
def test_untagged_fill_values_of_reflectance(tmp_path, number, dtype, scale):
    stored = flat() / (scale or 1)
    path = write(tmp_path / "S2_20230105.tif", filled(stored.astype(dtype), number), S2_BANDS)
    message = refused(tmp_path, [path], units=InputUnits(s2_scale=scale))
    assert f"give --no-data {number:g}" in message
    units = InputUnits(s2_scale=scale, no_data=number)
    imported = import_area(tmp_path / "root", [path], size=64, units=units)
    assert pixel_of(imported.root, "s2", "20230105").tolist() == GREEN.tolist()
    assert not pixel_of(imported.root, "s2", "20230105", 63, 63).any()


@pytest.mark.parametrize("number", [9999, 255, 1e20, -9999, 1e-30])
@pytest.mark.parametrize("bands", [("VV", "VH"), ("VV",)])
def test_untagged_fill_values_of_backscatter(tmp_path, number, bands):
    stored = filled(radar()[: len(bands)], number, 60)
    path = write(tmp_path / "S1_20230105.tif", stored, bands)
    refused(tmp_path, [path])
    if number != 1e20 or len(bands) == 2:
        assert f"give --no-data {number:g}" in refused(tmp_path, [path])
    units = InputUnits(no_data=number)
    imported = import_area(tmp_path / "root", [path], size=96, units=units)
    assert pixel_of(imported.root, "s1", "20230105").tolist() == stored[:, 0, 0].tolist()


def test_a_fill_value_of_decibels_is_found_before_conversion(tmp_path):
    decibels = 10 * np.log10(radar())
    path = write(tmp_path / "S1_20230105.tif", filled(decibels, 255, 60), ("VV", "VH"))
    message = refused(tmp_path, [path], units=InputUnits(s1="db"))
    assert "give --no-data 255" in message


@pytest.mark.fault("decibels x 100 said to be decibels -> one line, not no data everywhere")
def test_decibels_times_100_are_not_taken_for_no_data(tmp_path):
    path = tmp_path / "S1_20230105.tif"
    write(path, (1000 * np.log10(radar())).astype(np.int16), ("VV", "VH"))
    message = refused(tmp_path, [path], units=InputUnits(s1="db"))
    assert "every pixel is below -400 dB" in message
    assert "such as 100" in message


def percent():
    """Vegetation in percent, under one cloud that reflects more than all light."""
    pixels = flat() / np.float32(100)
    pixels[:, 5:9, 5:9] = np.linspace(108, 114, 10)[:, None, None]
    return pixels.astype(np.float32)


@pytest.mark.fault("reflectance in percent, x 1,000, beyond 16 bit -> one line, whatever clouds do")
@pytest.mark.parametrize(
    ("pixels", "words"),
    [
        (percent(), "and percent by 100"),
        (np.rint(percent()).astype(np.uint16), "and percent by 100"),
        (flat() // 10, "x 1,000 by 10"),
        (flat(dtype=np.int32) * 1000, "give as --s2-scale what to multiply with"),
        (np.where(flat() == 2900, 70_000, flat(dtype=np.float32)), "holds 70000,"),
        (np.where(flat() == 2900, -3.4e38, flat(dtype=np.float32)), "--no-data -3.4e+38,"),
    ],
)
def test_reflectance_in_other_units(tmp_path, pixels, words):
    path = write(tmp_path / "S2_20230105.tif", pixels, S2_BANDS)
    assert words in refused(tmp_path, [path])


def test_the_scale_of_the_user_is_applied_to_percent(tmp_path):
    path = write(tmp_path / "S2_20230105.tif", percent(), S2_BANDS)
    imported = import_area(tmp_path / "root", [path], size=64, units=InputUnits(s2_scale=100))
    assert pixel_of(imported.root, "s2", "20230105").tolist() == GREEN.tolist()


@pytest.mark.fault("one band from 0 to 1 or in percent beside reflectance x 10,000 -> its file")
@pytest.mark.parametrize(
    ("bands", "divided", "divisor", "dtype"),
    [
        (S2_BANDS, ("B11", "B12"), 10_000, np.float32),
        (S2_BANDS, ("B3",), 10_000, np.float32),
        (S2_BANDS, ("B12",), 100, np.uint16),
        (("B2", "B3", "B4", "B8"), ("B8",), 10_000, np.float32),
    ],
)
def test_one_band_in_another_unit(tmp_path, bands, divided, divisor, dtype):
    for band in bands:
        pixels = scene()[[S2_BANDS.index(band)]]
        if band in divided:
            pixels = (pixels / divisor).astype(dtype)
        write(tmp_path / "in" / f"S2_20230105_{band}.tif", pixels)
    message = refused(tmp_path, [tmp_path / "in"])
    assert f"S2_20230105_{divided[0]}.tif: {divided[0]} is almost 0 everywhere" in message
    assert "multiply this band by 10,000, or by 100, or leave this image out" in message


DARK_GROUND = {
    "algae mat": [150, 300, 200, 500, 1400, 1700, 1800, 1900, 60, 30],
    "flooded rice": [300, 400, 350, 500, 1000, 1200, 1300, 1400, 90, 50],
    "salt flat": [4000, 4500, 4800, 5000, 5000, 5000, 5000, 5000, 150, 80],
    "forest cut off in B2": [1, 60, 10, 200, 900, 1100, 1200, 1300, 400, 150],
}


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
@pytest.mark.parametrize("spectrum", DARK_GROUND.values(), ids=DARK_GROUND)
def test_land_may_be_dark_in_one_band(tmp_path, spectrum, dtype):
    pixels = np.broadcast_to(np.array(spectrum, dtype)[:, None, None], (10, 64, 64))
    path = write(tmp_path / "S2_20230105.tif", pixels, S2_BANDS)
    imported = import_area(tmp_path / "root", [path], size=64)
    assert pixel_of(imported.root, "s2", "20230105").tolist() == spectrum


@pytest.mark.parametrize("scale", [None, 10_000])
def test_water_with_decimals_below_1_in_the_short_wave(tmp_path, scale):
    """Beside some brighter pixels, or where all bands are stored from 0 to 1."""
    lake = np.array([900, 700, 300, 100, 60, 50, 50, 40, 0.9, 0.5], np.float32)
    pixels = np.broadcast_to(lake[:, None, None], (10, 64, 64)).copy()
    pixels[8:, :8] = 30
    if scale is not None:
        pixels[8:] = 0.9
        pixels /= scale
    for band, image in zip(S2_BANDS, pixels, strict=True):
        is_whole = scale is None and band not in ("B11", "B12")
        stored = image.astype(np.uint16) if is_whole else image
        write(tmp_path / "in" / f"S2_20230105_{band}.tif", stored[None])
    units = InputUnits(s2_scale=scale)
    imported = import_area(tmp_path / "root", [tmp_path / "in"], size=64, units=units)
    assert pixel_of(imported.root, "s2", "20230105")[0] == 900


def test_a_lake_is_dark_in_the_infrared_as_whole_numbers_too(tmp_path):
    lake = scene()
    lake[S2_BANDS.index("B5") :] = 1
    lake[S2_BANDS.index("B2")] += 800
    paths = write_bands(tmp_path / "in", "S2_20230105_{}.tif", lake)
    imported = import_area(tmp_path / "root", [paths], size=32)
    assert pixel_of(imported.root, "s2", "20230105")[-1] == 1


@pytest.mark.fault("a 16-bit picture of the visible alone -> its scale, not an offset of 1000")
def test_a_picture_of_16_bit_is_known_by_its_numbers(tmp_path):
    visible = scene()[:3]
    bands = S2_BANDS[:3]
    for rounding in (np.round, np.floor):
        picture = rounding(visible * 6.5535).astype(np.uint16)
        path = write(tmp_path / "S2_20230105.tif", picture, bands)
        assert "0.15259 where it is a 16-bit picture" in refused(tmp_path, [path])
    units = InputUnits(s2_scale=0.15259)
    imported = import_area(tmp_path / "root", [path], size=32, units=units)
    difference = pixel_of(imported.root, "s2", "20230105") - visible[:, 0, 0].astype(int)
    assert np.abs(difference).max() <= 1


@pytest.mark.fault("amplitude instead of intensity, VV and VH swapped -> one line")
@pytest.mark.parametrize(
    ("pixels", "bands", "unit", "words"),
    [
        (np.sqrt(radar()), ("VV", "VH"), None, "amplitude instead of intensity"),
        (np.sqrt(radar()[:1]), ("VV",), None, "amplitude instead of intensity"),
        (5 * np.log10(radar()), ("VV", "VH"), "db", "amplitude instead of intensity"),
        (radar()[::-1], ("VV", "VH"), None, "the bands are swapped"),
        (10 * np.log10(radar()[::-1]), ("VV", "VH"), "db", "the bands are swapped"),
    ],
)
def test_amplitude_and_swapped_polarisations(tmp_path, pixels, bands, unit, words):
    path = write(tmp_path / "S1_20230105.tif", pixels, bands)
    assert words in refused(tmp_path, [path], units=InputUnits(s1=unit))


def test_a_dense_town_is_taken_as_linear_where_the_user_says_so(tmp_path):
    town = 6 * radar()
    path = write(tmp_path / "S1_20230105.tif", town, ("VV", "VH"))
    imported = import_area(tmp_path / "root", [path], size=96, units=InputUnits(s1="linear"))
    np.testing.assert_array_equal(pixel_of(imported.root, "s1", "20230105"), town[:, 0, 0])


# ------------------------------------------------------------------ names of bands


@pytest.mark.fault("bands called b1 to b10 -> a count, asked for; --s2-bands counts more")
def test_numbered_bands_are_no_names(tmp_path):
    path = write(tmp_path / "S2_20230105.tif", flat(), [f"b{i}" for i in range(1, 11)])
    assert "only numbers its 10 bands" in refused(tmp_path, [path])
    imported = import_area(tmp_path / "root", [path], size=64, s2_bands=S2_BANDS)
    assert pixel_of(imported.root, "s2", "20230105").tolist() == GREEN.tolist()


def test_what_the_user_says_counts_more_than_descriptions(tmp_path):
    wrong = [*S2_BANDS[:2][::-1], *S2_BANDS[2:]]
    path = write(tmp_path / "S2_20230105.tif", flat(), wrong)
    imported = import_area(tmp_path / "root", [path], size=64, s2_bands=S2_BANDS)
    assert pixel_of(imported.root, "s2", "20230105")[B2] == GREEN[B2]
    assert "1 raster describes its bands otherwise than you do" in notices_of(imported)


def test_an_order_of_one_sensor_is_not_taken_for_the_others_files(tmp_path):
    # A lone band VV has as many bands as each of these files, which say what they are.
    write_bands(tmp_path / "in", "20230105_{}.tif", flat())
    imported = import_area(
        tmp_path / "root", [tmp_path / "in"], size=64, s1_bands=["VV"], s2_bands=S2_BANDS
    )
    assert pixel_of(imported.root, "s2", "20230105").tolist() == GREEN.tolist()


@pytest.mark.parametrize("description", ["Band 1", "Layer_1", "Gray", "b1"])
def test_the_file_name_counts_where_a_description_names_no_band(tmp_path, description):
    for band, pixels in zip(S2_BANDS, flat(), strict=True):
        write(tmp_path / "in" / f"S2_20230105_{band}.tif", pixels[None], [description])
    imported = import_area(tmp_path / "root", [tmp_path / "in"], size=64)
    assert pixel_of(imported.root, "s2", "20230105").tolist() == GREEN.tolist()


NUMBERINGS = {
    "from 1": [f"B{number}" for number in range(1, 11)],
    "from 0": [f"B{number}" for number in range(10)],
    "with zeros": [f"B{number:02}" for number in range(1, 11)],
}


@pytest.mark.fault("bands numbered by position, in one file or in ten -> asked for their names")
@pytest.mark.parametrize("names", NUMBERINGS.values(), ids=NUMBERINGS)
def test_positions_are_no_names(tmp_path, names):
    stack = write(tmp_path / "S2_20230105.tif", flat(), names)
    assert "only numbers its 10 bands" in refused(tmp_path, [stack])
    files = write_bands(tmp_path / "in", "S2_20230105_{}.tif", flat(), names)
    first = names[0].replace("B01", "B1")
    assert f"are numbered {first} to {names[-1]}" in refused(tmp_path, [files])
    described = tmp_path / "described"
    for number, (name, pixels) in enumerate(zip(names, flat(), strict=True)):
        write(described / f"S2_20230105_{chr(97 + number)}.tif", pixels[None], [name])
    assert "by position or by name" in refused(tmp_path, [described])
    # An extra layer beside them changes nothing.
    more = write(tmp_path / "S2_20230202.tif", flat()[[*range(10), 0]], [*names, "QA60"])
    assert "only numbers its" in refused(tmp_path, [more])


def test_a_band_that_no_network_takes_may_lie_beside_the_others(tmp_path):
    write_bands(tmp_path / "in", "S2_20230105_{}.tif", flat())
    write_bands(tmp_path / "in", "S2_20230105_{}.tif", flat()[:2], ("B1", "B9"))
    imported = import_area(tmp_path / "root", [tmp_path / "in"], size=64)
    assert pixel_of(imported.root, "s2", "20230105").tolist() == GREEN.tolist()


@pytest.mark.fault("several dates in one file -> taken by the dates in band names, or one line")
def test_several_dates_in_one_file(tmp_path):
    both = np.concatenate([flat(), flat(5)])
    names = [f"{day}T105031_T19_{band}" for day in ("20230105", "20230202") for band in S2_BANDS]
    path = write(tmp_path / "stack.tif", both, names)
    imported = import_area(tmp_path / "root", [path], size=64)
    assert pixel_of(imported.root, "s2", "20230202")[B4] == 405
    bands = [f"{i}_{band}" for i in range(2) for band in S2_BANDS]
    undated = write(tmp_path / "S2_20230105.tif", both, bands)
    assert "seems to hold several dates" in refused(tmp_path / "b", [undated])


@pytest.mark.parametrize(
    "name",
    [
        "HLS.S30.T19GBP.2023005T144731.v2.0.{}.tif",
        "ga_s2am_nbart_3-2-1_19GBP_2023-01-05_final_{}.tif",
    ],
)
def test_names_of_hls_and_of_dea(tmp_path, name):
    words = dict(
        zip(S2_BANDS, ["02", "03", "04", "05", "06", "07", "08", "8a", "11", "12"], strict=True)
    )
    for band, pixels in zip(S2_BANDS, flat(), strict=True):
        word = f"band{words[band]}" if name.startswith("ga") else band
        write(tmp_path / "in" / name.format(word), pixels[None])
    write(tmp_path / "in" / name.format("Fmask"), flat()[:1].astype(np.uint8))
    imported = import_area(tmp_path / "root", [tmp_path / "in"], size=64)
    assert pixel_of(imported.root, "s2", "20230105").tolist() == GREEN.tolist()


# ------------------------------------------------------------------ products and their files


def test_a_theia_folder_as_delivered(tmp_path):
    product = tmp_path / "in" / "SENTINEL2A_20230105-105433-459_L2A_T19GBP_C_V2-2"
    name = "SENTINEL2A_20230105-105433-459_L2A_T19GBP_C_V2-2_{}_{{}}.tif"
    write_bands(product, name.format("FRE"), flat(dtype=np.int16))
    write_bands(product, name.format("SRE"), flat(7, dtype=np.int16))
    for band in ("R1-B02", "R1-B03", "R2-B05"):
        write(product / f"{product.name}_DTF_{band}.tif", flat()[:1].astype(np.uint8))
    for mask in ("CLM_R1", "EDG_R1", "SAT_B2"):
        write(product / "MASKS" / f"{product.name}_{mask}.tif", flat()[:1].astype(np.uint8))
    write(product / f"{product.name}_ATB_R1.tif", flat()[:2])  # water vapour and aerosols
    imported = import_area(tmp_path / "root", [tmp_path / "in"], size=64)
    assert pixel_of(imported.root, "s2", "20230105").tolist() == GREEN.tolist()
    notices = notices_of(imported)
    assert "10 files left out as reflectance without correction for slopes (SRE)" in notices
    assert "7 files left out as masks" in notices


@pytest.mark.fault("MAJA's own format, two rasters without names of bands -> known by R1 and R2")
def test_a_maja_product_in_its_own_format(tmp_path):
    product = "S2A_OPER_SSC_PDTIMG_L2VALD_19GBP____20230105"
    order = [*("B2", "B3", "B4", "B8"), *("B5", "B6", "B7", "B8A", "B11", "B12")]
    pixels = flat(dtype=np.int16)[[S2_BANDS.index(band) for band in order]]
    for name, bands in (("FRE_R1", pixels[:4]), ("FRE_R2", pixels[4:]), ("ATB_R1", pixels[:2])):
        write(tmp_path / "in" / f"{product}_{name}.DBL.TIF", bands)
    imported = import_area(tmp_path / "root", [tmp_path / "in"], size=64)
    assert pixel_of(imported.root, "s2", "20230105").tolist() == GREEN.tolist()


@pytest.mark.fault("SNAP's angles of each band, coherence of VV -> left out and said")
def test_layers_that_are_named_by_a_band_and_are_no_image(tmp_path):
    write_bands(tmp_path / "in" / "S2_20230105_resampled.data", "{}.img", flat(), driver="ENVI")
    folder = tmp_path / "in" / "S2_20230105_resampled.data"
    write_bands(folder, "view_zenith_{}.img", flat(), driver="ENVI")
    coherence = write(tmp_path / "in" / "S1_20230105_20230117_VV_coh.tif", radar()[:1])
    imported = import_area(tmp_path / "root", [tmp_path / "in"], size=64)
    assert pixel_of(imported.root, "s2", "20230105").tolist() == GREEN.tolist()
    assert tuple(imported.dataset.bands) == ("s2",)
    assert "11 files left out as angles, coherence, counts" in notices_of(imported)
    assert "an angle, a coherence, a count or the like" in refused(tmp_path / "b", [coherence])


def test_an_s1tiling_folder_as_delivered(tmp_path):
    for band, pixels in zip(("vv", "vh"), radar(), strict=True):
        name = f"s1a_19GBP_{band}_DES_037_20230105txxxxxx"
        write(tmp_path / "in" / f"{name}.tif", pixels[None])
        write(tmp_path / "in" / f"{name}_BorderMask.tif", np.ones((1, HEIGHT, WIDTH), np.uint8))
    imported = import_area(tmp_path / "root", [tmp_path / "in"], size=96)
    np.testing.assert_array_equal(pixel_of(imported.root, "s1", "20230105"), radar()[:, 0, 0])
    assert "2 files left out as masks" in notices_of(imported)


@pytest.mark.fault("Landsat among the images -> left out and said, alone or by name refused")
def test_landsat_is_not_taken_for_sentinel(tmp_path):
    landsat = tmp_path / "in" / "LC08_L2SP_231090_20230105_20230110_02_T1_SR_B5.TIF"
    write(landsat, flat()[:1])
    assert "left out as images of another sensor (Landsat)" in refused(tmp_path, [tmp_path / "in"])
    assert "is of Landsat" in refused(tmp_path, [landsat])
    write(tmp_path / "in" / "S2_20230105.tif", flat(), S2_BANDS)
    imported = import_area(tmp_path / "mixed", [tmp_path / "in"], size=64)
    assert imported.dataset.bands["s2"] == S2_BANDS
    assert "left out as images of another sensor (Landsat)" in notices_of(imported)
    named = write(tmp_path / "b" / "20230105.tif", flat()[:3], ["SR_B2", "SR_B3", "SR_B4"])
    assert "a band of Landsat" in refused(tmp_path, [named])


@pytest.mark.fault("Landsat by the words of Digital Earth Australia -> refused, as in a cube")
def test_landsat_of_digital_earth_australia(tmp_path):
    words = ("blue", "green", "red", "nir", "swir_1", "swir_2")
    names = [f"nbart_{word}" for word in words]
    path = write(tmp_path / "20230105.tif", flat()[:6], names)
    assert "holds nbart_swir_1, a band of Landsat" in refused(tmp_path, [path])


@pytest.mark.fault("swir_1 and swir_2 of Digital Earth Africa -> B11 and B12, in files of one band")
def test_a_folder_of_digital_earth_africa(tmp_path):
    words = ["blue", "green", "red", "red_edge_1", "red_edge_2", "red_edge_3", "nir_1", "nir_2"]
    words += ["swir_1", "swir_2"]
    write_bands(tmp_path / "in", "s2_l2a_2023-01-05_{}.tif", flat(), words)
    imported = import_area(tmp_path / "root", [tmp_path / "in"], size=64)
    assert pixel_of(imported.root, "s2", "20230105").tolist() == GREEN.tolist()
    # The same words in the order that the user gives.
    stack = write(tmp_path / "S2_20230105.tif", flat())
    by_user = import_area(tmp_path / "by_user", [stack], size=64, s2_bands=words)
    assert pixel_of(by_user.root, "s2", "20230105").tolist() == GREEN.tolist()


@pytest.mark.fault("FORCE's bands -> its NIR is B8A, beside BROADNIR")
def test_a_folder_of_force_as_written(tmp_path):
    pixels = flat(dtype=np.int16)
    pixels[:, 40:] = -9999
    write(tmp_path / "in" / "20230105_LEVEL2_SEN2A_BOA.tif", pixels, FORCE_BANDS, nodata=-9999)
    write(tmp_path / "in" / "20230105_LEVEL2_SEN2A_QAI.tif", pixels[:1])
    landsat = ["BLUE", "GREEN", "RED", "NIR", "SWIR1", "SWIR2"]
    write(tmp_path / "in" / "20230106_LEVEL2_LND08_BOA.tif", pixels[:6], landsat)
    imported = import_area(tmp_path / "root", [tmp_path / "in"], size=32)
    assert imported.dataset.bands["s2"] == S2_BANDS
    assert pixel_of(imported.root, "s2", "20230105").tolist() == GREEN.tolist()
    assert "another sensor (Landsat)" in notices_of(imported)


@pytest.mark.fault("an ESA product of 2016 -> the date of its sensing, not of its making")
def test_an_old_product_of_esa(tmp_path):
    name = "S2A_USER_MSI_L2A_TL_SGS__20160802T162011_A005772_T19GBP"
    product = "S2A_USER_PRD_MSIL2A_PDMC_20160803T031502_R051_V20160730T105042_20160730T105042.SAFE"
    folder = tmp_path / "in" / product / "GRANULE" / f"{name}_N02.04" / "IMG_DATA" / "R10m"
    write_bands(folder, f"{name}_{{}}_10m.tif", flat())
    imported = import_area(tmp_path / "root", [tmp_path / "in"], size=64)
    assert pixel_of(imported.root, "s2", "20160730").tolist() == GREEN.tolist()

    alone = write_bands(tmp_path / "alone", f"{name}_{{}}_10m.tif", flat())
    assert "that of the file's making" in refused(tmp_path / "b", [alone])


@pytest.mark.fault("a date before the sensors were in orbit, or to come -> refused with its file")
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("S2_19990706.tif", "1999-07-06 in its name cannot be the date of an image"),
        ("S2_20990706.tif", "2099-07-06 in its name cannot be the date of an image"),
        ("S2_20140706.tif", "no image of Sentinel-2 is of 2014-07-06"),
    ],
)
def test_dates_without_images(tmp_path, name, words):
    path = write(tmp_path / "in" / name, flat(), S2_BANDS)
    message = refused(tmp_path, [path])
    assert name in message and words in message


@pytest.mark.fault("a TIFF of two images -> refused, the second would be passed over")
def test_a_tiff_of_two_pages(tmp_path):
    path = write(tmp_path / "S2_20230105.tif", flat(), S2_BANDS)
    write(path, flat(), S2_BANDS, APPEND_SUBDATASET="YES")
    assert "is a TIFF of 2 images" in refused(tmp_path, [path])


@pytest.mark.fault("other endings in a folder -> read, or said")
def test_endings_in_a_folder(tmp_path):
    folder = tmp_path / "in"
    write(folder / "S2_20230105.tif", flat(), S2_BANDS).rename(folder / "S2_20230105.gtiff")
    for name in ("S2_20230202.tif.part", "S2_20230303.crdownload", "S2_20230404.rds"):
        (folder / name).write_bytes(b"II*")
    imported = import_area(tmp_path / "root", [folder], size=64)
    assert pixel_of(imported.root, "s2", "20230105").tolist() == GREEN.tolist()
    notices = notices_of(imported)
    assert "2 files left out as downloads that did not end" in notices
    assert "1 file left out as files of other formats" in notices


@pytest.mark.fault("bands in another language, and no other image -> refused, not left out")
def test_a_folder_with_words_that_are_not_understood(tmp_path):
    folder = tmp_path / "in"
    write(folder / "S1_20230105.tif", radar(), ["VV", "VH"])
    write(folder / "S2_20230105.tif", flat()[:3], ["azul", "verde", "rojo"])
    assert "not understood (azul, verde, rojo)" in refused(tmp_path, [folder])
    write(folder / "S2_20230202.tif", flat(), S2_BANDS)
    imported = import_area(tmp_path / "root", [folder], size=64)
    assert "rasters that name other layers (azul, verde, rojo)" in notices_of(imported)


@pytest.mark.fault("images that are left out by their names -> told to rename or move them")
def test_the_remedy_for_names_of_masks(tmp_path):
    write(tmp_path / "in" / "Damask_20230105.tif", flat(), S2_BANDS)
    assert "if some of these files are images, rename or move them" in refused(
        tmp_path, [tmp_path / "in"]
    )


@pytest.mark.fault("level 1C -> refused; archives among the files -> named")
def test_level_1c_and_archives(tmp_path):
    folder = tmp_path / "in" / "S2A_MSIL1C_20230105T105431_N0301_R051.SAFE"
    write_bands(folder, "T19GBP_20230105T105431_{}.tif", flat())
    assert "is of level 1C" in refused(tmp_path, [tmp_path / "in"])

    granule = write_bands(tmp_path / "c", "T19GBP_20230105T105431_{}.tif", flat())
    write(granule / "T19GBP_20230105T105431_B10.tif", flat()[:1])
    assert "is B10, which Sentinel-2 has in level 1C alone" in refused(tmp_path, [granule])
    bands = [*S2_BANDS, "B10"]
    stack = write(tmp_path / "d" / "S2_20230105.tif", np.concatenate([flat(), flat()[:1]]), bands)
    assert "holds B10, which Sentinel-2 has in level 1C alone" in refused(tmp_path, [stack])
    chosen = import_area(tmp_path / "e", [stack], size=64, s2_bands=[*S2_BANDS, "-"])
    assert pixel_of(chosen.root, "s2", "20230105").tolist() == GREEN.tolist()

    path = write(tmp_path / "b" / "S2_20230105.tif", flat(), S2_BANDS)
    (tmp_path / "b" / "S2A_MSIL2A_20230202.zip").write_bytes(b"PK")
    imported = import_area(tmp_path / "root", [path.parent], size=64)
    assert "1 file left out as archives, which must be unpacked first" in notices_of(imported)
    assert "is an archive" in refused(tmp_path / "c", [tmp_path / "b" / "S2A_MSIL2A_20230202.zip"])


@pytest.mark.fault("GeoTIFFs of other endings -> taken; other formats and archives -> named")
def test_other_endings(tmp_path):
    for day, ending in (("20230105", "tif"), ("20230202", "geotiff"), ("20230310", "gtif")):
        write(tmp_path / "in" / f"S2_{day}.tif", flat(), S2_BANDS)
        (tmp_path / "in" / f"S2_{day}.tif").rename(tmp_path / "in" / f"S2_{day}.{ending}")
    for name in ("a.rar", "b.tar.xz", "c.tif.zst", "d.kea", "e.png"):
        (tmp_path / "in" / name).write_bytes(b"x")
    imported = import_area(tmp_path / "root", [tmp_path / "in"], size=64)
    for day in ("20230105", "20230202", "20230310"):
        assert pixel_of(imported.root, "s2", day).tolist() == GREEN.tolist()
    notices = notices_of(imported)
    assert "3 files left out as archives" in notices
    assert "2 files left out as files of other formats" in notices


@pytest.mark.fault("rarer endings of GeoTIFF and JPEG 2000 -> taken, as those of HDF5 are")
def test_rarer_endings_of_images(tmp_path):
    folder = tmp_path / "in"
    endings = ("geotif", "bigtiff", "btf", "tf8", "j2k", "TIF")
    days = [f"202301{day:02}" for day in range(1, len(endings) + 1)]
    lossless = {"driver": "JP2OpenJPEG", "quality": 100, "reversible": True}
    for day, ending in zip(days, endings, strict=True):
        options = lossless if ending == "j2k" else {}
        usual = "jp2" if ending == "j2k" else "tif"
        written = write(folder / f"S2_{day}.{usual}", flat(), **options)
        written.rename(folder / f"S2_{day}.{ending}")
    imported = import_area(tmp_path / "root", [folder], size=64, s2_bands=S2_BANDS)
    for day in days:
        assert pixel_of(imported.root, "s2", day).tolist() == GREEN.tolist()


@pytest.mark.fault("HDF5 cubes of any ending -> read")
@pytest.mark.parametrize("ending", ["hdf5", "he5", "cdf", "H5"])
def test_endings_of_hdf5(tmp_path, ending):
    y = NORTH - 10 * np.arange(64) - 5.0
    x = WEST + 10 * np.arange(64) + 5.0
    coords = {"time": [np.datetime64("2023-01-05", "ns")], "y": y, "x": x}
    bands = {
        band: (("time", "y", "x"), np.full((1, 64, 64), value, np.uint16))
        for band, value in zip(S2_BANDS, GREEN, strict=True)
    }
    xarray = pytest.importorskip("xarray")
    cube = xarray.Dataset(bands, coords, {"crs": "EPSG:32719"})
    (tmp_path / "in").mkdir()
    cube.to_netcdf(tmp_path / "in" / "cube.nc", engine="h5netcdf")
    (tmp_path / "in" / "cube.nc").rename(tmp_path / "in" / f"cube.{ending}")
    imported = import_area(tmp_path / "root", [tmp_path / "in"], size=64)
    assert pixel_of(imported.root, "s2", "20230105").tolist() == GREEN.tolist()


@pytest.mark.fault("files of formats that are not read -> named in one notice with their endings")
def test_no_raster_vanishes_without_a_word(tmp_path):
    folder = tmp_path / "in"
    write(folder / "S2_20230105.tif", flat(), S2_BANDS)
    endings = ".jpx .jpc .grb .grib .grib2 .nitf .ntf .mrf .sdat .npy .npz .bmp .jpg .JPEG .asc"
    endings = [*endings.split(), ".adf", ".rst", ".png", ".gif", ".hdf"]
    for ending in endings:
        (folder / f"S2_20230202{ending}").write_bytes(b"x")
    for ending in (".zstd", ".lz4", ".lzma", ".tbz2"):
        (folder / f"S2_20230202{ending}").write_bytes(b"x")
    for name in ("a.xml", "b.txt", "c.tif.aux.xml", "d.qml", "e.ovr", "f.tfw", "g.html", "h.json"):
        (folder / name).write_text("x")
    (folder / "store").mkdir()
    (folder / "store" / "zarr.json").write_text("{}")
    notices = import_area(tmp_path / "root", [folder], size=64).notices
    left_out = [notice for notice in notices if "left out as" in notice]
    assert len(left_out) == 3
    (others,) = [notice for notice in left_out if "files of other formats" in notice]
    assert others.startswith(f"{len(endings)} files left out")
    assert others.endswith(f"; they end in {', '.join(sorted(e.lower() for e in endings))}")
    assert any(notice.startswith("4 files left out as archives") for notice in left_out)
    (store,) = [notice for notice in left_out if "Zarr" in notice]
    assert store.endswith("not called .zarr (rename them): " + str(folder / "store"))
    message = refused(tmp_path / "b", [folder / "store"])
    assert "holds no raster" in message and "Zarr stores whose folders" in message


@pytest.mark.fault("linked folders -> followed, in a circle too; folders without access -> named")
def test_links_are_followed_and_closed_folders_named(tmp_path, monkeypatch):
    write(tmp_path / "far" / "S2_20230105.tif", flat(), S2_BANDS)
    write(tmp_path / "in" / "S2_20230202.tif", flat(), S2_BANDS)
    (tmp_path / "in" / "link").symlink_to(tmp_path / "far")
    (tmp_path / "far" / "circle").symlink_to(tmp_path / "in")
    (tmp_path / "in" / "gone.tif").symlink_to(tmp_path / "nothing")
    write(tmp_path / "in" / "._S2_20230310.tif", flat()[:1])
    imported = import_area(tmp_path / "root", [tmp_path / "in"], size=64)
    assert len(load_selection(imported.root, months=[1])) == 1
    assert "1 file left out as links to nothing" in notices_of(imported)

    scandir = os.scandir

    def closed(path):
        if str(path).endswith("link"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", closed)
    imported = import_area(tmp_path / "b", [tmp_path / "in"], size=64)
    assert "folders that cannot be listed (Permission denied)" in notices_of(imported)


@pytest.mark.fault("an earlier import among the images -> its patches are no images, and named")
def test_a_data_root_among_the_images_is_left_out(tmp_path):
    write(tmp_path / "in" / "S2_20230105.tif", flat(), S2_BANDS)
    first = import_area(tmp_path / "in" / "root", [tmp_path / "in"], size=64)
    second = import_area(tmp_path / "root", [tmp_path / "in"], size=64)
    assert second.patches == first.patches == 1
    assert "1 file left out as data roots, which an import wrote" in notices_of(second)
    assert "data roots" in refused(tmp_path / "b", [first.root])


def test_a_snap_stack_names_its_dates_with_months(tmp_path):
    folder = tmp_path / "S1_stack.data"
    for day in ("05Jan2023", "17Jan2023"):
        for band, pixels in zip(("VV", "VH"), radar(), strict=True):
            write(folder / f"Sigma0_{band}_mst_{day}.img", pixels[None], driver="ENVI")
    imported = import_area(tmp_path / "root", [folder], size=96)
    for day in ("20230105", "20230117"):
        np.testing.assert_array_equal(pixel_of(imported.root, "s1", day), radar()[:, 0, 0])


@pytest.mark.fault("a pipe among the images -> named, not waited for; a name not UTF-8 -> one line")
def test_pipes_and_names_of_bytes(tmp_path):
    write(tmp_path / "in" / "S2_20230105.tif", flat(), S2_BANDS)
    os.mkfifo(tmp_path / "in" / "S2_20230202.tif")
    imported = import_area(tmp_path / "root", [tmp_path / "in"], size=64)
    assert "1 file left out as no regular files" in notices_of(imported)
    pipe = tmp_path / "in" / "S2_20230202.tif"
    assert "is not a file" in refused(tmp_path / "b", [pipe])
    pipe.unlink()
    name = os.fsdecode(b"S2_20230202_\xff.tif")
    (tmp_path / "in" / name).write_bytes((tmp_path / "in" / "S2_20230105.tif").read_bytes())
    assert "is not UTF-8" in refused(tmp_path / "c", [tmp_path / "in"])


@pytest.mark.fault("a raw line break in a name -> quoted, the message stays one line")
def test_control_characters_in_names_are_quoted(tmp_path):
    path = write(tmp_path / "in" / "dem\n\x1b[31m.tif", flat()[:2])
    assert "\\n\\x1b" in refused(tmp_path, [path])


@pytest.mark.fault("a raster cut off in its pixels -> the file is named")
def test_a_raster_that_is_cut_off_is_named(tmp_path):
    for day in ("20230105", "20230202"):
        path = write(tmp_path / "in" / f"S2_{day}.tif", scene(), S2_BANDS)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) - 60_000])
    message = refused(tmp_path, [tmp_path / "in"])
    assert "S2_20230202.tif cannot be read" in message and "make room" not in message


def test_snap_folders(tmp_path):
    folder = tmp_path / "S1A_IW_GRDH_1SDV_20230105T095401_TC.data"
    for band, pixels in zip(("VV", "VH"), radar(), strict=True):
        write(folder / f"Sigma0_{band}.img", pixels[None], driver="ENVI")
    (tmp_path / "S1A_IW_GRDH_1SDV_20230105T095401_TC.dim").write_text("<Dimap_Document/>")
    header = tmp_path / "S1A_IW_GRDH_1SDV_20230105T095401_TC.dim"
    imported = import_area(tmp_path / "root", [header], size=96)
    np.testing.assert_array_equal(pixel_of(imported.root, "s1", "20230105"), radar()[:, 0, 0])


# ------------------------------------------------------------------ places


@pytest.mark.fault("Sentinel-1 as delivered, with ground control points -> the remedy is named")
@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_ground_control_points_are_refused(tmp_path):
    from rasterio.control import GroundControlPoint as Point

    points = [Point(r, c, -71.6 + c / 1e4, -41.1 - r / 1e4) for r in (0, 64) for c in (0, 64)]
    assert from_gcps(points)
    path = tmp_path / "s1a-iw-grd-vv-20230105t095401.tif"
    shape = {"count": 1, "height": 64, "width": 64, "dtype": "uint16"}
    with rasterio.open(path, "w", "GTiff", **shape) as raster:
        raster.write(np.full((1, 64, 64), 300, np.uint16))
        raster.gcps = points, rasterio.crs.CRS.from_epsg(4326)
    assert "is not terrain-corrected" in refused(tmp_path, [path])


@pytest.mark.fault("rasters with rows to the north or columns to the west -> the same pixels")
@pytest.mark.parametrize("flip", ["south-up", "mirrored"])
def test_rows_to_the_north(tmp_path, flip):
    pixels = scene(0, 64, 64)
    north_up = write(tmp_path / "a" / "S2_20230105.tif", pixels, S2_BANDS)
    path = write(tmp_path / "b" / "S2_20230105.tif", pixels[:, ::-1], S2_BANDS)
    place = Affine(10, 0, WEST, 0, 10, NORTH - 640)
    if flip == "mirrored":
        write(path, pixels[:, :, ::-1], S2_BANDS)
        place = Affine(-10, 0, WEST + 640, 0, -10, NORTH)
    with rasterio.open(path, "r+") as raster:
        raster.transform = place
    one = import_area(tmp_path / "one", [north_up], size=64)
    other = import_area(tmp_path / "other", [path], size=64)
    for file in (one.root / "s2").iterdir():
        assert (other.root / "s2" / file.name).read_bytes() == file.read_bytes()
    assert "another grid" not in notices_of(other)


@pytest.mark.fault("a local projection, a NaN geotransform, none at all -> one line")
def test_places_that_are_none(tmp_path):
    local = 'LOCAL_CS["x",UNIT["metre",1]]'
    path = write(tmp_path / "S2_20230105.tif", flat(), S2_BANDS, crs=local)
    assert "local projection" in refused(tmp_path, [path])
    path = write(tmp_path / "S2_20230105.tif", flat(), S2_BANDS, west=np.nan)
    assert "in no usable way" in refused(tmp_path, [path])
    path = write(tmp_path / "S2_20230105.tif", flat(), S2_BANDS, crs=None)
    assert "--crs" in refused(tmp_path, [path])
    imported = import_area(tmp_path / "root", [path], size=64, crs=32719)
    assert pixel_of(imported.root, "s2", "20230105").tolist() == GREEN.tolist()
    assert "projection nowhere is unknown" in refused(tmp_path / "b", [path], crs="nowhere")


@pytest.mark.fault("tiles beyond their zone, northern codes in the south, the equator -> right")
@pytest.mark.parametrize(
    ("crs", "west", "north", "patches"),
    [
        ("EPSG:32631", 760_000, 5_390_000, {"31UGP_6004_1000"}),
        ("EPSG:32631", 230_000, 5_390_000, {"31UBP_3002_1000"}),
        ("EPSG:32719", 291_000, 5_440_000, None),
        ("EPSG:32619", 291_000, 5_440_000 - 10_000_000, None),
        ("EPSG:32631", 500_000, 320, {"31NEA", "31MEV"}),
        ("EPSG:32731", 500_000, 10_000_320, {"31NEA", "31MEV"}),
        ("EPSG:32660", 730_000, 4_000_320, {"60SYE", "60SYF"}),
    ],
)
def test_positions_by_arithmetic(tmp_path, crs, west, north, patches):
    from multisenge_lib.dataset import origin_of_patch

    path = write(tmp_path / "S2_20230105.tif", flat(), S2_BANDS, west, north, crs=crs)
    imported = import_area(tmp_path / "root", [path], size=32)
    assert imported.patches == 4
    written = {file.stem for file in (imported.root / "labels").iterdir()}
    places = {origin_of_patch(name) for name in written}
    from_equator = north - 10_000_000 if crs.startswith("EPSG:327") else north
    for place in places:
        shift = 10_000_000 if place.epsg > 32700 else 0
        assert (place.west - west) % 320 == 0 and 0 <= place.west - west < 640
        assert 0 <= from_equator - (place.north - shift) < 640
    if patches and len(next(iter(patches))) == 5:
        assert {name[:5] for name in written} == patches
    elif patches:
        assert patches <= written


@pytest.mark.parametrize(
    ("west", "north", "tile"),
    [
        (7.6, 48.5, "32ULU"),
        (11.98, 48.5, "32UQU"),  # the last kilometres of zone 32
        (12.01, 48.5, "33UTP"),
        (4.5, 48.5, "31UFP"),
        (4.5, 60.5, "32VKN"),  # zone 32 is wider in the south of Norway
        (15.1, 60.5, "33VWH"),
    ],
)
def test_an_image_in_degrees_comes_into_the_zone_of_its_middle(tmp_path, west, north, tile):
    path = write(
        tmp_path / "S2_20230105.tif",
        flat(),
        S2_BANDS,
        crs="EPSG:4326",
        west=west,
        north=north,
        res=1e-4,
    )
    imported = import_area(tmp_path / "root", [path], size=32)
    rasters = sorted((imported.root / "s2").iterdir())
    assert {raster.name[:5] for raster in rasters} == {tile}
    with rasterio.open(rasters[0]) as raster:
        assert raster.crs.to_epsg() == 32600 + int(tile[:2])


# ------------------------------------------------------------------ what would be left unsaid


@pytest.mark.fault("a folder of pictures, of HH and HV, of Landsat beside images -> refused")
@pytest.mark.parametrize(
    ("name", "data", "names", "reason"),
    [
        ("S2_20230105.tif", np.ones((3, 64, 64), np.uint8), (), "rasters that name no band"),
        ("S1_20230105.tif", radar()[:, :64, :64], ("HH", "HV"), "do not take"),
        ("LC08_L2SP_1_20230105_SR_B4.TIF", flat()[:1], (), "another sensor (Landsat)"),
    ],
)
def test_a_folder_without_image_is_refused(tmp_path, name, data, names, reason):
    write(tmp_path / "good" / "S1_20230105.tif", radar(), ("VV", "VH"))
    write(tmp_path / "bad" / name, data, names)
    message = refused(tmp_path, [tmp_path / "good", tmp_path / "bad"])
    assert f"{tmp_path / 'bad'} holds no image that networks take: 1 file left out" in message
    assert reason in message
    # Beside images, in one folder, it is left out and said.
    (tmp_path / "bad" / name).rename(tmp_path / "good" / name.replace("S1", "x"))
    imported = import_area(tmp_path / "root", [tmp_path / "good"], size=32)
    assert reason in notices_of(imported)


def test_a_folder_of_masks_and_of_the_reference_may_be_given(tmp_path):
    write(tmp_path / "images" / "S2_20230105.tif", flat(), S2_BANDS)
    write(tmp_path / "masks" / "S2_20230105_cloudmask.tif", np.ones((1, 64, 64), np.uint8))
    reference = write(tmp_path / "reference" / "ids.tif", np.ones((1, 64, 64), np.uint8))
    sources = [tmp_path / folder for folder in ("images", "masks", "reference")]
    imported = import_area(tmp_path / "root", sources, reference=reference, size=32)
    assert "1 file left out as masks" in notices_of(imported)


@pytest.mark.fault("Sentinel-1 and Sentinel-2 of different places -> refused")
def test_sensors_of_different_places_are_refused(tmp_path):
    write(tmp_path / "S2_20230105.tif", flat(), S2_BANDS)
    beside = write(tmp_path / "S1_20230105.tif", radar(), ("VV", "VH"), west=WEST + 640)
    message = refused(tmp_path, sorted(tmp_path.glob("*.tif")))
    assert "have no ground in common" in message and str(beside) in message


def test_one_sensor_may_see_far_more_ground(tmp_path):
    write(tmp_path / "in" / "S2_20230705.tif", flat(height=32, width=32), S2_BANDS)
    backscatter = radar(height=96, width=96)
    place = (WEST - 320, NORTH + 320)
    write(tmp_path / "in" / "S1_20230708.tif", backscatter, ["VV", "VH"], *place)
    imported = import_area(tmp_path / "root", [tmp_path / "in"], size=32)
    assert imported.patches == 9
    assert imported.dataset.months == (7,)
    assert "Selected 1 of 9 patches" in notices_of(imported)


@pytest.mark.fault("two sensors that share no more than the edge of a patch -> said")
def test_no_patch_has_images_of_both_sensors(tmp_path):
    write(tmp_path / "in" / "S2_20230705.tif", flat(height=32, width=44), S2_BANDS)
    backscatter = radar(height=32, width=92)
    write(tmp_path / "in" / "S1_20230708.tif", backscatter, ["VV", "VH"], WEST + 360)
    imported = import_area(tmp_path / "root", [tmp_path / "in"], size=32)
    assert "none has images of both sensors: give" in notices_of(imported)


@pytest.mark.fault("a raster that says a projection, but no place -> refused")
@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_a_raster_without_a_geotransform_is_refused(tmp_path):
    path = write(tmp_path / "S2_20230105.tif", flat(), S2_BANDS)
    with rasterio.open(path, "r+") as raster:
        raster.transform = Affine.identity()
    message = refused(tmp_path, [path])
    assert "has no geotransform" in message and "gdal_edit.py -a_ullr" in message


@pytest.mark.fault("pixels larger than any of Sentinel's -> refused")
@pytest.mark.parametrize("res", [60, 100])
def test_large_pixels(tmp_path, res):
    path = write(tmp_path / "S2_20230105.tif", flat(), S2_BANDS, res=float(res))
    if res == 60:
        imported = import_area(tmp_path / "root", [path], size=32)
        assert pixel_of(imported.root, "s2", "20230105", 16, 16)[B4] == 400
        return
    assert "has pixels of 100 m, images of Sentinel" in refused(tmp_path, [path])


def test_the_ratio_of_two_polarisations_is_neither(tmp_path):
    both = radar()
    stack = np.concatenate([both, both[1:] / both[:1]])
    path = write(tmp_path / "S1_20230105.tif", stack, ("VV", "VH", "VH_div_VV"))
    imported = import_area(tmp_path / "root", [path], size=32)
    np.testing.assert_allclose(pixel_of(imported.root, "s1", "20230105"), both[:, 0, 0])


def test_two_quantities_of_one_date_are_chosen_from(tmp_path):
    both = radar()
    names = ("Sigma0_VV", "Sigma0_VH", "Gamma0_VV", "Gamma0_VH")
    path = write(tmp_path / "S1_20230105.tif", np.concatenate([both, 1.3 * both]), names)
    assert "choose with --s1-bands" in refused(tmp_path, [path])
    chosen = ["-", "-", "VV", "VH"]
    imported = import_area(tmp_path / "root", [path], size=32, s1_bands=chosen)
    gamma = 1.3 * both[:, 0, 0]
    np.testing.assert_allclose(pixel_of(imported.root, "s1", "20230105"), gamma)


@pytest.mark.fault("two dates in a name, the later first -> asked which is the image's")
def test_dates_in_reverse_are_refused(tmp_path):
    path = write(tmp_path / "20230301_S2_20230105.tif", flat(), S2_BANDS)
    assert "holds two dates, the later one first" in refused(tmp_path, [path])


@pytest.mark.fault("reflectance in percent, x 1,000 -> the remedy is the right factor")
@pytest.mark.parametrize(("divisor", "remedy"), [(100, "percent by 100"), (10, "x 1,000 by 10;")])
def test_the_factor_that_is_asked_for_is_the_right_one(tmp_path, divisor, remedy):
    path = write(tmp_path / "S2_20230105.tif", flat(dtype=np.float32) / divisor, S2_BANDS)
    message = refused(tmp_path, [path])
    assert remedy in message and "give as --s2-scale what to multiply with" in message
    imported = import_area(
        tmp_path / "root", [path], size=32, units=InputUnits(s2_scale=float(divisor))
    )
    assert pixel_of(imported.root, "s2", "20230105").tolist() == GREEN.tolist()


@pytest.mark.fault("VV and VH swapped -> the remedy is their order, not their unit")
def test_the_remedy_for_swapped_polarisations(tmp_path):
    path = write(tmp_path / "S1_20230105.tif", radar(), ("VH", "VV"))
    message = refused(tmp_path, [path])
    assert "give their order with --s1-bands" in message and "--s1-unit" not in message
    imported = import_area(tmp_path / "root", [path], size=32, s1_bands=["VV", "VH"])
    np.testing.assert_array_equal(pixel_of(imported.root, "s1", "20230105"), radar()[:, 0, 0])


@pytest.mark.fault("a cube of which no band is named -> refused; in a folder, left out and said")
def test_a_cube_without_names_of_bands(tmp_path):
    xr = pytest.importorskip("xarray")
    coordinates = {
        "time": np.array(["2023-01-05"], "datetime64[ns]"),
        "band": np.arange(10),
        "y": NORTH - 5 - 10.0 * np.arange(64),
        "x": WEST + 5 + 10.0 * np.arange(64),
    }
    dims = ("time", "band", "y", "x")
    cube = xr.DataArray(flat()[None], coordinates, dims, name="reflectance")
    message = refused(tmp_path, [cube], crs="EPSG:32719")
    assert message.startswith(
        "cube 1 names no band of Sentinel-1 or Sentinel-2: call its variables"
    )
    named = cube.assign_coords(band=list(S2_BANDS))
    imported = import_area(tmp_path / "named", [named], size=32, crs="EPSG:32719")
    assert pixel_of(imported.root, "s2", "20230105").tolist() == GREEN.tolist()

    pytest.importorskip("h5netcdf")
    cube.to_netcdf(tmp_path / "in.nc", engine="h5netcdf")
    assert "in.nc names no band" in refused(tmp_path, [tmp_path / "in.nc"], crs="EPSG:32719")
    pytest.importorskip("zarr")
    store = tmp_path / "in.zarr"
    cube.to_dataset().to_zarr(store, zarr_format=2)
    images = write(tmp_path / "S2_20230105.tif", flat(), S2_BANDS)
    message = refused(tmp_path, [images, store], crs="EPSG:32719")
    assert "in.zarr names no band" in message
    write(tmp_path / "in" / "S2_20230105.tif", flat(), S2_BANDS)
    (tmp_path / "in.nc").rename(tmp_path / "in" / "in.nc")
    imported = import_area(tmp_path / "root", [tmp_path / "in"], size=32, crs="EPSG:32719")
    assert "1 file left out as cubes that name no band" in notices_of(imported)


@pytest.mark.parametrize(
    ("name", "bands", "data"),
    [
        ("S1A_IW_GRDH_1SDV_20230105T0550_rtc/measurement/iw-{}.rtc.tiff", ("vv", "vh"), radar()),
        ("31UEQ,2023-01-05,0/R10m/{}.tif", S2_BANDS, flat()),
    ],
)
def test_the_date_stands_above_a_folder_that_all_products_have(tmp_path, name, bands, data):
    write_bands(tmp_path / "in", name, data, bands)
    imported = import_area(tmp_path / "root", [tmp_path / "in"], size=32)
    sensor = "s1" if len(bands) == 2 else "s2"
    np.testing.assert_array_equal(pixel_of(imported.root, sensor, "20230105"), data[:, 0, 0])


@pytest.mark.fault("dates of folders, of bands, of the first of several -> said")
def test_dates_that_the_names_of_files_do_not_simply_give(tmp_path):
    def notices_for(name, bands=S2_BANDS):
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        path = write(folder / name, flat(), bands)
        return notices_of(import_area(folder / "root", [path], size=64)), path

    notices, path = notices_for("export_20230105/S2_summer.tif")
    assert f"that of the folder counts, such as 2023-01-05 for {path}" in notices
    notices, path = notices_for("S2_2023-01-01_2023-12-31.tif")
    assert f"the first counts, such as 2023-01-01 for {path}" in notices
    dated = [f"20230202_{band}" for band in S2_BANDS]
    notices, path = notices_for("S2_20230105.tif", dated)
    assert f"those of the bands count, such as 2023-02-02 for {path}" in notices
    for name, bands in (
        ("20240105/S2_20230105.tif", S2_BANDS),
        ("S2_20230101_20231231.tif", dated),
        ("S2_2023-01-05_2023-01-05.tif", S2_BANDS),
    ):
        assert "such as 2023" not in notices_for(name, bands)[0]


@pytest.mark.fault(
    "two images of one folder, which gives both its date -> their own dates asked for"
)
def test_the_date_of_a_download_is_not_that_of_its_images(tmp_path):
    for name in ("S2_summer", "S2_autumn"):
        write(tmp_path / "export_20240105" / f"{name}.tif", flat(), S2_BANDS)
    message = refused(tmp_path, [tmp_path / "export_20240105"])
    assert "the date is that of their folder export_20240105" in message
    assert "into its own name" in message
    july = write(tmp_path / "july" / "export_20240105" / "S2_july.tif", flat(), S2_BANDS)
    assert "another year or month than that of its folder export_20240105" in refused(
        tmp_path, [july]
    )


@pytest.mark.fault("a STAC item beside its rasters -> the offset that it gives")
def test_a_folder_of_earth_search_with_its_item(tmp_path):
    folder = write_bands(tmp_path / "in" / "S2B_19GBP_20230105_L2A", "{}.tif", flat(add=1000))
    assets = {}
    for band in S2_BANDS:
        bands = [{"scale": 0.0001, "offset": -0.1}]
        assets[band] = {"href": f"https://x/{band}.tif", "raster:bands": bands}
    item = {"type": "Feature", "properties": {}, "assets": assets}
    (folder / f"{folder.name}.json").write_text(json.dumps(item))
    imported = import_area(tmp_path / "root", [tmp_path / "in"], size=64)
    assert pixel_of(imported.root, "s2", "20230105").tolist() == GREEN.tolist()


def earth_search_item(day, offset=-0.1, **properties):
    """An item whose assets have other names than the rasters of the tests."""
    field = {} if offset is None else {"raster:bands": [{"scale": 0.0001, "offset": offset}]}
    assets = {name: {"href": f"https://x/{name}.tif"} | field for name in ("B02", "red", "nir")}
    assets["aot"] = {"href": "https://x/aot.tif", "raster:bands": [{"scale": 0.001, "offset": 0}]}
    stamp = f"{day[:4]}-{day[4:6]}-{day[6:]}T10:40:31Z"
    return {"properties": {"datetime": stamp} | properties, "assets": assets}


@pytest.mark.fault("assets of a STAC item that were renamed or stacked -> the item's offset")
@pytest.mark.parametrize(
    ("item", "truth"),
    [
        (earth_search_item("20230105"), 400),
        (earth_search_item("20230105", None, **{"s2:processing_baseline": "05.09"}), 400),
        # The item of another date says nothing.
        (earth_search_item("20230202"), 1400),
    ],
)
def test_a_stack_beside_a_stac_item(tmp_path, item, truth):
    write(tmp_path / "in" / "S2_20230105.tif", flat(add=1000), S2_BANDS)
    (tmp_path / "in" / "item.json").write_text(json.dumps(item))
    imported = import_area(tmp_path / "root", [tmp_path / "in"], size=64)
    assert pixel_of(imported.root, "s2", "20230105")[B4] == truth


@pytest.mark.fault("a number such as 1, 255 or 10000 in all bands, without a tag -> said")
@pytest.mark.parametrize("number", [1, 255, 10_000])
def test_a_number_in_all_bands_that_may_be_measured(tmp_path, number):
    path = write(tmp_path / "S2_20230105.tif", filled(flat(), number, 8), S2_BANDS)
    notices = notices_of(import_area(tmp_path / "root", [path], size=64))
    assert f"such as {number} in 1.6% of {path}: if it is no data, give --no-data" in notices
    units = InputUnits(no_data=number)
    imported = import_area(tmp_path / "known", [path], size=64, units=units)
    assert "in all bands" not in notices_of(imported)
    assert not pixel_of(imported.root, "s2", "20230105", 63, 63).any()


@pytest.mark.fault("-25 decibels in VV and VH, without a tag -> said")
def test_decibels_that_may_be_no_data(tmp_path):
    stored = filled(10 * np.log10(radar()), -25, 30)
    path = write(tmp_path / "S1_20230105.tif", stored, ("VV", "VH"))
    units = InputUnits(s1="db")
    notices = notices_of(import_area(tmp_path / "root", [path], size=96, units=units))
    assert f"% of {path}: if it is no data, give --no-data -25" in notices


@pytest.mark.fault("ENVI's pixels and header in a folder -> taken, other .dat files left alone")
@pytest.mark.parametrize("ending", [".dat", ".bsq", ".bil", ""])
def test_a_folder_of_envi(tmp_path, ending):
    name = f"S2_20230105{ending}"
    write(tmp_path / "in" / name, flat(), S2_BANDS, driver="ENVI")
    (tmp_path / "in" / "notes_20230105.dat").write_text("no raster")
    (tmp_path / "in" / "README").write_text("no raster")
    imported = import_area(tmp_path / "root", [tmp_path / "in"], size=64)
    assert pixel_of(imported.root, "s2", "20230105").tolist() == GREEN.tolist()


@pytest.mark.fault("ENVI's pixels cut short -> refused by import, as image and as reference")
def test_pixels_without_a_length_are_counted(tmp_path):
    """GDAL gives zeros for the bands that are gone, and says nothing."""
    path = write(tmp_path / "in" / "S2_20230105.dat", flat(), S2_BANDS, driver="ENVI")
    pixels = path.read_bytes()
    path.write_bytes(pixels[:-1])
    message = refused(tmp_path, [tmp_path / "in"])
    assert message.startswith(str(path))
    assert "S2_20230105.dat is cut short, it has 81919 of the 81920 bytes" in message
    assert "cannot be read" not in message
    path.write_bytes(pixels + b"0")
    assert import_area(tmp_path / "longer", [tmp_path / "in"], size=64).patches == 1

    reference = write(tmp_path / "classes.bil", np.ones((1, 64, 64), np.uint8), driver="ENVI")
    reference.write_bytes(reference.read_bytes()[:4000])
    options = {"reference": reference, "classes": ["Town", "Field"], "size": 64}
    message = refused(tmp_path, [tmp_path / "in"], **options)
    assert "the reference" in message and "has 4000 of the 4096 bytes" in message


@pytest.mark.fault("ENVI's pixels whose header is gone -> named, not passed over")
def test_pixels_without_a_header_are_named(tmp_path):
    for day in ("20230105", "20230202"):
        write(tmp_path / "in" / f"S2_{day}.bsq", flat(), S2_BANDS, driver="ENVI")
    (tmp_path / "in" / "S2_20230202.hdr").unlink()
    imported = import_area(tmp_path / "root", [tmp_path / "in"], size=64)
    assert "without a header (.hdr) beside them: " in notices_of(imported)
    assert "S2_20230202.bsq" in notices_of(imported)


@pytest.mark.fault("a STAC item that names the offset of one band alone -> refused")
def test_bands_of_one_image_have_one_offset(tmp_path):
    folder = write_bands(tmp_path / "in" / "S2B_19GBP_20230105_L2A", "{}.tif", flat(add=1000))
    asset = {"href": "./B2.tif", "raster:bands": [{"scale": 0.0001, "offset": -0.1}]}
    item = {"properties": {"s2:processing_baseline": "04.00"}, "assets": {"blue": asset}}
    (folder / "item.json").write_text(json.dumps(item))
    message = refused(tmp_path, [tmp_path / "in"])
    assert "are bands of one image, and their names or metadata give them different" in message
    units = InputUnits(s2_offset=-1000)
    imported = import_area(tmp_path / "root", [tmp_path / "in"], size=64, units=units)
    assert pixel_of(imported.root, "s2", "20230105").tolist() == GREEN.tolist()


@pytest.mark.fault("an item of the Planetary Computer -> its processing baseline gives the offset")
def test_the_baseline_of_an_item_gives_the_offset(tmp_path):
    folder = write_bands(tmp_path / "in" / "S2B_19GBP_20230105_L2A", "{}.tif", flat(add=1000))
    assets = {band: {"href": f"https://x/{band}.tif"} for band in S2_BANDS}
    item = {"properties": {"s2:processing_baseline": "04.00"}, "assets": assets}
    (folder / "item.json").write_text(json.dumps(item))
    imported = import_area(tmp_path / "root", [tmp_path / "in"], size=64)
    assert pixel_of(imported.root, "s2", "20230105").tolist() == GREEN.tolist()


@pytest.mark.fault("1000 subtracted in uint16 -> dark pixels that wrapped are refused")
def test_values_that_wrapped_are_refused(tmp_path):
    stored = flat(add=1000)
    stored[:, :6, :6] = 900 + 7 * np.arange(10, dtype=np.uint16)[:, None, None]
    path = write(tmp_path / "S2_20230105.tif", stored - np.uint16(1000), S2_BANDS)
    message = refused(tmp_path, [path])
    assert "subtract it in a signed type" in message and "holds 65499, " in message


@pytest.mark.fault(
    "--crs beside a raster that names another projection -> said that it is not used"
)
def test_a_projection_that_is_not_used_is_said(tmp_path):
    path = write(tmp_path / "S2_20230105.tif", flat(), S2_BANDS)
    imported = import_area(tmp_path / "root", [path], size=64, crs="EPSG:32718")
    assert "1 raster names a projection, which counts instead of EPSG:32718" in notices_of(imported)
    same = import_area(tmp_path / "same", [path], size=64, crs="EPSG:32719")
    assert "counts instead" not in notices_of(same)


@pytest.mark.fault("a cube of groups beside rasters, as OPERA delivers it -> left out, and said")
def test_a_cube_of_groups_in_a_folder_is_left_out(tmp_path):
    h5py = pytest.importorskip("h5py")
    pytest.importorskip("h5netcdf")
    folder = tmp_path / "in"
    write(folder / "S2_20230105.tif", flat(), S2_BANDS)
    with h5py.File(folder / "OPERA_L2_RTC-S1_20230105.h5", "w") as file:
        file.create_dataset("data/VV", data=np.ones((4, 4)))
    imported = import_area(tmp_path / "root", [folder], size=64)
    assert "1 file left out as cubes that keep their data in groups" in notices_of(imported)


@pytest.mark.fault("an item that says wrongly that the offset was taken off -> doubted")
def test_an_offset_that_was_not_taken_off(tmp_path):
    folder = write_bands(tmp_path / "in" / "S2B_19GBP_20230105_L2A", "{}.tif", flat(add=1000))
    assets = {band: {"href": f"https://x/{band}.tif"} for band in S2_BANDS}
    said = {"s2:processing_baseline": "04.00", "earthsearch:boa_offset_applied": True}
    (folder / "item.json").write_text(json.dumps({"properties": said, "assets": assets}))
    imported = import_area(tmp_path / "root", [tmp_path / "in"], size=64)
    assert "if yours do, give --s2-offset -1000" in notices_of(imported)
    units = InputUnits(s2_offset=-1000)
    mended = import_area(tmp_path / "mended", [tmp_path / "in"], size=64, units=units)
    assert pixel_of(mended.root, "s2", "20230105").tolist() == GREEN.tolist()
