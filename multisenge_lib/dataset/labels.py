"""Label files, in a folder or an archive, to one validated table: a row a patch.

A label file `{tile}_{x}_{y}.json` has four keys: `corresponding_s1` and `corresponding_s2` (raster
names joined by semicolons), `projection` (WKT) and `labels` (class ids joined by semicolons).
Every file is checked; all that is wrong is reported together; nothing is left out in silence.
"""

import gzip
import io
import json
import os
import re
import tarfile
import warnings
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from multisenge_lib.dataset.geo import tile_corner
from multisenge_lib.dataset.layout import MULTISENGE, Dataset, split_patch
from multisenge_lib.errors import LabelError, MultiSenGEError, listed

_KEYS = ("corresponding_s1", "corresponding_s2", "projection", "labels")
_NAME = re.compile(r"([^_]+)_(0|[1-9]\d*)_(0|[1-9]\d*)\.json")
_EPSG = re.compile(r'AUTHORITY\["EPSG","(\d+)"\]\]$')
_CLASS_IDS = {str(i): i for i in range(1, 15)}


class LabelRow(NamedTuple):
    """One label file, read and checked; dates are sorted datetime64[D]."""

    patch: str
    tile: str
    x: int
    y: int
    epsg: int
    classes: np.ndarray
    s1_dates: np.ndarray
    s2_dates: np.ndarray


class _Dates(dict[str, int]):
    """From `yyyymmdd` to days since 1970, each date checked the first time it is met."""

    def __init__(self, years: tuple[int, ...]):
        self.years = years

    def __missing__(self, text: str) -> int:
        try:
            if len(text) != 8 or not text.isdecimal():
                raise ValueError
            day = date(int(text[:4]), int(text[4:6]), int(text[6:]))
        except ValueError:
            raise LabelError(f"{text[:60]!r} is not a date yyyymmdd") from None
        if self.years and day.year not in self.years:
            years = " or ".join(map(str, self.years))
            raise LabelError(f"the date {text} is not of {years}, the years of this dataset")
        self[text] = days = day.toordinal() - date(1970, 1, 1).toordinal()
        return days


def _parse_dates(names: str, sensor: str, patch: str, known: _Dates) -> np.ndarray:
    """Dates out of `{tile}_{date}_{sensor}_{x}_{y}.tif;...`: what stands between is the same."""
    if not names:
        return np.array([], dtype="datetime64[D]")
    tile, x, y = split_patch(patch)
    before, after = f"{tile}_", f"_{sensor}_{x}_{y}.tif"
    if not (names.startswith(before) and names.endswith(after)):
        raise LabelError(
            f"corresponding_{sensor.lower()} must name files {before}yyyymmdd{after} of this "
            f"patch, found {names[:60]!r}"
        )
    texts = names[len(before) : -len(after)].split(f"{after};{before}")
    days = np.fromiter(map(known.__getitem__, texts), np.int64, len(texts))
    days.sort()
    if (days[1:] == days[:-1]).any():
        twice = Counter(texts).most_common(1)[0][0]
        raise LabelError(f"corresponding_{sensor.lower()} names the date {twice} twice")
    return days.view("datetime64[D]")


@lru_cache
def _parse_classes(labels: str) -> np.ndarray:
    try:
        return np.array(sorted({_CLASS_IDS[text] for text in labels.split(";")}), dtype=np.int8)
    except KeyError as error:
        raise LabelError(
            f"class id {error.args[0]!r} in 'labels': the classes are 1 to 14"
        ) from None


@lru_cache
def _parse_epsg(projection: str, tile: str) -> int:
    found = _EPSG.search(projection.rstrip())
    epsg = tile_corner(tile)[2]
    if found is None or int(found[1]) != epsg:
        got = f"EPSG:{found[1]}" if found else f"{projection[-40:]!r}"
        raise LabelError(f"'projection' ends with {got}, tile {tile} lies in EPSG:{epsg}")
    return epsg


def _parse_document(raw: bytes) -> dict[str, str]:
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError) as error:  # also bytes that are not UTF-8
        raise LabelError(f"not JSON ({error}): truncated? fetch it again") from None
    if not isinstance(document, dict):
        raise LabelError(f"holds a {type(document).__name__}, not an object of four keys")
    if missing := [key for key in _KEYS if key not in document]:
        raise LabelError(f"missing key {', '.join(missing)}")
    if wrong := [key for key in _KEYS if not isinstance(document[key], str)]:
        raise LabelError(f"{', '.join(wrong)} must be text")
    return document


def parse_label(
    name: str, raw: bytes, dataset: Dataset = MULTISENGE, known: _Dates | None = None
) -> LabelRow:
    """Read and check one label file.

    Args:
        name: the file's name, which carries tile and offsets.
        raw: its content.
        dataset: that it must be of.
        known: dates already checked, shared over the files of an index.

    Raises:
        LabelError: the first thing that is wrong, without the file's name.
    """
    matched = _NAME.fullmatch(name)
    if matched is None:
        raise LabelError("the name is not {tile}_{x}_{y}.json")
    tile, x, y = matched[1], int(matched[2]), int(matched[3])
    if dataset.tiles and tile not in dataset.split_of_tile:
        raise LabelError(f"unknown tile {tile}: not one of the {len(dataset.tiles)} expected")
    known = _Dates(dataset.years) if known is None else known
    document = _parse_document(raw)
    patch = name.removesuffix(".json")
    return LabelRow(
        patch,
        tile,
        x,
        y,
        _parse_epsg(document["projection"], tile),
        _parse_classes(document["labels"]),
        _parse_dates(document["corresponding_s1"], "S1", patch, known),
        _parse_dates(document["corresponding_s2"], "S2", patch, known),
    )


def _files(folder: Path) -> tuple[list[str], list[str]]:
    found = sorted(
        os.path.join(where, name)  # noqa: PTH118 - half the time of Path over 8,157 files
        for where, _, names in os.walk(folder)
        for name in names
    )
    labels = [path for path in found if path.endswith(".json")]
    return labels, [path for path in found if not path.endswith(".json")]


def _read_folder(folder: Path) -> Iterator[tuple[str, bytes]]:
    labels, others = _files(folder)
    if others:
        warnings.warn(
            f"{len(others)} files in {folder} are not .json and were left out: "
            f"{', '.join(os.path.basename(p) for p in others[:5])}",  # noqa: PTH119
            stacklevel=3,
        )
    for path in labels:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            yield path, os.read(descriptor, os.fstat(descriptor).st_size)
        finally:
            os.close(descriptor)


def _read_archive(archive: Path) -> Iterator[tuple[str, bytes]]:
    try:
        content = gzip.decompress(archive.read_bytes())
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as tar:
            for member in tar:
                if member.isfile() and member.name.endswith(".json"):
                    start = member.offset_data
                    yield member.name, content[start : start + member.size]
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        raise LabelError(
            f"{archive} cannot be read as a tar archive ({error}): fetch it again"
        ) from None


def _parse_all(
    documents: Iterable[tuple[str, bytes]], dataset: Dataset
) -> tuple[list[LabelRow], list[str], int]:
    """Rows that are right, a line for each file that is not, and the number of files."""
    known, rows, problems, seen = _Dates(dataset.years), [], [], {}
    total = 0
    for path, raw in documents:
        total += 1
        try:
            row = parse_label(path.rpartition("/")[2], raw, dataset, known)
        except MultiSenGEError as error:
            problems.append(f"{path}: {error}")
            continue
        if row.patch in seen:
            problems.append(f"{path}: duplicate of patch {row.patch}, also in {seen[row.patch]}")
            continue
        seen[row.patch] = path
        rows.append(row)
    return rows, problems, total


def _table(rows: list[LabelRow]) -> pd.DataFrame:
    rows = sorted(rows, key=lambda row: row.patch)
    columns = zip(LabelRow._fields, zip(*rows, strict=True), strict=True)
    return pd.DataFrame(
        {
            name: pd.Series(values, dtype=object if isinstance(values[0], np.ndarray) else None)
            for name, values in columns
        }
    )


def read_index(path: Path | str, dataset: Dataset = MULTISENGE) -> pd.DataFrame:
    """Read and check all label files of a folder or a `.tar.gz`/`.tgz` archive.

    Args:
        path: the folder (files below it count too) or the archive itself.
        dataset: gives the tiles and years allowed.

    Returns:
        One row a patch, sorted by patch: `patch`, `tile`, `x` and `y` (pixels inside the tile),
        `epsg`, `classes` (ids 1 to 14 present), `s1_dates` and `s2_dates` (sorted datetime64[D]).

    Raises:
        LabelError: nothing there, or any file wrong: all of them, by name and reason.
    """
    path = Path(path)
    if not path.exists():
        raise LabelError(f"{path} does not exist: give a folder of label files or their archive")
    documents = _read_folder(path) if path.is_dir() else _read_archive(path)
    rows, problems, total = _parse_all(documents, dataset)
    if len(problems) == 1:
        raise LabelError(f"1 of {total} label files is wrong: {problems[0]}")
    if problems:
        raise LabelError(f"{len(problems)} of {total} label files are wrong:{listed(problems)}")
    if not rows:
        raise LabelError(f"no label file (*.json) in {path}: is it the folder named 'labels'?")
    return _table(rows)
