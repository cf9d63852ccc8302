"""From the sample to a record, by the library and by the notebook; and the committed records."""

import os
import pty
import subprocess
import sys

import nbformat
import numpy as np
import pytest

from multisenge_lib import paths, results
from multisenge_lib.dataset import MULTISENGE
from multisenge_lib.models.experiments import EXPERIMENTS
from multisenge_lib.training.settings import settings_for
from multisenge_lib.training.train import train

pytestmark = pytest.mark.slow

NOTEBOOK = paths.PROJECT / "notebooks" / "train.ipynb"
COMMITTED = paths.PROJECT / "results"


@pytest.fixture(autouse=True)
def results_elsewhere(tmp_path, monkeypatch):
    monkeypatch.setenv("MULTISENGE_RESULTS", str(tmp_path / "results"))
    monkeypatch.delenv("MULTISENGE_EPOCHS", raising=False)


@pytest.fixture(scope="module")
def trained(sample_root):
    """One epoch of the smallest network."""
    return train("s1_6c", settings_for(sample_root, epochs=1), sample_root, progress=False)


def test_the_record_of_a_short_run(trained):
    path = results.write_record(trained.record)
    assert path == paths.results_dir() / "sample" / "s1_6c"
    record = results.read_record("sample", "s1_6c")
    assert set(record.maps) == set(MULTISENGE.showcase) == set(record.references)
    assert record.metadata.patches["test"] == len(record.patches) == len(record.confusions)
    for patch, ids in record.maps.items():
        at = record.patches.index(patch)
        labelled = record.references[patch] > 0
        hits = np.trace(record.confusions[at])
        assert hits == (ids == record.references[patch])[labelled].sum()


def committed():
    """Folders of the sample's records that are committed."""
    return sorted(path.parent for path in COMMITTED.glob("sample/*/metrics.json"))


@pytest.mark.parametrize("folder", committed(), ids=lambda folder: folder.name)
def test_a_committed_record_is_far_above_the_majority_class(folder, monkeypatch):
    monkeypatch.setenv("MULTISENGE_RESULTS", str(COMMITTED))
    record = results.read_record("sample", folder.name)
    assert set(record.maps) == set(MULTISENGE.showcase)
    assert record.scores["macro_f1"] > record.majority["macro_f1"] + 0.1
    assert record.scores["kappa"] > 0.2


def test_all_eight_records_or_none_are_committed():
    assert {folder.name for folder in committed()} in (set(EXPERIMENTS), set())


def run(*command, **environment):
    """A command in a process of its own, its output and errors joined."""
    variables = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **environment}
    done = subprocess.run(
        [sys.executable, "-m", *command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=variables,
        cwd=paths.PROJECT,
        check=False,
    )
    return done.returncode, done.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-p", "exp", "nonsense"], "ExperimentError: there is no experiment 'nonsense'"),
        (["-p", "batch_size", "0"], "ExperimentError: batch_size is 0"),
        (["-p", "data_root", "."], "DescriptionError: labels cannot be listed"),
    ],
    ids=["experiment", "batch", "root"],
)
def test_papermill_ends_with_one_line_that_says_what_is_wrong(
    tmp_path, sample_root, arguments, words
):
    cache = str(sample_root.parent)
    code, output = run(
        "papermill", str(NOTEBOOK), str(tmp_path / "out.ipynb"), *arguments, MULTISENGE_CACHE=cache
    )
    assert code != 0 and output.strip().splitlines()[-1].startswith(words)
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize("times", [1, 2])
def test_the_terminal_shows_epochs_and_scores(tmp_path, sample_root, times):
    """papermill as the README has it, in a pseudo-terminal; the second time nothing is trained."""
    out, shown = tmp_path / "out.ipynb", []
    command = [sys.executable, "-m", "papermill", str(NOTEBOOK), str(out)]
    command += ["-p", "exp", "s1_6c", "-p", "epochs", "1"]

    def keep(terminal):
        shown.append(os.read(terminal, 65536))
        return shown[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MULTISENGE_CACHE", str(sample_root.parent))
        patch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")
        patch.chdir(paths.PROJECT)
        status = pty.spawn(command, keep, lambda _: b"")
    text = b"".join(shown).decode()
    assert status == 0
    assert ("epoch 1 of at most 1: loss" in text) == (times == 1)
    assert ("trained before" in text) == (times == 2)
    assert "weighted_f1 " in text and "the commonest class everywhere" in text
    assert results.read_record("sample", "s1_6c").best_epoch == 1


def test_nbval_fails_when_a_stored_output_changes(tmp_path, sample_root):
    """The notebook up to its first stored output, as it is and with another title in it."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    end = next(i for i, cell in enumerate(notebook.cells) if cell.get("outputs"))
    notebook.cells = notebook.cells[: end + 1]
    nbformat.write(notebook, tmp_path / "same.ipynb")
    shown = notebook.cells[end].outputs[0].data
    for kind in shown:
        shown[kind] = shown[kind].replace("ConvLSTM-S1S2", "ConvLSTM-S1")
    nbformat.write(notebook, tmp_path / "changed.ipynb")
    code, output = run("pytest", "-q", "--nbval", "-p", "no:cacheprovider", str(tmp_path))
    assert code == 1 and "1 failed" in output
    assert "changed.ipynb::Cell" in output and "same.ipynb::Cell" not in output
