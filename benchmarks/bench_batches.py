"""The packed store against readers of the GeoTIFFs: batches, packing, statistics.

    python benchmarks/bench_batches.py [--size 256] [--patches 32] [--rounds 5]

The plain reader opens each GeoTIFF of a patch, casts to float64 and one-hot encodes the reference;
the plain statistics are a NumPy pass a file, in float64. Rasters are uncompressed, as those of the
published archives seem to be by their bytes; all files are in the system's cache after the first
turn. In turns: a ratio is taken turn by turn, its median is printed, with the least and the most.
"""

import argparse
import os
import platform
import shutil
import statistics
import tempfile
import time
import tracemalloc
from pathlib import Path

import numpy as np
import rasterio
from bench_check import DAYS, write_root

from multisenge_lib.dataset import (
    MULTISENGE,
    TYPOLOGIES,
    load_selection,
    pack,
    raster_path,
    read_patch,
)
from multisenge_lib.models import EXPERIMENTS
from multisenge_lib.training.batches import Batches, count_classes, streamed_statistics

BATCH, SENSORS, CLASSES = 16, ("s1", "s2"), TYPOLOGIES[10]
EXPERIMENT = EXPERIMENTS["inception_10c"]


def files_of(root, row):
    yield "reference", raster_path(root, "reference", row.patch)
    for sensor in SENSORS:
        for day in getattr(row, f"{sensor}_dates"):
            yield sensor, raster_path(root, sensor, row.patch, day)


def plain_patch(root, row):
    read = {"s1": [], "s2": []}
    for kind, path in files_of(root, row):
        with rasterio.open(path) as source:
            if kind == "reference":
                one_hot = np.eye(len(CLASSES) + 1)[CLASSES.lookup[source.read(1)]]
            else:
                read[kind].append(np.moveaxis(source.read().astype(np.float64), 0, -1))
    return np.stack(read["s1"]), np.stack(read["s2"]), one_hot


def plain_epoch(root, rows):
    for start in range(0, len(rows), BATCH):
        patches = [plain_patch(root, row) for row in rows[start : start + BATCH]]
        [np.stack(part) for part in zip(*patches, strict=True)]


def plain_statistics(root, rows):
    for row in rows:
        for kind, path in files_of(root, row):
            with rasterio.open(path) as source:
                values = source.read().astype(np.float64)
            if kind == "reference":
                np.unique(values, return_counts=True)
            else:
                values.mean(axis=(1, 2)), values.std(axis=(1, 2))


def copied(root, rows, folder):
    target = Path(tempfile.mkdtemp(dir=folder))
    for row in rows:
        for _, path in files_of(root, row):
            shutil.copyfile(path, target / path.name)
    shutil.rmtree(target)


def packed_anew(root, selection, folder):
    target = tempfile.mkdtemp(dir=folder)
    pack(root, selection, target)
    shutil.rmtree(target)


def seconds(call):
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def peak(call):
    tracemalloc.start()
    call()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most / 1e6


def compare(name, plain, ours, given, count):
    turns = [(seconds(plain), seconds(ours)) for _ in range(given.rounds + 1)][1:]
    times = [1000 * statistics.median(column) / count for column in zip(*turns, strict=True)]
    ratios = sorted(a / b for a, b in turns)
    print(
        f"{name:28} {times[0]:8.2f} {times[1]:8.2f} ms a patch   ratio "
        f"{statistics.median(ratios):6.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--patches", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "root"
        write_root(root, given.patches, DAYS, given.size)
        selection = load_selection(root).assign(split="train")
        rows = list(selection.itertuples())
        store = pack(root, selection, folder)
        batches = Batches(store, store.positions("train"), SENSORS, CLASSES, BATCH)

        def epoch():
            for number in range(batches.num_batches):
                batches[number]

        def passes():
            streamed_statistics(store, EXPERIMENT)
            count_classes(store, CLASSES)

        print(f"{len(rows)} patches of {given.size} pixels, {os.cpu_count()} processors", end=", ")
        print(f"{platform.machine()}; plain, then here:")
        pairs = {
            "batches of 16": (lambda: plain_epoch(root, rows), epoch),
            "statistics and classes": (lambda: plain_statistics(root, rows), passes),
            "copying, packing": (
                lambda: copied(root, rows, folder),
                lambda: packed_anew(root, selection, folder),
            ),
            "reading, and checking": (
                lambda: [plain_patch(root, row) for row in rows],
                lambda: [read_patch(root, row, dataset=MULTISENGE) for row in rows],
            ),
        }
        for name, (plain, ours) in pairs.items():
            compare(name, plain, ours, given, len(rows))
        plain, ours = peak(lambda: plain_epoch(root, rows[:BATCH])), peak(lambda: batches[0])
        print(f"memory of a batch of 16      {plain:8.0f} {ours:8.0f} MB", end=" " * 13)
        print(f"ratio {plain / ours:6.2f}")


if __name__ == "__main__":
    main()
