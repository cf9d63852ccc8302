"""What a run runs on: devices, precision, compilation."""

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager

import keras

from multisenge_lib.errors import ExperimentError
from multisenge_lib.training.settings import Settings


def _accelerators() -> list[str]:
    """Return Keras' names of the GPUs and TPUs of this machine."""
    return [name for name in keras.distribution.list_devices() if not name.startswith("cpu")]


def check_devices(settings: Settings) -> list[str]:
    """Return the names of the devices that share a batch.

    Raises:
        ExperimentError: there are fewer, or the batch cannot be shared among them equally.
    """
    available = _accelerators() or keras.distribution.list_devices()
    count = settings.devices
    if count > len(available):
        raise ExperimentError(
            f"devices is {count}, but this machine has {len(available)}: give at most that many"
        )
    if settings.batch_size % count:
        raise ExperimentError(
            f"batch_size is {settings.batch_size}: it must be a multiple of the {count} devices"
        )
    return available[:count]


@contextmanager
def on_devices(settings: Settings) -> Iterator[None]:
    """Use the devices and the precision of the settings while the body builds and fits.

    Raises:
        ExperimentError: see `check_devices`.
    """
    policy_before = keras.config.dtype_policy()
    with _data_parallel(check_devices(settings)):
        keras.config.set_dtype_policy(settings.precision)
        try:
            yield
        finally:
            keras.config.set_dtype_policy(policy_before)


@contextmanager
def _data_parallel(names: list[str]) -> Iterator[None]:
    """Share each batch among devices, by the backend's own data parallelism."""
    if len(names) == 1:
        yield
    elif keras.backend.backend() == "tensorflow":
        import tensorflow

        with tensorflow.distribute.MirroredStrategy(names).scope():
            yield
    else:
        keras.distribution.set_distribution(keras.distribution.DataParallel(devices=names))
        try:
            yield
        finally:
            keras.distribution.set_distribution(None)


def compile_with_xla(settings: Settings) -> bool:
    """Return whether to compile with XLA; if the settings leave it open, on JAX and on one GPU."""
    if settings.jit is not None:
        return settings.jit
    if keras.backend.backend() == "jax":
        return True
    return settings.devices == 1 and bool(_accelerators())


def synchronise(model: keras.Model, devices: int) -> None:
    """Let batch normalisation see the whole batch, and not only one device's part of it.

    JAX does so itself.
    """
    several = devices > 1 and keras.backend.backend() == "tensorflow"
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            synchronise(layer, devices)
        elif isinstance(layer, keras.layers.BatchNormalization):
            layer.synchronized = several


def device_name() -> str:
    """Say in words what the run ran on."""
    if not _accelerators():
        return f"{os.cpu_count()} CPU cores, {platform.machine()}"
    if keras.backend.backend() == "jax":
        import jax

        return jax.devices()[0].device_kind
    import tensorflow

    gpus = tensorflow.config.list_physical_devices("GPU")
    if not gpus:  # a TPU has no details
        return _accelerators()[0]
    details = tensorflow.config.experimental.get_device_details(gpus[0])
    return details.get("device_name", "GPU")
