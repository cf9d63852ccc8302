import errno
import gzip
import json
import os
import tarfile
import tracemalloc
from dataclasses import replace
from datetime import datetime

import labels
import numpy as np
import pandas as pd
import pytest
from pyproj import CRS

from multisenge_lib import paths
from multisenge_lib.dataset.labels import read_index
from multisenge_lib.dataset.layout import MULTISENGE, raster_path
from multisenge_lib.dataset.typology import make_typology
from multisenge_lib.errors import LabelError


@pytest.fixture
def folder(tmp_path):
    for patch in ("31UEQ_7453_4112", "32ULU_3855_771"):
        labels.write(tmp_path / "labels", patch)
    return tmp_path / "labels"


def pack(folder, archive):
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(folder, arcname="labels")
    return archive


def test_a_row_a_patch_sorted_and_typed(folder):
    index = read_index(folder)
    assert index["patch"].tolist() == ["31UEQ_7453_4112", "32ULU_3855_771"]
    row = index.iloc[1]
    assert (row.tile, row.x, row.y, row.epsg) == ("32ULU", 3855, 771, 32632)
    assert row.classes.tolist() == [2, 6, 9]
    assert row.s2_dates.dtype == "datetime64[D]"
    assert row.s1_dates[0] == np.datetime64("2020-07-03")


def test_dates_are_sorted_whatever_their_order_in_the_file(folder):
    shuffled = labels.document("31UEQ_257_0", s2=("20201105", "20200715"))
    labels.write(folder, "31UEQ_257_0", **shuffled)
    dates = read_index(folder).set_index("patch").loc["31UEQ_257_0", "s2_dates"]
    assert dates.astype(str).tolist() == ["2020-07-15", "2020-11-05"]


def test_a_patch_without_acquisitions_has_empty_dates(folder):
    labels.write(folder, "31UEQ_257_0", corresponding_s1="")
    assert len(read_index(folder).set_index("patch").loc["31UEQ_257_0", "s1_dates"]) == 0


@pytest.mark.fault("index: its arrays written to -> a second reading has what the files hold")
def test_two_readings_share_no_array(folder):
    """One cached array once served all patches with the same classes, and all later readings."""
    for patch in ("31UEQ_0_0", "31UEQ_257_0"):
        labels.write(folder, patch)
    first = read_index(folder)
    first["classes"].iloc[0][:] = 99
    first["s2_dates"].iloc[0][:] = np.datetime64("1999-01-01")
    assert first["classes"].iloc[1].tolist() == [2, 6, 9]
    second = read_index(folder)
    assert second["classes"].iloc[0].tolist() == [2, 6, 9]
    assert second["s2_dates"].iloc[0][0] == np.datetime64("2020-07-15")


@pytest.mark.parametrize("suffix", ["tgz", "tar.gz"])
def test_the_archive_reads_as_its_folder(folder, tmp_path, suffix):
    archive = pack(folder, tmp_path / f"labels.{suffix}")
    pd.testing.assert_frame_equal(read_index(archive), read_index(folder))


DAMAGE = {
    "truncated": ("not JSON", lambda p: p.write_text(p.read_text()[:100])),
    "empty": ("not JSON", lambda p: p.write_text("")),
    "binary": ("not JSON", lambda p: p.write_bytes(b"\xff\xfe\x00")),
    "list": ("Expected `object`", lambda p: p.write_text("[1, 2]")),
    "deeply nested": ("Expected `object`", lambda p: p.write_text("[" * 100_000)),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_files_are_named(folder, damage):
    reason, do = DAMAGE[damage]
    do(folder / "31UEQ_7453_4112.json")
    with pytest.raises(LabelError, match=f"31UEQ_7453_4112.json: .*{reason}") as error:
        read_index(folder)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("patch", "changes", "reason"),
    [
        ("31UEQ_0_0", {"projection": None}, "missing required field `projection`"),
        ("31UEQ_0_0", {"labels": None, "corresponding_s1": None}, "`corresponding_s1`: .* keys"),
        ("31UEQ_0_0", {"labels": 6}, r"Expected `str`, got `int` - at `\$\.labels`"),
        ("31UEQ_0_0", {"labels": "1;99"}, "class id '99'"),
        ("31UEQ_0_0", {"labels": ""}, "class id ''"),
        ("31UEQ_0_0", {"labels": "6;07"}, "class id '07'"),
        ("31UEQ_0_0", {"labels": "６"}, "class id '６'"),
        ("31UEQ_0_0", {"labels": "0"}, "class id '0'"),
        ("31UEQ_0_0", {"corresponding_s2": "31UEQ_20190715_S2_0_0.tif"}, "20190715 is not of"),
        ("31UEQ_0_0", {"corresponding_s2": "31UEQ_20200231_S2_0_0.tif"}, "'20200231' is not a"),
        ("31UEQ_0_0", {"corresponding_s2": "31UEQ_2020731_S2_0_0.tif"}, "'2020731' is not a"),
        ("31UEQ_0_0", {"corresponding_s2": "31UEQ_20200715_S2_0_257.tif"}, "of this patch"),
        ("31UEQ_0_0", {"corresponding_s1": "31UEQ_20200715_S2_0_0.tif"}, "of this patch"),
        ("31UEQ_0_0", {"corresponding_s1": "nonsense"}, "received 'nonsense'"),
        (
            "31UEQ_0_0",
            {"corresponding_s2": "31UEQ_20200715_S2_0_0.tif;31UEQ_20200715_S2_0_0.tif"},
            "date 20200715 twice",
        ),
        (
            "31UEQ_0_0",
            {"corresponding_s2": "31UEQ_20200715_S2_0_0.tif;31UFQ_20200716_S2_0_0.tif"},
            "is not a date",
        ),
        ("31UEQ_0_0", {"projection": "EPSG:32632"}, "EPSG:32632.*EPSG:32631"),
        ("31UEQ_0_0", {"projection": "LOCAL"}, "LOCAL.*EPSG:32631"),
        ("31UXX_0_0", {}, "unknown tile 31UXX"),
        ("31UEQ_01_0", {}, "name is not"),
    ],
)
def test_wrong_content_is_named_with_its_reason(tmp_path, patch, changes, reason):
    labels.write(tmp_path / "labels", patch, **changes)
    with pytest.raises(LabelError, match=rf"{patch}\.json: .*{reason}") as error:
        read_index(tmp_path / "labels")
    assert "\n" not in str(error.value)


def test_all_wrong_files_are_reported_together_and_none_is_left_out(folder):
    labels.write(folder, "31UXX_0_0")
    labels.write(folder, "31UEQ_0_0", labels="99")
    with pytest.raises(LabelError, match="2 of 4 label files are wrong") as error:
        read_index(folder)
    assert "31UXX_0_0.json" in str(error.value)
    assert "31UEQ_0_0.json" in str(error.value)


def test_a_patch_in_two_folders_is_a_duplicate(folder):
    labels.write(folder / "again", "31UEQ_7453_4112")
    with pytest.raises(LabelError, match="duplicate of 31UEQ_7453_4112"):
        read_index(folder)


def test_other_files_are_left_out_with_a_warning(folder):
    (folder / "notes.txt").write_text("mine")
    with pytest.warns(UserWarning, match=r"notes\.txt"):
        assert len(read_index(folder)) == 2


def test_nothing_there(tmp_path):
    with pytest.raises(LabelError, match="does not exist"):
        read_index(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(LabelError, match="no label file"):
        read_index(tmp_path / "empty")


def test_a_truncated_archive_is_named(folder, tmp_path):
    archive = pack(folder, tmp_path / "labels.tgz")
    archive.write_bytes(archive.read_bytes()[:-100])
    with pytest.raises(LabelError, match=r"labels\.tgz cannot be read"):
        read_index(archive)
    archive.write_text("not a tar")
    with pytest.raises(LabelError, match=r"labels\.tgz cannot be read"):
        read_index(archive)


FAULTS = {
    "a folder named x.json": ("is not a file", lambda p: (p.unlink(), p.mkdir())),
    "a named pipe": ("is not a file", lambda p: (p.unlink(), os.mkfifo(p))),
    "a link to /dev/zero": ("is not a file", lambda p: (p.unlink(), p.symlink_to("/dev/zero"))),
    "a link to nowhere": ("cannot be read", lambda p: (p.unlink(), p.symlink_to("nowhere"))),
    "two megabytes": ("a label file has less than", lambda p: p.write_bytes(b" " * 2**21)),
    "a key twice": (
        "key 'labels' is there twice",
        lambda p: p.write_text(p.read_text().replace("{", '{"labels": "1", ', 1)),
    ),
    "digits of another script": (
        "is not a date",
        lambda p: p.write_text(p.read_text().replace("20200715", "２０２００７１５")),
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.fault("labels: a folder, a pipe, a device, a key twice ... -> named, nothing left out")
def test_what_is_no_label_file_is_named(folder, fault):
    reason, do = FAULTS[fault]
    do(folder / "31UEQ_7453_4112.json")
    with pytest.raises(LabelError, match=rf"1 of 2 .*31UEQ_7453_4112\.json: .*{reason}") as error:
        read_index(folder)
    assert "\n" not in str(error.value)


@pytest.mark.fault("labels: a subfolder that cannot be listed -> refused, no patch left out")
def test_a_folder_that_cannot_be_listed_is_refused(folder, monkeypatch):
    (folder / "more").mkdir()
    scandir = os.scandir

    def unreadable(path):
        if str(path).endswith("more"):
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", unreadable)
    with pytest.raises(LabelError, match=r"more cannot be listed \(Permission denied\)"):
        read_index(folder)


@pytest.mark.parametrize("offset", ["20000", "10980", "10725", "1" + "0" * 20, "9" * 200])
@pytest.mark.fault("labels: a column beyond the tile -> named with the others")
def test_a_patch_beyond_its_tile_is_named(folder, offset):
    labels.write(folder, f"31UEQ_{offset}_0")
    with pytest.raises(LabelError, match=f"1 of 3 .*{offset}_0.json: the (patch ends|name is not)"):
        read_index(folder)


@pytest.mark.parametrize("form", ["EPSG:32631", "urn:ogc:def:crs:EPSG::32631", "WKT2", "WKT1_ESRI"])
@pytest.mark.fault("labels: a projection as WKT2 or EPSG:32631 -> read")
def test_a_projection_may_be_written_in_any_form(folder, form):
    text = form if ":" in form else CRS.from_epsg(32631).to_wkt(form.replace("WKT2", "WKT2_2019"))
    labels.write(folder, "31UEQ_0_0", projection=text)
    assert set(read_index(folder).query("tile == '31UEQ'")["epsg"]) == {32631}


@pytest.mark.fault("labels: an archive of 6 GB when unpacked -> refused in bounded memory")
def test_an_archive_that_is_a_bomb_is_refused(folder, tmp_path):
    with gzip.open(tmp_path / "bomb.tgz", "wb", compresslevel=1) as bomb:
        for _ in range(600):
            bomb.write(bytes(2**20))
    tracemalloc.start()
    with pytest.raises(LabelError, match="bytes unpacked, no label archive"):
        read_index(tmp_path / "bomb.tgz")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**29


@pytest.mark.fault("labels: a link or a device in the archive -> named")
def test_a_link_in_an_archive_is_named(folder, tmp_path):
    (folder / "31UEQ_0_0.json").symlink_to("/etc/passwd")
    with pytest.raises(LabelError, match=r"1 of 3 .*31UEQ_0_0\.json: is no label file"):
        read_index(pack(folder, tmp_path / "labels.tgz"))


def test_other_datasets_have_other_tiles_years_and_classes(tmp_path):
    other = labels.document("56HKH_0_0", s2=("20210715",), s1=())
    labels.write(tmp_path / "mine", "56HKH_0_0", **other)
    with pytest.raises(LabelError, match=r"unknown tile.*--any-tile"):
        read_index(tmp_path / "mine")
    dataset = replace(MULTISENGE, years=(2021,), split_of_tile={"56HKH": "test"})
    assert read_index(tmp_path / "mine", dataset)["epsg"].tolist() == [32756]
    classes = make_typology((str(i), "#000000", (i,)) for i in range(1, 9))
    few = replace(dataset, reference_classes=classes, groupings=())
    with pytest.raises(LabelError, match="class id '9' in 'labels': the classes are 1 to 8"):
        read_index(tmp_path / "mine", few)


def test_raster_names_are_the_published_ones():
    day = np.datetime64("2020-07-05")
    root = paths.Path("root")
    assert raster_path(root, "s2", "31UEQ_7453_4112", day) == (
        root / "s2" / "31UEQ_20200705_S2_7453_4112.tif"
    )
    assert raster_path(root, "reference", "31UEQ_7453_4112").name == "31UEQ_GR_7453_4112.tif"


def test_real_labels(real_index):
    assert len(real_index) == 8157
    assert real_index["s1_dates"].map(len).sum() == 1_012_227
    assert real_index["s2_dates"].map(len).sum() == 72_033
    assert sorted(real_index["tile"].unique()) == sorted(MULTISENGE.tiles)


def test_real_labels_read_as_the_plainest_reader_reads_them(real_labels, real_index):
    index = real_index.set_index("patch")
    with tarfile.open(real_labels) as tar:
        for number, member in enumerate(m for m in tar if m.isfile()):
            if number % 100:
                continue
            patch = member.name.rpartition("/")[2].removesuffix(".json")
            content = json.load(tar.extractfile(member))
            for sensor in ("s1", "s2"):
                names = content[f"corresponding_{sensor}"].split(";")
                days = sorted(datetime.strptime(n.split("_")[1], "%Y%m%d") for n in names)
                assert index.loc[patch, f"{sensor}_dates"].tolist() == [d.date() for d in days]
            assert index.loc[patch, "classes"].tolist() == sorted(
                int(i) for i in content["labels"].split(";")
            )
