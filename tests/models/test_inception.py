import keras
import numpy as np
import pytest

from multisenge_lib.models.inception import naive_inception

RNG = np.random.default_rng(5)


def model(filters=4, pool=True, channels=3):
    x = keras.Input((None, None, channels))
    return keras.Model(x, naive_inception(x, filters, pool))


def outputs(net, x):
    return keras.ops.convert_to_numpy(net(x))


@pytest.mark.parametrize(("pool", "channels"), [(True, 108), (False, 96)])
def test_channels_of_the_papers_module(pool, channels):
    net = model(32, pool, channels=12)
    assert net.output_shape == (None, None, None, channels)
    assert net.count_params() == sum(side**2 * 12 * 32 + 32 for side in (1, 3, 5))


def test_branches_by_hand():
    net = model()
    x = RNG.normal(size=(1, 6, 7, 3)).astype("float32")
    y = outputs(net, x)
    padded = np.pad(x[0], ((2, 2), (2, 2), (0, 0)))
    for part, side in enumerate((1, 3, 5)):
        layer = net.get_layer(f"inception_{side}x{side}")
        layer.bias.assign(RNG.normal(size=4))
        kernel, bias = layer.get_weights()
        y = outputs(net, x)
        around = padded[2 + 3 - side // 2 :, 2 + 4 - side // 2 :][:side, :side]
        by_hand = np.maximum(np.tensordot(around, kernel, 3) + bias, 0)
        np.testing.assert_allclose(y[0, 3, 4, 4 * part : 4 * part + 4], by_hand, atol=1e-5)
    np.testing.assert_array_equal(y[0, 3, 4, 12:], x[0, 2:5, 3:6].max((0, 1)))


def test_the_pool_keeps_the_size_and_does_not_see_beyond_the_edge():
    x = -np.ones((1, 4, 4, 3), dtype="float32")
    y = outputs(model(), x)
    assert y.shape[1:3] == (4, 4)
    np.testing.assert_array_equal(y[..., 12:], -1)
