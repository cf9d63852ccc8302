from types import SimpleNamespace

import numpy as np
import pytest

from multisenge_lib.chapters import swipe_data
from multisenge_lib.dataset import TYPOLOGIES


@pytest.mark.parametrize(
    ("dataset", "names", "mark"),
    [
        ("sample", ["Invented place 1", "Invented place 2"], "synthetic sample"),
        ("multisenge", ["31UEQ_1_2", "31UEQ_3_4"], ""),
    ],
)
def test_an_invented_place_does_not_bear_the_name_of_a_real_one(dataset, names, mark):
    ids = {"31UEQ_1_2": np.ones((2, 2), "uint8"), "31UEQ_3_4": np.ones((2, 2), "uint8")}
    record = SimpleNamespace(metadata=SimpleNamespace(dataset=dataset), references=ids, maps=ids)
    data = swipe_data({"method": record}, TYPOLOGIES["6c"], {})
    assert list(data["patches"]) == names
    assert data["mark"] == mark
