"""Pixel counts out of class weights, on counts that are known."""

import dataclasses

import numpy as np
import pytest

from multisenge_lib import audit
from multisenge_lib.audit.decoded import weights_of

KNOWN = np.array([1_000_003, 12_000_001, 7_000_000, 1_500_007, 3_000_000, 361_507_029])


def with_weights(evidence, weights):
    script = dataclasses.replace(evidence.script, class_weights=weights)
    return dataclasses.replace(evidence, script=script)


def test_known_counts_come_back_from_rounded_weights(evidence):
    assert KNOWN.sum() == 5890 * 65536
    decoded = audit.decode_counts(with_weights(evidence, weights_of(KNOWN).round(8)))
    assert decoded.pixels.tolist() == KNOWN.tolist()
    low, high = decoded.bounds.T
    assert ((low <= KNOWN) & (high >= KNOWN)).all()
    assert (high - low < 0.5).all()


def test_the_authors_weights_are_whole_counts_of_all_selected_patches(evidence):
    decoded = audit.decode_counts(evidence)
    assert decoded.pixels.tolist() == [1398876, 12046464, 7167191, 1459255, 3034357, 360900897]
    assert decoded.pixels.sum() == 5890 * 65536
    assert np.abs(decoded.exact - decoded.pixels).max() < 0.03
    assert weights_of(decoded.pixels).round(8).tolist() == [
        365.65572762, 42.46117546, 71.36785131, 350.52613946, 168.5718001, 1.41730604
    ]  # fmt: skip


@pytest.mark.parametrize("patches", [3369, 5280])
def test_other_sets_of_patches_give_no_whole_counts(evidence, patches):
    decoded = audit.decode_counts(evidence, patches)
    low, high = decoded.bounds.T
    assert not ((low <= decoded.pixels) & (decoded.pixels <= high)).all()


def test_the_test_tile_is_a_part_of_them(evidence):
    decoded = audit.decode_counts(evidence)
    assert (decoded.train_and_validation > 0).all()
    assert decoded.train_and_validation.sum() == (3369 + 1911) * 65536
    shares = decoded.shares()
    ratio = shares["test"] / shares["train and validation"]
    assert ratio[3] == pytest.approx(1.55, abs=0.01)
    assert ratio[4] == pytest.approx(1.40, abs=0.01)


def test_the_date_rule_drops_urban_patches(evidence):
    assert 100 * audit.decode_counts(evidence).urban_share == pytest.approx(6.50, abs=0.005)
    low, high = audit.dropped_urban_share(evidence)
    assert 0.101 < low < high < 0.103
