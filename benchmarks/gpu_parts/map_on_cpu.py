"""Part `map_on_cpu`: the crop of `whole_map` again on the CPU, and where the two maps differ."""

import keras
import numpy as np

from gpu_parts.reporting import Task
from gpu_parts.whole_map import CROP, CROP_NETWORK
from multisenge_lib.maps import predict_map


def measure(task: Task) -> None:
    """Report how many pixels have another class, and how close to a tie they are.

    A difference counts as a tie where the two best classes are no further apart than the two
    devices' probabilities can be.
    """
    if not (task.folder / CROP).exists():
        raise RuntimeError("there is no map to compare with: the part whole_map did not draw it")
    model = keras.saving.load_model(task.folder / CROP_NETWORK)
    with np.load(task.folder / CROP) as saved:
        series = {"s1": saved["s1"], "s2": saved["s2"]}
        window = int(saved["window"])
        device_ids = saved["ids"]
        device_probabilities = saved["probabilities"]
    ids, probabilities = predict_map(model, series, window)

    differs = ids != device_ids
    ranked = np.sort(probabilities, axis=-1)
    gap = ranked[..., -1] - ranked[..., -2]
    largest_gap = float(gap[differs].max()) if differs.any() else 0.0
    task.report(
        pixels=ids.size,
        pixels_of_other_class=int(differs.sum()),
        largest_probability_difference=float(np.abs(probabilities - device_probabilities).max()),
        largest_gap_of_those_pixels=largest_gap,
        median_gap_of_all_pixels=float(np.median(gap)),
    )
