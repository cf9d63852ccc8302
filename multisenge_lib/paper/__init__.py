"""What the paper prints, as data, and what it leaves open."""

from multisenge_lib.paper.data_files import (
    finding_words,
    read_errata,
    read_items,
    read_open_points,
    states,
)
from multisenge_lib.paper.outside_sources import (
    AuthorsScript,
    OutsideRun,
    Replication,
    authors_script,
    read_code_sources,
    replication,
)
from multisenge_lib.paper.published import (
    KAPPA_TABLE,
    METHODS,
    SCORES,
    Claim,
    Number,
    Paper,
    read_paper,
)
