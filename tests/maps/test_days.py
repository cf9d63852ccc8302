"""Maps of networks that ask for the day of the year, and of networks in a user's file."""

import numpy as np
import pytest
from map_inputs import read_pixels, write_rasters
from small_network import small_experiment, write_network, write_two_months

from multisenge_lib.dataset import MULTISENGE, TYPOLOGIES
from multisenge_lib.errors import ExperimentError, ModelError
from multisenge_lib.maps import predict_map, predict_rasters, predict_root
from multisenge_lib.models import build_model, load_model, model_card, save_model

SIX = TYPOLOGIES["6c"]


def save_with_days(file, dataset, folder):
    """A network whose map depends on the day of the year, saved."""
    experiment = small_experiment("s2_6c", file, dataset, "with_days")
    model = build_model(experiment, 32, {"s2": ([2000.0] * 10, [1000.0] * 10)})
    card = model_card(experiment, SIX, 32, dataset.name)
    return save_model(model, card, folder / "model.keras")


def test_arrays_come_with_days(tmp_path):
    path = save_with_days(write_network(tmp_path), MULTISENGE, tmp_path)
    model, _ = load_model(path)
    series = {"s2": np.full((4, 40, 50, 10), 900.0)}
    _, summer = predict_map(model, series, window=32, days={"s2": [190, 200, 210, 220]})
    _, winter = predict_map(model, series, window=32, days={"s2": [1, 2, 3, 4]})
    assert not np.allclose(summer, winter)


@pytest.mark.fault("maps: a network that asks for days, given none or wrong ones -> one line")
@pytest.mark.parametrize("days", [None, {"s2": [190]}, {"s2": [0, 1, 2, 3]}])
def test_days_that_are_missing_are_asked_for(days, tmp_path):
    path = save_with_days(write_network(tmp_path), MULTISENGE, tmp_path)
    model, _ = load_model(path)
    with pytest.raises(ExperimentError, match="day of the year, 1 to 366, of each of its 4 images"):
        predict_map(model, {"s2": np.full((4, 40, 50, 10), 900.0)}, window=32, days=days)


def test_rasters_and_patches_say_their_days(tmp_path):
    file = write_network(tmp_path)
    path = save_with_days(file, MULTISENGE, tmp_path)
    rasters = write_rasters(tmp_path / "rasters", (64, 64))
    out = predict_rasters(path, {"s2": rasters["s2"]}, tmp_path / "map.tif", window=32)
    assert set(np.unique(read_pixels(out))) <= set(range(7))

    dataset = write_two_months(tmp_path / "root")
    (tmp_path / "two").mkdir()
    path = save_with_days(file, dataset, tmp_path / "two")
    maps = predict_root(path, tmp_path / "root", tmp_path / "maps", tiles=["31UEQ"])
    assert read_pixels(maps[0]).max() <= 6


def test_patches_of_a_network_with_more_radar_dates(tmp_path):
    from multisenge_lib.maps import patches_to_map

    write_two_months(tmp_path)
    assert len(patches_to_map(tmp_path, (7, 8), ("s1", "s2"))) == 6
    # The root has one radar image of each month, and this network takes two.
    with (
        pytest.warns(UserWarning, match="no Sentinel-1 image for some of its dates"),
        pytest.raises(ModelError, match="no patch has 2 Sentinel-1 images in the month"),
    ):
        patches_to_map(tmp_path, (7, 8), ("s1", "s2"), s1_per_month=2)
