"""The peer: the same network in PyTorch with the same weights, as a careful user runs it.

Channels last, `torch.compile`, the fused Adam, autocast to bfloat16, TensorFloat-32 as JAX has it.
Its inputs are standardised before the time is taken, while our network does that in each step.
"""

import time
from typing import Any

import keras
import numpy as np
import torch
from peer import Peer
from torch.nn.functional import cross_entropy

from gpu_parts.networks import STATISTICS
from multisenge_lib.models import Experiment


class TorchPeer:
    """Trains the peer on one batch.

    Args:
        model: ours, whose weights the peer takes.
        experiment: of both.
        batch: of `random_batch`.
        precision: Keras' dtype policy, `float32` or `mixed_bfloat16`.
        tf32: whether float32 may be multiplied with TensorFloat-32.

    Attributes:
        mode: how it runs, in words.
    """

    def __init__(
        self,
        model: keras.Model,
        experiment: Experiment,
        batch: tuple[dict[str, np.ndarray], np.ndarray],
        precision: str,
        tf32: bool,
    ):
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        torch.backends.cuda.matmul.allow_tf32 = tf32
        torch.backends.cudnn.allow_tf32 = tf32
        torch.backends.cudnn.benchmark = True
        self.in_bfloat16 = precision == "mixed_bfloat16"

        bands = {tensor.name: tensor.shape[-1] for tensor in model.inputs}
        peer = Peer(experiment, bands)
        peer.take_weights(model)
        self.network = peer.to(self.device, memory_format=torch.channels_last)
        self.step_network = self.network
        self.mode = "eager, channels last"
        on_gpu = self.device == "cuda"
        self.optimizer = torch.optim.Adam(self.network.parameters(), 1e-3, fused=on_gpu)

        inputs, ids = batch
        self.inputs = {sensor: self._tensor(sensor, series) for sensor, series in inputs.items()}
        self.labels = torch.tensor(ids.astype(np.int64) - 1, device=self.device)

    def _tensor(self, sensor: str, series: np.ndarray) -> torch.Tensor:
        """Return a series `(batch, dates, bands, height, width)`, standardised, channels last."""
        values = series.astype(np.float32)
        if sensor == "s1":
            values = 10 * np.log10(values)
        mean, deviation = np.array(STATISTICS[sensor], np.float32)
        values = (values - mean) / deviation
        # Dates first in memory, so that the images of one date lie together, channels last.
        by_date = np.ascontiguousarray(values.swapaxes(0, 1))
        tensor = torch.tensor(by_date, device=self.device).permute(1, 0, 4, 2, 3)
        return tensor.bfloat16() if self.in_bfloat16 else tensor

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self.device, torch.bfloat16, enabled=self.in_bfloat16)

    def logits(self) -> np.ndarray:
        """Return the logits of the batch, `(batch, height, width, classes) float32`."""
        self.network.eval()
        with torch.no_grad(), self._autocast():
            logits = self.network(self.inputs)
        return logits.float().permute(0, 2, 3, 1).cpu().numpy()

    def compile(self) -> None:
        """Let PyTorch compile the network when it is first trained."""
        self.step_network = torch.compile(self.network)
        self.mode = "torch.compile, channels last"

    def train(self, steps: int) -> float:
        """Train for some steps, and return the seconds per step."""
        self.network.train()
        start = time.perf_counter()
        for _ in range(steps):
            self.optimizer.zero_grad(set_to_none=True)
            with self._autocast():
                logits = self.step_network(self.inputs)
            cross_entropy(logits.float(), self.labels).backward()
            self.optimizer.step()
        # PyTorch returns before the GPU is ready: wait once, for all steps.
        if self.device == "cuda":
            torch.cuda.synchronize()
        return (time.perf_counter() - start) / steps

    def peak_memory_bytes(self) -> int | None:
        """Return the most memory that PyTorch has had on the GPU; None on a CPU."""
        if self.device != "cuda":
            return None
        return torch.cuda.max_memory_allocated()

    def versions(self) -> dict[str, Any]:
        """Return what PyTorch was built for."""
        return {"torch": torch.__version__, "cuda": torch.version.cuda}
