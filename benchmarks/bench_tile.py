"""A map of a whole Sentinel-2 tile: time, memory, and whether seams show.

Four dates of both sensors over 10,980 x 10,980 pixels, 13 GB of smooth fields with noise, mapped by
a network with weights drawn at random, in a process of its own whose greatest memory the system
tells. A seam would show as steps of the probabilities that are larger between the two pixels at a
window's border than between others. It takes half an hour, so it is measured only when named:
`multisenge bench tile --out book/data/tile.json`.
"""

import resource
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

import numpy as np
import rasterio
from common import STATISTICS, seconds
from rasterio.transform import from_origin
from rasterio.windows import Window

from multisenge_lib.dataset import MULTISENGE, TILE_PIXELS

EXPERIMENT = "s1s2_10c"
DAYS = ("20200707", "20200806", "20200905", "20201104")
#: Pixels from one value of the coarse fields to the next.
STEP = 40
#: Rows that are written or read at once.
ROWS = 180
TRANSFORM = from_origin(600_000, 5_500_020, 10, 10)
#: By sensor, the value of the darkest and of the brightest field, and the strength of the noise.
LEVELS = {"s1": (0.01, 0.3, 0.3), "s2": (300, 4000, 0.05)}


# --- Rasters and a network ---


def smooth_rows(coarse: np.ndarray, start: int, stop: int, side: int) -> np.ndarray:
    """Interpolate rows `start` to `stop` of a smooth field, 0 to 1, `(rows, side)`."""
    y, y_share = np.divmod(np.arange(start, stop) / STEP, 1)
    x, x_share = np.divmod(np.arange(side) / STEP, 1)
    y = y.astype(int)
    x = x.astype(int)
    y_share = y_share[:, None]
    rows = coarse[y] * (1 - y_share) + coarse[y + 1] * y_share
    return rows[:, x] * (1 - x_share) + rows[:, x + 1] * x_share


def write_raster(path: Path, sensor: str, coarse: np.ndarray, side: int) -> Path:
    """Write the image of a sensor, a few rows at a time."""
    bands = MULTISENGE.bands[sensor]
    darkest, brightest, noise = LEVELS[sensor]
    slope = np.linspace(1, 0.3, len(bands))[:, None, None]  # VH is below VV
    profile = {
        "count": len(bands),
        "height": side,
        "width": side,
        "crs": "EPSG:32631",
        "dtype": "float32" if sensor == "s1" else "uint16",
        "transform": TRANSFORM,
    }
    rng = np.random.Generator(np.random.PCG64(2))
    with rasterio.open(path, "w", "GTiff", **profile) as target:
        target.descriptions = bands
        for start in range(0, side, ROWS):
            stop = min(start + ROWS, side)
            field = smooth_rows(coarse, start, stop, side)
            ground = darkest + (brightest - darkest) * field
            speckle = np.exp(noise * rng.standard_normal((len(bands), *ground.shape)))
            values = (slope * ground * speckle).astype(profile["dtype"])
            target.write(values, window=Window(0, start, side, stop - start))
    return path


def write_tile(folder: Path, side: int) -> dict[str, list[Path]]:
    """Write a raster per date and sensor, all of the same ground."""
    points = side // STEP + 2
    coarse = np.random.Generator(np.random.PCG64(1)).random((points, points))
    rasters = {}
    for sensor in MULTISENGE.bands:
        rasters[sensor] = []
        for day in DAYS:
            path = folder / f"{sensor}_{day}.tif"
            rasters[sensor].append(write_raster(path, sensor, coarse, side))
    return rasters


def save_network(folder: Path) -> Path:
    """Write a network with random weights."""
    import keras

    from multisenge_lib.dataset import TYPOLOGIES
    from multisenge_lib.models import build_model, get_experiment, model_card, save_model

    keras.utils.set_random_seed(1)
    experiment = get_experiment(EXPERIMENT)
    model = build_model(experiment, 256, STATISTICS)
    card = model_card(experiment, TYPOLOGIES[experiment.classification], 256, "none")
    return save_model(model, card, folder / "model.keras")


# --- Seams ---


def mean_steps(path: Path, axis: int) -> np.ndarray:
    """Return the mean absolute step of the probabilities from each pixel to the next.

    Args:
        path: of the raster of probabilities.
        axis: 1 from column to column, 0 from row to row.

    Returns:
        `(side - 1,)`, the mean over all pixels along the other axis and over the classes.
    """
    total = 0
    count = 0
    with rasterio.open(path) as source:
        side = source.height
        for start in range(0, side, ROWS):
            length = min(ROWS, side - start)
            if axis == 1:
                window = Window(0, start, source.width, length)
            else:
                window = Window(start, 0, length, source.height)
            values = source.read(window=window).astype(np.int16)  # (classes, rows, columns)
            steps = np.abs(np.diff(values, axis=1 + axis)) * source.scales[0]
            other_axis = 2 - axis
            total = total + steps.sum(axis=(0, other_axis))
            count += values.shape[0] * values.shape[other_axis]
    return total / count


def compare_borders(path: Path, starts: list[int], side: int) -> dict[str, float]:
    """Return the mean step across the edges of windows, and elsewhere.

    Args:
        path: of the raster of probabilities.
        starts: first pixel of each window, along either axis.
        side: of a window.
    """
    steps = np.stack([mean_steps(path, 0), mean_steps(path, 1)])
    is_border = np.zeros(steps.shape[1], bool)
    for start in starts:
        for edge in (start - 1, start + side - 1):
            if 0 <= edge < len(is_border):
                is_border[edge] = True
    return {
        "at_borders": float(steps[:, is_border].mean()),
        "elsewhere": float(steps[:, ~is_border].mean()),
    }


def predict_command(folder: Path, side: int) -> list[str]:
    """Write rasters and a network, and return the command that maps them."""
    rasters = write_tile(folder, side)
    model = save_network(folder)
    command = [sys.executable, "-m", "multisenge_lib", "predict", str(model)]
    for sensor, paths in rasters.items():
        command.append(f"--{sensor}")
        command += [str(path) for path in paths]
    return [*command, "--out", str(folder / "map.tif"), "--probabilities"]


def measure(quick: bool, rounds: int) -> dict:
    """Map the tile once."""
    from multisenge_lib.maps.windows import WINDOW, Windows

    side = 5 * WINDOW // 2 if quick else TILE_PIXELS
    starts = Windows((side, side)).starts(0)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        command = predict_command(folder, side)
        seconds_taken = seconds(partial(subprocess.run, command, check=True))
        borders = compare_borders(folder / "map_probabilities.tif", starts, WINDOW)
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    tile = {
        "experiment": EXPERIMENT,
        "pixels": side,
        "windows": len(starts) ** 2,
        "seconds": seconds_taken,
        **borders,
        "memory": memory,
    }
    print(f"{side} x {side} pixels: {tile}")
    return {"tile": tile}
