"""The lines that training shows while it runs, one per epoch.

They go to standard output. Apart from the command line, nothing else in the library prints. In a
notebook run by papermill, `--log-output` shows them in the terminal as well.
"""

from collections.abc import Mapping

import keras


def show(line: str) -> None:
    """Show a line at once, also where another program reads it."""
    print(line, flush=True)


class Progress(keras.callbacks.Callback):
    """Shows one line per epoch."""

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """Show the losses of an epoch and its learning rate."""
        logs = logs or {}
        show(
            f"epoch {epoch + 1} of at most {self.params['epochs']}: loss {logs['loss']:.4f}, "
            f"validation {logs['val_loss']:.4f}, learning rate {logs['learning_rate']:.0e}"
        )
