"""From packed patches to Keras batches, and the numbers that training needs first.

Which patches make a training batch, and how each is turned, depends only on the seed and on how
many batches came before. So a run that was interrupted goes on with the same batches.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from itertools import count
from math import ceil
from typing import Any

import keras
import numpy as np

from multisenge_lib.dataset import (
    NO_DATA,
    Store,
    Typology,
    days_of_year,
    decibel,
    missing_pixels,
)
from multisenge_lib.errors import ExperimentError, PatchError
from multisenge_lib.models import Experiment, days_input
from multisenge_lib.training.settings import (
    AUGMENTED_SHARE,
    Augmentation,
    steps_per_pass,
    turned_copies,
)

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
        return np.rot90(image, number, axes)  # 0, 1, 2 or 3 quarter turns
    height, width = axes
    axis = height if TRANSFORMATIONS[number] == "up-down" else width
    return np.flip(image, axis)


class Batches(keras.utils.PyDataset):
    """Batches of patches in order, each patch once and unchanged: for validation and test.

    A batch is `(inputs, reference)`: inputs by sensor, `s1` `(batch, dates, size, size, 2)
    float32` and `s2` `(batch, dates, size, size, 10) uint16` as stored; the reference
    `(batch, size, size) uint8`, ids of the typology, 0 where a loss ignores the pixel.

    Args:
        store: from `pack`.
        positions: the positions in it of the patches to read.
        sensors: the model's inputs.
        typology: the classes into which the reference is turned.
        batch_size: patches per batch. The last batch is filled up with repetitions whose reference
            is 0 throughout, so that all batches have one shape.
        reader_threads: threads that read the patches of a batch.
        with_days: also give the day of the year of each image, `s1_days` and `s2_days`
            `(batch, dates) float32`, 1 to 366.

    Attributes:
        error: why a patch could not be read; None as long as all could.
    """

    def __init__(
        self,
        store: Store,
        positions: Sequence[int],
        sensors: Sequence[str],
        typology: Typology,
        batch_size: int,
        reader_threads: int = 1,
        with_days: bool = False,
    ):
        super().__init__()
        if not len(positions):
            raise ExperimentError("no patch to make batches of: the split is empty")
        if batch_size < 1:
            raise ExperimentError(f"batch size {batch_size}: give 1 or more")
        self.store = store
        self.positions = np.asarray(positions)
        self.sensors = tuple(sensors)
        self.lookup = typology.lookup
        self.batch_size = batch_size
        self.days = _days_by_position(store, self.sensors) if with_days else {}
        self.error: PatchError | None = None
        self._pool = ThreadPoolExecutor(reader_threads)

    @property
    def num_batches(self) -> int | None:
        """Return how many batches there are; None if they do not end, as in training."""
        return ceil(len(self.positions) / self.batch_size)

    def plan(self, number: int) -> list[tuple[int, int]]:
        """Return which patches a batch has: position in the store, number of the transformation."""
        first = number * self.batch_size
        positions = self.positions[first : first + self.batch_size]
        return [(int(position), 0) for position in positions]

    def _read(self, name: str, position: int, transformation: int, out: np.ndarray) -> None:
        """Read one array of a patch, turned, into its place in the batch."""
        if TRANSFORMATIONS[transformation] == "none":
            self.store.read(name, position, out)
            return
        axes = (-2, -1) if name == "reference" else (-3, -2)
        values = self.store.read(name, position)
        out[...] = transform(values, transformation, axes)

    def __getitem__(self, number: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """Read one batch.

        Keras calls this in threads of its own and hides what they raise, so an error is also kept
        in `self.error`.
        """
        plan = self.plan(number)
        batch = {}
        for name in (*self.sensors, "reference"):
            batch[name] = self.store.empty(name, self.batch_size)

        # Each array of each patch is one task of the reader threads.
        tasks = []
        for index_in_batch, (position, transformation) in enumerate(plan):
            for name, array in batch.items():
                target = array[index_in_batch]
                task = self._pool.submit(self._read, name, position, transformation, target)
                tasks.append(task)
        try:
            for task in tasks:
                task.result()
        except PatchError as error:
            self.error = error
            raise

        # Fill up the last batch, with pixels that no loss and no score counts.
        for name in self.sensors:
            batch[name][len(plan) :] = batch[name][0]
        batch["reference"][len(plan) :] = NO_DATA
        reference = self.lookup[batch.pop("reference")]

        # Turning a patch does not change its dates.
        for name, days_by_position in self.days.items():
            days = [days_by_position[position] for position, _ in plan]
            days += days[:1] * (self.batch_size - len(plan))
            batch[name] = np.stack(days)
        return batch, reference


def _days_by_position(store: Store, sensors: Sequence[str]) -> dict[str, dict[int, np.ndarray]]:
    """Return the days of the year of each patch's images, by input and position in the store."""
    days = {}
    for sensor in sensors:
        dates = store.patches[f"{sensor}_dates"]
        of_sensor = zip(store.patches["position"], dates, strict=True)
        days[days_input(sensor)] = {
            int(position): days_of_year(dates_of_patch) for position, dates_of_patch in of_sensor
        }
    return days


class TrainingBatches(Batches):
    """Batches of training patches in random order, turned and flipped, without end.

    A pass has `steps` full batches. The few patches that fill no batch differ between passes.

    Args:
        *args: arguments of `Batches`.
        seed: seed of the order and the transformations.
        augmentation: which reading of the paper's 75 %, or none; see `Augmentation`.
        first_pass: the pass through the patches to begin with, 0 unless training is resumed.
        **kwargs: further arguments of `Batches`.
    """

    def __init__(
        self,
        *args,
        seed: int,
        augmentation: Augmentation = "replace",
        first_pass: int = 0,
        **kwargs,
    ):
        super().__init__(*args, **kwargs)
        self.steps = steps_per_pass(len(self.positions), augmentation, self.batch_size)
        self.seed = seed
        self.augmentation = augmentation
        self.first_pass = first_pass
        # Two passes, since batches are read ahead: the next one begins before this one ends.
        self._pass_plan = lru_cache(maxsize=2)(self._shuffled)

    @property
    def num_batches(self) -> None:
        """Return None: batches do not end. `fit` is told how many make an epoch."""

    def _shuffled(self, pass_number: int) -> np.ndarray:
        """Draw the position and the transformation of every patch of a pass, `(patches, 2)`.

        The generator's state follows from the seed and the pass alone, so that a resumed run draws
        the same. For the same reason, no line here may draw more or less than before.
        """
        rng = np.random.Generator(np.random.PCG64([self.seed, pass_number]))
        patches = len(self.positions)
        transformations = rng.integers(1, len(TRANSFORMATIONS), patches)

        # "replace": this share of the patches is turned, the others are as they are.
        share = AUGMENTED_SHARE if self.augmentation == "replace" else 0
        is_turned = rng.random(patches) < share
        of_originals = np.where(is_turned, transformations, 0)
        originals = np.stack([self.positions, of_originals], axis=1)

        # "extend": turned copies come on top.
        copied = rng.permutation(patches)[: turned_copies(patches, self.augmentation)]
        copies = np.stack([self.positions, transformations], axis=1)[copied]

        return rng.permutation(np.concatenate([originals, copies]))

    def plan(self, number: int) -> list[tuple[int, int]]:
        """Return which patches a batch has: position in the store, number of the transformation."""
        passes_done, step = divmod(number, self.steps)
        patches = self._pass_plan(self.first_pass + passes_done)
        first = step * self.batch_size
        return [(int(p), int(t)) for p, t in patches[first : first + self.batch_size]]


def read_ahead(batches: Batches) -> Any:
    """Wrap batches for `fit`, so that the next one is read while one is trained on.

    Keras makes such a pipeline itself, but for TensorFlow it makes one that tunes itself. At its
    end it waits for the tuner, which sleeps twice as long each time, up to a minute.
    """
    if keras.backend.backend() != "tensorflow":
        return batches
    import tensorflow as tf

    def generate() -> Any:
        numbers = count() if batches.num_batches is None else range(batches.num_batches)
        for number in numbers:
            yield batches[number]

    # The first batch tells the pipeline the shapes and types of all.
    signature = tf.nest.map_structure(lambda x: tf.TensorSpec(x.shape, x.dtype), batches[0])
    dataset = tf.data.Dataset.from_generator(generate, output_signature=signature)

    length = batches.num_batches or tf.data.INFINITE_CARDINALITY
    dataset = dataset.apply(tf.data.experimental.assert_cardinality(length))

    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.prefetch(1).with_options(options)


def streamed_statistics(
    store: Store, experiment: Experiment
) -> dict[str, tuple[list[float], list[float]]]:
    """Compute mean and standard deviation of each band over the training split (Eq. 4).

    All dates and pixels count, read one patch at a time, with sums in float64; Sentinel-1 in
    decibels if the experiment says so. The paper does not say over which patches: the training
    split alone keeps validation and test unseen. Nor does it say whether pixels without data count.
    Here they do not (see `dataset.nodata`): in decibels they would be -50, far from all others, and
    dominate the standard deviation.

    Returns:
        For each sensor (means, standard deviations), one value per band: what `build_model` takes.

    Raises:
        ExperimentError: a sensor has no data in any training patch, or a band one value in all.
    """
    return {
        sensor: _moments(store, sensor, store.positions("train"), experiment.s1_decibel)
        for sensor in experiment.sensors
    }


def _moments(
    store: Store, sensor: str, positions: np.ndarray, s1_decibel: bool
) -> tuple[list[float], list[float]]:
    """Compute mean and standard deviation (of the population) of each band where there is data."""
    pixels = 0
    total = 0.0
    total_of_squares = 0.0
    for position in positions:
        for image in store.read(sensor, position):
            values = decibel(image) if sensor == "s1" and s1_decibel else image
            height, width, bands = values.shape
            pixels += height * width
            if not image.all():  # most images hold no 0 at all, which is quick to see
                missing = missing_pixels(image, sensor)
                values = np.where(missing[..., np.newaxis], 0, values)
                pixels -= np.count_nonzero(missing)
            # NumPy sums long rows several times faster than the few bands of a pixel. So the rows
            # of the image are summed first, and the columns of each band after.
            rows = values.reshape(height, width * bands).astype(np.float64)
            sums = rows.sum(axis=0).reshape(width, bands)
            squares = np.einsum("pb,pb->b", rows, rows).reshape(width, bands)
            total = total + sums.sum(axis=0)
            total_of_squares = total_of_squares + squares.sum(axis=0)
    if pixels == 0:
        raise ExperimentError(f"{sensor} has no data in any training patch: nothing to train on")
    mean = total / pixels
    mean_of_squares = total_of_squares / pixels
    variance = mean_of_squares - mean**2
    # The difference of two equal numbers is rounding, and may be below 0.
    is_constant = variance <= 1e-12 * mean_of_squares
    if is_constant.any():
        numbers = ", ".join(str(1 + band) for band in np.flatnonzero(is_constant))
        raise ExperimentError(
            f"{sensor}: band {numbers} has one value in all training patches, {mean[is_constant]}, "
            "so it cannot be standardised (Eq. 4): look at the rasters, or leave the band out in "
            "[bands] of dataset.toml"
        )
    return mean.tolist(), np.sqrt(variance).tolist()


def count_classes(store: Store, typology: Typology, split: str = "train") -> np.ndarray:
    """Count the labelled pixels of each class in a split's reference: `(classes,) int64`."""
    counts_by_id = np.zeros(len(typology) + 1, dtype=np.int64)
    for position in store.positions(split):
        ids = typology.lookup[store.read("reference", position)]
        counts_by_id += np.bincount(ids.ravel(), minlength=len(counts_by_id))
    return np.delete(counts_by_id, NO_DATA)
