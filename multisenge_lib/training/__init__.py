"""How a network is trained: settings, batches, loss, run, checkpoint, devices."""

from multisenge_lib.training.batches import (
    steps_an_epoch,
)
from multisenge_lib.training.devices import (
    on_devices,
    settled,
)
from multisenge_lib.training.loss import (
    inverse_frequency,
    weighted_loss,
)
from multisenge_lib.training.optimizer import (
    adam,
)
from multisenge_lib.training.progress import (
    print_scores,
    say,
)
from multisenge_lib.training.run import (
    Run,
    check_data_root,
    evaluate,
    load,
    train,
)
from multisenge_lib.training.settings import (
    SAMPLE_SETTINGS,
    Settings,
    settings_for,
    settings_from_parameters,
)
