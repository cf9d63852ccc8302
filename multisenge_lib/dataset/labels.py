"""Label files, in a folder or an archive, to one validated table: a row a patch.

A label file `{tile}_{x}_{y}.json` has four keys: `corresponding_s1` and `corresponding_s2` (raster
names joined by semicolons), `projection` (WKT) and `labels` (class ids joined by semicolons; none
where there is no reference). Every file is checked; all that is wrong is reported together; nothing
is left out in silence.
"""

import gzip
import io
import json
import os
import re
import stat
import tarfile
import warnings
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date
from functools import lru_cache, partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from pyproj import CRS
from pyproj.exceptions import CRSError

from multisenge_lib.dataset.grid import tile_corner
from multisenge_lib.dataset.layout import (
    LABEL_NAME,
    MULTISENGE,
    SAMPLE,
    TILE_PIXELS,
    Dataset,
    split_patch,
)
from multisenge_lib.errors import LabelError, MultiSenGEError, join_problems, printable

#: Datasets of whose patches all have a reference.
_REFERENCED = (MULTISENGE.name, SAMPLE.name)
_KEYS = ("corresponding_s1", "corresponding_s2", "projection", "labels")
#: Bytes of a label file and of an unpacked archive, at most: many times the real ones.
_FILE_LIMIT, _ARCHIVE_LIMIT = 2**20, 2**28
_EPOCH = date(1970, 1, 1).toordinal()


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


class Days(dict[str, int]):
    """From `yyyymmdd` to days since 1970, each date checked the first time it is met."""

    def __init__(self, years: tuple[int, ...] = ()):
        self.years = years

    def __missing__(self, text: str) -> int:
        try:
            if not re.fullmatch("[0-9]{8}", text):
                raise ValueError
            day = date(int(text[:4]), int(text[4:6]), int(text[6:]))
        except ValueError:
            raise LabelError(f"{text[:60]!r} is not a date yyyymmdd") from None
        if self.years and day.year not in self.years:
            years = " or ".join(map(str, self.years))
            raise LabelError(
                f"the date {text} is not of {years}, as all of this dataset are: give --year "
                f"{day.year}, or years in dataset.toml"
            )
        self[text] = days = day.toordinal() - _EPOCH
        return days


_days_of = lru_cache(Days)


def _parse_dates(names: str, sensor: str, patch: str, years: tuple[int, ...]) -> np.ndarray:
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
    days = np.fromiter(map(_days_of(years).__getitem__, texts), np.int64, len(texts))
    days.sort()
    if (days[1:] == days[:-1]).any():
        twice = Counter(texts).most_common(1)[0][0]
        raise LabelError(f"corresponding_{sensor.lower()} names the date {twice} twice")
    return days.view("datetime64[D]")


@lru_cache
def _parse_classes(labels: str, most: int, may_be_none: bool) -> np.ndarray:
    ids = {str(i): i for i in range(1, most + 1)}
    texts = [] if may_be_none and not labels else labels.split(";")
    try:
        return np.array(sorted({ids[text] for text in texts}), dtype=np.uint8)
    except KeyError as error:
        raise LabelError(
            f"class id {error.args[0][:60]!r} in 'labels': the classes are 1 to {most}"
        ) from None


@lru_cache
def _parse_projection(projection: str, tile: str) -> int:
    epsg = tile_corner(tile)[2]
    try:
        found = CRS.from_user_input(projection).to_epsg()
    except CRSError:
        raise LabelError(
            f"'projection' is {projection[:60]!r}: give WKT, or a code such as EPSG:{epsg}"
        ) from None
    if found != epsg:
        raise LabelError(f"'projection' is EPSG:{found}, tile {tile} lies in EPSG:{epsg}")
    return epsg


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    document = dict(pairs)
    if len(document) < len(pairs):
        twice = Counter(key for key, _ in pairs).most_common(1)[0][0]
        raise LabelError(f"the key {twice[:60]!r} is there twice")
    return document


_DECODER = json.JSONDecoder(object_pairs_hook=_once)


def _parse_document(raw: bytes) -> dict[str, str]:
    try:
        document = _DECODER.decode(raw.decode())
    except LabelError:
        raise
    except (ValueError, RecursionError) as error:  # also bytes that are not UTF-8
        raise LabelError(f"not JSON ({error}): truncated? fetch it again") from None
    if not isinstance(document, dict):
        raise LabelError(f"holds a {type(document).__name__}, not an object of four keys")
    if missing := [key for key in _KEYS if key not in document]:
        raise LabelError(f"missing key {', '.join(missing)}")
    if wrong := [key for key in _KEYS if not isinstance(document[key], str)]:
        raise LabelError(f"{', '.join(wrong)} must be text")
    return document


def _parse_name(name: str, dataset: Dataset) -> tuple[str, int, int]:
    matched = LABEL_NAME.fullmatch(name)
    if matched is None:
        raise LabelError("the name is not {tile}_{x}_{y}.json")
    tile, x, y = matched[1], int(matched[2]), int(matched[3])
    if dataset.tiles and tile not in dataset.split_of_tile:
        raise LabelError(
            f"unknown tile {tile}: not one of the {len(dataset.tiles)} of {dataset.name}; give "
            "--any-tile, or tiles in dataset.toml"
        )
    if max(x, y) + dataset.patch_pixels > TILE_PIXELS:
        raise LabelError(
            f"the patch ends beyond its tile, which has {TILE_PIXELS} columns and rows, when "
            f"patches have {dataset.patch_pixels}"
        )
    return tile, x, y


def parse_label(name: str, raw: bytes, dataset: Dataset = MULTISENGE) -> LabelRow:
    """Read and check one label file of a dataset; its name carries tile and offsets.

    Raises:
        MultiSenGEError: the first thing that is wrong, without the file's name.
    """
    tile, x, y = _parse_name(name, dataset)
    document, patch = _parse_document(raw), name.removesuffix(".json")
    return LabelRow(
        patch,
        tile,
        x,
        y,
        _parse_projection(document["projection"], tile),
        _parse_classes(document["labels"], len(dataset.published), dataset.name not in _REFERENCED),
        _parse_dates(document["corresponding_s1"], "S1", patch, dataset.years),
        _parse_dates(document["corresponding_s2"], "S2", patch, dataset.years),
    )


def _refuse(error: OSError) -> None:
    raise LabelError(f"{error.filename} cannot be listed ({error.strerror})") from None


def _walk(folder: Path) -> Iterator[str]:
    """All files below a folder, and folders that bear a label file's name."""
    for where, folders, names in os.walk(folder, onerror=_refuse):
        for name in (*names, *(name for name in folders if name.endswith(".json"))):
            yield os.path.join(where, name)  # noqa: PTH118 - half the time of Path


def _read_file(path: str) -> bytes | LabelError:
    try:
        status = os.stat(path)  # noqa: PTH116 - half the time of Path
        if not stat.S_ISREG(status.st_mode):
            return LabelError("is not a file")
        if status.st_size > _FILE_LIMIT:
            return LabelError(f"has {status.st_size:,} bytes, no label file has")
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123
            return file.read()
    except OSError as error:
        return LabelError(f"cannot be read ({error.strerror})")


def _read_folder(folder: Path) -> Iterator[tuple[str, bytes | LabelError]]:
    found = sorted(_walk(folder))
    if others := [path for path in found if not path.endswith(".json")]:
        warnings.warn(
            f"{len(others)} files in {folder} are not .json and were left out: "
            f"{', '.join(printable(Path(p).name) for p in others[:5])}",
            stacklevel=3,
        )
    for path in found:
        if path.endswith(".json"):
            yield path, _read_file(path)


def _unpack(archive: Path) -> bytes:
    """All bytes of the tar inside, of bounded number; gzip's checksum is verified."""
    with gzip.open(archive) as stream:
        pieces, size = [], 0
        for piece in iter(partial(stream.read, 2**20), b""):
            pieces.append(piece)
            size += len(piece)
            if size > _ARCHIVE_LIMIT:
                raise tarfile.TarError(f"over {_ARCHIVE_LIMIT:,} bytes unpacked, no label archive")
    return b"".join(pieces)


def _read_archive(archive: Path) -> Iterator[tuple[str, bytes | LabelError]]:
    if not archive.is_file():
        raise LabelError(f"{archive} is neither a folder nor a file")
    try:
        content = _unpack(archive)
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as tar:
            for member in tar:
                if member.name.endswith(".json"):
                    end = member.offset_data + member.size
                    whole = member.isreg() and not member.issparse() and member.size <= _FILE_LIMIT
                    raw = content[member.offset_data : end]
                    yield member.name, raw if whole else LabelError("is no label file")
    except (tarfile.TarError, EOFError, zlib.error, OSError, ValueError) as error:
        raise LabelError(
            f"{archive} cannot be read as a tar archive ({error}): fetch it again"
        ) from None


def _parse_all(
    documents: Iterable[tuple[str, bytes | LabelError]], dataset: Dataset
) -> tuple[list[LabelRow], list[str]]:
    """Rows that are right, and a line for each file that is not."""
    rows, problems, seen = [], [], {}
    for path, raw in documents:
        try:
            if isinstance(raw, LabelError):
                raise raw
            row = parse_label(path.rpartition("/")[2], raw, dataset)
            if row.patch in seen:
                raise LabelError(f"duplicate of {row.patch} in {printable(seen[row.patch])}")
            seen[row.patch] = path
            rows.append(row)
        except MultiSenGEError as error:
            problems.append(f"{printable(path)}: {error}")
    return rows, problems


def read_index(path: Path | str, dataset: Dataset = MULTISENGE) -> pd.DataFrame:
    """Read and check all label files of a folder or a `.tar.gz`/`.tgz` archive.

    Args:
        path: the folder (files below it count too) or the archive itself.
        dataset: gives tiles, years, patch size and classes allowed.

    Returns:
        One row a patch, sorted by patch: `patch`, `tile`, `x` and `y` (pixels inside the tile),
        `epsg`, `classes` (ids present), `s1_dates` and `s2_dates` (sorted datetime64[D]).

    Raises:
        LabelError: nothing there, or any file wrong: all of them, by name and reason.
    """
    path = Path(path)
    if not path.exists():
        raise LabelError(f"{path} does not exist: give a folder of label files or their archive")
    documents = _read_folder(path) if path.is_dir() else _read_archive(path)
    rows, problems = _parse_all(documents, dataset)
    total = len(rows) + len(problems)
    if len(problems) == 1:
        raise LabelError(f"1 of {total} label files is wrong: {problems[0]}")
    if problems:
        raise LabelError(
            f"{len(problems)} of {total} label files are wrong:{join_problems(problems)}"
        )
    if not rows:
        raise LabelError(f"no label file (*.json) in {path}: is it the folder named 'labels'?")
    return pd.DataFrame(sorted(rows, key=lambda row: row.patch), columns=LabelRow._fields)
