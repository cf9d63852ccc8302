"""Judge whether a whole image is in the units of the layout.

A patch may be all lake, shadow or city, where these rules do not hold; those of `plausibility` hold
there too. `check` asks most patches of a root. Functions return sentences that go on from the name
of the source, or whether something is so; `image_checks` raises them.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from multisenge_lib.dataset.layout import S1_BANDS, decibel
from multisenge_lib.dataset.plausibility import DARKEST_IMAGE, REFLECTANCE_RULE
from multisenge_lib.dataset.values import LARGEST_UINT16, REFLECTANCE_SCALE

#: Reflectance x 10,000 of the brightest band. The median of an image with water or shadow may be
#: below 100, but then 2 % of it is brighter than 200. It is never below 10.
_DARKEST_MEDIAN = 10
_DARKEST_LAND = 200
#: Reflectance x 10,000 that 2 % of an image of land exceed in some band, unless all is in shadow.
_BRIGHT_LAND = 600
#: Land is brighter in the infrared than in the visible, water is not. Below 100 that is noise.
_DARKEST_INFRARED = 100
#: Share of the observed pixels that must be land for an image to be judged as such.
_LAND_SHARE = 0.2
#: Land in the sun is beyond this in some infrared band, and 1 % of it beyond `DARKEST_IMAGE` in
#: each of them up to B8A. In the visible, forest may be very dark where the haze was overestimated.
_SUNLIT_INFRARED = 1000
_DARKEST_VISIBLE_OF_LAND = 8
#: The same in the short-wave infrared, which wet plants, salt and dusty ice swallow almost whole.
_DARKEST_SHORT_WAVE_OF_LAND = 20
#: What a picture of 16 bit multiplies reflectance x 10,000 with.
_PICTURE_SCALE = LARGEST_UINT16 / REFLECTANCE_SCALE
#: Different numbers that must be those of a picture; fewer may be so by chance. And their share:
#: of other numbers, 15 % are those of a picture.
_LEAST_NUMBERS = 100
_PICTURE_SHARE = 0.99
#: Pixels that the numbers of an image are taken from.
_COUNTED_PIXELS = 10_000
#: What ESA adds to reflectance x 10,000 since processing baseline 04.00 (January 2022).
ESA_ADDITION = 1000
_INFRARED = ("B8", "B8A", "B11", "B12")
_SHORT_WAVE = ("B11", "B12")
_VISIBLE = ("B2", "B3", "B4")
#: Decibels that the medians of an image of land stay below; forests and towns come near.
_BRIGHTEST_VV = -6
_BRIGHTEST_VH = -10
#: Decibels. Over land VV is some 6 dB above VH; over calm water both are noise.
_CLEARLY_ABOVE = 2
#: Fewer observed pixels say nothing of an image.
LEAST_PIXELS = 100


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
    if np.count_nonzero(observed) < LEAST_PIXELS:
        return []
    if sensor == "s1":
        return _swapped_polarisations(values, bands or ())
    pixels = values[:, observed]
    return _dark_image(pixels, bands or ()) or _picture(pixels)


def uneven_bands(values: np.ndarray, bands: Sequence[str]) -> list[str]:
    """Say that a band of Sentinel-2 is in another unit; arguments as in `band_in_other_unit`."""
    band = band_in_other_unit(values, bands)
    if band is None:
        return []
    return [
        f"holds next to nothing in {band}, and the other bands show land in the sun, "
        f"{REFLECTANCE_RULE}: is {band} reflectance from 0 to 1, or percent? multiply it by "
        "10,000, or by 100, or leave this image out"
    ]


def band_in_other_unit(values: np.ndarray, bands: Sequence[str]) -> str | None:
    """Find a band that is dark where the other bands show land in the sun; None if there is none.

    Such a band is in another unit, like 0 to 1 beside reflectance x 10,000. Water and snow are that
    dark in the infrared, so only land is judged: its infrared is brighter than its visible. A band
    that is 0 everywhere is in no unit, nor is one that is cut off at 1 everywhere. Reflectance from
    0 to 1 has decimals, so whole numbers can only be percent.

    Args:
        values: `(bands, ...)`, reflectance x 10,000, 0 for no data; a whole image, possibly
            thinned.
        bands: their names; without them no band is found.
    """
    pixels = values.reshape(len(values), -1)
    for judged, band in enumerate(bands):
        others = [index for index in range(len(bands)) if index != judged]
        visible = [index for index in others if bands[index] in _VISIBLE]
        infrared = [index for index in others if bands[index] in _INFRARED]
        if not visible or not infrared or not pixels[judged].any():
            continue
        brightest_infrared = pixels[infrared].max(axis=0)
        is_land = brightest_infrared > pixels[visible].max(axis=0)
        is_land &= brightest_infrared >= _SUNLIT_INFRARED
        observed = np.count_nonzero(pixels.any(axis=0))
        if np.count_nonzero(is_land) < max(LEAST_PIXELS, _LAND_SHARE * observed):
            continue
        land = pixels[judged, is_land]
        highest = np.percentile(land, 99)
        is_cut_off = highest <= 1 and not (land % 1).any()
        if highest <= _darkest_of_land(band) and not is_cut_off:
            return band
    return None


def _darkest_of_land(band: str) -> float:
    """Reflectance x 10,000 that 1 % of land in the sun exceeds in this band."""
    if band in _VISIBLE:
        return _DARKEST_VISIBLE_OF_LAND
    return _DARKEST_SHORT_WAVE_OF_LAND if band in _SHORT_WAVE else DARKEST_IMAGE


def _picture(pixels: np.ndarray) -> list[str]:
    """Recognise a 16-bit picture, in which 65535 is full reflection, by its numbers.

    Reflectance x 10,000 is whole, so only every sixth or seventh number of the picture occurs. A
    picture that was resampled holds all numbers, and cannot be told from bright ground.

    Args:
        pixels: `(bands, pixels)` of reflectance, all observed.
    """
    step = max(1, pixels.shape[1] // _COUNTED_PIXELS)
    numbers = np.unique(pixels[:, ::step]).astype(np.float64)
    numbers = numbers[numbers > 0]
    if numbers.size < _LEAST_NUMBERS:
        return []
    whole = np.round(numbers / _PICTURE_SCALE)
    rounded = np.round(whole * _PICTURE_SCALE) == numbers
    cut = np.floor(np.ceil(numbers / _PICTURE_SCALE) * _PICTURE_SCALE) == numbers
    if max(rounded.mean(), cut.mean()) < _PICTURE_SHARE:
        return []
    return [
        f"holds only multiples of {_PICTURE_SCALE:.5g}, {REFLECTANCE_RULE}: a 16-bit picture, in "
        "which 65535 is full reflection? multiply it by 10,000 / 65,535"
    ]


def _dark_image(pixels: np.ndarray, bands: Sequence[str]) -> list[str]:
    """Judge `(bands, pixels)` of reflectance, all observed."""
    brightest = pixels.max(axis=0)
    typical = np.median(brightest)
    bright = np.percentile(brightest, 98)
    if typical < _DARKEST_MEDIAN or (typical < DARKEST_IMAGE and bright < _DARKEST_LAND):
        return [
            f"holds values around {typical:.3g} in the brightest band, {REFLECTANCE_RULE}, on "
            f"land from {DARKEST_IMAGE} to 10,000: multiply reflectance from 0 to 1 by 10,000, "
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
        f"{REFLECTANCE_RULE}, on land in the sun beyond {_BRIGHT_LAND}: multiply reflectance "
        "x 1,000 by 10"
    ]


def _median_decibels(values: np.ndarray, bands: Sequence[str]) -> dict[str, float]:
    """Compute the median of each polarisation in decibels, where all are observed.

    Returns:
        Medians by band; empty without names, or where few pixels are observed.
    """
    observed = values.all(axis=0)
    if len(bands) != len(values) or np.count_nonzero(observed) < LEAST_PIXELS:
        return {}
    return {
        band: float(decibel(np.median(image[observed])))
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
    if not positions or visible.shape[1] < LEAST_PIXELS:
        return False
    darkest = visible.min(axis=0)
    return bool(np.percentile(darkest, 1) >= ESA_ADDITION)
