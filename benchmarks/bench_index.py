"""Index of the real label files against the plainest reader: json.load, strptime for each date."""

import json
import os
import tarfile
import tempfile
from datetime import datetime
from functools import partial
from pathlib import Path

from common import Skipped, in_turns, row

from multisenge_lib import paths
from multisenge_lib.dataset import read_index

BESIDE = paths.PROJECT.parent / "shared" / "multisenge" / "labels.tar.gz"


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


def measure(quick, rounds):
    archive = Path(os.environ.get("MULTISENGE_LABELS", BESIDE))
    if not archive.is_file():
        raise Skipped("the archive of the real label files is not there: set MULTISENGE_LABELS")
    with tempfile.TemporaryDirectory() as scratch:
        with tarfile.open(archive) as tar:
            tar.extractall(scratch, filter="data")
        folder = Path(scratch)
        count = len(list(folder.rglob("*.json")))
        readers = {
            "plain": partial(read_plainly, folder),
            "folder": partial(read_index, folder),
            "archive": partial(read_index, archive),
        }
        taken = in_turns(readers, min(rounds, 3), warm=not quick)
    words = f"index of {count:,} label files"
    plain = ("json.load and strptime", taken["plain"])
    rows = [
        row(words, taken["folder"], *plain, target_ratio=10),
        row(f"{words}, in their archive", taken["archive"], *plain),
    ]
    return {"rows": rows}
