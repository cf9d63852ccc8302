"""Lines that tell how training goes, where a person sees them."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import keras

from multisenge_lib.results import Record


def _papermill_terminal() -> Path | None:
    """The terminal of the papermill that runs this notebook, where the system has /proc.

    What a kernel prints goes into the notebook alone, and papermill shows none of it in its
    terminal unless `--log-output` is given.
    """
    parent = Path("/proc", str(os.getppid()))
    try:
        command = (parent / "cmdline").read_bytes()
        with (parent / "fd" / "2").open("wb", buffering=0) as stream:
            there = stream.isatty() and b"papermill" in command and b"--log-output" not in command
    except OSError:
        return None
    return parent / "fd" / "2" if there else None


def say(line: str) -> None:
    """Write a line to standard output and, in a notebook, to the terminal of its papermill."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
    if terminal := _papermill_terminal():
        with terminal.open("wb", buffering=0) as stream:
            stream.write(f"\r\x1b[K{line}\r\n".encode())  # over papermill's own bar


def print_scores(record: Record) -> None:
    """Say a run's scores on the test split, beside those of one class everywhere."""
    for name in ("accuracy", "weighted_f1", "macro_f1", "kappa"):
        network, constant = (
            "undefined" if of[name] is None else f"{of[name]:.4f}"
            for of in (record.scores, record.majority)
        )
        say(f"{name:<12} {network}   (the commonest class everywhere: {constant})")


class Progress(keras.callbacks.Callback):
    """A line an epoch."""

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """Say the losses."""
        logs = logs or {}
        say(
            f"epoch {epoch + 1} of at most {self.params['epochs']}: loss {logs['loss']:.4f}, "
            f"validation {logs['val_loss']:.4f}, learning rate {logs['learning_rate']:.0e}"
        )
