"""What the paper prints, as data: every number and every sentence that can be checked.

Figures of Wenger et al., Remote Sensing 2023, 15, 151 (doi:10.3390/rs15010151, CC BY 4.0), kept
in `data/paper.json` as printed, so that the rounding of each is known; beside them, under names
of their own, what the authors' public training script and an independent replication hold.
`ITEMS` says of each table, figure and equation what this book does with it.
"""

import dataclasses
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

import numpy as np

from multisenge_lib.errors import MultiSenGEError

#: The four methods, in the paper's order (Table 4), and the scores of Tables 5 and 7.
METHODS = ("ConvLSTM-S1", "ConvLSTM-S2", "ConvLSTM-S1S2", "ConvLSTM+Inception-S1S2")
SCORES = ("precision", "recall", "f1")
#: By number of classes, the tables of scores and of Cohen's kappa.
SCORE_TABLE, KAPPA_TABLE = {6: "5", 10: "7"}, {6: "6", 10: "8"}
WEIGHTED = "W-Avg"

#: What this book does with a published number or item.
REAL = "reproduced on real metadata"
AUDITED = "audited"
SAMPLE = "on the sample"
IMAGERY = "awaits the imagery"
OUTSIDE = "outside the study"
STATES = (REAL, AUDITED, SAMPLE, IMAGERY, OUTSIDE)


@dataclass(frozen=True)
class Number:
    """A number as printed.

    Attributes:
        id: "table5/ConvLSTM-S1/1/f1", "table6/ConvLSTM-S1", "text/kappa-range/low".
        text: as printed, without bold marks.
        where: table or section.
        state: one of `STATES`.
        bold: whether it is printed in bold.
    """

    id: str
    text: str
    where: str
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
        kind: count, share, score, ranking, setting, arithmetic, caption, context or qualitative.
        quote: its words, shortened.
        state: one of `STATES`.
        names: the classes (ids), methods, tiles, months or bands that it names, in its order.
    """

    id: str
    where: str
    kind: str
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

    def _grid(self, classes: int, rows: tuple[str, ...], attribute: str) -> np.ndarray:
        table = f"table{SCORE_TABLE[classes]}"
        return np.array(
            [
                [
                    [getattr(self.numbers[f"{table}/{m}/{r}/{s}"], attribute) for s in SCORES]
                    for r in rows
                ]
                for m in METHODS
            ]
        )

    def scores(self, classes: int) -> np.ndarray:
        """Table 5 or 7: `(methods, classes, 3)`, precision, recall, F1."""
        return self._grid(classes, tuple(str(i) for i in range(1, classes + 1)), "value")

    def weighted(self, classes: int) -> np.ndarray:
        """The weighted averages of Table 5 or 7: `(methods, 3)`."""
        return self._grid(classes, (WEIGHTED,), "value")[:, 0]

    def bold(self, classes: int) -> np.ndarray:
        """Which scores of Table 5 or 7 are bold: `(methods, classes + 1, 3)`, averages last."""
        rows = (*(str(i) for i in range(1, classes + 1)), WEIGHTED)
        return self._grid(classes, rows, "bold")

    def kappa(self, classes: int) -> np.ndarray:
        """Table 6 or 8: `(methods,)`."""
        table = f"table{KAPPA_TABLE[classes]}"
        return np.array([self.numbers[f"{table}/{method}"].value for method in METHODS])

    def shares(self) -> np.ndarray:
        """Table 2: `(14,)` percent."""
        return np.array([n.value for n in self.table("table2").values()])

    def with_number(self, id: str, text: str) -> "Paper":
        """The paper with one number printed otherwise: `text`, `**` around it for bold.

        Raises:
            MultiSenGEError: the paper has no such number.
        """
        if id not in self.numbers:
            raise MultiSenGEError(f"the paper has no number {id!r}: see Paper.numbers")
        bare = text.strip("*")
        number = dataclasses.replace(self.numbers[id], text=bare, bold=bare != text)
        return dataclasses.replace(self, numbers={**self.numbers, id: number})

    def with_names(self, claim: str, *names: str) -> "Paper":
        """The paper with other classes, methods, tiles, months or bands named in a claim."""
        changed = dataclasses.replace(self.claims[claim], names=names)
        return dataclasses.replace(self, claims={**self.claims, claim: changed})


@dataclass(frozen=True)
class Run:
    """One run of the independent replication; scores that it does not report are None."""

    model: str
    classes: int
    weighted_f1: float
    kappa: float
    mean_f1: float | None = None
    accuracy: float | None = None


@dataclass(frozen=True)
class Replication:
    """What others measured on the real rasters of the same split.

    Attributes:
        source: whose, and how far to trust it.
        patches: of the test tile.
        support: reference pixels of each class, by number of classes.
        runs: unreviewed, one seed each.
        confusion_model: the run that the matrix is of.
        confusion: `(6, 6) int64`, rows reference, columns predicted.
    """

    source: str
    patches: int
    support: Mapping[int, np.ndarray]
    runs: tuple[Run, ...]
    confusion_model: str
    confusion: np.ndarray


@dataclass(frozen=True)
class AuthorsScript:
    """Values in the authors' public training script, under the names they have there.

    Attributes:
        source: what it is.
        class_weights: 6 classes, 17 days.
        means: a value a band.
        stds: a value a band.
    """

    source: str
    class_weights: np.ndarray
    means: np.ndarray
    stds: np.ndarray


@cache
def _document() -> dict[str, Any]:
    path = files("multisenge_lib.paper") / "paper.json"
    return json.loads(path.read_text(encoding="utf-8"))


#: What is done with the numbers of each table.
_TABLE_STATE = {"1": REAL, "2": AUDITED, "5": AUDITED, "6": AUDITED, "7": AUDITED, "8": AUDITED}


def _leaves(value: Any, id: str) -> Iterator[tuple[str, str]]:
    """Ids and texts of a nested table; the three scores of a class are a list."""
    if isinstance(value, str):
        yield id, value
        return
    pairs = value.items() if isinstance(value, dict) else zip(SCORES, value, strict=True)
    for key, inner in pairs:
        yield from _leaves(inner, f"{id}/{key}")


def _number(id: str, text: str, where: str, state: str) -> Number:
    bare = text.strip("*")
    return Number(id, bare, where, state, bold=bare != text)


def _numbers(document: dict[str, Any]) -> Iterator[Number]:
    for table, state in _TABLE_STATE.items():
        for id, text in _leaves(document["tables"][table], f"table{table}"):
            yield _number(id, text, f"Table {table}", state)
    for claim in document["claims"]:
        for name, text in claim.get("numbers", {}).items():
            yield _number(f"text/{claim['id']}/{name}", text, claim["where"], claim["state"])


def _claim(row: dict[str, Any]) -> Claim:
    texts = {key: row[key] for key in ("id", "where", "kind", "quote", "state")}
    return Claim(**texts, names=tuple(row.get("names", ())))


@cache
def read_paper() -> Paper:
    """The paper as published."""
    document = _document()
    grouping = {
        int(classes): tuple(tuple(int(i) for i in group.split("+")) for group in groups)
        for classes, groups in document["tables"]["3"].items()
    }
    claims = [_claim(row) for row in document["claims"]]
    return Paper(
        MappingProxyType({number.id: number for number in _numbers(document)}),
        MappingProxyType({claim.id: claim for claim in claims}),
        MappingProxyType(grouping),
        tuple((name, sensors, how, int(n)) for name, sensors, how, n in document["tables"]["4"]),
    )


@cache
def replication() -> Replication:
    """The independent replication."""
    found = _document()["replications"]
    return Replication(
        found["source"],
        found["patches"],
        {int(n): np.array(pixels) for n, pixels in found["support"].items()},
        tuple(Run(**run) for run in found["runs"]),
        found["confusion"]["model"],
        np.array(found["confusion"]["rows_reference"]),
    )


@cache
def authors_script() -> AuthorsScript:
    """The authors' public training script."""
    found = _document()["authors"]
    lists = {name: np.array(found[name], float) for name in ("class_weights", "means", "stds")}
    return AuthorsScript(found["source"], **lists)


def published_numbers() -> tuple[Number, ...]:
    """Every number that the paper prints, each with its state."""
    return tuple(read_paper().numbers.values())


@dataclass(frozen=True)
class Item:
    """A table, figure or equation of the paper and what this book does with it.

    Attributes:
        label: as the paper has it: "Figure A2".
        caption: shortened.
        state: one of `STATES`.
        note: what the state means here.
    """

    label: str
    caption: str
    state: str
    note: str

    @property
    def id(self) -> str:
        """The label in small letters without the space: "figurea2"."""
        return self.label.lower().replace(" ", "")


_SCORES_NOTE = "checked against each other and the counted support; new scores await the imagery"

#: Figures 1 to 10 and A1 to A4, Tables 1 to 8, Equations 1 to 8.
ITEMS: tuple[Item, ...] = (
    Item("Figure 1", "Region, ground reference, tiling grid, cities", REAL, "without the raster"),
    Item("Figure 2", "Patches with a Sentinel-2 image, by month", REAL, "counted anew"),
    Item("Figure 3", "Distribution of patches by days gap", REAL, "computed anew"),
    Item("Figure 4", "Train, validation and test sets", REAL, "computed anew"),
    Item("Figure 5", "ConvLSTM+Inception method", SAMPLE, "built, and run on the sample"),
    Item("Figure 6", "ConvLSTM structure", SAMPLE, "built, and run on the sample"),
    Item("Figure 7", "Naive Inception module", SAMPLE, "built, and run on the sample"),
    Item("Figure 8", "Maps of three patches, 6 classes", IMAGERY, "the same maps on the sample"),
    Item("Figure 9", "Maps of three patches, 10 classes", IMAGERY, "the same maps on the sample"),
    Item("Figure 10", "F1 of urban classes, 10 against 6 classes", AUDITED, "from Tables 5 and 7"),
    Item("Figure A1", "Bar plot of scores, 6 classes", AUDITED, "from Table 5"),
    Item("Figure A2", "Confusion matrices, 6 classes", IMAGERY, "margins derived from Table 5"),
    Item("Figure A3", "Bar plot of scores, 10 classes", AUDITED, "from Table 7"),
    Item("Figure A4", "Confusion matrices, 10 classes", IMAGERY, "margins derived from Table 7"),
    Item("Table 1", "Patches by days gap", REAL, "counted anew, to the patch"),
    Item("Table 2", "Distribution of the 14 classes", AUDITED, "a recount awaits the imagery"),
    Item("Table 3", "Regrouping into 10 and 6 classes", AUDITED, "against the text"),
    Item("Table 4", "The eight experiments", SAMPLE, "run on the sample"),
    Item("Table 5", "Precision, recall, F1, 6 classes", AUDITED, _SCORES_NOTE),
    Item("Table 6", "Cohen's kappa, 6 classes", AUDITED, "derived from Tables 5 and 7"),
    Item("Table 7", "Precision, recall, F1, 10 classes", AUDITED, _SCORES_NOTE),
    Item("Table 8", "Cohen's kappa, 10 classes", AUDITED, "derived from Tables 5 and 7"),
    Item("Equation 1", "Input of the ConvLSTM", SAMPLE, "shape of the networks' input"),
    Item("Equation 2", "Input of the ConvLSTM, in figures", SAMPLE, "shape of the networks' input"),
    Item("Equation 3", "ConvLSTM", SAMPLE, "checked by hand against the library"),
    Item("Equation 4", "Normalisation", SAMPLE, "inside the networks"),
    Item("Equation 5", "Precision", SAMPLE, "checked by hand against the library"),
    Item("Equation 6", "Recall", SAMPLE, "checked by hand against the library"),
    Item("Equation 7", "F1", AUDITED, "recomputed for all 64 rows of Tables 5 and 7"),
    Item("Equation 8", "Cohen's kappa", AUDITED, "recomputed for all eight models"),
)
