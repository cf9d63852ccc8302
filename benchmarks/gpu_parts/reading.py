"""Part `reading`: does the GPU ever wait for batches from the packed store?

The step is timed twice, with a batch that is on the device already and with batches that are read,
checked, turned and copied to the device, as in training. Keras reads the next batch while the
device works on this one, so reading shows only where it takes longer than the step.
"""

import statistics
import time
from typing import Any

import keras
from roots import DAYS, write_root

from gpu_parts.networks import (
    RoundTimer,
    SameBatch,
    compiled_network,
    experiment_for,
    train_rounds,
)
from gpu_parts.reporting import Task
from multisenge_lib.dataset import TYPOLOGIES, load_selection, pack
from multisenge_lib.memory import keep_freed_memory
from multisenge_lib.training import Settings
from multisenge_lib.training.batches import TrainingBatches, read_ahead

EXPERIMENT = "inception_10c"


class TimedReading(keras.utils.PyDataset):
    """Gives the batches of another dataset, and notes how long each took to read.

    Attributes:
        seconds: of each batch.
    """

    def __init__(self, batches: Any):
        super().__init__()
        self.batches = batches
        self.seconds: list[float] = []

    @property
    def num_batches(self) -> int | None:
        """Return what the other dataset says: None, batches do not end."""
        return self.batches.num_batches

    def __getitem__(self, number: int) -> Any:
        """Read one batch."""
        start = time.perf_counter()
        batch = self.batches[number]
        self.seconds.append(time.perf_counter() - start)
        return batch


def measure(task: Task) -> None:
    """Report the step alone, reading alone, and both together."""
    keep_freed_memory()  # as the notebook does
    size = 2 if task.quick else 16
    pixels = 64 if task.quick else 256
    count = 4 if task.quick else 64
    steps = 2 if task.quick else 20
    rounds = 2 if task.quick else 3
    threads = Settings().reader_threads

    root = task.folder / "random_root"
    write_root(root, count, DAYS, pixels)
    selection = load_selection(root).assign(split="train")
    store = pack(root, selection, task.folder / "store")
    experiment = experiment_for(task, EXPERIMENT)
    batches = TrainingBatches(
        store,
        store.positions("train"),
        experiment.sensors,
        TYPOLOGIES["10c"],
        size,
        threads,
        seed=1,
    )
    first_batch = batches[0]
    bytes_of_batch = first_batch[1].nbytes
    for series in first_batch[0].values():
        bytes_of_batch += series.nbytes
    task.report(
        patches=size,
        pixels=pixels,
        patches_in_store=count,
        reader_threads=threads,
        bytes_per_batch=bytes_of_batch,
        precision=task.precision,
    )

    model = compiled_network(experiment, pixels, task.precision)
    alone = RoundTimer(steps)
    train_rounds(model, SameBatch(first_batch), rounds, alone)
    step_seconds = statistics.median(alone.seconds_per_step)
    task.report(seconds_per_step_alone=step_seconds)

    timed = TimedReading(batches)
    together = RoundTimer(steps)
    train_rounds(model, read_ahead(timed), rounds, together)
    both_seconds = statistics.median(together.seconds_per_step)
    # The first batches are read while the step compiles, or while pages are first touched.
    reading_seconds = timed.seconds[steps:]
    waiting = 0
    for seconds in reading_seconds:
        waiting += seconds > step_seconds
    task.report(
        seconds_per_step_with_reading=both_seconds,
        reading_seconds_per_batch=statistics.median(reading_seconds),
        longest_reading_seconds=max(reading_seconds),
        # The share of the time in which the device had nothing to do.
        waiting_share=max(0.0, 1 - step_seconds / both_seconds),
        steps=len(reading_seconds),
        steps_read_slower_than_computed=waiting,
    )
