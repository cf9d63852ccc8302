"""The paper's two networks (Figure 5): ConvLSTM and U-Net, and the same with an Inception module.

They are built like any other network, see `networks`.
"""

from collections.abc import Mapping
from typing import Any

from keras import KerasTensor, layers

from multisenge_lib.models.conv_lstm import ConvLSTM2D
from multisenge_lib.models.experiments import Experiment
from multisenge_lib.models.inception import naive_inception
from multisenge_lib.models.unet import build_unet


def build_conv_lstm(
    series: Mapping[str, KerasTensor], classes: int, choices: Experiment
) -> KerasTensor:
    """Sum up the series of each sensor with a ConvLSTM, and segment the result with the U-Net.

    Args:
        series: standardised images by sensor, `(batch, dates, height, width, bands)`.
        classes: number of classes.
        choices: the experiment, which says what was chosen where the paper leaves something open.

    Returns:
        Logits `(batch, height, width, classes)`.
    """
    features = _conv_lstm_features(series, choices)
    return _segment(features, classes, choices)


def build_inception(
    series: Mapping[str, KerasTensor], classes: int, choices: Experiment
) -> KerasTensor:
    """Add what an Inception module sees of the first date, before the U-Net (section 3.2).

    Args:
        series: standardised images by sensor, `(batch, dates, height, width, bands)`.
        classes: number of classes.
        choices: the experiment, which says what was chosen where the paper leaves something open.

    Returns:
        Logits `(batch, height, width, classes)`.
    """
    features = _conv_lstm_features(series, choices)

    # The Inception module takes the first date of all sensors, stacked (section 3.2).
    first_images = [x[:, 0] for x in series.values()]
    image = layers.Concatenate(name="first_dates")(first_images)
    module = naive_inception(image, choices.inception_filters, choices.inception_pool)
    features.append(module)
    return _segment(features, classes, choices)


def _conv_lstm_features(series: Mapping[str, Any], choices: Experiment) -> list[Any]:
    """Return the last hidden state of each sensor's ConvLSTM, `(batch, height, width, filters)`."""
    features = []
    for sensor, x in series.items():
        conv_lstm = ConvLSTM2D(
            choices.filters,
            kernel_size=3,  # of the paper
            peephole=choices.peephole,
            activation=choices.activation,
            name=f"{sensor}_convlstm",
        )
        features.append(conv_lstm(x))
    return features


def _segment(features: list[Any], classes: int, choices: Experiment) -> Any:
    """Turn the features into one logit per class with the U-Net (section 3.1)."""
    if len(features) == 1:
        joined = features[0]
    else:
        joined = layers.Concatenate(name="features")(features)
    _, height, width, channels = joined.shape
    unet = build_unet(
        channels,
        classes,
        shape=(height, width),
        full_resolution_skip=choices.full_resolution_skip,
        trainable_encoder=not choices.freeze_encoder,
    )
    return unet(joined)
