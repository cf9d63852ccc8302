"""What the page about gates shows: pieces to train on, places of the village, and one filter.

Places and filter are not chosen by eye: a page that promises a field beside a roof must show them
whatever the network has learnt, and after every change of the training.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import ndimage

from multisenge_lib.chapters.seasons import find_buildings, find_fields, ndvi
from multisenge_lib.dataset import Typology, read_patch, reclassify

#: Pixels along a piece.
_PIECE = 64

#: Trees and meadows never fall below this NDVI, in no month of the year.
_ALWAYS_GREEN = 0.5


def optical_pieces(
    root: Path | str, selection: pd.DataFrame, split: str, count: int, typology: Typology
) -> tuple[np.ndarray, np.ndarray]:
    """Read a few small pieces of Sentinel-2 series and their classes, spread over a split.

    Args:
        root: the data root.
        selection: from `load_selection`.
        split: "train", "validation" or "test".
        count: how many pieces at most.
        typology: the typology of the classes.

    Returns:
        `(pieces, dates, 64, 64, bands) float32` and `(pieces, 64, 64)` class ids.
    """
    rows = selection[selection["split"] == split]
    step = -(-len(rows) // count)  # rounded up
    images = []
    ids = []
    for row in rows[::step].itertuples():
        patch = read_patch(root, row, sensors=("s2",))
        images.append(patch.s2[:, :_PIECE, :_PIECE])
        ids.append(reclassify(patch.reference[:_PIECE, :_PIECE], typology))
    return np.stack(images).astype(np.float32), np.stack(ids)


def gate_places(images: np.ndarray) -> dict[str, tuple[int, int]]:
    """Find one pixel each of a winter crop, a summer crop, trees, and roofs with a street.

    The winter crop is the field that loses most NDVI after its peak, the summer crop the one whose
    year resembles that of the winter crop least. The roofs are the built-up place whose NDVI
    changes least. Trees are the darkest of the places that are green all year; meadows are lighter.

    Args:
        images: `(dates, height, width, 10)`, reflectance x 10,000, over a whole year.

    Returns:
        Row and column by the name of the place.
    """
    index = ndvi(images)
    fields = find_fields(images)
    middles = [_middle(fields == field) for field in range(1, fields.max() + 1)]

    years = [index[:, row, column] for row, column in middles]
    losses = [_loss_after_peak(year) for year in years]
    winter = int(np.argmax(losses))
    likeness = [np.corrcoef(year, years[winter])[0, 1] for year in years]
    summer = int(np.argmin(likeness))

    # The border of a place mixes it with its neighbour, so a whole 3 x 3 window must belong to it.
    is_built = ndimage.minimum_filter(find_buildings(images), 3)
    changes = np.where(is_built, np.ptp(index, axis=0), np.inf)
    is_green = ndimage.minimum_filter(index.min(axis=0), 3) > _ALWAYS_GREEN
    brightness = np.where(is_green, images[..., :3].mean(axis=(0, 3)), np.inf)

    return {
        "Winter crop": middles[winter],
        "Summer crop": middles[summer],
        "Trees": _lowest(brightness),
        "Roofs": _lowest(changes),
    }


def _loss_after_peak(year: np.ndarray) -> float:
    """Return how far a year's NDVI falls after its highest value."""
    peak = int(year.argmax())
    return float(year[peak] - year[peak:].min())


def _middle(region: np.ndarray) -> tuple[int, int]:
    """Return the pixel of a region that is farthest from its border."""
    return _lowest(-ndimage.distance_transform_edt(region))


def _lowest(values: np.ndarray) -> tuple[int, int]:
    row, column = np.unravel_index(values.argmin(), values.shape)
    return int(row), int(column)


def telling_filter(
    state: Any, images: np.ndarray, field: tuple[int, int], roof: tuple[int, int]
) -> int:
    """Choose the filter whose cell follows a field through the year and rests on a roof.

    Args:
        state: the `StateAtDate` of one series, of `models.gates`.
        images: `(dates, height, width, 10)` of that series.
        field: row and column of a pixel that greens and is harvested.
        roof: row and column of a pixel that does not change.

    Returns:
        The filter with the largest product of two numbers: how much more its cell moves in the
        field than on the roof, and how closely it follows the field's NDVI, up or down.
    """
    cell = np.asarray(state.cell)[0]  # (dates, height, width, filters)
    in_field = cell[:, field[0], field[1]]
    on_roof = cell[:, roof[0], roof[1]]
    year = ndvi(images)[:, field[0], field[1]]

    scores = []
    for number in range(cell.shape[-1]):
        moves_more = np.ptp(in_field[:, number]) - np.ptp(on_roof[:, number])
        follows = abs(np.corrcoef(in_field[:, number], year)[0, 1])
        scores.append(moves_more * follows)
    return int(np.nanargmax(scores))
