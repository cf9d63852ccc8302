"""Fetch the published archives, verify them, and unpack them into a data root.

No checksum is published. So an archive is verified by what it promises itself: the length that the
server announces, gzip's CRC, and the structure of tar, which unpacking reads to its end. The
SHA-256 of the first archive that passes is recorded at the data root, and a later download that
differs from it is refused.
"""

import errno
import gzip
import hashlib
import http.client
import json
import os
import shutil
import tarfile
import time
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable, Container, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import numpy as np
from tqdm import tqdm

from multisenge_lib.dataset import LABELS, REFERENCE, SENSORS, raster_path, read_index, select
from multisenge_lib.errors import DownloadError, MultiSenGEError
from multisenge_lib.files import locked, whole_folder, write_text

#: Where MultiSenGE is published (DOI 10.5281/zenodo.6375466).
URL = "https://s3.unistra.fr/a2s_datasets/MultiSenGE/"


class ArchiveSize(NamedTuple):
    """How large an archive is, in gigabytes, roughly.

    Attributes:
        archive_gb: as it is fetched.
        unpacked_gb: everything in it.
        usable_gb: of that, what the paper's selection can use.
    """

    archive_gb: float
    unpacked_gb: float
    usable_gb: float


#: The published archives by name.
ARCHIVES = {
    LABELS: ArchiveSize(archive_gb=0.004, unpacked_gb=0.05, usable_gb=0.05),
    REFERENCE: ArchiveSize(archive_gb=0.025, unpacked_gb=0.6, usable_gb=0.6),
    "s2": ArchiveSize(archive_gb=80, unpacked_gb=95, usable_gb=31),
    "s1": ArchiveSize(archive_gb=110, unpacked_gb=110, usable_gb=30),
}
#: File at the data root with the URL, length and SHA-256 of each archive, and what was unpacked.
HASHES = "archives.json"
#: Values of `unpacked` in that file.
_ALL = "all"
_SELECTED = "selected"
#: Inside a layer folder while files are added to it. Where it is found, the folder is not complete.
_STAGING = ".unfinished"

_PIECE = 2**20  # bytes that are copied at once
_TIMEOUT = 60  # seconds without an answer
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS)
_NOT_A_FILE = (errno.EISDIR, errno.ENOTDIR)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _one_line(error: Exception) -> str:
    """An error's message on one line; some of urllib's have several, that of a redirect loop."""
    return " ".join(str(error).split())


# ------------------------------------------------------------------------------------- fetching


def _request(url: str, part: Path) -> http.client.HTTPResponse | None:
    """Ask for the bytes that `part` lacks.

    Returns:
        A response with the rest of the file (status 206) or with all of it (200), or None when
        nothing is missing.

    Raises:
        OSError: the server refuses. `part` is deleted if it cannot be a beginning of the file.
    """
    start = _size(part)
    headers = {"Range": f"bytes={start}-"} if start else {}
    try:
        response = urllib.request.urlopen(
            urllib.request.Request(url, headers=headers), timeout=_TIMEOUT
        )
    except urllib.error.HTTPError as error:
        if error.code != 416 or not start:
            raise
        # 416, "range not satisfiable": either nothing is missing, or `part` is too long.
        if error.headers["Content-Range"] == f"bytes */{start}":
            return None
        part.unlink()
        raise ConnectionError(f"the {start:,} bytes on disk are more than the file has") from None
    span = response.headers["Content-Range"] or ""
    if response.status == 206 and not span.startswith(f"bytes {start}-"):
        part.unlink()
        raise ConnectionError(f"asked for bytes from {start:,} on, received {span!r}")
    return response


def _receive(url: str, part: Path, show: bool | None) -> None:
    """Append what is missing to `part`.

    Raises:
        OSError: the connection broke, or the disk is full; `part` keeps what came.
    """
    response = _request(url, part)
    if response is None:
        return
    resumed = response.status == 206
    start = _size(part) if resumed else 0
    remaining = getattr(response, "length", None)  # None where the server does not announce it
    total = None if remaining is None else start + remaining
    # tqdm's `disable=None` shows the bar in a terminal only.
    disable = None if show is None else not show
    bar = tqdm.wrapattr(response, "read", total, initial=start, desc=part.stem, disable=disable)
    with response, part.open("ab" if resumed else "wb") as file, bar as pieces:
        shutil.copyfileobj(pieces, file, _PIECE)
    if total is not None and _size(part) != total:
        raise ConnectionError(f"the connection broke after {_size(part):,} of {total:,} bytes")


def _is_permanent(error: Exception) -> bool:
    """Whether trying again cannot help: no such address or file, or no room."""
    if isinstance(error, urllib.error.HTTPError):
        # These three pass: timeout, a part that was too long, too many requests.
        return 400 <= error.code < 500 and error.code not in (408, 416, 429)
    if isinstance(error, urllib.error.URLError) and isinstance(error.reason, str):
        return True  # an unknown kind of address; a failed connection has an exception as reason
    if isinstance(error, ValueError | http.client.InvalidURL):
        return True
    return getattr(error, "errno", None) in (*_NO_ROOM, *_NOT_A_FILE)


def fetch(
    url: str, target: Path, attempts: int = 5, wait: float = 5, show: bool | None = None
) -> Path:
    """Download a file, and continue where a broken connection or an earlier call stopped.

    Args:
        url: address of the file.
        target: where the file goes, whole or not at all; `.part` beside it holds what came so far.
        attempts: how often to try without receiving a byte.
        wait: seconds between two attempts.
        show: show a progress bar: True, False, or None for only in a terminal.

    Returns:
        `target`; nothing is fetched if it is there.

    Raises:
        DownloadError: there is no such file, no progress in `attempts` attempts, or no room.
    """
    if target.exists() and not target.is_file():
        raise DownloadError(f"{target} is not a file, but the archive belongs there: move it away")
    part = target.with_name(f"{target.name}.part")
    attempts_left = attempts
    while not target.exists():
        size_before = _size(part)
        try:
            _receive(url, part, show)
            part.replace(target)
        except (OSError, http.client.HTTPException, ValueError) as error:
            progressed = _size(part) > size_before
            attempts_left = attempts if progressed else attempts_left - 1
            if attempts_left == 0 or _is_permanent(error):
                raise DownloadError(
                    f"{url} could not be fetched ({_one_line(error)}): check the address, the "
                    f"network and the disk, and start again; {part.name} keeps what came"
                ) from None
            time.sleep(wait)
    return target


# ------------------------------------------------------------------------------ recorded hashes


def _read_hashes(root: Path) -> dict[str, dict[str, Any]]:
    """Read what is recorded of the archives of a data root; {} if nothing is."""
    path = root / HASHES
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        return {name: {**entry, "sha256": str(entry["sha256"])} for name, entry in entries.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise DownloadError(
            f"{path}, the hashes of the archives, cannot be read ({error}): restore it, or delete "
            "it to trust the archives that are there"
        ) from None


def _hash_entry(archive: Path, url: str) -> dict[str, Any]:
    """Describe an archive by its URL, length and SHA-256."""
    with archive.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"url": url, "bytes": archive.stat().st_size, "sha256": digest}


def _refuse_another(archive: Path, entry: dict[str, Any]) -> None:
    """Refuse an archive that differs from the first download of it."""
    recorded = _read_hashes(archive.parent).get(archive.name, entry)
    if recorded["sha256"] != entry["sha256"]:
        raise DownloadError(
            f"{archive} has SHA-256 {entry['sha256'][:12]}..., the first download had "
            f"{recorded['sha256'][:12]}...: delete it and fetch it again, or remove it from "
            f"{archive.with_name(HASHES)} if the publisher has replaced it"
        )


def _record(archive: Path, entry: dict[str, Any], unpacked: str) -> None:
    """Add an archive to the recorded ones.

    The file is read and written under a lock, because two processes may fetch two archives of one
    root at once.
    """
    root = archive.parent
    with locked(root / f".{HASHES}.lock"):
        entries = _read_hashes(root)
        entries[archive.name] = {**entry, "unpacked": unpacked}
        write_text(root / HASHES, json.dumps(entries, indent=1) + "\n")


# ------------------------------------------------------------------------------------- unpacking


def _has_files(folder: Path) -> bool:
    """Whether a folder holds a file that is not hidden; a .DS_Store alone is nothing."""
    try:
        with os.scandir(folder) as entries:
            return any(not entry.name.startswith(".") for entry in entries)
    except FileNotFoundError:
        return False


def _extract(tar: tarfile.TarFile, folder: Path, is_wanted: Callable[[str], bool]) -> int:
    """Put the wanted files into one folder, whatever folders they had.

    Returns:
        The number of files that the archive holds of the wanted ones.

    Raises:
        TarError: a file would lie outside the folder, is a link or device, or is there twice.
    """
    # `extractall` with a filter would do this too, but Debian 12's Python 3.11.2 has no filters.
    names: set[str] = set()
    for member in tar:
        path = PurePosixPath(member.name)
        if path.is_absolute() or ".." in path.parts:
            raise tarfile.TarError(f"{member.name} leads out of the folder")
        if member.isdir() or (member.isfile() and not is_wanted(path.name)):
            continue
        if not member.isfile():
            raise tarfile.TarError(f"{member.name} is not a plain file")
        if path.name in names:
            raise tarfile.TarError(f"{member.name} is in it twice")
        names.add(path.name)
        # Without its time in the archive a file counts as new, so a store packed before is stale.
        with tar.extractfile(member) as packed, (folder / path.name).open("wb") as unpacked:
            shutil.copyfileobj(packed, unpacked)
    return len(names)


@contextmanager
def _filled(folder: Path) -> Iterator[Path]:
    """Give a folder to unpack into; its files get to their place when the block has ended.

    A new folder is filled beside its place and renamed, whole or not at all. To a folder that is
    there (it holds a part of the files, or is a mount point), files are added from a subfolder:
    as long as that exists, the folder is not complete.
    """
    if not folder.is_dir() or not (any(folder.iterdir()) or os.path.ismount(folder)):
        folder.parent.mkdir(parents=True, exist_ok=True)
        busy = DownloadError(f"another process unpacks {folder}: wait for it")
        with whole_folder(folder, busy) as unfinished:
            yield unfinished
        return
    staging = folder / _STAGING
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir()
    try:
        yield staging
        for path in staging.iterdir():
            path.replace(folder / path.name)
        staging.rmdir()
    except BaseException:
        # Room is freed, but the empty subfolder stays: it says that the folder is not complete.
        for path in staging.iterdir():
            path.unlink()
        raise


def unpack(
    archive: Path,
    folder: Path,
    wanted: Container[str] | None = None,
    when_whole: Callable[[], None] | None = None,
) -> int:
    """Unpack a `.tgz` into a folder; files that are in the folder already stay as they are.

    Args:
        archive: read to its last byte, so that gzip's CRC is checked.
        folder: a folder of the published layout, such as `s2`; the files go right into it. It may
            be a link to another disk.
        wanted: names of the files to unpack; None for all.
        when_whole: called once the archive has turned out whole, before the files are moved to
            their place. A process that is killed after that finds the folder incomplete.

    Returns:
        The number of files that were unpacked.

    Raises:
        DownloadError: the archive is damaged, unsafe or empty, or there is no room.
    """
    folder = folder.resolve()  # what is unpacked must be on the disk that a link leads to

    def is_wanted(name: str) -> bool:
        if wanted is not None and name not in wanted:
            return False
        return not (folder / name).exists()

    had_files = _has_files(folder)
    try:
        with _filled(folder) as destination:
            with gzip.open(archive) as stream:
                with tarfile.open(fileobj=stream, mode="r|") as tar:
                    count = _extract(tar, destination, is_wanted)
                while stream.read(_PIECE):  # tar stops before the end, where gzip's CRC is
                    pass
            if not count and not had_files:
                raise tarfile.TarError("it holds no wanted file")
            if when_whole:
                when_whole()
        return count
    except MultiSenGEError:
        raise
    except (OSError, EOFError, zlib.error, tarfile.TarError, ValueError) as error:
        no_room = getattr(error, "errno", None) in _NO_ROOM
        remedy = "make room" if no_room else "delete it and fetch it again"
        raise DownloadError(
            f"{archive} cannot be unpacked ({_one_line(error)}): {remedy}"
        ) from None


# -------------------------------------------------------------------------------- the whole work


def _is_done(root: Path, name: str, selected: bool) -> bool:
    """Whether the folder of an archive already holds what is asked for.

    A folder that nothing is recorded of was filled by hand and is left as it is.
    """
    folder = root / name
    if not _has_files(folder) or (folder / _STAGING).exists():
        return False
    entry = _read_hashes(root).get(f"{name}.tgz", {})
    return selected or entry.get("unpacked", _ALL) == _ALL


def _has_selected(root: Path, name: str) -> bool:
    """Whether the files of the paper's selection are there, from `download --selected`."""
    entry = _read_hashes(root).get(f"{name}.tgz", {})
    return _has_files(root / name) and entry.get("unpacked") == _SELECTED


def _existing(path: Path) -> Path:
    """The path, or its nearest parent that exists."""
    while not path.exists():
        path = path.parent
    return path


def _check_room(root: Path, names: Iterable[str], selected: bool) -> None:
    """Refuse to begin where a disk has no room; layer folders may lie on disks of their own."""
    needed: dict[int, float] = {}  # gigabytes by device
    disks: dict[int, Path] = {}
    for name in names:
        size = ARCHIVES[name]
        if selected:
            unpacked = size.usable_gb
        elif _has_selected(root, name):
            unpacked = size.unpacked_gb - size.usable_gb  # what is there stays
        else:
            unpacked = size.unpacked_gb
        received = max(_size(root / f"{name}.tgz{ending}") for ending in ("", ".part"))
        demands = (
            (root, size.archive_gb - received / 1e9),
            (_existing((root / name).resolve()), unpacked),
        )
        for path, gigabytes in demands:
            device = path.stat().st_dev
            needed[device] = needed.get(device, 0) + gigabytes
            disks.setdefault(device, path)
    for device, gigabytes in needed.items():
        free = shutil.disk_usage(disks[device]).free / 1e9
        if free < gigabytes:
            raise DownloadError(
                f"{disks[device]} has {free:,.0f} GB free, {', '.join(names)} need about "
                f"{gigabytes:,.0f} GB, packed and unpacked: choose another disk, fewer archives or "
                "the selected dates alone"
            )


def selected_rasters(root: Path, sensor: str) -> set[str]:
    """Names of the rasters of a sensor that the paper's selection can use.

    Of Sentinel-2 these are the chosen dates. Of Sentinel-1 these are all dates in the chosen
    months: many files that the labels name were never published, and only those that were unpacked
    show which of the dates can be chosen.

    Args:
        root: the data root, with its label files.
        sensor: `s1` or `s2`.
    """
    index = read_index(root / LABELS)
    named_dates = index.set_index("patch")["s1_dates"]
    names = set()
    for row in select(index).itertuples():
        dates = row.s2_dates
        if sensor == "s1":
            dates = named_dates[row.patch]
            months = row.s2_dates.astype("datetime64[M]")
            dates = dates[np.isin(dates.astype("datetime64[M]"), months)]
        for day in dates:
            names.add(raster_path("", sensor, row.patch, day).name)
    return names


def _download_one(
    root: Path, name: str, url: str, selected: bool, keep: bool, options: dict[str, Any]
) -> int:
    """Fetch, verify, unpack and record one archive.

    Returns:
        The number of files that were unpacked.
    """
    wanted = None  # all
    unpacked = _ALL
    if selected and name in SENSORS:
        wanted = selected_rasters(root, name)
        unpacked = _SELECTED
    archive = fetch(url, root / f"{name}.tgz", **options)
    entry = _hash_entry(archive, url)
    _refuse_another(archive, entry)
    # Recorded before the files get to their place: where the files are, the hash is recorded too.
    count = unpack(archive, root / name, wanted, lambda: _record(archive, entry, unpacked))
    if not keep:
        archive.unlink()
    return count


def download(
    root: Path | str,
    names: Iterable[str] = (LABELS, REFERENCE),
    url: str = URL,
    *,
    keep: bool = True,
    selected: bool = False,
    **options: float | bool | None,
) -> dict[str, int]:
    """Make a data root of published archives; a folder that holds what is asked for is left alone.

    Args:
        root: the data root.
        names: which of `ARCHIVES`.
        url: the address of the folder that they are published in, or of a mirror of it.
        keep: keep the archives beside the folders unpacked from them.
        selected: from `s1` and `s2`, unpack only the files that the paper's selection can use, see
            `selected_rasters`; needs the labels. A later call without it adds the other files.
        **options: options of `fetch`.

    Returns:
        The number of files unpacked, by archive; without the archives that were done before.

    Raises:
        MultiSenGEError: names the archive, what is wrong, and the remedy.
    """
    root = Path(root)
    names = list(dict.fromkeys(names))
    unknown = [name for name in names if name not in ARCHIVES]
    if unknown:
        raise DownloadError(
            f"there is no archive {', '.join(unknown)}: choose from {', '.join(ARCHIVES)}"
        )
    root.mkdir(parents=True, exist_ok=True)
    _read_hashes(root)  # a damaged file is named before hours of downloading
    # In the order of ARCHIVES: the labels come first, the selection needs them.
    missing = [name for name in ARCHIVES if name in names and not _is_done(root, name, selected)]
    _check_room(root, missing, selected)

    unpacked = {}
    for name in missing:
        archive_url = f"{url.rstrip('/')}/{name}.tgz"
        busy = DownloadError(f"another process downloads {name} to {root}: wait for it")
        with locked(root / f".{name}.tgz.lock", busy):
            if not _is_done(root, name, selected):  # another process may have done it meanwhile
                unpacked[name] = _download_one(root, name, archive_url, selected, keep, options)
    return unpacked
