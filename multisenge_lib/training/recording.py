"""Assemble the record of a run: what was trained, on what, how, and its scores (step 11).

Steps are numbered as in `run`.
"""

from dataclasses import asdict, dataclass
from typing import Any

import keras
import numpy as np

from multisenge_lib import results
from multisenge_lib.dataset import SPLITS, selection_parameters
from multisenge_lib.training.checkpoint import TrainingInfo, history
from multisenge_lib.training.preparation import PreparedRun, TrainingStatistics
from multisenge_lib.training.start_from import StartingPoint, TakenWeights


@dataclass(frozen=True)
class ClassifierInfo:
    """The facts about the classifier that its record holds.

    Attributes:
        statistics: the statistics of the training split.
        parameters: how many weights it has, `trainable` and `total`.
        step_operations: floating-point operations of one training step.
        settings: how it was trained; by default the settings of the prepared run.
        taken_weights: the weights that it started with; None where all started at random.
    """

    statistics: TrainingStatistics
    parameters: dict[str, int]
    step_operations: float
    settings: dict[str, Any] | None = None
    taken_weights: TakenWeights | None = None


def count_weights(model: keras.Model) -> dict[str, int]:
    """Count the weights of a network: those that are trained, and all."""
    trainable = sum(int(np.prod(weight.shape)) for weight in model.trainable_variables)
    return {"trainable": trainable, "total": model.count_params()}


def make_record(
    prepared: PreparedRun,
    training_info: TrainingInfo,
    counts: results.PatchCounts,
    classifier: ClassifierInfo,
) -> results.Record:
    """Assemble the record: what was trained, on what, how, where and when, and its scores."""
    statistics = classifier.statistics
    experiment = prepared.experiment
    settings = prepared.settings
    store = prepared.store
    typology = prepared.typology

    patches = {split: len(store.positions(split)) for split in SPLITS}
    if classifier.settings is None:
        classifier_settings = asdict(settings)
    else:
        classifier_settings = classifier.settings
    updates = prepared.updates_per_epoch * len(training_info.rows)

    metadata = results.Metadata(
        dataset=prepared.dataset.name,
        experiment=experiment.name,
        seed=settings.seed,
        title=experiment.title,
        classes=typology.names,
        classification=typology.name,
        colors=typology.colors,
        members=typology.members,
        selection=selection_parameters(prepared.dataset),
        choices=prepared.choices,
        settings=classifier_settings,
        band_order=prepared.band_order,
        parameters=classifier.parameters,
        patches=patches,
        split=prepared.dataset.split_rule,
        size=store.size,
        operations=updates * classifier.step_operations,
        fingerprint=store.fingerprint,
        skipped=tuple(store.skipped.to_dict(orient="records")),
        statistics=statistics.of_bands,
        pixels=tuple(statistics.pixels.tolist()),
        class_weights=tuple(statistics.class_weights.tolist()),
        finished=training_info.finished,
        device=training_info.device,
        backend=training_info.backend,
        commit=training_info.commit,
        uncommitted=training_info.uncommitted,
        versions=training_info.versions,
        start_from=_describe_start(prepared.start, classifier.taken_weights),
    )
    return results.Record(
        metadata=metadata,
        history=history(training_info.rows),
        patches=counts.patches,
        confusions=counts.confusions,
        maps=counts.maps,
        references=counts.references,
        spatial=counts.spatial,
    )


def _describe_start(
    start: StartingPoint | None, weights: TakenWeights | None
) -> dict[str, Any] | None:
    """Describe for the record which network the weights came from, and which weights."""
    if start is None or weights is None:
        return None
    return {
        "experiment": start.card.name,
        "dataset": start.card.dataset,
        "digest": start.digest,
        "part": start.part,
        "taken": weights.taken,
        "left": weights.at_random,
    }
