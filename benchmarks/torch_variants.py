"""The ways in which a careful user runs the peer on a processor, in one precision.

Eager or compiled, channels first or last, float32 or autocast to bfloat16. The library is compared
with the fastest of them. All variants of one memory layout share their weights.
"""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import keras
import numpy as np
import torch
from common import STATISTICS, Skipped
from peer import Peer
from torch import nn
from torch.nn.functional import cross_entropy

from multisenge_lib.models import Experiment

#: By Keras' name of a precision, what PyTorch users call it.
PRECISION_NAMES = {"float32": "float32", "mixed_bfloat16": "bfloat16 autocast"}


@dataclass(frozen=True)
class TorchVariant:
    """The peer, run in one way on one batch.

    Attributes:
        name: of the way, in words.
        network: the peer, as it is or compiled.
        optimizer: of its weights.
        inputs: series by sensor, `(1, dates, bands, height, width)`.
        labels: `(1, height, width)`, from 0.
        in_bfloat16: whether it runs under autocast to bfloat16.
    """

    name: str
    network: Callable
    optimizer: torch.optim.Optimizer
    inputs: Mapping[str, torch.Tensor]
    labels: torch.Tensor
    in_bfloat16: bool

    def _autocast(self) -> torch.autocast:
        return torch.autocast("cpu", torch.bfloat16, enabled=self.in_bfloat16)

    def predict(self, inputs: Mapping[str, torch.Tensor] | None = None) -> torch.Tensor:
        """Return the logits of the batch, or of other inputs: `(batch, classes, height, width)`."""
        self.network.eval()
        with torch.no_grad(), self._autocast():
            logits = self.network(self.inputs if inputs is None else inputs)
        return logits.float()

    def train(self) -> None:
        """Train one step."""
        self.network.train()
        self.optimizer.zero_grad(set_to_none=True)
        with self._autocast():
            logits = self.network(self.inputs)
        cross_entropy(logits.float(), self.labels).backward()
        self.optimizer.step()


def torch_variants(
    model: keras.Model,
    experiment: Experiment,
    inputs: Mapping[str, np.ndarray],
    ids: np.ndarray,
    precision: str,
    compiled: bool,
) -> list[TorchVariant]:
    """Make all variants of one precision, with the weights of our network.

    Args:
        model: ours.
        experiment: of both.
        inputs: of our network, a batch of one.
        ids: `(1, height, width)`, from 1.
        precision: Keras' name of it.
        compiled: whether to compile as well; see `check_compiler`.
    """
    labels = torch.tensor(ids - 1)
    in_bfloat16 = precision == "mixed_bfloat16"

    def variant(way: str, network: Callable, optimizer: torch.optim.Optimizer, last: bool):
        name = f"{way}, {PRECISION_NAMES[precision]}"
        tensors = as_tensors(inputs, channels_last=last)
        return TorchVariant(name, network, optimizer, tensors, labels, in_bfloat16)

    first = _peer(model, experiment)
    adam = torch.optim.Adam(first.parameters(), 1e-3)
    variants = [variant("eager", first, adam, last=False)]

    last = _peer(model, experiment).to(memory_format=torch.channels_last)
    adam = torch.optim.Adam(last.parameters(), 1e-3)
    variants.append(variant("eager, channels last", last, adam, last=True))
    if compiled:
        # The first call compiles, which takes a minute or two; it is not counted.
        network = torch.compile(last)
        variants.append(variant("torch.compile, channels last", network, adam, last=True))
    return variants


def _peer(model: keras.Model, experiment: Experiment) -> nn.Module:
    """Make the peer with the weights of our network."""
    bands = {tensor.name: tensor.shape[-1] for tensor in model.inputs}
    peer = Peer(experiment, bands)
    peer.take_weights(model)
    return peer


def as_tensors(
    inputs: Mapping[str, np.ndarray], channels_last: bool = False
) -> dict[str, torch.Tensor]:
    """Turn our inputs into what the peer takes, whose network does not standardise.

    Args:
        inputs: series by sensor, `(batch, dates, height, width, bands)`, as rasters hold them.
        channels_last: how the images lie in memory.

    Returns:
        Tensors `(batch, dates, bands, height, width)` by sensor, standardised.
    """
    tensors = {}
    for sensor, series in inputs.items():
        values = 10 * np.log10(series) if sensor == "s1" else series
        mean, deviation = np.array(STATISTICS[sensor], np.float32)
        standardised = (values - mean) / deviation
        tensor = torch.tensor(standardised).permute(0, 1, 4, 2, 3)
        # The array has its channels last; the permutation only renames its axes.
        tensors[sensor] = tensor if channels_last else tensor.contiguous()
    return tensors


@functools.cache
def check_compiler() -> None:
    """Compile something tiny.

    Raises:
        Skipped: `torch.compile` does not work here; mostly there is no C++ compiler.
    """
    try:
        torch.compile(lambda x: x.sigmoid() + 1)(torch.ones(8))
    except Exception as error:  # of PyTorch's compiler, which has dozens of kinds
        lines = str(error).strip().splitlines()
        reason = lines[0] if lines else type(error).__name__
        raise Skipped(f"it needs a C++ compiler such as g++ ({reason})") from None
