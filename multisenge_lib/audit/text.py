"""Checks of the sentences that rank or quote scores: abstract, sections 4 to 6."""

import numpy as np

from multisenge_lib.audit.bounds import HALF
from multisenge_lib.audit.dataset import merged_shares
from multisenge_lib.audit.finding import Evidence, Outcome, check, counted, judged, measured
from multisenge_lib.audit.tables import CLASSES, model_margins
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
    return [int(i) - 1 for i in e.paper.names(claim)]


def _ids(where: np.ndarray) -> list[int]:
    """Class ids of the positions where something is so."""
    return [int(i) + 1 for i in np.flatnonzero(where)]


def _best(values: np.ndarray) -> str:
    """The method with the highest value, of one value a method."""
    return METHODS[int(np.argmax(values))]


def named_best(e: Evidence, claim: str, values: np.ndarray, **more: object) -> Outcome:
    """Whether the one method that a claim names has the highest of these values."""
    return judged((_best(values),) == e.paper.names(claim), values=values, **more)


def _wins(values: np.ndarray, method: int) -> np.ndarray:
    """Where a method has the highest of `(methods, classes)` values: `(classes,)`."""
    return values.argmax(axis=0) == method


# Abstract


@check("abstract-weighted-f1")
def weighted_f1(e: Evidence) -> Outcome:
    six, ten = (e.paper.weighted(n)[:, 2] for n in CLASSES)
    best, (named,) = [_best(six), _best(ten)], e.paper.names("abstract-weighted-f1")
    return judged({*best} == {named}, six=six, ten=ten, best=best)


@check("abstract-inception")
def inception(e: Evidence) -> Outcome:
    f1 = {n: e.paper.weighted(n)[INCEPTION, 2] - e.paper.weighted(n)[S1S2, 2] for n in CLASSES}
    kappa = {n: e.paper.kappa(n)[INCEPTION] - e.paper.kappa(n)[S1S2] for n in CLASSES}
    better = {n: (_f1(e, n)[INCEPTION] > _f1(e, n)[S1S2]).sum() for n in CLASSES}
    right = min(*f1.values(), *kappa.values()) > 0
    return judged(right, f1=f1, kappa=kappa, better=better)


@check("abstract-ten-classes")
def ten_classes(e: Evidence) -> Outcome:
    six, ten = (_f1(e, n)[:, _URBAN] for n in CLASSES)
    means = six.mean(axis=1), ten.mean(axis=1)
    better = (ten > six).sum()
    right = (means[1] > means[0]).all()
    return judged(right, six=means[0], ten=means[1], better=better, cases=ten.size)


# Section 4.1, 6 classes


@check("s1-class4")
def class4_best(e: Evidence) -> Outcome:
    (method, name), printed = e.paper.names("s1-class4"), e.paper.value("s1-class4")
    scores = _f1(e, 6)[:, int(name) - 1]
    best, highest = _best(scores), scores.max()
    right = method == best and printed == highest
    return judged(right, printed - highest, 0.0, best=best, highest=highest, scores=scores)


def _rank(values: np.ndarray) -> str:
    place = int((values > values[S1S2]).sum()) + 1
    highest = f"{_best(values)} has {values.max():.4f}"
    return f"{values[S1S2]:.4f} is number {place} of four, {highest}"


@check("s1s2-best")
def s1s2_best(e: Evidence) -> dict[str, Outcome]:
    outcomes = {}
    for score, column in (("F1", 2), ("recall", 1)):
        table = e.paper.scores(6)[..., column]
        won = _ids(_wins(table, S1S2))
        lost = [i for i in map(int, e.paper.names("s1s2-best")) if i not in won]
        notes = "".join(f" In class {i} its {score} of {_rank(table[:, i - 1])}." for i in lost)
        outcomes[score.lower()] = judged(
            not lost, score=score, won=won, count=len(won), notes=notes
        )
    return outcomes


@check("close-weighted-f1")
def close(e: Evidence) -> Outcome:
    printed = [*e.paper.stated("close-weighted-f1").values()]
    derived = e.paper.weighted(6)[[S1S2, INCEPTION], 2]
    return measured(max(printed - derived, key=abs), 0.0, printed=printed, derived=derived)


@check("best-weighted")
def best_weighted(e: Evidence) -> Outcome:
    printed, (named,) = [*e.paper.stated("best-weighted").values()], e.paper.names("best-weighted")
    precision, _, f1 = e.paper.weighted(6).T
    highest, best = np.array([precision.max(), f1.max()]), [_best(precision), _best(f1)]
    difference = max(printed - highest, key=abs)
    right = not difference and {*best} == {named}
    return judged(right, difference, 0.0, printed=printed, highest=highest, best=best)


def _recall_above(e: Evidence, classes: int) -> np.ndarray:
    """Where recall is above precision: `(methods, classes)`."""
    precision, recall, _ = np.moveaxis(e.paper.scores(classes), -1, 0)
    return recall > precision


def _pairs(where: np.ndarray) -> str:
    return "; ".join(f"{METHODS[m]} class {c + 1}" for m, c in np.argwhere(where)) or "none"


@check("recall-systematic")
def recall_systematic(e: Evidence) -> Outcome:
    above, averages = _recall_above(e, 6), e.paper.weighted(6)
    everywhere, urban = ([where.sum(), where.size] for where in (above, above[:, _URBAN]))
    counts = dict(above=everywhere, urban=urban, below=(averages[:, 1] < averages[:, 0]).sum())
    return judged(above.all(), exceptions=_pairs(~above), **counts)


@check("precision-inception")
def precision_inception(e: Evidence) -> dict[str, Outcome]:
    named = _positions(e, "precision-inception")
    precision, (higher, similar) = e.paper.scores(6)[..., 0], (named[:2], named[2:])
    own, highest = precision[INCEPTION], precision.max(axis=0)
    won = [i + 1 for i in higher if own[i] == highest[i]]
    quoted = e.paper.stated("close-weighted-f1")
    yardstick = abs(quoted["s1s2"] - quoted["inception"])
    short = (highest - own)[similar]
    return {
        "higher": judged(
            len(won) == len(higher),
            won=won,
            own=own[higher],
            others=precision[:INCEPTION, higher].max(axis=0),
        ),
        "similar": judged(
            (short <= yardstick).all(),
            -short.max(),
            yardstick,
            each="; ".join(f"({i + 1}) {own[i]:.4f} against {highest[i]:.4f}" for i in similar),
            yardstick=yardstick,
            short=short,
        ),
    }


@check("kappa-range")
def kappa_range(e: Evidence) -> Outcome:
    stated, kappa = e.paper.stated("kappa-range"), e.paper.kappa(6)
    ends, lowest = [kappa.min(), kappa.max()], METHODS[kappa.argmin()]
    right = [*stated.values()] == ends
    return judged(right, stated["low"] - ends[0], 0.0, ends=ends, lowest=lowest)


@check("visual-best")
def visual_best(e: Evidence) -> Outcome:
    ranked = {
        "weighted F1": e.paper.weighted(6)[:, 2],
        "kappa": e.paper.kappa(6),
        "mean F1": _f1(e, 6).mean(axis=1),
    }
    top = {score: {METHODS[i] for i in np.argsort(v)[-2:]} for score, v in ranked.items()}
    fit = [score for score, methods in top.items() if methods == {*e.paper.names("visual-best")}]
    last = [f"{METHODS[v.argmin()]} by {score}" for score, v in ranked.items()]
    right = True if len(fit) == len(ranked) else None if fit else False
    return judged(right, fit=" and ".join(fit) or "none", ranked=ranked, last=last)


# Section 4.2, 10 classes


def _global(e: Evidence) -> dict[str, np.ndarray]:
    """Accuracy, weighted F1 and mean F1 of the four methods with 10 classes."""
    _, recall, f1 = e.paper.weighted(10).T
    return {"accuracy": recall, "weighted_f1": f1, "mean_f1": _f1(e, 10).mean(axis=1)}


def _quoted(printed: list[float], derived: list[float], **values: object) -> Outcome:
    """Scores quoted to four decimals: rounding moves both."""
    worst = max(np.subtract(printed, derived), key=abs)
    return measured(worst, 2 * HALF, printed=printed, derived=derived, **values)


@check("global-scores")
def global_scores(e: Evidence) -> dict[str, Outcome]:
    stated, table = e.paper.stated("global-scores"), _global(e)
    derived = {name: values[INCEPTION] for name, values in table.items()}
    f1 = "weighted_f1", "mean_f1"
    precision = e.paper.weighted(10)[:, 0]
    others = [
        f"{name.replace('_', ' ')} is highest for {_best(values)}"
        for name, values in {**table, "weighted_precision": precision}.items()
        if values.argmax() != INCEPTION
    ]
    return {
        "order": _quoted(
            [*stated.values()],
            [derived[name] for name in stated],
            as_quoted=[stated[name] - derived[name] for name in f1],
            exchanged=[stated[b] - derived[a] for a, b in (f1, f1[::-1])],
        ),
        "values": _quoted(sorted(stated.values()), sorted(derived.values())),
        "all": judged(not others, others="; ".join(others) or "all four", precision=precision),
    }


@check("most-classes")
def most_classes(e: Evidence) -> Outcome:
    won = _wins(_f1(e, 10), INCEPTION)
    return judged(won.mean() > 0.5, won=won.sum(), of=len(won))


@check("s2-wins")
def s2_wins(e: Evidence) -> Outcome:
    table, count = _f1(e, 10), e.paper.value("s2-wins")
    named, found = [int(i) for i in e.paper.names("s2-wins")], _ids(_wins(table, S2))
    notes = "".join(
        f" In class {i} it is {table[S2, i - 1]:.4f}, against {table[INCEPTION, i - 1]:.4f} for "
        "ConvLSTM+Inception-S1S2."
        for i in sorted({*named} ^ {*found})
    )
    right = named == found and count == len(found)
    return judged(right, found=found, derived=len(found), notes=notes)


@check("natural-better")
def natural(e: Evidence) -> Outcome:
    scores = _f1(e, 10)[:, _NATURAL]
    wins = _wins(scores, INCEPTION).sum()
    return named_best(e, "natural-better", scores.mean(axis=1), wins=wins)


@check("recall-almost")
def recall_almost(e: Evidence) -> Outcome:
    above = _recall_above(e, 10)[:, _URBAN]
    exceptions, right = _pairs(~above), above.mean() > _ALMOST
    return judged(right, above=above.sum(), pairs=above.size, exceptions=exceptions, almost=_ALMOST)


@check("recall-natural")
def recall_natural(e: Evidence) -> Outcome:
    above = _recall_above(e, 10)[:, _NATURAL]
    return judged(above.mean() <= _ALMOST, above=above.sum(), pairs=above.size, almost=_ALMOST)


@check("kappa-best")
def kappa_best(e: Evidence) -> Outcome:
    printed, kappa = e.paper.value("kappa-best"), e.paper.kappa(10)
    (named,), highest, best = e.paper.names("kappa-best"), kappa.max(), _best(kappa)
    right = printed == highest and best == named
    return judged(right, printed - highest, 0.0, best=best, highest=highest)


@check("second-best")
def second_best(e: Evidence) -> dict[str, Outcome]:
    (named,) = e.paper.names("second-best")
    derived = np.array([found.kappa for found in model_margins(e, 10)])
    scores = {"weighted-f1": e.paper.weighted(10)[:, 2], "kappa": e.paper.kappa(10)}
    second = {part: METHODS[np.argsort(values)[-2]] for part, values in scores.items()}
    by_derived = METHODS[np.argsort(derived)[-2]]
    return {
        part: judged(second[part] == named, second=second[part], values=values, other=by_derived)
        for part, values in scores.items()
    }


# Sections 4.3 to 6


@check("five-better")
def five_better(e: Evidence) -> Outcome:
    ten, six = _f1(e, 10)[INCEPTION, _URBAN], _f1(e, 6)[:, _URBAN].max(axis=0)
    return counted(e.paper.value("five-better"), (ten > six).sum(), six=six, ten=ten)


@check("only-class-3")
def only_class_3(e: Evidence) -> Outcome:
    six, ten = (_f1(e, n)[INCEPTION, _URBAN] for n in CLASSES)
    worse = _ids(six > ten)
    right = [*map(int, e.paper.names("only-class-3"))] == worse
    return judged(right, worse=worse, six=six, ten=ten)


@check("networks-best")
def networks(e: Evidence) -> Outcome:
    method, name = e.paper.names("networks-best")
    six, ten = (_f1(e, n)[:, int(name) - 1] for n in CLASSES)
    best, highest = _best(ten), ten.max()
    return judged(best == method, best=best, highest=highest, ten=ten, best_of_six=_best(six))


@check("f1-limit")
def class4_limit(e: Evidence) -> Outcome:
    limit, (position,) = e.paper.value("f1-limit"), _positions(e, "f1-limit")
    highest = max(_f1(e, n)[:, position].max() for n in CLASSES)
    return judged(highest <= limit, limit=limit, highest=highest)


@check("least-represented")
def least_represented(e: Evidence) -> Outcome:
    stated, scores = e.paper.stated("least-represented"), _f1(e, 10)[INCEPTION]
    rare = merged_shares(e, 10) < stated["percent"]
    each = [f"({i}) {scores[i - 1]:.4f}" for i in _ids(rare)]
    below = _ids(rare & (scores <= stated["f1"]))
    return judged(not below, each=each, below=below)


@check("least-separable")
def least_separable(e: Evidence) -> Outcome:
    scores, named = _f1(e, 10)[INCEPTION], sorted(_positions(e, "least-separable"))
    lowest = sorted(np.argsort(scores)[: len(named)].tolist())
    return judged(named == lowest, lowest=[i + 1 for i in lowest])


@check("best-urban")
def best_urban(e: Evidence) -> Outcome:
    urban = _f1(e, 10)[:, _URBAN]
    wins = _wins(urban, INCEPTION).sum()
    return named_best(e, "best-urban", urban.mean(axis=1), wins=wins)


def _sentinel1_gain(e: Evidence, classes: int) -> np.ndarray:
    """F1 of ConvLSTM-S1S2 less that of ConvLSTM-S2, by class."""
    return _f1(e, classes)[S1S2] - _f1(e, classes)[S2]


@check("multimodal")
def multimodal(e: Evidence) -> dict[str, Outcome]:
    urban = {n: _sentinel1_gain(e, n)[_URBAN] for n in CLASSES}
    weighted = {n: e.paper.weighted(n)[S1S2, 2] - e.paper.weighted(n)[S2, 2] for n in CLASSES}
    means = {n: gain.mean() for n, gain in urban.items()}
    wins = {n: (gain > 0).sum() for n, gain in urban.items()}
    right = True if min(means.values()) > 0 else None if max(means.values()) > 0 else False
    sensors = judged(right, means=means, weighted=weighted, wins=wins)
    return {"sensors": sensors, "dates": judged(None)}


@check("s1-contribution")
def sentinel1(e: Evidence) -> Outcome:
    gain = _sentinel1_gain(e, 10)[_NATURAL]
    return judged(None, rises=(gain > 0).sum(), gain=gain)
