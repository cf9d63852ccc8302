"""What the paper leaves open: each point, what is written, what was chosen, what else there is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from multisenge_lib.paper.published import read_data


@dataclass(frozen=True)
class OpenPoint:
    """A choice that the paper does not settle.

    Attributes:
        point: what it is about.
        paper: what the paper says.
        where: section, equation, table or figure.
        authors: what the authors' public code does (an earlier Keras script, a later PyTorch
            model; neither is the paper's run).
        ours: what this library does.
        other: another answer, where it is a parameter: values by name, by `Experiment`, `Settings`
            or the function that takes them.
    """

    point: str
    paper: str
    where: str
    authors: str
    ours: str
    other: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def parameters(self) -> str:
        """The other answer as one writes it."""
        pairs = (
            (of, name, value) for of, some in self.other.items() for name, value in some.items()
        )
        return "; ".join(f"{of}: {name}={value!r}" for of, name, value in pairs)


def read_open_points() -> tuple[OpenPoint, ...]:
    """All points, in the order of the paper's sections."""
    return tuple(OpenPoint(**row) for row in read_data("open_points.yaml"))
