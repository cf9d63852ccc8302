"""How a run goes: settings, batches, loss, devices, checkpoint, record."""

from multisenge_lib.training.train import (
    SAMPLE_SETTINGS,
    Run,
    Settings,
    check_data_root,
    evaluate,
    load_store,
    majority,
    settings_for,
    train,
    weighted_loss,
)
