"""A U-Net with convolutions over time and space (Rustowicz et al., CVPR Workshops 2019).

Time is a third axis of the convolutions, and is halved together with height and width. At the end
the logits of all dates are averaged. The widths and the LeakyReLU are those of the authors' public
code; with 10 bands and 20 classes it has the 1.6 million weights that Garnot and Landrieu (2021)
report for it.
"""

from collections.abc import Mapping

from keras import KerasTensor, layers, ops

from multisenge_lib.models import MOMENTUM
from multisenge_lib.other_networks.sensors import join_sensors

#: Filters of the first stage; the second has twice as many, the centre four times.
WIDTH = 32
#: Slope of LeakyReLU for negative values: PyTorch's default, which the authors' code uses.
NEGATIVE_SLOPE = 0.01


def _convolve(x: KerasTensor, filters: int, name: str) -> KerasTensor:
    """3x3x3 convolution, batch normalisation, LeakyReLU."""
    x = layers.Conv3D(filters, 3, padding="same", name=f"{name}_conv")(x)
    x = layers.BatchNormalization(momentum=MOMENTUM, name=f"{name}_bn")(x)
    return layers.LeakyReLU(NEGATIVE_SLOPE, name=f"{name}_relu")(x)


def _double(x: KerasTensor, filters: int, name: str) -> KerasTensor:
    """Twice as many dates, rows and columns."""
    return layers.Conv3DTranspose(filters, 3, strides=2, padding="same", name=f"{name}_up")(x)


def _join(x: KerasTensor, skip: KerasTensor, name: str) -> KerasTensor:
    """Upsampled features beside the encoder's of the same resolution.

    An odd number of dates is rounded up when it is halved, so doubling can give one date too many.
    """
    dates = skip.shape[1]
    return layers.Concatenate(name=f"{name}_concat")([x[:, :dates], skip])


def build(series: Mapping[str, KerasTensor], classes: int) -> KerasTensor:
    """A 3D U-Net on the bands of all sensors, date by date.

    Args:
        series: standardised images by sensor, `(batch, dates, height, width, bands)`. The sensors
            must have the same number of dates, since their bands are joined at each date.
        classes: number of classes.

    Returns:
        Logits `(batch, height, width, classes)`, the mean over the dates.
    """
    x = join_sensors(series, "unet3d")

    # Encoder: two stages, each halving time, height and width.
    stage1 = _convolve(x, WIDTH, "encoder1a")
    stage1 = _convolve(stage1, WIDTH, "encoder1b")
    x = layers.MaxPooling3D(2, padding="same", name="pool1")(stage1)
    stage2 = _convolve(x, 2 * WIDTH, "encoder2a")
    stage2 = _convolve(stage2, 2 * WIDTH, "encoder2b")
    x = layers.MaxPooling3D(2, padding="same", name="pool2")(stage2)

    # Centre, at a quarter of the resolution.
    x = _convolve(x, 4 * WIDTH, "centre_a")
    x = _convolve(x, 4 * WIDTH, "centre_b")
    x = _double(x, 2 * WIDTH, "centre")

    # Decoder: the encoder's features come back at each resolution.
    x = _join(x, stage2, "decoder2")
    x = _convolve(x, 2 * WIDTH, "decoder2a")
    x = _convolve(x, 2 * WIDTH, "decoder2b")
    x = _double(x, WIDTH, "decoder1")
    x = layers.BatchNormalization(momentum=MOMENTUM, name="decoder1_up_bn")(x)
    x = layers.LeakyReLU(NEGATIVE_SLOPE, name="decoder1_up_relu")(x)
    x = _join(x, stage1, "decoder1")
    x = _convolve(x, WIDTH, "decoder1a")
    x = _convolve(x, WIDTH // 2, "decoder1b")

    # Logits of each date, averaged; in float32 under any precision, as the paper's networks.
    logits = layers.Conv3D(classes, 3, padding="same", dtype="float32", name="logits_by_date")(x)
    return ops.mean(logits, axis=1)
