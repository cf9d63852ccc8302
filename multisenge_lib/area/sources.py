"""A user's own images: the acquisitions among files, folders and cubes.

`listing` finds the files. Then each is asked for its bands, dates and sensor, a raster by
`raster_bands` and a cube by `cubes`. A product of another sensor, or of level 1C, is left out or
refused, and masks are left out. Everything that is left out is reported.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from multisenge_lib.area.acquisitions import Acquisition, BandOfDay, group_by_day
from multisenge_lib.area.cubes import (
    BandsOfCube,
    UnreadableCubeError,
    bands_of_cube,
    groups_of,
    is_cube_in_memory,
    name_groups,
    open_cube,
)
from multisenge_lib.area.date_notices import notices_of_dates
from multisenge_lib.area.listing import CUBE_ENDINGS, Skipped, list_files
from multisenge_lib.area.products import (
    FIRST_DAYS,
    band_of_level_1c,
    baseline_of,
    foreign_sensor,
    is_level_1c,
    is_mask,
    is_possible_day,
    lone_uncorrected_band,
    name_problem,
    sensor_in,
    without_slope_correction,
)
from multisenge_lib.area.raster_bands import (
    RasterHeader,
    bands_by_user,
    bands_of_raster,
    contradicts,
    names_not_understood,
    names_other_layers,
    place_bands,
    read_header,
    refuse_numbered_files,
)
from multisenge_lib.dataset import unambiguous_names
from multisenge_lib.errors import ImportAreaError, counted, printable

_MASKS = "masks or other auxiliary layers"
_OTHER_QUANTITIES = "angles, coherence, counts or other layers that are no image by their names"
_OTHER_SENSOR = "images of another sensor"
_SLOPE = "reflectance without correction for slopes (SRE), which is there with it (FRE)"
_NO_BAND_IN_CUBE = "cubes that name no band"
_UNREADABLE = "cubes that cannot be read (fetch them again, or give them by name to see why)"
_GROUPS = "cubes that keep their data in groups"


@dataclass(frozen=True)
class FoundImages:
    """All images among the sources.

    Attributes:
        acquisitions: in order of sensor and date.
        notices: one message for each kind of file that was left out, for dates that the files'
            own names do not simply give, and for bands that the user names otherwise.
    """

    acquisitions: list[Acquisition]
    notices: list[str]


def find_images(
    sources: Iterable[Path | str | Any],
    user_bands: Mapping[str, Sequence[str]],
    crs: str | None = None,
    without: Path | None = None,
) -> FoundImages:
    """Find all acquisitions of files, folders and cubes.

    Args:
        sources: files, folders of files, or Datasets and DataArrays of xarray.
        user_bands: bands of `s1` or `s2` rasters in their order; `-` for one of no use.
        crs: projection of images that do not name theirs; of cubes also of those that do.
        without: a file that is no image, such as the reference.

    Raises:
        ImportAreaError: naming the file, and what it lacks.
    """
    cubes = []
    paths = []
    for source in sources:
        if is_cube_in_memory(source):
            cubes.append(source)
        else:
            paths.append(Path(source))
    listed = list_files(paths)
    uncorrected = lone_uncorrected_band(listed.paths)
    if uncorrected is not None:
        raise ImportAreaError(
            f"{printable(uncorrected)} is not corrected for the slope (SRE), and other bands of "
            "its product are (FRE): fetch the FRE raster of this band, or leave out all FRE rasters"
        )
    search = _Search(
        user_bands=user_bands,
        crs=crs,
        files_by_name={path for path in paths if path not in listed.by_folder},
        file_names=_names_in_folders(listed.paths),
        second_choice=set(without_slope_correction(listed.paths)),
        skipped=listed.skipped,
    )
    for number, cube in enumerate(cubes, 1):
        search.add_cube_in_memory(cube, f"cube {number}")
    for path in listed.paths:
        if without is None or not path.samefile(without):
            search.add_file(path)

    refuse_numbered_files(search.lone_bands)
    search.refuse_other_words()
    _refuse_level_1c([header.path for header in search.lone_bands])
    if search.bands:
        _refuse_folders_without_image(listed.by_folder, search.not_images)
    search.skipped.update(search.not_images)
    notices = search.notices()
    if not search.bands:
        reasons = "".join(f"; {notice}" for notice in notices)
        remedy = ""
        if search.left_out_by_name:
            remedy = "; if some of these files are images, rename or move them"
        raise ImportAreaError(
            "no band of Sentinel-1 or Sentinel-2 is there by name (B2 to B12, VV or VH): name "
            f"them, or give --s2-bands and --s1-bands{reasons}{remedy}"
        )
    _check_days(search.bands)
    acquisitions, more_notices = group_by_day(search.bands)
    return FoundImages(acquisitions, notices + more_notices)


@dataclass
class _Search:
    """What a search through the sources has found so far.

    Attributes:
        user_bands: as in `find_images`, like `crs`.
        files_by_name: files that the user gives by name. They are refused where the same file in a
            folder is left out.
        file_names: of each file its name, as in `RasterHeader`.
        second_choice: files that are there in a better version.
        skipped: what is left out: masks and the like, which may lie in a folder of their own.
        not_images: what else is left out.
        bands: of all images.
        rasters: of each raster its bands.
        lone_bands: headers of rasters that hold one band, of one date or of several, for which the
            user gives no order.
        not_understood: headers of rasters that are left out because they name other layers.
        renamed: titles of rasters whose own names of bands are overruled.
        unknown_layers: names that may be those of bands that a raster lacks, and its title.
        left_out: sentences on variables of cubes that name a band and are left out.
    """

    user_bands: Mapping[str, Sequence[str]]
    crs: str | None
    files_by_name: set[Path]
    file_names: Mapping[Path, str]
    second_choice: set[Path]
    skipped: Skipped
    not_images: Skipped = field(default_factory=Skipped)
    bands: list[BandOfDay] = field(default_factory=list)
    rasters: dict[Path, list[BandOfDay]] = field(default_factory=dict)
    lone_bands: list[RasterHeader] = field(default_factory=list)
    not_understood: list[RasterHeader] = field(default_factory=list)
    renamed: list[str] = field(default_factory=list)
    unknown_layers: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    def add_cube_in_memory(self, cube: Any, title: str) -> None:
        """Take the bands of a Dataset or DataArray."""
        found = bands_of_cube(cube, title, self.crs)
        if not found.bands:
            _refuse_cube(title, found.left_out)
        self._add_bands(found)

    def add_file(self, path: Path) -> None:
        """Take the bands of a file, or note why it is left out."""
        reason = _reason_to_skip(path, path in self.second_choice, path in self.files_by_name)
        if reason in (_MASKS, _SLOPE):
            self.skipped.add(reason, path)
        elif reason is not None:
            self.not_images.add(reason, path)
        elif path.suffix.lower() in CUBE_ENDINGS:
            self._add_cube_file(path)
        else:
            self._add_raster(path)

    def _add_cube_file(self, path: Path) -> None:
        title = printable(path)
        is_named_by_user = path in self.files_by_name
        try:
            cube = open_cube(path)
        except UnreadableCubeError:
            if is_named_by_user:
                raise
            self.not_images.add(_UNREADABLE, path)
            return
        groups = [] if cube.data_vars else groups_of(path)
        if groups and is_named_by_user:
            raise ImportAreaError(name_groups(title, groups))
        if groups:  # such as metadata beside the GeoTIFFs of one product (OPERA)
            self.not_images.add(_GROUPS, path)
            return
        found = bands_of_cube(cube, title, self.crs, path.stem, baseline_of(path))
        if not found.bands and is_named_by_user:
            _refuse_cube(title, found.left_out)
        if not found.bands:
            self.not_images.add(_NO_BAND_IN_CUBE, path)
        self._add_bands(found)

    def _add_bands(self, found: BandsOfCube) -> None:
        self.bands += found.bands
        self.left_out += found.left_out

    def _add_raster(self, path: Path) -> None:
        header = read_header(path, self.file_names[path])
        named = bands_of_raster(header, self.user_bands, path not in self.files_by_name)
        is_by_user = bands_by_user(header, self.user_bands) is not None
        if header.holds_one_band and not is_by_user:
            self.lone_bands.append(header)
        if isinstance(named, str):
            self.not_images.add(named, path)
            if names_other_layers(header):
                self.not_understood.append(header)
            return
        if contradicts(header, named):
            self.renamed.append(header.title)
        unknown = [] if is_by_user else names_not_understood(header, named)
        if unknown:
            self.unknown_layers.append(f"{', '.join(unknown[:3])} in {header.title}")
        bands = place_bands(header, named, self.crs)
        self.bands += bands
        self.rasters[path] = bands

    @property
    def left_out_by_name(self) -> bool:
        """Whether files are left out by words in their names or folders, whatever they hold."""
        reasons = {*self.skipped.paths, *self.not_images.paths}
        return bool(reasons & {_MASKS, _OTHER_QUANTITIES}) or any(
            reason.startswith(_OTHER_SENSOR) for reason in reasons
        )

    def refuse_other_words(self) -> None:
        """Refuse rasters of a sensor that name all bands otherwise, where no other one is found.

        They may be images whose bands are called in another language.

        Raises:
            ImportAreaError: naming one, and the sensor by its name.
        """
        found = {band.sensor for band in self.bands}
        for header in self.not_understood:
            sensor = sensor_in(header.path)
            if sensor is not None and sensor not in found:
                # As where the user gives it by name.
                bands_of_raster(header, self.user_bands, in_folder=False)

    def notices(self) -> list[str]:
        """One message for each kind of file that is left out, of dates, and of overruled names."""
        notices = self.skipped.notices() + self.left_out + notices_of_dates(self.rasters)
        if self.unknown_layers:
            rasters = counted(len(self.unknown_layers), "raster", "rasters")
            notices.append(
                f"{rasters} with layers that are not understood and left out, such as "
                f"{self.unknown_layers[0]}; call bands of Sentinel-2 by their names, such as B5"
            )
        if self.renamed:
            rasters = counted(
                len(self.renamed), "raster describes its bands", "rasters describe their bands"
            )
            notices.append(
                f"{rasters} otherwise than you do; your order counts, such as in {self.renamed[0]}"
            )
        return notices


def _names_in_folders(paths: Iterable[Path]) -> dict[Path, str]:
    """The names of files without ending, understood by those of the files in their folder."""
    by_folder = defaultdict(list)
    for path in paths:
        by_folder[path.parent].append(path)
    names = {}
    for beside in by_folder.values():
        understood = unambiguous_names([path.stem for path in beside])
        names.update(zip(beside, understood, strict=True))
    return names


def _check_days(bands: Iterable[BandOfDay]) -> None:
    """Refuse a date before the sensor was in orbit, or to come.

    Raises:
        ImportAreaError: naming the raster or cube.
    """
    for band in bands:
        if not is_possible_day(band.day, band.sensor):
            title = f"Sentinel-{band.sensor[1]}"
            raise ImportAreaError(
                f"{band.source.name}: no image of {title} is of {band.day}, which lies before its "
                f"start on {FIRST_DAYS[band.sensor]} or is to come: give it the image's date"
            )


def _refuse_level_1c(paths: Sequence[Path]) -> None:
    """Refuse files of one band each among which is B10 beside B02 of one product.

    Raises:
        ImportAreaError: naming B10.
    """
    path = band_of_level_1c(paths)
    if path is not None:
        raise ImportAreaError(
            f"{printable(path)} is B10, which Sentinel-2 has in level 1C alone, reflectance at the "
            "top of the atmosphere: the networks take level 2A; fetch that product, or take this "
            "file out if the others beside it are of level 2A"
        )


def _refuse_cube(title: str, left_out: Sequence[str]) -> NoReturn:
    """Refuse a cube that the user gives and in which no band is found, or none that is an image.

    Raises:
        ImportAreaError: always.
    """
    if left_out:
        raise ImportAreaError("; ".join(left_out))
    raise ImportAreaError(
        f"{title} names no band of Sentinel-1 or Sentinel-2: call its variables, or the steps of "
        "its dimension of bands, by them, such as B2, B8A or VV"
    )


def _refuse_folders_without_image(by_folder: Mapping[Path, set[Path]], not_images: Skipped) -> None:
    """Refuse a folder among the sources of which every file is left out.

    Otherwise an import of Sentinel-1 and of a folder of pictures would be one of Sentinel-1 alone.

    Args:
        by_folder: the files below each folder, by their true paths.
        not_images: files that are left out, other than masks.

    Raises:
        ImportAreaError: naming the folder, and why its files are left out.
    """
    for folder, files in by_folder.items():
        inside = Skipped()
        for reason, paths in not_images.paths.items():
            for path in paths:
                if path.resolve() in files:
                    inside.add(reason, path)
        left_out = {path.resolve() for paths in inside.paths.values() for path in paths}
        if left_out == files:
            raise ImportAreaError(
                f"{printable(folder)} holds no image that networks take: "
                f"{'; '.join(inside.notices())}; give images of Sentinel-1 and Sentinel-2, or "
                "leave the folder out"
            )


def _reason_to_skip(path: Path, is_second_choice: bool, is_named_by_user: bool) -> str | None:
    """Why a file is left out by its name; None where it may be an image.

    Raises:
        ImportAreaError: it is of level 1C, or a foreign product that the user gives by name.
    """
    problem = name_problem(path)
    if problem is not None and (is_named_by_user or is_level_1c(path)):
        raise ImportAreaError(f"{printable(path)} {problem}")
    sensor = foreign_sensor(path)
    if sensor is not None:
        return f"{_OTHER_SENSOR} ({sensor})"
    if is_mask(path):
        return _MASKS
    if problem is not None:
        return _OTHER_QUANTITIES
    return _SLOPE if is_second_choice else None
