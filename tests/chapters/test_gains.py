"""What the pages say about gains; the statistics are tested with `results.differences`."""

import numpy as np
import pytest
from records import make_record

from multisenge_lib import chapters, results
from multisenge_lib.chapters.gains import gain_table, score_interval


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
    gains = chapters.step_gains("sample", 10)
    assert gains == {} and chapters.gain_table(gains).empty


def test_clear_gains_are_marked(written):
    written(runs(30, "s1_10c"), runs(60), runs(60, "inception_10c"))
    gains = chapters.step_gains("sample", 10)
    assert list(gains) == ["Sentinel-2, to Sentinel-1", "Inception, to both sensors"]
    table = chapters.gain_table(gains)
    assert table["clear"].tolist() == ["yes", "no"]
    assert table["gain"].tolist()[1] == "+0.000"


def test_a_sentence_names_the_clear_gains(written):
    written(runs(30, "s1_10c"), runs(60), runs(60, "inception_10c"))
    gains = chapters.step_gains("sample", 10)
    sentence = chapters.step_sentence(gains)
    assert sentence.startswith("Only the gain from Sentinel-2 added to Sentinel-1 is clear. Where")
    unclear = {name: gains[name] for name in ["Inception, to both sensors"]}
    assert chapters.step_sentence(unclear).startswith("None of the three gains is clear. Where")
    clear = gains["Sentinel-2, to Sentinel-1"]
    three = dict.fromkeys(
        ["Sentinel-2, to Sentinel-1", *unclear, "Sentinel-1, to Sentinel-2"], clear
    )
    assert chapters.step_sentence(three).startswith("All three gains are clear: their intervals")
    del three["Inception, to both sensors"]
    assert "Sentinel-2 added to Sentinel-1 and from Sentinel-1 added" in chapters.step_sentence(
        three
    )


def test_few_runs_are_no_claim(written):
    written(runs(30, "s1_10c", seeds=3), runs(60, seeds=4))
    table = chapters.gain_table(chapters.step_gains("sample", 10))
    assert table["pairs of runs"].tolist() == ["3"]
    assert table["clear"].tolist() == ["no"]


def test_a_loss_has_a_true_minus(written):
    written(runs(60, "s1_10c"), runs(30))
    table = chapters.gain_table(chapters.step_gains("sample", 10))
    assert table["gain"].iloc[0].startswith("\N{MINUS SIGN}0.")


def test_one_run_has_no_interval(written):
    written(runs(30, "s1_10c", seeds=1), runs(60, seeds=1))
    table = chapters.gain_table(chapters.step_gains("sample", 10))
    assert table["95%, corrected"].tolist() == ["unknown"]


def test_gains_of_several_numbers_of_classes_are_one_family(written):
    written(runs(60), runs(58, "s1_10c"), runs(60, "s1s2_6c", classes=6))
    written(runs(59, "s1_6c", classes=6))
    alone = chapters.step_gains("sample", 10)["Sentinel-2, to Sentinel-1"]
    both = chapters.step_gains("sample", 6, 10, score="urban_f1")
    assert list(both) == [f"Sentinel-2, to Sentinel-1, {n} classes" for n in (6, 10)]
    ten = both["Sentinel-2, to Sentinel-1, 10 classes"]
    assert ten.difference.value == pytest.approx(alone.difference.value, abs=1e-3)
    assert list(chapters.class_gains("sample")) == ["ConvLSTM-S1", "ConvLSTM-S1S2"]


def test_no_interval_goes_beyond_what_a_score_can_be():
    far_apart = results.Estimate(value=0.55, std=0.5, seeds=2, error=0.35, degrees_of_freedom=1)
    assert far_apart.interval()[1] > 1  # two seeds tell nearly nothing
    assert score_interval(far_apart, "macro_f1") == (0, 1)
    assert score_interval(far_apart, "kappa") == (-1, 1)
    table = gain_table(results.correct({"a step": far_apart}))
    assert table.loc["a step", "95%, corrected"] == "−1.000 to +1.000"


def test_runs_that_were_trained_otherwise_are_left_out_and_named(written):
    written(runs(30, "s1_10c"), runs(60), runs(60, "inception_10c"))
    assert chapters.step_notes("sample", 10) == []
    quick_look = make_record("s1_10c", 2, settings={"epochs": 1}, finished="2026-02-01")
    tuned = {"experiment": "s1s2_10c", "dataset": "south", "digest": "0", "part": "all"}
    results.write_record(quick_look, replace=True)
    results.write_record(make_record("inception_10c", 1, start_from=tuned), replace=True)
    results.write_record(
        make_record("inception_10c", 2, fingerprint="old", finished="2025"), replace=True
    )
    pairs = chapters.gain_table(chapters.step_gains("sample", 10))["pairs of runs"]
    assert pairs.tolist() == ["4", "3"]
    assert chapters.step_notes("sample", 10) == [
        "s1_10c (seed 2) is left out: it was trained with epochs 1, the others with epochs 2.",
        "inception_10c (seed 1) is left out: it was started from the weights of another network.",
        "inception_10c (seed 2) is left out: it was trained on an older state of the data than the "
        "others.",
    ]
    assert chapters.class_notes("sample") == chapters.step_notes("sample", 10)
