"""The grid of an area: one UTM zone, pixels of 10 m, and the names of the patches on it.

All positions follow by arithmetic inside one zone, also beyond its edge: the tile of a place is its
100 km square counted in that zone, as ESA names its tiles, and not the canonical MGRS name, which
changes at the edge of the zone. An area may cross the equator: each patch is named on its own side.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from rasterio.crs import CRS
from rasterio.transform import Affine, from_origin
from rasterio.warp import transform_bounds

from multisenge_lib.area.acquisitions import Acquisition
from multisenge_lib.area.band_source import Placement, placement_of, utm_zone
from multisenge_lib.dataset import PIXEL, WGS84, tile_corner, tile_of_square
from multisenge_lib.errors import ImportAreaError

#: Metres that an area may reach at most: two tiles.
LARGEST_EXTENT = 220_000
#: Pixels may lie this share of a pixel off the grid and still count as lying on it: one centimetre.
GRID_TOLERANCE_PIXELS = 1e-3
#: Metres. The coarsest pixels of Sentinel-2 have 60 m; the rest is room for distortion.
_LARGEST_PIXEL = 70
#: What southern UTM zones (EPSG:327xx) add to northings.
_SOUTHERN_NORTHING = 10_000_000
_SQUARE = 100_000


class TargetGrid(NamedTuple):
    """Pixels of 10 m between the outermost edges of all sources, in one UTM zone.

    Attributes:
        crs: the projection of the zone, EPSG:326xx or 327xx, as the first source has it.
        west: easting of the left edge, in metres of the zone.
        north: northing of the upper edge, in metres of the zone.
        width: in pixels.
        height: in pixels.
    """

    crs: CRS
    west: int
    north: int
    width: int
    height: int

    @property
    def transform(self) -> Affine:
        """From pixels to metres."""
        return from_origin(self.west, self.north, PIXEL, PIXEL)


def lies_on_grid(place: Affine, crs: CRS, grid_crs: CRS) -> bool:
    """Whether pixels are those of the grid, perhaps in rows from south to north.

    Args:
        place: from pixels to coordinates.
        crs: projection of the coordinates.
        grid_crs: the zone of the grid.
    """
    zone = utm_zone(crs)
    grid_zone = utm_zone(grid_crs)
    if zone is None or grid_zone is None or zone[0] != grid_zone[0]:
        return False
    if place.b or place.d:
        return False
    if abs(abs(place.a) - PIXEL) > 1e-4 or abs(abs(place.e) - PIXEL) > 1e-4:
        return False
    # The false northing of the south is a multiple of 10 m, so both hemispheres share the grid.
    for edge in (place.c, place.f):
        if abs(edge / PIXEL - round(edge / PIXEL)) >= GRID_TOLERANCE_PIXELS:
            return False
    return True


def find_target_grid(
    acquisitions: Sequence[Acquisition],
) -> tuple[TargetGrid, list[Placement]]:
    """Find the grid that covers all sources.

    Returns:
        The grid, and the placements of all sources.

    Raises:
        ImportAreaError: a source cannot be read or placed, or its pixels are those of another
            sensor; the sources lie too far apart, or the two sensors see different ground.
    """
    placements = _placements(acquisitions)
    # The first source decides on the zone; those of a neighbouring zone are warped into it.
    crs = _zone_of(placements[0])
    corners = [_bounds_in(placement, crs) for placement in placements]
    grid = _grid_around(corners, crs)
    if not _has_tiles(grid):
        # Some countries use one zone for all of their ground. Far beyond it there are no tiles.
        crs = _zone_of_middle(placements[0])
        corners = [_bounds_in(placement, crs) for placement in placements]
        grid = _grid_around(corners, crs)
    for placement, corner in zip(placements, corners, strict=True):
        _check_pixel_size(placement, corner)
    _check_common_ground(placements, corners)
    return grid, placements


def _grid_around(corners: Sequence[tuple[float, float, float, float]], crs: CRS) -> TargetGrid:
    """The whole pixels between the outermost edges of sources; `corners` as `_bounds_in`.

    Raises:
        ImportAreaError: they lie too far apart.
    """
    west, south = np.min(corners, axis=0)[:2]
    east, north = np.max(corners, axis=0)[2:]
    # Written so, infinite and NaN are refused too.
    if not (east - west < LARGEST_EXTENT and north - south < LARGEST_EXTENT):
        raise ImportAreaError(
            f"the images reach from {west:.0f} E {south:.0f} N to {east:.0f} E {north:.0f} N in "
            f"{crs}, more than {LARGEST_EXTENT / 1000:.0f} km: import places far apart by "
            "themselves"
        )
    # Only whole pixels of the grid are taken; an edge that misses it by millimetres lies on it.
    left = int(np.ceil(west / PIXEL - GRID_TOLERANCE_PIXELS))
    right = int(np.floor(east / PIXEL + GRID_TOLERANCE_PIXELS))
    bottom = int(np.ceil(south / PIXEL - GRID_TOLERANCE_PIXELS))
    top = int(np.floor(north / PIXEL + GRID_TOLERANCE_PIXELS))
    return TargetGrid(crs, PIXEL * left, PIXEL * top, right - left, top - bottom)


def _has_tiles(grid: TargetGrid) -> bool:
    """Whether a patch at any corner of a grid has a name."""
    for west in (grid.west, grid.west + PIXEL * (grid.width - 1)):
        for north in (grid.north, grid.north - PIXEL * (grid.height - 1)):
            if _square_of(grid.crs, west, north)[-1] is None:
                return False
    return True


def _check_pixel_size(placement: Placement, bounds: tuple[float, float, float, float]) -> None:
    """Refuse pixels that are too large for Sentinel images; `bounds` are in metres of the zone."""
    left, bottom, right, top = bounds
    covered_pixels = placement.width * placement.height
    metres = float(np.sqrt((right - left) * (top - bottom) / covered_pixels))
    if metres > _LARGEST_PIXEL:
        raise ImportAreaError(
            f"{placement.name} has pixels of {metres:.3g} m, images of Sentinel-1 and Sentinel-2 "
            f"have 10 to 60 m: give the images themselves, in pixels of {PIXEL} m at best"
        )


def _check_common_ground(
    placements: Sequence[Placement], corners: Sequence[tuple[float, float, float, float]]
) -> None:
    """Refuse images of two sensors that have no ground in common; `corners` as `_bounds_in`."""
    by_sensor = {"s1": [], "s2": []}
    for placement, corner in zip(placements, corners, strict=True):
        by_sensor[placement.sensor].append((placement.name, corner))
    if not all(by_sensor.values()):
        return
    for _, one in by_sensor["s1"]:
        for _, other in by_sensor["s2"]:
            if max(one[0], other[0]) < min(one[2], other[2]) and (
                max(one[1], other[1]) < min(one[3], other[3])
            ):
                return
    radar, optical = (by_sensor[sensor][0][0] for sensor in ("s1", "s2"))
    raise ImportAreaError(
        "Sentinel-1 and Sentinel-2 have no ground in common, such as "
        f"{radar} and {optical}: give images of one place, or one sensor alone"
    )


def _placements(acquisitions: Iterable[Acquisition]) -> list[Placement]:
    """One placement for each file or cube; its bands share the grid."""
    by_grid = {}
    for acquisition in acquisitions:
        for part in acquisition.parts:
            for source in part.values():
                if source.grid not in by_grid:
                    by_grid[source.grid] = placement_of(acquisition.sensor, source)
    return list(by_grid.values())


def _zone_of(placement: Placement) -> CRS:
    """The projection of a source if it is a UTM zone, else the zone of its middle."""
    if utm_zone(placement.crs) is not None:
        return CRS.from_epsg(placement.crs.to_epsg())
    return _zone_of_middle(placement)


def _zone_of_middle(placement: Placement) -> CRS:
    """The UTM zone in which the middle of a source lies.

    Raises:
        ImportAreaError: there are no tiles so far north or south.
    """
    west, south, east, north = _transformed(placement, CRS.from_epsg(WGS84))
    if east < west:  # GDAL's way to say that bounds in degrees cross the antimeridian
        east += 360
    longitude = ((west + east) / 2 + 180) % 360 - 180
    latitude = (south + north) / 2
    if not -80 <= latitude <= 84:
        raise ImportAreaError(
            f"{placement.name} lies around {latitude:.1f} degrees north, {longitude:.1f} east, "
            "where there are no Sentinel-2 tiles: give images between 80 south and 84 north"
        )
    hemisphere = 32600 if latitude >= 0 else 32700
    return CRS.from_epsg(hemisphere + _zone_number(longitude, latitude))


def _zone_number(longitude: float, latitude: float) -> int:
    """The UTM zone of a place in degrees, with the wider zones of Norway and Svalbard."""
    if 56 <= latitude < 64 and 3 <= longitude < 12:
        return 32
    if latitude >= 72 and 0 <= longitude < 42:
        return 31 + 2 * int((longitude + 3) // 12)
    return int((longitude + 180) // 6) % 60 + 1


def _bounds_in(placement: Placement, crs: CRS) -> tuple[float, float, float, float]:
    zone = utm_zone(placement.crs)
    target = utm_zone(crs)
    if zone is not None and zone[0] == target[0]:
        # The same zone: exact, and right beyond its edge and across the equator.
        left, bottom, right, top = placement.bounds
        shift = _SOUTHERN_NORTHING * (target[1] - zone[1])
        return left, bottom + shift, right, top + shift
    return _transformed(placement, crs)


def _transformed(placement: Placement, crs: CRS) -> tuple[float, float, float, float]:
    try:
        return transform_bounds(placement.crs, crs, *placement.bounds)
    except Exception:  # GDAL's own errors are not rasterio's, and hold a whole projection
        raise ImportAreaError(
            f"{placement.name} cannot be placed in {crs}: GDAL knows no way there from its "
            "projection: warp it to UTM"
        ) from None


def rows_of(placement: Placement, grid: TargetGrid) -> tuple[int, int]:
    """The first row of the grid on which a source may show ground, and the row after the last.

    A pixel of the coarsest sources reaches over several rows, so some more are counted.
    """
    _, bottom, _, top = _bounds_in(placement, grid.crs)
    first = int(np.floor((grid.north - top) / PIXEL)) - _LARGEST_PIXEL // PIXEL
    end = int(np.ceil((grid.north - bottom) / PIXEL)) + _LARGEST_PIXEL // PIXEL
    return first, end


def patch_name(crs: CRS, west: int, north: int) -> str:
    """Name the patch with this upper-left corner, in the tile whose square holds its first pixel.

    Args:
        crs: the projection of a UTM zone, of either hemisphere.
        west: easting in metres.
        north: northing in metres.

    Raises:
        ImportAreaError: so far from the zone there are no tiles.
    """
    zone, north, tile = _square_of(crs, west, north)
    if tile is None:
        raise ImportAreaError(
            f"the area reaches far beyond UTM zone {zone}, to {west} E {north} N from the equator, "
            "where there are no tiles: import the parts of each zone by themselves"
        )
    tile_west, tile_north, code = tile_corner(tile)
    if code > 32700:
        tile_north -= _SOUTHERN_NORTHING
    x = (west - tile_west) // PIXEL
    y = (tile_north - north) // PIXEL
    return f"{tile}_{x}_{y}"


def _square_of(crs: CRS, west: int, north: int) -> tuple[int, int, str | None]:
    """The zone of a projection, a northing in metres from the equator, and the tile of a place.

    The tile is None where there is none, so far from the zone.
    """
    zone, is_southern = utm_zone(crs)
    if is_southern:
        north -= _SOUTHERN_NORTHING
    # One metre inside, since an edge at a full 100 km belongs to the square south of it.
    return zone, north, tile_of_square(zone, west // _SQUARE, (north - 1) // _SQUARE)
