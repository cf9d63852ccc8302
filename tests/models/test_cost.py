import keras
import numpy as np
import pytest
from networks import slim_unet

from multisenge_lib.errors import ExperimentError
from multisenge_lib.models.build import build_model
from multisenge_lib.models.conv_lstm import ConvLSTM2D
from multisenge_lib.models.cost import costs, step_memory, step_operations
from multisenge_lib.models.networks import NETWORKS
from multisenge_lib.models.unet import build_unet
from multisenge_lib.training.loss import weighted_loss


def test_a_convolution_by_hand():
    model = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(5, 3, padding="same")])
    table = costs(model)
    assert table["macs"].sum() == 8 * 8 * 5 * 3 * 3 * 3
    assert table["activations"].sum() == 8 * 8 * 5
    assert table["parameters"].sum() == 3 * 3 * 3 * 5 + 5


def test_layers_of_other_networks_by_hand():
    volume = keras.Input((4, 8, 8, 3))
    table = costs(keras.Model(volume, keras.layers.Conv3D(5, 3, padding="same")(volume)))
    assert table["macs"].sum() == 4 * 8 * 8 * 27 * 3 * 5
    image = keras.Input((8, 8, 3))
    doubled = keras.layers.Conv2DTranspose(5, 4, strides=2, padding="same")(image)
    assert costs(keras.Model(image, doubled))["macs"].sum() == 8 * 8 * 16 * 3 * 5
    assert costs(keras.Model(image, keras.layers.Dense(5)(image)))["macs"].sum() == 8 * 8 * 3 * 5


@pytest.mark.parametrize("network", NETWORKS)
def test_the_operations_of_each_network_are_counted(network):
    """The U-Nets of one date and of all dates once failed here, after their training."""
    prefix = {"conv_lstm": "s1s2"}.get(network, network)
    assert step_operations(build_model(f"{prefix}_6c", 32), batch=1) > 1e8


@pytest.mark.parametrize("network", NETWORKS)
def test_a_network_that_is_ready_for_training_is_counted_too(network):
    """U-TAE once stopped here before its first step: Keras copied it together with the loss."""
    prefix = {"conv_lstm": "s1s2"}.get(network, network)
    model = build_model(f"{prefix}_6c", 32)
    expected = step_operations(model, batch=1)
    model.compile("adam", weighted_loss([1.0] * 6))
    assert step_operations(model, batch=1) == expected


def test_an_inner_network_of_unknown_size_is_refused():
    image = keras.Input((32, 32, 3))
    inner = build_unet(3, 6)  # for any size
    with pytest.raises(ExperimentError, match=r"unknown size.*shape=\(height, width\)"):
        costs(keras.Model(image, inner(image)))


def test_the_encoder_of_utae_is_counted_for_each_date():
    one = build_model("utae_s2_6c+one_date", 32)
    four = build_model("utae_s2_6c", 32)
    of_one = costs(one)["macs"]
    of_four = costs(four)["macs"]
    assert of_four["encoder1_down_conv"] == 4 * of_one["encoder1_down_conv"]
    assert of_four["decoder1_up"] == of_one["decoder1_up"]
    # By hand: a 4 x 4 convolution of 64 to 64 channels at half of the resolution.
    assert of_one["encoder1_down_conv"] == 16 * 16 * 16 * 64 * 64


def test_a_conv_lstm_by_hand():
    layer = ConvLSTM2D(4, 3)
    x = keras.Input((3, 8, 8, 2))
    table = costs(keras.Model(x, layer(x)))
    pixels = 64
    window = 9
    by_hand = 3 * pixels * window * 2 * 16 + 2 * pixels * window * 4 * 16
    assert table["macs"].sum() == by_hand
    assert table["activations"].sum() == 7 * 3 * pixels * 4


def test_parameters_are_the_models(monkeypatch):
    slim_unet(monkeypatch)
    model = build_model("inception_6c", 32)
    trainable = sum(int(np.prod(v.shape)) for v in model.trainable_variables)
    assert costs(model)["parameters"].sum() == trainable


@pytest.mark.parametrize("size", [32, 64])
def test_cost_grows_with_pixels_and_batch(size, monkeypatch):
    slim_unet(monkeypatch)
    small = build_model("s1_6c", size)
    large = build_model("s1_6c", 2 * size)
    assert costs(large)["macs"].sum() == 4 * costs(small)["macs"].sum()
    one, four = (step_memory(small, batch) for batch in (1, 4))
    assert four["activations"] == 4 * one["activations"]
    assert four["weights"] == one["weights"]
    assert step_memory(small, 4, bytes_each=2)["activations"] == four["activations"] / 2
