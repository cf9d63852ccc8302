"""Settings, loss, and short trainings of a small network on the sample."""

import json
import os
import subprocess
import sys
from dataclasses import asdict, fields, replace
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
from networks import no_unet
from rasters import write_root
from records import make_record

from multisenge_lib import results
from multisenge_lib.dataset import MULTISENGE, TYPOLOGIES, make_typology, with_selection
from multisenge_lib.errors import (
    ExperimentError,
    FileError,
    MultiSenGEError,
    PatchError,
    RecordError,
)
from multisenge_lib.models import (
    get_experiment,
    load_model,
    paper_networks,
    save_model,
    with_network,
)
from multisenge_lib.training import fitting, preparation
from multisenge_lib.training import run as training
from multisenge_lib.training.checkpoint import delete_run
from multisenge_lib.training.progress import Progress
from multisenge_lib.training.settings import Settings
from multisenge_lib.training.start_from import StartingPoint

#: As the shortest run: the network of S1 alone, two steps an epoch.
FAST = Settings(epochs=2, batch_size=2, reader_threads=1)
#: Steps so wide that the validation loss soon goes up and down.
STOPPING = replace(
    FAST, epochs=30, learning_rate=0.2, plateau_factor=0.9, plateau_patience=1, stop_patience=3
)


@pytest.fixture(autouse=True)
def folders(tmp_path, monkeypatch):
    monkeypatch.setenv("MULTISENGE_RESULTS", str(tmp_path / "results"))
    monkeypatch.setenv("MULTISENGE_CACHE", str(tmp_path / "cache"))


def test_nothing_is_read_before_the_request_is_sound(tmp_path, monkeypatch):
    def read(*_, **__):
        raise AssertionError("data was read")

    monkeypatch.setattr(preparation, "load_selection", read)
    for folder in ("labels", "ground_reference", "s2"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "31UFQ_0_0.json").touch()
    with pytest.raises(ExperimentError, match="no experiment 'nonsense'"):
        training.train("nonsense", FAST, tmp_path)
    with pytest.raises(ExperimentError, match="no files in s1/, which s1s2_10c needs"):
        training.train("s1s2_10c", FAST, tmp_path)


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
    return selection


def slim(monkeypatch, root, selection):
    """`train` without a U-Net and with few filters, on the patches selected."""
    monkeypatch.setenv("MULTISENGE_CACHE", str(root / "cache"))
    monkeypatch.setattr(preparation, "load_selection", lambda *_, **__: selection)
    no_unet(monkeypatch)

    def run(settings=FAST, experiment="s1_6c", **options):
        options = {"on_error": "skip", "checkpoint_interval": 0} | options
        dataset = options.get("dataset") or MULTISENGE
        experiment = replace(get_experiment(experiment, dataset), filters=4)
        return training.train(experiment, settings, root, progress=False, **options)

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
    return preparation.prepare(small[0], get_experiment("s1_6c"), FAST, on_error="skip").store


def test_the_first_step_is_traced_once(run, monkeypatch):
    """Tracing the paper's network takes ten seconds and more; TensorFlow would do it twice."""
    traced = []
    step = keras.Model.train_step

    def counted(model, data):
        traced.append(model)
        return step(model, data)

    monkeypatch.setattr(keras.Model, "train_step", counted)
    run(resume=False)
    assert len(traced) == 1


#: Several passes per epoch and a rate that follows from the number of the update.
ANNEALED = replace(FAST, epochs=4, passes_per_epoch=2, schedule="cosine", learning_rate=0.05)


class Killed(Exception):
    """Nothing catches it but the test."""


def kill_after(monkeypatch, epochs):
    """Die in the epoch after `epochs` whole ones."""
    plan = preparation.TrainingBatches.plan

    def dying(self, number):
        if self.first_pass * self.steps + number > epochs * self.steps:
            raise Killed
        return plan(self, number)

    monkeypatch.setattr(preparation.TrainingBatches, "plan", dying)


def test_a_killed_run_with_a_cosine_goes_on_with_the_same_rates_and_batches(run, monkeypatch):
    whole = run(ANNEALED, resume=False)
    assert len(whole.record.history) == 4
    with monkeypatch.context() as patched, pytest.raises(Exception, match="Killed"):
        kill_after(patched, 2 * 2 + 1)  # in the third epoch, which begins with the fifth pass
        run(ANNEALED, resume=False)
    resumed = run(ANNEALED)
    columns = ["loss", "val_loss", "learning_rate"]
    np.testing.assert_array_equal(whole.record.history[columns], resumed.record.history[columns])
    for expected, actual in zip(
        whole.model.get_weights(), resumed.model.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(actual, expected)


def test_a_killed_run_ends_as_if_it_had_not_been(whole, run, monkeypatch):
    """Weights, history and scores; an epoch before the end, so that its patience matters."""
    with monkeypatch.context() as patched, pytest.raises(Exception, match="Killed"):
        kill_after(patched, len(whole.record.history) - 1)
        run(STOPPING, resume=False)
    assert (whole.folder / "checkpoint.npz").exists()
    resumed = run(STOPPING)
    columns = ["loss", "val_loss", "learning_rate"]
    np.testing.assert_array_equal(whole.record.history[columns], resumed.record.history[columns])
    for expected, actual in zip(
        whole.model.get_weights(), resumed.model.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(actual, expected)
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
    expected = TYPOLOGIES["6c"].lookup[reference]
    np.testing.assert_array_equal(read.references[SHOWN], expected)


URBAN = make_typology(
    [("urban", "#a50026", (1, 2, 3, 4, 5)), ("rest", "#ffef9f", tuple(range(6, 15)))]
)
WATER = make_typology([("water", "#0e80ee", (13, 14)), ("land", "#ffef9f", tuple(range(1, 13)))])


@pytest.mark.fault("groupings: other classes of the same number -> trained anew, not taken up")
def test_other_classes_of_the_same_number_are_another_run(run):
    """Swapping two groupings of a dataset.toml once gave the urban network's scores to water."""
    first = run(experiment="s1_2c", dataset=replace(MULTISENGE, groupings=(URBAN,)))
    second = run(experiment="s1_2c", dataset=replace(MULTISENGE, groupings=(WATER,)))
    assert first.folder != second.folder
    for trained, typology in ((first, URBAN), (second, WATER)):
        _, card = load_model(trained.folder / "model.keras")
        assert card.classes == trained.record.metadata.classes == typology.names
        assert card.classification == trained.record.metadata.classification == "2c"


@pytest.mark.fault("dataset.toml: names, colours, members or bands edited -> a run of its own")
def test_whatever_a_description_changes_is_another_run(run, small):
    def folder(dataset):
        experiment = get_experiment("s2_2c", dataset)
        return preparation.prepare(small[0], experiment, FAST, "skip", dataset).folder()

    base = replace(MULTISENGE, groupings=(URBAN,))
    (urban, rest) = URBAN.classes
    renamed = replace(URBAN, classes=(replace(urban, name="town"), rest))
    recoloured = replace(URBAN, classes=(replace(urban, color="#000000"), rest))
    # Two bands change places: the rasters, and with them the packed patches, stay the same.
    swapped = MULTISENGE.bands["s2"][1::-1] + MULTISENGE.bands["s2"][2:]
    variants = [
        base,
        replace(base, groupings=(renamed,)),
        replace(base, groupings=(recoloured,)),
        replace(base, groupings=(WATER,)),
        replace(base, bands={**base.bands, "s2": swapped}),
    ]
    assert len({folder(dataset) for dataset in variants}) == len(variants)
    assert folder(base) == folder(replace(base, showcase=()))


def test_every_part_of_the_identity_makes_another_run(run, small, monkeypatch):
    """One change at a time: a part that were left out would let an old network pass for a new."""
    dataset = replace(MULTISENGE, groupings=(URBAN,))
    experiment = get_experiment("s1_2c", dataset)
    base = preparation.prepare(small[0], experiment, FAST, "skip", dataset)
    later = base.store.patches["s1_dates"].map(lambda dates: dates + np.timedelta64(1, "D"))
    a_day_later = base.store.patches.assign(s1_dates=later)
    changed = {
        "experiment": replace(base, experiment=replace(experiment, filters=8)),
        "settings": replace(base, settings=replace(FAST, learning_rate=0.5)),
        "dataset": replace(base, dataset=replace(dataset, name="area")),
        "typology": replace(base, dataset=replace(dataset, groupings=(WATER,))),
        "bands": replace(
            base, dataset=replace(dataset, bands=dict(dataset.bands, s1=("VH", "VV")))
        ),
        "patches": replace(base, store=replace(base.store, fingerprint="another")),
        "dates": replace(base, store=replace(base.store, patches=a_day_later)),
        "start_from": replace(
            base, start=StartingPoint(Path("model.keras"), "all", "digest", base.card)
        ),
    }
    folders = {name: prepared.folder() for name, prepared in changed.items()}
    for name, value in {"backend": "another", "library": "another"}.items():
        with monkeypatch.context() as patch:
            if name == "backend":
                patch.setattr(keras.backend, "backend", lambda value=value: value)
            else:
                patch.setattr(preparation, "library_digest", lambda value=value: value)
            folders[name] = base.folder()
    assert set(folders) == set(base.identity())
    assert len({base.folder(), *folders.values()}) == 1 + len(folders)


@pytest.mark.parametrize("field", fields(Settings), ids=lambda field: field.name)
def test_every_setting_makes_another_run_but_the_reader_threads(run, small, field):
    other = {
        "epochs": 9,
        "batch_size": 4,
        "learning_rate": 0.5,
        "plateau_factor": 0.5,
        "plateau_patience": 9,
        "stop_patience": 9,
        "seed": 9,
        "augmentation": "none",
        "passes_per_epoch": 2,
        "schedule": "cosine",
        "class_weights": False,
        "precision": "mixed_bfloat16",
        "jit": True,
        "devices": 2,
        "reader_threads": 9,
        "tensorboard": True,
    }[field.name]
    base = preparation.prepare(small[0], get_experiment("s1_6c"), FAST, "skip")
    changed = replace(base, settings=replace(FAST, **{field.name: other}))
    assert (changed.folder() == base.folder()) == (field.name == "reader_threads")


def test_the_place_of_a_network_file_makes_no_other_run(run, small, tmp_path, monkeypatch):
    file = tmp_path / "flat.py"
    file.write_text("def build(series, classes):\n    return None\n", "utf-8")
    monkeypatch.chdir(tmp_path)
    experiment = get_experiment("s1_6c")
    prepared = [
        preparation.prepare(small[0], with_network(experiment, f"{path}:build"), FAST, "skip")
        for path in ("flat.py", "./flat.py", file)
    ]
    assert len({each.folder() for each in prepared}) == 1


def test_runs_can_lie_in_a_folder_of_their_own(run, small, tmp_path):
    prepared = preparation.prepare(small[0], get_experiment("s1_6c"), FAST, "skip")
    assert prepared.folder(tmp_path).parent == tmp_path
    assert prepared.folder(tmp_path).name == prepared.folder().name


@pytest.mark.fault("training: a record of other data at its place -> refused before training")
def test_a_record_that_would_be_refused_is_refused_before_training(whole, run, monkeypatch):
    results.write_record(whole.record)
    run(STOPPING, replace_record=False)  # the same data and settings: its record may be replaced
    with pytest.raises(RecordError, match=r"holds a record of other settings \(epochs 30, now 1\)"):
        run(replace(STOPPING, epochs=1), replace_record=False)
    place = results.write_record(
        make_record(dataset="multisenge", fingerprint="other"), replace=True
    )

    def fit(*_):
        raise AssertionError("training has begun")

    monkeypatch.setattr(training, "fit_or_load", fit)
    with pytest.raises(RecordError, match="holds a record of other data") as caught:
        run(replace_record=False)
    one_line(caught)
    with pytest.raises(AssertionError, match="training has begun"):
        run(replace_record=True)
    with pytest.raises(AssertionError, match="training has begun"):
        run()

    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != place)
    with pytest.raises(FileError, match="the record's place, cannot be written") as caught:
        run(replace_record=True)
    one_line(caught)


@pytest.mark.fault("run: a finished network of other classes in its folder -> not taken up")
def test_a_finished_run_of_another_network_is_not_taken_up(run):
    dataset = replace(MULTISENGE, groupings=(URBAN,))
    done = run(experiment="s1_2c", dataset=dataset)
    model, card = load_model(done.folder / "model.keras")
    save_model(model, replace(card, classes=WATER.names), done.folder / "model.keras")
    with pytest.raises(FileError, match="holds a network of other classes"):
        run(experiment="s1_2c", dataset=dataset)


@pytest.mark.fault("training: a stray file in s2/ -> Sentinel-1 trains on the same patches")
def test_patches_of_an_experiment_depend_on_its_own_sensors(tmp_path, recwarn):
    """One file in s2/ once left the experiments of Sentinel-1 without patches."""
    write_root(tmp_path, patches=["31UFP_0_0", "31UEQ_0_0", "31UFQ_0_0"])
    experiment = replace(get_experiment("s1_6c"), months=(7, 8))
    whole, sensors = preparation._select(tmp_path, experiment, MULTISENGE)
    assert len(whole) == 3 and sensors == ("s1", "s2")  # one store serves all experiments
    for path in (tmp_path / "s2").glob("31UFQ_*"):
        path.unlink()
    own, sensors = preparation._select(tmp_path, experiment, MULTISENGE)
    assert own["patch"].tolist() == whole["patch"].tolist() and sensors == ("s1",)
    assert not recwarn.list
    (tmp_path / "s2" / "stray.tif").touch()
    own, sensors = preparation._select(tmp_path, experiment, MULTISENGE)
    assert own["patch"].tolist() == whole["patch"].tolist() and sensors == ("s1",)


@pytest.mark.fault("training: no patch has a full series -> the month that lacks images")
def test_images_that_the_other_sensor_lacks_are_not_warned_of(tmp_path, recwarn):
    write_root(tmp_path, patches=["31UFP_0_0", "31UEQ_0_0", "31UFQ_0_0"])
    for path in (tmp_path / "s1").glob("31UFQ_*"):
        path.unlink()
    experiment = replace(get_experiment("s2_6c"), months=(7, 8))
    selection, sensors = preparation._select(tmp_path, experiment, MULTISENGE)
    assert len(selection) == 3 and sensors == ("s2",)
    assert not recwarn.list


@pytest.mark.fault("training: all patches of a split skipped -> one line with the first reason")
def test_a_split_of_which_all_patches_were_skipped(tmp_path, monkeypatch):
    selection = write_small(tmp_path)
    for path in (tmp_path / "s1").glob("31UFP_*"):
        path.write_bytes(path.read_bytes()[:1000])
    run = slim(monkeypatch, tmp_path, selection)
    with pytest.raises(ExperimentError, match="patches were skipped, the first because") as caught:
        run()
    one_line(caught)


def test_a_root_of_which_nothing_is_selected(tmp_path):
    write_root(tmp_path)  # images of July and August
    reason = "no patch is selected; no patch has a Sentinel-2 image of months 9 and 11"
    with pytest.raises(ExperimentError, match=reason):
        preparation.prepare(tmp_path, get_experiment("s2_10c"), Settings())


def test_classes_that_the_dataset_lacks_are_refused(run, small):
    experiment = get_experiment("s1_2c", replace(MULTISENGE, groupings=(URBAN,)))
    with pytest.raises(ExperimentError, match=r"'2c', which multisenge does not have.*10c"):
        preparation.prepare(small[0], experiment, FAST)


def test_an_experiment_of_another_selection_than_its_dataset_is_refused(small):
    """The record would name a gap of 20 days, and the network would have seen one of 17."""
    dataset = with_selection(MULTISENGE, days_gap=20)
    with pytest.raises(ExperimentError, match=r"days gap 17, but multisenge\+.* and 20: give"):
        preparation.prepare(small[0], get_experiment("s1_6c"), FAST, dataset=dataset)


def test_an_experiment_of_another_number_of_radar_dates_is_refused(small):
    dataset = with_selection(MULTISENGE, s1_rule="first2")
    experiment = replace(get_experiment("s1s2_6c"), days_gap=dataset.days_gap)
    with pytest.raises(ExperimentError, match=r"takes 1 Sentinel-1 dates of each month, .* has 2"):
        preparation.prepare(small[0], experiment, FAST, dataset=dataset)


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


def test_another_split_is_another_run_with_a_record_of_its_own(whole, run, small, monkeypatch):
    selection = small[1].assign(split=small[1]["split"].replace({"test": "train", "train": "test"}))
    monkeypatch.setattr(preparation, "load_selection", lambda *_, dataset, **__: selection)
    dataset = with_selection(MULTISENGE, tiles="31UFP,31UFQ=test,31UEQ=train")
    other = run(replace(FAST, epochs=1, batch_size=1), dataset=dataset)
    assert other.folder != whole.folder
    assert results.write_record(other.record).parent.name == dataset.name != MULTISENGE.name
    metadata = results.read_record(dataset.name, "s1_6c").metadata
    assert metadata.split.startswith("by tile: 31UEQ train, 31UFP validation, 31UFQ test; ")
    assert metadata.patches == {"train": 1, "validation": 2, "test": 5}
    assert whole.record.metadata.selection == {}
    assert with_selection(MULTISENGE, **metadata.selection) == dataset


@pytest.mark.slow
def test_other_settings_are_another_run_and_train_as_well(whole, run):
    others = {"precision": "mixed_bfloat16", "class_weights": False, "augmentation": "extend"}
    other = run(replace(FAST, **others))
    assert other.folder != whole.folder
    assert np.isfinite(other.record.history["loss"]).all()
    assert keras.config.dtype_policy().name == "float32"
    assert other.record.metadata.settings["precision"] == "mixed_bfloat16"
    saved = keras.models.load_model(other.folder / "model.keras")
    for model in (other.model, saved):
        assert {layer.dtype_policy.name for layer in model.layers} == {"float32"}


def test_what_is_saved_is_float32_under_any_policy(run):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = run(replace(FAST, epochs=1)).model
    finally:
        keras.config.set_dtype_policy(before)
    assert {layer.dtype_policy.name for layer in model.layers} == {"float32"}


def test_more_devices_than_there_are(run):
    with pytest.raises(ExperimentError, match="devices is 2, but this machine has 1"):
        run(replace(FAST, devices=2))


@pytest.mark.parametrize("kind", [preparation.TrainingBatches, preparation.Batches])
def test_a_store_damaged_while_training_is_one_line(run, monkeypatch, kind):
    """In a thread of the backend's: the four arrays of the first batch are looked at before."""
    read = preparation.Batches._read
    count = []

    def damaged(self, *arguments):
        count.extend([self] if type(self) is kind else [])
        if len(count) > 4:
            raise PatchError("s1 cannot be read")
        return read(self, *arguments)

    monkeypatch.setattr(preparation.Batches, "_read", damaged)
    with pytest.raises(PatchError, match="s1 cannot be read") as caught:
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
import test_run as t
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


# Faults


def one_line(caught):
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"settings": {"epochs": 1}}, "give ms.Settings"),
        ({"dataset": "multisenge"}, "give a dataset of with_selection"),
        ({"dataset": pd.DataFrame()}, "a table of patches is not taken"),
        ({"data_root": 3}, "give the path of its folder"),
    ],
)
def test_slips_of_a_script_are_one_line(arguments, words):
    with pytest.raises(MultiSenGEError, match=words):
        training.train("s1s2_10c", **({"data_root": "root"} | arguments))


@pytest.mark.fault("training: a finished run is started again -> no epoch more, the same record")
def test_a_finished_run_is_only_evaluated(whole, run, monkeypatch):
    monkeypatch.setattr(keras.Model, "fit", None)
    network = (whole.folder / "model.keras").read_bytes()
    again = run(STOPPING).record
    assert (whole.folder / "model.keras").read_bytes() == network  # maps know it by its bytes
    assert replace(again.metadata, finished="") == replace(whole.record.metadata, finished="")
    left, right = (r.history.drop(columns="seconds") for r in (again, whole.record))
    pd.testing.assert_frame_equal(left, right)
    np.testing.assert_array_equal(again.confusions, whole.record.confusions)


@pytest.mark.fault("training: the loss is no number in any epoch -> one line, no record")
def test_a_run_that_diverges_is_refused(run, monkeypatch):
    diverged = lambda _: lambda _, logits: keras.ops.mean(logits) * np.nan  # noqa: E731
    monkeypatch.setattr(fitting, "weighted_loss", diverged)
    with pytest.raises(ExperimentError, match="was not finite in any epoch: give a smaller"):
        run(replace(FAST, epochs=1, seed=7))


@pytest.mark.parametrize("schedule", ["plateau", "cosine"])
def test_a_loss_of_nan_in_the_first_epoch_is_not_the_best(run, monkeypatch, schedule):
    """Keras alone keeps the weights of the first epoch then, and lowers the rate too often."""

    def pretend(model, prepared, checkpoint, callbacks):
        together = keras.callbacks.CallbackList(callbacks, model=model)
        together.on_train_begin()
        for epoch, loss in enumerate((np.nan, 1.0, 0.5, 0.7)):
            together.on_epoch_begin(epoch)
            model.set_weights([np.full_like(weight, epoch) for weight in model.get_weights()])
            together.on_epoch_end(epoch, {"loss": 1.0, "val_loss": loss})
        together.on_train_end()

    monkeypatch.setattr(fitting, "_run_epochs", pretend)
    settings = replace(FAST, epochs=4, seed=8, plateau_patience=2, schedule=schedule)
    trained = run(settings)
    assert trained.record.best_epoch == 3
    assert all((weight == 2).all() for weight in trained.model.get_weights())
    rates = trained.record.history["learning_rate"]
    assert (rates == rates.iloc[0]).all()


def test_the_masks_of_dropout_go_on_in_a_resumed_run(run, monkeypatch):
    def with_dropout(channels, classes, shape, **_):
        features = keras.Input((*shape, channels))
        dropped = keras.layers.Dropout(0.5)(features)
        layer = keras.layers.Conv2D(classes, 3, padding="same", name="logits")
        return keras.Model(features, layer(dropped), name="unet")

    monkeypatch.setattr(paper_networks, "build_unet", with_dropout)
    settings = replace(FAST, seed=11)
    whole = run(settings, resume=False)
    with monkeypatch.context() as patched, pytest.raises(Exception, match="Killed"):
        kill_after(patched, 1)
        run(settings, resume=False)
    resumed = run(settings)
    np.testing.assert_array_equal(whole.record.history["loss"], resumed.record.history["loss"])


@pytest.mark.fault("training: what follows the last epoch fails -> the next start trains no epoch")
def test_a_run_whose_end_failed_is_not_trained_again(run, monkeypatch):
    settings = replace(FAST, epochs=1, seed=3)
    epochs = []
    ended = fitting.Checkpoint.on_epoch_end
    counted = lambda self, epoch, logs=None: (epochs.append(epoch), ended(self, epoch, logs))[1]  # noqa: E731
    monkeypatch.setattr(fitting.Checkpoint, "on_epoch_end", counted)
    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(training, "evaluate", lambda *_: (_ for _ in ()).throw(Killed))
        run(settings, checkpoint_interval=1e9)
    assert run(settings).record.best_epoch == 1 and epochs == [0]


@pytest.mark.fault("training: the same run twice at once -> the second says so and leaves it")
def test_two_of_the_same_run(whole, run):
    with (
        training.exclusive(whole.folder),
        pytest.raises(ExperimentError, match="another") as caught,
    ):
        run(STOPPING)
    assert str(whole.folder) in one_line(caught)


@pytest.fixture
def checkpoint(whole):
    """Of a model that one batch was fitted to."""
    net = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    net.compile("adam", "mse")
    net.train_on_batch(np.ones((4, 3)), np.ones((4, 2)))
    stopping = keras.callbacks.EarlyStopping()
    plateau = keras.callbacks.ReduceLROnPlateau()
    checkpoint = fitting.Checkpoint(whole.folder / "other", stopping, plateau, 0)
    for callback in (stopping, plateau, checkpoint):
        callback.set_model(net)
        callback.on_train_begin()
    return checkpoint


def test_a_run_begun_anew_leaves_nothing_half_written(checkpoint):
    checkpoint.save()
    (checkpoint.folder / "tensorboard").mkdir()
    for name in (".checkpoint.0a1b2c3d.npz", ".model.0a1b2c3d.keras"):
        (checkpoint.folder / name).touch()
    delete_run(checkpoint.folder)
    assert not list(checkpoint.folder.iterdir())


@pytest.mark.fault("training: disk full at a checkpoint -> one line, the one before stays")
def test_a_full_disk_leaves_the_checkpoint_before(checkpoint, monkeypatch):
    checkpoint.save()
    before = checkpoint.path.read_bytes()

    def full(path, **_):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(FileError, match="No space left") as caught:
        checkpoint.save()
    assert str(checkpoint.path) in one_line(caught)
    assert [p.read_bytes() for p in checkpoint.folder.iterdir()] == [before]


@pytest.mark.fault("training: a checkpoint cut, flipped, empty, of another network -> one line")
@pytest.mark.parametrize("cut", [0, 100, -1, "flipped", "other"])
def test_a_damaged_checkpoint_is_named(checkpoint, cut):
    checkpoint.save()
    data = bytearray(checkpoint.path.read_bytes())
    net = checkpoint.model
    if cut == "flipped":
        data[len(data) // 2] ^= 255
    elif cut == "other":
        net = keras.Sequential([keras.Input((3,)), keras.layers.Dense(5)])
        net.compile("adam", "mse")
    checkpoint.path.write_bytes(data[:cut] if isinstance(cut, int) else data)
    with pytest.raises(FileError, match="delete it, and training begins anew") as caught:
        checkpoint.restore(net)
    assert str(checkpoint.path) in one_line(caught)


@pytest.mark.fault("training: the finished model is damaged -> one line that names the folder")
def test_a_damaged_finished_run_is_named(whole, run):
    path = whole.folder / "model.keras"
    kept = path.read_bytes()
    path.write_bytes(kept[:1000])
    with pytest.raises(FileError, match="delete it to train anew") as caught:
        run(STOPPING)
    path.write_bytes(kept)
    assert str(whole.folder) in one_line(caught)


@pytest.mark.fault(
    "training: finished.json with a key of its own, or without one -> read, or one line"
)
def test_a_finished_run_of_another_version(whole, run):
    path = whole.folder / "finished.json"
    kept = path.read_text()
    content = json.loads(kept)
    path.write_text(json.dumps({**content, "key_to_come": 1}))
    assert run(STOPPING).record.best_epoch == whole.record.best_epoch
    del content["device"]
    path.write_text(json.dumps(content))
    with pytest.raises(FileError, match=r"device.*delete it to train anew") as caught:
        run(STOPPING)
    path.write_text(kept)
    one_line(caught)


UNSOUND = {
    "no test patch": (lambda t: t[t["split"] != "test"], {}, "for test"),
    "no validation patch": (lambda t: t[t["split"] != "validation"], {}, "for validation"),
    "no patch at all": (lambda t: t[:0], {}, "no patch is selected"),
    "a batch too large": (lambda t: t, {"batch_size": 64}, "batch size 64 is more than the 6"),
    "devices 99": (lambda t: t, {"devices": 99}, "devices is 99, but this machine has"),
}


@pytest.mark.fault("training: no patches of a split, batch too large, devices 99 -> before packing")
@pytest.mark.parametrize("what", UNSOUND)
def test_what_cannot_be_trained_is_said_before_packing(run, small, monkeypatch, what):
    change, settings, words = UNSOUND[what]
    monkeypatch.setattr(preparation, "load_selection", lambda *_, **__: change(small[1]))
    monkeypatch.setattr(preparation, "pack", None)
    with pytest.raises(ExperimentError, match=words) as caught:
        run(replace(FAST, **settings))
    one_line(caught)


@pytest.mark.fault("training: patches of 48 pixels -> before packing")
def test_a_size_that_does_not_fit_is_said_before_packing(tmp_path, monkeypatch):
    selection = write_root(tmp_path, 48, ("31UFQ_0_0", "31UFP_0_0", "31UEQ_0_0"))
    monkeypatch.setattr(preparation, "pack", None)
    with pytest.raises(ExperimentError, match="48 x 48 pixels do not fit"):
        slim(monkeypatch, tmp_path, selection)(replace(FAST, batch_size=1))


@pytest.mark.fault("training: a reference of 0 everywhere in a split -> refused, not loss 0.0")
@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_a_split_without_reference_is_refused(run, monkeypatch, split):
    count = preparation.count_classes
    none = lambda store, typology, of: count(store, typology, of) * (of != split)  # noqa: E731
    monkeypatch.setattr(preparation, "count_classes", none)
    with pytest.raises(ExperimentError, match=f"the reference of the {split} patches is no data"):
        run()


@pytest.mark.fault("training: a test split without the showcase -> maps of its first patches")
def test_maps_without_showcase_patches(whole, run, small, monkeypatch):
    assert list(whole.record.maps) == [SHOWN]
    task = preparation.prepare(small[0], get_experiment("s1_6c"), STOPPING, on_error="skip")
    assert list(training.evaluate(whole.model, task, "validation").maps) == [
        "31UFP_0_0",
        "31UFP_0_257",
    ]


def test_lines_tell_how_training_goes(capsys):
    line = Progress()
    line.set_params({"epochs": 3})
    line.on_epoch_end(1, {"loss": 1.25, "val_loss": 2.0, "learning_rate": 1e-3})
    assert capsys.readouterr().out == (
        "epoch 2 of at most 3: loss 1.2500, validation 2.0000, learning rate 1e-03\n"
    )
