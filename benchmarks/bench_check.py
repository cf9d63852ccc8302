"""Checking a data root against opening and reading the same files with rasterio, same threads.

    python benchmarks/bench_check.py [--patches 1000] [--rounds 3]

Files are uncompressed, of published size (256 pixels, one date a sensor), and in the system's cache
after the first turn: nothing hides what the checks cost. In turns; the ratio is taken turn by turn.
"""

import argparse
import os
import platform
import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import rasterio

from multisenge_lib.dataset import S1_BANDS, S2_BANDS, check_root, patch_bounds, raster_path
from multisenge_lib.dataset.writing import label_bytes

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


def read_plainly(root, threads):
    def read(path):
        with rasterio.open(path) as source:
            return source.read().shape

    with (
        ThreadPoolExecutor(threads) as pool,
        rasterio.Env(GDAL_DISABLE_READDIR_ON_OPEN="EMPTY_DIR"),
    ):
        return list(pool.map(read, sorted(root.rglob("*.tif"))))


def seconds(call, *arguments):
    start = time.perf_counter()
    call(*arguments)
    return time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--patches", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    threads = os.cpu_count()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "root"
        write_root(root, given.patches)
        read_plainly(root, threads)
        turns = [
            (seconds(read_plainly, root, threads), seconds(check_root, root, threads))
            for _ in range(given.rounds)
        ]
    ratios = [plain / checked for plain, checked in turns]
    plain, checked = (statistics.median(column) for column in zip(*turns, strict=True))
    print(f"{3 * given.patches:,} files, {threads} threads, {platform.processor() or 'processor'}")
    middle = statistics.median(ratios)
    print(f"rasterio alone   {plain:6.2f} s")
    print(f"check            {checked:6.2f} s")
    print(f"ratio            {middle:6.2f} ({min(ratios):.2f} to {max(ratios):.2f})")


if __name__ == "__main__":
    main()
