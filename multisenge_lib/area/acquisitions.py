"""Which band of which date is in which file or cube, before any pixel is read."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import numpy as np
from rasterio.warp import transform_bounds

from multisenge_lib.area.band_source import BandSource, Placement, placement_of, utm_zone
from multisenge_lib.errors import ImportAreaError, counted

#: Two edges are the same if they lie at most this many pixels apart: bands of 60 m may end one
#: pixel beside those of 10 m.
_SAME_EDGE = 1.01
#: The direction of a radar's orbit, in the name of an image. In the morning it descends over
#: Europe, in the evening it ascends, and the ground looks different from the other side.
_PASS = re.compile(r"(?<![A-Z])(ASC|DES)(?:C|CENDING|ENDING)?(?![A-Z])", re.IGNORECASE)


class BandOfDay(NamedTuple):
    """One band of one date, as one file or cube gives it."""

    sensor: str
    band: str
    day: np.datetime64
    source: BandSource


@dataclass(frozen=True)
class Acquisition:
    """All bands of one sensor at one date.

    Attributes:
        sensor: `s1` or `s2`.
        day: the date.
        parts: the bands by name, of each file or tile that shows a part of the ground. Mostly there
            is one. All parts have the same bands. Where parts overlap, the first with a signal in
            all bands counts.
    """

    sensor: str
    day: np.datetime64
    parts: tuple[Mapping[str, BandSource], ...]

    @property
    def title(self) -> str:
        """Such as `s2 of 2023-01-05`."""
        return f"{self.sensor} of {self.day}"

    @property
    def band_names(self) -> tuple[str, ...]:
        """Names of the bands that every part has."""
        return tuple(self.parts[0])

    @property
    def sources(self) -> list[BandSource]:
        """All bands of all parts."""
        return [source for part in self.parts for source in part.values()]


class _PlacedSource(NamedTuple):
    """A source, and where its pixels lie."""

    source: BandSource
    place: Placement


def group_by_day(bands: list[BandOfDay]) -> tuple[list[Acquisition], list[str]]:
    """Put the bands of each sensor and date together.

    Where a band is there at several resolutions, as ESA delivers it, the finest is taken. Files
    of one date that lie beside each other, such as neighbouring tiles, become parts of it.

    Returns:
        The acquisitions in order of sensor and date, and notices.

    Raises:
        ImportAreaError: two sources give the same band of one date at one resolution, and are no
            neighbours: they show the same ground, or lie in different projections that are not both
            UTM zones. Or one of several files of a date lacks a band.
    """
    grouped: dict[tuple[str, np.datetime64], dict[str, list[BandSource]]] = {}
    for sensor, band, day, source in bands:
        bands_of_day = grouped.setdefault((sensor, day), {})
        bands_of_day.setdefault(band, []).append(source)
    acquisitions = []
    coarser = []
    for (sensor, day), sources_by_band in sorted(grouped.items()):
        finest_by_band = {}
        for band, sources in sources_by_band.items():
            finest_by_band[band], left_out = _finest(sources, sensor, band, day)
            coarser += left_out
        parts = _match_parts(finest_by_band, sensor, day)
        acquisitions.append(Acquisition(sensor, day, parts))
    return acquisitions, _notices(acquisitions, coarser)


def _notices(acquisitions: Sequence[Acquisition], coarser: Sequence[BandSource]) -> list[str]:
    """Say which bands are left out, and which dates are put together."""
    notices = []
    if coarser:
        skipped_bands = counted(
            len(coarser),
            "band is there at a finer resolution too and is left out",
            "bands are there at a finer resolution too and are left out",
        )
        notices.append(f"{skipped_bands}, such as {coarser[0].name}")
    in_parts = [acquisition for acquisition in acquisitions if len(acquisition.parts) > 1]
    if in_parts:
        dates = counted(
            len(in_parts),
            "date is put together from files that lie beside each other",
            "dates are put together from files that lie beside each other",
        )
        example = in_parts[0]
        band = example.band_names[0]
        first, second = (part[band].name for part in example.parts[:2])
        notices.append(
            f"{dates}, such as {example.title} from {first} and {second}; where they overlap, the "
            "first by path that holds all bands counts"
        )
    return notices


def _finest(
    sources: Sequence[BandSource], sensor: str, band: str, day: np.datetime64
) -> tuple[list[BandSource], list[BandSource]]:
    """Choose among the sources of one band and date.

    Returns:
        The sources of the finest pixels in order of path, which lie beside each other where there
        are several; and the coarser sources of the same ground.
    """
    if len(sources) == 1:
        return [sources[0]], []
    by_grid = {}
    for source in sources:
        if source.grid in by_grid:
            raise ImportAreaError(
                f"{source.name} holds {band} of {day} twice: one file holds one date, or the name "
                "of each band begins with its date, such as 20230105_B2; write a file for each "
                "date; merge the scenes of one day in a cube, such as with groupby='solar_day' of "
                "odc-stac"
            )
        by_grid[source.grid] = _PlacedSource(source, placement_of(sensor, source))
    placed = [by_grid[grid] for grid in sorted(by_grid)]
    for one, other in combinations(placed, 2):
        if not _are_comparable(one.place, other.place):
            raise both_give(one.source, other.source, band, day, "in different projections")
    # ESA's folder R20m holds B2 again, as a mean of the 10 m pixels in R10m.
    smallest_pixel = min(place.pixel_width for _, place in placed)
    fine = [one for one in placed if np.isclose(one.place.pixel_width, smallest_pixel)]
    coarser = [one for one in placed if one not in fine]
    for source, place in coarser:
        if not any(_lies_within(place, finer.place, place.pixel_width) for finer in fine):
            problem = "at different resolutions and on different ground"
            raise both_give(source, fine[0].source, band, day, problem)
    for one, other in combinations(fine, 2):
        margin = smallest_pixel / 2
        if (
            _lies_within(one.place, other.place, margin)
            or _lies_within(other.place, one.place, margin)
            # Two scenes whose grids lie up to a pixel apart are no neighbours either.
            or _is_same_ground(one.place, other.place)
        ):
            raise both_give(one.source, other.source, band, day, "on the same ground")
    return [one.source for one in fine], [one.source for one in coarser]


def _are_comparable(one: Placement, other: Placement) -> bool:
    """Whether two rasters lie in one projection, or in two UTM zones as neighbouring tiles may."""
    if one.stored_crs == other.stored_crs:
        return True
    return utm_zone(one.stored_crs) is not None and utm_zone(other.stored_crs) is not None


def _lies_within(inner: Placement, outer: Placement, margin: float) -> bool:
    """Whether a raster shows no ground that the other does not show, but for a margin.

    In another zone the edges of a raster are turned a little. The rectangle around them is slightly
    larger than the raster, so a raster that barely lies within the other may count as its
    neighbour.
    """
    bounds = inner.stored_bounds
    if inner.stored_crs != outer.stored_crs:
        bounds = transform_bounds(inner.stored_crs, outer.stored_crs, *bounds)
    left, bottom, right, top = bounds
    outer_left, outer_bottom, outer_right, outer_top = outer.stored_bounds
    return (
        left > outer_left - margin
        and bottom > outer_bottom - margin
        and right < outer_right + margin
        and top < outer_top + margin
    )


def _match_parts(
    sources_by_band: Mapping[str, Sequence[BandSource]], sensor: str, day: np.datetime64
) -> tuple[Mapping[str, BandSource], ...]:
    """Find for each part of the ground the source of each band.

    Raises:
        ImportAreaError: a band is missing from a part: its pixels would pass for dark. Or bands of
            a part are of different orbits.
    """
    most_parts = max(len(sources) for sources in sources_by_band.values())
    if most_parts == 1:
        part = {band: sources[0] for band, sources in sources_by_band.items()}
        if sensor == "s1":
            _check_one_pass(part, day)
        return (part,)
    placed_by_band = {
        band: [_PlacedSource(source, placement_of(sensor, source)) for source in sources]
        for band, sources in sources_by_band.items()
    }
    first_band = next(band for band, placed in placed_by_band.items() if len(placed) == most_parts)
    parts = []
    for first_source, place in placed_by_band[first_band]:
        part = {}
        for band, placed in placed_by_band.items():
            here = [one for one in placed if _is_same_ground(place, one.place)]
            if not here:
                raise ImportAreaError(
                    f"{sensor} of {day}: {band} does not cover the same files or tiles as "
                    f"{first_band}, and is missing beside {first_source.name}: give every band of "
                    "each of them, or leave out the file or tile that lacks one"
                )
            # Of two that lie a pixel apart, the one whose edges are nearer.
            nearest = min(here, key=lambda one: _edge_distance(place, one.place))
            part[band] = nearest.source
        if sensor == "s1":
            _check_one_pass(part, day)
        parts.append(part)
    return tuple(parts)


def _check_one_pass(part: Mapping[str, BandSource], day: np.datetime64) -> None:
    """Refuse bands of one image whose names tell that they are of different orbits of a day.

    A name with both directions, as where "des" is French, tells nothing.
    """
    names_of_pass = {}
    for source in part.values():
        directions = {direction.upper() for direction in _PASS.findall(source.name)}
        if len(directions) == 1:
            names_of_pass.setdefault(directions.pop(), source.name)
    if len(names_of_pass) > 1:
        one, other = names_of_pass.values()
        raise ImportAreaError(
            f"{one} and {other} would be bands of one image of {day}, and are of different orbits "
            "by their names: give all bands of one of them"
        )


def _is_same_ground(one: Placement, other: Placement) -> bool:
    """Whether two rasters cover the same ground; bands of 60 m may end within a pixel of others.

    The bands of one tile lie in one projection.
    """
    if one.stored_crs != other.stored_crs:
        return False
    tolerance = max(one.pixel_width, other.pixel_width) * _SAME_EDGE
    return _edge_distance(one, other) <= tolerance


def _edge_distance(one: Placement, other: Placement) -> float:
    """The largest distance between the same edges of two rasters in one projection."""
    return float(np.abs(np.subtract(one.stored_bounds, other.stored_bounds)).max())


def both_give(
    one: BandSource, other: BandSource, band: str, day: np.datetime64, problem: str
) -> ImportAreaError:
    """The error for two sources of one band and date; `problem` says what keeps them apart."""
    if one.dated_folder is not None and other.dated_folder is not None:
        return ImportAreaError(
            f"{one.name} and {other.name} both give {band} of {day}, {problem}, and the date is "
            f"that of their folder {one.dated_folder}: write the date of each image into its own "
            "name, as yyyymmdd"
        )
    return ImportAreaError(
        f"{one.name} and {other.name} both give {band} of {day}, {problem}: give one of them, or "
        "merge them before"
    )
