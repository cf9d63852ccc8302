"""Seconds until `multisenge --help` has been printed, beside Python that does nothing."""

import subprocess
import sys
from functools import partial

from common import compared


def run_python(*arguments: str) -> None:
    """Run Python in a new process."""
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)


def measure(quick: bool, rounds: int) -> dict[str, list]:
    """Compare both."""
    row = compared(
        "start, until the help is printed",
        partial(run_python, "-m", "multisenge_lib", "--help"),
        "Python alone",
        partial(run_python, "-c", "pass"),
        2 * rounds + 1,
        target_most=0.3,
    )
    return {"rows": [row]}
