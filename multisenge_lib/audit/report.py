"""All findings of the audit, on the evidence as published or on any other."""

from multisenge_lib import paper
from multisenge_lib.audit import label_counts
from multisenge_lib.audit.finding import CHECKS, VERDICTS, Evidence, Finding, run


def published_evidence() -> Evidence:
    """The paper as published, the committed census of the real labels, the outside sources."""
    counts = label_counts.read_record()
    return Evidence(paper.read_paper(), counts, paper.replication(), paper.authors_script())


def findings(evidence: Evidence | None = None) -> list[Finding]:
    """All findings: those that disagree first, then the undecided, then those that agree.

    Args:
        evidence: by default the paper as published, the committed census and outside sources.
    """
    evidence = published_evidence() if evidence is None else evidence
    names = (name for name in paper.finding_words() if name in CHECKS)
    found = [finding for name in names for finding in run(name, evidence)]
    return sorted(found, key=lambda finding: VERDICTS.index(finding.verdict))
