"""Adam's fused steps against Keras' own."""

import keras
import numpy as np
import pytest

from multisenge_lib.training.optimizer import FusedAdam, adam

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="fused on TensorFlow alone"
)


def trained(optimizer, jit, policy="float32"):
    """Weights, losses and optimizer after 40 steps of a small network of odd shapes."""
    keras.utils.set_random_seed(5)
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    model = keras.Sequential(
        [
            keras.Input((7, 5, 3)),
            keras.layers.Conv2D(11, 3, activation="tanh"),
            keras.layers.BatchNormalization(),
            keras.layers.Conv2D(1, (5, 3)),
        ]
    )
    model.compile(optimizer(1e-2), "mse", jit_compile=jit)
    keras.config.set_dtype_policy(before)
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(40, 2, 7, 5, 3)), rng.normal(size=(40, 2, 1, 1, 1))
    losses = [float(model.train_on_batch(a, b)) for a, b in zip(x, y, strict=True)]
    return model.get_weights(), losses, model.optimizer


@pytest.mark.parametrize("jit", [False, True])
def test_fused_steps_are_those_of_keras(jit):
    expected, losses, _ = trained(keras.optimizers.Adam, jit)
    found, fused, _ = trained(FusedAdam, jit)
    np.testing.assert_allclose(fused, losses, rtol=1e-4)
    for weights, others in zip(found, expected, strict=True):
        np.testing.assert_allclose(weights, others, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(("policy", "apart"), [("mixed_bfloat16", 0.1), ("mixed_float16", 0.02)])
def test_fused_steps_in_mixed_precision(policy, apart):
    expected, _, _ = trained(keras.optimizers.Adam, False, policy)
    found, _, optimizer = trained(FusedAdam, False, policy)
    scaled = isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
    assert scaled is (policy == "mixed_float16")
    for weights, others in zip(found, expected, strict=True):
        np.testing.assert_allclose(weights, others, atol=apart)


def test_several_devices_have_keras_own():
    assert type(adam(1e-3)) is FusedAdam
    assert type(adam(1e-3, devices=2)) is keras.optimizers.Adam
