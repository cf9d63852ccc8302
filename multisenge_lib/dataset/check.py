"""What a data root holds, what is missing and what is damaged, before anything is trained on it.

Every raster that is there is read once, by several threads, and held to the checks of `rasters`.
What they cannot decide, which band is which and in what unit backscatter is, is tested by content,
and the evidence is shown.
"""

import json
import os
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import rasterio
from tqdm import tqdm

from multisenge_lib.dataset.bands import band_of, has_red_edge, order_of_red_edge, red_edge
from multisenge_lib.dataset.description import (
    DESCRIPTION,
    describe,
    draft_description,
    is_described,
    to_toml,
)
from multisenge_lib.dataset.labels import read_index
from multisenge_lib.dataset.layout import (
    LABELS,
    MULTISENGE,
    REFERENCE,
    SENSORS,
    Dataset,
    decibel,
    raster_path,
    split_patch,
)
from multisenge_lib.dataset.rasters import GDAL, Grid, Ground, Raster, inspect_raster
from multisenge_lib.errors import DescriptionError, LabelError, PatchError

_FOLDERS = {"reference": REFERENCE} | {sensor: sensor for sensor in SENSORS}
_RASTER_NAME = re.compile(r"(\d\d[A-Z]{3})_(?:GR|\d{8}_S[12])_(\d+)_(\d+)\.tif")
#: Pixels along a side that content is judged on: every fourth of a published patch.
_JUDGED = 64
_EXAMPLES = 5


class Seen(NamedTuple):
    """What one raster showed; None where its layer does not show it, or it could not be read."""

    layer: str
    tile: str
    file: str
    problems: tuple[str, ...]
    notes: tuple[str, ...] = ()
    grid: Grid | None = None
    offset: tuple[int, int] | None = None
    no_data: float | None = None
    named: bool | None = None
    red_edge: tuple[float, float] | None = None
    levels: tuple[float, ...] | None = None
    classes: tuple[int, ...] | None = None


class Kind(NamedTuple):
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
        classes: pixels of each id of the reference.
        draft: a first `dataset.toml`, where the root has none and needs one.
    """

    root: Path
    dataset: str
    files: pd.DataFrame
    problems: list[Kind]
    notes: list[Kind]
    evidence: dict[str, str] = field(default_factory=dict)
    classes: dict[int, int] = field(default_factory=dict)
    draft: str = ""

    def to_json(self) -> dict[str, Any]:
        """The report as plain values."""
        return {
            "root": str(self.root),
            "dataset": self.dataset,
            "files": json.loads(self.files.to_json(orient="records")),
            "problems": [kind._asdict() for kind in self.problems],
            "notes": [kind._asdict() for kind in self.notes],
            "evidence": self.evidence,
            "classes": {str(i): n for i, n in self.classes.items()},
            "draft": self.draft,
        }

    def to_text(self) -> str:
        """The report to read, and to act on."""
        lines = [f"{self.root}: {self.dataset}", self.files.to_string(index=False)]
        for title, kinds in (("To mend", self.problems), ("Worth knowing", self.notes)):
            lines.append(f"{title}: {sum(kind.files for kind in kinds):,} files" if kinds else "")
            for kind in kinds:
                more = ", ..." if kind.files > len(kind.examples) else ""
                lines.append(f"  {kind.layer}: {kind.problem} ({kind.files:,} files)")
                lines.append(f"    {', '.join(kind.examples)}{more}")
        lines += [f"{what}: {said}" for what, said in self.evidence.items()]
        if not self.problems:
            lines.append("Nothing to mend.")
        if self.draft:
            lines.append(f"A first {DESCRIPTION}, to be looked at:\n\n{self.draft}")
        return "\n".join(line for line in lines if line)


def _thinned(pixels: np.ndarray) -> np.ndarray:
    step = max(1, pixels.shape[-1] // _JUDGED)
    return pixels[:, ::step, ::step]


def _constant_bands(raster: Raster) -> Iterator[str]:
    flat = raster.pixels.reshape(len(raster.pixels), -1)
    for i in np.flatnonzero(flat.min(axis=1) == flat.max(axis=1)):
        yield f"band {raster.names[i] or i + 1} is {flat[i, 0]:g} everywhere"


def _content(raster: Raster, layer: str, dataset: Dataset) -> dict[str, Any]:
    """What the pixels of a sound raster show; all of it cheap beside reading them."""
    pixels, notes = raster.pixels, ()
    if layer == "reference":
        counts = np.bincount(pixels.astype(np.uint8).ravel(), minlength=1 + len(dataset.published))
        shown = {"classes": tuple(counts.tolist()), "no_data": counts[0] / pixels[0].size}
    else:
        notes, few = tuple(_constant_bands(raster)), _thinned(pixels)
        names, wanted = [band_of(name, layer) for name in raster.names], dataset.bands[layer]
        shown = {"no_data": 1 - few.any(axis=0).mean(), "named": set(names) == set(wanted)}
        if shown["named"]:  # judged as the layout has it
            few = few[[names.index(band) for band in wanted]]
        if layer == "s2" and has_red_edge(wanted):
            shown["red_edge"] = red_edge(np.moveaxis(few, 0, -1))
        elif layer == "s1" and (seen := few.all(axis=0)).any():
            shown["levels"] = tuple(float(np.median(decibel(band[seen]))) for band in few)
    return shown | {"notes": notes}


def _examine(
    path: Path, layer: str, ground: Ground, first: Grid | None, dataset: Dataset
) -> dict[str, Any]:
    """The fields of `Seen` that one file gives."""
    inspection, problems = inspect_raster(path, layer, ground, first, dataset), []
    while True:
        try:
            problems.append(next(inspection))
        except StopIteration as end:
            raster = end.value
            break
    if raster is None or problems:
        return {"problems": tuple(problems)}
    at = raster.grid.transform
    offset = round(at.c - ground.west), round(ground.north - at.f)
    return {"problems": (), "grid": raster.grid, "offset": offset} | _content(
        raster, layer, dataset
    )


def _examine_patch(
    root: Path, dataset: Dataset, patch: str, files: Sequence[tuple[str, str]]
) -> list[Seen]:
    """All rasters of a patch, `(layer, name)`; the first sound one gives the grid."""
    tile, first, seen = split_patch(patch)[0], None, []
    with rasterio.Env(**GDAL):
        for layer, name in files:
            file = f"{_FOLDERS[layer]}/{name}"
            found = _examine(root / file, layer, Ground.of(patch), first, dataset)
            first = first or found.get("grid")
            seen.append(Seen(layer, tile, file, **found))
    return seen


def _listed(root: Path, layer: str) -> set[str]:
    """Names in a layer's folder; a folder that is not there has none."""
    try:
        return {entry.name for entry in os.scandir(root / _FOLDERS[layer])}
    except FileNotFoundError:
        return set()
    except OSError as error:
        raise PatchError(f"{root / _FOLDERS[layer]} cannot be listed ({error.strerror})") from None


def _inventory(root: Path, index: pd.DataFrame) -> pd.DataFrame:
    """All files that are there or that labels name: `layer`, `name`, `patch`, `named`, `there`."""
    rows = []
    for layer in _FOLDERS:
        there = _listed(root, layer)
        for row in index.itertuples():
            if layer == "reference":  # an area to predict has no classes, and no reference
                days = [None] if len(row.classes) else []
            else:
                days = getattr(row, f"{layer}_dates")
            for day in days:
                name = raster_path("", layer, row.patch, day).name
                rows.append((layer, name, row.patch, True, name in there))
                there.discard(name)
        for name in sorted(there):
            found = _RASTER_NAME.fullmatch(name)
            patch = "_".join(found.groups()) if found else None
            rows.append((layer, name, patch, False, True))
    table = pd.DataFrame(rows, columns=["layer", "name", "patch", "named", "there"])
    return table.assign(tile=table["patch"].str.partition("_")[0].fillna("?"))


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


def _inventory_notes(files: pd.DataFrame) -> Iterator[tuple[str, str, str]]:
    for row in files.itertuples():
        file = f"{_FOLDERS[row.layer]}/{row.name}"
        if not isinstance(row.patch, str):
            yield row.layer, file, "is not named like a raster of a patch"
        elif not row.there:
            yield row.layer, file, "is named by a label, but is not there"
        elif not row.named:
            yield row.layer, file, "is there, but no label names it"


def _counts(files: pd.DataFrame, seen: list[Seen]) -> pd.DataFrame:
    """`Report.files`."""
    table = files.assign(missing=files["named"] & ~files["there"], unnamed=~files["named"])
    counts = table.groupby(["layer", "tile"])[["named", "there", "missing", "unnamed"]].sum()
    read = pd.DataFrame(
        [(s.layer, s.tile, bool(s.problems), s.no_data) for s in seen],
        columns=["layer", "tile", "damaged", "no_data"],
    ).astype({"no_data": float})
    read = read.groupby(["layer", "tile"]).agg({"damaged": "sum", "no_data": "mean"})
    read["no_data"] = (100 * read["no_data"]).round(1)
    return counts.join(read).fillna({"damaged": 0}).astype({"damaged": int}).reset_index()


def _band_order(seen: list[Seen]) -> tuple[str | None, str | None]:
    """What vegetation says of the order of the bands: the evidence, and a problem if any."""
    images = [s for s in seen if s.layer == "s2" and not s.problems]
    if not images:
        return None, None
    judged = {s.file: order_of_red_edge(s.red_edge) for s in images}
    votes = Counter(order for order in judged.values() if order)
    edges = np.array([s.red_edge for s in images if judged[s.file]]).reshape(-1, 2)
    said = f"{sum(s.named for s in images):,} of {len(images):,} rasters name their bands. "
    if not votes:
        return said + "Too little vegetation to test the order of the others.", None
    fourth, fifth = edges.mean(axis=0)
    said += (
        f"Vegetation is {fourth:.0f} in the fourth and {fifth:.0f} in the fifth band: of "
        f"{votes.total():,} rasters "
        + " and ".join(f"{count:,} speak for the {order} order" for order, count in votes.items())
    )
    unnamed = {judged[s.file] for s in images if not s.named} - {None}
    if any(judged[s.file] == "resolution" for s in images if s.named):
        return said, "the names of the bands contradict what vegetation shows"
    if len(unnamed) > 1:
        return said, "rasters without band names are stored in two orders: name their bands"
    if unnamed == {"resolution"}:
        return said, "bands without names lie 10 m bands first: give band_order='resolution'"
    return said, None


def _backscatter(seen: list[Seen]) -> tuple[str | None, str | None]:
    """What the levels say of the unit and the order of Sentinel-1's bands, and a problem if any."""
    levels = np.array([s.levels for s in seen if s.levels])
    if not len(levels):
        return None, None
    (vv, vh), above = np.median(levels, axis=0), (levels[:, 0] > levels[:, 1]).mean()
    said = (
        f"Read as linear intensity, half of the {len(levels):,} rasters lie above {vv:.1f} dB in "
        f"VV and {vh:.1f} dB in VH (land: about -11 and -17); VV is above VH in {above:.0%}."
    )
    if above < 0.5:
        return said, "VH is above VV, which land never shows: are the bands swapped?"
    if not -25 < vv < 0:
        return said, f"a median of {vv:.1f} dB is not that of land: is it linear intensity?"
    return said, None


def _place(seen: list[Seen]) -> str | None:
    offsets = Counter(s.offset for s in seen if s.offset)
    if not offsets or set(offsets) == {(0, 0)}:
        return (offsets and "Every raster lies where its name says.") or None
    return "; ".join(
        f"{count:,} rasters lie {east:+d} m east and {south:+d} m south of where their name says"
        for (east, south), count in offsets.most_common(_EXAMPLES)
    )


def _read_all(
    root: Path, dataset: Dataset, files: pd.DataFrame, workers: int, progress: bool
) -> list[Seen]:
    there = files[files["there"] & files["patch"].notna()]
    patches = [
        (patch, list(zip(group["layer"], group["name"], strict=True)))
        for patch, group in there.groupby("patch")
    ]
    bar = tqdm(total=len(there), desc="checking", unit=" files", disable=None if progress else True)
    seen = []
    with ThreadPoolExecutor(workers) as pool, bar:
        for found in pool.map(lambda item: _examine_patch(root, dataset, *item), patches):
            seen += found
            bar.update(len(found))
    return seen


def _dataset(root: Path) -> tuple[Dataset, str]:
    """The dataset of a root, or one that allows any tile and year, and what is to be said."""
    try:
        dataset = describe(root)
        return dataset, dataset.name
    except DescriptionError as error:
        return replace(MULTISENGE, name="", years=(), split_of_tile={}, patch_pixels=1), str(error)


def _draft(root: Path, index: pd.DataFrame, seen: list[Seen], dataset: Dataset) -> str:
    """A description of a root that has none; empty where nothing was read, or it has one."""
    sizes = Counter(s.grid.width for s in seen if s.grid)
    if is_described(root) or dataset.split_of_tile or index.empty or not sizes:
        return ""
    there = {s.layer for s in seen}
    dates = {
        row.patch: {s: getattr(row, f"{s}_dates") for s in SENSORS if s in there}
        for row in index.itertuples()
    }
    bands = {s: dataset.bands[s] for s in SENSORS if s in there}
    size = sizes.most_common(1)[0][0]
    drafted = draft_description(root.resolve().name, dates, size, bands, learn="reference" in there)
    return to_toml(drafted)


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
    dataset, said = _dataset(root)
    found = []
    try:
        index = read_index(root / LABELS, dataset)
    except LabelError as error:
        found.append(("labels", f"{LABELS}/", str(error)))
        index = pd.DataFrame({"patch": []})
    files = _inventory(root, index)
    seen = _read_all(root, dataset, files, workers or os.cpu_count() or 1, progress)
    (order, wrong_order), (levels, wrong_level) = _band_order(seen), _backscatter(seen)
    found += [(s.layer, s.file, problem) for s in seen for problem in s.problems]
    found += [("s2", "s2/", wrong_order)] if wrong_order else []
    found += [("s1", "s1/", wrong_level)] if wrong_level else []
    notes = [(s.layer, s.file, note) for s in seen for note in s.notes]
    evidence = {"Band order": order, "Backscatter": levels, "Place": _place(seen)}
    classes = np.sum([s.classes for s in seen if s.classes], axis=0, initial=0)
    return Report(
        root,
        said,
        _counts(files, seen),
        _kinds(found),
        _kinds([*_inventory_notes(files), *notes]),
        {what: words for what, words in evidence.items() if words},
        {i: int(n) for i, n in enumerate(np.atleast_1d(classes)) if n},
        _draft(root, index, seen, dataset),
    )
