"""Confusion matrix and all scores of a test split's maps, here and by scikit-learn."""

import importlib.util
from functools import partial
from typing import Any

import numpy as np
from common import Skipped, compared

from multisenge_lib.results.metrics import confusion_matrix, scores

CLASSES = 10
#: Of the real test split.
PATCHES = 610
#: Share of the pixels at which prediction and reference agree.
AGREEMENT = 0.7


def random_maps(patches: int, size: int = 256) -> tuple[np.ndarray, np.ndarray]:
    """Draw reference and prediction, `(patches, size, size) uint8` each."""
    rng = np.random.default_rng(1)
    reference = rng.integers(1, CLASSES + 1, (patches, size, size), dtype=np.uint8)
    other = rng.integers(1, CLASSES + 1, reference.shape, dtype=np.uint8)
    agrees = rng.random(reference.shape) < AGREEMENT
    return reference, np.where(agrees, reference, other)


def our_scores(reference: np.ndarray, predicted: np.ndarray) -> tuple[np.ndarray, dict[str, Any]]:
    """Return confusion matrix and scores, patch by patch as evaluation does."""
    confusion = np.zeros((CLASSES, CLASSES), np.int64)
    for patch_reference, patch_predicted in zip(reference, predicted, strict=True):
        confusion += confusion_matrix(patch_reference, patch_predicted, CLASSES)
    return confusion, scores(confusion)


def scikit_learn_scores(
    reference: np.ndarray, predicted: np.ndarray
) -> tuple[np.ndarray, np.ndarray, float]:
    """Return the confusion matrix, F1 of each class and kappa; compute the other scores too."""
    from sklearn import metrics

    pixels = reference.ravel(), predicted.ravel()
    _, _, f1, _ = metrics.precision_recall_fscore_support(*pixels)
    metrics.precision_recall_fscore_support(*pixels, average="weighted")
    metrics.jaccard_score(*pixels, average=None)
    metrics.accuracy_score(*pixels)
    return metrics.confusion_matrix(*pixels), f1, metrics.cohen_kappa_score(*pixels)


def check_equal(reference: np.ndarray, predicted: np.ndarray) -> None:
    """Refuse to compare what gives different scores.

    Raises:
        RuntimeError: they differ.
    """
    our_confusion, ours = our_scores(reference, predicted)
    confusion, f1, kappa = scikit_learn_scores(reference, predicted)
    same_counts = (our_confusion == confusion).all()
    same_scores = np.allclose(ours["f1"], f1) and np.isclose(ours["kappa"], kappa)
    if not same_counts or not same_scores:
        raise RuntimeError("the two give different scores: there is nothing to compare")


def measure(quick: bool, rounds: int) -> dict[str, list]:
    """Compare both.

    Raises:
        Skipped: scikit-learn is not installed.
    """
    if importlib.util.find_spec("sklearn") is None:
        raise Skipped("scikit-learn is not installed, so there is no peer")
    patches = 2 if quick else PATCHES
    reference, predicted = random_maps(patches)
    check_equal(reference[:1], predicted[:1])
    row = compared(
        f"confusion matrix and scores, {patches} patches",
        partial(our_scores, reference, predicted),
        "scikit-learn",
        partial(scikit_learn_scores, reference, predicted),
        min(rounds, 2),  # scikit-learn takes more than a minute each time
        warm=False,
        target_ratio=20,
    )
    return {"rows": [row]}
