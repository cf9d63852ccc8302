"""The parameters of the notebook that train a record's network again, for `papermill -f`."""

from dataclasses import asdict
from typing import Any

import yaml

from multisenge_lib.errors import ExperimentError, RecordError, printable
from multisenge_lib.models import FOREST, VARIANT_MARK, get_experiment
from multisenge_lib.results.records import Metadata, Record

#: Choices that the name of an experiment decides. Months, days gap and dates per month are those of
#: its dataset.
_CHOICES_OF_A_NAME = (
    "filters",
    "peephole",
    "activation",
    "first_dates",
    "inception_filters",
    "inception_pool",
    "full_resolution_skip",
    "freeze_encoder",
    "s1_decibel",
)


def to_parameters(record: Record) -> dict[str, Any]:
    """Give the parameters of `notebooks/train.ipynb` that train a record's network again.

    They hold every setting, also those that were defaults, so that a later change of a default
    changes nothing. The data root is not among them: it is another folder on every machine.

    Args:
        record: the record of any experiment.

    Raises:
        RecordError: the record is of an evaluation, not of a training; of a random forest; or of an
            experiment that was changed in Python, which the notebook cannot train.

    Examples:
        >>> import multisenge_lib as ms
        >>> record = ms.read_record("sample", "s1s2_10c")  # doctest: +SKIP
        >>> to_parameters(record)["learning_rate"]  # doctest: +SKIP
        0.001
    """
    metadata = record.metadata
    if not metadata.settings:
        raise RecordError(
            f"the record of {metadata.experiment} on {metadata.dataset} has no settings: it is of "
            "an evaluation; give the record of the training"
        )
    parameters = _experiment_parameters(record)
    _check_choices(metadata)
    for name, value in metadata.settings.items():
        # None means that the default decides, in the notebook as well.
        if value is not None:
            parameters[name] = value
    parameters.update(metadata.selection)
    if metadata.band_order != "spectral":
        parameters["band_order"] = metadata.band_order
    if metadata.skipped:
        parameters["on_error"] = "skip"
    return parameters


def _experiment_parameters(record: Record) -> dict[str, Any]:
    """Return the parameters that name the experiment, and the network where it is a user's file."""
    metadata = record.metadata
    network = metadata.choices.get("network", "")
    if network == FOREST:
        raise RecordError(
            f"{metadata.experiment} is a random forest, which the notebook does not train: use "
            f"`snakemake --cores 2 --config exp={metadata.experiment}`"
        )
    if ".py:" not in network:
        return {"exp": metadata.experiment}
    # The experiment of the paper with the same sensors and classes stands for the data.
    sensors = "".join(metadata.choices["sensors"])
    _, *variants = metadata.experiment.split(VARIANT_MARK)
    exp = VARIANT_MARK.join([f"{sensors}_{metadata.classification}", *variants])
    return {"exp": exp, "network": network}


def _check_choices(metadata: Metadata) -> None:
    """Refuse choices that the name of the experiment does not give, such as other filters.

    Only the names of the library are known here: whoever describes an own area or writes an own
    network gives the choices with it.
    """
    try:
        experiment = get_experiment(metadata.experiment)
    except ExperimentError:
        return
    named = asdict(experiment)
    names = [name for name in _CHOICES_OF_A_NAME if name in metadata.choices]
    changed = [name for name in names if metadata.choices[name] != named[name]]
    if changed:
        values = ", ".join(f"{name} {metadata.choices[name]}" for name in changed)
        raise RecordError(
            f"the record of {metadata.experiment} on {metadata.dataset} has choices that its name "
            f"does not give ({values}), so the notebook would train another network: train it in "
            "Python, with dataclasses.replace(get_experiment(name), ...)"
        )


def to_yaml(record: Record) -> str:
    """Write the parameters of a record as a file for `papermill -f`, with a comment at its head."""
    metadata = record.metadata
    head = (
        f"# {metadata.experiment} on {metadata.dataset}, seed {metadata.seed}, as it was trained "
        f"until {printable(metadata.finished[:10])} by the code of "
        f"{printable((metadata.commit or 'no commit')[:7])}.\n"
        "# papermill notebooks/train.ipynb runs/again.ipynb -f THIS_FILE\n"
        "# The data root is that of MULTISENGE_ROOT; where it is not set, the sample.\n"
        '# Of settings that the notebook does not list, papermill says "Passed unknown parameter"; '
        "they count all the same.\n"
    )
    digest = metadata.choices.get("network_digest")
    if digest:
        network = metadata.choices["network"]
        file = network.rpartition(":")[0]
        head += (
            f"# Its network is in a file of your own, {printable(file)}: it must be where you run "
            f"papermill, or add -p network FOLDER/{printable(network)}\n"
            f"# (SHA-256 {printable(digest)}; another hash is another network).\n"
        )
    start = metadata.start_from
    if start is not None:
        network = f"{printable(start['experiment'])} on {printable(start['dataset'])}"
        head += (
            f"# It started from weights of {network}: give that model.keras with "
            f"-p start_from FILE -p start_from_part {printable(start['part'])}\n"
            f"# (SHA-256 {printable(start['digest'])}).\n"
        )
    return head + yaml.safe_dump(to_parameters(record), sort_keys=False)
