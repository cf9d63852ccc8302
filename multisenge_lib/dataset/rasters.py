"""Read the rasters of one patch, and every check on a raster, each once.

Three kinds of files make a patch: a Sentinel-2 raster a date (ten bands, 16-bit, reflectance x
10,000), a Sentinel-1 raster a date (VV and VH, float32, linear intensity) and one reference (class
ids 1 to 14). What is damaged or not of that layout is refused by name; nothing is mended silently.

No data becomes 0: what the raster's own tag calls so, and a negative value of a signed Sentinel-2
raster (THEIA writes -10000). The loss ignores it in the reference; in the images the pixels stay
in the series: the paper masks nothing, and its images have less than 10 % of clouds.
"""

import stat
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine
from rasterio.crs import CRS
from rasterio.errors import RasterioError
from rasterio.io import MemoryFile

from multisenge_lib.dataset.bands import band_positions, check_band_order
from multisenge_lib.dataset.grid import patch_bounds, tile_corner
from multisenge_lib.dataset.layout import (
    MULTISENGE,
    PIXEL,
    SENSORS,
    TILE_PIXELS,
    BandOrder,
    Dataset,
    raster_path,
    split_patch,
)
from multisenge_lib.dataset.root import dataset_of_root
from multisenge_lib.errors import BandOrderError, PatchError

_DTYPES = {
    "s1": ("float32", "float64"),
    "s2": ("uint16", "int16"),
    "reference": ("uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64"),
}
#: Without it GDAL lists the folder at each file opened: a million names in the published `s1/`.
GDAL = {"GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR"}
#: For files read into memory whole: uncompressed pixels are taken from there, past GDAL's cache.
#: Not for files on disk: one that is cut short while it is mapped would end the process.
READING = GDAL | {"GTIFF_VIRTUAL_MEM_IO": "YES"}
#: Metres that a patch may lie off the place that its name gives. The rule for a tile's corner is
#: inferred, so it is not held to the metre; the rasters of one patch are held to each other.
POSITION = 60
#: Linear intensity, 10 dB: no land lies above it in more than single pixels.
_TOO_BRIGHT = 10


@dataclass(frozen=True)
class Patch:
    """The series and the reference of one patch; what was not asked for is None.

    Attributes:
        s1: `(dates, height, width, 2) float32`, linear backscatter, VV and VH.
        s2: `(dates, height, width, 10) uint16`, reflectance x 10,000, in the order `S2_BANDS`.
        reference: `(height, width) uint8`, class ids 1 to 14, 0 for no data.
    """

    s1: np.ndarray | None
    s2: np.ndarray | None
    reference: np.ndarray | None


@dataclass(frozen=True)
class PatchOrigin:
    """Where a patch must lie: its zone's EPSG code, and its upper-left corner in metres."""

    epsg: int
    west: float
    north: float

    @classmethod
    def of(cls, patch: str) -> "PatchOrigin":
        """The place that a patch's name gives."""
        tile, x, y = split_patch(patch)
        west, _, _, north = patch_bounds(tile, int(x), int(y))
        return cls(tile_corner(tile)[2], west, north)


@dataclass(frozen=True)
class Raster:
    """One raster as stored, no data already 0.

    Attributes:
        pixels: `(bands, height, width)`; Sentinel-1 float32, else of the file's type.
        names: descriptions of the bands.
        transform: from its pixels to metres; the rasters of one patch share them.
    """

    pixels: np.ndarray
    names: tuple[str | None, ...]
    transform: Affine


def _layout_problems(source: Any, kind: str, dataset: Dataset) -> Iterator[str]:
    count = len(dataset.bands.get(kind, ("class",)))
    if source.count != count:
        yield f"has {source.count} bands, {kind} has {count}"
    dtypes = sorted(set(source.dtypes))
    if not set(dtypes) <= set(_DTYPES[kind]):
        wanted = " or ".join(_DTYPES[kind][:2])
        yield f"is {' and '.join(dtypes)}, {kind} is {wanted}"
    if source.width != source.height or source.width > TILE_PIXELS:
        yield f"has {source.height}x{source.width} pixels, a patch is square, within a tile"


def is_north_up_10m(place: Affine) -> bool:
    """Whether pixels are squares of 10 m, north up."""
    size = abs(place.a - PIXEL) < 1e-4 and abs(place.e + PIXEL) < 1e-4
    return size and not (place.b or place.d)


def _ground_problems(source: Any, ground: PatchOrigin) -> Iterator[str]:
    if source.crs is None:
        yield f"names no projection, it must lie in EPSG:{ground.epsg}"
    elif source.crs != CRS.from_epsg(ground.epsg):
        code = source.crs.to_epsg()
        lies = f"EPSG:{code}" if code else "a projection without EPSG code"
        yield f"lies in {lies}, its name says EPSG:{ground.epsg}"
    across, turn, west, turned, down, north = source.transform[:6]
    if turn or turned or down >= 0 or across <= 0:
        yield "is not north-up: its rows must run from north to south, its columns to the east"
    elif not is_north_up_10m(source.transform):
        yield f"has pixels of {across:g}x{-down:g} m, a patch has pixels of {PIXEL} m"
    elif max(abs(west - ground.west), abs(north - ground.north)) > POSITION:
        yield (
            f"begins at {west:.0f} E {north:.0f} N, its name says {ground.west:.0f} E "
            f"{ground.north:.0f} N"
        )


def _alignment_problems(source: Any, first: Raster) -> Iterator[str]:
    east, south = source.transform.c - first.transform.c, first.transform.f - source.transform.f
    if source.shape != first.pixels.shape[1:]:
        here, there = ("x".join(map(str, s)) for s in (source.shape, first.pixels.shape[1:]))
        yield f"has {here} pixels, the rasters of a patch are of one size, here {there}"
    elif max(abs(east), abs(south)) > 0.01 * PIXEL:
        yield (
            f"lies {east:g} m east and {south:g} m south of the patch's first raster; the rasters "
            "of a patch share their pixels"
        )


def _s1_problems(pixels: np.ndarray) -> Iterator[str]:
    low, high = pixels.min(), pixels.max()
    if not (np.isfinite(low) and np.isfinite(high)):
        yield "holds NaN or infinite values"
    elif low < 0:
        yield (
            f"holds negative values (least {low:.3g}), Sentinel-1 is linear intensity: convert "
            "from decibel with 10 ** (value / 10)"
        )
    elif high == 0:
        yield "is no data in every pixel"
    elif 2 * np.count_nonzero(pixels > _TOO_BRIGHT) > np.count_nonzero(pixels):
        yield (
            f"holds values around {np.median(pixels[pixels > 0]):.3g}, Sentinel-1 is linear "
            "intensity, on land below 10: digital numbers, or decibel with an offset? convert them"
        )


def _s2_problems(pixels: np.ndarray) -> Iterator[str]:
    high = pixels.max()
    if high <= 0:
        yield "is no data in every pixel"
    elif high == np.iinfo(np.uint16).max:
        yield "holds 65535, which is no reflectance: if it is no data, give the raster that tag"


def _reference_problems(pixels: np.ndarray, most: int) -> Iterator[str]:
    low, high = pixels.min(), pixels.max()
    if not (low >= 0 and high <= most):  # so written, NaN is refused too
        yield f"holds values from {low} to {high}, class ids are 1 to {most} and 0 for no data"
    elif pixels.dtype.kind == "f" and (pixels % 1).any():
        strange = pixels[pixels % 1 != 0][0]
        yield f"holds {strange:g}, class ids are whole numbers"


def pixel_problems(pixels: np.ndarray, kind: str, most: int = 14) -> Iterator[str]:
    """All that is wrong with `(bands, height, width)` values of the layout; a sentence each.

    They are in the layout's units, no data 0; `most` is the highest class id of a `reference`.
    """
    if kind == "reference":
        return _reference_problems(pixels, most)
    return _s1_problems(pixels) if kind == "s1" else _s2_problems(pixels)


def zero_no_data(pixels: np.ndarray, tags: Iterable[float | None]) -> None:
    """Set what a raster's tags call no data to 0, in place."""
    for tag in set(tags) - {None, 0}:
        pixels[np.isnan(pixels) if np.isnan(tag) else pixels == tag] = 0


def zero_invalid(pixels: np.ndarray, sensor: str, source: object) -> np.ndarray:
    """Pixels of any shape with no data 0: NaN, and of Sentinel-2 what is negative or infinite.

    Raises:
        PatchError: naming the source: Sentinel-1 is negative or infinite, no linear intensity.
    """
    if sensor == "s2":
        return np.maximum(np.nan_to_num(pixels, posinf=0), 0)
    pixels = np.nan_to_num(pixels.astype(np.float32, copy=False), posinf=np.inf)
    if pixels.size and not (pixels.min() >= 0 and np.isfinite(pixels.max())):
        raise PatchError(
            f"{source} holds {pixels.min():.3g} to {pixels.max():.3g}, Sentinel-1 is linear "
            "intensity: convert from decibel with 10 ** (value / 10), or import it"
        )
    return pixels


def valid_mask(series: Mapping[str, np.ndarray]) -> np.ndarray:
    """Where every date of every sensor has data: `(height, width) bool`.

    Args:
        series: by sensor `(dates, height, width, bands)`, in the layout's units. A pixel without
            data is 0 in all bands of Sentinel-2, where a dark one is 0 in some, or in any band of
            Sentinel-1.
    """
    seen = [(np.any if s == "s2" else np.all)(array > 0, axis=-1) for s, array in series.items()]
    return np.all([dates.all(axis=0) for dates in seen], axis=0)


def _read_pixels(source: Any, kind: str) -> Raster:
    """The pixels of an open raster; what its tag calls no data becomes 0."""
    image = np.empty((*source.shape, source.count), np.result_type(*source.dtypes))
    pixels = np.moveaxis(image, -1, 0)  # GDAL writes as series are kept: no transposition later
    source.read(out=pixels)
    zero_no_data(pixels, source.nodatavals)
    if kind == "s1":
        with np.errstate(over="ignore"):  # what float32 can't hold is infinite, and refused
            pixels = pixels.astype(np.float32, copy=False)
    elif kind == "s2" and pixels.dtype.kind == "i":
        np.maximum(pixels, 0, out=pixels)
    return Raster(pixels, source.descriptions, source.transform)


def file_problem(path: Path) -> str | None:
    """Why there is no file to open, as the system says it."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return "is missing"
    except OSError as error:
        return f"cannot be reached ({error.strerror})"
    if not stat.S_ISREG(status.st_mode):
        return "is not a file"
    return None if status.st_size else "is empty"


def why_unreadable(path: Path) -> str:
    """Why GDAL could not read a file that is there: its permissions, or what it holds."""
    try:
        with path.open("rb") as file:
            tiff = file.read(4) in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    return "cannot be read, truncated or damaged" if tiff else "is not a GeoTIFF"


def inspect_raster(
    path: Path,
    kind: str,
    ground: PatchOrigin,
    first: Raster | None = None,
    dataset: Dataset = MULTISENGE,
) -> tuple[list[str], Raster | None]:
    """Read one raster, and find all that is wrong with it, a sentence each.

    Args:
        path: of a GeoTIFF.
        kind: `s1`, `s2` or `reference`.
        ground: where it must lie.
        first: the patch's first raster, whose pixels it must share.
        dataset: gives its bands and class ids.

    Returns:
        Problems, and the raster, or None where it cannot be read or has other bands.
    """
    if problem := file_problem(path):
        return [problem], None
    problems = []
    try:
        with MemoryFile(path.read_bytes()) as memory, memory.open(driver="GTiff") as source:
            problems += (strange := list(_layout_problems(source, kind, dataset)))
            problems += _ground_problems(source, ground)
            if first is not None:
                problems += _alignment_problems(source, first)
            if strange:
                return problems, None
            raster = _read_pixels(source, kind)
    except (RasterioError, OSError, ValueError, MemoryError):  # ValueError: of a damaged name
        return [*problems, why_unreadable(path)], None
    return [*problems, *pixel_problems(raster.pixels, kind, len(dataset.published))], raster


def read_raster(path: Path, kind: str, *where: Any) -> Raster:
    """Read one raster, refusing the first thing that `inspect_raster` finds.

    Raises:
        PatchError: it is missing, damaged, or not of the published layout; one line.
    """
    problems, raster = inspect_raster(path, kind, *where)
    if not problems:
        return raster
    remedy = "fetch it again, or leave such patches out with on_error='skip'"
    if problems[0] == "is missing":
        remedy = "fetch it, or select among the files on disk with load_selection(root)"
    raise PatchError(f"{path} {problems[0]}: {remedy}")


def _ordered(
    path: Path, raster: Raster, sensor: str, order: BandOrder, dataset: Dataset
) -> np.ndarray:
    """`(height, width, bands)`, in the layout's order and type."""
    try:
        positions = band_positions(
            raster.names, lambda: raster.pixels, dataset.bands[sensor], sensor, order
        )
    except BandOrderError as error:
        raise BandOrderError(f"{path} {error}") from None
    in_order = positions == sorted(positions)  # then no copy is made
    pixels = np.moveaxis(raster.pixels if in_order else raster.pixels[positions], 0, -1)
    return pixels if sensor == "s1" else pixels.astype(np.uint16, copy=False)


def read_patch(
    root: Path | str,
    row: Any,
    sensors: Sequence[str] | None = None,
    band_order: BandOrder = "spectral",
    reference: bool = True,
    dataset: Dataset | None = None,
) -> Patch:
    """Read one patch, checking every raster.

    Args:
        root: the data root.
        row: of a selection: `patch`, `s1_dates`, `s2_dates`.
        sensors: which of `s1` and `s2` to read; by default those of the dataset.
        band_order: of Sentinel-2 files that do not name their bands; the names win where they are.
            An order that the vegetation in the file contradicts is refused.
        reference: whether to read the reference.
        dataset: of the root; by default as it describes itself.

    Raises:
        PatchError: a raster is missing, damaged, or not of the published layout; one line.
        BandOrderError: it is in doubt which band is which.

    Examples:
        >>> import multisenge_lib as ms
        >>> root = ms.find_data_root()
        >>> selection = ms.load_selection(root)
        >>> patch = ms.read_patch(root, selection.iloc[0])
        >>> patch.s2.shape  # dates, rows, columns, bands
        (4, 64, 64, 10)
        >>> patch.s1.shape
        (4, 64, 64, 2)
        >>> patch.reference.shape
        (64, 64)
    """
    check_band_order(band_order)
    dataset = dataset or dataset_of_root(root)
    ground, first, series = PatchOrigin.of(row.patch), None, defaultdict(list)
    files = [("reference", raster_path(root, "reference", row.patch))] if reference else []
    for sensor in dataset.sensors if sensors is None else sensors:
        days = getattr(row, f"{sensor}_dates")
        if days is None or not len(days):
            raise PatchError(f"{row.patch} has no {sensor} date selected: ask for other sensors")
        files += [(sensor, raster_path(root, sensor, row.patch, day)) for day in days]
    with rasterio.Env(**READING):
        for kind, path in files:
            raster = read_raster(path, kind, ground, first, dataset)
            first = first or raster
            if kind == "reference":
                classes = raster.pixels[0].astype(np.uint8)
            else:
                series[kind].append(_ordered(path, raster, kind, band_order, dataset))
    s1, s2 = (np.stack(series[s]) if s in series else None for s in SENSORS)
    return Patch(s1, s2, classes if reference else None)
