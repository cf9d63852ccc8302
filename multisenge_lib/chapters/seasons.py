"""How much land changes from month to month: the sample beside one real village.

The book ships twelve months of Sentinel-2 over a Belgian village and its fields. On real fields, an
average over all of them hides what happens: one is cut while another turns green. So change is
measured pixel by pixel, and then averaged.
"""

import numpy as np
import pandas as pd
from scipy import ndimage

from multisenge_lib.dataset import S2_BANDS

_RED = S2_BANDS.index("B4")
_NEAR_INFRARED = S2_BANDS.index("B8")

# What counts as a field of the village. All three values were chosen by eye on its images.
#: Inside a field, neighbouring pixels have almost the same year: least change of NDVI per pixel,
#: as the root of the sum of squares over all dates.
_LARGEST_GRADIENT = 0.17
#: Fewest pixels of a field: 0.6 ha.
_SMALLEST_FIELD = 60
#: A field is green and bare within a year, so its NDVI ranges at least this far. Meadows, woods and
#: roofs do not.
_LEAST_NDVI_RANGE = 0.45


def ndvi(images: np.ndarray) -> np.ndarray:
    """Compute the vegetation index NDVI from B8 and B4, -1 to 1.

    Args:
        images: `(..., 10)`, bands as `S2_BANDS`.
    """
    near_infrared = images[..., _NEAR_INFRARED].astype(np.float64)
    red = images[..., _RED].astype(np.float64)
    return (near_infrared - red) / (near_infrared + red)


def find_fields(images: np.ndarray) -> np.ndarray:
    """Find the fields on images of a whole year, without any map of them.

    Args:
        images: `(dates, height, width, 10)`, bands as `S2_BANDS`.

    Returns:
        `(height, width) int`: the number of the field of each pixel, from 1; 0 outside.
    """
    index = ndvi(images)
    squares = np.zeros(index.shape[1:])
    for image in index:
        squares += ndimage.gaussian_gradient_magnitude(image, sigma=0.7) ** 2
    regions, count = ndimage.label(np.sqrt(squares) < _LARGEST_GRADIENT)
    ndvi_range = np.ptp(index, axis=0)

    fields = np.zeros_like(regions)
    for region in range(1, count + 1):
        inside = regions == region
        large = inside.sum() >= _SMALLEST_FIELD
        if large and np.median(ndvi_range[inside]) > _LEAST_NDVI_RANGE:
            fields[inside] = fields.max() + 1
    return fields


def find_buildings(images: np.ndarray) -> np.ndarray:
    """Find pixels with roofs, yards and streets: never greener than an NDVI of 0.62 in a year.

    Args:
        images: `(dates, height, width, 10)`, bands as `S2_BANDS`.

    Returns:
        `(height, width) bool`.
    """
    return ndvi(images).max(axis=0) < 0.62


def seasonal_change(pixels: np.ndarray) -> pd.DataFrame:
    """Measure how pixels change from each date to the next.

    Args:
        pixels: `(dates, pixels, 10)`, reflectance x 10,000, bands as `S2_BANDS`.

    Returns:
        One row per band, and a last row `NDVI`. Columns: the mean at each date, `date 1` and so on;
        `step`, the mean over all pixels of the absolute change from a date to the next; and
        `range`, the mean over all pixels of the difference between their highest and lowest value.
    """
    bands = [*np.moveaxis(pixels.astype(np.float64), -1, 0), ndvi(pixels)]
    rows = []
    for values in bands:
        row = {f"date {number}": mean for number, mean in enumerate(values.mean(axis=1), 1)}
        row["step"] = np.abs(np.diff(values, axis=0)).mean()
        row["range"] = np.ptp(values, axis=0).mean()
        rows.append(row)
    return pd.DataFrame(rows, index=[*S2_BANDS, "NDVI"])
