"""Cubes of xarray: bands are variables or lie along a dimension, dates along another.

NetCDF and Zarr are opened with xarray (extra `area`); Datasets and DataArrays in memory, such as
those of odc-stac, stackstac and rioxarray, are taken as they are.
"""

import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from affine import Affine
from rasterio.crs import CRS
from rasterio.dtypes import in_dtype_range
from rasterio.errors import CRSError
from rasterio.io import DatasetReader, MemoryFile
from rasterio.transform import from_origin

from multisenge_lib.area.acquisitions import BandOfDay
from multisenge_lib.area.band_source import BandSource
from multisenge_lib.area.products import (
    ProcessingBaseline,
    baseline_of_version,
    day_in,
    foreign_band_problem,
    says_level_1c,
)
from multisenge_lib.dataset import (
    MULTISENGE,
    SENSORS,
    band_of,
    geotiff,
    is_other_quantity_of_band,
    names_only_count,
    swir_problem,
    unambiguous_names,
)
from multisenge_lib.errors import ImportAreaError, first_line, printable

_X_NAMES = ("x", "easting", "lon", "longitude", "projection_x_coordinate")
_Y_NAMES = ("y", "northing", "lat", "latitude", "projection_y_coordinate")
#: What the date of the image is called, beside others such as that of the processing.
_TIME_NAMES = ("time", "t", "datetime", "date")
#: Attributes and coordinates in which the libraries above keep the projection.
_CRS_KEYS = ("crs_wkt", "spatial_ref", "crs", "proj:code", "epsg")
#: Properties of STAC items, see `products`.
_BASELINE_KEY = "s2:processing_baseline"
_APPLIED_KEY = "earthsearch:boa_offset_applied"
#: Steps may differ by this share of a pixel: coordinates are often stored as float32.
_UNEVEN = 0.1
#: Metres. No image of Sentinel has finer pixels, however it was resampled. 10 m are 0.01 km, or
#: 0.0001 degrees.
_SMALLEST_STEP = 0.1
#: A transform with steps that differ by a larger share is that of another grid.
_OTHER_STEP = 0.01
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?", re.IGNORECASE)


class UnreadableCubeError(ImportAreaError):
    """The file of a cube is damaged, or of a format that xarray does not read."""


class ToMiddle(NamedTuple):
    """What to add to the coordinates of a pixel to get its middle, in the unit of the projection.

    It is 0, or half a pixel where the coordinates name a corner.

    Attributes:
        x: to those from west to east.
        y: to those from south to north.
    """

    x: float
    y: float


class KeptTransform(NamedTuple):
    """A transform that a cube keeps in its attributes.

    Attributes:
        transform: from a corner of the grid.
        is_geotransform: whether it is a GeoTransform, which may be that of an earlier grid.
    """

    transform: Affine
    is_geotransform: bool


class CubeAxes(NamedTuple):
    """Where the pixels of a cube lie.

    Attributes:
        x: name of the dimension from west to east.
        y: name of the dimension from south to north.
        crs: the projection.
        to_middle: from the coordinates of a pixel to its middle.
    """

    x: str
    y: str
    crs: CRS
    to_middle: ToMiddle


class BandsOfCube(NamedTuple):
    """What is found in a cube.

    Attributes:
        bands: each band of each date.
        left_out: sentences on variables that name a band and are no images of dates.
    """

    bands: list[BandOfDay]
    left_out: list[str]


def is_cube_in_memory(source: Any) -> bool:
    """Whether a source is a Dataset or DataArray of xarray."""
    return hasattr(source, "data_vars") or (hasattr(source, "dims") and hasattr(source, "coords"))


def open_cube(path: Path) -> Any:
    """Open a NetCDF file or Zarr store as an xarray Dataset, without reading its pixels.

    Raises:
        ImportAreaError: xarray is not installed; naming the file.
        UnreadableCubeError: the file cannot be read; naming it.
    """
    name = printable(path)
    try:
        import xarray
    except ImportError:
        raise ImportAreaError(
            f"{name} is a cube, which xarray reads: run `pip install '.[area]'` in a clone of the "
            "project"
        ) from None
    try:
        if path.suffix.lower() == ".zarr":
            cube = xarray.open_zarr(path, chunks=None)
        else:
            cube = xarray.open_dataset(path)
    except Exception as error:  # each engine has errors of its own
        reason = first_line(error).rstrip(": ")
        raise UnreadableCubeError(
            f"{name} cannot be read as a cube: {reason}: fetch it again, or leave it out"
        ) from None
    return cube


def groups_of(path: Path) -> list[str]:
    """Names of the groups of a cube that hold variables."""
    import xarray

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of dimensions without names, as HDF5 files have them
            tree = xarray.open_groups(path)
    except Exception:  # what cannot be opened so has no groups that we could name
        return []
    return [printable(name) for name, group in tree.items() if group.data_vars]


def name_groups(name: str, groups: Sequence[str]) -> str:
    """Say that a cube keeps its data in groups."""
    return (
        f"{name} keeps its data in groups ({', '.join(groups)}): open the one you need with "
        f"xarray.open_dataset(path, group={groups[0]!r}) and give import_area the Dataset, or "
        "write it to a file of its own"
    )


def bands_of_cube(
    cube: Any,
    name: str,
    crs: str | None,
    file_name: str = "",
    baseline: ProcessingBaseline | None = None,
) -> BandsOfCube:
    """Find the bands and dates of a cube.

    Each variable has its own dates: those of Sentinel-1 and Sentinel-2 often lie along two
    dimensions.

    Args:
        cube: an xarray Dataset or DataArray.
        name: for messages.
        crs: the projection that the user gives; it counts more than what the cube says.
        file_name: where a cube without dates comes from: its name may hold the date.
        baseline: processing baseline of the ESA product in the cube's file, if its name gives it.

    Raises:
        ImportAreaError: naming the cube, and what it lacks.
    """
    # A DataArray has no variables; bands then lie along one of its dimensions.
    if not hasattr(cube, "data_vars"):
        cube = cube.to_dataset(name=cube.name or "values")
    cube = _with_dates_as_dates(cube)
    arrays = list(_arrays_by_band(cube))
    band_names = unambiguous_names([band_name for band_name, _ in arrays])
    has_images = any(_names_image(band_name) for band_name in band_names)
    if not has_images and not _has_axes(cube):
        return BandsOfCube([], [])  # a table, or the weights of a network
    _check_band_names(name, band_names)
    left_out: dict[str, list[str]] = {}
    others = [printable(other) for other in band_names if is_other_quantity_of_band(other)]
    if others:
        left_out["by their names they are masks, errors, angles or the like"] = others
    if not has_images:  # weather, or a map
        return BandsOfCube([], _sentences(name, left_out))
    _check_level(cube, name)
    axes = _axes_of(cube, name, crs)
    has_dates = any(_time_dimension(array) for key, array in arrays if _names_band(key))
    bands = []
    names_of_images: dict[tuple, str] = {}
    for band_name, (_, array) in zip(band_names, arrays, strict=True):
        for sensor in SENSORS:
            band = band_of(band_name, sensor)
            if band not in MULTISENGE.bands[sensor]:
                continue
            array, time, problem = _image_of(array, axes, has_dates)
            if problem:
                left_out.setdefault(problem, []).append(printable(band_name))
                continue
            _check_type(array, f"{name} ({printable(band_name)})")
            for step, day in enumerate(_days_of(array, time, name, file_name)):
                plane = array if time is None else array.isel({time: step})
                title = f"{name} ({printable(band_name)}, {day})"
                other = names_of_images.setdefault((band, day), band_name)
                if other != band_name:
                    raise ImportAreaError(
                        f"{name} holds {band} of {day} twice, as {printable(other)} and as "
                        f"{printable(band_name)}: drop one of them"
                    )
                opener = partial(_as_raster, plane, axes, title)
                of_plane = (baseline or _baseline_of_plane(plane)) if sensor == "s2" else None
                source = BandSource(title, opener, name, baseline=of_plane)
                bands.append(BandOfDay(sensor, band, day, source))
    return BandsOfCube(bands, _sentences(name, left_out))


def _sentences(name: str, left_out: Mapping[str, Sequence[str]]) -> list[str]:
    """Say which variables of a cube are left out for each reason."""
    return [
        f"{name}: {', '.join(names)} left out, {problem}" for problem, names in left_out.items()
    ]


#: Attributes of a cube that name it. They may name a place as well, such as Toa Baja.
_TITLE_ATTRIBUTES = {"title", "name", "id"}
#: Attributes that say which product it is; its history may speak of others.
_PRODUCT_ATTRIBUTES = {"collection", "product", "product_type", "level"}
_PRODUCT_ATTRIBUTES |= {"processing_level", "processing:level"}


def _check_level(cube: Any, name: str) -> None:
    """Refuse a cube whose own attributes say level 1C, reflectance at the top of the atmosphere."""
    for key, value in cube.attrs.items():
        text = str(value).upper()
        if str(key).lower() in _TITLE_ATTRIBUTES:
            text = text.replace("TOA", "")
        elif str(key).lower() not in _PRODUCT_ATTRIBUTES:
            continue
        if says_level_1c(text):
            raise ImportAreaError(
                f"{name} is of level 1C by its {printable(key)} ({printable(value)}), reflectance "
                "at the top of the atmosphere: the networks take level 2A; fetch that product"
            )


def _with_dates_as_dates(cube: Any) -> Any:
    """Read dates that a cube holds as texts, whole numbers (20200706) or objects of cftime."""
    for dimension in cube.dims:
        if str(dimension).lower() not in _TIME_NAMES or dimension not in cube.coords:
            continue
        coordinate = cube[dimension]
        texts = [str(step) for step in coordinate.values]
        # Other numbers count hours or days since some moment.
        is_date = coordinate.dtype.kind in "OUST" or all(len(text) == 8 for text in texts)
        if coordinate.dtype.kind == "M" or not is_date:
            continue
        days = [day_in(text) for text in texts]
        if None not in days:
            cube = cube.assign_coords({dimension: np.array(days, "datetime64[ns]")})
    return cube


def _image_of(array: Any, axes: CubeAxes, has_dates: bool) -> tuple[Any, str | None, str]:
    """Take the dimensions of a band's array apart.

    Args:
        array: of one band.
        axes: the dimensions of pixels.
        has_dates: whether any band of the cube has dates along a dimension.

    Returns:
        The array without dimensions of one step that mean nothing, such as rioxarray's `band`; the
        dimension of its dates, or None; and why it is no image of dates, or "".
    """
    time = _time_dimension(array)
    others = [d for d in array.dims if d not in (axes.x, axes.y, time)]
    array = array.isel({d: 0 for d in others if array.sizes[d] == 1})
    several = [f"{printable(d)} ({array.sizes[d]})" for d in others if d in array.dims]
    without_dates = [d for d in others if d in array.dims and str(d).lower() in _TIME_NAMES]
    if not {axes.x, axes.y} <= set(array.dims):
        problem = (
            f"they do not lie along {printable(axes.x)} and {printable(axes.y)}: give bands of "
            "another resolution as a cube of their own"
        )
    elif without_dates:
        dimension = printable(without_dates[0])
        problem = f"what stands along {dimension} is no date: give it dates of type datetime64"
    elif several:
        problem = f"they lie along {' and '.join(several)} too: choose one step of it, as with isel"
    elif has_dates and time is None:
        # Such as angles, which are often the same at all dates.
        problem = "they have no dates, and others do: give them a dimension of dates"
    else:
        problem = ""
    return array, time, problem


def _baseline_of_plane(plane: Any) -> ProcessingBaseline | None:
    """The baseline that stackstac keeps of STAC items, as coordinates along the dates."""
    values = {
        key: str(plane[key].item())
        for key in (_BASELINE_KEY, _APPLIED_KEY)
        if key in plane.coords and plane[key].ndim == 0
    }
    is_applied = values.get(_APPLIED_KEY) == "True"
    where = f"its {_BASELINE_KEY}"
    return baseline_of_version(values.get(_BASELINE_KEY, ""), is_applied, where)


def _check_band_names(name: str, band_names: Sequence[str]) -> None:
    """Refuse a cube whose bands are only numbered, in doubt, or another sensor's."""
    if names_only_count(band_names):
        raise ImportAreaError(
            f"{name} only numbers its bands ({', '.join(map(printable, band_names[:3]))}, ...): "
            "name them, such as B2, B8A or B11"
        )
    # B10 is judged here: the remedy for rasters is an option that cubes do not take.
    problem = foreign_band_problem(band_names, may_hold_b10=True)
    bands_of_level_1c = [other for other in band_names if band_of(other, "s2") == "B10"]
    if problem is None and bands_of_level_1c:
        band = printable(bands_of_level_1c[0])
        problem = (
            f"holds {band}, which Sentinel-2 has in level 1C alone, reflectance at the top of the "
            "atmosphere: the networks take level 2A; fetch that product, or drop this band "
            f"(drop_vars({band!r}), or drop_sel where bands lie along a dimension), if the others "
            "are of level 2A"
        )
    problem = problem or swir_problem(band_names)
    if problem is not None:
        raise ImportAreaError(f"{name} {problem}")


def _axes_of(cube: Any, name: str, crs: str | None) -> CubeAxes:
    x = _coordinate(cube, _X_NAMES, name)
    y = _coordinate(cube, _Y_NAMES, name)
    if min(cube.sizes[x], cube.sizes[y]) < 2:
        raise ImportAreaError(f"{name} has {cube.sizes[y]}x{cube.sizes[x]} pixels: too few")
    for axis in (x, y):
        _check_even_steps(cube, axis, name)
    projection = _crs_of(cube, name, crs)
    if projection.is_projected and max(_step(cube, x), _step(cube, y)) < _SMALLEST_STEP:
        raise ImportAreaError(
            f"{name}: the steps of {x} and {y} are {_step(cube, x):.3g} and {_step(cube, y):.3g} "
            f"m in {printable(projection)}: coordinates seem to be kilometres or degrees: give "
            "metres, or the projection that they belong to with --crs"
        )
    return CubeAxes(x, y, projection, _to_middle(cube, x, y, name))


def _to_middle(cube: Any, x: str, y: str, name: str) -> ToMiddle:
    """Find out whether coordinates are the middles of pixels or their corners.

    xarray's coordinates name the middle of a pixel, by custom. Those of stackstac are the corners
    in the north-west unless one asks otherwise. Its attribute `transform` always begins at a
    corner, and tells which they are, in a part of the cube as well. A GeoTransform does
    not tell: the libraries that write it give middles, and it stays where they are interpolated.

    Raises:
        ImportAreaError: a transform contradicts the coordinates, or a cube of stackstac has none
            and its coordinates may be corners.
    """
    is_contradicted = False
    corners = []
    for kept in _transforms_of(cube, x, y):
        transform = kept.transform
        across = _place_in_pixel(cube, x, transform.c, transform.a)
        down = _place_in_pixel(cube, y, transform.f, transform.e)
        if across == down == 0.5:
            return ToMiddle(0.0, 0.0)
        if across == down == 0 and not kept.is_geotransform:
            corners.append(ToMiddle(transform.a / 2, transform.e / 2))
        elif None not in (across, down) or not kept.is_geotransform:
            is_contradicted = True
    if corners:
        return corners[0]
    is_of_stackstac = "epsg" in cube.coords and cube["epsg"].ndim == 0
    if is_contradicted:
        remedy = (
            "write the transform anew, with rio.write_transform(), or remove it where the "
            "coordinates are the middles"
        )
        if is_of_stackstac:  # a transform written by its corners would be half a pixel off
            remedy = "stack with xy_coords='center' before you merge pixels"
        raise ImportAreaError(
            f"{name}: its coordinates {x} and {y} are not the middles of the pixels of its "
            f"transform: {remedy}"
        )
    # Merged corners lie elsewhere than at 0: those of 2x2 pixels at a quarter of a step.
    places = [_place_in_pixel(cube, axis, 0, _step(cube, axis)) for axis in (x, y)]
    if is_of_stackstac and places != [0.5, 0.5]:
        raise ImportAreaError(
            f"{name}: its coordinates {x} and {y} may be corners of pixels, as stackstac gives "
            "them, and the attribute transform, which would settle it, is missing: stack with "
            "xy_coords='center' before you merge pixels, or, where they are the middles, drop the "
            "coordinate epsg and give --crs"
        )
    return ToMiddle(0.0, 0.0)


def _transforms_of(cube: Any, x: str, y: str) -> Iterator[KeptTransform]:
    """Transforms that a cube keeps of its grid.

    stackstac gives the attribute `transform` of an array, GDAL, rioxarray and odc-stac the
    attribute `GeoTransform` of a variable such as spatial_ref. The latter stays there when pixels
    are merged or interpolated.
    """
    attributes = [cube.attrs]
    attributes += [array.attrs for array in cube.data_vars.values() if {x, y} <= set(array.dims)]
    for given in attributes:
        numbers = _numbers_in(given.get("transform"))
        if len(numbers) in (6, 9) and numbers[0] and numbers[4]:
            yield KeptTransform(Affine(*numbers[:6]), is_geotransform=False)
    for variable in cube.variables.values():
        numbers = _numbers_in(variable.attrs.get("GeoTransform"))
        if len(numbers) == 6 and numbers[1] and numbers[5]:
            yield KeptTransform(Affine.from_gdal(*numbers), is_geotransform=True)


def _numbers_in(value: Any) -> list[float]:
    """The numbers of an attribute, which may be a text, as files keep it, or a sequence."""
    if isinstance(value, str):
        return [float(number) for number in _NUMBER.findall(value)]
    try:
        return [float(number) for number in value]
    except (TypeError, ValueError):
        return []


def _place_in_pixel(cube: Any, axis: str, first: float, step: float) -> float | None:
    """Where in the pixels of a grid the coordinates along an axis lie.

    Args:
        cube: with even steps along the axis.
        axis: name of the dimension.
        first: where the grid begins: a corner of a pixel.
        step: from there to the next corner.

    Returns:
        0 at their corners, 0.5 in their middles, NaN elsewhere; None if the grid has other steps.
    """
    if abs(_step(cube, axis) / abs(step) - 1) > _OTHER_STEP:
        return None
    places = (cube[axis].values.astype(np.float64) - first) / step
    for share in (0, 0.5):
        off = places - share
        if np.median(np.abs(off - np.round(off))) < _UNEVEN:
            return share
    return np.nan


def _has_axes(cube: Any) -> bool:
    """Whether a cube has coordinates along which pixels may lie."""
    return None not in (_dimension_called(cube, _X_NAMES), _dimension_called(cube, _Y_NAMES))


def _dimension_called(cube: Any, names: Sequence[str]) -> str | None:
    """The dimension with values along it that has one of these names, itself or by CF; or None."""
    with_values = [dimension for dimension in cube.dims if dimension in cube.coords]
    for dimension in with_values:
        if str(dimension).lower() in names:
            return dimension
    for dimension in with_values:
        if cube[dimension].attrs.get("standard_name") in names:
            return dimension
    return None


def _coordinate(cube: Any, names: Sequence[str], name: str) -> str:
    """The dimension that has one of these names, and values along it."""
    found = _dimension_called(cube, names)
    if found is not None:
        return found
    dimensions = ", ".join(printable(dimension) for dimension in cube.dims) or "no dimension"
    raise ImportAreaError(
        f"{name}: no coordinate for {names[0]}; it has {dimensions}: give the pixels' places in "
        f"metres or degrees as a coordinate of that dimension, and call it {names[0]}"
    )


def _check_even_steps(cube: Any, axis: str, name: str) -> None:
    values = np.sort(cube[axis].values.astype(np.float64))
    even = np.linspace(values[0], values[-1], len(values))
    step = even[1] - even[0]
    if not np.abs(values - even).max() < _UNEVEN * step:  # so written, NaN is refused too
        raise ImportAreaError(f"{name}: {axis} has no even steps: put the cube on a grid")


def _time_dimension(array: Any) -> str | None:
    """The dimension whose coordinate holds dates, or None; of several, one that is called so."""
    dated = [d for d in array.dims if d in array.coords and array[d].dtype.kind == "M"]
    return min(dated, key=lambda d: str(d).lower() not in _TIME_NAMES, default=None)


def _days_of(array: Any, time: str | None, name: str, file_name: str) -> list[np.datetime64]:
    """The dates along an array, or the only one: of a single time, or in its file's name."""
    stamps = _single_time(array, name, file_name) if time is None else array[time].values
    if np.isnat(stamps).any():
        raise ImportAreaError(
            f"{name}: {int(np.isnat(stamps).sum())} of its {len(stamps)} dates are missing (NaT): "
            "drop them, or give them dates"
        )
    return list(stamps.astype("datetime64[D]"))


#: Coordinates with the time at which a file or an item was made, and not the image.
_IS_OF_MAKING = re.compile(r"creat|updat|modif|process|publish|produc|generat")


def _single_time(array: Any, name: str, file_name: str) -> np.ndarray:
    """The time of an array without a dimension of dates: `(1,)`.

    Raises:
        ImportAreaError: there is none, or several that differ.
    """
    # What `isel(time=0)` leaves of the time coordinate.
    single = {
        str(key).lower(): c.values.reshape(1)
        for key, c in array.coords.items()
        if c.ndim == 0 and c.dtype.kind == "M" and not _IS_OF_MAKING.search(str(key).lower())
    }
    for key in _TIME_NAMES:
        if key in single:
            return single[key]
    day = day_in(file_name)
    if day is not None:
        single["the file's name"] = np.array([day])
    if not single:
        dimensions = ", ".join(printable(dimension) for dimension in array.dims)
        raise ImportAreaError(
            f"{name}: no coordinate for dates; it has the dimensions {dimensions}: give it a "
            "time of type datetime64, or, to a file of one date, a name with the date yyyymmdd"
        )
    days = {key: str(stamp.astype("datetime64[D]")[0]) for key, stamp in single.items()}
    if len(set(days.values())) > 1:
        listed = ", ".join(f"{printable(key)} {day}" for key, day in days.items())
        raise ImportAreaError(
            f"{name} gives several dates ({listed}): call the coordinate of the image's date time"
        )
    return next(iter(single.values()))


def _crs_of(cube: Any, name: str, crs: str | None) -> CRS:
    """The projection: what the user says, else the first that the cube names."""
    if crs:
        return parse_crs(crs)
    candidates = [cube.attrs.get(key) for key in _CRS_KEYS]
    for variable in cube.variables.values():
        candidates += [variable.attrs.get(key) for key in _CRS_KEYS]
    # stackstac keeps codes such as 32631 as a coordinate without dimension.
    candidates += [c.item() for key, c in cube.coords.items() if key == "epsg" and c.ndim == 0]
    for candidate in candidates:
        if candidate is None or candidate == "":
            continue
        try:
            return parse_crs(candidate)
        except ImportAreaError:
            continue
    raise ImportAreaError(f"{name} names no projection: say it, such as --crs EPSG:32631")


def parse_crs(text: Any) -> CRS:
    """Read a projection: a code with or without `EPSG:`, WKT, or what rasterio understands.

    Raises:
        ImportAreaError: it is none.
    """
    try:
        if isinstance(text, np.integer) or (isinstance(text, str) and text.strip().isdecimal()):
            return CRS.from_epsg(int(text))
        return CRS.from_user_input(text)
    except (CRSError, ValueError):
        raise ImportAreaError(
            f"projection {printable(text)[:60]} is unknown: give a code such as EPSG:32631"
        ) from None


def _arrays_by_band(cube: Any) -> Iterator[tuple[str, Any]]:
    """Names and arrays of a cube's bands: its variables, or the steps of another dimension."""
    for name, array in cube.data_vars.items():
        dimension = _dimension_of_bands(str(name), array)
        if dimension is None:
            yield str(name), array
            continue
        for position, step in enumerate(array[dimension].values):
            yield str(step), array.isel({dimension: position})


def _dimension_of_bands(name: str, array: Any) -> str | None:
    """The dimension along which bands lie, with texts as coordinate; None where there is none.

    Texts may also be names of orbits. A variable that is called by its band is one band then.
    """
    text_dimensions = [d for d in array.dims if array[d].dtype.kind in "OUST"]
    for dimension in text_dimensions:
        if any(_names_band(str(step)) for step in array[dimension].values):
            return dimension
    if _names_band(name) or not text_dimensions:
        return None
    return text_dimensions[0]


def _names_band(name: str) -> bool:
    return any(band_of(name, sensor) is not None for sensor in SENSORS)


def _names_image(name: str) -> bool:
    """Whether a name is that of a band that networks take."""
    return any(band_of(name, sensor) in MULTISENGE.bands[sensor] for sensor in SENSORS)


def _check_type(array: Any, name: str) -> None:
    if array.dtype.kind not in "uif":
        raise ImportAreaError(
            f"{name} is of type {array.dtype}: give whole or decimal numbers, such as uint16 or "
            "float32"
        )


@contextmanager
def _as_raster(plane: Any, axes: CubeAxes, title: str) -> Iterator[DatasetReader]:
    """Open one band of one date as a raster; north up, whatever way its rows run."""
    x = axes.x
    y = axes.y
    # xarray's users keep y in either direction; GeoTIFF rows run from north to south.
    plane = plane.sortby(y, ascending=False).sortby(x)
    try:
        values = np.ascontiguousarray(plane.transpose(y, x).values)
    except Exception as error:  # pixels are read here, by engines with errors of their own
        raise ImportAreaError(
            f"{title} cannot be read: {first_line(error)}: fetch the cube again"
        ) from None
    if values.dtype.itemsize == 8 and values.dtype.kind in "ui":
        values = values.astype(np.float64)  # GeoTIFF readers of GDAL mix 64-bit integers badly
    elif values.dtype.kind == "f" and values.dtype.itemsize > 8:
        values = values.astype(np.float64)
    elif values.dtype == np.float16:
        values = values.astype(np.float32)
    across = _step(plane, x)
    down = _step(plane, y)
    # A geotransform names the corner.
    west = float(plane[x][0]) + axes.to_middle.x - across / 2
    north = float(plane[y][0]) + axes.to_middle.y + down / 2
    fill = _fill_value(plane, values.dtype)
    if values.dtype.kind == "f" and fill != 0:
        # NaN is no data as well, and a raster has one such value. A 0 stays: in one band alone it
        # is dark, as in whole numbers.
        if fill is not None:
            values = np.where(values == values.dtype.type(fill), np.nan, values)
        fill = np.nan
    profile = {
        "crs": axes.crs,
        "transform": from_origin(west, north, across, down),
        "nodata": fill,
    }
    # xarray applies these attributes to what it reads from a file, and then removes them. What was
    # read with mask_and_scale=False, as rioxarray does by default, still has them.
    scale = _number_in_attributes(plane, "scale_factor", 1, title)
    offset = _number_in_attributes(plane, "add_offset", 0, title)
    content = geotiff(values[None], scale=scale, offset=offset, **profile)
    with MemoryFile(content) as memory, memory.open() as raster:
        yield raster


def _number_in_attributes(plane: Any, key: str, default: float, title: str) -> float:
    """A number that the attributes of an array give, or the default."""
    value = np.unique(plane.attrs.get(key, default))
    if value.size != 1 or value.dtype.kind not in "iuf" or not np.isfinite(value[0]):
        raise ImportAreaError(
            f"{title} has the attribute {key} {printable(plane.attrs[key])}, which is not one "
            "number: apply it to the values, and remove it"
        )
    return float(value[0])


def _step(plane: Any, axis: str) -> float:
    coordinates = plane[axis]
    return float(abs(coordinates[-1] - coordinates[0])) / (plane.sizes[axis] - 1)


def _fill_value(plane: Any, dtype: np.dtype) -> float | None:
    """The value that the attributes of an array name as no data, where its type can hold it.

    xarray replaces the fill value of files by NaN; what odc-stac, stackstac and rioxarray load
    keeps it.
    """
    attributes: Mapping[str, Any] = plane.attrs
    for key in ("nodata", "_FillValue", "missing_value"):
        value = attributes.get(key)
        is_number = isinstance(value, int | float | np.number) and np.can_cast(type(value), float)
        if is_number and np.isfinite(value) and in_dtype_range(value, dtype.name):
            return float(value)
    return None
