"""What the paper leaves open: each other answer is a parameter that exists, and not the default."""

import dataclasses
import inspect

import pytest

from multisenge_lib import dataset, training
from multisenge_lib.models import get_experiment
from multisenge_lib.paper import read_code_sources, read_open_points

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
    always = {"point", "paper", "where", "script", "model", "ours"}
    sometimes = {"package", "deviation", "other"}
    assert all(always <= set(point) <= always | sometimes for point in POINTS)
    assert all(all(point.values()) for point in POINTS)
    assert not any("not examined" in str(point) for point in POINTS)


def test_deviations_are_called_so():
    deviations = {point["point"] for point in POINTS if "deviation" in point}
    assert deviations == {
        "Peepholes of the ConvLSTM",
        "Start of the Inception convolutions",
        "Batch normalisation of the decoder",
        "Start of the encoder",
    }


def test_each_code_has_an_address():
    sources = read_code_sources()
    assert set(sources) == {"script", "notebook", "model", "tools", "package"}
    for source in sources.values():
        assert source["repository"].count("/") == 1
        assert len(str(source["commit"])) == 7


@pytest.mark.parametrize("of, name, value", OTHERS)
def test_another_answer_is_a_parameter(of, name, value):
    if of in DEFAULTS:
        assert dataclasses.replace(DEFAULTS[of], **{name: value}) != DEFAULTS[of]
    else:
        assert inspect.signature(FUNCTIONS[of]).parameters[name].default != value
