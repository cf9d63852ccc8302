"""What training takes on this machine, before an image is fetched: one step, measured."""

import pandas as pd

from multisenge_lib.models import build_model, get_experiment, seconds_a_step, step_memory
from multisenge_lib.training import Settings, on_devices, settled, steps_an_epoch

#: The largest network.
_EXPERIMENT = "inception_10c"


def plan_training(patches: int, size: int) -> pd.DataFrame:
    """Memory and time of training the largest network with the paper's settings, from one step.

    The step is timed on one patch of zeros.

    Args:
        patches: to train on.
        size: pixels along a patch's side.

    Returns:
        A table as `tools.plan` gives it.
    """
    settings = settled(Settings())
    batch = settings.batch_size
    with on_devices(settings):
        model = build_model(get_experiment(_EXPERIMENT), size)
    memory = step_memory(model, batch).sum() / 1e9
    step = seconds_a_step(model, 1, 2) * batch
    epoch = step * steps_an_epoch(patches, settings.augmentation, batch)
    rows = [
        (f"memory of a step of {_EXPERIMENT}, float32", memory, "GB", "computed"),
        (f"a step of {batch} patches here", step, "s", "measured on one"),
        ("an epoch of training here", epoch / 3600, "h", "computed"),
        (f"{settings.epochs} epochs, the most", epoch * settings.epochs / 86_400, "d", "computed"),
    ]
    return pd.DataFrame(rows, columns=["what", "value", "unit", "how"])
