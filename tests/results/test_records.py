"""Records written to a temporary folder, read back, then damaged."""

import json
import os
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from multisenge_lib import results
from multisenge_lib.dataset import MULTISENGE
from multisenge_lib.errors import RecordError
from multisenge_lib.files import provenance
from multisenge_lib.results import records

PATCH = MULTISENGE.showcase[0]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("MULTISENGE_RESULTS", str(tmp_path / "results"))
    return tmp_path / "results"


def make(dataset="sample", seed=1, hits=5):
    confusions = np.array([[[hits, 1], [0, 4]], [[2, 0], [1, 7]]])
    metrics = {
        "dataset": dataset,
        "experiment": "s1_6c",
        "seed": seed,
        "scores": {"accuracy": 0.9, "kappa": None},
        "confusion": confusions.sum(axis=0).tolist(),
    }
    history = pd.DataFrame({"loss": [1.5, 0.5]}, index=pd.Index([1, 2], name="epoch"))
    ids = np.arange(16, dtype=np.uint8).reshape(4, 4) % 7
    return results.Record(
        metrics, history, (PATCH, "31UEQ_1_2"), confusions, {PATCH: ids}, {PATCH: ids * 0}
    )


def test_what_was_written_is_read():
    written = make()
    path = results.write_record(written)
    assert sorted(p.name for p in path.iterdir()) == ["history.csv", "metrics.json", "test.npz"]
    read = results.read_record("sample", "s1_6c")
    assert read.metrics == {"layout": records.LAYOUT, **written.metrics}
    pd.testing.assert_frame_equal(read.history, written.history)
    assert read.patches == written.patches
    np.testing.assert_array_equal(read.confusions, written.confusions)
    np.testing.assert_array_equal(read.maps[PATCH], written.maps[PATCH])
    np.testing.assert_array_equal(read.references[PATCH], 0)


def test_same_record_same_bytes(folder):
    path = results.write_record(make())
    first = {p.name: p.read_bytes() for p in path.iterdir()}
    results.write_record(make())
    assert {p.name: p.read_bytes() for p in path.iterdir()} == first


def test_datasets_and_seeds_are_kept_apart():
    for dataset, seed in (("sample", 1), ("sample", 2), ("multisenge", 1)):
        results.write_record(make(dataset, seed, hits=10 * seed))
    assert results.list_records("sample") == [("sample", "s1_6c", 1), ("sample", "s1_6c", 2)]
    assert results.list_records("multisenge") == [("multisenge", "s1_6c", 1)]
    assert results.read_record("sample", "s1_6c", seed=2).metrics["confusion"][0][0] == 22
    with pytest.raises(RecordError, match="dataset 'mixed'"):
        results.write_record(make("mixed"))


def test_a_copied_record_of_another_dataset_is_refused(folder):
    source = results.write_record(make("sample"))
    (folder / "multisenge").mkdir()
    source.rename(folder / "multisenge" / "s1_6c")
    with pytest.raises(RecordError, match="is the record of sample/s1_6c/1"):
        results.read_record("multisenge", "s1_6c")


@pytest.mark.parametrize("failing", ["_write_files", "replace"])
def test_a_failed_write_leaves_the_old_record(monkeypatch, failing):
    path = results.write_record(make(hits=5))
    old = {p.name: p.read_bytes() for p in path.iterdir()}

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(records if failing == "_write_files" else os, failing, full)
        with pytest.raises(RecordError, match="No space left") as caught:
            results.write_record(make(hits=6))
    assert "\n" not in str(caught.value)
    assert {p.name: p.read_bytes() for p in path.iterdir()} == old


def test_nan_does_not_reach_a_record():
    record = make()
    with pytest.raises(ValueError, match="JSON"):
        results.write_record(
            replace(record, metrics=record.metrics | {"scores": {"kappa": float("nan")}})
        )
    assert results.list_records("sample") == []


def test_a_missing_record_tells_the_command():
    with pytest.raises(RecordError, match=r"papermill notebooks/train.ipynb .* -p exp s1_6c"):
        results.read_record("sample", "s1_6c")


def spoil_json(path):
    (path / "metrics.json").write_text("{")


def spoil_key(path):
    content = json.loads((path / "metrics.json").read_text())
    del content["scores"]
    (path / "metrics.json").write_text(json.dumps(content))


def spoil_matrix(path):
    content = json.loads((path / "metrics.json").read_text())
    content["confusion"][0].pop()
    (path / "metrics.json").write_text(json.dumps(content))


def spoil_arrays(path):
    (path / "test.npz").write_bytes((path / "test.npz").read_bytes()[:50])


def spoil_pair(path):
    content = json.loads((path / "metrics.json").read_text())
    content["confusion"][0][0] += 1
    (path / "metrics.json").write_text(json.dumps(content))


@pytest.mark.parametrize(
    "spoil", [value for name, value in sorted(globals().items()) if name.startswith("spoil_")]
)
def test_a_damaged_record_is_refused_by_name(spoil):
    path = results.write_record(make())
    spoil(path)
    with pytest.raises(RecordError, match="train it with") as caught:
        results.read_record("sample", "s1_6c")
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_provenance_names_versions():
    found = provenance()
    assert found["versions"]["numpy"] == np.__version__
    assert found["commit"] is None or len(found["commit"]) == 40
