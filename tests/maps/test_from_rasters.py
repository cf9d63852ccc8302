"""Maps of rasters: what is written, what is resumed, what is left alone, what is refused."""

import errno
import os
import subprocess
import sys

import numpy as np
import pytest
import rasterio
import rasterio.shutil
from map_inputs import (
    EXPERIMENT,
    SMALL_WINDOWS,
    TYPOLOGY,
    file_contents,
    read_pixels,
    write_geotiff,
    write_rasters,
)

from multisenge_lib.dataset import MULTISENGE, S2_BANDS
from multisenge_lib.errors import BandOrderError, FileError
from multisenge_lib.files import locked
from multisenge_lib.maps import from_rasters, map_files, predict_map, predict_rasters
from multisenge_lib.models import model_card, save_model

SIDE_FILES = {"map.qml", "map.png", "map.tif.aux.xml"}


def test_a_map_of_rasters_says_what_it_holds(model, rasters, tmp_path, network):
    out = tmp_path / "out" / "map.tif"
    layers = ("probabilities", "entropy")
    assert predict_rasters(model, rasters, out, **SMALL_WINDOWS, layers=layers) == out
    names = {"map.tif", "map_probabilities.tif", "map_entropy.tif"}
    assert set(file_contents(out.parent)) == names | SIDE_FILES

    with rasterio.open(out) as source:
        ids = source.read(1)
        assert source.nodata == 0
        assert source.crs.to_epsg() == 32631
        assert source.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert source.tags(1)["CLASS_1"] == TYPOLOGY.names[0]
        red = int(TYPOLOGY.colors[0][1:3], 16)
        assert source.colormap(1)[1][0] == red
    assert (ids[:20, :30] == 0).all()
    assert (ids == 0).sum() == 600

    series = {}
    for sensor, paths in rasters.items():
        series[sensor] = np.stack([np.moveaxis(read_pixels(path), 0, -1) for path in paths])
    in_memory, probabilities = predict_map(network, series, **SMALL_WINDOWS)
    np.testing.assert_array_equal(in_memory, ids)
    with rasterio.open(tmp_path / "out" / "map_probabilities.tif") as source:
        assert source.descriptions == TYPOLOGY.names
        assert source.nodata == 255
        stored = np.moveaxis(source.read(masked=True), 0, -1) * source.scales[0]
    np.testing.assert_array_equal(stored.mask.all(axis=-1), ids == 0)
    np.testing.assert_allclose(stored[ids > 0], probabilities[ids > 0], atol=0.0021)


def test_gdal_reads_the_class_names(model, rasters, tmp_path):
    predict_rasters(model, rasters, tmp_path / "map.tif", **SMALL_WINDOWS)
    rasterio.shutil.copy(tmp_path / "map.tif", tmp_path / "map.vrt", driver="VRT")
    written = (tmp_path / "map.vrt").read_text()
    assert "<Category>Dense Built-Up</Category>" in written


@pytest.mark.fault("predict: a network trained on the sample -> each GeoTIFF says so")
@pytest.mark.parametrize(
    ("dataset", "says_sample"), [("sample", True), ("sample+1a2b", True), ("valley", False)]
)
def test_a_map_says_on_what_its_network_was_trained(
    network, rasters, tmp_path, dataset, says_sample
):
    model = save_model(
        network, model_card(EXPERIMENT, TYPOLOGY, 32, dataset), tmp_path / "model.keras"
    )
    out = tmp_path / "map.tif"
    predict_rasters(model, rasters, out, **SMALL_WINDOWS, layers=["entropy", "probabilities"])
    for name in ("map.tif", "map_entropy.tif", "map_probabilities.tif"):
        with rasterio.open(tmp_path / name) as source:
            description = source.tags()["TIFFTAG_IMAGEDESCRIPTION"]
        assert ("synthetic sample" in description) == says_sample
        if not says_sample:
            assert "trained on valley" in description


def interrupt_writing(monkeypatch, at):
    """Raise KeyboardInterrupt at these calls of `write_part`; the rows that were asked for."""
    write_part = map_files.write_part
    rows = []

    def interrupted(target, part, number):
        rows.append(part.row)
        if len(rows) in at:
            raise KeyboardInterrupt
        write_part(target, part, number)

    monkeypatch.setattr(map_files, "write_part", interrupted)
    return rows


@pytest.mark.fault("predict: killed and started again -> the same bytes")
@pytest.mark.parametrize(
    ("overlap", "interruptions", "rows"),
    [
        (16, (1, 3, 4), [0, 0, 48, 48, 48, 86]),
        # The last row of windows is moved north, so the strip at 86 lies in three rows of windows.
        (32, (4,), [0, 32, 64, 86, 86]),
    ],
)
def test_interrupted_and_resumed_it_gives_the_same_bytes(
    model, rasters, tmp_path, monkeypatch, overlap, interruptions, rows
):
    whole = tmp_path / "whole" / "map.tif"
    cut = tmp_path / "cut" / "map.tif"
    options = {"window": 64, "overlap": overlap, "layers": ("probabilities",)}
    predict_rasters(model, rasters, whole, **options)
    written_rows = interrupt_writing(monkeypatch, interruptions)
    for _ in interruptions:
        with pytest.raises(KeyboardInterrupt):
            predict_rasters(model, rasters, cut, **options)
        assert not cut.exists()
    predict_rasters(model, rasters, cut, **options)
    assert written_rows == rows
    assert file_contents(cut.parent) == file_contents(whole.parent)


_KILLED = """
import os, signal, sys
from multisenge_lib.maps import map_files, predict_rasters

write_part = map_files.write_part

def killed(target, part, number):
    write_part(target, part, number)
    if number == 2:
        os.kill(os.getpid(), signal.SIGKILL)

map_files.write_part = killed
model, out, *paths = sys.argv[1:]
predict_rasters(model, {"s1": paths[:4], "s2": paths[4:]}, out, window=64, overlap=16)
"""


@pytest.mark.slow
@pytest.mark.fault("predict: kill -9 while it writes, then again -> the same bytes, no process")
def test_killed_and_started_again_it_gives_the_same_bytes(model, rasters, tmp_path):
    whole = tmp_path / "whole" / "map.tif"
    cut = tmp_path / "cut" / "map.tif"
    predict_rasters(model, rasters, whole, **SMALL_WINDOWS)
    paths = [*rasters["s1"], *rasters["s2"]]
    command = [sys.executable, "-c", _KILLED, *map(str, (model, cut, *paths))]
    assert subprocess.run(command, timeout=300).returncode == -9
    assert not cut.exists()
    assert (cut.parent / ".map.part").is_dir()
    predict_rasters(model, rasters, cut, **SMALL_WINDOWS)
    assert file_contents(whole.parent) == file_contents(cut.parent)


def test_a_finished_map_is_left_as_it_is(model, rasters, tmp_path):
    out = tmp_path / "out" / "map.tif"
    predict_rasters(model, rasters, out, **SMALL_WINDOWS)
    before = out.stat().st_mtime_ns
    predict_rasters(model, rasters, out, **SMALL_WINDOWS)
    assert out.stat().st_mtime_ns == before


def test_a_layer_can_be_asked_for_later(model, rasters, tmp_path):
    out = tmp_path / "map.tif"
    predict_rasters(model, rasters, out, **SMALL_WINDOWS)
    before = out.read_bytes()
    predict_rasters(model, rasters, out, **SMALL_WINDOWS, layers=["entropy"])
    assert (tmp_path / "map_entropy.tif").exists()
    assert out.read_bytes() == before


def change_nothing(rasters, options):
    pass


def touch_a_raster(rasters, options):
    path = rasters["s1"][2]
    status = path.stat()
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1_000_000))


def move_a_raster(rasters, options):
    path = rasters["s1"][2]
    rasters["s1"][2] = path.rename(path.with_name(f"moved_{path.name}"))


def widen_the_overlap(rasters, options):
    options["overlap"] = 32


def widen_the_window(rasters, options):
    options["window"] = 96


@pytest.mark.fault("predict: other network, rasters, bands or windows -> another map, refused")
@pytest.mark.parametrize(
    ("change", "is_another_map"),
    [
        (change_nothing, False),
        (touch_a_raster, True),
        (move_a_raster, True),
        (widen_the_overlap, True),
        (widen_the_window, True),
    ],
)
def test_what_makes_another_map(model, rasters, tmp_path, change, is_another_map):
    out = tmp_path / "map.tif"
    options = dict(SMALL_WINDOWS)
    predict_rasters(model, rasters, out, **options)
    before = out.read_bytes()
    change(rasters, options)
    if is_another_map:
        with pytest.raises(FileError, match=r"map\.tif is there already, of other data"):
            predict_rasters(model, rasters, out, **options)
    else:
        predict_rasters(model, rasters, out, **options)
    assert out.read_bytes() == before


def test_another_band_order_makes_another_map(model, rasters, tmp_path):
    for path in rasters["s2"]:
        write_geotiff(path, read_pixels(path))  # without names; and nothing in it is a leaf
    out = tmp_path / "map.tif"
    predict_rasters(model, rasters, out, **SMALL_WINDOWS)
    with pytest.raises(FileError, match="is there already, of other data"):
        predict_rasters(model, rasters, out, **SMALL_WINDOWS, band_order="resolution")


def test_another_network_makes_another_map(model, network, rasters, tmp_path):
    out = tmp_path / "map.tif"
    predict_rasters(model, rasters, out, **SMALL_WINDOWS)
    other = save_model(
        network, model_card(EXPERIMENT, TYPOLOGY, 32, "valley"), tmp_path / "other.keras"
    )
    with pytest.raises(FileError, match="is there already, of other data"):
        predict_rasters(other, rasters, out, **SMALL_WINDOWS)
    predict_rasters(other, rasters, out, **SMALL_WINDOWS, overwrite=True)
    with rasterio.open(out) as source:
        assert "valley" in source.tags()["TIFFTAG_IMAGEDESCRIPTION"]


@pytest.mark.fault("predict: a file of a user is at the map's place -> refused, left as it was")
def test_what_is_at_its_place_is_not_overwritten(model, rasters, tmp_path):
    theirs = write_geotiff(tmp_path / "map.tif", np.ones((1, 5, 5), np.uint8))
    before = theirs.read_bytes()
    with pytest.raises(FileError, match="is there already and is not a file of this library"):
        predict_rasters(model, rasters, theirs, **SMALL_WINDOWS)
    assert theirs.read_bytes() == before
    with pytest.raises(FileError, match=r"ends in \.tif"):
        predict_rasters(model, rasters, tmp_path / "map.png", **SMALL_WINDOWS)


@pytest.mark.fault("predict: the map would replace one of its rasters -> refused, even if allowed")
def test_a_map_never_replaces_its_input(model, rasters):
    raster = rasters["s2"][1]
    before = raster.read_bytes()
    with pytest.raises(FileError, match=r"_s2\.tif is one of the rasters"):
        predict_rasters(model, rasters, raster, **SMALL_WINDOWS, overwrite=True)
    assert raster.read_bytes() == before


@pytest.mark.fault("predict: the map is being written by another process -> one line")
def test_two_processes_do_not_write_one_map(model, rasters, tmp_path):
    out = tmp_path / "map.tif"
    with (
        locked(tmp_path / ".map.lock", FileError("busy")),
        pytest.raises(FileError, match="written by another process"),
    ):
        predict_rasters(model, rasters, out, **SMALL_WINDOWS)


@pytest.mark.fault("predict: no room for the map, or none to write -> one line with its name")
def test_no_room(model, rasters, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    with pytest.raises(FileError, match=r"file cannot be written \(File exists\)"):
        predict_rasters(model, rasters, tmp_path / "file" / "map.tif", **SMALL_WINDOWS)
    monkeypatch.setattr(map_files.shutil, "disk_usage", lambda _: type("", (), {"free": 10}))
    with pytest.raises(FileError, match="has no room for"):
        predict_rasters(model, rasters, tmp_path / "map.tif", **SMALL_WINDOWS)


@pytest.mark.fault("predict: no memory while it predicts -> said as it is, nothing about room")
def test_an_error_of_the_system_while_predicting_is_not_about_room(
    model, rasters, tmp_path, monkeypatch
):
    def no_memory(*_):
        raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))

    monkeypatch.setattr(from_rasters, "predict_row", no_memory)
    with pytest.raises(OSError, match="Cannot allocate memory") as error:
        predict_rasters(model, rasters, tmp_path / "map.tif", **SMALL_WINDOWS)
    assert not isinstance(error.value, FileError)


def test_bands_are_taken_by_name(model, rasters, tmp_path):
    predict_rasters(model, rasters, tmp_path / "a" / "map.tif", **SMALL_WINDOWS)
    for path in rasters["s2"]:
        pixels = read_pixels(path)
        with_coastal_band = np.concatenate([pixels[:1], pixels[::-1]])
        names = ["B01", "B12", "B11", "B8A", "B08", "B07", "B06", "B05", "B04", "B03", "B02"]
        write_geotiff(path, with_coastal_band, names)
    predict_rasters(model, rasters, tmp_path / "b" / "map.tif", **SMALL_WINDOWS)
    np.testing.assert_array_equal(
        read_pixels(tmp_path / "a" / "map.tif"), read_pixels(tmp_path / "b" / "map.tif")
    )


@pytest.mark.fault("predict: bands without names in another order than given -> the order is named")
def test_another_order_of_bands_without_names(model, rasters, tmp_path):
    leaves = np.array([300, 500, 400, 900, 2000, 2600, 2800, 2900, 1800, 900], np.uint16)
    in_resolution_order = leaves[[0, 1, 2, 6, 3, 4, 5, 7, 8, 9], None, None]
    for path in rasters["s2"]:
        write_geotiff(path, np.broadcast_to(in_resolution_order, (10, 150, 110)))
    out = tmp_path / "map.tif"
    with pytest.raises(BandOrderError, match=r"_s2\.tif .*give band_order='resolution'"):
        predict_rasters(model, rasters, out, **SMALL_WINDOWS)
    predict_rasters(model, rasters, out, **SMALL_WINDOWS, band_order="resolution")


@pytest.mark.fault("predict: scale and offset tags, masks, alpha -> the pixels as without them")
@pytest.mark.parametrize("stored", ["offset", "scale and offset", "alpha", "mask", "tag"])
def test_the_same_ground_stored_in_another_way(model, rasters, tmp_path, stored):
    predict_rasters(model, rasters, tmp_path / "plain" / "map.tif", **SMALL_WINDOWS)
    for path in rasters["s2"]:
        store_again(path, read_pixels(path), stored)
    predict_rasters(model, rasters, tmp_path / "other" / "map.tif", **SMALL_WINDOWS)
    np.testing.assert_array_equal(
        read_pixels(tmp_path / "plain" / "map.tif"), read_pixels(tmp_path / "other" / "map.tif")
    )


def store_again(path, pixels, stored):
    """Write reflectance as other providers store it; the values below no data mean nothing."""
    missing = ~pixels.any(axis=0)
    filled = pixels.copy()
    filled[:, missing] = 4000
    if stored == "alpha":
        opacity = np.where(missing, 0, 65_535).astype(np.uint16)
        bands = np.concatenate([filled, opacity[None]])
        write_geotiff(path, bands, [*S2_BANDS, "alpha"], photometric="MINISBLACK")
        with rasterio.open(path, "r+") as target:
            gray = [rasterio.enums.ColorInterp.undefined] * 10
            target.colorinterp = [*gray, rasterio.enums.ColorInterp.alpha]
    elif stored == "mask":
        write_geotiff(path, filled, S2_BANDS)
        with (
            rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True),
            rasterio.open(path, "r+") as target,
        ):
            target.write_mask(~missing)
    elif stored == "tag":
        filled[:, missing] = 9999
        write_geotiff(path, filled, S2_BANDS, nodata=9999)
    else:
        shifted = np.where(missing, 0, pixels + 1000).astype(np.uint16)
        write_geotiff(path, shifted, S2_BANDS)
        with rasterio.open(path, "r+") as target:
            if stored == "offset":
                target.offsets = [-1000] * 10
            else:
                target.scales = [0.0001] * 10
                target.offsets = [-0.1] * 10


def test_maps_of_one_row_and_one_column(model, tmp_path):
    for shape in ((1, 1), (1, 70), (70, 1)):
        folder = tmp_path / f"{shape[0]}x{shape[1]}"
        rasters = write_rasters(folder, shape)
        for path in rasters["s2"]:
            write_geotiff(path, np.full((10, *shape), 1500, np.uint16), MULTISENGE.bands["s2"])
        out = predict_rasters(model, rasters, folder / "map.tif", **SMALL_WINDOWS)
        assert read_pixels(out).shape == (1, *shape)
