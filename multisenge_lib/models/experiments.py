"""The eight experiments of Table 4 as data, with the choices that the paper leaves open.

Examples:
    >>> import multisenge_lib as ms
    >>> ms.EXPERIMENTS["s1s2_10c"].title
    'ConvLSTM-S1S2'
    >>> ms.EXPERIMENTS["s1s2_10c"].sensors
    ('s1', 's2')
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from multisenge_lib.dataset import MULTISENGE, TYPOLOGIES, Dataset, Typology
from multisenge_lib.errors import ExperimentError


@dataclass(frozen=True)
class Experiment:
    """One network of Table 4 and the data it sees. Variants: `dataclasses.replace`.

    Attributes:
        name: ours, as typed on the command line: "s1s2_10c".
        title: the paper's: "ConvLSTM-S1S2".
        sensors: "s1", "s2" or both; one ConvLSTM each.
        inception: whether the naive Inception module sees the first date (section 3.2).
        classification: name of the classes that the network separates, a key of
            `Dataset.typologies`: "6c" or "10c" in Table 4, any of the dataset's otherwise.
        classes: how many classes the classification has.
        months: one date of each is an input (section 2.2).
        days_gap: least days between consecutive dates (section 2.2, Table 1).
        filters: of each ConvLSTM (section 3.1).
        peephole: whether the gates see the cell state, as Eq. 3 has it; see `ConvLSTM2D` for why
            they don't by default.
        activation: of each ConvLSTM's cell, "tanh" in Eq. 3; the authors' script has "relu".
        first_dates: the network sees only so many of the dates, the first ones; None: all.
        inception_filters: of each convolution of the Inception module; left open by the paper.
        inception_pool: whether the pooled inputs are among the module's outputs, as in a naive
            Inception module; the text of section 3.2 can be read either way.
        full_resolution_skip: whether the U-Net's last stage sees the encoder's first, a fifth
            skip; the package that the paper cites, `segmentation_models`, has four.
        freeze_encoder: keep the encoder at its random start, as the authors' later code does.
        s1_decibel: Sentinel-1 in decibels, always, before Eq. 4; left open by the paper.
    """

    name: str
    title: str
    sensors: tuple[str, ...]
    inception: bool
    classification: str
    classes: int
    months: tuple[int, ...] = MULTISENGE.months
    days_gap: int = MULTISENGE.days_gap
    filters: int = 32
    peephole: bool = False
    activation: str = "tanh"
    first_dates: int | None = None
    inception_filters: int = 32
    inception_pool: bool = True
    full_resolution_skip: bool = False
    freeze_encoder: bool = False
    s1_decibel: bool = True


_NETWORKS = (
    ("s1", "ConvLSTM-S1", ("s1",), False),
    ("s2", "ConvLSTM-S2", ("s2",), False),
    ("s1s2", "ConvLSTM-S1S2", ("s1", "s2"), False),
    ("inception", "ConvLSTM+Inception-S1S2", ("s1", "s2"), True),
)


def _experiments(dataset: Dataset, typologies: Iterable[Typology]) -> dict[str, Experiment]:
    """Each network of Table 4 that the dataset has the sensors for, with each classification."""
    experiments = {}
    for typology in typologies:
        for network, title, sensors, inception in _NETWORKS:
            if not set(sensors) <= set(dataset.sensors):
                continue
            name = f"{network}_{typology.name}"
            experiments[name] = Experiment(
                name=name,
                title=title,
                sensors=sensors,
                inception=inception,
                classification=typology.name,
                classes=len(typology),
                months=dataset.months,
                days_gap=dataset.days_gap,
            )
    return experiments


#: The eight experiments of Table 4, by our names.
EXPERIMENTS: Mapping[str, Experiment] = MappingProxyType(
    _experiments(MULTISENGE, (TYPOLOGIES["6c"], TYPOLOGIES["10c"]))
)


def experiments_of(dataset: Dataset) -> Mapping[str, Experiment]:
    """The experiments that a dataset offers: each network of Table 4 with each classification.

    Returns:
        By name, such as `s1s2_10c`; those with the fewest classes first. They have the dataset's
        own months and days gap, and only the networks whose sensors the dataset has.
    """
    fewest_classes_first = sorted(dataset.typologies.values(), key=len)
    return _experiments(dataset, fewest_classes_first)


def get_experiment(name: str, dataset: Dataset = MULTISENGE) -> Experiment:
    """Look up one of `experiments_of(dataset)`.

    Args:
        name: the network, `_`, and the classification, such as `s1s2_10c` or `s1s2_14c`.
        dataset: by default MultiSenGE.

    Raises:
        ExperimentError: there is none of this name; the message lists the names that exist.
    """
    experiments = experiments_of(dataset)
    if name not in experiments:
        raise ExperimentError(
            f"there is no experiment {name!r}: choose one of {', '.join(experiments)}"
        )
    return experiments[name]
