"""Networks of few weights, for tests that are not about their size."""

import keras
import pytest

from multisenge_lib.models import paper_networks, unet


def slim_unet(monkeypatch: pytest.MonkeyPatch) -> None:
    """A U-Net of few layers and filters."""
    monkeypatch.setattr(unet, "ENCODER", ((4, 1), (4, 1), (8, 1), (8, 1), (8, 1)))
    monkeypatch.setattr(unet, "CENTRE", 8)
    monkeypatch.setattr(unet, "DECODER", (8, 8, 8, 4, 4))


def no_unet(monkeypatch: pytest.MonkeyPatch) -> None:
    """One convolution where the U-Net is."""

    def logits(channels, classes, shape, **_):
        features = keras.Input((*shape, channels))
        layer = keras.layers.Conv2D(classes, 3, padding="same", dtype="float32", name="logits")
        return keras.Model(features, layer(features), name="unet")

    monkeypatch.setattr(paper_networks, "build_unet", logits)
