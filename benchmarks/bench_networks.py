"""Training step, prediction and map of a network, here and in eager PyTorch, with the same weights.

That both give the same logits is checked first. The floor is the time that the counted operations
take at the peak of a single-precision matrix product. float32, bfloat16 and the peer take turns, so
that both are compared with the same seconds; prediction comes first, as in a process that only
predicts: training leaves an allocator behind in which every network, the peer too, predicts faster.
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from common import Skipped, compared, in_turns, peak, row

EXPERIMENT = "inception_10c"
#: Logits of the two may differ by so much in float32, in units of the largest.
APART = 1e-3
PEER = "PyTorch, eager, float32"
BFLOAT16 = "mixed_bfloat16"


@dataclass(frozen=True)
class Pair:
    """Our network and the peer, with the same batch for both."""

    model: Any
    inputs: dict
    ids: Any
    tensors: dict
    labels: Any
    peer: Any
    adam: Any

    @classmethod
    def of(cls, size: int, precision: str = "float32") -> "Pair":
        import keras
        import torch
        from peer import Peer

        from multisenge_lib.models import build_model, get_experiment
        from multisenge_lib.training import weighted_loss

        experiment = get_experiment(EXPERIMENT)
        keras.config.set_dtype_policy(precision)
        model = build_model(experiment, size)
        keras.config.set_dtype_policy("float32")
        model.compile(keras.optimizers.Adam(1e-3), weighted_loss(np.ones(experiment.classes)))
        peer = Peer(experiment, {tensor.name: tensor.shape[-1] for tensor in model.inputs})
        peer.take(model)
        inputs = random_series(model, (size, size))
        inputs = {name: series[None] for name, series in inputs.items()}
        ids = np.random.default_rng(2).integers(1, experiment.classes + 1, (1, size, size))
        tensors, adam = as_tensors(inputs), torch.optim.Adam(peer.parameters(), 1e-3)
        return cls(model, inputs, ids, tensors, torch.tensor(ids - 1), peer, adam)

    def peer_predicts(self, tensors: dict | None = None) -> Any:
        import torch

        with torch.no_grad():
            return self.peer.eval()(tensors or self.tensors)

    def peer_trains(self) -> None:
        from torch.nn.functional import cross_entropy

        self.peer.train()
        self.adam.zero_grad()
        cross_entropy(self.peer(self.tensors), self.labels).backward()
        self.adam.step()

    def predicts(self) -> np.ndarray:
        return self.model.predict_on_batch(self.inputs)

    def trains(self) -> None:
        self.model.train_on_batch(self.inputs, self.ids)

    def apart(self) -> float:
        """Largest difference of logits, in units of the largest."""
        ours, theirs = self.predicts(), self.peer_predicts().permute(0, 2, 3, 1).numpy()
        return float(np.abs(ours - theirs).max() / np.abs(ours).max())


def random_series(model: Any, shape: tuple[int, int]) -> dict[str, np.ndarray]:
    """By sensor `(dates, height, width, bands) float32`, near what a standardised input holds."""
    rng, series = np.random.default_rng(1), {}
    for tensor in model.inputs:
        _, dates, _, _, bands = tensor.shape
        drawn = rng.normal(size=(dates, *shape, bands)).astype(np.float32)
        series[tensor.name] = np.exp(drawn) if tensor.name == "s1" else np.abs(drawn) + 0.1
    return series


def as_tensors(inputs: dict) -> dict:
    """`(batch, dates, bands, height, width)`, Sentinel-1 in decibels: what the peer takes."""
    import torch

    decibel = {name: 10 * np.log10(x) if name == "s1" else x for name, x in inputs.items()}
    return {name: torch.tensor(x).permute(0, 1, 4, 2, 3) for name, x in decibel.items()}


def peer_maps(pair: Pair, series: dict, windows: Any) -> np.ndarray:
    """`(height, width, classes)` probabilities: the same windows and weights, one by one."""
    tensors = as_tensors({sensor: x[None] for sensor, x in series.items()})
    total = np.zeros((*windows.shape, pair.model.output_shape[-1]), np.float32)
    weights = np.zeros((*windows.shape, 1), np.float32)
    weight = (windows.weights_1d[:, None] * windows.weights_1d)[..., None]
    for top in windows.starts(0):
        for left in windows.starts(1):
            here = slice(top, top + windows.side), slice(left, left + windows.side)
            logits = pair.peer_predicts({s: x[..., *here] for s, x in tensors.items()})
            total[here] += weight * logits.softmax(1)[0].permute(1, 2, 0).numpy()
            weights[here] += weight
    return total / weights


def rows_of(work: str, rounds: int, pairs: dict, method: str, options: dict) -> list[dict]:
    """A row for each precision, timed in turns with each other and the peer."""
    calls = {precision: getattr(pair, method) for precision, pair in pairs.items()}
    peer = getattr(pairs["float32"], f"peer_{method}")
    taken = in_turns({**calls, PEER: peer}, rounds)
    return [
        row(f"{work}, {precision}", taken[precision], PEER, taken[PEER], **options[precision])
        for precision in pairs
    ]


def mapped(pair: Pair, size: int, rounds: int) -> dict:
    """A whole raster of two and a half windows a side, in memory."""
    from multisenge_lib.maps import predict_map
    from multisenge_lib.maps.windows import Windows

    shape = (5 * size // 2, 5 * size // 2)
    windows, series = Windows(shape, size, size // 4), random_series(pair.model, shape)
    ours = partial(predict_map, pair.model, series, size)
    theirs = partial(peer_maps, pair, series, windows)
    if not np.allclose(ours()[1], theirs(), atol=APART):
        raise RuntimeError("the two draw different maps: there is nothing to compare")
    words = f"map of {shape[0]} x {shape[1]} pixels"
    return compared(words, ours, f"{PEER}, window by window", theirs, rounds, target_ratio=1.5)


def multiplies_bfloat16() -> bool:
    """Whether Linux says that the processor has instructions for bfloat16; elsewhere it is slow."""
    processor = Path("/proc/cpuinfo")
    if not processor.exists():
        return False
    words = processor.read_text().split()
    return "avx512_bf16" in words or "amx_bf16" in words


def measure(quick: bool, rounds: int) -> dict[str, list]:
    try:
        import torch  # noqa: F401
    except ImportError:
        why = "PyTorch is not installed, so there is no peer: pip install torch"
        raise Skipped(why) from None
    from multisenge_lib.models import cost

    size = 64 if quick else 256
    precisions = ["float32", BFLOAT16] if multiplies_bfloat16() else ["float32"]
    pairs = {precision: Pair.of(size, precision) for precision in precisions}
    pair = pairs["float32"]
    if (apart := pair.apart()) > APART:
        raise RuntimeError(f"logits are {apart:.1e} apart: there is nothing to compare")
    floor = cost.step_operations(pair.model, 1) / peak(quick)
    predicting = {
        "float32": {"target_ratio": 1.5, "floor": floor / 3},
        BFLOAT16: {"target_ratio": 2.5},
    }
    training = {"float32": {"target_ratio": 1.25, "floor": floor, "target_times_floor": 1.6}}
    training |= {BFLOAT16: {"target_ratio": 1.8}}
    rows = rows_of("prediction", rounds, pairs, "predicts", predicting)
    rows += [mapped(pair, size, rounds)]
    rows += rows_of("training step", rounds, pairs, "trains", training)
    if BFLOAT16 in precisions:
        return {"rows": rows}
    why = "the processor does not multiply it: no AVX512-BF16 or AMX, as far as the system tells"
    return {"rows": rows, "skipped": [{"what": "networks in bfloat16", "why": why}]}
