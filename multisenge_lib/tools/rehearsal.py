"""A rehearsal: what the whole of a dataset takes, before an image of it is fetched.

The labels are the real ones, and all of them, or the committed counts of them. The images are
stand-ins: a few patches of random values, written, read, packed and read again by the code that
will do it, and timed on this machine.
"""

import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from multisenge_lib.audit import read_record
from multisenge_lib.dataset import (
    LABELS,
    MULTISENGE,
    SPLITS,
    STRIDE,
    Dataset,
    pack,
    raster_bytes,
    raster_path,
    read_index,
    read_patch,
    select,
    write_dataset_toml,
)
from multisenge_lib.errors import SelectionError
from multisenge_lib.tools.archives import ARCHIVES

#: Patches that rates are measured on.
_STAND_INS = 16
#: Patches a step (section 3.4).
_BATCH = 16


def _timed(call: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    result = call()
    return time.perf_counter() - start, result


def _write_stand_ins(root: Path, rows: pd.DataFrame, dataset: Dataset) -> None:
    """Rasters of random values for rows of a selection, uncompressed as the published ones."""
    rng = np.random.Generator(np.random.PCG64(0))
    (root / LABELS).mkdir(parents=True)
    if dataset.name != MULTISENGE.name:
        write_dataset_toml(root, replace(dataset, name="stand-ins"))
    bands = {"reference": ("class",), **dataset.bands}
    for row in rows.itertuples():
        for kind, names in bands.items():
            for day in [None] if kind == "reference" else getattr(row, f"{kind}_dates"):
                shape = (len(names), dataset.patch_pixels, dataset.patch_pixels)
                values = rng.integers(200, 3000, shape, dtype=np.uint16)
                if kind == "s1":  # the second band, VH, is the darker
                    fainter = np.linspace(1, 0.2, len(names))[:, None, None]
                    values = (values / 20_000 * fainter).astype(np.float32)
                elif kind == "reference":
                    values = (values % len(dataset.published) + 1).astype(np.uint8)
                path = raster_path(root, kind, row.patch, day)
                path.parent.mkdir(exist_ok=True)
                raw = raster_bytes(row.patch, values, names, compress="none", predictor=1)
                path.write_bytes(raw)


def _measure(rows: pd.DataFrame, dataset: Dataset) -> dict[str, float]:
    """Bytes, and seconds to read, to pack and to read packed, a patch; by stand-ins."""
    rows = rows.head(_STAND_INS).reset_index(drop=True)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "root")
        _write_stand_ins(root, rows, dataset)

        def read() -> None:
            for row in rows.itertuples():
                read_patch(root, row, dataset.sensors, dataset=dataset)

        reading, _ = _timed(read)
        packing, store = _timed(lambda: pack(root, rows, Path(folder, "packed")))
        at = [(name, int(i)) for name in store.arrays for i in store.patches["position"]]
        again, _ = _timed(lambda: [store.read(*place) for place in at])
        packed = sum(array.nbytes for array in store.arrays.values())
    taken = {"bytes": packed, "read": reading, "pack": packing, "packed": again}
    return {name: value / len(rows) for name, value in taken.items()}


def format_quantity(value: float, unit: str) -> str:
    """A value of the table with its unit: whole where it is large or whole, else three digits."""
    whole = value >= 100 or float(value).is_integer()
    return f"{value:,.0f} {unit}".strip() if whole else f"{value:.3g} {unit}"


class _Counted(NamedTuple):
    """Patches with labels; those selected, by split; rows for stand-ins; what counting took."""

    labelled: int
    splits: dict[str, int]
    rows: pd.DataFrame
    taken: list[tuple]


def _count(labels: Path | str, dataset: Dataset) -> _Counted:
    indexing, index = _timed(lambda: read_index(labels, dataset))
    selecting, selection = _timed(lambda: select(index, dataset=dataset))
    if selection.empty:
        raise SelectionError(f"{labels}: 0 patches selected: nothing to plan")
    splits = {split: int((selection["split"] == split).sum()) for split in SPLITS}
    taken = [
        ("reading the labels", indexing, "s", "measured"),
        ("selecting", selecting, "s", "measured"),
    ]
    return _Counted(len(index), splits, selection.head(_STAND_INS), taken)


def _counted_before() -> _Counted:
    """From the committed record of MultiSenGE's labels."""
    record = read_record()
    year, months = MULTISENGE.years[0], MULTISENGE.months
    days = np.array([f"{year}-{month:02}-01" for month in months], "datetime64[D]")
    row = {"tile": "31UEQ", "split": "test", "s1_dates": days, "s2_dates": days}
    rows = [{"patch": f"31UEQ_{STRIDE * i}_0"} | row for i in range(_STAND_INS)]
    splits = {split: int(count) for split, count in record.splits.items()}
    return _Counted(record.totals["patches"], splits, pd.DataFrame(rows), [])


def plan(
    labels: Path | str | None, dataset: Dataset = MULTISENGE
) -> tuple[pd.DataFrame, dict[str, int]]:
    """What a dataset takes: counts of its labels, disk, memory and time on this machine.

    Args:
        labels: the label files, a folder or an archive; None for the committed counts of
            MultiSenGE's.
        dataset: of the labels.

    Returns:
        A table of `what`, `value`, `unit` and `how` it is known (counted, published, estimated,
        measured or computed), in the order of the work; and the patches selected, by split.

    Raises:
        MultiSenGEError: the labels are wrong, or no patch is selected.
    """
    labelled, splits, stand_ins, taken = (
        _counted_before() if labels is None else _count(labels, dataset)
    )
    rates, patches = _measure(stand_ins, dataset), sum(splits.values())
    files = patches * (1 + len(dataset.months) * len(dataset.sensors))
    archives = [*zip(*ARCHIVES.values(), strict=True)] if dataset.name == MULTISENGE.name else []
    rows = [
        ("patches with labels", labelled, "", "counted"),
        ("patches selected", patches, "", "counted"),
        *((f"patches for {split}", count, "", "counted") for split, count in splits.items()),
        ("rasters that are read", files, "", "counted"),
        (f"steps an epoch, batches of {_BATCH}", splits["train"] // _BATCH, "", "computed"),
        *(("archives to fetch", sum(sizes), "GB", "published") for sizes in archives[:1]),
        *(("unpacked, all dates", sum(sizes), "GB", "estimated") for sizes in archives[1:2]),
        *(("unpacked, selected dates", sum(sizes), "GB", "estimated") for sizes in archives[2:]),
        ("packed store", patches * rates["bytes"] / 1e9, "GB", "computed"),
        (f"{_BATCH} patches in memory", _BATCH * rates["bytes"] / 1e6, "MB", "computed"),
        *taken,
        ("reading the rasters of a patch", 1000 * rates["read"], "ms", "measured"),
        ("reading a packed patch", 1000 * rates["packed"], "ms", "measured"),
        ("packing all", patches * rates["pack"] / 60, "min", "computed"),
        ("reading a packed epoch", splits["train"] * rates["packed"], "s", "computed"),
    ]
    return pd.DataFrame(rows, columns=["what", "value", "unit", "how"]), splits
