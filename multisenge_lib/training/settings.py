"""How to train: the paper's settings (section 3.4), the sample's, and what is refused."""

import difflib
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

import msgspec
from msgspec import Meta

from multisenge_lib.dataset import SAMPLE, dataset_of_root
from multisenge_lib.errors import ExperimentError

#: Two of the readings of "The training dataset is augmented to 75%" (section 3.4).
#: `replace`: three quarters of the patches of an epoch are turned, the others are as they are.
#: `extend`: an epoch has all patches as they are, and turned copies of three quarters of them.
Augmentation = Literal["replace", "extend", "none"]
Precision = Literal["float32", "mixed_float16", "mixed_bfloat16"]
_Count = Annotated[int, Meta(ge=1)]
_Share = Annotated[float, Meta(gt=0, lt=1)]


@dataclass(frozen=True)
class Settings:
    """How to train. The defaults are the paper's (section 3.4), or ours where it says nothing.

    Attributes:
        epochs: at most; early stopping ends most runs before. Left open by the paper.
        batch_size: patches a step, over all devices.
        learning_rate: of Adam, at the start.
        plateau_factor: of the learning rate, when the validation loss no longer falls.
        plateau_patience: epochs before that.
        stop_patience: epochs without a lower validation loss before training ends.
        seed: of initial weights, order and augmentation.
        augmentation: how "augmented to 75%" is read, see `Augmentation`.
        class_weights: weigh the loss by inverse class frequency.
        precision: of training, `float32` or a mixed one; None: `mixed_bfloat16` by TensorFlow on a
            processor that multiplies it, `float32` elsewhere. Left open by the paper.
        jit: compile with XLA; None: on JAX and on a GPU.
        devices: how many devices of this machine share each batch.
        readers: threads that read patches.
        tensorboard: also log for TensorBoard.

    Examples:
        >>> import multisenge_lib as ms
        >>> settings = ms.Settings(epochs=5)
        >>> settings.learning_rate  # the paper's, where nothing else is given
        0.001
    """

    epochs: _Count = 200
    batch_size: _Count = 16
    learning_rate: _Share = 1e-3
    plateau_factor: _Share = 0.1
    plateau_patience: _Count = 5
    stop_patience: _Count = 20
    seed: Annotated[int, Meta(ge=0, lt=2**32)] = 1
    augmentation: Augmentation = "replace"
    class_weights: bool = True
    precision: Precision | None = None
    jit: bool | None = None
    devices: _Count = 1
    readers: _Count = 4
    tensorboard: bool = False

    def __post_init__(self):
        """Refuse what cannot be trained with, by an ExperimentError that names the setting."""
        for field in fields(self):
            value = getattr(self, field.name)
            try:
                msgspec.convert(value, field.type)
            except msgspec.ValidationError as error:
                kinds = [k for k in (field.type, *get_args(field.type)) if get_origin(k) is Literal]
                choices = [str(choice) for kind in kinds for choice in get_args(kind)]
                rule = f"one of {', '.join(choices)}" if choices else str(error)
                raise ExperimentError(f"{field.name} is {value!r}: {rule.lower()}") from None


#: For the sample, 56 small patches to train on: smaller batches, and as many epochs as two cores do
#: in about two minutes.
SAMPLE_SETTINGS = Settings(epochs=30, batch_size=4, readers=1)


def settings_for(root: Path | str, **changes: Any) -> Settings:
    """The paper's settings, or the sample's, with changes; None leaves the preset's value.

    Raises:
        ExperimentError: a setting is out of range.
    """
    preset = SAMPLE_SETTINGS if dataset_of_root(root).name == SAMPLE.name else Settings()
    settings = replace(preset, **{k: v for k, v in changes.items() if v is not None})
    most = os.environ.get("MULTISENGE_EPOCHS")  # tests set it, to see a run end soon
    if not most:
        return settings
    if not (most.isascii() and most.isdecimal() and int(most)):
        raise ExperimentError(
            f"MULTISENGE_EPOCHS is {most!r}: give a whole number, 1 or more, or unset it"
        )
    return replace(settings, epochs=min(settings.epochs, int(most)))


#: Parameters of `notebooks/train.ipynb` that are no settings.
_SELECTION = ("months", "days_gap", "s1_rule", "tiles")
_REQUEST = ("exp", "data_root", "on_error", "band_order", *_SELECTION)
#: What IPython puts beside them.
_SHELL = ("In", "Out", "exit", "quit", "open", "get_ipython")


def settings_from_parameters(names: Mapping[str, Any]) -> dict[str, Any]:
    """The settings among the names of a notebook whose parameters have just been set.

    papermill lets a mistyped parameter pass with a warning, and trains something else.

    Args:
        names: `globals()` of the notebook, before anything but parameters is in it.

    Raises:
        ExperimentError: a name is no parameter.
    """
    settings = [field.name for field in fields(Settings)]
    for name in names:
        if not name.startswith("_") and name not in (*settings, *_REQUEST, *_SHELL):
            near = difflib.get_close_matches(name, (*settings, *_REQUEST), 1, 0)
            raise ExperimentError(
                f"{name} is no parameter: did you mean {near[0]}? There are "
                f"{', '.join((*_REQUEST, *settings))}"
            )
    return {name: names[name] for name in settings if name in names}
