"""Adam, with which the paper trains (section 3.4)."""

from typing import Any

import keras


class FusedAdam(keras.optimizers.Adam):
    """Keras' Adam with TensorFlow's own kernel: one pass over a variable instead of a dozen.

    The same steps but for rounding, on TensorFlow and one device.
    """

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Change one variable by its gradient."""
        import tensorflow as tf

        number, cast = self._get_variable_index(variable), lambda x: tf.cast(x, variable.dtype)
        step, beta_1, beta_2 = (cast(x) for x in (self.iterations + 1, self.beta_1, self.beta_2))
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[number].handle,
            v=self._velocities[number].handle,
            beta1_power=beta_1**step,
            beta2_power=beta_2**step,
            lr=cast(learning_rate),
            beta1=beta_1,
            beta2=beta_2,
            epsilon=cast(self.epsilon),
            grad=gradient,
        )


def adam(learning_rate: float, devices: int = 1) -> keras.optimizers.Adam:
    """The fastest Adam that this backend and so many devices can have."""
    fused = keras.backend.backend() == "tensorflow" and devices == 1
    return (FusedAdam if fused else keras.optimizers.Adam)(learning_rate)
