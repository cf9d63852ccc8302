from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import shapely

from multisenge_lib.dataset import splits
from multisenge_lib.dataset.grid import squares
from multisenge_lib.dataset.layout import MULTISENGE, Blocks
from multisenge_lib.dataset.splits import BUFFER_ZONE, split_patches
from multisenge_lib.errors import SelectionError

GRID = [(x, y) for x in range(0, 32 * 20, 32) for y in range(0, 32 * 20, 32)]
#: A grid of 20 x 20 patches of 32 pixels on one tile, and their neighbours on the tile beside.
TABLE = pd.DataFrame(
    [("31UFS", x + 9984, y) for x, y in GRID] + [("31UGS", x, y) for x, y in GRID],
    columns=["tile", "x", "y"],
)
DATASET = replace(
    MULTISENGE,
    split_of_tile={"31UFS": "blocks", "31UGS": "blocks"},
    patch_pixels=32,
    blocks=Blocks(size=1280, distance=320),
)


def split(dataset=DATASET, table=TABLE):
    with pytest.warns(UserWarning, match="left out, within"):
        return split_patches(table, dataset)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_splits_share_no_pixel_and_keep_their_distance(seed):
    splits = split(replace(DATASET, blocks=replace(DATASET.blocks, seed=seed)))
    ground = squares(TABLE, 32)
    by_split = {name: shapely.union_all(ground[splits == name]) for name in ("train", "validation")}
    test = shapely.union_all(ground[splits == "test"])
    assert shapely.distance(by_split["train"], by_split["validation"]) >= 319
    assert all(shapely.distance(area, test) >= 319 for area in by_split.values())
    shares = splits[splits != BUFFER_ZONE].value_counts(normalize=True)
    assert shares["train"] > 0.4 and shares["test"] > 0.1 and shares["validation"] > 0.1


def test_training_gives_way_to_validation_and_both_to_test():
    # Patches of 320 m side by side, from west to east.
    row = np.array([shapely.box(320 * i, 0, 320 * i + 320, 320) for i in range(8)])
    before = ["test", "validation", "validation", "train", "train", "test", "train", "validation"]
    separated = splits._keep_distance(np.array(before, dtype=object), row, distance=320)
    after = ["test", BUFFER_ZONE, "validation", BUFFER_ZONE, BUFFER_ZONE, "test", BUFFER_ZONE]
    assert separated.tolist() == [*after, "validation"]


def test_the_same_ground_on_two_tiles_is_in_one_split():
    table = pd.DataFrame({"tile": ["31UFS", "31UGS"], "x": [10_500, 500], "y": [0, 0]})
    table = pd.concat([TABLE, table], ignore_index=True)  # 10,000 columns apart: the same ground
    splits = split(table=table)
    assert splits.iloc[-1] == splits.iloc[-2]


def test_the_lots_are_the_same_each_time_and_others_with_another_seed():
    pd.testing.assert_series_equal(split(), split())
    assert (split() != split(replace(DATASET, blocks=Blocks(1280, 320, seed=9)))).any()


def test_patches_side_by_side_keep_a_distance_of_none():
    none = replace(DATASET, blocks=Blocks(size=1280, distance=0), split_of_tile={"31UFS": "blocks"})
    splits = split_patches(TABLE[TABLE["tile"] == "31UFS"], none)
    assert set(splits) == {"train", "validation", "test"}
    assert splits.index.equals(TABLE.index[TABLE["tile"] == "31UFS"])


def test_a_tile_with_a_split_keeps_it():
    table = TABLE.assign(x=TABLE["x"] % 9984)  # the two tiles far apart
    tiles = {"31UFS": "blocks", "31UGS": "test"}
    splits = split(replace(DATASET, split_of_tile=tiles), table)
    assert set(splits[table["tile"] == "31UGS"]) == {"test"}
    assert set(splits[table["tile"] == "31UFS"]) == {"train", "validation", "test", BUFFER_ZONE}


def test_too_few_blocks_and_too_great_a_distance_are_refused():
    with pytest.raises(SelectionError, match="1 block of 1000000 m, three splits need"):
        split_patches(TABLE, replace(DATASET, blocks=Blocks(size=1_000_000)))
    with pytest.raises(SelectionError, match="leave no patch for train"):
        split_patches(TABLE, replace(DATASET, blocks=Blocks(size=1280, distance=50_000)))


def test_without_blocks_the_split_is_the_tiles():
    table = pd.DataFrame({"tile": ["31UEQ", "31UFP", "32ULV"]})
    assert split_patches(table, MULTISENGE).tolist() == ["test", "validation", "train"]
    assert np.all(MULTISENGE.split_rule == "by tile")
