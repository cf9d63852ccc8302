"""Confusion matrix and all scores of a test split's maps, here and by scikit-learn."""

from functools import partial

import numpy as np
from common import Skipped, compared

from multisenge_lib.results.metrics import confusion_matrix, scores

CLASSES = 10


def maps(patches, size=256):
    """Reference and prediction `(patches, size, size) uint8`; seven pixels in ten agree."""
    rng = np.random.default_rng(1)
    reference = rng.integers(1, CLASSES + 1, (patches, size, size), dtype=np.uint8)
    other = rng.integers(1, CLASSES + 1, reference.shape, dtype=np.uint8)
    return reference, np.where(rng.random(reference.shape) < 0.7, reference, other)


def ours(reference, predicted):
    pairs = zip(reference, predicted, strict=True)
    confusion = sum(confusion_matrix(mine, other, CLASSES) for mine, other in pairs)
    return confusion, scores(confusion)


def theirs(reference, predicted):
    from sklearn import metrics

    pixels = reference.ravel(), predicted.ravel()
    by_class = metrics.precision_recall_fscore_support(*pixels)
    metrics.precision_recall_fscore_support(*pixels, average="weighted")
    metrics.jaccard_score(*pixels, average=None)
    metrics.accuracy_score(*pixels)
    return metrics.confusion_matrix(*pixels), by_class[2], metrics.cohen_kappa_score(*pixels)


def measure(quick, rounds):
    try:
        import sklearn  # noqa: F401
    except ImportError:
        raise Skipped("scikit-learn is not installed, so there is no peer") from None
    patches = 2 if quick else 610
    given = maps(patches)
    one = [part[:1] for part in given]
    (confusion, found), (matrix, f1, kappa) = ours(*one), theirs(*one)
    if (confusion != matrix).any() or not np.allclose([*found["f1"], found["kappa"]], [*f1, kappa]):
        raise RuntimeError("the two give different scores: there is nothing to compare")
    calls = partial(ours, *given), partial(theirs, *given)
    words = f"confusion matrix and scores, {patches} patches"
    few = min(rounds, 2)  # more than a minute each
    return {
        "rows": [compared(words, calls[0], "scikit-learn", calls[1], few, False, target_ratio=20)]
    }
