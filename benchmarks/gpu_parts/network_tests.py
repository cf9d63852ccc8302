"""Part `network_tests`: the tests of the networks on the JAX backend, on this device."""

import re
import subprocess
import sys
from pathlib import Path

from gpu_parts.reporting import Task

PROJECT = Path(__file__).resolve().parents[2]
#: The test of two virtual devices needs CPUs and is no part of this folder.
TESTS = "tests/models"


def measure(task: Task) -> None:
    """Run the tests, and report how many passed; the last lines tell which failed."""
    command = [sys.executable, "-m", "pytest", "-q", "-rf", "-p", "no:cacheprovider"]
    if task.quick:
        command += ["-m", "not jax", f"{TESTS}/test_inception.py"]
    else:
        command += ["-m", "jax", TESTS]
    ended = subprocess.run(
        command,
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
        timeout=max(1, task.seconds_left() - 1),
    )
    lines = ended.stdout.strip().splitlines()
    counts = dict.fromkeys(("passed", "failed", "skipped"), 0)
    if lines:
        for number, outcome in re.findall(r"(\d+) (passed|failed|skipped)", lines[-1]):
            counts[outcome] = int(number)
    task.report(**counts, exit_status=ended.returncode, last_lines=lines[-10:])
    if ended.returncode != 0:
        raise RuntimeError(f"pytest ended with {ended.returncode}: {ended.stderr[-200:]}")
