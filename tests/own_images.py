"""Images of another place, year and size, as a user may have them, written by the tests."""

import numpy as np
import pytest
import rasterio
from rasterio.transform import Affine

from multisenge_lib.area import import_area
from multisenge_lib.dataset import S2_BANDS
from multisenge_lib.errors import MultiSenGEError

#: Vegetation, in spectral order.
GREEN = np.array([300, 500, 400, 900, 2000, 2600, 2800, 2900, 1800, 900])
#: Near Bariloche, 117 x 150 pixels, upper-left corner.
WEST = 291_000
NORTH = 5_440_000
HEIGHT = 117
WIDTH = 150
#: Degrees on another planet, from which no way leads to the earth.
MOON = (
    'GEOGCS["Moon 2000",DATUM["D_Moon_2000",SPHEROID["Moon_2000_IAU_IAG",1737400,0]],'
    'PRIMEM["Reference_Meridian",0],UNIT["Degree",0.0174532925199433]]'
)
DAYS = ("20221203", "20230105", "20230202", "20230310")


def write(
    path,
    data,
    names=(),
    west=WEST,
    north=NORTH,
    res=10.0,
    crs="EPSG:32719",
    driver="GTiff",
    **options,
):
    path.parent.mkdir(parents=True, exist_ok=True)
    shape = dict(count=len(data), height=data.shape[1], width=data.shape[2], dtype=data.dtype)
    place = Affine(res, 0, west, 0, -res, north)
    with rasterio.open(path, "w", driver, crs=crs, transform=place, **shape, **options) as target:
        target.write(data)
        if names:
            target.descriptions = names
    return path


def scene(seed=0, height=HEIGHT, width=WIDTH):
    rng = np.random.Generator(np.random.PCG64(seed))
    light = rng.uniform(0.7, 1.3, (1, height, width))
    return (GREEN[:, None, None] * light).astype(np.uint16)


def radar(seed=0, height=HEIGHT, width=WIDTH):
    rng = np.random.Generator(np.random.PCG64(seed))
    return (rng.gamma(4, 0.02, (2, height, width)) * [[[1]], [[0.2]]]).astype(np.float32)


def write_bands(folder, name, data=None, bands=S2_BANDS, **options):
    """A raster for each band; `name` holds the band as `{}`."""
    data = scene() if data is None else data
    for band, pixels in zip(bands, data, strict=True):
        write(folder / name.format(band), pixels[None], **options)
    return folder


def refused(tmp_path, *arguments, **options):
    """The message with which an import is refused: one line, and nothing is left."""
    with pytest.raises(MultiSenGEError) as caught:
        import_area(tmp_path / "root", *arguments, **({"size": 32} | options))
    message = str(caught.value)
    assert "\n" not in message
    assert not (tmp_path / "root").exists()
    assert not list(tmp_path.glob(".root*"))
    return message


def pixel_of(root, layer, day, row=0, column=0):
    """All bands of one pixel of the patch in the north-west, as written."""
    paths = (root / layer).glob(f"*_{day}_*.tif")
    first = min(paths, key=lambda path: [int(part) for part in path.stem.split("_")[:-3:-1]])
    with rasterio.open(first) as raster:
        return raster.read()[:, row, column]
