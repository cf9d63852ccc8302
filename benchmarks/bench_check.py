"""Checking a data root against opening and reading the same files with rasterio, same threads.

Files are uncompressed, of published size (one date a sensor), and in the system's cache after the
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


def read_plainly(root, threads):
    def read(path):
        with rasterio.open(path) as source:
            return source.read().shape

    with (
        ThreadPoolExecutor(threads) as pool,
        rasterio.Env(GDAL_DISABLE_READDIR_ON_OPEN="EMPTY_DIR"),
    ):
        return list(pool.map(read, sorted(root.rglob("*.tif"))))


def measure(quick, rounds):
    threads, patches = machine()["cores"], 8 if quick else 1000
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "root"
        write_root(root, patches, size=64 if quick else 256)
        calls = partial(check_root, root, threads), partial(read_plainly, root, threads)
        words = f"check of {3 * patches:,} rasters"
        peer = f"rasterio alone, {threads} threads"
        return {"rows": [compared(words, calls[0], peer, calls[1], rounds, target_ratio=0.5)]}
