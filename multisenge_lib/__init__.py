"""Land cover from Sentinel-1 and Sentinel-2 time series, after Wenger et al. (2023).

The names below lead through the paper, from the label files to a map. Import them from here:

    import multisenge_lib as ms

    root = ms.find_data_root()
    selection = ms.load_selection(root)

Everything else is in the packages: `dataset`, `models`, `training`, `results` and `paper` are the
paper itself, the others stand around it.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # for editors and type checkers, which do not run __getattr__ below
    from multisenge_lib.dataset import TYPOLOGIES, load_selection, pack, read_patch, reclassify
    from multisenge_lib.maps import predict_map
    from multisenge_lib.models import EXPERIMENTS, build_model
    from multisenge_lib.results import read_record, scores
    from multisenge_lib.sample import find_data_root
    from multisenge_lib.training import Settings, train

#: The package that defines each name, in the order of the work.
_PACKAGE_OF = {
    "find_data_root": "sample",
    "load_selection": "dataset",
    "read_patch": "dataset",
    "TYPOLOGIES": "dataset",
    "reclassify": "dataset",
    "pack": "dataset",
    "EXPERIMENTS": "models",
    "build_model": "models",
    "Settings": "training",
    "train": "training",
    "scores": "results",
    "read_record": "results",
    "predict_map": "maps",
}

__all__ = [  # noqa: RUF022  in the order of the work
    "find_data_root",
    "load_selection",
    "read_patch",
    "TYPOLOGIES",
    "reclassify",
    "pack",
    "EXPERIMENTS",
    "build_model",
    "Settings",
    "train",
    "scores",
    "read_record",
    "predict_map",
]


def __getattr__(name: str) -> Any:
    """Load a name when it is first asked for (PEP 562): Keras alone takes seconds to import."""
    if name not in _PACKAGE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    package = importlib.import_module(f"{__name__}.{_PACKAGE_OF[name]}")
    value = getattr(package, name)
    globals()[name] = value  # so that the next use does not come here again
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_PACKAGE_OF])
