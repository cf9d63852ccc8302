"""Checks of the tables: scores, support, kappa, bold marks, counts.

Tolerances come from the digits printed: nothing is close by taste.
"""

from collections.abc import Iterator
from itertools import product

import numpy as np

from multisenge_lib.audit import bounds
from multisenge_lib.audit.bounds import HALF_UNIT_4DP, Constraints, Margins
from multisenge_lib.audit.evidence import Evidence
from multisenge_lib.audit.finding import Outcome, check, compared, measured, remarked
from multisenge_lib.dataset import TYPOLOGIES
from multisenge_lib.paper import KAPPA_TABLE, METHODS, SCORES, Paper, replication

CLASSES = (6, 10)
#: An infeasibility below this is the linear programs' own imprecision.
LP_TOLERANCE = 1e-7


def merge_matrix(classes: int) -> np.ndarray:
    """Which of the 10 classes each of 6 or 10 holds: `(classes, 10)`, 0 and 1."""
    fine = TYPOLOGIES["10c"].members
    coarse = TYPOLOGIES[f"{classes}c"].members
    merge = np.zeros((len(coarse), len(fine)))
    for i, coarse_ids in enumerate(coarse):
        for j, fine_ids in enumerate(fine):
            merge[i, j] = set(fine_ids) <= set(coarse_ids)
    return merge


def counted_support(evidence: Evidence, classes: int = 10) -> np.ndarray:
    """Shares of the test tile's pixels, as the independent replication counted: `(classes,)`."""
    pixels = evidence.replication.support[classes]
    return pixels / pixels.sum()


def majority_scores(classes: int, pixels: np.ndarray | None = None) -> dict[str, float]:
    """Scores of a map that has the largest class everywhere, by the names of `results.OVERALL`.

    Its recall is 1 in that class and its precision the class's share s, so its F1 is 2 s / (1 + s)
    and its IoU s. Kappa is 0: the map agrees as often as chance does.

    Args:
        classes: 6 (Non-urban) or 10 (Arable lands).
        pixels: pixels of each class; by default as others counted them on the test tile.
    """
    if pixels is None:
        pixels = replication().support[classes]
    share = float(pixels.max() / pixels.sum())
    f1 = 2 * share / (1 + share)
    return {
        "accuracy": share,
        "weighted_precision": share**2,
        "weighted_recall": share,
        "weighted_f1": share * f1,
        "macro_f1": f1 / classes,
        "mean_iou": share / classes,
        "kappa": 0.0,
    }


def model_margins(evidence: Evidence, classes: int) -> list[Margins]:
    """Margins of the four methods' confusion matrices, with the counted support."""
    support = counted_support(evidence, classes)
    return [bounds.margins(table, support) for table in evidence.paper.scores(classes)]


def table_constraints(paper: Paper, classes: int) -> Constraints:
    """What Table 5 or 7 demands of the support in 10 classes."""
    return bounds.score_constraints(
        paper.scores(classes), paper.weighted(classes), merge_matrix(classes)
    )


def both_tables(paper: Paper) -> Constraints:
    """What Tables 5 and 7 demand together, since both are of one test set."""
    return table_constraints(paper, 6).and_also(table_constraints(paper, 10))


def _worst(differences: np.ndarray, tolerances: np.ndarray | float) -> tuple[float, float]:
    """The difference that is largest in units of its tolerance, and that tolerance."""
    differences, tolerances = np.broadcast_arrays(differences, tolerances)
    at = np.unravel_index(np.argmax(np.abs(differences) / tolerances), differences.shape)
    return differences[at], tolerances[at]


# Scores of Tables 5 and 7


def _compared_scores(
    printed: np.ndarray, derived: np.ndarray, tolerances: np.ndarray | float
) -> Outcome:
    """Judge printed scores by the one that differs most, and count those that rounding allows."""
    differences = printed - derived
    fit = (np.abs(differences) <= tolerances).sum()
    worst, tolerance = _worst(differences, tolerances)
    return measured(worst, tolerance, count=printed.size, fit=fit)


@check("f1-table5", classes=6)
@check("f1-table7", classes=10)
def f1(evidence: Evidence, classes: int) -> Outcome:
    precision, recall, printed = np.moveaxis(evidence.paper.scores(classes), -1, 0)
    # F1 grows with both scores, so the ends of their rounding intervals bound it.
    low = bounds.f1(precision - HALF_UNIT_4DP, recall - HALF_UNIT_4DP)
    high = bounds.f1(precision + HALF_UNIT_4DP, recall + HALF_UNIT_4DP)
    return _compared_scores(printed, (low + high) / 2, (high - low) / 2 + HALF_UNIT_4DP)


@check("weighted-table5", classes=6)
@check("weighted-table7", classes=10)
def weighted(evidence: Evidence, classes: int) -> Outcome:
    printed = evidence.paper.weighted(classes)
    support = counted_support(evidence, classes)
    derived = np.einsum("mcs,c->ms", evidence.paper.scores(classes), support)
    # One half unit for the printed average, one for the printed scores that are averaged.
    return _compared_scores(printed, derived, 2 * HALF_UNIT_4DP)


@check("predicted-table5", classes=6)
@check("predicted-table7", classes=10)
def predicted(evidence: Evidence, classes: int) -> Outcome:
    ratios = bounds.ratio_bounds(evidence.paper.scores(classes))
    low, high = np.einsum("mcb,c->bm", ratios, counted_support(evidence, classes))
    middle = (low + high) / 2
    worst, tolerance = _worst(1 - middle, (high - low) / 2)
    return measured(worst, tolerance, sums=middle)


# The support that the tables imply


def _sources(paper: Paper) -> Iterator[tuple[str, Constraints, np.ndarray]]:
    """Table 5, Table 7 and both: part, constraints, and the classes that they tell apart."""
    yield "table5", table_constraints(paper, 6), merge_matrix(6)
    yield "table7", table_constraints(paper, 10), merge_matrix(10)
    yield "both", both_tables(paper), merge_matrix(10)


@check("one-support")
def one_support(evidence: Evidence) -> dict[str, Outcome]:
    outcomes = {}
    for part, constraints, _ in _sources(evidence.paper):
        miss = bounds.infeasibility(constraints)
        fits = "all can hold together" if miss <= LP_TOLERANCE else f"they miss by {miss:.5f}"
        outcomes[part] = measured(miss, LP_TOLERANCE, count=len(constraints.limit), fits=fits)
    return outcomes


@check("counted-support")
def implied_support(evidence: Evidence) -> dict[str, Outcome]:
    outcomes = {}
    for part, constraints, merge in _sources(evidence.paper):
        counted = merge @ counted_support(evidence)
        low, high = bounds.support_bounds(constraints, merge).T
        # NaN where the constraints contradict each other: nothing is inside.
        half_width = np.nan_to_num((high - low) / 2)
        inside = (low <= counted) & (counted <= high)
        ranges = [f"{100 * a:.3g}-{100 * b:.3g}" for a, b in zip(low, high, strict=True)]
        worst, tolerance = _worst(counted - (low + high) / 2, half_width + 1e-12)
        outcomes[part] = measured(
            worst,
            tolerance,
            counted=100 * counted,
            inside=inside.sum(),
            ranges=ranges,
            widest=(half_width / counted).max(),
        )
    return outcomes


@check("one-class")
def one_class(evidence: Evidence) -> dict[str, Outcome]:
    outcomes = {}
    for classes in CLASSES:
        pixels = evidence.replication.support[classes]
        printed = evidence.paper.weighted(classes)[:, 2]
        constant = majority_scores(classes, pixels)
        above = printed - constant["weighted_f1"]
        outcomes[str(classes)] = remarked(
            printed=printed,
            lowest=METHODS[printed.argmin()],
            least=printed.min(),
            ahead=above.max(),
            methods_ahead=(above > HALF_UNIT_4DP).sum(),
            least_macro=evidence.paper.overall(classes)["macro_f1"].min(),
            least_kappa=evidence.paper.kappa(classes).min(),
            name=TYPOLOGIES[f"{classes}c"].names[pixels.argmax()],
            weighted_f1=constant["weighted_f1"],
            macro_f1=constant["macro_f1"],
            accuracy=constant["accuracy"],
        )
    return outcomes


# Kappa of Tables 6 and 8


def kappa_intervals(evidence: Evidence, classes: int, counted: bool = False) -> np.ndarray:
    """Least and greatest Cohen's kappa of each model: `(methods, 2)`.

    Args:
        evidence: what to draw on.
        classes: 6 or 10.
        counted: with the support that others counted, instead of what both tables imply; done
            also where the tables contradict each other.
    """
    constraints = both_tables(evidence.paper)
    if counted or bounds.infeasibility(constraints) > LP_TOLERANCE:
        constraints = bounds.fixed_support(counted_support(evidence))
    return bounds.kappa_bounds(
        evidence.paper.scores(classes),
        evidence.paper.weighted(classes)[:, 1],
        constraints,
        merge_matrix(classes),
    )


@check("kappa-6", classes=6)
@check("kappa-10", classes=10)
def kappa(evidence: Evidence, classes: int) -> dict[str, Outcome]:
    intervals = kappa_intervals(evidence, classes)
    sharper = kappa_intervals(evidence, classes, counted=True)
    outcomes = {}
    for i, printed in enumerate(evidence.paper.kappa(classes)):
        low, high = intervals[i]
        others = []
        # A printed value that lies in another method's interval points to an exchange.
        for j, (other_low, other_high) in enumerate(intervals):
            if j != i and other_low <= printed <= other_high:
                others.append({"method": METHODS[j]})
        outcomes[METHODS[i]] = measured(
            printed - (low + high) / 2,
            (high - low) / 2 + HALF_UNIT_4DP,
            printed=printed,
            low=low,
            high=high,
            sharper=sharper[i],
            each=others,
        )
    return outcomes


# Bold marks


@check("bold-table5", classes=6)
@check("bold-table7", classes=10)
def bold(evidence: Evidence, classes: int) -> Outcome:
    averages = evidence.paper.weighted(classes)[:, None]
    printed = np.append(evidence.paper.scores(classes), averages, axis=1)
    marked = evidence.paper.bold(classes)
    best = printed == printed.max(axis=0)
    row_names = [*(f"class {i}" for i in range(1, classes + 1)), "weighted average"]
    wrong = []
    for method, row, score in np.argwhere(marked != best):
        if marked[method, row, score]:
            look = "bold but not the highest"
        else:
            look = "the highest but not bold"
        wrong.append(
            {
                "score": SCORES[score],
                "method": METHODS[method],
                "row": row_names[row],
                "value": printed[method, row, score],
                "look": look,
            }
        )
    return measured(
        len(wrong), 0.0, each=wrong, marked=marked.sum(), best=best.sum(), wrong=len(wrong)
    )


@check("bold-table6", classes=6)
@check("bold-table8", classes=10)
def bold_kappa(evidence: Evidence, classes: int) -> Outcome:
    # As printed: that two values of Table 8 are exchanged does not touch its bold mark.
    numbers = evidence.paper.table(KAPPA_TABLE[classes])
    marked = [name for name, number in numbers.items() if number.bold]
    best = max(numbers, key=lambda name: numbers[name].value)
    return measured(float(marked != [best]), 0.0, marked=marked, best=best)


# Tables 1, 2 and 4


@check("table1")
def table1(evidence: Evidence) -> Outcome:
    printed = evidence.paper.days_gaps()
    counted = evidence.counts.days_gaps
    derived = [int(counted[gap]) for gap in printed]
    return compared(list(printed.values()), derived)


@check("table2-sum")
def table2_sum(evidence: Evidence) -> Outcome:
    shares = evidence.paper.table("table2").values()
    total = sum(number.value for number in shares)
    tolerance = sum(number.half for number in shares)
    return measured(100 - total, tolerance, total=total)


@check("table4")
def table4(evidence: Evidence) -> Outcome:
    rows = [(name, classes) for name, _, _, classes in evidence.paper.experiments]
    expected = set(product(METHODS, CLASSES))
    repeated = len(rows) - len(set(rows))
    missing_or_unknown = len(set(rows) ^ expected)
    return measured(
        repeated + missing_or_unknown,
        0.0,
        rows=len(rows),
        present=len(set(rows) & expected),
        pairs=len(expected),
    )
