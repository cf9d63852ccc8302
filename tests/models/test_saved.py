"""A network saved with its description, loaded again, and resized."""

import zipfile
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from networks import slim_unet

from multisenge_lib.dataset import TYPOLOGIES
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


@pytest.mark.fault("model.keras: classes of another dataset or grouping -> refused, not described")
def test_a_card_is_of_the_classes_of_its_experiment():
    card = model_card(EXPERIMENT, TEN, 32, "sample")
    assert (card.classification, card.classes) == ("10c", TEN.names)
    for other in (TYPOLOGIES["6c"], replace(TEN, name="mine")):
        with pytest.raises(ExperimentError, match="10 classes of '10c', received the"):
            model_card(EXPERIMENT, other, 32, "sample")


def test_resized_to_any_size_it_predicts_the_same(model):
    other = with_input_size(model, None)
    x = inputs(32)
    np.testing.assert_allclose(other.predict_on_batch(x), model.predict_on_batch(x), atol=1e-5)
    assert other.predict_on_batch(inputs(64)).shape == (1, 64, 64, 10)


def test_peepholes_tie_a_network_to_its_size(monkeypatch):
    slim_unet(monkeypatch)
    with pytest.raises(ExperimentError, match="peepholes need a fixed image size"):
        with_input_size(build_model(replace(EXPERIMENT, peephole=True), 32), None)
    with pytest.raises(ExperimentError, match=r"peepholes of .* tie it to 32 pixels"):
        with_input_size(build_model(replace(EXPERIMENT, peephole=True), 32), 64)


@pytest.mark.fault("model.keras: missing, cut off, damaged, undescribed -> one line with its name")
@pytest.mark.parametrize("damage", ["missing", "cut", "flipped", "undescribed", "empty", "folder"])
def test_a_file_that_is_no_model_is_named(damage, path, tmp_path):
    content, path = bytearray(path.read_bytes()), tmp_path / "model.keras"
    if damage == "folder":
        path.mkdir()
    elif damage == "undescribed":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("config.json", "{}")
    elif damage != "missing":
        content[len(content) // 2 :: 1000] = b"\xff" * len(content[len(content) // 2 :: 1000])
        kept = {"cut": 0.6, "flipped": 1, "empty": 0}[damage]
        path.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(ModelError, match=r"model\.keras (is missing|cannot be read|does not)") as e:
        load_model(path)
    assert "\n" not in str(e.value)


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
