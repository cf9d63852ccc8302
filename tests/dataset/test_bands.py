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
from multisenge_lib.dataset.bands import band_names_problem
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
