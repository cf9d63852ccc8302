"""How every figure looks, and how it is shown: in the book's column, and narrow on a phone.

A drawing function takes `width` in inches and lays its panels out by it, so that text is as large
on a phone as on a desktop. `responsive_figure` draws a figure in both widths and lets the page
choose.
"""

import base64
import io
import textwrap
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba_array
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch as Swatch
from matplotlib.patheffects import Normal, Stroke
from scipy.optimize import isotonic_regression

from multisenge_lib.chapters.figure_check import find_text_faults
from multisenge_lib.chapters.html import Html
from multisenge_lib.dataset import Typology

#: Inches: the book's text column on a desktop, and on a phone of 390 pixels.
DESKTOP_WIDTH = 7.8
PHONE_WIDTH = 3.7
#: Points: no text of a figure is smaller than this where it is shown.
MIN_FONT_SIZE = 9
#: Pixels of a window below which the narrow figure is shown.
_PHONE_PIXELS = 720
#: Where several sources share a figure, orange is the paper, blue is others, and green is this
#: book's sample. A figure of other things uses at most one of the three. A single series is blue.
BLUE = "#2b6ca3"
GREEN = "#1f6b3a"
ORANGE = "#a86400"
RED = "#b3261e"
GREY = "#767676"
BLACK = "#1c1c1c"
#: Colours of splits, and of what is measured on them.
SPLIT_COLORS = {"train": "#8546b9", "validation": "#12a18e", "test": "#7d0f3c"}
SPLIT_MARKERS = {"train": "o", "validation": "s", "test": "D"}
SAMPLE_MARK = "synthetic sample, not the paper's data"
#: Inches on each side of a panel: the last number of an axis must not seem to go on in the next.
_PANEL_PAD = 0.08
#: The share of a colour map that a matrix uses: black numbers are hard to read on the rest.
_MATRIX_COLORS = 0.7
#: Inches that the mark of the sample adds to a figure.
_MARK_HEIGHT = 0.27


def use_style() -> None:
    """Set the look of every figure of the book."""
    plt.style.use(Path(__file__).with_name("figures.mplstyle"))


def is_narrow(width: float) -> bool:
    """Whether a figure of this width is the one for a phone."""
    return width < (DESKTOP_WIDTH + PHONE_WIDTH) / 2


def columns_for(width: float, columns: tuple[int, int]) -> int:
    """Choose the number of panels in a row.

    Args:
        width: width of the figure, in inches.
        columns: the numbers for the book's column and for a phone.
    """
    desktop, phone = columns
    return phone if is_narrow(width) else desktop


def panels(
    count: int, width: float, columns: tuple[int, int], height: float, **options: Any
) -> tuple[Figure, np.ndarray]:
    """Make a figure with some panels; surplus axes in the last row are off.

    Args:
        count: number of panels.
        width: width of the figure, in inches.
        columns: panels in a row, in the book's column and on a phone.
        height: height of a row, in inches.
        options: options of `plt.subplots`.

    Returns:
        The figure and its axes, `(count,)`, row by row.
    """
    across = min(columns_for(width, columns), max(1, count))
    rows = max(1, -(-count // across))  # rounded up
    options = {"layout": "constrained", "squeeze": False} | options
    figure, axes = plt.subplots(rows, across, figsize=(width, rows * height), **options)
    if across > 1 and options["layout"] == "constrained":
        figure.get_layout_engine().set(w_pad=_PANEL_PAD)
    for ax in axes.flat[count:]:
        ax.set_axis_off()
    return figure, axes.ravel()[:count]


def _grow(figure: Figure, inches: float) -> None:
    figure.set_figheight(figure.get_figheight() + inches)


def mark_sample(figure: Figure) -> None:
    """Write on a figure that it shows the sample, so that the words stay when it is copied."""
    _grow(figure, _MARK_HEIGHT)
    top = 1 - _MARK_HEIGHT / figure.get_figheight()
    layout = figure.get_layout_engine()
    left, bottom, across, _ = layout.get()["rect"]  # a figure may have margins of its own
    layout.set(rect=(left, bottom, across, top - bottom))
    box = {"facecolor": "#fff1d6", "edgecolor": "#8a5a00", "linewidth": 0.8, "pad": 2.5}
    figure.text(
        0.08 / figure.get_figwidth(),
        (1 + top) / 2,
        SAMPLE_MARK,
        va="center",
        color="#5c3c00",
        fontsize=MIN_FONT_SIZE,
        bbox=box,
    )


def _image_attributes(figure: Figure) -> tuple[str, str]:
    """Write a figure as the address of an image and its size, and close it."""
    webp = io.BytesIO()
    compression = {"quality": 90, "method": 6}
    # 144 dots per inch at 96 pixels of the page per inch: sharp on a dense screen.
    figure.savefig(webp, format="webp", dpi=144, facecolor="white", pil_kwargs=compression)
    width, height = 96 * figure.get_size_inches()
    plt.close(figure)
    data = base64.b64encode(webp.getvalue()).decode()
    return f"data:image/webp;base64,{data}", f'width="{width:.0f}" height="{height:.0f}"'


def responsive_figure(
    draw: Callable[..., Figure], *args: Any, alt: str, sample: bool = False, **options: Any
) -> Html:
    """Show a figure as the book does: drawn twice, for a desktop and for a phone.

    Args:
        draw: a drawing function that takes `width`, inches.
        args: its arguments.
        alt: what the figure shows, in words, for readers who cannot see it.
        sample: whether it shows the sample, which is then written on it.
        options: further arguments of `draw`.

    Returns:
        The two images. Text that is cut off or lies on other text is named in the attribute
        `data-text-faults`; a test of the built book fails where there is one.
    """
    images = []
    faults: list[str] = []
    for width in (DESKTOP_WIDTH, PHONE_WIDTH):
        figure = draw(*args, width=width, **options)
        if sample:
            mark_sample(figure)
        faults += find_text_faults(figure)
        images.append(_image_attributes(figure))
    (wide, wide_size), (narrow, narrow_size) = images
    # A sheet of paper is as narrow as a phone, but what is printed on it can be read closely.
    on_a_phone = f"screen and (max-width: {_PHONE_PIXELS}px)"
    mark = f' data-text-faults="{escape("; ".join(faults))}"' if faults else ""
    return Html(
        f"<picture{mark}>"
        f'<source media="{on_a_phone}" srcset="{narrow}" {narrow_size}>'
        f'<img class="drawn" src="{wide}" {wide_size} alt="{escape(alt)}" loading="lazy"></picture>'
    )


def show(ax: Axes, image: np.ndarray, title: str = "", typology: Typology | None = None) -> Axes:
    """Show an image without axis marks.

    With a typology, the image is a map of its class ids; no data, 0, is white.
    """
    if typology is not None:
        colors = to_rgba_array(("#ffffff", *typology.colors))
        image = colors[image]
    ax.imshow(image, interpolation="nearest")
    ax.set(xticks=[], yticks=[])
    ax.set_title(title, loc="left")
    ax.spines[:].set_visible(False)
    return ax


def draw_matrix(
    ax: Axes,
    values: np.ndarray,
    columns: Sequence[object],
    rows: Sequence[object],
    highest: float,
    *,
    texts: np.ndarray | None = None,
    colors: str = "Blues",
    font_size: float = MIN_FONT_SIZE,
) -> None:
    """Draw a matrix as coloured cells with a text in each.

    Args:
        ax: where to draw.
        values: `(rows, columns)`, from 0. A cell of NaN stays empty.
        columns: labels of the columns.
        rows: labels of the rows.
        highest: the largest value that can occur.
        texts: `(rows, columns)` of str, what stands in the cells; None for whole numbers.
        colors: name of the colour map.
        font_size: of the texts, in points.
    """
    from seaborn import heatmap  # loaded here, because only a few figures draw a matrix

    heatmap(
        values,
        ax=ax,
        cmap=colors,
        vmin=0,
        vmax=highest / _MATRIX_COLORS,
        annot=True if texts is None else texts,
        fmt=".0f" if texts is None else "",
        annot_kws={"size": font_size, "color": "black"},
        cbar=False,
        square=True,
        xticklabels=False,
        yticklabels=False,
    )
    # A label stands at the middle of its cells, and is never turned.
    ax.set_xticks(np.arange(len(columns)) + 0.5, columns)
    ax.set_yticks(np.arange(len(rows)) + 0.5, rows)
    ax.tick_params(length=0, labelrotation=0)
    # Square cells are narrower than their panel. They stand at its left, beside their labels.
    ax.set_anchor("W")


def image_grid(
    images: Sequence[tuple[str, np.ndarray, Typology | None]],
    columns: tuple[int, int],
    width: float = DESKTOP_WIDTH,
) -> Figure:
    """Show images and maps row by row, with the legend of the classes in the maps.

    Args:
        images: title; image `(height, width, 3)`, 0 to 1, or map of ids `(height, width)`; the
            map's typology, None for an image. The legend is that of the first map's typology.
        columns: in a row, in the book's column and on a phone.
        width: width of the figure, in inches.
    """
    title_lines = 0
    for title, _, _ in images:
        lines = title.count("\n") + 1 if title else 0
        title_lines = max(title_lines, lines)
    across = min(columns_for(width, columns), len(images))
    # Inches: of a line of a title, and of the space around titles, which a single row needs most.
    height = width / across + 0.15 * title_lines + (0.12 if title_lines else 0)
    figure, axes = panels(len(images), width, columns, height)
    # Above square images the layout leaves titles too little room; the pads make up for it.
    figure.get_layout_engine().set(w_pad=0.1, h_pad=0.1)

    legend_typology = None
    legend_ids: set[int] = set()
    for ax, (title, image, typology) in zip(axes, images, strict=True):
        show(ax, image, title, typology)
        if typology is None:
            continue
        legend_typology = legend_typology or typology
        if typology is legend_typology:
            legend_ids.update(np.unique(image).tolist())
    if legend_typology is not None:
        class_legend(figure, legend_typology, sorted(legend_ids))
    return figure


def class_label(typology: Typology, class_id: int, line: int = 0) -> str:
    """Write a class as every figure does: `1 Dense Built-Up`.

    Args:
        typology: the typology of the class.
        class_id: from 1.
        line: letters after which a long name is broken; 0 for never.
    """
    label = f"{class_id} {typology.names[class_id - 1]}"
    return textwrap.fill(label, line) if line else label


def text_legend(figure: Figure, typology: Typology, before: Sequence[Artist] = ()) -> None:
    """Name the classes below a figure that shows their numbers but not their colours.

    Args:
        figure: grows by the legend's height.
        typology: the classes that are shown.
        before: other handles with labels, which come first.
    """
    names = []
    for class_id in typology.ids:
        names.append(Line2D([], [], linestyle="", label=class_label(typology, class_id)))
    lower_legend(figure, [*before, *names])


def class_legend(
    figure: Figure,
    typology: Typology,
    ids: Sequence[int],
) -> None:
    """Draw the legend of the classes below a figure, in as many columns as fit.

    Args:
        figure: grows by the legend's height.
        typology: the classes that are shown.
        ids: ids of the classes to show.
    """
    swatches = []
    for land_cover in typology.classes:
        if land_cover.id in ids:
            label = class_label(typology, land_cover.id)
            swatches.append(
                Swatch(facecolor=land_cover.color, label=label, edgecolor="#555555", linewidth=0.6)
            )
    lower_legend(figure, swatches)


def lower_legend(figure: Figure, handles: Sequence[Artist]) -> None:
    """Draw a legend below a figure, which grows by it; without handles there is none."""
    if not handles:
        return
    longest = max(len(handle.get_label()) for handle in handles)
    # Inches of a legend's column at this font size: the handle, and 0.074 for each letter.
    column_width = 0.5 + 0.074 * longest
    fitting = max(1, int(figure.get_figwidth() / column_width))
    columns = min(fitting, len(handles))
    rows = -(-len(handles) // columns)  # rounded up
    _grow(figure, 0.1 + 0.19 * rows)
    figure.legend(
        handles=handles,
        ncols=columns,
        loc="outside lower center",
        fontsize=MIN_FONT_SIZE,
        handlelength=1.4,
    )


def name_rows(ax: Axes, labels: Sequence[str], is_named: bool = True) -> np.ndarray:
    """Name the rows of a chart, the first on top, and return their heights.

    Args:
        ax: the panel.
        labels: one name per row.
        is_named: False for a panel whose rows have their names in the panel on its left.
    """
    heights = np.arange(len(labels))
    ax.set_yticks(heights, labels if is_named else [""] * len(labels))
    ax.set_ylim(len(labels) - 0.4, -0.6)  # from the bottom to the top, so the first row is on top
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="x", lw=0.4)
    return heights


def interval_limits(
    values: Sequence[float], lows: Sequence[float], highs: Sequence[float]
) -> tuple[float, float]:
    """Choose the ends of an axis on which values are drawn with their intervals.

    An interval from two seeds can be ten times as wide as the distance between the values. So the
    axis shows the values, and at most half of their range beyond them.

    Args:
        values: what is drawn as points; one or more.
        lows: lower ends of intervals; NaN where there is none.
        highs: upper ends, likewise.
    """
    smallest = np.min(values)
    largest = np.max(values)
    room = max(largest - smallest, 0.02)
    low = max(np.nanmin([smallest, *lows]), smallest - room / 2)
    high = min(np.nanmax([largest, *highs]), largest + room / 2)
    return low - 0.06 * room, high + 0.06 * room


def draw_intervals(
    ax: Axes,
    heights: Sequence[float],
    lows: Sequence[float],
    highs: Sequence[float],
    limits: tuple[float, float],
    color: str,
) -> None:
    """Draw intervals as lines; an arrow where one goes on beyond the axis.

    Args:
        ax: whose horizontal axis gets these limits.
        heights: heights of the lines.
        lows: left ends; NaN where there is no interval.
        highs: right ends, likewise.
        limits: ends of the axis.
        color: color of the lines.
    """
    first, last = limits
    left = np.maximum(lows, first)  # a missing end stays missing
    right = np.minimum(highs, last)
    ax.hlines(heights, left, right, color=color, lw=2)
    for height, low, high in zip(heights, lows, highs, strict=True):
        if low < first:
            ax.scatter(first, height, 34, color, marker="<", clip_on=False)
        if high > last:
            ax.scatter(last, height, 34, color, marker=">", clip_on=False)
    ax.set_xlim(limits)


def outlined(width: float, color: str = "#333333") -> list[Stroke | Normal]:
    """Give the path effects of an outlined line or letter, so that any class colour shows."""
    return [Stroke(linewidth=width, foreground=color), Normal()]


def spread_labels(values: np.ndarray, apart: float) -> np.ndarray:
    """Place labels near `values`, in the same order and at least `apart` from each other.

    After the gaps are subtracted, "at least apart" means "not decreasing", so that the nearest
    places are an isotonic regression.
    """
    order = np.argsort(values)
    gaps = apart * np.arange(len(values))
    in_order = np.asarray(values)[order]
    placed = np.empty(len(values))
    placed[order] = isotonic_regression(in_order - gaps).x + gaps
    return placed


#: Directions in which a label may stand from its point, the preferred ones first.
_DIRECTIONS = np.array([(1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1)])


def place_labels(
    points: np.ndarray, distance: float, obstacles: np.ndarray | None = None
) -> np.ndarray:
    """Choose a place beside each point that no other point or label takes.

    Args:
        points: `(points, 2)`, in units in which both axes are as long.
        distance: from a point to the middle of its label.
        obstacles: `(obstacles, 2)`, other places that labels keep away from, such as those along a
            line; None for none.

    Returns:
        `(points, 2)`, the middles of the labels.
    """
    occupied = [np.asarray(point, float) for point in points]
    if obstacles is not None:
        occupied += list(obstacles)
    places = []
    for point in points:
        best = None
        best_room = -1.0
        for reach in (1.0, 1.8):  # a longer way only where none of the near places is free
            for direction in _DIRECTIONS:
                place = point + distance * reach * direction / np.linalg.norm(direction)
                others = [other for other in occupied if not np.array_equal(other, point)]
                nearest = min((np.linalg.norm(place - other) for other in others), default=9.0)
                room = min(nearest, 1.2 * distance)  # more room than this is no better
                if room > best_room + 1e-9:
                    best = place
                    best_room = room
        places.append(best)
        occupied.append(best)
    return np.array(places)
