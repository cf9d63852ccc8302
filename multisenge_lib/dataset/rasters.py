"""Read the rasters of one patch, and check each of them.

Three kinds of files make a patch: one Sentinel-2 raster per date (ten bands, 16-bit, reflectance x
10,000), one Sentinel-1 raster per date (VV and VH, float32, linear intensity) and one reference
(class ids 1 to 14). A raster that is damaged or not of that layout is refused by name. Nothing is
fixed silently.

This module reads pixels and puts checks and order together. The checks of files, layout and
position are in `raster_checks`, those of values in `values`, the order of bands in `bands`, and
what "no data" means in `nodata`. No data becomes 0. The loss ignores it in the reference. In the
images the pixels stay in the series: the paper masks nothing, and its images have less than 10 % of
clouds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine
from rasterio.errors import RasterioError
from rasterio.io import MemoryFile

from multisenge_lib.dataset.bands import (
    band_names_problem,
    band_positions,
    bands_named,
    check_band_order,
)
from multisenge_lib.dataset.layout import (
    MULTISENGE,
    BandOrder,
    Dataset,
    is_sample,
    raster_path,
)
from multisenge_lib.dataset.plausibility import pixel_problems
from multisenge_lib.dataset.raster_checks import (
    PatchOrigin,
    alignment_problems,
    file_problem,
    layout_problems,
    origin_of_patch,
    position_problems,
    why_unreadable,
)
from multisenge_lib.dataset.root import dataset_of_root
from multisenge_lib.dataset.values import image_bands, read_values
from multisenge_lib.errors import BandOrderError, PatchError, printable

#: Without it GDAL lists the folder at each file opened: a million names in the published `s1/`.
GDAL = {"GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR"}
#: For files read into memory whole: uncompressed pixels are taken from there, past GDAL's cache.
#: Not for files on disk: one that is cut short while it is mapped would end the process.
READING = GDAL | {"GTIFF_VIRTUAL_MEM_IO": "YES"}


@dataclass(frozen=True)
class Patch:
    """The series and the reference of one patch; what was not asked for is None.

    Attributes:
        s1: `(dates, height, width, 2) float32`, linear backscatter, VV and VH.
        s2: `(dates, height, width, 10) uint16`, reflectance x 10,000, in the order `S2_BANDS`.
        reference: `(height, width) uint8`, class ids 1 to 14, 0 for no data.
    """

    s1: np.ndarray | None
    s2: np.ndarray | None
    reference: np.ndarray | None


@dataclass(frozen=True)
class Raster:
    """The pixels of one raster in the units of the layout, with 0 for no data.

    Attributes:
        pixels: `(bands, height, width)`; Sentinel-1 float32, else of the file's type.
        names: descriptions of the bands.
        transform: from its pixels to metres; the rasters of one patch share them.
    """

    pixels: np.ndarray
    names: tuple[str | None, ...]
    transform: Affine


def _read_and_check(
    path: Path, kind: str, origin: PatchOrigin, first_raster: Raster | None, dataset: Dataset
) -> tuple[list[str], Raster | None]:
    """Read one raster; see `inspect_raster`, which also looks at the names of the bands."""
    problem = file_problem(path)
    if problem is not None:
        return [problem], None
    problems = []
    try:
        # Read whole and at once: GDAL itself would ask the disk for many small pieces.
        with MemoryFile(path.read_bytes()) as memory, memory.open(driver="GTiff") as source:
            wrong_layout = layout_problems(source, kind, dataset)
            problems += wrong_layout
            problems += position_problems(source, origin)
            if first_raster is not None:
                shape = first_raster.pixels.shape[1:]
                problems += alignment_problems(source, shape, first_raster.transform)
            if wrong_layout:
                return problems, None
            bands = image_bands(source)
            pixels = read_values(source, kind, bands)
            names = tuple(source.descriptions[band - 1] for band in bands)
            raster = Raster(pixels, names, source.transform)
    # ValueError: rasterio cannot decode a damaged name.
    except (RasterioError, OSError, ValueError, MemoryError):
        return [*problems, why_unreadable(path)], None
    named = None if kind == "reference" else bands_named(names, kind)
    problems += pixel_problems(pixels, kind, len(dataset.reference_classes), named)
    return problems, raster


def inspect_raster(
    path: Path,
    kind: str,
    origin: PatchOrigin,
    first_raster: Raster | None = None,
    dataset: Dataset = MULTISENGE,
) -> tuple[list[str], Raster | None]:
    """Read one raster, and find all that is wrong with it.

    Args:
        path: path of a GeoTIFF.
        kind: `s1`, `s2` or `reference`.
        origin: where it must lie.
        first_raster: the raster of the patch that was read first, whose pixels it must share; None
            for the first itself.
        dataset: gives the bands and class ids.

    Returns:
        The problems, one sentence each; and the raster, or None where it cannot be read or has
        another number or type of bands.
    """
    problems, raster = _read_and_check(path, kind, origin, first_raster, dataset)
    if raster is not None and kind != "reference":
        problem = band_names_problem(raster.names, dataset.bands[kind], kind)
        if problem is not None:
            problems.append(problem)
    return problems, raster


def read_raster(
    path: Path,
    kind: str,
    origin: PatchOrigin,
    first_raster: Raster | None = None,
    dataset: Dataset = MULTISENGE,
) -> Raster:
    """Read one raster, or raise its first problem; arguments as in `inspect_raster`.

    The names of the bands are left to `order_bands`, whose error is never skipped.

    Raises:
        PatchError: it is missing, damaged, or not of the published layout; one line.
    """
    problems, raster = _read_and_check(path, kind, origin, first_raster, dataset)
    if not problems:
        return raster
    remedy = (
        "fetch it again if it was downloaded, or write it anew in the layout, as `multisenge "
        "import` does; to leave such patches out: on_error='skip' (notebook: -p on_error skip)"
    )
    if is_sample(dataset.name):
        remedy = (
            "delete the folder of the sample, the one in the cache is written again by itself, "
            "another one by `multisenge sample FOLDER`"
        )
    elif problems[0] == "is missing" and kind == "reference":
        remedy = "fetch it, because training and scores need the reference of each patch"
    elif problems[0] == "is missing":
        remedy = "fetch it, or select among the files on disk with load_selection(root)"
    # Most problems end with what to do about them, after a colon.
    separator = "; or " if ": " in problems[0] else ": "
    raise PatchError(f"{printable(path)} {problems[0]}{separator}{remedy}")


def order_bands(
    path: Path, raster: Raster, sensor: str, order: BandOrder, dataset: Dataset
) -> np.ndarray:
    """Put the bands of a raster into the dataset's order.

    Returns:
        `(height, width, bands)`, `float32` for Sentinel-1, `uint16` for Sentinel-2.

    Raises:
        BandOrderError: it is in doubt which band is which.
    """
    try:
        positions = band_positions(
            raster.names, lambda: raster.pixels, dataset.bands[sensor], sensor, order
        )
    except BandOrderError as error:
        raise BandOrderError(f"{printable(path)} {error}") from None
    pixels = raster.pixels
    if positions != sorted(positions):  # else the bands lie in order, and need no copy
        pixels = pixels[positions]
    image = np.moveaxis(pixels, 0, -1)
    if sensor == "s2":
        image = image.astype(np.uint16, copy=False)
    return image


def check_sensors(sensors: Sequence[str] | None, dataset: Dataset) -> tuple[str, ...]:
    """Return the sensors to read; by default those of the dataset.

    Raises:
        PatchError: a sensor that the dataset does not have, or a string instead of a list.
    """
    if sensors is None:
        return dataset.sensors
    if isinstance(sensors, str):
        raise PatchError(f"sensors {sensors!r}: give a list of names, such as ['s1', 's2']")
    for sensor in sensors:
        if sensor not in dataset.sensors:
            raise PatchError(f"sensor {sensor!r}: choose among {', '.join(dataset.sensors)}")
    return tuple(sensors)


def _check_row(row: Any) -> None:
    """Refuse anything that is not a row of a selection, such as the name of a patch."""
    columns = ("patch", "s1_dates", "s2_dates")
    # A table has these columns too, but its `patch` is not one name.
    is_row = all(hasattr(row, column) for column in columns) and isinstance(row.patch, str)
    if not is_row:
        raise PatchError(
            f"{str(row)[:60]!r} is no row of a selection, which has {', '.join(columns)}: take one "
            "from load_selection(root), such as selection[selection.patch == name].iloc[0]"
        )


def _series_files(root: Path | str, row: Any, sensor: str) -> list[Path]:
    """The rasters of a patch's series, in order of date."""
    days = getattr(row, f"{sensor}_dates")
    if days is None or len(days) == 0:
        raise PatchError(f"{row.patch} has no {sensor} date selected: ask for other sensors")
    return [raster_path(root, sensor, row.patch, day) for day in days]


def read_patch(
    root: Path | str,
    row: Any,
    sensors: Sequence[str] | None = None,
    band_order: BandOrder = "spectral",
    reference: bool = True,
    dataset: Dataset | None = None,
) -> Patch:
    """Read one patch, checking every raster.

    Args:
        root: the data root.
        row: a row of a selection: `patch`, `s1_dates`, `s2_dates`.
        sensors: which of `s1` and `s2` to read; by default those of the dataset.
        band_order: the order in Sentinel-2 files that do not name their bands. Where one does, the
            names count. An order that the vegetation in the file contradicts is refused.
        reference: whether to read the reference.
        dataset: the root's dataset; by default as the root describes itself.

    Raises:
        PatchError: a raster is missing, damaged, or not of the published layout; one line.
        BandOrderError: it is in doubt which band is which.

    Examples:
        >>> import multisenge_lib as ms
        >>> root = ms.find_data_root()
        >>> selection = ms.load_selection(root)
        >>> patch = ms.read_patch(root, selection.iloc[0])
        >>> patch.s2.shape  # dates, rows, columns, bands
        (4, 64, 64, 10)
        >>> patch.s1.shape
        (4, 64, 64, 2)
        >>> patch.reference.shape
        (64, 64)
    """
    check_band_order(band_order)
    _check_row(row)
    if dataset is None:
        dataset = dataset_of_root(root)
    sensors = check_sensors(sensors, dataset)
    files = {sensor: _series_files(root, row, sensor) for sensor in sensors}
    origin = origin_of_patch(row.patch)

    first_raster = None
    class_ids = None
    images: dict[str, list[np.ndarray]] = {sensor: [] for sensor in sensors}
    with rasterio.Env(**READING):
        if reference:
            path = raster_path(root, "reference", row.patch)
            first_raster = read_raster(path, "reference", origin, None, dataset)
            class_ids = first_raster.pixels[0].astype(np.uint8)
        for sensor in sensors:
            for path in files[sensor]:
                raster = read_raster(path, sensor, origin, first_raster, dataset)
                if first_raster is None:
                    first_raster = raster
                images[sensor].append(order_bands(path, raster, sensor, band_order, dataset))
    series = {sensor: np.stack(of_dates) for sensor, of_dates in images.items()}
    return Patch(series.get("s1"), series.get("s2"), class_ids)
