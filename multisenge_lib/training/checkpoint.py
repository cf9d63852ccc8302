"""Keras callbacks: a checkpoint from which training ends as if never interrupted, and a bar.

Keras' own `BackupAndRestore` keeps weights and optimizer, but neither the patience of
`ReduceLROnPlateau` and `EarlyStopping` nor the best weights: a resumed run would end elsewhere.
"""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
from tqdm import tqdm

from multisenge_lib.errors import MultiSenGEError

#: What `on_train_begin` of these callbacks would forget.
_STATE = {
    "ReduceLROnPlateau": ("wait", "best", "cooldown_counter"),
    "EarlyStopping": ("wait", "best", "best_epoch", "stopped_epoch"),
}


class Checkpoint(keras.callbacks.Callback):
    """Keep the state of a run on disk, whole at any moment; last in the list of callbacks.

    Args:
        folder: where `checkpoint.npz` and `history.csv` are written.
        stopping: keeps the best weights.
        plateau: lowers the learning rate.
        interval: least seconds between two checkpoints; a kill loses at most that and an epoch.

    Attributes:
        rows: one mapping an epoch: `loss`, `val_loss`, ..., `learning_rate`, `seconds`.
    """

    def __init__(
        self,
        folder: Path,
        stopping: keras.callbacks.EarlyStopping,
        plateau: keras.callbacks.ReduceLROnPlateau,
        interval: float = 60,
    ):
        super().__init__()
        self.folder, self.interval = folder, interval
        self.stopping, self.others = stopping, (stopping, plateau)
        self.rows: list[dict[str, float]] = []
        self.stopped = False
        self._restored: Mapping[str, Any] = {}
        self._saved = time.monotonic()

    @property
    def path(self) -> Path:
        """The checkpoint's file."""
        return self.folder / "checkpoint.npz"

    @property
    def history(self) -> pd.DataFrame:
        """A row an epoch, from 1."""
        index = pd.RangeIndex(1, len(self.rows) + 1, name="epoch")
        return pd.DataFrame(self.rows, index=index)

    def restore(self, model: keras.Model) -> None:
        """Take up weights, optimizer and history where there is a checkpoint; before `fit`."""
        if not self.path.exists():
            return
        try:
            with np.load(self.path) as arrays:
                self._restored = json.loads(str(arrays["state"]))
                groups = {name: _numbered(arrays, name) for name in ("model", "optimizer", "best")}
        except (OSError, ValueError, KeyError, EOFError) as error:
            raise MultiSenGEError(
                f"{self.path} cannot be read ({error}): delete it to train from the start"
            ) from None
        self.rows, self.stopped = self._restored["rows"], self._restored["stopped"]
        model.set_weights(groups["model"])
        model.optimizer.build(model.trainable_variables)
        for variable, value in zip(model.optimizer.variables, groups["optimizer"], strict=True):
            variable.assign(value)
        self._restored["best"] = groups["best"]

    def on_train_begin(self, logs: Mapping[str, float] | None = None) -> None:
        """Give the other callbacks back what they knew."""
        for callback in self.others if self._restored else ():
            for name, value in self._restored[type(callback).__name__].items():
                setattr(callback, name, value)
        if self._restored:
            self.stopping.best_weights = self._restored.pop("best") or None

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """Start the clock."""
        self._started = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """Write history and, when it is time, the checkpoint."""
        row = {name: float(value) for name, value in (logs or {}).items()}
        self.rows.append(row | {"seconds": round(time.monotonic() - self._started, 3)})
        self.stopped = self.model.stop_training
        self.history.to_csv(self.folder / "history.csv", lineterminator="\n")
        if time.monotonic() - self._saved >= self.interval:
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
        unfinished = self.path.with_suffix(".new")
        with unfinished.open("wb") as file:
            np.savez(file, state=json.dumps(state), **arrays)
        unfinished.replace(self.path)
        self._saved = time.monotonic()


def _numbered(arrays: Mapping[str, np.ndarray], group: str) -> list[np.ndarray]:
    count = sum(name.startswith(f"{group}_") for name in arrays)
    return [arrays[f"{group}_{i}"] for i in range(count)]


class Progress(keras.callbacks.Callback):
    """One bar over all epochs, with the last losses.

    Args:
        epochs: at most.
        done: epochs before this run.
        show: True always, False never, None where standard error is a terminal.
    """

    def __init__(self, epochs: int, done: int = 0, show: bool | None = None):
        super().__init__()
        disable = None if show is None else not show
        self.bar = tqdm(
            total=epochs,
            initial=done,
            desc="training",
            unit="epoch",
            disable=disable,
            mininterval=2,
        )

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """One epoch further."""
        shown = {name: (logs or {}).get(name) for name in ("loss", "val_loss")}
        self.bar.set_postfix(
            {k: f"{v:.3f}" for k, v in shown.items() if v is not None}, refresh=False
        )
        self.bar.update()

    def on_train_end(self, logs: Mapping[str, float] | None = None) -> None:
        """Leave the bar as it is."""
        self.bar.close()
