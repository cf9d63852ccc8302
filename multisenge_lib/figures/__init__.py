"""Figures of the book: data in, figure out; no file is read."""

from multisenge_lib.figures.dataset import (
    MONTHS,
    SPLIT_COLORS,
    class_legend,
    class_series,
    class_swatches,
    colored_typologies,
    gap_map,
    image_rows,
    month_bars,
    named,
    patch_series,
    radar_color,
    region_map,
    show_classes,
    show_image,
    split_map,
    true_color,
    typology_table,
    use_style,
)
from multisenge_lib.figures.live import map_swipe, selection_explorer
from multisenge_lib.figures.networks import draw_architecture, draw_unet, gate_images
from multisenge_lib.figures.results import (
    confusion_figure,
    learning_curves,
    map_figure,
    score_bars,
    urban_scatter,
)
