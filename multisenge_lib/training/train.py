"""Train, evaluate, and put together the record of one experiment (paper, section 3.4).

A run depends on the experiment, its settings and the data; the same three give the same run on the
same machine. It can be interrupted at any moment: started again, it goes on from its checkpoint,
and a run that is over is only evaluated.
"""

import contextlib
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
import pandas as pd
from keras import ops

from multisenge_lib import paths, results
from multisenge_lib.dataset import (
    LABELS,
    REFERENCE,
    SENSORS,
    SPLITS,
    BandOrder,
    Dataset,
    OnError,
    Store,
    describe,
    load_selection,
    pack,
    read_patch,
)
from multisenge_lib.errors import ExperimentError, PatchError
from multisenge_lib.files import provenance
from multisenge_lib.models import (
    Experiment,
    build_model,
    check_size,
    description_of,
    get_experiment,
)
from multisenge_lib.results import confusion_matrix
from multisenge_lib.sample import find_data_root
from multisenge_lib.training.batches import (
    Batches,
    TrainingBatches,
    count_classes,
    steps_an_epoch,
    streamed_statistics,
)
from multisenge_lib.training.checkpoint import (
    Checkpoint,
    alone,
    forget,
    history,
    read_finished,
    write_finished,
)
from multisenge_lib.training.devices import (
    check_devices,
    device_name,
    jit,
    on_devices,
    synchronise,
)
from multisenge_lib.training.loss import inverse_frequency, weighted_loss
from multisenge_lib.training.progress import Progress
from multisenge_lib.training.settings import Settings, settings_for

#: A checkpoint of other code than this is not taken up.
_SOURCES = ("training/*.py", "dataset/store.py", "models/*.py")
#: Maps kept of a test split that has none of the dataset's patches to show.
_SHOWN = 3


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


def load_store(
    root: Path | str,
    experiment: Experiment,
    settings: Settings,
    on_error: OnError = "stop",
    **options: Any,
) -> Store:
    """The packed patches of a data root, packed when they are not yet.

    Args:
        root: the data root.
        experiment: its months and days gap make the selection.
        settings: checked against the selection first.
        on_error: `stop` at a patch that cannot be read, or `skip` and list it.
        **options: of `pack`, such as `band_order`.

    Raises:
        ExperimentError: a split is empty, or smaller than a batch; or patches are of a size that
            the networks cannot take.
        PatchError: a patch cannot be read.
    """
    root = Path(root)
    selection = load_selection(root, experiment.months, experiment.days_gap)
    _check_selection(root, selection, settings)
    there = tuple(s for s in SENSORS if any((root / s).glob("*")))
    return pack(root, selection, sensors=there, on_error=on_error, **options)


def _run_folder(experiment: Experiment, settings: Settings, store: Store) -> Path:
    """One folder for each experiment, settings, data and code."""
    digest = hashlib.sha256(repr((experiment, replace(settings, readers=1))).encode())
    digest.update(f"{store.fingerprint} {keras.backend.backend()}".encode())
    for pattern in _SOURCES:
        for source in sorted(Path(__file__).parent.parent.glob(pattern)):
            digest.update(source.read_bytes())
    name = f"{experiment.name}-seed{settings.seed}-{digest.hexdigest()[:12]}"
    return paths.cache_dir() / "runs" / name


class Measured(NamedTuple):
    """What a run takes from the training split."""

    statistics: dict[str, tuple[list[float], list[float]]]
    pixels: np.ndarray
    class_weights: np.ndarray


def measure(store: Store, experiment: Experiment, settings: Settings) -> Measured:
    """Statistics of the bands and weights of the classes, from the training split.

    Raises:
        ExperimentError: a split has no pixel with a reference.
    """
    counts = {split: count_classes(store, experiment.typology, split) for split in SPLITS}
    for split, pixels in counts.items():
        if not pixels.any():
            raise ExperimentError(
                f"{store.path}: the reference of the {split} patches is no data everywhere, so "
                "nothing can be learned or scored there: are the files in ground_reference/ right?"
            )
    pixels = counts["train"]
    weights = inverse_frequency(pixels) if settings.class_weights else np.ones(len(pixels))
    return Measured(streamed_statistics(store, experiment), pixels, weights)


def build(experiment: Experiment, settings: Settings, size: int, measured: Measured) -> keras.Model:
    """The network, its weights drawn by the seed, ready to fit."""
    keras.utils.set_random_seed(settings.seed)
    model = build_model(experiment, size, measured.statistics)
    synchronise(model, settings.devices)
    model.compile(
        keras.optimizers.Adam(settings.learning_rate),
        loss=weighted_loss(measured.class_weights),
        jit_compile=jit(settings),
    )
    return model


def _batches(
    experiment: Experiment, settings: Settings, store: Store, first_epoch: int
) -> tuple[TrainingBatches, Batches]:
    common = (experiment.sensors, experiment.typology, settings.batch_size, settings.readers)
    train = TrainingBatches(
        store,
        store.positions("train"),
        *common,
        seed=settings.seed,
        augmentation=settings.augmentation,
        first_epoch=first_epoch,
    )
    return train, Batches(store, store.positions("validation"), *common)


def _checkpoint(folder: Path, settings: Settings, seconds: float) -> Checkpoint:
    stopping = keras.callbacks.EarlyStopping(
        patience=settings.stop_patience, restore_best_weights=True
    )
    plateau = keras.callbacks.ReduceLROnPlateau(
        factor=settings.plateau_factor, patience=settings.plateau_patience
    )
    return Checkpoint(folder, stopping, plateau, seconds)


def fit(
    model: keras.Model,
    experiment: Experiment,
    settings: Settings,
    store: Store,
    checkpoint: Checkpoint,
    progress: bool,
) -> None:
    """Train from where the checkpoint is to the end; the model then has its best weights."""
    checkpoint.restore(model)
    done = len(checkpoint.rows)
    train, validation = _batches(experiment, settings, store, done)
    callbacks = [*reversed(checkpoint.others), *([Progress()] if progress else []), checkpoint]
    if settings.tensorboard:
        callbacks.append(keras.callbacks.TensorBoard(checkpoint.folder / "tensorboard"))
    try:
        model.fit(
            train,
            steps_per_epoch=train.steps,
            validation_data=validation,
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


class Tested(NamedTuple):
    """What a network does on a split, see `results.Record`."""

    patches: tuple[str, ...]
    confusions: np.ndarray
    maps: dict[str, np.ndarray]
    references: dict[str, np.ndarray]


def evaluate(
    model: keras.Model,
    store: Store,
    experiment: Experiment,
    batch_size: int,
    split: str = "test",
    show: Sequence[str] = (),
) -> Tested:
    """Predict a split and count hits and errors patch by patch.

    Args:
        model: of `build_model`.
        store: from `pack`.
        experiment: the model's.
        batch_size: patches predicted at once.
        split: `test`, but for comparisons.
        show: patches whose maps are kept; the split's first ones where it has none of them.

    Returns:
        The patches' names; their confusion matrices `(patches, classes, classes) int64`; and of
        the patches to show the maps and the references, `(size, size) uint8` ids.
    """
    positions = store.positions(split)
    names = store.patches.set_index("position")["patch"].loc[positions].tolist()
    shown = set(show) & set(names) or set(names[:_SHOWN])
    batches = Batches(store, positions, experiment.sensors, experiment.typology, batch_size)
    tested = Tested(tuple(names), [], {}, {})
    for number in range(batches.num_batches):
        inputs, reference = batches[number]
        logits = ops.convert_to_numpy(model.predict_on_batch(inputs))
        predicted = (logits.argmax(axis=-1) + 1).astype(np.uint8)
        for i, name in enumerate(names[number * batch_size : (number + 1) * batch_size]):
            matrix = confusion_matrix(reference[i], predicted[i], experiment.classes)
            tested.confusions.append(matrix)
            if name in shown:
                tested.maps[name], tested.references[name] = predicted[i], reference[i]
    return tested._replace(confusions=np.stack(tested.confusions))


def describe_run(
    dataset: Dataset,
    experiment: Experiment,
    settings: Settings,
    store: Store,
    model: keras.Model,
    measured: Measured,
    made: Mapping[str, Any],
) -> results.Metadata:
    """What was trained, on what, how, where and when."""
    trainable = sum(int(np.prod(v.shape)) for v in model.trainable_variables)
    return results.Metadata(
        dataset=dataset.name,
        experiment=experiment.name,
        seed=settings.seed,
        title=experiment.title,
        classes=tuple(experiment.typology.names),
        choices=asdict(experiment),
        settings=asdict(settings),
        parameters={"trainable": trainable, "total": model.count_params()},
        patches={split: len(store.positions(split)) for split in SPLITS},
        size=store.size,
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


def _trained(
    experiment: Experiment,
    settings: Settings,
    store: Store,
    measured: Measured,
    folder: Path,
    progress: bool,
    seconds: float,
) -> tuple[keras.Model, dict[str, Any]]:
    """The network with its best weights, and what only the process that trained it knows."""
    with on_devices(settings):
        model = build(experiment, settings, store.size, measured)
        made = read_finished(folder, model)
        if made is None:
            checkpoint = _checkpoint(folder, settings, seconds)
            fit(model, experiment, settings, store, checkpoint, progress)
            made = {
                "rows": checkpoint.rows,
                "finished": datetime.now(UTC).isoformat(timespec="seconds"),
                "device": device_name(),
                "backend": keras.backend.backend(),
                **provenance(),
            }
    synchronise(model, 1)
    return model, made


def train(
    experiment: Experiment | str,
    settings: Settings | None = None,
    data_root: Path | str | None = None,
    *,
    resume: bool = True,
    on_error: OnError = "stop",
    band_order: BandOrder = "spectral",
    progress: bool = True,
    seconds: float = 60,
) -> Run:
    """Train the network of an experiment, and evaluate it on the test split.

    Args:
        experiment: or its name.
        settings: by default those of the data root, see `settings_for`.
        data_root: by default that of `find_data_root`.
        resume: go on where the same run was interrupted; False begins anew.
        on_error: `stop` at a patch that cannot be read, or `skip` and list it in the record.
        band_order: of files that do not name their bands, see `read_patch`.
        progress: say a line an epoch.
        seconds: least time between two checkpoints.

    Returns:
        The model with the weights of its best epoch, saved as `model.keras` in the run's folder
        (without the optimizer: `keras.models.load_model` gives a network that takes raw values),
        and its record, not yet written.

    Raises:
        ExperimentError: experiment, settings or data root are wrong, before anything is packed;
            or another process trains the same run.
        PatchError: a patch cannot be read.
        FileError: the run's folder cannot be written, or its checkpoint is damaged.
    """
    experiment = get_experiment(experiment) if isinstance(experiment, str) else experiment
    root = check_data_root(find_data_root(data_root), experiment)
    settings = settings or settings_for(root)
    check_devices(settings)
    store = load_store(root, experiment, settings, on_error, band_order=band_order)
    measured = measure(store, experiment, settings)
    folder = _run_folder(experiment, settings, store)
    with alone(folder):
        if not resume:
            forget(folder)
        model, made = _trained(experiment, settings, store, measured, folder, progress, seconds)
        dataset = describe(root)
        tested = evaluate(model, store, experiment, settings.batch_size, show=dataset.showcase)
        metadata = describe_run(dataset, experiment, settings, store, model, measured, made)
        record = results.Record(metadata, history(made["rows"]), *tested)
        description = description_of(experiment, store.size, dataset.name, record.scores)
        write_finished(folder, model, description, made)
    return Run(model, record, folder)
