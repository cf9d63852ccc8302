"""From land and a date to what the two satellites record there."""

from typing import Literal, NamedTuple

import numpy as np
from scipy import ndimage

from multisenge_lib.sample.land import CELLS, MARGIN, SURFACES, UNITS, Land, smooth_noise
from multisenge_lib.sample.places import Place, generator, s1_orbit, table

#: Weights of the four cells in a row that make a 10 m pixel: the instrument blurs.
_PSF = (0.13, 0.37, 0.37, 0.13)
#: Positions of the 20 m bands: B5 B6 B7 B8A B11 B12.
_COARSE = [3, 4, 5, 7, 8, 9]
#: What is left of each band in shadow: the sky is blue.
_SHADOW = np.array([0.62, 0.55, 0.48, 0.46, 0.44, 0.43, 0.42, 0.42, 0.36, 0.33])[:, None, None]
#: Where the sun stands, in rows and columns from a cell: south-south-east.
_TO_SUN = np.array([0.94, -0.34])
#: Spread of the haze that atmospheric correction leaves, per band.
_HAZE = np.linspace(45, 5, 10)[:, None, None]
#: Backscatter VV and VH that a metre of wall adds to its cell, linear.
_WALL = np.array([0.36, 0.050])[:, None, None]

_SPECTRA = {name: np.array(row, np.float32) for name, row in table("surfaces")["spectra"].items()}
_KINDS = tuple(SURFACES.values())


def _yearly(part: Literal["leaf", "dry"]) -> np.ndarray:
    """A part of every surface on each day of the year, and a few more: `(surfaces, days)`."""
    courses = [kind.get(part, {1: 0.0}) for kind in _KINDS]
    return np.stack([np.interp(np.arange(400), list(c), list(c.values())) for c in courses])


_LEAF, _DRY = _yearly("leaf"), _yearly("dry")
_GREEN = np.stack([_SPECTRA[kind.get("green", "grass")] for kind in _KINDS], axis=1)
_GROUND = {
    earth: np.stack([(_SPECTRA | {"earth": _SPECTRA[earth]})[k["ground"]] for k in _KINDS], axis=1)
    for earth in ("chalk", "soil")
}
_BARE_DB = np.array([kind["bare_db"] for kind in _KINDS]).T
_LEAF_DB = np.array([kind.get("leaf_db", kind["bare_db"]) for kind in _KINDS]).T
_BETWEEN, _WITHIN = (np.array([kind[k] for kind in _KINDS]) for k in ("between", "within"))
_IS_EARTH = np.array([kind["ground"] == "earth" for kind in _KINDS])
_IS_ROOF = np.array([name.endswith("roof") for name in SURFACES])


class Scene(NamedTuple):
    """What stays the same from date to date; arrays `(cells, cells)`, the margin included."""

    place: Place
    land: Land
    bright: np.ndarray  # relative brightness
    poor: np.ndarray  # how much poorer than its kind vegetation grows
    ahead: np.ndarray  # days by which each unit runs ahead of the mean course
    rough: np.ndarray  # (2, cells, cells), backscatter over its kind's, in dB
    walls: np.ndarray  # how strongly edges reflect radar
    slope: np.ndarray  # (2, size, size), rise of the ground to the south and to the east


def scene(rng: np.random.Generator, place: Place, land: Land) -> Scene:
    """Draw what makes each parcel, roof and cell differ from its kind."""
    n = len(land.label)
    of_unit = rng.standard_normal((5, UNITS))[:, land.unit]
    fine, leaves = rng.standard_normal((2, n, n))
    broad, patchy = smooth_noise(rng, n, 22), smooth_noise(rng, n, 7)
    spread = _WITHIN[land.surface] * (0.6 * fine + 0.5 * patchy)
    bright = (1 + _BETWEEN[land.surface] * of_unit[0] + spread).clip(0.35)
    poor = 0.5 + 0.65 * of_unit[1] + 0.4 * broad + 0.25 * patchy + 0.3 * leaves
    ahead = rng.integers(-10, 11, UNITS)[land.unit]
    rough = 0.8 * of_unit[2:4] + 0.5 * smooth_noise(rng, n, 10)
    walls = np.where(_IS_ROOF[land.surface], np.exp(0.8 * of_unit[4]), 0.04)
    slope = to_pixels(np.stack(np.gradient(land.relief)))
    return Scene(place, land, bright, poor, ahead, rough, walls, slope)


def _along_both(pixels: np.ndarray, weights: tuple[float, ...], origin: int = 0) -> np.ndarray:
    """Mix each pixel with its neighbours along the last two axes, the border repeated."""
    for axis in (-2, -1):
        pixels = ndimage.correlate1d(pixels, weights, axis, mode="nearest", origin=origin)
    return pixels


def to_pixels(cells: np.ndarray) -> np.ndarray:
    """Blur cells of 5 m, sample them at 10 m and cut off the margin.

    Args:
        cells: `(..., cells, cells)`.

    Returns:
        `(..., size, size)`.
    """
    inner = slice(MARGIN, -MARGIN, CELLS)
    return _along_both(cells, _PSF, origin=-1)[..., inner, inner]


def _blur(pixels: np.ndarray, side: float) -> np.ndarray:
    return _along_both(pixels, (side, 1 - 2 * side, side))


def growth(view: Scene, day: int) -> tuple[np.ndarray, np.ndarray]:
    """Green and dry part of each cell on a day of the year, `(cells, cells)`, 0 to 1."""
    at = view.land.surface, day + view.ahead
    green = _LEAF[at] * (1 - 0.25 * view.poor).clip(0, 1.2)
    return green, np.minimum(_DRY[at], 1 - green)


def _shadow(height: np.ndarray, day: int) -> np.ndarray:
    """Part of each pixel that lies in the shadow of what stands to its south."""
    declination = 23.4 * np.sin(2 * np.pi * (day - 81) / 365)
    rise = np.tan(np.radians(39 + declination)) * 5
    shaded = np.zeros(height.shape, bool)
    for step in range(1, 8):
        towards = np.rint(-step * _TO_SUN).astype(int)
        shaded |= np.roll(height, towards, (0, 1)) - height > step * rise
    return to_pixels(shaded.astype(np.float32))


def day_of_year(day: np.datetime64) -> int:
    """1 to 366."""
    return int((day - day.astype("datetime64[Y]").astype("datetime64[D]")).astype(int)) + 1


def render_s2(view: Scene, day: np.datetime64, seed: int) -> np.ndarray:
    """The Sentinel-2 image of a scene: `(10, size, size) uint16`, reflectance x 10,000."""
    place, number, surface = view.place, day_of_year(day), view.land.surface
    green, dry = (part.astype(np.float32) for part in growth(view, number))
    cells = green * _GREEN[:, surface] + dry * _SPECTRA["dry"][:, None, None]
    cells += (1 - green - dry) * _GROUND[place.earth][:, surface]
    pixels = to_pixels(cells * view.bright.astype(np.float32))
    pixels *= 1 - (1 - _SHADOW) * _shadow(view.land.height, number)
    pixels[_COARSE] = _blur(pixels[_COARSE], 0.22)
    pixels *= 1 + 1.2 * view.slope[0] + 0.5 * view.slope[1]
    air = generator(seed, "s2", place.tile, day)
    pixels = pixels * air.normal(1, 0.035) + _HAZE * air.normal(0, 1)
    rng = generator(seed, "s2 noise", place.patch, day)
    pixels += rng.standard_normal(pixels.shape, np.float32) * (12 + 0.012 * pixels)
    return np.clip(np.rint(pixels), 1, 12000).astype(np.uint16)


def render_s1(view: Scene, day: np.datetime64, seed: int) -> np.ndarray:
    """The Sentinel-1 image of a scene: `(2, size, size) float32`, linear, VV and VH.

    A wall and the ground before it send the signal straight back; behind it lies radar shadow.
    """
    place, surface, height = view.place, view.land.surface, view.land.height
    look = 1 if s1_orbit(place.tile, day) % 2 == 0 else -1  # east or west
    green, dry = growth(view, day_of_year(day))
    moisture = generator(seed, "s1", place.tile, day).normal(0, 0.9)
    bare = _BARE_DB[:, surface] + moisture * _IS_EARTH[surface]
    decibels = bare + (_LEAF_DB[:, surface] - bare) * (green + 0.4 * dry) + view.rough
    shaded = np.where(np.roll(height, look, axis=1) - height > 6, 0.4, 1.0)
    facing = (np.roll(height, -look, axis=1) - height - 2).clip(0, 10)
    cells = 10 ** (decibels / 10) * shaded + _WALL * facing * np.roll(view.walls, -look, axis=1)
    pixels = _blur(to_pixels(cells), 0.2) * 10 ** (-0.6 * look * view.slope[1])
    return speckled(generator(seed, "s1 noise", place.patch, day), pixels)


def speckled(rng: np.random.Generator, intensity: np.ndarray) -> np.ndarray:
    """Multiply by speckle of about 4.4 looks that neighbours share, and keep 12 bits.

    Sentinel-1's resolution of about 20 m is sampled at 10 m, so speckle is not white. Fewer bits
    make smaller files, and the same ones on every machine.
    """
    looks = 1.26  # blurred by the line below it has the variance of 4.4 looks
    speckle = _blur(rng.gamma(looks, 1 / looks, intensity.shape), 0.15)
    mantissa, exponent = np.frexp(intensity * speckle + 1e-5)
    return np.ldexp(np.rint(mantissa * 4096) / 4096, exponent).astype(np.float32)


def reference(rng: np.random.Generator, land: Land) -> np.ndarray:
    """The reference of a land: `(size, size) uint8`; borders a few metres off, as if drawn."""
    n = len(land.label)
    inner = slice(MARGIN, n - MARGIN, CELLS)
    at = np.mgrid[inner, inner].astype(float)
    for axis in at:
        axis += rng.normal(0, 0.4) + 0.7 * smooth_noise(rng, len(axis), 8)
    return ndimage.map_coordinates(land.label, at, order=0, mode="nearest")
