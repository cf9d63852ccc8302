from dataclasses import replace

import labels
import pytest

from multisenge_lib.dataset import MULTISENGE, SAMPLE, dataset_of_root, root_digest
from multisenge_lib.errors import DescriptionError


def test_the_sample_is_told_by_its_marker(tmp_path):
    (tmp_path / "sample.json").write_text('{"size": 32}')
    assert dataset_of_root(tmp_path) == replace(SAMPLE, patch_pixels=32)
    (tmp_path / "sample.json").write_text('{"size": ')
    with pytest.raises(DescriptionError, match=r"sample\.json cannot be read"):
        dataset_of_root(tmp_path)


def test_multisenge_is_told_by_the_names_of_its_labels(tmp_path):
    with pytest.raises(DescriptionError, match="labels cannot be listed"):
        dataset_of_root(tmp_path)
    labels.write(tmp_path / "labels", "31UEQ_257_0")
    assert dataset_of_root(tmp_path) == MULTISENGE


@pytest.mark.parametrize("patch", ["30TYT_0_0", "31UEQ_256_0"])
@pytest.mark.fault("data root: labels of another area, no dataset.toml -> not taken for MultiSenGE")
def test_other_labels_are_not_multisenge(tmp_path, patch):
    labels.write(tmp_path / "labels", "31UEQ_257_0")
    labels.write(tmp_path / "labels", patch)
    with pytest.raises(DescriptionError, match=rf"is not MultiSenGE, {patch}.*dataset\.toml"):
        dataset_of_root(tmp_path)


@pytest.mark.parametrize("names", [[], [".DS_Store", "notes.txt"], ["31UEQ_257_0.JSON"]])
@pytest.mark.fault("data root: labels/ empty, or with foreign names alone -> not MultiSenGE")
def test_a_root_without_a_label_file_is_no_dataset(tmp_path, names):
    (tmp_path / "labels").mkdir()
    for name in names:
        (tmp_path / "labels" / name).touch()
    with pytest.raises(DescriptionError, match=r"holds no label file .*`multisenge download"):
        dataset_of_root(tmp_path)


@pytest.mark.parametrize("size", ["1e999", "-3", "0", '"32"', "1.5", "NaN"])
@pytest.mark.fault("sample.json: a size that cannot be -> one line with its name")
def test_a_marker_of_an_impossible_size_is_named(tmp_path, size):
    (tmp_path / "sample.json").write_text(f'{{"size": {size}}}')
    with pytest.raises(DescriptionError, match=r"sample\.json cannot be read") as error:
        dataset_of_root(tmp_path)
    assert "\n" not in str(error.value)


@pytest.mark.fault("data root: dataset.toml in a sample's folder -> refused, not ignored")
def test_a_sample_with_a_description_is_refused(tmp_path):
    (tmp_path / "sample.json").write_text('{"size": 32}')
    (tmp_path / "dataset.toml").write_text('name = "valley"')
    with pytest.raises(DescriptionError, match=r"is the sample.*delete sample\.json"):
        dataset_of_root(tmp_path)


def test_roots_of_one_name_have_digests_of_their_own(tmp_path):
    """Labels and description count, each by its content; rasters and other files do not."""
    labels.write(tmp_path / "labels", "31UEQ_257_0")
    digests = [root_digest(tmp_path)]
    (tmp_path / "notes.txt").write_text("mine")
    assert root_digest(tmp_path) == digests[0]

    labels.write(tmp_path / "labels", "31UEQ_514_0")
    digests.append(root_digest(tmp_path))
    label = tmp_path / "labels" / "31UEQ_514_0.json"
    label.write_text(label.read_text() + " ")
    digests.append(root_digest(tmp_path))
    for name in ("dataset.toml", "sample.json"):
        (tmp_path / name).write_text("{}")
        digests.append(root_digest(tmp_path))
    assert len(set(digests)) == 5


def test_the_way_to_multisenna_is_named_where_a_root_is_not_multisenge(tmp_path):
    """It is not guessed: its tiles are not known."""
    labels.write(tmp_path / "labels", "30TXR_257_514")
    with pytest.raises(DescriptionError, match='based_on = "multisenna", its years and its tiles'):
        dataset_of_root(tmp_path)
