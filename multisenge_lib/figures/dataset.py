"""Figures of the dataset, selection and typology chapters: data in, figure out; no file is read.

Colours of classes are those of `typology`, colours of splits those of `SPLIT_COLORS`, everywhere.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import geopandas as gpd
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import plotly.graph_objects as go
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, ListedColormap, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch as Swatch
from matplotlib.patheffects import Normal, Stroke
from pandas.io.formats.style import Styler

from multisenge_lib.dataset import MULTISENGE, Typology, decibel

SPLIT_COLORS = {"train": "#4477aa", "validation": "#ccbb44", "test": "#ee6677"}
MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
#: A degree of latitude over one of longitude in the middle of the region (48.7 degrees north).
_ASPECT = 1 / np.cos(np.deg2rad(48.7))


def use_style() -> None:
    """The look of every figure of the book."""
    sns.set_theme(context="notebook", style="ticks", font_scale=0.9)
    plt.rcParams |= {"figure.dpi": 110, "axes.spines.top": False, "axes.spines.right": False}


def _stretch(bands: np.ndarray, low: Any, high: Any, gamma: float = 1.0) -> np.ndarray:
    return np.clip((bands - low) / np.maximum(high - low, 1e-9), 0, 1) ** gamma


def true_color(s2: np.ndarray, brightest: float = 2000) -> np.ndarray:
    """Red, green, blue of Sentinel-2.

    Args:
        s2: `(..., 10)`, reflectance x 10,000, bands in spectral order.
        brightest: reflectance x 10,000 shown as full brightness.

    Returns:
        `(..., 3) float`, 0 to 1.
    """
    return _stretch(s2[..., [2, 1, 0]].astype(np.float32), 0.0, brightest, gamma=0.8)


def radar_color(s1: np.ndarray) -> np.ndarray:
    """VV, VH and their difference as red, green, blue.

    Args:
        s1: `(..., 2)`, linear backscatter, VV and VH.

    Returns:
        `(..., 3) float`, 0 to 1: VV from -18 to 0 dB, VH from -25 to -7, VV - VH from 2 to 12.
    """
    vv, vh = np.moveaxis(decibel(s1), -1, 0)
    bands = np.stack([vv, vh, vv - vh], axis=-1)
    return _stretch(bands, np.array([-18.0, -25.0, 2.0]), np.array([0.0, -7.0, 12.0]))


def show_image(ax: Axes, image: np.ndarray, title: str = "") -> Axes:
    """An image without axis marks."""
    ax.imshow(image, interpolation="nearest")
    ax.set(xticks=[], yticks=[])
    ax.set_title(title, fontsize=9)
    sns.despine(ax=ax, left=True, bottom=True)
    return ax


def show_classes(ax: Axes, ids: np.ndarray, typology: Typology, title: str = "") -> Axes:
    """A map of class ids in the typology's colours; no data is white."""
    colors = ListedColormap(("#ffffff", *typology.colors))
    bounds = BoundaryNorm(np.arange(len(typology) + 2) - 0.5, len(typology) + 1)
    ax.imshow(ids, cmap=colors, norm=bounds, interpolation="nearest")
    ax.set(xticks=[], yticks=[])
    ax.set_title(title, fontsize=9)
    sns.despine(ax=ax, left=True, bottom=True)
    return ax


def class_swatches(typology: Typology, ids: Sequence[int] | None = None) -> list[Swatch]:
    """Legend entries, `1 Dense Built-Up` and so on; of some ids only, where given."""
    return [
        Swatch(facecolor=c.color, edgecolor="#888888", linewidth=0.5, label=f"{c.id} {c.name}")
        for c in typology.classes
        if ids is None or c.id in ids
    ]


def class_legend(
    figure: Figure, typology: Typology, ids: Sequence[int] | None = None, columns: int = 3
) -> None:
    """The typology's legend below a figure."""
    figure.legend(
        handles=class_swatches(typology, ids),
        loc="upper center",
        bbox_to_anchor=(0.5, 0.02),
        ncols=columns,
        frameon=False,
        fontsize=8,
    )


def patch_series(
    s1: np.ndarray,
    s2: np.ndarray,
    reference: np.ndarray,
    dates: Mapping[str, Sequence[Any]],
    typology: Typology,
    title: str = "",
) -> Figure:
    """All that a patch holds: Sentinel-2 and Sentinel-1 over the dates, and the reference.

    Args:
        s1: `(dates, height, width, 2)`, linear backscatter.
        s2: `(dates, height, width, 10)`, reflectance x 10,000.
        reference: `(height, width)`, ids of the typology.
        dates: of `s1` and `s2`.
        typology: the reference's.
        title: above the figure.
    """
    columns = len(s2) + 1
    figure, axes = plt.subplots(2, columns, figsize=(2.1 * columns, 4.7), layout="constrained")
    for column in range(columns - 1):
        show_image(axes[0, column], true_color(s2[column]), f"S2 {dates['s2'][column]}")
        show_image(axes[1, column], radar_color(s1[column]), f"S1 {dates['s1'][column]}")
    show_classes(axes[0, -1], reference, typology, "Reference")
    axes[1, -1].axis("off")
    axes[1, -1].legend(
        handles=class_swatches(typology, np.unique(reference).tolist()),
        loc="upper left",
        bbox_to_anchor=(-0.1, 1.05),
        fontsize=7,
        frameon=False,
    )
    figure.suptitle(title, fontsize=10)
    return figure


def image_rows(
    images: Sequence[np.ndarray],
    references: Sequence[np.ndarray],
    typology: Typology,
    titles: Sequence[str],
    columns: int = 3,
) -> Figure:
    """Pairs of image and reference, `columns` pairs a row, and the legend of all classes."""
    rows = -(-len(images) // columns)
    figure, axes = plt.subplots(
        rows, 2 * columns, figsize=(3.6 * columns, 2.0 * rows), layout="constrained", squeeze=False
    )
    pairs = axes.reshape(-1, 2)
    for (left, right), image, ids, title in zip(pairs, images, references, titles, strict=False):
        show_image(left, image, title)
        show_classes(right, ids, typology)
    for unused in pairs[len(images) :].ravel():
        unused.axis("off")
    class_legend(figure, typology)
    return figure


def class_series(
    series: Mapping[str, np.ndarray], ids: np.ndarray, typology: Typology, dates: Sequence[str]
) -> Figure:
    """Mean of a band by class over the dates, a panel a band.

    Args:
        series: band name to `(patches, dates, height, width)`; VV and VH as linear backscatter,
            averaged as it is and drawn in dB.
        ids: `(patches, height, width)`, ids of the typology.
        typology: that of `ids`.
        dates: how to call each date.
    """
    figure, axes = plt.subplots(
        1, len(series), figsize=(3.6 * len(series), 3.2), layout="constrained"
    )
    for ax, (band, values) in zip(axes, series.items(), strict=True):
        radar = band in ("VV", "VH")
        for land_class in typology.classes:
            mean = values.swapaxes(0, 1)[:, ids == land_class.id].mean(axis=1)
            shown = decibel(mean) if radar else mean
            ax.plot(dates, shown, "o-", color=land_class.color, markersize=4)
        ax.set(title=band, ylabel="Backscatter (dB)" if radar else "Reflectance x 10,000")
    class_legend(figure, typology)
    return figure


def month_bars(counts: pd.Series, total: int, chosen: Sequence[int]) -> Figure:
    """Figure 2: patches with at least one Sentinel-2 image, by month; chosen months stand out."""
    figure, ax = plt.subplots(figsize=(7.5, 3.4), layout="constrained")
    colors = ["#4477aa" if month in chosen else "#bbccdd" for month in counts.index]
    bars = ax.bar([MONTHS[month - 1] for month in counts.index], counts, color=colors)
    ax.bar_label(bars, fontsize=8, padding=2, fmt="{:,.0f}")
    ax.axhline(total, color="#888888", linewidth=0.8, linestyle="--")
    ax.annotate(f"all {total:,}", (0, total), xytext=(-12, 3), textcoords="offset points", size=8)
    ax.set(xlabel="Month of 2020", ylabel="Patches", ylim=(0, total * 1.12))
    return figure


def _draw_places(ax: Axes, outlines: gpd.GeoDataFrame) -> None:
    halo = [Stroke(linewidth=2.5, foreground="white", alpha=0.8), Normal()]
    outlines.boundary.plot(ax=ax, color="#999999", linewidth=0.6)
    for tile, square in zip(outlines["tile"], outlines.geometry, strict=True):
        middle = square.centroid
        ax.annotate(
            tile, (middle.x, middle.y), size=8, color="#555555", ha="center", path_effects=halo
        )
    for city, (lon, lat) in MULTISENGE.cities.items():
        ax.plot(lon, lat, "k^", markersize=4)
        ax.annotate(
            city,
            (lon, lat),
            xytext=(4, 3),
            textcoords="offset points",
            size=8.5,
            path_effects=halo,
        )
    ax.set(xlabel="Longitude (degrees east)", ylabel="Latitude (degrees north)", aspect=_ASPECT)


def region_map(cells: pd.DataFrame, outlines: gpd.GeoDataFrame, cell: float) -> Figure:
    """Figure 1 without its background: tiles, cities, and how many patches lie where.

    Args:
        cells: a row a grid cell: `lon`, `lat` (centre, degrees), `patches`.
        outlines: `tile` and its square.
        cell: degrees along a cell.
    """
    figure, ax = plt.subplots(figsize=(8, 5.6), layout="constrained")
    edges = [
        np.arange(cells[axis].min() - cell / 2, cells[axis].max() + cell, cell)
        for axis in ("lon", "lat")
    ]
    *_, mesh = ax.hist2d(
        cells["lon"], cells["lat"], edges, weights=cells["patches"], cmin=1, cmap="Greens", vmin=0
    )
    figure.colorbar(mesh, ax=ax, shrink=0.7, label=f"Patches a cell of {cell}° x {cell}°")
    _draw_places(ax, outlines)
    return figure


def split_map(cells: pd.DataFrame, outlines: gpd.GeoDataFrame) -> Figure:
    """Figure 4: where the patches of the three splits lie.

    Args:
        cells: a row a grid cell: `lon`, `lat` and the selected patches of each split.
        outlines: `tile` and its square.
    """
    figure, ax = plt.subplots(figsize=(8, 5.6), layout="constrained")
    for split, color in SPLIT_COLORS.items():
        some = cells[cells[split] > 0]
        label = f"{split} ({cells[split].sum():,} patches)"
        ax.scatter(some["lon"], some["lat"], some[split] * 3, color=color, label=label, alpha=0.8)
    _draw_places(ax, outlines)
    figure.legend(loc="outside upper center", ncols=3, frameon=False, markerscale=0.8)
    return figure


def _gap_trace(cells: pd.DataFrame, gap: int, total: int, visible: bool) -> go.Scatter:
    some = cells[cells[f"gap{gap}"] > 0]
    counts = some[f"gap{gap}"]
    return go.Scatter(
        x=some["lon"],
        y=some["lat"],
        mode="markers",
        visible=visible,
        marker={"size": 2.2 * np.sqrt(counts) + 2, "color": "#4477aa", "opacity": 0.75},
        customdata=np.column_stack([counts, some["patches"]]),
        hovertemplate="%{customdata[0]} of %{customdata[1]} patches<br>"
        "%{x:.2f}° E, %{y:.2f}° N<extra></extra>",
        name=f"{gap} days: {total:,} patches",
    )


def _outline_trace(outlines: gpd.GeoDataFrame) -> go.Scatter:
    lon, lat = [], []
    for square in outlines.geometry:
        x, y = square.exterior.coords.xy
        lon, lat = [*lon, *x, None], [*lat, *y, None]
    return go.Scatter(
        x=lon, y=lat, mode="lines", line={"color": "#999999", "width": 0.8}, hoverinfo="skip"
    )


def _city_trace() -> go.Scatter:
    lon, lat = zip(*MULTISENGE.cities.values(), strict=True)
    return go.Scatter(
        x=lon,
        y=lat,
        mode="markers+text",
        text=list(MULTISENGE.cities),
        textposition="top right",
        textfont={"size": 11},
        marker={"symbol": "triangle-up", "color": "black", "size": 7},
        hoverinfo="skip",
    )


def gap_map(cells: pd.DataFrame, totals: pd.Series, outlines: gpd.GeoDataFrame) -> go.Figure:
    """Figure 3, interactive: where patches remain for each days gap, chosen with a slider.

    Args:
        cells: a row a grid cell: `lon`, `lat`, `patches`, and `gap15` and so on.
        totals: patches that remain, by days gap.
        outlines: `tile` and its square.
    """
    gaps = list(totals.index)
    shown = gaps.index(17) if 17 in gaps else 0
    traces = [_gap_trace(cells, gap, totals[gap], i == shown) for i, gap in enumerate(gaps)]
    steps = [
        {
            "label": str(gap),
            "method": "update",
            "args": [
                {"visible": [True, *(other == gap for other in gaps), True]},
                {"title.text": f"At least {gap} days between dates: {totals[gap]:,} patches"},
            ],
        }
        for gap in gaps
    ]
    figure = go.Figure([_outline_trace(outlines), *traces, _city_trace()])
    figure.update_layout(
        title={"text": steps[shown]["args"][1]["title.text"], "font": {"size": 15}},
        template="simple_white",
        showlegend=False,
        height=620,
        margin={"l": 60, "r": 20, "t": 50, "b": 20},
        xaxis_title="Longitude (degrees east)",
        yaxis={"title": "Latitude (degrees north)", "scaleanchor": "x", "scaleratio": _ASPECT},
        sliders=[
            {
                "active": shown,
                "steps": steps,
                "currentvalue": {"prefix": "Days gap: "},
                "pad": {"t": 60},
            }
        ],
    )
    return figure


def named(values: pd.Series, typology: Typology) -> pd.Series:
    """The series with class names in place of its ids."""
    return values.rename(dict(zip(typology.ids, typology.names, strict=True)))


def typology_table(typologies: Mapping[int, Typology]) -> pd.DataFrame:
    """Table 3: a row a published class, and the class it joins in each regrouping."""
    published = typologies[14]
    rows = {
        f"{count} classes": [
            f"{typology.names[i - 1]} ({i})" for i in typology.lookup[list(published.ids)]
        ]
        for count, typology in typologies.items()
    }
    return pd.DataFrame(rows, index=pd.Index(published.ids, name="Id"))


def _readable_on(color: str) -> str:
    red, green, blue = to_rgb(color)
    return "black" if 0.3 * red + 0.59 * green + 0.11 * blue > 0.5 else "white"


def colored_typologies(typologies: Mapping[int, Typology]) -> Styler:
    """Table 3 with each cell in its class's colour."""
    colors = {
        f"{count} classes": [
            f"background-color: {c}; color: {_readable_on(c)}"
            for c in np.array(typology.colors)[typology.lookup[1:] - 1]
        ]
        for count, typology in typologies.items()
    }
    styles = pd.DataFrame(colors, index=typology_table(typologies).index)
    return (
        typology_table(typologies)
        .style.apply(lambda _: styles, axis=None)
        .set_table_styles([{"selector": "td", "props": "text-align: left"}])
    )
