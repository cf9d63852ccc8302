"""The options of an import, checked before any file is opened."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import cycle
from pathlib import Path
from typing import Any, get_args

import numpy as np

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
    path: Path | str | None,
    typology: Typology,
    reclass: Mapping[Any, int],
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
    path = Path(path)
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
    for old, new in reclass.items():
        if not isinstance(new, int | np.integer) or not 0 <= new <= len(typology):
            raise ImportAreaError(
                f"reclass {old}={new}: class ids are 1 to {len(typology)}, and 0 for no data; name "
                "other classes with --classes"
            )
    # As text, because a raster holds numbers, and the column of a vector may hold names.
    by_text = {id_text(old): int(new) for old, new in reclass.items()}
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
