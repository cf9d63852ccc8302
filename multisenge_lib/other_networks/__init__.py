"""Networks that are not the paper's, in the same frame: same data, loss, schedule and records.

Each module is one network, with one function `build`:

- `single_date`: the VGG-16 U-Net on the first date.
- `stacked_dates`: the same U-Net on all dates, stacked as channels.
- `unet3d`: a U-Net with convolutions over time and space (Rustowicz et al. 2019).
- `utae`: a U-Net that weighs the dates by attention (Garnot and Landrieu 2021).

`random_forest` is no network: a pixel-wise classifier, trained and scored on the same patches.

Keras and scikit-learn are loaded when a network or the forest is first asked for.
"""

from typing import TYPE_CHECKING

from multisenge_lib.lazy import lazy_names
from multisenge_lib.models import check_keras
from multisenge_lib.other_networks.forest_experiments import forest_names

if TYPE_CHECKING:  # loaded when first asked for, see `lazy_names`
    from multisenge_lib.other_networks.random_forest import train_forest

__getattr__, __dir__ = lazy_names(__name__, check_keras)
