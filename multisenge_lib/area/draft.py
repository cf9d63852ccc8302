"""A first description of a data root, guessed from its files, for its user to look at."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import reduce

import numpy as np

from multisenge_lib.dataset import (
    BLOCKS,
    MULTISENGE,
    PIXEL,
    SPLITS,
    Blocks,
    Dataset,
    Typology,
    choose_dates,
)

#: Blocks of ground that a small area is divided into, at least: four for each split.
_LEAST_BLOCKS = 12


def _common_months(series: Iterable[Sequence[np.datetime64]]) -> tuple[int, ...]:
    """The months, in order and within one year, in which at least half of the patches have a date.

    Args:
        series: the dates of each patch.

    Returns:
        From 1 to 12; none where there is no such month.
    """
    months_of_patches = [np.unique(np.array(dates, "datetime64[M]")) for dates in series]
    if not months_of_patches:
        return ()
    months, patches = np.unique(np.concatenate(months_of_patches), return_counts=True)
    common = months[2 * patches >= len(months_of_patches)]
    within_a_year = [month for month in common if month < common[0] + 12]
    return tuple(int(month.astype(int)) % 12 + 1 for month in within_a_year)


def _months_of_all(
    series: Mapping[str, Sequence[np.datetime64]], sensors: Sequence[str]
) -> np.ndarray:
    """The months, with their year, in which a patch has an image of each sensor.

    Args:
        series: the dates of each sensor.
        sensors: `s1`, `s2` or both.
    """
    months = [np.unique(np.array(series[sensor], "datetime64[M]")) for sensor in sensors]
    return reduce(np.intersect1d, months)


def _days_gap(series: Iterable[Sequence[np.datetime64]], months: Sequence[int]) -> int:
    """MultiSenGE's days gap, or 0 where it would leave out most of the patches.

    Args:
        series: the dates of each patch.
        months: of the description.
    """
    with_gap = without_gap = 0
    for dates in series:
        days = np.sort(np.array(dates, "datetime64[D]"))
        with_gap += choose_dates(days, months, MULTISENGE.days_gap) is not None
        without_gap += choose_dates(days, months, 0) is not None
    return MULTISENGE.days_gap if 2 * with_gap >= without_gap else 0


def _blocks(patches: int, patch_pixels: int) -> Blocks:
    """Blocks small enough for a dozen of them, and the distance that such blocks leave room for."""
    patch_side = patch_pixels * PIXEL
    block_side = math.sqrt(patches / _LEAST_BLOCKS) * patch_side
    block_side = block_side // patch_side * patch_side
    block_side = int(min(max(block_side, patch_side), Blocks.size))
    if block_side == Blocks.size:
        distance = Blocks.distance
    elif block_side >= 4 * patch_side:
        distance = patch_side
    else:
        distance = 0
    return Blocks(block_side, distance)


def _safe_name(name: str) -> str:
    """Turn the name of any folder into one that a dataset may have."""
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-_")[:64] or "area"
    if name.lower() in ("sample", "multisenge"):
        return f"my-{name}"
    return name


def draft_dataset(
    name: str,
    dates: Mapping[str, Mapping[str, Sequence[np.datetime64]]],
    size: int,
    bands: Mapping[str, Sequence[str]],
    reference_classes: Typology | None = None,
    learn: bool = True,
) -> Dataset:
    """Guess the description of a data root from what it holds.

    Only patches that have every sensor count for the months and the days gap, because no other is
    selected: one sensor may see far more ground. The months are those of the first year in which
    half of these patches have an image of each sensor. Where there is no such month or no such
    patch, those of Sentinel-2 count alone. The days gap is MultiSenGE's, or 0 where most of the
    series have dates that are nearer to each other. Tiles are divided into a dozen blocks or more.
    Blocks of the default size keep the default distance. In smaller areas, blocks that are four
    patches wide keep one patch as distance, and smaller ones keep none, because there is no room
    for it.

    Args:
        name: name of the dataset; characters that a name may not have become `-`.
        dates: dates of each patch and sensor.
        size: pixels along a patch's side.
        bands: names of each sensor's bands.
        reference_classes: the classes of the reference; by default MultiSenGE's.
        learn: whether there is a reference to learn from. If not, all patches are for test.
    """
    leading_sensor = "s2" if "s2" in bands else "s1"
    years_of_series = []
    for series in dates.values():
        for days in series.values():
            years_of_series.append(np.array(days, "datetime64[Y]"))
    # NumPy counts years from 1970.
    years = np.unique(np.concatenate(years_of_series)).astype(int) + 1970
    enough_to_divide = learn and len(dates) >= len(SPLITS)
    split = BLOCKS if enough_to_divide else "test"
    complete = [series for series in dates.values() if all(len(series[s]) for s in bands)]
    observed = [series for series in dates.values() if len(series[leading_sensor])]
    dates_of_patches = [series[leading_sensor] for series in complete or observed]
    months_of_both = [_months_of_all(series, tuple(bands)) for series in complete]
    months = _common_months(months_of_both) or _common_months(dates_of_patches) or (1,)
    tiles = [patch.split("_")[0] for patch in sorted(dates)]
    return Dataset(
        name=_safe_name(name),
        years=tuple(years.tolist()),
        split_of_tile=dict.fromkeys(tiles, split),
        months=months,
        days_gap=_days_gap(dates_of_patches, months),
        patch_pixels=size,
        blocks=_blocks(len(dates), size),
        bands={sensor: tuple(names) for sensor, names in sorted(bands.items())},
        reference_classes=MULTISENGE.reference_classes
        if reference_classes is None
        else reference_classes,
        groupings=MULTISENGE.groupings if reference_classes is None else (),
    )
