"""Checks of what sections 2 and 3 and the captions say: dataset, split, classes, method."""

from collections.abc import Callable

import numpy as np
from pyproj import Transformer

from multisenge_lib.audit.finding import Evidence, Outcome, check, counted, judged, measured
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

# Claims of one whole number, and what is counted for it


def _kept_apart(e: Evidence) -> int:
    """Urban classes that no grouping of Table 3 merges."""
    alone = [{ids for ids in groups if len(ids) == 1} for groups in e.paper.grouping.values()]
    return len(set.intersection(*alone) & {(i,) for i in URBAN})


_COUNTS: dict[str, Callable[[Evidence], int]] = {
    "tiles-14": lambda e: (e.census.tiles["patches"] > 0).sum(),
    "patches-8157": lambda e: e.census.totals["patches"],
    "typology-14": lambda e: len(e.paper.shares()),
    "urban-5": _kept_apart,
    "experiments": lambda e: len({name for name, *_ in e.paper.experiments}),
    "metrics-three": lambda e: len(e.paper.names("metrics-three")),
}


def whole_number(e: Evidence, claim: str) -> Outcome:
    """The number that a claim states against what is counted."""
    return counted(e.paper.value(claim), _COUNTS[claim](e))


for _claim in _COUNTS:
    check(_claim, claim=_claim)(whole_number)


# Section 2.1 and 2.2: dataset and split


@check("year")
def year(e: Evidence) -> Outcome:
    dates = e.census.totals["s1_references"] + e.census.totals["s2_references"]
    return counted(e.paper.value("year"), *MULTISENGE.years, dates=dates)


@check("patch-size")
def patch_size(e: Evidence) -> Outcome:
    size, test = e.paper.stated("patch-size"), e.paper.stated("split-counts")["test"]
    printed = test * size["rows"] * size["columns"]
    return counted(printed, e.replication.support[10].sum(), test=test)


@check("region-area")
def area(e: Evidence) -> Outcome:
    covered = e.census.totals["patches"] * _PATCH_KM2
    share = covered / e.paper.value("region-area")
    return judged(None, covered=covered, patch=_PATCH_KM2, share=share)


@check("months-most")
def months(e: Evidence) -> Outcome:
    counts, named = e.census.months, sorted(int(m) for m in e.paper.names("months-most"))
    most = sorted(int(m) for m in counts.nlargest(len(named)).index)
    return judged(named == most, most=most, counts=counts)


@check("winter-few")
def winter(e: Evidence) -> Outcome:
    few = [int(e.census.months[int(m)]) for m in e.paper.names("winter-few")]
    return judged(max(few) < e.census.totals["patches"] / 2, few=few)


@check("gap-17")
def gap(e: Evidence) -> Outcome:
    table = {int(gap): int(n.value) for gap, n in e.paper.table("table1").items()}
    kept, most = table[int(e.paper.value("gap-17"))], max(table, key=table.get)
    longest = max(gap for gap in table if table[gap] == kept)
    return judged(kept == table[most], kept=kept, most=most, patches=table[most], longest=longest)


@check("split-counts")
def split_counts(e: Evidence) -> dict[str, Outcome]:
    printed = e.paper.stated("split-counts")
    by_split = {split: counted(printed[split], e.census.splits[split]) for split in SPLITS}
    total = counted(e.paper.numbers["table1/17"].value, sum(printed.values()))
    return by_split | {"sum": total}


def _selected(e: Evidence, tiles: set[str]) -> int:
    counts = e.census.tiles["selected"]
    return int(counts[counts.index.isin(tiles)].sum())


@check("training-tiles")
def training_tiles(e: Evidence) -> Outcome:
    named, tiles = {*e.paper.names("training-tiles")}, e.census.tiles
    used = set(tiles.index[(tiles["split"] == "train") & (tiles["selected"] > 0)])
    unused = tiles.index[tiles["selected"] == 0]
    printed, listed = e.paper.stated("split-counts")["train"], _selected(e, named)
    return judged(
        named == used,
        printed - listed,
        0.0,
        printed=printed,
        count=len(named),
        listed=listed,
        missing=sorted(used - named),
        needed=_selected(e, used - named),
        unused=unused,
        used=len(tiles) - len(unused),
        tiles=len(tiles),
    )


@check("split-tiles")
def split_tiles(e: Evidence) -> Outcome:
    *validation, test = e.paper.names("split-tiles")
    printed = [e.paper.stated("split-counts")[split] for split in ("validation", "test")]
    held = [_selected(e, {*validation}), _selected(e, {test})]
    return judged(
        held == printed, printed=printed, held=held, validation=" + ".join(validation), test=test
    )


@check("test-tile")
def test_tile(e: Evidence) -> Outcome:
    (tile,), printed = e.paper.names("test-tile"), e.paper.stated("split-counts")["test"]
    held, selected = e.census.tiles.loc[tile, ["patches", "selected"]]
    return judged(printed == held == selected, printed=printed, held=held, selected=selected)


@check("patches-shown")
def patches_shown(e: Evidence) -> Outcome:
    (tile,), shown = e.paper.names("test-tile"), e.paper.names("patches-shown")
    on_tile = sum(name.startswith(f"{tile}_") for name in shown)
    return judged(on_tile == len(shown), count=len(shown), on_tile=on_tile, tile=tile)


# Places


def _direction(metres: float, ahead: str, behind: str) -> str:
    return f"{abs(metres) / 1000:.0f} km {ahead if metres >= 0 else behind}"


@check("test-reims", claim="test-reims")
@check("caption-table-5", claim="caption-table-5")
def place(e: Evidence, claim: str) -> Outcome:
    tile, city = e.paper.names(claim)
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
    (tile,) = e.paper.names("caption-table-7")
    centres, own = [_longitude(name) for name in e.census.tiles.index], _longitude(tile)
    low, high = min(centres), max(centres)
    return judged(own < (low + high) / 2, tile=tile, own=own, low=low, high=high)


@check("caption-figure-9")
def figure9(e: Evidence) -> Outcome:
    (table,) = e.paper.names("caption-figure-9")
    rows = {id.split("/")[1] for id in e.paper.table(table)} - {"W-Avg"}
    return counted(e.paper.value("caption-figure-9"), len(rows))


# Section 2.3: classes and shares


def merged_shares(e: Evidence, classes: int) -> np.ndarray:
    """Table 2 in 6 or 10 classes: percent, `(classes,)`."""
    shares = e.paper.shares()
    return np.array([sum(shares[i - 1] for i in ids) for ids in TYPOLOGIES[classes].members])


@check("two-groupings")
def groupings(e: Evidence) -> dict[str, Outcome]:
    sizes = {"first": len(e.paper.grouping[10]), "second": len(e.paper.grouping[6])}
    return {part: counted(n, sizes[part]) for part, n in e.paper.stated("two-groupings").items()}


@check("merging")
def merging(e: Evidence) -> Outcome:
    named, table = e.paper.names("merging"), {*e.paper.grouping[10]}
    merged = [tuple(int(i) for i in group.split("+")) for group in named]
    alone = {*range(1, 15)} - {i for group in merged for i in group}
    groups = {*merged, *((i,) for i in alone)}
    return judged(groups == table, count=len(groups), same=len(groups & table))


def _small(e: Evidence, claim: str, shares: np.ndarray) -> Outcome:
    found = {i: shares[int(i) - 1] for i in e.paper.names(claim)}
    each = [f"({i}) {share:.2f} %" for i, share in found.items()]
    return judged(max(found.values()) < e.paper.value(claim), each=each, shares=shares)


@check("rare-classes")
def rare_classes(e: Evidence) -> Outcome:
    return _small(e, "rare-classes", e.paper.shares())


@check("under-1")
def under_one_percent(e: Evidence) -> Outcome:
    return _small(e, "under-1", merged_shares(e, 10))


@check("non-urban-share")
def non_urban(e: Evidence) -> Outcome:
    number, pixels = e.paper.numbers["text/non-urban-share/percent"], e.replication.support[6]
    parts = [e.paper.numbers[f"table2/{i}"] for i in TYPOLOGIES[6].members[5]]
    derived = sum(n.value for n in parts)
    tolerance = number.half + sum(n.half for n in parts)
    tested = 100 * pixels[5] / pixels.sum()
    return measured(number.value - derived, tolerance, derived=derived, tested=tested)


# Section 3: method


@check("input-shape")
def input_shape(e: Evidence) -> Outcome:
    dates, bands = len(e.paper.names("months-most")), len(e.paper.names("bands"))
    derived = {"dates": dates, **e.paper.stated("patch-size"), "bands": bands}
    return judged(e.paper.stated("input-shape") == derived, derived=derived)


@check("memory")
def memory(e: Evidence) -> Outcome:
    stated = e.paper.stated("memory")
    return counted(stated["total"], stated["cards"] * stated["each"])


@check("augmentation-share")
@check("superior")
def nothing_printed_decides(e: Evidence) -> Outcome:
    return judged(None)


@check("class-weights")
def class_weights(e: Evidence) -> Outcome:
    inverse, shares = 1 / e.script.class_weights, merged_shares(e, 6)
    implied = 100 * inverse / inverse.sum()
    difference = implied - shares
    tolerance = np.array([0.005 * len(ids) for ids in TYPOLOGIES[6].members])
    same = (np.abs(difference) <= tolerance).all()
    train, patches = e.census.splits["train"], e.census.totals["patches"]
    possible = (implied * train <= (shares + tolerance) * patches).all()
    worst = np.argmax(np.abs(difference) / tolerance)
    return judged(
        True if same else None if possible else False,
        difference[worst],
        tolerance[worst],
        shares=shares,
        implied=implied,
        total=e.script.class_weights.sum(),
        train=train,
    )


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
    means, stds = e.script.means, e.script.stds
    above = int((stds > means).sum())
    return judged(
        above < len(means) / 2,
        source=e.script.source,
        ratios=stds / means,
        exchanged=means / stds,
        above=above,
        climb=climbs(stds, S2_BANDS),
        others_climb=climbs(means, S2_BANDS),
    )


@check("bands")
def band_order(e: Evidence) -> Outcome:
    listed, bright = e.paper.names("bands"), np.maximum(e.script.means, e.script.stds)
    in_listed, in_spectral = (climbs(bright, order) for order in (listed, S2_BANDS))
    as_listed = dict(zip(listed, bright, strict=True))
    right = True if in_listed else None
    return judged(right, spectral=in_spectral, listed=in_listed, read=as_listed)
