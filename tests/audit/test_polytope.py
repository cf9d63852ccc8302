"""Extreme values over a polytope, on a triangle whose answers are plain."""

import numpy as np
import pytest

from multisenge_lib.audit.polytope import Polytope

#: x + y <= 1 and y <= 0.5, with a third variable fixed to 2.
TRIANGLE = Polytope(
    matrix=np.array([[1.0, 1.0, 0.0], [0.0, 1.0, 0.0]]),
    limit=np.array([1.0, 0.5]),
    sums=np.array([[0.0, 0.0, 1.0]]),
    totals=np.array([2.0]),
)


def test_range_of_a_linear_function():
    assert TRIANGLE.range_of(np.array([2.0, 1.0, 0.0])) == pytest.approx((0, 2))
    assert TRIANGLE.range_of(np.array([0.0, 1.0, 1.0])) == pytest.approx((2, 2.5))


def test_range_of_a_ratio_lies_at_corners():
    # x / (y + 1): least at (0, 0.5), greatest at (1, 0).
    low, high = TRIANGLE.range_of_ratio(
        np.array([1.0, 0.0, 0.0]), np.array([0.0, 1.0, 0.0]), denominator_constant=1.0
    )
    assert (low, high) == pytest.approx((0, 1))


def test_no_point_gives_nan():
    impossible = Polytope(np.array([[1.0]]), np.array([-1.0]), np.array([[1.0]]), np.array([1.0]))
    assert np.isnan(impossible.minimum(np.array([1.0])))
