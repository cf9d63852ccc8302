"""The census: counts over the label files, all that the dataset and selection chapters show.

Only aggregates, so that the record of it can be shipped where the label files cannot. A chapter
asks `load_census()` and gets the same table whether the real labels are at hand (then it is taken
anew) or not (then it is read from the committed record), and is told which.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from multisenge_lib import paths
from multisenge_lib.dataset.description import describe, is_described
from multisenge_lib.dataset.geo import centres, footprints, overlap
from multisenge_lib.dataset.labels import read_index
from multisenge_lib.dataset.layout import LABELS, MULTISENGE, SPLITS
from multisenge_lib.dataset.rasters import read_patch
from multisenge_lib.dataset.selection import S1_RULES, choose_dates, month_of, select, to_csv
from multisenge_lib.errors import LabelError
from multisenge_lib.files import provenance, write_text

#: The gaps of Table 1 and Figure 3, in days.
DAYS_GAPS = (15, 16, 17, 18, 19, 20)
#: Degrees along a cell of the density grid, in longitude and latitude.
CELL = 0.1
#: The published label files.
PATCHES = 8157
#: The committed record of the census of them: an input of the book, beside this module.
RECORD = Path(__file__).with_name("census.json")
SOURCE = "label files of MultiSenGE, doi:10.5281/zenodo.6375466"


@dataclass(frozen=True)
class Census:
    """Counts over an index.

    Attributes:
        totals: `patches`, `s1_references`, `s2_references`, the least and most dates a patch, and
            `date_series`, how many different series of dates the selected patches have.
        months: patches with at least one Sentinel-2 date, by month 1 to 12 (Figure 2).
        days_gaps: patches selected, by days gap (Table 1).
        tiles: a row a tile: `patches`, `selected` at 17 days, `split`, and `gap15` to `gap20`, the
            patches left at that gap.
        splits: selected patches, by split.
        overlap: ground that two splits share, in square kilometres, by "train and test".
        classes: patches that hold the class, by published class id.
        s1_days: days between paired optical and radar dates at 17 days, a row a Sentinel-1 rule:
            `mean`, `median`, `most`.
        dates_sha256: digest of all selected dates at 17 days, as `selection.to_csv` writes them.
        density: a row a grid cell: `lon`, `lat` (centre, degrees), `patches`, `gap15` to `gap20`,
            and the selected patches `train`, `validation`, `test`.
        shown: one sentence: computed now, or read from which record.
    """

    totals: dict[str, int]
    months: pd.Series
    days_gaps: pd.Series
    tiles: pd.DataFrame
    splits: pd.Series
    overlap: dict[str, float]
    classes: pd.Series
    s1_days: pd.DataFrame
    dates_sha256: str
    density: pd.DataFrame
    shown: str = ""


def _totals(index: pd.DataFrame) -> dict[str, int]:
    counts = {sensor: index[f"{sensor}_dates"].map(len) for sensor in ("s1", "s2")}
    totals = {"patches": len(index)}
    for sensor, dates in counts.items():
        totals |= {
            f"{sensor}_references": int(dates.sum()),
            f"{sensor}_dates_least": int(dates.min()),
            f"{sensor}_dates_most": int(dates.max()),
        }
    return totals


def _patches_by_month(index: pd.DataFrame) -> pd.Series:
    present = np.zeros((len(index), 13), dtype=bool)
    for row, dates in zip(present, index["s2_dates"], strict=True):
        row[month_of(dates)] = True
    return pd.Series(present.sum(axis=0)[1:], index=range(1, 13))


def _gap_columns(index: pd.DataFrame) -> pd.DataFrame:
    """Whether each patch has a full Sentinel-2 series, a column a days gap."""
    return pd.DataFrame(
        {
            f"gap{gap}": [
                choose_dates(dates, MULTISENGE.months, gap) is not None
                for dates in index["s2_dates"]
            ]
            for gap in DAYS_GAPS
        },
        index.index,
    )


def _tiles(index: pd.DataFrame, per_patch: pd.DataFrame) -> pd.DataFrame:
    counts = per_patch.assign(patches=True).groupby(index["tile"]).sum()
    counts = counts.assign(split=[MULTISENGE.split_of(tile) for tile in counts.index])
    return counts[["patches", "selected", "split", *(f"gap{gap}" for gap in DAYS_GAPS)]]


def _density(index: pd.DataFrame, per_patch: pd.DataFrame) -> pd.DataFrame:
    cells = np.floor(centres(index) / CELL).astype(int)
    grid = per_patch.assign(patches=True).groupby([cells["lon"], cells["lat"]]).sum().reset_index()
    grid[["lon", "lat"]] = ((grid[["lon", "lat"]] + 0.5) * CELL).round(3)
    return grid[["lon", "lat", "patches", *per_patch.columns]]


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
        rows[rule] = {
            "mean": round(float(apart.mean()), 3),
            "median": float(np.median(apart)),
            "most": int(apart.max()),
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("rule")


def _digest(selection: pd.DataFrame) -> str:
    return hashlib.sha256(to_csv(selection).encode()).hexdigest()


def take_census(index: pd.DataFrame, shown: str = "computed now") -> Census:
    """Count everything that the dataset and selection chapters show.

    Args:
        index: from `read_index`.
        shown: the sentence kept with the counts.
    """
    selection = select(index)
    gaps = _gap_columns(index)
    split = index["patch"].map(selection.set_index("patch")["split"])
    in_split = pd.DataFrame({name: split == name for name in SPLITS})
    has_class = np.zeros((len(index), 15), dtype=bool)
    for row, classes in zip(has_class, index["classes"], strict=True):
        row[classes] = True
    return Census(
        _totals(index) | {"date_series": selection["s2_dates"].map(tuple).nunique()},
        _patches_by_month(index),
        pd.Series({gap: int(gaps[f"gap{gap}"].sum()) for gap in DAYS_GAPS}),
        _tiles(index, gaps.assign(selected=split.notna())),
        in_split.sum(),
        _overlap(selection),
        pd.Series(has_class.sum(axis=0)[1:], index=range(1, 15)),
        _s1_days(index),
        _digest(selection),
        _density(index, gaps.join(in_split)),
        shown,
    )


def class_shares(root: Path | str) -> pd.Series:
    """Table 2 of any data root: the share of each published class in all its references.

    Args:
        root: the data root.

    Returns:
        Percent of the labelled pixels, by class id.

    Raises:
        PatchError: a reference is missing or damaged.
    """
    dataset = describe(root)
    most = len(dataset.published) + 1
    pixels = np.zeros(most, dtype=np.int64)
    for row in read_index(Path(root) / LABELS, dataset).itertuples():
        pixels += np.bincount(
            read_patch(root, row, (), dataset=dataset).reference.ravel(), minlength=most
        )
    return pd.Series(100 * pixels[1:] / pixels[1:].sum(), index=dataset.published.ids)


def _plain(value: Any) -> Any:
    if isinstance(value, pd.DataFrame):
        return (value.reset_index() if value.index.name else value).to_dict("list")
    return {str(k): int(v) for k, v in value.items()} if isinstance(value, pd.Series) else value


def to_json(census: Census) -> dict[str, Any]:
    """The census as plain lists and numbers, without the sentence on where it comes from."""
    names = (field.name for field in fields(census) if field.name != "shown")
    return {name: _plain(getattr(census, name)) for name in names}


def from_json(record: Mapping[str, Any], shown: str = "") -> Census:
    """The census back from `to_json`."""
    record = dict(record)
    for name in ("months", "days_gaps", "classes", "splits"):
        counts = pd.Series(record[name])
        record[name] = counts if name == "splits" else counts.rename(index=int)
    for name, index in (("tiles", "tile"), ("s1_days", "rule"), ("density", None)):
        table = pd.DataFrame(record[name])
        record[name] = table.set_index(index) if index else table
    return Census(**record, shown=shown)


def write_record(labels: Path | str, path: Path = RECORD) -> Path:
    """Take the census of the published label files and write it as the record that is committed.

    Raises:
        LabelError: the label files are not right, or not all of MultiSenGE's.
    """
    index, code = read_index(labels), provenance()
    tiles = set(index["tile"])
    if len(index) != PATCHES or tiles != set(MULTISENGE.tiles):
        raise LabelError(
            f"{labels} has {len(index):,} patches on {len(tiles)} tiles, MultiSenGE {PATCHES:,} on "
            f"{len(MULTISENGE.tiles)}: the record {path} stays as it was"
        )
    made = {
        "source": SOURCE,
        "made": f"{datetime.now(UTC):%Y-%m-%d}",
        "by": "make records",
        "commit": code["commit"],
        "uncommitted": code["uncommitted"],
    }
    lines = {"provenance": made, **to_json(take_census(index))}.items()
    text = ",\n".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in lines)
    return write_text(path, f"{{\n{text}\n}}\n")


def read_record(path: Path = RECORD) -> Census:
    """The committed record of the census of the real label files."""
    record = json.loads(path.read_text(encoding="utf-8"))
    made = record.pop("provenance")
    commit = (made["commit"] or "no commit")[:7]
    shown = f"read from the committed record of {made['made']} ({made['source']}; code {commit})"
    return from_json(record, shown)


def _published_labels() -> Path | None:
    labels = paths.real_labels()
    return None if labels is None or is_described(labels.parent) else labels


def load_census(find: Callable[[], Path | None] = _published_labels) -> Census:
    """The census of the real labels where they can be found, else the committed record of it.

    Args:
        find: gives the label files or None; by default what `MULTISENGE_LABELS` or
            `MULTISENGE_ROOT` name, unless that is another dataset.
    """
    labels = find()
    if labels is None:
        return read_record()
    index = read_index(labels)
    return take_census(index, f"computed now from the {len(index):,} label files")
