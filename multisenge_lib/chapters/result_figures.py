"""Figures of the results chapters: scores, confusion matrices, maps; data in, figure out.

A figure of records of the sample says so inside itself.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from multisenge_lib.chapters.style import (
    BLACK,
    BLUE,
    DESKTOP_WIDTH,
    SPLIT_COLORS,
    class_label,
    class_legend,
    columns_for,
    draw_matrix,
    image_grid,
    is_narrow,
    lower_legend,
    mark_sample,
    outlined,
    panels,
    place_labels,
    text_legend,
)
from multisenge_lib.dataset import Typology, is_sample
from multisenge_lib.results import Record

#: Marker, face and edge of each score: told apart by shape and by lightness.
_SCORES = {
    "precision": (">", "#a0a0a0", BLACK),
    "recall": ("<", "white", BLACK),
    "f1": ("o", BLACK, BLACK),
}


def _marked(figure: Figure, records: Mapping[str, Record]) -> Figure:
    """Write on a figure that it shows the sample, if any of its records does."""
    if any(is_sample(record.metadata.dataset) for record in records.values()):
        mark_sample(figure)
    return figure


def _on_two_lines(method: str) -> str:
    """Break the method's name where it is long."""
    return method.replace("+", "+\n")


def score_dots(scores: pd.DataFrame, typology: Typology, width: float = DESKTOP_WIDTH) -> Figure:
    """Draw the paper's Figures A1 and A3: precision, recall and F1 by class, by method.

    Args:
        scores: from `comparison.paper_scores` or `comparison.record_scores`.
        typology: the classes that are shown.
        width: width of the figure, in inches.
    """
    methods = scores.index.unique("method")
    count = len(typology)
    # On a desktop long names take two lines.
    height = (0.2 if is_narrow(width) else 0.32) * count + 1.05
    figure, axes = panels(len(methods), width, (4, 2), height, sharex=True, sharey=True)
    for ax, method in zip(axes, methods, strict=True):
        table = scores.loc[method]
        ends = table[["precision", "recall"]]
        # The line between precision and recall; F1 lies on it.
        ax.hlines(table.index, ends.min(axis=1), ends.max(axis=1), color="#9a9a9a", lw=2, zorder=1)
        for score, (marker, face, edge) in _SCORES.items():
            ax.scatter(
                table[score],
                table.index,
                26,
                clip_on=False,
                marker=marker,
                facecolor=face,
                edgecolor=edge,
                linewidth=0.8,
                label=score.replace("f1", "F1"),
            )
        title = _on_two_lines(method)
        # A mark at 0 or 1 stands beside the frame, not on it.
        ax.set(title=title, xlim=(-0.03, 1.03), ylim=(count + 0.5, 0.5), xlabel="Score")
        # Without decimals, or the last number of a panel touches the first of the next.
        ax.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
        ax.tick_params(axis="x", labelbottom=True)  # else only the lowest row is numbered
        ax.grid(axis="x", lw=0.4)

    handles, _ = axes[0].get_legend_handles_labels()
    if is_narrow(width):  # names do not fit beside the panels: they stand in the legend
        axes[0].set_yticks(typology.ids, typology.ids)
        text_legend(figure, typology, before=handles)
    else:
        axes[0].set_yticks(typology.ids, [class_label(typology, i, 24) for i in typology.ids])
        lower_legend(figure, handles)
    return figure


def confusion_figure(
    confusions: Mapping[str, np.ndarray], typology: Typology, width: float = DESKTOP_WIDTH
) -> Figure:
    """Draw the paper's Figures A2 and A4: each row in percent of the class's reference pixels.

    Args:
        confusions: method to `(classes, classes)` counts, rows reference, columns predicted. A
            class absent from the reference has an empty row.
        typology: the classes that are shown.
        width: width of the figure, in inches.
    """
    narrow = is_narrow(width)
    # Cells are square: the height follows from the width that the names of the rows leave.
    height = 3.9 if narrow else 3.3
    figure, axes = panels(len(confusions), width, (2, 1), height)
    for position, (ax, (method, confusion)) in enumerate(
        zip(axes, confusions.items(), strict=True)
    ):
        counts = np.asarray(confusion, float)
        with np.errstate(invalid="ignore"):
            percent = 100 * counts / counts.sum(axis=1, keepdims=True)
        names_rows = not narrow and position % 2 == 0  # once per row of panels
        labels = [class_label(typology, i) if names_rows else str(i) for i in typology.ids]
        draw_matrix(ax, percent, columns=list(typology.ids), rows=labels, highest=100)
        ax.set(title=method, xlabel="Predicted class (%)", ylabel="Reference class")
    if narrow:
        text_legend(figure, typology)
    return figure


def map_figure(
    records: Mapping[str, Record], typology: Typology, width: float = DESKTOP_WIDTH
) -> Figure:
    """Draw the paper's Figures 8 and 9: some test patches, their reference and each method's map.

    One row per patch; on a phone one row per method, with one column per patch.
    """
    first = next(iter(records.values()))
    patches = []
    for patch in first.references:
        if all(patch in record.maps for record in records.values()):
            patches.append(patch)
    if not patches:
        figure, _ = panels(0, width, (1, 1), 0.6)
        figure.text(0.02, 0.4, "These records hold no map of a test patch.")
        return figure

    layers = {"Reference": first.references}
    layers |= {method: record.maps for method, record in records.items()}
    images = []
    if is_narrow(width):
        for title, maps in layers.items():
            for column, patch in enumerate(patches):
                images.append((title if column == 0 else "", maps[patch], typology))
    else:
        for patch in patches:
            for title, maps in layers.items():
                images.append((_on_two_lines(title), maps[patch], typology))
    across = len(layers)
    if across == 2:
        across = 4  # of a single method, two patches side by side: one would be half a screen high
    return _marked(image_grid(images, (across, len(patches)), width), records)


def urban_scatter(
    ten: pd.Series, six: pd.DataFrame, typology: Typology, width: float = DESKTOP_WIDTH
) -> Figure:
    """Draw the paper's Figure 10: F1 of urban classes with 10 classes against methods with 6.

    Args:
        ten: by urban class id, of the method with 10 classes.
        six: one column per method with 6 classes.
        typology: for names and colours.
        width: width of the figure, in inches.
    """
    figure, axes = panels(len(six.columns), width, (4, 2), 2.4)
    ticks = [0, 0.5, 1]
    along = np.linspace(0, 1, 41)
    # Numbers keep clear of the frame on the left and of what lies beyond it.
    beyond = [np.column_stack([np.full(41, x), along]) for x in (0, -0.08, -0.16, -0.24)]
    frame = np.concatenate(beyond)
    for ax, method in zip(axes, six.columns, strict=True):
        ax.plot([0, 1], [0, 1], color="#777777", linewidth=0.8)  # above it, ten classes are better
        points = np.column_stack([six.loc[ten.index, method], ten])
        places = place_labels(points, 0.13, frame)
        for class_id, point, place in zip(ten.index, points, places, strict=True):
            color = typology.colors[class_id - 1]
            ax.scatter(*point, 55, color=color, edgecolor="black", zorder=3)
            # The white edge keeps a number readable where the diagonal passes below it.
            edge = outlined(3, "white")
            ax.annotate(str(class_id), place, ha="center", va="center", zorder=4, path_effects=edge)
        ax.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
        ax.set_xticks(ticks, ["0", "0.5", "1"])
        ax.set_yticks(ticks, ["0", "0.5", "1"])
        ax.set_title(_on_two_lines(method))
        ax.set_xlabel("F1, 6 classes")
    for ax in axes[:: columns_for(width, (4, 2))]:  # the first of each row
        ax.set_ylabel(f"F1, 10 classes\n{_on_two_lines(ten.name)}")
    class_legend(figure, typology, list(ten.index))
    return figure


def learning_curves(records: Mapping[str, Record], width: float = DESKTOP_WIDTH) -> Figure:
    """Draw the loss on training and validation patches by epoch, one panel per run.

    The axis of the loss is logarithmic and shared: first losses are far above the rest.
    """
    figure, axes = panels(len(records), width, (4, 2), 2.3, sharey=True)
    validation_color = SPLIT_COLORS["validation"]
    for ax, (method, record) in zip(axes, records.items(), strict=True):
        history = record.history
        ax.plot(history["loss"], color=SPLIT_COLORS["train"], label="train")
        # Markers, at every third epoch, tell the two curves apart without colour.
        ax.plot(
            history["val_loss"],
            color=validation_color,
            marker="D",
            ms=3,
            markevery=3,
            label="validation",
        )
        ax.axvline(
            record.best_epoch, color="#777777", linestyle=":", linewidth=1.2, label="epoch kept"
        )
        ax.set(title=_on_two_lines(method), xlabel="Epoch", xlim=(0.5, len(history) + 0.5))
        ax.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes[0].set_yscale("log", base=2)
    axes[0].yaxis.set_major_formatter("{x:g}")
    axes[0].set_ylabel("Weighted cross-entropy")
    lower_legend(figure, axes[0].get_lines())
    return _marked(figure, records)


#: What grows in a training step, in words, where the name in the record is not clear.
GROWING = {"size": "pixels along a side"}


def growth_curves(points: pd.DataFrame, width: float = DESKTOP_WIDTH) -> Figure:
    """Draw how the time of a step grows, one panel per thing that grows, both axes logarithmic.

    Args:
        points: `curve`, what grows; its `value`; `seconds` measured and `operations` counted.
        width: width of the figure, in inches.
    """
    curves = list(points.groupby("curve", sort=False))
    figure, axes = panels(len(curves), width, (4, 2), 2.3, sharey=True)
    for ax, (name, part) in zip(axes, curves, strict=True):
        # What the step would take if it grew with its operations from the last point down.
        last = part.iloc[-1]
        proportional = part["operations"] * last["seconds"] / last["operations"]
        ax.loglog(part["value"], part["seconds"], "o-", color=BLUE, label="measured")
        ax.loglog(part["value"], proportional, ":", color="#555555", label="as the operations grow")
        ax.set_xticks(part["value"], [str(value) for value in part["value"]])
        ax.tick_params(axis="x", which="minor", bottom=False, labelbottom=False)
        ax.set(xlabel=GROWING.get(name, name).capitalize())
    axes[0].set_ylabel("Seconds per step")
    lower_legend(figure, axes[0].get_lines())
    return figure
