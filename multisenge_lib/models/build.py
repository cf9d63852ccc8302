"""From an experiment to its model: inputs and standardisation, around a network.

This is the frame that all networks share. The paper's networks (Figure 5) are put together in
`paper_networks`; which function builds a network is looked up in `networks`.
"""

import inspect
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from multisenge_lib.dataset import BACKSCATTER_FLOOR, MULTISENGE
from multisenge_lib.errors import ExperimentError, first_line, printable
from multisenge_lib.models.experiments import Experiment, get_experiment
from multisenge_lib.models.networks import find_builder, parse_network
from multisenge_lib.models.unet import check_size
from multisenge_lib.models.variants import VARIANT_MARK

#: Mean and standard deviation of each band, by sensor.
Statistics = Mapping[str, tuple[Sequence[float], Sequence[float]]]


def build_model(
    experiment: Experiment | str,
    size: int | None = 256,
    statistics: Statistics | None = None,
    bands: Mapping[str, Sequence[str]] = MULTISENGE.bands,
) -> keras.Model:
    """Build the network of an experiment, not compiled; for the paper's, see Figure 5.

    Args:
        experiment: an `Experiment`, or its name such as `s1s2_10c`.
        size: pixels along a patch's side, a multiple of 32; 256 in the paper. None: any size, which
            peepholes do not allow.
        statistics: mean and standard deviation of each band of the training split, by sensor;
            those of Sentinel-1 in decibels if the experiment has `s1_decibel`. None: mean 0,
            standard deviation 1.
        bands: the names of each sensor's bands; by default MultiSenGE's.

    Returns:
        A model that takes a mapping with one entry per input:

        - `s1`: `(batch, dates, size, size, bands)`, linear backscatter, if the experiment has it;
        - `s2`: `(batch, dates, size, size, bands)`, reflectance x 10,000, likewise;
        - `s1_days`, `s2_days`: `(batch, dates)`, days of the year, 1 to 366, if the network asks
          for them.

        It gives logits, `(batch, size, size, classes)` float32. Channel k is the class with id
        k + 1. `bands` is the number of bands given above: 2 and 10 for MultiSenGE.

    Raises:
        ExperimentError: an unknown experiment, an impossible size, statistics of other bands, or a
            network that does not keep to the protocol of `find_builder`.

    Examples:
        >>> import multisenge_lib as ms
        >>> model = ms.build_model("s2_6c", size=32)
        >>> model.output_shape  # batch, rows, columns, classes
        (None, 32, 32, 6)
    """
    if isinstance(experiment, str):
        experiment = get_experiment(experiment)
    if not isinstance(experiment, Experiment):
        raise ExperimentError(f"experiment {experiment!r}: give a name, such as 's1s2_10c'")
    if size is not None:
        check_size(size)
    builder = find_builder(experiment.network, experiment.network_digest)
    parameters = inspect.signature(builder).parameters

    # --- Inputs: one time series per sensor, as the rasters hold it ---
    inputs = {}
    for sensor in experiment.sensors:
        dates = len(experiment.months_of(sensor))
        shape = (dates, size, size, len(bands[sensor]))
        inputs[sensor] = keras.Input(shape, name=sensor)

    # --- Standardisation (Eq. 4), inside the network ---
    series = {}
    for sensor, x in inputs.items():
        in_decibels = sensor == "s1" and experiment.s1_decibel
        x = _standardise(x, sensor, in_decibels, statistics)
        # The choice `first_dates` (variant `one_date`) cuts the series here, after the input: all
        # experiments of a dataset then take the same batches, and a saved model takes all dates.
        series[sensor] = _first_dates(x, experiment)  # (batch, dates, size, size, bands)

    # --- What else the network asks for ---
    options: dict[str, Any] = {}
    if "days" in parameters:
        days = _day_inputs(experiment)
        inputs |= {tensor.name: tensor for tensor in days.values()}
        options["days"] = {sensor: _first_dates(x, experiment) for sensor, x in days.items()}
    if "choices" in parameters:
        options["choices"] = experiment

    # --- The network: from the series to one logit per class ---
    try:
        logits = builder(series=series, classes=experiment.classes, **options)
    except Exception as error:
        _refuse_user_code(experiment, series, error)
        raise  # it is a network of the library, whose errors are its own
    _check_logits(logits, experiment, size)
    if logits.dtype != "float32":
        # The loss takes exponentials of the logits, which 16 bits hold too coarsely.
        logits = layers.Activation("linear", dtype="float32", name="float32_logits")(logits)
    return _join(inputs, logits, experiment)


def _first_dates(x: keras.KerasTensor, experiment: Experiment) -> keras.KerasTensor:
    """Keep the dates of `(batch, dates, ...)` that the network sees: all, or the first few."""
    if experiment.first_dates is None:
        return x
    return x[:, : experiment.first_dates]


def _day_inputs(experiment: Experiment) -> dict[str, keras.KerasTensor]:
    """Make the inputs for the days of the year of each sensor's images, `(batch, dates)`."""
    days = {}
    for sensor in experiment.sensors:
        dates = len(experiment.months_of(sensor))
        days[sensor] = keras.Input((dates,), name=days_input(sensor))
    return days


def _join(
    inputs: Mapping[str, keras.KerasTensor], logits: keras.KerasTensor, experiment: Experiment
) -> keras.Model:
    """Make the model from its inputs and its logits.

    Raises:
        ExperimentError: the logits of a network of the user's do not come from the inputs.
    """
    # TensorFlow takes the model's name for a scope, in which there must be no +.
    name = experiment.name.replace(VARIANT_MARK, "-")
    try:
        return keras.Model(inputs, logits, name=name)
    except ValueError as error:
        if experiment.network_digest:
            raise ExperimentError(
                f"{printable(experiment.network)} returns logits that make no network "
                f"({_reason(error)}): compute them from series, and give no two layers the "
                "same name"
            ) from error
        raise


def days_input(sensor: str) -> str:
    """Name the input for the days of the year of a sensor's images: `s1_days`, `s2_days`."""
    return f"{sensor}_days"


def _refuse_user_code(experiment: Experiment, series: Mapping[str, Any], error: Exception) -> None:
    """Turn an error inside a network of the user's into one line that says where it happened.

    Raises:
        ExperimentError: the network is a file of the user's.
    """
    if not experiment.network_digest:
        return
    parsed = parse_network(experiment.network)
    line = ""
    for frame in traceback.extract_tb(error.__traceback__):
        if Path(frame.filename).resolve() == parsed.path.resolve():
            line = f" in line {frame.lineno}"
    shapes = ", ".join(f"{sensor} {tuple(images.shape)}" for sensor, images in series.items())
    raise ExperimentError(
        f"{printable(experiment.network)} stops{line} ({type(error).__name__}: "
        f"{_reason(error)}): it was given {experiment.classes} classes and series with "
        f"{shapes}: change the file, or choose an experiment of other sensors or dates"
    ) from error


def _reason(error: Exception) -> str:
    """Return the first line of an error of Keras: the others list all arguments."""
    if not str(error).strip():
        return "without a message"
    line = first_line(error)
    # Where it ends with a sentence that announces the next lines, that sentence goes too.
    sentences = line.split(". ")
    if line.endswith(":") and len(sentences) > 1:
        return ". ".join(sentences[:-1])
    return line


def _check_logits(logits: Any, experiment: Experiment, size: int | None) -> None:
    """Refuse what a network returns if it is not one logit per pixel and class."""
    expected = (None, size, size, experiment.classes)
    network = printable(experiment.network)
    if not isinstance(logits, keras.KerasTensor):
        raise ExperimentError(
            f"{network} returns a {type(logits).__name__}: it must return the logits, a Keras "
            f"tensor of shape {expected}"
        )
    if tuple(logits.shape) != expected:
        raise ExperimentError(
            f"{network} returns logits of shape {tuple(logits.shape)}: there must be one for each "
            f"pixel and each of the {experiment.classes} classes, {expected}"
        )
    # The loss and the maps apply the softmax; twice, every class would look nearly as likely.
    last_layer = logits._keras_history.operation
    if getattr(last_layer, "activation", None) is keras.activations.softmax or isinstance(
        last_layer, layers.Softmax
    ):
        raise ExperimentError(
            f"{network} returns probabilities: it must return the logits, since the loss has the "
            "softmax in it: leave the softmax out"
        )


def _standardise(x: Any, sensor: str, in_decibels: bool, statistics: Statistics | None) -> Any:
    """Apply Eq. 4, n = (b - mean) / standard deviation, to a series `(batch, dates, h, w, bands)`.

    It is a layer of the network, so that a saved model takes the values that the rasters hold.
    """
    mean, std = _statistics_of(sensor, x.shape[-1], statistics)
    if in_decibels:  # as `dataset.decibel`, on tensors
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
    if not one_per_band or not np.min(std) > 0:  # nor NaN
        raise ExperimentError(
            f"{sensor}: {bands} means and as many standard deviations above 0 are needed, received "
            f"{mean} and {std}: compute them from the training split"
        )
    return mean, std


def predict(model: keras.Model, inputs: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the probability of each class, by the softmax of section 3.1.

    Args:
        model: from `build_model`.
        inputs: one batch, by the names of the model's inputs.

    Returns:
        `(batch, size, size, classes) float32`, 0 to 1; `argmax(-1) + 1` is the map of class ids.
    """
    logits = model.predict_on_batch(inputs)
    probabilities = ops.softmax(logits)
    return ops.convert_to_numpy(probabilities)
