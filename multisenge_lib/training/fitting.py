"""Build a network and fit it: Adam, a learning rate that falls, early stopping (steps 6 to 9).

The paper describes this in section 3.4. Steps are numbered as in `run`.
"""

from collections.abc import MutableMapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import keras
import numpy as np
from keras.callbacks import Callback, EarlyStopping

from multisenge_lib.errors import ExperimentError, counted
from multisenge_lib.models import build_model
from multisenge_lib.software import provenance
from multisenge_lib.training.batches import read_ahead
from multisenge_lib.training.checkpoint import (
    TENSORBOARD,
    Checkpoint,
    TrainingInfo,
    read_finished,
)
from multisenge_lib.training.devices import (
    compile_with_xla,
    device_name,
    on_devices,
    synchronise,
)
from multisenge_lib.training.loss import weighted_loss
from multisenge_lib.training.preparation import PreparedRun, TrainingStatistics
from multisenge_lib.training.progress import Progress, show
from multisenge_lib.training.schedule import make_schedule
from multisenge_lib.training.start_from import TakenWeights, take_weights

# --- Steps 6, 7 and 9: the network and its weights ---


def build(prepared: PreparedRun, statistics: TrainingStatistics) -> keras.Model:
    """Build the network, its weights drawn by the seed, ready to fit."""
    settings = prepared.settings
    keras.utils.set_random_seed(settings.seed)
    model = _build_untrained(prepared, statistics)
    synchronise(model, settings.devices)
    model.compile(
        keras.optimizers.Adam(settings.learning_rate),
        loss=weighted_loss(statistics.class_weights),
        jit_compile=compile_with_xla(settings),
    )
    return model


def take_starting_weights(
    model: keras.Model, prepared: PreparedRun, progress: bool
) -> TakenWeights | None:
    """Copy the weights to start from into the network; None if the run starts at random."""
    start = prepared.start
    if start is None:
        return None
    weights = take_weights(model, prepared.typology.names, start)
    if progress:
        at_random = ", ".join(weights.at_random) or "none"
        taken = counted(len(weights.taken), "weight", "weights")
        show(
            f"starts from {start.path}: {taken} taken, {len(weights.at_random)} left at random: "
            f"{at_random}"
        )
    return weights


def in_float32(
    model: keras.Model, prepared: PreparedRun, statistics: TrainingStatistics
) -> keras.Model:
    """Build the same network in single precision on one device, with the same weights.

    It is what is evaluated, saved and mapped with, so that neither scores nor maps depend on the
    precision in which a network was trained.
    """
    settings = replace(prepared.settings, precision="float32", devices=1)
    with on_devices(settings):
        plain = _build_untrained(prepared, statistics)
    plain.compile(jit_compile=compile_with_xla(settings))
    plain.set_weights(model.get_weights())
    return plain


def _build_untrained(prepared: PreparedRun, statistics: TrainingStatistics) -> keras.Model:
    return build_model(
        prepared.experiment, prepared.store.size, statistics.of_bands, prepared.dataset.bands
    )


# --- Step 8: fit, with Adam, a schedule of the rate and early stopping (section 3.4) ---


class _NaNIsWorst(Callback):
    """Replaces a validation loss of NaN by infinity, for the callbacks after it.

    Keras' early stopping and plateau rule keep the least loss so far. If that of the first epoch is
    NaN, they keep NaN, since no later loss is less than NaN, and with it the first epoch's weights.
    """

    def on_epoch_end(self, epoch: int, logs: MutableMapping[str, float] | None = None) -> None:
        """Replace NaN in the logs, which all callbacks share."""
        if logs is not None and np.isnan(logs["val_loss"]):
            logs["val_loss"] = np.inf


def fit_or_load(
    model: keras.Model,
    prepared: PreparedRun,
    folder: Path,
    progress: bool = True,
    checkpoint_interval: float = 60,
) -> TrainingInfo:
    """Train the network, or load its weights where the same run is over.

    The model then has the weights of its best epoch.

    Raises:
        ExperimentError: the validation loss was not a finite number in any epoch.
    """
    finished = read_finished(folder, model, prepared.card)
    if finished is not None:
        if progress:
            show(f"trained before, {folder}: evaluated only")
        return finished

    settings = prepared.settings
    stopping = EarlyStopping(patience=settings.stop_patience, restore_best_weights=True)
    schedule = make_schedule(settings, prepared.updates_per_epoch)
    checkpoint = Checkpoint(folder, stopping, schedule, checkpoint_interval)

    # The checkpoint comes after the callbacks whose state it keeps.
    callbacks: list[Callback] = [_NaNIsWorst(), schedule, stopping]
    if progress:
        callbacks.append(Progress())
    callbacks.append(checkpoint)
    if settings.tensorboard:
        callbacks.append(keras.callbacks.TensorBoard(folder / TENSORBOARD))

    checkpoint.restore(model)
    if progress and checkpoint.rows:
        show(f"goes on after epoch {len(checkpoint.rows)}, from {checkpoint.path}")
    _run_epochs(model, prepared, checkpoint, callbacks)

    losses = [row["val_loss"] for row in checkpoint.rows]
    if not np.isfinite(losses).any():
        raise ExperimentError(
            f"the validation loss of {prepared.experiment.name} was not finite in any epoch: give "
            f"a smaller learning_rate than {settings.learning_rate:g}, or precision float32"
        )
    return TrainingInfo(
        rows=checkpoint.rows,
        finished=datetime.now(UTC).isoformat(timespec="seconds"),
        device=device_name(),
        backend=keras.backend.backend(),
        **provenance(),
    )


def _run_epochs(
    model: keras.Model, prepared: PreparedRun, checkpoint: Checkpoint, callbacks: list[Callback]
) -> None:
    """Train from where the checkpoint is to the last epoch."""
    settings = prepared.settings
    done = len(checkpoint.rows)
    # If early stopping had ended this run before it was killed, it starts after the last epoch.
    # `fit` then trains nothing, and only calls the callbacks' ends, which restore the best weights.
    first_epoch = settings.epochs if checkpoint.stopped else done
    # The batches count passes through the patches; an epoch may have several.
    training = prepared.training_batches(first_pass=done * settings.passes_per_epoch)
    validation = prepared.batches("validation")
    # Else TensorFlow traces the first step twice: once more after the step made Adam's variables.
    model.optimizer.build(model.trainable_variables)
    try:
        model.fit(
            read_ahead(training),
            steps_per_epoch=prepared.updates_per_epoch,
            validation_data=read_ahead(validation),
            epochs=settings.epochs,
            initial_epoch=first_epoch,
            callbacks=callbacks,
            shuffle=False,
            verbose=0,
        )
    except Exception:
        # A patch that cannot be read: show our one-line error, not Keras's traceback.
        error = training.error or validation.error
        if error is not None:
            raise error from None
        raise
