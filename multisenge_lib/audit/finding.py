"""A finding, and how a check becomes one.

How a sentence of the paper becomes a verdict. One id, here `training-tiles`, leads through four
files:

    paper/paper.json        "claims": what the paper says and where, with its numbers and names
    audit/*_claims.py       `@check("training-tiles")`: a function that computes an `Outcome`
    paper/findings.yaml     `training-tiles:` the words, with the outcome's values in braces
    tests/audit/test_report.py   `TURNS`: a change of the evidence that turns the verdict

A check of several findings returns them by part; their ids are `split-counts/train` and so on. A
part may have words of its own, which are added to those of the whole check. Checks of a table
rather than of a sentence have no claim in `paper.json`; their words are all in `findings.yaml`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from string import Formatter
from typing import Any

import numpy as np

from multisenge_lib.audit.evidence import Evidence
from multisenge_lib.paper import finding_words

AGREES = "agrees"
DISAGREES = "disagrees"
UNDECIDED = "cannot be decided"
#: For what the paper does not claim: about others' code or data, or a comparison of this audit.
REMARK = "remark"
#: In the order of the page.
VERDICTS = (DISAGREES, UNDECIDED, AGREES, REMARK)

#: What floating point may add to a difference of printed decimals.
_EPSILON = 1e-9


@dataclass(frozen=True)
class Finding:
    """The result of one check, in words and numbers.

    Attributes:
        id: short name; for a claim its id, with a part after a slash where one claim says several
            things.
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
        quoted: whether `claim` is the paper's own words, which a page may set as a quotation.
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
    quoted: bool = False


@dataclass(frozen=True)
class Outcome:
    """What a check computed.

    Attributes:
        verdict: one of `VERDICTS`.
        difference: as in `Finding`.
        tolerance: as in `Finding`.
        values: what the words of the finding name in braces.
    """

    verdict: str
    difference: float | None
    tolerance: float | None
    values: Mapping[str, Any]


def _number_or_none(number: float | None) -> float | None:
    return None if number is None else float(number)


def judged(
    right: bool | None,
    difference: float | None = None,
    tolerance: float | None = None,
    **values: Any,
) -> Outcome:
    """The outcome of a check that decides itself whether the claim is right.

    Args:
        right: None where that cannot be decided.
        difference: as in `Finding`.
        tolerance: as in `Finding`.
        values: what the words of the finding name in braces.
    """
    if right is None:
        verdict = UNDECIDED
    elif right:
        verdict = AGREES
    else:
        verdict = DISAGREES
    return Outcome(verdict, _number_or_none(difference), _number_or_none(tolerance), values)


def measured(difference: float, tolerance: float, **values: Any) -> Outcome:
    """The outcome of a check that measures: right where rounding can explain the difference."""
    return judged(abs(difference) <= tolerance + _EPSILON, difference, tolerance, **values)


def compared(printed: Any, derived: Any, tolerance: float = 0.0, **values: Any) -> Outcome:
    """The outcome of a check on one number or several: the one that is farthest off counts.

    No rounding excuses whole numbers, nor scores that are copied from a table.
    """
    differences = np.subtract(printed, derived).ravel()
    worst = max(differences, key=abs)
    return measured(worst, tolerance, printed=printed, derived=derived, **values)


def remarked(**values: Any) -> Outcome:
    """The outcome of a comparison that the paper does not claim, so that it has no verdict."""
    return Outcome(REMARK, None, None, values)


# From values to words


class _WordFormatter(Formatter):
    """Fill braces as `str.format` does, and join the members of a sequence by commas."""

    def format_field(self, value: Any, format_spec: str) -> str:
        if isinstance(value, bool | np.bool_):
            return "yes" if value else "no"
        if isinstance(value, str) or not isinstance(value, Iterable):
            return format(value, format_spec)
        members = [self.format_field(member, format_spec) for member in value]
        return ", ".join(members) or "none"


_TEXTS = ("title", "topic", "claim", "where", "published", "derived", "explanation", "headline")
#: The words where `findings.yaml` has none.
_DEFAULT_WORDS: dict[str, Any] = {
    "published": "{printed:,.0f}",
    "derived": "{derived:,.0f}",
    "headline": "",
    "between": ", ",
    "none": "none",
    "quoted": False,
}


def _words_of(evidence: Evidence, id: str) -> dict[str, Any]:
    """The templates of a finding: defaults, then the claim's, the check's and the part's own."""
    check_id = id.partition("/")[0]
    # Later updates win: a part's own words replace those of the whole check.
    words: dict[str, Any] = dict(_DEFAULT_WORDS)
    claim = evidence.paper.claims.get(check_id)
    if claim is not None:
        words["claim"] = claim.quote
        words["where"] = claim.where
        words["quoted"] = True
    words.update(finding_words().get(check_id, {}))
    words.update(finding_words().get(id, {}))
    return words


def _values_of(evidence: Evidence, id: str, outcome: Outcome) -> dict[str, Any]:
    """What the templates may name: the part, the check's case, the claim, the outcome."""
    check_id, _, part = id.partition("/")
    values: dict[str, Any] = {"part": part, **CHECKS[check_id].keywords}
    claim = evidence.paper.claims.get(check_id)
    if claim is not None:
        values["named"] = claim.names
        values.update(evidence.paper.stated(check_id))
    values.update(outcome.values)
    return values


def _finding(evidence: Evidence, id: str, outcome: Outcome) -> Finding:
    """Put an outcome into words."""
    formatter = _WordFormatter()
    words = _words_of(evidence, id)
    values = _values_of(evidence, id, outcome)
    if "each" in words:
        # `each` is a template for one row; the rows, joined, are then a value like any other.
        rows = [formatter.vformat(words["each"], (), values | row) for row in values["each"]]
        values["each"] = words["between"].join(rows) or words["none"]
    texts = {text: formatter.vformat(words[text], (), values) for text in _TEXTS}
    return Finding(
        id=id,
        verdict=outcome.verdict,
        difference=outcome.difference,
        tolerance=outcome.tolerance,
        quoted=words["quoted"],
        **texts,
    )


# The checks

#: All checks, by the id of their finding, or by what the ids of several have before the slash.
CHECKS: dict[str, partial[Outcome | dict[str, Outcome]]] = {}


def check(id: str, **case: Any) -> Callable[[Callable], Callable]:
    """Make a function of the evidence (and of a case) the check with this id."""

    def register(compute: Callable) -> Callable:
        CHECKS[id] = partial(compute, **case)
        return compute

    return register


def outcomes(id: str, evidence: Evidence) -> dict[str, Outcome]:
    """Run one check: its outcomes, by the ids of their findings."""
    # The check asks the evidence for "the" claim's names and numbers, so the evidence knows its id.
    result = CHECKS[id](replace(evidence, claim=id))
    if isinstance(result, Outcome):
        return {id: result}
    return {f"{id}/{part}": outcome for part, outcome in result.items()}


def run(id: str, evidence: Evidence) -> list[Finding]:
    """Run one check: its findings."""
    return [_finding(evidence, part, outcome) for part, outcome in outcomes(id, evidence).items()]
