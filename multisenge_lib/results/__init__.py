"""Confusion matrices to scores, and the records of runs."""

from multisenge_lib.results.differences import (
    COMPARABLE,
    LEAST_SEEDS,
    URBAN_F1,
    Estimate,
    TestedDifference,
    common_seeds,
    correct,
    mean_score,
    paired_difference,
)
from multisenge_lib.results.metrics import (
    OVERALL,
    confusion_matrix,
    scores,
)
from multisenge_lib.results.parameters import to_yaml
from multisenge_lib.results.patch_counts import PatchCounts
from multisenge_lib.results.record_files import (
    EVALUATIONS,
    check_record_place,
    list_records,
    read_record,
    read_record_from,
    read_runs,
    record_folder,
    write_record,
)
from multisenge_lib.results.records import (
    Metadata,
    Record,
    RecordKey,
    RecordSubject,
    differing_names,
)
from multisenge_lib.results.score_lines import SHOWN_SCORES, format_scores
from multisenge_lib.results.side_by_side import (
    comparable_runs,
    compare_experiments,
    comparison_notes,
    comparison_text,
    read_existing_runs,
)
from multisenge_lib.results.spatial import DISTANCE_BINS, SpatialCounts
