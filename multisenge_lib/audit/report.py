"""All findings of the audit, on the evidence as published or on any other."""

# Importing a module of checks registers its checks.
from multisenge_lib.audit import (  # noqa: F401
    data_claims,
    merged_claims,
    source_claims,
    table_claims,
    text_claims,
)
from multisenge_lib.audit.evidence import Evidence, published_evidence
from multisenge_lib.audit.finding import VERDICTS, Finding, run
from multisenge_lib.paper import finding_words


def findings(evidence: Evidence | None = None) -> list[Finding]:
    """All findings: first those that disagree, then the undecided, those that agree, remarks.

    Args:
        evidence: by default the paper as published with the committed counts and outside sources.
    """
    if evidence is None:
        evidence = published_evidence()
    results = []
    for id in finding_words():
        # The words of a part, "split-counts/train", belong to the check before the slash.
        if "/" not in id:
            results.extend(run(id, evidence))
    return sorted(results, key=lambda finding: VERDICTS.index(finding.verdict))
