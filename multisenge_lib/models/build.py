"""From an experiment to its network (Figure 5)."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from multisenge_lib.dataset import BACKSCATTER_FLOOR, MULTISENGE
from multisenge_lib.errors import ExperimentError
from multisenge_lib.models.conv_lstm import ConvLSTM2D
from multisenge_lib.models.experiments import Experiment, get_experiment
from multisenge_lib.models.inception import naive_inception
from multisenge_lib.models.unet import build_unet, check_size

#: Mean and deviation of each band, by sensor.
Statistics = Mapping[str, tuple[Sequence[float], Sequence[float]]]


def _checked(statistics: Statistics | None, sensor: str, bands: int) -> tuple[Any, Any]:
    """Means and deviations of a sensor, one a band; 0 and 1 where there are no statistics."""
    if statistics is None:
        return np.zeros(bands), np.ones(bands)
    mean, deviation = statistics.get(sensor, ((), ()))
    if not (len(mean) == len(deviation) == bands and np.min(deviation) > 0):
        raise ExperimentError(
            f"{sensor}: {bands} means and as many deviations above 0 are needed, received "
            f"{mean} and {deviation}: compute them from the training split"
        )
    return mean, deviation


def _standardise(x: Any, sensor: str, decibel: bool, statistics: Statistics | None) -> Any:
    """Eq. 4, n = (b - mean) / deviation, so that a saved model takes what the rasters hold.

    In float32 under any policy: float16 would lose backscatter near the floor.
    """
    mean, deviation = _checked(statistics, sensor, x.shape[-1])
    if decibel:
        x = 10 * ops.log10(ops.maximum(x, BACKSCATTER_FLOOR))
    name = f"{sensor}_standardise"
    return layers.Normalization(-1, mean, np.square(deviation), dtype="float32", name=name)(x)


def _extract(experiment: Experiment, series: Mapping[str, Any]) -> Any:
    """What the U-Net sees: a ConvLSTM's last state a sensor, and the Inception module's output.

    The module takes the first date of all sensors, stacked (section 3.2).
    """
    options = {"peephole": experiment.peephole, "activation": experiment.activation}
    features = [
        ConvLSTM2D(experiment.filters, 3, **options, name=f"{sensor}_convlstm")(x)
        for sensor, x in series.items()
    ]
    if experiment.inception:
        image = layers.Concatenate(name="first_dates")([x[:, 0] for x in series.values()])
        features.append(
            naive_inception(image, experiment.inception_filters, experiment.inception_pool)
        )
    return layers.Concatenate(name="features")(features) if features[1:] else features[0]


def build_model(
    experiment: Experiment | str,
    size: int | None = 256,
    statistics: Statistics | None = None,
    bands: Mapping[str, Sequence[str]] = MULTISENGE.bands,
) -> keras.Model:
    """The network of an experiment (Figure 5), not compiled.

    Args:
        experiment: or its name.
        size: pixels along a patch's side, a multiple of 32; 256 in the paper. None: any, which a
            network without peepholes can do.
        statistics: mean and deviation of each band by sensor, of the training split; those of
            "s1" in decibels where the experiment has it so. None: 0 and 1.
        bands: names of each sensor's.

    Returns:
        A model from a mapping of `s1` `(batch, dates, size, size, 2)`, linear backscatter, and
        `s2` `(batch, dates, size, size, 10)`, reflectance x 10,000, as the experiment needs, to
        logits `(batch, size, size, classes)` float32; channel k is the class with id k + 1.

    Raises:
        ExperimentError: an unknown experiment, an impossible size, or statistics of other bands.

    Examples:
        >>> import multisenge_lib as ms
        >>> model = ms.build_model("s2_6c", size=32)
        >>> model.output_shape  # batch, rows, columns, classes
        (None, 32, 32, 6)
    """
    if isinstance(experiment, str):
        experiment = get_experiment(experiment)
    if size is not None:
        check_size(size)
    shape = (len(experiment.months), size, size)
    inputs = {s: keras.Input((*shape, len(bands[s])), name=s) for s in experiment.sensors}
    series = {
        s: _standardise(x, s, s == "s1" and experiment.s1_decibel, statistics)
        for s, x in inputs.items()
    }
    if experiment.first_dates:
        series = {s: x[:, : experiment.first_dates] for s, x in series.items()}
    features = _extract(experiment, series)
    unet = build_unet(
        keras.Input(features.shape[1:], name="unet_features"),
        experiment.classes,
        experiment.full_resolution_skip,
        not experiment.freeze_encoder,
    )
    return keras.Model(inputs, unet(features), name=experiment.name)


def predict(model: keras.Model, inputs: Mapping[str, np.ndarray]) -> np.ndarray:
    """The probability of each class, by the softmax of section 3.1.

    Args:
        model: of `build_model`.
        inputs: one batch, as the model's inputs are named.

    Returns:
        `(batch, size, size, classes) float32`, 0 to 1; `argmax(-1) + 1` is the map of class ids.
    """
    return keras.ops.convert_to_numpy(keras.ops.softmax(model.predict_on_batch(inputs)))
