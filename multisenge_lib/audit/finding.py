"""A finding of the audit, and what the checks draw on."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from multisenge_lib.dataset import TYPOLOGIES, Census
from multisenge_lib.paper import METHODS, AuthorsScript, Paper, Replication

AGREES, DISAGREES, UNDECIDED = "agrees", "disagrees", "cannot be decided"
VERDICTS = (DISAGREES, UNDECIDED, AGREES)

#: The headings of the audit.
SUPPORT, KAPPA, SCORES = "Support", "Kappa", "Scores"
QUOTED, CONFUSION, SHARES = "Scores in the text", "Confusion", "Classes and shares"
DATASET, METHOD, CAPTIONS = "Dataset and split", "Method", "Captions"
OUTSIDE = "Outside sources"


@dataclass(frozen=True)
class Finding:
    """What one check found.

    Attributes:
        id: short name; of a claim its id, with a part after a slash where one claim says several.
        title: a few words.
        topic: the heading it stands under.
        claim: the paper's words, or what its numbers amount to.
        where: section, table or caption.
        published: what is printed.
        derived: what follows.
        difference: published less derived, of the worst number where there are several; None
            where nothing is measured.
        tolerance: how far rounding can take the difference.
        verdict: one of `VERDICTS`.
        explanation: the derivation, in a sentence or a few.
    """

    id: str
    title: str
    topic: str
    claim: str
    where: str
    published: str
    derived: str
    difference: float | None
    tolerance: float | None
    verdict: str
    explanation: str


@dataclass(frozen=True)
class Evidence:
    """What the checks draw on; a test changes one part and sees a verdict turn.

    Attributes:
        paper: numbers and claims as published.
        census: counts over the real label files.
        replication: what others counted and measured on the real rasters.
        script: values in the authors' public training script.
    """

    paper: Paper
    census: Census
    replication: Replication
    script: AuthorsScript


def verdict(right: bool | None) -> str:
    """The verdict on a claim that is right, not right, or (None) cannot be decided."""
    return UNDECIDED if right is None else AGREES if right else DISAGREES


def on_claim(
    evidence: Evidence,
    id: str,
    title: str,
    topic: str,
    published: str,
    derived: str,
    right: bool | None,
    explanation: str,
    difference: float | None = None,
    tolerance: float | None = None,
) -> Finding:
    """A finding about a claim; its words and place are the paper's."""
    claim = evidence.paper.claims[id.partition("/")[0]]
    return Finding(
        id,
        title,
        topic,
        claim.quote,
        claim.where,
        published,
        derived,
        difference,
        tolerance,
        verdict(right),
        explanation,
    )


def names(evidence: Evidence, claim: str) -> tuple[str, ...]:
    """The classes, methods, tiles, months or bands that a claim names."""
    return evidence.paper.claims[claim].names


def merged_shares(evidence: Evidence, classes: int) -> np.ndarray:
    """Table 2 in 6 or 10 classes: percent, `(classes,)`."""
    shares = evidence.paper.shares()
    return np.array([sum(shares[i - 1] for i in ids) for ids in TYPOLOGIES[classes].members])


def best_method(values: np.ndarray) -> str:
    """The method with the highest value, of one value a method."""
    return METHODS[int(np.argmax(values))]


def four_decimals(values: Iterable[float]) -> str:
    """Values as the paper prints scores, joined by commas."""
    return ", ".join(f"{value:.4f}" for value in values)


def class_list(positions: np.ndarray | list[int]) -> str:
    """Class ids from positions that count from 0."""
    return ", ".join(str(i + 1) for i in positions) or "none"


def counted(
    evidence: Evidence,
    id: str,
    title: str,
    topic: str,
    printed: float,
    derived: float,
    explanation: str,
    words: str = "",
) -> Finding:
    """A finding about a whole number, which no rounding excuses.

    Args:
        evidence: what the checks draw on.
        id: of the claim, or of a part of it.
        title: a few words.
        topic: a heading.
        printed: the number in the paper.
        derived: the number that follows.
        explanation: where it follows from.
        words: what the derived number counts.
    """
    return on_claim(
        evidence,
        id,
        title,
        topic,
        f"{printed:,.0f}",
        f"{derived:,.0f}{words}",
        printed == derived,
        explanation,
        float(printed - derived),
        0.0,
    )
