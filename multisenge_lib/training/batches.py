"""Packed patches to Keras batches, augmented or in order, and the numbers training needs first.

Which patches make a training batch, and how each is turned, depends on the seed and the batch's
number since the start of training alone: a run that was interrupted goes on with the same batches.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Literal

import keras
import numpy as np

from multisenge_lib.dataset import NO_DATA, Store, Typology, decibel
from multisenge_lib.errors import ExperimentError, PatchError
from multisenge_lib.models import Experiment

#: "The training dataset is augmented to 75%" (section 3.4) can be read in two ways.
#: `replace`: three quarters of the patches of an epoch are turned, the others are as they are.
#: `extend`: an epoch has all patches as they are, and turned copies of three quarters of them.
Augmentation = Literal["replace", "extend", "none"]
AUGMENTATIONS = ("replace", "extend", "none")
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

    def _patch(self, planned: tuple[int, int]) -> tuple[list[np.ndarray], np.ndarray]:
        position, number = planned
        series = [transform(self.store.read(name, position), number) for name in self.sensors]
        reference = transform(self.store.read("reference", position), number, (-2, -1))
        return series, self.lookup[reference]

    def __getitem__(self, number: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """One batch; an error is kept for the caller, whom Keras' threads hide it from."""
        try:
            series, references = zip(*self._pool.map(self._patch, self.plan(number)), strict=True)
        except PatchError as error:
            self.error = error
            raise
        filling = self.size - len(references)
        inputs = {
            name: np.stack(arrays + arrays[:1] * filling)
            for name, arrays in zip(self.sensors, zip(*series, strict=True), strict=True)
        }
        return inputs, np.stack(references + (np.zeros_like(references[0]),) * filling)


class TrainingBatches(Batches):
    """Patches in random order, turned and flipped, without end.

    An epoch has `steps` full batches; the few patches that fill no batch are others in each epoch.

    Args:
        *args: of `Batches`.
        seed: of order and transformations.
        augmentation: which reading of the paper's 75 %, or none; see `AUGMENTATIONS`.
        first_epoch: where to begin, 0 unless training is resumed.
        **kwargs: of `Batches`.
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
        copies = round(AUGMENTED_SHARE * len(self.positions)) if augmentation == "extend" else 0
        self.steps = (len(self.positions) + copies) // self.size
        if not self.steps:
            raise ExperimentError(
                f"batch size {self.size} is more than the {len(self.positions)} patches to train "
                "on: give a smaller one"
            )
        self.seed, self.augmentation, self.copies = seed, augmentation, copies
        self.first_epoch = first_epoch
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
        copied = rng.permutation(len(self.positions))[: self.copies]
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


class _Moments:
    """Mean and sum of squared differences, of parts merged one by one (Chan et al., 1983)."""

    def __init__(self, bands: int):
        self.count, self.mean, self.squares = 0, np.zeros(bands), np.zeros(bands)

    def add(self, values: np.ndarray) -> None:
        """Merge `(values, bands)` in float64."""
        values = values.astype(np.float64)
        count, mean = len(values), values.mean(axis=0)
        difference, total = mean - self.mean, self.count + count
        self.squares += ((values - mean) ** 2).sum(axis=0)
        self.squares += difference**2 * self.count * count / total
        self.mean += difference * count / total
        self.count = total

    @property
    def deviation(self) -> np.ndarray:
        """The population's, as Eq. 4 needs no estimate."""
        return np.sqrt(self.squares / self.count)


def streamed_statistics(
    store: Store, experiment: Experiment, split: str = "train"
) -> dict[str, tuple[list[float], list[float]]]:
    """Mean and deviation of each band, over all dates and pixels of a split (Eq. 4).

    One pass, a patch at a time, in float64. The paper does not say over which patches; the
    training split alone keeps validation and test unseen.

    Args:
        store: from `pack`.
        experiment: which sensors, and whether Sentinel-1 is taken in decibels first.
        split: `train`, but for comparisons.

    Returns:
        From sensor to (means, deviations), a value a band: what `build_model` takes.
    """
    moments = {}
    for sensor in experiment.sensors:
        moments[sensor] = _Moments(store.arrays[sensor].shape[-1])
        for position in store.positions(split):
            values = store.read(sensor, position).reshape(-1, store.arrays[sensor].shape[-1])
            if sensor == "s1" and experiment.s1_decibel:
                values = decibel(values)
            moments[sensor].add(values)
    return {sensor: (m.mean.tolist(), m.deviation.tolist()) for sensor, m in moments.items()}


def count_classes(store: Store, typology: Typology, split: str = "train") -> np.ndarray:
    """Pixels of each class in a split's reference, `(classes,) int64`; no data is not counted."""
    counts = np.zeros(len(typology) + 1, dtype=np.int64)
    for position in store.positions(split):
        ids = typology.lookup[store.read("reference", position)]
        counts += np.bincount(ids.ravel(), minlength=len(counts))
    return np.delete(counts, NO_DATA)


def inverse_frequency(counts: np.ndarray) -> np.ndarray:
    """Class weights (section 3.4), proportional to the inverse of the class's frequency.

    The paper leaves their scale open; here the mean weight of a pixel is 1, so that the loss
    stays comparable with the unweighted one. A class that does not occur weighs 0.

    Args:
        counts: `(classes,)` pixels of each class, at least one in all.

    Returns:
        `(classes,) float64`.
    """
    present = counts > 0
    weights = np.zeros(len(counts))
    weights[present] = counts.sum() / (present.sum() * counts[present])
    return weights
