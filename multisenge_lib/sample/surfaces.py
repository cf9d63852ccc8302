"""What the land is covered with: spectra, course of the year, backscatter.

A surface is a mixture of three endmembers, green vegetation, dry vegetation and ground, whose
parts change over the year. The spectra are typical ones (reflectance x 10,000, spectral order),
set so that the means over the sample come near those measured on public Sentinel-2 images.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

#: Endmembers: B2 B3 B4 B5 B6 B7 B8 B8A B11 B12.
# fmt: off
SPECTRA: dict[str, np.ndarray] = {name: np.array(row, dtype=np.float64) for name, row in (
    ("crop",      (260, 560, 320,  980, 2900, 3750, 4000, 4200, 2050,  960)),
    ("vine",      (280, 540, 390, 1000, 2300, 2850, 3050, 3200, 1950, 1050)),
    ("grass",     (310, 640, 430, 1080, 2600, 3150, 3350, 3550, 2250, 1180)),
    ("turf",      (290, 680, 370, 1100, 3050, 3700, 3950, 4100, 2100, 1020)),
    ("broadleaf", (190, 420, 220,  700, 2250, 2800, 2980, 3150, 1620,  740)),
    ("conifer",   (165, 300, 185,  480, 1280, 1600, 1700, 1840,  930,  430)),
    ("leafless",  (310, 450, 500,  770, 1220, 1420, 1560, 1720, 1800, 1150)),
    ("dry",       (700, 1040, 1430, 1850, 2250, 2520, 2720, 2900, 3450, 2520)),
    ("soil",      (600, 860, 1180, 1450, 1670, 1830, 1990, 2150, 2750, 2280)),
    ("chalk",     (960, 1300, 1680, 1950, 2160, 2320, 2480, 2600, 3000, 2560)),
    ("gravel",    (1150, 1420, 1650, 1800, 1900, 1980, 2080, 2150, 2450, 2200)),
    ("asphalt",   (720, 830, 920, 1000, 1090, 1160, 1230, 1290, 1560, 1430)),
    ("ballast",   (780, 850, 940, 1020, 1100, 1160, 1230, 1280, 1600, 1560)),
    ("tile",      (620, 800, 1280, 1500, 1660, 1780, 1880, 1950, 2350, 2120)),
    ("slate",     (800, 860, 930, 980, 1040, 1090, 1150, 1190, 1350, 1290)),
    ("metal",     (1900, 2060, 2200, 2280, 2340, 2380, 2430, 2450, 2350, 2150)),
    ("water",     (420, 480, 330, 290, 220, 210, 190, 170, 80, 50)),
    ("reed",      (320, 560, 480, 900, 1750, 2100, 2250, 2400, 1500, 780)),
)}
# fmt: on

#: (day of the year, part) pairs between which a part runs straight.
Course = tuple[tuple[int, float], ...]


@dataclass(frozen=True)
class Surface:
    """One kind of surface.

    Attributes:
        name: its name.
        green: endmember of its green part.
        ground: endmember of what shows between, `"earth"` for the soil of the patch.
        leaf: green part over the year.
        dry: dry part over the year.
        bare_db: backscatter VV and VH of the ground, in dB.
        leaf_db: backscatter VV and VH under full vegetation, in dB.
        between: relative spread of brightness from one unit (parcel, roof) to the next.
        within: relative spread of brightness inside one unit.
    """

    name: str
    green: str
    ground: str
    leaf: Course
    dry: Course
    bare_db: tuple[float, float]
    leaf_db: tuple[float, float]
    between: float
    within: float


_NONE: Course = ((1, 0.0),)


def _crop(name: str, leaf_db: tuple[float, float], leaf: Course, dry: Course = _NONE) -> Surface:
    return Surface(name, "crop", "earth", leaf, dry, (-10.5, -19.2), leaf_db, 0.10, 0.05)


def _hard(name: str, vv: float, vh: float, between: float) -> Surface:
    ground = name.removesuffix(" roof")
    return Surface(name, "grass", ground, _NONE, _NONE, (vv, vh), (vv, vh), between, 0.06)


_STRAW: Course = ((180, 0.60), (200, 0.85), (215, 0.60), (240, 0.22), (258, 0.06), (300, 0.0))

SURFACES: tuple[Surface, ...] = (
    # Three after a cereal harvested in July: bare until the next cereal is up in November, a catch
    # crop over the autumn, or rapeseed sown at the end of August.
    _crop(
        "cereal",
        (-11.5, -17.0),
        ((180, 0.30), (200, 0.06), (262, 0.05), (295, 0.08), (325, 0.32)),
        _STRAW,
    ),
    _crop(
        "catch crop",
        (-10.5, -16.0),
        ((180, 0.30), (200, 0.06), (230, 0.10), (258, 0.40), (310, 0.75), (330, 0.70)),
        _STRAW,
    ),
    _crop(
        "rapeseed",
        (-10.0, -14.8),
        ((180, 0.25), (200, 0.05), (240, 0.04), (262, 0.35), (300, 0.85), (330, 0.80)),
        _STRAW,
    ),
    _crop(
        "maize",
        (-8.6, -14.0),
        ((170, 0.50), (190, 0.80), (225, 0.92), (245, 0.80), (268, 0.40), (285, 0.06)),
        ((225, 0.02), (250, 0.20), (270, 0.50), (290, 0.50), (330, 0.35)),
    ),
    _crop(
        "sugar beet",
        (-8.6, -13.8),
        ((170, 0.60), (195, 0.90), (260, 0.85), (295, 0.70), (312, 0.25), (330, 0.08)),
    ),
    _crop(  # cut every six weeks
        "alfalfa",
        (-10.6, -16.2),
        ((180, 0.85), (195, 0.40), (215, 0.85), (228, 0.40), (258, 0.85), (300, 0.70), (330, 0.45)),
        ((180, 0.05), (228, 0.15), (258, 0.05)),
    ),
    Surface(
        "vineyard",
        "vine",
        "earth",
        ((150, 0.30), (185, 0.48), (255, 0.50), (285, 0.38), (308, 0.14), (330, 0.10)),
        ((280, 0.05), (310, 0.20), (330, 0.15)),
        (-8.2, -16.2),
        (-7.6, -14.4),
        between=0.10,
        within=0.10,
    ),
    Surface(
        "orchard tree",
        "broadleaf",
        "grass",
        ((120, 0.80), (265, 0.80), (295, 0.40), (318, 0.05)),
        ((280, 0.0), (305, 0.15), (330, 0.05)),
        (-9.2, -15.0),
        (-8.6, -13.6),
        between=0.08,
        within=0.10,
    ),
    Surface(  # mown, and dried up in the summer of 2020
        "meadow",
        "grass",
        "earth",
        ((160, 0.85), (185, 0.58), (215, 0.66), (235, 0.60), (258, 0.74), (300, 0.86), (330, 0.80)),
        ((160, 0.05), (190, 0.18), (235, 0.25), (260, 0.12), (330, 0.08)),
        (-12.2, -19.8),
        (-12.0, -18.9),
        between=0.08,
        within=0.06,
    ),
    Surface(
        "pasture",
        "grass",
        "earth",
        ((160, 0.88), (200, 0.75), (235, 0.66), (260, 0.80), (330, 0.84)),
        ((160, 0.05), (235, 0.22), (260, 0.12), (330, 0.06)),
        (-12.0, -19.6),
        (-11.6, -18.4),
        between=0.07,
        within=0.08,
    ),
    Surface(  # watered and mown short
        "lawn",
        "turf",
        "earth",
        ((1, 0.88), (235, 0.84), (330, 0.86)),
        ((1, 0.03), (235, 0.08), (330, 0.04)),
        (-12.4, -20.4),
        (-12.4, -20.4),
        between=0.06,
        within=0.04,
    ),
    Surface(
        "broadleaf",
        "broadleaf",
        "leafless",
        ((130, 0.96), (262, 0.93), (288, 0.65), (305, 0.25), (320, 0.08)),
        ((262, 0.0), (295, 0.15), (320, 0.08)),
        (-8.1, -14.0),
        (-8.2, -13.3),
        between=0.06,
        within=0.09,
    ),
    Surface(
        "conifer",
        "conifer",
        "leafless",
        ((1, 0.92),),
        _NONE,
        (-8.4, -13.8),
        (-8.1, -13.0),
        between=0.06,
        within=0.09,
    ),
    Surface(
        "reed",
        "reed",
        "water",
        ((150, 0.75), (255, 0.75), (295, 0.40), (320, 0.15)),
        ((255, 0.05), (300, 0.40), (330, 0.45)),
        (-15.0, -22.0),
        (-9.0, -15.5),
        between=0.10,
        within=0.12,
    ),
    Surface(
        "soil",
        "grass",
        "earth",
        ((1, 0.08),),
        _NONE,
        (-11.0, -19.5),
        (-11.0, -18.5),
        between=0.10,
        within=0.06,
    ),
    _hard("gravel", -12.0, -20.5, 0.12),
    _hard("asphalt", -14.0, -22.0, 0.12),
    _hard("ballast", -8.5, -17.0, 0.08),
    _hard("tile roof", -8.0, -16.5, 0.16),
    _hard("slate roof", -8.0, -16.5, 0.18),
    _hard("metal roof", -8.0, -18.0, 0.30),
    _hard("water", -19.5, -26.0, 0.12),
)
#: Position of each surface in `SURFACES`, by name.
SURFACE: dict[str, int] = {surface.name: i for i, surface in enumerate(SURFACES)}

#: Days by which units run ahead of the mean course or behind it.
SHIFTS = np.array([-10, -5, 0, 5, 10])


def _parts(surface: Surface, day: int) -> tuple[np.ndarray, np.ndarray]:
    """Green and dry part on a day of the year, at each of `SHIFTS`: `(5,) float64`, 0 to 1."""
    days = day + SHIFTS
    green, dry = (np.interp(days, *zip(*c, strict=True)) for c in (surface.leaf, surface.dry))
    return green, np.minimum(dry, 1 - green)


@cache
def reflectance(day: int, earth: str, loss: float = 0.0) -> np.ndarray:
    """Spectra of all surfaces on a day of the year.

    Args:
        day: of the year.
        earth: endmember of the patch's soil.
        loss: part of the green that is thinned out, where growth is poor.

    Returns:
        `(10, surfaces * shifts) float32`, reflectance x 10,000.
    """
    rows = []
    for surface in SURFACES:
        green, dry = _parts(surface, day)
        green = green * (1 - loss)
        ground = SPECTRA[earth if surface.ground == "earth" else surface.ground]
        mixture = np.stack([green, dry, 1 - green - dry], axis=1)
        rows.append(mixture @ np.stack([SPECTRA[surface.green], SPECTRA["dry"], ground]))
    return np.concatenate(rows).T.astype(np.float32)


@cache
def backscatter(day: int, moisture: float) -> np.ndarray:
    """Backscatter of all surfaces on a day of the year.

    Args:
        day: of the year.
        moisture: dB by which the ground is brighter than on a mean day.

    Returns:
        `(2, surfaces * shifts) float32`, linear, VV and VH.
    """
    rows = []
    for surface in SURFACES:
        green, dry = _parts(surface, day)
        cover = (green + 0.4 * dry)[:, None]
        bare = np.array(surface.bare_db) + moisture * (surface.ground == "earth")
        rows.append(10 ** ((bare + (np.array(surface.leaf_db) - bare) * cover) / 10))
    return np.concatenate(rows).T.astype(np.float32)
