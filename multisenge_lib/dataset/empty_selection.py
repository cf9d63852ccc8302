"""Why a selection is empty: what the images lack, and what to do about it."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from multisenge_lib.dataset.layout import LABELS, Dataset
from multisenge_lib.dataset.months import month_of, months_in_words
from multisenge_lib.dataset.selection import (
    S1_WINDOW,
    choose_all,
    has_full_series,
    index_on_disk,
)

_SENSOR_NAMES = {"s1": "Sentinel-1", "s2": "Sentinel-2"}


class WhyEmpty(NamedTuple):
    """Why `select` takes no patch; as text, one clause with the remedy.

    Attributes:
        cause: what the images lack.
        remedy: for who may choose months, days gap and rule. A saved network cannot.
    """

    cause: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.cause}: {self.remedy}"


def why_none_selected(index: pd.DataFrame, dataset: Dataset) -> WhyEmpty:
    """Say why `select` takes no patch of an index.

    Args:
        index: from `read_index`, or `only_existing` of it.
        dataset: it gives the months, the days gap and the rule of the selection.

    Returns:
        The most likely reason, and where to look. Call this only if `select` took no patch.
    """
    if index.empty:
        return WhyEmpty("there is no patch", f"look into {LABELS}/")
    # The sensor whose dates are chosen first; months and gap are about these.
    first_sensor = "s2" if "s2" in dataset.sensors else "s1"
    reason = _why_no_series(index, first_sensor, dataset)
    if reason is None and "s1" in dataset.sensors and first_sensor == "s2":
        reason = _why_no_s1(index, dataset)
    return reason or WhyEmpty(
        "every patch with a full series is too near to another split",
        "give a smaller distance under [blocks] of dataset.toml",
    )


def why_root_has_none(root: Path | str, sensors: Sequence[str], dataset: Dataset) -> WhyEmpty:
    """Say why `load_selection` takes no patch of a data root; arguments as there.

    The root is read again, which is worth it only where nothing was selected.
    """
    return why_none_selected(index_on_disk(root, sensors, dataset), dataset)


def _why_no_series(index: pd.DataFrame, sensor: str, dataset: Dataset) -> WhyEmpty | None:
    """Why no patch has a series of the sensor whose dates are chosen first; None where one has."""
    name = _SENSOR_NAMES[sensor]
    months = months_in_words(dataset.months)
    lacking = _months_without_images(index, sensor, dataset.months)
    if lacking:
        return WhyEmpty(
            f"no patch has a {name} image of {months_in_words(lacking)}",
            "choose months that have images, or fetch the images",
        )
    dates = index[f"{sensor}_dates"]
    if _any_series(choose_all(dates, dataset.months, dataset.days_gap)):
        return None
    if _any_series(choose_all(dates, dataset.months, days_gap=0)):
        return WhyEmpty(
            f"no patch has {name} images of {months} that lie at least {dataset.days_gap} days "
            "apart",
            "choose a smaller days gap",
        )
    return WhyEmpty(
        f"no patch has {name} images of {months} within one series, which is of one year unless "
        "its months cross New Year",
        "choose fewer months, or fetch the images",
    )


def _why_no_s1(index: pd.DataFrame, dataset: Dataset) -> WhyEmpty | None:
    """Why no Sentinel-2 series has its Sentinel-1 images; None where one has."""
    if has_full_series(index, dataset).any():
        return None
    if dataset.s1_rule == "nearest":
        return WhyEmpty(
            f"no patch has a Sentinel-1 image within {S1_WINDOW} of each Sentinel-2 image",
            "choose another s1_rule, or fetch the images",
        )
    remedy = "choose months that have images of both sensors, or fetch the images"
    lacking = _months_without_images(index, "s1", dataset.months)
    if lacking:
        return WhyEmpty(
            f"no patch has a Sentinel-1 image of {months_in_words(lacking)}, and each Sentinel-2 "
            "image needs one of its month",
            remedy,
        )
    if dataset.s1_per_month > 1:
        return WhyEmpty(
            f"no patch has {dataset.s1_per_month} Sentinel-1 images in the month of each "
            "Sentinel-2 image",
            "choose an s1_rule that takes fewer, or fetch the images",
        )
    return WhyEmpty(
        "no patch has Sentinel-1 images of the same months and years as its Sentinel-2 images",
        remedy,
    )


def _any_series(series: Sequence[np.ndarray | None]) -> bool:
    return any(dates is not None for dates in series)


def _months_without_images(index: pd.DataFrame, sensor: str, months: Sequence[int]) -> list[int]:
    """The months in which no patch has an image of a sensor in any year."""
    dates = np.concatenate(list(index[f"{sensor}_dates"]))
    present = set(month_of(dates).tolist())
    return [month for month in months if month not in present]
