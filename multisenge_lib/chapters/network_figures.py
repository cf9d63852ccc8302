"""The paper's Figures 5 and 7 and the U-Net: blocks at fixed places, with the network's numbers.

The places are typed by hand; every shape and number of weights is read from the network that is
drawn. Drawings run from top to bottom, so that they can be read on a phone.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from multisenge_lib.chapters.style import DESKTOP_WIDTH, MIN_FONT_SIZE, is_narrow, panels

#: Fills of the blocks, by what they work on.
_INPUT = "#e4e4e4"
_SERIES = "#cfe3f5"
_SPATIAL = "#fde3c8"
_UNET = "#d5ecd2"
_PLAIN = "#ffffff"
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
    """Make axes of `across` x `down` units, y downwards."""
    figure, ax = plt.subplots(figsize=(min(width, 5.6), height), layout="constrained")
    ax.set(xlim=(0, across), ylim=(down, 0))
    ax.set_axis_off()
    return figure, ax


def _draw(ax: Axes, block: Block, text: str) -> None:
    """Draw a block with its title in bold and some lines of text below."""
    corner = (block.x - block.width / 2, block.y - block.height / 2)
    box = FancyBboxPatch(
        corner, block.width, block.height, boxstyle="round,pad=0,rounding_size=.06"
    )
    box.set(facecolor=block.fill, edgecolor=_LINE, linewidth=0.9, zorder=2)
    ax.add_patch(box)
    options = {"ha": "center", "fontsize": MIN_FONT_SIZE, "zorder": 3, "linespacing": 1.3}
    # The more lines of text, the higher the title.
    middle = block.y - 0.08 * text.count("\n")
    ax.text(block.x, middle, block.title, fontweight="bold", va="bottom", **options)
    ax.text(block.x, middle, text, va="top", **options)


def _arrow(
    ax: Axes, start: tuple[float, float], end: tuple[float, float], linestyle: str = "-"
) -> None:
    style = {"arrowstyle": "-|>", "color": _LINE, "shrinkA": 0, "shrinkB": 0}
    ax.annotate("", end, start, arrowprops=style | {"linestyle": linestyle})


def _connect(ax: Axes, upper: Block, lower: Block) -> None:
    """Draw an arrow from the foot of a block to the top of another, straight where they overlap."""
    left = lower.x - lower.width / 2 + 0.1
    right = lower.x + lower.width / 2 - 0.1
    foot = (upper.x, upper.y + upper.height / 2)
    top = (float(np.clip(upper.x, left, right)), lower.y - lower.height / 2)
    _arrow(ax, foot, top)


def _shape(shape: Sequence[int]) -> str:
    """Write `64×64×10`."""
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
    "inception_1x1": Block("1×1", 0.375, 1.7, 0.68, 1.0, _SPATIAL, ("first_dates",)),
    "inception_3x3": Block("3×3", 1.125, 1.7, 0.68, 1.0, _SPATIAL, ("first_dates",)),
    "inception_5x5": Block("5×5", 1.875, 1.7, 0.68, 1.0, _SPATIAL, ("first_dates",)),
    "inception_pool": Block("pool", 2.625, 1.7, 0.68, 1.0, _SPATIAL, ("first_dates",)),
}
_MODULE = {
    "first_dates": Block("first dates, stacked", 1.5, 0.4, 2.4, 0.6, _INPUT),
    **_BRANCHES,
    "inception": Block("stacked", 1.5, 3.1, 2.4, 0.8, _PLAIN, tuple(_BRANCHES)),
}


def _draw_layers(
    table: pd.DataFrame, blocks: Mapping[str, Block], down: float, width: float
) -> Figure:
    """Draw the layers that a network has, with the shapes and weights in its table."""
    figure, ax = _canvas(width, 3, down, down + 0.2)
    present = {name: block for name, block in blocks.items() if name in table.index}
    for name, block in present.items():
        # A block that has no room for a long line breaks it in two.
        has_room = block.width > 0.7
        shape = _shape(table["shape"][name])
        if is_narrow(width) and not has_room:
            size, _, channels = shape.rpartition("×")
            shape = f"{size}\n×{channels}"
        lines = [shape]
        weights = table["parameters"][name]
        if weights:
            separator = " " if has_room else "\n"
            lines.append(f"{weights:,}{separator}weights")
        _draw(ax, block, "\n".join(lines))
        for source in block.sources:
            if source in present:
                _connect(ax, present[source], block)
    return figure


def draw_method(table: pd.DataFrame, width: float = DESKTOP_WIDTH) -> Figure:
    """Draw the paper's Figure 5: from the series of both sensors to a score per class and pixel.

    Args:
        table: `layer_table` of a network; shapes are written without the batch.
        width: width of the figure, in inches.
    """
    table = table.copy()
    if "inception" in table.index:
        # The module is one block here. Its last layer joins the branches and has no weights.
        is_branch = table.index.str.startswith("inception")
        table.loc["inception", "parameters"] = table["parameters"][is_branch].sum()
    return _draw_layers(table, _METHOD, 6.3, width)


def draw_inception(table: pd.DataFrame, width: float = DESKTOP_WIDTH) -> Figure:
    """Draw the paper's Figure 7: the branches of the naive Inception module, side by side.

    Args:
        table: `layer_table` of the module.
        width: width of the figure, in inches.
    """
    return _draw_layers(table, _MODULE, 3.6, width)


#: Parts of the U-Net in the order of computation, by how their convolutions' names begin.
_ENCODER = tuple(f"block{stage}" for stage in range(1, 6))
_DECODER = tuple(f"decoder_stage{stage}" for stage in range(4, -1, -1))


def _stage(ax: Axes, table: pd.DataFrame, start: str, x: float, y: float, fill: str) -> None:
    """Draw a stage of the U-Net: the shape after it, its convolutions and its weights.

    Args:
        ax: where to draw.
        table: the table of the U-Net's layers.
        start: how the names of the stage's layers begin.
        x: middle of the block.
        y: middle of the block.
        fill: colour of the block.
    """
    layers = table[table.index.str.startswith(start)]
    convolutions = layers[layers["kind"] == "Conv2D"]
    block = Block(_shape(convolutions["shape"].iloc[-1]), x, y, 1.65, 0.66, fill)
    _draw(ax, block, f"{len(convolutions)} conv., {layers['parameters'].sum():,}")


def draw_unet(table: pd.DataFrame, width: float = DESKTOP_WIDTH) -> Figure:
    """Draw the U-Net: encoder down the left, decoder up the right, skips between.

    Args:
        table: `layer_table` of a U-Net of a fixed image size.
        width: width of the figure, in inches.
    """
    figure, ax = _canvas(width, 4, 6.6, 5.6)
    left = 0.85  # middle of the encoder's blocks
    right = 3.15
    half = 0.33  # half the height of a block
    joins = table.index[table["kind"] == "Concatenate"]
    with_skip = set(joins.str.replace("_concat", ""))
    last = len(_ENCODER) - 1
    for row, (encoder, decoder) in enumerate(zip(_ENCODER, _DECODER, strict=True)):
        y = 0.75 + row
        _stage(ax, table, encoder, left, y, _SERIES)
        _stage(ax, table, decoder, right, y, _UNET)
        if decoder in with_skip:
            _arrow(ax, (1.68, y), (2.32, y), linestyle="--")
        # Down to the next stage and up from it; at the bottom to and from the centre.
        below_left = (left, y + 1 - half) if row < last else (1.3, y + 0.84)
        below_right = (right, y + 1 - half) if row < last else (2.7, y + 0.84)
        _arrow(ax, (left, y + half), below_left)
        _arrow(ax, below_right, (right, y + half))
    _stage(ax, table, "centre", 2, 5.95, _INPUT)

    channels = table["shape"].iloc[0][-1]
    ax.text(left, 0.3, f"{channels} channels in", ha="center", va="bottom")
    logits = table.loc["logits"]
    text = f"logits: {logits['shape'][-1]} classes, {logits['parameters']:,} weights"
    ax.text(right, 0.3, text, ha="center", va="bottom")
    return figure


def gate_images(
    quantities: Mapping[str, np.ndarray],
    dates: Sequence[str],
    limits: Mapping[str, tuple],
    width: float = DESKTOP_WIDTH,
) -> Figure:
    """Draw images over dates, one row per quantity, each row with its own colour bar.

    Args:
        quantities: label to `(dates, height, width)`.
        dates: titles of the columns.
        limits: label to least and largest value shown; signed ranges are drawn blue to red.
        width: width of the figure, in inches.
    """
    across = len(dates)
    rows = len(quantities)
    height = width / (across + 0.9) + 0.15  # the images are square, beside a colour bar
    figure, axes = panels(across * rows, width, (across, across), height)
    # Beside square images the layout leaves the names of the rows a little too narrow a margin.
    margin = 0.1 / width
    figure.get_layout_engine().set(w_pad=0.03, rect=(margin, 0, 1 - margin, 1))
    grid = axes.reshape(rows, across)
    for row, (label, images) in zip(grid, quantities.items(), strict=True):
        low, high = limits[label]
        colors = "RdBu_r" if low < 0 else "viridis"
        for ax, image in zip(row, images, strict=True):
            drawn = ax.imshow(image, colors, vmin=low, vmax=high)
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set_visible(False)
        row[0].set_ylabel(label)
        # Values beyond the limits have the colour of the nearer end, which then has an arrow.
        beyond = {(True, True): "both", (True, False): "min", (False, True): "max"}
        extend = beyond.get((images.min() < low, images.max() > high), "neither")
        figure.colorbar(drawn, ax=row.tolist(), shrink=0.85, ticks=[low, high], extend=extend)
    for ax, date in zip(grid[0], dates, strict=True):
        ax.set_title(date)
    return figure
