"""The synthetic dataset, which stands in for the real one where that is not at hand.

To change how a land cover looks, edit `surfaces.yaml`. What a patch is made of stands in
`themes.yaml`, where patches lie and when they are seen in `places.yaml`. `land.py` lays out the
land, `radiometry.py` renders the images, and `writer.py` writes the files.
"""

from multisenge_lib.sample.places import PLACES
from multisenge_lib.sample.surfaces import SURFACES
from multisenge_lib.sample.themes import CROPS
from multisenge_lib.sample.writer import (
    RASTER_DESCRIPTION,
    ensure_sample,
    find_data_root,
    write_sample,
)
