"""A map written step by step: interrupted at any moment, it goes on to the same bytes.

Out come Cloud-Optimised GeoTIFFs of class ids, and on request of probabilities and entropy, with
class names, colours and no data; beside the ids a QGIS style and a picture to look at.
"""

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import matplotlib.image
import numpy as np
import rasterio
import rasterio.shutil
from matplotlib.colors import to_rgb
from rasterio.enums import Resampling
from rasterio.errors import RasterioError
from rasterio.windows import Window

from multisenge_lib import files
from multisenge_lib.dataset import NO_DATA
from multisenge_lib.errors import FileError

#: Probabilities and entropy, 0 to 1, are stored as whole numbers of this; 255 is no data.
SCALE, _NOTHING = 1 / 250, 255
#: Pixels along the longer side of the picture, at most.
_PREVIEW = 1024
_IDENTITY = "MULTISENGE_MAP"
#: Bytes a pixel and band, at most: as written, its copy with overviews, and these while it is made.
_ROOM = 1 + 4 / 3 + 1 / 3
Legend = Sequence[tuple[str, str]]
_REMEDY = "make room, and the next run goes on from what is done; or choose another place"


def entropy(probabilities: np.ndarray) -> np.ndarray:
    """Doubt of each pixel, `(..., classes)` to `(...)`: 0 for one class alone, 1 for all alike."""
    p = np.maximum(probabilities, 1e-12)
    return -(p * np.log(p)).sum(axis=-1) / np.log(p.shape[-1])


class MapWriter:
    """The layers of one map; see `open_map`.

    Attributes:
        done: how many steps are on disk.
    """

    def __init__(self, folder: Path, layers: Sequence[str]):
        self._folder, self._layers = folder, layers
        self._progress = folder / "progress.json"
        self.done: int = json.loads(self._progress.read_text())["done"]

    def write(
        self, row: int, column: int, probabilities: np.ndarray, valid: np.ndarray, done: int
    ) -> None:
        """Write one part of the map, then note that so many steps are on disk.

        Args:
            row: of the part's upper-left pixel.
            column: of the same.
            probabilities: `(height, width, classes) float32`, 0 to 1.
            valid: `(height, width) bool`; elsewhere the map has no data.
            done: steps that are on disk with this one.
        """
        for name in self._layers:
            values = _LAYERS[name](probabilities)
            values[:, ~valid] = NO_DATA if name == "classes" else _NOTHING
            window = Window(column, row, *values.shape[:0:-1])
            with rasterio.open(self._folder / f"{name}.tif", "r+") as target:
                target.write(values, window=window)
        files.write_text(self._progress, json.dumps({"done": done}))
        self.done = done


#: From `(height, width, classes)` probabilities to `(bands, height, width) uint8`.
_LAYERS = {
    "classes": lambda p: (p.argmax(axis=-1) + 1).astype(np.uint8)[None],
    "probabilities": lambda p: np.rint(np.moveaxis(p, -1, 0) / SCALE).astype(np.uint8),
    "entropy": lambda p: np.rint(entropy(p)[None] / SCALE).astype(np.uint8),
}


def _rgb(color: str) -> tuple[int, ...]:
    return tuple(round(255 * part) for part in to_rgb(color))


def _begin(
    folder: Path, layers: Sequence[str], ground: Mapping[str, Any], legend: Legend, identity: str
) -> None:
    """Make the uncompressed layers, which GDAL fills with no data."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    bands = {name: len(legend) if name == "probabilities" else 1 for name in layers}
    needed = _ROOM * sum(bands.values()) * ground["height"] * ground["width"]
    if shutil.disk_usage(folder).free < needed:
        raise FileError(
            f"{folder} has no room for {needed / 1e6:,.0f} MB: make room, or choose another place"
        )
    for name, count in bands.items():
        profile = {"driver": "GTiff", "dtype": "uint8", "count": count, "interleave": "band"}
        profile |= {"nodata": NO_DATA if name == "classes" else _NOTHING, "bigtiff": "if_safer"}
        with rasterio.open(folder / f"{name}.tif", "w", **profile, **ground) as target:
            target.update_tags(**{_IDENTITY: identity})
            if name == "classes":
                rgb = {i: _rgb(color) for i, (_, color) in enumerate(legend, 1)}
                target.write_colormap(1, {0: (0, 0, 0, 0)} | rgb)
                target.update_tags(1, **{f"CLASS_{i}": n for i, (n, _) in enumerate(legend, 1)})
            else:
                target.scales = (SCALE,) * count
                target.descriptions = [n for n, _ in legend] if count > 1 else [name]
    files.write_text(folder / "progress.json", json.dumps({"done": 0}))


def _identity_of(path: Path) -> str | None:
    """Of which run a map is, or None where there is none to be read."""
    try:
        with rasterio.open(path) as source:
            return source.tags().get(_IDENTITY)
    except RasterioError:
        return None


def _attributes(legend: Legend) -> str:
    """GDAL's side file: category names, and a raster attribute table."""
    fields = (("Value", 0, 5), ("Class", 2, 2), ("Red", 0, 6), ("Green", 0, 7), ("Blue", 0, 8))
    defined = "".join(
        f'<FieldDefn index="{i}"><Name>{name}</Name><Type>{kind}</Type><Usage>{usage}</Usage>'
        "</FieldDefn>"
        for i, (name, kind, usage) in enumerate(fields)
    )
    rows = [(i, name, *_rgb(color)) for i, (name, color) in enumerate(legend, 1)]
    rows.insert(0, (0, "No data", 0, 0, 0))
    categories = "".join(f"<Category>{escape(row[1])}</Category>" for row in rows)
    table = "".join(
        f'<Row index="{i}">' + "".join(f"<F>{escape(str(value))}</F>" for value in row) + "</Row>"
        for i, row in enumerate(rows)
    )
    return (
        f'<PAMDataset><PAMRasterBand band="1"><CategoryNames>{categories}</CategoryNames>'
        f'<GDALRasterAttributeTable tableType="thematic">{defined}{table}'
        "</GDALRasterAttributeTable></PAMRasterBand></PAMDataset>\n"
    )


def _style(legend: Legend) -> str:
    """A QGIS style: one colour and one name a class id."""
    entries = "".join(
        f'<paletteEntry value="{i}" label={quoteattr(name)} color="{color}" alpha="255"/>'
        for i, (name, color) in enumerate(legend, 1)
    )
    return (
        "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
        '<qgis version="3.22"><pipe><rasterrenderer type="paletted" band="1" opacity="1" '
        f'alphaBand="-1"><colorPalette>{entries}</colorPalette></rasterrenderer></pipe></qgis>\n'
    )


def _picture(source: Path, target: Path, legend: Legend) -> None:
    with rasterio.open(source) as raster:
        shrink = max(1, max(raster.shape) / _PREVIEW)
        shape = tuple(max(1, round(side / shrink)) for side in raster.shape)
        ids = raster.read(1, out_shape=shape, resampling=Resampling.nearest)
    table = np.array([(0, 0, 0, 0), *((*to_rgb(color), 1) for _, color in legend)])
    with files.atomic(target, _REMEDY) as unfinished:
        matplotlib.image.imsave(unfinished, table[ids], metadata={"Software": None})


def layer_path(path: Path, layer: str) -> Path:
    """Where a layer of a map goes: the class ids by the map's name, others beside it."""
    return path if layer == "classes" else path.with_name(f"{path.stem}_{layer}{path.suffix}")


def _same(source: Path, copy: Path) -> bool:
    """Whether two rasters hold the same pixels; in memory is a block of the second at a time."""
    with rasterio.open(source) as one, rasterio.open(copy) as other:
        blocks = (window for _, window in other.block_windows(1))
        return one.shape == other.shape and all(
            np.array_equal(one.read(window=block), other.read(window=block)) for block in blocks
        )


def _compress(source: Path, whole: Path, resampling: str) -> None:
    """A copy with overviews; an OSError where it is not whole, which GDAL may keep to itself."""
    options = {"driver": "COG", "compress": "DEFLATE", "bigtiff": "IF_SAFER"}
    try:
        rasterio.shutil.copy(source, whole, **options, overview_resampling=resampling)
        if not _same(source, whole):
            raise OSError("its copy differs")
    except Exception as error:  # on a full disk of a kind that rasterio has no public name for
        raise OSError(str(error)) from None


def _finish(folder: Path, path: Path, layers: Sequence[str], legend: Legend) -> None:
    """Compress the layers with overviews; the class ids last, they say that all is there."""
    files.write_text(path.with_name(f"{path.name}.aux.xml"), _attributes(legend), _REMEDY)
    files.write_text(path.with_suffix(".qml"), _style(legend), _REMEDY)
    _picture(folder / "classes.tif", path.with_suffix(".png"), legend)
    for layer in sorted(layers, key=lambda name: name == "classes"):
        whole = folder / f"whole_{layer}.tif"
        resampling = "MODE" if layer == "classes" else "AVERAGE"
        _compress(folder / f"{layer}.tif", whole, resampling)
        whole.replace(layer_path(path, layer))


@contextmanager
def open_map(
    path: Path | str,
    ground: Mapping[str, Any],
    legend: Legend,
    identity: str,
    layers: Sequence[str] = (),
) -> Iterator[MapWriter | None]:
    """Begin a map, or go on with it; whole at the end of the `with` block.

    Args:
        path: of the GeoTIFF of class ids; the others lie beside it.
        ground: `height`, `width`, `crs` and `transform`, as rasterio names them.
        legend: name and hexadecimal colour of each class, from id 1.
        identity: of the run: what must be equal for an interrupted one to go on.
        layers: of `probabilities` and `entropy`, which to write besides.

    Yields:
        What the parts are written with, or None where the whole map is there already.

    Raises:
        FileError: something else is at its place, or it cannot be written.
    """
    path, layers = Path(path), ("classes", *layers)
    if path.suffix != ".tif":
        raise FileError(f"{path}: the name of a map ends in .tif")
    folder = path.with_name(f".{path.stem}.part")
    busy = FileError(f"{path} is being written by another process: wait for it")
    try:
        with files.locked(folder.with_suffix(".lock"), busy, _REMEDY):
            there = [p for layer in layers if (p := layer_path(path, layer)).exists()]
            foreign = [p for p in there if _identity_of(p) != identity]
            if foreign:
                raise FileError(
                    f"{foreign[0]} is there already, of other data or settings: choose another "
                    "name, or delete it"
                )
            if len(there) == len(layers):
                yield None
                return
            part = [_identity_of(folder / f"{layer}.tif") for layer in layers]
            if part != [identity] * len(layers) or not (folder / "progress.json").exists():
                _begin(folder, layers, ground, legend, identity)
            yield MapWriter(folder, layers)
            _finish(folder, path, layers, legend)
            shutil.rmtree(folder, ignore_errors=True)
    except (RasterioError, OSError) as error:
        reason = getattr(error, "strerror", None) or error
        raise FileError(f"{path} cannot be written ({reason}): {_REMEDY}") from None
