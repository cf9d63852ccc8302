"""Evaluate a classifier on a split, patch by patch (section 3.5; step 10 of `run`)."""

from collections.abc import Callable

import keras
import numpy as np
from keras import ops

from multisenge_lib.results import PatchCounts
from multisenge_lib.training.preparation import PreparedRun


def evaluate(model: keras.Model, prepared: PreparedRun, split: str = "test") -> PatchCounts:
    """Predict a split with a network, and count hits and errors patch by patch."""

    def predict_ids(inputs: dict[str, np.ndarray]) -> np.ndarray:
        logits = ops.convert_to_numpy(model.predict_on_batch(inputs))
        # Channel k is the class with id k + 1.
        return (logits.argmax(axis=-1) + 1).astype(np.uint8)

    return evaluate_predictions(predict_ids, prepared, split)


def evaluate_predictions(
    predict_ids: Callable[[dict[str, np.ndarray]], np.ndarray],
    prepared: PreparedRun,
    split: str = "test",
) -> PatchCounts:
    """Count hits and errors of any classifier on a split, patch by patch.

    Args:
        predict_ids: a function of one batch, as `Batches` gives it, to class ids from 1,
            `(batch, size, size) uint8`.
        prepared: the patches.
        split: `train`, `validation` or `test`.
    """
    patch_at = prepared.store.patches.set_index("position")["patch"]
    names = patch_at.loc[prepared.store.positions(split)].tolist()
    counts = PatchCounts(names, prepared.experiment.classes, prepared.dataset.showcase)
    batches = prepared.batches(split)
    for number in range(batches.num_batches):
        inputs, references = batches[number]
        predictions = predict_ids(inputs)
        # The last batch is filled up: only its first patches have a name.
        first = number * batches.batch_size
        for index, name in enumerate(names[first : first + batches.batch_size]):
            counts.add(name, references[index], predictions[index])
    return counts
