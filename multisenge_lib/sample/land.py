"""Invent the land of a patch: which surface and which class lies where, in cells of 5 m.

A theme (`themes.yaml`) says what a patch is made of. `lay_out` paints it in the order in which land
comes about, and each step covers what was there before:

1. fields: blocks cut into parcels, with one crop each; grassy balks and hedges between blocks;
2. forest, with stands of conifers and clearings; groves among the fields;
3. ponds, river, banks and wetlands; an open pit;
4. the settlement: halls, parks, houses with gardens, a dense core, the main road;
5. country road, railway and motorway.

The reference is painted at the same time. Where `paint` gets no label, the reference lacks what is
painted, as a real reference lacks hedges and small roads. All lengths are in metres.
"""

from typing import NamedTuple

import numpy as np

from multisenge_lib.sample.canvas import (
    ARABLE,
    DENSE,
    FOREST,
    GRASS,
    GROVE,
    MINERAL,
    NETWORK,
    ORCHARD,
    SPARSE,
    SPECIALISED,
    VEGETATIVE,
    VINEYARD,
    WATER,
    WETLAND,
    Blocks,
    Canvas,
)
from multisenge_lib.sample.draws import UNITS, unit_number
from multisenge_lib.sample.surfaces import SURFACE_NUMBER
from multisenge_lib.sample.themes import CROPS, FABRICS, THEMES, Theme

#: Share of the parcels of crops and grassland that the reference takes for the other.
WRONG_PARCELS = 0.03


class Land(NamedTuple):
    """A patch laid out; arrays `(cells, cells)`, the margin included."""

    label: np.ndarray  # class ids of the reference, 1 to 14
    surface: np.ndarray  # numbers of surfaces, see `SURFACE_NUMBER`
    unit: np.ndarray  # numbers of fields, lots and other units, 0 to `UNITS` - 1
    height: np.ndarray  # metres above the ground
    relief: np.ndarray  # height of the ground, relative


def _fields(canvas: Canvas, theme: Theme, angle: float) -> None:
    """Paint blocks of fields, each cut into parcels of arable land, vines, orchards or grass."""
    rng = canvas.rng
    blocks = canvas.blocks(theme.block, angle, jitter=0.22)
    count = len(blocks.centres[0])

    # Blocks of one kind lie together: blocks are ranked by smooth noise, and the ranks are cut
    # into the shares of the four kinds.
    similarity = canvas.noise(350)[blocks.centres] + 0.5 * rng.standard_normal(count)
    rank = (np.argsort(np.argsort(similarity)) + 0.5) / count
    kind_of_block = ARABLE + np.searchsorted(np.cumsum(theme.fields), rank)
    kind = kind_of_block[blocks.number]

    # Parcels run along or across the block, a little turned. One block in five has wide parcels.
    quarter_turn = rng.choice([0, np.pi / 2], count)
    direction = angle + quarter_turn + rng.normal(0, 0.12, count)
    widening = np.where(rng.random(count) < 0.2, 3, 1)
    width = theme.strip * rng.uniform(0.7, 1.6, count) * widening
    along, across = canvas.turned(direction[blocks.number])
    position = along / width[blocks.number]
    in_parcel = position % 1  # 0 to 1 across a parcel
    parcel = unit_number(blocks.number, np.floor(position))

    for label, crops in enumerate(CROPS.values(), start=ARABLE):
        canvas.paint(kind == label, canvas.draw_surfaces(crops)[parcel], label, parcel)

    # Vineyards have tracks: along each parcel, and one across them every 130 m.
    tracks = (kind == VINEYARD) & ((in_parcel < 0.1) | (across % 130 < 4.5))
    canvas.paint(tracks, canvas.draw_surfaces({"pasture": 0.5, "gravel": 0.5})[parcel])

    # Orchards have a row of trees every 13 m, with gaps, and none at the edge of a parcel.
    rows = (np.sin(2 * np.pi * along / 13) > -0.1) & (in_parcel > 0.12)
    gaps = rng.random(rows.shape) > 0.85
    canvas.paint((kind == ORCHARD) & rows & ~gaps, "orchard tree", height=4.0)

    # Some parcels changed between crops and grassland since the reference was made.
    wrong = canvas.draw_units(WRONG_PARCELS)[parcel]
    canvas.label[wrong & (kind == ARABLE)] = GRASS
    canvas.label[wrong & (kind == GRASS)] = ARABLE
    _borders(canvas, theme, blocks)


def _borders(canvas: Canvas, theme: Theme, blocks: Blocks) -> None:
    """Paint grassy balks between blocks, 6 m wide, and hedges, 11 m wide, on some of them."""
    canvas.paint(blocks.to_border < 3, "pasture")
    # A border is the unit that the two blocks beside it identify, whichever of them a cell is in.
    lower = np.minimum(blocks.number, blocks.neighbour)
    higher = np.maximum(blocks.number, blocks.neighbour)
    hedged = canvas.draw_units(theme.hedges)[unit_number(lower, higher)]
    gaps = canvas.rng.random(hedged.shape) < 0.25
    canvas.paint(hedged & (blocks.to_border < 5.5) & ~gaps, "broadleaf", height=6.0)


def _forest(canvas: Canvas, theme: Theme) -> None:
    """Paint forest with uneven edges, stands of conifers, and clearings the reference lacks."""
    suitability = canvas.noise(190) + 0.35 * canvas.noise(45) + 0.1 * canvas.noise(15)
    wood = suitability > np.quantile(suitability, 1 - theme.forest)
    stand_angle = canvas.rng.uniform(0, np.pi)
    stand = canvas.blocks(150, stand_angle, jitter=0.5).number % UNITS
    # Trees are 16 m high on average, 4 m more or less by stand, 1.5 m by tree.
    height = 16 + 4 * canvas.rng.standard_normal(UNITS)[stand]
    height = np.maximum(height + 1.5 * canvas.rng.standard_normal(wood.shape), 4)
    canvas.paint(wood, "broadleaf", FOREST, stand, height)
    # One stand in four is of conifers, with broadleaved trees between them.
    conifers = canvas.draw_units(0.25)[stand] & (canvas.noise(30) > -1.2)
    canvas.paint(wood & conifers, "conifer", height=height)
    clearings = canvas.noise(55) > 2.1
    canvas.paint(wood & clearings, "pasture")


def _groves(canvas: Canvas, theme: Theme) -> None:
    """Paint groves of 20 to 45 m among the fields; the reference has one in four of them."""
    for _ in range(round(theme.groves * canvas.area_ratio)):
        label = GROVE if canvas.rng.random() < 0.25 else None
        radius = canvas.rng.uniform(10, 22.5)
        canvas.paint(canvas.spot(radius), "broadleaf", label, height=9.0)


def _pond(canvas: Canvas, theme: Theme) -> None:
    """Paint a pond with reeds."""
    pond = canvas.spot(theme.pond * canvas.rng.uniform(0.8, 1.4))
    canvas.paint(pond, "water", WATER)
    canvas.paint(pond & (canvas.noise(40) > 1.1), "reed", WETLAND, height=2.0)


def _river(canvas: Canvas, theme: Theme, angle: float) -> None:
    """Paint a river with trees on its banks, in meadows and, outside cities, wetlands."""
    offset = canvas.rng.uniform(-0.25, 0.25) * canvas.width
    scale = canvas.settlement_scale
    to_middle = canvas.distance_to_line(angle, offset, bends=45 * scale, wavelength=450 * scale)
    to_water = to_middle + 3.5 * canvas.noise(35) - theme.river / 2
    canvas.paint(to_water < 1.7 * theme.river, "meadow", GRASS)
    if theme.core == 0:
        marsh = (to_water < 55) & (canvas.noise(80) > 0.6)
        canvas.paint(marsh, "reed", WETLAND, height=2.0)
    bank_trees = (to_water < 11) & (canvas.noise(25) > -0.2)
    canvas.paint(bank_trees, "broadleaf", height=10.0)
    canvas.paint(to_water < 0, "water", WATER)


def _build(
    canvas: Canvas, part: str, label: int, area: np.ndarray, blocks: Blocks, angle: float
) -> None:
    """Paint one part of a settlement: streets, and lots with a cover, trees and perhaps a roof."""
    rng = canvas.rng
    fabric = FABRICS[part]
    along, across = canvas.turned(angle)
    lot_width, lot_depth = fabric.lot
    column = along / lot_width
    row = across / lot_depth
    lot = unit_number(np.floor(column), np.floor(row))

    # The roof fills a corner of its lot, a part of its width and of its depth.
    roof_width, roof_depth = rng.uniform(*fabric.roof, (2, UNITS))
    under_roof = (column % 1 < roof_width[lot]) & (row % 1 < roof_depth[lot])
    roof = area & under_roof & canvas.draw_units(fabric.built)[lot]

    canvas.paint(area, canvas.draw_surfaces(fabric.cover)[lot], label, lot)
    trees = area & (rng.random(area.shape) < fabric.trees)
    canvas.paint(trees, "broadleaf", height=6.0)
    height = rng.uniform(*fabric.height, UNITS)[lot]
    canvas.paint(roof, canvas.draw_surfaces(fabric.roofs)[lot], None, lot, height)
    # Streets run between the blocks and are 7.5 m wide.
    canvas.paint(area & (blocks.to_border < 3.75), "asphalt")


def _greens(canvas: Canvas, count: int, area: np.ndarray, angle: float) -> None:
    """Paint sports grounds and parks with trees, rectangles of 60 to 150 m, inside an area."""
    along, across = canvas.turned(angle)
    rows, columns = np.nonzero(area)
    if len(rows) == 0:
        return
    for _ in range(count):
        chosen = canvas.rng.integers(len(rows))
        centre = rows[chosen], columns[chosen]
        half_width = canvas.rng.uniform(30, 50)
        half_length = canvas.rng.uniform(40, 75)
        inside = (np.abs(along - along[centre]) < half_width) & (
            np.abs(across - across[centre]) < half_length
        )
        unit = np.full_like(canvas.unit, chosen % UNITS)
        canvas.paint(area & inside, "lawn", VEGETATIVE, unit)
        # A park has trees on almost half of it, a sports ground on next to nothing.
        threshold = canvas.rng.choice([0.15, 2])
        trees = canvas.noise(20) > threshold
        canvas.paint(area & inside & trees, "broadleaf", height=11.0)


def _settlement(canvas: Canvas, theme: Theme, buildable: np.ndarray) -> None:
    """Paint a city, town, village or hamlet: halls, greens, houses, a core, the main road."""
    rng = canvas.rng
    angle = rng.uniform(0, np.pi)
    centre = tuple((canvas.side * rng.uniform(0.34, 0.66, 2)).astype(int))
    along, across = canvas.turned(angle)
    # Distance to the centre. Settlements are longer along their main road and have uneven edges.
    distance = np.hypot(
        (along - along[centre]) * 0.72,
        (across - across[centre]) * 1.25,
    )
    distance *= (1 + 0.13 * canvas.noise(120)) / canvas.settlement_scale

    # Whole blocks are industrial: some of those around the houses.
    blocks = canvas.blocks(FABRICS["halls"].street, angle, jitter=0.2)
    block_distance = distance[blocks.centres]
    around = (block_distance < theme.halls) & (block_distance > 0.8 * theme.rim)
    industrial = around & (rng.random(len(block_distance)) < 0.62)
    halls = industrial[blocks.number] & buildable
    _build(canvas, "halls", SPECIALISED, halls, blocks, angle)

    count = theme.greens * round(canvas.settlement_scale**2)
    _greens(canvas, count, buildable & (distance < 1.15 * theme.rim), angle)
    buildable = buildable & (canvas.label != VEGETATIVE)

    # The core and the rim are whole blocks too; some blocks towards the edge are not built on.
    blocks = canvas.blocks(FABRICS["rim"].street, angle, jitter=0.25)
    block_distance = distance[blocks.centres] * rng.uniform(0.85, 1.15, len(blocks.centres[0]))
    unbuilt = (rng.random(len(block_distance)) < 0.18) & (block_distance > 0.6 * theme.rim)
    in_rim = (block_distance < theme.rim) & ~unbuilt
    core = (block_distance < theme.core)[blocks.number] & buildable
    rim = in_rim[blocks.number] & buildable & ~core & ~halls
    _build(canvas, "rim", SPARSE, rim, blocks, angle)
    _build(canvas, "core", DENSE, core, blocks, angle)

    # The main road is 9 m wide and part of the settlement in the reference.
    to_road = canvas.distance_to_line(angle, across[centre], bends=5, wavelength=800)
    canvas.paint(to_road < 4.5, "asphalt")


def _distance_to_crossing(canvas: Canvas, bends: float, wavelength: float) -> np.ndarray:
    """Compute distances to a line that crosses the patch near its centre, in any direction."""
    offset = canvas.rng.uniform(-0.2, 0.2) * canvas.width
    angle = canvas.rng.uniform(0, np.pi)
    return canvas.distance_to_line(angle, offset, bends, wavelength)


def _roads_and_railways(canvas: Canvas, theme: Theme) -> None:
    """Paint a country road, which the reference lacks, and railway and motorway, which it has."""
    # Country road: 7 m wide.
    canvas.paint(_distance_to_crossing(canvas, bends=10, wavelength=600) < 3.5, "asphalt")
    if canvas.rng.random() < theme.rail:
        # Railway: 26 m wide with its banks, in cities 42 m, with more tracks.
        half_width = 21 if theme.core >= 100 else 13
        to_middle = _distance_to_crossing(canvas, bends=20, wavelength=1300)
        canvas.paint(to_middle < half_width, "gravel", NETWORK)
        canvas.paint(to_middle < half_width - 4.5, "ballast")
    if canvas.rng.random() < theme.motorway:
        # Motorway: 40 m wide with its verges; two carriageways of 13 m and a strip between them.
        to_middle = _distance_to_crossing(canvas, bends=25, wavelength=1500)
        canvas.paint(to_middle < 20, "pasture", NETWORK)
        canvas.paint((to_middle < 15) & (to_middle > 2), "asphalt")


def lay_out(rng: np.random.Generator, pixels: int, theme_name: str) -> Land:
    """Invent the land of a patch.

    Args:
        rng: the generator of the patch.
        pixels: along a side of the patch.
        theme_name: what the patch is made of, a name in `THEMES`.
    """
    canvas = Canvas(rng, pixels)
    theme = THEMES[theme_name]
    angle = rng.uniform(0, np.pi)
    _fields(canvas, theme, angle)
    if theme.forest:
        _forest(canvas, theme)
    _groves(canvas, theme)
    if theme.pond:
        _pond(canvas, theme)
    if theme.river:
        # Rivers run roughly along the fields.
        _river(canvas, theme, angle + rng.normal(0, 0.3))
    if theme.quarry:
        canvas.paint(canvas.spot(theme.quarry), "gravel", MINERAL)
    if theme.rim:
        buildable = canvas.surface != SURFACE_NUMBER["water"]
        for _ in range(max(1, round(canvas.settlement_scale))):
            _settlement(canvas, theme, buildable)
    _roads_and_railways(canvas, theme)
    relief = theme.relief * (canvas.noise(350) + 0.3 * canvas.noise(150))
    return Land(canvas.label, canvas.surface, canvas.unit, canvas.height, relief)
