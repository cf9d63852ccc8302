"""What the interactive parts of the pages draw from; the scripts are in the book's `_parts`."""

import base64
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import geopandas as gpd
import numpy as np

from multisenge_lib.chapters.image_figures import SPLIT_COLORS, true_color
from multisenge_lib.dataset import MULTISENGE, S2_BANDS, Typology, is_sample
from multisenge_lib.results import Record


def packed(values: np.ndarray, dtype: str = "uint8") -> str:
    """Numbers as text for a page, without their shape; read by `parts.bytes` of `frame.js`."""
    stored = np.ascontiguousarray(values).astype(np.dtype(dtype).newbyteorder("<"))
    return base64.b64encode(zlib.compress(stored.tobytes(), 9)).decode()


def selection_data(
    series: Sequence[Mapping[str, Any]], outlines: gpd.GeoDataFrame, published: Mapping[int, int]
) -> dict[str, Any]:
    """For the selection explorer: patches counted by months and gap.

    Args:
        series: of `audit.date_series`.
        outlines: of `tile_outlines`.
        published: the paper's Table 1, patches by days gap.
    """
    # From a box that begins in the south-east and turns left.
    corners = outlines.get_coordinates().to_numpy().reshape(-1, 5, 2)[:, [2, 1, 0, 3]].round(5)
    return {
        "series": list(series),
        "tiles": {
            tile: {"split": MULTISENGE.split_of(tile), "corners": places.tolist()}
            for tile, places in zip(outlines["tile"], corners, strict=True)
        },
        "splits": SPLIT_COLORS,
        "cities": dict(MULTISENGE.cities),
        "months": list(MULTISENGE.months),
        "gap": MULTISENGE.days_gap,
        "published": {str(gap): int(patches) for gap, patches in published.items()},
    }


def swipe_data(
    records: Mapping[str, Record], typology: Typology, images: Mapping[str, np.ndarray]
) -> dict[str, Any]:
    """For the swipe: image, reference and each network's map of the patches that all records show.

    Args:
        records: one run a method, of one dataset.
        typology: theirs.
        images: of patches, where there are any: `(height, width, 10)` reflectance x 10,000.
    """
    first = next(iter(records.values()))
    patches = {
        patch: {
            "size": reference.shape,
            "reference": packed(reference),
            "maps": {method: packed(record.maps[patch]) for method, record in records.items()},
            "image": packed(255 * true_color(images[patch])) if patch in images else None,
        }
        for patch, reference in first.references.items()
        if all(patch in record.maps for record in records.values())
    }
    return {
        "patches": patches,
        "classes": [{"name": c.name, "color": c.color} for c in typology.classes],
        "mark": "synthetic sample" if is_sample(first.metadata.dataset) else "",
    }


def _in_steps(values: np.ndarray) -> dict[str, Any]:
    """Values as whole steps of a thousandth of the largest, and the size of a step."""
    step = float(np.abs(values).max()) / 1000 or 1.0
    return {"step": step, "steps": packed(np.round(values / step), "int16")}


def gates_data(
    s2: np.ndarray, dates: Sequence[str], state: Any, points: Mapping[str, tuple[int, int]]
) -> dict[str, Any]:
    """For the gate stepper: Eq. 3 at a pixel, for the filter whose forget gate changes most.

    Args:
        s2: `(dates, height, width, 10)`, reflectance x 10,000.
        dates: as they are to be shown.
        state: the `Gates` of one series, of `models.gates`.
        points: row and column of some places, by what they are.
    """
    state = [np.asarray(values)[0] for values in state]
    chosen = int(state[1][1:].std(0).mean((0, 1)).argmax())
    red, infrared = (s2[..., S2_BANDS.index(band)].astype(np.float32) for band in ("B4", "B8"))
    quantities = {"NDVI": (infrared - red) / (infrared + red)}
    quantities |= {name: values[..., chosen] for name, values in zip("ifoCH", state, strict=True)}
    return {
        "size": s2.shape[1:3],
        "dates": list(dates),
        "points": points,
        "images": packed(255 * true_color(s2, brightest=2500)),
        "quantities": {name: _in_steps(values) for name, values in quantities.items()},
    }
