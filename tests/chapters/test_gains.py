"""What the pages say about gains; the statistics are tested with `results.differences`."""

import numpy as np
import pytest
from records import make_record

from multisenge_lib import chapters, results


def runs(hits, experiment="s1s2_10c", seeds=5, classes=10):
    """Records with about so many right pixels a class and patch, and one wrong of each class."""
    made = []
    for seed in range(1, seeds + 1):
        confusion = (hits + seed % 2) * np.eye(classes, dtype=int) + 1
        weights = np.arange(1, 7)[:, None, None]
        made.append(make_record(experiment, seed, confusions=weights * confusion))
    return made


@pytest.fixture
def written(tmp_path, monkeypatch):
    monkeypatch.setenv("MULTISENGE_RESULTS", str(tmp_path))

    def write(*groups):
        for group in groups:
            for record in group:
                results.write_record(record)

    return write


def test_gains_of_no_records(written):
    assert "no records yet" in chapters.gain_note(chapters.step_gains("sample", 10))


def test_clear_gains_are_named_and_others_are_not_decided(written):
    written(runs(30, "s1_10c"), runs(60), runs(60, "inception_10c"))
    gains = chapters.step_gains("sample", 10)
    assert list(gains) == ["Sentinel-2, to Sentinel-1", "Inception, to both"]
    table = chapters.gain_table(gains)
    assert table["clear"].tolist() == ["yes", "no"]
    assert table["gain"].tolist()[1] == "+0.000"
    note = chapters.gain_note(gains)
    assert note.startswith(
        "More than seeds and test patches explain: Sentinel-2, to Sentinel-1 (+0.0"
    )
    assert note.endswith("Not decided by these runs: Inception, to both.")


def test_few_runs_are_no_claim(written):
    written(runs(30, "s1_10c", seeds=3), runs(60, seeds=4))
    note = chapters.gain_note(chapters.step_gains("sample", 10))
    assert note == (
        "Not decided by these runs: Sentinel-2, to Sentinel-1. "
        "With 3 pairs of runs, no difference is claimed: 5 are the least."
    )


def test_one_run_has_no_interval(written):
    written(runs(30, "s1_10c", seeds=1), runs(60, seeds=1))
    table = chapters.gain_table(chapters.step_gains("sample", 10))
    assert table["95 %, corrected"].tolist() == ["unknown"]


def test_gains_of_several_numbers_of_classes_are_one_family(written):
    written(runs(60), runs(58, "s1_10c"), runs(60, "s1s2_6c", classes=6))
    written(runs(59, "s1_6c", classes=6))
    alone = chapters.step_gains("sample", 10)["Sentinel-2, to Sentinel-1"]
    both = chapters.step_gains("sample", 6, 10, score="urban_f1")
    assert list(both) == [f"Sentinel-2, to Sentinel-1, {n} classes" for n in (6, 10)]
    ten = both["Sentinel-2, to Sentinel-1, 10 classes"]
    assert ten.difference.value == pytest.approx(alone.difference.value, abs=1e-3)
    assert list(chapters.class_gains("sample")) == ["ConvLSTM-S1", "ConvLSTM-S1S2"]
