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
        classes: 6 or 10 (Table 3); in another area one of its own typologies.
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

    @property
    def typology(self) -> Typology:
        """The classes that the network tells apart."""
        return TYPOLOGIES[self.classes]


_NETWORKS = (
    ("s1", "ConvLSTM-S1", ("s1",), False),
    ("s2", "ConvLSTM-S2", ("s2",), False),
    ("s1s2", "ConvLSTM-S1S2", ("s1", "s2"), False),
    ("inception", "ConvLSTM+Inception-S1S2", ("s1", "s2"), True),
)


def _experiments(dataset: Dataset, groupings: Iterable[int]) -> dict[str, Experiment]:
    return {
        f"{name}_{classes}c": Experiment(
            f"{name}_{classes}c",
            *(title, sensors, inception, classes),
            months=dataset.months,
            days_gap=dataset.days_gap,
        )
        for classes in groupings
        for name, title, sensors, inception in _NETWORKS
        if set(sensors) <= set(dataset.sensors)
    }


#: Table 4, by our names.
EXPERIMENTS: Mapping[str, Experiment] = MappingProxyType(_experiments(MULTISENGE, (6, 10)))


def experiments_of(dataset: Dataset) -> Mapping[str, Experiment]:
    """The experiments of a dataset by name: Table 4's networks on its own months and classes."""
    as_table_4 = {e.classes for e in EXPERIMENTS.values()} <= set(dataset.typologies)
    return _experiments(dataset, (6, 10) if as_table_4 else sorted(dataset.typologies))


def get_experiment(name: str, dataset: Dataset = MULTISENGE) -> Experiment:
    """One of `experiments_of(dataset)`, such as `s1s2_10c`: the network, and how many classes.

    Raises:
        ExperimentError: there is none; the message names those that there are.
    """
    among = experiments_of(dataset)
    if name not in among:
        raise ExperimentError(f"there is no experiment {name!r}: choose one of {', '.join(among)}")
    return among[name]
