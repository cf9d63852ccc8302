"""The published dataset: layout, classes, labels, selection, grid, rasters, packed store."""

from multisenge_lib.dataset.bands import (
    band_of,
    band_order_problem,
    band_positions,
    bands_named,
    check_band_order,
    has_red_edge,
    has_unknown_names,
    is_other_quantity,
    is_other_quantity_of_band,
    names_only_count,
    order_of_red_edge,
    red_edge,
    swir_problem,
    unambiguous_names,
)
from multisenge_lib.dataset.description import (
    DESCRIPTION,
    selection_parameters,
    to_toml,
    with_selection,
    write_dataset_toml,
)
from multisenge_lib.dataset.empty_selection import why_none_selected, why_root_has_none
from multisenge_lib.dataset.encoding import (
    geotiff,
    label_bytes,
    raster_bytes,
)
from multisenge_lib.dataset.grid import (
    LAMBERT_93,
    WGS84,
    centres,
    footprints,
    overlap,
    patch_bounds,
    tile_corner,
    tile_of_square,
    tile_outlines,
)
from multisenge_lib.dataset.image_checks import (
    check_image,
    zero_invalid,
)
from multisenge_lib.dataset.labels import (
    read_index,
    scan_index,
)
from multisenge_lib.dataset.layout import (
    BACKSCATTER_FLOOR,
    BLOCKS,
    LABELS,
    LARGEST_SIZE,
    MULTISENGE,
    PIXEL,
    RASTER_NAME,
    REFERENCE,
    S1_BANDS,
    S2_BANDS,
    SAMPLE,
    SAMPLE_MARKER,
    SELECTION_MARK,
    SENSORS,
    SIZE_MULTIPLE,
    SPLITS,
    TILE_PIXELS,
    UNFINISHED_SAMPLE,
    BandOrder,
    Blocks,
    Dataset,
    decibel,
    is_sample,
    raster_path,
)
from multisenge_lib.dataset.months import (
    check_months,
    days_of_year,
    month_of,
    months_in_words,
)
from multisenge_lib.dataset.nodata import (
    THEIA_NO_DATA,
    alpha_bands,
    missing_pixels,
    valid_mask,
)
from multisenge_lib.dataset.plausibility import (
    DARKEST_IMAGE,
    LARGEST_REFLECTANCE,
    LEAST_FILL_PIXELS,
    LOWEST_DECIBEL,
    LOWEST_OVERSHOOT,
    NEIGHBOUR_DISTANCE,
    WRAPPED,
    fill_problems,
    fill_value,
    impossible_values,
    pixel_problems,
    type_problem,
    unlikely_values,
    whole_number_problem,
)
from multisenge_lib.dataset.projections import (
    check_projections,
)
from multisenge_lib.dataset.raster_checks import (
    file_problem,
    is_north_up_10m,
    length_problem,
    origin_of_patch,
    remedy_for,
    why_unreadable,
)
from multisenge_lib.dataset.rasters import (
    GDAL,
    READING,
    Patch,
    Raster,
    inspect_raster,
    read_patch,
)
from multisenge_lib.dataset.root import (
    dataset_of_root,
    given_data_root,
    has_description,
    root_digest,
)
from multisenge_lib.dataset.selection import (
    S1_RULES,
    choose_all,
    choose_dates,
    load_selection,
    make_selection,
    only_existing,
    select,
    to_csv,
)
from multisenge_lib.dataset.store import (
    OnError,
    Store,
    pack,
)
from multisenge_lib.dataset.typology import (
    COLOR_PATTERN,
    NO_DATA,
    TYPOLOGIES,
    URBAN,
    Typology,
    make_typology,
    reclassify,
)
from multisenge_lib.dataset.values import (
    LARGEST_UINT16,
    apply_tags,
    image_bands,
    is_tagged,
    read_values,
    to_uint16,
)
from multisenge_lib.dataset.whole_images import (
    LEAST_PIXELS,
    amplitude_problem,
    amplitude_problem_of_medians,
    band_in_other_unit,
    implausible_image,
    looks_brightened,
    looks_cut_off,
    uneven_bands,
)
