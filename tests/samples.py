"""The synthetic sample for the tests: written once for all workers, and for later runs."""

import json
import os
import shutil
from pathlib import Path

import filelock
import pytest

from multisenge_lib import paths


def cached_sample(config: pytest.Config, size: int) -> Path:
    """The data root of the sample, in MULTISENGE_CACHE or in pytest's own cache.

    Its name follows the code that writes it. Writing it takes a quarter of a minute, so it is
    copied from the user's cache where a book was built before.
    """
    from multisenge_lib.sample import ensure_sample

    kept = Path(os.environ.get("MULTISENGE_CACHE") or config.cache.mkdir("multisenge"))
    kept.mkdir(parents=True, exist_ok=True)
    with pytest.MonkeyPatch.context() as patch, filelock.FileLock(kept / "tests.lock"):
        _copy_newest(paths.cache_dir(), kept, size)
        patch.setenv("MULTISENGE_CACHE", str(kept))
        return ensure_sample(size=size)


def _copy_newest(source: Path, target: Path, size: int) -> None:
    """Copy the newest sample of a size, whole or not at all; `ensure_sample` checks what it is."""
    samples = sorted(source.glob(f"sample-{size}-*"), key=lambda path: path.stat().st_mtime)
    if not samples or (target / samples[-1].name).exists():
        return
    unfinished = target / f".{samples[-1].name}"
    shutil.rmtree(unfinished, ignore_errors=True)
    shutil.copytree(samples[-1], unfinished)
    unfinished.rename(target / samples[-1].name)


def part_of_sample(root: Path, folder: Path, patches_per_split: int = 4) -> Path:
    """A data root with the first patches of each split of a sample, and those that figures show.

    Their rasters are linked. It is a whole sample, as far as `ensure_sample` can tell.
    """
    from multisenge_lib.dataset import SAMPLE, load_selection

    first = load_selection(root).groupby("split").head(patches_per_split)["patch"]
    patches = sorted({*first, *SAMPLE.showcase})
    (folder / "labels").mkdir(parents=True)
    for patch in patches:
        shutil.copy(root / "labels" / f"{patch}.json", folder / "labels")
    marker = json.loads((root / "sample.json").read_text())
    marker["files"]["labels"] = len(patches)
    for name in ("ground_reference", "s1", "s2"):
        (folder / name).mkdir()
        for patch in patches:
            tile, x, y = patch.split("_")
            for raster in (root / name).glob(f"{tile}_*_{x}_{y}.tif"):
                (folder / name / raster.name).symlink_to(raster)
        marker["files"][name] = len(list((folder / name).iterdir()))
    (folder / "sample.json").write_text(json.dumps(marker))
    return folder
