"""The three additions that the paper's experiments test, from one network to the next."""

from collections.abc import Mapping
from dataclasses import dataclass

from multisenge_lib.models import EXPERIMENTS


@dataclass(frozen=True)
class Step:
    """What is added to a network.

    Attributes:
        name: what is added, to what; the key in tables.
        words: the same in a sentence.
        larger: first part of the experiments' names of the network with it.
        smaller: the same without it.
    """

    name: str
    words: str
    larger: str
    smaller: str

    @property
    def label(self) -> str:
        """The name on two lines, to stand beside a chart."""
        return self.name.replace(", ", ",\n")


S2_ADDED = Step(
    name="Sentinel-2, to Sentinel-1",
    words="Sentinel-2 added to Sentinel-1",
    larger="s1s2",
    smaller="s1",
)
S1_ADDED = Step(
    name="Sentinel-1, to Sentinel-2",
    words="Sentinel-1 added to Sentinel-2",
    larger="s1s2",
    smaller="s2",
)
INCEPTION_ADDED = Step(
    name="Inception, to both sensors",
    words="the Inception module",
    larger="inception",
    smaller="s1s2",
)
#: By name, in the order of tables and charts.
STEPS: Mapping[str, Step] = {step.name: step for step in (S2_ADDED, S1_ADDED, INCEPTION_ADDED)}


def changes_by_step(scores: Mapping[str, float]) -> dict[str, float]:
    """Subtract the score without each addition from that with it.

    Args:
        scores: one score of each of the paper's networks, by the network's title.

    Returns:
        The change by the step's name.
    """
    changes = {}
    for step in STEPS.values():
        # Experiments with six and with ten classes have the same titles.
        with_it = scores[EXPERIMENTS[f"{step.larger}_10c"].title]
        without_it = scores[EXPERIMENTS[f"{step.smaller}_10c"].title]
        changes[step.name] = float(with_it - without_it)
    return changes
