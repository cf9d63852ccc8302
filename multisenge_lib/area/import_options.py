"""The options of an import, checked before any file is opened."""

import os
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from itertools import cycle
from pathlib import Path
from typing import Any, get_args

import numpy as np

from multisenge_lib.area.cubes import is_cube_in_memory
from multisenge_lib.area.reference import VECTOR_FOLDER, ReferenceOptions, id_text
from multisenge_lib.area.units import InputUnits, S1Unit
from multisenge_lib.dataset import (
    LARGEST_SIZE,
    MULTISENGE,
    S1_BANDS,
    S2_BANDS,
    SIZE_MULTIPLE,
    Typology,
    band_of,
    make_typology,
    unambiguous_names,
)
from multisenge_lib.errors import ImportAreaError, counted, printable

#: Bands of Sentinel-2 that MultiSenGE leaves out, at 60 m; in a list of bands they stand for "-".
_UNUSED_BANDS = ("B1", "B9", "B10")


@dataclass(frozen=True)
class ImportOptions:
    """The user's options for an import; see `import_area`."""

    name: str
    reference: ReferenceOptions | None
    size: int
    units: InputUnits
    bands: Mapping[str, Sequence[str]]
    fill: Mapping[str, str]
    crs: str | None
    progress: bool


def list_of_sources(sources: Any) -> list[Any]:
    """The files, folders and cubes of `import_area` as a list, also where it is a single one.

    Raises:
        ImportAreaError: there is none, or one of them is something else.
    """
    if _is_path(sources) or is_cube_in_memory(sources):
        return [sources]
    # The keys of a mapping would be taken for paths.
    if isinstance(sources, Mapping) or not np.iterable(sources):
        raise ImportAreaError(f"sources is {_shown(sources)}: give files, folders or cubes")
    listed = list(sources)
    if not listed:
        raise ImportAreaError("there are no sources: give files, folders or cubes")
    for source in listed:
        if not _is_path(source) and not is_cube_in_memory(source):
            raise ImportAreaError(
                f"one of the sources is {_shown(source)}: give files, folders or cubes of xarray"
            )
    return listed


def path_of(value: Any, what: str) -> Path:
    """A path that the user gives.

    Raises:
        ImportAreaError: it is something else.
    """
    if not _is_path(value):
        raise ImportAreaError(f"{what} is {_shown(value)}: give a path")
    return Path(value)


def names_of(value: Any, option: str) -> list[str]:
    """Names in their order; a text is divided at its commas, as on the command line.

    Raises:
        ImportAreaError: it is none, or has no order.
    """
    if value is None:
        return []
    if isinstance(value, str):
        return [name.strip() for name in value.split(",") if name.strip()]
    has_order = np.iterable(value) and not isinstance(value, Mapping | Set)
    names = list(value) if has_order else [None]
    if not all(isinstance(name, str) for name in names):
        raise ImportAreaError(f"{option} is {_shown(value)}: give a list of names in their order")
    return names


def pairs_of(value: Any, option: str) -> dict[Any, Any]:
    """A mapping that the user gives.

    Raises:
        ImportAreaError: it is something else.
    """
    if value is None:
        return {}
    if not hasattr(value, "items"):  # as a Series of pandas has it too
        raise ImportAreaError(f"{option} is {_shown(value)}: give a mapping, such as a dict")
    return dict(value.items())


def size_of(value: Any) -> int:
    """The pixels along a patch's side that the user gives.

    Raises:
        ImportAreaError: it is no whole number.
    """
    if not isinstance(value, int | np.integer):
        raise ImportAreaError(f"patch size {_shown(value)}: give a whole number")
    return int(value)


def units_of(value: Any) -> InputUnits:
    """The units that the user gives, or those that are not known.

    Raises:
        ImportAreaError: it is something else, or holds what is no number.
    """
    if value is None:
        return InputUnits()
    if not isinstance(value, InputUnits):
        raise ImportAreaError(f"units is {_shown(value)}: give InputUnits(...)")
    for field in ("s2_scale", "s2_offset", "no_data"):
        number = getattr(value, field)
        if number is not None and not _is_number(number):
            raise ImportAreaError(f"{field} is {_shown(number)}: give a number")
    return value


def _is_path(value: Any) -> bool:
    # An empty text, such as that of a variable that is not set, would be the current folder.
    return isinstance(value, str | os.PathLike) and value != ""


def _shown(value: Any) -> str:
    """A value of a wrong type for a message: short, and on one line."""
    return f"{printable(repr(value))[:60]} ({type(value).__name__})"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)


def _whole_number(value: Any) -> int | None:
    """The whole number that a value is, also as a decimal number or text; None for any other."""
    if isinstance(value, str) and value.strip().isdecimal():
        return int(value)
    is_whole = _is_number(value) and np.isfinite(value) and value == int(value)
    return int(value) if is_whole else None


def typology_of(names: Sequence[str]) -> Typology:
    """Make classes of a user's own, in MultiSenGE's colours, which begin again when they run out.

    Raises:
        ImportAreaError: there are fewer than two names, or two of them are equal.
    """
    if len(names) < 2:
        raise ImportAreaError(
            f"--classes gives {counted(len(names), 'name', 'names')}: give two or more, joined by "
            "commas, from id 1"
        )
    twice = sorted({name for name in names if list(names).count(name) > 1})
    if twice:
        raise ImportAreaError(
            f"--classes gives {printable(twice[0])} twice: give each class a name of its own"
        )
    colors = cycle(MULTISENGE.reference_classes.colors)
    classes = []
    for class_id, name in enumerate(names, 1):
        classes.append((name, next(colors), (class_id,)))
    return make_typology(classes)


def reference_options(
    path: Any,
    typology: Typology,
    reclass: Mapping[Any, Any],
    attribute: str | None,
    units: InputUnits,
) -> ReferenceOptions | None:
    """Gather what the user says of the reference; arguments as in `import_area`.

    Raises:
        ImportAreaError: it is no file, or an id is none of the classes.
    """
    if path is None:
        if reclass or attribute:
            raise ImportAreaError("--reclass and --attribute need a reference: give --reference")
        return None
    path = path_of(path, "the reference")
    if attribute is not None and not isinstance(attribute, str):
        raise ImportAreaError(f"attribute is {_shown(attribute)}: give the name of a column")
    is_vector_folder = path.suffix.lower() == VECTOR_FOLDER and path.is_dir()
    if not path.is_file() and not is_vector_folder:
        raise ImportAreaError(
            f"the reference {printable(path)} is no file: give a raster or vector"
        )
    options = ReferenceOptions(path, typology.names, {}, attribute, units.no_data)
    if attribute and not options.is_vector:
        raise ImportAreaError(
            f"--attribute {printable(attribute)} names a column of a vector, and the reference "
            f"{printable(path)} is a raster: leave the option out"
        )
    # As text, because a raster holds numbers, and the column of a vector may hold names.
    by_text: dict[str, int] = {}
    for old, new in reclass.items():
        class_id = _whole_number(new)
        if class_id is None or not 0 <= class_id <= len(typology):
            raise ImportAreaError(
                f"reclass {printable(old)}={printable(new)}: class ids are 1 to {len(typology)}, "
                "and 0 for no data; name other classes with --classes"
            )
        if by_text.setdefault(id_text(old), class_id) != class_id:
            raise ImportAreaError(
                f"reclass gives {printable(old)} the classes {by_text[id_text(old)]} and "
                f"{class_id}: give it one"
            )
    return replace(options, reclass=by_text)


def user_bands(s1_bands: Sequence[str], s2_bands: Sequence[str]) -> dict[str, list[str]]:
    """Read the order of bands that the user gives, by sensor; `-` for a band of no use."""
    by_sensor = {}
    for sensor, names in (("s1", s1_bands), ("s2", s2_bands)):
        if not names:
            continue
        used_bands = MULTISENGE.bands[sensor]
        bands = []
        for name in unambiguous_names(names):
            band = name if name == "-" else band_of(name, sensor)
            if band not in (*used_bands, *_UNUSED_BANDS, "-"):
                raise ImportAreaError(
                    f"{sensor} bands: {printable(name)!r} names none; give "
                    f"{', '.join(used_bands)}, and - for one of no use"
                )
            bands.append(band)
        named = [band for band in bands if band != "-"]
        if len(set(named)) < len(named):
            raise ImportAreaError(f"{sensor} bands {', '.join(bands)}: give each once")
        by_sensor[sensor] = bands
    return by_sensor


def check_options(options: ImportOptions) -> None:
    """Refuse impossible options before any file is opened."""
    if not isinstance(options.name, str):
        raise ImportAreaError(f"name is {_shown(options.name)}: give a text")
    units = options.units
    if units.s1 not in (None, *get_args(S1Unit)):
        choices = ", ".join(get_args(S1Unit))
        raise ImportAreaError(f"unit {units.s1!r} of Sentinel-1: give one of {choices}")
    scale = 1 if units.s2_scale is None else units.s2_scale
    offset = units.s2_offset or 0
    if not (np.isfinite(scale) and scale > 0 and np.isfinite(offset)):
        raise ImportAreaError(
            f"scale {scale} and offset {offset} of Sentinel-2: give numbers, the scale above 0"
        )
    if offset > 0:
        raise ImportAreaError(
            f"offset {offset:g} of Sentinel-2: it is added to stored values, so what undoes ESA's "
            "addition is negative: give -1000, or -0.1 where reflectance is stored from 0 to 1"
        )
    for missing, other in options.fill.items():
        if {missing, other} <= {*S1_BANDS}:
            raise ImportAreaError(
                f"fill {missing}={other}: VV is several decibels above VH, so neither stands in "
                "for the other; leave out the dates that lack one"
            )
        if not {missing, other} <= {*S2_BANDS}:
            raise ImportAreaError(f"fill {missing}={other}: give two bands of Sentinel-2")
    size = options.size
    if size % SIZE_MULTIPLE or not SIZE_MULTIPLE <= size <= LARGEST_SIZE:
        raise ImportAreaError(
            f"patch size {size}: give a multiple of {SIZE_MULTIPLE}, up to {LARGEST_SIZE}"
        )
