"""The land of a patch, invented: what is where, in cells of 5 m.

A theme says what the land is made of. It is laid out in the order in which land comes about:
relief, fields cut into strips, forest, river and banks, then settlement, and networks over it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.spatial import cKDTree

from multisenge_lib.sample.surfaces import SURFACE

#: Cells a pixel, and cells around the patch that are laid out and cut off again.
CELLS, MARGIN = 2, 10
#: Random values a patch has for its units; a unit's number counts modulo this.
UNITS = 4096
#: Metres to which surfaces stand up.
_TREES, _HOUSES, _HALLS = 16.0, 8.0, 9.0

# fmt: off
(DENSE, SPARSE, SPECIALISED, VEGETATIVE, NETWORK, ARABLE, VINEYARD, ORCHARD, GRASS, GROVE, FOREST,
 MINERAL, WETLAND, WATER) = range(1, 15)
_CROPS = ("cereal", "catch crop", "rapeseed", "maize", "sugar beet", "alfalfa")
_CROP_SHARES = (0.31, 0.18, 0.14, 0.20, 0.12, 0.05)
# fmt: on


@dataclass(frozen=True)
class Theme:
    """What the land of a patch is made of. Lengths in cells.

    Attributes:
        fields: shares of arable, vineyard, orchard and grass among the blocks of fields.
        block: width of a block of fields.
        strip: width of its parcels.
        forest: share of forest.
        groves: share of the field borders that are hedged, and of small groves.
        river: width of the river, 0 for none.
        pond: radius of a pond, 0 for none.
        core: radius of the dense core, in a 64-pixel patch.
        rim: radius of the sparse rim.
        halls: radius around the settlement in which blocks are industrial.
        greens: number of parks and sports grounds.
        motorway: chance that a motorway crosses.
        rail: chance that a railway crosses.
        relief: height of slopes, relative.
        quarry: radius of an open pit.
    """

    fields: tuple[float, float, float, float]
    block: float = 44
    strip: float = 14
    forest: float = 0.0
    groves: float = 0.1
    river: float = 0
    pond: float = 0
    core: float = 0
    rim: float = 0
    halls: float = 0
    greens: int = 0
    motorway: float = 0
    rail: float = 0
    relief: float = 1.0
    quarry: float = 0


# fmt: off
THEMES: dict[str, Theme] = {
    "city": Theme((.4, 0, 0, .6), core=36, rim=70, halls=88, greens=4, rail=1, river=9),
    "town": Theme((.7, 0, .03, .27), core=14, rim=42, halls=54, greens=2, rail=1, motorway=.2),
    "village": Theme((.73, 0, .02, .25), core=6, rim=30, greens=1, forest=.14, rail=.3),
    "industry": Theme((.8, 0, 0, .2), core=4, rim=22, halls=56, greens=1, motorway=1),
    "plain": Theme((.95, 0, 0, .05), block=60, strip=22, forest=.03, groves=.03, relief=.5,
                   motorway=.3, rail=.2),
    "bocage": Theme((.22, 0, .02, .76), block=36, strip=20, forest=.22, groves=.45),
    "forest": Theme((.4, 0, 0, .6), forest=.93, groves=.2, relief=1.5, motorway=.15),
    "valley": Theme((.5, 0, 0, .5), forest=.28, river=11, pond=9, groves=.25, relief=.5),
    "vineyard": Theme((.5, .40, 0, .10), block=30, strip=8, forest=.25, core=5, rim=16, relief=3),
    "orchard": Theme((.50, .13, .27, .10), block=32, strip=12, forest=.22, rim=12, relief=1.5,
                     quarry=5),
}
# fmt: on


@dataclass(frozen=True)
class Land:
    """A patch laid out; arrays `(cells, cells)`, the margin included.

    Attributes:
        label: class ids of the reference, 1 to 14.
        surface: positions in `SURFACES`.
        unit: numbers of parcels, roofs and other units, 0 to `UNITS`.
        height: metres above the ground.
        relief: height of the ground, relative.
        grain: -1 to 1, rows and tracks of tractors.
        earth: endmember of its soil.
    """

    label: np.ndarray
    surface: np.ndarray
    unit: np.ndarray
    height: np.ndarray
    relief: np.ndarray
    grain: np.ndarray
    earth: str


@dataclass
class _Canvas:
    """The land while it is being laid out: what is painted later covers what was there."""

    rng: np.random.Generator
    size: int
    y: np.ndarray = field(init=False)
    x: np.ndarray = field(init=False)

    def __post_init__(self):
        self.n = CELLS * self.size + 2 * MARGIN
        # A patch four times as wide has settlements twice as wide, and two of them.
        self.scale = (self.size / 64) ** 0.5
        self.y, self.x = np.mgrid[: self.n, : self.n].astype(np.float64)
        shape = (self.n, self.n)
        self.label = np.full(shape, GRASS, np.uint8)
        self.surface = np.full(shape, SURFACE["meadow"], np.uint8)
        self.unit = np.zeros(shape, np.int64)
        self.height, self.grain = np.zeros(shape), np.zeros(shape)

    def paint(
        self,
        mask: np.ndarray,
        surface: np.ndarray | str,
        label: int | None = None,
        unit: np.ndarray | None = None,
        height: np.ndarray | float = 0.0,
    ) -> None:
        """Cover the cells of a mask; a label of None leaves the reference as it was."""
        self.surface[mask] = surface[mask] if isinstance(surface, np.ndarray) else SURFACE[surface]
        self.height[mask] = height[mask] if isinstance(height, np.ndarray) else height
        self.grain[mask] = 0
        if label is not None:
            self.label[mask] = label
        if unit is not None:
            self.unit[mask] = unit[mask]

    def noise(self, scale: float) -> np.ndarray:
        """Smooth noise of unit variance, hills and hollows about `scale` cells wide."""
        return smooth_noise(self.rng, self.n, scale)

    def table(self, names: Sequence[str], shares: Sequence[float] | None = None) -> np.ndarray:
        """A surface drawn for each unit."""
        positions = np.array([SURFACE[name] for name in names], np.uint8)
        return self.rng.choice(positions, UNITS, p=shares)


def smooth_noise(rng: np.random.Generator, n: int, scale: float) -> np.ndarray:
    """Gaussian noise of unit variance, hills and hollows about `scale` cells wide.

    Quadratic B-splines over a grid of independent values: `(n, n) float64`.
    """
    at = np.arange(n) / scale + rng.uniform(0, 1)
    first, t = np.floor(at).astype(int), at % 1
    weights = (1 - t) ** 2 / 2, 0.5 + t * (1 - t), t**2 / 2
    grid = rng.standard_normal((first[-1] + 3, first[-1] + 3))
    rows = sum(w[:, None] * grid[first + k] for k, w in enumerate(weights))
    return sum(w * rows[:, first + k] for k, w in enumerate(weights)) / 0.55


def _turned(canvas: _Canvas, angle: float | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates along and across an angle, in cells from the centre."""
    y, x = canvas.y - canvas.n / 2, canvas.x - canvas.n / 2
    return x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)


@dataclass(frozen=True)
class _Blocks:
    """A plane cut into blocks: the number of each cell's block, its distance to the edge."""

    number: np.ndarray
    neighbour: np.ndarray
    edge: np.ndarray
    seeds: np.ndarray

    @property
    def at(self) -> tuple[np.ndarray, np.ndarray]:
        """The cells in which the blocks' seeds lie, or the nearest on the canvas."""
        rows, columns = np.clip(self.seeds.T, 0, len(self.number) - 1).astype(int)
        return rows, columns


def _cut(canvas: _Canvas, spacing: float, angle: float, jitter: float = 0.32) -> _Blocks:
    """Voronoi cells of a turned, jittered lattice."""
    half = canvas.n * 0.75 + spacing
    ticks = np.arange(-half, half, spacing)
    lattice = np.stack(np.meshgrid(ticks, ticks), axis=-1).reshape(-1, 2)
    lattice += canvas.rng.uniform(-jitter, jitter, lattice.shape) * spacing
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    seeds = lattice @ turn.T + canvas.n / 2
    cells = np.stack([canvas.y.ravel(), canvas.x.ravel()], axis=1)
    distance, nearest = cKDTree(seeds).query(cells, k=2)
    shape = canvas.y.shape
    edge = (distance[:, 1] - distance[:, 0]).reshape(shape) / 2
    return _Blocks(nearest[:, 0].reshape(shape), nearest[:, 1].reshape(shape), edge, seeds)


def _line(canvas: _Canvas, angle: float, offset: float, bends: float, wave: float) -> np.ndarray:
    """Distance of each cell to a line that winds across the patch."""
    along, across = _turned(canvas, angle)
    phases = canvas.rng.uniform(0, 2 * np.pi, 3)
    course, slope = np.full_like(along, offset), np.zeros_like(along)
    for part, phase in zip((1.0, 0.45, 0.25), phases, strict=True):
        k = 2 * np.pi / (wave * part * 1.3)
        course += bends * part * np.sin(k * along + phase)
        slope += bends * part * k * np.cos(k * along + phase)
    return np.abs(across - course) / np.sqrt(1 + slope**2)


def _lattice(
    u: np.ndarray, v: np.ndarray, width: float, depth: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lots of a turned lattice: their unit, and the place inside each, 0 to 1."""
    a, b = u / width, v / depth
    unit = (np.floor(a) * 73 + np.floor(b) * 179).astype(np.int64) % UNITS
    return unit, a - np.floor(a), b - np.floor(b)


def _fields(canvas: _Canvas, theme: Theme, angle: float) -> None:
    """Blocks of fields, each cut into strips; arable, vineyards, orchards or grass."""
    rng, blocks = canvas.rng, _cut(canvas, theme.block, angle, jitter=0.22)
    count = len(blocks.seeds)
    like_nearby = canvas.noise(70)[blocks.at] + 0.5 * rng.standard_normal(count)
    rank = (np.argsort(np.argsort(like_nearby)) + 0.5) / count
    use = np.searchsorted(np.cumsum(theme.fields), rank)
    kind = np.array([ARABLE, VINEYARD, ORCHARD, GRASS])[use][blocks.number]
    turn = angle + rng.choice([0, np.pi / 2], count) + rng.normal(0, 0.12, count)
    width = theme.strip * rng.uniform(0.7, 1.6, count) * np.where(rng.random(count) < 0.2, 3, 1)
    u, v = _turned(canvas, turn[blocks.number])
    strip = u / width[blocks.number]
    parcel = (blocks.number * 131 + np.floor(strip).astype(np.int64) * 17) % UNITS
    surfaces = {
        ARABLE: canvas.table(_CROPS, _CROP_SHARES)[parcel],
        VINEYARD: np.full_like(canvas.surface, SURFACE["vineyard"]),
        ORCHARD: np.full_like(canvas.surface, SURFACE["pasture"]),
        GRASS: canvas.table(("meadow", "pasture"))[parcel],
    }
    for label, surface in surfaces.items():
        canvas.paint(kind == label, surface, label, parcel)
    canvas.grain = np.sin(2 * np.pi * u / 3.4)
    _rows(canvas, kind, u, v, strip - np.floor(strip))
    _field_borders(canvas, theme, blocks)
    _wrong_parcels(canvas, kind, parcel)


def _rows(
    canvas: _Canvas, kind: np.ndarray, u: np.ndarray, v: np.ndarray, across: np.ndarray
) -> None:
    """Tracks between the plots of vineyards, and the trees of orchards."""
    tracks = (kind == VINEYARD) & ((across < 0.1) | (v % 26 < 0.9))
    canvas.paint(tracks, canvas.table(("pasture", "gravel"))[canvas.unit])
    trees = (kind == ORCHARD) & (np.sin(2 * np.pi * u / 2.6) > -0.1) & (across > 0.12)
    trees &= canvas.rng.random(trees.shape) < 0.85
    canvas.paint(trees, "orchard tree", height=4.0)


def _field_borders(canvas: _Canvas, theme: Theme, blocks: _Blocks) -> None:
    """Grassy balks, and hedges along some borders; the reference lacks both."""
    canvas.paint(blocks.edge < 0.6, "pasture")
    low = np.minimum(blocks.number, blocks.neighbour)
    high = np.maximum(blocks.number, blocks.neighbour)
    hedged = canvas.rng.random(UNITS)[(low * 31 + high * 57) % UNITS] < theme.groves
    gaps = canvas.rng.random(blocks.edge.shape) < 0.25
    canvas.paint(hedged & (blocks.edge < 1.1) & ~gaps, "broadleaf", height=6.0)


def _wrong_parcels(canvas: _Canvas, kind: np.ndarray, parcel: np.ndarray) -> None:
    """Some parcels that changed between crops and grass since the reference was made."""
    wrong = (canvas.rng.random(UNITS) < 0.03)[parcel]
    canvas.label[wrong & (kind == ARABLE)] = GRASS
    canvas.label[wrong & (kind == GRASS)] = ARABLE


def _forest(canvas: _Canvas, theme: Theme) -> None:
    """Forest with uneven edges, stands of conifers, and clearings that the reference lacks."""
    if not theme.forest:
        return
    ground = canvas.noise(38) + 0.35 * canvas.noise(9) + 0.1 * canvas.noise(3)
    wood = ground > np.quantile(ground, 1 - theme.forest)
    stands = _cut(canvas, 30, canvas.rng.uniform(0, np.pi), jitter=0.5)
    crowns = _TREES + 4 * canvas.rng.standard_normal(UNITS)[stands.number]
    crowns += 1.5 * canvas.rng.standard_normal(wood.shape)
    canvas.paint(wood, "broadleaf", FOREST, stands.number, np.maximum(crowns, 4))
    conifers = (canvas.rng.random(UNITS) < 0.25)[stands.number] & (canvas.noise(6) > -1.2)
    canvas.paint(wood & conifers, "conifer", height=crowns)
    canvas.paint(wood & (canvas.noise(11) > 2.1), "pasture")


def _groves(canvas: _Canvas, theme: Theme) -> None:
    """Small groves among the fields; the reference has one in four of them."""
    for _ in range(round(6 * theme.groves * (canvas.size / 64) ** 1.5)):
        near = _disc(canvas, canvas.rng.uniform(2.0, 4.5))
        label = GROVE if canvas.rng.random() < 0.25 else None
        canvas.paint(near, "broadleaf", label, height=9.0)


def _disc(canvas: _Canvas, radius: float, roughness: float = 0.25) -> np.ndarray:
    """A roundish spot somewhere on the patch."""
    row, column = canvas.rng.uniform(MARGIN, canvas.n - MARGIN, 2)
    stretch = canvas.rng.uniform(0.7, 1.4)
    distance = np.hypot((canvas.y - row) * stretch, (canvas.x - column) / stretch)
    return distance * (1 + roughness * canvas.noise(max(3.0, radius))) < radius


def _water(canvas: _Canvas, theme: Theme, angle: float, offset: float) -> np.ndarray:
    """River, banks, wetlands and ponds; returns the cells that nothing may be built on."""
    wet = np.zeros(canvas.y.shape, bool)
    if theme.pond:
        wet |= _pond(canvas, theme.pond)
    if theme.river:
        wet |= _river(canvas, theme, angle, offset)
    return wet


def _river(canvas: _Canvas, theme: Theme, angle: float, offset: float) -> np.ndarray:
    distance = _line(
        canvas, angle, offset, bends=9 * canvas.scale, wave=90 * canvas.scale
    ) + 0.7 * canvas.noise(7)
    bank = theme.river / 2
    canvas.paint(distance < 2.2 * theme.river, "meadow", GRASS)
    marsh = (distance < bank + 11) & (canvas.noise(16) > 0.6) & (theme.core == 0)
    canvas.paint(marsh, "reed", WETLAND, height=2.0)
    trees = (distance < bank + 2.2) & (canvas.noise(5) > -0.2)
    canvas.paint(trees, "broadleaf", height=10.0)
    canvas.paint(distance < bank, "water", WATER)
    return distance < bank + 1.5


def _pond(canvas: _Canvas, radius: float) -> np.ndarray:
    water = _disc(canvas, radius * canvas.rng.uniform(0.8, 1.4))
    canvas.paint(water, "water", WATER)
    shallow = water & (canvas.noise(8) > 1.1)
    canvas.paint(shallow, "reed", WETLAND, height=2.0)
    return water


def _distance_to_centre(canvas: _Canvas, centre: np.ndarray, angle: float) -> np.ndarray:
    """Distance to a settlement's centre, shorter along its main road, unevenly."""
    u, v = _turned(canvas, angle)
    cu, cv = (w[int(centre[0]), int(centre[1])] for w in (u, v))
    return np.hypot((u - cu) * 0.72, (v - cv) * 1.25) * (1 + 0.13 * canvas.noise(24))


def _halls(
    canvas: _Canvas, theme: Theme, distance: np.ndarray, angle: float, free: np.ndarray
) -> None:
    """Industrial and commercial blocks: large roofs, yards, parking, strips of lawn."""
    blocks = _cut(canvas, 34, angle, jitter=0.2)
    near = distance[blocks.at]
    chosen = (near < theme.halls * canvas.scale) & (near > theme.rim * canvas.scale * 0.8)
    chosen &= canvas.rng.random(len(near)) < 0.62
    area = chosen[blocks.number] & free
    u, v = _turned(canvas, angle)
    unit, a, b = _lattice(u, v, 15, 22)
    wide, long = canvas.rng.uniform(0.5, 0.85, (2, UNITS))
    street = area & (blocks.edge < 1.0)
    roof = (
        area & ~street & (a > 0.12) & (a < 0.12 + wide[unit]) & (b > 0.1) & (b < 0.1 + long[unit])
    )
    roof &= (canvas.rng.random(UNITS) < 0.78)[unit]
    yard = canvas.table(("asphalt", "gravel", "lawn", "pasture"), (0.5, 0.2, 0.2, 0.1))
    patchwork = (unit * 7 + np.floor(a * 3).astype(int) * 11 + np.floor(b * 4).astype(int)) % UNITS
    canvas.paint(area, yard[patchwork], SPECIALISED, patchwork)
    roofs = canvas.table(("metal roof", "slate roof", "tile roof"), (0.5, 0.38, 0.12))
    canvas.paint(roof, roofs[unit], None, unit, _HALLS)
    canvas.paint(street, "asphalt")


def _greens(
    canvas: _Canvas, theme: Theme, distance: np.ndarray, angle: float, free: np.ndarray
) -> None:
    """Sports grounds and parks around the settlement."""
    u, v = _turned(canvas, angle)
    rows, columns = np.nonzero((distance < theme.rim * canvas.scale * 1.15) & free)
    for _ in range(theme.greens * round(canvas.scale**2) if len(rows) else 0):
        at = canvas.rng.integers(len(rows))
        here = rows[at], columns[at]
        wide, long = canvas.rng.uniform(6, 10), canvas.rng.uniform(8, 15)
        a, b = np.abs(u - u[here]) / wide, np.abs(v - v[here]) / long
        area = (np.maximum(a, b) < 1) & free
        canvas.paint(area, "lawn", VEGETATIVE, np.full_like(canvas.unit, at % UNITS))
        if canvas.rng.random() < 0.5:
            _park(canvas, area)
        else:
            pitch = (np.maximum(a, b) < 0.72) & area
            track = (np.hypot(a, b) < 0.95) & (np.hypot(a, b) > 0.78) & area
            canvas.paint(track, "tile roof")
            canvas.paint(pitch & (canvas.noise(6) > 1.4), "soil")


def _park(canvas: _Canvas, area: np.ndarray) -> None:
    """Trees, lawn and paths."""
    canvas.paint(area & (canvas.noise(4) > 0.15), "broadleaf", height=11.0)
    canvas.paint(area & (np.abs(canvas.noise(12)) < 0.12), "gravel")


def _town(
    canvas: _Canvas, theme: Theme, distance: np.ndarray, angle: float, free: np.ndarray
) -> None:
    """Blocks between streets: a dense core of roofs and yards, a rim of houses and gardens."""
    blocks = _cut(canvas, 15, angle, jitter=0.25)
    near = distance[blocks.at] * canvas.rng.uniform(0.85, 1.15, len(blocks.seeds))
    dense = (near < theme.core * canvas.scale)[blocks.number] & free
    left_open = (canvas.rng.random(len(near)) < 0.18) & (near > 0.6 * theme.rim * canvas.scale)
    sparse = ((near < theme.rim * canvas.scale) & ~left_open)[blocks.number] & free & ~dense
    sparse &= (canvas.label != SPECIALISED) & (canvas.label != VEGETATIVE)
    dense &= canvas.label != VEGETATIVE
    _gardens(canvas, sparse, angle, near[blocks.number] / (theme.rim * canvas.scale))
    _core(canvas, dense, angle)
    streets = (dense | sparse) & (blocks.edge < 0.75)
    canvas.paint(streets, "asphalt")


def _gardens(canvas: _Canvas, area: np.ndarray, angle: float, outward: np.ndarray) -> None:
    """Houses on lots; fewer towards the edge."""
    rng = canvas.rng
    unit, a, b = _lattice(*_turned(canvas, angle), 4.4, 5.6)
    cover = canvas.table(("lawn", "pasture", "soil", "gravel"), (0.45, 0.3, 0.1, 0.15))
    canvas.paint(area, cover[unit], SPARSE, unit)
    canvas.paint(area & (rng.random(area.shape) < 0.17), "broadleaf", height=6.0)
    size = rng.uniform(0.35, 0.65, UNITS)[unit]
    house = area & (a > 0.15) & (a < 0.15 + size) & (b > 0.2) & (b < 0.15 + size)
    house &= rng.random(UNITS)[unit] < 1.0 - 0.4 * outward
    roofs = canvas.table(("tile roof", "slate roof"), (0.7, 0.3))
    canvas.paint(house, roofs[unit], None, unit, _HOUSES)
    canvas.paint(area & (b < 0.12) & (a < 0.5), "asphalt")


def _core(canvas: _Canvas, area: np.ndarray, angle: float) -> None:
    """Rows of buildings around courts."""
    unit, _, _ = _lattice(*_turned(canvas, angle), 3.2, 3.8)
    court = canvas.table(("asphalt", "gravel", "lawn", "broadleaf"), (0.45, 0.25, 0.15, 0.15))
    roofs = canvas.table(("tile roof", "slate roof", "metal roof"), (0.6, 0.33, 0.07))
    built = area & (canvas.rng.random(UNITS) < 0.74)[unit]
    heights = _HOUSES + 6 * canvas.rng.random(UNITS)
    canvas.paint(area, court[unit], DENSE, unit)
    canvas.paint(built, roofs[unit], None, unit, heights[unit])


def _settlement(canvas: _Canvas, theme: Theme, free: np.ndarray) -> None:
    """A town, village or hamlet with its main road."""
    for _ in range(max(1, round(canvas.scale))):
        angle = canvas.rng.uniform(0, np.pi)
        centre = canvas.n * canvas.rng.uniform(0.34, 0.66, 2)
        distance = _distance_to_centre(canvas, centre, angle)
        if theme.halls:
            _halls(canvas, theme, distance, angle, free)
        _greens(canvas, theme, distance, angle, free)
        _town(canvas, theme, distance, angle, free)
        _, v = _turned(canvas, angle)
        offset = v[int(centre[0]), int(centre[1])]
        canvas.paint(_line(canvas, angle, offset, 1.0, 160) < 0.9, "asphalt")


def _networks(canvas: _Canvas, theme: Theme) -> None:
    """Motorway and railway, which the reference has, and a country road, which it lacks."""
    rng = canvas.rng
    reach = canvas.n / 5
    road = _line(canvas, rng.uniform(0, np.pi), rng.uniform(-2, 2) * reach, 2, 120)
    canvas.paint(road < 0.7, "asphalt")
    if rng.random() < theme.rail:
        track = _line(canvas, rng.uniform(0, np.pi), rng.uniform(-1, 1) * reach, 4, 260)
        yard = 2.6 if theme.core < 20 else 4.2
        canvas.paint(track < yard, canvas.table(("soil", "gravel"))[canvas.unit], NETWORK)
        canvas.paint(track < yard - 0.9, "ballast")
    if rng.random() < theme.motorway:
        lanes = _line(canvas, rng.uniform(0, np.pi), rng.uniform(-1, 1) * reach, 5, 300)
        canvas.paint(lanes < 4.0, "pasture", NETWORK)
        canvas.paint((lanes < 3.0) & (lanes > 0.4), "asphalt")


def _quarry(canvas: _Canvas, radius: float) -> None:
    """An open pit."""
    if radius:
        pit = _disc(canvas, radius)
        canvas.paint(pit, "gravel", MINERAL)
        canvas.paint(pit & (canvas.noise(6) > 1.3), "water")


def lay_out(rng: np.random.Generator, size: int, theme: Theme, earth: str) -> Land:
    """Invent the land of a patch.

    Args:
        rng: of the patch.
        size: pixels along its side.
        theme: what it is made of.
        earth: endmember of its soil.
    """
    canvas = _Canvas(rng, size)
    angle = rng.uniform(0, np.pi)
    _fields(canvas, theme, angle)
    _forest(canvas, theme)
    _groves(canvas, theme)
    free = ~_water(canvas, theme, angle + rng.normal(0, 0.3), rng.uniform(-0.25, 0.25) * canvas.n)
    _quarry(canvas, theme.quarry)
    if theme.rim:
        _settlement(canvas, theme, free)
    _networks(canvas, theme)
    relief = theme.relief * (canvas.noise(70) + 0.3 * canvas.noise(30))
    return Land(
        canvas.label, canvas.surface, canvas.unit, canvas.height, relief, canvas.grain, earth
    )
