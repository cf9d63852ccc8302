"""One real village and its fields over a year, kept beside the book; see the README there."""

import h5py
import numpy as np

from multisenge_lib import paths
from multisenge_lib.errors import FileError

#: The file's bands, of which B08 stands in for the B8A that it lacks.
_BANDS = ("B02", "B03", "B04", "B05", "B06", "B07", "B08", "B08", "B11", "B12")
_NO_DATA = 65535


def read_village() -> tuple[np.ndarray, np.ndarray]:
    """Read the village's Sentinel-2 images; months that clouds hid are left out.

    Returns:
        The dates of the monthly composites, datetime64[D], and `(dates, 100, 100, 10) float32`,
        reflectance x 10,000, bands in spectral order; B8A, which the file lacks, is a copy of B8.

    Raises:
        FileError: the file is missing or damaged.
    """
    path = paths.PROJECT / "book" / "data" / "village" / "worldcereal-village.nc"
    try:
        with h5py.File(path) as file:
            stored = [np.asarray(file[f"S2-L2A-{band}"]).view(np.uint16) for band in _BANDS]
            dates = np.asarray(file["t"]).astype("timedelta64[D]") + np.datetime64("1990-01-01")
    except (OSError, KeyError) as error:
        raise FileError(f"{path} cannot be read ({error}): restore it with git") from None
    s2 = np.stack(stored, axis=-1)
    seen = (s2 != _NO_DATA).all(axis=(1, 2, 3))
    return dates[seen], s2[seen].astype(np.float32)
