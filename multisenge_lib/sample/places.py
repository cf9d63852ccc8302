"""Where and when: the patches of the sample, and the acquisitions named for each.

Tiles, positions and acquisition dates are true ones, of the published label files: at each of
these places MultiSenGE has a patch, and its reference has the classes that the theme is about.
What the sample shows there is invented.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from multisenge_lib.dataset import MULTISENGE, choose_dates, month_of

#: Pixels from one patch to the next.
STRIDE = 257

#: Tile, theme, column and row on the grid of patches. What follows a place says why selection drops
#: it: "-" there is no image in one of the months, "~" July and August are too close.
_PLACES = """
31UEQ city     29,16 28,31
31UEQ town     27,26 27,16
31UEQ village  15,33 17,37 26,32 32,14
31UEQ industry 22,20 36,23
31UEQ plain    18,30 19,34 27,27- 32,31~
31UEQ bocage   30,6
31UEQ forest   17,31 19,31 23,18
31UEQ valley   30,30 31,8
31UEQ vineyard 19,26
31UEQ orchard  25,18
31UFQ city     14,23
31UFQ town     35,22
31UFQ village  5,12 19,0 33,32
31UFQ industry 6,1 28,19
31UFQ plain    5,32 6,24 14,30 14,36- 26,23~
31UFQ bocage   4,37 24,23
31UFQ forest   2,33 11,31 30,32
31UFQ valley   12,37 29,26
31UFQ vineyard 7,36
32ULU city     2,18
32ULU town     12,12
32ULU village  6,20 9,34
32ULU industry 20,37
32ULU plain    5,8 16,5 21,18~
32ULU bocage   5,4 5,7
32ULU forest   1,14 20,17 23,2 25,15-
32ULU valley   3,29
32ULU vineyard 29,16 32,6
32ULU orchard  16,10
32ULV town     28,25
32ULV village  15,22 19,21
32ULV industry 11,29
32ULV plain    9,36 11,31-
32ULV bocage   5,37 31,26
32ULV forest   14,36 26,25
32ULV valley   17,34
31UFR village  12,17
31UFR plain    12,34
31UFR bocage   1,32
31UFR forest   3,37 4,36
31UFR valley   7,25
31TFN town     28,6
31TFN village  31,3
31TFN plain    27,4
31TFN bocage   24,3
31TFN forest   35,0
31TFN vineyard 27,7
31UFP town     26,0
31UFP village  4,21 19,37
31UFP industry 27,32
31UFP plain    8,16 23,30- 25,24~
31UFP bocage   3,1
31UFP forest   26,24 36,36
31UFP valley   30,35
31UFP vineyard 10,24
31UGP city     4,2
31UGP village  4,33
31UGP plain    1,19-
31UGP bocage   12,5
31UGP forest   4,27
31UGP valley   0,17
31UGP orchard  10,11
"""

#: Sentinel-2 images of each tile from June 2020 on, month and day.
_S2_DAYS = {
    "31UEQ": "0721 0731 0805 0808 0912 0914 0917 0922 1118 1126 1128 1218",
    "31UFQ": "0721 0729 0731 0805 0808 0912 0914 0917 0922 1106 1118",
    "32ULU": "0623 0723 0731 0805 0807 0820 0909 0914 1118",
    "32ULV": "0601 0623 0721 0731 0805 0807 0921 1031 1105",
    "31UFR": "0721 0731 0805 0808 0912 0914 0917 0922 1106 1118 1128",
    "31TFN": "0731 0805 0807 0812 0820 0904 0909 0914 0916 1105 1128 1210",
    "31UFP": "0623 0624 0723 0729 0731 0805 0807 0808 0820 0911 0912 0914 0917 0922 1105 1118",
    "31UGP": "0723 0731 0805 0807 0820 0909 0914 1105 1118",
}
#: The orbits of Sentinel-1 over each tile, by the day of July 2020 on which their cycle begins.
_S1_ORBITS = {"31UEQ": (1, 2, 4), "31UGP": (3, 5), "32ULU": (3, 5), "32ULV": (3, 5)}
_S1_ORBITS_ELSEWHERE = (2, 4)
_S1_CYCLE = 6
#: Days of these cycles on which there is no image.
_S1_GAPS = {"31UGP": "1126", "32ULU": "1126", "32ULV": "1108 1120 1126"}

Series = Literal["complete", "no image in a month", "too close"]
_SERIES: dict[str, Series] = {"-": "no image in a month", "~": "too close"}


@dataclass(frozen=True)
class Place:
    """One patch: its tile, its upper-left pixel there, what its land is like and its series."""

    tile: str
    x: int
    y: int
    theme: str
    series: Series

    @property
    def patch(self) -> str:
        """The name of the patch."""
        return f"{self.tile}_{self.x}_{self.y}"


@dataclass(frozen=True)
class Acquisitions:
    """The dates that the label file of a patch names, in its order (datetime64[D]).

    Attributes:
        s2: Sentinel-2; every file is there.
        s1: Sentinel-1.
        s1_missing: those of `s1` whose files are not there.
    """

    s2: np.ndarray
    s1: np.ndarray
    s1_missing: np.ndarray


def generator(seed: int, *names: object) -> np.random.Generator:
    """Random numbers that depend on the seed and the names alone, not on what was drawn before."""
    key = zlib.crc32(" ".join(map(str, names)).encode())
    return np.random.Generator(np.random.PCG64([seed, key]))


def _places() -> Iterator[Place]:
    for line in _PLACES.strip().splitlines():
        tile, theme, *positions = line.split()
        for position in positions:
            column, row = position.rstrip("-~").split(",")
            series = _SERIES.get(position[-1], "complete")
            yield Place(tile, STRIDE * int(column), STRIDE * int(row), theme, series)


#: Every patch of the sample.
PLACES: tuple[Place, ...] = tuple(_places())


def _days(texts: str) -> np.ndarray:
    """`mmdd mmdd ...` as datetime64[D]."""
    return np.array([f"2020-{t[:2]}-{t[2:]}" for t in texts.split()], dtype="datetime64[D]")


def _series(dates: np.ndarray) -> Series:
    if not np.isin(MULTISENGE.months, month_of(dates)).all():
        return "no image in a month"
    return (
        "too close"
        if choose_dates(dates, MULTISENGE.months, MULTISENGE.days_gap) is None
        else "complete"
    )


def _draw_s2(rng: np.random.Generator, place: Place) -> np.ndarray:
    """5 to 7 of the tile's dates that make the series which the place asks for, unsorted."""
    calendar = _days(_S2_DAYS[place.tile])
    while True:
        dates = rng.choice(calendar, rng.integers(5, 8), replace=False)
        if _series(np.sort(dates)) == place.series:
            return dates


def s1_orbit(tile: str, day: np.datetime64) -> int:
    """Which of the tile's orbits passes on a day: even ones look east, odd ones west."""
    starts = _S1_ORBITS.get(tile, _S1_ORBITS_ELSEWHERE)
    since = (day - np.datetime64("2020-07-01")).astype(int) + 1
    return next(i for i, start in enumerate(starts) if (since - start) % _S1_CYCLE == 0)


def _s1_calendar(tile: str) -> np.ndarray:
    """All passes of Sentinel-1 from July to November."""
    starts = np.datetime64("2020-07-01") + np.array(_S1_ORBITS.get(tile, _S1_ORBITS_ELSEWHERE)) - 1
    passes = (starts[:, None] + _S1_CYCLE * np.arange(25)[None, :]).ravel()
    return np.setdiff1d(passes, _days(_S1_GAPS.get(tile, "")))


def _draw_s1(rng: np.random.Generator, tile: str) -> tuple[np.ndarray, np.ndarray]:
    """8 to 12 dates, two or more of each month, unsorted; and those without a file, about 8 %."""
    calendar = _s1_calendar(tile)
    by_month = [calendar[month_of(calendar) == month] for month in MULTISENGE.months]
    pairs = [rng.choice(days, 2, replace=False) for days in by_month]
    others = np.setdiff1d(calendar, np.concatenate(pairs))
    more = rng.choice(others, rng.integers(0, 5), replace=False)
    # At most one of each pair can be missing: every month keeps a file.
    risky = np.concatenate([[pair[0] for pair in pairs], more]).astype("datetime64[D]")
    named = rng.permutation(np.concatenate([*pairs, more]))
    return named, risky[rng.random(len(risky)) < 0.14]


def acquisitions(place: Place, seed: int) -> Acquisitions:
    """The dates named for a patch."""
    rng = generator(seed, "dates", place.patch)
    return Acquisitions(_draw_s2(rng, place), *_draw_s1(rng, place.tile))
