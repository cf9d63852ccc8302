import ast
import re
from dataclasses import fields, replace

import labels
import numpy as np
import pytest

from multisenge_lib import paths
from multisenge_lib.errors import ExperimentError
from multisenge_lib.training.settings import (
    SAMPLE_SETTINGS,
    Settings,
    settings_for,
    settings_from_parameters,
    steps_per_pass,
)


@pytest.mark.fault("settings: zero, negative, text, inf, 1e9, yes, out of range -> one line each")
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"batch_size": 0}, "batch_size is 0: expected `int` >= 1"),
        ({"batch_size": 2.5}, "batch_size is 2.5: give a whole number"),
        ({"batch_size": True}, "batch_size is True"),
        ({"epochs": -1}, "epochs is -1"),
        ({"epochs": "ten"}, "epochs is 'ten'"),
        ({"learning_rate": 0}, "learning_rate is 0: expected `float` > 0"),
        ({"learning_rate": "0.001"}, "learning_rate is '0.001': give a number"),
        ({"learning_rate": float("inf")}, "learning_rate is inf"),
        ({"learning_rate": float("nan")}, "learning_rate is nan"),
        ({"learning_rate": 1e9}, "learning_rate is 1000000000.0"),
        ({"plateau_factor": 1}, "plateau_factor is 1"),
        ({"augmentation": "some"}, "one of replace, extend, none"),
        ({"augmentation": ["replace"]}, "one of replace, extend, none"),
        ({"precision": "float8"}, "one of float32"),
        ({"precision": None}, "precision is None: one of float32, mixed_bfloat16"),
        ({"batch_size": np.float64(2.5)}, "give a whole number"),
        ({"batch_size": np.array([1, 2])}, "give a whole number"),
        ({"seed": np.int64(-1)}, "expected `int` >= 0"),
        ({"class_weights": "no"}, "give True or False"),
        ({"jit": 1}, "give True, False or None"),
        ({"seed": -1}, "seed is -1"),
        ({"seed": "one"}, "seed is 'one'"),
        ({"seed": 2**40}, "seed is 1099511627776"),
    ],
)
def test_settings_out_of_range_are_refused(change, words):
    with pytest.raises(ExperimentError) as caught:
        Settings(**change)
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_the_paper_is_the_default_and_the_sample_has_its_own(tmp_path):
    labels.write(tmp_path / "labels", "31UEQ_257_0")
    paper = settings_for(tmp_path)
    assert (paper.batch_size, paper.learning_rate) == (16, 1e-3)
    assert (paper.plateau_factor, paper.plateau_patience, paper.stop_patience) == (0.1, 5, 20)
    (tmp_path / "sample.json").write_text("{}")
    assert settings_for(tmp_path) == SAMPLE_SETTINGS
    changed = settings_for(tmp_path, epochs=3, seed=None)
    assert changed == replace(SAMPLE_SETTINGS, epochs=3)


def test_what_numpy_and_pandas_hold_is_taken():
    """A sweep over `np.logspace`, or a row of a table whose whole numbers became floats."""
    swept = Settings(learning_rate=np.float64(1e-3), seed=np.int64(1), epochs=5.0)
    assert swept == Settings(epochs=5)
    assert {type(swept.learning_rate), type(swept.seed), type(swept.epochs)} == {float, int}
    assert Settings(class_weights=np.bool_(False)) == Settings(class_weights=False)


@pytest.mark.fault("precision mixed_float16 -> refused, with the reason and what to take instead")
def test_float16_is_refused_with_the_reason():
    with pytest.raises(ExperimentError, match=r"exceed 65,504.*give mixed_bfloat16") as caught:
        Settings(precision="mixed_float16")
    assert "\n" not in str(caught.value)


def test_float32_is_the_default_on_any_machine():
    assert Settings().precision == SAMPLE_SETTINGS.precision == "float32"


@pytest.mark.fault("notebook: a mistyped parameter -> refused, with the nearest that there is")
@pytest.mark.parametrize(
    ("wrong", "meant"), [("epoch", "epochs"), ("learnrate", "learning_rate"), ("experiment", "exp")]
)
def test_a_mistyped_parameter_is_refused(wrong, meant):
    with pytest.raises(
        ExperimentError, match=f"there is no parameter {wrong}: did you mean {meant}"
    ):
        settings_from_parameters({"exp": "s1_6c", wrong: 1})


def test_settings_are_found_among_parameters():
    parameters = {"exp": "s1_6c", "epochs": None, "seed": 2}
    assert settings_from_parameters(parameters) == {"epochs": None, "seed": 2}


def test_the_notebook_has_no_parameter_that_would_be_refused():
    text = (paths.PROJECT / "notebooks" / "train.md").read_text(encoding="utf-8")
    cell = re.search(r":tags: \[parameters\]\n(.*?)```", text, re.S)[1]
    names = {node.targets[0].id: None for node in ast.parse(cell).body}
    settings = set(settings_from_parameters(names))
    assert settings < {field.name for field in fields(Settings)}
    assert set(names) - settings == {
        *("exp", "network", "data_root", "start_from", "start_from_part"),
        *("on_error", "band_order", "replace_record"),
        *("months", "days_gap", "s1_rule", "tiles"),
    }


@pytest.mark.parametrize(("augmentation", "steps"), [("replace", 16), ("none", 16), ("extend", 28)])
def test_added_copies_make_a_pass_longer(augmentation, steps):
    """64 patches in batches of 4; copies of three quarters of them are added."""
    assert steps_per_pass(64, augmentation, 4) == steps


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"seed": None}, "seed is None: give a whole number"),
        ({"class_weights": [1, 2]}, "give True or False; the weights themselves"),
        ({"learning_rate": "fast"}, "give a number"),
        ({"tensorboard": 3}, "give True or False"),
    ],
)
def test_the_rule_of_a_setting_is_said_in_plain_words(change, words):
    with pytest.raises(ExperimentError, match=words):
        Settings(**change)
