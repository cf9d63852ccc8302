"""All benchmarks, or those named, in one run: a line each, and a record that the book shows.

    python benchmarks/run.py [PART ...] [--quick] [--rounds 5] [--out FILE]

A run of all parts, not quick, writes `book/data/performance.json`; any other only what `--out`
says. What cannot be measured here is skipped with a word.
"""

import argparse
import datetime
import importlib
import json
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from common import Skipped, as_text, machine

from multisenge_lib import paths
from multisenge_lib.files import write_text
from multisenge_lib.memory import keep_freed_memory
from multisenge_lib.software import installed, provenance

PARTS = ("start", "index", "metrics", "check", "data", "conv_lstm", "networks", "growth")
#: Measured only when named.
LONG = ("tile",)
RECORD = paths.PROJECT / "book" / "data" / "performance.json"
#: What `multisenge check --plan` rests on, inside the package.
RATES = paths.PROJECT / "multisenge_lib" / "tools" / "measured_rates.json"
PEERS = ("torch", "scikit-learn")


def measure_part(name: str, quick: bool, rounds: int) -> dict:
    """Return what a part measured, or why it was skipped."""
    keep_freed_memory()  # as the notebook does; each part runs in a process of its own
    try:
        return importlib.import_module(f"bench_{name}").measure(quick, rounds)
    except Skipped as why:
        return {"skipped": [{"what": name, "why": str(why)}]}


def measure_parts(parts: Sequence[str], quick: bool, rounds: int) -> dict:
    """Measure parts one after the other, and print a line per comparison.

    Each has a process of its own: what one tells the allocator would speed up the next one's peer.

    Returns:
        `rows`, `skipped`, and what else single parts measure.
    """
    measured = {"rows": [], "skipped": []}
    process = ProcessPoolExecutor(1, get_context("spawn"), max_tasks_per_child=1)
    for name in parts:
        print(f"- {name}", flush=True)
        part = process.submit(measure_part, name, quick, rounds).result()
        rows = part.pop("rows", [])
        for row in rows:
            print(as_text(row), flush=True)
        skipped = part.pop("skipped", [])
        for one in skipped:
            print(f"{one['what']}: skipped: {one['why']}", flush=True)
        measured["rows"] += rows
        measured["skipped"] += skipped
        measured |= part
    return measured


def make_record(parts: Sequence[str], quick: bool, rounds: int) -> dict:
    """Measure parts, and describe machine, code and load of the run."""
    load_before = os.getloadavg()
    start = time.time()
    host = machine()
    code = provenance()
    for name in PEERS:
        version = installed(name)
        if version:
            code["versions"][name] = version

    measured = measure_parts(parts, quick, rounds)

    load_after = os.getloadavg()
    # Before, others alone; after, this run too, which keeps every core busy once.
    busy = load_before[0] > 0.5 * host["cores"] or load_after[2] > 1.5 * host["cores"]
    about = {
        "date": f"{datetime.date.today():%Y-%m-%d}",
        "quick": quick,
        "rounds": rounds,
        "seconds": round(time.time() - start),
        "load": {"before": load_before, "after": load_after, "busy": busy},
        "machine": host,
        "code": code,
    }
    return about | measured


def rates_of(record: dict) -> dict:
    """Return the few numbers of a whole run that the library needs, see `tools.MeasuredRates`."""
    from multisenge_lib.models import build_model, step_memory

    network = "inception_10c"
    pixels = 256
    batch = 16
    memory = step_memory(build_model(network, pixels), batch)
    seconds = {row["work"]: row["ours"] for row in record["rows"]}
    host = record["machine"]
    return {
        "machine": f"{host['processor']}, {host['cores']} cores, {host['memory_gib']} GiB, "
        f"{host['system']}",
        "date": record["date"],
        "network": network,
        "patch_pixels": pixels,
        "batch_size": batch,
        "step_memory_bytes": int(memory.sum()),
        "seconds_per_patch": {
            "read rasters": seconds["reading and checking 32 patches"] / 32,
            "pack": seconds["packing 32 patches"] / 32,
            "read packed": seconds["batches of 16, 32 patches"] / 32,
            "train": seconds["training step, float32"],
        },
    }


def parse_arguments() -> argparse.Namespace:
    """Read the command line, and refuse parts that are not there."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS + LONG))
    parser.add_argument("--quick", action="store_true", help="small sizes, one turn")
    parser.add_argument("--rounds", type=int, help="turns of each comparison; by default 5")
    parser.add_argument("--out", type=Path, help="where the record goes")
    arguments = parser.parse_args()
    unknown = sorted(set(arguments.parts) - set(PARTS + LONG))
    if unknown:
        print(
            f"error: no part {', '.join(unknown)}: choose among {', '.join(PARTS + LONG)}",
            file=sys.stderr,
        )
        sys.exit(2)
    return arguments


def write_json(path: Path, content: dict) -> None:
    """Write a file, and say so."""
    written = write_text(path, json.dumps(content, indent=1) + "\n")
    print(f"Wrote {written}")


def main() -> None:
    """Measure what the command line asks for, and write the record."""
    arguments = parse_arguments()
    parts = arguments.parts or PARTS
    rounds = arguments.rounds or (1 if arguments.quick else 5)
    record = make_record(parts, arguments.quick, rounds)

    is_whole = set(parts) == set(PARTS) and not arguments.quick
    if arguments.out:
        write_json(arguments.out, record)
    elif is_whole:
        write_json(RECORD, record)
        write_json(RATES, rates_of(record))
    if record["load"]["busy"]:
        print("The machine was busy with other work: read the ratios, not the seconds.")


if __name__ == "__main__":
    main()
