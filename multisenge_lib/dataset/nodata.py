"""The one rule of "no data": which pixels were observed, in arrays and in open rasters.

All arrays of this library mark a pixel without data with 0 (for class ids, `typology.NO_DATA`).

- Sentinel-2 has no data where no band is above 0. (What is read from files has no negative values:
  they are set to 0 before.) A single band may be 0 over deep water or in a
  shadow: atmospheric correction subtracts a little too much there. That pixel is dark, not missing.
- Sentinel-1 has no data where any band is 0. Backscatter is a power and never exactly 0, so a 0 in
  one polarisation means that this polarisation was not observed.
- The reference has no data where the class id is 0.

A raster marks such pixels in its own way: with a no-data tag, an alpha band, an internal mask, NaN,
or -10000 (THEIA). `marked_pixels` and `masked_pixels` read these marks; the pixel is then missing
in all bands, because a network sees all bands of a pixel or none.

An import applies the same rule to values as they are stored, before they are converted; see
`area.strips` and, for values that mean no data without a tag, `area.open_bands`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from rasterio.enums import ColorInterp, MaskFlags
from rasterio.errors import RasterioError, RasterioIOError
from rasterio.windows import Window

#: THEIA marks the ground outside the swath with this value, often without a tag.
THEIA_NO_DATA = -10_000


def missing_pixels(values: np.ndarray, sensor: str) -> np.ndarray:
    """Tell which pixels of an array have no data.

    Training keeps such pixels of the images, as the paper does; only pixels without a class in the
    reference do not count. Maps leave them out.

    Args:
        values: `(..., bands)`, in the units of the layout.
        sensor: `s1` or `s2`.

    Returns:
        `(...) bool`, True where there is no data.
    """
    observed = values > 0  # False for NaN as well
    if sensor == "s2":
        return ~observed.any(axis=-1)
    return ~observed.all(axis=-1)


def valid_mask(series: Mapping[str, np.ndarray]) -> np.ndarray:
    """Tell where every date of every sensor has data.

    Args:
        series: for each sensor `(dates, height, width, bands)`, in the units of the layout.

    Returns:
        `(height, width) bool`.
    """
    valid_by_sensor = []
    for sensor, values in series.items():
        missing = missing_pixels(values, sensor)
        valid_by_sensor.append(~missing.any(axis=0))
    return np.all(valid_by_sensor, axis=0)


def marked_pixels(pixels: np.ndarray, tags: Sequence[float | None]) -> np.ndarray | None:
    """Tell which stored pixels equal the no-data tag of a band.

    A tag of 0 marks nothing here. The arrays of this library use 0 in any case, and in Sentinel-2
    it means no data only where all bands are 0.

    Args:
        pixels: `(bands, height, width)`, as stored.
        tags: the no-data value of each band, None where there is none; NaN is allowed.

    Returns:
        `(height, width) bool`, True where any band is marked; None where no pixel is.
    """
    missing = None
    for band, tag in zip(pixels, tags, strict=True):
        if not tag:  # None or 0
            continue
        marked = np.isnan(band) if np.isnan(tag) else band == tag
        if not marked.any():
            continue
        missing = marked if missing is None else missing | marked
    return missing


def alpha_bands(source: Any) -> list[int]:
    """List the bands of an open raster that hold transparency instead of an image, from 1.

    Some programs call the fourth band of any raster alpha. A band with a description is believed to
    be what the description says.

    Raises:
        RasterioError: the raster is damaged.
    """
    try:
        meanings = source.colorinterp
    except RasterioError:
        raise
    except Exception as error:  # here rasterio passes on GDAL's own errors, of no public class
        raise RasterioIOError(str(error)) from None
    alpha = []
    bands = zip(source.indexes, meanings, source.descriptions, strict=True)
    for index, meaning, description in bands:
        is_described = (description or "").strip().lower() not in ("", "alpha")
        if meaning == ColorInterp.alpha and not is_described:
            alpha.append(index)
    return alpha


def masked_pixels(source: Any, window: Window | None = None, **options: Any) -> np.ndarray | None:
    """Tell which pixels of an open raster its alpha band or its internal mask hides.

    Args:
        source: from `rasterio.open`.
        window: which pixels to read; by default all.
        options: options of rasterio's `read`, such as `out_shape` `(height, width)`.

    Returns:
        `(height, width) bool`; None where the raster has neither alpha band nor mask.
    """
    missing = None
    for index in alpha_bands(source):
        hidden = source.read(index, window=window, **options) == 0
        missing = hidden if missing is None else missing | hidden
    # A mask "per dataset" is stored beside the bands. GDAL reports an alpha band in the same way,
    # with a second flag; that one has been read above.
    flags = source.mask_flag_enums[0]
    if MaskFlags.per_dataset in flags and MaskFlags.alpha not in flags:
        hidden = source.read_masks(1, window=window, **options) == 0
        missing = hidden if missing is None else missing | hidden
    return missing


def set_missing(pixels: np.ndarray, missing: np.ndarray | None) -> None:
    """Set missing pixels to 0 in all bands, in place.

    Args:
        pixels: `(bands, height, width)`.
        missing: `(height, width) bool`, or None where nothing is missing.
    """
    if missing is not None:
        pixels[:, missing] = 0
