"""One real village and its fields over a year, kept beside the book; see the README there."""

from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from multisenge_lib import paths
from multisenge_lib.errors import FileError

#: The bands that the file has; it has no B8A.
_BANDS = ("B02", "B03", "B04", "B05", "B06", "B07", "B08", "B11", "B12")
_NO_DATA = 65535


@dataclass(frozen=True)
class Village:
    """The months with an optical image.

    Attributes:
        dates: of the monthly composites, datetime64[D].
        s2: `(months, 100, 100, 10) float32`, reflectance x 10,000, bands in spectral order; B8A,
            which the file lacks, is a copy of B8.
    """

    dates: np.ndarray
    s2: np.ndarray


def village_path() -> Path:
    """The file, in the book's data."""
    return paths.PROJECT / "book" / "data" / "village" / "worldcereal-village.nc"


def read_village() -> Village:
    """Read the village's Sentinel-2 images; months that clouds hid are left out.

    Raises:
        FileError: the file is missing or damaged.
    """
    path = village_path()
    try:
        with h5py.File(path) as file:
            stored = [np.asarray(file[f"S2-L2A-{band}"]).view(np.uint16) for band in _BANDS]
            dates = np.asarray(file["t"]).astype("timedelta64[D]") + np.datetime64("1990-01-01")
    except (OSError, KeyError) as error:
        raise FileError(f"{path} cannot be read ({error}): restore it with git") from None
    bands = np.stack(stored, axis=-1)
    seen = (bands != _NO_DATA).all(axis=(1, 2, 3))
    s2 = np.insert(bands[seen], 7, bands[seen][..., 6], axis=-1)
    return Village(dates[seen], s2.astype(np.float32))
