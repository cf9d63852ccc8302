"""What a run runs on: devices, precision, compilation."""

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras

from multisenge_lib.errors import ExperimentError
from multisenge_lib.training.settings import Settings

#: Where Linux tells what the processor can do, and its names for what multiplies bfloat16.
_PROCESSOR, _BFLOAT16 = Path("/proc/cpuinfo"), ("avx512_bf16", "amx_bf16")


def _accelerators() -> list[str]:
    return [n for n in keras.distribution.list_devices() if not n.startswith("cpu")]


def check_devices(settings: Settings) -> list[str]:
    """The names of the devices that share a batch.

    Raises:
        ExperimentError: there are fewer, or the batch cannot be shared among them equally.
    """
    names, count = _accelerators() or keras.distribution.list_devices(), settings.devices
    if count > len(names):
        raise ExperimentError(
            f"devices is {count}: it must be at most {len(names)}, as many as there are"
        )
    if settings.batch_size % count:
        raise ExperimentError(
            f"batch_size is {settings.batch_size}: it must be a multiple of the {count} devices"
        )
    return names[:count]


def _multiplies_bfloat16() -> bool:
    """Whether TensorFlow's oneDNN runs, on a processor that has instructions for it."""
    off = os.environ.get("TF_ENABLE_ONEDNN_OPTS", "1").lower() in ("0", "false")
    if keras.backend.backend() != "tensorflow" or off or _accelerators():
        return False
    if not _PROCESSOR.exists():
        return False
    words = _PROCESSOR.read_text().split()
    return any(name in words for name in _BFLOAT16)


def settled(settings: Settings) -> Settings:
    """The settings with a precision: where it was left open, the faster one of this machine.

    bfloat16 scores as float32 does within what the seed changes, see `ablations.VARIANTS`.
    """
    if settings.precision:
        return settings
    return replace(settings, precision="mixed_bfloat16" if _multiplies_bfloat16() else "float32")


@contextmanager
def _sharing(names: list[str]) -> Iterator[None]:
    """Share batches by the backend's own data parallelism."""
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


@contextmanager
def on_devices(settings: Settings) -> Iterator[None]:
    """Build and fit with these devices and this precision.

    Raises:
        ExperimentError: see `check_devices`.
    """
    before = keras.config.dtype_policy()
    with _sharing(check_devices(settings)):
        keras.config.set_dtype_policy(settings.precision)
        try:
            yield
        finally:
            keras.config.set_dtype_policy(before)


def jit(settings: Settings) -> bool:
    """Whether to compile with XLA: where nothing is said, on JAX and on one GPU."""
    if settings.jit is not None:
        return settings.jit
    return keras.backend.backend() == "jax" or (settings.devices == 1 and any(_accelerators()))


def synchronise(model: keras.Model, devices: int) -> None:
    """Batch normalisation over the whole batch, not over one device's part; JAX does so itself."""
    for layer in model.get_layer("unet").layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.synchronized = devices > 1 and keras.backend.backend() == "tensorflow"


def _gpu() -> Any:
    if keras.backend.backend() == "jax":
        import jax

        return jax.devices()[0].device_kind
    import tensorflow

    (first, *_) = tensorflow.config.list_physical_devices("GPU")
    return tensorflow.config.experimental.get_device_details(first).get("device_name", "GPU")


def device_name() -> str:
    """What the run ran on, in words."""
    return _gpu() if _accelerators() else f"{os.cpu_count()} CPU cores, {platform.machine()}"
