"""The networks that are measured, batches of random patches for them, and how steps are timed."""

import gc
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jax
import keras
import numpy as np

from gpu_parts.reporting import Task
from multisenge_lib.models import Experiment, build_model, get_experiment, unet
from multisenge_lib.training import weighted_loss

#: Mean and standard deviation of each band of the random patches, for Eq. 4.
STATISTICS = {
    "s1": ([-12.0, -19.0], [3.5, 3.5]),
    "s2": ([2150.0] * 10, [1070.0] * 10),
}

#: A large batch repeats so many random patches, since drawing them takes long.
PATCHES_DRAWN = 16


def experiment_for(task: Task, name: str, **changes: Any) -> Experiment:
    """Return an experiment; for a quick run one with few filters, and a U-Net with few too."""
    experiment = get_experiment(name)
    if task.quick:
        unet.ENCODER = ((4, 1), (4, 1), (8, 1), (8, 1), (8, 1))
        unet.CENTRE = 8
        unet.DECODER = (8, 8, 8, 4, 4)
        experiment = replace(experiment, filters=4, inception_filters=4)
    return replace(experiment, **changes)


def compiled_network(experiment: Experiment, pixels: int, precision: str) -> keras.Model:
    """Build a network, its weights drawn by a fixed seed, ready to be trained with XLA."""
    keras.utils.set_random_seed(1)
    policy_before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    model = build_model(experiment, pixels, STATISTICS)
    keras.config.set_dtype_policy(policy_before)
    loss = weighted_loss(np.ones(experiment.classes))
    model.compile(keras.optimizers.Adam(1e-3), loss, jit_compile=True)
    return model


def random_batch(model: keras.Model, patches: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Draw a batch as the packed store gives it.

    Returns:
        Inputs by sensor, `s1` linear backscatter float32 and `s2` reflectance x 10,000 uint16, each
        `(patches, dates, height, width, bands)`; class ids `(patches, height, width) uint8`.
    """
    rng = np.random.default_rng(1)
    drawn = min(patches, PATCHES_DRAWN)
    repeats = -(-patches // drawn)  # rounded up

    def repeated(array: np.ndarray) -> np.ndarray:
        return np.concatenate([array] * repeats)[:patches]

    inputs = {}
    for tensor in model.inputs:
        shape = (drawn, *tensor.shape[1:])
        if tensor.name == "s1":
            # Decibels around -12 in VV and -19 in VH, with the spread of speckle and land cover.
            decibels = rng.normal([-12.0, -19.0], 3.5, shape)
            inputs["s1"] = repeated((10 ** (decibels / 10)).astype(np.float32))
        else:
            inputs["s2"] = repeated(rng.integers(300, 4000, shape, dtype=np.uint16))
    classes = model.output_shape[-1]
    ids = rng.integers(1, classes + 1, (drawn, *model.output_shape[1:3]), dtype=np.uint8)
    return inputs, repeated(ids)


class SameBatch(keras.utils.PyDataset):
    """Gives one batch again and again, from the memory of the device: nothing to wait for."""

    def __init__(self, batch: Any):
        super().__init__()
        self.batch = jax.device_put(batch)

    @property
    def num_batches(self) -> None:
        """Return None: the batches do not end. Keras counts the steps."""

    def __getitem__(self, number: int) -> Any:
        """Return the batch."""
        return self.batch


class RoundTimer(keras.callbacks.Callback):
    """Times the epochs of `fit`, each a round of steps; the first one, which compiles, apart.

    Args:
        steps: of a round.
        after_round: called after each round, outside of its time, the first one included.

    Attributes:
        compiling_seconds: of the first round.
        seconds_per_step: of each later round.
    """

    def __init__(self, steps: int, after_round: Callable[["RoundTimer"], None] | None = None):
        super().__init__()
        self.steps = steps
        self.after_round = after_round
        self.compiling_seconds: float | None = None
        self.seconds_per_step: list[float] = []

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Start the clock."""
        self.start = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Stop the clock, once the device has done what it was given."""
        # JAX returns before the device is ready. The mean loss needs all steps.
        float(logs["loss"])
        seconds = time.perf_counter() - self.start
        if epoch == 0:
            self.compiling_seconds = seconds
        else:
            self.seconds_per_step.append(seconds / self.steps)
        if self.after_round is not None:
            self.after_round(self)


def train_rounds(model: keras.Model, dataset: Any, rounds: int, timer: RoundTimer) -> None:
    """Train for one round that compiles, and then for those that count."""
    model.fit(
        dataset,
        steps_per_epoch=timer.steps,
        epochs=rounds + 1,
        callbacks=[timer],
        shuffle=False,
        verbose=0,
    )


def peak_memory_bytes() -> int | None:
    """Return the most memory that this process has had on the device; None on a CPU.

    It never falls within a process, so what is measured one after the other must grow. What the
    compiler borrows while it tries out convolutions counts too.
    """
    statistics = jax.devices()[0].memory_stats()
    if not statistics:
        return None
    return statistics.get("peak_bytes_in_use")


def bytes_per_activation(precision: str) -> int:
    """Return the size of an activation, for `step_memory`."""
    return 4 if precision == "float32" else 2


def free_memory() -> None:
    """Let go of networks that nothing refers to any more."""
    keras.utils.clear_session()
    gc.collect()


def is_out_of_memory(error: Exception) -> bool:
    """Return whether an error is the device's refusal to give more memory."""
    words = str(error)
    return "RESOURCE_EXHAUSTED" in words or "out of memory" in words.lower()
