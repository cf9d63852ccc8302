"""Checks of the tables: scores, support, kappa, bold marks, counts.

Tolerances come from the digits printed: nothing is close by taste.
"""

from collections.abc import Iterator

import numpy as np

from multisenge_lib.audit import bounds
from multisenge_lib.audit.bounds import HALF, Constraints, Margins
from multisenge_lib.audit.finding import Evidence, Outcome, check, compared, judged, measured
from multisenge_lib.dataset import TYPOLOGIES
from multisenge_lib.paper import KAPPA_TABLE, METHODS, SCORES, Paper, replication

CLASSES = (6, 10)
#: Precision of the linear programs' solver.
SOLVER = 1e-7


def merge_matrix(classes: int) -> np.ndarray:
    """Which of the 10 classes each of 6 or 10 holds: `(classes, 10)`, 0 and 1."""
    fine, coarse = TYPOLOGIES["10c"], TYPOLOGIES[f"{classes}c"]
    return np.array([[float(set(f) <= set(c)) for f in fine.members] for c in coarse.members])


def counted_support(evidence: Evidence, classes: int = 10) -> np.ndarray:
    """Shares of the test tile's pixels, as the independent replication counted them."""
    pixels = evidence.replication.support[classes]
    return pixels / pixels.sum()


def majority_scores(classes: int, pixels: np.ndarray | None = None) -> dict[str, float]:
    """Scores of a map that has the largest class everywhere, by the names of `results.OVERALL`.

    Its recall is 1 in that class and its precision the class's share s, so its F1 is 2 s / (1 + s).
    Kappa is 0: the map agrees as often as chance does.

    Args:
        classes: 6 (Non-urban) or 10 (Arable lands).
        pixels: of each class; by default as others counted them on the test tile.
    """
    pixels = replication().support[classes] if pixels is None else pixels
    share = float(pixels.max() / pixels.sum())
    f1 = 2 * share / (1 + share)
    weighted = dict(weighted_precision=share**2, weighted_recall=share, weighted_f1=share * f1)
    return {"accuracy": share, **weighted, "macro_f1": f1 / classes, "kappa": 0.0}


def model_margins(evidence: Evidence, classes: int) -> list[Margins]:
    """Margins of the four methods' confusion matrices, with the counted support."""
    support = counted_support(evidence, classes)
    return [bounds.margins(table, support) for table in evidence.paper.scores(classes)]


def table_constraints(paper: Paper, classes: int) -> Constraints:
    """What Table 5 or 7 demands of the support in 10 classes."""
    return bounds.constraints(paper.scores(classes), paper.weighted(classes), merge_matrix(classes))


def both_tables(paper: Paper) -> Constraints:
    """What Tables 5 and 7 demand together, being of one test set."""
    return table_constraints(paper, 6) + table_constraints(paper, 10)


def _worst(difference: np.ndarray, tolerance: np.ndarray | float) -> tuple[float, float]:
    """The difference that is largest measured by its tolerance, and that tolerance."""
    difference, tolerance = np.broadcast_arrays(difference, tolerance)
    at = np.unravel_index(np.argmax(np.abs(difference) / tolerance), difference.shape)
    return difference[at], tolerance[at]


@check("f1-table5", classes=6)
@check("f1-table7", classes=10)
def f1(e: Evidence, classes: int) -> Outcome:
    precision, recall, printed = np.moveaxis(e.paper.scores(classes), -1, 0)
    # F1 grows with both, so their ends bound it.
    low, high = (bounds.f1(precision + d, recall + d) for d in (-HALF, HALF))
    difference, tolerance = printed - (low + high) / 2, (high - low) / 2 + HALF
    fit = (np.abs(difference) <= tolerance).sum()
    return measured(*_worst(difference, tolerance), count=printed.size, fit=fit)


@check("weighted-table5", classes=6)
@check("weighted-table7", classes=10)
def weighted(e: Evidence, classes: int) -> Outcome:
    support, printed = counted_support(e, classes), e.paper.weighted(classes)
    difference = printed - np.einsum("mcs,c->ms", e.paper.scores(classes), support)
    fit = (np.abs(difference) <= 2 * HALF).sum()
    return measured(*_worst(difference, 2 * HALF), count=printed.size, fit=fit)


@check("predicted-table5", classes=6)
@check("predicted-table7", classes=10)
def predicted(e: Evidence, classes: int) -> Outcome:
    ratios = bounds.ratio_bounds(e.paper.scores(classes))
    low, high = np.einsum("mcb,c->bm", ratios, counted_support(e, classes))
    middle = (low + high) / 2
    return measured(*_worst(1 - middle, (high - low) / 2), sums=middle)


def _sources(paper: Paper) -> Iterator[tuple[str, Constraints, np.ndarray]]:
    """Table 5, Table 7 and both: part, constraints, and the classes that they can tell."""
    yield "table5", table_constraints(paper, 6), merge_matrix(6)
    yield "table7", table_constraints(paper, 10), merge_matrix(10)
    yield "both", both_tables(paper), merge_matrix(10)


@check("one-support")
def one_support(e: Evidence) -> dict[str, Outcome]:
    outcomes = {}
    for part, found, _ in _sources(e.paper):
        misfit = bounds.misfit(found)
        fits = "all can hold together" if misfit <= SOLVER else f"they miss by {misfit:.5f}"
        outcomes[part] = measured(misfit, SOLVER, count=len(found.limit), fits=fits)
    return outcomes


@check("counted-support")
def implied_support(e: Evidence) -> dict[str, Outcome]:
    outcomes = {}
    for part, found, merge in _sources(e.paper):
        shares = merge @ counted_support(e)
        low, high = bounds.support_bounds(found, merge).T
        half, inside = np.nan_to_num((high - low) / 2), (low <= shares) & (shares <= high)
        ranges = [f"{100 * a:.3g}-{100 * b:.3g}" for a, b in zip(low, high, strict=True)]
        worst = _worst(shares - (low + high) / 2, half + 1e-12)
        values = dict(inside=inside.sum(), ranges=ranges, widest=(half / shares).max())
        outcomes[part] = measured(*worst, counted=100 * shares, **values)
    return outcomes


@check("one-class")
def one_class(e: Evidence) -> dict[str, Outcome]:
    outcomes = {}
    for classes in CLASSES:
        pixels, printed = e.replication.support[classes], e.paper.weighted(classes)[:, 2]
        one = majority_scores(classes, pixels)
        above = printed - one["weighted_f1"]
        theirs = dict(
            printed=printed,
            lowest=METHODS[printed.argmin()],
            least=printed.min(),
            ahead=above.max(),
            below=(above <= HALF).sum(),
            least_macro=e.paper.scores(classes)[..., 2].mean(axis=1).min(),
            least_kappa=e.paper.kappa(classes).min(),
        )
        one["name"] = TYPOLOGIES[f"{classes}c"].names[pixels.argmax()]
        outcomes[str(classes)] = judged(above.min() > HALF, above.min(), HALF, **theirs, **one)
    return outcomes


def kappa_intervals(evidence: Evidence, classes: int, counted: bool = False) -> np.ndarray:
    """Least and greatest Cohen's kappa of each model: `(methods, 2)`.

    Args:
        evidence: what to draw on.
        classes: 6 or 10.
        counted: with the support that others counted, instead of what both tables imply; so
            too where the tables contradict each other.
    """
    found = both_tables(evidence.paper)
    if counted or bounds.misfit(found) > SOLVER:
        found = bounds.known(counted_support(evidence))
    recalls = evidence.paper.weighted(classes)[:, 1]
    return bounds.kappa_bounds(
        evidence.paper.scores(classes), recalls, found, merge_matrix(classes)
    )


@check("kappa-6", classes=6)
@check("kappa-10", classes=10)
def kappa(e: Evidence, classes: int) -> dict[str, Outcome]:
    intervals, sharper = (kappa_intervals(e, classes, counted) for counted in (False, True))
    outcomes = {}
    for i, printed in enumerate(e.paper.kappa(classes)):
        low, high = intervals[i]
        fit = (intervals[:, 0] <= printed) & (printed <= intervals[:, 1])
        others = [dict(method=METHODS[j]) for j in np.flatnonzero(fit) if j != i]
        values = dict(printed=printed, low=low, high=high, sharper=sharper[i], each=others)
        outcomes[METHODS[i]] = measured(
            printed - (low + high) / 2, (high - low) / 2 + HALF, **values
        )
    return outcomes


@check("bold-table5", classes=6)
@check("bold-table7", classes=10)
def bold(e: Evidence, classes: int) -> Outcome:
    averages = e.paper.weighted(classes)[:, None]
    printed = np.append(e.paper.scores(classes), averages, axis=1)
    marked, best = e.paper.bold(classes), printed == printed.max(axis=0)
    rows = [*(f"class {i}" for i in range(1, classes + 1)), "weighted average"]
    look = {True: "bold but not the highest", False: "the highest but not bold"}
    each = []
    for m, r, s in np.argwhere(marked != best):
        place = dict(score=SCORES[s], method=METHODS[m], row=rows[r])
        each.append(place | dict(value=printed[m, r, s], look=look[marked[m, r, s]]))
    counts = dict(marked=marked.sum(), best=best.sum(), wrong=len(each))
    return measured(len(each), 0.0, each=each, **counts)


@check("bold-table6", classes=6)
@check("bold-table8", classes=10)
def bold_kappa(e: Evidence, classes: int) -> Outcome:
    numbers = e.paper.table(KAPPA_TABLE[classes])
    marked = [name for name, number in numbers.items() if number.bold]
    best = max(numbers, key=lambda name: numbers[name].value)
    return measured(float(marked != [best]), 0.0, marked=marked, best=best)


@check("table1")
def table1(e: Evidence) -> Outcome:
    printed = e.paper.days_gaps()
    derived = [int(e.census.days_gaps[gap]) for gap in printed]
    return compared([*printed.values()], derived)


@check("table2-sum")
def table2_sum(e: Evidence) -> Outcome:
    shares = e.paper.table("table2").values()
    total = sum(n.value for n in shares)
    return measured(100 - total, sum(n.half for n in shares), total=total)


@check("table4")
def table4(e: Evidence) -> Outcome:
    rows = [(name, classes) for name, _, _, classes in e.paper.experiments]
    expected = {(method, classes) for method in METHODS for classes in CLASSES}
    wrong = len(rows) - len(set(rows)) + len(set(rows) ^ expected)
    pairs, there = len(expected), len(set(rows) & expected)
    return measured(wrong, 0.0, rows=len(rows), there=there, pairs=pairs)


@check("replication-matrix")
def replication_matrix(e: Evidence) -> Outcome:
    found = e.replication
    run = next(r for r in found.runs if (r.model, r.classes) == (found.confusion_model, 6))
    derived = bounds.matrix_margins(found.confusion)
    recall, precision = derived.hit / derived.reference, derived.hit / derived.predicted
    weighted_f1 = derived.reference @ bounds.f1(precision, recall)
    printed = [run.kappa, run.weighted_f1, run.accuracy]
    again = [derived.kappa, weighted_f1, derived.hit.sum()]
    pixels = found.confusion.sum(axis=1) - found.support[6]
    worst = max([*np.subtract(printed, again), *pixels], key=abs)
    return measured(worst, 1e-6, printed=printed, again=again, model=run.model, source=found.source)
