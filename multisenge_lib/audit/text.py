"""Checks of the sentences that rank or quote scores: abstract, sections 4 to 6."""

from collections.abc import Iterator

import numpy as np

from multisenge_lib.audit import bounds as margins
from multisenge_lib.audit.finding import (
    CAPTIONS,
    CONFUSION,
    KAPPA,
    OUTSIDE,
    QUOTED,
    Evidence,
    Finding,
    best_method,
    class_list,
    counted,
    four_decimals,
    merged_shares,
    names,
    on_claim,
)
from multisenge_lib.audit.tables import model_margins
from multisenge_lib.dataset import URBAN
from multisenge_lib.paper import METHODS

#: Positions of the methods.
S1, S2, S1S2, INCEPTION = range(4)
#: Positions of the urban classes and of the others.
_URBAN, _NATURAL = slice(0, len(URBAN)), slice(len(URBAN), None)
#: "Almost every" is read as more than this share.
_ALMOST = 0.75


def _f1(e: Evidence, classes: int) -> np.ndarray:
    return e.paper.scores(classes)[..., 2]


def _positions(e: Evidence, claim: str) -> list[int]:
    """The classes that a claim names, counted from 0."""
    return [int(i) - 1 for i in names(e, claim)]


# Abstract


def check_weighted_f1(e: Evidence) -> Iterator[Finding]:
    """Abstract: the highest weighted F1."""
    six, ten = (e.paper.weighted(n)[:, 2] for n in (6, 10))
    (named,) = names(e, "abstract-weighted-f1")
    yield on_claim(
        e,
        "abstract-weighted-f1",
        "Highest weighted F1",
        QUOTED,
        named,
        f"6 classes {best_method(six)}, 10 classes {best_method(ten)}",
        best_method(six) == best_method(ten) == named,
        f"Weighted F1 in the order {', '.join(METHODS)}: {four_decimals(six)} with 6 classes, "
        f"{four_decimals(ten)} with 10.",
    )


def check_inception(e: Evidence) -> Iterator[Finding]:
    """Abstract: the Inception module improves the classification."""
    f1, kappa, classes = {}, {}, {}
    for n in (6, 10):
        f1[n] = e.paper.weighted(n)[INCEPTION, 2] - e.paper.weighted(n)[S1S2, 2]
        kappa[n] = e.paper.kappa(n)[INCEPTION] - e.paper.kappa(n)[S1S2]
        classes[n] = int((_f1(e, n)[INCEPTION] > _f1(e, n)[S1S2]).sum())
    gains = (f"{n} classes: weighted F1 {f1[n]:+.4f}, kappa {kappa[n]:+.4f}" for n in f1)
    yield on_claim(
        e,
        "abstract-inception",
        "Inception improves on ConvLSTM-S1S2",
        QUOTED,
        "improves",
        "; ".join(gains),
        bool(min(*f1.values(), *kappa.values()) > 0),
        f"By class, F1 rises in {classes[10]} of 10 with 10 classes, but in {classes[6]} of 6 with "
        "6 classes, which section 4.1 says too (no significant improvement of the classes).",
    )


def check_ten_classes(e: Evidence) -> Iterator[Finding]:
    """Abstract: detailing the non-urban classes helps the urban ones."""
    six, ten = (_f1(e, n)[:, _URBAN] for n in (6, 10))
    means = six.mean(axis=1), ten.mean(axis=1)
    yield on_claim(
        e,
        "abstract-ten-classes",
        "Ten classes map urban fabric better than six",
        QUOTED,
        "preferable",
        f"mean urban F1 {four_decimals(means[0])} with 6, {four_decimals(means[1])} with 10",
        bool((means[1] > means[0]).all()),
        "By method, on the mean of classes 1 to 5; class by class in "
        f"{int((ten > six).sum())} of {ten.size} cases.",
    )


# Section 4.1, 6 classes


def check_class4_best(e: Evidence) -> Iterator[Finding]:
    """Section 4.1: the best F1 of class 4."""
    method, name = names(e, "s1-class4")
    scores, printed = _f1(e, 6)[:, int(name) - 1], e.paper.stated("s1-class4")["f1"]
    yield on_claim(
        e,
        "s1-class4",
        f"Best F1 of class {name}, 6 classes",
        QUOTED,
        f"{method}, {printed:.4f}",
        f"{best_method(scores)}, {scores.max():.4f}",
        bool(method == best_method(scores) and printed == scores.max()),
        f"F1 of class {name} in Table 5: {four_decimals(scores)}.",
        float(printed - scores.max()),
        0.0,
    )


def _rank(values: np.ndarray) -> str:
    place = int((values > values[S1S2]).sum()) + 1
    highest = f"{best_method(values)} has {values.max():.4f}"
    return f"{values[S1S2]:.4f} is number {place} of four, {highest}"


def check_s1s2_best(e: Evidence) -> Iterator[Finding]:
    """Section 4.1: classes in which ConvLSTM-S1S2 has the best recall and F1."""
    named = _positions(e, "s1s2-best")
    for score, column in (("F1", 2), ("recall", 1)):
        table = e.paper.scores(6)[..., column]
        won = [int(i) for i in np.flatnonzero(table.argmax(axis=0) == S1S2)]
        lost = [i for i in named if i not in won]
        notes = "".join(f" In class {i + 1} its {score} of {_rank(table[:, i])}." for i in lost)
        yield on_claim(
            e,
            f"s1s2-best/{score.lower()}",
            f"Best {score} of ConvLSTM-S1S2, 6 classes",
            QUOTED,
            f"especially classes {class_list(named)}",
            f"classes {class_list(won)}",
            not lost,
            f"It has the best {score} in {len(won)} of 6 classes.{notes}",
        )


def check_close(e: Evidence) -> Iterator[Finding]:
    """Section 4.1: two weighted F1 quoted."""
    stated, weighted = e.paper.stated("close-weighted-f1"), e.paper.weighted(6)[:, 2]
    printed, derived = np.array([*stated.values()]), weighted[[S1S2, INCEPTION]]
    yield on_claim(
        e,
        "close-weighted-f1",
        "Weighted F1 quoted, 6 classes",
        QUOTED,
        four_decimals(printed),
        four_decimals(derived),
        np.array_equal(printed, derived),
        "ConvLSTM-S1S2 and ConvLSTM+Inception-S1S2 in Table 5; the words 'the latter' at the "
        "sentence's end can only mean ConvLSTM+Inception-S1S2.",
        float(max(printed - derived, key=abs)),
        0.0,
    )


def check_best_weighted(e: Evidence) -> Iterator[Finding]:
    """Section 4.1: the best weighted precision and F1."""
    printed, (named,) = (
        np.array([*e.paper.stated("best-weighted").values()]),
        names(e, "best-weighted"),
    )
    precision, _, f1 = e.paper.weighted(6).T
    highest = np.array([precision.max(), f1.max()])
    yield on_claim(
        e,
        "best-weighted",
        "Best weighted precision and F1, 6 classes",
        QUOTED,
        f"{named}, {four_decimals(printed)}",
        f"{best_method(precision)} and {best_method(f1)}, {four_decimals(highest)}",
        np.array_equal(printed, highest) and named == best_method(precision) == best_method(f1),
        "Highest of the four methods in Table 5.",
        float(max(printed - highest, key=abs)),
        0.0,
    )


def _recall_above(e: Evidence, classes: int) -> np.ndarray:
    """Where recall is above precision: `(methods, classes)`."""
    precision, recall, _ = np.moveaxis(e.paper.scores(classes), -1, 0)
    return recall > precision


def _pairs(where: np.ndarray) -> str:
    return "; ".join(f"{METHODS[m]} class {c + 1}" for m, c in np.argwhere(where)) or "none"


def check_recall_systematic(e: Evidence) -> Iterator[Finding]:
    """Section 4.1: recall above precision with 6 classes."""
    above, averages = _recall_above(e, 6), e.paper.weighted(6)
    urban, below = above[:, _URBAN], int((averages[:, 1] < averages[:, 0]).sum())
    yield on_claim(
        e,
        "recall-systematic",
        "Recall above precision, 6 classes",
        QUOTED,
        "systematically, whatever the method",
        f"in {int(above.sum())} of {above.size} pairs of method and class",
        bool(above.all()),
        f"Exceptions: {_pairs(~above)}. It holds for {int(urban.sum())} of {urban.size} urban "
        f"pairs. The weighted recall is below the weighted precision for {below} of 4 methods.",
    )


def check_precision_higher(e: Evidence) -> Iterator[Finding]:
    """Section 4.1: classes in which ConvLSTM+Inception-S1S2 is more precise."""
    precision, higher = e.paper.scores(6)[..., 0], _positions(e, "precision-inception")[:2]
    won = [i for i in higher if precision[:, i].argmax() == INCEPTION]
    yield on_claim(
        e,
        "precision-inception/higher",
        f"Precision of Inception, classes {class_list(higher)}",
        QUOTED,
        "always higher",
        f"highest of four in classes {class_list(won)}",
        won == higher,
        f"Table 5: {four_decimals(precision[INCEPTION, higher])}, against at most "
        f"{four_decimals(precision[:INCEPTION, higher].max(axis=0))}.",
    )


def check_precision_similar(e: Evidence) -> Iterator[Finding]:
    """Section 4.1: classes in which its precision is higher or very similar."""
    precision, quoted = e.paper.scores(6)[..., 0], e.paper.stated("close-weighted-f1")
    similar = _positions(e, "precision-inception")[2:]
    yardstick = float(abs(quoted["s1s2"] - quoted["inception"]))
    own, highest = precision[INCEPTION, similar], precision[:, similar].max(axis=0)
    values = zip(similar, own, highest, strict=True)
    yield on_claim(
        e,
        "precision-inception/similar",
        f"Precision of Inception, classes {class_list(similar)}",
        QUOTED,
        "always higher or very similar",
        "; ".join(f"({i + 1}) {a:.4f} against {b:.4f}" for i, a, b in values),
        bool((highest - own <= yardstick).all()),
        "'Very similar' has no definition. The same section calls two scores very close that are "
        f"{yardstick:.4f} apart, which is taken as the measure; these are below the best by "
        f"{four_decimals(highest - own)}.",
        float((own - highest).min()),
        yardstick,
    )


def check_kappa_range(e: Evidence) -> Iterator[Finding]:
    """Section 4.1: the range of kappa."""
    stated, kappa = e.paper.stated("kappa-range"), e.paper.kappa(6)
    yield on_claim(
        e,
        "kappa-range",
        "Range of kappa, 6 classes",
        KAPPA,
        f"{stated['low']:.4f} to {stated['high']:.4f}",
        f"{kappa.min():.4f} to {kappa.max():.4f}",
        (stated["low"], stated["high"]) == (kappa.min(), kappa.max()),
        f"Table 6's lowest value is that of {METHODS[int(kappa.argmin())]}.",
        float(stated["low"] - kappa.min()),
        0.0,
    )


def check_visual_best(e: Evidence) -> Iterator[Finding]:
    """Section 4.1: the two best methods by the statistical results."""
    named = names(e, "visual-best")
    ranked = {
        "weighted F1": e.paper.weighted(6)[:, 2],
        "kappa": e.paper.kappa(6),
        "mean F1": _f1(e, 6).mean(axis=1),
    }
    top = {score: {METHODS[i] for i in np.argsort(v)[-2:]} for score, v in ranked.items()}
    fit = [score for score, methods in top.items() if methods == set(named)]
    last = (f"{METHODS[int(v.argmin())]} by {score}" for score, v in ranked.items())
    yield on_claim(
        e,
        "visual-best",
        "Best two methods, 6 classes",
        QUOTED,
        " and ".join(named),
        f"so by {' and '.join(fit) or 'none'}, of {', '.join(ranked)}",
        True if len(fit) == len(ranked) else None if fit else False,
        f"The sentence does not say which score. The last of four is {', '.join(last)}.",
    )


# Section 4.2, 10 classes


def _global(e: Evidence) -> dict[str, np.ndarray]:
    """Accuracy, weighted F1 and mean F1 of the four methods with 10 classes."""
    _, recall, f1 = e.paper.weighted(10).T
    return {"accuracy": recall, "weighted_f1": f1, "mean_f1": _f1(e, 10).mean(axis=1)}


def _differences(printed: list[float], derived: list[float]) -> tuple[float, float]:
    """The largest difference, and what rounding both to four decimals allows."""
    return float(max(np.subtract(printed, derived), key=abs)), 2 * margins.HALF


def check_global_order(e: Evidence) -> Iterator[Finding]:
    """Section 4.2: three scores quoted in an order."""
    stated = e.paper.stated("global-scores")
    derived = {name: values[INCEPTION] for name, values in _global(e).items()}
    gap, tolerance = _differences([*stated.values()], [derived[name] for name in stated])
    yield on_claim(
        e,
        "global-scores/order",
        "Order of three quoted scores, 10 classes",
        QUOTED,
        f"accuracy, weighted F1, mean F1: {four_decimals(stated.values())}",
        four_decimals(derived.values()),
        abs(gap) <= tolerance,
        "Accuracy is the weighted recall of Table 7, and the mean F1 the mean of its ten F1. The "
        "weighted F1 as quoted differs by "
        f"{stated['weighted_f1'] - derived['weighted_f1']:+.4f}, the mean F1 by "
        f"{stated['mean_f1'] - derived['mean_f1']:+.4f}; exchanged, by "
        f"{stated['mean_f1'] - derived['weighted_f1']:+.4f} and "
        f"{stated['weighted_f1'] - derived['mean_f1']:+.4f}.",
        gap,
        tolerance,
    )


def check_global_values(e: Evidence) -> Iterator[Finding]:
    """Section 4.2: the values of these scores, whatever their order."""
    stated = sorted(e.paper.stated("global-scores").values())
    derived = sorted(values[INCEPTION] for values in _global(e).values())
    gap, tolerance = _differences(stated, derived)
    yield on_claim(
        e,
        "global-scores/values",
        "Values of three quoted scores, 10 classes",
        QUOTED,
        four_decimals(stated),
        four_decimals(derived),
        abs(gap) <= tolerance,
        "In order of size. The mean F1 is not in Table 7 and follows from it.",
        gap,
        tolerance,
    )


def check_global_all(e: Evidence) -> Iterator[Finding]:
    """Section 4.2: all global scores are the highest."""
    precision = e.paper.weighted(10)[:, 0]
    table = {**_global(e), "weighted_precision": precision}
    others = [
        f"{name.replace('_', ' ')} is highest for {best_method(values)}"
        for name, values in table.items()
        if values.argmax() != INCEPTION
    ]
    yield on_claim(
        e,
        "global-scores/all",
        "All global scores highest for Inception, 10 classes",
        QUOTED,
        "all the global evaluation metrics",
        "; ".join(others) or "all four",
        not others,
        "The sentence says all and goes on to name accuracy, weighted F1 and mean F1. Table 7 "
        f"gives weighted precision too: {four_decimals(precision)}.",
    )


def check_most_classes(e: Evidence) -> Iterator[Finding]:
    """Section 4.2: classes won by ConvLSTM+Inception-S1S2."""
    winner = _f1(e, 10).argmax(axis=0)
    won = int((winner == INCEPTION).sum())
    yield on_claim(
        e,
        "most-classes",
        "Most classes best with Inception, 10 classes",
        QUOTED,
        "the vast majority",
        f"{won} of {len(winner)}",
        won > len(winner) / 2,
        "Highest F1 of Table 7. A majority is asked for; what makes it vast is not defined.",
    )


def check_s2_wins(e: Evidence) -> Iterator[Finding]:
    """Section 4.2: classes won by ConvLSTM-S2."""
    table, count = _f1(e, 10), e.paper.stated("s2-wins")["count"]
    named = _positions(e, "s2-wins")
    found = [int(i) for i in np.flatnonzero(table.argmax(axis=0) == S2)]
    notes = "".join(
        f" In class {i + 1} it is {table[S2, i]:.4f}, against {table[INCEPTION, i]:.4f} for "
        "ConvLSTM+Inception-S1S2."
        for i in sorted({*named} ^ {*found})
    )
    yield on_claim(
        e,
        "s2-wins",
        "Classes best with ConvLSTM-S2",
        QUOTED,
        f"{count:.0f}: classes {class_list(named)}",
        f"{len(found)}: classes {class_list(found)}",
        named == found and count == len(found),
        f"Highest F1 of Table 7.{notes}",
    )


def check_natural(e: Evidence) -> Iterator[Finding]:
    """Section 4.2: natural classes."""
    natural = _f1(e, 10)[:, _NATURAL]
    means, wins = natural.mean(axis=1), int((natural.argmax(axis=0) == INCEPTION).sum())
    (named,) = names(e, "natural-better")
    yield on_claim(
        e,
        "natural-better",
        "Natural classes best with Inception",
        QUOTED,
        "better extraction of natural classes",
        f"mean F1 of classes 6 to 10: {four_decimals(means)}",
        best_method(means) == named,
        f"On the mean; class by class in {wins} of 5. The text excepts Vineyards and Orchards.",
    )


def check_weaker_confusion(e: Evidence) -> Iterator[Finding]:
    """Section 4.2: total confusion."""
    error, (named,) = 1 - e.paper.weighted(10)[:, 1], names(e, "weaker-confusion")
    yield on_claim(
        e,
        "weaker-confusion",
        "Weaker confusion with Inception, 10 classes",
        CONFUSION,
        "weaker than for all others",
        f"pixels off the diagonal: {', '.join(f'{100 * x:.2f} %' for x in error)}",
        best_method(-error) == named,
        "One less the weighted recall. Which pairs of classes are less confused, margins cannot "
        "tell.",
    )


def check_recall_almost(e: Evidence) -> Iterator[Finding]:
    """Section 4.2: recall above precision with 10 classes, urban and natural."""
    above = _recall_above(e, 10)
    urban, natural = above[:, _URBAN], above[:, _NATURAL]
    yield on_claim(
        e,
        "recall-almost",
        "Recall above precision, urban, 10 classes",
        QUOTED,
        "always, for almost every class and method",
        f"in {int(urban.sum())} of {urban.size} pairs",
        bool(urban.mean() > _ALMOST),
        f"Exceptions: {_pairs(~urban)}. 'Almost every' is read as more than {_ALMOST:.0%}.",
    )
    yield on_claim(
        e,
        "recall-natural",
        "Recall above precision, natural, 10 classes",
        QUOTED,
        "no such trend",
        f"in {int(natural.sum())} of {natural.size} pairs",
        bool(natural.mean() <= _ALMOST),
        f"Read with the same {_ALMOST:.0%}.",
    )


def check_kappa_best(e: Evidence) -> Iterator[Finding]:
    """Section 4.2: the best kappa."""
    printed, kappa = e.paper.stated("kappa-best")["kappa"], e.paper.kappa(10)
    (named,) = names(e, "kappa-best")
    yield on_claim(
        e,
        "kappa-best",
        "Best kappa, 10 classes",
        KAPPA,
        f"{named}, {printed:.4f}",
        f"{best_method(kappa)}, {kappa.max():.4f}",
        bool(printed == kappa.max() and best_method(kappa) == named),
        "Highest of Table 8.",
        float(printed - kappa.max()),
        0.0,
    )


def _second(values: np.ndarray) -> str:
    return METHODS[int(np.argsort(values)[-2])]


def check_second_best(e: Evidence) -> Iterator[Finding]:
    """Section 4.2: the second best method, by weighted F1 and by kappa."""
    (named,) = names(e, "second-best")
    derived = _second(np.array([found.kappa for found in model_margins(e, 10)]))
    scores = {
        "weighted F1": (QUOTED, e.paper.weighted(10)[:, 2], "Table 7"),
        "kappa": (KAPPA, e.paper.kappa(10), f"Table 8; by the kappas derived it is {derived}"),
    }
    for score, (topic, values, where) in scores.items():
        yield on_claim(
            e,
            f"second-best/{score.lower().replace(' ', '-')}",
            f"Second best by {score}, 10 classes",
            topic,
            named,
            _second(values),
            named == _second(values),
            f"As printed in {where}. By method: {four_decimals(values)}.",
        )


# Confusion between two classes: what margins bound


def _origin(e: Evidence, classes: int, row: int, column: int) -> np.ndarray:
    """Least and greatest share of a class's wrongly predicted pixels that are of another class.

    Args:
        e: what to draw on.
        classes: 6 or 10.
        row: the class in the reference, id from 1.
        column: the class predicted.

    Returns:
        `(methods, 2)`, 0 to 1.
    """
    shares = [
        margins.cell_bounds(found)[row - 1, column - 1]
        / (found.predicted[column - 1] - found.hit[column - 1])
        for found in model_margins(e, classes)
    ]
    return np.array(shares)


def _more_than_half(bounds: np.ndarray) -> bool | None:
    low, high = bounds
    return True if low > 0.5 else False if high <= 0.5 else None


def _origin_words(row: int, column: int, shares: np.ndarray) -> str:
    ranges = ", ".join(f"{100 * a:.0f}-{100 * b:.0f} %" for a, b in shares)
    return f"of what is wrongly predicted as class {column}, class {row} is {ranges}"


def check_confusion_4_6(e: Evidence) -> Iterator[Finding]:
    """Section 4.1: class 4 is confused with non-urban areas."""
    column, row = (int(i) for i in names(e, "confusion-4-6"))
    shares = _origin(e, 6, row, column)
    sure = int((shares[:, 0] > 0.5).sum())
    yield on_claim(
        e,
        "confusion-4-6",
        "Confusion of classes 4 and 6, 6 classes",
        CONFUSION,
        "strong",
        _origin_words(row, column, shares),
        _more_than_half(shares[INCEPTION]),
        "Bounds from the margins, by method: what all other classes miss is too little to fill "
        f"the rest. It is more than half for certain for {sure} of 4 methods, and the verdict is "
        "on ConvLSTM+Inception-S1S2, the method of the paragraph.",
    )


def check_confusion_1_2(e: Evidence) -> Iterator[Finding]:
    """Section 4.1: classes 1 and 2, which the margins do not decide."""
    one, two = (int(i) for i in names(e, "confusion-1-2"))
    shares = _origin(e, 6, two, one)
    yield on_claim(
        e,
        "confusion-1-2",
        "Confusion of classes 1 and 2, 6 classes",
        CONFUSION,
        "strong",
        _origin_words(two, one, shares),
        _more_than_half(shares[INCEPTION]),
        "Class 6 misses enough pixels to account for nearly all of them or for few. Figure A2 has "
        "the confusion matrices; it is an image, and its numbers are not in the text copy.",
    )


def check_confusion_9_10(e: Evidence) -> Iterator[Finding]:
    """Section 4.2: forests and water for ConvLSTM-S2, which the margins do not decide."""
    row, column = (int(i) for i in names(e, "confusion-9-10"))
    shares = _origin(e, 10, row, column)[[S2]]
    yield on_claim(
        e,
        "confusion-9-10",
        "Confusion of classes 9 and 10, ConvLSTM-S2",
        CONFUSION,
        "strong",
        _origin_words(row, column, shares),
        _more_than_half(shares[0]),
        "It predicts water on far more pixels than hold it, with a precision of "
        f"{e.paper.scores(10)[S2, column - 1, 0]:.4f}; whence they come, its margins leave open.",
    )


# Sections 4.3 to 6


def check_five_better(e: Evidence) -> Iterator[Finding]:
    """Section 4.3: ten classes with Inception against every method with six."""
    ten, six = _f1(e, 10)[INCEPTION, _URBAN], _f1(e, 6)[:, _URBAN].max(axis=0)
    yield counted(
        e,
        "five-better",
        "Urban classes better with 10 classes",
        QUOTED,
        e.paper.stated("five-better")["classes"],
        int((ten > six).sum()),
        f"F1 of ConvLSTM+Inception-S1S2 with 10 classes, {four_decimals(ten)}, against the best "
        f"of all methods with 6, {four_decimals(six)}. The next sentence takes class 3 out.",
        " of 5",
    )


def check_only_class_3(e: Evidence) -> Iterator[Finding]:
    """Section 4.3: the class that is better with six."""
    six, ten = (_f1(e, n)[INCEPTION, _URBAN] for n in (6, 10))
    named = _positions(e, "only-class-3")
    worse = [int(i) for i in np.flatnonzero(six > ten)]
    yield on_claim(
        e,
        "only-class-3",
        "The one class better with 6 classes",
        QUOTED,
        f"class {class_list(named)}",
        f"class {class_list(worse)}",
        named == worse,
        f"F1 of ConvLSTM+Inception-S1S2: {four_decimals(six)} with 6 classes, "
        f"{four_decimals(ten)} with 10.",
    )


def check_networks(e: Evidence) -> Iterator[Finding]:
    """Section 4.3: the best method for class 5."""
    method, name = names(e, "networks-best")
    six, ten = (_f1(e, n)[:, int(name) - 1] for n in (6, 10))
    yield on_claim(
        e,
        "networks-best",
        "Large Scale Networks best with Inception",
        QUOTED,
        method,
        f"{best_method(ten)}, F1 {ten.max():.4f}",
        best_method(ten) == method,
        f"With 10 classes: {four_decimals(ten)}. With 6 it is {best_method(six)}.",
    )


def check_class4_limit(e: Evidence) -> Iterator[Finding]:
    """Section 5.2: F1 of class 4 does not exceed 0.25."""
    limit, (position,) = e.paper.stated("f1-limit")["f1"], _positions(e, "f1-limit")
    scores = np.concatenate([_f1(e, n)[:, position] for n in (6, 10)])
    yield on_claim(
        e,
        "f1-limit",
        f"F1 of class {position + 1} stays below {limit:g}",
        QUOTED,
        f"at most {limit:g}",
        f"highest of eight models: {scores.max():.4f}",
        bool(scores.max() <= limit),
        "Of the eight models; whether F1 cannot exceed it with any model is not for these tables "
        "to say.",
    )


def check_least_represented(e: Evidence) -> Iterator[Finding]:
    """Section 5.3: classes under 2 % reach F1 above 0.5."""
    stated, scores = e.paper.stated("least-represented"), _f1(e, 10)[INCEPTION]
    rare = np.flatnonzero(merged_shares(e, 10) < stated["percent"])
    below = rare[scores[rare] <= stated["f1"]]
    yield on_claim(
        e,
        "least-represented",
        f"F1 of classes under {stated['percent']:g} %",
        QUOTED,
        f"above {stated['f1']:g}",
        ", ".join(f"({i + 1}) {scores[i]:.4f}" for i in rare),
        not len(below),
        f"Classes under {stated['percent']:g} % in Table 2, ConvLSTM+Inception-S1S2 with 10 "
        f"classes. Not above: class {class_list(below)}. The next sentence of the paper names "
        "classes 1, 4 and 8 as difficult.",
    )


def check_least_separable(e: Evidence) -> Iterator[Finding]:
    """Section 5.3: the hardest classes."""
    scores, named = _f1(e, 10)[INCEPTION], sorted(_positions(e, "least-separable"))
    lowest = sorted(int(i) for i in np.argsort(scores)[: len(named)])
    yield on_claim(
        e,
        "least-separable",
        "The most difficult classes",
        QUOTED,
        f"classes {class_list(named)}",
        f"lowest F1: classes {class_list(lowest)}",
        named == lowest,
        "The lowest F1 of ConvLSTM+Inception-S1S2 with 10 classes.",
    )


def check_best_urban(e: Evidence) -> Iterator[Finding]:
    """Section 5.3: the best method for urban fabric."""
    urban, (named,) = _f1(e, 10)[:, _URBAN], names(e, "best-urban")
    means = urban.mean(axis=1)
    yield on_claim(
        e,
        "best-urban",
        "Best method for urban fabric",
        QUOTED,
        named,
        f"mean urban F1 with 10 classes: {four_decimals(means)}",
        best_method(means) == named,
        "On the mean of classes 1 to 5; class by class in "
        f"{int((urban.argmax(axis=0) == INCEPTION).sum())} of 5.",
    )


def _sentinel1_gain(e: Evidence, classes: int) -> np.ndarray:
    """F1 of ConvLSTM-S1S2 less that of ConvLSTM-S2, by class."""
    return _f1(e, classes)[S1S2] - _f1(e, classes)[S2]


def check_sensors(e: Evidence) -> Iterator[Finding]:
    """Section 6: what adding Sentinel-1 is shown to bring."""
    urban = {n: _sentinel1_gain(e, n)[_URBAN] for n in (6, 10)}
    weighted = {n: e.paper.weighted(n)[S1S2, 2] - e.paper.weighted(n)[S2, 2] for n in urban}
    means = [gain.mean() for gain in urban.values()]
    shown = (
        f"{n} classes: mean urban F1 {gain.mean():+.4f}, weighted F1 {weighted[n]:+.4f}"
        for n, gain in urban.items()
    )
    wins = {n: int((gain > 0).sum()) for n, gain in urban.items()}
    yield on_claim(
        e,
        "multimodal/sensors",
        "What Sentinel-1 adds to Sentinel-2",
        QUOTED,
        "contributions demonstrated",
        "; ".join(shown),
        True if min(means) > 0 else None if max(means) > 0 else False,
        "ConvLSTM-S1S2 less ConvLSTM-S2, the one pair that differs in nothing else. With 6 "
        f"classes {wins[6]} of 5 urban classes gain, with 10 classes {wins[10]}. One run each: no "
        "spread is given.",
    )


def check_without_comparison(e: Evidence) -> Iterator[Finding]:
    """Sections 5.1 and 6: what the tables hold no comparison for."""
    yield on_claim(
        e,
        "multimodal/dates",
        "What several dates add",
        QUOTED,
        "contributions demonstrated",
        "no model of Table 4 has a single date",
        None,
        "Every model takes four dates, so the tables hold nothing to compare with.",
    )
    gain = _sentinel1_gain(e, 10)[_NATURAL]
    yield on_claim(
        e,
        "s1-contribution",
        "Natural surfaces with Sentinel-1",
        QUOTED,
        "better detection",
        f"10 classes: F1 rises in {int((gain > 0).sum())} of 5 natural classes",
        None,
        f"ConvLSTM-S1S2 less ConvLSTM-S2: {', '.join(f'{x:+.4f}' for x in gain)}. The sentence is "
        "about the periphery of towns, on maps.",
    )
    yield on_claim(
        e,
        "superior",
        "Comparison with earlier work",
        OUTSIDE,
        "superior",
        "no score of other work is quoted",
        None,
        "Other work has other test areas and classes; the paper gives none of its scores.",
    )


def check_figure9(e: Evidence) -> Iterator[Finding]:
    """Caption of Figure 9."""
    yield counted(
        e,
        "caption-figure-9",
        "Classes in the caption of Figure 9",
        CAPTIONS,
        e.paper.stated("caption-figure-9")["classes"],
        10,
        "Section 4.2, which has it, is on 10 classes; section 4.3 sets Figure 8 (6 classes) "
        "against it. The caption is Figure 8's, word for word.",
        " classes",
    )


SCORE_CHECKS = (
    check_weighted_f1,
    check_inception,
    check_ten_classes,
    check_class4_best,
    check_s1s2_best,
    check_close,
    check_best_weighted,
    check_recall_systematic,
    check_precision_higher,
    check_precision_similar,
    check_kappa_range,
    check_visual_best,
    check_global_order,
    check_global_values,
    check_global_all,
    check_most_classes,
    check_s2_wins,
    check_natural,
    check_weaker_confusion,
    check_recall_almost,
    check_kappa_best,
    check_second_best,
    check_confusion_4_6,
    check_confusion_1_2,
    check_confusion_9_10,
    check_five_better,
    check_only_class_3,
    check_networks,
    check_class4_limit,
    check_least_represented,
    check_least_separable,
    check_best_urban,
    check_sensors,
    check_without_comparison,
    check_figure9,
)
