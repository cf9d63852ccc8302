"""Noise and boundaries in a table, on maps worked by hand."""

from dataclasses import replace

import numpy as np
import pytest
from records import make_record

from multisenge_lib import chapters
from multisenge_lib.results.spatial import count_patch


def halves():
    """Class 1 in the left half and class 2 in the right one: the boundary lies in the middle."""
    reference = np.full((240, 240), 2, np.uint8)
    reference[:, :120] = 1
    return reference


def run_of(predicted, reference):
    return replace(make_record(), spatial=count_patch(reference, predicted, 6))


def test_isolated_pixels_are_shares_of_the_labelled_ones():
    reference = halves()
    noisy = reference.copy()
    noisy[10:40:10, 10] = 3
    runs = {"clean": [run_of(reference, reference)], "noisy": [run_of(noisy, reference)] * 2}
    table = chapters.noise_table(runs)
    assert table["isolated pixels"].tolist() == [0, 3 / 240**2, 0]
    assert table.index.tolist() == ["clean", "noisy", "reference"]


def test_f1_at_the_edge_is_lower_where_the_boundary_is_moved_by_a_pixel():
    reference = halves()
    moved = reference.copy()
    moved[:, 120] = 1
    # At the edge all 240 pixels of class 2 are called 1: F1 is 2/3 and 0.
    table = chapters.noise_table({"moved": [run_of(moved, reference)]})
    assert table.columns.tolist()[1:] == ["F1, 1 px", "F1, 2 px", "F1, 3–4 px", "F1, 5+ px"]
    assert table.loc["moved"].tolist()[1:] == pytest.approx([1 / 3, 1, 1, 1])


def test_classes_without_pixels_far_from_their_edge_are_left_out():
    """A road of two pixels has none that are two pixels from another class."""
    reference = halves()
    reference[:, 60:62] = 5
    assert chapters.classes_at_all_distances({"any": [run_of(reference, reference)]}) == [1, 2]
