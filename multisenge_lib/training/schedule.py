"""The learning rate over a run: the paper's plateaus, or a cosine that falls to almost zero.

The paper lowers the rate by ten after five epochs without a lower validation loss (section 3.4).
On MultiSenGE five epochs are over a thousand updates. On the sample five passes through the patches
are eighty, and the rule then answers to chance: the worst runs were those in which it acted too
early or never. So the sample's preset anneals by a fixed cosine instead. That is the sample's own
choice, not the paper's.
"""

import math
from collections.abc import Mapping

import keras

from multisenge_lib.training.settings import Settings

#: Share of the updates in which the rate rises from nothing: Adam's moments are wrong at first.
WARM_UP = 0.05


def cosine_rate(update: int, updates: int, peak: float) -> float:
    """Return the learning rate of one update: a linear rise, then half a cosine towards zero.

    Args:
        update: its number, from 0.
        updates: number of updates of the whole run.
        peak: the highest rate, at the end of the rise.

    Examples:
        >>> [round(cosine_rate(update, 100, 1.0), 2) for update in (0, 4, 5, 52, 99)]
        [0.2, 1.0, 1.0, 0.51, 0.0]
    """
    rise = max(1, round(WARM_UP * updates))
    if update < rise:
        return peak * (update + 1) / rise
    progress = (update - rise) / (updates - rise)
    return peak * 0.5 * (1 + math.cos(math.pi * progress))


class CosineSchedule(keras.callbacks.Callback):
    """Sets the learning rate before each update.

    The rate follows from the number of the update alone, so a resumed run goes on with the same.

    Args:
        peak: the highest learning rate.
        epochs: number of epochs of the whole run.
        updates_per_epoch: optimizer steps of each.
    """

    def __init__(self, peak: float, epochs: int, updates_per_epoch: int):
        super().__init__()
        self.peak = peak
        self.updates_per_epoch = updates_per_epoch
        self.updates = epochs * updates_per_epoch
        self._first_update = 0

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """Note which updates the epoch has."""
        self._first_update = epoch * self.updates_per_epoch

    def on_train_batch_begin(self, batch: int, logs: Mapping[str, float] | None = None) -> None:
        """Set the rate of the update."""
        rate = cosine_rate(self._first_update + batch, self.updates, self.peak)
        self.model.optimizer.learning_rate.assign(rate)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Report the rate, as Keras' own schedules do."""
        if logs is not None:
            logs["learning_rate"] = float(self.model.optimizer.learning_rate.numpy())


def make_schedule(settings: Settings, updates_per_epoch: int) -> keras.callbacks.Callback:
    """Return the callback that sets the learning rate, as the settings ask.

    A new callback also needs a row in `_STATE_OF_CALLBACK` of `checkpoint.py`, which says what a
    resumed run must restore.

    Args:
        settings: gives `schedule` and its numbers.
        updates_per_epoch: optimizer steps of each epoch.
    """
    if settings.schedule == "cosine":
        return CosineSchedule(settings.learning_rate, settings.epochs, updates_per_epoch)
    return keras.callbacks.ReduceLROnPlateau(
        factor=settings.plateau_factor, patience=settings.plateau_patience
    )
