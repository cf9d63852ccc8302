"""Train, evaluate, and put together the record of one experiment (paper, section 3.4).

A run depends on the experiment, its settings and the data; the same three give the same run on the
same machine. It can be interrupted: started again, it goes on from its checkpoint.
"""

import hashlib
import os
import platform
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import keras
import numpy as np
from keras import ops

from multisenge_lib import paths, results
from multisenge_lib.dataset import (
    LABELS,
    MULTISENGE,
    REFERENCE,
    SAMPLE,
    SENSORS,
    BandOrder,
    OnError,
    Store,
    describe,
    load_selection,
    pack,
)
from multisenge_lib.errors import ExperimentError
from multisenge_lib.files import provenance
from multisenge_lib.models import Experiment, build_model, get_experiment
from multisenge_lib.results import confusion_matrix, scores
from multisenge_lib.sample import find_data_root
from multisenge_lib.training.batches import (
    AUGMENTATIONS,
    Augmentation,
    Batches,
    TrainingBatches,
    count_classes,
    inverse_frequency,
    streamed_statistics,
)
from multisenge_lib.training.checkpoint import Checkpoint, Progress

Precision = Literal["float32", "mixed_float16", "mixed_bfloat16"]
_PRECISIONS = ("float32", "mixed_float16", "mixed_bfloat16")
#: A checkpoint of other code than this is not taken up.
_SOURCES = ("training/*.py", "dataset/store.py", "models/*.py")


@dataclass(frozen=True)
class Settings:
    """How to train. The defaults are the paper's (section 3.4), or ours where it says nothing.

    Attributes:
        epochs: at most; early stopping ends most runs before. Left open by the paper.
        batch_size: patches a step, over all devices.
        learning_rate: of Adam.
        plateau_factor: of the learning rate, when the validation loss no longer falls.
        plateau_patience: epochs before that.
        stop_patience: epochs without a lower validation loss before training ends.
        seed: of initial weights, order and augmentation.
        augmentation: how "augmented to 75%" is read, see `batches.AUGMENTATIONS`.
        class_weights: weigh the loss by inverse class frequency.
        precision: `float32`, or `mixed_float16` or `mixed_bfloat16` on a GPU that is fast at it.
        jit: compile with XLA; None: on JAX and on a GPU. On a CPU, TensorFlow's own kernels took
            0.11 s a 64x64 patch where XLA took 0.15 s.
        devices: how many devices of this machine share each batch.
        readers: threads that read patches.
        tensorboard: also log for TensorBoard.
    """

    epochs: int = 200
    batch_size: int = 16
    learning_rate: float = 1e-3
    plateau_factor: float = 0.1
    plateau_patience: int = 5
    stop_patience: int = 20
    seed: int = 1
    augmentation: Augmentation = "replace"
    class_weights: bool = True
    precision: Precision = "float32"
    jit: bool | None = None
    devices: int = 1
    readers: int = 4
    tensorboard: bool = False

    def __post_init__(self):
        """Refuse what cannot be trained with.

        Raises:
            ExperimentError: naming the setting, the rule and what was given.
        """
        for name in ("epochs", "batch_size", "plateau_patience", "stop_patience", "devices"):
            _require(isinstance(getattr(self, name), int), name, getattr(self, name), "an integer")
            _require(getattr(self, name) >= 1, name, getattr(self, name), "1 or more")
        _require(self.seed >= 0, "seed", self.seed, "0 or more")
        _require(self.readers >= 1, "readers", self.readers, "1 or more")
        _require(self.learning_rate > 0, "learning_rate", self.learning_rate, "above 0")
        _require(0 < self.plateau_factor < 1, "plateau_factor", self.plateau_factor, "0 to 1")
        _require(
            self.augmentation in AUGMENTATIONS, "augmentation", self.augmentation, AUGMENTATIONS
        )
        _require(self.precision in _PRECISIONS, "precision", self.precision, _PRECISIONS)
        _require(
            self.batch_size % self.devices == 0,
            "batch_size",
            self.batch_size,
            f"a multiple of the {self.devices} devices",
        )


def _require(holds: bool, name: str, received: object, rule: object) -> None:
    if not holds:
        rule = f"one of {', '.join(rule)}" if isinstance(rule, tuple) else rule
        raise ExperimentError(f"{name} is {received!r}: it must be {rule}")


#: For the sample, 56 small patches to train on: smaller batches, as many epochs as two cores do in
#: three to four minutes, and more patience, since an epoch has 14 steps where the paper's has 210.
SAMPLE_SETTINGS = Settings(epochs=18, batch_size=4, plateau_patience=10, readers=1)


def settings_for(root: Path | str, **changes: Any) -> Settings:
    """The settings for a data root: the paper's, or the sample's, with changes.

    Args:
        root: the data root.
        **changes: fields of `Settings`; None leaves the preset's value.

    Raises:
        ExperimentError: a setting is out of range.
    """
    preset = SAMPLE_SETTINGS if describe(root).name == SAMPLE.name else Settings()
    settings = replace(preset, **{k: v for k, v in changes.items() if v is not None})
    most = os.environ.get("MULTISENGE_EPOCHS")  # tests set it, to see a run end soon
    return replace(settings, epochs=min(settings.epochs, int(most))) if most else settings


def check_data_root(root: Path | str, experiment: Experiment) -> Path:
    """The root as it came, if it has the folders that an experiment reads.

    Raises:
        ExperimentError: naming the folder that is missing or empty.
    """
    root = Path(root)
    needed = (LABELS, REFERENCE, *experiment.sensors)
    for name in needed:
        if not any((root / name).glob("*")):
            raise ExperimentError(
                f"{root} has no files in {name}/, which {experiment.name} needs: give a data root "
                f"with {', '.join(needed)}, see `multisenge download --help`"
            )
    return root


def load_store(
    root: Path | str, experiment: Experiment, on_error: OnError = "stop", **options: Any
) -> Store:
    """The packed patches of a data root, packed when they are not yet.

    Args:
        root: the data root.
        experiment: its months and days gap make the selection.
        on_error: `stop` at a patch that cannot be read, or `skip` and list it.
        **options: of `pack`, such as `band_order`.
    """
    there = tuple(s for s in SENSORS if any((Path(root) / s).glob("*")))
    selection = load_selection(root, experiment.months, experiment.days_gap)
    return pack(root, selection, sensors=there, on_error=on_error, **options)


def weighted_loss(weights: Sequence[float]) -> Callable[[Any, Any], Any]:
    """Weighted categorical cross-entropy (section 3.4) of logits and integer ids, without one-hot.

    Keras takes the mean over all pixels of a batch, those of id 0 counting 0: so every labelled
    pixel has the same influence, in whichever batch and on whichever device it is.

    Args:
        weights: of each class, in order of id from 1.

    Returns:
        A function of the reference `(batch, height, width)`, ids 0 to classes, and logits
        `(batch, height, width, classes)`, to the loss of each pixel `(batch, height, width)`.
    """
    table = np.concatenate([[0], weights]).astype(np.float32)

    def weighted_cross_entropy(reference: Any, logits: Any) -> Any:
        ids = ops.cast(reference, "int32")
        channel = ops.maximum(ids - 1, 0)
        each = ops.sparse_categorical_crossentropy(channel, logits, from_logits=True)
        return ops.take(ops.convert_to_tensor(table), ids) * each

    return weighted_cross_entropy


class PixelAccuracy(keras.metrics.Metric):
    """Share of labelled pixels that are predicted right."""

    def __init__(self, name: str = "accuracy", **kwargs):
        super().__init__(name=name, **kwargs)
        self.hits = self.add_weight(name="hits", initializer="zeros")
        self.pixels = self.add_weight(name="pixels", initializer="zeros")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Count a batch: ids `(batch, height, width)`, 0 left out, and logits."""
        ids = ops.cast(y_true, "int32")
        predicted = ops.cast(ops.argmax(y_pred, axis=-1), "int32") + 1
        self.hits.assign_add(ops.sum(ops.cast(predicted == ids, "float32")))
        self.pixels.assign_add(ops.sum(ops.cast(ids > 0, "float32")))

    def result(self) -> Any:
        """0 to 1."""
        return ops.divide_no_nan(self.hits, self.pixels)


def _accelerators() -> list[str]:
    return [n for n in keras.distribution.list_devices() if not n.startswith("cpu")]


@contextmanager
def _on_devices(count: int) -> Iterator[None]:
    """Share batches among the first devices, by the backend's own data parallelism.

    Raises:
        ExperimentError: there are fewer.
    """
    names = _accelerators() or keras.distribution.list_devices()
    _require(count <= len(names), "devices", count, f"at most {len(names)}, as many as there are")
    if count == 1:
        yield
    elif keras.backend.backend() == "tensorflow":
        import tensorflow

        with tensorflow.distribute.MirroredStrategy(names[:count]).scope():
            yield
    else:
        keras.distribution.set_distribution(keras.distribution.DataParallel(devices=names[:count]))
        try:
            yield
        finally:
            keras.distribution.set_distribution(None)


@contextmanager
def _with_precision(precision: Precision) -> Iterator[None]:
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def _compile(model: keras.Model, settings: Settings, weights: Sequence[float]) -> None:
    jit = settings.jit
    if jit is None:
        jit = keras.backend.backend() == "jax" or (settings.devices == 1 and any(_accelerators()))
    model.compile(
        keras.optimizers.Adam(settings.learning_rate),
        loss=weighted_loss(weights),
        metrics=[PixelAccuracy()],
        jit_compile=jit,
    )


def _synchronise(model: keras.Model, settings: Settings) -> None:
    """Batch normalisation over the whole batch, not over one device's part; JAX does so itself."""
    for layer in model.get_layer("unet").layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.synchronized = settings.devices > 1 and keras.backend.backend() == "tensorflow"


def _run_folder(experiment: Experiment, settings: Settings, store: Store) -> Path:
    """One folder for each experiment, settings, data and code; `epochs` may be changed."""
    digest = hashlib.sha256(repr((experiment, replace(settings, epochs=1, readers=1))).encode())
    digest.update(f"{store.fingerprint} {keras.backend.backend()}".encode())
    for pattern in _SOURCES:
        for source in sorted(Path(__file__).parent.parent.glob(pattern)):
            digest.update(source.read_bytes())
    name = f"{experiment.name}-seed{settings.seed}-{digest.hexdigest()[:12]}"
    return paths.cache_dir() / "runs" / name


@dataclass(frozen=True)
class Run:
    """A trained network and its record, which `results.write_record` writes."""

    model: keras.Model
    record: results.Record
    folder: Path


def _fit(
    model: keras.Model,
    batches: Mapping[str, Batches],
    settings: Settings,
    checkpoint: Checkpoint,
    bar: Progress,
) -> None:
    """Train from where the checkpoint is to the end; the model then has its best weights."""
    done = settings.epochs if checkpoint.stopped else len(checkpoint.rows)
    callbacks = [*reversed(checkpoint.others), bar, checkpoint]
    if settings.tensorboard:
        callbacks.append(keras.callbacks.TensorBoard(checkpoint.folder / "tensorboard"))
    try:
        model.fit(
            batches["train"],
            steps_per_epoch=batches["train"].steps,
            validation_data=batches["validation"],
            epochs=settings.epochs,
            initial_epoch=done,
            callbacks=callbacks,
            shuffle=False,
            verbose=0,
        )
    except Exception:
        for part in batches.values():
            if part.error is not None:  # one line, and not the backend's account of it
                raise part.error from None
        raise


def evaluate(
    model: keras.Model, store: Store, experiment: Experiment, batch_size: int, split: str = "test"
) -> tuple[tuple[str, ...], np.ndarray, dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Predict a split and count hits and errors patch by patch.

    Args:
        model: of `build_model`.
        store: from `pack`.
        experiment: the model's.
        batch_size: patches predicted at once.
        split: `test`, but for comparisons.

    Returns:
        The patches' names; their confusion matrices `(patches, classes, classes) int64`; and of
        the showcase patches among them the maps and the references, `(size, size) uint8` ids.
    """
    positions = store.positions(split)
    names = dict(zip(store.patches["position"], store.patches["patch"], strict=True))
    batches = Batches(store, positions, experiment.sensors, experiment.typology, batch_size)
    confusions, maps, references = [], {}, {}
    for number in range(batches.num_batches):
        inputs, reference = batches[number]
        logits = ops.convert_to_numpy(model.predict_on_batch(inputs))
        predicted = (logits.argmax(axis=-1) + 1).astype(np.uint8)
        for i, (position, _) in enumerate(batches.plan(number)):
            confusions.append(confusion_matrix(reference[i], predicted[i], experiment.classes))
            if names[position] in MULTISENGE.showcase:
                maps[names[position]], references[names[position]] = predicted[i], reference[i]
    return tuple(names[p] for p in positions), np.stack(confusions), maps, references


def majority(confusion: np.ndarray) -> dict[str, Any]:
    """The scores of a map that shows the most frequent class everywhere: what to beat.

    Args:
        confusion: `(classes, classes)`, rows reference.
    """
    support = confusion.sum(axis=1)
    constant = np.zeros_like(confusion)
    constant[:, support.argmax()] = support
    return scores(constant)


def _device() -> str:
    """What the run ran on, in words."""
    if not _accelerators():
        return f"{os.cpu_count()} CPU cores, {platform.machine()}"
    if keras.backend.backend() == "jax":
        import jax

        return jax.devices()[0].device_kind
    import tensorflow

    (gpu, *_) = tensorflow.config.list_physical_devices("GPU")
    return tensorflow.config.experimental.get_device_details(gpu).get("device_name", "GPU")


def _describe(
    experiment: Experiment,
    settings: Settings,
    store: Store,
    model: keras.Model,
    checkpoint: Checkpoint,
) -> dict[str, Any]:
    """What was trained, on what, how, and how long."""
    history = checkpoint.history
    trainable = sum(int(np.prod(v.shape)) for v in model.trainable_variables)
    return {
        "title": experiment.title,
        "classes": experiment.typology.names,
        "choices": asdict(experiment),
        "settings": asdict(settings),
        "parameters": {"trainable": trainable, "total": model.count_params()},
        "patches": {s: len(store.positions(s)) for s in ("train", "validation", "test")},
        "size": store.size,
        "epochs": len(history),
        "best_epoch": int(history["val_loss"].idxmin()),
        "training_seconds": float(history["seconds"].sum()),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "device": _device(),
        "backend": keras.backend.backend(),
        "fingerprint": store.fingerprint,
        "skipped": store.skipped.to_dict(orient="records"),
        **provenance(),
    }


def _build(
    experiment: Experiment, settings: Settings, store: Store
) -> tuple[keras.Model, dict[str, Any]]:
    """The network ready to fit, and what it took from the training split."""
    statistics = streamed_statistics(store, experiment)
    counts = count_classes(store, experiment.typology)
    weights = inverse_frequency(counts) if settings.class_weights else np.ones(len(counts))
    keras.utils.set_random_seed(settings.seed)
    model = build_model(experiment, store.size, statistics)
    _synchronise(model, settings)
    _compile(model, settings, weights)
    taken = {"statistics": statistics, "pixels": counts.tolist(), "class_weights": weights.tolist()}
    return model, taken


def _batches(
    experiment: Experiment, settings: Settings, store: Store, first_epoch: int
) -> dict[str, Batches]:
    common = (experiment.sensors, experiment.typology, settings.batch_size, settings.readers)
    train, validation = store.positions("train"), store.positions("validation")
    return {
        "train": TrainingBatches(
            store,
            train,
            *common,
            seed=settings.seed,
            augmentation=settings.augmentation,
            first_epoch=first_epoch,
        ),
        "validation": Batches(store, validation, *common),
    }


def _prepare_folder(folder: Path, resume: bool) -> Path:
    if not resume:
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _train(
    model: keras.Model,
    experiment: Experiment,
    settings: Settings,
    store: Store,
    folder: Path,
    progress: bool | None,
    checkpoint_seconds: float,
) -> Checkpoint:
    stopping = keras.callbacks.EarlyStopping(
        patience=settings.stop_patience, restore_best_weights=True
    )
    plateau = keras.callbacks.ReduceLROnPlateau(
        factor=settings.plateau_factor, patience=settings.plateau_patience
    )
    checkpoint = Checkpoint(folder, stopping, plateau, checkpoint_seconds)
    checkpoint.restore(model)
    done = len(checkpoint.rows)
    bar = Progress(settings.epochs, done, progress)
    _fit(model, _batches(experiment, settings, store, done), settings, checkpoint, bar)
    return checkpoint


def train(
    experiment: Experiment | str,
    settings: Settings | None = None,
    data_root: Path | str | None = None,
    *,
    resume: bool = True,
    on_error: OnError = "stop",
    band_order: BandOrder = "spectral",
    progress: bool | None = None,
    checkpoint_seconds: float = 60,
) -> Run:
    """Train the network of an experiment, and evaluate it on the test split.

    Args:
        experiment: or its name.
        settings: by default those of the data root, see `settings_for`.
        data_root: by default that of `find_data_root`.
        resume: go on where the same run was interrupted.
        on_error: `stop` at a patch that cannot be read, or `skip` and list it in the record.
        band_order: of files that do not name their bands, see `read_patch`.
        progress: show a bar: True, False, or None for only in a terminal.
        checkpoint_seconds: least time between two checkpoints.

    Returns:
        The model with the weights of its best epoch, saved as `model.keras` in the run's folder
        (without the optimizer: `keras.models.load_model` gives a network that takes raw values),
        and its record, not yet written.

    Raises:
        ExperimentError: experiment, settings or data root are wrong; before any data is read.
        PatchError: a patch cannot be read.
    """
    experiment = get_experiment(experiment) if isinstance(experiment, str) else experiment
    root = check_data_root(find_data_root(data_root), experiment)
    settings = settings or settings_for(root)
    store = load_store(root, experiment, on_error, band_order=band_order)
    with _on_devices(settings.devices), _with_precision(settings.precision):
        folder = _prepare_folder(_run_folder(experiment, settings, store), resume)
        model, taken = _build(experiment, settings, store)
        checkpoint = _train(
            model, experiment, settings, store, folder, progress, checkpoint_seconds
        )
    _synchronise(model, replace(settings, devices=1))
    keras.Model(model.input, model.output, name=model.name).save(folder / "model.keras")
    patches, confusions, maps, references = evaluate(model, store, experiment, settings.batch_size)
    confusion = confusions.sum(axis=0)
    metrics = {
        "dataset": describe(root).name,
        "experiment": experiment.name,
        "seed": settings.seed,
        "scores": scores(confusion),
        "majority": majority(confusion),
        "confusion": confusion.tolist(),
        **_describe(experiment, settings, store, model, checkpoint),
        **taken,
    }
    record = results.Record(metrics, checkpoint.history, patches, confusions, maps, references)
    checkpoint.path.unlink(missing_ok=True)
    return Run(model, record, folder)
