"""The audit: what the paper prints, checked against itself and against what can be counted."""

from multisenge_lib.audit.bounds import (
    HALF,
    cell_bounds,
    extreme_matrices,
    support_bounds,
)
from multisenge_lib.audit.finding import (
    AGREES,
    DISAGREES,
    UNDECIDED,
    VERDICTS,
    Evidence,
    Finding,
)
from multisenge_lib.audit.report import findings, published_evidence
from multisenge_lib.audit.tables import (
    both_tables,
    counted_support,
    kappa_intervals,
    majority_scores,
    merge_matrix,
    model_margins,
    table_constraints,
)
