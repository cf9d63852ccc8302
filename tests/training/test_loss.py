import keras
import numpy as np
import pytest

from multisenge_lib.training.loss import inverse_frequency, weighted_loss


def test_loss_by_hand():
    weights = [0.5, 2.0]
    logits = np.log([[[[0.25, 0.75], [0.25, 0.75]], [[0.25, 0.75], [0.25, 0.75]]]])
    reference = np.array([[[1, 2], [2, 0]]], np.uint8)
    expected = [[[-0.5 * np.log(0.25), -2 * np.log(0.75)], [-2 * np.log(0.75), 0]]]
    loss = weighted_loss(weights)(reference, logits.astype(np.float32))
    np.testing.assert_allclose(keras.ops.convert_to_numpy(loss), expected, rtol=1e-6)


def test_weights_by_hand():
    np.testing.assert_allclose(inverse_frequency(np.array([60, 30, 10])), [5 / 9, 10 / 9, 10 / 3])
    np.testing.assert_allclose(inverse_frequency(np.array([50, 0, 50])), [1, 0, 1])


def test_the_mean_weight_of_a_pixel_is_one():
    counts = np.array([3, 500, 0, 41])
    assert inverse_frequency(counts) @ counts / counts.sum() == pytest.approx(1)


def test_weights_have_the_proportions_of_the_authors():
    """Their weights for six classes at 17 days sum to 1000; the shares are known to 0.01 %."""
    authors = [365.656, 42.461, 71.368, 350.526, 168.572, 1.417]
    ours = inverse_frequency(np.array([36, 312, 186, 38, 79, 9349]))
    np.testing.assert_allclose(ours / ours.sum() * 1000, authors, rtol=0.03)
