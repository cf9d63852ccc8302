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
import time
from pathlib import Path

import numpy as np
import rasterio
from rasterio.transform import from_origin
from rasterio.windows import Window

from multisenge_lib.dataset import MULTISENGE, TILE_PIXELS

EXPERIMENT = "s1s2_10c"
DAYS = ("20200707", "20200806", "20200905", "20201104")
#: Pixels from one value of the coarse fields to the next, and rows written at once.
STEP, ROWS = 40, 180
PLACE = from_origin(600_000, 5_500_020, 10, 10)
#: What a pixel holds, darkest and brightest field, and noise, by sensor.
LEVELS = {"s1": (0.01, 0.3, 0.3), "s2": (300, 4000, 0.05)}


def field(coarse: np.ndarray, start: int, stop: int, side: int) -> np.ndarray:
    """Rows of a smooth field, 0 to 1, `(rows, side)`."""
    (y, fy), (x, fx) = (np.divmod(np.arange(a, b) / STEP, 1) for a, b in ((start, stop), (0, side)))
    rows = coarse[y.astype(int)] * (1 - fy[:, None]) + coarse[y.astype(int) + 1] * fy[:, None]
    return rows[:, x.astype(int)] * (1 - fx) + rows[:, x.astype(int) + 1] * fx


def write_raster(path: Path, sensor: str, coarse: np.ndarray, side: int) -> Path:
    bands, (low, high, noise) = MULTISENGE.bands[sensor], LEVELS[sensor]
    slope = np.linspace(1, 0.3, len(bands))[:, None, None]  # VH is under VV
    profile = {"count": len(bands), "height": side, "width": side, "crs": "EPSG:32631"}
    profile |= {"dtype": "float32" if sensor == "s1" else "uint16", "transform": PLACE}
    rng = np.random.Generator(np.random.PCG64(2))
    with rasterio.open(path, "w", "GTiff", **profile) as target:
        target.descriptions = bands
        for start in range(0, side, ROWS):
            stop = min(start + ROWS, side)
            ground = low + (high - low) * field(coarse, start, stop, side)
            light = np.exp(noise * rng.standard_normal((len(bands), *ground.shape)))
            values = (slope * ground * light).astype(profile["dtype"])
            target.write(values, window=Window(0, start, side, stop - start))
    return path


def write_tile(folder: Path, side: int) -> dict[str, list[Path]]:
    """A raster a date and sensor, of the same ground."""
    coarse = np.random.Generator(np.random.PCG64(1)).random((side // STEP + 2, side // STEP + 2))
    return {
        sensor: [write_raster(folder / f"{sensor}_{d}.tif", sensor, coarse, side) for d in DAYS]
        for sensor in MULTISENGE.bands
    }


def save_network(folder: Path) -> Path:
    import keras

    from multisenge_lib.dataset import TYPOLOGIES
    from multisenge_lib.models import build_model, get_experiment, model_card, save_model

    keras.utils.set_random_seed(1)
    experiment = get_experiment(EXPERIMENT)
    statistics = {"s1": ([-10.0] * 2, [5.0] * 2), "s2": ([1500.0] * 10, [900.0] * 10)}
    model = build_model(experiment, 256, statistics)
    card = model_card(experiment, TYPOLOGIES[experiment.classification], 256, "none")
    return save_model(model, card, folder / "model.keras")


def steps(path: Path, axis: int) -> np.ndarray:
    """Mean absolute step of the probabilities between neighbours, by column (axis 1) or row (0)."""
    with rasterio.open(path) as source:
        side, found = source.height, []
        for start in range(0, side, ROWS):
            across = Window(0, start, source.width, min(ROWS, side - start))
            along = Window(start, 0, min(ROWS, side - start), source.height)
            values = source.read(window=across if axis else along).astype(np.int16)
            change = np.abs(np.diff(values, axis=1 + axis)) * source.scales[0]
            found.append((change.sum(axis=(0, 2 - axis)), values.shape[0] * values.shape[2 - axis]))
    sums, counts = zip(*found, strict=True)
    return np.sum(sums, axis=0) / np.sum(counts)


def seam(path: Path, starts: list[int], side: int) -> dict[str, float]:
    """Steps at windows' borders and elsewhere, of columns and rows together."""
    change = np.stack([steps(path, 0), steps(path, 1)])
    borders = sorted({edge for start in starts for edge in (start - 1, start + side - 1)})
    at = np.zeros(change.shape[1], bool)
    at[[edge for edge in borders if 0 <= edge < len(at)]] = True
    return {"at_borders": float(change[:, at].mean()), "elsewhere": float(change[:, ~at].mean())}


def measure(quick: bool, rounds: int) -> dict:
    from multisenge_lib.maps.windows import WINDOW, Windows

    side = 5 * WINDOW // 2 if quick else TILE_PIXELS
    starts = Windows((side, side)).starts(0)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rasters, model = write_tile(folder, side), save_network(folder)
        given = [a for s, paths in rasters.items() for a in (f"--{s}", *map(str, paths))]
        given += ["--out", str(folder / "map.tif"), "--probabilities"]
        command = [sys.executable, "-m", "multisenge_lib.cli", "predict", str(model), *given]
        start = time.perf_counter()
        subprocess.run(command, check=True)
        found = {"seconds": time.perf_counter() - start}
        found |= seam(folder / "map_probabilities.tif", starts, WINDOW)
    found["memory"] = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    print(f"{side} x {side} pixels: {found}")
    return {"tile": {"experiment": EXPERIMENT, "pixels": side, "windows": len(starts) ** 2} | found}
