"""Figures of the book: data in, figure out; no file is read."""

from multisenge_lib.figures.dataset import (
    class_series,
    gap_maps,
    image_rows,
    month_bars,
    patch_series,
    radar_color,
    region_map,
    short_date,
    split_map,
    three_typologies,
    true_color,
)
from multisenge_lib.figures.live import map_swipe, selection_explorer
from multisenge_lib.figures.networks import (
    draw_cell,
    draw_inception,
    draw_method,
    draw_unet,
    gate_images,
)
from multisenge_lib.figures.results import (
    confusion_figure,
    learning_curves,
    map_figure,
    overview,
    score_dots,
    urban_scatter,
)
from multisenge_lib.figures.style import (
    SPLIT_COLORS,
    class_legend,
    mark_sample,
    panels,
    picture,
    show_classes,
    show_image,
    use_style,
)
