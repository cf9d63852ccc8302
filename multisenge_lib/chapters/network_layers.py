"""Tables of a network's layers and of what they see, read from the network itself."""

from collections.abc import Iterator
from typing import Any

import keras
import pandas as pd


def _tensors(node: Any) -> Iterator[dict[str, Any]]:
    """Find the tensors in a layer's serialised call, however they are nested."""
    if isinstance(node, dict):
        if "keras_history" in node:
            yield node
        else:
            yield from _tensors(list(node.values()))
    elif isinstance(node, list | tuple):
        for part in node:
            yield from _tensors(part)


def layer_table(model: keras.Model) -> pd.DataFrame:
    """Tabulate a network: one row per layer, in the order of computation.

    Args:
        model: a functional model; a model inside it is one row.

    Returns:
        Indexed by the layer's name: `kind` (its class), `shape` (of its output, without the
        batch), `parameters` (trainable or not), `inputs` (names of the layers it takes).
    """
    rows: dict[str, dict[str, Any]] = {}
    # Operations that are not layers, such as the decibels, get no row. What they take is passed
    # through to the layers behind them.
    passed_through: dict[str, list[str]] = {}
    for operation, config in zip(model.operations, model.get_config()["layers"], strict=True):
        sources: list[str] = []
        for tensor in _tensors(config["inbound_nodes"]):
            name = tensor["keras_history"][0]
            sources += passed_through.get(name, [name])
        if not isinstance(operation, keras.Layer):
            passed_through[operation.name] = sources
            continue
        rows[operation.name] = {
            "kind": type(operation).__name__,
            "shape": tuple(operation.output.shape[1:]),
            "parameters": operation.count_params(),
            "inputs": tuple(sources),
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("layer")


def receptive_fields_of(unet: pd.DataFrame, field: int = 1) -> pd.DataFrame:
    """Compute the receptive field of each stage of a U-Net's encoder.

    A convolution of 3 x 3 adds one step on each side. Halving adds one step and doubles it.

    Args:
        unet: `layer_table` of the U-Net.
        field: side, in pixels, of the receptive field of each pixel of its input.

    Returns:
        One row per encoder stage, and the centre, after its last convolution: `step`, the pixels
        along the ground that one value stands for; `field`, the side of its receptive field in
        pixels.
    """
    step = 1
    rows = {}
    for layer, kind in unet["kind"].items():
        stage = layer.split("_")[0].rstrip("ab")  # "centrea" and "centreb" are one stage
        if kind == "MaxPooling2D":
            field += step
            step *= 2
        elif kind == "Conv2D" and stage.startswith(("block", "centre")):
            field += 2 * step
            rows[stage] = {"step": step, "field": field}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("stage")
