"""A map of one class: what the counted support gives it."""

import numpy as np
import pytest

from multisenge_lib import audit, paper, results


@pytest.mark.parametrize(
    "classes, weighted_f1, macro_f1", [(6, 0.8957, 0.161), (10, 0.4922, 0.078)]
)
def test_a_map_of_the_largest_class(classes, weighted_f1, macro_f1):
    ours = audit.majority_scores(classes)
    support = paper.replication().support[classes]
    confusion = np.zeros((classes, classes), int)
    confusion[:, support.argmax()] = support
    expected = results.scores(confusion)
    assert ours == pytest.approx({name: expected[name] for name in results.OVERALL}, abs=1e-12)
    assert ours["weighted_f1"] == pytest.approx(weighted_f1, abs=5e-5)
    assert ours["macro_f1"] == pytest.approx(macro_f1, abs=5e-4)
