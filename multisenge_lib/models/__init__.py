"""The experiments and their networks: the paper's, those of others, and yours.

Keras takes seconds to import. It is loaded when a network is first asked for, not for the
experiments, which are data.
"""

from typing import TYPE_CHECKING

from multisenge_lib.lazy import lazy_names
from multisenge_lib.models.experiments import (
    EXPERIMENTS,
    Experiment,
    experiments_of,
    get_experiment,
    months_of_images,
    other_experiments_of,
    with_network,
)
from multisenge_lib.models.keras_setup import check_keras
from multisenge_lib.models.networks import FOREST, NETWORKS, takes_days
from multisenge_lib.models.variants import VARIANTS

if TYPE_CHECKING:  # for editors and type checkers, which do not run __getattr__ below
    from multisenge_lib.models.build import build_model, days_input, predict
    from multisenge_lib.models.conv_lstm import ConvLSTM2D, StateAtDate, gates
    from multisenge_lib.models.cost import seconds_per_step, step_memory, step_operations
    from multisenge_lib.models.inception import naive_inception
    from multisenge_lib.models.saved import (
        ModelCard,
        load_model,
        model_card,
        read_model_card,
        save_model,
        with_input_size,
    )
    from multisenge_lib.models.unet import build_unet, check_size

#: Names that need Keras, by the module that defines them.
_MODULE_OF = {
    "build_model": "build",
    "days_input": "build",
    "predict": "build",
    "ConvLSTM2D": "conv_lstm",
    "StateAtDate": "conv_lstm",
    "gates": "conv_lstm",
    "seconds_per_step": "cost",
    "step_memory": "cost",
    "step_operations": "cost",
    "naive_inception": "inception",
    "ModelCard": "saved",
    "load_model": "saved",
    "model_card": "saved",
    "read_model_card": "saved",
    "save_model": "saved",
    "with_input_size": "saved",
    "build_unet": "unet",
    "check_size": "unet",
}

__getattr__, __dir__ = lazy_names(__name__, _MODULE_OF, check_keras)
