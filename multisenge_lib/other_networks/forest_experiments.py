"""The names of the random forest's experiments: `forest_10c`, `forest_s2_10c`."""

from multisenge_lib.dataset import Dataset
from multisenge_lib.errors import ExperimentError
from multisenge_lib.models import FOREST, Experiment, experiments_of_network


def forest_names(dataset: Dataset) -> list[str]:
    """List the forest's experiments: each classification, with both sensors and with each alone."""
    return list(_experiments(dataset))


def forest_experiment(name: str, dataset: Dataset) -> Experiment:
    """Look up one of the forest's experiments.

    Raises:
        ExperimentError: there is no such experiment; the message lists the names that exist.
    """
    experiments = _experiments(dataset)
    if name not in experiments:
        raise ExperimentError(
            f"there is no forest {name!r} of {dataset.name}: choose one of {', '.join(experiments)}"
        )
    return experiments[name]


def _experiments(dataset: Dataset) -> dict[str, Experiment]:
    return experiments_of_network(FOREST, "Random forest", dataset)
