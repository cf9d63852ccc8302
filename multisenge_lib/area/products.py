"""What names and metadata of delivered products say: date, sensor, offset, and what is no image.

Products as their providers deliver them:

    ESA       S2A_MSIL2A_20220730T105041_N0400_R051_T31UEQ_20220730T170700.SAFE/.../*_B02_10m.jp2
    before    S2A_USER_PRD_MSIL2A_PDMC_20160803T031502_R051_V20160730T105042_20160730T105042.SAFE
    THEIA     SENTINEL2A_20200707-105433-459_L2A_T31UEQ_C_V2-2_FRE_B2.tif, masks in MASKS/
    S1Tiling  s1a_31UEQ_vv_DES_037_20200708txxxxxx.tif, ..._BorderMask.tif
    HLS       HLS.S30.T31UEQ.2020187T105031.v2.0.B02.tif (Sentinel-2), HLS.L30... (Landsat)
    DEA       ga_s2am_nbart_3-2-1_56JLQ_2020-07-06_final_band02.tif
    Planetary Computer   S1A_IW_GRDH_1SDV_20200708T..._rtc/measurement/iw-vv.rtc.tiff
    FORCE     20200706_LEVEL2_SEN2A_BOA.tif (Sentinel-2), ..._LND08_BOA.tif (Landsat)
    Sen2Like  L2F_T31UEQ_20200706T105031_S2A_R051_B02_10m.TIF, ..._LS8_R198_B02_30m.TIF (Landsat)
    SNAP      Sigma0_VV_slv1_08Jan2020.img, in the folder of a stack of several dates
    MAJA      S2A_OPER_SSC_PDTIMG_L2VALD_31UEQ____20200706_FRE_R1.DBL.TIF (bands unnamed), ..._R2

Kept apart from reading pixels: all of this works on names, and on the metadata of products.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from multisenge_lib.dataset import band_of, is_other_quantity_of_band, names_only_count
from multisenge_lib.errors import ImportAreaError, printable

#: Of ESA's level-2A product, at the top of its folder.
ESA_METADATA = "MTD_MSIL2A.xml"
#: Bytes that a STAC item has at most; a larger file of its name is another one.
_LARGEST_ITEM = 1_000_000
#: Since this processing baseline (25 January 2022) ESA adds 1000 to stored reflectance, so that
#: dark pixels need not be cut off at 0.
_FIRST_BASELINE_WITH_OFFSET = 400
_ESA_OFFSET = -1000
#: What Sen2Cor calls a product that users make themselves, with its version before the offset or
#: after: only the metadata tell.
_OWN_BASELINE = 9999

#: When the first satellite of each sensor started: no image is older.
FIRST_DAYS = {"s1": np.datetime64("2014-04-03"), "s2": np.datetime64("2015-06-23")}
#: Nothing may follow but the time of day, as in 20200715105031 and 202007151050.
_CLOSED_DATE = re.compile(
    r"(?<!\d)((?:19|20)\d\d)([01]\d)([0-3]\d)"
    r"(?:(?!\d)|(?=[0-2]\d[0-5]\d(?:[0-5]\d)?(?!\d)))"
)
#: In 2020_07_10m and 2020_07_31UEQ a resolution or a tile follows the month, and in
#: 2020_07_12_05 a row and a column may. A time of day may follow the day.
_OPEN_DATE = re.compile(
    r"(?<!\d)((?:19|20)\d\d)(?:([-_.])([01]\d)\2([0-3]\d)|-(\d\d?)-(\d\d?))"
    r"(?=$|T[\dX]|Z(?![A-Z])|[^A-Z\d])"
    r"(?:(?=[-_ ][0-2]\d([-_:.]?)[0-5]\d(?:\7[0-5]\d)?(?!\d))|(?!(?(2)\2|-)\d\d?(?![A-Z\d])))",
    re.IGNORECASE,
)
#: Year and day of the year, as HLS writes it. The T after it keeps other numbers out.
_DAY_OF_YEAR = re.compile(r"(?<!\d)((?:19|20)\d\d)([0-3]\d\d)(?=T\d{6})")
#: Without the T it may be another number.
_PERHAPS_DAY_OF_YEAR = re.compile(r"(?<![A-Z\d])(?:19|20)\d\d[0-3]\d\d(?![A-Z\d])", re.IGNORECASE)
#: A year in which the sensors were in orbit, alone or with a month: 2020, 202007, 2020-07. Letters
#: after it would make it another number, such as 10m, and in 2020_12 the 12 may be a tile.
_YEAR_AND_MONTH = re.compile(r"(?<!\d)(20[12]\d)(?:-?([01]\d)(?![A-Z\d]))?(?!\d)", re.IGNORECASE)
#: Products, granules and bands of ESA before December 2016. The first date in such a name is that
#: of the file's making. The sensing follows a V, in the name of the product alone.
_OLD_ESA = re.compile(r"S2[AB]_[A-Z]{4}_(?:PRD|MSI)_", re.IGNORECASE)
_OLD_SENSING = re.compile(r"_V(\d{8}T)", re.IGNORECASE)
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
#: As SNAP writes the dates of a stack into the names of its bands.
_NAMED_MONTH = re.compile(rf"(?<!\d)([0-3]\d)({'|'.join(_MONTHS)})((?:19|20)\d\d)(?!\d)")
#: A month as a word, beside a year or at the end of a name but for a band: "S2_jul2020" and
#: "S2_july_B02". Elsewhere it may be a place, such as Mar Menor.
_MONTH_AS_WORD = re.compile(
    r"(?:(?<![A-Z])|(?<=20\d\d)|(?<=20\d\d[-_.]))"
    r"(JAN(?:UARY)?|FEB(?:RUARY)?|MAR(?:CH)?|APR(?:IL)?|MAY|JUNE?|JULY?|AUG(?:UST)?"
    r"|SEP(?:T|TEMBER)?|OCT(?:OBER)?|NOV(?:EMBER)?|DEC(?:EMBER)?)"
    r"(?=[-_.]?20\d\d|(?:[-_.](?:B\d{1,2}A?|V[VH]|\d+M))*$)",
    re.IGNORECASE,
)
#: "S2", "S2A", "SENTINEL2X" (THEIA's monthly composites), "SEN2A", "Sentinel-1", but not "S20".
_SENSOR = re.compile(r"(?<![A-Z0-9])S(?:EN(?:TINEL[-_ ]?)?)?([12])[ABCDX]?(?![0-9])")
#: In the names of ESA's products, such as `_N0400_`.
_BASELINE = re.compile(r"(?<![A-Z0-9])N(\d{4})(?![A-Z0-9])")

#: Product names that may stand anywhere in a path.
_FOREIGN_PRODUCTS = {
    "Landsat": re.compile(
        r"(?<![A-Z0-9])L[COTEM]0[1-9]_|(?<![A-Z0-9])L[COTEM][1-9]\d{13}"
        r"|(?<![A-Z0-9])L(?:C[89]|E7|T[45])_|LANDSAT\d?-(?:OLI|E?TM)|HLS[._-]?L30"
        r"|(?<![A-Z0-9])GA_LS\d|(?<![A-Z0-9])LS[89]_(?:OLI|R\d{3})"
    ),
    "Sentinel-3": re.compile(r"(?<![A-Z0-9])S3[AB]_(?:OL|SL|SR|SY)_"),
    "MODIS": re.compile(r"(?<![A-Z0-9])M[OYC]D\d\d[A-Z0-9]*\.A?\d{7}"),
    "VIIRS": re.compile(r"(?<![A-Z0-9])V(?:NP|J1|J2)\d\d[A-Z0-9]*\.A?\d{7}"),
    "Venus": re.compile(r"(?<![A-Z0-9])VENUS-XS_"),
    "PlanetScope": re.compile(r"ANALYTICMS|(?<![A-Z0-9])PSSCENE"),
    "SPOT": re.compile(r"(?<![A-Z0-9])SPOT-?[1-7]-?[A-Z]"),
}
#: Words of other sensors in a file's or a band's own name, or at the beginning of its folder's.
#: FORCE writes LND08 into the name of each file, and Sen2Like LS8.
_FOREIGN_WORDS = {
    "Landsat": r"LANDSAT\d*|L[COTEM]0?[4-9]|LS0?[5-9]|L[5-9]SR|LND0\d|HLSL30|OLI\d?|OLITIRS|ETM",
    "Sentinel-3": r"SENTINEL3[AB]?|OLCI|SLSTR",
    "MODIS": r"MODIS|M[OYC]D\d\d[A-Z0-9]*",
    "VIIRS": r"VIIRS|V(?:NP|J1|J2)\d\d[A-Z0-9]*",
    "PlanetScope": r"PLANETSCOPE|PSSCENE|ANALYTICMS",
    "SkySat": r"SKYSAT\d*",
    "RapidEye": r"RAPIDEYE\d?",
    "SPOT": r"SPOT[1-7]",
    "Pleiades": r"PLEIADES|PHR1[AB]|PNEO\d?",
    "CBERS": r"CBERS\d?[A-Z]?",
    "WorldView": r"WORLDVIEW\d?|WV\d\d?|GEOEYE\d?|QUICKBIRD|IKONOS",
    "KOMPSAT": r"KOMPSAT\d?[A-Z]?",
    "Formosat": r"FORMOSAT\d?",
    "Resourcesat": r"RESOURCESAT\d?|LISS\d?|AWIFS",
    "DESIS": "DESIS",
    "Gaofen": r"GAOFEN\d?",
    "EnMAP": r"ENMAP\d*",
    "RADARSAT": r"RADARSAT\d?|RCM[1-3]?",
    "TerraSAR-X": r"TERRASARX?|TSX1?|TDX1?",
    "ALOS": r"ALOS\d?|PALSAR\d?",
    "Envisat": r"ENVISAT|ASAR",
    "SAOCOM": r"SAOCOM\d?[AB]?",
    "ICEYE": r"ICEYE[A-Z0-9]*",
    "COSMO-SkyMed": r"COSMOSKYMED\d?|CSK[1-4S]?",
}
#: Short or common words, which mean a sensor only at the beginning of a file's name, or behind its
#: date, and nothing in the name of a folder.
_FOREIGN_FIRST_WORDS = {
    "Landsat": r"L[4-9]|L30",
    "Sentinel-3": "S3[AB]",
    "ASTER": "ASTER",
    "PRISMA": "PRISMA",
    "DMC": "DMC",
    "Venus": "VENUS",
    "PlanetScope": "PLANET",
    "SPOT": "SPOT",
    "Gaofen": "GF[1-7]",
    "RADARSAT": "RS[12]",
    "ERS": "ERS[12]?",
}
#: A folder of Landsat as users shorten it.
_LANDSAT_FOLDER = re.compile(r"(?:\d{8}_)?L[5-9]_")
#: A file of ESA's Sentinel-2 products begins with its tile and its time.
_BAND_OF_ESA = re.compile(r"(?<![A-Z0-9])T\d\d[A-Z]{3}_\d{8}T\d{6}")
#: Bands as others name them: Landsat's surface reflectance, that of Digital Earth Australia, whose
#: Sentinel-2 has no swir_1, and that of MODIS.
_FOREIGN_BANDS = {
    "Landsat": re.compile(r"(?<![A-Z])SR_B\d(?![0-9A])|NBART_SWIR_1$"),
    "MODIS": re.compile(r"SUR_REFL_B\d"),
}
#: Level 1C in names of products, granules, exports and bands; "S2A1C" is sen2r's.
_LEVEL_1C = re.compile(r"MSIL?1C|(?<![A-Z0-9])(?:S2[ABC]|L|LEVEL[-_ ]?)1C(?![A-Z0-9])")
#: Reflectance or radiance at the top of the atmosphere. "Toa", so written, is a place.
_TOP_OF_ATMOSPHERE = re.compile(
    r"(?<![A-Za-z0-9])(?:R?TOA|r?toa|RADIANCE|[Rr]adiance)(?![A-Za-z0-9])"
)
#: Reflectance of the ground, which may be made of, or named beside, that of level 1C.
_LEVEL_2A = re.compile(
    r"MSIL?2A|SURFACE[-_ ]REFLECTANCE"
    r"|(?<![A-Z0-9])(?:S2[ABC]2A|L2A|LEVEL[-_ ]?2A|BOA|SR)(?![A-Z0-9])"
)
_B10 = re.compile(r"(?<![A-Z0-9])B10(?![A-Z0-9])", re.IGNORECASE)
#: What ESA calls the folder of a product, or of a granule in it, wherever it stands in a path.
_FOLDER_OF_LEVEL_1C = re.compile(r"MSIL1C|(?<![A-Z0-9])L1C_T\d\d[A-Z]{3}")

#: Folders inside products that hold its images, and no date in their names.
_INNER_FOLDERS = {"MEASUREMENT", "IMG_DATA", "R10M", "R20M", "R60M"}
#: Folders of ESA's and of THEIA's products that hold no image.
_AUXILIARY_FOLDERS = {"QI_DATA", "MASKS", "AUX_DATA"}
#: "BorderMask", "Fmask" and "MSK_DETFOO_B02", but not "masked", "nomask" and "Damaskus".
_MASK = re.compile(r"(?<!NO)(?<!NO[-_])MASKS?(?![A-Z])|^MSK_")
#: THEIA's layers beside reflectance: "_ATB_R1" (atmosphere), "_CLM_R2", "_DTF_R1-B02" (detectors).
_THEIA_LAYER = re.compile(r"_(?!FRE|SRE)[A-Z][A-Z0-9]{2}_R[1-3](?:-[A-Z]?\d{1,2}A?)?$")
#: MAJA's own format, in which such layers have this in their names as the images have.
_MAJA = re.compile(r"_L2VALD_")
#: THEIA gives reflectance with (FRE) and without (SRE) a correction for the slope of the ground.
_THEIA_BAND = re.compile(r"_(FRE|SRE)_(?=[BR]\d)", re.IGNORECASE)
#: The bands of 10 m and of 20 m, each in one raster of MAJA's own format, which does not name them.
_MAJA_BANDS = {"R1": ("B2", "B3", "B4", "B8"), "R2": ("B5", "B6", "B7", "B8A", "B11", "B12")}
_MAJA_IMAGE = re.compile(r"_(?:FRE|SRE)_(R[12])(?:\.DBL)?$")


def day_in(name: str) -> np.datetime64 | None:
    """Find the first date in a name, or None.

    Understood are `yyyymmdd`, with `-`, `_` or `.` between the parts or not, and with the time of
    day behind it or not; `yyyy-m-d`; the month in English as SNAP writes it, `08Jan2020`; and the
    day of the year as HLS writes it, `2020187T105031`. Dates before 2014, or to come, are passed
    over. Where `day_doubt` has something to say, the answer is None.
    """
    if is_old_esa_name(name):
        name = _without_date_of_making(name)
    if day_doubt(name) is not None:
        return None
    dates = calendar_dates(name)
    if dates:
        return dates[0]
    for match in _NAMED_MONTH.finditer(name.upper()):
        day, month_name, year = match.groups()
        month = _MONTHS.index(month_name) + 1
        with suppress(ValueError):  # such as 31Feb2020
            named_day = np.datetime64(f"{year}-{month:02}-{day}", "D")
            if is_possible_day(named_day):
                return named_day
    for match in _DAY_OF_YEAR.finditer(name):
        year, day_of_year = match.groups()
        numbered_day = _day_of_year(year, int(day_of_year))
        if 1 <= int(day_of_year) <= 366 and is_possible_day(numbered_day):
            return numbered_day
    return None


def is_possible_day(day: np.datetime64, sensor: str | None = None) -> bool:
    """Whether a sensor, or any of the two, was in orbit on a day, which is not to come."""
    first_day = FIRST_DAYS[sensor] if sensor else min(FIRST_DAYS.values())
    tomorrow = np.datetime64("today") + 1  # where it is earlier than in Greenwich
    return bool(first_day <= day <= tomorrow)


def _day_of_year(year: str, number: int) -> np.datetime64:
    return np.datetime64(f"{year}-01-01", "D") + (number - 1)


def calendar_dates(name: str) -> list[np.datetime64]:
    """All dates in a name that are written with year, month and day as numbers, in their order.

    Dates before the sensors were in orbit, or to come, are something else and are passed over.
    """
    return [day for day in _written_dates(name) if is_possible_day(day)]


def impossible_date(name: str) -> np.datetime64 | None:
    """The first date in a name on which neither sensor was in orbit, or which is to come."""
    return next((day for day in _written_dates(name) if not is_possible_day(day)), None)


def _written_dates(name: str) -> list[np.datetime64]:
    if is_old_esa_name(name):
        name = _without_date_of_making(name)
    matches = [*_CLOSED_DATE.finditer(name), *_OPEN_DATE.finditer(name)]
    days = []
    for match in sorted(matches, key=lambda match: match.start()):
        year, month, day = [group for group in match.groups()[:6] if (group or "").isdecimal()]
        with suppress(ValueError):  # such as 20231305
            days.append(np.datetime64(f"{year}-{month:0>2}-{day:0>2}", "D"))
    return days


def day_doubt(name: str) -> str | None:
    """Say why it is in doubt which date in a name is the image's; None where it is not.

    Products name the acquisition first, and what was made of it later.

    Returns:
        A sentence that goes on from the name of the file.
    """
    days = calendar_dates(name)
    if any(day < days[0] for day in days):
        return (
            "its name holds two dates, the later one first, so it is in doubt which is the "
            "image's: give it that one alone"
        )
    for number in _PERHAPS_DAY_OF_YEAR.findall(name):
        day_of_year = int(number[4:])
        if not 1 <= day_of_year <= 366 or not is_possible_day(
            _day_of_year(number[:4], day_of_year)
        ):
            continue
        # Beside a date it is the same day or a later one, that of making.
        if not days or _day_of_year(number[:4], day_of_year) < days[0]:
            return (
                f"{number} in its name may be day {day_of_year} of {number[:4]}: give it the date "
                "as yyyymmdd alone"
            )
    return None


def is_old_esa_name(name: str) -> bool:
    """Whether a name is of ESA's format before December 2016."""
    return _OLD_ESA.search(name) is not None


def _without_date_of_making(name: str) -> str:
    """What an old name of ESA says of the sensing: what stands before it, or what follows the V."""
    sensing = _OLD_SENSING.search(name)
    own_prefix = name[: _OLD_ESA.search(name).start()]
    return own_prefix + (sensing[1] if sensing else "")


def day_and_folder(path: Path) -> tuple[np.datetime64 | None, str | None]:
    """Find the date of a raster in its name, else in the name of its folder.

    Where a file's own name leaves its date in doubt, or speaks of another year or month, as below
    the folder of a later download, that of the folder is no better. Old files of ESA lie up to five
    folders below the product, whose name alone holds the sensing. Folders that are called alike in
    all products are passed over.

    Returns:
        The date, or None; and the name of the folder, printable, or None where it is the file's.
    """
    day = day_in(path.stem)
    if day is not None or day_doubt(path.stem) is not None:
        return day, None
    folders = [folder.name for folder in path.parents]
    if is_old_esa_name(path.stem):
        folders = folders[:6]
    else:
        folders = [name for name in folders if name.upper() not in _INNER_FOLDERS][:1]
    for folder in folders:
        day = day_in(folder)
        if day is None:
            continue
        if speaks_of_another_month(path.stem, day):
            return None, None
        return day, printable(folder)
    return None, None


def speaks_of_another_month(name: str, day: np.datetime64) -> bool:
    """Whether a name holds a year, perhaps with a month, or a month's word, of another day."""
    year, month, _ = str(day).split("-")
    dates = _YEAR_AND_MONTH.findall(name)
    if dates and not any(y == year and m in ("", month) for y, m in dates):
        return True
    words = {word[:3].upper() for word in _MONTH_AS_WORD.findall(name)}
    return bool(words) and _MONTHS[int(month) - 1] not in words


def sensor_in(path: Path) -> str | None:
    """Tell by the name of a raster or of its folder whether it is of `s1` or `s2`, or None.

    A name that speaks of both sensors says nothing.
    """
    for name in (path.stem, path.parent.name):
        numbers = set(_SENSOR.findall(name.upper()))
        if numbers:
            return f"s{numbers.pop()}" if len(numbers) == 1 else None
    return None


def foreign_sensor(path: Path) -> str | None:
    """Name the other sensor whose product a raster is by its name, such as Landsat, or None.

    The word of a sensor counts in the file's own name, or at the beginning of its folder's, where
    neither the file nor that folder speaks of Sentinel-1 or Sentinel-2. A short word, such as L7,
    counts in the file's name alone.
    """
    parts = [part.upper() for part in path.parts]
    for sensor, pattern in _FOREIGN_PRODUCTS.items():
        if any(pattern.search(part) for part in parts):
            return sensor
    stem = path.stem.upper()
    folder = path.absolute().parent.name.upper()
    if _SENSOR.search(stem) or _BAND_OF_ESA.search(stem):
        return None
    of_file = foreign_name(path.stem)
    if of_file is not None or _SENSOR.search(folder):
        return of_file
    of_short_word = _sensor_of_word(_first_word(stem), _FOREIGN_FIRST_WORDS)
    if of_short_word is not None:
        return of_short_word
    if _LANDSAT_FOLDER.match(folder):
        return "Landsat"
    return _sensor_of_word(_first_word(folder), _FOREIGN_WORDS)


def foreign_name(name: str) -> str | None:
    """Name the other sensor that a file's or a band's own name speaks of in plain words, or None.

    A name that speaks of Sentinel-1 or Sentinel-2 as well is theirs.
    """
    if _SENSOR.search(name.upper()):
        return None
    for sensor, pattern in _FOREIGN_BANDS.items():
        if pattern.search(name.upper()):
            return sensor
    for word in _words_of(name):
        sensor = _sensor_of_word(word, _FOREIGN_WORDS)
        if sensor is not None:
            return sensor
    return None


def _first_word(name: str) -> str:
    """The first word of a name that is no number, such as a date."""
    return next((word for word in _words_of(name) if not word.isdecimal()), "")


def _words_of(name: str) -> list[str]:
    """The words of a name in capitals, letters and digits together: "Sentinel-3" is SENTINEL3."""
    return re.findall(r"[A-Z0-9]+", re.sub(r"(SENTINEL)[-_ ](?=\d)", r"\1", name.upper()))


def _sensor_of_word(word: str, words: Mapping[str, str]) -> str | None:
    for sensor, pattern in words.items():
        if re.fullmatch(pattern, word):
            return sensor
    return None


def foreign_band_problem(names: Sequence[str | None], may_hold_b10: bool = False) -> str | None:
    """Say which band of a raster or cube is another sensor's or of level 1C; None where none is.

    Names that give no band are passed over, as those of layers beside an image.

    Args:
        names: of the bands.
        may_hold_b10: whether a B10 is no objection, as in a file of its own, which has no use.

    Returns:
        A sentence that goes on from the name of the raster or cube.
    """
    for name in names:
        band = band_of(name, "s2")
        if band is None and band_of(name, "s1") is None:
            continue
        sensor = foreign_name(name)
        if sensor is not None:
            return (
                f"holds {printable(name)}, a band of {sensor}: give images of Sentinel-1 and "
                "Sentinel-2 alone"
            )
        if band is not None and says_level_1c(name):
            return (
                f"holds {printable(name)}, whose name says reflectance at the top of the "
                "atmosphere: the networks take reflectance of the ground, level 2A; fetch that "
                "product, or rename the band if it is of level 2A"
            )
        if band == "B10" and not may_hold_b10 and not names_only_count(names):
            return (
                f"holds {printable(name)}, which Sentinel-2 has in level 1C alone, reflectance at "
                "the top of the atmosphere: the networks take level 2A; fetch that product, or, if "
                "the other bands are of level 2A, leave this one out (- in --s2-bands)"
            )
    return None


def says_level_1c(name: str) -> bool:
    """Whether a name says level 1C, and not level 2A as well."""
    is_low_level = _LEVEL_1C.search(name.upper()) or _TOP_OF_ATMOSPHERE.search(name)
    return bool(is_low_level) and not _LEVEL_2A.search(name.upper())


def is_level_1c(path: Path) -> bool:
    """Whether a name says top-of-atmosphere reflectance, which the networks never saw."""
    if any(_FOLDER_OF_LEVEL_1C.search(part.upper()) for part in path.parts):
        return True
    # The file's own name counts more than its folder's.
    if _LEVEL_2A.search(path.stem.upper()):
        return False
    return any(says_level_1c(name) for name in (path.stem, path.parent.name))


def band_of_level_1c(paths: Sequence[Path]) -> Path | None:
    """Find the file of B10 of a product with a file for each band, as ESA's granules have; or None.

    Level 2A has no B10. A field called B10 has no file whose name differs in B02 alone.
    """
    for path in paths:
        if band_of(path.stem, "s2") != "B10":
            continue
        others = [_B10.sub(blue, path.name) for blue in ("B02", "B2", "b02", "b2")]
        if any(path.with_name(name) in paths for name in others if name != path.name):
            return path
    return None


def name_problem(path: Path) -> str | None:
    """Say by its name why a raster is no image that a network takes; None where nothing says so.

    Returns:
        A sentence that goes on from the raster's name.
    """
    if is_level_1c(path):
        return (
            "is of level 1C by its name, reflectance at the top of the atmosphere: the networks "
            "take reflectance of the ground, level 2A; fetch that product, or leave this one out "
            "(if Toa is only the name of a place, write it so, with one capital)"
        )
    sensor = foreign_sensor(path)
    if sensor is not None:
        return f"is of {sensor}: give images of Sentinel-1 and Sentinel-2 alone"
    if is_other_quantity_of_band(path.stem):
        return (
            "holds by its name an angle, a coherence, a count or the like: give reflectance and "
            "backscatter alone"
        )
    return None


def is_mask(path: Path) -> bool:
    """Whether a raster is a mask or another auxiliary layer of a product, by name or folder."""
    if _AUXILIARY_FOLDERS & {part.upper() for part in path.parts[:-1]}:
        return True
    name = path.stem.upper().removesuffix(".DBL")
    is_theia = name.startswith("SENTINEL2") or _MAJA.search(name)
    if is_theia and _THEIA_LAYER.search(name):
        return True
    return _MASK.search(name) is not None


def bands_of_maja(path: Path) -> tuple[str, ...]:
    """The bands of a raster in MAJA's own format by its name, in their order; else none."""
    match = _MAJA_IMAGE.search(path.stem.upper())
    return _MAJA_BANDS[match[1]] if match else ()


def without_slope_correction(paths: Sequence[Path]) -> list[Path]:
    """List THEIA's SRE rasters among paths that are there as FRE as well.

    MultiSenGE is made of THEIA's products; FRE, corrected for the slope, is preferred.
    """
    corrected = set()
    for path in paths:
        match = _THEIA_BAND.search(path.name)
        if match and match[1].upper() == "FRE":
            corrected.add(_slope_key(path))
    second_choice = []
    for path in paths:
        match = _THEIA_BAND.search(path.name)
        if match and match[1].upper() == "SRE" and _slope_key(path) in corrected:
            second_choice.append(path)
    return second_choice


def lone_uncorrected_band(paths: Sequence[Path]) -> Path | None:
    """Find an SRE raster of THEIA whose product has FRE rasters of other bands, and not of its own.

    Its band would be the only one without correction for the slope.
    """
    corrected_products = set()
    for path in paths:
        match = _THEIA_BAND.search(path.name)
        if match and match[1].upper() == "FRE":
            corrected_products.add(path.with_name(path.name[: match.start()]))
    second_choice = set(without_slope_correction(paths))
    for path in paths:
        match = _THEIA_BAND.search(path.name)
        if match is None or match[1].upper() == "FRE" or path in second_choice:
            continue
        if path.with_name(path.name[: match.start()]) in corrected_products:
            return path
    return None


def _slope_key(path: Path) -> Path:
    """A THEIA raster's path without FRE or SRE."""
    return path.with_name(_THEIA_BAND.sub("_", path.name))


@dataclass(frozen=True)
class ProcessingBaseline:
    """The version of ESA's processor behind a product, and what it added to reflectance.

    Attributes:
        name: such as `N0400`.
        offset: what must be added to stored values, 0 or -1000, in reflectance x 10,000.
        where: the name or the file that says so.
        contradicted_by: the name in the path that says another offset, if one does.
    """

    name: str
    offset: float
    # Tiles of one product have files of their own; what these say is the same.
    where: str = field(compare=False)
    contradicted_by: str | None = field(default=None, compare=False)

    @property
    def may_have_offset(self) -> bool:
        """Whether ESA's products of this version have an offset; it may be taken off since."""
        number = self.name.removeprefix("N")
        return number.isdecimal() and int(number) >= _FIRST_BASELINE_WITH_OFFSET


def baseline_of(path: Path) -> ProcessingBaseline | None:
    """Find the processing baseline of the ESA product that a raster belongs to, or None.

    The product's metadata file counts first, then a STAC item that lies beside the raster, then
    the nearest name that holds `_N0400_` or the like: the raster's own or that of a folder above.
    """
    by_name = _baseline_in_names(path)
    # A folder can be renamed; its metadata is what the processor wrote.
    for metadata in _metadata_files(path):
        baseline = _read_baseline(metadata)
        if baseline is None:
            continue
        if by_name is not None and by_name.offset != baseline.offset:
            return replace(baseline, contradicted_by=by_name.where)
        return baseline
    for item in _stac_items(path):
        baseline = _read_item(item, path)
        if baseline is not None:
            return baseline
    return by_name


def _baseline_in_names(path: Path) -> ProcessingBaseline | None:
    """The baseline by the nearest name that holds `_N0400_` or the like, or None."""
    for part in reversed(path.parts):
        match = _BASELINE.search(part.upper())
        offset = _offset_since(int(match[1])) if match else None
        if offset is not None:
            return ProcessingBaseline(f"N{match[1]}", offset, printable(part))
    return None


def _offset_since(number: int) -> float | None:
    """The offset that products of a baseline have; None where the number does not say it."""
    if number == _OWN_BASELINE:
        return None
    return _ESA_OFFSET if number >= _FIRST_BASELINE_WITH_OFFSET else 0


def _metadata_files(path: Path) -> Iterator[Path]:
    """ESA's metadata file above a raster: in a .SAFE folder it lies up to five folders higher."""
    for folder in list(path.parents)[:6]:
        metadata = folder / ESA_METADATA
        if metadata.is_file():
            yield metadata


def _read_baseline(metadata: Path) -> ProcessingBaseline | None:
    try:
        text = metadata.read_text("utf-8", errors="replace")
    except OSError as error:
        raise ImportAreaError(
            f"{printable(metadata)} cannot be read ({error.strerror}): it says which offset the "
            "product's reflectance has"
        ) from None
    version = re.search(r"<PROCESSING_BASELINE>\s*(\d\d)\.?(\d\d)", text)
    if version is None:
        return None
    # One element per band. A parser of XML would read no more of it, and could be bombed.
    offsets = {float(value) for value in re.findall(r"<BOA_ADD_OFFSET[^>]*>\s*(-?\d+)", text)}
    if len(offsets) > 1:
        values = ", ".join(f"{value:g}" for value in sorted(offsets))
        raise ImportAreaError(
            f"{printable(metadata)} gives its bands different offsets ({values}): say which to "
            "take with --s2-offset, and import such products by themselves"
        )
    number = int(version[1] + version[2])
    # Products before baseline 04.00 have no such element, nor have a user's own of that time.
    offset = offsets.pop() if offsets else _offset_since(number) or 0
    return ProcessingBaseline(f"N{number:04d}", offset, printable(metadata))


def _stac_items(path: Path) -> Iterator[Path]:
    """Files of the names that a STAC item beside a raster usually has.

    Catalogues call the item as its folder; `stac download` and others call it `item.json`.
    """
    folder = path.parent
    for item in (
        folder / f"{folder.name}.json",
        folder / f"{path.stem}.json",
        folder / "item.json",
        folder.parent / f"{folder.name}.json",
    ):
        if item.is_file() and item.stat().st_size < _LARGEST_ITEM:
            yield item


def _read_item(item: Path, raster: Path) -> ProcessingBaseline | None:
    """What a STAC item says of the offset in a raster, or None.

    An item is somebody else's file of any content, so every part of it may be missing.
    """
    try:
        content = json.loads(item.read_text("utf-8"))
        properties = content["properties"]
        assets = _assets_of(content, raster)
        if not assets:
            return None
        stored_offset = _offset_in_assets(assets)
        version = str(properties.get("s2:processing_baseline", ""))
        # Some items of Earth Search give the offset although it was added before.
        is_applied = properties.get("earthsearch:boa_offset_applied") is True
    except (OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError):
        return None
    except RecursionError:  # brackets in brackets by the thousand
        return None
    by_version = baseline_of_version(version, is_applied, printable(item))
    # The assets of the Planetary Computer give no offset, their item the processor's version.
    if stored_offset is None:
        return by_version
    if is_applied:
        stored_offset = 0
    if stored_offset not in (0, _ESA_OFFSET):
        return None
    if by_version is not None:
        name = by_version.name
    else:
        name = "N0400 or later" if stored_offset else "before N0400"
    return ProcessingBaseline(name, stored_offset, printable(item))


def _assets_of(content: dict[str, Any], raster: Path) -> list[dict[str, Any]]:
    """The assets of a STAC item that a raster is, or may be made of; empty where it is another's.

    An asset that was renamed, or several that were stacked, have no name in common with the item.
    The date tells then whether they belong together.
    """
    assets = content["assets"]
    # Addresses of the Planetary Computer may be signed: `...B02_10m.tif?st=...`.
    same_name = [a for a in assets.values() if Path(urlsplit(a["href"]).path).name == raster.name]
    if same_name:
        return same_name[:1]
    day = day_and_folder(raster)[0]
    if day is None or day_in(str(content["properties"].get("datetime"))) != day:
        return []
    return [asset for key, asset in assets.items() if band_of(key, "s2") is not None]


def _offset_in_assets(assets: Sequence[dict[str, Any]]) -> float | None:
    """The offset that assets give, in stored numbers; None where they give none.

    Raises:
        ValueError: they give several.
    """
    offsets = set()
    for asset in assets:
        bands = asset.get("raster:bands") or asset.get("bands") or [{}]
        fields = asset | bands[0]
        scale = fields.get("scale", fields.get("raster:scale"))
        offset = fields.get("offset", fields.get("raster:offset"))
        offsets.add(None if offset is None else round(float(offset) / float(scale)))
    if len(offsets) > 1:
        raise ValueError("assets with several offsets")
    return offsets.pop()


def baseline_of_version(version: str, is_applied: bool, where: str) -> ProcessingBaseline | None:
    """The processing baseline by its number as STAC writes it, such as 04.00; None if it is none.

    Args:
        version: `s2:processing_baseline` of an item.
        is_applied: whether the offset was added to the values since.
        where: what says so.
    """
    number = re.fullmatch(r"(\d{1,2})\.(\d{1,2})", version)
    if number is None:
        return None
    name = f"N{number[1]:0>2}{number[2]:0<2}"  # 4.0 is 04.00
    has_offset = int(name[1:]) >= _FIRST_BASELINE_WITH_OFFSET and not is_applied
    return ProcessingBaseline(name, _ESA_OFFSET if has_offset else 0, where)
