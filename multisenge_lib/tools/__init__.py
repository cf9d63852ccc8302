"""Downloading archives, estimating a full run, counting labels, evaluating a trained network.

Keras takes seconds to import. It is loaded when a network is evaluated, and not before.
"""

import importlib
from typing import TYPE_CHECKING, Any

from multisenge_lib.models import check_keras
from multisenge_lib.tools.archives import ARCHIVES, URL, download
from multisenge_lib.tools.count_labels import write_label_counts
from multisenge_lib.tools.full_run import format_quantity, measured_rates, plan_full_run

if TYPE_CHECKING:  # for editors and type checkers, which do not run __getattr__ below
    from multisenge_lib.tools.evaluation import (
        evaluate_model,
        evaluation_table,
        write_evaluation,
    )

#: Names that need Keras, of the module `evaluation`.
_OF_EVALUATION = ("evaluate_model", "evaluation_table", "write_evaluation")


def __getattr__(name: str) -> Any:
    """Load the evaluation when one of its names is first asked for (PEP 562)."""
    if name not in _OF_EVALUATION:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    check_keras()
    return getattr(importlib.import_module(f"{__name__}.evaluation"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_OF_EVALUATION])
