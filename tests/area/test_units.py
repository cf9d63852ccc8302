"""Stored values in the units of the layout, and what contradicts them, worked by hand."""

import numpy as np
import pytest

from multisenge_lib.area.band_source import BandSource
from multisenge_lib.area.products import ProcessingBaseline
from multisenge_lib.area.unit_checks import check_backscatter, check_offset, check_reflectance
from multisenge_lib.area.units import Encoding, InputUnits, backscatter, offset_of, reflectance
from multisenge_lib.dataset import S2_BANDS
from multisenge_lib.errors import ImportAreaError

NEW = ProcessingBaseline("N0400", -1000, "its name")
OLD = ProcessingBaseline("N0301", 0, "its name")
#: As an item has it whose provider took the offset off, or says so.
TAKEN_OFF = ProcessingBaseline("N0511", 0, "an item")


@pytest.mark.parametrize(
    ("stored", "encoding", "units", "value", "offset"),
    [
        (1400, Encoding(), InputUnits(), 1400, 0),
        (1400, Encoding(baseline=NEW), InputUnits(), 400, -1000),
        (1400, Encoding(baseline=OLD), InputUnits(), 1400, 0),
        # Tags: value x scale + offset, from 0 to 1 with a scale, else in units of the layout.
        (1400, Encoding(1e-4, -0.1), InputUnits(), 400, -0.1),
        (1400, Encoding(offset=-900), InputUnits(), 500, -900),
        # An offset tag counts more than the baseline, a scale tag says nothing of the offset.
        (1400, Encoding(1e-4, -0.09, NEW), InputUnits(), 500, -0.09),
        (1400, Encoding(1e-4, 0, NEW), InputUnits(), 400, -1000),
        # The user counts more than either; the offset is added first.
        (1400, Encoding(1e-4, -0.1, NEW), InputUnits(s2_offset=-100), 1300, -100),
        (1400, Encoding(1e-4, -0.1, NEW), InputUnits(s2_scale=2), 2800, 0),
        (7, Encoding(), InputUnits(s2_scale=100, s2_offset=-3), 400, -3),
    ],
)
def test_reflectance(stored, encoding, units, value, offset):
    values = reflectance(np.array([[stored]], np.uint16), encoding, units)
    assert values.dtype == np.float32
    assert values.item() == pytest.approx(value)
    assert offset_of(encoding, units) == offset


@pytest.mark.parametrize(
    ("stored", "encoding", "unit", "decibels"),
    [
        (0.1, Encoding(), None, -10),
        (0.01, Encoding(), "linear", -20),
        (-13, Encoding(), "db", -13),
        (1000, Encoding(), "dn", -23),
        # Tags are applied before: value x scale + offset.
        (700, Encoding(0.01, -20), "db", -13),
        (500, Encoding(2, 0), "dn", -23),
        (400, Encoding(2.5e-4, 0), None, -10),
    ],
)
def test_backscatter(stored, encoding, unit, decibels):
    values = backscatter(np.array([[stored]], np.float32), encoding, InputUnits(s1=unit))
    assert values.dtype == np.float32
    assert 10 * np.log10(values.item()) == pytest.approx(decibels, abs=1e-4)


def check_stored(stored, offset=0):
    """Check two bands of stored values whose reflectance is that much higher or lower."""
    stored = np.array(stored, np.float32)[:, None]
    check_reflectance(stored + np.float32(offset), stored, "image", InputUnits())


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (-2999, None),
        (-3001, "image holds -4001, a reflectance x 10,000 of -3001 with"),
        (59_999, None),
        # What wraps where 1000 is subtracted in an unsigned type is near 65,535.
        (60_001, "dark pixels become so bright where 1000 is subtracted in an unsigned type; sub"),
        (65_535, r"image holds 64535, a reflectance x 10,000 of 6.554e\+04 with"),
    ],
)
def test_reflectance_that_no_ground_has(value, words):
    """Stored values are 1000 lower; the message gives the one that the user can look for."""
    stored = [[500, 600, 700], [500, value - 1000, 700]]
    if words is None:
        check_stored(stored, offset=1000)
    else:
        with pytest.raises(ImportAreaError, match=words):
            check_stored(stored, offset=1000)


def test_the_stored_fill_value_is_named():
    """9999 in one band alone is bright ground; in all bands of some pixels it is no measurement."""
    stored = [[300, 8999, 8999, 8999, 8999], [8999, 8999, 8999, 8999, 8999]]
    with pytest.raises(ImportAreaError, match=r"image holds 8999 in all bands .* --no-data 8999"):
        check_stored(stored, offset=1000)


def test_a_fill_value_where_nothing_is_observed_is_no_value():
    stored = np.full((2, 1, 9), -9999, np.float32)
    stored[:, :, :3] = 0.1
    missing = stored[0] < 0
    values = np.where(missing, 0, stored)
    check_backscatter(values, stored, missing, "image", InputUnits())
    with pytest.raises(ImportAreaError, match="--no-data -9999"):
        check_backscatter(values, stored, np.zeros_like(missing), "image", InputUnits())


def offset_seems_missing(value, offsets, baseline=None, **units):
    """Check an even image; `offsets` has one number for each band, or one for all."""
    image = np.full((10, 400), value, np.uint16)
    image[6:] = 3000
    sources = [BandSource("image", None, "image", baseline=baseline)] * 10
    offsets = np.broadcast_to(offsets, 10).tolist()
    return check_offset(image, S2_BANDS, sources, offsets, InputUnits(**units))


@pytest.mark.parametrize(
    ("value", "baseline", "units", "seems_missing"),
    [
        (1200, None, {}, True),
        (900, None, {}, False),
        # Haze, where a name says that there is none, or the user gives it.
        (1200, OLD, {}, False),
        (1200, TAKEN_OFF, {}, True),
        (900, TAKEN_OFF, {}, False),
        (1200, None, {"s2_offset": 0}, False),
        (1200, None, {"s2_scale": 1}, True),
    ],
)
def test_an_offset_is_suspected_where_nothing_says_so(value, baseline, units, seems_missing):
    assert offset_seems_missing(value, 0, baseline, **units) == seems_missing


@pytest.mark.parametrize(
    ("offsets", "baseline", "units", "words"),
    [
        (-1000, NEW, {}, "an offset of -1000 is added by its processing baseline N0400, and"),
        (-1000, NEW, {"s2_offset": -1000}, "an offset of -1000 is added, and"),
        # Tags of some bands alone.
        ([-1000] * 3 + [0] * 7, None, {}, "an offset of -1000 is added, and"),
    ],
)
def test_an_offset_that_the_values_do_not_hold_is_refused(offsets, baseline, units, words):
    with pytest.raises(ImportAreaError, match=words):
        offset_seems_missing(1, offsets, baseline, **units)
    assert not offset_seems_missing(300, offsets, baseline, **units)


def test_without_an_offset_dark_water_is_taken():
    assert not offset_seems_missing(1, 0)
