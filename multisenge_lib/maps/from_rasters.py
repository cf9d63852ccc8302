"""Map rasters of any size: one raster for each month and sensor, all on one grid."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import keras
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
    choose_window,
    predict_row,
)
from multisenge_lib.models import days_input, load_model


def predict_rasters(
    model: Path | str,
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

    Memory depends on the width of the rasters and not on their height. A run that was interrupted
    goes on where it was, and gives the same bytes.

    Args:
        model: a `model.keras` that this library saved.
        rasters: for each sensor that the network takes, one raster a month, in its order.
        out: the GeoTIFF of class ids. See `map_files` for what lies beside it.
        window: pixels along the side of the windows, a multiple of 32.
        overlap: pixels that two windows share. By default a quarter of the window.
        layers: further layers to write, of `probabilities` and `entropy`.
        band_order: of Sentinel-2 rasters that do not name their bands.
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
    model = Path(model)
    out = Path(out)
    trained, card = load_model(model, network)
    stack = open_stack(
        rasters, card.bands, card.months, band_order, any_month, s1_per_month=card.s1_per_month
    )
    trained, windows = choose_window(trained, stack.shape, window, overlap)
    identity = map_identity(
        model,
        rasters=stack.stamps,
        bands=stack.band_numbers,
        windows=windows,
    )
    target = MapFiles(
        path=out,
        grid=stack.grid,
        legend=card.legend,
        identity=identity,
        extra_layers=tuple(layers),
        description=map_description(card),
    )
    _check_not_an_input(target, stack)
    return write_map(
        target, partial(_predict_parts, trained, stack, windows, out.name, progress), overwrite
    )


def _check_not_an_input(target: MapFiles, stack: RasterStack) -> None:
    """Refuse to write a map over one of the rasters that it is made of."""
    inputs = set()
    for paths in stack.paths.values():
        inputs.update(path.resolve() for path in paths)
    for place in target.layers.values():
        if place.resolve() in inputs:
            raise FileError(
                f"{printable(place)} is one of the rasters: choose another name for the map"
            )


def _predict_parts(
    network: keras.Model,
    stack: RasterStack,
    windows: Windows,
    name: str,
    progress: bool,
    done: int,
) -> Iterator[MapPart]:
    """Predict the strips of a map from north to south, leaving out the first `done`."""
    starts = windows.starts(0)
    # The first strip that is missing is covered by windows of the strips before it as well.
    first = max(0, done - ROWS_THAT_REACH)
    inputs = {tensor.name for tensor in network.inputs}
    days = {
        sensor: of_images
        for sensor, of_images in stack.days.items()
        if days_input(sensor) in inputs
    }
    window_rows = (
        predict_row(network, stack.read, windows, start, days) for start in starts[first:]
    )
    strips = blend(window_rows, windows, starts[first:])
    bar = tqdm(
        strips, printable(name), len(starts), initial=first, disable=None if progress else True
    )
    for number, strip in enumerate(bar, first):
        if number >= done:
            yield MapPart(strip.start, 0, strip.probabilities, strip.valid)
