"""Tables of what the benchmarks measured, from the record that `multisenge bench` writes."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from multisenge_lib.chapters.result_figures import GROWING
from multisenge_lib.models import EXPERIMENTS
from multisenge_lib.software import short_commit

#: Between a number and its unit, which belong on one line.
_SPACE = "\N{NO-BREAK SPACE}"
#: Packages whose versions change how fast the library is.
_PACKAGES = ("tensorflow-cpu", "tensorflow", "torch", "scikit-learn", "numpy", "rasterio")
#: Rows of the record that compare networks with PyTorch, by the first words of their work.
_NETWORK_WORK = ("prediction", "training step")


def machine_table(record: Mapping[str, Any]) -> pd.DataFrame:
    """Tabulate on what, when and with what the benchmarks were run."""
    machine = record["machine"]
    code = record["code"]
    versions = [
        f"{name} {code['versions'][name]}" for name in _PACKAGES if name in code["versions"]
    ]
    load = record["load"]
    size = f"{machine['cores']} cores, {machine['memory_gib']:g} GiB"
    rows = {
        "machine": f"{machine['processor']}, {size}",
        "instructions": ", ".join(machine["instructions"]) or "not known",
        "versions": ", ".join(versions),
        "commit": short_commit(code["commit"]) + (" with changes" if code["uncommitted"] else ""),
        "date and length": f"{record['date']}, {record['seconds'] / 60:.0f} minutes",
        "load of the machine": f"{load['before'][0]:.1f} before, {load['after'][0]:.1f} after",
    }
    return pd.DataFrame({"the run shown here": rows}).rename_axis("fact")


def peer_table(record: Mapping[str, Any]) -> pd.DataFrame:
    """Tabulate the library beside other ways of the same work: one row per work, as text."""
    rows = {}
    for measured in record["rows"]:
        target = measured["target"].replace(" x", f"{_SPACE}×") or "–"
        if measured["target_met"] is False:
            target += ": missed"
        unit = measured["unit"]
        rows[measured["work"].replace(" x ", " × ")] = {
            "compared with": measured["peer"],
            "ratio": f"{measured['ratio']:.3g}{_SPACE}×",
            "from, to": f"{measured['from']:.3g} to {measured['to']:.3g}",
            "target": target,
            "library": f"{measured['ours']:.3g}{_SPACE}{unit}",
            "other": f"{measured['theirs']:.3g}{_SPACE}{unit}",
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("work")


def peer_variants_table(record: Mapping[str, Any]) -> pd.DataFrame:
    """Tabulate how long the networks take in each way of running PyTorch, and in the library.

    Returns:
        Median seconds as text: one row per way, one column per kind of work.
    """
    ours = {}
    theirs = {}
    for measured in record["rows"]:
        work, _, precision = measured["work"].partition(", ")
        if work not in _NETWORK_WORK:
            continue
        ours.setdefault(f"the library, {precision}", {})[work] = f"{measured['ours']:.2f} s"
        for variant, seconds in measured["variants"].items():
            theirs.setdefault(f"PyTorch, {variant}", {})[work] = f"{seconds:.2f} s"
    table = pd.DataFrame.from_dict(theirs | ours, orient="index", columns=_NETWORK_WORK)
    return table.rename_axis("way").fillna("–")


def peer_variants_note(record: Mapping[str, Any]) -> str:
    """Say in a sentence which ways of running PyTorch the record was measured with."""
    reasons = [
        f"{skipped['what']} was skipped, since {skipped['why']}"
        for skipped in record.get("skipped", [])
        if "PyTorch" in skipped["what"] or "bfloat16" in skipped["what"]
    ]
    if reasons:
        return "; ".join(reasons) + "."
    return "All of them were measured."


def target_counts(record: Mapping[str, Any]) -> tuple[int, int]:
    """Count the targets that were set, and those that were met."""
    verdicts = [
        measured["target_met"] for measured in record["rows"] if measured["target_met"] is not None
    ]
    return len(verdicts), sum(verdicts)


def growth_table(record: Mapping[str, Any]) -> pd.DataFrame:
    """Tabulate how time and operations of a step grow: exponents, fitted on logarithms."""
    rows = {}
    for name, part in pd.DataFrame(record["growth"]).groupby("curve", sort=False):
        # On logarithms, time ~ size^exponent is a straight line with the exponent as its slope.
        size = np.log(part["value"])
        rows[GROWING.get(name, name)] = {
            "measured": np.polyfit(size, np.log(part["seconds"]), 1)[0],
            "counted": np.polyfit(size, np.log(part["operations"]), 1)[0],
            "from": part["value"].iloc[0],
            "to": part["value"].iloc[-1],
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("with more")


def share_table(record: Mapping[str, Any]) -> pd.DataFrame:
    """Tabulate what share of the machine's peak a training step of each network reaches."""
    rows = {}
    for measured in record["shares"]:
        rows[EXPERIMENTS[measured["experiment"]].title] = {
            "seconds per step": f"{measured['seconds']:.2f}",
            "GFLOP counted": f"{measured['operations'] / 1e9:.0f}",
            "share of the peak": f"{measured['share']:.0%}",
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("network")
