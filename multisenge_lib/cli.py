"""The command line, `multisenge …`: thin; each command calls a few functions of the library.

An error that the user can mend is one line (a list of wrong files: one each) and exit code 2. Each
command imports what it needs, so that the help is there at once.
"""

import json
import os
import sys
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from multisenge_lib import paths
from multisenge_lib.errors import FileError, MultiSenGEError
from multisenge_lib.tools import format_quantity

if TYPE_CHECKING:
    import pandas as pd

    from multisenge_lib.dataset import Dataset

app = typer.Typer(
    help="Land cover from Sentinel-1 and Sentinel-2 time series: the data side of the book.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # its import takes longer than all else
)

Labels = Annotated[
    Path | None,
    typer.Option(
        help="Folder of label files, or their .tar.gz/.tgz. Default: MULTISENGE_LABELS, then "
        "MULTISENGE_ROOT, then the sample."
    ),
]
AnyTile = Annotated[bool, typer.Option("--any-tile", help="Allow any Sentinel-2 tile.")]
Year = Annotated[
    int | None, typer.Option(help="Of all dates. Default: the dataset's, 2020 for MultiSenGE.")
]


def _find_labels(labels: Path | None) -> Path:
    """The label files asked for; those below a data root where one is named."""
    from multisenge_lib.dataset import LABELS
    from multisenge_lib.sample import ensure_sample

    found = labels or paths.real_labels() or ensure_sample() / LABELS
    return found / LABELS if (found / LABELS).is_dir() else found


def _dataset_of(labels: Path, year: int | None, any_tile: bool) -> "Dataset":
    """What the labels' data root says it holds, else MultiSenGE, with what the user allows."""
    from dataclasses import replace

    from multisenge_lib.dataset import MULTISENGE, dataset_of_root, has_description

    dataset = dataset_of_root(labels.parent) if has_description(labels.parent) else MULTISENGE
    changes = {"years": (year,)} if year is not None else {}
    return replace(dataset, **changes, **({"split_of_tile": {}} if any_tile else {}))


def _check_out(out: Path, endings: tuple[str, ...]) -> None:
    """Refuse what cannot be written before the work begins."""
    if out.suffix not in endings:
        raise FileError(f"{out}: the ending must be {' or '.join(endings)}")
    folder = out.parent
    if not folder.is_dir():
        raise FileError(f"{out} cannot be written: there is no folder {folder}: make it first")
    if out.is_dir() or not os.access(folder, os.W_OK):
        raise FileError(f"{out} cannot be written: choose another folder or name")


@app.command("sample")
def write_sample(
    out: Annotated[Path, typer.Argument(help="A folder that is new or empty.")],
    size: Annotated[int, typer.Option(help="Pixels along a patch's side, 32 to 256.")] = 64,
    seed: Annotated[int, typer.Option(help="Same seed, same bytes.")] = 2020,
) -> None:
    """Write the sample: a small MultiSenGE in the published layout."""
    from multisenge_lib import sample

    root = sample.write_sample(out, size=size, seed=seed, progress=True)
    typer.echo(f"Wrote {root}. To work on it as on real data: export MULTISENGE_ROOT={root}")


@app.command("index")
def write_index(
    labels: Labels = None,
    out: Annotated[
        Path | None, typer.Option(help="Write footprints for a GIS: .parquet or .gpkg.")
    ] = None,
    year: Year = None,
    any_tile: AnyTile = False,
) -> None:
    """Check all label files and count them; with --out, write the patches' footprints."""
    from multisenge_lib.dataset import export, footprints, read_index

    if out is not None:
        _check_out(out, (".parquet", ".gpkg"))
    found = _find_labels(labels)
    dataset = _dataset_of(found, year, any_tile)
    index = read_index(found, dataset)
    typer.echo(f"{len(index):,} patches on {index['tile'].nunique()} tiles")
    for sensor in ("s1", "s2"):
        count = index[f"{sensor}_dates"].map(len)
        typer.echo(
            f"{sensor.upper()}: {count.sum():,} files, {count.min()} to {count.max()} dates a patch"
        )
    for tile, count in index["tile"].value_counts().sort_index().items():
        typer.echo(f"  {tile} {count:>6,}")
    if out is not None:
        typer.echo(f"Wrote {export(footprints(index, dataset.patch_pixels), out)}")


def _numbers(text: str, what: str) -> list[int]:
    try:
        return [int(number) for number in text.split(",")]
    except ValueError:
        raise MultiSenGEError(
            f"{what} {text!r}: give whole numbers joined by commas, such as 7,8"
        ) from None


def _say_selected(table: "pd.DataFrame", splits: Sequence[str]) -> None:
    """Patches by split and tile."""
    for split in splits:
        tiles = table.loc[table["split"] == split, "tile"].value_counts().sort_index()
        typer.echo(f"{split:<10} {tiles.sum():>6,}")
        for tile, count in tiles.items():
            typer.echo(f"  {tile:<8} {count:>6,}")


@app.command("select")
def write_selection(
    out: Annotated[Path, typer.Option(help="The file to write: .csv, .parquet or .gpkg.")],
    labels: Labels = None,
    months: Annotated[
        str | None,
        typer.Option(help="Joined by commas, in order. Default: the dataset's, as 7,8,9,11."),
    ] = None,
    days_gap: Annotated[
        int | None,
        typer.Option(help="Least days from one date to the next. Default: the dataset's, as 17."),
    ] = None,
    s1_rule: Annotated[
        str | None,
        typer.Option(
            help="first: of each month; nearest: to each S2 date. Default: the dataset's."
        ),
    ] = None,
    data_root: Annotated[
        Path | None, typer.Option(help="Choose only among rasters that exist below this folder.")
    ] = None,
    left_out: Annotated[
        Path | None,
        typer.Option(help="Write patches without a Sentinel-1 image to each date, a line each."),
    ] = None,
    year: Year = None,
    any_tile: AnyTile = False,
) -> None:
    """Choose a date a month for each patch, write them, and count patches by split and tile."""
    from multisenge_lib import dataset as data
    from multisenge_lib.files import write_text

    _check_out(out, (".csv", ".parquet", ".gpkg"))
    asked = None if months is None else _numbers(months, "months")
    found = _find_labels(labels or data_root)
    dataset = _dataset_of(found, year, any_tile=False)  # the split of a tile that has one stays
    index = data.read_index(found, _dataset_of(found, year, any_tile))
    if data_root is not None:
        index = data.only_existing(index, data_root, dataset.sensors)
    table = data.select(index, asked, days_gap, s1_rule, dataset)
    if table.empty:
        raise MultiSenGEError(
            "0 patches selected, nothing written: no patch has an image in each of these months, "
            "so far apart: give fewer months or a smaller --days-gap"
        )
    if left_out is not None:
        write_text(left_out, "".join(f"{patch}\n" for patch in table.attrs["without_s1"]))
    if out.suffix == ".csv":
        data.to_csv(table, out)
    else:
        data.export(data.footprints(table, dataset.patch_pixels), out)
    typer.echo(f"{len(table):,} patches, written to {out}")
    _say_selected(table, data.SPLITS)


@app.command("records")
def write_records(labels: Labels = None) -> None:
    """Count over the real label files and write the records that the chapters read."""
    from multisenge_lib.audit import label_counts

    found = labels or paths.real_labels()
    if found is None:
        raise MultiSenGEError(
            "no real label files: give --labels, or set MULTISENGE_LABELS or MULTISENGE_ROOT"
        )
    for path in label_counts.write_records(found):
        typer.echo(f"Wrote {path}")


@app.command("download")
def download_archives(
    root: Annotated[Path, typer.Argument(help="The data root, the folder for MULTISENGE_ROOT.")],
    archives: Annotated[
        list[str] | None,
        typer.Argument(help="labels (4 MB), ground_reference (25 MB), s2 (80 GB), s1 (110 GB)."),
    ] = None,
    keep: Annotated[bool, typer.Option(help="Keep the archives beside what they hold.")] = True,
    selected: Annotated[
        bool,
        typer.Option("--selected", help="Of s1 and s2, only what the paper's selection can use."),
    ] = False,
    url: Annotated[
        str | None, typer.Option(help="A mirror: the folder that the archives are in.")
    ] = None,
) -> None:
    """Fetch, verify and unpack published archives; without names, the two small ones."""
    from multisenge_lib.dataset import LABELS, REFERENCE
    from multisenge_lib.tools import URL, download

    names = archives or [LABELS, REFERENCE]
    for name, count in download(root, names, url or URL, keep=keep, selected=selected).items():
        typer.echo(f"{root / name}: {count:,} files")


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _pairs(texts: list[str]) -> dict[str, str]:
    """`B8A=B8` and the like, as a dict."""
    wrong = [text for text in texts if not all(text.partition("="))]
    if wrong:
        raise MultiSenGEError(f"--fill {wrong[0]!r}: give MISSING=OTHER, such as B8A=B8")
    return dict(text.split("=", 1) for text in texts)


@app.command("import")
def import_images(
    root: Annotated[Path, typer.Argument(help="The data root to make; new or empty.")],
    sources: Annotated[
        list[Path],
        typer.Argument(help="Rasters named by date, folders of them, NetCDF or Zarr cubes."),
    ],
    name: Annotated[str | None, typer.Option(help="Of the dataset. Default: the root's.")] = None,
    reference: Annotated[Path | None, typer.Option(help="A raster of class ids.")] = None,
    classes: Annotated[
        str, typer.Option(help="Names of its classes from id 1, by commas. Default: MultiSenGE's.")
    ] = "",
    size: Annotated[int, typer.Option(help="Pixels along a patch's side.")] = 256,
    s1_unit: Annotated[
        str | None, typer.Option(help="linear, db, or dn (20 log10 n - 83 dB).")
    ] = None,
    s2_scale: Annotated[float, typer.Option(help="10000 where reflectance is 0 to 1.")] = 1,
    s2_offset: Annotated[
        float, typer.Option(help="Added first: -1000 for ESA's products from N0400 on.")
    ] = 0,
    no_data: Annotated[
        float | None, typer.Option(help="A value that is no data, where no tag says so.")
    ] = None,
    s1_bands: Annotated[str, typer.Option(help="Of rasters that name none, such as VV,VH.")] = "",
    s2_bands: Annotated[str, typer.Option(help="Of rasters that name none, in order.")] = "",
    fill: Annotated[
        list[str] | None, typer.Option(help="A missing band from another, such as B8A=B8.")
    ] = None,
    crs: Annotated[str | None, typer.Option(help="Of cubes that do not name theirs.")] = None,
) -> None:
    """Cut your own images into the layout: labels, patches, dataset.toml."""
    from multisenge_lib.area import InputUnits, import_area

    made = import_area(
        root,
        sources,
        name=name,
        reference=reference,
        classes=_listed(classes),
        size=size,
        units=InputUnits(s1_unit, s2_scale, s2_offset, no_data),
        s1_bands=_listed(s1_bands),
        s2_bands=_listed(s2_bands),
        fill=_pairs(fill or []),
        crs=crs,
        progress=True,
    )
    wrote = f"Wrote {made.patches:,} patches of {size} pixels to {made.root}"
    then = f"Look at {made.root / 'dataset.toml'}, then: multisenge check {made.root}"
    typer.echo("\n".join([*made.said, wrote, then]))


def _print_plan(labels: Path) -> None:
    """What the whole of a dataset takes, and which of its numbers to compare first."""
    import pandas as pd

    from multisenge_lib.dataset import MULTISENGE, TYPOLOGIES
    from multisenge_lib.paper import replication
    from multisenge_lib.tools import plan, plan_training
    from multisenge_lib.training import Settings

    dataset = _dataset_of(labels, None, False)
    table, splits = plan(labels, dataset)
    if splits["train"] >= Settings().batch_size:
        table = pd.concat([table, plan_training(splits["train"], dataset.patch_pixels)])
    for row in table.itertuples():
        typer.echo(f"{row.what:<38} {format_quantity(row.value, row.unit):>12} {row.how}")
    if dataset.name == MULTISENGE.name:
        support = replication().support[10]
        typer.echo("To compare first: pixels of the test tile by class, as others counted them")
        for name, pixels in zip(TYPOLOGIES["10c"].names, support, strict=True):
            typer.echo(f"  {name:<36} {pixels:>12,}")


@app.command("check")
def check_files(
    root: Annotated[Path, typer.Argument(help="The data root; for --plan, or the labels.")],
    workers: Annotated[
        int | None, typer.Option(min=1, help="Threads that read; by default one a processor.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The report as JSON.")] = False,
    as_plan: Annotated[
        bool,
        typer.Option("--plan", help="Read no image: count the labels, and tell disk and time."),
    ] = False,
) -> None:
    """Read every raster of a data root: what is there, missing or damaged. Exit 1: to mend."""
    if as_plan:
        return _print_plan(_find_labels(root))
    from multisenge_lib.area import check_root

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
    from multisenge_lib import audit

    found = audit.findings()
    if as_json:
        typer.echo(json.dumps(found, indent=2, default=vars))
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
    from multisenge_lib.tools import measure_all

    path = measure_all(_numbers(seeds, "seeds"), epochs, data_root)
    typer.echo(f"Wrote {path}")


@app.command("bench")
def run_benchmarks(
    parts: Annotated[
        list[str] | None, typer.Argument(help="Some of them; a wrong name lists all.")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Small sizes, one turn.")] = False,
    out: Annotated[
        Path | None, typer.Option(help="Where the record goes. Default of a whole run: the book's.")
    ] = None,
) -> None:
    """Time the library beside other ways of the same work, in turns; needs a checkout."""
    import subprocess

    script = paths.PROJECT / "benchmarks" / "run.py"
    if not script.is_file():
        raise FileError(f"{script} is not there: the benchmarks need a checkout of the project")
    options = ["--quick"] * quick + (["--out", str(out)] if out else [])
    command = [sys.executable, str(script), *(parts or []), *options]
    raise typer.Exit(subprocess.run(command).returncode)


def _refuse(options: Iterable[str], root: Path | None) -> None:
    """Options of rasters with a data root, or the other way round."""
    if options := ", ".join(f"--{name.replace('_', '-')}" for name in options):
        of, given = ("rasters", "a data root") if root else ("a data root", "rasters")
        raise MultiSenGEError(f"{options}: of {of} alone, leave it out with {given}")


@app.command("predict")
def predict_maps(
    model: Annotated[Path, typer.Argument(help="A model.keras that training wrote.")],
    root: Annotated[
        Path | None, typer.Argument(help="A data root: its patches are mapped, a mosaic a tile.")
    ] = None,
    out: Annotated[
        Path, typer.Option(help="The map, a .tif; of a data root the folder of its maps.")
    ] = Path("maps"),
    s2: Annotated[
        list[Path] | None, typer.Option(help="Rasters, one a month: --s2 JUL AUG SEP NOV.")
    ] = None,
    s1: Annotated[list[Path] | None, typer.Option(help="The same of Sentinel-1.")] = None,
    tiles: Annotated[str, typer.Option(help="Of the data root, joined by commas.")] = "",
    probabilities: Annotated[bool, typer.Option("--probabilities", help="Of each class.")] = False,
    entropy: Annotated[bool, typer.Option("--entropy", help="Doubt of each pixel.")] = False,
    window: Annotated[
        int | None, typer.Option(help="Of rasters: pixels, a multiple of 32. Default: 256.")
    ] = None,
    overlap: Annotated[
        int | None, typer.Option(help="Pixels that windows share. Default: a quarter.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help="Processes for rasters; each needs 2 to 3 GB. Default: 1.")
    ] = None,
    band_order: Annotated[
        str, typer.Option(help="Of Sentinel-2 without band names: spectral or resolution.")
    ] = "spectral",
    any_month: Annotated[
        bool | None, typer.Option("--any-month", help="Take rasters of other months.")
    ] = None,
) -> None:
    """Map rasters of any size, or the patches of a data root, with a trained network."""
    from multisenge_lib.dataset import check_band_order
    from multisenge_lib.maps import predict_rasters, predict_root

    given = {sensor: paths for sensor, paths in (("s1", s1), ("s2", s2)) if paths}
    if bool(given) == bool(root):
        raise MultiSenGEError("give either a data root, or rasters with --s2 and --s1")
    many = {"window": window, "overlap": overlap, "workers": workers, "any_month": any_month}
    many = {name: value for name, value in many.items() if value is not None}
    _refuse(many if root else ["tiles"] * bool(tiles), root)
    common = {
        "layers": ["probabilities"] * probabilities + ["entropy"] * entropy,
        "band_order": check_band_order(band_order),
        "progress": True,
    }
    if root:
        chosen = [tile for tile in tiles.split(",") if tile] or None
        written = predict_root(model, root, out, tiles=chosen, **common)
    else:
        written = [predict_rasters(model, given, out, **many, **common)]
    for path in written:
        typer.echo(f"Wrote {path}")


def _spread(arguments: list[str], options: tuple[str, ...] = ("--s1", "--s2")) -> list[str]:
    """`--s2 A B` as `--s2 A --s2 B`: options that take several values."""
    spread, current = [], None
    for argument in arguments:
        if argument.startswith("-"):
            current = argument if argument in options else None
        elif current:
            spread += [current, argument]
            continue
        if not current:
            spread.append(argument)
    return spread


def _one_line_warning(message, category, filename, lineno, file=None, line=None) -> None:
    print(f"warning: {message}", file=sys.stderr)


def main() -> None:
    """Run the command line; errors that the user can mend end it with exit code 2."""
    warnings.showwarning = _one_line_warning
    arguments = _spread(sys.argv[1:]) if sys.argv[1:2] == ["predict"] else sys.argv[1:]
    try:
        app(arguments)
    except MultiSenGEError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        print(f"error: {where}{error.strerror or error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
