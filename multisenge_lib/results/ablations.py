"""What the choices that the paper leaves open changed, where they were measured."""

import json
from pathlib import Path

import pandas as pd

from multisenge_lib import paths
from multisenge_lib.errors import RecordError

BASELINE = "baseline"
#: At most, of each run, where nothing else is said.
ABLATION_EPOCHS = 10
_SCORES = ("weighted_f1", "macro_f1", "kappa", "urban_f1")
#: With fewer runs a spread says too little to draw a conclusion from.
_LEAST_SEEDS = 5


def ablations_path(dataset: str = "sample", epochs: int = ABLATION_EPOCHS) -> Path:
    """The record of the variants measured on a dataset with so many epochs; there may be none."""
    name = "ablations" if epochs == ABLATION_EPOCHS else f"ablations-{epochs}-epochs"
    return paths.results_dir() / dataset / f"{name}.json"


def ablation_table(path: Path | None = None) -> pd.DataFrame | None:
    """Mean and spread of each score by variant, and the mean's difference to the baseline.

    Args:
        path: a record with `source` and `runs`; by default `ablations_path()`.

    Returns:
        Rows variant, columns (score, "mean" | "spread" | "difference") and ("", "runs"); spread
        is the standard deviation over seeds. None where there is no record.

    Raises:
        RecordError: the record is damaged, or has no baseline.
    """
    path = ablations_path() if path is None else path
    if not path.is_file():
        return None
    try:
        runs = pd.DataFrame(json.loads(path.read_text())["runs"])
        by_variant = runs.groupby("variant", sort=False)[list(_SCORES)]
        mean, spread = by_variant.mean(), by_variant.std()
        difference = mean - mean.loc[BASELINE]
    except (ValueError, KeyError, TypeError) as error:
        raise RecordError(
            f"{path} cannot be read ({error!r}): it must have runs with variant, seed and "
            f"{', '.join(_SCORES)}, one variant being {BASELINE!r}; restore or delete it"
        ) from None
    parts = {"mean": mean, "spread": spread, "difference": difference}
    columns = {(s, part): table[s] for s in _SCORES for part, table in parts.items()}
    return pd.DataFrame({("", "runs"): by_variant.size(), **columns})


def ablation_setting(path: Path | None = None) -> str:
    """What the variants were measured with, a sentence from the record.

    Args:
        path: the record; by default `ablations_path()`.
    """
    record = json.loads((ablations_path() if path is None else path).read_text())
    experiment, settings = record["source"]["experiment"], record["source"]["settings"]
    seeds = sorted({run["seed"] for run in record["runs"]})
    return (
        f"Every variant is {experiment['title']} with {experiment['classes']} classes, at most "
        f"{settings['epochs']} epochs, on `{record['source']['data_root']}` (for the sample: "
        f"pixels a side, seed, version), trained with the seeds {', '.join(map(str, seeds))}."
    )


def effect_note(table: pd.DataFrame | None, score: str = "macro_f1") -> str:
    """Which variants differ from the baseline by more than twice the larger spread of the two.

    With fewer than five seeds a variant no such sentence is drawn.

    Args:
        table: of `ablation_table`.
        score: one of the table's.
    """
    if table is None:
        return "No variant has been measured."
    if (seeds := int(table["", "runs"].min())) < _LEAST_SEEDS:
        return (
            f"With {seeds} seeds the spread is not known well enough to say which of these "
            f"differences are more than chance; {_LEAST_SEEDS} are the least."
        )
    spread = table[score, "spread"].clip(lower=table.loc[BASELINE, (score, "spread")])
    clear = table[score, "difference"].abs() > 2 * spread
    names = ", ".join(table.index[clear]) or "none"
    return f"Beyond twice the spread over seeds in {score.replace('_', ' ')}: {names}."
