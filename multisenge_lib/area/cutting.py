"""From images as they are to patches of the layout: grid, units, no data, names, files.

Pixels of 10 m on the grid of the Sentinel-2 tiles; reflectance x 10,000, linear backscatter, 0 for
no data. Files are read in strips as high as a patch, so that their size needs no memory; of a cube
all bands of a date are held.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import mgrs
import numpy as np
import rasterio
from rasterio.crs import CRS
from rasterio.dtypes import in_dtype_range
from rasterio.enums import Resampling
from rasterio.errors import CRSError, RasterioError
from rasterio.transform import from_origin
from rasterio.vrt import WarpedVRT
from rasterio.warp import transform_bounds
from rasterio.windows import Window

from multisenge_lib.area.sources import Acquisition, Band
from multisenge_lib.dataset import (
    BACKSCATTER_FLOOR,
    LABELS,
    PIXEL,
    guess_band_order,
    has_red_edge,
    is_north_up_10m,
    label_bytes,
    pixel_problems,
    raster_bytes,
    raster_path,
    tile_corner,
)
from multisenge_lib.errors import ImportAreaError, MultiSenGEError

S1Unit = Literal["linear", "db", "dn"]
_NO_VALUE = np.iinfo(np.uint16).max
#: Share of a patch's pixels that must hold data, for a date to be one of the patch.
_SEEN = 0.5
#: Metres that an area reaches, at most: two tiles.
_FAR = 220_000


@dataclass(frozen=True)
class InputUnits:
    """How stored values become those of the layout.

    Attributes:
        s1: `linear`, `db`, or `dn`, digital numbers n with 20 log10(n) - 83 decibel; None where
            nothing was said: linear, refused where it does not look so.
        s2_scale: what reflectance is multiplied with, 10,000 where it is from 0 to 1.
        s2_offset: what is added before, -1000 for ESA's products of processing baseline
            04.00 and later, `N0400` in their names, whatever their date.
        no_data: a value that means no data in images, where they carry no tag.
    """

    s1: S1Unit | None = None
    s2_scale: float = 1
    s2_offset: float = 0
    no_data: float | None = None


class TargetGrid(NamedTuple):
    """The pixels of 10 m between the outermost edges of all sources, in one UTM zone."""

    crs: CRS
    west: int
    north: int
    width: int
    height: int


def _zone(crs: CRS, bounds: Sequence[float]) -> CRS:
    """The projection itself where it is a UTM zone, else the zone of the middle."""
    code = crs.to_epsg()
    if code and (32601 <= code <= 32660 or 32701 <= code <= 32760):
        return CRS.from_epsg(code)
    west, south, east, north = transform_bounds(crs, 4326, *bounds)
    tile = mgrs.MGRS().toMGRS((south + north) / 2, (west + east) / 2, MGRSPrecision=0)
    return CRS.from_epsg(tile_corner(tile.zfill(5))[2])


def _aligned(source: Any, crs: CRS) -> bool:
    at = source.transform
    off = max(abs(v / PIXEL - round(v / PIXEL)) for v in (at.c, at.f))
    return source.crs == crs and is_north_up_10m(at, crs) and off < 1e-3


def find_area(
    acquisitions: Sequence[Acquisition], units: InputUnits, said: list[str]
) -> TargetGrid:
    """The union of all sources, with no data where one reaches less far; resampling is told."""
    crs, corners, other, uneven = None, [], [], []
    one_of_each = {band.grid: (a.sensor, band) for a in acquisitions for band in a.bands.values()}
    for name, (sensor, band) in one_of_each.items():
        try:
            with band.open() as source:
                if source.crs is None:
                    raise ImportAreaError(f"{name} names no projection: give it one")
                crs = crs or _zone(source.crs, source.bounds)
                corners.append(transform_bounds(source.crs, crs, *source.bounds))
                if not _aligned(source, crs):
                    (across, down), at = source.res, source.transform
                    corner = f"{across:g} x {down:g} from {at.c:.10g}, {at.f:.10g}"
                    other.append(f"{name} ({source.crs}, {corner})")
                    if sensor == "s1" and units.s1 in ("db", "dn"):
                        uneven.append(name)
        except (RasterioError, CRSError) as error:
            raise ImportAreaError(f"{name} cannot be read or placed: {error}") from None
    (west, south), (east, north) = np.min(corners, axis=0)[:2], np.max(corners, axis=0)[2:]
    if not (east - west < _FAR and north - south < _FAR):  # so written, infinity is refused too
        raise ImportAreaError(
            f"the images reach from {west:.0f} E {south:.0f} N to {east:.0f} E {north:.0f} N in "
            f"{crs}, more than {_FAR / 1000:.0f} km: import places far apart by themselves"
        )
    if other:
        said.append(
            f"{len(other)} rasters lie on another grid and are resampled to pixels of {PIXEL} m in "
            f"{crs} (mean of finer pixels, bilinear between coarser ones), such as {other[0]}"
        )
    if uneven:
        said.append(
            f"{len(uneven)} of them hold {units.s1} and are resampled as stored, which darkens by "
            f"up to 0.4 dB, such as {uneven[0]}: warp them in linear units before"
        )
    left, top = np.ceil(np.array([west, -north]) / PIXEL - 1e-3).astype(int).tolist()
    right, bottom = np.floor(np.array([east, -south]) / PIXEL + 1e-3).astype(int).tolist()
    return TargetGrid(crs, PIXEL * left, -PIXEL * top, right - left, bottom - top)


def _untagged(source: Any, index: int, units: InputUnits) -> float:
    """What is no data in a band without a tag: as said, 65535 where it holds that, else 0."""
    dtype = source.dtypes[index - 1]
    if units.no_data is not None and in_dtype_range(units.no_data, dtype):
        return units.no_data
    windows = (window for _, window in source.block_windows(index) if dtype == "uint16")
    held = any((source.read(index, window=window) == _NO_VALUE).any() for window in windows)
    return _NO_VALUE if held else 0  # 0 lies around ESA's products


@contextmanager
def _on_grid(
    band: Band, area: TargetGrid, units: InputUnits, classes: bool = False
) -> Iterator[WarpedVRT]:
    """A band as if it lay on the area's grid; class ids and no data are never mixed."""
    with band.open() as source:
        finer = not classes and source.res[0] < 0.99 * PIXEL and source.crs == area.crs
        resampling = Resampling.average if finer else Resampling.bilinear
        if classes or _aligned(source, area.crs):
            resampling = Resampling.nearest
        no_data = source.nodatavals[band.index - 1]
        if no_data is None:
            mixed = resampling != Resampling.nearest
            no_data = _untagged(source, band.index, units) if mixed else 0
        place = from_origin(area.west, area.north, PIXEL, PIXEL)
        grid = {"crs": area.crs, "transform": place, "width": area.width, "height": area.height}
        empty = {"src_nodata": no_data, "nodata": no_data}
        with WarpedVRT(source, resampling=resampling, **grid, **empty) as warped:
            yield warped


def _missing(pixels: np.ndarray, tags: Sequence[float | None], units: InputUnits) -> np.ndarray:
    """Where any band is tagged no data, or all are 0: `(height, width)`."""
    missing = ~pixels.any(axis=0)
    for band, tag in zip(pixels, tags, strict=True):
        for value in (tag, units.no_data, _NO_VALUE if band.dtype == np.uint16 else None):
            if value:  # 0 in some bands alone is dark, not missing
                missing |= np.isnan(band) if np.isnan(value) else band == value
        if band.dtype.kind == "f":
            missing |= ~np.isfinite(band)
    return missing


def _to_s2(pixels: np.ndarray, missing: np.ndarray, units: InputUnits, source: str) -> np.ndarray:
    values = (np.where(missing, 0, pixels).astype(np.float32) + units.s2_offset) * units.s2_scale
    values = np.where(missing, 0, np.clip(np.rint(values), 1, _NO_VALUE - 1))
    if values.any() and not (values.max() >= 100 and np.median(values[:, ~missing]) < 20_000):
        raise ImportAreaError(
            f"{source}: with this scale and offset reflectance x 10,000 is around "
            f"{np.median(values[:, ~missing]):.0f}, land is between 100 and 10,000; where it is "
            "stored from 0 to 1 give --s2-scale 10000"
        )
    return values.astype(np.uint16)


def _to_s1(pixels: np.ndarray, missing: np.ndarray, units: InputUnits, source: str) -> np.ndarray:
    stored = pixels.astype(np.float64)
    seen = stored[:, ~missing]
    if units.s1 == "db":
        if seen.size and seen.min() >= 0:
            raise ImportAreaError(
                f"{source}: no value is negative, decibels of land are: not --s1-unit db"
            )
        stored = 10 ** (stored / 10)
    elif units.s1 == "dn":
        stored = stored**2 * 10**-8.3
    values = np.where(missing, 0, stored).astype(np.float32)
    problems = list(pixel_problems(values, "s1")) if seen.size else []
    if seen.size and not problems and values.max() < BACKSCATTER_FLOOR:
        problems.append("holds nothing above -50 dB")
    for problem in problems:
        raise ImportAreaError(
            f"{source} {problem}; say how it is stored: --s1-unit db, linear, or dn for digital "
            "numbers n with 20 log10(n) - 83 dB"
        )
    return values


def _check_order(pixels: np.ndarray, bands: Sequence[str], source: str) -> None:
    if has_red_edge(bands) and guess_band_order(np.moveaxis(pixels, 0, -1)) == "resolution":
        raise ImportAreaError(
            f"{source}: read as {', '.join(bands)}, vegetation has no red edge: the bands are in "
            "another order; name them, or mend --s2-bands"
        )


def patch_name(crs: CRS, west: int, north: int) -> str:
    """The name of the patch with this upper-left corner, in the tile that holds it.

    Raises:
        ImportAreaError: the corner lies outside the zone of the projection.
    """
    hemisphere, zone = divmod(crs.to_epsg() - 32600, 100)
    corner = zone, "NS"[hemisphere], west + 1, north - 1
    with suppress(mgrs.core.MGRSError, MultiSenGEError):
        tile = mgrs.MGRS().UTMToMGRS(*corner, MGRSPrecision=0).zfill(5)
        left, top, epsg = tile_corner(tile)
        x, y = (west - left) // PIXEL, (top - north) // PIXEL
        if epsg == crs.to_epsg() and min(x, y) >= 0:
            return f"{tile}_{x}_{y}"
    raise ImportAreaError(
        f"the area reaches beyond UTM zone {zone} at {west} E {north} N: import the parts of each "
        "zone by themselves"
    )


class PatchWriter:
    """Cuts one acquisition after the other into patches below a folder, and keeps the dates."""

    def __init__(self, folder: Path, area: TargetGrid, size: int, units: InputUnits):
        self.folder, self.area, self.size, self.units = folder, area, size, units
        self.rows = range(0, area.height - size + 1, size)
        self.columns = range(0, area.width - size + 1, size)
        self.dates: dict[str, dict[str, list]] = defaultdict(lambda: {"s1": [], "s2": []})
        self.classes: dict[str, list[int]] = {}
        self.left_out = 0

    def _strips(self, bands: Sequence[Band], classes: bool = False) -> Iterator[tuple]:
        """For each row of patches: the row, its pixels of all bands, and where they are missing."""
        units = InputUnits() if classes else self.units
        with ExitStack() as stack:
            opened = [stack.enter_context(_on_grid(b, self.area, units, classes)) for b in bands]
            tags = [vrt.nodatavals[b.index - 1] for vrt, b in zip(opened, bands, strict=True)]
            for row in self.rows:
                window = Window(0, row, self.area.width, self.size)
                pixels = np.stack(
                    [v.read(b.index, window=window) for v, b in zip(opened, bands, strict=True)]
                )
                yield row, pixels, _missing(pixels, tags, units)

    def _patches(self, row: int, pixels: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
        for column in self.columns:
            west, north = self.area.west + PIXEL * column, self.area.north - PIXEL * row
            part = pixels[:, :, column : column + self.size]
            yield patch_name(self.area.crs, west, north), part

    def _write(self, kind: str, patch: str, day: Any, *raster: Any, **options: Any) -> None:
        path = raster_path(self.folder, kind, patch, day)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(raster_bytes(patch, *raster, **options))

    def cut(self, acquisition: Acquisition, bands: Sequence[str]) -> float:
        """Write an acquisition's patches; the share of its pixels without data.

        Where it covers less than half of a patch, the patch has no such date; see `left_out`.
        """
        sensor, sources, lost = acquisition.sensor, [acquisition.bands[b] for b in bands], []
        for row, pixels, missing in self._strips(sources):
            if sensor == "s2":
                missing |= (pixels <= 0).all(axis=0)  # THEIA writes -10000 for no data
                values = _to_s2(pixels, missing, self.units, sources[0].source)
                _check_order(values, bands, sources[0].source)
            else:
                values = _to_s1(pixels, missing, self.units, sources[0].source)
            lost.append(missing[:, : self.columns[-1] + self.size].mean())
            for patch, part in self._patches(row, values):
                seen = part.any(axis=0).mean()
                if seen >= _SEEN:
                    self._write(sensor, patch, acquisition.day, part, bands)
                    self.dates[patch][sensor].append(acquisition.day)
                elif seen:
                    self.left_out += 1
        return float(np.mean(lost))

    def _ids(self, path: Path) -> Iterator[tuple[int, np.ndarray]]:
        """For each row of patches: the row, and a reference's class ids, no data 0."""
        band = Band(str(path), lambda: rasterio.open(path), str(path))
        for row, pixels, missing in self._strips([band], classes=True):
            yield row, np.where(missing, 0, pixels)

    def labelled(self, path: Path, most: int) -> float:
        """The share of the area's pixels that a reference labels.

        Raises:
            ImportAreaError: none, or it holds other class ids.
        """
        shares = []
        for _, ids in self._ids(path):
            for problem in pixel_problems(ids, "reference", most):
                raise ImportAreaError(f"{path} {problem}; name other classes with --classes")
            shares.append(np.count_nonzero(ids) / ids.size)
        if not any(shares):
            raise ImportAreaError(f"{path} labels no pixel of the images: give one of their place")
        return float(np.mean(shares))

    def cut_reference(self, path: Path) -> None:
        """Write the reference, which `labelled` has checked, of the patches that have an image."""
        for row, ids in self._ids(path):
            for patch, part in self._patches(row, ids.astype(np.uint8)):
                if patch in self.dates:
                    self._write("reference", patch, None, part, ["class"], nodata=0)
                    self.classes[patch] = np.unique(part[part > 0]).tolist()

    def write_labels(self) -> None:
        """Write the label files of all patches."""
        (self.folder / LABELS).mkdir(exist_ok=True)
        for patch, dates in self.dates.items():
            label = label_bytes(patch, dates, self.classes.get(patch, []))
            (self.folder / LABELS / f"{patch}.json").write_bytes(label)
