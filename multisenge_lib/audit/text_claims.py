"""Checks of the sentences that rank or quote scores: abstract, sections 4 to 6."""

from collections.abc import Callable

import numpy as np

from multisenge_lib.audit.bounds import HALF_UNIT_4DP, extreme_matrices
from multisenge_lib.audit.data_claims import merged_shares
from multisenge_lib.audit.evidence import Evidence
from multisenge_lib.audit.finding import Outcome, check, compared, judged
from multisenge_lib.audit.replications import answers_in_words, sensor_gains_in_words
from multisenge_lib.audit.table_claims import CLASSES, model_margins
from multisenge_lib.dataset import URBAN
from multisenge_lib.paper import METHODS

#: Positions of the methods.
S1, S2, S1S2, INCEPTION = range(4)
#: Positions of the urban classes.
_URBAN = slice(0, len(URBAN))
#: Positions of the other classes.
_NATURAL = slice(len(URBAN), None)
#: "Almost every" is read as more than this share.
_ALMOST = 0.75


def _f1(evidence: Evidence, classes: int) -> np.ndarray:
    """F1 of Table 5 or 7: `(methods, classes)`."""
    return evidence.paper.scores(classes)[..., 2]


def _f1_named(evidence: Evidence, classes: int) -> np.ndarray:
    """F1 of the classes that the claim names: `(methods, classes)`."""
    return _f1(evidence, classes)[:, np.subtract(evidence.ids, 1)]


def _ids(where: np.ndarray) -> list[int]:
    """Class ids of the positions that are true."""
    return [int(position) + 1 for position in np.flatnonzero(where)]


def _best(values: np.ndarray) -> str:
    """The method with the highest of `(methods,)` values."""
    return METHODS[int(np.argmax(values))]


def _wins(values: np.ndarray, method: int) -> np.ndarray:
    """Where a method has the highest of `(methods, classes)` values: `(classes,)`."""
    return values.argmax(axis=0) == method


def _right_by(agreeing: int, measures: int) -> bool | None:
    """Judge a sentence that does not say by which measure: right by all, by none, else open."""
    if agreeing == measures:
        return True
    return None if agreeing else False


# Which method is best


@check("abstract-weighted-f1", tables=lambda e: [e.paper.weighted(n)[:, [2]] for n in CLASSES])
@check("s1-class4", tables=lambda e: [_f1_named(e, 6)])
@check("best-weighted", tables=lambda e: [e.paper.weighted(6)[:, [i]] for i in (0, 2)])
@check("kappa-best", tables=lambda e: [e.paper.kappa(10)[:, None]])
@check("natural-better", tables=lambda e: [_f1(e, 10)[:, _NATURAL]])
@check("best-urban", tables=lambda e: [_f1(e, 10)[:, _URBAN]])
@check("weaker-confusion", tables=lambda e: [e.paper.weighted(10)[:, [1]]])
def named_best(evidence: Evidence, tables: Callable[[Evidence], list[np.ndarray]]) -> Outcome:
    """Whether the method named has the highest mean of each table, and it is what is printed.

    Args:
        evidence: what to draw on.
        tables: gives tables of scores, each `(methods, classes)`.
    """
    method = METHODS.index(evidence.names[0])
    means = []
    best = []
    highest = []
    wins = []
    for table in tables(evidence):
        mean = table.mean(axis=1)
        means.append(mean)
        best.append(_best(mean))
        highest.append(mean.max())
        wins.append(_wins(table, method).sum())

    difference = None
    tolerance = None
    if evidence.stated:
        differences = np.subtract(list(evidence.stated.values()), highest)
        difference = max(differences, key=abs)
        tolerance = 0.0
    named_is_best = set(best) <= set(evidence.names)
    return judged(
        named_is_best and not difference,
        difference,
        tolerance,
        best=best,
        highest=highest,
        means=means,
        rest=[1 - mean for mean in means],
        wins=wins,
    )


@check("networks-best")
def networks(evidence: Evidence) -> Outcome:
    six = _f1_named(evidence, 6)[:, 0]
    ten = _f1_named(evidence, 10)[:, 0]
    best = _best(ten)
    return judged(
        best == evidence.names[0], best=best, highest=ten.max(), ten=ten, best_of_six=_best(six)
    )


@check("second-best")
def second_best(evidence: Evidence) -> dict[str, Outcome]:
    # Two kappas of Table 8 are exchanged, so the derived ones are ranked beside the printed.
    derived_kappa = np.array([margins.kappa for margins in model_margins(evidence, 10)])
    second_by_derived_kappa = METHODS[np.argsort(derived_kappa)[-2]]
    printed = {
        "weighted-f1": evidence.paper.weighted(10)[:, 2],
        "kappa": evidence.paper.kappa(10),
    }
    outcomes = {}
    for part, values in printed.items():
        second = METHODS[np.argsort(values)[-2]]
        outcomes[part] = judged(
            (second,) == evidence.names,
            second=second,
            values=values,
            other=second_by_derived_kappa,
        )
    return outcomes


@check("visual-best")
def visual_best(evidence: Evidence) -> Outcome:
    ranked = {
        "weighted F1": evidence.paper.weighted(6)[:, 2],
        "kappa": evidence.paper.kappa(6),
        "mean F1": _f1(evidence, 6).mean(axis=1),
    }
    fit = []
    last = []
    for score, values in ranked.items():
        best_two = {METHODS[i] for i in np.argsort(values)[-2:]}
        if best_two == set(evidence.names):
            fit.append(score)
        last.append(f"{METHODS[values.argmin()]} by {score}")
    right = _right_by(len(fit), len(ranked))
    return judged(right, fit=" and ".join(fit) or "none", ranked=ranked, last=last)


@check("s1s2-best")
def s1s2_best(evidence: Evidence) -> dict[str, Outcome]:
    outcomes = {}
    for score, column in (("F1", 2), ("recall", 1)):
        table = evidence.paper.scores(6)[..., column]
        won = _ids(_wins(table, S1S2))
        lost = []
        for class_id in evidence.ids:
            if class_id in won:
                continue
            values = table[:, class_id - 1]
            lost.append(
                {
                    "i": class_id,
                    "own": values[S1S2],
                    "place": (values > values[S1S2]).sum() + 1,
                    "best": _best(values),
                    "highest": values.max(),
                }
            )
        outcomes[score.lower()] = judged(not lost, score=score, won=won, count=len(won), each=lost)
    return outcomes


@check("most-classes")
def most_classes(evidence: Evidence) -> Outcome:
    won = _wins(_f1(evidence, 10), INCEPTION)
    return judged(won.mean() > 0.5, won=won.sum(), of=len(won))


@check("s2-wins")
def s2_wins(evidence: Evidence) -> Outcome:
    table = _f1(evidence, 10)
    won = _ids(_wins(table, S2))
    wrong = []
    for class_id in sorted(set(evidence.ids) ^ set(won)):
        own = table[S2, class_id - 1]
        other = table[INCEPTION, class_id - 1]
        wrong.append({"i": class_id, "own": own, "other": other})
    right = evidence.ids == won and evidence.value == len(won)
    return judged(right, won=won, derived=len(won), each=wrong)


# Scores quoted


@check("close-weighted-f1")
def close(evidence: Evidence) -> Outcome:
    quoted = list(evidence.stated.values())
    return compared(quoted, evidence.paper.weighted(6)[[S1S2, INCEPTION], 2])


@check("kappa-range")
def kappa_range(evidence: Evidence) -> Outcome:
    kappa = evidence.paper.kappa(6)
    ends = [kappa.min(), kappa.max()]
    quoted = list(evidence.stated.values())
    return judged(
        quoted == ends, quoted[0] - ends[0], 0.0, ends=ends, lowest=METHODS[kappa.argmin()]
    )


#: Landis and Koch (1977): the highest kappa that each word is used for.
_KAPPA_WORDS = {0.2: "slight", 0.4: "fair", 0.6: "moderate", 0.8: "substantial", 1.0: "perfect"}


def _word_for(kappa: float) -> str:
    """The word of Landis and Koch for a kappa above 0."""
    return next(word for limit, word in _KAPPA_WORDS.items() if kappa <= limit)


@check("kappa-words")
def kappa_words(evidence: Evidence) -> Outcome:
    kappas = evidence.paper.kappa(6)
    rows = [{"kappa": kappa, "word": _word_for(kappa)} for kappa in kappas]
    all_slight = all(row["word"] == "slight" for row in rows)
    # "Very low" is no word of the scale: only where all are slight can it mean nothing else.
    return judged(all_slight or None, each=rows)


@check("global-scores")
def global_scores(evidence: Evidence) -> dict[str, Outcome]:
    precision, recall, f1 = evidence.paper.weighted(10).T
    table = {
        "accuracy": recall,
        "weighted_f1": f1,
        "mean_f1": _f1(evidence, 10).mean(axis=1),
    }
    printed = np.array(list(evidence.stated.values()))
    derived = np.array([table[name][INCEPTION] for name in evidence.stated])

    best = {name.replace("_", " "): _best(values) for name, values in table.items()}
    best["weighted precision"] = _best(precision)
    others = []
    for name, method in best.items():
        if method != METHODS[INCEPTION]:
            others.append({"name": name, "best": method})

    # Both what is quoted and what it is quoted from are rounded.
    rounding = 2 * HALF_UNIT_4DP
    as_quoted = (printed - derived)[1:]
    exchanged = printed[[2, 1]] - derived[[1, 2]]
    return {
        "order": compared(printed, derived, rounding, as_quoted=as_quoted, exchanged=exchanged),
        "values": compared(sorted(printed), sorted(derived), rounding),
        "all": judged(not others, each=others, precision=precision),
    }


@check("f1-limit")
def class4_limit(evidence: Evidence) -> Outcome:
    highest = max(_f1_named(evidence, classes).max() for classes in CLASSES)
    return judged(highest <= evidence.value, highest=highest)


@check("least-represented")
def least_represented(evidence: Evidence) -> Outcome:
    stated = evidence.stated
    scores = _f1(evidence, 10)[INCEPTION]
    rare = merged_shares(evidence, 10) < stated["percent"]
    rows = [{"i": i, "score": scores[i - 1]} for i in _ids(rare)]
    below = _ids(rare & (scores <= stated["f1"]))
    return judged(not below, each=rows, below=below)


@check("least-separable")
def least_separable(evidence: Evidence) -> Outcome:
    ids_by_score = np.argsort(_f1(evidence, 10)[INCEPTION]) + 1
    lowest = sorted(ids_by_score[: len(evidence.ids)].tolist())
    return judged(sorted(evidence.ids) == lowest, lowest=lowest)


# Precision and recall


def _recall_above(evidence: Evidence, classes: int) -> np.ndarray:
    """Where recall is above precision: `(methods, classes)`."""
    precision, recall, _ = np.moveaxis(evidence.paper.scores(classes), -1, 0)
    return recall > precision


def _pairs(where: np.ndarray) -> list[dict[str, object]]:
    """Method and class id of each position that is true."""
    return [{"method": METHODS[m], "i": position + 1} for m, position in np.argwhere(where)]


@check("recall-systematic")
def recall_systematic(evidence: Evidence) -> Outcome:
    above = _recall_above(evidence, 6)
    urban = above[:, _URBAN]
    precision, recall, _ = evidence.paper.weighted(6).T
    return judged(
        above.all(),
        each=_pairs(~above),
        above=[above.sum(), above.size],
        urban=[urban.sum(), urban.size],
        below=(recall < precision).sum(),
    )


@check("recall-almost", some=_URBAN, trend=True)
@check("recall-natural", some=_NATURAL, trend=False)
def recall_trend(evidence: Evidence, some: slice, trend: bool) -> Outcome:
    above = _recall_above(evidence, 10)[:, some]
    has_trend = above.mean() > _ALMOST
    return judged(
        has_trend == trend,
        each=_pairs(~above),
        almost=_ALMOST,
        above=above.sum(),
        pairs=above.size,
    )


@check("precision-inception")
def precision_inception(evidence: Evidence) -> dict[str, Outcome]:
    precision = evidence.paper.scores(6)[..., 0]
    own = precision[INCEPTION]
    highest = precision.max(axis=0)
    positions = np.subtract(evidence.ids, 1)
    # The sentence names two classes as always higher and then three as very similar.
    higher = positions[:2]
    similar = positions[2:]

    won = [position + 1 for position in higher if own[position] == highest[position]]
    others = precision[:INCEPTION, higher].max(axis=0)

    # "Very similar" is not defined; the paper calls two scores "very close" in the same section.
    close = evidence.paper.stated("close-weighted-f1")
    yardstick = abs(close["s1s2"] - close["inception"])
    short = (highest - own)[similar]
    rows = [{"i": i + 1, "own": own[i], "highest": highest[i]} for i in similar]
    return {
        "higher": judged(len(won) == len(higher), won=won, own=own[higher], others=others),
        "similar": judged(
            (short <= yardstick).all(),
            -short.max(),
            yardstick,
            each=rows,
            yardstick=yardstick,
            short=short,
        ),
    }


# Ten classes against six; both sensors against one; Inception


@check("abstract-ten-classes")
def ten_classes(evidence: Evidence) -> Outcome:
    six = _f1(evidence, 6)[:, _URBAN]
    ten = _f1(evidence, 10)[:, _URBAN]
    mean_six = six.mean(axis=1)
    mean_ten = ten.mean(axis=1)
    right = (mean_ten > mean_six).all()
    return judged(right, six=mean_six, ten=mean_ten, better=(ten > six).sum(), cases=ten.size)


@check("five-better")
def five_better(evidence: Evidence) -> Outcome:
    ten = _f1(evidence, 10)[INCEPTION, _URBAN]
    best_six = _f1(evidence, 6)[:, _URBAN].max(axis=0)
    return compared(evidence.value, (ten > best_six).sum(), six=best_six, ten=ten)


@check("only-class-3")
def only_class_3(evidence: Evidence) -> Outcome:
    six = _f1(evidence, 6)[INCEPTION, _URBAN]
    ten = _f1(evidence, 10)[INCEPTION, _URBAN]
    worse = _ids(six > ten)
    return judged(evidence.ids == worse, worse=worse, six=six, ten=ten)


def _gain(evidence: Evidence, classes: int, method: int, other: int) -> np.ndarray:
    """F1 of a method less another's: `(classes + 1,)`, the weighted average last."""
    weighted_f1 = evidence.paper.weighted(classes)[:, [2]]
    f1 = np.append(_f1(evidence, classes), weighted_f1, axis=1)
    return f1[method] - f1[other]


@check("abstract-inception")
def inception(evidence: Evidence) -> dict[str, Outcome]:
    outcomes = {}
    for classes in CLASSES:
        gain = _gain(evidence, classes, INCEPTION, S1S2)
        kappa = evidence.paper.kappa(classes)
        gains = {
            "weighted F1": gain[-1],
            "kappa": kappa[INCEPTION] - kappa[S1S2],
            "mean F1": gain[:-1].mean(),
            "mean urban F1": gain[_URBAN].mean(),
        }
        improved = [name for name, value in gains.items() if value > 0]
        right = _right_by(len(improved), len(gains))
        rows = [{"score": name, "gain": value} for name, value in gains.items()]
        better = (gain[:-1] > 0).sum()
        outcomes[str(classes)] = judged(right, each=rows, improved=improved, better=better)
    return outcomes


@check("multimodal")
def multimodal(evidence: Evidence) -> dict[str, Outcome]:
    means = {}
    wins = {}
    weighted = {}
    for classes in CLASSES:
        gain = _gain(evidence, classes, S1S2, S2)
        means[classes] = gain[_URBAN].mean()
        wins[classes] = (gain[_URBAN] > 0).sum()
        weighted[classes] = gain[-1]
    right = _right_by(sum(mean > 0 for mean in means.values()), len(means))
    return {
        "sensors": judged(
            right, means=means, weighted=weighted, wins=wins, others=sensor_gains_in_words()
        ),
        "dates": judged(None),
    }


@check("s1-contribution")
def sentinel1(evidence: Evidence) -> Outcome:
    gain = _gain(evidence, 10, S1S2, S2)[:-1]
    natural = gain[_NATURAL]
    return judged(None, rises=(natural > 0).sum(), gain=natural, others=sensor_gains_in_words())


# Confusion: what margins bound, and what they leave open


@check("confusion-4-6", classes=6, method=INCEPTION, row=6, column=4)
@check("confusion-1-2", classes=6, method=INCEPTION, row=2, column=1)
@check("confusion-9-10", classes=10, method=S2, row=9, column=10)
def confusion(evidence: Evidence, classes: int, method: int, row: int, column: int) -> Outcome:
    """Whether a class is strongly confused with another, the class `column`.

    The paper does not say what is strong. We take: more than half of the pixels that the method
    wrongly predicts as `column` are of the class `row`.
    """
    # The matrices are not printed; their margins leave each cell a range.
    low = []
    high = []
    for margins in model_margins(evidence, classes):
        least, most = extreme_matrices(margins, row - 1, column - 1)[:, row - 1, column - 1]
        wrong = margins.predicted[column - 1] - margins.hit[column - 1]
        low.append(least / wrong)
        high.append(most / wrong)
    if low[method] > 0.5:
        right = True
    elif high[method] <= 0.5:
        right = False
    else:
        right = None
    ranges = [f"{100 * a:.0f}-{100 * b:.0f} %" for a, b in zip(low, high, strict=True)]
    return judged(
        right,
        ranges=ranges,
        sure=(np.array(low) > 0.5).sum(),
        precision=evidence.paper.scores(classes)[method, column - 1, 0],
        others=answers_in_words(evidence.claim, evidence.replication),
    )


@check("vineyards-confusion", class_id=7)
@check("networks-confusion", class_id=5)
def confusion_elsewhere(evidence: Evidence, class_id: int) -> Outcome:
    """What other models show where the paper prints no margin that bears on the sentence."""
    precision, recall, _ = evidence.paper.scores(10)[INCEPTION, class_id - 1]
    others = answers_in_words(evidence.claim, evidence.replication)
    return judged(None, precision=precision, recall=recall, others=others)
