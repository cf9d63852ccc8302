"""Records beside the paper's figures and the independent replication's, as tables.

The paper's come from its Tables 5 to 8. A table holds one source, so that its title can say whose
figures it shows; a score that is not reported is left empty.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from multisenge_lib import paper, paths
from multisenge_lib.dataset import TYPOLOGIES, URBAN
from multisenge_lib.models import EXPERIMENTS
from multisenge_lib.results import (
    OVERALL,
    Record,
    RecordKey,
    bootstrap,
    list_records,
    read_record,
    read_runs,
)

SCORES = ("precision", "recall", "f1")
_EVERYWHERE = "commonest class everywhere"
_SHOWN_AS = {"sample": "sample (synthetic)", "multisenge": "MultiSenGE, this book"}


def display_name(dataset: str) -> str:
    """What records of a dataset are called, wherever they are shown."""
    return _SHOWN_AS.get(dataset, dataset)


def chapter_dataset(classes: int | None = None) -> str:
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


def paper_scores(classes: int) -> pd.DataFrame:
    """Table 5 or 7: a row a method and class id; columns `precision`, `recall`, `f1`, 0 to 1."""
    values = paper.read_paper().scores(classes).reshape(-1, len(SCORES))
    rows = pd.MultiIndex.from_product(
        [paper.METHODS, TYPOLOGIES[f"{classes}c"].ids], names=["method", "class"]
    )
    return pd.DataFrame(values, rows, list(SCORES))


def record_scores(records: Mapping[str, Record]) -> pd.DataFrame:
    """The same from records; empty for a class absent from the reference."""
    tables = {
        method: pd.DataFrame({score: record.scores[score] for score in SCORES})
        for method, record in records.items()
    }
    table = pd.concat(tables, names=["method", "class"]).astype(float)
    return table.rename(index=lambda row: row + 1, level="class")


def urban_f1(scores: pd.DataFrame) -> pd.DataFrame:
    """F1 of the five urban classes: a row a class id, a column a method.

    Args:
        scores: of `paper_scores` or `record_scores`.
    """
    methods = scores.index.unique("method")
    return pd.DataFrame({m: scores.loc[m, "f1"].loc[list(URBAN)] for m in methods})


def paper_overall(classes: int) -> pd.DataFrame:
    """Table 6 or 8 and the averages of Table 5 or 7: a row a method, columns `OVERALL`.

    The paper's accuracy is its weighted recall, which is the same number. Its macro F1 and mean IoU
    are means over the printed F1 of each class, from which the IoU follows: F1 / (2 - F1).
    """
    published = paper.read_paper()
    weighted = [f"weighted_{score}" for score in SCORES]
    table = pd.DataFrame(published.weighted(classes), list(paper.METHODS), weighted)
    table["accuracy"] = table["weighted_recall"]
    f1 = published.scores(classes)[:, :, 2]  # (methods, classes)
    table["macro_f1"] = f1.mean(axis=1)
    table["mean_iou"] = (f1 / (2 - f1)).mean(axis=1)
    table["kappa"] = published.kappa(classes)
    return table[list(OVERALL)]


def replicated_overall(classes: int) -> pd.DataFrame:
    """Scores of the independent replication on the same split of the real images."""
    rows = {
        run.model: {
            "accuracy": run.accuracy,
            "weighted_f1": run.weighted_f1,
            "macro_f1": run.mean_f1,
            "kappa": run.kappa,
        }
        for run in paper.replication().runs
        if run.classes == classes
    }
    return pd.DataFrame.from_dict(rows, orient="index").reindex(columns=list(OVERALL)).astype(float)


def record_overall(records: Mapping[str, Record]) -> pd.DataFrame:
    """Scores of records, and last of the map that shows their commonest class everywhere."""
    rows = {method: record.scores for method, record in records.items()}
    for record in list(records.values())[:1]:
        rows[_EVERYWHERE] = record.majority
    table = {name: {score: row[score] for score in OVERALL} for name, row in rows.items()}
    return pd.DataFrame.from_dict(table, orient="index", columns=list(OVERALL), dtype=float)


def interval_table(records: Mapping[str, Record]) -> pd.DataFrame:
    """How far scores depend on which test patches there are: 95 % intervals, a row a method."""
    rows = {method: bootstrap(record.confusions) for method, record in records.items()}
    return pd.DataFrame.from_dict(rows, orient="index").map(
        lambda ends: f"{ends[0]:.3f} to {ends[1]:.3f}" if ends else "undefined"
    )


def runs_by_method(dataset: str, classes: int) -> dict[str, list[Record]]:
    """The records of the four experiments with so many classes, a list over seeds a method."""
    runs = {
        e.title: read_runs(dataset, e.name) for e in EXPERIMENTS.values() if e.classes == classes
    }
    return {title: records for title, records in runs.items() if records}


def _spread(values: Sequence[float]) -> str:
    """Mean and standard deviation, in one piece; of one value the value."""
    values = np.array(values, float)  # an undefined score is no number
    numbers = [values.mean(), *([values.std(ddof=1)] if len(values) > 1 else [])]
    return "\N{NO-BREAK SPACE}±\N{NO-BREAK SPACE}".join(f"{number:.3f}" for number in numbers)


def seed_scores(runs: Mapping[str, Sequence[Record]]) -> pd.DataFrame:
    """Scores over the seeds of the training: "mean ± deviation", or the one score there is.

    Args:
        runs: of `runs_by_method`.

    Returns:
        Columns `accuracy`, `weighted_f1`, `macro_f1`, `kappa` and `seeds`, a row a method; last
        the map that shows the commonest class everywhere.
    """
    shown = ("accuracy", "weighted_f1", "macro_f1", "kappa")
    rows = {
        title: {s: _spread([r.scores[s] for r in records]) for s in shown}
        | {"seeds": ", ".join(str(r.key.seed) for r in records)}
        for title, records in runs.items()
    }
    for record, *_ in list(runs.values())[:1]:
        everywhere = {s: _spread([record.majority[s]]) for s in shown}
        rows[_EVERYWHERE] = everywhere
    return pd.DataFrame.from_dict(rows, orient="index")


def other_scores() -> pd.DataFrame:
    """As `seed_scores`, of every dataset but the sample and MultiSenGE, a row an experiment."""
    names = {folder.name for folder in paths.results_dir().glob("*")} - set(_SHOWN_AS)
    trained = sorted({key[:2] for name in names for key in list_records(name)})
    runs = {", ".join(key): read_runs(*key) for key in trained}
    return seed_scores(runs).drop(index=_EVERYWHERE, errors="ignore")


def urban_over_seeds(runs: Mapping[str, Sequence[Record]]) -> pd.DataFrame:
    """As `urban_f1`, the mean over the seeds of each method."""
    tables = [
        urban_f1(record_scores({title: record}))
        for title, records in runs.items()
        for record in records
    ]
    return pd.concat(tables, axis=1).T.groupby(level=0, sort=False).mean().T


#: Settings and choices of a record that its page shows.
_SETTINGS = (
    *("epochs", "batch_size", "learning_rate", "plateau_patience", "stop_patience"),
    *("augmentation", "class_weights", "precision"),
)
_CHOICES = ("full_resolution_skip", "peephole")


def run_table(records: Mapping[str, Record]) -> pd.DataFrame:
    """How records were made: a row a setting or fact, a column a method."""
    columns = {}
    for method, record in records.items():
        m, epochs = record.metadata, len(record.history)
        set_so = {name: m.settings[name] for name in _SETTINGS if name in m.settings}
        set_so |= {name: m.choices[name] for name in _CHOICES if name in m.choices}
        columns[method] = {
            "dataset": display_name(m.dataset),
            "patches (train, validation, test)": ", ".join(f"{n:,}" for n in m.patches.values()),
            "pixels along a patch": f"{m.size}",
            **{name.replace("_", " "): f"{value}" for name, value in set_so.items()},
            "epochs run, best": f"{epochs}, {record.best_epoch}",
            "trained weights": f"{m.parameters['trainable']:,}",
            "operations, 10¹²": f"{m.operations / 1e12:,.1f}",
            "minutes": f"{record.history['seconds'].sum() / 60:.1f}",
            "device": m.device,
            "code": (m.commit or "none")[:7] + ("+" if m.uncommitted else ""),
            "finished": m.finished[:10],
            "skipped patches": f"{len(m.skipped)}",
        }
    return pd.DataFrame(columns)
