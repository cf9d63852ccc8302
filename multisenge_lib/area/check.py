"""What a data root holds, what is missing and what is damaged, before anything is trained on it.

Every raster on disk is read once, by several threads, and held to the checks of
`dataset.inspect_raster`. What no header says is judged by content, see `raster_content`.
"""

import json
import os
import re
from collections import defaultdict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import rasterio
from tqdm import tqdm

from multisenge_lib.area.draft import draft_dataset
from multisenge_lib.area.raster_content import (
    ContentCheck,
    RasterContent,
    backscatter_levels,
    band_order,
    content_of,
    place,
    reflectance_unit,
)
from multisenge_lib.area.selected_patches import describe_selected
from multisenge_lib.dataset import (
    DESCRIPTION,
    LABELS,
    MULTISENGE,
    RASTER_NAME,
    READING,
    REFERENCE,
    SENSORS,
    Dataset,
    check_projections,
    dataset_of_root,
    has_description,
    inspect_raster,
    only_existing,
    origin_of_patch,
    raster_path,
    scan_index,
    tile_corner,
    to_toml,
)
from multisenge_lib.errors import (
    DescriptionError,
    LabelError,
    MultiSenGEError,
    PatchError,
    SelectionError,
    counted,
    printable,
)
from multisenge_lib.progress_bars import hide_bar

#: The folder of each layer.
_FOLDERS = {"reference": REFERENCE} | {sensor: sensor for sensor in SENSORS}
_MOST_EXAMPLES = 5
_MOST_THREADS = 256
#: Where to report a problem found in the content: layer and file, by subject.
_PLACE_OF_PROBLEM = {
    "Band order": ("s2", "s2/"),
    "Reflectance": ("s2", "s2/"),
    "Backscatter": ("s1", "s1/"),
    "Selection": ("dataset", DESCRIPTION),
}


class Remark(NamedTuple):
    """One sentence on one file of a layer."""

    layer: str
    file: str
    words: str


@dataclass(frozen=True)
class ProblemGroup:
    """Problems of one kind: their words for the first file, how many files, and some of them."""

    layer: str
    problem: str
    files: int
    examples: tuple[str, ...]


@dataclass(frozen=True)
class CheckReport:
    """What `check_root` found.

    Attributes:
        root: the data root.
        dataset: the dataset's name, or why the root has no valid description.
        files: one row per layer and tile: `named` in labels, `on_disk`, `missing`, `unnamed`,
            `damaged` (with a problem), `no_data` (mean share of pixels, percent).
        problems: what keeps files from being used, by kind.
        notes: what is worth knowing.
        evidence: what content says of band order, unit and place, one sentence each.
        draft: a first `dataset.toml`, where the root has none and needs one.
    """

    root: Path
    dataset: str
    files: pd.DataFrame
    problems: list[ProblemGroup]
    notes: list[ProblemGroup]
    evidence: dict[str, str]
    draft: str = ""

    def to_json(self) -> dict[str, Any]:
        """The report as plain values."""
        files = json.loads(self.files.to_json(orient="records"))
        return asdict(self) | {"root": str(self.root), "files": files}

    def to_text(self) -> str:
        """The report to read, and to act on."""
        lines = [f"{printable(self.root)}: {self.dataset}", self.files.to_string(index=False)]
        lines += _lines_of("To fix", self.problems)
        lines += _lines_of("Worth knowing", self.notes)
        for subject, sentence in self.evidence.items():
            lines.append(f"{subject}: {sentence}")
        if not self.problems:
            lines.append("Nothing to fix.")
        if self.draft:
            lines.append(f"A first {DESCRIPTION}, to be looked at:\n\n{self.draft}")
        return "\n".join(lines)


def _lines_of(title: str, groups: list[ProblemGroup]) -> list[str]:
    if not groups:
        return []
    total = sum(group.files for group in groups)
    lines = [f"{title}: {counted(total, 'file', 'files')}"]
    for group in groups:
        more = ", ..." if group.files > len(group.examples) else ""
        files = counted(group.files, "file", "files")
        lines.append(f"  {group.layer}: {group.problem} ({files})")
        lines.append(f"    {', '.join(group.examples)}{more}")
    return lines


def check_root(root: Path | str, workers: int | None = None, progress: bool = False) -> CheckReport:
    """Read every raster of a data root once, and report what is there, missing and damaged.

    Args:
        root: the data root; without description, any tile and year is allowed.
        workers: threads that read, from 1; by default one per processor.
        progress: show a progress bar where there is a terminal.

    Raises:
        MultiSenGEError: there is no data root, or a folder cannot be listed.
    """
    check_projections()
    if not isinstance(root, str | os.PathLike) or root == "":
        raise PatchError(f"the data root is {printable(repr(root))[:60]}: give a path")
    threads = _thread_count(workers)
    root = Path(root)
    if not root.is_dir():
        raise PatchError(
            f"{printable(root)} is not a folder: give the data root, which holds {LABELS}/"
        )
    dataset, title, wrong_description = _describe(root)
    index, wrong_labels = _read_labels(root, dataset)
    files = _inventory(root, index)
    if files.empty:
        folders = "/, ".join(_FOLDERS.values())
        raise PatchError(f"{printable(root)} holds no patch: a data root has {LABELS}/, {folders}/")
    # Said once for the layer, and then not again for each of its files.
    gone = _layers_that_are_gone(files)

    findings = _read_all(root, dataset, files, threads, progress)
    sound = findings[findings["problems"].map(len) == 0]
    evidence = _judge_content(sound)
    # Without a description there are no months yet, and without a layer nothing is selected.
    # With a label that cannot be read, the blocks of the others would be drawn wrongly.
    if dataset.name and not index.empty and not gone and not wrong_labels:
        evidence["Selection"] = _selected_patches(root, index, dataset)

    problems = [
        *wrong_description,
        *wrong_labels,
        *gone,
        *_problems_of_content(evidence),
        *_problem_of_size(root, sound, dataset),
        *_remarks_on_rasters(findings, "problems"),
    ]
    notes = [
        *_notes_on_names(files, wrong_labels, {remark.layer for remark in gone}),
        *_remarks_on_rasters(findings, "notes"),
    ]
    return CheckReport(
        root=root,
        dataset=title,
        files=_count_files(files, findings),
        problems=_group(problems),
        notes=_group(notes),
        evidence=_sentences(evidence),
        draft=_draft(root, index, findings, dataset),
    )


def _thread_count(workers: int | None) -> int:
    """How many threads read.

    Raises:
        MultiSenGEError: the user gives no whole number from 1.
    """
    if workers is None:
        return os.cpu_count() or 1
    is_whole = isinstance(workers, int | np.integer) and not isinstance(workers, bool)
    if not is_whole or workers < 1:
        raise MultiSenGEError(
            f"workers is {printable(repr(workers))[:60]}: give the number of threads, from 1"
        )
    # A system starts only so many threads, and the disk is no faster for more.
    return min(int(workers), _MOST_THREADS)


def _describe(root: Path) -> tuple[Dataset, str, list[Remark]]:
    """The dataset of a root, what to call it, and what is wrong with its description."""
    try:
        dataset = dataset_of_root(root)
        return dataset, dataset.name, []
    except DescriptionError as error:
        # Any tile and year is allowed then, and a patch of any size: it ends within its tile.
        anything = replace(MULTISENGE, name="", years=(), split_of_tile={}, patch_pixels=1)
        reason = str(error)
        if has_description(root):
            return anything, reason, [Remark("dataset", DESCRIPTION, reason)]
        return anything, reason, []  # nothing is wrong: a description is drafted


def _read_labels(root: Path, dataset: Dataset) -> tuple[pd.DataFrame, list[Remark]]:
    """The index of the label files that can be read, and what is wrong with the others."""
    try:
        index, problems = scan_index(root / LABELS, dataset)
    except LabelError as error:
        return pd.DataFrame(), [Remark("labels", f"{LABELS}/", str(error))]
    remarks = []
    for path, reason in problems:
        name = printable(Path(path).name)
        remarks.append(Remark("labels", f"{LABELS}/{name}", reason))
    return index, remarks


def _inventory(root: Path, index: pd.DataFrame) -> pd.DataFrame:
    """List all files that are on disk or that labels name.

    Returns:
        One row per file: `layer`, `file` below the root, `patch` (empty if it is not named after a
        patch), `tile`, `named` by a label, `on_disk`.
    """
    rows = []
    for layer, folder in _FOLDERS.items():
        on_disk = _names_in(root / folder)
        for row in index.itertuples():
            for day in _days_of(row, layer):
                name = raster_path("", layer, row.patch, day).name
                rows.append((layer, f"{folder}/{name}", row.patch, True, name in on_disk))
                on_disk.discard(name)  # what remains in the end is named by no label
        for name in sorted(on_disk):
            patch = _patch_of(name)
            # A file that is not named after a patch is never opened; it may hold any bytes.
            shown_name = name if patch else printable(name)
            rows.append((layer, f"{folder}/{shown_name}", patch, False, True))
    table = pd.DataFrame(rows, columns=["layer", "file", "patch", "named", "on_disk"])
    return table.assign(tile=table["patch"].str.split("_").str[0])


def _days_of(row: Any, layer: str) -> list[Any]:
    """The dates of a patch's rasters in a layer; None stands for the reference."""
    if layer != "reference":
        return list(getattr(row, f"{layer}_dates"))
    # An area to predict has no classes, and no reference.
    return [None] if len(row.classes) else []


def _names_in(folder: Path) -> set[str]:
    """Names in a folder; one that is not there has none."""
    try:
        return {entry.name for entry in os.scandir(folder)}
    except FileNotFoundError:
        return set()
    except OSError as error:
        raise PatchError(
            f"{printable(folder)} cannot be listed ({error.strerror}): it must be a folder that "
            "can be read"
        ) from None


def _patch_of(name: str) -> str:
    """The patch that a raster's name gives, or "" if it gives none, or one of no tile."""
    match = RASTER_NAME.fullmatch(name)
    if match is None:
        return ""
    with suppress(MultiSenGEError):
        tile_corner(match[1])
        return "_".join(match.group(1, 3, 4))
    return ""


def _layers_that_are_gone(files: pd.DataFrame) -> list[Remark]:
    """A problem for each layer of which labels name files, and not one is on disk.

    Single missing files are worth knowing: a selection goes around them. Without a whole layer
    nothing can be trained; a folder was not fetched, or a link leads to nothing.
    """
    gone = []
    for layer, of_layer in files[files["named"]].groupby("layer"):
        if not of_layer["on_disk"].any():
            missing = counted(len(of_layer), "file", "files")
            words = (
                f"not one of the {missing} that labels name is there: fetch the layer, or correct "
                "the link to it"
            )
            gone.append(Remark(layer, f"{_FOLDERS[layer]}/", words))
    return gone


def _problem_of_size(root: Path, sound: pd.DataFrame, dataset: Dataset) -> list[Remark]:
    """A problem where dataset.toml gives patches another size than the rasters have.

    Which patches are neighbours, and so the splits, would be wrong.
    """
    sizes = sound["size"].dropna().unique()
    is_described = (root / DESCRIPTION).exists() and dataset.name != ""
    if not is_described or len(sizes) != 1 or sizes[0] == dataset.patch_pixels:
        return []
    words = (
        f"patch_pixels is {dataset.patch_pixels}, all rasters have {sizes[0]:.0f} x "
        f"{sizes[0]:.0f} pixels: correct it"
    )
    return [Remark("dataset", DESCRIPTION, words)]


def _notes_on_names(
    files: pd.DataFrame, wrong_labels: Iterable[Remark], gone_layers: set[str]
) -> list[Remark]:
    """What is worth knowing of files that labels and the disk do not agree on."""
    patches_with_wrong_label = {Path(r.file).stem for r in wrong_labels if r.layer == "labels"}
    remarks = []
    for row in files.itertuples():
        file = printable(row.file)
        if row.patch == "":
            remarks.append(Remark(row.layer, file, "is not named like a raster of a patch"))
        elif not row.on_disk and row.layer not in gone_layers:
            remarks.append(Remark(row.layer, file, "is named by a label, but is not there"))
        elif not row.named and row.patch in patches_with_wrong_label:
            words = "is there, and the label file of its patch cannot be read"
            remarks.append(Remark(row.layer, file, words))
        elif not row.named:
            remarks.append(Remark(row.layer, file, "is there, but no label names it"))
    return remarks


@dataclass
class FileFindings:
    """What reading one raster showed.

    Attributes:
        layer: `s1`, `s2` or `reference`.
        tile: tile of its patch.
        file: below the root.
        problems: one sentence each.
        size: pixels along its side; None if the raster has problems; then the next two are None
            too.
        offset: metres east and south of where its name says.
        content: what its pixels show.
    """

    layer: str
    tile: str
    file: str
    problems: list[str] = field(default_factory=list)
    size: int | None = None
    offset: tuple[int, int] | None = None
    content: RasterContent | None = None

    def row(self) -> dict[str, Any]:
        """The findings as a row of a table, with those of the content beside the others."""
        content = self.content or RasterContent(no_data=float("nan"))
        values = {key: value for key, value in vars(self).items() if key != "content"}
        return values | vars(content)


def _read_all(
    root: Path, dataset: Dataset, files: pd.DataFrame, threads: int, progress: bool
) -> pd.DataFrame:
    """Read the rasters of all patches; one row of `FileFindings` per raster."""
    readable = files[files["on_disk"] & (files["patch"] != "")]
    rows = []
    bar = tqdm(total=len(readable), desc="checking", unit=" files", disable=hide_bar(progress))
    with ThreadPoolExecutor(threads) as pool, bar:

        def read_group(group: tuple[str, pd.DataFrame]) -> list[FileFindings]:
            return _read_patch(root, dataset, *group)

        for findings in pool.map(read_group, readable.groupby("patch")):
            rows += [finding.row() for finding in findings]
            bar.update(len(findings))
    columns = list(FileFindings("", "", "").row())
    return pd.DataFrame(rows, columns=columns)


def _read_patch(
    root: Path, dataset: Dataset, patch: str, files: pd.DataFrame
) -> list[FileFindings]:
    """Read all rasters of a patch; the first sound one gives the grid for the others."""
    origin = origin_of_patch(patch)
    first_sound = None
    all_findings = []
    with rasterio.Env(**READING):
        for row in files.itertuples():
            path = root / row.file
            problems, raster = inspect_raster(path, row.layer, origin, first_sound, dataset)
            findings = FileFindings(row.layer, row.tile, row.file, problems)
            if not problems:
                # A damaged raster would make all others of its patch look misplaced.
                first_sound = first_sound or raster
                corner = raster.transform
                findings.size = raster.pixels.shape[-1]
                findings.offset = round(corner.c - origin.west), round(origin.north - corner.f)
                findings.content = content_of(raster, row.layer, dataset)
            all_findings.append(findings)
    return all_findings


def _judge_content(sound: pd.DataFrame) -> dict[str, ContentCheck]:
    """What the pixels of all sound rasters say, by subject."""
    s1 = sound[sound["layer"] == "s1"]
    s2 = sound[sound["layer"] == "s2"]
    return {
        "Place": place(sound),
        "Band order": band_order(s2),
        "Reflectance": reflectance_unit(s2),
        "Backscatter": backscatter_levels(s1),
    }


def _sentences(evidence: dict[str, ContentCheck]) -> dict[str, str]:
    """The sentence of each subject that has one."""
    sentences = {}
    for subject, of_subject in evidence.items():
        if of_subject.sentence:
            sentences[subject] = of_subject.sentence
    return sentences


def _remarks_on_rasters(findings: pd.DataFrame, kind: str) -> list[Remark]:
    """The `problems` or `notes` of all rasters that were read."""
    remarks = []
    for row in findings.itertuples():
        file = printable(row.file)
        remarks += [Remark(row.layer, file, words) for words in getattr(row, kind)]
    return remarks


def _selected_patches(root: Path, index: pd.DataFrame, dataset: Dataset) -> ContentCheck:
    """Count the patches that training and tests would take; none is a problem."""
    try:
        on_disk = only_existing(index, root, dataset.sensors)
    except SelectionError:  # a file is named otherwise, which is said elsewhere
        return ContentCheck()
    try:
        sentence, _ = describe_selected(on_disk, dataset)
        return ContentCheck(sentence)
    except SelectionError as error:
        return ContentCheck(problem=f"no patch is selected; {error}")


def _problems_of_content(evidence: dict[str, ContentCheck]) -> list[Remark]:
    remarks = []
    for subject, (layer, place_of_problem) in _PLACE_OF_PROBLEM.items():
        problem = evidence.get(subject, ContentCheck()).problem
        if problem:
            remarks.append(Remark(layer, place_of_problem, problem))
    return remarks


def _group(remarks: Iterable[Remark]) -> list[ProblemGroup]:
    """Gather remarks of the same words, whatever the numbers in them; the most frequent first."""
    by_words = defaultdict(list)
    for remark in remarks:
        # "has 4 bands, s2 has 10" and "has 3 bands, s2 has 10" are one kind of problem.
        words_without_numbers = re.sub(r"-?\d[\d.e+-]*", "#", remark.words)
        by_words[remark.layer, words_without_numbers].append(remark)
    groups = []
    for (layer, _), same in by_words.items():
        examples = tuple(remark.file for remark in same[:_MOST_EXAMPLES])
        groups.append(ProblemGroup(layer, same[0].words, len(same), examples))
    return sorted(groups, key=lambda group: -group.files)


def _count_files(files: pd.DataFrame, findings: pd.DataFrame) -> pd.DataFrame:
    """The table `CheckReport.files`."""
    by = ["layer", "tile"]
    table = files.assign(missing=files["named"] & ~files["on_disk"], unnamed=~files["named"])
    counts = table.groupby(by)[["named", "on_disk", "missing", "unnamed"]].sum()
    damaged = findings["problems"].map(bool)
    percent = 100 * findings["no_data"].astype(float)
    read = findings.assign(damaged=damaged, no_data=percent).groupby(by)
    counts["damaged"] = read["damaged"].sum()
    counts["no_data"] = read["no_data"].mean().round(1)
    return counts.fillna({"damaged": 0}).astype({"damaged": int}).reset_index()


def _draft(root: Path, index: pd.DataFrame, findings: pd.DataFrame, dataset: Dataset) -> str:
    """A description of a root that has none; empty where it has one, or nothing was read."""
    if has_description(root) or dataset.split_of_tile:
        return ""
    sizes = findings["size"].dropna()
    layers = set(findings["layer"])
    bands = {sensor: dataset.bands[sensor] for sensor in SENSORS if sensor in layers}
    if index.empty or sizes.empty or not bands:
        return ""
    dates = {}
    for row in index.itertuples():
        dates[row.patch] = {sensor: getattr(row, f"{sensor}_dates") for sensor in bands}
    size = int(sizes.mode()[0])  # that of most rasters; another size is a problem of its own
    drafted = draft_dataset(root.resolve().name, dates, size, bands, learn="reference" in layers)
    return to_toml(drafted)
