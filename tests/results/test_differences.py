"""The statistical standard: on hand-worked numbers, and by simulating networks without difference.

The simulated runs are those of two networks with the same true scores. What is simulated, and what
the share of intervals that exclude 0 was with 1,500 repetitions and 72 patches (5 % is right):

    variance of the difference comes from   3 seeds   5 seeds
    seeds alone                              4.7 %     4.8 %
    patches alone                            5.7 %     5.2 %
    both alike                               4.5 %     5.3 %
    what a seed does to single patches       4.7 %     4.9 %
    a mixture as of the sample's records     6.1 %     5.5 %
"""

from dataclasses import replace

import numpy as np
import pytest
from records import make_record
from scipy import stats

from multisenge_lib.errors import RecordError
from multisenge_lib.results import differences, scores
from multisenge_lib.results.differences import (
    COMPARABLE,
    Estimate,
    correct,
    draw_patches,
    estimate,
    mean_score,
    paired_difference,
    score_values,
)


def runs(hits, experiment="s1s2_10c", patches=6, seeds=None):
    """Records whose seed s has `hits[s]` right pixels a class and patch, and ten wrong ones."""
    records = []
    for number, right in enumerate(hits):
        seed = number + 1 if seeds is None else seeds[number]
        confusion = right * np.eye(10, dtype=int) + 1
        records.append(make_record(experiment, seed, confusions=np.stack([confusion] * patches)))
    return records


def f1_of(right):
    """The F1 of every class of such a run: it has `right + 1` hits, 9 misses and 9 false alarms."""
    return 2 * (right + 1) / (2 * (right + 1) + 18)


def test_a_value_without_error_is_certain():
    assert Estimate(value=0.1, std=0, seeds=5, error=0, degrees_of_freedom=4).p_value == 0
    assert Estimate(value=0.0, std=0, seeds=5, error=0, degrees_of_freedom=4).p_value == 1


# --- One mean ---


def test_the_mean_is_that_of_the_score_asked_for():
    hits = (40, 50, 60)
    kappas = []
    for right in hits:
        accuracy = (right + 1) / (right + 10)
        kappas.append((accuracy - 0.1) / 0.9)  # a tenth would be right by chance
    assert mean_score(runs(hits), "kappa").value == pytest.approx(np.mean(kappas))


def test_a_mean_score_of_equal_patches_varies_over_the_seeds_alone():
    hits = (40, 50, 60)
    result = mean_score(runs(hits), "macro_f1")
    values = [f1_of(right) for right in hits]
    assert result.value == pytest.approx(np.mean(values))
    assert result.std == pytest.approx(np.std(values, ddof=1))
    assert result.error == pytest.approx(np.std(values, ddof=1) / np.sqrt(3))
    assert result.degrees_of_freedom == pytest.approx(2)
    expected = stats.t.interval(0.95, 2, np.mean(values), result.error)
    assert result.interval() == pytest.approx(expected)


def test_differences_are_of_pairs_with_one_seed():
    """All seeds gain alike, however far they are from each other."""
    ours = runs((41, 61, 81), seeds=(1, 2, 3))
    theirs = runs((80, 60, 40), "s1_10c", seeds=(3, 2, 1))
    result = paired_difference(ours, theirs, "accuracy")
    gains = [(r + 2) / (r + 11) - (r + 1) / (r + 10) for r in (40, 60, 80)]
    assert result.value == pytest.approx(np.mean(gains))
    assert result.std == pytest.approx(np.std(gains, ddof=1))
    assert result.seeds == 3


def test_seeds_that_only_one_network_has_are_left_out():
    result = paired_difference(runs((50, 60, 99)), runs((40, 50), "s1_10c"), "accuracy")
    assert result.seeds == 2
    assert result.value == pytest.approx(np.mean([51 / 60 - 41 / 50, 61 / 70 - 51 / 60]))


def test_the_order_of_the_two_networks_is_the_sign():
    ours = runs((50, 60, 63))
    theirs = runs((40, 55, 50), "s1_10c")
    forth = paired_difference(ours, theirs)
    back = paired_difference(theirs, ours)
    assert forth.value > 0
    assert forth.interval() == pytest.approx(tuple(-end for end in back.interval()[::-1]))


def test_of_one_seed_nothing_is_known():
    result = paired_difference(runs((60,)), runs((30,), "s1_10c"))
    assert result.value > 0 and np.isnan(result.error) and result.p_value == 1
    assert np.isnan(result.interval()).all()
    assert not correct({"one": result})["one"].is_clear


def test_equal_runs_differ_by_nothing():
    result = paired_difference(runs((60, 50)), runs((60, 50), "s1_10c"))
    assert (result.value, result.error, result.p_value) == (0, 0, 1)
    assert result.interval() == (0, 0)


def test_patches_that_all_seeds_share_are_a_part_of_the_error_for_any_number_of_seeds():
    """Three patches on which both seeds gain 1, 2 and 3: the variance of the mean of three."""
    draws = draw_patches(3, draws=200_000) / 3
    of_draws = np.stack([draws @ [1, 2, 3]] * 2)
    result = estimate(np.array([2.0, 2.0]), of_draws, patches=3)
    assert result.std == 0
    assert result.error == pytest.approx(np.std([1, 2, 3], ddof=1) / np.sqrt(3), rel=0.01)
    assert result.degrees_of_freedom == pytest.approx(2)


def test_both_parts_of_the_variance_add_up():
    """The second seed gains one more on every patch: seeds and patches vary independently."""
    draws = draw_patches(3, draws=200_000) / 3
    of_draws = np.stack([draws @ [1, 2, 3], draws @ [2, 3, 4]])
    result = estimate(np.array([2.0, 3.0]), of_draws, patches=3)
    seed_part = 0.5 / 2
    patch_part = 1 / 3
    assert result.error**2 == pytest.approx(seed_part + patch_part, rel=0.01)
    freedom = (seed_part + patch_part) ** 2 / (seed_part**2 / 1 + patch_part**2 / 2)
    assert result.degrees_of_freedom == pytest.approx(freedom, rel=0.02)


def test_what_a_seed_does_to_single_patches_is_not_counted_twice():
    """Two seeds that gain on different patches: their draws are opposed, nothing is shared."""
    draws = draw_patches(2, draws=10_000) / 2
    of_draws = np.stack([draws @ [1, 0], draws @ [0, 1]])
    result = estimate(np.array([0.4, 0.6]), of_draws, patches=2)
    assert result.error == pytest.approx(0.1)


def test_draws_on_which_a_score_is_not_defined_are_left_out():
    of_draws = np.array([[0.5, np.nan, 0.7, 0.6], [0.5, 0.1, 0.7, np.nan]])
    result = estimate(np.array([0.6, 0.6]), of_draws, patches=2)
    assert result.error**2 == pytest.approx(np.var([0.5, 0.7], ddof=1) * 2)


def test_without_counts_by_patch_the_error_is_that_of_the_seeds():
    """A paired t test of 0.1, 0.2 and 0.3: t is 2 / (1 / sqrt(3))."""
    result = estimate(np.array([0.1, 0.2, 0.3]), np.empty((3, 0)), patches=0)
    assert result.error == pytest.approx(0.1 / np.sqrt(3))
    expected = stats.ttest_1samp([0.1, 0.2, 0.3], 0).pvalue
    assert result.p_value == pytest.approx(expected)


# --- Scores ---


def test_each_score_is_that_of_the_metrics():
    confusion = runs((7,))[0].confusions[0]
    for name in COMPARABLE[:-1]:
        assert score_values(confusion, name) == pytest.approx(scores(confusion)[name])


def test_urban_f1_leaves_absent_classes_out():
    confusion = np.diag([8, 8, 0, 8, 8, 1, 1, 1, 1, 1])
    confusion[0, 1] = 8
    expected = np.mean([2 * 8 / 24, 2 * 8 / 24, 1, 1])
    assert score_values(confusion, "urban_f1") == pytest.approx(expected)
    assert np.isnan(score_values(np.diag([0] * 5 + [3]), "urban_f1"))


def with_classes(records, names):
    return [replace(run, metadata=replace(run.metadata, classes=tuple(names))) for run in records]


@pytest.mark.fault("compare: urban_f1 of an area's own classes -> refused, they are others")
def test_urban_f1_of_other_classes_is_refused():
    """Three classes were a traceback; of ten, any first five counted as urban."""
    named = runs((50, 60))
    own = with_classes(named, [f"Forest {number}" for number in range(10)])
    few = [
        make_record("s1_6c", run.metadata.seed, confusions=run.confusions[:, :3, :3])
        for run in named
    ]
    few = with_classes(few, ["Water", "Forest", "Field"])
    for wrong, begins in ((own, "Forest 0, Forest 1"), (few, "Water, Forest, Field")):
        message = f"mean of Dense Built-Up, .* on sample begins with {begins}"
        with pytest.raises(RecordError, match=message):
            mean_score(wrong, "urban_f1")
        with pytest.raises(RecordError, match=message):
            paired_difference(named, wrong, "urban_f1")
    with pytest.raises(RecordError, match="mean of classes 1 to 5, here are 3"):
        score_values(few[0].confusion, "urban_f1")


@pytest.mark.fault("compare: other patches, other classes, no common seed, no such score -> 1 line")
def test_what_cannot_be_compared_is_refused():
    ours = runs((50, 60))
    with pytest.raises(RecordError, match="s1s2_10c and s1_10c were not tested on the same"):
        paired_difference(ours, runs((50, 60), "s1_10c", patches=5))
    with pytest.raises(RecordError, match="no seed in common"):
        paired_difference(ours, runs((50, 60), "s1_10c", seeds=(3, 4)))
    with pytest.raises(RecordError, match="there is no score 'f1': choose among accuracy, "):
        paired_difference(ours, ours, "f1")
    with pytest.raises(RecordError, match="there are no runs"):
        mean_score([])
    six = [
        make_record("s1_6c", run.metadata.seed, confusions=run.confusions[:, :6, :6])
        for run in ours
    ]
    with pytest.raises(RecordError, match=r"separate different classes \(10 and 6\)"):
        paired_difference(ours, six)
    assert paired_difference(ours, six, "urban_f1").seeds == 2


# --- Several comparisons ---


def known(p_value, seeds=5):
    """An estimate of this p value, with so many degrees of freedom that t is normal."""
    return Estimate(float(stats.norm.isf(p_value / 2)), 1.0, seeds, 1.0, 1e9)


def test_holm_by_hand():
    """Holm (1979): 0.005 against 0.05/3, 0.02 against 0.05/2, 0.06 against 0.05."""
    tested = correct({"b": known(0.02), "c": known(0.06), "a": known(0.005)})
    assert list(tested) == ["b", "c", "a"]
    assert [round(tested[name].p_value, 4) for name in "abc"] == [0.015, 0.04, 0.06]
    assert [tested[name].excludes_zero for name in "abc"] == [True, True, False]
    z = stats.norm.isf(0.05 / 3 / 2)
    assert tested["a"].high - tested["a"].low == pytest.approx(2 * z, rel=1e-5)


def test_after_the_first_that_is_not_rejected_none_is():
    """0.03 fails at 0.05/2, so 0.04 is not rejected either, although it is below 0.05."""
    tested = correct({"a": known(0.03), "b": known(0.04)})
    assert not tested["a"].excludes_zero and not tested["b"].excludes_zero
    assert tested["a"].p_value == tested["b"].p_value == pytest.approx(0.06)
    assert correct({"b": known(0.04)})["b"].excludes_zero


@pytest.mark.parametrize(("seeds", "clear"), [(4, False), (5, True)])
def test_a_claim_needs_five_pairs_of_runs(seeds, clear):
    assert correct({"a": known(1e-9, seeds)})["a"].is_clear == clear


def test_a_clear_difference_is_claimed_and_a_scattered_one_is_not():
    better = runs((60, 61, 62, 61, 60))
    clear = paired_difference(better, runs((30, 31, 30, 32, 31), "s1_10c"))
    scattered = paired_difference(better, runs((20, 99, 58, 64, 60), "s2_10c"))
    tested = correct({"clear": clear, "scattered": scattered})
    assert tested["clear"].is_clear
    assert not tested["scattered"].is_clear


def test_a_clear_loss_is_claimed_like_a_clear_gain():
    better = runs((60, 61, 62, 61, 60))
    worse = runs((30, 31, 30, 32, 31), "s1_10c")
    lost = correct({"a": paired_difference(worse, better)})["a"]
    assert lost.high < 0 and lost.is_clear


# --- By simulation ---


def simulated_pair(rng, seeds, seed_effect, patch_effect, run_effect, gain=0.0):
    """Counts of two networks with two classes; effects are in units of the log odds of a hit."""
    patches = 40
    easy = rng.normal(1, 0.5, (1, patches))  # patches that are easy are so for both
    pair = []
    for network_gain in (gain, 0.0):
        log_odds = (
            easy
            + network_gain
            + seed_effect * rng.normal(size=(seeds, 1))
            + patch_effect * rng.normal(size=(1, patches))
            + run_effect * rng.normal(size=(seeds, patches))
        )
        right = np.round(200 / (1 + np.exp(-log_odds)))
        # Each class has 200 pixels in each patch; both are hit alike.
        rows = np.stack([right, 200 - right, 200 - right, right], axis=-1)
        pair.append(rows.reshape(seeds, patches, 2, 2))
    return pair


def share_that_excludes_zero(repeats, seeds, *effects, gain=0.0):
    rng = np.random.default_rng(8)
    draws = draw_patches(40, draws=100)
    excluded = 0
    for _ in range(repeats):
        ours, theirs = simulated_pair(rng, seeds, *effects, gain=gain)
        our_scores, our_draws = differences._scores_of(ours, "macro_f1", draws)
        their_scores, their_draws = differences._scores_of(theirs, "macro_f1", draws)
        result = estimate(our_scores - their_scores, our_draws - their_draws, 40)
        excluded += result.p_value < 0.05
    return excluded / repeats


@pytest.mark.parametrize(
    "effects",
    [(0.1, 0, 0), (0, 0.4, 0), (0.1, 0.4, 0.2), (0, 0, 0.4)],
    ids=["seeds", "patches", "both", "seeds on single patches"],
)
def test_without_a_difference_about_one_interval_in_twenty_excludes_zero(effects):
    """With 300 repetitions, 5 % are 1.5 to 8.8 % in 99 of 100 cases."""
    assert 0.015 <= share_that_excludes_zero(300, 5, *effects) <= 0.088


def test_a_true_difference_is_found():
    assert share_that_excludes_zero(100, 5, 0.1, 0.4, 0.2, gain=0.4) > 0.8
