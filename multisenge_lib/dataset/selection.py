"""Which dates of which patches (paper, section 2.2), and which patches for what (Figure 4).

The paper asks for one Sentinel-2 image a month and a number of days between two consecutive
ones. Its rule for choosing among several dates is not printed; the one below gives Table 1 to the
patch: walk the months in order and take, in each, the earliest date that lies at least the gap
after the date taken before.
"""

import os
import warnings
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from multisenge_lib.dataset.labels import parse_day, read_index
from multisenge_lib.dataset.layout import (
    LABELS,
    MULTISENGE,
    RASTER_NAME,
    SENSORS,
    Dataset,
    check_months,
    raster_path,
)
from multisenge_lib.dataset.root import dataset_of_root
from multisenge_lib.dataset.splits import BUFFER_ZONE, split_patches
from multisenge_lib.errors import SelectionError, printable
from multisenge_lib.files import write_text

S1Rule = Literal["first", "nearest"]
_NO_DATES = np.array([], dtype="datetime64[D]")


def month_of(dates: np.ndarray) -> np.ndarray:
    """Months, 1 to 12, of datetime64[D] dates."""
    return dates.astype("datetime64[M]").astype(np.int64) % 12 + 1


def _walk(dates: np.ndarray, months: Sequence[np.datetime64], days_gap: int) -> np.ndarray | None:
    """One date in each of the given months of given years, or None."""
    chosen, earliest = [], np.datetime64("0001-01-01")
    for month in months:
        at = np.searchsorted(dates, max(month.astype("datetime64[D]"), earliest))
        if at == len(dates) or dates[at].astype("datetime64[M]") != month:
            return None
        chosen.append(dates[at])
        earliest = dates[at] + days_gap
    return np.array(chosen, dtype="datetime64[D]")


def choose_dates(dates: np.ndarray, months: Sequence[int], days_gap: int) -> np.ndarray | None:
    """One date a month by the rule above, of the first year in which it finds all; or None.

    Args:
        dates: of one patch, sorted datetime64[D].
        months: in order; after the last of a year the next one goes on in the year after.
        days_gap: least number of days from one chosen date to the next.
    """
    years = np.cumsum([0, *(a > b for a, b in pairwise(months))])
    for first in np.unique(dates.astype("datetime64[Y]")):
        series = [
            (first + year).astype("datetime64[M]") + (month - 1)
            for year, month in zip(years, months, strict=True)
        ]
        if (chosen := _walk(dates, series, days_gap)) is not None:
            return chosen
    return None


def choose_all(series: pd.Series, months: Sequence[int], days_gap: int) -> list[np.ndarray | None]:
    """`choose_dates` of many patches; those under one orbit share their dates, chosen once."""
    known = {}
    for dates in series:
        if (key := dates.tobytes()) not in known:
            known[key] = choose_dates(dates, months, days_gap)
    return [known[dates.tobytes()] for dates in series]


def first_of_months(dates: np.ndarray, chosen: np.ndarray) -> np.ndarray | None:
    """The first of `dates` in the month of each chosen date: the authors' rule for Sentinel-1."""
    months, wanted = dates.astype("datetime64[M]"), chosen.astype("datetime64[M]")
    at = np.searchsorted(months, wanted)
    if (at == len(dates)).any() or (months[at] != wanted).any():
        return None
    return dates[at]


def nearest(dates: np.ndarray, chosen: np.ndarray) -> np.ndarray | None:
    """The nearest of `dates` to each chosen date, the earlier of two at the same distance.

    None where there is none within `S1_WINDOW` days.
    """
    if not len(dates):
        return None
    apart = np.abs(dates[None, :] - chosen[:, None])
    return None if (apart.min(axis=1) > S1_WINDOW).any() else dates[apart.argmin(axis=1)]


#: How Sentinel-1 dates follow from the Sentinel-2 dates chosen.
S1_RULES = {"first": first_of_months, "nearest": nearest}
#: Days from a Sentinel-2 date to the nearest Sentinel-1 date, at most: two cycles of a satellite.
S1_WINDOW = np.timedelta64(24, "D")


def dates_on_disk(folder: Path | str) -> dict[str, np.ndarray]:
    """The dates, sorted datetime64[D], of each patch that has files in a folder `s1/` or `s2/`.

    Raises:
        SelectionError: the folder is missing, or a raster's name is not of the layout.
    """
    found = defaultdict(list)
    try:
        for name in (n for n in os.listdir(folder) if n.endswith(".tif")):  # noqa: PTH208 - fast
            tile, day, x, y = RASTER_NAME.fullmatch(name).groups()
            found[f"{tile}_{x}_{y}"].append(parse_day(day))
    except OSError as error:
        raise SelectionError(f"{folder} cannot be listed: {error.strerror}") from None
    except (AttributeError, TypeError, ValueError):  # another name, no date, none of the calendar
        raise SelectionError(
            f"{printable(Path(folder) / name)} is not named tile_yyyymmdd_sensor_x_y.tif: move it "
            "away"
        ) from None
    return {p: np.sort(np.array(d, np.int64)).view("datetime64[D]") for p, d in found.items()}


def only_existing(
    index: pd.DataFrame, root: Path | str, sensors: Sequence[str] = SENSORS
) -> pd.DataFrame:
    """The index with only the dates whose rasters are below a data root.

    Many Sentinel-1 files that the published label files name are not in the published archive;
    to choose among names alone would lose most patches. Dates of other sensors stay as named.
    """
    index = index.copy()
    for sensor in sensors:
        column, there = f"{sensor}_dates", dates_on_disk(Path(root) / sensor)
        index[column] = [
            np.intersect1d(dates, there.get(patch, _NO_DATES), assume_unique=True)
            for patch, dates in zip(index["patch"], index[column], strict=True)
        ]
    return index


def _pair(index: pd.DataFrame, s2: pd.Series, s1_rule: S1Rule) -> pd.Series:
    """Sentinel-1 dates for the Sentinel-2 dates chosen."""
    pairs = zip(index["s1_dates"], s2, strict=True)
    s1 = [None if chosen is None else S1_RULES[s1_rule](dates, chosen) for dates, chosen in pairs]
    return pd.Series(s1, index.index, dtype=object)


def select(
    index: pd.DataFrame,
    months: Sequence[int] | None = None,
    days_gap: int | None = None,
    s1_rule: S1Rule | None = None,
    dataset: Dataset = MULTISENGE,
) -> pd.DataFrame:
    """Patches with a full series, their dates and their split.

    Args:
        index: from `read_index`, or `only_existing` of it.
        months: in order, by default the dataset's.
        days_gap: least days between consecutive Sentinel-2 dates, by default the dataset's.
        s1_rule: `first`, the first Sentinel-1 date of each month (the authors' code; the paper
            leaves it open), or `nearest`, the one nearest to each Sentinel-2 date; by default the
            dataset's.
        dataset: gives months, gap, rule, sensors and splits.

    Returns:
        One row a selected patch, sorted by patch: `patch`, `tile`, `x`, `y`, `split`,
        `s1_dates`, `s2_dates` (datetime64[D], one a month; none of a sensor that the dataset does
        not have: the dates of the other are then chosen alone). In `attrs["without_s1"]` the
        patches that have a Sentinel-2 series, and no Sentinel-1 image to each date.

    Raises:
        SelectionError: months, gap or rule out of range.
    """
    months = check_months(dataset.months if months is None else months, dataset.years)
    days_gap = dataset.days_gap if days_gap is None else days_gap
    if not 0 <= days_gap <= 366:
        raise SelectionError(f"days gap {days_gap}: give the least number of days, 0 to 366")
    s1_rule = dataset.s1_rule if s1_rule is None else s1_rule
    if s1_rule not in S1_RULES:
        raise SelectionError(f"S1 rule {s1_rule!r}: choose {' or '.join(S1_RULES)}")
    lead = "s2" if "s2" in dataset.sensors else "s1"
    chosen = choose_all(index[f"{lead}_dates"], months, days_gap)
    nothing = pd.Series([_NO_DATES] * len(index), index.index, dtype=object)
    series = {"s1_dates": nothing, "s2_dates": nothing}
    series[f"{lead}_dates"] = pd.Series(chosen, index.index, dtype=object)
    if len(dataset.sensors) == 2:
        series["s1_dates"] = _pair(index, series["s2_dates"], s1_rule)
    table = index[["patch", "tile", "x", "y"]].assign(split=split_patches(index, dataset), **series)
    paired, led = table["s1_dates"].notna(), table[f"{lead}_dates"].notna()
    selected = table[paired & led & (table["split"] != BUFFER_ZONE)].reset_index(drop=True)
    selected.attrs["without_s1"] = alone = table.loc[led & ~paired, "patch"].tolist()
    if alone:
        warnings.warn(
            f"{len(alone)} patches have a Sentinel-2 series but no Sentinel-1 image to each date "
            f"and are left out: {', '.join(alone[:5])}"
            + (", ...: `multisenge select --left-out FILE` lists all" if alone[5:] else ""),
            stacklevel=2,
        )
    return selected


def chosen_rasters(index: pd.DataFrame, dataset: Dataset = MULTISENGE) -> dict[str, set[str]]:
    """Names of the rasters that a selection of an index can use, by sensor.

    Of Sentinel-2 the dates chosen. Of Sentinel-1 every date in the months of these, since which of
    the files named are published is only known once they are there.
    """
    names = {"s1": set(), "s2": set()}
    named = index.set_index("patch")["s1_dates"]
    for row in select(index, dataset=dataset).itertuples():
        dates, months = named[row.patch], row.s2_dates.astype("datetime64[M]")
        near = dates[np.isin(dates.astype("datetime64[M]"), months)]
        for sensor, days in (("s1", near), ("s2", row.s2_dates)):
            names[sensor] |= {raster_path("", sensor, row.patch, day).name for day in days}
    return names


def load_selection(
    root: Path | str,
    months: Sequence[int] | None = None,
    days_gap: int | None = None,
    s1_rule: S1Rule | None = None,
    sensors: Sequence[str] | None = None,
    dataset: Dataset | None = None,
) -> pd.DataFrame:
    """The patches of a data root whose series are complete on disk (section 2.2); as of `select`.

    The files of the sensors given must be on disk; by default of those of which there is any file.
    The dates of the other are taken as the labels name them: the experiments of one sensor need no
    files of the other. A dataset of `vary` selects as it says, among the patches of its tiles.

    Examples:
        >>> import multisenge_lib as ms
        >>> root = ms.find_data_root()
        >>> selection = ms.load_selection(root)
        >>> sorted(selection["split"].unique())
        ['test', 'train', 'validation']
        >>> len(selection.loc[0, "s2_dates"])  # July, August, September, November
        4
    """
    root, there = Path(root), dataset_of_root(root)
    dataset = dataset or there
    if sensors is None:
        sensors = [s for s in dataset.sensors if any((root / s).glob("*"))]
    index = read_index(root / LABELS, there)
    index = only_existing(index[index["tile"].isin(dataset.tiles)], root, sensors)
    return select(index, months, days_gap, s1_rule, dataset)


def load_to_map(root: Path | str, months: Sequence[int], sensors: Sequence[str]) -> pd.DataFrame:
    """The patches of a data root with a full series of these sensors, whatever their split."""
    there = dataset_of_root(root)
    bands = {sensor: there.bands[sensor] for sensor in sensors}
    everywhere = replace(there, split_of_tile=dict.fromkeys(there.tiles, "test"), bands=bands)
    return load_selection(root, months, sensors=sensors, dataset=everywhere)


def patches_to_show(selection: pd.DataFrame, count: int, dataset: Dataset) -> list[str]:
    """Patches to show, at most so many: the dataset's showcase, then test patches."""
    shown = selection["patch"].isin(dataset.showcase)
    order = np.lexsort([selection["split"] != "test", ~shown])
    return selection["patch"].iloc[order].head(count).tolist()


def _joined(dates: np.ndarray) -> str:
    return ";".join(np.datetime_as_string(dates, unit="D")).replace("-", "")


def to_csv(selection: pd.DataFrame, path: Path | str | None = None) -> str:
    """A selection as text: `patch,tile,split,s2_dates,s1_dates`, dates joined by `;`; or as a file.

    Raises:
        FileError: the file cannot be written.
    """
    table = selection[["patch", "tile", "split"]].assign(
        s2_dates=selection["s2_dates"].map(_joined), s1_dates=selection["s1_dates"].map(_joined)
    )
    text = table.to_csv(index=False, lineterminator="\n")
    if path is not None:
        write_text(Path(path), text)
    return text
