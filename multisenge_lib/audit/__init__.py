"""The audit: what the paper prints, checked against itself and against what can be counted."""

from multisenge_lib.audit.bounds import (
    HALF,
    Margins,
    cell_bounds,
    extreme_matrices,
    matrix_margins,
    support_bounds,
)
from multisenge_lib.audit.finding import (
    AGREES,
    CHECKS,
    DISAGREES,
    UNDECIDED,
    VERDICTS,
    Evidence,
    Finding,
    run,
)
from multisenge_lib.audit.report import findings, published_evidence, to_json
from multisenge_lib.audit.tables import (
    both_tables,
    counted_support,
    kappa_intervals,
    majority_scores,
    merge_matrix,
    model_margins,
    table_constraints,
)
