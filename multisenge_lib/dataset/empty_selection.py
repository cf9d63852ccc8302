"""Why a selection is empty: what the images lack, in one clause with the remedy."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from multisenge_lib.dataset.labels import read_index
from multisenge_lib.dataset.layout import LABELS, Dataset
from multisenge_lib.dataset.months import month_of, months_in_words
from multisenge_lib.dataset.root import dataset_of_root
from multisenge_lib.dataset.selection import (
    S1_WINDOW,
    choose_all,
    has_full_series,
    only_existing,
)

_SENSOR_NAMES = {"s1": "Sentinel-1", "s2": "Sentinel-2"}


def why_none_selected(index: pd.DataFrame, dataset: Dataset) -> str:
    """Say why `select` takes no patch of an index, and what to do about it.

    Args:
        index: from `read_index`, or `only_existing` of it.
        dataset: it gives the months and the days gap of the selection.

    Returns:
        One clause. It is meant for an empty selection, and is wrong for any other.
    """
    if index.empty:
        return f"there is no patch: look into {LABELS}/"
    # Months and gap are those of this sensor.
    leading = "s2" if "s2" in dataset.sensors else "s1"
    reason = _why_no_series(index, leading, dataset)
    if reason is None and "s1" in dataset.sensors and leading == "s2":
        reason = _why_no_s1(index, dataset)
    return reason or (
        "every patch with a full series is too near to another split: give a smaller distance "
        "under [blocks] of dataset.toml"
    )


def why_root_has_none(root: Path | str, sensors: Sequence[str], dataset: Dataset) -> str:
    """Say why `load_selection` takes no patch of a data root; arguments as there.

    The root is read again, which is worth it only where nothing was selected.
    """
    index = read_index(Path(root) / LABELS, dataset_of_root(root))
    return why_none_selected(only_existing(index, root, sensors), dataset)


def _why_no_series(index: pd.DataFrame, sensor: str, dataset: Dataset) -> str | None:
    """Why no patch has a series of its leading sensor; None where one has."""
    name = _SENSOR_NAMES[sensor]
    months = months_in_words(dataset.months)
    lacking = _months_without_images(index, sensor, dataset.months)
    if lacking:
        return (
            f"no patch has a {name} image of {months_in_words(lacking)}: choose months that have "
            "images, or fetch the images"
        )
    dates = index[f"{sensor}_dates"]
    if _any_series(choose_all(dates, dataset.months, dataset.days_gap)):
        return None
    if _any_series(choose_all(dates, dataset.months, days_gap=0)):
        return (
            f"no patch has {name} images of {months} that lie {dataset.days_gap} days apart: "
            "choose a smaller days gap"
        )
    return f"no single patch has a {name} image in each of the {months}: choose fewer months"


def _why_no_s1(index: pd.DataFrame, dataset: Dataset) -> str | None:
    """Why no Sentinel-2 series has its Sentinel-1 images; None where one has."""
    if has_full_series(index, dataset).any():
        return None
    if dataset.s1_rule == "nearest":
        return (
            f"no patch has a Sentinel-1 image within {S1_WINDOW} of each Sentinel-2 image: choose "
            "another s1_rule, or fetch the images"
        )
    remedy = "choose months that have images of both sensors"
    lacking = _months_without_images(index, "s1", dataset.months)
    if lacking:
        return (
            f"no patch has a Sentinel-1 image of {months_in_words(lacking)}, and each Sentinel-2 "
            f"image needs one of its month: {remedy}"
        )
    if dataset.s1_per_month > 1:
        return (
            f"no patch has {dataset.s1_per_month} Sentinel-1 images in the month of each "
            "Sentinel-2 image: add images, or choose a rule or network that takes fewer"
        )
    return (
        "no patch has Sentinel-1 images of the same months and years as its Sentinel-2 images: "
        f"{remedy}"
    )


def _any_series(series: Sequence[np.ndarray | None]) -> bool:
    return any(dates is not None for dates in series)


def _months_without_images(index: pd.DataFrame, sensor: str, months: Sequence[int]) -> list[int]:
    """The months in which no patch has an image of a sensor in any year."""
    dates = np.concatenate(list(index[f"{sensor}_dates"]))
    present = set(month_of(dates).tolist())
    return [month for month in months if month not in present]
