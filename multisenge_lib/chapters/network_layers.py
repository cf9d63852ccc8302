"""A model's blocks as a table, read from the model itself."""

from collections.abc import Iterator
from typing import Any

import keras
import pandas as pd


def _tensors(node: Any) -> Iterator[dict[str, Any]]:
    """The tensors in a layer's serialised call, however they are nested."""
    if isinstance(node, dict):
        if "keras_history" in node:
            yield node
        else:
            yield from _tensors(list(node.values()))
    elif isinstance(node, (list, tuple)):
        for part in node:
            yield from _tensors(part)


def layer_table(model: keras.Model) -> pd.DataFrame:
    """One row a layer, in the order of computation; a model inside the model is one row.

    Args:
        model: a functional model.

    Returns:
        Indexed by the layer's name: `kind` (its class), `shape` (of its output, without the
        batch), `parameters` (trainable or not), `inputs` (names of the layers it takes).
    """
    rows: dict[str, dict[str, Any]] = {}
    through: dict[str, list[str]] = {}  # operations that are no layers, such as the decibel's
    for operation, config in zip(model.operations, model.get_config()["layers"], strict=True):
        called = [tensor["keras_history"][0] for tensor in _tensors(config["inbound_nodes"])]
        sources = [source for name in called for source in through.get(name, [name])]
        if not isinstance(operation, keras.Layer):
            through[operation.name] = sources
            continue
        rows[operation.name] = {
            "kind": type(operation).__name__,
            "shape": tuple(operation.output.shape[1:]),
            "parameters": operation.count_params(),
            "inputs": tuple(sources),
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("layer")
