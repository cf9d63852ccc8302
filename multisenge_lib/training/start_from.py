"""Start training from a network that was trained before: transfer learning (paper, section 6)."""

import hashlib
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import keras

from multisenge_lib.errors import ExperimentError, counted, printable
from multisenge_lib.models import ModelCard, load_model, read_model_card

#: Which weights to take: all that fit, or those of the encoder alone.
StartPart = Literal["all", "encoder"]

#: A start with less than this share of the weights is hardly one, and a warning says so.
_SMALL_SHARE = 0.1
#: Layers of an encoder: VGG-16's `block1_conv1` in our U-Nets, `encoder1a_conv` in the others.
_ENCODER_LAYER = re.compile(r"(.*/)?(block\d+_conv\d+|encoder)[^/]*/[^/]*")


@dataclass(frozen=True)
class StartingPoint:
    """A trained network whose weights another one starts with.

    Attributes:
        path: path of its `model.keras`.
        part: which of its weights are taken.
        digest: a hash of the file.
        card: the description of the network.
        network: the file of a network of your own, where the `.keras` file needs it.
    """

    path: Path
    part: StartPart
    digest: str
    card: ModelCard
    network: str | None = None

    @property
    def identity(self) -> tuple[str, str]:
        """What tells it from other starting points: the hash of the file, and which part."""
        return self.digest, self.part


@dataclass(frozen=True)
class TakenWeights:
    """The names of the weights that were copied from another network, and of the others.

    Attributes:
        taken: names of the weights that the new network starts with.
        at_random: names of the new network's other weights, which start at random.
    """

    taken: tuple[str, ...]
    at_random: tuple[str, ...]


def starting_point(
    path: Path | str, part: str = "all", network: str | None = None
) -> StartingPoint:
    """Check the file of the network to start from, and describe it.

    Raises:
        ExperimentError: the part is neither `all` nor `encoder`.
        ModelError: the file is missing, damaged, or not a network of this library.
    """
    if part not in get_args(StartPart):
        raise ExperimentError(
            f"start_from_part is {part!r}: give {' or '.join(get_args(StartPart))}"
        )
    path = Path(path)
    card = read_model_card(path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return StartingPoint(path, part, digest, card, network)


def take_weights(
    model: keras.Model, classes: tuple[str, ...], start: StartingPoint
) -> TakenWeights:
    """Copy the weights of another network, wherever names and shapes are the same.

    Logits are not copied if the classes differ, even if their number is the same: channel k then
    means another class.

    Args:
        model: as it was built; its weights change.
        classes: names of the classes that it separates.
        start: the network whose weights are taken.

    Raises:
        ExperimentError: not a single weight fits.
        ModelError: the file cannot be read.
    """
    source, card = load_model(start.path, start.network)
    available = dict(_named_weights(source))
    same_classes = tuple(card.classes) == tuple(classes)
    logits = _output_layer(model)

    taken = []
    at_random = []
    for name, weight in _named_weights(model):
        of_source = available.get(name)
        # The statistics of Eq. 4 are constants of the standardising layer and no weights, so each
        # network keeps those of its own training patches.
        fits = of_source is not None and of_source.shape == weight.shape
        if start.part == "encoder" and not _ENCODER_LAYER.fullmatch(name):
            fits = False
        if not same_classes and name.startswith(f"{logits}/"):
            fits = False
        if fits:
            weight.assign(of_source)
            taken.append(name)
        else:
            at_random.append(name)
    # Training would go on from random weights, and nobody would notice.
    if not taken:
        remedy = "start from a network of the same kind"
        if start.part == "encoder":
            remedy += ", whose encoder has layers called encoder... or, as VGG-16, block1_conv1"
        raise ExperimentError(
            f"{printable(start.path)}: not one of its weights fits {model.name} "
            f"(start_from_part {start.part}): {remedy}"
        )
    if len(taken) < _SMALL_SHARE * (len(taken) + len(at_random)):
        fitting = counted(len(taken), "weight", "weights")
        warnings.warn(
            f"{fitting} of {len(taken) + len(at_random)} fit the network to start from, such as "
            f"{taken[0]}: nearly all start at random, as without start_from",
            stacklevel=2,
        )
    return TakenWeights(tuple(taken), tuple(at_random))


def _named_weights(model: keras.Model, inside: str = "") -> Iterator[tuple[str, keras.Variable]]:
    """Yield every weight with its layer's name, such as `unet/block1_conv1/kernel`.

    Layers inside a model inside the network have its name before theirs.
    """
    numbers: dict[str, int] = {}
    for layer in model.layers:
        path = f"{inside}{_name_in_network(layer, numbers)}"
        if isinstance(layer, keras.Model):
            yield from _named_weights(layer, f"{path}/")
            continue
        # A layer of the user's may have two weights of one name; the second becomes name_2.
        counts: dict[str, int] = {}
        for weight in layer.weights:
            counts[weight.name] = counts.get(weight.name, 0) + 1
            number = "" if counts[weight.name] == 1 else f"_{counts[weight.name]}"
            yield f"{path}/{weight.name}{number}", weight


def _name_in_network(layer: keras.Layer, numbers: dict[str, int]) -> str:
    """Return the name of a layer, which has the same number in each network of the same code.

    Keras numbers the layers without a name of their own through the whole process: the first
    convolution of a network is `conv2d` where it was built first, and `conv2d_2` after a network of
    two. Its number would then say nothing, or be that of another layer.

    Args:
        layer: a layer of the network.
        numbers: how many layers of each kind the network had before it; changed.
    """
    # As Keras makes a name from the class: Conv2DTranspose is conv2d_transpose.
    kind = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", type(layer).__name__)
    kind = re.sub(r"([a-z])([A-Z])", r"\1_\2", kind).lower()
    if not re.fullmatch(rf"{kind}(_\d+)?", layer.name):
        return layer.name
    number = numbers.get(kind, 0)
    numbers[kind] = number + 1
    return f"{kind}_{number}" if number else kind


def _output_layer(model: keras.Model) -> str:
    """Return the path of the last layer with weights, which gives the logits."""
    *_, (name, _) = _named_weights(model)
    return name.rpartition("/")[0]
