"""The data files of this package: how they are read, and those that hold words for the pages."""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec
import numpy as np
import yaml


# Each file is parsed once. The result is shared, so callers must not change it.
@cache
def read_data(name: str) -> Any:
    """Parse a JSON or YAML file of this package; the result must not be changed."""
    text = (files("multisenge_lib.paper") / name).read_text(encoding="utf-8")
    if name.endswith(".json"):
        return json.loads(text)
    return yaml.safe_load(text)


def _as_array(_: type, values: list) -> np.ndarray:
    """Convert a value to an array, the one type here that msgspec does not know."""
    return np.array(values)


def convert(value: Any, kind: type) -> Any:
    """A part of a data file as a dataclass; lists of numbers become arrays.

    Raises:
        msgspec.ValidationError: a key is missing or a value has another type.
    """
    # JSON has no integers as keys, so "6" and "10" stand for numbers of classes.
    return msgspec.convert(value, kind, str_keys=True, dec_hook=_as_array)


def finding_words() -> Mapping[str, Mapping[str, str]]:
    """The words of the audit's findings, by id, in the order of the page."""
    return read_data("findings.yaml")


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
