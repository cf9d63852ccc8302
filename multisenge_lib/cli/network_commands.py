"""Commands with a trained network: draw maps, score it, and train it further at another place."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer.core import TyperCommand

from multisenge_lib import paths
from multisenge_lib.cli.app import Size, app, listed, refuse_options
from multisenge_lib.errors import FileError, MultiSenGEError, counted, printable
from multisenge_lib.files import check_can_write

if TYPE_CHECKING:
    import click

#: An option of two commands.
Network = Annotated[
    str | None,
    typer.Option(
        help="The file and function of a network of your own: my_networks.py:build. Needed only "
        "where that file defines layers."
    ),
]


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


def _check_folder_of_maps(out: Path, option: str) -> None:
    """Refuse a file, or the name of one, as the folder of the maps of a data root."""
    is_folder = out.is_dir()
    if not is_folder and (out.exists() or out.suffix.lower() in (".tif", ".tiff")):
        raise FileError(
            f"{option} {printable(out)} is no folder: a data root has a map for each tile, so give "
            "the folder of the maps"
        )


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
    network: Network = None,
    overwrite: Annotated[
        bool,
        typer.Option(
            "--overwrite", help="Replace another map at this place, and your files beside it."
        ),
    ] = False,
) -> None:
    """Draw maps of rasters or of a data root."""
    from multisenge_lib.dataset import check_band_order
    from multisenge_lib.models import read_model_card

    # Optional for the parser alone: in `--s2 JUL AUG model.keras` it sees one more raster.
    if model is None:
        raise MultiSenGEError(
            "no MODEL: name it before --s2 and --s1, which take all names up to the next option"
        )
    rasters = {sensor: files for sensor, files in (("s1", s1), ("s2", s2)) if files}
    if bool(rasters) == bool(root):
        raise MultiSenGEError("give either a data root, or rasters with --s2 and --s1")

    # Only those that were given: `predict_rasters` has the defaults.
    for_rasters = {"window": window, "overlap": overlap, "any_month": any_month}
    raster_options = {name: value for name, value in for_rasters.items() if value is not None}
    if root:
        _check_folder_of_maps(out, "--out")
        refuse_options(list(raster_options), chosen="a data root", other="rasters")
    elif tiles:
        refuse_options(["tiles"], chosen="rasters", other="a data root")

    layers = {"probabilities": probabilities, "entropy": entropy}
    options = {
        "layers": [layer for layer, wanted in layers.items() if wanted],
        "band_order": check_band_order(band_order),
        "network": network,
        "overwrite": overwrite,
        "progress": True,
    }
    # What is no network is refused before Keras is loaded, which takes seconds.
    read_model_card(model)
    from multisenge_lib.maps import predict_rasters, predict_root

    if root:
        maps = predict_root(model, root, out, tiles=listed(tiles) or None, **options)
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
    network: Network = None,
    overwrite: Annotated[
        bool,
        typer.Option(
            "--overwrite",
            help="With --maps: also replace maps of other data, and your own files of their names.",
        ),
    ] = False,
) -> None:
    """Score a trained network on a split of a data root.

    Writes a record, prints the scores by class, and draws maps on request.
    """
    from multisenge_lib.dataset import check_band_order, dataset_of_root
    from multisenge_lib.models import read_model_card

    order = check_band_order(band_order)
    if overwrite and maps is None:
        raise MultiSenGEError("--overwrite is about maps, and none are asked for: give --maps")
    # What is no network is refused before Keras is loaded, which takes seconds.
    read_model_card(model)
    check_can_write(
        paths.results_dir() if out is None else out,
        "the record's place",
        "give another folder with --out",
    )
    if maps is not None:
        _check_folder_of_maps(maps, "--maps")
        check_can_write(maps, "the folder of the maps", "give another one with --maps")
    from multisenge_lib.maps import check_places_of_maps, predict_root
    from multisenge_lib.results import format_scores
    from multisenge_lib.tools import (
        check_evaluation_folder,
        check_place_of_record,
        evaluation_table,
        prepare_evaluation,
        score_patches,
        write_evaluation,
    )

    if out is not None:
        check_evaluation_folder(out)
    evaluation = prepare_evaluation(
        model, root, split, own_months=own_months, band_order=order, network=network
    )
    check_place_of_record(evaluation, out)
    if maps is not None:
        for_maps = {
            "split": split,
            # The maps come from the same months as the scores.
            "months": dataset_of_root(root).months if own_months else None,
            "band_order": order,
            "network": network,
            "overwrite": overwrite,
        }
        check_places_of_maps(model, root, maps, **for_maps)
    record = score_patches(evaluation, progress=True)
    typer.echo(
        f"{record.metadata.title}: {counted(len(record.patches), 'patch', 'patches')} for {split} "
        f"of {record.metadata.dataset}"
    )
    typer.echo(format_scores(record))
    typer.echo(evaluation_table(record).round(4).to_string())
    # After the scores, so that they are not lost where this fails.
    folder = write_evaluation(record, out)
    typer.echo(f"Wrote {printable(folder)}")
    if maps is None:
        return
    drawn = predict_root(model, root, maps, progress=True, **for_maps)
    for path in drawn:
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
            "sample's network had. 64 gives a quick look in a few minutes, too few steps for a "
            "network that starts at random."
        ),
    ] = 960,
    size: Size = 64,
    replace_records: Annotated[
        bool,
        typer.Option(
            "--replace-records",
            help="Also replace records of trainings of another length, from another network, or "
            "on patches of another size.",
        ),
    ] = False,
) -> None:
    """Compare fine-tuning with training from scratch.

    Trains at a second synthetic place with 5, 20 and 100 % of its patches, and writes records of
    the dataset south. A run that was interrupted goes on. Each of the six runs of a seed takes
    about ten minutes on two free cores.
    """
    from multisenge_lib.memory import keep_freed_memory
    from multisenge_lib.models import read_model_card

    numbers = []
    for seed in seeds.split(","):
        if not seed.strip().isdecimal():
            raise MultiSenGEError(f"--seeds {seeds!r}: give whole numbers, such as 1,2,3")
        numbers.append(int(seed))
    # What is no network is refused before Keras is loaded, which takes seconds.
    read_model_card(model)
    from multisenge_lib.tools import run_transfer

    # On Linux a training step is then more than twice as fast: freed arrays are used again.
    keep_freed_memory()
    folders = run_transfer(
        model, numbers, updates, size, progress=True, replace_records=replace_records
    )
    for folder in folders:
        typer.echo(f"Wrote {printable(folder)}")
