"""The packed store: a selection's patches in one file a sensor, each read in one piece.

A patch of the paper's series is nine GeoTIFFs, checked and decoded at every read. Packed once, an
epoch reads a piece of each file, uncompressed, and compares its checksum: damage is told from data.
Packing can be killed or run out of disk at any moment: the next call goes on where it stopped. A
raster that changed since is packed again. The store holds raw values and published class ids, so
one store serves every experiment on the same selection.

A store is a folder: `s1.npy`, `s2.npy` and `reference.npy`, which `numpy.load` opens too, and
`manifest.jsonl`, a line a patch: the state of its rasters when packed, and its checksums.
"""

import hashlib
import json
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, Literal

import google_crc32c
import numpy as np
import pandas as pd
from tqdm import tqdm

from multisenge_lib import paths
from multisenge_lib.dataset.layout import SENSORS, BandOrder, raster_path
from multisenge_lib.dataset.rasters import Patch, read_patch
from multisenge_lib.dataset.root import dataset_of_root
from multisenge_lib.errors import BandOrderError, FileError, PatchError
from multisenge_lib.files import locked, write_text

OnError = Literal["stop", "skip"]
#: Part of a store's name: changes when its layout does.
_LAYOUT = 2
_MANIFEST, _LOCK = "manifest.jsonl", "lock"
_ROOM = (
    "make room, or set MULTISENGE_CACHE to another folder; what is packed stays, and the next run "
    "goes on from there"
)
#: Threads that pack: GDAL lets them read side by side. One at a time makes the arrays.
_PACKERS, _MAKING = 4, threading.Lock()


def _checksum(values: np.ndarray) -> int:
    """CRC-32C, for which processors have an instruction: a small part of reading the values."""
    return google_crc32c.value(np.ascontiguousarray(values))


def _place(array: np.memmap, position: int) -> int:
    """Bytes before a patch in an array's file."""
    return array.offset + position * prod(array.shape[1:]) * array.dtype.itemsize


@dataclass(frozen=True)
class Store:
    """A packed selection, open for reading.

    Attributes:
        path: its folder.
        patches: the patches packed: `patch`, `split` and `position` in the arrays.
        skipped: the patches left out: `patch`, `split` and `problem`, one line each.
        arrays: `s1` `(patches, dates, height, width, 2) float32` linear backscatter, `s2`
            `(patches, dates, height, width, 10) uint16` reflectance x 10,000, `reference`
            `(patches, height, width) uint8` published ids; read them with `read`.
        checksums: for each position and array, of its values.
        fingerprint: of the packed values, patches and splits.
    """

    path: Path
    patches: pd.DataFrame
    skipped: pd.DataFrame
    arrays: Mapping[str, np.memmap]
    checksums: Mapping[int, Mapping[str, int]]
    fingerprint: str

    @property
    def size(self) -> int:
        """Pixels along a patch's side."""
        return self.arrays["reference"].shape[1]

    def positions(self, split: str) -> np.ndarray:
        """Positions in the arrays of a split's patches, in order of patch."""
        return self.patches.loc[self.patches["split"] == split, "position"].to_numpy()

    def empty(self, name: str, count: int) -> np.ndarray:
        """Room for `count` patches of an array."""
        array = self.arrays[name]
        return np.empty((count, *array.shape[1:]), array.dtype)

    def read(self, name: str, position: int, out: np.ndarray | None = None) -> np.ndarray:
        """One patch of an array, in `out` where it is given: contiguous, of its shape and type.

        Raises:
            PatchError: it is not what was packed: the store is damaged on disk.
        """
        array, position = self.arrays[name], int(position)
        values = self.empty(name, 1)[0] if out is None else out
        try:  # from the file: a mapped one that is cut short would end the process
            with Path(array.filename).open("rb", buffering=0) as file:
                file.seek(_place(array, position))
                count = file.readinto(values.reshape(-1).view(np.uint8))
        except (OSError, ValueError, MemoryError) as error:
            raise _damaged(array.filename, f"at {position}: {error}") from None
        if count < values.nbytes or _checksum(values) != self.checksums[position].get(name):
            raise _damaged(array.filename, f"at {position}: not the values packed")
        return values


def _damaged(path: Path | str, what: str) -> PatchError:
    return PatchError(
        f"{path} is damaged ({what}): delete the folder {Path(path).parent}, it is packed again"
    )


def _signature(root: Path, row: Any, sensors: Sequence[str]) -> str:
    """Size and time of change of a patch's rasters, hashed; missing ones count as missing."""
    days = [(s, day) for s in sensors for day in getattr(row, f"{s}_dates")]
    state = []
    for kind, day in [("reference", None), *days]:
        path = raster_path(root, kind, row.patch, day)
        with suppress(OSError):
            state.append((path.name, path.stat().st_size, path.stat().st_mtime_ns))
    return hashlib.sha256(repr(state).encode()).hexdigest()[:24]


def _store_name(root: Path, selection: pd.DataFrame, *options: object) -> str:
    """One for each data root, selection and way of reading."""
    digest = hashlib.sha256(repr((_LAYOUT, str(root.resolve()), *options)).encode())
    for row in selection.itertuples():
        digest.update(f"{row.patch} {row.s1_dates} {row.s2_dates}\n".encode())
    return digest.hexdigest()[:24]


def _read_manifest(path: Path) -> dict[str, dict[str, Any]]:
    """Entries by patch, of two the later one; a line torn by a kill, or damaged, is none."""
    types = {"patch": str, "signature": str, "checksums": dict, "problem": str}
    entries = {}
    if (path / _MANIFEST).exists():
        for line in (path / _MANIFEST).read_text(errors="replace").splitlines():
            with suppress(ValueError, RecursionError, AttributeError, KeyError):
                entry = json.loads(line)
                if all(isinstance(v, types[k]) for k, v in entry.items()) and len(entry) == 3:
                    entries[entry["patch"]] = entry
    return entries


def _open_array(path: Path) -> np.memmap:
    try:
        return np.load(path, mmap_mode="r")
    except FileNotFoundError:
        raise _damaged(path, "it is gone") from None
    except Exception as error:  # a damaged header raises whatever NumPy's parsers do
        raise _damaged(path, str(error).partition("\n")[0]) from None


def _write_patch(path: Path, patch: Patch, position: int, count: int) -> dict[str, int]:
    """Put a patch into the arrays, which the first one makes; the checksums of its values."""
    checksums = {}
    for name in (*SENSORS, "reference"):
        if (values := getattr(patch, name)) is None:
            continue
        with _MAKING:
            if not (file := path / f"{name}.npy").exists():
                np.lib.format.open_memmap(file, "w+", values.dtype, (count, *values.shape))
        array = _open_array(file)
        if values.shape != array.shape[1:]:
            raise PatchError(
                f"{name} is {values.shape}, the first patch's {array.shape[1:]}: "
                "the patches of a selection are of one size"
            )
        with file.open("rb+") as target:  # through the file, so that a full disk is an error
            target.seek(_place(array, position))
            target.write(np.ascontiguousarray(values))
        checksums[name] = _checksum(values)
    return checksums


def _pack_row(root: Path, row: Any, path: Path, count: int, **options: Any) -> dict[str, Any]:
    """Pack a patch; what the manifest says of it. A doubt about all patches is raised."""
    entry = {"patch": row.patch, "signature": _signature(root, row, options["sensors"])}
    try:
        patch = read_patch(root, row, **options)
        return entry | {"checksums": _write_patch(path, patch, row.Index, count)}
    except BandOrderError:
        raise
    except PatchError as error:
        return entry | {"problem": str(error)}


def _pack_rows(
    root: Path, rows: list[Any], path: Path, count: int, on_error: OnError, **options: Any
) -> None:
    """Pack rows, a line of the manifest each once its values are on disk."""
    if len(rows) == count:  # another patch size, perhaps
        for file in path.glob("*.npy"):
            file.unlink()
    entries = _read_manifest(path)
    lines = "".join(json.dumps(entry) + "\n" for entry in entries.values())
    write_text(path / _MANIFEST, lines, _ROOM)  # without a torn last line
    pool = ThreadPoolExecutor(_PACKERS)
    packed = pool.map(lambda row: _pack_row(root, row, path, count, **options), rows)
    try:
        with (path / _MANIFEST).open("a", buffering=1) as manifest:
            for entry in tqdm(packed, "packing", len(rows), unit=" patches", disable=None):
                if on_error == "stop" and "problem" in entry:
                    raise PatchError(f"{entry['patch']}: {entry['problem']}")
                manifest.write(json.dumps(entry) + "\n")
    finally:
        pool.shutdown(cancel_futures=True)


def _stale(path: Path, root: Path, selection: pd.DataFrame, sensors: Sequence[str]) -> list[Any]:
    """Rows that are not in the store: new, changed since, or not readable the last time."""
    entries = _read_manifest(path).values()
    packed = {e["patch"]: e.get("signature") for e in entries if "checksums" in e}
    rows = selection.itertuples()
    return [row for row in rows if packed.get(row.patch) != _signature(root, row, sensors)]


def _open(path: Path, root: Path, selection: pd.DataFrame, sensors: Sequence[str]) -> Store:
    manifest = _read_manifest(path)
    entries = [manifest[patch] for patch in selection["patch"]]
    table = selection[["patch", "split"]].assign(
        position=np.arange(len(selection)),
        problem=[entry.get("problem", "").replace(f"{root}/", "") for entry in entries],
    )
    kept, skipped = table[table["problem"] == ""], table[table["problem"] != ""]
    if kept.empty:
        raise PatchError(
            f"no patch of {root} could be read, the first: {skipped['problem'].iloc[0]}"
        )
    checksums = {position: entries[position]["checksums"] for position in kept["position"]}
    digest = hashlib.sha256()
    for row in kept.itertuples():
        digest.update(f"{row.patch} {row.split} {sorted(checksums[row.position].items())}".encode())
    return Store(
        path,
        kept[["patch", "split", "position"]].reset_index(drop=True),
        skipped[["patch", "split", "problem"]].reset_index(drop=True),
        {name: _open_array(path / f"{name}.npy") for name in (*sensors, "reference")},
        checksums,
        digest.hexdigest(),
    )


def pack(
    root: Path | str,
    selection: pd.DataFrame,
    folder: Path | str | None = None,
    *,
    sensors: Sequence[str] | None = None,
    band_order: BandOrder = "spectral",
    on_error: OnError = "stop",
) -> Store:
    """Open the packed store of a selection, packing what is not in it or has changed.

    Args:
        root: the data root.
        selection: from `select`; every patch with the same number of dates.
        folder: where stores lie, one folder each; by default `packed` in `paths.cache_dir()`.
        sensors: which of `s1` and `s2` to pack; by default those of the dataset.
        band_order: of files that do not name their bands, see `read_patch`.
        on_error: `stop` at the first patch that cannot be read, or `skip` and list them.

    Raises:
        PatchError: the selection is empty, a patch cannot be read and `on_error` is `stop`, or the
            store is damaged.
        BandOrderError: it is in doubt which band is which; never skipped.
        FileError: no room on the disk; what was packed stays.

    Examples:
        >>> import multisenge_lib as ms
        >>> root = ms.find_data_root()
        >>> selection = ms.load_selection(root).head(2)
        >>> store = ms.pack(root, selection, sensors=("s2",))
        >>> store.read("s2", 0).shape  # dates, rows, columns, bands
        (4, 64, 64, 10)
    """
    root = Path(root)
    selection = selection.reset_index(drop=True)
    if selection.empty:
        raise PatchError(f"no patch of {root} is selected: nothing to pack; widen the selection")
    if on_error not in ("stop", "skip"):
        raise PatchError(f"on_error {on_error!r}: choose 'stop' or 'skip'")
    dataset = dataset_of_root(root)
    sensors = tuple(dataset.sensors if sensors is None else sensors)
    name = _store_name(root, selection, sensors, band_order)
    path = Path(folder or paths.cache_dir() / "packed") / name
    options = {"sensors": sensors, "band_order": band_order, "dataset": dataset}
    wanted = (path, root, selection, sensors)
    try:
        if _stale(*wanted):  # else nothing is written: the disk may be read-only
            with locked(path / _LOCK, remedy=_ROOM):  # eight experiments may start together
                _pack_rows(root, _stale(*wanted), path, len(selection), on_error, **options)
    except OSError as error:
        said = error.strerror or error
        raise FileError(f"{path} cannot be written ({said}): {_ROOM}") from None
    return _open(*wanted)
