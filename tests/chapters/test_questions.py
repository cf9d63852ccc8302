"""The table that answers the paper's questions from three sources."""

import numpy as np
import pytest
from records import make_record

from multisenge_lib import chapters, results
from multisenge_lib.chapters import questions

SAMPLE_COLUMN = "our synthetic sample"


@pytest.fixture(autouse=True)
def _own_results(tmp_path, monkeypatch):
    monkeypatch.setenv("MULTISENGE_RESULTS", str(tmp_path))


def write_runs(experiment, hits, seeds=5):
    """Write records with about so many right pixels per class and patch, and one wrong of each."""
    classes = 10 if "_10c" in experiment else 6
    for seed in range(1, seeds + 1):
        confusion = (hits + seed % 2) * np.eye(classes, dtype=int) + 1
        weights = np.arange(1, 7)[:, None, None]
        results.write_record(make_record(experiment, seed, confusions=weights * confusion))


@pytest.fixture
def _fast(monkeypatch):
    """Skip the linear programs behind the paper's own answer."""
    monkeypatch.setattr(questions, "_classes_in_paper", lambda: "")


def answers():
    return chapters.question_table()[SAMPLE_COLUMN].tolist()


@pytest.mark.usefixtures("_fast")
def test_without_records_the_sample_has_no_answer():
    assert answers() == ["Not trained yet."] * 4


@pytest.mark.slow
def test_the_paper_and_others_are_quoted():
    table = chapters.question_table()
    radar = table.iloc[1]
    assert radar["the paper's tables"] == "+0.043 (6 classes), −0.055 (10 classes)."
    assert radar["others, same real images"] == (
        "U-TAE, S1+S2: +0.152 (6 classes), −0.025 (10 classes). "
        "MA-UTAE, concatenated: +0.051 (6 classes), +0.010 (10 classes). "
        "MA-UTAE, gated: +0.134 (6 classes)."
    )
    assert table.iloc[3, 1] == table.iloc[3, 2] == "Not tested."
    classes = table.iloc[0]
    assert classes["the paper's tables"].endswith("certainly higher for three of four networks.")
    assert classes["others, same real images"] == (
        "+0.015 to +0.192 (five networks). With the ten merged to six, kappa is higher for all "
        "four networks."
    )


@pytest.mark.usefixtures("_fast")
def test_a_clear_gain_is_told_from_an_unclear_one():
    write_runs("s2_10c", 30)
    write_runs("s1s2_10c", 60)
    write_runs("inception_10c", 60)
    classes, radar, inception, dates = answers()
    assert radar.endswith(", clear (10 classes).") and radar.startswith("+")
    assert inception == "+0.000, not clear (10 classes)."
    assert classes == dates == "Not trained yet."


@pytest.mark.usefixtures("_fast")
def test_three_pairs_are_enough_for_no_claim():
    write_runs("s2_10c", 30, seeds=3)
    write_runs("s1s2_10c", 60, seeds=3)
    assert answers()[1].endswith(", 3 pairs of runs, too few for a claim (10 classes).")


@pytest.mark.usefixtures("_fast")
def test_more_classes_are_compared_by_network():
    for experiment, seeds in (("s2", 5), ("s1", 3)):
        write_runs(f"{experiment}_6c", 30, seeds)
        write_runs(f"{experiment}_10c", 60, seeds)
    assert answers()[0].endswith("clear for one of two networks.")


@pytest.mark.usefixtures("_fast")
def test_dates_are_compared_with_the_first_one_alone():
    write_runs("unet_10c", 30)
    write_runs("stack_10c", 60)
    assert answers()[3].endswith(", clear (U-Net).")
