"""Checks of the sentences that rank or quote scores: abstract, sections 4 to 6."""

from collections.abc import Callable

import numpy as np

from multisenge_lib.audit.bounds import HALF, extreme_matrices
from multisenge_lib.audit.data_claims import merged_shares
from multisenge_lib.audit.finding import Evidence, Outcome, check, compared, judged
from multisenge_lib.audit.table_claims import CLASSES, model_margins
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


def _f1_named(e: Evidence, classes: int) -> np.ndarray:
    """F1 of the classes that the claim names: `(methods, classes)`."""
    return _f1(e, classes)[:, np.subtract(e.ids, 1)]


def _ids(where: np.ndarray) -> list[int]:
    """Class ids of the positions where something is so."""
    return [int(i) + 1 for i in np.flatnonzero(where)]


def _best(values: np.ndarray) -> str:
    """The method with the highest value, of one value a method."""
    return METHODS[int(np.argmax(values))]


def _wins(values: np.ndarray, method: int) -> np.ndarray:
    """Where a method has the highest of `(methods, classes)` values: `(classes,)`."""
    return values.argmax(axis=0) == method


# Which method is best


@check("abstract-weighted-f1", tables=lambda e: [e.paper.weighted(n)[:, [2]] for n in CLASSES])
@check("s1-class4", tables=lambda e: [_f1_named(e, 6)])
@check("best-weighted", tables=lambda e: [e.paper.weighted(6)[:, [i]] for i in (0, 2)])
@check("kappa-best", tables=lambda e: [e.paper.kappa(10)[:, None]])
@check("natural-better", tables=lambda e: [_f1(e, 10)[:, _NATURAL]])
@check("best-urban", tables=lambda e: [_f1(e, 10)[:, _URBAN]])
@check("weaker-confusion", tables=lambda e: [e.paper.weighted(10)[:, [1]]])
def named_best(e: Evidence, tables: Callable[[Evidence], list[np.ndarray]]) -> Outcome:
    """Whether the method named has the highest mean of each table, and it is what is printed."""
    means = [table.mean(axis=1) for table in tables(e)]
    best, highest = [_best(mean) for mean in means], [mean.max() for mean in means]
    wins = [_wins(table, METHODS.index(e.names[0])).sum() for table in tables(e)]
    off = max(np.subtract([*e.stated.values()], highest), key=abs) if e.stated else None
    right = {*best} <= {*e.names} and not off
    values = dict(means=means, rest=[1 - mean for mean in means], wins=wins)
    return judged(right, off, off if off is None else 0.0, best=best, highest=highest, **values)


@check("networks-best")
def networks(e: Evidence) -> Outcome:
    six, ten = (_f1_named(e, n)[:, 0] for n in CLASSES)
    best, best_of_six = _best(ten), _best(six)
    right = best == e.names[0]
    return judged(right, best=best, highest=ten.max(), ten=ten, best_of_six=best_of_six)


@check("second-best")
def second_best(e: Evidence) -> dict[str, Outcome]:
    derived = np.array([found.kappa for found in model_margins(e, 10)])
    scores = {"weighted-f1": e.paper.weighted(10)[:, 2], "kappa": e.paper.kappa(10)}
    second = {part: METHODS[np.argsort(values)[-2]] for part, values in scores.items()}
    other = METHODS[np.argsort(derived)[-2]]
    return {
        part: judged((second[part],) == e.names, second=second[part], values=values, other=other)
        for part, values in scores.items()
    }


@check("visual-best")
def visual_best(e: Evidence) -> Outcome:
    ranked = {
        "weighted F1": e.paper.weighted(6)[:, 2],
        "kappa": e.paper.kappa(6),
        "mean F1": _f1(e, 6).mean(axis=1),
    }
    top = {score: {METHODS[i] for i in np.argsort(v)[-2:]} for score, v in ranked.items()}
    fit = [score for score, methods in top.items() if methods == {*e.names}]
    last = [f"{METHODS[v.argmin()]} by {score}" for score, v in ranked.items()]
    right = True if len(fit) == len(ranked) else None if fit else False
    return judged(right, fit=" and ".join(fit) or "none", ranked=ranked, last=last)


@check("s1s2-best")
def s1s2_best(e: Evidence) -> dict[str, Outcome]:
    outcomes = {}
    for score, column in (("F1", 2), ("recall", 1)):
        table = e.paper.scores(6)[..., column]
        won = _ids(_wins(table, S1S2))
        lost = {i: table[:, i - 1] for i in e.ids if i not in won}
        each = [
            dict(i=i, own=v[S1S2], place=(v > v[S1S2]).sum() + 1, best=_best(v), highest=v.max())
            for i, v in lost.items()
        ]
        outcomes[score.lower()] = judged(not lost, score=score, won=won, count=len(won), each=each)
    return outcomes


@check("most-classes")
def most_classes(e: Evidence) -> Outcome:
    won = _wins(_f1(e, 10), INCEPTION)
    return judged(won.mean() > 0.5, won=won.sum(), of=len(won))


@check("s2-wins")
def s2_wins(e: Evidence) -> Outcome:
    table, found = _f1(e, 10), _ids(_wins(_f1(e, 10), S2))
    wrong = sorted({*e.ids} ^ {*found})
    each = [dict(i=i, own=table[S2, i - 1], other=table[INCEPTION, i - 1]) for i in wrong]
    right = e.ids == found and e.value == len(found)
    return judged(right, found=found, derived=len(found), each=each)


# Scores quoted


@check("close-weighted-f1")
def close(e: Evidence) -> Outcome:
    return compared([*e.stated.values()], e.paper.weighted(6)[[S1S2, INCEPTION], 2])


@check("kappa-range")
def kappa_range(e: Evidence) -> Outcome:
    kappa = e.paper.kappa(6)
    ends, lowest = [kappa.min(), kappa.max()], METHODS[kappa.argmin()]
    right = [*e.stated.values()] == ends
    return judged(right, e.stated["low"] - ends[0], 0.0, ends=ends, lowest=lowest)


@check("global-scores")
def global_scores(e: Evidence) -> dict[str, Outcome]:
    stated, (precision, recall, f1) = e.stated, e.paper.weighted(10).T
    table = {"accuracy": recall, "weighted_f1": f1, "mean_f1": _f1(e, 10).mean(axis=1)}
    printed = np.array([*stated.values()])
    derived = np.array([table[name][INCEPTION] for name in stated])
    best = {name.replace("_", " "): _best(values) for name, values in table.items()}
    best["weighted precision"] = _best(precision)
    others = [dict(name=name, best=of) for name, of in best.items() if of != METHODS[INCEPTION]]
    rounding = 2 * HALF  # of what is quoted and of what it is quoted from
    as_quoted, exchanged = (printed - derived)[1:], printed[[2, 1]] - derived[[1, 2]]
    quoted = compared(printed, derived, rounding, as_quoted=as_quoted, exchanged=exchanged)
    in_order = compared(sorted(printed), sorted(derived), rounding)
    every = judged(not others, each=others, precision=precision)
    return {"order": quoted, "values": in_order, "all": every}


@check("f1-limit")
def class4_limit(e: Evidence) -> Outcome:
    highest = max(_f1_named(e, n).max() for n in CLASSES)
    return judged(highest <= e.value, highest=highest)


@check("least-represented")
def least_represented(e: Evidence) -> Outcome:
    stated, scores = e.stated, _f1(e, 10)[INCEPTION]
    rare = merged_shares(e, 10) < stated["percent"]
    each = [dict(i=i, score=scores[i - 1]) for i in _ids(rare)]
    below = _ids(rare & (scores <= stated["f1"]))
    return judged(not below, each=each, below=below)


@check("least-separable")
def least_separable(e: Evidence) -> Outcome:
    order = np.argsort(_f1(e, 10)[INCEPTION]) + 1
    lowest = sorted(order[: len(e.ids)].tolist())
    return judged(sorted(e.ids) == lowest, lowest=lowest)


# Precision and recall


def _recall_above(e: Evidence, classes: int) -> np.ndarray:
    """Where recall is above precision: `(methods, classes)`."""
    precision, recall, _ = np.moveaxis(e.paper.scores(classes), -1, 0)
    return recall > precision


def _pairs(where: np.ndarray) -> list[dict[str, object]]:
    return [dict(method=METHODS[m], i=c + 1) for m, c in np.argwhere(where)]


@check("recall-systematic")
def recall_systematic(e: Evidence) -> Outcome:
    above, averages = _recall_above(e, 6), e.paper.weighted(6)
    everywhere, urban = ([where.sum(), where.size] for where in (above, above[:, _URBAN]))
    counts = dict(above=everywhere, urban=urban, below=(averages[:, 1] < averages[:, 0]).sum())
    return judged(above.all(), each=_pairs(~above), **counts)


@check("recall-almost", some=_URBAN, trend=True)
@check("recall-natural", some=_NATURAL, trend=False)
def recall_trend(e: Evidence, some: slice, trend: bool) -> Outcome:
    above = _recall_above(e, 10)[:, some]
    right, counts = (above.mean() > _ALMOST) == trend, dict(above=above.sum(), pairs=above.size)
    return judged(right, each=_pairs(~above), almost=_ALMOST, **counts)


@check("precision-inception")
def precision_inception(e: Evidence) -> dict[str, Outcome]:
    precision, named = e.paper.scores(6)[..., 0], np.subtract(e.ids, 1)
    higher, similar = named[:2], named[2:]
    own, highest = precision[INCEPTION], precision.max(axis=0)
    won = [i + 1 for i in higher if own[i] == highest[i]]
    quoted = e.paper.stated("close-weighted-f1")
    yardstick, short = abs(quoted["s1s2"] - quoted["inception"]), (highest - own)[similar]
    each = [dict(i=i + 1, own=own[i], highest=highest[i]) for i in similar]
    others = precision[:INCEPTION, higher].max(axis=0)
    measure = (short <= yardstick).all(), -short.max(), yardstick
    return {
        "higher": judged(len(won) == len(higher), won=won, own=own[higher], others=others),
        "similar": judged(*measure, each=each, yardstick=yardstick, short=short),
    }


# Ten classes against six; both sensors against one; Inception


@check("abstract-ten-classes")
def ten_classes(e: Evidence) -> Outcome:
    six, ten = (_f1(e, n)[:, _URBAN] for n in CLASSES)
    means = six.mean(axis=1), ten.mean(axis=1)
    right, better = (means[1] > means[0]).all(), (ten > six).sum()
    return judged(right, six=means[0], ten=means[1], better=better, cases=ten.size)


@check("five-better")
def five_better(e: Evidence) -> Outcome:
    ten, six = _f1(e, 10)[INCEPTION, _URBAN], _f1(e, 6)[:, _URBAN].max(axis=0)
    return compared(e.value, (ten > six).sum(), six=six, ten=ten)


@check("only-class-3")
def only_class_3(e: Evidence) -> Outcome:
    six, ten = (_f1(e, n)[INCEPTION, _URBAN] for n in CLASSES)
    worse = _ids(six > ten)
    return judged(e.ids == worse, worse=worse, six=six, ten=ten)


def _gain(e: Evidence, method: int, other: int) -> dict[int, np.ndarray]:
    """F1 of a method less that of another, by class, averages last; by number of classes."""
    f1 = {n: np.append(_f1(e, n), e.paper.weighted(n)[:, [2]], axis=1) for n in CLASSES}
    return {n: scores[method] - scores[other] for n, scores in f1.items()}


@check("abstract-inception")
def inception(e: Evidence) -> Outcome:
    gain = _gain(e, INCEPTION, S1S2)
    f1, better = (
        {n: g[-1] for n, g in gain.items()},
        {n: (g[:-1] > 0).sum() for n, g in gain.items()},
    )
    kappa = {n: e.paper.kappa(n)[INCEPTION] - e.paper.kappa(n)[S1S2] for n in CLASSES}
    return judged(min(*f1.values(), *kappa.values()) > 0, f1=f1, kappa=kappa, better=better)


@check("multimodal")
def multimodal(e: Evidence) -> dict[str, Outcome]:
    gain = _gain(e, S1S2, S2)
    means = {n: g[_URBAN].mean() for n, g in gain.items()}
    wins = {n: (g[_URBAN] > 0).sum() for n, g in gain.items()}
    right = True if min(means.values()) > 0 else None if max(means.values()) > 0 else False
    weighted = {n: g[-1] for n, g in gain.items()}
    sensors = judged(right, means=means, weighted=weighted, wins=wins)
    return {"sensors": sensors, "dates": judged(None)}


@check("s1-contribution")
def sentinel1(e: Evidence) -> Outcome:
    gain = _gain(e, S1S2, S2)[10][_NATURAL][:-1]
    return judged(None, rises=(gain > 0).sum(), gain=gain)


# Confusion: what margins bound, and what they leave open


@check("confusion-4-6", classes=6, method=INCEPTION, row=6, column=4)
@check("confusion-1-2", classes=6, method=INCEPTION, row=2, column=1)
@check("confusion-9-10", classes=10, method=S2, row=9, column=10)
def confusion(e: Evidence, classes: int, method: int, row: int, column: int) -> Outcome:
    """Strong is more than half of what a method wrongly predicts as the class `column`."""
    i, j, models = row - 1, column - 1, model_margins(e, classes)
    ends = np.array([extreme_matrices(found, i, j)[:, i, j] for found in models])
    wrong = np.array([found.predicted[j] - found.hit[j] for found in models])
    low, high = shares = (ends / wrong[:, None]).T
    right = True if low[method] > 0.5 else False if high[method] <= 0.5 else None
    ranges = [f"{100 * a:.0f}-{100 * b:.0f} %" for a, b in shares.T]
    precision = e.paper.scores(classes)[method, j, 0]
    return judged(right, ranges=ranges, sure=(low > 0.5).sum(), precision=precision)
