"""The rasters that a map is made of: one for each month and sensor, all on one grid.

They are checked once when the stack is opened, against each other and against what the network
takes, and then read a few rows at a time.
"""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine
from rasterio.crs import CRS
from rasterio.errors import CRSError, RasterioError
from rasterio.windows import Window

from multisenge_lib.area import baseline_of, day_in, foreign_band_problem, name_problem
from multisenge_lib.dataset import (
    PIXEL,
    BandOrder,
    band_positions,
    check_image,
    days_of_year,
    file_problem,
    fill_problems,
    image_bands,
    is_north_up_10m,
    is_tagged,
    length_problem,
    looks_cut_off,
    read_values,
    remedy_for,
    type_problem,
    valid_mask,
    whole_number_problem,
    why_unreadable,
    zero_invalid,
)
from multisenge_lib.errors import BandOrderError, PatchError, counted, printable
from multisenge_lib.maps.map_files import raster_stamp
from multisenge_lib.models import months_of_images

#: Rows and columns, at most, of the thinned image in which units and vegetation are looked at.
THUMBNAIL_PIXELS = 512
#: A raster may lie this far off the first one: a hundredth of a pixel, for rounded corners.
GRID_TOLERANCE_METRES = 0.01 * PIXEL
#: The darkest hundredth of an image's reflectance x 10,000 lies below this (water, shadow, forest
#: in the visible), unless ESA's offset of 1000 is still in it.
#: `looks_brightened` asks for 1000: there nothing says that an offset was added, here the baseline
#: does, and correction for the atmosphere may make dark pixels a little negative.
DARK_PIXELS = 900


@dataclass(frozen=True)
class RasterStack:
    """A series of rasters on one grid, read a few rows at a time.

    Attributes:
        paths: paths of each sensor's rasters, in the order of the series.
        band_indexes: which bands to read in each raster, from 1 as rasterio counts them, in the
            network's order; for each sensor and raster, as `paths`.
        grid: `height`, `width`, `crs` and `transform`, as rasterio names them.
        days: the day of the year of each raster, by its name, or else the middle of its month; for
            each sensor `(rasters,) float32`.
    """

    paths: Mapping[str, Sequence[Path]]
    band_indexes: Mapping[str, Sequence[Sequence[int]]]
    grid: Mapping[str, Any]
    days: Mapping[str, np.ndarray]

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.grid["height"], self.grid["width"]

    @property
    def stamps(self) -> dict[str, list[tuple[str, int, int]]]:
        """Path, size and time of change of each raster, by sensor."""
        stamps = {}
        for sensor, paths in self.paths.items():
            stamps[sensor] = [raster_stamp(path) for path in paths]
        return stamps

    def read(self, start: int, stop: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """Read some rows of all rasters.

        Args:
            start: the first row.
            stop: the row after the last.

        Returns:
            For each sensor `(dates, rows, width, bands)`, in the units of the layout, 0 where there
            is no data; and `(rows, width) bool`, where every date of every sensor has data.

        Raises:
            PatchError: a raster cannot be read, or holds values that no sensor measures.
        """
        series = {}
        for sensor, paths in self.paths.items():
            images = []
            for path, bands in zip(paths, self.band_indexes[sensor], strict=True):
                pixels = _read_rows(path, sensor, bands, start, stop)
                images.append(np.moveaxis(pixels, 0, -1))
            series[sensor] = np.stack(images)
        return series, valid_mask(series)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """Open a raster; what GDAL cannot read in it is reported with its name."""
    try:
        with rasterio.open(path) as source:
            yield source
    except UnicodeEncodeError:
        raise PatchError(f"{printable(path)} has a name that is not UTF-8: rename it") from None
    except (RasterioError, ValueError, MemoryError) as error:  # ValueError: a band's damaged name
        problem = why_unreadable(path)
        raise PatchError(f"{printable(path)} {problem}: {remedy_for(error)}") from None


def _read_rows(path: Path, sensor: str, bands: Sequence[int], start: int, stop: int) -> np.ndarray:
    """`(bands, rows, width)`, in the units of the layout, 0 for no data."""
    with _opened(path) as source:
        window = Window(0, start, source.width, stop - start)
        pixels = read_values(source, sensor, bands, window)
    pixels = zero_invalid(pixels, sensor, printable(path))
    # The thinned image may have passed over a small patch of them.
    problems = fill_problems(pixels, sensor)
    if problems:
        raise PatchError(f"{printable(path)} {problems[0]}")
    return pixels


def _read_thumbnail(path: Path, sensor: str, bands: Sequence[int]) -> np.ndarray:
    """A raster thinned to a few hundred rows and columns: `(bands, rows, columns)`."""
    with _opened(path) as source:
        rows = min(source.height, THUMBNAIL_PIXELS)
        columns = min(source.width, THUMBNAIL_PIXELS)
        return read_values(source, sensor, bands, out_shape=(rows, columns))


def open_stack(
    paths: Mapping[str, Sequence[Path | str]],
    bands: Mapping[str, Sequence[str]],
    months: Sequence[int],
    band_order: BandOrder = "spectral",
    any_month: bool = False,
    s1_per_month: int = 1,
) -> RasterStack:
    """Check rasters against each other and against what a network takes.

    Args:
        paths: for each sensor its rasters, in the order of `months`: one of each month, of
            Sentinel-1 as many as `s1_per_month`.
        bands: names of the bands of each sensor that the network takes.
        months: the network's months, 1 to 12.
        band_order: the order of the bands in Sentinel-2 rasters that do not name them.
        any_month: take rasters whose names say another month.
        s1_per_month: Sentinel-1 rasters of each month that the network takes.

    Raises:
        PatchError: a raster is missing or damaged, on another grid, of another month or unit.
        BandOrderError: bands are missing, or it is in doubt which is which.
    """
    months_by_sensor = {}
    for sensor in bands:
        months_by_sensor[sensor] = months_of_images(sensor, tuple(months), s1_per_month)
    _check_numbers(paths, bands, months_by_sensor)
    files = {}
    for sensor in bands:
        files[sensor] = [Path(path) for path in paths[sensor]]
    band_indexes = {}
    first_grid = None
    for sensor, wanted in bands.items():
        band_indexes[sensor] = []
        for path, month in zip(files[sensor], months_by_sensor[sensor], strict=True):
            _check_name(path)
            if not any_month:
                _check_month(path, month)
            grid = _read_grid(path)
            first_grid = first_grid or grid
            _check_grid(path, grid, first_grid)
            indexes = _find_bands(path, sensor, wanted, band_order)
            _check_values(path, sensor, indexes, wanted)
            band_indexes[sensor].append(indexes)
    days = {}
    for sensor in bands:
        days[sensor] = _days_of(files[sensor], months_by_sensor[sensor])
    return RasterStack(files, band_indexes, first_grid, days)


def _days_of(paths: Sequence[Path], months: Sequence[int]) -> np.ndarray:
    """The day of the year of each raster, by its name, or else the middle of its month."""
    dates = []
    for path, month in zip(paths, months, strict=True):
        day = day_in(path.name)
        if day is None:
            # A year without 29 February: the middle of a month shifts by a day at most.
            day = np.datetime64(f"2021-{month:02}-15")
        dates.append(day.astype("datetime64[D]"))
    return days_of_year(np.array(dates))


def _check_numbers(
    paths: Mapping[str, Sequence[Path | str]],
    bands: Mapping[str, Sequence[str]],
    months_by_sensor: Mapping[str, Sequence[int]],
) -> None:
    """Refuse more or fewer rasters than the network takes."""
    for sensor in sorted({*paths, *bands}):
        if isinstance(paths.get(sensor, ()), str | Path):
            raise PatchError(f"{sensor}: a path given in place of a list of paths: give a list")
        count = len(paths.get(sensor, ()))
        rasters = counted(count, "raster", "rasters")
        if sensor not in bands and count:
            raise PatchError(
                f"{rasters} of {sensor} given, the network takes none of this sensor: leave "
                "them out"
            )
        months = months_by_sensor.get(sensor, ())
        if sensor in bands and count != len(months):
            raise PatchError(
                f"{rasters} of {sensor} given, the network takes {len(months)}, of the months "
                f"{', '.join(map(str, months))}: give one for each of these, in this order"
            )


def _check_name(path: Path) -> None:
    """Refuse what is no file, or by its name no image that a network takes."""
    problem = file_problem(path)
    if problem:
        raise PatchError(f"{printable(path)} {problem}: name a raster that can be read")
    problem = name_problem(path)
    if problem:
        raise PatchError(f"{printable(path)} {problem}")


def _check_month(path: Path, month: int) -> None:
    """Refuse a raster whose name says another month than the network takes at its place."""
    day = day_in(path.name)
    if day is None:
        return
    named = day.astype(object).month
    if named != month:
        raise PatchError(
            f"{printable(path)} is of month {named}, at its place the network takes month {month}: "
            "give the rasters in the order of the network's months, or allow any month"
        )


def _read_grid(path: Path) -> dict[str, Any]:
    with _opened(path) as source:
        problem = length_problem(source)
        grid = {
            "height": source.height,
            "width": source.width,
            "crs": source.crs,
            "transform": source.transform,
        }
    if problem is not None:
        raise PatchError(f"{printable(path)} {problem}: fetch it again")
    return grid


def _check_grid(path: Path, grid: Mapping[str, Any], first: Mapping[str, Any]) -> None:
    """Refuse pixels that are not squares of 10 m, and another grid than that of the first raster.

    Raises:
        PatchError: naming the raster and the difference.
    """
    transform = grid["transform"]
    crs = grid["crs"]
    if crs is None:
        raise PatchError(
            f"{printable(path)} names no projection: give it one, such as with gdal_edit.py -a_srs "
            "EPSG:32631, or import it with --crs"
        )
    if transform.b or transform.d:
        raise PatchError(
            f"{printable(path)} is rotated, its rows do not run from west to east: warp it with "
            "gdalwarp, which writes north up, or import it"
        )
    if transform.e > 0 and is_north_up_10m(_turned_north_up(transform), crs):
        raise PatchError(
            f"{printable(path)} is south up, its rows run from south to north: turn it with "
            "gdalwarp, which writes north up, or import it"
        )
    if not is_north_up_10m(transform, crs):
        raise PatchError(
            f"{printable(path)} has pixels of {_describe_pixels(transform, crs)}: a network sees "
            f"pixels of {PIXEL} m, north up; warp the raster, or import it"
        )
    differences = _grid_differences(grid, first)
    if differences:
        raise PatchError(
            f"{printable(path)} is on another grid than the first raster "
            f"({'; '.join(differences)}): warp it, or import all of them"
        )


def _turned_north_up(transform: Affine) -> Affine:
    """The transform with rows from north to south; its corner stays where it is."""
    return Affine(
        transform.a, transform.b, transform.c, transform.d, -abs(transform.e), transform.f
    )


def _describe_pixels(transform: Affine, crs: CRS) -> str:
    """Size, unit and projection of pixels, such as `20 x 20 metre in EPSG:32631`."""
    size = f"{transform.a:g} x {-transform.e:g}"
    try:
        unit, _ = crs.units_factor
    except CRSError:  # a local projection
        unit = "unknown units"
    return f"{size} {printable(unit)} in {_name_of(crs)}"


def _name_of(crs: CRS) -> str:
    code = crs.to_epsg()
    return f"EPSG:{code}" if code else "a projection without EPSG code"


def _grid_differences(grid: Mapping[str, Any], first: Mapping[str, Any]) -> list[str]:
    """What differs between two grids of pixels of 10 m, each such as `width 110 instead of 100`."""
    differences = []
    for key in ("height", "width"):
        if grid[key] != first[key]:
            differences.append(f"{key} {grid[key]} instead of {first[key]}")
    if grid["crs"] != first["crs"]:
        differences.append(f"{_name_of(grid['crs'])} instead of {_name_of(first['crs'])}")
    east = grid["transform"].c - first["transform"].c
    north = grid["transform"].f - first["transform"].f
    if max(abs(east), abs(north)) > GRID_TOLERANCE_METRES:
        differences.append(f"{east:g} m further east and {north:g} m further north")
    return differences


def _find_bands(path: Path, sensor: str, wanted: Sequence[str], band_order: BandOrder) -> list[int]:
    """The indexes of a raster's bands, from 1, in the order that the network takes.

    Raises:
        BandOrderError: bands are missing or another sensor's, or it is in doubt which is which.
    """
    with _opened(path) as source:
        candidates = image_bands(source)
        names = [source.descriptions[band - 1] for band in candidates]
    problem = foreign_band_problem(names)
    if problem is not None:
        raise BandOrderError(f"{printable(path)} {problem}")

    def image() -> np.ndarray:
        return _read_thumbnail(path, sensor, candidates)

    try:
        positions = band_positions(names, image, wanted, sensor, band_order)
    except BandOrderError as error:
        raise BandOrderError(f"{printable(path)} {error}") from None
    return [candidates[position] for position in positions]


def _check_values(path: Path, sensor: str, indexes: Sequence[int], names: Sequence[str]) -> None:
    """Refuse a raster that is not in the units of the layout, by its types and a thinned image.

    Raises:
        PatchError: naming the raster, the rule and the remedy.
    """
    with _opened(path) as source:
        # rasterio counts bands from 1, but keeps what belongs to each in tuples, from 0.
        dtypes = sorted({source.dtypes[index - 1] for index in indexes})
        scales = [source.scales[index - 1] for index in indexes]
        offsets = [source.offsets[index - 1] for index in indexes]
    tagged = is_tagged(scales, offsets)
    problem = type_problem(dtypes, sensor)
    if problem:
        raise PatchError(f"{printable(path)} {problem}")
    pixels = zero_invalid(_read_thumbnail(path, sensor, indexes), sensor, printable(path))
    if not pixels.any():  # no data here, which is no wrong unit
        return
    if sensor == "s2" and any(offsets) and looks_cut_off(pixels, names):
        raise PatchError(
            f"{printable(path)} has offset tags of {min(offsets):g}: with them most of its visible "
            "pixels are negative, so the offset was removed already; delete the tags"
        )
    check_image(pixels, sensor, printable(path), names)
    problem = None if tagged else whole_number_problem(dtypes, sensor)
    if problem:
        raise PatchError(f"{printable(path)} {problem}")
    if sensor == "s1":
        return
    if not any(offsets):
        _check_offset(path, pixels)


def _check_offset(path: Path, pixels: np.ndarray) -> None:
    """Refuse reflectance to which ESA added 1000, by its processing baseline; warn if in doubt.

    Args:
        path: path of the raster. Its product's metadata, or its name or a folder's, may hold ESA's
            processing baseline, as N0400.
        pixels: `(bands, rows, columns)`, 0 for no data.
    """
    baseline = baseline_of(path)
    if baseline is None or not baseline.offset:
        return
    observed = pixels.any(axis=0)
    darkest_band = pixels.min(axis=0)[observed]
    if np.percentile(darkest_band, 1) >= DARK_PIXELS:
        raise PatchError(
            f"{printable(path)} is of ESA's baseline {baseline.name} ({baseline.where}) and has no "
            f"dark pixel, so its values still have an offset of {-baseline.offset:g}: add "
            f"{baseline.offset:g} to them in a signed type, or import the raster"
        )
    warnings.warn(
        f"{printable(path)} is of ESA's baseline {baseline.name} ({baseline.where}), whose values "
        f"have an offset of {-baseline.offset:g}; its dark pixels suggest that the offset was "
        f"removed: make sure that {baseline.offset:g} was added",
        stacklevel=2,
    )
