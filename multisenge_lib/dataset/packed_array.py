"""One array of a packed store: a `.npy` file in which each patch is one contiguous piece.

Pieces are read and written through the file and never mapped into memory: writing to a mapped file
on a full disk, or reading one that was cut short, ends the process without a message.
"""

from dataclasses import dataclass
from math import prod
from pathlib import Path

import google_crc32c
import numpy as np

from multisenge_lib.errors import PatchError, first_line, printable


def checksum(values: np.ndarray) -> int:
    """Compute CRC-32C of an array of any shape.

    Processors have an instruction for it, so it takes a small part of the time of reading.
    """
    return google_crc32c.value(np.ascontiguousarray(values))


def damaged(path: Path, what: str) -> PatchError:
    """Make the error for a file of a store that is not as it was packed."""
    return PatchError(
        f"{printable(path)} is damaged ({what}): delete the folder {printable(path.parent)}, it is "
        "packed again"
    )


@dataclass(frozen=True)
class PackedArray:
    """Where the values of the patches lie in a file.

    Attributes:
        path: the file, which `numpy.load` opens too.
        shape: patches, then the shape of one patch.
        dtype: type of the values.
        header_bytes: bytes before the values of the first patch.
    """

    path: Path
    shape: tuple[int, ...]
    dtype: np.dtype
    header_bytes: int

    @property
    def patch_shape(self) -> tuple[int, ...]:
        """Shape of one patch."""
        return self.shape[1:]

    def fits(self, values: np.ndarray) -> bool:
        """Whether a patch of these values can be stored here: the same shape and type."""
        return values.shape == self.patch_shape and values.dtype == self.dtype

    def _start_of(self, position: int) -> int:
        """Bytes in the file before a patch."""
        patch_bytes = prod(self.patch_shape) * self.dtype.itemsize
        return self.header_bytes + position * patch_bytes

    def write(self, position: int, values: np.ndarray) -> int:
        """Write one patch, and return the checksum of its values.

        Raises:
            OSError: the disk is full.
        """
        contiguous = np.ascontiguousarray(values)
        with self.path.open("rb+") as file:
            file.seek(self._start_of(position))
            file.write(contiguous)
        return checksum(contiguous)

    def read(
        self, position: int, expected: int | None, out: np.ndarray | None = None
    ) -> np.ndarray:
        """Read one patch.

        Args:
            position: the patch's position in the array.
            expected: the checksum of its values.
            out: where to put them: contiguous, of their shape and type; by default a new array.

        Raises:
            PatchError: the values are not those that were written.
        """
        values = np.empty(self.patch_shape, self.dtype) if out is None else out
        try:
            # Unbuffered: a buffer would copy all values once more.
            with self.path.open("rb", buffering=0) as file:
                file.seek(self._start_of(position))
                count = file.readinto(values.reshape(-1).view(np.uint8))
        except (OSError, ValueError, MemoryError) as error:
            raise damaged(self.path, f"at {position}: {error}") from None
        if count < values.nbytes or checksum(values) != expected:
            raise damaged(self.path, f"at {position}: not the values packed")
        return values


def open_array(path: Path) -> PackedArray:
    """Open an array that was packed before; only its header is read.

    Raises:
        PatchError: it is missing or damaged.
    """
    try:
        mapped = np.load(path, mmap_mode="r")
        return PackedArray(path, mapped.shape, mapped.dtype, mapped.offset)
    except FileNotFoundError:
        raise damaged(path, "it is gone") from None
    except Exception as error:  # a damaged header raises whatever NumPy's parsers do
        raise damaged(path, first_line(error)) from None


def create_array(path: Path, patches: int, example: np.ndarray) -> PackedArray:
    """Make an array for a number of patches of the example's shape and type; replace an older one.

    The file takes no room on the disk before patches are written.

    Raises:
        OSError: it cannot be written.
    """
    mapped = np.lib.format.open_memmap(path, "w+", example.dtype, (patches, *example.shape))
    return PackedArray(path, mapped.shape, mapped.dtype, mapped.offset)
