"""How the cost of a training step grows, and which share of the peak each network reaches.

A step is timed on zeros. Each curve changes one thing of a small network: patches per batch, pixels
along a side, dates, filters of the ConvLSTMs. Operations are counted from shapes.
"""

import time
from collections.abc import Mapping
from dataclasses import replace

import keras
import numpy as np
from common import peak

from multisenge_lib.models import build_model, cost, get_experiment

NETWORKS = ("s1_10c", "s2_10c", "s1s2_10c", "inception_10c")
BASE = {"patches": 2, "size": 128, "dates": 4, "filters": 32}
CURVES = {
    "patches": (1, 2, 4, 8),
    "size": (32, 64, 128, 256),
    "dates": (2, 4, 8, 12),
    "filters": (16, 32, 64, 128),
}
QUICK_CURVES = {"patches": (1, 2), "size": (32, 64), "dates": (2, 4), "filters": (16, 32)}


def build_network(size: int, dates: int, filters: int) -> keras.Model:
    """Build ConvLSTM-S1S2 with another number of pixels, dates or filters."""
    months = tuple(range(1, dates + 1))
    experiment = replace(get_experiment("s1s2_10c"), months=months, filters=filters)
    return build_model(experiment, size)


def seconds_per_step(model: keras.Model, batch: int, steps: int = 3) -> float:
    """Measure the median of some training steps on zeros; the model is compiled anew."""
    inputs = {t.name: np.zeros((batch, *t.shape[1:]), np.float32) for t in model.inputs}
    labels = np.zeros((batch, *model.output.shape[1:3]), np.int32)
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    seconds = []
    for _ in range(steps + 1):
        start = time.perf_counter()
        model.train_on_batch(inputs, labels)
        seconds.append(time.perf_counter() - start)
    # The first step also compiles.
    return float(np.median(seconds[1:]))


def time_step(model: keras.Model, patches: int, steps: int) -> dict[str, float]:
    """Return the seconds and operations of a step; the network cannot be used after it."""
    measured = {
        "seconds": seconds_per_step(model, patches, steps),
        "operations": cost.step_operations(model, patches),
    }
    keras.utils.clear_session()
    return measured


def measure_point(curve: str, value: int, base: Mapping[str, int], steps: int) -> dict:
    """Time a step with one size changed."""
    sizes = dict(base)
    sizes[curve] = value
    model = build_network(sizes["size"], sizes["dates"], sizes["filters"])
    return {"curve": curve, "value": value} | time_step(model, sizes["patches"], steps)


def measure_share(name: str, size: int, steps: int, peak_speed: float) -> dict:
    """Time a step of a network on one patch, as a share of the machine's peak."""
    measured = time_step(build_model(name, size), 1, steps)
    speed = measured["operations"] / measured["seconds"]
    share = {"experiment": name, "size": size, "peak": peak_speed, "share": speed / peak_speed}
    return share | measured


def measure(quick: bool, rounds: int) -> dict:
    """Measure all curves and shares."""
    curves = QUICK_CURVES if quick else CURVES
    base = BASE | {"size": 32} if quick else BASE
    size = 32 if quick else 256

    growth = []
    for curve, values in curves.items():
        for value in values:
            growth.append(measure_point(curve, value, base, rounds))

    peak_speed = peak(quick)
    shares = [measure_share(name, size, rounds, peak_speed) for name in NETWORKS]
    return {"growth": growth, "base": base, "shares": shares}
