"""A user's own co-registered images, cut into patches in the published layout.

Label files and `dataset.toml` are written, and whatever was changed or left out is reported. What
cannot be inferred, such as the unit of backscatter, must be given. A new data root is written
beside its place and moved there once it is whole.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any, get_args

import numpy as np
from tqdm import tqdm

from multisenge_lib.area.acquisitions import Acquisition
from multisenge_lib.area.band_source import Placement
from multisenge_lib.area.cubes import is_cube_in_memory
from multisenge_lib.area.cutting import AcquisitionSummary, PatchWriter, days_by_sensor
from multisenge_lib.area.draft import draft_dataset
from multisenge_lib.area.products import ProcessingBaseline, band_in, used_bands
from multisenge_lib.area.reference import (
    VECTOR_FOLDER,
    Reference,
    ReferenceOptions,
    open_reference,
)
from multisenge_lib.area.selected_patches import describe_selected
from multisenge_lib.area.sources import find_images
from multisenge_lib.area.target_grid import TargetGrid, find_target_grid, patch_name
from multisenge_lib.area.target_root import check_empty, fill_root
from multisenge_lib.area.units import InputUnits, S1Unit
from multisenge_lib.dataset import (
    BLOCKS,
    LABELS,
    MULTISENGE,
    PIXEL,
    S1_BANDS,
    S2_BANDS,
    SIZE_MULTIPLE,
    Dataset,
    Typology,
    check_projections,
    make_typology,
    month_of,
    months_in_words,
    read_index,
    write_dataset_toml,
)
from multisenge_lib.errors import ImportAreaError, SelectionError, counted, printable

_LARGEST_SIZE = 512


@dataclass(frozen=True)
class ImportOptions:
    """The user's options for an import; see `import_area`."""

    name: str
    reference: ReferenceOptions | None
    size: int
    units: InputUnits
    bands: Mapping[str, Sequence[str]]
    fill: Mapping[str, str]
    crs: str | None
    progress: bool


@dataclass(frozen=True)
class ImportResult:
    """The result of an import, with its notices.

    Attributes:
        root: the data root.
        dataset: its description, as in its `dataset.toml`.
        patches: how many patches were written.
        notices: one message per input that was changed or left out.
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
        reference: a raster or vector of class ids; no data is 0 or the raster's no-data value.
            Without a reference the area can be mapped, but not trained on.
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
    root = Path(root).resolve()
    units = units or InputUnits()
    # Accept a single folder or cube as well as a list.
    if isinstance(sources, str | Path) or is_cube_in_memory(sources):
        sources = [sources]
    typology = _typology_of(classes) if classes else MULTISENGE.published
    options = ImportOptions(
        name=name or root.name,
        reference=_reference_options(reference, typology, reclass or {}, attribute, units),
        size=size,
        units=units,
        bands=_user_bands(s1_bands, s2_bands),
        fill=fill or {},
        crs=None if crs is None else str(crs),
        progress=progress,
    )
    _check_options(options)
    reference_path = options.reference.path if options.reference else None
    check_empty(root)

    images = find_images(sources, options.bands, options.crs, reference_path)
    notices = list(images.notices)
    acquisitions, bands, band_notices = _common_bands(images.acquisitions, options.fill)
    notices += band_notices
    grid, off_grid = find_target_grid(acquisitions)
    notices += _resampling_notices(grid, off_grid, units)
    notices += _offset_notices(acquisitions, units)
    notices += _size_notices(size, grid)

    describe = partial(
        draft_dataset,
        options.name,
        size=size,
        bands=bands,
        published=typology if classes else None,
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
        notices += _selection_notices(folder, dataset)
    notices += _touching_blocks(dataset)
    return ImportResult(root, dataset, len(writer.dates), notices)


def _typology_of(names: Sequence[str]) -> Typology:
    """Classes of a user's own, in MultiSenGE's colours, which begin again when they run out."""
    colors = cycle(MULTISENGE.published.colors)
    classes = []
    for class_id, name in enumerate(names, 1):
        classes.append((name, next(colors), (class_id,)))
    return make_typology(classes)


def _reference_options(
    path: Path | str | None,
    typology: Typology,
    reclass: Mapping[Any, int],
    attribute: str | None,
    units: InputUnits,
) -> ReferenceOptions | None:
    if path is None:
        if reclass or attribute:
            raise ImportAreaError("--reclass and --attribute need a reference: give --reference")
        return None
    path = Path(path)
    is_vector_folder = path.suffix.lower() == VECTOR_FOLDER and path.is_dir()
    if not path.is_file() and not is_vector_folder:
        raise ImportAreaError(
            f"the reference {printable(path)} is no file: give a raster or vector"
        )
    for old, new in reclass.items():
        if not isinstance(new, int | np.integer) or not 0 <= new <= len(typology):
            raise ImportAreaError(
                f"reclass {old}={new}: class ids are 1 to {len(typology)}, and 0 for no data; name "
                "other classes with --classes"
            )
    # As text, because a raster holds numbers, and the column of a vector may hold names.
    by_text = {str(old): int(new) for old, new in reclass.items()}
    return ReferenceOptions(path, typology.names, by_text, attribute, units.no_data)


def _user_bands(s1_bands: Sequence[str], s2_bands: Sequence[str]) -> dict[str, list[str]]:
    """Read the order of bands that the user gives, by sensor; `-` for a band of no use."""
    by_sensor = {}
    for sensor, names in (("s1", s1_bands), ("s2", s2_bands)):
        if not names:
            continue
        bands = []
        for name in names:
            band = name if name == "-" else band_in(name, sensor)
            if band is None:
                raise ImportAreaError(
                    f"{sensor} bands: {printable(name)!r} names none; give "
                    f"{', '.join(used_bands(sensor))}, and - for one of no use"
                )
            bands.append(band)
        named = [band for band in bands if band != "-"]
        if len(set(named)) < len(named):
            raise ImportAreaError(f"{sensor} bands {', '.join(bands)}: give each once")
        by_sensor[sensor] = bands
    return by_sensor


def _check_options(options: ImportOptions) -> None:
    """Refuse impossible options before any file is opened."""
    units = options.units
    if units.s1 not in (None, *get_args(S1Unit)):
        choices = ", ".join(get_args(S1Unit))
        raise ImportAreaError(f"unit {units.s1!r} of Sentinel-1: give one of {choices}")
    scale = 1 if units.s2_scale is None else units.s2_scale
    offset = units.s2_offset or 0
    if not (np.isfinite(scale) and scale > 0 and np.isfinite(offset)):
        raise ImportAreaError(
            f"scale {scale} and offset {offset} of Sentinel-2: give numbers, the scale above 0"
        )
    if offset > 0:
        raise ImportAreaError(
            f"offset {offset:g} of Sentinel-2: it is added to stored values, so what undoes ESA's "
            "addition is negative: give -1000, or -0.1 where reflectance is stored from 0 to 1"
        )
    for missing, other in options.fill.items():
        if {missing, other} <= {*S1_BANDS}:
            raise ImportAreaError(
                f"fill {missing}={other}: VV is several decibels above VH, so neither stands in "
                "for the other; leave out the dates that lack one"
            )
        if not {missing, other} <= {*S2_BANDS}:
            raise ImportAreaError(f"fill {missing}={other}: give two bands of Sentinel-2")
    size = options.size
    if size % SIZE_MULTIPLE or not SIZE_MULTIPLE <= size <= _LARGEST_SIZE:
        raise ImportAreaError(
            f"patch size {size}: give a multiple of {SIZE_MULTIPLE}, up to {_LARGEST_SIZE}"
        )


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
            notices.append(f"{sensor} has no {', '.join(absent)}: networks read the others only")
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
            several = len(acquisition.parts) > 1
            rejected = "all files of this date" if several else acquisition.sources[0].name
            raise ImportAreaError(
                f"{acquisition.title} has no {band}, which other dates have: give it"
                f"{stand_in}, or leave out {rejected}"
            )


def _stand_in(band: str, acquisition: Acquisition) -> str:
    """Advise on a band to fill a missing one from: the nearest one that the date has."""
    if acquisition.sensor == "s1":  # VV is several decibels above VH
        return ""
    # By wavelength: the nearer two bands lie, the more alike they are.
    order = list(used_bands(acquisition.sensor))
    others = [b for b in order if b in acquisition.band_names]
    if not others:
        return ""
    nearest = min(others, key=lambda other: abs(order.index(other) - order.index(band)))
    return f", or fill it from another band, such as --fill {band}={nearest}"


def _resampling_notices(
    grid: TargetGrid, off_grid: Sequence[Placement], units: InputUnits
) -> list[str]:
    notices = []
    if off_grid:
        first = off_grid[0]
        place = first.transform
        pixels = f"{first.pixel_width:g} x {first.pixel_height:g}"
        pixels_and_corner = f"{pixels} from {place.c:.10g}, {place.f:.10g}"
        rasters = counted(
            len(off_grid),
            "raster lies on another grid and is resampled",
            "rasters lie on another grid and are resampled",
        )
        notices.append(
            f"{rasters} to pixels of {PIXEL} m in {grid.crs} (mean of finer pixels, bilinear "
            f"between coarser ones), such as {first.name} ({first.crs}, {pixels_and_corner})"
        )
    # A mean of decibels or of amplitudes is lower than that of intensities: by about 0.4 dB for
    # four pixels of speckle of four looks, and by more where bright and dark ground meet.
    uneven = [p for p in off_grid if p.sensor == "s1" and units.s1 in ("db", "dn")]
    if uneven:
        rasters = counted(
            len(uneven),
            f"of them holds {units.s1} and is resampled as stored",
            f"of them hold {units.s1} and are resampled as stored",
        )
        notices.append(
            f"{rasters}, which darkens by about 0.4 dB on even ground and more at edges, such as "
            f"{uneven[0].name}: convert to linear units, then warp"
        )
    return notices


def _offset_notices(acquisitions: Sequence[Acquisition], units: InputUnits) -> list[str]:
    """Say which offsets processing baselines give, and compare the user's with them.

    Raises:
        ImportAreaError: the user gives an offset for products whose baseline has none.
    """
    # Since January 2022 ESA adds 1000 to reflectance, so that the noise of dark pixels is not cut
    # off at 0. The metadata give what undoes it, an offset of -1000.
    baselines = _baselines(acquisitions)
    with_offset = {name: baseline for name, baseline in baselines.items() if baseline.offset}
    without_offset = {name: baseline for name, baseline in baselines.items() if not baseline.offset}
    if units.s2_offset and without_offset:
        name, baseline = next(iter(without_offset.items()))
        raise ImportAreaError(
            f"{name} is of processing baseline {baseline.name} ({baseline.where}), which has no "
            f"offset: leave out --s2-offset {units.s2_offset:g}; the offset of each product is "
            "read from its name or metadata"
        )
    if not with_offset:
        return []
    name, baseline = next(iter(with_offset.items()))
    rasters = counted(len(with_offset), "raster is", "rasters are")
    if not units.says_reflectance:
        return [
            f"{rasters} of ESA's processing baseline 04.00 or later: an offset of "
            f"{baseline.offset:g} is applied, such as to {name} ({baseline.name} in "
            f"{baseline.where}); give --s2-offset 0 if that was done before"
        ]
    chosen = units.s2_offset or 0
    if chosen == baseline.offset:
        return []
    return [
        f"{rasters} of a processing baseline with an offset of {baseline.offset:g}, such as {name} "
        f"({baseline.name}); your scale and offset of {chosen:g} count instead"
    ]


def _baselines(acquisitions: Sequence[Acquisition]) -> dict[str, ProcessingBaseline]:
    """The processing baseline of each source that has one, by the source's name."""
    baselines = {}
    for acquisition in acquisitions:
        for source in acquisition.sources:
            if source.baseline is not None:
                baselines[source.name] = source.baseline
    return baselines


def _size_notices(size: int, grid: TargetGrid) -> list[str]:
    """Say which pixels fill no patch.

    Raises:
        ImportAreaError: no patch fits.
    """
    smallest = min(grid.width, grid.height)
    if smallest < size:
        covered = f"the images cover {grid.height}x{grid.width} pixels of {PIXEL} m"
        if smallest < SIZE_MULTIPLE:
            raise ImportAreaError(
                f"{covered}, the smallest patch has {SIZE_MULTIPLE}x{SIZE_MULTIPLE}: give images "
                "of a larger area"
            )
        fitting = smallest // SIZE_MULTIPLE * SIZE_MULTIPLE
        raise ImportAreaError(
            f"{covered}, a patch has {size}x{size}: give a smaller --size, such as {fitting}"
        )
    columns = grid.width % size
    rows = grid.height % size
    if columns or rows:
        in_the_east = counted(columns, "column", "columns")
        in_the_south = counted(rows, "row", "rows")
        return [f"{in_the_east} in the east and {in_the_south} in the south fill no patch"]
    return []


def _write_patches(
    writer: PatchWriter,
    acquisitions: Sequence[Acquisition],
    bands: Mapping[str, Sequence[str]],
    options: ImportOptions,
) -> list[str]:
    """Write the patches of all images and of the reference.

    The reference's ids are checked before any image is cut.
    """
    if options.reference is None:
        notices = _write_images(writer, acquisitions, bands, options.progress)
    else:
        with open_reference(options.reference, writer.grid) as reference:
            notices = list(reference.notices)
            # Wrong ids are refused before images are cut, which may take hours.
            share = _labelled_share(writer, reference, options.reference)
            notices.append(f"the reference labels {share:.0%} of the pixels")
            notices += _write_images(writer, acquisitions, bands, options.progress)
            for row in writer.rows:
                writer.write_reference(row, reference.read(row, writer.size))
    writer.write_labels()
    return notices


def _labelled_share(writer: PatchWriter, reference: Reference, options: ReferenceOptions) -> float:
    """The share of the area's pixels that a reference labels; its ids are checked on the way.

    Raises:
        ImportAreaError: it labels no pixel, or holds other class ids.
    """
    shares = []
    for row in writer.rows:
        ids = reference.read(row, writer.size)
        shares.append(np.count_nonzero(ids) / ids.size)
    if not any(shares):
        raise ImportAreaError(
            f"{printable(options.path)} labels no pixel of the images: give one of their place"
        )
    return float(np.mean(shares))


def _write_images(
    writer: PatchWriter,
    acquisitions: Sequence[Acquisition],
    bands: Mapping[str, Sequence[str]],
    progress: bool,
) -> list[str]:
    summaries = {}
    bar = tqdm(acquisitions, desc="importing", unit=" dates", disable=None if progress else True)
    for acquisition in bar:
        summary = writer.write_acquisition(acquisition, bands[acquisition.sensor])
        summaries[acquisition.title] = summary
    notices = _notices_of(summaries)
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


def _notices_of(summaries: Mapping[str, AcquisitionSummary]) -> list[str]:
    """Write the notices about the values of the acquisitions, once all are cut.

    Args:
        summaries: what cutting an acquisition showed, by the acquisition's title.
    """
    notices = []
    tagged = []
    tags_overridden = []
    probably_offset = []
    for title, summary in summaries.items():
        notices += summary.notices(title)
        tagged += summary.tagged
        tags_overridden += summary.overruled
        if summary.brightened:
            probably_offset.append(title)
    if tagged:
        bands_with_tags = counted(len(tagged), "band has", "bands have")
        notices.append(
            f"{bands_with_tags} scale or offset tags, which are applied, such as {tagged[0]}"
        )
    if tags_overridden:
        bands_with_tags = counted(len(tags_overridden), "band has", "bands have")
        notices.append(
            f"{bands_with_tags} scale or offset tags; what you say counts instead, such as for "
            f"{tags_overridden[0]}"
        )
    if probably_offset:
        notices.append(
            f"{', '.join(probably_offset[:3])}: almost no pixel is darker than 1000 in B2-B4. "
            "Products since January 2022 carry an offset; if yours do, give --s2-offset -1000"
        )
    return notices


def _selection_notices(root: Path, dataset: Dataset) -> list[str]:
    """Say what the drafted months and days gap leave out, and how many patches are selected."""
    index = read_index(root / LABELS, dataset)
    notices = []
    for sensor in dataset.sensors:
        months = month_of(np.concatenate(list(index[f"{sensor}_dates"])))
        unused = sorted(set(months.tolist()) - set(dataset.months))
        if unused:
            notices.append(
                f"{sensor} has images of {months_in_words(unused)}, which dataset.toml leaves out "
                "of its months: fewer than half of the patches have images of all sensors there"
            )
    if dataset.days_gap != MULTISENGE.days_gap:
        notices.append(
            f"images of one month and the next are less than {MULTISENGE.days_gap} days apart, so "
            f"days_gap of dataset.toml is {dataset.days_gap}"
        )
    try:
        sentence, selected = describe_selected(index, dataset)
    except SelectionError as error:
        return [*notices, f"no patch is selected for training or maps; {error}"]
    if selected < len(index):
        notices.append(sentence)
    return notices


def _touching_blocks(dataset: Dataset) -> list[str]:
    """Warn where blocks of different splits keep no distance."""
    if BLOCKS not in dataset.split_of_tile.values() or dataset.blocks.distance:
        return []
    return [
        f"the area is small: its blocks of {dataset.blocks.size} m keep no distance, so patches of "
        "training and test touch, and scores come out too high; a smaller --size keeps them apart, "
        "or a distance under [blocks] of dataset.toml"
    ]
