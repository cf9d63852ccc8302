"""Part `device`: which GPU it is, and how fast it multiplies matrices in each precision."""

import shutil
import subprocess
import time
from typing import Any

import jax
import jax.numpy as jnp

from gpu_parts.reporting import Task

#: What `nvidia-smi` tells about the card, beside its name.
QUERY = ("driver_version", "memory.total", "clocks.max.sm", "power.limit")
#: The name of each precision: type of the matrices, and how JAX multiplies them.
PRECISIONS = {
    "mixed_bfloat16": (jnp.bfloat16, "default"),
    "float32_tf32": (jnp.float32, "tensorfloat32"),
    "float32": (jnp.float32, "float32"),
}


def measure(task: Task) -> None:
    """Report the device's name and memory, and the peak of its matrix product."""
    device = jax.devices()[0]
    memory = device.memory_stats() or {}
    task.report(
        platform=device.platform,
        name=device.device_kind,
        memory_bytes=memory.get("bytes_limit"),
        driver=_ask_nvidia_smi(),
    )
    side = 256 if task.quick else 8192
    peaks = {}
    for name, (dtype, multiply) in PRECISIONS.items():
        peaks[name] = matrix_peak(side, dtype, multiply)
        task.report(matrix_side=side, peak_operations_per_second=dict(peaks))


def matrix_peak(side: int, dtype: Any, multiply: str, rounds: int = 5, products: int = 10) -> float:
    """Measure the operations per second of the device's own matrix product, the best of a few.

    The matrices are random: on zeros a GPU draws less power, and its clock stays higher.
    """
    left_key, right_key = jax.random.split(jax.random.key(1))
    left = jax.random.normal(left_key, (side, side), dtype)
    right = jax.random.normal(right_key, (side, side), dtype)
    with jax.default_matmul_precision(multiply):
        product = jax.jit(jnp.matmul).lower(left, right).compile()
    product(left, right).block_until_ready()
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        for _ in range(products):
            # The device works through them one after the other: waiting for the last is enough.
            result = product(left, right)
        result.block_until_ready()
        seconds.append((time.perf_counter() - start) / products)
    return 2 * side**3 / min(seconds)


def _ask_nvidia_smi() -> dict[str, str]:
    """Return what the driver says about the first card; empty where there is no such program."""
    if shutil.which("nvidia-smi") is None:
        return {}
    command = ["nvidia-smi", f"--query-gpu={','.join(QUERY)}", "--format=csv,noheader"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if answer.returncode != 0 or not answer.stdout.strip():
        return {}
    values = answer.stdout.splitlines()[0].split(", ")
    return dict(zip(QUERY, values, strict=False))
