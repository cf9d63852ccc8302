"""From a trained network to a map."""

from multisenge_lib.maps.geotiff import (
    MapWriter,
    open_map,
)
from multisenge_lib.maps.mapping import (
    predict_map,
    predict_rasters,
    predict_root,
)
from multisenge_lib.maps.stack import (
    Stack,
    open_stack,
)
