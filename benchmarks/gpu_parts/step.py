"""Parts `step_...`: a training step of the largest network, in turns with the same in PyTorch.

That both networks give the same logits is checked first. Then a round of our steps and a round of
the peer's take turns: neighbours in time share the temperature and the clock of the card.
"""

import statistics
from typing import Any

import numpy as np

from gpu_parts.networks import (
    RoundTimer,
    SameBatch,
    bytes_per_activation,
    compiled_network,
    experiment_for,
    peak_memory_bytes,
    random_batch,
    train_rounds,
)
from gpu_parts.reporting import Task, one_line
from multisenge_lib.models import step_memory, step_operations

EXPERIMENT = "inception_10c"
#: How far the logits of the two may lie apart, in units of the largest. bfloat16 has 8 bits of
#: mantissa and TensorFloat-32 has 11, and rounding adds up over some twenty layers.
TOLERANCES = {"mixed_bfloat16": 0.1, "float32_tf32": 0.02, "float32": 1e-3}


def measure(task: Task) -> None:
    """Report the speed, the memory and the share of the peak, ours and the peer's."""
    patches = 2 if task.quick else 16
    pixels = 32 if task.quick else 256
    steps = 2 if task.quick else 20
    rounds = 2 if task.quick else 5
    precision_name = task.name.removeprefix("step_")

    experiment = experiment_for(task, EXPERIMENT)
    model = compiled_network(experiment, pixels, task.precision)
    batch = random_batch(model, patches)
    operations = step_operations(model, patches)
    predicted = step_memory(model, patches, bytes_per_activation(task.precision))
    task.report(
        experiment=EXPERIMENT,
        patches=patches,
        pixels=pixels,
        precision=task.precision,
        multiply=task.multiply,
        operations_per_step=operations,
        predicted_memory_bytes=int(predicted.sum()),
    )

    tolerance = TOLERANCES[precision_name]
    peer = _make_peer(task, model, experiment, batch, tolerance)
    peaks = task.results_of("device").get("peak_operations_per_second", {})
    peak = peaks.get(precision_name)
    peer_seconds: list[float] = []

    def after_round(timer: RoundTimer) -> None:
        if timer.seconds_per_step:
            _report_ours(task, timer, patches, operations, peak)
        else:
            # Measured before the peer has run, though the peer has an allocator of its own.
            task.report(
                compiling_seconds=timer.compiling_seconds, peak_memory_bytes=peak_memory_bytes()
            )
        if peer is not None and "peer_error" not in task.results:
            _take_turn(task, peer, steps, timer, peer_seconds)

    timer = RoundTimer(steps, after_round)
    train_rounds(model, SameBatch(batch), rounds, timer)


def _report_ours(
    task: Task, timer: RoundTimer, patches: int, operations: float, peak: float | None
) -> None:
    """Report our speed, by the median over the rounds so far."""
    seconds = statistics.median(timer.seconds_per_step)
    share = None if peak is None else operations / seconds / peak
    task.report(
        seconds_per_step=seconds,
        rounds_seconds_per_step=timer.seconds_per_step,
        patches_per_second=patches / seconds,
        operations_per_second=operations / seconds,
        share_of_peak=share,
    )


def _make_peer(task: Task, model: Any, experiment: Any, batch: Any, tolerance: float) -> Any:
    """Return the peer, once its logits are ours; None, with the reason reported, if it cannot be.

    Without a peer our own numbers are still worth having.
    """
    try:
        from gpu_parts.torch_peer import TorchPeer

        peer = TorchPeer(model, experiment, batch, task.precision, task.multiply == "tensorfloat32")
        theirs = peer.logits()
        inputs, _ = batch
        ours = np.asarray(model.predict_on_batch(inputs))
        distance = float(np.abs(ours - theirs).max() / np.abs(ours).max())
        task.report(
            logits_distance_share=distance,
            logits_tolerance_share=tolerance,
            logits_agree=distance <= tolerance,
            peer_built_for=peer.versions(),
        )
        if distance > tolerance:
            task.report(peer_error=f"logits are {distance:.1e} apart: nothing to compare")
            return None
    except Exception as error:
        task.report(peer_error=one_line(error))
        return None
    # For a quick run on a CPU, compiling would take longer than all the rest.
    if not task.quick:
        peer.compile()
    return peer


def _take_turn(
    task: Task, peer: Any, steps: int, timer: RoundTimer, peer_seconds: list[float]
) -> None:
    """Let the peer train for a round, and report how much longer it takes than we do."""
    try:
        seconds = peer.train(steps)
    except Exception as error:
        task.report(peer_error=one_line(error))
        return
    if not timer.seconds_per_step:  # the round in which both compile
        return
    peer_seconds.append(seconds)
    ratios = []
    for ours, theirs in zip(timer.seconds_per_step, peer_seconds, strict=True):
        ratios.append(theirs / ours)
    task.report(
        peer_mode=peer.mode,
        peer_seconds_per_step=statistics.median(peer_seconds),
        peer_rounds_seconds_per_step=peer_seconds,
        peer_peak_memory_bytes=peer.peak_memory_bytes(),
        times_as_fast_as_peer=statistics.median(ratios),
        least_times_as_fast=min(ratios),
        most_times_as_fast=max(ratios),
    )
