"""Compare variants, choices that the paper leaves open, with the experiment that they change."""

from collections.abc import Collection, Mapping, Sequence

import pandas as pd

from multisenge_lib.chapters.score_words import score_title
from multisenge_lib.models import VARIANT_MARK, VARIANTS
from multisenge_lib.results import (
    URBAN_F1,
    Record,
    TestedDifference,
    common_seeds,
    correct,
    differing_names,
    mean_score,
    paired_difference,
    read_runs,
)

#: The scores that are compared, and how tables call them.
SCORE_TITLES = {score: score_title(score) for score in ("macro_f1", "kappa", URBAN_F1)}
#: How tables call the experiment that the variants change.
BASE = "as in the other chapters"


def variant_runs(dataset: str, experiment: str) -> dict[str, list[Record]]:
    """Read the runs of an experiment and of its variants that change one choice.

    Only runs that start from random weights are kept. They must be on the data of the experiment's
    newest run, and trained with its settings, but for those that the variant changes.

    Args:
        dataset: whose records.
        experiment: the experiment that is changed, such as `inception_10c`.

    Returns:
        First those of the experiment, called `BASE`; then those of each variant that was trained,
        by its title, in the order of `models.VARIANTS`. Empty where the experiment has no runs.
    """
    base = [run for run in read_runs(dataset, experiment) if run.metadata.start_from is None]
    if not base:
        return {}
    newest = max(base, key=lambda run: run.metadata.finished)
    kept = {BASE: [run for run in base if _is_comparable(run, newest)]}
    for name, variant in VARIANTS.items():
        records = read_runs(dataset, f"{experiment}{VARIANT_MARK}{name}")
        comparable = [
            run for run in records if _is_comparable(run, newest, variant.settings_changes)
        ]
        if comparable:
            kept[variant.title] = comparable
    return kept


def _is_comparable(run: Record, newest: Record, changed: Collection[str] = ()) -> bool:
    """Whether a run differs from the experiment's newest one in the changed settings at most."""
    names = differing_names(newest.metadata.settings, run.metadata.settings)
    same_settings = set(names) <= set(changed)
    same_data = run.metadata.fingerprint == newest.metadata.fingerprint
    return same_data and same_settings and run.metadata.start_from is None


def variant_scores(runs: Mapping[str, Sequence[Record]]) -> pd.DataFrame:
    """Tabulate the scores of `variant_runs`: one row per variant.

    Returns:
        Columns (score, "mean") and (score, "std") for each of `SCORE_TITLES`, over the seeds, NaN
        for the deviation of one; and ("", "seeds"), how many there are.
    """
    rows = {}
    for title, records in runs.items():
        row = {("", "seeds"): len(records)}
        for score in SCORE_TITLES:
            mean = mean_score(records, score)
            row[score, "mean"] = mean.value
            row[score, "std"] = mean.std
        rows[title] = row
    columns = [("", "seeds")]
    for score in SCORE_TITLES:
        columns += [(score, "mean"), (score, "std")]
    return pd.DataFrame.from_dict(rows, orient="index", columns=pd.MultiIndex.from_tuples(columns))


def variant_changes(
    runs: Mapping[str, Sequence[Record]],
) -> dict[tuple[str, str], TestedDifference]:
    """Measure what each variant of `variant_runs` changes, by pairs of runs with one seed.

    Returns:
        By title and score. All are one family of comparisons.
    """
    base = runs.get(BASE, [])
    differences = {}
    for title, records in runs.items():
        if title == BASE or not common_seeds(records, base):
            continue
        for score in SCORE_TITLES:
            differences[title, score] = paired_difference(records, base, score)
    return correct(differences)


def variants_not_trained(runs: Mapping[str, Sequence[Record]]) -> list[str]:
    """Name the titles of the variants that `variant_runs` has no run of."""
    return [variant.title for variant in VARIANTS.values() if variant.title not in runs]
