"""A network saved with its description, loaded again, and resized."""

import json
import os
import zipfile
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from networks import slim_unet

from multisenge_lib.dataset import MULTISENGE, TYPOLOGIES
from multisenge_lib.errors import ExperimentError, ModelError
from multisenge_lib.models import (
    build_model,
    get_experiment,
    load_model,
    model_card,
    save_model,
    with_input_size,
)

TEN = TYPOLOGIES["10c"]
EXPERIMENT = replace(get_experiment("inception_10c"), filters=2, inception_filters=2)


def inputs(size, seed=0):
    rng = np.random.default_rng(seed)
    s1 = rng.gamma(2, 0.05, (1, 4, size, size, 2)).astype(np.float32)
    return {"s1": s1, "s2": rng.uniform(1, 4000, (1, 4, size, size, 10)).astype(np.float32)}


@pytest.fixture(scope="module")
def model():
    with pytest.MonkeyPatch.context() as patch:
        slim_unet(patch)
        return build_model(EXPERIMENT, 32)


@pytest.fixture(scope="module")
def path(model, tmp_path_factory):
    description = model_card(EXPERIMENT, TEN, 32, "sample", {"kappa": 0.5})
    return save_model(model, description, tmp_path_factory.mktemp("saved") / "model.keras")


def test_what_is_loaded_predicts_the_same_and_says_what_it_takes(model, path):
    loaded, description = load_model(path)
    np.testing.assert_array_equal(
        loaded.predict_on_batch(inputs(32)), model.predict_on_batch(inputs(32))
    )
    assert description == model_card(EXPERIMENT, TEN, 32, "sample", {"kappa": 0.5})
    assert description.sensors == ("s1", "s2") and len(description.classes) == 10


def test_resized_to_any_size_it_predicts_the_same(model):
    other = with_input_size(model, None)
    x = inputs(32)
    np.testing.assert_allclose(other.predict_on_batch(x), model.predict_on_batch(x), atol=1e-5)
    assert other.predict_on_batch(inputs(64)).shape == (1, 64, 64, 10)


def test_peepholes_tie_a_network_to_its_size(monkeypatch):
    slim_unet(monkeypatch)
    with pytest.raises(ExperimentError, match="peepholes need a fixed image size"):
        with_input_size(build_model(replace(EXPERIMENT, peephole=True), 32), None)
    with pytest.raises(
        ExperimentError, match=r"such as peepholes, have that size; asked for 64: .* of 32 pixels"
    ):
        with_input_size(build_model(replace(EXPERIMENT, peephole=True), 32), 64)


WORDS = {
    "missing": "is missing",
    "cut": "cannot be read",
    "flipped": "cannot be read",
    "undescribed": "does not say what it takes",
    "empty": "is empty",
    "folder": "is not a file",
    "pipe": "is not a file",
}


@pytest.mark.fault("model.keras: missing, cut off, damaged, undescribed -> one line with its name")
@pytest.mark.parametrize("damage", WORDS)
def test_a_file_that_is_no_model_is_named(damage, path, tmp_path):
    content = bytearray(path.read_bytes())
    path = tmp_path / "model.keras"
    if damage == "folder":
        path.mkdir()
    elif damage == "pipe":
        os.mkfifo(path)  # who opens it waits for ever
    elif damage == "undescribed":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("config.json", "{}")
    elif damage != "missing":
        content[len(content) // 2 :: 1000] = b"\xff" * len(content[len(content) // 2 :: 1000])
        kept = {"cut": 0.6, "flipped": 1, "empty": 0}[damage]
        path.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(ModelError, match=rf"model\.keras {WORDS[damage]}") as e:
        load_model(path)
    assert "\n" not in str(e.value)


def with_entries(path, target, **entries):
    """A copy of a `.keras` file in which some entries are others; None takes one out."""
    with zipfile.ZipFile(path) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    content |= {name.replace("_json", ".json"): value for name, value in entries.items()}
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, value in content.items():
            if value is not None:
                archive.writestr(name, value)
    return target


def described(path, target, **changes):
    """A copy of a `.keras` file whose description differs in some keys."""
    with zipfile.ZipFile(path) as archive:
        card = json.loads(archive.read("description.json"))
    return with_entries(path, target, description_json=json.dumps({**card, **changes}))


def one_line(caught):
    assert "\n" not in str(caught.value)
    return str(caught.value)


S2 = list(MULTISENGE.bands["s2"])
#: What a description may say that is not so, and what the message names.
WRONG = {
    "fewer classes": ({"classes": ["a"] * 3, "colors": ["#000000"] * 3}, "is not of its network"),
    "fewer colours": ({"colors": ["#000000"]}, "10 classes have 1 colors"),
    "no colour": ({"colors": ["zz"] * 10}, "colors"),
    "other units": ({"units": {"s1": "decibel"}}, "s1 is in decibel, expected linear intensity"),
    "no classes": ({"classes": [], "colors": []}, "classes"),
    "a month in words": ({"months": ["a", 8, 9, 11]}, "months"),
    "month 13": ({"months": [7, 8, 9, 13]}, "months"),
    "three months": ({"months": [7, 8, 9]}, "is not of its network"),
    "a band less": ({"bands": {"s1": ["VV", "VH"], "s2": S2[:9]}}, "is not of its network"),
    "a sensor less": ({"bands": {"s1": ["VV", "VH"]}}, "is not of its network"),
    "another sensor": ({"bands": {"s3": ["VV", "VH"]}}, "s3"),
    "a band twice": ({"bands": {"s1": ["VV", "VV"], "s2": S2}}, "each needs a name of its own"),
    "a control character": ({"classes": ["a\x1b[2J"] * 10}, "cannot be printed"),
    "a newline": ({"dataset": "a\nb"}, "cannot be printed"),
    "size 0": ({"patch_pixels": 0}, "patch_pixels"),
    "a size in words": ({"patch_pixels": "large"}, "patch_pixels"),
    "no name": ({"name": None}, "name"),
}


@pytest.mark.fault("model.keras: a description that does not fit its network -> one line")
@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_description_is_refused(what, path, tmp_path):
    changes, words = WRONG[what]
    with pytest.raises(ModelError, match=r"the description in .*model\.keras") as caught:
        load_model(described(path, tmp_path / "model.keras", **changes))
    assert words in one_line(caught)


@pytest.mark.fault("model.keras: a key to come in its description -> skipped, the network is read")
def test_keys_of_a_newer_version_are_skipped(path, tmp_path):
    _, card = load_model(described(path, tmp_path / "model.keras", key_to_come=[1]))
    assert card == load_model(path)[1]


@pytest.mark.fault("model.keras: of another Keras -> one line with both versions")
def test_a_network_of_a_newer_keras_names_both_versions(path, tmp_path):
    with zipfile.ZipFile(path) as archive:
        config = json.loads(archive.read("config.json"))
    config["class_name"] = "ModelToCome"
    newer = with_entries(
        path,
        tmp_path / "model.keras",
        config_json=json.dumps(config),
        metadata_json=json.dumps({"keras_version": "99.1"}),
    )
    with pytest.raises(ModelError, match=r"written by Keras 99\.1, read by Keras 3\.") as caught:
        load_model(newer)
    one_line(caught)


def test_versions_that_a_file_does_not_say_are_left_out(path, tmp_path):
    other = with_entries(path, tmp_path / "model.keras", config_json="{}", metadata_json="{}")
    with pytest.raises(ModelError, match=r"train it again, or fetch it again$"):
        load_model(other)


def test_a_wrong_description_says_what_differs_in_words(path, tmp_path):
    other = described(path, tmp_path / "model.keras", months=[7, 8, 9])
    dates = [f"{n} dates and 2 bands of s1 and {n} dates and 10 bands of s2" for n in (3, 4)]
    says, has = [f"{words} and 10 classes" for words in dates]
    with pytest.raises(ModelError, match=f"it says {says}, the network has {has}: save it again"):
        load_model(other)


@pytest.mark.fault("model.keras: weights of NaN -> refused, not a map of class 1 everywhere")
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_no_numbers_are_refused(value, model, tmp_path):
    broken = keras.models.clone_model(model)
    weights = model.get_weights()
    weights[-1] = np.full_like(weights[-1], value)
    broken.set_weights(weights)
    card = model_card(EXPERIMENT, TEN, 32, "sample")
    save_model(broken, card, tmp_path / "model.keras")
    with pytest.raises(ModelError, match="has weights that are NaN or infinite") as caught:
        load_model(tmp_path / "model.keras")
    one_line(caught)


@pytest.mark.fault(
    "model.keras: a layer that holds code of its own -> refused, the code is not run"
)
def test_code_in_a_file_is_not_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    x = keras.Input((4, 32, 32, 2), name="s1")
    code = keras.layers.Lambda(lambda x: __import__("os").makedirs("ran", exist_ok=True) or x)
    hostile = keras.Model({"s1": x}, code(x))
    Path("ran").rmdir()
    save_model(hostile, model_card(EXPERIMENT, TEN, 32, "sample"), Path("model.keras"))
    with pytest.raises(ModelError, match=r"model\.keras cannot be read .*`Lambda`") as error:
        load_model("model.keras")
    assert "\n" not in str(error.value) and not Path("ran").exists()
