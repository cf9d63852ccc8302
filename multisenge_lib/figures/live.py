"""What the interactive parts of the pages draw from; the scripts are in the book's `_parts`."""

import base64
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import geopandas as gpd
import numpy as np
from IPython.display import HTML

from multisenge_lib.dataset import MULTISENGE, SAMPLE, Typology
from multisenge_lib.figures.dataset import SPLIT_COLORS, true_color
from multisenge_lib.figures.notes import interactive_part
from multisenge_lib.results import Record


def packed(values: np.ndarray) -> str:
    """Bytes as text for a page; `parts.bytes` of the book's `frame.js` reads them.

    Args:
        values: uint8, of any shape; the shape is not kept.
    """
    return base64.b64encode(zlib.compress(values.astype(np.uint8).tobytes(), 9)).decode()


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


def _patch_layers(
    records: Mapping[str, Record], patch: str, images: Mapping[str, np.ndarray]
) -> dict[str, Any]:
    reference = next(iter(records.values())).references[patch]
    layers = {
        "size": reference.shape,
        "reference": packed(reference),
        "maps": {method: packed(record.maps[patch]) for method, record in records.items()},
    }
    if patch in images:
        layers["image"] = packed(255 * true_color(images[patch]))
    return layers


def map_swipe(
    records: Mapping[str, Record],
    typology: Typology,
    images: Mapping[str, np.ndarray],
    instead: str,
) -> HTML:
    """Image, reference and each network's map of a test patch, swiped over each other.

    Args:
        records: one run a method, of one dataset.
        typology: theirs.
        images: of patches, where there are any: `(height, width, 10)` reflectance x 10,000.
        instead: HTML that stands there where scripts are off.
    """
    first = next(iter(records.values()))
    shown = [p for p in first.references if all(p in record.maps for record in records.values())]
    sample = first.metadata.dataset == SAMPLE.name
    data = {
        "patches": {patch: _patch_layers(records, patch, images) for patch in shown},
        "classes": [{"name": c.name, "color": c.color} for c in typology.classes],
        "mark": "synthetic sample" if sample else "",
    }
    whose = "of the synthetic sample, not the paper's" if sample else "of the test tile"
    caption = f"Patches {whose}: drag the line; wrong pixels can be marked in magenta."
    return interactive_part("swipe", data, instead, caption)
