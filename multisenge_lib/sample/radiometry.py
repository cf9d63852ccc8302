"""From the land of a patch and a date to what the two satellites record there.

Sentinel-2: each cell mixes the spectra of its green, dry and bare parts on that day; brightness
varies from field to field; cells are blurred to pixels; sun, shadow and haze follow, and noise.
Sentinel-1: each cell has the backscatter of its bare and green parts; walls reflect; slopes and
speckle follow. Everything is drawn from generators named after the patch and the date.
"""

from typing import NamedTuple

import numpy as np
from scipy import ndimage

from multisenge_lib.dataset import S2_BANDS
from multisenge_lib.sample.canvas import CELL, CELLS_PER_PIXEL, MARGIN
from multisenge_lib.sample.draws import UNITS, generator, smooth_noise
from multisenge_lib.sample.land import Land
from multisenge_lib.sample.places import Place, s1_orbit
from multisenge_lib.sample.surfaces import (
    SOIL_BRIGHTNESS,
    SPECTRA,
    SURFACES,
    daily_values,
)

#: Weights of the four cells in a row that make a 10 m pixel: the instrument sees 5 m beyond it.
_CELL_WEIGHTS = (0.13, 0.37, 0.37, 0.13)
#: Cells of the margin that are rendered: one that pixels see, and one beside it.
_SEEN_MARGIN = 2
#: Positions of the bands that Sentinel-2 measures at 20 m.
_COARSE_BANDS = [S2_BANDS.index(band) for band in ("B5", "B6", "B7", "B8A", "B11", "B12")]
#: What is left of each band in shadow. The sky is blue, so B2 keeps most.
_SHADOW = np.array([0.62, 0.55, 0.48, 0.46, 0.44, 0.43, 0.42, 0.42, 0.36, 0.33], np.float32)
#: Direction to the sun at the time of the image, in rows and columns: south-south-east.
_TO_SUN = np.array([0.94, -0.34])
#: Standard deviation of the haze that atmospheric correction leaves, reflectance x 10,000 by band.
_HAZE = np.linspace(45, 5, len(S2_BANDS), dtype=np.float32)
#: Backscatter VV and VH that a metre of wall adds to its cell, linear.
_WALL = np.array([0.36, 0.050])
#: Mean latitude of the tiles, degrees.
_LATITUDE = 49
#: How much darker plants and clods become as the sun sinks and they shade each other: per unit of
#: the length of a shadow, relative to July. Fitted to the real village's grassland, which loses a
#: fifth of its near infrared from July to November while its NDVI stays as it is.
_SELF_SHADOW = 0.08

_KINDS = tuple(SURFACES.values())


def _spectra_of(names: list[str]) -> np.ndarray:
    """Stack spectra for all surfaces: `(bands, surfaces) float32`."""
    return np.stack([SPECTRA[name] for name in names], axis=1)


def _ground_spectra(earth: str) -> np.ndarray:
    """Stack the ground's spectra for all surfaces on this soil."""
    names = []
    for kind in _KINDS:
        names.append(earth if kind.ground == "earth" else kind.ground)
    return _spectra_of(names)


# What the table says, as arrays over the surfaces, so that a whole patch is looked up at once.
_LEAF = np.stack([daily_values(kind.leaf) for kind in _KINDS])
_DRY = np.stack([daily_values(kind.dry) for kind in _KINDS])
# A surface without a green part never shows this spectrum; any will do.
_GREEN = _spectra_of([kind.green or "grass" for kind in _KINDS])
_GROUND = {earth: _ground_spectra(earth) for earth in ("chalk", "soil")}
_BARE_DB = np.array([kind.bare_db for kind in _KINDS]).T
_LEAF_DB = np.array([kind.leaf_db or kind.bare_db for kind in _KINDS]).T
_BETWEEN = np.array([kind.between for kind in _KINDS])
_WITHIN = np.array([kind.within for kind in _KINDS])
_SHIFT = np.array([kind.shift for kind in _KINDS])
_IS_EARTH = np.array([kind.ground == "earth" for kind in _KINDS])
_IS_PLANTED = np.array([kind.green is not None for kind in _KINDS])
_IS_ROOF = np.array([name.endswith("roof") for name in SURFACES])


class Scene(NamedTuple):
    """What stays the same from date to date; arrays `(cells, cells)` of what pixels see."""

    place: Place
    surface: np.ndarray  # numbers of surfaces, see `SURFACE_NUMBER`
    height: np.ndarray  # metres above the ground, with the whole margin: shadows come from there
    brightness: np.ndarray  # relative to the kind of surface, float32
    weakness: np.ndarray  # how much worse than its kind vegetation grows
    days_ahead: np.ndarray  # by which each unit runs ahead of its kind's calendar
    roughness: np.ndarray  # (2, cells, cells), backscatter VV and VH above the kind's, dB
    walls: np.ndarray  # how strongly an edge reflects radar
    slope: np.ndarray  # (2, size, size), rise of the ground to the south and to the east
    green_spectra: np.ndarray  # (10, cells, cells) float32, of what is green
    ground_spectra: np.ndarray  # the same of what is bare
    bare_db: np.ndarray  # (2, cells, cells), backscatter VV and VH of what is bare
    leaf_db: np.ndarray  # the same of what is green


def make_scene(rng: np.random.Generator, place: Place, land: Land) -> Scene:
    """Draw what makes each field, roof and cell differ from its kind of surface."""
    side = len(land.label)
    surface = land.surface
    # Five numbers for each unit: brightness, growth, roughness in VV and in VH, walls.
    of_unit = rng.standard_normal((5, UNITS))[:, land.unit]
    fine = rng.standard_normal((side, side))
    leaves = rng.standard_normal((side, side))
    broad = smooth_noise(rng, side, scale=22)
    patchy = smooth_noise(rng, side, scale=7)

    inside_unit = _WITHIN[surface] * (0.6 * fine + 0.5 * patchy)
    brightness = 1 + _BETWEEN[surface] * of_unit[0] + inside_unit
    weakness = 0.5 + 0.65 * of_unit[1] + 0.4 * broad + 0.25 * patchy + 0.3 * leaves
    early = rng.uniform(-1, 1, UNITS)[land.unit]
    roughness = 0.8 * of_unit[2:4] + 0.5 * smooth_noise(rng, side, scale=10)
    # Roofs reflect very differently, by how they stand to the radar; trees and the like hardly do.
    walls = np.where(_IS_ROOF[surface], np.exp(0.8 * of_unit[4]), 0.04)
    days_ahead = np.rint(early * _SHIFT[surface]).astype(int)
    seen = _crop(surface, _SEEN_MARGIN).astype(int)
    return Scene(
        place=place,
        surface=seen,
        height=land.height,
        brightness=_crop(brightness.clip(0.35).astype(np.float32), _SEEN_MARGIN),
        weakness=_crop(weakness, _SEEN_MARGIN),
        days_ahead=_crop(days_ahead, _SEEN_MARGIN),
        roughness=_crop(roughness, _SEEN_MARGIN),
        walls=_crop(walls, _SEEN_MARGIN),
        slope=to_pixels(np.stack(np.gradient(land.relief)), MARGIN),
        green_spectra=_GREEN[:, seen],
        ground_spectra=_GROUND[place.earth][:, seen],
        bare_db=_BARE_DB[:, seen],
        leaf_db=_LEAF_DB[:, seen],
    )


def _crop(cells: np.ndarray, margin: int, south: int = 0, east: int = 0) -> np.ndarray:
    """Cut the margin down to some cells; or show what lies some cells to the south and east."""
    cut = MARGIN - margin
    height, width = cells.shape[-2:]
    rows = slice(cut + south, height - cut + south)
    columns = slice(cut + east, width - cut + east)
    return cells[..., rows, columns]


def to_pixels(cells: np.ndarray, margin: int = _SEEN_MARGIN) -> np.ndarray:
    """Blur cells of 5 m, sample them at 10 m and cut off the margin.

    Args:
        cells: `(..., cells, cells)`.
        margin: cells of it on each side.

    Returns:
        `(..., size, size)`.
    """
    inner = slice(margin, -margin, CELLS_PER_PIXEL)
    # Rows are sampled before the columns are blurred, because only these are seen.
    rows = ndimage.correlate1d(cells, _CELL_WEIGHTS, axis=-2, mode="nearest", origin=-1)
    rows = rows[..., inner, :]
    return ndimage.correlate1d(rows, _CELL_WEIGHTS, axis=-1, mode="nearest", origin=-1)[..., inner]


def _blur_pixels(pixels: np.ndarray, side_weight: float) -> np.ndarray:
    """Give each pixel a part of its neighbours; the border is repeated."""
    weights = (side_weight, 1 - 2 * side_weight, side_weight)
    for axis in (-2, -1):
        pixels = ndimage.correlate1d(pixels, weights, axis, mode="nearest")
    return pixels


def growth(scene: Scene, day: int) -> tuple[np.ndarray, np.ndarray]:
    """Compute the green and the dry part of each cell on a day of the year.

    Returns:
        Two arrays `(cells, cells)`, 0 to 1. What is left is ground.
    """
    surface = scene.surface
    own_day = day + scene.days_ahead
    vigour = (1 - 0.25 * scene.weakness).clip(0, 1.2)
    green = (_LEAF[surface, own_day] * vigour).clip(0, 1)
    dry = np.minimum(_DRY[surface, own_day], 1 - green)
    return green, dry


def _shadow_length(day: int) -> float:
    """Compute the length of the shadow of a height of 1 at noon, on a day of the year."""
    declination = 23.4 * np.sin(2 * np.pi * (day - 81) / 365)
    elevation = np.radians(90 - _LATITUDE + declination)
    return 1 / np.tan(elevation)


def _shaded_part(height: np.ndarray, day: int) -> np.ndarray:
    """Compute the part of each pixel in the shadow of what stands towards the sun, 35 m at most."""
    # At the time of the images, about half past ten, the sun is not much lower than at noon.
    rise_per_cell = CELL / _shadow_length(day)
    here = _crop(height, _SEEN_MARGIN)
    shaded = np.zeros(here.shape, bool)
    for step in range(1, 8):
        south, east = np.rint(step * _TO_SUN).astype(int)
        towards_sun = _crop(height, _SEEN_MARGIN, south, east)
        shaded |= towards_sun - here > step * rise_per_cell
    return to_pixels(shaded.astype(np.float32))


def _self_shadow(day: int) -> float:
    """Compute the brightness of plants and soil under the sun of a day, relative to July."""
    middle_of_july = 197
    longer = _shadow_length(day) - _shadow_length(middle_of_july)
    return 1 - _SELF_SHADOW * longer


def day_of_year(day: np.datetime64) -> int:
    """Number a day within its year, 1 to 366."""
    new_year = day.astype("datetime64[Y]").astype("datetime64[D]")
    return int((day - new_year).astype(int)) + 1


def _reflectance(scene: Scene, day: int) -> np.ndarray:
    """Compute the reflectance x 10,000 of each cell: `(10, cells, cells) float32`."""
    surface = scene.surface
    green, dry = growth(scene, day)
    planted = _IS_PLANTED[surface]
    earth = _IS_EARTH[surface]
    ground_brightness = np.where(earth, SOIL_BRIGHTNESS[day], 1.0)
    ground = ((1 - green - dry) * ground_brightness).astype(np.float32)
    light = np.where(planted | earth, _self_shadow(day), 1.0)

    cells = green.astype(np.float32) * scene.green_spectra
    cells += dry.astype(np.float32) * SPECTRA["dry"][:, None, None]
    cells += ground * scene.ground_spectra
    return cells * (scene.brightness * light.astype(np.float32))


def render_s2(scene: Scene, day: np.datetime64, seed: int) -> np.ndarray:
    """Render the Sentinel-2 image of a scene.

    Args:
        scene: the patch.
        day: the date of the image; all patches of a tile share its haze and its calibration.
        seed: the sample's seed.

    Returns:
        `(10, size, size) uint16`, reflectance x 10,000, bands as `S2_BANDS`.
    """
    place = scene.place
    number = day_of_year(day)
    pixels = to_pixels(_reflectance(scene, number))

    shaded = _shaded_part(scene.height, number)
    pixels *= 1 - (1 - _SHADOW[:, None, None]) * shaded
    pixels[_COARSE_BANDS] = _blur_pixels(pixels[_COARSE_BANDS], 0.22)
    # One side of a hill is lighter than the other. Which one does not matter: the relief is noise.
    pixels *= (1 + 1.2 * scene.slope[0] + 0.5 * scene.slope[1]).astype(np.float32)

    air = generator(seed, "s2", place.tile, day)
    calibration = np.float32(air.normal(1, 0.035))
    haze = _HAZE[:, None, None] * np.float32(air.normal(0, 1))
    pixels = pixels * calibration + haze

    rng = generator(seed, "s2 noise", place.patch, day)
    noise_deviation = 12 + 0.012 * pixels
    pixels += rng.standard_normal(pixels.shape, np.float32) * noise_deviation
    return np.clip(np.rint(pixels), 1, 12000).astype(np.uint16)


def render_s1(scene: Scene, day: np.datetime64, seed: int) -> np.ndarray:
    """Render the Sentinel-1 image of a scene.

    A wall and the ground before it send the signal straight back; behind it lies radar shadow.

    Args:
        scene: the patch.
        day: the date of the image; all patches of a tile share how wet the soil is on it.
        seed: the sample's seed.

    Returns:
        `(2, size, size) float32`, linear intensity, VV and VH.
    """
    place = scene.place
    height = _crop(scene.height, _SEEN_MARGIN)
    looks_east = s1_orbit(place.tile, day) % 2 == 0
    look = 1 if looks_east else -1  # columns towards the far side

    green, dry = growth(scene, day_of_year(day))
    moisture_db = generator(seed, "s1", place.tile, day).normal(0, 0.9)
    bare_db = scene.bare_db + moisture_db * _IS_EARTH[scene.surface]
    # Dry stalks count for less than half of green ones: radar sees the water in plants.
    cover = green + 0.4 * dry
    decibels = bare_db + (scene.leaf_db - bare_db) * cover + scene.roughness

    before = np.roll(height, look, axis=1)  # what stands towards the satellite
    behind = np.roll(height, -look, axis=1)
    shadow = np.where(before - height > 6, 0.4, 1.0)
    wall_height = (behind - height - 2).clip(0, 10)
    wall = wall_height * np.roll(scene.walls, -look, axis=1)
    # In float64 up to the rounding at the end: processors differ in the last bit of a power, and in
    # float32 this would be seen in some pixels.
    ground = 10 ** (decibels / 10) * shadow
    cells = ground + _WALL[:, None, None] * wall

    pixels = _blur_pixels(to_pixels(cells), 0.2)
    pixels *= 10 ** (-0.6 * look * scene.slope[1])  # slopes that face the satellite are brighter
    return add_speckle(generator(seed, "s1 noise", place.patch, day), pixels)


def add_speckle(rng: np.random.Generator, intensity: np.ndarray) -> np.ndarray:
    """Multiply `(2, height, width)` by speckle of about 4.4 looks, and keep 12 bits.

    Neighbours share a part of the speckle: Sentinel-1's resolution of about 20 m is sampled at
    10 m. Fewer bits make smaller files, and the same ones on every machine.
    """
    looks = 1.26  # after the blur of the next line its variance is that of 4.4 looks
    speckle = _blur_pixels(rng.gamma(looks, 1 / looks, intensity.shape), 0.15)
    mantissa, exponent = np.frexp(intensity * speckle + 1e-5)
    rounded = np.rint(mantissa * 4096) / 4096
    return np.ldexp(rounded, exponent).astype(np.float32)


def draw_reference(rng: np.random.Generator, land: Land) -> np.ndarray:
    """Draw the reference of a land: `(size, size) uint8`, class ids.

    Borders are a few metres off, as if somebody had drawn them: the whole patch is moved by about
    2 m, and each place by about 3.5 m more.
    """
    inner = slice(MARGIN, len(land.label) - MARGIN, CELLS_PER_PIXEL)
    positions = np.mgrid[inner, inner].astype(float)  # in cells
    for axis in positions:
        axis += rng.normal(0, 0.4) + 0.7 * smooth_noise(rng, len(axis), scale=8)
    return ndimage.map_coordinates(land.label, positions, order=0, mode="nearest")
