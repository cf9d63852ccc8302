"""Land cover from Sentinel-1 and Sentinel-2 time series, after Wenger et al. (2023).

The names below lead through the paper, from the label files to a map. Import them from here:

    import multisenge_lib as ms

    root = ms.find_data_root()
    selection = ms.load_selection(root)

Everything else is in the packages: `dataset`, `models`, `training`, `results` and `paper` are the
paper itself, the others stand around it.
"""

from typing import TYPE_CHECKING

from multisenge_lib.lazy import lazy_names

if TYPE_CHECKING:  # loaded when first asked for, see `lazy_names`: Keras alone takes seconds
    from multisenge_lib.dataset import TYPOLOGIES, load_selection, pack, read_patch, reclassify
    from multisenge_lib.maps import predict_map
    from multisenge_lib.memory import keep_freed_memory
    from multisenge_lib.models import EXPERIMENTS, build_model
    from multisenge_lib.results import read_record, scores
    from multisenge_lib.sample import find_data_root
    from multisenge_lib.training import Settings, train

__all__ = [  # noqa: RUF022  in the order of the work
    "keep_freed_memory",
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

__getattr__, __dir__ = lazy_names(__name__)
