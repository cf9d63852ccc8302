"""What only the book's pages use: figures, tables, interactive parts, comparisons.

The modules with figures need matplotlib. Each is loaded when one of its names is first asked for.
"""

from typing import TYPE_CHECKING

from multisenge_lib.lazy import lazy_names

if TYPE_CHECKING:  # loaded when first asked for, see `lazy_names`
    from multisenge_lib.chapters.benchmark_tables import (
        growth_table,
        machine_table,
        peer_table,
        peer_variants_note,
        peer_variants_table,
        share_table,
        target_counts,
    )
    from multisenge_lib.chapters.choices import (
        choice_table,
        code_source_table,
        deviation_table,
    )
    from multisenge_lib.chapters.class_tables import (
        describe_classes,
        describe_crops,
        example_patches,
        measure_shares,
        measure_spectra,
    )
    from multisenge_lib.chapters.comparison import (
        display_name,
        other_scores,
        paper_overall,
        trained_table,
    )
    from multisenge_lib.chapters.data_figures import (
        Walk,
        class_presence,
        date_timeline,
        days_between,
        marked_places,
        patch_scale,
        spotlight,
        year_curves,
    )
    from multisenge_lib.chapters.evidence_figures import (
        answers_table,
        bold_best,
        decoded_shares,
        decoded_table,
        errata_table,
        gains_by_model,
        inception_by_class,
        matrices_of_others,
        merged_figure,
        method_overview,
        replicate_by_class,
        run_overview,
        spread_figure,
        urban_steps,
        verdict_table,
        wrong_share_table,
    )
    from multisenge_lib.chapters.gains import (
        class_gains,
        class_notes,
        gain_table,
        step_gains,
        step_notes,
        step_sentence,
    )
    from multisenge_lib.chapters.gate_examples import gate_places, optical_pieces, telling_filter
    from multisenge_lib.chapters.gpu_record import gpu_record_tables
    from multisenge_lib.chapters.image_figures import (
        band_means,
        class_series,
        dot_maps,
        month_bars,
        patch_figure,
        radar_color,
        series_images,
        true_color,
    )
    from multisenge_lib.chapters.interactive import gates_data, selection_data, swipe_data
    from multisenge_lib.chapters.ladder import (
        ladder_costs,
        ladder_figure,
        ladder_gains,
        ladder_notes,
        ladder_runs,
        ladder_scores,
        ladder_table,
        not_trained,
    )
    from multisenge_lib.chapters.local_catalogue import has_stac, serve_folder, write_catalogue
    from multisenge_lib.chapters.method_figures import (
        forget_curves,
        loss_shares,
        nine_pixels,
        rate_curves,
        receptive_fields,
    )
    from multisenge_lib.chapters.network_figures import (
        draw_inception,
        draw_method,
        draw_unet,
        gate_images,
    )
    from multisenge_lib.chapters.network_layers import layer_table, receptive_fields_of
    from multisenge_lib.chapters.overview_figures import (
        class_count_figure,
        class_f1_statistics,
        class_overview,
        overview_rows,
        overview_table,
        score_overview,
        urban_step_figure,
    )
    from multisenge_lib.chapters.questions import question_table
    from multisenge_lib.chapters.result_figures import (
        confusion_figure,
        growth_curves,
        learning_curves,
        map_figure,
        score_dots,
        urban_scatter,
    )
    from multisenge_lib.chapters.seasons import (
        find_buildings,
        find_fields,
        ndvi,
        seasonal_change,
    )
    from multisenge_lib.chapters.showcase import patches_to_show, showcase_images
    from multisenge_lib.chapters.spatial_tables import classes_at_all_distances, noise_table
    from multisenge_lib.chapters.style import (
        image_grid,
        mark_sample,
        responsive_figure,
        use_style,
    )
    from multisenge_lib.chapters.transfer_results import (
        TransferRuns,
        read_transfer,
        training_steps,
        transfer_figure,
        transfer_sentences,
        transfer_table,
    )
    from multisenge_lib.chapters.validation import validation_losses
    from multisenge_lib.chapters.variant_results import (
        variant_changes,
        variant_runs,
        variant_scores,
        variants_not_trained,
    )
    from multisenge_lib.chapters.village import read_village, read_village_radar

__getattr__, __dir__ = lazy_names(__name__)
