"""The records that the repository has are those of its preset, its networks and its sample."""

import json
from dataclasses import asdict, replace

import pytest

from multisenge_lib import paths
from multisenge_lib.dataset import load_selection, pack
from multisenge_lib.models import EXPERIMENTS
from multisenge_lib.results import read_record
from multisenge_lib.training import SAMPLE_SETTINGS

RECORDS = paths.PROJECT / "results" / "sample"


def seeds_of_all() -> list[int]:
    """Seeds with which all eight experiments have been trained so far; the pages say how many."""
    seeds = []
    for seed in range(1, 6):
        below = "metrics.json" if seed == 1 else f"seed{seed}/metrics.json"
        if all((RECORDS / name / below).exists() for name in EXPERIMENTS):
            seeds.append(seed)
    return seeds


SEEDS = seeds_of_all()


def plain(thing):
    """As JSON gives it back."""
    return json.loads(json.dumps(asdict(thing)))


def of_the_run(settings):
    """The settings that decide what a run is: all but the threads that read patches."""
    return {name: value for name, value in settings.items() if name != "reader_threads"}


@pytest.fixture(autouse=True)
def committed(monkeypatch):
    monkeypatch.setenv("MULTISENGE_RESULTS", str(paths.PROJECT / "results"))


@pytest.fixture(scope="module")
def present_sample(sample_root, tmp_path_factory):
    """Skip where the records were made on an older sample: the whole table is then old."""
    store = pack(sample_root, load_selection(sample_root), tmp_path_factory.mktemp("packed"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MULTISENGE_RESULTS", str(paths.PROJECT / "results"))
        recorded = read_record("sample", "s1s2_10c", 1).metadata.fingerprint
    if recorded != store.fingerprint:
        pytest.skip("the records are of an older version of the sample: run `make experiments`")


@pytest.mark.usefixtures("present_sample")
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", EXPERIMENTS)
def test_records_are_of_the_preset_and_the_networks(name, seed):
    metadata = read_record("sample", name, seed).metadata
    precision = metadata.settings["precision"]  # of the machine that trained it
    expected = plain(replace(SAMPLE_SETTINGS, seed=seed, precision=precision))
    assert of_the_run(metadata.settings) == of_the_run(expected)
    choices = plain(EXPERIMENTS[name])
    for choice in metadata.choices:
        assert json.loads(json.dumps(metadata.choices[choice])) == choices[choice], choice
    assert metadata.commit and not metadata.uncommitted and not metadata.skipped


def test_each_experiment_has_a_record():
    assert SEEDS and SEEDS[0] == 1


def test_records_are_of_one_sample_and_one_precision():
    records = [read_record("sample", name, seed).metadata for name in EXPERIMENTS for seed in SEEDS]
    assert len({metadata.fingerprint for metadata in records}) == 1
    assert len({metadata.settings["precision"] for metadata in records}) == 1


def test_the_notebook_shows_the_run_of_the_record():
    """The notebook's stored outputs were made once; the record may have been made anew since."""
    notebook = json.loads((paths.PROJECT / "notebooks" / "train.ipynb").read_text("utf-8"))
    printed = ""
    for cell in notebook["cells"]:
        for output in cell.get("outputs", ()):
            printed += "".join(output.get("text", ()))
    record = read_record("sample", "s1s2_10c", 1)
    for score in ("accuracy", "macro_f1", "mean_iou", "kappa"):
        assert f"{score:<12} {record.scores[score]:.4f} " in printed
    last_epoch = record.history.iloc[-1]
    assert f"epoch {len(record.history)} of at most" in printed
    assert f"loss {last_epoch['loss']:.4f}, validation {last_epoch['val_loss']:.4f}" in printed
