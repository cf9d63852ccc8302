"""U-Net with the convolutions of VGG-16 as encoder, after `segmentation_models` (reference 39)."""

from typing import Any

import keras
import numpy as np
from keras import layers

from multisenge_lib.dataset import SIZE_MULTIPLE
from multisenge_lib.errors import ExperimentError

#: Filters and number of convolutions of each encoder stage: VGG-16.
ENCODER = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))
#: Filters of the block between encoder and decoder.
CENTRE = 512
#: Filters of each decoder stage, from the deepest.
DECODER = (256, 128, 64, 32, 16)
#: Momentum of the moving averages of batch normalisation, as Keras counts it; PyTorch's default,
#: which PyTorch calls 0.1. Keras' own default, 0.99, averages over hundreds of steps, and an epoch
#: of the sample has few. Left open by the paper.
MOMENTUM = 0.9


def check_size(size: int) -> None:
    """Refuse patches whose sides the U-Net cannot halve five times.

    Raises:
        ExperimentError: the size is no multiple of 32.
    """
    if not isinstance(size, int | np.integer):
        raise ExperimentError(f"size {size!r}: give a whole number of pixels, such as 256")
    if size < SIZE_MULTIPLE or size % SIZE_MULTIPLE:
        raise ExperimentError(
            f"patches of {size} x {size} pixels do not fit the U-Net, which halves them five "
            f"times: the size must be a multiple of {SIZE_MULTIPLE}, such as 256"
        )


def _encode(x: Any, trainable: bool) -> tuple[Any, list[Any]]:
    """Run the five stages of VGG-16 on features `(batch, height, width, channels)`.

    Returns:
        The image at 1/32 of its size, `(batch, height/32, width/32, 512)`, and the features of each
        stage before its pooling, the largest first.
    """
    skips = []
    for stage, (filters, convolutions) in enumerate(ENCODER, start=1):
        for number in range(1, convolutions + 1):
            convolution = layers.Conv2D(
                filters,
                3,
                padding="same",
                activation="relu",
                kernel_initializer="he_uniform",
                trainable=trainable,
                # The names of keras.applications.VGG16, so that its weights can be taken over.
                name=f"block{stage}_conv{number}",
            )
            x = convolution(x)
        skips.append(x)
        x = layers.MaxPooling2D(name=f"block{stage}_pool")(x)
    return x, skips


def _double_convolution(x: Any, filters: int, name: str) -> Any:
    """Apply twice: 3x3 convolution, batch normalisation, ReLU.

    Returns:
        `(batch, height, width, filters)`.
    """
    for part in ("a", "b"):
        convolution = layers.Conv2D(
            filters,
            3,
            padding="same",
            use_bias=False,  # the normalisation that follows has a bias of its own
            kernel_initializer="he_uniform",
            name=f"{name}{part}_conv",
        )
        x = convolution(x)
        x = layers.BatchNormalization(momentum=MOMENTUM, name=f"{name}{part}_bn")(x)
        x = layers.ReLU(name=f"{name}{part}_relu")(x)
    return x


def _decode(x: Any, skips: list[Any]) -> Any:
    """Double the image's sides five times, joining a skip of the same size where there is one.

    Args:
        x: the image at 1/32 of its size.
        skips: from the deepest; the decoder's last stages may have none.

    Returns:
        `(batch, height, width, 16)`, at the size of the first features.
    """
    for stage, filters in enumerate(DECODER):
        x = layers.UpSampling2D(name=f"decoder_stage{stage}_upsampling")(x)
        if stage < len(skips):
            x = layers.Concatenate(name=f"decoder_stage{stage}_concat")([x, skips[stage]])
        x = _double_convolution(x, filters, f"decoder_stage{stage}")
    return x


def build_unet(
    channels: int,
    classes: int,
    shape: tuple[int | None, int | None] = (None, None),
    full_resolution_skip: bool = False,
    trainable_encoder: bool = True,
) -> keras.Model:
    """Build the U-Net that turns features into one logit per pixel and class.

    All convolutions before the logits start at random by He's rule, which is made for ReLU. The
    paper leaves the rule open. `segmentation_models` starts an encoder without ImageNet's weights
    by Glorot's rule; we do not, because here the encoder's thirteen layers, without normalisation,
    are trained from nothing at a rate of 1e-3.

    ImageNet's weights do not fit, because VGG-16 takes three channels, and here there are 32 or
    more. The encoder's layers are named as in VGG-16 all the same.

    Args:
        channels: number of channels of the features that come in.
        classes: number of classes, the channels of the logits.
        shape: height and width of the features; None for any.
        full_resolution_skip: whether the last decoder stage sees the encoder's first stage, a fifth
            skip. Both versions of `segmentation_models`, for Keras (1.0.1) and for PyTorch, join
            four skips; the fifth adds 9,216 weights.
        trainable_encoder: False keeps the encoder as it starts.

    Returns:
        A model from `(batch, height, width, channels)` to logits `(batch, height, width, classes)`
        float32; height and width are multiples of 32.
    """
    features = keras.Input((*shape, channels), name="unet_features")

    # Down: from (h, w, channels) to (h/32, w/32, 512).
    x, skips = _encode(features, trainable_encoder)
    if not full_resolution_skip:
        skips = skips[1:]

    # Across, and up again to (h, w, 16).
    x = _double_convolution(x, CENTRE, "centre")
    skips_from_deepest = skips[::-1]
    x = _decode(x, skips_from_deepest)

    # The logits are float32 under any policy: the loss takes their exponentials.
    logits = layers.Conv2D(classes, 3, padding="same", dtype="float32", name="logits")(x)
    return keras.Model(features, logits, name="unet")
