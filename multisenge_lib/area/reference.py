"""A user's own reference on the target grid: class ids of a raster, or of the shapes of a vector.

A pixel of 10 m gets the class that most of a finer raster's pixels have, the class of the coarser
pixel around it, or that of the shape that holds its middle. Ids of another nomenclature, such as
WorldCover's 10 to 100, are replaced as the user says.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import rasterio
import shapely
from rasterio.enums import ColorInterp, Resampling
from rasterio.errors import CRSError, RasterioError
from rasterio.features import rasterize
from rasterio.transform import from_origin
from rasterio.windows import Window

from multisenge_lib.area.open_bands import FINER, pixel_metres, warped
from multisenge_lib.area.target_grid import TargetGrid, lies_on_grid
from multisenge_lib.dataset import MULTISENGE, PIXEL, image_bands, length_problem, pixel_problems
from multisenge_lib.errors import ImportAreaError, counted, first_line, printable

VECTOR_ENDINGS = (".shp", ".gpkg", ".geojson", ".json", ".fgb", ".gml", ".kml", ".parquet", ".gdb")
#: Esri's file geodatabase is a folder.
VECTOR_FOLDER = ".gdb"
#: Columns that usually hold class ids, in lower case; the first that is there is taken.
_USUAL_COLUMNS = ("class", "class_id", "classid", "label", "code", "id_class", "gridcode", "value")
#: Rows in which shapes are looked at for others of another class on them.
_STRIP = 1024
#: Share of the patches' pixels from which 0 may be a class, such as water: ten hectares in 100 km2.
_LEAST_SHARE_OF_0 = 0.001
#: Pixels of a raster that are looked at together.
_PIXELS_AT_ONCE = 2**24


@dataclass(frozen=True)
class ReferenceOptions:
    """The user's options for a reference.

    Attributes:
        path: path of a raster or vector.
        class_names: names of its classes, from id 1.
        reclass: from ids, or texts of a vector's column, to class ids; 0 for no data.
        attribute: the column of a vector that holds the classes.
        no_data: a value of images that means no data; of a reference too, where it is no class id.
    """

    path: Path
    class_names: Sequence[str]
    reclass: Mapping[str, int]
    attribute: str | None = None
    no_data: float | None = None

    @property
    def is_vector(self) -> bool:
        """Whether it is a vector, by its ending."""
        return self.path.suffix.lower() in VECTOR_ENDINGS

    @property
    def no_data_id(self) -> float | None:
        """The user's value of no data; None where it is an id of the reference.

        The user gives it for images. If it is also a class id, or `--reclass` replaces it, it means
        that class here.
        """
        value = self.no_data
        if value is None or self.reclass.get(id_text(value)):
            return None
        return None if 0 < value <= len(self.class_names) else value


@dataclass(frozen=True)
class Reference:
    """A reference on the target grid.

    Attributes:
        read: gives class ids `(height, width)`, 0 for no data, of a number of rows from a first.
        stored_ids: gives all ids of the file, on the grid or not, but for those that it calls no
            data; reads it whole.
        notices: how it came onto the grid.
    """

    read: Callable[[int, int], np.ndarray]
    stored_ids: Callable[[], set[float]]
    notices: list[str]


@contextmanager
def open_reference(options: ReferenceOptions, grid: TargetGrid) -> Iterator[Reference]:
    """Open a reference on the target grid.

    Raises:
        ImportAreaError: it cannot be read, or its classes are in doubt.
    """
    if options.is_vector:
        yield _open_vector(options, grid)
    else:
        with _open_raster(options, grid) as reference:
            yield reference


def check_first_id(reference: Reference, options: ReferenceOptions, unlabelled: float) -> None:
    """Refuse ids that may count from 0, while ids of classes count from 1 and 0 is no data.

    To be asked where no pixel is of the last class. With ids from 0 that is so everywhere, and each
    pixel would get the class before its own. The ids alone cannot tell this from a 0 that means no
    data and a last class that is absent, so the user must say which it is.

    A map whose first class is rare holds few pixels of 0, and a border of 0 without a tag may hold
    many, so the user must answer in both cases, once, with `--reclass`; a wrong guess would shift
    every class by one. A map that lacks 0 too cannot be recognised. Two kinds are spared. Where the
    file holds the last class, ids count from 1. MultiSenGE's own names have published ids from 1,
    and 0 as no data, so with them only an id that is exactly one below the last is in doubt.

    Args:
        reference: its ids.
        options: the names of its classes.
        unlabelled: share of the patches' pixels that get no class.

    Raises:
        ImportAreaError: the file holds 0 and not the last class, and neither the file nor the user
            says what 0 means.
    """
    if options.reclass:
        return
    ids = sorted(reference.stored_ids())
    names = options.class_names
    last = len(names)
    if not ids or ids[0] != 0 or ids[-1] >= last:
        return
    is_published = list(names) == list(MULTISENGE.reference_classes.names)
    may_be_a_class = unlabelled >= _LEAST_SHARE_OF_0 and not is_published
    if ids[-1] != last - 1 and not may_be_a_class:
        return
    whole = [int(class_id) for class_id in ids]
    counted_from_0 = ",".join(f"{class_id}={class_id + 1}" for class_id in whole)
    counted_from_1 = ",".join(f"{class_id}={class_id}" for class_id in whole)
    held = ", ".join(str(class_id) for class_id in whole)
    raise ImportAreaError(
        f"the reference {printable(options.path)} holds the ids {held} of its {last} classes, "
        f"whose ids are 1 to {last}: if its ids count from 0, give --reclass "
        f"{counted_from_0}; if 0 is no data, give --reclass {counted_from_1}"
    )


@contextmanager
def _open_raster(options: ReferenceOptions, grid: TargetGrid) -> Iterator[Reference]:
    name = printable(options.path)
    try:
        raster = rasterio.open(options.path)
    except (RasterioError, ValueError) as error:
        raise ImportAreaError(
            f"the reference {name} cannot be read: {error}: give a raster, or a vector such as "
            f"{', '.join(VECTOR_ENDINGS[:3])}"
        ) from None
    with raster:
        problem = length_problem(raster)
        if problem is not None:
            raise ImportAreaError(f"the reference {name} {problem}: fetch it again")
        if raster.crs is None:
            raise ImportAreaError(f"the reference {name} names no projection: give it one")
        if np.dtype(raster.dtypes[0]).kind == "c":
            raise ImportAreaError(f"the reference {name} is {raster.dtypes[0]}, ids are whole")
        resampling, notices = _reference_resampling(raster, grid, name)
        notices += _further_bands(raster, name)
        tag = raster.nodatavals[0]
        if tag is not None and options.reclass.get(id_text(tag)):
            raise ImportAreaError(
                f"{id_text(tag)} means no data in the reference {name}, and --reclass gives it a "
                f"class: leave {id_text(tag)} out, or if it is a class, give the raster a no-data "
                "tag with a number that it does not hold (gdal_edit.py -a_nodata NUMBER)"
            )
        # Class 0 is no data in this library, so it is where no tag says so as well.
        fill = 0 if tag is None else tag
        stored_type = {}
        if options.reclass.get(id_text(fill)):
            # It is a class, and NaN is none, whatever ids there are.
            fill = np.nan
            stored_type = {"dtype": "float64"}
        try:
            with warped(
                raster, grid, resampling=resampling, src_nodata=fill, nodata=fill, **stored_type
            ) as on_grid:

                def read(row: int, rows: int) -> np.ndarray:
                    window = Window(0, row, grid.width, rows)
                    with _named_if_damaged(name):
                        ids = on_grid.read(1, window=window)
                    return _class_ids(ids, fill, options)

                yield Reference(read, partial(_stored_ids, raster, name, options), notices)
        except CRSError as error:
            raise ImportAreaError(f"the reference {name} cannot be placed: {error}") from None


@contextmanager
def _named_if_damaged(name: str) -> Iterator[None]:
    """Name the reference in the errors of reading its pixels."""
    try:
        yield
    except RasterioError as error:
        raise ImportAreaError(
            f"the reference {name} cannot be read ({error}): it is cut short or damaged"
        ) from None


def _stored_ids(raster: Any, name: str, options: ReferenceOptions) -> set[float]:
    """All ids of a raster, without what its tag or mask, or the user, calls no data.

    Raises:
        ImportAreaError: it is damaged.
    """
    found: set[float] = set()
    rows = max(1, _PIXELS_AT_ONCE // raster.width)
    for row in range(0, raster.height, rows):
        window = Window(0, row, raster.width, min(rows, raster.height - row))
        with _named_if_damaged(name):
            ids = raster.read(1, window=window)
            has_data = raster.read_masks(1, window=window) > 0
        found.update(pd.unique(ids[has_data]).tolist())
    return {value for value in found if value == value and value != options.no_data_id}  # not NaN


def _further_bands(raster: Any, name: str) -> list[str]:
    """A sentence where a reference has more bands than that of its classes.

    Raises:
        ImportAreaError: it is a picture, whose first band is the red light.
    """
    if ColorInterp.red in raster.colorinterp:
        raise ImportAreaError(
            f"the reference {name} is a picture in colours (RGB): give the raster of class ids "
            "behind it"
        )
    bands = len(image_bands(raster))
    return [f"the reference has {bands} bands: the first is taken"] if bands > 1 else []


def _reference_resampling(raster: Any, grid: TargetGrid, name: str) -> tuple[Resampling, list[str]]:
    """How a reference comes onto the grid, and a sentence where it does not lie on it."""
    if lies_on_grid(raster.transform, raster.crs, grid.crs):
        return Resampling.nearest, []
    try:
        metres = pixel_metres(raster, grid)
    except Exception:  # GDAL's own errors are not rasterio's, and hold a whole projection
        raise ImportAreaError(
            f"the reference {name} cannot be placed in {grid.crs}: GDAL knows no way there from "
            "its projection: warp it to UTM"
        ) from None
    if metres < FINER * PIXEL:
        # Nearest would take one of many; the class of most of them is that of the pixel.
        how = f"each pixel of {PIXEL} m gets the class of most of the finer ones"
        resampling = Resampling.mode
    else:
        how = f"each pixel of {PIXEL} m gets the class of the nearest one"
        resampling = Resampling.nearest
    return resampling, [f"the reference has pixels of {metres:.3g} m on another grid: {how}"]


def _class_ids(ids: np.ndarray, fill: float, options: ReferenceOptions) -> np.ndarray:
    """Class ids of stored ids, 0 for no data.

    Raises:
        ImportAreaError: ids that are no classes, and that the user does not replace.
    """
    missing = np.isnan(ids) if ids.dtype.kind == "f" else np.zeros(ids.shape, bool)
    missing |= ids == fill
    if options.no_data_id is not None:
        missing |= ids == options.no_data_id
    ids = np.where(missing, 0, ids)
    if ids.dtype.kind == "f":
        _check_not_mixed(ids, options)
    if options.reclass:
        return _replaced(ids, missing, options)
    problems = pixel_problems(ids, "reference", len(options.class_names))
    if problems:
        outside = ids.min() if ids.min() < 0 else ids.max()
        raise ImportAreaError(
            f"{printable(options.path)} {problems[0]}; name other classes with --classes, or "
            f"replace all ids with --reclass 10=1,20=2; if {outside:g} is no data, give the raster "
            f"that tag (gdal_edit.py -a_nodata {outside:g})"
        )
    return ids.astype(np.uint8)


def _check_not_mixed(ids: np.ndarray, options: ReferenceOptions) -> None:
    """Refuse fractions that the user does not replace: they are mixtures of classes."""
    finite = ids[np.isfinite(ids)]
    for value in np.unique(finite[finite % 1 != 0]):
        if id_text(value) not in options.reclass:
            raise ImportAreaError(
                f"{printable(options.path)} holds {value:g}, and class ids are whole numbers: its "
                "classes were mixed when it was resampled, so fetch the original, or resample it "
                "by the nearest pixel"
            )


def _replaced(ids: np.ndarray, missing: np.ndarray, options: ReferenceOptions) -> np.ndarray:
    classes = np.zeros(ids.shape, np.uint8)
    unnamed = []
    for value in np.unique(ids[~missing]).tolist():
        key = id_text(value)
        if key in options.reclass:
            classes[ids == value] = options.reclass[key]
        elif value != 0:  # what no class is given to would be lost silently
            unnamed.append(key)
    if unnamed:
        raise ImportAreaError(
            f"{printable(options.path)} holds {', '.join(unnamed[:8])}, which --reclass does not "
            f"name: give each id a class, such as {unnamed[0]}=1, or {unnamed[0]}=0 for no data"
        )
    classes[missing] = 0
    return classes


def _read_shapes(path: Path) -> Any:
    """Read a vector whose projection is known, as a GeoDataFrame."""
    import geopandas as gpd

    name = printable(path)
    try:
        if path.suffix.lower() == ".parquet":
            shapes = gpd.read_parquet(path)
        else:
            shapes = gpd.read_file(path, layer=_only_layer(path))
    except ImportAreaError:
        raise
    except Exception as error:  # each driver has errors of its own
        if _is_raster(path):
            raise ImportAreaError(
                f"the reference {name} holds a raster, and its ending is that of a vector: write "
                "it as GeoTIFF, as `gdal_translate` does"
            ) from None
        is_alone = not path.with_suffix(".shx").exists() and not path.with_suffix(".SHX").exists()
        if path.suffix.lower() == ".shp" and is_alone:
            raise ImportAreaError(
                f"the reference {name} cannot be read as a shapefile: it is several files, so put "
                "its .shx, .dbf and .prj beside it, all with one name"
            ) from None
        raise ImportAreaError(
            f"the reference {name} cannot be read as a vector: {first_line(error)}"
        ) from None
    if not isinstance(shapes, gpd.GeoDataFrame):
        raise ImportAreaError(_no_shape(path))
    if shapes.crs is None:
        raise ImportAreaError(f"the reference {name} names no projection: give it one")
    return shapes


def _is_raster(path: Path) -> bool:
    """Whether a file holds a raster, as a GeoPackage may."""
    try:
        with rasterio.open(path):
            return True
    except (RasterioError, ValueError):
        return False


@dataclass(frozen=True)
class _Shapes:
    """The shapes of a vector, in the order of its file.

    Attributes:
        geometries: in the projection of the grid.
        index: finds the shapes that touch a place.
        ids: class id of each, 0 for no data.
        grid: the target grid.
    """

    geometries: np.ndarray
    index: Any
    ids: Sequence[int]
    grid: TargetGrid

    def burn(self, row: int, rows: int, step: int = 1) -> np.ndarray:
        """Class ids `(rows, width)` from a row on; with step -1 the first shape lies on top."""
        north = self.grid.north - PIXEL * row
        south = north - PIXEL * rows
        east = self.grid.west + PIXEL * self.grid.width
        strip = shapely.box(self.grid.west, south, east, north)
        # In the order of the file, so that a later shape lies above an earlier one.
        touched = np.sort(self.index.query(strip))[::step]
        burned = np.zeros((rows, self.grid.width), np.uint8)
        pairs = [(self.geometries[i], self.ids[i]) for i in touched if self.ids[i]]
        if pairs:
            place = from_origin(self.grid.west, north, PIXEL, PIXEL)
            rasterize(pairs, out=burned, transform=place)
        return burned

    def disputed_pixels(self) -> int:
        """Count the pixels whose class depends on the order of the shapes.

        Pixels are not counted where the first and the last shape agree, and one between them does
        not.
        """
        disputed = 0
        for row in range(0, self.grid.height, _STRIP):
            rows = min(_STRIP, self.grid.height - row)
            # Where shapes of one class lie on each other, their order changes nothing.
            disputed += np.count_nonzero(self.burn(row, rows) != self.burn(row, rows, step=-1))
        return disputed


def _no_shape(path: Path) -> str:
    return f"the reference {printable(path)} holds no shape: give one with polygons"


def _open_vector(options: ReferenceOptions, grid: TargetGrid) -> Reference:
    table = _read_shapes(options.path)
    total = len(table)
    table = table[~(table.geometry.isna() | table.geometry.is_empty)]
    if table.empty:
        raise ImportAreaError(_no_shape(options.path))
    try:
        table = table.to_crs(grid.crs)
    except Exception:  # pyproj has several errors, which hold a whole projection
        raise ImportAreaError(
            f"the reference {printable(options.path)} cannot be placed in {grid.crs}: no way there "
            "from its projection is known: give it in UTM"
        ) from None
    column = _class_column(table, options)
    values = table[column].tolist()
    without_class = sum(_is_no_class(value, options) for value in values)
    if without_class == len(values):
        raise ImportAreaError(
            f"the reference {printable(options.path)} has no value in the column "
            f"{printable(column)}: give the column of the classes with --attribute"
        )
    ids = _ids_of_shapes(values, column, options)
    shapes = _Shapes(table.geometry.to_numpy(), table.sindex, ids, grid)
    notices = _notices_on_shapes(shapes, column, without_class, total - len(ids))

    def stored_ids() -> set[float]:
        # An empty value is no id 0.
        pairs = zip(ids, values, strict=True)
        return {class_id for class_id, value in pairs if not _is_no_class(value, options)}

    return Reference(shapes.burn, stored_ids, notices)


def _notices_on_shapes(
    shapes: _Shapes, column: str, without_class: int, rows_without_shape: int
) -> list[str]:
    """Say how shapes become pixels, and which of them may not do so as the user expects."""
    notices = [
        f"the reference is a vector of {counted(len(shapes.ids), 'shape', 'shapes')}: each pixel "
        f"gets the class of the shape that holds its middle, from the column {printable(column)}"
    ]
    if without_class:
        empty = counted(without_class, "shape has", "shapes have")
        notices.append(f"{empty} no value in the column {printable(column)}, and label nothing")
    lines_and_points = int((shapely.get_dimensions(shapes.geometries) < 2).sum())
    if lines_and_points:
        of_them = counted(
            lines_and_points, "shape is a line or a point", "shapes are lines or points"
        )
        notices.append(
            f"{of_them}: such a shape labels the pixels that it runs through, and no more"
        )
    disputed = shapes.disputed_pixels()
    if disputed:
        pixels = counted(disputed, "pixel lies", "pixels lie")
        notices.append(
            f"at least {pixels} in shapes of different classes: the last of them in the file counts"
        )
    if rows_without_shape:
        rows = counted(rows_without_shape, "row", "rows")
        notices.append(f"{rows} of the reference without a shape left out")
    return notices


def _only_layer(path: Path) -> str | None:
    """The layer of a vector that holds shapes; None where its file has no layers by name.

    Raises:
        ImportAreaError: it has several; the first would be a guess.
    """
    import geopandas as gpd

    layers = gpd.list_layers(path)
    with_shapes = layers.loc[layers["geometry_type"].notna(), "name"].tolist()
    if len(with_shapes) > 1:
        listed = ", ".join(printable(name) for name in with_shapes[:8])
        raise ImportAreaError(
            f"the reference {printable(path)} has {len(with_shapes)} layers ({listed}): write the "
            "one that holds the classes to a file of its own"
        )
    return with_shapes[0] if with_shapes else None


def _class_column(shapes: Any, options: ReferenceOptions) -> str:
    """The column that holds the classes: as the user says, a usual name, or the only one."""
    columns = [str(column) for column in shapes.columns if column != shapes.geometry.name]
    if options.attribute is not None:
        column = _column_called(options.attribute, columns)
        if column is not None:
            return column
        reason = f"has no column {printable(options.attribute)}, its columns are"
    else:
        for name in _USUAL_COLUMNS:  # the first of them that is there
            for column in columns:
                if column.lower() == name:
                    return column
        if len(columns) == 1:
            return columns[0]
        reason = "does not show which column holds the classes"
    if not columns:
        raise ImportAreaError(
            f"the reference {printable(options.path)} has shapes, and no column of classes for "
            "them: give one that has it; a shapefile keeps its columns in the .dbf beside it"
        )
    listed = ", ".join(printable(column) for column in columns)
    raise ImportAreaError(
        f"the reference {printable(options.path)} {reason}: give one of {listed} with --attribute"
    )


def _column_called(name: str, columns: Sequence[str]) -> str | None:
    """The column of a name, or the only one whose name differs in how accents or cases are stored.

    macOS writes an accent as a character of its own, and databases change the case of names.
    """
    for spelled in (str, _composed, lambda text: _composed(text).casefold()):
        same = [column for column in columns if spelled(column) == spelled(name)]
        if len(same) == 1:
            return same[0]
    return None


def _ids_of_shapes(values: list[Any], column: str, options: ReferenceOptions) -> list[int]:
    """Class ids of the values in a vector's column: numbers, names of classes, or replaced."""
    id_of_name = {_composed(name): i for i, name in enumerate(options.class_names, 1)}
    ids = []
    unknown = []
    for value in values:
        class_id = _class_id(value, id_of_name, options)
        if class_id is None:
            unknown.append(id_text(value))
        else:
            ids.append(class_id)
    if unknown:
        examples = ", ".join(printable(text) for text in dict.fromkeys(unknown[:8]))
        pair = f"{printable(unknown[0])}=1"
        raise ImportAreaError(
            f"the reference {printable(options.path)} holds {examples} in {printable(column)}, "
            f"which are no class ids from 1 to {len(options.class_names)}: name the classes with "
            f"--classes, or replace each value by the id of its class, such as --reclass {pair!r}, "
            "or by 0 where it is no data"
        )
    return ids


def _class_id(value: Any, id_of_name: Mapping[str, int], options: ReferenceOptions) -> int | None:
    """The class id that a value means, 0 where it is missing; None where it means no class."""
    if _is_no_class(value, options):
        return 0
    text = id_text(value)
    if text == "0" and "0" not in options.reclass:  # no data, as in a raster
        return 0
    if options.reclass:
        return options.reclass.get(text)
    if text.isdecimal() and int(text) <= len(options.class_names):
        return int(text)
    return id_of_name.get(text)


def _composed(text: str) -> str:
    """A text with one character for each accented letter, as keyboards write it, and not macOS."""
    return unicodedata.normalize("NFC", text)


def _is_no_class(value: Any, options: ReferenceOptions) -> bool:
    """Whether a value of a vector's column is missing, or what the user calls no data."""
    if _is_empty(value):
        return True
    return options.no_data_id is not None and id_text(value) == id_text(options.no_data_id)


def _is_empty(value: Any) -> bool:
    """Whether a value of a vector's column is missing, or a text of blanks."""
    is_missing = pd.api.types.is_scalar(value) and pd.isna(value)
    return bool(is_missing) or (isinstance(value, str) and not value.strip())


def id_text(value: Any) -> str:
    """An id or a name as the user types it: 10.0 as 10, and 12110001 with all its digits."""
    if _is_number(value) and float(value).is_integer():
        return str(int(value))
    text = _composed(str(value)).strip()
    whole_number = re.fullmatch(r"(-?\d+)\.0*", text)
    return whole_number[1] if whole_number else text


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)
