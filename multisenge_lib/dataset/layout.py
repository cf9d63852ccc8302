"""The dataset as it is published: folders, names of files, bands, and what tells datasets apart.

MultiSenGE cuts 14 Sentinel-2 tiles of north-eastern France into patches of 256 x 256 pixels of
10 m. A data root, the folder that holds the dataset, has four folders:

    labels/{tile}_{x}_{y}.json                    names of the patch's rasters, projection, classes
    ground_reference/{tile}_GR_{x}_{y}.tif        uint8, classes 1 to 14, 0 for no data
    s2/{tile}_{yyyymmdd}_S2_{x}_{y}.tif           ten bands, 16-bit, reflectance x 10,000
    s1/{tile}_{yyyymmdd}_S1_{x}_{y}.tif           VV and VH, float32, linear intensity

A patch is named by its tile and by the column `x` and the row `y` of its upper-left pixel in the
tile: `31UEQ_7453_4112`. It has one reference, and one raster for each date of each sensor.

This library uses three words throughout: a *dataset* is what a data root holds (`Dataset`), a
*patch* is one square of ground in it, and a *typology* is a set of classes (see `typology`).
Another area in this layout is another `Dataset`, see `description`.
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

# Folders of a data root. The folders of the sensors are named as the sensors.
#: Folder of the label files.
LABELS = "labels"
#: Folder of the reference rasters.
REFERENCE = "ground_reference"
#: The sensors: Sentinel-1 and Sentinel-2.
SENSORS = ("s1", "s2")

#: A file at the data root of the sample, which tells the sample from every other dataset.
SAMPLE_MARKER = "sample.json"
#: Its name while the sample is being written and its rasters are not all there.
UNFINISHED_SAMPLE = "unfinished-sample.json"

#: Metres along a pixel's side.
PIXEL = 10
#: Pixels along a tile's side.
TILE_PIXELS = 10_980
#: Pixels from one of MultiSenGE's patches to the next. Patches have 256, so one is left between.
PATCH_SPACING = 257
#: A patch's side is a multiple of this many pixels: the U-Net halves it five times.
SIZE_MULTIPLE = 32
#: Pixels along the side of the largest patch. A batch of such patches takes many times the memory
#: of the published ones, which have 256.
LARGEST_SIZE = 1024

# An offset has no leading zero, so that each patch has one name.
_OFFSETS = "_(0|[1-9][0-9]{0,19})_(0|[1-9][0-9]{0,19})"
#: The name of a label file; its groups are tile, column and row.
LABEL_NAME = re.compile(rf"([^_/]+){_OFFSETS}\.json")
#: The name of a raster; its groups are tile, date (None for a reference), column and row.
RASTER_NAME = re.compile(rf"([^_/]+)_(?:GR|([0-9]{{8}})_S[12]){_OFFSETS}\.tif")

SPLITS = ("train", "validation", "test")
#: Value that marks a tile as divided among the three splits by spatial blocks, see `splits`.
BLOCKS = "blocks"

_MULTISENGE = tomllib.loads(files(__package__).joinpath("multisenge.toml").read_text("utf-8"))
#: The bands of Sentinel-1: VV and VH.
S1_BANDS = tuple(_MULTISENGE["bands"]["s1"])
#: The bands of Sentinel-2 in spectral order, in which every array of this library keeps them.
S2_BANDS = tuple(_MULTISENGE["bands"]["s2"])

#: Separates a dataset's name from the digest of a changed selection: sample+1a2b3c4d.
SELECTION_MARK = "+"

#: Names of the rules that choose Sentinel-1 dates, see `select`: `first`, `nearest`, and `first2`
#: to `first9`, which take that many dates of each month.
S1_RULE_PATTERN = re.compile(r"first([2-9])?|nearest")


def s1_dates_per_month(s1_rule: str) -> int:
    """Return how many Sentinel-1 dates a rule of `S1_RULE_PATTERN` takes of each month."""
    match = S1_RULE_PATTERN.fullmatch(s1_rule)
    return int(match.group(1) or 1)


BandOrder = Literal["spectral", "resolution"]
#: Two orders in which the bands of the rasters may be stored. The paper lists the 10 m bands first,
#: but the means per band in the authors' script fit the spectral order alone.
BAND_ORDERS: dict[str, tuple[str, ...]] = {
    "spectral": S2_BANDS,
    "resolution": ("B2", "B3", "B4", "B8", "B5", "B6", "B7", "B8A", "B11", "B12"),
}

#: Least linear backscatter: lower values are raised to it before they become decibels, where 0
#: would be minus infinity. It is -50 dB, far below the noise of the sensor.
BACKSCATTER_FLOOR = 1e-5
# NumPy computes the natural logarithm several times faster than log10. As a Python number, the
# factor leaves arrays of single precision as they are.
_DECIBEL_PER_NEPER = 10 / np.log(10).item()


def decibel(s1: np.ndarray) -> np.ndarray:
    """Convert linear backscatter to decibels, never below -50; same shape."""
    return np.log(np.maximum(s1, BACKSCATTER_FLOOR)) * _DECIBEL_PER_NEPER


@dataclass(frozen=True)
class Blocks:
    """How a tile is divided among the splits, by squares of ground; see `splits`.

    Attributes:
        size: metres (not pixels) along a block's side.
        distance: least metres between patches of two splits; patches that lie nearer are left out.
        shares: shares of the patches for train, validation and test; in any unit.
        seed: seed of the draw that assigns blocks to splits.
    """

    size: int = 5120
    distance: int = 1280
    shares: tuple[float, float, float] = (0.6, 0.2, 0.2)
    seed: int = 1


@dataclass(frozen=True)
class Dataset:
    """One dataset in this layout: its name, tiles, months, bands and classes.

    It does not change. For a variant, use `dataclasses.replace`.

    Attributes:
        name: the dataset's name, and that of the folder of its records, `results/<name>/`.
        years: years of the acquisitions; empty for any.
        split_of_tile: for each tile `train`, `validation`, `test` or `blocks`. Empty where any tile
            may occur; all are then for training.
        months: one acquisition of each is an input of the networks; in the order of the series.
        patch_pixels: pixels along a patch's side.
        days_gap: least days between two consecutive Sentinel-2 acquisitions of a series.
        s1_rule: which Sentinel-1 acquisitions go with them, see `select`.
        blocks: how tiles marked `blocks` are divided.
        bands: names of the bands of each sensor that the dataset has, in the order of the arrays.
        reference_classes: the classes of its reference, ungrouped.
        groupings: other classifications, each of whose classes gathers some of the reference's.
        showcase: names of patches that figures show.
        cities: longitude and latitude, in degrees, of places on maps.
    """

    name: str
    years: tuple[int, ...]
    split_of_tile: Mapping[str, str]
    months: tuple[int, ...]
    patch_pixels: int
    days_gap: int = _MULTISENGE["days_gap"]
    s1_rule: str = "first"
    blocks: Blocks = Blocks()
    bands: Mapping[str, tuple[str, ...]] = field(
        default_factory=lambda: {"s1": S1_BANDS, "s2": S2_BANDS}
    )
    reference_classes: Typology = TYPOLOGIES["14c"]
    groupings: tuple[Typology, ...] = (TYPOLOGIES["10c"], TYPOLOGIES["6c"])
    showcase: tuple[str, ...] = ()
    cities: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    @property
    def tiles(self) -> tuple[str, ...]:
        """Names of its tiles; empty where any tile may occur."""
        return tuple(self.split_of_tile)

    @property
    def sensors(self) -> tuple[str, ...]:
        """The sensors that it has, of `s1` and `s2`."""
        return tuple(self.bands)

    @property
    def s1_per_month(self) -> int:
        """How many Sentinel-1 dates of each month are inputs of the networks.

        Without Sentinel-2 the rule does not apply: Sentinel-1 then has one date of each month.
        """
        if "s2" not in self.bands:
            return 1
        return s1_dates_per_month(self.s1_rule)

    @property
    def typologies(self) -> dict[str, Typology]:
        """All classifications by name: the reference's own classes first, then the groupings."""
        return {typology.name: typology for typology in (self.reference_classes, *self.groupings)}

    def __post_init__(self) -> None:
        """Refuse classifications that the names of experiments could not distinguish."""
        # Names of records and runs are names of folders, where some systems ignore case.
        names = [typology.name.lower() for typology in (self.reference_classes, *self.groupings)]
        if len(set(names)) < len(names):
            raise DescriptionError(
                f"two classifications of {self.name} have the same name, among {', '.join(names)}: "
                "give each grouping a name of its own"
            )
        # `utae_s2_10c` is U-TAE with Sentinel-2 and the classes `10c`, not with classes `s2_10c`.
        for name in names:
            if name.partition("_")[0] in ("s1", "s2"):
                raise DescriptionError(
                    f"the classification {name} of {self.name} begins with the name of a sensor, "
                    f"so the experiment utae_{name} would be two: give it another name"
                )

    def split_of(self, tile: str) -> str:
        """The split of a tile: `train`, `validation` or `test`, or `blocks` if it is divided.

        Where the dataset names no tiles, any tile may occur, and all are for training. Where it
        names some, label files of other tiles are refused when they are read (see `labels`).
        """
        return self.split_of_tile.get(tile, "train")

    @property
    def split_rule(self) -> str:
        """How patches are split, in words, for records.

        With a changed selection, the words also name the tiles and the rule of Sentinel-1's dates.
        """
        rule = "by tile"
        if BLOCKS in self.split_of_tile.values():
            blocks = self.blocks
            rule = (
                f"by blocks of {blocks.size} m that keep {blocks.distance} m (seed {blocks.seed})"
            )
        if SELECTION_MARK in self.name:
            tiles = ", ".join(f"{tile} {split}" for tile, split in self.split_of_tile.items())
            rule += f": {tiles}; Sentinel-1 dates: {self.s1_rule}"
        return rule


#: The published dataset, as `multisenge.toml` describes it.
MULTISENGE = Dataset(
    name=_MULTISENGE["name"],
    years=tuple(_MULTISENGE["years"]),
    split_of_tile=_MULTISENGE["tiles"],
    months=tuple(_MULTISENGE["months"]),
    patch_pixels=_MULTISENGE["patch_pixels"],
    days_gap=_MULTISENGE["days_gap"],
    s1_rule=_MULTISENGE["s1_rule"],
    showcase=tuple(_MULTISENGE["showcase"]),
    cities={city: tuple(lon_lat) for city, lon_lat in _MULTISENGE["cities"].items()},
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
    """Whether a dataset of this name is the sample, with its own or another selection."""
    return name.partition(SELECTION_MARK)[0] == SAMPLE.name


def parse_patch_name(patch: str) -> tuple[str, str, str]:
    """Split the name of a patch, such as `31UEQ_7453_4112`, into tile, column and row, as text."""
    tile, x, y = patch.split("_")
    return tile, x, y


def raster_path(root: Path | str, kind: str, patch: str, day: np.datetime64 | None = None) -> Path:
    """Return the path of a patch's raster in the published layout.

    Args:
        root: the data root.
        kind: `reference`, `s1` or `s2`.
        patch: a patch's name, such as `31UEQ_7453_4112`.
        day: the acquisition's date, for `s1` and `s2`.
    """
    tile, x, y = parse_patch_name(patch)
    if kind == "reference":
        return Path(root) / REFERENCE / f"{tile}_GR_{x}_{y}.tif"
    yyyymmdd = str(day.astype("datetime64[D]")).replace("-", "")
    return Path(root) / kind / f"{tile}_{yyyymmdd}_{kind.upper()}_{x}_{y}.tif"
