"""Counts over the label files: everything that the book says about the real dataset.

Only aggregates, so that they can be shipped where the label files cannot. `load_label_counts()`
gives the same tables whether the real label files are at hand (then they are counted now) or not
(then the committed record is read), and says which. `multisenge count-labels` writes the record.

    counts/record.json        provenance, totals, ground shared by splits, digest of the dates
    counts/<table>.csv        each table of `LabelCounts`
    counts/date_series.json   the lists of Sentinel-2 dates, and the patches that have each
    counts/selection.csv.gz   the paper's selection: one row per patch, with its split and dates
"""

import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from multisenge_lib import paths
from multisenge_lib.audit import split_counts
from multisenge_lib.dataset import SPLITS, choose_dates, has_description, read_index, select

#: The committed record of the counts, beside this module.
RECORD = Path(__file__).with_name("counts")
#: The paper's selection, below `RECORD`.
SELECTION = "selection.csv.gz"
#: The tables of `LabelCounts`, each a CSV file whose first columns are the index.
TABLES = {
    "months": 1,
    "classes": 1,
    "presence": 1,
    "tiles": 1,
    "s1_days": 1,
    "series": 2,
    "cities": 1,
    "distances": 1,
    "density": 1,
}


@dataclass(frozen=True)
class LabelCounts:
    """Counts over the label files of one dataset.

    Attributes:
        totals: `patches`, `s1_references`, `s2_references`, the least and most dates per patch,
            `date_series`, how many different lists of chosen dates the selected patches have, and
            `other_dates_than_authors`, for how many patches the authors' tools choose other dates.
        months: patches with at least one Sentinel-2 date, by month 1 to 12 (Figure 2).
        classes: patches that hold the class, by published class id.
        presence: selected patches that hold the class, by published class id: one column per split.
        tiles: one row per tile: `patches`, `selected` at 17 days, `split`, `gap15` to `gap20`, the
            patches left at that gap, and why patches are dropped at 17 days: `no_month_7` and so
            on, the first month without any image, and `too_close`, no dates far enough apart.
        s1_days: days between paired optical and radar dates at 17 days, one row per Sentinel-1
            rule: `mean`, `median`, `most`.
        series: one row per tile and list of chosen dates: `split`, `patches`, the dates, `date1` to
            `date4`, and the days between them, `days1` to `days3`.
        cities: one row per city: patches whose centre lies within 5 km, `patches`, and how many
            of them are selected for `train`, `validation` and `test`.
        distances: one row per ordered pair of splits, "test to train": `patches` of the first, the
            least distance `least_km` from one of them to the other split, from edge to edge, and
            how many lie within 1, 3, 10 and 30 km of it.
        density: one row per cell of a grid: `lon`, `lat` (centre, degrees), `patches`, `gap15` to
            `gap20`, and the selected patches `train`, `validation`, `test`.
        overlap: ground that two splits share, in square kilometres, by "train and test".
        dates_sha256: digest of all dates chosen at 17 days, as `to_csv` writes them.
        provenance: from which label files the counts are, and when they were counted, in words.
    """

    totals: dict[str, int]
    months: pd.Series
    classes: pd.Series
    presence: pd.DataFrame
    tiles: pd.DataFrame
    s1_days: pd.DataFrame
    series: pd.DataFrame
    cities: pd.DataFrame
    distances: pd.DataFrame
    density: pd.DataFrame
    overlap: dict[str, float]
    dates_sha256: str
    provenance: str = ""

    @property
    def days_gaps(self) -> pd.Series:
        """Patches selected, by days gap (Table 1)."""
        patches = {gap: int(self.tiles[f"gap{gap}"].sum()) for gap in split_counts.DAYS_GAPS}
        return pd.Series(patches)

    @property
    def splits(self) -> pd.Series:
        """Patches selected at 17 days, by split."""
        return self.tiles.groupby("split")["selected"].sum().reindex(SPLITS, fill_value=0)

    @property
    def presence_percent(self) -> pd.DataFrame:
        """Selected patches that hold a class, in percent of its split's, by published class id."""
        return 100 * self.presence / self.splits

    @property
    def dropped(self) -> pd.DataFrame:
        """Patches that the date rule drops at 17 days, by grid cell: `lon`, `lat`, `dropped`."""
        dropped = self.density["patches"] - self.density["gap17"]
        return self.density[["lon", "lat"]].assign(dropped=dropped)


def count_labels(index: pd.DataFrame, provenance: str = "counted now") -> LabelCounts:
    """Count everything that the book shows about the label files.

    Args:
        index: from `read_index`.
        provenance: where the label files come from and when they are counted, in words.
    """
    selection = select(index)
    per_patch = split_counts.count_per_patch(index, selection)
    return LabelCounts(
        totals=split_counts.count_totals(index, selection),
        months=split_counts.count_months(index),
        classes=split_counts.count_classes(index),
        presence=split_counts.count_presence(index, selection),
        tiles=split_counts.count_tiles(index, per_patch),
        s1_days=split_counts.count_s1_days(index),
        series=split_counts.count_series(selection),
        cities=split_counts.count_cities(index, per_patch),
        distances=split_counts.count_distances(selection),
        density=split_counts.count_density(index, per_patch),
        overlap=split_counts.count_overlap(selection),
        dates_sha256=split_counts.digest_of_dates(selection),
        provenance=provenance,
    )


def date_series(index: pd.DataFrame) -> list[dict[str, Any]]:
    """The different lists of Sentinel-2 dates in an index, each with the patches that have it.

    All patches under one orbit are seen on the same days, so MultiSenGE's 8,157 patches share 61
    lists: small enough for a page to hold, and enough to count any choice of months and gap.

    Returns:
        Sorted by tile and dates: `tile`, `dates` as text such as "2020-07-08", and `x` and `y`, the
        columns and rows of the patches.
    """
    dates_as_text = index["s2_dates"].map(lambda dates: tuple(map(str, dates)))
    series = []
    for (tile, dates), table in index.groupby([index["tile"], dates_as_text]):
        series.append(
            {
                "tile": tile,
                "dates": list(dates),
                "x": table["x"].tolist(),
                "y": table["y"].tolist(),
            }
        )
    return series


def count_kept(series: list[dict[str, Any]], months: Sequence[int], days_gap: int) -> pd.Series:
    """Count the patches that keep a full series of dates, for any choice of months and gap.

    Args:
        series: from `date_series`.
        months: the months that need one date each, in order.
        days_gap: least number of days between two consecutive dates.

    Returns:
        Patches by tile; 0 for a tile that loses all of its patches.
    """
    patches_of_tile = pd.Series(0, index=sorted({one["tile"] for one in series}), name="patches")
    for one in series:
        dates = np.array(one["dates"], dtype="datetime64[D]")
        if choose_dates(dates, months, days_gap) is not None:
            patches_of_tile[one["tile"]] += len(one["x"])
    return patches_of_tile.rename_axis("tile")


def read_label_counts(record: Path = RECORD) -> LabelCounts:
    """Read the committed record of the counts over the real label files."""
    document = json.loads((record / "record.json").read_text("utf-8"))
    source = document["provenance"]
    tables = {}
    for name, levels in TABLES.items():
        table = pd.read_csv(record / f"{name}.csv", index_col=list(range(levels)))
        # A table of one column is a series.
        tables[name] = table.squeeze("columns") if name in ("months", "classes") else table
    return LabelCounts(
        totals=document["totals"],
        overlap=document["overlap"],
        dates_sha256=document["dates_sha256"],
        provenance=f"from the {source['source']}, counted on {source['made']}",
        **tables,
    )


def read_date_series(record: Path = RECORD) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Read the committed record of `date_series`, and its provenance."""
    document = json.loads((record / "date_series.json").read_text("utf-8"))
    return document["series"], document["provenance"]


def selection_csv(record: Path = RECORD) -> str:
    """Read the committed list of the patches that the paper's rule selects.

    Returns:
        5,890 rows `patch,tile,split,s2_dates,s1_dates`, dates joined by `;`, as `dataset.to_csv`
        writes them.
    """
    return gzip.decompress((record / SELECTION).read_bytes()).decode()


def published_labels() -> Path | None:
    """MultiSenGE's label files as the environment names them; None for none or another dataset."""
    labels = paths.real_labels()
    if labels is None or has_description(labels.parent):
        return None
    return labels


def load_label_counts() -> LabelCounts:
    """Count the real label files where they are at hand; else read the committed record.

    At hand is what `MULTISENGE_LABELS` or `MULTISENGE_ROOT` names, unless it is another dataset.
    """
    labels = published_labels()
    if labels is None:
        return read_label_counts()
    index = read_index(labels)
    today = date.today().isoformat()
    return count_labels(
        index, f"from the {len(index):,} label files on this machine, counted on {today}"
    )
