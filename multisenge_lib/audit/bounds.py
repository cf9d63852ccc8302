"""What rounded scores tell of the confusion matrix behind them. NumPy and linear programming.

A class's share of the reference is its support `s`, precision `P`, recall `R`. Of all pixels
`R s` are hit and `q = R s / P` predicted as the class. So scores of several models on one test
set bind its support: the shares sum to 1; so do the predicted shares of each model; and each
weighted average is the sum of scores times shares. Every score is known to half a unit of its
last digit, so each of these is a pair of linear inequalities in `s`, and linear programming gives
the least and greatest share that all of them allow: bounds, not estimates.
"""

from dataclasses import dataclass
from itertools import permutations

import numpy as np
from scipy.optimize import linprog

from multisenge_lib.errors import MultiSenGEError

#: Half a unit of the fourth decimal, as Tables 5 to 8 print.
HALF = 5e-5


def f1(precision: np.ndarray, recall: np.ndarray) -> np.ndarray:
    """Eq. 7."""
    return 2 * precision * recall / (precision + recall)


def ratio_bounds(scores: np.ndarray) -> np.ndarray:
    """Least and greatest R / P, predicted pixels per reference pixel: `(..., classes, 2)`.

    With a = 1/P and b = 1/R, rounding leaves a rectangle, and F1 = 2 / (a + b) a strip across it;
    R / P = a / b is extreme in a corner of what they share, or of the rectangle, where F1 does
    not fit.

    Args:
        scores: `(..., classes, 3)`, precision, recall, F1.
    """
    ends = np.array([1, 1, 2]) / (scores + HALF), np.array([1, 1, 2]) / (scores - HALF)
    (a0, b0, t0), (a1, b1, t1) = (np.moveaxis(end, -1, 0) for end in ends)
    fits = (a0 + b0 <= t1) & (t0 <= a1 + b1)
    t0, t1 = np.where(fits, t0, 0), np.where(fits, t1, np.inf)
    least = np.maximum(a0, t0 - b1) / np.minimum(b1, t1 - a0)
    most = np.minimum(a1, t1 - b0) / np.maximum(b0, t0 - a1)
    return np.stack([least, most], axis=-1)


@dataclass(frozen=True)
class Constraints:
    """`matrix @ support <= limit`, beside support >= 0 and a sum of 1.

    Attributes:
        matrix: `(rows, classes)`.
        limit: `(rows,)`.
    """

    matrix: np.ndarray
    limit: np.ndarray

    def __add__(self, other: "Constraints") -> "Constraints":
        return Constraints(
            np.vstack([self.matrix, other.matrix]), np.append(self.limit, other.limit)
        )


def constraints(scores: np.ndarray, weighted: np.ndarray, merge: np.ndarray) -> Constraints:
    """What one table of scores demands of the support.

    Args:
        scores: `(methods, classes, 3)`, precision, recall, F1.
        weighted: `(methods, 3)`, their weighted averages.
        merge: `(classes, support classes)`, 1 where a class of the table holds one of the support.
    """
    rows, limits = [], []
    for table, average in zip(scores, weighted, strict=True):
        # Shares sum to 1, so rounded scores move their average by half a unit at most.
        means, (least, most) = table.T, ratio_bounds(table).T
        rows += [means, -means, least[None], -most[None]]
        limits += [average + 2 * HALF, -average + 2 * HALF, [1.0], [-1.0]]
    return Constraints(np.vstack(rows) @ merge, np.concatenate(limits))


def known(support: np.ndarray) -> Constraints:
    """The constraints that leave one support only."""
    identity = np.eye(len(support))
    return Constraints(np.vstack([identity, -identity]), np.append(support, -support))


def _solve(cost, matrix, limit, sums, totals):
    result = linprog(cost, matrix, limit, sums, totals, bounds=(0, None))
    return result.fun if result.status == 0 else np.nan


def misfit(found: Constraints) -> float:
    """By how much all constraints must give way together to leave a support; 0 if they agree."""
    rows, classes = found.matrix.shape
    cost = np.append(np.zeros(classes), 1.0)
    matrix = np.hstack([found.matrix, -np.ones((rows, 1))])
    return float(_solve(cost, matrix, found.limit, [np.append(np.ones(classes), 0)], [1.0]))


def support_bounds(found: Constraints, merge: np.ndarray | None = None) -> np.ndarray:
    """Least and greatest share of each class, or of each row of `merge`: `(classes, 2)`.

    NaN where the constraints contradict each other.
    """
    rows = np.eye(found.matrix.shape[1]) if merge is None else merge
    fixed = found.matrix, found.limit, np.ones((1, rows.shape[1])), [1.0]
    return np.array([[sign * _solve(sign * row, *fixed) for sign in (1, -1)] for row in rows])


@dataclass(frozen=True)
class Margins:
    """Shares of all pixels, by class: `(classes,)` each.

    Attributes:
        reference: the rows' sums of the confusion matrix.
        predicted: the columns' sums.
        hit: the diagonal.
    """

    reference: np.ndarray
    predicted: np.ndarray
    hit: np.ndarray

    @property
    def kappa(self) -> float:
        """Cohen's kappa (Eq. 8), which the margins determine."""
        return _kappa(self.hit.sum(), self.reference @ self.predicted)


def margins(scores: np.ndarray, support: np.ndarray) -> Margins:
    """Margins of one model's confusion matrix.

    Args:
        scores: `(classes, 3)`, precision, recall, F1.
        support: `(classes,)`, shares.
    """
    precision, recall, _ = scores.T
    return Margins(support, recall * support / precision, recall * support)


def matrix_margins(confusion: np.ndarray) -> Margins:
    """Margins of a matrix of pixels, rows reference, columns predicted."""
    shares = confusion / confusion.sum()
    return Margins(shares.sum(axis=1), shares.sum(axis=0), shares.diagonal())


def _kappa(observed: float, expected: float) -> float:
    return float((observed - expected) / (1 - expected))


def _product_rows(support: np.ndarray, predicted: np.ndarray, merge: np.ndarray) -> Constraints:
    """Inequalities that hold a w = s q to the envelope of that product over two intervals."""
    one, rows, limits = np.eye(len(merge)), [], []
    for s_end, q_end, sign in ((0, 0, -1), (1, 1, -1), (1, 0, 1), (0, 1, 1)):
        s, q = support[:, s_end], predicted[:, q_end]
        rows.append(np.hstack([-sign * q[:, None] * merge, -sign * s[:, None] * one, sign * one]))
        limits.append(-sign * s * q)
    return Constraints(np.vstack(rows), np.concatenate(limits))


def kappa_bounds(
    scores: np.ndarray, weighted_recall: np.ndarray, found: Constraints, merge: np.ndarray
) -> np.ndarray:
    """Least and greatest Cohen's kappa that rounded scores allow: `(methods, 2)`.

    The observed agreement is the weighted recall, which is printed. The expected agreement is
    the sum of s q over classes; each product lies in its envelope over the intervals of s and q,
    so a linear program bounds the sum from outside.

    Args:
        scores: `(methods, classes, 3)`.
        weighted_recall: `(methods,)`, as printed.
        found: what is known of the support.
        merge: `(classes, support classes)`, as in `constraints`.

    Raises:
        MultiSenGEError: the constraints contradict each other.
    """
    support = support_bounds(found, merge)
    if np.isnan(support).any():
        raise MultiSenGEError("no support fits these scores: see misfit()")
    chance = [_chance_bounds(table, found, merge, support) for table in scores]
    return np.array(
        [
            [_kappa(recall - HALF, high), _kappa(recall + HALF, low)]
            for recall, (low, high) in zip(weighted_recall, chance, strict=True)
        ]
    )


def _chance_bounds(
    scores: np.ndarray, found: Constraints, merge: np.ndarray, support: np.ndarray
) -> list[float]:
    """Least and greatest agreement by chance of one model; unknowns are s, q and s q."""
    ratio, one = ratio_bounds(scores), np.eye(len(merge))
    none = np.zeros_like(one)
    shares = np.hstack([found.matrix, np.zeros((len(found.matrix), 2 * len(merge)))])
    least = np.hstack([ratio[:, :1] * merge, -one, none])
    most = np.hstack([-ratio[:, 1:] * merge, one, none])
    envelope = _product_rows(support, ratio * support, merge)
    matrix = np.vstack([shares, least, most, envelope.matrix])
    limit = np.concatenate([found.limit, np.zeros(2 * len(merge)), envelope.limit])
    parts = np.repeat(np.eye(3), [merge.shape[1], len(merge), len(merge)], axis=1)
    return [sign * _solve(sign * parts[2], matrix, limit, parts[:2], [1, 1]) for sign in (1, -1)]


def extreme_matrices(found: Margins, row: int, column: int) -> np.ndarray:
    """Two matrices that the margins allow: with the least and with the greatest of one cell.

    Whatever lies between them, cell by cell, is allowed too.

    Args:
        found: what it predicts wrongly, which rounding leaves short of what it misses or above it,
            is scaled to that.
        row: of the cell, from 0; the reference class.
        column: of the cell, from 0, not `row`; the class predicted.

    Returns:
        `(2, classes, classes)`, shares of all pixels.
    """
    n, missed, wrong = len(found.hit), found.reference - found.hit, found.predicted - found.hit
    rows, columns = np.kron(np.eye(n), np.ones(n)), np.tile(np.eye(n), n)
    totals = np.append(found.reference, found.hit + wrong * missed.sum() / wrong.sum())
    limits = [(hit, hit) if hit else (0, None) for hit in np.diag(found.hit).ravel()]
    cost = np.zeros((n, n))
    cost[row, column] = 1
    fixed = None, None, [*rows, *columns], totals, limits
    return np.array([linprog(s * cost.ravel(), *fixed).x for s in (1, -1)]).reshape(2, n, n)


def cell_bounds(found: Margins) -> np.ndarray:
    """Least and greatest share of each cell that the margins allow: `(classes, classes, 2)`.

    Rows are the reference, columns predicted; the diagonal is the hit share.
    """
    cells = np.stack([np.diag(found.hit)] * 2, axis=-1)
    for i, j in permutations(range(len(found.hit)), 2):
        cells[i, j] = extreme_matrices(found, i, j)[:, i, j]
    return cells
