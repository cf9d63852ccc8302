"""Fixtures that several test files share: the sample, and the real label files where they are."""

import os
from pathlib import Path

import pytest

from multisenge_lib import paths

_BESIDE = paths.PROJECT.parent / "shared" / "multisenge" / "labels.tar.gz"


@pytest.fixture(scope="session")
def sample_root(tmp_path_factory) -> Path:
    """The data root of the default sample; written once a session, or kept in MULTISENGE_CACHE."""
    from multisenge_lib.sample.write import ensure_sample

    with pytest.MonkeyPatch.context() as patch:
        if not os.environ.get("MULTISENGE_CACHE"):
            patch.setenv("MULTISENGE_CACHE", str(tmp_path_factory.mktemp("cache")))
        return ensure_sample(size=64)


@pytest.fixture(scope="session")
def real_labels() -> Path:
    """The published label files: MULTISENGE_LABELS, or their archive beside the project."""
    archive = Path(os.environ.get("MULTISENGE_LABELS") or _BESIDE)
    if not archive.exists():
        pytest.skip(f"the real label files are not at {archive}: set MULTISENGE_LABELS to them")
    return archive
