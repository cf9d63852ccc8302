"""Windows that overlap, and what their blending must not change."""

import keras
import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from multisenge_lib.errors import ExperimentError
from multisenge_lib.maps import predict_map
from multisenge_lib.maps.windows import (
    ROWS_THAT_REACH,
    Windows,
    blend,
    fit_network_to_windows,
    predict_row,
)
from multisenge_lib.models import predict
from multisenge_lib.models.conv_lstm import ConvLSTM2D


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
    model, windows = fit_network_to_windows(pointwise, shape, side, overlap)

    def read(start, stop):
        return {"s2": series[:, start:stop]}, np.ones((stop - start, shape[1]), bool)

    starts = windows.starts(0)
    window_rows = [predict_row(model, read, windows, start) for start in starts]
    strips = list(blend(window_rows, windows, starts))
    assert [strip.start for strip in strips] == starts
    probabilities = np.concatenate([strip.probabilities for strip in strips])
    np.testing.assert_allclose(probabilities, pixel_by_pixel(pointwise, series), atol=1e-5)
    assert np.concatenate([strip.valid for strip in strips]).shape == shape


def test_a_network_of_the_windows_size_is_used_as_it_is(pointwise):
    of_64, _ = fit_network_to_windows(pointwise, (200, 200), 64)
    assert of_64.output_shape[1] == 64
    assert fit_network_to_windows(of_64, (200, 200), 64)[0] is of_64
    assert fit_network_to_windows(of_64, (200, 200), 96)[0] is not of_64


def test_a_map_smaller_than_a_window_is_continued_by_its_mirror_image():
    image = keras.Input((1, 32, 32, 3), name="s2")
    scaled = keras.layers.Rescaling(1e-3)(image)
    neighbours = keras.layers.Conv2D(2, 5, padding="same", kernel_initializer="he_normal")
    model = keras.Model({"s2": image}, neighbours(scaled[:, 0]))
    series = np.random.default_rng(0).uniform(1, 3000, (1, 20, 25, 3)).astype(np.float32)
    windows = Windows((20, 25), side=32, overlap=8)

    def read(start, stop):
        return {"s2": series[:, start:stop]}, np.ones((stop - start, 25), bool)

    row = predict_row(model, read, windows, 0)
    mirrored = np.pad(series, ((0, 0), (0, 12), (0, 7), (0, 0)), mode="symmetric")
    expected = windows.weights_1d[:, None] * predict(model, {"s2": mirrored[None]})[0]
    np.testing.assert_allclose(row.weighted[:20, :25], expected[:20, :25], atol=1e-5)


def test_all_batches_are_of_one_size(pointwise, monkeypatch):
    """In a batch of another size, sums are rounded in another order, and bytes differ."""
    sizes = []

    def spy(model, inputs):
        sizes.append(len(inputs["s2"]))
        return predict(model, inputs)

    monkeypatch.setattr("multisenge_lib.maps.windows.predict", spy)
    width = 70 * 32  # 64 windows of 32 pixels are one batch
    series = np.ones((2, 32, width, 3), np.float32)

    def read(start, stop):
        return {"s2": series[:, start:stop]}, np.ones((stop - start, width), bool)

    predict_row(pointwise, read, Windows((32, width), side=32, overlap=0), 0)
    assert sizes == [64, 64]


def test_windows_cover_the_map_and_end_with_it():
    windows = Windows((1000, 256), 256, 64)
    assert windows.starts(0) == [0, 192, 384, 576, 744] and windows.starts(1) == [0]


def test_weights_of_two_neighbours_sum_to_one_along_the_overlap():
    weights = Windows((512, 512), 256, 64).weights_1d
    np.testing.assert_allclose(weights[:64] + weights[-64:], 1, atol=1e-6)
    assert (weights > 0).all()
    assert (weights[64:-64] == 1).all()


def seam(overlap):
    """Mean step of probabilities between neighbours across windows' borders, over all others'."""
    keras.utils.set_random_seed(1)
    x = keras.Input((2, 64, 64, 3), name="s2")
    y = ConvLSTM2D(4, 3)(keras.layers.Rescaling(1e-3)(x))
    for filters in (8, 4):
        y = keras.layers.Conv2D(filters, 5, padding="same")(y)
    smooth = gaussian_filter(np.random.default_rng(1).normal(size=(2, 208, 208, 3)), (0, 3, 3, 0))
    series = (2000 + 1000 * smooth / smooth.std()).astype(np.float32)
    probabilities = predict_map(keras.Model({"s2": x}, y), {"s2": series}, 64, overlap)[1]
    starts = Windows((208, 208), 64, overlap).starts(0)
    border = np.isin(np.arange(1, 208), [end for at in starts for end in (at, at + 64)])
    steps = [np.abs(np.diff(probabilities, axis=axis)).mean(axis=(1 - axis, 2)) for axis in (0, 1)]
    return np.mean([s[border].mean() for s in steps]) / np.mean([s[~border].mean() for s in steps])


def test_no_seam_shows_where_windows_meet():
    assert seam(overlap=0) > 2  # such a network has seams, were windows not blended
    assert seam(overlap=16) < 1.05


@pytest.mark.parametrize("overlap", [0, 16, 31, 32])
@pytest.mark.parametrize("height", [65, 66, 97, 128, 150, 151, 191])
def test_no_row_of_windows_reaches_further_than_the_constant_says(height, overlap):
    windows = Windows((height, 64), 64, overlap)
    starts = windows.starts(0)
    for number, start in enumerate(starts):
        for earlier in starts[: max(0, number - ROWS_THAT_REACH)]:
            assert earlier + windows.side <= start


@pytest.mark.parametrize(("side", "overlap"), [(0, 0), (100, 10), (-32, 0), (64, 33), (64, -1)])
def test_windows_that_cannot_be(pointwise, side, overlap):
    with pytest.raises(ExperimentError, match=r"(window|overlap) of -?\d+ pixels: give"):
        fit_network_to_windows(pointwise, (500, 500), side, overlap)


@pytest.mark.fault("maps: windows or overlaps that are no whole numbers -> one line says so")
@pytest.mark.parametrize("sides", [{"window": 64.0}, {"window": "64"}, {"overlap": 4.5}])
def test_sides_are_whole_numbers(pointwise, sides):
    series = np.full((2, 64, 64, 3), 500, np.float32)
    with pytest.raises(ExperimentError, match=r"(window|overlap) of .* pixels: give a whole"):
        predict_map(pointwise, {"s2": series}, **sides)


def test_whole_numbers_of_numpy_are_taken(pointwise):
    _, windows = fit_network_to_windows(pointwise, (64, 64), np.int64(32), np.uint8(8))
    assert (windows.side, windows.overlap) == (32, 8)
