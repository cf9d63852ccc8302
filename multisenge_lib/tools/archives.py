"""The published archives: fetched, resumed, verified, unpacked.

No checksum is published. So an archive is verified by what it promises itself: the length that the
server announces, gzip's CRC and the structure of tar, which unpacking reads through. The SHA-256 of
the first archive that passes is recorded at the data root; a later one that differs is refused.
"""

import errno
import gzip
import hashlib
import http.client
import json
import shutil
import tarfile
import time
import urllib.error
import urllib.request
import zlib
from collections.abc import Container, Iterable
from pathlib import Path, PurePosixPath

from tqdm import tqdm

from multisenge_lib.dataset import chosen_rasters, layout, read_index
from multisenge_lib.errors import MultiSenGEError
from multisenge_lib.files import whole_folder, write_text

#: Where MultiSenGE is published (DOI 10.5281/zenodo.6375466).
URL = "https://s3.unistra.fr/a2s_datasets/MultiSenGE/"
#: About how many gigabytes each archive has, and what is in it, whole and selected alone.
ARCHIVES = {
    layout.LABELS: (0.004, 0.05, 0.05),
    layout.REFERENCE: (0.025, 0.6, 0.6),
    layout.S2: (80, 95, 31),
    layout.S1: (110, 110, 30),
}
#: At the data root: URL, length and SHA-256 of each archive fetched.
HASHES = "archives.json"

_PIECE = 2**20
_TIMEOUT = 60
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS)


class DownloadError(MultiSenGEError):
    """An archive cannot be fetched, or is not what it promises to be."""


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _request(url: str, part: Path) -> http.client.HTTPResponse | None:
    """The file from where `part` ends, status 206; or all of it, 200; None when nothing is missing.

    Raises:
        OSError: the server refuses; what came so far is dropped when it is none of the file.
    """
    start = _size(part)
    request = urllib.request.Request(url, headers={"Range": f"bytes={start}-"} if start else {})
    try:
        response = urllib.request.urlopen(request, timeout=_TIMEOUT)
    except urllib.error.HTTPError as error:
        if error.code != 416 or not start:
            raise
        if error.headers["Content-Range"] == f"bytes */{start}":
            return None
        part.unlink()
        raise ConnectionError(f"the {start:,} bytes that came are more than there are") from None
    span = response.headers["Content-Range"] or ""
    if response.status == 206 and not span.startswith(f"bytes {start}-"):
        part.unlink()
        raise ConnectionError(f"asked for bytes from {start:,} on, got {span!r}")
    return response


def _receive(url: str, part: Path, show: bool | None) -> None:
    """Add to `part` what is missing; when this returns, nothing is, as far as the server says.

    Raises:
        OSError: the connection broke, or the disk is full; `part` keeps what came.
    """
    response = _request(url, part)
    if response is None:
        return
    start = _size(part) if response.status == 206 else 0
    length = getattr(response, "length", None)  # None where the server does not say
    total = None if length is None else start + length
    bar = {"desc": part.stem, "disable": None if show is None else not show}
    stream = tqdm.wrapattr(response, "read", total, initial=start, **bar)
    with response, part.open("ab" if start else "wb") as file, stream as pieces:
        shutil.copyfileobj(pieces, file, _PIECE)
    if total is not None and _size(part) != total:
        raise ConnectionError(f"the connection broke after {_size(part):,} of {total:,} bytes")


def _hopeless(error: Exception) -> bool:
    """Whether trying again would not help: no such address or file, or no room."""
    if isinstance(error, urllib.error.HTTPError):
        return 400 <= error.code < 500 and error.code not in (408, 416, 429)
    unknown = isinstance(error, urllib.error.URLError) and isinstance(error.reason, str)
    no_address = unknown or isinstance(error, ValueError | http.client.InvalidURL)
    return no_address or getattr(error, "errno", None) in _NO_ROOM


def fetch(
    url: str, target: Path, attempts: int = 5, wait: float = 5, show: bool | None = None
) -> Path:
    """Download a file, going on where a broken connection or an earlier call left off.

    Args:
        url: of the file.
        target: where it goes, whole or not at all; `.part` beside it holds what came so far.
        attempts: how often to try without a byte of progress.
        wait: seconds between two tries.
        show: a progress bar: True, False, or None for only in a terminal.

    Raises:
        DownloadError: no such file, no progress in so many attempts, or no room on the disk.
    """
    part, left = target.with_name(f"{target.name}.part"), attempts
    while not target.exists():
        before = _size(part)
        try:
            _receive(url, part, show)
            part.replace(target)
        except (OSError, http.client.HTTPException, ValueError) as error:
            left = attempts if _size(part) > before else left - 1
            if left == 0 or _hopeless(error):
                raise DownloadError(
                    f"{url} could not be fetched ({error}): what came so far is kept in {part}, "
                    "the same command goes on from there"
                ) from None
            time.sleep(wait)
    return target


def _read_hashes(root: Path) -> dict[str, dict[str, str]]:
    try:
        known = json.loads((root / HASHES).read_text(encoding="utf-8"))
        return {name: {**entry, "sha256": str(entry["sha256"])} for name, entry in known.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise DownloadError(
            f"{root / HASHES}, the hashes of what was fetched, cannot be read ({error}): restore "
            "it, or delete it to trust the archives that are there"
        ) from None


def _verified(archive: Path, url: str) -> dict[str, dict[str, str]]:
    """The hashes known, with this archive's among them; refused if it is not as it was."""
    with archive.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    known = _read_hashes(archive.parent)
    entry = {"url": url, "bytes": archive.stat().st_size, "sha256": digest}
    if (first := known.setdefault(archive.name, entry)["sha256"]) != digest:
        raise DownloadError(
            f"{archive} has SHA-256 {digest[:12]}..., the first download had {first[:12]}...: "
            f"delete it and fetch it again, or remove it from {archive.with_name(HASHES)} if the "
            "publisher has replaced it"
        )
    return known


def _extract(tar: tarfile.TarFile, folder: Path, wanted: Container[str] | None) -> int:
    """Put the files wanted into one folder, whatever folders they had; how many."""
    names = set()

    def flat(member: tarfile.TarInfo, into: str) -> tarfile.TarInfo | None:
        member = tarfile.data_filter(member, into)  # refuses ways out of the folder
        name = PurePosixPath(member.name).name
        left = wanted is not None and name not in wanted
        if member.isdir() or (member.isfile() and left):
            return None
        if not member.isfile() or name in names:
            raise tarfile.TarError(f"{member.name} is no plain file, or there twice")
        names.add(name)
        return member.replace(name=name, mtime=None, deep=False)  # new: what is packed is stale

    tar.extractall(folder, filter=flat)
    return len(names)


def unpack(archive: Path, folder: Path, wanted: Container[str] | None = None) -> int:
    """Unpack a `.tgz` into a folder that is new or empty, whole or not at all.

    Args:
        archive: read to its last byte, so that gzip's CRC is checked.
        folder: of the published layout, such as `s2`; the files go right into it.
        wanted: names of the files to unpack; all if not given.

    Returns:
        The number of files.

    Raises:
        DownloadError: the archive is damaged, unsafe or empty, or there is no room.
    """
    busy = DownloadError(f"another process unpacks {folder}: wait for it")
    try:
        with whole_folder(folder, busy) as unfinished, gzip.open(archive) as stream:
            with tarfile.open(fileobj=stream, mode="r|") as tar:
                count = _extract(tar, unfinished, wanted)
            while stream.read(_PIECE):
                pass
            if not count:
                raise tarfile.TarError("it holds no file that is wanted")
        return count
    except MultiSenGEError:
        raise
    except (OSError, EOFError, zlib.error, tarfile.TarError, ValueError) as error:
        no_room = getattr(error, "errno", None) in _NO_ROOM
        remedy = "make room" if no_room else "delete it and fetch it again"
        raise DownloadError(f"{archive} cannot be unpacked ({error}): {remedy}") from None


def _check_room(root: Path, names: Iterable[str], selected: bool) -> None:
    come = (max(_size(root / f"{n}.tgz{end}") for end in ("", ".part")) for n in names)
    packed = sum(ARCHIVES[n][0] for n in names) - sum(come) / 1e9
    needed = packed + sum(ARCHIVES[n][2 if selected else 1] for n in names)
    if (free := shutil.disk_usage(root).free / 1e9) < needed:
        raise DownloadError(
            f"{root} has {free:,.0f} GB free, {', '.join(names)} need about {needed:,.0f} GB, "
            "packed and unpacked: choose another disk, fewer archives or the selected dates alone"
        )


def download(
    root: Path | str,
    names: Iterable[str] = (layout.LABELS, layout.REFERENCE),
    url: str = URL,
    *,
    keep: bool = True,
    selected: bool = False,
    **options: float | bool | None,
) -> dict[str, int]:
    """Make a data root of published archives; a folder with files in it is left as it is.

    Args:
        root: the data root.
        names: which of `ARCHIVES`.
        url: the folder they are published in, or a mirror of it.
        keep: keep the archives beside the folders unpacked from them.
        selected: of `s1` and `s2`, unpack only what the paper's selection can use; see
            `chosen_rasters`. Needs the labels.
        **options: of `fetch`.

    Returns:
        Number of files unpacked, by archive.

    Raises:
        MultiSenGEError: naming the archive, what is wrong and the remedy.
    """
    root, names = Path(root), tuple(dict.fromkeys(names))
    if unknown := [name for name in names if name not in ARCHIVES]:
        raise DownloadError(f"no archive {', '.join(unknown)}: choose from {', '.join(ARCHIVES)}")
    root.mkdir(parents=True, exist_ok=True)
    _read_hashes(root)
    missing = [n for n in ARCHIVES if n in names and not any((root / n).glob("*"))]
    _check_room(root, missing, selected)
    unpacked = {}
    for name in missing:
        source, wanted = f"{url.rstrip('/')}/{name}.tgz", None
        if selected and name in layout.SENSORS:
            wanted = chosen_rasters(read_index(root / layout.LABELS))[name]
        archive = fetch(source, root / f"{name}.tgz", **options)
        hashes = _verified(archive, source)
        unpacked[name] = unpack(archive, root / name, wanted)
        write_text(root / HASHES, json.dumps(hashes, indent=1) + "\n")
        if not keep:
            archive.unlink()
    return unpacked
