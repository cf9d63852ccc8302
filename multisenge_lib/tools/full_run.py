"""What a full run takes on disk, in memory and in time, before an image is fetched.

This is arithmetic. The number of patches comes from the label files, or from the committed counts
of them. Sizes follow from the shape of a patch. Times are rates per patch that the benchmarks
measured on one machine (`measured_rates.json`), multiplied by the number of patches: read them as
an order of magnitude for another machine.
"""

from importlib import resources
from pathlib import Path
from typing import NamedTuple

import msgspec
import pandas as pd

from multisenge_lib.audit import read_label_counts
from multisenge_lib.dataset import (
    MULTISENGE,
    SPLITS,
    Dataset,
    read_index,
    select,
    why_none_selected,
)
from multisenge_lib.errors import SelectionError
from multisenge_lib.models import months_of_images
from multisenge_lib.tools.archives import ARCHIVES
from multisenge_lib.training import Settings

#: Bytes of a pixel and band in the packed store: uint16 reflectance, float32 backscatter.
_BYTES_PER_VALUE = {"s1": 4, "s2": 2}
_SECONDS_PER_HOUR = 3600


class MeasuredRates(msgspec.Struct, frozen=True):
    """What the benchmarks measured on one machine, as `benchmarks/run.py` writes it.

    Attributes:
        machine: its processor, cores, memory and system.
        date: date of the measurement.
        network: the experiment that was trained, the largest.
        patch_pixels: pixels along the side of the patches that were measured.
        batch_size: patches in a step, for `step_memory_bytes`.
        step_memory_bytes: bytes of a training step in float32, computed from the network's shapes.
        seconds_per_patch: seconds of `read rasters`, `pack`, `read packed` and `train`.
    """

    machine: str
    date: str
    network: str
    patch_pixels: int
    batch_size: int
    step_memory_bytes: int
    seconds_per_patch: dict[str, float]


def measured_rates() -> MeasuredRates:
    """Read the rates that the benchmarks measured."""
    file = resources.files("multisenge_lib.tools") / "measured_rates.json"
    return msgspec.json.decode(file.read_bytes(), type=MeasuredRates)


def format_quantity(value: float, unit: str) -> str:
    """Write a number with its unit: whole where it is large or whole, else with three digits."""
    if value >= 100 or float(value).is_integer():
        return f"{value:,.0f} {unit}".strip()
    return f"{value:.3g} {unit}"


def _count_patches(labels: Path | str | None, dataset: Dataset) -> tuple[int, dict[str, int]]:
    """Count the patches with labels, and the selected ones by split."""
    if labels is None:
        record = read_label_counts()
        selected = {split: int(count) for split, count in record.splits.items()}
        return record.totals["patches"], selected
    index = read_index(labels, dataset)
    selection = select(index, dataset=dataset)
    if selection.empty:
        reason = why_none_selected(index, dataset)
        raise SelectionError(f"{labels}: there is nothing to plan; {reason}")
    selected = {split: int((selection["split"] == split).sum()) for split in SPLITS}
    return len(index), selected


def _images(dataset: Dataset, sensor: str) -> int:
    """Count the images of a sensor in the series of one patch."""
    return len(months_of_images(sensor, dataset.months, dataset.s1_per_month))


def _packed_bytes(dataset: Dataset) -> int:
    """Bytes of one patch in the packed store: every date of every sensor, and the reference."""
    pixels = dataset.patch_pixels**2
    bytes_per_pixel = 1  # the reference, uint8
    for sensor, bands in dataset.bands.items():
        bytes_per_pixel += _images(dataset, sensor) * len(bands) * _BYTES_PER_VALUE[sensor]
    return pixels * bytes_per_pixel


class _Row(NamedTuple):
    """One row of the plan; see `plan_full_run`."""

    what: str
    value: float
    unit: str
    how: str


def _archive_rows(dataset: Dataset) -> list[_Row]:
    """Sizes of the published archives; only MultiSenGE has any."""
    if dataset.name != MULTISENGE.name:
        return []
    sizes = ARCHIVES.values()
    fetched = sum(size.archive_gb for size in sizes)
    all_dates = sum(size.unpacked_gb for size in sizes)
    usable_dates = sum(size.usable_gb for size in sizes)
    return [
        _Row("archives to fetch", fetched, "GB", "published"),
        _Row("unpacked, all dates", all_dates, "GB", "estimated"),
        _Row("unpacked, dates that can be used", usable_dates, "GB", "estimated"),
    ]


def _time_rows(selected: dict[str, int], dataset: Dataset, rates: MeasuredRates) -> list[_Row]:
    """Times on the machine of the benchmarks."""
    # All work per patch grows with its pixels, so a smaller patch takes a share of the time.
    share = (dataset.patch_pixels / rates.patch_pixels) ** 2
    seconds = {work: share * rate for work, rate in rates.seconds_per_patch.items()}
    packing = sum(selected.values()) * seconds["pack"]
    reading_epoch = selected["train"] * seconds["read packed"]
    step = rates.batch_size * seconds["train"]
    epoch = selected["train"] * seconds["train"]
    epochs = Settings().epochs
    hours = epoch / _SECONDS_PER_HOUR
    days = epochs * hours / 24
    return [
        _Row("reading the rasters of a patch", 1000 * seconds["read rasters"], "ms", "measured"),
        _Row("reading a packed patch", 1000 * seconds["read packed"], "ms", "measured"),
        _Row("packing all patches", packing / 60, "min", "computed"),
        _Row("reading a packed epoch", reading_epoch, "s", "computed"),
        _Row(f"a step of {rates.batch_size} patches", step, "s", "computed"),
        _Row("an epoch of training, without validation", hours, "h", "computed"),
        _Row(f"{epochs} epochs, the most", days, "d", "computed"),
    ]


def plan_full_run(
    labels: Path | str | None, dataset: Dataset = MULTISENGE
) -> tuple[pd.DataFrame, dict[str, int]]:
    """List what a full run takes: patches, disk, memory, and time on the machine of the benchmarks.

    Args:
        labels: the label files, a folder or an archive; None for the committed counts of
            MultiSenGE's.
        dataset: the dataset that the labels belong to.

    Returns:
        A table with one row per quantity, in the order of the work: `what`, `value`, `unit` and
        `how` it is known (counted, published, estimated, measured or computed). And the number of
        selected patches by split.

    Raises:
        MultiSenGEError: the labels are wrong, or no patch is selected.
    """
    labelled, selected = _count_patches(labels, dataset)
    rates = measured_rates()
    patches = sum(selected.values())
    images = sum(_images(dataset, sensor) for sensor in dataset.sensors)
    rasters = patches * (1 + images)  # 1 for the reference
    packed = _packed_bytes(dataset)
    batch = rates.batch_size
    # What a step keeps grows with its pixels, as the times do.
    step_memory = rates.step_memory_bytes * (dataset.patch_pixels / rates.patch_pixels) ** 2

    steps = selected["train"] // batch
    store_gb = patches * packed / 1e9
    batch_mb = batch * packed / 1e6
    memory_of = f"memory of a step of {rates.network}, float32"

    rows = [
        _Row("patches with labels", labelled, "", "counted"),
        _Row("patches selected", patches, "", "counted"),
    ]
    for split, count in selected.items():
        rows.append(_Row(f"patches for {split}", count, "", "counted"))
    rows.append(_Row("rasters that are read", rasters, "", "counted"))
    rows.append(_Row(f"steps per epoch, batches of {batch}", steps, "", "computed"))
    rows += _archive_rows(dataset)
    rows.append(_Row("packed store", store_gb, "GB", "computed"))
    rows.append(_Row(f"{batch} patches in memory", batch_mb, "MB", "computed"))
    rows.append(_Row(memory_of, step_memory / 1e9, "GB", "computed"))
    rows += _time_rows(selected, dataset, rates)
    return pd.DataFrame(rows), selected
