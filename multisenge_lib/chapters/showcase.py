"""Patches that the pages show, and the images behind the maps that records hold."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from multisenge_lib.dataset import (
    Dataset,
    Typology,
    dataset_of_root,
    load_selection,
    read_patch,
    reclassify,
)
from multisenge_lib.results import Record


def patches_to_show(selection: pd.DataFrame, count: int, dataset: Dataset) -> list[str]:
    """Choose patches for a figure: those of the dataset's showcase first, then test patches.

    Args:
        selection: from `dataset.select`.
        count: how many to choose, at most.
        dataset: the dataset of the selection.
    """
    is_showcase = selection["patch"].isin(dataset.showcase)
    is_test = selection["split"] == "test"
    # lexsort puts False first, and its last key counts most.
    order = np.lexsort([~is_test, ~is_showcase])
    return selection["patch"].iloc[order].head(count).tolist()


def showcase_images(
    records: Mapping[str, Record], root: Path | str, typology: Typology
) -> dict[str, np.ndarray]:
    """Read the first Sentinel-2 image of the patches whose maps the records hold.

    Only if the data root is of the records' dataset and still holds the same land: a patch whose
    reference is not the record's is left out, so that no map stands beside the image of another
    place.

    Args:
        records: one run per method, of one dataset.
        root: the data root.
        typology: typology of the records.

    Returns:
        By patch, `(height, width, bands) uint16`, reflectance x 10,000.
    """
    images: dict[str, np.ndarray] = {}
    record = next(iter(records.values()))
    if dataset_of_root(root).name != record.metadata.dataset:
        return images
    for row in load_selection(root, sensors=("s2",)).itertuples():
        if row.patch not in record.references:
            continue
        patch = read_patch(root, row, ("s2",))
        reference = reclassify(patch.reference, typology)
        if np.array_equal(reference, record.references[row.patch]):
            images[row.patch] = patch.s2[0]
    return images
