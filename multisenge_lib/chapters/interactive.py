"""Data of the interactive parts of the pages; their scripts are in the book's `_parts`."""

import base64
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import geopandas as gpd
import numpy as np

from multisenge_lib.chapters.image_figures import true_color
from multisenge_lib.chapters.style import SPLIT_COLORS
from multisenge_lib.dataset import MULTISENGE, S2_BANDS, Typology, is_sample
from multisenge_lib.results import Record


def packed(values: np.ndarray, dtype: str = "uint8") -> str:
    """Write numbers as text for a page, without their shape; `parts.bytes` of `frame.js` reads it.

    The numbers are compressed, and little-endian whatever the machine is.
    """
    stored = np.ascontiguousarray(values).astype(np.dtype(dtype).newbyteorder("<"))
    return base64.b64encode(zlib.compress(stored.tobytes(), 9)).decode()


def selection_data(
    series: Sequence[Mapping[str, Any]], outlines: gpd.GeoDataFrame, published: Mapping[int, int]
) -> dict[str, Any]:
    """Give the data of the selection explorer, which counts patches by months and gap.

    Args:
        series: from `audit.date_series`.
        outlines: from `tile_outlines`.
        published: the paper's Table 1, patches by days gap.
    """
    tiles = {}
    for row in outlines.itertuples():
        # The ring begins in the south-east, turns left, and closes; the page wants four corners
        # from the south-west on.
        ring = np.asarray(row.geometry.exterior.coords)
        corners = ring[[2, 1, 0, 3]].round(5)
        tiles[row.tile] = {"split": MULTISENGE.split_of(row.tile), "corners": corners.tolist()}
    return {
        "series": list(series),
        "tiles": tiles,
        "splits": SPLIT_COLORS,
        "cities": dict(MULTISENGE.cities),
        "months": list(MULTISENGE.months),
        "gap": MULTISENGE.days_gap,
        "published": {str(gap): int(patches) for gap, patches in published.items()},
    }


def swipe_data(
    records: Mapping[str, Record],
    typology: Typology,
    images: Mapping[str, np.ndarray],
) -> dict[str, Any]:
    """Give the data of the swipe: image, reference and maps of the patches that all records show.

    Args:
        records: one run per method, of one dataset.
        typology: typology of the records.
        images: by patch, where there are any: `(height, width, S2_BANDS)` reflectance x 10,000.
    """
    first = next(iter(records.values()))
    is_synthetic = is_sample(first.metadata.dataset)
    patches = {}
    for patch, reference in first.references.items():
        if not all(patch in record.maps for record in records.values()):
            continue
        image = None
        if patch in images:
            image = packed(255 * true_color(images[patch], bands=S2_BANDS))
        # The sample's patches bear ids of real places, which its land does not resemble.
        name = f"Invented place {len(patches) + 1}" if is_synthetic else patch
        patches[name] = {
            "size": reference.shape,
            "reference": packed(reference),
            "maps": {method: packed(record.maps[patch]) for method, record in records.items()},
            "image": image,
        }
    classes = []
    for land_cover in typology.classes:
        classes.append({"name": land_cover.name, "color": land_cover.color})
    mark = "synthetic sample" if is_synthetic else ""
    return {"patches": patches, "classes": classes, "mark": mark}


def _in_steps(values: np.ndarray) -> dict[str, Any]:
    """Round values to steps of a thousandth of the largest; give the steps and the size of one."""
    step = float(np.abs(values).max()) / 1000 or 1.0  # 1 where all are 0
    return {"step": step, "steps": packed(np.round(values / step), "int16")}


def gates_data(
    s2: np.ndarray,
    dates: Sequence[str],
    state: Any,
    points: Mapping[str, tuple[int, int]],
    chosen: int,
) -> dict[str, Any]:
    """Give the data of the gate stepper: Eq. 3 at a pixel, for one filter of a ConvLSTM.

    Args:
        s2: `(dates, height, width, 10)`, reflectance x 10,000.
        dates: as they are to be shown.
        state: the `StateAtDate` of one series, of `models.gates`.
        points: row and column of some places, by what they are.
        chosen: the filter.
    """
    # (dates, height, width, filters) each, in the order of `StateAtDate`: i, f, o, C, H.
    state = [np.asarray(values)[0] for values in state]
    # As float: differences of 16-bit pixels would wrap around.
    red = s2[..., S2_BANDS.index("B4")].astype(np.float32)
    infrared = s2[..., S2_BANDS.index("B8")].astype(np.float32)
    quantities = {"NDVI": (infrared - red) / (infrared + red)}
    for name, values in zip("ifoCH", state, strict=True):
        quantities[name] = values[..., chosen]
    return {
        "size": s2.shape[1:3],
        "dates": list(dates),
        "points": points,
        "images": packed(255 * true_color(s2, brightest=2500)),
        "quantities": {name: _in_steps(values) for name, values in quantities.items()},
    }
