"""What the Audit chapter shows: nothing lost in folds, figures readable at both widths."""

import json
import re

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.text import Text

from multisenge_lib.chapters import audit_figures as report
from multisenge_lib.chapters.style import DESKTOP_WIDTH, MIN_FONT_SIZE, PHONE_WIDTH, use_style


@pytest.fixture
def all_findings(findings):
    return findings


def test_every_finding_is_in_one_fold(all_findings):
    topics = {finding.topic for finding in all_findings}
    folds = "".join(report.folded(all_findings, topic).data for topic in topics)
    assert folds.count('class="finding') == len(all_findings)
    assert folds.count("<details") == folds.count("</details>")


def test_a_fold_counts_and_puts_agreements_last(all_findings):
    html = report.folded(all_findings, "Kappa").data
    mine = [finding for finding in all_findings if finding.topic == "Kappa"]
    assert f"{sum(f.verdict == 'disagrees' for f in mine)} ✗ disagree" in html
    looks = re.findall(r'class="finding (\w+)"', html)
    assert looks == sorted(looks, key=["disagrees", "undecided", "agrees", "remark"].index)


def test_headlines_are_six_with_a_bold_beginning(all_findings):
    html = report.headlines(all_findings).data
    assert html.count('class="finding') == html.count("<b>") == 6
    assert "**" not in html


@pytest.mark.parametrize("width", [DESKTOP_WIDTH, PHONE_WIDTH])
@pytest.mark.parametrize(
    "draw, options",
    [
        (report.support_figure, {}),
        (report.kappa_figure, {}),
        (report.margins_figure, {}),
        (report.cells_figure, {"classes": 6, "method": 3}),
    ],
)
def test_text_is_large_enough_and_inside(evidence, draw, options, width):
    use_style()
    figure = draw(evidence, width=width, **options)
    figure.canvas.draw()
    texts = [text for text in figure.findobj(Text) if text.get_text() and text.get_visible()]
    assert min(text.get_fontsize() for text in texts) >= MIN_FONT_SIZE
    labels = [label for ax in figure.axes for label in (ax.xaxis.label, ax.yaxis.label, ax.title)]
    for label in filter(Text.get_text, labels):
        box = label.get_window_extent()
        assert box.x0 >= 0 and box.x1 <= figure.bbox.x1, label.get_text()
    plt.close(figure)


@pytest.mark.parametrize(
    "draw", [report.support_figure, report.kappa_figure, report.margins_figure]
)
def test_each_panel_has_numbers_on_a_phone(evidence, draw):
    figure = draw(evidence, width=PHONE_WIDTH)
    figure.draw_without_rendering()
    for ax in figure.axes:
        assert any(label.get_visible() and label.get_text() for label in ax.get_xticklabels())
    plt.close(figure)


def test_all_of_the_free_cells_keep_the_margins(evidence):
    data = report.free_cells(evidence, 6, 3)
    ends = np.array([[cell["low"], cell["high"]] for cell in data["cells"].values()])
    assert len(ends) == 30
    support = evidence.replication.support[6]
    assert np.abs(ends.sum(axis=-1) - support).max() <= 6
    assert np.ptp(ends.sum(axis=-2), axis=(0, 1)).max() <= 6
    assert len(json.dumps(data)) < 30_000
