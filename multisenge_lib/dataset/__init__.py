"""The published dataset: layout, classes, labels, selection, grid, rasters, packed store."""

from multisenge_lib.dataset.bands import (
    band_of,
    band_positions,
    check_band_order,
    guess_band_order,
    has_red_edge,
    order_of_red_edge,
    red_edge,
)
from multisenge_lib.dataset.encoding import (
    geotiff,
    label_bytes,
    raster_bytes,
)
from multisenge_lib.dataset.grid import (
    centres,
    export,
    footprints,
    overlap,
    patch_bounds,
    tile_corner,
    tile_outlines,
)
from multisenge_lib.dataset.labels import (
    read_index,
)
from multisenge_lib.dataset.layout import (
    BACKSCATTER_FLOOR,
    BLOCKS,
    LABELS,
    MULTISENGE,
    PIXEL,
    RASTER_NAME,
    REFERENCE,
    S1_BANDS,
    S2_BANDS,
    SAMPLE,
    SAMPLE_MARKER,
    SENSORS,
    SPLITS,
    STRIDE,
    TILE_PIXELS,
    UNFINISHED_SAMPLE,
    BandOrder,
    Blocks,
    Dataset,
    decibel,
    is_sample,
    raster_path,
)
from multisenge_lib.dataset.rasters import (
    GDAL,
    READING,
    Patch,
    PatchOrigin,
    Raster,
    file_problem,
    inspect_raster,
    is_north_up_10m,
    pixel_problems,
    read_patch,
    valid_mask,
    why_unreadable,
    zero_invalid,
    zero_no_data,
)
from multisenge_lib.dataset.root import (
    DESCRIPTION,
    dataset_of_root,
    draft_dataset,
    given_data_root,
    has_description,
    to_toml,
    with_selection,
    write_dataset_toml,
)
from multisenge_lib.dataset.selection import (
    S1_RULES,
    choose_all,
    choose_dates,
    chosen_rasters,
    load_selection,
    load_to_map,
    month_of,
    only_existing,
    patches_to_show,
    select,
    to_csv,
)
from multisenge_lib.dataset.store import (
    OnError,
    Store,
    pack,
)
from multisenge_lib.dataset.typology import (
    NO_DATA,
    TYPOLOGIES,
    URBAN,
    Typology,
    make_typology,
    reclassify,
)
