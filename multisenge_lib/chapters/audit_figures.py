"""What the Audit chapter shows: findings folded by topic, and figures. Data in, figure out."""

from collections import Counter
from collections.abc import Sequence
from html import escape
from itertools import permutations
from re import sub
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from multisenge_lib import audit
from multisenge_lib.audit import (
    AGREES,
    DISAGREES,
    HALF_UNIT_4DP,
    REMARK,
    UNDECIDED,
    VERDICTS,
    Evidence,
    Finding,
)
from multisenge_lib.chapters.html import Html, typeset
from multisenge_lib.chapters.style import (
    BLUE,
    DESKTOP_WIDTH,
    RED,
    class_label,
    draw_matrix,
    is_narrow,
    lower_legend,
    name_rows,
    panels,
)
from multisenge_lib.dataset import TYPOLOGIES
from multisenge_lib.paper import METHODS

#: Of each verdict, the class of its look in `book.css`, and a sign that does without colour.
_LOOK = {
    DISAGREES: ("disagrees", "✗"),
    UNDECIDED: ("undecided", "?"),
    AGREES: ("agrees", "✓"),
    REMARK: ("remark", "·"),
}
_METHOD_MARKERS = ("o", "s", "D", "^")
#: The methods in the order of `METHODS`; the last, with the Inception module, stands out.
_METHOD_COLORS = ("#a8a8a8", "#767676", "#3c3c3c", "#9b1b4a")
#: Lighter than `style.GREY`, since it lies behind other bars.
_PALE_GREY = "#9a9a9a"


def anchor(id: str) -> str:
    """Name the place of a finding on the page of the audit, for links to it."""
    return "finding-" + sub(r"[^a-z0-9]+", "-", id.lower()).strip("-")


def _block(finding: Finding) -> str:
    """Write a finding: its title and verdict, the claim, the numbers, the explanation."""
    look, sign = _LOOK[finding.verdict]
    numbers = f"Published: {finding.published}. Derived: {finding.derived}. "
    if finding.difference is not None:
        tolerance = f", tolerance {finding.tolerance:.2g}" if finding.tolerance else ""
        numbers += f"Difference {finding.difference or 0:.2g}{tolerance}."
    # A text that ends with a full stop of its own would get a second one.
    numbers = numbers.replace("..", ".")
    # Italics are for the paper's own words only.
    if finding.quoted:
        claim = f"<i>{escape(finding.claim)}</i>"
    else:
        claim = escape(typeset(finding.claim))
    title = escape(typeset(finding.title))
    return (
        f'<div class="finding {look}" id="{anchor(finding.id)}"><p><b>{title}</b> '
        f"<span>{sign} {finding.verdict}</span></p>"
        f"<p>{claim} ({escape(finding.where)})</p>"
        f"<p>{escape(typeset(numbers))}</p>"
        f"<p>{escape(typeset(finding.explanation))}</p></div>"
    )


def _fold(title: str, inside: Sequence[str]) -> str:
    return f'<details class="fold"><summary>{title}</summary>{"".join(inside)}</details>'


def _tally(findings: Sequence[Finding]) -> str:
    """Say how many findings have each verdict."""
    words = {DISAGREES: "disagree", AGREES: "agree"}
    counts = Counter(finding.verdict for finding in findings)
    parts = []
    for verdict in VERDICTS:
        if counts[verdict]:
            _, sign = _LOOK[verdict]
            parts.append(f"{counts[verdict]} {sign} {words.get(verdict, verdict)}")
    return ", ".join(parts)


def headlines(findings: Sequence[Finding]) -> Html:
    """Show the few findings that matter most, in a sentence or two each; **words** are bold."""
    blocks = []
    for finding in findings:
        if finding.headline:
            look, _ = _LOOK[finding.verdict]
            blocks.append(
                f'<div class="finding {look}"><p>{escape(typeset(finding.headline))}</p></div>'
            )
    return Html(sub(r"[*]{2}(.+?)[*]{2}", r"<b>\1</b>", "".join(blocks)))


def folded(findings: Sequence[Finding], topic: str) -> Html:
    """Show all findings of a topic, folded; those that agree are last and folded again.

    Args:
        findings: from `audit.findings`, in its order.
        topic: one of their topics.
    """
    of_topic = [finding for finding in findings if finding.topic == topic]
    agreeing = [_block(finding) for finding in of_topic if finding.verdict == AGREES]
    others = [_block(finding) for finding in of_topic if finding.verdict != AGREES]
    if others and agreeing:
        inside = [*others, _fold(f"{len(agreeing)} agree", agreeing)]
    else:
        inside = others + agreeing
    return Html(_fold(f"<b>{topic}</b>: {_tally(of_topic)}", inside))


def support_figure(evidence: Evidence, width: float = DESKTOP_WIDTH) -> Figure:
    """Draw the bounds that the tables imply for each class's share of the test set.

    Shares are divided by the counted ones, so that 1 is right.
    """
    figure, axes = panels(2, width, (2, 1), 4.3, sharex=True)
    for ax, classes, table in zip(axes, (6, 10), (5, 7), strict=True):
        merge = audit.merge_matrix(classes)
        counted = audit.counted_support(evidence, classes)
        labels = []
        for class_id, share in enumerate(counted, 1):
            label = class_label(TYPOLOGIES[f"{classes}c"], class_id, 20)
            labels.append(f"{label} ({100 * share:.2g}%)")
        rows = name_rows(ax, labels)
        # The narrower bars of both tables lie on the wider ones of one table.
        sources = (
            (audit.table_constraints(evidence.paper, classes), 0.7, _PALE_GREY, "that table alone"),
            (audit.both_tables(evidence.paper), 0.4, BLUE, "Tables 5 and 7 together"),
        )
        for constraints, thickness, color, label in sources:
            low, high = audit.support_bounds(constraints, merge).T / counted
            # The edge keeps a bar in sight whose bounds are all but one value.
            options = {"color": color, "edgecolor": color, "linewidth": 2}
            ax.barh(rows, high - low, thickness, low, label=f"bounds, {label}", **options)
        ax.axvline(1, color="black", lw=1, label="as counted")
        # Without room beside it the longest bar would end at the frame, as if it were cut off.
        ax.use_sticky_edges = False
        ax.margins(x=0.05)
        ax.tick_params(axis="x", labelbottom=True)  # else only the lowest is numbered
        ax.set(title=f"{classes} classes, Table {table}", xlabel="Share / counted share")
    axes[0].set_ylabel("Class (counted share of the test pixels)")
    lower_legend(figure, axes[0].get_legend_handles_labels()[0])
    return figure


def _kappa_panel(ax: Axes, evidence: Evidence, classes: int) -> None:
    """Draw intervals and printed values, less the middle of the sharper one, in thousandths."""
    printed = evidence.paper.kappa(classes)
    from_tables = audit.kappa_intervals(evidence, classes)
    with_support = audit.kappa_intervals(evidence, classes, counted=True)
    middle = with_support.mean(axis=1)
    labels = [f"{name}\n{kappa:.4f}" for name, kappa in zip(METHODS, printed, strict=True)]
    rows = name_rows(ax, labels)
    for bounds, color, label in (
        (from_tables, _PALE_GREY, "derived, Tables 5 and 7 alone"),
        (with_support, BLUE, "derived, with the counted support"),
    ):
        low, high = 1000 * (bounds.T - middle)
        ax.barh(rows, high - low, 0.5, low, color=color, label=label)

    # A printed kappa is rounded, so it may lie half a unit outside what is derived.
    low = from_tables[:, 0] - HALF_UNIT_4DP
    high = from_tables[:, 1] + HALF_UNIT_4DP
    is_inside = (low <= printed) & (printed <= high)
    shift = 1000 * (printed - middle)
    for chosen, color, marker, verdict in (
        (is_inside, "black", "d", AGREES),
        (~is_inside, RED, "X", DISAGREES),
    ):
        label = f"published, {verdict}"
        ax.scatter(shift[chosen], rows[chosen], 45, color, marker=marker, zorder=3, label=label)
    ax.set_xlabel("Kappa difference × 1,000")


def kappa_figure(evidence: Evidence, width: float = DESKTOP_WIDTH) -> Figure:
    """Draw Cohen's kappa of the eight models, published and derived."""
    figure, axes = panels(2, width, (2, 1), 2.9, sharex=True)
    for ax, classes, table in zip(axes, (6, 10), (6, 8), strict=True):
        _kappa_panel(ax, evidence, classes)
        ax.tick_params(axis="x", labelbottom=True)  # else only the lowest is numbered
        ax.set_title(f"{classes} classes, Table {table}")
    if not is_narrow(width):  # side by side: the second panel names only its values
        axes[1].set_yticklabels([f"{kappa:.4f}" for kappa in evidence.paper.kappa(10)])
    lower_legend(figure, axes[1].get_legend_handles_labels()[0])
    return figure


def margins_table(evidence: Evidence, classes: int) -> pd.DataFrame:
    """Tabulate percent of all test pixels: of each class, and as each method predicts it."""
    margins = audit.model_margins(evidence, classes)
    columns = {"reference": margins[0].reference}
    for method, model in zip(METHODS, margins, strict=True):
        columns[method] = model.predicted
    typology = TYPOLOGIES[f"{classes}c"]
    names = [class_label(typology, class_id) for class_id in typology.ids]
    return 100 * pd.DataFrame(columns, index=pd.Index(names, name="class"))


def margins_figure(evidence: Evidence, width: float = DESKTOP_WIDTH) -> Figure:
    """Draw predicted pixels per reference pixel of each class, four methods, 6 and 10 classes."""
    figure, axes = panels(2, width, (2, 1), 4.3, sharex=True)
    ticks = (0.5, 1, 2, 5, 10, 20)
    for ax, classes in zip(axes, (6, 10), strict=True):
        typology = TYPOLOGIES[f"{classes}c"]
        rows = name_rows(ax, [class_label(typology, i, 20) for i in typology.ids])
        for position, model in enumerate(audit.model_margins(evidence, classes)):
            ax.scatter(
                model.predicted / model.reference,
                rows,
                s=32,
                zorder=3,
                alpha=0.85,
                marker=_METHOD_MARKERS[position],
                color=_METHOD_COLORS[position],
                label=METHODS[position],
            )
        ax.axvline(1, color="black", lw=1)
        # On this scale, twice as many is as far from 1 as half as many.
        ax.set(xscale="log", xticks=ticks, xticklabels=[f"{tick:g}" for tick in ticks])
        ax.minorticks_off()
        ax.tick_params(axis="x", labelbottom=True)  # else only the lowest is numbered
        ax.set(xlabel="Predicted / reference pixels", title=f"{classes} classes")
    lower_legend(figure, axes[0].get_legend_handles_labels()[0])
    return figure


def cells_figure(
    evidence: Evidence, classes: int, method: int, width: float = DESKTOP_WIDTH
) -> Figure:
    """Draw what one model's confusion matrix can be: bounds of each cell, percent of its row.

    Args:
        evidence: what to draw on.
        classes: 6 or 10.
        method: position in `METHODS`.
        width: width of the figure, in inches.
    """
    margins = audit.model_margins(evidence, classes)[method]
    percent = 100 * audit.cell_bounds(margins) / margins.reference[:, None, None]
    low = percent[..., 0]
    high = percent[..., 1]
    figure, (ax,) = panels(1, width, (1, 1), min(width, 4.2))
    narrow = is_narrow(width)
    between = "–\n" if narrow else "–"
    texts = np.empty((classes, classes), object)
    for row, column in np.ndindex(texts.shape):
        texts[row, column] = f"{low[row, column]:.0f}"
        if row != column:  # the diagonal is the recall, which the paper prints
            texts[row, column] += f"{between}{high[row, column]:.0f}"
    ids = list(range(1, classes + 1))
    row_labels = [str(class_id) for class_id in ids]
    if not narrow:
        typology = TYPOLOGIES[f"{classes}c"]
        row_labels = [class_label(typology, class_id) for class_id in ids]
    draw_matrix(
        ax, high - low, columns=ids, rows=row_labels, highest=100, texts=texts, colors="YlOrBr"
    )
    ax.set(xlabel="Predicted class", ylabel="Reference class")
    return figure


def free_cells(evidence: Evidence, classes: int, method: int) -> dict[str, Any]:
    """Give the data of the page's free cell: for each cell the two extreme matrices of pixels.

    Args:
        evidence: what to draw on.
        classes: 6 or 10.
        method: position in `METHODS`.
    """
    margins = audit.model_margins(evidence, classes)[method]
    # Of the paper's test tile, as others counted them; the paper prints none.
    pixels = evidence.replication.support[classes].sum()
    cells = {}
    # Without the diagonal, whose cells follow from the printed recalls.
    for row, column in permutations(range(classes), 2):
        shares = audit.extreme_matrices(margins, row, column)
        low, high = np.rint(pixels * shares).astype(int).tolist()
        cells[f"{row},{column}"] = {"low": low, "high": high}
    return {"names": TYPOLOGIES[f"{classes}c"].names, "start": [1, 0], "cells": cells}


def lab_presets(evidence: Evidence) -> dict[str, Any]:
    """Give the data of the page's kappa lab: shares and recalls of six classes to start from."""
    counted = audit.counted_support(evidence, 6).tolist()
    # Of the last method; scores are precision, recall and F1.
    recalls = evidence.paper.scores(6)[-1, :, 1].tolist()
    # The names that the part's script gives to the scores.
    names = {
        "accuracy": "accuracy",
        "weighted": "weighted_f1",
        "macro": "macro_f1",
        "kappa": "kappa",
    }
    overall = evidence.paper.overall(6)
    printed = {name: float(overall[score][-1]) for name, score in names.items()}
    on_test_tile = {"shares": counted, "recalls": recalls, "printed": printed}
    presets = {
        f"{METHODS[-1]} on the test tile": on_test_tile,
        "Non-urban everywhere": {"shares": counted, "recalls": [0, 0, 0, 0, 0, 1]},
        "the same recalls, equal shares": {"shares": [1 / 6] * 6, "recalls": recalls},
    }
    return {"names": TYPOLOGIES["6c"].names, "presets": presets}
