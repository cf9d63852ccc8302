"""Checks of what sections 2 and 3 and the captions say: dataset, split, classes, method."""

from collections.abc import Callable

import numpy as np
from pyproj import Transformer

from multisenge_lib.audit.evidence import Evidence
from multisenge_lib.audit.finding import Outcome, check, compared, judged, measured
from multisenge_lib.dataset import (
    MULTISENGE,
    SPLITS,
    TILE_PIXELS,
    TYPOLOGIES,
    URBAN,
    WGS84,
    tile_corner,
)

#: From a tile's centre to its sides, metres.
_HALF_TILE = TILE_PIXELS * 5
#: Square kilometres of a patch.
_PATCH_KM2 = (256 / 100) ** 2

# Whole numbers


def _unmerged_urban_classes(evidence: Evidence) -> int:
    """Urban classes that no grouping of Table 3 merges with another class."""
    unmerged = {(i,) for i in URBAN}
    for groups in evidence.paper.grouping.values():
        unmerged &= set(groups)
    return len(unmerged)


def _classes_in_table(evidence: Evidence) -> int:
    """Classes in the table that the claim names."""
    rows = {id.split("/")[1] for id in evidence.paper.table(evidence.names[0])}
    return len(rows - {"W-Avg"})


@check("tiles-14", count=lambda evidence: (evidence.counts.tiles["patches"] > 0).sum())
@check("patches-8157", count=lambda evidence: evidence.counts.totals["patches"])
@check("typology-14", count=lambda evidence: len(evidence.paper.shares()))
@check("urban-5", count=_unmerged_urban_classes)
@check("experiments", count=lambda evidence: len({row[0] for row in evidence.paper.experiments}))
@check("metrics-three", count=lambda evidence: len(evidence.names))
@check("caption-figure-9", count=_classes_in_table)
def whole_number(evidence: Evidence, count: Callable[[Evidence], int]) -> Outcome:
    return compared(evidence.value, count(evidence))


@check("year")
def year(evidence: Evidence) -> Outcome:
    totals = evidence.counts.totals
    dates = totals["s1_references"] + totals["s2_references"]
    # Reading an index refuses any other year, so that every date counted is of this one.
    (only_year,) = MULTISENGE.years
    return compared(evidence.value, only_year, dates=dates)


@check("two-groupings")
def groupings(evidence: Evidence) -> dict[str, Outcome]:
    grouping = evidence.paper.grouping
    sizes = {"first": len(grouping[10]), "second": len(grouping[6])}
    return {part: compared(number, sizes[part]) for part, number in evidence.stated.items()}


@check("memory")
def memory(evidence: Evidence) -> Outcome:
    stated = evidence.stated
    return compared(stated["total"], stated["cards"] * stated["each"])


@check("patch-size")
def patch_size(evidence: Evidence) -> Outcome:
    test_patches = evidence.paper.stated("split-counts")["test"]
    printed = test_patches * evidence.stated["rows"] * evidence.stated["columns"]
    return compared(printed, evidence.replication.support[10].sum(), test=test_patches)


# Section 2.1 and 2.2: dataset and split


@check("region-area")
def area(evidence: Evidence) -> Outcome:
    covered = evidence.counts.totals["patches"] * _PATCH_KM2
    return judged(None, covered=covered, patch=_PATCH_KM2, share=covered / evidence.value)


@check("months-most")
def months(evidence: Evidence) -> Outcome:
    counts = evidence.counts.months
    most = sorted(int(month) for month in counts.nlargest(len(evidence.ids)).index)
    return judged(sorted(evidence.ids) == most, most=most, counts=counts)


@check("winter-few")
def winter(evidence: Evidence) -> Outcome:
    patches = [int(evidence.counts.months[month]) for month in evidence.ids]
    half_of_all = evidence.counts.totals["patches"] / 2
    return judged(max(patches) < half_of_all, patches=patches)


@check("regular-gaps")
def regular_gaps(evidence: Evidence) -> Outcome:
    """Whether the dates are regular: the usual gap is nowhere twice as long as elsewhere.

    The paper does not say what it means by regular; this is our reading.
    """
    series = evidence.counts.series
    gaps = []
    means = []
    for column in ("days1", "days2", "days3"):
        days = series[column]
        gaps.append(f"{days.min()}-{days.max()}")
        means.append(np.average(days, weights=series["patches"]))
    regular = max(means) < 2 * min(means)
    return judged(regular, gaps=gaps, means=means, series=len(series))


@check("gap-17")
def gap(evidence: Evidence) -> Outcome:
    patches_by_gap = evidence.paper.days_gaps()
    patches_of_17 = patches_by_gap[int(evidence.value)]
    best_gap = max(patches_by_gap, key=patches_by_gap.get)
    longest = max(gap for gap, patches in patches_by_gap.items() if patches == patches_of_17)
    # The sentence goes on "as recommended in [33]". If 17 is that work's gap, the number of patches
    # is the most for it, whatever a shorter gap would give; so another maximum does not refute it.
    is_most = patches_of_17 == patches_by_gap[best_gap]
    return judged(
        is_most or None,
        kept=patches_of_17,
        best_gap=best_gap,
        patches=patches_by_gap[best_gap],
        longest=longest,
    )


@check("split-counts")
def patches_by_split(evidence: Evidence) -> dict[str, Outcome]:
    stated = evidence.stated
    outcomes = {split: compared(stated[split], evidence.counts.splits[split]) for split in SPLITS}
    outcomes["sum"] = compared(evidence.paper.days_gaps()[17], sum(stated.values()))
    return outcomes


def _selected(evidence: Evidence, tiles: set[str]) -> int:
    """Selected patches on some tiles."""
    counts = evidence.counts.tiles["selected"]
    return int(counts[counts.index.isin(tiles)].sum())


@check("training-tiles")
def training_tiles(evidence: Evidence) -> Outcome:
    tiles = evidence.counts.tiles
    listed_tiles = set(evidence.names)
    trains = (tiles["split"] == "train") & (tiles["selected"] > 0)
    needed_tiles = set(tiles.index[trains])
    missing_tiles = needed_tiles - listed_tiles
    unused_tiles = tiles.index[tiles["selected"] == 0]
    printed = evidence.paper.stated("split-counts")["train"]
    listed = _selected(evidence, listed_tiles)
    return judged(
        listed_tiles == needed_tiles,
        printed - listed,
        0.0,
        printed=printed,
        listed=listed,
        missing=sorted(missing_tiles),
        needed=_selected(evidence, missing_tiles),
        count=len(listed_tiles),
        unused=unused_tiles,
        used=len(tiles) - len(unused_tiles),
        tiles=len(tiles),
    )


@check("split-tiles")
def split_tiles(evidence: Evidence) -> Outcome:
    *validation_tiles, test_tile = evidence.names
    stated = evidence.paper.stated("split-counts")
    printed = [stated["validation"], stated["test"]]
    counted = [_selected(evidence, set(validation_tiles)), _selected(evidence, {test_tile})]
    return judged(
        counted == printed,
        printed=printed,
        counted=counted,
        validation=" + ".join(validation_tiles),
        test=test_tile,
    )


@check("test-tile")
def test_tile(evidence: Evidence) -> Outcome:
    (tile,) = evidence.names
    printed = evidence.paper.stated("split-counts")["test"]
    patches, selected = evidence.counts.tiles.loc[tile, ["patches", "selected"]]
    right = printed == patches == selected
    return judged(right, printed=printed, patches=patches, selected=selected)


@check("split-proportions")
def split_proportions(evidence: Evidence) -> Outcome:
    """Whether the splits keep proportions: no frequent class is twice as frequent in one split.

    The paper does not say what it means by kept; this is our reading.
    """
    percent = evidence.counts.presence_percent
    frequent = percent[percent.max(axis=1) >= 10]
    learnt = frequent[["train", "validation"]]
    ratios = learnt.max(axis=1) / learnt.min(axis=1)
    names = TYPOLOGIES["14c"].names
    rows = []
    for class_id in ratios.index[ratios > 2]:
        rows.append(
            {
                "name": names[class_id - 1],
                "train": percent.loc[class_id, "train"],
                "validation": percent.loc[class_id, "validation"],
            }
        )
    vineyards = percent.loc[names.index("Vineyards") + 1]
    return judged(None, each=rows, frequent=len(frequent), vineyards=vineyards)


@check("patches-shown")
def patches_shown(evidence: Evidence) -> Outcome:
    (tile,) = evidence.paper.names("test-tile")
    count = len(evidence.names)
    on_tile = sum(name.startswith(f"{tile}_") for name in evidence.names)
    return judged(on_tile == count, count=count, on_tile=on_tile, tile=tile)


# Places


def _direction(metres: float, ahead: str, behind: str) -> str:
    direction = ahead if metres >= 0 else behind
    return f"{abs(metres) / 1000:.0f} km {direction}"


@check("test-reims")
@check("caption-table-5")
def place(evidence: Evidence) -> Outcome:
    tile, city = evidence.names
    west, north, epsg = tile_corner(tile)
    to_tile_zone = Transformer.from_crs(WGS84, epsg, always_xy=True)
    x, y = to_tile_zone.transform(*MULTISENGE.cities[city])
    east_of_centre = x - (west + _HALF_TILE)
    north_of_centre = y - (north - _HALF_TILE)
    on_tile = max(abs(east_of_centre), abs(north_of_centre)) <= _HALF_TILE
    return judged(
        on_tile,
        city=city,
        tile=tile,
        place=[
            _direction(east_of_centre, "east", "west"),
            _direction(north_of_centre, "north", "south"),
        ],
        half=_HALF_TILE / 1000,
    )


def _longitude(tile: str) -> float:
    """Longitude of a tile's centre, in degrees."""
    west, north, epsg = tile_corner(tile)
    to_degrees = Transformer.from_crs(epsg, WGS84, always_xy=True)
    return to_degrees.transform(west + _HALF_TILE, north - _HALF_TILE)[0]


@check("caption-table-7")
def western_half(evidence: Evidence) -> Outcome:
    (tile,) = evidence.names
    own = _longitude(tile)
    longitudes = [_longitude(name) for name in evidence.counts.tiles.index]
    low = min(longitudes)
    high = max(longitudes)
    return judged(own < (low + high) / 2, tile=tile, own=own, low=low, high=high)


# Section 2.3: classes and shares


def merged_shares(evidence: Evidence, classes: int) -> np.ndarray:
    """Table 2 in 6, 10 or 14 classes: percent, `(classes,)`."""
    shares = evidence.paper.shares()
    merged = []
    for ids in TYPOLOGIES[f"{classes}c"].members:
        merged.append(sum(shares[i - 1] for i in ids))
    return np.array(merged)


@check("merging")
def merging(evidence: Evidence) -> Outcome:
    table = set(evidence.paper.grouping[10])
    groups = set()
    for group in evidence.names:  # such as "1+2+3"
        groups.add(tuple(map(int, group.split("+"))))
    # What the sentence does not name stays a class of its own.
    unmerged = set(range(1, 15)).difference(*groups)
    groups.update((class_id,) for class_id in unmerged)
    return judged(groups == table, count=len(groups), same=len(groups & table))


@check("rare-classes", classes=14)
@check("under-1", classes=10)
def rare_classes(evidence: Evidence, classes: int) -> Outcome:
    shares = merged_shares(evidence, classes)
    named = [shares[i - 1] for i in evidence.ids]
    rows = [{"i": i, "share": share} for i, share in zip(evidence.ids, named, strict=True)]
    return judged(max(named) < evidence.value, each=rows, shares=shares)


@check("non-urban-share")
def non_urban(evidence: Evidence) -> Outcome:
    numbers = evidence.paper.numbers
    printed = numbers["text/non-urban-share/percent"]
    parts = [numbers[f"table2/{i}"] for i in TYPOLOGIES["6c"].members[5]]
    derived = sum(number.value for number in parts)
    tolerance = printed.half + sum(number.half for number in parts)
    pixels = evidence.replication.support[6]
    tested = 100 * pixels[5] / pixels.sum()
    return measured(printed.value - derived, tolerance, derived=derived, tested=tested)


# Section 3: method


@check("input-shape")
def input_shape(evidence: Evidence) -> Outcome:
    paper = evidence.paper
    derived = {
        "dates": len(paper.names("months-most")),
        **paper.stated("patch-size"),
        "bands": len(paper.names("bands")),
    }
    return judged(evidence.stated == derived, derived=derived)


@check("augmentation-share")
@check("superior")
@check("hypothesis-imagery")
@check("hypothesis-balance")
def nothing_printed_decides(evidence: Evidence) -> Outcome:
    return judged(None)
