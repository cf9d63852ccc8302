"""The dataset as published: its names and constants, each once.

    labels/{tile}_{x}_{y}.json                    names of the patch's rasters, projection, classes
    ground_reference/{tile}_GR_{x}_{y}.tif        uint8, classes 1 to 14, 0 for no data
    s2/{tile}_{yyyymmdd}_S2_{x}_{y}.tif           ten bands, 16-bit, reflectance x 10,000
    s1/{tile}_{yyyymmdd}_S1_{x}_{y}.tif           VV and VH, float32, linear intensity

`x` is the column and `y` the row of the patch's upper-left pixel in its Sentinel-2 tile.
"""

from pathlib import Path
from typing import Literal

import numpy as np

#: Folders of the published layout, below a data root.
LABELS, REFERENCE, S2, S1 = "labels", "ground_reference", "s2", "s1"
#: A file at the sample's data root: it tells the sample from the published dataset.
SAMPLE_MARKER = "sample.json"
DATASETS = ("sample", "multisenge")

#: The split of each tile (section 2.2). The paper's list of training tiles leaves out 32ULV, which
#: its count of 3369 patches needs.
# fmt: off
SPLIT_OF_TILE = {
    "31TFN": "train", "31UEP": "train", "31UEQ": "test", "31UER": "train", "31UFP": "validation",
    "31UFQ": "train", "31UFR": "train", "31UGP": "validation", "31UGQ": "train", "32TLT": "train",
    "32ULU": "train", "32ULV": "train", "32UMU": "train", "32UMV": "train",
}
# fmt: on
TILES = tuple(SPLIT_OF_TILE)
SPLITS = ("train", "validation", "test")
YEAR = 2020
#: July, August, September and November, and 17 days (section 2.2).
MONTHS, DAYS_GAP = (7, 8, 9, 11), 17
#: Metres a pixel, pixels along a tile's side, pixels along a published patch's side.
PIXEL, TILE_PIXELS, PATCH_PIXELS = 10, 10_980, 256
#: The test patches of the paper's Figures 8 and 9.
SHOWCASE = ("31UEQ_7453_4112", "31UEQ_6939_6682", "31UEQ_3855_8481")

#: Longitude and latitude in degrees of the region's larger cities.
CITIES = {
    "Reims": (4.032, 49.258),
    "Strasbourg": (7.752, 48.573),
    "Metz": (6.176, 49.119),
    "Nancy": (6.184, 48.692),
    "Mulhouse": (7.339, 47.750),
    "Troyes": (4.074, 48.297),
    "Charleville-Mézières": (4.720, 49.773),
}

SENSORS = ("s1", "s2")
S1_BANDS = ("VV", "VH")
#: Sentinel-2 bands in spectral order, in which every array of this library keeps them.
S2_BANDS = ("B2", "B3", "B4", "B5", "B6", "B7", "B8", "B8A", "B11", "B12")
BANDS = {"s1": S1_BANDS, "s2": S2_BANDS}

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
    return 10 * np.log10(np.maximum(s1, BACKSCATTER_FLOOR))


def split_of(tile: str) -> str:
    """`train`, `validation` or `test` (Figure 4)."""
    return SPLIT_OF_TILE.get(tile, "train")


def dataset_of(root: Path | str) -> str:
    """`sample` for a data root that the library wrote itself, else `multisenge`."""
    return "sample" if (Path(root) / SAMPLE_MARKER).is_file() else "multisenge"


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
