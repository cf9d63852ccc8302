"""The sample's files: their bytes, their layout, their georeference, and what is written where."""

import errno
import hashlib
import importlib
import json
import os
import subprocess
import sys
from itertools import groupby
from pathlib import Path

import numpy as np
import pytest
import rasterio

from multisenge_lib.dataset import MULTISENGE, SAMPLE, load_selection
from multisenge_lib.dataset.bands import guess_band_order
from multisenge_lib.dataset.grid import patch_bounds, tile_corner
from multisenge_lib.dataset.labels import read_index
from multisenge_lib.dataset.layout import S1_BANDS, S2_BANDS, raster_path
from multisenge_lib.dataset.months import month_of
from multisenge_lib.dataset.rasters import read_patch
from multisenge_lib.dataset.selection import dates_on_disk, select
from multisenge_lib.dataset.typology import TYPOLOGIES, reclassify
from multisenge_lib.errors import FileError, MultiSenGEError
from multisenge_lib.sample.places import PLACES
from multisenge_lib.sample.themes import THEMES

sample = importlib.import_module("multisenge_lib.sample.writer")

SHOWCASE = SAMPLE.showcase
#: One place of each theme.
FEW = tuple(next(places) for _, places in groupby(PLACES, lambda place: place.theme))[:10]


@pytest.fixture(scope="module")
def index(sample_root):
    return read_index(sample_root / "labels")


@pytest.fixture(scope="module")
def selected(index, sample_root):
    return load_selection(sample_root)


@pytest.fixture(scope="module")
def references(index, sample_root):
    paths = {patch: raster_path(sample_root, "reference", patch) for patch in index["patch"]}
    return {patch: read(path)[0] for patch, path in paths.items()}


def read(path):
    with rasterio.open(path) as source:
        return source.read()


def digests(root):
    files = sorted(path for path in root.rglob("*") if path.is_file())
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
    }


def write_few(root, monkeypatch, places=FEW, **options):
    monkeypatch.setattr(sample, "PLACES", places)
    return digests(sample.write_sample(root, **options))


def test_few_places_show_every_theme():
    assert {place.theme for place in FEW} == set(THEMES)


def test_same_seed_same_bytes_in_any_order(tmp_path, monkeypatch):
    once = write_few(tmp_path / "once", monkeypatch, size=32)
    assert once == write_few(tmp_path / "again", monkeypatch, places=FEW[::-1], size=32)


def test_same_bytes_from_another_process(sample_root, tmp_path):
    code = (
        "import sys; from multisenge_lib.sample import writer as sample; "
        "sample.PLACES = sample.PLACES[50:52]; "
        "sample.write_sample(sys.argv[1])"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)
    written = digests(tmp_path)
    del written["sample.json"]  # it counts the files
    assert len(written) > 20
    assert written.items() <= digests(sample_root).items()


def test_another_seed_is_another_sample(tmp_path, monkeypatch):
    first = write_few(tmp_path / "1", monkeypatch, FEW[:1], size=32, seed=1)
    second = write_few(tmp_path / "2", monkeypatch, FEW[:1], size=32, seed=2)
    assert not set(first.values()) & set(second.values())


@pytest.mark.fault("sample: size or seed out of range -> one line, nothing written")
@pytest.mark.parametrize(
    ("size", "seed", "message"),
    [(s, 1, f"sample size {s}: .* multiple of 32") for s in (0, 31, 48, 288, -64, 64.0)]
    + [(32, s, f"sample seed {s!r}: give a whole number") for s in (-1, 0.5, "a", None)],
)
def test_sizes_and_seeds_that_are_refused(size, seed, message, tmp_path):
    for write in (
        lambda: sample.write_sample(tmp_path / "x", size, seed),
        lambda: sample.ensure_sample(size, seed),
    ):
        with pytest.raises(MultiSenGEError, match=message):
            write()
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("size", [32, 256])
def test_other_sizes(size, tmp_path, monkeypatch):
    write_few(tmp_path, monkeypatch, FEW[-1:], size=size)
    patch = read_patch(tmp_path, load_selection(tmp_path).iloc[0])
    assert patch.s2.shape == (4, size, size, 10)
    assert patch.s1.shape == (4, size, size, 2)


def test_layout_and_names(index, sample_root):
    folders = {path.name for path in sample_root.iterdir() if path.is_dir()}
    assert folders == {"labels", "ground_reference", "s1", "s2"}
    assert list(index["patch"]) == sorted(place.patch for place in PLACES)
    names = {path.name for path in (sample_root / "ground_reference").iterdir()}
    assert names == {raster_path("", "reference", patch).name for patch in index["patch"]}


def test_label_files_are_written_as_the_published_ones(sample_root, real_labels):
    """Same keys in the same order, same projection, and dates not in order."""
    import tarfile

    with tarfile.open(real_labels) as tar:
        real = json.load(tar.extractfile(f"labels/{MULTISENGE.showcase[0]}.json"))
    ours = json.loads((sample_root / "labels" / f"{SHOWCASE[0]}.json").read_text())
    assert list(ours) == list(real)
    # Both patches are on the tile 31UEQ.
    assert ours["projection"] == real["projection"]
    names = ours["corresponding_s1"].split(";")
    assert names != sorted(names)


def test_labels_agree_with_the_reference(index, references):
    for row in index.itertuples():
        reference = references[row.patch]
        assert reference.dtype == np.uint8
        assert reference.shape == (64, 64)
        np.testing.assert_array_equal(np.unique(reference), row.classes)


def test_all_named_sentinel2_files_and_most_sentinel1_files_exist(index, sample_root):
    on_disk = {kind: dates_on_disk(sample_root / kind) for kind in ("s1", "s2")}
    named = 0
    missing = 0
    for row in index.itertuples():
        np.testing.assert_array_equal(row.s2_dates, on_disk["s2"][row.patch])
        assert set(on_disk["s1"][row.patch]) <= set(row.s1_dates)
        assert {7, 8, 9, 11} <= set(month_of(on_disk["s1"][row.patch]))
        assert 5 <= len(row.s2_dates) <= 7 and 8 <= len(row.s1_dates) <= 12
        named += len(row.s1_dates)
        missing += len(row.s1_dates) - len(on_disk["s1"][row.patch])
    assert 0.05 < missing / named < 0.11


@pytest.mark.parametrize("patch", [SHOWCASE[0], "32ULU_10376_5750"])
def test_georeference(patch, sample_root, index):
    row = index.set_index("patch").loc[patch]
    for kind, days in (("reference", [None]), ("s2", row.s2_dates[:1])):
        with rasterio.open(raster_path(sample_root, kind, patch, *filter(None, days))) as source:
            assert tuple(source.bounds) == patch_bounds(row.tile, row.x, row.y, 64)
            assert source.crs.to_epsg() == tile_corner(row.tile)[2] == row.epsg
            assert source.res == (10, 10)


@pytest.mark.fault(
    "sample: a raster outside its folder passes for MultiSenGE -> says it is synthetic"
)
def test_rasters_say_what_they_hold_and_nothing_about_when_they_were_made(sample_root, selected):
    row = selected.iloc[0]
    for kind, days, names, dtype in (
        ("s1", row.s1_dates, S1_BANDS, "float32"),
        ("s2", row.s2_dates, S2_BANDS, "uint16"),
    ):
        with rasterio.open(raster_path(sample_root, kind, row.patch, days[0])) as source:
            assert source.descriptions == names
            assert set(source.dtypes) == {dtype}
            assert source.tags() == {
                "AREA_OR_POINT": "Area",
                "TIFFTAG_IMAGEDESCRIPTION": "synthetic sample of multisenge-book, not MultiSenGE",
            }


def test_selection_keeps_and_drops_what_the_places_say(index, selected):
    assert dict(selected["split"].value_counts()) == {"train": 64, "test": 72, "validation": 48}
    complete = {place.patch for place in PLACES if place.series == "complete"}
    assert set(selected["patch"]) == complete == set(select(index)["patch"])
    lacking = {
        row.patch for row in index.itertuples() if not {7, 8, 9, 11} <= set(month_of(row.s2_dates))
    }
    assert lacking == {place.patch for place in PLACES if place.series == "no image in a month"}
    assert len(index) - len(selected) == 10 and len(lacking) == 6


def test_every_class_in_every_split(selected, references):
    for _, rows in selected.groupby("split"):
        ten = reclassify(np.stack([references[p] for p in rows["patch"]]), TYPOLOGIES["10c"])
        share = np.bincount(ten.ravel(), minlength=11)[1:] / ten.size
        assert (share > 0.005).all()


def test_showcase_patches_grow_less_urban(references):
    urban = [np.isin(references[patch], (1, 2, 3, 4, 5)).mean() for patch in SHOWCASE]
    assert urban[0] > urban[1] > urban[2] > 0.05
    dense = [(references[patch] == 1).mean() for patch in SHOWCASE]
    assert dense[0] > 2 * max(dense[1:])


def test_means_come_near_those_of_the_real_training_patches(sample_root, selected):
    """The per-band means of the authors' script, within 15 %; backscatter of farmland."""
    rows = selected[selected["split"] == "train"].iloc[::4]
    patches = [read_patch(sample_root, row) for row in rows.itertuples()]
    s2 = np.stack([patch.s2 for patch in patches])
    real = [439.6, 702.2, 786.6, 1143.0, 2129.7, 2498.6, 2621.0, 2816.8, 2212.9, 1352.3]
    np.testing.assert_allclose(s2.mean(axis=(0, 1, 2, 3)), real, rtol=0.15)
    decibel = 10 * np.log10(np.stack([patch.s1 for patch in patches]))
    vv, vh = decibel.mean(axis=(0, 1, 2, 3))
    assert -12 < vv < -9 and -18.5 < vh < -15.5
    assert guess_band_order(s2) == "spectral"


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache, and a sample of one place."""
    monkeypatch.setenv("MULTISENGE_CACHE", str(tmp_path))
    monkeypatch.setattr(sample, "PLACES", FEW[:1])
    return tmp_path


def cut_off_after(files, monkeypatch):
    """Let the writing of the sample end after some files, as `kill -9` does."""
    write = sample._write
    remaining = iter(range(files))

    def interrupted(path, content):
        if next(remaining, None) is None:
            raise KeyboardInterrupt
        write(path, content)

    monkeypatch.setattr(sample, "_write", interrupted)
    return lambda: monkeypatch.setattr(sample, "_write", write)


def test_ensure_sample_writes_once_and_whole(cache):
    root = sample.ensure_sample(32)
    before = {path: path.stat().st_mtime_ns for path in root.rglob("*")}
    assert sample.ensure_sample(32) == root
    assert {path: path.stat().st_mtime_ns for path in root.rglob("*")} == before
    assert list(cache.iterdir()) == [root]
    assert {path.name for path in root.iterdir() if path.is_file()} == {"sample.json"}


@pytest.mark.fault("sample: cut off in the cache -> never taken for whole, finished the next time")
def test_half_a_sample_in_the_cache_is_finished(cache, monkeypatch):
    restore = cut_off_after(3, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        sample.ensure_sample(32)
    (root,) = cache.iterdir()
    assert not list((root / "labels").iterdir())
    restore()
    assert sample.ensure_sample(32) == root
    assert digests(root) == digests(sample.write_sample(cache / "other", 32))


@pytest.mark.fault("sample: files of the cached sample are purged -> it is written again")
def test_a_cached_sample_with_files_gone_is_written_again(cache):
    root = sample.ensure_sample(32)
    whole = digests(root)
    next((root / "s1").iterdir()).unlink()
    next((root / "labels").iterdir()).unlink()
    assert digests(sample.ensure_sample(32)) == whole


@pytest.mark.fault("sample: cut off in a user's folder -> refused as a data root, until finished")
def test_half_a_sample_is_refused_as_a_data_root(cache, monkeypatch):
    restore = cut_off_after(3, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        sample.write_sample(cache / "mine", 32)
    with pytest.raises(MultiSenGEError, match=r"mine is a sample that was not finished: .*again"):
        sample.find_data_root(cache / "mine")
    restore()
    sample.write_sample(cache / "mine", 32)
    assert sample.find_data_root(cache / "mine") == cache / "mine"


@pytest.mark.fault("sample: the folder holds files of a user -> refused, nothing written")
@pytest.mark.parametrize("name", ["s2/mine.tif", ".hidden", "sample.json"])
def test_a_folder_that_is_not_empty_is_refused(name, cache):
    theirs = cache / "root" / name
    theirs.parent.mkdir(parents=True)
    theirs.write_text("[]")
    with pytest.raises(MultiSenGEError, match=r"root holds other files, nothing was written: .*"):
        sample.write_sample(cache / "root", 32)
    assert [path for path in (cache / "root").rglob("*") if path.is_file()] == [theirs]


@pytest.mark.fault("sample: the folder holds the sample of another seed -> refused, left as it was")
def test_another_sample_is_not_overwritten(cache):
    before = digests(sample.write_sample(cache / "root", 32))
    with pytest.raises(MultiSenGEError, match=r"another sample \(.*'seed': 2020"):
        sample.write_sample(cache / "root", 32, seed=1)
    assert digests(cache / "root") == before


@pytest.mark.fault("sample: the folder is a file -> one line")
def test_a_file_is_refused(cache):
    (cache / "file").write_text("")
    for root in (cache / "file", cache / "file" / "below"):
        with pytest.raises(MultiSenGEError, match="file"):
            sample.write_sample(root, 32)


@pytest.mark.fault("sample: full disk -> one line with the file's name, no half files left")
def test_a_full_disk_is_one_line(cache, monkeypatch):
    def full(path, content):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        with pytest.raises(FileError, match=r"tif cannot be written \(No space left on device\)"):
            sample.ensure_sample(32)
    (root,) = cache.iterdir()
    assert [path.name for path in root.rglob("*") if path.is_file()] == ["unfinished-sample.json"]
    assert digests(sample.ensure_sample(32))


@pytest.mark.fault("sample: the cache is read-only -> one line that names MULTISENGE_CACHE")
def test_a_read_only_cache_is_one_line(cache, monkeypatch):
    def read_only(*_, **__):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "mkdir", read_only)
        with pytest.raises(FileError, match=r"Read-only file system.*MULTISENGE_CACHE"):
            sample.ensure_sample(32)


@pytest.mark.fault("sample: another process writes its marker just now -> the sample is written")
def test_an_unfinished_marker_of_another_process_is_no_foreign_file(tmp_path, monkeypatch):
    monkeypatch.setattr(sample, "PLACES", sample.PLACES[:1])
    (tmp_path / ".unfinished-sample.0a1b2c3d.json").touch()
    assert sample.write_sample(tmp_path, 32) == tmp_path
    assert len(list((tmp_path / "labels").iterdir())) == 1


@pytest.mark.fault("sample: two processes write it at once -> both get the same whole sample")
@pytest.mark.slow
def test_two_processes_at_once(tmp_path):
    code = (
        "from multisenge_lib.sample import writer as sample; sample.PLACES = sample.PLACES[:3]; "
        "print(sample.ensure_sample(32))"
    )
    environment = os.environ | {"MULTISENGE_CACHE": str(tmp_path)}
    command = [sys.executable, "-c", code]
    two = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    printed = {process.communicate(timeout=120)[0] for process in two}
    assert [process.returncode for process in two] == [0, 0] and len(printed) == 1
    (root,) = tmp_path.iterdir()
    assert len(list((root / "labels").iterdir())) == 3
    assert not list(root.rglob(".*"))
