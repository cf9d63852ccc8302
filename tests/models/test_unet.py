import keras
import numpy as np
import pytest

from multisenge_lib.dataset import SIZE_MULTIPLE
from multisenge_lib.models.unet import ENCODER, build_unet


def trainable(net):
    return sum(int(np.prod(w.shape)) for w in net.trainable_weights)


@pytest.mark.parametrize(
    ("channels", "full_resolution_skip", "parameters"),
    [
        (160, True, 23_849_194),
        (32, True, 23_775_466),
        (160, False, 23_839_978),
        (32, False, 23_766_250),
    ],
)
def test_trainable_parameters(channels, full_resolution_skip, parameters):
    net = build_unet(channels, 10, full_resolution_skip=full_resolution_skip)
    assert trainable(net) == parameters


def test_the_encoder_is_vgg16():
    ours = build_unet(3, 10)
    theirs = keras.applications.VGG16(include_top=False, weights=None)
    layers = [layer for layer in theirs.layers if layer.name.startswith("block")]
    assert len(layers) == 18
    for layer in layers:
        mine = ours.get_layer(layer.name)
        assert type(mine) is type(layer)
        assert [w.shape for w in mine.weights] == [w.shape for w in layer.weights]


def test_vgg16_weights_can_be_taken_over():
    ours = build_unet(3, 2)
    theirs = keras.applications.VGG16(include_top=False, weights=None)
    for layer in theirs.layers[1:]:
        ours.get_layer(layer.name).set_weights(layer.get_weights())
    x = np.random.default_rng(0).normal(size=(1, 32, 32, 3)).astype("float32")
    mine = keras.Model(ours.input, ours.get_layer("block5_pool").output)(x)
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(mine), keras.ops.convert_to_numpy(theirs(x)), rtol=1e-5
    )


def test_a_frozen_encoder_leaves_the_decoder():
    net = build_unet(32, 10, trainable_encoder=False)
    encoder = sum(net.get_layer(n).count_params() for n in _convolutions(net))
    assert trainable(net) == 23_766_250 - encoder
    assert not net.get_layer("block3_conv2").trainable
    assert net.get_layer("logits").trainable


def _convolutions(net):
    return [layer.name for layer in net.layers if layer.name.startswith("block") and layer.weights]


@pytest.mark.parametrize("shape", [(None, None), (64, 32)])
def test_features_of_any_size_or_of_one(shape):
    net = build_unet(8, 6, shape)
    assert net.input_shape == (None, *shape, 8)
    assert net(np.zeros((1, 64, 32, 8), "float32")).shape == (1, 64, 32, 6)
    assert net.output_shape[-1] == 6


def test_each_stage_of_the_encoder_halves_the_sides_of_a_patch():
    assert 2 ** len(ENCODER) == SIZE_MULTIPLE


def test_every_stage_is_joined_to_its_size():
    net = build_unet(8, 10, (64, 64), full_resolution_skip=True)
    sides = [net.get_layer(f"decoder_stage{i}_concat").output.shape[1] for i in range(5)]
    joined = [net.get_layer(f"decoder_stage{i}_concat").output.shape[-1] for i in range(5)]
    assert sides == [4, 8, 16, 32, 64]
    assert joined == [512 + 512, 256 + 512, 128 + 256, 64 + 128, 32 + 64]


def test_four_skips_are_the_default():
    names = [layer.name for layer in build_unet(8, 10).layers]
    assert [n for n in names if n.endswith("concat")] == [
        f"decoder_stage{i}_concat" for i in range(4)
    ]


def test_logits_are_float32_under_mixed_precision():
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        net = build_unet(4, 6)
        assert net.get_layer("block1_conv1").compute_dtype == "float16"
        assert keras.backend.standardize_dtype(net.output.dtype) == "float32"
    finally:
        keras.config.set_dtype_policy(before)
