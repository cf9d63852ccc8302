"""Prepare a run: check the request, select patches, pack rasters, compute statistics (3 to 5).

The numbers are those of the steps in `run`.
"""

import contextlib
import hashlib
import json
import os
import warnings
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd

from multisenge_lib import paths, results
from multisenge_lib.dataset import (
    LABELS,
    REFERENCE,
    SELECTION_MARK,
    SPLITS,
    BandOrder,
    Dataset,
    OnError,
    Store,
    Typology,
    check_projections,
    dataset_of_root,
    load_selection,
    pack,
    read_patch,
    why_root_has_none,
)
from multisenge_lib.errors import ExperimentError, PatchError, SelectionError
from multisenge_lib.models import Experiment, ModelCard, check_size, model_card, takes_days
from multisenge_lib.software import library_digest, provenance
from multisenge_lib.training.batches import (
    Batches,
    TrainingBatches,
    count_classes,
    streamed_statistics,
)
from multisenge_lib.training.devices import check_devices
from multisenge_lib.training.loss import inverse_frequency
from multisenge_lib.training.settings import Settings, steps_per_pass
from multisenge_lib.training.start_from import StartingPoint

# --- Step 3: check the request, select the patches, pack the rasters (section 2.2) ---


@dataclass(frozen=True)
class PreparedRun:
    """Everything needed to train.

    Attributes:
        experiment: the network and what it sees.
        settings: how it is trained.
        dataset: the dataset, with its selection.
        store: the packed patches.
        start: the weights to start from; None for random ones.
        band_order: the order of the bands in Sentinel-2 rasters that do not name them.
    """

    experiment: Experiment
    settings: Settings
    dataset: Dataset
    store: Store
    start: StartingPoint | None = None
    band_order: BandOrder = "spectral"

    @property
    def typology(self) -> Typology:
        """The classes that the network separates."""
        return self.dataset.typologies[self.experiment.classification]

    @property
    def card(self) -> ModelCard:
        """The description of the network, without scores."""
        return model_card(
            self.experiment,
            self.typology,
            self.store.size,
            self.dataset.name,
            bands=self.dataset.bands,
        )

    @property
    def choices(self) -> dict[str, Any]:
        """The fields of the experiment, as the record publishes them."""
        choices = asdict(self.experiment)
        choices["network"] = self.card.network  # without the user's folder names
        return choices

    @property
    def updates_per_epoch(self) -> int:
        """How many steps the optimizer takes between two validations."""
        settings = self.settings
        patches = len(self.store.positions("train"))
        steps = steps_per_pass(patches, settings.augmentation, settings.batch_size)
        return settings.passes_per_epoch * steps

    def identity(self) -> dict[str, Any]:
        """Return what the trained network and its record depend on, but for installed packages.

        A run's folder name is a hash of this. If any value changes, training starts anew. It
        includes a hash of all library files, so any code edit starts a new training: safe, but
        slow. A new version of Keras or TensorFlow does not; the record names those that trained.

        (`make experiments` has a rule of its own for whether a record is up to date, by the age of
        files; see the Snakefile.)
        """
        settings = asdict(self.settings)
        # How many threads read the patches changes nothing in the batches. `tensorboard` stays: its
        # log is written while a network is trained.
        del settings["reader_threads"]
        bands = {sensor: self.dataset.bands[sensor] for sensor in self.experiment.sensors}
        return {
            # The content of a user's network file counts, by its digest, and not its place.
            "experiment": self.choices,
            "settings": settings,
            "dataset": self.dataset.name,
            "typology": asdict(self.typology),
            "bands": bands,
            "patches": self.store.fingerprint,
            "dates": self._digest_of_dates(),
            "backend": keras.backend.backend(),
            "library": library_digest(),
            "start_from": self.start.identity if self.start else None,
        }

    def _digest_of_dates(self) -> str:
        """Return a hash of the dates of all images: some networks read the day of the year."""
        digest = hashlib.sha256()
        for sensor in self.experiment.sensors:
            for dates in self.store.patches[f"{sensor}_dates"]:
                digest.update(dates.astype("datetime64[D]").tobytes())
        return digest.hexdigest()

    def folder(self, runs: Path | None = None) -> Path:
        """Return the folder of this run: one for each identity."""
        if runs is None:
            runs = paths.cache_dir() / "runs"
        text = json.dumps(self.identity(), sort_keys=True)
        digest = hashlib.sha256(text.encode()).hexdigest()
        return runs / f"{self.experiment.name}-seed{self.settings.seed}-{digest[:12]}"

    def batches(self, split: str) -> Batches:
        """Return the patches of a split in order, each as it is."""
        return Batches(*self._batch_arguments(split))

    def training_batches(self, first_pass: int) -> TrainingBatches:
        """Return the training patches in random order, augmented, beginning with one pass."""
        return TrainingBatches(
            *self._batch_arguments("train"),
            seed=self.settings.seed,
            augmentation=self.settings.augmentation,
            first_pass=first_pass,
        )

    def _batch_arguments(self, split: str) -> tuple[Any, ...]:
        return (
            self.store,
            self.store.positions(split),
            self.experiment.sensors,
            self.typology,
            self.settings.batch_size,
            self.settings.reader_threads,
            takes_days(self.experiment.network, self.experiment.network_digest),
        )


def prepare(
    root: Path | str,
    experiment: Experiment,
    settings: Settings,
    on_error: OnError = "stop",
    dataset: Dataset | None = None,
    band_order: BandOrder = "spectral",
    start: StartingPoint | None = None,
) -> PreparedRun:
    """Select the patches of a data root, check that they can be trained on, and pack them.

    The arguments are those of `train`.

    Raises:
        ExperimentError: a split is empty; the training split does not fill a batch; or patches are
            of a size that the networks cannot take.
        PatchError: a patch cannot be read.
    """
    check_projections()
    root = check_data_root(root, experiment)
    if dataset is None:
        dataset = dataset_of_root(root)
    _check_classification(experiment, dataset)
    _check_own_selection(experiment, dataset)
    check_devices(settings)

    selection, sensors = _select(root, experiment, dataset)
    if selection.empty:
        taken = replace(dataset, months=experiment.months, days_gap=experiment.days_gap)
        reason = why_root_has_none(root, experiment.sensors, taken)
        raise ExperimentError(f"{root}: no patch is selected; {reason}")
    _check_selection(root, selection, settings)
    store = pack(root, selection, sensors=sensors, on_error=on_error, band_order=band_order)
    return PreparedRun(experiment, settings, dataset, store, start, band_order)


def _select(
    root: Path, experiment: Experiment, dataset: Dataset
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Select the patches of an experiment, and the sensors to pack.

    A patch needs images of the experiment's sensors on disk. Its label file must also name the
    dates of the dataset's other sensor; those images themselves may be missing. If the images of
    both sensors give the same patches and dates, pack both, so all experiments share one store.
    """
    rules = {"months": experiment.months, "days_gap": experiment.days_gap, "dataset": dataset}
    selection = load_selection(root, sensors=experiment.sensors, **rules)
    if set(experiment.sensors) == set(dataset.sensors):
        return selection, dataset.sensors
    try:
        with warnings.catch_warnings():
            # Patches that lack an image of the other sensor are still trained on.
            warnings.simplefilter("ignore", UserWarning)
            of_all_sensors = load_selection(root, sensors=dataset.sensors, **rules)
    except SelectionError:  # the other sensor's folder is missing, or holds something else
        return selection, experiment.sensors
    if not selection["patch"].equals(of_all_sensors["patch"]):
        return selection, experiment.sensors
    for sensor in experiment.sensors:
        # A cell holds an array of dates. `equals` cannot compare arrays, so it gets their bytes.
        dates = selection[f"{sensor}_dates"].map(np.ndarray.tobytes)
        if not dates.equals(of_all_sensors[f"{sensor}_dates"].map(np.ndarray.tobytes)):
            return selection, experiment.sensors
    return of_all_sensors, dataset.sensors


def check_data_root(root: Path | str, experiment: Experiment) -> Path:
    """Check that a data root has all the folders that an experiment needs, and return it.

    Raises:
        ExperimentError: a folder is missing or empty.
    """
    root = Path(root)
    needed = (LABELS, REFERENCE, *experiment.sensors)
    for name in needed:
        if not _has_files(root / name):
            raise ExperimentError(
                f"{root} has no files in {name}/, which {experiment.name} needs: give a data root "
                f"with {', '.join(needed)}, see `multisenge download --help`"
            )
    return root


def check_record(prepared: PreparedRun, replace_record: bool) -> None:
    """Refuse, before hours of training, a run whose record could not be written.

    Raises:
        RecordError: a record of other data, classes, choices or settings is at its place, or one
            that started from other weights.
        FileError: nothing can be written there.
    """
    typology = prepared.typology
    subject = results.RecordSubject(
        dataset=prepared.dataset.name,
        fingerprint=prepared.store.fingerprint,
        size=prepared.store.size,
        classes=typology.names,
        members=typology.members,
        evaluation={},
        start=prepared.start.identity if prepared.start else None,
        choices=prepared.choices,
        settings=asdict(prepared.settings),
        uncommitted=provenance()["uncommitted"],
    )
    key = results.RecordKey(prepared.dataset.name, prepared.experiment.name, prepared.settings.seed)
    results.check_record_place(key, subject, replace_record)


def _has_files(folder: Path) -> bool:
    """Return whether a folder holds anything, without listing its million names."""
    if not folder.is_dir():
        return False
    with os.scandir(folder) as entries:
        return next(entries, None) is not None


def _check_classification(experiment: Experiment, dataset: Dataset) -> None:
    """Refuse an experiment for classes that the dataset does not have."""
    typology = dataset.typologies.get(experiment.classification)
    if typology is None or len(typology) != experiment.classes:
        available = ", ".join(f"{t.name} ({len(t)} classes)" for t in dataset.typologies.values())
        raise ExperimentError(
            f"{experiment.name} separates {experiment.classes} classes of "
            f"{experiment.classification!r}, which {dataset.name} does not have: take an "
            f"experiment of one of its classifications, {available}"
        )


def _check_own_selection(experiment: Experiment, dataset: Dataset) -> None:
    """Refuse an experiment whose months or days gap differ from those of its dataset.

    The record carries the dataset's name, and would claim dates that the network has not seen.
    """
    if "s1" in experiment.sensors and experiment.s1_per_month != dataset.s1_per_month:
        raise ExperimentError(
            f"{experiment.name} takes {experiment.s1_per_month} Sentinel-1 dates of each month, "
            f"{dataset.name} has {dataset.s1_per_month}: give the experiment's name, or "
            "get_experiment(name, dataset)"
        )
    if SELECTION_MARK not in dataset.name:
        return
    if (experiment.months, experiment.days_gap) != (dataset.months, dataset.days_gap):
        raise ExperimentError(
            f"{experiment.name} has months {experiment.months} and days gap {experiment.days_gap}, "
            f"but {dataset.name} has {dataset.months} and {dataset.days_gap}: give the "
            "experiment's name, or get_experiment(name, dataset)"
        )


def _check_selection(root: Path, selection: pd.DataFrame, settings: Settings) -> None:
    """Refuse a selection that cannot be trained or tested on, before anything is packed."""
    counts = selection["split"].value_counts()
    for split in SPLITS:
        if not counts.get(split):
            raise ExperimentError(
                f"{root}: none of the {len(selection)} patches with complete series is for {split},"
                " and each split needs one: other months or a smaller days gap keep more patches"
            )
    steps_per_pass(counts["train"], settings.augmentation, settings.batch_size)

    # An unreadable first patch is ignored here; pack reports or skips it.
    with contextlib.suppress(PatchError):
        first = read_patch(root, next(selection.itertuples()), sensors=())
        check_size(first.reference.shape[0])


# --- Step 4: statistics of the training split (Eq. 4 and the class weights) ---


@dataclass(frozen=True)
class TrainingStatistics:
    """What is computed from the training split before the network is built.

    Attributes:
        of_bands: means and standard deviations of each sensor's bands (Eq. 4), one value per band
            in the units of the network's input: linear backscatter, or decibels if the experiment
            has `s1_decibel`; reflectance x 10,000.
        pixels: number of pixels of each class, `(classes,) int64`.
        class_weights: weight of each class in the loss, `(classes,) float64`.
    """

    of_bands: dict[str, tuple[list[float], list[float]]]
    pixels: np.ndarray
    class_weights: np.ndarray


def compute_statistics(prepared: PreparedRun) -> TrainingStatistics:
    """Compute the statistics of the training split.

    Raises:
        ExperimentError: a split has no labelled pixel.
    """
    pixels = {}
    for split in SPLITS:
        if not len(prepared.store.positions(split)):
            skipped = prepared.store.skipped
            first = skipped.loc[skipped["split"] == split, "problem"].iloc[0]
            raise ExperimentError(
                f"all {split} patches were skipped, the first because {first}: mend the rasters, "
                "or fetch them again"
            )
        pixels[split] = count_classes(prepared.store, prepared.typology, split)
        if not pixels[split].any():
            raise ExperimentError(
                f"the reference of the {split} patches is no data everywhere, so nothing can be "
                f"learned or scored there: look at the rasters in {REFERENCE}/"
            )

    if prepared.settings.class_weights:
        weights = inverse_frequency(pixels["train"])
    else:
        weights = np.ones(len(prepared.typology))
    of_bands = streamed_statistics(prepared.store, prepared.experiment)
    return TrainingStatistics(of_bands, pixels["train"], weights)
