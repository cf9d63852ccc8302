"""Design of the run on the real images: what to compare, how often to train, what counts as a gap.

Two things blur a difference between two networks. Training again with another seed gives other
weights: its standard deviation is known from repeated runs. And another piece of ground would give
other scores: neighbouring patches are alike, so it is measured by drawing whole blocks of ground,
not single patches. More seeds reduce the first, more ground the second:

    variance of the difference = 2 seed variance / seeds + ground variance

All runs on the paper's split are tested on one tile. For a statement about that tile, the first
term is enough; for one about other places, both are needed, and no number of seeds helps with the
second.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from multisenge_lib.audit.label_counts import read_date_series
from multisenge_lib.dataset import MULTISENGE, PIXEL

#: Share of true differences that a comparison should find.
POWER = 0.8
#: Share of comparisons without a true difference that may claim one, over all of `COMPARISONS`.
ALPHA = 0.05
#: Beyond this number of runs of each network we do not look.
_MOST_SEEDS = 500
#: How often blocks of ground are drawn.
_DRAWS = 1000


@dataclass(frozen=True)
class Comparison:
    """A comparison that is named before the run, so that no other is picked afterwards.

    Attributes:
        question: what it answers.
        hypothesis: a hypothesis of the paper's section 1, in its words, or the sentence that it
            tests.
        ours: the experiment that is expected to be better.
        theirs: the experiment that it is set against.
        score: one of `results.OVERALL`; where both have six classes or are merged to six.
        merged: whether `ours` has ten classes and is merged to six first.
    """

    question: str
    hypothesis: str
    ours: str
    theirs: str
    score: str = "macro_f1"
    merged: bool = False


#: All comparisons of the real run. Everything else that is looked at is exploration.
COMPARISONS = (
    Comparison(
        "Do ten classes serve the urban ones better than six?",
        "balancing the dataset can improve UF classification (section 1)",
        ours="inception_10c",
        theirs="inception_6c",
        merged=True,
    ),
    Comparison(
        "Does Sentinel-1 add to Sentinel-2?",
        "multitemporal optical and SAR imagery can improve UF classification (section 1)",
        ours="s1s2_10c",
        theirs="s2_10c",
    ),
    Comparison(
        "Do four dates add to one?",
        "multitemporal optical and SAR imagery can improve UF classification (section 1)",
        ours="s1s2_10c",
        theirs="s1s2_10c+one_date",
    ),
    Comparison(
        "Does the Inception module improve the classification?",
        "the addition of an Inception module on a date [...] improves (abstract)",
        ours="inception_10c",
        theirs="s1s2_10c",
    ),
)


# Where the variance comes from


def seed_deviation(groups: Sequence[Sequence[float]]) -> tuple[float, int]:
    """Standard deviation of a score over seeds, pooled over networks.

    Args:
        groups: for each network, the scores of its runs; networks with one run tell nothing.

    Returns:
        The standard deviation and its degrees of freedom.
    """
    # Pooled within networks: that networks differ from each other is not the seeds' doing.
    squares = 0.0
    freedom = 0
    for scores in groups:
        values = np.asarray(scores, dtype=float)
        squares += ((values - values.mean()) ** 2).sum()
        freedom += len(values) - 1
    return float(np.sqrt(squares / freedom)), freedom


def deviation_interval(deviation: float, freedom: int) -> tuple[float, float]:
    """Within what a standard deviation can lie, at 95 %, that was estimated from few runs."""
    tail = 0.05 / 2
    high_quantile, low_quantile = stats.chi2.ppf([1 - tail, tail], freedom)
    return (
        float(deviation * np.sqrt(freedom / high_quantile)),
        float(deviation * np.sqrt(freedom / low_quantile)),
    )


def blocks_of(patches: Sequence[str], kilometres: float) -> list[tuple[str, int, int]]:
    """The block of ground that each patch begins in: tile, column and row of the block.

    Args:
        patches: names such as "31UEQ_7453_4112".
        kilometres: along a block's side.
    """
    side = kilometres * 1000 / PIXEL
    blocks = []
    for patch in patches:
        tile, x, y = patch.split("_")
        blocks.append((tile, int(int(x) // side), int(int(y) // side)))
    return blocks


def blocks_of_test_tile(kilometres: float) -> int:
    """In how many blocks of ground the patches of the paper's test tile lie."""
    (test_tile,) = (tile for tile in MULTISENGE.tiles if MULTISENGE.split_of(tile) == "test")
    patches = []
    for series in read_date_series()[0]:
        if series["tile"] == test_tile:
            for x, y in zip(series["x"], series["y"], strict=True):
                patches.append(f"{test_tile}_{x}_{y}")
    return len(set(blocks_of(patches, kilometres)))


def ground_deviation(
    ours: np.ndarray,
    theirs: np.ndarray,
    blocks: Sequence[tuple[str, int, int]],
    score: Callable[[np.ndarray], float],
) -> float:
    """Standard deviation of the difference of two networks over pieces of ground.

    Blocks are drawn with replacement, and both networks are scored on the same draw, so that what
    is hard for both cancels.

    Args:
        ours: `(patches, classes, classes)` counts of one network.
        theirs: the same of the other, on the same patches in the same order.
        blocks: the block of each patch, see `blocks_of`.
        score: the function that gives the score of a confusion matrix.
    """
    number_of_block = {block: number for number, block in enumerate(sorted(set(blocks)))}
    block_of_patch = [number_of_block[block] for block in blocks]
    count = len(number_of_block)
    # The matrices of a block's patches are added up, so that a draw of blocks is one product.
    our_blocks = np.zeros((count, *ours.shape[1:]))
    their_blocks = np.zeros((count, *theirs.shape[1:]))
    np.add.at(our_blocks, block_of_patch, ours)
    np.add.at(their_blocks, block_of_patch, theirs)

    rng = np.random.default_rng(seed=0)
    differences = []
    for drawn in rng.multinomial(count, np.full(count, 1 / count), size=_DRAWS):
        our_total = np.tensordot(drawn, our_blocks, axes=1)
        their_total = np.tensordot(drawn, their_blocks, axes=1)
        differences.append(score(our_total) - score(their_total))
    return float(np.std(differences, ddof=1))


# How many seeds, how much ground


def power_of(difference: float, deviation: float, seeds: int) -> float:
    """Probability to find a true difference between two networks on one test set.

    By a two-sided t test on the runs of both, with the level divided by the number of
    `COMPARISONS` (Bonferroni; Holm's procedure finds a little more).

    Args:
        difference: true difference of the mean scores.
        deviation: standard deviation of single runs, over seeds.
        seeds: runs of each network, 2 or more.
    """
    freedom = 2 * seeds - 2
    shift = abs(difference) / (deviation * np.sqrt(2 / seeds))
    critical = stats.t.ppf(1 - ALPHA / len(COMPARISONS) / 2, freedom)
    # The statistic is normal around the shift, divided by an estimated deviation: the mean, over
    # equally likely values of the latter, of the probability to lie beyond the critical value.
    # (SciPy's noncentral t has it in one call, but gives NaN for some numbers of seeds.)
    quantiles = (np.arange(2000) + 0.5) / 2000
    estimated = np.sqrt(stats.chi2.ppf(quantiles, freedom) / freedom)
    above = stats.norm.sf(critical * estimated - shift).mean()
    below = stats.norm.cdf(-critical * estimated - shift).mean()
    return float(above + below)


def seeds_needed(difference: float, deviation: float) -> int | None:
    """The least number of runs of each network that finds a difference with `POWER`.

    None where 500 runs are not enough.
    """
    for seeds in range(2, _MOST_SEEDS + 1):
        if power_of(difference, deviation, seeds) >= POWER:
            return seeds
    return None


def patches_needed(difference: float, deviation: float, patches: int) -> int:
    """Test patches that tell a difference apart from the accident of the ground, with `POWER`.

    Args:
        difference: true difference of the scores.
        deviation: standard deviation of the difference over pieces of ground, see
            `ground_deviation`.
        patches: how many test patches gave that deviation; its square falls as their number grows.
    """
    quantiles = stats.norm.ppf(1 - ALPHA / 2) + stats.norm.ppf(POWER)
    return int(np.ceil(patches * (quantiles * deviation / difference) ** 2))


def power_table(
    differences: Sequence[float], deviation: float, seeds: Sequence[int]
) -> pd.DataFrame:
    """The power for several differences and numbers of seeds, and the seeds needed.

    Returns:
        One row per difference: a column per number of seeds, and `needed`.
    """
    rows = {}
    for difference in differences:
        row: dict[object, float | int | None] = {}
        for count in seeds:
            row[count] = power_of(difference, deviation, count)
        row["needed"] = seeds_needed(difference, deviation)
        rows[difference] = row
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("difference")


# "My replicate gets 0.87: is that a failure?"


@dataclass(frozen=True)
class ReplicateCheck:
    """A replicate's score beside the published one, both of a single run.

    Attributes:
        difference: replicate less published.
        low: least score of a single new run that chance explains, at 95 %.
        high: greatest.
        p_value: how often two runs of one network differ as much or more.
    """

    difference: float
    low: float
    high: float
    p_value: float

    @property
    def is_explained_by_chance(self) -> bool:
        """Whether training the same network twice gives differences like this one."""
        return self.p_value > ALPHA


def check_replicate(
    published: float, replicate: float, deviation: float, freedom: int
) -> ReplicateCheck:
    """Whether a replicate's score differs from the published one more than two runs do.

    Args:
        published: one run's score.
        replicate: one run's score on the same test set.
        deviation: standard deviation of single runs over seeds, see `seed_deviation`.
        freedom: its degrees of freedom.
    """
    # Both are single runs, so their difference has twice the variance of one.
    of_difference = deviation * np.sqrt(2)
    half_width = stats.t.ppf(1 - ALPHA / 2, freedom) * of_difference
    t = (replicate - published) / of_difference
    return ReplicateCheck(
        difference=replicate - published,
        low=published - half_width,
        high=published + half_width,
        p_value=float(2 * stats.t.sf(abs(t), freedom)),
    )
