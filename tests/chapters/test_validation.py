"""The table that compares rules for the learning rate by their validation losses."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from records import make_record

from multisenge_lib import chapters, results


@pytest.fixture
def written(tmp_path, monkeypatch):
    monkeypatch.setenv("MULTISENGE_RESULTS", str(tmp_path))
    for seed, losses in enumerate(([2.0, 1.0, 1.5], [3.0, 2.0, 1.5]), start=1):
        columns = {"loss": 1.0, "val_loss": losses, "learning_rate": 1e-3, "seconds": 1.0}
        history = pd.DataFrame(columns, index=pd.RangeIndex(1, 4, name="epoch"))
        results.write_record(replace(make_record("s2_10c", seed), history=history))


def test_each_training_counts_with_its_lowest_loss(written):
    table = chapters.validation_losses("sample", {"cosine": "s2_10c"})
    (row,) = table.itertuples()
    assert (row.Index, row.seeds, row.mean) == ("cosine", 2, 1.25)
    assert row.deviation == pytest.approx(np.std([1.0, 1.5], ddof=1))
    assert row.best_epochs == "2, 3"


def test_what_was_not_trained_is_left_out(written):
    experiments = {"cosine": "s2_10c", "plateau": "s2_10c+plateau"}
    assert list(chapters.validation_losses("sample", experiments).index) == ["cosine"]
    assert chapters.validation_losses("sample", {"plateau": "s2_10c+plateau"}).empty


def test_only_seeds_that_all_have_are_counted(written):
    results.write_record(make_record("s2_10c+plateau", 2))
    experiments = {"cosine": "s2_10c", "plateau": "s2_10c+plateau"}
    table = chapters.validation_losses("sample", experiments)
    assert table["seeds"].tolist() == [1, 1]
    assert table["mean"].tolist() == [1.5, 1.5] and table["deviation"].isna().all()
    assert table["best_epochs"].tolist() == ["3", "2"]
