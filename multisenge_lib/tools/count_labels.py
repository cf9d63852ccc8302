"""Write the committed record of the counts over MultiSenGE's label files."""

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from multisenge_lib.audit import RECORD, SELECTION, TABLES, count_labels, date_series
from multisenge_lib.dataset import MULTISENGE, read_index, select, to_csv
from multisenge_lib.errors import LabelError
from multisenge_lib.files import write_bytes, write_text
from multisenge_lib.software import provenance

#: The published label files.
PATCHES = 8157
SOURCE = "label files of MultiSenGE, doi:10.5281/zenodo.6375466"


def write_label_counts(labels: Path | str, record: Path = RECORD) -> Path:
    """Count the published label files and write the record that is committed.

    Args:
        labels: the folder or archive of the label files.
        record: the folder to write to.

    Raises:
        LabelError: the label files are not right, or not all of MultiSenGE's.
    """
    index = read_index(labels)
    tiles = set(index["tile"])
    if len(index) != PATCHES or tiles != set(MULTISENGE.tiles):
        raise LabelError(
            f"{labels} has {len(index):,} patches on {len(tiles)} tiles, MultiSenGE {PATCHES:,} on "
            f"{len(MULTISENGE.tiles)}: the record {record} stays as it was"
        )
    code = provenance()
    source = {
        "source": SOURCE,
        "made": f"{datetime.now(UTC):%Y-%m-%d}",
        "by": "multisenge count-labels",
        "commit": code["commit"],
        "uncommitted": code["uncommitted"],
        "patches": len(index),
    }
    counts = count_labels(index)
    record.mkdir(parents=True, exist_ok=True)
    for name in TABLES:
        write_text(record / f"{name}.csv", getattr(counts, name).to_csv())
    summary = {
        "provenance": source,
        "totals": counts.totals,
        "overlap": counts.overlap,
        "dates_sha256": counts.dates_sha256,
    }
    write_text(record / "record.json", json.dumps(summary, indent=1) + "\n")
    write_text(record / "date_series.json", _series_as_text(source, date_series(index)))
    write_selection(index, record)
    return record


def write_selection(index: pd.DataFrame, record: Path = RECORD) -> Path:
    """Write the paper's selection, one row per patch with its split and dates, compressed.

    Args:
        index: the index of all label files.
        record: the folder to write to.
    """
    text = to_csv(select(index))
    # Without the time of writing, equal selections are equal files.
    content = gzip.compress(text.encode(), mtime=0)
    return write_bytes(record / SELECTION, content)


def _series_as_text(source: dict[str, Any], series: list[dict[str, Any]]) -> str:
    """JSON with one line per list of dates, so that changes can be read."""
    lines = ",\n".join(json.dumps(entry, separators=(",", ":")) for entry in series)
    return f'{{"provenance": {json.dumps(source)},\n"series": [\n{lines}\n]}}\n'
