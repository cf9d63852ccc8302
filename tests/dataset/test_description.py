from dataclasses import replace

import labels
import pytest

from multisenge_lib.dataset import MULTISENGE, SAMPLE, describe
from multisenge_lib.errors import DescriptionError


def test_the_sample_is_told_by_its_marker(tmp_path):
    (tmp_path / "sample.json").write_text('{"size": 32}')
    assert describe(tmp_path) == replace(SAMPLE, patch_pixels=32)
    (tmp_path / "sample.json").write_text('{"size": ')
    with pytest.raises(DescriptionError, match=r"sample\.json cannot be read"):
        describe(tmp_path)


def test_multisenge_is_told_by_the_names_of_its_labels(tmp_path):
    with pytest.raises(DescriptionError, match="labels cannot be listed"):
        describe(tmp_path)
    labels.write(tmp_path / "labels", "31UEQ_257_0")
    assert describe(tmp_path) == MULTISENGE


@pytest.mark.parametrize("patch", ["30TYT_0_0", "31UEQ_256_0"])
def test_other_labels_are_not_multisenge(tmp_path, patch):
    labels.write(tmp_path / "labels", "31UEQ_257_0")
    labels.write(tmp_path / "labels", patch)
    with pytest.raises(DescriptionError, match=f"is not MultiSenGE: {patch}"):
        describe(tmp_path)
