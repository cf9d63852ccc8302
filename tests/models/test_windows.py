"""Windows that overlap, and what their blending must not change."""

import keras
import numpy as np
import pytest

from multisenge_lib.errors import ExperimentError
from multisenge_lib.models.windows import Windows, blend, fitted, predict_strip


@pytest.fixture(scope="module")
def pointwise():
    """A network that sees one pixel at a time: windows cannot change what it says."""
    x = keras.Input((2, 32, 32, 3), name="s2")
    scaled = keras.layers.Rescaling(1e-3)(x)
    return keras.Model({"s2": x}, keras.layers.Conv2D(4, 1)(scaled[:, 0]))


def pixel_by_pixel(model, series):
    """Its prediction, computed by hand."""
    kernel, bias = (weight[0, 0] if weight.ndim == 4 else weight for weight in model.get_weights())
    logits = series[0] * 1e-3 @ kernel + bias
    return np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)


@pytest.mark.parametrize("shape", [(100, 130), (64, 64), (20, 45), (96, 33), (33, 200), (1, 1)])
@pytest.mark.parametrize(("side", "overlap"), [(64, 16), (64, 32), (32, 0)])
def test_a_pointwise_network_gives_the_same_with_any_windows(pointwise, shape, side, overlap):
    series = np.random.default_rng(0).uniform(1, 3000, (2, *shape, 3)).astype(np.float32)
    model, windows = fitted(pointwise, shape, side, overlap)

    def read(start, stop):
        return {"s2": series[:, start:stop]}, np.ones((stop - start, shape[1]), bool)

    starts = windows.starts(0)
    strips = [predict_strip(model, read, windows, start) for start in starts]
    parts = list(blend(strips, windows, starts))
    assert [row for row, _, _ in parts] == starts
    found = np.concatenate([p for _, p, _ in parts])
    np.testing.assert_allclose(found, pixel_by_pixel(pointwise, series), atol=1e-5)
    assert np.concatenate([v for _, _, v in parts]).shape == shape


def test_a_network_of_the_windows_size_is_used_as_it_is(pointwise):
    of_64, _ = fitted(pointwise, (200, 200), 64)
    assert of_64.output_shape[1] == 64
    assert fitted(of_64, (200, 200), 64)[0] is of_64
    assert fitted(of_64, (200, 200), 96)[0] is not of_64


def test_windows_cover_the_map_and_end_with_it():
    windows = Windows((1000, 256), 256, 64)
    assert windows.starts(0) == [0, 192, 384, 576, 744] and windows.starts(1) == [0]


def test_weights_of_two_neighbours_sum_to_one_along_the_overlap():
    ramp = Windows((512, 512), 256, 64).ramp
    np.testing.assert_allclose(ramp[:64] + ramp[-64:], 1, atol=1e-6)
    assert (ramp > 0).all() and (ramp[64:-64] == 1).all()


@pytest.mark.parametrize(("side", "overlap"), [(0, 0), (100, 10), (-32, 0), (64, 33), (64, -1)])
def test_windows_that_cannot_be(pointwise, side, overlap):
    with pytest.raises(ExperimentError, match=r"(window|overlap) of -?\d+ pixels: give"):
        fitted(pointwise, (500, 500), side, overlap)
