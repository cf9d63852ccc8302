"""A band of an image as if it lay on the target grid, and which stored values mean no data."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from rasterio.dtypes import in_dtype_range
from rasterio.enums import Resampling
from rasterio.errors import RasterioError
from rasterio.vrt import WarpedVRT
from rasterio.warp import transform
from rasterio.windows import Window

from multisenge_lib.area.band_source import BandSource, without_jump
from multisenge_lib.area.target_grid import TargetGrid, lies_on_grid
from multisenge_lib.area.units import Encoding, InputUnits
from multisenge_lib.dataset import (
    LARGEST_UINT16,
    LEAST_FILL_PIXELS,
    LOWEST_DECIBEL,
    NEIGHBOUR_DISTANCE,
    PIXEL,
    THEIA_NO_DATA,
    alpha_bands,
    remedy_for,
    type_problem,
)
from multisenge_lib.errors import ImportAreaError, MultiSenGEError

#: Values that mark no data in signed reflectance, with a tag or without: MAJA's, which THEIA uses,
#: HLS' and the smallest 16-bit value.
_SIGNED_FILL = (THEIA_NO_DATA, -9999, -32768)
#: No unit of reflectance or backscatter has such numbers; NetCDF's own value of no data is 1e37.
_ABOVE_ALL_UNITS = 1e9
#: Points along each edge of a raster, whose edges may be curved in another projection.
_OUTLINE_POINTS = 20
#: Pixels below this share of 10 m are finer than the grid's; 10 m with rounding errors are not.
FINER = 0.99


@dataclass(frozen=True)
class OpenBand:
    """A band as if it lay on the target grid, and what its stored values mean.

    Attributes:
        source: where it comes from.
        raster: on the target grid.
        no_data: stored values that mean no data; NaN always does.
        encoding: what its file says about stored values.
        outline: corners of the ground that its file shows, `(x, y)` in whole metres of the grid's
            zone, and further points between them.
    """

    source: BandSource
    raster: WarpedVRT
    no_data: tuple[float, ...]
    encoding: Encoding
    outline: tuple[tuple[float, float], ...]

    def read(self, window: Window) -> np.ndarray:
        """Stored values of a window: `(height, width)`.

        Raises:
            ImportAreaError: the file is damaged there.
        """
        try:
            return self.raster.read(self.source.index, window=window)
        except (RasterioError, OSError) as error:
            cause = error.__cause__ or error
            remedy = remedy_for(error)
            if remedy == "fetch it again":
                remedy = f"it is cut short or damaged, {remedy}"
            raise ImportAreaError(
                f"{self.source.name} cannot be read ({cause}): {remedy}"
            ) from None

    def marked(self, stored: np.ndarray) -> np.ndarray:
        """Where stored values say no data by themselves: `(height, width) bool`."""
        marked = np.zeros(stored.shape, bool)
        for value in self.no_data:
            if value == 0:
                continue  # 0 in some bands alone is dark, not missing
            marked |= stored == value
        if stored.dtype.kind == "f":
            marked |= ~np.isfinite(stored)
        return marked


def _number_in_all_bands(
    rasters: Sequence[Any], sources: Sequence[BandSource], sensor: str
) -> float | None:
    """Find a number that a program wrote into all bands where there is no data, without a tag.

    Such as -999. No sensor measures it, or it is a reflectance below 0, which differs between
    bands. It fills about the same share of each, and stands alone among the numbers near it.

    Returns:
        The number, or None.
    """
    limit = LOWEST_DECIBEL if sensor == "s1" else 0
    shares_by_band = []
    for raster, source in zip(rasters, sources, strict=True):
        if np.dtype(raster.dtypes[source.index - 1]).kind not in "if":
            return None
        shares_by_band.append(_lone_numbers(raster, source.index, limit))
    best = None
    largest_share = 0
    for number in set.intersection(*map(set, shares_by_band)):
        shares = [shares[number] for shares in shares_by_band]
        # Swaths of bands end beside each other, so their shares differ a little.
        if max(shares) < 2 * min(shares) and min(shares) > largest_share:
            best = number
            largest_share = min(shares)
    return best


def _lone_numbers(raster: Any, index: int, limit: float) -> dict[float, float]:
    """Numbers that no sensor measures and that fill many pixels while those near them fill few.

    Args:
        raster: an open raster.
        index: number of the band.
        limit: what is below it is looked at, and what is far above all units.

    Returns:
        For each number the share of the pixels that hold it.
    """
    counts: Counter[float] = Counter()
    for _, window in raster.block_windows(index):
        block = raster.read(index, window=window)
        is_looked_at = (block < limit) | (block > _ABOVE_ALL_UNITS)
        numbers, pixels = np.unique(block[is_looked_at], return_counts=True)
        repeated = pixels > 1  # single decimal numbers would fill the memory
        counts.update(dict(zip(numbers[repeated].tolist(), pixels[repeated].tolist(), strict=True)))
    numbers = np.array(sorted(counts), np.float64)
    pixels = np.array([counts[number] for number in numbers.tolist()])
    lone = {}
    for number, count in zip(numbers.tolist(), pixels.tolist(), strict=True):
        if count < LEAST_FILL_PIXELS:
            continue
        is_near = np.abs(numbers - number) <= NEIGHBOUR_DISTANCE
        if 2 * count > pixels[is_near].sum():
            lone[number] = count / (raster.width * raster.height)
    return lone


def _fill_value(
    raster: Any, source: BandSource, sensor: str, units: InputUnits, shared: float | None
) -> float:
    """What is no data in a band, so that resampling mixes it into no neighbour.

    In this order: the band's tag; what the user says, a number that all bands hold, or a usual
    value, if the band holds it; 0, which lies around ESA's products. NaN is no data in any case,
    so a tag of NaN says nothing of other values.
    """
    position = source.index - 1
    tag = raster.nodatavals[position]
    if tag is not None and not np.isnan(tag):
        return tag
    dtype = raster.dtypes[position]
    candidates = [units.no_data, shared]
    if dtype == "uint16":
        candidates.append(LARGEST_UINT16)
    elif sensor == "s2" and np.dtype(dtype).kind in "if":
        candidates += _SIGNED_FILL
    # Rounded as the raster stores it: GDAL compares -24.9 with the number next to it in 32 bits.
    candidates = [
        float(np.dtype(dtype).type(candidate))
        for candidate in candidates
        if candidate is not None and in_dtype_range(candidate, dtype)
    ]
    held = set()
    for _, window in raster.block_windows(source.index) if candidates else ():
        block = raster.read(source.index, window=window)
        held.update(candidate for candidate in candidates if (block == candidate).any())
        if candidates[0] in held:
            break
    for candidate in candidates:
        if candidate in held:
            return candidate
    return 0 if tag is None else tag


def pixel_metres(raster: Any, grid: TargetGrid) -> float:
    """Size of a raster's pixels in metres: the square root of the area of one, amid the grid.

    Raises:
        Exception: no way leads from the grid to the projection of the raster; GDAL's own errors
            are not rasterio's.
    """
    crs, place = without_jump(raster.crs, raster.transform, raster.width)
    middle = grid.transform * (grid.width / 2, grid.height / 2)
    (x,), (y,) = transform(grid.crs, crs, *([coordinate] for coordinate in middle))
    column, row = ~place * (x, y)
    corners = [place * corner for corner in ((column, row), (column + 1, row), (column, row + 1))]
    easts, norths = transform(crs, grid.crs, *zip(*corners, strict=True))
    across = np.hypot(easts[1] - easts[0], norths[1] - norths[0])
    down = np.hypot(easts[2] - easts[0], norths[2] - norths[0])
    return float(np.sqrt(across * down))


def _resampling(raster: Any, grid: TargetGrid) -> Resampling:
    """Nearest on the grid itself, mean of finer pixels, bilinear between coarser ones."""
    if lies_on_grid(raster.transform, raster.crs, grid.crs):
        return Resampling.nearest
    # GDAL's bilinear reaches 10 m to each side, into the ground of the neighbouring pixels.
    if pixel_metres(raster, grid) < FINER * PIXEL:
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
        # Rasterio asks for YES: no data of one band alone would be mixed into its neighbours.
        "UNIFIED_SRC_NODATA": "PARTIAL",
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
def bands_on_grid(
    sources: Sequence[BandSource], sensor: str, grid: TargetGrid, units: InputUnits
) -> Iterator[list[OpenBand]]:
    """Open the bands of an image on the target grid.

    Raises:
        ImportAreaError: one cannot be opened, or is of a type that no image has.
    """
    with ExitStack() as stack:
        rasters = []
        for source in sources:
            with _named(source):
                raster = stack.enter_context(source.open())
                if raster.crs is None:
                    unplaced = WarpedVRT(raster, src_crs=source.crs, crs=source.crs)
                    raster = stack.enter_context(unplaced)
                _check_header(raster, source, sensor)
                rasters.append(raster)
        shared = None
        pairs = list(zip(rasters, sources, strict=True))
        if any(_needs_fill(raster, source, grid) for raster, source in pairs):
            with _named(sources[0]):
                shared = _number_in_all_bands(rasters, sources, sensor)
        bands = []
        for raster, source in pairs:
            with _named(source):
                bands.append(_band_on_grid(stack, raster, source, sensor, grid, units, shared))
        yield bands


@contextmanager
def _named(source: BandSource) -> Iterator[None]:
    """Name the file in the errors of reading it."""
    try:
        yield
    except MultiSenGEError:
        raise
    except (RasterioError, OSError, ValueError) as error:
        raise ImportAreaError(f"{source.name} cannot be read: {error}") from None


def _check_header(raster: Any, source: BandSource, sensor: str) -> None:
    """Refuse a type that no image has, and tags that leave nothing of its values."""
    position = source.index - 1
    problem = type_problem([raster.dtypes[position]], sensor)
    if problem is not None:
        raise ImportAreaError(f"{source.name} {problem}")
    scale = raster.scales[position]
    if scale == 0 or not np.isfinite(scale):
        raise ImportAreaError(
            f"{source.name} has a scale tag of {scale:g}, which leaves nothing of its values: "
            "correct the tag, such as with gdal_edit.py -scale 0.0001"
        )
    offset = raster.offsets[position]
    if not np.isfinite(offset):
        raise ImportAreaError(
            f"{source.name} has an offset tag of {offset:g}, which leaves nothing of its values: "
            "correct the tag, such as with gdal_edit.py -offset 0"
        )


def _needs_fill(raster: Any, source: BandSource, grid: TargetGrid) -> bool:
    """Whether a band is mixed in resampling, and no tag names what must be kept out of it."""
    tag = raster.nodatavals[source.index - 1]
    says_nothing = tag is None or np.isnan(tag)
    return says_nothing and not lies_on_grid(raster.transform, raster.crs, grid.crs)


def _band_on_grid(
    stack: ExitStack,
    raster: Any,
    source: BandSource,
    sensor: str,
    grid: TargetGrid,
    units: InputUnits,
    shared: float | None,
) -> OpenBand:
    """One band on the grid; `shared` is a number that means no data in all bands."""
    position = source.index - 1
    tag = raster.nodatavals[position]
    if _needs_fill(raster, source, grid):
        fill = _fill_value(raster, source, sensor, units, shared)
    else:
        fill = 0 if tag is None else tag  # nothing is mixed, so no value needs to be looked for
    resampling = _resampling(raster, grid)
    on_grid = stack.enter_context(
        warped(raster, grid, resampling=resampling, src_nodata=fill, nodata=fill)
    )
    # What radar does not measure is refused where nothing says that it is no data.
    known = [tag, units.no_data, shared if sensor == "s2" else None]
    no_data = _marks_of_no_data(known, np.dtype(raster.dtypes[position]), sensor)
    encoding = Encoding(raster.scales[position], raster.offsets[position], source.baseline)
    return OpenBand(source, on_grid, no_data, encoding, _outline(raster, grid))


def _outline(raster: Any, grid: TargetGrid) -> tuple[tuple[float, float], ...]:
    """Points along the edges of a raster; see `OpenBand.outline`."""
    crs, place = without_jump(raster.crs, raster.transform, raster.width)
    along = np.linspace(0, 1, _OUTLINE_POINTS, endpoint=False)
    zeros = np.zeros_like(along)
    # Around the raster: right along the first row, down, left along the last row, and up.
    columns = raster.width * np.concatenate([along, zeros + 1, 1 - along, zeros])
    rows = raster.height * np.concatenate([zeros, along, zeros + 1, 1 - along])
    xs, ys = place * (columns, rows)
    eastings, northings = transform(crs, grid.crs, xs, ys)
    return tuple(zip(np.rint(eastings).tolist(), np.rint(northings).tolist(), strict=True))


def _marks_of_no_data(
    known: Iterable[float | None], dtype: np.dtype, sensor: str
) -> tuple[float, ...]:
    """All stored values that mean no data in a band on the grid.

    Only one of them is kept out of resampling. The others are found where nothing was mixed, as on
    the grid itself.
    """
    marks = {value for value in known if value is not None}
    if dtype == np.uint16:
        marks.add(LARGEST_UINT16)
    if sensor == "s2" and dtype.kind in "if":
        marks.update(_SIGNED_FILL)
    return tuple(marks)
