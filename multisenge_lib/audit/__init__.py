"""Checks of the paper's numbers and sentences, against each other and against the label files."""

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
from multisenge_lib.audit.label_counts import (
    class_shares,
    load_label_counts,
    read_record,
)
from multisenge_lib.audit.report import (
    findings,
    published_evidence,
)
from multisenge_lib.audit.table_claims import (
    both_tables,
    counted_support,
    kappa_intervals,
    majority_scores,
    merge_matrix,
    model_margins,
    table_constraints,
)
