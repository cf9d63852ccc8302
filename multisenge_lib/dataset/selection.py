"""Which dates of which patches (paper, section 2.2), and which patches for what (Figure 4).

The paper asks for one Sentinel-2 image a month and a number of days between two consecutive
ones. Its rule for choosing among several dates is not printed; the one below gives the authors'
dates exactly: walk the months in order and take, in each, the earliest date that lies at least
the gap after the date taken before.
"""

import os
from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from multisenge_lib.dataset.description import describe
from multisenge_lib.dataset.labels import read_index
from multisenge_lib.dataset.layout import LABELS, MULTISENGE, SENSORS, Dataset
from multisenge_lib.errors import SelectionError

S1Rule = Literal["first", "nearest"]


def check_months(months: Sequence[int]) -> tuple[int, ...]:
    """Months as they came, or a SelectionError: in order, each once, 1 to 12, at least one."""
    months = tuple(months)
    if not months or any(not isinstance(m, int | np.integer) or not 1 <= m <= 12 for m in months):
        raise SelectionError(f"months {months}: give at least one, each from 1 to 12")
    if any(a >= b for a, b in pairwise(months)):
        raise SelectionError(
            f"months {months} are out of order: give each once, in the order of the year"
        )
    return months


def check_days_gap(days_gap: int) -> int:
    """The gap as it came, or a SelectionError where it is negative."""
    if days_gap < 0:
        raise SelectionError(f"days gap {days_gap}: give the least number of days, 0 or more")
    return days_gap


def month_of(dates: np.ndarray) -> np.ndarray:
    """Months, 1 to 12, of datetime64[D] dates."""
    return dates.astype("datetime64[M]").astype(np.int64) % 12 + 1


def choose_dates(dates: np.ndarray, months: Sequence[int], days_gap: int) -> np.ndarray | None:
    """One date a month by the rule above.

    Args:
        dates: of one patch, sorted datetime64[D], within one year.
        months: in order.
        days_gap: least number of days from one chosen date to the next.

    Returns:
        As many dates as months, or None where the rule finds none for some month.
    """
    month, chosen = month_of(dates), []
    earliest = np.datetime64("0001-01-01")
    for wanted in months:
        allowed = dates[(month == wanted) & (dates >= earliest)]
        if not len(allowed):
            return None
        chosen.append(allowed[0])
        earliest = allowed[0] + days_gap
    return np.array(chosen, dtype="datetime64[D]")


def first_of_months(dates: np.ndarray, chosen: np.ndarray) -> np.ndarray | None:
    """The first of `dates` in the month of each chosen date: the authors' rule for Sentinel-1."""
    months = dates.astype("datetime64[M]")
    wanted = chosen.astype("datetime64[M]")
    at = np.searchsorted(months, wanted)
    if (at == len(dates)).any() or (months[at] != wanted).any():
        return None
    return dates[at]


def nearest(dates: np.ndarray, chosen: np.ndarray) -> np.ndarray | None:
    """The nearest of `dates` to each chosen date, the earlier of two at the same distance."""
    if not len(dates):
        return None
    return dates[np.abs(dates[None, :] - chosen[:, None]).argmin(axis=1)]


#: How Sentinel-1 dates follow from the Sentinel-2 dates chosen.
S1_RULES = {"first": first_of_months, "nearest": nearest}


def dates_on_disk(folder: Path | str) -> dict[str, np.ndarray]:
    """The acquisitions whose files are in a folder `s1/` or `s2/` of the published layout.

    Returns:
        From patch to its dates, sorted datetime64[D].

    Raises:
        SelectionError: the folder is missing, or a raster's name is not of the layout.
    """
    found = defaultdict(list)
    try:
        names = [entry.name for entry in os.scandir(folder) if entry.name.endswith(".tif")]
    except OSError as error:
        raise SelectionError(f"{folder} cannot be listed: {error.strerror}") from None
    try:
        for name in names:
            tile, day, _, x, y = name[:-4].split("_")
            found[f"{tile}_{x}_{y}"].append(f"{day[:4]}-{day[4:6]}-{day[6:]}")
        return {p: np.sort(np.array(d, dtype="datetime64[D]")) for p, d in found.items()}
    except ValueError:
        raise SelectionError(
            f"{folder} holds a raster not named tile_yyyymmdd_sensor_x_y.tif: {name}"
        ) from None


def only_existing(
    index: pd.DataFrame, root: Path | str, sensors: Sequence[str] = SENSORS
) -> pd.DataFrame:
    """The index with only the dates whose rasters are below a data root.

    Many Sentinel-1 files that the published label files name are not in the published archive;
    to choose among names alone would lose most patches.

    Args:
        index: from `read_index`.
        root: the data root.
        sensors: which of `s1` and `s2` to look for; the dates of the other stay as named.
    """
    index = index.copy()
    for sensor in sensors:
        column, there = f"{sensor}_dates", dates_on_disk(Path(root) / sensor)
        nothing = np.array([], dtype="datetime64[D]")
        index[column] = [
            np.intersect1d(dates, there.get(patch, nothing), assume_unique=True)
            for patch, dates in zip(index["patch"], index[column], strict=True)
        ]
    return index


def select(
    index: pd.DataFrame,
    months: Sequence[int] | None = None,
    days_gap: int | None = None,
    s1_rule: S1Rule = "first",
    dataset: Dataset = MULTISENGE,
) -> pd.DataFrame:
    """Patches with a full series, their dates and their split.

    Args:
        index: from `read_index`, or `only_existing` of it.
        months: in order, by default the dataset's.
        days_gap: least days between consecutive Sentinel-2 dates, by default the dataset's.
        s1_rule: `first`, the first Sentinel-1 date of each month (the authors' code; the paper
            leaves it open), or `nearest`, the one nearest to each Sentinel-2 date.
        dataset: gives the splits.

    Returns:
        One row a selected patch, sorted by patch: `patch`, `tile`, `x`, `y`, `split`,
        `s2_dates`, `s1_dates` (datetime64[D], one a month).

    Raises:
        SelectionError: months, gap or rule out of range.
    """
    months = check_months(dataset.months if months is None else months)
    days_gap = check_days_gap(dataset.days_gap if days_gap is None else days_gap)
    if s1_rule not in S1_RULES:
        raise SelectionError(f"S1 rule {s1_rule!r}: choose {' or '.join(S1_RULES)}")
    s2 = [choose_dates(dates, months, days_gap) for dates in index["s2_dates"]]
    s1 = [
        None if chosen is None else S1_RULES[s1_rule](dates, chosen)
        for dates, chosen in zip(index["s1_dates"], s2, strict=True)
    ]
    table = index[["patch", "tile", "x", "y"]].assign(
        split=index["tile"].map(dataset.split_of),
        s2_dates=pd.Series(s2, index.index, dtype=object),
        s1_dates=pd.Series(s1, index.index, dtype=object),
    )
    return table[table["s1_dates"].notna()].reset_index(drop=True)


def load_selection(
    root: Path | str,
    months: Sequence[int] | None = None,
    days_gap: int | None = None,
    s1_rule: S1Rule = "first",
    sensors: Sequence[str] | None = None,
) -> pd.DataFrame:
    """The patches of a data root whose series are complete on disk (section 2.2).

    Args:
        root: the data root; its dataset gives what is not given here.
        months: see `select`.
        days_gap: see `select`.
        s1_rule: see `select`.
        sensors: whose files must be on disk; by default those of which there is any file. The
            dates of the other are taken as the labels name them: the experiments of one sensor
            need no files of the other.

    Returns:
        See `select`.
    """
    root, dataset = Path(root), describe(root)
    if sensors is None:
        sensors = [s for s in dataset.sensors if any((root / s).glob("*"))]
    index = only_existing(read_index(root / LABELS, dataset), root, sensors)
    return select(index, months, days_gap, s1_rule, dataset)


def _joined(dates: np.ndarray) -> str:
    return ";".join(np.datetime_as_string(dates, unit="D")).replace("-", "")


def to_csv(selection: pd.DataFrame, path: Path | str | None = None) -> str | None:
    """Write a selection: columns `patch,tile,split,s2_dates,s1_dates`, dates joined by `;`.

    Args:
        selection: from `select`.
        path: the file; None returns the text instead.
    """
    table = selection[["patch", "tile", "split"]].assign(
        s2_dates=selection["s2_dates"].map(_joined), s1_dates=selection["s1_dates"].map(_joined)
    )
    return table.to_csv(path, index=False, lineterminator="\n")
