"""A network and the description of what it takes and gives, in one file."""

import json
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import keras

from multisenge_lib import files
from multisenge_lib.dataset import MULTISENGE, Typology
from multisenge_lib.errors import ExperimentError, ModelError
from multisenge_lib.models.conv_lstm import ConvLSTM2D
from multisenge_lib.models.experiments import Experiment

#: The entry of a `.keras` file, which is a zip archive, that holds the description.
_ENTRY = "description.json"
UNITS = {"s1": "linear intensity", "s2": "reflectance x 10,000"}


@dataclass(frozen=True)
class ModelCard:
    """What a saved network takes and gives.

    Attributes:
        name: of the experiment.
        classes: names, of the ids from 1.
        colors: hexadecimal, of the ids from 1.
        months: 1 to 12; one date of each, in this order.
        bands: names in order, of each sensor that it takes.
        patch_pixels: along the sides of the patches that it was trained on.
        dataset: name of the dataset that it was trained on.
        classification: name of the classes that it separates, such as `10c`; empty in files of
            before it was kept.
        scores: on the test split of that dataset.
        units: of each sensor's values.
        library: its version and commit.
    """

    name: str
    classes: tuple[str, ...]
    colors: tuple[str, ...]
    months: tuple[int, ...]
    bands: Mapping[str, tuple[str, ...]]
    patch_pixels: int
    dataset: str
    classification: str = ""
    scores: Mapping[str, Any] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=lambda: dict(UNITS))
    library: Mapping[str, Any] = field(default_factory=dict)

    @property
    def sensors(self) -> tuple[str, ...]:
        """Which of `s1` and `s2` it takes."""
        return tuple(self.bands)

    @property
    def legend(self) -> list[tuple[str, str]]:
        """Name and colour of each class, from id 1."""
        return [*zip(self.classes, self.colors, strict=True)]


def model_card(
    experiment: Experiment,
    typology: Typology,
    patch_pixels: int,
    dataset: str,
    scores: Mapping[str, Any] | None = None,
    bands: Mapping[str, tuple[str, ...]] = MULTISENGE.bands,
) -> ModelCard:
    """The description of an experiment's network, with the library's version as it is now.

    Args:
        experiment: what was trained.
        typology: the classes that the network separates, `dataset.typologies[classification]`.
        patch_pixels: along the sides of the patches that it was trained on.
        dataset: name of the dataset that it was trained on.
        scores: on the test split.
        bands: of each sensor, in the order of the network's inputs.

    Raises:
        ExperimentError: the experiment is for another classification.
    """
    expected = (experiment.classification, experiment.classes)
    if (typology.name, len(typology)) != expected:
        raise ExperimentError(
            f"{experiment.name} separates the {experiment.classes} classes of "
            f"{experiment.classification!r}, received the {len(typology)} of {typology.name!r}: "
            "take the typology from the dataset, dataset.typologies[experiment.classification]"
        )
    return ModelCard(
        name=experiment.name,
        classes=typology.names,
        colors=typology.colors,
        months=tuple(experiment.months),
        bands={sensor: tuple(bands[sensor]) for sensor in experiment.sensors},
        patch_pixels=patch_pixels,
        dataset=dataset,
        classification=typology.name,
        scores=dict(scores or {}),
        library=files.provenance(),
    )


def save_model(model: keras.Model, description: ModelCard, path: Path) -> Path:
    """Write a network, without its optimizer, and its description as one `.keras` file.

    Raises:
        FileError: the file cannot be written.
    """
    with files.atomic(path) as unfinished:
        keras.Model(model.input, model.output, name=model.name).save(unfinished)
        with zipfile.ZipFile(unfinished, "a") as archive:
            archive.writestr(_ENTRY, json.dumps(asdict(description), indent=2))
    return path


def read_model_card(path: Path) -> ModelCard:
    """The description inside a `.keras` file, without loading the network.

    Raises:
        ModelError: the file has none.
        OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile: the file is damaged.
    """
    with zipfile.ZipFile(path) as archive:
        if _ENTRY not in archive.namelist():
            raise ModelError(
                f"{path} does not say what it takes: train it with this library, or save it with "
                "multisenge_lib.models.save_model"
            )
        known = json.loads(archive.read(_ENTRY))
    for key in ("classes", "colors", "months"):
        known[key] = tuple(known[key])
    known["bands"] = {sensor: tuple(names) for sensor, names in known["bands"].items()}
    return ModelCard(**known)


def load_model(path: Path | str) -> tuple[keras.Model, ModelCard]:
    """Read a network and its description; no code that the file may hold is run.

    Raises:
        ModelError: it is missing, damaged, or does not say what it takes.
    """
    path = Path(path)
    try:
        description = read_model_card(path)
        return keras.saving.load_model(path, compile=False, safe_mode=True), description
    except FileNotFoundError:
        raise ModelError(f"{path} is missing: name a model.keras that training wrote") from None
    except ModelError:
        raise
    except Exception as error:  # of Keras, zip, JSON: whatever a damaged file leads to
        reason = str(error).strip().split("\n")[0] or type(error).__name__
        raise ModelError(
            f"{path} cannot be read as a network ({reason}): train it again, or fetch it again"
        ) from None


def _sizes(config: Any, size: int | None) -> Any:
    """The configuration of a network with inputs of another height and width."""
    if isinstance(config, list):
        return [_sizes(part, size) for part in config]
    if not isinstance(config, dict):
        return config
    changed = {key: _sizes(part, size) for key, part in config.items() if key != "build_config"}
    if "batch_shape" in changed:
        *leading, _, _, channels = changed["batch_shape"]
        changed["batch_shape"] = [*leading, size, size, channels]
    return changed


def with_input_size(model: keras.Model, size: int | None) -> keras.Model:
    """The same network with the same weights, for patches of another size; None for any.

    Raises:
        ExperimentError: its peepholes tie it to the size that it was trained on.
    """
    config = _sizes(model.get_config(), size)
    other = keras.Model.from_config(config, custom_objects={"ConvLSTM2D": ConvLSTM2D})
    try:
        other.set_weights(model.get_weights())
    except ValueError:
        side = model.output_shape[1]
        raise ExperimentError(
            f"the peepholes of {model.name} tie it to {side} pixels, asked for {size}: "
            f"give windows of {side}"
        ) from None
    return other
