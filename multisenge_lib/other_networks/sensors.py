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
    if len(sequences) == 1:
        return sequences[0]
    dates = {sensor: sequence.shape[1] for sensor, sequence in series.items()}
    if len(set(dates.values())) > 1:
        received = " and ".join(f"{number} of {sensor}" for sensor, number in dates.items())
        raise ExperimentError(
            f"{network} needs the same number of dates of each sensor, received {received}: set "
            f"s1_rule to first or nearest, take one sensor, such as {network}_s2_10c, or a network "
            "such as stack"
        )
    return layers.Concatenate(name="sensors")(sequences)
