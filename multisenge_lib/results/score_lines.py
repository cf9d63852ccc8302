"""The lines that show the scores of a record: at the end of a training, and of an evaluation."""

from multisenge_lib.results.records import Record

#: The scores that are printed; names of `metrics.OVERALL`.
PRINTED = ("accuracy", "weighted_f1", "macro_f1", "mean_iou", "kappa")


def print_scores(record: Record) -> None:
    """Print a run's scores on the test split, beside those of the commonest class everywhere."""
    for name in PRINTED:
        network = _four_digits(record.scores[name])
        constant = _four_digits(record.majority[name])
        print(f"{name:<12} {network}   (the commonest class everywhere: {constant})", flush=True)


def _four_digits(score: float | None) -> str:
    return "undefined" if score is None else f"{score:.4f}"
