"""Seconds until `multisenge --help` has been printed, beside Python that does nothing."""

import subprocess
import sys
from functools import partial

from common import compared


def run(*arguments):
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)


def measure(quick, rounds):
    calls = partial(run, "-m", "multisenge_lib.cli", "--help"), partial(run, "-c", "pass")
    words = ("start, until the help is printed", calls[0], "Python alone", calls[1])
    return {"rows": [compared(*words, 2 * rounds + 1, target_most=0.3)]}
