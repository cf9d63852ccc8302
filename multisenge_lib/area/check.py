"""What a data root holds, what is missing and what is damaged, before anything is trained on it.

Every raster that is there is read once, by several threads, and held to the checks of `rasters`.
What they cannot decide, which band is which and in what unit backscatter is, is tested by content,
and the evidence is shown.
"""

import json
import os
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import rasterio
from tqdm import tqdm

from multisenge_lib.area.draft import draft_dataset
from multisenge_lib.dataset import (
    DESCRIPTION,
    LABELS,
    MULTISENGE,
    RASTER_NAME,
    READING,
    REFERENCE,
    S1_BANDS,
    SENSORS,
    Dataset,
    Raster,
    band_of,
    dataset_of_root,
    decibel,
    has_description,
    has_red_edge,
    inspect_raster,
    order_of_red_edge,
    origin_of_patch,
    raster_path,
    read_index,
    red_edge,
    tile_corner,
    to_toml,
)
from multisenge_lib.errors import DescriptionError, LabelError, MultiSenGEError, PatchError

_FOLDERS = {"reference": REFERENCE} | {sensor: sensor for sensor in SENSORS}
#: Pixels along a side that content is judged on: every fourth of a published patch.
_JUDGED = 64
_EXAMPLES = 5


@dataclass(frozen=True)
class Kind:
    """Problems of one kind: their words for the first file, how many files, and some of them."""

    layer: str
    problem: str
    files: int
    examples: tuple[str, ...]


@dataclass(frozen=True)
class Report:
    """What `check_root` found.

    Attributes:
        root: the data root.
        dataset: the name of its description, or why there is none.
        files: one row a layer and tile: `named` in labels, `there`, `missing`, `unnamed`,
            `damaged` (with a problem), `no_data` (mean share of pixels, percent).
        problems: what keeps files from being used, by kind.
        notes: what is worth knowing.
        evidence: what content says of band order, unit and place, a sentence each.
        draft: a first `dataset.toml`, where the root has none and needs one.
    """

    root: Path
    dataset: str
    files: pd.DataFrame
    problems: list[Kind]
    notes: list[Kind]
    evidence: dict[str, str]
    draft: str = ""

    def to_json(self) -> dict[str, Any]:
        """The report as plain values."""
        files = json.loads(self.files.to_json(orient="records"))
        return asdict(self) | {"root": str(self.root), "files": files}

    def to_text(self) -> str:
        """The report to read, and to act on."""
        lines = [f"{self.root}: {self.dataset}", self.files.to_string(index=False)]
        for title, kinds in (("To mend", self.problems), ("Worth knowing", self.notes)):
            lines.append(f"{title}: {sum(k.files for k in kinds):,} files" if kinds else "")
            for k in kinds:
                more = ", ..." if k.files > len(k.examples) else ""
                lines.append(f"  {k.layer}: {k.problem} ({k.files:,} files)")
                lines.append(f"    {', '.join(k.examples)}{more}")
        lines += [f"{what}: {said}" for what, said in self.evidence.items()]
        lines.append("" if self.problems else "Nothing to mend.")
        lines.append(self.draft and f"A first {DESCRIPTION}, to be looked at:\n\n{self.draft}")
        return "\n".join(line for line in lines if line)


def _content(raster: Raster, layer: str, dataset: Dataset) -> dict[str, Any]:
    """What the pixels of a sound raster show; all of it cheap beside reading them."""
    pixels = raster.pixels
    if layer == "reference":
        return {"no_data": 1 - np.count_nonzero(pixels) / pixels.size}
    step = max(1, pixels.shape[-1] // _JUDGED)
    few = np.ascontiguousarray(pixels[:, ::step, ::step])
    notes = [
        f"band {raster.names[i] or i + 1} is {band[0, 0]:g} everywhere"
        for i, band in enumerate(few)
        if (band == band[0, 0]).all() and (pixels[i] == band[0, 0]).all()  # the few are cheap
    ]
    names, wanted = [band_of(name, layer) for name in raster.names], dataset.bands[layer]
    named, shown = set(names) == set(wanted), {}
    if named:  # judged as the layout has it
        few = few[[names.index(band) for band in wanted]]
    if layer == "s2" and has_red_edge(wanted):
        shown["edge"] = red_edge(np.moveaxis(few, 0, -1))
        shown["order"] = order_of_red_edge(shown["edge"])
    elif tuple(wanted) == S1_BANDS and (seen := few.all(axis=0)).any():
        shown["levels"] = [float(np.median(decibel(band[seen]))) for band in few]
    return shown | {"notes": notes, "no_data": 1 - few.any(axis=0).mean(), "named": named}


def _examine_patch(root: Path, dataset: Dataset, patch: str, files: pd.DataFrame) -> list[dict]:
    """What all rasters of a patch show; the first sound one gives the grid."""
    ground, first, seen = origin_of_patch(patch), None, []
    with rasterio.Env(**READING):
        for row in files.itertuples():
            problems, raster = inspect_raster(root / row.file, row.layer, ground, first, dataset)
            found = {"layer": row.layer, "tile": row.tile, "file": row.file, "notes": []}
            if not problems:
                first, at = first or raster, raster.transform
                offset = round(at.c - ground.west), round(ground.north - at.f)
                found |= {"size": raster.pixels.shape[-1], "offset": offset}
                found |= _content(raster, row.layer, dataset)
            seen.append(found | {"problems": problems})
    return seen


def _listed(folder: Path) -> set[str]:
    """Names in a folder; one that is not there has none."""
    try:
        return {entry.name for entry in os.scandir(folder)}
    except FileNotFoundError:
        return set()
    except OSError as error:
        raise PatchError(f"{folder} cannot be listed ({error.strerror})") from None


def _patch_of(name: str) -> str:
    """The patch that a raster's name gives; nothing where it is none's, or of no tile."""
    found = RASTER_NAME.fullmatch(name)
    with suppress(MultiSenGEError):
        if found and tile_corner(found[1]):
            return "_".join(found.group(1, 3, 4))
    return ""


def _inventory(root: Path, index: pd.DataFrame) -> pd.DataFrame:
    """All files that are there or that labels name: `layer tile file patch named there`."""
    rows = []
    for layer, folder in _FOLDERS.items():
        there = _listed(root / folder)
        for row in index.itertuples():
            if layer == "reference":  # an area to predict has no classes, and no reference
                days = [None] if len(row.classes) else []
            else:
                days = getattr(row, f"{layer}_dates")
            for day in days:
                name = raster_path("", layer, row.patch, day).name
                rows.append((layer, f"{folder}/{name}", row.patch, True, name in there))
                there.discard(name)
        rows += [(layer, f"{folder}/{n}", _patch_of(n), False, True) for n in sorted(there)]
    table = pd.DataFrame(rows, columns=["layer", "file", "patch", "named", "there"])
    return table.assign(tile=table["patch"].str.split("_").str[0])


def _kinds(rows: Iterable[tuple[str, str, str]]) -> list[Kind]:
    """`(layer, file, words)` gathered by words, numbers apart; the most frequent first."""
    groups = defaultdict(list)
    for layer, file, words in rows:
        groups[layer, re.sub(r"-?\d[\d.e+-]*", "#", words)].append((file, words))
    kinds = [
        Kind(layer, found[0][1], len(found), tuple(file for file, _ in found[:_EXAMPLES]))
        for (layer, _), found in groups.items()
    ]
    return sorted(kinds, key=lambda kind: -kind.files)


def _notes(files: pd.DataFrame) -> Iterator[tuple[str, str, str]]:
    for words, rows in (
        ("is not named like a raster of a patch", files["patch"] == ""),
        ("is named by a label, but is not there", ~files["there"]),
        ("is there, but no label names it", ~files["named"] & (files["patch"] != "")),
    ):
        for row in files[rows].itertuples():
            yield row.layer, row.file, words


def _counts(files: pd.DataFrame, seen: pd.DataFrame) -> pd.DataFrame:
    """`Report.files`."""
    by = ["layer", "tile"]
    table = files.assign(missing=files["named"] & ~files["there"], unnamed=~files["named"])
    counts = table.groupby(by)[["named", "there", "missing", "unnamed"]].sum()
    read = seen.assign(damaged=seen["problems"].map(bool), no_data=100 * seen["no_data"])
    counts["damaged"] = read.groupby(by)["damaged"].sum()
    counts["no_data"] = read.groupby(by)["no_data"].mean().round(1)
    return counts.fillna({"damaged": 0}).astype({"damaged": int}).reset_index()


def _band_order(images: pd.DataFrame) -> tuple[str, str]:
    """What vegetation says of the order of the bands: the evidence, and a problem if any."""
    if images.empty:
        return "", ""
    named, judged = images["named"].astype(bool), images["order"]
    votes = judged.value_counts()
    said = f"{named.sum():,} of {len(images):,} rasters name their bands. "
    if votes.empty:
        return said + "Too little vegetation to test their order.", ""
    fourth, fifth = np.mean(images["edge"][judged.notna()].tolist(), axis=0)
    said += (
        f"Vegetation is {fourth:.0f} in the fourth and {fifth:.0f} in the fifth band: of "
        f"{votes.sum():,} rasters "
        + " and ".join(f"{count:,} speak for the {order} order" for order, count in votes.items())
    )
    unnamed = set(judged[~named].dropna())
    if (judged[named] == "resolution").any():
        return said, "the names of the bands contradict what vegetation shows"
    if len(unnamed) > 1:
        return said, "rasters without band names are stored in two orders: name their bands"
    if unnamed == {"resolution"}:
        return said, "bands without names lie 10 m bands first: give band_order='resolution'"
    return said, ""


def _backscatter(images: pd.DataFrame) -> tuple[str, str]:
    """What the levels say of the unit and the order of the bands: evidence, and a problem."""
    levels = np.array(images["levels"].dropna().tolist())
    if not len(levels):
        return "", ""
    (vv, vh), above = np.median(levels, axis=0), (levels[:, 0] > levels[:, 1]).mean()
    said = (
        f"Read as linear intensity, half of the {len(levels):,} rasters lie above {vv:.1f} dB in "
        f"VV and {vh:.1f} dB in VH (land: about -11 and -17); VV is above VH in {above:.0%}."
    )
    if above < 0.5:
        return said, "VH is above VV, which land never shows: are the bands swapped?"
    if not -25 < vv < 0:
        return said, f"a median of {vv:.1f} dB is not that of land: is it linear intensity?"
    return said, ""


def _place(seen: pd.DataFrame) -> str:
    offsets = Counter(seen["offset"].dropna())
    if set(offsets) == {(0, 0)}:
        return "Every raster lies where its name says."
    return "; ".join(
        f"{count:,} rasters lie {east:+d} m east and {south:+d} m south of where their name says"
        for (east, south), count in offsets.most_common(_EXAMPLES)
    )


def _read_all(
    root: Path, dataset: Dataset, files: pd.DataFrame, workers: int, progress: bool
) -> pd.DataFrame:
    there = files[files["there"] & (files["patch"] != "")]
    bar = tqdm(total=len(there), desc="checking", unit=" files", disable=None if progress else True)
    seen = []
    with ThreadPoolExecutor(workers) as pool, bar:
        patches = there.groupby("patch")
        for found in pool.map(lambda item: _examine_patch(root, dataset, *item), patches):
            seen += found
            bar.update(len(found))
    columns = "layer tile file problems notes no_data size offset named edge order levels"
    return pd.DataFrame(seen, columns=columns.split())


def _draft(root: Path, index: pd.DataFrame, seen: pd.DataFrame, dataset: Dataset) -> str:
    """A description of a root that has none; empty where nothing was read, or it has one."""
    sizes, there = seen["size"].dropna(), set(seen["layer"])
    bands = {s: dataset.bands[s] for s in SENSORS if s in there}
    if has_description(root) or dataset.split_of_tile or index.empty or sizes.empty or not bands:
        return ""
    dates = {
        row.patch: {s: getattr(row, f"{s}_dates") for s in bands} for row in index.itertuples()
    }
    name, size = root.resolve().name, int(sizes.mode()[0])
    return to_toml(draft_dataset(name, dates, size, bands, learn="reference" in there))


def check_root(root: Path | str, workers: int | None = None, progress: bool = False) -> Report:
    """Read every raster of a data root once, and report what is there, missing and damaged.

    Args:
        root: the data root; without description, any tile and year is allowed.
        workers: threads that read; by default one a processor.
        progress: show a progress bar where there is a terminal.

    Raises:
        MultiSenGEError: there is no data root, or a folder cannot be listed.
    """
    root = Path(root)
    if not root.is_dir():
        raise PatchError(f"{root} is not a folder: give the data root, which holds {LABELS}/")
    found = []
    try:
        dataset = dataset_of_root(root)
        said = dataset.name
    except DescriptionError as error:
        said = str(error)
        dataset = replace(MULTISENGE, name="", years=(), split_of_tile={}, patch_pixels=1)
        if has_description(root):  # else it is not wrong, and gets a draft
            found.append(("dataset", DESCRIPTION, said))
    try:
        index = read_index(root / LABELS, dataset)
    except LabelError as error:
        found.append(("labels", f"{LABELS}/", str(error)))
        index = pd.DataFrame()
    files = _inventory(root, index)
    if files.empty:
        raise PatchError(
            f"{root} holds no patch: a data root has {LABELS}/, {'/, '.join(_FOLDERS.values())}/"
        )
    seen = _read_all(root, dataset, files, workers or os.cpu_count() or 1, progress)
    sound = seen[seen["problems"].map(len) == 0]
    evidence = {"Place": _place(sound)}
    evidence["Band order"], order = _band_order(sound[sound["layer"] == "s2"])
    evidence["Backscatter"], level = _backscatter(sound[sound["layer"] == "s1"])
    found += [(s, f"{s}/", wrong) for s, wrong in (("s2", order), ("s1", level)) if wrong]
    rows = list(seen.itertuples())
    found += [(row.layer, row.file, words) for row in rows for words in row.problems]
    notes = [(row.layer, row.file, words) for row in rows for words in row.notes]
    return Report(
        root,
        said,
        _counts(files, seen),
        _kinds(found),
        _kinds([*_notes(files), *notes]),
        {what: words for what, words in evidence.items() if words},
        _draft(root, index, seen, dataset),
    )
