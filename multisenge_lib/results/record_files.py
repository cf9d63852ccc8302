"""How records lie on disk: small files that are written whole, and checked when they are read.

    results/<dataset>/<experiment>/             the record of seed 1
    results/<dataset>/<experiment>/seed<n>/     the record of any other seed
        metrics.json    metadata, scores, confusion matrix
        history.csv     one row per epoch
        test.npz        one confusion matrix per test patch; maps and references of the showcase
                        patches; isolated pixels, and confusion matrices by distance to a class
                        boundary

`dataset` is the name of the data root's dataset (`sample`, `multisenge`, or an area of your own).
Two roots may have the same name, and a quick look of one epoch has the name of a full training. So
a record of other data or other settings is replaced only if you ask for it.
"""

import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd

from multisenge_lib import paths
from multisenge_lib.dataset import SENSORS, is_sample
from multisenge_lib.errors import ExperimentError, RecordError
from multisenge_lib.files import atomic, check_can_write
from multisenge_lib.models import get_experiment
from multisenge_lib.results.records import (
    Metadata,
    Record,
    RecordKey,
    RecordSubject,
    differing_names,
)
from multisenge_lib.results.spatial import DISTANCE_BINS, SpatialCounts

#: Changes when the layout of a record does.
LAYOUT = 2
#: The folder of the records of evaluations, below that of all results.
EVALUATIONS = "evaluations"

_METRICS = "metrics.json"
_HISTORY = "history.csv"
_TEST = "test.npz"
#: The arrays of `SpatialCounts`.
_SPATIAL = ("isolated_in_map", "isolated_in_reference", "by_distance")
_REMEDY = "make room, or set MULTISENGE_RESULTS to another folder, and give the same command again"
#: Choices in which a record may differ from the one that it replaces: the words of tables, and the
#: hash of a network of the user's own, who edits it and goes on with it.
_FREE_CHOICES = ("title", "network_digest")
_REPLACE = "replace=True (notebook: -p replace_record True; multisenge transfer: --replace-records)"
_Score = int | float | None


class _OnlyLayout(msgspec.Struct):
    """What a `metrics.json` of any layout has."""

    layout: int


#: Fingerprints of the default sample that stand for the same data, as they were and as it is now.
#: Until 29 November 2026 a power in float32 let the last of the 12 bits of some Sentinel-1 values
#: depend on the processor. The second differs from today's in one such value in ten thousand, and
#: in nothing else. Of the first, of another processor, only the records are left: their means and
#: deviations agree with the second's to eight digits. So both are compared with records of today.
_SAME_SAMPLE = dict.fromkeys(
    (
        "793b35e91c68952b25fedf7710c94ebf5f80beb8b758b3749e9ee254cfc7c981",
        "ffe168b780bb0cf2b6e8795bc8dbc34d0a9724aa8f8fb24d02570541e83dd19f",
    ),
    "3a523dd9fec1904d4c30837f64952f45ebee6a6be0098cece4786efb44e3313c",
)


@dataclass(frozen=True)
class _Document:
    """The content of `metrics.json`."""

    layout: int
    metadata: Metadata
    scores: dict[str, _Score | list[_Score]]
    confusion: list[list[int]]


def record_folder(dataset: str, experiment: str, seed: int = 1) -> Path:
    """Return where a record lies below `paths.results_dir()`.

    Raises:
        RecordError: the seed is no whole number.
    """
    if not isinstance(seed, int | np.integer):
        raise RecordError(f"seed {seed!r}: give a whole number, such as 1")
    folder = paths.results_dir() / dataset / experiment
    return folder if seed == 1 else folder / f"seed{seed}"


# --- Write ---


def write_record(
    record: Record, *, replace: bool = False, folder: Path | str | None = None
) -> Path:
    """Write a record, and return its folder.

    The record of an earlier run of the same data with the same settings is replaced; it stays until
    all of the new one is on disk. Another commit of the library counts as the same, but a record of
    committed code is not replaced by one of code that was edited and not committed.

    Args:
        record: what `training.train` returned.
        replace: also replace a record of other data, other classes or other settings, or of a
            training that started from other weights.
        folder: where the record goes; by default `record_folder` of its key.

    Raises:
        RecordError: the folder holds a record of other data, classes, choices or settings, and
            `replace` is False.
        FileError: the folder cannot be written.
    """
    folder = record_folder(*record.key) if folder is None else Path(folder)
    if not replace:
        _check_replaceable(folder, record.metadata.subject)

    document = _Document(LAYOUT, record.metadata, record.scores, record.confusion.tolist())
    metrics = json.dumps(asdict(document), indent=1, allow_nan=False) + "\n"
    history = record.history.to_csv(lineterminator="\n")
    test = _test_arrays(record)

    # All three are written before the first takes its place, so a full disk changes nothing.
    # metrics.json is moved into place last (a `with` ends from the last to the first): its presence
    # makes the record valid.
    with (
        atomic(folder / _METRICS, _REMEDY) as metrics_file,
        atomic(folder / _TEST, _REMEDY) as test_file,
        atomic(folder / _HISTORY, _REMEDY) as history_file,
    ):
        history_file.write_bytes(history.encode())
        test_file.write_bytes(test)
        metrics_file.write_bytes(metrics.encode())
    return folder


def _test_arrays(record: Record) -> bytes:
    """Return the content of `test.npz`."""
    arrays = {
        "patches": np.array(record.patches, dtype=str),
        "confusions": record.confusions.astype(np.int32),
    }
    if record.spatial is not None:
        for name in _SPATIAL:
            arrays[f"spatial_{name}"] = getattr(record.spatial, name).astype(np.int32)
    for patch, ids in record.maps.items():
        arrays[f"map_{patch}"] = ids
    for patch, ids in record.references.items():
        arrays[f"reference_{patch}"] = ids
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def check_record_place(key: RecordKey, subject: RecordSubject, replace: bool = False) -> None:
    """Check before a training that `write_record` will accept its record.

    Args:
        key: dataset, experiment and seed of the record that is to be written.
        subject: what it will be about.
        replace: also replace a record of other data, other classes or other settings, or of a
            training that started from other weights.

    Raises:
        RecordError: a record of other data, classes, choices or settings is there, and `replace`
            is False.
        FileError: nothing can be written at the record's place.
    """
    folder = record_folder(*key)
    if not replace:
        _check_replaceable(folder, subject)
    check_can_write(
        folder,
        "the record's place",
        "set MULTISENGE_RESULTS to another folder, and give the same command again",
    )


def _check_replaceable(folder: Path, new: RecordSubject) -> None:
    """Refuse to replace a record that is about something else.

    That is a record of another layout, of other data, classes, choices or settings, of another
    network or split that was evaluated, or one that started from other weights.
    """
    try:
        content = (folder / _METRICS).read_bytes()
        layout = msgspec.json.decode(content, type=_OnlyLayout).layout
        metadata = _read_document(content).metadata if layout == LAYOUT else None
    except msgspec.ValidationError as error:
        raise RecordError(
            f"{folder} holds a record that this library cannot read ({error}), perhaps of an "
            "earlier version: set MULTISENGE_RESULTS to another folder, or replace it with "
            f"{_REPLACE}"
        ) from None
    except (OSError, ValueError, RecursionError, msgspec.MsgspecError):
        return  # there is no record, or a damaged one that nobody can read
    if metadata is None:
        raise RecordError(
            f"{folder} holds a record of layout {layout}, this library writes {LAYOUT}: set "
            f"MULTISENGE_RESULTS to another folder, or replace it with {_REPLACE}"
        )
    new = new._replace(choices=_as_stored(new.choices), settings=_as_stored(new.settings))
    difference = _difference(metadata.subject, new)
    if difference:
        raise RecordError(
            f"{folder} holds a record of {difference}, finished {metadata.finished[:10]}, and it "
            "is not replaced: set MULTISENGE_RESULTS to another folder, or replace it with "
            f"{_REPLACE}"
        )


def _difference(old: RecordSubject, new: RecordSubject) -> str:
    """Say in what two records differ that makes them records of two things; empty for nothing."""
    if not _same_data(old, new):
        return "other data"
    if (old.classes, old.members) != (new.classes, new.members):
        return "other classes"
    if old.evaluation != new.evaluation:
        return "another network or split, or other months or another order of bands"
    if old.start != new.start:
        return "other weights to start from"
    if new.uncommitted and old.uncommitted is False:
        return "the library as it was committed, and yours has changes that are not"
    choices = differing_names(old.choices, new.choices)
    choices = [name for name in choices if name not in _FREE_CHOICES]
    if choices:
        return f"other choices ({_changes(choices, old.choices, new.choices)})"
    settings = differing_names(old.settings, new.settings)
    if settings:
        return f"other settings ({_changes(settings, old.settings, new.settings)})"
    return ""


def _as_stored(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values as a file gives them back: lists in the place of tuples."""
    return json.loads(json.dumps(values))


def _changes(names: Sequence[str], old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    return "; ".join(f"{name} {old[name]}, now {new[name]}" for name in names)


def _same_data(old: RecordSubject, new: RecordSubject) -> bool:
    if old.fingerprint == new.fingerprint:
        return True
    # The library writes the sample itself, anew whenever its code changes. So a sample of the same
    # size of patches counts as the same data, whatever its values and however many patches it has.
    both_are_samples = old.dataset == new.dataset and is_sample(old.dataset)
    return both_are_samples and old.size == new.size


# --- Read ---


def read_record(dataset: str, experiment: str, seed: int = 1) -> Record:
    """Read a record, and check that it is the one asked for and does not contradict itself.

    Raises:
        RecordError: it is missing, damaged, or of another dataset, experiment or seed.

    Examples:
        >>> import multisenge_lib as ms
        >>> record = ms.read_record("sample", "s1s2_10c")  # doctest: +SKIP
        >>> record.scores["macro_f1"]  # doctest: +SKIP
    """
    key = RecordKey(dataset, experiment, seed)
    return _read_folder(record_folder(*key), key, _how_to_train(experiment, seed))


def _how_to_train(experiment: str, seed: int) -> str:
    """Say which command makes the record of an experiment, as far as its name tells."""
    if experiment.startswith("forest_"):
        return f"train it with `snakemake --cores 2 --config exp={experiment} seeds={seed}`"
    try:
        get_experiment(experiment)
    except ExperimentError:
        return (
            "train it as it was trained before: a network of your own with `-p network FILE`, one "
            "of another place with `multisenge transfer`, one of your classes with its data root"
        )
    return (
        "train it with `papermill notebooks/train.ipynb "
        f"runs/{experiment}.ipynb -p exp {experiment} -p seed {seed}`"
    )


def read_record_from(folder: Path | str) -> Record:
    """Read the record in a folder, without checking its key; for records of evaluations.

    Raises:
        RecordError: it is missing or damaged.
    """
    return _read_folder(Path(folder), None, "evaluate the network again with `multisenge evaluate`")


def _read_folder(folder: Path, key: RecordKey | None, remedy: str) -> Record:
    """Read the record in a folder, and check that it has this key, unless the key is None."""
    try:
        metrics = (folder / _METRICS).read_bytes()
        history = (folder / _HISTORY).read_bytes()
        test = (folder / _TEST).read_bytes()
    except OSError as error:
        raise RecordError(f"{error.filename} cannot be read ({error.strerror}): {remedy}") from None
    try:
        document = _read_document(metrics)
        record = _put_together(document, history, test)
        _check(document, record, key)
    except Exception as error:  # of JSON, pandas, zip, NumPy: whatever a damaged file leads to
        reason = " ".join(str(error).split()) or type(error).__name__
        expected = f"the record of {'/'.join(map(str, key))}" if key else "a record"
        raise RecordError(f"{folder} is not {expected} ({reason}): {remedy}") from None
    return record


def _read_document(metrics: bytes) -> _Document:
    document = msgspec.json.decode(metrics, type=_Document)
    if document.layout != LAYOUT:
        raise ValueError(f"layout {document.layout}, this library reads {LAYOUT}")
    fingerprint = document.metadata.fingerprint
    same_data = replace(document.metadata, fingerprint=_SAME_SAMPLE.get(fingerprint, fingerprint))
    return replace(document, metadata=same_data)


def _put_together(document: _Document, history: bytes, test: bytes) -> Record:
    epochs = pd.read_csv(io.BytesIO(history), index_col="epoch")
    if not {"loss", "val_loss", "seconds"} <= set(epochs):
        raise ValueError(f"{_HISTORY} has no losses, or no seconds")
    maps = {}
    references = {}
    spatial = {}
    with np.load(io.BytesIO(test)) as arrays:
        patches = tuple(map(str, arrays["patches"]))
        confusions = arrays["confusions"].astype(np.int64)
        for name in arrays:
            kind, _, patch = name.partition("_")
            if kind == "map":
                maps[patch] = arrays[name]
            elif kind == "reference":
                references[patch] = arrays[name]
            elif kind == "spatial":
                spatial[name.removeprefix("spatial_")] = arrays[name].astype(np.int64)
    return Record(
        metadata=document.metadata,
        history=epochs.astype(float),
        patches=patches,
        confusions=confusions,
        maps=maps,
        references=references,
        spatial=SpatialCounts(**spatial) if spatial else None,
    )


#: What other code looks up in the parts of `Metadata` that are plain mappings.
_KEYS_OF_START = ("experiment", "dataset", "digest", "part")
_KEYS_OF_EVALUATION = ("trained_on", "model_sha256", "split")


def _check_mappings(metadata: Metadata) -> None:
    """Refuse metadata that lack what tables and `multisenge config` read, by a ValueError."""
    if "trainable" not in metadata.parameters:
        raise ValueError("parameters have no trainable")
    if not isinstance(metadata.choices.get("network", ""), str):
        raise ValueError("the network among the choices is no name")
    sensors = metadata.choices.get("sensors", [])
    if not isinstance(sensors, list) or not set(map(str, sensors)) <= set(SENSORS):
        raise ValueError(f"the sensors among the choices are none of {', '.join(SENSORS)}")
    is_file = ".py:" in metadata.choices.get("network", "")
    if is_file and not sensors:
        raise ValueError("the choices name a file of a network, and no sensors")
    if metadata.choices.get("network_digest") and not is_file:
        raise ValueError("the choices hold the hash of a network's file, and not its name")
    start = metadata.start_from
    if start is not None and not set(_KEYS_OF_START) <= set(start):
        raise ValueError(f"start_from lacks one of {', '.join(_KEYS_OF_START)}")
    evaluation = metadata.evaluation
    if evaluation and not set(_KEYS_OF_EVALUATION) <= set(evaluation):
        raise ValueError(f"evaluation lacks one of {', '.join(_KEYS_OF_EVALUATION)}")


def _check(document: _Document, record: Record, key: RecordKey | None) -> None:
    """Check a record against its key and its own confusion matrix; raise a ValueError."""
    _check_mappings(record.metadata)
    if key is not None and record.key != key:
        raise ValueError(f"it is of {'/'.join(map(str, record.key))}")
    if record.confusion.tolist() != document.confusion:
        raise ValueError(f"the confusion matrix is not the sum of those in {_TEST}")
    _check_spatial(record)
    for name, written in document.scores.items():
        # A score that this library does not compute is not shown either.
        if name not in record.scores:
            continue
        computed = np.array(record.scores[name], dtype=float)
        if not np.allclose(np.array(written, float), computed, rtol=0, atol=1e-12, equal_nan=True):
            raise ValueError(f"{name} is not that of the confusion matrix")


def _check_spatial(record: Record) -> None:
    """Refuse spatial counts of other patches or pixels than the confusion matrices."""
    spatial = record.spatial
    if spatial is None:
        return
    if spatial.by_distance.shape != (len(DISTANCE_BINS), *record.confusion.shape):
        raise ValueError(f"the distances to a boundary in {_TEST} have another shape")
    if (spatial.by_distance.sum(axis=0) != record.confusion).any():
        raise ValueError(f"the distances to a boundary in {_TEST} are of other pixels")
    for isolated in (spatial.isolated_in_map, spatial.isolated_in_reference):
        if isolated.shape != (len(record.patches),):
            raise ValueError(f"the isolated pixels in {_TEST} are of other patches")


def list_records(dataset: str) -> list[RecordKey]:
    """List the records of a dataset, by experiment and seed; empty where nothing was trained."""
    root = paths.results_dir() / dataset
    keys = set()
    for path in root.glob(f"**/{_METRICS}"):
        place = path.parent.relative_to(root).as_posix()
        match = re.fullmatch(r"([\w+-]+)(?:/seed(\d+))?", place)
        if match is None:
            continue
        experiment, seed = match.groups()
        key = RecordKey(dataset, experiment, int(seed or 1))
        # A folder such as seed02 or seed1 is not where `write_record` writes.
        if record_folder(*key) == path.parent:
            keys.add(key)
    return sorted(keys)


def read_runs(dataset: str, experiment: str) -> list[Record]:
    """Read the records of an experiment, one per seed; empty where nothing was trained."""
    keys = [key for key in list_records(dataset) if key.experiment == experiment]
    return [read_record(*key) for key in keys]
