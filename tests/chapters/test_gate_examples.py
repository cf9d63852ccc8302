from types import SimpleNamespace

import numpy as np
import pytest

from multisenge_lib import paths
from multisenge_lib.chapters import (
    gate_places,
    ndvi,
    optical_pieces,
    read_village,
    telling_filter,
)
from multisenge_lib.dataset import TYPOLOGIES, load_selection


@pytest.fixture(scope="module")
def village():
    _, images = read_village(paths.PROJECT / "book/data/village/worldcereal-village.nc")
    return images


@pytest.fixture(scope="module")
def places(village):
    return gate_places(village)


def test_the_winter_crop_greens_and_is_harvested(village, places):
    year = ndvi(village)[:, *places["Winter crop"]]
    peak = year.argmax()
    assert year[peak] > 0.8, "it was green"
    assert year[peak:].min() < 0.3, "and was harvested"


def test_the_summer_crop_is_bare_while_the_winter_crop_is_green(village, places):
    winter = ndvi(village)[:, *places["Winter crop"]]
    summer = ndvi(village)[:, *places["Summer crop"]]
    assert summer[winter.argmax()] < 0.5
    assert winter[summer.argmax()] < 0.5


def test_roofs_stay_as_they_are_and_trees_stay_green(village, places):
    index = ndvi(village)
    assert np.ptp(index[:, *places["Roofs"]]) < 0.1
    assert index[:, *places["Roofs"]].max() < 0.3
    assert index[:, *places["Trees"]].min() > 0.5


def test_the_filter_that_follows_the_field_and_rests_on_the_roof_is_chosen(village, places):
    field = places["Winter crop"]
    roof = places["Roofs"]
    year = ndvi(village)[:, *field]
    cell = np.zeros((1, *village.shape[:3], 4))
    cell[..., 0] = np.arange(len(village)).reshape(-1, 1, 1)  # moves everywhere alike
    cell[0, :, *field, 1] = year  # follows the field
    cell[0, :, *field, 2] = -2 * year  # follows it upside down, and further
    cell[0, :, *roof, 3] = year  # moves on the roof
    state = SimpleNamespace(cell=cell)
    with np.errstate(invalid="ignore"):  # a cell at rest has no correlation
        assert telling_filter(state, village, field, roof) == 2


def test_pieces_are_spread_over_the_split(sample_root):
    selection = load_selection(sample_root)
    images, ids = optical_pieces(sample_root, selection, "test", 5, TYPOLOGIES["10c"])
    assert images.shape == (len(ids), 4, 64, 64, 10) and images.dtype == np.float32
    assert ids.shape[1:] == (64, 64) and 1 <= ids.min() <= ids.max() <= 10
    assert 1 < len(ids) <= 5
