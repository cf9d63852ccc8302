"""Map rasters of any size: one raster for each month and sensor, all on one grid."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import keras
import numpy as np
from tqdm import tqdm

from multisenge_lib.dataset import BandOrder, check_projections
from multisenge_lib.errors import FileError, printable
from multisenge_lib.maps.map_files import (
    MapFiles,
    MapPart,
    map_description,
    map_identity,
    write_map,
)
from multisenge_lib.maps.stack import RasterStack, open_stack
from multisenge_lib.maps.windows import (
    ROWS_THAT_REACH,
    WINDOW,
    Windows,
    blend,
    fit_network_to_windows,
    predict_row,
)
from multisenge_lib.models import days_input, load_model
from multisenge_lib.progress_bars import hide_bar


def predict_rasters(
    model_path: Path | str,
    rasters: Mapping[str, Sequence[Path | str]],
    out: Path | str,
    *,
    window: int = WINDOW,
    overlap: int | None = None,
    layers: Sequence[str] = (),
    band_order: BandOrder = "spectral",
    any_month: bool = False,
    overwrite: bool = False,
    progress: bool = False,
    network: str | None = None,
) -> Path:
    """Map rasters of any size with a saved network.

    Memory depends on the width of the rasters and not on their height. An interrupted run resumes
    and gives an identical file.

    Args:
        model_path: a `model.keras` that this library saved.
        rasters: for each sensor that the network takes, its rasters in the order of the network's
            months: one of each month, of Sentinel-1 as many as the card's `s1_per_month`.
        out: the GeoTIFF of class ids. See `map_files` for what lies beside it.
        window: pixels along the side of the windows, a multiple of 32.
        overlap: pixels that two windows share. By default a quarter of the window.
        layers: further layers to write, of `probabilities` and `entropy`.
        band_order: the order of the bands in Sentinel-2 rasters that do not name them.
        any_month: take rasters whose names say another month than the network's.
        overwrite: replace a map of other data or settings, and files of yours beside it.
        progress: show a bar where there is a terminal.
        network: the file of a network of your own, see `models.load_model`.

    Returns:
        The path of the map.

    Raises:
        ModelError: the file is no network with a description.
        PatchError: a raster cannot be read, or contradicts the description.
        ExperimentError: there is no such window, overlap or layer.
        FileError: the map cannot be written, or something else lies at its place.
    """
    check_projections()
    model_path = Path(model_path)
    out = Path(out)
    model, card = load_model(model_path, network)
    stack = open_stack(
        rasters, card.bands, card.months, band_order, any_month, s1_per_month=card.s1_per_month
    )
    model, windows = fit_network_to_windows(model, stack.shape, window, overlap)
    days = _days_taken(model, stack)
    inputs = {"rasters": stack.stamps, "bands": stack.band_indexes, "windows": windows}
    if days:  # they follow from the names of links, and the stamps from what these lead to
        inputs["days"] = {sensor: of_images.tolist() for sensor, of_images in days.items()}
    target = MapFiles(
        path=out,
        grid=stack.grid,
        legend=card.legend,
        identity=map_identity(model_path, **inputs),
        extra_layers=tuple(layers),
        description=map_description(card),
    )
    _check_not_an_input(target, stack)
    return write_map(
        target, partial(_predict_parts, model, stack, days, windows, out.name, progress), overwrite
    )


def _days_taken(model: keras.Model, stack: RasterStack) -> dict[str, np.ndarray]:
    """The days of the year of each sensor's rasters, for the sensors whose days a network takes."""
    inputs = {tensor.name for tensor in model.inputs}
    days = {}
    for sensor, of_images in stack.days.items():
        if days_input(sensor) in inputs:
            days[sensor] = of_images
    return days


def _check_not_an_input(target: MapFiles, stack: RasterStack) -> None:
    """Refuse to write a map over one of the rasters that it is made of."""
    inputs = set()
    for paths in stack.paths.values():
        inputs.update(path.resolve() for path in paths)
    for path in target.layers.values():
        if path.resolve() in inputs:
            raise FileError(
                f"{printable(path)} is one of the rasters: choose another name for the map"
            )


def _predict_parts(
    model: keras.Model,
    stack: RasterStack,
    days: Mapping[str, np.ndarray],
    windows: Windows,
    name: str,
    progress: bool,
    done: int,
) -> Iterator[MapPart]:
    """Predict the strips of a map from north to south, leaving out the first `done`."""
    starts = windows.starts(0)
    # Windows of the ROWS_THAT_REACH rows before overlap the first missing strip.
    first = max(0, done - ROWS_THAT_REACH)
    window_rows = (predict_row(model, stack.read, windows, start, days) for start in starts[first:])
    strips = blend(window_rows, windows, starts[first:])
    bar = tqdm(strips, printable(name), len(starts), initial=first, disable=hide_bar(progress))
    for number, strip in enumerate(bar, first):
        if number >= done:
            yield MapPart(strip.start, 0, strip.probabilities, strip.valid)
