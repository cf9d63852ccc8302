"""How a network is trained: settings, batches, loss, run, checkpoint, devices.

Keras takes seconds to import. It is loaded when training is first asked for, not for the settings,
which are data.
"""

import importlib
from typing import TYPE_CHECKING, Any

from multisenge_lib.models import check_keras
from multisenge_lib.training.settings import (
    SAMPLE_SETTINGS,
    Settings,
    settings_for,
    settings_from_parameters,
)

if TYPE_CHECKING:  # for editors and type checkers, which do not run __getattr__ below
    from multisenge_lib.training.loss import inverse_frequency, weighted_loss
    from multisenge_lib.training.progress import print_scores
    from multisenge_lib.training.run import (
        Run,
        check_data_root,
        evaluate,
        evaluate_predictions,
        prepare,
        train,
    )

#: Names that need Keras, by the module that defines them.
_MODULE_OF = {
    "inverse_frequency": "loss",
    "weighted_loss": "loss",
    "print_scores": "progress",
    "Run": "run",
    "check_data_root": "run",
    "evaluate": "run",
    "evaluate_predictions": "run",
    "prepare": "run",
    "train": "run",
}


def __getattr__(name: str) -> Any:
    """Load a module when one of its names is first asked for (PEP 562)."""
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    check_keras()
    module = importlib.import_module(f"{__name__}.{_MODULE_OF[name]}")
    return getattr(module, name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_MODULE_OF])
