"""The paper's main claim on one typology: ten-class maps merged to six, beside maps of six."""

import numpy as np
import pandas as pd

from multisenge_lib.audit.bounds import HALF_UNIT_4DP
from multisenge_lib.audit.evidence import Evidence
from multisenge_lib.audit.finding import Outcome, check, judged
from multisenge_lib.audit.merged import MERGED_SCORES, merged_bounds
from multisenge_lib.audit.table_claims import majority_scores
from multisenge_lib.paper import METHODS


def _side_of(interval: np.ndarray, value: float) -> str:
    """Whether all of an interval lies above a printed value, below it, or neither."""
    low, high = interval
    if low > value + HALF_UNIT_4DP:
        return "certainly higher"
    if high < value - HALF_UNIT_4DP:
        return "certainly lower"
    return "higher or lower"


def _outward(interval: np.ndarray) -> list[float]:
    """An interval with its ends rounded away from each other, to four decimals."""
    low, high = interval
    return [np.floor(low * 1e4) / 1e4, np.ceil(high * 1e4) / 1e4]


def merged_table(evidence: Evidence) -> pd.DataFrame:
    """The merged maps beside the networks of six classes and the map of one class, in one table.

    Returns:
        One row per score and method: `low` and `high`, what the merged ten-class map can have;
        `six`, what the network trained on six classes has as printed; `constant`, what a map that
        is Non-urban everywhere has; `beside_six` and `beside_constant`, "certainly higher",
        "certainly lower" or "higher or lower".
    """
    rows = {}
    for score in MERGED_SCORES:
        constant = majority_scores(6, evidence.replication.support[6])[score]
        trained_on_six = evidence.paper.overall(6)[score]
        intervals = merged_bounds(evidence, score)
        for method, six, interval in zip(METHODS, trained_on_six, intervals, strict=True):
            rows[score, method] = {
                "low": interval[0],
                "high": interval[1],
                "six": six,
                "constant": constant,
                "beside_six": _side_of(interval, six),
                "beside_constant": _side_of(interval, constant),
            }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(["score", "method"])


@check("merged-accuracy", score="accuracy")
@check("merged-kappa", score="kappa")
@check("merged-weighted-f1", score="weighted_f1")
@check("merged-macro-f1", score="macro_f1")
def better_when_merged(evidence: Evidence, score: str) -> dict[str, Outcome]:
    """Right where the merged map is certainly better than the map of the network of six classes."""
    trained_on_six = evidence.paper.overall(6)[score]
    constant = majority_scores(6, evidence.replication.support[6])[score]
    intervals = merged_bounds(evidence, score)
    sides = []
    for printed, interval in zip(trained_on_six, intervals, strict=True):
        sides.append(_side_of(interval, printed))
    certain = sides.count("certainly higher")

    outcomes = {}
    for method, printed, interval, side in zip(
        METHODS, trained_on_six, intervals, sides, strict=True
    ):
        right = {"certainly higher": True, "certainly lower": False}.get(side)
        middle = interval.mean()
        outcomes[method] = judged(
            right,
            printed - middle,
            (interval[1] - interval[0]) / 2 + HALF_UNIT_4DP,
            printed=printed,
            interval=_outward(interval),
            side=side,
            certain=certain,
            methods=len(METHODS),
            constant=constant,
            beside_constant=_side_of(interval, constant),
        )
    return outcomes
