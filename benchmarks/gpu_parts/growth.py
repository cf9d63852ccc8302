"""Part `growth`: how the cost of a step grows with patch size, dates and filters.

The peak of memory never falls within a process. So the points are measured in the order of the
memory that is predicted for them, and a point whose peak is not above the last one has none.
"""

from typing import Any, NamedTuple

from gpu_parts.networks import (
    RoundTimer,
    SameBatch,
    bytes_per_activation,
    compiled_network,
    experiment_for,
    free_memory,
    peak_memory_bytes,
    random_batch,
    train_rounds,
)
from gpu_parts.reporting import Task
from multisenge_lib.models import step_memory, step_operations

EXPERIMENT = "s1s2_10c"
BASE = {"patches": 8, "pixels": 256, "dates": 4, "filters": 32}
#: One thing is changed at a time. How cost grows with the batch is in `largest_batch`.
CURVES = {"pixels": (128, 512), "dates": (2, 8), "filters": (16, 64)}
QUICK_BASE = {"patches": 1, "pixels": 32, "dates": 2, "filters": 4}
QUICK_CURVES = {"dates": (3,)}


class Point(NamedTuple):
    """What is measured: which curve it lies on, the sizes, and the memory predicted for it."""

    curve: str
    sizes: dict[str, int]
    predicted_bytes: int


def measure(task: Task) -> None:
    """Report seconds, operations and memory of each point."""
    base = QUICK_BASE if task.quick else BASE
    curves = QUICK_CURVES if task.quick else CURVES
    task.report(experiment=EXPERIMENT, base=base, precision=task.precision)
    points = [Point("base", base, _predict_memory(task, base))]
    for curve, values in curves.items():
        for value in values:
            sizes = base | {curve: value}
            points.append(Point(curve, sizes, _predict_memory(task, sizes)))
    points.sort(key=lambda point: point.predicted_bytes)
    free_memory()

    measured: list[dict[str, Any]] = []
    longest = 0.0
    for point in points:
        if task.seconds_left() < 1.5 * longest:
            task.report(ended="there was no time for all points")
            return
        before = task.seconds_left()
        measured.append(_measure_point(task, point))
        longest = max(longest, before - task.seconds_left())
        task.report(points=measured)
    task.report(ended="all points were measured")


def _network(task: Task, sizes: dict[str, int]) -> Any:
    months = tuple(range(1, sizes["dates"] + 1))  # one date per month
    experiment = experiment_for(task, EXPERIMENT, months=months, filters=sizes["filters"])
    return compiled_network(experiment, sizes["pixels"], task.precision)


def _predict_memory(task: Task, sizes: dict[str, int]) -> int:
    each = bytes_per_activation(task.precision)
    return int(step_memory(_network(task, sizes), sizes["patches"], each).sum())


def _measure_point(task: Task, point: Point) -> dict[str, Any]:
    """Measure a point, with a network of its own."""
    patches = point.sizes["patches"]
    free_memory()
    model = _network(task, point.sizes)
    operations = step_operations(model, patches)
    peak_before = peak_memory_bytes()
    timer = RoundTimer(steps=2 if task.quick else 5)
    train_rounds(model, SameBatch(random_batch(model, patches)), 1, timer)
    peak = peak_memory_bytes()
    if peak is not None and peak_before is not None and peak <= peak_before:
        peak = None  # an earlier point had as much
    return {
        "curve": point.curve,
        **point.sizes,
        "seconds_per_step": timer.seconds_per_step[-1],
        "operations_per_step": operations,
        "predicted_memory_bytes": point.predicted_bytes,
        "peak_memory_bytes": peak,
    }
