"""The files of one patch in the published layout, as bytes: rasters and label."""

import json
from collections.abc import Mapping, Sequence

import numpy as np
from rasterio.crs import CRS
from rasterio.io import MemoryFile
from rasterio.transform import from_origin

from multisenge_lib.dataset.geo import patch_bounds, tile_corner
from multisenge_lib.dataset.layout import PIXEL, SENSORS, raster_path, split_patch


def raster_bytes(patch: str, bands: np.ndarray, names: Sequence[str], **options: object) -> bytes:
    """A GeoTIFF that lies where its patch's name says, the same bytes for the same pixels.

    Args:
        patch: such as `31UEQ_7453_4112`.
        bands: `(bands, height, width)`, uint8, uint16 or float32.
        names: descriptions of the bands.
        options: of the GTiff driver, such as `nodata`.
    """
    tile, x, y = split_patch(patch)
    count, height, width = bands.shape
    west, _, _, north = patch_bounds(tile, int(x), int(y), height)
    shape = {"count": count, "height": height, "width": width, "dtype": bands.dtype}
    ground = {
        "crs": CRS.from_epsg(tile_corner(tile)[2]),
        "transform": from_origin(west, north, PIXEL, PIXEL),
    }
    predictor = 3 if bands.dtype.kind == "f" else 2
    packing = {"compress": "deflate", "predictor": predictor, "zlevel": 1, **options}
    with MemoryFile() as memory:
        with memory.open(driver="GTiff", **shape, **ground, **packing) as target:
            target.write(bands)
            target.descriptions = tuple(names)
        return memory.read()


def label_bytes(
    patch: str, dates: Mapping[str, Sequence[np.datetime64]], classes: Sequence[int]
) -> bytes:
    """A label file.

    Args:
        patch: such as `31UEQ_7453_4112`.
        dates: of each sensor's rasters.
        classes: ids in the reference; none where there is no reference.
    """

    def names(kind: str) -> str:
        return ";".join(raster_path("", kind, patch, day).name for day in dates.get(kind, ()))

    document = {f"corresponding_{kind}": names(kind) for kind in reversed(SENSORS)} | {
        "projection": CRS.from_epsg(tile_corner(split_patch(patch)[0])[2]).to_wkt(),
        "labels": ";".join(map(str, classes)),
    }
    return json.dumps(document).encode()
