"""Normalisation inside the model (Eq. 4), so that a saved model takes what the rasters hold."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from multisenge_lib.dataset import BACKSCATTER_FLOOR
from multisenge_lib.errors import ExperimentError


@keras.saving.register_keras_serializable(package="multisenge")
class Standardise(keras.layers.Layer):
    """Eq. 4, n = (b - mean) / deviation, on the last axis; in float32 under any policy.

    Args:
        mean: of each band; decibels where `decibel`.
        deviation: of each band, above 0.
        decibel: whether the input is linear and becomes 10 log10 of it first.
        **kwargs: of `keras.layers.Layer`, such as `name`.

    Raises:
        ExperimentError: not one positive deviation a mean.
    """

    def __init__(
        self, mean: Sequence[float], deviation: Sequence[float], decibel: bool = False, **kwargs
    ):
        # float16 would lose backscatter near the floor: no cast before call.
        super().__init__(autocast=False, **kwargs)
        self.mean, self.deviation = (np.asarray(v, "float64").tolist() for v in (mean, deviation))
        self.decibel = decibel
        if len(self.mean) != len(self.deviation) or not min(self.deviation) > 0:
            raise ExperimentError(
                f"{self.name}: one mean and one positive deviation a band are needed, received "
                f"{self.mean} and {self.deviation}: compute them again from the training split"
            )

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Check that there is a mean for each band."""
        if input_shape[-1] != len(self.mean):
            raise ExperimentError(
                f"{self.name}: {len(self.mean)} means for {input_shape[-1]} bands: "
                "give one mean and one deviation for each band"
            )

    def call(self, x: Any) -> Any:
        """Values of Eq. 4, same shape, in the policy's compute dtype."""
        x = ops.cast(x, "float32")
        if self.decibel:
            x = 10 * ops.log10(ops.maximum(x, BACKSCATTER_FLOOR))
        x = (x - np.float32(self.mean)) / np.float32(self.deviation)
        return ops.cast(x, self.compute_dtype)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """The input's."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """What makes this layer again."""
        own = {"mean": self.mean, "deviation": self.deviation, "decibel": self.decibel}
        return {**super().get_config(), **own}
