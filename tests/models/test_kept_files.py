"""A model file that an earlier version wrote is read, and gives what it gave then.

`data/inception_10c.keras.gz` is a network of few weights with all parts of the paper's: ConvLSTM,
Inception and U-Net. It was written by `write_kept_file` at the commit that its card names. Where a
change of the library makes it unreadable, the networks that people keep would be lost as well: keep
the old names of layers, or refuse old files in one line.
"""

import gzip
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from networks import slim_unet

from multisenge_lib.dataset import TYPOLOGIES
from multisenge_lib.models import (
    build_model,
    get_experiment,
    load_model,
    model_card,
    predict,
    save_model,
)

KEPT = Path(__file__).with_name("data") / "inception_10c.keras.gz"
#: Mean probability of each class on `series()`, when the file was written.
PROBABILITIES = (
    0.12044, 0.258377, 0.174355, 0.105176, 0.108743,
    0.063701, 0.053141, 0.044817, 0.039538, 0.031712,
)  # fmt: skip


def series():
    """Two sensors, four dates, values of the units of the layout."""
    rng = np.random.Generator(np.random.PCG64(7))
    s1 = rng.gamma(2, 0.05, (1, 4, 32, 32, 2)).astype(np.float32)
    s2 = rng.integers(100, 4000, (1, 4, 32, 32, 10)).astype(np.float32)
    return {"s1": s1, "s2": s2}


def write_kept_file(folder):
    """Write the file anew, and give the probabilities; only where old files are given up."""
    with pytest.MonkeyPatch.context() as patch:
        slim_unet(patch)
        keras.utils.set_random_seed(11)
        experiment = replace(get_experiment("inception_10c"), filters=2, inception_filters=2)
        statistics = {
            "s1": ([-11.0, -17.0], [3.0, 3.0]),
            "s2": (list(range(500, 2500, 200)), [600.0] * 10),
        }
        model = build_model(experiment, 32, statistics)
        card = model_card(experiment, TYPOLOGIES["10c"], 32, "sample")
        path = save_model(model, card, Path(folder, "inception_10c.keras"))
    KEPT.write_bytes(gzip.compress(path.read_bytes(), mtime=0))  # of HDF5, most is padding
    return predict(model, series()).mean(axis=(0, 1, 2))


def test_a_file_of_an_earlier_version_gives_what_it_gave(tmp_path):
    path = tmp_path / "model.keras"
    path.write_bytes(gzip.decompress(KEPT.read_bytes()))
    model, card = load_model(path)
    assert card.name == "inception_10c"
    assert card.classes == TYPOLOGIES["10c"].names
    assert card.months == (7, 8, 9, 11)
    means = predict(model, series()).mean(axis=(0, 1, 2))
    np.testing.assert_allclose(means, PROBABILITIES, atol=1e-5)
