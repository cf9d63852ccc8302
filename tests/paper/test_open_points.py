"""What the paper leaves open: each alternative is a parameter that exists, and can be measured."""

import dataclasses
import inspect
import json

import pandas as pd
import pytest

from multisenge_lib.dataset import selection
from multisenge_lib.errors import RecordError
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


def runs(*rows):
    names = ("variant", "seed", "weighted_f1", "macro_f1", "kappa", "urban_f1")
    return {"source": "made up", "runs": [dict(zip(names, row, strict=True)) for row in rows]}


def test_no_record_no_table(tmp_path):
    assert open_points.ablation_table(tmp_path / "none.json") is None


def test_means_spreads_and_differences(tmp_path):
    path = tmp_path / "ablations.json"
    rows = [("baseline", 1, 0.5, 0.4, 0.3, 0.2), ("baseline", 2, 0.7, 0.4, 0.3, 0.2)]
    path.write_text(json.dumps(runs(*rows, ("peephole", 1, 0.9, 0.4, 0.3, 0.1))))
    table = open_points.ablation_table(path)
    assert table.loc["baseline", ("weighted_f1", "mean")] == pytest.approx(0.6)
    assert table.loc["baseline", ("weighted_f1", "spread")] == pytest.approx(0.02**0.5)
    assert table.loc["peephole", ("weighted_f1", "difference")] == pytest.approx(0.3)
    assert pd.isna(table.loc["peephole", ("weighted_f1", "spread")])
    assert table[("", "runs")].tolist() == [2, 1]


@pytest.mark.parametrize(
    "text", ["{", "{}", json.dumps(runs(("peephole", 1, 0.9, 0.4, 0.3, 0.1))), '{"runs": [1]}']
)
def test_a_damaged_record_is_refused(tmp_path, text):
    path = tmp_path / "ablations.json"
    path.write_text(text)
    with pytest.raises(RecordError, match="baseline"):
        open_points.ablation_table(path)
