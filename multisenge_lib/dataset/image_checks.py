"""Refuse images that are not in the units of the layout, by the rules of `plausibility`.

`zero_invalid` judges single pixels, so some rows of an image are enough. `check_values` needs an
image or a patch, and `check_image` a whole image, to which it applies `whole_images` too.
"""

import warnings
from collections.abc import Sequence

import numpy as np

from multisenge_lib.dataset.plausibility import impossible_values, pixel_problems, type_problem
from multisenge_lib.dataset.whole_images import (
    ESA_ADDITION,
    amplitude_problem,
    implausible_image,
    looks_brightened,
    uneven_bands,
)
from multisenge_lib.errors import PatchError


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
    problems = implausible_image(values, sensor, bands)
    if sensor == "s2" and not problems:
        problems = uneven_bands(values, bands or ())
    for problem in problems:
        raise PatchError(f"{source} {problem}")
    amplitude = amplitude_problem(values, bands or ()) if sensor == "s1" else None
    if amplitude is not None:
        warnings.warn(f"{source} {amplitude}", stacklevel=2)
    if sensor == "s2" and looks_brightened(values, bands or ()):
        warnings.warn(
            f"{source}: almost no pixel is darker than {ESA_ADDITION} in B2-B4. Products since "
            f"January 2022 carry an offset; if this one does, subtract {ESA_ADDITION} "
            "in a signed type",
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
