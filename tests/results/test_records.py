"""Records written, read, damaged."""

import io
import json
import subprocess
import zipfile
from dataclasses import asdict, replace

import numpy as np
import pandas as pd
import pytest
from records import make_record

from multisenge_lib import paths, results
from multisenge_lib.errors import FileError, RecordError
from multisenge_lib.models import get_experiment
from multisenge_lib.software import provenance

PATCH = "31UEQ_7453_4112"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("MULTISENGE_RESULTS", str(tmp_path / "results"))
    return tmp_path / "results"


def content(path):
    return {p.name: p.read_bytes() for p in path.iterdir()}


def test_what_was_written_is_read():
    written = make_record()
    path = results.write_record(written)
    assert sorted(content(path)) == ["history.csv", "metrics.json", "test.npz"]
    read = results.read_record("sample", "s1_6c")
    assert read.metadata == written.metadata
    pd.testing.assert_frame_equal(read.history, written.history)
    assert read.patches == written.patches and read.best_epoch == 2
    np.testing.assert_array_equal(read.confusions, written.confusions)
    np.testing.assert_array_equal(read.maps[PATCH], written.maps[PATCH])
    assert read.scores == written.scores and read.majority["kappa"] == 0


def test_a_class_that_the_reference_lacks_has_no_score():
    confusions = make_record().confusions
    confusions[:, 3] = 0
    results.write_record(make_record(confusions=confusions))
    assert results.read_record("sample", "s1_6c").scores["f1"][3] is None


def test_same_record_same_bytes():
    first = content(results.write_record(make_record()))
    assert content(results.write_record(make_record())) == first


def test_datasets_and_seeds_are_kept_apart(folder):
    for dataset, seed in (("sample", 1), ("sample", 2), ("multisenge", 1)):
        results.write_record(make_record(dataset=dataset, seed=seed))
    assert results.list_records("sample") == [("sample", "s1_6c", 1), ("sample", "s1_6c", 2)]
    assert results.list_records("multisenge") == [("multisenge", "s1_6c", 1)]
    assert results.read_record("sample", "s1_6c", seed=2).key.seed == 2


@pytest.mark.fault("records: a folder `seedfoo`, or `seed1`, beside the seeds -> it is left out")
@pytest.mark.parametrize("name", ["seedfoo", "seed1", "seed02", "seed"])
def test_folders_that_are_no_seeds_are_left_out(folder, name):
    path = results.write_record(make_record(seed=2))
    (path.parent / name).mkdir()
    (path.parent / name / "metrics.json").write_bytes((path / "metrics.json").read_bytes())
    assert results.list_records("sample") == [("sample", "s1_6c", 2)]


@pytest.mark.fault("records: the sample's record copied under multisenge -> refused")
def test_a_copied_record_of_another_dataset_is_refused(folder):
    source = results.write_record(make_record())
    (folder / "multisenge").mkdir()
    source.rename(folder / "multisenge" / "s1_6c")
    with pytest.raises(RecordError, match="it is of sample/s1_6c/1"):
        results.read_record("multisenge", "s1_6c")


@pytest.mark.fault("records: disk full at any of the three files -> the old record stays, one line")
@pytest.mark.parametrize("failing", ["metrics", "history", "test"])
def test_a_failed_write_leaves_the_old_record(monkeypatch, failing):
    path = results.write_record(make_record(seed=1))
    old = content(path)
    write = type(path).write_bytes

    def full(self, data):
        if f".{failing}." in self.name:
            raise OSError(28, "No space left on device")
        return write(self, data)

    with monkeypatch.context() as patched:
        patched.setattr(type(path), "write_bytes", full)
        with pytest.raises(FileError, match="No space left") as caught:
            results.write_record(make_record(device="another"))
    assert "\n" not in str(caught.value)
    assert content(path) == old


@pytest.mark.fault("records: kill -9 between the renames of two runs' files -> noticed")
def test_files_of_two_runs_are_noticed():
    first = content(results.write_record(make_record()))
    path = results.write_record(make_record(confusions=make_record().confusions + 1))
    (path / "metrics.json").write_bytes(first["metrics.json"])
    with pytest.raises(RecordError, match="the confusion matrix is not the sum"):
        results.read_record("sample", "s1_6c")


@pytest.mark.fault(
    "records: two roots of one name -> the first's record stays until told otherwise"
)
def test_the_record_of_another_root_is_not_replaced():
    path = results.write_record(make_record(dataset="area", fingerprint="first"))
    old = content(path)
    other = make_record(dataset="area", fingerprint="second")
    with pytest.raises(RecordError, match="a record of other data, finished 2026-01-01") as caught:
        results.write_record(other)
    assert "replace_record" in str(caught.value) and "\n" not in str(caught.value)
    assert content(path) == old
    results.write_record(other, replace=True)
    assert results.read_record("area", "s1_6c").metadata.fingerprint == "second"


@pytest.mark.fault("records: other classes of one name and number -> not replaced unasked")
@pytest.mark.parametrize("change", ["classes", "members"])
def test_the_record_of_other_classes_is_not_replaced(change):
    names = ("a", "b", "c", "d", "e", "f")
    members = tuple((i,) for i in range(1, 7))
    of = {"dataset": "area", "classes": names, "members": members}
    results.write_record(make_record(**of))
    results.write_record(make_record(**of))  # of the same classes: replaced
    with pytest.raises(RecordError, match="a record of other classes"):
        results.write_record(make_record(**{**of, change: of[change][::-1]}))


@pytest.mark.fault("records: fine-tuned, and of the same name from random weights -> both kept")
def test_a_fine_tuned_record_and_one_from_random_weights_do_not_replace_each_other():
    start = {"experiment": "s1_6c", "dataset": "area", "digest": "0", "part": "all"}
    from_random = make_record(dataset="area")
    tuned = make_record(dataset="area", start_from=start)
    results.write_record(from_random)
    with pytest.raises(RecordError, match="a record of other weights to start from"):
        results.write_record(tuned)
    results.write_record(tuned, replace=True)
    results.write_record(tuned)
    with pytest.raises(RecordError, match="a record of other weights to start from"):
        results.write_record(from_random)


@pytest.mark.fault("records: a quick look of the same name -> the full record stays, one line")
def test_the_record_of_other_settings_is_not_replaced():
    settings = {"epochs": 15, "seed": 1, "reader_threads": 1}
    full = results.write_record(make_record(settings=settings))
    old = content(full)
    results.write_record(make_record(settings={**settings, "reader_threads": 4}))
    quick = make_record(settings={**settings, "epochs": 1})
    with pytest.raises(RecordError, match=r"of other settings \(epochs 15, now 1\)") as caught:
        results.write_record(quick)
    assert "\n" not in str(caught.value)
    assert content(full)["test.npz"] == old["test.npz"]
    results.write_record(quick, replace=True)
    assert results.read_record("sample", "s1_6c").metadata.settings["epochs"] == 1


@pytest.mark.fault("records: one that lacks a field at the place -> it stays, one line")
def test_a_record_that_lacks_a_field_is_not_replaced():
    path = results.write_record(make_record())
    edited(lambda document: document["metadata"].pop("members"))(path)
    old = content(path)
    with pytest.raises(
        RecordError, match=r"cannot read \(.*members.*perhaps of an earlier version"
    ):
        results.write_record(make_record())
    assert content(path) == old
    results.write_record(make_record(), replace=True)


@pytest.mark.fault("records: one of another layout at the place -> it stays, one line")
def test_the_record_of_another_layout_is_not_replaced():
    path = results.write_record(make_record())
    edited(lambda document: document.update(layout=1))(path)
    old = content(path)
    with pytest.raises(RecordError, match="holds a record of layout 1, this library writes 2"):
        results.write_record(make_record())
    assert content(path) == old
    results.write_record(make_record(), replace=True)
    assert results.read_record("sample", "s1_6c").key.seed == 1


def test_a_record_of_other_code_may_lack_a_setting():
    results.write_record(make_record(settings={"epochs": 15}))
    results.write_record(make_record(settings={"epochs": 15, "schedule": "cosine"}))
    assert "schedule" in results.read_record("sample", "s1_6c").metadata.settings


@pytest.mark.fault("record: an experiment with another choice and the same name -> not replaced")
def test_a_record_of_another_choice_is_not_replaced():
    """`dataclasses.replace(experiment, peephole=True)` keeps the name of the experiment."""
    experiment = get_experiment("s1_6c")
    results.write_record(make_record(choices=asdict(experiment)))
    results.write_record(make_record(choices=asdict(experiment)))  # months are a tuple here
    with_peepholes = asdict(replace(experiment, peephole=True))
    with pytest.raises(RecordError, match=r"of other choices \(peephole False, now True\)"):
        results.write_record(make_record(choices=with_peepholes))
    results.write_record(make_record(choices=with_peepholes), replace=True)


def test_the_title_of_an_experiment_may_be_reworded():
    experiment = get_experiment("s1_6c")
    for title in ("before", "after"):
        results.write_record(make_record(choices=asdict(replace(experiment, title=title))))


def test_a_network_of_ones_own_may_be_edited():
    for digest in ("0", "1"):
        network = {"network": "mine.py:build", "network_digest": digest}
        choices = asdict(get_experiment("s1_6c")) | network
        results.write_record(make_record(choices=choices))
    assert results.read_record("sample", "s1_6c").metadata.choices["network_digest"] == "1"


def test_a_record_that_started_from_another_network_is_not_replaced():
    start = {"experiment": "s1_6c", "dataset": "area", "digest": "0", "part": "all"}
    results.write_record(make_record(dataset="area", start_from=start))
    for change in ({"digest": "1"}, {"part": "encoder"}):
        with pytest.raises(RecordError, match="a record of other weights to start from"):
            results.write_record(make_record(dataset="area", start_from={**start, **change}))


def test_the_sample_is_the_same_data_as_long_as_its_patches_have_one_size():
    """Its values and its patches follow the library's code, which may change between two runs."""
    results.write_record(make_record(fingerprint="before"))
    results.write_record(make_record(fingerprint="after"))
    with pytest.raises(RecordError, match="a record of other data"):
        results.write_record(make_record(fingerprint="larger", size=16))


def test_a_damaged_record_is_replaced():
    path = results.write_record(make_record(dataset="area", fingerprint="first"))
    (path / "metrics.json").write_bytes(b"{")
    results.write_record(make_record(dataset="area", fingerprint="second"))
    assert results.read_record("area", "s1_6c").metadata.fingerprint == "second"


def test_nan_does_not_reach_a_record():
    with pytest.raises(ValueError, match="JSON"):
        results.write_record(make_record(class_weights=(float("nan"),)))
    assert results.list_records("sample") == []


def test_a_missing_record_tells_the_command():
    with pytest.raises(RecordError, match=r"papermill notebooks/train.ipynb .* -p exp s1_6c"):
        results.read_record("sample", "s1_6c")


def edited(change):
    """A spoiler that changes the JSON."""

    def spoil(path):
        document = json.loads((path / "metrics.json").read_text())
        change(document)
        (path / "metrics.json").write_text(json.dumps(document))

    return spoil


def overwritten(name, data):
    return lambda path: (path / name).write_bytes(data)


def empty_npz():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w"):
        pass
    return buffer.getvalue()


SPOILED = {
    "half a JSON": overwritten("metrics.json", b"{"),
    "deeply nested JSON": overwritten("metrics.json", b"[" * 100_000),
    "a list": overwritten("metrics.json", b"[1]"),
    "no scores": edited(lambda d: d.pop("scores")),
    "no metadata": edited(lambda d: d["metadata"].pop("seed")),
    "a seed of text": edited(lambda d: d["metadata"].update(seed="one")),
    "a layout to come": edited(lambda d: d.update(layout=99)),
    "confusion: [1, 2]": edited(lambda d: d.update(confusion=[1, 2])),
    "an edited score": edited(lambda d: d["scores"].update(accuracy=0.99)),
    "a score of another length": edited(lambda d: d["scores"].update(f1=[0.5])),
    "an edited matrix": edited(lambda d: d.update(confusion=[[1]])),
    "an npz of no bytes": overwritten("test.npz", b""),
    "an npz without arrays": overwritten("test.npz", empty_npz()),
    "text in the history": overwritten("history.csv", b"epoch,loss,val_loss\n1,low,1\n"),
    "a history of other columns": overwritten("history.csv", b"epoch,loss\n1,2\n"),
    "a history that is binary": overwritten("history.csv", b"\x00"),
    "no history": lambda path: (path / "history.csv").unlink(),
    "a folder for a file": lambda path: (
        (path / "test.npz").unlink(),
        (path / "test.npz").mkdir(),
    ),
}


@pytest.mark.fault("records: edited, cut, of another type, missing -> one line that names the file")
@pytest.mark.parametrize("what", SPOILED)
def test_a_damaged_record_is_refused_by_name(what):
    path = results.write_record(make_record())
    SPOILED[what](path)
    with pytest.raises(RecordError, match="train it with") as caught:
        results.read_record("sample", "s1_6c")
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_a_record_of_before_a_score_existed_is_read():
    path = results.write_record(make_record())
    edited(lambda d: d["scores"].pop("mean_iou"))(path)
    edited(lambda d: d["scores"].update(score_to_come=0.5))(path)
    edited(lambda d: d.update(digest="of a layout of before"))(path)
    record = results.read_record("sample", "s1_6c")
    assert record.scores["mean_iou"] == pytest.approx(np.mean(record.scores["iou"]))


def test_provenance_names_versions():
    software = provenance()
    assert software["versions"]["numpy"] == np.__version__
    assert software["commit"] is None or len(software["commit"]) == 40


def test_a_repository_around_the_library_is_not_its_commit(tmp_path, monkeypatch):
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b.c"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "theirs"], check=True)
    (tmp_path / "lib").mkdir()
    monkeypatch.setattr(paths, "PROJECT", tmp_path / "lib")
    assert provenance()["commit"] is None and provenance()["uncommitted"] is None


def with_spatial_counts(record):
    """Two bins hold all pixels: half of each at the boundary, the rest far from it."""
    near = record.confusion // 2
    by_distance = np.zeros((4, *near.shape), int)
    by_distance[0] = near
    by_distance[3] = record.confusion - near
    isolated = np.arange(len(record.patches))
    return replace(record, spatial=results.SpatialCounts(isolated + 1, isolated, by_distance))


def test_spatial_counts_come_back_as_written():
    record = with_spatial_counts(make_record())
    results.write_record(record)
    spatial = results.read_record("sample", "s1_6c").spatial
    assert spatial.isolated_in_map.tolist() == [1, 2, 3, 4]
    assert spatial.isolated_in_reference.tolist() == [0, 1, 2, 3]
    assert (spatial.by_distance == record.spatial.by_distance).all()


def test_a_record_of_before_spatial_counts_existed_is_read():
    results.write_record(make_record())
    assert results.read_record("sample", "s1_6c").spatial is None


@pytest.mark.fault("records: spatial counts of other pixels or patches -> one line")
@pytest.mark.parametrize("what", ["by_distance", "isolated_in_map"])
def test_spatial_counts_of_another_run_are_refused(what):
    record = with_spatial_counts(make_record())
    other = {"by_distance": record.spatial.by_distance + 1, "isolated_in_map": np.zeros(9, int)}
    spoiled = replace(record.spatial, **{what: other[what]})
    results.write_record(replace(record, spatial=spoiled))
    with pytest.raises(RecordError, match="are of other"):
        results.read_record("sample", "s1_6c")


def test_a_record_of_a_variant_is_listed():
    record = make_record("inception_10c")
    metadata = replace(record.metadata, experiment="inception_10c+peepholes")
    results.write_record(replace(record, metadata=metadata))
    assert results.list_records("sample") == [("sample", "inception_10c+peepholes", 1)]


@pytest.mark.fault("write_record: a folder in the place of replace -> no record is replaced")
def test_a_folder_is_not_taken_for_leave_to_replace(tmp_path):
    results.write_record(make_record(settings={"epochs": 2}))
    with pytest.raises(TypeError):
        results.write_record(make_record(settings={"epochs": 9}), tmp_path / "mine")
    assert results.read_record("sample", "s1_6c").metadata.settings == {"epochs": 2}
    folder = results.write_record(make_record(settings={"epochs": 9}), folder=tmp_path / "mine")
    assert folder == tmp_path / "mine"


@pytest.mark.fault("a record of edited code -> replaces none of committed code unasked")
def test_edited_code_does_not_replace_the_record_of_committed_code():
    """A changed loss has no setting: without this its record took the place of the book's."""
    results.write_record(make_record(uncommitted=False))
    with pytest.raises(RecordError, match="yours has changes that are not"):
        results.write_record(make_record(uncommitted=True))
    results.write_record(make_record(uncommitted=True), replace=True)
    results.write_record(make_record(uncommitted=False))


def test_a_seed_is_a_number():
    with pytest.raises(RecordError, match="seed '1': give a whole number"):
        results.read_record("sample", "s1_6c", "1")
