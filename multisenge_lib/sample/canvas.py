"""A canvas on which the land of a patch is painted, in cells of 5 m; all lengths are in metres."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from scipy.spatial import cKDTree

from multisenge_lib.sample.draws import UNITS, smooth_noise
from multisenge_lib.sample.surfaces import SURFACE_NUMBER

#: Side of a cell, in metres. A pixel of 10 m sees several cells, so that borders are mixed pixels.
CELL = 5
CELLS_PER_PIXEL = 2
#: Cells around the patch that are laid out, and cut off after everything is blurred to pixels.
MARGIN = 10
#: The patch size, in pixels, for which the lengths and numbers of `themes.yaml` are meant.
THEME_PIXELS = 64

# fmt: off
#: The classes of the reference, numbered as in MultiSenGE (Table 2 of the paper).
(DENSE, SPARSE, SPECIALISED, VEGETATIVE, NETWORK, ARABLE, VINEYARD, ORCHARD, GRASS, GROVE, FOREST,
 MINERAL, WETLAND, WATER) = range(1, 15)
# fmt: on


class Blocks(NamedTuple):
    """The plane cut into blocks; arrays `(cells, cells)`, except `centres`."""

    number: np.ndarray  # number of the block in which each cell lies
    neighbour: np.ndarray  # number of the nearest other block
    to_border: np.ndarray  # distance to the border between the two, metres
    centres: tuple[np.ndarray, np.ndarray]  # row and column of each block's centre, on the canvas


class Canvas:
    """The land while it is laid out: what is painted later covers what was there.

    Attributes:
        rng: the generator of the patch.
        side: cells along a side, the margin included.
        width: the same in metres.
        area_ratio: area of the patch, relative to a patch of `THEME_PIXELS`.
        settlement_scale: how much wider settlements are than the theme says. A patch four times as
            wide has settlements twice as wide, and two of them.
        label: class of the reference in each cell, 1 to 14.
        surface: number of the surface in each cell, see `SURFACE_NUMBER`.
        unit: number of the field, lot or stand in each cell, 0 to `UNITS` - 1.
        height: metres above the ground.
    """

    def __init__(self, rng: np.random.Generator, pixels: int):
        self.rng = rng
        self.side = CELLS_PER_PIXEL * pixels + 2 * MARGIN
        self.width = self.side * CELL
        self.area_ratio = (pixels / THEME_PIXELS) ** 2
        self.settlement_scale = (pixels / THEME_PIXELS) ** 0.5
        rows, columns = np.mgrid[: self.side, : self.side]
        # Metres from the upper left corner, to the south and to the east.
        self.south = rows * float(CELL)
        self.east = columns * float(CELL)
        shape = (self.side, self.side)
        self.label = np.full(shape, GRASS, np.uint8)
        self.surface = np.full(shape, SURFACE_NUMBER["meadow"], np.uint8)
        self.unit = np.zeros(shape, np.int64)
        self.height = np.zeros(shape)

    def paint(
        self,
        mask: np.ndarray,
        surface: np.ndarray | str,
        label: int | None = None,
        unit: np.ndarray | None = None,
        height: np.ndarray | float = 0.0,
    ) -> None:
        """Cover the cells of a mask with a surface.

        Args:
            mask: the cells to cover, `(cells, cells) bool`.
            surface: the name of one surface, or the number of a surface for each cell.
            label: their class in the reference. None leaves it: the reference lacks what is
                painted.
            unit: the unit of each cell. None leaves it.
            height: metres above the ground, one value or one for each cell.
        """
        if isinstance(surface, str):
            self.surface[mask] = SURFACE_NUMBER[surface]
        else:
            self.surface[mask] = surface[mask]
        if isinstance(height, np.ndarray):
            self.height[mask] = height[mask]
        else:
            self.height[mask] = height
        if label is not None:
            self.label[mask] = label
        if unit is not None:
            self.unit[mask] = unit[mask]

    def noise(self, scale: float) -> np.ndarray:
        """Draw smooth noise of unit variance with hills `scale` metres wide: `(side, side)`."""
        return smooth_noise(self.rng, self.side, scale / CELL)

    def draw_surfaces(self, shares: Mapping[str, float]) -> np.ndarray:
        """Draw the number of a surface for each unit, with these shares: `(UNITS,)`."""
        numbers = [SURFACE_NUMBER[name] for name in shares]
        return self.rng.choice(numbers, UNITS, p=list(shares.values()))

    def draw_units(self, share: float) -> np.ndarray:
        """Draw which units belong to a share of all units: `(UNITS,) bool`."""
        return self.rng.random(UNITS) < share

    def turned(self, angle: float | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Compute coordinates along and across a direction, in metres from the centre.

        Each is `(side, side)`; the direction is in radians, one for all cells or one per cell.
        """
        south = self.south - self.width / 2
        east = self.east - self.width / 2
        along = east * np.cos(angle) + south * np.sin(angle)
        across = south * np.cos(angle) - east * np.sin(angle)
        return along, across

    def blocks(self, spacing: float, angle: float, jitter: float) -> Blocks:
        """Cut the plane into blocks, the Voronoi cells of a turned lattice with moved points.

        Args:
            spacing: distance between the lattice points, metres.
            angle: direction of the lattice, radians.
            jitter: how far a point is moved at most, relative to the spacing.
        """
        # Three quarters of the width to each side cover the canvas however the lattice is turned.
        reach = 0.75 * self.width + spacing
        ticks = np.arange(-reach, reach, spacing)
        lattice = np.stack(np.meshgrid(ticks, ticks), axis=-1).reshape(-1, 2)
        lattice += self.rng.uniform(-jitter, jitter, lattice.shape) * spacing
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        points = lattice @ turn.T + self.width / 2
        positions = np.stack([self.south, self.east], axis=-1)
        # This search takes half of the time of laying out a patch; workers=-1 uses all cores.
        distance, nearest = cKDTree(points).query(positions, k=2, workers=-1)
        centres = np.clip(points / CELL, 0, self.side - 1).astype(int)
        return Blocks(
            number=nearest[..., 0],
            neighbour=nearest[..., 1],
            to_border=(distance[..., 1] - distance[..., 0]) / 2,
            centres=(centres[:, 0], centres[:, 1]),
        )

    def distance_to_line(
        self, angle: float, offset: float, bends: float, wavelength: float
    ) -> np.ndarray:
        """Compute each cell's distance to a line that winds across the patch.

        It is `(side, side)`, in metres.

        The line is the sum of three sine waves, the second and third shorter and flatter.

        Args:
            angle: its direction, radians.
            offset: its distance from the centre of the canvas, metres.
            bends: amplitude of the longest wave, metres.
            wavelength: of the longest wave, metres.
        """
        along, across = self.turned(angle)
        course = np.full_like(along, offset)
        slope = np.zeros_like(along)
        for part in (1.0, 0.45, 0.25):
            frequency = 2 * np.pi / (1.3 * wavelength * part)
            phase = self.rng.uniform(0, 2 * np.pi)
            course += bends * part * np.sin(frequency * along + phase)
            slope += bends * part * frequency * np.cos(frequency * along + phase)
        # The offset across the direction is longer than the distance where the line is steep.
        return np.abs(across - course) / np.sqrt(1 + slope**2)

    def spot(self, radius: float) -> np.ndarray:
        """Draw a roundish spot of this radius, in metres, somewhere on the patch.

        It is `(side, side) bool`.
        """
        margin = MARGIN * CELL
        south, east = self.rng.uniform(margin, self.width - margin, 2)
        stretch = self.rng.uniform(0.7, 1.4)
        distance = np.hypot((self.south - south) * stretch, (self.east - east) / stretch)
        uneven = 1 + 0.25 * self.noise(max(15.0, radius))
        return distance * uneven < radius
