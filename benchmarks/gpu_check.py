"""Check training and prediction on a GPU in one run of less than eight minutes, and record it.

    KERAS_BACKEND=jax python benchmarks/gpu_check.py --out gpu.json [--seconds 450] [--quick]

The run needs Keras on JAX, no TensorFlow and no network. It consists of parts, see `PARTS`. Each
part runs in a process of its own, so that one part's memory, settings or crash cannot touch the
next one. The record is written again after each part, so that a killed run keeps what it measured.

A part may use whatever time the parts after it do not need. A part that no longer fits is skipped,
and the record says so.
"""

import argparse
import datetime
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# The library is imported from the checkout: on a borrowed machine nobody has installed it.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from common import machine
from gpu_parts.reporting import read_part

from multisenge_lib.files import write_text
from multisenge_lib.software import installed, provenance

BENCHMARKS = Path(__file__).resolve().parent
PROJECT = BENCHMARKS.parent
#: Packages whose versions decide what is measured, beside those that every record has.
PACKAGES = ("jaxlib", "jax-cuda12-plugin", "jax-cuda13-plugin", "torch", "triton")
#: How float32 is multiplied: with TensorFloat-32, which has 10 bits of mantissa, or in full.
TF32 = "tensorfloat32"
FULL = "float32"
#: Seconds that a process gets to end by itself before it is killed.
GRACE_SECONDS = 3
#: What each part of a quick run may take: a test must not fail because its machine is busy.
QUICK_SECONDS = 900


@dataclass(frozen=True)
class Part:
    """One part of the check.

    Attributes:
        name: its key in the record.
        module: in `gpu_parts`; its function `measure` does the work.
        seconds: reserved for it. They are estimates for an H100, mostly of compilation.
        precision: Keras' dtype policy.
        multiply: how float32 is multiplied, as JAX names it; empty for JAX's default, which on
            recent GPUs is TensorFloat-32.
        platform: where JAX runs; empty for the best that it finds.
    """

    name: str
    module: str
    seconds: int
    precision: str = "float32"
    multiply: str = ""
    platform: str = ""


#: The parts in the order in which they run: what matters most comes first.
PARTS = (
    Part("device", "device", 15),
    Part("step_mixed_bfloat16", "step", 70, "mixed_bfloat16"),
    Part("step_float32_tf32", "step", 50, multiply=TF32),
    Part("step_float32", "step", 50, multiply=FULL),
    Part("reading", "reading", 30, "mixed_bfloat16"),
    Part("sample_run", "sample_run", 45),
    Part("whole_map", "whole_map", 40),
    Part("map_on_cpu", "map_on_cpu", 20, multiply=FULL, platform="cpu"),
    Part("network_tests", "network_tests", 30, multiply=FULL),
    Part("largest_batch", "largest_batch", 40, "mixed_bfloat16"),
    Part("growth", "growth", 50, "mixed_bfloat16"),
)


def environment_of(part: Part, folder: Path, quick: bool) -> dict[str, str]:
    """Return the environment variables of a part's process."""
    environment = os.environ.copy()
    search_path = [str(PROJECT), str(BENCHMARKS)]
    if "PYTHONPATH" in environment:
        search_path.append(environment["PYTHONPATH"])
    environment["PYTHONPATH"] = os.pathsep.join(search_path)
    environment["KERAS_BACKEND"] = "jax"
    environment["MULTISENGE_CACHE"] = str(folder / "cache")
    # The parts compile the same networks more than once.
    environment["JAX_COMPILATION_CACHE_DIR"] = str(folder / "compiled")
    environment["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
    # By default JAX takes three quarters of the memory at once, and the peer shares the GPU.
    environment["XLA_PYTHON_CLIENT_PREALLOCATE"] = "false"
    environment["XLA_PYTHON_CLIENT_MEM_FRACTION"] = "0.95"  # for the largest batch
    if part.multiply:
        environment["JAX_DEFAULT_MATMUL_PRECISION"] = part.multiply
    if part.platform:
        environment["JAX_PLATFORMS"] = part.platform
    if quick:
        # Tiny networks run for milliseconds: the compiler need not make them fast.
        flags = environment.get("XLA_FLAGS", "")
        environment["XLA_FLAGS"] = f"{flags} --xla_backend_optimization_level=0".strip()
    return environment


def run_part(part: Part, folder: Path, seconds: float, quick: bool) -> dict[str, Any]:
    """Run a part in a process of its own.

    Args:
        part: what to run.
        folder: shared by the parts; what a part measures is written there as it goes.
        seconds: how long it may take.
        quick: tiny sizes.

    Returns:
        `state`, one of done, failed and stopped; `why` it failed or was stopped; `seconds`; and the
        `results` until then.
    """
    command = [sys.executable, "-m", "gpu_parts", part.name, part.module, str(folder)]
    command += ["--seconds", f"{seconds:.0f}", "--precision", part.precision]
    if quick:
        command.append("--quick")
    start = time.monotonic()
    process = subprocess.Popen(command, env=environment_of(part, folder, quick))
    try:
        status = process.wait(seconds + GRACE_SECONDS)
        state = "done"
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        state = "stopped"

    written = read_part(folder, part.name)
    entry: dict[str, Any] = {"state": state, "seconds": round(time.monotonic() - start, 1)}
    if state == "stopped":
        entry["why"] = f"took more than {seconds:.0f} seconds"
    elif "error" in written:
        entry["state"] = "failed"
        entry["why"] = written["error"]
    elif status != 0:
        entry["state"] = "failed"
        entry["why"] = f"its process ended with status {status}"
    entry["results"] = written.get("results", {})
    return entry


def seconds_allowed(part: Part, left: float, reserved_for_later: float) -> float | None:
    """Return how long a part may take, or None where it no longer fits.

    Args:
        part: the part that comes next.
        left: seconds left of the whole run.
        reserved_for_later: seconds reserved for the parts after it.
    """
    if left < part.seconds:
        return None
    return max(part.seconds, left - reserved_for_later)


def about_this_run(seconds: float, quick: bool, commit: str | None) -> dict[str, Any]:
    """Return what the record says before the first part: date, machine, code, versions."""
    code = provenance()
    # A copy of the files without their git folder does not know its commit.
    code["commit"] = code["commit"] or commit
    for package in PACKAGES:
        version = installed(package)
        if version is not None:
            code["versions"][package] = version
    return {
        "date": f"{datetime.date.today():%Y-%m-%d}",
        "quick": quick,
        "seconds_allowed": seconds,
        "seconds": 0,
        "complete": False,
        "machine": machine(),
        "code": code,
        # For whoever commits the record: why a target is missed, by the target's name.
        "explanations": {},
        "parts": {},
    }


def check(
    out: Path, seconds: float, quick: bool, names: list[str] | None, commit: str | None
) -> dict[str, Any]:
    """Run the parts one after the other, and write the record after each."""
    start = time.monotonic()
    record = about_this_run(seconds, quick, commit)
    parts = [part for part in PARTS if names is None or part.name in names]
    with tempfile.TemporaryDirectory() as folder:
        for number, part in enumerate(parts):
            left = seconds - (time.monotonic() - start)
            reserved_for_later = sum(later.seconds for later in parts[number + 1 :])
            allowed = seconds_allowed(part, left, reserved_for_later)
            if quick:
                allowed = QUICK_SECONDS
            if allowed is None:
                why = f"{part.seconds} seconds are reserved for it, and {left:.0f} are left"
                entry = {"state": "skipped", "why": why}
            else:
                print(f"- {part.name}, at most {allowed:.0f} s", flush=True)
                entry = run_part(part, Path(folder), allowed, quick)
            print(f"  {part.name}: {entry['state']} {entry.get('why', '')}".rstrip(), flush=True)
            record["parts"][part.name] = entry
            record["seconds"] = round(time.monotonic() - start)
            record["complete"] = number + 1 == len(parts)
            write_text(out, json.dumps(record, indent=1) + "\n")
    return record


def main() -> None:
    """Read the command line, and run the check."""
    names = [part.name for part in PARTS]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("gpu.json"), help="where the record goes")
    parser.add_argument("--seconds", type=float, default=450, help="for the whole run; 450")
    parser.add_argument("--quick", action="store_true", help="tiny sizes, for a test on a CPU")
    parser.add_argument("--parts", nargs="+", choices=names, help="only these; by default all")
    parser.add_argument("--commit", help="of the code, where its copy has no git folder")
    arguments = parser.parse_args()
    record = check(
        arguments.out, arguments.seconds, arguments.quick, arguments.parts, arguments.commit
    )
    done = sum(entry["state"] == "done" for entry in record["parts"].values())
    print(f"Wrote {arguments.out}: {done} of {len(record['parts'])} parts done")


if __name__ == "__main__":
    main()
