"""The files among a user's sources: folders and links are followed, and what is left out is noted.

Nothing is opened here. What the files hold is found in `raster_bands` and `cubes`.
"""

import os
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from multisenge_lib.dataset import LABELS, SENSORS, file_problem
from multisenge_lib.errors import ImportAreaError, counted, printable

RASTER_ENDINGS = (
    *(
        ".tif",
        ".tiff",
        ".gtif",
        ".gtiff",
        ".geotif",
        ".geotiff",
        ".bigtiff",
        ".btf",
        ".tf8",
        ".cog",
    ),
    *(".jp2", ".j2k", ".vrt", ".img"),
)
#: HDF5 is read as NetCDF 4, which is a kind of it.
CUBE_ENDINGS = (".nc", ".nc4", ".netcdf", ".cdf", ".h5", ".hdf5", ".he5", ".zarr")
#: ENVI's pixels, where a header X.hdr or X.dat.hdr lies beside; X.dat alone can be anything.
ENVI_ENDINGS = (".dat", ".bsq", ".bil", ".bip", ".envi", ".raw", ".bin", "")
ARCHIVE_ENDINGS = (
    *(".zip", ".tar", ".tgz", ".gz", ".bz2", ".tbz", ".tbz2", ".7z", ".rar", ".xz", ".txz"),
    *(".lzma", ".zst", ".zstd", ".tzst", ".lz4", ".lz", ".br", ".z"),
)
#: Formats of rasters that are not looked into: GDAL's, arrays of Python and R, and pictures, which
#: are mostly quicklooks.
_OTHER_ENDINGS = {
    *(".hdf", ".hdf4", ".kea", ".pix", ".mrf", ".nitf", ".ntf", ".grb", ".grb2", ".grib", ".grib2"),
    *(".asc", ".adf", ".rst", ".sdat", ".sgrd", ".grd", ".gri", ".ers", ".ecw", ".sid", ".lan"),
    *(".cub", ".map", ".mpr", ".bag", ".bt", ".flt", ".dem", ".hgt", ".dt0", ".dt1", ".dt2"),
    *(".mbtiles", ".xyz", ".fits", ".jpx", ".jpf", ".jpc", ".j2c", ".npy", ".npz", ".mat"),
    *(".rds", ".rda", ".rdata"),
    *(".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp", ".ppm", ".pgm", ".pnm", ".jxl", ".heic"),
}
#: What browsers and other programs append to a name until all of the file has arrived.
_PARTIAL_ENDINGS = {".part", ".partial", ".filepart", ".crdownload", ".download", ".aria2"}
#: A file without an ending is of interest only where ENVI's header lies beside it.
_KNOWN_ENDINGS = {
    *(*RASTER_ENDINGS, *CUBE_ENDINGS, *ARCHIVE_ENDINGS, *_OTHER_ENDINGS, *_PARTIAL_ENDINGS),
    *ENVI_ENDINGS[:-1],
}
#: What lies at the top of a Zarr store, whatever its folder is called.
_ZARR_FILES = {"zarr.json", ".zgroup", ".zarray"}
#: SNAP writes a header X.dim beside a folder X.data, which holds a raster for each band.
SNAP_HEADER = ".dim"
_ARCHIVES = "archives, which must be unpacked first"
_OTHER_FORMATS = "files of other formats (gdal_translate converts images to GeoTIFF)"
_PARTIAL = "downloads that did not end (fetch them again)"
_NO_FILES = "no regular files"
_NO_HEADER = "possibly pixels of ENVI, without a header (.hdr) beside them"
_DATA_ROOTS = "data roots, which an import wrote"
_ZARR_BY_CONTENT = "Zarr stores whose folders are not called .zarr (rename them)"


@dataclass
class Skipped:
    """Files that are left out, by reason."""

    paths: dict[str, list[Path]] = field(default_factory=dict)

    def add(self, reason: str, path: Path) -> None:
        """Note one file."""
        self.paths.setdefault(reason, []).append(path)

    def update(self, other: "Skipped") -> None:
        """Add the files of another list."""
        for reason, paths in other.paths.items():
            self.paths.setdefault(reason, []).extend(paths)

    def notices(self) -> list[str]:
        """One sentence for each reason."""
        sentences = []
        for reason, paths in self.paths.items():
            count = counted(len(paths), "file", "files")
            example = ", such as" if len(paths) > 1 else ":"
            sentence = f"{count} left out as {reason}{example} {printable(paths[0])}"
            endings = sorted({path.suffix.lower() for path in paths})
            if reason == _OTHER_FORMATS and len(endings) > 1:
                # One quicklook as the example would hide that images are among them.
                sentence += f"; they end in {', '.join(endings)}"
            sentences.append(sentence)
        return sentences


@dataclass
class ListedFiles:
    """The rasters and cubes among the sources.

    Attributes:
        paths: each file once.
        by_folder: for each folder that is a source, the files below it by their true paths.
        skipped: what is left out.
    """

    paths: list[Path] = field(default_factory=list)
    by_folder: dict[Path, set[Path]] = field(default_factory=dict)
    skipped: Skipped = field(default_factory=Skipped)


def list_files(sources: Iterable[Path]) -> ListedFiles:
    """List the rasters and cubes among files and below folders; links are followed.

    Args:
        sources: files and folders.

    Raises:
        ImportAreaError: a source does not exist, is no file, or holds no raster.
    """
    files = []
    listed = ListedFiles()
    for source in sources:
        if source.suffix.lower() == SNAP_HEADER:
            source = _snap_folder(source)
        if source.is_dir() and source.suffix.lower() != ".zarr":
            inside, skipped_inside = _files_below(source)
            if not inside:
                raise ImportAreaError(_nothing_below(source, skipped_inside))
            files += inside
            listed.by_folder[source] = {path.resolve() for path in inside}
            listed.skipped.update(skipped_inside)
            continue
        _check_given(source)
        files.append(source)
    # A file that is given twice, or by a link as well, is no second image of its date.
    identities = set()
    for path in files:
        identity = path.resolve()
        if identity not in identities:
            identities.add(identity)
            listed.paths.append(path)
    return listed


def _check_given(source: Path) -> None:
    """Refuse a path among the sources that is neither a file to open nor a Zarr store."""
    problem = None if source.is_dir() else file_problem(source)
    if problem == "is missing":
        # A link whose target is gone is worth another word than a name that is not there.
        problem = "is a link to nothing" if source.is_symlink() else "does not exist"
    if problem is not None and problem != "is empty":  # GDAL says more of an empty file
        raise ImportAreaError(f"{printable(source)} {problem}: give files or folders of images")
    if source.suffix.lower() in ARCHIVE_ENDINGS:
        raise ImportAreaError(f"{printable(source)} is an archive: unpack it, and give the folder")


def _snap_folder(header: Path) -> Path:
    folder = header.with_suffix(".data")
    if not folder.is_dir():
        raise ImportAreaError(
            f"{printable(header)} is the header of a SNAP product, and its folder {folder.name} is "
            "not beside it: give both, or export the product as GeoTIFF"
        )
    return folder


def _nothing_below(folder: Path, skipped: Skipped) -> str:
    endings = ", ".join(RASTER_ENDINGS + CUBE_ENDINGS)
    reasons = "".join(f"; {notice}" for notice in skipped.notices())
    return f"{printable(folder)} holds no raster ({endings}){reasons}"


def _files_below(folder: Path) -> tuple[list[Path], Skipped]:
    """Find rasters and cubes below a folder, in order of their names, and what is left out."""
    skipped = Skipped()

    def note_folder(error: OSError) -> None:
        reason = f"folders that cannot be listed ({error.strerror})"
        skipped.add(reason, Path(error.filename))

    files = []
    visited = set()
    for where, folders, names in os.walk(folder, onerror=note_folder, followlinks=True):
        status = Path(where).stat()
        identity = status.st_dev, status.st_ino
        if identity in visited:  # a link that leads back into the tree
            folders.clear()
            continue
        visited.add(identity)
        if _is_data_root(folders):
            # Cut patches of the same images would pass for a second copy of each date.
            skipped.add(_DATA_ROOTS, Path(where))
            folders.clear()
            continue
        if not _ZARR_FILES.isdisjoint(names):
            skipped.add(_ZARR_BY_CONTENT, Path(where))
            folders.clear()
            continue
        stores = [name for name in folders if name.lower().endswith(".zarr")]
        # A Zarr store is a folder of many small files; it is opened as a whole.
        folders[:] = [n for n in folders if n not in stores and not n.startswith(".")]
        for name in sorted([*names, *stores]):
            # Names with a dot are hidden; ._x.tif is what macOS leaves beside x.tif.
            if name.startswith("."):
                continue
            path = Path(where) / name
            if path.suffix.lower() not in _KNOWN_ENDINGS and not _is_envi(path):
                continue
            problem = _not_openable(path)
            if problem is not None:
                skipped.add(problem, path)
            else:
                files.append(path)
    return sorted(files), skipped


def _is_envi(path: Path) -> bool:
    """Whether a file holds the pixels of an ENVI raster, by its ending and the header beside it."""
    if path.suffix.lower() not in ENVI_ENDINGS:
        return False
    headers = (path.with_suffix(".hdr"), path.with_name(f"{path.name}.hdr"))
    return any(header.is_file() for header in headers)


def _is_data_root(folders: Sequence[str]) -> bool:
    """Whether a folder holds patches in the published layout, by the folders in it."""
    return LABELS in folders and any(sensor in folders for sensor in SENSORS)


def _not_openable(path: Path) -> str | None:
    """Why a file is left out, such as an archive or one out of reach; None if it is not.

    A pipe would be waited for.
    """
    if path.suffix.lower() in ARCHIVE_ENDINGS:
        return _ARCHIVES
    if path.suffix.lower() in _PARTIAL_ENDINGS:
        return _PARTIAL
    if path.suffix.lower() in _OTHER_ENDINGS:
        return _OTHER_FORMATS
    if path.suffix.lower() in ENVI_ENDINGS and not _is_envi(path):
        return _NO_HEADER
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return "links to nothing"
    except OSError as error:
        return f"out of reach ({error.strerror})"
    return None if stat.S_ISREG(mode) or stat.S_ISDIR(mode) else _NO_FILES
