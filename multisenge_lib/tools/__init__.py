"""Downloading the archives, estimating what a full run takes, measuring variants."""

from multisenge_lib.tools.ablations import (
    measure_all,
)
from multisenge_lib.tools.archives import (
    ARCHIVES,
    URL,
    download,
)
from multisenge_lib.tools.rehearsal import (
    format_quantity,
    plan,
)
from multisenge_lib.tools.training_cost import (
    plan_training,
)
