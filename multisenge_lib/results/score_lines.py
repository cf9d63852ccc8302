"""The lines that show the scores of a record: at the end of a training, and of an evaluation."""

from multisenge_lib.results.records import Record

#: The scores that are shown; names of `metrics.OVERALL`.
SHOWN_SCORES = ("accuracy", "weighted_f1", "macro_f1", "mean_iou", "kappa")


def format_scores(record: Record) -> str:
    """Write a run's scores on the test split beside those of the commonest class everywhere.

    Returns:
        One line per score.
    """
    lines = []
    for name in SHOWN_SCORES:
        network = _four_digits(record.scores[name])
        constant = _four_digits(record.majority[name])
        lines.append(f"{name:<12} {network}   (the commonest class everywhere: {constant})")
    return "\n".join(lines)


def _four_digits(score: float | None) -> str:
    return "undefined" if score is None else f"{score:.4f}"
