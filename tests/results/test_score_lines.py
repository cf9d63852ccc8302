"""The scores that are printed when a run ends."""

from records import make_record

from multisenge_lib.results import OVERALL, print_scores
from multisenge_lib.results.score_lines import PRINTED


def test_each_printed_score_is_one_of_a_record(capsys):
    record = make_record("s1_10c")
    print_scores(record)
    lines = capsys.readouterr().out.splitlines()
    assert set(PRINTED) <= set(OVERALL)
    assert [line.split()[0] for line in lines] == list(PRINTED)
    assert f"{record.scores['mean_iou']:.4f}" in lines[PRINTED.index("mean_iou")]
