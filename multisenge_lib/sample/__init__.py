"""The synthetic dataset, which stands in for the real one where that is not at hand.

To change how a land cover looks, edit `surfaces.yaml`. What a patch is made of stands in
`themes.yaml`, where patches lie and when they are seen in `places.yaml`. `land.py` lays out the
land, `radiometry.py` renders the images, and `writer.py` writes the files.
"""

from multisenge_lib.sample.class_tables import (
    describe_classes,
    describe_crops,
    example_patches,
    measure_shares,
    measure_spectra,
)
from multisenge_lib.sample.places import (
    PLACES,
)
from multisenge_lib.sample.seasons import (
    find_buildings,
    find_fields,
    ndvi,
    seasonal_change,
)
from multisenge_lib.sample.writer import (
    RASTER_DESCRIPTION,
    ensure_sample,
    find_data_root,
    write_sample,
)
