"""How a network is trained: settings, batches, loss, run, checkpoint, devices.

The settings are data and are there at once. Everything else needs Keras, which takes seconds to
import, and is loaded when it is first asked for.
"""

import importlib
from typing import TYPE_CHECKING, Any

from multisenge_lib.training.settings import (
    SAMPLE_SETTINGS,
    Settings,
    settings_for,
    settings_from_parameters,
)

if TYPE_CHECKING:  # for editors and type checkers, which do not run __getattr__ below
    from multisenge_lib.training.batches import steps_an_epoch
    from multisenge_lib.training.devices import on_devices, settled
    from multisenge_lib.training.loss import inverse_frequency, weighted_loss
    from multisenge_lib.training.optimizer import adam
    from multisenge_lib.training.progress import print_scores, say
    from multisenge_lib.training.run import Run, check_data_root, evaluate, load, train

#: Names that need Keras, by the module that defines them.
_MODULE_OF = {
    "steps_an_epoch": "batches",
    "on_devices": "devices",
    "settled": "devices",
    "inverse_frequency": "loss",
    "weighted_loss": "loss",
    "adam": "optimizer",
    "print_scores": "progress",
    "say": "progress",
    "Run": "run",
    "check_data_root": "run",
    "evaluate": "run",
    "load": "run",
    "train": "run",
}


def __getattr__(name: str) -> Any:
    """Load a name's module when it is first asked for (PEP 562)."""
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = importlib.import_module(f"{__name__}.{_MODULE_OF[name]}")
    return getattr(module, name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_MODULE_OF])
