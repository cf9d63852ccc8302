"""What the paper prints, as data, and what it leaves open."""

from multisenge_lib.paper.published import (
    KAPPA_TABLE,
    METHODS,
    SCORE_TABLE,
    SCORES,
    AuthorsScript,
    Claim,
    Number,
    Paper,
    Replication,
    Run,
    authors_script,
    finding_words,
    read_code_sources,
    read_errata,
    read_items,
    read_open_points,
    read_paper,
    replication,
    states,
)
