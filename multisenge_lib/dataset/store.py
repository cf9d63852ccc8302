"""The packed store: a selection's patches as three arrays, each read in one piece a patch.

A patch of the paper's series is nine GeoTIFFs, checked and decoded at every read. Packed once, an
epoch reads a chunk a patch and array (Zarr 3), and needs no check. Packing can be killed or run
out of disk at any moment: the next call goes on where it stopped. A raster that changed since is
packed again. The store holds raw values and published class ids, so one store serves every
experiment on the same selection.
"""

import errno
import fcntl
import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import zarr
from tqdm import tqdm
from zarr.codecs import BloscCodec

from multisenge_lib import paths
from multisenge_lib.dataset.layout import SENSORS, BandOrder, raster_path
from multisenge_lib.dataset.rasters import Patch, read_patch
from multisenge_lib.errors import MultiSenGEError, PatchError

OnError = Literal["stop", "skip"]
#: Stores up to this size are read into memory whole; the sample is, MultiSenGE is not.
MEMORY = 2**30
#: Part of a store's name: changes when its layout does.
_LAYOUT = 1
_ARRAYS, _MANIFEST, _LOCK = "arrays.zarr", "manifest.jsonl", "lock"


@dataclass(frozen=True)
class Store:
    """A packed selection, open for reading.

    Attributes:
        path: its folder.
        patches: the patches packed: `patch`, `split` and `position` in the arrays.
        skipped: the patches left out: `patch`, `split` and `problem`, one line each.
        arrays: `s1` `(patches, dates, height, width, 2) float32` linear backscatter, `s2`
            `(patches, dates, height, width, 10) uint16` reflectance x 10,000, `reference`
            `(patches, height, width) uint8` published ids; in memory or on disk.
        fingerprint: of the packed values, patches and splits.
    """

    path: Path
    patches: pd.DataFrame
    skipped: pd.DataFrame
    arrays: Mapping[str, np.ndarray | zarr.Array]
    fingerprint: str

    @property
    def size(self) -> int:
        """Pixels along a patch's side."""
        return self.arrays["reference"].shape[1]

    def positions(self, split: str) -> np.ndarray:
        """Positions in the arrays of a split's patches, in order of patch."""
        return self.patches.loc[self.patches["split"] == split, "position"].to_numpy()

    def read(self, name: str, position: int) -> np.ndarray:
        """One patch of an array.

        Raises:
            PatchError: the store is damaged on disk.
        """
        try:
            return np.asarray(self.arrays[name][int(position)])
        except (OSError, RuntimeError, ValueError) as error:
            raise PatchError(
                f"{self.path}/{name} cannot be read at {position} ({error}): delete this folder, "
                "it is packed again"
            ) from None


def _signature(root: Path, row: Any, sensors: Sequence[str]) -> str:
    """Size and time of change of a patch's rasters, hashed; missing ones count as missing."""
    days = [(s, day) for s in sensors for day in getattr(row, f"{s}_dates")]
    digest = hashlib.sha256()
    for kind, day in [("reference", None), *days]:
        path = raster_path(root, kind, row.patch, day)
        try:
            stat = path.stat()
            digest.update(f"{path.name} {stat.st_size} {stat.st_mtime_ns}\n".encode())
        except OSError:
            digest.update(f"{path.name} missing\n".encode())
    return digest.hexdigest()[:24]


def _store_name(root: Path, selection: pd.DataFrame, *options: object) -> str:
    """One for each data root, selection and way of reading."""
    digest = hashlib.sha256(repr((_LAYOUT, str(root.resolve()), *options)).encode())
    for row in selection.itertuples():
        digest.update(f"{row.patch} {row.s1_dates} {row.s2_dates}\n".encode())
    return digest.hexdigest()[:24]


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Wait until no other process packs this store: eight experiments may start together."""
    path.mkdir(parents=True, exist_ok=True)
    with (path / _LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _read_manifest(path: Path) -> dict[str, dict[str, Any]]:
    """Entries by patch; of two the later one; the last line may be torn by a kill."""
    entries = {}
    if (path / _MANIFEST).exists():
        for line in (path / _MANIFEST).read_text().splitlines():
            try:
                entry = json.loads(line)
                entries[entry["patch"]] = entry
            except (ValueError, KeyError):
                continue
    return entries


def _create_arrays(path: Path, patch: Patch, count: int) -> zarr.Group:
    """Arrays of the shape of the first patch, or those that are there."""
    group = zarr.open_group(path / _ARRAYS, mode="a")
    compressor = BloscCodec(cname="zstd", clevel=1, shuffle="bitshuffle")
    for name in (*SENSORS, "reference"):
        values = getattr(patch, name)
        if values is not None and name not in group:
            group.create_array(
                name,
                shape=(count, *values.shape),
                chunks=(1, *values.shape),
                dtype=values.dtype,
                compressors=compressor,
                config={"write_empty_chunks": True},
            )
    return group


def _write_patch(path: Path, patch: Patch, position: int, count: int) -> str:
    """Write a patch's chunks, each by an atomic rename; the hash of its values."""
    group, digest = _create_arrays(path, patch, count), hashlib.sha256()
    for name, array in sorted(group.arrays()):
        values = getattr(patch, name)
        if values.shape != array.shape[1:]:
            raise PatchError(
                f"{name} is {values.shape}, the first patch's {array.shape[1:]}: "
                "the patches of a selection are of one size"
            )
        array[position] = values
        digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()


def _pack_row(path: Path, patch: Patch | PatchError, position: int, count: int) -> dict[str, str]:
    """What the manifest says of a patch: the hash of its values, or its problem."""
    try:
        if isinstance(patch, PatchError):
            raise patch
        return {"digest": _write_patch(path, patch, position, count)}
    except PatchError as error:
        return {"problem": str(error)}


def _read_or_error(root: Path, row: Any, **options: Any) -> Patch | PatchError:
    try:
        return read_patch(root, row, **options)
    except PatchError as error:
        return error


def _pack_rows(
    root: Path, rows: list[Any], path: Path, count: int, on_error: OnError, **options: Any
) -> None:
    """Pack rows one after the other, a line of the manifest each once its values are on disk."""
    entries = _read_manifest(path)
    lines = "".join(json.dumps(entry) + "\n" for entry in entries.values())
    (path / "manifest.new").write_text(lines)
    (path / "manifest.new").replace(path / _MANIFEST)  # without a torn last line
    with (path / _MANIFEST).open("a") as manifest:
        for row in tqdm(rows, desc="packing", unit=" patches", disable=None):
            signature = _signature(root, row, options["sensors"])
            patch = _read_or_error(root, row, **options)
            entry = _pack_row(path, patch, row.Index, count)
            if on_error == "stop" and "problem" in entry:
                raise PatchError(f"{row.patch}: {entry['problem']}")
            entry = {"patch": row.patch, "signature": signature, **entry}
            manifest.write(json.dumps(entry) + "\n")
            manifest.flush()


def _stale(
    path: Path, root: Path, selection: pd.DataFrame, sensors: Sequence[str], on_error: OnError
) -> list[Any]:
    """Rows that are not in the store, have changed since, or are to be tried again."""
    entries = _read_manifest(path)

    def fresh(row: Any) -> bool:
        entry = entries.get(row.patch, {})
        return entry.get("signature") == _signature(root, row, sensors) and (
            "digest" in entry or on_error == "skip"
        )

    return [row for row in selection.itertuples() if not fresh(row)]


def _open(path: Path, root: Path, selection: pd.DataFrame, memory: int) -> Store:
    entries = _read_manifest(path)
    table = selection[["patch", "split"]].assign(
        position=np.arange(len(selection)),
        digest=[entries[patch].get("digest") for patch in selection["patch"]],
        problem=[
            entries[patch].get("problem", "").replace(f"{root}/", "")
            for patch in selection["patch"]
        ],
    )
    kept, skipped = table[table["problem"] == ""], table[table["problem"] != ""]
    if kept.empty:
        raise PatchError(
            f"no patch of {root} could be read, the first: {skipped['problem'].iloc[0]}"
        )
    lines = kept[["patch", "split", "digest"]].agg(" ".join, axis=1)
    arrays = dict(zarr.open_group(path / _ARRAYS, mode="r").arrays())
    if sum(array.nbytes for array in arrays.values()) <= memory:
        arrays = {name: array[:] for name, array in arrays.items()}
    return Store(
        path,
        kept[["patch", "split", "position"]].reset_index(drop=True),
        skipped[["patch", "split", "problem"]].reset_index(drop=True),
        arrays,
        hashlib.sha256("\n".join(lines).encode()).hexdigest(),
    )


def pack(
    root: Path | str,
    selection: pd.DataFrame,
    folder: Path | str | None = None,
    *,
    sensors: Sequence[str] = SENSORS,
    band_order: BandOrder = "spectral",
    on_error: OnError = "stop",
    memory: int = MEMORY,
) -> Store:
    """Open the packed store of a selection, packing what is not in it or has changed.

    Args:
        root: the data root.
        selection: from `select`; every patch with the same number of dates.
        folder: where stores lie, one folder each; by default `packed` in `paths.cache_dir()`.
        sensors: which of `s1` and `s2` to pack.
        band_order: of files that do not name their bands, see `read_patch`.
        on_error: `stop` at the first patch that cannot be read, or `skip` and list them.
        memory: a store of at most so many bytes is read into memory.

    Raises:
        PatchError: the selection is empty, or a patch cannot be read and `on_error` is `stop`.
        MultiSenGEError: no room on the disk; what was packed stays.
    """
    root = Path(root)
    selection = selection.reset_index(drop=True)
    if selection.empty:
        raise PatchError(f"no patch of {root} is selected: nothing to pack; widen the selection")
    if on_error not in ("stop", "skip"):
        raise PatchError(f"on_error {on_error!r}: choose 'stop' or 'skip'")
    name = _store_name(root, selection, tuple(sensors), band_order)
    path = Path(folder or paths.cache_dir() / "packed") / name
    try:
        with _alone(path):
            if stale := _stale(path, root, selection, sensors, on_error):
                if len(stale) == len(selection):  # another patch size, perhaps
                    shutil.rmtree(path / _ARRAYS, ignore_errors=True)
                options = {"sensors": tuple(sensors), "band_order": band_order}
                _pack_rows(root, stale, path, len(selection), on_error, **options)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS):
            raise
        raise MultiSenGEError(
            f"{path} cannot be written ({error.strerror}): make room, or set MULTISENGE_CACHE to "
            "another folder; what is packed stays, and the next run goes on from there"
        ) from None
    return _open(path, root, selection, memory)
