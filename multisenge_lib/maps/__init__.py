"""From a trained network to a map: of arrays, of rasters of any size, or of a data root.

Keras takes seconds to import. It is loaded when a map is first asked for.
"""

from typing import TYPE_CHECKING

from multisenge_lib.lazy import lazy_names
from multisenge_lib.maps.patches import check_bands, patch_inputs, patches_to_map
from multisenge_lib.models import check_keras

if TYPE_CHECKING:  # loaded when first asked for, see `lazy_names`
    from multisenge_lib.maps.from_arrays import predict_map
    from multisenge_lib.maps.from_rasters import predict_rasters
    from multisenge_lib.maps.from_root import check_places_of_maps, predict_root

__getattr__, __dir__ = lazy_names(__name__, check_keras)
