"""Which dates of rasters an import did not simply read in the names of the files."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from multisenge_lib.area.acquisitions import BandOfDay
from multisenge_lib.area.products import calendar_dates
from multisenge_lib.errors import counted, printable

#: Products have the time of sensing in their names, and then that of making.
_TIME_OF_DAY = re.compile(r"\dT\d{4}")


def notices_of_dates(rasters: Mapping[Path, Sequence[BandOfDay]]) -> list[str]:
    """Say which rasters have their dates from their folders, from bands, or among several.

    Args:
        rasters: the bands of each raster by its path.
    """
    by_folder = []
    by_bands = []
    of_several = []
    for path, bands in rasters.items():
        dates_in_name = calendar_dates(path.stem)
        days = {band.day for band in bands}
        example = f"{min(days)} for {printable(path)}"
        if any(band.source.dated_folder is not None for band in bands):
            by_folder.append(example)
        elif dates_in_name and not _lie_between(days, dates_in_name):
            by_bands.append(example)
        elif _is_one_of_several(days, dates_in_name) and not _TIME_OF_DAY.search(path.stem):
            of_several.append(example)
    notices = []
    if by_folder:
        rasters_have = counted(
            len(by_folder), "raster has no date in its name", "rasters have no date in their names"
        )
        notices.append(f"{rasters_have}: that of the folder counts, such as {by_folder[0]}")
    if by_bands:
        rasters_name = counted(
            len(by_bands),
            "raster names its bands with another date than its file",
            "rasters name their bands with other dates than their files",
        )
        notices.append(f"{rasters_name}: those of the bands count, such as {by_bands[0]}")
    if of_several:
        rasters_have = counted(
            len(of_several),
            "raster has several dates in its name",
            "rasters have several dates in their names",
        )
        notices.append(
            f"{rasters_have}: the first counts, such as {of_several[0]}; if it is a composite of "
            "this period, give it a day in the middle as its only date"
        )
    return notices


def _is_one_of_several(days: set[np.datetime64], dates: Sequence[np.datetime64]) -> bool:
    """Whether the one day of a raster is the first of several dates in its name."""
    return len(set(dates)) > 1 and days == {dates[0]}


def _lie_between(days: set[np.datetime64], dates: Sequence[np.datetime64]) -> bool:
    """Whether days lie in the period that the dates in a name give, or are its one date."""
    return min(dates) <= min(days) and max(days) <= max(dates)
