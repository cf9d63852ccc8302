"""Train and evaluate one experiment, from a data root to its record (paper, section 3.4).

`train` is the whole of it. From the first line of `notebooks/train.ipynb` to the record:

 1. the notebook reads its parameters (`settings_from_parameters`, `with_selection`,
    `get_experiment`, `settings_for`; `with_network` where a network is given), finds the data
    root, and shows the selection and a network of its own making, for display only
 2. `train`: the settings that the experiment's variants change, and the weights to start from
    (`with_variant_settings`, `starting_point`)
 3. `prepare`: check the request, select the patches (section 2.2), pack their rasters; then
    `check_record`, if asked: could the record be written?
 4. `compute_statistics` of the training split: Eq. 4 and the class weights
 5. `PreparedRun.folder`: the run's folder, named by a hash of its identity, and locked
 6. `build`: the seed, the network, Adam and the loss
 7. `_take_weights`: the weights to start from, if any
 8. `fit_or_load`: early stopping, the schedule of the learning rate, the checkpoint and what it
    restores; then `_run_epochs`, where `model.fit` makes the first update
 9. `in_float32`: the same weights in a network of single precision, which is saved
10. `evaluate` on the test split (section 3.5)
11. `make_record` and `write_finished`; the notebook writes the record to `results/`

A run can be interrupted at any moment. Started again, it goes on from its checkpoint and ends with
the same weights. Where the run is finished, step 8 loads its weights instead, and no step is
skipped: the weights of step 7 are overwritten.

Words: an *update* or *step* is one batch; a *pass* goes once through the training patches; an
*epoch* is what lies between two validations, one pass or several (`Settings.passes_per_epoch`).
"""

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
from keras import ops
from keras.callbacks import Callback, EarlyStopping

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
    given_data_root,
    load_selection,
    pack,
    read_patch,
    selection_parameters,
)
from multisenge_lib.errors import ExperimentError, PatchError, SelectionError
from multisenge_lib.files import library_digest, provenance
from multisenge_lib.models import (
    Experiment,
    ModelCard,
    build_model,
    check_size,
    get_experiment,
    model_card,
    read_model_card,
    step_operations,
    takes_days,
)
from multisenge_lib.results import confusion_matrix
from multisenge_lib.training.batches import (
    Batches,
    TrainingBatches,
    count_classes,
    read_ahead,
    steps_per_pass,
    streamed_statistics,
)
from multisenge_lib.training.checkpoint import (
    Checkpoint,
    TrainingInfo,
    delete_run,
    exclusive,
    history,
    read_finished,
    write_finished,
)
from multisenge_lib.training.devices import (
    check_devices,
    compile_with_xla,
    device_name,
    on_devices,
    synchronise,
)
from multisenge_lib.training.loss import inverse_frequency, weighted_loss
from multisenge_lib.training.progress import Progress, show
from multisenge_lib.training.schedule import make_schedule
from multisenge_lib.training.settings import Settings, settings_for, with_variant_settings
from multisenge_lib.training.start_from import (
    StartingPoint,
    StartPart,
    TakenWeights,
    starting_point,
    take_weights,
)

#: How many maps to keep if no showcase patch is in the test split.
_MAPS_KEPT = 3


@dataclass(frozen=True)
class Run:
    """A trained network and its record, which `results.write_record` writes.

    Attributes:
        model: the network with the weights of its best epoch, in float32.
        record: settings, history, scores and maps.
        folder: the run's own folder, with `model.keras`.
    """

    model: keras.Model
    record: results.Record
    folder: Path


def train(
    experiment: Experiment | str,
    settings: Settings | None = None,
    data_root: Path | str | None = None,
    *,
    resume: bool = True,
    on_error: OnError = "stop",
    band_order: BandOrder = "spectral",
    dataset: Dataset | None = None,
    progress: bool = True,
    checkpoint_interval: float = 60,
    runs: Path | None = None,
    start_from: Path | str | None = None,
    start_from_part: StartPart = "all",
    replace_record: bool | None = None,
) -> Run:
    """Train the network of an experiment, and evaluate it on the test split.

    On Linux, call `files.keep_freed_memory` once before, at the start of your script: a training
    step on the sample took about 0.5 s with it and over 1.3 s without.

    Args:
        experiment: an `Experiment`, or its name such as `s1s2_10c`.
        settings: by default those of the data root, see `settings_for`.
        data_root: by default the folder that `MULTISENGE_ROOT` names.
        resume: go on where the same run was interrupted; False begins anew.
        on_error: `stop` at a patch that cannot be read, or `skip` and list it in the record.
        band_order: the order of bands in files that do not name them, see `read_patch`.
        dataset: a dataset of `dataset.with_selection`, for other months, another gap, rule or
            tiles; by default the data root's own. A table of `load_selection` has no influence.
        progress: print one line per epoch.
        checkpoint_interval: least seconds between two checkpoints.
        runs: the folder for the runs' own folders; by default `runs/` in the cache.
        start_from: a `model.keras` whose weights the network starts with, wherever their names and
            shapes are the same; by default all weights start at random.
        start_from_part: `all`, or `encoder` to take the weights of the encoder alone.
        replace_record: the `replace` of the later `results.write_record`. If it would refuse the
            record, the run is refused here, before it is trained. None: not checked.

    Returns:
        A `Run`: the model with the weights of its best epoch, in float32; its record, not yet
        written; and its folder, where the model is saved as `model.keras` (see
        `models.save_model`).

    Raises:
        ExperimentError: experiment, settings or data root are wrong, before anything is packed;
            or another process trains the same run.
        PatchError: a patch cannot be read.
        RecordError: a record of other data or classes is at the record's place.
        FileError: the run's folder cannot be written, or its checkpoint is damaged.

    Examples:
        >>> import multisenge_lib as ms
        >>> root = ms.find_data_root()
        >>> run = ms.train("s1s2_10c", data_root=root)  # doctest: +SKIP
        >>> ms.scores(run.record.confusion)["macro_f1"]  # doctest: +SKIP
    """
    root = given_data_root(data_root)
    if root is None:
        raise ExperimentError(
            "no data root: give data_root, set MULTISENGE_ROOT, or take the synthetic sample with "
            "multisenge_lib.sample.find_data_root()"
        )
    if dataset is None:
        dataset = dataset_of_root(root)
    if settings is None:
        settings = settings_for(root)
    if isinstance(experiment, str):
        experiment = get_experiment(experiment, dataset)

    settings = with_variant_settings(settings, experiment)
    start = None
    if start_from:
        network_file = experiment.network if experiment.network_digest else None
        start = starting_point(start_from, start_from_part, network_file)

    prepared = prepare(root, experiment, settings, on_error, dataset, band_order, start)
    if replace_record is not None:
        check_record(prepared, replace_record)
    statistics = compute_statistics(prepared)
    folder = prepared.folder(runs)
    # Two processes that trained the same run would overwrite each other's checkpoints.
    with exclusive(folder):
        if not resume:
            delete_run(folder)
        with on_devices(settings):
            model = build(prepared, statistics)
            # Must come before fit_or_load: a restored checkpoint overwrites these weights.
            taken_weights = _take_weights(model, prepared, progress)
            # Counted before the training, so that a network that cannot be counted costs no hours.
            operations = step_operations(model, settings.batch_size)
            training_info = fit_or_load(model, prepared, folder, progress, checkpoint_interval)
        model = in_float32(model, prepared, statistics)
        evaluation = evaluate(model, prepared)
        record = make_record(
            prepared,
            training_info,
            evaluation,
            ClassifierInfo(
                statistics=statistics,
                parameters=_count_weights(model),
                step_operations=operations,
                taken_weights=taken_weights,
            ),
        )
        card = replace(prepared.card, scores=record.scores)
        write_finished(folder, model, card, training_info)
    return Run(model, record, folder)


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
    """

    experiment: Experiment
    settings: Settings
    dataset: Dataset
    store: Store
    start: StartingPoint | None = None

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

    def identity(self) -> dict[str, Any]:
        """Return everything that the trained network and its record depend on.

        A run's folder name is a hash of this. If any value changes, training starts anew. It
        includes a hash of all library files, so any code edit starts a new training: safe, but
        slow.

        (`make experiments` has a rule of its own for whether a record is up to date, by the age of
        files; see the Snakefile.)
        """
        settings = asdict(self.settings)
        # How many threads read the patches changes nothing in the batches.
        del settings["reader_threads"]
        bands = {sensor: self.dataset.bands[sensor] for sensor in self.experiment.sensors}
        # The content of the file counts, not its place.
        start = None
        if self.start is not None:
            start = (self.start.digest, self.start.part)
        return {
            "experiment": asdict(self.experiment),
            "settings": settings,
            "dataset": self.dataset.name,
            "typology": asdict(self.typology),
            "bands": bands,
            "patches": self.store.fingerprint,
            "backend": keras.backend.backend(),
            "library": library_digest(),
            "start_from": start,
        }

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
        ExperimentError: a split is empty, or smaller than a batch; or patches are of a size that
            the networks cannot take.
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
    _check_selection(root, selection, settings)
    store = pack(root, selection, sensors=sensors, on_error=on_error, band_order=band_order)
    return PreparedRun(experiment, settings, dataset, store, start)


def _select(
    root: Path, experiment: Experiment, dataset: Dataset
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Select the patches of an experiment, and the sensors to pack.

    Use patches complete for the experiment's sensors. If the other sensor has the same patches and
    dates, pack both, so all experiments share one store.
    """
    rules = {"months": experiment.months, "days_gap": experiment.days_gap, "dataset": dataset}
    selection = load_selection(root, sensors=experiment.sensors, **rules)
    if set(experiment.sensors) == set(dataset.sensors):
        return selection, dataset.sensors
    try:
        of_all_sensors = load_selection(root, sensors=dataset.sensors, **rules)
    except SelectionError:  # the other sensor's folder is missing, or holds something else
        return selection, experiment.sensors
    if not selection["patch"].equals(of_all_sensors["patch"]):
        return selection, experiment.sensors
    for sensor in experiment.sensors:
        # A cell holds an array of dates, and `equals` cannot compare arrays: their bytes it can.
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
        RecordError: a record of other data or classes is at its place.
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
    """Refuse an experiment that does not follow the other selection of its dataset.

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
                f"{root}: none of the {len(selection)} patches with complete series is for {split}:"
                " each split needs one, see `multisenge select --help`"
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


# --- Steps 6, 7 and 9: the network and its weights ---


def build(prepared: PreparedRun, statistics: TrainingStatistics) -> keras.Model:
    """Build the network, its weights drawn by the seed, ready to fit."""
    settings = prepared.settings
    keras.utils.set_random_seed(settings.seed)
    model = _build_untrained(prepared, statistics)
    synchronise(model, settings.devices)
    model.compile(
        keras.optimizers.Adam(settings.learning_rate),
        loss=weighted_loss(statistics.class_weights),
        jit_compile=compile_with_xla(settings),
    )
    return model


def _take_weights(model: keras.Model, prepared: PreparedRun, progress: bool) -> TakenWeights | None:
    """Copy the weights to start from into the network; None if the run starts at random."""
    start = prepared.start
    if start is None:
        return None
    weights = take_weights(model, prepared.typology.names, start)
    if progress:
        at_random = ", ".join(weights.at_random) or "none"
        show(
            f"starts from {start.path}: {len(weights.taken)} weights taken, "
            f"{len(weights.at_random)} left at random: {at_random}"
        )
    return weights


def in_float32(
    model: keras.Model, prepared: PreparedRun, statistics: TrainingStatistics
) -> keras.Model:
    """Build the same network in single precision on one device, with the same weights.

    It is what is evaluated, saved and mapped with, so that neither scores nor maps depend on the
    precision in which a network was trained.
    """
    settings = replace(prepared.settings, precision="float32", devices=1)
    with on_devices(settings):
        plain = _build_untrained(prepared, statistics)
    plain.compile(jit_compile=compile_with_xla(settings))
    plain.set_weights(model.get_weights())
    return plain


def _build_untrained(prepared: PreparedRun, statistics: TrainingStatistics) -> keras.Model:
    return build_model(
        prepared.experiment, prepared.store.size, statistics.of_bands, prepared.dataset.bands
    )


# --- Step 8: fit, with Adam, a schedule of the rate and early stopping (section 3.4) ---


def fit_or_load(
    model: keras.Model,
    prepared: PreparedRun,
    folder: Path,
    progress: bool = True,
    checkpoint_interval: float = 60,
) -> TrainingInfo:
    """Train the network, or load its weights where the same run is over.

    The model then has the weights of its best epoch.

    Raises:
        ExperimentError: the validation loss was NaN in every epoch.
    """
    finished = read_finished(folder, model, prepared.card)
    if finished is not None:
        if progress:
            show(f"trained before, {folder}: evaluated only")
        return finished

    settings = prepared.settings
    stopping = EarlyStopping(patience=settings.stop_patience, restore_best_weights=True)
    schedule = make_schedule(settings, _updates_per_epoch(prepared))
    checkpoint = Checkpoint(folder, stopping, schedule, checkpoint_interval)

    # The checkpoint comes after the callbacks whose state it keeps.
    callbacks: list[Callback] = [schedule, stopping]
    if progress:
        callbacks.append(Progress())
    callbacks.append(checkpoint)
    if settings.tensorboard:
        callbacks.append(keras.callbacks.TensorBoard(folder / "tensorboard"))

    checkpoint.restore(model)
    if progress and checkpoint.rows:
        show(f"goes on after epoch {len(checkpoint.rows)}, from {checkpoint.path}")
    _run_epochs(model, prepared, checkpoint, callbacks)

    losses = [row["val_loss"] for row in checkpoint.rows]
    if not np.isfinite(losses).any():
        raise ExperimentError(
            f"the validation loss of {prepared.experiment.name} was NaN in every epoch: give a "
            f"smaller learning_rate than {settings.learning_rate:g}, or precision float32"
        )
    return TrainingInfo(
        rows=checkpoint.rows,
        finished=datetime.now(UTC).isoformat(timespec="seconds"),
        device=device_name(),
        backend=keras.backend.backend(),
        **provenance(),
    )


def _updates_per_epoch(prepared: PreparedRun) -> int:
    """Return how many steps the optimizer takes between two validations."""
    settings = prepared.settings
    patches = len(prepared.store.positions("train"))
    steps = steps_per_pass(patches, settings.augmentation, settings.batch_size)
    return settings.passes_per_epoch * steps


def _run_epochs(
    model: keras.Model, prepared: PreparedRun, checkpoint: Checkpoint, callbacks: list[Callback]
) -> None:
    """Train from where the checkpoint is to the last epoch."""
    settings = prepared.settings
    done = len(checkpoint.rows)
    # Early stopping had ended this run before it was killed: train no more epochs.
    first_epoch = settings.epochs if checkpoint.stopped else done
    # The batches count passes through the patches; an epoch may have several.
    training = prepared.training_batches(first_pass=done * settings.passes_per_epoch)
    validation = prepared.batches("validation")
    try:
        model.fit(
            read_ahead(training),
            steps_per_epoch=_updates_per_epoch(prepared),
            validation_data=read_ahead(validation),
            epochs=settings.epochs,
            initial_epoch=first_epoch,
            callbacks=callbacks,
            shuffle=False,
            verbose=0,
        )
    except Exception:
        # A patch that cannot be read: show our one-line error, not Keras's traceback.
        error = training.error or validation.error
        if error is not None:
            raise error from None
        raise


# --- Step 10: evaluate on the test split (section 3.5) ---


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


# --- Step 11: record what was done ---


def _describe_start(
    start: StartingPoint | None, weights: TakenWeights | None
) -> dict[str, Any] | None:
    """Describe for the record which network the weights came from, and which weights."""
    if start is None or weights is None:
        return None
    card = read_model_card(start.path)
    return {
        "experiment": card.name,
        "dataset": card.dataset,
        "digest": start.digest,
        "part": start.part,
        "taken": weights.taken,
        "left": weights.at_random,
    }


@dataclass(frozen=True)
class ClassifierInfo:
    """The facts about the classifier that its record holds.

    Attributes:
        statistics: the statistics of the training split.
        parameters: how many weights it has, `trainable` and `total`.
        step_operations: floating-point operations of one training step.
        taken_weights: the weights that it started with; None where all started at random.
    """

    statistics: TrainingStatistics
    parameters: dict[str, int]
    step_operations: float
    taken_weights: TakenWeights | None = None


def _count_weights(model: keras.Model) -> dict[str, int]:
    trainable = sum(int(np.prod(weight.shape)) for weight in model.trainable_variables)
    return {"trainable": trainable, "total": model.count_params()}


def make_record(
    prepared: PreparedRun,
    training_info: TrainingInfo,
    evaluation: Evaluation,
    classifier: ClassifierInfo,
) -> results.Record:
    """Assemble the record: what was trained, on what, how, where and when, and its scores."""
    statistics = classifier.statistics
    experiment = prepared.experiment
    settings = prepared.settings
    store = prepared.store
    typology = prepared.typology

    patches = {split: len(store.positions(split)) for split in SPLITS}
    updates = _updates_per_epoch(prepared) * len(training_info.rows)
    choices = asdict(experiment)
    # Do not publish the user's folder names.
    choices["network"] = prepared.card.network

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
        choices=choices,
        settings=asdict(settings),
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
        patches=evaluation.patches,
        confusions=evaluation.confusions,
        maps=evaluation.maps,
        references=evaluation.references,
        spatial=evaluation.spatial,
    )
