"""Maps of a data root: one mosaic for each tile."""

import os
from dataclasses import replace

import numpy as np
import pytest
import rasterio
from map_inputs import file_contents, read_pixels
from rasters import write_raster, write_root

from multisenge_lib.dataset import (
    MULTISENGE,
    S1_BANDS,
    S2_BANDS,
    load_selection,
    raster_path,
    read_patch,
    write_dataset_toml,
)
from multisenge_lib.errors import FileError, ModelError, PatchError
from multisenge_lib.maps import map_files, predict_map, predict_root


def test_a_mosaic_for_a_tile_of_a_data_root(model, network, sample_root, tmp_path):
    (out,) = predict_root(model, sample_root, tmp_path, tiles=["31UGP"])
    selection = load_selection(sample_root)
    row = next(selection[selection["tile"] == "31UGP"].itertuples())
    patch = read_patch(sample_root, row)
    ids, _ = predict_map(network, {"s1": patch.s1, "s2": patch.s2})
    reference = sample_root / "ground_reference" / f"31UGP_GR_{row.x}_{row.y}.tif"
    with rasterio.open(out) as source, rasterio.open(reference) as place:
        window = source.window(*place.bounds)
        np.testing.assert_array_equal(source.read(1, window=window), ids)
        assert (source.read(1) == 0).mean() > 0.9
        assert "synthetic sample" in source.tags()["TIFFTAG_IMAGEDESCRIPTION"]


@pytest.fixture
def two_dates(model, network, tmp_path):
    """A data root of two dates, and a network that takes two dates."""
    import keras
    from map_inputs import EXPERIMENT, TYPOLOGY

    from multisenge_lib.models import model_card, save_model

    patches = ["31UFQ_0_0", "31UFQ_0_257", "31UFQ_257_0", "31UFQ_257_257"]
    write_root(tmp_path / "root", patches=patches)
    write_dataset_toml(
        tmp_path / "root", replace(MULTISENGE, name="other", months=(7, 8), patch_pixels=32)
    )
    inputs = {
        "s1": keras.Input((2, 32, 32, 2), name="s1"),
        "s2": keras.Input((2, 32, 32, 10), name="s2"),
    }
    dates = [keras.layers.Rescaling(1e-3)(inputs["s2"])[:, date] for date in range(2)]
    dates += [inputs["s1"][:, date] for date in range(2)]
    outputs = keras.layers.Conv2D(10, 1)(keras.layers.Concatenate()(dates))
    card = model_card(replace(EXPERIMENT, months=(7, 8)), TYPOLOGY, 32, "other")
    path = save_model(keras.Model(inputs, outputs), card, tmp_path / "two" / "model.keras")
    return path, tmp_path / "root"


def test_a_pixel_of_a_root_without_data_gets_no_class(two_dates, tmp_path):
    model, root = two_dates
    day = np.datetime64("2020-08-06")
    path = raster_path(root, "s2", "31UFQ_0_0", day)
    pixels = read_pixels(path)
    pixels[:, 3:6, 10:12] = 0
    write_raster(path, pixels, S2_BANDS)
    (out,) = predict_root(model, root, tmp_path / "maps")
    ids = read_pixels(out)[0]
    assert ids.shape == (257 + 32, 257 + 32)
    assert not ids[3:6, 10:12].any()
    assert (ids[:32, :32] == 0).sum() == 6
    assert not ids[32:257].any()  # between the patches
    assert ids[257:, :32].all()


def test_the_patches_of_one_split_alone(two_dates, tmp_path):
    model, root = two_dates  # all patches lie on 31UFQ, a tile for training
    assert len(predict_root(model, root, tmp_path / "train", split="train")) == 1
    with pytest.raises(ModelError):
        predict_root(model, root, tmp_path / "test", split="test")
    assert len(predict_root(model, root, tmp_path / "all")) == 1


@pytest.mark.fault("predict: patches of two sizes in a root -> one line")
def test_a_patch_of_another_size(two_dates, tmp_path):
    model, root = two_dates
    for sensor, names in (("s1", S1_BANDS), ("s2", S2_BANDS)):
        for day in ("2020-07-07", "2020-08-06"):
            path = raster_path(root, sensor, "31UFQ_0_257", np.datetime64(day))
            write_raster(path, read_pixels(path)[:, :16, :16], names)
    with pytest.raises(PatchError, match=r"31UFQ_0_257: s1 has 16 x 16 pixels, .* 32 x 32"):
        predict_root(model, root, tmp_path / "maps")


def test_a_root_whose_rasters_changed_makes_another_map(two_dates, tmp_path):
    model, root = two_dates
    predict_root(model, root, tmp_path / "maps")
    predict_root(model, root, tmp_path / "maps")
    with pytest.raises(FileError, match=r"31UFQ\.tif is there already, of other data"):
        predict_root(model, root, tmp_path / "maps", band_order="resolution")
    path = raster_path(root, "s1", "31UFQ_0_0", np.datetime64("2020-08-06"))
    status = path.stat()
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1_000_000))
    with pytest.raises(FileError, match=r"31UFQ\.tif is there already, of other data"):
        predict_root(model, root, tmp_path / "maps")
    predict_root(model, root, tmp_path / "maps", overwrite=True)


@pytest.mark.fault("predict: a file at the place of the second map -> refused before the first")
def test_all_places_are_checked_before_the_first_map(sample_root, model, tmp_path):
    mine = tmp_path / "31UGP.tif"
    mine.write_text("mine")
    with pytest.raises(FileError, match=r"31UGP\.tif is there already and is not a file of"):
        predict_root(model, sample_root, tmp_path, tiles=["31UEQ", "31UGP"])
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".tif"] == ["31UGP.tif"]
    assert mine.read_text() == "mine"


@pytest.mark.fault("predict: a data root killed halfway, then again -> the same bytes")
def test_an_interrupted_mosaic_goes_on_to_the_same_bytes(two_dates, tmp_path, monkeypatch):
    model, root = two_dates
    whole = tmp_path / "whole"
    cut = tmp_path / "cut"
    options = {"tiles": ["31UFQ"], "layers": ("entropy",)}
    predict_root(model, root, whole, **options)
    write_part = map_files.write_part
    numbers = []

    def interrupted(target, part, number):
        numbers.append(number)
        if len(numbers) in (1, 4):
            raise KeyboardInterrupt
        write_part(target, part, number)

    monkeypatch.setattr(map_files, "write_part", interrupted)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            predict_root(model, root, cut, **options)
        assert not (cut / "31UFQ.tif").exists()
    predict_root(model, root, cut, **options)
    assert numbers == [1, 1, 2, 3, 3, 4]
    assert file_contents(cut) == file_contents(whole)


@pytest.mark.fault("predict: a root of other bands, or without a sensor -> both are named")
@pytest.mark.parametrize(
    ("bands", "message"),
    [
        ({"s1": S1_BANDS, "s2": S2_BANDS[:9]}, r"s2 has B2.*B11, the network .* takes B2.*, B12:"),
        ({"s2": S2_BANDS}, "s1 has no bands, the network s1s2_10c takes VV, VH"),
    ],
)
def test_a_root_of_other_bands(model, tmp_path, bands, message):
    write_root(tmp_path / "root")
    other = replace(MULTISENGE, name="other", patch_pixels=32, bands=bands)
    write_dataset_toml(tmp_path / "root", other)
    with pytest.raises(ModelError, match=message) as error:
        predict_root(model, tmp_path / "root", tmp_path / "maps")
    assert str(tmp_path / "root") in str(error.value)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "maps").exists()


@pytest.mark.fault("predict: a root without patches on a tile -> one line")
def test_a_tile_that_is_not_in_the_root(model, sample_root, tmp_path):
    with pytest.raises(ModelError, match=r"full series on the tiles 31TFN, .*; asked for 33ABC"):
        predict_root(model, sample_root, tmp_path, tiles=["33ABC"])


@pytest.mark.fault("predict: more or fewer months than the network takes -> one line")
def test_another_number_of_months_is_refused(two_dates, tmp_path):
    path, root = two_dates
    with pytest.raises(ModelError, match="month 7: the network s1s2_10c takes a series of 2"):
        predict_root(path, root, tmp_path / "maps", months=[7])
