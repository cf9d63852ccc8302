"""Figures of the data chapters: how large a patch is, how dates are chosen, what splits hold."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import matplotlib.dates as mdates
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch as Swatch
from matplotlib.patches import Rectangle

from multisenge_lib.chapters.style import (
    BLUE,
    DESKTOP_WIDTH,
    GREY,
    MIN_FONT_SIZE,
    RED,
    SPLIT_COLORS,
    SPLIT_MARKERS,
    is_narrow,
    lower_legend,
    outlined,
    panels,
    show,
)
from multisenge_lib.dataset import MULTISENGE, PIXEL, TILE_PIXELS

_SHADE = "#eef3f8"
#: Kilometres along one pixel of Sentinel-2's 10 m bands.
_PIXEL = PIXEL / 1000
#: Pixels along the piece of the village in which single pixels are to be seen.
_DETAIL = 16


# --- How large a patch is -----------------------------------------------------------------------


def patch_scale(
    columns: Sequence[int],
    rows: Sequence[int],
    chosen: int,
    image: np.ndarray,
    detail: tuple[int, int],
    sample_pixels: int,
    width: float = DESKTOP_WIDTH,
) -> Figure:
    """Draw a tile with its patches, one patch with an image at its scale, and single pixels.

    Args:
        columns: column of the upper-left pixel of each patch of the tile.
        rows: row of the same pixel.
        chosen: which patch stands out.
        image: `(height, width, 3)`, 0 to 1, pixels of 10 m; drawn inside the outline of a patch.
        detail: row and column of the image where the piece with single pixels begins.
        sample_pixels: pixels along a patch of the sample, which is outlined too.
        width: width of the figure, in inches.
    """
    row_height = 0.95 * width if is_narrow(width) else 0.38 * width
    figure, axes = panels(3, width, (3, 1), row_height)
    _draw_tile(axes[0], columns, rows, chosen)
    _draw_patch(axes[1], image, detail, sample_pixels)
    _draw_pixels(axes[2], image, detail)
    return figure


def _draw_tile(ax: Axes, columns: Sequence[int], rows: Sequence[int], chosen: int) -> None:
    side = MULTISENGE.patch_pixels * _PIXEL
    for number, (column, row) in enumerate(zip(columns, rows, strict=True)):
        color = RED if number == chosen else BLUE
        corner = (column * _PIXEL, row * _PIXEL)
        # The edge covers the gap of one pixel between patches, which would show here and there.
        ax.add_patch(Rectangle(corner, side, side, color=color, linewidth=0.4))
    tile_side = TILE_PIXELS * _PIXEL
    ax.add_patch(Rectangle((0, 0), tile_side, tile_side, fill=False, edgecolor="#333333"))
    # Rows are counted from the north, so the axis points down.
    ax.set(xlim=(-2, tile_side + 2), ylim=(tile_side + 2, -2), aspect="equal")
    ax.set(xlabel="km from the west edge", ylabel="km from the north edge")
    ax.set_title(f"A tile: {tile_side:.0f} km", loc="left")


def _draw_patch(ax: Axes, image: np.ndarray, detail: tuple[int, int], sample_pixels: int) -> None:
    side = MULTISENGE.patch_pixels * _PIXEL
    height, width = np.array(image.shape[:2]) * _PIXEL
    left = (side - width) / 2
    top = (side - height) / 2
    ax.imshow(image, extent=(left, left + width, top + height, top), interpolation="nearest")
    row, column = detail
    corner = (left + column * _PIXEL, top + row * _PIXEL)
    detail_side = _DETAIL * _PIXEL
    ax.add_patch(Rectangle(corner, detail_side, detail_side, fill=False, edgecolor="white"))

    sample_side = sample_pixels * _PIXEL
    corner = (0.08, 0.08)
    ax.add_patch(Rectangle(corner, sample_side, sample_side, fill=False, edgecolor=GREY))
    beside = (corner[0] + sample_side + 0.08, corner[1] + sample_side / 2)
    look = {"color": "#555555", "fontsize": MIN_FONT_SIZE}
    ax.text(*beside, "a patch of\nthe sample", va="center", **look)
    below = (side / 2, top + height + 0.08)
    ax.text(
        *below, "a real village", ha="center", va="top", color="#555555", fontsize=MIN_FONT_SIZE
    )
    ax.add_patch(Rectangle((0, 0), side, side, fill=False, edgecolor=RED, linewidth=1.5))
    ax.set(xlim=(-0.05, side + 0.05), ylim=(side + 0.05, -0.05), aspect="equal", xlabel="km")
    ax.set_title(f"A patch: {side:.2f} km", loc="left")


def _draw_pixels(ax: Axes, image: np.ndarray, detail: tuple[int, int]) -> None:
    row, column = detail
    piece = image[row : row + _DETAIL, column : column + _DETAIL]
    metres = 1000 * _PIXEL * _DETAIL
    ax.imshow(piece, extent=(0, metres, metres, 0), interpolation="nearest")
    ax.set(aspect="equal", xlabel="m")
    ax.set_title(f"Pixels: {1000 * _PIXEL:.0f} m", loc="left")


# --- How dates are chosen -----------------------------------------------------------------------


class Walk(NamedTuple):
    """One row of `date_timeline`: a list of dates, and what the rule takes of it.

    Attributes:
        title: what stands above the row.
        dates: all dates, sorted datetime64[D].
        chosen: the dates taken, up to the month for which there is none.
        days_gap: least number of days between two chosen dates.
        failure: why the series is incomplete; "" for a complete one.
    """

    title: str
    dates: np.ndarray
    chosen: np.ndarray
    days_gap: int
    failure: str = ""


def date_timeline(
    walks: Sequence[Walk], months: Sequence[int], width: float = DESKTOP_WIDTH
) -> Figure:
    """Draw the dates of one patch as a time line, once for each way of choosing among them.

    The days that the gap forbids after a chosen date are a bar. A month in which every date lies
    under the bar ends the series.

    Args:
        walks: one for each row.
        months: the months that need one date each.
        width: width of the figure, in inches.
    """
    figure, axes = panels(len(walks), width, (1, 1), 1.45, sharex=True)
    for ax, walk in zip(axes, walks, strict=True):
        year = walk.dates[0].astype("datetime64[Y]")
        _shade_months(ax, year, months)
        for day in walk.chosen:
            # The day that lies exactly the gap later is allowed.
            last_forbidden = day + np.timedelta64(walk.days_gap - 1, "D")
            ax.plot([day, last_forbidden], [0, 0], color=RED, lw=5, alpha=0.45, zorder=1)
        is_chosen = np.isin(walk.dates, walk.chosen)
        ax.plot(walk.dates[~is_chosen], 0 * np.ones((~is_chosen).sum()), "o", mfc="white", mec=GREY)
        ax.plot(walk.chosen, np.zeros(len(walk.chosen)), "o", color=BLUE, ms=8)
        for number, (day, bold) in enumerate(zip(walk.dates, is_chosen, strict=True)):
            # On alternate sides, so that neighbouring dates do not touch.
            above = number % 2 == 0
            ax.annotate(
                f"{pd.Timestamp(day).day}",
                (day, 0),
                (0, 10 if above else -10),
                textcoords="offset points",
                ha="center",
                va="bottom" if above else "top",
                fontweight="bold" if bold else "normal",
            )
        title = walk.title
        if walk.failure:
            title += ":\n" if is_narrow(width) else ": "
            title += walk.failure
        ax.set_title(title, loc="left", color=RED if walk.failure else "black")
        ax.set(ylim=(-1, 1), yticks=[])
        ax.spines["left"].set_visible(False)
    axes[-1].xaxis.set_major_locator(mdates.MonthLocator(bymonthday=1))
    axes[-1].xaxis.set_major_formatter(mdates.DateFormatter("1 %b"))
    lower_legend(figure, _timeline_handles())
    return figure


def _shade_months(ax: Axes, year: np.datetime64, months: Sequence[int]) -> None:
    january = year.astype("datetime64[M]")
    for month in months:
        first = january + (month - 1)
        ax.axvspan(
            first.astype("datetime64[D]"), (first + 1).astype("datetime64[D]"), color="#eef3f8"
        )
    last = january + max(months)
    ax.set_xlim((january + min(months) - 1).astype("datetime64[D]"), last.astype("datetime64[D]"))


def _timeline_handles() -> list[Line2D | Swatch]:
    marks = {"marker": "o", "linestyle": ""}
    return [
        Line2D([], [], color=BLUE, markersize=8, label="taken", **marks),
        Line2D([], [], markerfacecolor="white", markeredgecolor=GREY, label="not taken", **marks),
        Swatch(color=RED, alpha=0.45, label="too soon"),
        Swatch(color=_SHADE, label="wanted month"),
    ]


def days_between(
    series: pd.DataFrame, steps: Sequence[str], width: float = DESKTOP_WIDTH
) -> Figure:
    """Draw how many days lie between the dates of the selected patches, by split.

    Args:
        series: from `LabelCounts.series`: `split`, `patches`, `days1` and so on.
        steps: how to call `days1` and so on.
        width: width of the figure, in inches.
    """
    figure, ax = plt.subplots(figsize=(width, 3.2), layout="constrained")
    heights = np.arange(len(steps))
    # Square points of the marker of the series that most patches share.
    largest = 260
    for number, (split, color) in enumerate(SPLIT_COLORS.items()):
        shift = 0.22 * (number - 1)
        of_split = series[series["split"] == split]
        for height in heights:
            patches = of_split.groupby(f"days{height + 1}")["patches"].sum()
            ax.scatter(
                patches.index,
                np.full(len(patches), height + shift),
                np.maximum(largest * patches / series["patches"].max(), 6),
                color=color,
                marker=SPLIT_MARKERS[split],
                linewidths=0,
                alpha=0.85,
            )
    ax.set_yticks(heights, steps)
    ax.invert_yaxis()
    ax.set(xlabel="Days between the two dates", xlim=(0, None))
    ax.grid(axis="x", color="#dddddd", lw=0.6)
    ax.set_axisbelow(True)
    lower_legend(figure, _split_handles())
    return figure


def _split_handles() -> list[Line2D]:
    handles = []
    for split, color in SPLIT_COLORS.items():
        handles.append(
            Line2D([], [], color=color, marker=SPLIT_MARKERS[split], linestyle="", label=split)
        )
    return handles


# --- What the splits hold -----------------------------------------------------------------------


def class_presence(
    percent: pd.DataFrame, names: Sequence[str], width: float = DESKTOP_WIDTH
) -> Figure:
    """Draw in how many patches of each split a class occurs, in percent.

    Args:
        percent: one row per class, one column per split.
        names: names of the classes, in the same order, as they are to be shown.
        width: width of the figure, in inches.
    """
    figure, ax = plt.subplots(figsize=(width, 0.32 * len(percent) + 0.8), layout="constrained")
    heights = np.arange(len(percent))
    ax.hlines(heights, percent.min(axis=1), percent.max(axis=1), color="#cccccc", lw=2, zorder=1)
    for number, (split, color) in enumerate(SPLIT_COLORS.items()):
        # Above each other, so that equal values do not hide one another.
        places = heights + 0.22 * (number - 1)
        ax.scatter(percent[split], places, 28, color=color, marker=SPLIT_MARKERS[split], zorder=2)
    ax.set_yticks(heights, names)
    ax.invert_yaxis()
    ax.set(xlabel="Patches (%)", xlim=(-2, 102))
    ax.grid(axis="x", color="#dddddd", lw=0.6)
    ax.set_axisbelow(True)
    lower_legend(figure, _split_handles())
    return figure


def spotlight(image: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Keep the colours of an image inside a mask, and show the rest in pale grey.

    Args:
        image: `(height, width, 3)`, 0 to 1.
        inside: `(height, width) bool`.

    Returns:
        As `image`.
    """
    brightness = image.mean(axis=-1, keepdims=True)
    # Pale, so that dark forests and bright fields recede alike.
    pale = 0.6 + 0.4 * np.repeat(brightness, 3, axis=-1)
    return np.where(inside[..., None], image, pale)


# --- One place over a year ----------------------------------------------------------------------


def year_curves(
    dates: Sequence[np.datetime64],
    curves: Mapping[str, np.ndarray],
    ylabel: str,
    wanted_months: Sequence[int] = (),
    width: float = DESKTOP_WIDTH,
) -> Figure:
    """Draw how a quantity changes over the year at a few places, each with its own line.

    Args:
        dates: datetime64[D].
        curves: by what stands at the place, the quantity at each date.
        ylabel: the quantity and its unit.
        wanted_months: months that are marked on the axis.
        width: width of the figure, in inches.
    """
    figure, ax = plt.subplots(figsize=(width, 3.2), layout="constrained")
    colors = plt.get_cmap("tab10").colors
    for number, (name, values) in enumerate(curves.items()):
        ax.plot(
            dates,
            values,
            color=colors[number],
            marker="osD^v"[number % 5],
            label=name,
            path_effects=outlined(3, "white"),
        )
    for day in dates:
        if pd.Timestamp(day).month in wanted_months:
            ax.axvline(day, color="#cccccc", lw=6, zorder=0)
    ax.set(ylabel=ylabel)
    ax.xaxis.set_major_locator(mdates.MonthLocator(interval=2 if is_narrow(width) else 1))
    ax.xaxis.set_major_formatter(mdates.DateFormatter("%b\n%Y" if is_narrow(width) else "%b %y"))
    lower_legend(figure, ax.get_lines()[: len(curves)])
    return figure


def marked_places(
    image: np.ndarray, places: Mapping[str, tuple[int, int]], width: float = DESKTOP_WIDTH
) -> Figure:
    """Draw an image with a few pixels marked by number, in the colours of `year_curves`.

    Args:
        image: `(height, width, 3)`, 0 to 1.
        places: by what stands there, row and column.
        width: width of the figure, in inches.
    """
    side = min(width, 4.5)
    figure, ax = plt.subplots(figsize=(side, side), layout="constrained")
    show(ax, image)
    colors = plt.get_cmap("tab10").colors
    for number, (row, column) in enumerate(places.values()):
        ax.plot(
            column,
            row,
            "osD^v"[number % 5],
            ms=11,
            color=colors[number],
            markeredgecolor="white",
            markeredgewidth=2,
        )
    return figure
