"""A small, seeded MultiSenGE in the published layout, written in seconds, without a download.

Made so that everything in the book runs offline, and so that a network has the same things to
learn on it as on the real imagery. Nothing found on it says anything about the real imagery.

- True: names and layout, places (102 patches of the published grid, on eight tiles), the dates of
  acquisition, projection and position; of each place the upper-left `size` pixels are covered.
- Invented: the land, by a theme for each place (`land`), and what the satellites see of it
  (`radiometry`): spectra and backscatter over the year, mixed pixels, shadow, haze, speckle. Band
  means come near those of the training patches in the authors' script.
- Class shares follow Table 2, but urban fabric and the rare classes are two to five times as
  frequent as there: among so few pixels 0.4 % would be too little to learn from.
- The reference is not faultless: borders lie up to a pixel off; about 3 % of the parcels of crops
  and grass are labelled as the other; country roads, hedges, balks and tree rows are in the images
  only.
- Selection at the paper's four months and 17 days keeps 92 patches (56 train, 16 validate, 20
  test) and drops ten: six lack an image in one of the months, four have July and August too close.
- As in the published archive, some Sentinel-1 files that a label file names do not exist: here
  about 8 %, and never all of one of the four months of a patch. So choose among the files on disk:
  `load_selection(root)`.

Each file is written whole or not at all; the label files come after all rasters, and the marker
after everything. So a sample that was cut off has no label files, is never taken for a whole one,
and is finished by writing it again.
"""

import hashlib
import inspect
import json
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from tqdm import tqdm

from multisenge_lib import files, paths
from multisenge_lib.dataset import (
    GDAL,
    LABELS,
    REFERENCE,
    S1_BANDS,
    S2_BANDS,
    SAMPLE_MARKER,
    SENSORS,
    UNFINISHED_SAMPLE,
    given_data_root,
    label_bytes,
    raster_bytes,
    raster_path,
    tile_corner,
)
from multisenge_lib.errors import MultiSenGEError
from multisenge_lib.sample.land import lay_out
from multisenge_lib.sample.places import PLACES, Place, acquisitions, generator
from multisenge_lib.sample.radiometry import reference, render_s1, render_s2, scene

_REMEDY = "make room, or choose another folder (MULTISENGE_CACHE names that of the cache)"
_FOLDERS = (LABELS, REFERENCE, *SENSORS)


def _version() -> str:
    """Of the sample: a hash of the source that writes it, and of where on the ground it lies."""
    digest = hashlib.sha256(repr([tile_corner(place.tile) for place in PLACES]).encode())
    writer = Path(inspect.getfile(raster_bytes))
    for source in (writer, *sorted(Path(__file__).parent.glob("*.[py]*"))):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:10]


def _identity(size: int, seed: int) -> dict[str, Any]:
    """What makes one sample differ from another, checked."""
    if not isinstance(size, int) or size not in range(32, 257, 32):
        raise MultiSenGEError(
            f"sample size {size!r}: give pixels along a patch's side, a multiple of 32 "
            "from 32 to 256"
        )
    if not isinstance(seed, int) or isinstance(seed, bool) or seed < 0:
        raise MultiSenGEError(f"sample seed {seed!r}: give a whole number, 0 or more")
    return {"size": size, "seed": seed, "version": _version()}


def _write(path: Path, content: bytes) -> None:
    with files.atomic(path, _REMEDY, sync=False) as unfinished:
        unfinished.write_bytes(content)


def _write_rasters(root: Path, place: Place, size: int, seed: int) -> bytes:
    """Write the rasters of one patch; what its label file holds."""
    rng = generator(seed, "land", place.patch)
    land = lay_out(rng, size, place.theme)
    view, labels = scene(rng, place, land), reference(rng, land)
    acquired = acquisitions(place, seed)
    written = raster_bytes(place.patch, labels[None], ("class",), nodata=0)
    _write(raster_path(root, "reference", place.patch), written)
    for day in acquired.s2:
        written = raster_bytes(place.patch, render_s2(view, day, seed), S2_BANDS)
        _write(raster_path(root, "s2", place.patch, day), written)
    for day in np.setdiff1d(acquired.s1, acquired.s1_missing):
        written = raster_bytes(place.patch, render_s1(view, day, seed), S1_BANDS)
        _write(raster_path(root, "s1", place.patch, day), written)
    dates = {"s1": acquired.s1, "s2": acquired.s2}
    return label_bytes(place.patch, dates, np.unique(labels[labels > 0]))


def _read_marker(path: Path) -> dict[str, Any] | None:
    """What a marker says, or None where there is none that can be read."""
    try:
        marker = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return marker if isinstance(marker, dict) else None


def _claim(root: Path, identity: dict[str, Any]) -> None:
    """Mark a folder as this sample's, if it is new, empty, or already this sample's."""
    if root.exists() and not root.is_dir():
        raise MultiSenGEError(f"{root} is a file: give a folder that is new or empty")
    if root.is_dir() and any(root.iterdir()):
        found = _read_marker(root / UNFINISHED_SAMPLE) or _read_marker(root / SAMPLE_MARKER)
        if found is None or {key: found.get(key) for key in identity} != identity:
            holds = "holds other files" if found is None else f"holds another sample ({found})"
            raise MultiSenGEError(
                f"{root} {holds}, nothing was written: give a folder that is new or empty, or "
                "delete what is there"
            )
    files.write_text(root / UNFINISHED_SAMPLE, json.dumps(identity) + "\n", _REMEDY)
    for name in _FOLDERS:
        (root / name).mkdir(exist_ok=True)


def _counts(root: Path) -> dict[str, int]:
    return {name: sum(1 for _ in (root / name).glob("[!.]*")) for name in _FOLDERS}


def write_sample(
    root: Path | str, size: int = 64, seed: int = 2020, progress: bool = False
) -> Path:
    """Write the sample, the same bytes for the same size and seed.

    Another size is another land in the same place, not more of the same. Where the same sample
    stands already, whole or in part, its files are written again.

    Args:
        root: the data root to write below, a folder that is new or empty.
        size: pixels along a patch's side, a multiple of 32 from 32 to 256.
        seed: of all that is drawn, 0 or more.
        progress: show a progress bar.

    Returns:
        The data root.

    Raises:
        MultiSenGEError: the size or seed is none of those; or the folder holds anything else.
        FileError: a file cannot be written.
    """
    root, identity = Path(root), _identity(size, seed)
    _claim(root, identity)
    with rasterio.Env(**GDAL):
        labels = {
            place.patch: _write_rasters(root, place, size, seed)
            for place in tqdm(PLACES, "sample", unit="patch", disable=None if progress else True)
        }
    for patch, content in labels.items():
        _write(root / LABELS / f"{patch}.json", content)
    marker = json.dumps(identity | {"files": _counts(root)})
    files.write_text(root / SAMPLE_MARKER, marker + "\n", _REMEDY)
    (root / UNFINISHED_SAMPLE).unlink(missing_ok=True)
    return root


def ensure_sample(size: int = 64, seed: int = 2020) -> Path:
    """The data root of the sample in the cache, written when it is not there whole.

    Two processes may do it at once: both write the same bytes.

    Raises:
        MultiSenGEError: the size is no multiple of 32 from 32 to 256, or the seed is negative.
        FileError: the cache cannot be written.
    """
    identity = _identity(size, seed)
    root = paths.cache_dir() / f"sample-{size}-{seed}-{identity['version']}"
    if _read_marker(root / SAMPLE_MARKER) != identity | {"files": _counts(root)}:
        write_sample(root, size, seed)
    return root


def find_data_root(given: Path | str | None = None) -> Path:
    """The data root: the one given, else `MULTISENGE_ROOT`, else the sample, written if need be.

    Raises:
        MultiSenGEError: `MULTISENGE_ROOT` names nothing that exists, or the root is a sample that
            was cut off while it was written.

    Examples:
        >>> import multisenge_lib as ms
        >>> root = ms.find_data_root()
        >>> (root / "labels").is_dir()
        True
    """
    return given_data_root(given) or ensure_sample()
