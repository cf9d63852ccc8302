"""Fixtures that several test files share: the sample, and the real label files where they are."""

import os
from pathlib import Path

import filelock
import pandas as pd
import pytest

from multisenge_lib import paths

_BESIDE = paths.PROJECT.parent / "shared" / "multisenge" / "labels.tar.gz"


@pytest.fixture(scope="session")
def sample_root(pytestconfig) -> Path:
    """The data root of the default sample: in MULTISENGE_CACHE, or kept in pytest's own cache.

    Written once for all workers and later runs; its name follows the code that writes it.
    """
    from multisenge_lib.sample.writer import ensure_sample

    kept = Path(os.environ.get("MULTISENGE_CACHE") or pytestconfig.cache.mkdir("multisenge"))
    kept.mkdir(parents=True, exist_ok=True)
    with pytest.MonkeyPatch.context() as patch, filelock.FileLock(kept / "tests.lock"):
        patch.setenv("MULTISENGE_CACHE", str(kept))
        return ensure_sample(size=64)


@pytest.fixture(scope="session")
def evidence():
    """What the audit of the paper starts from; for reading only."""
    from multisenge_lib import audit

    return audit.published_evidence()


@pytest.fixture(scope="session")
def findings(evidence) -> list:
    """All findings of the audit, which take seconds; for reading only."""
    from multisenge_lib import audit

    return audit.findings(evidence)


@pytest.fixture(scope="session")
def real_index(real_labels) -> pd.DataFrame:
    """What is read from the published label files; for reading only."""
    from multisenge_lib.dataset import read_index

    return read_index(real_labels)


@pytest.fixture(scope="session")
def real_labels() -> Path:
    """The published label files: MULTISENGE_LABELS, or their archive beside the project."""
    archive = Path(os.environ.get("MULTISENGE_LABELS") or _BESIDE)
    if not archive.exists():
        pytest.skip(f"the real label files are not at {archive}: set MULTISENGE_LABELS to them")
    return archive
