"""A network of few weights in a file of its own, as a user writes it, and data to train it on."""

from pathlib import Path

from rasters import write_root

from multisenge_lib.dataset import MULTISENGE, Dataset, with_selection
from multisenge_lib.models import Experiment, get_experiment, with_network

#: An encoder and logits; `with_days` also looks at the day of the year.
SMALL_NETWORK = """
from keras import layers, ops

def build(series, classes):
    first_dates = [x[:, 0] for x in series.values()]
    image = ops.concatenate(first_dates, axis=-1)
    x = layers.Conv2D(4, 3, padding="same", activation="relu", name="encoder1_conv")(image)
    x = layers.BatchNormalization(name="middle_bn")(x)
    return layers.Conv2D(classes, 1, name="logits")(x)

def with_days(series, classes, days):
    position = layers.Dense(1, name="position")(days["s2"])
    image = series["s2"][:, 0] + position[:, None, None]
    return layers.Conv2D(classes, 1, name="logits")(image)
"""


def write_network(folder: Path) -> Path:
    """Write the file of the network."""
    path = folder / "small.py"
    path.write_text(SMALL_NETWORK)
    return path


def write_two_months(root: Path) -> Dataset:
    """Write six patches of July and August; return their dataset."""
    write_root(root)
    return with_selection(MULTISENGE, months="7,8")


def small_experiment(
    name: str, file: Path, dataset: Dataset, function: str = "build"
) -> Experiment:
    """The small network in place of an experiment's own."""
    return with_network(get_experiment(name, dataset), f"{file}:{function}")
