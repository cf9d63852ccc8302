"""A data root of the published layout for the benchmarks: uncompressed rasters of random values."""

import numpy as np
import rasterio

from multisenge_lib.dataset import S1_BANDS, S2_BANDS, patch_bounds, raster_path
from multisenge_lib.dataset.encoding import label_bytes

DAYS = np.array(["2020-07-07", "2020-08-06", "2020-09-05", "2020-11-04"], "datetime64[D]")
TILE = "31UFQ"


def write(path, data, names):
    x, y = map(int, path.stem.split("_")[-2:])
    west, _, _, north = patch_bounds(TILE, x, y)
    path.parent.mkdir(parents=True, exist_ok=True)
    options = dict(zip(("count", "height", "width"), data.shape, strict=True))
    place = {"crs": "EPSG:32631", "transform": rasterio.Affine(10, 0, west, 0, -10, north)}
    with rasterio.open(path, "w", "GTiff", dtype=data.dtype, **options, **place) as target:
        target.write(data)
        target.descriptions = names


def write_root(root, count, days=DAYS[:1], size=256):
    """Uncompressed rasters of random values, and labels that name them."""
    rng = np.random.Generator(np.random.PCG64(1))
    s2 = rng.integers(300, 4000, (10, size, size), dtype=np.uint16)
    s1 = (rng.gamma(2, 0.04, (2, size, size)) * [[[1]], [[0.2]]]).astype(np.float32)
    classes = rng.integers(1, 15, (1, size, size), dtype=np.uint8)
    (root / "labels").mkdir(parents=True)
    for number in range(count):
        patch = f"{TILE}_{number % 42 * 257}_{number // 42 * 257}"
        label = label_bytes(patch, {"s1": days, "s2": days}, range(1, 15))
        (root / "labels" / f"{patch}.json").write_bytes(label)
        write(raster_path(root, "reference", patch), classes, ["class"])
        for day in days:
            write(raster_path(root, "s2", patch, day), s2, S2_BANDS)
            write(raster_path(root, "s1", patch, day), s1, S1_BANDS)
