"""Maps of arrays in memory."""

import keras
import numpy as np
import pytest
from map_inputs import SMALL_WINDOWS, random_series

from multisenge_lib.dataset import S1_BANDS, S2_BANDS
from multisenge_lib.dataset.layout import BAND_ORDERS
from multisenge_lib.errors import ExperimentError, ModelError, PatchError
from multisenge_lib.maps import predict_map
from multisenge_lib.models import predict


def test_a_map_of_arrays(network):
    series = random_series((64, 100))
    series["s2"][1, 5, 7] = 0
    series["s1"][3, 6, 8, 0] = np.nan
    series["s2"][0, 7, 9] = [0] * 9 + [1]  # dark, which is not missing
    ids, probabilities = predict_map(network, series, **SMALL_WINDOWS)

    assert ids.dtype == np.uint8
    assert ids.shape == (64, 100)
    np.testing.assert_allclose(probabilities.sum(axis=-1), 1, atol=1e-5)
    missing = np.zeros((64, 100), bool)
    missing[5, 7] = True
    missing[6, 8] = True
    np.testing.assert_array_equal(ids == 0, missing)
    most_probable = probabilities.argmax(axis=-1) + 1
    np.testing.assert_array_equal(ids[~missing], most_probable[~missing])


def test_a_map_of_the_size_of_a_patch_is_what_the_network_says(network):
    series = random_series((32, 32))
    batch = {sensor: array[None].astype(np.float32) for sensor, array in series.items()}
    _, probabilities = predict_map(network, series)
    np.testing.assert_allclose(probabilities, predict(network, batch)[0], atol=1e-5)


def test_a_map_smaller_than_a_window_sees_its_mirror_image_beyond_its_edge(network):
    series = random_series((32, 20))
    mirrored = {}
    for sensor, array in series.items():
        mirrored[sensor] = np.concatenate([array, array[:, :, :-13:-1]], axis=2)
    _, probabilities = predict_map(network, series)
    _, of_mirrored = predict_map(network, mirrored)
    np.testing.assert_allclose(probabilities, of_mirrored[:, :20], atol=1e-5)


def test_xarray_in_and_out(network):
    xarray = pytest.importorskip("xarray")
    coordinates = {"y": np.arange(40) * -10.0, "x": np.arange(50) * 10.0}
    series = {}
    for sensor, array in random_series((40, 50)).items():
        dims = ("time", "y", "x", "band")
        series[sensor] = xarray.DataArray(array, coordinates, dims)
    ids, probabilities = predict_map(network, series)
    assert ids.dims == ("y", "x")
    assert probabilities.dims == ("y", "x", "class")
    np.testing.assert_array_equal(ids["y"], coordinates["y"])


@pytest.mark.fault("predict_map: decibel, infinite values -> refused; no reflectance -> no data")
@pytest.mark.parametrize("value", [-11, np.inf])
def test_backscatter_in_other_units(network, value):
    series = random_series((40, 40))
    series["s1"][1, 2, 3] = value
    with pytest.raises(PatchError, match=r"^s1 holds "):
        predict_map(network, series)


def test_reflectance_that_is_negative_or_infinite_is_no_data(network):
    series = random_series((40, 40))
    series["s2"] = series["s2"].astype(np.float32)
    series["s2"][1, 2, 3] = np.inf
    series["s2"][1, 2, 4] = -10_000
    ids, probabilities = predict_map(network, series)
    assert not ids[2, 3:5].any()
    assert np.isfinite(probabilities).all()


@pytest.mark.fault("predict_map: digital numbers, 65535, 0 to 1, pictures, complex -> one line")
@pytest.mark.parametrize(
    ("sensor", "change", "message"),
    [
        ("s1", lambda s1: s1 * 5000, "s1 holds values around .*linear intensity"),
        ("s1", lambda s1: np.rint(s1 * 100).astype(np.uint16), "s1 is uint16, .*times a scale"),
        ("s1", lambda s1: s1.astype(np.complex64), "s1 is complex64"),
        ("s2", lambda s2: s2 / 10_000, "s2 holds nothing above"),
        ("s1", lambda s1: s1 * np.float32([0.2, 1]), "s1 has VH above VV"),
        ("s2", lambda s2: np.where(s2 > 4990, 9999, s2 // 50), "s2 holds values around .*percent"),
        ("s2", lambda s2: np.where(s2[..., :1] > 4990, 9999, s2), "s2 holds 9999 in all bands"),
        ("s2", lambda s2: (s2 // 20).astype(np.uint8), "s2 is uint8"),
        ("s2", lambda s2: np.where(s2 > 4990, 65_535, s2).astype(np.uint16), "s2 holds 65535"),
    ],
)
@pytest.mark.filterwarnings("ignore:.*amplitude instead of intensity")
def test_values_in_other_units(network, sensor, change, message):
    series = random_series((40, 40))
    series[sensor] = change(series[sensor])
    with pytest.raises(PatchError, match=message) as error:
        predict_map(network, series)
    assert "\n" not in str(error.value)


@pytest.mark.fault("predict_map: xarray whose scale and offset are not applied -> one line")
def test_attributes_that_are_not_applied(network):
    xarray = pytest.importorskip("xarray")
    series = random_series((40, 40))
    attributes = {"scale_factor": 1e-4, "add_offset": -0.1}
    series["s2"] = xarray.DataArray(series["s2"], dims=("time", "y", "x", "band"), attrs=attributes)
    with pytest.raises(PatchError, match=r"s2 has the attributes scale_factor 0\.0001 and add_off"):
        predict_map(network, series)
    series["s2"].attrs = {"scale_factor": 1.0, "add_offset": 0.0}
    predict_map(network, series)


def test_an_area_without_data_is_a_map_without_data(network):
    series = {sensor: np.zeros_like(array) for sensor, array in random_series((40, 40)).items()}
    ids, _ = predict_map(network, series)
    assert not ids.any()


@pytest.mark.fault("predict_map: sensors, dates, bands, sizes of another kind -> one line")
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda a: a.pop("s1"), "s1: the network takes .* received nothing"),
        (lambda a: a.update(s2=a["s2"][:3]), r"s2: .* 4 dates and 10 bands, received \(3, "),
        (lambda a: a.update(s2=a["s2"][..., :9]), r"s2: .* received \(4, 40, 40, 9\)"),
        (lambda a: a.update(s2=a["s2"][0]), r"s2: .* received \(40, 40, 10\)"),
        (lambda a: a.update(s2=a["s2"][:, :0]), r"s2: .* received \(4, 0, 40, 10\)"),
        (lambda a: a.update(s1=a["s1"][:, :30]), "differ in height and width"),
        (lambda a: a.update(s3=a["s1"]), "s3: the network takes s1 and s2 alone"),
        (lambda a: a.update(s1=a["s1"].astype(str)), "s1: numbers are needed, received <U"),
    ],
)
def test_arrays_that_the_network_does_not_take(network, change, message):
    series = random_series((40, 40))
    change(series)
    with pytest.raises(ExperimentError, match=message):
        predict_map(network, series)


def test_masked_pixels_are_no_data(network):
    series = random_series((40, 40))
    mask = np.zeros(series["s2"].shape, bool)
    mask[2, 3, 4] = True
    series["s2"] = np.ma.array(series["s2"], mask=mask)
    ids, _ = predict_map(network, series)
    assert ids[3, 4] == 0
    assert np.count_nonzero(ids == 0) == 1


@pytest.mark.fault("predict_map: bands that lie in another order by vegetation -> one line")
def test_bands_in_another_order(network):
    spectrum = np.array([400, 600, 450, 1000, 2300, 2800, 3000, 3200, 1800, 1000])
    order = [S2_BANDS.index(band) for band in BAND_ORDERS["resolution"]]
    series = random_series((40, 40))
    series["s2"] = np.broadcast_to(spectrum[order], series["s2"].shape)
    with pytest.raises(PatchError, match=r"s2: read as B2, B3, .*vegetation has no red edge"):
        predict_map(network, series)


def as_xarray(shape=(40, 40), **changed):
    """A series with names of bands and coordinates on the ground; `changed` are those of s1."""
    xarray = pytest.importorskip("xarray")
    dims = ("time", "y", "x", "band")
    series = {}
    for sensor, array in random_series(shape).items():
        coordinates = {"y": np.arange(shape[0]) * -10.0, "x": np.arange(shape[1]) * 10.0}
        coordinates["band"] = list(S1_BANDS if sensor == "s1" else S2_BANDS)
        if sensor == "s1":
            coordinates |= changed
        series[sensor] = xarray.DataArray(array, coordinates, dims)
    return series


@pytest.mark.fault("predict_map: xarray whose bands, grid or kind say otherwise -> one line")
@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"band": ["VH", "VV"]}, "s1 has the bands VH, VV: give them in the order VV, VH"),
        ({"x": np.arange(40) * 10.0 + 1000}, "differ in their coordinates x, .* on one grid"),
        ({"y": np.arange(40) * 10.0}, "differ in their coordinates y, .* in one direction"),
    ],
)
def test_coordinates_that_contradict_each_other(network, changed, message):
    with pytest.raises(ExperimentError, match=message):
        predict_map(network, as_xarray(**changed))
    predict_map(network, as_xarray())


def test_a_dataset_of_xarray_is_refused(network):
    series = as_xarray()
    series["s2"] = series["s2"].to_dataset("band")
    with pytest.raises(ExperimentError, match="s2: an xarray Dataset is given: give one array"):
        predict_map(network, series)


@pytest.mark.fault("predict_map: a path for the network, an array for the series -> one line")
def test_slips_of_the_hand(network):
    series = random_series((40, 40))
    with pytest.raises(ExperimentError, match="a network is needed, received str"):
        predict_map("model.keras", series)
    with pytest.raises(ExperimentError, match="series by sensor are needed, received ndarray"):
        predict_map(network, series["s2"])


@pytest.mark.fault("predict: weights of NaN -> refused, no map of the first class everywhere")
def test_a_network_that_gives_no_numbers(network):
    broken = keras.models.clone_model(network)
    broken.set_weights([np.full_like(weight, np.nan) for weight in network.get_weights()])
    with pytest.raises(ModelError, match=r"not numbers \(NaN\)"):
        predict_map(broken, random_series((40, 40)))
