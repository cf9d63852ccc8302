"""Map the patches of a data root: one mosaic for each Sentinel-2 tile."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
from rasterio.crs import CRS
from rasterio.transform import from_origin
from tqdm import tqdm

from multisenge_lib.dataset import (
    PIXEL,
    BandOrder,
    Patch,
    check_projections,
    months_in_words,
    patch_bounds,
    raster_path,
    read_patch,
    tile_corner,
    valid_mask,
)
from multisenge_lib.errors import ModelError, PatchError, printable
from multisenge_lib.maps.map_files import (
    MapFiles,
    MapPart,
    check_places,
    map_description,
    map_identity,
    raster_stamp,
    write_map,
)
from multisenge_lib.maps.patches import check_bands, patch_inputs, patches_to_map
from multisenge_lib.models import (
    ModelCard,
    days_input,
    load_model,
    predict,
    with_input_size,
)
from multisenge_lib.progress_bars import hide_bar


def predict_root(
    model_path: Path | str,
    root: Path | str,
    folder: Path | str,
    *,
    tiles: Sequence[str] | None = None,
    split: str | None = None,
    months: Sequence[int] | None = None,
    layers: Sequence[str] = (),
    band_order: BandOrder = "spectral",
    overwrite: bool = False,
    progress: bool = False,
    network: str | None = None,
) -> list[Path]:
    """Map the patches of a data root: `folder/{tile}.tif` for each tile.

    Each patch is predicted whole, as it is in training and evaluation. Patches share no pixel and
    have dates of their own, so nothing is blended between them. No map is drawn unless all may lie
    at their places.

    Args:
        model_path: a `model.keras` that this library saved.
        root: the data root.
        folder: where the maps go.
        tiles: which to map. By default all that have patches with full series.
        split: map the patches of this split alone. By default all, whatever their split.
        months: the months of the series, as many as the network takes; by default those of its
            training.
        layers: further layers to write, of `probabilities` and `entropy`.
        band_order: the order of the bands in Sentinel-2 rasters that do not name them.
        overwrite: replace maps of other data or settings, and files of yours beside them.
        progress: show a bar where there is a terminal.
        network: the file of a network of your own, see `models.load_model`.

    Returns:
        The paths of the maps.

    Raises:
        ModelError: the file is no network with a description, the root has other sensors or bands
            than it, the months are more or fewer than it takes, or there is nothing to map.
        SelectionError: a sensor's folder is missing, or holds a raster whose name is not of the
            layout.
        PatchError: a raster cannot be read.
        ExperimentError: there is no such layer.
        FileError: a map cannot be written, or something else lies at its place.
    """
    check_projections()
    model_path = Path(model_path)
    root = Path(root)
    folder = Path(folder)
    model, card = load_model(model_path, network)
    check_bands(root, card)
    tile_maps = _find_tile_maps(
        model_path, model, card, root, folder, tiles, split, months, layers, band_order
    )
    for tile_map in tile_maps:
        check_places(tile_map.target, overwrite)
    maps = []
    for tile_map in tile_maps:
        # A network with peepholes takes patches of its own size only, and says so here.
        if model.output_shape[1] != tile_map.size:
            model = with_input_size(model, tile_map.size)
        parts = partial(_predict_parts, model, root, tile_map.patches, card, band_order, progress)
        maps.append(write_map(tile_map.target, parts, overwrite))
    return maps


def check_places_of_maps(
    model_path: Path | str,
    root: Path | str,
    folder: Path | str,
    *,
    split: str | None = None,
    months: Sequence[int] | None = None,
    band_order: BandOrder = "spectral",
    overwrite: bool = False,
    network: str | None = None,
) -> None:
    """Check before other work that `predict_root` may put its maps at their places.

    Arguments and other errors are as in `predict_root`.

    Raises:
        FileError: something else lies at the place of a map.
    """
    model, card = load_model(Path(model_path), network)
    tile_maps = _find_tile_maps(
        Path(model_path),
        model,
        card,
        Path(root),
        Path(folder),
        tiles=None,
        split=split,
        months=months,
        layers=(),
        band_order=band_order,
    )
    for tile_map in tile_maps:
        check_places(tile_map.target, overwrite)


@dataclass(frozen=True)
class _TileMap:
    """The map of one tile.

    Attributes:
        patches: rows of the selection.
        size: pixels along the side of a patch.
        target: its files.
    """

    patches: pd.DataFrame
    size: int
    target: MapFiles


def _find_tile_maps(
    model_path: Path,
    model: keras.Model,
    card: ModelCard,
    root: Path,
    folder: Path,
    tiles: Sequence[str] | None,
    split: str | None,
    months: Sequence[int] | None,
    layers: Sequence[str],
    band_order: BandOrder,
) -> list[_TileMap]:
    """Find which maps a data root gives; arguments and errors as in `predict_root`."""
    months = tuple(months or card.months)
    if len(months) != len(card.months):
        raise ModelError(
            f"{months_in_words(months)}: the network {printable(card.name)} takes a series of "
            f"{len(card.months)} months, so name as many"
        )
    selection = patches_to_map(
        root, months, card.sensors, card.s1_per_month, by_split=split is not None
    )
    if split is not None:
        selection = selection[selection["split"] == split]
    tile_maps = []
    for tile in _tiles_to_map(root, selection, tiles):
        patches = selection[selection["tile"] == tile]
        size = _patch_size(root, patches, card, band_order)
        inputs = {"rasters": _stamps(root, patches, card.sensors), "band_order": band_order}
        if _takes_days(model, card):  # a raster may be a link of another date than what it leads to
            inputs["dates"] = _dates(patches, card.sensors)
        target = MapFiles(
            path=folder / f"{tile}.tif",
            grid=_mosaic_grid(patches, size),
            legend=card.legend,
            identity=map_identity(model_path, **inputs),
            extra_layers=tuple(layers),
            description=map_description(card),
        )
        tile_maps.append(_TileMap(patches, size, target))
    return tile_maps


def _tiles_to_map(root: Path, selection: pd.DataFrame, tiles: Sequence[str] | None) -> list[str]:
    """The tiles asked for, or all; a ModelError where one has no patch with full series."""
    available = sorted(selection["tile"].unique())
    wanted = list(tiles or available)
    if not wanted or not set(wanted) <= set(available):
        raise ModelError(
            f"{printable(root)} has patches with full series on the tiles "
            f"{', '.join(available) or 'none'}; asked for {', '.join(tiles or ['all'])}: choose "
            "among these, or fetch the rasters of the others"
        )
    return wanted


def _series_of(patch: Patch, card: ModelCard) -> dict[str, np.ndarray]:
    return {sensor: getattr(patch, sensor) for sensor in card.sensors}


def _patch_size(root: Path, patches: pd.DataFrame, card: ModelCard, band_order: BandOrder) -> int:
    """Pixels along the side of the first patch; all patches of a root are of one size."""
    first = next(patches.itertuples())
    series = _series_of(read_patch(root, first, card.sensors, band_order, reference=False), card)
    return series[card.sensors[0]].shape[1]


def _check_size(patch: str, series: Mapping[str, np.ndarray], size: int) -> None:
    """Refuse a patch of another size than the first one of its tile."""
    for sensor, array in series.items():
        height, width = array.shape[1:3]
        if (height, width) != (size, size):
            raise PatchError(
                f"{patch}: {sensor} has {height} x {width} pixels, the first patch of its tile has "
                f"{size} x {size}: the patches of a data root are of one size"
            )


def _mosaic_grid(patches: pd.DataFrame, size: int) -> dict[str, Any]:
    """The smallest grid that holds the patches of one tile, as rasterio names it."""
    tile = patches["tile"].iloc[0]
    x = patches["x"]
    y = patches["y"]
    west, _, _, north = patch_bounds(tile, x.min(), y.min(), size)
    epsg = tile_corner(tile)[2]
    return {
        "height": int(y.max() - y.min()) + size,
        "width": int(x.max() - x.min()) + size,
        "crs": CRS.from_epsg(epsg),
        "transform": from_origin(west, north, PIXEL, PIXEL),
    }


def _stamps(
    root: Path, patches: pd.DataFrame, sensors: Sequence[str]
) -> list[tuple[str, int, int]]:
    """Path, bytes and time of change of every raster that is read."""
    stamps = []
    for row in patches.itertuples():
        for sensor in sensors:
            for day in getattr(row, f"{sensor}_dates"):
                stamps.append(raster_stamp(raster_path(root, sensor, row.patch, day)))
    return stamps


def _takes_days(model: keras.Model, card: ModelCard) -> bool:
    inputs = {tensor.name for tensor in model.inputs}
    return any(days_input(sensor) in inputs for sensor in card.sensors)


def _dates(patches: pd.DataFrame, sensors: Sequence[str]) -> list[str]:
    """The date of every raster that is read, in the order of `_stamps`."""
    dates = []
    for row in patches.itertuples():
        for sensor in sensors:
            dates += [str(day) for day in getattr(row, f"{sensor}_dates")]
    return dates


def _predict_parts(
    network: keras.Model,
    root: Path,
    patches: pd.DataFrame,
    card: ModelCard,
    band_order: BandOrder,
    progress: bool,
    done: int,
) -> Iterator[MapPart]:
    """Predict the patches of one tile, leaving out the first `done`."""
    tile = patches["tile"].iloc[0]
    west = patches["x"].min()
    north = patches["y"].min()
    missing = patches.iloc[done:].itertuples()
    bar = tqdm(missing, tile, len(patches), initial=done, disable=hide_bar(progress))
    for row in bar:
        patch = read_patch(root, row, card.sensors, band_order, reference=False)
        series = _series_of(patch, card)
        _check_size(row.patch, series, network.output_shape[1])
        probabilities = predict(network, patch_inputs(network, card, row, patch))[0]
        yield MapPart(int(row.y - north), int(row.x - west), probabilities, valid_mask(series))
