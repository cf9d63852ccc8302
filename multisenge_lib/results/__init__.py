"""Confusion matrices to scores; records of runs, out and in; ours beside the paper's."""

from multisenge_lib.results.ablations import (
    ABLATION_EPOCHS,
    BASELINE,
    AblationRun,
    Ablations,
    ablation_setting,
    ablation_table,
    ablations_path,
    effect_note,
    read_ablations,
)
from multisenge_lib.results.comparison import (
    SCORES,
    dataset_shown,
    interval_table,
    other_scores,
    paper_overall,
    paper_scores,
    read_records,
    record_overall,
    record_scores,
    replicated_overall,
    run_table,
    runs_by_method,
    seed_scores,
    shown_as,
    urban_f1,
    urban_over_seeds,
)
from multisenge_lib.results.gains import (
    class_gains,
    gain,
    gain_note,
    gain_table,
    step_gains,
    urban_score,
)
from multisenge_lib.results.metrics import OVERALL, bootstrap, confusion_matrix, majority, scores
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
from multisenge_lib.results.showcase import showcase_images
