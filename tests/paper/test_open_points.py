"""What the paper leaves open: each alternative is a parameter that exists, and can be measured."""

import dataclasses
import inspect

import pytest

from multisenge_lib.dataset import selection
from multisenge_lib.models.experiments import EXPERIMENTS
from multisenge_lib.paper import open_points
from multisenge_lib.paper.open_points import OPEN_POINTS

ALTERNATIVES = [(p.point, a) for p in OPEN_POINTS for a in p.alternatives]


def test_points_are_complete():
    assert len(OPEN_POINTS) > 20
    assert len({point.point for point in OPEN_POINTS}) == len(OPEN_POINTS)
    texts = ("point", "paper", "where", "authors", "ours")
    assert all(getattr(point, text) for point in OPEN_POINTS for text in texts)
    assert open_points.as_table().columns[0] == "Point"


@pytest.mark.parametrize("point, other", [x for x in ALTERNATIVES if x[1].of == "Experiment"])
def test_alternatives_of_the_experiment_differ_from_the_default(point, other):
    default = EXPERIMENTS["inception_10c"]
    variant = dataclasses.replace(default, **{other.name: other.value})
    assert variant != default


@pytest.mark.parametrize("point, other", [x for x in ALTERNATIVES if x[1].of == "Settings"])
def test_alternatives_of_the_settings_differ_from_the_default(point, other):
    training = pytest.importorskip("multisenge_lib.training")
    assert dataclasses.replace(training.Settings(), **{other.name: other.value}) != (
        training.Settings()
    )


def test_alternatives_of_functions_are_parameters():
    training = pytest.importorskip("multisenge_lib.training")
    functions = {"selection.select": selection.select, "training.train": training.train}
    for _, other in ALTERNATIVES:
        if other.of in functions:
            assert other.name in inspect.signature(functions[other.of]).parameters
