"""From land and a date to what the two satellites record there."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from multisenge_lib.sample.landscape import CELLS, MARGIN, UNITS, Land, smooth_noise
from multisenge_lib.sample.places import generator, s1_orbit
from multisenge_lib.sample.surfaces import SHIFTS, SURFACES, backscatter, reflectance

#: Weights of the four cells in a row that make a 10 m pixel: the instrument blurs.
_PSF = (0.13, 0.37, 0.37, 0.13)
#: Positions of the 20 m bands: B5 B6 B7 B8A B11 B12.
_COARSE = [3, 4, 5, 7, 8, 9]
#: What is left of each band in shadow: the sky is blue.
_SHADOW = np.array([0.62, 0.55, 0.48, 0.46, 0.44, 0.43, 0.42, 0.42, 0.36, 0.33])
#: Where the sun stands, in rows and columns from a cell: south-south-east.
_TO_SUN = (0.94, -0.34)
_CELL = 5.0
#: Spread of the haze that atmospheric correction leaves, per band.
_HAZE = np.linspace(45, 5, 10)
#: Backscatter VV and VH that a metre of wall adds to its cell, linear.
_WALL = np.array([0.36, 0.050])


@dataclass(frozen=True)
class Scene:
    """What stays the same from date to date.

    Attributes:
        earth: endmember of the soil.
        spectrum: `(cells, cells) int64`, column of the tables of spectra; one cell of margin.
        bright: `(cells, cells) float32`, relative brightness; one cell of margin.
        poor: `(cells, cells) float32`, how much poorer than its kind vegetation grows; as above.
        rough: `(2, cells, cells) float32`, backscatter over its kind's, linear; as above.
        height: `(cells, cells) float64`, metres above the ground; full margin.
        walls: `(cells, cells) float64`, how strongly edges reflect radar; full margin.
        slope: `(2, size, size) float64`, rise of the ground to the south and to the east.
    """

    earth: str
    spectrum: np.ndarray
    bright: np.ndarray
    poor: np.ndarray
    rough: np.ndarray
    height: np.ndarray
    walls: np.ndarray
    slope: np.ndarray


def day_of_year(day: np.datetime64) -> int:
    """1 to 366."""
    return int((day - day.astype("datetime64[Y]").astype("datetime64[D]")).astype(int)) + 1


def _of_surfaces(values: Iterable[float], land: Land) -> np.ndarray:
    return np.array(list(values))[land.surface]


def scene(rng: np.random.Generator, land: Land) -> Scene:
    """Draw what makes each parcel, roof and cell differ from its kind."""
    n = len(land.label)
    of_unit = rng.standard_normal((5, UNITS))[:, land.unit]
    fine, leaves = rng.standard_normal((2, n, n))
    broad, patchy = smooth_noise(rng, n, 22), smooth_noise(rng, n, 7)
    between = _of_surfaces((s.between for s in SURFACES), land)
    within = _of_surfaces((s.within for s in SURFACES), land)
    bright = 1 + between * of_unit[0] + within * (0.6 * fine + 0.5 * patchy) + 0.035 * land.grain
    poor = 0.5 + 0.65 * of_unit[1] + 0.4 * broad + 0.25 * patchy + 0.3 * leaves
    shift = rng.integers(0, len(SHIFTS), UNITS)[land.unit]
    rough = 10 ** (0.08 * of_unit[2:4] + 0.05 * smooth_noise(rng, n, 10))
    built = _of_surfaces((s.name.endswith("roof") for s in SURFACES), land)
    walls = np.where(built, np.exp(0.8 * of_unit[4]), 0.04)
    slope = to_pixels(_inner(np.stack(np.gradient(land.relief))))
    cells = (_inner(a).astype(np.float32) for a in (bright.clip(0.35), poor, rough))
    spectrum = _inner(land.surface.astype(np.int64) * len(SHIFTS) + shift)
    return Scene(land.earth, spectrum, *cells, land.height, walls, slope)


def _inner(cells: np.ndarray) -> np.ndarray:
    """Cut off the margin but for one cell."""
    cut = MARGIN - 1
    return cells[..., cut:-cut, cut:-cut]


def to_pixels(cells: np.ndarray) -> np.ndarray:
    """Blur cells of 5 m and sample them at 10 m.

    Args:
        cells: `(..., 2 * size + 2, 2 * size + 2)`, with a margin of one cell.

    Returns:
        `(..., size, size)`.
    """
    height, width = (n - 3 for n in cells.shape[-2:])
    rows = sum(w * cells[..., i : height + i : CELLS, :] for i, w in enumerate(_PSF))
    return sum(w * rows[..., i : width + i : CELLS] for i, w in enumerate(_PSF))


def _blur(pixels: np.ndarray, side: float) -> np.ndarray:
    """Mix each pixel with its neighbours along both axes, the border repeated."""
    width = [(0, 0)] * (pixels.ndim - 2) + [(1, 1), (1, 1)]
    p = np.pad(pixels, width, mode="edge")
    p = side * (p[..., :-2, :] + p[..., 2:, :]) + (1 - 2 * side) * p[..., 1:-1, :]
    return side * (p[..., :-2] + p[..., 2:]) + (1 - 2 * side) * p[..., 1:-1]


def _shadow(height: np.ndarray, day: int) -> np.ndarray:
    """Part of each pixel that lies in the shadow of what stands to its south."""
    declination = 23.4 * np.sin(2 * np.pi * (day - 81) / 365)
    rise = np.tan(np.radians(39 + declination)) * _CELL
    shaded = np.zeros(height.shape, bool)
    for step in range(1, 8):
        moved = (-round(step * _TO_SUN[0]), -round(step * _TO_SUN[1]))
        shaded |= np.roll(height, moved, (0, 1)) - height > step * rise
    return to_pixels(_inner(shaded).astype(np.float32))


def render_s2(patch: str, view: Scene, day: np.datetime64, seed: int) -> np.ndarray:
    """The Sentinel-2 image of a scene: `(10, size, size) uint16`, reflectance x 10,000."""
    tile, number = patch.split("_")[0], day_of_year(day)
    full = reflectance(number, view.earth)
    lost = reflectance(number, view.earth, loss=0.25) - full
    cells = np.take(lost, view.spectrum, axis=1)
    cells *= view.poor
    cells += np.take(full, view.spectrum, axis=1)
    cells *= view.bright
    pixels = to_pixels(cells)
    pixels *= 1 - (1 - _SHADOW[:, None, None]) * _shadow(view.height, number)
    pixels[_COARSE] = _blur(pixels[_COARSE], 0.22)
    pixels *= 1 + 1.2 * view.slope[0] + 0.5 * view.slope[1]
    air = generator(seed, "s2", tile, day)
    pixels = pixels * air.normal(1, 0.035) + _HAZE[:, None, None] * air.normal(0, 1)
    rng = generator(seed, "s2 noise", patch, day)
    pixels += rng.standard_normal(pixels.shape, np.float32) * (12 + 0.012 * pixels)
    return np.clip(np.rint(pixels), 1, 12000).astype(np.uint16)


def _edges(view: Scene, look: int) -> tuple[np.ndarray, np.ndarray]:
    """What edges add, and what is left behind them, for a radar that looks east (1) or west (-1).

    A wall and the ground before it send the signal straight back; behind it lies radar shadow.
    """
    rise = np.roll(view.height, -look, axis=1) - view.height
    facing = np.roll(view.walls, -look, axis=1) * np.clip(rise - 2, 0, 10)
    behind = np.roll(view.height, look, axis=1) - view.height > 6
    return _inner(facing), _inner(np.where(behind, 0.4, 1.0))


def render_s1(patch: str, view: Scene, day: np.datetime64, seed: int) -> np.ndarray:
    """The Sentinel-1 image of a scene: `(2, size, size) float32`, linear, VV and VH."""
    tile = patch.split("_")[0]
    look = 1 if s1_orbit(tile, day) % 2 == 0 else -1
    moisture = generator(seed, "s1", tile, day).normal(0, 0.9)
    facing, behind = _edges(view, look)
    cells = np.take(backscatter(day_of_year(day), moisture), view.spectrum, axis=1)
    cells = cells * view.rough * behind + _WALL[:, None, None] * facing
    layover = 10 ** (-0.6 * look * view.slope[1])
    pixels = _blur(to_pixels(cells), 0.2) * layover
    return speckled(generator(seed, "s1 noise", patch, day), pixels)


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
    rows, columns = np.mgrid[MARGIN : n - MARGIN : CELLS, MARGIN : n - MARGIN : CELLS]
    off = [rng.normal(0, 0.4) + 0.7 * smooth_noise(rng, len(rows), 8) for _ in range(2)]
    rows, columns = (
        np.clip(np.rint(at + d), 0, n - 1).astype(int)
        for at, d in zip((rows, columns), off, strict=True)
    )
    return land.label[rows, columns]
