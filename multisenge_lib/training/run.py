"""Train, evaluate, and put together the record of one experiment (paper, section 3.4).

A run depends on the experiment, its settings and the data; the same three give the same run on the
same machine. It can be interrupted at any moment: started again, it goes on from its checkpoint,
and a run that is over is only evaluated.
"""

import contextlib
import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
import pandas as pd
from keras import ops
from keras.callbacks import EarlyStopping, ReduceLROnPlateau

from multisenge_lib import paths, results
from multisenge_lib.dataset import (
    LABELS,
    REFERENCE,
    SPLITS,
    BandOrder,
    Dataset,
    OnError,
    Store,
    Typology,
    dataset_of_root,
    given_data_root,
    load_selection,
    pack,
    read_patch,
)
from multisenge_lib.errors import ExperimentError, PatchError
from multisenge_lib.files import library_digest, provenance
from multisenge_lib.models import (
    Experiment,
    ModelCard,
    build_model,
    check_size,
    get_experiment,
    model_card,
    step_operations,
)
from multisenge_lib.results import confusion_matrix
from multisenge_lib.training.batches import (
    Batches,
    TrainingBatches,
    count_classes,
    read_ahead,
    steps_an_epoch,
    streamed_statistics,
)
from multisenge_lib.training.checkpoint import (
    Checkpoint,
    delete_run,
    exclusive,
    history,
    read_finished,
    write_finished,
)
from multisenge_lib.training.devices import (
    check_devices,
    device_name,
    jit,
    on_devices,
    settled,
    synchronise,
)
from multisenge_lib.training.loss import inverse_frequency, weighted_loss
from multisenge_lib.training.optimizer import adam
from multisenge_lib.training.progress import Progress, say
from multisenge_lib.training.settings import Settings, settings_for

#: Maps kept of a test split that has none of the dataset's patches to show.
_SHOWN = 3


@dataclass(frozen=True)
class PreparedRun:
    """What is trained, how, on what: the packed patches of a dataset."""

    experiment: Experiment
    settings: Settings
    dataset: Dataset
    store: Store

    @property
    def typology(self) -> Typology:
        """The classes that the network tells apart."""
        return self.dataset.typologies[self.experiment.classification]

    @property
    def card(self) -> ModelCard:
        """The description of its network, without scores."""
        return model_card(
            self.experiment,
            self.typology,
            self.store.size,
            self.dataset.name,
            bands=self.dataset.bands,
        )

    @property
    def folder(self) -> Path:
        """One for each experiment, settings, data, classes and code."""
        identity = (
            self.experiment,
            replace(self.settings, readers=1),
            self.store.fingerprint,
            # What a dataset.toml may change while the rasters stay the same: the classes, with
            # their names and colours, the names of the bands, and the dataset's own name. All of
            # them are in the saved model, so that a run of before the change is another run.
            self.typology,
            {sensor: self.dataset.bands[sensor] for sensor in self.experiment.sensors},
            self.dataset.name,
            keras.backend.backend(),
        )
        digest = hashlib.sha256(repr(identity).encode())
        # A checkpoint of other code is not taken up, whichever file of the library changed.
        digest.update(library_digest().encode())
        name = f"{self.experiment.name}-seed{self.settings.seed}-{digest.hexdigest()[:12]}"
        return paths.cache_dir() / "runs" / name

    def batches(self, split: str, kind: type[Batches] = Batches, **options: Any) -> Batches:
        """The patches of a split, in order or as training takes them."""
        e, s = self.experiment, self.settings
        common = (e.sensors, self.typology, s.batch_size, s.readers)
        return kind(self.store, self.store.positions(split), *common, **options)


def check_data_root(root: Path | str, experiment: Experiment) -> Path:
    """The root, or an ExperimentError that names the folder which an experiment lacks there."""
    root = Path(root)
    needed = (LABELS, REFERENCE, *experiment.sensors)
    for name in needed:
        if not any((root / name).glob("*")):
            raise ExperimentError(
                f"{root} has no files in {name}/, which {experiment.name} needs: give a data root "
                f"with {', '.join(needed)}, see `multisenge download --help`"
            )
    return root


def _check_selection(root: Path, selection: pd.DataFrame, settings: Settings) -> None:
    """Refuse, before anything is packed, what could not be trained or tested."""
    counts = selection["split"].value_counts()
    for split in SPLITS:
        if not counts.get(split):
            raise ExperimentError(
                f"{root}: none of the {len(selection)} patches with complete series is for {split}:"
                " each split needs one, see `multisenge select --help`"
            )
    steps_an_epoch(counts["train"], settings.augmentation, settings.batch_size)
    with contextlib.suppress(PatchError):  # packing says it, or leaves the patch out
        first = read_patch(root, next(selection.itertuples()), sensors=())
        check_size(first.reference.shape[0])


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


def load(
    root: Path | str,
    experiment: Experiment,
    settings: Settings,
    on_error: OnError = "stop",
    dataset: Dataset | None = None,
    **options: Any,
) -> PreparedRun:
    """Select the patches of a data root, check that they can be trained on, and pack them.

    The arguments are those of `train`.

    Raises:
        ExperimentError: a split is empty, or smaller than a batch; or patches are of a size that
            the networks cannot take.
        PatchError: a patch cannot be read.
    """
    root, dataset = check_data_root(root, experiment), dataset or dataset_of_root(root)
    _check_classification(experiment, dataset)
    check_devices(settings)
    selection = load_selection(root, experiment.months, experiment.days_gap, dataset=dataset)
    _check_selection(root, selection, settings)
    there = tuple(s for s in dataset.sensors if any((root / s).glob("*")))
    store = pack(root, selection, sensors=there, on_error=on_error, **options)
    return PreparedRun(experiment, settled(settings), dataset, store)


class TrainingStatistics(NamedTuple):
    """What a run takes from the training split."""

    statistics: dict[str, tuple[list[float], list[float]]]
    pixels: np.ndarray
    class_weights: np.ndarray


def compute_statistics(task: PreparedRun) -> TrainingStatistics:
    """From the training split; an ExperimentError where a split has no labelled pixel."""
    counts = {split: count_classes(task.store, task.typology, split) for split in SPLITS}
    for split, pixels in counts.items():
        if not pixels.any():
            raise ExperimentError(
                f"the reference of the {split} patches is no data everywhere, so nothing can be "
                f"learned or scored there: look at the rasters in {REFERENCE}/"
            )
    pixels = counts["train"]
    weights = inverse_frequency(pixels) if task.settings.class_weights else np.ones(len(pixels))
    return TrainingStatistics(streamed_statistics(task.store, task.experiment), pixels, weights)


def build(task: PreparedRun, measured: TrainingStatistics) -> keras.Model:
    """The network, its weights drawn by the seed, ready to fit."""
    settings = task.settings
    keras.utils.set_random_seed(settings.seed)
    model = build_model(task.experiment, task.store.size, measured.statistics, task.dataset.bands)
    synchronise(model, settings.devices)
    model.compile(
        adam(settings.learning_rate, settings.devices),
        loss=weighted_loss(measured.class_weights),
        jit_compile=jit(settings),
    )
    return model


def in_float32(model: keras.Model, task: PreparedRun, measured: TrainingStatistics) -> keras.Model:
    """The same network in single precision on one device: what is evaluated, saved and mapped with.

    So that neither scores nor maps depend on the precision that a machine trained with.
    """
    settings = replace(task.settings, precision="float32", devices=1)
    with on_devices(settings):
        plain = build_model(
            task.experiment, task.store.size, measured.statistics, task.dataset.bands
        )
    plain.compile(jit_compile=jit(settings))
    plain.set_weights(model.get_weights())
    return plain


def _run_epochs(
    model: keras.Model, task: PreparedRun, checkpoint: Checkpoint, progress: bool
) -> None:
    """Train from where the checkpoint is to the end; the model then has its best weights."""
    settings = task.settings
    checkpoint.restore(model)
    done = len(checkpoint.rows)
    if progress and done:
        say(f"goes on after epoch {done}, from {checkpoint.path}")
    order = {"seed": settings.seed, "augmentation": settings.augmentation, "first_epoch": done}
    train, validation = task.batches("train", TrainingBatches, **order), task.batches("validation")
    callbacks = [*reversed(checkpoint.others), *([Progress()] if progress else [])]
    callbacks.append(checkpoint)
    if settings.tensorboard:
        callbacks.append(keras.callbacks.TensorBoard(checkpoint.folder / "tensorboard"))
    try:
        model.fit(
            read_ahead(train),
            steps_per_epoch=train.steps,
            validation_data=read_ahead(validation),
            epochs=settings.epochs,
            initial_epoch=settings.epochs if checkpoint.stopped else done,
            callbacks=callbacks,
            shuffle=False,
            verbose=0,
        )
    except Exception:
        if error := train.error or validation.error:  # one line, not the backend's account of it
            raise error from None
        raise


def fit(model: keras.Model, task: PreparedRun, progress: bool, seconds: float) -> dict[str, Any]:
    """Give the network its best weights; what only the process that trained it knows."""
    if made := read_finished(task.folder, model, task.card):
        if progress:
            say(f"trained before, {task.folder}: evaluated only")
        return made
    s = task.settings
    stopping = EarlyStopping(patience=s.stop_patience, restore_best_weights=True)
    plateau = ReduceLROnPlateau(factor=s.plateau_factor, patience=s.plateau_patience)
    checkpoint = Checkpoint(task.folder, stopping, plateau, seconds)
    _run_epochs(model, task, checkpoint, progress)
    if not np.isfinite([row["val_loss"] for row in checkpoint.rows]).any():
        raise ExperimentError(
            f"the validation loss of {task.experiment.name} was no number in any epoch: give a "
            f"smaller learning_rate than {s.learning_rate:g}, or precision float32"
        )
    return {
        "rows": checkpoint.rows,
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "device": device_name(),
        "backend": keras.backend.backend(),
        **provenance(),
    }


class Evaluation(NamedTuple):
    """What a network does on a split, see `results.Record`."""

    patches: tuple[str, ...]
    confusions: np.ndarray
    maps: dict[str, np.ndarray]
    references: dict[str, np.ndarray]


def evaluate(model: keras.Model, task: PreparedRun, split: str = "test") -> Evaluation:
    """Predict a split and count hits and errors patch by patch.

    Returns:
        The patches' names; their confusion matrices `(patches, classes, classes) int64`; and of
        the dataset's showcase, or of the split's first patches where it has none of it, the maps
        and the references, `(size, size) uint8` ids.
    """
    patches = task.store.patches.set_index("position")["patch"]
    names = patches.loc[task.store.positions(split)].tolist()
    shown = set(task.dataset.showcase) & set(names) or set(names[:_SHOWN])
    batches, confusions, maps, references = task.batches(split), [], {}, {}
    for number in range(batches.num_batches):
        inputs, reference = batches[number]
        logits = ops.convert_to_numpy(model.predict_on_batch(inputs))
        predicted = (logits.argmax(axis=-1) + 1).astype(np.uint8)
        for i, name in enumerate(names[number * batches.size : (number + 1) * batches.size]):
            matrix = confusion_matrix(reference[i], predicted[i], task.experiment.classes)
            confusions.append(matrix)
            if name in shown:
                maps[name], references[name] = predicted[i], reference[i]
    return Evaluation(tuple(names), np.stack(confusions), maps, references)


def metadata_of(
    task: PreparedRun, measured: TrainingStatistics, model: keras.Model, made: Mapping[str, Any]
) -> results.Metadata:
    """What was trained, on what, how, where and when."""
    experiment, settings, store = task.experiment, task.settings, task.store
    steps = steps_an_epoch(
        len(store.positions("train")), settings.augmentation, settings.batch_size
    ) * len(made["rows"])
    trainable = sum(int(np.prod(v.shape)) for v in model.trainable_variables)
    return results.Metadata(
        dataset=task.dataset.name,
        experiment=experiment.name,
        seed=settings.seed,
        title=experiment.title,
        classes=tuple(task.typology.names),
        classification=task.typology.name,
        choices=asdict(experiment),
        settings=asdict(settings),
        parameters={"trainable": trainable, "total": model.count_params()},
        patches={split: len(store.positions(split)) for split in SPLITS},
        split=task.dataset.split_rule,
        size=store.size,
        operations=steps * step_operations(model, settings.batch_size),
        fingerprint=store.fingerprint,
        skipped=tuple(store.skipped.to_dict(orient="records")),
        statistics=measured.statistics,
        pixels=tuple(measured.pixels.tolist()),
        class_weights=tuple(measured.class_weights.tolist()),
        **{name: value for name, value in made.items() if name != "rows"},
    )


@dataclass(frozen=True)
class Run:
    """A trained network and its record, which `results.write_record` writes."""

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
    seconds: float = 60,
) -> Run:
    """Train the network of an experiment, and evaluate it on the test split.

    Args:
        experiment: or its name.
        settings: by default those of the data root, see `settings_for`.
        data_root: by default the folder that `MULTISENGE_ROOT` names.
        resume: go on where the same run was interrupted; False begins anew.
        on_error: `stop` at a patch that cannot be read, or `skip` and list it in the record.
        band_order: of files that do not name their bands, see `read_patch`.
        dataset: of `dataset.vary`, for another selection; by default the data root's own.
        progress: say a line an epoch.
        seconds: least time between two checkpoints.

    Returns:
        The model with the weights of its best epoch, in float32, saved as `model.keras` in the
        run's folder (see `models.save_model`), and its record, not yet written.

    Raises:
        ExperimentError: experiment, settings or data root are wrong, before anything is packed;
            or another process trains the same run.
        PatchError: a patch cannot be read.
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
    dataset, settings = dataset or dataset_of_root(root), settings or settings_for(root)
    if isinstance(experiment, str):
        experiment = get_experiment(experiment, dataset)
    task = load(root, experiment, settings, on_error, dataset, band_order=band_order)
    measured = compute_statistics(task)
    with exclusive(task.folder):
        if not resume:
            delete_run(task.folder)
        with on_devices(task.settings):
            model = build(task, measured)
            made = fit(model, task, progress, seconds)
        model = in_float32(model, task, measured)
        tested = evaluate(model, task)
        metadata = metadata_of(task, measured, model, made)
        record = results.Record(metadata, history(made["rows"]), *tested)
        card = replace(task.card, scores=record.scores)
        write_finished(task.folder, model, card, made)
    return Run(model, record, task.folder)
