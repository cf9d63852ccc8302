"""A `.keras` file that holds a card and no network, made without Keras."""

import json
import zipfile
from dataclasses import asdict
from pathlib import Path

from multisenge_lib.dataset import TYPOLOGIES
from multisenge_lib.models import get_experiment, model_card


def write_card(path: Path, experiment: str = "inception_10c") -> Path:
    """Write the card of an experiment with ten classes."""
    card = model_card(get_experiment(experiment), TYPOLOGIES["10c"], 32, "sample")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("description.json", json.dumps(asdict(card)))
    return path
