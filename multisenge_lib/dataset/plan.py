"""A rehearsal: what the whole of a dataset takes, before an image of it is fetched.

The labels are the real ones, and all of them. The images are stand-ins: a few patches of random
values, written, read, packed and read again by the code that will do it, and timed on this machine.
"""

import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import rasterio
from rasterio.transform import from_origin

from multisenge_lib.dataset.description import describe, is_described, write_description
from multisenge_lib.dataset.download import ARCHIVES
from multisenge_lib.dataset.geo import patch_bounds, tile_corner
from multisenge_lib.dataset.labels import read_index
from multisenge_lib.dataset.layout import (
    LABELS,
    MULTISENGE,
    PIXEL,
    SPLITS,
    Dataset,
    raster_path,
    split_patch,
)
from multisenge_lib.dataset.rasters import read_patch
from multisenge_lib.dataset.selection import select
from multisenge_lib.dataset.store import pack
from multisenge_lib.errors import SelectionError

#: Patches that rates are measured on, and how often.
_STAND_INS, _TIMES = 8, 3


def _timed(call: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    result = call()
    return time.perf_counter() - start, result


def _write_raster(path: Path, patch: str, values: np.ndarray, names: tuple[str, ...]) -> None:
    tile, x, y = split_patch(patch)
    count, size, _ = values.shape
    west, _, _, north = patch_bounds(tile, int(x), int(y), size)
    shape = {"count": count, "height": size, "width": size, "dtype": values.dtype}
    ground = {"crs": tile_corner(tile)[2], "transform": from_origin(west, north, PIXEL, PIXEL)}
    path.parent.mkdir(parents=True, exist_ok=True)
    with rasterio.open(path, "w", driver="GTiff", **shape, **ground) as target:
        target.write(values)
        target.descriptions = names


def write_stand_ins(root: Path, rows: pd.DataFrame, dataset: Dataset) -> None:
    """Rasters of random values for some rows of a selection, uncompressed as the published ones."""
    rng = np.random.Generator(np.random.PCG64(0))
    side = (dataset.patch_pixels, dataset.patch_pixels)
    (root / LABELS).mkdir(parents=True)
    if dataset.name != MULTISENGE.name:
        write_description(root, replace(dataset, name="stand-ins"))
    for row in rows.itertuples():
        ids = rng.integers(1, len(dataset.published) + 1, (1, *side), dtype=np.uint8)
        _write_raster(raster_path(root, "reference", row.patch), row.patch, ids, ("class",))
        for sensor, bands in dataset.bands.items():
            for day in getattr(row, f"{sensor}_dates"):
                values = rng.integers(200, 3000, (len(bands), *side), dtype=np.uint16)
                if sensor == "s1":  # the second band, VH, is the darker
                    fainter = np.linspace(1, 0.2, len(bands))[:, None, None]
                    values = (values / 20_000 * fainter).astype(np.float32)
                path = raster_path(root, sensor, row.patch, day)
                _write_raster(path, row.patch, values, bands)


def measure_rates(rows: pd.DataFrame, dataset: Dataset) -> dict[str, float]:
    """Seconds and bytes a patch on this machine, by stand-ins for some rows of a selection.

    Returns:
        `raster_bytes`, `packed_bytes`, and the seconds `raster`, `pack` and `store` that reading
        its rasters, packing them and reading them from the store take; medians, but for packing.
    """
    rows = rows.head(_STAND_INS).reset_index(drop=True)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "root"
        write_stand_ins(root, rows, dataset)
        options = {"sensors": dataset.sensors, "dataset": dataset}
        raster = [
            _timed(lambda row=row: read_patch(root, row, **options))[0]
            for _ in range(_TIMES)
            for row in rows.itertuples()
        ]
        packing, store = _timed(lambda: pack(root, rows, Path(folder) / "packed"))
        places = [(n, int(i)) for n in store.arrays for i in store.patches["position"]]
        reading = [_timed(lambda: [store.read(*at) for at in places])[0] for _ in range(_TIMES)]
        packed = sum(array.nbytes for array in store.arrays.values())
        stored = sum(path.stat().st_size for path in root.rglob("*.tif"))
    count = len(rows)
    return {
        "raster_bytes": stored / count,
        "packed_bytes": packed / count,
        "raster": float(np.median(raster)),
        "pack": packing / count,
        "store": float(np.median(reading)) / count,
    }


def _disk(dataset: Dataset, patches: int, rates: dict[str, float]) -> list[tuple]:
    rows = []
    if dataset.name == MULTISENGE.name:
        packed = sum(sizes[0] for sizes in ARCHIVES.values())
        rows = [
            ("archives to fetch", packed, "GB", "published sizes"),
            ("unpacked, selected dates", sum(s[2] for s in ARCHIVES.values()), "GB", "estimated"),
        ]
    return [
        *rows,
        ("these rasters, uncompressed", patches * rates["raster_bytes"] / 1e9, "GB", "computed"),
        ("packed store", patches * rates["packed_bytes"] / 1e9, "GB", "computed"),
    ]


def plan(
    labels: Path | str, dataset: Dataset | None = None, batch_size: int = 16
) -> tuple[pd.DataFrame, dict[str, int]]:
    """What a dataset takes: counts of its labels, disk, memory and time on this machine.

    Args:
        labels: the label files, a folder or an archive.
        dataset: by default what the folder above says it is, else MultiSenGE.
        batch_size: patches a step.

    Returns:
        A table of `what`, `value`, `unit` and `how` (counted, measured or computed), in the order
        of the work; and the patches selected, by split.

    Raises:
        MultiSenGEError: the labels are wrong, or no patch is selected.
    """
    above = Path(labels).parent
    dataset = dataset or (describe(above) if is_described(above) else MULTISENGE)
    indexing, index = _timed(lambda: read_index(labels, dataset))
    selecting, selection = _timed(lambda: select(index, dataset=dataset))
    if selection.empty:
        raise SelectionError(f"{labels}: 0 patches selected: nothing to plan")
    rates, patches = measure_rates(selection, dataset), len(selection)
    splits = {split: int((selection["split"] == split).sum()) for split in SPLITS}
    files = patches + sum(int(selection[f"{s}_dates"].map(len).sum()) for s in dataset.sensors)
    batch = batch_size * rates["packed_bytes"] / 1e6
    rows = [
        ("patches with labels", len(index), "", "counted"),
        ("patches selected", patches, "", "counted"),
        *((f"patches for {split}", count, "", "counted") for split, count in splits.items()),
        ("rasters that are read", files, "", "counted"),
        (f"steps an epoch, batches of {batch_size}", splits["train"] // batch_size, "", "computed"),
        *_disk(dataset, patches, rates),
        (f"a batch of {batch_size} patches, raw", batch, "MB", "computed"),
        ("reading the labels", indexing, "s", "measured"),
        ("selecting", selecting, "s", "measured"),
        ("reading a patch's rasters", 1000 * rates["raster"], "ms", "measured"),
        ("reading a packed patch", 1000 * rates["store"], "ms", "measured"),
        ("packing all", patches * rates["pack"] / 60, "min", "computed"),
        ("reading an epoch", splits["train"] * rates["store"], "s", "computed"),
    ]
    return pd.DataFrame(rows, columns=["what", "value", "unit", "how"]), splits
