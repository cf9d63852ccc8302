"""Merged maps, decoded pixels and runs of others: nothing lost, figures readable at both widths."""

import re

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

from multisenge_lib import audit, chapters
from multisenge_lib.audit.merged import MERGED_SCORES
from multisenge_lib.chapters import audit_figures
from multisenge_lib.chapters.style import DESKTOP_WIDTH, MIN_FONT_SIZE, PHONE_WIDTH, use_style
from multisenge_lib.paper import METHODS, read_errata, replication


@pytest.fixture(scope="module")
def merged():
    """Bounds as `audit.merged_table` gives them, made up so that no linear program runs."""
    rows = {}
    for score in MERGED_SCORES:
        for position, method in enumerate(METHODS):
            low = 0.4 + 0.1 * position
            rows[score, method] = {"low": low, "high": low + 0.1, "six": 0.4, "constant": 0.2}
    return pd.DataFrame.from_dict(rows, orient="index")


@pytest.mark.parametrize("width", [DESKTOP_WIDTH, PHONE_WIDTH])
@pytest.mark.parametrize("draw", ["merged", "spread"])
def test_text_is_large_enough_and_inside(merged, draw, width):
    use_style()
    if draw == "merged":
        figure = chapters.merged_figure(merged, width=width)
    else:
        figure = chapters.spread_figure(6, width=width)
    figure.canvas.draw()
    texts = [text for text in figure.findobj(Text) if text.get_text() and text.get_visible()]
    assert min(text.get_fontsize() for text in texts) >= MIN_FONT_SIZE
    # Ticks beyond the ends of an axis have labels too, which are not drawn.
    labels = []
    for ax in figure.axes:
        labels += [ax.title, ax.xaxis.label, *ax.get_yticklabels()]
    for label in filter(Text.get_text, labels):
        box = label.get_window_extent()
        assert box.x0 >= 0 and box.x1 <= figure.bbox.x1, label.get_text()
    plt.close(figure)


def test_the_bars_are_the_bounds(merged):
    figure = chapters.merged_figure(merged)
    kappa = figure.axes[0]
    ends = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in kappa.patches]
    assert np.allclose(ends, merged.loc["kappa"][["low", "high"]])
    plt.close(figure)


def test_all_matrices_of_others_are_drawn_under_short_names():
    for classes in (6, 10):
        short = chapters.matrices_of_others(classes)
        assert len(short) == len(replication().matrices(classes)) == 4
        assert max(len(name) for name in short) < 30


def test_decoded_pixels_are_whole_for_the_right_number_of_patches_only(evidence):
    table = chapters.decoded_table(evidence, 3369)
    assert table["off a whole number"].max() < 0.03
    assert table["off, with 3,369 patches"].max() > 0.2
    assert table["whole pixels"].sum() == 5890 * 256**2


def test_decoded_shares_are_percent_of_each_part(evidence):
    shares = chapters.decoded_shares(audit.decode_counts(evidence))
    assert shares[["selected", "train and validation", "test"]].sum().tolist() == pytest.approx(
        [100, 100, 100]
    )
    assert shares["test over the others"].iloc[3] == pytest.approx(1.55, abs=0.01)


def test_urban_steps_by_hand():
    steps = chapters.urban_steps()
    overview = chapters.method_overview()
    ten = overview["urban F1, 10 classes"]
    assert steps.loc["Inception, to both sensors", "10 classes"] == pytest.approx(
        ten.iloc[3] - ten.iloc[2]
    )
    assert overview.loc["ConvLSTM-S2", "kappa, 6 classes"] == 0.4223


def test_the_best_of_each_column_is_bold():
    css = chapters.bold_best(pd.DataFrame({"a": [1, 3], "b": [2, 1]}))
    assert (css != "").to_numpy().tolist() == [[False, True], [True, False]]


def test_every_answer_has_words():
    table = chapters.answers_table()
    assert len(table) == len(audit.answers())
    assert table["share"].str.endswith("%").all()


def test_each_run_is_linked_to_its_file():
    html = chapters.run_overview(audit.public_run_table(6), "caption").data
    for run in replication().of_classes(6):
        assert replication().address(run) in html
    assert html.count("https://doi.org/") == len(METHODS)


def test_the_replicate_stands_beside_table_7():
    html = chapters.replicate_by_class("caption").data
    assert "10 Water Surfaces" in html
    assert "0.5614" in html  # Table 7, class 10


def test_every_slip_links_to_a_finding_on_the_audit_page(findings):
    topics = {finding.topic for finding in findings}
    page = "".join(audit_figures.folded(findings, topic).data for topic in topics)
    table = chapters.errata_table(read_errata(), {finding.id: finding for finding in findings})
    assert len(table) == len(read_errata())
    for links in table["finding"]:
        for target in re.findall(r'href="audit.html#([^"]+)"', links.data):
            assert f'id="{target}"' in page


def test_shares_of_wrong_predictions_hold_the_finding(evidence):
    table = chapters.wrong_share_table(evidence, [(6, 4, 6)])
    assert table.iloc[:, 0].tolist() == ["11 to 100%", "68 to 100%", "84 to 100%", "76 to 100%"]


def test_titles_are_typeset_in_tables_and_folds(findings):
    titles = []
    for verdict in audit.VERDICTS:
        titles += [link.data for link in chapters.verdict_table(findings, verdict)["finding"]]
    by_id = {finding.id: finding for finding in findings}
    titles += [link.data for link in chapters.errata_table(read_errata(), by_id)["finding"]]
    assert any("2%" in title for title in titles)
    assert not [title for title in titles if " %" in title]


def test_a_verdict_has_all_its_findings_in_one_table(findings):
    table = chapters.verdict_table(findings, audit.DISAGREES)
    assert len(table) == sum(finding.verdict == audit.DISAGREES for finding in findings)
    assert "#finding-training-tiles" in "".join(link.data for link in table["finding"])


def test_inception_by_class_is_the_difference_of_two_printed_columns():
    change = chapters.inception_by_class()
    assert change.loc["5 Large Scale Networks", "10 classes"] == pytest.approx(0.5474 - 0.4163)
    assert change.loc["1 Dense Built-Up", "6 classes"] == pytest.approx(0.3639 - 0.4430)
    assert len(change) == 5
