"""The names of the random forest's experiments: `forest_10c`, `forest_s2_10c`."""

from multisenge_lib.dataset import Dataset
from multisenge_lib.errors import ExperimentError
from multisenge_lib.models import FOREST, Experiment

_SENSORS = {"forest": ("s1", "s2"), "forest_s1": ("s1",), "forest_s2": ("s2",)}


def forest_names(dataset: Dataset) -> list[str]:
    """List the forest's experiments: each classification, with both sensors and with each alone."""
    return list(_experiments(dataset))


def forest_experiment(name: str, dataset: Dataset) -> Experiment:
    """Look up one of the forest's experiments.

    Raises:
        ExperimentError: there is none of this name; the message lists the names that exist.
    """
    experiments = _experiments(dataset)
    if name not in experiments:
        raise ExperimentError(
            f"there is no forest {name!r} of {dataset.name}: choose one of {', '.join(experiments)}"
        )
    return experiments[name]


def _experiments(dataset: Dataset) -> dict[str, Experiment]:
    experiments = {}
    for typology in dataset.typologies.values():
        for label, sensors in _SENSORS.items():
            if not set(sensors) <= set(dataset.sensors):
                continue
            name = f"{label}_{typology.name}"
            experiments[name] = Experiment(
                name=name,
                title=f"Random forest-{''.join(sensors).upper()}",
                sensors=sensors,
                network=FOREST,
                classification=typology.name,
                classes=len(typology),
                months=dataset.months,
                days_gap=dataset.days_gap,
                s1_per_month=dataset.s1_per_month,
            )
    return experiments
