"""Weighted categorical cross-entropy (section 3.4)."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from keras import ops


def inverse_frequency(counts: np.ndarray) -> np.ndarray:
    """Compute class weights proportional to the inverse of each class's frequency (section 3.4).

    The paper leaves their scale open; here the mean weight of a pixel is 1, so that the loss
    stays comparable with the unweighted one. A class that does not occur weighs 0.

    Args:
        counts: `(classes,)` pixels of each class, at least one in all.

    Returns:
        `(classes,) float64`.
    """
    weights = np.zeros(len(counts))
    present = counts > 0
    # Weighted by these, each class that occurs has the same total influence.
    weights[present] = counts.sum() / (present.sum() * counts[present])
    return weights


def weighted_loss(weights: Sequence[float]) -> Callable[[Any, Any], Any]:
    """Build the weighted cross-entropy of logits and integer ids, without a one-hot reference.

    Keras takes the mean over all pixels of a batch, and pixels without data count as 0 in it. So
    every labelled pixel has the same influence, in whichever batch and on whichever device it is.

    Args:
        weights: one weight per class, in order of id from 1.

    Returns:
        A function of the reference `(batch, height, width)`, ids 0 to classes, and logits
        `(batch, height, width, classes)`, to the loss of each pixel `(batch, height, width)`.
    """
    # Id 0 is no data: its weight is 0, whatever the network says there.
    weight_of_id = np.concatenate([[0], weights]).astype(np.float32)

    def weighted_cross_entropy(reference: Any, logits: Any) -> Any:
        ids = ops.cast(reference, "int32")
        # Channel k is the class with id k + 1. No data takes any channel, since it weighs 0.
        channels = ops.maximum(ids - 1, 0)
        losses = ops.sparse_categorical_crossentropy(channels, logits, from_logits=True)
        return ops.take(ops.convert_to_tensor(weight_of_id), ids) * losses

    return weighted_cross_entropy
