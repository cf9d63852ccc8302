"""The months of a series: one acquisition of each is an input of the networks."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from multisenge_lib.errors import SelectionError


def month_of(dates: np.ndarray) -> np.ndarray:
    """Months, 1 to 12, of datetime64[D] dates; same shape."""
    # As datetime64[M], a date is the number of months since January 1970.
    return dates.astype("datetime64[M]").astype(np.int64) % 12 + 1


def check_months(months: Sequence[int], years: Sequence[int]) -> tuple[int, ...]:
    """Check that months form a series, and return them as a tuple of integers.

    A series has its months in the order of time. It may cross New Year once, as 11, 12, 1, 2 do.

    Args:
        months: 1 to 12, each once.
        years: the dataset's years; none for any. Within a single year no series crosses New Year.

    Raises:
        SelectionError: naming the rule that is broken.
    """
    if isinstance(months, str) or not np.iterable(months):
        raise SelectionError(f"months is {months!r}: give a list of numbers, such as [7, 8]")
    months = tuple(months)
    if not months or any(not isinstance(m, int | np.integer) or not 1 <= m <= 12 for m in months):
        raise SelectionError(f"months is {list(months)}: give at least one, each from 1 to 12")
    months = tuple(int(month) for month in months)
    steps_back = sum(month >= following for month, following in pairwise(months))
    crosses_new_year = steps_back == 1 and months[-1] < months[0] and len(years) != 1
    if steps_back and not crosses_new_year:
        raise SelectionError(
            f"months is {list(months)}, out of order: give each once, in the order of the series; "
            "only in a dataset of several years may it cross New Year"
        )
    return months


def months_in_words(months: Sequence[int]) -> str:
    """Write months for a message: `month 7`, `months 7 and 8` or `months 7, 8 and 9`."""
    *others, last = map(str, months)
    if not others:
        return f"month {last}"
    return f"months {', '.join(others)} and {last}"


def days_of_year(dates: np.ndarray) -> np.ndarray:
    """Convert dates `(n,) datetime64[D]` to days of the year `(n,) float32`; 1 is 1 January."""
    days_since_new_year = dates - dates.astype("datetime64[Y]").astype("datetime64[D]")
    return (days_since_new_year.astype(np.int64) + 1).astype(np.float32)
