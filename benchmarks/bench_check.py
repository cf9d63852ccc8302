"""Checking a data root against opening and reading the same files with rasterio, same threads.

Files are uncompressed, of published size (one date per sensor), and in the system's cache after the
first turn: nothing hides what the checks cost.
"""

import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import rasterio
from common import compared, machine
from roots import write_root

from multisenge_lib.area import check_root


def shape_of(path: Path) -> tuple[int, ...]:
    """Read a raster, and return its shape."""
    with rasterio.open(path) as source:
        return source.read().shape


def read_plainly(root: Path, threads: int) -> list[tuple[int, ...]]:
    """Read all rasters of a root, and check nothing."""
    paths = sorted(root.rglob("*.tif"))
    with (
        ThreadPoolExecutor(threads) as pool,
        # GDAL would list the folder of each file to find files that belong to it.
        rasterio.Env(GDAL_DISABLE_READDIR_ON_OPEN="EMPTY_DIR"),
    ):
        return list(pool.map(shape_of, paths))


def measure(quick: bool, rounds: int) -> dict[str, list]:
    """Compare both on a root of a thousand patches."""
    threads = machine()["cores"]
    patches = 8 if quick else 1000
    size = 64 if quick else 256
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "root"
        write_root(root, patches, size=size)
        row = compared(
            f"check of {3 * patches:,} rasters",
            partial(check_root, root, threads),
            f"rasterio alone, {threads} threads",
            partial(read_plainly, root, threads),
            rounds,
            target_ratio=0.5,
        )
    return {"rows": [row]}
