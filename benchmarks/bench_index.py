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

#: Where the archive of the label files lies beside a checkout, unless MULTISENGE_LABELS names it.
ARCHIVE = paths.PROJECT.parent / "shared" / "multisenge" / "labels.tar.gz"


def read_plainly(folder: Path) -> list[list[datetime]]:
    """Return the dates of each label file."""
    rows = []
    for path in sorted(folder.rglob("*.json")):
        with path.open() as file:
            content = json.load(file)
        dates = []
        for sensor in ("s1", "s2"):
            for name in content[f"corresponding_{sensor}"].split(";"):
                day = name.split("_")[1]
                dates.append(datetime.strptime(day, "%Y%m%d"))
        rows.append(dates)
    return rows


def measure(quick: bool, rounds: int) -> dict[str, list]:
    """Compare reading the unpacked files, and reading their archive, with the plain reader.

    Raises:
        Skipped: the archive is not there.
    """
    archive = Path(os.environ.get("MULTISENGE_LABELS", ARCHIVE))
    if not archive.is_file():
        raise Skipped("the archive of the real label files is not there: set MULTISENGE_LABELS")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        with tarfile.open(archive) as tar:
            tar.extractall(folder, filter="data")
        count = len(list(folder.rglob("*.json")))
        readers = {
            "plain": partial(read_plainly, folder),
            "folder": partial(read_index, folder),
            "archive": partial(read_index, archive),
        }
        turns = in_turns(readers, min(rounds, 3), warm=not quick)

    work = f"index of {count:,} label files"
    peer = "json.load and strptime"
    of_folder = row(work, turns["folder"], peer, turns["plain"], target_ratio=10)
    of_archive = row(f"{work}, in their archive", turns["archive"], peer, turns["plain"])
    return {"rows": [of_folder, of_archive]}
