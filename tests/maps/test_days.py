"""Maps of networks that ask for the day of the year, and of networks in a user's file."""

from dataclasses import replace

import labels
import numpy as np
import pytest
from map_inputs import read_pixels, write_rasters
from small_network import small_experiment, write_network, write_two_months

from multisenge_lib.dataset import (
    MULTISENGE,
    TYPOLOGIES,
    load_selection,
    write_dataset_toml,
)
from multisenge_lib.errors import ExperimentError, FileError, ModelError, SelectionError
from multisenge_lib.maps import (
    from_root,
    patches_to_map,
    predict_map,
    predict_rasters,
    predict_root,
)
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


@pytest.mark.fault("predict: a link of another date to the same raster -> another map, refused")
def test_another_day_is_another_map(tmp_path):
    path = save_with_days(write_network(tmp_path), MULTISENGE, tmp_path)
    s2 = write_rasters(tmp_path / "rasters", (64, 64))["s2"]
    link = tmp_path / "20200701_s2.tif"
    link.symlink_to(s2[0])
    out = predict_rasters(path, {"s2": [link, *s2[1:]]}, tmp_path / "map.tif", window=32)
    link = link.rename(tmp_path / "20200730_s2.tif")
    with pytest.raises(FileError, match="of other data or settings"):
        predict_rasters(path, {"s2": [link, *s2[1:]]}, out, window=32)


def test_a_tile_of_other_days_is_another_map(tmp_path, monkeypatch):
    dataset = write_two_months(tmp_path / "root")
    path = save_with_days(write_network(tmp_path), dataset, tmp_path)
    predict_root(path, tmp_path / "root", tmp_path / "maps", tiles=["31UEQ"])
    monkeypatch.setattr(from_root, "_dates", lambda *_: ["2020-07-30", "2020-08-30"])
    with pytest.raises(FileError, match="of other data or settings"):
        predict_root(path, tmp_path / "root", tmp_path / "maps", tiles=["31UEQ"])


def test_patches_of_a_network_with_more_radar_dates(tmp_path):
    write_two_months(tmp_path)
    assert len(patches_to_map(tmp_path, (7, 8), ("s1", "s2"))) == 6
    # The root has one radar image of each month, and this network takes two.
    with (
        pytest.warns(UserWarning, match="left out . patch.* without a Sentinel-1 image"),
        pytest.raises(ModelError, match="no patch has 2 Sentinel-1 images in the month"),
    ):
        patches_to_map(tmp_path, (7, 8), ("s1", "s2"), s1_per_month=2)


def write_names(root, s2, s1, patch="31UEQ_0_0"):
    """A label file and empty files of its rasters: a selection goes by their names."""
    tile, x, y = patch.split("_")
    labels.write(root / "labels", patch, **labels.document(patch, s2=s2, s1=s1))
    for sensor, days in (("s1", s1), ("s2", s2)):
        (root / sensor).mkdir(exist_ok=True)
        for day in days:
            (root / sensor / f"{tile}_{day}_{sensor.upper()}_{x}_{y}.tif").touch()


@pytest.mark.fault("maps: a radar network on a root of two sensors -> the dates of its training")
def test_the_dates_of_a_radar_network_are_those_of_its_training(tmp_path):
    """They follow Sentinel-2's months; the days gap is Sentinel-2's alone."""
    write_names(tmp_path, ("20200705", "20200810"), ("20200730", "20200803", "20200825"))
    in_training = load_selection(tmp_path, months=(7, 8), sensors=("s1",))
    to_map = patches_to_map(tmp_path, (7, 8), ("s1",))
    for selection in (in_training, to_map):
        assert selection["s1_dates"].iloc[0].astype(str).tolist() == ["2020-07-30", "2020-08-03"]


@pytest.mark.fault("maps: several radar images of a month, a root of radar alone -> one line")
def test_a_root_of_radar_alone_has_one_image_of_each_month(tmp_path):
    write_names(tmp_path, (), ("20200705", "20200810"))
    radar = {"s1": MULTISENGE.bands["s1"]}
    write_dataset_toml(tmp_path, replace(MULTISENGE, name="radar", bands=radar))
    assert len(patches_to_map(tmp_path, (7, 8), ("s1",))) == 1
    with pytest.raises(ModelError, match=r"has Sentinel-1 alone, .* the network takes 2"):
        patches_to_map(tmp_path, (7, 8), ("s1",), s1_per_month=2)


@pytest.mark.fault("maps: a network whose months cross New Year, images of one year -> one line")
def test_months_that_the_root_s_year_does_not_have(tmp_path):
    write_names(tmp_path, ("20200705", "20200810"), ("20200705", "20200810"))
    with pytest.raises(ModelError, match=r"of months 12 and 1 can read .*out of order"):
        patches_to_map(tmp_path, (12, 1), ("s2",))


@pytest.mark.fault("maps: a raster of another name -> that name, not the months of the network")
def test_a_misnamed_raster_is_named(tmp_path):
    write_names(tmp_path, ("20200705", "20200810"), ("20200705", "20200810"))
    (tmp_path / "s2" / "mine.tif").touch()
    with pytest.raises(SelectionError, match=r"mine.tif is not named .*: rename it, or move"):
        patches_to_map(tmp_path, (7, 8), ("s2",))
