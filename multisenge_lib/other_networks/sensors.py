"""The bands of both sensors joined date by date, for networks that have one series."""

from collections.abc import Mapping

from keras import KerasTensor, layers

from multisenge_lib.errors import ExperimentError


def join_sensors(series: Mapping[str, KerasTensor], network: str) -> KerasTensor:
    """Join the bands of all sensors at each date.

    Args:
        series: images by sensor, `(batch, dates, height, width, bands)`.
        network: its name, for the error.

    Returns:
        `(batch, dates, height, width, bands of all sensors)`.

    Raises:
        ExperimentError: the sensors have different numbers of dates.
    """
    sequences = list(series.values())
    dates = [sequence.shape[1] for sequence in sequences]
    if len(set(dates)) > 1:
        raise ExperimentError(
            f"{network} takes as many dates of each sensor, received {dates[0]} and {dates[1]}: "
            "give s1_rule first or nearest, or a network such as stack"
        )
    if len(sequences) == 1:
        return sequences[0]
    return layers.Concatenate(name="sensors")(sequences)
