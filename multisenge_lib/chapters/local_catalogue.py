"""A STAC catalogue of the real village on this machine, for the chapter on your own area.

It needs the extra `stac`. The chapter can then read images from a catalogue as one does over the
internet, and yet be built without it.
"""

from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import rasterio
from rasterio.transform import from_origin
from rasterio.warp import transform_bounds
from shapely.geometry import box, mapping

from multisenge_lib.dataset import SENSORS

_CRS = "EPSG:32631"
_NO_DATA = 65535
_METRES = 10


def has_stac() -> bool:
    """Whether the packages of the extra `stac` are installed."""
    try:
        import odc.stac  # noqa: F401
        import pystac_client  # noqa: F401
    except ImportError:
        return False
    return True


def write_catalogue(cube: Any, folder: Path) -> tuple[float, float, float, float]:
    """Write the images of a cube as a STAC catalogue: one item per sensor and month.

    Args:
        cube: `xarray.Dataset` with a variable per band, named such as `S2-L2A-B02`, over `t`, `y`
            and `x`, in UTM 31N.
        folder: the folder of the catalogue.

    Returns:
        The bounds of the images in degrees: west, south, east, north.
    """
    import pystac

    height = cube.sizes["y"]
    width = cube.sizes["x"]
    # Coordinates are those of pixel centres.
    west = float(cube["x"][0]) - _METRES / 2
    north = float(cube["y"][0]) + _METRES / 2
    transform = from_origin(west, north, _METRES, _METRES)
    east = west + width * _METRES
    south = north - height * _METRES
    bounds = transform_bounds(_CRS, "EPSG:4326", west, south, east, north)

    catalogue = pystac.Catalog("village", "A village over a year")
    for sensor in SENSORS:
        bands = [name for name in cube if name.lower().startswith(sensor)]
        for step, date in enumerate(cube["t"].values.astype("datetime64[s]").tolist()):
            name = f"{sensor}-{date:%Y-%m}"
            item = pystac.Item(name, mapping(box(*bounds)), list(bounds), date, {})
            item.ext.add("raster")
            item.ext.add("proj")
            item.ext.proj.apply(code=_CRS, shape=[height, width], transform=list(transform)[:6])
            for variable in bands:
                band = variable.split("-")[-1]
                path = folder / name / f"{band}.tif"
                _write_cog(path, cube[variable].values[step], transform)
                item.add_asset(band, _asset(path))
            catalogue.add_item(item)
    catalogue.normalize_and_save(str(folder), pystac.CatalogType.SELF_CONTAINED)
    return bounds


def _write_cog(path: Path, pixels: np.ndarray, transform: rasterio.Affine) -> None:
    """Write one band as a Cloud-Optimised GeoTIFF."""
    path.parent.mkdir(parents=True, exist_ok=True)
    height, width = pixels.shape
    with rasterio.open(
        path, "w", "COG", width, height, 1, _CRS, transform, "uint16", _NO_DATA
    ) as target:
        target.write(pixels, 1)


def _asset(path: Path) -> Any:
    """Describe one band for its item."""
    import pystac

    stored = {"raster:bands": [{"data_type": "uint16", "nodata": _NO_DATA}]}
    return pystac.Asset(path.name, media_type=pystac.MediaType.COG, extra_fields=stored)


class _QuietHandler(SimpleHTTPRequestHandler):
    """Serve files without a line per request in the page."""

    def log_message(self, *args: Any) -> None:
        """Keep silent."""


def serve_folder(folder: Path) -> ThreadingHTTPServer:
    """Serve a folder over HTTP on this machine, until `shutdown` of what is returned."""
    handler = partial(_QuietHandler, directory=folder)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    Thread(target=server.serve_forever, daemon=True).start()
    return server
