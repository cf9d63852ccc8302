"""U-TAE: a U-Net that weighs the dates by attention (Garnot and Landrieu, ICCV 2021).

Every date passes through the same convolutional encoder. At the coarsest resolution a lightweight
temporal attention encoder (L-TAE; Garnot and Landrieu 2020) looks at the whole series of each
pixel and decides, with sixteen heads, how much each date counts. The same weights, enlarged, merge
the dates of the finer skip connections. So the network learns once which dates matter and uses it
at every resolution. The position of a date is its day of the year.

On the real split of MultiSenGE others found this network ahead of the paper's (see *Beyond the
paper*). The default widths are those of the authors: with 10 bands and 20 classes the network has
the 1.1 million weights that they report.
"""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from keras import KerasTensor, layers, ops

from multisenge_lib.models import MOMENTUM
from multisenge_lib.other_networks.sensors import join_sensors

#: Channels of the encoder's and the decoder's stages, from the finest to the coarsest. The decoder
#: has no coarsest stage; its width stands here as in the authors' list.
ENCODER = (64, 64, 64, 128)
DECODER = (32, 32, 64, 128)
#: Of the attention: its heads, the size of their keys, and the channels of the series inside it.
HEADS = 16
KEY_SIZE = 4
ATTENTION_WIDTH = 256
#: Channels between the decoder and the logits.
LAST_WIDTH = 32
#: Base of the code of a day. A channel turns by one radian in
#: DAY_CODE_BASE ** (2 (channel // 2) / channels) days, here 1 to 422; the authors' value.
DAY_CODE_BASE = 1000


@keras.saving.register_keras_serializable(package="multisenge")
class FoldDates(layers.Layer):
    """Move the dates into the batch, so that all dates share the convolutions that follow."""

    #: For `step_operations`: after it, the batch holds more images than patches.
    changes_batch = True

    def call(self, x: Any) -> Any:
        """`(batch, dates, height, width, channels)` to `(batch * dates, height, ...)`."""
        _, _, height, width, channels = ops.shape(x)
        return ops.reshape(x, (-1, height, width, channels))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """The dates' axis goes; the batch is known where the number of patches is."""
        patches, dates, *image = input_shape
        images = None if patches is None else patches * dates
        return (images, *image)


@keras.saving.register_keras_serializable(package="multisenge")
class UnfoldDates(layers.Layer):
    """Take the dates out of the batch again; the inverse of `FoldDates`."""

    def __init__(self, dates: int, **kwargs):
        super().__init__(**kwargs)
        self.dates = dates

    def call(self, x: Any) -> Any:
        """`(batch * dates, height, width, channels)` to `(batch, dates, height, ...)`."""
        _, height, width, channels = ops.shape(x)
        return ops.reshape(x, (-1, self.dates, height, width, channels))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """An axis for the dates comes back."""
        images, *image = input_shape
        patches = None if images is None else images // self.dates
        return (patches, self.dates, *image)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments with which Keras rebuilds this layer."""
        return {**super().get_config(), "dates": self.dates}


@keras.saving.register_keras_serializable(package="multisenge")
class ReflectPadding(layers.Layer):
    """One pixel around the image, mirrored: the authors pad so, where Keras pads with zeros."""

    def call(self, x: Any) -> Any:
        """`(batch, height, width, channels)`, two pixels larger each way."""
        return ops.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="reflect")

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Two more rows and columns."""
        batch, height, width, channels = input_shape
        larger = [None if side is None else side + 2 for side in (height, width)]
        return (batch, *larger, channels)


@keras.saving.register_keras_serializable(package="multisenge")
class DayCode(layers.Layer):
    """The day of the year as sines and cosines of many periods, the same for each head."""

    def __init__(self, width: int, heads: int, **kwargs):
        super().__init__(**kwargs)
        self.width = width
        self.heads = heads
        channel = np.arange(width // heads)
        self.days_per_radian = DAY_CODE_BASE ** (2 * (channel // 2) / (width // heads))
        # Even channels are sines, odd ones cosines, which are sines a quarter of a turn later.
        self.phase = np.where(channel % 2 == 1, np.pi / 2, 0.0)

    def call(self, days: Any) -> Any:
        """Days `(batch, dates)` to codes `(batch, dates, 1, 1, width)`."""
        days = ops.cast(days, "float32")[..., None]
        code = ops.sin(days / self.days_per_radian.astype("float32") + self.phase.astype("float32"))
        return ops.tile(code, (1, 1, self.heads))[:, :, None, None, :]

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """A channel axis, and two of length 1 for rows and columns."""
        return (*input_shape, 1, 1, self.width)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments with which Keras rebuilds this layer."""
        return {**super().get_config(), "width": self.width, "heads": self.heads}


@keras.saving.register_keras_serializable(package="multisenge")
class PixelNormalization(layers.Layer):
    """Group normalisation of each pixel on its own, over its dates and a group of its channels.

    Keras' `GroupNormalization` would also average over rows and columns. The L-TAE treats every
    pixel as a series of its own.

    Args:
        groups: number of groups of channels.
        **kwargs: arguments of `keras.layers.Layer`, such as `name`.
    """

    def __init__(self, groups: int, **kwargs):
        super().__init__(**kwargs)
        self.groups = groups

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the weights: a scale and a shift per channel."""
        channels = input_shape[-1]
        self.gamma = self.add_weight((channels,), "ones", name="gamma")
        self.beta = self.add_weight((channels,), "zeros", name="beta")

    def call(self, x: Any) -> Any:
        """`(batch, [dates,] height, width, channels)`, the same shape."""
        shape = ops.shape(x)
        grouped = ops.reshape(x, (*shape[:-1], self.groups, shape[-1] // self.groups))
        over = (1, -1) if len(shape) == 5 else (-1,)
        mean, variance = ops.moments(grouped, axes=over, keepdims=True)
        # 1e-5 is PyTorch's default. Keras' own normalisations below have theirs, 1e-3.
        normalised = (grouped - mean) * ops.rsqrt(variance + 1e-5)
        return ops.reshape(normalised, shape) * self.gamma + self.beta

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """The shape stays."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Return the arguments with which Keras rebuilds this layer."""
        return {**super().get_config(), "groups": self.groups}


@keras.saving.register_keras_serializable(package="multisenge")
class DateAttention(layers.Layer):
    """How much each date counts, by head and pixel: the attention of the L-TAE.

    The keys come from the series; the queries are learned, one per head, since there is one
    question only: which dates tell the classes apart?
    """

    def __init__(self, heads: int, key_size: int, dropout: float = 0.1, **kwargs):
        super().__init__(**kwargs)
        self.heads = heads
        self.key_size = key_size
        self.rate = dropout
        deviation = np.sqrt(2 / key_size)
        self.to_keys = layers.Dense(
            heads * key_size,
            kernel_initializer=keras.initializers.RandomNormal(stddev=deviation),
            name="keys",
        )
        self.dropout = layers.Dropout(dropout)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the weights."""
        self.to_keys.build(input_shape)
        normal = keras.initializers.RandomNormal(stddev=np.sqrt(2 / self.key_size))
        self.query = self.add_weight((self.heads, self.key_size), normal, name="query")

    def call(self, x: Any, training: bool | None = None) -> Any:
        """`(batch, dates, height, width, channels)` to weights `(..., heads)`.

        They sum to 1 over the dates, before dropout.
        """
        keys = self.to_keys(x)
        keys = ops.reshape(keys, (*ops.shape(keys)[:-1], self.heads, self.key_size))
        agreement = ops.sum(keys * self.query, axis=-1) / np.sqrt(self.key_size).item()
        attention = ops.softmax(agreement, axis=1)  # over the dates
        return self.dropout(attention, training=training)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """One weight per head instead of the channels."""
        return (*input_shape[:-1], self.heads)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments with which Keras rebuilds this layer."""
        own = {"heads": self.heads, "key_size": self.key_size, "dropout": self.rate}
        return {**super().get_config(), **own}


@keras.saving.register_keras_serializable(package="multisenge")
class MergeDates(layers.Layer):
    """One image from a series: each head's weights merge that head's share of the channels."""

    def call(self, x: Any, attention: Any) -> Any:
        """Merge the dates.

        Args:
            x: `(batch, dates, height, width, channels)`.
            attention: `(batch, dates, coarse height, coarse width, heads)`; enlarged to x's size.

        Returns:
            `(batch, height, width, channels)`.
        """
        _, dates, height, width, channels = ops.shape(x)
        coarse_height, coarse_width, heads = ops.shape(attention)[2:]
        folded = ops.reshape(attention, (-1, coarse_height, coarse_width, heads))
        resized = ops.image.resize(folded, (height, width), interpolation="bilinear")
        weights = ops.reshape(resized, (-1, dates, height, width, heads, 1))
        groups = ops.reshape(x, (-1, dates, height, width, heads, channels // heads))
        merged = ops.sum(groups * ops.cast(weights, groups.dtype), axis=1)
        return ops.reshape(merged, (-1, height, width, channels))

    def compute_output_shape(
        self, x_shape: tuple[int | None, ...], attention_shape: tuple[int | None, ...]
    ) -> tuple[int | None, ...]:
        """The dates' axis goes."""
        batch, _, *image = x_shape
        return (batch, *image)


def _convolve(
    x: KerasTensor, filters: int, name: str, norm: str, side: int = 3, stride: int = 1
) -> KerasTensor:
    """Convolution with mirrored borders, normalisation, ReLU."""
    x = ReflectPadding(name=f"{name}_pad")(x)
    x = layers.Conv2D(filters, side, strides=stride, name=f"{name}_conv")(x)
    if norm == "group":
        x = layers.GroupNormalization(4, name=f"{name}_norm")(x)
    else:
        x = layers.BatchNormalization(momentum=MOMENTUM, name=f"{name}_norm")(x)
    return layers.ReLU(name=f"{name}_relu")(x)


def _encode(x: KerasTensor) -> list[KerasTensor]:
    """The features of each image at four resolutions, from full size to an eighth.

    Args:
        x: `(images, height, width, bands)`.

    Returns:
        Four of `(images, height / 2**stage, width / 2**stage, ENCODER[stage])`.
    """
    # Group normalisation, because the batch here mixes dates and patches.
    x = _convolve(x, ENCODER[0], "encoder0a", "group")
    x = _convolve(x, ENCODER[0], "encoder0b", "group")
    features = [x]
    for stage, filters in enumerate(ENCODER[1:], 1):
        name = f"encoder{stage}"
        x = _convolve(x, x.shape[-1], f"{name}_down", "group", side=4, stride=2)
        x = _convolve(x, filters, f"{name}a", "group")
        residual = _convolve(x, filters, f"{name}b", "group")
        x = layers.Add(name=f"{name}_add")([x, residual])
        features.append(x)
    return features


def _attend(x: KerasTensor, days: KerasTensor) -> tuple[KerasTensor, KerasTensor]:
    """The L-TAE: one image out of the coarsest series, and how much each date counted.

    Args:
        x: `(batch, dates, height/8, width/8, 128)`.
        days: `(batch, dates)`.

    Returns:
        The image `(batch, height/8, width/8, 128)`, and weights `(batch, dates, height/8, width/8,
        16)`.
    """
    channels = x.shape[-1]
    series = PixelNormalization(HEADS, name="series_norm")(x)
    series = layers.Dense(ATTENTION_WIDTH, name="series_width")(series)
    # In float32 under any precision: 16 bits do not tell day 321 from day 322.
    code = DayCode(ATTENTION_WIDTH, HEADS, dtype="float32", name="day_code")(days)
    series = layers.Add(name="series_with_days")([series, code])
    attention = DateAttention(HEADS, KEY_SIZE, name="attention")(series)
    merged = MergeDates(name="attended")(series, attention)
    merged = layers.Dense(channels, name="attended_dense")(merged)
    merged = layers.BatchNormalization(momentum=MOMENTUM, name="attended_bn")(merged)
    merged = layers.ReLU(name="attended_relu")(merged)
    merged = layers.Dropout(0.2, name="attended_dropout")(merged)
    merged = PixelNormalization(HEADS, name="attended_norm")(merged)
    return merged, attention


def _decode(x: KerasTensor, skips: list[KerasTensor]) -> KerasTensor:
    """Back to full size; `skips` from the coarsest to the finest, dates already merged."""
    for stage, skip in zip((2, 1, 0), skips, strict=True):
        name = f"decoder{stage}"
        filters = DECODER[stage]
        up = layers.Conv2DTranspose(filters, 4, strides=2, padding="same", name=f"{name}_up")(x)
        up = layers.BatchNormalization(momentum=MOMENTUM, name=f"{name}_up_bn")(up)
        up = layers.ReLU(name=f"{name}_up_relu")(up)
        skip = layers.Conv2D(skip.shape[-1], 1, name=f"{name}_skip_conv")(skip)
        skip = layers.BatchNormalization(momentum=MOMENTUM, name=f"{name}_skip_bn")(skip)
        skip = layers.ReLU(name=f"{name}_skip_relu")(skip)
        x = layers.Concatenate(name=f"{name}_concat")([up, skip])
        x = _convolve(x, filters, f"{name}a", "batch")
        residual = _convolve(x, filters, f"{name}b", "batch")
        x = layers.Add(name=f"{name}_add")([x, residual])
    return x


def build(
    series: Mapping[str, KerasTensor], classes: int, days: Mapping[str, KerasTensor]
) -> KerasTensor:
    """U-TAE on the bands of all sensors, date by date.

    Args:
        series: standardised images by sensor, `(batch, dates, height, width, bands)`. The sensors
            must have the same number of dates, since their bands are joined at each date.
        classes: number of classes.
        days: day of the year of each image by sensor, `(batch, dates)`. Those of the last sensor
            (Sentinel-2 where there are both) stand for the joined images.

    Returns:
        Logits `(batch, height, width, classes)`.
    """
    x = join_sensors(series, "utae")
    dates = x.shape[1]
    days_of_images = list(days.values())[-1]

    features = _encode(FoldDates(name="fold")(x))
    by_date = []
    for stage, image in enumerate(features):
        by_date.append(UnfoldDates(dates, name=f"encoder{stage}_by_date")(image))

    merged, attention = _attend(by_date[-1], days_of_images)
    skips = []
    for stage in (2, 1, 0):
        skips.append(MergeDates(name=f"skip{stage}")(by_date[stage], attention))
    x = _decode(merged, skips)

    x = _convolve(x, LAST_WIDTH, "last", "batch")
    x = ReflectPadding(name="logits_pad")(x)
    return layers.Conv2D(classes, 3, dtype="float32", name="logits")(x)
