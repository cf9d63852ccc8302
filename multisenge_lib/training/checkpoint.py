"""A run's folder: a checkpoint from which training ends as if never interrupted, then the model.

Keras' own `BackupAndRestore` keeps weights and optimizer, but neither the patience of
`ReduceLROnPlateau` and `EarlyStopping` nor the best weights: a resumed run would end elsewhere.
"""

import json
import time
import zipfile
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd

from multisenge_lib.errors import ExperimentError, FileError, ModelError
from multisenge_lib.files import atomic, locked, write_text
from multisenge_lib.models import ModelCard, read_model_card, save_model

_ROOM = (
    "make room, or set MULTISENGE_CACHE to another folder, and give the same command again: it "
    "goes on from the last checkpoint"
)
_UNREADABLE = (
    ModelError,
    ValueError,
    KeyError,
    TypeError,
    EOFError,
    OSError,
    zipfile.BadZipFile,
)
#: What `on_train_begin` of these callbacks would forget.
_STATE = {
    "ReduceLROnPlateau": ("wait", "best", "cooldown_counter"),
    "EarlyStopping": ("wait", "best", "best_epoch", "stopped_epoch"),
}


def _numbered(arrays: Mapping[str, np.ndarray], group: str) -> list[np.ndarray]:
    count = sum(name.startswith(f"{group}_") for name in arrays)
    return [arrays[f"{group}_{i}"] for i in range(count)]


def exclusive(folder: Path) -> AbstractContextManager[None]:
    """Hold a run's folder; an ExperimentError where another process trains the same run."""
    busy = ExperimentError(
        f"another process trains the same run in {folder}: wait for it, or give another seed"
    )
    return locked(folder / "lock", busy, _ROOM)


class Checkpoint(keras.callbacks.Callback):
    """Keep the state of a run on disk, whole at any moment; last in the list of callbacks.

    Args:
        folder: where `checkpoint.npz` and `history.csv` are written.
        stopping: keeps the best weights.
        plateau: lowers the learning rate.
        interval: least seconds between two checkpoints.

    Attributes:
        rows: one mapping an epoch: `loss`, `val_loss`, `learning_rate`, `seconds`.
        stopped: whether early stopping has ended the run.
    """

    def __init__(
        self,
        folder: Path,
        stopping: keras.callbacks.EarlyStopping,
        plateau: keras.callbacks.ReduceLROnPlateau,
        interval: float,
    ):
        super().__init__()
        self.folder, self.path, self.interval = folder, folder / "checkpoint.npz", interval
        self.stopping, self.others = stopping, (stopping, plateau)
        self.rows: list[dict[str, float]] = []
        self.stopped = False
        self._state: dict[str, Any] = {}
        self._saved = time.monotonic()

    def restore(self, model: keras.Model) -> None:
        """Take up weights, optimizer and history, before `fit`; a FileError for a damaged file."""
        if not self.path.exists():
            return
        try:
            with np.load(self.path) as arrays:
                state = json.loads(str(arrays["state"]))
                model.set_weights(_numbered(arrays, "model"))
                model.optimizer.build(model.trainable_variables)
                optimizer = zip(
                    model.optimizer.variables, _numbered(arrays, "optimizer"), strict=True
                )
                for variable, value in optimizer:
                    variable.assign(value)
                self._state = {**state, "best": _numbered(arrays, "best")}
            self.rows, self.stopped = state["rows"], state["stopped"]
        except _UNREADABLE as error:
            raise FileError(
                f"{self.path} is damaged ({error}): delete it, and training begins anew"
            ) from None

    def on_train_begin(self, logs: Mapping[str, float] | None = None) -> None:
        """Give the other callbacks back what they knew."""
        for callback in self.others if self._state else ():
            for name, value in self._state[type(callback).__name__].items():
                setattr(callback, name, value)
        if self._state:
            self.stopping.best_weights = self._state.pop("best") or None

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """Start the clock."""
        self._started = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """Write history and, when it is time, the checkpoint."""
        row = {name: float(value) for name, value in (logs or {}).items()}
        self.rows.append(row | {"seconds": round(time.monotonic() - self._started, 3)})
        self.stopped = self.model.stop_training
        text = history(self.rows).to_csv(lineterminator="\n")
        write_text(self.folder / "history.csv", text, _ROOM)
        if time.monotonic() - self._saved >= self.interval:
            self.save()

    def on_train_end(self, logs: Mapping[str, float] | None = None) -> None:
        """Keep the end: what comes after may fail."""
        self.save()

    def save(self) -> None:
        """Write all that `restore` needs; the file before stays until this one is on disk."""
        state = {"rows": self.rows, "stopped": self.stopped}
        for callback in self.others:
            kind = type(callback).__name__
            state[kind] = {name: getattr(callback, name) for name in _STATE[kind]}
        groups = {
            "model": self.model.get_weights(),
            "optimizer": [np.asarray(v.numpy()) for v in self.model.optimizer.variables],
            "best": self.stopping.best_weights or [],
        }
        arrays = {
            f"{g}_{i}": value for g, values in groups.items() for i, value in enumerate(values)
        }
        with atomic(self.path, _ROOM) as unfinished:
            np.savez(unfinished, state=json.dumps(state), **arrays)
        self._saved = time.monotonic()


def history(rows: list[dict[str, float]]) -> pd.DataFrame:
    """A row an epoch, from 1."""
    return pd.DataFrame(rows, index=pd.RangeIndex(1, len(rows) + 1, name="epoch"))


def delete_run(folder: Path) -> None:
    """Delete what a run has kept, and what it had begun to write, so that it begins anew."""
    for name in ("finished.json", "model.keras", "checkpoint.npz", "history.csv"):
        for path in (folder / name, *folder.glob(f".{name.replace('.', '.*.')}")):
            path.unlink(missing_ok=True)


def _same_network(saved: ModelCard, expected: ModelCard) -> bool:
    """Whether two cards describe the same network; its scores and the library may differ."""
    return replace(saved, scores={}, library={}) == replace(expected, scores={}, library={})


def read_finished(folder: Path, model: keras.Model, card: ModelCard) -> dict[str, Any] | None:
    """What `write_finished` kept, and the weights into the model; None while a run is not over.

    Args:
        folder: of the run.
        model: takes the weights.
        card: what the network of the run must be; its scores do not matter.

    Raises:
        FileError: the folder is damaged, or holds another network.
    """
    if not (folder / "finished.json").exists():
        return None
    try:
        saved = read_model_card(folder / "model.keras")
        made = json.loads((folder / "finished.json").read_text(encoding="utf-8"))
        keras.Model(model.input, model.output).load_weights(folder / "model.keras")
    except _UNREADABLE as error:
        raise FileError(f"{folder} is damaged ({error}): delete it to train anew") from None
    if not _same_network(saved, card):
        raise FileError(
            f"{folder} holds a network of other classes, bands or dates than this run: delete it "
            "to train anew"
        )
    return made


def write_finished(
    folder: Path, model: keras.Model, description: ModelCard, made: Mapping[str, Any]
) -> None:
    """Keep the trained network and what its record needs; only then the checkpoint goes.

    What is kept already stays as it is: maps know a network by its bytes.
    """
    if (folder / "finished.json").exists():
        return
    save_model(model, description, folder / "model.keras")
    write_text(folder / "finished.json", json.dumps(made), _ROOM)
    (folder / "checkpoint.npz").unlink(missing_ok=True)
