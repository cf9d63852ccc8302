"""The packed store: the patches of a selection in one file per sensor, each read in one piece.

A patch of the paper's series is nine GeoTIFFs, checked and decoded at every read. Packed once, an
epoch reads one piece of each file, uncompressed, and compares its checksum, which tells damage from
data. Packing can be killed or run out of disk at any moment; the next call goes on where it
stopped. A patch whose rasters have changed since is packed again. The store holds values and class
ids as the rasters hold them, so one store serves every experiment on the same selection.

A store is a folder: `s1.npy`, `s2.npy` and `reference.npy` (see `packed_array`), and
`manifest.jsonl` (see `manifest`).

The same store in Zarr 3, one chunk per patch with the crc32c codec, was measured on 32 patches of
the real size (processor time, least of six): reading all took 0.18 s for 0.07 s here, packing 1.27
s for 0.84 s. With 2.5 times the time per batch, batches would no longer be the 15 times faster than
reading GeoTIFFs that the benchmarks ask for. The manifest would still be needed: Zarr does not know
whether a raster has changed since, or why a patch was left out.
"""

import hashlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from tqdm import tqdm

from multisenge_lib import paths
from multisenge_lib.dataset.bands import check_band_order
from multisenge_lib.dataset.description import DESCRIPTION
from multisenge_lib.dataset.layout import SENSORS, BandOrder, Dataset, raster_path
from multisenge_lib.dataset.manifest import (
    MANIFEST,
    Entry,
    append_entry,
    read_manifest,
    write_manifest,
)
from multisenge_lib.dataset.packed_array import PackedArray, create_array, open_array
from multisenge_lib.dataset.rasters import Patch, check_sensors, read_patch
from multisenge_lib.dataset.root import dataset_of_root
from multisenge_lib.errors import BandOrderError, PatchError, printable
from multisenge_lib.files import locked, write_error

OnError = Literal["stop", "skip"]
#: Part of a store's name. Raise it when the files inside change, and also when `values`, `nodata`,
#: `raster_checks`, `plausibility`, `bands` or `rasters` read or refuse anything differently: packed
#: patches are not read again.
_FORMAT = 4
_LOCK = "lock"
_NO_ROOM = (
    "make room, or set MULTISENGE_CACHE to another folder; what is packed stays, and the next run "
    "goes on from there"
)
#: What a selection must have.
_COLUMNS = ["patch", "split", "s1_dates", "s2_dates"]
#: Threads that pack. GDAL reads files side by side.
_PACKERS = 4


@dataclass(frozen=True)
class Store:
    """A packed selection, open for reading.

    Attributes:
        path: its folder.
        patches: the patches packed: `patch`, `split`, `position` in the arrays, and the dates of
            the images, `s1_dates` and `s2_dates`.
        skipped: the patches left out: `patch`, `split` and `problem`, one line each.
        arrays: `s1` `(patches, dates, height, width, 2) float32` linear backscatter, `s2`
            `(patches, dates, height, width, 10) uint16` reflectance x 10,000, `reference`
            `(patches, height, width) uint8` ids of the reference; read them with `read`.
        checksums: for each position, the checksum of its values in each array.
        fingerprint: a hash of the packed values, patches and splits.
    """

    path: Path
    patches: pd.DataFrame
    skipped: pd.DataFrame
    arrays: Mapping[str, PackedArray]
    checksums: Mapping[int, Mapping[str, int]]
    fingerprint: str

    @property
    def size(self) -> int:
        """Pixels along a patch's side."""
        return self.arrays["reference"].shape[1]

    def positions(self, split: str) -> np.ndarray:
        """Return the positions in the arrays of a split's patches, `(n,)`, in order of patch."""
        of_split = self.patches["split"] == split
        return self.patches.loc[of_split, "position"].to_numpy()

    def empty(self, name: str, count: int) -> np.ndarray:
        """Return an uninitialised array for patches of `s1`, `s2` or `reference`.

        It is `(count, ...)`, with the other axes as in `arrays`.
        """
        array = self.arrays[name]
        return np.empty((count, *array.patch_shape), array.dtype)

    def read(self, name: str, position: int, out: np.ndarray | None = None) -> np.ndarray:
        """Read one patch of an array.

        Args:
            name: `s1`, `s2` or `reference`.
            position: as in `patches`.
            out: where to put it: contiguous, of its shape and type; by default a new array.

        Raises:
            PatchError: it is not what was packed: the store is damaged on disk.
        """
        position = int(position)
        expected = self.checksums[position].get(name)
        return self.arrays[name].read(position, expected, out)


@dataclass(frozen=True)
class _Source:
    """The patches to pack, and how their rasters are read.

    Attributes:
        root: the data root.
        selection: the patches; the position of a patch is its row.
        sensors: which of `s1` and `s2`.
        band_order: the order of bands in files that do not name them.
        dataset: the root's dataset.
    """

    root: Path
    selection: pd.DataFrame
    sensors: tuple[str, ...]
    band_order: BandOrder
    dataset: Dataset

    @property
    def array_names(self) -> tuple[str, ...]:
        return (*self.sensors, "reference")

    @property
    def rows(self) -> list[Any]:
        return list(self.selection.itertuples())

    def read(self, row: Any) -> Patch:
        return read_patch(
            self.root,
            row,
            sensors=self.sensors,
            band_order=self.band_order,
            dataset=self.dataset,
        )


def _store_name(source: _Source) -> str:
    """Compute the store's name, which differs for each data root, selection and way of reading.

    The names of the bands are part of it. Without them, a `dataset.toml` in which B4 was changed to
    B8 would be given the old values under the new name. So is the number of classes, by which the
    reference was checked.
    """
    bands = {sensor: tuple(source.dataset.bands[sensor]) for sensor in source.sensors}
    identity = (
        _FORMAT,
        str(source.root.resolve()),
        source.sensors,
        source.band_order,
        bands,
        len(source.dataset.reference_classes),
    )
    digest = hashlib.sha256(repr(identity).encode())
    for row in source.rows:
        # Written out day by day: how NumPy prints an array depends on its print options.
        days = [str(day) for day in (*row.s1_dates, "and", *row.s2_dates)]
        digest.update(f"{row.patch} {' '.join(days)}\n".encode())
    return digest.hexdigest()[:24]


def _signature_of(source: _Source, row: Any) -> str:
    """Hash the size and the time of change of a patch's rasters; missing ones are left out."""
    files = [raster_path(source.root, "reference", row.patch)]
    for sensor in source.sensors:
        for day in getattr(row, f"{sensor}_dates"):
            files.append(raster_path(source.root, sensor, row.patch, day))
    states = []
    for path in files:
        try:
            status = path.stat()
        except OSError:
            continue
        states.append((path.name, status.st_size, status.st_mtime_ns))
    return hashlib.sha256(repr(states).encode()).hexdigest()[:24]


def _is_packed(manifest: Mapping[str, Entry], source: _Source, row: Any) -> bool:
    """Whether a patch is in the store, and its rasters are those that were packed.

    A patch that could not be read is tried again: a disk may fail once.
    """
    entry = manifest.get(row.patch)
    if entry is None or entry.checksums is None:
        return False
    return entry.signature == _signature_of(source, row)


def _missing_rows(path: Path, source: _Source) -> list[Any]:
    """Rows that are not in the store: new, changed since, or not readable the last time."""
    manifest = read_manifest(path)
    return [row for row in source.rows if not _is_packed(manifest, source, row)]


# ------------------------------------------------------------------------------------- packing


def _read_or_explain(source: _Source, row: Any) -> Patch | str:
    """Read a patch, or return its problem; a problem of the whole dataset is raised."""
    try:
        return source.read(row)
    except BandOrderError:
        raise
    except PatchError as error:
        return str(error)


def _values_of(patch: Patch) -> dict[str, np.ndarray]:
    """The arrays of a patch by name, without those that were not read."""
    values = {}
    for name in (*SENSORS, "reference"):
        array = getattr(patch, name)
        if array is not None:
            values[name] = array
    return values


def _size_problem(arrays: Mapping[str, PackedArray], patch: Patch) -> str | None:
    for name, values in _values_of(patch).items():
        if not arrays[name].fits(values):
            return (
                f"{name} is {values.shape}, the first patch's {arrays[name].patch_shape}: the "
                "patches of a selection are of one size"
            )
    return None


def _write_patch(arrays: Mapping[str, PackedArray], patch: Patch, position: int) -> dict[str, int]:
    """Write a patch into the arrays, and return the checksums of its values."""
    checksums = {}
    for name, values in _values_of(patch).items():
        checksums[name] = arrays[name].write(position, values)
    return checksums


def _pack_patch(
    row: Any, signature: str, arrays: Mapping[str, PackedArray] | None, patch: Patch | str
) -> Entry:
    """Write a patch into the arrays, unless there is a problem; return its line for the manifest.

    Args:
        row: the patch's row of the selection.
        signature: the state of its rasters before they were read.
        arrays: the store's arrays; not needed where there is a problem.
        patch: from `_read_or_explain`: the patch, or why it cannot be read.
    """
    if isinstance(patch, str):
        return Entry(row.patch, signature, problem=patch)
    problem = _size_problem(arrays, patch)
    if problem is not None:
        return Entry(row.patch, signature, problem=problem)
    return Entry(row.patch, signature, checksums=_write_patch(arrays, patch, row.Index))


def _open_arrays(path: Path, names: Sequence[str]) -> dict[str, PackedArray]:
    return {name: open_array(path / f"{name}.npy") for name in names}


def _arrays_like(path: Path, source: _Source, patch: Patch) -> dict[str, PackedArray]:
    """Open the arrays of the store if this patch fits into them; else create empty ones.

    The manifest is emptied first, so that no line of it ever speaks of values that are gone.
    """
    if all((path / f"{name}.npy").exists() for name in source.array_names):
        arrays = _open_arrays(path, source.array_names)
        if _size_problem(arrays, patch) is None:
            return arrays
    write_manifest(path, [], _NO_ROOM)
    count = len(source.selection)
    return {
        name: create_array(path / f"{name}.npy", count, values)
        for name, values in _values_of(patch).items()
    }


def _check_patch_size(root: Path, dataset: Dataset, size: int) -> None:
    """Refuse patches of another size than `dataset.toml` says.

    Which patches are neighbours, and so the splits, would be wrong.
    """
    if (root / DESCRIPTION).exists() and size != dataset.patch_pixels:
        raise PatchError(
            f"{printable(root / DESCRIPTION)}: patch_pixels is {dataset.patch_pixels}, the rasters "
            f"have {size} x {size} pixels: correct it, and select the patches again"
        )


def _refuse_problem(entry: Entry, on_error: OnError) -> None:
    if on_error == "stop" and entry.problem is not None:
        raise PatchError(f"{entry.patch}: {entry.problem}")


def _pack_first(
    path: Path, source: _Source, packed: set[str], on_error: OnError
) -> tuple[dict[str, PackedArray] | None, list[Entry]]:
    """Go through the selection in order up to the first patch that can be read.

    All patches must have the size of this one. So it is packed before the others, which threads
    then pack side by side: which patches are kept does not depend on which thread was first, nor
    on what was packed before.

    Args:
        path: the store's folder.
        source: what is packed.
        packed: patches that are in the store.
        on_error: see `pack`.

    Returns:
        The arrays, or None where no patch can be read; and the lines for the patches looked at.
    """
    entries = []
    for row in source.rows:
        if row.patch in packed:
            return _open_arrays(path, source.array_names), entries
        signature = _signature_of(source, row)
        patch = _read_or_explain(source, row)
        arrays = None
        if isinstance(patch, Patch):
            _check_patch_size(source.root, source.dataset, patch.reference.shape[0])
            arrays = _arrays_like(path, source, patch)
        entry = _pack_patch(row, signature, arrays, patch)
        _refuse_problem(entry, on_error)
        entries.append(entry)
        if arrays is not None:
            return arrays, entries
    return None, entries


def _pack_missing(path: Path, source: _Source, missing: list[Any], on_error: OnError) -> None:
    """Pack rows, adding a line of the manifest for each after its values."""
    # Rows that are packed anew lose their line first: if this run is stopped halfway, no line may
    # stand beside values of another state of its rasters.
    changed = {row.patch for row in missing}
    manifest = read_manifest(path)
    kept = [entry for patch, entry in manifest.items() if patch not in changed]
    write_manifest(path, kept, _NO_ROOM)  # also without a torn last line
    packed = {entry.patch for entry in kept}
    arrays, entries = _pack_first(path, source, packed, on_error)
    packed &= set(read_manifest(path))  # empty now, where the arrays were made anew
    done = packed | {entry.patch for entry in entries}
    remaining = [row for row in source.rows if row.patch not in done]

    def pack_one(row: Any) -> Entry:
        # Before reading: a raster that changes meanwhile is then packed again the next time.
        signature = _signature_of(source, row)
        patch = _read_or_explain(source, row)
        return _pack_patch(row, signature, arrays, patch)

    with (path / MANIFEST).open("ab") as file:
        for entry in entries:
            append_entry(file, entry)
        pool = ThreadPoolExecutor(_PACKERS)
        try:
            # In order of the selection, whichever is ready first.
            packing = pool.map(pack_one, remaining)
            for entry in tqdm(packing, "packing", len(remaining), unit=" patches", disable=None):
                _refuse_problem(entry, on_error)
                append_entry(file, entry)
        finally:
            pool.shutdown(cancel_futures=True)


# ------------------------------------------------------------------------------------- opening


def _fingerprint(patches: pd.DataFrame, checksums: Mapping[int, Mapping[str, int]]) -> str:
    """Hash the packed values with the patch and the split that they belong to."""
    digest = hashlib.sha256()
    for row in patches.itertuples():
        values = sorted(checksums[row.position].items())
        digest.update(f"{row.patch} {row.split} {values}".encode())
    return digest.hexdigest()


def _open(path: Path, source: _Source) -> Store:
    """Open a store in which every patch is packed, or known to be unreadable."""
    manifest = read_manifest(path)
    checksums = {}
    problems = []
    for position, patch in enumerate(source.selection["patch"]):
        entry = manifest[patch]
        if entry.checksums is not None:
            checksums[position] = entry.checksums
        # Names of files below the root are enough, and the same for a root that was moved.
        problems.append((entry.problem or "").replace(f"{source.root}/", ""))

    table = source.selection[_COLUMNS].copy()
    table["position"] = np.arange(len(table))
    table["problem"] = problems
    is_kept = table["problem"] == ""
    if not is_kept.any():
        raise PatchError(
            f"no patch of {printable(source.root)} could be read, the first: {problems[0]}"
        )
    patches = table[is_kept].drop(columns="problem").reset_index(drop=True)
    skipped = table.loc[~is_kept, ["patch", "split", "problem"]].reset_index(drop=True)
    return Store(
        path=path,
        patches=patches,
        skipped=skipped,
        arrays=_open_arrays(path, source.array_names),
        checksums=checksums,
        fingerprint=_fingerprint(patches, checksums),
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
        band_order: the order of bands in files that do not name them, see `read_patch`.
        on_error: `stop` at the first patch that cannot be read, or `skip` and list them. Patches of
            another size than the first readable one count as such.

    Raises:
        PatchError: the selection is empty, lacks a column or has a patch twice; a patch cannot be
            read and `on_error` is `stop`; the patches are not of the size that `dataset.toml` says;
            or the store is damaged.
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
        raise PatchError(
            f"no patch of {printable(root)} is selected: nothing to pack; widen the selection"
        )
    lacks = [column for column in _COLUMNS if column not in selection]
    if lacks or not selection["patch"].is_unique:
        problem = f"has no column {lacks[0]}" if lacks else "has a patch twice"
        raise PatchError(f"the selection {problem}: give the rows of `select`, each once")
    if on_error not in get_args(OnError):
        raise PatchError(f"on_error {on_error!r}: choose 'stop' or 'skip'")
    check_band_order(band_order)
    dataset = dataset_of_root(root)
    source = _Source(root, selection, check_sensors(sensors, dataset), band_order, dataset)
    folder = Path(folder) if folder is not None else paths.cache_dir() / "packed"
    path = folder / _store_name(source)
    try:
        # Where all is packed nothing is written, so the disk may be read-only.
        if _missing_rows(path, source):
            # Eight experiments may start together: one packs, and the others find it done.
            with locked(path / _LOCK, remedy=_NO_ROOM):
                missing = _missing_rows(path, source)
                if missing:
                    _pack_missing(path, source, missing, on_error)
    except OSError as error:
        raise write_error(path, error, _NO_ROOM) from None
    store = _open(path, source)
    # Once more, for a store that was packed before `dataset.toml` was edited.
    _check_patch_size(root, dataset, store.size)
    return store
