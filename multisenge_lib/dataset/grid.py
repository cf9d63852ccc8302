"""From tile and offsets to places on the ground; no raster is needed.

A Sentinel-2 tile is named by its 100 km square of the Military Grid Reference System. Its
10,980-pixel raster begins at the square's north-west corner, moved outward to a multiple of 60 m
from the zone's origin: a pixel of the coarsest band. A patch's `x` is the column and `y` the row of
its upper-left pixel in that raster. Not in the paper; seen in published tiles of both hemispheres.
"""

import re
from functools import cache
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

from multisenge_lib.dataset.layout import MULTISENGE, PIXEL, TILE_PIXELS
from multisenge_lib.errors import FileError, MultiSenGEError
from multisenge_lib.files import atomic

#: Longitude and latitude; and the projection of France, for areas.
WGS84, LAMBERT_93 = 4326, 2154
#: Metres along a pixel of the coarsest bands, and from the equator to the south's origin.
_COARSE, _SOUTH = 60, 10_000_000
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
    """Rows begin at the letter A at the equator in odd zones, at F in even ones."""
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
    left, top = west + PIXEL * x, north - PIXEL * y
    return left, top - PIXEL * size, left + PIXEL * size, top


def squares(table: pd.DataFrame, size: int, crs: int | None = None) -> gpd.GeoSeries:
    """The squares that patches cover, in one projection.

    Args:
        table: with columns `tile`, `x`, `y`.
        size: pixels along a patch's side.
        crs: EPSG code; by default the UTM zone of the first patch, in metres.
    """
    corners = [tile_corner(tile) for tile in table["tile"]]
    west, north, epsg = np.array(corners, dtype=np.int64).reshape(-1, 3).T
    left = west + PIXEL * table["x"].to_numpy()
    top = north - PIXEL * table["y"].to_numpy()
    boxes = shapely.box(left, top - PIXEL * size, left + PIXEL * size, top)
    everywhere = gpd.GeoSeries(boxes, index=table.index)
    crs = crs or (int(epsg[0]) if len(epsg) else WGS84)
    by_zone = [everywhere[epsg == code].set_crs(code).to_crs(crs) for code in np.unique(epsg)]
    return pd.concat(by_zone).loc[table.index] if by_zone else everywhere.set_crs(crs)


def footprints(table: pd.DataFrame, size: int = MULTISENGE.patch_pixels) -> gpd.GeoDataFrame:
    """A table with columns `tile`, `x`, `y`, with the squares of its patches, in EPSG:4326."""
    return gpd.GeoDataFrame(table, geometry=squares(table, size, WGS84), crs=WGS84)


def centres(table: pd.DataFrame, size: int = MULTISENGE.patch_pixels) -> pd.DataFrame:
    """Longitude and latitude of patch centres, in degrees: columns `lon` and `lat`."""
    # The mean of the corners: off the true centre by less than a metre at this size.
    points = shapely.centroid(squares(table, size, WGS84).to_numpy())
    return pd.DataFrame(shapely.get_coordinates(points), table.index, ["lon", "lat"])


def overlap(frame: gpd.GeoDataFrame, other: gpd.GeoDataFrame) -> float:
    """Ground that both tables' footprints cover, in square kilometres (in Lambert-93)."""
    ours, theirs = (f.geometry.to_crs(LAMBERT_93).union_all() for f in (frame, other))
    return ours.intersection(theirs).area / 1e6


def tile_outlines(tiles: list[str]) -> gpd.GeoDataFrame:
    """The squares of whole tiles, in longitude and latitude: columns `tile` and `geometry`."""
    return footprints(pd.DataFrame({"tile": tiles, "x": 0, "y": 0}), TILE_PIXELS)[
        ["tile", "geometry"]
    ]


def export(frame: gpd.GeoDataFrame, path: Path | str) -> Path:
    """Write a table with geometry for a GIS: GeoParquet or GeoPackage, by the file's ending.

    Columns that hold an array (dates, classes) become text joined by semicolons.

    Raises:
        MultiSenGEError: the ending is neither `.parquet` nor `.gpkg`, or no file can be written.
    """
    path = Path(path)
    if path.suffix not in (".parquet", ".gpkg"):
        raise MultiSenGEError(f"cannot write {path.name}: the ending must be .parquet or .gpkg")
    frame = frame.copy()
    for column in frame.columns.drop("geometry"):
        if len(frame) and isinstance(frame[column].iloc[0], np.ndarray):
            frame[column] = [";".join(values.astype(str)) for values in frame[column]]
    try:
        with atomic(path) as unfinished:
            if path.suffix == ".parquet":
                frame.to_parquet(unfinished, index=False)
            else:
                frame.to_file(unfinished, driver="GPKG", layer=path.stem, index=False)
    except RuntimeError as error:  # what the GeoPackage driver says of disks and permissions
        raise FileError(f"{path} cannot be written ({error}): choose another place") from None
    return path
