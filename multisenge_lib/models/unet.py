"""U-Net with the convolutions of VGG-16 as encoder, after `segmentation_models` (reference 39)."""

from typing import Any

import keras
from keras import layers

from multisenge_lib.errors import ExperimentError

#: Filters and convolutions of each encoder stage: VGG-16.
ENCODER = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))
#: Filters of the centre block and of each decoder stage.
CENTRE, DECODER = 512, (256, 128, 64, 32, 16)
#: Of the moving averages of batch normalisation: PyTorch's default. Keras' own, 0.99, lags hundreds
#: of steps behind, where an epoch of the sample has 14. Left open by the paper.
MOMENTUM = 0.9
#: The image's sides are halved by each encoder stage, so they must be multiples of this.
STRIDE = 2 ** len(ENCODER)


def check_size(size: int) -> None:
    """Refuse patches whose sides the U-Net cannot halve five times.

    Raises:
        ExperimentError: the size is no multiple of 32.
    """
    if size < STRIDE or size % STRIDE:
        raise ExperimentError(
            f"patches of {size} x {size} pixels do not fit the U-Net, which halves them five "
            f"times: the size must be a multiple of {STRIDE}, such as 256"
        )


def _encode(x: Any, trainable: bool) -> tuple[Any, list[Any]]:
    """The image at 1/32 of its size, and what each stage saw before halving it."""
    skips = []
    for stage, (filters, depth) in enumerate(ENCODER, 1):
        for i in range(1, depth + 1):
            x = layers.Conv2D(
                filters,
                3,
                padding="same",
                activation="relu",
                kernel_initializer="he_uniform",
                trainable=trainable,
                name=f"block{stage}_conv{i}",
            )(x)
        skips.append(x)
        x = layers.MaxPooling2D(name=f"block{stage}_pool")(x)
    return x, skips


def _convolve(x: Any, filters: int, name: str) -> Any:
    """Two times 3x3 convolution, batch normalisation, ReLU."""
    for part in "ab":
        x = layers.Conv2D(
            filters,
            3,
            padding="same",
            use_bias=False,
            kernel_initializer="he_uniform",
            name=f"{name}{part}_conv",
        )(x)
        x = layers.BatchNormalization(momentum=MOMENTUM, name=f"{name}{part}_bn")(x)
        x = layers.ReLU(name=f"{name}{part}_relu")(x)
    return x


def _decode(x: Any, skips: list[Any]) -> Any:
    """Back to full size; `skips` from the deepest, the decoder's last stages may have none."""
    for stage, filters in enumerate(DECODER):
        x = layers.UpSampling2D(name=f"decoder_stage{stage}_upsampling")(x)
        for skip in skips[stage : stage + 1]:
            x = layers.Concatenate(name=f"decoder_stage{stage}_concat")([x, skip])
        x = _convolve(x, filters, f"decoder_stage{stage}")
    return x


def build_unet(
    features: int | keras.KerasTensor,
    classes: int,
    full_resolution_skip: bool = False,
    trainable_encoder: bool = True,
) -> keras.Model:
    """U-Net from features to logits.

    Layers are named as in VGG-16. Weights start at random: ImageNet's are for three channels in,
    and here there are 32 or more. `segmentation_models` then leaves the encoder at Glorot's
    start; we take He's, made for ReLU, in encoder and decoder, since thirteen layers without
    normalisation are trained from nothing at a rate of 1e-3. Left open by the paper.

    Args:
        features: channels in, for images of any size; or `keras.Input((height, width, channels))`.
        classes: channels out.
        full_resolution_skip: whether the last decoder stage sees the encoder's first stage.
            `segmentation_models` 1.0.1, and PyTorch's, join the four deepest only; 9,216 weights
            make the difference.
        trainable_encoder: False keeps the encoder as it starts.

    Returns:
        `(batch, height, width, channels)` to logits `(batch, height, width, classes)` float32;
        height and width multiples of 32.
    """
    if isinstance(features, int):
        features = keras.Input((None, None, features), name="features")
    x, skips = _encode(features, trainable_encoder)
    x = _convolve(x, CENTRE, "centre")
    x = _decode(x, skips[::-1] if full_resolution_skip else skips[:0:-1])
    logits = layers.Conv2D(classes, 3, padding="same", dtype="float32", name="logits")(x)
    return keras.Model(features, logits, name="unet")
