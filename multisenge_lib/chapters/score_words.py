"""How tables and charts call the scores, and write one over several runs."""

import math

from multisenge_lib.results import URBAN_F1

_TITLES = {
    "accuracy": "accuracy",
    "weighted_precision": "weighted precision",
    "weighted_recall": "weighted recall",
    "weighted_f1": "weighted F1",
    "macro_f1": "macro F1",
    URBAN_F1: "urban F1",
    "mean_iou": "mean IoU",
    "kappa": "kappa",
}
#: A chart stands alone, so that its axes say more than the column of a table.
_LONGER_TITLES = {"kappa": "Cohen's kappa", URBAN_F1: "Mean urban F1"}
_NO_BREAK = "\N{NO-BREAK SPACE}"


def score_title(name: str) -> str:
    """Name a score as tables do; columns that are no scores keep their names.

    Example:
        >>> score_title("macro_f1")
        'macro F1'
        >>> score_title("seeds")
        'seeds'
    """
    return _TITLES.get(name, name)


def axis_title(name: str) -> str:
    """Name a score as the axes of charts do.

    Example:
        >>> axis_title("macro_f1")
        'Macro F1'
        >>> axis_title("kappa")
        "Cohen's kappa"
    """
    title = _LONGER_TITLES.get(name, score_title(name))
    return title[0].upper() + title[1:]


def mean_with_spread(mean: float, std: float) -> str:
    """Write "mean ± standard deviation" without a line break; without a deviation the mean."""
    if math.isnan(std):
        return f"{mean:.3f}"
    return f"{mean:.3f}{_NO_BREAK}±{_NO_BREAK}{std:.3f}"
