"""The files of one patch in the published layout, as bytes: rasters and label."""

import json
from collections.abc import Mapping, Sequence

import numpy as np
from rasterio.crs import CRS
from rasterio.io import MemoryFile
from rasterio.transform import from_origin

from multisenge_lib.dataset.layout import PIXEL, SENSORS, raster_path
from multisenge_lib.dataset.rasters import PatchOrigin


def geotiff(bands: np.ndarray, names: Sequence[str] = (), **profile: object) -> bytes:
    """A GeoTIFF of `(bands, height, width)` with their descriptions; see rasterio for the rest."""
    count, height, width = bands.shape
    shape = {"count": count, "height": height, "width": width, "dtype": bands.dtype}
    with MemoryFile() as memory:
        with memory.open(driver="GTiff", **shape, **profile) as target:
            target.write(bands)
            if names:
                target.descriptions = tuple(names)
        return memory.read()


def raster_bytes(patch: str, bands: np.ndarray, names: Sequence[str], **options: object) -> bytes:
    """A GeoTIFF that lies where its patch's name says, the same bytes for the same pixels.

    Args:
        patch: such as `31UEQ_7453_4112`.
        bands: `(bands, height, width)`, uint8, uint16 or float32.
        names: descriptions of the bands.
        options: of the GTiff driver, such as `nodata`.
    """
    place = PatchOrigin.of(patch)
    transform = from_origin(place.west, place.north, PIXEL, PIXEL)
    ground = {"crs": CRS.from_epsg(place.epsg), "transform": transform}
    predictor = 3 if bands.dtype.kind == "f" else 2
    packing = {"compress": "deflate", "predictor": predictor, "zlevel": 1, **options}
    return geotiff(bands, names, **ground, **packing)


def label_bytes(
    patch: str, dates: Mapping[str, Sequence[np.datetime64]], classes: Sequence[int]
) -> bytes:
    """A label file: of a patch, the dates of each sensor and the class ids, none without reference.

    The rasters that it names are those of `raster_path`.
    """
    document = {
        f"corresponding_{kind}": ";".join(
            raster_path("", kind, patch, day).name for day in dates.get(kind, ())
        )
        for kind in reversed(SENSORS)
    }
    document["projection"] = CRS.from_epsg(PatchOrigin.of(patch).epsg).to_wkt()
    document["labels"] = ";".join(map(str, classes))
    return json.dumps(document).encode()
