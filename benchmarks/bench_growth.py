"""How the cost of a training step grows, and which share of the peak each network reaches.

A step is timed on zeros. Each curve changes one thing of a small network: patches a batch, pixels
along a side, dates, filters of the ConvLSTMs. Operations are counted from shapes.
"""

from dataclasses import replace

import keras
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
QUICK = {"patches": (1, 2), "size": (32, 64), "dates": (2, 4), "filters": (16, 32)}


def network(size, dates, filters):
    experiment = get_experiment("s1s2_10c")
    months = tuple(range(1, dates + 1))
    return build_model(replace(experiment, months=months, filters=filters), size)


def timed(model, patches, steps):
    """Seconds and operations of a step; the network is not needed any more."""
    taken = cost.seconds_per_step(model, patches, steps)
    found = {"seconds": taken, "operations": cost.step_operations(model, patches)}
    keras.utils.clear_session()
    return found


def point(curve, value, base, steps):
    given = base | {curve: value}
    patches = given.pop("patches")
    return {"curve": curve, "value": value} | timed(network(**given), patches, steps)


def measure(quick, rounds):
    curves, base, size = (QUICK, BASE | {"size": 32}, 32) if quick else (CURVES, BASE, 256)
    growth = [point(curve, v, base, rounds) for curve, values in curves.items() for v in values]
    shares, most = [], peak(quick)
    for name in NETWORKS:
        found = timed(build_model(name, size), 1, rounds)
        share = found["operations"] / found["seconds"] / most
        shares.append({"experiment": name, "size": size, "peak": most, "share": share} | found)
    return {"growth": growth, "base": base, "shares": shares}
