"""Tables of scores: of records, of the paper (its Tables 5 to 8), of the independent replication.

A table holds one source, so that its title can say whose numbers it shows. A score that is not
reported is left empty.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from multisenge_lib import paper, paths
from multisenge_lib.chapters.score_words import mean_with_spread
from multisenge_lib.dataset import MULTISENGE, SAMPLE, TYPOLOGIES, URBAN
from multisenge_lib.models import EXPERIMENTS, Experiment
from multisenge_lib.results import (
    OVERALL,
    SHOWN_SCORES,
    Record,
    list_records,
    read_runs,
)
from multisenge_lib.software import short_commit

_NAME_SHOWN = {SAMPLE.name: "synthetic sample", MULTISENGE.name: "MultiSenGE, this book"}


def display_name(dataset: str) -> str:
    """Give the name under which the pages show a dataset's records."""
    return _NAME_SHOWN.get(dataset, dataset)


def _experiments_with(classes: int) -> list[Experiment]:
    """The four experiments of Table 4 with this number of classes."""
    return [experiment for experiment in EXPERIMENTS.values() if experiment.classes == classes]


def chapter_dataset(classes: int | None = None) -> str:
    """Choose whose records a chapter shows, `multisenge` or `sample`; never both.

    Args:
        classes: number of classes of the chapter; real records are used once any experiment with
            that many classes has been run on the real images. None: once all eight have been.
    """
    trained = {key.experiment for key in list_records(MULTISENGE.name) if key.seed == 1}
    if classes is None:
        use_real = trained.issuperset(EXPERIMENTS)
    else:
        use_real = any(experiment.name in trained for experiment in _experiments_with(classes))
    return MULTISENGE.name if use_real else SAMPLE.name


def runs_by_method(dataset: str, classes: int) -> dict[str, list[Record]]:
    """Read the records of the four experiments over all seeds, by the paper's names.

    Experiments that are not trained yet are left out.
    """
    runs = {}
    for experiment in _experiments_with(classes):
        records = read_runs(dataset, experiment.name)
        if records:
            runs[experiment.title] = records
    return runs


def median_runs(runs: Mapping[str, Sequence[Record]]) -> dict[str, Record]:
    """Choose of each method the run whose macro F1 is in the middle of its seeds.

    A single run has to stand for its method where maps are shown. The best would flatter it, and
    the first seed may be an outlier. Of two runs in the middle, the lower one is taken.

    Args:
        runs: from `runs_by_method`.
    """
    chosen = {}
    for method, records in runs.items():
        ordered = sorted(records, key=lambda record: record.scores["macro_f1"])
        chosen[method] = ordered[(len(ordered) - 1) // 2]
    return chosen


def paper_scores(classes: int) -> pd.DataFrame:
    """Read Table 5 or 7 of the paper.

    Returns:
        One row per method and class id; columns `precision`, `recall`, `f1`, 0 to 1.
    """
    values = paper.read_paper().scores(classes).reshape(-1, len(paper.SCORES))
    ids = TYPOLOGIES[f"{classes}c"].ids
    rows = pd.MultiIndex.from_product([paper.METHODS, ids], names=["method", "class"])
    return pd.DataFrame(values, rows, list(paper.SCORES))


def record_scores(records: Mapping[str, Record]) -> pd.DataFrame:
    """Tabulate records as `paper_scores` does; empty for a class absent from the reference."""
    tables = {}
    for method, record in records.items():
        tables[method] = pd.DataFrame({score: record.scores[score] for score in paper.SCORES})
    table = pd.concat(tables, names=["method", "class"]).astype(float)
    return table.rename(index=lambda row: row + 1, level="class")  # class ids begin at 1


def urban_f1(scores: pd.DataFrame) -> pd.DataFrame:
    """Select the F1 of the five urban classes: one row per class id, one column per method.

    Args:
        scores: from `paper_scores` or `record_scores`.
    """
    columns = {}
    for method in scores.index.unique("method"):
        columns[method] = scores.loc[method, "f1"].loc[list(URBAN)]
    return pd.DataFrame(columns)


def urban_over_seeds(runs: Mapping[str, Sequence[Record]]) -> pd.DataFrame:
    """Average `urban_f1` over the seeds of each method."""
    columns = {}
    for title, records in runs.items():
        by_seed = [urban_f1(record_scores({title: record}))[title] for record in records]
        columns[title] = pd.concat(by_seed, axis=1).mean(axis=1)
    return pd.DataFrame(columns)


def paper_overall(classes: int) -> pd.DataFrame:
    """Read Table 6 or 8, and the averages of Table 5 or 7: a row per method, columns `OVERALL`."""
    overall = paper.read_paper().overall(classes)
    return pd.DataFrame(overall, list(paper.METHODS), list(OVERALL))


def _mean_and_std(values: Sequence[float | None]) -> str:
    """Write "mean ± standard deviation" without a line break; of one value the value."""
    numbers = np.array(values, float)  # None, an undefined score, becomes NaN
    std = numbers.std(ddof=1) if len(numbers) > 1 else np.nan
    return mean_with_spread(numbers.mean(), std)


def scores_over_seeds(runs: Mapping[str, Sequence[Record]]) -> pd.DataFrame:
    """Tabulate scores over the seeds of the training as text: "mean ± deviation", or the one score.

    Args:
        runs: by the name of the row; without an empty list.

    Returns:
        Columns `accuracy`, `weighted_f1`, `macro_f1`, `mean_iou`, `kappa` and `seeds`.
    """
    rows = {}
    for name, records in runs.items():
        row = {}
        for score in SHOWN_SCORES:
            row[score] = _mean_and_std([record.scores[score] for record in records])
        row["seeds"] = ", ".join(str(record.key.seed) for record in records)
        rows[name] = row
    return pd.DataFrame.from_dict(rows, orient="index")


def other_scores() -> pd.DataFrame:
    """Tabulate as `scores_over_seeds` the experiments on all data but the sample and MultiSenGE."""
    runs = {}
    folders = sorted(paths.results_dir().glob("*"))
    for folder in folders:
        if folder.name in _NAME_SHOWN:
            continue
        trained = sorted({key.experiment for key in list_records(folder.name)})
        for experiment in trained:
            runs[f"{folder.name}, {experiment}"] = read_runs(folder.name, experiment)
    return scores_over_seeds(runs)


def trained_table(dataset: str) -> pd.DataFrame:
    """Tabulate which experiments of a dataset have records: seeds, day of the last one, commits.

    Args:
        dataset: whose records.

    Returns:
        One row of text per experiment; empty where nothing was trained.
    """
    rows = {}
    for experiment in sorted({key.experiment for key in list_records(dataset)}):
        runs = read_runs(dataset, experiment)
        commits = dict.fromkeys(short_commit(run.metadata.commit) for run in runs)
        rows[experiment] = {
            "seeds": ",\N{NO-BREAK SPACE}".join(str(run.key.seed) for run in runs),
            "last trained": max(run.metadata.finished for run in runs)[:10],
            "with the code of": ", ".join(commits),
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("experiment")


#: Settings and choices of a record that its page shows.
_SETTINGS = (
    "epochs",
    "batch_size",
    "learning_rate",
    "schedule",
    "passes_per_epoch",
    "plateau_patience",
    "stop_patience",
    "augmentation",
    "class_weights",
    "precision",
)
_CHOICES = ("full_resolution_skip", "peephole")


def _run_column(record: Record) -> dict[str, str]:
    """Describe how one record was made."""
    metadata = record.metadata
    column = {
        "dataset": display_name(metadata.dataset),
        "patches (train, validation, test)": ", ".join(
            f"{count:,}" for count in metadata.patches.values()
        ),
        "pixels along a patch": f"{metadata.size}",
    }
    for names, values in ((_SETTINGS, metadata.settings), (_CHOICES, metadata.choices)):
        for name in names:
            if name in values:
                column[name.replace("_", " ")] = f"{values[name]}"
    # As git writes it: the first digits, and + where the code had changes of its own.
    commit = short_commit(metadata.commit)
    return column | {
        "epochs run, best": f"{len(record.history)}, {record.best_epoch}",
        "trained weights": f"{metadata.parameters['trainable']:,}",
        "operations, 10¹²": f"{metadata.operations / 1e12:,.1f}",
        "minutes": f"{record.history['seconds'].sum() / 60:.1f}",
        "device": metadata.device,
        "code": commit + ("+" if metadata.uncommitted else ""),
        "finished": metadata.finished[:10],
        "skipped patches": f"{len(metadata.skipped)}",
    }


def run_table(records: Mapping[str, Record]) -> pd.DataFrame:
    """Show how records were made: one row per setting or fact, one column per method."""
    return pd.DataFrame({method: _run_column(record) for method, record in records.items()})


def shared_settings(records: Mapping[str, Record]) -> tuple[pd.Series, pd.DataFrame]:
    """Divide `run_table` into what all records share, and what differs.

    Returns:
        One value per shared setting; and the rows that differ, one column per method.
    """
    table = run_table(records)
    first = table.iloc[:, 0]
    is_shared = table.eq(first, axis=0).all(axis=1)
    return first[is_shared], table[~is_shared]
