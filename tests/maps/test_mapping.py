"""Maps of arrays, of rasters and of a data root; what contradicts the network is refused."""

import subprocess
import sys
from dataclasses import replace

import keras
import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin
from rasters import write_root

from multisenge_lib.dataset import (
    MULTISENGE,
    S1_BANDS,
    S2_BANDS,
    TYPOLOGIES,
    load_selection,
    read_patch,
    write_dataset_toml,
)
from multisenge_lib.errors import BandOrderError, ExperimentError, FileError, ModelError, PatchError
from multisenge_lib.files import locked
from multisenge_lib.maps import geotiff, predict_map, predict_rasters, predict_root
from multisenge_lib.models import get_experiment, model_card, predict, save_model

EXPERIMENT = get_experiment("s1s2_10c")
TYPOLOGY = TYPOLOGIES["10c"]
SMALL = {"window": 64, "overlap": 16}
DAYS = ("20200721", "20200805", "20200912", "20201118")


@pytest.fixture(scope="module")
def network():
    """Takes and gives what the real ones do, and sees five pixels around each."""
    keras.utils.set_random_seed(3)
    s1, s2 = keras.Input((4, 32, 32, 2), name="s1"), keras.Input((4, 32, 32, 10), name="s2")
    dates = [keras.layers.Rescaling(k)(x)[:, t] for k, x in ((9, s1), (1e-3, s2)) for t in range(4)]
    x = keras.layers.Concatenate()(dates)
    for filters in (6, 10):
        x = keras.layers.Conv2D(filters, 5, padding="same", kernel_initializer="he_normal")(x)
    return keras.Model({"s1": s1, "s2": s2}, x)


@pytest.fixture(scope="module")
def model(network, tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "model.keras"
    return save_model(network, model_card(EXPERIMENT, TYPOLOGY, 32, "sample"), path)


def write(path, data, names=(), **changes):
    profile = {
        "driver": "GTiff",
        "count": len(data),
        "height": data.shape[1],
        "width": data.shape[2],
        "dtype": data.dtype,
        "crs": "EPSG:32631",
        "transform": from_origin(5e5, 5.5e6, 10, 10),
    } | changes
    with rasterio.open(path, "w", **profile) as target:
        target.write(data)
        if names:
            target.descriptions = names
    return path


def series(shape, seed=0):
    rng = np.random.default_rng(seed)
    s1 = rng.gamma(2, 0.05, (4, *shape, 2)).astype(np.float32)
    return {"s1": s1, "s2": rng.integers(1, 5000, (4, *shape, 10), dtype=np.uint16)}


@pytest.fixture
def rasters(tmp_path):
    """Four dates of 150 x 110 pixels; no data in one corner of one date of Sentinel-2."""
    arrays = series((150, 110))
    arrays["s2"][2, :20, :30] = 0
    return {
        sensor: [
            write(tmp_path / f"{day}_{sensor}.tif", np.moveaxis(image, -1, 0), names)
            for day, image in zip(DAYS, arrays[sensor], strict=True)
        ]
        for sensor, names in (("s1", S1_BANDS), ("s2", S2_BANDS))
    }


def contents(folder):
    return {p.name: p.read_bytes() for p in sorted(folder.iterdir())}


def test_a_map_of_arrays(network):
    arrays = series((64, 100))
    arrays["s2"][1, 5, 7] = 0
    arrays["s1"][3, 6, 8, 0] = np.nan
    ids, probabilities = predict_map(network, arrays, **SMALL)
    assert ids.dtype == np.uint8 and ids.shape == (64, 100)
    np.testing.assert_allclose(probabilities.sum(axis=-1), 1, atol=1e-5)
    arrays["s2"][0, 7, 9] = [0] * 9 + [1]  # dark
    nothing = np.zeros((64, 100), bool)
    nothing[[5, 6], [7, 8]] = True
    np.testing.assert_array_equal(ids == 0, nothing)
    np.testing.assert_array_equal(ids[ids > 0], (probabilities.argmax(-1) + 1)[ids > 0])


def test_a_map_of_the_size_of_a_patch_is_what_the_network_says(network):
    arrays = series((32, 32))
    batch = {sensor: array[None].astype(np.float32) for sensor, array in arrays.items()}
    np.testing.assert_allclose(
        predict_map(network, arrays)[1], predict(network, batch)[0], atol=1e-5
    )


def test_xarray_in_and_out(network):
    xarray = pytest.importorskip("xarray")
    coords = {"y": np.arange(40) * -10.0, "x": np.arange(50) * 10.0}
    arrays = {
        s: xarray.DataArray(a, coords, dims=("time", "y", "x", "band"))
        for s, a in series((40, 50)).items()
    }
    ids, probabilities = predict_map(network, arrays)
    assert ids.dims == ("y", "x") and probabilities.dims == ("y", "x", "class")
    np.testing.assert_array_equal(ids["y"], coords["y"])


@pytest.mark.fault("predict_map: decibel, infinite values -> refused; no reflectance -> no data")
def test_arrays_in_other_units(network):
    for value in (-11, np.inf):
        arrays = series((40, 40))
        arrays["s1"][1, 2, 3] = value
        with pytest.raises(PatchError, match=r"s1 holds .*, Sentinel-1 is linear"):
            predict_map(network, arrays)
    arrays = series((40, 40))
    arrays["s2"] = arrays["s2"].astype(np.float32)
    arrays["s2"][1, 2, 3:5] = [[np.inf], [-10000]]
    ids, probabilities = predict_map(network, arrays)
    assert not ids[2, 3:5].any() and np.isfinite(probabilities).all()


@pytest.mark.fault("predict_map: sensors, dates, bands, sizes of another kind -> one line")
@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda a: a.pop("s1"), "s1: the network takes .* received nothing"),
        (lambda a: a.update(s2=a["s2"][:3]), r"s2: .* 4 dates and 10 bands, received \(3, "),
        (lambda a: a.update(s2=a["s2"][..., :9]), r"s2: .* received \(4, 40, 40, 9\)"),
        (lambda a: a.update(s1=a["s1"][:, :30]), "differ in height and width"),
    ],
)
def test_arrays_that_the_network_does_not_take(network, change, told):
    arrays = series((40, 40))
    change(arrays)
    with pytest.raises(ExperimentError, match=told):
        predict_map(network, arrays)


def test_a_map_of_rasters_says_what_it_holds(model, rasters, tmp_path, network):
    out = tmp_path / "out" / "map.tif"
    layers = ("probabilities", "entropy")
    assert predict_rasters(model, rasters, out, **SMALL, layers=layers) == out
    names = {"map.tif", "map_probabilities.tif", "map_entropy.tif", "map.tif.aux.xml"}
    assert set(contents(out.parent)) == names | {"map.qml", "map.png"}
    with rasterio.open(out) as source:
        ids = source.read(1)
        assert source.nodata == 0 and source.crs.to_epsg() == 32631
        assert source.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert source.tags(1)["CLASS_1"] == TYPOLOGY.names[0]
        red = int(TYPOLOGY.colors[0][1:3], 16)
        assert source.colormap(1)[1][0] == red
    assert (ids[:20, :30] == 0).all() and (ids == 0).sum() == 600
    with rasterio.open(tmp_path / "out" / "map_probabilities.tif") as source:
        assert source.descriptions == TYPOLOGY.names
        shares = source.read()[:, ids > 0] * source.scales[0]
    np.testing.assert_array_equal(shares.argmax(axis=0)[shares.max(axis=0) > 0.6] >= 0, True)
    np.testing.assert_allclose(shares.sum(axis=0), 1, atol=0.03)
    arrays = {s: [rasterio.open(p).read() for p in files] for s, files in rasters.items()}
    arrays = {s: np.moveaxis(np.stack(a), 1, -1) for s, a in arrays.items()}
    np.testing.assert_array_equal(predict_map(network, arrays, **SMALL)[0], ids)


def test_gdal_reads_the_class_names(model, rasters, tmp_path):
    predict_rasters(model, rasters, tmp_path / "map.tif", **SMALL)
    rasterio.shutil.copy(tmp_path / "map.tif", tmp_path / "map.vrt", driver="VRT")
    written = (tmp_path / "map.vrt").read_text()
    assert "<Category>Dense Built-Up</Category>" in written


@pytest.mark.fault("predict: killed and started again -> the same bytes")
def test_interrupted_and_resumed_it_gives_the_same_bytes(model, rasters, tmp_path, monkeypatch):
    layers = ("probabilities",)
    whole, cut = tmp_path / "whole" / "map.tif", tmp_path / "cut" / "map.tif"
    predict_rasters(model, rasters, whole, **SMALL, layers=layers)
    write_step, steps = geotiff.MapWriter.write, []

    def killed(self, row, *rest):
        steps.append(row)
        if len(steps) in (1, 3, 4):
            raise KeyboardInterrupt
        write_step(self, row, *rest)

    monkeypatch.setattr(geotiff.MapWriter, "write", killed)
    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            predict_rasters(model, rasters, cut, **SMALL, layers=layers)
        assert not cut.exists()
    predict_rasters(model, rasters, cut, **SMALL, layers=layers)
    assert steps == [0, 0, 48, 48, 48, 86]
    assert contents(cut.parent) == contents(whole.parent)


_KILLED = """
import os, signal, sys
from multisenge_lib.dataset import maps
from multisenge_lib.models import predict_rasters

write, parts = geotiff.MapWriter.write, []

def killed(*arguments):
    write(*arguments)
    parts.append(1)
    if len(parts) == 2:
        os.kill(os.getpid(), signal.SIGKILL)

geotiff.MapWriter.write = killed
model, out, *files = sys.argv[1:]
predict_rasters(model, {"s1": files[:4], "s2": files[4:]}, out, window=64, overlap=16)
"""


@pytest.mark.slow
@pytest.mark.fault("predict: kill -9 while it writes, then again; two workers -> the same bytes")
def test_killed_or_with_two_workers_it_gives_the_same_bytes(model, rasters, tmp_path):
    one, two, cut = (tmp_path / name / "map.tif" for name in ("one", "two", "killed"))
    predict_rasters(model, rasters, one, **SMALL)
    predict_rasters(model, rasters, two, **SMALL, workers=2)
    files = [path for paths in rasters.values() for path in paths]
    command = [sys.executable, "-c", _KILLED, *map(str, (model, cut, *files))]
    assert subprocess.run(command, timeout=300).returncode == -9
    assert not cut.exists() and (cut.parent / ".map.part").is_dir()
    predict_rasters(model, rasters, cut, **SMALL)
    assert contents(one.parent) == contents(two.parent) == contents(cut.parent)


def test_a_finished_map_is_left_as_it_is(model, rasters, tmp_path):
    out = tmp_path / "out" / "map.tif"
    predict_rasters(model, rasters, out, **SMALL)
    before = out.stat().st_mtime_ns
    predict_rasters(model, rasters, out, **SMALL)
    assert out.stat().st_mtime_ns == before


@pytest.mark.fault("predict: a file of a user is at the map's place -> refused, left as it was")
def test_what_is_at_its_place_is_not_overwritten(model, rasters, tmp_path):
    theirs = write(tmp_path / "map.tif", np.ones((1, 5, 5), np.uint8))
    before = theirs.read_bytes()
    for out, told in ((theirs, "is there already"), (tmp_path / "map.png", "ends in .tif")):
        with pytest.raises(FileError, match=told):
            predict_rasters(model, rasters, out, **SMALL)
    assert theirs.read_bytes() == before


@pytest.mark.fault("predict: the map is being written by another process -> one line")
def test_two_processes_do_not_write_one_map(model, rasters, tmp_path):
    out = tmp_path / "map.tif"
    with (
        locked(tmp_path / ".map.lock", FileError("held")),
        pytest.raises(FileError, match="written by another process"),
    ):
        predict_rasters(model, rasters, out, **SMALL)


@pytest.mark.fault("predict: no room for the map, or none to write -> one line with its name")
def test_no_room(model, rasters, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    with pytest.raises(FileError, match=r"file cannot be written \(File exists\)"):
        predict_rasters(model, rasters, tmp_path / "file" / "map.tif", **SMALL)
    monkeypatch.setattr(geotiff.shutil, "disk_usage", lambda _: type("", (), {"free": 10}))
    with pytest.raises(FileError, match="has no room for"):
        predict_rasters(model, rasters, tmp_path / "map.tif", **SMALL)


def damaged(rasters, what):
    """One raster made wrong; the sensor and the position of it."""
    s1, s2 = rasters["s1"][1], rasters["s2"][1]
    with rasterio.open(s1) as source:
        radar = source.read()
    with rasterio.open(s2) as source:
        optical = source.read()
    match what:
        case "missing":
            s2.unlink()
        case "cut off":
            s2.write_bytes(s2.read_bytes()[:3000])
        case "text":
            s2.write_text("hello")
        case "month":
            rasters["s2"][1] = s2.rename(s2.with_name("2020-06-05_s2.tif"))
        case "grid":
            write(s2, optical, S2_BANDS, transform=from_origin(5e5 + 5, 5.5e6, 10, 10))
        case "size":
            write(s1, radar[:, :-1], S1_BANDS)
        case "pixel":
            write(s1, radar, S1_BANDS, transform=from_origin(5e5, 5.5e6, 20, 20))
        case "projection":
            write(s1, radar, S1_BANDS, crs="EPSG:32632")
        case "none":
            write(s1, radar, S1_BANDS, crs=None)
        case "decibel":
            write(s1, 10 * np.log10(radar), S1_BANDS)
        case "reflectance":
            write(s2, optical.astype(np.float32) / 1e4, S2_BANDS)
        case "bands":
            write(s2, optical[:9], S2_BANDS[:9])
        case "unnamed":
            write(s2, optical[:9])


@pytest.mark.fault("predict: rasters that contradict the network -> one line with the file's name")
@pytest.mark.parametrize(
    ("what", "told"),
    [
        ("missing", r"_s2\.tif is missing"),
        ("cut off", r"_s2\.tif cannot be read, truncated or damaged"),
        ("text", r"_s2\.tif is not a GeoTIFF"),
        ("month", r"2020-06-05_s2\.tif is of month 6, at its place the network takes month 8"),
        ("grid", r"_s2\.tif is on another grid"),
        ("size", r"_s1\.tif is on another grid than the first raster \(height 149"),
        ("pixel", r"_s1\.tif has pixels of 20 x 20"),
        ("projection", r"_s1\.tif is on another grid"),
        ("none", r"_s1\.tif has pixels of .* in no projection"),
        ("decibel", r"_s1\.tif holds -.*Sentinel-1 is linear"),
        ("reflectance", r"_s2\.tif is float32, Sentinel-2 is reflectance x 10,000"),
        ("bands", r"_s2\.tif has the bands B2.*B11, s2 must have .*B12"),
        ("unnamed", r"_s2\.tif has the bands 9 without names"),
    ],
)
def test_rasters_that_contradict_the_network(model, rasters, tmp_path, what, told):
    damaged(rasters, what)
    with pytest.raises(PatchError, match=told) as error:
        predict_rasters(model, rasters, tmp_path / "map.tif", **SMALL)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "map.tif").exists()


@pytest.mark.parametrize(("sensor", "kept"), [("s1", 0), ("s2", 3), ("s2", 5)])
def test_another_number_of_rasters(model, rasters, tmp_path, sensor, kept):
    rasters[sensor] = (rasters[sensor] * 2)[:kept]
    with pytest.raises(PatchError, match=f"{kept} rasters of {sensor} given, .* takes 4, of the"):
        predict_rasters(model, rasters, tmp_path / "map.tif", **SMALL)


@pytest.mark.fault("predict: bands without names in another order than told -> said which")
def test_another_order_of_bands_without_names(model, rasters, tmp_path):
    green = np.array([300, 500, 400, 900, 2000, 2600, 2800, 2900, 1800, 900], np.uint16)
    for path in rasters["s2"]:
        write(
            path, np.broadcast_to(green[[0, 1, 2, 6, 3, 4, 5, 7, 8, 9], None, None], (10, 150, 110))
        )
    with pytest.raises(BandOrderError, match=r"_s2\.tif .*give band_order='resolution'"):
        predict_rasters(model, rasters, tmp_path / "map.tif", **SMALL)
    predict_rasters(model, rasters, tmp_path / "map.tif", **SMALL, band_order="resolution")


def test_bands_are_taken_by_name(model, rasters, tmp_path):
    predict_rasters(model, rasters, tmp_path / "a" / "map.tif", **SMALL)
    for path in rasters["s2"]:
        with rasterio.open(path) as source:
            pixels = source.read()
        names = [f"B{n:02}" if isinstance(n := int(b.strip("AB")), int) else b for b in S2_BANDS]
        names[S2_BANDS.index("B8A")] = "B8A"
        more = np.concatenate([pixels[:1], pixels[::-1]])
        write(path, more, ["B01", *names[::-1]])
    predict_rasters(model, rasters, tmp_path / "b" / "map.tif", **SMALL)
    ids = [rasterio.open(tmp_path / f / "map.tif").read() for f in "ab"]
    np.testing.assert_array_equal(*ids)


def test_a_mosaic_a_tile_of_a_data_root(model, network, sample_root, tmp_path):
    (out,) = predict_root(model, sample_root, tmp_path, tiles=["31UGP"])
    selection = load_selection(sample_root)
    row = next(selection[selection["tile"] == "31UGP"].itertuples())
    patch = read_patch(sample_root, row)
    ids, _ = predict_map(network, {"s1": patch.s1, "s2": patch.s2})
    with (
        rasterio.open(out) as source,
        rasterio.open(
            sample_root / "ground_reference" / f"31UGP_GR_{row.x}_{row.y}.tif"
        ) as reference,
    ):
        window = source.window(*reference.bounds)
        np.testing.assert_array_equal(source.read(1, window=window), ids)
        assert (source.read(1) == 0).mean() > 0.9


@pytest.mark.fault("predict: a data root killed halfway, then again -> the same bytes")
def test_an_interrupted_mosaic_goes_on_to_the_same_bytes(model, sample_root, tmp_path, monkeypatch):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    options = {"tiles": ["31UGP"], "layers": ("entropy",)}
    predict_root(model, sample_root, whole, **options)
    write_step, steps = geotiff.MapWriter.write, []

    def killed(self, *arguments):
        steps.append(arguments[-1])
        if len(steps) in (1, 4):
            raise KeyboardInterrupt
        write_step(self, *arguments)

    monkeypatch.setattr(geotiff.MapWriter, "write", killed)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            predict_root(model, sample_root, cut, **options)
        assert not (cut / "31UGP.tif").exists()
    predict_root(model, sample_root, cut, **options)
    assert steps[:5] == [1, 1, 2, 3, 3] and steps[4:] == list(range(3, len(steps) - 1))
    assert contents(cut) == contents(whole)


@pytest.mark.fault("predict: a root of other bands, or without a sensor -> both are named")
@pytest.mark.parametrize(
    ("bands", "told"),
    [
        ({"s1": S1_BANDS, "s2": S2_BANDS[:9]}, r"s2 has B2.*B11, the network .* takes B2.*, B12:"),
        ({"s2": S2_BANDS}, "s1 has no bands, the network s1s2_10c takes VV, VH"),
    ],
)
def test_a_root_of_other_bands(model, tmp_path, bands, told):
    write_root(tmp_path / "root")
    other = replace(MULTISENGE, name="other", patch_pixels=32, bands=bands)
    write_dataset_toml(tmp_path / "root", other)
    with pytest.raises(ModelError, match=told) as error:
        predict_root(model, tmp_path / "root", tmp_path / "maps")
    assert str(tmp_path / "root") in str(error.value) and "\n" not in str(error.value)
    assert not (tmp_path / "maps").exists()


@pytest.mark.fault("predict: a root without patches on a tile -> one line")
def test_a_tile_that_is_not_there(model, sample_root, tmp_path):
    with pytest.raises(ModelError, match=r"full series on the tiles 31TFN, .*; asked for 33ABC"):
        predict_root(model, sample_root, tmp_path, tiles=["33ABC"])
