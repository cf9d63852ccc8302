"""A user's own images: which sensor, date and band each raster or cube holds.

GeoTIFFs, one a date or one a date and band: the date stands in the name, bands are told by their
descriptions, by the name of a file of one band, or as said. Cubes, NetCDF or Zarr, are opened with
xarray (extra `area`): bands are variables or lie along a dimension. Bands of no use here are left,
and so are the masks and pictures of a product's folder; of a band that lies there at several
resolutions, as ESA delivers it, the finest is taken.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import rasterio
from rasterio.crs import CRS
from rasterio.errors import CRSError, RasterioError
from rasterio.io import DatasetReader, MemoryFile
from rasterio.transform import from_origin

from multisenge_lib.dataset import MULTISENGE, SENSORS, band_of, geotiff
from multisenge_lib.errors import ImportAreaError

_DATE = re.compile(r"(?<!\d)((?:19|20)\d\d)[-_]?([01]\d)[-_]?([0-3]\d)(?!\d)")
_SENSOR = re.compile(r"(?<![A-Z0-9])S(?:ENTINEL[-_ ]?)?([12])[ABCD]?(?![0-9])")
_RASTERS, _CUBES = (".tif", ".tiff", ".jp2", ".vrt"), (".nc", ".nc4", ".h5", ".zarr")
_BANDS = MULTISENGE.bands
_X, _Y, _TIME = ("x", "easting", "lon", "longitude"), ("y", "northing", "lat", "latitude"), "M"


class Band(NamedTuple):
    """Where the pixels of one band of one date are.

    Attributes:
        source: for messages.
        open: gives a raster.
        grid: the file or cube, whose bands all lie on one grid.
        index: of the band in the raster, from 1.
    """

    source: str
    open: Callable[[], AbstractContextManager[DatasetReader]]
    grid: str
    index: int = 1


@dataclass(frozen=True)
class Acquisition:
    """The bands of one sensor at one date."""

    sensor: str
    day: np.datetime64
    bands: Mapping[str, Band]


def day_in(name: str) -> np.datetime64 | None:
    """The first date in a name, yyyymmdd or with - or _ between."""
    for found in _DATE.finditer(name):
        with suppress(ValueError):
            return np.datetime64("-".join(found.groups()), "D")
    return None


def _told(path: Path, count: int, told: Mapping[str, Sequence[str]]) -> tuple[str, Sequence[str]]:
    """Sensor and bands of a raster that names none: by its own name, and as said."""
    found = _SENSOR.search(path.stem.upper()) or _SENSOR.search(path.parent.name.upper())
    sensors = [f"s{found[1]}"] if found else list(told)
    if len(sensors) == 1 and len(told.get(sensors[0], ())) == count:
        return sensors[0], told[sensors[0]]
    raise ImportAreaError(
        f"{path} does not name its {count} bands: give them in their order, such as "
        "--s2-bands B2,B3,B4,B8 or --s1-bands VV,VH"
    )


def _bands_of_raster(
    path: Path, told: Mapping[str, Sequence[str]], left: list[Path] | None
) -> Iterator[tuple]:
    """Of a raster; a mask or picture goes to `left`, or is refused where that is None."""
    days = [day for name in (path.stem, path.parent.name) if (day := day_in(name)) is not None]
    try:
        with rasterio.open(path) as source:
            count, names, dtypes = source.count, list(source.descriptions), set(source.dtypes)
    except RasterioError as error:
        raise ImportAreaError(f"{path} cannot be read as a raster: {error}") from None
    if count == 1 and not names[0]:
        names = [path.stem]
    found = {(s, i): band_of(n, s) for i, n in enumerate(names, 1) for s in SENSORS}
    if not any(found.values()):
        try:
            sensor, bands = _told(path, count, told)
        except ImportAreaError:
            if left is None or (count > 1 and dtypes != {"uint8"}):
                raise
            left.append(path)
            return
        found = {(sensor, i): band for i, band in enumerate(bands, 1)}
    wanted = {where: band for where, band in found.items() if band in _BANDS[where[0]]}
    if wanted and not days:
        raise ImportAreaError(f"{path}: no date yyyymmdd in its name: give it one")
    for (sensor, index), band in wanted.items():
        where = Band(str(path), partial(rasterio.open, path), str(path), index)
        yield sensor, band, days[0], where


def _dimension(cube: Any, names: Sequence[str], what: str) -> str:
    for name in cube.dims:
        kind = cube[name].dtype.kind if name in cube.coords else ""
        if str(name).lower() in names or (names == _TIME and kind == _TIME):
            return name
    raise ImportAreaError(
        f"{what}: no coordinate for {'dates' if names == _TIME else names[0]}; it has the "
        f"dimensions {', '.join(map(str, cube.dims))}"
    )


def _cube_crs(cube: Any, what: str, crs: str | None) -> CRS:
    found = [crs] if crs else []
    for holder in (cube, *cube.variables.values()):
        found += [holder.attrs.get(key) for key in ("crs_wkt", "spatial_ref", "crs", "proj:code")]
    for text in filter(None, found):
        try:
            return CRS.from_user_input(text)
        except CRSError:
            continue
    raise ImportAreaError(f"{what} names no projection: say it, such as --crs EPSG:32631")


@contextmanager
def _in_memory(array: Any, y: str, x: str, crs: CRS) -> Iterator[DatasetReader]:
    """One band of one date of a cube as a raster; north up, whatever way its rows run."""
    array = array.sortby(y, ascending=False).sortby(x)
    values = np.ascontiguousarray(array.transpose(y, x).values)
    west, north = float(array[x][0]), float(array[y][0])
    across, down = (float(abs(array[d][-1] - array[d][0])) / (array.sizes[d] - 1) for d in (x, y))
    place = from_origin(west - across / 2, north + down / 2, across, down)
    no_data = np.nan if values.dtype.kind == "f" else None
    raw = geotiff(values[None], crs=crs, transform=place, nodata=no_data)
    with MemoryFile(raw) as memory, memory.open() as source:
        yield source


def _open_cube(path: Path) -> Any:
    try:
        import xarray
    except ImportError:
        raise ImportAreaError(
            f"{path} is a cube, xarray reads it: pip install 'multisenge-book[area]'"
        ) from None
    try:
        if path.suffix == ".zarr":
            return xarray.open_zarr(path, chunks=None)
        return xarray.open_dataset(path)
    except Exception as error:  # each engine has errors of its own
        first = str(error).partition("\n")[0]
        raise ImportAreaError(f"{path} cannot be read as a cube: {first}") from None


def _planes(cube: Any) -> Iterator[tuple[str, Any]]:
    """Names and arrays of a cube's bands: its variables, or the steps of another dimension."""
    for name, array in cube.data_vars.items():
        others = [d for d in array.dims if array[d].dtype.kind in "OUST"]
        if not others:
            yield str(name), array
        else:
            for step in array[others[0]].values:
                yield str(step), array.sel({others[0]: step})


def _bands_of_cube(cube: Any, what: str, crs: str | None) -> Iterator[tuple]:
    x, y = (_dimension(cube, names, what) for names in (_X, _Y))
    time, crs = _dimension(cube, _TIME, what), _cube_crs(cube, what, crs)
    if min(cube.sizes[x], cube.sizes[y]) < 2:
        raise ImportAreaError(f"{what} has {cube.sizes[y]}x{cube.sizes[x]} pixels: too few")
    for name in (x, y):
        at = np.sort(cube[name].values.astype(np.float64))
        even = np.linspace(at[0], at[-1], len(at))
        if not np.abs(at - even).max() < 0.1 * (even[1] - even[0]):
            raise ImportAreaError(f"{what}: {name} has no even steps: put the cube on a grid")
    for name, array in _planes(cube):
        if set(array.dims) != {x, y, time}:
            continue
        for sensor in SENSORS:
            if (band := band_of(name, sensor)) not in _BANDS[sensor]:
                continue
            for step, day in enumerate(cube[time].values.astype("datetime64[D]")):
                opener = partial(_in_memory, array.isel({time: step}), y, x, crs)
                yield sensor, band, day, Band(f"{what} ({name}, {day})", opener, what)


def _unfolded(sources: Iterable[Any]) -> Iterator[tuple[Any, bool]]:
    """Cubes in memory as they are, files, and the files in folders; whether a folder held them."""
    for source in sources:
        if hasattr(source, "data_vars"):
            yield source, False
            continue
        path = Path(source)
        if path.is_dir() and path.suffix != ".zarr":
            inside = sorted(p for p in path.rglob("*") if p.suffix.lower() in _RASTERS + _CUBES)
            if not inside:
                raise ImportAreaError(f"{path} holds no raster ({', '.join(_RASTERS + _CUBES)})")
            yield from ((each, True) for each in inside)
        elif path.exists():
            yield path, False
        else:
            raise ImportAreaError(f"{path} does not exist")


def _finer(one: Band, other: Band, band: str, day: np.datetime64) -> Band:
    """Of two that give the same band and date, the one with the smaller pixels."""
    with one.open() as a, other.open() as b:
        if a.res[0] != b.res[0]:
            return one if a.res[0] < b.res[0] else other
    raise ImportAreaError(
        f"{one.source} and {other.source} both give {band} of {day}: give one of them, or merge "
        "them before"
    )


def find_acquisitions(
    sources: Iterable[Path | str | Any],
    told: Mapping[str, Sequence[str]],
    crs: str | None = None,
    without: Path | None = None,
    said: list[str] | None = None,
) -> list[Acquisition]:
    """All acquisitions of files, folders and cubes, in order of sensor and date.

    Args:
        sources: files, folders of files, or xarray Datasets.
        told: bands of `s1` or `s2` rasters that do not name them, in their order.
        crs: projection of cubes that do not name theirs.
        without: a file that is no image, such as the reference.
        said: takes a sentence on what was left out.

    Raises:
        ImportAreaError: naming the file, and what it lacks.
    """
    found: dict[tuple[str, np.datetime64], dict[str, Band]] = defaultdict(dict)
    left: list[Path] = []
    for number, (source, inside) in enumerate(_unfolded(sources), 1):
        if not isinstance(source, Path):
            bands = _bands_of_cube(source, f"cube {number}", crs)
        elif without is not None and source.samefile(without):
            continue
        elif inside and ("QI_DATA" in source.parts or source.name.startswith("MSK_")):
            left.append(source)
            continue
        elif source.suffix.lower() in _CUBES:
            bands = _bands_of_cube(_open_cube(source), str(source), crs)
        else:
            bands = _bands_of_raster(source, told, left if inside else None)
        for sensor, band, day, where in bands:
            known = found[sensor, day].setdefault(band, where)
            if known is not where:
                found[sensor, day][band] = _finer(known, where, band, day)
    if left and said is not None:
        said.append(
            f"{len(left)} rasters are masks or name no band and are left out, such as {left[0]}"
        )
    if not found:
        raise ImportAreaError(
            "no band of Sentinel-1 or Sentinel-2 is there, by name: B2 to B12, VV or VH; name "
            "them, or give --s2-bands and --s1-bands"
        )
    return [Acquisition(*key, bands) for key, bands in sorted(found.items())]
