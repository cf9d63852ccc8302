"""From land to images: pixels, growth, light and speckle."""

from types import SimpleNamespace

import numpy as np
import pytest

from multisenge_lib.sample.canvas import MARGIN
from multisenge_lib.sample.radiometry import (
    add_speckle,
    day_of_year,
    growth,
    to_pixels,
)
from multisenge_lib.sample.surfaces import SURFACE_NUMBER

JULY = 203
NOVEMBER = 322


def greenness(name, day, days_ahead=0):
    """Green part of an average unit of a surface, 0 to 1."""
    surface = SURFACE_NUMBER[name]
    scene = SimpleNamespace(surface=surface, days_ahead=days_ahead, weakness=np.float64(0))
    return growth(scene, day)[0]


def test_a_pixel_is_the_mean_of_the_cells_around_it():
    """A ramp stays one: pixel 0 is centred between the first two cells after the margin of 10."""
    ramp = np.tile(np.arange(32.0), (32, 1))
    np.testing.assert_allclose(to_pixels(ramp, MARGIN)[0], 10.5 + 2 * np.arange(6))


def test_maize_is_green_in_july_and_a_catch_crop_in_november():
    assert greenness("maize", JULY) > 0.8
    assert greenness("maize", NOVEMBER) < 0.1
    assert greenness("cereal then catch crop", JULY) < 0.3
    assert greenness("cereal then catch crop", NOVEMBER) > 0.7
    assert greenness("conifer", JULY) == greenness("conifer", NOVEMBER)


def test_an_early_field_is_harvested_before_a_late_one():
    harvest = 252
    assert greenness("maize", harvest, days_ahead=10) < 0.1
    assert greenness("maize", harvest, days_ahead=-10) > 0.7


def test_days_are_numbered_from_one():
    assert day_of_year(np.datetime64("2020-01-01")) == 1
    assert day_of_year(np.datetime64("2020-12-31")) == 366


def test_speckle_is_that_of_four_looks():
    flat = np.full((2, 400, 400), 0.1)
    speckled = add_speckle(np.random.default_rng(0), flat)[:, 1:-1, 1:-1]
    assert speckled.mean() == pytest.approx(0.1, rel=0.02)
    looks = speckled.mean() ** 2 / speckled.var()
    assert looks == pytest.approx(4.4, rel=0.05)
