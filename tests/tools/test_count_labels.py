"""Writing the record of the label counts."""

import hashlib
import io

import pandas as pd
import pytest

from multisenge_lib import audit, tools
from multisenge_lib.errors import LabelError


@pytest.mark.fault("count-labels: labels of 102 patches -> refused, the record of 8,157 stays")
def test_the_record_is_of_all_label_files(sample_root, tmp_path):
    with pytest.raises(LabelError, match=r"MultiSenGE 8,157 on 14: the record .* stays"):
        tools.write_label_counts(sample_root / "labels", tmp_path / "counts")
    assert not (tmp_path / "counts").exists()


def test_writing_makes_what_reading_reads(real_labels, tmp_path):
    record = tools.write_label_counts(real_labels, tmp_path / "counts")
    again = audit.read_label_counts(record)
    committed = audit.read_label_counts()
    for name in audit.TABLES:
        assert (record / f"{name}.csv").read_bytes() == (audit.RECORD / f"{name}.csv").read_bytes()
        assert isinstance(getattr(again, name), pd.DataFrame | pd.Series)
    assert again.totals == committed.totals
    # Readers are told which label files and when, and nothing about how we keep the record.
    assert again.provenance.startswith(
        "from the label files of MultiSenGE, doi:10.5281/zenodo.6375466, counted on 20"
    )
    series, source = audit.read_date_series(record)
    assert series == audit.read_date_series()[0]
    assert source["patches"] == 8157
    assert audit.selection_csv(record) == audit.selection_csv()


def test_the_selection_to_take_away_is_the_papers():
    """5,890 patches, and the very dates that the record of the counts has a digest of."""
    text = audit.selection_csv()
    assert hashlib.sha256(text.encode()).hexdigest() == audit.read_label_counts().dates_sha256
    table = pd.read_csv(io.StringIO(text))
    splits = table["split"].value_counts()
    assert splits.to_dict() == {"train": 3369, "validation": 1911, "test": 610}
    first = table[table["patch"] == "31UEQ_7453_4112"].iloc[0]
    assert [len(first[f"{sensor}_dates"].split(";")) for sensor in ("s1", "s2")] == [4, 4]
    assert (audit.RECORD / audit.SELECTION).stat().st_size < 100_000
