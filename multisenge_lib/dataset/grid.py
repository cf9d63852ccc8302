"""Places on the ground, from the tile and the offsets in a patch's name; no raster is needed.

A Sentinel-2 tile is named by its 100 km square of the Military Grid Reference System. Its
10,980-pixel raster begins at the square's north-west corner, moved outward to a multiple of 60 m
from the zone's origin: a pixel of the coarsest band. A patch's `x` is the column and `y` the row of
its upper-left pixel in that raster. Not in the paper; seen in published tiles of both hemispheres.
"""

import re
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyproj
import shapely

from multisenge_lib.dataset.layout import MULTISENGE, PIXEL, TILE_PIXELS
from multisenge_lib.errors import MultiSenGEError

if TYPE_CHECKING:  # it takes a second to import, and few need it
    import geopandas as gpd

#: EPSG code of longitude and latitude in degrees.
WGS84 = 4326
#: EPSG code of a projection of France that keeps areas nearly true, in metres.
LAMBERT_93 = 2154
#: Metres along a pixel of Sentinel-2's coarsest bands.
_COARSE = 60
#: Metres from the equator to the origin of northings in the southern hemisphere.
_SOUTH = 10_000_000
#: Metres along a square of the Military Grid Reference System, and the letters that name squares:
#: those of columns repeat every third zone, those of rows every 2,000 km.
_SQUARE = 100_000
_COLUMN_LETTERS = ("ABCDEFGH", "JKLMNPQR", "STUVWXYZ")
_ROW_LETTERS = "ABCDEFGHJKLMNPQRSTUV"
_BAND_LETTERS = "CDEFGHJKLMNPQRSTUVWX"
_TILE_NAME = re.compile(
    f"(?:0[1-9]|[1-5][0-9]|60)[{_BAND_LETTERS}][A-HJ-NP-Z][{_ROW_LETTERS}]", re.ASCII
)


def _latitude(zone: int, column: int, row: int) -> float:
    """Latitude of the middle of a 100 km square of a UTM zone, in degrees; see `tile_of_square`."""
    east = (column + 0.5) * _SQUARE
    north = (row + 0.5) * _SQUARE
    return pyproj.Proj(proj="utm", zone=zone)(east, north, inverse=True)[1]


@cache
def tile_of_square(zone: int, column: int, row: int) -> str | None:
    """Name the Sentinel-2 tile of a 100 km square, counted in its zone; None where there is none.

    Squares beyond the edge of the zone have names too: Sentinel-2 tiles reach over it, where the
    canonical grid reference has gone over to the next zone.

    Args:
        zone: number of the UTM zone.
        column: 1 for eastings from 100 km, at most 8.
        row: 0 for northings from the equator, -1 for those just south of it.
    """
    if not 1 <= column <= 8:
        return None
    latitude = _latitude(zone, column, row)
    if not -80 <= latitude <= 84:
        return None
    # Bands are 8 degrees high, the last 12.
    band = _BAND_LETTERS[min(int((latitude + 80) // 8), 19)]
    column_letter = _COLUMN_LETTERS[(zone - 1) % 3][column - 1]
    row_letter = _ROW_LETTERS[(row + _first_row(zone)) % 20]
    return f"{zone:02d}{band}{column_letter}{row_letter}"


def _first_row(zone: int) -> int:
    """The letter of the row at the equator, as a position: A in odd zones, F in even ones."""
    return 5 if zone % 2 == 0 else 0


def _row_of_tile(zone: int, band: str, column: int, row_letter: str) -> int | None:
    """The row of a square, counted from the equator; None where its band has no such square.

    Row letters repeat every 2,000 km, and no band of latitude is that high. So of the rows with
    this letter one at most touches the band.
    """
    lowest = 8 * _BAND_LETTERS.index(band) - 80
    highest = 84 if band == "X" else lowest + 8
    first = _ROW_LETTERS.index(row_letter) - _first_row(zone)
    for row in range(first - 100, 95, 20):
        # A square is 0.9 degrees high and turned a little; at a band's edge either band names it.
        if lowest - 1 < _latitude(zone, column, row) < highest + 1:
            return row
    return None


@cache
def tile_corner(tile: str) -> tuple[int, int, int]:
    """The upper-left corner of a Sentinel-2 tile's raster.

    Args:
        tile: name without the leading T, such as "31UEQ"; either hemisphere.

    Returns:
        Easting and northing in metres, and the EPSG code of their UTM zone.

    Raises:
        MultiSenGEError: there is no such tile.
    """
    row = None
    if _TILE_NAME.fullmatch(tile):
        zone = int(tile[:2])
        band, column_letter, row_letter = tile[2:]
        column = _COLUMN_LETTERS[(zone - 1) % 3].find(column_letter) + 1
        if column:
            row = _row_of_tile(zone, band, column, row_letter)
    if row is None:
        raise MultiSenGEError(
            f"there is no Sentinel-2 tile {tile!r}: "
            "a tile is named like 31UEQ (zone, band, column, row)"
        )
    west = column * _SQUARE
    north = (row + 1) * _SQUARE
    is_southern = band < "N"
    epsg = (32700 if is_southern else 32600) + zone
    false_northing = _SOUTH if is_southern else 0
    # Outward to whole pixels of 60 m: west edge down, north edge up.
    return west // _COARSE * _COARSE, -(-north // _COARSE) * _COARSE + false_northing, epsg


def patch_bounds(
    tile: str, x: int, y: int, size: int = MULTISENGE.patch_pixels
) -> tuple[int, int, int, int]:
    """West, south, east, north of a patch of `size` pixels, in metres of its tile's UTM zone."""
    west, north, _ = tile_corner(tile)
    left = west + PIXEL * x
    top = north - PIXEL * y
    side = PIXEL * size
    return left, top - side, left + side, top


def squares(table: pd.DataFrame, size: int, crs: int | None = None) -> "gpd.GeoSeries":
    """The squares that patches cover, in one projection.

    Args:
        table: patches, with columns `tile`, `x`, `y`.
        size: pixels along a patch's side.
        crs: EPSG code; by default the UTM zone of the first patch, in metres.
    """
    import geopandas as gpd

    corners = [tile_corner(tile) for tile in table["tile"]]
    west, north, epsg = np.array(corners, dtype=np.int64).reshape(-1, 3).T
    left = west + PIXEL * table["x"].to_numpy()
    top = north - PIXEL * table["y"].to_numpy()
    side = PIXEL * size
    boxes = gpd.GeoSeries(shapely.box(left, top - side, left + side, top), index=table.index)
    if boxes.empty:
        return boxes.set_crs(crs or WGS84)
    crs = crs or int(epsg[0])
    # Each zone has coordinates of its own.
    by_zone = [boxes[epsg == code].set_crs(code).to_crs(crs) for code in np.unique(epsg)]
    return pd.concat(by_zone).loc[table.index]


def footprints(table: pd.DataFrame, size: int = MULTISENGE.patch_pixels) -> "gpd.GeoDataFrame":
    """Add the squares that patches cover to a table with columns `tile`, `x`, `y`; in EPSG:4326."""
    import geopandas as gpd

    return gpd.GeoDataFrame(table, geometry=squares(table, size, WGS84), crs=WGS84)


def centres(table: pd.DataFrame) -> pd.DataFrame:
    """Longitude and latitude of MultiSenGE's patch centres, in degrees: columns `lon` and `lat`."""
    # The mean of the corners: off the true centre by less than a metre at this size.
    points = shapely.centroid(squares(table, MULTISENGE.patch_pixels, WGS84).to_numpy())
    return pd.DataFrame(shapely.get_coordinates(points), table.index, ["lon", "lat"])


def overlap(frame: "gpd.GeoDataFrame", other: "gpd.GeoDataFrame") -> float:
    """Ground that both tables' footprints cover, in square kilometres (in Lambert-93)."""
    ground = frame.geometry.to_crs(LAMBERT_93).union_all()
    other_ground = other.geometry.to_crs(LAMBERT_93).union_all()
    return ground.intersection(other_ground).area / 1e6


def tile_outlines(tiles: list[str]) -> "gpd.GeoDataFrame":
    """The squares of whole tiles, in longitude and latitude: columns `tile` and `geometry`."""
    whole_tiles = pd.DataFrame({"tile": tiles, "x": 0, "y": 0})
    return footprints(whole_tiles, TILE_PIXELS)[["tile", "geometry"]]
