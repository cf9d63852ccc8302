"""From stored values to the units of the layout: reflectance x 10,000 and linear backscatter."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from multisenge_lib.area.products import ProcessingBaseline
from multisenge_lib.dataset import apply_tags, is_tagged

S1Unit = Literal["linear", "db", "dn"]


@dataclass(frozen=True)
class InputUnits:
    """How stored values become those of the layout.

    Attributes:
        s1: `linear`, `db`, or `dn`, digital numbers n that mean 20 log10(n) - 83 decibel; None
            where it is not known: linear, refused where the values contradict it.
        s2_scale: what reflectance is multiplied with, 10,000 where it is from 0 to 1. By default
            as scale tags say, else 1.
        s2_offset: what is added before. By default as the product's processing baseline or offset
            tags say, else 0.
        no_data: a value that means no data in images, where they carry no tag.
    """

    s1: S1Unit | None = None
    s2_scale: float | None = None
    s2_offset: float | None = None
    no_data: float | None = None

    @property
    def says_reflectance(self) -> bool:
        """Whether the user says how reflectance is stored, which counts more than tags."""
        return self.s2_scale is not None or self.s2_offset is not None


class Encoding(NamedTuple):
    """What a file and its product say about the stored values of a band.

    Attributes:
        scale: value of the scale tag, else 1.
        offset: value of the offset tag, else 0.
        baseline: processing baseline of the ESA product that the file belongs to, if any.
    """

    scale: float = 1
    offset: float = 0
    baseline: ProcessingBaseline | None = None

    @property
    def has_tags(self) -> bool:
        """Whether scale or offset tags change the values."""
        return is_tagged([self.scale], [self.offset])


def reflectance(stored: np.ndarray, encoding: Encoding, units: InputUnits) -> np.ndarray:
    """Reflectance x 10,000 as `float32`, of stored values `(height, width)`.

    What the user says counts before tags, and tags before the processing baseline. A scale tag
    alone says nothing of the offset, so the baseline's is added then.
    """
    if units.says_reflectance:
        scale = 1 if units.s2_scale is None else units.s2_scale
        offset = units.s2_offset or 0
        return (stored.astype(np.float32) + offset) * scale
    values = stored.astype(np.float32)
    if encoding.has_tags:
        values = apply_tags(stored[None], "s2", [encoding.scale], [encoding.offset])[0]
    if encoding.baseline is not None and encoding.offset == 0:
        values = values + np.float32(encoding.baseline.offset)
    return values


def offset_of(encoding: Encoding, units: InputUnits) -> float:
    """The offset that `reflectance` applies: as the user, the baseline or the tag gives it."""
    if units.says_reflectance:
        return units.s2_offset or 0
    baseline = encoding.baseline
    if encoding.offset == 0 and baseline is not None:
        return baseline.offset
    return encoding.offset


def backscatter(stored: np.ndarray, encoding: Encoding, units: InputUnits) -> np.ndarray:
    """Linear intensity as `float32`, of stored values `(height, width)`."""
    values = stored.astype(np.float64)
    if encoding.has_tags:
        values = values * encoding.scale + encoding.offset
    with np.errstate(over="ignore", invalid="ignore"):  # what overflows is refused afterwards
        if units.s1 == "db":
            values = 10 ** (values / 10)
        elif units.s1 == "dn":
            values = values**2 * 10**-8.3
        return values.astype(np.float32)
