"""The paper's Figures 5 and 7 and the U-Net, drawn: blocks at given places, the model's numbers.

Every drawing runs from top to bottom, so that it can be read on a phone.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from multisenge_lib.figures.style import LEAST, WIDE, panels

_INPUT, _SERIES, _SPATIAL, _UNET, _PLAIN = "#e4e4e4", "#cfe3f5", "#fde3c8", "#d5ecd2", "#ffffff"
_LINE = "#555555"


class Block(NamedTuple):
    """A block of a drawing: its middle, width and height in units of the drawing, and its fill."""

    x: float
    y: float
    width: float
    height: float
    fill: str


def _canvas(width: float, across: float, down: float, height: float) -> tuple[Figure, Axes]:
    """Axes of `across` x `down` units, y downwards."""
    figure, ax = plt.subplots(figsize=(min(width, 5.6), height), layout="constrained")
    ax.set(xlim=(0, across), ylim=(down, 0))
    ax.set_axis_off()
    return figure, ax


def _draw(ax: Axes, block: Block, title: str, text: str) -> None:
    corner = (block.x - block.width / 2, block.y - block.height / 2)
    box = FancyBboxPatch(
        corner, block.width, block.height, boxstyle="round,pad=0,rounding_size=.06"
    )
    box.set(facecolor=block.fill, edgecolor=_LINE, linewidth=0.9, zorder=2)
    ax.add_patch(box)
    options = {"ha": "center", "fontsize": LEAST, "zorder": 3, "linespacing": 1.3}
    middle = block.y - 0.08 * text.count("\n")
    ax.text(block.x, middle, title, fontweight="bold", va="bottom", **options)
    ax.text(block.x, middle, text, va="top", **options)


def _arrow(ax: Axes, start: tuple, end: tuple, **look: str) -> None:
    style = {"arrowstyle": "-|>", "color": _LINE, "shrinkA": 0, "shrinkB": 0} | look
    ax.annotate("", end, start, arrowprops=style)


def _flow(ax: Axes, a: Block, b: Block) -> None:
    """From the foot of a block to the top of another, straight down where they overlap."""
    left, right = b.x - b.width / 2 + 0.1, b.x + b.width / 2 - 0.1
    top = (float(np.clip(a.x, left, right)), b.y - b.height / 2)
    _arrow(ax, (a.x, a.y + a.height / 2), top)


def _shape(shape: Sequence[int]) -> str:
    return "×".join(map(str, shape))


#: Where the parts of the whole method stand, in three columns, and how they are called.
_METHOD = {
    "s1": ("Sentinel-1", Block(0.5, 0.4, 0.9, 0.6, _INPUT)),
    "s2": ("Sentinel-2", Block(2.5, 0.4, 0.9, 0.6, _INPUT)),
    "s1_standardise": ("standardise", Block(0.5, 1.3, 0.9, 0.6, _PLAIN)),
    "s2_standardise": ("standardise", Block(2.5, 1.3, 0.9, 0.6, _PLAIN)),
    "first_dates": ("first dates", Block(1.5, 2.2, 0.9, 0.6, _PLAIN)),
    "s1_convlstm": ("ConvLSTM", Block(0.5, 2.9, 0.9, 1.0, _SERIES)),
    "inception": ("Inception", Block(1.5, 3.35, 0.9, 1.0, _SPATIAL)),
    "s2_convlstm": ("ConvLSTM", Block(2.5, 2.9, 0.9, 1.0, _SERIES)),
    "features": ("stacked", Block(1.5, 4.55, 2.9, 0.6, _PLAIN)),
    "unet": ("U-Net, with the encoder of VGG-16", Block(1.5, 5.7, 2.9, 1.0, _UNET)),
}
_METHOD_FLOW = (
    *((sensor, f"{sensor}_standardise") for sensor in ("s1", "s2")),
    *((f"{sensor}_standardise", f"{sensor}_convlstm") for sensor in ("s1", "s2")),
    *((f"{sensor}_standardise", "first_dates") for sensor in ("s1", "s2")),
    ("first_dates", "inception"),
    *((part, "features") for part in ("s1_convlstm", "inception", "s2_convlstm")),
    ("features", "unet"),
)
_BRANCHES = {
    "1x1": (0.375, "1×1"),
    "3x3": (1.125, "3×3"),
    "5x5": (1.875, "5×5"),
    "pool": (2.625, "pool"),
}
#: The same for the Inception module.
_MODULE = {
    "first_dates": ("first dates, stacked", Block(1.5, 0.4, 2.4, 0.6, _INPUT)),
    **{
        f"inception_{n}": (t, Block(x, 1.7, 0.74, 1.0, _SPATIAL)) for n, (x, t) in _BRANCHES.items()
    },
    "inception": ("stacked", Block(1.5, 3.1, 2.4, 0.8, _PLAIN)),
}
_MODULE_FLOW = (
    *(("first_dates", f"inception_{branch}") for branch in _BRANCHES),
    *((f"inception_{branch}", "inception") for branch in _BRANCHES),
)


def _drawn(
    table: pd.DataFrame, places: Mapping, flow: Sequence, down: float, width: float
) -> Figure:
    """The placed layers that a network has, with the shapes and weights that it gives them."""
    figure, ax = _canvas(width, 3, down, down + 0.2)
    weights = table["parameters"].copy()
    weights["inception"] = weights[table.index.str.startswith("inception")].sum()
    for name in places.keys() & set(table.index):
        lines = [_shape(table["shape"][name])]
        lines += [f"{weights[name]:,}", "weights"] if weights[name] else []
        _draw(ax, places[name][1], places[name][0], "\n".join(lines))
    for start, end in flow:
        if {start, end} <= set(table.index):
            _flow(ax, places[start][1], places[end][1])
    return figure


def draw_method(table: pd.DataFrame, width: float = WIDE) -> Figure:
    """The paper's Figure 5: from the series of both sensors to a score for each class and pixel.

    Args:
        table: `models.architecture` of a network; shapes are written without the batch.
        width: of the figure, inches.
    """
    return _drawn(table, _METHOD, _METHOD_FLOW, 6.3, width)


def draw_inception(table: pd.DataFrame, width: float = WIDE) -> Figure:
    """The paper's Figure 7: the branches of the naive Inception module, side by side.

    Args:
        table: `models.architecture` of the module.
        width: of the figure, inches.
    """
    return _drawn(table, _MODULE, _MODULE_FLOW, 3.6, width)


#: Parts of the U-Net in the order of computation, by how their convolutions' names begin.
_ENCODER = tuple(f"block{stage}" for stage in range(1, 6))
_DECODER = tuple(f"decoder_stage{stage}" for stage in range(4, -1, -1))


def _stage(table: pd.DataFrame, start: str) -> tuple[str, str]:
    """Shape after a stage of the U-Net, and what it holds."""
    convolutions = table[table.index.str.startswith(start) & (table["kind"] == "Conv2D")]
    weights = table["parameters"][table.index.str.startswith(start)].sum()
    return _shape(convolutions["shape"].iloc[-1]), f"{len(convolutions)} conv., {weights:,}"


def draw_unet(table: pd.DataFrame, width: float = WIDE) -> Figure:
    """The U-Net: encoder down the left, decoder up the right, skips between.

    Args:
        table: `models.architecture` of a U-Net of a fixed image size.
        width: of the figure, inches.
    """
    figure, ax = _canvas(width, 4, 6.6, 5.6)
    joined = table.index[table["kind"] == "Concatenate"].str.replace("_concat", "")
    for row, (down, up) in enumerate(zip(_ENCODER, _DECODER, strict=True)):
        y = 0.75 + row
        _draw(ax, Block(0.85, y, 1.65, 0.66, _SERIES), *_stage(table, down))
        _draw(ax, Block(3.15, y, 1.65, 0.66, _UNET), *_stage(table, up))
        if up in joined:
            _arrow(ax, (1.68, y), (2.32, y), linestyle="--")
        below = row < len(_ENCODER) - 1
        _arrow(ax, (0.85, y + 0.33), (0.85, y + 0.67) if below else (1.3, y + 0.84))
        _arrow(ax, (3.15, y + 0.67) if below else (2.7, y + 0.84), (3.15, y + 0.33))
    _draw(ax, Block(2, 5.95, 1.65, 0.66, _INPUT), *_stage(table, "centre"))
    classes = table.loc["logits"]
    ax.text(0.85, 0.3, f"{table['shape'].iloc[0][-1]} channels in", ha="center", va="bottom")
    text = f"logits: {classes['shape'][-1]} classes, {classes['parameters']:,}"
    ax.text(3.15, 0.3, text, ha="center", va="bottom")
    return figure


def gate_images(
    quantities: Mapping[str, np.ndarray],
    dates: Sequence[str],
    limits: Mapping[str, tuple],
    width: float = WIDE,
) -> Figure:
    """Images over dates, one row a quantity, each row with its own colour bar.

    Args:
        quantities: label to `(dates, height, width)`.
        dates: titles of the columns.
        limits: label to least and largest value shown; signed ranges are drawn blue to red.
        width: of the figure, inches.
    """
    across, rows = len(dates), len(quantities)
    figure, axes = panels(across * rows, width, (across, across), width / (across + 0.9) + 0.15)
    for row, (label, images) in zip(axes.reshape(rows, across), quantities.items(), strict=True):
        low, high = limits[label]
        for ax, image in zip(row, images, strict=True):
            shown = ax.imshow(image, "RdBu_r" if low < 0 else "viridis", vmin=low, vmax=high)
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set_visible(False)
        row[0].set_ylabel(label)
        figure.colorbar(shown, ax=row.tolist(), shrink=0.85, ticks=[low, high])
    for ax, date in zip(axes, dates, strict=False):
        ax.set_title(date)
    return figure
