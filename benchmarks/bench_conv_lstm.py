"""Forward and backward pass of our ConvLSTM against Keras' own, with the same weights.

Both run the paper's S2 branch, (batch, 4, size, size, 10) to 32 filters, in TensorFlow.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from common import Skipped, compared, peak

DATES = 4
BANDS = 10
FILTERS = 32
KERNEL_SIZE = 3


def training_step(layer: Any) -> Callable[[Any], list[Any]]:
    """Return a compiled function from the input to the gradients of the layer's weights."""
    import tensorflow as tf

    @tf.function
    def step(x: Any) -> list[Any]:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(layer(x)))
        return tape.gradient(loss, layer.trainable_variables)

    return step


def count_operations(size: int) -> int:
    """Count the operations of the convolutions that a step on one patch must do.

    A multiplication and an addition count as two.
    """
    outputs = size**2 * 4 * FILTERS  # the sums of four gates at each pixel
    per_channel = 2 * KERNEL_SIZE**2 * outputs
    of_inputs = per_channel * BANDS * DATES
    of_states = per_channel * FILTERS * (DATES - 1)  # there is no state before the first date
    # Forward, and backward once for the weights. States need a gradient too; the input does not.
    return 2 * of_inputs + 3 * of_states


def measure(quick: bool, rounds: int) -> dict[str, list]:
    """Compare both.

    Raises:
        Skipped: Keras runs on another backend.
    """
    import keras

    from multisenge_lib.models import ConvLSTM2D

    if keras.backend.backend() != "tensorflow":
        raise Skipped("it is written for TensorFlow: unset KERAS_BACKEND")
    size = 64 if quick else 256
    shape = (1, DATES, size, size, BANDS)
    x = keras.random.normal(shape, seed=1)
    ours = ConvLSTM2D(FILTERS, KERNEL_SIZE)
    theirs = keras.layers.ConvLSTM2D(FILTERS, KERNEL_SIZE, padding="same")
    ours.build(shape)
    theirs.build(shape)
    theirs.set_weights(ours.get_weights())
    if not np.allclose(ours(x), theirs(x), atol=1e-5):
        raise RuntimeError("the two give different states: there is nothing to compare")

    row = compared(
        f"ConvLSTM, forward and backward, {size} pixels",
        partial(training_step(ours), x),
        "Keras' own",
        partial(training_step(theirs), x),
        rounds,
        floor=count_operations(size) / peak(quick),
    )
    return {"rows": [row]}
