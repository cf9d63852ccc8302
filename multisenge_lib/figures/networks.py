"""The paper's Figures 5 to 7 and the U-Net, drawn: blocks at given places, the model's numbers.

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


def _draw(ax: Axes, block: Block, title: str, text: str = "") -> None:
    corner = (block.x - block.width / 2, block.y - block.height / 2)
    box = FancyBboxPatch(
        corner, block.width, block.height, boxstyle="round,pad=0,rounding_size=.06"
    )
    box.set(facecolor=block.fill, edgecolor=_LINE, linewidth=0.9, zorder=2)
    ax.add_patch(box)
    options = {"ha": "center", "fontsize": LEAST, "zorder": 3, "linespacing": 1.3}
    if text:
        ax.text(block.x, block.y, f"{text}", va="top", **options)
    where = {"va": "bottom" if text else "center"}
    ax.text(block.x, block.y, title, fontweight="bold", **where, **options)


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


#: Where the parts of the whole method stand: what they are called, three columns, top to bottom.
_METHOD = {
    "s1": ("Sentinel-1", Block(0.5, 0.4, 0.9, 0.7, _INPUT)),
    "s2": ("Sentinel-2", Block(2.5, 0.4, 0.9, 0.7, _INPUT)),
    "s1_standardise": ("standardise", Block(0.5, 1.4, 0.9, 0.6, _PLAIN)),
    "s2_standardise": ("standardise", Block(2.5, 1.4, 0.9, 0.6, _PLAIN)),
    "first_dates": ("first dates", Block(1.5, 1.4, 0.8, 0.7, _PLAIN)),
    "s1_convlstm": ("ConvLSTM", Block(0.5, 2.7, 0.9, 1.0, _SERIES)),
    "inception": ("Inception", Block(1.5, 2.7, 0.9, 1.0, _SPATIAL)),
    "s2_convlstm": ("ConvLSTM", Block(2.5, 2.7, 0.9, 1.0, _SERIES)),
    "features": ("stacked", Block(1.5, 3.95, 2.9, 0.7, _PLAIN)),
    "unet": ("U-Net with the encoder of VGG-16", Block(1.5, 5.1, 2.9, 0.8, _UNET)),
}
_METHOD_ARROWS = (
    *((sensor, f"{sensor}_standardise") for sensor in ("s1", "s2")),
    *((f"{sensor}_standardise", f"{sensor}_convlstm") for sensor in ("s1", "s2")),
    ("first_dates", "inception"),
    *((part, "features") for part in ("s1_convlstm", "inception", "s2_convlstm")),
    ("features", "unet"),
)


def draw_method(table: pd.DataFrame, width: float = WIDE) -> Figure:
    """The paper's Figure 5: from the series of both sensors to a score for each class and pixel.

    Args:
        table: `models.architecture` of a network; shapes are written without the batch.
        width: of the figure, inches.
    """
    figure, ax = _canvas(width, 3, 6.2, 6.4)
    weights = table["parameters"].copy()
    weights["inception"] = weights[table.index.str.startswith("inception")].sum()
    for name, (title, block) in _METHOD.items():
        if name in table.index:
            lines = ["" if name == "unet" else _shape(table["shape"][name])]
            lines += [f"{weights[name]:,}", "weights"] if weights[name] else []
            apart = " " if name == "unet" else "\n"
            _draw(ax, block, title, apart.join(filter(None, lines)))
    for start, end in _METHOD_ARROWS:
        if {start, end} <= set(table.index):
            _flow(ax, _METHOD[start][1], _METHOD[end][1])
    if "first_dates" in table.index:
        _arrow(ax, (0.95, 1.4), (1.1, 1.4))
        _arrow(ax, (2.05, 1.4), (1.9, 1.4))
    _arrow(ax, (1.5, 5.5), (1.5, 5.85))
    logits = f"scores of the classes: {_shape(table['shape']['unet'])}"
    ax.text(1.5, 5.9, logits, ha="center", va="top", fontweight="bold")
    return figure


_BRANCHES = {"1x1": 0.45, "3x3": 1.25, "5x5": 2.05, "pool": 2.85}


def draw_inception(table: pd.DataFrame, width: float = WIDE) -> Figure:
    """The paper's Figure 7: the branches of the naive Inception module, side by side.

    Args:
        table: `models.architecture` of the module.
        width: of the figure, inches.
    """
    figure, ax = _canvas(width, 3.3, 4, 3.6)
    image = Block(1.65, 0.4, 2.4, 0.65, _INPUT)
    joined = Block(1.65, 3.55, 2.4, 0.7, _PLAIN)
    _draw(ax, image, "first date of the sensors, stacked", _shape(table["shape"].iloc[0]))
    for branch, x in _BRANCHES.items():
        if (name := f"inception_{branch}") in table.index:
            block = Block(x, 1.95, 0.76, 1.3, _SPATIAL)
            row = table.loc[name]
            text = f"{row['shape'][-1]} channels\n"
            text += f"{row['parameters']:,}\nweights" if row["parameters"] else "no weights"
            _draw(ax, block, "3×3\nmaximum" if branch == "pool" else branch.replace("x", "×"), text)
            _arrow(ax, (x, 0.725), (x, 1.3))
            _arrow(ax, (x, 2.6), (x, 3.2))
    _draw(ax, joined, "stacked", _shape(table["shape"]["inception"]))
    return figure


#: The gates of the cell, left to right: sign, function, what its kernel makes of X and H.
_GATES = {"f": (0.8, "σ"), "i": (1.6, "σ"), "g": (2.4, "tanh"), "o": (3.2, "σ")}


def _line(ax: Axes, *points: tuple[float, float], arrow: bool = True) -> None:
    x, y = zip(*points, strict=True)
    ax.plot(x, y, color=_LINE, lw=1.2, zorder=1, solid_joinstyle="miter")
    if arrow:
        (x0, y0), (x1, y1) = points[-2:]
        _arrow(ax, (x1 - (x1 - x0) * 0.02, y1 - (y1 - y0) * 0.02), (x1, y1))


def _point(ax: Axes, x: float, y: float, sign: str) -> None:
    """A product or sum, pixel by pixel."""
    face = {"boxstyle": "circle,pad=0.22", "facecolor": "#ffffff", "edgecolor": _LINE}
    ax.text(x, y, sign, ha="center", va="center", bbox=face, zorder=4, fontsize=LEAST + 1)


def _draw_gates(ax: Axes, filters: int) -> None:
    for name, (x, function) in _GATES.items():
        _line(ax, (x, 3.55), (x, 2.75))
        _draw(ax, Block(x, 2.5, 0.6, 0.5, _SERIES), function)
        ax.text(x + 0.07, 3.02, f"${name}$" if name != "g" else "new", va="center")
        ax.text(x, 3.3, f"{filters}", ha="center", va="center", bbox={"fc": "white", "ec": "none"})


def draw_cell(kernel: Sequence[int], recurrent: Sequence[int], width: float = WIDE) -> Figure:
    """The paper's Figure 6: one date of the ConvLSTM, Eq. 3 without its peephole terms.

    Args:
        kernel: shape of the kernel over the image: rows, columns, bands, 4 x filters.
        recurrent: shape of the kernel over the hidden state.
        width: of the figure, inches.
    """
    figure, ax = _canvas(width, 4.6, 5.3, 4.6)
    ax.add_patch(
        FancyBboxPatch((0.35, 0.3), 3.6, 3.9, boxstyle="round,pad=0", fc="#f7f7f7", ec="#aaa")
    )
    _line(ax, (0.05, 0.8), (4.35, 0.8))  # the cell runs along the top
    _draw_gates(ax, recurrent[2])
    _line(ax, (0.8, 2.25), (0.8, 0.98))
    _line(ax, (1.6, 2.25), (1.6, 1.6), (1.85, 1.6))
    _line(ax, (2.4, 2.25), (2.4, 1.6), (2.15, 1.6))
    _line(ax, (2.0, 1.45), (2.0, 0.98))
    _line(ax, (3.6, 0.8), (3.6, 1.2), arrow=False)
    _line(ax, (3.6, 1.2), (3.6, 1.72))
    _line(ax, (3.2, 2.25), (3.2, 1.9), (3.45, 1.9))
    _line(ax, (3.75, 1.9), (4.35, 1.9))
    _draw(ax, Block(3.6, 1.25, 0.5, 0.36, _SERIES), "tanh")
    for x, y, sign in ((0.8, 0.8, "⊙"), (2.0, 0.8, "+"), (2.0, 1.6, "⊙"), (3.6, 1.9, "⊙")):
        _point(ax, x, y, sign)
    _draw(ax, Block(2.0, 3.75, 2.9, 0.45, _SPATIAL), f"convolutions, {_shape(kernel[:2])}, and sum")
    _line(ax, (0.05, 3.75), (0.55, 3.75))
    _line(ax, (2.0, 4.75), (2.0, 3.98))
    texts = {
        (0.0, 0.62): "$C_{t-1}$", (4.38, 0.8): "$C_t$", (4.38, 1.9): "$H_t$",
        (0.0, 3.57): "$H_{t-1}$",
    }  # fmt: skip
    for (x, y), text in texts.items():
        ax.text(x, y, text, va="center", fontsize=LEAST + 2)
    image = f"$X_t$: image of date $t$, {kernel[2]} bands\n{np.prod(kernel) + np.prod(recurrent):,}"
    ax.text(2.0, 4.8, f"{image} weights and {kernel[3]} biases", ha="center", va="top")
    return figure


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
