"""Bands by name and by order."""

import numpy as np
import pytest
from rasters import FORCE_BANDS

from multisenge_lib.dataset import (
    S2_BANDS,
    band_positions,
    has_red_edge,
    names_only_count,
    red_edge,
)
from multisenge_lib.dataset.bands import (
    band_names_problem,
    band_of,
    bands_named,
    is_other_quantity_of_band,
    swir_problem,
    unambiguous_names,
)
from multisenge_lib.errors import BandOrderError

#: Vegetation, reflectance x 10,000 by band.
LEAVES = {"B2": 300, "B3": 600, "B4": 400, "B5": 1000, "B6": 2500, "B7": 3000, "B8": 3200}


def test_the_red_edge_is_read_from_the_bands_of_these_names():
    image = np.zeros((10, 10, len(S2_BANDS)))
    for band, reflectance in LEAVES.items():
        image[..., S2_BANDS.index(band)] = reflectance
    assert red_edge(image) == (LEAVES["B5"], LEAVES["B6"])


def test_the_red_edge_is_not_looked_for_at_other_places():
    assert has_red_edge(S2_BANDS) and has_red_edge(S2_BANDS[:7])
    assert not has_red_edge(S2_BANDS[1:])


def test_a_further_band_in_front_does_not_shift_the_red_edge(monkeypatch):
    longer = ("B1", *S2_BANDS)
    monkeypatch.setattr("multisenge_lib.dataset.layout.S2_BANDS", longer)
    # Before, the first seven of S2_BANDS were compared with themselves.
    monkeypatch.setattr("multisenge_lib.dataset.bands.S2_BANDS", longer, raising=False)
    assert not has_red_edge(longer)


@pytest.mark.parametrize("name", ["B01", "coastal", "S2-L2A-B1"])
def test_a_raster_with_a_further_band_gives_the_bands_wanted(name):
    names = [name, *S2_BANDS]
    positions = band_positions(names, lambda: np.zeros((11, 4, 4)), S2_BANDS, "s2")
    assert positions == list(range(1, 11))


@pytest.mark.parametrize(
    ("names", "counts"),
    [
        (["b1", "b2", "b3"], True),
        (["Band 1", "Band 2"], True),
        (["Layer_1"], True),
        ([f"B{i}" for i in range(1, 13)], True),
        (["B2", "B3", "B4"], False),
        (["B1", *S2_BANDS[:7], "B8A"], False),
        (["b2"], False),
        ([f"B{i}" for i in range(10)], True),
        ([*(f"B{i}" for i in range(1, 11)), "QA60"], True),
        (["B1", "B3"], False),
        ([None, None], False),
        (["VV", "VH"], False),
    ],
)
def test_names_that_only_count(names, counts):
    assert names_only_count(names) == counts


def test_the_near_infrared_of_force():
    assert band_positions(FORCE_BANDS, lambda: None, S2_BANDS, "s2") == list(range(10))
    assert band_positions(["blue", "nir"], lambda: None, ("B8",), "s2") == [1]


@pytest.mark.fault("predict: bands counted from 0 or 1 are taken for no band names -> refused")
@pytest.mark.parametrize("first", [0, 1])
def test_positions_are_not_taken_for_names(first):
    names = [f"B{number}" for number in range(first, first + 10)]
    with pytest.raises(BandOrderError, match="positions or names"):
        band_positions(names, lambda: np.zeros((10, 4, 4)), ("B2", "B3", "B4", "B8"), "s2")


@pytest.mark.fault("a raster of two dates that names each band twice -> refused")
def test_a_band_that_is_named_twice_is_refused():
    names = ["VV", "VH", "VV", "VH"]
    assert "VV 2 times" in band_names_problem(names, ("VV", "VH"), "s1")
    with pytest.raises(BandOrderError, match="VV 2 times: write one raster for each date"):
        band_positions(names, lambda: np.zeros((4, 4, 4)), ("VV", "VH"), "s1")
    # What is not wanted may be there twice.
    assert band_positions(["VV", "VH", "angle", "angle"], None, ("VV", "VH"), "s1") == [0, 1]


@pytest.mark.parametrize(
    ("name", "band"),
    [
        ("T31UEQ_20200705T105031_B8A_20m", "B8A"),
        ("nbart_red_edge_3", "B7"),
        ("nbart_nir_2", "B8A"),
        ("nbart_swir_3", "B12"),
        ("S2_20230105_red", "B4"),
        ("ga_s2am_2020-07-06_final_band08", "B8"),
        ("ga_s2am_2020-07-06_final_band8a", "B8A"),
        ("ga_s2am_2020-07-06_final_band11", "B11"),
        ("nbart_swir_2", None),
        ("Narrow NIR", "B8A"),
        ("nir_narrow", "B8A"),
        ("Near Infra-Red", "B8"),
        ("coastal_blue", "B1"),
        ("Red Edge 1", "B5"),
        ("Red Edge 4", "B8A"),
        ("Vegetation Red Edge", None),
        ("SWIR 1", "B11"),
        ("Red (665 nm)", "B4"),
        ("NIR (B8A)", "B8A"),
        ("sr_red", "B4"),
        ("infra_red", None),
        ("nir_red", None),
        ("view_zenith_B2", None),
        ("B_detector_footprint_B2", None),
        ("B2_mask", None),
        ("S2_no_mask_B2", "B2"),
        ("B2_uncertainty", None),
        ("infrared", None),
        ("Band 2", None),
        ("Gray", None),
        ("Grün", None),  # not GRN
    ],
)
def test_band_names(name, band):
    assert band_of(name, "s2") == band


@pytest.mark.parametrize(
    ("name", "band"),
    [
        ("2020-07-08-00_00_2020-07-08-23_59_Sentinel-1_IW_VV+VH_VV_(Raw)", "VV"),
        ("VV+VH", None),
        ("S1_VV_VH_20200708_VV", "VV"),
        ("S1_VV_VH_20200708_ASC_VV", "VV"),
        ("S1_VV-VH_20200708_gamma0_VV_db", "VV"),
        ("S1_20200708_VV-VH_VH", "VH"),
        ("VV_VH_ratio_VV", None),
        ("S1_20200708_VV_VH", None),
        ("S1_20200708_20200720_VV_coh", None),
        ("VV_stdDev", None),
        ("VV_count", None),
        ("Phase_ifg_VV", None),
        ("Cohen_VV", "VV"),
    ],
)
def test_names_of_polarisations(name, band):
    assert band_of(name, "s1") == band


@pytest.mark.fault("swir_2 of Digital Earth Africa and of Australia -> B12 and B11; alone in doubt")
@pytest.mark.parametrize(
    ("names", "bands"),
    [
        (["swir_1", "swir_2"], ["B11", "B12"]),
        (["nbart_swir_2", "nbart_swir_3"], ["B11", "B12"]),
        (["SWIR 1 (1610 nm)", "SWIR 2 (2190 nm)"], ["B11", "B12"]),
        (["red", "swir_2"], ["B4", None]),
        (["swir_1", "swir_2", "swir_3"], ["B11", None, "B12"]),
    ],
)
def test_the_second_band_of_short_wave_infrared(names, bands):
    assert bands_named(names, "s2") == bands
    problem = swir_problem(unambiguous_names(names))
    assert (problem is not None) == (None in bands)


#: Red, green and blue, and the two of short-wave infrared, lie in another order than the layout's.
AUSTRALIAN = [
    *("nbart_red", "nbart_green", "nbart_blue"),
    *("nbart_red_edge_1", "nbart_red_edge_2", "nbart_red_edge_3"),
    *("nbart_nir_1", "nbart_nir_2", "nbart_swir_3", "nbart_swir_2"),
]


@pytest.mark.fault("predict: names that import understands -> bands by name, not by position")
def test_bands_that_are_called_by_words():
    positions = band_positions(AUSTRALIAN, None, S2_BANDS, "s2")
    assert positions == [2, 1, 0, 3, 4, 5, 6, 7, 9, 8]


@pytest.mark.fault("predict: names of bands that nobody understands -> refused, not passed over")
@pytest.mark.parametrize(
    ("names", "is_refused"),
    [
        (["rouge", "vert", "bleu", "ir"], True),
        (["B2", "vert", None, None], True),
        (["Gray"] * 4, False),  # one text for all bands tells none of them
        ([f"Band {number}" for number in range(1, 5)], False),
        ([f"image_{number}" for number in range(1, 5)], False),
        ([f"image_{number}" for number in range(2, 6)], True),
        (["image_1", "image_2", "image_3", "image_x"], True),
        (["Band 01", "Band 02", "Band 03", "Band 04"], False),
        (["0", "1", "2", "3"], False),
        (["B2", None, "", None], False),
        ([None] * 4, False),
    ],
)
def test_names_that_are_not_understood(names, is_refused):
    wanted = ("B2", "B3", "B4", "B8")
    assert (band_names_problem(names, wanted, "s2") is not None) == is_refused
    if is_refused:
        with pytest.raises(BandOrderError, match="has the bands"):
            band_positions(names, None, wanted, "s2")
    else:
        assert band_positions(names, None, wanted, "s2") == [0, 1, 2, 3]


def test_one_text_for_all_bands_is_no_name_of_a_band():
    names = ["S2 reflectance"] * len(S2_BANDS)
    image = np.zeros((len(S2_BANDS), 4, 4))
    assert band_positions(names, lambda: image, S2_BANDS, "s2") == list(range(len(S2_BANDS)))
    with pytest.raises(BandOrderError):
        band_positions([*names[1:], "July"], lambda: image, S2_BANDS, "s2")


@pytest.mark.parametrize(
    ("beside", "band"), [("B11", "B12"), ("swir16", "B12"), ("B12", "B11"), ("nir", "swir_2")]
)
def test_the_second_swir_is_known_by_the_other_one(beside, band):
    assert unambiguous_names([beside, "swir_2"])[1] == band


def test_band_n_is_a_band_beside_band_8a():
    names = [f"Band {band[1:]}" for band in S2_BANDS]
    assert bands_named(names, "s2") == list(S2_BANDS)
    assert bands_named(names[:4], "s2") == [None] * 4


@pytest.mark.fault("FORCE's short words -> all bands; its NIR is B8A beside BNR")
def test_short_words_of_force():
    names = ["BLU", "GRN", "RED", "RE1", "RE2", "RE3", "BNR", "NIR", "SW1", "SW2"]
    assert bands_named(names, "s2") == list(S2_BANDS)
    assert bands_named(["BLU", "GRN", "RED", "NIR"], "s2") == ["B2", "B3", "B4", "B8"]


def test_a_standard_product_is_no_standard_deviation():
    name = "S2GM_M10_20200701_20200731_EUR_STD_v1.0.2_B02"
    assert not is_other_quantity_of_band(name)
    assert band_of(name, "s2") == "B2"
    assert all(is_other_quantity_of_band(name) for name in ("S1_VV_std", "B2_STD", "std_v_VV"))


@pytest.mark.parametrize("name", ["S2_20200706_STD", "Count_20200706", "zenith_farm_20200706"])
def test_an_image_may_be_called_as_a_quantity(name):
    assert not is_other_quantity_of_band(name)
    assert is_other_quantity_of_band(f"{name}_B02")
