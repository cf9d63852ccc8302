"""The ladder of networks, with all, some and none of them trained."""

import itertools

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.collections import PathCollection
from records import record_of_hits as record

from multisenge_lib import chapters, results
from multisenge_lib.chapters.ladder import LADDER, NOT_TRAINED


@pytest.fixture
def write(tmp_path, monkeypatch):
    monkeypatch.setenv("MULTISENGE_RESULTS", str(tmp_path))

    def write(*records):
        for each in records:
            results.write_record(each, replace=True)

    yield write
    plt.close("all")


def test_a_ladder_without_records_says_so(write):
    runs = chapters.ladder_runs("sample", 10)
    assert chapters.not_trained(runs) == [rung.label for rung in LADDER]
    assert chapters.ladder_gains(runs) == {}
    table = chapters.ladder_table(runs)
    assert (table["score"] == NOT_TRAINED).all() and (table["seeds"] == "0").all()
    assert (chapters.ladder_costs(runs)["weights"] == NOT_TRAINED).all()
    assert chapters.ladder_scores(runs).empty
    assert chapters.ladder_figure(runs).axes


def test_each_network_is_compared_with_the_one_below(write):
    seeds = (1, 2, 3, 4, 5)
    write(*[record(60, "s1s2_10c", seed) for seed in seeds])
    write(*[record(30, "stack_10c", seed) for seed in seeds])
    write(record(90, "utae_10c"))
    runs = chapters.ladder_runs("sample", 10)
    table = chapters.ladder_table(runs)
    assert table.loc["ConvLSTM", "compared with"] == "U-Net, dates stacked"
    assert table.loc["ConvLSTM", "gain"].endswith(", clear")
    # The stacked U-Net is the lowest that is trained: there is nothing to compare it with.
    assert table.loc["U-Net, dates stacked", "gain"] == "–"
    # One pair of runs: a gain, but no interval.
    assert table.loc["U-TAE", "95%, corrected"] == "unknown"
    assert table["seeds"].tolist() == ["0", "0", "5", "5", "0", "0", "1"]
    assert chapters.ladder_figure(runs).axes


def test_other_scores_are_a_mean_and_its_spread_over_the_seeds(write):
    both = [record(60, "s1s2_10c", 1), record(70, "s1s2_10c", 2)]
    write(*both, record(90, "utae_10c"))
    scores = chapters.ladder_scores(chapters.ladder_runs("sample", 10))
    assert list(scores.index) == ["ConvLSTM", "U-TAE"]  # the others are not trained
    accuracies = [run.scores["accuracy"] for run in both]
    expected = f"{np.mean(accuracies):.3f}\xa0±\xa0{np.std(accuracies, ddof=1):.3f}"
    assert scores.loc["ConvLSTM", "accuracy"] == expected
    assert "±" not in scores.loc["U-TAE", "accuracy"]


def test_the_numbers_below_a_chart_have_room(write):
    """Between two labels there is at least the width of a digit."""
    hits = {"forest_10c": 66, "unet_10c": 76, "stack_10c": 73, "s1s2_10c": 70, "inception_10c": 79}
    write(*[record(hit, name) for name, hit in hits.items()])
    figure = chapters.ladder_figure(chapters.ladder_runs("sample", 10))
    figure.canvas.draw()
    for ax in figure.axes:
        left, right = ax.get_xlim()
        shown = [
            label.get_window_extent()
            for label, at in zip(ax.get_xticklabels(), ax.get_xticks(), strict=True)
            if left <= at <= right
        ]
        digit = shown[0].width / len(ax.get_xticklabels()[0].get_text())
        for one, following in itertools.pairwise(shown):
            assert following.x0 - one.x1 > digit


def test_no_mark_of_the_ladder_lies_on_the_edge_of_its_chart(write):
    write(record(60, "s1s2_10c"), record(30, "stack_10c"))
    for ax in chapters.ladder_figure(chapters.ladder_runs("sample", 10)).axes:
        left, right = ax.get_xlim()
        for marks in ax.collections:
            if not isinstance(marks, PathCollection):
                continue  # lines of intervals
            for x, _ in marks.get_offsets():
                assert left + 0.02 * (right - left) < x < right - 0.02 * (right - left)


def test_runs_without_a_common_seed_are_not_compared(write):
    write(record(60, "s1s2_10c", 1), record(30, "stack_10c", 2))
    assert chapters.ladder_gains(chapters.ladder_runs("sample", 10)) == {}


def test_runs_on_an_older_state_of_the_data_are_left_out(write):
    write(
        record(60, "s1s2_10c", finished="2026-01-01T00:00:00+00:00", fingerprint="old"),
        record(30, "stack_10c", finished="2026-02-01T00:00:00+00:00", fingerprint="new"),
    )
    runs = chapters.ladder_runs("sample", 10)
    assert not runs["ConvLSTM"] and len(runs["U-Net, dates stacked"]) == 1


def test_costs_of_a_forest_are_nodes(write):
    write(record(60, "forest_10c", operations=0.0, parameters={"trainable": 7, "total": 7}))
    write(record(60, "s1s2_10c", parameters={"trainable": 2000, "total": 2000}))
    costs = chapters.ladder_costs(chapters.ladder_runs("sample", 10))
    assert costs.loc["Random forest"].tolist() == ["7 nodes", "not counted", "60"]
    assert costs.loc["ConvLSTM"].tolist() == ["2,000", "3.0", "60"]


def test_a_network_of_other_settings_is_left_out_and_named(write):
    write(*[record(60, name) for name in ("unet_10c", "stack_10c", "s1s2_10c")])
    write(record(90, "utae_10c", settings={"epochs": 1}, finished="2026-02-01"))
    # A forest is trained otherwise in any case.
    forest = {"network": "forest"}
    write(record(50, "forest_10c", settings={"trees": 60}, choices=forest))
    runs = chapters.ladder_runs("sample", 10)
    assert chapters.not_trained(runs) == ["ConvLSTM+Inception", "3D U-Net", "U-TAE"]
    assert chapters.ladder_notes("sample", 10) == [
        "U-TAE (seed 1) is left out: it was trained with epochs 1, the others with epochs 2."
    ]
