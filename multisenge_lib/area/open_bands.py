"""A band of an image as if it lay on the target grid, and its values in the units of the layout."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

import numpy as np
from rasterio.dtypes import in_dtype_range
from rasterio.enums import Resampling
from rasterio.errors import RasterioError
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window

from multisenge_lib.area.acquisitions import BandSource, both_give
from multisenge_lib.area.target_grid import TargetGrid, lies_on_grid, utm_zone, without_jump
from multisenge_lib.dataset import (
    LARGEST_UINT16,
    PIXEL,
    THEIA_NO_DATA,
    alpha_bands,
    apply_tags,
    is_tagged,
    type_problem,
)
from multisenge_lib.errors import ImportAreaError, MultiSenGEError

S1Unit = Literal["linear", "db", "dn"]
#: Values that mark no data in signed reflectance, with a tag or without: MAJA's, which THEIA uses,
#: HLS' and the smallest 16-bit value.
_SIGNED_FILL = (THEIA_NO_DATA, -9999, -32768)
#: Pixels below this share of 10 m are finer than the grid's; 10 m with rounding errors are not.
FINER = 0.99
#: Share of their mean by which files of one date may differ where they overlap. We assume that
#: neighbouring tiles, each corrected for its own atmosphere, differ by less than other processings.
_LARGEST_DEVIATION = 0.05
#: Reflectance x 10,000 by which they may differ in any case: on dark water this is a large share.
_SMALL_DIFFERENCE = 100


@dataclass(frozen=True)
class InputUnits:
    """How stored values become those of the layout.

    Attributes:
        s1: `linear`, `db`, or `dn`, digital numbers n that mean 20 log10(n) - 83 decibel; None
            where it is not known: linear, refused where the values contradict it.
        s2_scale: what reflectance is multiplied with, 10,000 where it is from 0 to 1. By default
            as scale tags say, else 1.
        s2_offset: what is added before. By default as the product's processing baseline or offset
            tags say, else 0.
        no_data: a value that means no data in images, where they carry no tag.
    """

    s1: S1Unit | None = None
    s2_scale: float | None = None
    s2_offset: float | None = None
    no_data: float | None = None

    @property
    def says_reflectance(self) -> bool:
        """Whether the user says how reflectance is stored, which counts more than tags."""
        return self.s2_scale is not None or self.s2_offset is not None


@dataclass
class Overlap:
    """How well files of one date agree where they overlap, in the values of the layout.

    Stored values would not do: the share by which they differ depends on the unit and the offset.

    Attributes:
        to_values: makes values of stored values `(height, width)`.
        tolerated: a mean difference that is never too large.
        magnitude: sum of the absolute values of the file that counts.
        difference: sum of the absolute differences of the others from it.
        pixels: how many were compared.
    """

    to_values: Callable[[np.ndarray], np.ndarray]
    tolerated: float
    magnitude: float = 0
    difference: float = 0
    pixels: int = 0

    def add(self, counts: np.ndarray, other: np.ndarray) -> None:
        """Compare stored values of two files at pixels that both hold: `(pixels,)` each."""
        values = self.to_values(counts[None]).astype(np.float64)
        self.magnitude += float(np.abs(values).sum())
        self.difference += float(np.abs(self.to_values(other[None]) - values).sum())
        self.pixels += counts.size

    @property
    def deviation(self) -> float:
        """The mean difference as a share of the mean value; 0 where it is tolerated."""
        if self.difference <= self.tolerated * self.pixels:
            return 0
        return self.difference / self.magnitude if self.magnitude else np.inf


@dataclass(frozen=True)
class OpenBand:
    """A band as if it lay on the target grid, and what its stored values mean.

    Attributes:
        source: where it comes from.
        raster: on the target grid.
        no_data: stored values that mean no data, NaN possibly among them.
        scale: value of the scale tag, else 1.
        offset: value of the offset tag, else 0.
        others: the same band in files beside this one, which count where it holds no data.
        overlaps: of each of the others, how well it agrees with what counts before it, in what was
            read so far. Each window must be read once.
    """

    source: BandSource
    raster: WarpedVRT
    no_data: tuple[float, ...]
    scale: float
    offset: float
    others: tuple["OpenBand", ...] = ()
    overlaps: tuple[Overlap, ...] = ()

    @property
    def has_tags(self) -> bool:
        """Whether scale or offset tags change its values."""
        return is_tagged([self.scale], [self.offset])

    def read(self, window: Window) -> np.ndarray:
        """Stored values of a window: `(height, width)`."""
        stored = self._read_file(window)
        for other, overlap in zip(self.others, self.overlaps, strict=True):
            missing = self.marked(stored)
            stored_there = other._read_file(window)
            missing_there = other.marked(stored_there)
            both = ~missing & ~missing_there & (stored != 0) & (stored_there != 0)
            overlap.add(stored[both], stored_there[both])
            # 0 may be no data or dark. A file with no data there is no reason to give it up.
            dark = (stored == 0) & ~missing_there & (stored_there != 0)
            stored = np.where((missing & ~missing_there) | dark, stored_there, stored)
        return stored

    def _read_file(self, window: Window) -> np.ndarray:
        """Stored values of this file, without those beside it."""
        try:
            return self.raster.read(self.source.index, window=window)
        except (RasterioError, OSError) as error:
            cause = error.__cause__ or error
            raise ImportAreaError(
                f"{self.source.name} cannot be read ({cause}): it is cut short or damaged, fetch "
                "it again"
            ) from None

    def marked(self, stored: np.ndarray) -> np.ndarray:
        """Where stored values say no data by themselves: `(height, width) bool`."""
        marked = np.zeros(stored.shape, bool)
        for value in self.no_data:
            if value == 0:
                continue  # 0 in some bands alone is dark, not missing
            marked |= np.isnan(stored) if np.isnan(value) else stored == value
        if stored.dtype.kind == "f":
            marked |= ~np.isfinite(stored)
        return marked


def _fill_value(raster: Any, source: BandSource, sensor: str, units: InputUnits) -> float:
    """What is no data in a band without a tag, so that resampling mixes it into no neighbour.

    In this order: what the user says; a usual value that the band holds; 0, which lies around
    ESA's products.
    """
    dtype = raster.dtypes[source.index - 1]
    if units.no_data is not None and in_dtype_range(units.no_data, dtype):
        return units.no_data
    if dtype == "uint16":
        candidates = (LARGEST_UINT16,)
    elif sensor == "s2" and np.dtype(dtype).kind in "if":
        candidates = _SIGNED_FILL
    else:
        return 0
    for _, window in raster.block_windows(source.index):
        block = raster.read(source.index, window=window)
        for candidate in candidates:
            if (block == candidate).any():
                return candidate
    return 0


def _resampling(raster: Any, grid: TargetGrid) -> Resampling:
    """Nearest on the grid itself, mean of finer pixels, bilinear between coarser ones."""
    if lies_on_grid(raster.transform, raster.crs, grid.crs):
        return Resampling.nearest
    zone = utm_zone(raster.crs)
    in_metres = zone is not None and zone[0] == utm_zone(grid.crs)[0]
    # Bilinear looks at four neighbours only, and would leave out most of the finer pixels.
    if in_metres and raster.res[0] < FINER * PIXEL:
        return Resampling.average
    return Resampling.bilinear


@contextmanager
def warped(raster: Any, grid: TargetGrid, **options: Any) -> Iterator[WarpedVRT]:
    """Open a raster as if it lay on a grid; options go to rasterio's `WarpedVRT`."""
    place = {
        "crs": grid.crs,
        "transform": grid.transform,
        "width": grid.width,
        "height": grid.height,
    }
    crs, transform = without_jump(raster.crs, raster.transform, raster.width)
    if crs != raster.crs:
        options |= {"src_crs": crs, "src_transform": transform}
    alpha = alpha_bands(raster)
    if alpha:
        options["src_alpha"] = alpha[0]  # what it hides becomes no data
    with WarpedVRT(raster, **place, **options) as on_grid:
        yield on_grid


@contextmanager
def open_band(
    source: BandSource, sensor: str, grid: TargetGrid, units: InputUnits
) -> Iterator[OpenBand]:
    """Open a band of an image on the target grid, with the files that lie beside it.

    Raises:
        ImportAreaError: it cannot be opened, or is of a type that no image has.
    """
    with ExitStack() as stack:
        first = stack.enter_context(_open_file(source, sensor, grid, units))
        others = [
            stack.enter_context(_open_file(other, sensor, grid, units)) for other in source.others
        ]
        convert = reflectance if sensor == "s2" else backscatter
        to_values = partial(convert, band=first, units=units)
        tolerated = _SMALL_DIFFERENCE if sensor == "s2" else 0
        overlaps = tuple(Overlap(to_values, tolerated) for _ in others)
        yield replace(first, others=tuple(others), overlaps=overlaps)


@contextmanager
def _open_file(
    source: BandSource, sensor: str, grid: TargetGrid, units: InputUnits
) -> Iterator[OpenBand]:
    position = source.index - 1
    with ExitStack() as stack:
        try:
            raster = stack.enter_context(source.open())
            if raster.crs is None:
                raster = stack.enter_context(WarpedVRT(raster, src_crs=source.crs, crs=source.crs))
            problem = type_problem([raster.dtypes[position]], sensor)
            if problem is not None:
                raise ImportAreaError(f"{source.name} {problem}")
            resampling = _resampling(raster, grid)
            tag = raster.nodatavals[position]
            fill = tag
            if tag is None and resampling == Resampling.nearest:
                fill = 0  # nothing is mixed, so no value needs to be looked for
            elif tag is None:
                fill = _fill_value(raster, source, sensor, units)
            on_grid = stack.enter_context(
                warped(raster, grid, resampling=resampling, src_nodata=fill, nodata=fill)
            )
        except MultiSenGEError:
            raise
        except (RasterioError, OSError, ValueError) as error:
            raise ImportAreaError(f"{source.name} cannot be read: {error}") from None
        marks = _marks_of_no_data(fill, np.dtype(raster.dtypes[position]), sensor, units)
        scale = raster.scales[position]
        offset = raster.offsets[position]
        yield OpenBand(source, on_grid, marks, scale, offset)


def _marks_of_no_data(
    fill: float, dtype: np.dtype, sensor: str, units: InputUnits
) -> tuple[float, ...]:
    """All stored values that mean no data in a band on the grid.

    Only `fill` is kept out of resampling. The others are found where nothing was mixed, as on the
    grid itself.
    """
    marks = {fill}
    if units.no_data is not None:
        marks.add(units.no_data)
    if dtype == np.uint16:
        marks.add(LARGEST_UINT16)
    if sensor == "s2" and dtype.kind in "if":
        marks.update(_SIGNED_FILL)
    return tuple(marks)


def check_overlap(band: OpenBand, name: str, day: np.datetime64) -> None:
    """Refuse files of one date that overlap and differ, after all of them were read.

    Raises:
        ImportAreaError: which of them is right is in doubt.
    """
    for other, overlap in zip(band.others, band.overlaps, strict=True):
        if overlap.deviation > _LARGEST_DEVIATION:
            problem = f"and differ by {overlap.deviation:.0%} where they overlap"
            raise both_give(band.source, other.source, name, day, problem)


def reflectance(stored: np.ndarray, band: OpenBand, units: InputUnits) -> np.ndarray:
    """Reflectance x 10,000 as `float32`, of stored values `(height, width)`.

    What the user says counts before tags, and tags before the processing baseline. A scale tag
    alone says nothing of the offset, so the baseline's is added then.
    """
    if units.says_reflectance:
        scale = 1 if units.s2_scale is None else units.s2_scale
        offset = units.s2_offset or 0
        return (stored.astype(np.float32) + offset) * scale
    values = stored.astype(np.float32)
    if band.has_tags:
        values = apply_tags(stored[None], "s2", [band.scale], [band.offset])[0]
    if band.source.baseline is not None and band.offset == 0:
        values = values + np.float32(band.source.baseline.offset)
    return values


def offset_of(band: OpenBand, units: InputUnits) -> float:
    """The offset that `reflectance` applies: as the user, the baseline or the tag gives it."""
    if units.says_reflectance:
        return units.s2_offset or 0
    baseline = band.source.baseline
    if band.offset == 0 and baseline is not None:
        return baseline.offset
    return band.offset


def backscatter(stored: np.ndarray, band: OpenBand, units: InputUnits) -> np.ndarray:
    """Linear intensity as `float32`, of stored values `(height, width)`."""
    values = stored.astype(np.float64)
    if band.has_tags:
        values = values * band.scale + band.offset
    with np.errstate(over="ignore", invalid="ignore"):  # what overflows is refused afterwards
        if units.s1 == "db":
            values = 10 ** (values / 10)
        elif units.s1 == "dn":
            values = values**2 * 10**-8.3
        return values.astype(np.float32)
