"""The audit: what the paper prints, checked against itself and against what can be counted."""

from multisenge_lib.audit.finding import AGREES, DISAGREES, UNDECIDED, VERDICTS, Evidence, Finding
from multisenge_lib.audit.report import CHECKS, findings, published_evidence, to_json
from multisenge_lib.audit.tables import majority_scores
