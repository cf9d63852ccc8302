"""Scores of merged maps: their bounds hold every matrix that rounds to the printed scores."""

import numpy as np
import pytest

from multisenge_lib import audit, paper
from multisenge_lib.audit import merged, table_claims
from multisenge_lib.audit.merged import MERGED_SCORES, merged_bounds
from multisenge_lib.results import scores

MERGE = table_claims.merge_matrix(6)


def random_matrix(seed):
    """Pixels of ten classes, with a diagonal that dominates."""
    rng = np.random.default_rng(seed)
    support = rng.integers(20_000, 900_000, 10)
    matrix = np.zeros((10, 10), dtype=int)
    for i, pixels in enumerate(support):
        recall = rng.uniform(0.4, 0.95)
        errors = rng.dirichlet(np.ones(9)) * (1 - recall)
        matrix[i] = rng.multinomial(pixels, np.insert(errors, i, recall))
    return matrix


def printed_scores(matrix):
    """What a paper would print of a matrix: scores by class and weighted averages, rounded."""
    exact = scores(matrix)
    table = np.stack([exact["precision"], exact["recall"], exact["f1"]], axis=1)
    averages = [exact[f"weighted_{name}"] for name in ("precision", "recall", "f1")]
    return table.round(4), np.round(averages, 4)


def space_of(matrix):
    table, averages = printed_scores(matrix)
    support = matrix.sum(axis=1) / matrix.sum()
    return merged.matrix_space(table, averages, support, MERGE)


def merged_matrix(matrix):
    return (MERGE @ matrix @ MERGE.T).astype(int)


@pytest.mark.parametrize("seed", range(3))
def test_the_bounds_hold_the_true_merged_scores(seed):
    matrix = random_matrix(seed)
    space = space_of(matrix)
    true = scores(merged_matrix(matrix))
    for score in MERGED_SCORES:
        low, high = space.bounds(score)
        assert low - 1e-7 <= true[score] <= high + 1e-7
        assert high - low < 0.5


@pytest.mark.parametrize("model", paper.replication().matrices(10))
def test_the_bounds_hold_real_merged_matrices(model):
    matrix = paper.replication().matrices(10)[model]
    space = space_of(matrix)
    true = scores(merged_matrix(matrix))
    for score in MERGED_SCORES:
        low, high = space.bounds(score)
        assert low - 1e-7 <= true[score] <= high + 1e-7


def test_merging_real_matrices_gives_the_known_kappas():
    matrices = paper.replication().matrices(10)
    kappas = {model: scores(merged_matrix(matrix))["kappa"] for model, matrix in matrices.items()}
    assert kappas["U-TAE, S1+S2 concatenated"] == pytest.approx(0.616, abs=5e-4)
    assert kappas["U-TAE, S2 only"] == pytest.approx(0.659, abs=5e-4)


def cells_of(space, weights):
    """The matrix with the least `weights @ x`, as shares."""
    from scipy.optimize import linprog

    polytope = space.polytope
    result = linprog(
        weights,
        polytope.matrix,
        polytope.limit,
        polytope.sums,
        polytope.totals,
        options={"primal_feasibility_tolerance": 1e-10},
    )
    return result.x[:100].reshape(10, 10)


@pytest.mark.parametrize("method", range(4))
@pytest.mark.parametrize("score", ["weighted_f1", "macro_f1"])
def test_the_outer_bounds_are_reached_to_five_decimals(method, score):
    evidence = audit.published_evidence()
    space = merged.matrix_space(
        evidence.paper.scores(10)[method],
        evidence.paper.weighted(10)[method],
        audit.counted_support(evidence),
        MERGE,
    )
    if score == "weighted_f1":
        weights = space.merged_support @ space.merged_f1()
    else:
        weights = space.merged_f1().mean(axis=0)
    low, high = space.bounds(score)
    space = space.with_merged_f1
    for bound, sign in ((low, 1), (high, -1)):
        matrix = MERGE @ cells_of(space, sign * weights) @ MERGE.T
        hit = matrix.diagonal()
        f1 = 2 * hit / (matrix.sum(axis=0) + matrix.sum(axis=1))
        reached = f1.mean() if score == "macro_f1" else matrix.sum(axis=1) @ f1
        assert reached == pytest.approx(bound, abs=1e-5)


def test_exact_extremes_on_a_matrix_small_enough_to_search():
    """Three classes, two of them merged: the one free number is searched on a grid."""
    matrix = np.array([[600, 50, 50], [40, 500, 60], [30, 70, 900]])
    merge = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 1.0]])
    exact = scores(matrix)
    table = np.stack([exact["precision"], exact["recall"], exact["f1"]], axis=1)
    averages = np.array([exact[f"weighted_{name}"] for name in ("precision", "recall", "f1")])
    support = matrix.sum(axis=1) / matrix.sum()
    space = merged.matrix_space(table, averages, support, merge)
    # With all margins fixed, one number t moves around the off-diagonal cycle.
    kappas = []
    for t in range(-30, 41):
        moved = matrix + t * np.array([[0, 1, -1], [-1, 0, 1], [1, -1, 0]])
        if (moved >= 0).all():
            kappas.append(scores((merge @ moved @ merge.T).astype(int))["kappa"])
    low, high = space.bounds("kappa")
    # The printed scores are rounded, so the bounds are a little wider than the search.
    assert low == pytest.approx(min(kappas), abs=2e-3) and low <= min(kappas)
    assert high == pytest.approx(max(kappas), abs=2e-3) and high >= max(kappas)


def test_contradicting_scores_are_undecided():
    evidence = audit.published_evidence()
    table = evidence.paper.scores(10)[0].copy()
    table[0, 1] = 0.01
    space = merged.matrix_space(
        table, evidence.paper.weighted(10)[0], audit.counted_support(evidence), MERGE
    )
    assert np.isnan(space.bounds("accuracy")).all()


def test_findings_hold_two_numbers_of_four_decimals(evidence, findings):
    intervals = {}
    for finding in findings:
        if finding.id.startswith("merged-"):
            low, high = finding.derived.split(" to ")
            assert len(low) == len(high) == len("0.1234")
            intervals[finding.id] = float(low), float(high)
    assert len(intervals) == 16
    for score in MERGED_SCORES:
        for method, (low, high) in zip(paper.METHODS, merged_bounds(evidence, score), strict=True):
            printed = intervals[f"merged-{score.replace('_', '-')}/{method}"]
            # Rounded outward, so that what is printed is still a bound.
            assert printed[0] <= low <= high <= printed[1]
            assert printed == pytest.approx((low, high), abs=1.01e-4)


def test_what_is_certain_of_the_merged_maps():
    table = audit.merged_table(audit.published_evidence())
    certain = table[table["beside_six"] == "certainly higher"].index
    uncertain = set(table.index) - set(certain)
    assert uncertain == {("kappa", "ConvLSTM-S1"), ("weighted_f1", "ConvLSTM-S1")}
    for score in ("weighted_f1", "macro_f1", "kappa"):
        assert (table.loc[score, "beside_constant"] == "certainly higher").all()
