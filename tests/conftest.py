"""Fixtures that several test files share: the sample, and the real label files where they are."""

import os
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import settings
from samples import cached_sample

from multisenge_lib import paths

# A test must not fail because the machine is busy, so no example has a time limit.
settings.register_profile("no_deadline", deadline=None)
settings.load_profile("no_deadline")

_BESIDE = paths.PROJECT.parent / "shared" / "multisenge" / "labels.tar.gz"


@pytest.fixture(scope="session")
def sample_root(pytestconfig) -> Path:
    """The data root of the default sample."""
    return cached_sample(pytestconfig, 64)


@pytest.fixture(scope="session")
def small_sample_root(pytestconfig) -> Path:
    """The data root of the sample at the smallest size, 32 x 32 pixels."""
    return cached_sample(pytestconfig, 32)


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
