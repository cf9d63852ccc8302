"""What others published: an independent replication, and the authors' own public codes."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from multisenge_lib.paper.data_files import convert, read_data


@dataclass(frozen=True)
class OutsideRun:
    """One run of the independent replication; what it does not report is None.

    Attributes:
        model: what was trained, and which of its states was tested.
        classes: how many classes: 6 or 10.
        weighted_f1: as reported.
        kappa: as reported.
        accuracy: as reported.
        mean_f1: the unweighted mean of the classes' F1, as reported.
        f1: `(classes,)`, as reported.
        confusion: `(classes, classes) int64` pixels, rows reference, columns predicted.
        commit: the repository's commit that has the file.
        path: path of the file.
        note: what else is to be known.
    """

    model: str
    classes: int
    weighted_f1: float
    kappa: float
    accuracy: float | None = None
    mean_f1: float | None = None
    f1: np.ndarray | None = None
    confusion: np.ndarray | None = None
    commit: str | None = None
    path: str | None = None
    note: str = ""

    @property
    def title(self) -> str:
        """Model and number of classes, which together are unique."""
        return f"{self.model}, {self.classes} classes"


@dataclass(frozen=True)
class Replication:
    """What others measured on the real rasters of the same split.

    Attributes:
        source: whose, and how far to trust it.
        url: address of the repository.
        patches: how many patches of the test tile were tested.
        support: reference pixels of each class, by number of classes.
        runs: all public ones; unreviewed, one seed each.
    """

    source: str
    url: str
    patches: int
    support: Mapping[int, np.ndarray]
    runs: tuple[OutsideRun, ...]

    def of_classes(self, classes: int) -> list[OutsideRun]:
        """The runs with 6 or 10 classes."""
        return [run for run in self.runs if run.classes == classes]

    def matrices(self, classes: int) -> dict[str, np.ndarray]:
        """The published confusion matrices with 6 or 10 classes, by model.

        Each is `(classes, classes)` pixels, rows reference, columns predicted.
        """
        runs = self.of_classes(classes)
        return {run.model: run.confusion for run in runs if run.confusion is not None}

    def address(self, run: OutsideRun) -> str:
        """Where a run's file stands, at its commit; the repository if that is not known."""
        if run.commit is None:
            return self.url
        return f"{self.url}/blob/{run.commit}/{run.path}"


@dataclass(frozen=True)
class AuthorsScript:
    """Values in the authors' public training script, under the names they have there.

    Attributes:
        source: what it is.
        tools: owner and name of the authors' repository of tools for the dataset.
        class_weights: `(6,)`, for 6 classes at 17 days.
        means: one value per band.
        stds: one value per band.
        half_unit: half a unit of the last decimal of the class weights.
    """

    source: str
    tools: str
    class_weights: np.ndarray
    means: np.ndarray
    stds: np.ndarray
    half_unit: float = 5e-9


@cache
def replication() -> Replication:
    """The independent replication."""
    return convert(read_data("replications.json"), Replication)


@cache
def authors_script() -> AuthorsScript:
    """The authors' public training script."""
    return convert(read_data("paper.json")["authors"], AuthorsScript)


def read_code_sources() -> dict[str, dict[str, Any]]:
    """The codes that `read_open_points` names, with repository, commit and file, by short name."""
    return read_data("open_points.yaml")["sources"]
