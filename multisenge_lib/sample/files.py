"""The files of one patch in the published layout: label JSON and GeoTIFFs."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import rasterio
from rasterio.crs import CRS
from rasterio.transform import from_origin

from multisenge_lib.dataset import PIXEL, layout, patch_bounds, raster_path, tile_corner
from multisenge_lib.sample.places import Acquisitions, Place

#: The projection as the published label files write it, for a zone, its meridian and its code.
_WKT = (
    'PROJCS["WGS 84 / UTM zone {zone}N",GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",'
    '6378137,298.257223563,AUTHORITY["EPSG","7030"]],AUTHORITY["EPSG","6326"]],'
    'PRIMEM["Greenwich",0,AUTHORITY["EPSG","8901"]],UNIT["degree",0.0174532925199433,'
    'AUTHORITY["EPSG","9122"]],AUTHORITY["EPSG","4326"]],PROJECTION["Transverse_Mercator"],'
    'PARAMETER["latitude_of_origin",0],PARAMETER["central_meridian",{meridian}],'
    'PARAMETER["scale_factor",0.9996],PARAMETER["false_easting",500000],'
    'PARAMETER["false_northing",0],UNIT["metre",1,AUTHORITY["EPSG","9001"]],'
    'AXIS["Easting",EAST],AXIS["Northing",NORTH],AUTHORITY["EPSG","{epsg}"]]'
)


def make_folders(root: Path) -> None:
    """The four folders of the published layout."""
    for name in (layout.LABELS, layout.REFERENCE, layout.S2, layout.S1):
        (root / name).mkdir(parents=True, exist_ok=True)


def write_raster(
    path: Path, place: Place, bands: np.ndarray, names: Sequence[str], **options: object
) -> None:
    """Write a georeferenced GeoTIFF, the same bytes for the same pixels.

    Args:
        path: of the file.
        place: where it lies.
        bands: `(bands, size, size)`, uint8, uint16 or float32.
        names: the bands' descriptions.
        options: of the GTiff driver.
    """
    count, height, width = bands.shape
    west, _, _, north = patch_bounds(place.tile, place.x, place.y, height)
    shape = {"count": count, "height": height, "width": width, "dtype": bands.dtype}
    ground = {
        "crs": CRS.from_epsg(tile_corner(place.tile)[2]),
        "transform": from_origin(west, north, PIXEL, PIXEL),
    }
    predictor = 3 if bands.dtype.kind == "f" else 2
    packing = {"compress": "deflate", "predictor": predictor, "zlevel": 1, **options}
    with rasterio.open(path, "w", driver="GTiff", **shape, **ground, **packing) as target:
        target.write(bands)
        target.descriptions = tuple(names)


def _file_names(place: Place, kind: str, days: np.ndarray) -> str:
    return ";".join(raster_path("", kind, place.patch, day).name for day in days)


def write_label(root: Path, place: Place, acquired: Acquisitions, reference: np.ndarray) -> None:
    """Write the label file: the acquisitions, the projection, and the classes of the reference."""
    epsg = tile_corner(place.tile)[2]
    zone = epsg % 100
    classes = np.unique(reference[reference > 0])
    document = {
        "corresponding_s2": _file_names(place, "s2", acquired.s2),
        "corresponding_s1": _file_names(place, "s1", acquired.s1),
        "projection": _WKT.format(zone=zone, meridian=6 * zone - 183, epsg=epsg),
        "labels": ";".join(map(str, classes)),
    }
    path = root / layout.LABELS / f"{place.patch}.json"
    path.write_text(json.dumps(document), encoding="utf-8")
