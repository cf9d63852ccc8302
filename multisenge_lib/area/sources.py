"""A user's own images: which files there are, and which sensor, date and band each of them holds.

Two steps. `list_files` follows folders and links, and keeps what can be an image. `find_images`
then asks each file for its bands, dates and sensor:

1. A product of another sensor, or of level 1C, is left out or refused; masks are left out.
2. Bands in the order that the user gives (`--s2-bands`) count more than any name.
3. Descriptions of the bands count next, unless they only count ("Band 1", "b1").
4. The name of a file with one band counts last.

Everything that is left out is reported.
"""

import os
import stat
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import rasterio
from rasterio.errors import RasterioError

from multisenge_lib.area.acquisitions import Acquisition, BandOfDay, BandSource, group_by_day
from multisenge_lib.area.cubes import bands_of_cube, is_cube_in_memory, open_cube, parse_crs
from multisenge_lib.area.products import (
    band_in,
    baseline_of,
    day_in,
    day_of_file,
    foreign_name,
    foreign_sensor,
    has_dates_in_reverse,
    is_level_1c,
    is_mask,
    is_old_esa_name,
    name_problem,
    sensor_in,
    used_bands,
    without_slope_correction,
)
from multisenge_lib.dataset import (
    LABELS,
    SENSORS,
    file_problem,
    names_only_count,
    unambiguous_names,
)
from multisenge_lib.errors import ImportAreaError, counted, printable

RASTER_ENDINGS = (".tif", ".tiff", ".jp2", ".vrt", ".img")
CUBE_ENDINGS = (".nc", ".nc4", ".h5", ".zarr")
ARCHIVE_ENDINGS = (".zip", ".tar", ".tgz", ".gz", ".bz2", ".7z")
#: SNAP writes a header X.dim beside a folder X.data, which holds a raster for each band.
SNAP_HEADER = ".dim"

_MASKS = "masks or other auxiliary layers"
_NO_BAND = "rasters that name no band"
_NO_BAND_IN_CUBE = "cubes that name no band"
_UNUSED = "rasters of bands that networks do not take"
_SLOPE = "reflectance without correction for slopes (SRE), which is there with it (FRE)"
_ARCHIVES = "archives, which must be unpacked first"
_NO_FILES = "no regular files"
_DATA_ROOTS = "data roots, which an import wrote"


@dataclass
class Skipped:
    """Files that are left out, by reason."""

    paths: dict[str, list[Path]] = field(default_factory=dict)

    def add(self, reason: str, path: Path) -> None:
        """Note one file."""
        self.paths.setdefault(reason, []).append(path)

    def update(self, other: "Skipped") -> None:
        """Add the files of another list."""
        for reason, paths in other.paths.items():
            self.paths.setdefault(reason, []).extend(paths)

    def notices(self) -> list[str]:
        """One sentence for each reason."""
        sentences = []
        for reason, paths in self.paths.items():
            count = counted(len(paths), "file", "files")
            example = ", such as" if len(paths) > 1 else ":"
            sentences.append(f"{count} left out as {reason}{example} {printable(paths[0])}")
        return sentences


@dataclass
class ListedFiles:
    """The rasters and cubes among the sources.

    Attributes:
        paths: each file once.
        by_folder: for each folder that is a source, the files below it by their true paths.
        skipped: what is left out.
    """

    paths: list[Path] = field(default_factory=list)
    by_folder: dict[Path, set[Path]] = field(default_factory=dict)
    skipped: Skipped = field(default_factory=Skipped)


def list_files(sources: Iterable[Path]) -> ListedFiles:
    """List the rasters and cubes among files and below folders; links are followed.

    Args:
        sources: files and folders.

    Raises:
        ImportAreaError: a source does not exist, is no file, or holds no raster.
    """
    files = []
    listed = ListedFiles()
    for source in sources:
        if source.suffix.lower() == SNAP_HEADER:
            source = _snap_folder(source)
        if source.is_dir() and source.suffix.lower() != ".zarr":
            inside, skipped_inside = _files_below(source)
            if not inside:
                raise ImportAreaError(_nothing_below(source, skipped_inside))
            files += inside
            listed.by_folder[source] = {path.resolve() for path in inside}
            listed.skipped.update(skipped_inside)
            continue
        problem = None if source.is_dir() else file_problem(source)
        if problem == "is missing":
            # A link whose target is gone is worth another word than a name that is not there.
            problem = "is a link to nothing" if source.is_symlink() else "does not exist"
        if problem is not None and problem != "is empty":  # GDAL says more of an empty file
            raise ImportAreaError(f"{printable(source)} {problem}: give files or folders of images")
        if source.suffix.lower() in ARCHIVE_ENDINGS:
            raise ImportAreaError(
                f"{printable(source)} is an archive: unpack it, and give the folder"
            )
        files.append(source)
    # A file that is given twice, or by a link as well, is no second image of its date.
    identities = set()
    for path in files:
        identity = path.resolve()
        if identity not in identities:
            identities.add(identity)
            listed.paths.append(path)
    return listed


def _snap_folder(header: Path) -> Path:
    folder = header.with_suffix(".data")
    if not folder.is_dir():
        raise ImportAreaError(
            f"{printable(header)} is the header of a SNAP product, and its folder {folder.name} is "
            "not beside it: give both, or export the product as GeoTIFF"
        )
    return folder


def _nothing_below(folder: Path, skipped: Skipped) -> str:
    endings = ", ".join(RASTER_ENDINGS + CUBE_ENDINGS)
    reasons = "".join(f"; {notice}" for notice in skipped.notices())
    return f"{printable(folder)} holds no raster ({endings}){reasons}"


def _files_below(folder: Path) -> tuple[list[Path], Skipped]:
    """Find rasters and cubes below a folder, in order of their names, and what is left out."""
    skipped = Skipped()

    def note_folder(error: OSError) -> None:
        reason = f"folders that cannot be listed ({error.strerror})"
        skipped.add(reason, Path(error.filename))

    files = []
    visited = set()
    for where, folders, names in os.walk(folder, onerror=note_folder, followlinks=True):
        status = Path(where).stat()
        identity = status.st_dev, status.st_ino
        if identity in visited:  # a link that leads back into the tree
            folders.clear()
            continue
        visited.add(identity)
        if _is_data_root(folders):
            # Cut patches of the same images would pass for a second copy of each date.
            skipped.add(_DATA_ROOTS, Path(where))
            folders.clear()
            continue
        stores = [name for name in folders if name.lower().endswith(".zarr")]
        # A Zarr store is a folder of many small files; it is opened as a whole.
        folders[:] = [n for n in folders if n not in stores and not n.startswith(".")]
        for name in sorted([*names, *stores]):
            # Names with a dot are hidden; ._x.tif is what macOS leaves beside x.tif.
            if name.startswith("."):
                continue
            path = Path(where) / name
            ending = path.suffix.lower()
            if ending in ARCHIVE_ENDINGS:
                skipped.add(_ARCHIVES, path)
            elif ending in RASTER_ENDINGS + CUBE_ENDINGS:
                problem = _not_regular(path)
                if problem:
                    skipped.add(problem, path)
                else:
                    files.append(path)
    return sorted(files), skipped


def _is_data_root(folders: Sequence[str]) -> bool:
    """Whether a folder holds patches in the published layout, by the folders in it."""
    return LABELS in folders and any(sensor in folders for sensor in SENSORS)


def _not_regular(path: Path) -> str | None:
    """Why a file cannot be opened without waiting for ever, such as a pipe; None if it can."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return "links to nothing"
    except OSError as error:
        return f"out of reach ({error.strerror})"
    return None if stat.S_ISREG(mode) or stat.S_ISDIR(mode) else _NO_FILES


@dataclass(frozen=True)
class RasterHeader:
    """What a raster says of its bands.

    Attributes:
        path: path of the file.
        names: descriptions of the bands, None where there is none.
        dtypes: type of each band.
    """

    path: Path
    names: list[str | None]
    dtypes: list[str]

    @property
    def title(self) -> str:
        """The path for messages; printable."""
        return printable(self.path)


def _read_header(path: Path) -> RasterHeader:
    try:
        str(path).encode()  # Python reads other bytes as surrogates, which cannot be encoded
    except UnicodeEncodeError:
        raise ImportAreaError(
            f"the name of {printable(path)} is not UTF-8, so GDAL cannot open it: rename it"
        ) from None
    try:
        with rasterio.open(path) as raster:
            names = unambiguous_names(raster.descriptions)
            return RasterHeader(path, names, list(raster.dtypes))
    except (RasterioError, ValueError) as error:
        raise ImportAreaError(f"{printable(path)} cannot be read as a raster: {error}") from None


@dataclass(frozen=True)
class NamedBand:
    """One band of a raster that a network can take.

    Attributes:
        sensor: `s1` or `s2`.
        band: such as `B8A` or `VV`.
        index: number of the band in the raster, from 1.
        day: where the band's own name holds the date; else None.
    """

    sensor: str
    band: str
    index: int
    day: np.datetime64 | None = None


def _bands_by_user(
    header: RasterHeader, user_bands: Mapping[str, Sequence[str]]
) -> list[NamedBand] | None:
    """Bands in the order that the user gives; None where that does not concern this raster.

    It concerns rasters of that sensor with as many bands. Rasters of one band, each with its
    band's name, are not stacks and keep their names.
    """
    # An order of ten bands says nothing of a raster of two.
    sensors = [sensor for sensor, bands in user_bands.items() if len(bands) == len(header.names)]
    sensor_by_name = sensor_in(header.path)
    if sensor_by_name is not None:
        sensors = [sensor for sensor in sensors if sensor == sensor_by_name]
    elif len(sensors) == 1 and len(user_bands) > 1:
        # Both orders are given, and only one has as many bands.
        other = next(sensor for sensor in user_bands if sensor != sensors[0])
        if _bands_by_description(header, other):
            return None
    if len(sensors) != 1:
        return None
    sensor = sensors[0]
    other_sensor = "s1" if sensor == "s2" else "s2"
    described = [band_in(name, other_sensor) for name in header.names]
    if any(described) and not any(band_in(name, sensor) for name in header.names):
        return None  # VV and VH are never the two bands of Sentinel-2 that the user means
    named = []
    for index, band in enumerate(user_bands[sensor], 1):
        if band in used_bands(sensor):  # else "-", a band of no use
            named.append(NamedBand(sensor, band, index))
    return named


def _bands_by_description(header: RasterHeader, sensor: str) -> list[NamedBand]:
    """Bands of one sensor by their descriptions, else by the name of a file with one band."""
    names = header.names
    only_count = sensor == "s2" and names_only_count(names)
    lone_band = len(names) == 1
    named = []
    for index, name in enumerate(names, 1):
        band = None if only_count else band_in(name, sensor)
        # GDAL and Earth Engine describe a lone band as "Gray" or "Band 1"; its file says more.
        if band is None and lone_band:
            band = band_in(header.path.stem, sensor)
        if band is not None:
            named.append(NamedBand(sensor, band, index, day_in(name or "")))
    return named


def _bands_of_raster(
    header: RasterHeader, user_bands: Mapping[str, Sequence[str]], in_folder: bool
) -> list[NamedBand] | str:
    """The bands of a raster that networks take, or the reason to leave it out.

    Raises:
        ImportAreaError: the raster does not name its bands, and may be an image.
    """
    by_user = _bands_by_user(header, user_bands)
    if by_user is not None:
        return by_user
    named = []
    for sensor in SENSORS:
        named += _bands_by_description(header, sensor)
    if named:
        used = [band for band in named if band.band in used_bands(band.sensor)]
        return used or _UNUSED
    # Three bands of 8 bit are the true-colour picture that ESA adds (TCI).
    is_picture = set(header.dtypes) == {"uint8"}
    if in_folder and (len(header.names) == 1 or is_picture):
        return _NO_BAND  # a product's scene classification, angles, quicklook
    raise ImportAreaError(_ask_for_bands(header, user_bands))


def _ask_for_bands(header: RasterHeader, user_bands: Mapping[str, Sequence[str]]) -> str:
    count = len(header.names)
    what = f"{header.title} does not name its {counted(count, 'band', 'bands')}"
    if any(header.names) and names_only_count(header.names):
        shown_names = ", ".join(printable(name) for name in header.names[:3])
        bands = counted(count, "band", "bands")
        what = f"{header.title} only numbers its {bands} ({shown_names}, ...)"
    received = "".join(
        f"; --{sensor}-bands gives {len(bands)}" for sensor, bands in user_bands.items()
    )
    return (
        f"{what}{received}: give them in their order, such as --s2-bands B2,B3,B4,B8 or "
        "--s1-bands VV,VH"
    )


@dataclass(frozen=True)
class FoundImages:
    """All images among the sources.

    Attributes:
        acquisitions: in order of sensor and date.
        notices: one message for each kind of file that was left out, and for bands that the user
            names otherwise than the files.
    """

    acquisitions: list[Acquisition]
    notices: list[str]


def find_images(
    sources: Iterable[Path | str | Any],
    user_bands: Mapping[str, Sequence[str]],
    crs: str | None = None,
    without: Path | None = None,
) -> FoundImages:
    """Find all acquisitions of files, folders and cubes.

    Args:
        sources: files, folders of files, or Datasets and DataArrays of xarray.
        user_bands: bands of `s1` or `s2` rasters in their order; `-` for one of no use.
        crs: projection of images that do not name theirs; of cubes also of those that do.
        without: a file that is no image, such as the reference.

    Raises:
        ImportAreaError: naming the file, and what it lacks.
    """
    cubes = []
    paths = []
    for source in sources:
        if is_cube_in_memory(source):
            cubes.append(source)
        else:
            paths.append(Path(source))
    # What the user gives by name is refused where the same file in a folder is left out.
    files_by_name = {path for path in paths if not path.is_dir()}

    listed = list_files(paths)
    skipped = listed.skipped
    second_choice = set(without_slope_correction(listed.paths))

    bands: list[BandOfDay] = []
    lone_bands: list[RasterHeader] = []
    notices: list[str] = []
    renamed: list[str] = []
    not_images = Skipped()  # but masks and the like, which may lie in a folder of their own
    for number, cube in enumerate(cubes, 1):
        title = f"cube {number}"
        bands += bands_of_cube(cube, title, crs) or _refuse_cube(title)
    for path in listed.paths:
        if without is not None and path.samefile(without):
            continue
        reason = _reason_to_skip(path, path in second_choice, path in files_by_name)
        if reason is not None:
            beside_images = reason in (_MASKS, _SLOPE)
            (skipped if beside_images else not_images).add(reason, path)
        elif path.suffix.lower() in CUBE_ENDINGS:
            cube = open_cube(path)
            title = printable(path)
            found = bands_of_cube(cube, title, crs, path.stem, baseline_of(path))
            if not found and path in files_by_name:
                _refuse_cube(title)
            elif not found:
                not_images.add(_NO_BAND_IN_CUBE, path)
            bands += found
        else:
            header = _read_header(path)
            named = _bands_of_raster(header, user_bands, path not in files_by_name)
            if len(header.names) == 1 and _bands_by_user(header, user_bands) is None:
                lone_bands.append(header)
            if isinstance(named, str):
                not_images.add(named, path)
                continue
            if _contradicts(header, named):
                renamed.append(header.title)
            bands += _place_bands(header, named, crs)
    _refuse_numbered_files(lone_bands)
    if bands:
        _refuse_folders_without_image(listed.by_folder, not_images)
    skipped.update(not_images)
    notices += skipped.notices()
    if renamed:
        rasters = counted(
            len(renamed), "raster describes its bands", "rasters describe their bands"
        )
        notices.append(
            f"{rasters} otherwise than you do; your order counts, such as in {renamed[0]}"
        )
    if not bands:
        reasons = "".join(f"; {notice}" for notice in notices)
        raise ImportAreaError(
            "no band of Sentinel-1 or Sentinel-2 is there by name (B2 to B12, VV or VH): name "
            f"them, or give --s2-bands and --s1-bands{reasons}"
        )
    acquisitions, more_notices = group_by_day(bands)
    return FoundImages(acquisitions, notices + more_notices)


def _refuse_cube(title: str) -> NoReturn:
    """Refuse a cube that the user gives and in which no band is found.

    Raises:
        ImportAreaError: always.
    """
    raise ImportAreaError(
        f"{title} names no band of Sentinel-1 or Sentinel-2: call its variables, or the steps of "
        "its dimension of bands, by them, such as B2, B8A or VV"
    )


def _refuse_folders_without_image(by_folder: Mapping[Path, set[Path]], not_images: Skipped) -> None:
    """Refuse a folder among the sources of which every file is left out.

    Otherwise an import of Sentinel-1 and of a folder of pictures would be one of Sentinel-1 alone.

    Args:
        by_folder: the files below each folder, by their true paths.
        not_images: files that are left out, other than masks.

    Raises:
        ImportAreaError: naming the folder, and why its files are left out.
    """
    for folder, files in by_folder.items():
        inside = Skipped()
        for reason, paths in not_images.paths.items():
            for path in paths:
                if path.resolve() in files:
                    inside.add(reason, path)
        left_out = {path.resolve() for paths in inside.paths.values() for path in paths}
        if left_out == files:
            raise ImportAreaError(
                f"{printable(folder)} holds no image that networks take: "
                f"{'; '.join(inside.notices())}; give images of Sentinel-1 and Sentinel-2, or "
                "leave the folder out"
            )


def _refuse_numbered_files(headers: Sequence[RasterHeader]) -> None:
    """Refuse files of one band each that are numbered by position, such as B1 to B10.

    Raises:
        ImportAreaError: the names of one date only count.
    """
    names_by_day = defaultdict(dict)
    for header in headers:
        day = day_of_file(header.path)
        # Where every description is the same, such as "b1", the files' names count.
        for place, name in (("band", header.names[0]), ("file", header.path.stem)):
            band = band_in(name, "s2")
            if band is not None:
                names_by_day[place, day].setdefault(band, header.title)
    for (_, day), title_of in names_by_day.items():
        names = sorted(title_of, key=lambda name: (len(name), name))  # B9 before B10
        if len(names) > 1 and names_only_count(names):
            raise ImportAreaError(
                f"{title_of[names[0]]}: the files of {day} are numbered {names[0]} to {names[-1]}, "
                "by position or by name? name each by its band, such as B2, B8A or B11; if these "
                "are Sentinel-2's names, leave out B1, which networks do not take"
            )


def _reason_to_skip(path: Path, is_second_choice: bool, is_named_by_user: bool) -> str | None:
    """Why a file is left out by its name; None where it may be an image.

    Raises:
        ImportAreaError: it is of level 1C, or a foreign product that the user gives by name.
    """
    problem = name_problem(path)
    if problem is not None and (is_named_by_user or is_level_1c(path)):
        raise ImportAreaError(f"{printable(path)} {problem}")
    sensor = foreign_sensor(path)
    if sensor is not None:
        return f"images of another sensor ({sensor})"
    if is_mask(path):
        return _MASKS
    return _SLOPE if is_second_choice else None


def _contradicts(header: RasterHeader, named: Sequence[NamedBand]) -> bool:
    """Whether a raster's own descriptions name other bands than those taken."""
    if names_only_count(header.names):
        return False
    for band in named:
        described = band_in(header.names[band.index - 1], band.sensor)
        if described is not None and described != band.band:
            return True
    return False


def _place_bands(
    header: RasterHeader, named: Sequence[NamedBand], crs: str | None
) -> list[BandOfDay]:
    """Give each band of a raster its date and its source."""
    path = header.path
    for name in header.names:
        if foreign_name(name or ""):
            raise ImportAreaError(
                f"{header.title} holds {printable(name)}, a band of {foreign_name(name)}: give "
                "images of Sentinel-1 and Sentinel-2 alone"
            )
    _check_date_of_each_band(header, named)
    day_of_raster = day_of_file(path)
    user_crs = parse_crs(crs) if crs else None
    bands = []
    for band in named:
        day = band.day if band.day is not None else day_of_raster
        if day is None and is_old_esa_name(path.stem):
            raise ImportAreaError(
                f"{header.title}: the date in this old name of ESA is that of the file's making, "
                "the image's stands in the name of the product's folder (..._V20160730T105042_...):"
                " import that folder, or begin the name with the date"
            )
        if day is None and has_dates_in_reverse(path.stem):
            raise ImportAreaError(
                f"{header.title}: its name holds two dates, the later one first, so it is in doubt "
                "which is the image's: give it that one alone"
            )
        if day is None:
            raise ImportAreaError(
                f"{header.title}: no date such as 20230105 or 05Jan2023 in its name: give it one"
            )
        baseline = baseline_of(path) if band.sensor == "s2" else None
        opener = partial(rasterio.open, path)
        source = BandSource(header.title, opener, str(path), band.index, user_crs, baseline)
        bands.append(BandOfDay(band.sensor, band.band, day, source))
    return bands


def _check_date_of_each_band(header: RasterHeader, named: Sequence[NamedBand]) -> None:
    """Refuse a file that holds several dates without saying which band is of which."""
    keys = [(band.sensor, band.band, band.day) for band in named]
    for key in keys:
        if keys.count(key) > 1:
            sensor, band, day = key
            raise ImportAreaError(
                f"{header.title} holds {band} {keys.count(key)} times"
                + (f" of {day}" if day is not None else "")
                + ": it seems to hold several dates; begin the name of each band with its date, "
                "such as 20230105_B2, or write a file for each date; if these are several "
                f"quantities of one date, choose with --{sensor}-bands, - for a band of no use"
            )
