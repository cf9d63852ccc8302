"""From confusion matrices to the scores of section 3.5, by NumPy alone.

Rows are the reference, columns the prediction. A class that the reference does not hold is absent:
its scores are None (null in JSON), not 0 and not NaN, and means over classes leave it out. A class
that is there and never predicted has precision 0, the convention of scikit-learn's
`zero_division=0`.
"""

from typing import Any

import numpy as np

from multisenge_lib.errors import MultiSenGEError

#: The scores with one number per class.
PER_CLASS = ("precision", "recall", "f1", "iou")
#: The scores with one number per confusion matrix.
OVERALL = (
    "accuracy",
    "weighted_precision",
    "weighted_recall",
    "weighted_f1",
    "macro_f1",
    "mean_iou",
    "kappa",
)
#: The scores that are unweighted means over the classes, and of which score of a class.
_UNWEIGHTED_MEANS = {"macro_f1": "f1", "mean_iou": "iou"}


# --- From maps to a confusion matrix ---


def confusion_matrix(reference: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """Count pixels by reference and predicted class; add matrices to join patches.

    Args:
        reference: any shape, integer ids 1 to `classes`; pixels of 0 are not counted.
        predicted: the same shape, ids 1 to `classes` wherever the reference has one.
        classes: how many classes the typology has.

    Returns:
        `(classes, classes) int64`, rows reference, columns predicted, in order of id.

    Raises:
        MultiSenGEError: shapes differ, or ids are no integers, out of range, or predicted 0.
    """
    reference = np.asarray(reference)
    predicted = np.asarray(predicted)
    if reference.shape != predicted.shape:
        raise MultiSenGEError(
            f"the reference is {reference.shape} and the prediction {predicted.shape}: "
            "both must show the same pixels"
        )
    _check_ids(reference, "reference", classes)
    _check_ids(predicted, "predicted", classes)

    # Each pair of ids, 0 among them, becomes one number, and one pass counts these numbers.
    ids = classes + 1
    pairs = reference.astype(np.intp) * ids + predicted.astype(np.intp)
    counts = np.bincount(pairs.ravel(), minlength=ids**2).astype(np.int64)
    table = counts.reshape(ids, ids)

    unpredicted = table[1:, 0].sum()
    if unpredicted:
        raise MultiSenGEError(
            f"{unpredicted} pixels have a reference and the predicted id 0: "
            "a map has an id from 1 up for each pixel; add 1 to argmax"
        )
    # Without row 0: pixels that the reference does not label are not counted.
    return table[1:, 1:]


def _check_ids(ids: np.ndarray, what: str, classes: int) -> None:
    """Refuse ids that are not integers from 0 to the number of classes."""
    if not np.issubdtype(ids.dtype, np.integer):
        raise MultiSenGEError(
            f"{what} ids are {ids.dtype}: class ids are integers, 0 to {classes}; round or cast"
        )
    if ids.size == 0:
        return
    if ids.min() < 0 or ids.max() > classes:
        strange = sorted(set(np.unique(ids).tolist()) - set(range(classes + 1)))
        raise MultiSenGEError(
            f"{what} ids {strange} are not in the typology: it has 1 to {classes}, and 0 for no "
            "data; regroup with typology.reclassify, or give the number of classes it has"
        )


# --- From a confusion matrix to scores ---


def scores(confusion: np.ndarray) -> dict[str, Any]:
    """Compute all scores of a confusion matrix, as JSON takes them.

    Args:
        confusion: `(classes, classes)` counts, rows reference, columns predicted.

    Returns:
        `precision recall f1 iou`: one number per class, 0 to 1, None for a class absent from the
        reference. `support`: reference pixels per class. `accuracy weighted_precision
        weighted_recall weighted_f1 macro_f1 mean_iou kappa`: numbers; weights are the support
        (section 3.5), macro F1 and mean IoU are means over the classes that the reference has, and
        kappa is None if reference and map hold only the same single class.

    Raises:
        MultiSenGEError: not a square matrix of counts, or empty.

    Examples:
        >>> import numpy as np
        >>> import multisenge_lib as ms
        >>> confusion = np.array([[8, 2], [1, 9]])  # rows are the reference
        >>> ms.scores(confusion)["accuracy"]
        0.85
        >>> round(ms.scores(confusion)["macro_f1"], 3)
        0.85
    """
    confusion = _check_confusion(confusion)
    result: dict[str, Any] = {}
    for name in PER_CLASS:
        values = score_many(confusion, name)
        result[name] = [None if np.isnan(value) else float(value) for value in values]
    result["support"] = confusion.sum(axis=1).astype(np.int64).tolist()
    for name in OVERALL:
        value = float(score_many(confusion, name))
        result[name] = None if np.isnan(value) else value
    return result


def _check_confusion(confusion: np.ndarray) -> np.ndarray:
    """Return a confusion matrix as float64; refuse anything else."""
    confusion = np.asarray(confusion)
    if not np.issubdtype(confusion.dtype, np.number) or not np.isfinite(confusion).all():
        raise MultiSenGEError(
            "a confusion matrix counts pixels, and this one holds something else than finite "
            "numbers: make it with confusion_matrix of multisenge_lib.results"
        )
    is_square = confusion.ndim == 2 and confusion.shape[0] == confusion.shape[1]
    if not is_square or (confusion < 0).any():
        raise MultiSenGEError(
            f"a confusion matrix is square and counts pixels, received shape {confusion.shape} "
            f"and least value {confusion.min(initial=0)}: make it with confusion_matrix "
            "of multisenge_lib.results"
        )
    if not confusion.any():
        raise MultiSenGEError(
            "the confusion matrix counts no pixel, so no score is defined: "
            "is the reference all no data?"
        )
    return confusion.astype(np.float64)


def score_many(confusions: np.ndarray, name: str) -> np.ndarray:
    """Compute one score of many confusion matrices at once, as `scores` does for one.

    Args:
        confusions: `(..., classes, classes)` counts, rows reference.
        name: one of `PER_CLASS` or `OVERALL`.

    Returns:
        `(...) float64`, or `(..., classes)` for a score per class; NaN where `scores` has None, and
        of a matrix that counts no pixel.
    """
    if name not in (*PER_CLASS, *OVERALL):
        raise MultiSenGEError(
            f"there is no score {name!r}: give one of {', '.join((*PER_CLASS, *OVERALL))}"
        )
    confusions = np.asarray(confusions, np.float64)
    hits = np.diagonal(confusions, axis1=-2, axis2=-1)
    support = confusions.sum(axis=-1)
    predicted = confusions.sum(axis=-2)
    pixels = support.sum(axis=-1)
    if name == "kappa":
        # Eq. 8 with numerator and denominator multiplied by pixels**2, so that 0/0, where chance
        # alone agrees on every pixel, is met exactly. It is no mean over classes: an absent class
        # adds 0 to both sums.
        agreement = pixels * hits.sum(axis=-1)
        chance = (support * predicted).sum(axis=-1)
        return _ratio_or_nan(agreement - chance, pixels**2 - chance)
    if name == "accuracy":
        # It equals recall weighted by support: the share of pixels that are right.
        return _ratio_or_nan(hits.sum(axis=-1), pixels)

    present = support > 0
    if name in PER_CLASS:
        return np.where(present, _score_of_classes(name, hits, support, predicted), np.nan)
    if name.startswith("weighted_"):
        averaged = name.removeprefix("weighted_")
        values = _score_of_classes(averaged, hits, support, predicted)
        return _ratio_or_nan((values * support).sum(axis=-1), pixels)
    values = _score_of_classes(_UNWEIGHTED_MEANS[name], hits, support, predicted)
    total = np.where(present, values, 0).sum(axis=-1)
    return _ratio_or_nan(total, present.sum(axis=-1).astype(np.float64))


def _score_of_classes(
    name: str, hits: np.ndarray, support: np.ndarray, predicted: np.ndarray
) -> np.ndarray:
    """Compute one of `PER_CLASS`; 0 for a class that is neither there nor predicted."""
    if name == "precision":
        return _ratio(hits, predicted)
    if name == "recall":
        return _ratio(hits, support)
    if name == "f1":
        return _ratio(2 * hits, support + predicted)
    return _ratio(hits, support + predicted - hits)


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0)


def _ratio_or_nan(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    return np.divide(above, below, out=np.full(np.shape(above), np.nan), where=below > 0)


def majority_baseline_scores(confusion: np.ndarray) -> dict[str, Any]:
    """Compute the scores of a map that shows the commonest class everywhere, a baseline.

    Args:
        confusion: `(classes, classes)`, rows reference; only its row sums are used.
    """
    support = np.sum(confusion, axis=1)
    constant = np.zeros(np.shape(confusion), np.int64)
    constant[:, support.argmax()] = support
    return scores(constant)
