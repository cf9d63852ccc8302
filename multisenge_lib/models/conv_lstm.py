"""The convolutional LSTM of section 3.1: from a time series of images to one image of features.

Read `ConvLSTM2D` from top to bottom: its weights (`build`), what each date contributes on its own
(`_input_sums`), Eq. 3 for one date (`_next_state`), and the walk over the dates (`all_states`).
"""

from typing import Any, NamedTuple

import keras
from keras import ops

from multisenge_lib.errors import ExperimentError

#: One convolution computes the three gates and the new content of the cell; its output channels
#: hold them in this order.
GATE_ORDER = ("input", "forget", "content", "output")


class StateAtDate(NamedTuple):
    """The three gates and two states of Eq. 3 at one date, each `(..., height, width, filters)`.

    Attributes:
        input: i, in 0 to 1: how much of the new content enters the cell.
        forget: f, in 0 to 1: how much of the old cell stays.
        output: o, in 0 to 1: how much of the cell is shown.
        cell: C, unbounded: what is remembered.
        hidden: H, in -1 to 1 with tanh: what is shown, to the next date and to the next layer.
    """

    input: Any
    forget: Any
    output: Any
    cell: Any
    hidden: Any


def _initial_bias(shape: tuple[int, ...], dtype: str | None = None) -> Any:
    """Start the forget gate's bias at 1 and the others at 0, as Keras does.

    A forget gate that starts open lets the first dates reach the last state, and their gradient
    come back, before anything is learnt.
    """
    per_gate = ops.convert_to_tensor([0.0, 1.0, 0.0, 0.0], dtype)  # in GATE_ORDER
    filters = shape[0] // len(GATE_ORDER)
    return ops.repeat(per_gate, filters)


@keras.saving.register_keras_serializable(package="multisenge")
class ConvLSTM2D(keras.layers.Layer):
    """Eq. 3 of the paper, from `(batch, time, height, width, channels)` to the last hidden state.

    Without peepholes it is `keras.layers.ConvLSTM2D(filters, kernel_size, padding="same")`: same
    weights in the same order, so `ours.set_weights(theirs.get_weights())` converts, and back.

    By default there are no peepholes. Keras and the authors' public code have none, although Eq. 3
    has them (W_c ∘ C, pixel by pixel, after Shi et al., reference 31). With peepholes each pixel of
    the image has weights of its own, so the layer fits one image size only: 3 x height x width x
    filters weights, 6.3 million at 256 x 256 x 32, against 49,000 in the rest (for ten bands). They
    start at zero, so at first the layer computes the same as without them.

    The gates' sigmoid is Eq. 3's and Keras 3's; Keras 2 had its piecewise linear `hard_sigmoid`.

    Args:
        filters: channels of the state; 32 in the paper.
        kernel_size: side of both convolution kernels; 3 in the paper.
        peephole: whether the gates see the cell state.
        activation: the function for the new content of the cell and for its output; tanh in Eq. 3.
        **kwargs: arguments of `keras.layers.Layer`, such as `name`.
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
        self.filters = filters
        self.kernel_size = kernel_size
        self.peephole = peephole
        self.activation = keras.activations.get(activation)
        self.input_spec = keras.layers.InputSpec(ndim=5)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the weights for inputs of a shape `(batch, dates, height, width, channels)`."""
        _, dates, height, width, channels = input_shape
        side = self.kernel_size
        channels_of_all_gates = len(GATE_ORDER) * self.filters

        # All W_x of Eq. 3, which see the image of a date.
        self.kernel = self.add_weight((side, side, channels, channels_of_all_gates), name="kernel")

        # All W_h of Eq. 3, which see the hidden state of the date before.
        self.recurrent_kernel = self.add_weight(
            (side, side, self.filters, channels_of_all_gates),
            "orthogonal",
            name="recurrent_kernel",
        )
        # With a single date the recurrent weights are never used: do not train them.
        self.recurrent_kernel.trainable = dates != 1

        self.bias = self.add_weight((channels_of_all_gates,), _initial_bias, name="bias")
        if self.peephole:
            self._build_peepholes((height, width, self.filters))

    def _build_peepholes(self, shape: tuple[int | None, ...]) -> None:
        """Make W_ci, W_cf and W_co of Eq. 3, each `(height, width, filters)`."""
        if None in shape:
            raise ExperimentError(
                f"{self.name}: peepholes need a fixed image size, since Eq. 3 has one weight per "
                f"pixel; received {shape[:2]}: give the input a height and width, or peephole=False"
            )
        self.peephole_i = self.add_weight(shape, "zeros", name="peephole_i")
        self.peephole_f = self.add_weight(shape, "zeros", name="peephole_f")
        self.peephole_o = self.add_weight(shape, "zeros", name="peephole_o")

    def _input_sums(self, x: Any) -> list[Any]:
        """Compute W_x * X + b of all gates, `(batch, height, width, 4 * filters)` for each date.

        The images of all dates do not depend on each other, so one convolution takes them all,
        with time folded into the batch.
        """
        _, dates, height, width, channels = ops.shape(x)
        # Time goes first: the images of one date then lie together, and no later step copies them.
        by_date = ops.swapaxes(x, 0, 1)  # (dates, batch, height, width, channels)
        folded = ops.reshape(by_date, (-1, height, width, channels))
        sums = ops.conv(folded, self.kernel, padding="same") + self.bias
        unfolded = ops.reshape(sums, (dates, -1, height, width, sums.shape[-1]))
        return ops.unstack(unfolded, dates)

    def _next_state(self, sums: Any, previous: StateAtDate | None) -> StateAtDate:
        """Apply Eq. 3 to one date.

        Args:
            sums: W_x * X + b of this date, `(batch, height, width, 4 * filters)`.
            previous: the state at the date before; None for the first date, whose old states are
                zero.
        """
        # The zero state before the first date adds nothing, so it is not convolved.
        if previous is not None:
            sums = sums + ops.conv(previous.hidden, self.recurrent_kernel, padding="same")
        # Each (batch, height, width, filters).
        i_sum, f_sum, content_sum, o_sum = ops.split(sums, len(GATE_ORDER), axis=-1)

        # The input and the forget gate look at the old cell ...
        if previous is not None and self.peephole:
            i_sum = i_sum + self.peephole_i * previous.cell
            f_sum = f_sum + self.peephole_f * previous.cell
        i = ops.sigmoid(i_sum)
        f = ops.sigmoid(f_sum)

        # ... of which a part is kept, and new content comes in ...
        new_content = i * self.activation(content_sum)
        cell = new_content if previous is None else f * previous.cell + new_content

        # ... and the output gate looks at the new cell.
        if self.peephole:
            o_sum = o_sum + self.peephole_o * cell
        o = ops.sigmoid(o_sum)
        hidden = o * self.activation(cell)
        return StateAtDate(i, f, o, cell, hidden)

    def all_states(self, x: Any) -> list[StateAtDate]:
        """Apply Eq. 3 from the first date to the last: all that `call` computes."""
        states: list[StateAtDate] = []
        state = None
        for sums in self._input_sums(x):
            state = self._next_state(sums, previous=state)
            states.append(state)
        return states

    def call(self, x: Any) -> Any:
        """Return the hidden state after the last date: `(batch, height, width, filters)`."""
        return self.all_states(x)[-1].hidden

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Drop time and replace the channels by the filters."""
        batch, _, height, width, _ = input_shape
        return batch, height, width, self.filters

    def get_config(self) -> dict[str, Any]:
        """Return the arguments with which Keras rebuilds this layer."""
        config = super().get_config()
        config["filters"] = self.filters
        config["kernel_size"] = self.kernel_size
        config["peephole"] = self.peephole
        config["activation"] = keras.activations.serialize(self.activation)
        return config


def gates(layer: ConvLSTM2D, x: Any) -> StateAtDate:
    """Return the gates and states of a layer at each date, to see what it does.

    Args:
        layer: built, as in a model.
        x: `(batch, time, height, width, channels)`, what the layer would be called with.

    Returns:
        NumPy arrays `(batch, time, height, width, filters)`.
    """
    states = layer.all_states(ops.convert_to_tensor(x, layer.variable_dtype))
    over_time = []
    for values in zip(*states, strict=True):  # of one quantity, at each date
        stacked = ops.stack(values, axis=1)
        over_time.append(ops.convert_to_numpy(stacked))
    return StateAtDate(*over_time)
