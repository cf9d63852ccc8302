"""Judge whether an image is in the units of the layout, and whether a reference holds class ids.

Sentinel-2 is surface reflectance x 10,000, and Sentinel-1 is linear intensity (`values` converts
what a raster stores). `import`, `check`, training, `predict` and `predict_map` all take these rules
from here:

1. `type_problem` looks at the type alone: complex numbers, 8-bit pictures.
2. `impossible_values` looks for single pixels that no sensor measures, such as negative intensity.
   It works on any part of an image.
3. `fill_value` looks for a number that a program wrote where there is no data, without a tag.
4. `unlikely_values` looks at the distribution, and recognises digital numbers, decibels with an
   offset and pictures. It needs an image or a patch, or a thinned image, not a few rows.
5. `implausible_image`, `amplitude_problem`, `looks_cut_off` and `looks_brightened` judge whole
   images: a patch may be all lake, shadow or city, where these rules do not hold. `check` asks most
   patches of a root.

`reference_problems` looks at class ids. These functions return sentences that go on from the name
of the source: "holds 65535, ...". `check_values` and `check_image` raise the problems of 1 to 4.
`check_image` raises those of whole images too, and only warns of what is in doubt. `zero_invalid`
raises those of 1 and 2.
"""

import warnings
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from multisenge_lib.dataset.bands import is_vegetated
from multisenge_lib.dataset.layout import BACKSCATTER_FLOOR, S1_BANDS
from multisenge_lib.dataset.values import BRIGHTEST_IMAGE, LARGEST_UINT16, REFLECTANCE_SCALE
from multisenge_lib.errors import PatchError

#: Linear intensity, 10 dB: on land only single pixels, such as ships and steel roofs, lie above.
_BRIGHTEST_LAND = 10
#: Reflectance x 10,000. An image that stays below it everywhere is not in these units: even deep
#: water shows more than 0.01 in some pixel of the blue band.
_DARKEST_IMAGE = 100
#: Near infrared of leaves, in reflectance x 10,000, never reaches full reflection.
_BRIGHTEST_LEAVES = 10_000
#: Share of the pixels that must be vegetation before it is judged.
_LEAF_SHARE = 0.02
#: Linear intensity, 60 dB. Corner reflectors and saturated pixels of Sentinel-1 stay below 45 dB.
_BRIGHTEST_POINT = 1e6
#: What programs write into all bands of Sentinel-2 where there is no data, besides numbers that are
#: too bright for clouds: 9999, also after 1000 was subtracted.
_USUAL_FILL = (9999, 8999)
#: Reflectance x 10,000: from here on, numbers that all bands share are counted.
_BRIGHT_CLOUDS = 8000
#: A fill value stands alone: of all pixels with a number near it, most have exactly this number.
#: Near is what lies within this distance of it, or within this share of it.
_NEIGHBOUR_DISTANCE = 5
_NEIGHBOUR_SHARE = 0.01
#: No polarisation measures less than this, in decibels or linear.
_LOWEST_DECIBEL = -90
#: A number must fill at least this many pixels in all bands; fewer may be equal by chance.
_LEAST_FILL_PIXELS = 4
#: Reflectance x 10,000 of the brightest band. More than half of an image with water or shadow may
#: be below 100, but then 2 % of it is brighter than 200, and none of it is below 10.
_DARKEST_PIXEL = 10
_DARKEST_LAND = 200
#: Reflectance x 10,000 that 2 % of an image of land exceed in some band, unless all is in shadow.
_BRIGHT_LAND = 600
#: Land is brighter in the infrared than in the visible, water is not. Below 100 that is noise.
_DARKEST_INFRARED = 100
#: Share of the observed pixels that must be land for an image to be judged as such.
_LAND_SHARE = 0.2
#: What ESA adds to reflectance x 10,000 since processing baseline 04.00 (January 2022).
_ESA_ADDITION = 1000
_INFRARED = ("B8", "B8A", "B11", "B12")
_VISIBLE = ("B2", "B3", "B4")
#: Decibels that the medians of an image of land stay below; forests and towns come near.
_BRIGHTEST_VV = -6
_BRIGHTEST_VH = -10
#: Decibels. Over land VV is some 6 dB above VH; over calm water both are noise.
_CLEARLY_ABOVE = 2
#: Fewer observed pixels say nothing of an image.
_LEAST_PIXELS = 100
_LINEAR_RULE = "Sentinel-1 is linear intensity"
_REFLECTANCE_RULE = "Sentinel-2 is reflectance x 10,000"


def type_problem(dtypes: Iterable[str], sensor: str) -> str | None:
    """Say what is wrong with the types of a raster's bands, whatever its values; None if nothing.

    Args:
        dtypes: such as `uint16`, as rasterio or NumPy name them.
        sensor: `s1` or `s2`.
    """
    names = sorted({str(dtype) for dtype in dtypes})
    received = " and ".join(names)
    if any(name.startswith("complex") for name in names):
        return (
            f"is {received}: complex numbers are no intensity; take the squared absolute value of "
            "a calibrated image, or fetch the detected product (GRD)"
        )
    if any(name in ("uint8", "int8") for name in names):
        rule = _REFLECTANCE_RULE if sensor == "s2" else _LINEAR_RULE
        return (
            f"is {received}, an 8-bit picture stretched for the eye; {rule}: fetch the measured "
            "values instead of the picture"
        )
    return None


def whole_number_problem(dtypes: Iterable[str], sensor: str) -> str | None:
    """Say that Sentinel-1 in whole numbers, without a scale tag, is no intensity; None otherwise.

    Intensity on land is about 0.1, so whole numbers are digital numbers, or scaled.

    Args:
        dtypes: types of the bands, such as `uint16`, as rasterio or NumPy name them.
        sensor: `s1` or `s2`.
    """
    whole = sorted({str(dtype) for dtype in dtypes if np.dtype(dtype).kind in "iu"})
    if sensor == "s2" or not whole:
        return None
    return (
        f"is {' and '.join(whole)}, {_LINEAR_RULE}, about 0.1 on land: digital numbers, or "
        "intensity times a scale? convert them, or import it"
    )


def impossible_values(values: np.ndarray, sensor: str) -> list[str]:
    """Find values that no sensor measures; one is enough, so any part of an image can be checked.

    Args:
        values: an array of any shape, in the units of the layout, 0 for no data.
        sensor: `s1` or `s2`.

    Returns:
        No sentence, or one.
    """
    if not values.size:
        return []
    lowest = values.min()
    highest = values.max()
    if not (np.isfinite(lowest) and np.isfinite(highest)):
        rule = _LINEAR_RULE if sensor == "s1" else _REFLECTANCE_RULE
        return [f"holds NaN or infinite values, {rule}: if they are no data, write 0"]
    if sensor == "s1":
        return _impossible_backscatter(lowest, highest)
    return _impossible_reflectance(highest)


def _impossible_backscatter(lowest: float, highest: float) -> list[str]:
    if lowest < _LOWEST_DECIBEL:  # so dark is no decibel either
        return [
            f"holds {lowest:.6g}, {_LINEAR_RULE}, never negative: if that is no data, give the "
            "raster that tag"
        ]
    if lowest < 0:
        return [
            f"holds {lowest:.3g} to {highest:.3g}, {_LINEAR_RULE}, never negative: convert from "
            "decibel with 10 ** (value / 10)"
        ]
    if highest > _BRIGHTEST_POINT:
        return [
            f"holds values up to {highest:.6g}, {_LINEAR_RULE}, on land below {_BRIGHTEST_LAND}: "
            "if that is no data, give the raster that tag, else divide by the scale with which it "
            "was stored"
        ]
    return []


def _impossible_reflectance(highest: float) -> list[str]:
    if highest > LARGEST_UINT16:
        return [
            f"holds values up to {highest:.6g}, {_REFLECTANCE_RULE}: divide by the scale with "
            "which it was stored"
        ]
    if highest == LARGEST_UINT16:
        return [
            f"holds {highest:.6g}, which is no reflectance: if it is no data, give the raster that "
            "tag"
        ]
    return []


def fill_value(values: np.ndarray, sensor: str) -> np.number | None:
    """Find a number that a program wrote into all bands where there is no data, without a tag.

    Such as 9999, 32767, or -9999 read as unsigned (55537). Bands measure different light. Where
    they are alike by chance, as in snow, they are so at many numbers, and not mostly at one.

    Args:
        values: `(bands, ...)`, in the units of the layout, 0 for no data; any part of an image.
            Sentinel-1 may be in decibel as well.
        sensor: `s1` or `s2`.

    Returns:
        The number, or None.
    """
    first = values[0]
    if sensor == "s2":
        is_bright = first > _BRIGHT_CLOUDS
    else:
        is_bright = (first > _BRIGHTEST_LAND) | (first < _LOWEST_DECIBEL)
    if not is_bright.any():
        return None
    bright = values[:, is_bright]
    shared = bright[0, (bright == bright[0]).all(axis=0)]
    numbers, counts = np.unique(shared, return_counts=True)
    is_frequent = counts >= _LEAST_FILL_PIXELS
    for number, count in zip(numbers[is_frequent], counts[is_frequent], strict=True):
        if sensor == "s2" and number < BRIGHTEST_IMAGE and number not in _USUAL_FILL:
            continue
        distance = np.abs(numbers.astype(np.float64) - number)
        is_near = distance <= max(_NEIGHBOUR_DISTANCE, _NEIGHBOUR_SHARE * abs(number))
        # Some providers cut reflectance off at 1, which is near 9999.
        is_near &= numbers != REFLECTANCE_SCALE
        if 2 * count > counts[is_near].sum():
            return number
    return None


def fill_problems(values: np.ndarray, sensor: str) -> list[str]:
    """Say that an image holds a fill value; arguments as in `fill_value`."""
    number = fill_value(values, sensor)
    if number is None:
        return []
    return [
        f"holds {number:.7g} in all bands of some pixels, which is no measurement: if it is no "
        "data, give the raster that tag"
    ]


def unlikely_values(
    values: np.ndarray, sensor: str, bands: Sequence[str] | None = None
) -> list[str]:
    """Recognise an image that is in other units by how its values are distributed.

    Args:
        values: `(bands, ...)`, in the units of the layout, 0 for no data; a whole image, a patch,
            or a thinned image, and no NaN.
        sensor: `s1` or `s2`.
        bands: names of the bands. With red (B4) and near infrared (B8) among them, 16-bit pictures
            are recognised by leaves that reflect more light than they receive.

    Returns:
        No sentence, or one.
    """
    highest = values.max()
    if highest <= 0:
        return ["is no data in every pixel"]
    if sensor == "s1":
        return _unlikely_backscatter(values, highest)
    return _unlikely_reflectance(values, highest, bands or ())


def _is_mostly_above(values: np.ndarray, limit: float) -> bool:
    """Whether more than half of the values that are not 0 lie above a limit."""
    above = np.count_nonzero(values > limit)
    return 2 * above > np.count_nonzero(values > 0)


def _unlikely_backscatter(values: np.ndarray, highest: float) -> list[str]:
    # The comparison with the highest value alone is fast, and ends here for most images.
    if highest > _BRIGHTEST_LAND and _is_mostly_above(values, _BRIGHTEST_LAND):
        typical = np.median(values[values > 0])
        return [
            f"holds values around {typical:.3g}, {_LINEAR_RULE}, on land below "
            f"{_BRIGHTEST_LAND}: digital numbers, or decibel with an offset? convert them"
        ]
    if highest < BACKSCATTER_FLOOR:
        return [
            f"holds nothing above -50 dB (at most {highest:.3g}), {_LINEAR_RULE}: multiply it by "
            "the scale with which it was stored"
        ]
    return []


def _unlikely_reflectance(values: np.ndarray, highest: float, bands: Sequence[str]) -> list[str]:
    if highest < _DARKEST_IMAGE:
        return [
            f"holds nothing above {highest:.3g}, {_REFLECTANCE_RULE}, on land from "
            f"{_DARKEST_IMAGE} to 10,000: multiply reflectance from 0 to 1 by 10,000, percent by "
            "100, and fetch the measured values instead of a picture"
        ]
    if highest > BRIGHTEST_IMAGE and _is_mostly_above(values, BRIGHTEST_IMAGE):
        typical = np.median(values[values > 0])
        return [
            f"holds values around {typical:.6g}, {_REFLECTANCE_RULE}, on land from "
            f"{_DARKEST_IMAGE} to 10,000: divide by the scale with which it was stored"
        ]
    if highest > _BRIGHTEST_LEAVES and "B4" in bands and "B8" in bands:
        red = values[list(bands).index("B4")]
        infrared = values[list(bands).index("B8")]
        return _unlikely_leaves(red, infrared)
    return []


def _unlikely_leaves(red: np.ndarray, infrared: np.ndarray) -> list[str]:
    # Clouds and snow may be as bright, but then they are bright in the red too. Leaves are not.
    leaves = (red > 0) & is_vegetated(red, infrared)
    leaf_values = infrared[leaves]
    if leaf_values.size < _LEAF_SHARE * red.size:
        return []
    typical = np.median(leaf_values)
    if typical <= _BRIGHTEST_LEAVES:
        return []
    return [
        f"has vegetation with a near infrared around {typical:.6g}, more than all light, "
        f"{_REFLECTANCE_RULE}: a 16-bit picture, in which 65535 is full reflection? multiply it by "
        "10,000 / 65,535"
    ]


def implausible_image(
    values: np.ndarray, sensor: str, bands: Sequence[str] | None = None
) -> list[str]:
    """Recognise a whole image in other units, or with VV and VH swapped.

    Args:
        values: `(bands, ...)`, in the units of the layout, 0 for no data; a whole image, possibly
            thinned, that `unlikely_values` lets pass.
        sensor: `s1` or `s2`.
        bands: names of the bands; without them less is recognised.

    Returns:
        No sentence, or one.
    """
    observed = values.any(axis=0)
    if np.count_nonzero(observed) < _LEAST_PIXELS:
        return []
    if sensor == "s1":
        return _swapped_polarisations(values, bands or ())
    return _dark_image(values[:, observed], bands or ())


def _dark_image(pixels: np.ndarray, bands: Sequence[str]) -> list[str]:
    """Judge `(bands, pixels)` of reflectance, all observed."""
    brightest = pixels.max(axis=0)
    typical = np.median(brightest)
    bright = np.percentile(brightest, 98)
    if typical < _DARKEST_PIXEL or (typical < _DARKEST_IMAGE and bright < _DARKEST_LAND):
        return [
            f"holds values around {typical:.3g} in the brightest band, {_REFLECTANCE_RULE}, on "
            f"land from {_DARKEST_IMAGE} to 10,000: multiply reflectance from 0 to 1 by 10,000, "
            "and percent by 100"
        ]
    visible = [index for index, band in enumerate(bands) if band in _VISIBLE]
    infrared = [index for index, band in enumerate(bands) if band in _INFRARED]
    if bright >= _BRIGHT_LAND or not visible or not infrared:
        return []
    brightest_infrared = pixels[infrared].max(axis=0)
    is_land = brightest_infrared > pixels[visible].max(axis=0)
    is_land &= brightest_infrared >= _DARKEST_INFRARED
    if is_land.mean() < _LAND_SHARE:
        return []
    return [
        f"is land by its colour, with values around {typical:.4g} in the brightest band, "
        f"{_REFLECTANCE_RULE}, on land in the sun beyond {_BRIGHT_LAND}: multiply reflectance "
        "x 1,000 by 10"
    ]


def _median_decibels(values: np.ndarray, bands: Sequence[str]) -> dict[str, float]:
    """Compute the median of each polarisation in decibels, where all are observed.

    Returns:
        Medians by band; empty without names, or where few pixels are observed.
    """
    observed = values.all(axis=0)
    if len(bands) != len(values) or np.count_nonzero(observed) < _LEAST_PIXELS:
        return {}
    return {
        band: float(10 * np.log10(np.median(image[observed])))
        for band, image in zip(bands, values, strict=True)
    }


def _swapped_polarisations(values: np.ndarray, bands: Sequence[str]) -> list[str]:
    levels = _median_decibels(values, bands)
    if not set(S1_BANDS) <= set(levels) or levels["VH"] < levels["VV"] + _CLEARLY_ABOVE:
        return []
    return [
        f"has VH above VV ({levels['VH']:.1f} and {levels['VV']:.1f} dB), which land never shows: "
        "the bands are swapped, name them in the order in which they lie"
    ]


def amplitude_problem(values: np.ndarray, bands: Sequence[str]) -> str | None:
    """Say that backscatter may be amplitude, the square root of intensity; None where it is not.

    Amplitude of land is brighter than the intensity of any but the densest towns.

    Args:
        values: `(bands, ...)`, linear, 0 for no data; a whole image, possibly thinned.
        bands: names of the bands.
    """
    return amplitude_problem_of_medians(_median_decibels(values, bands))


def amplitude_problem_of_medians(levels: Mapping[str, float]) -> str | None:
    """Say that backscatter may be amplitude, judged by the median of each band in decibels.

    None where it is not, or where there is no median.
    """
    too_bright = levels.get("VV", -99) > _BRIGHTEST_VV or levels.get("VH", -99) > _BRIGHTEST_VH
    if not too_bright:
        return None
    received = " and ".join(f"{level:.1f} dB in {band}" for band, level in levels.items())
    return (
        f"is around {received}, land is around -11 in VV and -17 in VH: amplitude instead of "
        "intensity? then square it"
    )


def looks_cut_off(values: np.ndarray, bands: Sequence[str]) -> bool:
    """Whether an offset was subtracted from reflectance that did not hold it.

    Then most of the visible is below 0, which conversion cuts off at 1. In a product that holds the
    offset, that happens to single dark pixels.

    Args:
        values: `(bands, ...)`, reflectance x 10,000, 0 for no data; a whole image.
        bands: their names. Without a visible band all are judged.
    """
    positions = [index for index, band in enumerate(bands) if band in _VISIBLE]
    judged = values[positions or slice(None)]
    observed = values.any(axis=0)
    if not observed.any():
        return False
    return bool((judged[:, observed] <= 1).all(axis=0).mean() > 0.5)


def looks_brightened(values: np.ndarray, bands: Sequence[str]) -> bool:
    """Whether reflectance x 10,000 seems to hold ESA's offset of 1000 still.

    Every landscape has pixels, of forest, water or shadow, that are dark in the visible. Where next
    to none is below 1000, the offset is in them, or snow and clouds cover all.

    Args:
        values: `(bands, ...)`, reflectance x 10,000, 0 for no data; a whole image, possibly
            thinned.
        bands: their names.
    """
    positions = [index for index, band in enumerate(bands) if band in _VISIBLE]
    observed = values.any(axis=0)
    visible = values[positions][:, observed]
    if visible.size == 0:
        return False
    darkest = visible.min(axis=0)
    return bool(np.percentile(darkest, 1) >= _ESA_ADDITION)


def reference_problems(ids: np.ndarray, classes: int) -> list[str]:
    """Find values of a reference that are no class ids.

    Args:
        ids: an array of any shape, 0 for no data.
        classes: the highest class id.

    Returns:
        No sentence, or one.
    """
    lowest = ids.min()
    highest = ids.max()
    if not (lowest >= 0 and highest <= classes):  # written so, NaN is refused too
        return [
            f"holds values from {lowest} to {highest}, class ids are 1 to {classes} and 0 for no "
            "data"
        ]
    if ids.dtype.kind == "f":
        fractions = ids[ids % 1 != 0]
        if fractions.size:
            return [f"holds {fractions[0]:g}, class ids are whole numbers"]
    return []


def pixel_problems(
    pixels: np.ndarray, kind: str, classes: int = 14, bands: Sequence[str] | None = None
) -> list[str]:
    """Find what is wrong with the values of a whole raster.

    Args:
        pixels: `(bands, height, width)`, in the units of the layout, 0 for no data.
        kind: `s1`, `s2` or `reference`.
        classes: the highest class id of a reference.
        bands: names of the bands of an image, see `unlikely_values`.

    Returns:
        Sentences that go on from the raster's name; no sentence where nothing is wrong.
    """
    if kind == "reference":
        return reference_problems(pixels, classes)
    return (
        impossible_values(pixels, kind)
        or unlikely_values(pixels, kind, bands)
        or fill_problems(pixels, kind)
    )


def check_values(
    values: np.ndarray, sensor: str, source: object, bands: Sequence[str] | None = None
) -> None:
    """Refuse an image that is not in the units of the layout.

    Args:
        values: `(bands, ...)`, 0 for no data; a whole image, a patch, or a thinned image.
        sensor: `s1` or `s2`.
        source: what the message calls the image, such as its path.
        bands: names of the bands, see `unlikely_values`.

    Raises:
        PatchError: one line that names the source, the rule and the remedy.
    """
    problem = type_problem([values.dtype], sensor)
    problems = [problem] if problem else pixel_problems(values, sensor, bands=bands)
    if problems:
        raise PatchError(f"{source} {problems[0]}")


def check_image(
    values: np.ndarray, sensor: str, source: object, bands: Sequence[str] | None = None
) -> None:
    """Refuse a whole image that is not in the units of the layout; warn where that is in doubt.

    Doubtful are Sentinel-1 that may be amplitude, and Sentinel-2 that may hold ESA's offset.

    Args:
        values: `(bands, ...)`, 0 for no data; a whole image, possibly thinned, not a patch.
        sensor: `s1` or `s2`.
        source: what the message calls the image, such as its path.
        bands: names of the bands; without them less is recognised.

    Raises:
        PatchError: one line that names the source, the rule and the remedy.
    """
    check_values(values, sensor, source, bands)
    for problem in implausible_image(values, sensor, bands):
        raise PatchError(f"{source} {problem}")
    amplitude = amplitude_problem(values, bands or ()) if sensor == "s1" else None
    if amplitude is not None:
        warnings.warn(f"{source} {amplitude}", stacklevel=2)
    if sensor == "s2" and values[0].size >= _LEAST_PIXELS and looks_brightened(values, bands or ()):
        warnings.warn(
            f"{source}: almost no pixel is darker than {_ESA_ADDITION} in B2-B4. Products since "
            f"January 2022 carry an offset; if this one does, subtract {_ESA_ADDITION}",
            stacklevel=2,
        )


def zero_invalid(values: np.ndarray, sensor: str, source: object) -> np.ndarray:
    """Set NaN to 0 (no data), negative and infinite reflectance too; refuse impossible values.

    Some rows of an image are enough, since pixels are judged one by one. Call `check_image` once
    for the whole image.

    Args:
        values: an array of any shape, in the units of the layout.
        sensor: `s1` or `s2`.
        source: what the message calls the image, such as its path.

    Returns:
        The same shape: `float32` for Sentinel-1, else of the same type.

    Raises:
        PatchError: one line that names the source: a complex or 8-bit type, 65535 in Sentinel-2,
            infinite or negative intensity.
    """
    problem = type_problem([values.dtype], sensor)
    if problem is not None:
        raise PatchError(f"{source} {problem}")
    if sensor == "s1":
        values = values.astype(np.float32, copy=False)
    if values.dtype.kind == "f":
        # Division by a reflectance of 0 leaves infinity in Sentinel-2. In Sentinel-1 it is refused.
        infinite = 0 if sensor == "s2" else np.inf
        values = np.nan_to_num(values, nan=0, posinf=infinite, neginf=-np.inf)
    if sensor == "s2" and values.dtype.kind != "u":
        values = np.maximum(values, 0)
    for problem in impossible_values(values, sensor):
        raise PatchError(f"{source} {problem}")
    return values
