"""Rasters of any size, one a date and sensor, on one grid: what a map is made of."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from rasterio.errors import RasterioError
from rasterio.windows import Window

from multisenge_lib.area import day_in
from multisenge_lib.dataset import (
    PIXEL,
    BandOrder,
    band_positions,
    file_problem,
    is_north_up_10m,
    read_values,
    valid_mask,
    why_unreadable,
    zero_invalid,
)
from multisenge_lib.errors import BandOrderError, PatchError

#: Rows and columns, at most, in which vegetation is looked for.
_GLANCE = 512


@dataclass(frozen=True)
class Stack:
    """A series of rasters on one grid, read a few rows at a time.

    Attributes:
        paths: of each sensor, in the order of the series.
        positions: of the bands to read in each raster, from 0; as `paths`.
        ground: `height`, `width`, `crs` and `transform`, as rasterio names them.
    """

    paths: Mapping[str, Sequence[Path]]
    positions: Mapping[str, Sequence[Sequence[int]]]
    ground: Mapping[str, Any]

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.ground["height"], self.ground["width"]

    @cached_property
    def identity(self) -> list[tuple[str, int, int]]:
        """What changes when a raster does: name, bytes and time of change of each."""
        every = [path.resolve() for series in self.paths.values() for path in series]
        return [(str(p), p.stat().st_size, p.stat().st_mtime_ns) for p in every]

    def read(self, start: int, stop: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """Rows of all rasters.

        Args:
            start: the first row.
            stop: the row after the last.

        Returns:
            By sensor `(dates, rows, width, bands)`, as stored, 0 where there is no data; and
            `(rows, width) bool`, where every date of every sensor has data; see `has_data`.

        Raises:
            PatchError: a raster cannot be read, or is in other units.
        """
        series = {}
        for sensor, files in self.paths.items():
            read = [
                _rows(path, sensor, positions, start, stop)
                for path, positions in zip(files, self.positions[sensor], strict=True)
            ]
            series[sensor] = np.stack([np.moveaxis(pixels, 0, -1) for pixels in read])
        return series, valid_mask(series)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        with rasterio.open(path) as source:
            yield source
    except (RasterioError, ValueError, MemoryError):
        raise PatchError(f"{path} {why_unreadable(path)}: fetch it again") from None


def _rows(path: Path, sensor: str, positions: Sequence[int], start: int, stop: int) -> np.ndarray:
    """`(bands, rows, width)`, no data 0."""
    with _opened(path) as source:
        window = Window(0, start, source.width, stop - start)
        pixels = read_values(source, sensor, [p + 1 for p in positions], window)
    return zero_invalid(pixels, sensor, path)


def _glance(path: Path) -> np.ndarray:
    """A raster at a few hundred rows and columns: `(bands, rows, columns)`, no data 0."""
    with _opened(path) as source:
        rows, columns = (min(side, _GLANCE) for side in source.shape)
        return read_values(source, "s2", out_shape=(rows, columns))


def _check_ground(path: Path, ground: Mapping[str, Any], first: Mapping[str, Any]) -> None:
    at = ground["transform"]
    if not is_north_up_10m(at, ground["crs"]):
        raise PatchError(
            f"{path} has pixels of {at.a:g} x {-at.e:g} in {ground['crs'] or 'no projection'}: a "
            f"network sees pixels of {PIXEL} m, north up; warp the raster, or import it"
        )
    if ground != first:
        named = {key: list(v)[:6] if key == "transform" else v for key, v in ground.items()}
        said = "; ".join(f"{key} {named[key]}" for key in ground if ground[key] != first[key])
        raise PatchError(
            f"{path} is on another grid than the first raster ({said}): warp it, or import all of "
            "them"
        )


def _check_month(path: Path, month: int) -> None:
    day = day_in(path.name)
    if day is not None and (named := day.astype(object).month) != month:
        raise PatchError(
            f"{path} is of month {named}, at its place the network takes month {month}: "
            "give one raster a month, in its order, or allow any month"
        )


def open_stack(
    paths: Mapping[str, Sequence[Path | str]],
    bands: Mapping[str, Sequence[str]],
    months: Sequence[int],
    band_order: BandOrder = "spectral",
    any_month: bool = False,
) -> Stack:
    """Check rasters against what a network takes.

    Args:
        paths: of each sensor, one raster a month, in the order of `months`.
        bands: names of the bands of each sensor that the network takes.
        months: 1 to 12.
        band_order: of Sentinel-2 rasters that do not name their bands.
        any_month: take rasters whose names say another month.

    Raises:
        PatchError: a raster is missing or damaged, on another grid, of another month or unit.
        BandOrderError: bands are missing, or it is in doubt which is which.
    """
    files = {sensor: [Path(path) for path in paths.get(sensor, ())] for sensor in bands}
    for sensor in {*paths, *bands}:
        given, wanted = len(paths.get(sensor, ())), len(months) if sensor in bands else 0
        if given != wanted:
            raise PatchError(
                f"{given} rasters of {sensor} given, the network takes {wanted}"
                + (f", of the months {', '.join(map(str, months))}" if wanted else "")
            )
    positions, first = {sensor: [] for sensor in files}, None
    for sensor, series in files.items():
        for path, month in zip(series, months, strict=True):
            if problem := file_problem(path):
                raise PatchError(f"{path} {problem}: name a raster that can be read")
            any_month or _check_month(path, month)
            with _opened(path) as source:
                ground = {k: source.profile[k] for k in ("height", "width", "crs", "transform")}
                names, dtypes = source.descriptions, set(source.dtypes)
            first = first or ground
            _check_ground(path, ground, first)
            image, wanted = partial(_glance, path), bands[sensor]
            try:
                found = band_positions(names, image, wanted, sensor, band_order)
            except BandOrderError as error:
                raise BandOrderError(f"{path} {error}") from None
            positions[sensor].append(found)
            if sensor == "s2" and not dtypes <= {"uint16", "int16"}:
                raise PatchError(
                    f"{path} is {' and '.join(sorted(dtypes))}, Sentinel-2 is reflectance x "
                    "10,000 as 16-bit integers: convert it, or import it"
                )
    return Stack(files, positions, first)
