"""Records of several experiments side by side: scores, differences to the first, and costs."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from multisenge_lib.errors import RecordError
from multisenge_lib.results.differences import (
    correct,
    mean_score,
    paired_difference,
    seeds_for_claim,
)
from multisenge_lib.results.records import Record, list_records, read_runs


def compare_experiments(
    experiments: Sequence[str], dataset: str = "sample", score: str = "macro_f1"
) -> pd.DataFrame:
    """Compare the runs of several experiments on one dataset, each with the first of them.

    How differences are measured and corrected is described in `results.differences`.

    Args:
        experiments: names such as `s1s2_10c`, `forest_10c` or `inception_10c+peepholes`.
        dataset: whose records, the name of a folder in `results/`.
        score: of `COMPARABLE`.

    Returns:
        One row per experiment, indexed by name:

        - `title`; `seeds`, how many runs there are.
        - `mean` and `std` of the score over the seeds; `low` and `high`, the ends of the mean's
          95 % interval over seeds and test patches.
        - `difference` of the means over pairs of runs, this experiment minus the first one;
          `pairs` of runs; `difference_low` and `difference_high`, corrected for the number of
          rows; `p_value`, corrected; `clear`, whether a sentence may claim the difference. Empty
          for the first experiment.
        - `parameters` that are trained; `operations` of floating point and `seconds` of training,
          both the mean of the runs.

    Raises:
        RecordError: an experiment has no records, or two cannot be compared; or there is no such
            score.
    """
    runs = {}
    for name in experiments:
        runs[name] = _read_existing_runs(dataset, name)
    if len(runs) < len(experiments):
        raise RecordError(f"{', '.join(experiments)}: name each experiment once")

    rows = {name: _describe(records, score) for name, records in runs.items()}
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("experiment")
    differences = _differences_to_first(runs, score)
    # The first experiment is not compared with itself: its cells stay empty.
    columns = ["difference", "pairs", "difference_low", "difference_high", "p_value", "clear"]
    compared = pd.DataFrame.from_dict(differences, orient="index", columns=columns)
    joined = table.join(compared)
    costs = ["parameters", "operations", "seconds"]
    others = [column for column in joined if column not in costs]
    return joined[others + costs]


def _read_existing_runs(dataset: str, experiment: str) -> list[Record]:
    records = read_runs(dataset, experiment)
    if not records:
        trained = sorted({key.experiment for key in list_records(dataset)})
        raise RecordError(
            f"{dataset} has no record of {experiment}: train it with the notebook; there are "
            f"records of {', '.join(trained) or 'no experiment'}"
        )
    return records


def _describe(records: Sequence[Record], score: str) -> dict[str, object]:
    """Score and cost of one experiment's runs."""
    mean = mean_score(records, score)
    low, high = mean.interval()
    return {
        "title": records[0].metadata.title,
        "seeds": mean.seeds,
        "mean": mean.value,
        "std": mean.std,
        "low": low,
        "high": high,
        "parameters": records[0].metadata.parameters["trainable"],
        "operations": float(np.mean([record.metadata.operations for record in records])),
        "seconds": float(np.mean([record.history["seconds"].sum() for record in records])),
    }


def _differences_to_first(
    runs: dict[str, list[Record]], score: str
) -> dict[str, dict[str, object]]:
    """Compare each experiment with the first one; all comparisons are one family."""
    first, *others = runs
    differences = {}
    least_seeds = {}
    for name in others:
        differences[name] = paired_difference(runs[name], runs[first], score)
        least_seeds[name] = seeds_for_claim(name, first)

    rows = {}
    for name, tested in correct(differences, least_seeds).items():
        rows[name] = {
            "difference": tested.difference.value,
            "pairs": tested.difference.seeds,
            "difference_low": tested.low,
            "difference_high": tested.high,
            "p_value": tested.p_value,
            "clear": tested.is_clear,
        }
    return rows


def comparison_text(table: pd.DataFrame) -> pd.DataFrame:
    """Write a table of `compare_experiments` out as text, in the columns that people read.

    Returns:
        Columns `mean`, `95 %`, `difference`, `95 %, corrected`, `clear`, `seeds`, `weights`,
        `operations, 10¹²`, `minutes`.
    """
    rows = {}
    for name, row in table.iterrows():
        is_first = pd.isna(row["difference"])
        mean = f"{row['mean']:.3f}"
        if row["seeds"] > 1:
            mean += f" ± {row['std']:.3f}"
        rows[name] = {
            "mean": mean,
            "95 %": _interval_text(row["low"], row["high"], ".3f"),
            "difference": "" if is_first else f"{row['difference']:+.3f}",
            "95 %, corrected": (
                "" if is_first else _interval_text(row["difference_low"], row["difference_high"])
            ),
            "clear": "" if is_first else ("yes" if row["clear"] else "no"),
            "seeds": f"{row['seeds']}",
            "weights": f"{row['parameters']:,}",
            "operations, 10¹²": f"{row['operations'] / 1e12:,.1f}",
            "minutes": f"{row['seconds'] / 60:.1f}",
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("experiment")


def _interval_text(low: float, high: float, number_format: str = "+.3f") -> str:
    if np.isnan(low):
        return "unknown"
    return f"{low:{number_format}} to {high:{number_format}}"
