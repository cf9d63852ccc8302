"""The manifest of a packed store: one line per patch, written after its values.

A line is JSON: the patch, the state of its rasters when they were read, and either the checksums of
its packed values or the problem that kept it from being packed. Lines are appended, so a process
can be killed at any moment: at most its last line is torn. Nothing is forced onto the disk. If the
power fails, values may be lost of which a line speaks; their checksums tell when they are read. Of
two lines on one patch the later counts.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import IO

import msgspec

from multisenge_lib.files import atomic

MANIFEST = "manifest.jsonl"


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What the manifest says of one patch.

    Attributes:
        patch: such as `31UEQ_7453_4112`.
        signature: a hash of the state of its rasters, see `store`.
        checksums: the checksum of its values in each array; None where it is not packed.
        problem: why it could not be read, in one line; None where it is packed.
    """

    patch: str
    signature: str
    checksums: dict[str, int] | None = None
    problem: str | None = None


def read_manifest(folder: Path) -> dict[str, Entry]:
    """Read the latest entry of each patch; truncated or damaged lines are ignored.

    Returns:
        Entries by patch; none where there is no manifest.
    """
    try:
        content = (folder / MANIFEST).read_bytes()
    except FileNotFoundError:
        return {}
    entries = {}
    for line in content.split(b"\n"):
        try:
            entry = msgspec.json.decode(line, type=Entry)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue
        entries[entry.patch] = entry
    return entries


def write_manifest(folder: Path, entries: Iterable[Entry], remedy: str) -> None:
    """Replace the manifest by these lines alone, so that no line is appended to a torn one.

    Raises:
        FileError: it cannot be written; the message ends in the remedy.
    """
    with atomic(folder / MANIFEST, remedy) as unfinished, unfinished.open("wb") as file:
        for entry in entries:
            append_entry(file, entry)


def append_entry(file: IO[bytes], entry: Entry) -> None:
    """Write one line to an open manifest, and hand it to the system at once."""
    file.write(msgspec.json.encode(entry) + b"\n")
    file.flush()
