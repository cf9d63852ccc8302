"""Figures of the dataset, selection and typology chapters: data in, figure out."""

import itertools
from calendar import month_abbr
from collections.abc import Mapping, Sequence
from typing import Any

import geopandas as gpd
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from multisenge_lib.chapters.style import (
    DESKTOP_WIDTH,
    MIN_FONT_SIZE,
    SPLIT_COLORS,
    class_legend,
    columns_for,
    lower_legend,
    outlined,
    panels,
    spread_labels,
)
from multisenge_lib.dataset import MULTISENGE, S2_BANDS, Patch, Typology, decibel

#: A degree of latitude over one of longitude in the middle of the region (48.7 degrees north).
_ASPECT = 1 / np.cos(np.deg2rad(48.7))
_BLUE, _PALE = "#2b6ca3", "#7fa6c9"
_MARKERS = dict(zip(SPLIT_COLORS, "osD", strict=True))


def short_date(day: Any) -> str:
    """`15 Jul`, from anything that pandas takes as a date."""
    return f"{pd.Timestamp(day):%d %b}"


def true_color(
    s2: np.ndarray, brightest: float = 2000, bands: Sequence[str] = S2_BANDS
) -> np.ndarray:
    """Red, green and blue of Sentinel-2; grey where an area lacks one of these bands.

    Args:
        s2: `(..., bands)`, reflectance x 10,000.
        brightest: reflectance x 10,000 shown as full brightness.
        bands: names of the bands, by which B4, B3 and B2 are found.

    Returns:
        `(..., 3) float`, 0 to 1.
    """
    names = list(bands)
    if {"B4", "B3", "B2"} <= set(names):
        positions = [names.index("B4"), names.index("B3"), names.index("B2")]
    else:
        positions = [0, 0, 0]
    brightness = np.clip(s2[..., positions].astype(np.float32) / brightest, 0, 1)
    return brightness**0.8


def radar_color(s1: np.ndarray) -> np.ndarray:
    """VV, VH and their difference as red, green, blue; grey where there is one band alone.

    Args:
        s1: `(..., 2)`, linear backscatter, VV and VH; or `(..., 1)`.

    Returns:
        `(..., 3) float`, 0 to 1: VV from -18 to 0 dB, VH from -25 to -7, VV - VH from 2 to 12.
    """
    decibels = decibel(s1)
    vv = decibels[..., 0]
    if decibels.shape[-1] == 1:
        bands = np.stack([vv, vv, vv], axis=-1)
        lowest = np.array([-18, -18, -18])
        highest = np.array([0, 0, 0])
    else:
        vh = decibels[..., 1]
        bands = np.stack([vv, vh, vv - vh], axis=-1)
        lowest = np.array([-18, -25, 2])
        highest = np.array([0, -7, 12])
    return np.clip((bands - lowest) / (highest - lowest), 0, 1)


def series_images(
    patch: Patch, row: Any, bands: Sequence[str] = S2_BANDS
) -> list[tuple[str, np.ndarray, None]]:
    """Every image of a patch in the colours above, as `image_grid` takes them; Sentinel-2 first.

    Args:
        patch: with one sensor or both.
        row: of a selection: `s1_dates`, `s2_dates`.
        bands: names of the bands of Sentinel-2.
    """
    images = []
    if patch.s2 is not None:
        for day, image in zip(row.s2_dates, true_color(patch.s2, bands=bands), strict=True):
            images.append((f"S2, {short_date(day)}", image, None))
    if patch.s1 is not None:
        for day, image in zip(row.s1_dates, radar_color(patch.s1), strict=True):
            images.append((f"S1, {short_date(day)}", image, None))
    return images


def _class_lines(ax: Axes, means: pd.DataFrame, typology: Typology, names: bool) -> None:
    """A line a class (columns of `means`: ids) over the dates, its name at its right end."""
    for class_id in means:
        color = typology.colors[class_id - 1]
        ax.plot(means[class_id], color=color, lw=1.8, path_effects=outlined(3))
    low, high = ax.get_ylim()
    apart = (high - low) * 0.155 / (ax.get_figure().get_figheight() / 3.6)
    last = means.iloc[-1].dropna()
    for class_id, at in zip(last.index, spread_labels(last.to_numpy(), apart), strict=True):
        label = f"{class_id} {typology.names[class_id - 1]}" if names else str(class_id)
        end = (len(means) - 1, last[class_id])
        arrow = {"arrowstyle": "-", "color": "#555555", "lw": 0.7}
        options = {"va": "center", "annotation_clip": False, "arrowprops": arrow}
        ax.annotate(label, end, (len(means) - 0.8, at), **options)


def class_series(
    series: Mapping[str, np.ndarray],
    ids: np.ndarray,
    typology: Typology,
    dates: Sequence[str],
    ylabel: str = "",
    width: float = DESKTOP_WIDTH,
) -> Figure:
    """Mean of a quantity by class over the dates, a panel a quantity.

    Args:
        series: name to `(patches, dates, height, width)`; VV and VH as linear backscatter,
            averaged as it is and drawn in dB; bands as reflectance x 10,000.
        ids: `(patches, height, width)`, ids of the typology.
        typology: that of `ids`.
        dates: how to call each date.
        ylabel: of all panels, where the quantities are no bands.
        width: of the figure, inches.
    """
    figure, axes = panels(len(series), width, (1, 1), 2.6)
    for ax, (band, values) in zip(axes, series.items(), strict=True):
        radar, by_date = band in ("VV", "VH"), values.swapaxes(0, 1)
        there = [c.id for c in typology.classes if (ids == c.id).any()]
        means = pd.DataFrame({i: by_date[:, ids == i].mean(axis=1) for i in there}, list(dates))
        _class_lines(ax, decibel(means) if radar else means, typology, names=width == DESKTOP_WIDTH)
        unit = "Backscatter (dB)" if radar else "Reflectance x 10,000"
        ax.set(title=band, ylabel=ylabel or unit, xlim=(-0.2, len(dates) - 0.9))
    if width != DESKTOP_WIDTH:
        class_legend(figure, typology, there)
    return figure


def band_means(
    images: Mapping[str, np.ndarray],
    bands: Sequence[str],
    dates: Sequence[str],
    width: float = DESKTOP_WIDTH,
) -> Figure:
    """Mean and standard deviation of each band of two places, a panel a date.

    Args:
        images: two names to `(dates, pixels, bands)`, reflectance x 10,000.
        bands: their names.
        dates: how to call each date.
        width: of the figure, inches.
    """
    figure, axes = panels(len(dates), width, (2, 1), 2.4, sharey=True)
    looks = ({"fmt": "o", "color": _BLUE}, {"fmt": "s", "color": "#b3541e"})
    for t, (ax, date) in enumerate(zip(axes, dates, strict=True)):
        for (name, values), look in zip(images.items(), looks, strict=True):
            mean, deviation = values[t].mean(axis=0), values[t].std(axis=0)
            shift = np.arange(len(bands)) + (0.12 if look["fmt"] == "s" else -0.12)
            ax.errorbar(shift, mean, deviation, ms=4, lw=1, label=name, **look)
        ax.set(title=date, ylabel="Reflectance x 10,000")
        ax.set_xticks(range(len(bands)), bands)
    axes[0].legend(loc="upper left")
    return figure


def month_bars(
    counts: pd.Series, total: int, chosen: Sequence[int], width: float = DESKTOP_WIDTH
) -> Figure:
    """The paper's Figure 2: patches with a Sentinel-2 image, by month; chosen months stand out."""
    figure, ax = plt.subplots(figsize=(width, 3.6), layout="constrained")
    colors = [_BLUE if month in chosen else _PALE for month in counts.index]
    bars = ax.barh([month_abbr[month] for month in counts.index], counts, color=colors)
    ax.bar_label(bars, padding=3, fmt="{:,.0f}")
    ax.invert_yaxis()
    ax.set(xlabel=f"Patches, of {total:,}", ylabel="Month of 2020", xlim=(0, total * 1.16))
    ax.xaxis.set_major_formatter("{x:,.0f}")
    ax.xaxis.set_major_locator(plt.MaxNLocator(4))
    return figure


def _tile_labels(outlines: gpd.GeoDataFrame) -> dict[str, np.ndarray]:
    """Where each tile's name stands: of nine places in its square the freest."""
    taken, places = [np.array(place) for place in MULTISENGE.cities.values()], {}
    for tile, (x0, y0, x1, y1) in zip(outlines["tile"], outlines.bounds.to_numpy(), strict=True):
        x, y = np.linspace(x0 + 0.25, x1 - 0.25, 3), np.linspace(y0 + 0.12, y1 - 0.12, 3)
        free = [np.array(place) for place in itertools.product(x, y)]
        places[tile] = max(free, key=lambda place: min(np.hypot(*(place - t)) for t in taken))
        taken.append(places[tile])
    return places


def _draw_places(ax: Axes, outlines: gpd.GeoDataFrame, tiles: bool, cities: bool) -> None:
    halo = outlined(2.5, "white")
    outlines.boundary.plot(ax=ax, color="#8a8a8a", linewidth=0.6)
    for tile, place in _tile_labels(outlines).items() if tiles else ():
        look = {"color": "#555555", "ha": "center", "va": "center", "path_effects": halo}
        ax.annotate(tile, place, **look)
    for city, place in MULTISENGE.cities.items() if cities else ():
        ax.plot(*place, "k^", markersize=4, path_effects=halo)
        options = {"textcoords": "offset points", "path_effects": halo, "ha": "center"}
        ax.annotate(city, place, xytext=(0, 4), **options)
    ax.set_xlabel("Degrees east" if cities else "", fontsize=MIN_FONT_SIZE)
    ax.set_ylabel("Degrees north" if cities else "", fontsize=MIN_FONT_SIZE)
    if not cities:
        ax.set_axis_off()
    ax.set_aspect(_ASPECT)
    ax.xaxis.set_major_locator(plt.MaxNLocator(5))


def dot_maps(
    cells: pd.DataFrame,
    outlines: gpd.GeoDataFrame,
    maps: Mapping[str, Mapping[str, str]],
    columns: tuple[int, int] = (1, 1),
    width: float = DESKTOP_WIDTH,
) -> Figure:
    """Where patches lie: a map a title, a marker a cell of a grid, its area the patches in it.

    Args:
        cells: a row a grid cell: `lon`, `lat` (centre, degrees), `patches`, and columns to show.
        outlines: `tile` and its square.
        maps: title to the columns of `cells` that the map shows, and their labels.
        columns: maps in a row, in the book's column and on a phone.
        width: of the figure, inches.
    """
    single = len(maps) == 1
    height = 0.68 * width + 0.3 if single else 0.62 * width / columns_for(width, columns) + 0.3
    figure, axes = panels(len(maps), width, columns, height)
    full = (0.62 * width) ** 2 / (1 if single else 2)
    for ax, (title, layers) in zip(axes, maps.items(), strict=True):
        for layer, label in layers.items():
            some = cells[cells[layer] > 0]
            area = full * some[layer] / cells["patches"].max()
            look = {"color": SPLIT_COLORS.get(layer, _BLUE), "marker": _MARKERS.get(layer, "o")}
            ax.scatter(some["lon"], some["lat"], area, linewidths=0, label=label, **look)
        _draw_places(ax, outlines, tiles=single and width == DESKTOP_WIDTH, cities=single)
        ax.set_title(title)
    if any(layers.keys() & SPLIT_COLORS for layers in maps.values()):
        lower_legend(figure, axes[0].collections[: len(layers)])
        for handle in figure.legends[0].legend_handles:
            handle.set_sizes([30])
    return figure
