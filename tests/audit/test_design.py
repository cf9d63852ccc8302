"""The design of the real run: variances by hand, power against simulation."""

import itertools

import numpy as np
import pytest
from scipy import stats

from multisenge_lib.audit import design
from multisenge_lib.audit.replications import spread_of_one_network
from multisenge_lib.models import get_experiment
from multisenge_lib.results import OVERALL, scores


def test_pooled_deviation_by_hand():
    deviation, freedom = design.seed_deviation([[1.0, 3.0], [10.0, 10.0, 10.0]])
    assert freedom == 3
    assert deviation == pytest.approx(np.sqrt(2 / 3))


def test_a_deviation_of_four_runs_is_known_badly():
    low, high = design.deviation_interval(1.0, 3)
    assert (low, high) == pytest.approx((0.566, 3.729), abs=1e-3)


def test_power_agrees_with_simulation():
    rng = np.random.default_rng(0)
    runs = rng.normal(0, 1, (4000, 2, 5))
    runs[:, 0] += 1.5
    p_values = stats.ttest_ind(runs[:, 0], runs[:, 1], axis=1).pvalue
    simulated = (p_values < design.ALPHA / len(design.COMPARISONS)).mean()
    assert design.power_of(1.5, 1.0, 5) == pytest.approx(simulated, abs=0.03)


def test_without_a_difference_the_level_is_kept():
    level = design.ALPHA / len(design.COMPARISONS)
    assert design.power_of(0.0, 1.0, 5) == pytest.approx(level, abs=1e-3)


def test_power_grows_with_seeds_without_gaps():
    powers = [design.power_of(0.028, 0.008, seeds) for seeds in range(2, 30)]
    assert all(a <= b + 1e-9 for a, b in itertools.pairwise(powers))


def test_seeds_needed_is_the_first_number_with_enough_power():
    seeds = design.seeds_needed(0.014, 0.008)
    assert design.power_of(0.014, 0.008, seeds) >= design.POWER
    assert design.power_of(0.014, 0.008, seeds - 1) < design.POWER
    assert design.seeds_needed(0.0001, 0.008) is None


def test_the_table_has_a_row_per_difference():
    table = design.power_table([0.014, 0.03], 0.008, seeds=(3, 5))
    assert table.index.tolist() == [0.014, 0.03]
    assert (table[5] > table[3]).all()
    assert table.loc[0.03, "needed"] < table.loc[0.014, "needed"]


def test_the_comparisons_are_of_known_experiments():
    for comparison in design.COMPARISONS:
        # A reader can type both names, variants too.
        ours = get_experiment(comparison.ours)
        theirs = get_experiment(comparison.theirs)
        assert comparison.score in OVERALL
        assert comparison.merged == (ours.classes != theirs.classes)


def test_blocks_by_hand():
    # A block of 10 km is 1000 pixels wide.
    patches = ["31UEQ_0_0", "31UEQ_999_0", "31UEQ_1000_0", "31UFQ_0_0"]
    first, second, third, fourth = design.blocks_of(patches, 10)
    assert first == second
    assert len({first, third, fourth}) == 3


def test_the_test_tile_has_far_fewer_blocks_than_patches():
    assert 50 < design.blocks_of_test_tile(10) < 122
    assert design.blocks_of_test_tile(110) == 1


def test_alike_patches_of_one_block_count_once():
    """Copies of a patch in its block add nothing; as patches of their own they seem to."""
    rng = np.random.default_rng(1)
    ours = rng.integers(1, 50, (12, 2, 2))
    theirs = rng.integers(1, 50, (12, 2, 2))

    def accuracy(confusion):
        return scores(confusion)["accuracy"]

    blocks = [("31UEQ", i, 0) for i in range(12)]
    once = design.ground_deviation(ours, theirs, blocks, accuracy)
    copies = design.ground_deviation(
        np.repeat(ours, 4, axis=0), np.repeat(theirs, 4, axis=0), blocks_repeated(blocks), accuracy
    )
    as_if_independent = design.ground_deviation(
        np.repeat(ours, 4, axis=0),
        np.repeat(theirs, 4, axis=0),
        [("31UEQ", i, 0) for i in range(48)],
        accuracy,
    )
    assert copies == pytest.approx(once)
    assert as_if_independent == pytest.approx(once / 2, rel=0.15)


def blocks_repeated(blocks):
    return [block for block in blocks for _ in range(4)]


def test_four_times_the_ground_halves_the_deviation():
    assert design.patches_needed(0.01, 0.01, 100) == pytest.approx(
        4 * design.patches_needed(0.02, 0.01, 100), abs=4
    )


def test_a_replicate_of_0_87_is_no_failure():
    states, _ = spread_of_one_network(6)["weighted_f1"]
    result = design.check_replicate(0.8851, 0.8711, states.std, states.count - 1)
    assert result.is_explained_by_chance
    assert result.low < 0.8711 < result.high
    assert not design.check_replicate(0.8851, 0.80, states.std, 3).is_explained_by_chance
