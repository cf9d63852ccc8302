"""The card of a saved network; `test_saved` reads cards of whole files, and wrong ones."""

import subprocess
import sys
from dataclasses import replace

import pytest
from cards import write_card

from multisenge_lib.dataset import TYPOLOGIES
from multisenge_lib.errors import ExperimentError
from multisenge_lib.models import get_experiment, model_card

TEN = TYPOLOGIES["10c"]
EXPERIMENT = get_experiment("inception_10c")


@pytest.mark.fault("model.keras: classes of another dataset or grouping -> refused, not described")
def test_a_card_is_of_the_classes_of_its_experiment():
    card = model_card(EXPERIMENT, TEN, 32, "sample")
    assert (card.classification, card.classes) == ("10c", TEN.names)
    for other in (TYPOLOGIES["6c"], replace(TEN, name="mine")):
        with pytest.raises(ExperimentError, match="10 classes of '10c', received the"):
            model_card(EXPERIMENT, other, 32, "sample")


def test_a_card_is_read_without_keras(tmp_path):
    path = write_card(tmp_path / "model.keras")
    code = (
        "import sys; sys.modules['keras'] = None\n"
        "from multisenge_lib.models import read_model_card\n"
        "print(read_model_card(sys.argv[1]).name)"
    )
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True)
    assert done.stdout == "inception_10c\n", done.stderr
