import keras
import numpy as np
import pytest
from scipy.signal import correlate
from scipy.special import expit

from multisenge_lib.errors import ExperimentError
from multisenge_lib.models.conv_lstm import ConvLSTM2D, gates

RNG = np.random.default_rng(12)
SHAPE = (2, 4, 7, 6, 3)
FILTERS = 5


def series(shape=SHAPE):
    return RNG.normal(size=shape).astype("float32")


def built(shape=SHAPE, kernel_size=3, **options):
    """A layer with random weights everywhere, so that no term of Eq. 3 vanishes."""
    layer = ConvLSTM2D(FILTERS, kernel_size, **options)
    layer.build(shape)
    layer.set_weights([RNG.normal(0, 0.4, w.shape) for w in layer.get_weights()])
    return layer


def stock(shape=SHAPE, kernel_size=3, **options):
    layer = keras.layers.ConvLSTM2D(FILTERS, kernel_size, padding="same", **options)
    layer.build(shape)
    return layer


def array(tensor):
    return keras.ops.convert_to_numpy(tensor)


def convolve(image, kernel):
    """The * of Eq. 3, float64: `(rows, columns, in)` and `(side, side, in, out)`."""
    return np.stack(
        [
            sum(
                correlate(image[..., c], kernel[..., c, k], mode="same")
                for c in range(image.shape[-1])
            )
            for k in range(kernel.shape[-1])
        ],
        axis=-1,
    )


def equation_3(x, w_x, w_h, b, w_ci=0, w_cf=0, w_co=0):
    """Eq. 3 read line by line in float64, for one series `(time, rows, columns, channels)`."""
    w_xi, w_xf, w_xc, w_xo = np.split(np.float64(w_x), 4, axis=-1)
    w_hi, w_hf, w_hc, w_ho = np.split(np.float64(w_h), 4, axis=-1)
    b_i, b_f, b_c, b_o = np.split(np.float64(b), 4)
    h = c = np.zeros((*x.shape[1:3], w_hi.shape[-1]))
    history = []
    for x_t in np.float64(x):
        i = expit(convolve(x_t, w_xi) + convolve(h, w_hi) + w_ci * c + b_i)
        f = expit(convolve(x_t, w_xf) + convolve(h, w_hf) + w_cf * c + b_f)
        c = f * c + i * np.tanh(convolve(x_t, w_xc) + convolve(h, w_hc) + b_c)
        o = expit(convolve(x_t, w_xo) + convolve(h, w_ho) + w_co * c + b_o)
        h = o * np.tanh(c)
        history.append((i, f, o, c, h))
    return [np.stack(quantity) for quantity in zip(*history, strict=True)]


def test_the_oracle_convolves_as_loops_do():
    image = RNG.normal(size=(4, 3, 2))
    kernel = RNG.normal(size=(3, 3, 2, 2))
    padded = np.pad(image, ((1, 1), (1, 1), (0, 0)))
    loops = np.zeros((4, 3, 2))
    for r, c, k in np.ndindex(4, 3, 2):
        loops[r, c, k] = np.sum(padded[r : r + 3, c : c + 3] * kernel[..., k])
    np.testing.assert_allclose(convolve(image, kernel), loops, atol=1e-12)


@pytest.mark.parametrize("peephole", [False, True])
def test_equals_equation_3(peephole):
    layer = built(peephole=peephole)
    x = series()
    ours = gates(layer, x)
    for n in range(len(x)):
        theirs = equation_3(x[n], *layer.get_weights())
        for mine, expected in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(mine[n], expected, atol=1e-5)


@pytest.mark.parametrize(("dates", "kernel_size"), [(4, 3), (1, 3), (2, 1), (3, 5)])
def test_equals_keras_with_the_same_weights_both_ways(dates, kernel_size):
    shape = (2, dates, 7, 6, 3)
    x = series(shape)
    ours = built(shape, kernel_size)
    theirs = stock(shape, kernel_size)
    theirs.set_weights(ours.get_weights())
    np.testing.assert_allclose(array(ours(x)), array(theirs(x)), atol=1e-5)
    fresh = ConvLSTM2D(FILTERS, kernel_size)
    fresh.build(shape)
    fresh.set_weights(theirs.get_weights())
    np.testing.assert_allclose(array(fresh(x)), array(theirs(x)), atol=1e-5)


def test_relu_for_tanh_is_keras_too():
    x = series()
    ours = built(activation="relu")
    theirs = stock(activation="relu")
    theirs.set_weights(ours.get_weights())
    np.testing.assert_allclose(array(ours(x)), array(theirs(x)), atol=1e-5)
    assert np.abs(array(ours(x))).max() > 1


def test_learns_as_keras_does():
    x = series()
    y = RNG.normal(size=(2, 7, 6, FILTERS))
    ours = built()
    theirs = stock()
    theirs.set_weights(ours.get_weights())
    for layer in (ours, theirs):
        model = keras.Sequential([keras.Input(SHAPE[1:]), layer])
        model.compile(keras.optimizers.SGD(1.0), "mse")
        model.train_on_batch(x, y)
    for mine, expected in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(mine, expected, atol=1e-5)


def test_starts_as_keras_does():
    ours = ConvLSTM2D(FILTERS, 3)
    ours.build(SHAPE)
    theirs = stock()
    assert [w.name for w in ours.weights] == [w.name for w in theirs.weights]
    np.testing.assert_array_equal(array(ours.bias), array(theirs.cell.bias))
    for mine, expected in zip(ours.get_weights()[:2], theirs.get_weights()[:2], strict=True):
        assert mine.std() == pytest.approx(expected.std(), rel=0.1)


def test_peepholes_start_as_if_absent():
    x = series()
    plain = built()
    layer = ConvLSTM2D(FILTERS, 3, peephole=True)
    layer.build(SHAPE)
    layer.set_weights(plain.get_weights() + layer.get_weights()[3:])
    np.testing.assert_allclose(array(layer(x)), array(plain(x)), atol=1e-6)
    assert layer.count_params() - plain.count_params() == 3 * 7 * 6 * FILTERS


def test_one_date_needs_no_recurrent_weights():
    layer = built()
    x = series((2, 1, 7, 6, 3))
    before = array(layer(x))
    layer.recurrent_kernel.assign(layer.recurrent_kernel + 1)
    np.testing.assert_array_equal(array(layer(x)), before)


def test_gates_end_in_what_call_returns():
    layer = built()
    x = series()
    over_time = gates(layer, x)
    assert over_time.hidden.shape == (2, 4, 7, 6, FILTERS)
    np.testing.assert_allclose(over_time.hidden[:, -1], array(layer(x)), atol=1e-6)
    assert all(g.min() >= 0 and g.max() <= 1 for g in over_time[:3])


def test_any_image_size_without_peepholes():
    model = keras.Sequential([keras.Input((4, None, None, 3)), ConvLSTM2D(FILTERS, 3)])
    for size in (5, 9):
        assert model(series((1, 4, size, size + 1, 3))).shape == (1, size, size + 1, FILTERS)


def test_peepholes_refuse_any_image_size():
    with pytest.raises(ExperimentError, match="peepholes need a fixed image size"):
        ConvLSTM2D(FILTERS, 3, peephole=True).build((None, 4, None, None, 3))


def test_images_without_time_are_refused():
    with pytest.raises(ValueError, match="expected ndim=5, found ndim=4"):
        ConvLSTM2D(FILTERS, 3)(series((2, 7, 6, 3)))


@pytest.mark.parametrize(("dtype", "atol"), [("float16", 0.02), ("bfloat16", 0.05)])
def test_half_precision_stays_close_to_equation_3(dtype, atol):
    """Of 11 and of 8 bits; the state is between -1 and 1."""
    layer = built(dtype=f"mixed_{dtype}")
    x = series()
    assert keras.backend.standardize_dtype(layer(x).dtype) == dtype
    for half, one in zip(array(keras.ops.cast(layer(x), "float32")), x, strict=True):
        *_, hidden = equation_3(one, *layer.get_weights())
        np.testing.assert_allclose(half, hidden[-1], atol=atol)


def test_made_again_from_its_config():
    layer = ConvLSTM2D(FILTERS, 5, peephole=True, activation="relu", name="s1_convlstm")
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert again.get_config() == layer.get_config()
