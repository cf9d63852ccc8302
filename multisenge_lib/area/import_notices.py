"""The notices of an import: what was changed or left out, one sentence each."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from multisenge_lib.area.acquisitions import Acquisition
from multisenge_lib.area.band_source import Placement
from multisenge_lib.area.cutting import AcquisitionSummary
from multisenge_lib.area.products import ProcessingBaseline
from multisenge_lib.area.selected_patches import describe_selected
from multisenge_lib.area.target_grid import TargetGrid, lies_on_grid
from multisenge_lib.area.units import InputUnits
from multisenge_lib.dataset import (
    BLOCKS,
    LABELS,
    MULTISENGE,
    PIXEL,
    SIZE_MULTIPLE,
    Dataset,
    month_of,
    months_in_words,
    read_index,
)
from multisenge_lib.errors import ImportAreaError, SelectionError, counted


def placement_notices(
    grid: TargetGrid, placements: Sequence[Placement], units: InputUnits
) -> list[str]:
    """Say which rasters are resampled to the target grid, and what this does to their values."""
    notices = []
    own_crs = [placement for placement in placements if placement.unused_crs is not None]
    if own_crs:
        first = own_crs[0]
        rasters = counted(len(own_crs), "raster names a projection", "rasters name a projection")
        notices.append(
            f"{rasters}, which counts instead of {first.unused_crs}, such as {first.name} "
            f"({first.stored_crs}): correct it in the file if it is wrong"
        )
    off_grid = [p for p in placements if not lies_on_grid(p.transform, p.crs, grid.crs)]
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


def offset_notices(acquisitions: Sequence[Acquisition], units: InputUnits) -> list[str]:
    """Say which offsets processing baselines give, and compare the user's with them.

    Raises:
        ImportAreaError: the user gives an offset for products whose baseline has none.
    """
    # Since January 2022 ESA adds 1000 to reflectance, so that the noise of dark pixels is not cut
    # off at 0. The metadata give what undoes it, an offset of -1000.
    baselines = _baselines(acquisitions)
    with_offset = {name: baseline for name, baseline in baselines.items() if baseline.offset}
    without_offset = {
        name: baseline
        for name, baseline in baselines.items()
        if not baseline.may_have_offset and baseline.contradicted_by is None
    }
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


def size_notices(size: int, grid: TargetGrid) -> list[str]:
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


def value_notices(summaries: Mapping[str, AcquisitionSummary]) -> list[str]:
    """Write the notices about the values of the acquisitions, once all are cut.

    Args:
        summaries: what cutting an acquisition showed, by the acquisition's title.
    """
    notices = []
    tagged = []
    tags_overridden = []
    probably_offset = []
    fills = []
    for title, summary in summaries.items():
        notices += summary.notices(title)
        tagged += summary.tagged
        tags_overridden += summary.overruled
        if summary.brightened:
            probably_offset.append(title)
        if summary.suspected_fill is not None:
            fills.append(summary.suspected_fill)
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
    if fills:
        name, number, share = fills[0]
        images = counted(len(fills), "image holds", "images hold")
        notices.append(
            f"{images} one number in all bands of many pixels, such as {number:.7g} in {share:.1%} "
            f"of {name}: if it is no data, give --no-data {number:.7g}"
        )
    return notices


def selection_notices(root: Path, dataset: Dataset) -> list[str]:
    """Say what the drafted months and days gap leave out, and how many patches are selected."""
    index = read_index(root / LABELS, dataset)
    notices = []
    has_images = [index[f"{sensor}_dates"].map(len) > 0 for sensor in dataset.sensors]
    if not np.logical_and.reduce(has_images).any():
        return [
            "no patch is selected, because none has images of both sensors: give images of both "
            "that show the same ground, or a smaller --size"
        ]
    for sensor in dataset.sensors:
        months = month_of(np.concatenate(list(index[f"{sensor}_dates"])))
        unused = sorted(set(months.tolist()) - set(dataset.months))
        if unused:
            notices.append(
                f"{sensor} has images of {months_in_words(unused)}, which dataset.toml leaves out: "
                "it lists months of one year in which at least half of the patches with images of "
                "each sensor have one of each"
            )
    if dataset.days_gap != MULTISENGE.days_gap:
        notices.append(
            f"images of one month and the next are less than {MULTISENGE.days_gap} days apart, so "
            f"days_gap of dataset.toml is {dataset.days_gap}"
        )
    try:
        sentence, selected = describe_selected(index, dataset)
    except SelectionError as error:
        return [*notices, f"no patch is selected; {error}"]
    if selected < len(index):
        notices.append(sentence)
    return notices


def touching_blocks(dataset: Dataset) -> list[str]:
    """Warn where blocks of different splits keep no distance."""
    if BLOCKS not in dataset.split_of_tile.values() or dataset.blocks.distance:
        return []
    return [
        f"the area is small: its blocks of {dataset.blocks.size} m keep no distance, so patches of "
        "training and test touch, and scores come out too high; a smaller --size keeps them apart, "
        "or a distance under [blocks] of dataset.toml"
    ]
