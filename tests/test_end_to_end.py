"""From the sample to a record, by the library and by the notebook; and the committed records."""

import os
import pty
import subprocess
import sys

import keras
import nbformat
import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from samples import part_of_sample
from small_network import write_network

from multisenge_lib import paths, results
from multisenge_lib.dataset import MULTISENGE, SAMPLE
from multisenge_lib.errors import MultiSenGEError
from multisenge_lib.models import get_experiment, with_network
from multisenge_lib.models.experiments import EXPERIMENTS
from multisenge_lib.sample import ensure_sample
from multisenge_lib.training.run import train
from multisenge_lib.training.settings import settings_for

pytestmark = pytest.mark.slow

NOTEBOOK = paths.PROJECT / "notebooks" / "train.ipynb"
COMMITTED = paths.PROJECT / "results"
#: The shortest run.
FEW_STEPS = {"epochs": 1, "passes_per_epoch": 1}


@pytest.fixture(autouse=True, scope="module")
def elsewhere(sample_root, tmp_path_factory):
    """Records go to a folder of this file's own, and so do runs: none of them is done before.

    The sample is the part of it that lies in the cache in its place.
    """
    cache = tmp_path_factory.mktemp("cache")
    part_of_sample(sample_root, cache / sample_root.name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MULTISENGE_CACHE", str(cache))
        patch.setenv("MULTISENGE_RESULTS", str(tmp_path_factory.mktemp("results")))
        patch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")
        patch.delenv("MULTISENGE_ROOT", raising=False)
        yield


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    """The file of a network of few weights, so that training it is fast."""
    return write_network(tmp_path_factory.mktemp("network"))


@pytest.fixture(scope="module")
def terminals(network, tmp_path_factory):
    """What the README's papermill command shows in a pseudo-terminal, given twice."""
    out = tmp_path_factory.mktemp("runs") / "out.ipynb"
    shown = ([], [])
    command = [sys.executable, "-m", "papermill", "--log-output", str(NOTEBOOK), str(out)]
    command += ["-p", "exp", "s1_6c", "-p", "network", f"{network}:build"]
    for name, value in FEW_STEPS.items():
        command += ["-p", name, str(value)]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(paths.PROJECT)
        for parts in shown:

            def keep(terminal, parts=parts):
                parts.append(os.read(terminal, 65536))
                return parts[-1]

            assert pty.spawn(command, keep, lambda _: b"") == 0, b"".join(parts).decode()
    return [b"".join(parts).decode() for parts in shown]


def test_the_terminal_shows_epochs_and_scores(terminals):
    """The second time nothing is trained."""
    first, second = terminals
    for text in terminals:
        assert "weighted_f1 " in text and "the commonest class everywhere" in text
    assert "epoch 1 of at most 1: loss" in first and "trained before" not in first
    assert "epoch 1 of at most 1: loss" not in second and "trained before" in second


def test_the_record_of_a_short_run(terminals):
    record = results.read_record("sample", "small_s1_6c")
    assert record.best_epoch == 1
    assert set(record.maps) == set(SAMPLE.showcase) == set(record.references)
    assert record.metadata.patches["test"] == len(record.patches) == len(record.confusions)
    for patch, ids in record.maps.items():
        at = record.patches.index(patch)
        labelled = record.references[patch] > 0
        hits = np.trace(record.confusions[at])
        assert hits == (ids == record.references[patch])[labelled].sum()


def test_the_library_takes_the_run_of_the_notebook_for_its_own(terminals, network, monkeypatch):
    monkeypatch.setattr(keras.Model, "fit", None)
    root = ensure_sample()
    experiment = with_network(get_experiment("s1_6c"), f"{network}:build")
    run = train(experiment, settings_for(root, **FEW_STEPS), root, progress=False)
    record = results.read_record("sample", "small_s1_6c")
    np.testing.assert_array_equal(run.record.confusions, record.confusions)


def committed():
    """Folders of the sample's records that are committed."""
    return sorted(path.parent for path in COMMITTED.glob("sample/*/metrics.json"))


@pytest.mark.parametrize("folder", committed(), ids=lambda folder: folder.name)
def test_a_committed_record_is_far_above_the_majority_class(folder, monkeypatch):
    monkeypatch.setenv("MULTISENGE_RESULTS", str(COMMITTED))
    record = results.read_record("sample", folder.name)
    # Records of before the sample had patches of its own hold maps of MultiSenGE's.
    assert set(record.maps) in (set(SAMPLE.showcase), set(MULTISENGE.showcase))
    assert record.scores["macro_f1"] > record.majority["macro_f1"] + 0.1
    assert record.scores["kappa"] > 0.2


def test_all_eight_records_or_none_are_committed():
    names = {folder.name for folder in committed()}
    # Beside them may stand other networks and variants.
    assert names >= set(EXPERIMENTS) or not names


def run(*command):
    """A command in a process of its own, its output and errors joined."""
    done = subprocess.run(
        [sys.executable, "-m", *command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=paths.PROJECT,
        check=False,
    )
    return done.returncode, done.stdout


def test_papermill_ends_with_one_line_that_says_what_is_wrong(tmp_path):
    arguments = [str(NOTEBOOK), str(tmp_path / "out.ipynb"), "-p", "data_root", str(tmp_path)]
    code, output = run("papermill", *arguments)
    words = f"DescriptionError: {tmp_path / 'labels'} cannot be listed"
    assert code != 0 and output.strip().splitlines()[-1].startswith(words)


@pytest.mark.parametrize(
    ("parameter", "words"),
    [
        ({"exp": "nonsense"}, "there is no experiment 'nonsense'"),
        ({"batch_size": 0}, "batch_size is 0"),
        ({"epoch": 3}, "there is no parameter epoch: did you mean epochs"),
        ({"months": "9,7"}, "months .* out of order"),
        ({"tiles": "31UEQ,31ABC"}, "has no '31ABC'"),
    ],
)
def test_the_notebook_refuses_a_wrong_parameter(parameter, words):
    """Cell by cell as a kernel does, with what papermill sets after the first."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    parameters, *cells = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    shell = InteractiveShell(user_ns={})
    shell.run_cell(parameters)
    shell.push(parameter)
    with pytest.raises(MultiSenGEError, match=words):
        for cell in cells:
            assert "training.train(" not in cell
            shell.run_cell(cell).raise_error()


def test_nbval_fails_when_a_stored_output_changes(tmp_path):
    """The notebook up to its first stored output, with another title in it."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    end = next(i for i, cell in enumerate(notebook.cells) if cell.get("outputs"))
    notebook.cells = notebook.cells[: end + 1]
    shown = notebook.cells[end].outputs[0].data
    for kind in shown:
        shown[kind] = shown[kind].replace("ConvLSTM-S1S2", "ConvLSTM-S1")
    nbformat.write(notebook, tmp_path / "changed.ipynb")
    code, output = run("pytest", "-q", "--nbval", "-p", "no:cacheprovider", str(tmp_path))
    code_cells = sum(cell.cell_type == "code" for cell in notebook.cells)
    assert code == 1 and f"1 failed, {code_cells - 1} passed" in output
