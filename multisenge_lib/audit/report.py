"""The audit: what the paper prints, checked against itself and against what can be counted.

Each check takes the evidence (the paper's numbers, the census of the real label files, an
independent replication's counts, the authors' public script) and yields findings.
"""

from dataclasses import asdict
from typing import Any

from multisenge_lib import paper
from multisenge_lib.audit.dataset import DATASET_CHECKS
from multisenge_lib.audit.finding import AGREES, VERDICTS, Evidence, Finding
from multisenge_lib.audit.tables import TABLE_CHECKS
from multisenge_lib.audit.text import SCORE_CHECKS
from multisenge_lib.dataset import census

__all__ = [
    "AGREES",
    "CHECKS",
    "VERDICTS",
    "Evidence",
    "Finding",
    "findings",
    "published_evidence",
    "to_json",
]

CHECKS = (*TABLE_CHECKS, *DATASET_CHECKS, *SCORE_CHECKS)


def published_evidence() -> Evidence:
    """The paper as published, the committed census of the real labels, the outside sources."""
    counts = census.from_json(census.read_record()[0])
    return Evidence(paper.read_paper(), counts, paper.replication(), paper.authors_script())


def findings(evidence: Evidence | None = None) -> list[Finding]:
    """All findings: those that disagree first, then the undecided, then those that agree.

    Args:
        evidence: by default the paper as published, the committed census and outside sources.
    """
    evidence = published_evidence() if evidence is None else evidence
    found = [finding for check in CHECKS for finding in check(evidence)]
    return sorted(found, key=lambda finding: VERDICTS.index(finding.verdict))


def to_json(found: list[Finding]) -> list[dict[str, Any]]:
    """Findings as plain dictionaries, for `multisenge audit --json`."""
    return [asdict(finding) for finding in found]
