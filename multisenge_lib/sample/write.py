"""A small, seeded MultiSenGE in the published layout, written in seconds, without a download.

Made so that everything in the book runs offline, and so that a network has the same things to
learn on it as on the real imagery. Nothing found on it says anything about the real imagery.

- True: names and layout, places (102 patches of the published grid, on eight tiles), the dates of
  acquisition, projection and position; of each place the upper-left `size` pixels are covered.
- Invented: the land, by a theme for each place (`landscape`), and what the satellites see of it
  (`surfaces`, `radiometry`): spectra and backscatter over the year, mixed pixels, shadow, haze,
  speckle. Band means come near those of the training patches in the authors' script.
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
"""

import hashlib
import json
import shutil
import tempfile
from pathlib import Path

import rasterio
from tqdm import tqdm

from multisenge_lib import paths
from multisenge_lib.dataset import S1_BANDS, S2_BANDS, SAMPLE_MARKER, raster_path
from multisenge_lib.errors import MultiSenGEError
from multisenge_lib.sample.files import make_folders, write_label, write_raster
from multisenge_lib.sample.landscape import THEMES, lay_out
from multisenge_lib.sample.places import PLACES, Place, acquisitions, generator
from multisenge_lib.sample.radiometry import reference, render_s1, render_s2, scene

__all__ = ["PLACES", "ensure_sample", "write_sample"]

#: The soils of the Champagne, up to this column of a tile, are chalk.
_CHALK = {"31UEQ": 10_980, "31UFQ": 6_500, "31UFP": 3_000}


def _check_size(size: int) -> int:
    if size not in range(32, 257, 32):
        raise MultiSenGEError(
            f"sample size {size!r}: give pixels along a patch's side, a multiple of 32 "
            "from 32 to 256"
        )
    return size


def _write_patch(root: Path, place: Place, size: int, seed: int) -> None:
    """Write all files of one patch."""
    rng = generator(seed, "land", place.patch)
    earth = "chalk" if place.x < _CHALK.get(place.tile, 0) else "soil"
    land = lay_out(rng, size, THEMES[place.theme], earth)
    view, labels = scene(rng, land), reference(rng, land)
    acquired = acquisitions(place, seed)
    write_label(root, place, acquired, labels)
    target = raster_path(root, "reference", place.patch)
    write_raster(target, place, labels[None], ["class"], nodata=0)
    for day in acquired.s2:
        image = render_s2(place.patch, view, day, seed)
        write_raster(raster_path(root, "s2", place.patch, day), place, image, S2_BANDS)
    for day in set(acquired.s1) - set(acquired.s1_missing):
        image = render_s1(place.patch, view, day, seed)
        write_raster(raster_path(root, "s1", place.patch, day), place, image, S1_BANDS)


def write_sample(
    root: Path | str, size: int = 64, seed: int = 2020, progress: bool = False
) -> Path:
    """Write the sample, the same bytes for the same size and seed.

    Another size is another land in the same place, not more of the same.

    Args:
        root: the data root to write below.
        size: pixels along a patch's side, a multiple of 32 from 32 to 256.
        seed: of all that is drawn.
        progress: show a progress bar.

    Returns:
        The data root.

    Raises:
        MultiSenGEError: the size is none of those.
    """
    root = Path(root)
    _check_size(size)
    make_folders(root)
    (root / SAMPLE_MARKER).write_text(json.dumps({"size": size, "seed": seed}) + "\n")
    with rasterio.Env(GDAL_DISABLE_READDIR_ON_OPEN="EMPTY_DIR"):
        for place in tqdm(PLACES, "sample", unit="patch", disable=not progress):
            _write_patch(root, place, size, seed)
    return root


def _version() -> str:
    """Of the sample: a hash of the source that writes it."""
    digest = hashlib.sha256()
    for source in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:10]


def ensure_sample(size: int = 64, seed: int = 2020) -> Path:
    """The data root of the sample in the cache, written when it is not there.

    It is written beside its place and then moved there whole, so that two processes may do it at
    once: the second keeps the first's.

    Raises:
        MultiSenGEError: the size is no multiple of 32 from 32 to 256.
    """
    root = paths.cache_dir() / f"sample-{_check_size(size)}-{seed}-{_version()}"
    if root.is_dir():
        return root
    root.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=f"{root.name}.", dir=root.parent))
    try:
        write_sample(unfinished, size, seed)
        unfinished.chmod(0o755)
        unfinished.replace(root)
    except OSError:
        if not root.is_dir():
            raise
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return root


def find_data_root(given: Path | str | None = None) -> Path:
    """The data root: the one given, else `MULTISENGE_ROOT`, else the sample, written if need be.

    Raises:
        MultiSenGEError: `MULTISENGE_ROOT` names nothing that exists.
    """
    return Path(given).expanduser() if given else paths.real_data_root() or ensure_sample()
