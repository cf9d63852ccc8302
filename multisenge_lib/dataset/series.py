"""Which patches were seen on which days: what any choice of months and gap can be counted from.

All patches under one orbit are seen on the same days, so the 8,157 patches share 61 different lists
of Sentinel-2 dates: small enough for a page of the book to hold, and to count again as a reader
chooses.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from multisenge_lib import paths
from multisenge_lib.dataset.census import SOURCE
from multisenge_lib.dataset.labels import read_index
from multisenge_lib.files import provenance, write_text

#: The committed record of the real labels' series.
RECORD = paths.PROJECT / "book" / "data" / "date_series.json"


def date_series(index: pd.DataFrame) -> list[dict[str, Any]]:
    """The different lists of Sentinel-2 dates, each with the patches that have it.

    Args:
        index: from `read_index`.

    Returns:
        Sorted by tile and dates: `tile`, `dates` as text such as "2020-07-08", and `x` and `y`, the
        columns and rows of the patches.
    """
    dates = index["s2_dates"].map(lambda days: tuple(map(str, days)))
    return [
        {"tile": tile, "dates": list(days), "x": table["x"].tolist(), "y": table["y"].tolist()}
        for (tile, days), table in index.groupby([index["tile"], dates])
    ]


def write_series(labels: Path | str) -> Path:
    """Write the record from label files, a line a list.

    Raises:
        LabelError: the label files are not right.
    """
    series = date_series(read_index(labels))
    made = {"source": SOURCE, "made": f"{datetime.now(UTC):%Y-%m-%d}", "by": "make records"}
    made |= {"commit": provenance()["commit"], "patches": sum(len(one["x"]) for one in series)}
    lines = ",\n".join(json.dumps(one, separators=(",", ":")) for one in series)
    text = f'{{"provenance": {json.dumps(made)},\n"series": [\n{lines}\n]}}\n'
    return write_text(RECORD, text)


def read_series() -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The committed record: the series as `date_series` gives them, and where they come from."""
    record = json.loads(RECORD.read_text("utf-8"))
    return record["series"], record["provenance"]
