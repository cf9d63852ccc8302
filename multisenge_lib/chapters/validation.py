"""How low the validation loss of an experiment gets, over its seeds."""

from collections.abc import Mapping

import pandas as pd

from multisenge_lib.results import read_runs, seed_estimate


def validation_losses(dataset: str, experiments: Mapping[str, str]) -> pd.DataFrame:
    """Tabulate the lowest validation loss of each training, as a mean over the seeds.

    Experiments that were not trained are left out.

    Args:
        dataset: whose records.
        experiments: the words for each experiment, to its name.

    Returns:
        One row per experiment: `seeds`, `mean` and `deviation` of the lowest losses (the deviation
        is NaN for one seed), and `best_epochs`, the epochs in which they were reached.
    """
    rows = {}
    for words, experiment in experiments.items():
        runs = read_runs(dataset, experiment)
        if not runs:
            continue
        losses = [run.history["val_loss"].min() for run in runs]
        estimate = seed_estimate(pd.Series(losses).to_numpy())
        rows[words] = {
            "seeds": estimate.seeds,
            "mean": estimate.value,
            "deviation": estimate.std,
            "best_epochs": ", ".join(str(run.best_epoch) for run in runs),
        }
    columns = ["seeds", "mean", "deviation", "best_epochs"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns)
