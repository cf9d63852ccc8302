"""The patches of a data root that a network can map, and what it takes of each."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from multisenge_lib.dataset import (
    Patch,
    check_months,
    dataset_of_root,
    days_of_year,
    load_selection,
    months_in_words,
    why_root_has_none,
)
from multisenge_lib.errors import ModelError, SelectionError, printable

if TYPE_CHECKING:
    import keras

    from multisenge_lib.models import ModelCard


def patches_to_map(
    root: Path | str,
    months: Sequence[int],
    sensors: Sequence[str],
    s1_per_month: int = 1,
    by_split: bool = False,
) -> pd.DataFrame:
    """Select the patches of a data root that have a full series.

    Args:
        root: the data root.
        months: the months of the series that the network takes.
        sensors: the sensors that the network takes.
        s1_per_month: Sentinel-1 images of each month that it takes.
        by_split: keep the splits of the data root, and leave out patches that are too near to
            another split. By default all patches are taken, whatever their split.

    Returns:
        One row per patch, as `dataset.select` returns it; without `by_split` all are in the split
        `test`.

    Raises:
        ModelError: no patch has a full series; the message says why.
        SelectionError: a folder is missing, or holds a raster whose name is not of the layout.
    """
    dataset = dataset_of_root(root)
    if "s2" not in dataset.sensors and s1_per_month > 1:
        raise ModelError(
            f"{printable(root)} has Sentinel-1 alone, of which a series has one image of each "
            f"month; the network takes {s1_per_month}: use one that takes one"
        )
    s1_rule = dataset.s1_rule
    if s1_per_month != dataset.s1_per_month:
        s1_rule = "first" if s1_per_month == 1 else f"first{s1_per_month}"
    chosen = replace(dataset, months=tuple(months), s1_rule=s1_rule)
    # Without Sentinel-1 a patch needs no image of it. But the dates of Sentinel-1 follow those of
    # Sentinel-2, also for a network that reads Sentinel-1 alone, as in training.
    if "s2" in sensors:
        chosen = replace(chosen, bands={sensor: dataset.bands[sensor] for sensor in sensors})
    if not by_split:
        # All in one split, so that no patch is dropped as a buffer between splits.
        chosen = replace(chosen, split_of_tile=dict.fromkeys(dataset.tiles, "test"))
    unreadable = (
        f"{printable(root)} has no patch that this network of {months_in_words(months)} can read"
    )
    try:
        check_months(months, dataset.years)
    except SelectionError as error:  # they cross New Year, and the root has one year
        raise ModelError(f"{unreadable} ({error}): take a network of other months") from None
    selection = load_selection(root, dataset=chosen, sensors=sensors)
    if selection.empty:
        cause = why_root_has_none(root, sensors, chosen).cause
        raise ModelError(
            f"{unreadable} ({cause}): fetch the images, take a network of other months, or change "
            "the days_gap in the root's dataset.toml"
        )
    return selection


def check_bands(root: Path | str, card: "ModelCard") -> None:
    """Refuse a root whose rasters are not what a network takes.

    Raises:
        ModelError: a sensor is missing, or has other bands, or the same in another order.
    """
    bands_of_root = dataset_of_root(root).bands
    for sensor, needed in card.bands.items():
        available = bands_of_root.get(sensor, ())
        if tuple(available) != tuple(needed):
            raise ModelError(
                f"{printable(root)}: {sensor} has {', '.join(available) or 'no bands'}, the "
                f"network {printable(card.name)} takes {', '.join(needed)}: use a network that "
                "was trained on such a root"
            )


def patch_inputs(
    network: "keras.Model", card: "ModelCard", row: Any, patch: Patch
) -> dict[str, np.ndarray]:
    """Put one patch together as a batch of one, as a network takes it.

    Args:
        network: that takes it.
        card: the network's card.
        row: a row of the selection, with the dates of the patch's images.
        patch: as `read_patch` gives it.

    Returns:
        By the names of the network's inputs: the series of each sensor, `(1, dates, height, width,
        bands) float32`, and where the network asks for them the days of the year, `(1, dates)`.
    """
    # Imported here: it needs Keras, which the selection of patches does not.
    from multisenge_lib.models import days_input

    names = {tensor.name for tensor in network.inputs}
    batch = {}
    for sensor in card.sensors:
        batch[sensor] = getattr(patch, sensor)[None].astype(np.float32)
        if days_input(sensor) in names:
            dates = getattr(row, f"{sensor}_dates")
            batch[days_input(sensor)] = days_of_year(dates)[None]
    return batch
