"""Label files made by hand, right ones and wrong ones, for the tests of the index."""

import json
from pathlib import Path

from pyproj import CRS

from multisenge_lib.dataset import tile_corner
from multisenge_lib.errors import MultiSenGEError


def _projection(tile: str) -> str:
    try:
        return CRS.from_epsg(tile_corner(tile)[2]).to_wkt("WKT1_GDAL")
    except MultiSenGEError:  # tiles that are none
        return ""


def document(patch: str, s2=("20200715", "20200805", "20200910", "20201105"), s1=None) -> dict:
    """The four keys of a right label file."""
    tile, x, y = patch.split("_")
    s1 = ("20200703", "20200804", "20200903", "20201102") if s1 is None else s1
    names = {
        sensor: ";".join(f"{tile}_{day}_{sensor}_{x}_{y}.tif" for day in days)
        for sensor, days in (("S1", s1), ("S2", s2))
    }
    return {
        "corresponding_s2": names["S2"],
        "corresponding_s1": names["S1"],
        "projection": _projection(tile),
        "labels": "6;9;2",
    }


def write(folder: Path, patch: str, **changes) -> Path:
    """Write a label file; a change to None removes the key."""
    content = document(patch) | changes
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{patch}.json"
    path.write_text(json.dumps({k: v for k, v in content.items() if v is not None}))
    return path
