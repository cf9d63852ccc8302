"""The record of `benchmarks/gpu_check.py` as tables: what a GPU was measured to do.

The record is one JSON file. Its `parts` have a `state` (done, skipped, failed or stopped), the
reason `why` where a part is not done, and `results`, whose names carry the units. A target that was
not measured says so, with the reason.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from multisenge_lib.chapters.html import Html, table
from multisenge_lib.errors import RecordError
from multisenge_lib.software import short_commit

GpuRecord = Mapping[str, Any]

#: The parts that time a training step, with the precision in words.
STEP_PARTS = {
    "step_mixed_bfloat16": "mixed bfloat16",
    "step_float32_tf32": "float32, TF32",
    "step_float32": "float32",
}
#: How many times as fast as PyTorch a step should be, in the same precision.
SPEED_TARGET = 1.3
#: The share of the card's measured matrix peak that a step should reach in bfloat16.
PEAK_TARGET = 0.45
#: No step should wait for data. Two runs of the same steps differ by this share in any case.
WAITING_TARGET = 0.02


class Target(NamedTuple):
    """A target, and what came of it.

    Attributes:
        key: under which the record's `explanations` may say why it is missed.
        target: in words.
        measured: in words; why not, where it was not measured.
        is_met: None where it was not measured.
        explanation: what the person who committed the record says of it; empty if nothing.
    """

    key: str
    target: str
    measured: str
    is_met: bool | None
    explanation: str


def read_gpu_record(path: Path) -> GpuRecord | None:
    """Read a record of `benchmarks/gpu_check.py`; None where there is none.

    Raises:
        RecordError: the file is no such record.
    """
    if not path.exists():
        return None
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        is_record = isinstance(record["parts"], dict) and isinstance(record["machine"], dict)
    except (ValueError, KeyError, TypeError):
        is_record = False
    if not is_record:
        raise RecordError(
            f"{path} is no record of a GPU: write it with benchmarks/gpu_check.py --out {path.name}"
        )
    return record


def gpu_targets(record: GpuRecord) -> list[Target]:
    """Compare a record with the targets of speed, share of the peak, and waiting."""
    targets = []
    for part, precision in STEP_PARTS.items():
        targets.append(_speed_target(record, part, precision))
    targets.append(_peak_target(record))
    targets.append(_waiting_target(record))
    return targets


def _speed_target(record: GpuRecord, part: str, precision: str) -> Target:
    key = part.replace("step_", "speed_")
    words = f"{precision}: at least {SPEED_TARGET:g} times as fast as PyTorch"
    results = _results(record, part)
    ratio = results.get("times_as_fast_as_peer")
    if ratio is None:
        reason = results.get("peer_error") or _why_not(record, part)
        return _target(record, key, words, f"not measured: {reason}", None)
    least = results["least_times_as_fast"]
    most = results["most_times_as_fast"]
    measured = f"{ratio:.2f} times ({least:.2f} to {most:.2f}; {results['peer_mode']})"
    return _target(record, key, words, measured, ratio >= SPEED_TARGET)


def _peak_target(record: GpuRecord) -> Target:
    part = "step_mixed_bfloat16"
    words = f"bfloat16: at least {PEAK_TARGET:.0%} of the measured matrix peak"
    share = _results(record, part).get("share_of_peak")
    if share is None:
        measured = f"not measured: {_why_not(record, part)}"
        return _target(record, "share_of_peak", words, measured, None)
    return _target(record, "share_of_peak", words, f"{share:.0%}", share >= PEAK_TARGET)


def _waiting_target(record: GpuRecord) -> Target:
    words = "no step waits for data"
    results = _results(record, "reading")
    share = results.get("waiting_share")
    if share is None:
        measured = f"not measured: {_why_not(record, 'reading')}"
        return _target(record, "waiting", words, measured, None)
    slow = results["steps_read_slower_than_computed"]
    measured = (
        f"the GPU waits {share:.1%} of the time; {slow} of {results['steps']} batches took longer "
        "to read than a step"
    )
    return _target(record, "waiting", words, measured, share <= WAITING_TARGET)


def _target(record: GpuRecord, key: str, words: str, measured: str, is_met: bool | None) -> Target:
    explanation = record.get("explanations", {}).get(key, "")
    return Target(key, words, measured, is_met, explanation)


def _results(record: GpuRecord, part: str) -> Mapping[str, Any]:
    """Return the results of a part; empty where it did not run."""
    return record["parts"].get(part, {}).get("results", {})


def _why_not(record: GpuRecord, part: str) -> str:
    """Say why a part has no result."""
    entry = record["parts"].get(part)
    if entry is None:
        return "the run ended before it"
    return entry.get("why") or entry["state"]


# --- Tables ---


def target_table(record: GpuRecord) -> Html:
    """Show the targets, whether they are met, and why not."""
    verdicts = {True: "met", False: "missed", None: "–"}
    rows = {}
    for target in gpu_targets(record):
        rows[target.target] = {
            "measured": target.measured,
            "": verdicts[target.is_met],
            "explanation": target.explanation or "–",
        }
    frame = pd.DataFrame.from_dict(rows, orient="index").rename_axis("target")
    return table(frame, "Targets, set before the measurement.", style="words")


def part_table(record: GpuRecord) -> Html:
    """Show the results of each part under the names of the record, which carry the units."""
    rows = {}
    for part, entry in record["parts"].items():
        words = _in_words(_results(record, part))
        if entry["state"] != "done":
            words = "; ".join(filter(None, [f"{entry['state']}: {_why_not(record, part)}", words]))
        rows[part.replace("_", " ")] = words
    frame = pd.DataFrame({"result": rows}).rename_axis("part")
    caption = "What each part measured. PyTorch, the peer, has the same network and weights."
    return table(frame, caption, style="words")


def _in_words(results: Mapping[str, Any]) -> str:
    """Write results as `patches 16; seconds per step 0.05`; of a list, how many points it has."""
    words = []
    for name, value in results.items():
        if value is None:
            text = "not known"
        elif isinstance(value, Mapping):
            text = f"({_in_words(value)})"
        elif isinstance(value, list):
            text = f"{len(value)}, see the record"
        elif isinstance(value, float):
            text = f"{value:.4g}"
        elif isinstance(value, int) and not isinstance(value, bool):
            text = f"{value:,}"
        else:
            text = f"{value}"
        words.append(f"{name.replace('_', ' ')} {text}")
    return "; ".join(words)


def about_table(record: GpuRecord) -> Html:
    """Show which machine it was, with which software, and when."""
    device = _results(record, "device")
    code = record["code"]
    machine = record["machine"]
    versions = [f"{name} {version}" for name, version in code["versions"].items()]
    driver = device.get("driver", {}).get("driver_version", "unknown")
    rows = {
        "device": device.get("name", "unknown"),
        "driver": driver,
        "host": f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gib']:g} GiB",
        "versions": ", ".join(versions),
        "commit": short_commit(code["commit"]),
        "date, length": f"{record['date']}, {record['seconds'] / 60:.1f} minutes",
    }
    frame = pd.DataFrame({"the run shown here": rows})
    return table(frame, style="words")


def gpu_record_tables(path: Path) -> Html:
    """Show a record of a GPU with its targets; one sentence where none was sent in.

    Args:
        path: path of the record, `book/data/gpu.json`.

    Raises:
        RecordError: the file is no such record.
    """
    record = read_gpu_record(path)
    if record is None:
        return Html("<p>No record of a GPU has been sent in yet.</p>")
    parts = [
        about_table(record),
        target_table(record),
        part_table(record),
    ]
    return Html("".join(part.data for part in parts))
