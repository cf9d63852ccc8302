"""Figures of the dataset, selection and typology chapters: data in, figure out."""

from calendar import month_abbr
from collections.abc import Mapping, Sequence
from typing import Any

import geopandas as gpd
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from multisenge_lib.chapters.style import (
    BLACK,
    BLUE,
    DESKTOP_WIDTH,
    GREEN,
    MIN_FONT_SIZE,
    SPLIT_COLORS,
    SPLIT_MARKERS,
    class_label,
    class_legend,
    columns_for,
    image_grid,
    is_narrow,
    lower_legend,
    outlined,
    panels,
    spread_labels,
)
from multisenge_lib.dataset import MULTISENGE, S1_BANDS, S2_BANDS, Patch, Typology, decibel

#: A degree of latitude over one of longitude in the middle of the region (48.7 degrees north).
_ASPECT = 1 / np.cos(np.deg2rad(48.7))
_PALE = "#7fa6c9"
#: Inches: of a panel of lines over the dates, and of a line of text in it.
_SERIES_HEIGHT = 2.8
_TEXT_LINE = 0.17
#: Cities that small maps show without their names.
_LANDMARKS = ("Reims", "Strasbourg")


def short_date(day: Any) -> str:
    """Write `15 Jul`, from anything that pandas takes as a date."""
    return f"{pd.Timestamp(day):%d %b}"


def true_color(
    s2: np.ndarray, brightest: float = 2000, bands: Sequence[str] = S2_BANDS
) -> np.ndarray:
    """Show Sentinel-2 in red, green and blue, or in grey where one of these bands is missing.

    Args:
        s2: `(..., bands)`, reflectance x 10,000.
        brightest: reflectance x 10,000 shown as full brightness.
        bands: names of the bands in their order.

    Returns:
        `(..., 3) float`, 0 to 1. Grey is the first band.
    """
    visible = ("B4", "B3", "B2")
    if set(visible) <= set(bands):
        positions = [list(bands).index(name) for name in visible]
    else:
        positions = [0, 0, 0]
    shares = np.clip(s2[..., positions].astype(np.float32) / brightest, 0, 1)
    return shares**0.8  # brightens the dark forests


def radar_color(s1: np.ndarray) -> np.ndarray:
    """Show VV, VH and their difference as red, green and blue; one band alone in grey.

    Args:
        s1: `(..., 2)`, linear backscatter, VV and VH; or `(..., 1)`.

    Returns:
        `(..., 3) float`, 0 to 1: VV from -18 to 0 dB, VH from -25 to -7, VV - VH from 2 to 12.
    """
    decibels = decibel(s1)
    vv = decibels[..., 0]
    if decibels.shape[-1] == 1:
        quantities = np.stack([vv, vv, vv], axis=-1)
        low = np.array([-18, -18, -18])
        high = np.array([0, 0, 0])
    else:
        vh = decibels[..., 1]
        quantities = np.stack([vv, vh, vv - vh], axis=-1)
        low = np.array([-18, -25, 2])
        high = np.array([0, -7, 12])
    return np.clip((quantities - low) / (high - low), 0, 1)


def series_images(
    patch: Patch, row: Any, bands: Sequence[str] = S2_BANDS
) -> list[tuple[str, np.ndarray, None]]:
    """List every image of a patch in colour, as `image_grid` takes them; Sentinel-2 first.

    Args:
        patch: with one sensor or both.
        row: a row of a selection, with `s1_dates` and `s2_dates`.
        bands: names of the Sentinel-2 bands.
    """
    images = []
    if patch.s2 is not None:
        for day, image in zip(row.s2_dates, true_color(patch.s2, bands=bands), strict=True):
            images.append((f"S2, {short_date(day)}", image, None))
    if patch.s1 is not None:
        for day, image in zip(row.s1_dates, radar_color(patch.s1), strict=True):
            images.append((f"S1, {short_date(day)}", image, None))
    return images


def patch_figure(
    images: Sequence[tuple[str, np.ndarray, None]],
    reference: tuple[str, np.ndarray, Typology],
    dates: int,
    width: float = DESKTOP_WIDTH,
) -> Figure:
    """Show what a network reads of a patch, and the reference map that it has to return.

    Args:
        images: from `series_images`: the dates of one sensor, then those of the other.
        reference: title, map of class ids and its typology.
        dates: how many a sensor has; each sensor has a row of its own.
        width: width of the figure, in inches.
    """
    if is_narrow(width):
        # Two columns cannot hold a row of dates. There the reference comes last, as an answer does.
        panels_in_order = [*images, reference]
    else:
        panels_in_order = [*images[:dates], reference, *images[dates:]]
    return image_grid(panels_in_order, (dates + 1, 2), width)


def _class_lines(ax: Axes, means: pd.DataFrame, typology: Typology, names: bool) -> None:
    """Draw one line per class over the dates, with its id, or its name too, at the right end.

    Args:
        ax: where to draw.
        means: one column per class id, one row per date.
        typology: the classes that are shown.
        names: write the names too.
    """
    for class_id in means:
        color = typology.colors[class_id - 1]
        ax.plot(means[class_id], color=color, lw=1.8, path_effects=outlined(3))
    low, high = ax.get_ylim()
    # A line of text in units of the axis, which is so high without its title and dates.
    line_height = (high - low) * _TEXT_LINE / (_SERIES_HEIGHT - 0.6)
    last = means.iloc[-1].dropna()
    heights = spread_labels(last.to_numpy(), line_height)
    for class_id, height in zip(last.index, heights, strict=True):
        ax.annotate(
            class_label(typology, class_id) if names else str(class_id),
            (len(means) - 1, last[class_id]),
            (len(means) - 0.8, height),
            va="center",
            annotation_clip=False,
            # The line ends at the left edge of the label; by default it aims at the middle.
            arrowprops={"arrowstyle": "-", "color": "#555555", "lw": 0.7, "relpos": (0, 0.5)},
        )


def class_series(
    series: Mapping[str, np.ndarray],
    ids: np.ndarray,
    typology: Typology,
    dates: Sequence[str],
    ylabel: str = "",
    width: float = DESKTOP_WIDTH,
) -> Figure:
    """Draw the mean of a quantity by class over the dates, one panel per quantity.

    Args:
        series: name to `(patches, dates, height, width)`; VV and VH as linear backscatter, averaged
            as it is and drawn in dB; other bands as reflectance x 10,000.
        ids: `(patches, height, width)`, ids of the typology.
        typology: typology of `ids`.
        dates: how to call each date.
        ylabel: label of all panels, where the quantities are not bands, such as gates.
        width: width of the figure, in inches.
    """
    present = [c.id for c in typology.classes if (ids == c.id).any()]
    figure, axes = panels(len(series), width, (1, 1), _SERIES_HEIGHT)
    for ax, (band, values) in zip(axes, series.items(), strict=True):
        by_date = values.swapaxes(0, 1)  # (dates, patches, height, width)
        columns = {class_id: by_date[:, ids == class_id].mean(axis=1) for class_id in present}
        means = pd.DataFrame(columns, list(dates))
        if band in S1_BANDS:
            means = decibel(means)
            unit = "Backscatter (dB)"
        elif ylabel:
            unit = ylabel
        else:
            unit = "Reflectance × 10,000"
            ax.yaxis.set_major_formatter("{x:,.0f}")
        _class_lines(ax, means, typology, names=not is_narrow(width))
        ax.set(title=band, ylabel=unit, xlim=(-0.2, len(dates) - 0.9))
    axes[-1].set_xlabel("Date of the series")
    if is_narrow(width):
        class_legend(figure, typology, present)
    return figure


def band_means(
    images: Mapping[str, np.ndarray],
    bands: Sequence[str],
    dates: Sequence[str],
    width: float = DESKTOP_WIDTH,
) -> Figure:
    """Draw mean and standard deviation of each band of two places, one panel per date.

    Args:
        images: two names to `(dates, pixels, bands)`, reflectance x 10,000.
        bands: their names.
        dates: how to call each date.
        width: width of the figure, in inches.
    """
    figure, axes = panels(len(dates), width, (2, 1), 2.4, sharey=True)
    # The two places stand side by side at each band, apart in shape and colour.
    styles = (
        {"fmt": "o", "color": BLACK, "shift": -0.12},
        {"fmt": "s", "color": GREEN, "shift": 0.12},
    )
    positions = np.arange(len(bands))
    for date, (ax, title) in enumerate(zip(axes, dates, strict=True)):
        for (name, values), style in zip(images.items(), styles, strict=True):
            ax.errorbar(
                positions + style["shift"],
                values[date].mean(axis=0),
                values[date].std(axis=0),
                fmt=style["fmt"],
                color=style["color"],
                ms=4,
                lw=1,
                label=name,
            )
        is_first_of_row = date % columns_for(width, (2, 1)) == 0
        ax.set(title=title, ylabel="Reflectance × 10,000" if is_first_of_row else "")
        ax.yaxis.set_major_formatter("{x:,.0f}")
        ax.set_xticks(positions, bands)
        ax.set_xlabel("Sentinel-2 band")
    # Below the panels, because the bars of errors reach everywhere inside them.
    handles, _ = axes[0].get_legend_handles_labels()
    lower_legend(figure, handles)
    return figure


def month_bars(
    counts: pd.Series, total: int, chosen: Sequence[int], width: float = DESKTOP_WIDTH
) -> Figure:
    """Draw the paper's Figure 2: patches with a Sentinel-2 image, by month.

    Args:
        counts: patches by month, 1 to 12.
        total: all patches.
        chosen: months that stand out.
        width: width of the figure, in inches.
    """
    figure, ax = plt.subplots(figsize=(width, 3.6), layout="constrained")
    colors = [BLUE if month in chosen else _PALE for month in counts.index]
    bars = ax.barh([month_abbr[month] for month in counts.index], counts, color=colors)
    ax.bar_label(bars, padding=3, fmt="{:,.0f}")
    ax.invert_yaxis()
    # The longest bar leaves room for its number.
    ax.set(xlabel=f"Patches, of {total:,}", ylabel="Month of 2020", xlim=(0, total * 1.16))
    ax.xaxis.set_major_formatter("{x:,.0f}")
    ax.xaxis.set_major_locator(plt.MaxNLocator(4))
    return figure


def _tile_labels(outlines: gpd.GeoDataFrame, dots: np.ndarray) -> dict[str, np.ndarray]:
    """Choose where each tile's name stands: among some places in its square the freest.

    Args:
        outlines: `tile` and its square.
        dots: `(dots, 2)`, longitude and latitude of all dots; a name lies on one only where its
            tile has no other place.
    """
    # A city's name stands a little above its mark.
    occupied = [np.add(place, (0, 0.08)) for place in MULTISENGE.cities.values()]
    # Degrees east or west within which a tile's name would lie on another one: long for long names.
    reach = [max(0.85, 0.35 + 0.045 * len(city)) for city in MULTISENGE.cities]
    labels = {}
    for tile, bounds in zip(outlines["tile"], outlines.bounds.to_numpy(), strict=True):
        west, south, east, north = bounds
        best = None
        best_room = -np.inf
        for x in np.linspace(west + 0.25, east - 0.25, 3):
            for y in np.linspace(south + 0.12, north - 0.12, 7):
                room = min(np.hypot(x - other[0], y - other[1]) for other in occupied)
                # Half the size of a name, in degrees.
                near = np.abs(dots - (x, y)) < (0.3, 0.1)
                covered = int(near.all(axis=1).sum())
                room = min(room, 0.8) - 0.3 * covered
                # On another name is worse than on any number of dots.
                east_west, north_south = np.abs(np.array(occupied) - (x, y)).T
                if ((east_west < reach) & (north_south < 0.2)).any():
                    room -= 100
                if room > best_room:
                    best = np.array([x, y])
                    best_room = room
        labels[tile] = best
        occupied.append(best)
        reach.append(0.85)
    return labels


def _draw_places(
    ax: Axes, outlines: gpd.GeoDataFrame, dots: np.ndarray, tiles: bool, cities: bool
) -> None:
    """Draw the outlines of the tiles, and their names and the cities if asked for."""
    halo = outlined(2.5, "white")
    # Not by GeoPandas' `plot`, which draws the whole figure each time.
    borders = [outline.exterior.coords for outline in outlines.geometry]
    ax.add_collection(LineCollection(borders, color="#8a8a8a", linewidth=0.6))
    ax.autoscale_view()
    if tiles:
        # Some tiles are full of dots: there the name has a ground of its own.
        ground = {"facecolor": "white", "edgecolor": "none", "pad": 1}
        for tile, position in _tile_labels(outlines, dots).items():
            ax.annotate(tile, position, color="#555555", ha="center", va="center", bbox=ground)
    if cities:
        for city, position in MULTISENGE.cities.items():
            ax.plot(*position, "k^", markersize=4, path_effects=halo)
            ax.annotate(
                city,
                position,
                xytext=(0, 4),
                textcoords="offset points",
                path_effects=halo,
                ha="center",
            )
    else:
        # Small maps have no room for names: two cities to find one's way by, named in the caption.
        for city in _LANDMARKS:
            ax.plot(*MULTISENGE.cities[city], "k^", markersize=4, path_effects=halo)
    ax.set_xlabel("Degrees east" if cities else "", fontsize=MIN_FONT_SIZE)
    ax.set_ylabel("Degrees north" if cities else "", fontsize=MIN_FONT_SIZE)
    if not cities:
        ax.set_axis_off()
    ax.set_aspect(_ASPECT)
    ax.xaxis.set_major_locator(plt.MultipleLocator(1))
    ax.yaxis.set_major_locator(plt.MultipleLocator(1))
    if cities:
        _scale_bar(ax, 50)


def _scale_bar(ax: Axes, kilometres: float) -> None:
    """Draw how long some kilometres are, in the lower left corner of a map in degrees."""
    west, east = ax.get_xlim()
    south, north = ax.get_ylim()
    # A degree of latitude is 111.2 km; of longitude it is less by the map's aspect.
    length = kilometres / 111.2 * _ASPECT
    left = west + 0.03 * (east - west)
    bottom = south + 0.04 * (north - south)
    ax.plot([left, left + length], [bottom, bottom], color="black", lw=2, solid_capstyle="butt")
    ax.annotate(
        f"{kilometres:g} km",
        (left + length / 2, bottom),
        xytext=(0, 3),
        textcoords="offset points",
        ha="center",
        path_effects=outlined(2.5, "white"),
    )


def dot_maps(
    cells: pd.DataFrame,
    outlines: gpd.GeoDataFrame,
    maps: Mapping[str, Mapping[str, str]],
    columns: tuple[int, int] = (1, 1),
    width: float = DESKTOP_WIDTH,
) -> Figure:
    """Map where patches lie: a marker per cell of a grid, its area the number of patches in it.

    Args:
        cells: one row per grid cell: `lon`, `lat` (centre, degrees), `patches`, and the columns to
            show.
        outlines: `tile` and its square.
        maps: by title of a map, the columns of `cells` that it shows, and their labels.
        columns: maps in a row, in the book's column and on a phone.
        width: width of the figure, in inches.
    """
    single = len(maps) == 1
    if single:
        height = 0.68 * width + 0.3
    else:
        height = 0.62 * width / columns_for(width, columns) + 0.3
    figure, axes = panels(len(maps), width, columns, height)
    # Area of the marker of the fullest cell, square points.
    largest = (0.62 * width) ** 2
    if not single:
        largest /= 2
    for ax, (title, layers) in zip(axes, maps.items(), strict=True):
        for layer, label in layers.items():
            filled = cells[cells[layer] > 0]
            ax.scatter(
                filled["lon"],
                filled["lat"],
                largest * filled[layer] / cells["patches"].max(),
                color=SPLIT_COLORS.get(layer, BLUE),
                marker=SPLIT_MARKERS.get(layer, "o"),
                linewidths=0,
                label=label,
            )
        is_drawn = (cells[list(layers)] > 0).any(axis=1)
        dots = cells.loc[is_drawn, ["lon", "lat"]].to_numpy()
        _draw_places(ax, outlines, dots, tiles=single and not is_narrow(width), cities=single)
        ax.set_title(title)
    first_layers = next(iter(maps.values()))
    if first_layers.keys() & SPLIT_COLORS:  # all maps show splits, or none does
        lower_legend(figure, axes[0].collections[: len(first_layers)])
        for handle in figure.legends[0].legend_handles:
            handle.set_sizes([30])
    return figure
