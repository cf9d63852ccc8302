"""The VGG-16 U-Net on one date: is it worth looking at several dates?

This is the kind of baseline that the dataset's own paper trains (Wenger et al., ISPRS Annals 2022).
It is the paper's network with the ConvLSTM taken away, so whatever the ConvLSTM gains over it is
what the later dates are worth.
"""

from collections.abc import Mapping

from keras import KerasTensor, layers

from multisenge_lib.models import build_unet


def build(series: Mapping[str, KerasTensor], classes: int) -> KerasTensor:
    """A U-Net that sees the first date of each sensor.

    Args:
        series: standardised images by sensor, `(batch, dates, height, width, bands)`.
        classes: number of classes.

    Returns:
        Logits `(batch, height, width, classes)`.
    """
    first_dates = [images[:, 0] for images in series.values()]
    if len(first_dates) == 1:
        image = first_dates[0]
    else:
        image = layers.Concatenate(name="sensors")(first_dates)
    _, height, width, channels = image.shape
    return build_unet(channels, classes, shape=(height, width))(image)
