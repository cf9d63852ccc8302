"""Figures of the method chapters: nine pixels, gates, receptive fields, learning rates."""

import textwrap
from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch as Swatch
from matplotlib.patches import Rectangle

from multisenge_lib.chapters.style import (
    BLUE,
    DESKTOP_WIDTH,
    GREY,
    class_legend,
    draw_matrix,
    is_narrow,
    lower_legend,
    outlined,
    panels,
    show,
)
from multisenge_lib.dataset import Typology

_ORANGE = "#b8720a"
#: Bright, for squares on a dark image, from the smallest to the largest.
_SQUARE_COLORS = ("#ffffff", "#ffd92f", "#7fd0ff", "#ff9ac8")
#: Lines that are told apart by their dashes too.
_DASHES = ("-", "--", ":", "-.")
_LINE_COLORS = ("#1c1c1c", BLUE, _ORANGE, "#7d0f3c")


# --- Scores ---


def nine_pixels(
    reference: np.ndarray,
    predicted: np.ndarray,
    confusion: np.ndarray,
    typology: Typology,
    width: float = DESKTOP_WIDTH,
) -> Figure:
    """Draw a tiny reference, a map of it, and the confusion matrix of the two.

    Args:
        reference: `(rows, columns)`, ids from 1.
        predicted: the same shape; a pixel that differs is marked by a cross.
        confusion: their confusion matrix, rows reference, columns predicted.
        typology: the classes that are shown.
        width: width of the figure, in inches.
    """
    figure, axes = panels(3, width, (3, 1), 2.5)
    nothing_wrong = np.zeros(reference.shape, bool)
    _draw_ids(axes[0], reference, nothing_wrong, typology, "Reference")
    _draw_ids(axes[1], predicted, predicted != reference, typology, "Map (× = wrong)")
    _draw_counts(axes[2], confusion)
    class_legend(figure, typology, sorted(np.unique(reference).tolist()))
    return figure


def _draw_ids(
    ax: Axes, ids: np.ndarray, is_wrong: np.ndarray, typology: Typology, title: str
) -> None:
    show(ax, ids, title, typology)
    for (row, column), class_id in np.ndenumerate(ids):
        cross = " ×" if is_wrong[row, column] else ""
        text = ax.text(column, row, f"{class_id}{cross}", ha="center", va="center", size=12)
        text.set(color="black", fontweight="bold", path_effects=outlined(3, "white"))


def _draw_counts(ax: Axes, confusion: np.ndarray) -> None:
    ids = list(range(1, len(confusion) + 1))
    draw_matrix(ax, confusion, columns=ids, rows=ids, highest=confusion.max(), font_size=12)
    ax.set(xlabel="Class on the map", ylabel="Class of the reference")
    ax.set_title("Confusion matrix, pixels", loc="left")


def loss_shares(shares: pd.DataFrame, width: float = DESKTOP_WIDTH) -> Figure:
    """Draw the share of each class in the loss, one bar per column.

    Args:
        shares: one row per class, named "1 Dense Built-Up"; two columns of shares, 0 to 1.
        width: width of the figure, in inches.
    """
    height = 0.46 * len(shares) + 0.9
    figure, ax = plt.subplots(figsize=(width, height), layout="constrained")
    rows = np.arange(len(shares))
    for position, (name, color) in enumerate(zip(shares, (GREY, BLUE), strict=True)):
        offset = (position - 0.5) * 0.38
        bars = ax.barh(rows + offset, 100 * shares[name], 0.36, color=color, label=name)
        ax.bar_label(bars, fmt="{:.2g}%", padding=3)
    labels = list(shares.index)
    if is_narrow(width):
        labels = [textwrap.fill(label, 18) for label in labels]
    ax.set_yticks(rows, labels)
    ax.invert_yaxis()
    # The longest bar leaves room for its number.
    right = 130 if is_narrow(width) else 112
    ax.set(xlim=(0, right), xticks=range(0, 101, 20), xlabel="Share of the first loss (%)")
    lower_legend(figure, ax.get_legend_handles_labels()[0])
    return figure


# --- The ConvLSTM ---


def forget_curves(
    cells: Mapping[str, Sequence[float]], dates: Sequence[str], width: float = DESKTOP_WIDTH
) -> Figure:
    """Draw what is left in a memory cell, date by date, one line per forget gate.

    Args:
        cells: the cell at each date, by what the line is called.
        dates: how to call each date.
        width: width of the figure, in inches.
    """
    figure, ax = plt.subplots(figsize=(min(width, 5.6), 2.6), layout="constrained")
    styles = zip(_DASHES, _LINE_COLORS, "osD^", strict=True)
    for (name, values), (dashes, color, marker) in zip(cells.items(), styles, strict=False):
        ax.plot(dates, values, dashes, color=color, marker=marker, label=name)
    ax.set(ylabel="Cell C", ylim=(-0.05, 1.1), xlabel="Date")
    lower_legend(figure, ax.get_lines())
    return figure


# --- The U-Net ---


def receptive_fields(
    image: np.ndarray,
    place: tuple[int, int],
    near: Mapping[str, int],
    far: Mapping[str, int],
    width: float = DESKTOP_WIDTH,
) -> Figure:
    """Draw how much ground a value of a network sees, as squares on a real image of 10 m pixels.

    Args:
        image: `(height, width, 3)`, 0 to 1.
        place: row and column of the pixel that sees.
        near: sides of the small squares in pixels, by name; drawn on a piece of the image.
        far: sides of the large ones, drawn on the whole.
        width: width of the figure, in inches.
    """
    figure, axes = panels(2, width, (2, 1), width if is_narrow(width) else 0.5 * width)
    row, column = place
    half = max(near.values())  # the piece is twice as wide as the largest of its squares
    piece = (column - half, column + half, row + half, row - half)
    handles = []
    for ax, squares in zip(axes, (near, far), strict=True):
        show(ax, image)
        handles += _draw_squares(ax, place, squares)
    axes[0].set(xlim=piece[:2], ylim=piece[2:])
    axes[0].set_title(f"{20 * half} m around one pixel", loc="left")
    axes[1].set_title(f"{10 * len(image):,} m: the whole village", loc="left")
    lower_legend(figure, handles)
    return figure


def _draw_squares(ax: Axes, place: tuple[int, int], squares: Mapping[str, int]) -> list[Swatch]:
    """Draw squares around a pixel; give the handles of their legend."""
    row, column = place
    handles = []
    for (name, side), color in zip(squares.items(), _SQUARE_COLORS, strict=False):
        corner = (column - side / 2, row - side / 2)
        edge = Rectangle(corner, side, side, fill=False, edgecolor=color, linewidth=2)
        edge.set_path_effects(outlined(3.4))
        ax.add_patch(edge)
        label = f"{name}: {10 * side:,} m"
        handles.append(Swatch(facecolor=color, edgecolor="#333333", label=label))
    return handles


# --- Training ---


def rate_curves(rates: Mapping[str, Sequence[float]], width: float = DESKTOP_WIDTH) -> Figure:
    """Draw the learning rate over the epochs, one line per rule, on a logarithmic axis.

    Args:
        rates: the rate of each epoch, from the first, by the name of the rule.
        width: width of the figure, in inches.
    """
    figure, ax = plt.subplots(figsize=(min(width, 6.0), 2.7), layout="constrained")
    styles = zip(_DASHES, _LINE_COLORS, strict=True)
    for (name, values), (dashes, color) in zip(rates.items(), styles, strict=False):
        epochs = np.arange(1, len(values) + 1)
        ax.plot(epochs, values, dashes, color=color, drawstyle="steps-mid", label=name)
    ax.set(yscale="log", xlabel="Epoch", ylabel="Learning rate (logarithmic)")
    ax.xaxis.set_major_locator(plt.MaxNLocator(integer=True))
    lower_legend(figure, ax.get_lines())
    return figure
