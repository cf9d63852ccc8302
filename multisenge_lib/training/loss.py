"""Weighted categorical cross-entropy (section 3.4)."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from keras import ops


def inverse_frequency(counts: np.ndarray) -> np.ndarray:
    """Class weights (section 3.4), proportional to the inverse of the class's frequency.

    The paper leaves their scale open; here the mean weight of a pixel is 1, so that the loss
    stays comparable with the unweighted one. A class that does not occur weighs 0.

    Args:
        counts: `(classes,)` pixels of each class, at least one in all.

    Returns:
        `(classes,) float64`.
    """
    present = counts > 0
    weights = np.zeros(len(counts))
    weights[present] = counts.sum() / (present.sum() * counts[present])
    return weights


def weighted_loss(weights: Sequence[float]) -> Callable[[Any, Any], Any]:
    """Weighted categorical cross-entropy of logits and integer ids, without one-hot.

    Keras takes the mean over all pixels of a batch, those of id 0 counting 0: so every labelled
    pixel has the same influence, in whichever batch and on whichever device it is.

    Args:
        weights: of each class, in order of id from 1.

    Returns:
        A function of the reference `(batch, height, width)`, ids 0 to classes, and logits
        `(batch, height, width, classes)`, to the loss of each pixel `(batch, height, width)`.
    """
    table = np.concatenate([[0], weights]).astype(np.float32)

    def weighted_cross_entropy(reference: Any, logits: Any) -> Any:
        ids = ops.cast(reference, "int32")
        channel = ops.maximum(ids - 1, 0)
        each = ops.sparse_categorical_crossentropy(channel, logits, from_logits=True)
        return ops.take(ops.convert_to_tensor(table), ids) * each

    return weighted_cross_entropy
