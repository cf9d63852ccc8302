"""The splits: which patches are for training, validation and test.

MultiSenGE is split by tile (paper, Figure 4), so that a test patch never lies between training
patches. An area of your own may have one tile only. Such a tile is divided by blocks of ground:
squares of some kilometres, each of which goes to one split as a whole. A patch belongs to the block
that its centre lies in.

Neighbouring patches look alike. So patches that lie too near to another split are left out, as a
buffer zone between the splits.
"""

import warnings

import numpy as np
import pandas as pd
import shapely

from multisenge_lib.dataset.grid import squares
from multisenge_lib.dataset.layout import BLOCKS, SPLITS, Blocks, Dataset
from multisenge_lib.errors import SelectionError, counted

#: Takes the place of a split where a patch is too near to another split, and in none.
BUFFER_ZONE = ""
#: Near a split boundary, training patches are dropped before validation patches, and those before
#: test patches: a split, and the splits that it gives way to.
_GIVES_WAY = (("train", ("validation", "test")), ("validation", ("test",)))
#: Metres taken off each side of a patch, so that patches that only touch are not taken to overlap.
_TOUCHING = 0.5


def assign_blocks(patches_in_block: np.ndarray, blocks: Blocks) -> list[str]:
    """Assign blocks to splits at random.

    The first three blocks, in an order drawn by the seed, go to one split each, so that none is
    empty. Every other block goes to the split that is furthest below its share of the patches.

    Args:
        patches_in_block: `(blocks,)`, how many patches each block has.
        blocks: the shares and the seed.

    Returns:
        The split of each block.

    Raises:
        SelectionError: there are fewer blocks than splits.
    """
    if len(patches_in_block) < len(SPLITS):
        raise SelectionError(
            f"the patches lie in {counted(len(patches_in_block), 'block', 'blocks')} of "
            f"{blocks.size} m, three splits need three or more: give a smaller size under [blocks]"
        )
    random = np.random.Generator(np.random.PCG64(blocks.seed))
    order = random.permutation(len(patches_in_block))
    shares = np.array(blocks.shares) / sum(blocks.shares)
    missing_patches = shares * patches_in_block.sum()
    assigned = [""] * len(patches_in_block)
    for turn, block in enumerate(order):
        split = turn if turn < len(SPLITS) else int(missing_patches.argmax())
        missing_patches[split] -= patches_in_block[block]
        assigned[block] = SPLITS[split]
    return assigned


def _split_by_blocks(ground: np.ndarray, blocks: Blocks) -> np.ndarray:
    """The split of each patch, by the block in which its centre lies.

    Args:
        ground: the squares of the patches, in metres.
        blocks: how the ground is divided.
    """
    centres = shapely.get_coordinates(shapely.centroid(ground))
    block_positions = np.floor(centres / blocks.size).astype(np.int64)
    _, block_of_patch, patches_in_block = np.unique(
        block_positions, axis=0, return_inverse=True, return_counts=True
    )
    split_of_block = np.array(assign_blocks(patches_in_block, blocks), dtype=object)
    return split_of_block[block_of_patch.ravel()]


def _keep_distance(splits: np.ndarray, ground: np.ndarray, distance: float) -> np.ndarray:
    """The splits, with `BUFFER_ZONE` for patches nearer than a distance to another split."""
    separated = splits.copy()
    ground = shapely.buffer(ground, -_TOUCHING, join_style="mitre")
    for split, others in _GIVES_WAY:
        own = np.flatnonzero(separated == split)
        others_ground = ground[np.isin(separated, others)]
        pairs = shapely.STRtree(others_ground).query(ground[own], "dwithin", distance=distance)
        too_near = own[pairs[0]]
        separated[too_near] = BUFFER_ZONE
    return separated


def _check_none_is_empty(before: np.ndarray, after: np.ndarray, blocks: Blocks) -> None:
    for split in SPLITS:
        if split in before and split not in after:
            raise SelectionError(
                f"blocks of {blocks.size} m that keep {blocks.distance} m leave no patch for "
                f"{split}: give a larger size or a smaller distance under [blocks]"
            )


def split_patches(table: pd.DataFrame, dataset: Dataset) -> pd.Series:
    """Give each patch its split, by its tile or by blocks of ground.

    Args:
        table: all patches of the dataset, with columns `tile`, `x` and `y`. Not a part of them:
            which block goes to which split depends on all.
        dataset: its splits and blocks.

    Returns:
        `train`, `validation` or `test`; `BUFFER_ZONE` for a patch too near to another split.

    Raises:
        SelectionError: there are too few blocks, or no patch is left in a split.
    """
    by_tile = table["tile"].map(dataset.split_of)
    is_divided = (by_tile == BLOCKS).to_numpy()
    if not is_divided.any():
        return by_tile

    blocks = dataset.blocks
    ground = squares(table, dataset.patch_pixels).to_numpy()
    splits = by_tile.to_numpy(dtype=object)
    splits[is_divided] = _split_by_blocks(ground[is_divided], blocks)
    separated = _keep_distance(splits, ground, blocks.distance)
    _check_none_is_empty(splits, separated, blocks)
    in_buffer_zone = int((separated == BUFFER_ZONE).sum())
    if in_buffer_zone:
        warnings.warn(
            f"{in_buffer_zone} of {counted(len(separated), 'patch', 'patches')} left out, within "
            f"{blocks.distance} m of another split",
            stacklevel=2,
        )
    return pd.Series(separated, table.index)
