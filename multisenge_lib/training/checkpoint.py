"""A run's folder: a checkpoint from which training ends as if never interrupted, then the model.

Keras' own `BackupAndRestore` keeps weights and optimizer, but neither the patience of
`ReduceLROnPlateau` and `EarlyStopping` nor the best weights: a resumed run would end elsewhere.
"""

import json
import shutil
import time
import zipfile
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import keras
import msgspec
import numpy as np
import pandas as pd

from multisenge_lib.errors import ExperimentError, FileError, ModelError
from multisenge_lib.files import atomic, locked, write_text
from multisenge_lib.models import ModelCard, read_model_card, save_model

#: The files of a run's folder. While it is trained:
_CHECKPOINT = "checkpoint.npz"
_HISTORY = "history.csv"
#: When it is over; `finished.json` comes last, so where it is, the run is whole.
MODEL = "model.keras"
#: The folder of its curves, if the settings ask for them.
TENSORBOARD = "tensorboard"
_FINISHED = "finished.json"

_REMEDY = (
    "make room, or set MULTISENGE_CACHE to another folder, and give the same command again: it "
    "goes on from the last checkpoint"
)
#: Whatever NumPy, zip, JSON or Keras raise when a file is damaged.
_UNREADABLE = (
    ModelError,
    msgspec.ValidationError,
    ValueError,
    KeyError,
    TypeError,
    EOFError,
    OSError,
    zipfile.BadZipFile,
)
#: Attributes that Keras resets when training begins. A checkpoint saves them, and sets them again.
#: The cosine keeps nothing: its rate
#: follows from the number of the update.
_STATE_OF_CALLBACK = {
    "ReduceLROnPlateau": ("wait", "best", "cooldown_counter"),
    "CosineSchedule": (),
    "EarlyStopping": ("wait", "best", "best_epoch", "stopped_epoch"),
}


def exclusive(folder: Path) -> AbstractContextManager[None]:
    """Lock a run's folder; an ExperimentError where another process trains the same run."""
    busy = ExperimentError(
        f"another process trains the same run in {folder}: wait for it, or give another seed"
    )
    return locked(folder / "lock", busy, _REMEDY)


class Checkpoint(keras.callbacks.Callback):
    """Saves the state of a run after epochs; the files are whole at any moment.

    In the list given to `fit` it must stand after the callbacks whose state it keeps: their
    `on_train_begin` sets them back before its own restores them.

    Args:
        folder: where `checkpoint.npz` and `history.csv` are written.
        stopping: keeps the best weights.
        schedule: sets the learning rate.
        interval: least seconds between two checkpoints.

    Attributes:
        rows: one mapping per epoch: `loss`, `val_loss`, `learning_rate`, `seconds`.
        stopped: whether early stopping has ended the run.
    """

    def __init__(
        self,
        folder: Path,
        stopping: keras.callbacks.EarlyStopping,
        schedule: keras.callbacks.Callback,
        interval: float,
    ):
        super().__init__()
        self.folder = folder
        self.path = folder / _CHECKPOINT
        self.interval = interval
        self.stopping = stopping
        self.schedule = schedule
        self.rows: list[dict[str, float]] = []
        self.stopped = False
        self._restored: dict[str, Any] | None = None
        self._last_save = time.monotonic()

    # --- Save ---

    def save(self) -> None:
        """Write all that `restore` needs; the file before stays until this one is on disk."""
        state: dict[str, Any] = {"rows": self.rows, "stopped": self.stopped}
        for callback in (self.stopping, self.schedule):
            name = type(callback).__name__
            state[name] = {key: getattr(callback, key) for key in _STATE_OF_CALLBACK[name]}

        optimizer = [np.asarray(v.numpy()) for v in self.model.optimizer.variables]
        arrays = {
            **_numbered("model", self.model.get_weights()),
            **_numbered("seeds", [np.asarray(v.numpy()) for v in _seed_states(self.model)]),
            **_numbered("optimizer", optimizer),
            **_numbered("best", self.stopping.best_weights or []),
        }
        with atomic(self.path, _REMEDY) as unfinished:
            np.savez(unfinished, state=json.dumps(state), **arrays)
        self._last_save = time.monotonic()

    # --- Restore ---

    def restore(self, model: keras.Model) -> None:
        """Restore weights, optimizer and history before `fit`; do nothing without a checkpoint.

        Raises:
            FileError: the checkpoint is damaged, or of another network.
        """
        if not self.path.exists():
            return
        try:
            with np.load(self.path) as arrays:
                state = json.loads(str(arrays["state"]))
                model.set_weights(_of_group("model", arrays))
                seeds = _of_group("seeds", arrays)
                optimizer = _of_group("optimizer", arrays)
                best_weights = _of_group("best", arrays)
            model.optimizer.build(model.trainable_variables)
            for variable, value in zip(model.optimizer.variables, optimizer, strict=True):
                variable.assign(value)
            for variable, value in zip(_seed_states(model), seeds, strict=True):
                variable.assign(value)
            self.rows = state["rows"]
            self.stopped = state["stopped"]
            self._restored = {**state, "best": best_weights}
        except _UNREADABLE as error:
            raise FileError(
                f"{self.path} is damaged ({error}): delete it, and training begins anew"
            ) from None

    def on_train_begin(self, logs: Mapping[str, float] | None = None) -> None:
        """Restore the state of the other callbacks, which their own `on_train_begin` has reset."""
        if self._restored is None:
            return
        for callback in (self.stopping, self.schedule):
            for name, value in self._restored[type(callback).__name__].items():
                setattr(callback, name, value)
        self.stopping.best_weights = self._restored["best"] or None
        self._restored = None

    # --- While training ---

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """Start the clock of an epoch."""
        self._epoch_start = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """Write the history and, when the interval is over, the checkpoint."""
        row = {name: float(value) for name, value in (logs or {}).items()}
        row["seconds"] = round(time.monotonic() - self._epoch_start, 3)
        self.rows.append(row)
        self.stopped = self.model.stop_training

        text = history(self.rows).to_csv(lineterminator="\n")
        write_text(self.folder / _HISTORY, text, _REMEDY)
        if time.monotonic() - self._last_save >= self.interval:
            self.save()

    def on_train_end(self, logs: Mapping[str, float] | None = None) -> None:
        """Save the final state, whatever the interval: the evaluation that follows may fail."""
        self.save()


def _seed_states(model: keras.Model) -> list[Any]:
    """Return the states of a network's random numbers, such as those of its dropout.

    Keras' `get_weights` leaves them out. Without them the masks of a resumed run would begin again.
    """
    weights = {id(weight) for weight in model.weights}
    return [variable for variable in model.variables if id(variable) not in weights]


def _numbered(group: str, arrays: list[np.ndarray]) -> dict[str, np.ndarray]:
    """Name the arrays of a list for an npz file, which has no lists."""
    return {f"{group}_{number}": array for number, array in enumerate(arrays)}


def _of_group(group: str, arrays: Mapping[str, np.ndarray]) -> list[np.ndarray]:
    """Return the list of arrays that `_numbered` named."""
    count = sum(name.startswith(f"{group}_") for name in arrays)
    return [arrays[f"{group}_{number}"] for number in range(count)]


def history(rows: list[dict[str, float]]) -> pd.DataFrame:
    """Make a table with one row per epoch, numbered from 1."""
    return pd.DataFrame(rows, index=pd.RangeIndex(1, len(rows) + 1, name="epoch"))


# --- The end of a run ---


@dataclass(frozen=True)
class TrainingInfo:
    """Facts about a training that its record needs and the weights do not hold.

    Attributes:
        rows: one mapping per epoch: `loss`, `val_loss`, `learning_rate`, `seconds`.
        finished: when the last epoch ended, UTC, ISO 8601.
        device: what the run ran on, in words.
        backend: Keras' backend.
        commit: git commit of the code; None outside a git checkout.
        uncommitted: whether the code had changes that were not committed.
        versions: versions of Python and of the packages that matter.
    """

    rows: list[dict[str, float]]
    finished: str
    device: str
    backend: str
    commit: str | None
    uncommitted: bool | None
    versions: dict[str, str]


def write_finished(
    folder: Path, model: keras.Model, card: ModelCard, training_info: TrainingInfo
) -> None:
    """Save the trained network and what its record needs; only then delete the checkpoint.

    A finished run stays as it is: maps know a network by its bytes.
    """
    if (folder / _FINISHED).exists():
        return
    save_model(model, card, folder / MODEL)
    write_text(folder / _FINISHED, json.dumps(asdict(training_info)), _REMEDY)
    (folder / _CHECKPOINT).unlink(missing_ok=True)


def read_finished(folder: Path, model: keras.Model, card: ModelCard) -> TrainingInfo | None:
    """Read what `write_finished` saved, and load the weights into the model.

    Args:
        folder: the run's folder.
        model: takes the weights.
        card: what the network of the run must be; its scores do not matter.

    Returns:
        None while the run is not over.

    Raises:
        FileError: the folder's files are damaged, or of another network.
    """
    if not (folder / _FINISHED).exists():
        return None
    try:
        content = json.loads((folder / _FINISHED).read_text(encoding="utf-8"))
        training_info = msgspec.convert(content, TrainingInfo)
        saved = read_model_card(folder / MODEL)
        # Without the compiled parts, which the file does not hold.
        keras.Model(model.input, model.output).load_weights(folder / MODEL)
    except _UNREADABLE as error:
        raise FileError(f"{folder} is damaged ({error}): delete it to train anew") from None
    if not _same_network(saved, card):
        raise FileError(
            f"{folder} holds a network of other classes, bands or dates than this run: delete it "
            "to train anew"
        )
    return training_info


def _same_network(saved: ModelCard, expected: ModelCard) -> bool:
    """Return whether two cards describe the same network; scores and library may differ."""
    return replace(saved, scores={}, library={}) == replace(expected, scores={}, library={})


def delete_run(folder: Path) -> None:
    """Delete the files of a run, and those it had begun to write, so that it begins anew."""
    shutil.rmtree(folder / TENSORBOARD, ignore_errors=True)
    # `finished.json` first: without it, whatever else is left is not taken for a finished run.
    for name in (_FINISHED, MODEL, _CHECKPOINT, _HISTORY):
        (folder / name).unlink(missing_ok=True)
        # What `atomic` was writing when the process was killed: ".model.0a1b2c3d.keras".
        stem, ending = name.split(".")
        for unfinished in folder.glob(f".{stem}.*.{ending}"):
            unfinished.unlink(missing_ok=True)
