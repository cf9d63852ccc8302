"""The packed store: what goes in comes out; kills, damage, full disks and changes are survived."""

import errno
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rasters import DAYS, PATCHES, write_raster, write_root

from multisenge_lib import paths
from multisenge_lib.dataset import S1_BANDS, TYPOLOGIES
from multisenge_lib.dataset import store as stores
from multisenge_lib.dataset.description import write_dataset_toml
from multisenge_lib.dataset.layout import MULTISENGE, raster_path
from multisenge_lib.dataset.rasters import read_patch
from multisenge_lib.dataset.store import pack
from multisenge_lib.errors import BandOrderError, MultiSenGEError, PatchError

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


def test_what_is_packed_is_what_the_rasters_hold(root, selection):
    store = pack(root, selection)
    for row in selection.itertuples():
        patch = read_patch(root, row)
        (position,) = store.patches.loc[store.patches["patch"] == row.patch, "position"]
        for name in ("s1", "s2", "reference"):
            np.testing.assert_array_equal(store.read(name, position), getattr(patch, name))
    assert store.size == 32 and store.skipped.empty
    assert [len(store.positions(s)) for s in ("train", "validation", "test")] == [4, 1, 1]


def test_a_second_call_reads_no_raster(root, selection, reads):
    first = pack(root, selection)
    assert sorted(reads) == sorted(PATCHES)
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


@pytest.mark.fault("dataset.toml: patch_pixels other than the rasters' size -> not packed")
def test_another_size_than_described_is_refused(root, selection, tmp_path):
    described = replace(MULTISENGE, name="valley", patch_pixels=64)
    write_dataset_toml(root, described)
    with pytest.raises(PatchError, match="patch_pixels is 64, the rasters have 32 x 32") as caught:
        pack(root, selection)
    assert "\n" not in str(caught.value)
    assert not list(paths.cache_dir().rglob("reference.npy")), "refused before anything is packed"
    write_dataset_toml(root, replace(described, patch_pixels=32))
    assert pack(root, selection).size == 32
    write_dataset_toml(root, described)
    with pytest.raises(PatchError, match="patch_pixels is 64"):
        pack(root, selection)


def test_the_name_does_not_depend_on_how_numpy_prints(root, selection):
    first = pack(root, selection)
    with np.printoptions(threshold=1, edgeitems=1, linewidth=20):
        assert pack(root, selection).path == first.path


def failing_at(number, error):
    """`_write_patch` that raises at its so many-th call."""
    write_patch = stores._write_patch
    calls = []

    def write(*arguments):
        calls.append(1)
        if len(calls) == number:
            raise error
        return write_patch(*arguments)

    return write


@pytest.mark.fault("packing is killed -> the next call goes on from there")
def test_packing_goes_on_after_a_kill(root, selection, reads, monkeypatch):
    whole = pack(root, selection, root / "whole").fingerprint
    with monkeypatch.context() as patched:
        patched.setattr(stores, "_PACKERS", 1)  # else the third call may be the first patch's
        patched.setattr(stores, "_write_patch", failing_at(3, KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            pack(root, selection)
    reads.clear()
    (manifest,) = (root.parent / "cache" / "packed").glob("*/manifest.jsonl")
    with manifest.open("a") as file:
        file.write('{"patch": "torn')
    assert pack(root, selection).fingerprint == whole
    assert 0 < len(reads) < len(PATCHES)
    assert all(json.loads(line) for line in manifest.read_text().splitlines())


@pytest.mark.fault("the disk is full while packing -> one line, what is packed stays")
def test_a_full_disk_is_one_line_and_loses_nothing(root, selection, reads, monkeypatch):
    full = OSError(errno.ENOSPC, "No space left on device")
    with monkeypatch.context() as patched:
        patched.setattr(stores, "_PACKERS", 1)
        patched.setattr(stores, "_write_patch", failing_at(4, full))
        with pytest.raises(MultiSenGEError, match=r"No space left.*MULTISENGE_CACHE") as caught:
            pack(root, selection)
    assert "\n" not in str(caught.value)
    reads.clear()
    assert len(pack(root, selection).patches) == len(PATCHES)
    assert 0 < len(reads) < len(PATCHES)


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
    assert len(pack(root, selection, on_error="skip").skipped) == 1 and reads == [BROKEN]
    with pytest.raises(PatchError, match=BROKEN):
        pack(root, selection)
    path.unlink()
    write_root(root)
    assert pack(root, selection).skipped.empty


@pytest.mark.fault("a disk that failed once, on_error=skip -> the patch is there the next time")
def test_a_patch_that_could_not_be_read_once_is_tried_again(root, selection, monkeypatch):
    def failing(root, row, **options):
        if row.patch == BROKEN:
            raise PatchError("cannot be read")
        return read_patch(root, row, **options)

    with monkeypatch.context() as patched:
        patched.setattr(stores, "read_patch", failing)
        assert len(pack(root, selection, on_error="skip").skipped) == 1
    assert pack(root, selection, on_error="skip").skipped.empty


@pytest.mark.fault("packing stops, and rasters come back with their old times -> read as they are")
def test_no_line_stands_beside_values_of_another_state(root, selection):
    """Threads may write values of a changed patch before an earlier one stops the packing."""
    expected = pack(root, selection)
    of_all = [expected.read("s2", position) for position in range(len(selection))]
    last = selection["patch"].iloc[-1]
    assert last != BROKEN
    changed = next((root / "s2").glob(f"{last[:5]}_*_S2_{last[6:]}.tif"))
    broken = next((root / "s2").glob(f"31UFQ_*_S2_{BROKEN[6:]}.tif"))
    kept = {path: (path.read_bytes(), path.stat()) for path in (changed, broken)}
    write_raster(changed, np.full((10, 32, 32), 7, np.uint16))
    damage(root)
    with pytest.raises(PatchError, match=BROKEN):
        pack(root, selection)
    for path, (content, state) in kept.items():
        path.write_bytes(content)
        os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    store = pack(root, selection)
    for position, pixels in enumerate(of_all):
        np.testing.assert_array_equal(store.read("s2", position), pixels)


def test_one_size_for_all(root, selection, monkeypatch):
    monkeypatch.setattr(stores, "_PACKERS", 1)  # the first patch gives the size
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
    with pytest.raises(PatchError, match="has a patch twice"):
        pack(root, pd.concat([selection, selection]))
    with pytest.raises(PatchError, match="has no column split"):
        pack(root, selection.drop(columns="split"))


def positions_read(store):
    for name in store.arrays:
        for position in store.patches["position"]:
            store.read(name, position)


def gone(file):
    file.unlink()


def cut(file):
    file.write_bytes(file.read_bytes()[:-5])


def emptied(file):
    file.write_bytes(b"")


def zeros(file):
    with file.open("rb+") as stream:
        stream.seek(file.stat().st_size - 100)
        stream.write(bytes(100))


def text(file):
    file.write_text("<html>quota exceeded</html>")


@pytest.mark.fault("a file of the packed store is damaged or purged -> one line, how to repack")
@pytest.mark.parametrize("name", ["s1", "s2", "reference"])
@pytest.mark.parametrize("harm", [gone, cut, emptied, zeros, text])
def test_a_damaged_store_says_what_to_delete(root, selection, name, harm):
    path = pack(root, selection).path
    harm(path / f"{name}.npy")
    with pytest.raises(PatchError, match=rf"{name}.npy is damaged.*delete the folder") as caught:
        positions_read(pack(root, selection))
    assert "\n" not in str(caught.value)
    shutil.rmtree(path)
    positions_read(pack(root, selection))


@pytest.mark.fault("one bit of the packed store flipped -> never other values; 150 trials")
def test_a_flipped_bit_never_gives_other_values(root, selection):
    """In arrays, headers and manifest alike: found, or packed again, or without effect."""
    selection = selection[:2]
    store = pack(root, selection)
    whole = {file: file.read_bytes() for file in store.path.iterdir()}
    values = {(n, p): store.read(n, p) for n in store.arrays for p in store.patches["position"]}
    rng = np.random.Generator(np.random.PCG64(3))
    detected = 0
    for trial in range(150):
        file = [f for f in whole if f.name != "lock"][trial % 4]
        reach = len(whole[file]) if trial % 3 else min(128, len(whole[file]))  # often the header
        at = rng.integers(reach)
        bit = 1 << rng.integers(8)
        content = bytearray(whole[file])
        content[at] ^= bit
        file.write_bytes(content)
        try:
            again = pack(root, selection)
            for (name, position), packed in values.items():
                np.testing.assert_array_equal(again.read(name, position), packed)
        except PatchError as error:
            detected += 1
            assert "delete the folder" in str(error) and "\n" not in str(error)
        for name, content in whole.items():
            name.write_bytes(content)
    assert detected > 75


@pytest.mark.fault("a read-only cache in which all is packed -> read, not refused")
def test_a_packed_store_is_read_from_a_read_only_disk(root, selection, monkeypatch):
    packed = pack(root, selection)

    def read_only(*_, **__):
        raise OSError(errno.EROFS, "Read-only file system")

    with monkeypatch.context() as patched:
        for name in ("mkdir", "write_text", "touch", "unlink"):
            patched.setattr(Path, name, read_only)
        patched.setattr(stores, "locked", read_only)
        assert pack(root, selection).fingerprint == packed.fingerprint
        with pytest.raises(MultiSenGEError, match=r"Read-only.*MULTISENGE_CACHE"):
            pack(root, selection.iloc[1:])


@pytest.mark.fault("rasters in another band order, on_error=skip -> a question, nothing packed")
def test_a_doubt_about_the_order_is_never_skipped(root, selection):
    path = raster_path(root, "s2", BROKEN, DAYS[0])
    leaves = np.array([300, 500, 300, 900, 2600, 3000, 3200, 3300, 1500, 800], np.uint16)
    wrong = leaves[[0, 1, 2, 6, 3, 4, 5, 7, 8, 9]]  # 10 m bands first
    write_raster(path, np.broadcast_to(wrong[:, None, None], (10, 32, 32)))
    with pytest.raises(BandOrderError, match="give band_order='resolution'"):
        pack(root, selection, on_error="skip")


def with_bands(monkeypatch, *bands):
    """As if `dataset.toml` named these bands of Sentinel-2."""
    described = replace(MULTISENGE, bands={"s2": bands})
    monkeypatch.setattr(stores, "dataset_of_root", lambda root: described)


def three_bands(root, selection, names):
    for patch in selection["patch"]:
        for day in DAYS:
            values = np.full((3, 32, 32), 500, np.uint16)
            write_raster(raster_path(root, "s2", patch, day), values, names)


@pytest.mark.fault("bands renamed in dataset.toml after packing -> refused, not the old store")
def test_bands_edited_after_packing_are_read_again(root, selection, monkeypatch):
    three_bands(root, selection, ["B2", "B3", "B4"])
    with_bands(monkeypatch, "B2", "B3", "B4")
    pack(root, selection)
    with_bands(monkeypatch, "B2", "B3", "B8")
    with pytest.raises(BandOrderError, match="B2, B3, B8"):
        pack(root, selection)


@pytest.mark.fault("one band less in dataset.toml after packing -> refused by name of a raster")
def test_a_band_left_out_after_packing_is_refused(root, selection, monkeypatch):
    three_bands(root, selection, [])
    with_bands(monkeypatch, "B2", "B3", "B4")
    pack(root, selection)
    with_bands(monkeypatch, "B2", "B3")
    with pytest.raises(PatchError, match=r"\.tif has 3 bands, s2 has 2"):
        pack(root, selection)


def test_other_bands_are_another_store(root, selection, monkeypatch):
    three_bands(root, selection, [])
    with_bands(monkeypatch, "B2", "B3", "B4")
    first = pack(root, selection)
    with_bands(monkeypatch, "B2", "B3", "B8")
    assert pack(root, selection).path != first.path


def test_fewer_classes_are_read_again(root, selection, monkeypatch):
    """References are checked against the number of classes, which `dataset.toml` may change."""
    pack(root, selection)
    ten_classes = replace(MULTISENGE, reference_classes=TYPOLOGIES["10c"], groupings=())
    monkeypatch.setattr(stores, "dataset_of_root", lambda root: ten_classes)
    with pytest.raises(PatchError, match="class ids are 1 to 10"):
        pack(root, selection)


def test_another_band_order_and_other_dates_are_another_store(root, selection):
    first = pack(root, selection, sensors=("s1",))
    ordered = pack(root, selection, sensors=("s1",), band_order="resolution")
    earlier = selection.copy()
    earlier["s1_dates"] = [DAYS[:1]] * len(earlier)
    fewer_dates = pack(root, earlier, sensors=("s1",))
    assert len({first.path, ordered.path, fewer_dates.path}) == 3
    assert fewer_dates.read("s1", 0).shape == (1, 32, 32, 2)


def test_the_size_of_a_file_tells_that_it_changed(root, selection):
    """Copies and archives keep the time of change, so the time alone is not enough."""
    path = raster_path(root, "s1", BROKEN, DAYS[0])
    first = pack(root, selection, sensors=("s1",))
    times = path.stat().st_atime_ns, path.stat().st_mtime_ns
    values = np.full((2, 32, 32), 0.5, np.float32)
    write_raster(path, values, S1_BANDS, compress="deflate")
    os.utime(path, ns=times)
    second = pack(root, selection, sensors=("s1",))
    assert second.path == first.path
    (position,) = second.patches.loc[second.patches["patch"] == BROKEN, "position"]
    assert (second.read("s1", position)[0] == 0.5).all()


def test_the_split_is_part_of_the_fingerprint(root, selection):
    first = pack(root, selection)
    exchanged = selection.copy()
    exchanged.loc[:1, "split"] = exchanged.loc[[1, 0], "split"].to_numpy()
    second = pack(root, exchanged)
    assert second.path == first.path  # the values are the same
    assert second.fingerprint != first.fingerprint


@pytest.mark.parametrize("large", [PATCHES[:1], PATCHES[1:3], PATCHES[2:]])
def test_of_mixed_sizes_the_first_readable_patch_decides(root, selection, large):
    """Whichever thread is first, and whatever was packed before: the same patches are kept."""
    write_root(root, size=64, patches=large)
    sizes = {patch: 64 if patch in large else 32 for patch in selection["patch"]}
    first = selection["patch"][0]
    store = pack(root, selection, on_error="skip")
    assert store.size == sizes[first]
    kept = [patch for patch in selection["patch"] if sizes[patch] == sizes[first]]
    assert store.patches["patch"].tolist() == kept


@pytest.mark.fault("mixed sizes, the first patch unreadable for a time -> as if it never had been")
@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_mixed_sizes_do_not_depend_on_what_was_packed_before(root, selection):
    first, *others = selection["patch"]
    write_root(root, size=64, patches=[first])
    path = raster_path(root, "reference", first)
    whole = path.read_bytes()
    path.write_bytes(whole[:200])
    store = pack(root, selection, on_error="skip")
    assert store.size == 32 and store.patches["patch"].tolist() == others
    path.write_bytes(whole)
    store = pack(root, selection, on_error="skip")
    assert store.size == 64 and store.patches["patch"].tolist() == [first]
    assert store.fingerprint == pack(root, selection, root / "anew", on_error="skip").fingerprint


def test_an_interrupted_packing_keeps_its_arrays(root, selection, monkeypatch):
    """What was written is not wiped when no line of the manifest speaks of it yet."""
    store = pack(root, selection)
    before = {path.name: path.stat().st_ino for path in store.path.glob("*.npy")}
    (store.path / "manifest.jsonl").write_text("")
    again = pack(root, selection)
    assert again.fingerprint == store.fingerprint
    assert {path.name: path.stat().st_ino for path in store.path.glob("*.npy")} == before


def test_sensors_are_a_list_of_those_that_are_there(root, selection):
    with pytest.raises(PatchError, match="give a list"):
        pack(root, selection, sensors="s2")
    with pytest.raises(PatchError, match="band order 'wavelength'"):
        pack(root, selection, band_order="wavelength")


@pytest.mark.fault("a data root whose name is not UTF-8 -> packed, and its problems printable")
def test_a_root_whose_name_is_not_utf8(tmp_path):
    selection = write_root(tmp_path / "r", patches=PATCHES[:2])
    root = (tmp_path / "r").rename(tmp_path / os.fsdecode(b"r\xff"))
    assert len(pack(root, selection).patches) == 2
    raster_path(root, "s1", PATCHES[0], DAYS[0]).unlink()
    with pytest.raises(PatchError, match="is missing") as caught:
        pack(root, selection)
    assert str(caught.value).isprintable()
    assert len(pack(root, selection, on_error="skip").skipped) == 1


@pytest.mark.fault("a raster changes while its patch is packed -> it is packed again")
@pytest.mark.parametrize("changed", [sorted(PATCHES)[0], BROKEN])
def test_a_raster_that_changes_while_it_is_read_is_packed_again(
    root, selection, monkeypatch, changed
):
    reference = raster_path(root, "reference", changed)

    def read_then_change(root, row, **options):
        patch = read_patch(root, row, **options)
        if row.patch == changed:
            write_raster(reference, np.ones((1, 32, 32), np.uint8))
            os.utime(reference, ns=(1, 1))
        return patch

    with monkeypatch.context() as patched:
        patched.setattr(stores, "read_patch", read_then_change)
        pack(root, selection)
    store = pack(root, selection)
    (position,) = store.patches.loc[store.patches["patch"] == changed, "position"]
    assert (store.read("reference", position) == 1).all()
