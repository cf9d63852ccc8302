import json

import pytest

from multisenge_lib.audit import label_counts
from multisenge_lib.dataset.labels import read_index
from multisenge_lib.dataset.selection import select
from multisenge_lib.errors import LabelError


def test_the_record_holds_the_published_counts():
    taken = label_counts.load_label_counts(lambda: None)
    assert taken.shown.startswith("read from the committed record")
    assert taken.days_gaps.to_dict() == {
        15: 6560, 16: 5890, 17: 5890, 18: 4960, 19: 3178, 20: 3178
    }  # fmt: skip
    assert taken.splits.to_dict() == {"train": 3369, "validation": 1911, "test": 610}
    assert taken.months.tolist() == [
        1656, 32, 314, 387, 429, 3069, 7170, 8157, 7267, 941, 7262, 625
    ]  # fmt: skip


def test_sums_agree_with_each_other():
    taken = label_counts.load_label_counts(lambda: None)
    assert taken.density["patches"].sum() == taken.tiles["patches"].sum() == label_counts.PATCHES
    for gap, total in taken.days_gaps.items():
        assert taken.density[f"gap{gap}"].sum() == total
    for split, total in taken.splits.items():
        assert taken.density[split].sum() == total
        assert taken.tiles.loc[taken.tiles["split"] == split, "selected"].sum() == total


def test_tiles_are_those_found_in_the_labels(sample_root):
    index = read_index(sample_root / "labels")
    fewer = label_counts.count_labels(index[index["tile"] != "32ULU"].reset_index(drop=True))
    assert len(fewer.tiles) == index["tile"].nunique() - 1


def test_labels_at_hand_are_counted_anew(sample_root):
    taken = label_counts.load_label_counts(lambda: sample_root / "labels")
    assert taken.shown.startswith("computed now")
    assert taken.totals["patches"] == len(list((sample_root / "labels").glob("*.json")))


def test_another_dataset_is_not_counted_as_multisenge(sample_root, monkeypatch):
    monkeypatch.delenv("MULTISENGE_LABELS", raising=False)
    monkeypatch.setenv("MULTISENGE_ROOT", str(sample_root))
    assert label_counts.load_label_counts().totals["patches"] == label_counts.PATCHES


@pytest.mark.fault("census: labels of 102 patches -> refused, the record of 8,157 stays")
def test_the_record_is_of_all_label_files(sample_root, tmp_path):
    path = tmp_path / "census.json"
    path.write_text("kept")
    with pytest.raises(LabelError, match=r"MultiSenGE 8,157 on 14: the record .* stays"):
        label_counts.write_records(sample_root / "labels", path, path)
    assert path.read_text() == "kept"


def test_writing_makes_what_reading_reads(real_labels, tmp_path):
    path, series = label_counts.write_records(real_labels, tmp_path / "a.json", tmp_path / "b.json")
    again, committed = label_counts.read_record(path), label_counts.read_record()
    assert label_counts.to_json(again) == label_counts.to_json(committed)
    assert "committed record" in again.shown
    recorded, made = label_counts.read_series()
    assert json.loads(series.read_text())["series"] == recorded
    assert made["patches"] == 8157


def test_each_patch_is_in_one_series_with_its_own_dates(sample_root):
    index = read_index(sample_root / "labels")
    found = {
        f"{one['tile']}_{x}_{y}": one["dates"]
        for one in label_counts.date_series(index)
        for x, y in zip(one["x"], one["y"], strict=True)
    }
    assert found == {row.patch: [str(day) for day in row.s2_dates] for row in index.itertuples()}
    assert len(select(index)) > 0
