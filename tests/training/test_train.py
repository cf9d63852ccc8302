"""Settings, loss, and short trainings of a slim network on the sample."""

import json
import subprocess
import sys
from dataclasses import asdict, replace
from importlib import import_module
from pathlib import Path

import keras
import numpy as np
import pytest
from networks import slim_unet
from rasters import write_root

from multisenge_lib import results
from multisenge_lib.errors import ExperimentError, PatchError
from multisenge_lib.models.experiments import get_experiment
from multisenge_lib.training.settings import Settings
from multisenge_lib.training.train import train

#: The module, which the function of the same name hides.
training = import_module("multisenge_lib.training.train")

#: As the shortest run: the network of S1 alone, two steps an epoch.
FAST = Settings(epochs=2, batch_size=2, readers=1)
#: Learns so fast that it soon gets worse.
STOPPING = replace(FAST, epochs=30, learning_rate=0.05, plateau_patience=1, stop_patience=3)


@pytest.fixture(autouse=True)
def folders(tmp_path, monkeypatch):
    monkeypatch.setenv("MULTISENGE_RESULTS", str(tmp_path / "results"))
    monkeypatch.setenv("MULTISENGE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("MULTISENGE_EPOCHS", raising=False)


def test_nothing_is_read_before_the_request_is_sound(tmp_path, monkeypatch):
    def read(*_, **__):
        raise AssertionError("data was read")

    monkeypatch.setattr(training, "load_selection", read)
    with pytest.raises(ExperimentError, match="no experiment 'nonsense'"):
        train("nonsense", FAST, tmp_path)
    for folder in ("labels", "ground_reference", "s2"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "file").touch()
    with pytest.raises(ExperimentError, match="no files in s1/, which s1s2_10c needs"):
        train("s1s2_10c", FAST, tmp_path)


BROKEN = "31UFQ_1285_0"
SHOWN = "31UEQ_7453_4112"


def write_small(root):
    """Nine patches of 32 x 32 pixels, four dates, one of them broken; their selection."""
    patches = ["31UFP_0_0", "31UFP_0_257", SHOWN, BROKEN]
    patches += [f"31UFQ_{x}_0" for x in (0, 257, 514, 771, 1028)]
    selection = write_root(root, patches=patches)
    for column in ("s1_dates", "s2_dates"):  # as many dates as the experiments have months
        selection[column] = [np.repeat(days, 2) for days in selection[column]]
    path = next((root / "s1").glob(f"31UFQ_*_S1_{BROKEN[6:]}.tif"))
    path.write_bytes(path.read_bytes()[:1000])
    (root / "labels").mkdir()
    (root / "labels" / "any.json").touch()
    return selection


def slim(monkeypatch, root, selection):
    """`train` with few layers and filters, on the patches selected."""
    monkeypatch.setenv("MULTISENGE_CACHE", str(root / "cache"))
    monkeypatch.setattr(training, "load_selection", lambda *_: selection)
    slim_unet(monkeypatch)

    def run(settings=FAST, experiment="s1_6c", **options):
        options = {"on_error": "skip", "seconds": 0} | options
        experiment = replace(get_experiment(experiment), filters=4)
        return train(experiment, settings, root, progress=False, **options)

    return run


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    root = tmp_path_factory.mktemp("root")
    return root, write_small(root)


@pytest.fixture
def run(monkeypatch, small):
    return slim(monkeypatch, *small)


@pytest.fixture(scope="module")
def whole(small):
    """A run that was never interrupted; so fast a learner that it stops early."""
    with pytest.MonkeyPatch.context() as patch:
        return slim(patch, *small)(STOPPING, resume=False)


@pytest.fixture
def store(run, small):
    return training.load_store(small[0], get_experiment("s1_6c"), FAST, on_error="skip")


class Killed(Exception):
    """Nothing catches it but the test."""


def kill_after(monkeypatch, epochs):
    """Die in the epoch after `epochs` whole ones."""
    plan = training.TrainingBatches.plan

    def dying(self, number):
        if self.first_epoch * self.steps + number > epochs * self.steps:
            raise Killed
        return plan(self, number)

    monkeypatch.setattr(training.TrainingBatches, "plan", dying)


def test_a_killed_run_ends_as_if_it_had_not_been(whole, run, monkeypatch):
    """Weights, history and scores; the patiences are short, so that their memory matters."""
    with monkeypatch.context() as patched, pytest.raises(Exception, match="Killed"):
        kill_after(patched, 3)
        run(STOPPING, resume=False)
    assert (whole.folder / "checkpoint.npz").exists()
    resumed = run(STOPPING)
    columns = ["loss", "val_loss", "learning_rate"]
    np.testing.assert_array_equal(whole.record.history[columns], resumed.record.history[columns])
    for expected, found in zip(whole.model.get_weights(), resumed.model.get_weights(), strict=True):
        np.testing.assert_array_equal(found, expected)
    assert (resumed.record.confusion == whole.record.confusion).all()
    assert not (whole.folder / "checkpoint.npz").exists()


def test_training_stops_and_keeps_the_best_epoch(whole):
    history = whole.record.history
    assert len(history) < STOPPING.epochs
    best = whole.record.best_epoch
    assert best == history["val_loss"].idxmin() == len(history) - STOPPING.stop_patience
    assert history["learning_rate"].iloc[-1] < STOPPING.learning_rate
    assert history["loss"].min() < history["loss"].iloc[0]


def test_the_record_says_what_was_done(whole, store):
    results.write_record(whole.record)
    read = results.read_record("multisenge", "s1_6c")
    metadata = read.metadata
    assert json.loads(json.dumps(asdict(whole.record.metadata))) == json.loads(
        json.dumps(asdict(metadata))
    )
    assert metadata.patches == {"train": 5, "validation": 2, "test": 1}
    assert read.confusion.sum() == 32 * 32 == sum(read.scores["support"])
    assert sum(metadata.pixels) == 5 * 32 * 32
    assert len(metadata.statistics["s1"][0]) == 2 and len(metadata.class_weights) == 6
    assert metadata.settings["batch_size"] == 2 and metadata.choices["filters"] == 4
    assert metadata.fingerprint == store.fingerprint
    assert read.patches == (SHOWN,) and read.maps[SHOWN].min() >= 1
    reference = store.read("reference", store.positions("test")[0])
    expected = get_experiment("s1_6c").typology.lookup[reference]
    np.testing.assert_array_equal(read.references[SHOWN], expected)


def test_a_skipped_patch_is_counted_and_listed(whole, run, small):
    (skipped,) = whole.record.metadata.skipped
    assert skipped["patch"] == BROKEN and "truncated" in skipped["problem"]
    assert str(small[0]) not in str(whole.record.metadata)
    with pytest.raises(PatchError, match=f"{BROKEN[6:]}.tif cannot be read"):
        run(on_error="stop")


def test_the_saved_model_takes_raw_values_and_predicts_the_same(whole, store):
    loaded = keras.models.load_model(whole.folder / "model.keras")
    inputs = {"s1": store.read("s1", 0)[None]}
    np.testing.assert_allclose(
        loaded.predict_on_batch(inputs), whole.model.predict_on_batch(inputs), atol=1e-5
    )


@pytest.mark.slow
def test_other_settings_are_another_run_and_train_as_well(whole, run):
    others = {"precision": "mixed_bfloat16", "class_weights": False, "augmentation": "extend"}
    other = run(replace(FAST, **others))
    assert other.folder != whole.folder
    assert np.isfinite(other.record.history["loss"]).all()
    assert keras.config.dtype_policy().name == "float32"


def test_more_devices_than_there_are(run):
    with pytest.raises(ExperimentError, match="devices is 2: it must be at most 1"):
        run(replace(FAST, devices=2))


def test_a_store_damaged_while_training_is_one_line(run, monkeypatch):
    build = training.build

    def damaged(self, name, position):
        raise PatchError(f"{name} cannot be read at {position}")

    def built_before(*arguments):
        model = build(*arguments)
        monkeypatch.setattr(training.Store, "read", damaged)
        return model

    monkeypatch.setattr(training, "build", built_before)
    with pytest.raises(PatchError, match="cannot be read at") as caught:
        run(resume=False)
    assert "\n" not in str(caught.value)


_TWO_DEVICES = """
import os, sys
os.environ |= {"TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": sys.argv[1]}
flags = "--xla_force_host_platform_device_count=2 --xla_backend_optimization_level=0"
os.environ["XLA_FLAGS"] = flags
if sys.argv[1] == "tensorflow":
    import tensorflow as tf
    one = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(one, [tf.config.LogicalDeviceConfiguration()] * 2)
import json, pathlib, pytest
sys.path[:0] = [sys.argv[2], str(pathlib.Path(sys.argv[2]).parent)]
import test_train as t
root = pathlib.Path(sys.argv[3])
with pytest.MonkeyPatch.context() as patch:
    run = t.slim(patch, root, t.write_small(root))
    histories = [run(t.replace(t.FAST, devices=n)).record.history for n in (1, 2)]
print(json.dumps([history[["loss", "val_loss"]].to_numpy().tolist() for history in histories]))
"""


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["tensorflow", pytest.param("jax", marks=pytest.mark.jax)])
def test_two_devices_train_as_one(tmp_path, backend):
    if backend == "jax":
        pytest.importorskip("jax", reason="the jax extra is not installed")
    here = str(Path(__file__).parent)
    command = [sys.executable, "-c", _TWO_DEVICES, backend, here, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    one, two = json.loads(done.stdout.strip().splitlines()[-1])
    np.testing.assert_allclose(two[0], one[0], rtol=1e-4)
    np.testing.assert_allclose(two[1], one[1], rtol=1e-2)  # Adam magnifies rounding
