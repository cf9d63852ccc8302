"""Figures of the networks, data in, figure out."""

import itertools
from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch
from scipy.optimize import isotonic_regression

_PLAIN = "#e6e6e6"
#: Fill of a block by its layer's kind; the rest is grey.
COLORS = {
    "ConvLSTM2D": "#9ecae1",
    "Conv2D": "#fdd0a2",
    "MaxPooling2D": "#fdd0a2",
    "Functional": "#a1d99b",
}
#: Parts of the U-Net by how their layers' names begin: what the legend calls them, fill.
_PARTS = {
    "block": ("encoder (VGG-16)", "#9ecae1"),
    "centre": ("centre", "#bcbddc"),
    "decoder": ("decoder", "#a1d99b"),
    "logits": ("logits", "#fdd0a2"),
}

#: A row of a column: a layer's name, or the edge that passes there on its way to a later column.
Slot = str | tuple[str, str]


def _columns(table: pd.DataFrame) -> dict[str, int]:
    """For each layer the column left of the first that takes its output; the last one's is 0."""
    column = dict.fromkeys(table.index, 0)
    for layer in reversed(table.index):
        for source in table.loc[layer, "inputs"]:
            column[source] = min(column[source], column[layer] - 1)
    return column


def _paths(table: pd.DataFrame, column: dict[str, int]) -> list[list[tuple[int, Slot]]]:
    """Each connection as the slots it passes, one a column."""
    edges = [(source, layer) for layer in table.index for source in table.loc[layer, "inputs"]]
    return [
        [
            (column[a], a),
            *((c, (a, b)) for c in range(column[a] + 1, column[b])),
            (column[b], b),
        ]
        for a, b in edges
    ]


def _settle(steps: list[tuple], start: dict[tuple[int, Slot], float]) -> dict:
    """Heights with each slot near its neighbours' mean and at least 1 apart in its column."""
    height = dict(start)
    near = {slot: [b if a == slot else a for a, b in steps if slot in (a, b)] for slot in start}
    for _ in range(40):
        for column in {c for c, _ in start}:
            wanted = {s: np.mean([height[n] for n in near[s]]) for s in start if s[0] == column}
            ordered = sorted(wanted, key=wanted.__getitem__)
            rank = np.arange(len(ordered))
            fitted = isotonic_regression(np.array([wanted[s] for s in ordered]) - rank).x + rank
            height |= dict(zip(ordered, fitted.tolist(), strict=True))
    return height


def _rows(paths: list[list[tuple[int, Slot]]]) -> dict[tuple[int, Slot], float]:
    """Heights of slots with the shortest connections, of some random starts."""
    steps = [step for path in paths for step in itertools.pairwise(path)]
    slots = list(dict.fromkeys(slot for step in steps for slot in step))
    rng = np.random.Generator(np.random.PCG64(0))
    starts = [dict(zip(slots, rng.normal(size=len(slots)), strict=True)) for _ in range(12)]
    settled = [_settle(steps, start) for start in starts]
    return min(settled, key=lambda height: sum((height[a] - height[b]) ** 2 for a, b in steps))


def _draw_block(ax: Axes, x: float, y: float, layer: str, row: pd.Series) -> None:
    box = FancyBboxPatch(
        (x - 0.41, y - 0.3), 0.82, 0.6, boxstyle="round,pad=0.02,rounding_size=0.06", zorder=2
    )
    box.set(facecolor=COLORS.get(row["kind"], _PLAIN), edgecolor="#555555", linewidth=0.8)
    ax.add_patch(box)
    lines = [" × ".join(map(str, row["shape"]))]
    if row["parameters"]:
        lines.append(f"{row['parameters']:,} weights")
    middle = y + 0.07 * (len(lines) - 1)
    ax.text(x, middle + 0.04, layer, ha="center", fontsize=8.5, fontweight="bold")
    ax.text(x, middle, "\n".join(lines), ha="center", va="top", fontsize=7.5)


def draw_architecture(table: pd.DataFrame) -> Figure:
    """Blocks and arrows, from the inputs on the left to the logits on the right (Figure 5).

    Args:
        table: of `models.architecture`; shapes are written without the batch.
    """
    column = _columns(table)
    paths = _paths(table, column)
    height = _rows(paths)
    low, high = min(height.values()) - 0.5, max(height.values()) + 0.5
    fig, ax = plt.subplots(figsize=(1.45 * (1 - min(column.values())), 0.85 * (high - low)))
    for path in paths:
        x = np.array([c for c, _ in path], dtype=float)
        y = np.array([height[slot] for slot in path])
        ax.plot(x, y, color="#888888", linewidth=1, zorder=1)
        ax.annotate(
            "",
            (x[-1] - 0.4, y[-1] - 0.4 * (y[-1] - y[-2])),
            (x[-1] - 0.6, y[-1] - 0.6 * (y[-1] - y[-2])),
            arrowprops={"arrowstyle": "-|>", "color": "#888888"},
        )
    for layer, row in table.iterrows():
        _draw_block(ax, column[layer], height[column[layer], layer], layer, row)
    ax.set(xlim=(min(column.values()) - 0.5, 0.5), ylim=(low, high))
    ax.set_axis_off()
    fig.tight_layout()
    return fig


def _draw_skips(ax: Axes, table: pd.DataFrame, place: dict[str, tuple[int, float]]) -> None:
    """An arrow from each encoder stage to the convolution that its skip is joined for."""
    for joined in table.index[table["kind"] == "Concatenate"]:
        skip = table.loc[joined, "inputs"][1]
        target = table.index[[joined in inputs for inputs in table["inputs"]]][0]
        (x0, y), (x1, _) = place[skip], place[target]
        style = {"arrowstyle": "-|>", "color": "#888888", "linestyle": "--"}
        ax.annotate("", (x1 - 0.4, y), (x0 + 0.4, y), arrowprops=style)


def draw_unet(table: pd.DataFrame) -> Figure:
    """The convolutions of a U-Net in order, each at the height of its image size, with its skips.

    Args:
        table: `models.architecture` of a U-Net of a fixed image size.
    """
    convolutions = table[table["kind"] == "Conv2D"]
    sides = [shape[0] for shape in convolutions["shape"]]
    place = dict(zip(convolutions.index, enumerate(np.log2(sides)), strict=True))
    fig, ax = plt.subplots(figsize=(11, 4.2))
    for part, (label, color) in _PARTS.items():
        mine = [place[layer] for layer in convolutions.index if layer.startswith(part)]
        x, y = np.transpose(mine)
        ax.bar(x, 0.6, 0.75, y - 0.3, color=color, edgecolor="#555555", linewidth=0.6, label=label)
    for (x, y), shape in zip(place.values(), convolutions["shape"], strict=True):
        ax.text(x, y, shape[-1], ha="center", va="center", fontsize=7)
    _draw_skips(ax, table, place)
    ax.set(
        xlabel="convolutions, in order; the number is that of filters", ylabel="image side (pixels)"
    )
    ax.set(xticks=[], ylim=(min(y for _, y in place.values()) - 0.5, None))
    ax.set_yticks(np.log2(np.unique(sides)), np.unique(sides))
    fig.legend(ncols=len(_PARTS), loc="upper center", frameon=False)
    return fig


def gate_images(
    quantities: Mapping[str, np.ndarray], dates: Sequence[str], limits: Mapping[str, tuple]
) -> Figure:
    """Images over dates, one row a quantity, each row with its own colour bar.

    Args:
        quantities: label to `(dates, height, width)`.
        dates: titles of the columns.
        limits: label to least and largest value shown; signed ranges are drawn blue to red.
    """
    size = len(quantities), len(dates)
    fig, axes = plt.subplots(
        *size, figsize=(1.45 * size[1] + 1, 1.7 * size[0]), squeeze=False, layout="constrained"
    )
    for row, (label, images) in zip(axes, quantities.items(), strict=True):
        low, high = limits[label]
        for ax, image in zip(row, images, strict=True):
            shown = ax.imshow(image, "RdBu_r" if low < 0 else "viridis", vmin=low, vmax=high)
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set_visible(False)
        row[0].set_ylabel(label)
        fig.colorbar(shown, ax=row, shrink=0.85)
    for ax, date in zip(axes[0], dates, strict=True):
        ax.set_title(date, fontsize=9)
    return fig
