"""Random draws that are the same on every machine and do not depend on what was drawn before."""

import zlib

import numpy as np

#: Each patch has a table of this many random rows, one per unit (a field, a lot, a stand of trees).
#: Unit numbers are taken modulo this, so two units far apart may share a row, which nobody sees.
UNITS = 4096

# About `UNITS` divided by the golden ratio. With this factor, two units that share a row lie at
# least 58 steps apart in the plane of their two numbers, so neighbouring fields are never alike.
_GOLDEN_STEP = 2533

# The nodes of smooth noise have unit variance. Interpolating with quadratic splines averages nearby
# nodes, which leaves a standard deviation of about 0.55.
_SPLINE_DEVIATION = 0.55


def generator(seed: int, *names: object) -> np.random.Generator:
    """Make a random generator that depends on the seed and on these names alone.

    Each patch and each image has its own generator, so the sample's files can be written in any
    order, or some of them only, and hold the same bytes.
    """
    text = " ".join(str(name) for name in names)
    key = zlib.crc32(text.encode())
    return np.random.Generator(np.random.PCG64([seed, key]))


def unit_number(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Number the units that a pair of whole numbers identifies, 0 to `UNITS` - 1.

    Args:
        first: for example the number of a block of fields.
        second: for example the number of a strip inside that block.
    """
    first = np.asarray(first).astype(np.int64)
    second = np.asarray(second).astype(np.int64)
    return (first * _GOLDEN_STEP + second) % UNITS


def smooth_noise(rng: np.random.Generator, side: int, scale: float) -> np.ndarray:
    """Draw smooth noise of about unit variance, whose hills and hollows are `scale` cells wide.

    Args:
        rng: the generator to draw from.
        side: cells along a side of the square that is returned.
        scale: distance between the random nodes, in cells.

    Returns:
        `(side, side) float64`.
    """
    # Two more nodes on each side, because a spline needs neighbours, and one for the random start.
    nodes_along_side = int(side / scale) + 5
    nodes = rng.standard_normal((nodes_along_side, nodes_along_side))
    start = 1 + rng.uniform()
    positions = start + np.arange(side) / scale
    rows = _interpolate(nodes, positions)
    return _interpolate(rows.T, positions).T / _SPLINE_DEVIATION


def _interpolate(nodes: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Interpolate nodes along the first axis with a quadratic spline.

    One axis after the other is several times as fast as `ndimage.map_coordinates`, which works
    cell by cell. A product of matrices would wait for threads.
    """
    nearest = np.floor(positions + 0.5).astype(int)
    offset = (positions - nearest)[:, None]
    values = (0.5 - offset) ** 2 / 2 * nodes[nearest - 1]
    values += (0.75 - offset**2) * nodes[nearest]
    values += (0.5 + offset) ** 2 / 2 * nodes[nearest + 1]
    return values
