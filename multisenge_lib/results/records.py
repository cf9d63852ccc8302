"""Records: what one training run leaves, in small files that the chapters render.

    results/<dataset>/<experiment>/             the record of seed 1
    results/<dataset>/<experiment>/seed<n>/     the record of any other seed
        metrics.json    scores, confusion matrix, settings, provenance
        history.csv     a row an epoch
        test.npz        a confusion matrix a test patch; maps of the showcase patches

`dataset` is `sample` or `multisenge`, by the data root, and never mixed.
"""

import json
import shutil
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from multisenge_lib import paths
from multisenge_lib.dataset import MULTISENGE, SAMPLE
from multisenge_lib.errors import RecordError

#: Changes when the layout of a record does.
LAYOUT = 1

_METRICS, _HISTORY, _TEST = "metrics.json", "history.csv", "test.npz"
_KEYS = ("layout", "dataset", "experiment", "seed", "scores", "confusion")


@dataclass(frozen=True)
class Record:
    """One run on one dataset.

    Attributes:
        metrics: all that goes to `metrics.json`; at least `dataset`, `experiment`, `seed`,
            `scores` (of `evaluation.scores`) and `confusion` (rows reference, columns predicted).
        history: a row an epoch; index `epoch`, from 1.
        patches: names of the test patches, in the order of `confusions`.
        confusions: `(patches, classes, classes) int64`, rows reference, columns predicted.
        maps: showcase patch to its predicted class ids, `(height, width) uint8`, 1 to classes.
        references: showcase patch to its reference, as `maps`, 0 for no data.
    """

    metrics: Mapping[str, Any]
    history: pd.DataFrame
    patches: tuple[str, ...]
    confusions: np.ndarray
    maps: Mapping[str, np.ndarray]
    references: Mapping[str, np.ndarray]


class RecordKey(NamedTuple):
    """What tells one record from another."""

    dataset: str
    experiment: str
    seed: int


def record_folder(dataset: str, experiment: str, seed: int = 1) -> Path:
    """Where a record lies below `paths.results_dir()`.

    Raises:
        RecordError: there is no such dataset.
    """
    known = (SAMPLE.name, MULTISENGE.name)
    if dataset not in known:
        raise RecordError(f"dataset {dataset!r}: records are of {' or '.join(known)}")
    folder = paths.results_dir() / dataset / experiment
    return folder if seed == 1 else folder / f"seed{seed}"


def _write_files(record: Record, folder: Path) -> None:
    text = json.dumps({"layout": LAYOUT, **record.metrics}, indent=1, allow_nan=False)
    (folder / _METRICS).write_text(text + "\n")
    record.history.to_csv(folder / _HISTORY, lineterminator="\n")
    np.savez_compressed(
        folder / _TEST,
        patches=np.array(record.patches, dtype=str),
        confusions=record.confusions.astype(np.int32),
        **{f"map_{patch}": ids for patch, ids in record.maps.items()},
        **{f"reference_{patch}": ids for patch, ids in record.references.items()},
    )


def write_record(record: Record) -> Path:
    """Write a record; the one before stays as it was until all of the new one is on disk.

    Returns:
        The record's folder.

    Raises:
        RecordError: the dataset is unknown, or the folder cannot be written.
    """
    key = RecordKey(*(record.metrics[name] for name in RecordKey._fields))
    folder = record_folder(*key)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        staged = Path(tempfile.mkdtemp(prefix=".new-", dir=folder))
        try:
            _write_files(record, staged)
            for name in (_HISTORY, _TEST, _METRICS):
                (staged / name).replace(folder / name)
        finally:
            shutil.rmtree(staged, ignore_errors=True)
    except OSError as error:
        raise RecordError(
            f"the record {folder} cannot be written ({error.strerror}): "
            "make room or set MULTISENGE_RESULTS to another folder"
        ) from None
    return folder


def _check(metrics: Any, key: RecordKey) -> str | None:
    """What is wrong with the content of `metrics.json`, or None."""
    if not isinstance(metrics, dict):
        return "holds no object"
    if missing := [name for name in _KEYS if name not in metrics]:
        return f"lacks {', '.join(missing)}"
    if metrics["layout"] != LAYOUT:
        return f"is of layout {metrics['layout']}, this library reads {LAYOUT}"
    held = RecordKey(*(metrics[name] for name in RecordKey._fields))
    if held != key:
        return f"is the record of {'/'.join(map(str, held))}, not of {'/'.join(map(str, key))}"
    confusion = metrics["confusion"]
    if not isinstance(confusion, list) or any(len(row) != len(confusion) for row in confusion):
        return "holds a confusion matrix that is not square"
    return None


def _read_metrics(path: Path, key: RecordKey) -> dict[str, Any]:
    try:
        metrics = json.loads(path.read_text())
    except FileNotFoundError:
        raise RecordError(f"{path} is missing: {_remedy(key)}") from None
    except ValueError as error:
        raise RecordError(f"{path} is not JSON ({error}): {_remedy(key)}") from None
    if problem := _check(metrics, key):
        raise RecordError(f"{path} {problem}: {_remedy(key)}")
    return metrics


def _remedy(key: RecordKey) -> str:
    return (
        "train it with `papermill notebooks/train.ipynb "
        f"runs/{key.experiment}.ipynb -p exp {key.experiment} -p seed {key.seed}`"
    )


def read_record(dataset: str, experiment: str, seed: int = 1) -> Record:
    """Read a record and check that it is the one asked for.

    Raises:
        RecordError: it is missing, damaged, or of another dataset, experiment or seed.
    """
    key = RecordKey(dataset, experiment, seed)
    folder = record_folder(*key)
    metrics = _read_metrics(folder / _METRICS, key)
    try:
        history = pd.read_csv(folder / _HISTORY, index_col="epoch")
        with np.load(folder / _TEST) as test:
            arrays = dict(test)
        patches, confusions = arrays.pop("patches"), arrays.pop("confusions")
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise RecordError(f"{folder} is damaged ({error}): {_remedy(key)}") from None
    if confusions.sum(axis=0).tolist() != metrics["confusion"]:
        raise RecordError(f"{folder / _TEST} and {_METRICS} are of two runs: {_remedy(key)}")

    def starting(prefix: str) -> dict[str, np.ndarray]:
        return {k.removeprefix(prefix): a for k, a in arrays.items() if k.startswith(prefix)}

    return Record(
        metrics,
        history,
        tuple(map(str, patches)),
        confusions.astype(np.int64),
        starting("map_"),
        starting("reference_"),
    )


def list_records(dataset: str) -> list[RecordKey]:
    """The records of a dataset, by experiment and seed; none where nothing was trained."""
    root = record_folder(dataset, ".")
    found = []
    for path in sorted(root.glob(f"*/{_METRICS}")) + sorted(root.glob(f"*/seed*/{_METRICS}")):
        experiment, *seed = path.parent.relative_to(root).parts
        found.append(RecordKey(dataset, experiment, int(seed[0][4:]) if seed else 1))
    return sorted(found)
