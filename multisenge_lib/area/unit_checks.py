"""Whether the values of an image are in the units that its user, its tags or its names say."""

from collections.abc import Sequence

import numpy as np

from multisenge_lib.area.band_source import BandSource
from multisenge_lib.area.units import InputUnits
from multisenge_lib.dataset import (
    DARKEST_IMAGE,
    LARGEST_REFLECTANCE,
    LARGEST_UINT16,
    LEAST_PIXELS,
    LOWEST_OVERSHOOT,
    WRAPPED,
    amplitude_problem,
    band_in_other_unit,
    band_order_problem,
    fill_value,
    implausible_image,
    impossible_values,
    looks_brightened,
    looks_cut_off,
    unlikely_values,
)
from multisenge_lib.errors import ImportAreaError

#: Reflectance x 10,000 that no processor writes for ground: dark pixels are some hundreds below 0
#: at most, and 1000 is subtracted from products with an offset.
_LOWEST_REFLECTANCE = -3000
#: What full reflection becomes in reflectance x 10,000 where it is stored as 1, with some room.
_HIGHEST_DECIMAL = 2


def check_reflectance(
    values: np.ndarray, stored_by_band: Sequence[np.ndarray], title: str, units: InputUnits
) -> None:
    """Refuse reflectance that no ground has, before it is cut off at the bounds of 16 bit.

    Args:
        values: `(bands, height, width)`, reflectance x 10,000, 0 for no data.
        stored_by_band: the same pixels as stored, for the message.
        title: what the message calls the image.
        units: what the user says of the stored values.

    Raises:
        ImportAreaError: it names the stored value, which is often no data without a tag.
    """
    number = fill_value(values, "s2")
    if number is not None:
        position = (values == number).all(axis=0).argmax()
        raise ImportAreaError(_ask_for_no_data(title, stored_by_band[0].flat[position]))
    for is_outside, position in (
        (values.max() > LARGEST_REFLECTANCE, values.argmax()),
        (values.min() < _LOWEST_REFLECTANCE, values.argmin()),
    ):
        if is_outside:
            band, row, column = np.unravel_index(position, values.shape)
            stored = stored_by_band[band][row, column]
            value = values[band, row, column]
            if LARGEST_REFLECTANCE < value < LARGEST_UINT16:
                remedy = WRAPPED
            else:
                remedy = (
                    f"if it is no data, give --no-data {_option(stored)}, else give as --s2-scale "
                    "what to multiply with, such as 0.1, or 1 where a scale tag is wrong"
                    f"{_holds_for_all('--s2-scale', units.s2_scale)}"
                )
            raise ImportAreaError(
                f"{title} holds {_option(stored)}, a reflectance x 10,000 of {value:.4g} with this "
                f"scale and offset: {remedy}"
            )


def check_backscatter(
    values: np.ndarray,
    stored_by_band: Sequence[np.ndarray],
    missing: np.ndarray,
    title: str,
    units: InputUnits,
) -> None:
    """Refuse values that no radar measures.

    Args:
        values: `(2, height, width)`, linear intensity, 0 for no data.
        stored_by_band: the same pixels as stored, for the message.
        missing: `(height, width) bool`, pixels without data.
        title: what the message calls the image.
        units: what the user says of the stored values.

    Raises:
        ImportAreaError: it asks for the value of no data, or for the unit.
    """
    # Before conversion: 9999 decibel is infinite in linear units.
    number = fill_value(np.where(missing, 0, np.stack(stored_by_band)), "s1")
    if number is not None:
        raise ImportAreaError(_ask_for_unit(_ask_for_no_data(title, number), units))
    problems = impossible_values(values, "s1")
    if problems and LOWEST_OVERSHOOT < values.min() < 0:  # no decibels, whatever the unit
        raise ImportAreaError(f"{title} {problems[0]}")
    if problems:
        raise ImportAreaError(_ask_for_unit(f"{title} {problems[0]}", units))


def refuse_tiny_decibels(title: str, units: InputUnits) -> None:
    """Refuse an image that holds values in decibels, all so low that their intensity is 0.

    Such values are decibels that were stored as integers, times a factor. Their intensity is that
    of no data, so no other check sees them.

    Args:
        title: what the message calls the image.
        units: what the user says of the stored values.

    Raises:
        ImportAreaError: the user says that they are decibels.
    """
    if units.s1 == "db":
        raise ImportAreaError(
            f"{title}: every pixel is below -400 dB in VV or VH, and land is around -11 in VV: "
            "divide the values by the factor with which they were stored, such as 100; if they are "
            "no data, give their value with --no-data"
        )


def check_units(
    sample: np.ndarray,
    sensor: str,
    bands: Sequence[str],
    title: str,
    lowest: float,
    units: InputUnits,
) -> None:
    """Refuse an image whose values are in other units.

    Args:
        sample: `(bands, height, width)`, a thinned image in the units of the layout, 0 for no data.
        sensor: `s1` or `s2`.
        bands: names of the bands.
        title: what the message calls the image.
        lowest: the least value of backscatter, with scale and offset tags applied.
        units: what the user says of the stored values.

    Raises:
        ImportAreaError: it asks for the unit, the scale, or the order of the bands.
    """
    if not sample.any():
        return
    if sensor == "s1":
        _check_units_of_backscatter(sample, bands, title, lowest, units)
    else:
        _check_units_of_reflectance(sample, bands, title, units)


def _check_units_of_backscatter(
    sample: np.ndarray, bands: Sequence[str], title: str, lowest: float, units: InputUnits
) -> None:
    if units.s1 == "db" and lowest >= 0:
        raise ImportAreaError(
            f"{title}: no value is negative, decibels of land are: not --s1-unit db"
            f"{_holds_for_all('--s1-unit', units.s1)}"
        )
    problems = unlikely_values(sample, "s1", bands)
    if problems:
        raise ImportAreaError(_ask_for_unit(f"{title} {problems[0]}", units))
    problems = implausible_image(sample, "s1", bands)
    if problems:  # the two bands are swapped, whatever their unit
        raise ImportAreaError(f"{title} {problems[0]}, or give their order with --s1-bands")
    amplitude = None if units.s1 == "linear" else amplitude_problem(sample, bands)
    if amplitude is not None:
        raise ImportAreaError(_ask_for_unit(f"{title} {amplitude}", units))


def _check_units_of_reflectance(
    sample: np.ndarray, bands: Sequence[str], title: str, units: InputUnits
) -> None:
    problems = unlikely_values(sample, "s2", bands) or implausible_image(sample, "s2", bands)
    if problems:
        raise ImportAreaError(
            f"{title}: with this scale and offset it {problems[0]}; give as --s2-scale what to "
            "multiply with, such as --s2-scale 10000 where reflectance is stored from 0 to 1, "
            "0.15259 where it is a 16-bit picture, or 0.1 where it is too large by a factor of "
            "10; an image of water alone cannot be told from this, so leave it out"
            f"{_holds_for_all('--s2-scale', units.s2_scale)}"
        )
    problem = band_order_problem(sample, bands)
    if problem is not None:
        raise ImportAreaError(f"{title}: {problem}; name them, or correct --s2-bands")


def check_bands_alike(
    sample: np.ndarray,
    bands: Sequence[str],
    sources: Sequence[BandSource],
    highest_stored: np.ndarray,
    has_decimals: np.ndarray,
    offsets: Sequence[float],
) -> None:
    """Refuse a band of Sentinel-2 that is in another unit than the bands beside it.

    Args:
        sample: `(bands, height, width)`, reflectance x 10,000, 0 for no data.
        bands: names of the bands.
        sources: where they come from.
        highest_stored: `(bands,)`, the highest stored value of each.
        has_decimals: `(bands,) bool`, whether some stored values of each are no whole numbers.
        offsets: what was added to each, as `offset_of` gives it.

    Raises:
        ImportAreaError: it names the file of the band.
    """
    observed = sample.any(axis=0)
    if np.count_nonzero(observed) < LEAST_PIXELS:
        return
    if any(offsets) and looks_cut_off(sample, bands):  # `check_offset` refuses it
        return
    # Decimals up to full reflection beside numbers beyond it, whatever the ground. Where a scale
    # made all bands reflectance x 10,000, they are stored alike, or the band is not dark.
    highest = np.percentile(sample[:, observed], 99, axis=1)
    is_small = has_decimals & (highest_stored <= _HIGHEST_DECIMAL) & (highest <= _HIGHEST_DECIMAL)
    is_large = (highest_stored >= DARKEST_IMAGE) & (highest >= DARKEST_IMAGE)
    if is_small.any() and is_large.any():
        band = bands[np.flatnonzero(is_small)[0]]
    else:
        band = band_in_other_unit(sample, bands)
    if band is None:
        return
    source = sources[list(bands).index(band)]
    raise ImportAreaError(
        f"{source.name}: {band} is almost 0 everywhere with this scale and offset, and the other "
        f"bands of the image are bright: is {band} reflectance from 0 to 1, or percent, beside "
        "reflectance x 10,000? multiply this band by 10,000, or by 100, or leave this image out"
    )


def check_offset(
    sample: np.ndarray,
    bands: Sequence[str],
    sources: Sequence[BandSource],
    offsets: Sequence[float],
    units: InputUnits,
) -> bool:
    """Compare the values of a Sentinel-2 image with the offset that its product should have.

    Args:
        sample: `(bands, height, width)`, reflectance x 10,000, 0 for no data.
        bands: names of the bands.
        sources: where they come from.
        offsets: what was added to each, as `offset_of` gives it.
        units: what the user says of the stored values.

    Returns:
        Whether the values seem to hold an offset although no name says so.

    Raises:
        ImportAreaError: the user, a tag or a name says that there is an offset, and the values that
            there is none.
    """
    baselines = [source.baseline for source in sources if source.baseline is not None]
    _check_one_offset(sources, units)
    if any(offsets) and looks_cut_off(sample, bands):
        said = f"an offset of {min(offsets):g} is added"
        # Where a tag holds another offset, the tag was applied and the baseline was not.
        if units.s2_offset is None and baselines and baselines[0].offset == min(offsets):
            said = f"{said} by its processing baseline {baselines[0].name}"
        raise ImportAreaError(
            f"{sources[0].name}: {said}, and most of the visible is below 0 then: the values "
            "hold no such offset, or this was done before: give --s2-offset 0, and import such "
            "products by themselves"
        )
    if units.s2_offset is not None:
        return False
    # A version before the offset is believed. Of a later one, somebody may say wrongly that the
    # offset was taken off.
    is_known = any(baseline.offset or not baseline.may_have_offset for baseline in baselines)
    return not is_known and looks_brightened(sample, bands)


def _check_one_offset(sources: Sequence[BandSource], units: InputUnits) -> None:
    """Refuse bands of one image for which names or metadata give different offsets, or some none.

    ESA adds one number to all bands of a product.
    """
    if units.says_reflectance:
        return
    for source in sources:
        baseline = source.baseline
        if baseline is not None and baseline.contradicted_by is not None:
            raise ImportAreaError(
                f"{source.name}: {baseline.where} says processing baseline {baseline.name} "
                f"(offset {baseline.offset:g}), but the name {baseline.contradicted_by} says "
                "another baseline: correct the wrong one, or say the offset with --s2-offset, and "
                "import such products by themselves"
            )
    source_of = {s.baseline.offset if s.baseline is not None else 0: s for s in sources}
    if len(source_of) > 1:
        (one, first), (other, second) = list(source_of.items())[:2]
        raise ImportAreaError(
            f"{first.name} and {second.name} are bands of one image, and their names or metadata "
            f"give them different offsets ({one:g} and {other:g}): say which to take with "
            "--s2-offset, and import such products by themselves"
        )


def _ask_for_no_data(title: str, number: np.number) -> str:
    return (
        f"{title} holds {_option(number)} in all bands of some pixels, which is no measurement: if "
        f"it is no data, give --no-data {_option(number)}"
    )


def _option(number: np.number) -> str:
    """A stored number as short as it can be typed and still be the same number of its type."""
    return str(number).removesuffix(".0")


def _ask_for_unit(problem: str, units: InputUnits) -> str:
    return (
        f"{problem}; say how it is stored: --s1-unit db, linear, or dn for digital numbers n "
        "with 20 log10(n) - 83 dB"
        f"{_holds_for_all('--s1-unit', units.s1)}"
    )


def _holds_for_all(option: str, value: object) -> str:
    """Say what to do where files differ, so that no other value of the option is tried in vain.

    Nothing is said of an option that the user does not give.
    """
    if value is None:
        return ""
    return f" ({option} holds for all files: where only some differ, convert those first)"
