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

#: One score a matrix.
OVERALL = (
    "accuracy",
    "weighted_precision",
    "weighted_recall",
    "weighted_f1",
    "macro_f1",
    "kappa",
)


def _check_ids(ids: np.ndarray, what: str, classes: int) -> None:
    if not np.issubdtype(ids.dtype, np.integer):
        raise MultiSenGEError(
            f"{what} ids are {ids.dtype}: class ids are integers, 0 to {classes}; round or cast"
        )
    if ids.size and not (ids.min() >= 0 and ids.max() <= classes):
        strange = sorted(set(np.unique(ids).tolist()) - set(range(classes + 1)))
        raise MultiSenGEError(
            f"{what} ids {strange} are not in the typology: it has 1 to {classes}, and 0 for no "
            "data; regroup with typology.reclassify, or give the number of classes it has"
        )


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
    reference, predicted = np.asarray(reference), np.asarray(predicted)
    if reference.shape != predicted.shape:
        raise MultiSenGEError(
            f"the reference is {reference.shape} and the prediction {predicted.shape}: "
            "both must show the same pixels"
        )
    _check_ids(reference, "reference", classes)
    _check_ids(predicted, "predicted", classes)
    pairs = reference.astype(np.intp) * (classes + 1) + predicted
    counts = np.bincount(pairs.ravel(), minlength=(classes + 1) ** 2).astype(np.int64)
    table = counts.reshape(classes + 1, classes + 1)
    if table[1:, 0].any():
        raise MultiSenGEError(
            f"{table[1:, 0].sum()} pixels have a reference and the predicted id 0: "
            "a map has an id from 1 up for each pixel; add 1 to argmax"
        )
    return table[1:, 1:]


def _check_confusion(confusion: np.ndarray) -> np.ndarray:
    confusion = np.asarray(confusion)
    if confusion.ndim != 2 or confusion.shape[0] != confusion.shape[1] or (confusion < 0).any():
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
    """Eq. 5 to 7 and intersection over union: `(classes,) float64`, 0 where 0/0."""
    hits, support, claimed = np.diag(confusion), confusion.sum(1), confusion.sum(0)
    parts = {
        "precision": (hits, claimed),
        "recall": (hits, support),
        "f1": (2 * hits, support + claimed),
        "iou": (hits, support + claimed - hits),
    }
    return {
        name: np.divide(above, below, out=np.zeros_like(hits), where=below > 0)
        for name, (above, below) in parts.items()
    }


def _kappa(confusion: np.ndarray) -> float | None:
    """Eq. 8; None where chance alone agrees on every pixel, so that it is 0/0."""
    pixels, chance = confusion.sum(), confusion.sum(1) @ confusion.sum(0)
    above, below = pixels * np.trace(confusion) - chance, pixels**2 - chance
    return float(above / below) if below > 0 else None


def scores(confusion: np.ndarray) -> dict[str, Any]:
    """All scores of a confusion matrix, as JSON takes them.

    Args:
        confusion: `(classes, classes)` counts, rows reference, columns predicted.

    Returns:
        `precision recall f1 iou`: one number a class, 0 to 1, None for a class absent from the
        reference. `support`: reference pixels a class. `accuracy weighted_precision
        weighted_recall weighted_f1 macro_f1 kappa`: numbers; weights are the support (section
        3.5), the macro mean is over the classes that are there, and kappa is None where a single
        class is all that both hold.

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
    support, by_class = confusion.sum(1), _per_class(confusion)
    there = support > 0
    weighted = {name: float(values @ support / support.sum()) for name, values in by_class.items()}
    return {
        **{name: np.where(there, values, None).tolist() for name, values in by_class.items()},
        "support": support.astype(np.int64).tolist(),
        "accuracy": weighted["recall"],
        "weighted_precision": weighted["precision"],
        "weighted_recall": weighted["recall"],
        "weighted_f1": weighted["f1"],
        "macro_f1": float(by_class["f1"][there].mean()),
        "kappa": _kappa(confusion),
    }


def majority(confusion: np.ndarray) -> dict[str, Any]:
    """The scores of a map that shows the commonest class everywhere: what to beat.

    Args:
        confusion: `(classes, classes)`, rows reference; only its row sums are used.
    """
    support = np.sum(confusion, axis=1)
    constant = np.zeros(np.shape(confusion), np.int64)
    constant[:, support.argmax()] = support
    return scores(constant)


def _draws(confusions: np.ndarray, repeats: int, seed: int) -> np.ndarray:
    """How often each patch is taken when patches are drawn with replacement, a row a draw.

    The sum over a draw's patches is then one product. Draws of patches without reference alone
    are left out.
    """
    rng, patches = np.random.Generator(np.random.PCG64(seed)), len(confusions)
    draws = rng.multinomial(patches, np.full(patches, 1 / patches), size=repeats)
    return draws[draws[:, confusions.any(axis=(1, 2))].any(axis=1)]


def bootstrap(
    confusions: np.ndarray,
    names: Iterable[str] = ("weighted_f1", "macro_f1", "kappa"),
    repeats: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> dict[str, tuple[float, float] | None]:
    """Percentile intervals of scores, by drawing patches with replacement.

    They say how far a score depends on which patches of the test zone were there; not how far on
    the training's seed. Neighbouring patches resemble each other, so the intervals are narrow
    rather than wide.

    Args:
        confusions: `(patches, classes, classes)` counts, one matrix a patch.
        names: of `OVERALL`.
        repeats: how many draws.
        level: share of the draws inside the interval.
        seed: of the draws.

    Returns:
        Lower and upper end of each score; None where it is undefined in every draw.

    Raises:
        MultiSenGEError: an unknown score, or no stack of matrices.
    """
    names, confusions = tuple(names), np.asarray(confusions)
    if unknown := sorted(set(names) - set(OVERALL)):
        raise MultiSenGEError(f"no interval for {unknown}: choose among {', '.join(OVERALL)}")
    if confusions.ndim != 3 or not len(confusions):
        raise MultiSenGEError(
            f"bootstrap needs one confusion matrix a patch, (patches, classes, classes), received "
            f"shape {confusions.shape}: stack them instead of adding them"
        )
    sums = np.tensordot(_draws(confusions, repeats, seed), confusions, axes=1)
    drawn = [scores(total) for total in sums]
    values = {name: [s[name] for s in drawn if s[name] is not None] for name in names}
    ends = 50 * (1 - level), 50 * (1 + level)
    return {n: tuple(np.percentile(v, ends).tolist()) if v else None for n, v in values.items()}


def difference_interval(
    ours: Sequence[np.ndarray],
    theirs: Sequence[np.ndarray],
    score: Callable[[np.ndarray], float],
    repeats: int = 1000,
    level: float = 0.95,
) -> tuple[float, float]:
    """Percentile interval of the difference of two networks' mean scores, by drawing patches.

    Both networks are scored on the same draw, so what makes a patch hard for both cancels.

    Args:
        ours: of each run, `(patches, classes, classes)` counts.
        theirs: of the other network's runs, on the same patches in the same order.
        score: of a confusion matrix.
        repeats: how many draws.
        level: share of the draws inside the interval.
    """
    draws = _draws(ours[0], repeats, 0)

    def means(runs: Sequence[np.ndarray]) -> np.ndarray:
        sums = [np.tensordot(draws, confusions, axes=1) for confusions in runs]
        return np.mean([[score(total) for total in run] for run in sums], axis=0)

    ends = 50 * (1 - level), 50 * (1 + level)
    return tuple(np.percentile(means(ours) - means(theirs), ends).tolist())
