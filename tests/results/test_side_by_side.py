"""Records of several experiments in one table."""

from dataclasses import replace

import numpy as np
import pytest
from records import make_record

from multisenge_lib import results
from multisenge_lib.errors import RecordError
from multisenge_lib.results import compare_experiments, comparison_text, paired_difference


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
    alone = compare_experiments(["s1s2_10c", "s1_10c"]).loc["s1_10c"]
    among = compare_experiments(["s1s2_10c", "s1_10c", "s2_10c", "inception_10c"]).loc["s1_10c"]
    assert among["difference"] == alone["difference"]
    assert among["difference_high"] > alone["difference_high"]


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
    assert row[["clear", "seeds", "operations, 10¹²", "minutes"]].tolist() == [
        "no", "1", "3.0", "1.0",
    ]  # fmt: skip
    longer = compare_experiments(["s1s2_10c"]).assign(seconds=6000.0)
    assert comparison_text(longer).loc["s1s2_10c", "minutes"] == "100.0"


def test_a_variant_is_claimed_with_three_pairs_and_a_network_with_five():
    write_runs("inception_10c", 60)
    write_runs("s1_10c", 20, seeds=3)
    for record in write_runs("s2_10c", 20, seeds=3):
        metadata = replace(record.metadata, experiment="inception_10c+relu")
        results.write_record(replace(record, metadata=metadata))
    table = compare_experiments(["inception_10c", "inception_10c+relu", "s1_10c"])
    assert table["pairs"].tolist()[1:] == [3, 3]
    assert table["clear"].tolist()[1:] == [True, False]


@pytest.mark.fault("compare: an experiment without records, or named twice -> one line")
def test_what_cannot_be_compared_is_refused():
    write_runs("s1s2_10c", 60, seeds=1)
    with pytest.raises(RecordError, match=r"no record of s2_10c: train it .* records of s1s2_10c"):
        compare_experiments(["s1s2_10c", "s2_10c"])
    with pytest.raises(RecordError, match=r"valley has no record of .* records of no experiment"):
        compare_experiments(["s1s2_10c"], "valley")
    with pytest.raises(RecordError, match="name each experiment once"):
        compare_experiments(["s1s2_10c", "s1s2_10c"])
