"""Records: what one training run leaves, in small files that the chapters render.

    results/<dataset>/<experiment>/             the record of seed 1
    results/<dataset>/<experiment>/seed<n>/     the record of any other seed
        metrics.json    metadata, scores, confusion matrix, and the digest of all three files
        history.csv     a row an epoch
        test.npz        a confusion matrix a test patch; maps of the showcase patches

`dataset` is the name of the data root's (`sample`, `multisenge`, or of an area of your own), and
records of two are never mixed. A record is read only if its files are those that one run wrote.
"""

import hashlib
import io
import json
import re
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pandas as pd

from multisenge_lib import paths
from multisenge_lib.errors import RecordError
from multisenge_lib.files import atomic
from multisenge_lib.results.metrics import majority, scores

#: Changes when the layout of a record does.
LAYOUT = 2

_METRICS, _HISTORY, _TEST = "metrics.json", "history.csv", "test.npz"
_ROOM = "make room or set MULTISENGE_RESULTS to another folder, and give the same command again"


@dataclass(frozen=True)
class Metadata:
    """What was trained, on what, how, where and when.

    Attributes:
        title: the paper's name for the network.
        classes: names, in order of id from 1.
        classification: name of the classes, such as `10c`; empty in records of before it was kept.
        choices: all fields of the `Experiment`; `settings`, of the `Settings`.
        parameters: numbers of weights, `trainable` and `total`.
        patches: how many of each split; `split`: by which rule, in words.
        size: pixels along a patch's side.
        operations: of floating point, counted, of all training steps; see `step_operations`.
        finished: when the last epoch ended, UTC, ISO 8601.
        device: what the run ran on, in words; `backend`: Keras'.
        fingerprint: of the packed patches.
        skipped: those left out because they could not be read: `patch`, `split`, `problem`.
        statistics: means and deviations of each sensor's bands (Eq. 4), as the network has them.
        pixels: of each class in the training split; `class_weights`: in the loss (section 3.4).
        commit: of the code, None outside a git checkout; `uncommitted`: whether it was changed.
        versions: of Python and the packages that matter.
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
    classification: str = ""


class RecordKey(NamedTuple):
    """What tells one record from another."""

    dataset: str
    experiment: str
    seed: int


@dataclass(frozen=True)
class Record:
    """One run on one dataset. What follows from its parts is computed from them.

    Attributes:
        history: a row an epoch: `loss`, `val_loss`, `learning_rate`, `seconds`; index from 1.
        patches: names of the test patches, in the order of `confusions`.
        confusions: `(patches, classes, classes) int64`, rows reference, columns predicted.
        maps: showcase patch to its predicted class ids, `(height, width) uint8`, 1 to classes.
        references: showcase patch to its reference, as `maps`, 0 for no data.
    """

    metadata: Metadata
    history: pd.DataFrame
    patches: tuple[str, ...]
    confusions: np.ndarray
    maps: Mapping[str, np.ndarray]
    references: Mapping[str, np.ndarray]

    @property
    def key(self) -> RecordKey:
        """What tells it from other records."""
        return RecordKey(self.metadata.dataset, self.metadata.experiment, self.metadata.seed)

    @cached_property
    def confusion(self) -> np.ndarray:
        """`(classes, classes) int64` of all test patches, rows reference, columns predicted."""
        return self.confusions.sum(axis=0)

    @cached_property
    def scores(self) -> dict[str, Any]:
        """Of `confusion`, see `metrics.scores`."""
        return scores(self.confusion)

    @cached_property
    def majority(self) -> dict[str, Any]:
        """The scores of a map that shows the test split's commonest class everywhere."""
        return majority(self.confusion)

    @property
    def best_epoch(self) -> int:
        """The epoch whose weights were tested: that of the least validation loss."""
        return int(self.history["val_loss"].idxmin())


_Score = int | float | None


@dataclass(frozen=True)
class _Document:
    """The content of `metrics.json`."""

    layout: int
    digest: str
    metadata: Metadata
    scores: dict[str, _Score | list[_Score]]
    confusion: list[list[int]]


def _digest(content: Mapping[str, Any], history: bytes, test: bytes) -> str:
    """The digest of all that a record holds.

    Args:
        content: of `metrics.json` as it is in the file. Not of `_Document`: a field that was added
            since with a default would change the digest of every record before it.
        history: the bytes of `history.csv`.
        test: the bytes of `test.npz`.
    """
    text = json.dumps({**content, "digest": ""}, sort_keys=True, allow_nan=False)
    return hashlib.sha256(b"\0".join([text.encode(), history, test])).hexdigest()


def record_folder(dataset: str, experiment: str, seed: int = 1) -> Path:
    """Where a record lies below `paths.results_dir()`."""
    folder = paths.results_dir() / dataset / experiment
    return folder if seed == 1 else folder / f"seed{seed}"


def write_record(record: Record) -> Path:
    """Write a record; the one before stays until all of the new one is on disk; its folder.

    Raises:
        FileError: the folder cannot be written.
    """
    folder = record_folder(*record.key)
    history = record.history.to_csv(lineterminator="\n").encode()
    maps = {f"map_{patch}": ids for patch, ids in record.maps.items()}
    maps |= {f"reference_{patch}": ids for patch, ids in record.references.items()}
    confusions, patches = record.confusions.astype(np.int32), np.array(record.patches, dtype=str)
    np.savez_compressed(buffer := io.BytesIO(), patches=patches, confusions=confusions, **maps)
    test = buffer.getvalue()
    document = _Document(LAYOUT, "", record.metadata, record.scores, record.confusion.tolist())
    content = asdict(document)
    content["digest"] = _digest(content, history, test)
    text = json.dumps(content, indent=1, allow_nan=False) + "\n"
    with ExitStack() as stack:  # the last entered is moved to its place first: metrics.json last
        for name, value in ((_METRICS, text.encode()), (_TEST, test), (_HISTORY, history)):
            stack.enter_context(atomic(folder / name, _ROOM)).write_bytes(value)
    return folder


def _starting(arrays: Mapping[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    return {k.removeprefix(prefix): a for k, a in arrays.items() if k.startswith(prefix)}


def _parse(metrics: bytes, history: bytes, test: bytes) -> tuple[_Document, Record]:
    """The parts of a record, once the digest tells that they are as they were written."""
    document = msgspec.json.decode(metrics, type=_Document)
    if document.layout != LAYOUT:
        raise ValueError(f"layout {document.layout}, this library reads {LAYOUT}")
    if document.digest != _digest(json.loads(metrics), history, test):
        raise ValueError("its files were changed, or are not of one run")
    with np.load(io.BytesIO(test)) as arrays:
        arrays = dict(arrays)
    rows = pd.read_csv(io.BytesIO(history), index_col="epoch")
    record = Record(
        document.metadata,
        rows.astype(float),
        tuple(map(str, arrays["patches"])),
        arrays["confusions"].astype(np.int64),
        _starting(arrays, "map_"),
        _starting(arrays, "reference_"),
    )
    return document, record


def _check(document: _Document, record: Record, key: RecordKey) -> None:
    """Refuse, by a ValueError, what contradicts the key or the record's own confusion matrix."""
    if record.key != key:
        raise ValueError(f"it is of {'/'.join(map(str, record.key))}")
    if record.confusion.tolist() != document.confusion:
        raise ValueError(f"the confusion matrix is not the sum of those in {_TEST}")
    for name, values in record.scores.items():
        expected, held = (np.array(v, float) for v in (values, document.scores[name]))
        if not np.allclose(held, expected, rtol=0, atol=1e-12, equal_nan=True):
            raise ValueError(f"{name} is not that of the confusion matrix")


def read_record(dataset: str, experiment: str, seed: int = 1) -> Record:
    """Read a record and check that it is the one asked for, as it was written.

    Raises:
        RecordError: it is missing, damaged, changed, or of another dataset, experiment or seed.

    Examples:
        >>> import multisenge_lib as ms
        >>> record = ms.read_record("sample", "s1s2_10c")  # doctest: +SKIP
        >>> record.scores["macro_f1"]  # doctest: +SKIP
    """
    key = RecordKey(dataset, experiment, seed)
    folder = record_folder(*key)
    remedy = (
        "train it with `papermill notebooks/train.ipynb "
        f"runs/{experiment}.ipynb -p exp {experiment} -p seed {seed}`"
    )
    try:
        files = [(folder / name).read_bytes() for name in (_METRICS, _HISTORY, _TEST)]
    except OSError as error:
        raise RecordError(f"{error.filename} cannot be read ({error.strerror}): {remedy}") from None
    try:
        document, record = _parse(*files)
        _check(document, record, key)
    except (ValueError, KeyError, RecursionError, msgspec.MsgspecError) as error:
        raise RecordError(
            f"{folder} is not the record of {'/'.join(map(str, key))} "
            f"({str(error) or type(error).__name__}): {remedy}"
        ) from None
    return record


def list_records(dataset: str) -> list[RecordKey]:
    """The records of a dataset, by experiment and seed; none where nothing was trained."""
    root, found = paths.results_dir() / dataset, set()
    for path in root.glob(f"**/{_METRICS}"):
        place = re.fullmatch(r"(\w+)(?:/seed(\d+))?", path.parent.relative_to(root).as_posix())
        key = RecordKey(dataset, place[1], int(place[2] or 1)) if place else None
        if key and record_folder(*key) == path.parent:
            found.add(key)
    return sorted(found)


def read_runs(dataset: str, experiment: str) -> list[Record]:
    """The records of an experiment, one a seed; none where nothing was trained."""
    return [read_record(*key) for key in list_records(dataset) if key.experiment == experiment]
