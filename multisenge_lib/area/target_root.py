"""The folder of a new data root, filled whole or left empty."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from multisenge_lib.dataset import DESCRIPTION, LABELS, REFERENCE, SENSORS
from multisenge_lib.errors import ImportAreaError, printable
from multisenge_lib.files import locked, whole_folder, write_error

#: In an empty folder that is being filled. While it is there, what we write in a root is not whole.
_UNFINISHED = ".import.unfinished"
_LOCK = ".import.lock"
_OURS = (LABELS, REFERENCE, *SENSORS, DESCRIPTION)
#: What file systems and desktops put into every folder.
_HARMLESS = {_LOCK, "lost+found", ".DS_Store"}
_REMEDY = "nothing was imported; make room, or choose another folder"


@contextmanager
def fill_root(root: Path) -> Iterator[Path]:
    """Give a folder to write a data root to, which becomes the root once it is whole.

    A new root is written beside its place and renamed. An empty folder that exists stays: it may be
    a mount point or the shell's current folder, so the root is written inside it, and moved up.

    Args:
        root: nothing is there, or an empty folder; links are resolved.

    Raises:
        ImportAreaError: the folder is not empty, cannot be written, or another import fills it.
    """
    busy = ImportAreaError(f"another import into {printable(root)} is running: wait for it")
    try:
        check_empty(root)
        if not root.exists():
            with whole_folder(root, busy) as folder:
                yield folder
            return
        with locked(root / _LOCK, busy):
            _clear(root)
            folder = root / _UNFINISHED
            folder.mkdir()
            try:
                yield folder
                # The description goes last: without it a folder is no data root. A kill in between
                # leaves _UNFINISHED, and the next import clears what was moved.
                parts = sorted(folder.iterdir(), key=lambda path: path.name == DESCRIPTION)
                for path in parts:
                    path.rename(root / path.name)
                folder.rmdir()
            except BaseException:
                _clear(root)
                raise
    except OSError as error:
        raise ImportAreaError(str(write_error(root, error, _REMEDY))) from None


def check_empty(root: Path) -> None:
    """Refuse a root that holds something, unless an import that was cut off left it.

    Raises:
        ImportAreaError: naming the root.
    """
    try:
        if not root.exists():
            return
        if not root.is_dir():
            raise ImportAreaError(
                f"{printable(root)} is not a folder: give one that is new or empty"
            )
        names = {path.name for path in root.iterdir()}
    except OSError as error:
        raise ImportAreaError(str(write_error(root, error, _REMEDY))) from None
    was_cut_off = _UNFINISHED in names
    if names - _HARMLESS and not was_cut_off:
        raise ImportAreaError(f"{printable(root)} is not empty: give a folder that is new or empty")


def _clear(root: Path) -> None:
    """Remove what an import that was cut off left in a folder that was empty before it."""
    if not (root / _UNFINISHED).exists():
        return
    for name in _OURS:
        path = root / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    # Last: while it is there, a second attempt knows that the rest may be removed.
    shutil.rmtree(root / _UNFINISHED)
