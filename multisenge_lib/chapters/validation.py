"""How low the validation loss of an experiment gets, over its seeds."""

from collections.abc import Mapping

import pandas as pd

from multisenge_lib.results import read_runs


def validation_losses(dataset: str, experiments: Mapping[str, str]) -> pd.DataFrame:
    """Tabulate the lowest validation loss of each training, as a mean over the seeds.

    Experiments that were not trained are left out. Of the others, only seeds that all of them have
    are counted; the table is empty if there is none.

    Args:
        dataset: whose records.
        experiments: the words for each experiment, to its name.

    Returns:
        One row per experiment: `seeds`, `mean` and `deviation` of the lowest losses (the deviation
        is NaN for one seed), and `best_epochs`, the epochs in which they were reached.
    """
    trained = {}
    for words, experiment in experiments.items():
        runs = {run.metadata.seed: run for run in read_runs(dataset, experiment)}
        if runs:
            trained[words] = runs
    seeds_of_each = [set(runs) for runs in trained.values()]
    shared_seeds = sorted(set.intersection(*seeds_of_each)) if trained else []

    rows = {}
    for words, runs in trained.items() if shared_seeds else ():
        counted = [runs[seed] for seed in shared_seeds]
        losses = pd.Series([run.history["val_loss"].min() for run in counted], dtype=float)
        rows[words] = {
            "seeds": len(losses),
            "mean": losses.mean(),
            "deviation": losses.std(),
            "best_epochs": ", ".join(str(run.best_epoch) for run in counted),
        }
    columns = ["seeds", "mean", "deviation", "best_epochs"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns)
