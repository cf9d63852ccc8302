"""The split by tile (Figure 4), or by blocks of ground where there are one or few tiles.

Neighbouring patches look alike. So a tile that is divided is laid out in squares of ground; each
square goes, by lot, to training, validation or test as a whole, and patches that lie too near to
another split are left out. A patch belongs to the square that its centre lies in.
"""

import warnings

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from multisenge_lib.dataset.grid import squares
from multisenge_lib.dataset.layout import BLOCKS, SPLITS, Blocks, Dataset
from multisenge_lib.errors import SelectionError

#: In the place of a split: too near to another one.
BUFFER_ZONE = ""
#: Who gives way: a training patch to both others, a validation patch to a test one.
_GIVES_WAY = (("train", ("validation", "test")), ("validation", ("test",)))


def _deal(patches: np.ndarray, blocks: Blocks) -> list[str]:
    """A split for each block of so many patches, by lot: one each, then to whom most is lacking."""
    if len(patches) < len(SPLITS):
        raise SelectionError(
            f"the patches lie in {len(patches)} blocks of {blocks.size} m, three splits need three "
            "or more: give a smaller size under [blocks]"
        )
    order = np.random.Generator(np.random.PCG64(blocks.seed)).permutation(len(patches))
    lacking = np.array(blocks.shares) / sum(blocks.shares) * patches.sum()
    dealt = [""] * len(patches)
    for turn, block in enumerate(order):
        split = turn if turn < len(SPLITS) else int(lacking.argmax())
        lacking[split] -= patches[block]
        dealt[block] = SPLITS[split]
    return dealt


def _by_blocks(ground: gpd.GeoSeries, blocks: Blocks) -> np.ndarray:
    centres = shapely.get_coordinates(ground.centroid.to_numpy())
    cells = np.floor(centres / blocks.size).astype(np.int64)
    _, of_patch, patches = np.unique(cells, axis=0, return_inverse=True, return_counts=True)
    return np.array(_deal(patches, blocks), dtype=object)[of_patch.ravel()]


def _keep_distance(split: np.ndarray, ground: np.ndarray, distance: float) -> np.ndarray:
    """The splits, with what lies nearer than a distance to another one left out.

    Squares that only touch share no pixel: half a metre is taken off each.
    """
    split, ground = split.copy(), shapely.buffer(ground, -0.5, join_style="mitre")
    for yields, others in _GIVES_WAY:
        mine, theirs = np.flatnonzero(split == yields), np.isin(split, others)
        near = shapely.STRtree(ground[theirs]).query(ground[mine], "dwithin", distance=distance)
        split[mine[near[0]]] = BUFFER_ZONE
    return split


def split_patches(table: pd.DataFrame, dataset: Dataset) -> pd.Series:
    """The split of each patch; `LEFT_OUT` where it lies too near to another one.

    Args:
        table: all patches of the dataset, with columns `tile`, `x`, `y`: the lots depend on them.
        dataset: its splits and blocks.

    Raises:
        SelectionError: there are too few blocks, or no patch is left in a split.
    """
    split = table["tile"].map(dataset.split_of)
    divided = (split == BLOCKS).to_numpy()
    if not divided.any():
        return split
    ground, split = squares(table, dataset.patch_pixels), split.to_numpy(dtype=object)
    split[divided] = _by_blocks(ground[divided], dataset.blocks)
    kept = _keep_distance(split, ground.to_numpy(), dataset.blocks.distance)
    if empty := [name for name in SPLITS if name in split and name not in kept]:
        raise SelectionError(
            f"blocks of {dataset.blocks.size} m that keep {dataset.blocks.distance} m leave no "
            f"patch for {empty[0]}: give a larger size or a smaller distance under [blocks]"
        )
    if left := int((kept == BUFFER_ZONE).sum()):
        warnings.warn(
            f"{left} of {len(kept)} patches lie within {dataset.blocks.distance} m of another "
            "split and are left out",
            stacklevel=2,
        )
    return pd.Series(kept, table.index)
