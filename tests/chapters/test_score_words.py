"""The names of the scores, and how one over several runs is written."""

from multisenge_lib.chapters.score_words import axis_title, mean_with_spread, score_title
from multisenge_lib.results import OVERALL


def test_every_overall_score_has_a_name():
    assert [score_title(name) for name in OVERALL] == [
        "accuracy",
        "weighted precision",
        "weighted recall",
        "weighted F1",
        "macro F1",
        "mean IoU",
        "kappa",
    ]
    assert score_title("seeds") == "seeds"


def test_axes_say_more_than_columns():
    titles = [axis_title(name) for name in ("weighted_f1", "kappa", "urban_f1", "accuracy")]
    assert titles == ["Weighted F1", "Cohen's kappa", "Mean urban F1", "Accuracy"]


def test_one_run_has_no_spread():
    assert mean_with_spread(0.5, 0.01) == "0.500\u00a0±\u00a00.010"
    assert mean_with_spread(0.5, float("nan")) == "0.500"
