"""The card of a saved network: what it takes and gives, and where it was trained.

It is a JSON file in the `.keras` archive, so it can be read without Keras. Such files are passed on
between people, so reading one trusts nothing that it says.
"""

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from multisenge_lib.dataset import COLOR_PATTERN, MULTISENGE, SENSORS, Typology, file_problem
from multisenge_lib.errors import ExperimentError, ModelError, first_line, printable
from multisenge_lib.models.experiments import Experiment, months_of_images
from multisenge_lib.models.file_limits import check_entries
from multisenge_lib.models.networks import FOREST, NetworkFile, parse_network
from multisenge_lib.software import provenance

UNITS = {"s1": "linear intensity", "s2": "reflectance x 10,000"}

#: Its name in the archive.
CARD_ENTRY = "description.json"

_Color = Annotated[str, Meta(pattern=COLOR_PATTERN)]
_Month = Annotated[int, Meta(ge=1, le=12)]
_Name = Annotated[str, Meta(min_length=1, max_length=200)]


@dataclass(frozen=True)
class ModelCard:
    """What a saved network takes and gives.

    Attributes:
        name: name of the experiment.
        classes: names, of the ids from 1.
        colors: hexadecimal, of the ids from 1.
        months: 1 to 12; one date of each, in this order.
        bands: names in order, of each sensor that it takes.
        patch_pixels: along the sides of the patches that it was trained on.
        dataset: name of the dataset that it was trained on.
        classification: name of the classes that it separates, such as `10c`; empty in older files.
        scores: on the test split of that dataset.
        units: units of each sensor's values.
        library: its version and commit.
        network: a name of `networks.NETWORKS`, `forest`, or a file's name and a function.
        s1_per_month: Sentinel-1 images of each month; one in the paper.
    """

    name: _Name
    classes: Annotated[tuple[_Name, ...], Meta(min_length=1, max_length=255)]
    colors: tuple[_Color, ...]
    months: Annotated[tuple[_Month, ...], Meta(min_length=1)]
    bands: dict[str, tuple[_Name, ...]]
    patch_pixels: Annotated[int, Meta(ge=1)]
    dataset: _Name
    classification: str = ""
    scores: dict[str, Any] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=lambda: dict(UNITS))
    library: dict[str, Any] = field(default_factory=dict)
    network: _Name = "conv_lstm"
    s1_per_month: Annotated[int, Meta(ge=1, le=9)] = 1

    def months_of(self, sensor: str) -> tuple[int, ...]:
        """The month of each image of a sensor, in the order of the network's input."""
        return months_of_images(sensor, self.months, self.s1_per_month)

    @property
    def sensors(self) -> tuple[str, ...]:
        """Which of `s1` and `s2` it takes."""
        return tuple(self.bands)

    @property
    def legend(self) -> list[tuple[str, str]]:
        """Name and colour of each class, from id 1."""
        return list(zip(self.classes, self.colors, strict=True))


def model_card(
    experiment: Experiment,
    typology: Typology,
    patch_pixels: int,
    dataset: str,
    scores: Mapping[str, Any] | None = None,
    bands: Mapping[str, tuple[str, ...]] = MULTISENGE.bands,
) -> ModelCard:
    """Describe an experiment's network, with the library's version as it is now.

    Args:
        experiment: what was trained.
        typology: the classes that the network separates: those of `classification` in `dataset`.
        patch_pixels: along the sides of the patches that it was trained on.
        dataset: name of the dataset that it was trained on.
        scores: on the test split.
        bands: names of each sensor's bands, in the order of the network's inputs.

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
        library=provenance(),
        network=_portable_name(experiment.network),
        s1_per_month=experiment.s1_per_month,
    )


def _portable_name(network: str) -> str:
    """Name a network without the folder of its file, which means nothing on another machine."""
    if network == FOREST:
        return network
    parsed = parse_network(network)
    if isinstance(parsed, NetworkFile):
        return f"{parsed.path.name}:{parsed.function}"
    return network


def read_model_card(path: Path | str) -> ModelCard:
    """Read the card of a `.keras` file, without loading the network.

    Raises:
        ModelError: the file is missing, damaged or has no card, or the card is wrong.
    """
    path = Path(path)
    problem = file_problem(path)
    if problem is not None:
        raise ModelError(f"{printable(path)} {problem}: name a model.keras that training wrote")
    try:
        with zipfile.ZipFile(path) as archive:
            check_entries(path, archive)
            text = archive.read(CARD_ENTRY) if CARD_ENTRY in archive.namelist() else None
    except ModelError:
        raise
    except Exception as error:  # of zip and HDF5: whatever a damaged file leads to
        raise ModelError(
            f"{printable(path)} cannot be read as a network ({first_line(error)}): train it "
            "again, or fetch it again"
        ) from None
    if text is None:
        raise ModelError(
            f"{printable(path)} does not say what it takes: train it with this library, or save "
            "it with multisenge_lib.models.save_model"
        )
    return _parse_card(path, text)


def _parse_card(path: Path, text: bytes) -> ModelCard:
    """Parse and check a card; keys that this version does not know are skipped."""
    try:
        card = msgspec.json.decode(text, type=ModelCard)
        _check_card(card)
    except (ValueError, msgspec.MsgspecError, RecursionError) as error:
        raise ModelError(
            f"the description in {printable(path)} is wrong ({first_line(error)}): save the "
            "network again with multisenge_lib.models.save_model"
        ) from None
    return card


def _check_card(card: ModelCard) -> None:
    """Check what the types of a card's fields cannot; raise a ValueError."""
    names = (card.name, card.dataset, *card.classes)
    for name in names:
        # They become parts of XML files, file names and terminal lines.
        if not name.isprintable():
            raise ValueError(f"{name!r} holds characters that cannot be printed")
    if len(card.colors) != len(card.classes):
        raise ValueError(f"{len(card.classes)} classes have {len(card.colors)} colors")
    if not card.bands or not set(card.bands) <= set(SENSORS):
        raise ValueError(f"bands are of {list(card.bands)}, expected {' or '.join(SENSORS)}")
    for sensor, bands in card.bands.items():
        # Rasters are read in these units for every network, so one with others would be misled.
        if card.units.get(sensor, UNITS[sensor]) != UNITS[sensor]:
            raise ValueError(f"{sensor} is in {card.units[sensor]}, expected {UNITS[sensor]}")
        if not bands or len(set(bands)) != len(bands):
            raise ValueError(
                f"the bands of {sensor} are {list(bands)}: each needs a name of its own"
            )
