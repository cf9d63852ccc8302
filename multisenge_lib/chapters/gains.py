"""What a sensor, the Inception module or more classes add, by the standard of `differences`."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from multisenge_lib.chapters.html import count_word, write_number
from multisenge_lib.chapters.steps import STEPS
from multisenge_lib.models import EXPERIMENTS
from multisenge_lib.results import (
    LEAST_SEEDS,
    URBAN_F1,
    Estimate,
    Record,
    TestedDifference,
    common_seeds,
    comparable_runs,
    correct,
    paired_difference,
    read_runs,
)

#: How differences are written.
SIGNED = "{:+.3f}"


def step_gains(dataset: str, *classes: int, score: str = "macro_f1") -> dict[str, TestedDifference]:
    """Measure what the second sensor and the Inception module add, where both were trained.

    Only runs on the same data and with the same settings are compared; `step_notes` names those
    that are left out.

    Args:
        dataset: whose records.
        *classes: one number of classes or several; all gains are one family of comparisons.
        score: one of `results.COMPARABLE`.

    Returns:
        By what is added; with several numbers of classes also by these.
    """
    runs, _ = comparable_runs(_runs_of_steps(dataset, classes))
    differences = {}
    for number in classes:
        for step in STEPS.values():
            with_it = runs[f"{step.larger}_{number}c"]
            without_it = runs[f"{step.smaller}_{number}c"]
            if common_seeds(with_it, without_it):
                name = step.name if len(classes) == 1 else f"{step.name}, {number} classes"
                differences[name] = paired_difference(with_it, without_it, score)
    return correct(differences)


def step_notes(dataset: str, *classes: int) -> list[str]:
    """Say in a sentence for each experiment which of its runs `step_gains` leaves out, and why."""
    return comparable_runs(_runs_of_steps(dataset, classes))[1]


def _runs_of_steps(dataset: str, classes: Sequence[int]) -> dict[str, list[Record]]:
    runs = {}
    for number in classes:
        for step in STEPS.values():
            for first_part in (step.larger, step.smaller):
                name = f"{first_part}_{number}c"
                runs[name] = read_runs(dataset, name)
    return runs


def class_gains(dataset: str) -> dict[str, TestedDifference]:
    """Measure what ten classes instead of six add to the mean urban F1, by method."""
    runs, _ = comparable_runs(_runs_of_methods(dataset))
    differences = {}
    for experiment in EXPERIMENTS.values():
        if experiment.classes != 10:
            continue
        ten = runs[experiment.name]
        six = runs[experiment.name.replace("_10c", "_6c")]
        if common_seeds(ten, six):
            differences[experiment.title] = paired_difference(ten, six, URBAN_F1)
    return correct(differences)


def class_notes(dataset: str) -> list[str]:
    """Say in a sentence for each experiment which of its runs `class_gains` leaves out, and why."""
    return comparable_runs(_runs_of_methods(dataset))[1]


def _runs_of_methods(dataset: str) -> dict[str, list[Record]]:
    return {name: read_runs(dataset, name) for name in EXPERIMENTS}


def score_interval(mean: Estimate, score: str) -> tuple[float, float]:
    """Give the interval of a mean score, as far as such a score can go; NaN where it is unknown.

    From two seeds it may reach beyond 1, which no score does.
    """
    least = -1.0 if score == "kappa" else 0.0
    low, high = mean.interval()
    return float(np.maximum(low, least)), float(np.minimum(high, 1.0))


def gain_table(gains: Mapping[str, TestedDifference]) -> pd.DataFrame:
    """Tabulate gains as text, one row each."""
    rows = {}
    for name, gain in gains.items():
        # How much runs differ, and so the interval, cannot be seen from a single pair.
        has_interval = gain.difference.seeds > 1
        # F1 scores differ by 1 at most, and so do kappas of maps that are better than chance. An
        # interval from two seeds may be wider.
        low = max(gain.low, -1.0)
        high = min(gain.high, 1.0)
        interval = f"{write_number(low, SIGNED)} to {write_number(high, SIGNED)}"
        rows[name] = {
            "gain": write_number(gain.difference.value, SIGNED),
            "95%, corrected": interval if has_interval else "unknown",
            "pairs of runs": f"{gain.difference.seeds}",
            "clear": "yes" if gain.is_clear else "no",
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def gain_cells(gains: pd.DataFrame, name: str) -> tuple[str, str]:
    """Write a gain of `gain_table`, and its interval, for a table that shows other things too.

    Args:
        gains: from `gain_table`.
        name: the row; where there is none, both are a dash.
    """
    if name not in gains.index:
        return "–", "–"
    gain = gains.loc[name]
    return gain["gain"] + (", clear" if gain["clear"] == "yes" else ""), gain["95%, corrected"]


def step_sentence(gains: Mapping[str, TestedDifference]) -> str:
    """Say which gains of `step_gains` are clear, and what that means.

    Args:
        gains: those of one number of classes.
    """
    clear = [STEPS[name].words for name, gain in gains.items() if gain.is_clear]
    if len(clear) == len(STEPS):
        return (
            "All three gains are clear: their intervals, corrected for three comparisons, do not "
            "contain 0."
        )
    if not clear:
        which = "None of the three gains is clear."
    elif len(clear) == 1:
        which = f"Only the gain from {clear[0]} is clear."
    else:
        which = f"The gains from {' and from '.join(clear)} are clear."
    return (
        f"{which} Where an interval contains 0 or is unknown, the runs do not tell whether there "
        "is a gain at all."
    )


def clearness_sentence(most_pairs: int, clear: Sequence[str], words: str) -> str:
    """Say which of several changes are clear, or why none is.

    Args:
        most_pairs: pairs of runs in which the best measured of them was measured.
        clear: the changes that are clear, by name.
        words: what stands between "By the standard of the table" and their names.
    """
    if most_pairs == 1:
        return "Each change is measured in one pair of runs, so any of them may be luck."
    if most_pairs < LEAST_SEEDS:
        most = count_word(most_pairs)
        return f"With at most {most} pairs of runs for a change, none can be called clear."
    if not clear:
        return "By the standard of the table none of these changes is clear."
    return f"By the standard of the table {words} {', '.join(clear)}."
