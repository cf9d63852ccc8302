import json

import pytest

from multisenge_lib.dataset import census
from multisenge_lib.dataset.labels import read_index
from multisenge_lib.errors import RecordError


def test_the_record_is_what_the_real_labels_give(real_labels):
    record, _ = census.read_record()
    assert census.to_json(census.take_census(read_index(real_labels))) == record


def test_the_record_holds_the_published_counts():
    taken = census.load_census(lambda: None)
    assert taken.shown.startswith("read from the committed record")
    assert taken.days_gaps.to_dict() == {
        15: 6560, 16: 5890, 17: 5890, 18: 4960, 19: 3178, 20: 3178
    }  # fmt: skip
    assert taken.splits.to_dict() == {"train": 3369, "validation": 1911, "test": 610}
    assert taken.months.tolist() == [
        1656, 32, 314, 387, 429, 3069, 7170, 8157, 7267, 941, 7262, 625
    ]  # fmt: skip


def test_sums_agree_with_each_other():
    taken = census.load_census(lambda: None)
    assert taken.density["patches"].sum() == taken.tiles["patches"].sum() == 8157
    for gap, total in taken.days_gaps.items():
        assert taken.density[f"gap{gap}"].sum() == total
    for split, total in taken.splits.items():
        assert taken.density[split].sum() == total
        assert taken.tiles.loc[taken.tiles["split"] == split, "selected"].sum() == total


def test_labels_at_hand_are_counted_anew(sample_root):
    taken = census.load_census(lambda: sample_root / "labels")
    assert taken.shown.startswith("computed now")
    assert taken.totals["patches"] == len(list((sample_root / "labels").glob("*.json")))
    assert census.from_json(census.to_json(taken), taken.shown).density.equals(taken.density)


def test_writing_makes_what_reading_reads(sample_root, tmp_path, monkeypatch):
    monkeypatch.setenv("MULTISENGE_RESULTS", str(tmp_path))
    path = census.write_record(sample_root / "labels")
    record, made = census.read_record()
    assert path == tmp_path / "multisenge" / "labels.json"
    assert record == census.to_json(census.take_census(read_index(sample_root / "labels")))
    assert {"source", "made", "commit"} <= made.keys()


@pytest.mark.parametrize("content", [None, "{", "[]", json.dumps({"totals": {}})])
def test_a_damaged_record_is_named(tmp_path, monkeypatch, content):
    monkeypatch.setenv("MULTISENGE_RESULTS", str(tmp_path))
    if content is not None:
        (tmp_path / "multisenge").mkdir()
        (tmp_path / "multisenge" / "labels.json").write_text(content)
    with pytest.raises(RecordError, match=r"labels\.json cannot be read"):
        census.load_census(lambda: None)
