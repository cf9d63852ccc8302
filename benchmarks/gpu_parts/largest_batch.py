"""Part `largest_batch`: double the batch until the memory is full."""

import statistics
from typing import Any

from gpu_parts.networks import (
    RoundTimer,
    SameBatch,
    bytes_per_activation,
    compiled_network,
    experiment_for,
    is_out_of_memory,
    peak_memory_bytes,
    random_batch,
    train_rounds,
)
from gpu_parts.reporting import Task
from multisenge_lib.models import step_memory

EXPERIMENT = "inception_10c"


def measure(task: Task) -> None:
    """Report seconds and memory of each batch that fits, and the first that does not."""
    pixels = 32 if task.quick else 256
    patches = 1 if task.quick else 8
    most = 2 if task.quick else 4096
    experiment = experiment_for(task, EXPERIMENT)
    model = compiled_network(experiment, pixels, task.precision)
    points: list[dict[str, Any]] = []
    task.report(experiment=EXPERIMENT, pixels=pixels, precision=task.precision, points=points)

    longest = 0.0
    while patches <= most:
        if task.seconds_left() < 1.5 * longest:
            task.report(ended="there was no time for a larger batch")
            return
        before = task.seconds_left()
        try:
            points.append(_measure_batch(task, model, patches))
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            task.report(ended="the memory was full", first_batch_that_does_not_fit=patches)
            return
        longest = max(longest, before - task.seconds_left())
        task.report(points=points, largest_batch=patches)
        patches *= 2
    task.report(ended=f"larger batches than {most} were not tried")


def _measure_batch(task: Task, model: Any, patches: int) -> dict[str, Any]:
    """Measure one batch size: seconds per step, predicted and measured memory."""
    predicted = step_memory(model, patches, bytes_per_activation(task.precision))
    timer = RoundTimer(steps=2 if task.quick else 4)
    train_rounds(model, SameBatch(random_batch(model, patches)), 1, timer)
    seconds = statistics.median(timer.seconds_per_step)
    return {
        "patches": patches,
        "seconds_per_step": seconds,
        "patches_per_second": patches / seconds,
        "predicted_memory_bytes": int(predicted.sum()),
        "peak_memory_bytes": peak_memory_bytes(),
    }
