"""The selection: which acquisitions of which patches the networks see (paper, section 2.2).

A network takes one Sentinel-2 image of each of four months, July, August, September and November
2020, and at least 17 days must lie between two consecutive images. The paper does not print how it
chooses among several dates of a month. The rule here is: in each month take the earliest date at
least 17 days after the previous one. It reproduces the patch counts of Table 1. A patch for which
this fails in some month is not selected. (The 17 days are `days_gap` of the `Dataset`: for
MultiSenGE it stands in `multisenge.toml`, for an area of your own in its `dataset.toml`.)

Each selected Sentinel-2 date is paired with one Sentinel-1 date (with several by the rules `first2`
to `first9`), and each patch with a split (Figure 4, see `splits`). So a selection is a table with
one row per patch, which everything after it reads: packing, training, testing and the figures.

    index = read_index(root / "labels")     # what the label files name
    index = only_existing(index, root)      # what is on disk
    selection = select(index)               # one row per selected patch

`load_selection(root)` does these three steps. The names that sound alike:

    load_selection    a data root -> table: what you normally call
    select            an index -> table: the rule alone
    make_selection    as `select`, and also names the patches without Sentinel-1 (a `Selection`)
    with_selection    a dataset -> the same dataset with other months, days gap, rule or tiles

`training.train` makes its own selection, by the rules of its dataset. To train on another one, give
it a dataset of `with_selection`, or set the parameters of the notebook (`-p days_gap 20`).
"""

import os
import warnings
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd

from multisenge_lib.dataset.labels import day_parser, read_index
from multisenge_lib.dataset.layout import (
    BLOCKS,
    LABELS,
    MULTISENGE,
    RASTER_NAME,
    S1_RULE_PATTERN,
    SENSORS,
    Dataset,
    s1_dates_per_month,
)
from multisenge_lib.dataset.months import check_months
from multisenge_lib.dataset.root import dataset_of_root
from multisenge_lib.dataset.splits import BUFFER_ZONE, split_patches
from multisenge_lib.errors import LabelError, SelectionError, counted, printable
from multisenge_lib.files import write_text

_NO_DATES = np.array([], dtype="datetime64[D]")
_LONG_AGO = np.datetime64("0001-01-01")


@dataclass(frozen=True)
class Selection:
    """The result of `make_selection`.

    Attributes:
        patches: one row per selected patch, as `select` returns it.
        without_s1: names of the patches that have a Sentinel-2 series, but not a Sentinel-1 image
            for each of its dates; they are not selected.
    """

    patches: pd.DataFrame
    without_s1: tuple[str, ...]


# --- Sentinel-2: one date in each month ---------------------------------------------------------


def _earliest_series(
    dates: np.ndarray, months: Sequence[np.datetime64], days_gap: int
) -> np.ndarray | None:
    """The earliest date in each month, at least `days_gap` apart; None if a month has none.

    Args:
        dates: sorted datetime64[D].
        months: datetime64[M], with their year.
        days_gap: least number of days from one date to the next.
    """
    series = []
    not_before = _LONG_AGO
    for month in months:
        first_day = max(month.astype("datetime64[D]"), not_before)
        position = np.searchsorted(dates, first_day)
        if position == len(dates) or dates[position].astype("datetime64[M]") != month:
            return None
        series.append(dates[position])
        not_before = dates[position] + days_gap
    return np.array(series, dtype="datetime64[D]")


def choose_dates(dates: np.ndarray, months: Sequence[int], days_gap: int) -> np.ndarray | None:
    """Choose one date in each month by the rule at the top of this file.

    Args:
        dates: the dates of one patch, `(n,) datetime64[D]`, sorted.
        months: in order. Where a month is before its predecessor, the series goes on in the next
            year.
        days_gap: least number of days from one chosen date to the next.

    Returns:
        `(months,)`, the dates of the first year in which all months have one; None where there is
        no such year.
    """
    # A smaller month number after a larger one means the next year: (11, 1).
    years_later = [0]
    for month, following in pairwise(months):
        crosses_new_year = following < month
        years_later.append(years_later[-1] + crosses_new_year)

    for first_year in np.unique(dates.astype("datetime64[Y]")):
        months_of_series = []
        for month, later in zip(months, years_later, strict=True):
            january = (first_year + later).astype("datetime64[M]")
            months_of_series.append(january + (month - 1))
        chosen = _earliest_series(dates, months_of_series, days_gap)
        if chosen is not None:
            return chosen
    return None


def choose_all(series: pd.Series, months: Sequence[int], days_gap: int) -> list[np.ndarray | None]:
    """Choose the dates of many patches; see `choose_dates`.

    Args:
        series: for each patch its dates, `(n,) datetime64[D]`, sorted.
        months: in order.
        days_gap: least number of days from one chosen date to the next.

    Returns:
        One entry `(months,)` per patch, in order; None where there is no series.
    """
    # Patches under one orbit have the same dates: only 61 of MultiSenGE's 8,157 lists are distinct,
    # so results are cached.
    chosen_of = {}
    for dates in series:
        key = dates.tobytes()
        if key not in chosen_of:
            chosen_of[key] = choose_dates(dates, months, days_gap)
    return [chosen_of[dates.tobytes()] for dates in series]


# --- Sentinel-1: one date for each Sentinel-2 date ----------------------------------------------

#: Longest time from a Sentinel-2 date to the Sentinel-1 date that the rule `nearest` takes: two
#: repeat cycles, of 12 days each, of one satellite. The other rules have no limit but the month.
S1_WINDOW = np.timedelta64(24, "D")


def first_in_months(s1_dates: np.ndarray, s2_dates: np.ndarray) -> np.ndarray | None:
    """The first Sentinel-1 date in the month of each Sentinel-2 date: the authors' rule.

    Args:
        s1_dates: the dates of one patch, `(n,) datetime64[D]`, sorted.
        s2_dates: the chosen ones, `(months,) datetime64[D]`, sorted.

    Returns:
        As many dates as `s2_dates`; None where a month has no Sentinel-1 date.
    """
    s1_months = s1_dates.astype("datetime64[M]")
    s2_months = s2_dates.astype("datetime64[M]")
    positions = np.searchsorted(s1_months, s2_months)
    if (positions == len(s1_dates)).any() or (s1_months[positions] != s2_months).any():
        return None
    return s1_dates[positions]


def nearest_dates(s1_dates: np.ndarray, s2_dates: np.ndarray) -> np.ndarray | None:
    """The Sentinel-1 date nearest to each Sentinel-2 date, the earlier of two equally near ones.

    Two Sentinel-2 dates may get the same one. Arguments are those of `first_in_months`.

    Returns:
        As many dates as `s2_dates`; None where one has no Sentinel-1 date within `S1_WINDOW`.
    """
    if not len(s1_dates):
        return None
    days_apart = np.abs(s1_dates[None, :] - s2_dates[:, None])
    if (days_apart.min(axis=1) > S1_WINDOW).any():
        return None
    return s1_dates[days_apart.argmin(axis=1)]


def first_few_in_months(
    s1_dates: np.ndarray, s2_dates: np.ndarray, per_month: int
) -> np.ndarray | None:
    """The first few Sentinel-1 dates in the month of each Sentinel-2 date.

    Arguments are those of `first_in_months`, and how many dates of each month.

    Returns:
        `per_month` times as many dates as `s2_dates`; None where a month has fewer.
    """
    s1_months = s1_dates.astype("datetime64[M]")
    chosen = []
    for month in s2_dates.astype("datetime64[M]"):
        in_month = s1_dates[s1_months == month]
        if len(in_month) < per_month:
            return None
        chosen.append(in_month[:per_month])
    return np.concatenate(chosen)


#: How Sentinel-1 dates are chosen, one for each chosen Sentinel-2 date.
S1_RULES = {"first": first_in_months, "nearest": nearest_dates}


def _match_s1(index: pd.DataFrame, selected_s2: pd.Series, s1_rule: str) -> list:
    """Choose the Sentinel-1 dates of each patch.

    A patch gets None if one of its Sentinel-2 dates has no Sentinel-1 date.
    """
    per_month = s1_dates_per_month(s1_rule)
    if per_month == 1:
        choose = S1_RULES[s1_rule]
    else:
        choose = partial(first_few_in_months, per_month=per_month)
    matched = []
    for available, s2_dates in zip(index["s1_dates"], selected_s2, strict=True):
        # A patch without a Sentinel-2 series is not selected, so it needs no Sentinel-1 dates.
        matched.append(None if s2_dates is None else choose(available, s2_dates))
    return matched


# --- What is on disk ----------------------------------------------------------------------------


def dates_on_disk(folder: Path | str) -> dict[str, np.ndarray]:
    """The dates of each patch that has files in a folder `s1/` or `s2/`: `(n,)`, sorted.

    Rasters of the other sensor are left out without a word: both folders may be links to one.

    Raises:
        SelectionError: the folder is missing, or a raster's name is not of the layout.
    """
    try:
        names = os.listdir(folder)  # noqa: PTH208 - s1/ has a million files: twice as fast
    except OSError as error:
        raise SelectionError(
            f"{folder} cannot be listed ({error.strerror}): give a data root with this folder, or "
            "leave the sensor out"
        ) from None
    sensor = Path(folder).name
    days_of_patch = defaultdict(list)
    parse_day = day_parser()
    for name in names:
        # Hidden files are not part of the dataset: a process that was killed had begun them, or
        # macOS left them.
        if not name.endswith(".tif") or name.startswith("."):
            continue
        match = RASTER_NAME.fullmatch(name)
        day = None
        # The pattern also fits a reference, whose name has no date.
        if match is not None and match[2] is not None:
            with suppress(LabelError):  # an impossible date, such as 20201301
                day = parse_day(match[2])
        if day is None:
            raise SelectionError(
                f"{printable(Path(folder) / name)} is not named tile_yyyymmdd_sensor_x_y.tif: "
                "rename it, or move it away"
            )
        sensor_of_raster = name.split("_")[2].lower()
        if sensor_of_raster != sensor:
            continue
        tile, _, x, y = match.groups()
        days_of_patch[f"{tile}_{x}_{y}"].append(day)
    dates = {}
    for patch, days in days_of_patch.items():
        sorted_days = np.sort(np.array(days, np.int64))
        dates[patch] = sorted_days.view("datetime64[D]")  # both count days since 1970
    return dates


def _check_sensors(sensors: Sequence[str]) -> None:
    if isinstance(sensors, str) or not set(sensors) <= set(SENSORS):
        raise SelectionError(f"sensors {sensors!r}: give a list of s1 and s2, such as ['s2']")


def only_existing(
    index: pd.DataFrame, root: Path | str, sensors: Sequence[str] = SENSORS
) -> pd.DataFrame:
    """Keep only the dates whose rasters are below a data root.

    Four in five of the Sentinel-1 files that the published label files name are not in the
    published archive. A choice among names alone would lose most patches.

    Args:
        index: from `read_index`.
        root: the data root.
        sensors: sensors whose files are looked for; the dates of the others stay as the labels name
            them.

    Raises:
        SelectionError: a sensor's folder is missing, or holds a raster whose name is not of the
            layout.
    """
    _check_sensors(sensors)
    index = index.copy()
    for sensor in sensors:
        column = f"{sensor}_dates"
        on_disk = dates_on_disk(Path(root) / sensor)
        existing = []
        for patch, named in zip(index["patch"], index[column], strict=True):
            present = on_disk.get(patch, _NO_DATES)
            existing.append(np.intersect1d(named, present, assume_unique=True))
        index[column] = existing
    return index


def index_on_disk(root: Path | str, sensors: Sequence[str], dataset: Dataset) -> pd.DataFrame:
    """Read the index of a data root: only the dataset's tiles, and only dates with rasters on disk.

    Args:
        root: the data root.
        sensors: sensors whose files are looked for, see `only_existing`.
        dataset: the root's, or one of `with_selection`, which may use some tiles only. Blocks are
            then drawn anew for these tiles, so a patch may be in another split than in the whole
            dataset.

    Raises:
        SelectionError: as `only_existing`.
    """
    _check_sensors(sensors)
    index = _only_tiles_of(dataset, read_index(Path(root) / LABELS, dataset_of_root(root)))
    return only_existing(index, root, sensors)


def _only_tiles_of(dataset: Dataset, index: pd.DataFrame) -> pd.DataFrame:
    """Leave out the patches of tiles that a dataset does not name: they have no split.

    A dataset of `with_selection` may name fewer tiles than its data root. Where it names none, any
    tile may occur.
    """
    if not dataset.tiles:
        return index
    return index[index["tile"].isin(dataset.tiles)].reset_index(drop=True)


# --- The selection ------------------------------------------------------------------------------


def _check_days_gap(days_gap: int) -> int:
    is_number = isinstance(days_gap, int | np.integer)
    is_whole = is_number and not isinstance(days_gap, bool | np.timedelta64)
    if not is_whole or not 0 <= days_gap <= 366:
        raise SelectionError(f"days gap {days_gap!r}: give whole days, 0 to 366")
    return int(days_gap)


def _check_s1_rule(s1_rule: str) -> None:
    if not isinstance(s1_rule, str) or not S1_RULE_PATTERN.fullmatch(s1_rule):
        raise SelectionError(
            f"S1 rule {s1_rule!r}: choose {' or '.join(S1_RULES)}, or first2 to first9 for as many "
            "dates of each month"
        )


def _check_whole_index(index: pd.DataFrame, dataset: Dataset) -> None:
    """Refuse rows taken out of an index whose patches are split by blocks of ground.

    Which block goes to which split depends on all patches. With some rows missing, blocks would get
    other splits, and patches that were for test could become training patches. Gaps in the numbers
    of the rows show that some are missing. Rows that are cut off at the end leave no gap, and
    neither do rows that were numbered anew; these are not noticed.
    """
    divided = BLOCKS in dataset.split_of_tile.values()
    if divided and not index.index.equals(pd.RangeIndex(len(index))):
        raise SelectionError(
            f"rows were taken out of the index, which has {len(index)} now: splits by blocks "
            "depend on all patches; select first, and take rows out of the selection"
        )


def _choose_series(
    index: pd.DataFrame, months: Sequence[int], days_gap: int, s1_rule: str, dataset: Dataset
) -> tuple[pd.Series, pd.Series]:
    """Choose the Sentinel-1 and the Sentinel-2 dates of each patch of an index.

    Returns:
        Sentinel-1's and Sentinel-2's dates, one entry per patch: None where there is no series, no
        dates where the dataset does not have the sensor.
    """

    def column(dates: list) -> pd.Series:
        return pd.Series(dates, index.index, dtype=object)

    no_dates = column([_NO_DATES] * len(index))
    if "s2" not in dataset.sensors:
        return column(choose_all(index["s1_dates"], months, days_gap)), no_dates
    s2_dates = column(choose_all(index["s2_dates"], months, days_gap))
    if "s1" not in dataset.sensors:
        return no_dates, s2_dates
    return column(_match_s1(index, s2_dates, s1_rule)), s2_dates


def has_full_series(index: pd.DataFrame, dataset: Dataset) -> pd.Series:
    """Say of each patch of an index whether it has all images of a series, whatever its split."""
    s1_dates, s2_dates = _choose_series(
        index, dataset.months, dataset.days_gap, dataset.s1_rule, dataset
    )
    return s1_dates.notna() & s2_dates.notna()


def _warn_without_s1(patches: Sequence[str]) -> None:
    first = ", ".join(patches[:5])
    if len(patches) > 5:
        first += ", ...: `multisenge select --left-out FILE` lists all"
    warnings.warn(
        f"left out {counted(len(patches), 'patch', 'patches')} without a Sentinel-1 image for "
        f"every Sentinel-2 date: {first}",
        stacklevel=4,
    )


def make_selection(
    index: pd.DataFrame,
    months: Sequence[int] | None = None,
    days_gap: int | None = None,
    s1_rule: str | None = None,
    dataset: Dataset = MULTISENGE,
) -> Selection:
    """Select patches as `select` does, and also name those that lack Sentinel-1 images.

    Arguments and errors are those of `select`.
    """
    months = check_months(dataset.months if months is None else months, dataset.years)
    days_gap = _check_days_gap(dataset.days_gap if days_gap is None else days_gap)
    s1_rule = dataset.s1_rule if s1_rule is None else s1_rule
    _check_s1_rule(s1_rule)
    _check_whole_index(index, dataset)
    index = _only_tiles_of(dataset, index)

    s1_dates, s2_dates = _choose_series(index, months, days_gap, s1_rule, dataset)
    splits = split_patches(index, dataset)
    has_s1 = s1_dates.notna()
    has_s2 = s2_dates.notna()

    table = index[["patch", "tile", "x", "y"]].assign(
        split=splits, s1_dates=s1_dates, s2_dates=s2_dates
    )
    selected = table[has_s1 & has_s2 & (splits != BUFFER_ZONE)].reset_index(drop=True)
    without_s1 = []
    if "s2" in dataset.sensors:
        without_s1 = table.loc[has_s2 & ~has_s1, "patch"].tolist()
    if without_s1:
        _warn_without_s1(without_s1)
    return Selection(selected, tuple(without_s1))


def select(
    index: pd.DataFrame,
    months: Sequence[int] | None = None,
    days_gap: int | None = None,
    s1_rule: str | None = None,
    dataset: Dataset = MULTISENGE,
) -> pd.DataFrame:
    """Select the patches that have a full series, with their dates and their split.

    Args:
        index: from `read_index`, or `only_existing` of it: all patches of the dataset. Patches of
            tiles that the dataset does not name are left out. Where patches are split by blocks of
            ground, a part of an index, such as its `head`, gives other splits.
        months: in order; by default the dataset's.
        days_gap: least days between consecutive Sentinel-2 dates; by default the dataset's.
        s1_rule: `first`, the first Sentinel-1 date of each month (the authors' code; the paper
            leaves it open), or `nearest`, the one nearest to each Sentinel-2 date; `first2` to
            `first9` take as many dates of each month, so that Sentinel-1 has more dates than
            Sentinel-2; by default the dataset's.
        dataset: gives months, gap, rule, sensors and splits.

    Returns:
        One row per selected patch, in the order of the index: `patch`, `tile`, `x`, `y`, `split`,
        `s1_dates`, `s2_dates` (datetime64[D], one per month unless the rule says more). Without
        Sentinel-2, Sentinel-1 dates are chosen by Sentinel-2's rule. Dates of an absent sensor are
        empty.

    Raises:
        SelectionError: months, gap or rule out of range, or rows were taken out of the index; this
            is noticed by gaps in their numbers, and only where splits are by blocks.
    """
    return make_selection(index, months, days_gap, s1_rule, dataset).patches


def load_selection(
    root: Path | str,
    months: Sequence[int] | None = None,
    days_gap: int | None = None,
    s1_rule: str | None = None,
    sensors: Sequence[str] | None = None,
    dataset: Dataset | None = None,
) -> pd.DataFrame:
    """Select the patches of a data root whose series are complete on disk (section 2.2).

    Training does not read the table that this returns; see the top of this module for how to train
    on other months or another gap.

    Args:
        root: the data root.
        months: in order; by default the dataset's.
        days_gap: least days between consecutive Sentinel-2 dates; by default the dataset's.
        s1_rule: `first`, `nearest`, or `first2` to `first9`, see `select`; by default the
            dataset's.
        sensors: sensors whose files must exist; the dates of the other are taken as the labels name
            them. By default those of the dataset whose folder exists; without any, the labels alone
            decide.
        dataset: a dataset of `with_selection`, for another selection; by default the root's own.

    Returns:
        One row per selected patch, as `select` returns it.

    Raises:
        SelectionError: months, gap or rule are out of range, a sensor's folder is missing, or it
            holds a raster whose name is not of the layout.
        LabelError: label files are missing or wrong.
        DescriptionError: the root's `dataset.toml` is missing or wrong.

    Examples:
        >>> import multisenge_lib as ms
        >>> root = ms.find_data_root()
        >>> selection = ms.load_selection(root)
        >>> sorted(selection["split"].unique())
        ['test', 'train', 'validation']
        >>> len(selection.loc[0, "s2_dates"])  # July, August, September, November
        4
    """
    if dataset is not None and not isinstance(dataset, Dataset):
        raise SelectionError(
            f"dataset {dataset!r}: give a dataset of with_selection, or leave it out for the root's"
        )
    dataset = dataset or dataset_of_root(root)
    if sensors is None:
        sensors = [sensor for sensor in dataset.sensors if (Path(root) / sensor).is_dir()]
    index = index_on_disk(root, sensors, dataset)
    return select(index, months, days_gap, s1_rule, dataset)


def _join_dates(dates: np.ndarray) -> str:
    """Write dates as text, `20200706;20200815`."""
    return ";".join(np.datetime_as_string(dates, unit="D")).replace("-", "")


def to_csv(selection: pd.DataFrame, path: Path | str | None = None) -> str:
    """Turn a selection into text: `patch,tile,split,s2_dates,s1_dates`, dates joined by `;`.

    Args:
        selection: from `select`.
        path: a file to write the text to.

    Raises:
        FileError: the file cannot be written.
    """
    table = selection[["patch", "tile", "split"]].assign(
        s2_dates=selection["s2_dates"].map(_join_dates),
        s1_dates=selection["s1_dates"].map(_join_dates),
    )
    text = table.to_csv(index=False, lineterminator="\n")
    if path is not None:
        write_text(Path(path), text)
    return text
