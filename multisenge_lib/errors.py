"""The exceptions of the library.

Every message says, on one line if it is about one thing: what is wrong and where, the rule,
what was received, and what to do about it.
"""

from collections.abc import Iterable


class MultiSenGEError(ValueError):
    """Base of every error that a user of the library can mend."""


class DescriptionError(MultiSenGEError):
    """A data root does not say which dataset it holds, or says it wrong."""


class LabelError(MultiSenGEError):
    """The label files cannot be read as a MultiSenGE index."""


class SelectionError(MultiSenGEError):
    """The months, days gap or S1 rule asked for make no selection."""


class PatchError(MultiSenGEError):
    """A raster of a patch is missing, damaged, or not of the published layout."""


class BandOrderError(PatchError):
    """In which order bands are stored is in doubt: asked of the dataset, never of one patch."""


class ImportAreaError(MultiSenGEError):
    """A user's own images cannot be cut into the published layout."""


class ExperimentError(MultiSenGEError):
    """An experiment or a training parameter is unknown or out of range."""


class ModelError(MultiSenGEError):
    """A saved network cannot be read, or what it is given contradicts its description."""


class FileError(MultiSenGEError):
    """A file cannot be written."""


class DownloadError(MultiSenGEError):
    """An archive cannot be fetched, or is not what it promises to be."""


class RecordError(MultiSenGEError):
    """A results record is missing, damaged, or of another dataset."""


def shown(name: object) -> str:
    """A path or name as it is, or quoted where it would break the line of a message."""
    return str(name) if str(name).isprintable() else repr(str(name))


def listed(problems: Iterable[str], limit: int = 20) -> str:
    """Join problems into the indented list of a message, saying how many were left out.

    Args:
        problems: one line each.
        limit: how many to show.

    Returns:
        Lines that each begin with a newline and two spaces.
    """
    problems = list(problems)
    more = [f"... and {len(problems) - limit} more"] if len(problems) > limit else []
    return "".join(f"\n  {line}" for line in problems[:limit] + more)
