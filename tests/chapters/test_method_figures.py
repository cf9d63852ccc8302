import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from multisenge_lib.chapters import method_figures
from multisenge_lib.chapters.style import DESKTOP_WIDTH, PHONE_WIDTH
from multisenge_lib.dataset import TYPOLOGIES

WIDTHS = (DESKTOP_WIDTH, PHONE_WIDTH)


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def texts(ax):
    return [text.get_text() for text in ax.texts]


@pytest.mark.parametrize("width", WIDTHS)
def test_a_wrong_pixel_is_crossed_and_every_count_is_written(width):
    reference = np.array([[1, 2], [2, 2]])
    predicted = np.array([[1, 2], [1, 2]])
    confusion = np.array([[1, 0], [1, 2]])
    arguments = (reference, predicted, confusion, TYPOLOGIES["6c"])
    figure = method_figures.nine_pixels(*arguments, width=width)
    assert texts(figure.axes[0]) == ["1", "2", "2", "2"]
    assert texts(figure.axes[1]) == ["1", "2", "1 ×", "2"]
    assert texts(figure.axes[2]) == ["1", "0", "1", "2"]


@pytest.mark.parametrize("width", WIDTHS)
def test_bars_of_the_loss_are_percent(width):
    shares = pd.DataFrame({"without": [0.99, 0.01], "with": [0.5, 0.5]}, ["1 Roof", "2 Field"])
    figure = method_figures.loss_shares(shares, width=width)
    lengths = [bar.get_width() for bar in figure.axes[0].patches]
    assert lengths == [99, 1, 50, 50]
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels == ["1 Roof", "2 Field"]


def test_each_memory_has_its_line():
    figure = method_figures.forget_curves({"f = 1": [1, 1], "f = 0": [1, 0]}, ["Jul", "Aug"])
    lines = figure.axes[0].get_lines()
    assert [line.get_ydata().tolist() for line in lines] == [[1, 1], [1, 0]]
    assert len({line.get_linestyle() for line in lines}) == 2


@pytest.mark.parametrize("width", WIDTHS)
def test_squares_have_the_size_and_the_middle_of_what_they_stand_for(width):
    image = np.zeros((100, 100, 3))
    near = {"1 × 1": 1, "5 × 5": 5}
    figure = method_figures.receptive_fields(image, (40, 60), near, {"stage": 31}, width=width)
    small, large = figure.axes
    assert [patch.get_width() for patch in small.patches] == [1, 5]
    (stage,) = large.patches
    assert stage.get_x() + stage.get_width() / 2 == 60
    assert stage.get_y() + stage.get_height() / 2 == 40
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["1 × 1: 10 m", "5 × 5: 50 m", "stage: 310 m"]


def test_rates_start_at_the_first_epoch():
    figure = method_figures.rate_curves({"plateau": [1e-3, 1e-4], "cosine": [1e-3, 5e-4]})
    assert figure.axes[0].get_lines()[0].get_xdata().tolist() == [1, 2]
