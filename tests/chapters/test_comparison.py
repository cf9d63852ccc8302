import numpy as np
import pytest
from records import make_record

from multisenge_lib import paper, results
from multisenge_lib.chapters import comparison
from multisenge_lib.dataset import URBAN
from multisenge_lib.models import EXPERIMENTS


@pytest.fixture
def trained(tmp_path, monkeypatch):
    monkeypatch.setenv("MULTISENGE_RESULTS", str(tmp_path))
    for experiment in EXPERIMENTS.values():
        results.write_record(make_record(experiment.name))


def first_runs(dataset, classes):
    """The run with the first seed of each method."""
    runs = comparison.runs_by_method(dataset, classes)
    return {method: records[0] for method, records in runs.items()}


def test_scores_of_paper_and_records_have_one_shape(trained):
    records = first_runs("sample", 10)
    printed = comparison.paper_scores(10)
    computed = comparison.record_scores(records)
    assert printed.index.equals(computed.index) and printed.columns.equals(computed.columns)
    assert printed.loc[("ConvLSTM-S2", 10), "recall"] == 0.9106
    assert computed.loc["ConvLSTM-S1", "f1"].tolist() == records["ConvLSTM-S1"].scores["f1"]


def test_a_class_absent_from_the_reference_is_left_empty(trained):
    records = first_runs("sample", 6)
    records["ConvLSTM-S1"].scores["f1"][3] = None
    computed = comparison.record_scores(records)
    assert computed["f1"].isna().sum() == 1
    assert comparison.urban_f1(computed)["ConvLSTM-S1"].isna().sum() == 1


def test_urban_f1_is_of_the_five_urban_classes():
    table = comparison.urban_f1(comparison.paper_scores(6))
    assert list(table.index) == list(URBAN) and list(table) == list(paper.METHODS)


def test_overall_scores_are_those_that_the_paper_prints():
    printed = comparison.paper_overall(10)
    assert printed.loc[paper.METHODS[-1], "kappa"] == 0.7945
    assert printed.loc[paper.METHODS[-1], "macro_f1"] == pytest.approx(0.6373, abs=1e-4)


def test_records_of_the_two_datasets_are_never_mixed(trained):
    assert comparison.chapter_dataset(10) == comparison.chapter_dataset() == "sample"
    results.write_record(make_record("s1_10c", dataset="multisenge"))
    assert comparison.chapter_dataset(10) == "multisenge"
    assert comparison.chapter_dataset(6) == comparison.chapter_dataset() == "sample"
    assert list(comparison.runs_by_method("multisenge", 10)) == ["ConvLSTM-S1"]


def test_scores_over_seeds_are_a_mean_and_its_spread(trained):
    results.write_record(make_record("s1_10c", seed=2))
    runs = comparison.runs_by_method("sample", 10)
    table = comparison.scores_over_seeds(runs)
    assert list(table.index) == [*paper.METHODS]
    assert table["seeds"].tolist() == ["1, 2", "1", "1", "1"]
    kappas = [results.read_record("sample", "s1_10c", seed).scores["kappa"] for seed in (1, 2)]
    assert table["kappa"].iloc[0] == f"{np.mean(kappas):.3f}\xa0±\xa0{np.std(kappas, ddof=1):.3f}"
    assert "±" not in table["kappa"].iloc[1]
    both = [results.read_record("sample", "s1_10c", seed).scores["f1"][1] for seed in (1, 2)]
    assert comparison.urban_over_seeds(runs).loc[2, "ConvLSTM-S1"] == pytest.approx(np.mean(both))


def test_other_datasets_stand_by_themselves(trained):
    assert comparison.other_scores().empty
    for seed in (1, 2):
        results.write_record(make_record("s2_6c", seed, dataset="valley"))
    results.write_record(make_record("s1_10c", dataset="fjord"))
    table = comparison.other_scores()
    assert table["seeds"].to_dict() == {"fjord, s1_10c": "1", "valley, s2_6c": "1, 2"}


def test_a_record_says_how_it_was_made(trained):
    table = comparison.run_table(first_runs("sample", 6))
    assert list(table) == list(paper.METHODS)
    assert set(table.loc["dataset"]) == {"synthetic sample"}
    assert set(table.loc["epochs"]) == {"2"}


def test_a_record_shows_the_precision_that_it_was_trained_with(trained):
    settings = {"precision": "mixed_bfloat16", "plateau_patience": 5, "class_weights": True}
    table = comparison.run_table({"one": make_record(settings=settings)})
    assert table.loc["precision", "one"] == "mixed_bfloat16"
    assert table.loc["plateau patience", "one"] == "5"
    assert table.loc["class weights", "one"] == "True"


def test_the_run_in_the_middle_stands_for_its_method(trained):
    for seed in (2, 3):
        results.write_record(make_record("s1_10c", seed=seed))
    runs = {"ConvLSTM-S1": results.read_runs("sample", "s1_10c")}
    chosen = comparison.median_runs(runs)["ConvLSTM-S1"]
    of_seeds = sorted(run.scores["macro_f1"] for run in runs["ConvLSTM-S1"])
    assert chosen.scores["macro_f1"] == of_seeds[1]


def test_settings_that_all_runs_share_are_listed_once(trained):
    records = first_runs("sample", 6)
    shared, different = comparison.shared_settings(records)
    assert shared["dataset"] == "synthetic sample" and "epochs" in shared
    assert different.empty
    changed = make_record("s1_6c", settings={"epochs": 7})
    shared, different = comparison.shared_settings(records | {"ConvLSTM-S1": changed})
    assert list(different.index) == ["epochs"] and "epochs" not in shared


def test_trained_experiments_are_listed_with_their_seeds(tmp_path, monkeypatch):
    monkeypatch.setenv("MULTISENGE_RESULTS", str(tmp_path))
    assert comparison.trained_table("sample").empty
    for seed, day in ((1, "2026-11-02"), (2, "2026-11-01")):
        results.write_record(make_record("s2_10c", seed, finished=f"{day}T08:00:00+00:00"))
    table = comparison.trained_table("sample")
    assert table.index.tolist() == ["s2_10c"]
    assert table.loc["s2_10c", "seeds"] == "1,\N{NO-BREAK SPACE}2"
    assert table.loc["s2_10c", "last trained"] == "2026-11-02"
