"""How a run goes: settings, batches, loss, devices, checkpoint, record."""

from multisenge_lib.training.ablations import measure_all
from multisenge_lib.training.devices import settled
from multisenge_lib.training.loss import inverse_frequency, weighted_loss
from multisenge_lib.training.optimizer import adam
from multisenge_lib.training.plan import plan_training
from multisenge_lib.training.progress import say, say_scores
from multisenge_lib.training.settings import (
    SAMPLE_SETTINGS,
    Settings,
    given_settings,
    settings_for,
)
from multisenge_lib.training.train import Run, Task, check_data_root, evaluate, load, train
