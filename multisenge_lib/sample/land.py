"""The land of a patch, invented: what is where, in cells of 5 m.

A theme says what the land is made of (`themes.yaml`). It is laid out in the order in which land
comes about: fields cut into strips, forest, river and banks, then settlement, and networks over it.
"""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree

from multisenge_lib.sample.places import table

#: Cells a pixel, and cells around the patch that are laid out and cut off again.
CELLS, MARGIN = 2, 10
#: Random values that a patch has for its units (parcels, roofs): their numbers count modulo this.
UNITS = 4096

# fmt: off
(DENSE, SPARSE, SPECIALISED, VEGETATIVE, NETWORK, ARABLE, VINEYARD, ORCHARD, GRASS, GROVE, FOREST,
 MINERAL, WETLAND, WATER) = range(1, 15)
# fmt: on

#: The kinds of surfaces by name, and the position of each among them.
SURFACES: dict[str, dict[str, Any]] = table("surfaces")["surfaces"]
SURFACE = {name: position for position, name in enumerate(SURFACES)}

_TABLES = table("themes")
_CROPS, _FABRIC = _TABLES["crops"], _TABLES["fabric"]
#: What the land of a patch is made of; the attributes are explained in `themes.yaml`.
THEMES = {
    name: SimpleNamespace(**_TABLES["themes"]["default"] | own)
    for name, own in _TABLES["themes"].items()
    if name != "default"
}


class Land(NamedTuple):
    """A patch laid out; arrays `(cells, cells)`, the margin included."""

    label: np.ndarray  # class ids of the reference, 1 to 14
    surface: np.ndarray  # positions in `SURFACES`
    unit: np.ndarray  # numbers of parcels, roofs and other units, 0 to `UNITS`
    height: np.ndarray  # metres above the ground
    relief: np.ndarray  # height of the ground, relative


class _Blocks(NamedTuple):
    """A plane cut into blocks; arrays `(cells, cells)`, but for `at`."""

    number: np.ndarray  # of each cell's block
    beside: np.ndarray  # of the block that is nearest to it
    edge: np.ndarray  # distance to the border between the two, in cells
    at: tuple[np.ndarray, np.ndarray]  # rows and columns of their centres, moved onto the canvas


def smooth_noise(rng: np.random.Generator, n: int, scale: float) -> np.ndarray:
    """Smooth noise of unit variance, `(n, n)`, hills and hollows about `scale` cells wide."""
    nodes = rng.standard_normal((int(n / scale) + 5,) * 2)
    at = 1 + rng.uniform() + np.arange(n) / scale
    grid = np.meshgrid(at, at, indexing="ij")
    return ndimage.map_coordinates(nodes, grid, order=2, prefilter=False) / 0.55


class _Canvas:
    """The land while it is being laid out: what is painted later covers what was there."""

    def __init__(self, rng: np.random.Generator, size: int):
        self.rng = rng
        self.n = CELLS * size + 2 * MARGIN
        # A patch four times as wide has settlements twice as wide, and two of them.
        self.scale = (size / 64) ** 0.5
        self.y, self.x = np.mgrid[: self.n, : self.n].astype(np.float64)
        self.label = np.full(self.y.shape, GRASS, np.uint8)
        self.surface = np.full(self.y.shape, SURFACE["meadow"], np.uint8)
        self.unit = np.zeros(self.y.shape, np.int64)
        self.height = np.zeros(self.y.shape)

    def paint(
        self,
        mask: np.ndarray,
        surface: np.ndarray | str,
        label: int | None = None,
        unit: np.ndarray | None = None,
        height: np.ndarray | float = 0.0,
    ) -> None:
        """Cover the cells of a mask; without a label or unit those stay as they were."""
        self.surface[mask] = SURFACE[surface] if isinstance(surface, str) else surface[mask]
        self.height[mask] = height[mask] if isinstance(height, np.ndarray) else height
        if label is not None:
            self.label[mask] = label
        if unit is not None:
            self.unit[mask] = unit[mask]

    def noise(self, scale: float) -> np.ndarray:
        """Smooth noise over the canvas; see `smooth_noise`."""
        return smooth_noise(self.rng, self.n, scale)

    def drawn(self, shares: Mapping[str, float]) -> np.ndarray:
        """A surface for each unit, drawn with these shares."""
        return self.rng.choice([SURFACE[s] for s in shares], UNITS, p=list(shares.values()))

    def chance(self, share: float) -> np.ndarray:
        """Whether a unit is among a share of them, drawn for each unit."""
        return self.rng.random(UNITS) < share

    def turned(self, angle: float | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Coordinates along and across an angle, in cells from the centre."""
        y, x = self.y - self.n / 2, self.x - self.n / 2
        return x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)

    def blocks(self, spacing: float, angle: float, jitter: float) -> _Blocks:
        """Voronoi cells of a turned, jittered lattice."""
        ticks = np.arange(-self.n * 0.75 - spacing, self.n * 0.75 + spacing, spacing)
        lattice = np.stack(np.meshgrid(ticks, ticks), axis=-1).reshape(-1, 2)
        lattice += self.rng.uniform(-jitter, jitter, lattice.shape) * spacing
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        seeds = lattice @ turn.T + self.n / 2
        distance, nearest = cKDTree(seeds).query(np.stack([self.y, self.x], axis=-1), k=2)
        rows, columns = np.clip(seeds.T, 0, self.n - 1).astype(int)
        edge = (distance[..., 1] - distance[..., 0]) / 2
        return _Blocks(nearest[..., 0], nearest[..., 1], edge, (rows, columns))

    def line(self, angle: float, offset: float, bends: float, wave: float) -> np.ndarray:
        """Distance of each cell to a line that winds across the patch."""
        along, across = self.turned(angle)
        course, slope = np.full_like(along, offset), np.zeros_like(along)
        for part in (1.0, 0.45, 0.25):
            k, phase = 2 * np.pi / (wave * part * 1.3), self.rng.uniform(0, 2 * np.pi)
            course += bends * part * np.sin(k * along + phase)
            slope += bends * part * k * np.cos(k * along + phase)
        return np.abs(across - course) / np.sqrt(1 + slope**2)

    def spot(self, radius: float) -> np.ndarray:
        """A roundish spot somewhere on the patch."""
        row, column = self.rng.uniform(MARGIN, self.n - MARGIN, 2)
        stretch = self.rng.uniform(0.7, 1.4)
        distance = np.hypot((self.y - row) * stretch, (self.x - column) / stretch)
        return distance * (1 + 0.25 * self.noise(max(3.0, radius))) < radius


def _fields(canvas: _Canvas, theme: SimpleNamespace, angle: float) -> None:
    """Blocks of fields, each cut into strips; arable, vineyards, orchards or grass."""
    rng, blocks = canvas.rng, canvas.blocks(theme.block, angle, jitter=0.22)
    count = len(blocks.at[0])
    like_nearby = canvas.noise(70)[blocks.at] + 0.5 * rng.standard_normal(count)
    rank = (np.argsort(np.argsort(like_nearby)) + 0.5) / count
    kind = (ARABLE + np.searchsorted(np.cumsum(theme.fields), rank))[blocks.number]
    turn = angle + rng.choice([0, np.pi / 2], count) + rng.normal(0, 0.12, count)
    width = theme.strip * rng.uniform(0.7, 1.6, count) * np.where(rng.random(count) < 0.2, 3, 1)
    u, v = canvas.turned(turn[blocks.number])
    strip = u / width[blocks.number]
    parcel = (blocks.number * 131 + np.floor(strip).astype(np.int64) * 17) % UNITS
    for label, shares in enumerate(_CROPS.values(), ARABLE):
        canvas.paint(kind == label, canvas.drawn(shares)[parcel], label, parcel)
    tracks = (kind == VINEYARD) & ((strip % 1 < 0.1) | (v % 26 < 0.9))
    canvas.paint(tracks, canvas.drawn({"pasture": 0.5, "gravel": 0.5})[parcel])
    trees = (kind == ORCHARD) & (np.sin(2 * np.pi * u / 2.6) > -0.1) & (strip % 1 > 0.12)
    canvas.paint(trees & (rng.random(u.shape) < 0.85), "orchard tree", height=4.0)
    # Some parcels changed between crops and grass since the reference was made.
    wrong = canvas.chance(0.03)[parcel]
    canvas.label[wrong & (kind == ARABLE)] = GRASS
    canvas.label[wrong & (kind == GRASS)] = ARABLE
    _borders(canvas, theme, blocks)


def _borders(canvas: _Canvas, theme: SimpleNamespace, blocks: _Blocks) -> None:
    """Grassy balks, and hedges along some borders; the reference lacks both."""
    canvas.paint(blocks.edge < 0.6, "pasture")
    low, high = np.sort([blocks.number, blocks.beside], axis=0)
    hedged = canvas.chance(theme.hedges)[(low * 31 + high * 57) % UNITS]
    gaps = canvas.rng.random(blocks.edge.shape) < 0.25
    canvas.paint(hedged & (blocks.edge < 1.1) & ~gaps, "broadleaf", height=6.0)


def _forest(canvas: _Canvas, theme: SimpleNamespace) -> None:
    """Forest with uneven edges, stands of conifers, and clearings that the reference lacks."""
    ground = canvas.noise(38) + 0.35 * canvas.noise(9) + 0.1 * canvas.noise(3)
    wood = ground > np.quantile(ground, 1 - theme.forest)
    stands = canvas.blocks(30, canvas.rng.uniform(0, np.pi), jitter=0.5).number % UNITS
    crowns = 16 + 4 * canvas.rng.standard_normal(UNITS)[stands]
    crowns = np.maximum(crowns + 1.5 * canvas.rng.standard_normal(wood.shape), 4)
    canvas.paint(wood, "broadleaf", FOREST, stands, crowns)
    conifers = canvas.chance(0.25)[stands] & (canvas.noise(6) > -1.2)
    canvas.paint(wood & conifers, "conifer", height=crowns)
    canvas.paint(wood & (canvas.noise(11) > 2.1), "pasture")


def _groves(canvas: _Canvas, theme: SimpleNamespace) -> None:
    """Small groves among the fields; the reference has one in four of them."""
    for _ in range(round(theme.groves * canvas.scale**3)):
        label = GROVE if canvas.rng.random() < 0.25 else None
        canvas.paint(canvas.spot(canvas.rng.uniform(2.0, 4.5)), "broadleaf", label, height=9.0)


def _water(canvas: _Canvas, theme: SimpleNamespace, angle: float) -> np.ndarray:
    """River, banks, wetlands and a pond; returns the cells that may be built on."""
    if theme.pond:
        pond = canvas.spot(theme.pond * canvas.rng.uniform(0.8, 1.4))
        canvas.paint(pond, "water", WATER)
        canvas.paint(pond & (canvas.noise(8) > 1.1), "reed", WETLAND, height=2.0)
    if theme.river:
        offset = canvas.rng.uniform(-0.25, 0.25) * canvas.n
        river = canvas.line(angle, offset, 9 * canvas.scale, 90 * canvas.scale)
        distance = river + 0.7 * canvas.noise(7) - theme.river / 2
        canvas.paint(distance < 1.7 * theme.river, "meadow", GRASS)
        marsh = (distance < 11) & (canvas.noise(16) > 0.6) & (theme.core == 0)
        canvas.paint(marsh, "reed", WETLAND, height=2.0)
        canvas.paint((distance < 2.2) & (canvas.noise(5) > -0.2), "broadleaf", height=10.0)
        canvas.paint(distance < 0, "water", WATER)
    return canvas.surface != SURFACE["water"]


def _build(
    canvas: _Canvas, kind: str, label: int, area: np.ndarray, blocks: _Blocks, angle: float
) -> None:
    """Streets, and lots between them that each have a cover, trees and perhaps a roof."""
    rng, fabric = canvas.rng, SimpleNamespace(**_FABRIC[kind])
    u, v = (w / side for w, side in zip(canvas.turned(angle), fabric.lot, strict=True))
    unit = (np.floor(u) * 73 + np.floor(v) * 179).astype(np.int64) % UNITS
    wide, long = rng.uniform(*fabric.roof, (2, UNITS))
    roof = area & (u % 1 < wide[unit]) & (v % 1 < long[unit]) & canvas.chance(fabric.built)[unit]
    canvas.paint(area, canvas.drawn(fabric.cover)[unit], label, unit)
    canvas.paint(area & (rng.random(area.shape) < fabric.trees), "broadleaf", height=6.0)
    height = rng.uniform(*fabric.height, UNITS)
    canvas.paint(roof, canvas.drawn(fabric.roofs)[unit], None, unit, height[unit])
    canvas.paint(area & (blocks.edge < 0.75), "asphalt")


def _greens(canvas: _Canvas, number: int, near: np.ndarray, angle: float) -> None:
    """Sports grounds, and parks with trees."""
    u, v = canvas.turned(angle)
    rows, columns = np.nonzero(near)
    for _ in range(number if len(rows) else 0):
        at = canvas.rng.integers(len(rows))
        here = rows[at], columns[at]
        wide, long = canvas.rng.uniform(6, 10), canvas.rng.uniform(8, 15)
        area = near & (np.abs(u - u[here]) < wide) & (np.abs(v - v[here]) < long)
        canvas.paint(area, "lawn", VEGETATIVE, np.full_like(canvas.unit, at % UNITS))
        trees = canvas.noise(4) > canvas.rng.choice([0.15, 2])
        canvas.paint(area & trees, "broadleaf", height=11.0)


def _settlement(canvas: _Canvas, theme: SimpleNamespace, free: np.ndarray) -> None:
    """A town, village or hamlet: halls around, greens, houses and gardens, a core, a main road."""
    rng, angle = canvas.rng, canvas.rng.uniform(0, np.pi)
    centre = tuple((canvas.n * rng.uniform(0.34, 0.66, 2)).astype(int))
    u, v = canvas.turned(angle)
    distance = np.hypot((u - u[centre]) * 0.72, (v - v[centre]) * 1.25)
    distance *= (1 + 0.13 * canvas.noise(24)) / canvas.scale
    blocks = canvas.blocks(_FABRIC["halls"]["street"], angle, jitter=0.2)
    near = distance[blocks.at]
    chosen = (near < theme.halls) & (near > 0.8 * theme.rim) & (rng.random(len(near)) < 0.62)
    halls = chosen[blocks.number] & free
    _build(canvas, "halls", SPECIALISED, halls, blocks, angle)
    number = theme.greens * round(canvas.scale**2)
    _greens(canvas, number, free & (distance < 1.15 * theme.rim), angle)
    blocks = canvas.blocks(_FABRIC["rim"]["street"], angle, jitter=0.25)
    near = distance[blocks.at] * rng.uniform(0.85, 1.15, len(blocks.at[0]))
    left_open = (rng.random(len(near)) < 0.18) & (near > 0.6 * theme.rim)
    free = free & (canvas.label != VEGETATIVE)
    core = (near < theme.core)[blocks.number] & free
    rim = ((near < theme.rim) & ~left_open)[blocks.number] & free & ~core & ~halls
    _build(canvas, "rim", SPARSE, rim, blocks, angle)
    _build(canvas, "core", DENSE, core, blocks, angle)
    canvas.paint(canvas.line(angle, v[centre], 1.0, 160) < 0.9, "asphalt")


def _networks(canvas: _Canvas, theme: SimpleNamespace) -> None:
    """Motorway and railway, which the reference has, and a country road, which it lacks."""

    def crossing(bends: float, wave: float) -> np.ndarray:
        offset = canvas.rng.uniform(-0.2, 0.2) * canvas.n
        return canvas.line(canvas.rng.uniform(0, np.pi), offset, bends, wave)

    canvas.paint(crossing(2, 120) < 0.7, "asphalt")
    if canvas.rng.random() < theme.rail:
        track, side = crossing(4, 260), 2.6 if theme.core < 20 else 4.2
        canvas.paint(track < side, "gravel", NETWORK)
        canvas.paint(track < side - 0.9, "ballast")
    if canvas.rng.random() < theme.motorway:
        lanes = crossing(5, 300)
        canvas.paint(lanes < 4.0, "pasture", NETWORK)
        canvas.paint((lanes < 3.0) & (lanes > 0.4), "asphalt")


def lay_out(rng: np.random.Generator, size: int, theme: str) -> Land:
    """Invent the land of a patch.

    Args:
        rng: of the patch.
        size: pixels along its side.
        theme: what it is made of, a name in `THEMES`.
    """
    canvas, made_of = _Canvas(rng, size), THEMES[theme]
    angle = rng.uniform(0, np.pi)
    _fields(canvas, made_of, angle)
    _forest(canvas, made_of)
    _groves(canvas, made_of)
    free = _water(canvas, made_of, angle + rng.normal(0, 0.3))
    if made_of.quarry:
        canvas.paint(canvas.spot(made_of.quarry), "gravel", MINERAL)
    for _ in range(max(1, round(canvas.scale)) if made_of.rim else 0):
        _settlement(canvas, made_of, free)
    _networks(canvas, made_of)
    relief = made_of.relief * (canvas.noise(70) + 0.3 * canvas.noise(30))
    return Land(canvas.label, canvas.surface, canvas.unit, canvas.height, relief)
