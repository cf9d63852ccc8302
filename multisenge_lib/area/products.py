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

Kept apart from reading pixels: all of this works on names, and on the metadata of products.
"""

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from multisenge_lib.dataset import MULTISENGE, band_of
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

#: Nothing may follow but the time of day, as in 20200715105031.
_CALENDAR_DATE = re.compile(
    r"(?<!\d)((?:19|20)\d\d)[-_.]?([01]\d)[-_.]?([0-3]\d)"
    r"(?:(?!\d)|(?=[0-2]\d[0-5]\d[0-5]\d(?!\d)))"
)
#: Year and day of the year, as HLS writes it. The T after it keeps other numbers out.
_DAY_OF_YEAR = re.compile(r"(?<!\d)((?:19|20)\d\d)([0-3]\d\d)(?=T\d{6})")
#: Products, granules and bands of ESA before December 2016. The first date in such a name is that
#: of the file's making. The sensing follows a V, in the name of the product alone.
_OLD_ESA = re.compile(r"S2[AB]_[A-Z]{4}_(?:PRD|MSI)_", re.IGNORECASE)
_OLD_SENSING = re.compile(r"_V(\d{8}T)", re.IGNORECASE)
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
#: As SNAP writes the dates of a stack into the names of its bands.
_NAMED_MONTH = re.compile(rf"(?<!\d)([0-3]\d)({'|'.join(_MONTHS)})((?:19|20)\d\d)(?!\d)")
#: "S2", "S2A", "SENTINEL2X" (THEIA's monthly composites), "Sentinel-1", but not "S20".
_SENSOR = re.compile(r"(?<![A-Z0-9])S(?:ENTINEL[-_ ]?)?([12])[ABCDX]?(?![0-9])")
#: In the names of ESA's products, such as `_N0400_`.
_BASELINE = re.compile(r"(?<![A-Z0-9])N(\d{4})(?![A-Z0-9])")

#: Product names that may stand anywhere in a path.
_FOREIGN_PRODUCTS = {
    "Landsat": re.compile(
        r"(?<![A-Z0-9])L[COTEM]0[1-9]_|(?<![A-Z0-9])L[COTEM][1-9]\d{13}|LANDSAT\d?-(?:OLI|E?TM)"
        r"|HLS[._-]L30|(?<![A-Z0-9])GA_LS\d|(?<![A-Z0-9])LS[89]_(?:OLI|R\d{3})"
    ),
    "Sentinel-3": re.compile(r"(?<![A-Z0-9])S3[AB]_(?:OL|SL|SR|SY)_"),
    "MODIS": re.compile(r"(?<![A-Z0-9])M[OYC]D\d\d[A-Z0-9]*\.A?\d{7}"),
    "VIIRS": re.compile(r"(?<![A-Z0-9])V(?:NP|J1|J2)\d\d[A-Z0-9]*\.A?\d{7}"),
    "Venus": re.compile(r"(?<![A-Z0-9])VENUS-XS_"),
    "PlanetScope": re.compile(r"ANALYTICMS|(?<![A-Z0-9])PSSCENE"),
    "SPOT": re.compile(r"(?<![A-Z0-9])SPOT-?[1-7]-?[A-Z]"),
}
#: Words that say it in a file's own name, but mean nothing in the name of a folder.
_FOREIGN_FILES = {
    # Bands of Landsat's surface reflectance; S2_SR is Earth Engine's name for Sentinel-2. FORCE
    # writes LND08 into the name of each file.
    "Landsat": re.compile(
        r"(?<![A-Z])LANDSAT|(?<!S2_)(?<![A-Z])SR_B\d(?![0-9A])|(?<![A-Z0-9])LND0\d(?!\d)"
    ),
}
#: Reflectance at the top of the atmosphere; in the names of products, granules and exports.
_LEVEL_1C = re.compile(r"MSIL1C|(?<![A-Z0-9])L1C(?![A-Z0-9])")
#: What ESA calls the folder of a product, or of a granule in it, wherever it stands in a path.
_FOLDER_OF_LEVEL_1C = re.compile(r"MSIL1C|(?<![A-Z0-9])L1C_T\d\d[A-Z]{3}")

#: Folders inside products that hold its images, and no date in their names.
_INNER_FOLDERS = {"MEASUREMENT", "IMG_DATA", "R10M", "R20M", "R60M"}
#: Folders of ESA's and of THEIA's products that hold no image.
_AUXILIARY_FOLDERS = {"QI_DATA", "MASKS", "AUX_DATA"}
#: "BorderMask", "Fmask" and "MSK_DETFOO_B02", but not "masked": such an image is an image.
_MASK = re.compile(r"MASK(?!ED|ING)|^MSK_")
#: THEIA's layers beside reflectance: "_ATB_R1" (atmosphere), "_CLM_R2", "_DTF_R1-B02" (detectors).
_THEIA_LAYER = re.compile(r"_[A-Z][A-Z0-9]{2}_R[1-3](?:-[A-Z]?\d{1,2}A?)?$")
#: THEIA gives reflectance with (FRE) and without (SRE) a correction for the slope of the ground.
_THEIA_BAND = re.compile(r"_(FRE|SRE)_B(?=\d)", re.IGNORECASE)

#: The last part of a name, as Digital Earth Australia and others write it: `nbart_red_edge_1`.
_WORDS = {
    "BLUE": "B2",
    "GREEN": "B3",
    "RED": "B4",
    "RED_EDGE_1": "B5",
    "RED_EDGE_2": "B6",
    "RED_EDGE_3": "B7",
    "REDEDGE1": "B5",
    "REDEDGE2": "B6",
    "REDEDGE3": "B7",
    "NIR_1": "B8",
    "NIR": "B8",
    "NIR_2": "B8A",
    "NIR08": "B8A",
    "SWIR_2": "B11",
    "SWIR_3": "B12",
    "SWIR16": "B11",
    "SWIR22": "B12",
}
_ENDING_WORD = re.compile(rf"(?:^|[_.\- ])({'|'.join(sorted(_WORDS, key=len, reverse=True))})$")
#: `..._band02.tif` and `..._band8a.tif`; in a description "Band 2" only counts.
_BAND_NUMBER = re.compile(r"(?<![A-Z0-9])BAND(0\d|1\d|8A)$")


def day_in(name: str) -> np.datetime64 | None:
    """Find the first date in a name, or None.

    Understood are `yyyymmdd`, with `-`, `_` or `.` between the parts or not, and with the time of
    day behind it or not; the month in English as SNAP writes it, `08Jan2020`; and the day of the
    year as HLS writes it, `2020187T105031`.

    Products name the acquisition first, and what was made of it later. Where a later date stands
    first, it is in doubt which is the image's, and the answer is None.
    """
    if is_old_esa_name(name):
        name = _without_date_of_making(name)
    if has_dates_in_reverse(name):
        return None
    first = next(_calendar_dates(name), None)
    if first is not None:
        return first
    for match in _NAMED_MONTH.finditer(name.upper()):
        day, month_name, year = match.groups()
        month = _MONTHS.index(month_name) + 1
        with suppress(ValueError):  # such as 31Feb2020
            return np.datetime64(f"{year}-{month:02}-{day}", "D")
    for match in _DAY_OF_YEAR.finditer(name):
        year, day_of_year = match.groups()
        if 1 <= int(day_of_year) <= 366:
            return np.datetime64(f"{year}-01-01", "D") + (int(day_of_year) - 1)
    return None


def _calendar_dates(name: str) -> Iterator[np.datetime64]:
    for match in _CALENDAR_DATE.finditer(name):
        with suppress(ValueError):  # such as 20231305
            yield np.datetime64("-".join(match.groups()), "D")


def has_dates_in_reverse(name: str) -> bool:
    """Whether a name holds an earlier date behind its first one."""
    days = list(_calendar_dates(name))
    return any(day < days[0] for day in days)


def is_old_esa_name(name: str) -> bool:
    """Whether a name is of ESA's format before December 2016."""
    return _OLD_ESA.search(name) is not None


def _without_date_of_making(name: str) -> str:
    """What an old name of ESA says of the sensing: what stands before it, or what follows the V."""
    sensing = _OLD_SENSING.search(name)
    own_prefix = name[: _OLD_ESA.search(name).start()]
    return own_prefix + (sensing[1] if sensing else "")


def day_of_file(path: Path) -> np.datetime64 | None:
    """Find the date of a raster in its name, else in the name of its folder, or None.

    Old files of ESA lie up to five folders below the product, whose name alone holds the sensing.
    Folders that are called alike in all products are passed over.
    """
    folders = [folder.name for folder in path.parents]
    if is_old_esa_name(path.stem):
        folders = folders[:6]
    else:
        folders = [name for name in folders if name.upper() not in _INNER_FOLDERS][:1]
    for name in (path.stem, *folders):
        day = day_in(name)
        if day is not None:
            return day
    return None


def sensor_in(path: Path) -> str | None:
    """Tell by the name of a raster or of its folder whether it is of `s1` or `s2`, or None."""
    for name in (path.stem, path.parent.name):
        match = _SENSOR.search(name.upper())
        if match:
            return f"s{match[1]}"
    return None


def band_in(name: str | None, sensor: str) -> str | None:
    """Find the band that a description or a file's name gives, or None.

    Besides what `band_of` knows (`B02`, `S2-L2A-B8A`, `nir`, `Gamma0_VH`), endings such as
    `nbart_red_edge_1` and `_band02`.
    """
    band = band_of(name, sensor)
    if band is not None or sensor == "s1":
        return band
    text = (name or "").strip().upper()
    word = _ENDING_WORD.search(text)
    if word:
        return _WORDS[word[1]]
    number = _BAND_NUMBER.search(text)
    return f"B{number[1].lstrip('0')}" if number else None


def foreign_sensor(path: Path) -> str | None:
    """Name the other sensor whose product a raster is by its name, such as Landsat, or None."""
    parts = [part.upper() for part in path.parts]
    for sensor, pattern in _FOREIGN_PRODUCTS.items():
        if any(pattern.search(part) for part in parts):
            return sensor
    return foreign_name(path.stem)


def foreign_name(name: str) -> str | None:
    """Name the other sensor that a file's or a band's own name speaks of, or None."""
    for sensor, pattern in _FOREIGN_FILES.items():
        if pattern.search(name.upper()):
            return sensor
    return None


def is_level_1c(path: Path) -> bool:
    """Whether a name says top-of-atmosphere reflectance, which the networks never saw."""
    if any(_FOLDER_OF_LEVEL_1C.search(part.upper()) for part in path.parts):
        return True
    return any(_LEVEL_1C.search(name.upper()) for name in (path.stem, path.parent.name))


def name_problem(path: Path) -> str | None:
    """Say by its name why a raster is no image that a network takes; None where nothing says so.

    Returns:
        A sentence that goes on from the raster's name.
    """
    if is_level_1c(path):
        return (
            "is of level 1C, reflectance at the top of the atmosphere: the networks take "
            "reflectance of the ground, level 2A; fetch that product, or leave this one out"
        )
    sensor = foreign_sensor(path)
    if sensor is not None:
        return f"is of {sensor}: give images of Sentinel-1 and Sentinel-2 alone"
    return None


def is_mask(path: Path) -> bool:
    """Whether a raster is a mask or another auxiliary layer of a product, by name or folder."""
    if _AUXILIARY_FOLDERS & {part.upper() for part in path.parts[:-1]}:
        return True
    name = path.stem.upper()
    if name.startswith("SENTINEL2") and _THEIA_LAYER.search(name):
        return True
    return _MASK.search(name) is not None


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
    return path.with_name(_THEIA_BAND.sub("_B", path.name))


@dataclass(frozen=True)
class ProcessingBaseline:
    """The version of ESA's processor behind a product, and what it added to reflectance.

    Attributes:
        name: such as `N0400`.
        offset: what must be added to stored values, 0 or -1000, in reflectance x 10,000.
        where: the name or the file that says so.
    """

    name: str
    offset: float
    # Tiles of one product have files of their own; what these say is the same.
    where: str = field(compare=False)

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
    # A folder can be renamed; its metadata is what the processor wrote.
    for metadata in _metadata_files(path):
        baseline = _read_baseline(metadata)
        if baseline is not None:
            return baseline
    for item in _stac_items(path):
        baseline = _read_item(item, path.name)
        if baseline is not None:
            return baseline
    for part in reversed(path.parts):
        match = _BASELINE.search(part.upper())
        if match:
            has_offset = int(match[1]) >= _FIRST_BASELINE_WITH_OFFSET
            offset = _ESA_OFFSET if has_offset else 0
            return ProcessingBaseline(f"N{match[1]}", offset, printable(part))
    return None


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
    # Products before baseline 04.00 have no such element.
    if offsets:
        offset = offsets.pop()
    elif number == _OWN_BASELINE:
        offset = 0
    else:
        offset = _ESA_OFFSET if number >= _FIRST_BASELINE_WITH_OFFSET else 0
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


def _read_item(item: Path, file_name: str) -> ProcessingBaseline | None:
    """What a STAC item says of the offset in one of its assets, or None.

    An item is somebody else's file of any content, so every part of it may be missing.
    """
    try:
        content = json.loads(item.read_text("utf-8"))
        properties = content["properties"]
        assets = [a for a in content["assets"].values() if Path(a["href"]).name == file_name]
        bands = assets[0].get("raster:bands") or assets[0].get("bands") or [{}]
        fields = assets[0] | bands[0]
        scale = fields.get("scale", fields.get("raster:scale"))
        offset = fields.get("offset", fields.get("raster:offset"))
        stored_offset = None if offset is None else round(float(offset) / float(scale))
        version = str(properties.get("s2:processing_baseline"))
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


def baseline_of_version(version: str, is_applied: bool, where: str) -> ProcessingBaseline | None:
    """The processing baseline by its number as STAC writes it, such as 04.00; None if it is none.

    Args:
        version: `s2:processing_baseline` of an item.
        is_applied: whether the offset was added to the values since.
        where: what says so.
    """
    number = re.fullmatch(r"(\d\d)\.(\d\d)", version)
    if number is None:
        return None
    name = f"N{number[1]}{number[2]}"
    has_offset = int(name[1:]) >= _FIRST_BASELINE_WITH_OFFSET and not is_applied
    return ProcessingBaseline(name, _ESA_OFFSET if has_offset else 0, where)


def used_bands(sensor: str) -> tuple[str, ...]:
    """The bands of a sensor that a data root can hold."""
    return MULTISENGE.bands[sensor]
