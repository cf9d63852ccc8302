"""Where the pixels of each band of each date are, before anything is read."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from rasterio.crs import CRS
from rasterio.io import DatasetReader

from multisenge_lib.area.products import ProcessingBaseline
from multisenge_lib.errors import ImportAreaError, counted


class BandSource(NamedTuple):
    """Where the pixels of one band of one date are.

    Attributes:
        name: name of the file or cube, for messages; printable.
        open: opens it as a raster.
        grid: names the file or cube, whose bands all lie on one grid.
        index: number of the band in the raster, from 1.
        crs: the projection that the user gives for rasters that name none.
        baseline: processing baseline of the ESA product that the raster belongs to, if any.
    """

    name: str
    open: Callable[[], AbstractContextManager[DatasetReader]]
    grid: str
    index: int = 1
    crs: CRS | None = None
    baseline: ProcessingBaseline | None = None


class BandOfDay(NamedTuple):
    """One band of one date, as one file or cube gives it."""

    sensor: str
    band: str
    day: np.datetime64
    source: BandSource


@dataclass(frozen=True)
class Acquisition:
    """All bands of one sensor at one date."""

    sensor: str
    day: np.datetime64
    bands: Mapping[str, BandSource]

    @property
    def title(self) -> str:
        """Such as `s2 of 2023-01-05`."""
        return f"{self.sensor} of {self.day}"


def group_by_day(bands: list[BandOfDay]) -> tuple[list[Acquisition], list[str]]:
    """Put the bands of each sensor and date together.

    Where a band is there at several resolutions, as ESA delivers it, the finest is taken.

    Returns:
        The acquisitions in order of sensor and date, and notices.

    Raises:
        ImportAreaError: two sources give the same band of one date at one resolution.
    """
    grouped: dict[tuple[str, np.datetime64], dict[str, BandSource]] = {}
    coarser = []
    for sensor, band, day, source in bands:
        bands_of_day = grouped.setdefault((sensor, day), {})
        # ESA's folder R20m holds B2 again, as a mean of the 10 m pixels in R10m.
        earlier = bands_of_day.get(band)
        if earlier is None:
            bands_of_day[band] = source
            continue
        finer = _finer_of(earlier, source, band, day)
        bands_of_day[band] = finer
        coarser.append(source if finer is earlier else earlier)
    notices = []
    if coarser:
        skipped_bands = counted(
            len(coarser),
            "band is there at a finer resolution too and is left out",
            "bands are there at a finer resolution too and are left out",
        )
        notices.append(f"{skipped_bands}, such as {coarser[0].name}")
    acquisitions = [Acquisition(*key, bands) for key, bands in sorted(grouped.items())]
    return acquisitions, notices


def _finer_of(one: BandSource, other: BandSource, band: str, day: np.datetime64) -> BandSource:
    """Choose the source with the smaller pixels of two that give the same band and date."""
    if one.grid == other.grid:
        raise ImportAreaError(
            f"{one.name} holds {band} of {day} twice: one file holds one date, or the name of each "
            "band begins with its date, such as 20230105_B2; write a file for each date"
        )
    with one.open() as first, other.open() as second:
        if first.res[0] < second.res[0]:
            return one
        if first.res[0] > second.res[0]:
            return other
    raise ImportAreaError(
        f"{one.name} and {other.name} both give {band} of {day}: give one of them, or merge "
        "them before"
    )
