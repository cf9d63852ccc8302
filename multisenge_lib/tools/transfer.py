"""Transfer learning compared with training from scratch, on synthetic land (paper, section 6).

The paper leaves this comparison to future work. The sample's network is taken to a second synthetic
place, `south`, and trained on with 5, 20 or 100 % of its training patches; the same network is also
trained there from random weights. Both see the same batches, take the same number of steps, and are
scored on the same test patches. Both are validated on the same patches, by which the epoch is
chosen whose weights are tested. There are more of these than training patches in the smallest
share.

The second place is made from the sample by another seed. It has the same kinds of land, laid out
anew, and differs from the sample as another part of the world would:

- hemisphere and calendar: it lies in the south, half a year later, so its months are January,
  February, March and May;
- noise: another calibration of each band, haze on each date, more noise and more speckle.
"""

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from multisenge_lib import paths
from multisenge_lib.dataset import (
    LABELS,
    MULTISENGE,
    S1_BANDS,
    S2_BANDS,
    SAMPLE,
    Dataset,
    Patch,
    dataset_of_root,
    label_bytes,
    load_selection,
    raster_bytes,
    raster_path,
    read_patch,
    write_dataset_toml,
)
from multisenge_lib.errors import FileError, ModelError, MultiSenGEError, printable
from multisenge_lib.files import whole_folder, write_bytes
from multisenge_lib.models import (
    NETWORKS,
    Experiment,
    ModelCard,
    get_experiment,
    read_model_card,
)
from multisenge_lib.results import write_record
from multisenge_lib.sample import RASTER_DESCRIPTION, ensure_sample
from multisenge_lib.tools.evaluation import evaluate_model, evaluation_folder
from multisenge_lib.tools.second_place import (
    FINE_TUNED,
    FROM_SCRATCH,
    TRANSFER_PLACE,
    TRANSFER_SHARES,
    transfer_name,
)
from multisenge_lib.training import SAMPLE_SETTINGS, Settings, show, train

#: The sample's seed for the land of the second place; any but the sample's own.
_LAND_SEED = 7
#: Where the sample's tiles go: eight tiles of New South Wales and Victoria.
_TILE_IN_SOUTH = {
    "31UEQ": "55HCU",
    "31UFQ": "55HDU",
    "31UFR": "55HEU",
    "31UFP": "55HFU",
    "31UGP": "55HCT",
    "31TFN": "55HDT",
    "32ULU": "55HET",
    "32ULV": "55HFT",
}
_MONTHS = (1, 2, 3, 5)  # July, August, September and November of the sample
#: Every third validation patch is kept: they only choose the epoch, and each costs time.
_VALIDATION_STEP = 3

#: Calibration of each band relative to the sample's instrument, from B2 to B12.
_GAIN = np.linspace(1.15, 0.85, len(S2_BANDS))
#: Haze of a date, reflectance x 10,000: a mean that is strongest in the blue, and its deviation.
_HAZE = np.linspace(250, 20, len(S2_BANDS))
_HAZE_DEVIATION = 0.3
#: Standard deviation of the noise of each pixel, reflectance x 10,000. The sample has 12 and more.
_NOISE = 90
#: Radar: the calibration in decibels, and the looks of the speckle that is multiplied onto the
#: sample's.
_RADAR_OFFSET = -1.5
_LOOKS = 6

#: Steps of a training: as many as that of the sample's network has (15 epochs of 4 passes through
#: 16 batches). With far fewer, a network that starts at random is cut off before it has learnt what
#: its patches could teach it, and the comparison is one of steps and not of patches.
UPDATES = 960
_NO_ROOM = "make room, or set MULTISENGE_CACHE to another folder, and give the same command again"
#: Steps between two validations, and the least number of validations in a shorter training.
_STEPS_PER_VALIDATION = 64
_LEAST_EPOCHS = 4


def place_dataset(size: int = 64) -> Dataset:
    """Describe the second place; its patches have `size` pixels along a side."""
    split_of_tile = {}
    for tile, southern_tile in _TILE_IN_SOUTH.items():
        split_of_tile[southern_tile] = MULTISENGE.split_of(tile)
    return replace(
        MULTISENGE,
        name=TRANSFER_PLACE,
        years=(2021,),
        split_of_tile=split_of_tile,
        months=_MONTHS,
        patch_pixels=size,
        showcase=(),
        cities={},
    )


def _write_place(root: Path, share: int, size: int) -> Path:
    """Write the second place, with some percent of its training patches.

    Smaller shares are parts of larger ones. A share is at least one batch, and a whole number of
    batches. Validation and test patches are the same for each share.

    Args:
        root: the data root to write. It is new or empty, or holds an earlier one, which is
            replaced: patches of another draw must not stay among the new ones.
        share: percent of the training patches.
        size: pixels along a patch's side, see `sample.write_sample`.

    Returns:
        The data root.

    Raises:
        FileError: the folder holds anything else, or cannot be written.
    """
    _check_holds_nothing_else(root)
    source = ensure_sample(size, _LAND_SEED)
    rows = _rows_of_share(load_selection(source), share, SAMPLE_SETTINGS.batch_size)
    busy = FileError(f"{printable(root)} is being written by another process: wait for it")
    with whole_folder(root, busy) as unfinished:
        for row in rows.itertuples():
            _write_patch(unfinished, row, read_patch(source, row))
        write_dataset_toml(unfinished, place_dataset(size))
        shutil.rmtree(root, ignore_errors=True)
    return root


def _check_holds_nothing_else(root: Path) -> None:
    """Refuse a folder with other content than a second place that was written before."""
    if not root.exists() or (root.is_dir() and not any(root.iterdir())):
        return
    try:
        name = dataset_of_root(root).name
    except MultiSenGEError:
        name = None
    if name != TRANSFER_PLACE:
        raise FileError(
            f"{printable(root)} holds something else than the data of the place {TRANSFER_PLACE}, "
            "nothing was written: delete it or move it away, and give the same command again"
        )


def _rows_of_share(selection: pd.DataFrame, share: int, batch_size: int) -> pd.DataFrame:
    """Choose the training patches of a share, a part of the validation patches, all test ones."""
    training = selection[selection["split"] == "train"]
    batches = round(share / 100 * len(training) / batch_size)
    batches = max(1, min(batches, len(training) // batch_size))
    # The order of the draw is the same for all shares, so that the smaller ones are parts of it.
    order = np.random.default_rng(_LAND_SEED).permutation(len(training))
    chosen = training.iloc[np.sort(order[: batches * batch_size])]
    validation = selection[selection["split"] == "validation"].iloc[::_VALIDATION_STEP]
    test = selection[selection["split"] == "test"]
    return pd.concat([chosen, validation, test])


def _half_a_year_later(days: np.ndarray) -> np.ndarray:
    """Move dates by six months; days after the 28th become the 28th, as February has no more.

    Two dates in August and September come up to three days nearer. Nearer than `days_gap` would
    drop the patch from the selection.
    """
    months = days.astype("datetime64[M]")
    days_into_month = (days - months.astype("datetime64[D]")).astype(int)
    return (months + 6).astype("datetime64[D]") + np.minimum(days_into_month, 27)


def _imaged_by_another_instrument(patch: Patch, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Give the images of a patch another calibration, haze, noise and speckle.

    Returns:
        Sentinel-1 and Sentinel-2, `(dates, height, width, bands)`, in the types of the layout.
    """
    # A generator for each patch: it does not matter which others are written.
    tile, x, y = name.split("_")
    rng = np.random.default_rng([_LAND_SEED, list(_TILE_IN_SOUTH).index(tile), int(x), int(y)])
    dates = len(patch.s2)
    haze = _HAZE * rng.normal(1, _HAZE_DEVIATION, (dates, 1, 1, 1))
    reflectance = patch.s2 * _GAIN + haze + rng.normal(0, _NOISE, patch.s2.shape)
    s2 = np.rint(reflectance).clip(1, 12_000).astype(np.uint16)

    speckle = rng.gamma(_LOOKS, 1 / _LOOKS, patch.s1.shape)
    s1 = (patch.s1 * speckle * 10 ** (_RADAR_OFFSET / 10)).astype(np.float32)
    return s1, s2


def _write_patch(root: Path, row: tuple, patch: Patch) -> None:
    """Write the rasters of one patch of the second place, then its label file."""
    tile, x, y = row.patch.split("_")
    name = f"{_TILE_IN_SOUTH[tile]}_{x}_{y}"
    s1, s2 = _imaged_by_another_instrument(patch, row.patch)
    dates = {"s1": _half_a_year_later(row.s1_dates), "s2": _half_a_year_later(row.s2_dates)}

    writing = {"remedy": _NO_ROOM, "sync": False}
    described = {"description": RASTER_DESCRIPTION}
    reference = raster_bytes(name, patch.reference[None], ("class",), nodata=0, **described)
    write_bytes(raster_path(root, "reference", name), reference, **writing)
    for sensor, images, bands in (("s1", s1, S1_BANDS), ("s2", s2, S2_BANDS)):
        for day, image in zip(dates[sensor], images, strict=True):
            content = raster_bytes(name, np.moveaxis(image, -1, 0), bands, **described)
            write_bytes(raster_path(root, sensor, name, day), content, **writing)
    label = label_bytes(name, dates, np.unique(patch.reference))
    write_bytes(root / LABELS / f"{name}.json", label, **writing)


def run_transfer(
    model: Path | str,
    seeds: Sequence[int] = (1, 2, 3),
    updates: int = UPDATES,
    size: int = 64,
    folder: Path | None = None,
    progress: bool = False,
    replace_records: bool = False,
) -> list[Path]:
    """Train at the second place, from scratch and from a network of the sample; write the records.

    An interrupted experiment goes on where it was: finished runs are only evaluated again.

    Args:
        model: the `model.keras` of a network that was trained on the sample, such as that of
            `s1s2_10c`. The same network is trained.
        seeds: seeds of the trainings.
        updates: steps of each training, with whatever share of the patches; as near to it as whole
            passes come.
        size: pixels along a patch's side.
        folder: for the data of the second place; by default `transfer/` in the cache.
        progress: name each training when it begins, and show how it goes.
        replace_records: also replace records of trainings of another length, from another network,
            or on patches of another size.

    Returns:
        The folders of the records: first of the network as it is, before any training there.

    Raises:
        ModelError: the model is no network of the sample.
        RecordError: there are such records, and `replace_records` is False.
        FileError: the folder for the data holds something else, or cannot be written.
    """
    model = Path(model)
    card = _card_of_the_sample(model)
    if updates < _LEAST_EPOCHS:
        raise MultiSenGEError(
            f"{updates} steps: give at least {_LEAST_EPOCHS}, one for each validation"
        )
    if folder is None:
        folder = paths.cache_dir() / "transfer"

    experiment = get_experiment(card.name, place_dataset(size))
    written = []
    for share in TRANSFER_SHARES:
        root = _write_place(folder / f"{TRANSFER_PLACE}-{size}-{share}", share, size)
        if not written:
            # All shares have the same test patches, so any of them will do.
            untouched = evaluate_model(model, root, own_months=True, progress=progress)
            target = evaluation_folder(untouched)
            written.append(write_record(untouched, replace=replace_records, folder=target))
        for seed in seeds:
            settings = _settings(root, seed, updates)
            for ending, start in ((FROM_SCRATCH, None), (FINE_TUNED, model)):
                named = _named(experiment, share, ending)
                if progress:
                    show(f"{named.name}, seed {seed}")
                run = train(
                    named,
                    settings,
                    root,
                    start_from=start,
                    progress=progress,
                    replace_record=replace_records,
                )
                written.append(write_record(run.record, replace=replace_records))
    return written


def _card_of_the_sample(model: Path) -> ModelCard:
    """Read the card of a network; refuse one that was not trained on the sample, or of a file."""
    card = read_model_card(model)
    if card.dataset != SAMPLE.name:
        raise ModelError(
            f"{printable(model)} was trained on {card.dataset}: the second place is compared with "
            "the sample, so give a network that was trained on it"
        )
    if card.network not in NETWORKS:
        raise ModelError(
            f"{printable(model)} is a network of the file {printable(card.network)}, which "
            f"transfer cannot train: give one of {', '.join(NETWORKS)}"
        )
    return card


def _named(experiment: Experiment, share: int, ending: str) -> Experiment:
    """Give an experiment the name and the title of a run of the second place."""
    return replace(
        experiment,
        name=transfer_name(experiment.name, share, ending),
        title=f"{experiment.title}, {share} % of the patches, {ending}",
    )


def _settings(root: Path, seed: int, updates: int) -> Settings:
    """Give the sample's settings, with as many passes as make the number of steps."""
    selection = load_selection(root)
    patches = int((selection["split"] == "train").sum())
    steps_per_pass = patches // SAMPLE_SETTINGS.batch_size
    epochs = max(_LEAST_EPOCHS, round(updates / _STEPS_PER_VALIDATION))
    passes = max(1, round(updates / epochs / steps_per_pass))
    return replace(SAMPLE_SETTINGS, epochs=epochs, passes_per_epoch=passes, seed=seed)
