"""Train variants of what the paper leaves open: one network, with one choice changed at a time.

Every variant is the baseline with one field of `Experiment` or `Settings` replaced, trained with
the same seeds on the same data. The record grows run by run, so that an interrupted series
continues, and two processes may measure other seeds or variants at once.
"""

import json
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import keras

from multisenge_lib import paths
from multisenge_lib.chapters import (
    ABLATION_EPOCHS,
    BASELINE,
    AblationRun,
    Ablations,
    ablations_path,
    read_ablations,
)
from multisenge_lib.dataset import dataset_of_root
from multisenge_lib.errors import ExperimentError, RecordError
from multisenge_lib.files import locked, write_text
from multisenge_lib.models import Experiment, get_experiment
from multisenge_lib.results import URBAN_F1, score_values
from multisenge_lib.sample import ensure_sample
from multisenge_lib.training import Run, Settings, settings_for, train

#: The network with every part that a variant changes.
BASE = "inception_10c"


@dataclass(frozen=True)
class Variant:
    """Fields of the experiment and of the settings that differ from the baseline."""

    experiment: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)


VARIANTS: dict[str, Variant] = {
    BASELINE: Variant(),
    "one date of four": Variant({"first_dates": 1}),
    "peepholes": Variant({"peephole": True}),
    "ReLU for tanh": Variant({"activation": "relu"}),
    "Inception without pooling": Variant({"inception_pool": False}),
    "full-resolution skip": Variant({"full_resolution_skip": True}),
    "frozen encoder": Variant({"freeze_encoder": True}),
    "Sentinel-1 linear": Variant({"s1_decibel": False}),
    "no augmentation": Variant(settings={"augmentation": "none"}),
    "augmentation adds copies": Variant(settings={"augmentation": "extend"}),
    "no class weights": Variant(settings={"class_weights": False}),
    "bfloat16": Variant(settings={"precision": "mixed_bfloat16"}),
}


def _source(root: Path, experiment: Experiment, settings: Settings) -> dict[str, Any]:
    """Describe what all runs of a record have in common, as JSON holds it."""
    source = {
        "dataset": dataset_of_root(root).name,
        "data_root": root.name,
        "experiment": asdict(experiment),
        "settings": asdict(settings),
    }
    return json.loads(json.dumps(source))


def _read_runs(path: Path, source: dict[str, Any]) -> list[AblationRun]:
    """Read the runs recorded so far; those of other data or settings are refused."""
    record = read_ablations(path)
    if record is None:
        return []
    if record.source != source:
        raise RecordError(f"{path} is of other data or settings: delete it to measure anew")
    return record.runs


def _add_run(path: Path, source: dict[str, Any], run: AblationRun) -> None:
    """Add a run to the record, keeping what another process has added meanwhile."""
    with locked(path.with_name(f".{path.name}.lock")):
        runs = _read_runs(path, source)
        runs.append(run)
        record = Ablations(source, runs)
        write_text(path, json.dumps(asdict(record), indent=1) + "\n")


def _as_recorded(variant: str, run: Run) -> AblationRun:
    """Keep of a run what the record holds."""
    record = run.record
    return AblationRun(
        variant=variant,
        seed=record.metadata.seed,
        weighted_f1=record.scores["weighted_f1"],
        macro_f1=record.scores["macro_f1"],
        kappa=record.scores["kappa"],
        accuracy=record.scores["accuracy"],
        urban_f1=float(score_values(record.confusion, URBAN_F1)),
        epochs=len(record.history),
        best_epoch=record.best_epoch,
        seconds=round(float(record.history["seconds"].sum()), 1),
        finished=record.metadata.finished,
        commit=record.metadata.commit,
    )


def measure_all(
    seeds: Iterable[int] = (1, 2, 3, 4, 5),
    epochs: int = ABLATION_EPOCHS,
    root: Path | None = None,
    variants: Iterable[str] = tuple(VARIANTS),
) -> Path:
    """Train variants on the sample with 32-pixel patches, or on a data root, and record scores.

    Runs that are recorded already are not trained again.

    Args:
        seeds: seeds of the training; one run per variant and seed.
        epochs: the largest number of epochs of a run.
        root: the data root.
        variants: which of `VARIANTS`.

    Returns:
        The record's path, one for each dataset and number of epochs; see `chapters.ablation_table`.

    Raises:
        ExperimentError: a variant is unknown.
        RecordError: the record is damaged, or of other data or settings.
    """
    variants = list(variants)
    unknown = [name for name in variants if name not in VARIANTS]
    if unknown:
        raise ExperimentError(f"variants {unknown}: choose among {', '.join(VARIANTS)}")
    root = root or ensure_sample(size=32)
    experiment = get_experiment(BASE)
    # float32, so that the baseline is the same on every machine.
    settings = settings_for(root, epochs=epochs, precision="float32")
    path = ablations_path(dataset_of_root(root).name, epochs)
    source = _source(root, experiment, settings)
    # A folder of its own: what lies in it is deleted below, and the user's own runs must stay.
    runs_folder = paths.cache_dir() / "ablations"

    for seed in seeds:
        for name in variants:
            # Read each time: another process may have measured it meanwhile.
            recorded = {(run.variant, run.seed) for run in _read_runs(path, source)}
            if (name, seed) in recorded:
                continue
            variant = VARIANTS[name]
            changed_experiment = replace(experiment, **variant.experiment)
            changed_settings = replace(settings, seed=seed, **variant.settings)
            run = train(changed_experiment, changed_settings, root, runs=runs_folder)
            _add_run(path, source, _as_recorded(name, run))
            shutil.rmtree(run.folder)  # 100 MB that nothing asks for again
            del run
            keras.utils.clear_session(free_memory=True)  # else each network keeps 0.4 GB
    return path
