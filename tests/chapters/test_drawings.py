"""Every figure of the book, in both widths: no text small, outside, or on another."""

from functools import cache
from itertools import combinations

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from records import make_record

from multisenge_lib import chapters
from multisenge_lib.audit import read_label_counts
from multisenge_lib.chapters import comparison, layer_table
from multisenge_lib.chapters.figure_check import find_text_faults, visible_texts
from multisenge_lib.chapters.image_figures import short_date
from multisenge_lib.chapters.style import (
    DESKTOP_WIDTH,
    MIN_FONT_SIZE,
    PHONE_WIDTH,
    mark_sample,
    place_labels,
)
from multisenge_lib.dataset import MULTISENGE, SPLITS, TYPOLOGIES, grid
from multisenge_lib.models import EXPERIMENTS, build_model

matplotlib.use("Agg")
RNG = np.random.default_rng(0)
DATES = ["2020-07-15", "2020-08-05", "2020-09-10", "2020-11-05"]


def image_grid(width):
    images = [("31UEQ_7453_4112", RNG.random((8, 8, 3)), None)] * 3
    maps = [("S2, 15 Jul", RNG.integers(1, 15, (8, 8)), TYPOLOGIES["14c"])] * 3
    return chapters.image_grid([*images, *maps], (6, 2), width)


def one_patch(width):
    images = [
        (f"S{sensor}, 15 Jul", RNG.random((8, 8, 3)), None) for sensor in (2, 1) for _ in DATES
    ]
    reference = ("Reference", RNG.integers(1, 15, (8, 8)), TYPOLOGIES["14c"])
    return chapters.patch_figure(images, reference, len(DATES), width)


def one_row(width):
    images = [(month, RNG.random((8, 8, 3)), None) for month in ("July", "November")]
    classes = ("Map", RNG.integers(1, 11, (8, 8)), TYPOLOGIES["10c"])
    return chapters.image_grid(
        [*images, classes, ("Doubt", RNG.random((8, 8, 3)), None)], (4, 2), width
    )


def lines(width):
    series = {name: RNG.random((3, 4, 8, 8)) for name in ("B8", "B4", "VH")}
    ids = RNG.integers(1, 11, (3, 8, 8))
    return chapters.class_series(
        series, ids, TYPOLOGIES["10c"], ["Jul", "Aug", "Sep", "Nov"], width=width
    )


def counted(draw):
    def drawn(width):
        taken = read_label_counts()
        outlines = grid.tile_outlines(list(taken.tiles.index))
        return draw(taken, outlines, width)

    return drawn


def of_records(draw):
    def drawn(width):
        some = [e for e in EXPERIMENTS.values() if e.classes == 10]
        return draw({e.title: make_record(e.name) for e in some}, width)

    return drawn


@cache
def model():
    return build_model("inception_10c")


def network(draw):
    return lambda width: draw(layer_table(model()), width)


def unet(width):
    return chapters.draw_unet(layer_table(model().get_layer("unet")), width)


def gates(width):
    rows = ("NDVI", "input i", "forget f", "output o", "cell C", "hidden H")
    images = {name: RNG.random((4, 8, 8)) for name in rows}
    shown = [short_date(day) for day in DATES]
    return chapters.gate_images(images, shown, dict.fromkeys(images, (-2.5, 2.5)), width)


def urban(width):
    six, ten = (comparison.urban_f1(comparison.paper_scores(n)) for n in (6, 10))
    return chapters.urban_scatter(ten.iloc[:, -1], six, TYPOLOGIES["10c"], width)


def growth(width):
    values = [16, 32, 64, 128]
    curve = {
        "value": values,
        "seconds": [0.3, 0.4, 0.9, 3.1],
        "operations": [1e9, 4e9, 1.6e10, 6.4e10],
    }
    curves = [pd.DataFrame(curve | {"curve": name}) for name in ("patches", "size", "filters")]
    return chapters.growth_curves(pd.concat(curves), width)


def timeline(width):
    days = np.array(["2020-07-18", "2020-07-30", "2020-08-04", "2020-09-06", "2020-11-01"], "M8[D]")
    complete = chapters.Walk("A gap of 17 days", days, days[[0, 2, 3, 4]], 17)
    failed = chapters.Walk("A gap of 20 days", days, days[:1], 20, "no date left in September")
    return chapters.date_timeline([complete, failed], (7, 8, 9, 11), width)


def scale(width):
    image = RNG.random((100, 100, 3))
    return chapters.patch_scale([0, 257], [0, 257], 1, image, (30, 40), 64, width)


def year(width):
    days = np.arange("2020-11", "2021-11", dtype="M8[M]").astype("M8[D]")
    curves = {name: RNG.random(12) for name in ("winter crop", "summer crop", "trees", "roofs")}
    return chapters.year_curves(days, curves, "NDVI", (7, 8), width)


def bands(width):
    pixels = {name: RNG.random((2, 9, 10)) for name in ("the real village", "the sample")}
    return chapters.band_means(pixels, MULTISENGE.bands["s2"], ["July", "November"], width)


CLASS_LABELS = [f"{number} {name}" for number, name in enumerate(TYPOLOGIES["14c"].names, 1)]
STEPS = ["July to August", "August to September", "September to November"]
ONE_MAP = {"": {split: f"{split} (610 patches)" for split in SPLITS}}
MAPS = {f"{gap} days: 5,890": {f"gap{gap}": ""} for gap in range(15, 21)}
DRAWINGS = {
    "grid": image_grid,
    "one patch": one_patch,
    "one row": one_row,
    "class means": lines,
    "months": counted(lambda c, _, w: chapters.month_bars(c.months, 8157, MULTISENGE.months, w)),
    "region": counted(lambda c, o, w: chapters.dot_maps(c.density, o, ONE_MAP, width=w)),
    "gaps": counted(lambda c, o, w: chapters.dot_maps(c.density, o, MAPS, (3, 2), w)),
    "timeline": timeline,
    "days between": counted(lambda c, _, w: chapters.days_between(c.series, STEPS, w)),
    "presence": counted(
        lambda c, _, w: chapters.class_presence(c.presence_percent, CLASS_LABELS, w)
    ),
    "scale": scale,
    "year": year,
    "band means": bands,
    "method": network(chapters.draw_method),
    "inception": network(lambda t, w: chapters.draw_inception(t.loc["first_dates":], w)),
    "unet": unet,
    "gates": gates,
    "scores, paper": lambda w: chapters.score_dots(comparison.paper_scores(6), TYPOLOGIES["6c"], w),
    "scores": of_records(
        lambda r, w: chapters.score_dots(comparison.record_scores(r), TYPOLOGIES["10c"], w)
    ),
    "confusion": of_records(
        lambda r, w: chapters.confusion_figure(
            {name: run.confusion for name, run in r.items()}, TYPOLOGIES["10c"], w
        )
    ),
    "maps": of_records(lambda r, w: chapters.map_figure(r, TYPOLOGIES["10c"], w)),
    "curves": of_records(chapters.learning_curves),
    "urban": urban,
    "growth": growth,
}


@pytest.fixture(autouse=True)
def close():
    chapters.use_style()
    yield
    plt.close("all")


@pytest.mark.parametrize("width", [DESKTOP_WIDTH, PHONE_WIDTH])
@pytest.mark.parametrize("name", DRAWINGS)
def test_text_is_large_enough_and_can_be_read(name, width):
    figure = DRAWINGS[name](width)
    if not figure.texts:
        mark_sample(figure)
    assert find_text_faults(figure) == []
    assert figure.get_figwidth() <= width
    texts = visible_texts(figure)
    small = {text.get_text() for text in texts if text.get_fontsize() < MIN_FONT_SIZE}
    assert small == set()


@pytest.mark.parametrize(("width", "place"), [(DESKTOP_WIDTH, 4), (PHONE_WIDTH, 8)])
def test_the_reference_stands_beside_the_first_row_and_last_on_a_phone(width, place):
    titles = [ax.get_title(loc="left") or ax.get_title() for ax in one_patch(width).axes]
    assert titles[place] == "Reference"


def test_no_number_of_a_class_lies_on_a_dot():
    points = np.array([[0.5, 0.5], [0.52, 0.5], [0.5, 0.53], [0.9, 0.1]])
    places = place_labels(points, 0.13)
    for place in places:
        assert np.linalg.norm(points - place, axis=1).min() > 0.08
    for first, second in combinations(places, 2):
        assert np.linalg.norm(first - second) > 0.08


@pytest.mark.parametrize("name", ["maps", "curves"])
def test_figures_of_sample_records_say_so(name):
    figure = DRAWINGS[name](DESKTOP_WIDTH)
    figure.draw_without_rendering()
    assert any("synthetic sample" in text.get_text() for text in visible_texts(figure))


def test_records_of_real_images_bear_no_mark():
    experiment = EXPERIMENTS["s1_6c"]
    figure = chapters.learning_curves(
        {experiment.title: make_record(experiment.name, dataset="multisenge")}
    )
    assert not any("synthetic" in text.get_text() for text in visible_texts(figure))


def test_records_without_a_map_are_drawn_as_words():
    experiment = EXPERIMENTS["s1_6c"]
    bare = make_record(experiment.name)
    object.__setattr__(bare, "maps", {})
    figure = chapters.map_figure({experiment.title: bare}, TYPOLOGIES["6c"])
    assert "no map" in " ".join(text.get_text() for text in visible_texts(figure))
