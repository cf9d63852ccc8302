"""One contract for the networks of all eight experiments."""

import os
import subprocess
import sys
import warnings
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from networks import slim_unet

from multisenge_lib.dataset import MULTISENGE
from multisenge_lib.dataset.layout import BACKSCATTER_FLOOR
from multisenge_lib.errors import ExperimentError
from multisenge_lib.models.build import build_model, predict
from multisenge_lib.models.experiments import EXPERIMENTS

SIZE = 32
HERE = Path(__file__).parent
STATISTICS = {
    "s1": ([-11.0, -17.0], [3.0, 3.0]),
    "s2": (np.linspace(400, 2800, 10), np.linspace(250, 700, 10)),
}


def batch(experiment, n=2, size=SIZE, seed=0):
    """Inputs as the rasters hold them, and ids of which one in nine is 0."""
    rng = np.random.default_rng(seed)
    inputs = {
        "s1": rng.gamma(2, 0.03, (n, 4, size, size, 2)).astype("float32"),
        "s2": rng.integers(100, 4000, (n, 4, size, size, 10), dtype=np.uint16),
    }
    ids = rng.integers(0, experiment.classes + 1, (n, size, size), dtype=np.uint8)
    return {sensor: inputs[sensor] for sensor in experiment.sensors}, ids


def tensors(inputs):
    return {sensor: keras.ops.convert_to_tensor(x, "float32") for sensor, x in inputs.items()}


@pytest.fixture
def slim(monkeypatch):
    slim_unet(monkeypatch)


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_contract(name, slim):
    experiment = EXPERIMENTS[name]
    model = build_model(name, SIZE)
    assert model.name == name
    assert {i.name: i.shape for i in model.inputs} == {
        sensor: (None, 4, SIZE, SIZE, len(MULTISENGE.bands[sensor]))
        for sensor in experiment.sensors
    }
    assert model.output_shape == (None, SIZE, SIZE, experiment.classes)
    logits = keras.ops.convert_to_numpy(model(tensors(batch(experiment)[0])))
    assert logits.dtype == np.float32
    assert np.isfinite(logits).all() and logits.std() > 0
    channels = 32 * len(experiment.sensors) + (108 if experiment.inception else 0)
    assert model.get_layer("unet").input_shape == (None, SIZE, SIZE, channels)


def test_a_batch_is_learned(slim):
    experiment = EXPERIMENTS["inception_10c"]
    keras.utils.set_random_seed(7)
    model = build_model(experiment, SIZE, STATISTICS)
    inputs, ids = batch(experiment)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(1e-3), loss, run_eagerly=True)
    losses = [float(model.train_on_batch(inputs, np.maximum(ids, 1) - 1)) for _ in range(5)]
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("name", ["s2_6c", "inception_10c"])
def test_saved_and_loaded_predicts_the_same(name, tmp_path, slim):
    experiment = replace(EXPERIMENTS[name], peephole=True)
    model = build_model(experiment, SIZE, STATISTICS)
    (inputs, _) = batch(experiment)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(predict(again, inputs), predict(model, inputs), atol=1e-6)


def test_predict_gives_probabilities(slim):
    experiment = EXPERIMENTS["s1_6c"]
    inputs, _ = batch(experiment)
    model = build_model(experiment, SIZE, STATISTICS)
    probabilities = predict(model, inputs)
    logits = np.float64(model(tensors(inputs)))
    expected = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    np.testing.assert_allclose(probabilities, expected, atol=1e-5)


def test_statistics_take_the_place_of_standardised_inputs(slim):
    experiment = replace(EXPERIMENTS["s1s2_6c"], s1_decibel=False)
    inputs, _ = batch(experiment)
    statistics = {"s1": ([0.06, 0.05], [0.04, 0.03]), "s2": STATISTICS["s2"]}
    model = build_model(experiment, SIZE, statistics)
    plain = build_model(experiment, SIZE)
    plain.set_weights(model.get_weights())
    by_hand = {s: (x - np.array(statistics[s][0])) / statistics[s][1] for s, x in inputs.items()}
    np.testing.assert_allclose(
        plain(tensors(by_hand)), model(tensors(inputs)), rtol=1e-3, atol=1e-3
    )


@pytest.mark.slow
def test_choices_left_open_change_the_network():
    base = EXPERIMENTS["inception_10c"]

    def parameters(**changes):
        model = build_model(replace(base, **changes), SIZE)
        return sum(int(np.prod(w.shape)) for w in model.trainable_weights)

    all_in = parameters()
    # 12 pooled channels less into the first convolution of the encoder.
    assert all_in - parameters(inception_pool=False) == 12 * 9 * 64
    assert parameters(full_resolution_skip=True) - all_in == 64 * 9 * 16
    assert all_in - parameters(first_dates=1) == 2 * 9 * 32 * 128  # nothing recurs
    assert parameters(peephole=True) - all_in == 2 * 3 * SIZE * SIZE * 32
    assert all_in - parameters(freeze_encoder=True) == 14_714_688 + (172 - 3) * 9 * 64


def test_later_dates_can_be_left_out(slim):
    experiment = replace(EXPERIMENTS["s1s2_6c"], first_dates=1)
    inputs, ids = batch(experiment)
    model = build_model(experiment, SIZE, STATISTICS)
    changed = {s: np.concatenate([x[:, :1], x[:, 1:] * 2], axis=1) for s, x in inputs.items()}
    np.testing.assert_array_equal(predict(model, inputs), predict(model, changed))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, run_eagerly=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.train_on_batch(inputs, np.maximum(ids, 1) - 1)


# Refusals


def test_unknown_experiment_is_refused():
    with pytest.raises(ExperimentError, match=r"no experiment 'nonsense': choose one of s1_6c"):
        build_model("nonsense")


@pytest.mark.parametrize("size", [0, 16, 100, -32])
def test_size_that_cannot_be_halved_is_refused(size):
    with pytest.raises(ExperimentError, match="multiple of 32"):
        build_model("s1_6c", size)


def test_inputs_of_another_shape_are_refused_by_name(slim):
    experiment = EXPERIMENTS["s1s2_6c"]
    model = build_model(experiment, SIZE)
    (inputs, _) = batch(experiment)
    with pytest.raises(ValueError, match='Missing data for input "s2"'):
        model({"s1": inputs["s1"]})
    with pytest.raises(ValueError, match=r"Input 1 with name 's2'.*incompatible"):
        model({**inputs, "s2": inputs["s2"][..., :9]})


@pytest.mark.parametrize(
    ("statistics", "message"),
    [
        (
            {"s1": STATISTICS["s1"]},
            "s2: 10 means and as many standard deviations above 0 are needed",
        ),
        ({**STATISTICS, "s1": ([0.0], [1.0])}, "s1: 2 means and as many"),
        ({**STATISTICS, "s1": ([0, 0], [1, 0])}, "s1: 2 means and as many"),
    ],
)
def test_statistics_of_other_bands_are_refused(statistics, message):
    with pytest.raises(ExperimentError, match=message):
        build_model("s1s2_6c", SIZE, statistics)


# Equation 4


def standardised(sensor, x, **changes):
    """What the network makes of a sensor's values before the ConvLSTM."""
    model = build_model(replace(EXPERIMENTS[f"{sensor}_6c"], **changes), SIZE, STATISTICS)
    inner = keras.Model(model.inputs, model.get_layer(f"{sensor}_standardise").output)
    return inner({sensor: keras.ops.convert_to_tensor(x, "float32")})


def test_standardised_by_equation_4(slim):
    x = batch(EXPERIMENTS["s2_6c"])[0]["s2"]
    mean, deviation = STATISTICS["s2"]
    ours = keras.ops.convert_to_numpy(standardised("s2", x))
    np.testing.assert_allclose(ours, (x - mean) / deviation, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("policy", ["float32", "mixed_float16"])
def test_backscatter_in_decibels_is_exact_under_any_policy(policy, slim):
    """In float16, 2e-5 is 0.7 % off and 1e-5 is 5 % off."""
    x = np.full((1, 4, SIZE, SIZE, 2), 2e-5, np.float32)
    x[0, 0, 0, 0] = 0, 1
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        ours = keras.ops.convert_to_numpy(standardised("s1", x))
    finally:
        keras.config.set_dtype_policy(before)
    floor = 10 * np.log10(BACKSCATTER_FLOOR)
    np.testing.assert_allclose(ours[0, 0, 0, 0], [(floor + 11) / 3, 17 / 3], rtol=1e-6)
    np.testing.assert_allclose(ours[0, 1, 0, 0, 0], (10 * np.log10(2e-5) + 11) / 3, rtol=1e-6)


def test_a_whole_network_in_bfloat16_is_close_to_float32(slim):
    """With 8 bits a value, probabilities differ by 0.002 in the mean, by 0.02 at most."""
    experiment = EXPERIMENTS["inception_10c"]
    keras.utils.set_random_seed(7)
    exact = build_model(experiment, SIZE, STATISTICS)
    (inputs, _) = batch(experiment)
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        half = build_model(experiment, SIZE, STATISTICS)
    finally:
        keras.config.set_dtype_policy(before)
    half.set_weights(exact.get_weights())
    apart = np.abs(predict(half, inputs) - predict(exact, inputs))
    assert 0 < apart.mean() < 0.002 and apart.max() < 0.02


def test_any_size_without_peepholes(slim):
    model = build_model("inception_6c", None)
    fixed = build_model("inception_6c", 64)
    model.set_weights(fixed.get_weights())
    inputs, _ = batch(EXPERIMENTS["inception_6c"], size=64)
    np.testing.assert_allclose(predict(model, inputs), predict(fixed, inputs), atol=1e-6)


# JAX

# Small inputs: compiling takes the time, so let XLA optimise less.
ON_JAX = {
    **os.environ,
    "KERAS_BACKEND": "jax",
    "JAX_PLATFORMS": "cpu",
    "XLA_FLAGS": "--xla_backend_optimization_level=0",
}
needs_jax = pytest.mark.skipif(
    keras.backend.backend() == "jax" or not any((Path(p) / "jax").is_dir() for p in sys.path),
    reason="the first backend is JAX already, or JAX is not installed",
)
LEARN_AND_PREDICT = """
import sys, keras, numpy as np
from multisenge_lib.models import ConvLSTM2D, predict  # the first, so that Keras knows its name
assert keras.backend.backend() == "jax"
model, data = keras.models.load_model(sys.argv[1]), np.load(sys.argv[2])
inputs = {"s1": data["s1"], "s2": data["s2"]}
np.save(sys.argv[3], predict(model, inputs))
model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
losses = [float(model.train_on_batch(inputs, data["ids"])) for _ in range(5)]
assert losses[-1] < losses[0], losses
"""


@pytest.mark.jax
@needs_jax
def test_layers_pass_their_tests_on_jax():
    files = [HERE / "test_conv_lstm.py", HERE / "test_inception.py"]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *files]
    run = subprocess.run(command, env=ON_JAX, capture_output=True, text=True, cwd=HERE.parent)
    assert run.returncode == 0, run.stdout[-3000:]
    assert " passed" in run.stdout


@pytest.mark.jax
@needs_jax
def test_a_model_saved_here_predicts_the_same_on_jax_and_learns_there(tmp_path):
    experiment = EXPERIMENTS["inception_6c"]
    model = build_model(experiment, SIZE, STATISTICS)
    (inputs, ids) = batch(experiment)
    model.save(tmp_path / "model.keras")
    np.savez(tmp_path / "batch.npz", **inputs, ids=np.maximum(ids, 1) - 1)
    arguments = [tmp_path / name for name in ("model.keras", "batch.npz", "predicted.npy")]
    command = [sys.executable, "-c", LEARN_AND_PREDICT, *arguments]
    run = subprocess.run(command, env=ON_JAX, capture_output=True, text=True, cwd=HERE.parent)
    assert run.returncode == 0, run.stderr[-3000:]
    np.testing.assert_allclose(np.load(arguments[2]), predict(model, inputs), atol=1e-4)
