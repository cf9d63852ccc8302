"""What one network has over another, and whether seeds or test patches could explain it."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from multisenge_lib.chapters.ablation_records import LEAST_SEEDS
from multisenge_lib.dataset import URBAN
from multisenge_lib.errors import RecordError
from multisenge_lib.models import EXPERIMENTS
from multisenge_lib.results import Record, difference_interval, read_runs, scores


def macro_score(confusion: np.ndarray) -> float:
    """Macro F1."""
    return scores(confusion)["macro_f1"]


def urban_score(confusion: np.ndarray) -> float:
    """Mean F1 of the urban classes that the reference holds."""
    f1 = scores(confusion)["f1"]
    return float(np.mean([f1[id - 1] for id in URBAN if f1[id - 1] is not None]))


class Gain(NamedTuple):
    """What one network has over another.

    Attributes:
        difference: of the mean scores over the seeds.
        low: and `high`, 95 % interval of it, see `difference_interval`.
        spread: the larger of the two standard deviations over the seeds.
        seeds: runs of the network that has fewer.
    """

    difference: float
    low: float
    high: float
    spread: float
    seeds: int

    @property
    def certain(self) -> bool:
        """Whether neither the choice of test patches nor that of seeds can explain it.

        The interval is on one side of 0, and the difference more than twice the spread of three
        seeds or more.
        """
        apart = self.low > 0 or self.high < 0
        return apart and self.seeds >= 3 and abs(self.difference) > 2 * self.spread


def gain(
    ours: Sequence[Record],
    theirs: Sequence[Record],
    score: Callable[[np.ndarray], float] = macro_score,
) -> Gain:
    """Compare the runs of two networks.

    Raises:
        RecordError: they were not tested on the same patches.
    """
    if len({record.patches for record in (*ours, *theirs)}) > 1:
        both = f"{ours[0].key.experiment} and {theirs[0].key.experiment}"
        raise RecordError(f"{both} were not tested on the same patches: train both again")
    found = [pd.Series([score(r.confusion) for r in runs]) for runs in (ours, theirs)]
    low, high = difference_interval(
        [r.confusions for r in ours], [r.confusions for r in theirs], score
    )
    spread = float(np.max([series.std() for series in found]))  # unknown where one of them is
    return Gain(found[0].mean() - found[1].mean(), low, high, spread, min(map(len, found)))


#: What is added, and the networks with and without it.
STEPS = (
    ("Sentinel-2, to Sentinel-1", "s1s2", "s1"),
    ("Sentinel-1, to Sentinel-2", "s1s2", "s2"),
    ("Inception, to both", "inception", "s1s2"),
)


def step_gains(
    dataset: str, classes: int, score: Callable[[np.ndarray], float] = macro_score
) -> dict[str, Gain]:
    """What the second sensor and the Inception module add, where both networks were trained."""
    runs = {
        name: (read_runs(dataset, f"{more}_{classes}c"), read_runs(dataset, f"{less}_{classes}c"))
        for name, more, less in STEPS
    }
    return {name: gain(*pair, score) for name, pair in runs.items() if all(pair)}


def class_gains(dataset: str) -> dict[str, Gain]:
    """What ten classes instead of six add to the mean F1 of the urban ones, by method."""
    pairs = {
        e.title: (read_runs(dataset, e.name), read_runs(dataset, e.name.replace("_10c", "_6c")))
        for e in EXPERIMENTS.values()
        if e.classes == 10
    }
    return {name: gain(*pair, urban_score) for name, pair in pairs.items() if all(pair)}


def gain_table(gains: Mapping[str, Gain]) -> pd.DataFrame:
    """Gains as a table of text, a row each."""
    rows = {
        name: {
            "gain": f"{g.difference:+.3f}",
            "95 % over test patches": f"{g.low:+.3f} to {g.high:+.3f}",
            "spread over seeds": "unknown" if pd.isna(g.spread) else f"{g.spread:.3f}",
            "beyond both": "yes" if g.certain else "no",
        }
        for name, g in gains.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index")


def gain_note(gains: Mapping[str, Gain]) -> str:
    """Which gains are more than the spread of seeds and test patches, in a sentence."""
    if not gains:
        return "The networks to compare have no records yet."
    sure = [f"{name} ({g.difference:+.3f})" for name, g in gains.items() if g.certain]
    open_ = [name for name, g in gains.items() if not g.certain]
    seeds = min(g.seeds for g in gains.values())
    parts = [f"More than seeds and test patches explain: {'; '.join(sure)}."] if sure else []
    parts += [f"Not decided here: {'; '.join(open_)}."] if open_ else []
    if sure and seeds < LEAST_SEEDS:
        parts.append(f"The spread is of {seeds} seeds, too few to know it well.")
    return " ".join(parts)
