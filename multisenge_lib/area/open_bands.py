"""A band of an image as if it lay on the target grid, and which stored values mean no data."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from rasterio.dtypes import in_dtype_range
from rasterio.enums import Resampling
from rasterio.errors import RasterioError
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window

from multisenge_lib.area.band_source import BandSource, utm_zone, without_jump
from multisenge_lib.area.target_grid import TargetGrid, lies_on_grid
from multisenge_lib.area.units import Encoding, InputUnits
from multisenge_lib.dataset import (
    LARGEST_UINT16,
    PIXEL,
    THEIA_NO_DATA,
    alpha_bands,
    type_problem,
)
from multisenge_lib.errors import ImportAreaError, MultiSenGEError

#: Values that mark no data in signed reflectance, with a tag or without: MAJA's, which THEIA uses,
#: HLS' and the smallest 16-bit value.
_SIGNED_FILL = (THEIA_NO_DATA, -9999, -32768)
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
    """

    source: BandSource
    raster: WarpedVRT
    no_data: tuple[float, ...]
    encoding: Encoding

    def read(self, window: Window) -> np.ndarray:
        """Stored values of a window: `(height, width)`.

        Raises:
            ImportAreaError: the file is damaged there.
        """
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
            marked |= stored == value
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
    in_metres = utm_zone(raster.crs) is not None
    # GDAL's bilinear reaches 10 m to each side, into the ground of the neighbouring pixels.
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
def open_band(
    source: BandSource, sensor: str, grid: TargetGrid, units: InputUnits
) -> Iterator[OpenBand]:
    """Open a band of an image on the target grid.

    Raises:
        ImportAreaError: it cannot be opened, or is of a type that no image has.
    """
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
        if scale == 0 or not np.isfinite(scale):
            raise ImportAreaError(
                f"{source.name} has a scale tag of {scale:g}, which leaves nothing of its values: "
                "correct the tag, such as with gdal_edit.py -scale 0.0001"
            )
        encoding = Encoding(raster.scales[position], raster.offsets[position], source.baseline)
        yield OpenBand(source, on_grid, marks, encoding)


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
