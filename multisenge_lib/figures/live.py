"""What the interactive parts of the pages draw from; the scripts are in the book's `_parts`."""

import base64
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import geopandas as gpd
import numpy as np
from IPython.display import HTML

from multisenge_lib.dataset import MULTISENGE, S2_BANDS, SAMPLE, Typology
from multisenge_lib.figures.dataset import SPLIT_COLORS, true_color
from multisenge_lib.figures.notes import interactive_part
from multisenge_lib.results import Record


def packed(values: np.ndarray, dtype: str = "uint8") -> str:
    """Bytes as text for a page; `parts.bytes` of the book's `frame.js` reads them.

    Args:
        values: of any shape; the shape is not kept.
        dtype: what they are stored as.
    """
    stored = np.ascontiguousarray(values).astype(np.dtype(dtype).newbyteorder("<"))
    return base64.b64encode(zlib.compress(stored.tobytes(), 9)).decode()


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


def _in_steps(values: np.ndarray) -> dict[str, Any]:
    """Values as whole steps of a thousandth of the largest, and the size of a step."""
    step = float(np.abs(values).max()) / 1000 or 1.0
    return {"step": step, "steps": packed(np.round(values / step), "int16")}


def gate_stepper(
    s2: np.ndarray,
    dates: Sequence[str],
    state: Any,
    points: Mapping[str, tuple[int, int]],
    instead: str,
) -> HTML:
    """Step through the dates of a series at a pixel: gates, cell and hidden state of Eq. 3.

    Args:
        s2: `(dates, height, width, 10)`, reflectance x 10,000.
        dates: as they are to be shown.
        state: the `Gates` of one series, of `models.gates`. Shown is the filter whose forget gate
            changes most.
        points: row and column of some places, by what they are.
        instead: HTML that stands there where scripts are off.
    """
    chosen = int(np.asarray(state.forget)[0, 1:].std(0).mean((0, 1)).argmax())
    red, infrared = (s2[..., S2_BANDS.index(band)] for band in ("B4", "B8"))
    quantities = {"NDVI": (infrared - red) / (infrared + red)}
    quantities |= {
        name: getattr(state, field)[0, ..., chosen]
        for name, field in zip(
            "ifoCH", ("input", "forget", "output", "cell", "hidden"), strict=True
        )
    }
    data = {
        "size": s2.shape[1:3],
        "dates": list(dates),
        "filter": chosen + 1,
        "points": points,
        "images": packed(255 * true_color(s2, brightest=2500)),
        "quantities": {name: _in_steps(values) for name, values in quantities.items()},
    }
    caption = (
        "Real pixels: a village and its fields, monthly composites of Sentinel-2 (ESA WorldCereal, "
        "MIT; contains modified Copernicus Sentinel data 2020-2021). One filter of the network "
        "trained above on the synthetic sample, so its gates are what it makes of land that it has "
        "not seen. Click a pixel, then step through the dates."
    )
    return interactive_part("gates", data, instead, caption)
