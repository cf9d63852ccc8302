"""Commands on the published dataset and its sample: get it, look at it, select from it."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from multisenge_lib import paths
from multisenge_lib.cli.app import (
    AnyTile,
    Labels,
    Size,
    Year,
    app,
    check_out,
    dataset_of_labels,
    find_labels,
)
from multisenge_lib.errors import FileError, MultiSenGEError, counted

if TYPE_CHECKING:
    import pandas as pd


@app.command("sample")
def write_sample(
    out: Annotated[Path, typer.Argument(help="A folder that is new or empty.")],
    size: Size = 64,
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
        check_out(out, (".parquet", ".gpkg"))
    labels = find_labels(labels)
    dataset = dataset_of_labels(labels, year, any_tile)
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

    check_out(out, (".csv", ".parquet", ".gpkg"))
    if left_out is not None:
        check_out(left_out)
        if left_out.resolve() == out.resolve():
            raise FileError(f"--out and --left-out are both {out}: give two names")
    # Read before the label files, so that a slip is reported at once.
    chosen_months = None if months is None else _whole_numbers(months, "months")
    labels = find_labels(labels or data_root)
    dataset = dataset_of_labels(labels, year, any_tile=False)
    rules = {"months": chosen_months, "days_gap": days_gap, "s1_rule": s1_rule}
    given = {name: value for name, value in rules.items() if value is not None}
    dataset = replace(dataset, **given)
    index = data.read_index(labels, dataset_of_labels(labels, year, any_tile))
    if any_tile:
        # A tile that has a split keeps it. Unknown tiles are for training.
        tiles = index["tile"].unique()
        dataset = replace(dataset, split_of_tile={tile: dataset.split_of(tile) for tile in tiles})
    if data_root is not None:
        index = data.only_existing(index, data_root, dataset.sensors)
    selection = data.make_selection(index, dataset=dataset)
    table = selection.patches
    if left_out is not None:
        write_text(left_out, "".join(f"{patch}\n" for patch in selection.without_s1))
    # An empty file would pass for a result.
    if table.empty:
        reason = data.why_none_selected(index, dataset)
        raise MultiSenGEError(f"0 patches selected, {out.name} is not written; {reason}")
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

    # Not `find_labels`: what the book counts is MultiSenGE, never the sample.
    labels = labels or paths.real_labels()
    if labels is None:
        raise MultiSenGEError(
            "no real label files: give --labels, or set MULTISENGE_LABELS or MULTISENGE_ROOT"
        )
    typer.echo(f"Wrote {write_label_counts(labels)}")
