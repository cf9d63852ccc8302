"""The dataset as published: its names and constants, each once.

    labels/{tile}_{x}_{y}.json                    names of the patch's rasters, projection, classes
    ground_reference/{tile}_GR_{x}_{y}.tif        uint8, classes 1 to 14, 0 for no data
    s2/{tile}_{yyyymmdd}_S2_{x}_{y}.tif           ten bands, 16-bit, reflectance x 10,000
    s1/{tile}_{yyyymmdd}_S1_{x}_{y}.tif           VV and VH, float32, linear intensity

`x` is the column and `y` the row of the patch's upper-left pixel in its Sentinel-2 tile. Another
area in this layout is another `Dataset`.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib.resources import files
from pathlib import Path
from typing import Literal

import numpy as np

from multisenge_lib.dataset.typology import TYPOLOGIES, Typology
from multisenge_lib.errors import DescriptionError

#: Folders of the layout, below a data root.
LABELS, REFERENCE, S2, S1 = "labels", "ground_reference", "s2", "s1"
#: A file at the sample's data root: it tells the sample from everything else.
SAMPLE_MARKER = "sample.json"
#: The same while the sample is being written: its rasters are not all there.
UNFINISHED_SAMPLE = "unfinished-sample.json"
#: Metres a pixel, and pixels along a tile's side.
PIXEL, TILE_PIXELS = 10, 10_980
#: Pixels from one of MultiSenGE's patches to the next.
STRIDE = 257

_OFFSETS = "_(0|[1-9][0-9]{0,19})_(0|[1-9][0-9]{0,19})"
#: A label file's name: tile, column, row. A raster's: tile, date or none, column, row.
LABEL_NAME = re.compile(rf"([^_/]+){_OFFSETS}\.json")
RASTER_NAME = re.compile(rf"([^_/]+)_(?:GR|([0-9]{{8}})_S[12]){_OFFSETS}\.tif")

SPLITS = ("train", "validation", "test")
#: In the place of a tile's split: it is divided among the three by blocks of ground.
BLOCKS = "blocks"
SENSORS = ("s1", "s2")
_MULTISENGE = tomllib.loads(files(__package__).joinpath("multisenge.toml").read_text("utf-8"))
#: VV and VH; Sentinel-2's in spectral order, in which every array of this library keeps them.
S1_BANDS, S2_BANDS = (tuple(_MULTISENGE["bands"][sensor]) for sensor in SENSORS)

#: In a dataset's name before the digest of a selection that is not its own.
SELECTION_MARK = "+"

BandOrder = Literal["spectral", "resolution"]
#: The two orders in which the bands are said to be stored. The paper lists the 10 m bands first;
#: the per-band means in the authors' script can only be those of the spectral order.
BAND_ORDERS: dict[str, tuple[str, ...]] = {
    "spectral": S2_BANDS,
    "resolution": ("B2", "B3", "B4", "B8", "B5", "B6", "B7", "B8A", "B11", "B12"),
}

#: Linear backscatter below this counts as this, -50 dB: far under the sensor's noise.
BACKSCATTER_FLOOR = 1e-5


def decibel(s1: np.ndarray) -> np.ndarray:
    """Linear backscatter to decibels, never below -50; same shape."""
    return np.log(np.maximum(s1, BACKSCATTER_FLOOR)) * (10 / np.log(10).item())  # log10 is slower


@dataclass(frozen=True)
class Blocks:
    """A split by squares of ground, for one tile or a few; see `dataset.splits`.

    Attributes:
        size: metres along a block's side.
        distance: metres between patches of two splits, at least; patches nearer are left out.
        shares: of the patches, for train, validation and test.
        seed: of the blocks' lots.
    """

    size: int = 5120
    distance: int = 1280
    shares: tuple[float, float, float] = (0.6, 0.2, 0.2)
    seed: int = 1


@dataclass(frozen=True)
class Dataset:
    """What tells one dataset in this layout from another. Variants: `dataclasses.replace`.

    Attributes:
        name: of the folder of its records, `results/<name>/`.
        years: the years that acquisitions may be of; none for any.
        split_of_tile: `train`, `validation`, `test` or `blocks` of each tile; empty where any tile
            may come, all for training.
        months: one acquisition of each is a network's input; in the order of the series.
        days_gap: least days between two consecutive Sentinel-2 acquisitions.
        s1_rule: which Sentinel-1 acquisitions go with them, see `select`.
        patch_pixels: along a patch's side.
        blocks: how tiles of the split `blocks` are divided.
        bands: of each sensor that it has, in the order of the arrays.
        published: the classes of its reference, ungrouped.
        groupings: other classifications, each of whose classes gathers some of the published ones.
        showcase: patches to show.
        cities: longitude and latitude in degrees of places for maps.
    """

    name: str
    years: tuple[int, ...]
    split_of_tile: Mapping[str, str]
    months: tuple[int, ...]
    patch_pixels: int
    days_gap: int = 17
    s1_rule: str = "first"
    blocks: Blocks = Blocks()
    bands: Mapping[str, tuple[str, ...]] = field(
        default_factory=lambda: {"s1": S1_BANDS, "s2": S2_BANDS}
    )
    published: Typology = TYPOLOGIES["14c"]
    groupings: tuple[Typology, ...] = (TYPOLOGIES["10c"], TYPOLOGIES["6c"])
    showcase: tuple[str, ...] = ()
    cities: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    @property
    def tiles(self) -> tuple[str, ...]:
        """Names of its tiles; none where any may come."""
        return tuple(self.split_of_tile)

    @property
    def sensors(self) -> tuple[str, ...]:
        """Which of `s1` and `s2` it has."""
        return tuple(self.bands)

    @property
    def typologies(self) -> dict[str, Typology]:
        """All classifications by name: the reference's own classes first, then the groupings."""
        return {typology.name: typology for typology in (self.published, *self.groupings)}

    def __post_init__(self) -> None:
        """Refuse two classifications of one name: only one of them could be found by it."""
        # Names of records and runs are names of folders, where some systems ignore case.
        names = [typology.name.lower() for typology in (self.published, *self.groupings)]
        if len(set(names)) < len(names):
            raise DescriptionError(
                f"two classifications of {self.name} have the same name, among {', '.join(names)}: "
                "give each grouping a name of its own"
            )

    def split_of(self, tile: str) -> str:
        """`train`, `validation` or `test`; `blocks` where the tile is divided."""
        return self.split_of_tile.get(tile, "train")

    @property
    def split_rule(self) -> str:
        """How patches are split, in words."""
        b, rule = self.blocks, "by tile"
        if BLOCKS in self.split_of_tile.values():
            rule = f"by blocks of {b.size} m that keep {b.distance} m (seed {b.seed})"
        if SELECTION_MARK in self.name:
            tiles = ", ".join(f"{tile} {split}" for tile, split in self.split_of_tile.items())
            rule += f": {tiles}; Sentinel-1 dates: {self.s1_rule}"
        return rule


MULTISENGE = Dataset(
    name=_MULTISENGE["name"],
    years=tuple(_MULTISENGE["years"]),
    split_of_tile=_MULTISENGE["tiles"],
    months=tuple(_MULTISENGE["months"]),
    patch_pixels=_MULTISENGE["patch_pixels"],
    days_gap=_MULTISENGE["days_gap"],
    s1_rule=_MULTISENGE["s1_rule"],
    showcase=tuple(_MULTISENGE["showcase"]),
    cities={city: tuple(place) for city, place in _MULTISENGE["cities"].items()},
)
#: The small synthetic dataset that the library writes itself; its patches may be of another size.
#: Its figures show patches of its own: a city, a town and a village.
SAMPLE = replace(
    MULTISENGE,
    name="sample",
    patch_pixels=64,
    showcase=("31UEQ_4979_3180", "31UEQ_2923_5236", "31UEQ_1638_2923"),
)


def is_sample(name: str) -> bool:
    """Whether the dataset of this name is the sample, with whatever selection."""
    return name.partition(SELECTION_MARK)[0] == SAMPLE.name


def split_patch(patch: str) -> tuple[str, str, str]:
    """`31UEQ_7453_4112` to tile, column and row, as text."""
    tile, x, y = patch.split("_")
    return tile, x, y


def raster_path(root: Path | str, kind: str, patch: str, day: np.datetime64 | None = None) -> Path:
    """The path of a patch's raster in the published layout.

    Args:
        root: the data root.
        kind: `reference`, `s1` or `s2`.
        patch: such as `31UEQ_7453_4112`.
        day: the acquisition's date, for `s1` and `s2`.
    """
    tile, x, y = split_patch(patch)
    if kind == "reference":
        return Path(root) / REFERENCE / f"{tile}_GR_{x}_{y}.tif"
    yyyymmdd = str(day.astype("datetime64[D]")).replace("-", "")
    return Path(root) / kind / f"{tile}_{yyyymmdd}_{kind.upper()}_{x}_{y}.tif"
