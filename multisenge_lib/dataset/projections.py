"""Whether projections can be looked up at all, asked once before files are blamed."""

import os

import rasterio
from rasterio.crs import CRS
from rasterio.errors import CRSError

from multisenge_lib.errors import MultiSenGEError, first_line

#: Variables in which QGIS, PostGIS, OTB and conda name the data of their own PROJ.
_VARIABLES = ("PROJ_LIB", "PROJ_DATA")


def check_projections() -> None:
    """Refuse to start where GDAL finds no database of projections that it can use.

    Without it no raster can be placed, and every sound file looks damaged.

    Raises:
        MultiSenGEError: naming the variables that lead to another program's database.
    """
    try:
        with rasterio.Env():  # else GDAL writes a line of its own to the terminal
            CRS.from_epsg(32631).to_epsg()
        return
    except CRSError as error:
        reason = first_line(error)
    blamed = [f"{name}={os.environ[name]}" for name in _VARIABLES if os.environ.get(name)]
    if blamed:
        names = " ".join(name.partition("=")[0] for name in blamed)
        raise MultiSenGEError(
            f"projections cannot be looked up: {' and '.join(blamed)} leads to the database of "
            f"another PROJ, as QGIS or conda set it; run `unset {names}` and start again"
        )
    raise MultiSenGEError(
        f"projections cannot be looked up ({reason}): the database of PROJ is missing or damaged; "
        "install rasterio anew, as a wheel"
    )
