"""Checks of which classes are confused: what margins bound, and what they leave open."""

import numpy as np

from multisenge_lib.audit.bounds import cell_bounds
from multisenge_lib.audit.finding import Evidence, Outcome, check, judged
from multisenge_lib.audit.tables import model_margins
from multisenge_lib.audit.text import INCEPTION, S2, named_best


@check("weaker-confusion")
def weaker_confusion(e: Evidence) -> Outcome:
    error = 1 - e.paper.weighted(10)[:, 1]
    return named_best(e, "weaker-confusion", -error, error=error)


def _origin(e: Evidence, classes: int, row: int, column: int) -> np.ndarray:
    """Least and greatest share of a class's wrongly predicted pixels that are of another class.

    `row` is the class in the reference and `column` the class predicted, ids; `(methods, 2)`.
    """
    shares = [
        cell_bounds(found)[row - 1, column - 1]
        / (found.predicted[column - 1] - found.hit[column - 1])
        for found in model_margins(e, classes)
    ]
    return np.array(shares)


def _strong(shares: np.ndarray, method: int, row: int, column: int, **values: object) -> Outcome:
    """Strong is more than half of one method's wrong pixels; `shares` are those to be shown."""
    low, high = shares[method]
    right = True if low > 0.5 else False if high <= 0.5 else None
    ranges = [f"{100 * a:.0f}-{100 * b:.0f} %" for a, b in shares]
    return judged(right, row=row, column=column, ranges=ranges, **values)


@check("confusion-4-6")
def confusion_4_6(e: Evidence) -> Outcome:
    column, row = (int(i) for i in e.paper.names("confusion-4-6"))
    shares = _origin(e, 6, row, column)
    return _strong(shares, INCEPTION, row, column, sure=(shares[:, 0] > 0.5).sum())


@check("confusion-1-2")
def confusion_1_2(e: Evidence) -> Outcome:
    column, row = (int(i) for i in e.paper.names("confusion-1-2"))
    return _strong(_origin(e, 6, row, column), INCEPTION, row, column)


@check("confusion-9-10")
def confusion_9_10(e: Evidence) -> Outcome:
    row, column = (int(i) for i in e.paper.names("confusion-9-10"))
    precision = e.paper.scores(10)[S2, column - 1, 0]
    return _strong(_origin(e, 10, row, column)[[S2]], 0, row, column, precision=precision)
