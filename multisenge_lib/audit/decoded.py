"""Pixels decoded from the class weights in the authors' public script.

The authors' notebook counts the pixels n of six classes over all selected patches and makes of them
weights 1000 (1/n) / sum(1/n), printed with eight decimals. The inverse of the weights therefore
gives each class's share of the pixels, and the number of patches gives the pixels themselves. That
all six come out as whole numbers, to within what eight decimals allow, is the check: shares of any
other set of patches would not.
"""

from dataclasses import dataclass

import numpy as np

from multisenge_lib.audit.evidence import Evidence
from multisenge_lib.dataset import MULTISENGE, TYPOLOGIES, URBAN

_URBAN = slice(0, len(URBAN))
_PATCH_PIXELS = MULTISENGE.patch_pixels**2


@dataclass(frozen=True)
class DecodedCounts:
    """Pixels of six classes over the selected patches, decoded from weights.

    Attributes:
        patches: how many patches they cover.
        exact: `(6,)`, before rounding.
        bounds: `(6, 2)`, the least and greatest that the printed digits allow.
        pixels: `(6,) int64`, the whole numbers.
        test: `(6,) int64`, the pixels of the test tile, as others counted them.
    """

    patches: int
    exact: np.ndarray
    bounds: np.ndarray
    pixels: np.ndarray
    test: np.ndarray

    @property
    def train_and_validation(self) -> np.ndarray:
        """`(6,) int64`: the pixels that are not of the test tile."""
        return self.pixels - self.test

    @property
    def urban_share(self) -> float:
        """Share of the five urban classes in the selected patches."""
        return float(self.pixels[_URBAN].sum() / self.pixels.sum())

    def shares(self) -> dict[str, np.ndarray]:
        """Shares of the six classes, `(6,)`: all selected patches, train and validation, test."""
        parts = {
            "selected": self.pixels,
            "train and validation": self.train_and_validation,
            "test": self.test,
        }
        return {name: pixels / pixels.sum() for name, pixels in parts.items()}


def weights_of(pixels: np.ndarray) -> np.ndarray:
    """The weights that the authors' notebook makes of pixel counts: inverse, with a sum of 1000.

    Both are `(classes,)`.
    """
    inverse = 1 / np.asarray(pixels, dtype=float)
    return 1000 * inverse / inverse.sum()


def _pixels_of(weights: np.ndarray, total: int) -> np.ndarray:
    """The counts behind weights, before rounding; the inverse of `weights_of`."""
    inverse = 1 / weights
    return total * inverse / inverse.sum()


def decode_counts(evidence: Evidence, patches: int | None = None) -> DecodedCounts:
    """Decode the class weights of the authors' script.

    Args:
        evidence: the script and the counts to draw on.
        patches: over which the weights were counted; by default all selected at 17 days.
    """
    if patches is None:
        patches = int(evidence.counts.splits.sum())
    total = patches * _PATCH_PIXELS
    weights = evidence.script.class_weights
    half = evidence.script.half_unit

    # A class's count falls with its own weight and grows with the others'.
    limits = []
    for own in range(len(weights)):
        others_up = np.full(len(weights), half)
        others_up[own] = -half
        most = _pixels_of(weights + others_up, total)[own]
        least = _pixels_of(weights - others_up, total)[own]
        limits.append((least, most))

    exact = _pixels_of(weights, total)
    return DecodedCounts(
        patches=patches,
        exact=exact,
        bounds=np.array(limits),
        pixels=np.rint(exact).astype(np.int64),
        test=evidence.replication.support[6],
    )


def dropped_urban_share(evidence: Evidence) -> tuple[float, float]:
    """Share of the five urban classes in the patches that the date rule drops, least and greatest.

    Table 2 gives the shares in all patches, each to a hundredth of a percent; the decoded counts
    give those of the selected patches. The rest is what is dropped.
    """
    decoded = decode_counts(evidence)
    all_patches = evidence.counts.totals["patches"]
    dropped_patches = all_patches - decoded.patches
    numbers = evidence.paper.table("table2")
    urban_ids = [str(ids[0]) for ids in TYPOLOGIES["6c"].members[_URBAN]]
    in_all = sum(numbers[id].value for id in urban_ids) / 100
    rounding = sum(numbers[id].half for id in urban_ids) / 100
    in_selected = decoded.urban_share * decoded.patches
    least = ((in_all - rounding) * all_patches - in_selected) / dropped_patches
    most = ((in_all + rounding) * all_patches - in_selected) / dropped_patches
    return least, most
