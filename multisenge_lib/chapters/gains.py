"""How much better one network is than another, and whether chance could explain the difference."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from multisenge_lib.chapters.ablation_records import LEAST_SEEDS
from multisenge_lib.dataset import URBAN
from multisenge_lib.errors import RecordError
from multisenge_lib.models import EXPERIMENTS
from multisenge_lib.results import Record, difference_interval, read_runs, scores

#: With fewer runs per network, the spread over seeds is not known at all.
_FEWEST_SEEDS = 3


def macro_score(confusion: np.ndarray) -> float:
    """Give the macro F1 of a confusion matrix."""
    return scores(confusion)["macro_f1"]


def urban_score(confusion: np.ndarray) -> float:
    """Give the mean F1 of the urban classes that occur in the reference."""
    f1 = scores(confusion)["f1"]
    present = [f1[id - 1] for id in URBAN if f1[id - 1] is not None]
    return float(np.mean(present))


class Gain(NamedTuple):
    """The difference between two networks.

    Attributes:
        difference: difference of the mean scores over the seeds.
        low: lower end of its 95 % interval, see `difference_interval`.
        high: upper end.
        spread: the larger of the two standard deviations over the seeds; NaN if one is unknown.
        seeds: number of runs of the network that has fewer.
    """

    difference: float
    low: float
    high: float
    spread: float
    seeds: int

    @property
    def exceeds_noise(self) -> bool:
        """Whether neither the choice of test patches nor that of seeds can explain it.

        The interval is on one side of 0, and the difference is more than twice the spread of three
        seeds or more.
        """
        beyond_patches = self.low > 0 or self.high < 0
        beyond_seeds = self.seeds >= _FEWEST_SEEDS and abs(self.difference) > 2 * self.spread
        return beyond_patches and beyond_seeds


def gain(
    ours: Sequence[Record],
    theirs: Sequence[Record],
    score: Callable[[np.ndarray], float] = macro_score,
) -> Gain:
    """Compare the runs of two networks.

    Raises:
        RecordError: they were not tested on the same patches.
    """
    tested_on = {record.patches for record in (*ours, *theirs)}
    if len(tested_on) > 1:
        names = f"{ours[0].key.experiment} and {theirs[0].key.experiment}"
        raise RecordError(f"{names} were not tested on the same patches: train both again")
    our_scores = pd.Series([score(record.confusion) for record in ours])
    their_scores = pd.Series([score(record.confusion) for record in theirs])
    low, high = difference_interval(
        [record.confusions for record in ours], [record.confusions for record in theirs], score
    )
    # np.max, unlike max, is NaN where one of the two is: of a single run the spread is unknown.
    spread = float(np.max([our_scores.std(), their_scores.std()]))
    difference = our_scores.mean() - their_scores.mean()
    return Gain(difference, low, high, spread, min(len(ours), len(theirs)))


#: What is added, and the networks with and without it.
STEPS = (
    ("Sentinel-2, to Sentinel-1", "s1s2", "s1"),
    ("Sentinel-1, to Sentinel-2", "s1s2", "s2"),
    ("Inception, to both", "inception", "s1s2"),
)


def step_gains(
    dataset: str, classes: int, score: Callable[[np.ndarray], float] = macro_score
) -> dict[str, Gain]:
    """Measure what the second sensor and the Inception module add, where both were trained."""
    gains = {}
    for added, more, less in STEPS:
        with_it = read_runs(dataset, f"{more}_{classes}c")
        without_it = read_runs(dataset, f"{less}_{classes}c")
        if with_it and without_it:
            gains[added] = gain(with_it, without_it, score)
    return gains


def class_gains(dataset: str) -> dict[str, Gain]:
    """Measure what ten classes instead of six add to the mean urban F1, by method."""
    gains = {}
    for experiment in EXPERIMENTS.values():
        if experiment.classes != 10:
            continue
        ten = read_runs(dataset, experiment.name)
        six = read_runs(dataset, experiment.name.replace("_10c", "_6c"))
        if ten and six:
            gains[experiment.title] = gain(ten, six, urban_score)
    return gains


def gain_table(gains: Mapping[str, Gain]) -> pd.DataFrame:
    """Tabulate gains as text, one row each."""
    rows = {}
    for name, gained in gains.items():
        spread = "unknown" if pd.isna(gained.spread) else f"{gained.spread:.3f}"
        rows[name] = {
            "gain": f"{gained.difference:+.3f}",
            "95 % over test patches": f"{gained.low:+.3f} to {gained.high:+.3f}",
            "spread over seeds": spread,
            "beyond both": "yes" if gained.exceeds_noise else "no",
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def gain_note(gains: Mapping[str, Gain]) -> str:
    """Say which gains are larger than the variation between seeds and test sets."""
    if not gains:
        return "The networks to compare have no records yet."
    decided = []
    undecided = []
    for name, gained in gains.items():
        if gained.exceeds_noise:
            decided.append(f"{name} ({gained.difference:+.3f})")
        else:
            undecided.append(name)
    sentences = []
    if decided:
        sentences.append(f"Larger than seed and test-set variation: {'; '.join(decided)}.")
    if undecided:
        sentences.append(f"Not decided by these runs: {'; '.join(undecided)}.")
    seeds = min(gained.seeds for gained in gains.values())
    if decided and seeds < LEAST_SEEDS:
        sentences.append(f"With {seeds} seeds, the variation between seeds is not known well.")
    return " ".join(sentences)
