"""What the book was made from: code, data, packages. Tables for the Status page."""

import os
import platform
import re
from importlib.metadata import distribution, version

import pandas as pd

from multisenge_lib import paths
from multisenge_lib.files import installed, provenance

_DISTRIBUTION = "multisenge-book"


def _commit() -> str:
    made = provenance()
    if made["commit"] is None:
        return "not a git checkout"
    return made["commit"][:10] + (" with uncommitted changes" if made["uncommitted"] else "")


def _labels() -> str:
    found = paths.real_labels()
    return f"real: {found.name}" if found else "the committed record of the real labels"


def _imagery() -> str:
    found = paths.real_data_root()
    return f"real: {found.name}" if found else "the sample, written by the library"


def sources_table() -> pd.DataFrame:
    """Code, data and machine that the page was computed with.

    Returns:
        One column, `value`, indexed by what it is.
    """
    machine = f"{platform.system()}, {platform.machine()}, {os.cpu_count()} cores"
    rows = {
        "Library": f"{_DISTRIBUTION} {version(_DISTRIBUTION)}",
        "Commit, when this page was computed": _commit(),
        "Labels": _labels(),
        "Imagery": _imagery(),
        "Python": platform.python_version(),
        "Machine": machine,
    }
    return pd.DataFrame({"value": rows})


def versions_table() -> pd.DataFrame:
    """The direct dependencies that are installed.

    Returns:
        One column, `version`, indexed by package name, sorted.
    """
    requirements = distribution(_DISTRIBUTION).requires or []
    packages = sorted({re.split(r"[\[<>=!~; ]", line, maxsplit=1)[0] for line in requirements})
    found = {package: installed(package) for package in packages}
    return pd.DataFrame({"version": {name: text for name, text in found.items() if text}})
