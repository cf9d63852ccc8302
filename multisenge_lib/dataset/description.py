"""The description of a dataset, `dataset.toml`: read, checked and written.

A data root of an area of your own says in this file what MultiSenGE says in the paper: its years,
the months of a series, which tile is for training, which bands its rasters have, and its classes.
The keys are those of `multisenge.toml`, beside this module.

A root of MultiSenNA, the authors' second region, says `based_on = "multisenna"` in it, and what
`multisenna.toml` leaves open.
"""

import hashlib
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
import tomli_w
from msgspec import Meta, Struct

from multisenge_lib.dataset.grid import tile_corner
from multisenge_lib.dataset.layout import (
    LARGEST_SIZE,
    MULTISENGE,
    S1_RULE_PATTERN,
    SELECTION_MARK,
    SENSORS,
    SIZE_MULTIPLE,
    Blocks,
    Dataset,
)
from multisenge_lib.dataset.months import check_months
from multisenge_lib.dataset.typology import COLOR_PATTERN, Typology, make_typology
from multisenge_lib.errors import DescriptionError, MultiSenGEError
from multisenge_lib.files import write_text

#: The file's name, at a data root.
DESCRIPTION = "dataset.toml"

# What the file may hold. Types and ranges are msgspec's to check; `description` is the rule in
# words, which an error about the key repeats.
_Year = Annotated[int, Meta(ge=2014, le=2100)]
_Month = Annotated[int, Meta(ge=1, le=12)]
_Metres = Annotated[int, Meta(ge=0, le=1_000_000)]
_Share = Annotated[float, Meta(ge=0.001, le=1000)]
_Degrees = Annotated[float, Meta(ge=-180, le=180)]
_Name = Annotated[str, Meta(min_length=1, max_length=200)]
_Color = Annotated[str, Meta(pattern=COLOR_PATTERN)]
_Id = Annotated[int, Meta(ge=1, le=254)]
_PatchName = Annotated[str, Meta(pattern=r"^[^_]+_(0|[1-9][0-9]*)_(0|[1-9][0-9]*)\Z")]
# Named, since Sphinx cannot read a module that has an f-string in an annotation.
_WHOLE_S1_RULE = rf"^({S1_RULE_PATTERN.pattern})\Z"
_PATCH_SIZES = (
    f"pixels along a patch's side: a multiple of {SIZE_MULTIPLE}, from {SIZE_MULTIPLE} to "
    f"{LARGEST_SIZE}"
)


#: Descriptions that another one may complete, by the name that `based_on` gives.
_BASES = {"multisenna": "multisenna.toml"}


class _Class(Struct, forbid_unknown_fields=True):
    """One class of the reference."""

    name: _Name
    color: _Color


class _Group(_Class, forbid_unknown_fields=True):
    """One class of a grouping."""

    ids: Annotated[tuple[_Id, ...], Meta(min_length=1)]


_Grouping = Annotated[tuple[_Group, ...], Meta(min_length=2)]


class _Blocks(Struct, forbid_unknown_fields=True):
    """The table of `Blocks`."""

    size: Annotated[int, Meta(ge=10, le=1_000_000)] = Blocks.size
    distance: _Metres = Blocks.distance
    shares: tuple[_Share, _Share, _Share] = Blocks.shares
    seed: Annotated[int, Meta(ge=0, lt=2**32)] = Blocks.seed


class _Bands(Struct, forbid_unknown_fields=True):
    """The bands of each sensor; None for a sensor that the dataset does not have."""

    s1: tuple[str, ...] | None = None
    s2: tuple[str, ...] | None = None


class _Description(Struct, forbid_unknown_fields=True):
    """The whole file."""

    name: Annotated[
        str,
        Meta(
            pattern=r"^(?!(?i:sample|multisenge)\Z)[A-Za-z0-9][A-Za-z0-9_-]{0,63}\Z",
            description="letters, digits, - and _, at most 64; neither sample nor multisenge",
        ),
    ]
    years: Annotated[
        tuple[_Year, ...],
        Meta(min_length=1, description="a list of years from 2014 on, such as [2021, 2022]"),
    ]
    months: Annotated[
        tuple[_Month, ...],
        Meta(min_length=1, description="a list of months 1 to 12, in the order of the series"),
    ]
    patch_pixels: Annotated[
        int,
        Meta(
            multiple_of=SIZE_MULTIPLE,
            ge=SIZE_MULTIPLE,
            le=LARGEST_SIZE,
            description=_PATCH_SIZES,
        ),
    ]
    tiles: Annotated[
        dict[str, Literal["train", "validation", "test", "blocks"]],
        Meta(
            min_length=1,
            description="a table of tiles, each train, validation, test or blocks",
        ),
    ]
    based_on: Annotated[
        Literal["multisenna"] | None,
        Meta(description="multisenna, whose classes and other keys are then taken where not given"),
    ] = None
    days_gap: Annotated[int, Meta(ge=0, le=366, description="whole days, 0 to 366")] = (
        MULTISENGE.days_gap
    )
    s1_rule: Annotated[
        str,
        Meta(pattern=_WHOLE_S1_RULE, description="first, nearest, or first2 to first9"),
    ] = "first"
    showcase: Annotated[
        tuple[_PatchName, ...], Meta(description="a list of patches such as 31UEQ_7453_4112")
    ] = ()
    classes: Annotated[
        Annotated[tuple[_Class, ...], Meta(min_length=2, max_length=254)] | None,
        Meta(description="2 to 254 classes with a name and a color such as #a50026"),
    ] = None
    groupings: Annotated[
        dict[str, _Grouping],
        Meta(
            description="a table of groupings by name; each is a list of two classes or more, "
            "with name, color and ids"
        ),
    ] = {}
    blocks: Annotated[
        _Blocks,
        Meta(
            description="a table of size (metres, 10 or more), distance (metres, 0 or more), "
            "shares (three numbers above 0: train, validation, test) and seed (0 or more)"
        ),
    ] = msgspec.field(default_factory=_Blocks)
    bands: Annotated[
        _Bands, Meta(description="a table with a list of bands for s1, s2 or both")
    ] = msgspec.field(default_factory=lambda: _Bands(**MULTISENGE.bands))
    cities: Annotated[
        dict[str, tuple[_Degrees, _Degrees]],
        Meta(description="a table of places, each [longitude, latitude] in degrees"),
    ] = {}


#: The rule of each key in words.
_RULES = {
    field.name: field.type.extra_json_schema["description"]
    for field in msgspec.inspect.type_info(_Description).fields
}


def _refused_key(table: str, content: Mapping[str, Any], error: msgspec.ValidationError) -> str:
    """Find the key of a table whose value msgspec refused; its own message shows only `...`."""
    for key, value in content[table].items():
        try:
            msgspec.convert({**content, table: {key: value}}, _Description)
        except msgspec.ValidationError as again:
            if str(again) == str(error):
                return key
    return "..."


def _explain(error: msgspec.ValidationError, content: Mapping[str, Any]) -> str:
    """Write one line about what msgspec refused: the key's path, its value, and the rule."""
    reason, _, path = str(error).partition(" - at `$.")
    if not path:  # a key of the file itself is missing, or is not a key
        return f"{reason}: the keys are {', '.join(_RULES)}"
    key_path = ""
    value = content
    for name, position in re.findall(r"(\w+)|\[(\d+|\.\.\.)\]", path):
        if position.isdecimal():
            key_path += f"[{position}]"
            value = value[int(position)]
            continue
        key = name or _refused_key(key_path, content, error)
        key_path += f".{key}" if key_path else key
        value = value.get(key)
    received = repr(value)[:60]
    if "regex" not in reason:  # a pattern helps nobody; the rule says it in words
        received = f"{received} ({reason})"
    top_level_key = re.split(r"[.\[]", key_path)[0]
    return f"{key_path} is {received}: {top_level_key} must be {_RULES[top_level_key]}"


def _check_tiles(description: _Description) -> None:
    for tile in description.tiles:
        try:
            tile_corner(tile)
        except MultiSenGEError as error:
            raise DescriptionError(f"tiles.{tile}: {error}") from None


def _check_class_names(description: _Description) -> None:
    """Refuse names that cannot be printed: a network's file, which carries them, would be refused.

    They become parts of tables, legends and XML files too.
    """
    tables = {"classes": description.classes or ()}
    for name, groups in description.groupings.items():
        tables[f"groupings.{name}"] = groups
    for key, classes in tables.items():
        for position, land_class in enumerate(classes):
            if not land_class.name.isprintable():
                raise DescriptionError(
                    f"{key}[{position}].name is {land_class.name!r}: it holds characters that "
                    "cannot be printed, such as line breaks; leave them out"
                )


def _check_order(description: _Description) -> None:
    """Check that months are in order, years each given once, and bands in the arrays' order."""
    if len(set(description.years)) < len(description.years):
        raise DescriptionError(f"years is {list(description.years)}: give each year once")
    try:
        check_months(description.months, description.years)
    except MultiSenGEError as error:
        raise DescriptionError(str(error)) from None
    for sensor in SENSORS:
        bands = getattr(description.bands, sensor)
        if bands is None:
            continue
        order = MULTISENGE.bands[sensor]
        in_order = tuple(band for band in order if band in bands)
        if not bands or bands != in_order:
            raise DescriptionError(
                f"bands.{sensor} is {list(bands)}: give each band once, in the order {order}"
            )
    if description.bands.s1 is None and description.bands.s2 is None:
        raise DescriptionError(f"bands is empty: it is {_RULES['bands']}")


def _check_grouping(name: str, groups: Sequence[_Group], number_of_classes: int) -> None:
    ids = []
    for group in groups:
        ids += group.ids
    if sorted(ids) != list(range(1, number_of_classes + 1)):
        raise DescriptionError(
            f"groupings.{name} has the ids {sorted(ids)}: each id from 1 to {number_of_classes} "
            "must be in one group of each grouping"
        )


def _check_name_of_grouping(name: str, used_names: Iterable[str]) -> None:
    # It becomes a part of the names of experiments, records and their folders.
    if not re.fullmatch(r"[A-Za-z0-9_]{1,32}", name):
        raise DescriptionError(
            f"groupings.{name}: a grouping's name is up to 32 letters, digits and _"
        )
    # Some file systems make no difference between Urban and urban.
    if name.lower() in [other.lower() for other in used_names]:
        raise DescriptionError(
            f"groupings.{name}: another grouping, or the reference itself, has this name: choose "
            "another one"
        )


def _reference_classes(description: _Description) -> Typology:
    """The classes of the reference: the description's, or MultiSenGE's."""
    if description.classes is None:
        return MULTISENGE.reference_classes
    rows = [
        (land_class.name, land_class.color, (class_id,))
        for class_id, land_class in enumerate(description.classes, start=1)
    ]
    return make_typology(rows)


def _groupings(description: _Description, reference_classes: Typology) -> tuple[Typology, ...]:
    """The groupings of a description; MultiSenGE's where it has neither classes nor groupings."""
    if description.classes is None and not description.groupings:
        return MULTISENGE.groupings

    typologies = {reference_classes.name: reference_classes}
    for name, groups in description.groupings.items():
        _check_name_of_grouping(name, typologies)
        _check_grouping(name, groups, len(reference_classes))
        rows = [(group.name, group.color, group.ids) for group in groups]
        typologies[name] = make_typology(rows, name)

    del typologies[reference_classes.name]
    return tuple(typologies.values())


def _with_base(content: Mapping[str, Any]) -> Mapping[str, Any]:
    """Add the keys of the description that a description is based on, where it has none itself."""
    base = content.get("based_on")
    if not isinstance(base, str) or base not in _BASES:
        return content  # no base, or an unknown one, which is refused with the other keys
    keys_of_base = tomllib.loads(files(__package__).joinpath(_BASES[base]).read_text("utf-8"))
    if "classes" in content:
        # The groupings of the base are of the classes of the base.
        del keys_of_base["groupings"]
    return {**keys_of_base, **content}


def _dataset_from_content(content: Mapping[str, Any]) -> Dataset:
    """The dataset of a description as `tomllib` reads it.

    Raises:
        DescriptionError: the first thing that is wrong, with its key, without the file's name.
    """
    content = _with_base(content)
    try:
        description = msgspec.convert(content, _Description)
    except msgspec.ValidationError as error:
        raise DescriptionError(_explain(error, content)) from None
    _check_order(description)
    _check_tiles(description)
    _check_class_names(description)

    reference_classes = _reference_classes(description)
    bands = {"s1": description.bands.s1, "s2": description.bands.s2}
    return Dataset(
        name=description.name,
        years=description.years,
        split_of_tile=description.tiles,
        months=description.months,
        patch_pixels=description.patch_pixels,
        days_gap=description.days_gap,
        s1_rule=description.s1_rule,
        blocks=Blocks(**msgspec.structs.asdict(description.blocks)),
        bands={sensor: names for sensor, names in bands.items() if names is not None},
        reference_classes=reference_classes,
        groupings=_groupings(description, reference_classes),
        showcase=description.showcase,
        cities=description.cities,
    )


def _content_of(dataset: Dataset) -> dict[str, Any]:
    """The content of the file that describes a dataset; the inverse of `_dataset_from_content`."""
    content = {
        "name": dataset.name,
        "years": dataset.years,
        "months": dataset.months,
        "patch_pixels": dataset.patch_pixels,
        "days_gap": dataset.days_gap,
        "s1_rule": dataset.s1_rule,
        "showcase": dataset.showcase,
        "tiles": dict(dataset.split_of_tile),
        "blocks": asdict(dataset.blocks),
        "bands": dict(dataset.bands),
        "cities": dict(dataset.cities),
    }
    if dataset.typologies == MULTISENGE.typologies:
        return content  # a file without classes has MultiSenGE's

    content["classes"] = [
        {"name": land_class.name, "color": land_class.color}
        for land_class in dataset.reference_classes.classes
    ]
    content["groupings"] = {}
    for typology in dataset.groupings:
        content["groupings"][typology.name] = [
            {"name": group.name, "color": group.color, "ids": group.members}
            for group in typology.classes
        ]
    return content


def to_toml(dataset: Dataset) -> str:
    """The text of the `dataset.toml` that describes a dataset."""
    return tomli_w.dumps(_content_of(dataset))


def read_dataset_toml(path: Path | str) -> Dataset:
    """Read a `dataset.toml`.

    Raises:
        DescriptionError: it cannot be read, or something in it is wrong; the message names the
            file and the key.
    """
    path = Path(path)
    if not path.is_file():  # a folder; or a pipe, which would be waited for
        raise DescriptionError(f"{path} cannot be read: it is not a file; remove it")
    try:
        # Editors on Windows put a byte order mark in front, which utf-8-sig takes away.
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise DescriptionError(
            f"{path} cannot be read: {error}; it must be TOML, in UTF-8"
        ) from None
    try:
        return _dataset_from_content(content)
    except DescriptionError as error:
        raise DescriptionError(f"{path}: {error}") from None


def write_dataset_toml(root: Path | str, dataset: Dataset) -> Path:
    """Write the `dataset.toml` of a dataset into a data root; create the root if it is missing.

    Raises:
        DescriptionError: the dataset cannot be described: the message names the key.
        FileError: the file cannot be written.
    """
    text = to_toml(dataset)
    _dataset_from_content(tomllib.loads(text))
    return write_text(Path(root) / DESCRIPTION, text)


def _whole_numbers(months: str | int | Sequence[int]) -> list[int | str]:
    """Read `7,8`, 7 or (7, 8) as numbers.

    Anything else stays text, which the check of months refuses.
    """
    is_one = isinstance(months, str) or np.ndim(months) == 0
    parts = str(months).split(",") if is_one else [str(month) for month in months]
    numbers = []
    for part in parts:
        numbers.append(int(part) if part.strip().isdecimal() else part)
    return numbers


def _tiles_with_splits(tiles: str | Sequence[str], dataset: Dataset) -> dict[str, str]:
    """Read `31UEQ,31UFQ=validation` as a table of tiles, in the dataset's order."""
    parts = tiles.split(",") if isinstance(tiles, str) else [str(tile) for tile in tiles]
    split_of_tile = {}
    for part in parts:
        tile, _, split = part.partition("=")
        tile = tile.strip()
        if tile not in dataset.tiles:
            raise DescriptionError(
                f"tiles.{tile}: {dataset.name} has no {tile!r}: choose among "
                f"{', '.join(dataset.tiles)}"
            )
        if tile in split_of_tile:
            raise DescriptionError(f"tiles.{tile}: it is named twice: name it once")
        split_of_tile[tile] = split.strip() or dataset.split_of(tile)
    return {tile: split_of_tile[tile] for tile in dataset.tiles if tile in split_of_tile}


def with_selection(
    dataset: Dataset,
    months: str | int | Sequence[int] | None = None,
    days_gap: int | None = None,
    s1_rule: str | None = None,
    tiles: str | Sequence[str] | None = None,
) -> Dataset:
    """Return a dataset with another selection, as the parameters of the notebook give it.

    Args:
        dataset: the dataset of a data root. What is None or an empty text below stays as the
            dataset has it.
        months: in order, such as `7,8` or `(7, 8)`.
        days_gap: least days between two consecutive Sentinel-2 acquisitions.
        s1_rule: `first`, `nearest`, or `first2` to `first9`, see `select`.
        tiles: which to use, and their splits where these change: `31UEQ,31UFP,31UFQ=train`, or a
            list of such parts.

    Returns:
        The same dataset where nothing changes. Otherwise one with a name of its own, so that
        records of two selections are never mixed.

    Raises:
        DescriptionError: a parameter is out of range, or the dataset has no such tile. The message
            names the key of `dataset.toml` of the same name, whose rule it is.
    """
    if not isinstance(dataset, Dataset):
        raise DescriptionError(
            f"dataset {dataset!r}: give the dataset of a data root, dataset_of_root(root)"
        )
    # The parameters are checked by the rules of the file, so a description is made of them.
    content = _content_of(dataset)
    content["name"] = "any"  # built-in datasets have names that a file may not have
    if months is not None and not (isinstance(months, str) and months == ""):
        content["months"] = _whole_numbers(months)
    if days_gap is not None:
        content["days_gap"] = days_gap
    if s1_rule is not None and s1_rule != "":
        content["s1_rule"] = s1_rule
    if tiles is not None and tiles != "":
        content["tiles"] = _tiles_with_splits(tiles, dataset)
    selected = replace(_dataset_from_content(content), name=dataset.name)
    if selected == dataset:
        return dataset

    identity = (
        selected.months,
        selected.days_gap,
        selected.s1_rule,
        sorted(selected.split_of_tile.items()),
    )
    digest = hashlib.sha256(repr(identity).encode()).hexdigest()[:8]
    # The name that the root gives: a selection that was made in two steps has the same name.
    own_name = dataset.name.partition(SELECTION_MARK)[0]
    return replace(selected, name=f"{own_name}{SELECTION_MARK}{digest}")


def selection_parameters(dataset: Dataset) -> dict[str, Any]:
    """The parameters of `with_selection` that gave a dataset its selection.

    Returns:
        `months`, `days_gap`, `s1_rule` and `tiles`; empty where the selection is the dataset's own.
    """
    if SELECTION_MARK not in dataset.name:
        return {}
    tiles = [f"{tile}={split}" for tile, split in dataset.split_of_tile.items()]
    return {
        "months": ",".join(str(month) for month in dataset.months),
        "days_gap": dataset.days_gap,
        "s1_rule": dataset.s1_rule,
        "tiles": ",".join(tiles),
    }
