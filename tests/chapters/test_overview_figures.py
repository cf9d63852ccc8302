"""The figures that open the results chapters: whose scores they show, and that nothing is cut."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text
from records import make_record

from multisenge_lib import results
from multisenge_lib.chapters import comparison, overview_figures, use_style
from multisenge_lib.chapters.style import DESKTOP_WIDTH, MIN_FONT_SIZE, PHONE_WIDTH
from multisenge_lib.models import EXPERIMENTS

SCORES_OF_SIX = [(6, "weighted_f1"), (6, "kappa"), (6, "macro_f1")]


@pytest.fixture(autouse=True)
def trained(tmp_path, monkeypatch):
    """All eight networks with two seeds each, on the sample."""
    monkeypatch.setenv("MULTISENGE_RESULTS", str(tmp_path))
    for experiment in EXPERIMENTS.values():
        for seed in (1, 2):
            results.write_record(make_record(experiment.name, seed=seed))
    use_style()
    yield
    plt.close("all")


def draw(name, width):
    if name == "scores":
        return overview_figures.score_overview("sample", SCORES_OF_SIX, width)
    if name == "urban scores":
        drawn = [(6, "urban_f1"), (10, "urban_f1")]
        return overview_figures.score_overview("sample", drawn, width)
    if name == "classes":
        return overview_figures.class_overview("sample", 10, width)
    if name == "number of classes":
        six = comparison.urban_f1(comparison.paper_scores(6))
        ten = comparison.urban_f1(comparison.paper_scores(10))
        return overview_figures.class_count_figure(six, ten, width)
    return overview_figures.urban_step_figure("sample", width)


@pytest.mark.parametrize("width", [DESKTOP_WIDTH, PHONE_WIDTH])
@pytest.mark.parametrize(
    "name", ["scores", "urban scores", "classes", "number of classes", "steps"]
)
def test_text_is_large_enough_and_inside(name, width):
    figure = draw(name, width)
    figure.canvas.draw()
    labels = figure.legends[0].get_texts() if figure.legends else []
    for ax in figure.axes:
        labels += [ax.title, ax.xaxis.label, *ax.get_yticklabels()]
    for label in filter(Text.get_text, labels):
        assert label.get_fontsize() >= MIN_FONT_SIZE
        box = label.get_window_extent()
        assert box.x0 >= -1 and box.x1 <= figure.bbox.x1 + 1, label.get_text()


def test_each_score_is_listed_under_whom_it_is_from():
    rows = overview_figures.overview_rows("sample", [(6, "weighted_f1")])
    counts = rows.groupby("group", sort=False)["value"].count()
    # The paper's four networks, ten public states of others, the four networks of this book.
    assert counts.to_dict() == {"The paper": 4, "Others, real images": 10, "Synthetic sample": 4}
    best = rows[rows["label"] == "ConvLSTM+Inception-S1S2"]
    printed = best.loc[best["group"] == "The paper", "value"]
    assert printed.tolist() == [0.9018]
    # Two trainings with two states each have one row, and one name.
    states = best.loc[best["group"] == "Others, real images", "value"]
    assert sorted(states) == [0.8906, 0.9019, 0.9037, 0.9098]


def test_only_the_runs_of_this_book_have_intervals():
    rows = overview_figures.overview_rows("sample", [(6, "kappa")])
    own = rows["group"] == "Synthetic sample"
    assert rows.loc[own, ["low", "high"]].notna().all(axis=None)
    assert rows.loc[~own, ["low", "high"]].isna().all(axis=None)
    assert (rows.loc[own, "low"] < rows.loc[own, "value"]).all()


def test_a_score_of_a_map_of_one_class_is_drawn_for_both_test_sets():
    figure = overview_figures.score_overview("sample", [(6, "weighted_f1")])
    at = []
    for ax in figure.axes:
        for lines in ax.collections:
            if lines.get_linestyle()[0][1]:  # the dashed ones
                at.append(round(float(lines.get_segments()[0][0, 0]), 4))
    own = results.read_record("sample", "s1_6c").majority["weighted_f1"]
    assert at == [0.8957, round(own, 4)]


def test_the_sample_has_panels_of_its_own():
    """Its scores reach from 0 to 1 in the tests; those on the real images lie close together."""
    figure = overview_figures.score_overview("sample", SCORES_OF_SIX)
    assert len(figure.axes) == 2 * len(SCORES_OF_SIX)
    real, own = figure.axes[0], figure.axes[len(SCORES_OF_SIX)]
    assert own.get_yticklabels()[0].get_text() == "Synthetic sample"
    assert "Synthetic sample" not in [label.get_text() for label in real.get_yticklabels()]
    left, right = real.get_xlim()
    assert 0.85 < left < 0.8875 and right < 0.97


def test_runs_on_the_real_images_share_the_axes_of_the_paper(monkeypatch):
    rows = overview_figures.overview_rows("sample", SCORES_OF_SIX)
    rows["group"] = rows["group"].replace("Synthetic sample", "MultiSenGE")
    monkeypatch.setattr(overview_figures, "book_group", lambda dataset: "MultiSenGE")
    (block,) = overview_figures._comparable_rows(rows, "multisenge")
    assert len(block) == len(rows)


def test_class_scores_are_means_over_seeds():
    table = overview_figures.class_f1_statistics("sample", 6)
    both = [results.read_record("sample", "s2_6c", seed).scores["f1"][2] for seed in (1, 2)]
    assert table.loc[("ConvLSTM-S2", 3), "mean"] == pytest.approx(np.mean(both))
    assert table.loc[("ConvLSTM-S2", 3), "std"] == pytest.approx(np.std(both, ddof=1))


def test_urban_steps_are_those_of_the_tables():
    rows = overview_figures.urban_step_rows("sample")
    assert len(rows[rows["group"] == "Synthetic sample"]) == 6
    printed = rows[rows["group"] == "The paper"].set_index(["step", "classes"])["value"]
    assert printed["Sentinel-1, to Sentinel-2", 6] == pytest.approx(0.0431, abs=1e-4)
    assert printed["Sentinel-1, to Sentinel-2", 10] == pytest.approx(-0.0552, abs=1e-4)
    assert printed["Inception, to both sensors", 10] == pytest.approx(0.0791, abs=1e-4)


def test_the_table_has_every_value_of_the_figure():
    rows = overview_figures.overview_rows("sample", [(6, "urban_f1"), (10, "urban_f1")])
    table = overview_figures.overview_table(rows)
    assert list(table) == ["whose", "Mean urban F1, 6 classes", "Mean urban F1, 10 classes"]
    assert table.drop(columns="whose").count().sum() == len(rows)
    assert list(table["whose"].unique()) == ["The paper", "Others, real images", "Synthetic sample"]
    states = [name for name in table.index if "replicate" in name]
    assert len(states) == 4 and sum("v0, last epoch" in name for name in states) == 1
    printed = table.loc["ConvLSTM-S1"].iloc[0]
    assert printed["Mean urban F1, 6 classes"] == "0.2867"


def test_an_interval_below_zero_has_a_true_minus():
    columns = ["group", "model", "classes", "score", "value", "low", "high"]
    row = ("Synthetic sample", "ConvLSTM-S2", 6, "kappa", 0.408, -0.057, 0.872)
    table = overview_figures.overview_table(pd.DataFrame([row], columns=columns))
    assert table.loc["ConvLSTM-S2", "Cohen's kappa"] == "0.408 (\u22120.057 to 0.872)"


def test_without_records_the_public_scores_are_drawn(tmp_path, monkeypatch):
    monkeypatch.setenv("MULTISENGE_RESULTS", str(tmp_path / "none"))
    for name in ("scores", "urban scores", "classes", "steps"):
        assert draw(name, DESKTOP_WIDTH).axes
