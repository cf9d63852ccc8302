import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from records import make_record

from multisenge_lib import paper, results
from multisenge_lib.dataset.typology import TYPOLOGIES, URBAN
from multisenge_lib.figures import notes as pages
from multisenge_lib.figures import results as plotting_results
from multisenge_lib.models.experiments import EXPERIMENTS
from multisenge_lib.results import comparison

matplotlib.use("Agg")


@pytest.fixture
def trained(tmp_path, monkeypatch):
    monkeypatch.setenv("MULTISENGE_RESULTS", str(tmp_path))
    for experiment in EXPERIMENTS.values():
        results.write_record(make_record(experiment.name))


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def test_class_table_holds_ours_beside_the_papers(trained):
    records = comparison.read_records("sample", 10)
    table = comparison.class_table(records, 10)
    assert table.shape == (11, 4 * 3 * 2)
    assert table["ConvLSTM-S2", "recall", "paper"].iloc[9] == 0.9106
    assert table["ConvLSTM+Inception-S1S2", "f1", "paper"].iloc[-1] == 0.8851
    ours = records["ConvLSTM-S1"].scores
    assert table["ConvLSTM-S1", "f1", "ours"].tolist() == [*ours["f1"], ours["weighted_f1"]]


def test_a_class_absent_from_our_reference_is_left_empty(trained):
    records = comparison.read_records("sample", 6)
    records["ConvLSTM-S1"].scores["f1"][3] = None
    assert comparison.class_table(records, 6)["ConvLSTM-S1", "f1", "ours"].isna().sum() == 1
    assert comparison.urban_f1(records)["ConvLSTM-S1"].isna().sum() == 1


def test_overall_table_says_whose_each_row_is(trained):
    table = comparison.overall_table(comparison.read_records("sample", 10), 10)
    assert table["whose"].value_counts()["paper"] == 4
    assert table["whose"].value_counts()["ours, sample"] == 5
    others = table[table["whose"] == "replication"]
    assert others["weighted_f1"].max() == pytest.approx(0.8885, abs=1e-4)
    printed = table[(table["whose"] == "paper") & (table["model"] == paper.METHODS[-1])].iloc[0]
    assert printed["kappa"] == 0.7945
    assert printed["macro_f1"] == pytest.approx(0.6373, abs=1e-4)


def test_records_of_the_two_datasets_are_never_mixed(trained):
    assert comparison.dataset_shown(10) == comparison.dataset_shown() == "sample"
    results.write_record(make_record("s1_10c", dataset="multisenge"))
    assert comparison.dataset_shown(10) == "multisenge"
    assert comparison.dataset_shown(6) == comparison.dataset_shown() == "sample"
    assert list(comparison.read_records("multisenge", 10)) == ["ConvLSTM-S1"]


def test_seeds(trained):
    note = pages.seed_note(comparison.seed_table("sample"), 10)
    assert "One seed" in note.data
    results.write_record(make_record("s1_10c", seed=2))
    table = comparison.seed_table("sample")
    assert table.columns.tolist() == [1, 2]
    assert table.loc["s1_10c"].notna().all()
    shown = pages.seed_note(table, 10).data
    assert "spread" in shown.columns
    assert len(shown) == 4


def test_answers_are_computed():
    six = pd.DataFrame(0.5, index=list(URBAN), columns=list(paper.METHODS))
    ten = six + 0.1
    text = comparison.urban_answer(six, ten, six, six - 0.1)
    assert "20 of 20 times, by +0.100" in text
    assert "0 of 20 times, by -0.100 in the paper" in text
    means = pd.concat({("ours", 6): six.mean(), ("paper", 10): ten.mean()}, axis=1)
    means.loc["ConvLSTM-S1S2", ("ours", 6)] = 0.7
    lines = comparison.sensor_answer(means).splitlines()
    assert "single one +0.200; Inception on top -0.200" in lines[0]
    assert "single one +0.000; Inception on top +0.000" in lines[1]


@pytest.mark.parametrize("classes", [6, 10])
def test_figures_show_every_method(trained, classes):
    records, typology = comparison.read_records("sample", classes), TYPOLOGIES[classes]
    table = comparison.class_table(records, classes)
    for whose in ("ours", "paper"):
        bars = plotting_results.score_bars(table, typology, whose, "Ours, sample")
        assert [ax.get_title() for ax in bars.axes] == list(paper.METHODS)
    heights = [bar.get_height() for bar in bars.axes[0].patches[:classes]]
    np.testing.assert_allclose(heights, paper.read_paper().scores(classes)[0, :, 0])
    matrices = plotting_results.confusion_figure(records, typology)
    shown = matrices.axes[0].collections[0].get_array().reshape(classes, classes)
    np.testing.assert_allclose(shown.sum(axis=1), 100)
    maps = plotting_results.map_figure(records, typology)
    assert len(maps.axes) == 5
    for figure in (matrices, maps):
        assert "not the paper's data" in figure.get_suptitle()
    assert len(plotting_results.learning_curves(records).axes) == 4


def test_urban_scatter_plots_each_urban_class(trained):
    six = comparison.urban_f1(comparison.read_records("sample", 6))
    ten = comparison.urban_f1(comparison.read_records("sample", 10))[paper.METHODS[-1]]
    figure = plotting_results.urban_scatter(ten, six, TYPOLOGIES[10], "Ours")
    points = [tuple(c.get_offsets()[0]) for c in figure.axes[0].collections]
    assert points == [(six.loc[i, paper.METHODS[0]], ten[i]) for i in URBAN]


def test_run_table_and_intervals(trained):
    assert len(comparison.run_table("sample")) == 8
    intervals = comparison.interval_table(comparison.read_records("sample", 6))
    assert intervals.columns.tolist() == ["weighted_f1", "macro_f1", "kappa"]


def test_the_banner_is_there_for_the_sample_alone(sample_root, tmp_path):
    assert pages.is_sample(sample_root)
    (tmp_path / "labels").mkdir()
    assert not pages.is_sample(tmp_path)
    assert "MULTISENGE_ROOT" in pages.sample_banner(True, "The scores").data
    assert pages.sample_banner(False, "The scores") is None
