"""Records of several experiments in one table."""

from dataclasses import replace

import numpy as np
import pytest
from records import make_record

from multisenge_lib import results
from multisenge_lib.errors import RecordError
from multisenge_lib.results import (
    comparable_runs,
    compare_experiments,
    comparison_notes,
    comparison_text,
    paired_difference,
)

START = {"experiment": "s2_10c", "dataset": "valley", "digest": "0a1b", "part": "all"}


def write_runs(experiment, hits, seeds=5, **changes):
    """Write records with about so many right pixels a class and patch."""
    records = []
    for seed in range(1, seeds + 1):
        confusion = (hits + seed) * np.eye(10, dtype=int) + 1
        confusions = np.arange(1, 7)[:, None, None] * confusion
        record = make_record(experiment, seed, confusions=confusions, **changes)
        results.write_record(record)
        records.append(record)
    return records


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("MULTISENGE_RESULTS", str(tmp_path / "results"))


def test_each_experiment_is_compared_with_the_first():
    first = write_runs("s1s2_10c", 60)
    better = write_runs("inception_10c", 90, parameters={"trainable": 5, "total": 6})
    write_runs("s2_10c", 60)
    table = compare_experiments(["s1s2_10c", "inception_10c", "s2_10c"])
    assert table.index.tolist() == ["s1s2_10c", "inception_10c", "s2_10c"]

    scores = [record.scores["macro_f1"] for record in better]
    row = table.loc["inception_10c"]
    assert row["title"] == "ConvLSTM+Inception-S1S2"
    assert (row["seeds"], row["pairs"], row["parameters"]) == (5, 5, 5)
    assert (row["operations"], row["seconds"]) == (3e12, 60)
    assert row["mean"] == pytest.approx(np.mean(scores))
    assert row["std"] == pytest.approx(np.std(scores, ddof=1))
    assert row["low"] < row["mean"] < row["high"]

    difference = paired_difference(better, first)
    assert row["difference"] == pytest.approx(difference.value)
    # Two comparisons: the clearest is tested at 2.5 %.
    assert row["difference_low"] == pytest.approx(difference.interval(0.975)[0])
    assert row["p_value"] == pytest.approx(2 * difference.p_value)
    assert table["clear"].tolist()[1:] == [True, False]
    assert table.loc["s1s2_10c", ["difference", "pairs", "clear"]].isna().all()


def test_the_number_of_comparisons_widens_the_interval():
    write_runs("s1s2_10c", 60)
    for name in ("inception_10c", "s1_10c", "s2_10c"):
        write_runs(name, 61)
    pair = compare_experiments(["s1s2_10c", "s1_10c"]).loc["s1_10c"]
    among = compare_experiments(["s1s2_10c", "s1_10c", "s2_10c", "inception_10c"]).loc["s1_10c"]
    assert among["difference"] == pair["difference"]
    assert among["difference_high"] > pair["difference_high"]


def test_the_score_and_the_dataset_can_be_chosen():
    records = write_runs("s2_10c", 60, dataset="valley")
    table = compare_experiments(["s2_10c"], "valley", "mean_iou")
    expected = np.mean([record.scores["mean_iou"] for record in records])
    assert table["mean"].tolist() == pytest.approx([expected])
    assert table["difference"].isna().all()


def test_the_table_as_people_read_it():
    write_runs("s1s2_10c", 60)
    write_runs("s1_10c", 30, seeds=1)
    text = comparison_text(compare_experiments(["s1s2_10c", "s1_10c"]))
    assert text.loc["s1s2_10c", "difference"] == ""
    assert " ± " in text.loc["s1s2_10c", "mean"]
    row = text.loc["s1_10c"]
    assert row["95 %"] == row["95 %, corrected"] == "unknown"
    assert row["difference"].startswith("-0.")
    assert row[["clear", "seeds", "pairs", "operations, 10¹²", "minutes"]].tolist() == [
        "no", "1", "1", "3.0", "1.0",
    ]  # fmt: skip
    few = comparison_text(compare_experiments(["s1_10c"]).assign(operations=8.1e9))
    assert few.loc["s1_10c", "operations, 10¹²"] == "0.0081"
    longer = compare_experiments(["s1s2_10c"]).assign(seconds=6000.0)
    assert comparison_text(longer).loc["s1s2_10c", "minutes"] == "100.0"


def test_a_forest_has_nodes_and_no_counted_operations():
    write_runs("s1s2_10c", 60, seeds=1, operations=0.0, parameters={"trainable": 5000})
    row = comparison_text(compare_experiments(["s1s2_10c"])).loc["s1s2_10c"]
    assert row[["weights", "operations, 10¹²"]].tolist() == ["5,000 nodes", "not counted"]


def test_runs_of_one_seed_each_are_pairs():
    write_runs("s1s2_10c", 60, seeds=3)
    for record in write_runs("s1_10c", 30, seeds=2):
        metadata = replace(record.metadata, experiment="s2_10c", seed=record.metadata.seed + 2)
        results.write_record(replace(record, metadata=metadata))
    row = comparison_text(compare_experiments(["s1s2_10c", "s2_10c"])).loc["s2_10c"]
    assert (row["seeds"], row["pairs"]) == ("2", "1")  # seeds 1, 2, 3 and 3, 4


def test_other_settings_and_weights_to_start_from_are_noted():
    write_runs("s1s2_10c", 60, seeds=1, settings={"epochs": 2, "seed": 1, "batch_size": 4})
    settings = {"epochs": 9, "seed": 2, "batch_size": 4}
    write_runs("s1_10c", 60, seeds=1, settings=settings, start_from=START)
    forest = {"network": "forest"}
    write_runs("s2_10c", 60, seeds=1, settings={"trees": 60}, choices=forest)
    assert comparison_notes(["s1s2_10c", "s1_10c", "s2_10c"]) == [
        "s1_10c was started from weights of s2_10c on valley.",
        "s1_10c was trained with epochs 9; s1s2_10c with epochs 2.",
    ]


@pytest.mark.fault("compare: runs from other weights outnumber those from scratch -> these stay")
def test_runs_that_are_left_out_do_not_choose_the_settings():
    """Three runs that were left out for their start outvoted the two others: none was left."""
    slow = {"learning_rate": 1e-4}
    newer = {"fingerprint": "newer", "finished": "2026-02-01T00:00:00+00:00"}
    runs = {
        "scratch": [make_record("s1s2_10c", s, settings={"learning_rate": 1e-3}) for s in (1, 2)],
        "started": [
            make_record("s1s2_10c", s, settings=slow, start_from=START, **newer) for s in (1, 2, 3)
        ],
    }
    kept, notes = comparable_runs(runs)
    assert kept == {"scratch": runs["scratch"], "started": []}
    reason = "it was started from the weights of another network"
    assert notes == [f"started (seeds 1, 2, 3) is left out: {reason}."]


def test_a_score_that_is_not_defined_is_said_and_not_taken_for_the_first_row():
    """Kappa of a single class is 0 / 0."""
    write_runs("s1s2_10c", 60)
    single = np.zeros((6, 10, 10), int)
    single[:, 0, 0] = 600
    for seed in range(1, 6):
        results.write_record(make_record("s1_10c", seed, confusions=single))
    table = compare_experiments(["s1s2_10c", "s1_10c"], score="kappa")
    row = comparison_text(table, "kappa").loc["s1_10c"]
    assert row[["mean", "difference", "95 %, corrected", "clear", "pairs"]].tolist() == [
        "undefined", "undefined", "unknown", "no", "5",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("score", "of_mean", "of_difference"),
    [
        ("macro_f1", "0.000 to 1.000", "-1.000 to +1.000"),
        ("kappa", "-1.000 to 1.000", "-2.000 to +2.000"),
    ],
)
def test_an_interval_is_no_wider_than_the_score(score, of_mean, of_difference):
    write_runs("s1s2_10c", 60, seeds=2)
    write_runs("s1_10c", 60, seeds=2)
    wide = {"low": -3.0, "high": 3.0, "difference_low": -3.0, "difference_high": 3.0}
    table = compare_experiments(["s1s2_10c", "s1_10c"], score=score).assign(**wide)
    row = comparison_text(table, score).loc["s1_10c"]
    assert (row["95 %"], row["95 %, corrected"]) == (of_mean, of_difference)


def network_file(digest):
    """The choices of a record whose network is a file of the user's."""
    return {"network": "my.py:build", "sensors": ["s1", "s2"], "network_digest": digest}


@pytest.mark.fault("compare: seeds of one name trained otherwise, a file edited between -> refused")
@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"choices": network_file("b")}, "network_digest"),
        ({"settings": {"epochs": 9}}, "epochs"),
        ({"fingerprint": "other"}, "the packed patches"),
        ({"start_from": START}, "the weights that training started from"),
    ],
)
def test_seeds_that_were_not_trained_alike_are_refused(change, named):
    """The mean of two networks was shown as the mean of one."""
    write_runs("s1s2_10c", 60, seeds=1, choices=network_file("a"))
    base = {"choices": network_file("a"), "finished": "2026-02-01T00:00:00+00:00"}
    results.write_record(make_record("s1s2_10c", 2, **base | change))
    remedy = "so they cannot be averaged: train seed 1 again as you trained seed 2"
    with pytest.raises(
        RecordError, match=f"seeds 1 and 2 of s1s2_10c .* {named}, {remedy}"
    ) as error:
        compare_experiments(["s1s2_10c"])
    assert "\n" not in str(error.value)


@pytest.mark.fault("compare: records of an older sample -> refused, their patches have its names")
def test_two_states_of_the_data_are_refused():
    write_runs("s1s2_10c", 60, seeds=1, finished="2026-02-01T00:00:00+00:00")
    write_runs("inception_10c", 60, seeds=1, fingerprint="older")
    with pytest.raises(RecordError, match="inception_10c was trained on an older state of sample"):
        compare_experiments(["s1s2_10c", "inception_10c"])
    # One sensor alone may have other packed patches of the same data.
    write_runs("s1_10c", 60, seeds=1, fingerprint="alone", choices={"sensors": ["s1"]})
    compare_experiments(["s1s2_10c", "s1_10c"])
    # But not with another reference.
    write_runs("s2_10c", 50, seeds=1, fingerprint="older", choices={"sensors": ["s2"]})
    with pytest.raises(RecordError, match="s2_10c was trained on an older state of sample"):
        compare_experiments(["s1s2_10c", "s2_10c"])


def test_a_difference_is_claimed_with_five_pairs():
    write_runs("inception_10c", 60)
    write_runs("s1_10c", 20, seeds=4)
    write_runs("s2_10c", 20)
    table = compare_experiments(["inception_10c", "s1_10c", "s2_10c"])
    assert table["pairs"].tolist()[1:] == [4, 5]
    assert table["clear"].tolist()[1:] == [False, True]


@pytest.mark.fault("compare: an experiment without records, or named twice -> one line")
def test_what_cannot_be_compared_is_refused():
    write_runs("s1s2_10c", 60, seeds=1)
    with pytest.raises(
        RecordError, match=r"no record of s2_10c in .*results: train it .* of s1s2_10c"
    ):
        compare_experiments(["s1s2_10c", "s2_10c"])
    with pytest.raises(RecordError, match=r"valley has no record of .* records of no experiment"):
        compare_experiments(["s1s2_10c"], "valley")
    with pytest.raises(RecordError, match="name each experiment once"):
        compare_experiments(["s1s2_10c", "s1s2_10c"])
    for function in (compare_experiments, comparison_notes):
        with pytest.raises(RecordError, match="no experiment is named: name one or more"):
            function([])


@pytest.mark.fault("compare: a patch without Sentinel-1 -> networks of other patches, said so")
def test_networks_of_other_test_patches_are_refused_with_the_cause():
    """Training again would change nothing: the rasters of a sensor are missing."""
    all_patches = write_runs("s2_10c", 60, seeds=1, choices={"sensors": ["s2"]})[0]
    fewer = replace(
        make_record("s1s2_10c", 1, choices={"sensors": ["s1", "s2"]}, fingerprint="of both"),
        patches=all_patches.patches[:-1],
        confusions=all_patches.confusions[:-1],
    )
    results.write_record(fewer)
    last = all_patches.patches[-1]
    message = (
        f"s1s2_10c was tested on 5 patches of sample and s2_10c was tested on 6 patches, and only "
        f"one of them on {last}, which may lack rasters"
    )
    with pytest.raises(RecordError, match=message):
        compare_experiments(["s2_10c", "s1s2_10c"])


def test_seeds_with_another_title_are_averaged():
    """A title is a word of tables; records are replaced without asking where only it differs."""
    _, second = write_runs("s1s2_10c", 60, seeds=2)
    choices = {**second.metadata.choices, "title": "another"}
    results.write_record(replace(second, metadata=replace(second.metadata, choices=choices)))
    assert compare_experiments(["s1s2_10c"]).loc["s1s2_10c", "seeds"] == 2


def test_no_runs_to_compare_are_said():
    runs = write_runs("s1s2_10c", 60, seeds=2)
    for ours, theirs in [([], runs), (runs, []), ([], [])]:
        with pytest.raises(RecordError, match="no runs to compare"):
            paired_difference(ours, theirs)
