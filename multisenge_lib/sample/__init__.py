"""The synthetic dataset, which stands in for the real one where that is not at hand."""

from multisenge_lib.sample.places import (
    PLACES,
)
from multisenge_lib.sample.writer import (
    ensure_sample,
    find_data_root,
    write_sample,
)
