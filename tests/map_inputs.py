"""What the tests of maps begin with: a small network, arrays, and rasters on one grid."""

from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
import rasterio
from rasterio.transform import from_origin

from multisenge_lib.dataset import S1_BANDS, S2_BANDS, TYPOLOGIES
from multisenge_lib.models import get_experiment

EXPERIMENT = get_experiment("s1s2_10c")
TYPOLOGY = TYPOLOGIES["10c"]
DAYS = ("20200721", "20200805", "20200912", "20201118")
BANDS = {"s1": S1_BANDS, "s2": S2_BANDS}
#: Rows and columns of the rasters: three rows of windows of 64 pixels.
SHAPE = (150, 110)
SMALL_WINDOWS = {"window": 64, "overlap": 16}


def small_network() -> keras.Model:
    """A network with the inputs and outputs of `s1s2_10c`, in which a pixel sees four around it."""
    keras.utils.set_random_seed(3)
    inputs = {
        "s1": keras.Input((4, 32, 32, 2), name="s1"),
        "s2": keras.Input((4, 32, 32, 10), name="s2"),
    }
    dates = []
    for sensor, scale in (("s1", 9), ("s2", 1e-3)):
        scaled = keras.layers.Rescaling(scale)(inputs[sensor])
        dates += [scaled[:, date] for date in range(4)]
    x = keras.layers.Concatenate()(dates)
    for filters in (6, 10):
        convolution = keras.layers.Conv2D(
            filters, 5, padding="same", kernel_initializer="he_normal"
        )
        x = convolution(x)
    return keras.Model(inputs, x)


def random_series(shape: tuple[int, int], seed: int = 0) -> dict[str, np.ndarray]:
    """Four dates of both sensors, in the units of the layout."""
    rng = np.random.default_rng(seed)
    s1 = rng.gamma(2, 0.05, (4, *shape, 2)).astype(np.float32)
    s2 = rng.integers(1, 5000, (4, *shape, 10), dtype=np.uint16)
    return {"s1": s1, "s2": s2}


def write_geotiff(path: Path, data: np.ndarray, names: Sequence[str] = (), **changes) -> Path:
    """Write `(bands, height, width)`; changes of the profile go to rasterio."""
    profile = {
        "driver": "GTiff",
        "count": data.shape[0],
        "height": data.shape[1],
        "width": data.shape[2],
        "dtype": data.dtype,
        "crs": "EPSG:32631",
        "transform": from_origin(5e5, 5.5e6, 10, 10),
    }
    profile.update(changes)
    path.parent.mkdir(parents=True, exist_ok=True)
    with rasterio.open(path, "w", **profile) as target:
        target.write(data)
        if names:
            target.descriptions = names
    return path


def write_rasters(folder: Path, shape: tuple[int, int] = SHAPE) -> dict[str, list[Path]]:
    """Write four dates of both sensors; one date of Sentinel-2 has no data in one corner."""
    arrays = random_series(shape)
    arrays["s2"][2, :20, :30] = 0
    paths = {}
    for sensor, series in arrays.items():
        paths[sensor] = []
        for day, image in zip(DAYS, series, strict=True):
            path = folder / f"{day}_{sensor}.tif"
            write_geotiff(path, np.moveaxis(image, -1, 0), BANDS[sensor])
            paths[sensor].append(path)
    return paths


def read_pixels(path: Path) -> np.ndarray:
    """All bands of a raster."""
    with rasterio.open(path) as source:
        return source.read()


def file_contents(folder: Path) -> dict[str, bytes]:
    """The bytes of every file of a folder, by name."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
