"""Which dataset a data root holds: the sample, MultiSenGE, or what its `dataset.toml` says.

name = "my-valley"            # records go to results/my-valley/
years = [2021, 2022]          # that acquisitions may be of
months = [11, 12, 1, 2]       # one acquisition of each, in the order of the series
days_gap = 17                 # optional: least days between consecutive ones
patch_pixels = 64             # along a patch's side
showcase = ["19FDV_0_64"]     # optional: patches that figures show

# optional: classes of the reference put together, each id in one of them; by default
# MultiSenGE's 10 and 6, where its classes are
groupings = [[{ name = "Built", color = "#a50026", ids = [1] },
{ name = "Open", color = "#ffef9f", ids = [2, 3] }]]

[tiles]                       # train, validation or test; or blocks, to divide the tile
19FDV = "blocks"

[blocks]                      # optional: squares of ground that go to one split each
size = 5120                   # metres
distance = 1280               # metres between patches of two splits; nearer ones are left out
shares = [0.6, 0.2, 0.2]      # train, validation, test
seed = 1

[bands]                       # optional: what the rasters hold; a sensor left out is not there
s2 = ["B2", "B3", "B4", "B8"] # in this order, the spectral one
s1 = ["VV", "VH"]

[[classes]]                   # optional: ids of the reference, from 1; by default MultiSenGE's
name = "Built"
color = "#a50026"

[cities]                      # optional: places on maps, longitude and latitude
Ushuaia = [-68.30, -54.80]
"""

import json
import math
import os
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from importlib.resources import files
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from multisenge_lib.dataset.geo import tile_corner
from multisenge_lib.dataset.layout import (
    BLOCKS,
    LABELS,
    MULTISENGE,
    PIXEL,
    S1_BANDS,
    S2_BANDS,
    SAMPLE,
    SAMPLE_MARKER,
    SPLITS,
    Blocks,
    Dataset,
    check_months,
)
from multisenge_lib.dataset.typology import TYPOLOGIES, Typology, make_typology
from multisenge_lib.errors import DescriptionError, MultiSenGEError
from multisenge_lib.files import write_text

#: At a data root: what it holds.
DESCRIPTION = "dataset.toml"
#: Offsets of MultiSenGE's patches are multiples of this many pixels.
_STRIDE = 257
_LABEL = re.compile(r"([^_]+)_(\d+)_(\d+)\.json")


class _Wrong(DescriptionError):
    """A key, and what is wrong with it."""

    def __init__(self, key: str, problem: str):
        super().__init__(problem)
        self.key = key


def _sample(marker: Path) -> Dataset:
    try:
        size = json.loads(marker.read_text(encoding="utf-8")).get("size", SAMPLE.patch_pixels)
        return replace(SAMPLE, patch_pixels=int(size))
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise DescriptionError(
            f"{marker} cannot be read ({error}): delete the folder and write the sample again"
        ) from None


def _of_multisenge(name: str) -> bool:
    """Whether a label file of this name is one of MultiSenGE's, or none at all."""
    found = _LABEL.fullmatch(name)
    if found is None:
        return True
    on_grid = all(int(offset) % _STRIDE == 0 for offset in found.groups()[1:])
    return on_grid and found[1] in MULTISENGE.split_of_tile


def is_described(root: Path) -> bool:
    """Whether a folder says itself which dataset it holds."""
    return (root / SAMPLE_MARKER).is_file() or (root / DESCRIPTION).exists()


def describe(root: Path | str) -> Dataset:
    """The dataset of a data root.

    The sample is told by its marker, another area by its `dataset.toml` (see this module's
    docstring), MultiSenGE by the names of its label files.

    Args:
        root: the data root.

    Raises:
        DescriptionError: it is none of them, or the description is wrong: naming file and line.
    """
    root = Path(root)
    if (root / SAMPLE_MARKER).is_file():
        return _sample(root / SAMPLE_MARKER)
    if (root / DESCRIPTION).exists():
        return read_description(root)
    try:
        names = [entry.name for entry in os.scandir(root / LABELS)]
    except OSError as error:
        raise DescriptionError(
            f"{root / LABELS} cannot be listed ({error.strerror}): a data root has the label files "
            "in this folder"
        ) from None
    foreign = next((name for name in names if not _of_multisenge(name)), None)
    if foreign is not None:
        raise DescriptionError(
            f"{root} is not MultiSenGE, {foreign} is none of its patches: say what it holds in "
            f"{root / DESCRIPTION}; `multisenge check {root}` drafts it"
        )
    return MULTISENGE


def _line(text: str, key: str) -> int | None:
    found = re.search(rf"^[^#\n]*?\b{re.escape(key)}\b", text, re.MULTILINE)
    return text.count("\n", 0, found.start()) + 1 if found else None


def _check_schema(content: dict[str, Any]) -> None:
    """Types, ranges and keys, by `description.schema.json`.

    Raises:
        _Wrong: the first thing that is wrong.
    """
    from jsonschema import Draft202012Validator

    schema = json.loads(files(__package__).joinpath("description.schema.json").read_text())
    error = next(Draft202012Validator(schema).iter_errors(content), None)
    if error is None:
        return
    keys = [str(key) for key in error.absolute_path]
    if error.validator in ("required", "additionalProperties"):
        raise _Wrong(keys[-1] if keys else "", error.message)
    raise _Wrong(
        next((key for key in reversed(keys) if not key.isdecimal()), keys[0]),
        f"{'.'.join(keys)} is {str(error.instance)[:60]!r}, must be "
        f"{error.schema.get('description', error.message)}",
    )


def _check_meaning(content: dict[str, Any]) -> None:
    """What a schema cannot say; a `_Wrong` as in `_check_schema`."""
    for tile in content["tiles"]:
        try:
            tile_corner(tile)
        except MultiSenGEError as error:
            raise _Wrong(tile, str(error)) from None
    try:
        check_months(content["months"], content["years"])
    except MultiSenGEError as error:
        raise _Wrong("months", str(error)) from None
    for sensor, bands in content.get("bands", {}).items():
        order = {"s1": S1_BANDS, "s2": S2_BANDS}[sensor]
        if bands != [band for band in order if band in bands]:
            raise _Wrong(sensor, f"{sensor}: give each band once, in the order {order}")
    numbers = [
        *content.get("blocks", {}).get("shares", ()),
        *chain(*content.get("cities", {}).values()),
    ]
    if not all(map(math.isfinite, numbers)):
        raise _Wrong("shares" if "blocks" in content else "cities", "nan is no number here")
    ids = range(1, len(content.get("classes", MULTISENGE.published)) + 1)
    for grouping in content.get("groupings", ()):
        if sorted(i for group in grouping for i in group["ids"]) != list(ids):
            raise _Wrong(
                "groupings", f"each id from 1 to {len(ids)} must be in one group of each grouping"
            )


def _typologies(content: dict[str, Any]) -> dict[int, Typology]:
    classes, groupings = content.get("classes"), content.get("groupings", [])
    found = {} if classes or groupings else dict(TYPOLOGIES)
    rows = [[(g["name"], g["color"], tuple(g["ids"])) for g in group] for group in groupings]
    if classes:
        rows.append([(c["name"], c["color"], (i,)) for i, c in enumerate(classes, 1)])
    elif groupings:
        found[len(MULTISENGE.published)] = MULTISENGE.published
    return found | {len(row): make_typology(row) for row in rows}


def from_dict(content: dict[str, Any]) -> Dataset:
    """The dataset of a description as TOML or JSON gives it; the inverse of `to_dict`.

    Raises:
        DescriptionError: naming what is wrong.
    """
    _check_schema(content)
    _check_meaning(content)
    blocks = content.get("blocks", {})
    if "shares" in blocks:
        blocks = blocks | {"shares": tuple(blocks["shares"])}
    bands = content.get("bands", MULTISENGE.bands)
    return Dataset(
        name=content["name"],
        years=tuple(map(int, content["years"])),
        split_of_tile=content["tiles"],
        months=tuple(map(int, content["months"])),
        days_gap=content.get("days_gap", MULTISENGE.days_gap),
        patch_pixels=int(content["patch_pixels"]),
        blocks=Blocks(**blocks),
        bands={sensor: tuple(bands[sensor]) for sensor in sorted(bands)},
        typologies=_typologies(content),
        showcase=tuple(content.get("showcase", ())),
        cities={name: tuple(place) for name, place in content.get("cities", {}).items()},
    )


def to_dict(dataset: Dataset) -> dict[str, Any]:
    """A description as plain lists and numbers, for a record or `dataset.toml`."""
    published = dataset.published
    content = {
        "name": dataset.name,
        "years": list(dataset.years),
        "months": list(dataset.months),
        "days_gap": dataset.days_gap,
        "patch_pixels": dataset.patch_pixels,
        "showcase": list(dataset.showcase),
        "tiles": dict(dataset.split_of_tile),
        "blocks": asdict(dataset.blocks) | {"shares": list(dataset.blocks.shares)},
        "bands": {sensor: list(bands) for sensor, bands in dataset.bands.items()},
        "cities": {name: list(place) for name, place in dataset.cities.items()},
    }
    if dict(dataset.typologies) == TYPOLOGIES:
        return content
    groups = [t for t in dataset.typologies.values() if t != published]
    return content | {
        "groupings": [
            [
                {"name": c.name, "color": c.color, "ids": list(ids)}
                for c, ids in zip(t.classes, t.members, strict=True)
            ]
            for t in groups
        ],
        "classes": [{"name": c.name, "color": c.color} for c in published.classes],
    }


def _value(value: Any) -> str:
    """A value as TOML: JSON but for tables, which take `=`."""
    if isinstance(value, dict):
        inner = ", ".join(f"{_key(k)} = {_value(v)}" for k, v in value.items())
        return f"{{ {inner} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else _value(key)


def to_toml(dataset: Dataset) -> str:
    """The text of `dataset.toml`."""
    content = to_dict(dataset)
    plain = [f"{_key(k)} = {_value(v)}" for k, v in content.items() if not isinstance(v, dict)]
    tables = [
        f"\n[{name}]\n" + "\n".join(f"{_key(k)} = {_value(v)}" for k, v in table.items())
        for name, table in content.items()
        if isinstance(table, dict) and table
    ]
    return "\n".join(plain + tables) + "\n"


def _series(dates: Iterable[np.ndarray]) -> tuple[list[int], list[int]]:
    """Years of all dates, and the months in order that at least half of the patches have."""
    found = [np.unique(d.astype("datetime64[M]").astype(int)) for d in dates]
    months, patches = np.unique(np.concatenate([*found, []]).astype(int), return_counts=True)
    common = months[2 * patches >= len(found)]
    return sorted({1970 + m // 12 for m in months.tolist()}), [
        m % 12 + 1 for m in common[common < common[0] + 12].tolist()
    ] if len(common) else []


def draft_description(
    name: str,
    dates: Mapping[str, Mapping[str, Sequence[np.datetime64]]],
    size: int,
    bands: Mapping[str, Sequence[str]],
    published: Typology | None = None,
    learn: bool = True,
) -> Dataset:
    """A first description of a data root, from what it holds; to be looked at by its user.

    The months are those of the first year's series that half of the patches have. Tiles are divided
    in a dozen blocks or more; their distance is the default where they are of the default size, and
    none where the area is too small for one.

    Args:
        name: of the dataset; what a folder's name may not hold becomes `-`.
        dates: of each patch and sensor.
        size: pixels along a patch's side.
        bands: of each sensor.
        published: the classes of the reference; by default MultiSenGE's.
        learn: whether there is a reference to learn from; else all patches are for test.
    """
    leading = "s2" if "s2" in bands else "s1"
    series = [np.array(of[leading], "datetime64[D]") for of in dates.values()]
    years, months = _series(series)
    everywhere, _ = _series(
        np.array(d, "datetime64[D]") for of in dates.values() for d in of.values()
    )
    ground = size * PIXEL
    side = math.sqrt(len(dates) / 12) * ground // ground * ground
    side = int(min(max(side, ground), Blocks.size))
    split = BLOCKS if learn and len(dates) >= len(SPLITS) else "test"
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-_")[:64] or "area"
    return Dataset(
        name=f"my-{name}" if name.lower() in ("sample", "multisenge") else name,
        years=tuple(everywhere or years),
        split_of_tile={patch.split("_")[0]: split for patch in sorted(dates)},
        months=tuple(months or (1,)),
        days_gap=MULTISENGE.days_gap,
        patch_pixels=size,
        blocks=Blocks(side, Blocks.distance if side == Blocks.size else 0),
        bands={sensor: tuple(of) for sensor, of in sorted(bands.items())},
        typologies=TYPOLOGIES if published is None else {len(published): published},
    )


def read_description(root: Path | str) -> Dataset:
    """The dataset that `dataset.toml` at a data root describes.

    Raises:
        DescriptionError: it cannot be read or is wrong: naming file, line and key.
    """
    path = Path(root) / DESCRIPTION
    try:
        text = path.read_text(encoding="utf-8")
        return from_dict(tomllib.loads(text))
    except _Wrong as error:
        line = _line(text, error.key) if error.key else None
        where = f"{path}, line {line}" if line else str(path)
        raise DescriptionError(f"{where}: {error}") from None
    except (OSError, ValueError, RecursionError) as error:
        raise DescriptionError(f"{path} cannot be read: {error}") from None


def write_description(root: Path | str, dataset: Dataset) -> Path:
    """Write `dataset.toml` at a data root, so that `describe` reads it back.

    Args:
        root: the data root; made where it is not there.
        dataset: what it holds; of another name than `sample` and `multisenge`.

    Raises:
        DescriptionError: the dataset cannot be described so: naming the key.
        FileError: the file cannot be written.
    """
    try:
        from_dict(to_dict(dataset))
    except _Wrong as error:
        raise DescriptionError(f"dataset {dataset.name!r}: {error}") from None
    return write_text(Path(root) / DESCRIPTION, to_toml(dataset))
