import numpy as np

from multisenge_lib.sample.draws import UNITS, generator, smooth_noise, unit_number


def test_a_generator_depends_on_the_seed_and_the_names():
    first = generator(1, "land", "31UEQ_96_353").random(3)
    np.testing.assert_array_equal(first, generator(1, "land", "31UEQ_96_353").random(3))
    assert not np.array_equal(first, generator(2, "land", "31UEQ_96_353").random(3))
    assert not np.array_equal(first, generator(1, "land", "31UEQ_96_610").random(3))


def test_smooth_noise_has_unit_variance():
    noise = smooth_noise(np.random.default_rng(1), side=400, scale=8)
    assert noise.shape == (400, 400)
    assert abs(noise.std() - 1) < 0.05


def test_smooth_noise_is_smooth():
    noise = smooth_noise(np.random.default_rng(1), side=200, scale=20)
    assert np.abs(np.diff(noise, axis=0)).max() < 0.4


def test_units_that_share_a_number_are_far_apart():
    rows, columns = np.mgrid[-80:81, -80:81]
    numbers = unit_number(rows, columns)
    assert numbers.min() >= 0
    assert numbers.max() < UNITS
    distance = np.hypot(rows, columns)
    same_as_centre = numbers == unit_number(0, 0)
    assert distance[same_as_centre & (distance > 0)].min() > 58
