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


class Skipped(Exception):
    """What cannot be measured here; its text says why."""


def seconds(call: Callable[[], Any]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def in_turns(calls: Mapping[str, Callable[[], Any]], rounds: int, warm: bool = True) -> dict:
    """Seconds of each call, round by round; the round that warms up is not counted."""
    turns = [{name: seconds(call) for name, call in calls.items()} for _ in range(rounds + warm)]
    return {name: [turn[name] for turn in turns[warm:]] for name in calls}


def row(work: str, ours: list[float], peer: str, theirs: list[float], **asked: Any) -> dict:
    """A row of the record: how often `peer` does `work` while we do it once.

    Args:
        work: in a few words.
        ours: seconds, or what `unit` says, turn by turn.
        peer: with what it is compared.
        theirs: of the same turns.
        asked: `asked`, the least ratio; `asked_most`, the most that we may take; `floor`, what the
            work takes at least, and `asked_of_floor`, how many times that we may take; `unit`.
    """
    ratios = sorted(other / mine for mine, other in zip(ours, theirs, strict=True))
    found = {"work": work, "peer": peer, "turns": len(ratios), "unit": "s"}
    found |= {"ratio": statistics.median(ratios), "from": ratios[0], "to": ratios[-1]}
    found |= {"ours": statistics.median(ours), "theirs": statistics.median(theirs)} | asked
    return found | {"wish": wish(found), "met": met(found)}


def wish(found: dict) -> str:
    """What was asked of a row, in words; empty where nothing was."""
    words = {
        "asked": "at least {:.3g} x",
        "asked_most": f"at most {{:g}} {found['unit']}",
        "asked_of_floor": "at most {:g} of the floor",
    }
    return "; ".join(text.format(found[name]) for name, text in words.items() if name in found)


def met(found: dict) -> bool | None:
    """Whether all of it holds; None where nothing was asked."""
    held = {
        "asked": found["ratio"] >= found.get("asked", 0),
        "asked_most": found["ours"] <= found.get("asked_most", 0),
        "asked_of_floor": found["ours"] <= found.get("asked_of_floor", 0) * found.get("floor", 0),
    }
    asked = [held[name] for name in held if name in found]
    return all(asked) if asked else None


def compared(
    work: str, ours: Callable, peer: str, theirs: Callable, rounds: int, warm: bool = True, **asked
) -> dict:
    """A row of two calls, timed in turns."""
    taken = in_turns({"ours": ours, "theirs": theirs}, rounds, warm)
    return row(work, taken["ours"], peer, taken["theirs"], **asked)


def as_text(found: dict) -> str:
    """A row as a line."""
    asked = (
        f"; asked {found['wish']}: {'yes' if found['met'] else 'MISSED'}" if found["wish"] else ""
    )
    floor = f"; {found['ours'] / found['floor']:.2f} of the floor" if "floor" in found else ""
    return (
        f"{found['work']:<45} {found['ratio']:7.2f} ({found['from']:.2f} to {found['to']:.2f})   "
        f"{found['ours']:.3g} {found['unit']}, {found['peer']}: {found['theirs']:.3g}{floor}{asked}"
    )


@functools.cache
def peak(quick: bool) -> float:
    """Operations a second of the backend's matrix product, measured once for all parts."""
    from multisenge_lib.models import cost

    return cost.matrix_peak(512, 3) if quick else cost.matrix_peak(4096, 10)


def processor() -> dict[str, Any]:
    """The processor's name and the instructions of `INSTRUCTIONS` that it has, told by Linux."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return {"processor": platform.processor() or platform.machine(), "instructions": []}
    told = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    there = set(told.get("flags", "").split())
    return {
        "processor": told.get("model name", platform.machine()),
        "instructions": [name for name in INSTRUCTIONS if name in there],
    }


def machine() -> dict[str, Any]:
    """The machine's name, cores, memory and system."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return processor() | {
        "cores": cores,
        "memory_gib": round(memory, 1),
        "system": f"{platform.system()} {platform.machine()}",
    }
