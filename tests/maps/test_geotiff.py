"""A map of random probabilities, which nothing compresses; on disks that fill up at the end."""

from collections import namedtuple

import numpy as np
import pytest
import rasterio
from rasterio._err import CPLE_AppDefinedError
from rasterio.transform import from_origin

from multisenge_lib.errors import FileError
from multisenge_lib.maps import geotiff, open_map

SIDE, CLASSES = 1100, 3
GROUND = {
    "height": SIDE,
    "width": SIDE,
    "crs": "EPSG:32631",
    "transform": from_origin(5e5, 5.5e6, 10, 10),
}
LEGEND = [("Built", "#a50026"), ("Open", "#ffef9f"), ("Water", "#2b83ba")]
VALUES = np.random.default_rng(0).random((SIDE, SIDE, CLASSES), dtype=np.float32)
EVERYWHERE = np.ones((SIDE, SIDE), bool)


def write(path, layers=()):
    """Write what is not on disk; whether there was anything to write."""
    with open_map(path, GROUND, LEGEND, "a run", layers) as target:
        if new := target is not None and not target.done:
            target.write(0, 0, VALUES, EVERYWHERE, 1)
        return new


def cut_short(copy):
    """As GDAL does in a narrow window: the last bytes do not fit, and it says nothing."""

    def copied(source, whole, **options):
        copy(source, whole, **options)
        whole.write_bytes(whole.read_bytes()[:-5000])

    return copied


def zeroed(copy):
    """All is there to be read, and a block is not what was written."""

    def copied(source, whole, **options):
        copy(source, whole, **options)
        with rasterio.open(whole, "r+", IGNORE_COG_LAYOUT_BREAK="YES") as target:
            block = rasterio.windows.Window(600, 600, 100, 100)
            target.write(np.zeros((target.count, 100, 100), np.uint8), window=block)

    return copied


def refused(copy):
    def copied(*_, **options):
        raise CPLE_AppDefinedError(3, 1, "TIFFAppendToStrip:Seek error")

    return copied


@pytest.mark.fault("predict: the disk fills up at the last copy -> one line; the next run ends it")
@pytest.mark.parametrize(
    ("harm", "why"),
    [(cut_short, "Read failed"), (zeroed, "its copy differs"), (refused, "Seek error")],
)
def test_a_map_is_moved_into_place_whole_or_not_at_all(tmp_path, monkeypatch, harm, why):
    good, path = tmp_path / "good.tif", tmp_path / "map.tif"
    write(good)
    with monkeypatch.context() as patch:
        patch.setattr(rasterio.shutil, "copy", harm(rasterio.shutil.copy))
        with pytest.raises(
            FileError, match=rf"map\.tif .*{why}.*: make room, and the next run goes"
        ):
            write(path)
    assert not path.exists()
    assert not write(path)  # from what is done
    assert path.read_bytes() == good.read_bytes()


@pytest.mark.fault("predict: room for the map but not for its copy too -> said before anything")
def test_the_room_that_is_asked_for_is_enough(tmp_path, monkeypatch):
    path, layers = tmp_path / "map.tif", ("probabilities", "entropy")
    write(path, layers)
    copies = sum(geotiff.layer_path(path, layer).stat().st_size for layer in ("classes", *layers))
    taken = copies + (1 + CLASSES + 1) * SIDE**2
    usage = namedtuple("Usage", "free")(taken)
    monkeypatch.setattr(geotiff.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(FileError, match="has no room for 16 MB"):
        write(tmp_path / "other.tif", layers)
