import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.text import Annotation

from multisenge_lib.chapters import (
    interactive,
    layer_table,
    network_figures,
    receptive_fields_of,
)
from multisenge_lib.models import EXPERIMENTS, build_model


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def words(figure):
    return " ".join(text.get_text() for ax in figure.axes for text in ax.texts)


@pytest.fixture(scope="module", params=EXPERIMENTS)
def table(request):
    return layer_table(build_model(EXPERIMENTS[request.param], 32))


def test_every_part_with_weights_is_drawn_with_them(table):
    text = words(network_figures.draw_method(table))
    for part in ("s1_convlstm", "s2_convlstm", "unet"):
        if part in table.index:
            assert f"{table.loc[part, 'parameters']:,}" in text
    weights = table["parameters"][table.index.str.startswith("inception")].sum()
    assert ("Inception" in text) == bool(weights)
    assert not weights or f"{weights:,}" in text


def test_the_module_is_drawn_with_its_branches(table):
    if "inception" in table.index:
        module = table.loc["first_dates":].drop(index="unet")
        text = words(network_figures.draw_inception(module))
        assert "3,488" in text and "pool" in text and "32×32×108" in text


def test_the_unet_is_drawn_with_all_weights_and_skips():
    model = build_model("s2_6c", 64).get_layer("unet")
    unet = layer_table(model)
    figure = network_figures.draw_unet(unet)
    drawn = [text.get_text() for text in figure.axes[0].texts]
    counted = sum(int(t.split("conv., ")[1].replace(",", "")) for t in drawn if "conv., " in t)
    logits = unet.loc["logits", "parameters"]
    assert counted + logits == model.count_params()
    arrows = [text.arrow_patch for text in figure.axes[0].texts if isinstance(text, Annotation)]
    skips = sum(arrow.get_linestyle() == "--" for arrow in arrows)
    assert skips == (unet["kind"] == "Concatenate").sum()


def test_the_vegetation_index_of_16_bit_pixels_does_not_wrap():
    s2 = np.full((1, 4, 4, 10), 3000, np.uint16)
    s2[..., 6] = 1000  # near infrared below red: water
    state = np.random.default_rng(0).normal(size=(5, 1, 4, 4, 4, 2))
    data = interactive.gates_data(np.repeat(s2, 4, axis=0), "abcd", state, {}, 0)
    assert data["quantities"]["NDVI"]["step"] == pytest.approx(0.5 / 1000)


def test_gate_images():
    images = np.random.default_rng(0).normal(size=(4, 8, 8))
    limits = {"i": (0, 1), "C": (-2, 2)}
    figure = network_figures.gate_images(
        {"i": np.abs(images), "C": images}, ["Jul", "Aug", "Sep", "Nov"], limits
    )
    shown = [ax.images[0] for ax in figure.axes[:8]]
    assert [image.get_clim() for image in shown] == [(0, 1)] * 4 + [(-2, 2)] * 4
    assert figure.axes[0].get_ylabel() == "i" and figure.axes[3].get_title() == "Nov"


def test_receptive_fields_are_counted_as_by_hand():
    unet = layer_table(build_model("s2_6c", 64).get_layer("unet"))
    fields = receptive_fields_of(unet, field=1)
    # Two convolutions of 3 x 3: five pixels. Halved, six, and a step is two pixels.
    assert fields.loc["block1"].tolist() == [1, 5]
    assert fields.loc["block2"].tolist() == [2, 6 + 2 * 2 * 2]
    assert fields["step"].tolist() == [1, 2, 4, 8, 16, 32]
    assert receptive_fields_of(unet, field=9).loc["block1", "field"] == 13
