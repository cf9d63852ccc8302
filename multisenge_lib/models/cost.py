"""What a training step costs, from shapes alone: operations and memory.

An estimate that errs on the high side for memory: every layer's output is counted as kept for the
backward pass, which a compiler may avoid; and not counted is what the convolutions borrow while
they run.
"""

import time
from collections.abc import Iterator
from math import prod

import keras
import numpy as np
import pandas as pd

from multisenge_lib.models.conv_lstm import ConvLSTM2D

#: Adam keeps, for each weight, the weight, its gradient, and two moments.
COPIES_OF_WEIGHTS = 4
#: What a ConvLSTM keeps of a date for the backward pass: i, f, o, tanh(c), C, tanh(C) and H.
_KEPT_A_DATE = 7


def _layers(model: keras.Model, block: str = "") -> Iterator[tuple[str, keras.Layer]]:
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from _layers(layer, layer.name)
        elif not isinstance(layer, keras.layers.InputLayer):
            yield block or layer.name, layer


def _conv_lstm(layer: ConvLSTM2D) -> tuple[int, int]:
    _, dates, height, width, _ = layer.input.shape
    pixels = height * width
    from_inputs = dates * pixels * prod(layer.kernel.shape)
    recurrent = (dates - 1) * pixels * prod(layer.recurrent_kernel.shape)
    return from_inputs + recurrent, _KEPT_A_DATE * dates * pixels * layer.filters


def _cost(layer: keras.Layer) -> tuple[int, int]:
    """Multiplications in the forward pass, and values kept for the backward pass, of one patch."""
    if isinstance(layer, ConvLSTM2D):
        return _conv_lstm(layer)
    kept = prod(layer.output.shape[1:])
    if isinstance(layer, keras.layers.Conv2D):
        return prod(layer.output.shape[1:3]) * prod(layer.kernel.shape), kept
    return 0, kept


def costs(model: keras.Model) -> pd.DataFrame:
    """Cost of one patch by block: the layers before the U-Net, and the U-Net as one.

    Args:
        model: of `build_model`.

    Returns:
        Indexed by block: `multiplications` of the forward pass, `kept` values (numbers, not
        bytes), `parameters` (trainable).
    """
    rows = [
        (block, *_cost(layer), sum(prod(v.shape) for v in layer.trainable_variables))
        for block, layer in _layers(model)
    ]
    columns = ["block", "multiplications", "kept", "parameters"]
    return pd.DataFrame(rows, columns=columns).groupby("block", sort=False).sum()


def step_operations(model: keras.Model, batch: int) -> float:
    """Of floating point, in a training step: two a multiplication, backward twice forward."""
    return 3 * 2 * float(costs(model)["multiplications"].sum()) * batch


def step_memory(model: keras.Model, batch: int, bytes_each: int = 4) -> pd.Series:
    """Bytes of a training step: `inputs`, `kept` by the layers, `weights` with Adam, `labels`.

    Args:
        model: of `build_model`.
        batch: patches.
        bytes_each: of a value kept, 4 for float32 and 2 for mixed precision; weights stay float32.
    """
    table = costs(model)
    inputs = sum(prod(tensor.shape[1:]) for tensor in model.inputs)
    pixels = prod(model.output.shape[1:3])
    return pd.Series(
        {
            "inputs": 4 * batch * inputs,
            "kept": bytes_each * batch * int(table["kept"].sum()),
            "weights": 4 * COPIES_OF_WEIGHTS * int(table["parameters"].sum()),
            "labels": batch * pixels,
        }
    )


def seconds_per_step(model: keras.Model, batch: int, steps: int = 3) -> float:
    """Median of some training steps on zeros, after one to warm up; the model is compiled anew."""
    inputs = {t.name: np.zeros((batch, *t.shape[1:]), np.float32) for t in model.inputs}
    labels = np.zeros((batch, *model.output.shape[1:3]), np.int32)
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    taken = []
    for _ in range(steps + 1):
        start = time.perf_counter()
        model.train_on_batch(inputs, labels)
        taken.append(time.perf_counter() - start)
    return float(np.median(taken[1:]))


def matrix_peak(side: int = 4096, repeats: int = 5) -> float:
    """Operations a second of the backend's best single-precision matrix product, measured.

    The backend's own product, after one to warm up: NumPy's may reach half of it, and a floor made
    from that would be too easy.
    """
    a, taken = keras.ops.ones((side, side)), []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        keras.ops.convert_to_numpy(keras.ops.matmul(a, a)[0])  # a row: the product is there
        taken.append(time.perf_counter() - start)
    return 2 * side**3 / min(taken[1:])
