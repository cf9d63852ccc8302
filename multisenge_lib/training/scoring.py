"""Evaluate a classifier on a split, patch by patch (section 3.5; step 10 of `run`)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import keras
import numpy as np
from keras import ops

from multisenge_lib import results
from multisenge_lib.results import confusion_matrix
from multisenge_lib.training.preparation import PreparedRun

#: How many maps to keep if no showcase patch is in the test split.
_MAPS_KEPT = 3


@dataclass(frozen=True)
class Evaluation:
    """The predictions of a classifier on a split, counted as `results.Record` holds them.

    Attributes:
        patches: names of the split's patches.
        confusions: their confusion matrices, `(patches, classes, classes) int64`.
        maps: class ids of a few patches, `(size, size) uint8`, by name.
        references: references of the same patches.
        spatial: isolated pixels, and errors by distance to a class boundary.
    """

    patches: tuple[str, ...]
    confusions: np.ndarray
    maps: Mapping[str, np.ndarray]
    references: Mapping[str, np.ndarray]
    spatial: results.SpatialCounts


def evaluate(model: keras.Model, prepared: PreparedRun, split: str = "test") -> Evaluation:
    """Predict a split with a network, and count hits and errors patch by patch.

    Returns:
        See `evaluate_predictions`.
    """

    def predict_ids(inputs: dict[str, np.ndarray]) -> np.ndarray:
        logits = ops.convert_to_numpy(model.predict_on_batch(inputs))
        # Channel k is the class with id k + 1.
        return (logits.argmax(axis=-1) + 1).astype(np.uint8)

    return evaluate_predictions(predict_ids, prepared, split)


def evaluate_predictions(
    predict_ids: Callable[[dict[str, np.ndarray]], np.ndarray],
    prepared: PreparedRun,
    split: str = "test",
) -> Evaluation:
    """Count hits and errors of any classifier on a split, patch by patch.

    Args:
        predict_ids: a function of one batch, as `Batches` gives it, to class ids from 1,
            `(batch, size, size) uint8`.
        prepared: the patches.
        split: `train`, `validation` or `test`.

    Returns:
        See `Evaluation`. Its maps and references are those of the dataset's showcase, or of the
        split's first patches if none of the showcase is in it.
    """
    patch_at = prepared.store.patches.set_index("position")["patch"]
    names = patch_at.loc[prepared.store.positions(split)].tolist()
    showcase = set(prepared.dataset.showcase) & set(names)
    if not showcase:
        showcase = set(names[:_MAPS_KEPT])

    classes = prepared.experiment.classes
    batches = prepared.batches(split)
    confusions = []
    spatial_counts = []
    maps = {}
    references = {}
    for number in range(batches.num_batches):
        inputs, batch_references = batches[number]
        batch_predictions = predict_ids(inputs)

        # The last batch is filled up: only its first patches have a name.
        first = number * batches.batch_size
        for place, name in enumerate(names[first : first + batches.batch_size]):
            reference = batch_references[place]
            predicted = batch_predictions[place]
            confusions.append(confusion_matrix(reference, predicted, classes))
            spatial_counts.append(results.count_patch(reference, predicted, classes))
            if name in showcase:
                maps[name] = predicted
                references[name] = reference
    return Evaluation(
        patches=tuple(names),
        confusions=np.stack(confusions),
        maps=maps,
        references=references,
        spatial=results.join_counts(spatial_counts),
    )
