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
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from common import Skipped, as_text, machine

from multisenge_lib import paths
from multisenge_lib.files import installed, keep_freed_memory, provenance, write_text

PARTS = ("start", "index", "metrics", "check", "data", "conv_lstm", "networks", "growth")
#: Measured only when named.
LONG = ("tile",)
RECORD = paths.PROJECT / "book" / "data" / "performance.json"
#: What `multisenge check --plan` rests on, inside the package.
RATES = paths.PROJECT / "multisenge_lib" / "tools" / "measured_rates.json"
PEERS = ("torch", "scikit-learn")


def of_part(name, quick, rounds):
    """What a part found, or why it was skipped."""
    try:
        keep_freed_memory()  # as the notebook does; each part runs in a process of its own
        return importlib.import_module(f"bench_{name}").measure(quick, rounds)
    except Skipped as why:
        return {"skipped": [{"what": name, "why": str(why)}]}


def measured(parts, quick, rounds):
    """What the parts found, one after the other, and what was skipped.

    Each has a process of its own: what one tells the allocator would speed up the next one's peer.
    """
    found = {"rows": [], "skipped": []}
    process = ProcessPoolExecutor(1, get_context("spawn"), max_tasks_per_child=1)
    for name in parts:
        print(f"- {name}", flush=True)
        part = process.submit(of_part, name, quick, rounds).result()
        for row in part.get("rows", []):
            print(as_text(row), flush=True)
        for skipped in part.get("skipped", []):
            print(f"{skipped['what']}: skipped: {skipped['why']}", flush=True)
        found["rows"] += part.pop("rows", [])
        found["skipped"] += part.pop("skipped", [])
        found |= part
    return found


def record(parts, quick, rounds):
    before, start = os.getloadavg(), time.time()
    host, code = machine(), provenance()
    code["versions"] |= {name: installed(name) for name in PEERS if installed(name)}
    found = measured(parts, quick, rounds)
    after = os.getloadavg()
    # Before, others alone; after, this run too, which keeps every core busy once.
    busy = before[0] > 0.5 * host["cores"] or after[2] > 1.5 * host["cores"]
    about = {
        "date": f"{datetime.date.today():%Y-%m-%d}",
        "quick": quick,
        "rounds": rounds,
        "seconds": round(time.time() - start),
        "load": {"before": before, "after": after, "busy": busy},
    }
    return about | {"machine": host, "code": code} | found


def rates_of(found):
    """The few numbers of a whole run that the library needs, see `tools.MeasuredRates`."""
    from multisenge_lib.models import build_model, step_memory

    network, pixels, batch = "inception_10c", 256, 16
    seconds = {row["work"]: row["ours"] for row in found["rows"]}
    host = found["machine"]
    return {
        "machine": f"{host['processor']}, {host['cores']} cores, {host['memory_gib']} GiB, "
        f"{host['system']}",
        "date": found["date"],
        "network": network,
        "patch_pixels": pixels,
        "batch_size": batch,
        "step_memory_bytes": int(step_memory(build_model(network, pixels), batch).sum()),
        "seconds_per_patch": {
            "read rasters": seconds["reading and checking 32 patches"] / 32,
            "pack": seconds["packing 32 patches"] / 32,
            "read packed": seconds["batches of 16, 32 patches"] / 32,
            "train": seconds["training step, float32"],
        },
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS + LONG))
    parser.add_argument("--quick", action="store_true", help="small sizes, one turn")
    parser.add_argument("--rounds", type=int, help="turns of each comparison; by default 5")
    parser.add_argument("--out", type=Path, help="where the record goes")
    given = parser.parse_args()
    if unknown := sorted(set(given.parts) - set(PARTS + LONG)):
        print(
            f"error: no part {', '.join(unknown)}: choose among {', '.join(PARTS + LONG)}",
            file=sys.stderr,
        )
        sys.exit(2)
    parts = given.parts or PARTS
    found = record(parts, given.quick, given.rounds or (1 if given.quick else 5))
    whole = set(parts) == set(PARTS) and not given.quick
    if out := given.out or (RECORD if whole else None):
        print(f"Wrote {write_text(out, json.dumps(found, indent=1) + chr(10))}")
    if whole and not given.out:
        print(f"Wrote {write_text(RATES, json.dumps(rates_of(found), indent=1) + chr(10))}")
    if found["load"]["busy"]:
        print("The machine was busy with other work: read the ratios, not the seconds.")


if __name__ == "__main__":
    main()
