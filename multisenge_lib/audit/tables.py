"""Checks of the tables: scores, support, kappa, bold marks, counts.

Tolerances come from the digits printed: nothing is close by taste.
"""

from collections.abc import Iterator

import numpy as np

from multisenge_lib.audit import bounds as margins
from multisenge_lib.audit.bounds import HALF, Constraints
from multisenge_lib.audit.finding import (
    DATASET,
    KAPPA,
    METHOD,
    OUTSIDE,
    SCORES,
    SHARES,
    SUPPORT,
    Evidence,
    Finding,
    verdict,
)
from multisenge_lib.dataset import TYPOLOGIES
from multisenge_lib.paper import KAPPA_TABLE, METHODS, SCORE_TABLE, Paper, replication
from multisenge_lib.paper import SCORES as SCORE_NAMES

CLASSES = (6, 10)
#: Precision of the linear programs' solver.
SOLVER = 1e-7


def merge_matrix(classes: int) -> np.ndarray:
    """Which of the 10 classes each of 6 or 10 holds: `(classes, 10)`, 0 and 1."""
    fine, coarse = TYPOLOGIES[10], TYPOLOGIES[classes]
    return np.array([[float(set(f) <= set(c)) for f in fine.members] for c in coarse.members])


def counted_support(evidence: Evidence, classes: int = 10) -> np.ndarray:
    """Shares of the test tile's pixels, as the independent replication counted them."""
    pixels = evidence.replication.support[classes]
    return pixels / pixels.sum()


def majority_scores(classes: int) -> dict[str, float]:
    """Scores of a map that has the largest class everywhere, on the counted support.

    Args:
        classes: 6 (Non-urban) or 10 (Arable lands).

    Returns:
        By the names of `results.OVERALL`. The map's recall is 1 in that class and 0 in the others;
        its precision is the class's share, so its F1 is 2 s / (1 + s). Kappa is 0: it agrees as
        often as chance does.
    """
    pixels = replication().support[classes]
    share = float(pixels.max() / pixels.sum())
    f1 = 2 * share / (1 + share)
    return {
        "accuracy": share,
        "weighted_precision": share**2,
        "weighted_recall": share,
        "weighted_f1": share * f1,
        "macro_f1": f1 / classes,
        "kappa": 0.0,
    }


def model_margins(evidence: Evidence, classes: int) -> list[margins.Margins]:
    """Margins of the four methods' confusion matrices, with the counted support."""
    support = counted_support(evidence, classes)
    return [margins.margins(table, support) for table in evidence.paper.scores(classes)]


def table_constraints(paper: Paper, classes: int) -> Constraints:
    """What Table 5 or 7 demands of the support in 10 classes."""
    return margins.constraints(
        paper.scores(classes), paper.weighted(classes), merge_matrix(classes)
    )


def both_tables(paper: Paper) -> Constraints:
    """What Tables 5 and 7 demand together, being of one test set."""
    return table_constraints(paper, 6) + table_constraints(paper, 10)


def _finding(id, title, topic, claim, where, published, derived, worst, explanation) -> Finding:
    """A finding with a difference and a tolerance: `worst` is that pair."""
    difference, tolerance = (float(x) for x in worst)
    right = abs(difference) <= tolerance + 1e-9
    return Finding(
        id,
        title,
        topic,
        claim,
        where,
        published,
        derived,
        difference,
        tolerance,
        verdict(bool(right)),
        explanation,
    )


def _worst(difference: np.ndarray, tolerance: np.ndarray) -> tuple[float, float]:
    """The difference that is largest measured by its tolerance, and that tolerance."""
    difference, tolerance = np.broadcast_arrays(difference, tolerance)
    at = np.unravel_index(np.argmax(np.abs(difference) / tolerance), difference.shape)
    return difference[at], tolerance[at]


def check_f1(evidence: Evidence) -> Iterator[Finding]:
    """F1 of every class of every model, from its precision and recall (Eq. 7)."""
    for classes in CLASSES:
        precision, recall, printed = np.moveaxis(evidence.paper.scores(classes), -1, 0)
        low, high = np.moveaxis(margins.f1_bounds(precision, recall), -1, 0)
        difference, tolerance = printed - (low + high) / 2, (high - low) / 2 + HALF
        fit = int((np.abs(difference) <= tolerance).sum())
        yield _finding(
            f"f1-table{SCORE_TABLE[classes]}",
            f"F1 from precision and recall, {classes} classes",
            SCORES,
            "F1 is the harmonic mean of precision and recall (Eq. 7)",
            f"Table {SCORE_TABLE[classes]}",
            f"{printed.size} values of F1",
            f"{fit} of them follow",
            _worst(difference, tolerance),
            "F1 grows with both scores, so the ends of their rounding intervals bound it. "
            "Difference and tolerance are those of the row that comes nearest to its bound.",
        )


def check_weighted(evidence: Evidence) -> Iterator[Finding]:
    """Weighted averages, with the counted support."""
    for classes in CLASSES:
        support = counted_support(evidence, classes)
        printed = evidence.paper.weighted(classes)
        difference = printed - np.einsum("mcs,c->ms", evidence.paper.scores(classes), support)
        fit = int((np.abs(difference) <= 2 * HALF).sum())
        yield _finding(
            f"weighted-table{SCORE_TABLE[classes]}",
            f"Weighted averages, {classes} classes",
            SCORES,
            "the mean of all classes while considering each class's support (section 3.5)",
            f"Table {SCORE_TABLE[classes]}, W-Avg",
            f"{printed.size} weighted averages",
            f"{fit} of them follow from the support that others counted",
            _worst(difference, np.full(1, 2 * HALF)),
            "Shares sum to 1, so rounding moves an average of rounded scores by half a unit at "
            "most, and printing it by another half.",
        )


def check_predicted(evidence: Evidence) -> Iterator[Finding]:
    """Predicted shares of each model sum to 1, with the counted support."""
    for classes in CLASSES:
        support = counted_support(evidence, classes)
        ratios = [margins.ratio_bounds(table) for table in evidence.paper.scores(classes)]
        low, high = np.moveaxis(np.einsum("mcb,c->mb", ratios, support), -1, 0)
        difference, tolerance = 1 - (low + high) / 2, (high - low) / 2
        sums = ", ".join(f"{total:.5f}" for total in (low + high) / 2)
        yield _finding(
            f"predicted-table{SCORE_TABLE[classes]}",
            f"Predicted pixels add up, {classes} classes",
            SCORES,
            "every pixel is predicted as one class",
            f"Table {SCORE_TABLE[classes]}",
            "precision and recall of each class, four models",
            f"predicted shares sum to {sums}",
            _worst(difference, tolerance),
            "A class of share s is predicted on R s / P of the pixels; over all classes of a "
            "model these shares sum to 1.",
        )


def _sources(paper: Paper) -> Iterator[tuple[str, str, Constraints, np.ndarray]]:
    """Table 5, Table 7 and both: id, words, constraints, and the classes that they can tell."""
    yield "table5", "Table 5", table_constraints(paper, 6), merge_matrix(6)
    yield "table7", "Table 7", table_constraints(paper, 10), merge_matrix(10)
    yield "both", "Tables 5 and 7", both_tables(paper), merge_matrix(10)


def check_one_support(evidence: Evidence) -> Iterator[Finding]:
    """Whether one test set can be behind all models of Table 5, of Table 7, and of both."""
    for id, where, found, _ in _sources(evidence.paper):
        misfit = margins.misfit(found)
        yield _finding(
            f"one-support/{id}",
            f"One test set behind {where}",
            SUPPORT,
            "all models are tested on the same patches",
            where,
            f"{len(found.limit)} inequalities",
            "all can hold together" if misfit <= SOLVER else f"they miss by {misfit:.5f}",
            (misfit, SOLVER),
            "Weighted averages, sums of predicted shares and a sum of 1, each within its rounding, "
            "as one linear program. The difference is by how much all would have to give way.",
        )


def check_counted_support(evidence: Evidence) -> Iterator[Finding]:
    """The support that the tables imply against the support counted on the real rasters."""
    for id, where, found, merge in _sources(evidence.paper):
        counted = merge @ counted_support(evidence)
        low, high = margins.support_bounds(found, merge).T
        inside = int(((low <= counted) & (counted <= high)).sum())
        widest = np.nanmax((high - low) / 2 / counted)
        yield _finding(
            f"counted-support/{id}",
            f"Support implied by {where}",
            SUPPORT,
            "not printed: the paper gives no support",
            where,
            f"counted by others: {_percent(counted)} %",
            f"{inside} of {len(counted)} classes lie within the bounds {_ranges(low, high)} %",
            _worst(counted - (low + high) / 2, np.nan_to_num((high - low) / 2) + 1e-12),
            f"Least and greatest share that all rounding intervals allow, by linear programming; "
            f"the widest is known to {100 * widest:.0f} % of itself. The counted support "
            "is not used in deriving them.",
        )


def _ranges(low: np.ndarray, high: np.ndarray) -> str:
    return ", ".join(f"{100 * a:.3g}-{100 * b:.3g}" for a, b in zip(low, high, strict=True))


def _percent(shares: np.ndarray) -> str:
    return " ".join(f"{100 * share:.3f}" for share in shares)


def kappa_intervals(evidence: Evidence, counted: bool = False) -> dict[int, np.ndarray]:
    """Least and greatest Cohen's kappa of each model, by number of classes: `(methods, 2)`.

    Args:
        evidence: what to draw on.
        counted: with the support that others counted, instead of what both tables imply; so
            too where the tables contradict each other.
    """
    found = both_tables(evidence.paper)
    if counted or margins.misfit(found) > SOLVER:
        found = margins.known(counted_support(evidence))
    return {
        n: np.array(
            [
                margins.kappa_bounds(table, average[1], found, merge_matrix(n))
                for table, average in zip(
                    evidence.paper.scores(n), evidence.paper.weighted(n), strict=True
                )
            ]
        )
        for n in CLASSES
    }


def _other_row(printed: float, intervals: np.ndarray, own: int) -> str:
    low, high = intervals.T
    fit = [METHODS[i] for i in np.flatnonzero((low <= printed) & (printed <= high)) if i != own]
    return f" The printed value lies in the interval of {' and '.join(fit)}." if fit else ""


def check_kappa(evidence: Evidence) -> Iterator[Finding]:
    """Cohen's kappa of the eight models, from the margins that Tables 5 and 7 imply."""
    for classes, intervals in kappa_intervals(evidence).items():
        sharper = kappa_intervals(evidence, counted=True)[classes]
        for i, printed in enumerate(evidence.paper.kappa(classes)):
            low, high = intervals[i]
            other = _other_row(printed, intervals, i)
            yield _finding(
                f"kappa-{classes}/{METHODS[i]}",
                f"Cohen's kappa, {METHODS[i]}, {classes} classes",
                KAPPA,
                f"Cohen's kappa of {METHODS[i]}",
                f"Table {KAPPA_TABLE[classes]}",
                f"{printed:.4f}",
                f"{low:.4f} to {high:.4f}",
                (printed - (low + high) / 2, (high - low) / 2 + HALF),
                "Agreement observed is the weighted recall; agreement expected is the sum of "
                "reference times predicted shares, bounded over all supports that Tables 5 and 7 "
                f"allow. With the support that others counted: {sharper[i, 0]:.4f} to "
                f"{sharper[i, 1]:.4f}.{other}",
            )


def check_bold(evidence: Evidence) -> Iterator[Finding]:
    """Bold marks of Tables 5 and 7 against the highest value of each class and score."""
    for classes in CLASSES:
        printed = np.append(
            evidence.paper.scores(classes), evidence.paper.weighted(classes)[:, None], axis=1
        )
        bold, best = evidence.paper.bold(classes), printed == printed.max(axis=0)
        rows = [*(f"class {i}" for i in range(1, classes + 1)), "weighted average"]
        wrong = [
            f"{SCORE_NAMES[s]} of {METHODS[m]}, {rows[r]}: {printed[m, r, s]:.4f} is "
            f"{'bold but not the highest' if bold[m, r, s] else 'the highest but not bold'}"
            for m, r, s in np.argwhere(bold != best)
        ]
        yield _finding(
            f"bold-table{SCORE_TABLE[classes]}",
            f"Bold marks, {classes} classes",
            SCORES,
            "In bold the higher value for each metric",
            f"Table {SCORE_TABLE[classes]}, caption",
            f"{int(bold.sum())} bold values",
            f"{int(best.sum())} highest values; marks that differ: {len(wrong)}",
            (len(wrong), 0.0),
            "; ".join(wrong) or "Every highest value of a row and score is bold, and no other.",
        )


def check_bold_kappa(evidence: Evidence) -> Iterator[Finding]:
    """Bold marks of Tables 6 and 8."""
    for classes, table in KAPPA_TABLE.items():
        numbers = evidence.paper.table(f"table{table}")
        bold = [name for name, number in numbers.items() if number.bold]
        best = max(numbers, key=lambda name: numbers[name].value)
        yield _finding(
            f"bold-table{table}",
            f"Bold mark of kappa, {classes} classes",
            KAPPA,
            "In bold the best method",
            f"Table {table}, caption",
            f"bold: {', '.join(bold)}",
            f"highest as printed: {best}",
            (float(bold != [best]), 0.0),
            "The mark against the values as they are printed.",
        )


def check_table1(evidence: Evidence) -> Iterator[Finding]:
    """Patches by days gap, counted on the real label files."""
    printed = {int(gap): n.value for gap, n in evidence.paper.table("table1").items()}
    counted = evidence.census.days_gaps
    differences = np.array([printed[gap] - counted[gap] for gap in printed])
    yield _finding(
        "table1",
        "Patches by days gap",
        DATASET,
        "Number of patches depending on the days gap",
        "Table 1",
        " ".join(f"{n:.0f}" for n in printed.values()),
        " ".join(str(counted[gap]) for gap in printed),
        (differences[np.argmax(np.abs(differences))], 0.0),
        "The earliest date of each month that lies at least the gap after the date taken before, "
        "over the real label files. The paper does not print this rule; it gives its counts.",
    )


def check_table2_sum(evidence: Evidence) -> Iterator[Finding]:
    """Shares of the 14 classes sum to 100."""
    shares = evidence.paper.table("table2")
    total = sum(n.value for n in shares.values())
    yield _finding(
        "table2-sum",
        "Shares of Table 2 sum to 100",
        SHARES,
        "Semantic classes distribution for MultiSenGE dataset",
        "Table 2",
        "100 %",
        f"{total:.2f} %",
        (100 - total, sum(n.half for n in shares.values())),
        "Each of the 14 shares is rounded to a hundredth of a percent.",
    )


def check_table4(evidence: Evidence) -> Iterator[Finding]:
    """Table 4 has every method with 6 and with 10 classes, once."""
    rows = [(name, classes) for name, _, _, classes in evidence.paper.experiments]
    expected = {(method, classes) for method in METHODS for classes in CLASSES}
    yield _finding(
        "table4",
        "Eight experiments",
        METHOD,
        "List of experiments based on the methods presented",
        "Table 4",
        f"{len(rows)} rows",
        f"{len(set(rows) & expected)} of {len(expected)} pairs of method and typology",
        (len(rows) - len(set(rows)) + len(set(rows) ^ expected), 0.0),
        "Tables 5 and 7 hold scores of the same four methods.",
    )


def check_replication_matrix(evidence: Evidence) -> Iterator[Finding]:
    """The replication's confusion matrix against its own support and scores."""
    found = evidence.replication
    run = next(r for r in found.runs if (r.model, r.classes) == (found.confusion_model, 6))
    derived = margins.matrix_margins(found.confusion)
    recall, precision = derived.hit / derived.reference, derived.hit / derived.predicted
    weighted = derived.reference @ margins.f1(precision, recall)
    differences = np.array(
        [
            run.kappa - derived.kappa,
            run.weighted_f1 - weighted,
            run.accuracy - derived.hit.sum(),
            *(found.confusion.sum(axis=1) - found.support[6]),
        ]
    )
    yield _finding(
        "replication-matrix",
        "The replication agrees with itself",
        OUTSIDE,
        f"kappa, weighted F1, accuracy and support of {run.model}, 6 classes",
        found.source,
        f"{run.kappa:.4f}, {run.weighted_f1:.4f}, {run.accuracy:.4f}",
        f"{derived.kappa:.4f}, {weighted:.4f}, {derived.hit.sum():.4f}",
        (differences[np.argmax(np.abs(differences))], 1e-6),
        "The audit uses its support, so its one published matrix is checked against its scores "
        "and against that support.",
    )


TABLE_CHECKS = (
    check_f1,
    check_weighted,
    check_predicted,
    check_one_support,
    check_counted_support,
    check_kappa,
    check_bold,
    check_bold_kappa,
    check_table1,
    check_table2_sum,
    check_table4,
    check_replication_matrix,
)
