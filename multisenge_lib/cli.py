"""The command line, `multisenge …`: thin; each command calls one or two functions of the library.

An error that the user can mend is one line (a list of wrong files: one each) and exit code 2.
"""

import json
import sys
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from multisenge_lib import audit, paths, sample
from multisenge_lib.dataset import (
    LABELS,
    MULTISENGE,
    REFERENCE,
    SPLITS,
    census,
    download,
    geo,
    read_index,
    selection,
    series,
)
from multisenge_lib.errors import MultiSenGEError

app = typer.Typer(
    help="Land cover from Sentinel-1 and Sentinel-2 time series: the data side of the book.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
_out = Console(highlight=False, soft_wrap=True)

Labels = Annotated[
    Path | None,
    typer.Option(
        help="Folder of label files, or their .tar.gz/.tgz. Default: MULTISENGE_LABELS, then "
        "MULTISENGE_ROOT, then the sample."
    ),
]
AnyTile = Annotated[bool, typer.Option("--any-tile", help="Allow tiles beyond MultiSenGE's 14.")]
Year = Annotated[int, typer.Option(help="The year that all dates must be of.")]


def _labels(labels: Path | None) -> Path:
    return labels or paths.real_labels() or sample.ensure_sample() / LABELS


def _index(labels: Path | None, year: int, any_tile: bool):
    splits = {} if any_tile else MULTISENGE.split_of_tile
    return read_index(_labels(labels), replace(MULTISENGE, years=(year,), split_of_tile=splits))


@app.command("sample")
def write_sample(
    out: Annotated[Path, typer.Argument(help="A folder that is new or empty.")],
    size: Annotated[int, typer.Option(help="Pixels along a patch's side, 32 to 256.")] = 64,
    seed: Annotated[int, typer.Option(help="Same seed, same bytes.")] = 2020,
) -> None:
    """Write the sample: a small MultiSenGE in the published layout."""
    root = sample.write_sample(out, size=size, seed=seed, progress=True)
    _out.print(f"Wrote {root}. To work on it as on real data: export MULTISENGE_ROOT={root}")


@app.command("index")
def write_index(
    labels: Labels = None,
    out: Annotated[
        Path | None, typer.Option(help="Write footprints for a GIS: .parquet or .gpkg.")
    ] = None,
    year: Year = 2020,
    any_tile: AnyTile = False,
) -> None:
    """Check all label files and count them; with --out, write the patches' footprints."""
    index = _index(labels, year, any_tile)
    dates = {sensor: index[f"{sensor}_dates"].map(len) for sensor in ("s1", "s2")}
    _out.print(f"{len(index):,} patches on {index['tile'].nunique()} tiles")
    for sensor, count in dates.items():
        _out.print(
            f"{sensor.upper()}: {count.sum():,} files, {count.min()} to {count.max()} dates a patch"
        )
    for tile, count in index["tile"].value_counts().sort_index().items():
        _out.print(f"  {tile} {count:>6,}")
    if out is not None:
        _out.print(f"Wrote {geo.export(geo.footprints(index), out)}")


def _numbers(text: str, what: str) -> list[int]:
    try:
        return [int(number) for number in text.split(",")]
    except ValueError:
        raise MultiSenGEError(
            f"{what} {text!r}: give whole numbers joined by commas, such as 7,8"
        ) from None


@app.command("select")
def write_selection(
    out: Annotated[Path, typer.Option(help="The CSV file to write.")],
    labels: Labels = None,
    months: Annotated[str, typer.Option(help="Joined by commas, in order.")] = "7,8,9,11",
    days_gap: Annotated[int, typer.Option(help="Least days from one date to the next.")] = 17,
    s1_rule: Annotated[
        str, typer.Option(help="first: of each month, as the authors; or nearest: to each S2 date.")
    ] = "first",
    data_root: Annotated[
        Path | None, typer.Option(help="Choose only among rasters that exist below this folder.")
    ] = None,
    year: Year = 2020,
    any_tile: AnyTile = False,
) -> None:
    """Choose a date a month for each patch, write them, and count patches by split and tile."""
    asked = _numbers(months, "months")
    index = _index(labels, year, any_tile)
    if data_root is not None:
        index = selection.only_existing(index, data_root)
    table = selection.select(index, asked, days_gap, s1_rule)
    if out.suffix in (".gpkg", ".parquet"):
        geo.export(geo.footprints(table), out)
    else:
        selection.to_csv(table, out)
    _out.print(f"{len(table):,} patches, written to {out}")
    for split in SPLITS:
        tiles = table.loc[table["split"] == split, "tile"].value_counts().sort_index()
        _out.print(f"{split:<10} {tiles.sum():>6,}")
        for tile, count in tiles.items():
            _out.print(f"  {tile:<8} {count:>6,}")


@app.command("records")
def write_records(labels: Labels = None) -> None:
    """Count over the real label files and write the records that the chapters read."""
    found = labels or paths.real_labels()
    if found is None:
        raise MultiSenGEError(
            "no real label files: give --labels, or set MULTISENGE_LABELS or MULTISENGE_ROOT"
        )
    _out.print(f"Wrote {census.write_record(found)}")
    _out.print(f"Wrote {series.write_series(found)}")


@app.command("download")
def download_archives(
    root: Annotated[Path, typer.Argument(help="The data root, the folder for MULTISENGE_ROOT.")],
    archives: Annotated[
        list[str] | None,
        typer.Argument(help="labels (4 MB), ground_reference (25 MB), s2 (80 GB), s1 (110 GB)."),
    ] = None,
    keep: Annotated[bool, typer.Option(help="Keep the archives beside what they hold.")] = True,
) -> None:
    """Fetch, verify and unpack published archives; without names, the two small ones."""
    names = archives or [LABELS, REFERENCE]
    for name, count in download.download(root, names, keep=keep).items():
        _out.print(f"{root / name}: {count:,} files")


@app.command("check")
def check_files(
    root: Annotated[Path, typer.Argument(help="The data root.")],
    workers: Annotated[
        int | None, typer.Option(min=1, help="Threads that read; by default one a processor.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The report as JSON.")] = False,
) -> None:
    """Read every raster of a data root: what is there, missing or damaged. Exit 1: to mend."""
    from multisenge_lib.dataset import check_root

    report = check_root(root, workers, progress=True)
    typer.echo(json.dumps(report.to_json(), indent=1) if as_json else report.to_text())
    raise typer.Exit(1 if report.problems else 0)


@app.command("audit")
def print_audit(
    as_json: Annotated[
        bool, typer.Option("--json", help="The findings in full, as a JSON list.")
    ] = False,
) -> None:
    """Check the numbers and sentences that the paper prints, and print the verdicts."""
    found = audit.findings()
    if as_json:
        typer.echo(json.dumps(audit.to_json(found), indent=2))
        return
    for finding in found:
        typer.echo(f"{finding.verdict:<17}  {finding.title} ({finding.where})")
        if finding.verdict != audit.AGREES:
            typer.echo(f"{'':<19}published: {finding.published}; derived: {finding.derived}")
    for verdict in audit.VERDICTS:
        typer.echo(f"{sum(f.verdict == verdict for f in found):>4} {verdict}")


@app.command("ablations")
def measure_ablations(
    seeds: Annotated[
        str, typer.Option(help="Joined by commas; one run a variant and seed.")
    ] = "1,2,3,4,5",
    epochs: Annotated[int, typer.Option(help="At most, of each run.")] = 10,
    data_root: Annotated[
        Path | None, typer.Option(help="Default: the sample with patches of 32 pixels.")
    ] = None,
) -> None:
    """Train variants of what the paper leaves open, and record their scores."""
    from multisenge_lib.training import measure_all  # imports Keras, which takes seconds

    path = measure_all(_numbers(seeds, "seeds"), epochs, data_root)
    _out.print(f"Wrote {path}")


def _one_line_warning(message, category, filename, lineno, file=None, line=None) -> None:
    print(f"warning: {message}", file=sys.stderr)


def main() -> None:
    """Run the command line; errors that the user can mend end it with exit code 2."""
    warnings.showwarning = _one_line_warning
    try:
        app()
    except MultiSenGEError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except OSError as error:
        print(f"error: {error.filename or 'file'}: {error.strerror or error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
