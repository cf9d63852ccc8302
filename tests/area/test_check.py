"""A root of six patches, whole and then harmed: what `check_root` says of it."""

import json
import os
import shutil
from dataclasses import replace

import numpy as np
import pytest
import rasterio
from rasters import DAYS, PATCHES, write_raster, write_root

from multisenge_lib.area.check import check_root as check
from multisenge_lib.dataset import (
    MULTISENGE,
    S2_BANDS,
    dataset_of_root,
    load_selection,
    raster_path,
    write_dataset_toml,
)
from multisenge_lib.errors import MultiSenGEError, PatchError

PATCH = "31UFQ_0_257"
#: Vegetation with the 10 m bands first: B2 B3 B4 B8 B5 B6 B7 B8A B11 B12.
GREEN = np.array([660, 936, 916, 3226, 1437, 2620, 3090, 3300, 2423, 1650], np.uint16)


@pytest.fixture
def root(tmp_path):
    """Described as MultiSenGE is, except for its months: it has images of two."""
    write_root(tmp_path)
    write_dataset_toml(
        tmp_path, replace(MULTISENGE, name="six-patches", months=(7, 8), patch_pixels=32)
    )
    return tmp_path


def words(kinds):
    return " | ".join(f"{kind.layer}: {kind.problem}" for kind in kinds)


def path(root, layer, patch=PATCH):
    return raster_path(root, layer, patch, None if layer == "reference" else DAYS[0])


def test_a_whole_root_has_nothing_to_fix(root):
    report = check(root)
    assert not report.problems and not report.notes
    assert report.files.groupby("layer")["on_disk"].sum().to_dict() == {
        "reference": 6,
        "s1": 12,
        "s2": 12,
    }
    assert "lies where its name says" in report.evidence["Place"]
    assert "VV is above VH in 100%" in report.evidence["Backscatter"]
    assert "Nothing to fix" in report.to_text()
    assert json.loads(json.dumps(report.to_json()))["files"][0]["layer"] == "reference"


def rewrite(file, change, names=(), **place):
    with rasterio.open(file) as source:
        data = change(source.read())
    write_raster(file, data, names, **place)


def nan(data):
    data[0, 1, 2] = np.nan
    return data


#: What is done to which layer, and what is said of it.
HARMS = [
    ("s1", lambda f: rewrite(f, nan), "holds NaN"),
    ("s1", lambda f: rewrite(f, lambda d: 10 * np.log10(d)), "convert from decibel"),
    ("s1", lambda f: rewrite(f, lambda d: d, crs="EPSG:32632"), "lies in EPSG:32632"),
    ("s2", lambda f: rewrite(f, lambda d: d[:, :16, :16]), "has 16x16 pixels"),
    ("s2", lambda f: rewrite(f, lambda d: d[:9]), "has 9 bands"),
    ("s2", lambda f: rewrite(f, lambda d: d.astype(np.float32)), "is float32"),
    ("s2", lambda f: f.write_bytes(f.read_bytes()[:9000]), "truncated or damaged"),
    ("reference", lambda f: rewrite(f, lambda d: d + 20), "class ids are 1 to 14"),
    ("reference", lambda f: f.write_bytes(b""), "is empty"),
]


@pytest.mark.fault("a raster of the root is damaged -> check names it, its layer and the rule")
@pytest.mark.parametrize("layer,harm,message", HARMS, ids=[message for _, _, message in HARMS])
def test_a_harmed_raster_is_named(root, layer, harm, message):
    harm(path(root, layer))
    report = check(root)
    (kind,) = report.problems
    assert kind.layer == layer and message in kind.problem and kind.files == 1
    assert kind.examples[0].endswith(path(root, layer).name)
    assert report.files.set_index(["layer", "tile"])["damaged"].sum() == 1
    assert message in report.to_text()


def test_problems_of_one_kind_are_gathered(root):
    for patch in PATCHES:
        rewrite(path(root, "s1", patch), lambda d: -d)
    (kind,) = check(root).problems
    assert kind.files == 6 and len(kind.examples) == 5


def test_missing_and_unnamed_files_are_notes(root):
    path(root, "s1").unlink()
    shutil.copy(path(root, "s2"), path(root, "s2").with_name("31UFQ_20200901_S2_0_257.tif"))
    (root / "s2" / "README").write_text("mine")
    (root / "s2" / "99ZZZ_20200901_S2_0_257.tif").write_text("of no tile")
    report = check(root)
    assert not report.problems
    assert "s1: is named by a label, but is not there" in words(report.notes)
    assert "s2: is there, but no label names it" in words(report.notes)
    assert "s2: is not named like a raster" in words(report.notes)


def test_constant_bands_and_no_data_are_told(root):
    def flat(data):
        data[4] = 7
        data[:, :16] = 0
        data[4, 0] = 7
        return data

    rewrite(path(root, "s2"), flat, S2_BANDS)
    report = check(root)
    table = report.files.set_index(["layer", "tile"])["no_data"]
    assert table["s2", "31UFQ"] > 5 and table["s1", "31UFQ"] == 0
    rewrite(path(root, "s2"), lambda d: np.where(np.arange(10)[:, None, None] == 4, 7, d), S2_BANDS)
    assert "s2: band B6 is 7 everywhere" in words(check(root).notes)


@pytest.mark.parametrize(
    "names,message",
    [((), "give band_order='resolution'"), (S2_BANDS, "names of the bands contradict")],
)
def test_the_band_order_is_tested_by_content(root, names, message):
    for file in (root / "s2").iterdir():
        rewrite(file, lambda d: np.broadcast_to(GREEN[:, None, None], d.shape).copy(), names)
    report = check(root)
    assert message in words(report.problems)
    assert "12 speak for the resolution order" in report.evidence["Band order"]


def test_two_orders_in_one_root_are_found(root):
    spectral = GREEN[[0, 1, 2, 4, 5, 6, 3, 7, 8, 9]]
    for i, file in enumerate((root / "s2").iterdir()):
        green = (GREEN, spectral)[i % 2]
        rewrite(file, lambda d, g=green: np.broadcast_to(g[:, None, None], d.shape).copy())
    assert "stored in two orders" in words(check(root).problems)


def test_swapped_or_odd_backscatter_is_found(root):
    for file in (root / "s1").iterdir():
        rewrite(file, lambda d: d[::-1])
    assert "are the bands swapped" in words(check(root).problems)
    for file in (root / "s1").iterdir():
        rewrite(file, lambda d: d[::-1] * 1e-3)
    assert "is it linear intensity" in words(check(root).problems)


@pytest.mark.fault("check: amplitude, reflectance x 1,000 or untagged 9999 in a root -> to fix")
def test_units_of_a_whole_root(root):
    leaves = np.array([300, 500, 400, 900, 2000, 2600, 2800, 2900, 1800, 900], np.uint16)

    def thousandths(data):
        return np.broadcast_to(leaves[:, None, None] // 10, data.shape)

    for file in (root / "s2").iterdir():
        rewrite(file, thousandths, S2_BANDS)
    for file in (root / "s1").iterdir():
        rewrite(file, np.sqrt)
    found = words(check(root).problems)
    assert "multiply reflectance x 1,000 by 10" in found
    assert "amplitude instead of intensity" in found

    def fill(data):
        data[:, :10, :10] = 9999
        return data

    rewrite(path(root, "s2"), fill, S2_BANDS)
    assert "holds 9999 in all bands of some pixels" in words(check(root).problems)


@pytest.mark.fault("check: one band near 0 where the others show land -> to fix")
def test_one_band_in_another_unit_is_found(root):
    leaves = np.array([300, 500, 400, 900, 2000, 2600, 2800, 2900, 18, 900], np.uint16)

    def without_b11(data):
        return np.broadcast_to(leaves[:, None, None], data.shape)

    for file in (root / "s2").iterdir():
        rewrite(file, without_b11, S2_BANDS)
    assert "holds next to nothing in B11" in words(check(root).problems)


def test_reflectance_that_may_hold_an_offset_is_told(root):
    leaves = np.array([300, 500, 400, 900, 2000, 2600, 2800, 2900, 1800, 900], np.uint16)
    for added, told in ((0, False), (1000, True)):
        spectrum = leaves[:, None, None] + np.uint16(added)
        for file in (root / "s2").iterdir():
            rewrite(file, lambda data, s=spectrum: np.broadcast_to(s, data.shape), S2_BANDS)
        report = check(root)
        assert ("almost no pixel is darker than 1000" in str(report.evidence)) == told
        assert "darker than 1000" not in words(report.problems)


def test_a_root_that_lies_elsewhere_within_the_tolerance_is_told(root):
    for file in root.rglob("*.tif"):
        with rasterio.open(file, "r+") as source:
            at = source.transform
            source.transform = rasterio.Affine(at.a, 0, at.c + 20, 0, at.e, at.f - 40)
    assert "+20 m east and +40 m south" in check(root).evidence["Place"]


@pytest.mark.fault("dataset.toml: patch_pixels other than the rasters' size -> check says so")
def test_another_size_than_described(root):
    for patch_pixels in (32, 64):
        described = replace(MULTISENGE, name="valley", months=(7, 8), patch_pixels=patch_pixels)
        write_dataset_toml(root, described)
        problems = words(check(root).problems)
        expected = "dataset: patch_pixels is 64, all rasters have 32 x 32 pixels: correct it"
        assert problems == ("" if patch_pixels == 32 else expected)


def test_the_selected_patches_are_counted(root):
    report = check(root)
    assert report.evidence["Selection"] == (
        "Selected 6 of 6 patches, with images of months 7 and 8: 4 for train, 1 for validation, "
        "1 for test"
    )
    path(root, "s1").unlink()
    assert check(root).evidence["Selection"].startswith("Selected 5 of 6 patches")


@pytest.mark.fault("dataset.toml: months or a gap without a full series -> check says so")
@pytest.mark.parametrize(
    "rules, reason",
    [
        ({"months": (7, 9)}, "no patch has a Sentinel-2 image of month 9"),
        ({"days_gap": 40}, "no patch has Sentinel-2 images of months 7 and 8 that lie at least"),
    ],
)
def test_a_root_of_which_nothing_is_selected(root, rules, reason):
    write_dataset_toml(root, replace(dataset_of_root(root), **rules))
    report = check(root)
    (problem,) = report.problems
    assert problem.layer == "dataset" and problem.examples == ("dataset.toml",)
    assert problem.problem.startswith(f"no patch is selected; {reason}")
    assert "Nothing to fix" not in report.to_text()


@pytest.mark.fault(
    "dataset.toml is wrong -> check says so, and the rasters are checked all the same"
)
def test_a_wrong_description_is_to_be_fixed(root):
    path = write_dataset_toml(root, replace(MULTISENGE, name="valley"))
    text = path.read_text().replace("[\n    2020,\n]", "2020")
    path.write_text(text)
    report = check(root)
    (kind,) = report.problems
    assert (kind.layer, kind.examples) == ("dataset", ("dataset.toml",))
    assert "years is 2020" in kind.problem and "Nothing to fix" not in report.to_text()
    assert report.files["on_disk"].sum() == 30


@pytest.mark.fault("one label file cannot be read -> named; the other patches are as before")
def test_a_wrong_label_is_one_problem(root):
    before = check(root).files
    (root / "labels" / f"{PATCH}.json").write_text("{")
    report = check(root)
    (group,) = report.problems
    assert group.layer == "labels" and group.examples == (f"labels/{PATCH}.json",)
    (note,) = {group.problem for group in report.notes}
    assert note == "is there, and the label file of its patch cannot be read"
    assert "Selection" not in report.evidence  # blocks depend on all patches
    assert report.files["on_disk"].sum() == 30
    assert report.files["named"].sum() == before["named"].sum() - 5
    for file in (root / "labels").iterdir():
        file.write_text("{")
    assert check(root).files["on_disk"].sum() == 30


@pytest.mark.fault("all rasters of a layer are gone, or its link leads to nothing -> a problem")
@pytest.mark.parametrize("link", [False, True])
def test_a_layer_that_is_gone_is_a_problem(root, link):
    shutil.rmtree(root / "s2")
    if link:
        (root / "s2").symlink_to(root / "nothing")
    report = check(root)
    assert words(report.problems) == (
        "s2: not one of the 12 files that labels name is there: fetch the layer, or correct the "
        "link to it"
    )
    assert not report.notes


@pytest.mark.fault("names with line breaks, or not UTF-8, in a root -> quoted in the report")
def test_strange_names_are_quoted(root):
    (root / "s2" / "a\nb\x1b[31m.tif").write_text("")
    (root / "s2" / os.fsdecode(b"caf\xe9.tif")).write_text("")
    (root / "labels" / os.fsdecode(b"\xff.json")).write_text("{}")
    report = check(root)
    text = report.to_text()
    assert "\x1b" not in text and "a\\nb" in text and "caf\\udce9" in text
    assert text.encode() and json.dumps(report.to_json())


@pytest.mark.fault("a pipe in the place of a raster -> named, not waited for")
def test_a_pipe_is_named(root):
    path(root, "s1").unlink()
    os.mkfifo(path(root, "s1"))
    assert "is not a file" in words(check(root).problems)


@pytest.mark.fault("a folder or file as data root that is none -> one line")
def test_what_is_no_root_is_refused(tmp_path):
    with pytest.raises(PatchError, match="is not a folder"):
        check(tmp_path / "none")
    (tmp_path / "s2").write_text("")
    with pytest.raises(PatchError, match="cannot be listed"):
        check(tmp_path)


def test_a_root_without_description_gets_a_draft(tmp_path):
    patches = [f"33UVP_{x}_{y}" for x in (0, 32, 64) for y in (0, 32, 64)]
    write_root(tmp_path / "vienna", patches=patches)
    report = check(tmp_path / "vienna")
    assert "say what it holds" in report.dataset and not report.problems
    (tmp_path / "vienna" / "dataset.toml").write_text(report.draft)
    dataset = dataset_of_root(tmp_path / "vienna")
    assert dataset.name == "vienna" and dataset.patch_pixels == 32 and dataset.months == (7, 8)
    assert load_selection(tmp_path / "vienna")["split"].nunique() == 3
    assert check(tmp_path / "vienna").draft == ""


def test_a_root_of_references_alone_gets_no_draft(tmp_path):
    write_root(tmp_path, patches=["33UVP_0_0"])
    for path in [*(tmp_path / "s1").iterdir(), *(tmp_path / "s2").iterdir()]:
        path.unlink()
    assert check(tmp_path).draft == ""


@pytest.mark.fault("check: a folder that is no data root -> one line")
@pytest.mark.parametrize("inside", ["", "labels"])
def test_a_folder_without_patches_is_refused(tmp_path, inside):
    (tmp_path / inside).mkdir(exist_ok=True)
    with pytest.raises(PatchError, match="holds no patch: a data root has labels/"):
        check(tmp_path)


@pytest.mark.fault("a number of threads that is none -> one line; a huge one -> as many as help")
def test_the_number_of_threads(root):
    for workers in (0, -1, 2.5, "2", True):
        with pytest.raises(MultiSenGEError, match="give the number of threads, from 1"):
            check(root, workers)
    expected = check(root).to_json()
    for workers in (1, np.int64(2), 10**6):
        assert check(root, workers).to_json() == expected
