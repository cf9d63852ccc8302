"""Write files and folders whole or not at all, and hold locks."""

import contextlib
import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import filelock

from multisenge_lib.errors import FileError, MultiSenGEError, printable

_REMEDY = "make room, or choose another folder"
#: The part of a remedy that helps only when the disk is full.
_MAKE_ROOM = "make room, or "
_NOT_ALLOWED = (errno.EACCES, errno.EPERM, errno.EROFS)
_PLACE_IS_TAKEN = (errno.EEXIST, errno.EISDIR, errno.ENOTDIR)


def write_error(path: Path, error: OSError, remedy: str) -> FileError:
    """Build the error for a path that cannot be written, with a remedy that fits the cause.

    Args:
        path: the file or folder.
        error: what the system said.
        remedy: what to do where the disk is full; it may hold "make room, or ".
    """
    reason = error.strerror or str(error)
    if error.errno in _PLACE_IS_TAKEN:
        remedy = "something else lies at its place or on the way there: choose another name"
    elif error.errno in _NOT_ALLOWED:
        remedy = remedy.replace(_MAKE_ROOM, "")  # it would not help
    return FileError(f"{printable(path)} cannot be written ({reason}): {remedy}")


def check_can_write(folder: Path, meaning: str, remedy: str) -> None:
    """Refuse a folder that cannot be written, before the work whose result goes there.

    Args:
        folder: it need not exist yet; then the folder that it will lie in is checked.
        meaning: what the folder is for, such as "the record's place".
        remedy: the end of the message.

    Raises:
        FileError: it cannot be written, or is no folder.
    """
    existing = folder
    while not existing.exists():
        existing = existing.parent
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        raise FileError(f"{printable(folder)}, {meaning}, cannot be written: {remedy}")


@contextmanager
def atomic(path: Path, remedy: str = _REMEDY, sync: bool = True) -> Iterator[Path]:
    """Write a file under a name of its own, then move it to its place.

    A file that is there already stays as it was until all of the new one is on disk. If writing
    fails, nothing is left behind.

    Args:
        path: where the file goes; its folder is made. A link is followed.
        remedy: the end of the message where it cannot be written.
        sync: wait until the disk has it; False for many small files that can be made again.

    Yields:
        The path to write to, in the same folder and with the same ending.

    Raises:
        FileError: the file cannot be written, or the path is that of a device or a pipe.
    """
    path = Path(os.path.realpath(path))  # unlike `resolve`, it takes a link that leads to itself
    if path.exists() and not (path.is_file() or path.is_dir()):
        # A file would be moved to its place. As root, this destroys devices such as /dev/null.
        raise FileError(f"{printable(path)} is a device or a pipe: give the name of a file")
    unfinished = path.with_name(f".{path.stem}.{secrets.token_hex(4)}{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield unfinished
        if sync:
            with unfinished.open("rb+") as file:
                os.fsync(file.fileno())
        unfinished.replace(path)
    except OSError as error:
        raise write_error(path, error, remedy) from None
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink()


def write_bytes(path: Path, content: bytes, remedy: str = _REMEDY, sync: bool = True) -> Path:
    """Write a small file whole or not at all; see `atomic`."""
    with atomic(path, remedy, sync) as unfinished:
        unfinished.write_bytes(content)
    return path


def write_text(path: Path, text: str, remedy: str = _REMEDY) -> Path:
    """Write a small file whole or not at all, in UTF-8; see `atomic`."""
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
        raise write_error(path.parent, error, remedy) from None
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
