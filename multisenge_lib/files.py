"""Files and folders written whole or not at all, and what code wrote them."""

import contextlib
import ctypes
import fcntl
import hashlib
import os
import platform
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from multisenge_lib import paths
from multisenge_lib.errors import FileError, MultiSenGEError

_PACKAGES = ("keras", "tensorflow", "tensorflow-cpu", "jax", "numpy", "pandas", "rasterio")
_REMEDY = "make room, or choose another folder"


@contextmanager
def atomic(path: Path, remedy: str = _REMEDY, sync: bool = True) -> Iterator[Path]:
    """Write a file under a name of its own, then move it to its place.

    The file before stays as it was until all of the new one is on disk; what fails leaves nothing.

    Args:
        path: where the file goes; its folder is made.
        remedy: the end of the message where it cannot be written.
        sync: wait until the disk has it; False for many small files that can be made again.

    Yields:
        The path to write to, in the same folder and with the same ending.

    Raises:
        FileError: the file cannot be written.
    """
    unfinished = path.with_name(f".{path.stem}.{secrets.token_hex(4)}{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield unfinished
        if sync:
            with unfinished.open("rb+") as file:
                os.fsync(file.fileno())
        unfinished.replace(path)
    except OSError as error:
        raise FileError(f"{path} cannot be written ({error.strerror or error}): {remedy}") from None
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink()


def write_text(path: Path, text: str, remedy: str = _REMEDY) -> Path:
    """Write a small file whole or not at all; see `atomic`."""
    with atomic(path, remedy) as unfinished:
        unfinished.write_text(text, encoding="utf-8")
    return path


@contextmanager
def locked(
    path: Path, busy: MultiSenGEError | None = None, remedy: str = _REMEDY
) -> Iterator[None]:
    """Hold a lock; its folder is made.

    Args:
        path: of the lock, a file; removed at the end, but where others may wait for it.
        busy: raised where another process holds it; if not given, wait.
        remedy: the end of the message where it cannot be written.

    Raises:
        FileError: the lock cannot be written.
    """
    with contextlib.ExitStack() as held:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            file = held.enter_context(path.open("w"))
            fcntl.flock(file, fcntl.LOCK_EX | (fcntl.LOCK_NB if busy else 0))
        except BlockingIOError:
            raise busy from None
        except OSError as error:
            said = error.strerror or error
            raise FileError(f"{path.parent} cannot be written ({said}): {remedy}") from None
        if busy:
            held.callback(path.unlink, missing_ok=True)
        yield


@contextmanager
def whole_folder(path: Path, busy: MultiSenGEError) -> Iterator[Path]:
    """Fill a folder under a name of its own, then move it to its place.

    What fails leaves nothing, and what was left by a process that was killed is removed.

    Args:
        path: where the folder goes: nothing is there, or an empty one.
        busy: raised where another process makes the same folder.

    Yields:
        The folder to fill, beside the path.

    Raises:
        FileError: nothing can be written there.
        OSError: the folder cannot be moved.
    """
    unfinished = path.with_name(f".{path.name}.unfinished")
    with locked(path.with_name(f".{path.name}.lock"), busy):
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir()
        try:
            yield unfinished
            unfinished.replace(path)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)


def _git(*arguments: str) -> str | None:
    if not (paths.PROJECT / ".git").exists():  # installed, perhaps inside another repository
        return None
    command = ["git", "-C", str(paths.PROJECT), *arguments]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def installed(package: str) -> str | None:
    """The version of a package, or None where it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


#: Of glibc's `mallopt`: trim only beyond 2 GiB, and map nothing on its own.
_KEEPING = {-1: 2**31 - 1, -4: 0}  # M_TRIM_THRESHOLD, M_MMAP_MAX


def keep_memory() -> None:
    """Let glibc keep what freed arrays leave, instead of faulting it in again for the next ones.

    For the rest of the process, in packing and in training, where TensorFlow's data pipeline has it
    map every tensor on its own. Nothing happens where the C library has no `mallopt`. See
    `book/data/roads.yaml` for what it is worth.
    """
    with contextlib.suppress(OSError, AttributeError):
        for option, value in _KEEPING.items():
            ctypes.CDLL(None).mallopt(option, value)


@cache
def library_digest() -> str:
    """A hash of the whole library: every module and data file, by name and content."""
    folder = Path(__file__).parent
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.suffix in (".py", ".json", ".toml", ".yaml"):
            digest.update(path.relative_to(folder).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def provenance() -> dict[str, Any]:
    """The code and the machine's software behind a run.

    Returns:
        `commit` (None outside a git checkout), `uncommitted` (whether library or notebook differ
        from it) and `versions` by package, those that are installed.
    """
    changed = _git("status", "--porcelain", "--", "multisenge_lib", "notebooks")
    found = {package: installed(package) for package in _PACKAGES}
    versions = {"python": platform.python_version()} | {p: v for p, v in found.items() if v}
    return {
        "commit": _git("rev-parse", "HEAD"),
        "uncommitted": None if changed is None else bool(changed),
        "versions": versions,
    }
