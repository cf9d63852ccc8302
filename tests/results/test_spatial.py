"""Isolated pixels and distances to class boundaries, on maps small enough to check by eye."""

import numpy as np
import pytest

from multisenge_lib.errors import MultiSenGEError
from multisenge_lib.results import confusion_matrix
from multisenge_lib.results.spatial import (
    boundary_distance,
    confusion_by_distance,
    count_patch,
    isolated_pixels,
    join_counts,
)


def test_a_grain_of_another_class_is_isolated():
    ids = np.ones((5, 5), int)
    ids[2, 2] = 2
    expected = np.zeros((5, 5), bool)
    expected[2, 2] = True
    assert (isolated_pixels(ids) == expected).all()


def test_a_diagonal_road_is_not_isolated():
    ids = np.ones((4, 4), int) + np.eye(4, dtype=int)
    assert not isolated_pixels(ids).any()


def test_a_corner_has_three_neighbours():
    ids = np.ones((3, 3), int)
    ids[0, 0] = 2
    assert isolated_pixels(ids)[0, 0]
    assert isolated_pixels(ids).sum() == 1


def test_no_data_is_no_neighbour():
    ids = np.array([[1, 0, 0], [0, 0, 0], [0, 0, 2]])
    assert not isolated_pixels(ids).any()
    ids[1, 1] = 1  # a neighbour for both: of the same class for one, of another for the other
    assert isolated_pixels(ids).nonzero() == (np.array([2]), np.array([2]))


@pytest.mark.fault("spatial scores: a stack of maps -> refused in one line")
def test_what_is_no_map_is_refused():
    with pytest.raises(MultiSenGEError, match=r"received shape \(2, 3, 3\)"):
        isolated_pixels(np.ones((2, 3, 3), int))


def test_distance_counts_pixels_to_another_class():
    reference = np.array([[1, 1, 1, 1, 1, 1, 2, 2]])
    assert boundary_distance(reference).tolist() == [[6, 5, 4, 3, 2, 1, 1, 2]]


def test_a_diagonal_step_is_one_pixel():
    reference = np.full((3, 3), 2)
    reference[0, 0] = 1
    assert boundary_distance(reference).tolist() == [[1, 1, 2], [1, 1, 2], [2, 2, 2]]


def test_no_data_is_no_boundary():
    reference = np.array([[1, 1, 0, 1, 2]])
    assert boundary_distance(reference).tolist() == [[4, 3, 0, 1, 1]]


def test_one_class_alone_is_far_from_any_boundary():
    reference = np.array([[1, 0], [1, 1]])
    counts = confusion_by_distance(reference, np.ones((2, 2), int), 2)
    assert counts.sum(axis=(1, 2)).tolist() == [0, 0, 0, 3]


def test_errors_are_counted_at_their_distance():
    reference = np.array([[1, 1, 1, 1, 1, 1, 2, 2]])
    predicted = np.array([[2, 1, 1, 1, 2, 2, 2, 1]])
    touching, second, third, far = confusion_by_distance(reference, predicted, 2)
    assert touching.tolist() == [[0, 1], [0, 1]]
    assert second.tolist() == [[0, 1], [1, 0]]
    assert third.tolist() == [[2, 0], [0, 0]]
    assert far.tolist() == [[1, 1], [0, 0]]


def test_the_matrices_sum_to_the_confusion_matrix():
    rng = np.random.default_rng(1)
    reference = rng.integers(0, 4, (9, 9))
    predicted = rng.integers(1, 4, (9, 9))
    by_distance = confusion_by_distance(reference, predicted, 3)
    assert (by_distance.sum(axis=0) == confusion_matrix(reference, predicted, 3)).all()


def test_shares_are_of_the_labelled_pixels_of_all_patches():
    smooth = np.ones((2, 2), int)
    noisy = np.array([[1, 1, 1], [1, 2, 1], [1, 1, 0]])
    grain_where_unlabelled = np.array([[1, 1, 1], [1, 1, 1], [1, 1, 2]])
    counts = join_counts(
        [count_patch(smooth, smooth, 2), count_patch(noisy, grain_where_unlabelled, 2)]
    )
    assert counts.isolated_in_map.tolist() == [0, 0]
    assert counts.isolated_in_reference.tolist() == [0, 1]
    assert counts.labelled_pixels == 4 + 8
    assert counts.isolated_share_of_reference == 1 / 12
    assert counts.isolated_share_of_map == 0
