"""Where data, cache and results live. Nothing here makes a folder or reads a file."""

import os
from collections.abc import Iterator
from pathlib import Path

import platformdirs

from multisenge_lib.errors import MultiSenGEError, printable

#: The folder that holds the package: the root of the checkout, or `site-packages` of an
#: installation. Ask `checkout` which of the two it is.
PROJECT = Path(__file__).resolve().parent.parent


def checkout() -> Path | None:
    """Return the root of the checkout whose code is running, or None for an installed package."""
    if (PROJECT / "pyproject.toml").is_file():
        return PROJECT
    return None


def _bases() -> Iterator[Path]:
    """Folders from which a relative path in an environment variable is looked for, in order.

    A page of the book runs in `book/`, while the user gave a path relative to the folder in which
    the command was typed. The shell leaves that folder in PWD, which the page's process inherits.
    """
    yield Path.cwd()
    typed_in = os.environ.get("PWD")
    if typed_in:
        yield Path(typed_in)
    root = checkout()
    if root is not None:
        yield root


def _from_environment(variable: str) -> Path | None:
    """Return the absolute path that a variable names, whether it exists or not; None if unset.

    A relative path is looked up in each folder of `_bases`, and counts from the first in which it
    exists. If it exists in none, it counts from the current folder.
    """
    value = os.environ.get(variable)
    if not value:
        return None
    try:
        path = Path(value).expanduser()
    except RuntimeError:  # ~name of a user who does not exist
        raise MultiSenGEError(
            f"{variable} is {printable(value)}, whose user is unknown here: give a path"
        ) from None
    if path.is_absolute():
        return path.resolve()
    for base in _bases():
        candidate = base / path
        if _exists(candidate):
            return candidate.resolve()
    return path.absolute()


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # too long a name, or a folder that may not be entered
        return False


def _existing_from_environment(variable: str) -> Path | None:
    path = _from_environment(variable)
    if path is not None and not _exists(path):
        raise MultiSenGEError(
            f"{variable} names {printable(path)}, which does not exist: fix it or unset the "
            "variable; a relative path is looked for in the current folder"
        )
    return path


def cache_dir() -> Path:
    """Return the folder for what can be made again: `MULTISENGE_CACHE`, or the user's cache.

    Raises:
        MultiSenGEError: the variable names the folder of an unknown user.
    """
    return _from_environment("MULTISENGE_CACHE") or Path(platformdirs.user_cache_dir("multisenge"))


def results_dir() -> Path:
    """Return the folder of the records.

    `MULTISENGE_RESULTS` if it is set. Else `results/` of the checkout, or of the current folder
    where the package is installed.

    Raises:
        MultiSenGEError: the variable names the folder of an unknown user.
    """
    folder = _from_environment("MULTISENGE_RESULTS")
    if folder is not None:
        return folder
    return (checkout() or Path.cwd()) / "results"


def real_data_root() -> Path | None:
    """Return the folder in the published layout that `MULTISENGE_ROOT` names, or None when unset.

    Raises:
        MultiSenGEError: the variable names nothing that exists.
    """
    return _existing_from_environment("MULTISENGE_ROOT")


def real_labels() -> Path | None:
    """Return the real label files, a folder or an archive, or None where there are none.

    `MULTISENGE_LABELS` comes first, then `labels/` or `labels.tgz` below `MULTISENGE_ROOT`.

    Raises:
        MultiSenGEError: a variable names nothing that exists.
    """
    labels = _existing_from_environment("MULTISENGE_LABELS")
    if labels is not None:
        return labels
    root = real_data_root()
    if root is None:
        return None
    for name in ("labels", "labels.tgz", "labels.tar.gz"):
        if _exists(root / name):
            return root / name
    return None
