"""Forward and backward pass of our ConvLSTM against Keras' own, in turns, in one process.

    python benchmarks/bench_conv_lstm.py [--size 256] [--repeats 7] [--jit]

Both run the paper's S2 branch, (batch, 4, size, size, 10) to 32 filters, with the same weights. The
machine may be shared: read the ratio of neighbours in time, not the seconds. The peak is a
single-precision matrix product's, measured between the rounds.
"""

import argparse
import os
import statistics
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

from multisenge_lib.models import ConvLSTM2D

DATES, BANDS, FILTERS, SIDE = 4, 10, 32, 3


def step_of(layer, jit):
    @tf.function(jit_compile=jit)
    def step(x):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(layer(x)))
        return tape.gradient(loss, layer.trainable_variables)

    return step


def seconds(call, *arguments):
    start = time.perf_counter()
    result = call(*arguments)
    np.asarray(result[0] if isinstance(result, list) else result)
    return time.perf_counter() - start


def operations(batch, size):
    """Of the convolutions that must be done: a multiplication and an addition count as two.

    Forward; backward once more for the weights, and once more for the states (the input has no
    gradient). Inputs of four dates, states of three.
    """
    place = 2 * SIDE**2 * 4 * FILTERS * batch * size**2
    inputs, states = place * BANDS * DATES, place * FILTERS * (DATES - 1)
    return 2 * inputs + 3 * states


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--jit", action="store_true", help="compile both with XLA")
    args = parser.parse_args()

    shape = (args.batch, DATES, args.size, args.size, BANDS)
    x = tf.random.stateless_normal(shape, (1, 2))
    ours = ConvLSTM2D(FILTERS, SIDE)
    theirs = keras.layers.ConvLSTM2D(FILTERS, SIDE, padding="same")
    for layer in (ours, theirs):
        layer.build(shape)
    theirs.set_weights(ours.get_weights())
    apart = np.abs(np.asarray(ours(x)) - np.asarray(theirs(x))).max()

    matrix = tf.random.stateless_normal((2048, 2048), (3, 4))
    rivals = {"ours": (step_of(ours, args.jit), x), "keras": (step_of(theirs, args.jit), x)}
    rivals["sgemm"] = (tf.function(lambda m: m @ m), matrix)
    for call in rivals.values():
        seconds(*call)
    rounds = [{name: seconds(*call) for name, call in rivals.items()} for _ in range(args.repeats)]

    best = {name: min(r[name] for r in rounds) for name in rivals}
    ratios = [r["keras"] / r["ours"] for r in rounds]
    peak = 2 * 2048**3 / best["sgemm"]
    print(f"{shape}, {args.repeats} rounds, XLA {'on' if args.jit else 'off'}")
    print(f"largest difference of outputs: {apart:.1e}")
    print(f"best: ours {best['ours']:.3f} s, keras {best['keras']:.3f} s")
    print(
        f"keras / ours: median {statistics.median(ratios):.2f} (round by round "
        f"{min(ratios):.2f} to {max(ratios):.2f})"
    )
    for name in ("ours", "keras"):
        share = operations(args.batch, args.size) / best[name] / peak
        print(f"{name}: {100 * share:.0f} % of the matrix peak, {peak / 1e9:.0f} GFLOP/s")


if __name__ == "__main__":
    main()
