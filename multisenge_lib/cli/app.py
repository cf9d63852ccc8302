"""The program `multisenge`, and what several of its commands share: options and checks."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer.core import TyperGroup

from multisenge_lib import paths
from multisenge_lib.errors import FileError, MultiSenGEError

if TYPE_CHECKING:
    import click

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
Size = Annotated[
    int,
    typer.Option(help="Pixels of 10 m along the side of a patch, a multiple of 32 from 32 to 256."),
]


def listed(text: str) -> list[str]:
    """Read `VV,VH` and the like as a list."""
    return [part.strip() for part in text.split(",") if part.strip()]


def refuse_options(options: Sequence[str], chosen: str, other: str) -> None:
    """Refuse options that would be ignored.

    Args:
        options: the names of those that were given, such as `any_month` for --any-month.
        chosen: what was given, with which they mean nothing.
        other: what they belong to.
    """
    if options:
        names = ", ".join(f"--{name.replace('_', '-')}" for name in options)
        raise MultiSenGEError(f"{names}: for {other} only, leave it out with {chosen}")


def find_labels(labels: Path | None) -> Path:
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


def dataset_of_labels(labels: Path, year: int | None, any_tile: bool) -> "Dataset":
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


def check_out(out: Path, endings: tuple[str, ...] = ()) -> None:
    """Refuse a file that cannot be written before the work begins; without endings any will do."""
    if endings and out.suffix not in endings:
        raise FileError(f"{out}: the ending must be {' or '.join(endings)}")
    folder = out.parent
    if not folder.is_dir():
        raise FileError(f"{out} cannot be written: there is no folder {folder}: make it first")
    # Asked, not tried: a file opened here would stay, empty, if the command fails later.
    if (out.exists() and not out.is_file()) or not os.access(folder, os.W_OK):
        raise FileError(f"{out} cannot be written: choose another folder or name")
