"""Train and evaluate one experiment, from a data root to its record (paper, section 3.4).

`train` is the whole of it. Its body, read from top to bottom, is this list:

 1. Before `train`, the notebook turns its parameters into a data root, a dataset, an experiment and
    settings (`find_data_root`, `with_selection`, `get_experiment`, `settings_from_parameters`).
 2. Apply the settings of the experiment's variants. Check the network to start from, if any.
 3. `preparation.prepare`: check the request, select patches (section 2.2), pack their rasters.
    `check_record`: could the record be written?
 4. `preparation.compute_statistics` of the training split: Eq. 4 and the class weights.
 5. `PreparedRun.folder`: name the run's folder by a hash of the run's identity, and lock it.
 6. `fitting.build`: set the seed; build the network, Adam and the loss.
 7. `fitting.take_starting_weights`. Make two checks that would otherwise fail after hours.
 8. `fitting.fit_or_load`: train. `model.fit`, in `_run_epochs`, makes the first update.
 9. `fitting.in_float32`: copy the weights into a network of single precision.
10. `scoring.evaluate` on the test split (section 3.5).
11. `recording.make_record`, and `checkpoint.write_finished`, which saves the network.

The notebook then writes the record to `results/`.

A run can be interrupted at any moment. Started again, it goes on from its checkpoint and ends with
the same weights. If the run is finished already, step 8 only loads its weights; all other steps run
again.

An *update* (in some names a *step*) is one batch. A *pass* goes once through the training patches.
An *epoch* is what lies between two validations, one pass or several (`Settings.passes_per_epoch`).

What is compared has four names. The *signature* of a patch is the state of its rasters (sizes and
times). The *fingerprint* of a store is a hash of the packed patches. A *digest* is a hash of a file
or of the library. The *identity* of a run is all that its result depends on, these three included.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras

from multisenge_lib import results
from multisenge_lib.dataset import BandOrder, Dataset, OnError, dataset_of_root, given_data_root
from multisenge_lib.errors import ExperimentError
from multisenge_lib.models import (
    Experiment,
    check_can_be_read_again,
    get_experiment,
    step_operations,
)
from multisenge_lib.training.checkpoint import delete_run, exclusive, write_finished
from multisenge_lib.training.devices import on_devices
from multisenge_lib.training.fitting import build, fit_or_load, in_float32, take_starting_weights
from multisenge_lib.training.preparation import check_record, compute_statistics, prepare
from multisenge_lib.training.recording import ClassifierInfo, count_weights, make_record
from multisenge_lib.training.scoring import evaluate
from multisenge_lib.training.settings import Settings, settings_for, with_variant_settings
from multisenge_lib.training.start_from import StartPart, starting_point


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


def _check_types(settings: Any, dataset: Any) -> None:
    """Refuse what a script easily gives in the place of settings and of a dataset."""
    if settings is not None and not isinstance(settings, Settings):
        raise ExperimentError(
            f"settings of type {type(settings).__name__}: give ms.Settings(epochs=..., ...)"
        )
    if dataset is not None and not isinstance(dataset, Dataset):
        raise ExperimentError(
            f"dataset of type {type(dataset).__name__}: give a dataset of with_selection, such as "
            "with_selection(dataset_of_root(root), days_gap=18); a table of patches is not taken"
        )


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

    On Linux, call `multisenge_lib.keep_freed_memory` once before, at the start of your script: a
    training step on the sample took about 0.5 s with it and over 1.3 s without.

    Args:
        experiment: an `Experiment`, or its name such as `s1s2_10c`.
        settings: by default those of the data root, see `settings_for`.
        data_root: by default the folder that `MULTISENGE_ROOT` names.
        resume: go on where the same run was interrupted; False begins anew.
        on_error: `stop` at a patch that cannot be read, or `skip` and list it in the record.
        band_order: the order of bands in files that do not name them, see `read_patch`.
        dataset: a dataset of `dataset.with_selection`, for other months, another gap, rule or
            tiles; by default the data root's own. `train` selects by its rules, and takes no table.
        progress: print one line per epoch.
        checkpoint_interval: least seconds between two checkpoints.
        runs: the folder for the runs' own folders; by default `runs/` in the cache.
        start_from: a `model.keras` whose weights the network starts with, wherever their names and
            shapes are the same; by default all weights start at random.
        start_from_part: `all`, or `encoder` to take the weights of the encoder alone.
        replace_record: what you will give `results.write_record` as `replace`. If that would refuse
            the record, the run is refused before it is trained. None: not checked.

    Returns:
        A `Run`: the model with the weights of its best epoch, in float32; its record, not yet
        written; and its folder, where the model is saved as `model.keras` (see
        `models.save_model`).

    Raises:
        ExperimentError: experiment, settings or data root are wrong; a split has no labelled pixel;
            the validation loss was not finite in any epoch; or another process trains the same run.
        ModelError: `start_from` is no network that this library saved.
        PatchError: a patch cannot be read.
        RecordError: `replace_record` is False, and the record's place holds another that it must
            not replace.
        FileError: the run's folder cannot be written, or its checkpoint is damaged.

    Examples:
        >>> import multisenge_lib as ms
        >>> root = ms.find_data_root()
        >>> run = ms.train("s1s2_10c", data_root=root)  # doctest: +SKIP
        >>> run.record.scores["macro_f1"]  # doctest: +SKIP
    """
    _check_types(settings, dataset)
    root = given_data_root(data_root)
    if root is None:
        raise ExperimentError(
            "no data root: give data_root, set MULTISENGE_ROOT, or take the synthetic sample with "
            "ms.find_data_root()"
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
        start = starting_point(start_from, start_from_part, experiment.network_file)

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
            taken_weights = take_starting_weights(model, prepared, progress)
            # Counted before the training, so that a network that cannot be counted costs no hours.
            operations = step_operations(model, settings.batch_size)
            if experiment.network_file:
                check_can_be_read_again(model, prepared.card, experiment.network_file)
            training_info = fit_or_load(model, prepared, folder, progress, checkpoint_interval)
        # This one is made for a single device, whatever the training ran on.
        model = in_float32(model, prepared, statistics)
        counts = evaluate(model, prepared)
        record = make_record(
            prepared,
            training_info,
            counts,
            ClassifierInfo(
                statistics=statistics,
                parameters=count_weights(model),
                step_operations=operations,
                taken_weights=taken_weights,
            ),
        )
        card = replace(prepared.card, scores=record.scores)
        write_finished(folder, model, card, training_info)
    return Run(model, record, folder)
