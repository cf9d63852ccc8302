"""The published archives: fetched, resumed, verified, unpacked.

No checksum is published. So an archive is verified by what it promises itself: the length that the
server announces, gzip's CRC and the structure of tar, which unpacking reads through. The SHA-256 of
the first complete download is recorded at the data root; a later one that differs is refused.
"""

import errno
import gzip
import hashlib
import http.client
import json
import shutil
import tarfile
import tempfile
import time
import urllib.error
import urllib.request
import zlib
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from tqdm import tqdm

from multisenge_lib.dataset import layout
from multisenge_lib.errors import MultiSenGEError

#: Where MultiSenGE is published (DOI 10.5281/zenodo.6375466).
URL = "https://s3.unistra.fr/a2s_datasets/MultiSenGE/"
#: The archives, and about how many gigabytes each has.
ARCHIVES = {layout.LABELS: 0.004, layout.REFERENCE: 0.025, layout.S2: 80, layout.S1: 110}
#: At the data root: URL, length and SHA-256 of each archive fetched.
HASHES = "archives.json"

_PIECE = 2**20
_TIMEOUT = 60


class DownloadError(MultiSenGEError):
    """An archive cannot be fetched, or is not what it promises to be."""


def _request(url: str, start: int) -> http.client.HTTPResponse:
    """The file from a byte on, status 206; or from its beginning, 200, where that is refused."""
    headers = {"Range": f"bytes={start}-"} if start else {}
    return urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=_TIMEOUT)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _receive(url: str, part: Path, show: bool | None) -> None:
    """Add to `part` what is missing; when this returns, nothing is.

    Raises:
        OSError: the connection broke, or the disk is full; `part` keeps what came.
    """
    try:
        response = _request(url, _size(part))
    except urllib.error.HTTPError as error:
        if error.code == 416 and error.headers["Content-Range"] == f"bytes */{_size(part)}":
            return  # it was whole already
        raise
    start = _size(part) if response.status == 206 else 0
    total = start + int(response.headers["Content-Length"])
    disable = None if show is None else not show
    bar = tqdm(
        total=total, initial=start, desc=part.stem, unit="B", unit_scale=True, disable=disable
    )
    with response, part.open("ab" if start else "wb") as file, bar:
        while piece := response.read(_PIECE):
            file.write(piece)
            bar.update(len(piece))
    if _size(part) != total:
        raise ConnectionError(f"the connection broke after {_size(part):,} of {total:,} bytes")


def _hopeless(error: Exception) -> bool:
    """Whether trying again would not help: no such file, or no room."""
    refused = isinstance(error, urllib.error.HTTPError) and 400 <= error.code < 500
    return refused or getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT, errno.EACCES)


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
            target.parent.mkdir(parents=True, exist_ok=True)
            _receive(url, part, show)
            part.replace(target)
        except (OSError, http.client.HTTPException) as error:
            left = attempts if _size(part) > before else left - 1
            if left == 0 or _hopeless(error):
                raise DownloadError(
                    f"{url} could not be fetched ({error}): what came so far is kept in {part}, "
                    "the same command goes on from there"
                ) from None
            time.sleep(wait)
    return target


def record_hash(archive: Path, url: str) -> str:
    """Record an archive's SHA-256 at its first download, and hold later ones to it.

    Raises:
        DownloadError: it differs from the one recorded.
    """
    with archive.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    hashes = archive.with_name(HASHES)
    known = json.loads(hashes.read_text()) if hashes.exists() else {}
    entry = {"url": url, "bytes": archive.stat().st_size, "sha256": digest}
    if known.setdefault(archive.name, entry)["sha256"] != digest:
        raise DownloadError(
            f"{archive} has SHA-256 {digest[:12]}..., the first download had "
            f"{known[archive.name]['sha256'][:12]}...: delete it and fetch it again, or remove it "
            f"from {hashes} if the publisher has replaced it"
        )
    unfinished = hashes.with_suffix(".new")
    unfinished.write_text(json.dumps(known, indent=1) + "\n")
    unfinished.replace(hashes)
    return digest


def _extract(tar: tarfile.TarFile, folder: Path) -> int:
    """Put all files of an archive into one folder, whatever folders they had; how many."""
    count = 0
    for member in tar:
        member = tarfile.data_filter(member, str(folder))  # refuses ways out of the folder
        if member.isdir():
            continue
        target = folder / PurePosixPath(member.name).name
        if not member.isfile() or target.exists():
            raise tarfile.TarError(f"{member.name} is no plain file, or there twice")
        with target.open("xb") as file:
            shutil.copyfileobj(tar.extractfile(member), file)
        count += 1
    return count


def unpack(archive: Path, folder: Path) -> int:
    """Unpack a `.tgz` into a folder that is new, whole or not at all.

    Args:
        archive: read to its last byte, so that gzip's CRC is checked.
        folder: of the published layout, such as `s2`; the files go right into it.

    Returns:
        The number of files.

    Raises:
        DownloadError: the archive is damaged, unsafe or empty, or there is no room.
    """
    unfinished = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        with gzip.open(archive) as stream:
            with tarfile.open(fileobj=stream, mode="r|") as tar:
                count = _extract(tar, unfinished)
            while stream.read(_PIECE):
                pass
        if not count:
            raise tarfile.TarError("it holds no file")
        unfinished.chmod(0o755)
        unfinished.replace(folder)
    except (OSError, EOFError, zlib.error, tarfile.TarError) as error:
        remedy = "make room" if _hopeless(error) else "delete it and fetch it again"
        raise DownloadError(f"{archive} cannot be unpacked ({error}): {remedy}") from None
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return count


def _check_room(root: Path, names: Iterable[str]) -> None:
    needed = 2 * sum(ARCHIVES[name] for name in names)
    if (free := shutil.disk_usage(root).free / 1e9) < needed:
        raise DownloadError(
            f"{root} has {free:,.0f} GB free, {', '.join(names)} need about {needed:,.0f} GB, "
            "packed and unpacked: choose another disk or fewer archives"
        )


def download(
    root: Path | str,
    names: Iterable[str] = (layout.LABELS, layout.REFERENCE),
    url: str = URL,
    keep: bool = True,
    **options: float | bool | None,
) -> dict[str, int]:
    """Make a data root of published archives; what is there already is left as it is.

    Args:
        root: the data root.
        names: which of `ARCHIVES`.
        url: the folder they are published in.
        keep: keep the archives beside the folders unpacked from them.
        **options: of `fetch`.

    Returns:
        Number of files unpacked, by archive.

    Raises:
        DownloadError: naming the archive, what is wrong and the remedy.
    """
    root, names = Path(root), tuple(names)
    if unknown := [name for name in names if name not in ARCHIVES]:
        raise DownloadError(f"no archive {', '.join(unknown)}: choose from {', '.join(ARCHIVES)}")
    root.mkdir(parents=True, exist_ok=True)
    missing = [name for name in names if not (root / name).exists()]
    _check_room(root, missing)
    unpacked = {}
    for name in missing:
        archive = fetch(f"{url}{name}.tgz", root / f"{name}.tgz", **options)
        record_hash(archive, f"{url}{name}.tgz")
        unpacked[name] = unpack(archive, root / name)
        if not keep:
            archive.unlink()
    return unpacked
