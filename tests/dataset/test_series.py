from multisenge_lib.dataset import read_index, select, series


def test_the_record_is_what_the_real_labels_give(real_labels):
    recorded, made = series.read_series()
    assert recorded == series.date_series(read_index(real_labels))
    assert made["patches"] == 8157


def test_each_patch_is_in_one_series_with_its_own_dates(sample_root):
    index = read_index(sample_root / "labels")
    found = {
        f"{one['tile']}_{x}_{y}": one["dates"]
        for one in series.date_series(index)
        for x, y in zip(one["x"], one["y"], strict=True)
    }
    assert found == {row.patch: [str(day) for day in row.s2_dates] for row in index.itertuples()}
    assert len(select(index)) > 0
