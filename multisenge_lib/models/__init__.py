"""The eight experiments and their networks.

Keras takes seconds to import: it is loaded when a network is first asked for, not for the
experiments, which are data.
"""

import lazy_loader

from multisenge_lib.models.experiments import (
    EXPERIMENTS,
    Experiment,
    experiments_of,
    get_experiment,
)

__getattr__, _, _ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "architecture": ["architecture"],
        "build": ["build_model", "predict"],
        "cost": ["seconds_a_step", "step_memory", "step_operations"],
        "conv_lstm": ["ConvLSTM2D", "Gates", "gates"],
        "inception": ["naive_inception"],
        "mapping": ["predict_map", "predict_rasters", "predict_root"],
        "saved": ["Description", "description_of", "load_model", "resized", "save_model"],
        "unet": ["build_unet", "check_size"],
    },
)
