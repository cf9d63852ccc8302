"""A network of few weights, and rasters that it takes."""

import map_inputs
import pytest

from multisenge_lib.models import model_card, save_model


@pytest.fixture(scope="session")
def network():
    return map_inputs.small_network()


@pytest.fixture(scope="session")
def model(network, tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "model.keras"
    card = model_card(map_inputs.EXPERIMENT, map_inputs.TYPOLOGY, 32, "sample")
    return save_model(network, card, path)


@pytest.fixture
def rasters(tmp_path):
    return map_inputs.write_rasters(tmp_path / "rasters")
