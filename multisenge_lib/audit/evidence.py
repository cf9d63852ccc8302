"""What the checks of the audit draw on."""

from dataclasses import dataclass

from multisenge_lib.audit.label_counts import LabelCounts, read_label_counts
from multisenge_lib.paper import (
    AuthorsScript,
    Paper,
    Replication,
    authors_script,
    read_paper,
    replication,
)


@dataclass(frozen=True)
class Evidence:
    """Everything that the checks draw on; a test changes one part and sees a verdict turn.

    Attributes:
        paper: numbers and claims as published.
        counts: counts over the real label files.
        replication: what others counted and measured on the real rasters.
        script: values in the authors' public training script.
        claim: id of the claim that is being checked.
    """

    paper: Paper
    counts: LabelCounts
    replication: Replication
    script: AuthorsScript
    claim: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """The classes, methods, tiles, months or bands that the claim names."""
        return self.paper.names(self.claim)

    @property
    def ids(self) -> list[int]:
        """The class ids or months among the names."""
        # A claim may name methods beside classes: "ConvLSTM-S1" and "4".
        return [int(name) for name in self.names if name.isdigit()]

    @property
    def stated(self) -> dict[str, float]:
        """The numbers in the claim's text, by name."""
        return self.paper.stated(self.claim)

    @property
    def value(self) -> float:
        """The one number in the claim's text."""
        (number,) = self.stated.values()
        return number


def published_evidence() -> Evidence:
    """The paper as published, the committed label counts, and the outside sources."""
    return Evidence(read_paper(), read_label_counts(), replication(), authors_script())
