"""Part `sample_run`: the README's sample run, and a resumed run beside an uninterrupted one."""

import contextlib
import shutil
import statistics
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from gpu_parts.networks import experiment_for
from gpu_parts.reporting import Task
from multisenge_lib.results import read_runs
from multisenge_lib.sample import ensure_sample
from multisenge_lib.training import SAMPLE_SETTINGS, Run, Settings, train
from multisenge_lib.training.checkpoint import Checkpoint

EXPERIMENT = "s1s2_10c"
SCORES = ("accuracy", "macro_f1", "mean_iou", "kappa")
#: The trained network, for the parts that draw maps.
NETWORK = "sample_network.keras"


class Interrupted(Exception):
    """Ends a run between two epochs, as a killed process would."""


def measure(task: Task) -> None:
    """Train as the README does, compare the scores, and then interrupt a short run."""
    start = time.perf_counter()
    root = ensure_sample(size=32 if task.quick else 64)
    task.report(writing_sample_seconds=time.perf_counter() - start)

    settings = SAMPLE_SETTINGS
    if task.quick:
        settings = replace(settings, epochs=1, passes_per_epoch=1)
    experiment = experiment_for(task, EXPERIMENT)
    start = time.perf_counter()
    run = train(experiment, settings, root, progress=False, runs=task.folder / "runs")
    seconds = time.perf_counter() - start
    shutil.copy(run.folder / "model.keras", task.folder / NETWORK)
    epoch_seconds = run.record.history["seconds"]
    task.report(
        experiment=EXPERIMENT,
        multiply=task.multiply,
        epochs=len(epoch_seconds),
        seconds=seconds,
        # The first epoch compiles.
        seconds_per_epoch=float(epoch_seconds.iloc[-1]),
        scores={name: run.record.scores[name] for name in SCORES},
        committed_scores=_committed_scores(),
    )
    task.report(**_compare_resumed(task, experiment, settings, root))


def _committed_scores() -> dict[str, Any]:
    """Return mean and standard deviation over the seeds of the committed CPU records."""
    runs = read_runs("sample", EXPERIMENT)
    summary: dict[str, Any] = {"seeds": len(runs)}
    if len(runs) < 2:
        return summary
    for name in SCORES:
        values = [run.scores[name] for run in runs]
        summary[name] = {
            "mean": statistics.mean(values),
            "deviation": statistics.stdev(values),
        }
    return summary


def _compare_resumed(task: Task, experiment: Any, settings: Settings, root: Path) -> dict[str, Any]:
    """Train three times for a few epochs: through, through again, and with an interruption.

    The second run through shows whether this device repeats itself at all. Only then can a resumed
    run be expected to be equal.
    """
    short = replace(settings, epochs=2 if task.quick else 4, passes_per_epoch=1)

    def train_short(folder: str) -> Run:
        return train(
            experiment,
            short,
            root,
            progress=False,
            checkpoint_interval=0,
            runs=task.folder / folder,
        )

    whole = train_short("whole")
    again = train_short("again")
    with contextlib.suppress(Interrupted), _interrupt_after(short.epochs // 2):
        train_short("resumed")
    resumed = train_short("resumed")
    return {
        "short_epochs": short.epochs,
        "repeated_run": _difference(whole, again),
        "resumed_run": _difference(whole, resumed),
    }


@contextlib.contextmanager
def _interrupt_after(epochs: int) -> Iterator[None]:
    """Let training end after some epochs, right after its checkpoint was written."""
    original = Checkpoint.on_epoch_end

    def ending(self: Checkpoint, epoch: int, logs: Any = None) -> None:
        original(self, epoch, logs)
        if epoch + 1 == epochs:
            raise Interrupted

    with mock.patch.object(Checkpoint, "on_epoch_end", ending):
        yield


def _difference(one: Run, other: Run) -> dict[str, Any]:
    """Compare the losses and the weights of two runs."""
    columns = ["loss", "val_loss"]
    losses = one.record.history[columns].to_numpy()
    other_losses = other.record.history[columns].to_numpy()
    largest = 0.0
    for mine, theirs in zip(one.model.get_weights(), other.model.get_weights(), strict=True):
        largest = max(largest, float(np.abs(mine - theirs).max()))
    return {
        "epochs": len(other_losses),
        "equal": bool(largest == 0 and np.array_equal(losses, other_losses)),
        "largest_weight_difference": largest,
        "largest_loss_difference": float(np.abs(losses - other_losses).max()),
    }
