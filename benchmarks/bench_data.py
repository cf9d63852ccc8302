"""The packed store against readers of the GeoTIFFs: batches, packing, statistics.

The plain reader opens each GeoTIFF of a patch, casts to float64 and one-hot encodes the reference;
the plain statistics are a NumPy pass a file, in float64. Rasters are uncompressed, as those of the
published archives seem to be by their bytes; all files are in the system's cache after the first
turn.
"""

import shutil
import tempfile
import tracemalloc
from functools import partial
from pathlib import Path

import numpy as np
import rasterio
from common import compared, row
from roots import DAYS, write_root

from multisenge_lib.dataset import TYPOLOGIES, load_selection, pack, raster_path, read_patch
from multisenge_lib.models import EXPERIMENTS
from multisenge_lib.training.batches import Batches, count_classes, streamed_statistics

BATCH, SENSORS, CLASSES = 16, ("s1", "s2"), TYPOLOGIES["10c"]
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
    for patch in rows:
        for kind, path in files_of(root, patch):
            with rasterio.open(path) as source:
                values = source.read().astype(np.float64)
            if kind == "reference":
                np.unique(values, return_counts=True)
            else:
                values.mean(axis=(1, 2)), values.std(axis=(1, 2))


def copied(root, rows, folder):
    target = Path(tempfile.mkdtemp(dir=folder))
    for patch in rows:
        for _, path in files_of(root, patch):
            shutil.copyfile(path, target / path.name)
    shutil.rmtree(target)


def packed_anew(root, selection, folder):
    target = tempfile.mkdtemp(dir=folder)
    pack(root, selection, target)
    shutil.rmtree(target)


def peak(call):
    tracemalloc.start()
    call()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most / 1e6


def each(calls):
    return [call() for call in calls]


def passes(store):
    streamed_statistics(store, EXPERIMENT)
    count_classes(store, CLASSES)


def measured(root, folder, rounds):
    selection = load_selection(root).assign(split="train")
    rows = list(selection.itertuples())
    store = pack(root, selection, folder)
    batches = Batches(store, store.positions("train"), SENSORS, CLASSES, BATCH)
    words, plain = f"{len(rows)} patches", "each GeoTIFF in float64, one-hot"

    def epoch():
        return [batches[number] for number in range(batches.num_batches)]

    theirs = partial(plain_epoch, root, rows)
    yield compared(f"batches of {BATCH}, {words}", epoch, plain, theirs, rounds, target_ratio=15)
    memory = peak(lambda: batches[0]), peak(partial(plain_epoch, root, rows[:BATCH]))
    yield row(
        f"memory of a batch of {BATCH}", memory[:1], plain, memory[1:], unit="MB", target_ratio=4
    )
    ours, theirs = partial(passes, store), partial(plain_statistics, root, rows)
    work, peer = f"statistics and class counts, {words}", "a NumPy pass a file"
    yield compared(work, ours, peer, theirs, rounds, target_ratio=5)
    ours, theirs = (
        partial(packed_anew, root, selection, folder),
        partial(copied, root, rows, folder),
    )
    yield compared(
        f"packing {words}", ours, "copying the files", theirs, rounds, target_ratio=1 / 3
    )
    ours, theirs = ([partial(read, root, r) for r in rows] for read in (read_patch, plain_patch))
    work, peer = f"reading and checking {words}", "reading as the plain reader"
    yield compared(work, partial(each, ours), peer, partial(each, theirs), rounds)


def measure(quick, rounds):
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "root"
        write_root(root, 4 if quick else 32, DAYS, 64 if quick else 256)
        return {"rows": list(measured(root, folder, rounds))}
