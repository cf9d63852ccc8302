"""What a training step costs: operations and memory, from shapes alone.

The estimate of memory errs on the high side: every layer's output counts as kept for the backward
pass, which a compiler may avoid. Not counted is the work space of the convolutions.
"""

from collections.abc import Iterator
from math import prod

import keras
import pandas as pd

from multisenge_lib.errors import ExperimentError
from multisenge_lib.models.conv_lstm import ConvLSTM2D

#: Adam keeps, for each weight, the weight, its gradient, and two moments.
COPIES_OF_WEIGHTS = 4
#: What a ConvLSTM keeps of each date for the backward pass: i, f, o, tanh(c), C, tanh(C) and H.
_ACTIVATIONS_PER_DATE = 7
#: The backward pass computes the gradients of inputs and of weights: twice the forward pass.
_PASSES = 3


def costs(model: keras.Model) -> pd.DataFrame:
    """Compute the cost of one patch by block: the layers before the U-Net, and the U-Net as one.

    Args:
        model: from `build_model`.

    Returns:
        Indexed by block: `macs`, multiply-accumulate operations of the forward pass; `activations`,
        values kept for the backward pass (numbers, not bytes); `parameters` (trainable).
    """
    rows = []
    for block, layer in _layers(_for_one_patch(model)):
        macs, activations = _cost(layer)
        parameters = sum(prod(weight.shape) for weight in layer.trainable_variables)
        rows.append((block, macs, activations, parameters))
    table = pd.DataFrame(rows, columns=["block", "macs", "activations", "parameters"])
    return table.groupby("block", sort=False).sum()


def _layers(model: keras.Model, block: str = "") -> Iterator[tuple[str, keras.Layer]]:
    """Yield every layer with its block: the model inside which it is, else its own name."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from _layers(layer, layer.name)
        elif not isinstance(layer, keras.layers.InputLayer):
            yield block or layer.name, layer


def _for_one_patch(model: keras.Model) -> keras.Model:
    """Rebuild a network for a batch of one patch, if a layer of it moves dates into the batch.

    A layer that moves the dates into the batch says so by its attribute `changes_batch`. What
    follows it is computed once per date, which the shapes show only if the size of the batch is
    known.
    """
    if not any(getattr(layer, "changes_batch", False) for layer in model.layers):
        return model
    inputs = {}
    for name, tensor in model.input.items():
        inputs[name] = keras.Input(batch_shape=(1, *tensor.shape[1:]), name=name)
    # A copy of a compiled network would be compiled too, and Keras cannot copy our loss.
    uncompiled = keras.Model(model.input, model.output, name=model.name)
    return keras.models.clone_model(uncompiled, input_tensors=inputs)


#: Layers that use each weight of their kernel once for each pixel that they give.
_CONVOLUTIONS = (keras.layers.Conv2D, keras.layers.Conv3D, keras.layers.Dense)
#: Layers that use each weight of their kernel once for each pixel that they take.
_TRANSPOSED = (keras.layers.Conv2DTranspose, keras.layers.Conv3DTranspose)


def _cost(layer: keras.Layer) -> tuple[int, int]:
    """Return the multiply-accumulates of a layer's forward pass, and its activations."""
    if isinstance(layer, ConvLSTM2D):
        return _cost_of_conv_lstm(layer)
    activations = _count(layer.output.shape)
    if isinstance(layer, _CONVOLUTIONS):
        pixels = _count(layer.output.shape[:-1])
    elif isinstance(layer, _TRANSPOSED):
        pixels = _count(layer.input.shape[:-1])
    else:
        return 0, activations
    return pixels * prod(layer.kernel.shape), activations


def _count(shape: tuple[int | None, ...]) -> int:
    """Count the values in a tensor of this shape; a batch of unknown size counts as one patch.

    Raises:
        ExperimentError: height, width or channels are unknown.
    """
    batch, *others = shape
    if None in others:
        raise ExperimentError(
            f"a layer of the network gives images of an unknown size, {tuple(shape)}, so its "
            "operations cannot be counted: give `build_model` a size, and inner networks the "
            "shape of their input, as in `build_unet(channels, classes, shape=(height, width))`"
        )
    return prod(others) * (batch or 1)


def _cost_of_conv_lstm(layer: ConvLSTM2D) -> tuple[int, int]:
    _, dates, height, width, _ = layer.input.shape
    pixels = height * width
    from_inputs = dates * pixels * prod(layer.kernel.shape)
    # The first date has no state before it to convolve.
    from_states = (dates - 1) * pixels * prod(layer.recurrent_kernel.shape)
    activations = _ACTIVATIONS_PER_DATE * dates * pixels * layer.filters
    return from_inputs + from_states, activations


def step_operations(model: keras.Model, batch: int) -> float:
    """Return the floating-point operations of a training step: two per multiply-accumulate."""
    macs = float(costs(model)["macs"].sum())
    return _PASSES * 2 * macs * batch


def step_memory(model: keras.Model, batch: int, bytes_each: int = 4) -> pd.Series:
    """Estimate the memory that a training step keeps, in bytes.

    Args:
        model: from `build_model`.
        batch: patches.
        bytes_each: bytes of one activation, 4 in float32 and 2 in mixed precision; weights stay
            float32.

    Returns:
        `inputs`, `activations` of the layers, `weights` with what Adam keeps, `labels`.
    """
    table = costs(model)
    input_values = sum(prod(tensor.shape[1:]) for tensor in model.inputs)
    pixels = prod(model.output.shape[1:3])
    return pd.Series(
        {
            "inputs": 4 * batch * input_values,
            "activations": bytes_each * batch * int(table["activations"].sum()),
            "weights": 4 * COPIES_OF_WEIGHTS * int(table["parameters"].sum()),
            "labels": batch * pixels,
        }
    )
