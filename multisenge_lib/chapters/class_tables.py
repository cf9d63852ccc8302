"""Describe the sample: what each class is drawn from, and what its images measure.

For the book's page about the sample. Everything here is read from the tables that generate the
sample, or measured on its files.
"""

from importlib import resources
from pathlib import Path

import msgspec
import numpy as np
import pandas as pd
import yaml

from multisenge_lib.dataset import (
    MULTISENGE,
    S1_BANDS,
    S2_BANDS,
    SAMPLE,
    load_selection,
    read_patch,
)
from multisenge_lib.sample import CROPS, SURFACES

#: Fewest pixels of a class for which a patch counts as having it: 0.2 ha.
_LEAST_PIXELS = 20


class _ClassText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `classes.yaml` says about one class."""

    made_of: str
    size: str
    differs: str


def _class_texts() -> dict[int, _ClassText]:
    """Read `classes.yaml`, by class id."""
    text = (resources.files(__package__) / "classes.yaml").read_text(encoding="utf-8")
    return msgspec.convert(yaml.safe_load(text), dict[int, _ClassText])


def describe_classes() -> pd.DataFrame:
    """Say what each of the 14 classes is drawn from.

    Returns:
        One row per class, by its id. Columns: `class`, `made of`, `size`, `differs from real land`.
    """
    text_of_class = _class_texts()
    rows = {}
    for land_class in MULTISENGE.reference_classes.classes:
        text = text_of_class[land_class.id]
        rows[land_class.id] = {
            "class": land_class.name,
            "made of": text.made_of,
            "size": text.size,
            "differs from real land": text.differs,
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def describe_crops() -> pd.DataFrame:
    """List the crop calendars of arable land.

    Returns:
        One row per crop. Columns: `share` of the parcels; `shift`, by how many days a parcel is
        early or late at most; and the green part of its cover, 0 to 1, in the middle of each month
        from July to November.
    """
    # Days of the year 2020.
    middle_of_month = {
        "July": 197,
        "August": 228,
        "September": 259,
        "October": 289,
        "November": 320,
    }
    rows = {}
    for crop, share in CROPS["arable"].items():
        surface = SURFACES[crop]
        row = {"share": share, "shift": surface.shift}
        for month, day in middle_of_month.items():
            row[month] = np.interp(day, list(surface.leaf), list(surface.leaf.values()))
        rows[crop] = row
    return pd.DataFrame.from_dict(rows, orient="index")


def measure_shares(root: Path | str) -> pd.DataFrame:
    """Count the pixels of each class in the selected patches of a data root.

    Returns:
        One row per class, by its id. Columns: `class`; `share` of the pixels, 0 to 1; and for each
        split the number of patches that have at least 20 pixels of the class.
    """
    selection = load_selection(root, sensors=("s2",))
    classes = MULTISENGE.reference_classes.classes
    ids = [land_class.id for land_class in classes]
    pixels = pd.Series(0, index=ids)
    patches = pd.DataFrame(0, index=ids, columns=["train", "validation", "test"])
    for row in selection.itertuples():
        reference = read_patch(root, row, sensors=()).reference
        counts = np.bincount(reference.ravel(), minlength=max(ids) + 1)[ids]
        pixels += counts
        patches.loc[counts >= _LEAST_PIXELS, row.split] += 1
    table = pd.DataFrame({"class": [land_class.name for land_class in classes]}, index=ids)
    table["share"] = pixels / pixels.sum()
    return table.join(patches)


def measure_spectra(root: Path | str) -> pd.DataFrame:
    """Measure the mean and the standard deviation of each class, month and band.

    Args:
        root: the data root of the sample.

    Returns:
        Index: class id, month, and `mean` or `std`. Columns: the Sentinel-2 bands, reflectance
        x 10,000, then VV and VH in dB. The statistics of backscatter are of its decibels.
    """
    months = SAMPLE.months
    columns = [*S2_BANDS, *S1_BANDS]
    ids = len(MULTISENGE.reference_classes) + 1  # and 0, no data
    count = np.zeros(ids)
    sums = np.zeros((ids, len(months), len(columns)))
    squares = np.zeros_like(sums)
    for row in load_selection(root).itertuples():
        patch = read_patch(root, row)
        decibels = 10 * np.log10(patch.s1.astype(np.float64))
        images = np.concatenate([patch.s2.astype(np.float64), decibels], axis=-1)
        for land_class in np.unique(patch.reference):
            inside = patch.reference == land_class
            values = images[:, inside]
            count[land_class] += inside.sum()
            sums[land_class] += values.sum(axis=1)
            squares[land_class] += (values**2).sum(axis=1)

    rows = {}
    for land_class in np.flatnonzero(count):
        mean = sums[land_class] / count[land_class]
        variance = squares[land_class] / count[land_class] - mean**2
        for position, month in enumerate(months):
            rows[land_class, month, "mean"] = mean[position]
            rows[land_class, month, "std"] = np.sqrt(variance[position].clip(0))
    table = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
    table.index = pd.MultiIndex.from_tuples(table.index, names=["class", "month", "statistic"])
    return table


def example_patches(root: Path | str) -> dict[int, str]:
    """Choose a test patch that shows each class well: the one with most pixels of it.

    Returns:
        By class id, the name of a patch. A class that no test patch has is left out.
    """
    selection = load_selection(root, sensors=("s2",))
    most = {}
    example = {}
    for row in selection[selection["split"] == "test"].itertuples():
        reference = read_patch(root, row, sensors=()).reference
        ids, counts = np.unique(reference[reference > 0], return_counts=True)
        for land_class, pixels in zip(ids.tolist(), counts, strict=True):
            if pixels > most.get(land_class, 0):
                most[land_class] = pixels
                example[land_class] = row.patch
    return dict(sorted(example.items()))
