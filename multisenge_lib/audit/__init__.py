"""Checks of the paper's numbers and sentences, against each other and against the label files."""

from multisenge_lib.audit.bounds import (
    HALF_UNIT_4DP,
    cell_bounds,
    extreme_matrices,
    support_bounds,
)
from multisenge_lib.audit.decoded import (
    DecodedCounts,
    decode_counts,
    dropped_urban_share,
)
from multisenge_lib.audit.design import (
    COMPARISONS,
    ReplicateCheck,
    blocks_of,
    blocks_of_test_tile,
    check_replicate,
    deviation_interval,
    ground_deviation,
    patches_needed,
    power_table,
    seed_deviation,
)
from multisenge_lib.audit.evidence import Evidence, published_evidence
from multisenge_lib.audit.finding import (
    AGREES,
    DISAGREES,
    REMARK,
    UNDECIDED,
    VERDICTS,
    Finding,
)
from multisenge_lib.audit.label_counts import (
    RECORD,
    SELECTION,
    TABLES,
    LabelCounts,
    count_kept,
    count_labels,
    date_series,
    load_label_counts,
    read_date_series,
    read_label_counts,
    selection_csv,
)
from multisenge_lib.audit.merged_claims import merged_table
from multisenge_lib.audit.replications import (
    SAME_NETWORK,
    Answer,
    Spread,
    answers,
    class_f1_table,
    merged_runs,
    public_run_table,
    sensor_gains,
    spread_of_one_network,
    urban_f1_of_models,
)
from multisenge_lib.audit.report import findings
from multisenge_lib.audit.split_counts import class_shares
from multisenge_lib.audit.table_claims import (
    both_tables,
    counted_support,
    kappa_intervals,
    majority_scores,
    merge_matrix,
    model_margins,
    table_constraints,
)
