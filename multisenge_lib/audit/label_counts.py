"""The census: counts over the label files, all that the dataset and selection chapters show.

Only aggregates, so that they can be shipped where the label files cannot. A chapter asks
`load_census()` and gets the same table whether the real labels are at hand (then it is taken anew)
or not (then it is the committed record), and is told which.

The series say which patches were seen on which days, so that any choice of months and gap can be
counted. All patches under one orbit are seen on the same days, so the 8,157 patches share 61
different lists of Sentinel-2 dates: small enough for a page of the book to hold.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from multisenge_lib import paths
from multisenge_lib.dataset import (
    LABELS,
    MULTISENGE,
    S1_RULES,
    SPLITS,
    centres,
    choose_all,
    dataset_of_root,
    footprints,
    has_description,
    month_of,
    overlap,
    read_index,
    read_patch,
    select,
    to_csv,
)
from multisenge_lib.errors import LabelError
from multisenge_lib.files import provenance, write_text

#: The gaps of Table 1 and Figure 3, in days.
DAYS_GAPS = (15, 16, 17, 18, 19, 20)
#: Degrees along a cell of the density grid, in longitude and latitude.
CELL = 0.1
#: The published label files.
PATCHES = 8157
SOURCE = "label files of MultiSenGE, doi:10.5281/zenodo.6375466"
#: The committed records of the census of them, beside this module, and of their series.
RECORD = Path(__file__).with_name("label_counts.json")
SERIES = paths.PROJECT / "book" / "data" / "date_series.json"


@dataclass(frozen=True)
class LabelCounts:
    """Counts over an index.

    Attributes:
        totals: `patches`, `s1_references`, `s2_references`, the least and most dates a patch, and
            `date_series`, how many different series of dates the selected patches have.
        months: patches with at least one Sentinel-2 date, by month 1 to 12 (Figure 2).
        classes: patches that hold the class, by published class id.
        tiles: a row a tile found: `patches`, `selected` at 17 days, `split`, and `gap15` to
            `gap20`, the patches left at that gap.
        overlap: ground that two splits share, in square kilometres, by "train and test".
        s1_days: days between paired optical and radar dates at 17 days, a row a Sentinel-1 rule:
            `mean`, `median`, `most`.
        dates_sha256: digest of all selected dates at 17 days, as `selection.to_csv` writes them.
        density: a row a grid cell: `lon`, `lat` (centre, degrees), `patches`, `gap15` to `gap20`,
            and the selected patches `train`, `validation`, `test`.
        shown: one sentence: computed now, or read from which record.
    """

    totals: dict[str, int]
    months: pd.Series
    classes: pd.Series
    tiles: pd.DataFrame
    overlap: dict[str, float]
    s1_days: pd.DataFrame
    dates_sha256: str
    density: pd.DataFrame
    shown: str = ""

    @property
    def days_gaps(self) -> pd.Series:
        """Patches selected, by days gap (Table 1)."""
        return pd.Series({gap: int(self.tiles[f"gap{gap}"].sum()) for gap in DAYS_GAPS})

    @property
    def splits(self) -> pd.Series:
        """Patches selected at 17 days, by split."""
        return self.tiles.groupby("split")["selected"].sum().reindex(SPLITS, fill_value=0)


def _totals(index: pd.DataFrame, selection: pd.DataFrame) -> dict[str, int]:
    series = selection["s2_dates"].map(tuple).nunique()
    totals = {"patches": len(index), "date_series": series}
    for sensor in ("s1", "s2"):
        dates = index[f"{sensor}_dates"].map(len)
        counts = {"references": dates.sum(), "dates_least": dates.min(), "dates_most": dates.max()}
        totals |= {f"{sensor}_{name}": int(count) for name, count in counts.items()}
    return totals


def _holding(sets: Iterable[Iterable[int]], most: int) -> pd.Series:
    """In how many of the sets each number from 1 to `most` is."""
    counts = Counter(number for one in sets for number in set(one))
    return pd.Series({number: counts[number] for number in range(1, most + 1)})


def _per_patch(index: pd.DataFrame, selection: pd.DataFrame) -> pd.DataFrame:
    """What is counted of each patch: whether a series is left at each gap, and its split."""
    columns = {
        f"gap{gap}": [
            chosen is not None for chosen in choose_all(index["s2_dates"], MULTISENGE.months, gap)
        ]
        for gap in DAYS_GAPS
    }
    split = index["patch"].map(selection.set_index("patch")["split"])
    columns |= {name: split == name for name in SPLITS}
    return pd.DataFrame({"patches": True, **columns}, index.index)


def _tiles(index: pd.DataFrame, per_patch: pd.DataFrame) -> pd.DataFrame:
    counts = per_patch.groupby(index["tile"]).sum()
    selected, split = counts[list(SPLITS)].sum(axis=1), counts.index.map(MULTISENGE.split_of)
    return counts.drop(columns=list(SPLITS)).assign(selected=selected, split=split)


def _density(index: pd.DataFrame, per_patch: pd.DataFrame) -> pd.DataFrame:
    cells = np.floor(centres(index) / CELL).astype(int)
    grid = per_patch.groupby([cells["lon"], cells["lat"]]).sum().reset_index()
    return grid.assign(**((grid[["lon", "lat"]] + 0.5) * CELL).round(3))


def _overlap(selection: pd.DataFrame) -> dict[str, float]:
    by_split = dict(iter(footprints(selection).groupby("split")))
    return {
        f"{a} and {b}": round(overlap(by_split[a], by_split[b]), 2)
        for a, b in combinations(SPLITS, 2)
        if a in by_split and b in by_split
    }


def _s1_days(index: pd.DataFrame) -> pd.DataFrame:
    rows = {}
    for rule in S1_RULES:
        table = select(index, s1_rule=rule)
        apart = np.abs(np.stack(table["s1_dates"]) - np.stack(table["s2_dates"])).astype(int)
        mean, median, most = apart.mean(), np.median(apart), apart.max()
        rows[rule] = {"mean": round(float(mean), 3), "median": float(median), "most": int(most)}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("rule")


def count_labels(index: pd.DataFrame, shown: str = "computed now") -> LabelCounts:
    """Count all that the dataset and selection chapters show; `shown` is where from, in words."""
    selection = select(index)
    per_patch = _per_patch(index, selection)
    return LabelCounts(
        _totals(index, selection),
        _holding((month_of(dates).tolist() for dates in index["s2_dates"]), 12),
        _holding((ids.tolist() for ids in index["classes"]), len(MULTISENGE.published)),
        _tiles(index, per_patch),
        _overlap(selection),
        _s1_days(index),
        hashlib.sha256(to_csv(selection).encode()).hexdigest(),
        _density(index, per_patch),
        shown,
    )


def date_series(index: pd.DataFrame) -> list[dict[str, Any]]:
    """The different lists of Sentinel-2 dates in an index, each with the patches that have it.

    Returns:
        Sorted by tile and dates: `tile`, `dates` as text such as "2020-07-08", and `x` and `y`, the
        columns and rows of the patches.
    """
    dates = index["s2_dates"].map(lambda days: tuple(map(str, days)))
    return [
        {"tile": tile, "dates": list(days), "x": table["x"].tolist(), "y": table["y"].tolist()}
        for (tile, days), table in index.groupby([index["tile"], dates])
    ]


def class_shares(root: Path | str) -> pd.Series:
    """Table 2 of any data root: percent of the labelled pixels of all its references, by class id.

    Raises:
        PatchError: a reference is missing or damaged.
    """
    dataset = dataset_of_root(root)
    most = len(dataset.published) + 1
    pixels = np.zeros(most, dtype=np.int64)
    for row in read_index(Path(root) / LABELS, dataset).itertuples():
        pixels += np.bincount(read_patch(root, row, sensors=()).reference.ravel(), minlength=most)
    return pd.Series(100 * pixels[1:] / pixels[1:].sum(), index=dataset.published.ids)


def _plain(value: Any) -> Any:
    if isinstance(value, pd.DataFrame):
        return (value.reset_index() if value.index.name else value).to_dict("list")
    return value.to_dict() if isinstance(value, pd.Series) else value


def to_json(census: LabelCounts) -> dict[str, Any]:
    """The census as plain lists and numbers, without the sentence on where it comes from."""
    return {f.name: _plain(getattr(census, f.name)) for f in fields(census) if f.name != "shown"}


def read_record(path: Path = RECORD) -> LabelCounts:
    """The committed record of the census of the real label files."""
    record = json.loads(path.read_text("utf-8"))
    made = record.pop("provenance")
    for name in ("months", "classes"):
        record[name] = pd.Series(record[name]).rename(index=int)
    for name, index in (("tiles", ["tile"]), ("s1_days", ["rule"]), ("density", [])):
        table = pd.DataFrame(record[name])
        record[name] = table.set_index(*index) if index else table
    commit = (made["commit"] or "no commit")[:7]
    shown = f"read from the committed record of {made['made']} ({made['source']}; code {commit})"
    return LabelCounts(**record, shown=shown)


def read_series() -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The committed record of the series, as `date_series` gives them, and where they come from."""
    record = json.loads(SERIES.read_text("utf-8"))
    return record["series"], record["provenance"]


def _text(value: Any) -> str:
    """JSON; of a list a line an item, so that changes can be read."""
    whole = json.dumps(value)
    return "[\n" + ",\n".join(map(json.dumps, value)) + "\n]" if whole[0] == "[" else whole


def write_records(
    labels: Path | str, census: Path = RECORD, series: Path = SERIES
) -> tuple[Path, Path]:
    """Write census and series of the published label files as the records that are committed.

    Raises:
        LabelError: the label files are not right, or not all of MultiSenGE's.
    """
    index, code = read_index(labels), provenance()
    tiles = set(index["tile"])
    if len(index) != PATCHES or tiles != set(MULTISENGE.tiles):
        raise LabelError(
            f"{labels} has {len(index):,} patches on {len(tiles)} tiles, MultiSenGE {PATCHES:,} on "
            f"{len(MULTISENGE.tiles)}: the record {census} stays as it was"
        )
    made = {"source": SOURCE, "made": f"{datetime.now(UTC):%Y-%m-%d}", "by": "make count-labels"}
    made |= {"commit": code["commit"], "uncommitted": code["uncommitted"], "patches": len(index)}
    records = {census: to_json(count_labels(index)), series: {"series": date_series(index)}}
    for path, record in records.items():
        content = {"provenance": made, **record}.items()
        lines = ",\n".join(f"{json.dumps(key)}: {_text(value)}" for key, value in content)
        write_text(path, f"{{\n{lines}\n}}\n")
    return census, series


def _published_labels() -> Path | None:
    labels = paths.real_labels()
    return None if labels is None or has_description(labels.parent) else labels


def load_label_counts(find: Callable[[], Path | None] = _published_labels) -> LabelCounts:
    """The census of the real labels where they can be found, else the committed record of it.

    Args:
        find: gives the label files or None; by default what `MULTISENGE_LABELS` or
            `MULTISENGE_ROOT` name, unless that is another dataset.
    """
    labels = find()
    if labels is None:
        return read_record()
    index = read_index(labels)
    return count_labels(index, f"computed now from the {len(index):,} label files")
