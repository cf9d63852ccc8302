"""The learning rate over a run: the cosine by hand, and as `fit` applies it."""

import math
from dataclasses import replace

import keras
import numpy as np
import pytest

from multisenge_lib.training.schedule import CosineSchedule, cosine_rate, make_schedule
from multisenge_lib.training.settings import SAMPLE_SETTINGS, Settings


def test_the_rate_rises_and_falls():
    rates = [cosine_rate(update, 100, 1e-3) for update in range(100)]
    assert rates[:5] == pytest.approx([2e-4, 4e-4, 6e-4, 8e-4, 1e-3])
    assert np.argmax(rates) in (4, 5)
    assert rates[5:] == sorted(rates[5:], reverse=True)
    # A quarter of the way down, by hand: 5 + 95 / 4 updates.
    assert cosine_rate(5 + 95 // 4, 100, 1e-3) == pytest.approx(
        1e-3 * 0.5 * (1 + math.cos(math.pi * 23 / 95))
    )
    assert 0 < rates[-1] < 1e-6


def test_the_shortest_run_has_a_rate():
    assert cosine_rate(0, 1, 1e-3) == 1e-3


def rates_of(first_epoch: int) -> list[float]:
    """The rates of the updates from an epoch on, of a run with 3 epochs of 4 updates."""
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    rates = []

    class Note(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            rates.append(float(self.model.optimizer.learning_rate.numpy()))

    schedule = make_schedule(Settings(schedule="cosine", epochs=3), updates_per_epoch=4)
    ones = np.ones((4, 1))
    history = model.fit(
        ones,
        ones,
        batch_size=1,
        epochs=3,
        initial_epoch=first_epoch,
        callbacks=[schedule, Note()],
        verbose=0,
    )
    assert history.history["learning_rate"][-1] == rates[-1]
    return rates


def test_fit_gets_the_rate_of_each_update_also_when_it_is_resumed():
    expected = [cosine_rate(update, 12, 1e-3) for update in range(12)]
    assert rates_of(0) == pytest.approx(expected, rel=1e-6)
    assert rates_of(2) == pytest.approx(expected[8:], rel=1e-6)


def test_the_papers_rule_stays_the_default():
    schedule = make_schedule(Settings(), updates_per_epoch=210)
    assert isinstance(schedule, keras.callbacks.ReduceLROnPlateau)
    assert (schedule.factor, schedule.patience) == (0.1, 5)
    assert Settings().passes_per_epoch == 1


def test_the_samples_preset_anneals():
    assert isinstance(make_schedule(SAMPLE_SETTINGS, 8), CosineSchedule)
    assert SAMPLE_SETTINGS.precision == "float32"
    assert replace(SAMPLE_SETTINGS, schedule="plateau") != SAMPLE_SETTINGS
