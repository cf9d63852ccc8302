"""How to train: the paper's settings (section 3.4), the sample's, and what is refused."""

import difflib
from collections.abc import Mapping
from dataclasses import Field, dataclass, fields, replace
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

import msgspec
import numpy as np
from msgspec import Meta

from multisenge_lib.dataset import SAMPLE, dataset_of_root
from multisenge_lib.errors import ExperimentError
from multisenge_lib.models import Experiment

#: How "The training dataset is augmented to 75%" (section 3.4) is read; left open by the paper.
#: `replace`: three quarters of the patches of a pass are turned, the others are as they are.
#: `extend`: a pass has all patches as they are, and turned copies of three quarters of them.
#: `none`: no patch is turned.
Augmentation = Literal["replace", "extend", "none"]
#: Which part of the patches is turned: "the training dataset is augmented to 75%" (section 3.4).
AUGMENTED_SHARE = 0.75
#: `plateau`: the paper's rule (section 3.4). `cosine`: a rise and half a cosine, see `schedule.py`.
Schedule = Literal["plateau", "cosine"]
Precision = Literal["float32", "mixed_bfloat16"]

_Count = Annotated[int, Meta(ge=1)]
_BelowOne = Annotated[float, Meta(gt=0, lt=1)]


@dataclass(frozen=True)
class Settings:
    """How to train. The defaults are the paper's (section 3.4), or ours where it says nothing.

    Attributes:
        epochs: at most; early stopping ends most runs before. Left open by the paper.
        batch_size: patches per step, over all devices.
        passes_per_epoch: how often an epoch goes through the training patches; after each epoch the
            network is validated. 1 in the paper, more where a set is small.
        learning_rate: Adam's learning rate at the start; with the cosine, the highest.
        schedule: how the learning rate changes, see `Schedule`.
        plateau_factor: what the learning rate is multiplied by when the validation loss no longer
            falls.
        plateau_patience: epochs before that in which the validation loss did not fall by at least
            0.0001 (Keras' default).
        stop_patience: epochs without a lower validation loss before training ends.
        seed: seed of the initial weights, of the order of patches and of augmentation.
        augmentation: how "augmented to 75%" is read, see `Augmentation`.
        class_weights: weigh the loss by inverse class frequency.
        precision: precision of training: `float32`, or `mixed_bfloat16`, which takes less memory
            and is faster on processors that multiply it. Left open by the paper.
        jit: whether to compile with XLA. None: yes on JAX, and yes on one GPU of TensorFlow.
        devices: how many devices of this machine share each batch.
        reader_threads: threads that read patches.
        tensorboard: also log for TensorBoard.

    Examples:
        >>> import multisenge_lib as ms
        >>> settings = ms.Settings(epochs=5)
        >>> settings.learning_rate  # the paper's, where nothing else is given
        0.001
    """

    epochs: _Count = 200
    batch_size: _Count = 16
    passes_per_epoch: _Count = 1
    learning_rate: _BelowOne = 1e-3
    schedule: Schedule = "plateau"
    plateau_factor: _BelowOne = 0.1
    plateau_patience: _Count = 5
    stop_patience: _Count = 20
    seed: Annotated[int, Meta(ge=0, lt=2**32)] = 1
    augmentation: Augmentation = "replace"
    class_weights: bool = True
    precision: Precision = "float32"
    jit: bool | None = None
    devices: _Count = 1
    reader_threads: _Count = 4
    tensorboard: bool = False

    def __post_init__(self):
        """Check every setting; an ExperimentError names the one that cannot be trained with."""
        for field in fields(self):
            value = _checked(field, getattr(self, field.name))
            object.__setattr__(self, field.name, value)  # how a frozen dataclass is changed


def _checked(field: Field, value: Any) -> Any:
    """Check one setting, and return its value as a plain Python type."""
    if field.name == "precision" and value == "mixed_float16":
        raise ExperimentError(
            "precision is 'mixed_float16': within ten steps the activations exceed 65,504, the "
            "largest number that float16 holds: give mixed_bfloat16, which is as small, or float32"
        )
    plain = value.item() if isinstance(value, np.generic) else value
    if _is_whole_number(field) and isinstance(plain, float) and plain.is_integer():
        plain = int(plain)
    try:
        return msgspec.convert(plain, field.type)
    except msgspec.ValidationError as error:
        choices = _choices(field)
        rule = f"one of {', '.join(choices)}" if choices else _rule(field, error)
        received = " ".join(repr(value).split())  # of an array, too, on one line
        raise ExperimentError(f"{field.name} is {received}: {rule}") from None


def _rule(field: Field, error: msgspec.ValidationError) -> str:
    """Say what a setting must be."""
    if field.name == "class_weights":
        return "give True or False; the weights themselves are those of inverse_frequency"
    if field.type is bool:
        return "give True or False"
    if field.type == bool | None:
        return "give True, False or None"
    out_of_range = str(error).lower()  # such as: expected `int` >= 1
    if "got" not in out_of_range:
        return out_of_range
    return "give a whole number" if _is_whole_number(field) else "give a number"


def _is_whole_number(field: Field) -> bool:
    return get_origin(field.type) is Annotated and get_args(field.type)[0] is int


def _choices(field: Field) -> list[str]:
    """Return the allowed words of a setting; none if it is a number or a switch."""
    if get_origin(field.type) is Literal:
        return list(get_args(field.type))
    return []


#: For the sample, which has 64 small patches to train on. What a network needs there is about sixty
#: passes over the patches with a rate that anneals: the paper's rule reads a validation loss that
#: jumps on so few patches, and acts too early or never. Four passes are an epoch, so that most of
#: the time goes into updates and not into validation.
SAMPLE_SETTINGS = Settings(
    epochs=15,
    passes_per_epoch=4,
    batch_size=4,
    schedule="cosine",
    reader_threads=1,
)


def settings_for(root: Path | str, **changes: Any) -> Settings:
    """Return the paper's settings, or the sample's, with changes.

    Args:
        root: the data root; the sample has a preset of its own.
        **changes: fields of `Settings`; None leaves the preset's value.

    Raises:
        ExperimentError: a setting is out of range.
    """
    is_sample = dataset_of_root(root).name == SAMPLE.name
    preset = SAMPLE_SETTINGS if is_sample else Settings()
    asked_for = {name: value for name, value in changes.items() if value is not None}
    return replace(preset, **asked_for)


def with_variant_settings(settings: Settings, experiment: Experiment) -> Settings:
    """Return settings with what the variants in the experiment's name change.

    A variant in the name overrides the same setting.
    """
    return replace(settings, **experiment.variant_settings)


#: Parameters of `notebooks/train.ipynb` that are not settings. They say what is trained, and on
#: which data.
_REQUEST = (
    "exp",
    "network",
    "data_root",
    "start_from",
    "start_from_part",
    "on_error",
    "band_order",
    "replace_record",
)
#: Parameters of the notebook that are passed to `dataset.with_selection`.
_SELECTION = ("months", "days_gap", "s1_rule", "tiles")


def settings_from_parameters(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Pick the settings out of a notebook's parameters, and refuse unknown names.

    papermill only warns of a mistyped parameter, and would train something else.

    Args:
        parameters: every parameter by name, those that papermill added among them.

    Raises:
        ExperimentError: there is no parameter of a name.
    """
    settings = [field.name for field in fields(Settings)]
    allowed = [*settings, *_REQUEST, *_SELECTION]
    for name in parameters:
        if name not in allowed:
            similar = difflib.get_close_matches(name, allowed, n=1, cutoff=0.45)
            question = f"did you mean {similar[0]}? " if similar else ""
            raise ExperimentError(
                f"there is no parameter {name}: {question}There are {', '.join(allowed)}"
            )
    return {name: value for name, value in parameters.items() if name in settings}


def turned_copies(patches: int, augmentation: Augmentation) -> int:
    """Return how many turned copies of patches a pass has in addition to the patches."""
    if augmentation != "extend":
        return 0
    return round(AUGMENTED_SHARE * patches)


def steps_per_pass(patches: int, augmentation: Augmentation, batch_size: int) -> int:
    """Return how many full batches a pass through the training patches has.

    Raises:
        ExperimentError: there are not enough patches for a single batch.
    """
    steps = (patches + turned_copies(patches, augmentation)) // batch_size
    if steps == 0:
        raise ExperimentError(
            f"batch size {batch_size} is more than the {patches} patches to train on: give a "
            "smaller one"
        )
    return steps
