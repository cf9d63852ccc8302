"""From images as they are to patches of the layout: grid, units, no data, names, files.

Pixels of 10 m on the grid of the Sentinel-2 tiles; reflectance x 10,000, linear backscatter, 0 for
no data. Files are read in strips as high as a patch, so their size needs no memory; of a cube all
bands of a date are held.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from rasterio.dtypes import in_dtype_range
from rasterio.enums import Resampling
from rasterio.errors import RasterioError
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window

from multisenge_lib.area.acquisitions import Acquisition, BandSource
from multisenge_lib.area.target_grid import (
    TargetGrid,
    lies_on_grid,
    patch_name,
    utm_zone,
    without_jump,
)
from multisenge_lib.dataset import (
    LABELS,
    PIXEL,
    THEIA_NO_DATA,
    alpha_bands,
    apply_tags,
    band_order_problem,
    fill_value,
    implausible_image,
    impossible_values,
    is_tagged,
    label_bytes,
    looks_brightened,
    looks_cut_off,
    looks_like_amplitude,
    raster_bytes,
    raster_path,
    to_uint16,
    type_problem,
    unlikely_values,
)
from multisenge_lib.errors import ImportAreaError, MultiSenGEError

S1Unit = Literal["linear", "db", "dn"]
#: Reflectance x 10,000 that no processor writes for ground: dark pixels are some hundreds below 0
#: at most, and 1000 is subtracted from products with an offset.
_LOWEST_REFLECTANCE = -3000
#: Providers use the largest 16-bit value for no data.
_LARGEST_UINT16 = np.iinfo(np.uint16).max
#: Values that mark no data in signed reflectance, with a tag or without: MAJA's, which THEIA uses,
#: HLS' and the smallest 16-bit value.
_SIGNED_FILL = (THEIA_NO_DATA, -9999, -32768)
#: Share of a patch's pixels that must hold data, for a date to be one of the patch.
_LEAST_COVER = 0.5
#: Pixels along a strip's height that the distribution of values is judged on.
_JUDGED_ROWS = 32
#: Finer than this share of 10 m, pixels are averaged; 10 m with rounding errors are not.
_FINER = 0.99


@dataclass(frozen=True)
class InputUnits:
    """How stored values become those of the layout.

    Attributes:
        s1: `linear`, `db`, or `dn`, digital numbers n that mean 20 log10(n) - 83 decibel; None
            where it is not known: linear, refused where the values contradict it.
        s2_scale: what reflectance is multiplied with, 10,000 where it is from 0 to 1. By default
            as scale tags say, else 1.
        s2_offset: what is added before. By default as the product's processing baseline or offset
            tags say, else 0.
        no_data: a value that means no data in images, where they carry no tag.
    """

    s1: S1Unit | None = None
    s2_scale: float | None = None
    s2_offset: float | None = None
    no_data: float | None = None


@dataclass(frozen=True)
class OpenBand:
    """A band as if it lay on the target grid, and what its stored values mean.

    Attributes:
        source: where it comes from.
        raster: on the target grid.
        no_data: stored values that mean no data, NaN possibly among them.
        scale: value of the scale tag, else 1.
        offset: value of the offset tag, else 0.
    """

    source: BandSource
    raster: WarpedVRT
    no_data: tuple[float, ...]
    scale: float
    offset: float

    @property
    def has_tags(self) -> bool:
        """Whether scale or offset tags change its values."""
        return is_tagged([self.scale], [self.offset])

    def read(self, window: Window) -> np.ndarray:
        """Stored values of a window: `(height, width)`."""
        try:
            return self.raster.read(self.source.index, window=window)
        except (RasterioError, OSError) as error:
            cause = error.__cause__ or error
            raise ImportAreaError(
                f"{self.source.name} cannot be read ({cause}): it is cut short or damaged, fetch "
                "it again"
            ) from None

    def marked(self, stored: np.ndarray) -> np.ndarray:
        """Where stored values say no data by themselves: `(height, width) bool`."""
        marked = np.zeros(stored.shape, bool)
        for value in self.no_data:
            if value == 0:
                continue  # 0 in some bands alone is dark, not missing
            marked |= np.isnan(stored) if np.isnan(value) else stored == value
        if stored.dtype.kind == "f":
            marked |= ~np.isfinite(stored)
        return marked


def _fill_value(raster: Any, source: BandSource, sensor: str, units: InputUnits) -> float:
    """What is no data in a band without a tag, so that resampling mixes it into no neighbour.

    In this order: what the user says; a usual value that the band holds; 0, which lies around
    ESA's products.
    """
    dtype = raster.dtypes[source.index - 1]
    if units.no_data is not None and in_dtype_range(units.no_data, dtype):
        return units.no_data
    if dtype == "uint16":
        candidates = (_LARGEST_UINT16,)
    elif sensor == "s2" and np.dtype(dtype).kind in "if":
        candidates = _SIGNED_FILL
    else:
        return 0
    for _, window in raster.block_windows(source.index):
        block = raster.read(source.index, window=window)
        for candidate in candidates:
            if (block == candidate).any():
                return candidate
    return 0


def _resampling(raster: Any, grid: TargetGrid) -> Resampling:
    """Nearest on the grid itself, mean of finer pixels, bilinear between coarser ones."""
    if lies_on_grid(raster.transform, raster.crs, grid.crs):
        return Resampling.nearest
    zone = utm_zone(raster.crs)
    in_metres = zone is not None and zone[0] == utm_zone(grid.crs)[0]
    # Bilinear looks at four neighbours only, and would leave out most of the finer pixels.
    if in_metres and raster.res[0] < _FINER * PIXEL:
        return Resampling.average
    return Resampling.bilinear


@contextmanager
def warped(raster: Any, grid: TargetGrid, **options: Any) -> Iterator[WarpedVRT]:
    """Open a raster as if it lay on a grid; options go to rasterio's `WarpedVRT`."""
    place = {
        "crs": grid.crs,
        "transform": grid.transform,
        "width": grid.width,
        "height": grid.height,
    }
    crs, transform = without_jump(raster.crs, raster.transform, raster.width)
    if crs != raster.crs:
        options |= {"src_crs": crs, "src_transform": transform}
    alpha = alpha_bands(raster)
    if alpha:
        options["src_alpha"] = alpha[0]  # what it hides becomes no data
    with WarpedVRT(raster, **place, **options) as on_grid:
        yield on_grid


@contextmanager
def open_band(
    source: BandSource, sensor: str, grid: TargetGrid, units: InputUnits
) -> Iterator[OpenBand]:
    """Open a band of an image on the target grid.

    Raises:
        ImportAreaError: it cannot be opened, or is of a type that no image has.
    """
    position = source.index - 1
    with ExitStack() as stack:
        try:
            raster = stack.enter_context(source.open())
            if raster.crs is None:
                raster = stack.enter_context(WarpedVRT(raster, src_crs=source.crs, crs=source.crs))
            problem = type_problem([raster.dtypes[position]], sensor)
            if problem is not None:
                raise ImportAreaError(f"{source.name} {problem}")
            resampling = _resampling(raster, grid)
            tag = raster.nodatavals[position]
            fill = tag
            if tag is None and resampling == Resampling.nearest:
                fill = 0  # nothing is mixed, so no value needs to be looked for
            elif tag is None:
                fill = _fill_value(raster, source, sensor, units)
            on_grid = stack.enter_context(
                warped(raster, grid, resampling=resampling, src_nodata=fill, nodata=fill)
            )
        except MultiSenGEError:
            raise
        except (RasterioError, OSError, ValueError) as error:
            raise ImportAreaError(f"{source.name} cannot be read: {error}") from None
        dtype = np.dtype(raster.dtypes[position])
        # Nearest leaves every stored value as it is, so marks are still there to be found.
        no_data = {fill}
        if units.no_data is not None:
            no_data.add(units.no_data)
        if dtype == np.uint16:
            no_data.add(_LARGEST_UINT16)
        if sensor == "s2" and dtype.kind in "if":
            no_data.update(_SIGNED_FILL)
        scale = raster.scales[position]
        offset = raster.offsets[position]
        yield OpenBand(source, on_grid, tuple(no_data), scale, offset)


def reflectance(stored: np.ndarray, band: OpenBand, units: InputUnits) -> np.ndarray:
    """Reflectance x 10,000 as `float32`, of stored values `(height, width)`.

    What the user says counts before tags, and tags before the processing baseline. A scale tag
    alone says nothing of the offset, so the baseline's is added then.
    """
    if units.s2_scale is not None or units.s2_offset is not None:
        scale = 1 if units.s2_scale is None else units.s2_scale
        offset = units.s2_offset or 0
        return (stored.astype(np.float32) + offset) * scale
    values = stored.astype(np.float32)
    if band.has_tags:
        values = apply_tags(stored[None], "s2", [band.scale], [band.offset])[0]
    if band.source.baseline is not None and band.offset == 0:
        values = values + np.float32(band.source.baseline.offset)
    return values


def offset_of(band: OpenBand, units: InputUnits) -> float:
    """What `reflectance` adds to the stored values of a band, in their own unit."""
    if units.s2_scale is not None or units.s2_offset is not None:
        return units.s2_offset or 0
    baseline = band.source.baseline
    if band.offset == 0 and baseline is not None:
        return baseline.offset
    return band.offset


def backscatter(stored: np.ndarray, band: OpenBand, units: InputUnits) -> np.ndarray:
    """Linear intensity as `float32`, of stored values `(height, width)`."""
    values = stored.astype(np.float64)
    if band.has_tags:
        values = values * band.scale + band.offset
    with np.errstate(over="ignore", invalid="ignore"):  # what overflows is refused afterwards
        if units.s1 == "db":
            values = 10 ** (values / 10)
        elif units.s1 == "dn":
            values = values**2 * 10**-8.3
        return values.astype(np.float32)


class Strip(NamedTuple):
    """A row of patches of one acquisition.

    Attributes:
        row: row of its first pixels in the grid.
        values: `(bands, height, width)` in the units of the layout, 0 for no data.
        missing: `(height, width) bool`, where there is no data.
        empty_bands: for each band, whether it holds nothing here where others do.
        lowest: the least stored value of backscatter; infinite where all is missing.
    """

    row: int
    values: np.ndarray
    missing: np.ndarray
    empty_bands: np.ndarray
    lowest: float


@dataclass
class AcquisitionSummary:
    """What cutting one acquisition showed.

    Attributes:
        missing: share of the pixels without data.
        empty_bands: names of bands that hold nothing.
        all_empty: whether these are all bands.
        tagged: names of sources whose scale and offset tags were applied.
        overruled: names of sources whose tags count less than what the user says.
        brightened: whether reflectance seems to hold ESA's offset, although no name says so.
    """

    missing: float
    empty_bands: list[str]
    all_empty: bool
    tagged: list[str] = field(default_factory=list)
    overruled: list[str] = field(default_factory=list)
    brightened: bool = False

    def notices(self, title: str) -> list[str]:
        """Sentences on what is missing; `title` names the acquisition."""
        if self.missing == 1 and self.empty_bands and not self.all_empty:
            bands = ", ".join(self.empty_bands)
            return [f"{title} is left out: {bands} holds no data anywhere"]
        if self.missing == 1:
            return [f"{title} is no data everywhere and is left out"]
        if self.missing >= 0.005:
            return [f"{title}: {self.missing:.0%} of the pixels are no data"]
        return []


class PatchWriter:
    """Cuts one acquisition after the other into patches below a folder, and keeps the dates."""

    def __init__(self, folder: Path, grid: TargetGrid, size: int, units: InputUnits):
        self.folder = folder
        self.grid = grid
        self.size = size
        self.units = units
        self.rows = range(0, grid.height - size + 1, size)
        self.columns = range(0, grid.width - size + 1, size)
        self.dates: dict[str, dict[str, list]] = {}
        self.classes: dict[str, list[int]] = {}
        self.too_little_data = 0

    def write_acquisition(
        self, acquisition: Acquisition, bands: Sequence[str]
    ) -> AcquisitionSummary:
        """Write the patches of one acquisition.

        Where it covers less than half of a patch, the patch has no such date; `too_little_data`
        counts these.

        Raises:
            ImportAreaError: its values or bands contradict the unit or the names given for them.
        """
        sources = [acquisition.bands[band] for band in bands]
        title = sources[0].name
        used_width = self.columns[-1] + self.size
        step = max(1, self.size // _JUDGED_ROWS)
        missing_shares = []
        samples = []
        empty_bands = np.ones(len(bands), bool)
        lowest = np.inf
        with ExitStack() as stack:
            opened = [
                stack.enter_context(open_band(source, acquisition.sensor, self.grid, self.units))
                for source in sources
            ]
            for strip in self._strips(opened, acquisition.sensor):
                missing_shares.append(strip.missing[:, :used_width].mean())
                samples.append(strip.values[:, ::step, ::step])
                empty_bands &= strip.empty_bands
                lowest = min(lowest, strip.lowest)
                self._write_strip(acquisition, bands, strip)
            tagged = [band.source.name for band in opened if band.has_tags]
            offsets = [offset_of(band, self.units) for band in opened]
        # Judged on the whole image: a strip may be a lake or a cloud. Patches are written by then,
        # but nothing is kept of an import that is refused.
        sample = np.concatenate(samples, axis=1)
        self._check_units(sample, acquisition.sensor, bands, title, lowest)
        by_user = self.units.s2_scale is not None or self.units.s2_offset is not None
        user_counts = acquisition.sensor == "s2" and by_user
        return AcquisitionSummary(
            missing=float(np.mean(missing_shares)),
            empty_bands=[band for band, empty in zip(bands, empty_bands, strict=True) if empty],
            all_empty=bool(empty_bands.all()),
            tagged=[] if user_counts else tagged,
            overruled=tagged if user_counts else [],
            brightened=self._check_offset(sample, acquisition.sensor, bands, sources, offsets),
        )

    def _strips(self, opened: Sequence[OpenBand], sensor: str) -> Iterator[Strip]:
        convert = reflectance if sensor == "s2" else backscatter
        for row in self.rows:
            window = Window(0, row, self.grid.width, self.size)
            shape = len(opened), self.size, self.grid.width
            stored_by_band = [band.read(window) for band in opened]
            marked = np.zeros(shape, bool)
            no_signal = np.zeros(shape, bool)
            # Marks of no data are looked for in stored values, before conversion moves them.
            values = np.empty(shape, np.float32)
            for i, (band, stored) in enumerate(zip(opened, stored_by_band, strict=True)):
                marked[i] = band.marked(stored)
                # Reflectance below 0 in all bands is a fill value that we do not know.
                no_signal[i] = stored <= 0 if sensor == "s2" else stored == 0
                values[i] = convert(np.where(marked[i], 0, stored), band, self.units)
            missing = marked.any(axis=0) | no_signal.all(axis=0)
            if sensor == "s1":
                # Backscatter is a power: 0 in one polarisation means that it was not observed.
                missing |= (values == 0).any(axis=0)
            values[:, missing] = 0
            title = opened[0].source.name
            if sensor == "s2":
                _check_reflectance(values, stored_by_band, title)
                values = to_uint16(values)
                values[:, missing] = 0
            else:
                _check_backscatter(values, stored_by_band, missing, title)
            lowest = np.inf
            if sensor == "s1" and not missing.all():
                lowest = min(float(stored[~missing].min()) for stored in stored_by_band)
            empty_bands = (marked | no_signal).all(axis=(1, 2))
            yield Strip(row, values, missing, empty_bands, lowest)

    def _check_offset(
        self,
        sample: np.ndarray,
        sensor: str,
        bands: Sequence[str],
        sources: Sequence[BandSource],
        offsets: Sequence[float],
    ) -> bool:
        """Compare the values of an image with the offset that its product should have.

        Args:
            sample: `(bands, height, width)`, 0 for no data.
            sensor: `s1` or `s2`.
            bands: names of the bands.
            sources: where they come from.
            offsets: what was added to each, as `offset_of` gives it.

        Returns:
            Whether the values seem to hold an offset although no name says so.

        Raises:
            ImportAreaError: the user, a tag or a name says that there is an offset, and the values
                that there is none.
        """
        if sensor == "s1":
            return False
        if any(offsets) and looks_cut_off(sample, bands):
            said = f"an offset of {min(offsets):g} is added"
            baseline = next((s.baseline for s in sources if s.baseline is not None), None)
            if self.units.s2_offset is None and baseline is not None:
                said = f"{said} by its processing baseline {baseline.name}"
            raise ImportAreaError(
                f"{sources[0].name}: {said}, and most of the visible is below 0 then: the values "
                "hold no such offset, or this was done before: give --s2-offset 0, and import such "
                "products by themselves"
            )
        if self.units.s2_offset is not None:
            return False
        has_baseline = any(source.baseline is not None for source in sources)
        return not has_baseline and looks_brightened(sample, bands)

    def _check_units(
        self, sample: np.ndarray, sensor: str, bands: Sequence[str], title: str, lowest: float
    ) -> None:
        """Refuse an image whose values, `(bands, height, width)`, are in other units."""
        if not sample.any():
            return
        if sensor == "s1" and self.units.s1 == "db" and lowest >= 0:
            raise ImportAreaError(
                f"{title}: no value is negative, decibels of land are: not --s1-unit db"
            )
        problems = unlikely_values(sample, sensor, bands)
        implausible = [] if problems else implausible_image(sample, sensor, bands)
        if sensor == "s1" and implausible:  # the two bands are swapped, whatever their unit
            raise ImportAreaError(f"{title} {implausible[0]}, or give their order with --s1-bands")
        problems += implausible
        if not problems and sensor == "s1" and self.units.s1 != "linear":
            amplitude = looks_like_amplitude(sample, bands)
            problems = [amplitude] if amplitude else []
        if problems and sensor == "s1":
            raise ImportAreaError(_ask_for_unit(f"{title} {problems[0]}"))
        if problems:
            raise ImportAreaError(
                f"{title}: with this scale and offset it {problems[0]}; give that factor as "
                "--s2-scale, which is --s2-scale 10000 where reflectance is stored from 0 to 1"
            )
        problem = band_order_problem(sample, bands) if sensor == "s2" else None
        if problem is not None:
            raise ImportAreaError(f"{title}: {problem}; name them, or correct --s2-bands")

    def patches_of(self, row: int, pixels: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
        """Names and pixels of the patches of a strip.

        Args:
            row: row of its first pixels in the grid.
            pixels: `(..., height, width)`.
        """
        north = self.grid.north - PIXEL * row
        for column in self.columns:
            west = self.grid.west + PIXEL * column
            patch = patch_name(self.grid.crs, west, north)
            yield patch, pixels[..., column : column + self.size]

    def _write_strip(self, acquisition: Acquisition, bands: Sequence[str], strip: Strip) -> None:
        sensor = acquisition.sensor
        for patch, pixels in self.patches_of(strip.row, strip.values):
            observed = pixels.any(axis=0).mean()
            if observed >= _LEAST_COVER:
                self._write_raster(sensor, patch, acquisition.day, pixels, bands)
                dates = self.dates.setdefault(patch, {"s1": [], "s2": []})
                dates[sensor].append(acquisition.day)
            elif observed:  # patches with nothing at all lie beside the image and are not counted
                self.too_little_data += 1

    def _write_raster(
        self,
        kind: str,
        patch: str,
        day: np.datetime64 | None,
        pixels: np.ndarray,
        names: Sequence[str],
        **options: Any,
    ) -> None:
        path = raster_path(self.folder, kind, patch, day)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(raster_bytes(patch, pixels, names, **options))

    def write_reference(self, row: int, ids: np.ndarray) -> None:
        """Write the reference of the patches of one strip that have an image.

        Args:
            row: row of its first pixels in the grid.
            ids: class ids `(height, width)`, 0 for no data.
        """
        for patch, part in self.patches_of(row, ids.astype(np.uint8)):
            if patch in self.dates:
                self._write_raster("reference", patch, None, part[None], ["class"], nodata=0)
                self.classes[patch] = np.unique(part[part > 0]).tolist()

    def write_labels(self) -> None:
        """Write the label files of all patches."""
        folder = self.folder / LABELS
        folder.mkdir(exist_ok=True)
        for patch, dates in self.dates.items():
            label = label_bytes(patch, dates, self.classes.get(patch, []))
            (folder / f"{patch}.json").write_bytes(label)


def days_by_sensor(
    acquisitions: Sequence[Acquisition], sensors: Sequence[str]
) -> Mapping[str, list[np.datetime64]]:
    """The dates of the acquisitions of each sensor."""
    days = {sensor: [] for sensor in sensors}
    for acquisition in acquisitions:
        days[acquisition.sensor].append(acquisition.day)
    return days


def _check_reflectance(
    values: np.ndarray, stored_by_band: Sequence[np.ndarray], title: str
) -> None:
    """Refuse reflectance that no ground has, before it is cut off at the bounds of 16 bit.

    Args:
        values: `(bands, height, width)`, reflectance x 10,000, 0 for no data.
        stored_by_band: the same pixels as stored, for the message.
        title: what the message calls the image.

    Raises:
        ImportAreaError: it names the stored value, which is often no data without a tag.
    """
    number = fill_value(values, "s2")
    if number is not None:
        position = (values == number).all(axis=0).argmax()
        raise ImportAreaError(_ask_for_no_data(title, stored_by_band[0].flat[position]))
    for is_outside, position in (
        (values.max() >= _LARGEST_UINT16, values.argmax()),
        (values.min() < _LOWEST_REFLECTANCE, values.argmin()),
    ):
        if is_outside:
            band, row, column = np.unravel_index(position, values.shape)
            stored = stored_by_band[band][row, column]
            raise ImportAreaError(
                f"{title} holds {_option(stored)}, a reflectance x 10,000 of "
                f"{values[band, row, column]:.4g} with this scale and offset: if it is no data, "
                f"give --no-data {_option(stored)}, else divide by the scale with which it was "
                "stored (--s2-scale)"
            )


def _check_backscatter(
    values: np.ndarray, stored_by_band: Sequence[np.ndarray], missing: np.ndarray, title: str
) -> None:
    """Refuse values that no radar measures; arguments as `_check_reflectance`, linear intensity.

    Raises:
        ImportAreaError: it asks for the value of no data, or for the unit.
    """
    # Before conversion: 9999 decibel is infinite in linear units.
    number = fill_value(np.where(missing, 0, np.stack(stored_by_band)), "s1")
    if number is not None:
        raise ImportAreaError(_ask_for_unit(_ask_for_no_data(title, number)))
    for problem in impossible_values(values, "s1"):
        raise ImportAreaError(_ask_for_unit(f"{title} {problem}"))


def _ask_for_no_data(title: str, number: np.number) -> str:
    return (
        f"{title} holds {_option(number)} in all bands of some pixels, which is no measurement: if "
        f"it is no data, give --no-data {_option(number)}"
    )


def _option(number: np.number) -> str:
    """A stored number as short as it can be typed and still be the same number of its type."""
    return str(number).removesuffix(".0")


def _ask_for_unit(problem: str) -> str:
    return (
        f"{problem}; say how it is stored: --s1-unit db, linear, or dn for digital numbers n "
        "with 20 log10(n) - 83 dB"
    )
