"""Figures of the results chapters: scores, confusion matrices, maps; data in, figure out.

A figure of records of the sample says so inside itself.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from multisenge_lib.chapters.style import (
    DESKTOP_WIDTH,
    MIN_FONT_SIZE,
    SPLIT_COLORS,
    class_legend,
    image_grid,
    lower_legend,
    mark_sample,
    panels,
)
from multisenge_lib.dataset import Typology, is_sample
from multisenge_lib.results import Record

#: Marker and colour of each score: told apart by shape, by lightness and by hue.
_SCORES = {"precision": (">", "#a86400"), "recall": ("<", "#2b6ca3"), "f1": ("o", "#1c1c1c")}


def _mark(figure: Figure, records: Mapping[str, Record]) -> Figure:
    if any(is_sample(record.metadata.dataset) for record in records.values()):
        mark_sample(figure)
    return figure


def _broken(method: str) -> str:
    """The method's name on two lines, where it is long."""
    return method.replace("+", "+\n")


def score_dots(scores: pd.DataFrame, typology: Typology, width: float = DESKTOP_WIDTH) -> Figure:
    """The paper's Figures A1 and A3: precision, recall and F1 by class, a panel a method.

    Args:
        scores: of `comparison.paper_scores` or `comparison.record_scores`.
        typology: of its classes.
        width: of the figure, inches.
    """
    methods, count = scores.index.unique("method"), len(typology)
    size = {"sharex": True, "sharey": True}
    figure, axes = panels(len(methods), width, (4, 2), 0.2 * count + 1.05, **size)
    for ax, method in zip(axes, methods, strict=True):
        table = scores.loc[method]
        ends = table[["precision", "recall"]]
        ax.hlines(table.index, ends.min(axis=1), ends.max(axis=1), color="#9a9a9a", lw=2, zorder=1)
        for score, (marker, color) in _SCORES.items():
            look = {"marker": marker, "color": color, "label": score}
            ax.scatter(table[score], table.index, 26, clip_on=False, **look)
        ax.set(title=_broken(method), xlim=(0, 1), ylim=(count + 0.5, 0.5), xticks=[0, 0.5, 1])
        ax.grid(axis="x", lw=0.4)
    names = typology.names if width == DESKTOP_WIDTH else [""] * count
    labels = [f"{name} {i}" for i, name in zip(typology.ids, names, strict=True)]
    axes[0].set_yticks(typology.ids, labels)
    handles, _ = axes[0].get_legend_handles_labels()
    if width == DESKTOP_WIDTH:
        lower_legend(figure, handles)
    else:
        class_legend(figure, typology, before=handles)
    return figure


def confusion_figure(
    confusions: Mapping[str, np.ndarray], typology: Typology, width: float = DESKTOP_WIDTH
) -> Figure:
    """The paper's Figures A2 and A4: each row in percent of the class's reference pixels.

    Args:
        confusions: method to `(classes, classes)` counts, rows reference, columns predicted. A
            class absent from the reference has an empty row.
        typology: of its classes.
        width: of the figure, inches.
    """
    figure, axes = panels(len(confusions), width, (2, 1), 3.9 if width == DESKTOP_WIDTH else 4.2)
    for ax, (method, confusion) in zip(axes, confusions.items(), strict=True):
        counts = pd.DataFrame(confusion, typology.ids, typology.ids)
        percent = (100 * counts).div(counts.sum(axis=1), axis=0)
        look = {"cmap": "Blues", "vmin": 0, "vmax": 100, "cbar": False, "square": True}
        look |= {"annot": True, "fmt": ".0f", "annot_kws": {"size": MIN_FONT_SIZE}}
        sns.heatmap(percent, ax=ax, xticklabels=True, yticklabels=True, **look)
        ax.tick_params(length=0, labelrotation=0)
        ax.set(title=method, xlabel="Predicted class", ylabel="Reference class")
    class_legend(figure, typology)
    return figure


def map_figure(
    records: Mapping[str, Record], typology: Typology, width: float = DESKTOP_WIDTH
) -> Figure:
    """The paper's Figures 8 and 9: some test patches, their reference and each method's map."""
    first = next(iter(records.values()))
    patches = [p for p in first.references if all(p in r.maps for r in records.values())]
    if not patches:
        figure, _ = panels(0, width, (1, 1), 0.6)
        figure.text(0.02, 0.4, "These records hold no map of a test patch.")
        return figure
    layers = {"Reference": first.references} | {m: r.maps for m, r in records.items()}
    rows = [[(layer, maps[p], typology) for layer, maps in layers.items()] for p in patches]
    if width != DESKTOP_WIDTH:  # a row a method
        rows = zip(*rows, strict=True)
    shown = [
        (_broken(title) if width == DESKTOP_WIDTH else title if i == 0 else "", ids, typology)
        for row in rows
        for i, (title, ids, typology) in enumerate(row)
    ]
    return _mark(image_grid(shown, (len(layers), len(patches)), width), records)


def urban_scatter(
    ten: pd.Series, six: pd.DataFrame, typology: Typology, width: float = DESKTOP_WIDTH
) -> Figure:
    """The paper's Figure 10: F1 of urban classes with 10 classes against each method with 6.

    Args:
        ten: by urban class id, of the method with 10 classes.
        six: a column a method with 6 classes.
        typology: for names and colours.
        width: of the figure, inches.
    """
    figure, axes = panels(len(six.columns), width, (4, 2), 2.4)
    for ax, method in zip(axes, six.columns, strict=True):
        ax.plot([0, 1], [0, 1], color="#777777", linewidth=0.8)
        for class_id in ten.index:
            at, color = (six.loc[class_id, method], ten[class_id]), typology.colors[class_id - 1]
            ax.scatter(*at, 55, color=color, edgecolor="black", zorder=3)
            ax.annotate(str(class_id), at, xytext=(5, -8), textcoords="offset points", zorder=4)
        ticks = [0, 0.5, 1]
        ax.set(xlim=(0, 1), ylim=(0, 1), aspect="equal", xticks=ticks, yticks=ticks)
        ax.set_title(_broken(method))
        ax.set_xlabel("F1, 6 classes")
    for ax in axes[:: 4 if width == DESKTOP_WIDTH else 2]:
        ax.set_ylabel(f"F1, 10 classes\n{_broken(ten.name)}")
    class_legend(figure, typology, list(ten.index))
    return figure


def learning_curves(records: Mapping[str, Record], width: float = DESKTOP_WIDTH) -> Figure:
    """Loss on training and validation patches by epoch, a panel a run, on one logarithmic axis."""
    figure, axes = panels(len(records), width, (4, 2), 2.3, sharey=True)
    for ax, (method, record) in zip(axes, records.items(), strict=True):
        for split, column in (("train", "loss"), ("validation", "val_loss")):
            ax.plot(record.history[column], color=SPLIT_COLORS[split], label=split)
        ax.plot(record.history["val_loss"].iloc[::3], "D", ms=3, color=SPLIT_COLORS["validation"])
        best = record.best_epoch
        ax.axvline(best, color="#777777", linestyle=":", linewidth=1.2)
        ax.set(title=_broken(method), xlabel="Epoch")
    axes[0].set_yscale("log", base=2)  # of all panels: first losses are far above the rest
    axes[0].yaxis.set_major_formatter("{x:g}")
    axes[0].set_ylabel("Weighted loss")
    lower_legend(figure, axes[0].get_lines()[:2])
    return _mark(figure, records)


def growth_curves(points: pd.DataFrame, width: float = DESKTOP_WIDTH) -> Figure:
    """How the time of a step grows with one thing a panel, both axes logarithmic.

    Args:
        points: `curve`, what grows; its `value`; `seconds` measured and `operations` counted.
        width: of the figure, inches.
    """
    curves = list(points.groupby("curve", sort=False))
    figure, axes = panels(len(curves), width, (4, 2), 2.3, sharey=True)
    for ax, (name, part) in zip(axes, curves, strict=True):
        last = part.iloc[-1]
        counted = part["operations"] * last["seconds"] / last["operations"]
        ax.loglog(part["value"], part["seconds"], "o-", color="#2b6ca3", label="measured")
        ax.loglog(part["value"], counted, ":", color="#555555", label="as the operations grow")
        ax.set_xticks(part["value"], [str(value) for value in part["value"]])
        ax.tick_params(axis="x", which="minor", bottom=False, labelbottom=False)
        ax.set(xlabel=name)
    axes[0].set_ylabel("Seconds a step")
    lower_legend(figure, axes[0].get_lines())
    return figure
