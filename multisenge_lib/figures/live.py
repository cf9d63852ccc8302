"""What the interactive parts of the pages draw from; the scripts are in the book's `_parts`."""

from collections.abc import Mapping, Sequence
from typing import Any

import geopandas as gpd
from IPython.display import HTML

from multisenge_lib.dataset import MULTISENGE
from multisenge_lib.figures.dataset import SPLIT_COLORS
from multisenge_lib.figures.notes import interactive_part


def _corners(outlines: gpd.GeoDataFrame) -> dict[str, list[list[float]]]:
    """Longitude and latitude of the north-west, north-east, south-east, south-west corner."""
    corners = {}
    for row in outlines.itertuples():
        se, ne, nw, sw, _ = row.geometry.exterior.coords
        corners[row.tile] = [[round(degrees, 5) for degrees in at] for at in (nw, ne, se, sw)]
    return corners


def selection_explorer(
    series: Sequence[Mapping[str, Any]],
    outlines: gpd.GeoDataFrame,
    published: Mapping[int, int],
    instead: str,
) -> HTML:
    """Tick months, drag the gap: the patches that remain, counted in the page.

    Args:
        series: of `dataset.series`.
        outlines: of `tile_outlines`.
        published: the paper's Table 1, patches by days gap.
        instead: HTML that stands there where scripts are off.
    """
    data = {
        "series": list(series),
        "tiles": {
            tile: {"split": MULTISENGE.split_of(tile), "corners": corners}
            for tile, corners in _corners(outlines).items()
        },
        "splits": SPLIT_COLORS,
        "cities": dict(MULTISENGE.cities),
        "months": list(MULTISENGE.months),
        "gap": MULTISENGE.days_gap,
        "published": {str(gap): patches for gap, patches in published.items()},
    }
    patches = sum(len(one["x"]) for one in series)
    caption = (
        f"Computed in this page from the real label files: the {patches:,} patches share only "
        f"{len(series)} lists of Sentinel-2 dates. Grey squares are patches without a full series."
    )
    return interactive_part("selection", data, instead, caption)
