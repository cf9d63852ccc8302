"""Part `whole_map`: a map of a quarter of a Sentinel-2 tile, in memory.

The images are the sample's test patches, laid side by side and repeated. The network is the one
that the part before trained on the sample, or one with random weights where there is none.
"""

import resource
import time

import keras
import numpy as np

from gpu_parts.networks import STATISTICS, experiment_for, peak_memory_bytes
from gpu_parts.reporting import Task
from gpu_parts.sample_run import EXPERIMENT, NETWORK
from multisenge_lib.dataset import load_selection, read_patch
from multisenge_lib.maps import predict_map
from multisenge_lib.models import build_model, load_model, with_input_size
from multisenge_lib.sample import ensure_sample

#: What `map_on_cpu` draws again: the network, the images of a crop, and the map of it.
CROP_NETWORK = "map_network.keras"
CROP = "map_crop.npz"
#: Patches along a side of the block that is repeated.
BLOCK = 6


def measure(task: Task) -> None:
    """Report the speed and the memory of a large map, and keep a crop for the CPU."""
    window = 32 if task.quick else 256
    pixels = 80 if task.quick else 5490
    crop_pixels = 48 if task.quick else 640
    model, trained = _network(task, window)
    series = _repeated_patches(task, pixels)
    crop = {sensor: values[:, :crop_pixels, :crop_pixels] for sensor, values in series.items()}

    # The crop comes first: it compiles what the large map needs.
    start = time.perf_counter()
    ids, probabilities = predict_map(model, crop, window)
    compiling_seconds = time.perf_counter() - start
    model.save(task.folder / CROP_NETWORK)
    np.savez(task.folder / CROP, ids=ids, probabilities=probabilities, window=window, **crop)
    task.report(
        experiment=EXPERIMENT,
        trained=trained,
        multiply=task.multiply,
        window_pixels=window,
        crop_pixels=crop_pixels,
        compiling_seconds=compiling_seconds,
    )

    start = time.perf_counter()
    ids, probabilities = predict_map(model, series, window)
    seconds = time.perf_counter() - start
    classes = np.unique(ids)
    kibibytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    task.report(
        pixels=pixels,
        seconds=seconds,
        megapixels_per_second=ids.size / 1e6 / seconds,
        peak_memory_bytes=peak_memory_bytes(),
        host_memory_bytes=1024 * kibibytes,
        classes_drawn=len(classes),
    )


def _network(task: Task, window: int) -> tuple[keras.Model, bool]:
    """Return the network for windows of a size, and whether it was trained."""
    experiment = experiment_for(task, EXPERIMENT)
    path = task.folder / NETWORK
    trained = path.exists()
    if trained:
        model, _ = load_model(path)
    else:
        keras.utils.set_random_seed(1)
        model = build_model(experiment, window, STATISTICS)
    # Else predict_map would do so in each call, and compile each time.
    if model.output_shape[1] != window:
        model = with_input_size(model, window)
    return model, trained


def _repeated_patches(task: Task, pixels: int) -> dict[str, np.ndarray]:
    """Lay the sample's test patches side by side, and repeat them to a square of a size.

    Returns:
        By sensor `(dates, pixels, pixels, bands)`, in the units of the rasters.
    """
    root = ensure_sample(size=32 if task.quick else 64)
    selection = load_selection(root)
    rows = list(selection[selection["split"] == "test"].itertuples())[: BLOCK**2]
    patches = [read_patch(root, row) for row in rows]
    series = {}
    for sensor in ("s1", "s2"):
        strips = []
        for first in range(0, len(patches), BLOCK):
            images = [getattr(patch, sensor) for patch in patches[first : first + BLOCK]]
            strips.append(np.concatenate(images, axis=2))  # (dates, rows, columns, bands)
        block = np.concatenate(strips, axis=1)
        repeats = -(-pixels // block.shape[1])  # rounded up
        repeated = np.tile(block, (1, repeats, repeats, 1))
        series[sensor] = repeated[:, :pixels, :pixels]
    return series
