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

from multisenge_lib.chapters.style import DESKTOP_WIDTH, MIN_FONT_SIZE, panels

_INPUT, _SERIES, _SPATIAL, _UNET, _PLAIN = "#e4e4e4", "#cfe3f5", "#fde3c8", "#d5ecd2", "#ffffff"
_LINE = "#555555"


class Block(NamedTuple):
    """A block of a drawing: its middle, width and height in units of the drawing, and its fill.

    `sources` are the blocks that an arrow comes from.
    """

    title: str
    x: float
    y: float
    width: float
    height: float
    fill: str
    sources: tuple[str, ...] = ()


def _canvas(width: float, across: float, down: float, height: float) -> tuple[Figure, Axes]:
    """Axes of `across` x `down` units, y downwards."""
    figure, ax = plt.subplots(figsize=(min(width, 5.6), height), layout="constrained")
    ax.set(xlim=(0, across), ylim=(down, 0))
    ax.set_axis_off()
    return figure, ax


def _draw(ax: Axes, block: Block, text: str) -> None:
    corner = (block.x - block.width / 2, block.y - block.height / 2)
    box = FancyBboxPatch(
        corner, block.width, block.height, boxstyle="round,pad=0,rounding_size=.06"
    )
    box.set(facecolor=block.fill, edgecolor=_LINE, linewidth=0.9, zorder=2)
    ax.add_patch(box)
    options = {"ha": "center", "fontsize": MIN_FONT_SIZE, "zorder": 3, "linespacing": 1.3}
    middle = block.y - 0.08 * text.count("\n")
    ax.text(block.x, middle, block.title, fontweight="bold", va="bottom", **options)
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


#: The layers of the whole method, in three columns, and of the Inception module.
_METHOD = {
    "s1": Block("Sentinel-1", 0.5, 0.4, 0.9, 0.6, _INPUT),
    "s2": Block("Sentinel-2", 2.5, 0.4, 0.9, 0.6, _INPUT),
    "s1_standardise": Block("standardise", 0.5, 1.3, 0.9, 0.6, _PLAIN, ("s1",)),
    "s2_standardise": Block("standardise", 2.5, 1.3, 0.9, 0.6, _PLAIN, ("s2",)),
    "first_dates": Block(
        "first dates", 1.5, 2.2, 0.9, 0.6, _PLAIN, ("s1_standardise", "s2_standardise")
    ),
    "s1_convlstm": Block("ConvLSTM", 0.5, 2.9, 0.9, 1.0, _SERIES, ("s1_standardise",)),
    "inception": Block("Inception", 1.5, 3.35, 0.9, 1.0, _SPATIAL, ("first_dates",)),
    "s2_convlstm": Block("ConvLSTM", 2.5, 2.9, 0.9, 1.0, _SERIES, ("s2_standardise",)),
    "features": Block(
        "stacked", 1.5, 4.55, 2.9, 0.6, _PLAIN, ("s1_convlstm", "inception", "s2_convlstm")
    ),
    "unet": Block("U-Net, with the encoder of VGG-16", 1.5, 5.7, 2.9, 1.0, _UNET, ("features",)),
}
_BRANCHES = {
    "inception_1x1": Block("1×1", 0.375, 1.7, 0.74, 1.0, _SPATIAL, ("first_dates",)),
    "inception_3x3": Block("3×3", 1.125, 1.7, 0.74, 1.0, _SPATIAL, ("first_dates",)),
    "inception_5x5": Block("5×5", 1.875, 1.7, 0.74, 1.0, _SPATIAL, ("first_dates",)),
    "inception_pool": Block("pool", 2.625, 1.7, 0.74, 1.0, _SPATIAL, ("first_dates",)),
}
_MODULE = {
    "first_dates": Block("first dates, stacked", 1.5, 0.4, 2.4, 0.6, _INPUT),
    **_BRANCHES,
    "inception": Block("stacked", 1.5, 3.1, 2.4, 0.8, _PLAIN, tuple(_BRANCHES)),
}


def _drawn(table: pd.DataFrame, blocks: Mapping[str, Block], down: float, width: float) -> Figure:
    """The layers that a network has, with the shapes and weights that it gives them."""
    figure, ax = _canvas(width, 3, down, down + 0.2)
    weights = table["parameters"].copy()
    weights["inception"] = weights[table.index.str.startswith("inception")].sum()
    there = {name: block for name, block in blocks.items() if name in table.index}
    for name, block in there.items():
        lines = [_shape(table["shape"][name])]
        lines += [f"{weights[name]:,}", "weights"] if weights[name] else []
        _draw(ax, block, "\n".join(lines))
        for source in there.keys() & set(block.sources):
            _flow(ax, there[source], block)
    return figure


def draw_method(table: pd.DataFrame, width: float = DESKTOP_WIDTH) -> Figure:
    """The paper's Figure 5: from the series of both sensors to a score for each class and pixel.

    Args:
        table: `chapters.architecture` of a network; shapes are written without the batch.
        width: of the figure, inches.
    """
    return _drawn(table, _METHOD, 6.3, width)


def draw_inception(table: pd.DataFrame, width: float = DESKTOP_WIDTH) -> Figure:
    """The paper's Figure 7: the branches of the naive Inception module, side by side.

    Args:
        table: `chapters.architecture` of the module.
        width: of the figure, inches.
    """
    return _drawn(table, _MODULE, 3.6, width)


#: Parts of the U-Net in the order of computation, by how their convolutions' names begin.
_ENCODER = tuple(f"block{stage}" for stage in range(1, 6))
_DECODER = tuple(f"decoder_stage{stage}" for stage in range(4, -1, -1))


def _stage(ax: Axes, table: pd.DataFrame, start: str, x: float, y: float, fill: str) -> None:
    """A stage of the U-Net: the shape after it, and what it holds."""
    convolutions = table[table.index.str.startswith(start) & (table["kind"] == "Conv2D")]
    weights = table["parameters"][table.index.str.startswith(start)].sum()
    block = Block(_shape(convolutions["shape"].iloc[-1]), x, y, 1.65, 0.66, fill)
    _draw(ax, block, f"{len(convolutions)} conv., {weights:,}")


def draw_unet(table: pd.DataFrame, width: float = DESKTOP_WIDTH) -> Figure:
    """The U-Net: encoder down the left, decoder up the right, skips between.

    Args:
        table: `chapters.architecture` of a U-Net of a fixed image size.
        width: of the figure, inches.
    """
    figure, ax = _canvas(width, 4, 6.6, 5.6)
    joined = table.index[table["kind"] == "Concatenate"].str.replace("_concat", "")
    for row, (down, up) in enumerate(zip(_ENCODER, _DECODER, strict=True)):
        y = 0.75 + row
        _stage(ax, table, down, 0.85, y, _SERIES)
        _stage(ax, table, up, 3.15, y, _UNET)
        if up in joined:
            _arrow(ax, (1.68, y), (2.32, y), linestyle="--")
        below = row < len(_ENCODER) - 1
        _arrow(ax, (0.85, y + 0.33), (0.85, y + 0.67) if below else (1.3, y + 0.84))
        _arrow(ax, (3.15, y + 0.67) if below else (2.7, y + 0.84), (3.15, y + 0.33))
    _stage(ax, table, "centre", 2, 5.95, _INPUT)
    classes = table.loc["logits"]
    ax.text(0.85, 0.3, f"{table['shape'].iloc[0][-1]} channels in", ha="center", va="bottom")
    text = f"logits: {classes['shape'][-1]} classes, {classes['parameters']:,}"
    ax.text(3.15, 0.3, text, ha="center", va="bottom")
    return figure


def gate_images(
    quantities: Mapping[str, np.ndarray],
    dates: Sequence[str],
    limits: Mapping[str, tuple],
    width: float = DESKTOP_WIDTH,
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
