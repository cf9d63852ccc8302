"""A user's own images, cut into the published layout and checked."""

from multisenge_lib.area.check import (
    check_root,
)
from multisenge_lib.area.cutting import (
    InputUnits,
)
from multisenge_lib.area.importing import (
    import_area,
)
from multisenge_lib.area.sources import (
    day_in,
)
