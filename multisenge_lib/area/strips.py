"""Rows of patches, read from the parts of an acquisition, converted and put together.

Each part is converted by what its own files say, and each pixel is taken from one part, with all
its bands. So parts may be stored differently.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import combinations
from typing import NamedTuple

import numpy as np
from rasterio.crs import CRS
from rasterio.features import geometry_mask
from rasterio.windows import Window
from rasterio.windows import transform as window_transform

from multisenge_lib.area.acquisitions import Acquisition, both_give
from multisenge_lib.area.band_source import placement_of
from multisenge_lib.area.open_bands import OpenBand, bands_on_grid
from multisenge_lib.area.target_grid import TargetGrid, rows_of
from multisenge_lib.area.unit_checks import (
    check_backscatter,
    check_bands_alike,
    check_offset,
    check_reflectance,
    check_units,
    refuse_tiny_decibels,
)
from multisenge_lib.area.units import InputUnits, backscatter, offset_of, reflectance
from multisenge_lib.dataset import LEAST_FILL_PIXELS, LEAST_PIXELS, to_uint16
from multisenge_lib.errors import ImportAreaError

#: Pixels along a strip's height that the distribution of values is judged on.
_JUDGED_ROWS = 32
#: Share of their mean by which parts of one date may differ where they overlap. We assume that
#: neighbouring tiles, each corrected for its own atmosphere, differ by less than other processings.
_LARGEST_DEVIATION = 0.05
#: Reflectance x 10,000 by which they may differ in any case: on dark water this is a large share.
_SMALL_DIFFERENCE = 100
#: Bands of an image that must hold the same number; two of Sentinel-2 may do so by chance.
_LEAST_BANDS = {"s1": 2, "s2": 3}
#: Share of the pixels from which a number in all bands is reported.
_LEAST_FILL_SHARE = 0.005


class Strip(NamedTuple):
    """A row of patches of one acquisition, or of one part of it.

    Attributes:
        values: `(bands, height, width)` in the units of the layout, 0 for no data.
        missing: `(height, width) bool`, where there is no data.
        complete: `(height, width) bool`, where every band holds a signal. Other pixels that are
            not missing are dark in a band, or lie at the edge of its swath.
        empty_bands: for each band, whether it holds nothing here.
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
        rows: first row of the grid on which it shows ground, and the row after the last.
        crs: the projection that its first file is stored in; None where it is the only part.
        samples: of each strip that was read, thinned values `(bands, height, width)`.
        observed: how many pixels of these strips hold data.
        lowest: the least value of backscatter so far, with scale and offset tags applied;
            infinite before there is one.
        conversion_made_zero: whether a value that is not marked as no data became an intensity
            of 0.
        empty_bands: for each band, whether it held nothing in all strips so far.
        highest_stored: for each band of Sentinel-2, the highest stored number of `samples`.
        has_decimals: for each of them, whether some of these numbers are not whole.
        shared_numbers: how many pixels of `samples` hold a stored number in all bands.
        has_common_ground: whether all bands have shown one pixel in the strips so far.
    """

    names: Sequence[str]
    bands: Sequence[OpenBand]
    sensor: str
    units: InputUnits
    rows: tuple[int, int]
    crs: CRS | None = None
    samples: list[np.ndarray] = field(default_factory=list)
    observed: int = 0
    lowest: float = np.inf
    conversion_made_zero: bool = False
    empty_bands: np.ndarray | bool = True
    highest_stored: np.ndarray | float = -np.inf
    has_decimals: np.ndarray | bool = False
    shared_numbers: Counter[float] = field(default_factory=Counter)
    has_common_ground: bool = False

    @property
    def title(self) -> str:
        """What messages call this part: the name of its first file."""
        return self.bands[0].source.name

    @property
    def tagged(self) -> list[str]:
        """Names of the sources with scale or offset tags."""
        return [band.source.name for band in self.bands if band.encoding.has_tags]

    @property
    def storage(self) -> tuple:
        """How its bands are stored: their types, and what their files say of the values."""
        types = [band.raster.dtypes[band.source.index - 1] for band in self.bands]
        return tuple(types), tuple(band.encoding for band in self.bands)

    def reaches(self, window: Window) -> bool:
        """Whether it may show ground in a row of patches."""
        first, end = self.rows
        return first < window.row_off + window.height and window.row_off < end

    def read(self, window: Window) -> Strip:
        """Read and convert a row of patches.

        Raises:
            ImportAreaError: the values are none that the sensor can measure, in these units.
        """
        stored_by_band = [band.read(window) for band in self.bands]
        # Marks of no data are looked for in stored values, before conversion moves them.
        marked = np.array(
            [band.marked(stored) for band, stored in zip(self.bands, stored_by_band, strict=True)]
        )
        values = self._converted(stored_by_band, marked)
        missing = marked.any(axis=0) | _is_fill(stored_by_band, self.sensor)
        missing |= self._beyond_a_band(window)
        if self.sensor == "s1":
            # Backscatter is a power: 0 in one polarisation means that it was not observed.
            missing |= (values == 0).any(axis=0)
        values[:, missing] = 0  # before the checks, which judge what was observed
        if self.sensor == "s2":
            check_reflectance(values, stored_by_band, self.title, self.units)
            values = to_uint16(values)
            values[:, missing] = 0  # conversion made it 1, as all that is dark
        else:
            check_backscatter(values, stored_by_band, missing, self.title, self.units)

        holds_nothing = marked | self._no_signal(stored_by_band)
        observed_in_all_bands = ~holds_nothing.any(axis=0)
        strip = Strip(
            values=values,
            missing=missing,
            complete=~missing & observed_in_all_bands,
            empty_bands=holds_nothing.all(axis=(1, 2)),
        )
        self._remember(strip, stored_by_band, observed_in_all_bands)
        return strip

    def _converted(self, stored_by_band: Sequence[np.ndarray], marked: np.ndarray) -> np.ndarray:
        """Convert stored values to the units of the layout: `(bands, height, width) float32`."""
        convert = reflectance if self.sensor == "s2" else backscatter
        values = np.empty(marked.shape, np.float32)
        for i, (band, stored) in enumerate(zip(self.bands, stored_by_band, strict=True)):
            values[i] = convert(np.where(marked[i], 0, stored), band.encoding, self.units)
        return values

    def _beyond_a_band(self, window: Window) -> np.ndarray:
        """Find pixels that lie beyond the raster of one band: `(height, width) bool`.

        Bands are often clipped apart, and a band without a value there would pass for dark.
        """
        beyond = np.zeros((window.height, window.width), bool)
        outlines = {band.outline for band in self.bands}
        if len(outlines) > 1:
            place = window_transform(window, self.bands[0].raster.transform)
            for outline in outlines:
                polygon = {"type": "Polygon", "coordinates": [[*outline, outline[0]]]}
                beyond |= geometry_mask([polygon], beyond.shape, place)
        self.has_common_ground |= not beyond.all()
        return beyond

    def _no_signal(self, stored_by_band: Sequence[np.ndarray]) -> np.ndarray:
        """Find stored values without a signal, reflectance below 0 among them."""
        if self.sensor == "s2":
            return np.array([stored <= 0 for stored in stored_by_band])
        return np.array([stored == 0 for stored in stored_by_band])

    def _remember(
        self,
        strip: Strip,
        stored_by_band: Sequence[np.ndarray],
        observed_in_all_bands: np.ndarray,
    ) -> None:
        """Keep what `check_parts` judges when all strips were read."""
        if self.sensor == "s1" and not strip.missing.all():
            observed = ~strip.missing
            for band, stored in zip(self.bands, stored_by_band, strict=True):
                # A scale may be negative, so the least value can come from the greatest number.
                for number in (stored[observed].min(), stored[observed].max()):
                    value = float(number) * band.encoding.scale + band.encoding.offset
                    self.lowest = min(self.lowest, value)
        self.observed += int(np.count_nonzero(~strip.missing))
        step = max(1, strip.values.shape[1] // _JUDGED_ROWS)
        # A copy, since a view would keep all pixels of the strip in memory.
        self.samples.append(strip.values[:, ::step, ::step].copy())
        thinned = [stored[::step, ::step] for stored in stored_by_band]
        observed = ~strip.missing[::step, ::step]
        if self.sensor == "s2" and observed.any():
            numbers = np.array([stored[observed] for stored in thinned])
            self.highest_stored = np.maximum(self.highest_stored, numbers.max(axis=1))
            self.has_decimals = self.has_decimals | (numbers % 1 != 0).any(axis=1)
        is_shared = observed
        for stored in thinned[1:]:
            is_shared &= stored == thinned[0]
        self.shared_numbers.update(thinned[0][is_shared].tolist())
        self.conversion_made_zero |= bool((strip.missing & observed_in_all_bands).any())
        self.empty_bands = self.empty_bands & strip.empty_bands


def _is_fill(stored_by_band: Sequence[np.ndarray], sensor: str) -> np.ndarray:
    """Find pixels that hold one fill value in all bands: 0, or a negative reflectance.

    No tag names such a number. Reflectance that is below 0 and differs between
    bands is measured: noise around a dark pixel. Decibels are negative everywhere.

    Returns:
        `(height, width) bool`.
    """
    first = stored_by_band[0]
    is_fill = first <= 0 if sensor == "s2" else first == 0
    for stored in stored_by_band[1:]:
        is_fill &= stored == first
    return is_fill


@contextmanager
def open_parts(
    acquisition: Acquisition, bands: Sequence[str], grid: TargetGrid, units: InputUnits
) -> Iterator[list[PartReader]]:
    """Open these bands of the parts of an acquisition on the target grid."""
    sensor = acquisition.sensor
    parts = []
    with ExitStack() as stack:
        for part in acquisition.parts:
            sources = [part[band] for band in bands]
            opened = stack.enter_context(bands_on_grid(sources, sensor, grid, units))
            rows = (0, grid.height)
            crs = None
            if len(acquisition.parts) > 1:
                place = placement_of(sensor, part[bands[0]])
                rows = rows_of(place, grid)
                crs = place.stored_crs
            parts.append(PartReader(bands, opened, sensor, units, rows, crs))
        yield parts


def read_strips(parts: Sequence[PartReader], window: Window) -> dict[int, Strip]:
    """Read a row of patches of the parts that show ground there, by position among the parts."""
    strips = {
        position: part.read(window) for position, part in enumerate(parts) if part.reaches(window)
    }
    return strips or {0: parts[0].read(window)}


def check_parts(parts: Sequence[PartReader]) -> bool:
    """Refuse values of other units, after all strips were read.

    Parts that are stored alike are judged as one image, since one of them may be all lake or town.
    Parts that are stored differently are judged apart: one may have the wrong unit or offset.

    Returns:
        Whether reflectance seems to hold ESA's offset although nothing says so.

    Raises:
        ImportAreaError: it names the part that is refused alone too, if there is one.
    """
    # A part whose ground lies beyond all patches was not read.
    parts = [part for part in parts if part.samples]
    for part in parts:
        _check_common_ground(part)
    _check_no_band_is_empty(parts)
    stored_alike: dict[tuple, list[PartReader]] = {}
    for part in parts:
        stored_alike.setdefault(part.storage, []).append(part)
    brightened = False
    for alike in stored_alike.values():
        # The edge of a neighbouring tile, for instance, says nothing of its units.
        if len(stored_alike) > 1 and sum(part.observed for part in alike) < LEAST_PIXELS:
            continue
        if alike[0].sensor == "s2" and len(alike) > 1:
            brightened |= _check_offset_of_parts(alike)
        try:
            brightened |= _check_image(alike)
        except ImportAreaError:
            for part in alike:
                _check_image([part])
            raise
    return brightened


def suspected_fill(parts: Sequence[PartReader]) -> tuple[str, float, float] | None:
    """Find a stored number that all bands hold in many pixels, and that may be no data.

    Some providers write 1, 255 or -25 dB there, which are measurements elsewhere, and others cut
    off values at such a number. So nothing is refused; the user is told.

    Returns:
        The name of the part, the number, and the share of the pixels; or None.
    """
    for part in parts:
        pixels = sum(int(strip.any(axis=0).sum()) for strip in part.samples)
        if len(part.bands) < _LEAST_BANDS[part.sensor] or not part.shared_numbers:
            continue
        (number, count), *_ = part.shared_numbers.most_common(1)
        is_frequent = count >= max(LEAST_FILL_PIXELS, _LEAST_FILL_SHARE * pixels)
        is_most_of_shared = 2 * count > part.shared_numbers.total()
        if is_frequent and is_most_of_shared and count < pixels:
            return part.title, number, count / pixels
    return None


def _sample_of(parts: Sequence[PartReader]) -> np.ndarray:
    """Put the thinned values of parts together: `(bands, rows, width)`."""
    return np.concatenate([strip for part in parts for strip in part.samples], axis=1)


def _check_image(parts: Sequence[PartReader]) -> bool:
    """Judge parts as one image; as `check_parts`."""
    first = parts[0]
    lowest = min(part.lowest for part in parts)
    if np.isinf(lowest) and any(part.conversion_made_zero for part in parts):
        refuse_tiny_decibels(first.title, first.units)
    sample = _sample_of(parts)
    if first.sensor == "s2":
        _check_bands_alike(sample, parts)
    check_units(sample, first.sensor, first.names, first.title, lowest, first.units)
    if first.sensor == "s1":
        return False
    sources = [band.source for band in first.bands]
    offsets = [offset_of(band.encoding, first.units) for band in first.bands]
    return check_offset(sample, first.names, sources, offsets, first.units)


def _check_bands_alike(sample: np.ndarray, parts: Sequence[PartReader]) -> None:
    """Refuse a band in another unit than the bands beside it, but for bands that hold nothing."""
    first = parts[0]
    is_empty = np.all([part.empty_bands for part in parts], axis=0)
    judged = np.flatnonzero(~is_empty)
    bands = [first.bands[i] for i in judged]
    # A part of which nothing was observed holds one number for all bands.
    shape = (len(first.bands),)
    highest_stored = [np.broadcast_to(part.highest_stored, shape) for part in parts]
    has_decimals = [np.broadcast_to(part.has_decimals, shape) for part in parts]
    check_bands_alike(
        sample[judged],
        [first.names[i] for i in judged],
        [band.source for band in bands],
        np.max(highest_stored, axis=0)[judged],
        np.any(has_decimals, axis=0)[judged],
        [offset_of(band.encoding, first.units) for band in bands],
    )


def _check_offset_of_parts(parts: Sequence[PartReader]) -> bool:
    """Compare the offset of parts that are stored alike: one of them alone may hold another one.

    Returns:
        Whether some parts, and not all, seem to hold ESA's offset although nothing says so.

    Raises:
        ImportAreaError: the offset makes most of one part negative, and not of the others.
    """
    brightened = []
    for part in parts:
        sample = _sample_of([part])
        if np.count_nonzero(sample.any(axis=0)) < LEAST_PIXELS:
            continue
        sources = [band.source for band in part.bands]
        offsets = [offset_of(band.encoding, part.units) for band in part.bands]
        brightened.append(check_offset(sample, part.names, sources, offsets, part.units))
    return any(brightened) and not all(brightened)


def _check_common_ground(part: PartReader) -> None:
    """Refuse bands of one image of which no pixel is shown by all."""
    if part.has_common_ground:
        return
    first = part.bands[0]
    other = next(band for band in part.bands if band.outline != first.outline)
    raise ImportAreaError(
        f"{first.source.name} and {other.source.name} are bands of one image, whose bands have no "
        "ground in common: leave out the files of another place"
    )


def _check_no_band_is_empty(parts: Sequence[PartReader]) -> None:
    """Refuse a band that holds nothing in one part alone: its pixels would pass for dark."""
    empty = np.array([part.empty_bands for part in parts])  # (parts, bands)
    holds_data = ~empty.all(axis=1)
    lacks = empty & holds_data[:, None] & ~empty.all(axis=0)
    if lacks.any():
        number, band = np.argwhere(lacks)[0]
        part = parts[number]
        raise ImportAreaError(
            f"{part.bands[band].source.name} holds nothing in {part.names[band]}, and the files "
            "beside it do: fetch it again, or leave out the file or tile that lacks it"
        )


def join_strips(strips: Sequence[Strip]) -> Strip:
    """Put the same row of patches of several parts together; the first that holds a pixel counts.

    A pixel that is dark in a band may lie at the edge of a swath, so a part with a signal in all
    bands comes before it. Data that are missing in one part do not discard the pixel.
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
    Parts in one projection are compared pixel by pixel. Of parts in two UTM zones, one at least was
    resampled onto the grid, which smooths it. So their means are compared, one row of patches at a
    time.

    Args:
        sensor: `s1` or `s2`.
        bands: names of the bands.
        projections: of the parts, in their order.
    """

    def __init__(self, sensor: str, bands: Sequence[str], projections: Sequence[CRS | None]):
        self.bands = bands
        self.projections = projections
        self.tolerated = _SMALL_DIFFERENCE if sensor == "s2" else 0
        self.pixels: dict[tuple[int, int], int] = {}
        self.magnitude: dict[tuple[int, int], np.ndarray] = {}
        self.difference: dict[tuple[int, int], np.ndarray] = {}

    def add(self, strips: Mapping[int, Strip]) -> None:
        """Compare the same row of patches of several parts, by position among the parts."""
        for pair in combinations(strips, 2):
            one, other = (strips[position] for position in pair)
            both = one.complete & other.complete
            if not both.any():
                continue
            values = one.values[:, both].astype(np.float64)
            difference = other.values[:, both] - values
            if self._in_one_projection(pair):
                total_difference = np.abs(difference).sum(axis=1)
            else:
                total_difference = np.abs(difference.sum(axis=1))
            self.pixels[pair] = self.pixels.get(pair, 0) + int(both.sum())
            self.magnitude[pair] = self.magnitude.get(pair, 0) + values.sum(axis=1)
            self.difference[pair] = self.difference.get(pair, 0) + total_difference

    def _in_one_projection(self, pair: tuple[int, int]) -> bool:
        one, other = pair
        return self.projections[one] == self.projections[other]

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
