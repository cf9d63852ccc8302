"""The label files of a dataset, read into one table: the index, with one row per patch.

Each patch has a label file `labels/{tile}_{x}_{y}.json` with four texts:

    corresponding_s1    names of its Sentinel-1 rasters, joined by semicolons
    corresponding_s2    names of its Sentinel-2 rasters, joined by semicolons
    projection          of all its rasters, as WKT
    labels              ids of the classes in its reference, joined by semicolons

So the label files alone say which places there are and which acquisitions each place has, and the
whole selection of the paper's section 2.2 can be made from 4 MB of them, without the 190 GB of
rasters. `read_index` reads a folder of label files or their archive. Every file is checked: all
errors are reported together, and no file is skipped silently.
"""

import gzip
import io
import os
import re
import stat
import tarfile
import warnings
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple

import msgspec
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
    parse_patch_name,
)
from multisenge_lib.errors import LabelError, MultiSenGEError, counted, join_problems, printable

#: Datasets in which every patch has a reference. In others, `labels` may be empty.
_WITH_REFERENCE_EVERYWHERE = (MULTISENGE.name, SAMPLE.name)
#: Largest label file and largest unpacked archive, in bytes: many times the real ones. What is
#: larger is something else, and would fill the memory.
_FILE_LIMIT = 2**20
_ARCHIVE_LIMIT = 2**28

_UNIX_EPOCH = date(1970, 1, 1).toordinal()


class _Document(msgspec.Struct):
    """The content of a label file."""

    corresponding_s1: str
    corresponding_s2: str
    projection: str
    labels: str


_decode = msgspec.json.Decoder(_Document).decode
#: A key of a label file in its bytes. Inside a text, JSON writes \" for a quote, so this finds keys
#: alone. One pass of this pattern takes a third of the time of a search for each key.
_KEY = re.compile(rb'"(%s)"' % "|".join(_Document.__struct_fields__).encode())


class LabelRow(NamedTuple):
    """One label file, read and checked: one row of the index. Dates are sorted datetime64[D]."""

    patch: str
    tile: str
    x: int
    y: int
    epsg: int
    classes: np.ndarray
    s1_dates: np.ndarray
    s2_dates: np.ndarray


def parse_day(text: str, years: tuple[int, ...] = ()) -> int:
    """Turn `yyyymmdd` into the number of days since 1970, as datetime64[D] counts them.

    Args:
        text: as it stands in the name of a raster.
        years: the years that are allowed; none for any.

    Raises:
        LabelError: it is not a date, or of another year.
    """
    try:
        if not re.fullmatch("[0-9]{8}", text):
            raise ValueError
        day = date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        raise LabelError(
            f"{text[:60]!r} is not a date yyyymmdd: correct the name of that raster"
        ) from None
    if years and day.year not in years:
        allowed = " or ".join(map(str, years))
        raise LabelError(
            f"the date {text} is not of {allowed}, as all of this dataset are: give --year "
            f"{day.year}, or years in dataset.toml"
        )
    return day.toordinal() - _UNIX_EPOCH


@cache
def day_parser(years: tuple[int, ...] = ()) -> Callable[[str], int]:
    """Return `parse_day` for a dataset's years, with a cache of the days parsed before.

    A million dates are read, but only some hundred are different. The cache of a function of the
    text alone is twice as fast as that of a function of text and years.
    """
    return cache(partial(parse_day, years=years))


def _parse_dates(names: str, sensor: str, patch: str, years: tuple[int, ...]) -> np.ndarray:
    """Return the sorted dates in the names of one patch's rasters.

    Args:
        names: names `{tile}_{yyyymmdd}_{S1 or S2}_{x}_{y}.tif`, joined by semicolons.
        sensor: `s1` or `s2`.
        patch: name of the patch.
        years: the years that are allowed; none for any.
    """
    if not names:
        return np.array([], dtype="datetime64[D]")
    key = f"corresponding_{sensor}"
    tile, x, y = parse_patch_name(patch)
    before = f"{tile}_"
    after = f"_{sensor.upper()}_{x}_{y}.tif"
    if not (names.startswith(before) and names.endswith(after)):
        raise LabelError(
            f"{key} must name files {before}yyyymmdd{after} of this patch, received "
            f"{names[:60]!r}: correct the names, or the name of the label file"
        )
    # All names of a patch are the same but for the date, so the text between two dates is known.
    # Splitting at it is several times faster than taking a hundred names apart one by one.
    between = f"{after};{before}"
    texts = names[len(before) : -len(after)].split(between)
    days = np.fromiter(map(day_parser(years), texts), dtype=np.int64, count=len(texts))
    days.sort()
    if (days[1:] == days[:-1]).any():
        repeated = Counter(texts).most_common(1)[0][0]
        raise LabelError(f"{key} names the date {repeated} twice: leave one of them out")
    return days.view("datetime64[D]")


@cache  # many patches have the same classes
def _parse_classes(labels: str, number_of_classes: int, may_be_empty: bool) -> tuple[int, ...]:
    """Return the ids of the classes in the reference, sorted."""
    if may_be_empty and not labels:
        return ()
    ids = set()
    for text in labels.split(";"):
        # isdecimal also accepts the digits of other scripts, which isascii refuses.
        is_number = text.isascii() and text.isdecimal() and not text.startswith("0")
        if not is_number or len(text) > 3 or int(text) > number_of_classes:
            raise LabelError(
                f"class id {text[:60]!r} in 'labels': the classes are 1 to {number_of_classes}, "
                "joined by semicolons; correct it, or list more classes in dataset.toml"
            )
        ids.add(int(text))
    return tuple(sorted(ids))


@cache  # some tiles, each with one projection
def _parse_projection(projection: str, tile: str) -> int:
    """The EPSG code of the projection, which must be the UTM zone of the tile."""
    expected = tile_corner(tile)[2]
    try:
        epsg = CRS.from_user_input(projection).to_epsg()
    except CRSError:
        raise LabelError(
            f"'projection' is {projection[:60]!r}: give WKT, or a code such as EPSG:{expected}"
        ) from None
    if epsg != expected:
        raise LabelError(
            f"'projection' is EPSG:{epsg}, tile {tile} lies in EPSG:{expected}: correct it, or the "
            "tile in the name of the file"
        )
    return expected


def _parse_document(raw: bytes) -> _Document:
    """The four texts of a label file."""
    try:
        document = _decode(raw)
    except msgspec.ValidationError as error:  # it is JSON, with other keys or types
        raise LabelError(
            f"{error}: a label file has the keys {', '.join(_Document.__struct_fields__)}, "
            "each a text; fetch it again, or write them"
        ) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise LabelError(f"not JSON ({error}): truncated? fetch it again") from None
    # If a key occurs twice, the decoder takes the last, and the dates of the first are lost.
    keys = _KEY.findall(raw)
    if len(keys) > len(_Document.__struct_fields__):
        repeated = Counter(keys).most_common(1)[0][0].decode()
        raise LabelError(f"the key {repeated!r} is there twice: leave one of them out")
    return document


def _parse_name(name: str, dataset: Dataset) -> tuple[str, int, int]:
    """Tile, column and row of a patch from the name of its label file."""
    match = LABEL_NAME.fullmatch(name)
    if match is None:
        raise LabelError("the name is not {tile}_{x}_{y}.json: rename the file, or move it away")
    tile = match[1]
    x = int(match[2])
    y = int(match[3])
    if dataset.tiles and tile not in dataset.split_of_tile:
        raise LabelError(
            f"unknown tile {tile}: not one of the {len(dataset.tiles)} of {dataset.name}; give "
            "--any-tile, or tiles in dataset.toml"
        )
    if max(x, y) + dataset.patch_pixels > TILE_PIXELS:
        raise LabelError(
            f"the patch ends beyond its tile, which has {TILE_PIXELS} columns and rows, when "
            f"patches have {dataset.patch_pixels}: correct x and y in the name, or patch_pixels in "
            "dataset.toml"
        )
    return tile, x, y


def parse_label(name: str, raw: bytes, dataset: Dataset = MULTISENGE) -> LabelRow:
    """Read and check one label file.

    Args:
        name: name of the file, without folders; it says where the patch lies.
        raw: the bytes of the file.
        dataset: gives the tiles, years, patch size and classes that are allowed.

    Raises:
        MultiSenGEError: the first thing that is wrong, without the file's name.
    """
    tile, x, y = _parse_name(name, dataset)
    patch = name.removesuffix(".json")
    document = _parse_document(raw)
    reference_may_be_missing = dataset.name not in _WITH_REFERENCE_EVERYWHERE
    classes = _parse_classes(
        document.labels, len(dataset.reference_classes), reference_may_be_missing
    )
    return LabelRow(
        patch=patch,
        tile=tile,
        x=x,
        y=y,
        epsg=_parse_projection(document.projection, tile),
        classes=np.array(classes, dtype=np.uint8),  # an array of its own, which may be written to
        s1_dates=_parse_dates(document.corresponding_s1, "s1", patch, dataset.years),
        s2_dates=_parse_dates(document.corresponding_s2, "s2", patch, dataset.years),
    )


#: A file's path, and a function that returns its bytes or raises a LabelError.
_File = tuple[str, Callable[[], bytes]]


def _refuse_folder(error: OSError) -> None:
    raise LabelError(
        f"{error.filename} cannot be listed ({error.strerror}): allow it to be read"
    ) from None


def _paths_below(folder: Path) -> list[str]:
    """All files below a folder, and also folders that have the name of a label file."""
    paths = []
    for where, folders, names in os.walk(folder, onerror=_refuse_folder):
        names = names + [name for name in folders if name.endswith(".json")]
        # os.path is twice as fast as Path here, which counts with thousands of files.
        paths += [os.path.join(where, name) for name in names]  # noqa: PTH118
    return sorted(paths)


def _read_file(path: str) -> bytes:
    try:
        status = os.stat(path)  # noqa: PTH116 - as above
        if not stat.S_ISREG(status.st_mode):
            raise LabelError("is not a file: move it away")
        if status.st_size > _FILE_LIMIT:
            raise LabelError(
                f"has {status.st_size:,} bytes, a label file has less than {_FILE_LIMIT:,}: move "
                "it away"
            )
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123
            return file.read()
    except OSError as error:
        raise LabelError(
            f"cannot be read ({error.strerror}): allow it, or fetch it again"
        ) from None


def _files_of_folder(folder: Path) -> Iterator[_File]:
    others = []
    for path in _paths_below(folder):
        if path.endswith(".json"):
            yield path, partial(_read_file, path)
        else:
            others.append(printable(Path(path).name))
    if others:
        warnings.warn(
            f"{counted(len(others), 'file in', 'files in')} {folder} left out, not .json: "
            f"{', '.join(others[:5])}",
            stacklevel=5,
        )


def _unpack(archive: Path) -> bytes:
    """The tar file inside a `.tar.gz`, in memory; gzip verifies its checksum at the end."""
    pieces = []
    size = 0
    with gzip.open(archive) as stream:
        # Piece by piece, so that a small file that unpacks to gigabytes is refused on the way.
        for piece in iter(partial(stream.read, 2**20), b""):
            pieces.append(piece)
            size += len(piece)
            if size > _ARCHIVE_LIMIT:
                raise tarfile.TarError(f"over {_ARCHIVE_LIMIT:,} bytes unpacked, no label archive")
    return b"".join(pieces)


def _read_member(content: bytes, member: tarfile.TarInfo) -> bytes:
    is_plain_file = member.isreg() and not member.issparse()
    if not is_plain_file or member.size > _FILE_LIMIT:
        raise LabelError(
            f"is no label file, a plain one of less than {_FILE_LIMIT:,} bytes: fetch the archive "
            "again"
        )
    return content[member.offset_data : member.offset_data + member.size]


def _files_of_archive(archive: Path) -> Iterator[_File]:
    if not archive.is_file():
        raise LabelError(
            f"{archive} is neither a folder nor a file: give a folder of label files or their "
            ".tar.gz"
        )
    try:
        content = _unpack(archive)
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as tar:
            for member in tar:
                if member.name.endswith(".json"):
                    yield member.name, partial(_read_member, content, member)
    except (tarfile.TarError, EOFError, zlib.error, OSError, ValueError) as error:
        raise LabelError(
            f"{archive} cannot be read as a tar archive ({error}): fetch it again, or give the "
            "folder of label files"
        ) from None


def _parse_all(
    files: Iterable[_File], dataset: Dataset
) -> tuple[list[LabelRow], list[tuple[str, str]]]:
    """Parse all label files: the rows of the valid ones, path and reason of each other one."""
    rows = []
    problems = []
    path_of_patch = {}
    for path, read in files:
        name = path.rpartition("/")[2]
        try:
            row = parse_label(name, read(), dataset)
            if row.patch in path_of_patch:
                other = printable(path_of_patch[row.patch])
                raise LabelError(f"duplicate of {row.patch} in {other}: leave one of them out")
        except MultiSenGEError as error:
            problems.append((path, str(error)))
            continue
        path_of_patch[row.patch] = path
        rows.append(row)
    return rows, problems


def scan_index(
    path: Path | str, dataset: Dataset = MULTISENGE
) -> tuple[pd.DataFrame, list[tuple[str, str]]]:
    """Read the valid label files, and list what is wrong with the others.

    Args:
        path: as in `read_index`.
        dataset: as in `read_index`.

    Returns:
        The index of the valid files, see `read_index`; and path and reason of each other one.

    Raises:
        LabelError: there is no label file at all.
    """
    path = Path(path)
    if not path.exists():
        raise LabelError(f"{path} does not exist: give a folder of label files or their archive")
    files = _files_of_folder(path) if path.is_dir() else _files_of_archive(path)
    rows, problems = _parse_all(files, dataset)
    if not rows and not problems:
        raise LabelError(f"no label file (*.json) in {path}: is it the folder named 'labels'?")
    rows.sort(key=lambda row: row.patch)
    return pd.DataFrame(rows, columns=LabelRow._fields), problems


def read_index(path: Path | str, dataset: Dataset = MULTISENGE) -> pd.DataFrame:
    """Read and check all label files of a folder, or of a `.tar.gz` or `.tgz` archive.

    Args:
        path: the folder, whose subfolders count too, or the archive itself.
        dataset: gives the tiles, years, patch size and classes that are allowed.

    Returns:
        One row per patch, sorted by patch: `patch`, `tile`, `x` and `y` (pixels inside the tile),
        `epsg`, `classes` (ids present), `s1_dates` and `s2_dates` (sorted datetime64[D]).

    Raises:
        LabelError: there is no label file, or some are wrong: all of them, by name and reason.
    """
    index, problems = scan_index(path, dataset)
    total = len(index) + len(problems)
    lines = [f"{printable(file)}: {reason}" for file, reason in problems]
    if len(lines) == 1:
        raise LabelError(f"1 of {total} label files is wrong: {lines[0]}")
    if lines:
        raise LabelError(f"{len(lines)} of {total} label files are wrong:{join_problems(lines)}")
    return index
