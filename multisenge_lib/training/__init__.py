"""How a network is trained: from settings and batches to the record of a run; begin with `run`.

Keras takes seconds to import. It is loaded when training is first asked for, not for the settings,
which are data.
"""

from typing import TYPE_CHECKING

from multisenge_lib.lazy import lazy_names
from multisenge_lib.models import check_keras
from multisenge_lib.training.settings import (
    SAMPLE_SETTINGS,
    Settings,
    settings_for,
    settings_from_parameters,
    steps_per_pass,
    with_variant_settings,
)

if TYPE_CHECKING:  # loaded when first asked for, see `lazy_names`
    from multisenge_lib.training.checkpoint import TrainingInfo
    from multisenge_lib.training.devices import device_name
    from multisenge_lib.training.loss import inverse_frequency, weighted_loss
    from multisenge_lib.training.preparation import (
        PreparedRun,
        check_data_root,
        compute_statistics,
        prepare,
    )
    from multisenge_lib.training.progress import show
    from multisenge_lib.training.recording import ClassifierInfo, count_weights, make_record
    from multisenge_lib.training.run import Run, train
    from multisenge_lib.training.scoring import evaluate, evaluate_predictions

__getattr__, __dir__ = lazy_names(__name__, check_keras)
