"""The three additions that the paper's experiments test, from one network to the next."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    """What is added to a network.

    Attributes:
        name: what is added, to what; the key in tables.
        words: the same in a sentence.
        larger: first part of the experiments' names of the network with it.
        smaller: the same without it.
        larger_title: title of the network with it, as the paper's tables have it.
        smaller_title: the same without it.
    """

    name: str
    words: str
    larger: str
    smaller: str
    larger_title: str
    smaller_title: str

    @property
    def label(self) -> str:
        """The name on two lines, to stand beside a chart."""
        return self.name.replace(", ", ",\n")


S2_ADDED = Step(
    name="Sentinel-2, to Sentinel-1",
    words="Sentinel-2 added to Sentinel-1",
    larger="s1s2",
    smaller="s1",
    larger_title="ConvLSTM-S1S2",
    smaller_title="ConvLSTM-S1",
)
S1_ADDED = Step(
    name="Sentinel-1, to Sentinel-2",
    words="Sentinel-1 added to Sentinel-2",
    larger="s1s2",
    smaller="s2",
    larger_title="ConvLSTM-S1S2",
    smaller_title="ConvLSTM-S2",
)
INCEPTION_ADDED = Step(
    name="Inception, to both sensors",
    words="the Inception module",
    larger="inception",
    smaller="s1s2",
    larger_title="ConvLSTM+Inception-S1S2",
    smaller_title="ConvLSTM-S1S2",
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
    return {
        step.name: float(scores[step.larger_title] - scores[step.smaller_title])
        for step in STEPS.values()
    }
