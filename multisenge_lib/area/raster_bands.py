"""Sensor, name and date of each band of a raster, by what the user, the raster and its name say.

1. Bands in the order that the user gives (`--s2-bands`) count more than any name.
2. Descriptions of the bands count next, unless they only count ("Band 1", "b1").
3. The name of a file with one band counts last.
"""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import rasterio
from rasterio.errors import RasterioError

from multisenge_lib.area.acquisitions import BandOfDay
from multisenge_lib.area.band_source import BandSource
from multisenge_lib.area.cubes import parse_crs
from multisenge_lib.area.products import (
    bands_of_maja,
    baseline_of,
    day_and_folder,
    day_doubt,
    day_in,
    foreign_band_problem,
    foreign_name,
    impossible_date,
    is_old_esa_name,
    sensor_in,
    speaks_of_another_month,
)
from multisenge_lib.dataset import (
    MULTISENGE,
    SENSORS,
    band_of,
    has_unknown_names,
    is_other_quantity,
    length_problem,
    names_only_count,
    remedy_for,
    swir_problem,
    unambiguous_names,
)
from multisenge_lib.errors import ImportAreaError, counted, printable

_NO_BAND = "rasters that name no band"
_UNUSED = "rasters of bands that networks do not take"


@dataclass(frozen=True)
class RasterHeader:
    """What a raster says of its bands.

    Attributes:
        path: path of the file.
        names: descriptions of the bands, None where there is none.
        dtypes: type of each band.
        file_name: the file's name without its ending, in which the band is named where it takes
            the names of the files beside it to understand it, see `unambiguous_names`.
        pages: how many images a TIFF holds, as scanners write several; GDAL reads the first.
    """

    path: Path
    names: list[str | None]
    dtypes: list[str]
    file_name: str
    pages: int = 1

    @property
    def title(self) -> str:
        """The path for messages; printable."""
        return printable(self.path)

    @property
    def names_are_dates(self) -> bool:
        """Whether the bands are the dates of one band, which the file's name gives."""
        return all(
            name and day_in(name) is not None and not _names_band(name) for name in self.names
        )

    @property
    def holds_one_band(self) -> bool:
        """Whether it holds one band, of one date or of several."""
        return len(self.names) == 1 or self.names_are_dates


def read_header(path: Path, file_name: str) -> RasterHeader:
    """Read what a raster says of its bands.

    Args:
        path: path of the file.
        file_name: as in `RasterHeader`.

    Raises:
        ImportAreaError: it cannot be read.
    """
    try:
        str(path).encode()  # Python reads other bytes as surrogates, which cannot be encoded
    except UnicodeEncodeError:
        raise ImportAreaError(
            f"the name of {printable(path)} is not UTF-8, so GDAL cannot open it: rename it"
        ) from None
    try:
        with rasterio.open(path) as raster:
            problem = length_problem(raster)
            names = unambiguous_names(raster.descriptions)
            of_maja = bands_of_maja(path)
            if not any(names) and len(of_maja) == len(names):
                names = list(of_maja)
            pages = max(len(raster.subdatasets), 1) if raster.driver == "GTiff" else 1
            header = RasterHeader(path, names, list(raster.dtypes), file_name, pages)
    except (RasterioError, ValueError) as error:
        raise ImportAreaError(
            f"{printable(path)} cannot be read as a raster ({error}): {remedy_for(error)}, or "
            "leave it out"
        ) from None
    if problem is not None:
        raise ImportAreaError(f"{header.title} {problem}: fetch it again")
    return header


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


def _names_band(name: str) -> bool:
    return any(band_of(name, sensor) is not None for sensor in SENSORS)


def bands_by_user(
    header: RasterHeader, user_bands: Mapping[str, Sequence[str]]
) -> list[NamedBand] | None:
    """Bands in the order that the user gives; None where that does not concern this raster.

    It concerns rasters of that sensor with as many bands. Rasters of one band, each with its
    band's name, are not stacks and keep their names.
    """
    sensor = _sensor_meant(header, user_bands)
    if sensor is None:
        return None
    named = []
    for index, band in enumerate(user_bands[sensor], 1):
        if band in MULTISENGE.bands[sensor]:  # else "-", a band of no use
            named.append(NamedBand(sensor, band, index))
    return named


def _sensor_meant(header: RasterHeader, user_bands: Mapping[str, Sequence[str]]) -> str | None:
    """The sensor whose order of bands the user means for a raster; None for none of them."""
    # An order of ten bands says nothing of a raster of two.
    sensors = [sensor for sensor, bands in user_bands.items() if len(bands) == len(header.names)]
    sensor_by_name = sensor_in(header.path)
    if sensor_by_name is not None:
        sensors = [sensor for sensor in sensors if sensor == sensor_by_name]
    if len(sensors) != 1:
        return None
    sensor = sensors[0]
    other = "s1" if sensor == "s2" else "s2"
    # Orders for both are given, only one of them has as many bands, but the raster is the other's.
    if sensor_by_name is None and other in user_bands and _bands_by_description(header, other):
        return None
    # VV and VH are never the two bands of Sentinel-2 that the user means.
    is_described_as_other = any(band_of(name, other) for name in header.names)
    is_described = any(band_of(name, sensor) for name in header.names)
    return None if is_described_as_other and not is_described else sensor


def _bands_by_description(header: RasterHeader, sensor: str) -> list[NamedBand]:
    """Bands of one sensor by their descriptions, else by the name of a file that holds one band."""
    names = header.names
    only_count = sensor == "s2" and names_only_count(names)
    named = []
    for index, name in enumerate(names, 1):
        band = None if only_count else band_of(name, sensor)
        # GDAL and Earth Engine describe a lone band as "Gray" or "Band 1"; its file says more.
        if band is None and header.holds_one_band:
            band = _band_of_file(header, sensor)
        if band is not None:
            named.append(NamedBand(sensor, band, index, day_in(name or "")))
    return named


def _band_of_file(header: RasterHeader, sensor: str) -> str | None:
    """The band that the name of a file with one band gives, or None.

    A radar image of a field or block B2 has no band B2.
    """
    if sensor_in(header.path) not in (None, sensor):
        return None
    return band_of(header.file_name, sensor)


def bands_of_raster(
    header: RasterHeader, user_bands: Mapping[str, Sequence[str]], in_folder: bool
) -> list[NamedBand] | str:
    """The bands of a raster that networks take, or the reason to leave it out.

    Raises:
        ImportAreaError: the raster does not name its bands, and may be an image.
    """
    by_user = bands_by_user(header, user_bands)
    if by_user is not None:
        _refuse_foreign_bands(header, by_user)
        return by_user
    if not header.holds_one_band:
        names = header.names
    else:
        names = [] if _bands_by_description(header, "s2") else [*header.names, header.file_name]
    problem = swir_problem(names)
    if problem is not None:
        raise ImportAreaError(f"{header.title} {problem}, or give --s2-bands")
    named = []
    for sensor in SENSORS:
        of_sensor = _bands_by_description(header, sensor)
        if of_sensor and sensor in user_bands and len(header.names) > 1:
            raise ImportAreaError(_other_count(header, sensor, user_bands[sensor]))
        named += of_sensor
    if named:
        # B10 in a file of its own is another file's affair, see `band_of_level_1c`.
        problem = foreign_band_problem(header.names, may_hold_b10=header.holds_one_band)
        if problem is not None:
            raise ImportAreaError(f"{header.title} {problem}")
        _check_unknown_names(header, named)
        used = [band for band in named if band.band in MULTISENGE.bands[band.sensor]]
        return used or _UNUSED
    # Three bands of 8 bit are the true-colour picture that ESA adds (TCI).
    is_picture = set(header.dtypes) == {"uint8"}
    if in_folder and (len(header.names) == 1 or is_picture):
        return _NO_BAND  # a product's scene classification, angles, quicklook
    if in_folder and names_other_layers(header):
        return f"rasters that name other layers ({_shown(header.names)})"  # weather, maps, heights
    raise ImportAreaError(_ask_for_bands(header, user_bands))


def _refuse_foreign_bands(header: RasterHeader, chosen: Sequence[NamedBand]) -> None:
    """Refuse another sensor's bands among those that the user chose.

    Of their level the user knows more than their names.

    Raises:
        ImportAreaError: naming the band.
    """
    for band in chosen:
        name = header.names[band.index - 1] or ""
        sensor = foreign_name(name)
        if sensor is not None:
            raise ImportAreaError(
                f"{header.title} holds {printable(name)}, a band of {sensor}: give images of "
                "Sentinel-1 and Sentinel-2 alone"
            )


def names_other_layers(header: RasterHeader) -> bool:
    """Whether a raster of several bands names them all, and none is a date or a band known here."""
    names = header.names
    if len(names) < 2 or not all(names) or any(_date_parts(name) for name in names):
        return False
    return not any(map(_names_band, names)) and has_unknown_names(names, [None] * len(names))


def _date_parts(name: str) -> bool:
    """Whether a name holds a date, or a year and a month alone."""
    return day_in(name) is not None or _MONTH_ALONE.fullmatch(name) is not None


def _shown(names: Sequence[str | None]) -> str:
    """A few names for a message."""
    shown = ", ".join(printable(name) for name in names[:3])
    return f"{shown}, ..." if len(names) > 3 else shown


#: Bands called by their months, as those of a composite.
_MONTH_ALONE = re.compile(r"20\d\d[-_.]?[01]\d")
#: Layers that products hold beside their bands.
_EXTRA_LAYER = re.compile(
    r"SCL|AOT|WVP|MASK|ANGLE|CLOUD|CLD|SNW|SNOW|FILL|ALPHA|(?<![A-Z])(?:QA|QC|CLP|CLM|ILL|LIA)"
)


def _check_unknown_names(header: RasterHeader, named: Sequence[NamedBand]) -> None:
    """Refuse a raster of which only the lesser bands are understood, as in another language.

    Raises:
        ImportAreaError: no visible band is known by its name, and other names are not understood.
    """
    bands = {band.band for band in named}
    if bands & {"B2", "B3", "B4", "VV", "VH"}:
        return
    unknown = _unknown_names(header, named)
    if unknown:
        shown = ", ".join(unknown[:3])
        raise ImportAreaError(
            f"{header.title} names bands that are not understood ({shown}): call them B2, B3 and "
            "so on, or give all in their order, such as --s2-bands B2,B3,B4,B8"
        )


def names_not_understood(header: RasterHeader, named: Sequence[NamedBand]) -> list[str]:
    """Names in a raster of Sentinel-2 that may be those of the bands that it lacks; printable.

    Args:
        header: of the raster.
        named: its bands that are taken.
    """
    bands = {band.band for band in named if band.sensor == "s2"}
    if not bands or header.holds_one_band or bands >= set(MULTISENGE.bands["s2"]):
        return []
    return _unknown_names(header, named)


def _unknown_names(header: RasterHeader, named: Sequence[NamedBand]) -> list[str]:
    """Names of layers that are neither bands nor what products hold beside them; printable."""
    positions = {band.index for band in named}
    unknown = []
    for index, name in enumerate(header.names, start=1):
        is_extra = name is not None and _EXTRA_LAYER.search(name.upper()) is not None
        is_known = index in positions or _names_band(name or "")
        if name and not is_known and not is_extra and not is_other_quantity(name):
            unknown.append(printable(name))
    return unknown


def _other_count(header: RasterHeader, sensor: str, given: Sequence[str]) -> str:
    """Say that the user names more or fewer bands than a raster has that names its bands."""
    return (
        f"{header.title} has {counted(len(header.names), 'band', 'bands')}, which it names itself, "
        f"and --{sensor}-bands gives {len(given)}: give one name for each band, or - for one of no "
        f"use; or leave out --{sensor}-bands"
    )


def _ask_for_bands(header: RasterHeader, user_bands: Mapping[str, Sequence[str]]) -> str:
    count = len(header.names)
    what = f"{header.title} does not name its {counted(count, 'band', 'bands')}"
    if all(name and day_in(name) is not None for name in header.names):
        return (
            f"{header.title} names its bands by dates ({printable(header.names[0])}, ...): call "
            "them by date and band, such as 20200706_B2, or name the file by its band, such as "
            "S2_B2.tif"
        )
    if all(name and _MONTH_ALONE.fullmatch(name) for name in header.names):
        return (
            f"{header.title} names its bands by months ({printable(header.names[0])}, ...), which "
            "are no dates: call them by a full date and band, such as 20200715_B2"
        )
    if names_other_layers(header):
        return (
            f"{header.title} names bands that are not understood ({_shown(header.names)}): leave "
            "the file out, or call them B2, B3 and so on, VV or VH, or give them in their order, "
            "such as --s2-bands B2,B3,B4,B8 or --s1-bands VV,VH"
        )
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


def contradicts(header: RasterHeader, named: Sequence[NamedBand]) -> bool:
    """Whether a raster's own descriptions name other bands than those taken."""
    if names_only_count(header.names):
        return False
    for band in named:
        described = band_of(header.names[band.index - 1], band.sensor)
        if described is not None and described != band.band:
            return True
    return False


def refuse_numbered_files(headers: Sequence[RasterHeader]) -> None:
    """Refuse files of one band each that are numbered by position, such as B1 to B10.

    Raises:
        ImportAreaError: the names of one date only count.
    """
    names_by_day = defaultdict(dict)
    for header in headers:
        day = day_and_folder(header.path)[0]
        # Where every description is the same, such as "b1", the files' names count.
        bands = {"band": band_of(header.names[0], "s2"), "file": _band_of_file(header, "s2")}
        for place, band in bands.items():
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


def place_bands(
    header: RasterHeader, named: Sequence[NamedBand], crs: str | None
) -> list[BandOfDay]:
    """Give each band of a raster its date and its source."""
    path = header.path
    if header.pages > 1:
        raise ImportAreaError(
            f"{header.title} is a TIFF of {header.pages} images, of which only the first would be "
            "read: write a file for each, such as with gdal_translate GTIFF_DIR:2:x.tif second.tif"
        )
    _check_date_of_each_band(header, named)
    day_of_raster, dated_folder = day_and_folder(path)
    user_crs = parse_crs(crs) if crs else None
    baseline_of_raster = baseline_of(path)
    bands = []
    for band in named:
        folder = None if band.day is not None else dated_folder
        day = band.day if band.day is not None else day_of_raster
        if day is None:
            raise ImportAreaError(f"{header.title}: {_why_no_day(path)}")
        baseline = baseline_of_raster if band.sensor == "s2" else None
        opener = partial(rasterio.open, path)
        source = BandSource(header.title, opener, str(path), band.index, user_crs, baseline, folder)
        bands.append(BandOfDay(band.sensor, band.band, day, source))
    return bands


def _why_no_day(path: Path) -> str:
    """Say why the names of a raster and of its folder give no date, and what to do."""
    name = path.stem
    folder = path.parent.name
    day_of_folder = day_in(folder)
    if is_old_esa_name(name):
        return (
            "the date in this old name of ESA is that of the file's making, the image's stands in "
            "the name of the product's folder (..._V20160730T105042_...): import that folder, or "
            "begin the name with the date"
        )
    doubt = day_doubt(name)
    if doubt is not None:
        return doubt
    if day_of_folder is not None and speaks_of_another_month(name, day_of_folder):
        return (
            f"its name speaks of another year or month than that of its folder {printable(folder)}:"
            " give it its own date, such as 20230105"
        )
    impossible = impossible_date(name)
    if impossible is not None:
        return (
            f"{impossible} in its name cannot be the date of an image, since it is before April "
            "2014 or in the future: put the image's date into the name"
        )
    return "no date such as 20230105 or 05Jan2023 in its name: give it one"


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
