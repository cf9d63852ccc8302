"""From a trained network to a map: of arrays, of rasters of any size, or of a data root."""

from multisenge_lib.maps.from_arrays import predict_map
from multisenge_lib.maps.from_rasters import predict_rasters
from multisenge_lib.maps.from_root import predict_root
from multisenge_lib.maps.patches import patches_to_map
