"""What the paper prints, as data: every number and every sentence that can be checked.

Figures of Wenger et al., Remote Sensing 2023, 15, 151 (doi:10.3390/rs15010151, CC BY 4.0), kept
in `paper.json` as printed, so that the rounding of each is known; beside them, under names of
their own, what the authors' public training script and an independent replication hold.
`items.yaml` says of each table, figure and equation what this book does with it, `findings.yaml`
has the words of the audit.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec
import numpy as np
import yaml

#: The four methods, in the paper's order (Table 4), and the scores of Tables 5 and 7.
METHODS = ("ConvLSTM-S1", "ConvLSTM-S2", "ConvLSTM-S1S2", "ConvLSTM+Inception-S1S2")
SCORES = ("precision", "recall", "f1")
#: By number of classes, the tables of scores and of Cohen's kappa.
SCORE_TABLE, KAPPA_TABLE = {6: "table5", 10: "table7"}, {6: "table6", 10: "table8"}


@dataclass(frozen=True)
class Number:
    """A number as printed.

    Attributes:
        id: "table5/ConvLSTM-S1/1/f1", "table6/ConvLSTM-S1", "text/kappa-range/low".
        text: as printed, without bold marks.
        state: what this book does with it, one of `states()`.
        bold: whether it is printed in bold.
    """

    id: str
    text: str
    state: str
    bold: bool = False

    @property
    def value(self) -> float:
        """The number."""
        return float(self.text)

    @property
    def half(self) -> float:
        """Half a unit of the last digit printed: how far rounding moves it; 0 for integers."""
        exponent = Decimal(self.text).as_tuple().exponent
        return 0.5 * 10**exponent if exponent < 0 else 0.0


@dataclass(frozen=True)
class Claim:
    """A sentence or caption.

    Attributes:
        id: short name, that of the finding about it.
        where: section, table or caption.
        quote: its words, shortened.
        state: what this book does with it, one of `states()`.
        names: the classes (ids), methods, tiles, months or bands that it names, in its order.
    """

    id: str
    where: str
    quote: str
    state: str
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Paper:
    """All that the paper states.

    Attributes:
        numbers: by id.
        claims: by id.
        grouping: by number of classes, the published ids in each class (Table 3).
        experiments: rows of Table 4: name, sensors, method, number of classes.
    """

    numbers: Mapping[str, Number]
    claims: Mapping[str, Claim]
    grouping: Mapping[int, tuple[tuple[int, ...], ...]]
    experiments: tuple[tuple[str, str, str, int], ...]

    def table(self, prefix: str) -> dict[str, Number]:
        """The numbers whose id begins with `prefix` and a slash, by the rest of the id."""
        start = f"{prefix}/"
        return {k.removeprefix(start): n for k, n in self.numbers.items() if k.startswith(start)}

    def stated(self, claim: str) -> dict[str, float]:
        """The numbers in the text of a claim, by name."""
        return {name: number.value for name, number in self.table(f"text/{claim}").items()}

    def names(self, claim: str) -> tuple[str, ...]:
        """The classes, methods, tiles, months or bands that a claim names."""
        return self.claims[claim].names

    def _values(self, table: str) -> np.ndarray:
        return np.array([number.value for number in self.table(table).values()])

    def _by_method(self, values: Sequence[float]) -> np.ndarray:
        """What stands for each number of Table 5 or 7: `(methods, classes + 1, 3)`."""
        return np.reshape(values, (len(METHODS), -1, len(SCORES)))

    def days_gaps(self) -> dict[int, int]:
        """Table 1: patches by days gap."""
        return {int(gap): int(number.value) for gap, number in self.table("table1").items()}

    def scores(self, classes: int) -> np.ndarray:
        """Table 5 or 7: `(methods, classes, 3)`, precision, recall, F1."""
        return self._by_method(self._values(SCORE_TABLE[classes]))[:, :-1]

    def weighted(self, classes: int) -> np.ndarray:
        """The weighted averages of Table 5 or 7: `(methods, 3)`."""
        return self._by_method(self._values(SCORE_TABLE[classes]))[:, -1]

    def bold(self, classes: int) -> np.ndarray:
        """Which scores of Table 5 or 7 are bold: `(methods, classes + 1, 3)`, averages last."""
        return self._by_method([n.bold for n in self.table(SCORE_TABLE[classes]).values()])

    def kappa(self, classes: int) -> np.ndarray:
        """Table 6 or 8: `(methods,)`."""
        return self._values(KAPPA_TABLE[classes])

    def shares(self) -> np.ndarray:
        """Table 2: `(14,)` percent."""
        return self._values("table2")


@dataclass(frozen=True)
class Run:
    """One run of the independent replication; what it does not report is None.

    Attributes:
        model: what was trained, and which of its states was tested.
        classes: how many classes: 6 or 10.
        weighted_f1: as reported.
        kappa: as reported.
        accuracy: as reported.
        mean_f1: the unweighted mean of the classes' F1, as reported.
        precision: `(classes,)`, as reported.
        recall: `(classes,)`, as reported.
        f1: `(classes,)`, as reported.
        confusion: `(classes, classes) int64` pixels, rows reference, columns predicted.
        commit: of the repository, in which the file stands.
        path: of the file.
        note: what else is to be known.
    """

    model: str
    classes: int
    weighted_f1: float
    kappa: float
    accuracy: float | None = None
    weighted_precision: float | None = None
    mean_f1: float | None = None
    precision: np.ndarray | None = None
    recall: np.ndarray | None = None
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
        url: of the repository.
        licence: under which terms.
        selection: how the reported runs were chosen.
        test_tile: the tile of all runs.
        patches: how many of it were tested.
        support: reference pixels of each class, by number of classes.
        runs: all public ones; unreviewed, one seed each.
    """

    source: str
    url: str
    licence: str
    selection: str
    test_tile: str
    patches: int
    support: Mapping[int, np.ndarray]
    runs: tuple[Run, ...]

    def of_classes(self, classes: int) -> list[Run]:
        """The runs with 6 or 10 classes."""
        return [run for run in self.runs if run.classes == classes]

    def matrices(self, classes: int) -> dict[str, np.ndarray]:
        """The published confusion matrices with 6 or 10 classes, by model."""
        runs = self.of_classes(classes)
        return {run.model: run.confusion for run in runs if run.confusion is not None}

    def address(self, run: Run) -> str:
        """Where a run's file stands, at its commit; the repository if that is not known."""
        if run.commit is None:
            return self.url
        return f"{self.url}/blob/{run.commit}/{run.path}"


@dataclass(frozen=True)
class AuthorsScript:
    """Values in the authors' public training script, under the names they have there.

    Attributes:
        source: what it is.
        url: where the values stand.
        class_weights: `(6,)`, for 6 classes at 17 days.
        means: one value per band.
        stds: one value per band.
        half_unit: half a unit of the last decimal of the class weights.
    """

    source: str
    url: str
    class_weights: np.ndarray
    means: np.ndarray
    stds: np.ndarray
    half_unit: float = 5e-9


@cache
def read_data(name: str) -> Any:
    """A data file of this room, parsed; not to be changed."""
    text = (files("multisenge_lib.paper") / name).read_text(encoding="utf-8")
    return json.loads(text) if name.endswith(".json") else yaml.safe_load(text)


def finding_words() -> Mapping[str, Mapping[str, str]]:
    """The words of the audit's findings, by id, in the order of the page."""
    return read_data("findings.yaml")


def _leaves(value: Any, id: str) -> Iterator[tuple[str, str]]:
    """Ids and texts of a nested table; the three scores of a class are a list."""
    if isinstance(value, str):
        yield id, value
        return
    pairs = value.items() if isinstance(value, dict) else zip(SCORES, value, strict=True)
    for key, inner in pairs:
        yield from _leaves(inner, f"{id}/{key}")


def _numbers(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """All that `Number` holds, of the tables and of the claims."""
    parts = [(f"table{n}", document["tables"][n], state) for n, state in document["states"].items()]
    parts += [(f"text/{c['id']}", c.get("numbers", {}), c["state"]) for c in document["claims"]]
    for start, numbers, state in parts:
        for id, text in _leaves(numbers, start):
            bare = text.strip("*")
            yield {"id": id, "text": bare, "state": state, "bold": bare != text}


def _read(value: Any, kind: type) -> Any:
    """A part of `paper.json` as what it is; lists of numbers become arrays."""
    return msgspec.convert(value, kind, str_keys=True, dec_hook=lambda _, given: np.array(given))


@cache
def read_paper() -> Paper:
    """The paper as published."""
    document = read_data("paper.json")
    content = {
        "numbers": {number["id"]: number for number in _numbers(document)},
        "claims": {claim["id"]: claim for claim in document["claims"]},
        "grouping": document["tables"]["3"],
        "experiments": document["tables"]["4"],
    }
    return _read(content, Paper)


@cache
def replication() -> Replication:
    """The independent replication."""
    return _read(read_data("replications.json"), Replication)


@cache
def authors_script() -> AuthorsScript:
    """The authors' public training script."""
    return _read(read_data("paper.json")["authors"], AuthorsScript)


def states() -> dict[str, str]:
    """What can be done with a number or an item, and what that means."""
    return read_data("items.yaml")["states"]


def read_items() -> list[dict[str, str]]:
    """Figures 1 to 10 and A1 to A4, Tables 1 to 8, Equations 1 to 8.

    Returns:
        For each: `label` as the paper has it, `caption` shortened, `state`, one of `states()`,
        `note`, what the state means here, and `chapter`, the page of the book that shows it.
    """
    return read_data("items.yaml")["items"]


def read_errata() -> list[dict[str, Any]]:
    """Slips of the paper, one line each, in the form of a journal's corrections.

    Returns:
        For each: `id`, `kind` ("error", or "wording" where a sentence cannot be meant as it reads),
        `where`, `printed`, `correction`, and `findings`, the ids of the findings that show it.
    """
    return read_data("errata.yaml")


def read_open_points() -> list[dict[str, Any]]:
    """What the paper leaves open, choice by choice, beside three codes.

    Returns:
        For each point: `point`, `paper` and `where` (what is written), `script` and `model` (what
        the authors' Keras script of 2022 and PyTorch model of 2024 do, with lines; neither is the
        paper's run), `ours` and, where they apply, `package` (what `segmentation_models` does),
        `deviation` (from what our default departs) and `other`, another answer: values by name, by
        `Experiment`, `Settings` or the function that takes them.
    """
    return read_data("open_points.yaml")["points"]


def read_code_sources() -> dict[str, dict[str, Any]]:
    """The codes that `read_open_points` names, with repository, commit and file, by short name."""
    return read_data("open_points.yaml")["sources"]
