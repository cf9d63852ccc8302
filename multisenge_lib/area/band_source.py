"""A band in a file or cube, and where on the earth its pixels lie."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from itertools import product
from typing import NamedTuple

import numpy as np
from rasterio.crs import CRS
from rasterio.errors import CRSError, RasterioError
from rasterio.io import DatasetReader
from rasterio.transform import Affine

from multisenge_lib.area.products import ProcessingBaseline
from multisenge_lib.errors import ImportAreaError, MultiSenGEError

_FROM_ANTIMERIDIAN = CRS.from_wkt(
    'GEOGCS["WGS 84 from 180 degrees",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563]],'
    'PRIMEM["Antimeridian",180],UNIT["degree",0.0174532925199433]]'
)


class BandSource(NamedTuple):
    """Where the pixels of one band of one date are.

    Attributes:
        name: name of the file or cube, for messages; printable.
        open: opens it as a raster.
        grid: names the file or cube, whose bands all lie on one grid.
        index: number of the band in the raster, from 1.
        crs: the projection that the user gives for rasters that name none.
        baseline: processing baseline of the ESA product that the raster belongs to, if any.
        dated_folder: name of the folder whose date counts, where the file's own name gives none.
    """

    name: str
    open: Callable[[], AbstractContextManager[DatasetReader]]
    grid: str
    index: int = 1
    crs: CRS | None = None
    baseline: ProcessingBaseline | None = None
    dated_folder: str | None = None


class Placement(NamedTuple):
    """Where the pixels of one file or cube lie.

    Attributes:
        name: name of the file or cube.
        sensor: `s1` or `s2`.
        crs: its projection.
        transform: from its pixels to coordinates.
        bounds: left, bottom, right, top in its projection.
        width: in pixels.
        height: in pixels.
        stored_crs: its projection as the file has it. `crs` differs across the antimeridian.
        stored_bounds: as `bounds`, in `stored_crs`.
        unused_crs: a projection that the user gives, and that is not the raster's own.
    """

    name: str
    sensor: str
    crs: CRS
    transform: Affine
    bounds: tuple[float, float, float, float]
    width: int
    height: int
    stored_crs: CRS
    stored_bounds: tuple[float, float, float, float]
    unused_crs: CRS | None = None

    @property
    def pixel_width(self) -> float:
        """In units of the projection, also where the pixels are rotated."""
        return float(np.hypot(self.transform.a, self.transform.d))

    @property
    def pixel_height(self) -> float:
        """In units of the projection, as `pixel_width`."""
        return float(np.hypot(self.transform.b, self.transform.e))


def utm_zone(crs: CRS) -> tuple[int, bool] | None:
    """The number of a UTM zone on WGS 84, and whether it is the southern one; else None."""
    code = crs.to_epsg()
    if code is not None and 32601 <= code <= 32660:
        return code - 32600, False
    if code is not None and 32701 <= code <= 32760:
        return code - 32700, True
    return None


def placement_of(sensor: str, source: BandSource) -> Placement:
    """Open a source to read where its pixels lie.

    Raises:
        ImportAreaError: it cannot be opened, or does not say where on the earth its pixels lie.
    """
    name = source.grid if source.grid.isprintable() else source.name
    try:
        with source.open() as raster:
            own_crs = raster.crs
            place = raster.transform
            height, width = raster.shape
            has_ground_points = bool(raster.gcps[0])
    except (RasterioError, CRSError, ValueError, OSError) as error:
        if isinstance(error, MultiSenGEError):
            raise
        raise ImportAreaError(f"{name} cannot be read: {error}") from None
    crs = own_crs or source.crs
    unused_crs = source.crs if own_crs and own_crs != source.crs else None
    _check_placed(name, crs, place, has_ground_points)
    stored_bounds = _bounds(place, width, height)
    stored_crs = crs
    crs, place = without_jump(crs, place, width)
    bounds = _bounds(place, width, height)
    return Placement(
        name, sensor, crs, place, bounds, width, height, stored_crs, stored_bounds, unused_crs
    )


def _bounds(place: Affine, width: int, height: int) -> tuple[float, float, float, float]:
    """Left, bottom, right, top; from all corners, as rows may run north and columns west."""
    corners = [place * corner for corner in product((0, width), (0, height))]
    left, bottom = np.min(corners, axis=0)
    right, top = np.max(corners, axis=0)
    return left, bottom, right, top


def _check_placed(name: str, crs: CRS | None, place: Affine, has_ground_points: bool) -> None:
    """Refuse a source that does not say where on the earth its pixels lie."""
    if crs is None and has_ground_points:
        raise ImportAreaError(
            f"{name} is not terrain-corrected: it has ground control points instead of a "
            "projection, as ESA delivers Sentinel-1 GRD; correct it with SNAP (Range-Doppler "
            "Terrain Correction) or S1Tiling before"
        )
    if crs is None:
        raise ImportAreaError(
            f"{name} names no projection: say it with --crs, such as --crs EPSG:32631"
        )
    if not (crs.is_projected or crs.is_geographic):
        raise ImportAreaError(
            f"{name} lies in a local projection, which has no place on the earth: warp it to UTM"
        )
    if not np.isfinite(place[:6]).all() or place.is_degenerate:
        raise ImportAreaError(
            f"{name} says in no usable way where its pixels lie ({list(place)[:6]}): give it a "
            "geotransform"
        )
    if place == Affine.identity():  # what GDAL gives where a file says nothing
        raise ImportAreaError(
            f"{name} does not say where its pixels lie, it has no geotransform: give it one, such "
            "as with gdal_edit.py -a_ullr, or export it again"
        )


def without_jump(crs: CRS, place: Affine, width: int) -> tuple[CRS, Affine]:
    """Give a raster in degrees that reaches past the antimeridian coordinates without a jump.

    Its longitudes run past 180, and GDAL looks for such places at -180. Counted from the meridian
    of 180 degrees, they are small numbers of either sign.

    Args:
        crs: projection of the raster.
        place: from pixels to coordinates.
        width: width of the raster in pixels.

    Returns:
        The same two, or a projection and transform that count from the antimeridian.
    """
    edges = sorted([place.c, place.c + place.a * width])
    if crs.is_geographic and edges[1] > 180:
        return _FROM_ANTIMERIDIAN, Affine.translation(-180, 0) * place
    if crs.is_geographic and edges[0] < -180:
        return _FROM_ANTIMERIDIAN, Affine.translation(180, 0) * place
    return crs, place
