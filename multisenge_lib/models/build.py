"""From an experiment to its network (Figure 5)."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

from multisenge_lib.dataset import MULTISENGE
from multisenge_lib.errors import ExperimentError
from multisenge_lib.models.conv_lstm import ConvLSTM2D
from multisenge_lib.models.experiments import Experiment, get_experiment
from multisenge_lib.models.inception import FirstDate, naive_inception
from multisenge_lib.models.standardise import Standardise
from multisenge_lib.models.unet import STRIDE, build_unet

#: Mean and deviation of each band, by sensor.
Statistics = Mapping[str, tuple[Sequence[float], Sequence[float]]]


def _check_size(size: int) -> None:
    if size < STRIDE or size % STRIDE:
        raise ExperimentError(
            f"patches of {size} x {size} pixels do not fit the U-Net, which halves them five "
            f"times: the size must be a multiple of {STRIDE}, such as 256"
        )


def _standardise(experiment: Experiment, sensor: str, statistics: Statistics | None) -> Standardise:
    """Eq. 4 for one sensor; mean 0 and deviation 1 where there are no statistics."""
    unit = (np.zeros(len(MULTISENGE.bands[sensor])), np.ones(len(MULTISENGE.bands[sensor])))
    if statistics is not None and sensor not in statistics:
        raise ExperimentError(
            f"{experiment.name} has {sensor} among its inputs, and the statistics have only "
            f"{', '.join(statistics) or 'nothing'}: compute them for every sensor"
        )
    mean, deviation = statistics[sensor] if statistics is not None else unit
    decibel = sensor == "s1" and experiment.s1_decibel
    return Standardise(mean, deviation, decibel, name=f"{sensor}_standardise")


def _first_dates(series: Mapping[str, Any]) -> Any:
    """The first date of all sensors, stacked (section 3.2)."""
    images = [FirstDate(name=f"{sensor}_first_date")(x) for sensor, x in series.items()]
    return keras.layers.Concatenate(name="first_dates")(images)


def _extract(experiment: Experiment, series: Mapping[str, Any]) -> Any:
    """What the U-Net sees: a ConvLSTM's last state a sensor, and the Inception module's output."""
    features = [
        ConvLSTM2D(experiment.filters, 3, experiment.peephole, name=f"{sensor}_convlstm")(x)
        for sensor, x in series.items()
    ]
    if experiment.inception:
        image = _first_dates(series)
        features.append(
            naive_inception(image, experiment.inception_filters, experiment.inception_pool)
        )
    return keras.layers.Concatenate(name="features")(features) if features[1:] else features[0]


def build_model(
    experiment: Experiment | str, size: int = 256, statistics: Statistics | None = None
) -> keras.Model:
    """The network of an experiment (Figure 5), not compiled.

    Args:
        experiment: or its name.
        size: pixels along a patch's side, a multiple of 32; 256 in the paper.
        statistics: mean and deviation of each band by sensor, of the training split; those of
            "s1" in decibels where the experiment has it so. None: 0 and 1.

    Returns:
        A model from a mapping of `s1` `(batch, dates, size, size, 2)`, linear backscatter, and
        `s2` `(batch, dates, size, size, 10)`, reflectance x 10,000, as the experiment needs, to
        logits `(batch, size, size, classes)` float32; channel k is the class with id k + 1.

    Raises:
        ExperimentError: an unknown experiment, an impossible size, or statistics of other bands.
    """
    if isinstance(experiment, str):
        experiment = get_experiment(experiment)
    _check_size(size)
    dates = len(experiment.months)
    inputs = {
        s: keras.Input((dates, size, size, len(MULTISENGE.bands[s])), name=s)
        for s in experiment.sensors
    }
    series = {s: _standardise(experiment, s, statistics)(x) for s, x in inputs.items()}
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
