"""Identify bands by their descriptions; otherwise use the given order and verify it on vegetation.

Published rasters may lie in one of two orders (`layout.BAND_ORDERS`), and the paper does not say in
which. A raster that names its bands settles the question. For one that does not, the reader gives
an order, and vegetated pixels show whether it can be right: see `red_edge`.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence

import numpy as np

from multisenge_lib.dataset.layout import BAND_ORDERS, BandOrder
from multisenge_lib.errors import BandOrderError, PatchError, printable

#: Words for Sentinel-2's bands in STAC catalogues, FORCE, Digital Earth and elsewhere, without what
#: separates their parts: "red_edge_1" and "Red Edge 1" are REDEDGE1. SWIR2 is missing, see
#: `unambiguous_names`.
_WORDS = {
    "COASTAL": "B1",
    "COASTALAEROSOL": "B1",
    "COASTALBLUE": "B1",
    "BLUE": "B2",
    "GREEN": "B3",
    "RED": "B4",
    "REDEDGE1": "B5",
    "REDEDGE2": "B6",
    "REDEDGE3": "B7",
    "NIR": "B8",
    "NIR1": "B8",
    "BROADNIR": "B8",
    "NIRBROAD": "B8",
    "NEARINFRARED": "B8",
    "NIR2": "B8A",
    "NIR08": "B8A",
    "NARROWNIR": "B8A",
    "REDEDGE4": "B8A",
    "NIRNARROW": "B8A",
    "NARROWNEARINFRARED": "B8A",
    "NIR09": "B9",
    "RE1": "B5",
    "RE2": "B6",
    "RE3": "B7",
    "RE4": "B8A",
    "SWIR1": "B11",
    "SWIR16": "B11",
    "SHORTWAVEINFRARED1": "B11",
    "SWIR3": "B12",
    "SWIR22": "B12",
    # FORCE's short words, as its users give them to R; for its NIR see `unambiguous_names`.
    "BLU": "B2",
    "GRN": "B3",
    "BNR": "B8",
    "SW1": "B11",
    "SW2": "B12",
}
#: Where one of these stands beside it, FORCE's NIR is the narrow one.
_BROAD_NIR = {"BROADNIR", "BNR"}
#: The most parts that a word above has: near, infra, red.
_MOST_PARTS = 3
#: Words before a colour with which it is another one, as in "infra-red".
_QUALIFIERS = {"INFRA", "NEAR", "MID", "FAR", "THERMAL", "NARROW", "COASTAL", "ULTRA", "DEEP"}
#: Wavelengths and the like, as in "Red (665 nm)".
_BRACKETS = re.compile(r"[(\[][^)\]]*[)\]]")
#: `..._band02.tif` and `..._band8a.tif`; in a description "Band 2" only counts.
_BAND_NUMBER = re.compile(r"(?<![A-Z0-9])BAND(0[1-9]|1\d|8A)$")
#: The second band of short-wave infrared at the end of a name, perhaps with its wavelength.
_SECOND_SWIR = re.compile(r"(?<![A-Z0-9])SWIR[_.\- ]?2(?=\s*(?:[(\[].*)?$)", re.IGNORECASE)
#: "Band 8A": where a raster has it, "Band 2" is B2 and no count.
_BAND_WITH_SPACE = re.compile(r"BAND[ _.-]?0?(\d{1,2}A?)")
#: Polarisations that a product holds, in the name of one of its bands: "IW_VV+VH_VV" and
#: "S1_VV_VH_20200708_VV". Alone, "VH_VV" is a ratio.
_BOTH_POLARISATIONS = re.compile(
    r"[VH][VH]\+[VH][VH]"
    r"|(?<![A-Z0-9])(?:VV[-_]VH|VH[-_]VV)(?=[-_.](?!.*(?:RATIO|DIV|DIFF))(?:.*[-_.])?[VH][VH](?![A-Z0-9]))"
)
#: Quantities that are named by a band, and are no image: SNAP's `view_zenith_B2`, `coh_VV`,
#: `VV_stdDev`. Before a version, as in "STD_v1.0.2_B02", STD is a standard product. Words that are
#: common elsewhere, such as QA, count before a band or at the end: `QA_B2`, `B2_mask`.
_OTHER_QUANTITY = re.compile(
    r"(?<![A-Z])(?:ZENITH|AZIMUTH|DETECTOR|COH(?:ERENCE)?|IFG|STD(?:_?DEV)?(?!_V\d)|STDEV|VARIANCE|COUNT"
    r")(?![A-Z])"
    r"|^(?:MASK|QA|UNCERTAINTY|ERROR)(?=[-_ ](?:B\d{1,2}A?|[VH][VH])$)"
    r"|(?<=[-_ ])(?:MASK|QA|UNCERTAINTY|ERROR)$"
    r"|(?<![A-Z])QUALITY(?=_B\d)|(?<=[VH][VH]_)PHASE|PHASE(?=_IFG|_[VH][VH])"
)
_BAND_PATTERN = {
    "s1": re.compile(r"(?<![A-Z0-9])([VH][VH])(?![A-Z0-9])"),
    "s2": re.compile(r"(?<![A-Z0-9])B0?(\d{1,2}A?)(?![A-Z0-9])"),
}
#: Band names that may only count: "b1", "B0", "Band 1", "band_01", "Layer_1".
_COUNTED = re.compile(r"(?:B|BAND|LAYER)[ _.-]?(\d+)")
#: The first bands of a raster in spectral order, in which the red edge can be looked for.
_RED_EDGE_BANDS = ("B2", "B3", "B4", "B5", "B6", "B7", "B8")
#: Their positions: red, the two bands that tell the orders apart, and the near infrared. Red and
#: near infrared (B8 or B7) stand at the same place in both orders.
_RED = _RED_EDGE_BANDS.index("B4")
_FOURTH = _RED_EDGE_BANDS.index("B5")
_FIFTH = _RED_EDGE_BANDS.index("B6")
_INFRARED = _RED_EDGE_BANDS.index("B8")
#: Vegetation has a near infrared this many times its red (a vegetation index, NDVI, over 0.43).
_LEAF_RATIO = 2.5
#: Fewer vegetated pixels than this, or a smaller share of all pixels, say nothing.
_LEAST_PIXELS = 50
_LEAST_SHARE = 0.02
#: B5 to B6 rises by far more than this over leaves; a smaller difference says nothing.
_CLEAR_RATIO = 1.25


def band_of(name: str | None, sensor: str) -> str | None:
    """Return the band that a name gives, or None.

    Understood are `B02`, `S2-L2A-B8A`, `nir`, `Red (665 nm)`, `nbart_red_edge_1`, `s2_band04`;
    `Gamma0_VH`. A name that holds two bands, as that of a ratio does, is of neither, and `swir_2`
    is in doubt until `unambiguous_names` has seen the names beside it.

    Args:
        name: the description of a band, or a file's name.
        sensor: `s1` or `s2`.
    """
    # Without accents, so that no letter of "Grün" is passed over, which would leave GRN.
    letters = unicodedata.normalize("NFKD", (name or "").strip().upper())
    text = "".join(letter for letter in letters if not unicodedata.combining(letter))
    if is_other_quantity(text):
        return None
    if sensor == "s1":
        text = _BOTH_POLARISATIONS.sub("", text)
    found = set(_BAND_PATTERN[sensor].findall(text))
    if len(found) > 1:  # a ratio such as VH_div_VV, which is neither
        return None
    if found:
        band = found.pop()
        return band if sensor == "s1" else f"B{band}"
    return _band_by_word(text) if sensor == "s2" else None


def is_other_quantity(name: str) -> bool:
    """Whether a name speaks of an angle, a coherence, a count or the like, which is no image."""
    return _OTHER_QUANTITY.search(name.upper()) is not None


def is_other_quantity_of_band(name: str) -> bool:
    """Whether a file's name speaks of such a quantity of a band, as in `S1_20200706_VV_coh`.

    A farm called Count, or a standard product with STD in its name, is an image.
    """
    rest = _OTHER_QUANTITY.sub("", name.upper()).strip("_-. ")
    names_band = any(pattern.search(rest) for pattern in _BAND_PATTERN.values())
    return is_other_quantity(name) and (names_band or _band_by_word(rest) is not None)


def _band_by_word(text: str) -> str | None:
    """The band of Sentinel-2 whose word, or number behind "band", ends a name in capitals."""
    text = _BRACKETS.sub("", text).strip()
    number = _BAND_NUMBER.search(text)
    if number:
        return f"B{number[1].lstrip('0')}"
    parts = re.split(r"[^A-Z0-9]+", text)
    for first in range(max(0, len(parts) - _MOST_PARTS), len(parts)):
        band = _WORDS.get("".join(parts[first:]))
        if band is None:
            continue
        before = parts[first - 1] if first else ""
        # "infra_red" is not red, and "nir_red" is a ratio.
        return None if before in _QUALIFIERS or before in _WORDS else band
    return None


def unambiguous_names(names: Sequence[str | None]) -> list[str | None]:
    """Replace names by those of bands where it takes the names beside them to understand them.

    Beside BROADNIR or BNR, which is B8, the NIR of FORCE is B8A. The second band of short-wave
    infrared is B12 beside `swir_1`, as in Digital Earth Africa, and B11 beside `swir_3`, as in
    Digital Earth Australia. Elsewhere it stays as it is, see `swir_problem`.

    Args:
        names: of the bands of one raster or cube, or of the files in one folder.
    """
    words = [(name or "").strip().upper() for name in names]
    has_broad = any(word in _BROAD_NIR for word in words)
    numbered = [_BAND_WITH_SPACE.fullmatch(word) for word in words]
    has_band_8a = any(match and match[1] == "8A" for match in numbered)
    certain = {band_of(name, "s2") for name in names if name and not _SECOND_SWIR.search(name)}
    second = None
    if len(certain & {"B11", "B12"}) == 1:
        second = "B12" if "B11" in certain else "B11"
    understood = []
    for name, word, number in zip(names, words, numbered, strict=True):
        if has_band_8a and number:
            name = f"B{number[1]}"
        elif has_broad and word == "NIR":
            name = "B8A"
        elif name and second:
            name = _SECOND_SWIR.sub(second, name)
        understood.append(name)
    return understood


def swir_problem(names: Sequence[str | None]) -> str | None:
    """Say that a band of short-wave infrared can be B11 or B12; None where none is in doubt.

    Args:
        names: as `unambiguous_names` returns them.

    Returns:
        A sentence that goes on from the name of the raster or cube.
    """
    for name in names:
        if name and _SECOND_SWIR.search(name):
            return (
                f"holds {printable(name)}, which is B12 beside swir_1 and B11 beside swir_3, and "
                "here it is in doubt: call it B11 or B12"
            )
    return None


def names_only_count(names: Sequence[str | None]) -> bool:
    """Whether names number the bands, from 0 or from 1, and say nothing of Sentinel-2's B1, B2.

    Sentinel-2's own names go on with B8A after B8. Where the numbers run on without a gap and no
    band is called B8A or by a word, positions and names cannot be told apart.

    Args:
        names: of the bands of one raster, in their order; those of other layers are passed over.
    """
    numbers = []
    for name in names:
        match = _COUNTED.fullmatch((name or "").strip().upper())
        if match is not None:
            numbers.append(int(match[1]))
        elif band_of(name, "s2") is not None:
            return False
    if not numbers or numbers[0] not in (0, 1):
        return False
    return numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def bands_named(names: Sequence[str | None], sensor: str) -> list[str | None]:
    """Return the band that each description of a raster names, None where it names none.

    Earth Engine and generic stacks call their bands b1, b2, b3, ... That numbers the bands and says
    nothing of Sentinel-2's B1, B2, B3.
    """
    numbering = [f"b{number}" for number in range(1, len(names) + 1)]
    if list(names) == numbering:
        return [None] * len(names)
    return [band_of(name, sensor) for name in unambiguous_names(names)]


def is_vegetated(red: np.ndarray, infrared: np.ndarray) -> np.ndarray:
    """Tell which pixels show vegetation: much brighter in the near infrared than in the red.

    Args:
        red: reflectance in B4, in any unit.
        infrared: reflectance in B8, or in B7, in the same unit and shape.

    Returns:
        The same shape, bool.
    """
    return infrared > _LEAF_RATIO * red.astype(np.float32)


def has_red_edge(bands: Sequence[str]) -> bool:
    """Whether rasters of these bands show the red edge at the places where `red_edge` looks.

    The names are compared, and not the first bands of `S2_BANDS`: with another band in front, the
    positions would be those of other bands.
    """
    return tuple(bands[: len(_RED_EDGE_BANDS)]) == _RED_EDGE_BANDS


def red_edge(s2: np.ndarray) -> tuple[float, float] | None:
    """Compute the mean reflectance of vegetation in the fourth and the fifth band.

    Vegetation can be found before the order is known, since red (third) and near infrared (seventh:
    B8 or B7) stand at the same place in both band orders.

    Args:
        s2: `(..., bands)`, reflectance x 10,000, as stored; bands as `has_red_edge` asks.

    Returns:
        The two means, or None where there is too little vegetation.
    """
    pixels = s2.reshape(-1, s2.shape[-1])
    red = pixels[:, _RED].astype(np.float32)
    infrared = pixels[:, _INFRARED].astype(np.float32)
    vegetated = is_vegetated(red, infrared)
    if vegetated.sum() < max(_LEAST_PIXELS, _LEAST_SHARE * len(pixels)):
        return None
    fourth = pixels[vegetated, _FOURTH].mean()
    fifth = pixels[vegetated, _FIFTH].mean()
    return float(fourth), float(fifth)


def order_of_red_edge(edge: tuple[float, float] | None) -> BandOrder | None:
    """Return the order in which the two means of `red_edge` make sense, or None if in doubt.

    From B5 to B6 vegetation grows much brighter. In the spectral order these are the fourth and
    fifth bands; in the other, B8 and B5, the fourth is the brighter.
    """
    if edge is None:
        return None
    if max(edge) < _CLEAR_RATIO * min(edge):
        return None
    fourth, fifth = edge
    return "spectral" if fourth < fifth else "resolution"


def guess_band_order(s2: np.ndarray) -> BandOrder | None:
    """Guess the band order of an image from its vegetation; None if there is too little.

    Args:
        s2: as in `red_edge`.
    """
    return order_of_red_edge(red_edge(s2))


def band_order_problem(values: np.ndarray, bands: Sequence[str]) -> str | None:
    """Say that vegetation shows another order of bands than the one given; None where it does not.

    Args:
        values: `(bands, ...)`, reflectance x 10,000; a whole image, possibly thinned.
        bands: their names.
    """
    if not has_red_edge(bands):
        return None
    if guess_band_order(np.moveaxis(values, 0, -1)) != "resolution":
        return None
    return f"read as {', '.join(bands)}, vegetation has no red edge: the bands are in another order"


def _assumed_bands(wanted: Sequence[str], sensor: str, order: str) -> list[str]:
    """The bands of a raster that names none, in the order in which they must lie."""
    if sensor == "s1":
        return list(wanted)
    return [band for band in BAND_ORDERS[order] if band in wanted]


def _contradicts(named: Sequence[str | None], assumed: Sequence[str]) -> bool:
    """Whether the bands that are named differ from those assumed at the same places."""
    if len(named) != len(assumed):
        return True
    pairs = zip(named, assumed, strict=True)
    return any(name is not None and name != band for name, band in pairs)


def has_unknown_names(names: Sequence[str | None], named: Sequence[str | None]) -> bool:
    """Whether a description says something that is not understood, and not only a number.

    Such names may contradict the positions that would be assumed.
    """
    unknown = []
    for name, band in zip(names, named, strict=True):
        if band is None and (name or "").strip():
            unknown.append(name.strip())
    if not unknown:
        return False
    # One text for all bands, such as the name of the product, does not tell them apart.
    if len(unknown) == len(names) > 1 and len(set(unknown)) == 1:
        return False
    # "Band 1", "lyr.1" and "image_01" count, as generic software does.
    stems = set()
    numbers = []
    for name in unknown:
        stem, number = re.fullmatch(r"(.*?)([0-9]{0,9})", name, re.DOTALL).groups()
        stems.add(stem)
        numbers.append(int(number) if number else None)
    counts = [list(range(first, first + len(names))) for first in (0, 1)]
    return len(stems) > 1 or numbers not in counts


def _count_in_doubt(names: Sequence[str | None], sensor: str) -> bool:
    """Whether names such as B1 to B4 may be positions as well as bands.

    Plain b1, b2, ... are of Earth Engine, which counts; `bands_named` takes them for no names.
    """
    return sensor == "s2" and any(bands_named(names, sensor)) and names_only_count(names)


def _wrong_names(names: Sequence[str | None], wanted: Sequence[str], sensor: str) -> str:
    received = f"{len(names)} without names"
    if any(names):
        received = ", ".join(printable(name) if name else "-" for name in names)
    if _count_in_doubt(names, sensor):
        received += " (positions or names?)"
    remedy = "name them so, in the order in which they lie, or remove the names"
    if sensor == "s2":
        remedy += " and give band_order"
    return f"has the bands {received}, {sensor} must have {', '.join(wanted)}: {remedy}"


def band_names_problem(
    names: Sequence[str | None], wanted: Sequence[str], sensor: str
) -> str | None:
    """Say why the descriptions of a raster's bands fit no order of the bands wanted.

    Args:
        names: descriptions of the raster's bands.
        wanted: the bands that the raster must have.
        sensor: `s1` or `s2`.

    Returns:
        A sentence that goes on from the raster's name, or None where an order fits.
    """
    if _count_in_doubt(names, sensor):
        return _wrong_names(names, wanted, sensor)
    named = bands_named(names, sensor)
    if set(wanted) <= set(named):
        return _named_twice(named, wanted)
    if has_unknown_names(names, named):
        return _wrong_names(names, wanted, sensor)
    for order in BAND_ORDERS:
        if not _contradicts(named, _assumed_bands(wanted, sensor, order)):
            return None
    return _wrong_names(names, wanted, sensor)


def band_positions(
    names: Sequence[str | None],
    image: Callable[[], np.ndarray],
    wanted: Sequence[str],
    sensor: str,
    order: BandOrder = "spectral",
) -> list[int]:
    """Find where each band wanted lies in a raster: by the bands' names, else in the given order.

    Args:
        names: descriptions of the raster's bands.
        image: called where the names do not settle it; gives the raster's pixels, or some of them,
            `(bands, height, width)`.
        wanted: the bands that the raster must have. A raster without names must have no others.
        sensor: `s1` or `s2`.
        order: the order of bands in Sentinel-2 files that do not name them.

    Returns:
        For each band wanted its position, from 0.

    Raises:
        BandOrderError: the names contradict the layout, or vegetation the given order; the message
            goes on from the raster's name.
    """
    if _count_in_doubt(names, sensor):
        raise BandOrderError(_wrong_names(names, wanted, sensor))
    named = bands_named(names, sensor)
    if set(wanted) <= set(named):
        problem = _named_twice(named, wanted)
        if problem is not None:
            raise BandOrderError(problem)
        return [named.index(band) for band in wanted]
    assumed = _assumed_bands(wanted, sensor, order)
    if has_unknown_names(names, named) or _contradicts(named, assumed):
        raise BandOrderError(_wrong_names(names, wanted, sensor))
    if sensor == "s2" and has_red_edge(wanted):
        guess = guess_band_order(np.moveaxis(image(), 0, -1))
        if guess not in (None, order):
            raise BandOrderError(
                f"does not name its bands; read in {order} order, vegetation has no red edge, in "
                f"{guess} order it has: give band_order={guess!r}"
            )
    return [assumed.index(band) for band in wanted]


def _named_twice(named: Sequence[str | None], wanted: Sequence[str]) -> str | None:
    """Say which band a raster holds more than once, as a stack of several dates does."""
    for band in wanted:
        if named.count(band) > 1:
            return (
                f"names the band {band} {named.count(band)} times: write one raster for each date, "
                "with each band once"
            )
    return None


def check_band_order(order: str) -> str:
    """Refuse the name of an unknown order of bands; return a known one.

    Raises:
        PatchError: there is no order of that name.
    """
    if order not in BAND_ORDERS:
        raise PatchError(f"band order {order!r}: choose {' or '.join(BAND_ORDERS)}")
    return order
