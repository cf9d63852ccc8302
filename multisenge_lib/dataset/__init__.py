"""The dataset as published: names, labels, classes, selection, places, rasters, packed store."""

from multisenge_lib.dataset.census import Census, class_shares, load_census
from multisenge_lib.dataset.download import download
from multisenge_lib.dataset.geo import (
    centres,
    export,
    footprints,
    patch_bounds,
    tile_corner,
    tile_outlines,
)
from multisenge_lib.dataset.labels import read_index
from multisenge_lib.dataset.layout import (
    BACKSCATTER_FLOOR,
    BAND_ORDERS,
    BANDS,
    CITIES,
    DATASETS,
    DAYS_GAP,
    LABELS,
    MONTHS,
    PATCH_PIXELS,
    PIXEL,
    REFERENCE,
    S1_BANDS,
    S2_BANDS,
    SAMPLE_MARKER,
    SENSORS,
    SHOWCASE,
    SPLITS,
    TILE_PIXELS,
    TILES,
    YEAR,
    BandOrder,
    dataset_of,
    decibel,
    raster_path,
    split_of,
)
from multisenge_lib.dataset.rasters import Patch, guess_band_order, read_patch
from multisenge_lib.dataset.selection import choose_dates, month_of, only_existing, select
from multisenge_lib.dataset.store import OnError, Store, pack
from multisenge_lib.dataset.typology import NO_DATA, TYPOLOGIES, URBAN, Typology, reclassify
