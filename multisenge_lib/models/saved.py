"""A network and its card in one `.keras` file: written, read, and made anew for another size.

A `.keras` file is a zip archive: Keras puts the configuration and the weights into it, and we add
the card. Such files are passed on between people, so reading one trusts nothing that it says.
"""

import errno
import inspect
import json
import os
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np

from multisenge_lib import files
from multisenge_lib.errors import ExperimentError, FileError, ModelError, first_line, printable
from multisenge_lib.models.build import days_input
from multisenge_lib.models.card import CARD_ENTRY, ModelCard, read_model_card
from multisenge_lib.models.file_limits import limited_weights
from multisenge_lib.models.networks import NETWORKS, import_network
from multisenge_lib.software import provenance

#: What Keras writes into the archive beside the weights.
_METADATA = "metadata.json"
#: Characters of a version or commit in a message.
_VERSION_LENGTH = 7
#: Keras unpacks a file into a temporary folder, and wraps what the system says of it.
_DISK_IS_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class _Series(NamedTuple):
    """How many dates and bands a series of images has."""

    dates: int | None
    bands: int


# --- Write ---


def save_model(model: keras.Model, card: ModelCard, path: Path) -> Path:
    """Write a network, without its optimizer, and its card as one `.keras` file.

    Raises:
        FileError: the file cannot be written.
    """
    with files.atomic(path) as unfinished:
        # A model made anew from inputs and outputs has neither optimizer nor loss.
        keras.Model(model.input, model.output, name=model.name).save(unfinished)
        with zipfile.ZipFile(unfinished, "a") as archive:
            archive.writestr(CARD_ENTRY, json.dumps(asdict(card), indent=2))
    return path


def check_can_be_read_again(model: keras.Model, card: ModelCard, network: str) -> None:
    """Refuse a network of the user's whose saved file nobody could read, before it is trained.

    Args:
        model: the network, trained or not.
        card: its description.
        network: the file of the network, such as `my_networks.py:build`.

    Raises:
        ExperimentError: Keras cannot write the network, or cannot read what it wrote.
    """
    custom_layers = _custom_layers(card, network)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        try:
            save_model(model, card, path)
            with keras.saving.custom_object_scope(custom_layers):
                keras.saving.load_model(path, compile=False, safe_mode=True)
        except FileError:  # a full disk says nothing about the network
            raise
        except Exception as error:  # whatever the layers of the user's file lead to
            raise ExperimentError(
                f"{printable(network)}: once trained, this network could not be read from its "
                f"file ({first_line(error)}): use operations of keras.ops in place of Lambda "
                "layers, and make layers inside a layer of your own in its __init__, or give it "
                "get_config and from_config"
            ) from error


# --- Read ---


def load_model(path: Path | str, network: str | None = None) -> tuple[keras.Model, ModelCard]:
    """Read a network and its card; no code that the file may hold is run.

    Args:
        path: path of the `.keras` file.
        network: the Python file of a network of your own, such as `my_networks.py:build`. It is
            needed if that Python file defines layers, and is then imported. A path that the
            `.keras` file names is never imported.

    Raises:
        ExperimentError: the file of the network cannot be imported.
        ModelError: the `.keras` file is missing, damaged, much larger than it seems, or of a newer
            version; or its card is missing, wrong, or not that of the network.
    """
    path = Path(path)
    card = read_model_card(path)
    custom_layers = _custom_layers(card, network)
    try:
        with keras.saving.custom_object_scope(custom_layers), limited_weights(path):
            model = keras.saving.load_model(path, compile=False, safe_mode=True)
    except ModelError:
        raise
    except MemoryError:
        raise ModelError(
            f"{printable(path)} cannot be read as a network: there is too little memory, free some"
        ) from None
    except Exception as error:  # of Keras, zip, HDF5: whatever a damaged file leads to
        if any(os.strerror(number) in str(error) for number in _DISK_IS_FULL):
            raise ModelError(
                f"{printable(path)} cannot be read: the folder for temporary files, "
                f"{tempfile.gettempdir()}, is full: make room, or set TMPDIR to another folder"
            ) from None
        raise ModelError(
            f"{printable(path)} cannot be read as a network ({first_line(error)}): "
            f"{_remedy(card, network)}{_versions(path, card)}"
        ) from None
    _check_fit(path, card, model)
    _check_weights(path, model)
    return model, card


def _custom_layers(card: ModelCard, network: str | None) -> dict[str, type[keras.Layer]]:
    """Import the module of a network, and return the layers that it defines, by name."""
    # A file of the user's may be given for a network of the library, where training that file's
    # network starts from it: the card says which of the two has made it.
    if card.network in NETWORKS:
        module = import_network(card.network)
    elif network is not None:
        module = import_network(network)
    else:
        return {}
    layers = {}
    for name, value in vars(module).items():
        if inspect.isclass(value) and issubclass(value, keras.Layer):
            layers[name] = value
    return layers


def _remedy(card: ModelCard, network: str | None) -> str:
    """Say what to do about a file that Keras cannot read."""
    if card.network not in NETWORKS and network is None:
        return (
            f"it is a network of the file {printable(card.network)}: if that file defines layers, "
            "give its path as network (command line: --network)"
        )
    return "train it again, or fetch it again"


def _check_fit(path: Path, card: ModelCard, model: keras.Model) -> None:
    """Refuse a card that is not the network's: other inputs, dates, bands or classes."""
    expected = {}
    shapes_of_days = {}
    for sensor, bands in card.bands.items():
        dates = len(card.months_of(sensor))
        expected[sensor] = _Series(dates, len(bands))
        shapes_of_days[days_input(sensor)] = (None, dates)

    actual = {}
    for tensor in model.inputs:
        # A network may also take the day of the year of each image.
        if shapes_of_days.get(tensor.name) == tensor.shape:
            continue
        is_series = len(tensor.shape) == 5
        actual[tensor.name] = _Series(tensor.shape[1], tensor.shape[-1]) if is_series else None
    classes = []
    for output in model.outputs:
        classes.append(output.shape[-1] if len(output.shape) == 4 else None)
    if actual != expected or classes != [len(card.classes)]:
        raise ModelError(
            f"the description in {printable(path)} is not of its network: it says "
            f"{_in_words(expected, [len(card.classes)])}, the network has "
            f"{_in_words(actual, classes)}: save it again with its own description"
        )


def _in_words(inputs: Mapping[str, _Series | None], classes: Sequence[int | None]) -> str:
    """Inputs and outputs in words, such as `4 dates and 2 bands of s1 and 10 classes`."""
    words = []
    for name, series in inputs.items():
        if series is None:
            words.append(f"{printable(name)}, which is not a series of images")
        else:
            words.append(f"{series.dates} dates and {series.bands} bands of {printable(name)}")
    for number in classes:
        words.append("an output that is not a map" if number is None else f"{number} classes")
    return " and ".join(words)


def _check_weights(path: Path, model: keras.Model) -> None:
    """Refuse weights that are not numbers: such a network gives class 1 everywhere."""
    for weight in model.weights:
        values = keras.ops.convert_to_numpy(weight)
        if np.issubdtype(values.dtype, np.floating) and not np.isfinite(values).all():
            raise ModelError(
                f"{printable(path)} has weights that are NaN or infinite, in {weight.path}: train "
                "it again"
            )


def _versions(path: Path, card: ModelCard) -> str:
    """Name the versions that wrote a file, if they differ from those installed here."""
    try:
        with zipfile.ZipFile(path) as archive:
            written_by = json.loads(archive.read(_METADATA)).get("keras_version")
    except (OSError, KeyError, ValueError, AttributeError, zipfile.BadZipFile):
        written_by = None
    versions = [
        ("Keras", written_by, keras.__version__),
        ("this library at", card.library.get("commit"), provenance()["commit"]),
    ]
    theirs = []
    ours = []
    for name, their_version, our_version in versions:
        # A file may not say what wrote it, and a copy of the library without Git has no commit.
        if their_version and our_version and their_version != our_version:
            theirs.append(f"{name} {printable(their_version)[:_VERSION_LENGTH]}")
            ours.append(f"{name} {our_version[:_VERSION_LENGTH]}")
    if not theirs:
        return ""
    return f"; it was written by {' and '.join(theirs)}, read by {' and '.join(ours)}"


# --- Another size ---


def _sizes(config: Any, size: int | None) -> Any:
    """Return the configuration of a network with inputs of another height and width."""
    if isinstance(config, list):
        return [_sizes(part, size) for part in config]
    if not isinstance(config, dict):
        return config
    changed = {key: _sizes(part, size) for key, part in config.items() if key != "build_config"}
    # Images have four axes and series five. The days of the year, (batch, dates), and series of
    # features, (batch, dates, features), have neither height nor width.
    if len(changed.get("batch_shape") or ()) in (4, 5):
        *leading, _, _, channels = changed["batch_shape"]
        changed["batch_shape"] = [*leading, size, size, channels]
    return changed


def with_input_size(model: keras.Model, size: int | None) -> keras.Model:
    """Make the same network with the same weights, for patches of another size; None for any.

    Raises:
        ExperimentError: weights such as peepholes tie the network to the size of its training.
    """
    config = _sizes(model.get_config(), size)
    # Layers of the user's may lie inside a nested model, or inside one such as TimeDistributed.
    layers = {type(layer).__name__: type(layer) for layer in model._flatten_layers()}
    other = keras.Model.from_config(config, custom_objects=layers)
    try:
        other.set_weights(model.get_weights())
    except ValueError:
        side = model.output_shape[1]
        raise ExperimentError(
            f"{model.name} was trained on patches of {side} pixels, and some of its weights, such "
            f"as peepholes, have that size; asked for {size or 'any size'}: give patches or "
            f"windows of {side} pixels"
        ) from None
    return other
