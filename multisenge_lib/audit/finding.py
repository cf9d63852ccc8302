"""A finding, and how a check becomes one: it computes; the words are in `paper/findings.yaml`."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from string import Formatter
from typing import Any

import numpy as np

from multisenge_lib.audit.label_counts import LabelCounts
from multisenge_lib.paper import AuthorsScript, Paper, Replication, finding_words

AGREES, DISAGREES, UNDECIDED = "agrees", "disagrees", "cannot be decided"
VERDICTS = (DISAGREES, UNDECIDED, AGREES)
#: What floating point may add to a difference of printed decimals.
_EPSILON = 1e-9


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
        headline: one sentence for the head of the page; empty for most.
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
    headline: str = ""


@dataclass(frozen=True)
class Evidence:
    """What the checks draw on; a test changes one part and sees a verdict turn.

    Attributes:
        paper: numbers and claims as published.
        census: counts over the real label files.
        replication: what others counted and measured on the real rasters.
        script: values in the authors' public training script.
        claim: id of the claim under check.
    """

    paper: Paper
    census: LabelCounts
    replication: Replication
    script: AuthorsScript
    claim: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """The classes, methods, tiles, months or bands that the claim names."""
        return self.paper.names(self.claim)

    @property
    def ids(self) -> list[int]:
        """The classes or months among them."""
        return [int(name) for name in self.names if name.isdigit()]

    @property
    def stated(self) -> dict[str, float]:
        """The numbers in its text, by name."""
        return self.paper.stated(self.claim)

    @property
    def value(self) -> float:
        """The one number in its text."""
        (number,) = self.stated.values()
        return number


@dataclass(frozen=True)
class Outcome:
    """What a check computed.

    Attributes:
        right: whether the claim is; None where that cannot be decided.
        difference: as in `Finding`.
        tolerance: as in `Finding`.
        values: what the words name in braces.
    """

    right: bool | None
    difference: float | None
    tolerance: float | None
    values: Mapping[str, Any]


def judged(right: bool | None, difference=None, tolerance=None, **values: Any) -> Outcome:
    """The outcome of a check that says itself whether the claim is right."""
    numbers = (None if number is None else float(number) for number in (difference, tolerance))
    return Outcome(right, *numbers, values)


def measured(difference: float, tolerance: float, **values: Any) -> Outcome:
    """The outcome of a check that measures: right where rounding can explain the difference."""
    return judged(abs(difference) <= tolerance + _EPSILON, difference, tolerance, **values)


def compared(printed: Any, derived: Any, tolerance: float = 0.0, **values: Any) -> Outcome:
    """The outcome of a check on one number or several: the one that is farthest off counts.

    No rounding excuses whole numbers, nor scores that are copied from a table.
    """
    worst = max(np.subtract(printed, derived).ravel(), key=abs)
    return measured(worst, tolerance, printed=printed, derived=derived, **values)


class _Words(Formatter):
    """Values into a sentence: each member of a sequence by the format; yes and no for bools."""

    def format_field(self, value: Any, format_spec: str) -> str:
        if isinstance(value, bool | np.bool_):
            return "yes" if value else "no"
        if isinstance(value, str) or not isinstance(value, Iterable):
            return format(value, format_spec)
        return ", ".join(self.format_field(item, format_spec) for item in value) or "none"


#: Where the words do not say otherwise.
_PLAIN = {"published": "{printed:,.0f}", "derived": "{derived:,.0f}", "headline": ""}
_PLAIN |= {"between": ", ", "none": "none"}
_TEXTS = ("title", "topic", "claim", "where", "published", "derived", "explanation", "headline")


def _finding(evidence: Evidence, id: str, outcome: Outcome) -> Finding:
    """The finding of an outcome; its words are those of the id, or of the id without its part."""
    name, _, part = id.partition("/")
    words, values = dict(_PLAIN), {"part": part, **CHECKS[name].keywords}
    if claim := evidence.paper.claims.get(name):
        words |= {"claim": claim.quote, "where": claim.where}
        values |= {"named": claim.names, **evidence.paper.stated(name)}
    words |= finding_words().get(name, {}) | finding_words().get(id, {})
    values |= outcome.values
    if "each" in words:
        rows = (_Words().vformat(words["each"], (), values | row) for row in values["each"])
        values["each"] = words["between"].join(list(rows)) or words["none"]
    texts = {text: _Words().vformat(words[text], (), values) for text in _TEXTS}
    verdict = UNDECIDED if outcome.right is None else AGREES if outcome.right else DISAGREES
    numbers = {"difference": outcome.difference, "tolerance": outcome.tolerance}
    return Finding(id, verdict=verdict, **numbers, **texts)


#: All checks by the id of their finding, or of what the ids of several have before a slash.
CHECKS: dict[str, partial[Outcome | dict[str, Outcome]]] = {}


def check(id: str, **case: Any) -> Callable[[Callable], Callable]:
    """Make a function of the evidence, and of a case, a check; its words are kept under the id."""

    def register(compute: Callable) -> Callable:
        CHECKS[id] = partial(compute, **case)
        return compute

    return register


def outcomes(id: str, evidence: Evidence) -> dict[str, Outcome]:
    """What a check computes, by the ids of its findings: one, or one a part."""
    found = CHECKS[id](replace(evidence, claim=id))
    parts = found.items() if isinstance(found, dict) else ()
    return {f"{id}/{part}": outcome for part, outcome in parts} or {id: found}


def run(id: str, evidence: Evidence) -> list[Finding]:
    """The findings of one check."""
    return [_finding(evidence, *found) for found in outcomes(id, evidence).items()]
