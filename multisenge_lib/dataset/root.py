"""Which dataset a data root holds: the sample, MultiSenGE, or what its `dataset.toml` says.

The keys of a `dataset.toml` are those of `multisenge.toml`, beside this module.
"""

import hashlib
import json
import math
import os
import re
import tomllib
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from multisenge_lib import paths
from multisenge_lib.dataset.grid import tile_corner
from multisenge_lib.dataset.layout import (
    BLOCKS,
    LABEL_NAME,
    LABELS,
    MULTISENGE,
    PIXEL,
    SAMPLE,
    SAMPLE_MARKER,
    SELECTION_MARK,
    SPLITS,
    STRIDE,
    UNFINISHED_SAMPLE,
    Blocks,
    Dataset,
    check_months,
    dataset_from_dict,
)
from multisenge_lib.dataset.typology import TYPOLOGIES, Typology, make_typology
from multisenge_lib.errors import DescriptionError, MultiSenGEError
from multisenge_lib.files import write_text

#: At a data root: what it holds.
DESCRIPTION = "dataset.toml"


class _Wrong(DescriptionError):
    """What is wrong, and the keys that lead to it."""

    def __init__(self, keys: Sequence[str | int], problem: str):
        super().__init__(problem)
        self.keys = keys


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
    found = LABEL_NAME.fullmatch(name)
    if found is None:
        return True
    on_grid = all(int(offset) % STRIDE == 0 for offset in found.groups()[1:])
    return on_grid and found[1] in MULTISENGE.split_of_tile


def given_data_root(given: Path | str | None = None) -> Path | None:
    """The data root that is given, else the one that `MULTISENGE_ROOT` names, else None.

    Raises:
        MultiSenGEError: `MULTISENGE_ROOT` names nothing that exists, or the root is a sample that
            was cut off while it was written.
    """
    root = Path(given).expanduser() if given else paths.real_data_root()
    if root is not None and (root / UNFINISHED_SAMPLE).exists():
        raise MultiSenGEError(
            f"{root} is a sample that was not finished: write it again with "
            f"`multisenge sample {root}`"
        )
    return root


def has_description(root: Path) -> bool:
    """Whether a folder says itself which dataset it holds."""
    return (root / SAMPLE_MARKER).is_file() or (root / DESCRIPTION).exists()


def dataset_of_root(root: Path | str) -> Dataset:
    """The dataset of a data root.

    The sample is told by its marker, another area by its `dataset.toml`, MultiSenGE by the names of
    its label files.

    Raises:
        DescriptionError: it is none of them, or the description is wrong: naming file and line.
    """
    root = Path(root)
    if (root / SAMPLE_MARKER).is_file():
        return _sample(root / SAMPLE_MARKER)
    if (root / DESCRIPTION).exists():
        return _read(root / DESCRIPTION)
    try:
        names = [entry.name for entry in os.scandir(root / LABELS)]
    except OSError as error:
        raise DescriptionError(
            f"{root / LABELS} cannot be listed ({error.strerror}): a data root has the label files "
            "in this folder"
        ) from None
    for foreign in (name for name in names if not _of_multisenge(name)):
        raise DescriptionError(
            f"{root} is not MultiSenGE, {foreign} is none of its patches: say what it holds in "
            f"{root / DESCRIPTION}; `multisenge check {root}` drafts it"
        )
    return MULTISENGE


def _check_schema(content: dict[str, Any]) -> None:
    """Types, ranges and keys, by `description.schema.json`."""
    from jsonschema import Draft4Validator  # of all drafts the one in which 64.0 is no integer

    schema = json.loads(files(__package__).joinpath("description.schema.json").read_text())
    for error in Draft4Validator(schema).iter_errors(content):
        keys = [*error.absolute_path]
        if error.validator == "additionalProperties":
            keys.append(
                next(key for key in error.instance if key not in error.schema["properties"])
            )
        if error.validator in ("required", "additionalProperties"):
            raise _Wrong(keys, error.message)
        rule = error.schema.get("description", error.message)
        where, received = ".".join(map(str, keys)), str(error.instance)[:60]
        raise _Wrong(keys, f"{where} is {received!r}, must be {rule}")


def _check_meaning(content: dict[str, Any]) -> None:
    """What a schema cannot say."""
    keys = ["months"]
    try:
        check_months(content["months"], content["years"])
        for tile in content["tiles"]:
            keys = ["tiles", tile]
            tile_corner(tile)
    except MultiSenGEError as error:
        raise _Wrong(keys, str(error)) from None
    for sensor, bands in content.get("bands", {}).items():
        order = MULTISENGE.bands[sensor]
        if bands != [band for band in order if band in bands]:
            raise _Wrong(["bands", sensor], f"{sensor}: give each band once, in the order {order}")
    numbers = {("cities", city): place for city, place in content.get("cities", {}).items()}
    numbers["blocks", "shares"] = content.get("blocks", {}).get("shares", ())
    for keys, values in numbers.items():
        if not all(map(math.isfinite, values)):
            raise _Wrong(keys, "nan is no number here")
    _check_groupings(content)


def _check_groupings(content: dict[str, Any]) -> None:
    """Each grouping has every class of the reference once, and a name that no other has."""
    number_of_classes = len(content.get("classes", MULTISENGE.published))
    expected_ids = list(range(1, number_of_classes + 1))
    groupings = content.get("groupings", [])
    named = isinstance(groupings, dict)
    keys = list(groupings) if named else list(range(len(groupings)))
    names = {f"{number_of_classes}c"}
    for key in keys:
        ids = [i for group in groupings[key] for i in group["ids"]]
        if sorted(ids) != expected_ids:
            rule = f"each id from 1 to {number_of_classes} must be in one group of each grouping"
            raise _Wrong(["groupings", key], rule)
        if not named:
            continue
        # The name is part of the names of experiments, records and their folders.
        if not re.fullmatch(r"[A-Za-z0-9_]{1,32}", key):
            rule = "a grouping's name is up to 32 letters, digits and _"
            raise _Wrong(["groupings", key], f"groupings.{key}: {rule}")
        if key.lower() in names:
            rule = "another grouping, or the reference itself, has this name: choose another one"
            raise _Wrong(["groupings", key], f"groupings.{key}: {rule}")
        names.add(key.lower())


def _free_name(number_of_classes: int, taken: Iterable[str]) -> str:
    """The name of a grouping that has none: `2c`, or `2c_2`, `2c_3` where that is taken."""
    name = f"{number_of_classes}c"
    attempt = 1
    while name in taken:
        attempt += 1
        name = f"{number_of_classes}c_{attempt}"
    return name


def _published(content: dict[str, Any]) -> Typology:
    """The classes of the reference: the description's, or MultiSenGE's."""
    if not content.get("classes"):
        return MULTISENGE.published
    rows = [(c["name"], c["color"], (i,)) for i, c in enumerate(content["classes"], start=1)]
    return make_typology(rows)


def _groupings(content: dict[str, Any], published: Typology) -> tuple[Typology, ...]:
    """The groupings of a description; MultiSenGE's where it has neither classes nor groupings."""
    if not content.get("classes") and not content.get("groupings"):
        return MULTISENGE.groupings
    described = content.get("groupings", [])
    named = described if isinstance(described, dict) else {}
    unnamed = [] if isinstance(described, dict) else described

    typologies = {published.name: published}
    for name, groups in named.items():
        typologies[name] = make_typology(_rows(groups), name)
    for groups in unnamed:
        name = _free_name(len(groups), typologies)
        typologies[name] = make_typology(_rows(groups), name)
    del typologies[published.name]
    return tuple(typologies.values())


def _rows(groups: list[dict[str, Any]]) -> list[tuple[str, str, tuple[int, ...]]]:
    return [(group["name"], group["color"], tuple(group["ids"])) for group in groups]


def _dataset(content: dict[str, Any]) -> Dataset:
    """The dataset of a description as TOML gives it."""
    _check_schema(content)
    _check_meaning(content)
    published = _published(content)
    described = {key: value for key, value in content.items() if key != "groupings"}
    return replace(
        dataset_from_dict(described), published=published, groupings=_groupings(content, published)
    )


def _plain(dataset: Dataset) -> dict[str, Any]:
    """The inverse of `_dataset`."""
    content = msgspec.to_builtins(dataset, enc_hook=dict)
    content["tiles"] = content.pop("split_of_tile")
    content.pop("published", None)
    content.pop("groupings", None)
    if dataset.typologies == TYPOLOGIES:
        return content

    groupings = {}
    for typology in dataset.groupings:
        groups = [{"name": c.name, "color": c.color, "ids": c.members} for c in typology.classes]
        groupings[typology.name] = groups
    classes = [{"name": c.name, "color": c.color} for c in dataset.published.classes]
    return content | {"groupings": groupings, "classes": classes}


def _value(value: Any) -> str:
    """A value as TOML: JSON but for tables, which take `=`."""
    if isinstance(value, Mapping):
        inner = ", ".join(f"{_key(k)} = {_value(v)}" for k, v in value.items())
        return f"{{ {inner} }}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else _value(key)


def _lines(table: Mapping[str, Any]) -> str:
    return "".join(f"{_key(key)} = {_value(value)}\n" for key, value in table.items())


def to_toml(dataset: Dataset) -> str:
    """The text of `dataset.toml`."""
    content = _plain(dataset)
    tables = {k: v for k, v in content.items() if isinstance(v, Mapping) and v}
    plain = {k: v for k, v in content.items() if not isinstance(v, Mapping)}
    return _lines(plain) + "".join(f"\n[{k}]\n{_lines(table)}" for k, table in tables.items())


def _numbers(text: str) -> list[int | str]:
    return [int(part) if part.strip().isdecimal() else part for part in text.split(",")]


def _splits(text: str, dataset: Dataset) -> dict[str, str]:
    """`31UEQ,31UFQ=validation` as a table of tiles."""
    splits = dict(part.strip().partition("=")[::2] for part in text.split(","))
    for unknown in (tile for tile in splits if tile not in dataset.tiles):
        raise DescriptionError(
            f"tiles: {dataset.name} has no {unknown!r}: choose among {', '.join(dataset.tiles)}"
        )
    return {t: splits[t] or dataset.split_of(t) for t in dataset.tiles if t in splits}


def with_selection(
    dataset: Dataset,
    months: str | int | None = None,
    days_gap: int | None = None,
    s1_rule: str | None = None,
    tiles: str | None = None,
) -> Dataset:
    """A dataset with another selection, as the notebook's parameters say it; None: its own.

    Args:
        dataset: of a data root.
        months: in order, such as `7,8`.
        days_gap: least days between two consecutive Sentinel-2 acquisitions.
        s1_rule: `first` or `nearest`, see `select`.
        tiles: which to use, and for what where that changes: `31UEQ,31UFP,31UFQ=train`.

    Returns:
        Under a name of its own where it differs, so that records are never mixed.

    Raises:
        DescriptionError: a parameter that cannot be, or a tile that is not there.
    """
    given = {
        "months": _numbers(str(months)) if months else None,
        "days_gap": days_gap,
        "s1_rule": s1_rule or None,
        "tiles": _splits(tiles, dataset) if tiles else None,
    }
    given = {key: value for key, value in given.items() if value is not None}
    content = tomllib.loads(to_toml(dataset)) | given | {"name": "any"}
    varied = replace(_dataset(content), name=dataset.name)
    if varied == dataset:
        return dataset
    selection = (
        varied.months,
        varied.days_gap,
        varied.s1_rule,
        sorted(varied.split_of_tile.items()),
    )
    digest = hashlib.sha256(repr(selection).encode()).hexdigest()[:8]
    return replace(varied, name=f"{dataset.name}{SELECTION_MARK}{digest}")


def _common_months(series: Iterable[Sequence[np.datetime64]]) -> tuple[int, ...]:
    """The months in order, of a year at most, that at least half of the patches have."""
    found = [np.unique(np.array(dates, "datetime64[M]")).astype(int) for dates in series]
    months, patches = np.unique(np.concatenate(found), return_counts=True)
    common = months[2 * patches >= len(found)].tolist()
    return tuple(month % 12 + 1 for month in common if month < common[0] + 12)


def draft_dataset(
    name: str,
    dates: Mapping[str, Mapping[str, Sequence[np.datetime64]]],
    size: int,
    bands: Mapping[str, Sequence[str]],
    published: Typology | None = None,
    learn: bool = True,
) -> Dataset:
    """A first description of a data root, from what it holds; to be looked at by its user.

    The months are those of the first year's series that half of the patches have. Tiles are divided
    in a dozen blocks or more; they keep the default distance where they are of the default size,
    that of a patch where they are four patches wide, and none in an area too small for that.

    Args:
        name: of the dataset; what a folder's name may not hold becomes `-`.
        dates: of each patch and sensor.
        size: pixels along a patch's side.
        bands: of each sensor.
        published: the classes of the reference; by default MultiSenGE's.
        learn: whether there is a reference to learn from; else all patches are for test.
    """
    leading = "s2" if "s2" in bands else "s1"
    years = [np.array(days, "datetime64[Y]") for of in dates.values() for days in of.values()]
    ground = size * PIXEL
    side = math.sqrt(len(dates) / 12) * ground // ground * ground
    side = int(min(max(side, ground), Blocks.size))
    distance = Blocks.distance if side == Blocks.size else ground * (side >= 4 * ground)
    split = BLOCKS if learn and len(dates) >= len(SPLITS) else "test"
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-_")[:64] or "area"
    return Dataset(
        name=f"my-{name}" if name.lower() in ("sample", "multisenge") else name,
        years=tuple((np.unique(np.concatenate(years)).astype(int) + 1970).tolist()),
        split_of_tile={patch.split("_")[0]: split for patch in sorted(dates)},
        months=_common_months(of[leading] for of in dates.values()) or (1,),
        days_gap=MULTISENGE.days_gap,
        patch_pixels=size,
        blocks=Blocks(side, distance),
        bands={sensor: tuple(of) for sensor, of in sorted(bands.items())},
        published=MULTISENGE.published if published is None else published,
        groupings=MULTISENGE.groupings if published is None else (),
    )


def _is_there(keys: Sequence[str | int], content: Any) -> bool:
    try:
        for key in keys:
            content = content[key]
    except (KeyError, IndexError):
        return False
    return True


def _line_of(keys: Sequence[str | int], text: str) -> int:
    """The line where the statement begins that gives a TOML file the value at `keys`."""
    lines, begins = text.split("\n"), [0]
    for end in range(1, len(lines) + 1):
        with suppress(tomllib.TOMLDecodeError):  # a statement goes on
            tomllib.loads("\n".join(lines[begins[-1] : end]))
            begins.append(end)

    def is_there(statements: int) -> bool:
        return _is_there(keys, tomllib.loads("\n".join(lines[: begins[statements]])))

    return begins[bisect_left(range(1, len(begins)), True, key=is_there)] + 1


def _read(path: Path) -> Dataset:
    try:
        text = path.read_text(encoding="utf-8")
        return _dataset(tomllib.loads(text))
    except _Wrong as error:
        line = f", line {_line_of(error.keys, text)}" if error.keys else ""
        raise DescriptionError(f"{path}{line}: {error}") from None
    except (OSError, ValueError, RecursionError) as error:
        raise DescriptionError(f"{path} cannot be read: {error}") from None


def write_dataset_toml(root: Path | str, dataset: Dataset) -> Path:
    """Write `dataset.toml` at a data root, which is made if need be, for `describe` to read back.

    Raises:
        DescriptionError: the dataset cannot be described so: naming the key.
        FileError: the file cannot be written.
    """
    text = to_toml(dataset)
    _dataset(tomllib.loads(text))
    return write_text(Path(root) / DESCRIPTION, text)
