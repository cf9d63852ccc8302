"""Our records beside the paper's figures and the independent replication's, as tables.

Paper: Tables 5 to 8 and Figure 10. Each column or row says whose figures it holds; a score that is
not reported is left empty.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from multisenge_lib import paper
from multisenge_lib.dataset import TYPOLOGIES, URBAN
from multisenge_lib.models import EXPERIMENTS
from multisenge_lib.results.metrics import OVERALL, bootstrap
from multisenge_lib.results.records import Record, RecordKey, list_records, read_record

SCORES = ("precision", "recall", "f1")
#: Whose figures a column holds.
OURS, PAPER = "ours", "paper"


def dataset_shown(classes: int | None = None) -> str:
    """Whose records a chapter shows, `multisenge` or `sample`; never both.

    Args:
        classes: of the chapter: the real ones as soon as one experiment with so many classes was
            run on the real images. None: only when all eight were.
    """
    names = [e.name for e in EXPERIMENTS.values() if classes in (None, e.classes)]
    real = {key.experiment for key in list_records("multisenge") if key.seed == 1}
    enough = real.issuperset(names) if classes is None else not real.isdisjoint(names)
    return "multisenge" if enough else "sample"


def read_records(dataset: str, classes: int, seed: int = 1) -> dict[str, Record]:
    """The records of the four experiments with so many classes, by the paper's name for each.

    Those not trained yet are left out.
    """
    there = set(list_records(dataset))
    return {
        e.title: read_record(dataset, e.name, seed)
        for e in EXPERIMENTS.values()
        if e.classes == classes and RecordKey(dataset, e.name, seed) in there
    }


def _ours(record: Record, score: str) -> pd.Series:
    values = record.scores[score]
    return pd.Series(values, TYPOLOGIES[len(values)].ids, dtype=float)


def class_table(records: Mapping[str, Record], classes: int) -> pd.DataFrame:
    """Table 5 or 7: a row a class; columns method, score, and `ours` or `paper`.

    Returns:
        Scores from 0 to 1, empty for a class absent from our reference; index by class name, the
        weighted averages last.
    """
    typology, published = TYPOLOGIES[classes], paper.read_paper()
    theirs = np.concatenate([published.scores(classes), published.weighted(classes)[:, None]], 1)
    columns = {}
    for method, values in zip(paper.METHODS, theirs, strict=True):
        for score, printed in zip(SCORES, values.T, strict=True):
            if method in records:
                mean = records[method].scores[f"weighted_{score}"]
                columns[method, score, OURS] = [*_ours(records[method], score), mean]
            columns[method, score, PAPER] = printed
    return pd.DataFrame(columns, index=[*typology.names, "Weighted average"])


def _whose(record: Record) -> str:
    return f"{OURS}, {record.metadata.dataset}"


def _our_row(method: str, record: Record) -> dict[str, object]:
    overall = {name: record.scores[name] for name in OVERALL}
    return {"model": method, "whose": _whose(record)} | overall


def _paper_rows(classes: int) -> list[dict[str, object]]:
    published = paper.read_paper()
    macro = published.scores(classes)[:, :, 2].mean(axis=1)
    return [
        {
            "model": method,
            "whose": PAPER,
            "accuracy": recall,
            "weighted_precision": precision,
            "weighted_recall": recall,
            "weighted_f1": f1,
            "macro_f1": mean,
            "kappa": kappa,
        }
        for method, (precision, recall, f1), mean, kappa in zip(
            paper.METHODS, published.weighted(classes), macro, published.kappa(classes), strict=True
        )
    ]


def _replicated_rows(classes: int) -> list[dict[str, object]]:
    return [
        {
            "model": run.model,
            "whose": "replication",
            "accuracy": run.accuracy,
            "weighted_f1": run.weighted_f1,
            "macro_f1": run.mean_f1,
            "kappa": run.kappa,
        }
        for run in paper.replication().runs
        if run.classes == classes
    ]


def overall_table(records: Mapping[str, Record], classes: int) -> pd.DataFrame:
    """Table 6 or 8 and the averages of Table 5 or 7: a row a model and whose run it is.

    The paper's accuracy is its weighted recall, which is the same number; its macro F1 is the mean
    of the printed F1. `always the commonest class` is the map to beat on our test split.
    """
    rows = [_our_row(method, record) for method, record in records.items()]
    if records:
        record = next(iter(records.values()))
        rows.append(
            {"model": "always the commonest class", "whose": _whose(record)}
            | {name: record.majority[name] for name in OVERALL}
        )
    rows += _paper_rows(classes) + _replicated_rows(classes)
    columns = ["model", "whose", *OVERALL]
    return pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(OVERALL, float))


def interval_table(records: Mapping[str, Record]) -> pd.DataFrame:
    """How far our scores depend on which test patches there are: 95 % intervals, a row a model."""
    rows = {}
    for method, record in records.items():
        intervals = bootstrap(record.confusions)
        rows[method] = {name: f"{low:.3f} to {high:.3f}" for name, (low, high) in intervals.items()}
    return pd.DataFrame.from_dict(rows, orient="index")


def urban_f1(records: Mapping[str, Record]) -> pd.DataFrame:
    """F1 of the five urban classes: a row a class, a column a method."""
    return pd.DataFrame({method: _ours(r, "f1").loc[list(URBAN)] for method, r in records.items()})


def paper_urban_f1(classes: int) -> pd.DataFrame:
    """The same from Table 5 or 7."""
    f1 = paper.read_paper().scores(classes)[:, : len(URBAN), 2]
    return pd.DataFrame(f1.T, index=list(URBAN), columns=list(paper.METHODS))


def seed_table(dataset: str, score: str = "macro_f1") -> pd.DataFrame:
    """A score of every record: a row an experiment, a column a seed."""
    rows: dict[str, dict[int, float]] = {}
    for key in list_records(dataset):
        record = read_record(*key)
        rows.setdefault(key.experiment, {})[key.seed] = record.scores[score]
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("experiment")
    return table.reindex([name for name in EXPERIMENTS if name in table.index]).sort_index(axis=1)


def run_table(dataset: str) -> pd.DataFrame:
    """How each record was made: a row a record, with its code, device and time."""
    rows = []
    for key in list_records(dataset):
        record = read_record(*key)
        m, history = record.metadata, record.history
        rows.append(
            {
                "experiment": m.experiment,
                "seed": m.seed,
                "epochs": len(history),
                "best epoch": record.best_epoch,
                "minutes": history["seconds"].sum() / 60,
                "parameters": m.parameters["trainable"],
                "device": m.device,
                "commit": (m.commit or "none")[:7] + ("+" if m.uncommitted else ""),
                "finished": m.finished[:10],
                "skipped patches": len(m.skipped),
            }
        )
    return pd.DataFrame(rows)


def _count_gains(six: pd.DataFrame, ten: pd.DataFrame) -> str:
    gains = (ten - six).to_numpy()
    return f"{(gains > 0).sum()} of {np.isfinite(gains).sum()} times, by {np.nanmean(gains):+.3f}"


def urban_answer(
    six: pd.DataFrame, ten: pd.DataFrame, paper_six: pd.DataFrame, paper_ten: pd.DataFrame
) -> str:
    """A sentence on 10 against 6 classes, from tables of F1 by urban class and method."""
    return (
        "Over five urban classes and four methods, ten classes have the higher F1 "
        f"{_count_gains(six, ten)} on average in our runs, and "
        f"{_count_gains(paper_six, paper_ten)} in the paper."
    )


def sensor_answer(means: pd.DataFrame) -> str:
    """Sentences on sensors and Inception, from mean urban F1: a row a method.

    Args:
        means: columns (`ours` or `paper`, number of classes).
    """
    s1, s2, both, inception = (means.loc[method] for method in paper.METHODS)
    lines = [
        f"- {whose}, {classes} classes: both sensors against the better single one "
        f"{both[whose, classes] - max(s1[whose, classes], s2[whose, classes]):+.3f}; Inception on "
        f"top {inception[whose, classes] - both[whose, classes]:+.3f}."
        for whose, classes in means.columns
    ]
    return "\n".join(lines)
