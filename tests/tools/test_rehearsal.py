from dataclasses import replace
from importlib import import_module

import labels
import pytest

from multisenge_lib.dataset import MULTISENGE
from multisenge_lib.errors import SelectionError
from multisenge_lib.tools import plan


def values(table):
    return dict(zip(table["what"], table["value"], strict=True))


def test_the_real_labels_at_full_scale(real_labels, monkeypatch):
    monkeypatch.setattr(import_module("multisenge_lib.tools.rehearsal"), "_STAND_INS", 2)
    table, splits = plan(real_labels)
    found = values(table)
    assert splits == {"train": 3369, "validation": 1911, "test": 610}
    assert found["rasters that are read"] == 5890 * 9
    assert found["steps an epoch, batches of 16"] == 210
    raw = 4 * (10 * 2 + 2 * 4) + 1  # bytes a pixel: four dates, two sensors, the reference
    assert found["packed store"] == pytest.approx(5890 * 256**2 * raw / 1e9, rel=0.01)
    assert (table.query("how == 'measured'")["value"] > 0).all()


def test_without_labels_the_committed_counts_are_planned():
    table, splits = plan(None)
    found = values(table)
    assert splits == {"train": 3369, "validation": 1911, "test": 610}
    assert found["patches with labels"] == 8157 and found["rasters that are read"] == 5890 * 9
    assert found["packed store"] == pytest.approx(5890 * 256**2 * 113 / 1e9, rel=0.01)
    assert "reading the labels" not in found and found["packing all"] > 0


def test_another_dataset_is_planned_by_its_description(tmp_path):
    for x in range(0, 320, 32):
        labels.write(tmp_path / "labels", f"19FDV_{x}_0", **labels.document(f"19FDV_{x}_0", s1=()))
    dataset = replace(
        MULTISENGE, name="valley", patch_pixels=32, split_of_tile={"19FDV": "train"},
        bands={"s2": MULTISENGE.bands["s2"]},
    )  # fmt: skip

    table, splits = plan(tmp_path / "labels", dataset)
    assert splits["train"] == 10 and values(table)["rasters that are read"] == 50
    with pytest.raises(SelectionError, match="0 patches selected"):
        plan(tmp_path / "labels", replace(dataset, months=(2,)))
