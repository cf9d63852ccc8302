"""Patches written here in the published layout, whole and then damaged one by one."""

from types import SimpleNamespace

import numpy as np
import pytest
from rasters import write_raster as write

from multisenge_lib.dataset.layout import BAND_ORDERS, S2_BANDS, raster_path
from multisenge_lib.dataset.rasters import guess_band_order, read_patch
from multisenge_lib.errors import PatchError

PATCH, SIZE = "31UEQ_7453_4112", 16
DAYS = np.array(["2020-07-07", "2020-08-06"], dtype="datetime64[D]")
ROW = SimpleNamespace(patch=PATCH, s1_dates=DAYS, s2_dates=DAYS)
#: Vegetation in the spectral order (facts: mean reflectances of cropland in July).
VEGETATION = np.array([660, 936, 916, 1437, 2620, 3090, 3226, 3300, 2423, 1650])


def spectra(order="spectral"):
    values = dict(zip(S2_BANDS, VEGETATION, strict=True))
    column = np.array([values[band] for band in BAND_ORDERS[order]], dtype=np.uint16)
    return np.broadcast_to(column[:, None, None], (10, SIZE, SIZE)).copy()


@pytest.fixture
def root(tmp_path):
    write(raster_path(tmp_path, "reference", PATCH), np.full((1, SIZE, SIZE), 6, np.uint8))
    for i, day in enumerate(DAYS):
        s1 = np.stack([np.full((SIZE, SIZE), 0.1 + i), np.full((SIZE, SIZE), 0.02)])
        write(raster_path(tmp_path, "s1", PATCH, day), s1.astype(np.float32))
        write(raster_path(tmp_path, "s2", PATCH, day), spectra() + i, S2_BANDS)
    return tmp_path


def refused(root, row=ROW, **options):
    with pytest.raises(PatchError) as caught:
        read_patch(root, row, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_shapes_units_and_order_of_dates(root):
    patch = read_patch(root, ROW)
    assert patch.s1.shape == (2, SIZE, SIZE, 2) and patch.s1.dtype == np.float32
    assert patch.s2.shape == (2, SIZE, SIZE, 10) and patch.s2.dtype == np.uint16
    assert patch.reference.shape == (SIZE, SIZE) and patch.reference.dtype == np.uint8
    np.testing.assert_array_equal(patch.s2[1, 0, 0], VEGETATION + 1)
    np.testing.assert_allclose(patch.s1[:, 0, 0, 0], [0.1, 1.1], rtol=1e-6)


def test_reads_only_the_sensors_asked_for(root):
    for path in (root / "s1").iterdir():
        path.unlink()
    patch = read_patch(root, ROW, sensors=("s2",))
    assert patch.s1 is None and patch.s2 is not None


@pytest.mark.parametrize("order", list(BAND_ORDERS))
@pytest.mark.parametrize("style", ["B{}", "B0{}"])
def test_band_names_win_over_the_assumption(root, order, style):
    names = [style.format(b[1:]) if len(b) == 2 else b for b in BAND_ORDERS[order]]
    for day in DAYS:
        write(raster_path(root, "s2", PATCH, day), spectra(order), names)
    np.testing.assert_array_equal(read_patch(root, ROW).s2[0, 0, 0], VEGETATION)


def test_an_unnamed_order_is_read_as_told_and_checked_on_vegetation(root):
    for day in DAYS:
        write(raster_path(root, "s2", PATCH, day), spectra("resolution"))
    assert "give band_order='resolution'" in refused(root)
    told = read_patch(root, ROW, band_order="resolution")
    np.testing.assert_array_equal(told.s2[0, 0, 0], VEGETATION)
    assert "band order 'wavelength'" in refused(root, band_order="wavelength")


def test_band_order_is_not_guessed_without_vegetation():
    water = np.full((SIZE, SIZE, 10), 1000, np.uint16)
    assert guess_band_order(water) is None
    for order in BAND_ORDERS:
        assert guess_band_order(np.moveaxis(spectra(order), 0, -1)) == order


def test_negative_sentinel2_values_are_no_data(root):
    signed = spectra().astype(np.int16)
    signed[:, 0, 0] = -10000
    write(raster_path(root, "s2", PATCH, DAYS[0]), signed, S2_BANDS)
    s2 = read_patch(root, ROW).s2
    assert (s2[0, 0, 0] == 0).all()
    np.testing.assert_array_equal(s2[0, 1, 1], VEGETATION)


def damage_missing(root):
    path = raster_path(root, "s1", PATCH, DAYS[1])
    path.unlink()
    return path, "is missing"


def damage_truncated(root):
    path = raster_path(root, "s2", PATCH, DAYS[0])
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return path, "truncated or damaged"


def damage_bands(root):
    path = raster_path(root, "s2", PATCH, DAYS[0])
    write(path, spectra()[:4])
    return path, "4 bands"


def damage_dtype(root):
    path = raster_path(root, "s2", PATCH, DAYS[0])
    write(path, spectra().astype(np.float32) / 10000)
    return path, "is float32"


def damage_nan(root):
    path, data = raster_path(root, "s1", PATCH, DAYS[0]), np.full((2, SIZE, SIZE), 0.1, np.float32)
    data[1, 3, 4] = np.nan
    write(path, data)
    return path, "NaN"


def damage_decibel(root):
    path = raster_path(root, "s1", PATCH, DAYS[0])
    write(path, np.full((2, SIZE, SIZE), -11, np.float32))
    return path, "10 ** (value / 10)"


def damage_size(root):
    path = raster_path(root, "s1", PATCH, DAYS[0])
    write(path, np.full((2, SIZE, SIZE // 2), 0.1, np.float32))
    return path, "16x8 pixels"


def damage_class(root):
    path = raster_path(root, "reference", PATCH)
    write(path, np.full((1, SIZE, SIZE), 99, np.uint8))
    return path, "99"


@pytest.mark.parametrize(
    "damage",
    [value for name, value in sorted(globals().items()) if name.startswith("damage_")],
)
def test_a_damaged_file_is_refused_by_name(root, damage):
    path, words = damage(root)
    message = refused(root)
    assert str(path) in message and words in message
