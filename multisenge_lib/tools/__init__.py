"""Downloading archives, estimating a full run, counting labels, evaluation, transfer learning.

Keras takes seconds to import. It is loaded when a network is evaluated or trained, and not before.
"""

from typing import TYPE_CHECKING

from multisenge_lib.lazy import lazy_names
from multisenge_lib.models import check_keras
from multisenge_lib.tools.archives import ARCHIVES, URL, download
from multisenge_lib.tools.count_labels import write_label_counts
from multisenge_lib.tools.full_run import format_quantity, measured_rates, plan_full_run
from multisenge_lib.tools.second_place import (
    FINE_TUNED,
    FROM_SCRATCH,
    TRANSFER_PLACE,
    TRANSFER_SHARES,
    transfer_name,
)

if TYPE_CHECKING:  # loaded when first asked for, see `lazy_names`
    from multisenge_lib.tools.evaluation import (
        check_evaluation_folder,
        check_place_of_record,
        evaluate_model,
        evaluation_table,
        prepare_evaluation,
        score_patches,
        write_evaluation,
    )
    from multisenge_lib.tools.transfer import run_transfer

__getattr__, __dir__ = lazy_names(__name__, check_keras)
