"""The random forest: its features, its pixels, its record."""

import numpy as np
import pytest
from small_network import write_two_months

from multisenge_lib import results
from multisenge_lib.dataset import MULTISENGE
from multisenge_lib.errors import ExperimentError, RecordError
from multisenge_lib.other_networks import forest_names, random_forest
from multisenge_lib.other_networks.forest_experiments import forest_experiment
from multisenge_lib.training import prepare, settings_for

pytest.importorskip("sklearn")


@pytest.fixture(scope="module")
def area(tmp_path_factory):
    root = tmp_path_factory.mktemp("root")
    return root, write_two_months(root)


@pytest.fixture(autouse=True)
def folders(tmp_path, monkeypatch):
    monkeypatch.setenv("MULTISENGE_RESULTS", str(tmp_path / "results"))
    monkeypatch.setenv("MULTISENGE_CACHE", str(tmp_path / "cache"))


def prepared(area, name):
    root, dataset = area
    settings = settings_for(root, batch_size=2, reader_threads=1)
    return prepare(root, forest_experiment(name, dataset), settings, dataset=dataset)


def test_features_are_all_dates_and_bands_of_a_pixel():
    s1 = np.arange(2 * 2 * 1 * 2 * 2).reshape(2, 2, 1, 2, 2)  # batch, dates, rows, columns, bands
    features = random_forest.pixel_features({"s1": s1, "s2": s1 + 100}, ("s1", "s2"))
    assert features.shape == (2, 1, 2, 8)
    # The second pixel of the first patch: both bands of the first date, then of the second.
    assert features[0, 0, 1].tolist() == [2, 3, 6, 7, 102, 103, 106, 107]


def test_pixels_are_drawn_with_their_own_class(area):
    task = prepared(area, "forest_s2_6c")
    features, ids = random_forest.sample_pixels(task, 50, seed=1)
    assert features.shape == (50, 20) and ids.shape == (50,)
    # Values of random rasters are all but unique, so each row can be looked up in the patches.
    for row, class_id in zip(features, ids, strict=True):
        matches = []
        for position in task.store.positions("train"):
            images = np.moveaxis(task.store.read("s2", position), 0, -2).reshape(-1, 20)
            reference = task.typology.lookup[task.store.read("reference", position)]
            matches.extend(reference.ravel()[(images == row).all(axis=1)])
        assert matches == [class_id]


def test_the_seed_draws_the_pixels(area):
    task = prepared(area, "forest_s1_6c")
    first, _ = random_forest.sample_pixels(task, 20, seed=1)
    again, _ = random_forest.sample_pixels(task, 20, seed=1)
    other, _ = random_forest.sample_pixels(task, 20, seed=2)
    assert (first == again).all() and not (first == other).all()
    everything, _ = random_forest.sample_pixels(task, 10**9, seed=1)
    assert len(everything) == 4 * 32 * 32


def test_its_record_is_like_all_others(area):
    root, dataset = area
    trained = random_forest.train_forest(
        "forest_10c", 2, root, dataset=dataset, trees=30, pixels=300
    )
    results.write_record(trained)
    record = results.read_record(dataset.name, "forest_10c", 2)
    assert record.metadata.title == "Random forest-S1S2"
    assert record.metadata.choices["network"] == "forest"
    assert record.confusion.sum() == 32 * 32
    assert record.best_epoch == 1 and 0 < record.history["val_loss"].iloc[0] <= 1
    assert record.metadata.parameters["total"] > 30
    assert record.spatial.labelled_pixels == 32 * 32
    # Pixel by pixel on random values: salt and pepper everywhere.
    assert record.spatial.isolated_share_of_map > 0.1


def test_forests_of_other_sizes_are_not_taken_for_one(area):
    root, dataset = area
    first, second = (
        random_forest.train_forest("forest_10c", 3, root, dataset=dataset, trees=trees, pixels=300)
        for trees in (30, 20)
    )
    assert first.metadata.settings == {"trees": 30, "pixels": 300, "seed": 3}
    results.write_record(first)
    with pytest.raises(RecordError, match=r"other settings .trees 30, now 20"):
        results.write_record(second)


def test_forests_have_names_for_classes_and_sensors():
    names = forest_names(MULTISENGE)
    assert {"forest_6c", "forest_10c", "forest_s2_10c", "forest_s1_14c"} <= set(names)
    with pytest.raises(ExperimentError, match="no forest 's2_10c' of multisenge: choose one of"):
        forest_experiment("s2_10c", MULTISENGE)
