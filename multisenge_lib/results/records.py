"""Records: what one training run leaves, as the chapters and commands take it.

How a record lies on disk is in `record_files`. What follows from the parts of a record, such as its
scores, is computed from them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from multisenge_lib.models import FOREST
from multisenge_lib.results.metrics import majority_baseline_scores, scores
from multisenge_lib.results.spatial import SpatialCounts

#: What two runs of one experiment may differ in: the seed, and what changes no result.
_NOT_COMPARED = ("seed", "reader_threads", "tensorboard", "title")


@dataclass(frozen=True)
class Metadata:
    """What was trained, on what, how, where and when.

    Attributes:
        dataset: name of the dataset. With `experiment` and `seed` it gives the record's place.
        experiment: name of the experiment, such as `s1s2_10c`.
        seed: seed of the weights' start and of the order of the patches.
        title: the paper's name for the network.
        classes: names, in order of id from 1.
        choices: all fields of the `Experiment`.
        settings: all fields of the `Settings`; of a random forest `trees`, `pixels` and `seed`.
        band_order: the order of the bands in Sentinel-2 rasters that do not name them.
        parameters: how many weights the network has, `trainable` and `total`. (Not the parameters
            of the notebook; those are in `results.parameters`.)
        patches: how many patches each split has.
        split: the rule by which patches were split, in words (not the name of a split).
        size: pixels along a patch's side.
        operations: floating-point operations of all training steps, counted; see
            `step_operations`.
        finished: when the last epoch ended, UTC, ISO 8601.
        device: what the run ran on, in words.
        backend: Keras' backend.
        fingerprint: hash of the packed patches.
        skipped: patches left out because they could not be read: `patch`, `split`, `problem`.
        statistics: means and standard deviations of each sensor's bands (Eq. 4), as the network
            has them.
        pixels: number of pixels of each class in the training split.
        class_weights: weight of each class in the loss (section 3.4).
        commit: git commit of the code; None outside a checkout.
        uncommitted: whether the code had changes that were not committed.
        versions: versions of Python and the packages that matter.
        classification: name of the classes, such as `10c`.
        colors: colour of each class, hexadecimal.
        members: ids of the reference that each class gathers.
        selection: parameters of `dataset.with_selection`, where it is not the dataset's own.
        evaluation: where the network was not trained on this dataset, but only evaluated: which
            network, on which split; empty in the record of a training.
        start_from: the network whose weights training started with: `experiment`, `dataset`,
            `digest` of its file, `part`, and names of the weights `taken` and `left`; None where
            all started at random.
    """

    dataset: str
    experiment: str
    seed: int
    title: str
    classes: tuple[str, ...]
    choices: dict[str, Any]
    settings: dict[str, Any]
    parameters: dict[str, int]
    patches: dict[str, int]
    split: str
    size: int
    operations: float
    finished: str
    device: str
    backend: str
    fingerprint: str
    skipped: tuple[dict[str, str], ...]
    statistics: dict[str, tuple[list[float], list[float]]]
    pixels: tuple[int, ...]
    class_weights: tuple[float, ...]
    commit: str | None
    uncommitted: bool | None
    versions: dict[str, str]
    classification: str
    colors: tuple[str, ...]
    members: tuple[tuple[int, ...], ...]
    selection: dict[str, Any] = field(default_factory=dict)
    evaluation: dict[str, Any] = field(default_factory=dict)
    start_from: dict[str, Any] | None = None
    band_order: str = "spectral"

    @property
    def subject(self) -> "RecordSubject":
        """What the record is about."""
        return RecordSubject(
            dataset=self.dataset,
            fingerprint=self.fingerprint,
            size=self.size,
            classes=self.classes,
            members=self.members,
            evaluation=self.evaluation,
            start=start_identity(self.start_from),
            choices=self.choices,
            settings=self.settings,
            uncommitted=self.uncommitted,
        )

    @property
    def is_forest(self) -> bool:
        """Whether it is of a random forest, which has other settings than a network."""
        return self.choices.get("network") == FOREST


class RecordSubject(NamedTuple):
    """What a record is about: data, classes, choices, settings; fields as in `Metadata`.

    A record is replaced by another one of the same subject only, unless the user says otherwise.
    `start` is the hash and the part of the network whose weights training started from, None for
    random weights. A training from other weights has the same name, so `start` keeps them apart.
    """

    dataset: str
    fingerprint: str
    size: int
    classes: tuple[str, ...]
    members: tuple[tuple[int, ...], ...]
    evaluation: Mapping[str, Any]
    start: tuple[str, str] | None
    choices: Mapping[str, Any]
    settings: Mapping[str, Any]
    uncommitted: bool | None


class RecordKey(NamedTuple):
    """What identifies a record: its dataset, experiment and seed."""

    dataset: str
    experiment: str
    seed: int


@dataclass(frozen=True)
class Record:
    """One run on one dataset. What follows from its parts is computed from them.

    Attributes:
        history: one row per epoch: `loss`, `val_loss`, `learning_rate`, `seconds`; index from 1.
        patches: names of the test patches, in the order of `confusions`.
        confusions: `(patches, classes, classes) int64`, rows reference, columns predicted.
        maps: showcase patch to its predicted class ids, `(height, width) uint8`, 1 to classes.
        references: showcase patch to its reference, as `maps`, 0 for no data.
        spatial: isolated pixels, and errors by distance to a class boundary; None in older records.
    """

    metadata: Metadata
    history: pd.DataFrame
    patches: tuple[str, ...]
    confusions: np.ndarray
    maps: Mapping[str, np.ndarray]
    references: Mapping[str, np.ndarray]
    spatial: SpatialCounts | None = None

    @property
    def key(self) -> RecordKey:
        """What distinguishes it from other records: dataset, experiment and seed."""
        return RecordKey(self.metadata.dataset, self.metadata.experiment, self.metadata.seed)

    @cached_property
    def confusion(self) -> np.ndarray:
        """`(classes, classes) int64` of all test patches, rows reference, columns predicted."""
        return self.confusions.sum(axis=0)

    @cached_property
    def scores(self) -> dict[str, Any]:
        """The scores of `confusion`, see `metrics.scores`."""
        return scores(self.confusion)

    @cached_property
    def majority(self) -> dict[str, Any]:
        """The scores of a map that shows the test split's commonest class everywhere."""
        return majority_baseline_scores(self.confusion)

    @property
    def best_epoch(self) -> int:
        """The epoch whose weights were tested: that with the least validation loss."""
        return int(self.history["val_loss"].idxmin())


def start_identity(start_from: Mapping[str, Any] | None) -> tuple[str, str] | None:
    """Return which weights a training started from: the hash of the file, and which part."""
    return None if start_from is None else (start_from["digest"], start_from["part"])


def differing_names(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[str]:
    """Name the settings, or the choices, that differ between two runs and may change the result.

    Names that only one of the two has are ignored: records of other code may have others.
    """
    names = []
    for name in first:
        if name in second and name not in _NOT_COMPARED and first[name] != second[name]:
            names.append(name)
    return names
