"""The dataset as published: names, labels, classes, selection, places, rasters, packed store."""

from multisenge_lib.dataset.bands import check_band_order
from multisenge_lib.dataset.census import Census, class_shares, load_census
from multisenge_lib.dataset.check import check_root
from multisenge_lib.dataset.description import describe, is_described, vary, write_description
from multisenge_lib.dataset.download import ARCHIVES, URL, download
from multisenge_lib.dataset.geo import (
    centres,
    export,
    footprints,
    patch_bounds,
    tile_corner,
    tile_outlines,
)
from multisenge_lib.dataset.importing import Imported, Units, import_area
from multisenge_lib.dataset.labels import read_index
from multisenge_lib.dataset.layout import (
    BACKSCATTER_FLOOR,
    LABELS,
    MULTISENGE,
    PIXEL,
    REFERENCE,
    S1_BANDS,
    S2_BANDS,
    SAMPLE,
    SAMPLE_MARKER,
    SENSORS,
    SPLITS,
    STRIDE,
    TILE_PIXELS,
    BandOrder,
    Blocks,
    Dataset,
    decibel,
    is_sample,
    raster_path,
)
from multisenge_lib.dataset.maps import MapWriter, open_map
from multisenge_lib.dataset.plan import amount, plan
from multisenge_lib.dataset.rasters import GDAL, Patch, clean, has_data, read_patch
from multisenge_lib.dataset.selection import (
    choose_dates,
    load_selection,
    load_to_map,
    month_of,
    only_existing,
    select,
    to_csv,
    to_show,
)
from multisenge_lib.dataset.stack import Stack, open_stack
from multisenge_lib.dataset.store import OnError, Store, pack
from multisenge_lib.dataset.typology import (
    NO_DATA,
    TYPOLOGIES,
    URBAN,
    Typology,
    make_typology,
    reclassify,
)
from multisenge_lib.dataset.writing import label_bytes, raster_bytes
