"""Which patches of a data root a network can map."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from multisenge_lib.dataset import dataset_of_root, load_selection


def patches_to_map(
    root: Path | str, months: Sequence[int], sensors: Sequence[str], s1_per_month: int = 1
) -> pd.DataFrame:
    """Select the patches of a data root that have a full series, whatever their split.

    Args:
        root: the data root.
        months: of the series that the network takes.
        sensors: that the network takes.
        s1_per_month: Sentinel-1 images of each month that it takes.

    Returns:
        One row per patch, as `dataset.select` returns it, all in the split `test`.
    """
    dataset = dataset_of_root(root)
    bands = {sensor: dataset.bands[sensor] for sensor in sensors}
    # With all tiles for test, no patch is left out because it is too near to another split.
    everywhere = replace(dataset, split_of_tile=dict.fromkeys(dataset.tiles, "test"), bands=bands)
    s1_rule = dataset.s1_rule
    if s1_per_month != dataset.s1_per_month:
        s1_rule = "first" if s1_per_month == 1 else f"first{s1_per_month}"
    return load_selection(root, months, s1_rule=s1_rule, sensors=sensors, dataset=everywhere)
