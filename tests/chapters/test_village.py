import numpy as np
import pytest

from multisenge_lib import paths
from multisenge_lib.chapters import read_village, read_village_radar
from multisenge_lib.dataset import decibel
from multisenge_lib.errors import FileError

VILLAGE = paths.PROJECT / "book" / "data" / "village" / "worldcereal-village.nc"


def test_months_under_clouds_are_left_out():
    dates, s2 = read_village(VILLAGE)
    months = np.datetime_as_string(dates, unit="M").tolist()
    assert months == ["2020-11", *(f"2021-{month:02}" for month in range(2, 11))]
    assert s2.shape == (10, 100, 100, 10) and s2.max() < 20_000
    np.testing.assert_array_equal(s2[..., 7], s2[..., 6])


def test_a_field_greens_and_is_cut():
    s2 = read_village(VILLAGE)[1][:, 12, 75]
    red = s2[:, 2]
    infrared = s2[:, 6]
    ndvi = (infrared - red) / (infrared + red)
    assert ndvi[5] > 0.8 and ndvi[8] < 0.3


def test_radar_has_all_months_and_is_linear():
    dates, s1 = read_village_radar(VILLAGE)
    assert len(dates) == 12 and s1.shape == (12, 100, 100, 2)
    # The file's README: dB = 20 log10(n) - 83.
    assert decibel(s1[0, 0, 0]) == pytest.approx([-9.5, -17.0], abs=4)
    # Over vegetation VH returns less than VV.
    assert (s1[..., 1].mean(axis=(1, 2)) < s1[..., 0].mean(axis=(1, 2))).all()


@pytest.mark.fault("the village's file: missing or damaged -> one line with file and remedy")
@pytest.mark.parametrize("content", [None, b"\x89HDF\r\n\x1a\n" + bytes(500), b"text"])
def test_a_damaged_file_is_named(tmp_path, content):
    path = tmp_path / "worldcereal-village.nc"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(FileError, match=r"worldcereal-village.*restore it with git") as caught:
        read_village(path)
    assert "\n" not in str(caught.value)
