"""Figures of the book: data in, figure out."""

from multisenge_lib.figures.dataset import (
    band_means,
    class_series,
    dot_maps,
    month_bars,
    radar_color,
    series_images,
    short_date,
    true_color,
)
from multisenge_lib.figures.live import gates_data, selection_data, swipe_data
from multisenge_lib.figures.networks import (
    draw_inception,
    draw_method,
    draw_unet,
    gate_images,
)
from multisenge_lib.figures.results import (
    confusion_figure,
    growth_curves,
    learning_curves,
    map_figure,
    score_dots,
    urban_scatter,
)
from multisenge_lib.figures.style import (
    SPLIT_COLORS,
    class_legend,
    image_grid,
    mark_sample,
    panels,
    picture,
    use_style,
)
