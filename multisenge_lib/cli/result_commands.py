"""Commands on results: the audit of the paper, records of experiments, benchmarks."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from multisenge_lib.cli.app import app, check_out
from multisenge_lib.errors import FileError


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
            "networks of six and of ten classes can be compared."
        ),
    ] = "macro_f1",
    out: Annotated[
        Path | None, typer.Option(help="Write the table with all digits too: .csv or .json.")
    ] = None,
) -> None:
    """Compare the records of experiments, over seeds and patches.

    Prints mean and deviation over the seeds, and differences to the first experiment with intervals
    that are corrected for the number of comparisons. A claim takes five seeds of both experiments.
    With one seed each, the intervals are unknown and no difference is clear.
    """
    from multisenge_lib.files import write_text
    from multisenge_lib.results import (
        compare_experiments,
        comparison_notes,
        comparison_text,
    )

    if out is not None:
        check_out(out, (".csv", ".json"))
    name, chosen_by = _dataset_of_records(dataset)
    table = compare_experiments(experiments, name, score)
    typer.echo(f"{score} on {name} ({chosen_by}); differences to {experiments[0]}")
    typer.echo(comparison_text(table, score).to_string())
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
        check_out(out, (".yaml", ".yml"))
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
