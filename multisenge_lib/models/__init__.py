"""The experiments and their networks: the paper's, those of others, and yours.

Keras takes seconds to import. It is loaded when a network is first asked for, not for the
experiments, which are data.
"""

from typing import TYPE_CHECKING

from multisenge_lib.lazy import lazy_names
from multisenge_lib.models.card import ModelCard, model_card, read_model_card
from multisenge_lib.models.experiments import (
    EXPERIMENTS,
    Experiment,
    experiments_of,
    experiments_of_network,
    get_experiment,
    months_of_images,
    with_network,
)
from multisenge_lib.models.keras_setup import check_keras
from multisenge_lib.models.networks import FOREST, NETWORKS, takes_days
from multisenge_lib.models.variants import VARIANT_MARK, VARIANTS

if TYPE_CHECKING:  # loaded when first asked for, see `lazy_names`
    from multisenge_lib.models.build import build_model, days_input, predict
    from multisenge_lib.models.conv_lstm import ConvLSTM2D, StateAtDate, gates
    from multisenge_lib.models.cost import step_memory, step_operations
    from multisenge_lib.models.inception import naive_inception
    from multisenge_lib.models.saved import (
        check_can_be_read_again,
        load_model,
        save_model,
        with_input_size,
    )
    from multisenge_lib.models.unet import MOMENTUM, build_unet, check_size

__getattr__, __dir__ = lazy_names(__name__, check_keras)
