"""What rounded scores say about the confusion matrix behind them.

Let a class's share of the reference be its support `s`, with precision `P` and recall `R`. Of all
pixels, `R s` are hit, and `q = R s / P` are predicted as the class. So the scores of several models
on one test set constrain its support: the shares sum to 1, the predicted shares of each model sum
to 1, and each weighted average is the sum of scores times shares. Every score is known to half a
unit of its last digit. Each of these statements is therefore a pair of linear inequalities in `s`,
and linear programming gives the least and the greatest share that all of them allow. These are
bounds, not estimates.
"""

from dataclasses import dataclass
from itertools import permutations

import numpy as np

from multisenge_lib.audit.polytope import Polytope
from multisenge_lib.errors import MultiSenGEError

#: Half a unit of the fourth decimal: how far rounding moves a score of Tables 5 to 8.
HALF_UNIT_4DP = 5e-5


def f1(precision: np.ndarray, recall: np.ndarray) -> np.ndarray:
    """The harmonic mean of precision and recall (Eq. 7), element by element, of any shape."""
    return 2 * precision * recall / (precision + recall)


def ratio_bounds(scores: np.ndarray) -> np.ndarray:
    """Bound R / P, the predicted pixels per reference pixel of a class.

    Args:
        scores: `(..., classes, 3)`, precision, recall, F1 as printed.

    Returns:
        `(..., classes, 2)`, least and greatest.
    """
    # With a = 1/P and b = 1/R, rounding leaves a rectangle in the (a, b) plane. F1 = 2 / (a + b)
    # is constant along its falling diagonals, so a rounded F1 leaves a strip across the rectangle.
    reciprocal_of = np.array([1, 1, 2])
    least_a, least_b, least_sum = np.moveaxis(reciprocal_of / (scores + HALF_UNIT_4DP), -1, 0)
    most_a, most_b, most_sum = np.moveaxis(reciprocal_of / (scores - HALF_UNIT_4DP), -1, 0)

    # Where F1 contradicts precision and recall, the strip misses the rectangle: ignore the strip.
    strip_fits = (least_a + least_b <= most_sum) & (least_sum <= most_a + most_b)
    least_sum = np.where(strip_fits, least_sum, 0)
    most_sum = np.where(strip_fits, most_sum, np.inf)

    # R / P = a / b is extreme in a corner of what rectangle and strip have in common.
    least = np.maximum(least_a, least_sum - most_b) / np.minimum(most_b, most_sum - least_a)
    most = np.minimum(most_a, most_sum - least_b) / np.maximum(least_b, least_sum - most_a)
    return np.stack([least, most], axis=-1)


@dataclass(frozen=True)
class Constraints:
    """Linear inequalities on the support: `matrix @ support <= limit`.

    That the support is not negative and sums to 1 is understood, and not written down in them.

    Attributes:
        matrix: `(inequalities, classes)`.
        limit: `(inequalities,)`.
    """

    matrix: np.ndarray
    limit: np.ndarray

    def and_also(self, other: "Constraints") -> "Constraints":
        """The constraints of both."""
        matrix = np.vstack([self.matrix, other.matrix])
        return Constraints(matrix, np.append(self.limit, other.limit))

    def polytope(self) -> Polytope:
        """All supports that satisfy the constraints."""
        classes = self.matrix.shape[1]
        return Polytope(self.matrix, self.limit, np.ones((1, classes)), np.ones(1))


def score_constraints(scores: np.ndarray, weighted: np.ndarray, merge: np.ndarray) -> Constraints:
    """What one table of scores demands of the support.

    Args:
        scores: `(methods, classes, 3)`, precision, recall, F1.
        weighted: `(methods, 3)`, their weighted averages.
        merge: `(classes, support classes)`, 1 where a class of the table holds one of the support.
    """
    rows = []
    limits = []
    for table, average in zip(scores, weighted, strict=True):
        # The shares sum to 1, so rounding the scores moves their weighted average by half a unit
        # at most; printing the average moves it by another half.
        rows.append(table.T)
        limits.append(average + 2 * HALF_UNIT_4DP)
        rows.append(-table.T)
        limits.append(-average + 2 * HALF_UNIT_4DP)

        # Every pixel is predicted as one class: sum of s R/P = 1.
        least, most = ratio_bounds(table).T
        rows.append(least[None])
        limits.append([1.0])
        rows.append(-most[None])
        limits.append([-1.0])
    return Constraints(np.vstack(rows) @ merge, np.concatenate(limits))


def fixed_support(support: np.ndarray) -> Constraints:
    """The constraints that leave exactly one support, `(classes,)`."""
    identity = np.eye(len(support))
    return Constraints(np.vstack([identity, -identity]), np.append(support, -support))


def infeasibility(constraints: Constraints) -> float:
    """By how much every constraint must be relaxed before one support satisfies all; 0 if none."""
    count, classes = constraints.matrix.shape
    # One more variable, the relaxation: minimise it.
    cost = np.append(np.zeros(classes), 1.0)
    matrix = np.hstack([constraints.matrix, -np.ones((count, 1))])
    shares_sum_to_one = np.append(np.ones(classes), 0.0)[None]
    relaxed = Polytope(matrix, constraints.limit, shares_sum_to_one, np.ones(1))
    return relaxed.minimum(cost)


def support_bounds(constraints: Constraints, merge: np.ndarray | None = None) -> np.ndarray:
    """Least and greatest share of each class, or of each row of `merge`: `(classes, 2)`.

    NaN where the constraints contradict each other.
    """
    classes = constraints.matrix.shape[1]
    rows = np.eye(classes) if merge is None else merge
    supports = constraints.polytope()
    return np.array([supports.range_of(row) for row in rows])


@dataclass(frozen=True)
class Margins:
    """The margins and the diagonal of a confusion matrix, as shares of all pixels.

    Attributes:
        reference: `(classes,)`, the sums of the rows.
        predicted: `(classes,)`, the sums of the columns.
        hit: `(classes,)`, the diagonal.
    """

    reference: np.ndarray
    predicted: np.ndarray
    hit: np.ndarray

    @property
    def kappa(self) -> float:
        """Cohen's kappa (Eq. 8), which the margins determine."""
        return kappa_of(self.hit.sum(), self.reference @ self.predicted)


def margins(scores: np.ndarray, support: np.ndarray) -> Margins:
    """The margins of one model's confusion matrix.

    Args:
        scores: `(classes, 3)`, precision, recall, F1.
        support: `(classes,)`, shares.
    """
    precision, recall, _ = scores.T
    return Margins(support, recall * support / precision, recall * support)


def matrix_margins(confusion: np.ndarray) -> Margins:
    """The margins of pixels `(classes, classes)`, rows reference, columns predicted."""
    shares = confusion / confusion.sum()
    return Margins(shares.sum(axis=1), shares.sum(axis=0), shares.diagonal())


def kappa_of(observed: float, expected: float) -> float:
    """Cohen's kappa from the observed agreement and from the one expected by chance (Eq. 8)."""
    return float((observed - expected) / (1 - expected))


def mccormick_envelope(
    x_range: tuple[float, float], y_range: tuple[float, float]
) -> list[tuple[tuple[float, float, float], float]]:
    """Four inequalities that hold for z = x y while x and y stay in their ranges.

    A product is not linear, but over a box it lies between two planes from below and two from
    above: the envelope of McCormick (1976). The narrower the box, the closer the planes.

    Returns:
        Pairs of coefficients (a, b, c) and limit, each read as a x + b y + c z <= limit.
    """
    x_low, x_high = x_range
    y_low, y_high = y_range
    return [
        # From below: (x - x_low)(y - y_low) >= 0 and (x_high - x)(y_high - y) >= 0.
        ((y_low, x_low, -1.0), x_low * y_low),
        ((y_high, x_high, -1.0), x_high * y_high),
        # From above: (x_high - x)(y - y_low) >= 0 and (x - x_low)(y_high - y) >= 0.
        ((-y_low, -x_high, 1.0), -x_high * y_low),
        ((-y_high, -x_low, 1.0), -x_low * y_high),
    ]


def kappa_bounds(
    scores: np.ndarray, weighted_recall: np.ndarray, constraints: Constraints, merge: np.ndarray
) -> np.ndarray:
    """Least and greatest Cohen's kappa that rounded scores allow: `(methods, 2)`.

    The observed agreement is the weighted recall, which is printed. The expected agreement is the
    sum of s q over the classes. Each product is replaced by its McCormick envelope over the ranges
    of s and q, so that a linear program bounds the sum from outside.

    Args:
        scores: `(methods, classes, 3)`.
        weighted_recall: `(methods,)`, as printed.
        constraints: what restricts the support.
        merge: `(classes, support classes)`, as in `score_constraints`.

    Raises:
        MultiSenGEError: the constraints contradict each other.
    """
    share_ranges = support_bounds(constraints, merge)
    if np.isnan(share_ranges).any():
        raise MultiSenGEError("no support fits these scores: infeasibility() says by how much")
    bounds = []
    for table, recall in zip(scores, weighted_recall, strict=True):
        least_chance, most_chance = _chance_bounds(table, constraints, merge, share_ranges)
        # Kappa grows with the observed agreement and falls with the expected one.
        least = kappa_of(recall - HALF_UNIT_4DP, most_chance)
        most = kappa_of(recall + HALF_UNIT_4DP, least_chance)
        bounds.append((least, most))
    return np.array(bounds)


def _chance_bounds(
    scores: np.ndarray, constraints: Constraints, merge: np.ndarray, share_ranges: np.ndarray
) -> tuple[float, float]:
    """Least and greatest agreement by chance of one model.

    The unknowns are, in this order, the support, the predicted share q of each class, and the
    product w = s q of each class.
    """
    classes, support_classes = merge.shape
    size = support_classes + 2 * classes
    predicted = np.eye(classes, size, k=support_classes)
    product = np.eye(classes, size, k=support_classes + classes)
    reference = np.hstack([merge, np.zeros((classes, 2 * classes))])
    ratios = ratio_bounds(scores)

    # The support satisfies its constraints.
    unused = np.zeros((len(constraints.matrix), 2 * classes))
    rows = [np.hstack([constraints.matrix, unused])]
    limits = [constraints.limit]

    # The predicted share lies between the least and the greatest R/P times the support.
    rows.append(ratios[:, :1] * reference - predicted)
    rows.append(predicted - ratios[:, 1:] * reference)
    limits.append(np.zeros(2 * classes))

    # The product lies in its envelope.
    predicted_ranges = ratios * share_ranges
    for i in range(classes):
        for (a, b, c), limit in mccormick_envelope(share_ranges[i], predicted_ranges[i]):
            rows.append((a * reference[i] + b * predicted[i] + c * product[i])[None])
            limits.append([limit])

    # Both the support and the predicted shares sum to 1.
    support_sum = np.append(np.ones(support_classes), np.zeros(2 * classes))
    sums = np.stack([support_sum, predicted.sum(axis=0)])
    allowed = Polytope(np.vstack(rows), np.concatenate(limits), sums, np.ones(2))
    return allowed.range_of(product.sum(axis=0))


def extreme_matrices(margins: Margins, row: int, column: int) -> np.ndarray:
    """Two matrices that the margins allow: with the least and with the greatest of one cell.

    Every mixture of the two is allowed as well.

    Args:
        margins: the margins of the matrix. Rounding leaves the pixels predicted wrongly short of
            those missed, or above them; they are scaled to match.
        row: position of the cell's reference class, from 0.
        column: position of the class predicted, from 0; not `row`.

    Returns:
        `(2, classes, classes)`, shares of all pixels.

    Raises:
        MultiSenGEError: no matrix has these margins.
    """
    classes = len(margins.hit)
    missed = margins.reference - margins.hit
    wrong = margins.predicted - margins.hit
    if wrong.any():
        wrong = wrong * missed.sum() / wrong.sum()

    # The diagonal is known. The unknowns are the other cells, row by row; those of a row are the
    # pixels missed, those of a column the pixels predicted wrongly.
    unknown = ~np.eye(classes, dtype=bool)
    row_of_cell, column_of_cell = np.nonzero(unknown)
    every_class = np.arange(classes)[:, None]
    sums = np.vstack([row_of_cell == every_class, column_of_cell == every_class])
    cells = len(row_of_cell)
    matrices = Polytope(
        matrix=np.zeros((0, cells)),
        limit=np.zeros(0),
        sums=sums.astype(float),
        totals=np.append(missed, wrong),
    )

    wanted = ((row_of_cell == row) & (column_of_cell == column)).astype(float)
    ends = np.stack([np.diag(margins.hit)] * 2)
    for end, weights in zip(ends, (wanted, -wanted), strict=True):
        point = matrices.lowest_point(weights)
        if point is None:
            raise MultiSenGEError(
                "no confusion matrix has these margins: a class is missed, or predicted wrongly, "
                "more often than all other classes together can account for"
            )
        end[unknown] = point
    return ends


def cell_bounds(margins: Margins) -> np.ndarray:
    """Least and greatest share of each cell that the margins allow: `(classes, classes, 2)`.

    Rows are the reference, columns predicted; the diagonal is the hit share.
    """
    cells = np.stack([np.diag(margins.hit)] * 2, axis=-1)
    for row, column in permutations(range(len(margins.hit)), 2):
        cells[row, column] = extreme_matrices(margins, row, column)[:, row, column]
    return cells
