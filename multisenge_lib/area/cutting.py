"""From images as they are to patches of the layout: grid, units, no data, names, files.

Pixels of 10 m on the grid of the Sentinel-2 tiles; reflectance x 10,000, linear backscatter, 0 for
no data. Files are read in strips as high as a patch, so memory does not grow with the file; for a
cube, all bands of one date are loaded.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from rasterio.windows import Window

from multisenge_lib.area.acquisitions import Acquisition
from multisenge_lib.area.strips import (
    Overlaps,
    Strip,
    check_parts,
    join_strips,
    open_parts,
    read_strips,
    suspected_fill,
)
from multisenge_lib.area.target_grid import TargetGrid, patch_name
from multisenge_lib.area.units import InputUnits
from multisenge_lib.dataset import LABELS, PIXEL, label_bytes, raster_bytes, raster_path

#: Share of a patch's pixels that must hold data, for a date to be one of the patch.
_LEAST_COVER = 0.5


@dataclass
class AcquisitionSummary:
    """What cutting one acquisition showed.

    Attributes:
        missing: share of the pixels without data.
        empty_bands: names of bands that hold nothing.
        all_empty: whether these are all bands.
        tagged: names of sources whose scale and offset tags were applied.
        overruled: names of sources whose tags were ignored because the user gave the units.
        brightened: whether reflectance seems to hold ESA's offset, although no name says so.
        suspected_fill: the name of a source, a stored number that all its bands hold in many
            pixels, and their share; None where there is none.
    """

    missing: float
    empty_bands: list[str]
    all_empty: bool
    tagged: list[str] = field(default_factory=list)
    overruled: list[str] = field(default_factory=list)
    brightened: bool = False
    suspected_fill: tuple[str, float, float] | None = None

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
        #: Columns of the grid that patches cover, from the west.
        self.used_width = len(self.columns) * size
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
            ImportAreaError: its values or bands contradict the unit or the names given for them,
                or its files differ where they overlap.
        """
        missing_shares = []
        empty_bands = np.ones(len(bands), bool)
        with open_parts(acquisition, bands, self.grid, self.units) as parts:
            overlaps = Overlaps(acquisition.sensor, bands, [part.crs for part in parts])
            for row in self.rows:
                window = Window(0, row, self.grid.width, self.size)
                strips = read_strips(parts, window)
                overlaps.add(strips)
                strip = join_strips(list(strips.values()))
                missing_shares.append(strip.missing[:, : self.used_width].mean())
                empty_bands &= strip.empty_bands
                self._write_strip(acquisition, bands, row, strip)
            # Judged on whole images: a strip may be a lake or a cloud. Patches are written by then,
            # but nothing is kept of an import that is refused.
            brightened = check_parts(parts)
            overlaps.check(acquisition)
            tagged = [source for part in parts for source in part.tagged]
            fill = suspected_fill(parts)
        user_counts = acquisition.sensor == "s2" and self.units.says_reflectance
        return AcquisitionSummary(
            missing=float(np.mean(missing_shares)),
            empty_bands=[band for band, empty in zip(bands, empty_bands, strict=True) if empty],
            all_empty=bool(empty_bands.all()),
            tagged=[] if user_counts else tagged,
            overruled=tagged if user_counts else [],
            brightened=brightened,
            suspected_fill=fill,
        )

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

    def _write_strip(
        self, acquisition: Acquisition, bands: Sequence[str], row: int, strip: Strip
    ) -> None:
        sensor = acquisition.sensor
        for patch, pixels in self.patches_of(row, strip.values):
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
