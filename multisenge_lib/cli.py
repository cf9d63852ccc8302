"""The command line, `multisenge COMMAND`; each command calls a few functions of the library.

An error that the user can fix ends a command with one line (one per file where several files are
wrong) and exit code 2. Each command imports what it needs, so that the help appears at once.
"""

import json
import os
import subprocess
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer.core import TyperCommand, TyperGroup

from multisenge_lib import paths
from multisenge_lib.errors import FileError, MultiSenGEError, counted

if TYPE_CHECKING:
    import click
    import pandas as pd

    from multisenge_lib.dataset import Dataset


class WholeSentences(TyperGroup):
    """List every command with the whole first sentence of its help; click would cut it off."""

    def format_commands(self, ctx: "click.Context", formatter: "click.HelpFormatter") -> None:
        """Write the list of commands."""
        rows = []
        for name, command in self.commands.items():
            paragraph = (command.help or "").split("\n\n")[0]
            sentence = paragraph.replace("\n", " ").partition(". ")[0]
            rows.append((name, sentence.removesuffix(".") + "."))
        with formatter.section("Commands"):
            formatter.write_dl(rows)


app = typer.Typer(
    cls=WholeSentences,
    help="Land cover from Sentinel-1 and Sentinel-2 time series, after Wenger et al. (2023): get "
    "data, check it, train networks, draw maps, audit the paper.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # importing rich takes longer than everything else
)

#: Options that several commands have.
Labels = Annotated[
    Path | None,
    typer.Option(
        help="The folder of label files, or their .tar.gz or .tgz. If it is not given: "
        "MULTISENGE_LABELS, then MULTISENGE_ROOT, then the synthetic sample."
    ),
]
AnyTile = Annotated[
    bool, typer.Option("--any-tile", help="Accept Sentinel-2 tiles outside MultiSenGE.")
]
Year = Annotated[
    int | None,
    typer.Option(
        help="The one year that dates may be of. Default: the dataset's, 2020 for MultiSenGE."
    ),
]


def _find_labels(labels: Path | None) -> Path:
    """Find the label files: the given ones, else the real ones, else the sample's.

    Says so when it is the sample, so that nobody takes its counts for MultiSenGE's.
    """
    from multisenge_lib.dataset import LABELS
    from multisenge_lib.sample import ensure_sample

    if labels is None:
        labels = paths.real_labels()
    if labels is None:
        typer.echo(
            "Using the synthetic sample, because no labels are given and neither "
            "MULTISENGE_LABELS nor MULTISENGE_ROOT is set."
        )
        return ensure_sample() / LABELS
    if (labels / LABELS).is_dir():  # a data root
        return labels / LABELS
    return labels


def _dataset_of(labels: Path, year: int | None, any_tile: bool) -> "Dataset":
    """Find the dataset of label files: as their data root says, else MultiSenGE.

    Args:
        labels: the label files.
        year: replaces the dataset's years.
        any_tile: accept any tile; then no tile has a split.
    """
    from dataclasses import replace

    from multisenge_lib.dataset import MULTISENGE, dataset_of_root, has_description

    # In a data root the labels are in the folder labels/, so its dataset.toml is one level up.
    root = labels.parent
    dataset = dataset_of_root(root) if has_description(root) else MULTISENGE
    if year is not None:
        dataset = replace(dataset, years=(year,))
    if any_tile:
        dataset = replace(dataset, split_of_tile={})
    return dataset


def _check_out(out: Path, endings: tuple[str, ...]) -> None:
    """Refuse a file that cannot be written before the work begins."""
    if out.suffix not in endings:
        raise FileError(f"{out}: the ending must be {' or '.join(endings)}")
    folder = out.parent
    if not folder.is_dir():
        raise FileError(f"{out} cannot be written: there is no folder {folder}: make it first")
    # Asked, not tried: a file opened here would stay, empty, if the command fails later.
    if out.is_dir() or not os.access(folder, os.W_OK):
        raise FileError(f"{out} cannot be written: choose another folder or name")


@app.command("sample")
def write_sample(
    out: Annotated[Path, typer.Argument(help="A folder that is new or empty.")],
    size: Annotated[
        int,
        typer.Option(
            help="Pixels of 10 m along the side of a patch, a multiple of 32 from 32 to 256."
        ),
    ] = 64,
    seed: Annotated[
        int,
        typer.Option(
            help="A whole number from 0 by which the land is drawn. The same seed and size give "
            "the same files."
        ),
    ] = 2020,
) -> None:
    """Write the synthetic sample, a small MultiSenGE."""
    from multisenge_lib import sample
    from multisenge_lib.dataset import check_projections

    check_projections()
    root = sample.write_sample(out, size=size, seed=seed, progress=True)
    typer.echo(f"Wrote {root}. To use it like real data: export MULTISENGE_ROOT={root.resolve()}")


@app.command("download")
def download_archives(
    root: Annotated[Path, typer.Argument(help="The data root, the folder for MULTISENGE_ROOT.")],
    archives: Annotated[
        list[str] | None,
        typer.Argument(
            help="Which archives: labels (4 MB), ground_reference (25 MB), s2 (80 GB), s1 (110 GB)."
        ),
    ] = None,
    keep: Annotated[
        bool, typer.Option(help="Keep each archive beside the folder unpacked from it.")
    ] = True,
    selected: Annotated[
        bool,
        typer.Option(
            "--selected", help="Unpack only the s1 and s2 files that the paper's selection can use."
        ),
    ] = False,
    url: Annotated[
        str | None,
        typer.Option(help="Address of a folder with the archives. Default: the publisher's."),
    ] = None,
) -> None:
    """Fetch, verify and unpack the published archives.

    Without names, the two small ones. A download that was interrupted continues where it stopped.
    """
    from multisenge_lib.dataset import LABELS, REFERENCE
    from multisenge_lib.tools import URL, download

    names = archives or [LABELS, REFERENCE]
    unpacked = download(root, names, url or URL, keep=keep, selected=selected)
    for name in names:
        # `download` leaves out those that had been unpacked before.
        if name in unpacked:
            files = counted(unpacked[name], "file", "files")
            typer.echo(f"{root / name}: {files} unpacked")
        else:
            typer.echo(f"{root / name}: already there, left as it is")


def _write_footprints(table: "pd.DataFrame", patch_pixels: int, out: Path) -> None:
    """Write a table of patches with their squares on the ground, as GeoParquet or GeoPackage."""
    from multisenge_lib.dataset import footprints
    from multisenge_lib.files import atomic

    frame = footprints(table, patch_pixels)
    for column in ("classes", "s1_dates", "s2_dates"):
        if column in frame:  # neither format has lists of values that a GIS can show
            frame[column] = [";".join(values.astype(str)) for values in frame[column]]
    try:
        with atomic(out) as unfinished:
            if out.suffix == ".parquet":
                frame.to_parquet(unfinished, index=False)
            else:
                frame.to_file(unfinished, driver="GPKG", layer=out.stem, index=False)
    except RuntimeError as error:  # what the GeoPackage driver says of disks and permissions
        raise FileError(f"{out} cannot be written ({error}): choose another place") from None


@app.command("index")
def write_index(
    labels: Labels = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Write the footprints of the patches for a GIS: .parquet or .gpkg."),
    ] = None,
    year: Year = None,
    any_tile: AnyTile = False,
) -> None:
    """Check all label files and count patches, dates and tiles."""
    from multisenge_lib.dataset import SENSORS, read_index

    if out is not None:
        _check_out(out, (".parquet", ".gpkg"))
    labels = _find_labels(labels)
    dataset = _dataset_of(labels, year, any_tile)
    index = read_index(labels, dataset)
    patches = counted(len(index), "patch", "patches")
    tiles = counted(index["tile"].nunique(), "tile", "tiles")
    typer.echo(f"{patches} on {tiles}")
    # Each patch has a file of its own for each of its dates.
    for sensor in SENSORS:
        dates = index[f"{sensor}_dates"].map(len)
        typer.echo(
            f"{sensor.upper()}: {dates.sum():,} files, {dates.min()} to {dates.max()} dates per "
            "patch"
        )
    for tile, count in index["tile"].value_counts().sort_index().items():
        typer.echo(f"  {tile} {count:>6,}")
    if out is not None:
        _write_footprints(index, dataset.patch_pixels, out)
        typer.echo(f"Wrote {out}")


def _whole_numbers(text: str, option: str) -> list[int]:
    """Read `7,8` and the like as numbers."""
    try:
        return [int(number) for number in text.split(",")]
    except ValueError:
        raise MultiSenGEError(
            f"{option} {text!r}: give whole numbers joined by commas, such as 7,8"
        ) from None


def _print_counts(selection: "pd.DataFrame", splits: Sequence[str]) -> None:
    """Print the number of patches by split and tile."""
    for split in splits:
        tiles = selection.loc[selection["split"] == split, "tile"].value_counts().sort_index()
        typer.echo(f"{split:<10} {tiles.sum():>6,}")
        for tile, count in tiles.items():
            typer.echo(f"  {tile:<8} {count:>6,}")


@app.command("select")
def write_selection(
    out: Annotated[Path, typer.Option(help="The file to write: .csv, .parquet or .gpkg.")],
    labels: Labels = None,
    months: Annotated[
        str | None,
        typer.Option(
            help="The months of a series, 1 to 12, in order and joined by commas. Default: the "
            "dataset's, such as 7,8,9,11."
        ),
    ] = None,
    days_gap: Annotated[
        int | None,
        typer.Option(
            help="The least number of days from one Sentinel-2 date to the next. Default: the "
            "dataset's, such as 17."
        ),
    ] = None,
    s1_rule: Annotated[
        str | None,
        typer.Option(
            help="Which Sentinel-1 dates go with a Sentinel-2 date: first (the first of its "
            "month), first2 to first9 (the first two to nine of its month), or nearest (in time). "
            "Default: the dataset's."
        ),
    ] = None,
    data_root: Annotated[
        Path | None, typer.Option(help="Choose only among the rasters that lie in this data root.")
    ] = None,
    left_out: Annotated[
        Path | None,
        typer.Option(
            help="A file to write: the patches that are left out for want of a Sentinel-1 date, "
            "one per line."
        ),
    ] = None,
    year: Year = None,
    any_tile: AnyTile = False,
) -> None:
    """Select one date per month for every patch and write a file.

    Prints the number of patches by split and tile.
    """
    from multisenge_lib import dataset as data
    from multisenge_lib.files import write_text

    _check_out(out, (".csv", ".parquet", ".gpkg"))
    # Read before the label files, so that a slip is reported at once.
    chosen_months = None if months is None else _whole_numbers(months, "months")
    labels = _find_labels(labels or data_root)
    # With --any-tile, a tile that has a split keeps it; only unknown tiles have none.
    dataset = _dataset_of(labels, year, any_tile=False)
    index = data.read_index(labels, _dataset_of(labels, year, any_tile))
    if data_root is not None:
        index = data.only_existing(index, data_root, dataset.sensors)
    selection = data.make_selection(index, chosen_months, days_gap, s1_rule, dataset)
    table = selection.patches
    # An empty file would pass for a result.
    if table.empty:
        raise MultiSenGEError(
            "0 patches selected, nothing written: no patch has an image in each of these months, "
            "so far apart: give fewer months or a smaller --days-gap"
        )
    if left_out is not None:
        write_text(left_out, "".join(f"{patch}\n" for patch in selection.without_s1))
    if out.suffix == ".csv":
        data.to_csv(table, out)
    else:
        _write_footprints(table, dataset.patch_pixels, out)
    typer.echo(f"{counted(len(table), 'patch', 'patches')}, written to {out}")
    _print_counts(table, data.SPLITS)


@app.command("count-labels")
def count_labels(labels: Labels = None) -> None:
    """Count over the real label files again, for the book.

    Writes the committed counts that the chapters read. The sample is refused.
    """
    from multisenge_lib.tools import write_label_counts

    # Not `_find_labels`: what the book counts is MultiSenGE, never the sample.
    labels = labels or paths.real_labels()
    if labels is None:
        raise MultiSenGEError(
            "no real label files: give --labels, or set MULTISENGE_LABELS or MULTISENGE_ROOT"
        )
    typer.echo(f"Wrote {write_label_counts(labels)}")


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _pairs(texts: list[str], option: str, example: str) -> dict[str, str]:
    """Read `B8A=B8` and the like as a dict."""
    pairs = {}
    for text in texts:
        key, _, value = text.partition("=")
        if not (key and value):
            raise MultiSenGEError(f"{option} {text!r}: give pairs such as {example}")
        pairs[key.strip()] = value.strip()
    return pairs


def _reclass(text: str) -> dict[str, int]:
    """Read `10=1,20=2` as a dict from ids, or texts, of a reference to class ids."""
    example = "--reclass 10=1,20=2,255=0"
    # What stands in the reference stays text: the column of a vector may hold names.
    class_of = {}
    for old, new in _pairs(_listed(text), "--reclass", example).items():
        if not new.isdecimal():
            raise MultiSenGEError(f"--reclass {old}={new}: give class ids, such as {example}")
        class_of[old] = int(new)
    return class_of


@app.command("import")
def import_images(
    root: Annotated[
        Path, typer.Argument(help="The data root to write: a folder that is new or empty.")
    ],
    sources: Annotated[
        list[Path],
        typer.Argument(
            help="Rasters with the date in their name, folders of them, NetCDF or Zarr cubes."
        ),
    ],
    name: Annotated[
        str | None, typer.Option(help="Name of the dataset. Default: the name of the root.")
    ] = None,
    reference: Annotated[
        Path | None,
        typer.Option(
            help="The reference, a raster or a vector (.shp, .gpkg, ...) of classes. Without it "
            "the area can be mapped, but not trained on."
        ),
    ] = None,
    classes: Annotated[
        str,
        typer.Option(
            help="Names of the reference's classes from id 1, joined by commas. Default: "
            "MultiSenGE's."
        ),
    ] = "",
    reclass: Annotated[
        str,
        typer.Option(
            help="For each id, or name, in the reference the class id to write, such as 10=1,20=2; "
            "0 means no data. Default: the ids are class ids already."
        ),
    ] = "",
    attribute: Annotated[
        str | None,
        typer.Option(
            help="The column of a vector reference, a field of its attribute table, that holds the "
            "class of each shape: an id or a name. Default: class, label, code or the like, or the "
            "only column."
        ),
    ] = None,
    size: Annotated[
        int,
        typer.Option(
            help="Pixels of 10 m along the side of a patch, a multiple of 32 from 32 to 512."
        ),
    ] = 256,
    s1_unit: Annotated[
        str | None,
        typer.Option(
            help="Unit of the Sentinel-1 values: linear (intensity), db (decibels), or dn (digital "
            "numbers n that mean 20 log10 n - 83 dB). Default: linear, refused where the values "
            "contradict it."
        ),
    ] = None,
    s2_scale: Annotated[
        float | None,
        typer.Option(
            help="Factor from the Sentinel-2 values to reflectance x 10,000: give 10000 where "
            "values are 0 to 1. Default: as scale tags of the raster say, else 1."
        ),
    ] = None,
    s2_offset: Annotated[
        float | None,
        typer.Option(
            help="What is added to the Sentinel-2 values, in their own unit, before the factor. "
            "Not above 0. Default: as offset tags say, or the processing baseline of each ESA "
            "product (-1000 from N0400 on), else 0."
        ),
    ] = None,
    no_data: Annotated[
        float | None,
        typer.Option(help="The stored value that means no data, where a raster has no tag for it."),
    ] = None,
    s1_bands: Annotated[
        str, typer.Option(help="Bands of Sentinel-1 rasters in their order, such as VV,VH.")
    ] = "",
    s2_bands: Annotated[
        str,
        typer.Option(
            help="Bands of Sentinel-2 rasters in their order, - for one of no use. Counts more "
            "than names in the rasters."
        ),
    ] = "",
    fill: Annotated[
        list[str] | None, typer.Option(help="Fill a missing band from another one, such as B8A=B8.")
    ] = None,
    crs: Annotated[
        str | None,
        typer.Option(
            help="Coordinate system of images that do not name theirs, such as EPSG:32631."
        ),
    ] = None,
) -> None:
    """Cut your own images into the layout of the dataset."""
    from multisenge_lib.area import InputUnits, import_area

    imported = import_area(
        root,
        sources,
        name=name,
        reference=reference,
        classes=_listed(classes),
        reclass=_reclass(reclass),
        attribute=attribute,
        size=size,
        units=InputUnits(s1_unit, s2_scale, s2_offset, no_data),
        s1_bands=_listed(s1_bands),
        s2_bands=_listed(s2_bands),
        fill=_pairs(fill or [], "--fill", "B8A=B8"),
        crs=crs,
        progress=True,
    )
    for notice in imported.notices:
        typer.echo(notice)
    patches = counted(imported.patches, "patch", "patches")
    typer.echo(f"Wrote {patches} of {size} pixels to {imported.root}")
    description = imported.root / "dataset.toml"
    typer.echo(f"Look at {description}, then: multisenge check {imported.root}")


def _print_plan(labels: Path) -> None:
    """Print what a full run takes, and which numbers to compare first."""
    from multisenge_lib.dataset import MULTISENGE, TYPOLOGIES
    from multisenge_lib.paper import replication
    from multisenge_lib.tools import format_quantity, measured_rates, plan_full_run

    dataset = _dataset_of(labels, None, False)
    table, _ = plan_full_run(labels, dataset)
    for row in table.itertuples():
        typer.echo(f"{row.what:<38} {format_quantity(row.value, row.unit):>12} {row.how}")
    rates = measured_rates()
    typer.echo(
        f"Times: rates of one machine ({rates.machine}), measured on {rates.date} by the "
        "benchmarks, with all files in its memory; your disk and processor will differ."
    )
    # Other authors published these counts for MultiSenGE's test tile; no other dataset has them.
    if dataset.name != MULTISENGE.name:
        return
    typer.echo("To compare first: pixels of the test tile by class, as others counted them")
    for name, pixels in zip(TYPOLOGIES["10c"].names, replication().support[10], strict=True):
        typer.echo(f"  {name:<36} {pixels:>12,}")


@app.command("check")
def check_files(
    root: Annotated[
        Path, typer.Argument(help="The data root. With --plan, the label files will do.")
    ],
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="Number of threads that read. Default: one per processor."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    as_plan: Annotated[
        bool,
        typer.Option(
            "--plan",
            help="Read no image: print what a full run takes on disk (GB), in memory (GB) and in "
            "time (hours, days).",
        ),
    ] = False,
) -> None:
    """Read every raster of a data root and report problems.

    Exits with 1 if problems were found.
    """
    if as_plan:
        return _print_plan(_find_labels(root))
    from multisenge_lib.area import check_root

    report = check_root(root, workers, progress=True)
    typer.echo(json.dumps(report.to_json(), indent=1) if as_json else report.to_text())
    # 1 for scripts: the command itself was right, else it would be 2.
    raise typer.Exit(1 if report.problems else 0)


class SeveralRasters(TyperCommand):
    """A command whose --s1 and --s2 take all values up to the next option: --s2 JUL AUG SEP NOV.

    A shell writes `--s2 *.tif` out in this way. The parser gives an option one value, so the option
    is repeated before each further value.
    """

    def parse_args(self, ctx: "click.Context", args: list[str]) -> list[str]:
        """Parse the arguments of the command."""
        return super().parse_args(ctx, _repeat_options(args, ("--s1", "--s2")))


def _repeat_options(arguments: Sequence[str], options: Sequence[str]) -> list[str]:
    """Write `--s2 A B` and `--s2=A B` as `--s2 A --s2 B`."""
    repeated = []
    current = None  # the option that the next values belong to
    for position, argument in enumerate(arguments):
        if argument == "--":  # by convention no option follows it
            return repeated + list(arguments[position:])
        name, equals, value = argument.partition("=")
        if name in options:
            current = name
            if equals:
                repeated += [name, value]
        elif argument.startswith("-"):
            current = None
            repeated.append(argument)
        elif current:
            repeated += [current, argument]
        else:
            repeated.append(argument)
    return repeated


def _refuse_options(options: Sequence[str], chosen: str, other: str) -> None:
    """Refuse options that would be ignored, because they belong to the other kind of input."""
    if options:
        names = ", ".join(f"--{name.replace('_', '-')}" for name in options)
        raise MultiSenGEError(f"{names}: for {other} only, leave it out with {chosen}")


@app.command("predict", cls=SeveralRasters)
def predict_maps(
    model: Annotated[
        Path | None,
        typer.Argument(help="The model.keras that training wrote.", show_default=False),
    ] = None,
    root: Annotated[
        Path | None,
        typer.Argument(
            help="A data root. Its patches are mapped, one mosaic per tile. Leave it out with --s1 "
            "and --s2."
        ),
    ] = None,
    out: Annotated[
        Path,
        typer.Option(help="The map to write, a .tif; for a data root, the folder of its maps."),
    ] = Path("maps"),
    s2: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILES",
            help="Sentinel-2 rasters, one per month in the network's order, separated by spaces: "
            "--s2 JUL.tif AUG.tif SEP.tif NOV.tif.",
        ),
    ] = None,
    s1: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILES", help="Sentinel-1 rasters, in the same way."),
    ] = None,
    tiles: Annotated[
        str, typer.Option(help="Map only these tiles of the data root, joined by commas.")
    ] = "",
    probabilities: Annotated[
        bool,
        typer.Option(
            "--probabilities",
            help="Write the probability of each class too, beside the map: NAME_probabilities.tif.",
        ),
    ] = False,
    entropy: Annotated[
        bool,
        typer.Option(
            "--entropy",
            help="Write the doubt at each pixel too, from 0 (certain) to 1: NAME_entropy.tif.",
        ),
    ] = False,
    window: Annotated[
        int | None,
        typer.Option(
            help="Pixels along the side of the windows in which rasters are mapped, a multiple of "
            "32. Default: 256."
        ),
    ] = None,
    overlap: Annotated[
        int | None,
        typer.Option(
            help="Pixels that two windows share, at most half a window. Default: a quarter of it."
        ),
    ] = None,
    band_order: Annotated[
        str,
        typer.Option(
            help="Only for Sentinel-2 rasters that do not name their bands: spectral (B2 B3 B4 B5 "
            "B6 B7 B8 B8A B11 B12) or resolution (B2 B3 B4 B8 B5 B6 B7 B8A B11 B12)."
        ),
    ] = "spectral",
    any_month: Annotated[
        bool | None,
        typer.Option(
            "--any-month", help="Accept rasters of other months than the network was trained on."
        ),
    ] = None,
    network: Annotated[
        str | None,
        typer.Option(
            help="The file and function of a network of your own: my_networks.py:build. Needed "
            "only where that file defines layers."
        ),
    ] = None,
    overwrite: Annotated[
        bool,
        typer.Option(
            "--overwrite", help="Replace another map at this place, and your files beside it."
        ),
    ] = False,
) -> None:
    """Draw maps of rasters or of a data root."""
    from multisenge_lib.dataset import check_band_order
    from multisenge_lib.errors import printable

    # Optional for the parser alone: in `--s2 JUL AUG model.keras` it sees one more raster.
    if model is None:
        raise MultiSenGEError(
            "no MODEL: name it before --s2 and --s1, which take all names up to the next option"
        )
    rasters = {}
    if s1:
        rasters["s1"] = s1
    if s2:
        rasters["s2"] = s2
    if bool(rasters) == bool(root):
        raise MultiSenGEError("give either a data root, or rasters with --s2 and --s1")

    raster_options = {"window": window, "overlap": overlap, "any_month": any_month}
    # Only those that were given: `predict_rasters` has the defaults.
    raster_options = {name: value for name, value in raster_options.items() if value is not None}
    if root:
        _refuse_options(list(raster_options), chosen="a data root", other="rasters")
    elif tiles:
        _refuse_options(["tiles"], chosen="rasters", other="a data root")

    layers = []
    if probabilities:
        layers.append("probabilities")
    if entropy:
        layers.append("entropy")
    options = {
        "layers": layers,
        "band_order": check_band_order(band_order),
        "network": network,
        "overwrite": overwrite,
        "progress": True,
    }
    # Imported after the checks: it loads Keras, which takes seconds.
    from multisenge_lib.maps import predict_rasters, predict_root

    if root:
        chosen = [tile.strip() for tile in tiles.split(",") if tile.strip()]
        maps = predict_root(model, root, out, tiles=chosen or None, **options)
    else:
        maps = [predict_rasters(model, rasters, out, **raster_options, **options)]
    for path in maps:
        typer.echo(f"Wrote {printable(path)}")


@app.command("evaluate")
def evaluate_network(
    model: Annotated[Path, typer.Argument(help="The model.keras that training wrote.")],
    root: Annotated[Path, typer.Argument(help="A data root with the classes of the network.")],
    split: Annotated[
        str, typer.Option(help="Which patches of the root: train, validation or test.")
    ] = "test",
    out: Annotated[
        Path | None,
        typer.Option(help="The folder of the record. Default: one below results/evaluations/."),
    ] = None,
    maps: Annotated[
        Path | None, typer.Option(help="Draw maps of these patches too, into this folder.")
    ] = None,
    own_months: Annotated[
        bool,
        typer.Option(
            "--own-months",
            help="Take the months of the root, not those the network was trained on.",
        ),
    ] = False,
    band_order: Annotated[
        str,
        typer.Option(
            help="Only for Sentinel-2 rasters that do not name their bands: spectral or "
            "resolution, see the help of predict."
        ),
    ] = "spectral",
    network: Annotated[
        str | None,
        typer.Option(
            help="The file and function of a network of your own: my_networks.py:build. Needed "
            "only where that file defines layers."
        ),
    ] = None,
) -> None:
    """Score a trained network on a split of a data root.

    Writes a record, prints the scores by class, and draws maps on request.
    """
    from multisenge_lib.dataset import check_band_order, dataset_of_root
    from multisenge_lib.errors import printable
    from multisenge_lib.maps import predict_root
    from multisenge_lib.results import format_scores
    from multisenge_lib.tools import evaluate_model, evaluation_table, write_evaluation

    order = check_band_order(band_order)
    record = evaluate_model(
        model,
        root,
        split,
        own_months=own_months,
        band_order=order,
        network=network,
        progress=True,
    )
    typer.echo(
        f"{record.metadata.title}: {counted(len(record.patches), 'patch', 'patches')} for {split} "
        f"of {record.metadata.dataset}"
    )
    typer.echo(format_scores(record))
    typer.echo(evaluation_table(record).round(4).to_string())
    # After the scores, so that they are not lost where the folder is refused.
    folder = write_evaluation(record, out)
    typer.echo(f"Wrote {printable(folder)}")
    if maps is None:
        return
    # The maps come from the same months as the scores.
    months = dataset_of_root(root).months if own_months else None
    options = {"months": months, "band_order": order, "network": network, "progress": True}
    for path in predict_root(model, root, maps, split=split, **options):
        typer.echo(f"Wrote {printable(path)}")


@app.command("transfer")
def compare_transfer(
    model: Annotated[
        Path, typer.Argument(help="The model.keras of a network that was trained on the sample.")
    ],
    seeds: Annotated[
        str,
        typer.Option(
            help="Seeds of the trainings, whole numbers joined by commas. Each seed is six "
            "trainings."
        ),
    ] = "1,2,3",
    updates: Annotated[
        int,
        typer.Option(
            help="Steps of each training, a batch in each, 4 or more. The default is what the "
            "sample's network had. With 64, a look of a few minutes at how it runs: too few for a "
            "network that starts at random."
        ),
    ] = 960,
    size: Annotated[
        int,
        typer.Option(
            help="Pixels of 10 m along the side of a patch, a multiple of 32 from 32 to 256."
        ),
    ] = 64,
    replace_records: Annotated[
        bool,
        typer.Option(
            "--replace-records",
            help="Also replace records of trainings of another length, or from another network.",
        ),
    ] = False,
) -> None:
    """Compare fine-tuning with training from scratch.

    Trains at a second synthetic place with 5, 20 and 100 % of its patches, and writes records of
    the dataset south. A run that was interrupted goes on. Each of the six runs of a seed takes
    about ten minutes on two free cores.
    """
    from multisenge_lib.errors import printable
    from multisenge_lib.files import keep_freed_memory
    from multisenge_lib.tools import run_transfer

    numbers = []
    for seed in seeds.split(","):
        if not seed.strip().isdecimal():
            raise MultiSenGEError(f"--seeds {seeds!r}: give whole numbers, such as 1,2,3")
        numbers.append(int(seed))
    # On Linux a training step is then more than twice as fast: freed arrays are used again.
    keep_freed_memory()
    folders = run_transfer(
        model, numbers, updates, size, progress=True, replace_records=replace_records
    )
    for folder in folders:
        typer.echo(f"Wrote {printable(folder)}")


@app.command("audit")
def print_audit(
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the findings in full, as a JSON list.")
    ] = False,
) -> None:
    """Check the numbers and sentences that the paper prints."""
    from multisenge_lib import audit

    findings = audit.findings()
    if as_json:
        # `vars` turns each finding, a dataclass, into a dict.
        typer.echo(json.dumps(findings, indent=2, default=vars))
        return
    for finding in findings:
        typer.echo(f"{finding.verdict:<17}  {finding.title} ({finding.where})")
        if finding.verdict != audit.AGREES:
            typer.echo(f"{'':<19}published: {finding.published}; derived: {finding.derived}")
    for verdict in audit.VERDICTS:
        count = sum(finding.verdict == verdict for finding in findings)
        typer.echo(f"{count:>4} {verdict}")


#: The help of --dataset, of two commands.
_DATASET_HELP = (
    "The dataset of the records, a folder of results/. Default: that of MULTISENGE_ROOT, or sample."
)


def _dataset_of_records(dataset: str | None) -> tuple[str, str]:
    """Return the dataset whose records a command reads, and in words who chose it."""
    from multisenge_lib.dataset import SAMPLE, dataset_of_root, given_data_root

    if dataset is not None:
        return dataset, "--dataset"
    root = given_data_root()
    if root is None:
        return SAMPLE.name, "MULTISENGE_ROOT is not set"
    return dataset_of_root(root).name, "the dataset of MULTISENGE_ROOT"


@app.command("compare")
def compare_records(
    experiments: Annotated[
        list[str],
        typer.Argument(help="Experiments with records; each is compared with the first."),
    ],
    dataset: Annotated[str | None, typer.Option(help=_DATASET_HELP)] = None,
    score: Annotated[
        str,
        typer.Option(
            help="Which score: accuracy, weighted_precision, weighted_recall, weighted_f1, "
            "macro_f1, mean_iou, kappa; or urban_f1, the mean F1 of classes 1 to 5, by which "
            "networks of different classes can be compared."
        ),
    ] = "macro_f1",
    out: Annotated[
        Path | None, typer.Option(help="Write the table with all digits too: .csv or .json.")
    ] = None,
) -> None:
    """Compare the records of experiments, over seeds and patches.

    Prints mean and deviation over the seeds, and differences to the first experiment with intervals
    that are corrected for the number of comparisons. With one seed each, the intervals are unknown
    and no difference is clear: a claim takes five seeds, or three of a variant.
    """
    from multisenge_lib.files import write_text
    from multisenge_lib.results import (
        compare_experiments,
        comparison_notes,
        comparison_text,
    )

    if out is not None:
        _check_out(out, (".csv", ".json"))
    name, chosen_by = _dataset_of_records(dataset)
    table = compare_experiments(experiments, name, score)
    typer.echo(f"{score} on {name} ({chosen_by}); differences to {experiments[0]}")
    typer.echo(comparison_text(table).to_string())
    for note in comparison_notes(experiments, name):
        typer.echo(note)
    if out is None:
        return
    if out.suffix == ".csv":
        # The same bytes on every system, also on Windows.
        write_text(out, table.to_csv(lineterminator="\n"))
    else:
        write_text(out, table.reset_index().to_json(orient="records", indent=1) + "\n")
    typer.echo(f"Wrote {out}")


@app.command("config")
def print_config(
    experiment: Annotated[str, typer.Argument(help="An experiment with a record.")],
    dataset: Annotated[str | None, typer.Option(help=_DATASET_HELP)] = None,
    seed: Annotated[int, typer.Option(help="The seed of the record.")] = 1,
    out: Annotated[
        Path | None, typer.Option(help="Write the file, .yaml, instead of printing it.")
    ] = None,
) -> None:
    """Print how a record was trained, for papermill -f."""
    from multisenge_lib.errors import RecordError
    from multisenge_lib.files import write_text
    from multisenge_lib.results import read_existing_runs, to_yaml

    if out is not None:
        _check_out(out, (".yaml", ".yml"))
    name, chosen_by = _dataset_of_records(dataset)
    runs = {record.metadata.seed: record for record in read_existing_runs(name, experiment)}
    if seed not in runs:
        raise RecordError(
            f"{name} has no record of {experiment} with seed {seed}: there are seeds "
            f"{', '.join(map(str, runs))}"
        )
    text = to_yaml(runs[seed])
    # To standard error, so that the output stays a file for papermill.
    typer.echo(f"the record of {name} ({chosen_by})", err=True)
    if out is None:
        # The text ends its last line itself, as a file does.
        typer.echo(text, nl=False)
    else:
        typer.echo(f"Wrote {write_text(out, text)}")


@app.command("bench")
def run_benchmarks(
    parts: Annotated[
        list[str] | None,
        typer.Argument(
            help="Which parts: start, index, metrics, check, data, conv_lstm, networks, growth, "
            "tile. Default: all but tile, which takes half an hour."
        ),
    ] = None,
    quick: Annotated[
        bool,
        typer.Option(
            "--quick", help="Measure small sizes once: a trial run, whose times mean little."
        ),
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            help="The file of the record, a .json. Default: book/data/performance.json after a run "
            "of all parts, and no file after any other."
        ),
    ] = None,
) -> None:
    """Run the benchmarks of the clone in this folder."""
    script = Path("benchmarks", "run.py")
    if not script.is_file():
        raise FileError(
            f"{script} is not in {Path.cwd()}: the benchmarks are not part of the package: run "
            "this command in the folder of a clone of the repository"
        )
    # A process of its own: the library imports nothing from benchmarks/.
    command = [sys.executable, str(script), *(parts or [])]
    if quick:
        command.append("--quick")
    if out:
        command += ["--out", str(out)]
    raise typer.Exit(subprocess.run(command).returncode)


#: The extra that brings a package, for those that a base installation lacks.
EXTRA_OF = {
    "tensorflow": "cpu",
    "tensorboard": "cpu",
    "jax": "jax",
    "xarray": "area",
    "h5netcdf": "area",
    "zarr": "area",
    "odc": "stac",
    "pystac": "stac",
    "pystac_client": "stac",
    "sklearn": "forest",
    "IPython": "book",
    "papermill": "book",
    "jinja2": "book",
}


def _missing_package(error: ModuleNotFoundError) -> str:
    """Say in one line how to get a package that is not installed."""
    # `error.name` may be a module inside the package, such as odc.stac.
    package = (error.name or str(error)).partition(".")[0]
    if package not in EXTRA_OF:
        return f"the package {package} is not installed: install the project again"
    extra = EXTRA_OF[package]
    return (
        f"this command needs the package {package}, of the extra {extra}: in a clone of the "
        f"repository, run: pip install '.[{extra}]'"
    )


#: 128 + 2, as shells report a process that Ctrl-C ended.
_INTERRUPTED = 130


def _one_line_warning(message, category, filename, lineno, file=None, line=None) -> None:
    print(f"warning: {message}", file=sys.stderr)


def _fail(message: str, code: int = 2) -> None:
    print(f"error: {message}", file=sys.stderr)
    sys.exit(code)


def main() -> None:
    """Run the command line; an error that the user can fix is one line and exit code 2."""
    # By default a warning shows a file and a line of the library, which help no user.
    warnings.showwarning = _one_line_warning
    arguments = sys.argv[1:]
    try:
        app(arguments)
    except MultiSenGEError as error:
        _fail(str(error))
    except ModuleNotFoundError as error:
        _fail(_missing_package(error))
    except ImportError as error:  # a compiled library that cannot be loaded, for want of memory
        reason = str(error).partition("\n")[0]
        _fail(f"a package cannot be loaded ({reason}): free memory, or install the project again")
    except KeyboardInterrupt:
        _fail("interrupted", code=_INTERRUPTED)
    except SystemExit as end:
        # Typer ends a command that Ctrl-C interrupts with this status, and says nothing.
        if end.code == _INTERRUPTED:
            _fail("interrupted", code=_INTERRUPTED)
        raise
    # A full disk or a missing permission that no function has put into words of its own.
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        _fail(f"{where}{error.strerror or error}")


if __name__ == "__main__":
    main()
