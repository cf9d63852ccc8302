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
from multisenge_lib.chapters.html import Html
from multisenge_lib.chapters.style import DESKTOP_WIDTH, MIN_FONT_SIZE, lower_legend, panels
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
_METHOD_COLORS = ("#6b6b6b", "#2b6ca3", "#a86400", "#9b1b4a")
_BLUE, _GREY, _RED = "#2b6ca3", "#9a9a9a", "#b3261e"


def _block(finding: Finding) -> str:
    look, sign = _LOOK[finding.verdict]
    numbers = f"Published: {finding.published}. Derived: {finding.derived}. "
    if finding.difference is not None:
        tolerance = f", tolerance {finding.tolerance:.2g}" if finding.tolerance else ""
        numbers += f"Difference {finding.difference or 0:.2g}{tolerance}."
    # Italics are for the paper's own words only.
    claim = escape(finding.claim)
    if finding.quoted:
        claim = f"<i>{claim}</i>"
    return (
        f'<div class="finding {look}"><p><b>{escape(finding.title)}</b> '
        f"<span>{sign} {finding.verdict}</span></p>"
        f"<p>{claim} ({escape(finding.where)})</p>"
        f"<p>{escape(numbers.replace('..', '.'))}</p><p>{escape(finding.explanation)}</p></div>"
    )


def _fold(title: str, inside: Sequence[str]) -> str:
    return f'<details class="fold"><summary>{title}</summary>{"".join(inside)}</details>'


def _tally(found: Sequence[Finding]) -> str:
    """How many findings have each verdict, in words."""
    counts = Counter(finding.verdict for finding in found)
    words = {DISAGREES: "disagree", AGREES: "agree"}
    return ", ".join(f"{counts[v]} {_LOOK[v][1]} {words.get(v, v)}" for v in VERDICTS if counts[v])


def headlines(found: Sequence[Finding]) -> Html:
    """The few findings that matter most, a sentence or two each; **words** are bold."""
    blocks = (
        f'<div class="finding {_LOOK[f.verdict][0]}"><p>{escape(f.headline)}</p></div>'
        for f in found
        if f.headline
    )
    return Html(sub(r"[*]{2}(.+?)[*]{2}", r"<b>\1</b>", "".join(blocks)))


def folded(found: Sequence[Finding], topic: str) -> Html:
    """All findings of a topic, folded; those that agree are last and folded again.

    Args:
        found: of `audit.findings`, in its order.
        topic: one of theirs.
    """
    mine = [f for f in found if f.topic == topic]
    agree = [_block(f) for f in mine if f.verdict == AGREES]
    others = [_block(f) for f in mine if f.verdict != AGREES]
    inside = [*others, _fold(f"{len(agree)} agree", agree)] if others and agree else others or agree
    return Html(_fold(f"<b>{topic}</b>: {_tally(mine)}", inside))


def _rows(ax: Axes, labels: Sequence[str]) -> np.ndarray:
    """Name the rows of a chart, the first on top; returns their heights."""
    at = np.arange(len(labels))
    ax.set(yticks=at, yticklabels=labels, ylim=(len(labels) - 0.4, -0.6))
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="x", lw=0.4)
    return at


def support_figure(evidence: Evidence, width: float = DESKTOP_WIDTH) -> Figure:
    """Share of each class in the test set over the counted one: bounds that the tables imply."""
    figure, axes = panels(2, width, (2, 1), 3.3, sharex=True)
    for ax, classes, table in zip(axes, (6, 10), (5, 7), strict=True):
        merge, counted = audit.merge_matrix(classes), audit.counted_support(evidence, classes)
        shares = (f"{100 * share:.2g} %" for share in counted)
        at = _rows(ax, [f"{i}  ({share})" for i, share in enumerate(shares, 1)])
        sources = (
            (audit.table_constraints(evidence.paper, classes), _GREY, "that table alone"),
            (audit.both_tables(evidence.paper), _BLUE, "Tables 5 and 7 together"),
        )
        for height, (known, color, label) in zip((0.7, 0.4), sources, strict=True):
            low, high = audit.support_bounds(known, merge).T / counted
            ax.barh(at, high - low, height, low, color=color, label=f"bounds, {label}")
        ax.axvline(1, color="black", lw=1, label="as counted")
        ax.set(title=f"{classes} classes, Table {table}", xlabel="share over the counted share")
    axes[0].set_ylabel("class (counted share)")
    lower_legend(figure, axes[0].get_legend_handles_labels()[0])
    return figure


def _kappa_panel(ax: Axes, evidence: Evidence, classes: int) -> None:
    """Intervals and printed values less the middle of the sharper interval, in thousandths."""
    printed = evidence.paper.kappa(classes)
    implied = audit.kappa_intervals(evidence, classes)
    sharper = audit.kappa_intervals(evidence, classes, counted=True)
    middle = sharper.mean(axis=1)
    at = _rows(ax, [f"{name}\n{kappa:.4f}" for name, kappa in zip(METHODS, printed, strict=True)])
    for bounds, color, label in (
        (implied, _GREY, "derived, Tables 5 and 7 alone"),
        (sharper, _BLUE, "derived, with the counted support"),
    ):
        low, high = 1000 * (bounds.T - middle)
        ax.barh(at, high - low, 0.5, low, color=color, label=label)
    inside = (implied[:, 0] - HALF_UNIT_4DP <= printed) & (printed <= implied[:, 1] + HALF_UNIT_4DP)
    for right, color, marker in ((True, "black", "d"), (False, _RED, "X")):
        shift = 1000 * (printed - middle)[inside == right]
        label = f"published, {AGREES if right else DISAGREES}"
        ax.scatter(shift, at[inside == right], 45, color, marker=marker, zorder=3, label=label)
    ax.set_xlabel("difference x 1000")


def kappa_figure(evidence: Evidence, width: float = DESKTOP_WIDTH) -> Figure:
    """Cohen's kappa of the eight models, published and derived."""
    figure, axes = panels(2, width, (2, 1), 2.9, sharex=True)
    for ax, classes, table in zip(axes, (6, 10), (6, 8), strict=True):
        _kappa_panel(ax, evidence, classes)
        ax.set_title(f"{classes} classes, Table {table}")
    if axes[1].get_subplotspec().colspan.start:  # side by side: the second names only its values
        axes[1].set_yticklabels([f"{kappa:.4f}" for kappa in evidence.paper.kappa(10)])
    lower_legend(figure, axes[1].get_legend_handles_labels()[0])
    return figure


def margins_table(evidence: Evidence, classes: int) -> pd.DataFrame:
    """Percent of all test pixels: of each class, and as each method predicts it."""
    found = audit.model_margins(evidence, classes)
    columns = {"reference": found[0].reference}
    columns |= {method: m.predicted for method, m in zip(METHODS, found, strict=True)}
    return 100 * pd.DataFrame(columns, index=TYPOLOGIES[f"{classes}c"].names)


def margins_figure(evidence: Evidence, width: float = DESKTOP_WIDTH) -> Figure:
    """Predicted pixels per reference pixel of each class, four methods, 6 and 10 classes."""
    figure, axes = panels(2, width, (2, 1), 3.6, sharex=True)
    for ax, classes in zip(axes, (6, 10), strict=True):
        at = _rows(ax, [f"class {i}" for i in range(1, classes + 1)])
        for i, model in enumerate(audit.model_margins(evidence, classes)):
            look = {"marker": _METHOD_MARKERS[i], "color": _METHOD_COLORS[i], "label": METHODS[i]}
            ax.scatter(model.predicted / model.reference, at, s=32, zorder=3, alpha=0.85, **look)
        ax.axvline(1, color="black", lw=1)
        ticks = (0.5, 1, 2, 5, 10, 20)
        ax.set(xscale="log", xticks=ticks, xticklabels=[f"{tick:g}" for tick in ticks])
        ax.minorticks_off()
        ax.set(xlabel="predicted over reference pixels", title=f"{classes} classes")
    lower_legend(figure, axes[0].get_legend_handles_labels()[0])
    return figure


def cells_figure(
    evidence: Evidence, classes: int, method: int, width: float = DESKTOP_WIDTH
) -> Figure:
    """What one model's confusion matrix can be: bounds of each cell, percent of its row."""
    found = audit.model_margins(evidence, classes)[method]
    low, high = np.moveaxis(100 * audit.cell_bounds(found) / found.reference[:, None, None], 2, 0)
    figure, (ax,) = panels(1, width, (1, 1), min(width, 4.2))
    ax.imshow(high - low, cmap="YlOrBr", vmin=0, vmax=100)
    between = "-\n" if width < DESKTOP_WIDTH else "-"
    for (i, j), least in np.ndenumerate(low):
        text = f"{least:.0f}" if i == j else f"{least:.0f}{between}{high[i, j]:.0f}"
        color = "white" if high[i, j] - least > 65 else "black"
        ax.text(j, i, text, ha="center", va="center", fontsize=MIN_FONT_SIZE, color=color)
    at, ids = np.arange(classes), range(1, classes + 1)
    ax.set(xticks=at, yticks=at, xticklabels=ids, xlabel="predicted class")
    names = [f"{i} {name}" for i, name in zip(ids, TYPOLOGIES[f"{classes}c"].names, strict=True)]
    ax.set(yticklabels=names if width == DESKTOP_WIDTH else ids, ylabel="reference class")
    return figure


def free_cells(evidence: Evidence, classes: int, method: int) -> dict[str, Any]:
    """What the page's free cell draws from: for each cell two matrices of pixels that are allowed.

    Args:
        evidence: what to draw on.
        classes: 6 or 10.
        method: position in `METHODS`.
    """
    found, pixels = audit.model_margins(evidence, classes)[method], evidence.replication.support
    cells = {}
    for i, j in permutations(range(classes), 2):
        ends = np.rint(pixels[classes].sum() * audit.extreme_matrices(found, i, j)).astype(int)
        cells[f"{i},{j}"] = dict(zip(("low", "high"), ends.tolist(), strict=True))
    return {"names": TYPOLOGIES[f"{classes}c"].names, "start": [1, 0], "cells": cells}


def lab_presets(evidence: Evidence) -> dict[str, Any]:
    """What the page's kappa lab starts from: shares and recalls of the six classes."""
    counted = audit.counted_support(evidence, 6).tolist()
    recalls = evidence.paper.scores(6)[-1, :, 1].tolist()
    presets = {
        f"{METHODS[-1]} on the test tile": (counted, recalls),
        "Non-urban everywhere": (counted, [0, 0, 0, 0, 0, 1]),
        "the same recalls, equal shares": ([1 / 6] * 6, recalls),
    }
    named = {name: dict(shares=s, recalls=r) for name, (s, r) in presets.items()}
    return {"names": TYPOLOGIES["6c"].names, "presets": named}
