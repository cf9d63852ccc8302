import numpy as np
import pytest

from multisenge_lib.audit import read_label_counts
from multisenge_lib.chapters import data_figures as drawn
from multisenge_lib.dataset import SPLITS, TYPOLOGIES, choose_dates

DATES = np.array(["2020-07-18", "2020-08-04", "2020-08-22", "2020-09-06"], "datetime64[D]")


@pytest.fixture(scope="module")
def counts():
    return read_label_counts()


def test_a_patch_stands_out_in_its_tile():
    image = np.full((100, 100, 3), 0.5)
    figure = drawn.patch_scale([0, 257, 514], [0, 0, 257], 1, image, (30, 40), 64)
    *squares, outline = figure.axes[0].patches
    colors = [square.get_facecolor()[:3] for square in squares]
    assert colors[0] == colors[2] != colors[1]
    assert squares[1].get_x() == pytest.approx(2.57)
    assert outline.get_width() == pytest.approx(109.8)


def test_the_village_is_drawn_at_the_scale_of_the_patch():
    image = np.full((100, 100, 3), 0.5)
    figure = drawn.patch_scale([0], [0], 0, image, (30, 40), 64)
    left, right, bottom, top = figure.axes[1].images[0].get_extent()
    assert right - left == pytest.approx(1.0) and bottom - top == pytest.approx(1.0)
    detail, sample, patch = figure.axes[1].patches
    assert [round(square.get_width(), 2) for square in (detail, sample, patch)] == [
        0.16,
        0.64,
        2.56,
    ]


def test_the_piece_with_pixels_is_the_one_outlined():
    image = np.zeros((100, 100, 3))
    image[30:46, 40:56] = 1
    figure = drawn.patch_scale([0], [0], 0, image, (30, 40), 64)
    assert figure.axes[2].images[0].get_array().min() == 1


@pytest.mark.parametrize("gap", [17, 20])
def test_the_forbidden_days_end_before_the_first_allowed_one(gap):
    walk = drawn.Walk("", DATES, DATES[:1], gap)
    figure = drawn.date_timeline([walk], (7, 8, 9))
    bar = figure.axes[0].lines[0].get_xdata()
    assert bar[1] == DATES[0] + gap - 1


def test_chosen_dates_are_bold_and_the_failure_is_in_the_title():
    chosen = choose_dates(DATES, (7, 8, 9), 17)
    complete = drawn.Walk("17 days", DATES, chosen, 17)
    failed = drawn.Walk("20 days", DATES, DATES[[0, 2]], 20, "no date left")
    figure = drawn.date_timeline([complete, failed], (7, 8, 9))
    bold = [text.get_text() for text in figure.axes[0].texts if text.get_fontweight() == "bold"]
    assert bold == ["18", "4", "6"]
    assert figure.axes[1].get_title(loc="left") == "20 days: no date left"


def test_days_between_are_those_of_the_series(counts):
    figure = drawn.days_between(counts.series, ["a", "b", "c"])
    for number, split in enumerate(SPLITS):
        days = set()
        for layer in figure.axes[0].collections[3 * number : 3 * number + 3]:
            days |= set(layer.get_offsets()[:, 0])
        of_split = counts.series[counts.series["split"] == split]
        assert days == set(of_split[["days1", "days2", "days3"]].to_numpy().ravel())


def test_presence_is_drawn_for_each_class_and_split(counts):
    figure = drawn.class_presence(counts.presence_percent, TYPOLOGIES["14c"].names)
    _, *layers = figure.axes[0].collections
    for layer, split in zip(layers, SPLITS, strict=True):
        np.testing.assert_allclose(layer.get_offsets()[:, 0], counts.presence_percent[split])


def test_only_what_is_inside_keeps_its_colour():
    image = np.array([[[0.8, 0.2, 0.2], [0.8, 0.2, 0.2]]])
    lit = drawn.spotlight(image, np.array([[True, False]]))
    np.testing.assert_array_equal(lit[0, 0], image[0, 0])
    np.testing.assert_allclose(lit[0, 1], 0.6 + 0.4 * 0.4)


def test_curves_and_marks_share_their_colours():
    dates = np.array(["2020-11-01", "2021-02-01"], "datetime64[D]")
    curves = {"field": np.array([0.1, 0.9]), "roof": np.array([0.2, 0.2])}
    lines = drawn.year_curves(dates, curves, "NDVI", (11,)).axes[0].get_lines()[:2]
    places = {"field": (1, 2), "roof": (3, 4)}
    marks = drawn.marked_places(np.zeros((9, 9, 3)), places).axes[0].get_lines()
    for line, mark in zip(lines, marks, strict=True):
        assert line.get_color() == mark.get_color() and line.get_marker() == mark.get_marker()
    assert (marks[0].get_xdata()[0], marks[0].get_ydata()[0]) == (2, 1)


@pytest.mark.parametrize("width", [7.8, 3.7])
def test_all_draw_in_both_widths(counts, width):
    drawn.class_presence(counts.presence_percent, TYPOLOGIES["14c"].names, width=width)
    drawn.days_between(counts.series, ["a", "b", "c"], width=width)
    figure = drawn.date_timeline([drawn.Walk("", DATES, DATES[:1], 17)], (7, 8), width=width)
    assert figure.get_figwidth() == pytest.approx(width)
