"""The VGG-16 U-Net on all dates at once, stacked as channels: is recurrence worth it?

The paper compares networks that all have a ConvLSTM. This one sees the same dates without it: the
bands of all dates and sensors become the channels of one image. If it scores as well as the
ConvLSTM networks, the gain of several dates does not come from recurrence. The paper lacks this
ablation.
"""

from collections.abc import Mapping

from keras import KerasTensor, layers

from multisenge_lib.models import build_unet


def build(series: Mapping[str, KerasTensor], classes: int) -> KerasTensor:
    """A U-Net that sees every date of every sensor as channels of one image.

    Args:
        series: standardised images by sensor, `(batch, dates, height, width, bands)`. Sensors may
            have different numbers of dates.
        classes: number of classes.

    Returns:
        Logits `(batch, height, width, classes)`.
    """
    images = []
    for sequence in series.values():
        dates = sequence.shape[1]
        images.extend(sequence[:, date] for date in range(dates))
    if len(images) == 1:
        stacked = images[0]
    else:
        stacked = layers.Concatenate(name="stacked_dates")(images)
    _, height, width, channels = stacked.shape
    return build_unet(channels, classes, shape=(height, width))(stacked)
