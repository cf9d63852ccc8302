"""Downloading the archives, estimating what a full run takes, measuring variants."""

import importlib
from typing import TYPE_CHECKING, Any

from multisenge_lib.tools.archives import ARCHIVES, URL, download
from multisenge_lib.tools.count_labels import write_label_counts
from multisenge_lib.tools.full_run import format_quantity, measured_rates, plan_full_run

if TYPE_CHECKING:  # for editors and type checkers, which do not run __getattr__ below
    from multisenge_lib.tools.ablations import measure_all


def __getattr__(name: str) -> Any:
    """Load the ablations, which need Keras, when they are first asked for (PEP 562)."""
    if name != "measure_all":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return importlib.import_module(f"{__name__}.ablations").measure_all


def __dir__() -> list[str]:
    return sorted([*globals(), "measure_all"])
