"""Where and when: the patches of the sample, and the acquisitions named for each.

Tiles, positions and acquisition dates are true ones (`places.yaml`). What the sample shows there is
invented.
"""

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import yaml

from multisenge_lib.dataset import SAMPLE, STRIDE, choose_dates, month_of

#: Days after which Sentinel-1 passes again on the same orbit.
_S1_CYCLE = 6
_JULY = np.datetime64("2020-07-01")

Series = Literal["complete", "no image in a month", "too close"]
_SERIES: dict[str, Series] = {"-": "no image in a month", "~": "too close"}


def table(name: str) -> dict[str, Any]:
    """One of the YAML files beside this module."""
    return yaml.safe_load(Path(__file__).with_name(f"{name}.yaml").read_text(encoding="utf-8"))


class Place(NamedTuple):
    """One patch: its tile, its upper-left pixel there, what its land is like and its series."""

    tile: str
    x: int
    y: int
    theme: str
    earth: Literal["chalk", "soil"]
    series: Series

    @property
    def patch(self) -> str:
        """The name of the patch."""
        return f"{self.tile}_{self.x}_{self.y}"


class Acquisitions(NamedTuple):
    """The dates that the label file of a patch names, in its order (datetime64[D])."""

    s2: np.ndarray  # every file is there
    s1: np.ndarray
    s1_missing: np.ndarray  # those of `s1` whose files are not there


def generator(seed: int, *names: object) -> np.random.Generator:
    """Random numbers that depend on the seed and the names alone, not on what was drawn before."""
    key = zlib.crc32(" ".join(map(str, names)).encode())
    return np.random.Generator(np.random.PCG64([seed, key]))


def _days(texts: str) -> np.ndarray:
    """`mmdd mmdd ...` as datetime64[D]."""
    return np.array([f"2020-{t[:2]}-{t[2:]}" for t in texts.split()], dtype="datetime64[D]")


_TILES = table("places")


def _places() -> Iterator[Place]:
    for tile, about in _TILES.items():
        for theme, positions in about["places"].items():
            for position in positions.split():
                x, y = (STRIDE * int(i) for i in position.rstrip("-~").split(","))
                earth = "chalk" if x < about.get("chalk", 0) else "soil"
                yield Place(tile, x, y, theme, earth, _SERIES.get(position[-1], "complete"))


#: Every patch of the sample.
PLACES: tuple[Place, ...] = tuple(_places())


def _series(dates: np.ndarray) -> Series:
    if not np.isin(SAMPLE.months, month_of(dates)).all():
        return "no image in a month"
    chosen = choose_dates(dates, SAMPLE.months, SAMPLE.days_gap)
    return "too close" if chosen is None else "complete"


def _draw_s2(rng: np.random.Generator, place: Place) -> np.ndarray:
    """5 to 7 of the tile's dates that make the series which the place asks for, unsorted."""
    calendar = _days(_TILES[place.tile]["s2"])
    while True:
        dates = rng.choice(calendar, rng.integers(5, 8), replace=False)
        if _series(np.sort(dates)) == place.series:
            return dates


def s1_orbit(tile: str, day: np.datetime64) -> int:
    """Which of the tile's orbits passes on a day: even ones look east, odd ones west."""
    since = (day - _JULY).astype(int) + 1
    return [(since - start) % _S1_CYCLE for start in _TILES[tile]["orbits"]].index(0)


def _s1_calendar(tile: str) -> np.ndarray:
    """All passes of Sentinel-1 from July to November."""
    passes = np.add.outer(_TILES[tile]["orbits"], _S1_CYCLE * np.arange(25)).ravel() - 1
    return np.setdiff1d(_JULY + passes, _days(_TILES[tile].get("gaps", "")))


def _draw_s1(rng: np.random.Generator, tile: str) -> tuple[np.ndarray, np.ndarray]:
    """8 to 12 dates, two or more of each month, unsorted; and those without a file, about 8 %."""
    calendar = _s1_calendar(tile)
    by_month = [calendar[month_of(calendar) == month] for month in SAMPLE.months]
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
