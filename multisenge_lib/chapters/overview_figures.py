"""The figures that open the results chapters: the paper, others on real images, and this book.

The three groups never share a row, and each has its own marker and colour. Only the runs of this
book have intervals: the paper and the others trained each network once.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from multisenge_lib import audit
from multisenge_lib.audit import SAME_NETWORK
from multisenge_lib.chapters.comparison import (
    display_name,
    record_scores,
    runs_by_method,
)
from multisenge_lib.chapters.evidence_figures import short_name, urban_steps
from multisenge_lib.chapters.gains import score_interval, step_gains
from multisenge_lib.chapters.html import write_number
from multisenge_lib.chapters.score_words import axis_title
from multisenge_lib.chapters.steps import S1_ADDED, STEPS
from multisenge_lib.chapters.style import (
    BLUE,
    DESKTOP_WIDTH,
    GREEN,
    GREY,
    ORANGE,
    RED,
    class_label,
    columns_for,
    draw_intervals,
    interval_limits,
    lower_legend,
    name_rows,
    panels,
)
from multisenge_lib.dataset import MULTISENGE, TYPOLOGIES
from multisenge_lib.paper import METHODS
from multisenge_lib.results import URBAN_F1, mean_score, read_runs

PAPER_GROUP = "The paper"
OTHERS_GROUP = "Others, real images"
#: Marker and colour: of the paper, of others, of this book.
_MARKS = (("D", ORANGE), ("o", BLUE), ("s", GREEN))
#: The baseline on the sample: no network, each pixel by itself.
_FOREST_LABEL = "Random forest, by pixel"


# --- All methods, by score ---


def book_group(dataset: str) -> str:
    """Name the group of this book's runs, in words that fit beside a chart."""
    name = display_name(dataset)
    return name[0].upper() + name[1:]


def _public_scores(classes: int, score: str) -> pd.Series:
    """One score of the paper's networks and of others, by model."""
    if score == URBAN_F1:
        return audit.urban_f1_of_models(classes)
    return audit.public_run_table(classes)[score]


def _row_name(model: str) -> str:
    """Name the row of a network of others."""
    if model.startswith(SAME_NETWORK):
        return SAME_NETWORK  # its states, of two trainings, share a row
    return short_name(model)


def overview_rows(dataset: str, drawn: Sequence[tuple[int, str]]) -> pd.DataFrame:
    """Collect one score or several of all networks: the paper's, of others, and of this book.

    Args:
        dataset: whose records are this book's, `sample` or `multisenge`.
        drawn: number of classes and name of each score.

    Returns:
        One row per value: `group`, `label`, `model` (as `label`, but with the training of
        a network of others), `classes`, `score`, `value`, and `low` and `high`, a 95 %
        interval over seeds and test patches; NaN where there is one training.
    """
    own_runs = {}
    for classes in dict(drawn):
        own_runs[classes] = runs_by_method(dataset, classes)
        forest = read_runs(dataset, f"forest_{classes}c")
        if forest:
            own_runs[classes][_FOREST_LABEL] = forest
    rows = []
    for classes, score in drawn:
        for model, value in _public_scores(classes, score).dropna().items():
            is_paper = model in METHODS
            group = PAPER_GROUP if is_paper else OTHERS_GROUP
            label = model if is_paper else _row_name(model)
            state = model.split(" (")[0]  # without the number of the epoch
            rows.append((group, label, state, classes, score, value, np.nan, np.nan))
        for method, records in own_runs[classes].items():
            mean = mean_score(records, score)
            low, high = score_interval(mean, score)
            row = (book_group(dataset), method, method, classes, score, mean.value, low, high)
            rows.append(row)
    columns = ["group", "label", "model", "classes", "score", "value", "low", "high"]
    table = pd.DataFrame(rows, columns=columns)
    order = [PAPER_GROUP, OTHERS_GROUP, book_group(dataset)]
    # A stable sort keeps the order of the networks inside each group.
    return table.sort_values("group", key=lambda names: names.map(order.index), kind="stable")


def overview_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Tabulate `overview_rows` as text, with intervals in brackets.

    Args:
        rows: from `overview_rows`; with several numbers of classes these stand in the columns'
            names.

    Returns:
        One row per network, or per state of one that was trained several times: `whose`, and one
        column per score.
    """
    several = len(set(rows["classes"])) > 1
    cells: dict[tuple[str, str], dict[str, str]] = {}
    for row in rows.itertuples():
        column = axis_title(row.score)
        if several:
            column += f", {row.classes} classes"
        text = f"{row.value:.4f}"
        if not np.isnan(row.low):
            value, low, high = (
                write_number(number, "{:.3f}") for number in (row.value, row.low, row.high)
            )
            text = f"{value} ({low} to {high})"
        cells.setdefault((row.group, row.model), {})[column] = text
    table = pd.DataFrame(list(cells.values()), index=[model for _, model in cells])
    table.insert(0, "whose", [group for group, _ in cells])
    return table.rename_axis("network")


def _row_heights(rows: pd.DataFrame) -> tuple[dict[tuple[str, str], int], list[str], list[int]]:
    """Give each network a height, with a heading above each group.

    Returns:
        The height of each (group, label); the texts beside the axis from the top down; the heights
        of the headings.
    """
    heights: dict[tuple[str, str], int] = {}
    texts: list[str] = []
    headings: list[int] = []
    for group in rows["group"].unique():
        headings.append(len(texts))
        texts.append(group)
        for label in rows.loc[rows["group"] == group, "label"].unique():
            heights[group, label] = len(texts)
            texts.append(label)
    return heights, texts, headings


def _name_heights(ax: Axes, texts: Sequence[str], headings: Sequence[int], named: bool) -> None:
    """Write the names of networks and the headings of groups beside a chart."""
    name_rows(ax, texts, is_named=named)
    for height, label in enumerate(ax.get_yticklabels()):
        if height in headings:
            label.set_fontweight("bold")


def _draw_values(
    ax: Axes,
    rows: pd.DataFrame,
    heights: dict[tuple[str, str], int],
    limits: tuple[float, float],
) -> None:
    """Draw the values of one panel, with their intervals as far as the limits of the axis."""
    groups = list(dict.fromkeys(group for group, _ in heights))
    for group, (marker, color) in zip(groups, _marks_of(groups), strict=True):
        own = rows[rows["group"] == group]
        at = [heights[group, label] for label in own["label"]]
        draw_intervals(ax, at, own["low"], own["high"], limits, color)
        # A thin white edge tells dots apart that nearly coincide.
        ax.scatter(own["value"], at, 36, color, marker=marker, edgecolor="white", lw=0.6, zorder=3)


def _marks_of(groups: Sequence[str]) -> list[tuple[str, str]]:
    """Give each group its marker and colour; whatever groups are there."""
    marks = []
    for group in groups:
        position = {PAPER_GROUP: 0, OTHERS_GROUP: 1}.get(group, 2)
        marks.append(_MARKS[position])
    return marks


def _constant_scores(
    dataset: str, drawn: Sequence[tuple[int, str]]
) -> list[tuple[float | None, float | None]]:
    """Score a map of one class on the paper's test tile, and on the data of this book's runs.

    Returns:
        Two numbers for each score. None where the score is not drawn, or where this book has no
        run.
    """
    own = {}
    for classes in dict(drawn):
        runs = runs_by_method(dataset, classes)
        own[classes] = next(iter(runs.values()))[0].majority if runs else {}
    constants = []
    for classes, score in drawn:
        if score == URBAN_F1:
            constants.append((None, None))
        else:
            constants.append((audit.majority_scores(classes)[score], own[classes].get(score)))
    return constants


def _draw_constants(
    ax: Axes,
    constants: tuple[float | None, float | None],
    heights: dict[tuple[str, str], int],
    own_group: str,
) -> None:
    """Draw a dashed line at the score of a map of one class, beside the rows that it is for."""
    on_tile, own = constants
    real = [height for (group, _), height in heights.items() if group != own_group]
    here = [height for (group, _), height in heights.items() if group == own_group]
    style = {"color": "black", "lw": 1, "ls": "--", "zorder": 2}
    for score, rows in ((on_tile, real), (own, here)):
        if score is not None and rows:
            ax.vlines(score, min(rows) - 0.5, max(rows) + 0.5, **style)


def _comparable_rows(rows: pd.DataFrame, dataset: str) -> list[pd.DataFrame]:
    """Divide rows into those whose scores can be compared: on the real images, and on others."""
    is_own = rows["group"] == book_group(dataset)
    if dataset == MULTISENGE.name or is_own.all() or not is_own.any():
        return [rows]
    return [rows[~is_own], rows[is_own]]


def score_overview(
    dataset: str, drawn: Sequence[tuple[int, str]], width: float = DESKTOP_WIDTH
) -> Figure:
    """Draw scores of all networks: the paper's, of others on the real images, and of this book.

    Scores on other images than the real ones have panels of their own, since they cannot be
    compared with the real ones.

    Args:
        dataset: whose records are this book's.
        drawn: number of classes and name of the score of each panel.
        width: width of the figure, in inches.
    """
    rows = overview_rows(dataset, drawn)
    own_group = book_group(dataset)
    blocks = _comparable_rows(rows, dataset)
    across = columns_for(width, (len(drawn), 1))
    # Inches of each row of panels, from the top down: a block has one row of panels, or on a phone
    # one per score.
    row_heights = []
    for block in blocks:
        _, texts, _ = _row_heights(block)
        row_heights += [0.2 * len(texts) + 0.6] * (len(drawn) // across)
    figure, axes = panels(
        len(blocks) * len(drawn),
        width,
        (len(drawn), 1),
        float(np.mean(row_heights)),
        height_ratios=row_heights,
    )
    several = len({classes for classes, _ in drawn}) > 1
    constants_of_panels = _constant_scores(dataset, drawn)
    for block, axes_of_block in zip(blocks, axes.reshape(len(blocks), len(drawn)), strict=True):
        heights, texts, headings = _row_heights(block)
        for position, (ax, (classes, score)) in enumerate(zip(axes_of_block, drawn, strict=True)):
            of_panel = block[(block["classes"] == classes) & (block["score"] == score)]
            _name_heights(ax, texts, headings, named=position % across == 0)
            constants = constants_of_panels[position]
            limits = _shared_limits(block, score, constants, own_group)
            _draw_values(ax, of_panel, heights, limits)
            _draw_constants(ax, constants, heights, own_group)
            ending = f", {classes} classes" if several else ""
            ax.set_xlabel(axis_title(score) + ending)
            ax.locator_params(axis="x", nbins=4)
    return figure


def _shared_limits(
    rows: pd.DataFrame,
    score: str,
    constants: tuple[float | None, float | None],
    own_group: str,
) -> tuple[float, float]:
    """Choose the ends of the axis of a score: one axis for all panels that show it."""
    of_score = rows[rows["score"] == score]
    is_own = of_score["group"] == own_group
    on_tile, own = constants
    values = list(of_score["value"])
    if on_tile is not None and not is_own.all():
        values.append(on_tile)
    if own is not None and is_own.any():
        values.append(own)
    return interval_limits(values, of_score["low"], of_score["high"])


# --- F1 by class ---


def class_f1_statistics(dataset: str, classes: int) -> pd.DataFrame:
    """Average the F1 of each class over the seeds.

    Returns:
        One row per method and class id; columns `mean` and `std`, NaN for one seed. Seeds in which
        the class is not defined are left out.
    """
    tables = {}
    for method, records in runs_by_method(dataset, classes).items():
        by_seed = [record_scores({method: record}).loc[method, "f1"] for record in records]
        table = pd.concat(by_seed, axis=1)
        tables[method] = pd.DataFrame({"mean": table.mean(axis=1), "std": table.std(axis=1)})
    if not tables:
        no_rows = pd.MultiIndex.from_arrays([[], []], names=["method", "class"])
        return pd.DataFrame(columns=["mean", "std"], index=no_rows, dtype=float)
    return pd.concat(tables, names=["method", "class"])


def class_overview(dataset: str, classes: int, width: float = DESKTOP_WIDTH) -> Figure:
    """Draw the F1 of each class by method: the paper's, of others, and of this book.

    Args:
        dataset: whose records are this book's.
        classes: 6 or 10.
        width: width of the figure, in inches.
    """
    typology = TYPOLOGIES[f"{classes}c"]
    ids = list(typology.ids)
    own = class_f1_statistics(dataset, classes)
    public = audit.class_f1_table(classes)
    across = columns_for(width, (4, 1))
    height = 0.4 * classes + 0.6  # names of two lines stand apart
    figure, axes = panels(len(METHODS), width, (4, 1), height, sharex=True)
    labels = (PAPER_GROUP, OTHERS_GROUP, book_group(dataset))
    above = (-0.22, 0, 0.22)  # the three groups stand beside each other, not on each other
    names = [class_label(typology, class_id, 22) for class_id in ids]
    for position, (ax, method) in enumerate(zip(axes, METHODS, strict=True)):
        heights = name_rows(ax, names, is_named=position % across == 0)
        values = [
            public.loc[[method]],
            public[public.index.str.startswith(f"{method}, replicate")],
        ]
        for table, shift, (marker, color), label in zip(
            values, above, _MARKS, labels, strict=False
        ):
            for _, f1 in table.iterrows():
                ax.scatter(f1, heights + shift, 22, color, marker=marker, zorder=3, label=label)
        if method in own.index:
            table = own.loc[method].loc[ids]
            marker, color = _MARKS[2]
            at = heights + above[2]
            ax.hlines(at, table["mean"] - table["std"], table["mean"] + table["std"], color, lw=2)
            ax.scatter(table["mean"], at, 22, color, marker=marker, zorder=3, label=labels[2])
        ax.set_title(method.replace("+", "+\n"))
        ax.set(xlim=(-0.02, 1.02), xlabel="F1")
        ax.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
        ax.tick_params(axis="x", labelbottom=True)  # else only the lowest is numbered
    handles = {}
    for ax in axes:
        for handle, label in zip(*ax.get_legend_handles_labels(), strict=True):
            handles[label] = handle
    lower_legend(figure, [handles[label] for label in labels if label in handles])
    return figure


# --- Urban fabric ---


def class_count_figure(
    six: pd.DataFrame, ten: pd.DataFrame, width: float = DESKTOP_WIDTH
) -> Figure:
    """Draw the F1 of each urban class with six and with ten classes, by method.

    Args:
        six: from `comparison.urban_f1` or `urban_over_seeds`, of the networks with six classes.
        ten: the same, with ten.
        width: width of the figure, in inches.
    """
    ids = list(ten.index)
    across = columns_for(width, (4, 1))
    figure, axes = panels(len(ten.columns), width, (4, 1), 2.8, sharex=True)
    names = [class_label(TYPOLOGIES["10c"], class_id, 22) for class_id in ids]
    for position, (ax, method) in enumerate(zip(axes, ten.columns, strict=True)):
        heights = name_rows(ax, names, is_named=position % across == 0)
        higher = ten[method] > six[method]
        colors = np.where(higher, GREY, RED)
        ax.hlines(heights, six[method], ten[method], colors, lw=2, zorder=1)
        # White with a black edge, and all black.
        look = {"s": 30, "edgecolor": "black", "zorder": 3}
        ax.scatter(six[method], heights, color="white", label="6 classes", **look)
        ax.scatter(ten[method], heights, color="black", label="10 classes", **look)
        ax.set_title(method.replace("+", "+\n"))
        ax.set(xlim=(0, 1), xlabel="F1")
        ax.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
        ax.tick_params(axis="x", labelbottom=True)
    lower_legend(figure, axes[0].get_legend_handles_labels()[0])
    return figure


def urban_step_rows(dataset: str) -> pd.DataFrame:
    """Collect what each addition changes in the mean urban F1, by whom it was measured.

    Returns:
        One row per value: `group`, `step`, `classes`, `value`, and `low` and `high`, an interval
        corrected for the number of comparisons; NaN where there is one training.
    """
    of_paper = urban_steps()
    rows = []
    for classes in (6, 10):
        for step, gain in of_paper[f"{classes} classes"].items():
            rows.append((PAPER_GROUP, step, classes, gain, np.nan, np.nan))
        for gain in audit.sensor_gains().loc[classes, URBAN_F1]:
            rows.append((OTHERS_GROUP, S1_ADDED.name, classes, gain, np.nan, np.nan))
    for name, gain in step_gains(dataset, 6, 10, score=URBAN_F1).items():
        step, _, ending = name.rpartition(", ")
        classes = int(ending.removesuffix(" classes"))
        value = gain.difference.value
        rows.append((book_group(dataset), step, classes, value, gain.low, gain.high))
    return pd.DataFrame(rows, columns=["group", "step", "classes", "value", "low", "high"])


def urban_step_figure(dataset: str, width: float = DESKTOP_WIDTH) -> Figure:
    """Draw what the second sensor and the Inception module change in the mean urban F1.

    Args:
        dataset: whose records are this book's.
        width: width of the figure, in inches.
    """
    rows = urban_step_rows(dataset)
    steps = list(STEPS)
    groups = list(rows["group"].unique())
    across = columns_for(width, (2, 1))
    figure, axes = panels(2, width, (2, 1), 2.4, sharex=True)
    # Intervals of few seeds are wide: beyond these ends they are cut, and an arrow says so.
    limit = 1.4 * rows["value"].abs().max()
    for position, (ax, classes) in enumerate(zip(axes, (6, 10), strict=True)):
        ax.axvline(0, color="black", lw=1)
        for group, (marker, color), shift in zip(
            groups, _marks_of(groups), (-0.25, 0, 0.25), strict=False
        ):
            own = rows[(rows["group"] == group) & (rows["classes"] == classes)]
            at = np.array([steps.index(step) for step in own["step"]]) + shift
            ax.hlines(at, own["low"].clip(-limit), own["high"].clip(upper=limit), color, lw=2)
            ax.scatter(own["value"], at, 34, color, marker=marker, zorder=3, label=group)
            for ends, beyond, arrow in (("low", -limit, "<"), ("high", limit, ">")):
                is_cut = own[ends].abs() > limit
                ax.scatter(np.full(is_cut.sum(), beyond), at[is_cut], 34, color, marker=arrow)
        name_rows(ax, [step.label for step in STEPS.values()], is_named=position % across == 0)
        ax.set_xlim(-1.08 * limit, 1.08 * limit)
        ax.tick_params(axis="x", labelbottom=True)
        ax.set_xlabel(f"Change in mean urban F1, {classes} classes")
    lower_legend(figure, axes[0].get_legend_handles_labels()[0])
    return figure
