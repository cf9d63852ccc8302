"""Which code and which packages stand behind a run."""

import hashlib
import json
import platform
import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path
from typing import Any

from multisenge_lib import paths

#: Packages whose versions may change a result.
_PACKAGES = (
    "keras",
    "tensorflow",
    "tensorflow-cpu",
    "jax",
    "numpy",
    "pandas",
    "rasterio",
    "scikit-learn",
)
#: The name under which this library is installed.
_DISTRIBUTION = "multisenge-book"
#: Files of the package that decide what it does.
_CODE_SUFFIXES = (".py", ".json", ".toml", ".yaml")


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


def short_commit(commit: str | None) -> str:
    """Return the first seven digits of a commit, as git writes it."""
    return (commit or "unknown")[:7]


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
