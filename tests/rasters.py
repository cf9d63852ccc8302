"""A data root of a few small patches, written by the tests to damage it."""

from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

import labels
import numpy as np
import pandas as pd
import rasterio
from rasterio.transform import Affine

from multisenge_lib.dataset import S1_BANDS, S2_BANDS, patch_bounds, raster_path
from multisenge_lib.dataset.grid import tile_corner
from multisenge_lib.dataset.layout import MULTISENGE

DAYS = np.array(["2020-07-07", "2020-08-06"], dtype="datetime64[D]")
PATCHES = ("31UFP_0_0", "31UEQ_0_0", "31UFQ_0_0", "31UFQ_0_257", "31UFQ_257_0", "31UFQ_257_257")

#: What FORCE calls the ten bands of Sentinel-2, in the order of `S2_BANDS`.
FORCE_BANDS = (
    *("BLUE", "GREEN", "RED", "REDEDGE1", "REDEDGE2", "REDEDGE3"),
    *("BROADNIR", "NIR", "SWIR1", "SWIR2"),
)


def write_raster(path: Path, data: np.ndarray, names: Sequence[str] = (), **changes) -> Path:
    """Write `(bands, height, width)` as a GeoTIFF where its name says; changes go to rasterio."""
    path.parent.mkdir(parents=True, exist_ok=True)
    tile, *_, x, y = path.stem.split("_")
    west, _, _, north = patch_bounds(tile, int(x), int(y))
    shape = dict(count=len(data), height=data.shape[1], width=data.shape[2], dtype=data.dtype)
    place = dict(crs=f"EPSG:{tile_corner(tile)[2]}", transform=Affine(10, 0, west, 0, -10, north))
    with rasterio.open(path, "w", driver="GTiff", **(shape | place | changes)) as target:
        target.write(data)
        if names:
            target.descriptions = names
    return path


def write_root(root: Path, size: int = 32, patches: Sequence[str] = PATCHES) -> pd.DataFrame:
    """Write patches of random values, and their labels; the selection of all of them."""
    rng = np.random.Generator(np.random.PCG64(5))
    days = [str(day).replace("-", "") for day in DAYS]
    for patch in patches:
        labels.write(root / "labels", patch, **labels.document(patch, s2=days, s1=days))
        reference = rng.integers(1, 15, (1, size, size), dtype=np.uint8)
        write_raster(raster_path(root, "reference", patch), reference)
        for day in DAYS:
            s1 = (rng.gamma(2, 0.05, (2, size, size)) * [[[1]], [[0.2]]]).astype(np.float32)
            s2 = rng.integers(100, 4000, (10, size, size), dtype=np.uint16)
            write_raster(raster_path(root, "s1", patch, day), s1, S1_BANDS)
            write_raster(raster_path(root, "s2", patch, day), s2, S2_BANDS)
    table = pd.DataFrame({"patch": sorted(patches)})
    table["tile"] = table["patch"].str[:5]
    table["split"] = table["tile"].map(MULTISENGE.split_of)
    for column in ("s1_dates", "s2_dates"):
        table[column] = pd.Series([DAYS] * len(table), dtype=object)
    return table


_VRT_TYPES = {"uint8": "Byte", "uint16": "UInt16", "int16": "Int16", "float32": "Float32"}


def write_separate(path: Path, bands: Sequence[tuple], crs: str, transform: Affine) -> Path:
    """Write a raster whose bands differ in type and tags, as `gdalbuildvrt -separate` does.

    Args:
        path: path of the VRT; its bands lie in files of a folder beside it.
        bands: for each band its name, its pixels `(height, width)` and its tags, by the names that
            they have in a VRT: `NoDataValue`, `Scale`, `Offset`.
        crs: projection of all bands.
        transform: from their pixels to coordinates.
    """
    folder = path.parent / f"{path.stem}-bands"
    folder.mkdir()
    height, width = bands[0][1].shape
    root = ElementTree.Element("VRTDataset", rasterXSize=f"{width}", rasterYSize=f"{height}")
    ElementTree.SubElement(root, "SRS").text = crs
    place = ", ".join(map(repr, transform.to_gdal()))
    ElementTree.SubElement(root, "GeoTransform").text = place
    for number, (name, pixels, tags) in enumerate(bands, 1):
        file = folder / f"{number}.tif"
        shape = {"count": 1, "height": height, "width": width, "dtype": pixels.dtype}
        with rasterio.open(file, "w", "GTiff", crs=crs, transform=transform, **shape) as target:
            target.write(pixels, 1)
        attributes = {"dataType": _VRT_TYPES[str(pixels.dtype)], "band": f"{number}"}
        band = ElementTree.SubElement(root, "VRTRasterBand", attributes)
        ElementTree.SubElement(band, "Description").text = name
        for tag, value in tags.items():
            ElementTree.SubElement(band, tag).text = f"{value}"
        source = ElementTree.SubElement(band, "SimpleSource")
        ElementTree.SubElement(source, "SourceFilename").text = str(file)
        ElementTree.SubElement(source, "SourceBand").text = "1"
    ElementTree.ElementTree(root).write(path)
    return path


#: Cropland in July (facts): blue, green, red, near infrared, reflectance x 10,000.
LEAVES = np.array([660, 936, 916, 3226])
LEAF_BANDS = ("B2", "B3", "B4", "B8")


def leaves(dtype=np.uint16, scale=1.0, size=8):
    """An image of cropland alone, `(4, size, size)`."""
    column = (LEAVES * scale).astype(dtype)
    return np.broadcast_to(column[:, None, None], (4, size, size)).copy()
