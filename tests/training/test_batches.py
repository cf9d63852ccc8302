"""Batches of a small store: order, transformations, statistics, weights."""

import keras
import numpy as np
import pytest
from rasters import write_root

from multisenge_lib.dataset.store import pack
from multisenge_lib.dataset.typology import TYPOLOGIES, reclassify
from multisenge_lib.errors import ExperimentError
from multisenge_lib.models.experiments import get_experiment
from multisenge_lib.training.batches import (
    TRANSFORMATIONS,
    Batches,
    TrainingBatches,
    count_classes,
    read_ahead,
    streamed_statistics,
    transform,
)

TEN = TYPOLOGIES["10c"]
SIX = TYPOLOGIES["6c"]
PATCHES = [f"31UFQ_{x}_{y}" for x in (0, 257, 514) for y in (0, 257, 514)]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    root = tmp_path_factory.mktemp("root")
    selection = write_root(root, patches=PATCHES)
    return pack(root, selection, root / "packed")


def training(store, batch_size=2, **options):
    positions = store.positions("train")
    return TrainingBatches(
        store, positions, ("s1", "s2"), TEN, batch_size, **({"seed": 3} | options)
    )


def epoch(batches, number=0):
    """The plan of an epoch, flat."""
    steps = range(number * batches.steps, (number + 1) * batches.steps)
    return [planned for step in steps for planned in batches.plan(step)]


def test_in_order_once_with_ids_of_the_typology(store):
    batches = Batches(store, store.positions("train"), ("s1", "s2"), SIX, 4, reader_threads=2)
    assert batches.num_batches == 3
    whole = [batches[i] for i in range(3)]
    assert [len(batches.plan(i)) for i in range(3)] == [4, 4, 1]
    inputs, reference = whole[1]
    assert inputs["s1"].shape == (4, 2, 32, 32, 2) and inputs["s1"].dtype == np.float32
    assert inputs["s2"].shape == (4, 2, 32, 32, 10) and inputs["s2"].dtype == np.uint16
    assert reference.shape == (4, 32, 32) and reference.dtype == np.uint8
    np.testing.assert_array_equal(reference[0], reclassify(store.read("reference", 4), SIX))
    np.testing.assert_array_equal(inputs["s2"][0], store.read("s2", 4))


def test_the_last_batch_is_filled_up_with_ignored_pixels(store):
    inputs, reference = Batches(store, range(9), ("s1",), SIX, 4)[2]
    assert inputs["s1"].shape[0] == 4 and reference.shape == (4, 32, 32)
    assert reference[0].all() and not reference[1:].any()


def test_no_one_hot_volume_and_only_the_sensors_asked_for(store):
    inputs, reference = Batches(store, [0], ("s2",), TEN, 1)[0]
    assert set(inputs) == {"s2"} and reference.nbytes == 32 * 32


@pytest.mark.parametrize("number", range(len(TRANSFORMATIONS)))
def test_all_dates_sensors_and_reference_are_turned_alike(store, number):
    batches = training(store, batch_size=2)
    batches.plan = lambda _: [(0, number), (0, 0)]
    inputs, (reference, _) = batches[0]
    series, whole = zip(*inputs.values(), strict=True)
    by_hand = {
        "none": lambda a: a,
        "90": np.rot90,
        "180": lambda a: np.rot90(a, 2),
        "270": lambda a: np.rot90(a, 3),
        "up-down": np.flipud,
        "left-right": np.fliplr,
    }[TRANSFORMATIONS[number]]
    np.testing.assert_array_equal(reference, by_hand(reclassify(store.read("reference", 0), TEN)))
    for turned, original in zip(series, whole, strict=True):
        for date in range(2):
            np.testing.assert_array_equal(turned[date], by_hand(original[date]))


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="TensorFlow's pipeline")
def test_read_ahead_is_the_same_batches_and_not_tuned(store):
    finite = Batches(store, range(9), ("s1",), SIX, 4)
    endless = training(store)
    for batches, length in ((finite, 3), (endless, -1)):
        ahead = read_ahead(batches)
        assert int(ahead.cardinality()) == length
        assert ahead.options().autotune.enabled is False
        for number, (inputs, reference) in enumerate(ahead.take(9)):
            expected, ids = batches[number]
            np.testing.assert_array_equal(reference, ids)
            for sensor, series in expected.items():
                np.testing.assert_array_equal(inputs[sensor], series)
        assert number == (2 if length > 0 else 8)


def test_transformations_differ():
    image = np.arange(9).reshape(3, 3)
    turned = {transform(image, n, (0, 1)).tobytes() for n in range(len(TRANSFORMATIONS))}
    assert len(turned) == len(TRANSFORMATIONS)


def test_an_epoch_takes_each_patch_at_most_once_and_epochs_differ(store):
    batches = training(store)
    assert batches.steps == 4  # nine patches by two
    first = epoch(batches, 0)
    second = epoch(batches, 1)
    assert len({position for position, _ in first}) == 8
    assert first != second


def test_order_is_a_matter_of_seed_and_epoch_alone(store):
    assert epoch(training(store), 5) == epoch(training(store, first_pass=5), 0)
    assert epoch(training(store), 0) != epoch(training(store, seed=4), 0)
    backwards = training(store)
    later = backwards.plan(17)
    assert backwards.plan(2) == training(store).plan(2) and later == training(store).plan(17)


def test_three_quarters_are_turned_in_equal_shares(store):
    batches = training(store, batch_size=9)
    numbers = [number for e in range(400) for _, number in epoch(batches, e)]
    shares = np.bincount(numbers, minlength=6) / len(numbers)
    np.testing.assert_allclose(shares, [0.25] + [0.15] * 5, atol=0.03)


def test_the_other_reading_adds_turned_copies(store):
    batches = training(store, batch_size=1, augmentation="extend")
    plan = epoch(batches)
    assert len(plan) == 9 + 7
    assert sorted(position for position, number in plan if number == 0) == list(range(9))
    copies = [position for position, number in plan if number]
    assert len(copies) == len(set(copies)) == 7
    assert all(number == 0 for _, number in epoch(training(store, augmentation="none")))


def test_impossible_batches_are_refused(store):
    with pytest.raises(ExperimentError, match="batch size 10"):
        training(store, batch_size=10)
    with pytest.raises(ExperimentError, match="batch size 0"):
        Batches(store, [0], ("s1",), TEN, 0)
    with pytest.raises(ExperimentError, match="the split is empty"):
        Batches(store, store.positions("test"), ("s1",), TEN, 1)


@pytest.mark.parametrize("name", ["s1_6c", "s2_10c", "s1s2_10c"])
def test_statistics_of_one_pass_are_those_of_all_at_once(store, name):
    statistics = streamed_statistics(store, get_experiment(name))
    assert set(statistics) == set(get_experiment(name).sensors)
    for sensor, (mean, deviation) in statistics.items():
        values = np.stack([store.read(sensor, i) for i in range(9)]).astype(np.float64)
        values = 10 * np.log10(values) if sensor == "s1" else values
        np.testing.assert_allclose(mean, values.mean((0, 1, 2, 3)), rtol=1e-6)
        np.testing.assert_allclose(deviation, values.std((0, 1, 2, 3)), rtol=1e-6)


@pytest.mark.parametrize("name", ["s1_6c", "s2_10c"])
def test_pixels_without_data_are_not_in_the_statistics(store, name, monkeypatch):
    whole = streamed_statistics(store, get_experiment(name))
    read = type(store).read

    def half(self, sensor, position):
        values = read(self, sensor, position).copy()
        values[:, ::2] = values[:, 1::2]
        values[:, ::2] *= 0
        return values

    def twice(self, sensor, position):
        values = read(self, sensor, position).copy()
        values[:, ::2] = values[:, 1::2]
        return values

    monkeypatch.setattr(type(store), "read", twice)
    repeated = streamed_statistics(store, get_experiment(name))
    monkeypatch.setattr(type(store), "read", half)
    for sensor, moments in streamed_statistics(store, get_experiment(name)).items():
        np.testing.assert_allclose(moments, repeated[sensor], rtol=1e-9)
        assert not np.allclose(moments, whole[sensor], rtol=1e-9)


@pytest.mark.parametrize("value", [0.2, 0.1, 0.05])
def test_a_band_of_one_value_is_refused(store, monkeypatch, value):
    """Its variance is rounding, positive or negative: nothing to divide by in Eq. 4."""
    read = type(store).read

    def constant(self, sensor, position):
        values = read(self, sensor, position).copy()
        values[..., 1] = value
        return values

    monkeypatch.setattr(type(store), "read", constant)
    with pytest.raises(ExperimentError, match="s1: band 2 has one value in all training patches"):
        streamed_statistics(store, get_experiment("s1_6c"))


def test_class_counts_leave_out_no_data(store):
    counts = count_classes(store, TEN)
    reference = np.concatenate([store.read("reference", i).ravel() for i in range(9)])
    np.testing.assert_array_equal(counts, np.bincount(TEN.lookup[reference], minlength=11)[1:])
    assert counts.dtype == np.int64


def test_a_pixel_without_vh_is_not_in_the_statistics_of_sentinel1(store, monkeypatch):
    """0 in one polarisation means not observed: it must not widen the spread of either band."""
    experiment = get_experiment("s1_6c")
    read = type(store).read
    without_vh = np.zeros((32, 32), bool)
    without_vh[:, ::8] = True  # one eighth of the pixels

    def read_with_gaps(self, name, position, out=None):
        values = read(self, name, position).copy()
        if name == "s1":
            values[:, without_vh, 1] = 0
        return values

    observed = []
    for position in store.positions("train"):
        values = read(store, "s1", position)
        observed.append(10 * np.log10(values[:, ~without_vh].astype(np.float64)))
    expected_std = np.stack(observed).std(axis=(0, 1, 2))

    monkeypatch.setattr(type(store), "read", read_with_gaps)
    _, std = streamed_statistics(store, experiment)["s1"]
    np.testing.assert_allclose(std, expected_std, rtol=1e-6)
    assert max(std) < 5  # with the gaps as -50 dB it is over 10
