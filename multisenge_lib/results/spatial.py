"""Scores that depend on where pixels lie: salt-and-pepper noise, and errors near class boundaries.

The paper says that its maps are less noisy than those of a pixel-wise classifier (section 5.2) and
that errors gather where classes meet (section 5.3). A confusion matrix cannot show either, since it
forgets where its pixels are.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from multisenge_lib.dataset import NO_DATA
from multisenge_lib.errors import MultiSenGEError
from multisenge_lib.results.metrics import confusion_matrix

#: The bins of distance to a class boundary, in words and by their first pixel.
DISTANCE_BINS = ("1", "2", "3-4", "5+")
_FIRST_DISTANCE = (1, 2, 3, 5)

#: The eight neighbours of a pixel: rows down and columns to the right. Without the diagonal ones,
#: every pixel of a road that runs diagonally and is one pixel wide would count as isolated.
_NEIGHBOURS = ((-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1))


@dataclass(frozen=True)
class SpatialCounts:
    """What is counted of a run's maps beside their confusion matrices.

    Attributes:
        isolated_in_map: for each patch, how many labelled pixels are isolated in the predicted map.
        isolated_in_reference: for each patch, how many are isolated in the reference itself.
        by_distance: `(bins, classes, classes) int64`, one confusion matrix of all patches for each
            of `DISTANCE_BINS`; rows reference, columns predicted.
    """

    isolated_in_map: np.ndarray
    isolated_in_reference: np.ndarray
    by_distance: np.ndarray

    @property
    def labelled_pixels(self) -> int:
        """How many pixels the reference labels."""
        return int(self.by_distance.sum())

    @property
    def isolated_share_of_map(self) -> float:
        """Share of the labelled pixels that are isolated in the map, 0 to 1."""
        return float(self.isolated_in_map.sum() / self.labelled_pixels)

    @property
    def isolated_share_of_reference(self) -> float:
        """Share of the labelled pixels that are isolated in the reference, 0 to 1."""
        return float(self.isolated_in_reference.sum() / self.labelled_pixels)


def isolated_pixels(ids: np.ndarray) -> np.ndarray:
    """Find the pixels whose class differs from all eight neighbours: salt and pepper.

    Only neighbours inside the image that have a class are compared. A pixel without any such
    neighbour is not isolated, since nothing is known of its surroundings.

    Args:
        ids: `(height, width)` class ids, 0 for no data.

    Returns:
        `(height, width) bool`; False where there is no data.

    Raises:
        MultiSenGEError: `ids` is not an image.
    """
    if np.ndim(ids) != 2:
        raise MultiSenGEError(
            f"isolated pixels are of one map, (height, width), received shape {np.shape(ids)}"
        )
    height, width = ids.shape
    # With a border of no data, every pixel has all its neighbours inside the array.
    padded = np.pad(ids, 1, constant_values=NO_DATA)
    has_equal = np.zeros(ids.shape, bool)
    has_any = np.zeros(ids.shape, bool)
    for down, right in _NEIGHBOURS:
        neighbour = padded[1 + down : 1 + down + height, 1 + right : 1 + right + width]
        has_equal |= neighbour == ids
        has_any |= neighbour != NO_DATA
    return (ids != NO_DATA) & has_any & ~has_equal


def boundary_distance(reference: np.ndarray) -> np.ndarray:
    """Measure how far each pixel is from the nearest pixel of another class.

    Args:
        reference: `(height, width)` class ids, 0 for no data.

    Returns:
        `(height, width) int64`, in pixels, diagonal steps counted as one: 1 for pixels that touch
        another class. 0 where there is no data, and larger than the image where there is no other
        class. No data is not a class, and what lies beyond the image is not known.
    """
    reference = np.asarray(reference)
    # Farther than any pixel of the image, and in the last bin in an image however small.
    unreachable = max(*reference.shape, _FIRST_DISTANCE[-1])
    distance = np.zeros(reference.shape, np.int64)
    for class_id in np.unique(reference):
        if class_id == NO_DATA:
            continue
        of_class = reference == class_id
        is_other = ~of_class & (reference != NO_DATA)
        if not is_other.any():
            distance[of_class] = unreachable
            continue
        to_other = ndimage.distance_transform_cdt(~is_other, metric="chessboard")
        distance[of_class] = to_other[of_class]
    return distance


def confusion_by_distance(reference: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """Count one patch's pixels by class, apart for each distance to a boundary of the reference.

    Args:
        reference: `(height, width)` ids, 0 for no data.
        predicted: `(height, width)` ids from 1.
        classes: how many classes the typology has.

    Returns:
        `(bins, classes, classes) int64`, one confusion matrix for each of `DISTANCE_BINS`. Their
        sum is the confusion matrix of the patch.
    """
    distance = boundary_distance(reference)
    bin_ends = (*_FIRST_DISTANCE[1:], np.inf)
    matrices = []
    for first, end in zip(_FIRST_DISTANCE, bin_ends, strict=True):
        in_bin = (distance >= first) & (distance < end)
        of_bin = np.where(in_bin, reference, NO_DATA)
        matrices.append(confusion_matrix(of_bin, predicted, classes))
    return np.stack(matrices)


def count_patch(reference: np.ndarray, predicted: np.ndarray, classes: int) -> SpatialCounts:
    """Count isolated pixels and errors by distance to a boundary, of one patch.

    Pixels that the reference does not label are not counted, in the map as in the reference.

    Args:
        reference: `(height, width)` class ids; 0 means no data.
        predicted: `(height, width)` class ids of the map.
        classes: number of classes.
    """
    is_labelled = reference != NO_DATA
    in_map = isolated_pixels(predicted) & is_labelled
    in_reference = isolated_pixels(reference)
    return SpatialCounts(
        isolated_in_map=np.array([in_map.sum()]),
        isolated_in_reference=np.array([in_reference.sum()]),
        by_distance=confusion_by_distance(reference, predicted, classes),
    )


def join_counts(patches: Sequence[SpatialCounts]) -> SpatialCounts:
    """Put the counts of single patches together, in their order."""
    return SpatialCounts(
        isolated_in_map=np.concatenate([patch.isolated_in_map for patch in patches]),
        isolated_in_reference=np.concatenate([patch.isolated_in_reference for patch in patches]),
        by_distance=np.sum([patch.by_distance for patch in patches], axis=0),
    )
