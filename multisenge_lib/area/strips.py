"""Rows of patches, read from the parts of an acquisition, converted and put together.

Each part is converted by what its own files say, and each pixel is taken from one part, with all
its bands. So parts may be stored differently.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import numpy as np
from rasterio.windows import Window

from multisenge_lib.area.acquisitions import Acquisition, both_give
from multisenge_lib.area.band_source import BandSource
from multisenge_lib.area.open_bands import OpenBand, open_band
from multisenge_lib.area.target_grid import TargetGrid
from multisenge_lib.area.unit_checks import (
    check_backscatter,
    check_decibels,
    check_offset,
    check_reflectance,
    check_units,
)
from multisenge_lib.area.units import InputUnits, backscatter, offset_of, reflectance
from multisenge_lib.dataset import to_uint16

#: Pixels along a strip's height that the distribution of values is judged on.
_JUDGED_ROWS = 32
#: Share of their mean by which parts of one date may differ where they overlap. We assume that
#: neighbouring tiles, each corrected for its own atmosphere, differ by less than other processings.
_LARGEST_DEVIATION = 0.05
#: Reflectance x 10,000 by which they may differ in any case: on dark water this is a large share.
_SMALL_DIFFERENCE = 100


class Strip(NamedTuple):
    """A row of patches of one acquisition, or of one part of it.

    Attributes:
        values: `(bands, height, width)` in the units of the layout, 0 for no data.
        missing: `(height, width) bool`, where there is no data.
        complete: `(height, width) bool`, where every band holds a signal. Other pixels that are
            not missing are dark in a band, or lie at the edge of its swath.
        empty_bands: for each band, whether it holds nothing here where others do.
    """

    values: np.ndarray
    missing: np.ndarray
    complete: np.ndarray
    empty_bands: np.ndarray


@dataclass
class PartReader:
    """One part of an acquisition while it is read, and what its values looked like.

    Attributes:
        names: names of the bands.
        bands: the bands, on the target grid.
        sensor: `s1` or `s2`.
        units: what the user says of the stored values.
        samples: of each strip that was read, thinned values `(bands, height, width)`.
        lowest: the least stored value of backscatter so far; infinite before there is one.
        vanished: whether a value that is not marked as no data became an intensity of 0.
    """

    names: Sequence[str]
    bands: Sequence[OpenBand]
    sensor: str
    units: InputUnits
    samples: list[np.ndarray]
    lowest: float = np.inf
    vanished: bool = False

    @property
    def title(self) -> str:
        """What messages call this part: the name of its first file."""
        return self.bands[0].source.name

    @property
    def tagged(self) -> list[str]:
        """Names of the sources with scale or offset tags."""
        return [band.source.name for band in self.bands if band.encoding.has_tags]

    def read(self, window: Window) -> Strip:
        """Read and convert a row of patches.

        Raises:
            ImportAreaError: the values are none that the sensor can measure, in these units.
        """
        stored_by_band = [band.read(window) for band in self.bands]
        convert = reflectance if self.sensor == "s2" else backscatter
        shape = len(self.bands), *stored_by_band[0].shape
        marked = np.zeros(shape, bool)
        no_signal = np.zeros(shape, bool)
        values = np.empty(shape, np.float32)
        # Marks of no data are looked for in stored values, before conversion moves them.
        for i, (band, stored) in enumerate(zip(self.bands, stored_by_band, strict=True)):
            marked[i] = band.marked(stored)
            # Reflectance below 0 in all bands is a fill value that we do not know.
            no_signal[i] = stored <= 0 if self.sensor == "s2" else stored == 0
            values[i] = convert(np.where(marked[i], 0, stored), band.encoding, self.units)

        missing = marked.any(axis=0) | no_signal.all(axis=0)
        if self.sensor == "s1":
            # Backscatter is a power: 0 in one polarisation means that it was not observed.
            missing |= (values == 0).any(axis=0)
        values[:, missing] = 0
        if self.sensor == "s2":
            check_reflectance(values, stored_by_band, self.title)
            values = to_uint16(values)
            values[:, missing] = 0  # conversion makes it 1, as all that is dark
        else:
            check_backscatter(values, stored_by_band, missing, self.title)
            if not missing.all():
                lowest = min(float(stored[~missing].min()) for stored in stored_by_band)
                self.lowest = min(self.lowest, lowest)
        step = max(1, window.height // _JUDGED_ROWS)
        self.samples.append(values[:, ::step, ::step])
        holds_nothing = marked | no_signal
        holds_all = ~holds_nothing.any(axis=0)
        self.vanished |= bool((missing & holds_all).any())
        return Strip(
            values=values,
            missing=missing,
            complete=~missing & holds_all,
            empty_bands=holds_nothing.all(axis=(1, 2)),
        )

    def check_units(self) -> None:
        """Refuse values of other units, after all strips were read.

        Raises:
            ImportAreaError: as `unit_checks.check_units` and `unit_checks.check_decibels`.
        """
        if self.vanished and np.isinf(self.lowest):
            check_decibels(self.title, self.units)
        sample = np.concatenate(self.samples, axis=1)
        check_units(sample, self.sensor, self.names, self.title, self.lowest, self.units)

    def check_offset(self) -> bool:
        """Whether reflectance seems to hold ESA's offset although nothing says so.

        Raises:
            ImportAreaError: as `unit_checks.check_offset`.
        """
        if self.sensor == "s1":
            return False
        sample = np.concatenate(self.samples, axis=1)
        sources = [band.source for band in self.bands]
        offsets = [offset_of(band.encoding, self.units) for band in self.bands]
        return check_offset(sample, self.names, sources, offsets, self.units)


@contextmanager
def open_part(
    part: Mapping[str, BandSource],
    bands: Sequence[str],
    sensor: str,
    grid: TargetGrid,
    units: InputUnits,
) -> Iterator[PartReader]:
    """Open these bands of one part of an acquisition on the target grid."""
    with ExitStack() as stack:
        opened = [stack.enter_context(open_band(part[band], sensor, grid, units)) for band in bands]
        yield PartReader(bands, opened, sensor, units, samples=[])


def join_strips(strips: Sequence[Strip]) -> Strip:
    """Put the same row of patches of several parts together; the first that holds a pixel counts.

    A pixel that is dark in a band may lie at the edge of a swath, so a part with a signal in all
    bands comes before it. A part without data there is no reason to give the pixel up.
    """
    joined = strips[0]
    for other in strips[1:]:
        fills = joined.missing & ~other.missing
        completes = ~joined.complete & other.complete
        is_better = fills | completes
        joined = Strip(
            values=np.where(is_better, other.values, joined.values),
            missing=joined.missing & other.missing,
            complete=joined.complete | other.complete,
            empty_bands=joined.empty_bands & other.empty_bands,
        )
    return joined


class Overlaps:
    """How well the parts of an acquisition agree where they overlap, in the values of the layout.

    Stored values would not do: the share by which they differ depends on the unit and the offset.
    """

    def __init__(self, sensor: str, bands: Sequence[str]):
        self.bands = bands
        self.tolerated = _SMALL_DIFFERENCE if sensor == "s2" else 0
        self.pixels: dict[tuple[int, int], int] = {}
        self.magnitude: dict[tuple[int, int], np.ndarray] = {}
        self.difference: dict[tuple[int, int], np.ndarray] = {}

    def add(self, strips: Sequence[Strip]) -> None:
        """Compare the same row of patches of all parts."""
        for pair in combinations(range(len(strips)), 2):
            one, other = (strips[position] for position in pair)
            both = one.complete & other.complete
            if not both.any():
                continue
            values = one.values[:, both].astype(np.float64)
            difference = np.abs(other.values[:, both] - values)
            self.pixels[pair] = self.pixels.get(pair, 0) + int(both.sum())
            self.magnitude[pair] = self.magnitude.get(pair, 0) + values.sum(axis=1)
            self.difference[pair] = self.difference.get(pair, 0) + difference.sum(axis=1)

    def check(self, acquisition: Acquisition) -> None:
        """Refuse parts that differ, after all strips were compared.

        Raises:
            ImportAreaError: which of them is right is in doubt.
        """
        for pair, pixels in self.pixels.items():
            # Complete pixels hold no 0, so the mean is not 0 either.
            deviation = self.difference[pair] / self.magnitude[pair]
            is_small = self.difference[pair] <= self.tolerated * pixels
            deviation[is_small] = 0
            worst = int(deviation.argmax())
            if deviation[worst] > _LARGEST_DEVIATION:
                band = self.bands[worst]
                one, other = (acquisition.parts[position][band] for position in pair)
                problem = f"and differ by {deviation[worst]:.0%} where they overlap"
                raise both_give(one, other, band, acquisition.day, problem)
