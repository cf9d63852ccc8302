"""A record of a run that never was."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from multisenge_lib.dataset.layout import MULTISENGE
from multisenge_lib.models.experiments import get_experiment
from multisenge_lib.results.records import Metadata, Record


def make_record(
    experiment: str = "s1_6c",
    seed: int = 1,
    dataset: str = "sample",
    confusions: np.ndarray | None = None,
    **changes: Any,
) -> Record:
    """Two epochs; four test patches, or as many as there are matrices; one map."""
    of = get_experiment(experiment)
    if confusions is None:
        rng = np.random.default_rng([of.classes, seed, len(experiment)])
        confusions = rng.integers(0, 50, (4, of.classes, of.classes))
        confusions += 100 * np.eye(of.classes, dtype=int)
    typology = MULTISENGE.typologies[of.classification]
    metadata = {
        "dataset": dataset,
        "experiment": experiment,
        "seed": seed,
        "title": of.title,
        "classes": typology.names,
        "classification": of.classification,
        "colors": typology.colors,
        "members": typology.members,
        "choices": {"filters": 32},
        "settings": {"epochs": 2},
        "parameters": {"trainable": 1, "total": 1},
        "patches": {"train": 1, "validation": 1, "test": len(confusions)},
        "split": "by tile",
        "size": 8,
        "operations": 3e12,
        "finished": "2026-01-01T00:00:00+00:00",
        "device": "none",
        "backend": "none",
        "fingerprint": "none",
        "skipped": (),
        "statistics": {"s1": ([0.5, 1.5], [1.0, 2.0])},
        "pixels": tuple(range(of.classes)),
        "class_weights": (1.0,) * of.classes,
        "commit": None,
        "uncommitted": None,
        "versions": {"python": "3"},
    }
    history = pd.DataFrame(
        {"loss": [2.0, 1.0], "val_loss": [2.0, 1.5], "seconds": [30.0, 30.0]},
        pd.Index([1, 2], name="epoch"),
    )
    patches = tuple("abcdefgh"[: len(confusions)])
    maps = {MULTISENGE.showcase[0]: np.ones((8, 8), np.uint8)}
    return Record(Metadata(**metadata | changes), history, patches, confusions, maps, maps)


def record_of_hits(
    hits: int, experiment: str = "s1s2_10c", seed: int = 1, **changes: Any
) -> Record:
    """Ten classes and six test patches: so many right pixels of each class, one wrong of each.

    The experiment may have any name.
    """
    confusion = (hits + seed % 2) * np.eye(10, dtype=int) + 1
    sizes = np.arange(1, 7)[:, None, None]  # else all patches had the same scores
    record = make_record("s1s2_10c", seed, confusions=sizes * confusion, **changes)
    return replace(record, metadata=replace(record.metadata, experiment=experiment))
