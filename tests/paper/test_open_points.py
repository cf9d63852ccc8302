"""What the paper leaves open: each other answer is a parameter that exists, and not the default."""

import dataclasses
import inspect

import pytest

from multisenge_lib import dataset, training
from multisenge_lib.models import get_experiment
from multisenge_lib.paper import read_open_points

POINTS = read_open_points()
DEFAULTS = {"Experiment": get_experiment("inception_10c"), "Settings": training.Settings()}
FUNCTIONS = {"dataset.select": dataset.select, "training.train": training.train}
OTHERS = [
    pytest.param(of, name, value, id=f"{of}.{name}")
    for point in POINTS
    for of, some in point.get("other", {}).items()
    for name, value in some.items()
]


def test_points_are_complete():
    assert len({point["point"] for point in POINTS}) == len(POINTS) > 20
    texts = {"point", "paper", "where", "authors", "ours"}
    assert all(texts <= set(point) <= texts | {"other"} for point in POINTS)
    assert all(all(point.values()) for point in POINTS)


@pytest.mark.parametrize("of, name, value", OTHERS)
def test_another_answer_is_a_parameter(of, name, value):
    if of in DEFAULTS:
        assert dataclasses.replace(DEFAULTS[of], **{name: value}) != DEFAULTS[of]
    else:
        assert inspect.signature(FUNCTIONS[of]).parameters[name].default != value
