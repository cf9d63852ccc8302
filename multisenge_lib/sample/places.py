"""Where and when: the patches of the sample, and the acquisitions that each label file names.

Tiles and acquisition dates are true ones, the positions are free ones (`places.yaml`). What the
sample shows there is invented.
"""

from typing import Literal, NamedTuple

import numpy as np

from multisenge_lib.dataset import SAMPLE, choose_dates, month_of
from multisenge_lib.sample.draws import generator
from multisenge_lib.sample.surfaces import Earth, read_table

#: Days after which Sentinel-1 passes again on the same orbit.
_S1_CYCLE = 6
_FIRST_OF_JULY = np.datetime64("2020-07-01")
#: Cycles from 1 July to the end of November.
_S1_CYCLES = 25
#: Chance that a Sentinel-1 file which may be missing is missing. Only about half of the files may,
#: so that every month keeps one; of all files about 8 % are missing.
_S1_MISSING = 0.14

#: Whether selection at the paper's months and gap keeps a place, or why it drops it.
Series = Literal["complete", "no image in a month", "too close"]
_SERIES_OF_MARK: dict[str, Series] = {"-": "no image in a month", "~": "too close"}


class Place(NamedTuple):
    """One patch: its tile, its upper-left pixel there, what its land is like, and its series."""

    tile: str
    x: int  # column in the tile, pixels
    y: int  # row in the tile, pixels
    theme: str  # a name in `THEMES`
    earth: Earth
    series: Series

    @property
    def patch(self) -> str:
        """The name of the patch."""
        return f"{self.tile}_{self.x}_{self.y}"


class Acquisitions(NamedTuple):
    """The dates that the label file of a patch names, in its order, `datetime64[D]`."""

    s2: np.ndarray  # every file exists
    s1: np.ndarray
    s1_missing: np.ndarray  # those of `s1` whose files do not exist


_TILES = read_table("places")


def _parse_days(text: str) -> np.ndarray:
    """Read `mmdd mmdd ...` as days of 2020, `datetime64[D]`."""
    days = [f"2020-{day[:2]}-{day[2:]}" for day in text.split()]
    return np.array(days, dtype="datetime64[D]")


def _parse_place(tile: str, theme: str, position: str) -> Place:
    """Read a position such as `353,2409` or `353,2409-`."""
    series = _SERIES_OF_MARK.get(position[-1], "complete")
    x, y = position.rstrip("-~").split(",")
    last_chalk_column = _TILES[tile].get("chalk", 0)
    earth: Earth = "chalk" if int(x) < last_chalk_column else "soil"
    return Place(tile, int(x), int(y), theme, earth, series)


def _all_places() -> tuple[Place, ...]:
    places = []
    for tile, entry in _TILES.items():
        for theme, positions in entry["places"].items():
            for position in positions.split():
                places.append(_parse_place(tile, theme, position))
    return tuple(places)


#: Every patch of the sample.
PLACES: tuple[Place, ...] = _all_places()


def _series_of(dates: np.ndarray) -> Series:
    """Say whether a series of sorted dates is selected, or why not."""
    if not np.isin(SAMPLE.months, month_of(dates)).all():
        return "no image in a month"
    if choose_dates(dates, SAMPLE.months, SAMPLE.days_gap) is None:
        return "too close"
    return "complete"


def _draw_s2(rng: np.random.Generator, place: Place) -> np.ndarray:
    """Draw 5 to 7 of the tile's dates that make the series the place asks for, unsorted."""
    calendar = _parse_days(_TILES[place.tile]["s2"])
    while True:
        dates = rng.choice(calendar, rng.integers(5, 8), replace=False)
        if _series_of(np.sort(dates)) == place.series:
            return dates


def s1_orbit(tile: str, day: np.datetime64) -> int:
    """Tell which of the tile's orbits passes on a day: even ones look east, odd ones west.

    Raises:
        ValueError: none of them passes on that day.
    """
    day_in_july = int((day - _FIRST_OF_JULY).astype(int)) + 1
    for number, first_day in enumerate(_TILES[tile]["orbits"]):
        if (day_in_july - first_day) % _S1_CYCLE == 0:
            return number
    raise ValueError(f"no orbit of Sentinel-1 passes over {tile} on {day}")


def _s1_calendar(tile: str) -> np.ndarray:
    """List all passes of Sentinel-1 over a tile from July to November."""
    first_days = np.array(_TILES[tile]["orbits"])
    cycles = _S1_CYCLE * np.arange(_S1_CYCLES)
    days_in_july = np.add.outer(first_days, cycles).ravel()
    passes = _FIRST_OF_JULY + (days_in_july - 1)
    return np.setdiff1d(passes, _parse_days(_TILES[tile].get("gaps", "")))


def _draw_s1(rng: np.random.Generator, tile: str) -> tuple[np.ndarray, np.ndarray]:
    """Draw 8 to 12 dates, at least two of each month, unsorted; and those whose file is missing."""
    calendar = _s1_calendar(tile)
    pairs = []
    for month in SAMPLE.months:
        days = calendar[month_of(calendar) == month]
        pairs.append(rng.choice(days, 2, replace=False))
    others = np.setdiff1d(calendar, np.concatenate(pairs))
    more = rng.choice(others, rng.integers(0, 5), replace=False)
    named = rng.permutation(np.concatenate([*pairs, more]))
    # At most one file of each pair can be missing, so every month keeps one.
    first_of_pairs = [pair[0] for pair in pairs]
    may_be_missing = np.concatenate([first_of_pairs, more]).astype("datetime64[D]")
    missing = may_be_missing[rng.random(len(may_be_missing)) < _S1_MISSING]
    return named, missing


def draw_acquisitions(place: Place, seed: int) -> Acquisitions:
    """Draw the dates that the label file of a patch names."""
    rng = generator(seed, "dates", place.patch)
    s2 = _draw_s2(rng, place)
    s1, s1_missing = _draw_s1(rng, place.tile)
    return Acquisitions(s2, s1, s1_missing)
