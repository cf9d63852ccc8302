"""From an experiment to its network (Figure 5): standardise, ConvLSTM and Inception, U-Net."""

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

#: Mean and standard deviation of each band, by sensor.
Statistics = Mapping[str, tuple[Sequence[float], Sequence[float]]]


def build_model(
    experiment: Experiment | str,
    size: int | None = 256,
    statistics: Statistics | None = None,
    bands: Mapping[str, Sequence[str]] = MULTISENGE.bands,
) -> keras.Model:
    """Build the network of an experiment (Figure 5), not compiled.

    Args:
        experiment: an `Experiment`, or its name such as `s1s2_10c`.
        size: pixels along a patch's side, a multiple of 32; 256 in the paper. None: any, which a
            network without peepholes can do.
        statistics: mean and standard deviation of each band by sensor, of the training split;
            those of "s1" in decibels where the experiment has it so. None: 0 and 1.
        bands: the band names of each sensor.

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

    # --- Inputs: one time series per sensor, as the rasters hold it ---
    inputs = {}
    for sensor in experiment.sensors:
        shape = (len(experiment.months), size, size, len(bands[sensor]))
        inputs[sensor] = keras.Input(shape, name=sensor)

    # --- Standardisation (Eq. 4), inside the network ---
    series = {}
    for sensor, x in inputs.items():
        in_decibels = sensor == "s1" and experiment.s1_decibel
        x = _standardise(x, sensor, in_decibels, statistics)
        if experiment.first_dates:
            x = x[:, : experiment.first_dates]
        series[sensor] = x  # (batch, dates, size, size, bands)

    # --- Features: one ConvLSTM per sensor, and the Inception module (sections 3.1 and 3.2) ---
    features = _extract_features(experiment, series)  # (batch, size, size, channels)

    # --- U-Net: from features to one logit per class (section 3.3) ---
    unet = build_unet(
        keras.Input(features.shape[1:], name="unet_features"),
        experiment.classes,
        full_resolution_skip=experiment.full_resolution_skip,
        trainable_encoder=not experiment.freeze_encoder,
    )
    logits = unet(features)  # (batch, size, size, classes)
    return keras.Model(inputs, logits, name=experiment.name)


def _standardise(x: Any, sensor: str, in_decibels: bool, statistics: Statistics | None) -> Any:
    """Apply Eq. 4, n = (b - mean) / standard deviation, to a series `(batch, dates, h, w, bands)`.

    It is a layer of the network, so that a saved model takes the values that the rasters hold.
    """
    mean, std = _statistics_of(sensor, x.shape[-1], statistics)
    if in_decibels:
        x = 10 * ops.log10(ops.maximum(x, BACKSCATTER_FLOOR))
    # In float32 under any policy: 16 bits would lose backscatter near the floor.
    layer = layers.Normalization(
        axis=-1,
        mean=mean,
        variance=np.square(std),
        dtype="float32",
        name=f"{sensor}_standardise",
    )
    return layer(x)


def _statistics_of(sensor: str, bands: int, statistics: Statistics | None) -> tuple[Any, Any]:
    """Return the means and standard deviations of a sensor, one per band; 0 and 1 if not given."""
    if statistics is None:
        return np.zeros(bands), np.ones(bands)
    mean, std = statistics.get(sensor, ((), ()))
    one_per_band = len(mean) == len(std) == bands
    if not one_per_band or np.min(std) <= 0:
        raise ExperimentError(
            f"{sensor}: {bands} means and as many standard deviations above 0 are needed, received "
            f"{mean} and {std}: compute them from the training split"
        )
    return mean, std


def _extract_features(experiment: Experiment, series: Mapping[str, Any]) -> Any:
    """Turn the standardised series into the image of features that the U-Net sees."""
    # The last hidden state of a ConvLSTM sums up a sensor's whole series.
    features = []
    for sensor, x in series.items():
        conv_lstm = ConvLSTM2D(
            experiment.filters,
            3,
            peephole=experiment.peephole,
            activation=experiment.activation,
            name=f"{sensor}_convlstm",
        )
        features.append(conv_lstm(x))  # (batch, size, size, filters)

    # The Inception module takes the first date of all sensors, stacked (section 3.2).
    if experiment.inception:
        first_dates = [x[:, 0] for x in series.values()]
        image = layers.Concatenate(name="first_dates")(first_dates)
        module = naive_inception(image, experiment.inception_filters, experiment.inception_pool)
        features.append(module)

    if len(features) == 1:
        return features[0]
    return layers.Concatenate(name="features")(features)


def predict(model: keras.Model, inputs: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the probability of each class, by the softmax of section 3.1.

    Args:
        model: of `build_model`.
        inputs: one batch, by the names of the model's inputs.

    Returns:
        `(batch, size, size, classes) float32`, 0 to 1; `argmax(-1) + 1` is the map of class ids.
    """
    logits = model.predict_on_batch(inputs)
    probabilities = ops.softmax(logits)
    return ops.convert_to_numpy(probabilities)
