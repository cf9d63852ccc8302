"""What the paper prints, as data, and what it leaves open."""

from multisenge_lib.paper.published import (
    AUDITED,
    IMAGERY,
    ITEMS,
    KAPPA_TABLE,
    METHODS,
    OUTSIDE,
    REAL,
    SAMPLE,
    SCORE_TABLE,
    SCORES,
    STATES,
    AuthorsScript,
    Paper,
    Replication,
    authors_script,
    published_numbers,
    read_paper,
    replication,
)
