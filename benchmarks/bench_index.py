"""Index of the real label files against the plainest reader: json.load, strptime for each date.

    python benchmarks/bench_index.py [LABELS]

Both read the same files in turns, three times; the ratio is taken turn by turn.
"""

import json
import os
import statistics
import sys
import tarfile
import tempfile
import time
from datetime import datetime
from pathlib import Path

from multisenge_lib import paths
from multisenge_lib.dataset import read_index

BESIDE = paths.PROJECT.parent / "shared" / "multisenge" / "labels.tar.gz"
TURNS = 3


def read_plainly(folder):
    rows = []
    for path in sorted(folder.rglob("*.json")):
        with path.open() as file:
            content = json.load(file)
        rows.append(
            [
                datetime.strptime(name.split("_")[1], "%Y%m%d")
                for sensor in ("s1", "s2")
                for name in content[f"corresponding_{sensor}"].split(";")
            ]
        )
    return rows


def seconds(function, path):
    start = time.perf_counter()
    result = function(path)
    return time.perf_counter() - start, len(result)


def main():
    archive = Path(
        sys.argv[1] if len(sys.argv) > 1 else os.environ.get("MULTISENGE_LABELS", BESIDE)
    )
    if not archive.is_file():
        sys.exit(f"{archive} is not there: give the archive of the label files")
    with tempfile.TemporaryDirectory() as scratch:
        with tarfile.open(archive) as tar:
            tar.extractall(scratch, filter="data")
        folder = Path(scratch)
        readers = {
            "plain": (read_plainly, folder),
            "folder": (read_index, folder),
            "archive": (read_index, archive),
        }
        turns = [{name: seconds(*reader) for name, reader in readers.items()} for _ in range(TURNS)]
    print(f"{turns[0]['plain'][1]:,} patches, {TURNS} turns")
    for name in readers:
        taken = [turn[name][0] for turn in turns]
        ratios = [turn["plain"][0] / turn[name][0] for turn in turns]
        print(
            f"{name:8} median {statistics.median(taken):6.3f} s   "
            f"{statistics.median(ratios):5.1f} times as fast as plain "
            f"({min(ratios):.1f} to {max(ratios):.1f})"
        )


if __name__ == "__main__":
    main()
