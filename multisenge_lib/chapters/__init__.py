"""What only the book's pages use: figures, tables, interactive parts, comparisons."""

from multisenge_lib.chapters.ablations import (
    ABLATION_EPOCHS,
    BASELINE,
    AblationRun,
    Ablations,
    ablation_setting,
    ablation_table,
    ablations_path,
    effect_note,
    read_ablations,
)
from multisenge_lib.chapters.comparison import (
    SCORES,
    display_name,
    interval_table,
    other_scores,
    paper_overall,
    paper_scores,
    read_records,
    record_overall,
    record_scores,
    replicated_overall,
    run_table,
    runs_by_method,
    seed_scores,
    urban_f1,
    urban_over_seeds,
)
from multisenge_lib.chapters.gains import (
    class_gains,
    gain,
    gain_note,
    gain_table,
    step_gains,
    urban_score,
)
from multisenge_lib.chapters.image_figures import (
    band_means,
    class_series,
    dot_maps,
    month_bars,
    radar_color,
    series_images,
    short_date,
    true_color,
)
from multisenge_lib.chapters.interactive import (
    gates_data,
    selection_data,
    swipe_data,
)
from multisenge_lib.chapters.network_figures import (
    draw_inception,
    draw_method,
    draw_unet,
    gate_images,
)
from multisenge_lib.chapters.network_layers import (
    layer_table,
)
from multisenge_lib.chapters.result_figures import (
    confusion_figure,
    growth_curves,
    learning_curves,
    map_figure,
    score_dots,
    urban_scatter,
)
from multisenge_lib.chapters.showcase import (
    showcase_images,
)
from multisenge_lib.chapters.style import (
    SPLIT_COLORS,
    class_legend,
    image_grid,
    mark_sample,
    panels,
    responsive_figure,
    use_style,
)
