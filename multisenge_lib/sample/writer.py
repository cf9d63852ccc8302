"""Write the sample: a small, seeded dataset in MultiSenGE's layout, without a download.

It exists so that everything in the book runs offline, and so that a network has the same things to
learn on it as on the real images. Nothing found on it says anything about the real images.

- True: the layout, the tiles, the dates of acquisition, projection and georeference. The places are
  free ones, where MultiSenGE has no patch.
- Invented: the land, by a theme for each place (`land`), and what the satellites see of it
  (`radiometry`): spectra and backscatter over the year, mixed pixels, shadow, haze, speckle.
- The class shares follow Table 2 of the paper, but urban fabric and the rare classes are two to
  five times as frequent: among so few pixels 0.4 % would be too little to learn from.
- The reference has errors: borders lie up to a pixel off; about 3 % of the parcels of crops and
  grassland carry the other label; country roads, hedges, balks and tree rows are only in the
  images.
- Selection at the paper's four months and 17 days keeps 184 patches (64 for training, 48 for
  validation, 72 for testing). It drops ten: six lack an image in one of the months, four have July
  and August too close.
- As in the published archive, some Sentinel-1 files that a label file names do not exist: here
  about 8 %, and never all of one month of a patch. So choose among the files on disk:
  `load_selection(root)`.
- Every raster says in its tags that it is synthetic (`RASTER_DESCRIPTION`).

Each file is written whole or not at all. The label files come after all rasters, and the marker
comes last. So a sample that was cut off has no label files, is never taken for a whole one, and is
finished by writing it again.
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
from multisenge_lib.progress_bars import hide_bar
from multisenge_lib.sample.draws import generator
from multisenge_lib.sample.land import lay_out
from multisenge_lib.sample.places import PLACES, Place, draw_acquisitions
from multisenge_lib.sample.radiometry import draw_reference, make_scene, render_s1, render_s2

#: What `TIFFTAG_IMAGEDESCRIPTION` of every raster says, so that a file taken out of its folder is
#: not mistaken for an image of the place where it lies.
RASTER_DESCRIPTION = "synthetic sample of multisenge-book, not MultiSenGE"

_REMEDY = "make room, or choose another folder (MULTISENGE_CACHE names that of the cache)"
_FOLDERS = (LABELS, REFERENCE, *SENSORS)


def _version() -> str:
    """Hash the code and the tables that write the sample, and where on the ground it lies."""
    corners = [tile_corner(place.tile) for place in PLACES]
    digest = hashlib.sha256(repr(corners).encode())
    encoder = Path(inspect.getfile(raster_bytes))
    package = Path(__file__).parent
    for source in (encoder, *sorted(package.glob("*.py")), *sorted(package.glob("*.yaml"))):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:10]


def _identity(size: int, seed: int) -> dict[str, Any]:
    """Check size and seed, and return what makes one sample differ from another."""
    if not isinstance(size, int) or size not in range(32, 257, 32):
        raise MultiSenGEError(
            f"sample size {size!r}: give pixels along a patch's side, a multiple of 32 "
            "from 32 to 256"
        )
    if not isinstance(seed, int) or isinstance(seed, bool) or seed < 0:
        raise MultiSenGEError(f"sample seed {seed!r}: give a whole number, 0 or more")
    return {"size": size, "seed": seed, "version": _version()}


def _write(path: Path, content: bytes) -> None:
    files.write_bytes(path, content, _REMEDY, sync=False)


def _write_rasters(root: Path, place: Place, size: int, seed: int) -> bytes:
    """Write the rasters of one patch and return the content of its label file."""
    rng = generator(seed, "land", place.patch)
    land = lay_out(rng, size, place.theme)
    scene = make_scene(rng, place, land)
    reference = draw_reference(rng, land)
    acquisitions = draw_acquisitions(place, seed)
    patch = place.patch

    content = raster_bytes(
        patch, reference[None], ("class",), nodata=0, description=RASTER_DESCRIPTION
    )
    _write(raster_path(root, "reference", patch), content)
    for day in acquisitions.s2:
        image = render_s2(scene, day, seed)
        content = raster_bytes(patch, image, S2_BANDS, description=RASTER_DESCRIPTION)
        _write(raster_path(root, "s2", patch, day), content)
    for day in np.setdiff1d(acquisitions.s1, acquisitions.s1_missing):
        image = render_s1(scene, day, seed)
        content = raster_bytes(patch, image, S1_BANDS, description=RASTER_DESCRIPTION)
        _write(raster_path(root, "s1", patch, day), content)

    dates = {"s1": acquisitions.s1, "s2": acquisitions.s2}
    return label_bytes(patch, dates, np.unique(reference))


def _read_marker(path: Path) -> dict[str, Any] | None:
    """Read a marker file; None where there is none that can be read."""
    try:
        marker = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return marker if isinstance(marker, dict) else None


def _holds_files(root: Path) -> bool:
    """Whether a folder holds anything but the marker that another process is writing just now."""
    being_written = f".{Path(UNFINISHED_SAMPLE).stem}."
    return any(not path.name.startswith(being_written) for path in root.iterdir())


def _claim(root: Path, identity: dict[str, Any]) -> None:
    """Mark a folder as this sample's, if it is new, empty, or already this sample's."""
    if root.exists() and not root.is_dir():
        raise MultiSenGEError(f"{root} is a file: give a folder that is new or empty")
    if root.is_dir() and _holds_files(root):
        marker = _read_marker(root / UNFINISHED_SAMPLE) or _read_marker(root / SAMPLE_MARKER)
        if marker is None:
            content = "holds other files"
        else:
            content = f"holds another sample ({marker})"
        same_sample = marker is not None and identity.items() <= marker.items()
        if not same_sample:
            raise MultiSenGEError(
                f"{root} {content}, nothing was written: give a folder that is new or empty, or "
                "delete what is there"
            )
    files.write_text(root / UNFINISHED_SAMPLE, json.dumps(identity) + "\n", _REMEDY)
    for name in _FOLDERS:
        (root / name).mkdir(exist_ok=True)


def _count_files(root: Path) -> dict[str, int]:
    """Count the files of each folder, hidden ones left out."""
    counts = {}
    for name in _FOLDERS:
        visible = (root / name).glob("[!.]*")
        counts[name] = len(list(visible))
    return counts


def write_sample(
    root: Path | str, size: int = 64, seed: int = 2020, progress: bool = False
) -> Path:
    """Write the sample; the same size and seed give the same bytes.

    Another size is another land in the same places, not more of the same. Where the same sample
    stands already, whole or in part, its files are written again.

    Args:
        root: the data root to write, a folder that is new or empty.
        size: pixels along a patch's side, a multiple of 32 from 32 to 256.
        seed: of all random draws, 0 or more.
        progress: show a progress bar.

    Returns:
        The data root.

    Raises:
        MultiSenGEError: the size or the seed is not allowed, or the folder holds anything else.
        FileError: a file cannot be written.
    """
    root = Path(root)
    identity = _identity(size, seed)
    _claim(root, identity)
    labels = {}
    places = tqdm(PLACES, "sample", unit="patch", disable=hide_bar(progress))
    with rasterio.Env(**GDAL):
        for place in places:
            labels[place.patch] = _write_rasters(root, place, size, seed)
    for patch, content in labels.items():
        _write(root / LABELS / f"{patch}.json", content)
    marker = json.dumps(identity | {"files": _count_files(root)})
    files.write_text(root / SAMPLE_MARKER, marker + "\n", _REMEDY)
    (root / UNFINISHED_SAMPLE).unlink(missing_ok=True)
    return root


def ensure_sample(size: int = 64, seed: int = 2020) -> Path:
    """Return the data root of the sample in the cache, and write it if it is not there whole.

    Two processes may do so at once: both write the same bytes.

    Raises:
        MultiSenGEError: the size is no multiple of 32 from 32 to 256, or the seed is negative.
        FileError: the cache cannot be written.
    """
    identity = _identity(size, seed)
    root = paths.cache_dir() / f"sample-{size}-{seed}-{identity['version']}"
    if _read_marker(root / SAMPLE_MARKER) != identity | {"files": _count_files(root)}:
        write_sample(root, size, seed)
    return root


def find_data_root(given: Path | str | None = None) -> Path:
    """Return the data root: the one given, else `MULTISENGE_ROOT`, else the sample.

    The sample is written to the cache if it is not there.

    Raises:
        MultiSenGEError: the folder does not exist, or the root is a sample that
            was cut off while it was written.

    Examples:
        >>> import multisenge_lib as ms
        >>> root = ms.find_data_root()
        >>> (root / "labels").is_dir()
        True
    """
    root = given_data_root(given)
    if root is None:
        return ensure_sample()
    if not root.exists():
        raise MultiSenGEError(f"the data root {root} does not exist: name another folder")
    return root
