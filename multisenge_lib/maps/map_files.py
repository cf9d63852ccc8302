"""The files of one map: what they hold, whether they are finished, and how they are written.

A map is written in parts, from north to south or patch by patch, into uncompressed layers in a
hidden folder beside it, `.NAME.part`. An interrupted run resumes and gives an identical file. When
all parts are there, each layer is copied to a Cloud-Optimised GeoTIFF, which is moved to its place:

    map.tif                 class ids, 0 for no data
    map_probabilities.tif   if asked for: the probability of each class
    map_entropy.tif         if asked for: the doubt about each pixel

The class ids come last, so a map that is at its place is finished.
"""

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import rasterio
import rasterio.shutil
from rasterio.errors import RasterioError
from rasterio.windows import Window

from multisenge_lib import files, software
from multisenge_lib.dataset import NO_DATA, file_problem, is_sample
from multisenge_lib.errors import ExperimentError, FileError, ModelError, printable
from multisenge_lib.maps.map_styles import (
    Legend,
    color_table,
    without_controls,
    write_class_names,
    write_picture,
    write_qgis_style,
)
from multisenge_lib.models import ModelCard

#: Probabilities and entropy, 0 to 1, are stored as whole numbers of this step, 0 to 250.
SCALE = 1 / 250
#: No data in the layers of probabilities and entropy, 0 to 250, where 0 is a value.
NO_DATA_OF_PROBABILITIES = 255
#: The layers that can be asked for beside the class ids.
EXTRA_LAYERS = ("probabilities", "entropy")
#: The tag that holds a map's identity in its GeoTIFFs, and the mark of the small files beside them.
MARK = "MULTISENGE_MAP"
#: Bytes for each pixel and band, at most: the uncompressed layer, its copy with overviews (a third
#: more), and the overviews once more while they are made.
_BYTES_PER_VALUE = 1 + 4 / 3 + 1 / 3
_WAYS_OUT = "choose another name, move it away, or allow overwriting (--overwrite)"
_NOT_OURS = f"is there already and is not a file of this library: {_WAYS_OUT}"
_REMEDY = "make room, or choose another place; the next run goes on from what is done"


class MapPart(NamedTuple):
    """A rectangle of a map as it was predicted.

    Attributes:
        row: row of its upper-left pixel in the map.
        column: column of the same pixel.
        probabilities: `(height, width, classes) float32`, 0 to 1.
        valid: `(height, width) bool`; elsewhere the map has no data.
    """

    row: int
    column: int
    probabilities: np.ndarray
    valid: np.ndarray


@dataclass(frozen=True)
class MapFiles:
    """The files of one map: where they lie and what they hold.

    Attributes:
        path: path of the class-id map.
        grid: `height`, `width`, `crs` and `transform`, as rasterio names them.
        legend: name and hexadecimal colour of each class, from id 1.
        identity: hash of the network and of what it reads, see `map_identity`.
        extra_layers: which of `EXTRA_LAYERS` to write.
        description: a sentence about the map that its GeoTIFFs carry.
    """

    path: Path
    grid: Mapping[str, Any]
    legend: Legend
    identity: str
    extra_layers: tuple[str, ...] = ()
    description: str = ""

    def __post_init__(self) -> None:
        if self.path.suffix != ".tif":
            raise FileError(f"{printable(self.path)}: the name of a map ends in .tif")
        try:
            str(self.path).encode()
        except UnicodeEncodeError:
            raise FileError(
                f"{printable(self.path)} has a name that is not valid UTF-8, which GDAL requires: "
                "choose another name"
            ) from None
        for layer in self.extra_layers:
            if layer not in EXTRA_LAYERS:
                raise ExperimentError(f"layer {layer!r}: choose among {', '.join(EXTRA_LAYERS)}")

    @property
    def layers(self) -> dict[str, Path]:
        """The path of each layer; the class ids last."""
        paths = {}
        for layer in EXTRA_LAYERS:
            if layer in self.extra_layers:
                paths[layer] = self._beside(layer)
        paths["classes"] = self.path
        return paths

    @property
    def other_layers(self) -> list[Path]:
        """Paths of optional layers not requested now; an older run may have left them there."""
        return [self._beside(layer) for layer in EXTRA_LAYERS if layer not in self.extra_layers]

    @property
    def style(self) -> Path:
        """The QGIS style."""
        return self.path.with_suffix(".qml")

    @property
    def class_names(self) -> Path:
        """The names of the classes for GDAL."""
        return self.path.with_name(f"{self.path.name}.aux.xml")

    @property
    def picture(self) -> Path:
        """A small picture of the map, for programs that show no GeoTIFF."""
        return self.path.with_suffix(".png")

    @property
    def side_files(self) -> tuple[Path, ...]:
        """The small files beside the GeoTIFFs."""
        return self.style, self.class_names, self.picture

    @property
    def folder(self) -> Path:
        """The hidden folder of an unfinished map."""
        return self.path.with_name(f".{self.path.stem}.part")

    @property
    def progress(self) -> Path:
        """The file that says how many parts are on disk."""
        return self.folder / "progress.json"

    def unfinished(self, layer: str) -> Path:
        """A layer while its parts are written."""
        return self.folder / f"{layer}.tif"

    def bands(self, layer: str) -> int:
        """How many bands a layer has."""
        return len(self.legend) if layer == "probabilities" else 1

    def _beside(self, layer: str) -> Path:
        return self.path.with_name(f"{self.path.stem}_{layer}{self.path.suffix}")


def map_identity(model: Path, **inputs: Any) -> str:
    """Return a hash of the network and of what it reads.

    The library's code is not part of it: a finished map stays as it is when the library is updated.
    An unfinished one is started anew then, see `count_finished_parts`.

    Args:
        model: the file of the network.
        inputs: what else the pixels depend on, such as rasters, windows and days of the year.
    """
    digest = hashlib.sha256(model.read_bytes())
    digest.update(json.dumps(inputs, sort_keys=True, default=str).encode())
    return digest.hexdigest()[:16]


def raster_stamp(path: Path) -> tuple[str, int, int]:
    """Return path, size and time of change of a raster, which differ once it is edited."""
    resolved = path.resolve()
    status = resolved.stat()
    return str(resolved), status.st_size, status.st_mtime_ns


def map_description(card: ModelCard) -> str:
    """A sentence for the GeoTIFFs of a map; it says so if nothing real was learnt."""
    if is_sample(card.dataset):
        return (
            f"Drawn by {card.name}, a network trained on the synthetic sample of MultiSenGE: a "
            "demonstration, not a map of the land cover"
        )
    return f"Land cover drawn by {card.name}, a network trained on {card.dataset}"


def to_class_ids(probabilities: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Take the most probable class of each pixel.

    Args:
        probabilities: `(height, width, classes)`.
        valid: `(height, width) bool`, which pixels have data.

    Returns:
        `(height, width) uint8`, class ids from 1, 0 where there is no data.

    Raises:
        ModelError: a probability is not a number.
    """
    # NaN has no largest element: argmax would call every such pixel the first class.
    if not np.isfinite(probabilities[valid]).all():
        raise ModelError(
            "the network gives probabilities that are not numbers (NaN): its weights may be "
            "damaged; train it again, or fetch it again"
        )
    ids = probabilities.argmax(axis=-1) + 1
    return np.where(valid, ids, NO_DATA).astype(np.uint8)


def entropy(probabilities: np.ndarray) -> np.ndarray:
    """Measure the doubt about each pixel: 0 for one certain class, 1 if all are equally probable.

    Args:
        probabilities: `(..., classes)`.

    Returns:
        `(...)`, Shannon's entropy divided by that of equal probabilities; 0 if there is one class.
    """
    positive = np.maximum(probabilities, 1e-12)  # the logarithm of 0 is infinite
    classes = probabilities.shape[-1]
    if classes == 1:  # no doubt, and the logarithm of 1 is 0
        return np.zeros(probabilities.shape[:-1], probabilities.dtype)
    return -(positive * np.log(positive)).sum(axis=-1) / np.log(classes)


def _layer_values(layer: str, part: MapPart) -> np.ndarray:
    """Convert one part to the values that a layer stores: `(bands, height, width) uint8`."""
    if layer == "classes":
        return to_class_ids(part.probabilities, part.valid)[None]
    if layer == "entropy":
        values = entropy(part.probabilities)[None]
    else:
        values = np.moveaxis(part.probabilities, -1, 0)
    # Where there is no data a network may give NaN, which is not converted to a whole number.
    steps = np.where(part.valid, np.rint(values / SCALE), NO_DATA_OF_PROBABILITIES)
    return steps.astype(np.uint8)


@contextmanager
def _writing(target: MapFiles) -> Iterator[None]:
    """Turn errors while files are written into a FileError that names the map.

    It stands around writing alone: errors of reading rasters and of predicting are not about room.
    """
    try:
        yield
    except RasterioError as error:
        reason = error.__cause__ or error  # rasterio's own message refers to its cause
        raise FileError(
            f"{printable(target.path)} cannot be written ({reason}): {_REMEDY}"
        ) from None
    except OSError as error:
        raise files.write_error(target.path, error, _REMEDY) from None


def write_map(
    target: MapFiles, predict_parts: Callable[[int], Iterable[MapPart]], overwrite: bool = False
) -> Path:
    """Write a map, or finish one that an earlier run began.

    Args:
        target: the map.
        predict_parts: gives the parts of the map in order. Its argument says how many of the first
            parts are on disk already; these are left out.
        overwrite: replace maps of other data or settings, and files of others.

    Returns:
        The path of the map.

    Raises:
        FileError: another process writes it, something else lies at its place, or it cannot be
            written.
    """
    busy = FileError(f"{printable(target.path)} is being written by another process: wait for it")
    with files.locked(target.folder.with_suffix(".lock"), busy, _REMEDY):
        if is_finished(target):
            _restore_side_files(target)
            _remove_folder(target)  # of a run that was killed after its last step
            return target.path
        check_places(target, overwrite)
        done = count_finished_parts(target)
        if done is None:
            _start(target)
            done = 0
        for number, part in enumerate(predict_parts(done), done + 1):
            write_part(target, part, number)
        _finish(target)
    return target.path


def is_finished(target: MapFiles) -> bool:
    """Whether every layer of a map lies at its place, whole and of this identity."""
    for path in target.layers.values():
        if _identity_of(path) != target.identity:
            return False
        try:
            _read_last_block(path)
        except RasterioError:
            return False
    return True


def count_finished_parts(target: MapFiles) -> int | None:
    """How many parts of an unfinished map are on disk; None where a new one must be started.

    A new one is needed where there is no unfinished map, and where it is damaged, of another
    identity, or was begun by another version of this library.
    """
    try:
        progress = json.loads(target.progress.read_text("utf-8"))
        done = progress["done"]
        intact = progress["seal"] == _seal(target, done)
    except (OSError, ValueError, KeyError, TypeError):  # missing, empty, no JSON, other JSON
        return None
    return done if intact else None


def _seal(target: MapFiles, done: int) -> str:
    """Compute a digest that changes if the layers or the progress file are edited or exchanged."""
    # The layers are not compressed, so their sizes stay as they were at the start.
    sizes = [target.unfinished(layer).stat().st_size for layer in target.layers]
    content = json.dumps([target.identity, software.library_digest(), done, sizes])
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def _write_progress(target: MapFiles, done: int) -> None:
    progress = {"done": done, "seal": _seal(target, done)}
    files.write_text(target.progress, json.dumps(progress), _REMEDY)


def _identity_of(path: Path) -> str | None:
    """The identity that a GeoTIFF of this library carries; None for any other file, or none."""
    if file_problem(path) is not None:
        return None
    try:
        with rasterio.open(path) as source:
            return source.tags().get(MARK)
    except (RasterioError, ValueError):
        return None


def _is_side_file_of_ours(path: Path) -> bool:
    if file_problem(path) is not None:
        return False
    return MARK.encode() in path.read_bytes()


def check_places(target: MapFiles, overwrite: bool) -> None:
    """Refuse to replace what was not made by an earlier run for this map.

    A map that is finished may stay, whatever lies beside it.

    Raises:
        FileError: a file of another map or of the user is at a place that would be written, or a
            layer of another map beside it.
    """
    if is_finished(target):
        return
    folder = target.folder
    if folder.exists() and not _is_folder_of_ours(folder, target.progress):
        # Never delete this folder: we did not create it.
        raise FileError(
            f"{printable(folder)} is not an unfinished map, and its place is needed: move it, or "
            "choose another name for the map"
        )
    if overwrite:
        return
    for path in target.layers.values():
        if not path.exists():
            continue
        identity = _identity_of(path)
        if identity is None:
            raise FileError(f"{printable(path)} {_NOT_OURS}")
        if identity != target.identity:
            raise FileError(
                f"{printable(path)} is there already, of other data or settings: {_WAYS_OUT}"
            )
    for path in target.side_files:
        if path.exists() and not _is_side_file_of_ours(path):
            raise FileError(f"{printable(path)} {_NOT_OURS}")
    for path in target.other_layers:
        if _is_of_another_map(target, path):
            raise FileError(
                f"{printable(path)} is a layer of an earlier map, and would pass for one of the "
                f"new map: {_WAYS_OUT}, which deletes it"
            )


def _is_of_another_map(target: MapFiles, layer: Path) -> bool:
    """Whether a layer that was not asked for is that of an earlier map of this library.

    A file of the user's at this place is none of the map's, and is never written.
    """
    return _identity_of(layer) not in (None, target.identity)


def _is_folder_of_ours(folder: Path, progress: Path) -> bool:
    if progress.is_file():
        return True
    # A run that was killed right after it made the folder leaves an empty one.
    return folder.is_dir() and next(folder.iterdir(), None) is None


def _start(target: MapFiles) -> None:
    """Make the uncompressed layers, which GDAL fills with no data."""
    with _writing(target):
        shutil.rmtree(target.folder, ignore_errors=True)
        _check_room(target)
        target.folder.mkdir(parents=True)
        target.progress.touch()  # says that the folder is ours, whatever happens next
        for layer in target.layers:
            _make_layer(target, layer)
        _write_progress(target, 0)


def _check_room(target: MapFiles) -> None:
    pixels = target.grid["height"] * target.grid["width"]
    bands = sum(target.bands(layer) for layer in target.layers)
    needed = _BYTES_PER_VALUE * bands * pixels
    folder = target.path.parent
    if shutil.disk_usage(folder).free < needed:
        raise FileError(
            f"{printable(folder)} has no room for {needed / 1e6:,.0f} MB: make room, or "
            "choose another place"
        )


def _make_layer(target: MapFiles, layer: str) -> None:
    count = target.bands(layer)
    profile = {
        "driver": "GTiff",
        "dtype": "uint8",
        "count": count,
        "interleave": "band",
        "nodata": NO_DATA if layer == "classes" else NO_DATA_OF_PROBABILITIES,
        "bigtiff": "if_safer",
    }
    names = [without_controls(name) for name, _ in target.legend]
    with rasterio.open(target.unfinished(layer), "w", **profile, **target.grid) as raster:
        raster.update_tags(**{MARK: target.identity})
        if target.description:
            raster.update_tags(TIFFTAG_IMAGEDESCRIPTION=without_controls(target.description))
        if layer == "classes":
            raster.write_colormap(1, color_table(target.legend))
            raster.update_tags(1, **{f"CLASS_{i}": name for i, name in enumerate(names, 1)})
        else:
            raster.scales = [SCALE] * count
            raster.descriptions = names if layer == "probabilities" else [layer]
    # GDAL does not say so if it could not write all of it when it closed the file.
    pixels = target.grid["height"] * target.grid["width"]
    if target.unfinished(layer).stat().st_size < count * pixels:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))


def write_part(target: MapFiles, part: MapPart, number: int) -> None:
    """Write one part into the unfinished layers, then note that it is on disk.

    Args:
        target: the map.
        part: what was predicted.
        number: number of the part, from 1.
    """
    # Class ids first: they refuse probabilities of NaN, which cannot be stored.
    for layer in ("classes", *target.extra_layers):
        values = _layer_values(layer, part)
        height, width = values.shape[1:]
        window = Window(part.column, part.row, width, height)
        with _writing(target):
            with rasterio.open(target.unfinished(layer), "r+") as raster:
                raster.write(values, window=window)
            # Else the progress could reach the disk before the pixels, and a power cut leave a gap.
            _sync(target.unfinished(layer))
    with _writing(target):
        _write_progress(target, number)


def _sync(path: Path) -> None:
    """Wait until a file is on the disk."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _finish(target: MapFiles) -> None:
    """Compress the layers and move them to their places, the class ids last."""
    with _writing(target):
        for path in target.side_files:
            _write_side_file(target, path, target.unfinished("classes"))
        for layer, path in target.layers.items():
            whole = target.folder / f"whole_{layer}.tif"
            # Overviews take the most frequent class, because a mean of class ids means nothing, and
            # the mean of probabilities.
            resampling = "MODE" if layer == "classes" else "AVERAGE"
            _compress(target.unfinished(layer), whole, resampling)
            whole.replace(path)
        for path in target.other_layers:  # of an older map that the user wanted replaced
            if _is_of_another_map(target, path):
                path.unlink()
    _remove_folder(target)


def _remove_folder(target: MapFiles) -> None:
    if _is_folder_of_ours(target.folder, target.progress):
        shutil.rmtree(target.folder, ignore_errors=True)


def _restore_side_files(target: MapFiles) -> None:
    """Make the small files beside a finished map that are missing; the others may be edited."""
    for path in target.side_files:
        if not path.exists():
            with _writing(target):
                _write_side_file(target, path, target.path)


def _write_side_file(target: MapFiles, path: Path, class_ids: Path) -> None:
    mark = f"{MARK} {target.identity}"
    if path == target.style:
        write_qgis_style(path, target.legend, mark, _REMEDY)
    elif path == target.class_names:
        write_class_names(path, target.legend, mark, _REMEDY)
    else:
        write_picture(path, class_ids, target.legend, mark, _REMEDY)


def _compress(source: Path, whole: Path, resampling: str) -> None:
    """Copy a layer to a Cloud-Optimised GeoTIFF with overviews.

    Raises:
        OSError: the copy failed, or was cut short.
    """
    options = {"driver": "COG", "compress": "DEFLATE", "bigtiff": "IF_SAFER"}
    try:
        rasterio.shutil.copy(source, whole, **options, overview_resampling=resampling)
        # On a full disk GDAL may write a part of the file and report nothing.
        _read_last_block(whole)
    except Exception as error:  # rasterio has no public name for some of GDAL's errors
        raise OSError(str(error)) from None
    _sync(whole)


def _read_last_block(path: Path) -> None:
    """Make sure that a Cloud-Optimised GeoTIFF was not cut short.

    Its overviews come first and its pixels at full resolution last, in order. So the whole file is
    there if its last block can be read. A validator of the layout, such as `rio-cogeo`, looks at
    the offsets at the beginning of the file and takes one that is cut short for valid.

    Raises:
        RasterioError: the block cannot be read.
    """
    with rasterio.open(path) as source:
        *_, (_, last_block) = source.block_windows(1)
        source.read(window=last_block)
