"""Packed patches to Keras batches, augmented or in order, and the numbers training needs first.

Which patches make a training batch, and how each is turned, depends on the seed and the batch's
number since the start of training alone: a run that was interrupted goes on with the same batches.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from itertools import count
from typing import Any

import keras
import numpy as np

from multisenge_lib.dataset import NO_DATA, Store, Typology, decibel, missing_pixels
from multisenge_lib.errors import ExperimentError, PatchError
from multisenge_lib.models import Experiment
from multisenge_lib.training.settings import Augmentation

#: Of section 3.4.
AUGMENTED_SHARE = 0.75

#: As it is; turned by 90, 180, 270 degrees; upside down; left to right (section 3.4).
TRANSFORMATIONS = ("none", "90", "180", "270", "up-down", "left-right")


def transform(image: np.ndarray, number: int, axes: tuple[int, int] = (-3, -2)) -> np.ndarray:
    """Turn or flip an image, or every date of a series alike.

    Args:
        image: `(..., height, width, bands)`, square.
        number: position in `TRANSFORMATIONS`.
        axes: height and width; `(-2, -1)` where there are no bands.
    """
    if number <= 3:
        return np.rot90(image, number, axes)
    return np.flip(image, axes[number - 4])


def _copies(patches: int, augmentation: Augmentation) -> int:
    return round(AUGMENTED_SHARE * patches) if augmentation == "extend" else 0


def steps_an_epoch(patches: int, augmentation: Augmentation, batch_size: int) -> int:
    """Full batches that an epoch of training has; an ExperimentError where there is none."""
    steps = (patches + _copies(patches, augmentation)) // batch_size
    if not steps:
        raise ExperimentError(
            f"batch size {batch_size} is more than the {patches} patches to train on: give a "
            "smaller one"
        )
    return steps


class Batches(keras.utils.PyDataset):
    """Patches in order, once, each as it is: for validation and test.

    A batch is `(inputs, reference)`: inputs by sensor, `s1` `(batch, dates, size, size, 2)
    float32` and `s2` `(batch, dates, size, size, 10) uint16` as stored; the reference
    `(batch, size, size) uint8`, ids of the typology, 0 where a loss ignores the pixel.

    Args:
        store: from `pack`.
        positions: which patches of it.
        sensors: the model's inputs.
        typology: of the reference.
        batch_size: patches a batch. The last one is filled up, so that all have one shape, with
            repetitions whose reference is 0 throughout.
        readers: threads that read the patches of a batch.
    """

    def __init__(
        self,
        store: Store,
        positions: Sequence[int],
        sensors: Sequence[str],
        typology: Typology,
        batch_size: int,
        readers: int = 1,
    ):
        super().__init__()
        if not len(positions):
            raise ExperimentError("no patch to make batches of: the split is empty")
        if batch_size < 1:
            raise ExperimentError(f"batch size {batch_size}: give 1 or more")
        self.store, self.positions = store, np.asarray(positions)
        self.sensors, self.lookup = tuple(sensors), typology.lookup
        self.size = batch_size
        self.error: PatchError | None = None
        self._pool = ThreadPoolExecutor(readers)

    @property
    def num_batches(self) -> int | None:
        """Batches in all; None where they don't end."""
        return -(-len(self.positions) // self.size)

    def plan(self, number: int) -> list[tuple[int, int]]:
        """Position in the store and number of the transformation, for each patch of a batch."""
        part = self.positions[number * self.size : (number + 1) * self.size]
        return [(int(position), 0) for position in part]

    def _read(self, name: str, planned: tuple[int, int], out: np.ndarray) -> None:
        """One patch of an array, turned, in its place in the batch."""
        position, number = planned
        if number == 0:
            self.store.read(name, position, out)
        else:
            axes = (-2, -1) if name == "reference" else (-3, -2)
            out[...] = transform(self.store.read(name, position), number, axes)

    def __getitem__(self, number: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """One batch; an error is kept for the caller, whom Keras' threads hide it from."""
        plan, names = self.plan(number), (*self.sensors, "reference")
        batch = {name: self.store.empty(name, self.size) for name in names}
        places = [
            (name, planned, batch[name][i]) for i, planned in enumerate(plan) for name in names
        ]
        try:
            list(self._pool.map(self._read, *zip(*places, strict=True)))
        except PatchError as error:
            self.error = error
            raise
        for name in self.sensors:
            batch[name][len(plan) :] = batch[name][0]
        batch["reference"][len(plan) :] = NO_DATA
        return batch, self.lookup[batch.pop("reference")]


class TrainingBatches(Batches):
    """Patches in random order, turned and flipped, without end.

    An epoch has `steps` full batches; the few patches that fill no batch are others in each epoch.

    Args:
        *args: and **kwargs, of `Batches`.
        seed: of order and transformations.
        augmentation: which reading of the paper's 75 %, or none; see `Augmentation`.
        first_epoch: where to begin, 0 unless training is resumed.
    """

    def __init__(
        self,
        *args,
        seed: int,
        augmentation: Augmentation = "replace",
        first_epoch: int = 0,
        **kwargs,
    ):
        super().__init__(*args, **kwargs)
        self.steps = steps_an_epoch(len(self.positions), augmentation, self.size)
        self.seed, self.augmentation, self.first_epoch = seed, augmentation, first_epoch
        self._epoch = lru_cache(maxsize=2)(self._shuffled)

    @property
    def num_batches(self) -> None:
        """None: batches don't end. Keras counts `steps` an epoch."""

    def _shuffled(self, epoch: int) -> np.ndarray:
        """Position and transformation of every patch of an epoch, `(patches, 2)`."""
        rng = np.random.Generator(np.random.PCG64([self.seed, epoch]))
        numbers = rng.integers(1, len(TRANSFORMATIONS), len(self.positions))
        share = {"replace": AUGMENTED_SHARE, "extend": 0, "none": 0}[self.augmentation]
        kept = np.where(rng.random(len(self.positions)) < share, numbers, 0)
        copies = _copies(len(self.positions), self.augmentation)
        copied = rng.permutation(len(self.positions))[:copies]
        plan = np.concatenate(
            [
                np.stack([self.positions, kept], axis=1),
                np.stack([self.positions, numbers], axis=1)[copied],
            ]
        )
        return rng.permutation(plan)

    def plan(self, number: int) -> list[tuple[int, int]]:
        """Position in the store and number of the transformation, for each patch of a batch."""
        epoch, step = divmod(number, self.steps)
        part = self._epoch(self.first_epoch + epoch)[step * self.size : (step + 1) * self.size]
        return [(int(position), int(transformation)) for position, transformation in part]


def read_ahead(batches: Batches) -> Any:
    """The batches as `fit` takes them, one read while another is trained on.

    Keras makes such a pipeline itself, but for TensorFlow one that is tuned: its end then waits for
    the tuner, which sleeps twice as long each time, up to a minute (`book/data/roads.yaml`).
    """
    if keras.backend.backend() != "tensorflow":
        return batches
    import tensorflow as tf

    def generated() -> Any:
        numbers = count() if batches.num_batches is None else range(batches.num_batches)
        return (batches[number] for number in numbers)

    shapes = tf.nest.map_structure(lambda x: tf.TensorSpec(x.shape, x.dtype), batches[0])
    options = tf.data.Options()
    options.autotune.enabled = False
    length = tf.data.experimental.assert_cardinality(
        batches.num_batches or tf.data.INFINITE_CARDINALITY
    )
    dataset = tf.data.Dataset.from_generator(generated, output_signature=shapes).apply(length)
    return dataset.prefetch(1).with_options(options)


def streamed_statistics(
    store: Store, experiment: Experiment
) -> dict[str, tuple[list[float], list[float]]]:
    """Compute mean and standard deviation of each band over the training split (Eq. 4).

    All dates and pixels count, read one patch at a time, with sums in float64; Sentinel-1 in
    decibels where the experiment has it so. The paper does not say over which patches: the training
    split alone keeps validation and test unseen. Nor does it say whether pixels without data count.
    Here they do not (see `dataset.nodata`): in decibels they would be -50, far from all others, and
    dominate the standard deviation.

    Returns:
        For each sensor (means, standard deviations), one value per band: what `build_model` takes.

    Raises:
        ExperimentError: a sensor has no data in any training patch.
    """
    return {
        sensor: _moments(store, sensor, store.positions("train"), experiment.s1_decibel)
        for sensor in experiment.sensors
    }


def _moments(
    store: Store, sensor: str, positions: np.ndarray, s1_decibel: bool
) -> tuple[list[float], list[float]]:
    """Compute mean and standard deviation (of the population) of each band where there is data."""
    count = 0
    total = 0.0
    total_of_squares = 0.0
    for position in positions:
        for image in store.read(sensor, position):
            values = decibel(image) if sensor == "s1" and s1_decibel else image
            height, width, bands = values.shape
            count += height * width
            if not image.all():  # most images hold no 0 at all, which is quick to see
                missing = missing_pixels(image, sensor)
                values = np.where(missing[..., np.newaxis], 0, values)
                count -= np.count_nonzero(missing)
            # NumPy sums long rows several times faster than the few bands of a pixel. So the rows
            # of the image are summed first, and the columns of each band after.
            rows = values.reshape(height, width * bands).astype(np.float64)
            sums = rows.sum(axis=0).reshape(width, bands)
            squares = np.einsum("pb,pb->b", rows, rows).reshape(width, bands)
            total = total + sums.sum(axis=0)
            total_of_squares = total_of_squares + squares.sum(axis=0)
    if count == 0:
        raise ExperimentError(f"{sensor} has no data in any training patch: nothing to train on")
    mean = total / count
    std = np.sqrt(total_of_squares / count - mean**2)
    return mean.tolist(), std.tolist()


def count_classes(store: Store, typology: Typology, split: str = "train") -> np.ndarray:
    """Pixels of each class in a split's reference, `(classes,) int64`; no data is not counted."""
    counts = np.zeros(len(typology) + 1, dtype=np.int64)
    for position in store.positions(split):
        ids = typology.lookup[store.read("reference", position)]
        counts += np.bincount(ids.ravel(), minlength=len(counts))
    return np.delete(counts, NO_DATA)
