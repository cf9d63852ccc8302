"""The convolutional LSTM of section 3.1: a time series of images to one image of features."""

from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from multisenge_lib.errors import ExperimentError


class Gates(NamedTuple):
    """The five quantities of Eq. 3, each `(..., height, width, filters)`.

    Attributes:
        input: i, in 0 to 1: how much of the new content enters the cell.
        forget: f, in 0 to 1: how much of the old cell stays.
        output: o, in 0 to 1: how much of the cell is shown.
        cell: C, unbounded: what is remembered.
        hidden: H, in -1 to 1 by tanh: what is shown, to the next date and to the next layer.
    """

    input: Any
    forget: Any
    output: Any
    cell: Any
    hidden: Any


def _remember_at_first(shape: tuple[int, ...], dtype: str | None = None) -> Any:
    """Biases at the start, as Keras has them: 1 for the forget gate, 0 for the others."""
    return ops.repeat(ops.convert_to_tensor([0.0, 1.0, 0.0, 0.0], dtype), shape[0] // 4)


@keras.saving.register_keras_serializable(package="multisenge")
class ConvLSTM2D(keras.layers.Layer):
    """Eq. 3 of the paper, from `(batch, time, height, width, channels)` to the last hidden state.

    The sums inside the four gates are one convolution with 4 x `filters` channels, in the order
    i, f, c, o: one for the inputs of all dates together, with time folded into the batch, and
    one a date for the hidden state. The zero state before the first date is not convolved.

    Without peepholes it is `keras.layers.ConvLSTM2D(filters, kernel_size, padding="same")`: same
    weights in the same order, so `ours.set_weights(theirs.get_weights())` converts, and back.

    That is the default, though Eq. 3 has the peephole terms W_c o C: no Keras layer has them, and
    the paper's networks are Keras networks; nor has the authors' public code. Eq. 3, after Shi et
    al. (reference 31), means a Hadamard product: one weight a pixel and filter. So peepholes tie
    the layer to one image size and to places in the patch, 3 x height x width x filters weights
    (6.3 million at 256 x 256 x 32, against 49,000 in the rest), where a patch is cut at random.
    They start at zero, hence as the layer without them.

    The gates' sigmoid is Eq. 3's and Keras 3's; Keras 2 had its piecewise linear `hard_sigmoid`.

    Args:
        filters: channels of the state; 32 in the paper.
        kernel_size: side of both convolution kernels; 3 in the paper.
        peephole: whether the gates see the cell state.
        activation: of the cell's content and of what it shows; Eq. 3 has tanh.
        **kwargs: of `keras.layers.Layer`, such as `name`.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int,
        peephole: bool = False,
        activation: str = "tanh",
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.filters, self.kernel_size, self.peephole = filters, kernel_size, peephole
        self.activation = keras.activations.get(activation)
        self.input_spec = keras.layers.InputSpec(ndim=5)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the weights; see the class."""
        _, dates, height, width, channels = input_shape
        window = np.broadcast_to(self.kernel_size, 2).tolist()
        self.kernel = self.add_weight((*window, channels, 4 * self.filters), name="kernel")
        self.recurrent_kernel = self.add_weight(
            (*window, self.filters, 4 * self.filters), "orthogonal", name="recurrent_kernel"
        )
        self.recurrent_kernel.trainable = dates != 1  # a single date comes after nothing
        self.bias = self.add_weight((4 * self.filters,), _remember_at_first, name="bias")
        if self.peephole:
            self._build_peepholes((height, width, self.filters))

    def _build_peepholes(self, shape: tuple[int | None, ...]) -> None:
        if None in shape:
            raise ExperimentError(
                f"{self.name}: peepholes need a fixed image size (Eq. 3 has one weight a pixel), "
                f"received {shape[:2]}: give the input a height and width, or peephole=False"
            )
        self.peephole_i = self.add_weight(shape, "zeros", name="peephole_i")
        self.peephole_f = self.add_weight(shape, "zeros", name="peephole_f")
        self.peephole_o = self.add_weight(shape, "zeros", name="peephole_o")

    def _from_inputs(self, x: Any) -> list[Any]:
        """W_x * X + b of all gates, one tensor a date; time first, so that none is copied."""
        _, dates, height, width, channels = ops.shape(x)
        folded = ops.reshape(ops.swapaxes(x, 0, 1), (-1, height, width, channels))
        sums = ops.conv(folded, self.kernel, padding="same") + self.bias
        return ops.unstack(ops.reshape(sums, (dates, -1, height, width, sums.shape[-1])), dates)

    def _date(self, sums: Any, last: Gates | None) -> Gates:
        """Eq. 3 at one date; before the first, `last` is None and both states are zero."""
        if last is not None:
            sums = sums + ops.conv(last.hidden, self.recurrent_kernel, padding="same")
        i, f, c, o = ops.split(sums, 4, axis=-1)
        if last is not None and self.peephole:
            i, f = i + self.peephole_i * last.cell, f + self.peephole_f * last.cell
        i, f = ops.sigmoid(i), ops.sigmoid(f)
        cell = i * self.activation(c)
        if last is not None:
            cell = f * last.cell + cell
        if self.peephole:
            o = o + self.peephole_o * cell
        o = ops.sigmoid(o)
        return Gates(i, f, o, cell, o * self.activation(cell))

    def dates(self, x: Any) -> list[Gates]:
        """Eq. 3 from the first date to the last: all that `call` computes."""
        states: list[Gates] = []
        for sums in self._from_inputs(x):
            states.append(self._date(sums, states[-1] if states else None))
        return states

    def call(self, x: Any) -> Any:
        """The hidden state after the last date: `(batch, height, width, filters)`."""
        return self.dates(x)[-1].hidden

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Time goes, channels become filters."""
        batch, _, height, width, _ = input_shape
        return batch, height, width, self.filters

    def get_config(self) -> dict[str, Any]:
        """What makes this layer again."""
        own = {name: getattr(self, name) for name in ("filters", "kernel_size", "peephole")}
        activation = keras.activations.serialize(self.activation)
        return {**super().get_config(), **own, "activation": activation}


def gates(layer: ConvLSTM2D, x: Any) -> Gates:
    """What a layer's gates and states are at each date.

    Args:
        layer: built, as in a model.
        x: `(batch, time, height, width, channels)`, what the layer would be called with.

    Returns:
        NumPy arrays `(batch, time, height, width, filters)`.
    """
    states = layer.dates(ops.convert_to_tensor(x, layer.variable_dtype))
    over_time = [ops.stack(quantity, axis=1) for quantity in zip(*states, strict=True)]
    return Gates(*map(ops.convert_to_numpy, over_time))
