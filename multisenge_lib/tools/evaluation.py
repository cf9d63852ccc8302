"""Score a trained network on a split of any data root that has its classes.

A network that was trained on one place can be tested on another one: on the authors' second region,
or on an area of your own. The scores are counted patch by patch, as those of a training are, and
kept as a record in a folder of its own, so that no record of a training is touched.
"""

import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
from tqdm import tqdm

from multisenge_lib import maps, paths, results
from multisenge_lib.dataset import (
    SPLITS,
    BandOrder,
    Dataset,
    Typology,
    check_projections,
    dataset_of_root,
    read_patch,
    reclassify,
    root_digest,
)
from multisenge_lib.errors import FileError, ModelError, RecordError, printable
from multisenge_lib.models import ModelCard, load_model, predict, with_input_size
from multisenge_lib.progress_bars import hide_bar
from multisenge_lib.software import provenance
from multisenge_lib.training import count_weights


@dataclass(frozen=True)
class Evaluation:
    """An evaluation of which all is known but the scores.

    Attributes:
        trained: the network.
        card: its description.
        root: the data root.
        dataset: the root's description.
        typology: the classes that the network separates.
        selection: the patches to score, one row each.
        band_order: the order of the bands in Sentinel-2 rasters that do not name them.
        metadata: what its record will say, but for the size of the patches.
    """

    trained: keras.Model
    card: ModelCard
    root: Path
    dataset: Dataset
    typology: Typology
    selection: pd.DataFrame
    band_order: BandOrder
    metadata: results.Metadata


def prepare_evaluation(
    model: Path | str,
    root: Path | str,
    split: str = "test",
    *,
    own_months: bool = False,
    band_order: BandOrder = "spectral",
    network: str | None = None,
) -> Evaluation:
    """Find out what an evaluation scores, before the first raster is read.

    Arguments and errors are as in `evaluate_model`.
    """
    check_projections()
    if split not in SPLITS:
        raise ModelError(f"split {split!r}: choose one of {', '.join(SPLITS)}")
    model = Path(model)
    root = Path(root)
    trained, card = load_model(model, network)
    dataset = dataset_of_root(root)
    maps.check_bands(root, card)
    typology = find_typology(dataset, card)
    months = dataset.months if own_months else card.months
    selection = _select(root, card, split, months)
    metadata = _metadata(
        trained=trained,
        card=card,
        root=root,
        dataset=dataset,
        typology=typology,
        patches={split: len(selection)},
        evaluation=_identity(model, card, split, months, band_order),
    )
    return Evaluation(trained, card, root, dataset, typology, selection, band_order, metadata)


def evaluate_model(
    model: Path | str,
    root: Path | str,
    split: str = "test",
    *,
    own_months: bool = False,
    band_order: BandOrder = "spectral",
    network: str | None = None,
    progress: bool = False,
) -> results.Record:
    """Score a saved network on a split of a data root, patch by patch.

    Args:
        model: a `model.keras` that this library saved.
        root: the data root.
        split: `train`, `validation` or `test`, as the data root divides its patches.
        own_months: take the months of the data root instead of those that the network was trained
            on, for a root of another calendar; there must be as many.
        band_order: the order of the bands in Sentinel-2 rasters that do not name them.
        network: the file of a network of your own, see `models.load_model`.
        progress: show a bar where there is a terminal.

    Returns:
        A record as `training.train` gives it, without what only a training has: settings, history
        and statistics are empty, and the seed is 0. `metadata.evaluation` says which network it is
        of.

    Raises:
        ModelError: the file is no network; the root has other bands or other classes than it; or
            no patch of the split has a full series.
        PatchError: a raster cannot be read.
    """
    evaluation = prepare_evaluation(
        model, root, split, own_months=own_months, band_order=band_order, network=network
    )
    return score_patches(evaluation, progress)


def score_patches(evaluation: Evaluation, progress: bool = False) -> results.Record:
    """Score the patches of an evaluation; its record and errors are those of `evaluate_model`."""
    trained = evaluation.trained
    card = evaluation.card
    typology = evaluation.typology
    selection = evaluation.selection
    split = evaluation.metadata.evaluation["split"]
    counts = results.PatchCounts(
        selection["patch"].tolist(), len(typology), evaluation.dataset.showcase
    )
    size = 0
    for row in tqdm(selection.itertuples(), split, len(selection), disable=hide_bar(progress)):
        patch = read_patch(evaluation.root, row, card.sensors, evaluation.band_order)
        reference = reclassify(patch.reference, typology)
        size = reference.shape[0]
        # A network with peepholes takes patches of its own size only, and says so here.
        if trained.output_shape[1] != size:
            trained = with_input_size(trained, size)
        inputs = maps.patch_inputs(trained, card, row, patch)
        predicted = (predict(trained, inputs)[0].argmax(axis=-1) + 1).astype(np.uint8)
        counts.add(row.patch, reference, predicted)

    finished = datetime.now(UTC).isoformat(timespec="seconds")
    return results.Record(
        metadata=replace(evaluation.metadata, size=size, finished=finished),
        history=_empty_history(),
        patches=counts.patches,
        confusions=counts.confusions,
        maps=counts.maps,
        references=counts.references,
        spatial=counts.spatial,
    )


def find_typology(dataset: Dataset, card: ModelCard) -> Typology:
    """Find the classification of a dataset that a network separates: by the names of its classes.

    Raises:
        ModelError: the dataset has none with these classes in this order, or several of which none
            has the name of the network's.
    """
    same_names = [t for t in dataset.typologies.values() if t.names == tuple(card.classes)]
    # Two classifications may have equal names for different ids; then the name decides.
    for typology in same_names:
        if typology.name == card.classification:
            return typology
    if len(same_names) == 1:
        return same_names[0]
    if same_names:
        names = ", ".join(typology.name for typology in same_names)
        remedy = "leave only one of them in dataset.toml"  # older networks do not name theirs
        if card.classification:
            remedy = f"give the one that is meant the name {card.classification} in dataset.toml"
        raise ModelError(
            f"{dataset.name} has several classifications with the classes of the network "
            f"{printable(card.name)}, {names}: {remedy}"
        )
    available = ", ".join(f"{t.name} with {len(t)} classes" for t in dataset.typologies.values())
    raise ModelError(
        f"the network {printable(card.name)} separates {', '.join(card.classes)}, and "
        f"{dataset.name} has no classification of these classes, in this order, only {available}: "
        "evaluate a network that was trained for one of them, or add a grouping to dataset.toml"
    )


def _select(root: Path, card: ModelCard, split: str, months: tuple[int, ...]) -> pd.DataFrame:
    """Select the patches of a split that have a full series in these months."""
    if len(months) != len(card.months):
        raise ModelError(
            f"{printable(root)} has a series of {len(months)} months, the network takes "
            f"{len(card.months)}: evaluate it without the months of the root"
        )
    try:
        selection = maps.patches_to_map(
            root, months, card.sensors, card.s1_per_month, by_split=True
        )
    except ModelError as error:
        own_months = dataset_of_root(root).months
        if months == own_months or len(months) != len(own_months):
            raise
        raise ModelError(f"{error}; --own-months takes the months of the root") from None
    of_split = selection[selection["split"] == split]
    if of_split.empty:
        counts = selection["split"].value_counts()
        by_split = ", ".join(f"{counts.get(name, 0)} for {name}" for name in SPLITS)
        raise ModelError(
            f"{printable(root)} has no patch for {split} with an image in each of the months "
            f"{', '.join(map(str, months))}, but {by_split}: choose another split"
        )
    return of_split


def _identity(
    model: Path, card: ModelCard, split: str, months: tuple[int, ...], band_order: BandOrder
) -> dict[str, Any]:
    """Say which evaluation this is: of which network, on what, and read how.

    Months and the order of bands are named where they are not the usual ones.
    """
    identity: dict[str, Any] = {
        "trained_on": card.dataset,
        "model_sha256": hashlib.sha256(model.read_bytes()).hexdigest(),
        "split": split,
    }
    if months != card.months:
        identity["months"] = list(months)
    if band_order != "spectral":
        identity["band_order"] = band_order
    return identity


def _metadata(
    *,
    trained: keras.Model,
    card: ModelCard,
    root: Path,
    dataset: Dataset,
    typology: Typology,
    patches: dict[str, int],
    evaluation: dict[str, Any],
) -> results.Metadata:
    """Describe an evaluation; what only a training has stays empty, and what is not yet known."""
    return results.Metadata(
        dataset=dataset.name,
        experiment=card.name,
        seed=0,
        title=f"{card.name}, trained on {card.dataset}",
        classes=typology.names,
        classification=typology.name,
        colors=typology.colors,
        members=typology.members,
        choices={},
        settings={},
        parameters=count_weights(trained),
        patches=patches,
        split=dataset.split_rule,
        size=0,
        operations=0.0,
        finished="",
        device="",
        backend=keras.backend.backend(),
        fingerprint=root_digest(root),
        skipped=(),
        statistics={},
        pixels=(),
        class_weights=(),
        evaluation=evaluation,
        **provenance(),
    )


def _empty_history() -> pd.DataFrame:
    columns = ["loss", "val_loss", "learning_rate", "seconds"]
    return pd.DataFrame(columns=columns, index=pd.Index([], name="epoch"), dtype=float)


def evaluation_folder(evaluation: results.Record | Evaluation) -> Path:
    """Return where the record of an evaluation goes, below `results/evaluations/`.

    It has one folder for each data, network and split, three levels deep, where no record of a
    training can lie. Other months or another order of bands stand after the split.
    """
    metadata = evaluation.metadata
    identity = metadata.evaluation
    network = f"{metadata.experiment}-of-{identity['trained_on']}-{identity['model_sha256'][:8]}"
    last = identity["split"]
    if "months" in identity:
        last += "-months-" + "-".join(map(str, identity["months"]))
    if "band_order" in identity:
        last += f"-{identity['band_order']}"
    return paths.results_dir() / results.EVALUATIONS / metadata.dataset / network / last


def write_evaluation(record: results.Record, folder: Path | str | None = None) -> Path:
    """Write the record of an evaluation, and return its folder.

    Args:
        record: from `evaluate_model`.
        folder: by default `evaluation_folder`. It must be new or empty, or hold the record of an
            earlier evaluation of the same network on the same split of the same data, read in the
            same way. With the same library, the new record then differs from that one only in
            `finished`, its time.

    Raises:
        FileError: the folder holds something else, or cannot be written.
    """
    folder = evaluation_folder(record) if folder is None else Path(folder)
    check_place_of_record(record, folder)
    return results.write_record(record, folder=folder, replace=True)


def check_evaluation_folder(folder: Path | str) -> None:
    """Check before an evaluation that its record can go into a folder.

    Args:
        folder: may be missing or empty, or hold the record of an earlier evaluation, of whatever
            network. `check_place_of_record` looks whether that one may be replaced.

    Raises:
        FileError: the folder holds something else.
    """
    _earlier_evaluation(Path(folder))


def check_place_of_record(
    evaluation: results.Record | Evaluation, folder: Path | str | None = None
) -> None:
    """Refuse a folder that holds anything but the same evaluation, made before.

    Args:
        evaluation: whose record goes there.
        folder: by default `evaluation_folder`.

    Raises:
        FileError: the folder holds something else.
    """
    folder = evaluation_folder(evaluation) if folder is None else Path(folder)
    old = _earlier_evaluation(folder)
    if old is None:
        return
    new = evaluation.metadata
    same = (old.dataset, old.fingerprint, old.evaluation) == (
        new.dataset,
        new.fingerprint,
        new.evaluation,
    )
    if not same:
        raise _taken(
            folder,
            f"the record of {old.experiment} on {old.dataset}, which is another one: of other "
            "data, another network or split, or read with other months or another order of bands",
        )


def _earlier_evaluation(folder: Path) -> results.Metadata | None:
    """Read what the record in a folder says of its evaluation; None where the folder is free."""
    if not folder.exists():
        return None
    if folder.is_dir() and not any(folder.iterdir()):
        return None
    try:
        metadata = results.read_record_from(folder).metadata
    except RecordError:
        raise _taken(folder, "something else than the record of an evaluation") from None
    if not metadata.evaluation:
        raise _taken(folder, f"the record of a training, of {metadata.experiment}")
    return metadata


def _taken(folder: Path, holds: str) -> FileError:
    return FileError(
        f"{printable(folder)} holds {holds}: give a folder that is new or empty (command line: "
        "--out)"
    )


def evaluation_table(record: results.Record) -> pd.DataFrame:
    """Tabulate the scores of an evaluation by class, and last those over all classes.

    Returns:
        Columns `precision`, `recall`, `F1`, `IoU` and `pixels`; rows the classes, and their
        unweighted mean (macro).
    """
    scores = record.scores
    columns = {"precision": "precision", "recall": "recall", "f1": "F1", "iou": "IoU"}
    table = pd.DataFrame(
        {title: scores[name] for name, title in columns.items()},
        index=list(record.metadata.classes),
        dtype=float,
    )
    table["pixels"] = scores["support"]
    pixels = int(table["pixels"].sum())
    table.loc["mean over classes"] = [*table[list(columns.values())].mean(), pixels]
    return table.astype({"pixels": int})
