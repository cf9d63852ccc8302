"""Judge whether pixels are in the units of the layout, and whether a reference holds class ids.

Sentinel-2 is surface reflectance x 10,000, and Sentinel-1 is linear intensity (`values` converts
what a raster stores). `import`, `check`, training, `predict` and `predict_map` all take these rules
from here, and those for whole images from `whole_images`:

1. `type_problem` looks at the type alone: complex numbers, 8-bit pictures.
2. `impossible_values` looks for single pixels that no sensor measures, such as negative intensity.
   It works on any part of an image.
3. `fill_value` looks for a number that a program wrote where there is no data, without a tag.
4. `unlikely_values` looks at the distribution, and recognises digital numbers, decibels with an
   offset and pictures. It needs an image or a patch, or a thinned image, not a few rows.

`reference_problems` looks at class ids, and `pixel_problems` applies what fits a raster. These
functions return sentences that go on from the name of the source: "holds 65535, ...".
`image_checks` raises them.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from multisenge_lib.dataset.bands import is_vegetated
from multisenge_lib.dataset.layout import BACKSCATTER_FLOOR
from multisenge_lib.dataset.values import BRIGHTEST_IMAGE, LARGEST_UINT16, REFLECTANCE_SCALE

#: Linear intensity, 10 dB: on land only single pixels, such as ships and steel roofs, lie above.
_BRIGHTEST_LAND = 10
#: Reflectance x 10,000. An image that stays below it everywhere is not in these units: even deep
#: water shows more than 0.01 in some pixel of the blue band.
DARKEST_IMAGE = 100
#: Reflectance x 10,000 that no ground shows, six times full reflection. Negative values that wrap
#: in an unsigned type lie above it.
LARGEST_REFLECTANCE = 60_000
#: Near infrared of leaves, in reflectance x 10,000, never reaches full reflection.
_BRIGHTEST_LEAVES = 10_000
#: Share of the pixels that must be vegetation before it is judged.
_LEAF_SHARE = 0.02
#: Linear intensity, 60 dB. Corner reflectors and saturated pixels of Sentinel-1 stay below 45 dB.
_BRIGHTEST_POINT = 1e6
#: Linear intensity, -60 dB. The noise of Sentinel-1 stays above -35 dB. Decibels of so little as
#: this above 0 do not occur in several pixels either.
_LEAST_BACKSCATTER = 1e-6
#: What programs write into all bands of Sentinel-2 where there is no data, besides numbers that are
#: too bright for clouds: 9999, also after 1000 was subtracted.
_USUAL_FILL = (9999, 8999)
#: Reflectance x 10,000: from here on, numbers that all bands share are counted.
_BRIGHT_CLOUDS = 8000
#: A fill value stands alone: of all pixels with a number near it, most have exactly this number.
#: Near is what lies within this distance of it, or within this share of it.
NEIGHBOUR_DISTANCE = 5
_NEIGHBOUR_SHARE = 0.01
#: No polarisation measures less than this, in decibels or linear.
LOWEST_DECIBEL = -90
#: Linear intensity. Slightly negative values come from resampling; decibels of land reach further
#: down in any image.
LOWEST_OVERSHOOT = -1
#: A number must fill at least this many pixels in all bands; fewer may be equal by chance.
LEAST_FILL_PIXELS = 4
_LINEAR_RULE = "Sentinel-1 is linear intensity"
REFLECTANCE_RULE = "Sentinel-2 is reflectance x 10,000"
#: What makes reflectance too large, and the remedy.
WRAPPED = (
    "dark pixels become so bright where 1000 is subtracted in an unsigned type; subtract it in a "
    "signed type, such as int16"
)


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
        rule = REFLECTANCE_RULE if sensor == "s2" else _LINEAR_RULE
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
        "intensity times a scale? convert them, or let multisenge import do it"
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
        rule = _LINEAR_RULE if sensor == "s1" else REFLECTANCE_RULE
        return [f"holds NaN or infinite values, {rule}: if they are no data, write 0"]
    if sensor == "s1":
        return _impossible_backscatter(lowest, highest)
    return _impossible_reflectance(highest)


def _impossible_backscatter(lowest: float, highest: float) -> list[str]:
    if lowest < LOWEST_DECIBEL:  # so dark is no decibel either
        return [
            f"holds {lowest:.6g}, {_LINEAR_RULE}, never negative: if that is no data, give the "
            "raster that tag"
        ]
    if LOWEST_OVERSHOOT < lowest < 0:
        return [
            f"holds {lowest:.3g}, {_LINEAR_RULE}, never negative: cubic resampling goes below 0 "
            "beside bright points; resample it bilinearly, or set negative values to 0.00001"
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
            f"holds values up to {highest:.6g}, {REFLECTANCE_RULE}: divide by the scale with "
            "which it was stored"
        ]
    if highest == LARGEST_UINT16:
        return [
            f"holds {highest:.6g}, which is no reflectance: if it is no data, give the raster that "
            "tag"
        ]
    if highest > LARGEST_REFLECTANCE:
        return [f"holds {highest:.6g}, {REFLECTANCE_RULE}: {WRAPPED}"]
    return []


def fill_value(values: np.ndarray, sensor: str) -> np.number | None:
    """Find a number that a program wrote into all bands where there is no data, without a tag.

    Such as 9999, 32767, -9999 read as unsigned (55537), or 1e-30 in Sentinel-1. Bands measure
    different light. Where they are alike by chance, as in snow, they are so at many numbers, and
    not mostly at one.

    Args:
        values: `(bands, ...)`, in the units of the layout, 0 for no data; any part of an image.
            Sentinel-1 may be in decibel as well.
        sensor: `s1` or `s2`.

    Returns:
        The number, or None.
    """
    first = values[0]
    if sensor == "s2":
        is_suspect = first > _BRIGHT_CLOUDS
    else:
        is_suspect = (first > _BRIGHTEST_LAND) | (first < LOWEST_DECIBEL)
        is_suspect |= (first > 0) & (first < _LEAST_BACKSCATTER)
    if not is_suspect.any():
        return None
    suspect = values[:, is_suspect]
    shared = suspect[0, (suspect == suspect[0]).all(axis=0)]
    numbers, counts = np.unique(shared, return_counts=True)
    is_frequent = counts >= LEAST_FILL_PIXELS
    for number, count in zip(numbers[is_frequent], counts[is_frequent], strict=True):
        if sensor == "s2" and number < BRIGHTEST_IMAGE and number not in _USUAL_FILL:
            continue
        distance = np.abs(numbers.astype(np.float64) - number)
        is_near = distance <= max(NEIGHBOUR_DISTANCE, _NEIGHBOUR_SHARE * abs(number))
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
    if highest < DARKEST_IMAGE:
        return [
            f"holds nothing above {highest:.3g}, {REFLECTANCE_RULE}, on land from "
            f"{DARKEST_IMAGE} to 10,000: multiply reflectance from 0 to 1 by 10,000, percent by "
            "100, and fetch the measured values instead of a picture"
        ]
    if highest > BRIGHTEST_IMAGE and _is_mostly_above(values, BRIGHTEST_IMAGE):
        typical = np.median(values[values > 0])
        return [
            f"holds values around {typical:.6g}, {REFLECTANCE_RULE}, on land from "
            f"{DARKEST_IMAGE} to 10,000: divide by the scale with which it was stored"
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
        f"{REFLECTANCE_RULE}: a 16-bit picture, in which 65535 is full reflection? multiply it by "
        "10,000 / 65,535"
    ]


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
