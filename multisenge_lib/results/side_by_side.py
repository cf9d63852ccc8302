"""Records of several experiments side by side: scores, differences to the first, and costs."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from multisenge_lib import paths
from multisenge_lib.errors import RecordError, counted, printable
from multisenge_lib.results.differences import (
    correct,
    mean_score,
    paired_difference,
)
from multisenge_lib.results.record_files import list_records, read_runs
from multisenge_lib.results.records import Metadata, Record, differing_names, start_identity


def compare_experiments(
    experiments: Sequence[str], dataset: str = "sample", score: str = "macro_f1"
) -> pd.DataFrame:
    """Compare the runs of several experiments on one dataset, each with the first of them.

    How differences are measured and corrected is described in `results.differences`.

    Args:
        experiments: names such as `s1s2_10c`, `forest_10c` or `inception_10c+peepholes`.
        dataset: whose records, the name of a folder in `results/`.
        score: one of `COMPARABLE`.

    Returns:
        One row per experiment, indexed by name:

        - `title`; `seeds`, how many runs there are.
        - `mean` and `std` of the score over the seeds; `low` and `high`, the ends of the mean's
          95 % interval over seeds and test patches.
        - `difference` of the means over pairs of runs, this experiment minus the first one;
          `pairs` of runs; `difference_low` and `difference_high`, corrected for the number of
          rows; `p_value`, corrected; `clear`, whether a sentence may claim the difference. Empty
          for the first experiment.
        - `parameters` that are trained; `operations` of floating point and `seconds` of training,
          both the mean of the runs.

    Raises:
        RecordError: no experiment is named, or one has no records; two cannot be compared; the
            seeds of one were not trained alike; or there is no such score.
    """
    runs = _read_runs_of_all(experiments, dataset)
    for name, records in runs.items():
        _check_trained_alike(name, records)
    _check_same_data(runs)

    rows = {name: _describe(records, score) for name, records in runs.items()}
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("experiment")
    differences = _differences_to_first(runs, score)
    # The first experiment is not compared with itself: its cells stay empty.
    columns = ["difference", "pairs", "difference_low", "difference_high", "p_value", "clear"]
    compared = pd.DataFrame.from_dict(differences, orient="index", columns=columns)
    joined = table.join(compared)
    costs = ["parameters", "operations", "seconds"]
    others = [column for column in joined if column not in costs]
    return joined[others + costs]


def comparison_notes(experiments: Sequence[str], dataset: str = "sample") -> list[str]:
    """Say in sentences what may be behind a difference, besides the networks.

    Two networks that were trained with other settings, or one of them from the weights of a third,
    are compared all the same: whoever reads the table has to know.

    Args:
        experiments: as in `compare_experiments`.
        dataset: likewise.

    Returns:
        A sentence for each experiment that was started from the weights of another network, the
        first included; then one for each that was trained with other settings than the first.

    Raises:
        RecordError: no experiment is named, or one has no records.
    """
    runs = _read_runs_of_all(experiments, dataset)
    first, *others = experiments
    notes = []
    for name in experiments:
        start = runs[name][0].metadata.start_from
        if start is not None:
            weights = f"{start['experiment']} on {start['dataset']}"
            notes.append(f"{name} was started from weights of {weights}.")
    for name in others:
        of_first = runs[first][0].metadata.settings
        own = runs[name][0].metadata.settings
        names = differing_names(of_first, own)
        if names:
            own_values = _values_text(own, names)
            first_values = _values_text(of_first, names)
            notes.append(f"{name} was trained with {own_values}; {first} with {first_values}.")
    return notes


def comparable_runs(
    runs: Mapping[str, Sequence[Record]],
) -> tuple[dict[str, list[Record]], list[str]]:
    """Keep the runs of several networks that can be compared: on the same data, trained alike.

    1. Runs that did not start from random weights are left out.
    2. For each set of sensors, runs are left out that are not on the data of the newest run.
    3. If the remaining runs differ in settings, those with the most frequent settings are kept.

    Args:
        runs: the runs of each network, by any name.

    Returns:
        The runs that are kept, by the same names, none where all differ; and a sentence for each
        network of which runs are left out.
    """
    from_random_weights = [
        record
        for records in runs.values()
        for record in records
        if record.metadata.start_from is None
    ]
    newest_first = sorted(
        from_random_weights, key=lambda record: record.metadata.finished, reverse=True
    )
    fingerprints: dict[tuple[str, ...], str] = {}
    for record in newest_first:
        fingerprints.setdefault(_sensors(record.metadata), record.metadata.fingerprint)
    usual = _usual_settings(newest_first, fingerprints)

    kept = {}
    notes = []
    for name, records in runs.items():
        kept[name] = []
        left_out: dict[str, list[str]] = {}
        for record in records:
            reason = _reason_to_leave_out(record, fingerprints, usual)
            if reason:
                left_out.setdefault(reason, []).append(str(record.metadata.seed))
            else:
                kept[name].append(record)
        for reason, seeds in left_out.items():
            seeds_text = f"seed {seeds[0]}" if len(seeds) == 1 else f"seeds {', '.join(seeds)}"
            notes.append(f"{name} ({seeds_text}) is left out: {reason}.")
    return kept, notes


def _usual_settings(
    newest_first: Sequence[Record], fingerprints: Mapping[tuple[str, ...], str]
) -> Mapping[str, object]:
    """Return the settings of most networks on the current data; of the newest if it is a tie.

    A random forest has other settings, so it is not counted.
    """
    settings = []
    for record in newest_first:
        metadata = record.metadata
        on_current_data = metadata.fingerprint == fingerprints[_sensors(metadata)]
        if on_current_data and not metadata.is_forest:
            settings.append(metadata.settings)

    usual: Mapping[str, object] = {}
    most_runs = 0
    for own in settings:  # the newest first, which wins a tie
        # Records of different code may lack each other's settings, so they are not compared by
        # equality.
        runs_alike = sum(not differing_names(own, other) for other in settings)
        if runs_alike > most_runs:
            most_runs = runs_alike
            usual = own
    return usual


def _reason_to_leave_out(
    record: Record, fingerprints: Mapping[tuple[str, ...], str], usual: Mapping[str, object]
) -> str:
    """Say why a run is not compared with the others; empty where it is."""
    metadata = record.metadata
    if metadata.start_from is not None:
        return "it was started from the weights of another network"
    if metadata.fingerprint != fingerprints[_sensors(metadata)]:
        return "it was trained on an older state of the data than the others"
    own = metadata.settings
    names = differing_names(usual, own)
    if names:
        return (
            f"it was trained with {_values_text(own, names)}, the others with "
            f"{_values_text(usual, names)}"
        )
    return ""


def _values_text(settings: Mapping[str, object], names: Sequence[str]) -> str:
    return ", ".join(f"{name} {settings[name]}" for name in names)


def _check_trained_alike(experiment: str, records: Sequence[Record]) -> None:
    """Refuse seeds of one experiment that differ in more than the seed.

    A network in a file of one's own has the same name after an edit, and any parameter of the
    notebook can be changed between two seeds. Their mean would be that of two experiments.

    Raises:
        RecordError: what differs, and between which seeds.
    """
    first = records[0].metadata
    for record in records[1:]:
        other = record.metadata
        names = differing_names(first.choices, other.choices)
        names += differing_names(first.settings, other.settings)
        if first.fingerprint != other.fingerprint:
            names.append("the packed patches")
        if start_identity(first.start_from) != start_identity(other.start_from):
            names.append("the weights that training started from")
        if names:
            older, newer = sorted((first, other), key=lambda metadata: metadata.finished)
            raise RecordError(
                f"seeds {first.seed} and {other.seed} of {experiment} on {first.dataset} differ in "
                f"{', '.join(names)}, so they cannot be averaged: train seed {older.seed} again as "
                f"you trained seed {newer.seed}"
            )


def _sensors(metadata: Metadata) -> tuple[str, ...]:
    return tuple(metadata.choices.get("sensors", ()))


def _check_same_data(runs: Mapping[str, Sequence[Record]]) -> None:
    """Refuse networks that were trained on two states of the data, as far as records tell.

    A sample of newer code has patches of the same names with other pixels. Networks of other
    sensors may have other packed patches on the same data, so of these only the reference is
    compared: the pixels of each class in each test patch.

    Raises:
        RecordError: which two.
    """
    by_sensors: dict[tuple[str, ...], Record] = {}
    for records in runs.values():
        record = records[0]
        by_sensors.setdefault(_sensors(record.metadata), record)
        for other in by_sensors.values():
            if _is_on_same_data(record, other):
                continue
            if _sensors(record.metadata) != _sensors(other.metadata) and (
                record.patches != other.patches
            ):
                raise RecordError(_other_patches(record, other))
            both = (record.metadata, other.metadata)
            older, newer = sorted(both, key=lambda metadata: metadata.finished)
            raise RecordError(
                f"{older.experiment} was trained on an older state of {newer.dataset} than "
                f"{newer.experiment}, with other pixels or patches: train {older.experiment} again"
            )


def _other_patches(one: Record, other: Record) -> str:
    """Say that two networks of other sensors were tested on other patches, and what to do."""
    only_in_one = sorted(set(one.patches) ^ set(other.patches))[0]
    return (
        f"{_tested_on(one)} of {one.metadata.dataset} and {_tested_on(other)}, and only one of "
        f"them on {only_in_one}, which may lack rasters of a sensor: fetch these or remove the "
        "patch, and train both again"
    )


def _tested_on(record: Record) -> str:
    patches = counted(len(record.patches), "patch", "patches")
    return f"{record.metadata.experiment} was tested on {patches}"


def _is_on_same_data(record: Record, other: Record) -> bool:
    if record.metadata.fingerprint == other.metadata.fingerprint:
        return True
    if _sensors(record.metadata) == _sensors(other.metadata) or record.patches != other.patches:
        return False
    if record.metadata.classes != other.metadata.classes:
        return True  # their pixels are of other classes, so nothing tells
    own_reference = record.confusions.sum(axis=2)
    other_reference = other.confusions.sum(axis=2)
    return np.array_equal(own_reference, other_reference)


def _read_runs_of_all(experiments: Sequence[str], dataset: str) -> dict[str, list[Record]]:
    if not experiments:
        raise RecordError("no experiment is named: name one or more that have records")
    if len(set(experiments)) < len(experiments):
        raise RecordError(f"{', '.join(experiments)}: name each experiment once")
    return {name: read_existing_runs(dataset, name) for name in experiments}


def read_existing_runs(dataset: str, experiment: str) -> list[Record]:
    """Read the records of an experiment, one per seed, as `read_runs` does.

    Raises:
        RecordError: there is none; the message lists the experiments that have records.
    """
    records = read_runs(dataset, experiment)
    if not records:
        trained = sorted({key.experiment for key in list_records(dataset)})
        raise RecordError(
            f"{dataset} has no record of {experiment} in {printable(paths.results_dir())}: train "
            "it with the notebook, or let MULTISENGE_RESULTS name another folder; there are "
            f"records of {', '.join(trained) or 'no experiment'}"
        )
    return records


def _describe(records: Sequence[Record], score: str) -> dict[str, object]:
    """Score and cost of one experiment's runs."""
    mean = mean_score(records, score)
    low, high = mean.interval()
    return {
        "title": records[0].metadata.title,
        "seeds": mean.seeds,
        "mean": mean.value,
        "std": mean.std,
        "low": low,
        "high": high,
        "parameters": records[0].metadata.parameters["trainable"],
        "operations": float(np.mean([record.metadata.operations for record in records])),
        "seconds": float(np.mean([record.history["seconds"].sum() for record in records])),
    }


def _differences_to_first(
    runs: dict[str, list[Record]], score: str
) -> dict[str, dict[str, object]]:
    """Compare each experiment with the first one; all comparisons are one family."""
    first, *others = runs
    differences = {}
    for name in others:
        differences[name] = paired_difference(runs[name], runs[first], score)

    rows = {}
    for name, tested in correct(differences).items():
        rows[name] = {
            "difference": tested.difference.value,
            "pairs": tested.difference.seeds,
            "difference_low": tested.low,
            "difference_high": tested.high,
            "p_value": tested.p_value,
            "clear": tested.is_clear,
        }
    return rows


def comparison_text(table: pd.DataFrame, score: str = "macro_f1") -> pd.DataFrame:
    """Write a table of `compare_experiments` out as text, in the columns that people read.

    Args:
        table: from `compare_experiments`.
        score: the one that was compared, whose range no interval exceeds.

    Returns:
        Columns `mean`, `95 %`, `difference`, `95 %, corrected`, `clear`, `seeds`, `pairs`,
        `weights`, `operations, 10¹²`, `minutes`.
    """
    lowest = -1 if score == "kappa" else 0
    widest = 1 - lowest  # no difference of two scores is larger
    rows = {}
    for number, (name, row) in enumerate(table.iterrows()):
        is_first = number == 0
        # A forest has nodes of trees in place of weights, and no operations are counted for it.
        is_network = row["operations"] > 0
        if is_first:  # there is nothing to compare it with
            comparison = {"difference": "", "95 %, corrected": "", "clear": ""}
        else:
            comparison = {
                "difference": _score_text(row["difference"], "+.3f"),
                "95 %, corrected": _interval_text(
                    row["difference_low"], row["difference_high"], (-widest, widest), "+.3f"
                ),
                "clear": "yes" if row["clear"] else "no",
            }
        mean = _score_text(row["mean"], ".3f")
        if row["seeds"] > 1 and np.isfinite(row["mean"]):
            mean += f" ± {row['std']:.3f}"
        rows[name] = {
            "mean": mean,
            "95 %": _interval_text(row["low"], row["high"], (lowest, 1), ".3f"),
            **comparison,
            "seeds": f"{row['seeds']}",
            "pairs": "" if is_first else f"{row['pairs']:.0f}",
            "weights": f"{row['parameters']:,}" + ("" if is_network else " nodes"),
            "operations, 10¹²": _amount(row["operations"] / 1e12) if is_network else "not counted",
            "minutes": f"{row['seconds'] / 60:.1f}",
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("experiment")


def _amount(value: float) -> str:
    """Write a number with one decimal, or where that would be 0.0 with two digits."""
    return f"{value:,.1f}" if value >= 1 else f"{value:.2g}"


def _score_text(value: float, number_format: str) -> str:
    # Kappa is not defined where the reference and the map have one class only.
    return "undefined" if np.isnan(value) else f"{value:{number_format}}"


def _interval_text(low: float, high: float, limits: tuple[float, float], number_format: str) -> str:
    if np.isnan(low):
        return "unknown"
    # From two seeds an interval may be wider than any score, or difference of scores, can be.
    low, high = np.clip((low, high), *limits)
    return f"{low:{number_format}} to {high:{number_format}}"
