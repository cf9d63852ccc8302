"""Forward and backward pass of our ConvLSTM against Keras' own, with the same weights.

Both run the paper's S2 branch, (batch, 4, size, size, 10) to 32 filters, in TensorFlow.
"""

from functools import partial

import numpy as np
from common import Skipped, compared, peak

DATES, BANDS, FILTERS, SIDE = 4, 10, 32, 3


def step_of(layer):
    import tensorflow as tf

    @tf.function
    def step(x):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(layer(x)))
        return tape.gradient(loss, layer.trainable_variables)

    return step


def operations(batch, size):
    """Of the convolutions that must be done: a multiplication and an addition count as two.

    Forward; backward once more for the weights, and once more for the states (the input has no
    gradient). Inputs of four dates, states of three.
    """
    place = 2 * SIDE**2 * 4 * FILTERS * batch * size**2
    inputs, states = place * BANDS * DATES, place * FILTERS * (DATES - 1)
    return 2 * inputs + 3 * states


def measure(quick, rounds):
    import keras

    from multisenge_lib.models import ConvLSTM2D

    if keras.backend.backend() != "tensorflow":
        raise Skipped("it is written for TensorFlow: unset KERAS_BACKEND")
    shape = (1, DATES, *(64 if quick else 256,) * 2, BANDS)
    x = keras.random.normal(shape, seed=1)
    ours = ConvLSTM2D(FILTERS, SIDE)
    theirs = keras.layers.ConvLSTM2D(FILTERS, SIDE, padding="same")
    for layer in (ours, theirs):
        layer.build(shape)
    theirs.set_weights(ours.get_weights())
    if not np.allclose(ours(x), theirs(x), atol=1e-5):
        raise RuntimeError("the two give different states: there is nothing to compare")
    floor = operations(1, shape[2]) / peak(quick)
    calls = [partial(step_of(layer), x) for layer in (ours, theirs)]
    words = f"ConvLSTM, forward and backward, {shape[2]} pixels"
    return {"rows": [compared(words, calls[0], "Keras' own", calls[1], rounds, floor=floor)]}
