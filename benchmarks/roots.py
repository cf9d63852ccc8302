"""A data root of the published layout for the benchmarks: uncompressed rasters of random values."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import rasterio

from multisenge_lib.dataset import S1_BANDS, S2_BANDS, patch_bounds, raster_path
from multisenge_lib.dataset.encoding import label_bytes

DAYS = np.array(["2020-07-07", "2020-08-06", "2020-09-05", "2020-11-04"], "datetime64[D]")
TILE = "31UFQ"
#: Patches in a row, and the pixels from one to the next.
PATCHES_PER_ROW = 42
PIXELS_BETWEEN = 257


def write_raster(path: Path, data: np.ndarray, names: Sequence[str]) -> None:
    """Write a GeoTIFF `(bands, height, width)` where the name of its patch says that it lies."""
    x, y = (int(number) for number in path.stem.split("_")[-2:])
    west, _, _, north = patch_bounds(TILE, x, y)
    bands, height, width = data.shape
    path.parent.mkdir(parents=True, exist_ok=True)
    profile = {
        "count": bands,
        "height": height,
        "width": width,
        "dtype": data.dtype,
        "crs": "EPSG:32631",
        "transform": rasterio.Affine(10, 0, west, 0, -10, north),
    }
    with rasterio.open(path, "w", "GTiff", **profile) as target:
        target.write(data)
        target.descriptions = names


def write_root(root: Path, count: int, days: np.ndarray = DAYS[:1], size: int = 256) -> None:
    """Write patches with random values, and labels that name them.

    Args:
        root: a new folder.
        count: patches.
        days: of the images of each sensor.
        size: pixels along a patch's side.
    """
    rng = np.random.Generator(np.random.PCG64(1))
    s2 = rng.integers(300, 4000, (10, size, size), dtype=np.uint16)
    s1 = rng.gamma(2, 0.04, (2, size, size)).astype(np.float32)
    s1[1] *= 0.2  # VH is below VV
    classes = rng.integers(1, 15, (1, size, size), dtype=np.uint8)

    (root / "labels").mkdir(parents=True)
    for number in range(count):
        row, column = divmod(number, PATCHES_PER_ROW)
        patch = f"{TILE}_{column * PIXELS_BETWEEN}_{row * PIXELS_BETWEEN}"
        label = label_bytes(patch, {"s1": days, "s2": days}, range(1, 15))
        (root / "labels" / f"{patch}.json").write_bytes(label)
        write_raster(raster_path(root, "reference", patch), classes, ["class"])
        for day in days:
            write_raster(raster_path(root, "s2", patch, day), s2, S2_BANDS)
            write_raster(raster_path(root, "s1", patch, day), s1, S1_BANDS)
