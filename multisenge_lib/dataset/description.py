"""Which dataset a data root holds."""

import json
import os
import re
from dataclasses import replace
from pathlib import Path

from multisenge_lib.dataset.layout import LABELS, MULTISENGE, SAMPLE, SAMPLE_MARKER, Dataset
from multisenge_lib.errors import DescriptionError

#: Offsets of MultiSenGE's patches are multiples of this many pixels.
_STRIDE = 257
_NAME = re.compile(r"([^_]+)_(\d+)_(\d+)\.json")


def _sample(marker: Path) -> Dataset:
    try:
        size = json.loads(marker.read_text(encoding="utf-8")).get("size", SAMPLE.patch_pixels)
        return replace(SAMPLE, patch_pixels=int(size))
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise DescriptionError(
            f"{marker} cannot be read ({error}): delete the folder and write the sample again"
        ) from None


def _foreign(name: str) -> bool:
    """Whether a label file of this name is none of MultiSenGE's."""
    found = _NAME.fullmatch(name)
    return bool(found) and (
        found[1] not in MULTISENGE.split_of_tile
        or any(int(offset) % _STRIDE for offset in found.groups()[1:])
    )


def describe(root: Path | str) -> Dataset:
    """The dataset of a data root: the sample by its marker, MultiSenGE by its labels' names.

    Args:
        root: the data root.

    Raises:
        DescriptionError: it is neither of them, or cannot be read.
    """
    root = Path(root)
    if (root / SAMPLE_MARKER).is_file():
        return _sample(root / SAMPLE_MARKER)
    try:
        names = [entry.name for entry in os.scandir(root / LABELS)]
    except OSError as error:
        raise DescriptionError(
            f"{root / LABELS} cannot be listed ({error.strerror}): a data root has the label files "
            "in this folder"
        ) from None
    if foreign := next(filter(_foreign, names), None):
        raise DescriptionError(
            f"{root} is not MultiSenGE: {foreign} is none of its patches; other areas need a "
            "description, which this version does not read yet"
        )
    return MULTISENGE
