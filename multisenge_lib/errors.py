"""The exceptions of the library.

Every message says, on one line if it is about one thing: what is wrong and where, the rule,
what was received, and what to do about it.
"""

from collections.abc import Sequence

#: Problems that one message lists.
_MOST_PROBLEMS = 20


class MultiSenGEError(ValueError):
    """Base of every error that a user of the library can fix."""


class DescriptionError(MultiSenGEError):
    """The description of a data root is missing or wrong."""


class LabelError(MultiSenGEError):
    """The label files cannot be read as a MultiSenGE index."""


class SelectionError(MultiSenGEError):
    """The months, days gap or Sentinel-1 rule cannot be used for a selection."""


class PatchError(MultiSenGEError):
    """A raster of a patch is missing, damaged, or not of the published layout."""


class BandOrderError(PatchError):
    """The band order is ambiguous. It concerns the whole dataset, so it is never skipped."""


class ImportAreaError(MultiSenGEError):
    """A user's own images cannot be cut into the published layout."""


class ExperimentError(MultiSenGEError):
    """An experiment or a training parameter is unknown or out of range."""


class ModelError(MultiSenGEError):
    """A saved network cannot be read, or what it is given contradicts its description."""


class SetupError(MultiSenGEError):
    """A package that is needed is not installed, or is set up in a way that cannot work."""


class FileError(MultiSenGEError):
    """A file cannot be written."""


class DownloadError(MultiSenGEError):
    """An archive cannot be fetched, or is not what it promises to be."""


class RecordError(MultiSenGEError):
    """A results record is missing, damaged, or of another dataset."""


def printable(name: object) -> str:
    r"""Return a path or name for a message: as it is, or quoted where it would break the line.

    File names may hold newlines, escape sequences of terminals, or bytes that are not UTF-8.

    Example:
        >>> printable("s2/a.tif")
        's2/a.tif'
        >>> printable("a\nb.tif")
        "'a\\nb.tif'"
    """
    text = str(name)
    return text if text.isprintable() else repr(text)


def counted(number: int, one: str, several: str) -> str:
    """Return a number with the words that go with it.

    Args:
        number: how many.
        one: the words after 1.
        several: the words after any other number.

    Example:
        >>> counted(1, "raster is left out", "rasters are left out")
        '1 raster is left out'
        >>> counted(1200, "raster is left out", "rasters are left out")
        '1,200 rasters are left out'
    """
    return f"{number:,} {one if number == 1 else several}"


def first_line(error: Exception) -> str:
    """Return the first line of what another library says of an error; the others are details."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def join_problems(problems: Sequence[str]) -> str:
    """Join problems into the indented list of a message.

    Args:
        problems: one line each. If there are very many, the first are shown, and the last line says
            how many more there are.

    Returns:
        Lines that each begin with a newline and two spaces.
    """
    lines = list(problems[:_MOST_PROBLEMS])
    left_out = len(problems) - len(lines)
    if left_out:
        lines.append(f"... and {left_out} more")
    return "".join(f"\n  {line}" for line in lines)
