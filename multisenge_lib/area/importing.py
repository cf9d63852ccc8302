"""A user's own co-registered images, cut into patches in the published layout.

Label files and `dataset.toml` are written, and whatever was changed or left out is reported. What
cannot be inferred, such as the unit of backscatter, must be given. A new data root is written
beside its place and moved there once it is whole.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from multisenge_lib.area.acquisitions import Acquisition
from multisenge_lib.area.cutting import PatchWriter, days_by_sensor
from multisenge_lib.area.draft import draft_dataset
from multisenge_lib.area.import_notices import (
    offset_notices,
    placement_notices,
    selection_notices,
    size_notices,
    touching_blocks,
    value_notices,
)
from multisenge_lib.area.import_options import (
    ImportOptions,
    check_options,
    list_of_sources,
    names_of,
    pairs_of,
    path_of,
    reference_options,
    size_of,
    typology_of,
    units_of,
    user_bands,
)
from multisenge_lib.area.reference import (
    Reference,
    ReferenceOptions,
    check_first_id,
    open_reference,
)
from multisenge_lib.area.sources import find_images
from multisenge_lib.area.target_grid import find_target_grid, patch_name
from multisenge_lib.area.target_root import check_empty, fill_root
from multisenge_lib.area.units import InputUnits
from multisenge_lib.dataset import (
    MULTISENGE,
    Dataset,
    check_projections,
    write_dataset_toml,
)
from multisenge_lib.errors import ImportAreaError, counted, printable
from multisenge_lib.progress_bars import hide_bar

#: Wavelengths of Sentinel-2's bands, the middle of each in nanometres (Sentinel-2A, ESA).
_WAVELENGTHS = {
    "B2": 492.4,
    "B3": 559.8,
    "B4": 664.6,
    "B5": 704.1,
    "B6": 740.5,
    "B7": 782.8,
    "B8": 832.8,
    "B8A": 864.7,
    "B11": 1613.7,
    "B12": 2202.4,
}


@dataclass(frozen=True)
class ImportResult:
    """The result of an import, with its notices.

    Attributes:
        root: the data root.
        dataset: its description, as in its `dataset.toml`.
        patches: how many patches were written.
        notices: sentences to read: what was changed, resampled or left out, what share of the
            patches the reference labels, and what the selection would take.
    """

    root: Path
    dataset: Dataset
    patches: int
    notices: list[str] = field(default_factory=list)


def import_area(
    root: Path | str,
    sources: Sequence[Any],
    *,
    name: str | None = None,
    reference: Path | str | None = None,
    classes: Sequence[str] = (),
    reclass: Mapping[Any, int] | None = None,
    attribute: str | None = None,
    size: int = MULTISENGE.patch_pixels,
    units: InputUnits | None = None,
    s1_bands: Sequence[str] = (),
    s2_bands: Sequence[str] = (),
    fill: Mapping[str, str] | None = None,
    crs: str | int | None = None,
    progress: bool = False,
) -> ImportResult:
    """Cut a user's images into a data root with labels and description.

    Args:
        root: the data root to make; new or empty.
        sources: files and folders of rasters, NetCDF or Zarr cubes, or Datasets and DataArrays of
            xarray.
        name: name of the dataset, by default that of the root.
        reference: a raster or vector of class ids; no data is 0, unless `reclass` gives it a
            class, or the raster's no-data value. Without a reference the area can be mapped, but
            not trained on.
        classes: names of the reference's classes, from id 1; by default MultiSenGE's 14.
        reclass: from ids of the reference to class ids, 0 for no data, such as `{10: 1, 20: 2}`.
        attribute: the column of a vector that holds the classes.
        size: pixels along a patch's side, a multiple of 32.
        units: units of the stored values.
        s1_bands: names of the bands of Sentinel-1 rasters in file order; overrides names in the
            file.
        s2_bands: the same for Sentinel-2; `-` for a band of no use.
        fill: for each missing band, the band that stands in for it, such as `{"B8A": "B8"}`.
        crs: projection of images that do not name theirs, such as `EPSG:32631`.
        progress: show a progress bar where there is a terminal.

    Raises:
        ImportAreaError: it names the file and what is wrong or missing; nothing is written.
    """
    check_projections()
    root = path_of(root, "the data root").resolve()
    size = size_of(size)
    units = units_of(units)
    sources = list_of_sources(sources)
    class_names = names_of(classes, "classes")
    typology = typology_of(class_names) if class_names else MULTISENGE.reference_classes
    options = ImportOptions(
        name=name or root.name,
        reference=reference_options(
            reference, typology, pairs_of(reclass, "reclass"), attribute, units
        ),
        size=size,
        units=units,
        bands=user_bands(names_of(s1_bands, "s1_bands"), names_of(s2_bands, "s2_bands")),
        fill=pairs_of(fill, "fill"),
        crs=None if crs is None else str(crs),
        progress=progress,
    )
    check_options(options)
    reference_path = options.reference.path if options.reference else None
    check_empty(root)

    images = find_images(sources, options.bands, options.crs, reference_path)
    notices = list(images.notices)
    acquisitions, bands, band_notices = _common_bands(images.acquisitions, options.fill)
    notices += band_notices
    grid, placements = find_target_grid(acquisitions)
    notices += placement_notices(grid, placements, units)
    notices += offset_notices(acquisitions, units)
    notices += size_notices(size, grid)

    describe = partial(
        draft_dataset,
        options.name,
        size=size,
        bands=bands,
        reference_classes=typology if class_names else None,
        learn=options.reference is not None,
    )
    with fill_root(root) as folder:
        # A draft with one patch: what cannot be described is refused now, and not after hours.
        first_patch = patch_name(grid.crs, grid.west, grid.north)
        days = {first_patch: days_by_sensor(acquisitions, tuple(bands))}
        write_dataset_toml(folder, describe(days))

        writer = PatchWriter(folder, grid, size, units)
        notices += _write_patches(writer, acquisitions, bands, options)
        dataset = describe(writer.dates)
        write_dataset_toml(folder, dataset)
        notices += selection_notices(folder, dataset)
    notices += touching_blocks(dataset)
    return ImportResult(root, dataset, len(writer.dates), notices)


def _common_bands(
    acquisitions: Sequence[Acquisition], fill: Mapping[str, str]
) -> tuple[list[Acquisition], dict[str, tuple[str, ...]], list[str]]:
    """Fill missing bands as asked, and find the bands that all dates of a sensor have.

    Returns:
        The acquisitions, the bands by sensor in the layout's order, and notices.

    Raises:
        ImportAreaError: a date lacks a band that others have.
    """
    filled, notices = _fill_bands(acquisitions, fill)
    common = {}
    for sensor, order in MULTISENGE.bands.items():
        of_sensor = [a for a in filled if a.sensor == sensor]
        if not of_sensor:
            continue
        present = set()
        for acquisition in of_sensor:
            present.update(acquisition.band_names)
        common[sensor] = tuple(band for band in order if band in present)
        for acquisition in of_sensor:
            _check_has_bands(acquisition, common[sensor])
        absent = [band for band in order if band not in present]
        if absent:
            notices.append(
                f"{sensor} has no {', '.join(absent)}; networks will use the remaining bands"
            )
    return filled, common, notices


def _fill_bands(
    acquisitions: Sequence[Acquisition], fill: Mapping[str, str]
) -> tuple[list[Acquisition], list[str]]:
    """Fill missing bands as asked; a band that is there is never replaced."""
    notices = []
    filled = []
    for acquisition in acquisitions:
        parts = [dict(part) for part in acquisition.parts]
        for missing, other in fill.items():
            if missing not in acquisition.band_names and other in acquisition.band_names:
                for part in parts:
                    part[missing] = part[other]
                notices.append(f"{missing} is filled from {other}")
        filled.append(replace(acquisition, parts=tuple(parts)))
    return filled, list(dict.fromkeys(notices))  # once for all dates


def _check_has_bands(acquisition: Acquisition, bands: Sequence[str]) -> None:
    """Refuse a date that lacks one of these bands: a network reads the same bands at every date."""
    for band in bands:
        if band not in acquisition.band_names:
            stand_in = _stand_in(band, acquisition)
            names = {source.name for source in acquisition.sources}
            rejected = "all files of this date" if len(names) > 1 else names.pop()
            raise ImportAreaError(
                f"{acquisition.title} has no {band}, which other dates have: give it"
                f"{stand_in}, or leave out {rejected}"
            )


def _stand_in(band: str, acquisition: Acquisition) -> str:
    """Advise on a band to fill a missing one from: the nearest one that the date has."""
    if acquisition.sensor == "s1":  # VV is several decibels above VH
        return ""
    others = [other for other in _WAVELENGTHS if other in acquisition.band_names]
    if not others:
        return ""
    # The nearer two bands lie, the more alike they are.
    own = _WAVELENGTHS[band]
    nearest = min(others, key=lambda other: abs(_WAVELENGTHS[other] - own))
    return f", or fill it from another band, such as --fill {band}={nearest}"


def _write_patches(
    writer: PatchWriter,
    acquisitions: Sequence[Acquisition],
    bands: Mapping[str, Sequence[str]],
    options: ImportOptions,
) -> list[str]:
    """Write the patches of all images and of the reference.

    The reference's ids are checked before any image is cut, which may take hours.
    """
    if options.reference is None:
        notices = _write_images(writer, acquisitions, bands, options.progress)
    else:
        with open_reference(options.reference, writer.grid) as reference:
            notices = list(reference.notices)
            notices += _look_at_reference(writer, reference, options.reference)
            notices += _write_images(writer, acquisitions, bands, options.progress)
            for row in writer.rows:
                writer.write_reference(row, reference.read(row, writer.size))
    writer.write_labels()
    return notices


def _look_at_reference(
    writer: PatchWriter, reference: Reference, options: ReferenceOptions
) -> list[str]:
    """Say what share of the patches' pixels a reference labels; its ids are checked on the way.

    Raises:
        ImportAreaError: the reference labels no pixel of a patch, holds other class ids, or ids
            that may count from 0.
    """
    classes = len(options.class_names)
    pixels_by_id = np.zeros(classes + 1, np.int64)
    for row in writer.rows:
        ids = reference.read(row, writer.size)
        in_patches = ids[:, : writer.used_width]
        pixels_by_id += np.bincount(in_patches.ravel(), minlength=classes + 1)
    labelled = pixels_by_id[1:]
    if not labelled.any():
        raise ImportAreaError(
            f"{printable(options.path)} does not overlap the patches, or is empty there: give a "
            "reference of the same area"
        )
    share = labelled.sum() / pixels_by_id.sum()
    if not labelled[-1]:
        check_first_id(reference, options, unlabelled=1 - share)
    notices = [f"the reference labels {share:.0%} of the pixels"]
    absent = [
        f"{class_id} ({printable(name)})"
        for class_id, name in enumerate(options.class_names, 1)
        if not labelled[class_id - 1]
    ]
    if absent:
        listed = ", ".join(absent[:3]) + (", ..." if len(absent) > 3 else "")
        notices.append(f"the reference holds no pixel of class {listed}; class ids count from 1")
    return notices


def _write_images(
    writer: PatchWriter,
    acquisitions: Sequence[Acquisition],
    bands: Mapping[str, Sequence[str]],
    progress: bool,
) -> list[str]:
    summaries = {}
    bar = tqdm(acquisitions, desc="importing", unit=" dates", disable=hide_bar(progress))
    for acquisition in bar:
        summary = writer.write_acquisition(acquisition, bands[acquisition.sensor])
        summaries[acquisition.title] = summary
    notices = value_notices(summaries)
    if not writer.dates:
        reasons = "".join(f"; {notice}" for notice in notices[:3])
        raise ImportAreaError(
            f"no image covers at least half of any patch: nothing to import{reasons}"
        )
    if writer.too_little_data:
        dates = counted(writer.too_little_data, "date of a patch", "dates of patches")
        notices.append(
            f"{dates} left out, at the images' edges or under clouds: less than half of the pixels "
            "have data"
        )
    return notices
