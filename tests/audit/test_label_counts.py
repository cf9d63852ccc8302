"""Counts over label files: the committed record, and counting anew."""

import shutil

import numpy as np
import pandas as pd
import pytest

from multisenge_lib import audit
from multisenge_lib.audit import split_counts
from multisenge_lib.dataset import SPLITS, read_index, select


def test_the_record_holds_the_published_counts(monkeypatch):
    monkeypatch.delenv("MULTISENGE_LABELS", raising=False)
    monkeypatch.delenv("MULTISENGE_ROOT", raising=False)
    counts = audit.load_label_counts()
    assert counts.provenance.startswith("from the label files of MultiSenGE, doi:")
    assert counts.days_gaps.to_dict() == {
        15: 6560, 16: 5890, 17: 5890, 18: 4960, 19: 3178, 20: 3178
    }  # fmt: skip
    assert counts.splits.to_dict() == {"train": 3369, "validation": 1911, "test": 610}
    assert counts.months.tolist() == [
        1656, 32, 314, 387, 429, 3069, 7170, 8157, 7267, 941, 7262, 625
    ]  # fmt: skip


def test_sums_agree_with_each_other():
    counts = audit.read_label_counts()
    assert counts.density["patches"].sum() == counts.tiles["patches"].sum() == 8157
    for gap, total in counts.days_gaps.items():
        assert counts.density[f"gap{gap}"].sum() == total
    for split, total in counts.splits.items():
        assert counts.density[split].sum() == total
        assert counts.tiles.loc[counts.tiles["split"] == split, "selected"].sum() == total
        assert counts.series.loc[counts.series["split"] == split, "patches"].sum() == total
    reasons = counts.tiles.filter(regex="no_month|too_close").sum(axis=1)
    assert (reasons == counts.tiles["patches"] - counts.tiles["selected"]).all()
    assert counts.dropped["dropped"].sum() == 8157 - 5890


def test_a_recount_is_the_committed_record(real_index):
    counted = audit.count_labels(real_index)
    recorded = audit.read_label_counts()
    for name in audit.TABLES:
        ours = getattr(counted, name)
        theirs = getattr(recorded, name)
        if isinstance(theirs, pd.Series):
            pd.testing.assert_series_equal(ours, theirs, check_dtype=False)
        else:
            pd.testing.assert_frame_equal(ours, theirs, check_dtype=False)
    assert counted.totals == recorded.totals
    assert counted.overlap == recorded.overlap
    assert counted.dates_sha256 == recorded.dates_sha256


def test_vineyards_are_learnt_from_few_patches_and_tested_on_many():
    percent = audit.read_label_counts().presence_percent
    vineyards = percent.loc[7].round(1)
    assert vineyards.to_dict() == {"train": 1.4, "validation": 5.5, "test": 42.0}


def test_the_chosen_dates_are_not_regular():
    series = audit.read_label_counts().series
    assert len(series) == 21
    ends = [(series[c].min(), series[c].max()) for c in ("days1", "days2", "days3")]
    assert ends == [(17, 28), (20, 45), (45, 80)]


def test_larger_cities_in_no_split():
    cities = audit.read_label_counts().cities
    selected = cities[list(SPLITS)].sum(axis=1)
    absent = {"Strasbourg", "Mulhouse", "Colmar", "Troyes", "Haguenau", "Verdun"}
    assert set(selected.index[selected == 0]) == absent
    assert cities.loc["Reims", "test"] == cities.loc["Reims", "patches"]
    assert cities.loc["Nancy", "validation"] == cities.loc["Nancy", "patches"]


def test_no_test_patch_touches_a_training_patch():
    distances = audit.read_label_counts().distances
    assert distances.loc["test to train", "least_km"] > 2
    assert distances.loc["test to train", "within_3_km"] == 38
    assert distances.loc["train to validation", "least_km"] == 0


def test_tiles_are_those_found_in_the_labels(sample_root):
    index = read_index(sample_root / "labels")
    without_one = index[index["tile"] != "32ULU"].reset_index(drop=True)
    assert len(audit.count_labels(without_one).tiles) == index["tile"].nunique() - 1


def test_labels_at_hand_are_counted_anew(sample_root, tmp_path, monkeypatch):
    # Beside the labels nothing says that they are the sample's.
    labels = shutil.copytree(sample_root / "labels", tmp_path / "labels")
    monkeypatch.setenv("MULTISENGE_LABELS", str(labels))
    counts = audit.load_label_counts()
    files = len(list(labels.glob("*.json")))
    assert counts.provenance.startswith(f"from the {files} label files on this machine")
    assert counts.totals["patches"] == files


def test_another_dataset_is_not_counted_as_multisenge(sample_root, monkeypatch):
    monkeypatch.delenv("MULTISENGE_LABELS", raising=False)
    monkeypatch.setenv("MULTISENGE_ROOT", str(sample_root))
    assert audit.load_label_counts().totals["patches"] == 8157


def test_any_choice_of_months_and_gap_is_counted():
    series, _ = audit.read_date_series()
    counts = audit.read_label_counts()
    for gap, patches in counts.days_gaps.items():
        kept = audit.count_kept(series, (7, 8, 9, 11), gap)
        assert kept.sum() == patches
        pd.testing.assert_series_equal(kept, counts.tiles[f"gap{gap}"], check_names=False)
    without_july = audit.count_kept(series, (8, 9, 11), 17)
    assert without_july.sum() == 7262 and without_july["31UEP"] == 701
    assert audit.count_kept(series, (7, 8, 9), 17).sum() == 5891
    assert audit.count_kept(series, (8,), 17).sum() == 8157


def test_each_patch_is_in_one_series_with_its_own_dates(sample_root):
    index = read_index(sample_root / "labels")
    dates_of_patch = {}
    for series in audit.date_series(index):
        for x, y in zip(series["x"], series["y"], strict=True):
            dates_of_patch[f"{series['tile']}_{x}_{y}"] = series["dates"]
    expected = {row.patch: [str(day) for day in row.s2_dates] for row in index.itertuples()}
    assert dates_of_patch == expected
    assert len(select(index)) > 0


def days(*texts):
    return np.array(texts, dtype="datetime64[D]")


def test_the_authors_search_by_hand():
    # The first date of July has a follower in August; of August's only the later one is 17 days on.
    dates = days("2020-07-20", "2020-08-01", "2020-08-20", "2020-09-10", "2020-11-05")
    chosen = split_counts.authors_choice(dates, (7, 8, 9, 11), 17)
    assert chosen.tolist() == days("2020-07-20", "2020-08-20", "2020-09-10", "2020-11-05").tolist()
    assert split_counts.authors_choice(dates[:-1], (7, 8, 9, 11), 17) is None


@pytest.mark.parametrize("gap", [1, 5, 10, *range(15, 26)])
def test_the_authors_tools_choose_the_same_dates(real_index, gap):
    assert split_counts.count_other_dates(real_index, gap) == 0
