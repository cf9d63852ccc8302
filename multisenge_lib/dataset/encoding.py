"""Encode the files of one patch in the published layout as bytes: rasters and label."""

import json
from collections.abc import Mapping, Sequence

import numpy as np
from rasterio.crs import CRS
from rasterio.io import MemoryFile
from rasterio.transform import from_origin

from multisenge_lib.dataset.layout import PIXEL, SENSORS, raster_path
from multisenge_lib.dataset.raster_checks import origin_of_patch


def geotiff(
    bands: np.ndarray,
    names: Sequence[str] = (),
    description: str = "",
    scale: float = 1,
    offset: float = 0,
    **profile: object,
) -> bytes:
    """Encode `(bands, height, width)` as a GeoTIFF.

    Args:
        bands: the pixels.
        names: descriptions of the bands.
        description: what the image is, written as `TIFFTAG_IMAGEDESCRIPTION`.
        scale: the scale tag of all bands.
        offset: the offset tag of all bands.
        profile: what else rasterio takes, such as `crs`, `transform`, `nodata`.
    """
    count, height, width = bands.shape
    profile |= {"count": count, "height": height, "width": width, "dtype": bands.dtype}
    with MemoryFile() as memory:
        with memory.open(driver="GTiff", **profile) as target:
            if description:
                target.update_tags(TIFFTAG_IMAGEDESCRIPTION=description)
            target.write(bands)
            if names:
                target.descriptions = tuple(names)
            if scale != 1 or offset != 0:
                target.scales = [scale] * count
                target.offsets = [offset] * count
        return memory.read()


def raster_bytes(patch: str, bands: np.ndarray, names: Sequence[str], **options: object) -> bytes:
    """Encode a GeoTIFF that lies where its patch's name says; the same pixels give the same bytes.

    Args:
        patch: such as `31UEQ_7453_4112`.
        bands: `(bands, height, width)`, uint8, uint16 or float32.
        names: descriptions of the bands.
        options: options of the GTiff driver, such as `nodata`, or the `description` of the image,
            which is written as `TIFFTAG_IMAGEDESCRIPTION`.
    """
    origin = origin_of_patch(patch)
    profile = {
        "crs": CRS.from_epsg(origin.epsg),
        "transform": from_origin(origin.west, origin.north, PIXEL, PIXEL),
        "compress": "deflate",
        # Differences of neighbours compress better: 3 is the kind for floats, 2 for integers.
        "predictor": 3 if bands.dtype.kind == "f" else 2,
        "zlevel": 1,
    }
    return geotiff(bands, names, **(profile | options))


def label_bytes(
    patch: str, dates: Mapping[str, Sequence[np.datetime64]], classes: Sequence[int]
) -> bytes:
    """Encode the label file of a patch.

    Args:
        patch: such as `31UEQ_7453_4112`.
        dates: the dates of each sensor; the rasters that the file names are those of `raster_path`.
        classes: the class ids that the reference holds; none without a reference.
    """
    document = {}
    for sensor in reversed(SENSORS):  # the order of the published files
        names = [raster_path("", sensor, patch, day).name for day in dates.get(sensor, ())]
        document[f"corresponding_{sensor}"] = ";".join(names)
    document["projection"] = CRS.from_epsg(origin_of_patch(patch).epsg).to_wkt()
    document["labels"] = ";".join(map(str, classes))
    return json.dumps(document).encode()
