"""One real village and its fields over a year, which the book keeps; see the README beside it."""

from pathlib import Path

import numpy as np

from multisenge_lib.dataset import S2_BANDS
from multisenge_lib.errors import FileError, first_line

_NO_DATA = 65535
#: The file keeps backscatter as whole numbers n, with decibel = 20 log10(n) - 83.
_RADAR_OFFSET = 83


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
    names = []
    for band in S2_BANDS:
        number = "08" if band == "B8A" else f"{int(band[1:]):02}"
        names.append(f"S2-L2A-B{number}")
    dates, series = _read_variables(path, names)
    is_complete = (series != _NO_DATA).all(axis=(1, 2, 3))
    return dates[is_complete], series[is_complete].astype(np.float32)


def read_village_radar(path: Path | str) -> tuple[np.ndarray, np.ndarray]:
    """Read the village's Sentinel-1 images; clouds hide none of them.

    Args:
        path: the file `worldcereal-village.nc`.

    Returns:
        The dates of the monthly composites, datetime64[D], and `(dates, 100, 100, 2) float32`,
        linear backscatter, VV and VH.

    Raises:
        FileError: the file is missing or damaged.
    """
    dates, stored = _read_variables(path, ["S1-SIGMA0-VV", "S1-SIGMA0-VH"])
    decibels = 20 * np.log10(stored.astype(np.float64)) - _RADAR_OFFSET
    return dates, (10 ** (decibels / 10)).astype(np.float32)


def _read_variables(path: Path | str, names: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Read some variables of the cube as they are stored: dates, and `(dates, y, x, names)`."""
    import xarray  # of the extra `area`

    images = []
    try:
        with xarray.open_dataset(path) as cube:
            for name in names:
                images.append(cube[name].to_numpy())
            dates = cube["t"].to_numpy().astype("datetime64[D]")
    except (OSError, KeyError, ValueError) as error:
        raise FileError(
            f"{path} cannot be read ({first_line(error)}): restore it with git"
        ) from None
    return dates, np.stack(images, axis=-1)
