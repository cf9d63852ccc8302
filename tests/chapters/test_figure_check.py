"""The check of text in figures finds what is cut off or overlaps, and nothing else."""

import matplotlib.pyplot as plt
import pytest

from multisenge_lib.chapters import responsive_figure
from multisenge_lib.chapters.figure_check import find_text_faults, visible_texts
from multisenge_lib.chapters.style import panels


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def chart(**options):
    figure, ax = plt.subplots(figsize=(4, 3), layout="constrained")
    ax.plot([0, 1], [0, 1])
    ax.set(title="A title", xlabel="x (m)", ylabel="y (m)", **options)
    return figure, ax


def test_an_ordinary_chart_has_no_fault():
    figure, _ = chart()
    assert find_text_faults(figure) == []


def test_words_on_words_are_found():
    figure, ax = chart()
    ax.text(0.5, 0.5, "first")
    ax.text(0.51, 0.51, "second")
    assert find_text_faults(figure) == ["overlap: first | second"]


def test_words_beyond_the_edge_are_found():
    figure, _ = chart()
    figure.text(0.9, 0.5, "too long for the place")
    assert any(fault.startswith("cut off: too long") for fault in find_text_faults(figure))


def test_ticks_that_are_not_drawn_do_not_count():
    figure, ax = chart(xlim=(0, 1), xticks=[0, 0.5, 1, 40])
    find_text_faults(figure)
    assert "40" not in {text.get_text() for text in visible_texts(figure)}
    ax.set_axis_off()
    find_text_faults(figure)
    assert not any(text.get_text() == "1.0" for text in visible_texts(figure))


def test_numbers_of_neighbouring_axes_that_nearly_touch_are_found():
    figure, (left, right) = plt.subplots(1, 2, layout="constrained")
    for ax in (left, right):
        ax.set(xticks=[0, 1], xlim=(0, 1), yticks=[])
    assert find_text_faults(figure) == ["nearly touch: 1 | 0"]

    figure, axes = panels(2, 6, (2, 1), 2)
    for ax in axes:
        ax.set(xticks=[0, 1], xlim=(0, 1), yticks=[])
    assert find_text_faults(figure) == []


def test_a_figure_on_a_page_says_what_is_wrong_with_it():
    def drawn(width):
        figure, ax = chart()
        if width < 5:  # on a phone only
            ax.text(0.5, 0.5, "one & two")
            ax.text(0.5, 0.5, "three")
        return figure

    page = responsive_figure(drawn, alt="A line.").data
    assert 'data-text-faults="overlap: one &amp; two | three"' in page
    assert "data-text-faults" not in responsive_figure(lambda width: chart()[0], alt="A line.").data
