"""A user's own co-registered images, cut into patches in the published layout.

What the layout asks for is made, and said aloud; what cannot be known, such as the unit of
backscatter, is asked for. All is written beside the data root and moved there once it is whole.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import cycle
from pathlib import Path
from typing import Any, get_args

import numpy as np
from rasterio.errors import CRSError, RasterioError
from tqdm import tqdm

from multisenge_lib.area.cutting import (
    InputUnits,
    PatchWriter,
    S1Unit,
    TargetGrid,
    find_area,
    patch_name,
)
from multisenge_lib.area.sources import Acquisition, find_acquisitions
from multisenge_lib.dataset import (
    BLOCKS,
    MULTISENGE,
    PIXEL,
    S1_BANDS,
    S2_BANDS,
    Dataset,
    Typology,
    band_of,
    draft_dataset,
    make_typology,
    write_dataset_toml,
)
from multisenge_lib.errors import ImportAreaError
from multisenge_lib.files import whole_folder

#: In the names of ESA's products of processing baseline 04.00 and later.
_BASELINE = re.compile(r"_N(0[4-9]|[1-9]\d)\d\d_")
_REMEDY = "nothing was imported; make room, or choose another folder"


@dataclass(frozen=True)
class ImportResult:
    """What an import made, and what is to be known of it.

    Attributes:
        root: the data root.
        dataset: its description, as in its `dataset.toml`.
        patches: how many.
        said: sentences, one each, on all that was not simply taken over.
    """

    root: Path
    dataset: Dataset
    patches: int
    said: list[str]


def _common_bands(
    acquisitions: Sequence[Acquisition], fill: Mapping[str, str], said: list[str]
) -> tuple[list[Acquisition], dict[str, tuple[str, ...]]]:
    """Acquisitions with missing bands filled as asked, and the bands that all of a sensor have."""
    filled, bands = [], {}
    for a in acquisitions:
        more = {new: a.bands[old] for new, old in fill.items() if old in a.bands}
        filled.append(replace(a, bands=more | dict(a.bands)))
        used = sorted(set(more) - set(a.bands))
        told = f"{', '.join(used)} is filled from {', '.join(fill[band] for band in used)}"
        if used and told not in said:
            said.append(told)
    for sensor, order in MULTISENGE.bands.items():
        of_sensor = [a for a in filled if a.sensor == sensor]
        there = set().union(*(a.bands for a in of_sensor))
        for a in of_sensor:
            if lacking := [band for band in order if band in there - set(a.bands)]:
                raise ImportAreaError(
                    f"{sensor} of {a.day} has no {lacking[0]}, which other dates have: give it, or "
                    f"fill it from another band, such as --fill {lacking[0]}=B8"
                )
        if of_sensor:
            bands[sensor] = tuple(band for band in order if band in there)
            if lacking := [band for band in order if band not in there]:
                said.append(f"{sensor} has no {', '.join(lacking)}: networks read the others only")
    return filled, bands


def _check_size(size: int, area: TargetGrid, said: list[str]) -> None:
    if size % 32 or not 32 <= size <= 512:
        raise ImportAreaError(f"patch size {size}: give a multiple of 32, from 32 to 512")
    if min(area.width, area.height) < size:
        raise ImportAreaError(
            f"the images cover {area.height}x{area.width} pixels of {PIXEL} m, a patch has "
            f"{size}x{size}: give a smaller --size, a multiple of 32"
        )
    left = area.width % size, area.height % size
    if any(left):
        said.append(f"{left[0]} columns in the east and {left[1]} rows in the south fill no patch")


def _told_bands(sensor: str, names: Sequence[str]) -> list[str]:
    """Bands as the user names them, such as B02; `-` for one of no use."""
    bands = [name if name == "-" else band_of(name, sensor) for name in names]
    if None in bands:
        raise ImportAreaError(
            f"{sensor} bands: {names[bands.index(None)]!r} names none; give B2 to B12, VV or VH, "
            "and - for one of no use"
        )
    named = [band for band in bands if band != "-"]
    if len(set(named)) < len(named):
        raise ImportAreaError(f"{sensor} bands {', '.join(bands)}: each once")
    return bands


def _check_places(root: Path, reference: Path | None) -> None:
    if reference and not reference.is_file():
        raise ImportAreaError(f"the reference {reference} is no file")
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise ImportAreaError(f"{root} is not empty: give a folder that is new or empty")


def _check_options(units: InputUnits, fill: Mapping[str, str]) -> None:
    """What the user says, held to what can be said."""
    if units.s1 not in (None, *get_args(S1Unit)):
        raise ImportAreaError(f"unit {units.s1!r} of Sentinel-1: {', '.join(get_args(S1Unit))}")
    if not (np.isfinite(units.s2_scale) and units.s2_scale > 0 and np.isfinite(units.s2_offset)):
        raise ImportAreaError(
            f"scale {units.s2_scale} and offset {units.s2_offset} of Sentinel-2: give numbers, the "
            "scale above 0"
        )
    for pair in fill.items():
        if not set(pair) <= {*S1_BANDS, *S2_BANDS} or len({band[0] for band in pair}) > 1:
            raise ImportAreaError(f"fill {'='.join(pair)}: give two bands of one sensor")


def _typology_of(names: Sequence[str]) -> Typology:
    """Classes of a user's own, in MultiSenGE's colours, which begin again when they run out."""
    colors = cycle(MULTISENGE.published.colors)
    return make_typology([(name, next(colors), (i,)) for i, name in enumerate(names, 1)])


def _cut_all(
    cutter: PatchWriter,
    images: Iterable[tuple[Acquisition, Sequence[str]]],
    reference: Path | None,
    most: int,
    said: list[str],
) -> None:
    """Write the patches of all images, and of a reference, whose class ids are read before."""
    if reference:
        share = cutter.labelled(reference, most)
        said.append(f"the reference labels {share:.0%} of the pixels")
    for acquisition, bands in images:
        said += _lost(acquisition, cutter.cut(acquisition, bands))
    if not cutter.dates:
        raise ImportAreaError("no image holds data in half of a patch: nothing to import")
    if cutter.left_out:
        said.append(
            f"{cutter.left_out} dates of patches, at the images' edges or under clouds, hold data "
            "in less than half of the pixels and are left out"
        )
    if reference:
        cutter.cut_reference(reference)
    cutter.write_labels()


def import_area(
    root: Path | str,
    sources: Sequence[Any],
    *,
    name: str | None = None,
    reference: Path | str | None = None,
    classes: Sequence[str] = (),
    size: int = MULTISENGE.patch_pixels,
    units: InputUnits | None = None,
    s1_bands: Sequence[str] = (),
    s2_bands: Sequence[str] = (),
    fill: Mapping[str, str] | None = None,
    crs: str | None = None,
    progress: bool = False,
) -> ImportResult:
    """Cut a user's images into a data root with labels and description.

    Args:
        root: the data root to make; new or empty.
        sources: files and folders of GeoTIFFs, NetCDF or Zarr cubes, or xarray Datasets.
        name: of the dataset, by default the root's.
        reference: a raster of class ids, 0 or its tag for no data; none for an area to predict.
        classes: names of the reference's classes, from id 1; by default MultiSenGE's 14.
        size: pixels along a patch's side, a multiple of 32.
        units: of what is stored.
        s1_bands: of Sentinel-1 rasters that do not name them, in their order.
        s2_bands: of Sentinel-2 rasters that do not name them; `-` for a band of no use.
        fill: from a band that is missing to the one that stands in for it, such as B8A to B8.
        crs: projection of cubes that do not name theirs.
        progress: show a progress bar where there is a terminal.

    Raises:
        ImportAreaError: naming the file and what is wrong or must be said; nothing is written.
    """
    root, said, units, fill = Path(root).resolve(), [], units or InputUnits(), fill or {}
    told = {s: _told_bands(s, b) for s, b in (("s1", s1_bands), ("s2", s2_bands)) if b}
    _check_options(units, fill)
    reference = Path(reference) if reference else None
    _check_places(root, reference)
    busy = ImportAreaError(f"another import into {root} is running: wait for it")
    acquisitions = find_acquisitions(sources, told, crs, reference, said)
    acquisitions, bands = _common_bands(acquisitions, fill, said)
    area = find_area(acquisitions, units, said)
    said += _offset(acquisitions, units)
    _check_size(size, area, said)
    typology = _typology_of(classes) if classes else MULTISENGE.published
    title, found = name or root.name, (size, bands, typology if classes else None, bool(reference))
    bar = {"desc": "importing", "unit": " dates", "disable": None if progress else True}
    try:
        with whole_folder(root, busy) as folder:
            cutter = PatchWriter(folder, area, size, units)
            days = {s: [a.day for a in acquisitions if a.sensor == s] for s in bands}
            corner = patch_name(area.crs, area.west, area.north)
            write_dataset_toml(folder, draft_dataset(title, {corner: days}, *found))
            images = tqdm([(a, bands[a.sensor]) for a in acquisitions], **bar)
            _cut_all(cutter, images, reference, len(typology), said)
            dataset = draft_dataset(title, cutter.dates, *found)
            write_dataset_toml(folder, dataset)
            said += _touching(dataset)
    except (RasterioError, CRSError) as error:
        raise ImportAreaError(f"{error}: {_REMEDY}") from None
    except OSError as error:
        raise ImportAreaError(f"{root}: {error.strerror or error}: {_REMEDY}") from None
    return ImportResult(root, dataset, len(cutter.dates), said)


def _offset(acquisitions: Sequence[Acquisition], units: InputUnits) -> list[str]:
    """A sentence where a product's name says that its reflectance has an offset."""
    names = (band.source for a in acquisitions if a.sensor == "s2" for band in a.bands.values())
    marked = None if units.s2_offset else next(filter(_BASELINE.search, names), None)
    if marked is None:
        return []
    return [f"by its name, reflectance in {marked} probably needs --s2-offset -1000"]


def _touching(dataset: Dataset) -> list[str]:
    """A sentence where blocks of different splits keep no distance."""
    if BLOCKS not in dataset.split_of_tile.values() or dataset.blocks.distance:
        return []
    return [
        f"the area is small: its blocks of {dataset.blocks.size} m keep no distance, so patches of "
        "training and test touch, and scores come out too high; a smaller --size keeps them apart, "
        "or a distance under [blocks] of dataset.toml"
    ]


def _lost(acquisition: Acquisition, share: float) -> list[str]:
    """A sentence where an acquisition lacks pixels."""
    what = f"{acquisition.sensor} of {acquisition.day}"
    if share == 1:
        return [f"{what} is no data everywhere and is left out"]
    return [f"{what}: {share:.0%} of the pixels are no data"] if share >= 0.005 else []
