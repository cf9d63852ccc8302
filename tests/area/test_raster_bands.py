"""Which band of a raster is which: by the user, by descriptions, by the name of the file."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from multisenge_lib.area.raster_bands import (
    RasterHeader,
    bands_by_user,
    bands_of_raster,
    contradicts,
    names_not_understood,
    place_bands,
    refuse_numbered_files,
)
from multisenge_lib.dataset import S2_BANDS
from multisenge_lib.errors import ImportAreaError

#: What a user may say of rasters of two bands, of either sensor.
TWO_OF_EACH = {"s1": ["VV", "VH"], "s2": ["B4", "B8"]}


def header_of(name, descriptions, dtype="uint16"):
    return RasterHeader(
        Path(name), list(descriptions), [dtype] * len(descriptions), Path(name).stem
    )


def found(named):
    """Sensor, band and number of each band; None for none."""
    return named and [(band.sensor, band.band, band.index) for band in named]


RADAR = [("s1", "VV", 1), ("s1", "VH", 2)]
OPTICAL = [("s2", "B4", 1), ("s2", "B8", 2)]


@pytest.mark.parametrize(
    ("name", "descriptions", "user_bands", "expected"),
    [
        ("x.tif", [None, None], {"s2": ["B4", "B8"]}, OPTICAL),
        # "-" is a band of no use.
        ("x.tif", [None, None], {"s2": ["-", "B8"]}, [("s2", "B8", 2)]),
        ("x.tif", [None, None], {"s2": ["B4", "-"]}, [("s2", "B4", 1)]),
        # More or fewer bands are another raster.
        ("x.tif", [None], {"s2": ["B4", "B8"]}, None),
        ("x.tif", [None, None, None], {"s2": ["B4", "B8"]}, None),
        # Two orders may be meant, unless the name says the sensor.
        ("x.tif", [None, None], TWO_OF_EACH, None),
        ("S1_20230105.tif", [None, None], TWO_OF_EACH, RADAR),
        ("S2_20230105.tif", [None, None], TWO_OF_EACH, OPTICAL),
        ("S1_20230105.tif", [None, None], {"s2": ["B4", "B8"]}, None),
        # Bands that are described as those of the other sensor alone.
        ("x.tif", ["VV", "VH"], {"s2": ["B4", "B8"]}, None),
        ("x.tif", ["B4", "B8"], {"s1": ["VV", "VH"]}, None),
        ("x.tif", ["VV", "B8"], {"s2": ["B4", "B8"]}, OPTICAL),
        ("x.tif", ["B8", "B4"], {"s2": ["B4", "B8"]}, OPTICAL),
        # The description names the other sensor's bands, and its order has another length.
        ("x.tif", ["VV", "VH"], {"s1": ["VV"], "s2": ["B4", "B8"]}, None),
        ("S2_20230105.tif", ["VV", "B8"], {"s1": ["VV"], "s2": ["B4", "B8"]}, OPTICAL),
        # A sensor in the name counts for nothing where the user says nothing of it.
        ("S2_20230105.tif", [None, None], {"s1": ["VV", "VH"]}, None),
        # A file of one band is no stack of the other sensor's one band.
        ("20230105_B2.tif", [None], {"s1": ["VV"], "s2": S2_BANDS}, None),
        ("20230105.tif", [None], {"s1": ["VV"], "s2": S2_BANDS}, [("s1", "VV", 1)]),
    ],
)
def test_the_order_that_the_user_gives(name, descriptions, user_bands, expected):
    assert found(bands_by_user(header_of(name, descriptions), user_bands)) == expected


@pytest.mark.parametrize(
    ("name", "descriptions", "expected"),
    [
        ("x.tif", ["B4", "B8"], OPTICAL),
        ("x.tif", ["VV", "angle", "VH"], [("s1", "VV", 1), ("s1", "VH", 3)]),
        # The name of the file counts for one band alone, and after its description.
        ("20230105_B2.tif", ["Gray"], [("s2", "B2", 1)]),
        ("20230105_B2.tif", ["B4"], [("s2", "B4", 1)]),
        ("20230105_B2.tif", ["B4", None], [("s2", "B4", 1)]),
        # Numbers are names of radar bands nowhere, so they hide no VV beside them.
        ("x.tif", ["VV", "b1"], [("s1", "VV", 1)]),
        # A band B2 is looked for in no name of a radar image, and no VV in that of the other.
        ("S1A_20230105_B2_VV.tif", [None], [("s1", "VV", 1)]),
        ("S2A_20230105_VV_B2.tif", [None], [("s2", "B2", 1)]),
        # Bands that networks do not take are left out.
        ("x.tif", ["B4", "B8", "B9"], OPTICAL),
        # Each band may be a date of the one band that the file's name gives.
        ("S2_B8.tif", ["2023-01-05", "2023-02-02"], [("s2", "B8", 1), ("s2", "B8", 2)]),
        ("S1_VV.tif", ["20230105", "20230202"], [("s1", "VV", 1), ("s1", "VV", 2)]),
        ("S2_B8.tif", ["20230105_B2", "20230105_B4"], [("s2", "B2", 1), ("s2", "B4", 2)]),
    ],
)
def test_bands_that_are_described(name, descriptions, expected):
    assert found(bands_of_raster(header_of(name, descriptions), {}, in_folder=True)) == expected


@pytest.mark.parametrize(
    ("descriptions", "dtype", "reason"),
    [
        (["B1", "B9"], "uint16", "rasters of bands that networks do not take"),
        ([None], "uint16", "rasters that name no band"),
        ([None] * 3, "uint8", "rasters that name no band"),
        ([None] * 3, "uint16", None),
        ([None] * 3, ["uint8", "uint16", "uint16"], None),
    ],
)
def test_rasters_of_a_folder_that_are_left_out(descriptions, dtype, reason):
    """Three bands without a name may be an image, if they are no picture; it is asked."""
    header = header_of("20230105.tif", descriptions)
    header = replace(
        header, dtypes=[dtype] * len(descriptions) if isinstance(dtype, str) else dtype
    )
    if reason is None:
        with pytest.raises(ImportAreaError, match="does not name its 3 bands"):
            bands_of_raster(header, {}, in_folder=True)
    else:
        assert bands_of_raster(header, {}, in_folder=True) == reason


@pytest.mark.parametrize("descriptions", [[None], [None] * 3])
def test_a_raster_that_is_named_itself_is_asked_for(descriptions):
    """In a folder, one band without a name is a mask, and three of 8 bit are a picture."""
    header = header_of("20230105.tif", descriptions, "uint8")
    with pytest.raises(ImportAreaError, match="does not name its"):
        bands_of_raster(header, {}, in_folder=False)


@pytest.mark.fault("words that are not understood where bands lack -> said")
def test_layers_that_are_not_understood():
    header = header_of("x.tif", ["B9", "B2", "B3", "VRE1", "SCL", None])
    named = bands_of_raster(header, {}, in_folder=True)
    assert names_not_understood(header, named) == ["VRE1"]
    complete = header_of("x.tif", [*S2_BANDS, "brightness"])
    named = bands_of_raster(complete, {}, in_folder=True)
    assert names_not_understood(complete, named) == []


@pytest.mark.fault("weather, heights or an own map beside images -> left out, by name refused")
@pytest.mark.parametrize("names", [["t2m", "tp", "swvl1"], ["class", "probability"]])
def test_rasters_of_other_layers(names):
    header = header_of("ERA5_20230105.tif", names)
    shown = ", ".join(names)
    assert f"other layers ({shown})" in bands_of_raster(header, {}, in_folder=True)
    with pytest.raises(ImportAreaError, match=r"not understood .*leave the file out, or call"):
        bands_of_raster(header, {}, in_folder=False)


@pytest.mark.parametrize(
    ("descriptions", "user_bands", "words"),
    [
        ([None, None, None], {}, "x.tif does not name its 3 bands: give them"),
        (["2020-07", "2020-08"], {}, "by months (2020-07, ...), which are no dates: call them"),
        (["lyr.1", "lyr.2"], {}, "x.tif does not name its 2 bands: give them"),
        (["b1", "b2"], {}, "x.tif only numbers its 2 bands (b1, b2, ...): give them"),
        (
            [None, None, None],
            TWO_OF_EACH,
            "its 3 bands; --s1-bands gives 2; --s2-bands gives 2: give them",
        ),
    ],
)
def test_the_question_says_what_was_received(descriptions, user_bands, words):
    with pytest.raises(ImportAreaError) as caught:
        bands_of_raster(header_of("x.tif", descriptions), user_bands, in_folder=True)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("files", "numbered"),
    [
        # Name of the file, and description of its one band.
        ([("20230105_B1", None), ("20230105_B2", None)], "B1 to B2"),
        ([(f"20230105_B{number}", "b1") for number in range(1, 12)], "B1 to B11"),
        ([("20230105_a", "B1"), ("20230105_b", "B2")], "B1 to B2"),
        # One file of a date counts nothing.
        ([("20230105_B1", None)], None),
        ([("20230105_B1", None), ("20230202_B2", None)], None),
        # Neither do the descriptions of some files and the names of others.
        ([("20230105_x_B2", None), ("20230105_y", "B1")], None),
        ([("20230105_B2", None), ("20230105_B3", None)], None),
        ([("20230105_B1", None), ("20230105_B2", None), ("20230105_B8A", None)], None),
    ],
)
def test_files_that_are_numbered_by_position(files, numbered):
    headers = [header_of(f"{name}.tif", [description]) for name, description in files]
    if numbered is None:
        refuse_numbered_files(headers)
    else:
        with pytest.raises(ImportAreaError, match=f"files of 2023-01-05 are numbered {numbered},"):
            refuse_numbered_files(headers)


@pytest.mark.parametrize(
    ("descriptions", "words"),
    [
        (["B4", "B4"], "holds B4 2 times: it seems"),
        (["20230202_B4", "20230202_B4"], "holds B4 2 times of 2023-02-02: it seems"),
        (["20230202_B4", "20230203_B4"], None),
        (["20230202_B4", "B4"], None),
    ],
)
def test_a_band_twice_in_one_file(descriptions, words):
    header = header_of("20230105_x.tif", descriptions)
    named = bands_of_raster(header, {}, in_folder=True)
    if words is None:
        assert len({band.day for band in place_bands(header, named, None)}) == 2
    else:
        with pytest.raises(ImportAreaError) as caught:
            place_bands(header, named, None)
        assert words in str(caught.value)


def test_the_projection_that_the_user_gives_goes_with_each_band():
    header = header_of("20230105.tif", ["B4", "B9", "B8"])
    named = bands_of_raster(header, {}, in_folder=True)
    placed = place_bands(header, named, "EPSG:32631")
    assert [band.source.index for band in placed] == [1, 3]
    assert [band.source.crs.to_epsg() for band in placed] == [32631, 32631]
    assert place_bands(header, named, None)[0].source.crs is None


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("x.tif", "no date such as 20230105"),
        ("20230301_S2_20230105.tif", "holds two dates, the later one first"),
        ("S2_2020187_20240105.tif", "2020187 in its name may be day 187 of 2020"),
        # The folder's date does not settle what the file's name leaves in doubt.
        ("download_20240105/S2_2020187.tif", "may be day 187 of 2020"),
        ("download_20240105/S2_july.tif", "another year or month than that of its folder"),
        ("S2A_USER_MSI_L2A_TL_SGS__20160802T162011_A005772_T19GBP_B04.tif", "the file's making"),
    ],
)
def test_why_a_name_gives_no_date(name, words):
    header = header_of(name, ["B4"])
    with pytest.raises(ImportAreaError, match=words):
        place_bands(header, bands_of_raster(header, {}, in_folder=True), None)


@pytest.mark.parametrize(
    ("descriptions", "is_contradicted"),
    [
        (["B4", "B8"], False),
        (["B8", "B4"], True),
        (["B4", "B8A"], True),
        # What names no band, or only counts, says nothing else.
        ([None, None], False),
        (["red light", None], False),
        (["B1", "B2"], False),
    ],
)
def test_descriptions_that_say_otherwise(descriptions, is_contradicted):
    header = header_of("x.tif", descriptions)
    named = bands_by_user(header, {"s2": ["B4", "B8"]})
    assert contradicts(header, named) == is_contradicted


def test_the_date_of_a_band_counts_before_that_of_the_file():
    header = header_of("20230105_x.tif", ["20230202_B4", "B4"])
    named = bands_of_raster(header, {}, in_folder=True)
    days = [band.day for band in place_bands(header, named, None)]
    assert days == [np.datetime64("2023-02-02"), np.datetime64("2023-01-05")]


def test_a_processing_baseline_is_of_optical_bands_alone():
    header = header_of("S2A_MSIL2A_20230105T104031_N0400_R008/x.tif", ["B4", "VV"])
    named = bands_of_raster(header, {}, in_folder=True)
    baselines = {band.band: band.source.baseline for band in place_bands(header, named, None)}
    assert baselines["B4"].name == "N0400"
    assert baselines["VV"] is None


@pytest.mark.fault("swir_2 without swir_1 and swir_3 -> asked for, in a raster or a file's name")
@pytest.mark.parametrize(
    ("name", "descriptions", "asks"),
    [
        ("20230105.tif", ["B4", "swir_2"], True),
        ("20230105_swir_2.tif", [None], True),
        ("20230105_swir_2.tif", ["B11"], False),
        ("20230105_B11.tif", ["swir_2"], False),
    ],
)
def test_swir_2_alone_is_asked_for(name, descriptions, asks):
    header = header_of(name, descriptions)
    if asks:
        with pytest.raises(ImportAreaError, match="call it B11 or B12, or give --s2-bands"):
            bands_of_raster(header, {}, in_folder=True)
    else:
        assert found(bands_of_raster(header, {}, in_folder=True)) == [("s2", "B11", 1)]


@pytest.mark.fault("import: bands in another language, of which a few are understood -> refused")
def test_bands_of_which_only_the_lesser_are_understood(tmp_path):
    names = ["bleu", "vert", "rouge", "red edge 1", "red edge 2", "red edge 3", "PIR"]
    header = RasterHeader(tmp_path / "S2_20200706.tif", names, ["uint16"] * 7, "S2_20200706")
    with pytest.raises(ImportAreaError, match=r"not understood .bleu, vert, rouge.: call them"):
        bands_of_raster(header, {}, in_folder=False)
    names = ["B5", "B6", "B7", "B8A", "B11", "B12", "SCL"]
    header = RasterHeader(tmp_path / "S2_20200706.tif", names, ["uint16"] * 7, "S2_20200706")
    assert len(bands_of_raster(header, {}, in_folder=False)) == 6
