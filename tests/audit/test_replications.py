"""All public runs of others: read whole, scored from their matrices, compared as the paper is."""

import numpy as np
import pytest

from multisenge_lib import paper
from multisenge_lib.audit import replications

MATRIX = np.array([[8, 1, 1], [2, 5, 3], [0, 6, 4]])


def test_sixteen_runs_and_eight_matrices():
    others = paper.replication()
    assert len([run for run in others.runs if run.commit]) == 16
    assert len({run.title for run in others.runs}) == len(others.runs) == 17
    assert len(others.matrices(6)) == len(others.matrices(10)) == 4
    for run in others.runs:
        if run.commit is None:
            assert run.note
        else:
            assert len(run.commit) == 40
            assert others.address(run).endswith(run.path)


@pytest.mark.parametrize("run", paper.replication().runs, ids=lambda run: run.title)
def test_reported_scores_follow_from_the_matrix(run):
    if run.confusion is None:
        return
    computed = replications.overall_scores(run)
    assert computed["kappa"] == pytest.approx(run.kappa, abs=1e-12)
    assert computed["weighted_f1"] == pytest.approx(run.weighted_f1, abs=1e-12)
    assert computed["macro_f1"] == pytest.approx(run.mean_f1, abs=1e-12)
    assert run.confusion.sum(axis=1).tolist() == paper.replication().support[run.classes].tolist()


def test_tables_hold_the_paper_and_all_runs():
    six = replications.public_run_table(6)
    ten = replications.public_run_table(10)
    assert six["by"].value_counts().to_dict() == {"replication": 10, "paper": 4}
    assert ten["by"].value_counts().to_dict() == {"replication": 7, "paper": 4}
    assert ten.loc["ConvLSTM+Inception-S1S2", "kappa"] == 0.7945
    last = six.loc["ConvLSTM+Inception-S1S2, replicate v0, last epoch (25)"]
    assert last["macro_f1"] == pytest.approx(0.499, abs=5e-4)


def test_the_replicate_is_below_the_paper_in_nine_of_ten_classes():
    table = replications.class_f1_table(10)
    published = table.loc["ConvLSTM+Inception-S1S2"]
    replicate = table.loc["ConvLSTM+Inception-S1S2, replicate v0, best on validation"]
    assert (replicate < published).sum() == 9


def test_one_network_spreads_wider_than_four_methods():
    states, methods = replications.spread_of_one_network(6)["weighted_f1"]
    assert states.count == methods.count == 4
    assert (states.least, states.most) == (0.8906, 0.9098)
    assert (methods.least, methods.most) == (0.8875, 0.9018)
    assert states.width > methods.width


def test_merged_runs_beside_the_same_model_trained_on_six():
    table = replications.merged_runs()
    utae = table.loc["U-TAE, S1+S2 concatenated"]
    assert utae["kappa_six"] == pytest.approx(0.576, abs=5e-4)
    assert utae["kappa"] == pytest.approx(0.616, abs=5e-4)
    assert (table["kappa"] > table["kappa_six"]).all()


def test_shares_of_wrong_and_missed_by_hand():
    # Wrongly predicted as class 2: 1 of class 1 and 6 of class 3.
    assert replications.share_of_wrong(MATRIX, predicted=2, reference=3) == 6 / 7
    # Missed of class 2: 2 as class 1 and 3 as class 3.
    assert replications.share_of_missed(MATRIX, reference=2, predicted=1) == 2 / 5


def test_answers_to_what_the_margins_leave_open():
    answers = replications.answers()
    utae = "U-TAE, S2 only"
    shares = {(a.claim, a.predicate): a.shares for a in answers if a.classes == 10}
    wrong_water = "of the pixels wrongly predicted as class 10 are of class"
    for class_id, percent in ((9, 39), (8, 25), (6, 24)):
        share = shares["confusion-9-10", f"{wrong_water} {class_id}"][utae]
        assert round(100 * share) == percent
    both = "U-TAE, S1+S2 concatenated"
    missed = "of the missed pixels of class 7 are predicted as class 4"
    wrong = "of the pixels wrongly predicted as class 4 are of class 7"
    assert round(100 * shares["vineyards-confusion", missed][both]) == 41
    assert round(100 * shares["vineyards-confusion", wrong][both]) == 55
    assert "Other models on the same pixels show" in replications.answers_in_words("confusion-1-2")


def test_what_sentinel_1_adds_in_other_models():
    gains = replications.sensor_gains()["weighted_f1"].round(3)
    assert gains[10, "U-TAE, S1+S2 concatenated"] == -0.005
    assert gains[10, "MA-UTAE, two encoders concatenated"] == 0.002
    assert gains[6, "U-TAE, S1+S2 concatenated"] == 0.019


def test_urban_f1_is_the_mean_of_five_classes():
    by_class = replications.class_f1_table(10)
    urban = replications.urban_f1_of_models(10)
    model = "ConvLSTM+Inception-S1S2"
    assert urban[model] == pytest.approx(sum(by_class.loc[model, range(1, 6)]) / 5)
