"""Data roots: the folder that holds a dataset, and which dataset it is.

A data root is a folder in the published layout (see `layout`). It is the sample where it has the
sample's marker, an area of your own where it has a `dataset.toml`, and MultiSenGE where its label
files are MultiSenGE's. MultiSenNA is not recognised by its files, since its tiles are not known
here: its `dataset.toml` says that it is MultiSenNA (see `multisenna.toml`).
"""

import hashlib
import os
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import msgspec

from multisenge_lib import paths
from multisenge_lib.dataset.description import DESCRIPTION, read_dataset_toml
from multisenge_lib.dataset.layout import (
    LABEL_NAME,
    LABELS,
    LARGEST_SIZE,
    MULTISENGE,
    PATCH_SPACING,
    SAMPLE,
    SAMPLE_MARKER,
    UNFINISHED_SAMPLE,
    Dataset,
)
from multisenge_lib.errors import DescriptionError, MultiSenGEError, printable


class _SampleMarker(msgspec.Struct):
    """The part of the sample's marker that is read here."""

    size: Annotated[int, msgspec.Meta(ge=1, le=LARGEST_SIZE)] = SAMPLE.patch_pixels


def _read_sample(marker: Path) -> Dataset:
    try:
        content = msgspec.json.decode(marker.read_bytes(), type=_SampleMarker)
    except (OSError, ValueError, msgspec.MsgspecError, RecursionError) as error:
        raise DescriptionError(
            f"{marker} cannot be read ({error}): delete the folder and write the sample again"
        ) from None
    return replace(SAMPLE, patch_pixels=content.size)


def _is_multisenge_patch(tile: str, x: int, y: int) -> bool:
    return tile in MULTISENGE.split_of_tile and x % PATCH_SPACING == 0 and y % PATCH_SPACING == 0


def _check_is_multisenge(root: Path) -> None:
    """Refuse a root without a description whose label files are not MultiSenGE's."""
    folder = root / LABELS
    try:
        names = [entry.name for entry in os.scandir(folder)]
    except OSError as error:
        raise DescriptionError(
            f"{folder} cannot be listed ({error.strerror}): a data root has the label files "
            "in this folder"
        ) from None
    # Files that are not label files say nothing about the dataset, .DS_Store for one.
    label_names = [match for match in map(LABEL_NAME.fullmatch, names) if match is not None]
    if not label_names:
        raise DescriptionError(
            f"{folder} holds no label file tile_x_y.json, so {root} is no dataset yet: fetch "
            f"MultiSenGE's with `multisenge download {root} labels`, or make your own with "
            "`multisenge import`"
        )
    for match in label_names:
        tile, x, y = match.groups()
        if not _is_multisenge_patch(tile, int(x), int(y)):
            raise DescriptionError(
                f"{root} is not MultiSenGE, {printable(match.string)} is not one of its patches: "
                f"say what it holds in {root / DESCRIPTION}; `multisenge check {root}` drafts it. "
                'For MultiSenNA, write based_on = "multisenna", its years and its tiles there'
            )


def given_data_root(data_root: Path | str | None = None) -> Path | None:
    """Return the data root of the caller, else the one that `MULTISENGE_ROOT` names, else None.

    Raises:
        MultiSenGEError: `MULTISENGE_ROOT` names nothing that exists, `data_root` is no path, or the
            root is a sample that was cut off while it was written.
    """
    if data_root is not None and not isinstance(data_root, str | os.PathLike):
        raise MultiSenGEError(
            f"a data root of type {type(data_root).__name__}: give the path of its folder"
        )
    root = Path(data_root).expanduser() if data_root else paths.real_data_root()
    if root is not None and (root / UNFINISHED_SAMPLE).exists():
        raise MultiSenGEError(
            f"{root} is a sample that was not finished: write it again with "
            f"`multisenge sample {root}`"
        )
    return root


def has_description(root: Path) -> bool:
    """Whether a folder has a file that says which dataset it holds.

    It is the sample's marker or a `dataset.toml`.
    """
    return (root / SAMPLE_MARKER).is_file() or (root / DESCRIPTION).exists()


def dataset_of_root(root: Path | str) -> Dataset:
    """Find out which dataset a data root holds.

    Args:
        root: a folder in the published layout.

    Raises:
        DescriptionError: it holds none, or more than one; or its description is wrong: the message
            names the file and the key.
    """
    root = Path(root)
    # The published archives have no file that says what they are. So MultiSenGE is what is left:
    # a root that does not describe itself, and whose patches are MultiSenGE's.
    has_marker = (root / SAMPLE_MARKER).is_file()
    is_described = (root / DESCRIPTION).exists()
    if has_marker and is_described:
        raise DescriptionError(
            f"{root} is the sample, which needs no {DESCRIPTION}, and has one: delete it; or, to "
            f"describe a copy of the sample as an area of your own, delete {SAMPLE_MARKER}"
        )
    if has_marker:
        return _read_sample(root / SAMPLE_MARKER)
    if is_described:
        return read_dataset_toml(root / DESCRIPTION)
    _check_is_multisenge(root)
    return MULTISENGE


def root_digest(root: Path | str) -> str:
    """Return a short hash of what a data root says of itself: its description and its label files.

    Two roots may have the same name. By this hash, what is kept for one of them, such as its maps,
    is not taken for the other's.
    """
    root = Path(root)
    label_files = sorted((root / LABELS).glob("*.json"))
    digest = hashlib.sha256()
    for path in (root / DESCRIPTION, root / SAMPLE_MARKER, *label_files):
        if path.is_file():
            content = path.read_bytes()
            # Name and length keep two files apart from one that holds both.
            digest.update(f"{path.name} {len(content)} ".encode())
            digest.update(content)
    return digest.hexdigest()[:12]
