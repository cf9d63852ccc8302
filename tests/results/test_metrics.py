import json
import warnings

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn import metrics

from multisenge_lib.errors import MultiSenGEError
from multisenge_lib.results.metrics import (
    OVERALL,
    PER_CLASS,
    confusion_matrix,
    score_many,
    scores,
)

SKLEARN = {
    "precision": metrics.precision_score,
    "recall": metrics.recall_score,
    "f1": metrics.f1_score,
    "iou": metrics.jaccard_score,
}
maps = arrays(np.uint8, (2, 6, 5), elements=st.integers(1, 4))


# Confusion matrix


def test_confusion_by_hand():
    reference = np.array([[1, 1, 2], [3, 0, 2]])
    predicted = np.array([[1, 2, 2], [2, 3, 2]])
    assert confusion_matrix(reference, predicted, 3).tolist() == [[1, 1, 0], [0, 2, 0], [0, 1, 0]]


@given(maps)
def test_confusion_is_that_of_sklearn(pair):
    expected = metrics.confusion_matrix(pair[0].ravel(), pair[1].ravel(), labels=[1, 2, 3, 4])
    np.testing.assert_array_equal(confusion_matrix(*pair, 4), expected)


@given(arrays(np.uint8, (2, 4, 4), elements=st.integers(0, 3)))
def test_pixels_without_reference_are_not_counted(pair):
    predicted = np.maximum(pair[1], 1)
    assert confusion_matrix(pair[0], predicted, 3).sum() == np.count_nonzero(pair[0])


def test_patches_add_up():
    rng = np.random.default_rng(1)
    reference, predicted = rng.integers(1, 11, (2, 3, 16, 16), dtype=np.uint8)
    whole = confusion_matrix(reference, predicted, 10)
    parts = [confusion_matrix(r, p, 10) for r, p in zip(reference, predicted, strict=True)]
    np.testing.assert_array_equal(sum(parts), whole)


@pytest.mark.parametrize(
    ("reference", "predicted", "message"),
    [
        ([1, 7], [1, 1], r"reference ids \[7\] are not in the typology: it has 1 to 3"),
        ([1, 2], [1, -1], r"predicted ids \[-1\] are not in the typology"),
        ([1, 2], [0, 1], "1 pixels have a reference and the predicted id 0"),
        ([1.0, 2.0], [1, 1], "reference ids are float64"),
        ([1, 2], [1], r"the reference is \(2,\) and the prediction \(1,\)"),
    ],
)
def test_bad_maps_are_refused(reference, predicted, message):
    with pytest.raises(MultiSenGEError, match=message):
        confusion_matrix(np.array(reference), np.array(predicted), 3)


# Scores

#: Reference 1: 5 right, 3 as class 2. Reference 2: all 2 right. Reference 3: 1 as 1, 1 as 2.
#: Class 4 is not in the reference, and predicted nowhere.
HAND = np.array([[5, 3, 0, 0], [0, 2, 0, 0], [1, 1, 0, 0], [0, 0, 0, 0]])


def test_scores_by_hand():
    ours = scores(HAND)
    assert ours["precision"] == [pytest.approx(5 / 6), pytest.approx(2 / 6), 0, None]
    assert ours["recall"] == [pytest.approx(5 / 8), 1, 0, None]
    assert ours["f1"] == [pytest.approx(10 / 14), pytest.approx(4 / 8), 0, None]
    assert ours["iou"] == [pytest.approx(5 / 9), pytest.approx(2 / 6), 0, None]
    assert ours["support"] == [8, 2, 2, 0]
    assert ours["accuracy"] == pytest.approx(7 / 12)
    assert ours["weighted_precision"] == pytest.approx((8 * 5 / 6 + 2 * 2 / 6) / 12)
    assert ours["weighted_recall"] == pytest.approx(7 / 12)
    assert ours["weighted_f1"] == pytest.approx((8 * 10 / 14 + 2 * 1 / 2) / 12)
    assert ours["macro_f1"] == pytest.approx((10 / 14 + 1 / 2) / 3)
    assert ours["mean_iou"] == pytest.approx((5 / 9 + 2 / 6) / 3)
    # Observed 7/12; by chance (8*6 + 2*6 + 2*0) / 144 = 5/12.
    assert ours["kappa"] == pytest.approx((7 / 12 - 5 / 12) / (1 - 5 / 12))


def test_keys_are_the_contract():
    assert set(scores(HAND)) == {"precision", "recall", "f1", "iou", "support", *OVERALL}


@given(maps)
def test_scores_are_those_of_sklearn(pair):
    reference = pair[0].ravel()
    predicted = pair[1].ravel()
    ours = scores(confusion_matrix(reference, predicted, 4))
    present = np.unique(reference).tolist()
    for name, oracle in SKLEARN.items():
        theirs = oracle(reference, predicted, labels=present, average=None, zero_division=0)
        np.testing.assert_allclose([ours[name][k - 1] for k in present], theirs, atol=1e-12)
    for name in ("precision", "recall", "f1"):
        theirs = SKLEARN[name](reference, predicted, average="weighted", zero_division=0)
        assert ours[f"weighted_{name}"] == pytest.approx(theirs)
    macro = metrics.f1_score(reference, predicted, labels=present, average="macro", zero_division=0)
    assert ours["macro_f1"] == pytest.approx(macro)
    union = metrics.jaccard_score(
        reference, predicted, labels=present, average="macro", zero_division=0
    )
    assert ours["mean_iou"] == pytest.approx(union)
    assert ours["accuracy"] == pytest.approx(metrics.accuracy_score(reference, predicted))


@given(maps)
def test_kappa_is_that_of_sklearn(pair):
    reference = pair[0].ravel()
    predicted = pair[1].ravel()
    assume(len(np.unique(pair)) > 1)
    ours = scores(confusion_matrix(reference, predicted, 4))["kappa"]
    assert ours == pytest.approx(metrics.cohen_kappa_score(reference, predicted), abs=1e-12)


@given(arrays(np.int64, (5, 5), elements=st.integers(0, 10**9)))
def test_absent_is_none_and_nothing_is_nan(confusion):
    assume(confusion.any())
    ours = scores(confusion)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert json.loads(json.dumps(ours, allow_nan=False)) == ours
    absent = [s == 0 for s in ours["support"]]
    for name in ("precision", "recall", "f1", "iou"):
        assert [v is None for v in ours[name]] == absent
        assert all(0 <= v <= 1 for v in ours[name] if v is not None)


def test_kappa_of_a_single_class_is_undefined():
    assert scores(np.diag([7, 0]))["kappa"] is None
    assert scores(np.array([[0, 7], [0, 0]]))["kappa"] == 0


def test_perfect_prediction():
    ours = scores(np.diag([3, 9, 1]))
    assert all(ours[name] == pytest.approx(1) for name in OVERALL)


@pytest.mark.parametrize(
    ("confusion", "message"),
    [
        (np.zeros((3, 3)), "counts no pixel"),
        (np.ones((2, 3)), r"square and counts pixels, received shape \(2, 3\)"),
        (np.array([[1, -1], [0, 1]]), "least value -1"),
    ],
)
def test_bad_matrices_are_refused(confusion, message):
    with pytest.raises(MultiSenGEError, match=message):
        scores(confusion)


def test_scores_of_many_matrices_are_those_of_each():
    rng = np.random.default_rng(3)
    matrices = rng.integers(0, 30, (5, 2, 4, 4))
    matrices[0, 0, 1] = 0  # a class that the reference does not hold
    matrices[1, 0] = np.diag([7, 0, 0, 0])  # whose kappa is not defined
    for name in (*PER_CLASS, *OVERALL):
        stacked = score_many(matrices, name)
        for place in np.ndindex(5, 2):
            expected = np.array(scores(matrices[place])[name], float)  # None becomes NaN
            np.testing.assert_allclose(stacked[place], expected, rtol=1e-12)


def test_a_matrix_without_pixels_among_many_has_no_score():
    matrices = np.stack([np.zeros((2, 2)), np.diag([3, 4])])
    for name in OVERALL:
        assert np.isnan(score_many(matrices, name)).tolist() == [True, False]


@pytest.mark.parametrize("dtype", ["uint8", "int64", "uint64"])
def test_ids_of_any_integer_type_are_counted(dtype):
    ids = np.array([1, 2, 2])
    assert confusion_matrix(ids, ids.astype(dtype), 2).tolist() == [[1, 0], [0, 2]]


def test_an_unknown_score_is_refused():
    with pytest.raises(MultiSenGEError, match="no score 'f2': give one of precision"):
        score_many(np.eye(2), "f2")


@pytest.mark.parametrize("strange", [np.nan, np.inf, "many", None])
def test_a_matrix_holds_finite_numbers(strange):
    with pytest.raises(MultiSenGEError, match="finite numbers"):
        scores(np.array([[strange, 1], [1, 2]]))
