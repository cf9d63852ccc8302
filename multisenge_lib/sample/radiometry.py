"""From land and a date to what the two satellites record there."""

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


@dataclass(frozen=True)
class Scene:
    """Land with what stays the same from date to date; arrays `(cells, cells) float32`.

    Attributes:
        land: the land.
        spectrum: column of the tables of spectra for each cell.
        bright: relative brightness.
        vigour: how much poorer than its kind the vegetation is, relative.
        rough: dB that backscatter differs from its kind's, `(2, cells, cells)`, VV and VH.
        walls: how strongly the walls and edges of each cell reflect radar.
        slope: rise of the ground per cell, to the south and to the east.
    """

    land: Land
    spectrum: np.ndarray
    bright: np.ndarray
    vigour: np.ndarray
    rough: np.ndarray
    walls: np.ndarray
    slope: tuple[np.ndarray, np.ndarray]


def day_of_year(day: np.datetime64) -> int:
    """1 to 366."""
    return int((day - day.astype("datetime64[Y]").astype("datetime64[D]")).astype(int)) + 1


def scene(rng: np.random.Generator, land: Land) -> Scene:
    """Draw what makes each parcel, roof and cell differ from its kind."""
    n = len(land.label)
    between = np.array([s.between for s in SURFACES])[land.surface]
    within = np.array([s.within for s in SURFACES])[land.surface]
    of_unit = rng.standard_normal((4, UNITS))
    fine = rng.standard_normal((n, n))
    coarse = smooth_noise(rng, n, 6)
    bright = 1 + between * of_unit[0][land.unit] + within * (0.6 * fine + 0.5 * coarse)
    bright += 0.035 * land.grain
    vigour = 0.8 * of_unit[1][land.unit] + 0.5 * coarse + 0.4 * rng.standard_normal((n, n))
    shift = rng.integers(0, len(SHIFTS), UNITS)[land.unit]
    rough = 1.1 * of_unit[2:, land.unit] + 0.5 * smooth_noise(rng, n, 10)
    hard = np.array([s.name.endswith("roof") for s in SURFACES])[land.surface]
    walls = np.where(hard, np.exp(0.8 * rng.standard_normal(UNITS))[land.unit], 0.06)
    south, east = np.gradient(land.relief)
    as_float = [a.astype(np.float32) for a in (bright.clip(0.35), vigour + 0.6, rough, walls)]
    return Scene(land, land.surface * len(SHIFTS) + shift, *as_float, (south, east))


def _inside(cells: np.ndarray, margin: int) -> np.ndarray:
    cut = MARGIN - margin
    return cells[..., cut : cells.shape[-2] - cut, cut : cells.shape[-1] - cut]


def to_pixels(cells: np.ndarray) -> np.ndarray:
    """Cells of 5 m with their margin to pixels of 10 m, blurred: `(..., size, size)`."""
    near = _inside(cells, 1)
    rows = sum(w * near[..., i : near.shape[-2] - 3 + i : CELLS, :] for i, w in enumerate(_PSF))
    return sum(w * rows[..., i : rows.shape[-1] - 3 + i : CELLS] for i, w in enumerate(_PSF))


def _blur(pixels: np.ndarray, side: float) -> np.ndarray:
    """Mix each pixel with its neighbours along both axes, the border repeated."""
    width = [(0, 0)] * (pixels.ndim - 2) + [(1, 1), (1, 1)]
    p = np.pad(pixels, width, mode="edge")
    p = side * (p[..., :-2, :] + p[..., 2:, :]) + (1 - 2 * side) * p[..., 1:-1, :]
    return side * (p[..., :-2] + p[..., 2:]) + (1 - 2 * side) * p[..., 1:-1]


def _shadow(height: np.ndarray, day: int) -> np.ndarray:
    """Cells in the shadow of what stands to their south."""
    declination = 23.4 * np.sin(2 * np.pi * (day - 81) / 365)
    rise = np.tan(np.radians(39 + declination)) * _CELL
    shaded = np.zeros(height.shape, bool)
    for step in range(1, 8):
        moved = (-round(step * _TO_SUN[0]), -round(step * _TO_SUN[1]))
        shaded |= np.roll(height, moved, (0, 1)) - height > step * rise
    return shaded


def render_s2(patch: str, view: Scene, day: np.datetime64, seed: int) -> np.ndarray:
    """The Sentinel-2 image of a scene: `(10, size, size) uint16`, reflectance x 10,000."""
    tile, number = patch.split("_")[0], day_of_year(day)
    air = generator(seed, "s2", tile, day)
    full = reflectance(number, view.land.earth)[:, view.spectrum]
    thin = reflectance(number, view.land.earth, loss=0.25)[:, view.spectrum]
    image = (full + view.vigour * (thin - full)) * view.bright
    image *= np.where(_shadow(view.land.height, number), _SHADOW[:, None, None], 1)
    image *= 1 - 1.2 * view.slope[0] - 0.5 * view.slope[1]
    pixels = to_pixels(image.astype(np.float32))
    pixels[_COARSE] = _blur(pixels[_COARSE], 0.22)
    haze = np.linspace(1, 0.1, 10)[:, None, None] * air.normal(0, 45)
    pixels = pixels * air.normal(1, 0.035) + haze
    rng = generator(seed, "s2 noise", patch, day)
    pixels += rng.standard_normal(pixels.shape, np.float32) * (12 + 0.012 * pixels)
    return np.clip(np.rint(pixels), 1, 12000).astype(np.uint16)


def render_s1(patch: str, view: Scene, day: np.datetime64, seed: int) -> np.ndarray:
    """The Sentinel-1 image of a scene: `(2, size, size) float32`, linear, VV and VH."""
    tile = patch.split("_")[0]
    weather = generator(seed, "s1", tile, day)
    look = 1 if s1_orbit(tile, day) % 2 == 0 else -1
    table = backscatter(day_of_year(day), weather.normal(0, 1.0))
    decibel = view.rough + look * 6 * view.slope[1]
    image = table[:, view.spectrum] * 10 ** (decibel / 10)
    step = np.roll(view.land.height, -look, axis=1) - view.land.height
    behind = view.land.height - np.roll(view.land.height, look, axis=1)
    image *= np.where(behind < -6, 0.35, 1)
    facing = np.roll(view.walls, -look, axis=1) * np.clip(step - 2, 0, 10)
    image += np.array([0.16, 0.018])[:, None, None] * facing
    return speckled(generator(seed, "s1 noise", patch, day), _blur(to_pixels(image), 0.2))


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
    off = [rng.normal(0, 0.4) + 0.8 * smooth_noise(rng, len(rows), 7) for _ in range(2)]
    rows, columns = (
        np.clip(np.rint(at + d), 0, n - 1).astype(int)
        for at, d in zip((rows, columns), off, strict=True)
    )
    return land.label[rows, columns]
