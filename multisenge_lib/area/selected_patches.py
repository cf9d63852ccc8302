"""How many patches of a data root are selected for training and tests, by split."""

import warnings

import pandas as pd

from multisenge_lib.dataset import (
    SPLITS,
    Dataset,
    make_selection,
    months_in_words,
    why_none_selected,
)
from multisenge_lib.errors import SelectionError, counted


def describe_selected(index: pd.DataFrame, dataset: Dataset) -> tuple[str, int]:
    """Count the patches of an index that training and tests would take; maps take any split.

    Args:
        index: all patches of a root, with the dates of the rasters that are there.
        dataset: the root's description.

    Returns:
        A sentence without a full stop, and how many patches are selected.

    Raises:
        SelectionError: no patch is selected; the message says why.
    """
    with warnings.catch_warnings():
        # They name the patches that are left out, which the sentence counts.
        warnings.simplefilter("ignore")
        selected = make_selection(index, dataset=dataset).patches
    if selected.empty:
        raise SelectionError(str(why_none_selected(index, dataset)))
    counts = selected["split"].value_counts()
    by_split = ", ".join(f"{counts.get(split, 0)} for {split}" for split in SPLITS)
    patches = counted(len(index), "patch", "patches")
    months = months_in_words(dataset.months)
    sentence = f"Selected {len(selected)} of {patches}, with images of {months}: {by_split}"
    return sentence, len(selected)
