import itertools

import matplotlib

matplotlib.use("Agg")

import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest

from multisenge_lib.figures.networks import (
    _columns,
    _paths,
    _rows,
    draw_architecture,
    draw_unet,
    gate_images,
)
from multisenge_lib.models.architecture import architecture
from multisenge_lib.models.build import build_model
from multisenge_lib.models.experiments import EXPERIMENTS
from multisenge_lib.models.unet import build_unet


@pytest.fixture(scope="module", params=["s1_6c", "inception_10c"])
def model(request):
    return build_model(EXPERIMENTS[request.param], 32)


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def words(fig):
    return " ".join(text.get_text() for ax in fig.axes for text in ax.texts)


def test_architecture_is_the_model(model):
    table = architecture(model)
    assert list(table.index) == [layer.name for layer in model.layers]
    assert table["parameters"].sum() == model.count_params()
    assert table.loc["unet", "shape"] == model.output_shape[1:]
    for layer, inputs in table["inputs"].items():
        joined = [table.loc[source, "shape"] for source in inputs]
        if table.loc[layer, "kind"] == "Concatenate":
            assert sum(shape[-1] for shape in joined) == table.loc[layer, "shape"][-1]
        assert bool(inputs) == (table.loc[layer, "kind"] != "InputLayer")


def test_connections_of_a_model_by_hand():
    a = keras.Input((3,), name="a")
    b = keras.layers.Dense(2, name="b")(a)
    c = keras.layers.Concatenate(name="c")([b, a])
    table = architecture(keras.Model(a, keras.layers.Add(name="d")([c, c])))
    assert table["inputs"].to_dict() == {"a": (), "b": ("a",), "c": ("b", "a"), "d": ("c", "c")}
    assert _columns(table) == {"a": -3, "b": -2, "c": -1, "d": 0}


def test_layout_goes_right_and_blocks_stay_apart(model):
    table = architecture(model)
    column = _columns(table)
    paths = _paths(table, column)
    height = _rows(paths)
    assert all(
        column[s] < column[layer] for layer in table.index for s in table.loc[layer, "inputs"]
    )
    for (c, a), (d, b) in itertools.combinations(height, 2):
        assert c != d or abs(height[c, a] - height[d, b]) > 0.99


def test_every_block_is_drawn_with_its_weights(model):
    table = architecture(model)
    text = words(draw_architecture(table))
    assert all(layer in text for layer in table.index)
    assert f"{table.loc['unet', 'parameters']:,} weights" in text


def test_unet_figure_has_all_convolutions_and_skips():
    ax = draw_unet(architecture(build_unet(keras.Input((64, 64, 8)), 6))).axes[0]
    filters = [text.get_text() for text in ax.texts if text.get_text()]
    assert filters.count("512") == 8 and filters[-1] == "6"
    assert sum(text.get_text() == "" for text in ax.texts) == 5


def test_gate_images():
    images = np.random.default_rng(0).normal(size=(4, 8, 8))
    limits = {"i": (0, 1), "C": (-2, 2)}
    fig = gate_images({"i": np.abs(images), "C": images}, ["Jul", "Aug", "Sep", "Nov"], limits)
    shown = [ax.images[0] for ax in fig.axes[:8]]
    assert [image.get_clim() for image in shown] == [(0, 1)] * 4 + [(-2, 2)] * 4
    assert fig.axes[0].get_ylabel() == "i" and fig.axes[3].get_title() == "Nov"
