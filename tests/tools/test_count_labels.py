"""Writing the record of the label counts."""

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
    assert "committed record" in again.provenance
    series, source = audit.read_date_series(record)
    assert series == audit.read_date_series()[0]
    assert source["patches"] == 8157
