"""What others found on the real images of the same split, beside the paper's tables.

All runs of the independent replication that are public are in `paper/replications.json`: sixteen
with the commit and path of their results file, and one that is known from notes only. Where a
confusion matrix is published, every score here is computed from it; elsewhere a score is the one
reported. The runs are unreviewed, one seed each, and which of several states was reported was
decided after testing on the test tile.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from multisenge_lib.audit.table_claims import merge_matrix
from multisenge_lib.dataset import URBAN
from multisenge_lib.paper import METHODS, OutsideRun, Replication, read_paper, replication
from multisenge_lib.results import scores

#: The scores of `public_run_table`, by the names of `results.OVERALL`.
COMPARED = ("accuracy", "weighted_f1", "macro_f1", "kappa")
#: How the names of the paper's own network begin in the replication.
SAME_NETWORK = "ConvLSTM+Inception-S1S2"


def class_f1(run: OutsideRun) -> np.ndarray | None:
    """F1 of each class, `(classes,)`: from the run's matrix, else as reported, else None."""
    if run.confusion is not None:
        return np.array(scores(run.confusion)["f1"])
    return run.f1


def overall_scores(run: OutsideRun) -> dict[str, float | None]:
    """The scores of `COMPARED`: from the run's matrix, else as reported; None where neither is."""
    if run.confusion is not None:
        from_matrix = scores(run.confusion)
        return {name: from_matrix[name] for name in COMPARED}
    # Some files hold no mean, but all F1 that it is made of.
    macro_f1 = run.mean_f1
    if macro_f1 is None and run.f1 is not None:
        macro_f1 = float(np.mean(run.f1))
    return {
        "accuracy": run.accuracy,
        "weighted_f1": run.weighted_f1,
        "macro_f1": macro_f1,
        "kappa": run.kappa,
    }


def public_run_table(classes: int) -> pd.DataFrame:
    """The paper's four methods and every public run of others, with one typology.

    Args:
        classes: 6 or 10.

    Returns:
        One row per model: `by` ("paper" or "replication"), the scores of `COMPARED` (NaN where
        nothing is reported), and `source`, the address of the run's file.
    """
    others = replication()
    overall = read_paper().overall(classes)
    rows = []
    for i, method in enumerate(METHODS):
        values = {name: overall[name][i] for name in COMPARED}
        rows.append({"model": method, "by": "paper", **values, "source": "doi:10.3390/rs15010151"})
    for run in others.of_classes(classes):
        source = others.address(run)
        rows.append(
            {"model": run.model, "by": "replication", **overall_scores(run), "source": source}
        )
    return pd.DataFrame(rows).set_index("model").astype({name: float for name in COMPARED})


def class_f1_table(classes: int) -> pd.DataFrame:
    """F1 by class of the paper's four methods and of every run that has it: `(models, classes)`."""
    rows = dict(zip(METHODS, read_paper().scores(classes)[..., 2], strict=True))
    for run in replication().of_classes(classes):
        f1 = class_f1(run)
        if f1 is not None:
            rows[run.model] = f1
    return pd.DataFrame.from_dict(rows, orient="index", columns=range(1, classes + 1))


def urban_f1_of_models(classes: int) -> pd.Series:
    """The mean F1 of the five urban classes, by model of `class_f1_table`."""
    return class_f1_table(classes)[list(URBAN)].mean(axis=1)


@dataclass(frozen=True)
class Spread:
    """How far one score of several models lies apart.

    Attributes:
        least: the lowest.
        most: the highest.
        std: the standard deviation, with one degree of freedom less than there are models.
        count: how many models.
    """

    least: float
    most: float
    std: float
    count: int

    @property
    def width(self) -> float:
        """Highest less lowest."""
        return self.most - self.least


def _spread(values: pd.Series) -> Spread:
    values = values.dropna()
    return Spread(values.min(), values.max(), values.std(), len(values))


def spread_of_one_network(classes: int) -> dict[str, tuple[Spread, Spread]]:
    """Several states of the replicated network beside the paper's four methods.

    With six classes the replication has four states of two trainings: the best on validation and
    the last of each. With ten it has two states of one training.

    Returns:
        By score: the spread of the replicated network's states, and that of the paper's methods.
    """
    table = public_run_table(classes)
    states = table[(table["by"] == "replication") & table.index.str.startswith(SAME_NETWORK)]
    methods = table[table["by"] == "paper"]
    return {score: (_spread(states[score]), _spread(methods[score])) for score in COMPARED}


def merged_runs() -> pd.DataFrame:
    """Real ten-class matrices merged to six classes, beside the same model trained on six.

    Returns:
        One row per model with a ten-class matrix: the scores of `COMPARED` after merging, and with
        `_six` appended those of the same model trained on six classes, NaN where there is none.
    """
    merge = merge_matrix(6)
    trained_on_six = public_run_table(6)
    rows = {}
    for model, matrix in replication().matrices(10).items():
        merged = scores((merge @ matrix @ merge.T).astype(np.int64))
        row = {name: merged[name] for name in COMPARED}
        for name in COMPARED:
            row[f"{name}_six"] = trained_on_six[name].get(model, np.nan)
        rows[model] = row
    return pd.DataFrame.from_dict(rows, orient="index")


# Sentences that the paper's margins leave open


def share_of_wrong(confusion: np.ndarray, predicted: int, reference: int) -> float:
    """Of the pixels wrongly predicted as one class, the share that is another class.

    Args:
        confusion: `(classes, classes)`, rows reference, columns predicted.
        predicted: id of the class predicted, from 1.
        reference: id of the class that the pixels are, from 1.
    """
    column = confusion[:, predicted - 1]
    wrong = column.sum() - column[predicted - 1]
    return float(column[reference - 1] / wrong)


def share_of_missed(confusion: np.ndarray, reference: int, predicted: int) -> float:
    """Of the pixels of one class that are missed, the share predicted as another class.

    Args:
        confusion: `(classes, classes)` pixels, rows reference, columns predicted.
        reference: id of the class that is missed.
        predicted: id of the other class.
    """
    row = confusion[reference - 1]
    missed = row.sum() - row[reference - 1]
    return float(row[predicted - 1] / missed)


@dataclass(frozen=True)
class Answer:
    """What other models on the same pixels show about a sentence that the paper cannot decide.

    Attributes:
        claim: id of the claim, and of the finding about it.
        classes: 6 or 10, the typology of the matrices.
        predicate: what is measured: the words that follow the share.
        shares: by model, 0 to 1.
    """

    claim: str
    classes: int
    predicate: str
    shares: Mapping[str, float]

    @property
    def range(self) -> str:
        """Least and greatest share, in percent."""
        least = 100 * min(self.shares.values())
        most = 100 * max(self.shares.values())
        return f"{least:.0f} to {most:.0f} %"


class _Question(NamedTuple):
    """Which share of which pixels bears on a claim.

    Attributes:
        claim: id of the claim.
        classes: 6 or 10, the typology of the matrices.
        errors: `wrong`, the pixels predicted as the class by mistake, or `missed`.
        class_id: the class whose errors these are.
        counted_id: the other class, whose share of them is counted.
    """

    claim: str
    classes: int
    errors: Literal["wrong", "missed"]
    class_id: int
    counted_id: int


_QUESTIONS = (
    _Question("confusion-4-6", classes=6, errors="wrong", class_id=4, counted_id=6),
    _Question("confusion-1-2", classes=6, errors="wrong", class_id=1, counted_id=2),
    _Question("confusion-1-2", classes=10, errors="wrong", class_id=1, counted_id=2),
    _Question("confusion-9-10", classes=10, errors="wrong", class_id=10, counted_id=9),
    _Question("confusion-9-10", classes=10, errors="wrong", class_id=10, counted_id=8),
    _Question("confusion-9-10", classes=10, errors="wrong", class_id=10, counted_id=6),
    _Question("vineyards-confusion", classes=10, errors="missed", class_id=7, counted_id=4),
    _Question("vineyards-confusion", classes=10, errors="wrong", class_id=4, counted_id=7),
    _Question("networks-confusion", classes=6, errors="wrong", class_id=5, counted_id=3),
    _Question("networks-confusion", classes=10, errors="wrong", class_id=5, counted_id=3),
)


def answers(others: Replication | None = None) -> list[Answer]:
    """What the public matrices show about sentences on confusion.

    Args:
        others: by default the replication as published.
    """
    others = replication() if others is None else others
    results = []
    for question in _QUESTIONS:
        errors_of = question.class_id
        counted = question.counted_id
        if question.errors == "wrong":
            measure = share_of_wrong
            predicate = (
                f"of the pixels wrongly predicted as class {errors_of} are of class {counted}"
            )
        else:
            measure = share_of_missed
            predicate = (
                f"of the missed pixels of class {errors_of} are predicted as class {counted}"
            )
        shares = {}
        for model, matrix in others.matrices(question.classes).items():
            shares[model] = measure(matrix, errors_of, counted)
        results.append(Answer(question.claim, question.classes, predicate, shares))
    return results


def answers_in_words(claim: str, others: Replication | None = None) -> str:
    """One sentence on a claim: what other models on the same pixels show."""
    parts = []
    for answer in answers(others):
        if answer.claim == claim:
            count = len(answer.shares)
            parts.append(
                f"{answer.range} {answer.predicate} ({count} matrices, {answer.classes} classes)"
            )
    return "Other models on the same pixels show: " + "; ".join(parts) + "."


def sensor_gains_in_words() -> str:
    """One sentence: the weighted F1 that Sentinel-1 adds in other models."""
    parts = []
    for (classes, model), row in sensor_gains().iterrows():
        parts.append(f"{model} {row['weighted_f1']:+.4f} with {classes} classes")
    return (
        "Other models on the same pixels, both sensors less U-TAE on Sentinel-2, weighted F1: "
        + "; ".join(parts)
        + "."
    )


_BOTH_SENSORS = (
    "U-TAE, S1+S2 concatenated",
    "MA-UTAE, two encoders concatenated",
    "MA-UTAE, two encoders gated",
)


def sensor_gains() -> pd.DataFrame:
    """What Sentinel-1 adds to Sentinel-2 in other models: one row per model and typology.

    The models with two sensors are set against the U-TAE on Sentinel-2 alone; only the first pair
    differs in nothing else.

    Returns:
        Columns `weighted_f1`, `macro_f1`, `kappa`, and `urban_f1`, the mean of classes 1 to 5: the
        score with both sensors less that with Sentinel-2; NaN where a score is not published.
    """
    baseline = "U-TAE, S2 only"
    rows = {}
    for classes in (6, 10):
        overall = public_run_table(classes)
        urban_f1 = urban_f1_of_models(classes)
        for model in _BOTH_SENSORS:
            gains = overall.loc[model, list(COMPARED)] - overall.loc[baseline, list(COMPARED)]
            row = gains.drop("accuracy").to_dict()
            row["urban_f1"] = urban_f1.get(model, np.nan) - urban_f1[baseline]
            rows[classes, model] = row
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(["classes", "model"])
