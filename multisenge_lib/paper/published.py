"""What the paper prints, as data: every number and every sentence that can be checked.

Wenger et al., Remote Sensing 2023, 15, 151 (doi:10.3390/rs15010151, CC BY 4.0), kept in
`paper.json` as printed, so that the rounding of each number is known. Beside it in this package:

    items.yaml          what this book does with each table, figure and equation
    findings.yaml       the words of the audit
    errata.yaml         the slips, in the form of a journal's corrections
    open_points.yaml    what the paper leaves open, beside the authors' public codes
    replications.json   what others measured on the real images
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

import numpy as np

from multisenge_lib.paper.data_files import convert, read_data

#: The four methods, in the paper's order (Table 4).
METHODS = ("ConvLSTM-S1", "ConvLSTM-S2", "ConvLSTM-S1S2", "ConvLSTM+Inception-S1S2")
#: The scores of Tables 5 and 7, in the order of their columns.
SCORES = ("precision", "recall", "f1")
#: The table of scores, by number of classes.
SCORE_TABLE = {6: "table5", 10: "table7"}
#: The table of Cohen's kappa, by number of classes.
KAPPA_TABLE = {6: "table6", 10: "table8"}


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
        # The exponent of the last digit: -4 for "0.3100", where a float would forget the zeros.
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
        # The slash keeps "table1" from finding the numbers of a "table10".
        start = f"{prefix}/"
        numbers = {}
        for id, number in self.numbers.items():
            if id.startswith(start):
                numbers[id.removeprefix(start)] = number
        return numbers

    def stated(self, claim: str) -> dict[str, float]:
        """The numbers in the text of a claim, by name."""
        numbers = self.table(f"text/{claim}")
        return {name: number.value for name, number in numbers.items()}

    def names(self, claim: str) -> tuple[str, ...]:
        """The classes, methods, tiles, months or bands that a claim names."""
        return self.claims[claim].names

    def _values(self, table: str) -> np.ndarray:
        return np.array([number.value for number in self.table(table).values()])

    def _by_method(self, values: Sequence[float]) -> np.ndarray:
        """What stands for each number of Table 5 or 7: `(methods, classes + 1, 3)`."""
        # The rows of a method are its classes and last the weighted average.
        return np.reshape(values, (len(METHODS), -1, len(SCORES)))

    # Tables, as arrays

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
        numbers = self.table(SCORE_TABLE[classes])
        return self._by_method([number.bold for number in numbers.values()])

    def kappa(self, classes: int) -> np.ndarray:
        """Table 6 or 8: `(methods,)`."""
        return self._values(KAPPA_TABLE[classes])

    def overall(self, classes: int) -> dict[str, np.ndarray]:
        """Table 6 or 8 and the averages of Table 5 or 7, each `(methods,)`, by `results.OVERALL`.

        The accuracy is the weighted recall, which is the same number. Macro F1 and mean IoU are
        means over the printed F1 of each class, from which the IoU follows: F1 / (2 - F1).
        """
        precision, recall, weighted_f1 = self.weighted(classes).T
        f1 = self.scores(classes)[..., 2]  # (methods, classes)
        return {
            "accuracy": recall,
            "weighted_precision": precision,
            "weighted_recall": recall,
            "weighted_f1": weighted_f1,
            "macro_f1": f1.mean(axis=1),
            "mean_iou": (f1 / (2 - f1)).mean(axis=1),
            "kappa": self.kappa(classes),
        }

    def shares(self) -> np.ndarray:
        """Table 2: `(14,)` percent."""
        return self._values("table2")


# From `paper.json` to the dataclasses


def _leaves(value: Any, id: str) -> Iterator[tuple[str, str]]:
    """The ids and texts of a nested table."""
    if isinstance(value, str):
        yield id, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, f"{id}/{key}")
    else:
        # A class's precision, recall and F1 are written as a list.
        for score, text in zip(SCORES, value, strict=True):
            yield f"{id}/{score}", text


def _numbers(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Everything that `Number` holds, of the tables and then of the claims."""
    groups = []
    for table, state in document["states"].items():
        groups.append((f"table{table}", document["tables"][table], state))
    for claim in document["claims"]:
        groups.append((f"text/{claim['id']}", claim.get("numbers", {}), claim["state"]))

    for group_id, numbers, state in groups:
        for id, text in _leaves(numbers, group_id):
            # Asterisks mark what is printed in bold.
            bare = text.strip("*")
            yield {"id": id, "text": bare, "state": state, "bold": bare != text}


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
    return convert(content, Paper)
