"""Checks of what sections 2 and 3 and the captions say: dataset, split, classes, method."""

from collections.abc import Callable

import numpy as np
from pyproj import Transformer

from multisenge_lib.audit.finding import Evidence, Outcome, check, compared, judged, measured
from multisenge_lib.dataset import (
    MULTISENGE,
    S2_BANDS,
    SPLITS,
    TILE_PIXELS,
    TYPOLOGIES,
    URBAN,
    tile_corner,
)

#: From a tile's centre to its sides, metres.
_HALF_TILE = TILE_PIXELS * 5
#: Square kilometres of a patch.
_PATCH_KM2 = (256 / 100) ** 2
#: Bands along which the reflectance of vegetation climbs.
_RAMP = ("B4", "B5", "B6", "B7", "B8", "B8A")

# Whole numbers


def _kept_apart(e: Evidence) -> int:
    """Urban classes that no grouping of Table 3 merges."""
    exclusive = [{ids for ids in groups if len(ids) == 1} for groups in e.paper.grouping.values()]
    return len(set.intersection(*exclusive) & {(i,) for i in URBAN})


def _rows(e: Evidence) -> int:
    """Classes in the table that the claim names."""
    return len({id.split("/")[1] for id in e.paper.table(e.names[0])} - {"W-Avg"})


@check("tiles-14", count=lambda e: (e.census.tiles["patches"] > 0).sum())
@check("patches-8157", count=lambda e: e.census.totals["patches"])
@check("typology-14", count=lambda e: len(e.paper.shares()))
@check("urban-5", count=_kept_apart)
@check("experiments", count=lambda e: len({name for name, *_ in e.paper.experiments}))
@check("metrics-three", count=lambda e: len(e.names))
@check("caption-figure-9", count=_rows)
def whole_number(e: Evidence, count: Callable[[Evidence], int]) -> Outcome:
    return compared(e.value, count(e))


@check("year")
def year(e: Evidence) -> Outcome:
    dates = e.census.totals["s1_references"] + e.census.totals["s2_references"]
    return compared(e.value, *MULTISENGE.years, dates=dates)


@check("two-groupings")
def groupings(e: Evidence) -> dict[str, Outcome]:
    sizes = {"first": len(e.paper.grouping[10]), "second": len(e.paper.grouping[6])}
    return {part: compared(number, sizes[part]) for part, number in e.stated.items()}


@check("memory")
def memory(e: Evidence) -> Outcome:
    return compared(e.stated["total"], e.stated["cards"] * e.stated["each"])


@check("patch-size")
def patch_size(e: Evidence) -> Outcome:
    size, test = e.stated, e.paper.stated("split-counts")["test"]
    printed = test * size["rows"] * size["columns"]
    return compared(printed, e.replication.support[10].sum(), test=test)


# Section 2.1 and 2.2: dataset and split


@check("region-area")
def area(e: Evidence) -> Outcome:
    covered = e.census.totals["patches"] * _PATCH_KM2
    return judged(None, covered=covered, patch=_PATCH_KM2, share=covered / e.value)


@check("months-most")
def months(e: Evidence) -> Outcome:
    counts = e.census.months
    most = sorted(int(m) for m in counts.nlargest(len(e.ids)).index)
    return judged(sorted(e.ids) == most, most=most, counts=counts)


@check("winter-few")
def winter(e: Evidence) -> Outcome:
    few = [int(e.census.months[m]) for m in e.ids]
    return judged(max(few) < e.census.totals["patches"] / 2, few=few)


@check("gap-17")
def gap(e: Evidence) -> Outcome:
    table = e.paper.days_gaps()
    kept, most = table[int(e.value)], max(table, key=table.get)
    longest = max(gap for gap in table if table[gap] == kept)
    return judged(kept == table[most], kept=kept, most=most, patches=table[most], longest=longest)


@check("split-counts")
def split_counts(e: Evidence) -> dict[str, Outcome]:
    by_split = {split: compared(e.stated[split], e.census.splits[split]) for split in SPLITS}
    return by_split | {"sum": compared(e.paper.days_gaps()[17], sum(e.stated.values()))}


def _selected(e: Evidence, tiles: set[str]) -> int:
    counts = e.census.tiles["selected"]
    return int(counts[counts.index.isin(tiles)].sum())


@check("training-tiles")
def training_tiles(e: Evidence) -> Outcome:
    named, tiles = {*e.names}, e.census.tiles
    used = set(tiles.index[(tiles["split"] == "train") & (tiles["selected"] > 0)])
    unused = tiles.index[tiles["selected"] == 0]
    printed, listed = e.paper.stated("split-counts")["train"], _selected(e, named)
    missing, needed = sorted(used - named), _selected(e, used - named)
    counts = dict(count=len(named), unused=unused, used=len(tiles) - len(unused), tiles=len(tiles))
    values = dict(printed=printed, listed=listed, missing=missing, needed=needed, **counts)
    return judged(named == used, printed - listed, 0.0, **values)


@check("split-tiles")
def split_tiles(e: Evidence) -> Outcome:
    *validation, test = e.names
    printed = [e.paper.stated("split-counts")[split] for split in ("validation", "test")]
    held, names = [_selected(e, {*validation}), _selected(e, {test})], " + ".join(validation)
    return judged(held == printed, printed=printed, held=held, validation=names, test=test)


@check("test-tile")
def test_tile(e: Evidence) -> Outcome:
    (tile,), printed = e.names, e.paper.stated("split-counts")["test"]
    held, selected = e.census.tiles.loc[tile, ["patches", "selected"]]
    return judged(printed == held == selected, printed=printed, held=held, selected=selected)


@check("patches-shown")
def patches_shown(e: Evidence) -> Outcome:
    (tile,), count = e.paper.names("test-tile"), len(e.names)
    on_tile = sum(name.startswith(f"{tile}_") for name in e.names)
    return judged(on_tile == count, count=count, on_tile=on_tile, tile=tile)


# Places


def _direction(metres: float, ahead: str, behind: str) -> str:
    return f"{abs(metres) / 1000:.0f} km {ahead if metres >= 0 else behind}"


@check("test-reims")
@check("caption-table-5")
def place(e: Evidence) -> Outcome:
    tile, city = e.names
    west, north, epsg = tile_corner(tile)
    x, y = Transformer.from_crs(4326, epsg, always_xy=True).transform(*MULTISENGE.cities[city])
    x, y = x - west - _HALF_TILE, y - north + _HALF_TILE
    where = [_direction(x, "east", "west"), _direction(y, "north", "south")]
    on_tile = max(abs(x), abs(y)) <= _HALF_TILE
    return judged(on_tile, city=city, tile=tile, place=where, half=_HALF_TILE / 1000)


def _longitude(tile: str) -> float:
    west, north, epsg = tile_corner(tile)
    to_degrees = Transformer.from_crs(epsg, 4326, always_xy=True)
    return to_degrees.transform(west + _HALF_TILE, north - _HALF_TILE)[0]


@check("caption-table-7")
def west(e: Evidence) -> Outcome:
    centres, own = [_longitude(name) for name in e.census.tiles.index], _longitude(e.names[0])
    low, high = min(centres), max(centres)
    return judged(own < (low + high) / 2, tile=e.names[0], own=own, low=low, high=high)


# Section 2.3: classes and shares


def merged_shares(e: Evidence, classes: int) -> np.ndarray:
    """Table 2 in 6, 10 or 14 classes: percent, `(classes,)`."""
    shares = e.paper.shares()
    return np.array([sum(shares[i - 1] for i in ids) for ids in TYPOLOGIES[f"{classes}c"].members])


@check("merging")
def merging(e: Evidence) -> Outcome:
    table = {*e.paper.grouping[10]}
    merged = [tuple(int(i) for i in group.split("+")) for group in e.names]
    exclusive = {*range(1, 15)} - {i for group in merged for i in group}
    groups = {*merged, *((i,) for i in exclusive)}
    return judged(groups == table, count=len(groups), same=len(groups & table))


@check("rare-classes", classes=14)
@check("under-1", classes=10)
def rare_classes(e: Evidence, classes: int) -> Outcome:
    shares = merged_shares(e, classes)
    each = [dict(i=i, share=shares[i - 1]) for i in e.ids]
    return judged(max(row["share"] for row in each) < e.value, each=each, shares=shares)


@check("non-urban-share")
def non_urban(e: Evidence) -> Outcome:
    number, pixels = e.paper.numbers["text/non-urban-share/percent"], e.replication.support[6]
    parts = [e.paper.numbers[f"table2/{i}"] for i in TYPOLOGIES["6c"].members[5]]
    derived = sum(n.value for n in parts)
    tolerance = number.half + sum(n.half for n in parts)
    tested = 100 * pixels[5] / pixels.sum()
    return measured(number.value - derived, tolerance, derived=derived, tested=tested)


# Section 3: method


@check("input-shape")
def input_shape(e: Evidence) -> Outcome:
    dates, bands = len(e.paper.names("months-most")), len(e.paper.names("bands"))
    derived = {"dates": dates, **e.paper.stated("patch-size"), "bands": bands}
    return judged(e.stated == derived, derived=derived)


@check("augmentation-share")
@check("superior")
def nothing_printed_decides(e: Evidence) -> Outcome:
    return judged(None)


@check("class-weights")
def class_weights(e: Evidence) -> Outcome:
    inverse, shares = 1 / e.script.class_weights, merged_shares(e, 6)
    implied = 100 * inverse / inverse.sum()
    difference = implied - shares
    tolerance = np.array([0.005 * len(ids) for ids in TYPOLOGIES["6c"].members])
    same = bool((np.abs(difference) <= tolerance).all())
    train, patches = e.census.splits["train"], e.census.totals["patches"]
    possible = (implied * train <= (shares + tolerance) * patches).all()
    worst, right = np.argmax(np.abs(difference) / tolerance), same or (None if possible else False)
    values = dict(shares=shares, implied=implied, total=e.script.class_weights.sum(), train=train)
    return judged(right, difference[worst], tolerance[worst], **values)


# The authors' public script


def climbs(values: np.ndarray, order: tuple[str, ...]) -> bool:
    """Whether values in this band order climb from the red to the near infrared.

    Args:
        values: `(10,)`, one a band.
        order: the ten band names, as the values are ordered.
    """
    by_band = dict(zip(order, values, strict=True))
    return bool((np.diff([by_band[band] for band in _RAMP]) > 0).all())


@check("script-normalisation")
def script_normalisation(e: Evidence) -> Outcome:
    script, climb = e.script, [climbs(e.script.stds, S2_BANDS), climbs(e.script.means, S2_BANDS)]
    ratios, above = script.stds / script.means, int((script.stds > script.means).sum())
    values = dict(source=script.source, ratios=ratios, exchanged=1 / ratios, climb=climb)
    return judged(above < len(ratios) / 2, above=above, **values)


@check("bands")
def band_order(e: Evidence) -> Outcome:
    bright = np.maximum(e.script.means, e.script.stds)
    in_listed, in_spectral = (climbs(bright, order) for order in (e.names, S2_BANDS))
    read = dict(zip(e.names, bright, strict=True))
    return judged(in_listed or None, spectral=in_spectral, listed=in_listed, read=read)
