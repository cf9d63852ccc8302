"""The experiments as data: the eight of Table 4, those of other networks, and their variants.

The name of an experiment says what it is:

- `s1s2_10c`: the paper's ConvLSTM (`s1`, `s2`, `s1s2`) or the one with Inception (`inception`),
  then `_` and the name of the classes;
- `utae_10c`, `utae_s2_10c`: another network, with both sensors or with one;
- `my_networks_10c`: a network in a file of your own, see `with_network`;
- `inception_10c+peepholes`: any of these with choices changed, see `variants`.

Examples:
    >>> import multisenge_lib as ms
    >>> ms.EXPERIMENTS["s1s2_10c"].title
    'ConvLSTM-S1S2'
    >>> ms.EXPERIMENTS["s1s2_10c"].sensors
    ('s1', 's2')
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from multisenge_lib.dataset import MULTISENGE, TYPOLOGIES, Dataset, Typology
from multisenge_lib.errors import ExperimentError
from multisenge_lib.models.networks import (
    FOREST,
    NETWORKS,
    PAPER_NETWORKS,
    NetworkFile,
    parse_network,
)
from multisenge_lib.models.variants import VARIANT_MARK, VARIANTS, check_variants, in_order


def months_of_images(
    sensor: str, months: tuple[int, ...], s1_per_month: int = 1
) -> tuple[int, ...]:
    """The month of each image of a sensor, in the order of a network's inputs."""
    images_per_month = s1_per_month if sensor == "s1" else 1
    of_images = []
    for month in months:
        of_images += [month] * images_per_month
    return tuple(of_images)


@dataclass(frozen=True)
class Experiment:
    """One network and the data it sees.

    For a choice that has no name among the variants, use `dataclasses.replace`.

    Attributes:
        name: ours, as typed on the command line: "s1s2_10c".
        title: for tables, in the paper's manner: "ConvLSTM-S1S2".
        sensors: "s1", "s2" or both.
        network: a name of `networks.NETWORKS`, or a file and its function.
        classification: name of the classes that the network separates, a key of
            `Dataset.typologies`: "6c" or "10c" in Table 4, any of the dataset's otherwise.
        classes: how many classes the classification has.
        months: one date of each is an input (section 2.2).
        days_gap: least days between consecutive dates (section 2.2, Table 1).
        s1_per_month: Sentinel-1 dates of each month that are inputs; one in the paper.
        filters: number of filters of each ConvLSTM (section 3.1).
        peephole: whether the gates see the cell state, as Eq. 3 has it; see `ConvLSTM2D` for why
            they don't by default.
        activation: the activation of each ConvLSTM's cell, "tanh" in Eq. 3; the authors' script has
            "relu".
        first_dates: how many of the dates the network sees, from the first on; None: all.
        inception_filters: filters of each convolution of the Inception module; left open by the
            paper.
        inception_pool: whether the pooled inputs are among the module's outputs, as in a naive
            Inception module; the text of section 3.2 can be read either way.
        full_resolution_skip: whether the U-Net's last stage sees the encoder's first, a fifth
            skip; the package that the paper cites, `segmentation_models`, has four.
        freeze_encoder: keep the encoder at its random start, as the authors' later code does.
        s1_decibel: take Sentinel-1 in decibels, before Eq. 4; left open by the paper.
        variants: names of the variants that are in it, see `variants.VARIANTS`.
        network_digest: a hash of the network's file; empty for a network of the library.
    """

    name: str
    title: str
    sensors: tuple[str, ...]
    network: str
    classification: str
    classes: int
    months: tuple[int, ...] = MULTISENGE.months
    days_gap: int = MULTISENGE.days_gap
    s1_per_month: int = 1
    filters: int = 32
    peephole: bool = False
    activation: str = "tanh"
    first_dates: int | None = None
    inception_filters: int = 32
    inception_pool: bool = True
    full_resolution_skip: bool = False
    freeze_encoder: bool = False
    s1_decibel: bool = True
    variants: tuple[str, ...] = ()
    network_digest: str = ""

    def months_of(self, sensor: str) -> tuple[int, ...]:
        """The month of each image of a sensor, in the order of the inputs."""
        return months_of_images(sensor, self.months, self.s1_per_month)

    @property
    def network_file(self) -> str | None:
        """`path:function` of a network of the user's; None for a network of the library."""
        return self.network if self.network_digest else None

    @property
    def inception(self) -> bool:
        """Whether the naive Inception module sees the first date (section 3.2)."""
        return self.network == "inception"

    @property
    def variant_settings(self) -> dict[str, Any]:
        """The fields of the training's `Settings` that its variants change, and their values."""
        changes: dict[str, Any] = {}
        for name in self.variants:
            changes.update(VARIANTS[name].settings_changes)
        return changes


_BOTH = ("s1", "s2")
#: The networks of Table 4: the part of the experiment's name, the sensors, the network.
_TABLE_4 = (
    ("s1", ("s1",), "conv_lstm"),
    ("s2", ("s2",), "conv_lstm"),
    ("s1s2", _BOTH, "conv_lstm"),
    ("inception", _BOTH, "inception"),
)


def _title(network_title: str, sensors: tuple[str, ...]) -> str:
    """Compose the title of an experiment as the paper writes it: `ConvLSTM-S1S2`."""
    return f"{network_title}-{''.join(sensors).upper()}"


def _name(label: str, sensors: tuple[str, ...], classification: str) -> str:
    """Compose the name of an experiment that is not the paper's: `utae_10c`, `utae_s2_10c`."""
    parts = [label, classification] if sensors == _BOTH else [label, *sensors, classification]
    return "_".join(parts)


def _experiment(
    name: str,
    title: str,
    network: str,
    sensors: tuple[str, ...],
    typology: Typology,
    dataset: Dataset,
) -> Experiment:
    return Experiment(
        name=name,
        title=_title(title, sensors),
        sensors=sensors,
        network=network,
        classification=typology.name,
        classes=len(typology),
        months=dataset.months,
        days_gap=dataset.days_gap,
        s1_per_month=dataset.s1_per_month,
    )


def _table_4(dataset: Dataset, typologies: Iterable[Typology]) -> dict[str, Experiment]:
    """Each network of Table 4 that the dataset has the sensors for, with each classification."""
    experiments = {}
    for typology in typologies:
        for label, sensors, network in _TABLE_4:
            if set(sensors) <= set(dataset.sensors):
                name = f"{label}_{typology.name}"
                title = NETWORKS[network].title
                experiments[name] = _experiment(name, title, network, sensors, typology, dataset)
    return experiments


#: The eight experiments of Table 4, by our names.
EXPERIMENTS: Mapping[str, Experiment] = MappingProxyType(
    _table_4(MULTISENGE, (TYPOLOGIES["6c"], TYPOLOGIES["10c"]))
)


def _fewest_classes_first(dataset: Dataset) -> list[Typology]:
    return sorted(dataset.typologies.values(), key=len)


def experiments_of(dataset: Dataset) -> Mapping[str, Experiment]:
    """The paper's experiments on a dataset: each network of Table 4 with each classification.

    Returns:
        By name, such as `s1s2_10c`; those with the fewest classes first. They have the dataset's
        own months and days gap, and only the networks whose sensors the dataset has.
    """
    return _table_4(dataset, _fewest_classes_first(dataset))


def other_experiments_of(dataset: Dataset) -> Mapping[str, Experiment]:
    """The experiments that the paper does not have: networks of others, on the same data.

    Returns:
        By name, such as `utae_10c` with both sensors and `utae_s2_10c` with one.
    """
    experiments = {}
    for network, built_in in NETWORKS.items():
        if network not in PAPER_NETWORKS:
            experiments.update(experiments_of_network(network, built_in.title, dataset))
    return experiments


def experiments_of_network(network: str, title: str, dataset: Dataset) -> dict[str, Experiment]:
    """The experiments of a network that the paper does not have, by name.

    Args:
        network: the first part of their names, such as `utae`.
        title: the network's, to which the sensors are added.
        dataset: each of its classifications is learned, with both sensors and with each alone.
    """
    experiments = {}
    for typology in _fewest_classes_first(dataset):
        for sensors in (_BOTH, ("s2",), ("s1",)):
            if set(sensors) <= set(dataset.sensors):
                name = _name(network, sensors, typology.name)
                experiments[name] = _experiment(name, title, network, sensors, typology, dataset)
    return experiments


def get_experiment(name: str, dataset: Dataset = MULTISENGE) -> Experiment:
    """Look up an experiment of a dataset by its name.

    Args:
        name: such as `s1s2_10c`, `s1s2_14c`, `utae_s2_10c` or `inception_10c+peepholes`.
        dataset: by default MultiSenGE.

    Raises:
        ExperimentError: there is no such experiment; the message lists the names that exist.
    """
    if not isinstance(name, str):
        raise ExperimentError(f"experiment {name!r}: give a name such as 's1s2_10c'")
    plain_name, *variants = name.split(VARIANT_MARK)
    of_paper = experiments_of(dataset)
    experiments = {**other_experiments_of(dataset), **of_paper}
    if plain_name.startswith(f"{FOREST}_"):
        raise ExperimentError(
            f"{plain_name} is a random forest, which Keras does not build: train it with "
            f"`snakemake --cores 2 --config exp={plain_name}`"
        )
    if plain_name not in experiments:
        others = ", ".join(network for network in NETWORKS if network not in PAPER_NETWORKS)
        example = list(other_experiments_of(dataset))[-1]
        raise ExperimentError(
            f"there is no experiment {plain_name!r}: choose one of {', '.join(of_paper)}, or "
            f"another network with these classes ({others}), such as {example}; for a network in a "
            "file of yours give `-p network FILE`, in Python with_network(experiment, FILE)"
        )
    return _with_variants(experiments[plain_name], variants)


def with_network(experiment: Experiment, network: str) -> Experiment:
    """Replace the network of an experiment; its data, classes and variants stay.

    The name is the network's, then the sensor if it is one alone, then the classes: for a network
    in a file of your own the file's name, and the function's unless it is `build`. With
    `my_networks.py:build`, `s1s2_10c` becomes `my_networks_10c`, and `s2_10c` `my_networks_s2_10c`.

    Args:
        experiment: says sensors and classes.
        network: a name of `NETWORKS`, or a file and its function, such as `my_networks.py:build`.

    Raises:
        ExperimentError: there is no such network, or its file cannot be read.
    """
    parsed = parse_network(network)
    if isinstance(parsed, NetworkFile):
        label = parsed.label
        network_title = label
        digest = parsed.digest()
    else:
        if network in PAPER_NETWORKS:
            raise ExperimentError(
                f"network {network} is the paper's: ask for the experiment by its name, such as "
                "s1s2_10c or inception_10c"
            )
        label = network
        network_title = parsed.title
        digest = ""
    changed = replace(
        experiment,
        name=_name(label, experiment.sensors, experiment.classification),
        title=_title(network_title, experiment.sensors),
        network=network,
        network_digest=digest,
    )
    return _with_variants(changed, list(experiment.variants))


def _with_variants(experiment: Experiment, names: list[str]) -> Experiment:
    """Apply variants to an experiment whose name has none yet: change the fields that they name."""
    variants = in_order(names)
    check_variants(variants, experiment.network, experiment.sensors)
    changes: dict[str, Any] = {}
    for name in variants:
        changes.update(VARIANTS[name].experiment_changes)
    titles = [VARIANTS[name].title for name in variants]
    return replace(
        experiment,
        name=VARIANT_MARK.join([experiment.name, *variants]),
        title=", ".join([experiment.title, *titles]),
        variants=variants,
        **changes,
    )
