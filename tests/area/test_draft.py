import numpy as np
import pytest

from multisenge_lib.area.draft import draft_dataset
from multisenge_lib.dataset import Blocks, make_typology

BANDS = {"s2": ["B2", "B3", "B4"], "s1": ["VV"]}


def draft(patches=1, name="valley", size=64, series=None, **options):
    days = np.array(["2021-07-15", "2021-08-16"], "datetime64[D]")
    series = series or {f"31UFS_{64 * i}_0": {"s1": days, "s2": days} for i in range(patches)}
    return draft_dataset(name, series, size, BANDS, **options)


def test_a_draft_says_what_the_files_hold():
    dataset = draft(patches=3)
    assert dataset.years == (2021,)
    assert dataset.months == (7, 8)
    assert dataset.split_of_tile == {"31UFS": "blocks"}
    assert dataset.bands == {"s1": ("VV",), "s2": ("B2", "B3", "B4")}
    assert list(dataset.typologies) == ["14c", "10c", "6c"]


def test_months_are_those_of_half_of_the_patches_and_of_one_year():
    july, august, next_july = np.array(["2021-07-15", "2021-08-16", "2022-07-15"], "datetime64[D]")
    dates = {
        "31UFS_0_0": {"s2": [july, august, next_july]},
        "31UFS_64_0": {"s2": [july, next_july]},
        "31UFS_128_0": {"s2": [july, next_july]},
    }
    assert draft_dataset("valley", dates, 64, {"s2": ["B2"]}).months == (7,)


@pytest.mark.fault("one sensor sees far more ground -> the months of the patches that have both")
def test_patches_of_one_sensor_have_no_say_in_the_months():
    may, july, august = np.array(["2021-05-15", "2021-07-15", "2021-08-16"], "datetime64[D]")
    dates = {f"31UFS_{64 * i}_0": {"s1": [may, august], "s2": []} for i in range(8)}
    dates["31UFS_0_64"] = {"s1": [july], "s2": [july]}
    assert draft(series=dates).months == (7,)
    dates["31UFS_0_64"]["s1"] = []  # now no patch has both
    assert draft(series=dates).months == (7,)


@pytest.mark.parametrize(
    ("patches", "size", "distance"),
    [(12, 640, 0), (12 * 16, 2560, 640), (12 * 100, Blocks.size, Blocks.distance)],
)
def test_blocks_are_as_large_as_a_dozen_can_be(patches, size, distance):
    blocks = draft(patches=patches).blocks
    assert (blocks.size, blocks.distance) == (size, distance)


def test_what_cannot_be_learned_is_for_test():
    assert draft(patches=2).split_of_tile == {"31UFS": "test"}
    assert draft(patches=9, learn=False).split_of_tile == {"31UFS": "test"}


@pytest.mark.parametrize(
    ("folder", "name"), [("Meine Fläche!", "Meine-Fl-che"), ("sample", "my-sample"), ("§", "area")]
)
def test_a_name_is_made_from_any_folder(folder, name):
    assert draft(name=folder).name == name


def test_own_classes_have_no_groupings():
    classes = make_typology([("a", "#000000", (1,)), ("b", "#ffffff", (2,))])
    assert list(draft(reference_classes=classes).typologies) == ["2c"]
