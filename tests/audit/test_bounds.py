"""What margins tell, on confusion matrices whose answers are known."""

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from multisenge_lib.audit import bounds
from multisenge_lib.errors import MultiSenGEError


def random_matrices(seed, classes=6, models=4):
    """Confusion matrices of several models on one test set, half of each class hit or more."""
    rng = np.random.default_rng(seed)
    support = rng.integers(1_000, 100_000, classes)
    recall = rng.uniform(0.3, 0.95, (models, classes))
    matrices = np.zeros((models, classes, classes), int)
    for matrix, rates in zip(matrices, recall, strict=True):
        for i, pixels in enumerate(support):
            shares = rng.dirichlet(np.ones(classes - 1)) * (1 - rates[i])
            matrix[i] = rng.multinomial(pixels, np.insert(shares, i, rates[i]))
    return matrices


def rounded_scores(matrix):
    hit = matrix.diagonal()
    reference = matrix.sum(1)
    predicted = matrix.sum(0)
    precision = hit / predicted
    recall = hit / reference
    table = np.stack([precision, recall, bounds.f1(precision, recall)], axis=1)
    return table.round(4), (reference @ table / reference.sum()).round(4)


@pytest.mark.parametrize("seed", range(3))
def test_bounds_hold_the_true_support_and_kappa(seed):
    matrices = random_matrices(seed)
    table, weighted = (np.array(x) for x in zip(*map(rounded_scores, matrices), strict=True))
    identity = np.eye(6)
    constraints = bounds.score_constraints(table, weighted, identity)
    assert bounds.infeasibility(constraints) == pytest.approx(0, abs=1e-7)
    support = matrices[0].sum(axis=1) / matrices[0].sum()
    low, high = bounds.support_bounds(constraints).T
    assert ((low <= support + 1e-9) & (support - 1e-9 <= high)).all()
    wide = bounds.kappa_bounds(table, weighted[:, 1], constraints, identity)
    sharp = bounds.kappa_bounds(table, weighted[:, 1], bounds.fixed_support(support), identity)
    for matrix, (least, most), tight in zip(matrices, wide, sharp, strict=True):
        labels = np.indices(matrix.shape).reshape(2, -1)
        true = cohen_kappa_score(*labels, sample_weight=matrix.ravel())
        assert least - 1e-9 <= true <= most + 1e-9
        assert bounds.matrix_margins(matrix).kappa == pytest.approx(true)
        assert least - 1e-7 <= tight[0] <= true <= tight[1] <= most + 1e-7


def test_scores_of_two_test_sets_contradict_each_other():
    one = random_matrices(0, models=2)
    other = random_matrices(1, models=2)
    table, weighted = zip(*map(rounded_scores, [*one, *other]), strict=True)
    constraints = bounds.score_constraints(np.array(table), np.array(weighted), np.eye(6))
    assert bounds.infeasibility(constraints) > 1e-3
    assert np.isnan(bounds.support_bounds(constraints)).all()
    with pytest.raises(ValueError, match="no support"):
        bounds.kappa_bounds(np.array(table), np.array(weighted)[:, 1], constraints, np.eye(6))


@pytest.mark.parametrize("seed", range(4))
def test_bounds_of_a_cell_leave_room_for_all_that_is_missed(seed):
    """Against a closed form: what row and column cannot place elsewhere, what others leave free."""
    rng = np.random.default_rng(seed)
    matrix = rng.integers(0, 10 ** rng.integers(1, 4, (4, 4)))
    margins = bounds.matrix_margins(matrix)
    missed = margins.reference - margins.hit
    wrong = margins.predicted - margins.hit
    both = missed + wrong
    total = missed.sum()
    cells = bounds.cell_bounds(margins)
    assert cells[range(4), range(4)] == pytest.approx(np.stack([margins.hit] * 2, axis=-1))
    for i, j in np.argwhere(~np.eye(4, dtype=bool)):
        least = max(0, both[i] + wrong[j] - total, missed[i] + both[j] - total)
        most = min(missed[i], wrong[j], total - np.delete(both, [i, j]).max())
        assert cells[i, j] == pytest.approx((least, most), abs=1e-9)
        assert cells[i, j, 0] - 1e-9 <= matrix[i, j] / matrix.sum() <= cells[i, j, 1] + 1e-9


def test_ratio_of_predicted_to_reference_by_hand():
    low, high = bounds.ratio_bounds(np.array([[0.5, 0.5, 0.5]]))[0]
    assert low == pytest.approx(0.49995 / 0.50005, abs=1e-6)
    assert high == pytest.approx(0.50005 / 0.49995, abs=1e-6)


def test_extreme_matrices_keep_the_margins_and_reach_the_bounds():
    matrix = random_matrices(2, models=1)[0]
    margins = bounds.matrix_margins(matrix)
    limits = bounds.cell_bounds(margins)
    for row, column in ((0, 1), (4, 2), (5, 0)):
        ends = bounds.extreme_matrices(margins, row, column)
        assert ends[:, row, column] == pytest.approx(limits[row, column], abs=1e-9)
        for end in ends:
            assert (end >= -1e-12).all()
            assert end.diagonal() == pytest.approx(margins.hit)
            assert end.sum(axis=1) == pytest.approx(margins.reference)
            assert end.sum(axis=0) == pytest.approx(margins.predicted)


def test_a_class_without_hits_keeps_its_empty_diagonal():
    """Of 10 pixels of the first class, 6 and 4 are missed: none may move to its diagonal."""
    margins = bounds.matrix_margins(np.array([[0, 6, 4], [5, 40, 5], [5, 5, 30]]))
    ends = 100 * bounds.extreme_matrices(margins, 0, 1)
    assert ends[:, 0, 0].tolist() == [0, 0]
    # By hand: the third class has 9 wrong predictions, so 1 to 10 of the 10 go to the second.
    assert ends[:, 0, 1] == pytest.approx([1, 10])
    assert ends.sum(axis=2) == pytest.approx(np.array([[10, 50, 40]] * 2))


def test_a_perfect_map_has_one_matrix():
    margins = bounds.matrix_margins(np.diag([1, 3]))
    ends = bounds.extreme_matrices(margins, 0, 1)
    np.testing.assert_array_equal(ends, [np.diag([0.25, 0.75])] * 2)


@pytest.mark.fault("audit: margins that no confusion matrix has -> one line says so")
def test_margins_without_a_matrix_are_refused():
    half = np.array([0.5, 0.5])
    margins = bounds.Margins(reference=half, predicted=half, hit=np.array([0.5, 0.1]))
    with pytest.raises(MultiSenGEError, match="no confusion matrix has these margins"):
        bounds.extreme_matrices(margins, 0, 1)
