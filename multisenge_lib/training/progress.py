"""The lines that training prints: one per epoch, and the scores at the end.

They go to standard output. In a notebook run by papermill, `--log-output` shows them in the
terminal as well.
"""

from collections.abc import Mapping

import keras

from multisenge_lib.results import Record

#: The scores that are printed when a run ends.
_PRINTED = ("accuracy", "weighted_f1", "macro_f1", "mean_iou", "kappa")


def print_scores(record: Record) -> None:
    """Print a run's scores on the test split, beside those of the commonest class everywhere."""
    for name in _PRINTED:
        network = _four_digits(record.scores[name])
        constant = _four_digits(record.majority[name])
        print(f"{name:<12} {network}   (the commonest class everywhere: {constant})", flush=True)


def _four_digits(score: float | None) -> str:
    return "undefined" if score is None else f"{score:.4f}"


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
