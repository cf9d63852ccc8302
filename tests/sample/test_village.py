import numpy as np
import pytest

from multisenge_lib import paths
from multisenge_lib.errors import FileError
from multisenge_lib.sample import read_village


def test_months_under_clouds_are_left_out():
    dates, s2 = read_village()
    months = np.datetime_as_string(dates, unit="M").tolist()
    assert months == ["2020-11", *(f"2021-{month:02}" for month in range(2, 11))]
    assert s2.shape == (10, 100, 100, 10) and s2.max() < 20_000
    np.testing.assert_array_equal(s2[..., 7], s2[..., 6])


def test_it_greens_and_is_cut():
    s2 = read_village()[1][:, 12, 75]
    ndvi = (s2[:, 6] - s2[:, 2]) / (s2[:, 6] + s2[:, 2])
    assert ndvi[5] > 0.8 and ndvi[8] < 0.3


@pytest.mark.fault("the village's file: missing or damaged -> one line with file and remedy")
def test_a_damaged_file_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "PROJECT", tmp_path)
    with pytest.raises(FileError, match=r"worldcereal-village.*restore it with git"):
        read_village()
    path = tmp_path / "book" / "data" / "village" / "worldcereal-village.nc"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(500))
    with pytest.raises(FileError, match=r"worldcereal-village.*restore it with git"):
        read_village()
