"""The record of `benchmarks/gpu_check.py` as tables: what a GPU was measured to do.

The record is one JSON file. Its `parts` have a `state` (done, skipped, failed or stopped), the
reason `why` where a part is not done, and `results`, whose names carry the units. What a part did
not measure is a dash in a table, or "not measured" with the reason.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from multisenge_lib.chapters.html import Html, table
from multisenge_lib.errors import RecordError

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


def step_table(record: GpuRecord) -> Html:
    """Show speed and memory of a training step in each precision, ours and PyTorch's."""
    rows = {}
    for part, precision in STEP_PARTS.items():
        results = _results(record, part)
        rows[precision] = {
            "ms per step": _scaled(results.get("seconds_per_step"), 1e3),
            "PyTorch, ms": _scaled(results.get("peer_seconds_per_step"), 1e3),
            "patches per second": results.get("patches_per_second"),
            "share of the peak, %": _scaled(results.get("share_of_peak"), 100),
            "memory, GiB": _gibibytes(results.get("peak_memory_bytes")),
            "PyTorch, GiB": _gibibytes(results.get("peer_peak_memory_bytes")),
            "predicted, GiB": _gibibytes(results.get("predicted_memory_bytes")),
        }
    frame = pd.DataFrame.from_dict(rows, orient="index").rename_axis("precision")
    sizes = _results(record, "step_mixed_bfloat16")
    caption = "A training step"
    if sizes:
        caption += f" of {sizes['patches']} patches of {sizes['pixels']} x {sizes['pixels']} pixels"
    caption += (
        ". PyTorch has the same network and weights, and takes turns with ours. The peak is the "
        "card's matrix product in the same precision."
    )
    return table(frame, caption, "{:.1f}")


def growth_table(record: GpuRecord) -> Html:
    """Show how time and memory grow with the batch and with the sizes of the network."""
    rows = []
    for point in _results(record, "largest_batch").get("points", ()):
        rows.append(_growth_row(f"batch of {point['patches']}", point))
    for point in _results(record, "growth").get("points", ()):
        sizes = [f"{point[name]} {name}" for name in ("patches", "pixels", "dates", "filters")]
        rows.append(_growth_row(", ".join(sizes), point))
    columns = ["what", "ms per step", "predicted, GiB", "memory, GiB"]
    frame = pd.DataFrame(rows, columns=columns).set_index("what")
    caption = "How a step grows. A dash: the memory was not more than that of a point before."
    return table(frame, caption, "{:.1f}")


def _growth_row(name: str, point: Mapping[str, Any]) -> tuple[Any, ...]:
    return (
        name,
        _scaled(point["seconds_per_step"], 1e3),
        _gibibytes(point["predicted_memory_bytes"]),
        _gibibytes(point["peak_memory_bytes"]),
    )


def other_results_table(record: GpuRecord) -> Html:
    """Show, in words, what the parts without a table of their own found."""
    described = {
        "largest batch": _describe_largest_batch(_results(record, "largest_batch")),
        "sample run": _describe_sample_run(_results(record, "sample_run")),
        "resumed run": _describe_resumed_run(_results(record, "sample_run")),
        "map": _describe_map(_results(record, "whole_map")),
        "the same map on the CPU": _describe_cpu_map(_results(record, "map_on_cpu")),
        "tests of the networks": _describe_tests(_results(record, "network_tests")),
    }
    rows = {name: words or "not measured" for name, words in described.items()}
    for name, entry in record["parts"].items():
        if entry["state"] != "done":
            rows[f"part {name}"] = f"{entry['state']}: {_why_not(record, name)}"
    frame = pd.DataFrame({"result": rows}).rename_axis("what")
    return table(frame, "The other parts of the run.", style="words")


def _describe_largest_batch(results: Mapping[str, Any]) -> str:
    if "largest_batch" not in results:
        return ""
    ended = results.get("ended", "the part did not end")
    return f"{results['largest_batch']} patches; {ended}"


def _describe_sample_run(results: Mapping[str, Any]) -> str:
    """Compare the scores with the mean and the deviation of the committed CPU records."""
    if "scores" not in results:
        return ""
    words = [f"{results['epochs']} epochs in {results['seconds']:.0f} s"]
    committed = results["committed_scores"]
    for name, value in results["scores"].items():
        sentence = f"{name.replace('_', ' ')} {value:.3f}"
        if name in committed:
            mean = committed[name]["mean"]
            deviation = committed[name]["deviation"]
            sentence += f" (CPU: {mean:.3f} ± {deviation:.3f}, {committed['seeds']} seeds)"
        words.append(sentence)
    return "; ".join(words)


def _describe_resumed_run(results: Mapping[str, Any]) -> str:
    if "resumed_run" not in results:
        return ""
    return (
        f"{_describe_difference('resumed', results['resumed_run'])}; "
        f"{_describe_difference('repeated', results['repeated_run'])}"
    )


def _describe_difference(name: str, difference: Mapping[str, Any]) -> str:
    if difference["equal"]:
        return f"{name}, it equals the uninterrupted run"
    largest = difference["largest_weight_difference"]
    return f"{name}, its weights differ from the uninterrupted run's by up to {largest:.1e}"


def _describe_map(results: Mapping[str, Any]) -> str:
    if "megapixels_per_second" not in results:
        return ""
    words = (
        f"{results['pixels']:,} x {results['pixels']:,} pixels in {results['seconds']:.0f} s, "
        f"{results['megapixels_per_second']:.2f} megapixels per second"
    )
    memory = _gibibytes(results["peak_memory_bytes"])
    if memory is not None:
        words += f", {memory:.1f} GiB on the GPU"
    return words


def _describe_cpu_map(results: Mapping[str, Any]) -> str:
    if "pixels_of_other_class" not in results:
        return ""
    return (
        f"{results['pixels_of_other_class']:,} of {results['pixels']:,} pixels have another class; "
        f"there the two best classes are at most {results['largest_gap_of_those_pixels']:.1e} apart"
    )


def _describe_tests(results: Mapping[str, Any]) -> str:
    if "passed" not in results:
        return ""
    return f"{results['passed']} passed, {results['failed']} failed"


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
        "commit": (code["commit"] or "unknown")[:10],
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
        step_table(record),
        growth_table(record),
        other_results_table(record),
    ]
    return Html("".join(part.data for part in parts))


def _scaled(value: float | None, factor: float) -> float | None:
    return None if value is None else factor * value


def _gibibytes(value: float | None) -> float | None:
    return None if value is None else value / 2**30
