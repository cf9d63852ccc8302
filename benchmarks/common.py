"""What the benchmarks share: calls timed in turns, a row of the record, the machine's name.

A ratio is taken turn by turn: neighbours in time share what a machine had to give, while its
seconds change from hour to hour.
"""

import functools
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

#: Instructions that decide how fast a network is, as Linux names them.
INSTRUCTIONS = ("avx2", "avx512f", "avx512_bf16", "amx_tile", "amx_bf16")
#: Means and standard deviations of the bands that are drawn for networks: Sentinel-1 in decibels,
#: Sentinel-2 in reflectance x 10,000.
STATISTICS = {"s1": ([-10.0, -16.0], [5.0, 5.0]), "s2": ([1500.0] * 10, [900.0] * 10)}


class Skipped(Exception):
    """Something cannot be measured on this machine; the text says why."""


def seconds(call: Callable[[], Any]) -> float:
    """Return how long a call takes."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def in_turns(
    calls: Mapping[str, Callable[[], Any]], rounds: int, warm: bool = True
) -> dict[str, list[float]]:
    """Time several calls one after the other, round by round.

    Args:
        calls: by name.
        rounds: how often each is timed.
        warm: whether a round comes first that is not counted.

    Returns:
        The seconds of each call, one number per round.
    """
    turns: dict[str, list[float]] = {name: [] for name in calls}
    if warm:
        for call in calls.values():
            call()
    for _ in range(rounds):
        for name, call in calls.items():
            turns[name].append(seconds(call))
    return turns


def row(work: str, ours: list[float], peer: str, theirs: list[float], **options: Any) -> dict:
    """Make a row of the record: how often `peer` does `work` while we do it once.

    Args:
        work: in a few words.
        ours: seconds, or what `unit` says, turn by turn.
        peer: with what it is compared.
        theirs: of the same turns.
        options: the targets, each left out where there is none: `target_ratio`, the least ratio;
            `target_most`, the most that we may take; `target_times_floor`, how many times the
            `floor` we may take. Further `floor`, what the work takes at least, and `unit`.

    Returns:
        The medians, the ratios, the options, `target` in words and `target_met`.
    """
    ratios = []
    for mine, other in zip(ours, theirs, strict=True):
        ratios.append(other / mine)
    result = {
        "work": work,
        "peer": peer,
        "turns": len(ratios),
        "unit": "s",
        "ratio": statistics.median(ratios),
        "from": min(ratios),
        "to": max(ratios),
        "ours": statistics.median(ours),
        "theirs": statistics.median(theirs),
    }
    result |= options
    result["target"] = target_in_words(result)
    result["target_met"] = is_target_met(result)
    return result


def target_in_words(result: dict) -> str:
    """Say what the targets of a row are; empty where it has none."""
    words = []
    if "target_ratio" in result:
        words.append(f"at least {result['target_ratio']:.3g} x")
    if "target_most" in result:
        words.append(f"at most {result['target_most']:g} {result['unit']}")
    if "target_times_floor" in result:
        words.append(f"at most {result['target_times_floor']:g} of the floor")
    return "; ".join(words)


def is_target_met(result: dict) -> bool | None:
    """Return whether a row meets all of its targets; None where it has none."""
    verdicts = []
    if "target_ratio" in result:
        verdicts.append(result["ratio"] >= result["target_ratio"])
    if "target_most" in result:
        verdicts.append(result["ours"] <= result["target_most"])
    if "target_times_floor" in result:
        verdicts.append(result["ours"] <= result["target_times_floor"] * result["floor"])
    if not verdicts:
        return None
    return all(verdicts)


def compared(
    work: str,
    ours: Callable,
    peer: str,
    theirs: Callable,
    rounds: int,
    warm: bool = True,
    **options: Any,
) -> dict:
    """Time two calls in turns, and make a row of them; the options are those of `row`."""
    turns = in_turns({"ours": ours, "theirs": theirs}, rounds, warm)
    return row(work, turns["ours"], peer, turns["theirs"], **options)


def as_text(result: dict) -> str:
    """Write a row as a line."""
    spread = f"({result['from']:.2f} to {result['to']:.2f})"
    line = f"{result['work']:<45} {result['ratio']:7.2f} {spread}   "
    line += f"{result['ours']:.3g} {result['unit']}, {result['peer']}: {result['theirs']:.3g}"
    if "floor" in result:
        line += f"; {result['ours'] / result['floor']:.2f} of the floor"
    if result["target"]:
        verdict = "met" if result["target_met"] else "MISSED"
        line += f"; target {result['target']}: {verdict}"
    return line


def matrix_peak(side: int = 4096, repeats: int = 5) -> float:
    """Measure the operations per second of the backend's best single-precision matrix product.

    It is the backend's own product: NumPy's may reach half of it, and a bound made from that would
    be too easy.
    """
    import keras

    matrix = keras.ops.ones((side, side))
    seconds = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        product = keras.ops.matmul(matrix, matrix)
        # Backends compute when a value is asked for: one row makes sure that the product is there.
        keras.ops.convert_to_numpy(product[0])
        seconds.append(time.perf_counter() - start)
    return 2 * side**3 / min(seconds[1:])


@functools.cache
def peak(quick: bool) -> float:
    """Return the operations per second of the backend's matrix product, measured once."""
    return matrix_peak(512, 3) if quick else matrix_peak(4096, 10)


def processor() -> dict[str, Any]:
    """Return the processor's name, and which of `INSTRUCTIONS` it has; both only on Linux."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return {"processor": platform.processor() or platform.machine(), "instructions": []}
    values = {}
    for line in lines:
        key, _, value = line.partition(":")
        values[key.strip()] = value.strip()
    flags = values.get("flags", "").split()
    return {
        "processor": values.get("model name", platform.machine()),
        "instructions": [name for name in INSTRUCTIONS if name in flags],
    }


def machine() -> dict[str, Any]:
    """Describe the machine: processor, cores, memory and system."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return processor() | {
        "cores": cores,
        "memory_gib": round(memory, 1),
        "system": f"{platform.system()} {platform.machine()}",
    }
