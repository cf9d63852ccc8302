"""The packed store against readers of the GeoTIFFs: batches, packing, statistics.

The plain reader opens each GeoTIFF of a patch, casts to float64 and one-hot encodes the reference;
the plain statistics are a NumPy pass per file, in float64. Rasters are uncompressed, as those of
the published archives seem to be by their bytes; all files are in the system's cache after the
first turn.
"""

import shutil
import tempfile
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import rasterio
from common import compared, row
from roots import DAYS, write_root

from multisenge_lib.dataset import (
    TYPOLOGIES,
    Store,
    load_selection,
    pack,
    raster_path,
    read_patch,
)
from multisenge_lib.models import EXPERIMENTS
from multisenge_lib.training.batches import Batches, count_classes, streamed_statistics

BATCH = 16
SENSORS = ("s1", "s2")
CLASSES = TYPOLOGIES["10c"]
EXPERIMENT = EXPERIMENTS["inception_10c"]

#: A row of a selection: the patch and its dates.
PatchRow = Any


# --- The plain way ---


def files_of(root: Path, patch: PatchRow) -> Iterator[tuple[str, Path]]:
    """Yield the files of a patch, each with what it is of: the reference or a sensor."""
    yield "reference", raster_path(root, "reference", patch.patch)
    for sensor in SENSORS:
        for day in getattr(patch, f"{sensor}_dates"):
            yield sensor, raster_path(root, sensor, patch.patch, day)


def read_plainly(root: Path, patch: PatchRow) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Read a patch: the series of each sensor, and the one-hot encoded reference."""
    images = {"s1": [], "s2": []}
    for kind, path in files_of(root, patch):
        with rasterio.open(path) as source:
            values = source.read()
        if kind == "reference":
            ids = CLASSES.lookup[values[0]]
            one_hot = np.eye(len(CLASSES) + 1)[ids]
        else:
            images[kind].append(np.moveaxis(values.astype(np.float64), 0, -1))
    return np.stack(images["s1"]), np.stack(images["s2"]), one_hot


def plain_epoch(root: Path, patches: Sequence[PatchRow]) -> None:
    """Read all patches in batches."""
    for start in range(0, len(patches), BATCH):
        batch = [read_plainly(root, patch) for patch in patches[start : start + BATCH]]
        for arrays in zip(*batch, strict=True):
            np.stack(arrays)


def plain_statistics(root: Path, patches: Sequence[PatchRow]) -> None:
    """Compute the statistics of each file."""
    for patch in patches:
        for kind, path in files_of(root, patch):
            with rasterio.open(path) as source:
                values = source.read().astype(np.float64)
            if kind == "reference":
                np.unique(values, return_counts=True)
            else:
                values.mean(axis=(1, 2))
                values.std(axis=(1, 2))


def copy_files(root: Path, patches: Sequence[PatchRow], folder: Path) -> None:
    """Copy all files of the patches, and delete the copies."""
    target = Path(tempfile.mkdtemp(dir=folder))
    for patch in patches:
        for _, path in files_of(root, patch):
            shutil.copyfile(path, target / path.name)
    shutil.rmtree(target)


# --- Ours ---


def pack_anew(root: Path, selection: pd.DataFrame, folder: Path) -> None:
    """Pack the patches, and delete the store."""
    target = tempfile.mkdtemp(dir=folder)
    pack(root, selection, target)
    shutil.rmtree(target)


def our_epoch(batches: Batches) -> list[Any]:
    """Read all batches."""
    return [batches[number] for number in range(batches.num_batches)]


def our_statistics(store: Store) -> None:
    """Compute what training needs first."""
    streamed_statistics(store, EXPERIMENT)
    count_classes(store, CLASSES)


# --- Both ---


def read_each(
    read: Callable[[Path, PatchRow], Any], root: Path, patches: Sequence[PatchRow]
) -> list[Any]:
    """Read patches one by one."""
    return [read(root, patch) for patch in patches]


def peak_megabytes(call: Callable[[], Any]) -> float:
    """Return the most memory that a call has at once."""
    tracemalloc.start()
    call()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most / 1e6


def compare_all(root: Path, folder: Path, rounds: int) -> list[dict]:
    """Compare batches, their memory, statistics, packing and reading."""
    selection = load_selection(root).assign(split="train")
    patches = list(selection.itertuples())
    store = pack(root, selection, folder)
    batches = Batches(store, store.positions("train"), SENSORS, CLASSES, BATCH)
    count = f"{len(patches)} patches"
    plain_reader = "each GeoTIFF in float64, one-hot"

    of_batches = compared(
        f"batches of {BATCH}, {count}",
        partial(our_epoch, batches),
        plain_reader,
        partial(plain_epoch, root, patches),
        rounds,
        target_ratio=15,
    )
    of_memory = row(
        f"memory of a batch of {BATCH}",
        [peak_megabytes(lambda: batches[0])],
        plain_reader,
        [peak_megabytes(partial(plain_epoch, root, patches[:BATCH]))],
        unit="MB",
        target_ratio=4,
    )
    of_statistics = compared(
        f"statistics and class counts, {count}",
        partial(our_statistics, store),
        "a NumPy pass per file",
        partial(plain_statistics, root, patches),
        rounds,
        target_ratio=5,
    )
    of_packing = compared(
        f"packing {count}",
        partial(pack_anew, root, selection, folder),
        "copying the files",
        partial(copy_files, root, patches, folder),
        rounds,
        target_ratio=1 / 3,
    )
    of_reading = compared(
        f"reading and checking {count}",
        partial(read_each, read_patch, root, patches),
        "reading as the plain reader",
        partial(read_each, read_plainly, root, patches),
        rounds,
    )
    return [of_batches, of_memory, of_statistics, of_packing, of_reading]


def measure(quick: bool, rounds: int) -> dict[str, list]:
    """Compare all on a root of 32 patches."""
    patches = 4 if quick else 32
    size = 64 if quick else 256
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        root = folder / "root"
        write_root(root, patches, DAYS, size)
        return {"rows": compare_all(root, folder, rounds)}
