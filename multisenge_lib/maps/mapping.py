"""From a network to a map: of arrays, of rasters of any size, or of a data root, tile by tile."""

import hashlib
import json
import multiprocessing
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
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
    NO_DATA,
    PIXEL,
    BandOrder,
    dataset_of_root,
    load_to_map,
    patch_bounds,
    raster_path,
    read_patch,
    tile_corner,
    valid_mask,
    zero_invalid,
)
from multisenge_lib.errors import ExperimentError, ModelError
from multisenge_lib.maps.geotiff import MapWriter, open_map
from multisenge_lib.maps.stack import Stack, open_stack
from multisenge_lib.maps.windows import (
    WINDOW,
    WindowRow,
    Windows,
    blend,
    choose_window,
    predict_row,
)
from multisenge_lib.models import ModelCard, load_model, predict, with_input_size


def _check_series(model: keras.Model, arrays: Mapping[str, np.ndarray]) -> tuple[int, int]:
    """Rows and columns of series that the network takes."""
    for tensor in model.inputs:
        _, dates, _, _, bands = tensor.shape
        received = arrays[tensor.name].shape if tensor.name in arrays else ()
        if len(received) != 4 or (received[0], received[3]) != (dates, bands):
            raise ExperimentError(
                f"{tensor.name}: the network takes (dates, height, width, bands) with {dates} "
                f"dates and {bands} bands, received {received or 'nothing'}"
            )
    shapes = {array.shape[1:3] for array in arrays.values()}
    if len(shapes) > 1:
        raise ExperimentError(f"the sensors differ in height and width: {sorted(shapes)}")
    return shapes.pop()


def predict_map(
    model: keras.Model, series: Mapping[str, Any], window: int = WINDOW, overlap: int | None = None
) -> tuple[Any, Any]:
    """Map an area in memory.

    Args:
        model: of `build_model` or `load_model`.
        series: by sensor `(dates, height, width, bands)`, in the units of the rasters (linear
            intensity, reflectance x 10,000), 0 or NaN where there is no data, which a negative or
            infinite reflectance is too; NumPy or xarray.
        window: pixels along the side of the windows, a multiple of 32.
        overlap: pixels that two windows share; a quarter of the window if not given.

    Returns:
        `(height, width) uint8`, class ids from 1, 0 where a date has no data; and
        `(height, width, classes) float32`, their probabilities. As xarray, with the coordinates of
        the input, where the input is.

    Raises:
        ExperimentError: sensors, dates or bands are not those of the network, or the window is of
            no size that it takes.
        PatchError: Sentinel-1 is negative or infinite, no linear intensity.

    Examples:
        >>> import numpy as np
        >>> import multisenge_lib as ms
        >>> model = ms.build_model("s2_6c", size=32)  # not trained: the map means nothing
        >>> series = {"s2": np.full((4, 40, 50, 10), 1000.0)}
        >>> ids, probabilities = ms.predict_map(model, series, window=32)
        >>> ids.shape
        (40, 50)
        >>> probabilities.shape
        (40, 50, 6)
    """
    arrays = {sensor: zero_invalid(np.asarray(a), sensor, sensor) for sensor, a in series.items()}
    shape, valid = _check_series(model, arrays), valid_mask(arrays)
    model, windows = choose_window(model, shape, window, overlap)

    def read(start: int, stop: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
        return {s: array[:, start:stop] for s, array in arrays.items()}, valid[start:stop]

    starts = windows.starts(0)
    strips = (predict_row(model, read, windows, start) for start in starts)
    probabilities = np.concatenate([part for _, part, _ in blend(strips, windows, starts)])
    ids = np.where(valid, probabilities.argmax(axis=-1) + 1, NO_DATA).astype(np.uint8)
    like = next(iter(series.values()))
    return _like(like, ids), _like(like, probabilities)


def _like(source: Any, values: np.ndarray) -> Any:
    """Values with the ground coordinates of an xarray source; as they are for any other."""
    if not hasattr(source, "dims"):
        return values
    import xarray

    ground = source.dims[1:3]
    coords = {name: c for name, c in source.coords.items() if set(c.dims) <= set(ground)}
    return xarray.DataArray(values, coords, [*ground, "class"][: values.ndim])


def _identity(model: Path, **settings: Any) -> str:
    """What two runs must have equal to be one: the network's bytes, rasters and settings."""
    digest = hashlib.sha256(model.read_bytes())
    digest.update(json.dumps(settings, sort_keys=True, default=str).encode())
    return digest.hexdigest()[:16]


#: In a worker: predicts the row of windows that begins at a row.
_worker: Callable[[int], WindowRow]


def _start_worker(model: Path, stack: Stack, windows: Windows) -> None:
    global _worker
    network, _ = choose_window(load_model(model)[0], windows.shape, windows.side, windows.overlap)
    _worker = partial(predict_row, network, stack.read, windows)


def _work(start: int) -> WindowRow:
    return _worker(start)


@contextmanager
def _strips(
    model: Path,
    network: keras.Model,
    stack: Stack,
    windows: Windows,
    starts: Sequence[int],
    workers: int,
) -> Iterator[Iterator[WindowRow]]:
    """Rows of windows in order, predicted here or by worker processes, which load the network."""
    if workers == 1:
        yield map(partial(predict_row, network, stack.read, windows), starts)
        return
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, context, _start_worker, (model, stack, windows))
    try:
        yield pool.map(_work, starts)
    except BrokenProcessPool:
        raise ModelError(
            f"a worker of {workers} ended, perhaps for lack of memory: give fewer workers; what "
            "is done is kept"
        ) from None
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def predict_rasters(
    model: Path | str,
    rasters: Mapping[str, Sequence[Path | str]],
    out: Path | str,
    *,
    window: int = WINDOW,
    overlap: int | None = None,
    layers: Sequence[str] = (),
    workers: int = 1,
    band_order: BandOrder = "spectral",
    any_month: bool = False,
    progress: bool = False,
) -> Path:
    """Map rasters of any size, one a month and sensor on one grid.

    Memory depends on their width alone. Interrupted, it goes on where it was, to the same bytes;
    any number of workers gives the same bytes on one machine.

    Args:
        model: a `model.keras` of this library.
        rasters: of each sensor that the network takes, in the order of its months.
        out: the GeoTIFF of class ids; see `open_map` for what lies beside it.
        window: pixels along the side of the windows, a multiple of 32.
        overlap: pixels that two windows share; a quarter of the window if not given.
        layers: of `probabilities` and `entropy`, which to write besides.
        workers: processes that predict; each holds the network and a row of windows.
        band_order: of Sentinel-2 rasters that do not name their bands.
        any_month: take rasters whose names say another month than the network's.
        progress: show a bar where there is a terminal.

    Returns:
        The map's path.

    Raises:
        ModelError: the file is no network with a description.
        PatchError: a raster cannot be read, or contradicts the description.
        ExperimentError: a window or overlap that cannot be.
        FileError: the map cannot be written, or something else is there.
    """
    path, out = Path(model), Path(out)
    if workers < 1:
        raise ExperimentError(f"{workers} workers: give 1 or more")
    network, description = load_model(path)
    stack = open_stack(rasters, description.bands, description.months, band_order, any_month)
    network, windows = choose_window(network, stack.shape, window, overlap)
    identity = _identity(path, rasters=stack.identity, bands=stack.positions, windows=windows)
    with open_map(out, stack.ground, description.legend, identity, layers) as target:
        if target is None:
            return out
        starts = windows.starts(0)
        done = target.done
        again = max(0, done - 2)  # rows of windows that reach into what is still to be written
        left = starts[again:]
        with _strips(path, network, stack, windows, left, workers) as strips:
            parts = tqdm(
                blend(strips, windows, left),
                out.name,
                len(left),
                disable=None if progress else True,
            )
            for number, (row, probabilities, valid) in enumerate(parts, again + 1):
                if number > done:
                    target.write(row, 0, probabilities, valid, number)
    return out


def _check_bands(root: Path, description: ModelCard) -> None:
    """Refuse a root whose rasters are not what the network takes."""
    there = dataset_of_root(root).bands
    for sensor, wanted in description.bands.items():
        if there.get(sensor) != wanted:
            raise ModelError(
                f"{root}: {sensor} has {', '.join(there.get(sensor, ())) or 'no bands'}, the "
                f"network {description.name} takes {', '.join(wanted)}: map it with a network "
                "that was trained on such a root"
            )


def _mosaic(patches: pd.DataFrame, size: int) -> dict[str, Any]:
    """The smallest grid that holds patches of one tile, as rasterio names it."""
    tile, x, y = patches["tile"].iloc[0], patches["x"], patches["y"]
    west, _, _, north = patch_bounds(tile, x.min(), y.min(), size)
    return {
        "height": int(y.max() - y.min()) + size,
        "width": int(x.max() - x.min()) + size,
        "crs": CRS.from_epsg(tile_corner(tile)[2]),
        "transform": from_origin(west, north, PIXEL, PIXEL),
    }


def _stamps(root: Path, patches: pd.DataFrame, sensors: Sequence[str]) -> list[tuple[str, int]]:
    """Name and time of change of every raster that is read."""
    paths = [
        raster_path(root, sensor, row.patch, day)
        for row in patches.itertuples()
        for sensor in sensors
        for day in getattr(row, f"{sensor}_dates")
    ]
    return [(path.name, path.stat().st_mtime_ns) for path in paths]


def _write_patches(
    target: MapWriter,
    network: keras.Model,
    read: Callable[[Any], dict[str, np.ndarray]],
    patches: pd.DataFrame,
    bar: tqdm,
) -> None:
    west, north = patches["x"].min(), patches["y"].min()
    for number, row in enumerate(patches.itertuples(), 1):
        if number > target.done:
            series = read(row)
            batch = {s: array[None].astype(np.float32) for s, array in series.items()}
            probabilities, at = predict(network, batch)[0], (int(row.y - north), int(row.x - west))
            target.write(*at, probabilities, valid_mask(series), number)
        bar.update()


def predict_root(
    model: Path | str,
    root: Path | str,
    folder: Path | str,
    *,
    tiles: Sequence[str] | None = None,
    layers: Sequence[str] = (),
    band_order: BandOrder = "spectral",
    progress: bool = False,
) -> list[Path]:
    """Map the patches of a data root, whatever their split: a mosaic a tile, `folder/{tile}.tif`.

    Each patch is predicted whole, as it is in training and evaluation. Patches share no pixel and
    have dates of their own, so nothing is blended between them.

    Args:
        model: a `model.keras` of this library.
        root: the data root.
        folder: where the maps go.
        tiles: which to map; None for all that have patches with full series.
        layers: see `predict_rasters`, as for the others.
        band_order: of Sentinel-2 rasters that do not name their bands.
        progress: show a bar where there is a terminal.

    Returns:
        The maps' paths.

    Raises:
        ModelError: the file is no network with a description, the root has other sensors or bands
            than it, or there is nothing to map.
        PatchError: a raster cannot be read.
        FileError: a map cannot be written, or something else is there.
    """
    path, root, folder = Path(model), Path(root), Path(folder)
    network, description = load_model(path)
    _check_bands(root, description)
    selection = load_to_map(root, description.months, description.sensors)
    found = sorted(selection["tile"].unique())
    if not found or not set(tiles or found) <= set(found):
        raise ModelError(
            f"{root} has patches with full series on the tiles {', '.join(found) or 'none'}; "
            f"asked for {', '.join(tiles or ['all'])}"
        )

    def read(row: Any) -> dict[str, np.ndarray]:
        patch = read_patch(root, row, description.sensors, band_order, reference=False)
        return {sensor: getattr(patch, sensor) for sensor in description.sensors}

    maps = []
    for tile in tiles or found:
        patches = selection[selection["tile"] == tile]
        size = read(next(patches.itertuples()))[description.sensors[0]].shape[1]
        stamps = _stamps(root, patches, description.sensors)
        identity = _identity(path, rasters=stamps, order=band_order)
        maps.append(folder / f"{tile}.tif")
        bar = tqdm(total=len(patches), desc=tile, disable=None if progress else True)
        ground = _mosaic(patches, size)
        with open_map(maps[-1], ground, description.legend, identity, layers) as target, bar:
            if target is not None:
                network = (
                    network if network.output_shape[1] == size else with_input_size(network, size)
                )
                _write_patches(target, network, read, patches, bar)
    return maps
