"""From tile and offsets to places on the ground; no raster is needed.

A Sentinel-2 tile is named by its 100 km square of the Military Grid Reference System. Its
10,980-pixel raster begins at the square's north-west corner, moved outward to a multiple of 60 m
from the zone's origin: a pixel of the coarsest band. A patch's `x` is the column and `y` the row of
its upper-left pixel in that raster. Not in the paper; seen in published tiles of both hemispheres.
"""

import re
import warnings
from functools import cache
from pathlib import Path

import geopandas as gpd
import mgrs
import numpy as np
import pandas as pd
import shapely

from multisenge_lib.dataset.layout import MULTISENGE, PIXEL, TILE_PIXELS
from multisenge_lib.errors import FileError, MultiSenGEError
from multisenge_lib.files import atomic

#: Longitude and latitude; and the projection of France, for areas.
WGS84, LAMBERT_93 = 4326, 2154
#: Metres along a pixel of the coarsest bands, and from the equator to the south's origin.
_COARSE, _SOUTH = 60, 10_000_000


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
    try:
        if not re.fullmatch(r"[0-9]{2}[C-X][A-Z]{2}", tile):
            raise mgrs.core.MGRSError
        with warnings.catch_warnings(action="ignore"):  # squares at the edge of a band
            zone, hemisphere, east, north = mgrs.MGRS().MGRSToUTM(f"{tile}5000050000")
    except mgrs.core.MGRSError:
        raise MultiSenGEError(
            f"there is no Sentinel-2 tile {tile!r}: "
            "a tile is named like 31UEQ (zone, band, column, row)"
        ) from None
    origin = _SOUTH if hemisphere == "S" else 0
    west, north = round(east) - 50_000, round(north) + 50_000 - origin
    epsg = (32700 if origin else 32600) + zone
    return west // _COARSE * _COARSE, -(-north // _COARSE) * _COARSE + origin, epsg


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
