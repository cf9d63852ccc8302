"""One array of a store: pieces that are read back, or recognised as damaged."""

import numpy as np
import pytest

from multisenge_lib.dataset.packed_array import checksum, create_array, open_array
from multisenge_lib.errors import PatchError

EXAMPLE = np.arange(12, dtype=np.uint16).reshape(3, 4)


def test_pieces_come_back_and_numpy_reads_them_too(tmp_path):
    array = create_array(tmp_path / "a.npy", 3, EXAMPLE)
    first = array.write(2, EXAMPLE)
    array.write(0, EXAMPLE.T.copy().T + 5)  # not contiguous
    again = open_array(tmp_path / "a.npy")
    assert again == array
    np.testing.assert_array_equal(again.read(2, first), EXAMPLE)
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy")[0], EXAMPLE + 5)
    out = np.empty((3, 4), np.uint16)
    assert again.read(2, first, out) is out


def test_only_patches_of_one_shape_and_type_fit(tmp_path):
    array = create_array(tmp_path / "a.npy", 3, EXAMPLE)
    assert array.fits(EXAMPLE)
    assert not array.fits(EXAMPLE[:2])
    assert not array.fits(EXAMPLE.astype(np.int16))


def test_other_values_are_damage(tmp_path):
    array = create_array(tmp_path / "a.npy", 1, EXAMPLE)
    array.write(0, EXAMPLE)
    for expected in (None, checksum(EXAMPLE) + 1):
        with pytest.raises(PatchError, match="at 0: not the values packed"):
            array.read(0, expected)


def test_a_file_that_was_cut_short_is_damage(tmp_path):
    array = create_array(tmp_path / "a.npy", 1, EXAMPLE)
    expected = array.write(0, EXAMPLE)
    content = array.path.read_bytes()
    array.path.write_bytes(content[:-1])
    with pytest.raises(PatchError, match="delete the folder"):
        array.read(0, expected)


def test_the_checksum_is_crc32c():
    assert checksum(np.frombuffer(b"123456789", np.uint8)) == 0xE3069283  # the standard's example
