"""Is one network better than another? The one statistical standard of all pages and commands.

In short, for two networks trained with the same n seeds and tested on the same P patches:

    d(s)       score of the first network minus that of the second, both trained with seed s
    estimate   mean of d(s) over the seeds
    variance   (variance of d(s) over the seeds) / n  +  (variance that all seeds share over draws
               of the P patches)
    interval   estimate ± t * sqrt(variance), with Holm's correction for several comparisons

A difference is called clear, and a sentence may claim it, where this interval excludes 0 and there
are at least five pairs of runs (`LEAST_SEEDS`). With fewer pairs, the variance over seeds is hardly
known. With one pair, the interval is unknown.

A score also depends on luck, in two ways: the seed of the training, and the patches that happen to
be in the test split. So every score is a mean over seeds, and every interval covers both.

**Pairs.** The runs of two networks are compared seed by seed: with the same seed they see the same
batches, turned in the same way. They are also scored on the same patches. What a seed or a patch
does to both networks alike cancels in the difference.

**Interval.** The difference of seed s on all test patches is d(s), and the estimate is its mean
over the n seeds. Its variance has two parts that add up:

1. seeds: the variance of d(s) over the seeds, divided by n, with n - 1 degrees of freedom. It
   includes what a seed does to single patches.
2. patches: what is left however many seeds there are, because all seeds are tested on the same
   patches. The patches are drawn with replacement many times, all seeds are scored on each draw,
   and this part is the covariance of two seeds over the draws, the mean of all pairs of seeds. (Of
   a single seed, the variance over the draws would count again what a seed does to single patches,
   which is in the first part.) With P patches it has P - 1 degrees of freedom.

The interval is the estimate plus and minus a quantile of Student's t times the root of the sum, and
the degrees of freedom of the sum are those of Welch and Satterthwaite. In simulations without any
difference, 4.5 to 6 % of such 95 % intervals exclude 0, whichever part is the larger, with three
seeds as with five (`tests/results/test_differences.py` has a short version). If the seeds are the
larger part, a true difference is found in this share of the cases:

    true difference, in standard deviations of d(s)    three seeds    five seeds
    1.5                                                       32 %          71 %
    2                                                         47 %          91 %

Patches that lie near each other are alike, which drawing single patches ignores. So the interval is
about this piece of ground; for other places it is too narrow (`audit.design` draws blocks).

**Several comparisons.** Among twenty differences that are all chance, one 95 % interval excludes 0.
So the comparisons that are shown together are a family, corrected by Holm's procedure. The
corrected interval of each is drawn at the level at which Holm's procedure tests it, so it excludes
0 exactly where the procedure rejects chance.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from multisenge_lib.dataset import TYPOLOGIES, URBAN
from multisenge_lib.errors import RecordError
from multisenge_lib.results.metrics import OVERALL, score_many
from multisenge_lib.results.records import Record

#: Share of intervals that hold the true value.
LEVEL = 0.95
#: How often the test patches are drawn: the number of bootstrap samples.
DRAWS = 1000
#: Least number of pairs of runs for a claim.
LEAST_SEEDS = 5
#: The mean F1 of MultiSenGE's five urban classes. It may be compared between classifications that
#: all have these classes under their ids, as those of the paper do.
URBAN_F1 = "urban_f1"
#: What can be compared: the scores of a confusion matrix, and `URBAN_F1`.
COMPARABLE = (*OVERALL, URBAN_F1)


# --- One mean with its uncertainty ---


@dataclass(frozen=True)
class Estimate:
    """A mean over seeds, and how well seeds and test patches together determine it.

    Attributes:
        value: the mean over the seeds, of a score or of a difference of scores.
        std: standard deviation over the seeds; NaN for one seed.
        seeds: how many there are.
        error: standard error of the value, over seeds and patches; NaN for one seed.
        degrees_of_freedom: those of the error; NaN where the error is 0 or NaN.
    """

    value: float
    std: float
    seeds: int
    error: float
    degrees_of_freedom: float

    def interval(self, confidence: float = LEVEL) -> tuple[float, float]:
        """Return the ends of the interval; NaN where the error is not known."""
        if self.error == 0:
            return self.value, self.value
        quantile = stats.t.ppf((1 + confidence) / 2, self.degrees_of_freedom)
        half_width = quantile * self.error
        return float(self.value - half_width), float(self.value + half_width)

    @property
    def p_value(self) -> float:
        """How often chance alone would give a value as far from 0; 1 where that is not known."""
        if np.isnan(self.error):
            return 1.0
        if self.error == 0:
            return 1.0 if self.value == 0 else 0.0
        return float(2 * stats.t.sf(abs(self.value) / self.error, self.degrees_of_freedom))


def estimate(of_seeds: np.ndarray, of_draws: np.ndarray, patches: int) -> Estimate:
    """Estimate a mean over seeds from its value on all patches and on draws of them.

    Args:
        of_seeds: `(seeds,)`, the value of each seed on all test patches.
        of_draws: `(seeds, draws)`, the same on each draw of the patches, all seeds on the same.
        patches: how many test patches there are.
    """
    seeds = len(of_seeds)
    value = float(np.mean(of_seeds))
    if seeds < 2:
        return Estimate(value, np.nan, seeds, np.nan, np.nan)

    std = float(np.std(of_seeds, ddof=1))
    seed_variance = std**2 / seeds
    patch_variance = _shared_variance(of_draws, patches)
    variance = seed_variance + patch_variance
    if variance == 0:
        return Estimate(value, std, seeds, 0.0, np.nan)
    # Welch and Satterthwaite: each part weighs by how well it is itself known.
    freedom_terms = seed_variance**2 / (seeds - 1) + patch_variance**2 / max(patches - 1, 1)
    return Estimate(value, std, seeds, float(np.sqrt(variance)), variance**2 / freedom_terms)


def _shared_variance(of_draws: np.ndarray, patches: int) -> float:
    """The part of the variance over draws of patches that all seeds share."""
    seeds = len(of_draws)
    # A score is not defined on every draw, kappa of a single class for one.
    defined = of_draws[:, np.isfinite(of_draws).all(axis=0)]
    if patches < 2 or defined.shape[1] < 2:
        return 0.0
    covariance = np.cov(defined)
    between_seeds = covariance.sum() - np.trace(covariance)
    # Drawing from P patches instead of all ground loses a little of the variance.
    shared = between_seeds / (seeds * (seeds - 1)) * patches / (patches - 1)
    return max(float(shared), 0.0)


# --- Scores of runs on draws of the test patches ---


def score_values(confusions: np.ndarray, score: str) -> np.ndarray:
    """Compute one score of many confusion matrices.

    Args:
        confusions: `(..., classes, classes)` counts.
        score: one of `COMPARABLE`. For `URBAN_F1`, the ids 1 to 5 have to be MultiSenGE's urban
            classes, which counts do not tell.

    Returns:
        `(...) float64`, NaN where the score is not defined.

    Raises:
        RecordError: there is no such score, or there are too few classes for it.
    """
    if score not in COMPARABLE:
        raise RecordError(f"there is no score {score!r}: choose among {', '.join(COMPARABLE)}")
    if score == URBAN_F1:
        classes = confusions.shape[-1]
        if classes < max(URBAN):
            raise RecordError(
                f"{URBAN_F1} is the mean of classes 1 to {max(URBAN)}, here are {classes}: compare "
                "by another score, such as macro_f1"
            )
        f1 = score_many(confusions, "f1")
        urban = f1[..., [class_id - 1 for class_id in URBAN]]
        return _mean_of_present(urban)
    return score_many(confusions, score)


def _mean_of_present(values: np.ndarray) -> np.ndarray:
    """Average over the last axis and ignore NaN; NaN if all are NaN."""
    present = np.isfinite(values)
    total = np.where(present, values, 0).sum(axis=-1)
    count = present.sum(axis=-1)
    return np.divide(total, count, out=np.full(count.shape, np.nan), where=count > 0)


def draw_patches(patches: int, draws: int = DRAWS) -> np.ndarray:
    """Draw patches with replacement, and count how often each is taken: `(draws, patches)`.

    These are the bootstrap samples. The same number of patches gives the same draws each time.
    """
    rng = np.random.Generator(np.random.PCG64(0))
    return rng.multinomial(patches, np.full(patches, 1 / patches), size=draws).astype(float)


def _scores_of(
    runs: Sequence[np.ndarray], score: str, draws: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Score each run on all patches, `(seeds,)`, and on each draw of them, `(seeds, draws)`."""
    on_all = []
    on_draws = []
    for confusions in runs:
        classes = confusions.shape[1]
        # A draw's matrix is the sum of its patches': one product for all draws together.
        flat = confusions.reshape(len(confusions), classes * classes).astype(float)
        drawn = (draws @ flat).reshape(len(draws), classes, classes)
        on_all.append(float(score_values(confusions.sum(axis=0), score)))
        on_draws.append(score_values(drawn, score))
    return np.array(on_all), np.array(on_draws)


def mean_score(runs: Sequence[Record], score: str = "macro_f1") -> Estimate:
    """Estimate the mean score of a network over its seeds.

    Args:
        runs: records of one experiment, one per seed.
        score: one of `COMPARABLE`.

    Raises:
        RecordError: there is no such score, the runs were tested on different patches, or the
            score is that of the urban classes and they do not have these.
    """
    _check_same_patches(runs)
    if score == URBAN_F1:
        _check_urban_classes(runs)
    draws = draw_patches(len(runs[0].patches))
    on_all, on_draws = _scores_of([run.confusions for run in runs], score, draws)
    return estimate(on_all, on_draws, draws.shape[1])


def common_seeds(ours: Sequence[Record], theirs: Sequence[Record]) -> list[int]:
    """Return the seeds that both of two experiments were trained with."""
    our_seeds = {run.metadata.seed for run in ours}
    their_seeds = {run.metadata.seed for run in theirs}
    return sorted(our_seeds & their_seeds)


def paired_difference(
    ours: Sequence[Record], theirs: Sequence[Record], score: str = "macro_f1"
) -> Estimate:
    """Estimate how much higher the first network scores than the second, by pairs of equal seed.

    Only the names of the patches are checked here, not their pixels: give records of one state of
    the data. `compare_experiments` checks more.

    Args:
        ours: records of one experiment, one per seed.
        theirs: records of the other; seeds that only one of the two has are left out.
        score: one of `COMPARABLE`.

    Raises:
        RecordError: there is no such score, the networks have no seed in common, they were tested
            on different patches, or they separate different classes. For `URBAN_F1` their classes
            may differ, but both need MultiSenGE's urban ones.
    """
    if not ours or not theirs:
        raise RecordError("one of the two has no runs to compare: train its experiment first")
    _check_same_patches([*ours, *theirs])
    if score == URBAN_F1:
        _check_urban_classes([*ours, *theirs])
    else:
        _check_same_classes(ours[0], theirs[0])
    our_runs = {run.metadata.seed: run.confusions for run in ours}
    their_runs = {run.metadata.seed: run.confusions for run in theirs}
    seeds = common_seeds(ours, theirs)
    if not seeds:
        raise RecordError(
            f"{_names(ours[0], theirs[0])} have no seed in common ({sorted(our_runs)} and "
            f"{sorted(their_runs)}): train both with the same seeds"
        )

    draws = draw_patches(len(ours[0].patches))
    our_scores, our_draws = _scores_of([our_runs[seed] for seed in seeds], score, draws)
    their_scores, their_draws = _scores_of([their_runs[seed] for seed in seeds], score, draws)
    return estimate(our_scores - their_scores, our_draws - their_draws, draws.shape[1])


def _names(ours: Record, theirs: Record) -> str:
    return f"{ours.metadata.experiment} and {theirs.metadata.experiment}"


def _check_same_patches(runs: Sequence[Record]) -> None:
    if not runs:
        raise RecordError("there are no runs to score: train the experiment first")
    first = runs[0]
    for run in runs[1:]:
        same = run.patches == first.patches and run.metadata.dataset == first.metadata.dataset
        if not same:
            raise RecordError(
                f"{_names(first, run)} were not tested on the same patches: train both again on "
                "the same data"
            )


def _check_same_classes(ours: Record, theirs: Record) -> None:
    if ours.metadata.classes != theirs.metadata.classes:
        raise RecordError(
            f"{_names(ours, theirs)} separate different classes ({len(ours.metadata.classes)} and "
            f"{len(theirs.metadata.classes)}), whose scores cannot be compared: compare networks "
            f"of one classification, or their {URBAN_F1}"
        )


def _check_urban_classes(runs: Sequence[Record]) -> None:
    """Refuse classes of which those with the urban ids are others than MultiSenGE's."""
    urban = TYPOLOGIES["14c"].names[: len(URBAN)]
    for run in runs:
        names = run.metadata.classes[: len(URBAN)]
        if tuple(names) != urban:
            raise RecordError(
                f"{URBAN_F1} is the mean of {', '.join(urban)}; {run.metadata.experiment} on "
                f"{run.metadata.dataset} begins with {', '.join(names)}: compare by another score, "
                "such as macro_f1"
            )


# --- Several comparisons at once ---


@dataclass(frozen=True)
class TestedDifference:
    """A difference among several that are shown together, corrected for their number.

    Attributes:
        difference: as if it were the only one.
        low: lower end of the corrected interval; NaN where it is not known.
        high: its upper end.
        p_value: corrected.
    """

    __test__ = False  # pytest takes classes of such names for tests

    difference: Estimate
    low: float
    high: float
    p_value: float

    @property
    def has_enough_seeds(self) -> bool:
        """Whether there are enough pairs of runs for a claim."""
        return self.difference.seeds >= LEAST_SEEDS

    @property
    def excludes_zero(self) -> bool:
        """Whether the corrected interval lies on one side of 0."""
        return self.low > 0 or self.high < 0

    @property
    def is_clear(self) -> bool:
        """Whether a sentence may claim that one of the two networks is better."""
        return self.has_enough_seeds and self.excludes_zero


def correct(differences: Mapping[str, Estimate]) -> dict[str, TestedDifference]:
    """Correct differences for the number of comparisons, by Holm's procedure.

    The comparison with the least p value is tested at 5 % divided by their number m, the next one
    at 5 % / (m - 1), and so on. From the first comparison that is not significant on, all keep that
    level and count as not significant.

    Args:
        differences: the family, all that is shown together, by name.
    """
    by_p_value = sorted(differences, key=lambda name: differences[name].p_value)
    alpha = 1 - LEVEL
    tested = {}
    largest_p_value = 0.0
    significance = alpha
    rejects = True
    for rank, name in enumerate(by_p_value):
        difference = differences[name]
        remaining = len(by_p_value) - rank
        if rejects:
            significance = alpha / remaining
            rejects = difference.p_value < significance
        # Corrected p values never fall from one rank to the next.
        largest_p_value = max(largest_p_value, min(1.0, remaining * difference.p_value))
        low, high = difference.interval(confidence=1 - significance)
        tested[name] = TestedDifference(difference, low, high, largest_p_value)
    return {name: tested[name] for name in differences}
