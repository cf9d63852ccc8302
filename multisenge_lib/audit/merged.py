"""The ten-class maps merged to six classes, bounded by what the paper prints.

The paper compares scores with six classes to scores with ten, although a score depends on its
typology. A map of ten classes can be merged to six (Table 3) and scored like a map of six; the
merged scores are not printed, but they can be bounded. The unknown is the confusion matrix of each
network, 10 x 10 shares of all pixels. Its rows sum to the counted support; Table 7 restricts its
diagonal and its columns, each number up to its rounding. Linear programs over all such matrices
give the least and the greatest of each merged score.

Accuracy is linear in the matrix, and kappa a ratio of linear functions, because the rows' sums are
fixed: both are exact. An F1 is such a ratio too, but weighted and macro F1 are sums of several.
There each F1 is a variable of its own, tied to the matrix by the McCormick envelope of F1 times its
denominator. The bound is then from outside: every possible value lies in it. On the paper's tables
it is wider than what is possible by less than 1e-5.
"""

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np

from multisenge_lib.audit.bounds import HALF_UNIT_4DP, mccormick_envelope, ratio_bounds
from multisenge_lib.audit.evidence import Evidence
from multisenge_lib.audit.polytope import Polytope
from multisenge_lib.audit.table_claims import counted_support, merge_matrix

#: The merged scores that are bounded, by the names of `results.OVERALL`.
MERGED_SCORES = ("accuracy", "kappa", "weighted_f1", "macro_f1")


@dataclass(frozen=True)
class _Factor:
    """A linear function of the variables, `weights @ x + constant`, and the range of its values.

    Attributes:
        weights: `(variables,)`.
        least: its least value.
        greatest: its greatest value.
        constant: what is added.
    """

    weights: np.ndarray
    least: float
    greatest: float
    constant: float = 0.0


class _Rows:
    """Inequalities `weights @ x <= limit`, collected one by one."""

    def __init__(self):
        self.weights = []
        self.limits = []

    def at_most(self, weights: np.ndarray, limit: float) -> None:
        self.weights.append(weights)
        self.limits.append(limit)

    def between(self, low: float, weights: np.ndarray, high: float) -> None:
        self.at_most(weights, high)
        self.at_most(-weights, -low)

    def product(self, first: _Factor, second: _Factor, result: np.ndarray) -> None:
        """Add McCormick's envelope of `result @ x = first * second`.

        `result` is `(variables,)`, the weights of the variables `x`.
        """
        ranges = ((factor.least, factor.greatest) for factor in (first, second))
        for (a, b, c), limit in mccormick_envelope(*ranges):
            weights = a * first.weights + b * second.weights + c * result
            self.at_most(weights, limit - a * first.constant - b * second.constant)


@dataclass(frozen=True)
class MatrixSpace:
    """All confusion matrices of one network that its printed scores and the support allow.

    The variables are the cells row by row, the precision of each class, the F1 of each class, and
    the F1 of each merged class. The last are free until `with_merged_f1` ties them to the matrix.

    Attributes:
        support: `(classes,)`, shares.
        merge: `(merged classes, classes)`, 1 where a merged class holds a class.
        polytope: the constraints on the variables.
    """

    support: np.ndarray
    merge: np.ndarray
    polytope: Polytope

    def cells(self, selected: np.ndarray) -> np.ndarray:
        """Weights that add up the selected cells: from `(classes, classes)` to variables."""
        classes = len(self.support)
        weights = np.zeros(self.polytope.matrix.shape[1])
        weights[: classes**2] = selected.ravel()
        return weights

    def merged_hit(self, group: int) -> np.ndarray:
        """Weights of the merged diagonal cell, `(variables,)`."""
        members = self.merge[group]
        return self.cells(np.outer(members, members))

    def merged_predicted(self, group: int) -> np.ndarray:
        """Weights of what is predicted as a merged class, `(variables,)`."""
        everywhere = np.ones(len(self.support))
        return self.cells(np.outer(everywhere, self.merge[group]))

    def merged_f1(self) -> np.ndarray:
        """Weights of each merged F1 variable: `(merged classes, variables)`."""
        groups = len(self.merge)
        variables = self.polytope.matrix.shape[1]
        return np.eye(groups, variables, k=variables - groups)

    @property
    def merged_support(self) -> np.ndarray:
        """`(merged classes,)` shares."""
        return self.merge @ self.support

    def bounds(self, score: str) -> tuple[float, float]:
        """Least and greatest of one of `MERGED_SCORES`; NaN where no matrix is allowed."""
        groups = range(len(self.merge))
        hits = sum(self.merged_hit(group) for group in groups)
        if score == "accuracy":
            return self.polytope.range_of(hits)
        if score == "kappa":
            # The reference shares are fixed, so agreement by chance is linear in the matrix.
            chance = sum(
                share * self.merged_predicted(group)
                for group, share in enumerate(self.merged_support)
            )
            return self.polytope.range_of_ratio(hits - chance, -chance, denominator_constant=1.0)
        tied = self.with_merged_f1
        if score == "weighted_f1":
            return tied.polytope.range_of(self.merged_support @ self.merged_f1())
        return tied.polytope.range_of(self.merged_f1().mean(axis=0))

    @cached_property
    def with_merged_f1(self) -> "MatrixSpace":
        """The same matrices, with the merged F1 variables tied to them; else those are free."""
        rows = _Rows()
        for group, share in enumerate(self.merged_support):
            hit = self.merged_hit(group)
            predicted = self.merged_predicted(group)
            # The envelope needs the ranges of both factors: the F1, and s + q below its line.
            f1_range = self.polytope.range_of_ratio(2 * hit, predicted, denominator_constant=share)
            low, high = self.polytope.range_of(predicted)
            if np.isnan(low):
                # The printed scores contradict each other: no matrix is allowed as it is.
                return self
            f1 = self.merged_f1()[group]
            rows.between(f1_range[0], f1, f1_range[1])
            # F1 times the sum of both shares is twice the hits.
            both_shares = _Factor(predicted, low + share, high + share, constant=share)
            rows.product(_Factor(f1, *f1_range), both_shares, 2 * hit)
        tied = Polytope(
            np.vstack([self.polytope.matrix, rows.weights]),
            np.append(self.polytope.limit, rows.limits),
            self.polytope.sums,
            self.polytope.totals,
        )
        return replace(self, polytope=tied)


def matrix_space(
    scores: np.ndarray, weighted: np.ndarray, support: np.ndarray, merge: np.ndarray
) -> MatrixSpace:
    """The matrices behind one network's rounded scores.

    Args:
        scores: `(classes, 3)`, precision, recall, F1 as printed.
        weighted: `(3,)`, their weighted averages as printed.
        support: `(classes,)`, shares of the reference, known exactly.
        merge: `(merged classes, classes)`, 1 where a merged class holds a class.
    """
    classes = len(support)
    groups = len(merge)
    size = classes**2 + 2 * classes + groups
    half = HALF_UNIT_4DP
    rows = _Rows()

    cell = np.eye(classes**2, size).reshape(classes, classes, size)
    hit = cell[range(classes), range(classes)]
    predicted = cell.sum(axis=0)
    precision = np.eye(classes, size, k=classes**2)
    f1 = np.eye(classes, size, k=classes**2 + classes)

    # Predicted shares, from R/P: the ranges that the envelopes below need.
    predicted_ranges = ratio_bounds(scores) * support[:, None]

    for i in range(classes):
        printed_precision, printed_recall, printed_f1 = scores[i]
        precision_range = (printed_precision - half, printed_precision + half)
        recall_range = (printed_recall - half, printed_recall + half)
        f1_range = (printed_f1 - half, printed_f1 + half)

        # Recall: the hits are R s.
        rows.between(recall_range[0] * support[i], hit[i], recall_range[1] * support[i])
        # Precision: the hits are P q. First by its ends, then with P as a variable.
        rows.at_most(precision_range[0] * predicted[i] - hit[i], 0.0)
        rows.at_most(hit[i] - precision_range[1] * predicted[i], 0.0)
        rows.between(precision_range[0], precision[i], precision_range[1])
        least_predicted, most_predicted = predicted_ranges[i]
        predicted_share = _Factor(predicted[i], least_predicted, most_predicted)
        rows.product(_Factor(precision[i], *precision_range), predicted_share, hit[i])
        # F1: twice the hits are F1 (s + q).
        rows.at_most(f1_range[0] * predicted[i] - 2 * hit[i], -f1_range[0] * support[i])
        rows.at_most(2 * hit[i] - f1_range[1] * predicted[i], f1_range[1] * support[i])
        rows.between(f1_range[0], f1[i], f1_range[1])
        both_shares = _Factor(
            weights=predicted[i],
            least=least_predicted + support[i],
            greatest=most_predicted + support[i],
            constant=support[i],
        )
        rows.product(_Factor(f1[i], *f1_range), both_shares, 2 * hit[i])

    # The weighted averages, as printed.
    rows.between(weighted[0] - half, support @ precision, weighted[0] + half)
    rows.between(weighted[1] - half, hit.sum(axis=0), weighted[1] + half)
    rows.between(weighted[2] - half, support @ f1, weighted[2] + half)

    # Each row of the matrix sums to its support.
    row_sums = cell.sum(axis=1)
    polytope = Polytope(np.array(rows.weights), np.array(rows.limits), row_sums, support)
    return MatrixSpace(support, merge, polytope)


def merged_bounds(evidence: Evidence, score: str) -> np.ndarray:
    """Least and greatest of a score of the paper's ten-class maps merged to six classes.

    Args:
        evidence: what to draw on.
        score: one of `MERGED_SCORES`.

    Returns:
        `(methods, 2)`; NaN for a method whose printed scores contradict each other.
    """
    support = tuple(counted_support(evidence))
    intervals = []
    for scores, weighted in zip(
        evidence.paper.scores(10), evidence.paper.weighted(10), strict=True
    ):
        printed = (tuple(map(tuple, scores)), tuple(weighted))
        intervals.append(_bounds_of_network(*printed, support, score))
    return np.array(intervals)


# Several findings ask for the same bounds, and solving their linear programs takes a second. So
# they are kept, by the numbers that they follow from.
@lru_cache
def _bounds_of_network(
    scores: tuple[tuple[float, ...], ...],
    weighted: tuple[float, ...],
    support: tuple[float, ...],
    score: str,
) -> tuple[float, float]:
    """Least and greatest of a score of one network; see `matrix_space` for the numbers."""
    return _space_of_network(scores, weighted, support).bounds(score)


@lru_cache
def _space_of_network(
    scores: tuple[tuple[float, ...], ...], weighted: tuple[float, ...], support: tuple[float, ...]
) -> MatrixSpace:
    """The matrices behind one network's printed scores, merged to six classes."""
    return matrix_space(np.array(scores), np.array(weighted), np.array(support), merge_matrix(6))
