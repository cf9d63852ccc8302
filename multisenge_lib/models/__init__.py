"""The eight experiments and their networks.

Keras takes seconds to import. It is loaded when a network is first asked for, not for the
experiments, which are data.
"""

import importlib
from typing import Any

from multisenge_lib.models.experiments import (
    EXPERIMENTS,
    Experiment,
    experiments_of,
    get_experiment,
)

#: Names that need Keras, by the module that defines them.
_LAZY = {
    "build_model": "build",
    "predict": "build",
    "ConvLSTM2D": "conv_lstm",
    "Gates": "conv_lstm",
    "gates": "conv_lstm",
    "seconds_a_step": "cost",
    "step_memory": "cost",
    "step_operations": "cost",
    "naive_inception": "inception",
    "ModelCard": "saved",
    "load_model": "saved",
    "model_card": "saved",
    "read_model_card": "saved",
    "save_model": "saved",
    "with_input_size": "saved",
    "STRIDE": "unet",
    "build_unet": "unet",
    "check_size": "unet",
}


def __getattr__(name: str) -> Any:
    """Load a network's module when one of its names is first asked for (PEP 562)."""
    if name in _LAZY:
        module = importlib.import_module(f"{__name__}.{_LAZY[name]}")
        return getattr(module, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_LAZY])
