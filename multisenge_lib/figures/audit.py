"""What the Audit chapter shows: tables of findings, and figures. Data in, figure out."""

from collections.abc import Sequence
from html import escape

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from IPython.display import HTML
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from pandas.io.formats.style import Styler

from multisenge_lib import audit
from multisenge_lib.audit import AGREES, DISAGREES, UNDECIDED, VERDICTS, Evidence, Finding
from multisenge_lib.dataset import TYPOLOGIES
from multisenge_lib.paper import METHODS

VERDICT_COLORS = {DISAGREES: "#c0504d", UNDECIDED: "#b8a46a", AGREES: "#4a7fa7"}
_METHOD_MARKERS = ("o", "s", "D", "^")
_METHOD_COLORS = ("#8c8c8c", "#4477aa", "#ccbb44", "#aa3377")


def counts(found: Sequence[Finding]) -> pd.DataFrame:
    """Findings by topic (rows) and verdict (columns), with totals."""
    table = pd.DataFrame({"topic": [f.topic for f in found], "verdict": [f.verdict for f in found]})
    order = list(dict.fromkeys(sorted(table["topic"])))
    crossed = pd.crosstab(table["topic"], table["verdict"]).reindex(order)[list(VERDICTS)]
    crossed.loc["Total"] = crossed.sum()
    return crossed.rename_axis(index=None, columns=None)


def verdict_table(found: Sequence[Finding], verdict: str, caption: str = "") -> Styler:
    """The findings of one verdict, by topic: title, where, published and derived."""
    rows = sorted((f for f in found if f.verdict == verdict), key=lambda f: f.topic)
    table = pd.DataFrame(
        [(f.topic, f.title, f.where, f.published, f.derived) for f in rows],
        columns=["Topic", "What", "Where", "Published", "Derived"],
    )
    color = VERDICT_COLORS[verdict]
    style = table.style.hide(axis="index").set_table_attributes('class="table prose"')
    edge = {"selector": "td:first-child", "props": f"border-left: 4px solid {color}"}
    left = {"selector": "th, td", "props": "text-align: left; vertical-align: top"}
    return style.set_table_styles([left, edge]).set_caption(caption)


def _measure(value: float | None) -> str:
    return "" if value is None else f"{value:.2g}" if value else "0"


def _numbers(finding: Finding) -> str:
    parts = [f"Published: {finding.published}.", f"Derived: {finding.derived}."]
    if finding.difference is not None:
        parts.append(f"Difference {_measure(finding.difference)}")
        parts[-1] += f", tolerance {_measure(finding.tolerance)}." if finding.tolerance else "."
    return escape(" ".join(part.replace("..", ".") for part in parts))


def details(found: Sequence[Finding], *topics: str) -> HTML:
    """All findings of some topics in full: verdict, claim, numbers, difference, derivation."""
    blocks = [
        f'<div class="finding" style="border-left-color: {VERDICT_COLORS[f.verdict]}">'
        f"<p><b>{escape(f.title)}</b>"
        f'<span style="color: {VERDICT_COLORS[f.verdict]}">{f.verdict}</span></p>'
        f"<p><i>{escape(f.claim)}</i> ({escape(f.where)})</p>"
        f"<p>{_numbers(f)}</p><p>{escape(f.explanation)}</p></div>"
        for f in found
        if f.topic in topics
    ]
    return HTML("".join(blocks))


def verdict_bars(found: Sequence[Finding]) -> Figure:
    """Findings by topic, stacked by verdict."""
    table = counts(found).drop(index="Total").iloc[::-1]
    figure, ax = plt.subplots(figsize=(8, 3.6), layout="constrained")
    start = np.zeros(len(table))
    for verdict in VERDICTS:
        ax.barh(table.index, table[verdict], left=start, color=VERDICT_COLORS[verdict])
        start += table[verdict].to_numpy()
    ax.set_xlabel("findings")
    figure.legend(VERDICTS, loc="outside upper center", ncols=3, frameon=False)
    return figure


def _bounds_bars(ax: Axes, at: np.ndarray, bounds: np.ndarray, **look) -> None:
    middle = bounds.mean(axis=1)
    ax.errorbar(at, middle, yerr=np.abs(bounds.T - middle), fmt="none", **look)


def _support_panels(axes: Sequence[Axes], evidence: Evidence, classes: int, table: str) -> None:
    """Above the shares on a logarithmic axis, below the bounds over the counted share."""
    typology, merge, at = TYPOLOGIES[classes], audit.merge_matrix(classes), np.arange(classes)
    counted = audit.counted_support(evidence, classes)
    alone = audit.table_constraints(evidence.paper, classes)
    sources = (
        (-0.18, alone, "#b5b5b5", f"bounds, {table} alone"),
        (0.18, audit.both_tables(evidence.paper), "#4a7fa7", "bounds, Tables 5 and 7"),
    )
    for shift, known, color, label in sources:
        bounds = audit.support_bounds(known, merge)
        _bounds_bars(axes[0], at + shift, 100 * bounds, ecolor=color, lw=5, label=label)
        _bounds_bars(axes[1], at + shift, bounds / counted[:, None], ecolor=color, lw=5)
    axes[0].scatter(at, 100 * counted, c=typology.colors, ec="black", zorder=3, label="counted")
    axes[1].scatter(at, np.ones(classes), c=typology.colors, ec="black", zorder=3)
    axes[0].set(yscale="log", title=f"{classes} classes", xticks=at, xticklabels=[])
    axes[1].set(xticks=at, yscale="log", yticks=[0.5, 1, 1.5], yticklabels=["0.5", "1", "1.5"])
    axes[1].minorticks_off()
    axes[1].set_xticklabels(typology.names, rotation=35, ha="right", fontsize=8)
    axes[0].legend(frameon=False, fontsize=8, loc="upper left")


def support_figure(evidence: Evidence) -> Figure:
    """Share of each class in the test set: bounds from the tables, and as others counted it."""
    figure, axes = plt.subplots(
        2, 2, figsize=(10, 6), sharey="row", layout="constrained", width_ratios=(6, 10)
    )
    for column, classes, table in zip(axes.T, (6, 10), ("Table 5", "Table 7"), strict=True):
        _support_panels(column, evidence, classes, table)
    axes[0, 0].set_ylabel("share of the test pixels (%)")
    axes[1, 0].set_ylabel("over the counted share")
    return figure


def _kappa_panel(ax: Axes, printed: np.ndarray, implied: np.ndarray, sharper: np.ndarray) -> None:
    """Intervals and printed values less the middle of the sharper interval, in thousandths."""
    at, middle = np.arange(len(METHODS)), sharper.mean(axis=1)
    for bounds, color, label in (
        (implied, "#c9c9c9", "derived, Tables 5 and 7 alone"),
        (sharper, "#4a7fa7", "derived, with the counted support"),
    ):
        low, high = 1000 * (bounds.T - middle)
        ax.barh(at, high - low, left=low, height=0.5, color=color, label=label)
    inside = (implied[:, 0] - audit.HALF <= printed) & (printed <= implied[:, 1] + audit.HALF)
    for ok, color, label in (
        (True, "black", "published, agrees"),
        (False, "#c0504d", "published, disagrees"),
    ):
        shift = 1000 * (printed - middle)[inside == ok]
        ax.scatter(shift, at[inside == ok], color=color, marker="d", zorder=3, label=label)
    names = [f"{method}\n{value:.4f}" for method, value in zip(METHODS, printed, strict=True)]
    ax.set(yticks=at, yticklabels=names, ylim=(3.6, -0.6))
    ax.set_xlabel("less derived kappa (thousandths)")
    ax.grid(axis="x", lw=0.4)


def kappa_figure(evidence: Evidence) -> Figure:
    """Cohen's kappa of the eight models, published and derived."""
    figure, axes = plt.subplots(1, 2, figsize=(10, 3.4), sharex=True, layout="constrained")
    for ax, classes, table in zip(axes, (6, 10), (6, 8), strict=True):
        implied = audit.kappa_intervals(evidence, classes)
        sharper = audit.kappa_intervals(evidence, classes, counted=True)
        _kappa_panel(ax, evidence.paper.kappa(classes), implied, sharper)
        ax.set_title(f"{classes} classes, Table {table}")
    handles, labels = axes[1].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=4, frameon=False, fontsize=8)
    return figure


def margins_table(evidence: Evidence, classes: int) -> pd.DataFrame:
    """Margins of the four models: percent of all test pixels, a row a class."""
    names = TYPOLOGIES[classes].names
    found = audit.model_margins(evidence, classes)
    columns = {("reference", ""): found[0].reference}
    for method, model in zip(METHODS, found, strict=True):
        columns |= {(method, "predicted"): model.predicted, (method, "hit"): model.hit}
    return 100 * pd.DataFrame(columns, index=names)


def margins_figure(evidence: Evidence) -> Figure:
    """Predicted pixels per reference pixel of each class, four methods, 6 and 10 classes."""
    figure, axes = plt.subplots(
        1, 2, figsize=(10, 4.4), sharex=True, layout="constrained", width_ratios=(1, 1)
    )
    for ax, classes in zip(axes, (6, 10), strict=True):
        typology, at = TYPOLOGIES[classes], np.arange(classes)
        for i, model in enumerate(audit.model_margins(evidence, classes)):
            look = {"marker": _METHOD_MARKERS[i], "color": _METHOD_COLORS[i], "label": METHODS[i]}
            ax.scatter(model.predicted / model.reference, at, s=28, zorder=3, **look)
        ax.axvline(1, color="black", lw=0.8)
        ax.set(xscale="log", yticks=at, yticklabels=typology.names, ylim=(classes - 0.5, -0.5))
        ax.set(xlabel="predicted over reference pixels", title=f"{classes} classes")
        ax.grid(axis="x", which="both", lw=0.3)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=4, frameon=False)
    return figure


def cells_figure(evidence: Evidence, classes: int, method: int) -> Figure:
    """What one model's confusion matrix can be: bounds of each cell, percent of its row."""
    found = audit.model_margins(evidence, classes)[method]
    low, high = np.moveaxis(100 * audit.cell_bounds(found) / found.reference[:, None, None], 2, 0)
    figure, ax = plt.subplots(figsize=(7.4, 5), layout="constrained")
    image = ax.imshow(high - low, cmap="YlOrBr", vmin=0, vmax=100)
    for (i, j), least in np.ndenumerate(low):
        text = f"{least:.0f}" if i == j else f"{least:.0f}-{high[i, j]:.0f}"
        color = "white" if high[i, j] - least > 65 else "black"
        ax.text(j, i, text, ha="center", va="center", fontsize=8, color=color)
    names, at = TYPOLOGIES[classes].names, np.arange(classes)
    ax.set(xticks=at, yticks=at, yticklabels=names, xlabel="predicted", ylabel="reference")
    ax.set_xticklabels(names, rotation=35, ha="right")
    figure.colorbar(image, label="width of the bounds (% of the row)")
    return figure
