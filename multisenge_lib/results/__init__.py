"""Confusion matrices to scores, and the records of runs."""

from multisenge_lib.results.metrics import (
    OVERALL,
    bootstrap,
    confusion_matrix,
    difference_interval,
    scores,
)
from multisenge_lib.results.records import (
    Metadata,
    Record,
    RecordKey,
    list_records,
    read_record,
    read_runs,
    record_folder,
    write_record,
)
from multisenge_lib.results.spatial import (
    DISTANCE_BINS,
    SpatialCounts,
    count_patch,
    join_counts,
)
