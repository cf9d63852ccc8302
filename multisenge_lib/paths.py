"""Where data, cache and results live. Nothing here makes a folder or reads a file."""

import os
from pathlib import Path

import platformdirs

from multisenge_lib.errors import MultiSenGEError

PROJECT = Path(__file__).resolve().parent.parent


def _from_environment(variable: str) -> Path | None:
    value = os.environ.get(variable)
    if not value:
        return None
    path = Path(value).expanduser().resolve()
    if not path.exists():
        raise MultiSenGEError(
            f"{variable} names {path}, which does not exist: mend it or unset the variable"
        )
    return path


def cache_dir() -> Path:
    """The folder for what can be made again: `MULTISENGE_CACHE`, or the user's cache folder."""
    return Path(
        os.environ.get("MULTISENGE_CACHE") or platformdirs.user_cache_dir("multisenge")
    ).expanduser()


def results_dir() -> Path:
    """The folder of the records: `MULTISENGE_RESULTS`, or `results/` of the checkout."""
    return Path(os.environ.get("MULTISENGE_RESULTS") or PROJECT / "results").expanduser()


def real_data_root() -> Path | None:
    """The folder in the published layout that `MULTISENGE_ROOT` names, or None when unset.

    Raises:
        MultiSenGEError: the variable names nothing that exists.
    """
    return _from_environment("MULTISENGE_ROOT")


def real_labels() -> Path | None:
    """The real label files, a folder or an archive, or None where there are none.

    `MULTISENGE_LABELS` first, then `labels/` or `labels.tgz` below `MULTISENGE_ROOT`.

    Raises:
        MultiSenGEError: a variable names nothing that exists.
    """
    if (labels := _from_environment("MULTISENGE_LABELS")) is not None:
        return labels
    root = real_data_root()
    if root is None:
        return None
    candidates = [root / name for name in ("labels", "labels.tgz", "labels.tar.gz")]
    return next((path for path in candidates if path.exists()), None)
