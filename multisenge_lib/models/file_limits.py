"""What a `.keras` file may unpack to: a small file must not take gigabytes.

Such files are passed on between people, and three things in one can be far larger than the file:
an entry of the zip archive, an array of the HDF5 file in it, and the network that its configuration
describes. Weights are hardly compressible, so each of them is compared with the file's own size.
"""

import math
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from multisenge_lib.errors import ModelError, printable

if TYPE_CHECKING:
    import h5py

_WEIGHTS = "model.weights.h5"
#: How Keras and we write entries. Other methods unpack a whole block at once, however large.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_MAX_EXPANSION = 10
_MAX_SMALL_ENTRY = 10_000_000
#: In float32, in which networks are saved.
_BYTES_OF_A_WEIGHT = 4
#: Held while `keras.Layer.add_weight` is replaced.
_REPLACING = threading.Lock()


def _max_bytes(path: Path) -> int:
    return _MAX_EXPANSION * path.stat().st_size + _MAX_SMALL_ENTRY


def check_entries(path: Path, archive: zipfile.ZipFile) -> None:
    """Refuse a small file that unpacks to gigabytes, before anything of it is unpacked.

    Raises:
        ModelError: it would unpack to much more than its size, or is not as Keras writes it.
    """
    for entry in archive.infolist():
        if entry.compress_type not in _METHODS:
            raise ModelError(
                f"{printable(path)} is compressed by a method that Keras does not write: this is "
                "no network, do not use the file"
            )
    limit = _max_bytes(path)
    unpacked = sum(entry.file_size for entry in archive.infolist())
    if unpacked <= limit and _WEIGHTS in archive.namelist():
        import h5py  # it is installed with Keras

        # HDF5 compresses as well, and may declare an array that it does not hold at all.
        with archive.open(_WEIGHTS) as stream, h5py.File(stream, "r") as weights:
            unpacked += _bytes_of_arrays(weights)
    if unpacked > limit:
        raise ModelError(
            f"{printable(path)} has {path.stat().st_size:,} bytes and would unpack to "
            f"{unpacked:,}: this is no network, do not use the file"
        )


def _bytes_of_arrays(weights: "h5py.File") -> int:
    import h5py

    sizes = []

    def note_size(name: str, item: h5py.Group | h5py.Dataset) -> None:
        if isinstance(item, h5py.Dataset):
            sizes.append(item.nbytes)

    # It comes to each array once, even if groups lead back to themselves, and follows no link to
    # another file: Keras refuses those.
    weights.visititems(note_size)
    return sum(sizes)


@contextmanager
def limited_weights(path: Path) -> Iterator[None]:
    """Stop Keras in this context before it makes more weights than a file can hold.

    Keras makes all weights that the configuration describes before it reads those in the file. Each
    of its layers asks for them by `add_weight`, so they are counted there, before they are made.

    Raises:
        ModelError: the configuration describes a network that the file cannot hold.
    """
    import keras  # it takes seconds, and a card is read without it

    limit = _max_bytes(path)
    loading_thread = threading.get_ident()
    described = 0

    # The method is replaced in the whole process. If two threads did so at a time, the second would
    # put back the first one's counting method.
    with _REPLACING:
        make_weight = keras.Layer.add_weight

        def add_weight(layer: keras.Layer, *args: Any, **kwargs: Any) -> keras.Variable:
            nonlocal described
            if threading.get_ident() == loading_thread:
                shape = args[0] if args else kwargs.get("shape")
                described += _BYTES_OF_A_WEIGHT * _values(shape)
                if described > limit:
                    raise MemoryError
            return make_weight(layer, *args, **kwargs)

        keras.Layer.add_weight = add_weight
        try:
            yield
        except Exception:
            # Keras may have turned our error into another one on its way.
            if described > limit:
                raise ModelError(
                    f"{printable(path)} has {path.stat().st_size:,} bytes and describes a network "
                    f"of {described:,} or more: it does not hold such weights, do not use the file"
                ) from None
            raise
        finally:
            keras.Layer.add_weight = make_weight


def _values(shape: Any) -> int:
    """Count the values of a weight; Keras refuses, a moment later, what is no shape at all."""
    try:
        return math.prod(int(side) for side in shape)
    except (TypeError, ValueError, OverflowError):
        return 0
