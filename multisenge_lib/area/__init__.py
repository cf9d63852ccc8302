"""A user's own images, cut into MultiSenGE's layout and checked."""

from multisenge_lib.area.check import (
    check_root,
)
from multisenge_lib.area.importing import (
    ImportResult,
    import_area,
)
from multisenge_lib.area.products import (
    baseline_of,
    day_in,
    foreign_band_problem,
    name_problem,
)
from multisenge_lib.area.units import (
    InputUnits,
)
