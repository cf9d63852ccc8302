"""Write files and folders whole or not at all, hold locks, and say what code wrote a file."""

import contextlib
import ctypes
import hashlib
import json
import os
import platform
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path
from typing import Any

import filelock

from multisenge_lib import paths
from multisenge_lib.errors import FileError, MultiSenGEError, printable

_PACKAGES = ("keras", "tensorflow", "tensorflow-cpu", "jax", "numpy", "pandas", "rasterio")
#: The name under which this library is installed.
_DISTRIBUTION = "multisenge-book"
_REMEDY = "make room, or choose another folder"
#: Files of the package that decide what it does.
_CODE_SUFFIXES = (".py", ".json", ".toml", ".yaml")


def _reason(error: OSError) -> str:
    """What the system says of an error, without its number and file."""
    return error.strerror or str(error)


@contextmanager
def atomic(path: Path, remedy: str = _REMEDY, sync: bool = True) -> Iterator[Path]:
    """Write a file under a name of its own, then move it to its place.

    A file that is there already stays as it was until all of the new one is on disk. If writing
    fails, nothing is left behind.

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
        raise FileError(
            f"{printable(path)} cannot be written ({_reason(error)}): {remedy}"
        ) from None
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
    """Hold a lock between processes while the body runs.

    Args:
        path: the file that serves as lock; its folder is made. With `busy` the file is removed at
            the end; without, it stays for those who wait.
        busy: raised at once where another process holds the lock; if not given, wait.
        remedy: the end of the message where the lock cannot be written.

    Raises:
        FileError: the lock cannot be written.
    """
    # Each call is a lock of its own, also for two threads of one process.
    lock = filelock.FileLock(path, timeout=-1 if busy is None else 0, thread_local=False)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Where no file can be made (/proc, some network disks), filelock sees a lock that another
        # process has just removed, and waits for it. Here the system says what is wrong.
        path.touch()
        lock.acquire()
    except filelock.Timeout:
        raise busy from None
    except OSError as error:
        raise FileError(
            f"{printable(path.parent)} cannot be written ({_reason(error)}): {remedy}"
        ) from None
    try:
        yield
    finally:
        if busy is not None:
            # While the lock is still held: a process that opened this file meanwhile looks, once it
            # has the lock, whether the file is still there, and starts again if not (filelock).
            # Windows refuses to remove an open file; then it stays, which does no harm.
            with contextlib.suppress(OSError):
                path.unlink()
        lock.release()


@contextmanager
def whole_folder(path: Path, busy: MultiSenGEError) -> Iterator[Path]:
    """Fill a folder under a name of its own, then move it to its place.

    If filling fails, nothing is left behind. What a killed process left is removed.

    Args:
        path: where the folder goes: nothing is there, or an empty folder.
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
    """What git prints, or None outside a checkout or without git."""
    root = paths.checkout()
    # An installed package may lie inside the repository of something else, which is not asked.
    if root is None or not (root / ".git").exists():
        return None
    command = ["git", "-C", str(root), *arguments]
    try:
        result = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return result.stdout.strip()


def installed(package: str) -> str | None:
    """Return the version of a package, or None where it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _installed_commit() -> str | None:
    """The commit from which pip installed this library, where it came from a repository."""
    try:
        text = distribution(_DISTRIBUTION).read_text("direct_url.json")
        return json.loads(text or "{}").get("vcs_info", {}).get("commit_id")
    except (PackageNotFoundError, ValueError, AttributeError):
        return None


def keep_freed_memory() -> None:
    """Let the C library keep the memory of freed arrays for the next ones, in the whole process.

    Call it once, at the start of a script that packs or trains on Linux. By default glibc gives
    each large array back to the system and asks for zeroed pages again for the next one. Packing
    and training make and free large arrays all the time: a training step on the sample took about
    0.5 s with this call and over 1.3 s without it, half of which was the system's work on pages.

    This changes the memory of the whole process for good: freed memory stays taken. So no function
    of the library calls it. The notebook, the Snakefile, the benchmarks and `multisenge transfer`
    do. Nothing happens where the C library has no `mallopt` (macOS, Windows, musl).

    Examples:
        >>> import multisenge_lib as ms
        >>> ms.keep_freed_memory()  # doctest: +SKIP
    """
    trim_threshold = -1  # M_TRIM_THRESHOLD in glibc's malloc.h
    mmap_max = -4  # M_MMAP_MAX
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):  # TypeError: Windows
        return
    mallopt(trim_threshold, 2**31 - 1)  # give memory back only beyond 2 GiB
    mallopt(mmap_max, 0)  # and map no array on its own


@cache
def library_digest() -> str:
    """Hash the whole library: every module and data file, by name and content."""
    folder = Path(__file__).parent
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.suffix in _CODE_SUFFIXES:
            digest.update(path.relative_to(folder).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def provenance() -> dict[str, Any]:
    """Describe the code and the software of the machine behind a run.

    Returns:
        `commit`: of the checkout, or from which the package was installed; None if unknown.
        `uncommitted`: whether library or notebook differ from it; None outside a git checkout.
        `versions`: of Python and of the packages that are installed, by name.
    """
    versions = {"python": platform.python_version()}
    for package in _PACKAGES:
        package_version = installed(package)
        if package_version is not None:
            versions[package] = package_version

    commit = _git("rev-parse", "HEAD")
    changed = _git("status", "--porcelain", "--", "multisenge_lib", "notebooks")
    if paths.checkout() is None:
        commit = _installed_commit()
        versions[_DISTRIBUTION] = installed(_DISTRIBUTION) or "unknown"
    return {
        "commit": commit,
        "uncommitted": None if changed is None else bool(changed),
        "versions": versions,
    }
