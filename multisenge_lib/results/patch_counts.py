"""What is counted of a classifier's maps, patch by patch, as a record holds it."""

from collections.abc import Collection, Sequence

import numpy as np

from multisenge_lib.results.metrics import confusion_matrix
from multisenge_lib.results.spatial import SpatialCounts, count_patch, join_counts

#: How many maps are kept where none of the patches to show is among those counted.
_MAPS_KEPT = 3


class PatchCounts:
    """Hits and errors of a classifier on some patches, and its maps of a few of them.

    Args:
        patches: names of the patches, in the order in which they will be added.
        classes: how many classes the classifier separates.
        showcase: patches whose maps are kept; if none of them is counted, the first ones are.

    Attributes:
        patches: as above.
        maps: class ids of the patches that are shown, `(size, size) uint8`, by name.
        references: references of the same patches.
    """

    def __init__(self, patches: Sequence[str], classes: int, showcase: Collection[str]):
        self.patches = tuple(patches)
        self.maps: dict[str, np.ndarray] = {}
        self.references: dict[str, np.ndarray] = {}
        self._classes = classes
        self._shown = set(showcase) & set(patches)
        if not self._shown:
            self._shown = set(self.patches[:_MAPS_KEPT])
        self._confusions: list[np.ndarray] = []
        self._spatial: list[SpatialCounts] = []

    def add(self, patch: str, reference: np.ndarray, predicted: np.ndarray) -> None:
        """Count one patch.

        Args:
            patch: its name.
            reference: `(size, size)` class ids, 0 for no data.
            predicted: `(size, size) uint8` class ids from 1.
        """
        self._confusions.append(confusion_matrix(reference, predicted, self._classes))
        self._spatial.append(count_patch(reference, predicted, self._classes))
        if patch in self._shown:
            self.maps[patch] = predicted
            self.references[patch] = reference

    @property
    def confusions(self) -> np.ndarray:
        """One confusion matrix per patch, `(patches, classes, classes) int64`."""
        return np.stack(self._confusions)

    @property
    def spatial(self) -> SpatialCounts:
        """Isolated pixels, and errors by distance to a class boundary."""
        return join_counts(self._spatial)
