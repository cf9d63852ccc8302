"""From confusion matrices to the scores of section 3.5, by NumPy alone.

Rows are the reference, columns the prediction. A class that the reference does not hold is absent:
its scores are None (null in JSON), not 0 and not NaN, and means over classes leave it out. A class
that is there and never predicted has precision 0, the convention of scikit-learn's
`zero_division=0`.
"""

from collections.abc import Callable, Iterable, Sequence
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
    pairs = reference.astype(np.intp) * ids + predicted
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
        (section 3.5), macro F1 and mean IoU are means over the classes that the reference has,
        and kappa is None where a single class is all that both hold.

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
    support = confusion.sum(axis=1)
    present = support > 0
    per_class = _per_class(confusion)

    result: dict[str, Any] = {}
    for name in PER_CLASS:
        result[name] = np.where(present, per_class[name], None).tolist()
    result["support"] = support.astype(np.int64).tolist()

    def weighted_mean(name: str) -> float:
        return float(per_class[name] @ support / support.sum())

    # Recall weighted by support is the share of pixels that are right: the accuracy.
    result["accuracy"] = weighted_mean("recall")
    result["weighted_precision"] = weighted_mean("precision")
    result["weighted_recall"] = weighted_mean("recall")
    result["weighted_f1"] = weighted_mean("f1")
    result["macro_f1"] = float(per_class["f1"][present].mean())
    result["mean_iou"] = float(per_class["iou"][present].mean())
    result["kappa"] = _kappa(confusion)
    return result


def _check_confusion(confusion: np.ndarray) -> np.ndarray:
    """Return a confusion matrix as float64, or refuse what is none."""
    confusion = np.asarray(confusion)
    is_square = confusion.ndim == 2 and confusion.shape[0] == confusion.shape[1]
    if not is_square or (confusion < 0).any():
        raise MultiSenGEError(
            f"a confusion matrix is square and counts pixels, received shape {confusion.shape} "
            f"and least value {confusion.min(initial=0)}: make it with confusion_matrix"
        )
    if not confusion.any():
        raise MultiSenGEError(
            "the confusion matrix counts no pixel, so no score is defined: "
            "is the reference all no data?"
        )
    return confusion.astype(np.float64)


def _per_class(confusion: np.ndarray) -> dict[str, np.ndarray]:
    """Compute Eq. 5 to 7 and intersection over union: `(classes,) float64`, 0 where 0/0."""
    hits = np.diag(confusion)
    support = confusion.sum(axis=1)
    predicted = confusion.sum(axis=0)
    union = support + predicted - hits
    return {
        "precision": _ratio(hits, predicted),
        "recall": _ratio(hits, support),
        "f1": _ratio(2 * hits, support + predicted),
        "iou": _ratio(hits, union),
    }


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0)


def _kappa(confusion: np.ndarray) -> float | None:
    """Compute Eq. 8; None where chance alone agrees on every pixel, so that it is 0/0.

    Both sides of the fraction are multiplied by pixels**2, so that they stay whole numbers.
    """
    pixels = confusion.sum()
    agreement = pixels * np.trace(confusion)
    chance = confusion.sum(axis=1) @ confusion.sum(axis=0)
    if pixels**2 <= chance:
        return None
    return float((agreement - chance) / (pixels**2 - chance))


def majority(confusion: np.ndarray) -> dict[str, Any]:
    """Compute the scores of a map that shows the commonest class everywhere: what to beat.

    Args:
        confusion: `(classes, classes)`, rows reference; only its row sums are used.
    """
    support = np.sum(confusion, axis=1)
    constant = np.zeros(np.shape(confusion), np.int64)
    constant[:, support.argmax()] = support
    return scores(constant)


# --- How far scores depend on the test patches ---


def bootstrap(
    confusions: np.ndarray,
    names: Iterable[str] = ("weighted_f1", "macro_f1", "kappa"),
    repeats: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> dict[str, tuple[float, float] | None]:
    """Compute percentile intervals of scores, by drawing patches with replacement.

    They say how far a score depends on which patches of the test zone were there; not how far on
    the training's seed. Neighbouring patches resemble each other, so the intervals are narrow
    rather than wide.

    Args:
        confusions: `(patches, classes, classes)` counts, one matrix per patch.
        names: of `OVERALL`.
        repeats: how many draws.
        level: share of the draws inside the interval.
        seed: of the draws.

    Returns:
        Lower and upper end of each score; None where it is undefined in every draw.

    Raises:
        MultiSenGEError: an unknown score, or no stack of matrices.
    """
    names = tuple(names)
    confusions = np.asarray(confusions)
    unknown = sorted(set(names) - set(OVERALL))
    if unknown:
        raise MultiSenGEError(f"no interval for {unknown}: choose among {', '.join(OVERALL)}")
    if confusions.ndim != 3 or not len(confusions):
        raise MultiSenGEError(
            f"bootstrap needs one confusion matrix per patch, (patches, classes, classes), "
            f"received shape {confusions.shape}: stack them instead of adding them"
        )

    draws = _draw_patches(confusions, repeats, seed)
    drawn_scores = [scores(total) for total in _totals(draws, confusions)]
    intervals = {}
    for name in names:
        values = [drawn[name] for drawn in drawn_scores if drawn[name] is not None]
        intervals[name] = _percentile_interval(values, level) if values else None
    return intervals


def difference_interval(
    ours: Sequence[np.ndarray],
    theirs: Sequence[np.ndarray],
    score: Callable[[np.ndarray], float],
    repeats: int = 1000,
    level: float = 0.95,
) -> tuple[float, float]:
    """Compute the percentile interval of the difference of two networks' mean scores.

    Both networks are scored on the same draws of patches, so what makes a patch hard for both
    cancels.

    Args:
        ours: of each run, `(patches, classes, classes)` counts.
        theirs: of the other network's runs, on the same patches in the same order.
        score: of a confusion matrix.
        repeats: how many draws.
        level: share of the draws inside the interval.
    """
    draws = _draw_patches(ours[0], repeats, seed=0)

    def mean_scores(runs: Sequence[np.ndarray]) -> np.ndarray:
        by_run = []
        for confusions in runs:
            by_run.append([score(total) for total in _totals(draws, confusions)])
        return np.mean(by_run, axis=0)

    return _percentile_interval(mean_scores(ours) - mean_scores(theirs), level)


def _draw_patches(confusions: np.ndarray, repeats: int, seed: int) -> np.ndarray:
    """Draw patches with replacement, and count how often each is taken: `(draws, patches)`.

    Draws that hold only patches without reference are left out, since they have no score.
    """
    patches = len(confusions)
    rng = np.random.Generator(np.random.PCG64(seed))
    draws = rng.multinomial(patches, np.full(patches, 1 / patches), size=repeats)
    has_reference = confusions.any(axis=(1, 2))
    is_scored = draws[:, has_reference].any(axis=1)
    return draws[is_scored]


def _totals(draws: np.ndarray, confusions: np.ndarray) -> np.ndarray:
    """Add up the matrices of each draw, as one product: `(draws, classes, classes)`."""
    return np.tensordot(draws, confusions, axes=1)


def _percentile_interval(values: Sequence[float], level: float) -> tuple[float, float]:
    """Return the ends between which the middle share of the values lies."""
    low, high = np.percentile(values, [50 * (1 - level), 50 * (1 + level)])
    return float(low), float(high)
