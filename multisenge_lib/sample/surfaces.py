"""What the land is covered with: spectra, course of the year, backscatter.

A surface is a mixture of three endmembers, green vegetation, dry vegetation and ground, whose
parts change over the year. The spectra are typical ones (reflectance x 10,000, spectral order),
set so that the means over the sample come near those measured on public Sentinel-2 images.
"""

from dataclasses import dataclass

import numpy as np

#: Endmembers: B2 B3 B4 B5 B6 B7 B8 B8A B11 B12.
# fmt: off
SPECTRA: dict[str, np.ndarray] = {name: np.array(row, dtype=np.float64) for name, row in (
    ("crop",      (250, 520, 300,  900, 2650, 3450, 3700, 3900, 1900,  900)),
    ("grass",     (300, 600, 420, 1020, 2350, 2850, 3050, 3250, 2100, 1120)),
    ("turf",      (280, 640, 370, 1050, 2750, 3350, 3600, 3750, 2000,  980)),
    ("broadleaf", (180, 380, 210,  650, 1950, 2450, 2600, 2780, 1480,  680)),
    ("conifer",   (160, 280, 180,  440, 1150, 1450, 1550, 1680,  850,  400)),
    ("leafless",  (300, 430, 470,  720, 1120, 1300, 1420, 1580, 1650, 1050)),
    ("dry",       (680, 980, 1330, 1720, 2050, 2300, 2480, 2650, 3150, 2350)),
    ("soil",      (560, 800, 1080, 1330, 1530, 1680, 1830, 1980, 2500, 2080)),
    ("chalk",     (960, 1280, 1620, 1880, 2060, 2200, 2340, 2460, 2850, 2420)),
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


def _crop(name: str, leaf: Course, dry: Course, leaf_db: tuple[float, float]) -> Surface:
    return Surface(name, "crop", "earth", leaf, dry, (-10.5, -18.0), leaf_db, 0.10, 0.05)


def _hard(name: str, ground: str, vv: float, vh: float, between: float) -> Surface:
    return Surface(name, "grass", ground, _NONE, _NONE, (vv, vh), (vv, vh), between, 0.06)


# fmt: off
SURFACES: tuple[Surface, ...] = (
    # Harvested in July, then bare for the next winter cereal, or under a catch crop.
    _crop("cereal", ((180, .30), (200, .06), (262, .05), (295, .08), (325, .32)),
          ((180, .60), (200, .85), (215, .60), (240, .25), (258, .08), (300, .0)), (-11.5, -17.0)),
    _crop("cereal, catch crop", ((180, .30), (200, .06), (230, .10), (258, .40), (310, .75), (330, .70)),
          ((180, .60), (200, .85), (215, .60), (240, .25), (258, .10), (310, .05)), (-11.0, -16.5)),
    _crop("rapeseed next", ((180, .25), (200, .05), (240, .04), (262, .35), (300, .85), (330, .80)),
          ((180, .60), (200, .80), (215, .55), (235, .10), (250, .0)), (-10.5, -15.5)),
    _crop("maize", ((170, .50), (190, .80), (225, .92), (245, .80), (268, .40), (285, .06), (330, .06)),
          ((225, .02), (250, .20), (270, .50), (290, .50), (330, .35)), (-9.0, -14.5)),
    _crop("sugar beet", ((170, .60), (195, .90), (260, .85), (295, .70), (312, .25), (330, .08)),
          _NONE, (-9.0, -14.0)),
    _crop("alfalfa", ((180, .85), (195, .45), (215, .80), (228, .40), (258, .80), (300, .70), (330, .50)),
          ((180, .05), (228, .15), (258, .05)), (-10.5, -16.0)),
    Surface("vineyard", "crop", "earth", ((150, .30), (185, .50), (255, .52), (285, .38), (308, .14), (330, .10)),
            ((280, .05), (310, .20), (330, .15)), (-9.5, -16.5), (-9.0, -14.8), .12, .10),
    Surface("orchard tree", "broadleaf", "grass", ((120, .75), (265, .75), (295, .40), (318, .05)),
            ((280, .0), (305, .15), (330, .05)), (-9.5, -15.5), (-8.5, -13.5), .08, .10),
    Surface("meadow", "grass", "earth", ((160, .85), (185, .55), (215, .62), (235, .58), (258, .72), (300, .80), (330, .72)),
            ((160, .05), (190, .22), (235, .28), (260, .12), (330, .10)), (-10.5, -18.0), (-10.5, -17.2), .10, .06),
    Surface("pasture", "grass", "earth", ((160, .85), (200, .72), (235, .60), (260, .75), (330, .78)),
            ((160, .05), (235, .25), (260, .12), (330, .08)), (-10.5, -18.0), (-10.3, -17.0), .08, .07),
    Surface("lawn", "turf", "earth", ((160, .80), (235, .68), (260, .78), (330, .76)),
            ((160, .05), (235, .15), (330, .05)), (-10.5, -18.0), (-10.8, -18.0), .08, .04),
    Surface("broadleaf", "broadleaf", "leafless", ((130, .96), (262, .93), (288, .65), (305, .25), (320, .08)),
            ((262, .0), (295, .15), (320, .08)), (-8.8, -14.6), (-8.3, -13.5), .06, .08),
    Surface("conifer", "conifer", "leafless", ((1, .92),), _NONE, (-8.8, -14.6), (-8.2, -13.2), .06, .08),
    Surface("reed", "reed", "water", ((150, .75), (255, .75), (295, .40), (320, .15)),
            ((255, .05), (300, .40), (330, .45)), (-15.0, -22.0), (-9.5, -15.5), .10, .12),
    Surface("bare earth", "grass", "earth", ((1, .08),), _NONE, (-10.5, -18.5), (-10.5, -17.5), .10, .06),
    _hard("gravel", "gravel", -11.5, -19.5, .12),
    _hard("asphalt", "asphalt", -12.5, -20.0, .12),
    _hard("ballast", "ballast", -8.5, -16.5, .08),
    _hard("tile roof", "tile", -8.0, -16.5, .16),
    _hard("slate roof", "slate", -8.0, -16.5, .18),
    _hard("metal roof", "metal", -8.5, -18.0, .32),
    _hard("water", "water", -19.0, -25.5, .12),
)
# fmt: on
#: Position of each surface in `SURFACES`, by name.
SURFACE: dict[str, int] = {surface.name: i for i, surface in enumerate(SURFACES)}

#: Days by which units run ahead of the mean course or behind it.
SHIFTS = np.array([-10, -5, 0, 5, 10])


def parts(surface: Surface, day: float) -> tuple[np.ndarray, np.ndarray]:
    """Green and dry part on a day of the year, at each of `SHIFTS`: `(5,) float64`, 0 to 1."""
    days = day + SHIFTS
    green, dry = (np.interp(days, *zip(*c, strict=True)) for c in (surface.leaf, surface.dry))
    return green, np.minimum(dry, 1 - green)


def reflectance(day: float, earth: str, loss: float = 0.0) -> np.ndarray:
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
        green, dry = parts(surface, day)
        green = green * (1 - loss)
        ground = SPECTRA[earth if surface.ground == "earth" else surface.ground]
        mixture = np.stack([green, dry, 1 - green - dry], axis=1)
        rows.append(mixture @ np.stack([SPECTRA[surface.green], SPECTRA["dry"], ground]))
    return np.concatenate(rows).T.astype(np.float32)


def backscatter(day: float, moisture: float) -> np.ndarray:
    """Backscatter of all surfaces on a day of the year.

    Args:
        day: of the year.
        moisture: dB that the wet or dry ground adds.

    Returns:
        `(2, surfaces * shifts) float32`, linear, VV and VH.
    """
    rows = []
    for surface in SURFACES:
        green, dry = parts(surface, day)
        cover = (green + 0.4 * dry)[:, None]
        bare = np.array(surface.bare_db) + moisture * (surface.ground == "earth")
        rows.append(10 ** ((bare + (np.array(surface.leaf_db) - bare) * cover) / 10))
    return np.concatenate(rows).T.astype(np.float32)
