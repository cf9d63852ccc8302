"""The paper's questions in one table: its own answer, the answer of others, and the sample's."""

from collections.abc import Mapping

import pandas as pd

from multisenge_lib import audit
from multisenge_lib.chapters.comparison import paper_scores, urban_f1
from multisenge_lib.chapters.evidence_figures import short_name, urban_steps
from multisenge_lib.chapters.gains import SIGNED, class_gains, step_gains
from multisenge_lib.chapters.html import count_word, write_number
from multisenge_lib.chapters.steps import INCEPTION_ADDED, S1_ADDED, Step
from multisenge_lib.dataset import SAMPLE
from multisenge_lib.errors import counted
from multisenge_lib.paper import METHODS
from multisenge_lib.results import (
    URBAN_F1,
    TestedDifference,
    common_seeds,
    comparable_runs,
    correct,
    paired_difference,
    read_runs,
)

_NOT_TESTED = "Not tested."
_NOT_TRAINED = "Not trained yet."
#: On the sample: a network that sees all dates, and the same network on the first date alone.
_SEVERAL_DATES = (
    ("U-Net", "stack_10c", "unet_10c"),
    ("ConvLSTM+Inception", "inception_10c", "inception_10c+one_date"),
)


def question_table() -> pd.DataFrame:
    """Answer the paper's questions from three sources, one question per row.

    Returns:
        Sentences. Columns: the question; the paper's tables; others, on the same real images; our
        sample. Changes are of the mean F1 of the five urban classes, if no other score is named.
    """
    rows = [
        ("Ten classes instead of six?", _classes_in_paper(), _classes_of_others()),
        ("Radar added to optical images?", _step_in_paper(S1_ADDED), _radar_of_others()),
        ("The Inception module?", _step_in_paper(INCEPTION_ADDED), _NOT_TESTED),
        ("Four dates instead of one?", _NOT_TESTED, _NOT_TESTED),
    ]
    columns = ["Do towns gain from …", "the paper's tables", "others, same real images"]
    table = pd.DataFrame(rows, columns=columns)
    table["our synthetic sample"] = [
        _classes_on_the_sample(),
        _step_on_the_sample(S1_ADDED),
        _step_on_the_sample(INCEPTION_ADDED),
        _dates_on_the_sample(),
    ]
    return table


def _classes_in_paper() -> str:
    six, ten = (urban_f1(paper_scores(classes)).mean() for classes in (6, 10))
    values = sorted(ten - six)
    low, high = (write_number(value, SIGNED) for value in (values[0], values[-1]))
    beside_six = audit.merged_table(audit.published_evidence()).loc["kappa", "beside_six"]
    certain = (beside_six == "certainly higher").sum()
    return (
        f"{low} to {high}. With the ten merged to six, kappa is certainly higher for "
        f"{_of_networks(certain, len(beside_six))}."
    )


def _classes_of_others() -> str:
    six = audit.urban_f1_of_models(6).drop(list(METHODS))
    ten = audit.urban_f1_of_models(10).drop(list(METHODS))
    # Two trainings of one network may have kept different epochs: "best on validation (epoch 5)".
    six.index = six.index.str.partition(" (").get_level_values(0)
    ten.index = ten.index.str.partition(" (").get_level_values(0)
    gains = (ten - six).dropna()  # of the networks with scores by class for both
    low, high = (write_number(gain, SIGNED) for gain in (gains.min(), gains.max()))
    merged = audit.merged_runs()
    higher = (merged["kappa"] > merged["kappa_six"]).sum()
    return (
        f"{low} to {high} ({count_word(len(gains))} networks). With the ten merged to six, kappa "
        f"is higher for {_of_networks(higher, len(merged))}."
    )


def _of_networks(count: int, networks: int) -> str:
    """Write "three of four networks", or "all four networks"."""
    of_all = count_word(networks)
    if count == networks:
        return f"all {of_all} networks"
    return f"{count_word(count)} of {of_all} networks"


def _classes_on_the_sample() -> str:
    gains = class_gains(SAMPLE.name)
    if not gains:
        return _NOT_TRAINED
    values = sorted(gain.difference.value for gain in gains.values())
    low, high = (write_number(value, SIGNED) for value in (values[0], values[-1]))
    clear = sum(gain.is_clear for gain in gains.values())
    return f"{low} to {high}, clear for {_of_networks(clear, len(gains))}."


def _step_in_paper(step: Step) -> str:
    changes = urban_steps().loc[step.name]
    parts = [f"{write_number(changes[column], SIGNED)} ({column})" for column in changes.index]
    return ", ".join(parts) + "."


def _radar_of_others() -> str:
    gains = audit.sensor_gains()[URBAN_F1]
    sentences = []
    for model in gains.index.unique("model"):
        by_classes = gains.xs(model, level="model")
        changes = [
            f"{write_number(value, SIGNED)} ({classes} classes)"
            for classes, value in by_classes.dropna().items()
        ]
        sentences.append(f"{short_name(model)}: {', '.join(changes)}.")
    return " ".join(sentences)


def _step_on_the_sample(step: Step) -> str:
    gains = step_gains(SAMPLE.name, 6, 10, score=URBAN_F1)  # corrected for all steps together
    start = f"{step.name}, "
    return _gains_in_words(
        {name.removeprefix(start): gain for name, gain in gains.items() if name.startswith(start)}
    )


def _dates_on_the_sample() -> str:
    names = set()
    for _, several, one in _SEVERAL_DATES:
        names |= {several, one}
    runs_of = {name: read_runs(SAMPLE.name, name) for name in sorted(names)}
    runs, _ = comparable_runs(runs_of)
    differences = {}
    for network, several, one in _SEVERAL_DATES:
        if common_seeds(runs[several], runs[one]):
            differences[network] = paired_difference(runs[several], runs[one], URBAN_F1)
    return _gains_in_words(correct(differences))


def _gains_in_words(gains: Mapping[str, TestedDifference]) -> str:
    if not gains:
        return _NOT_TRAINED
    parts = []
    for name, gain in gains.items():
        verdict = "clear" if gain.is_clear else "not clear"
        if not gain.has_enough_seeds:
            pairs = counted(gain.difference.seeds, "pair", "pairs")
            verdict = f"{pairs} of runs, too few for a claim"
        value = write_number(gain.difference.value, SIGNED)
        parts.append(f"{value}, {verdict} ({name})")
    return "; ".join(parts) + "."
