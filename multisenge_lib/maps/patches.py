"""Which patches of a data root a network can map."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from multisenge_lib.dataset import dataset_of_root, load_selection


def patches_to_map(root: Path | str, months: Sequence[int], sensors: Sequence[str]) -> pd.DataFrame:
    """Select the patches of a data root that have a full series, whatever their split.

    Args:
        root: the data root.
        months: of the series that the network takes.
        sensors: that the network takes.

    Returns:
        One row per patch, as `dataset.select` returns it, all in the split `test`.
    """
    dataset = dataset_of_root(root)
    bands = {sensor: dataset.bands[sensor] for sensor in sensors}
    # With all tiles for test, no patch is left out because it is too near to another split.
    everywhere = replace(dataset, split_of_tile=dict.fromkeys(dataset.tiles, "test"), bands=bands)
    return load_selection(root, months, sensors=sensors, dataset=everywhere)
