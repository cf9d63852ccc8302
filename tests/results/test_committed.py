"""The records that the repository has are those of its preset, its networks and its sample."""

import json
from dataclasses import asdict, replace

import pytest

from multisenge_lib import paths
from multisenge_lib.chapters import ablations_path
from multisenge_lib.dataset import load_selection, pack
from multisenge_lib.models import EXPERIMENTS, get_experiment
from multisenge_lib.results import read_record
from multisenge_lib.sample import ensure_sample
from multisenge_lib.tools.ablations import BASE, VARIANTS
from multisenge_lib.training import SAMPLE_SETTINGS, settings_for

SEEDS = (1, 2, 3)
#: What records of before the classifications had names do not hold.
NOT_KEPT = {name: {"classification": e.classification} for name, e in EXPERIMENTS.items()}


def plain(thing):
    """As JSON gives it back."""
    return json.loads(json.dumps(asdict(thing)))


def of_the_run(settings):
    """The settings that decide what a run is; the threads that read patches had another name."""
    return {k: v for k, v in settings.items() if k not in ("readers", "reader_threads")}


@pytest.fixture(autouse=True)
def committed(monkeypatch):
    monkeypatch.setenv("MULTISENGE_RESULTS", str(paths.PROJECT / "results"))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", EXPERIMENTS)
def test_records_are_of_the_preset_and_the_networks(name, seed):
    made = read_record("sample", name, seed).metadata
    precision = made.settings["precision"]  # of the machine that trained it
    expected = plain(replace(SAMPLE_SETTINGS, seed=seed, precision=precision))
    assert of_the_run(made.settings) == of_the_run(expected)
    assert json.loads(json.dumps(made.choices)) | NOT_KEPT[name] == plain(EXPERIMENTS[name])
    assert made.commit and not made.uncommitted and not made.skipped


def test_records_are_of_one_sample_and_one_precision():
    made = [read_record("sample", name, seed).metadata for name in EXPERIMENTS for seed in SEEDS]
    assert len({metadata.fingerprint for metadata in made}) == 1
    assert len({metadata.settings["precision"] for metadata in made}) == 1


def test_records_are_of_the_sample_that_the_library_writes(tmp_path):
    root = ensure_sample()
    fingerprint = pack(root, load_selection(root), tmp_path).fingerprint
    recorded = read_record("sample", "s1s2_10c", 1).metadata.fingerprint
    if recorded != fingerprint:
        pytest.skip("the records are of an older version of the sample: run `make experiments`")


def test_ablations_are_of_every_variant_and_of_the_preset():
    path = ablations_path()
    record = json.loads(path.read_text())
    epochs = record["source"]["settings"]["epochs"]
    settings = settings_for(ensure_sample(size=32), epochs=epochs, precision="float32")
    assert of_the_run(record["source"]["settings"]) == of_the_run(plain(settings))
    assert record["source"]["experiment"] | NOT_KEPT[BASE] == plain(get_experiment(BASE))
    runs = {(run["variant"], run["seed"]) for run in record["runs"]}
    assert runs == {(name, seed) for name in VARIANTS for seed in range(1, 6)}
