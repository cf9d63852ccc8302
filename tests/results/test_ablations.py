import json

import pandas as pd
import pytest

from multisenge_lib import results
from multisenge_lib.errors import RecordError


def runs(*rows):
    names = ("variant", "seed", "weighted_f1", "macro_f1", "kappa", "urban_f1")
    return {"source": "made up", "runs": [dict(zip(names, row, strict=True)) for row in rows]}


def test_no_record_no_table(tmp_path):
    assert results.ablation_table(tmp_path / "none.json") is None


def test_means_spreads_and_differences(tmp_path):
    path = tmp_path / "ablations.json"
    rows = [("baseline", 1, 0.5, 0.4, 0.3, 0.2), ("baseline", 2, 0.7, 0.4, 0.3, 0.2)]
    path.write_text(json.dumps(runs(*rows, ("peephole", 1, 0.9, 0.4, 0.3, 0.1))))
    table = results.ablation_table(path)
    assert table.loc["baseline", ("weighted_f1", "mean")] == pytest.approx(0.6)
    assert table.loc["baseline", ("weighted_f1", "spread")] == pytest.approx(0.02**0.5)
    assert table.loc["peephole", ("weighted_f1", "difference")] == pytest.approx(0.3)
    assert pd.isna(table.loc["peephole", ("weighted_f1", "spread")])
    assert table[("", "runs")].tolist() == [2, 1]


@pytest.mark.parametrize(
    "text", ["{", "{}", json.dumps(runs(("peephole", 1, 0.9, 0.4, 0.3, 0.1))), '{"runs": [1]}']
)
def test_a_damaged_record_is_refused(tmp_path, text):
    path = tmp_path / "ablations.json"
    path.write_text(text)
    with pytest.raises(RecordError, match="baseline"):
        results.ablation_table(path)
