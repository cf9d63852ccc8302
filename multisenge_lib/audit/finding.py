"""A finding, and how a check becomes one: it computes; the words are in `paper/findings.yaml`."""

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from string import Formatter
from typing import Any

import numpy as np

from multisenge_lib.dataset import Census
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
    """

    paper: Paper
    census: Census
    replication: Replication
    script: AuthorsScript


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
    return Outcome(right, difference, tolerance, values)


def measured(difference: float, tolerance: float, **values: Any) -> Outcome:
    """The outcome of a check that measures: right where rounding can explain the difference."""
    return judged(abs(difference) <= tolerance + _EPSILON, difference, tolerance, **values)


def counted(printed: float, derived: float, **values: Any) -> Outcome:
    """The outcome of a check on whole numbers, which no rounding excuses."""
    return measured(printed - derived, 0.0, printed=printed, derived=derived, **values)


class _Words(Formatter):
    """Values into a sentence: each member of a sequence by the format; yes and no for bools."""

    def format_field(self, value: Any, format_spec: str) -> str:
        if isinstance(value, bool | np.bool_):
            return "yes" if value else "no"
        if isinstance(value, str) or not isinstance(value, Iterable):
            return format(value, format_spec)
        return ", ".join(self.format_field(item, format_spec) for item in value) or "none"


#: Where the words do not say otherwise.
_PLAIN = {"published": "{printed:,.0f}", "derived": "{derived:,.0f}"}
_TEXTS = ("title", "topic", "claim", "where", "published", "derived", "explanation", "headline")


def _finding(evidence: Evidence, id: str, outcome: Outcome, case: Mapping[str, Any]) -> Finding:
    """The finding of an outcome; its words are those of the id, or of the id without its part."""
    name, _, part = id.partition("/")
    words, values = {"headline": ""} | _PLAIN, {"part": part, **case}
    if name in evidence.paper.claims:
        claim = evidence.paper.claims[name]
        words |= {"claim": claim.quote, "where": claim.where}
        values |= {"named": claim.names, **evidence.paper.stated(name)}
    every = finding_words()
    words |= every.get(name, {}) | every.get(id, {})
    values |= outcome.values
    texts = {text: _Words().vformat(words[text], (), values) for text in _TEXTS}
    right = None if outcome.right is None else bool(outcome.right)
    verdict = {None: UNDECIDED, True: AGREES, False: DISAGREES}[right]
    numbers = (outcome.difference, outcome.tolerance)
    difference, tolerance = (None if x is None else float(x) for x in numbers)
    return Finding(id, **texts, difference=difference, tolerance=tolerance, verdict=verdict)


@dataclass(frozen=True)
class Check:
    """A function on the evidence, with the id of its finding, or of its findings' common part.

    Attributes:
        id: of the finding; the parts of several follow a slash.
        compute: takes the evidence and the case; returns an outcome, or one a part.
        case: the function's other arguments, by name.
    """

    id: str
    compute: Callable[..., Outcome | dict[str, Outcome]]
    case: Mapping[str, Any]

    def __call__(self, evidence: Evidence) -> list[Finding]:
        """The findings on this evidence."""
        found = self.compute(evidence, **self.case)
        parts = {self.id: found}
        if isinstance(found, dict):
            parts = {f"{self.id}/{part}": outcome for part, outcome in found.items()}
        return [_finding(evidence, id, outcome, self.case) for id, outcome in parts.items()]


#: All checks, in the order of their modules.
CHECKS: list[Check] = []


def check(id: str, *case: Any) -> Callable[[Callable], Callable]:
    """Make a function a check.

    Args:
        id: of its finding or findings, under which their words are kept.
        case: what the function takes beside the evidence.
    """

    def register(compute: Callable) -> Callable:
        names = [*inspect.signature(compute).parameters][1:]
        CHECKS.append(Check(id, compute, dict(zip(names, case, strict=True))))
        return compute

    return register
