"""Read and check the rasters of one patch.

Three kinds of files make a patch: a Sentinel-2 raster a date (ten bands, 16-bit, reflectance x
10,000), a Sentinel-1 raster a date (VV and VH, float32, linear intensity) and one reference (class
ids 1 to 14). What is damaged or not of that layout is refused by name; nothing is mended silently.

No data: 0 in the reference, and a loss ignores it. In Sentinel-2, 0 in every band; a negative value
of a signed raster (THEIA writes -10000) becomes 0. In Sentinel-1, 0. The pixels stay in the series:
the paper masks nothing, and its images have less than 10 % of clouds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from rasterio.errors import RasterioIOError

from multisenge_lib.dataset.layout import (
    BAND_ORDERS,
    S1_BANDS,
    S2_BANDS,
    SENSORS,
    BandOrder,
    raster_path,
)
from multisenge_lib.errors import PatchError

_BANDS = {"s1": len(S1_BANDS), "s2": len(S2_BANDS), "reference": 1}
_DTYPES = {"s1": ("float32", "float64"), "s2": ("uint16", "int16")}
_REMEDY = "fetch it again, or leave such patches out with on_error='skip'"
#: Without it GDAL lists the folder at each file opened: a million names in the published `s1/`.
_GDAL = {"GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR"}


@dataclass(frozen=True)
class Patch:
    """The series and the reference of one patch; a sensor that was not asked for is None.

    Attributes:
        s1: `(dates, height, width, 2) float32`, linear backscatter, VV and VH.
        s2: `(dates, height, width, 10) uint16`, reflectance x 10,000, in the order `S2_BANDS`.
        reference: `(height, width) uint8`, class ids 1 to 14, 0 for no data.
    """

    s1: np.ndarray | None
    s2: np.ndarray | None
    reference: np.ndarray


def _read(path: Path, kind: str) -> tuple[np.ndarray, tuple[str | None, ...]]:
    """The raster `(bands, height, width)`, checked for its layout, and its bands' names."""
    if not path.is_file():
        raise PatchError(
            f"{path} is missing: fetch it, or select among the files on disk with "
            "load_selection(root)"
        )
    try:
        with rasterio.open(path) as source:
            data, names = source.read(), source.descriptions
    except (RasterioIOError, MemoryError):
        raise PatchError(f"{path} cannot be read, truncated or damaged: {_REMEDY}") from None
    if len(data) != _BANDS[kind]:
        raise PatchError(f"{path} has {len(data)} bands, {kind} has {_BANDS[kind]}: {_REMEDY}")
    if data.dtype not in _DTYPES.get(kind, (data.dtype,)):
        raise PatchError(
            f"{path} is {data.dtype}, {kind} is {' or '.join(_DTYPES[kind])}: {_REMEDY}"
        )
    return data, names


def _read_reference(path: Path) -> np.ndarray:
    data = _read(path, "reference")[0][0]
    if not (data.min() >= 0 and data.max() <= 14):  # so written, NaN is refused too
        raise PatchError(
            f"{path} holds values from {data.min()} to {data.max()}, class ids are 1 to 14 and 0 "
            f"for no data: {_REMEDY}"
        )
    return data.astype(np.uint8)


def _read_s1(path: Path) -> np.ndarray:
    data = _read(path, "s1")[0]
    if not np.isfinite(data).all():
        raise PatchError(f"{path} holds NaN or infinite values: {_REMEDY}")
    if data.min() < 0:
        raise PatchError(
            f"{path} holds negative values (least {data.min():.3g}), Sentinel-1 is linear "
            f"intensity: convert from decibel with 10 ** (value / 10), or {_REMEDY}"
        )
    return np.moveaxis(data, 0, -1).astype(np.float32)


def guess_band_order(s2: np.ndarray) -> BandOrder | None:
    """Tell the two band orders apart by the red edge of vegetation.

    From B5 to B6 vegetation grows much brighter. In the spectral order these are the fourth and
    fifth bands; in the other, B8 and B5, the fourth is the brighter. Red (third) and near infrared
    (seventh: B8 or B7) stand at the same place in both, so vegetation can be found first.

    Args:
        s2: `(..., 10)`, reflectance x 10,000, as stored.

    Returns:
        The order, or None where there is too little vegetation to tell.
    """
    pixels = s2.reshape(-1, len(S2_BANDS))
    red, infrared = pixels[:, 2].astype(np.float32), pixels[:, 6].astype(np.float32)
    vegetated = infrared > 2.5 * red  # a vegetation index (NDVI) over 0.43
    if vegetated.sum() < max(50, 0.02 * len(pixels)):
        return None
    fourth, fifth = pixels[vegetated][:, 3:5].mean(axis=0)
    if max(fourth, fifth) < 1.25 * min(fourth, fifth):
        return None
    return "spectral" if fourth < fifth else "resolution"


def _spectral_positions(names: Sequence[str | None], order: BandOrder) -> tuple[list[int], bool]:
    """Where each of `S2_BANDS` is stored, and whether the file itself says so (B2 or B02)."""
    stored = tuple((name or "").strip().upper().replace("B0", "B") for name in names)
    named = set(stored) == set(S2_BANDS)
    stored = stored if named else BAND_ORDERS[order]
    return [stored.index(band) for band in S2_BANDS], named


def _read_s2(path: Path, order: BandOrder) -> np.ndarray:
    stored, names = _read(path, "s2")
    positions, named = _spectral_positions(names, order)
    if not named and guess_band_order(np.moveaxis(stored, 0, -1)) not in (None, order):
        other = next(name for name in BAND_ORDERS if name != order)
        raise PatchError(
            f"{path} does not name its bands; read in {order} order, vegetation has no red edge, "
            f"in {other} order it has: give band_order={other!r}"
        )
    return np.moveaxis(np.maximum(stored[positions], 0), 0, -1).astype(np.uint16)


def check_band_order(order: str) -> str:
    """The order as it came, or a PatchError where there is none of that name."""
    if order not in BAND_ORDERS:
        raise PatchError(f"band order {order!r}: choose {' or '.join(BAND_ORDERS)}")
    return order


def _check_sizes(shapes: dict[Path, tuple[int, int]]) -> None:
    """All rasters of a patch square (they are rotated) and of the size of the first."""
    first = next(iter(shapes.values()))
    for path, (height, width) in shapes.items():
        if (height, width) != first or height != width:
            raise PatchError(
                f"{path} has {height}x{width} pixels, the rasters of a patch are square and of "
                f"one size, here {first[0]}x{first[1]}: {_REMEDY}"
            )


def read_patch(
    root: Path | str,
    row: Any,
    sensors: Sequence[str] = SENSORS,
    band_order: BandOrder = "spectral",
) -> Patch:
    """Read one patch, checking every raster.

    Args:
        root: the data root.
        row: of a selection: `patch`, `s1_dates`, `s2_dates`.
        sensors: which of `s1` and `s2` to read.
        band_order: of Sentinel-2 files that do not name their bands; the names win where they are.
            An order that the vegetation in the file contradicts is refused.

    Raises:
        PatchError: a raster is missing, damaged, or not of the published layout; one line.
    """
    check_band_order(band_order)
    readers = {"s1": _read_s1, "s2": partial(_read_s2, order=band_order)}
    reference_path = raster_path(root, "reference", row.patch)
    with rasterio.Env(**_GDAL):
        reference = _read_reference(reference_path)
        shapes, series = {reference_path: reference.shape}, {}
        for sensor in sensors:
            days = getattr(row, f"{sensor}_dates")
            files = [raster_path(root, sensor, row.patch, day) for day in days]
            series[sensor] = [readers[sensor](path) for path in files]
            shapes |= {path: a.shape[:2] for path, a in zip(files, series[sensor], strict=True)}
    _check_sizes(shapes)
    stacked = {sensor: np.stack(arrays) for sensor, arrays in series.items()}
    return Patch(stacked.get("s1"), stacked.get("s2"), reference)
