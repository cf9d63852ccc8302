"""Training step, prediction and map of a network, here and in PyTorch, with the same weights.

The peer is the fastest of the ways in which a careful user runs PyTorch (`torch_variants.py`), in
the same precision. That both give the same logits is checked first. The floor is the time that the
counted operations take at the peak of a single-precision matrix product.

Our networks and all variants of the peer take turns, so that all are compared in the same seconds.
Prediction comes first, as in a process that only predicts: training leaves an allocator behind in
which every network, the peer too, predicts faster.
"""

import importlib.util
import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from common import STATISTICS, Skipped, compared, in_turns, peak, processor, row

EXPERIMENT = "inception_10c"
#: Logits of the two may differ by so much in float32, in units of the largest.
LARGEST_DIFFERENCE = 1e-3
BFLOAT16 = "mixed_bfloat16"

#: What we want, beside the fastest variant of PyTorch in the same precision.
PREDICTION_TARGETS = {"float32": {"target_ratio": 1.4}, BFLOAT16: {"target_ratio": 1.2}}
TRAINING_TARGETS = {
    "float32": {"target_ratio": 1.25, "target_times_floor": 1.45},
    BFLOAT16: {"target_ratio": 1.15},
}
MAP_TARGETS = {"target_ratio": 1.5}


@dataclass(frozen=True)
class Contest:
    """Our network and the variants of the peer in one precision, with one batch for all.

    Attributes:
        precision: Keras' name of it.
        model: ours.
        inputs: its batch of one, by sensor.
        ids: the reference `(1, height, width)`, from 1.
        variants: of the peer.
    """

    precision: str
    model: Any
    inputs: Mapping[str, np.ndarray]
    ids: np.ndarray
    variants: list

    def predict(self) -> np.ndarray:
        """Predict the batch with our network."""
        return self.model.predict_on_batch(self.inputs)

    def train(self) -> None:
        """Train our network for one step."""
        self.model.train_on_batch(self.inputs, self.ids)


def make_contest(size: int, precision: str, compiled: bool) -> Contest:
    """Build our network and the peer.

    Args:
        size: pixels along a patch's side.
        precision: Keras' name of it.
        compiled: whether `torch.compile` works here.
    """
    import keras
    from torch_variants import torch_variants

    from multisenge_lib.models import build_model, get_experiment
    from multisenge_lib.training import weighted_loss

    experiment = get_experiment(EXPERIMENT)
    keras.config.set_dtype_policy(precision)
    model = build_model(experiment, size, STATISTICS)
    keras.config.set_dtype_policy("float32")
    loss = weighted_loss(np.ones(experiment.classes))
    model.compile(keras.optimizers.Adam(1e-3), loss)

    series = random_series(model, (size, size))
    inputs = {sensor: values[np.newaxis] for sensor, values in series.items()}
    rng = np.random.default_rng(2)
    ids = rng.integers(1, experiment.classes + 1, (1, size, size))
    variants = torch_variants(model, experiment, inputs, ids, precision, compiled)
    return Contest(precision, model, inputs, ids, variants)


def random_series(model: Any, shape: tuple[int, int]) -> dict[str, np.ndarray]:
    """Draw a series for each sensor in the units of the rasters.

    Returns:
        `(dates, height, width, bands) float32` by sensor.
    """
    rng = np.random.default_rng(1)
    series = {}
    for tensor in model.inputs:
        _, dates, _, _, bands = tensor.shape
        mean, deviation = np.array(STATISTICS[tensor.name], np.float32)
        drawn = rng.normal(size=(dates, *shape, bands)).astype(np.float32)
        values = mean + deviation * drawn
        if tensor.name == "s1":
            series[tensor.name] = 10 ** (values / 10)  # from decibels to linear intensity
        else:
            # Reflectance of 0 means no data, which a map leaves out.
            series[tensor.name] = np.maximum(values, 1)
    return series


def check_logits(contest: Contest) -> None:
    """Refuse to compare networks that differ.

    Raises:
        RuntimeError: a variant of the peer gives other logits than ours.
    """
    ours = contest.predict()
    for variant in contest.variants:
        theirs = variant.predict().permute(0, 2, 3, 1).numpy()
        difference = np.abs(ours - theirs).max() / np.abs(ours).max()
        if difference > LARGEST_DIFFERENCE:
            raise RuntimeError(
                f"the logits of PyTorch ({variant.name}) differ from ours by {difference:.1e} of "
                "the largest: there is nothing to compare"
            )


def rows_of(
    work: str,
    rounds: int,
    contests: list[Contest],
    method: str,
    options: Mapping[str, Mapping[str, Any]],
) -> list[dict]:
    """Time our networks and all variants of the peer in turns; make a row per precision.

    Args:
        work: in words.
        rounds: how often each is timed.
        contests: one per precision.
        method: `predict` or `train`, of our network and of the peer.
        options: of `common.row`, by precision.

    Returns:
        Rows whose peer is the fastest variant of the precision by its median. `variants` has the
        median seconds of each.
    """
    calls = {}
    for contest in contests:
        calls[contest.precision] = getattr(contest, method)
        for variant in contest.variants:
            calls[variant.name] = getattr(variant, method)
    turns = in_turns(calls, rounds)

    rows = []
    for contest in contests:
        medians = {}
        for variant in contest.variants:
            medians[variant.name] = statistics.median(turns[variant.name])
        fastest = min(medians, key=medians.get)
        rows.append(
            row(
                f"{work}, {contest.precision}",
                turns[contest.precision],
                f"PyTorch, {fastest}",
                turns[fastest],
                **options[contest.precision],
                variants=medians,
            )
        )
    return rows


def peer_maps(
    variant: Any, series: Mapping[str, np.ndarray], windows: Any, classes: int
) -> np.ndarray:
    """Map an area with the peer: the same windows and weights, one after the other.

    Returns:
        Probabilities `(height, width, classes)`.
    """
    from torch_variants import as_tensors

    batch = {sensor: values[np.newaxis] for sensor, values in series.items()}
    tensors = as_tensors(batch, channels_last="channels last" in variant.name)
    weight = windows.weights_1d[:, None] * windows.weights_1d
    total = np.zeros((*windows.shape, classes), np.float32)
    total_weight = np.zeros(windows.shape, np.float32)
    for top in windows.starts(0):
        for left in windows.starts(1):
            rows = slice(top, top + windows.side)
            columns = slice(left, left + windows.side)
            inputs = {sensor: tensor[..., rows, columns] for sensor, tensor in tensors.items()}
            probabilities = variant.predict(inputs).softmax(1)[0].permute(1, 2, 0).numpy()
            total[rows, columns] += weight[..., None] * probabilities
            total_weight[rows, columns] += weight
    return total / total_weight[..., None]


def map_row(contest: Contest, fastest: str, size: int, rounds: int) -> dict:
    """Map a raster of two and a half windows a side, in memory, with both.

    Args:
        contest: in float32.
        fastest: the peer's variant that predicts fastest, as a row names it.
        size: of a window.
        rounds: how often both are timed.
    """
    from multisenge_lib.maps import predict_map
    from multisenge_lib.maps.windows import Windows

    variant = next(v for v in contest.variants if fastest.endswith(v.name))
    shape = (5 * size // 2, 5 * size // 2)
    windows = Windows(shape, size, size // 4)
    series = random_series(contest.model, shape)
    ours = partial(predict_map, contest.model, series, size)
    theirs = partial(peer_maps, variant, series, windows, contest.model.output_shape[-1])
    _, probabilities = ours()
    if not np.allclose(probabilities, theirs(), atol=LARGEST_DIFFERENCE):
        raise RuntimeError("the two draw different maps: there is nothing to compare")
    work = f"map of {shape[0]} x {shape[1]} pixels"
    return compared(work, ours, f"{fastest}, window by window", theirs, rounds, **MAP_TARGETS)


def multiplies_bfloat16() -> bool:
    """Whether Linux says that the processor has instructions for bfloat16; elsewhere it is slow."""
    instructions = processor()["instructions"]
    return "avx512_bf16" in instructions or "amx_bf16" in instructions


def skipped_reason(check: Callable[[], None]) -> str | None:
    """Return why a check says that something cannot be measured; None if it can."""
    try:
        check()
    except Skipped as why:
        return str(why)
    return None


def measure(quick: bool, rounds: int) -> dict[str, list]:
    """Measure prediction, map and training step.

    Raises:
        Skipped: PyTorch is not installed.
    """
    if importlib.util.find_spec("torch") is None:
        raise Skipped(
            "PyTorch is not installed, so there is no peer: benchmarks/README.md says how to "
            "install its build for processors"
        )
    from torch_variants import check_compiler

    from multisenge_lib.models import cost

    skipped = []
    if quick:
        no_compiler = "a quick run does not wait the minutes that it takes to compile"
    else:
        no_compiler = skipped_reason(check_compiler)
    if no_compiler:
        skipped.append({"what": "PyTorch compiled (torch.compile)", "why": no_compiler})
    precisions = ["float32"]
    if multiplies_bfloat16():
        precisions.append(BFLOAT16)
    else:
        why = "the processor has neither AVX512-BF16 nor AMX, as far as the system tells"
        skipped.append({"what": "networks in bfloat16", "why": why})

    size = 64 if quick else 256
    contests = [make_contest(size, precision, not no_compiler) for precision in precisions]
    in_float32 = contests[0]
    check_logits(in_float32)

    # A step costs three times the operations of a prediction.
    floor = cost.step_operations(in_float32.model, 1) / peak(quick)
    predicting = {name: dict(targets) for name, targets in PREDICTION_TARGETS.items()}
    predicting["float32"]["floor"] = floor / 3
    training = {name: dict(targets) for name, targets in TRAINING_TARGETS.items()}
    training["float32"]["floor"] = floor

    rows = rows_of("prediction", rounds, contests, "predict", predicting)
    rows.append(map_row(in_float32, rows[0]["peer"], size, rounds))
    rows += rows_of("training step", rounds, contests, "train", training)
    return {"rows": rows, "skipped": skipped}
