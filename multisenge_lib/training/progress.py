"""The lines that training prints, one per epoch. For the scores see `results.print_scores`.

They go to standard output. In a notebook run by papermill, `--log-output` shows them in the
terminal as well.
"""

from collections.abc import Mapping

import keras


class Progress(keras.callbacks.Callback):
    """Prints one line per epoch."""

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """Print the losses of an epoch and its learning rate."""
        logs = logs or {}
        print(
            f"epoch {epoch + 1} of at most {self.params['epochs']}: loss {logs['loss']:.4f}, "
            f"validation {logs['val_loss']:.4f}, learning rate {logs['learning_rate']:.0e}",
            flush=True,
        )
