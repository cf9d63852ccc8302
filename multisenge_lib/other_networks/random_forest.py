"""A random forest, pixel by pixel: is spatial context worth it?

It sees all bands and dates of one pixel and nothing of its neighbours. This is how OSO, the land
cover map that the paper compares itself with, is made (section 5.2). The forest is trained on
pixels of the training patches and scored on the test patches by the code that scores the networks.

It needs scikit-learn, of the extra `forest`.
"""

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from multisenge_lib import results
from multisenge_lib.dataset import NO_DATA, BandOrder, Dataset, OnError, Store, dataset_of_root
from multisenge_lib.errors import ExperimentError
from multisenge_lib.other_networks.forest_experiments import forest_experiment
from multisenge_lib.software import provenance
from multisenge_lib.training import (
    ClassifierInfo,
    PreparedRun,
    TrainingInfo,
    compute_statistics,
    device_name,
    evaluate_predictions,
    make_record,
    prepare,
    settings_for,
)

TREES = 60
#: Training pixels, drawn from all that have a class.
PIXELS = 40_000


def train_forest(
    name: str,
    seed: int = 1,
    data_root: Path | str | None = None,
    *,
    dataset: Dataset | None = None,
    on_error: OnError = "stop",
    band_order: BandOrder = "spectral",
    trees: int = TREES,
    pixels: int = PIXELS,
) -> results.Record:
    """Train a random forest, and evaluate it on the test split.

    Args:
        name: `forest_10c` with both sensors, `forest_s2_10c` with one, and so on.
        seed: seed of the draw of pixels, and of the trees.
        data_root: the data root.
        dataset: from `dataset.with_selection`, for another selection; by default the data root's
            own.
        on_error: see `training.train`.
        band_order: the order of bands in files that do not name them, see `read_patch`.
        trees: how many.
        pixels: how many to draw for training.

    Returns:
        Its record, not yet written. Its history has one row: `loss` is the share of the training
        pixels that are classified wrongly, `val_loss` the same by the trees that did not see them
        (out of bag). The latter is far too low for other patches: neighbours of a pixel, which are
        much like it, were trained on. Its parameters are the nodes of all trees.

    Raises:
        ExperimentError: there is no such forest, or the data root cannot be trained on.
    """
    if data_root is None:
        raise ExperimentError("no data root: give data_root, such as find_data_root()")
    if dataset is None:
        dataset = dataset_of_root(data_root)
    experiment = forest_experiment(name, dataset)
    # One patch at a time. A forest is not trained in batches, nor on turned patches, nor weighted.
    settings = settings_for(
        data_root, seed=seed, batch_size=1, augmentation="none", class_weights=False
    )
    prepared = prepare(data_root, experiment, settings, on_error, dataset, band_order=band_order)

    start = time.monotonic()
    features, ids = sample_pixels(prepared, pixels, seed)
    forest = _fit(features, ids, trees, seed)
    seconds = time.monotonic() - start

    def predict_ids(inputs: dict[str, np.ndarray]) -> np.ndarray:
        batch, _, height, width, _ = inputs[experiment.sensors[0]].shape
        of_pixels = pixel_features(inputs, experiment.sensors)
        predicted = forest.predict(of_pixels.reshape(-1, of_pixels.shape[-1]))
        return predicted.reshape(batch, height, width).astype(np.uint8)

    counts = evaluate_predictions(predict_ids, prepared)
    nodes = sum(tree.tree_.node_count for tree in forest.estimators_)
    epoch = {
        "loss": 1 - forest.score(features, ids),
        "val_loss": 1 - forest.oob_score_,
        "learning_rate": 0.0,
        "seconds": round(seconds, 3),
    }
    training_info = TrainingInfo(
        rows=[epoch],
        finished=datetime.now(UTC).isoformat(timespec="seconds"),
        device=device_name(),
        backend="scikit-learn",
        **provenance(),
    )
    classifier = ClassifierInfo(
        statistics=compute_statistics(prepared),
        parameters={"trainable": nodes, "total": nodes},
        step_operations=0.0,
        settings={"trees": trees, "pixels": pixels, "seed": seed},
    )
    return make_record(prepared, training_info, counts, classifier)


def _fit(features: np.ndarray, ids: np.ndarray, trees: int, seed: int) -> Any:
    """Train the forest; scikit-learn's defaults but for the number of trees."""
    from sklearn.ensemble import RandomForestClassifier

    # The seed alone decides the trees, however many cores grow them.
    forest = RandomForestClassifier(trees, random_state=seed, n_jobs=-1, oob_score=True)
    return forest.fit(features, ids)


def sample_pixels(prepared: PreparedRun, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw training pixels at random from all that have a class, without replacement.

    The pixels of all patches together are drawn from, so a class has as many as its share of the
    land, as in the networks' patches.

    Returns:
        Their features, `(pixels, features)`, and their class ids, `(pixels,) uint8`.
    """
    store = prepared.store
    positions = store.positions("train")
    labelled_of_patch = [_labelled(prepared, position) for position in positions]
    sizes = [len(labelled) for labelled in labelled_of_patch]
    rng = np.random.default_rng(seed)
    drawn = np.sort(rng.choice(sum(sizes), min(count, sum(sizes)), replace=False))

    # The labelled pixels of all patches are numbered through. A patch is read only if one of its
    # own was drawn, and then once: on the real images all patches together do not fit into memory.
    ends = np.cumsum(sizes)
    features = []
    ids = []
    for position, labelled, end in zip(positions, labelled_of_patch, ends, strict=True):
        first = end - len(labelled)
        in_patch = drawn[(drawn >= first) & (drawn < end)] - first
        if not len(in_patch):
            continue
        pixels = labelled[in_patch]
        features.append(_features_of_patch(prepared, store, position)[pixels])
        reference = prepared.typology.lookup[store.read("reference", position)]
        ids.append(reference.ravel()[pixels])
    return np.concatenate(features), np.concatenate(ids)


def _labelled(prepared: PreparedRun, position: int) -> np.ndarray:
    """Return the positions in a flattened patch of the pixels that have a class."""
    ids = prepared.typology.lookup[prepared.store.read("reference", position)]
    return np.flatnonzero(ids != NO_DATA)


def _features_of_patch(prepared: PreparedRun, store: Store, position: int) -> np.ndarray:
    """Return the features of all pixels of a patch, `(pixels, features)`."""
    sensors = prepared.experiment.sensors
    batch = {sensor: store.read(sensor, position)[np.newaxis] for sensor in sensors}
    features = pixel_features(batch, sensors)
    return features.reshape(-1, features.shape[-1])


def pixel_features(inputs: Mapping[str, np.ndarray], sensors: Sequence[str]) -> np.ndarray:
    """Put all bands and dates of each pixel side by side.

    The values stay as they are: trees compare a value with a threshold, so neither decibels nor
    standardisation would change them.

    Args:
        inputs: series by sensor, `(batch, dates, height, width, bands)`.
        sensors: which, in order.

    Returns:
        `(batch, height, width, features) float32`.
    """
    features = []
    for sensor in sensors:
        # The forest has no notion of time: each band of each date is a feature of its own.
        by_pixel = np.moveaxis(inputs[sensor], 1, -2)  # (batch, height, width, dates, bands)
        features.append(by_pixel.reshape(*by_pixel.shape[:3], -1).astype(np.float32))
    return np.concatenate(features, axis=-1)
