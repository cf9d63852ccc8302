"""The naive Inception module of Figure 7: one date seen through windows of three sizes."""

from typing import Any

from keras import layers


def naive_inception(x: Any, filters: int = 32, pool: bool = True) -> Any:
    """Put convolutions of 1x1, 3x3 and 5x5 and a max pooling side by side (Figure 7).

    Section 3.2 says that the convolutions are "followed by a MaxPooling which allow limiting the
    overfitting and to save inputs in the model". We read the pooling as Figure 7 names it, a naive
    Inception module's: a fourth branch that pools the inputs themselves (3x3, stride 1). Without
    this branch the module gives 96 channels. The authors' later code gives 96 channels too, but
    its module is not naive: 1x1 convolutions reduce the channels.

    Args:
        x: `(batch, height, width, channels)`, standardised; in the paper's network the first date
            of Sentinel-1 and Sentinel-2 stacked, 12 channels.
        filters: channels that each convolution gives; left open by the paper.
        pool: whether the pooled inputs are among the outputs.

    Returns:
        `(batch, height, width, 3 * filters + channels)`, or `3 * filters` without the pool.
    """
    branches = []
    for side in (1, 3, 5):
        convolution = layers.Conv2D(
            filters,
            side,
            padding="same",
            activation="relu",
            kernel_initializer="he_uniform",
            name=f"inception_{side}x{side}",
        )
        branches.append(convolution(x))  # (batch, height, width, filters)

    if pool:
        # Stride 1 and padding keep the size, so that the branches can be joined.
        pooling = layers.MaxPooling2D(3, strides=1, padding="same", name="inception_pool")
        branches.append(pooling(x))  # (batch, height, width, channels)

    return layers.Concatenate(name="inception")(branches)
