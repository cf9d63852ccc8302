"""Checks of a raster of a patch: can it be opened, does it have the layout, is it at its place?

Each check returns sentences that go on from the raster's name, such as "has 4 bands, s2 has 10:
write those". Whoever raises one of them puts the name of the raster in front. The
checks of values are in `plausibility`, and those of band names in `bands`.
"""

import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from affine import Affine
from rasterio.crs import CRS
from rasterio.errors import CRSError

from multisenge_lib.dataset.grid import patch_bounds, tile_corner
from multisenge_lib.dataset.layout import PIXEL, TILE_PIXELS, Dataset, parse_patch_name
from multisenge_lib.dataset.plausibility import type_problem
from multisenge_lib.dataset.projections import check_projections
from multisenge_lib.dataset.values import image_bands, is_tagged
from multisenge_lib.errors import MultiSenGEError

_DTYPES = {
    "s1": ("float32", "float64"),
    "s2": ("uint16", "int16"),
    "reference": ("uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64"),
}
#: Metres by which a patch may be shifted from the position in its name. The rule for a tile's
#: corner is inferred, so it is not held to the metre; the rasters of one patch are held to each
#: other.
_POSITION_TOLERANCE = 60
#: Metres that the rasters of one patch may lie off each other: a hundredth of a pixel, for corners
#: that were rounded.
_ALIGNMENT_TOLERANCE = 0.01 * PIXEL
#: GDAL's names of formats with a header beside the pixels that does not record how long the file of
#: the pixels must be.
_BARE_PIXELS = ("ENVI", "EHdr")
#: First bytes of a TIFF file: little and big endian, classic and BigTIFF.
_TIFF_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


@dataclass(frozen=True)
class PatchOrigin:
    """Where a patch must lie: the EPSG code of its zone, and its upper-left corner in metres."""

    epsg: int
    west: float
    north: float


def origin_of_patch(patch: str) -> PatchOrigin:
    """Compute where a patch must lie from its name, such as `31UEQ_7453_4112`.

    Raises:
        MultiSenGEError: there is no such tile.
    """
    tile, x, y = parse_patch_name(patch)
    west, _, _, north = patch_bounds(tile, int(x), int(y))
    epsg = tile_corner(tile)[2]
    return PatchOrigin(epsg, west, north)


def file_problem(path: Path) -> str | None:
    """Say why there is no file to open at a path; None where there is one.

    A pipe is never opened, since reading it would wait for ever. What to do about it depends on who
    asks, so the sentence has no remedy.
    """
    try:
        status = path.stat()
    except FileNotFoundError:
        return "is missing"
    except (OSError, ValueError) as error:  # ValueError: a name with a null character
        reason = getattr(error, "strerror", None) or error
        return f"cannot be reached ({reason})"
    if not stat.S_ISREG(status.st_mode):
        return "is not a file"
    if status.st_size == 0:
        return "is empty"
    return None


def length_problem(raster: Any) -> str | None:
    """Say that a file of bare pixels is shorter than its header says; None where it is not.

    GDAL fills what is missing with zeros and says nothing. Other formats notice it themselves.

    Args:
        raster: opened by rasterio.
    """
    if raster.driver not in _BARE_PIXELS:
        return None
    if raster.tags(ns="ENVI").get("file_compression", "0") != "0":
        return None
    pixel_bytes = sum(np.dtype(dtype).itemsize for dtype in raster.dtypes)
    expected = raster.width * raster.height * pixel_bytes
    there = Path(raster.name).stat().st_size
    if there >= expected:
        return None
    return f"is cut short, it has {there} of the {expected} bytes that its header says"


def remedy_for(error: Exception) -> str:
    """What to do about a raster that GDAL cannot read, by its error."""
    # Of an installation without a compression, such as JPEG XL; the file may be whole.
    if "missing codec" in str(error) or "missing codec" in str(error.__cause__):
        return (
            "this installation of GDAL lacks the compression; where another one has it, run "
            "gdal_translate -co COMPRESS=DEFLATE IN OUT"
        )
    return "fetch it again"


def why_unreadable(path: Path) -> str:
    """Say why GDAL could not read a file that is there: its permissions, or what it holds.

    Raises:
        MultiSenGEError: the file is not to blame, since projections cannot be looked up at all.
    """
    check_projections()
    try:
        with path.open("rb") as file:
            first_bytes = file.read(4)
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    if first_bytes in _TIFF_MAGIC:
        return "cannot be read, truncated or damaged"
    return "is not a GeoTIFF"


def in_metres(crs: CRS | None) -> bool:
    """Whether the coordinates of a projection are metres, not degrees or feet."""
    if crs is None or not crs.is_projected:
        return False
    try:
        _, metres = crs.linear_units_factor
    except CRSError:
        return False
    return abs(metres - 1) < 1e-9


def is_north_up_10m(transform: Affine, crs: CRS | None) -> bool:
    """Whether pixels are squares of 10 m, with north up.

    Args:
        transform: from pixels to coordinates.
        crs: the projection, since 10 degrees or 10 feet are not 10 m.
    """
    if transform.b or transform.d:  # turned
        return False
    right_size = abs(transform.a - PIXEL) < 1e-4 and abs(transform.e + PIXEL) < 1e-4
    return right_size and in_metres(crs)


def projection_of(epsg: int) -> CRS:
    """Look up a projection by its EPSG code.

    Raises:
        MultiSenGEError: PROJ does not work here. It is an error of the machine, not of a raster.
    """
    try:
        return CRS.from_epsg(epsg)
    except CRSError as error:
        check_projections()  # says which variable leads to another PROJ
        raise MultiSenGEError(f"PROJ cannot look up EPSG:{epsg} ({error})") from None


def layout_problems(source: Any, kind: str, dataset: Dataset) -> list[str]:
    """Compare bands, types and shape of an open raster with the layout.

    Args:
        source: from `rasterio.open`.
        kind: `s1`, `s2` or `reference`.
        dataset: gives the bands.
    """
    problems = []
    expected = len(dataset.bands.get(kind, ("class",)))
    bands = image_bands(source)
    if len(bands) != expected:
        problems.append(
            f"has {len(bands)} bands, {kind} has {expected}: write those, or list the bands that "
            "all rasters have under [bands] of dataset.toml"
        )

    dtypes = sorted({source.dtypes[band - 1] for band in bands})
    type_is_wrong = None if kind == "reference" else type_problem(dtypes, kind)
    tagged = kind != "reference" and is_tagged(source.scales, source.offsets)
    if type_is_wrong:
        problems.append(type_is_wrong)
    elif not set(dtypes) <= set(_DTYPES[kind]) and not tagged:
        allowed = " or ".join(_DTYPES[kind])
        problems.append(f"is {' and '.join(dtypes)}, {kind} is {allowed}: convert it")

    if source.width != source.height or source.width > TILE_PIXELS:
        problems.append(
            f"has {source.height}x{source.width} pixels, a patch is square, within a tile: cut it "
            "into patches, as `multisenge import` does"
        )
    return problems


def position_problems(source: Any, origin: PatchOrigin) -> list[str]:
    """Compare projection, pixel size and corner of an open raster with its patch's place."""
    problems = []
    projection = projection_of(origin.epsg)
    if source.crs is None:
        problems.append(
            f"names no projection, it must lie in EPSG:{origin.epsg}: write it into the file, as "
            f"`gdal_edit.py -a_srs EPSG:{origin.epsg}` does"
        )
    elif source.crs != projection:
        code = source.crs.to_epsg()
        received = f"EPSG:{code}" if code else "a projection without EPSG code"
        problems.append(
            f"lies in {received}, its name says EPSG:{origin.epsg}: warp it, or correct the tile "
            "in its name"
        )

    transform = source.transform
    is_turned = bool(transform.b or transform.d)
    off_east = abs(transform.c - origin.west)
    off_north = abs(transform.f - origin.north)
    # A wrong projection is reported above, so the size of pixels is judged as if it were right.
    right_size = is_north_up_10m(transform, projection)
    if is_turned or transform.e >= 0 or transform.a <= 0:
        problems.append(
            "is not north-up: its rows must run from north to south, its columns to the east: turn "
            "it with gdalwarp, which writes north up"
        )
    elif not right_size:
        problems.append(
            f"has pixels of {transform.a:g}x{-transform.e:g} m, a patch has pixels of {PIXEL} m: "
            "resample it, or import the images that it was cut from"
        )
    elif max(off_east, off_north) > _POSITION_TOLERANCE:
        problems.append(
            f"begins at {transform.c:.0f} E {transform.f:.0f} N, its name says "
            f"{origin.west:.0f} E {origin.north:.0f} N: correct the column and row in its name, or "
            "cut it there"
        )
    return problems


def alignment_problems(
    source: Any, first_shape: tuple[int, int], first_transform: Affine
) -> list[str]:
    """Compare the pixels of an open raster with those of the first raster of its patch.

    Args:
        source: from `rasterio.open`.
        first_shape: height and width of the first raster.
        first_transform: from its pixels to metres.
    """
    if source.shape != first_shape:
        size = "x".join(map(str, source.shape))
        expected = "x".join(map(str, first_shape))
        return [
            f"has {size} pixels, the rasters of a patch are of one size, here {expected}: cut them "
            "to one extent"
        ]
    east = source.transform.c - first_transform.c
    south = first_transform.f - source.transform.f
    if max(abs(east), abs(south)) > _ALIGNMENT_TOLERANCE:
        return [
            f"lies {east:g} m east and {south:g} m south of the patch's first raster; the rasters "
            "of a patch share their pixels: warp them to one grid"
        ]
    return []
