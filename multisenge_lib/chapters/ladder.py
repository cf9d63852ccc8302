"""The ladder of networks on one dataset: what each step gains, and what it costs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from multisenge_lib.chapters.gains import (
    gain_cells,
    gain_table,
    score_interval,
)
from multisenge_lib.chapters.score_words import mean_with_spread, score_title
from multisenge_lib.chapters.style import (
    DESKTOP_WIDTH,
    GREEN,
    columns_for,
    draw_intervals,
    interval_limits,
    name_rows,
    panels,
)
from multisenge_lib.results import (
    URBAN_F1,
    Record,
    TestedDifference,
    common_seeds,
    comparable_runs,
    correct,
    mean_score,
    paired_difference,
    read_runs,
)

NOT_TRAINED = "not trained yet"
#: The score by which the networks are compared.
_SCORE = "macro_f1"
#: The scores that have a table of their own.
_OTHER_SCORES = (URBAN_F1, "mean_iou", "kappa", "accuracy")


@dataclass(frozen=True)
class Rung:
    """One network of the ladder.

    Attributes:
        label: its name in tables and figures.
        experiment: the first part of its experiment's name, before the classes.
        question: what a comparison with the network `below` answers.
        below: the label of the network that it is compared with; empty for the first.
    """

    label: str
    experiment: str
    question: str
    below: str = ""


LADDER = (
    Rung("Random forest", "forest", "How far do single pixels get?"),
    Rung("U-Net, one date", "unet", "Is spatial context worth it?", below="Random forest"),
    Rung("U-Net, dates stacked", "stack", "Are several dates worth it?", below="U-Net, one date"),
    Rung("ConvLSTM", "s1s2", "Is recurrence worth it?", below="U-Net, dates stacked"),
    Rung("ConvLSTM+Inception", "inception", "Is the Inception module worth it?", below="ConvLSTM"),
    Rung("3D U-Net", "unet3d", "Convolution over time instead of recurrence?", below="ConvLSTM"),
    Rung("U-TAE", "utae", "Attention to dates instead of recurrence?", below="ConvLSTM"),
)


def ladder_runs(dataset: str, classes: int) -> dict[str, list[Record]]:
    """Read the runs of each network of the ladder, by label; none where it is not trained.

    Only runs on the same data and with the same settings are compared; `ladder_notes` names those
    that are left out.
    """
    return comparable_runs(_all_runs(dataset, classes))[0]


def ladder_notes(dataset: str, classes: int) -> list[str]:
    """Say in a sentence for each network which of its runs `ladder_runs` leaves out, and why."""
    return comparable_runs(_all_runs(dataset, classes))[1]


def _all_runs(dataset: str, classes: int) -> dict[str, list[Record]]:
    return {rung.label: read_runs(dataset, f"{rung.experiment}_{classes}c") for rung in LADDER}


def not_trained(runs: Mapping[str, Sequence[Record]]) -> list[str]:
    """Name the networks of `ladder_runs` that have no run."""
    return [label for label, records in runs.items() if not records]


def ladder_gains(runs: Mapping[str, Sequence[Record]]) -> dict[str, TestedDifference]:
    """Measure how much higher the macro F1 of each network is than that of the one below it.

    Args:
        runs: from `ladder_runs`; pairs of which one is not trained are left out.

    Returns:
        By label; all are one family of comparisons.
    """
    differences = {}
    for rung in LADDER:
        records = runs[rung.label]
        below = runs.get(rung.below, [])
        if not records or not below:
            continue
        if not common_seeds(records, below):
            continue
        differences[rung.label] = paired_difference(records, below, _SCORE)
    return correct(differences)


def ladder_table(runs: Mapping[str, Sequence[Record]]) -> pd.DataFrame:
    """Tabulate the ladder as text: each network's question, macro F1, and gain over the one below.

    Args:
        runs: from `ladder_runs`.
    """
    gains = gain_table(ladder_gains(runs))
    rows = {}
    for rung in LADDER:
        records = runs[rung.label]
        row = {"question": rung.question, "seeds": f"{len(records)}", "score": NOT_TRAINED}
        if records:
            row["score"] = _score_text(records)
        row["compared with"] = rung.below or "–"
        row["gain"], row["95%, corrected"] = gain_cells(gains, rung.label)
        rows[rung.label] = row
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("network")


def _score_text(records: Sequence[Record]) -> str:
    """Write the mean over seeds, with its 95 % interval where it is known."""
    mean = mean_score(records, _SCORE)
    low, high = score_interval(mean, _SCORE)
    if np.isnan(low):
        return f"{mean.value:.3f}"
    interval = f"({low:.3f} to {high:.3f})".replace(" ", "\N{NO-BREAK SPACE}")
    return f"{mean.value:.3f} {interval}"


def ladder_scores(runs: Mapping[str, Sequence[Record]]) -> pd.DataFrame:
    """Tabulate as text other scores of the networks, "mean ± standard deviation" over the seeds.

    Args:
        runs: from `ladder_runs`; networks that are not trained are left out.
    """
    rows = {}
    for label, records in runs.items():
        if not records:
            continue
        rows[label] = {}
        for score in _OTHER_SCORES:
            mean = mean_score(records, score)
            rows[label][score_title(score)] = mean_with_spread(mean.value, mean.std)
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("network")


def ladder_costs(runs: Mapping[str, Sequence[Record]]) -> pd.DataFrame:
    """Tabulate as text what the networks cost: weights, operations and seconds of one training.

    The forest has nodes of trees in place of weights, and no operations are counted for it.

    Args:
        runs: from `ladder_runs`.
    """
    rows = {}
    for label, records in runs.items():
        if not records:
            rows[label] = {"weights": NOT_TRAINED, "operations, 10¹²": "–", "seconds": "–"}
            continue
        operations = np.mean([record.metadata.operations for record in records]) / 1e12
        seconds = np.mean([record.history["seconds"].sum() for record in records])
        is_network = operations > 0
        parameters = f"{records[0].metadata.parameters['trainable']:,}"
        rows[label] = {
            "weights": parameters if is_network else f"{parameters} nodes",
            "operations, 10¹²": f"{operations:,.1f}" if is_network else "not counted",
            "seconds": f"{seconds:,.0f}",
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("network")


def ladder_figure(runs: Mapping[str, Sequence[Record]], width: float = DESKTOP_WIDTH) -> Figure:
    """Draw the ladder: the macro F1 of each network, and the operations of one training.

    Args:
        runs: from `ladder_runs`.
        width: width of the figure, in inches.
    """
    across = columns_for(width, (2, 1))
    labels = list(runs)
    # Each name has two lines.
    figure, axes = panels(2, width, (2, 1), 0.37 * len(labels) + 0.6)
    for position, ax in enumerate(axes):
        names = [_name_with_seeds(label, runs[label]) for label in labels]
        name_rows(ax, names, is_named=position % across == 0)
    trained = {height: runs[label] for height, label in enumerate(labels) if runs[label]}
    _draw_scores(axes[0], trained)
    _draw_costs(axes[1], trained)
    return figure


def _draw_scores(ax: Axes, trained: Mapping[int, Sequence[Record]]) -> None:
    """Draw the mean macro F1 of networks with its interval; their runs are given by height."""
    means = [mean_score(records, _SCORE) for records in trained.values()]
    if means:
        heights = list(trained)
        values = [mean.value for mean in means]
        lows, highs = zip(*(score_interval(mean, _SCORE) for mean in means), strict=True)
        limits = interval_limits(values, lows, highs)
        draw_intervals(ax, heights, lows, highs, limits, GREEN)
        ax.scatter(values, heights, 36, GREEN, marker="s", zorder=3)
    ax.locator_params(axis="x", nbins=6)  # labels of three decimals need room
    ax.set_xlabel("Macro F1")


def _draw_costs(ax: Axes, trained: Mapping[int, Sequence[Record]]) -> None:
    """Draw the operations of one training; arguments as in `_draw_scores`."""
    most = 0.0
    for height, records in trained.items():
        operations = np.mean([record.metadata.operations for record in records]) / 1e12
        if operations > 0:  # they are not counted for a forest
            ax.scatter(operations, height, 36, GREEN, marker="s", zorder=3)
            most = max(most, operations)
    ax.set_xlabel("Operations of one training, 10¹²")
    ax.set_xlim(0, 1.08 * most or 1)  # a mark at the edge would be cut in half


def _name_with_seeds(label: str, records: Sequence[Record]) -> str:
    """Write a network's name with the number of its runs."""
    if not records:
        return f"{label}\n({NOT_TRAINED})"
    return f"{label}\n({len(records)} {'seed' if len(records) == 1 else 'seeds'})"
