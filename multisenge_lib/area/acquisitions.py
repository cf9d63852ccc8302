"""Where the pixels of each band of each date are, before anything is read."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import numpy as np
from rasterio.crs import CRS
from rasterio.io import DatasetReader

from multisenge_lib.area.products import ProcessingBaseline
from multisenge_lib.errors import ImportAreaError, counted

#: Metres along the side of the largest pixels of Sentinel-2.
_LARGEST_PIXEL = 60


class BandSource(NamedTuple):
    """Where the pixels of one band of one date are.

    Attributes:
        name: name of the file or cube, for messages; printable.
        open: opens it as a raster.
        grid: names the file or cube, whose bands all lie on one grid.
        index: number of the band in the raster, from 1.
        crs: the projection that the user gives for rasters that name none.
        baseline: processing baseline of the ESA product that the raster belongs to, if any.
        others: the same band and date in files that lie beside this one, which counts first.
    """

    name: str
    open: Callable[[], AbstractContextManager[DatasetReader]]
    grid: str
    index: int = 1
    crs: CRS | None = None
    baseline: ProcessingBaseline | None = None
    others: tuple["BandSource", ...] = ()


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

    Where a band is there at several resolutions, as ESA delivers it, the finest is taken. Files
    of one date that lie beside each other, such as neighbouring tiles, are put together.

    Returns:
        The acquisitions in order of sensor and date, and notices.

    Raises:
        ImportAreaError: two sources give the same band of one date at one resolution, and are no
            neighbours: they show the same ground, or differ in projection or in how they store
            values. Or one of several files of a date lacks a band.
    """
    grouped: dict[tuple[str, np.datetime64], dict[str, list[BandSource]]] = {}
    for sensor, band, day, source in bands:
        bands_of_day = grouped.setdefault((sensor, day), {})
        bands_of_day.setdefault(band, []).append(source)
    acquisitions = []
    coarser = []
    in_parts = []
    for (sensor, day), bands_of_day in sorted(grouped.items()):
        chosen = {}
        for band, sources in bands_of_day.items():
            chosen[band], left_out = _joined(sources, band, day)
            coarser += left_out
        acquisition = Acquisition(sensor, day, chosen)
        acquisitions.append(acquisition)
        if any(source.others for source in chosen.values()):
            _check_parts(acquisition)
            in_parts.append(acquisition)
    notices = []
    if coarser:
        skipped_bands = counted(
            len(coarser),
            "band is there at a finer resolution too and is left out",
            "bands are there at a finer resolution too and are left out",
        )
        notices.append(f"{skipped_bands}, such as {coarser[0].name}")
    if in_parts:
        dates = counted(
            len(in_parts),
            "date is put together from files that lie beside each other",
            "dates are put together from files that lie beside each other",
        )
        example = next(source for source in in_parts[0].bands.values() if source.others)
        notices.append(
            f"{dates}, such as {in_parts[0].title} from {example.name} and "
            f"{example.others[0].name}; where they overlap, the first by path counts"
        )
    return acquisitions, notices


def _check_parts(acquisition: Acquisition) -> None:
    """Refuse a date of several files of which one lacks a band: its pixels would pass for dark.

    Raises:
        ImportAreaError: which bands do not come from the same parts of the ground.
    """
    grounds = {}
    for band, source in acquisition.bands.items():
        parts = [_describe(part).bounds for part in (source, *source.others)]
        grounds[band] = np.array(sorted(parts))
    # Bands of 60 m may end within a pixel of the others.
    first = max(grounds, key=lambda band: len(grounds[band]))
    for band, ground in grounds.items():
        same_number = len(ground) == len(grounds[first])
        if not same_number or not np.allclose(ground, grounds[first], rtol=0, atol=_LARGEST_PIXEL):
            raise ImportAreaError(
                f"{acquisition.title}: {band} does not cover the same files or tiles as {first} "
                f"({acquisition.bands[band].name}, {acquisition.bands[first].name}): give every "
                "band of each of them, or leave out the file or tile that lacks one"
            )


class _Raster(NamedTuple):
    """What decides whether two rasters of one band and date can stand beside each other.

    Attributes:
        source: the band in the raster.
        pixel: width of a pixel, in units of the projection.
        crs: the projection.
        bounds: left, bottom, right, top in the projection.
        storage: type, no-data value, scale, offset, and offset of the processing baseline.
    """

    source: BandSource
    pixel: float
    crs: CRS | None
    bounds: tuple[float, float, float, float]
    storage: tuple[str, ...]


def _joined(
    sources: Sequence[BandSource], band: str, day: np.datetime64
) -> tuple[BandSource, list[BandSource]]:
    """Choose among the sources of one band and date, or put them together.

    Returns:
        The finest source, with its neighbours as `others`; and the coarser sources.
    """
    if len(sources) == 1:
        return sources[0], []
    by_grid = {}
    for source in sources:
        if source.grid in by_grid:
            raise ImportAreaError(
                f"{source.name} holds {band} of {day} twice: one file holds one date, or the name "
                "of each band begins with its date, such as 20230105_B2; write a file for each date"
            )
        by_grid[source.grid] = source
    rasters = [_describe(source) for _, source in sorted(by_grid.items())]
    for one, other in combinations(rasters, 2):
        if one.crs != other.crs:
            raise both_give(one.source, other.source, band, day, "in different projections")
    # ESA's folder R20m holds B2 again, as a mean of the 10 m pixels in R10m.
    finest = min(raster.pixel for raster in rasters)
    fine = [raster for raster in rasters if np.isclose(raster.pixel, finest)]
    coarser = [raster for raster in rasters if not np.isclose(raster.pixel, finest)]
    for raster in coarser:
        if not any(_lies_within(raster, finer, margin=raster.pixel) for finer in fine):
            problem = "at different resolutions and on different ground"
            raise both_give(raster.source, fine[0].source, band, day, problem)
    for one, other in combinations(fine, 2):
        problem = _why_no_neighbours(one, other)
        if problem is not None:
            raise both_give(one.source, other.source, band, day, problem)
    neighbours = tuple(raster.source for raster in fine[1:])
    chosen = fine[0].source._replace(others=neighbours)
    return chosen, [raster.source for raster in coarser]


def _describe(source: BandSource) -> _Raster:
    position = source.index - 1
    with source.open() as raster:
        left, right = sorted((raster.bounds.left, raster.bounds.right))
        bottom, top = sorted((raster.bounds.bottom, raster.bounds.top))
        offset_of_baseline = source.baseline.offset if source.baseline is not None else 0
        storage = (
            raster.dtypes[position],
            raster.nodatavals[position],
            raster.scales[position],
            raster.offsets[position],
            offset_of_baseline,
        )
        # As text, because a no-data value of NaN equals no other.
        storage = tuple(str(value) for value in storage)
        bounds = left, bottom, right, top
        return _Raster(source, raster.res[0], raster.crs or source.crs, bounds, storage)


def _why_no_neighbours(one: _Raster, other: _Raster) -> str | None:
    """Say why two rasters of one band and date are not put together; None if they can be."""
    margin = one.pixel / 2
    if _lies_within(one, other, margin) or _lies_within(other, one, margin):
        return "on the same ground"
    if one.storage != other.storage:
        return "stored differently (type, no-data value, scale or offset)"
    return None


def _lies_within(inner: _Raster, outer: _Raster, margin: float) -> bool:
    """Whether a raster shows no ground that the other does not show, but for a margin."""
    left, bottom, right, top = inner.bounds
    outer_left, outer_bottom, outer_right, outer_top = outer.bounds
    return (
        left > outer_left - margin
        and bottom > outer_bottom - margin
        and right < outer_right + margin
        and top < outer_top + margin
    )


def both_give(
    one: BandSource, other: BandSource, band: str, day: np.datetime64, problem: str
) -> ImportAreaError:
    """The error for two sources of one band and date; `problem` says what keeps them apart."""
    return ImportAreaError(
        f"{one.name} and {other.name} both give {band} of {day}, {problem}: give one of them, or "
        "merge them before"
    )
