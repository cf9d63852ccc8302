"""Commands on data roots of your own: import images, and check what a root holds."""

import json
from pathlib import Path
from typing import Annotated

import typer

from multisenge_lib.cli.app import app, dataset_of_labels, find_labels, listed, refuse_options
from multisenge_lib.errors import MultiSenGEError, counted


def _pairs(texts: list[str], option: str, example: str) -> dict[str, str]:
    """Read `B8A=B8` and the like as a dict."""
    pairs = {}
    for text in texts:
        key, _, value = (part.strip() for part in text.rpartition("="))
        if not (key and value):
            raise MultiSenGEError(f"{option} {text!r}: give pairs such as {example}")
        if pairs.setdefault(key, value) != value:
            raise MultiSenGEError(f"{option} gives {key} both {pairs[key]} and {value}: give one")
    return pairs


def _listed_pairs(text: str) -> list[str]:
    """Read `10=1,20=2` as a list; a name may hold commas: `Wheat, winter=1,Maize=2`."""
    pairs = []
    name = ""
    for part in text.split(","):
        name += part
        if "=" in part:
            pairs.append(name.strip())
            name = ""
        elif name.strip():
            name += ","
    return [*pairs, name.strip(", ")] if name.strip(", ") else pairs


def _reclass(text: str) -> dict[str, int]:
    """Read `10=1,20=2` as a dict from ids, or texts, of a reference to class ids."""
    example = "--reclass 10=1,20=2,255=0"
    # What stands in the reference stays text: the column of a vector may hold names.
    class_of = {}
    for old, new in _pairs(_listed_pairs(text), "--reclass", example).items():
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
            help="Pixels of 10 m along the side of a patch, a multiple of 32 from 32 to 1024."
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
        classes=listed(classes),
        reclass=_reclass(reclass),
        attribute=attribute,
        size=size,
        units=InputUnits(s1_unit, s2_scale, s2_offset, no_data),
        s1_bands=listed(s1_bands),
        s2_bands=listed(s2_bands),
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

    dataset = dataset_of_labels(labels, None, False)
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
        given = {"json": as_json, "workers": workers is not None}
        options = [name for name, is_given in given.items() if is_given]
        refuse_options(options, chosen="--plan", other="reading the rasters")
        return _print_plan(find_labels(root))
    from multisenge_lib.area import check_root

    report = check_root(root, workers, progress=True)
    typer.echo(json.dumps(report.to_json(), indent=1) if as_json else report.to_text())
    # 1 for scripts: the command itself was right, else it would be 2.
    raise typer.Exit(1 if report.problems else 0)
