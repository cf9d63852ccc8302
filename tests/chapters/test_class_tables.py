"""What the book's page says about the sample."""

import numpy as np
import pytest

from multisenge_lib.chapters import class_tables
from multisenge_lib.dataset import MULTISENGE, read_patch
from multisenge_lib.dataset.selection import load_selection
from multisenge_lib.sample.themes import CROPS


@pytest.fixture(scope="module")
def shares(sample_root):
    return class_tables.measure_shares(sample_root)


def test_every_class_is_described():
    table = class_tables.describe_classes()
    assert list(table.index) == list(range(1, 15))
    assert list(table["class"]) == list(MULTISENGE.reference_classes.names)
    assert (table["made of"].str.len() > 20).all()


def test_crops_are_those_of_arable_land():
    table = class_tables.describe_crops()
    assert list(table.index) == list(CROPS["arable"])
    assert table["share"].sum() == pytest.approx(1)
    assert table.loc["maize", "July"] > 0.8 > table.loc["maize", "September"]


def test_shares_add_up_to_all_pixels(shares, sample_root):
    assert shares["share"].sum() == pytest.approx(1)
    patches = load_selection(sample_root)["split"].value_counts()
    assert (shares[patches.index] <= patches).all(axis=None)


@pytest.mark.parametrize("land_class", [1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 14])
def test_no_class_rests_on_three_patches(shares, land_class):
    """All ten classes of the paper, and vineyards and orchards each."""
    assert shares.loc[land_class, "test"] >= 8
    assert shares.loc[land_class, "validation"] >= 7
    assert shares.loc[land_class, "train"] >= 8


def test_class_shares_are_in_the_order_of_table_2(shares):
    share = shares["share"]
    for order in ((6, 11, 9, 7, 8, 10, 12), (2, 3, 5, 1, 4), (14, 13)):
        assert (np.diff(share[list(order)]) < 0).all()
    assert share[6] == pytest.approx(0.387, abs=0.08)
    assert share[[1, 2, 3, 4, 5]].sum() < 3 * 0.0753


def test_spectra_are_those_of_the_images(sample_root, monkeypatch):
    """Of one patch, by hand."""
    selection = load_selection(sample_root).iloc[:1]
    monkeypatch.setattr(class_tables, "load_selection", lambda *_, **__: selection)
    table = class_tables.measure_spectra(sample_root)
    patch = read_patch(sample_root, selection.iloc[0])
    inside = patch.reference == 6
    red_in_september = patch.s2[2][inside][:, 2]
    assert table.loc[(6, 9, "mean"), "B4"] == pytest.approx(red_in_september.mean())
    assert table.loc[(6, 9, "std"), "B4"] == pytest.approx(red_in_september.std())
    vv_in_july = 10 * np.log10(patch.s1[0][inside][:, 0].astype(float))
    assert table.loc[(6, 7, "mean"), "VV"] == pytest.approx(vv_in_july.mean())


def test_an_example_shows_its_class(sample_root):
    examples = class_tables.example_patches(sample_root)
    rows = load_selection(sample_root).set_index("patch", drop=False)
    for land_class, patch in examples.items():
        assert rows.loc[patch, "split"] == "test"
        assert land_class in read_patch(sample_root, rows.loc[patch], ("s2",)).reference
    assert set(range(1, 15)) == set(examples)
