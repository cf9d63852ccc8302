"""The lines of scores that are shown when a run ends."""

from records import make_record

from multisenge_lib.results import OVERALL, format_scores
from multisenge_lib.results.score_lines import SHOWN_SCORES


def test_each_score_that_is_shown_is_one_of_a_record():
    record = make_record("s1_10c")
    lines = format_scores(record).splitlines()
    assert set(SHOWN_SCORES) <= set(OVERALL)
    assert [line.split()[0] for line in lines] == list(SHOWN_SCORES)
    assert f"{record.scores['mean_iou']:.4f}" in lines[SHOWN_SCORES.index("mean_iou")]
