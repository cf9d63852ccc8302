"""What depends on where pixels lie: salt-and-pepper noise, and scores near class boundaries."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from multisenge_lib.results import DISTANCE_BINS, Record, SpatialCounts, scores

#: The column of `noise_table` that is no score.
ISOLATED = "isolated pixels"
#: Fewer reference pixels say little about a class: narrow roads have none far from their edge.
_LEAST_PIXELS = 200


def noise_table(runs: Mapping[str, Sequence[Record]]) -> pd.DataFrame:
    """Tabulate salt-and-pepper noise, and the mean F1 by distance to a class boundary.

    The paper says that networks draw less noise than a classifier of single pixels (section 5.2),
    and that they are less precise at the borders of classes (section 5.3).

    Args:
        runs: records with spatial counts by method, all of one test split and classification.

    Returns:
        One row per method, means over its runs, and a last row for the reference. Columns: the
        share of isolated pixels, 0 to 1; and for each distance, in pixels, the mean F1 of the
        classes that `classes_at_all_distances` gives. It is NaN for the reference.
    """
    positions = [class_id - 1 for class_id in classes_at_all_distances(runs)]
    rows = {}
    for method, records in runs.items():
        counts = [record.spatial for record in records]
        row = {ISOLATED: np.mean([count.isolated_share_of_map for count in counts])}
        for number, distance in enumerate(DISTANCE_BINS):
            f1 = np.array([scores(count.by_distance[number])["f1"] for count in counts])
            row[f"F1, {distance.replace('-', '–')} px"] = f1[:, positions].mean()
        rows[method] = row
    rows["reference"] = {ISOLATED: _any_counts(runs).isolated_share_of_reference}
    return pd.DataFrame.from_dict(rows, orient="index")


def classes_at_all_distances(runs: Mapping[str, Sequence[Record]]) -> list[int]:
    """List the ids of the classes with enough reference pixels at each distance to a boundary.

    Only these can be compared: a mean over other classes at another distance would say more about
    the classes than about the distance.

    Args:
        runs: as in `noise_table`.
    """
    pixels = _any_counts(runs).by_distance.sum(axis=2)  # (bins, classes)
    is_enough = (pixels >= _LEAST_PIXELS).all(axis=0)
    return [int(position) + 1 for position in np.flatnonzero(is_enough)]


def _any_counts(runs: Mapping[str, Sequence[Record]]) -> SpatialCounts:
    """The counts of any run; what they say of the reference is the same for all."""
    return next(record.spatial for records in runs.values() for record in records)
