"""The networks beyond the paper: shapes, weights against published counts, and what they see."""

import keras
import numpy as np
import pytest

from multisenge_lib.other_networks import single_date, stacked_dates, unet3d, utae

SIZE = 32


def model_of(build, bands: dict[str, int], classes: int, dates: int = 4) -> keras.Model:
    """A network on images of `SIZE` pixels; U-TAE also takes the days of the year."""
    inputs = {s: keras.Input((dates, SIZE, SIZE, count), name=s) for s, count in bands.items()}
    if build is not utae.build:
        return keras.Model(inputs, build(inputs, classes))
    days = {s: keras.Input((dates,), name=f"{s}_days") for s in bands}
    logits = build(inputs, classes, days)
    used = list(days.values())[-1]
    return keras.Model({**inputs, used.name: used}, logits)


def trained_weights(model: keras.Model) -> int:
    return sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)


def random_inputs(model: keras.Model, patches: int = 2) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    inputs = {}
    for name, tensor in model.input.items():
        values = rng.normal(size=(patches, *tensor.shape[1:]))
        if name.endswith("_days"):
            values = np.tile([190.0, 221, 258, 322], (patches, 1))
        inputs[name] = values.astype(np.float32)
    return inputs


def predicted(model: keras.Model, inputs: dict[str, np.ndarray]) -> np.ndarray:
    """The logits. Calling a network once is much faster than compiling it for `predict`."""
    return keras.ops.convert_to_numpy(model(inputs, training=False))


@pytest.mark.parametrize("network", [single_date, stacked_dates, unet3d, utae])
@pytest.mark.parametrize("bands", [{"s1": 2}, {"s2": 10}, {"s1": 2, "s2": 10}])
def test_logits_have_the_size_of_the_image(network, bands):
    model = model_of(network.build, bands, 6)
    assert model.output_shape == (None, SIZE, SIZE, 6)


# Garnot and Landrieu (2021) give both counts for 10 bands and 20 classes: 1,087 and 1,554 thousand.
@pytest.mark.parametrize(("network", "published"), [(utae, 1_087_000), (unet3d, 1_554_000)])
def test_as_many_weights_as_published(network, published):
    weights = trained_weights(model_of(network.build, {"s2": 10}, 20))
    assert round(weights, -3) == published


def test_the_single_date_is_the_first():
    model = model_of(single_date.build, {"s1": 2, "s2": 10}, 6)
    inputs = random_inputs(model)
    logits = predicted(model, inputs)
    inputs["s2"][:, 1:] = 0
    inputs["s1"][:, 1:] = 0
    assert np.array_equal(predicted(model, inputs), logits)
    inputs["s1"][:, 0] = 0
    assert not np.allclose(predicted(model, inputs), logits)


@pytest.mark.parametrize("network", [stacked_dates, unet3d, utae])
def test_every_date_counts(network):
    model = model_of(network.build, {"s2": 3}, 4)
    logits = predicted(model, random_inputs(model))
    for date in range(4):
        inputs = random_inputs(model)
        inputs["s2"][:, date] += 1
        assert not np.allclose(predicted(model, inputs), logits, atol=1e-6), f"date {date}"


def test_sensors_with_different_numbers_of_dates_can_be_stacked():
    inputs = {
        "s1": keras.Input((6, SIZE, SIZE, 2), name="s1"),
        "s2": keras.Input((4, SIZE, SIZE, 10), name="s2"),
    }
    logits = stacked_dates.build(inputs, 6)
    assert keras.Model(inputs, logits).get_layer("stacked_dates").output.shape[-1] == 6 * 2 + 4 * 10


@pytest.mark.parametrize("dates", [1, 2, 3, 5])
def test_any_number_of_dates_in_three_dimensions(dates):
    model = model_of(unet3d.build, {"s2": 3}, 4, dates)
    assert predicted(model, random_inputs(model)).shape == (2, SIZE, SIZE, 4)


def test_attention_is_shared_among_the_dates():
    layer = utae.DateAttention(heads=4, key_size=2)
    series = np.random.default_rng(2).normal(size=(1, 5, 3, 3, 8)).astype(np.float32)
    weights = keras.ops.convert_to_numpy(layer(series))
    assert weights.shape == (1, 5, 3, 3, 4)
    assert weights.sum(axis=1) == pytest.approx(np.ones((1, 3, 3, 4)), abs=1e-6)


def test_dates_are_merged_with_the_weights_of_each_head():
    # Two dates of one pixel with four channels; the first head takes the first date alone, the
    # second head the mean of both.
    series = np.array([[1, 2, 3, 4], [5, 6, 7, 8]], np.float32).reshape(1, 2, 1, 1, 4)
    weights = np.array([[1, 0.5], [0, 0.5]], np.float32).reshape(1, 2, 1, 1, 2)
    merged = keras.ops.convert_to_numpy(utae.MergeDates()(series, weights))
    assert merged.ravel().tolist() == [1, 2, 5, 6]


def test_the_code_of_a_day_is_sines_and_cosines():
    code = keras.ops.convert_to_numpy(utae.DayCode(width=8, heads=2)(np.array([[0.0, 10]])))
    first = code[0, 0, 0, 0]
    second = code[0, 1, 0, 0]
    assert first == pytest.approx([0, 1, 0, 1] * 2, abs=1e-6)
    days_per_radian = utae.DAY_CODE_BASE ** (2 / 4)
    expected = [np.sin(10), np.cos(10), np.sin(10 / days_per_radian), np.cos(10 / days_per_radian)]
    assert second == pytest.approx(expected * 2, abs=1e-5)


def test_pixels_are_normalised_each_on_its_own():
    layer = utae.PixelNormalization(groups=2)
    series = np.random.default_rng(3).normal(3, 2, size=(1, 4, 2, 2, 6)).astype(np.float32)
    normalised = keras.ops.convert_to_numpy(layer(series))
    group = normalised[0, :, 1, 0, :3]
    assert group.mean() == pytest.approx(0, abs=1e-5)
    assert group.std() == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("network", [single_date, unet3d, utae])
def test_a_saved_network_predicts_the_same(network, tmp_path):
    model = model_of(network.build, {"s2": 3}, 4)
    inputs = random_inputs(model)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    before = predicted(model, inputs)
    assert predicted(again, inputs) == pytest.approx(before, abs=1e-6)
