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


def seconds(function, *arguments, **options):
    start = time.perf_counter()
    result = function(*arguments, **options)
    return time.perf_counter() - start, len(result)


def main():
    archive = Path(
        sys.argv[1] if len(sys.argv) > 1 else os.environ.get("MULTISENGE_LABELS", BESIDE)
    )
    if not archive.is_file():
        sys.exit(f"{archive} is not there: give the archive of the label files")
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["MULTISENGE_CACHE"] = str(Path(scratch) / "cache")
        with tarfile.open(archive) as tar:
            tar.extractall(Path(scratch) / "labels", filter="data")
        folder = Path(scratch) / "labels"
        times = {
            "plain": [],
            "folder": [],
            "archive": [],
            "cached folder": [],
            "cached archive": [],
        }
        read_index(folder), read_index(archive)
        for _ in range(TURNS):
            for name, (function, path, options) in {
                "plain": (read_plainly, folder, {}),
                "folder": (read_index, folder, {"cache": False}),
                "archive": (read_index, archive, {"cache": False}),
                "cached folder": (read_index, folder, {}),
                "cached archive": (read_index, archive, {}),
            }.items():
                elapsed, patches = seconds(function, path, **options)
                times[name].append(elapsed)
    print(f"{patches:,} patches, {TURNS} turns")
    for name, taken in times.items():
        ratios = [plain / t for plain, t in zip(times["plain"], taken, strict=True)]
        print(
            f"{name:15} median {statistics.median(taken):7.3f} s   "
            f"{statistics.median(ratios):6.1f} times as fast as plain"
        )


if __name__ == "__main__":
    main()
