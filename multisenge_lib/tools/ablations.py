"""What the choices that the paper leaves open change: one network, one choice changed at a time.

Every variant is the baseline with one field of `Experiment` or `Settings` replaced, trained with
the same seeds on the same data. The record grows run by run, so an interrupted series goes on.
"""

import itertools
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
    urban_score,
)
from multisenge_lib.dataset import dataset_of_root
from multisenge_lib.errors import ExperimentError, RecordError
from multisenge_lib.files import write_text
from multisenge_lib.models import Experiment, get_experiment
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
    """What the runs of one record have in common; a record of anything else is not gone on with."""
    return {
        "dataset": dataset_of_root(root).name,
        "data_root": root.name,
        "experiment": asdict(experiment),
        "settings": asdict(settings),
    }


def _read(path: Path, source: dict[str, Any]) -> list[AblationRun]:
    """The runs recorded so far, if they have this source."""
    record = read_ablations(path)
    if record and record.source != json.loads(json.dumps(source)):
        raise RecordError(f"{path} is of other data or settings: delete it to measure anew")
    return record.runs if record else []


def _write(path: Path, source: dict[str, Any], runs: list[AblationRun]) -> None:
    write_text(path, json.dumps(asdict(Ablations(source, runs)), indent=1) + "\n")


def _run(name: str, run: Run) -> AblationRun:
    """A run as the record keeps it."""
    record = run.record
    return AblationRun(
        variant=name,
        seed=record.metadata.seed,
        **{k: record.scores[k] for k in ("weighted_f1", "macro_f1", "kappa", "accuracy")},
        urban_f1=urban_score(record.confusion),
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
    """Measure variants on the sample with 32-pixel patches, or on a data root; go on where it was.

    Args:
        seeds: of the training; one run a variant and seed.
        epochs: at most, of each run.
        root: the data root.
        variants: which of `VARIANTS`.

    Returns:
        The record's path, one for each dataset and number of epochs; see `chapters.ablation_table`.

    Raises:
        ExperimentError: a variant is unknown.
        RecordError: the record there is damaged, or of other data or settings.
    """
    variants = list(variants)
    if unknown := [name for name in variants if name not in VARIANTS]:
        raise ExperimentError(f"variants {unknown}: choose among {', '.join(VARIANTS)}")
    root = root or ensure_sample(size=32)
    experiment = get_experiment(BASE)
    settings = settings_for(root, epochs=epochs, precision="float32")  # the same on any machine
    path = ablations_path(dataset_of_root(root).name, epochs)
    source = _source(root, experiment, settings)
    runs = _read(path, source)
    done = {(run.variant, run.seed) for run in runs}
    # A folder of its own: what lies in it is deleted below, and the user's own runs must stay.
    runs_folder = paths.cache_dir() / "ablations"
    for seed, name in itertools.product(seeds, variants):
        if (name, seed) in done:
            continue
        variant = VARIANTS[name]
        changed = replace(settings, seed=seed, **variant.settings)
        run = train(replace(experiment, **variant.experiment), changed, root, runs=runs_folder)
        runs.append(_run(name, run))
        _write(path, source, runs)
        shutil.rmtree(run.folder)  # 100 MB, which nothing asks for again
        del run
        keras.utils.clear_session(free_memory=True)  # else each network stays: 0.4 GB
    return path
