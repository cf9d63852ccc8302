"""One real village and its fields over a year, which the book keeps; see the README beside it."""

from pathlib import Path

import numpy as np

from multisenge_lib.dataset import S2_BANDS
from multisenge_lib.errors import FileError

_NO_DATA = 65535


def read_village(path: Path | str) -> tuple[np.ndarray, np.ndarray]:
    """Read the village's Sentinel-2 images, without the months that clouds hid.

    Args:
        path: the file `worldcereal-village.nc`.

    Returns:
        The dates of the monthly composites, datetime64[D], and `(dates, 100, 100, 10) float32`,
        reflectance x 10,000, bands in spectral order. The file has no B8A: a copy of B8 stands in
        for it.

    Raises:
        FileError: the file is missing or damaged.
    """
    import xarray  # of the extra `area`

    images = []
    try:
        with xarray.open_dataset(path) as cube:
            for band in S2_BANDS:
                number = "08" if band == "B8A" else f"{int(band[1:]):02}"
                images.append(cube[f"S2-L2A-B{number}"].to_numpy())
            dates = cube["t"].to_numpy().astype("datetime64[D]")
    except (OSError, KeyError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise FileError(f"{path} cannot be read ({reason}): restore it with git") from None
    series = np.stack(images, axis=-1)
    is_complete = (series != _NO_DATA).all(axis=(1, 2, 3))
    return dates[is_complete], series[is_complete].astype(np.float32)
