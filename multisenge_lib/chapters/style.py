"""The look of every figure, and how it is shown: in the book's column, and narrow on a phone.

A drawing function takes `width` in inches and lays its panels out by it, so that text is as large
on a phone as on a desk. `picture` draws a figure in both widths and lets the page choose.
"""

import base64
import io
from collections.abc import Callable, Sequence
from html import escape
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from IPython.display import HTML
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba_array
from matplotlib.figure import Figure
from matplotlib.patches import Patch as Swatch
from matplotlib.patheffects import Normal, Stroke
from scipy.optimize import isotonic_regression

from multisenge_lib.dataset import Typology

#: Inches: the book's text column on a desk, and on a phone of 390 pixels.
DESKTOP_WIDTH, PHONE_WIDTH = 7.8, 3.7
#: Points: no text of a figure is smaller than this where it is shown.
MIN_FONT_SIZE = 9
#: Pixels of a window below which the narrow figure is shown.
_PHONE = 720
#: Colours of splits, and of what is measured on them.
SPLIT_COLORS = {"train": "#3a7cb8", "validation": "#b8720a", "test": "#7d0f3c"}
SAMPLE_MARK = "synthetic sample, not the paper's data"


def use_style() -> None:
    """The look of every figure of the book."""
    sns.set_theme(context="paper", style="ticks")
    of = ("axes.titlesize", "axes.labelsize", "xtick.labelsize", "ytick.labelsize")
    plt.rcParams |= dict.fromkeys((*of, "font.size", "legend.fontsize"), MIN_FONT_SIZE)
    plt.rcParams |= {"axes.spines.top": False, "axes.spines.right": False, "legend.frameon": False}


def panels(
    count: int, width: float, columns: tuple[int, int], height: float, **options: Any
) -> tuple[Figure, np.ndarray]:
    """A figure with so many panels; the axes that are left over are off.

    Args:
        count: panels.
        width: of the figure, inches.
        columns: in a row, in the book's column and on a phone.
        height: of a row, inches.
        options: of `plt.subplots`.

    Returns:
        The figure and its axes, `(count,)`, row by row.
    """
    across = min(columns[width < (DESKTOP_WIDTH + PHONE_WIDTH) / 2], max(1, count))
    rows = max(1, -(-count // across))
    size = (width, rows * height)
    options = {"layout": "constrained", "squeeze": False} | options
    figure, axes = plt.subplots(rows, across, figsize=size, **options)
    for ax in axes.flat[count:]:
        ax.set_axis_off()
    return figure, axes.ravel()[:count]


def _grow(figure: Figure, inches: float) -> None:
    figure.set_figheight(figure.get_figheight() + inches)


def mark_sample(figure: Figure) -> None:
    """Write on a figure that it shows the sample, so that the words stay when it is lifted out."""
    _grow(figure, 0.27)
    top = 1 - 0.27 / figure.get_figheight()
    figure.get_layout_engine().set(rect=(0, 0, 1, top))
    box = {"facecolor": "#fff1d6", "edgecolor": "#8a5a00", "linewidth": 0.8, "pad": 2.5}
    text = {"va": "center", "color": "#5c3c00", "fontsize": MIN_FONT_SIZE, "bbox": box}
    figure.text(0.08 / figure.get_figwidth(), (1 + top) / 2, SAMPLE_MARK, **text)


def _image(figure: Figure) -> tuple[str, str]:
    """A figure as an image's address and size: 96 pixels of the page an inch."""
    webp, (width, height) = io.BytesIO(), 96 * figure.get_size_inches()
    small = {"quality": 90, "method": 6}
    figure.savefig(webp, format="webp", dpi=144, facecolor="white", pil_kwargs=small)
    plt.close(figure)
    data = base64.b64encode(webp.getvalue()).decode()
    return f"data:image/webp;base64,{data}", f'width="{width:.0f}" height="{height:.0f}"'


def responsive_figure(
    draw: Callable[..., Figure], *args: Any, alt: str, sample: bool = False, **options: Any
) -> HTML:
    """A figure as the book shows it: drawn twice, for a desk and for a phone.

    Args:
        draw: a drawing function that takes `width`, inches.
        args: its arguments.
        alt: what the figure shows, in words, for who cannot see it.
        sample: whether it shows the sample, which is then written on it.
        options: further arguments of `draw`.
    """
    drawn = []
    for width in (DESKTOP_WIDTH, PHONE_WIDTH):
        figure = draw(*args, width=width, **options)
        if sample:
            mark_sample(figure)
        drawn.append(_image(figure))
    (wide, shown), (narrow, on_phone) = drawn
    return HTML(
        f'<picture><source media="(max-width: {_PHONE}px)" srcset="{narrow}" {on_phone}>'
        f'<img class="drawn" src="{wide}" {shown} alt="{escape(alt)}"></picture>'
    )


def show(ax: Axes, image: np.ndarray, title: str = "", typology: Typology | None = None) -> Axes:
    """An image without axis marks; with a typology a map of its ids, where no data is white."""
    if typology is not None:
        image = to_rgba_array(("#ffffff", *typology.colors))[image]
    ax.imshow(image, interpolation="nearest")
    ax.set(xticks=[], yticks=[])
    ax.set_title(title, loc="left")
    sns.despine(ax=ax, left=True, bottom=True)
    return ax


def image_grid(
    shown: Sequence[tuple[str, np.ndarray, Typology | None]],
    columns: tuple[int, int],
    width: float = DESKTOP_WIDTH,
) -> Figure:
    """Images and maps row by row, and the legend of the classes in the first map's typology.

    Args:
        shown: title; image `(height, width, 3)`, 0 to 1, or map of ids `(height, width)`; the
            map's typology, None for an image.
        columns: in a row, in the book's column and on a phone.
        width: of the figure, inches.
    """
    across = min(columns[width < (DESKTOP_WIDTH + PHONE_WIDTH) / 2], len(shown))
    title_lines = max(title.count("\n") + bool(title) for title, *_ in shown)
    figure, axes = panels(len(shown), width, columns, width / across + 0.15 * title_lines)
    for ax, (title, image, typology) in zip(axes, shown, strict=True):
        show(ax, image, title, typology)
    maps = [(ids, typology) for _, ids, typology in shown if typology is not None]
    first = maps[0][1]
    there = [np.unique(ids) for ids, typology in maps if typology is first]
    class_legend(figure, first, np.unique(np.concatenate(there)).tolist())
    return figure


def class_legend(
    figure: Figure,
    typology: Typology,
    ids: Sequence[int] | None = None,
    before: Sequence[Artist] = (),
) -> None:
    """The typology's legend below a figure, in as many columns as fit.

    Args:
        figure: grows by the legend's height.
        typology: of the classes.
        ids: of some classes only; None for all.
        before: other handles with labels, which come first.
    """
    look = {"edgecolor": "#555555", "linewidth": 0.6}
    shown = [c for c in typology.classes if ids is None or c.id in ids]
    swatches = [Swatch(facecolor=c.color, label=f"{c.id} {c.name}", **look) for c in shown]
    lower_legend(figure, [*before, *swatches])


def lower_legend(figure: Figure, handles: Sequence[Artist]) -> None:
    """A legend below a figure, which grows by it."""
    longest = max(len(handle.get_label()) for handle in handles)
    fitting = max(1, int(figure.get_figwidth() / (0.5 + 0.074 * longest)))
    columns = min(fitting, len(handles))
    _grow(figure, 0.1 + 0.19 * -(-len(handles) // columns))
    figure.legend(
        handles=handles,
        ncols=columns,
        loc="outside lower center",
        fontsize=MIN_FONT_SIZE,
        handlelength=1.4,
    )


def outlined(width: float, color: str = "#333333") -> list[Stroke | Normal]:
    """Path effects of a line or letter with an outline: any class colour shows on white."""
    return [Stroke(linewidth=width, foreground=color), Normal()]


def spread(values: np.ndarray, apart: float) -> np.ndarray:
    """Heights for labels near `values`, in their order and at least `apart` from each other."""
    order, steps = np.argsort(values), apart * np.arange(len(values))
    placed = np.empty(len(values))
    placed[order] = isotonic_regression(np.asarray(values)[order] - steps).x + steps
    return placed
