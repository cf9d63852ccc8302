"""Units of reflectance and backscatter: convert what a raster stores.

The arrays of this library hold Sentinel-2 as surface reflectance x 10,000 and Sentinel-1 as linear
intensity. `read_values` reads bands of an open raster, applies its scale and offset tags, and sets
what is no data to 0. Its steps are public for readers that open rasters in another way. Whether the
values are possible is judged in `plausibility`.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from rasterio.windows import Window

from multisenge_lib.dataset.nodata import (
    THEIA_NO_DATA,
    alpha_bands,
    marked_pixels,
    masked_pixels,
    set_missing,
)

#: What reflectance from 0 to 1 is multiplied with.
REFLECTANCE_SCALE = 10_000
#: The largest 16-bit value. Providers use it for no data, and pictures for saturated pixels.
LARGEST_UINT16 = 65_535
#: Reflectance x 10,000. Fresh snow and clouds are near 10,000; half of an image is never above it.
BRIGHTEST_IMAGE = 20_000


def is_tagged(scales: Sequence[float], offsets: Sequence[float]) -> bool:
    """Whether scale and offset tags change any value."""
    return any(scale != 1 for scale in scales) or any(offset != 0 for offset in offsets)


def apply_tags(
    pixels: np.ndarray, sensor: str, scales: Sequence[float], offsets: Sequence[float]
) -> np.ndarray:
    """Convert stored values with the scale and offset tags of their bands: value x scale + offset.

    Tagged Sentinel-2 rasters give reflectance from 0 to 1 (scale 0.0001, offset -0.1), which is
    then multiplied by 10,000. A scale of 1 shows that the values are in these units already, and
    so is the offset (-1000).

    Args:
        pixels: `(bands, height, width)`, as stored.
        sensor: `s1` or `s2`.
        scales: one for each band, 1 where there is no tag.
        offsets: one for each band, 0 where there is no tag.

    Returns:
        The same shape, `float32`, not rounded; pixels without data must be set afterwards.
    """
    converted = np.empty(pixels.shape, np.float32)
    for index, (scale, offset) in enumerate(zip(scales, offsets, strict=True)):
        to_layout = REFLECTANCE_SCALE if sensor == "s2" and scale != 1 else 1
        # In float64, so that 0.0001 x 10,000 leaves whole numbers whole.
        physical = pixels[index] * np.float64(scale) + np.float64(offset)
        converted[index] = physical * to_layout
    return converted


def to_uint16(reflectance: np.ndarray) -> np.ndarray:
    """Round reflectance x 10,000, of any shape, to 16-bit integers, at least 1.

    A dark pixel becomes 1 and not 0, which would call it missing. What is too large becomes 65535,
    which `impossible_values` refuses. Set missing pixels afterwards.
    """
    rounded = np.rint(np.nan_to_num(reflectance, nan=1))
    return np.clip(rounded, 1, LARGEST_UINT16).astype(np.uint16)


def image_bands(source: Any) -> list[int]:
    """List the bands of an open raster that hold an image, from 1: all but alpha bands."""
    alpha = alpha_bands(source)
    return [index for index in source.indexes if index not in alpha]


def read_values(
    source: Any,
    kind: str,
    bands: Sequence[int] | None = None,
    window: Window | None = None,
    out_shape: tuple[int, int] | None = None,
) -> np.ndarray:
    """Read bands of an open raster in the units of the layout, with 0 for no data.

    No data is what the raster's tags, alpha band or internal mask say, and -10000 in a signed
    Sentinel-2 raster. Other negative reflectance is noise around a dark pixel. It becomes 0, or 1
    where tags are applied (see `to_uint16`).

    Args:
        source: from `rasterio.open`.
        kind: `s1`, `s2` or `reference`.
        bands: which bands to read, from 1, in this order; by default `image_bands`.
        window: which pixels to read; by default all.
        out_shape: height and width to which the image is thinned; by default its own.

    Returns:
        `(bands, height, width)`: `float32` for Sentinel-1, else of the file's type; `uint16` for
        Sentinel-2 with scale or offset tags. Without tags, pixels lie in memory as series keep
        them, `(height, width, bands)`, so no transposition is needed later. Check the values next.

    Raises:
        RasterioError: the raster cannot be read.
    """
    bands = image_bands(source) if bands is None else list(bands)
    positions = [band - 1 for band in bands]
    dtypes = [source.dtypes[position] for position in positions]
    no_data_values = [source.nodatavals[position] for position in positions]
    scales = [source.scales[position] for position in positions]
    offsets = [source.offsets[position] for position in positions]

    height, width = _shape_to_read(source, window, out_shape)
    image = np.empty((height, width, len(bands)), np.result_type(*dtypes))
    pixels = np.moveaxis(image, -1, 0)
    if len(set(dtypes)) == 1:
        source.read(bands, out=pixels, window=window)
    else:  # rasterio reads bands of several types only one by one
        for band, values in zip(bands, pixels, strict=True):
            source.read(band, out=values, window=window)

    # What is missing shows in the stored values only, so it is looked up before they are converted.
    missing = [marked_pixels(pixels, no_data_values)]
    if kind == "s2":
        missing.append(marked_pixels(pixels, [_usual_no_data(pixels.dtype)] * len(bands)))
    options = {} if out_shape is None else {"out_shape": out_shape}
    missing.append(masked_pixels(source, window, **options))
    if kind != "reference" and is_tagged(scales, offsets):
        missing.append(~pixels.any(axis=0))

    pixels = _in_units_of_layout(pixels, kind, scales, offsets)
    for mask in missing:
        set_missing(pixels, mask)
    return pixels


def _shape_to_read(
    source: Any, window: Window | None, out_shape: tuple[int, int] | None
) -> tuple[int, int]:
    """Return the height and width that `read_values` reads, whose arguments these are."""
    if out_shape is not None:
        return out_shape
    if window is not None:
        return int(window.height), int(window.width)
    return source.shape


def _in_units_of_layout(
    pixels: np.ndarray, kind: str, scales: Sequence[float], offsets: Sequence[float]
) -> np.ndarray:
    """Convert stored values to the units of the layout; pixels without data are set afterwards.

    Args:
        pixels: `(bands, height, width)`; may be changed.
        kind: `s1`, `s2` or `reference`.
        scales: one for each band, 1 where there is no tag.
        offsets: one for each band, 0 where there is no tag.
    """
    if kind == "reference":
        return pixels
    if is_tagged(scales, offsets):
        converted = apply_tags(pixels, kind, scales, offsets)
        if kind == "s1":
            return converted
        # 65535 must stay what it is, to be refused, where the tags do not make it a reflectance
        # (a picture's scale of 1 / 65535 does).
        is_largest = pixels == LARGEST_UINT16
        converted[is_largest & (converted > BRIGHTEST_IMAGE)] = LARGEST_UINT16
        return to_uint16(converted)
    if kind == "s1":
        with np.errstate(over="ignore"):  # what float32 cannot hold is infinite, and refused
            return pixels.astype(np.float32, copy=False)
    if pixels.dtype.kind == "i":
        np.maximum(pixels, 0, out=pixels)
    return pixels


def _usual_no_data(dtype: np.dtype) -> float | None:
    """What providers of Sentinel-2 write for no data without a tag."""
    if dtype.kind == "i":
        return THEIA_NO_DATA
    return np.nan if dtype.kind == "f" else None
