"""The results of transfer: fine-tuning compared with training from scratch, by share of patches."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
from matplotlib.figure import Figure

from multisenge_lib import paths
from multisenge_lib.chapters.gains import clearness_sentence, gain_cells, gain_table
from multisenge_lib.chapters.ladder import NOT_TRAINED
from multisenge_lib.chapters.style import (
    BLACK,
    DESKTOP_WIDTH,
    GREY,
    is_narrow,
    lower_legend,
)
from multisenge_lib.results import (
    EVALUATIONS,
    Record,
    common_seeds,
    correct,
    list_records,
    mean_score,
    paired_difference,
    read_record_from,
    read_runs,
)
from multisenge_lib.tools import FINE_TUNED, FROM_SCRATCH, TRANSFER_PLACE, TRANSFER_SHARES
from multisenge_lib.training import steps_per_pass

#: The ends of the experiments' names, with the words, the colour and the marker of each.
_WAYS = {
    FROM_SCRATCH: ("from scratch", GREY, "o"),
    FINE_TUNED: ("fine-tuned from the sample's network", BLACK, "s"),
}
_NAME = re.compile(rf"(.+)-(\d+)-({FROM_SCRATCH}|{FINE_TUNED})")


@dataclass(frozen=True)
class TransferRuns:
    """All records of the second place of one network.

    Attributes:
        experiment: the network's experiment, such as `s1s2_10c`; empty where nothing is trained.
        runs: by share and `FROM_SCRATCH` or `FINE_TUNED`, one record per seed.
        untouched: the evaluation of the sample's network as it is; None where there is none.
    """

    experiment: str
    runs: Mapping[tuple[int, str], list[Record]]
    untouched: Record | None


def read_transfer() -> TransferRuns:
    """Read the records of the second place; of several networks, the one with the most records.

    Only runs that belong together are compared: see `_of_one_comparison`.
    """
    by_experiment: dict[str, list[str]] = {}
    for key in list_records(TRANSFER_PLACE):
        match = _NAME.fullmatch(key.experiment)
        if match is not None:
            by_experiment.setdefault(match[1], []).append(key.experiment)
    if not by_experiment:
        return TransferRuns("", {}, None)
    experiment = max(sorted(by_experiment), key=lambda name: len(by_experiment[name]))
    runs = {}
    for name in sorted(set(by_experiment[experiment])):
        _, share, way = _NAME.fullmatch(name).groups()
        runs[int(share), way] = read_runs(TRANSFER_PLACE, name)
    runs = _of_one_comparison(runs)
    return TransferRuns(experiment, runs, _read_untouched(experiment, _origin(runs)))


def _of_one_comparison(
    runs: Mapping[tuple[int, str], list[Record]],
) -> dict[tuple[int, str], list[Record]]:
    """Leave out runs that cannot be compared with the newest one.

    These are runs of another length, from another network of the sample, or on another state of the
    data. So one later, shorter run hides all longer ones: give a quick look another
    `MULTISENGE_RESULTS`.
    """
    all_runs = []
    tuned = []
    for (_, way), records in runs.items():
        all_runs += records
        if way == FINE_TUNED:
            tuned += records
    epochs = _newest(all_runs).metadata.settings["epochs"]
    origin = _start_digest(_newest(tuned)) if tuned else None

    comparable = {}
    for (share, way), records in runs.items():
        # Each share of the patches is a data root of its own, so it has a fingerprint of its own.
        of_share = [*runs.get((share, FROM_SCRATCH), []), *runs.get((share, FINE_TUNED), [])]
        newest_of_share = _newest(of_share).metadata
        passes = newest_of_share.settings["passes_per_epoch"]
        of_comparison = []
        for record in records:
            settings = record.metadata.settings
            same_length = settings["epochs"] == epochs and settings["passes_per_epoch"] == passes
            same_data = record.metadata.fingerprint == newest_of_share.fingerprint
            same_start = way == FROM_SCRATCH or _start_digest(record) == origin
            if same_length and same_data and same_start:
                of_comparison.append(record)
        comparable[share, way] = of_comparison
    return comparable


def _newest(records: Sequence[Record]) -> Record:
    return max(records, key=lambda record: record.metadata.finished)


def _start_digest(record: Record) -> str | None:
    """Return the hash of the network that a run started from; None where it started at random."""
    start = record.metadata.start_from
    return None if start is None else start["digest"]


def _origin(runs: Mapping[tuple[int, str], list[Record]]) -> str | None:
    """Return the hash of the network that all fine-tuned runs started from; None without any."""
    for (_, way), records in runs.items():
        if way == FINE_TUNED and records:
            return _start_digest(records[0])
    return None


def _read_untouched(experiment: str, origin: str | None) -> Record | None:
    """Read the newest evaluation of the sample's network, before training at the second place."""
    folder = paths.results_dir() / EVALUATIONS / TRANSFER_PLACE
    records = []
    for path in folder.glob(f"{experiment}-of-sample-*/test*"):  # `-months-…` may follow
        record = read_record_from(path)
        if origin is None or record.metadata.evaluation["model_sha256"] == origin:
            records.append(record)
    return _newest(records) if records else None


def training_steps(record: Record) -> int:
    """Return how many batches a run was trained on."""
    settings = record.metadata.settings
    batches = steps_per_pass(
        record.metadata.patches["train"], settings["augmentation"], settings["batch_size"]
    )
    return len(record.history) * settings["passes_per_epoch"] * batches


def transfer_table(transfer: TransferRuns) -> pd.DataFrame:
    """Tabulate as text the macro F1 of both ways by share, and the difference between them.

    The steps are those of one run. The sample's own network has `tools.transfer.UPDATES` of them; a
    network from scratch with far fewer is not at the end of its training.
    """
    differences = {}
    for share in TRANSFER_SHARES:
        tuned = transfer.runs.get((share, FINE_TUNED))
        scratch = transfer.runs.get((share, FROM_SCRATCH))
        if tuned and scratch and common_seeds(tuned, scratch):
            differences[f"{share}%"] = paired_difference(tuned, scratch)
    gains = gain_table(correct(differences))

    rows = {}
    for share in TRANSFER_SHARES:
        name = f"{share}%"
        row = {"training patches": "–", "steps": "–"}
        for way, (words, _, _) in _WAYS.items():
            records = transfer.runs.get((share, way))
            row[words] = NOT_TRAINED
            if records:
                row["training patches"] = f"{records[0].metadata.patches['train']}"
                row["steps"] = f"{training_steps(records[0])}"
                row[words] = f"{mean_score(records, 'macro_f1').value:.3f}"
        row["difference"], row["95%, corrected"] = gain_cells(gains, name)
        row["pairs of runs"] = "0"
        if name in gains.index:
            row["pairs of runs"] = gains.loc[name, "pairs of runs"]
        rows[name] = row
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("share")


def transfer_sentences(transfer: TransferRuns) -> str:
    """Say in a few sentences what fine-tuning changes at each share, and what of it is clear."""
    if not transfer.runs:
        return (
            "These runs are not trained yet in this copy of the book, so you find here how the "
            "experiment is designed, and no result."
        )
    table = transfer_table(transfer)
    clauses = []
    for share, row in table.iterrows():
        if row["difference"] == "–":
            continue
        from_scratch, tuned = (row[words] for words, _, _ in _WAYS.values())
        change = row["difference"].removesuffix(", clear")
        clauses.append(f"{change} with {share} of the patches ({from_scratch} to {tuned})")
    if not clauses:
        return "No two runs that differ in their start alone are trained yet."
    pairs = table["pairs of runs"].astype(int).max()
    of = "the macro F1 of a single pair of runs" if pairs == 1 else "the mean macro F1"
    text = f"Fine-tuning changes {of} by {'; '.join(clauses)}."
    clear = table.index[table["difference"].str.endswith("clear")].tolist()
    return f"{text} {clearness_sentence(pairs, clear, 'it is clear at')}"


def transfer_figure(transfer: TransferRuns, width: float = DESKTOP_WIDTH) -> Figure:
    """Draw the macro F1 of both ways by the number of training patches.

    Args:
        transfer: from `read_transfer`, with one run or more.
        width: width of the figure, in inches.
    """
    import matplotlib.pyplot as plt

    size = (width, 2.8 if is_narrow(width) else 3.0)
    figure, ax = plt.subplots(figsize=size, layout="constrained")
    handles = []
    # Half a marker apart, so that the intervals of one share do not lie on each other.
    for (way, (words, color, marker)), shift in zip(_WAYS.items(), (0.97, 1.03), strict=True):
        means = []
        patches = []
        for share in TRANSFER_SHARES:
            records = transfer.runs.get((share, way))
            if not records:
                continue
            mean = mean_score(records, "macro_f1")
            at = shift * records[0].metadata.patches["train"]
            low, high = mean.interval()
            ax.vlines(at, low, high, color=color, lw=2)
            means.append(mean.value)
            patches.append(at)
        handles += ax.plot(patches, means, color=color, marker=marker, label=words)
    if transfer.untouched is not None:
        as_it_is = transfer.untouched.scores["macro_f1"]
        style = {"color": "#555555", "lw": 1, "ls": "--"}
        handles.append(ax.axhline(as_it_is, label="the sample's network as it is", **style))
    counts = sorted({r[0].metadata.patches["train"] for r in transfer.runs.values() if r})
    ax.set_xscale("log")
    ax.set_xticks(counts, [f"{count}" for count in counts])
    ax.set_xticks([], minor=True)
    # Of few seeds an interval may pass the ends that a score has.
    ax.set_ylim(0, 1)
    ax.set_xlabel("Training patches (logarithmic)")
    ax.set_ylabel("Macro F1")
    ax.grid(axis="y", lw=0.4)
    lower_legend(figure, handles)
    return figure
