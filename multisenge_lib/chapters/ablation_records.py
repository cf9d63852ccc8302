"""Records of the variants of what the paper leaves open, as tables and sentences."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import msgspec
import pandas as pd

from multisenge_lib import paths
from multisenge_lib.chapters.html import write_number
from multisenge_lib.errors import RecordError
from multisenge_lib.results import LEAST_SEEDS_OF_VARIANTS, correct, seed_estimate

BASELINE = "baseline"
#: The largest number of epochs of a run, unless another is given.
ABLATION_EPOCHS = 10
_SCORES = ("weighted_f1", "macro_f1", "kappa", "urban_f1")


@dataclass(frozen=True)
class AblationRun:
    """A run as the record keeps it: its variant and seed, scores, length and origin."""

    variant: str
    seed: int
    weighted_f1: float
    macro_f1: float
    kappa: float | None
    accuracy: float
    urban_f1: float
    epochs: int
    best_epoch: int
    seconds: float
    finished: str
    commit: str | None


@dataclass(frozen=True)
class Ablations:
    """A record: what its runs have in common, and the runs."""

    source: dict[str, Any]
    runs: list[AblationRun]


def ablations_path(dataset: str = "sample", epochs: int = ABLATION_EPOCHS) -> Path:
    """Name the record of the variants measured on a dataset with a number of epochs.

    The file need not exist.
    """
    name = "ablations" if epochs == ABLATION_EPOCHS else f"ablations-{epochs}-epochs"
    return paths.results_dir() / dataset / f"{name}.json"


def read_ablations(path: Path) -> Ablations | None:
    """Read a record of variants; None where there is none.

    Raises:
        RecordError: it is damaged.
    """
    if not path.is_file():
        return None
    try:
        return msgspec.json.decode(path.read_bytes(), type=Ablations)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise RecordError(f"{path} cannot be read ({error}): restore it, or delete it") from None


def ablation_table(path: Path | None = None) -> pd.DataFrame | None:
    """Tabulate mean and spread of each score by variant, and the difference to the baseline.

    Args:
        path: the record; by default `ablations_path()`.

    Returns:
        Rows variant, columns (score, "mean" | "spread" | "difference") and ("", "runs"); spread
        is the standard deviation over seeds. None where there is no record.

    Raises:
        RecordError: the record is damaged, or has no baseline.
    """
    if path is None:
        path = ablations_path()
    record = read_ablations(path)
    if record is None:
        return None
    runs = pd.DataFrame([asdict(run) for run in record.runs])
    if runs.empty or BASELINE not in runs["variant"].to_numpy():
        raise RecordError(f"{path} has no run of the {BASELINE}: restore it, or delete it")
    by_variant = runs.groupby("variant", sort=False)[list(_SCORES)]
    # All seeds count in the means; `effect_interval` compares runs of the same seed.
    mean = by_variant.mean()
    std = by_variant.std()
    difference = mean - mean.loc[BASELINE]
    columns = {("", "runs"): by_variant.size()}
    for score in _SCORES:
        columns[score, "mean"] = mean[score]
        columns[score, "spread"] = std[score]
        columns[score, "difference"] = difference[score]
    return pd.DataFrame(columns)


def ablation_setting(path: Path | None = None) -> str:
    """Say in a sentence what the variants were measured with.

    Args:
        path: the record; by default `ablations_path()`.
    """
    record = read_ablations(ablations_path() if path is None else path)
    experiment = record.source["experiment"]
    settings = record.source["settings"]
    seeds = sorted({run.seed for run in record.runs})
    return (
        f"Every variant is {experiment['title']} with {experiment['classes']} classes, at most "
        f"{settings['epochs']} epochs, on `{record.source['data_root']}` (the name holds the "
        "sample's pixels per side, its seed and its version), trained with "
        f"{len(seeds)} {'seed' if len(seeds) == 1 else 'seeds'}."
    )


def _differences(record: Ablations, score: str) -> pd.DataFrame:
    """One score of each variant less the baseline's: a row per variant, a column per seed."""
    runs = pd.DataFrame([asdict(run) for run in record.runs])
    by_seed = runs.pivot_table(score, index="variant", columns="seed", sort=False)
    return by_seed.drop(index=BASELINE) - by_seed.loc[BASELINE]


def effect_interval(
    variant: str, score: str = "macro_f1", path: Path | None = None
) -> tuple[float, float] | None:
    """Bound the change that one variant makes: a 95% interval over seeds, not corrected.

    Args:
        variant: its name in the record.
        score: name of a score in the record.
        path: the record; by default `ablations_path()`.

    Returns:
        The lowest and the highest change; None where the variant has fewer than two seeds.
    """
    record = read_ablations(ablations_path() if path is None else path)
    if record is None:
        return None
    differences = _differences(record, score)
    if variant not in differences.index:
        return None
    # Pairs of runs with one seed; a seed that only one of the two was trained with is left out.
    of_seeds = differences.loc[variant].dropna().to_numpy()
    if len(of_seeds) < 2:
        return None
    return seed_estimate(of_seeds).interval()


def effect_note(
    path: Path | None = None, scores: Sequence[str] = ("macro_f1", "kappa", "urban_f1")
) -> str:
    """Say which variants differ from the baseline by more than the seeds explain.

    Differences are paired by seed and corrected for the number of variants and scores, as
    `results.differences` describes. The record keeps no counts by patch, so the choice of test
    patches is not in the intervals.

    Args:
        path: the record; by default `ablations_path()`.
        scores: names of scores in the record, a clause for each.
    """
    record = read_ablations(ablations_path() if path is None else path)
    if record is None:
        return "No variant has been measured."
    differences = {}
    for score in scores:
        for variant, of_seeds in _differences(record, score).iterrows():
            differences[score, variant] = seed_estimate(of_seeds.dropna().to_numpy())

    tested = correct(differences, LEAST_SEEDS_OF_VARIANTS)
    seeds = min(difference.seeds for difference in differences.values())
    if seeds < LEAST_SEEDS_OF_VARIANTS:
        return (
            f"With {seeds} pairs of runs we claim no difference: it takes at least "
            f"{LEAST_SEEDS_OF_VARIANTS}."
        )
    clauses = []
    for score in scores:
        changes = []
        for (of_score, variant), result in tested.items():
            if of_score == score and result.is_clear:
                change = write_number(result.difference.value, "{:+.3f}")
                changes.append(f"{variant} ({change})")
        name = score.replace("_f1", " F1")
        clauses.append(f"in {name} {', '.join(changes) or 'none'}")
    return (
        f"Changes that are clear from {seeds} pairs of runs with one seed, corrected for "
        f"{len(tested)} comparisons: {'; '.join(clauses)}. The luck of the test patches is not "
        "part of this."
    )
