from dataclasses import replace
from itertools import pairwise, product

import labels
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from multisenge_lib.dataset import Blocks, dataset_of_root, with_selection, write_dataset_toml
from multisenge_lib.dataset.labels import read_index
from multisenge_lib.dataset.layout import MULTISENGE, raster_path
from multisenge_lib.dataset.months import month_of
from multisenge_lib.dataset.selection import (
    S1_WINDOW,
    choose_dates,
    dates_on_disk,
    first_few_in_months,
    first_in_months,
    load_selection,
    make_selection,
    nearest_dates,
    only_existing,
    select,
    to_csv,
)
from multisenge_lib.errors import DescriptionError, SelectionError


def days(*texts):
    return np.array([f"2020-{text}" for text in texts], dtype="datetime64[D]")


YEAR_2020 = np.arange("2020-01-01", "2021-01-01", dtype="datetime64[D]")

some_dates = st.sets(st.integers(0, 365), max_size=25).map(lambda s: YEAR_2020[sorted(s)])
some_months = st.sets(st.integers(1, 12), min_size=1, max_size=4).map(sorted)


def brute_force(dates, months, gap):
    """Of all combinations of one date a month that keep the gap, the earliest, or None."""
    options = [dates[month_of(dates) == month] for month in months]
    kept = [
        combination
        for combination in product(*options)
        if all((b - a).astype(int) >= gap for a, b in pairwise(combination))
    ]
    return min(kept, default=None)


@given(some_dates, some_months, st.integers(0, 60))
def test_the_rule_finds_the_earliest_of_all_combinations(dates, months, gap):
    chosen = choose_dates(dates, months, gap)
    best = brute_force(dates, months, gap)
    assert (chosen is None) == (best is None)
    if best is not None:
        assert chosen.tolist() == [day.tolist() for day in best]


def test_rule_by_hand():
    dates = days("07-20", "07-31", "08-05", "08-10", "09-01", "09-12")
    assert choose_dates(dates, (7, 8), 16).tolist() == days("07-20", "08-05").tolist()
    assert choose_dates(dates, (7, 8), 17).tolist() == days("07-20", "08-10").tolist()
    assert choose_dates(dates, (7, 8), 22) is None
    assert choose_dates(dates, (6, 7), 0) is None


two_years = np.arange("2020-10-01", "2022-10-01", dtype="datetime64[D]")


@given(
    st.sets(st.integers(0, 729), max_size=60).map(lambda s: two_years[sorted(s)]),
    st.sampled_from([(11, 12, 1, 2), (12, 1), (7, 8), (1, 2)]),
    st.integers(0, 40),
)
def test_a_series_over_new_year_lies_within_twelve_months(dates, months, gap):
    chosen = choose_dates(dates, months, gap)
    if chosen is None:
        return
    assert month_of(chosen).tolist() == list(months)
    assert (np.diff(chosen).astype(int) >= gap).all()
    assert (chosen[-1] - chosen[0]).astype(int) < 365


def test_the_first_whole_season_is_taken():
    dates = np.array(["2020-12-10", "2021-11-20", "2021-12-20", "2022-01-15"], "datetime64[D]")
    assert choose_dates(dates, (11, 12, 1), 17).astype(str).tolist() == [
        "2021-11-20", "2021-12-20", "2022-01-15"
    ]  # fmt: skip
    assert choose_dates(dates, (1, 11), 0) is None


@pytest.mark.parametrize("sensor", ["s1", "s2"])
@pytest.mark.fault("selection: label files of one sensor alone -> selected by that sensor")
def test_one_sensor_alone_is_selected(tmp_path, sensor):
    other = {"s1": "s2", "s2": "s1"}[sensor]
    for x in range(0, 96, 32):
        days = {sensor: ("20200715", "20200816"), other: ()}
        labels.write(tmp_path / "labels", f"56HKH_{x}_0", **labels.document(f"56HKH_{x}_0", **days))
    dataset = replace(
        MULTISENGE, name="south", months=(7, 8), patch_pixels=32,
        split_of_tile={"56HKH": "train"}, bands={sensor: MULTISENGE.bands[sensor]},
    )  # fmt: skip
    write_dataset_toml(tmp_path, dataset)
    (tmp_path / sensor).mkdir()
    raster_path(tmp_path, sensor, "56HKH_0_0", np.datetime64("2020-07-15")).touch()
    raster_path(tmp_path, sensor, "56HKH_0_0", np.datetime64("2020-08-16")).touch()
    assert len(select(read_index(tmp_path / "labels", dataset), dataset=dataset)) == 3
    (row,) = load_selection(tmp_path).itertuples()  # what is on disk
    assert row.patch == "56HKH_0_0" and len(getattr(row, f"{other}_dates")) == 0
    assert getattr(row, f"{sensor}_dates").astype(str).tolist() == ["2020-07-15", "2020-08-16"]


@given(some_dates, some_dates)
def test_nearest_is_nowhere_farther_than_any(dates, chosen):
    if not len(dates):
        assert nearest_dates(dates, chosen) is None
        return
    matched = nearest_dates(dates, chosen)
    if matched is None:
        assert any(np.abs(dates - day).min() > S1_WINDOW for day in chosen)
        return
    for day, near in zip(chosen, matched, strict=True):
        assert abs(near - day) == np.abs(dates - day).min()


@given(some_dates, some_dates)
def test_the_first_in_each_month_is_the_first(dates, chosen):
    matched = first_in_months(dates, chosen)
    wanted = [dates[month_of(dates) == month] for month in month_of(chosen)]
    if any(not len(options) for options in wanted):
        assert matched is None
    else:
        assert matched.tolist() == [options.min().tolist() for options in wanted]


def test_several_radar_dates_of_each_month():
    s1 = days("07-01", "07-07", "07-13", "08-02", "08-08", "09-01")
    s2 = days("07-20", "08-15")
    chosen = first_few_in_months(s1, s2, 2)
    assert chosen.tolist() == s1[[0, 1, 3, 4]].tolist()
    assert first_few_in_months(s1, s2, 3) is None  # August has two
    index = pd.DataFrame({"patch": ["31UEQ_0_0"], "tile": ["31UEQ"], "x": [0], "y": [0]}).assign(
        s1_dates=[s1], s2_dates=[s2], projection=[32631], classes=[np.array([1])]
    )
    table = select(index, months=(7, 8), s1_rule="first2")
    assert table.loc[0, "s1_dates"].tolist() == chosen.tolist()
    assert table.loc[0, "s2_dates"].tolist() == s2.tolist()
    with pytest.warns(UserWarning, match="left out 1 patch without a Sentinel-1 image"):
        assert select(index, months=(7, 8), s1_rule="first3").empty


@pytest.mark.parametrize("months", [(9, 7), (7, 7), (), (0, 3), (7, 13), (7, 8.5)])
def test_wrong_months_are_named(months):
    with pytest.raises(SelectionError, match="months"):
        select(pd.DataFrame(), months=months)


def test_negative_gap_and_unknown_rule_are_named():
    with pytest.raises(SelectionError, match="days gap -1"):
        select(pd.DataFrame(), days_gap=-1)
    with pytest.raises(SelectionError, match="S1 rule 'last'"):
        select(pd.DataFrame(), s1_rule="last")


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"months": 7}, r"months is 7: give a list of numbers, such as \[7, 8\]"),
        ({"months": "7,8"}, "months is '7,8': give a list"),
        ({"months": ["7"]}, r"months is \['7'\]: give at least one, each from 1 to 12"),
        ({"days_gap": 17.5}, "days gap 17.5: give whole days, 0 to 366"),
        ({"days_gap": "17"}, "days gap '17': give whole days"),
        ({"days_gap": True}, "days gap True: give whole days"),
        ({"s1_rule": ["first"]}, r"S1 rule \['first'\]: choose first or nearest"),
    ],
)
@pytest.mark.fault("select: months=7, days_gap=17.5 or '17' -> one line")
def test_a_slip_is_one_line(asked, words):
    with pytest.raises(SelectionError, match=words) as error:
        select(pd.DataFrame(), **asked)
    assert "\n" not in str(error.value)


@pytest.mark.fault("select: NumPy's integers -> as Python's")
def test_numbers_of_numpy_are_numbers(sample_root):
    index = read_index(sample_root / "labels")
    months = np.array([7, 8, 9, 11])
    table = select(index, months=months, days_gap=np.int64(17))
    assert table["patch"].equals(select(index)["patch"])


@pytest.mark.parametrize("sensors", ["s2", ["S2"], ["s3"]])
@pytest.mark.fault("load_selection: sensors='s2' -> one line")
def test_sensors_are_a_list_of_known_ones(sample_root, sensors):
    with pytest.raises(SelectionError, match="give a list of s1 and s2"):
        load_selection(sample_root, sensors=sensors)


def write_grid(root):
    """A root of 12 x 12 patches of 32 pixels on one tile that is divided by blocks."""
    for column in range(12):
        for row in range(12):
            labels.write(root / "labels", f"31UFS_{32 * column}_{32 * row}")
    dataset = replace(
        MULTISENGE,
        name="valley",
        patch_pixels=32,
        split_of_tile={"31UFS": "blocks"},
        blocks=Blocks(size=640, distance=0),
    )
    write_dataset_toml(root, dataset)
    return read_index(root / "labels", dataset), dataset


@pytest.mark.fault("select: a part of an index split by blocks -> refused, not split otherwise")
def test_a_part_of_an_index_is_not_split_otherwise(tmp_path):
    """The western half alone once made training patches of some test patches."""
    index, dataset = write_grid(tmp_path)
    west = index["x"] < 32 * 6
    with pytest.raises(
        SelectionError, match=r"rows were taken out of the index, which has 72 .*select first"
    ):
        select(index[west], dataset=dataset)
    table = select(index, dataset=dataset)
    assert len(table) == 144
    # Without blocks, the split of a patch is that of its tile, whatever else is there.
    by_tile = replace(dataset, split_of_tile={"31UFS": "test"})
    assert set(select(index[west], dataset=by_tile)["split"]) == {"test"}


def test_patches_of_tiles_that_the_dataset_does_not_name_are_left_out(tmp_path):
    """They counted as training patches, also those of a tile of another split."""
    for patch in ("31UEQ_0_0", "31UFP_0_0", "31UGP_0_0", "32ULU_0_0"):
        labels.write(tmp_path, patch)
    index = read_index(tmp_path, MULTISENGE)
    assert len(select(index)) == 4
    two = with_selection(MULTISENGE, tiles="31UEQ,31UFP")
    table = select(index, dataset=two)
    assert table["patch"].tolist() == ["31UEQ_0_0", "31UFP_0_0"]
    assert table["split"].tolist() == ["test", "validation"]


@pytest.mark.fault("selection: a stray file in s2/ -> the patches of Sentinel-1 stay the same")
@pytest.mark.parametrize("stray", ["Thumbs.db", "31UEQ_20200715_S2_0_0.tif"])
def test_patches_of_one_sensor_do_not_depend_on_the_other_folder(tmp_path, stray):
    labels.write(tmp_path / "labels", "31UEQ_0_0")
    labels.write(tmp_path / "labels", "31UEQ_257_0")
    (tmp_path / "s1").mkdir()
    for patch in ("31UEQ_0_0", "31UEQ_257_0"):
        for day in ("2020-07-03", "2020-08-04", "2020-09-03", "2020-11-02"):
            raster_path(tmp_path, "s1", patch, np.datetime64(day)).touch()
    before = load_selection(tmp_path, sensors=["s1"])
    (tmp_path / "s2").mkdir()
    (tmp_path / "s2" / stray).touch()
    after = load_selection(tmp_path, sensors=["s1"])
    assert after["patch"].tolist() == before["patch"].tolist() == ["31UEQ_0_0", "31UEQ_257_0"]
    assert load_selection(tmp_path).empty  # both sensors, as there is a folder for each


def test_split_by_tile():
    assert [MULTISENGE.split_of(tile) for tile in ("31UEQ", "31UFP", "31UGP", "32ULV")] == [
        "test",
        "validation",
        "validation",
        "train",
    ]


@pytest.mark.parametrize(
    ("gap", "patches"), [(15, 6560), (16, 5890), (17, 5890), (18, 4960), (19, 3178), (20, 3178)]
)
def test_table_1_on_the_real_labels(real_index, gap, patches):
    assert len(select(real_index, days_gap=gap)) == patches


def test_splits_on_the_real_labels(real_index):
    table = select(real_index)
    assert table["split"].value_counts().to_dict() == {
        "train": 3369,
        "validation": 1911,
        "test": 610,
    }
    without = table[(table["split"] == "train") & (table["tile"] != "32ULV")]
    assert len(without) == 3369 - 793


def test_s1_dates_are_the_first_of_their_month_on_the_real_labels(real_index):
    named = real_index.set_index("patch")["s1_dates"]
    for row in select(real_index).iloc[::50].itertuples():
        chosen = row.s1_dates
        dates = named[row.patch]
        for day in chosen:
            month = dates[month_of(dates) == month_of(np.array([day]))[0]]
            assert day == month.min()


def test_only_existing_files_are_chosen(tmp_path, sample_root):
    index = read_index(sample_root / "labels")
    table = load_selection(sample_root)
    assert set(table["split"]) == {"train", "validation", "test"}
    for row in table.itertuples():
        for sensor in ("s1", "s2"):
            for day in getattr(row, f"{sensor}_dates"):
                assert raster_path(sample_root, sensor, row.patch, day).is_file()
    named = index["s1_dates"].map(len).sum()
    assert only_existing(index, sample_root)["s1_dates"].map(len).sum() < named


@pytest.mark.fault("selection: patches without a Sentinel-1 image -> told, and all of them listed")
def test_patches_without_sentinel_1_are_listed():
    near = np.array(["2020-07-15"], "datetime64[D]")
    far = np.array(["2020-09-15"], "datetime64[D]")
    index = pd.DataFrame({"patch": [f"31UEQ_{257 * x}_0" for x in range(8)], "tile": "31UEQ"})
    index = index.assign(x=range(8), y=0, s2_dates=[near] * 8, s1_dates=[near] + [far] * 7)
    without_s1 = index["patch"].tolist()[1:]
    first = ", ".join(without_s1[:5])
    message = rf"left out 7 patches .*: {first}, \.\.\.: `multisenge select --left-out FILE`"
    with pytest.warns(UserWarning, match=message):
        selection = make_selection(index, months=(7,))
    assert selection.patches["patch"].tolist() == ["31UEQ_0_0"]
    assert selection.without_s1 == tuple(without_s1)


def test_a_selection_of_ones_own(sample_root):
    dataset = with_selection(dataset_of_root(sample_root), "7,9", tiles="31UEQ,31UFQ=validation")
    table = load_selection(sample_root, dataset=dataset)
    splits = table.groupby("tile")["split"].unique().map(list).to_dict()
    assert splits == {"31UEQ": ["test"], "31UFQ": ["validation"]}
    assert all(month_of(dates).tolist() == [7, 9] for dates in table["s2_dates"])


def test_a_root_without_s1_is_refused(tmp_path):
    with pytest.raises(SelectionError, match="s1 cannot be listed"):
        only_existing(pd.DataFrame({"patch": []}), tmp_path)


@pytest.mark.parametrize("name", ["mine.tif", "31UEQ_20200231_S1_0_0.tif", "31UEQ_2020_S1_0_0.tif"])
@pytest.mark.fault("selection: a raster of an impossible date among others -> that one is named")
def test_strange_raster_names_are_refused(tmp_path, name):
    (tmp_path / "s1").mkdir()
    for day in ("20200101", "20200301", "20201231"):
        (tmp_path / "s1" / f"31UEQ_{day}_S1_0_0.tif").touch()
    (tmp_path / "s1" / name).touch()
    with pytest.raises(SelectionError, match=f"s1/{name} is not named .*: rename it"):
        only_existing(pd.DataFrame({"patch": [], "s1_dates": []}), tmp_path)


@pytest.mark.fault("selection: a hidden file among the rasters, of a killed process -> left out")
@pytest.mark.parametrize("name", [".31UEQ_20200101_S1_0_0.62647abc.tif", "._x.tif"])
def test_hidden_files_are_left_out(tmp_path, name):
    folder = tmp_path / "s1"
    folder.mkdir()
    (folder / "31UEQ_20200101_S1_0_0.tif").touch()
    (folder / name).touch()
    assert list(dates_on_disk(folder)) == ["31UEQ_0_0"]


@pytest.mark.fault("selection: s1 and s2 are links to one folder -> each has its own dates")
def test_rasters_of_the_other_sensor_are_no_dates(tmp_path):
    """A day of both sensors counted twice, and was selected where no label named it."""
    (tmp_path / "all").mkdir()
    for day, sensor in (("0710", "S1"), ("0710", "S2"), ("0715", "S2")):
        (tmp_path / "all" / f"31UEQ_2020{day}_{sensor}_0_0.tif").touch()
    for sensor in ("s1", "s2"):
        (tmp_path / sensor).symlink_to("all")
    assert dates_on_disk(tmp_path / "s1")["31UEQ_0_0"].tolist() == days("07-10").tolist()
    index = pd.DataFrame({"patch": ["31UEQ_0_0"]})
    index = index.assign(s1_dates=[days("07-20")], s2_dates=[days("07-15")])
    existing = only_existing(index, tmp_path)
    assert existing.loc[0, "s1_dates"].tolist() == []
    assert existing.loc[0, "s2_dates"].tolist() == days("07-15").tolist()


def test_csv_as_the_readme_says(real_index, tmp_path):
    to_csv(select(real_index), tmp_path / "out.csv")
    table = pd.read_csv(tmp_path / "out.csv", dtype=str)
    assert table.columns.tolist() == ["patch", "tile", "split", "s2_dates", "s1_dates"]
    assert table["s2_dates"].str.fullmatch(r"2020\d{4}(;2020\d{4}){3}").all()
    assert table["patch"].is_monotonic_increasing


@pytest.mark.fault("a slip in Python: a name for a dataset, NumPy for months or days -> one line")
def test_slips_of_a_script_are_one_line(tmp_path):
    with pytest.raises(SelectionError, match="give a dataset of with_selection"):
        load_selection(tmp_path, dataset="sample")
    with pytest.raises(DescriptionError, match="dataset_of_root"):
        with_selection(tmp_path, days_gap=18)
    with pytest.raises(SelectionError, match="give whole days"):
        select(pd.DataFrame(), days_gap=np.timedelta64(20, "D"))
    assert with_selection(MULTISENGE, months=np.array([7, 8])).months == (7, 8)
