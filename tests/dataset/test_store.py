"""The packed store: what goes in comes out; kills, damage, full disks and changes are survived."""

import errno
import json

import numpy as np
import pytest
from rasters import PATCHES, write_raster, write_root

from multisenge_lib.dataset import store as stores
from multisenge_lib.dataset.layout import raster_path
from multisenge_lib.dataset.rasters import read_patch
from multisenge_lib.dataset.store import pack
from multisenge_lib.errors import MultiSenGEError, PatchError

BROKEN = "31UFQ_0_257"


@pytest.fixture
def root(tmp_path):
    return tmp_path / "root"


@pytest.fixture
def selection(root):
    return write_root(root)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MULTISENGE_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def reads(monkeypatch):
    """The patches read from GeoTIFFs, in order."""
    names = []

    def spy(root, row, **options):
        names.append(row.patch)
        return read_patch(root, row, **options)

    monkeypatch.setattr(stores, "read_patch", spy)
    return names


def damage(root, patch=BROKEN):
    path = next((root / "s2").glob(f"31UFQ_*_S2_{patch[6:]}.tif"))
    path.write_bytes(path.read_bytes()[:2000])
    return path


@pytest.mark.parametrize("memory", [0, 2**30])
def test_what_is_packed_is_what_the_rasters_hold(root, selection, memory):
    store = pack(root, selection, memory=memory)
    assert isinstance(store.arrays["s2"], np.ndarray) == (memory > 0)
    for row in selection.itertuples():
        patch = read_patch(root, row)
        (position,) = store.patches.loc[store.patches["patch"] == row.patch, "position"]
        for name in ("s1", "s2", "reference"):
            np.testing.assert_array_equal(store.read(name, position), getattr(patch, name))
    assert store.size == 32 and store.skipped.empty
    assert [len(store.positions(s)) for s in ("train", "validation", "test")] == [4, 1, 1]


def test_a_second_call_reads_no_raster(root, selection, reads):
    first = pack(root, selection)
    assert len(reads) == len(PATCHES)
    assert pack(root, selection).fingerprint == first.fingerprint
    assert len(reads) == len(PATCHES)


def test_a_changed_raster_is_packed_again_and_alone(root, selection, reads):
    first = pack(root, selection)
    reads.clear()
    write_raster(raster_path(root, "reference", BROKEN), np.ones((1, 32, 32), np.uint8))
    second = pack(root, selection)
    assert reads == [BROKEN] and second.fingerprint != first.fingerprint
    position = selection.index[selection["patch"] == BROKEN][0]
    assert (second.read("reference", position) == 1).all()


def test_another_patch_size_packs_all_anew(root, selection):
    pack(root, selection)
    assert pack(root, write_root(root, size=64)).size == 64


def test_packing_goes_on_after_a_kill(root, selection, reads, monkeypatch):
    whole = pack(root, selection, root / "whole").fingerprint
    reads.clear()

    def killed(*_):
        if len(reads) == 3:
            raise KeyboardInterrupt
        return write_patch(*_)

    write_patch = stores._write_patch
    with monkeypatch.context() as patched:
        patched.setattr(stores, "_write_patch", killed)
        with pytest.raises(KeyboardInterrupt):
            pack(root, selection)
    (manifest,) = (root.parent / "cache" / "packed").glob("*/manifest.jsonl")
    with manifest.open("a") as file:
        file.write('{"patch": "torn')
    assert pack(root, selection).fingerprint == whole
    assert len(reads) == 3 + len(PATCHES) - 2
    assert all(json.loads(line) for line in manifest.read_text().splitlines())


def test_a_full_disk_is_one_line_and_loses_nothing(root, selection, reads, monkeypatch):
    write_patch = stores._write_patch

    def full(*arguments):
        if len(reads) == 4:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write_patch(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(stores, "_write_patch", full)
        with pytest.raises(MultiSenGEError, match=r"No space left.*MULTISENGE_CACHE") as caught:
            pack(root, selection)
    assert "\n" not in str(caught.value)
    assert len(pack(root, selection).patches) == len(PATCHES)
    assert len(reads) == len(PATCHES) + 1


def test_a_broken_patch_stops_by_name(root, selection):
    path = damage(root)
    with pytest.raises(PatchError, match="on_error='skip'") as caught:
        pack(root, selection)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_a_broken_patch_is_skipped_counted_and_mended(root, selection, reads):
    path = damage(root)
    store = pack(root, selection, on_error="skip")
    assert store.skipped["patch"].tolist() == [BROKEN]
    assert path.name in store.skipped["problem"][0] and str(root) not in store.skipped["problem"][0]
    assert BROKEN not in store.patches["patch"].tolist() and len(store.positions("train")) == 3
    reads.clear()
    assert len(pack(root, selection, on_error="skip").skipped) == 1 and not reads
    with pytest.raises(PatchError, match=BROKEN):
        pack(root, selection)
    path.unlink()
    write_root(root)
    assert pack(root, selection).skipped.empty


def test_one_size_for_all(root, selection):
    write_root(root, size=64, patches=[BROKEN])
    with pytest.raises(PatchError, match=f"{BROKEN}.*one size"):
        pack(root, selection)


def test_only_the_sensors_asked_for(root, selection):
    for path in (root / "s1").iterdir():
        path.unlink()
    assert set(pack(root, selection, sensors=("s2",)).arrays) == {"s2", "reference"}


def test_wrong_use_is_refused(root, selection):
    with pytest.raises(PatchError, match="no patch"):
        pack(root, selection.iloc[:0])
    with pytest.raises(PatchError, match="on_error 'ignore'"):
        pack(root, selection, on_error="ignore")


def test_a_damaged_store_says_what_to_delete(root, selection):
    store = pack(root, selection, memory=0)
    chunk = next(
        path for path in (store.path / "arrays.zarr" / "s2" / "c").rglob("*") if path.is_file()
    )
    chunk.write_bytes(b"nothing")
    with pytest.raises(PatchError, match="delete this folder"):
        for position in range(len(PATCHES)):
            store.read("s2", position)
